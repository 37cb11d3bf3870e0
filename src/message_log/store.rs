//! SQL of the transaction log.

use rusqlite::{Connection, OptionalExtension, Result, Row, ToSql, params, params_from_iter};

use super::{Logged, TRIAL, Verdict};
use crate::clock::DAY;
use crate::db::Tx;
use crate::ids::{AttemptId, BuyerId, MessageId, OrderId};
use crate::money::Fen;
use crate::packing::{self, Dictionary, Packed};

/// Refused messages that are kept: enough to find out who is knocking.
const REFUSALS_KEPT: i64 = 5_000;

/// The number of the next message: its row may be written after what points at it, in the same transaction.
pub fn next_id(tx: &Tx) -> Result<MessageId> {
    tx.prepare_cached("select coalesce(max(id), 0) + 1 from messages")?.query_row([], |row| row.get(0))
}

/// Plain, where its text was not packed. A number that the attempt has too is not written again, see `shown`.
pub fn insert(tx: &Tx, id: MessageId, entry: &Logged, packed: Option<&Packed>) -> Result<()> {
    let (request, response, checks) = match packed {
        Some(_) => Default::default(),
        None => (&*entry.request, &*entry.response, entry.checks_text()?),
    };
    tx.prepare_cached(
        "insert into messages (id, at, direction, kind, order_id, attempt_id, out_trade_no, transaction_id,
                               out_refund_no, amount_fen, verdict, reason, checks, request, response, source_ip, took_ms,
                               dictionary, packed)
         values (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, (select out_trade_no from attempts where id = ?6)),
                 iif(?4 = 'notify', nullif(?8, (select transaction_id from attempts where id = ?6)), ?8),
                 ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
    )?
    .execute(params![
        id,
        tx.now(),
        if entry.incoming { "in" } else { "out" },
        entry.kind,
        entry.order_id,
        entry.attempt_id,
        entry.out_trade_no,
        entry.transaction_id,
        entry.out_refund_no,
        entry.amount,
        entry.verdict,
        entry.reason,
        checks,
        request,
        response,
        entry.source_ip,
        entry.took_ms,
        packed.map(|packed| packed.dictionary),
        packed.map(|packed| packed.bytes.as_slice()),
    ])?;
    Ok(())
}

/// What is shown of messages: the numbers are a message's own, or its attempt's.
macro_rules! shown {
    () => {
        "m.id, m.at, m.direction, m.kind, m.order_id, o.order_no, coalesce(m.out_trade_no, a.out_trade_no) as out_trade_no,
         coalesce(m.transaction_id, iif(m.kind = 'notify', a.transaction_id, null)) as transaction_id, m.out_refund_no,
         m.amount_fen, m.verdict, m.reason, m.checks, m.source_ip, m.took_ms, m.packed, d.bytes as dictionary
           from messages m left join orders o on o.id = m.order_id
           left join attempts a on a.id = m.attempt_id
           left join dictionaries d on d.id = m.dictionary"
    };
}

/// Whether WeChat's last push could not be opened.
pub fn push_refused(conn: &Connection) -> Result<bool> {
    let last = conn
        .prepare_cached("select verdict from messages where kind = 'message' order by id desc limit 1")?
        .query_row([], |row| row.get::<_, Verdict>(0))
        .optional()?;
    Ok(last == Some(Verdict::Refused))
}

pub fn forget_old_refusals(tx: &Tx, newest: MessageId) -> Result<()> {
    // Looked at now and then, not at every message.
    if newest.0 % 100 == 0 {
        tx.prepare_cached(
            "delete from messages
              where verdict = 'refused'
                and id <= (select id from messages where verdict = 'refused' order by id desc limit 1 offset ?1)",
        )?
        .execute([REFUSALS_KEPT])?;
    }
    Ok(())
}

/// A row of the log as the console shows it.
#[derive(Clone, Debug)]
pub struct LogRow {
    pub id: MessageId,
    pub at: i64,
    pub incoming: bool,
    pub kind: String,
    pub order_id: Option<OrderId>,
    pub order_no: Option<String>,
    pub out_trade_no: Option<String>,
    pub transaction_id: Option<String>,
    pub out_refund_no: Option<String>,
    pub amount: Option<Fen>,
    pub verdict: String,
    pub reason: String,
    pub checks: String,
    pub source_ip: String,
    pub took_ms: i64,
}

/// Which rows, newest first.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<String>,
    pub verdict: Option<Verdict>,
    /// An order, attempt, transaction or refund number, whole or its beginning.
    pub number: Option<String>,
    /// An error code of WeChat's, or ours for what was refused.
    pub code: Option<String>,
    /// Of exactly so much.
    pub amount: Option<Fen>,
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub before: Option<i64>,
    pub limit: i64,
}

pub fn list(conn: &Connection, filter: &Filter) -> Result<Vec<LogRow>> {
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let mut where_ = vec!["true".to_owned()];
    let mut narrow = |sql: &str, value: Box<dyn ToSql>| {
        values.push(value);
        where_.push(sql.replace('?', &format!("?{}", values.len())));
    };
    if let Some(kind) = &filter.kind {
        narrow("m.kind = ?", Box::new(kind.clone()));
    }
    match filter.verdict {
        None => {}
        Some(Verdict::Ok) => narrow("m.verdict = ?", Box::new(Verdict::Ok)),
        // The few others have an index of their own.
        Some(verdict) => narrow("m.verdict <> 'ok' and m.verdict = ?", Box::new(verdict)),
    }
    if let Some(number) = &filter.number {
        narrow(
            "m.id in (select id from messages where out_trade_no >= ? and out_trade_no < ? || '~'
                      union select id from messages where transaction_id = ?
                      union select id from messages where out_refund_no = ?
                      union select m.id from messages m join orders o on o.id = m.order_id where o.order_no = ?
                      union select m.id from (select id, order_id from attempts
                                               where out_trade_no >= ? and out_trade_no < ? || '~'
                                               order by out_trade_no desc limit 20000) a
                              join messages m on m.order_id = a.order_id and m.attempt_id = a.id
                      union select m.id from attempts a join messages m on m.order_id = a.order_id and m.attempt_id = a.id
                             where a.transaction_id = ? and m.kind = 'notify')",
            Box::new(number.clone()),
        );
    }
    if let Some(code) = &filter.code {
        // Its versions spell the same with and without underscores.
        narrow(
            "m.verdict <> 'ok' and instr(replace(m.reason, '_', ''), replace(?, '_', '')) > 0",
            Box::new(code.clone()),
        );
    }
    // Numbers rise with time, but for the odd clock that was set back: so few rows of other days are looked at.
    if let Some(since) = filter.since {
        narrow("m.id >= ?", Box::new(first_since(conn, since - DAY)?));
        narrow("m.at >= ?", Box::new(since));
    }
    if let Some(until) = filter.until {
        narrow("m.id < ?", Box::new(first_since(conn, until + DAY)?));
        narrow("m.at < ?", Box::new(until));
    }
    if let Some(amount) = filter.amount {
        narrow("m.amount_fen = ?", Box::new(amount));
    }
    if let Some(before) = filter.before {
        narrow("m.id < ?", Box::new(before));
    }
    values.push(Box::new(filter.limit));
    let sql = format!(
        concat!("select ", shown!(), " where {} order by m.id desc limit ?{}"),
        where_.join(" and "),
        values.len()
    );
    let mut rows = conn.prepare_cached(&sql)?;
    rows.query_map(params_from_iter(values), |row| read(row, &checks(row)?))?.collect()
}

/// The first row of that time or later, found by halves.
fn first_since(conn: &Connection, at: i64) -> Result<i64> {
    let mut next = conn.prepare_cached("select id, at from messages where id >= ?1 order by id limit 1")?;
    let (mut low, mut high): (i64, i64) =
        (0, conn.prepare_cached("select coalesce(max(id), 0) + 1 from messages")?.query_row([], |row| row.get(0))?);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = next.query_row([middle], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).optional()?;
        match found {
            Some((id, then)) if then < at => low = id + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// What was said and what was answered, byte for byte.
pub struct Raw {
    pub request: Vec<u8>,
    pub response: Vec<u8>,
}

/// One row with its raw text.
pub fn one(conn: &Connection, id: MessageId) -> Result<Option<(LogRow, Raw)>> {
    conn.prepare_cached(concat!("select m.request, m.response, ", shown!(), " where m.id = ?1"))?
        .query_row([id], |row| {
            let (raw, checks) = raw(row)?;
            Ok((read(row, &checks)?, raw))
        })
        .optional()
}

/// Raw text and checks of a row with `request`, `response`, `checks`, `packed` and its `dictionary`.
fn raw(row: &Row<'_>) -> Result<(Raw, Vec<u8>)> {
    let Some(text) = text(row)? else {
        let raw = Raw { request: row.get("request")?, response: row.get("response")? };
        return Ok((raw, row.get::<_, String>("checks")?.into_bytes()));
    };
    let [response, checks, request] = packing::parted(&text)?;
    Ok((Raw { request: request.to_owned(), response: response.to_owned() }, checks.to_owned()))
}

/// What is packed in a row; none in one from before rows were packed.
fn text(row: &Row<'_>) -> Result<Option<Vec<u8>>> {
    match (row.get_ref("packed")?.as_blob_or_null()?, row.get_ref("dictionary")?.as_blob_or_null()?) {
        (Some(packed), Some(dictionary)) => packing::unpack(packed, dictionary).map(Some),
        _ => Ok(None),
    }
}

fn checks(row: &Row<'_>) -> Result<Vec<u8>> {
    match text(row)? {
        Some(text) => Ok(packing::parted(&text)?[1].to_owned()),
        None => Ok(row.get::<_, String>("checks")?.into_bytes()),
    }
}

fn read(row: &Row<'_>, checks: &[u8]) -> Result<LogRow> {
    Ok(LogRow {
        id: row.get("id")?,
        at: row.get("at")?,
        incoming: row.get::<_, String>("direction")? == "in",
        kind: row.get("kind")?,
        order_id: row.get("order_id")?,
        order_no: row.get("order_no")?,
        out_trade_no: row.get("out_trade_no")?,
        transaction_id: row.get("transaction_id")?,
        out_refund_no: row.get("out_refund_no")?,
        amount: row.get("amount_fen")?,
        verdict: row.get("verdict")?,
        reason: row.get("reason")?,
        checks: String::from_utf8_lossy(checks).into_owned(),
        source_ip: row.get("source_ip")?,
        took_ms: row.get("took_ms")?,
    })
}

/// Whether WeChat was asked about a payment, and told its sum: by its own number of it, under which it may have been paid for something
/// else, or by the number of the attempt that it is said to be of, if of any, …
pub fn was_asked(conn: &Connection, transaction_id: &str, attempt: Option<AttemptId>) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from messages
          where transaction_id = ?1 and kind = 'orderquery' and amount_fen is not null
            and (attempt_id is null or attempt_id = ?2)",
    )?
    .exists(params![transaction_id, attempt])
}

/// … or only by the latter. What it told of another attempt says that it is not of this one.
pub fn was_told_of(conn: &Connection, transaction_id: &str, attempt: AttemptId) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from messages
          where transaction_id = ?1 and kind = 'orderquery' and amount_fen is not null and attempt_id = ?2",
    )?
    .exists(params![transaction_id, attempt])
}

/// The same of this very sum.
pub fn was_confirmed(conn: &Connection, transaction_id: &str, attempt: AttemptId, amount: Fen) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from messages
          where transaction_id = ?1 and kind = 'orderquery' and amount_fen = ?3 and attempt_id = ?2",
    )?
    .exists(params![transaction_id, attempt, amount])
}

/// Whether WeChat has answered anything about an attempt since the notice that paid it, or where none is kept, since this moment: the clock may
/// have been set meanwhile.
pub fn was_answered(conn: &Connection, order: OrderId, attempt: AttemptId, since: i64) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from messages m left join (select min(id) as id from messages where order_id = ?1 and attempt_id = ?2
                                               and kind = 'notify' and verdict = 'ok' and transaction_id is null) n
          where m.order_id = ?1 and m.attempt_id = ?2 and m.kind = 'orderquery' and m.verdict = 'ok'
            and iif(n.id is null, m.at >= ?3, m.id > n.id)",
    )?
    .exists(params![order, attempt, since])
}

/// The payments that notices of this attempt told of and that were not doubted then.
pub fn thanked_for(conn: &Connection, order: OrderId, attempt: AttemptId) -> Result<Vec<(String, Fen)>> {
    let mut rows = conn.prepare_cached(
        "select transaction_id, max(amount_fen) from messages
          where order_id = ?1 and attempt_id = ?2 and kind = 'notify' and verdict = 'ok' and transaction_id is not null
            and amount_fen is not null
          group by transaction_id order by min(id)",
    )?;
    rows.query_map(params![order, attempt], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Since when a notice of this attempt waits that was not doubted then and told of money that did not pay it: no answer to a query has come
/// since the first.
pub fn kept_since(conn: &Connection, order: OrderId, attempt: AttemptId) -> Result<Option<i64>> {
    conn.prepare_cached(
        "select min(at) from messages
          where order_id = ?1 and attempt_id = ?2 and kind = 'notify' and verdict = 'ok' and transaction_id is not null
            and id > coalesce((select max(id) from messages where order_id = ?1 and attempt_id = ?2
                                  and kind = 'orderquery' and verdict = 'ok'), 0)",
    )?
    .query_row(params![order, attempt], |row| row.get(0))
}

/// The other deliveries of the same payment notice.
pub fn deliveries(conn: &Connection, transaction_id: &str) -> Result<Vec<(MessageId, i64, String)>> {
    let mut rows = conn.prepare_cached(
        "select id, at, reason from messages where kind = 'notify' and transaction_id = ?1
         union
         select m.id, m.at, m.reason
           from attempts a join messages m on m.order_id = a.order_id and m.attempt_id = a.id
          where a.transaction_id = ?1 and m.kind = 'notify' and m.transaction_id is null
          order by id limit 50",
    )?;
    rows.query_map([transaction_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// When the last believed notice came, and how many messages failed or were refused since `since`. That WeChat tries out
/// whether we verify is neither, and what somebody tried on the page of settings he was told there.
pub fn health(conn: &Connection, since: i64) -> Result<(Option<i64>, i64)> {
    let last = conn
        .prepare_cached(
            "select at from messages where kind = 'notify' and verdict <> 'refused' order by id desc limit 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    let failed = conn
        .prepare_cached(
            "select count(*) from messages
              where verdict in ('refused', 'failed') and at >= ?1 and instr(reason, 'SIGNTEST') = 0 and instr(reason, ?2) <> 1",
        )?
        .query_row(params![since, TRIAL], |row| row.get(0))?;
    Ok((last, failed))
}

/// Whether a message of this kind came to a good end since then; a few hundred of the latest are looked at.
pub fn succeeded_since(conn: &Connection, kind: &str, since: i64) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from (select verdict, at from messages where kind = ?1 order by id desc limit 300)
          where verdict = 'ok' and at > ?2",
    )?
    .exists(params![kind, since])
}

/// How many messages ended in each way, by stretches of `stretch` milliseconds counted from `since` on.
/// The index alone is read: the messages themselves are large.
pub fn strip(conn: &Connection, since: i64, stretch: i64) -> Result<Vec<(Verdict, i64, i64)>> {
    let mut rows = conn.prepare_cached(
        "select verdict, (at - ?1) / ?2 as stretch, count(*) from messages
          where verdict in ('ok', 'failed', 'refused', 'suspicious') and at >= ?1
          group by verdict, stretch order by verdict, stretch",
    )?;
    rows.query_map(params![since, stretch], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// How long WeChat took for the latest of our calls of one kind, in milliseconds, the quickest first. What comes in is of
/// other kinds: among a million of them no call is looked for.
pub fn took(conn: &Connection, kind: &str, latest: i64) -> Result<Vec<i64>> {
    let mut rows = conn.prepare_cached(
        "select took_ms from (select took_ms, direction from messages where kind = ?1 order by id desc limit ?2)
          where direction = 'out' order by took_ms",
    )?;
    rows.query_map(params![kind, latest], |row| row.get(0))?.collect()
}

/// How many messages of one kind ended in one way, and how long the slowest of them took.
#[derive(Clone, Debug)]
pub struct Sum {
    pub kind: String,
    pub verdict: Verdict,
    pub reason: String,
    pub count: i64,
    pub slowest_ms: i64,
}

/// What came of the messages since then, the most frequent first. The latest hundred thousand are looked at.
pub fn verdicts(conn: &Connection, since: i64) -> Result<Vec<Sum>> {
    let mut rows = conn.prepare_cached(
        "select kind, verdict, reason, count(*) as n, max(took_ms) as slowest
           from (select kind, verdict, reason, took_ms, at from messages order by id desc limit 100000)
          where at >= ?1
          group by kind, verdict, reason order by n desc limit 200",
    )?;
    rows.query_map([since], |row| {
        Ok(Sum {
            kind: row.get("kind")?,
            verdict: row.get("verdict")?,
            reason: row.get("reason")?,
            count: row.get("n")?,
            slowest_ms: row.get("slowest")?,
        })
    })?
    .collect()
}

/// A payment notice as it came, and what was made of it.
pub struct Stored {
    pub id: MessageId,
    pub at: i64,
    pub out_trade_no: Option<String>,
    pub verdict: Verdict,
    pub reason: String,
    pub request: Vec<u8>,
}

/// The numbers of refunds that notices about a payment named: one made in WeChat's console is known by nothing else. Each
/// with when it was told first, if any notice of it was not refused.
pub fn refunds_named(conn: &Connection, transaction_id: &str) -> Result<Vec<(String, Option<i64>)>> {
    conn.prepare_cached(
        "select out_refund_no, min(case when verdict <> 'refused' then at end) from messages
          where transaction_id = ?1 and kind = 'refund_notify' and out_refund_no is not null
          group by out_refund_no",
    )?
    .query_map([transaction_id], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// Notices of refunds that a clock which ran ahead dated came by now at the latest.
pub fn pull_in(tx: &Tx) -> Result<()> {
    tx.prepare_cached("update messages set at = ?1 where kind = 'refund_notify' and at > ?1")?.execute([tx.now()])?;
    Ok(())
}

/// Payment notices in the order they came, from after this one on.
pub fn notices_after(conn: &Connection, after: MessageId, limit: i64) -> Result<Vec<Stored>> {
    let mut rows = conn.prepare_cached(
        "select m.id, m.at, coalesce(m.out_trade_no, a.out_trade_no) as out_trade_no, m.verdict, m.reason, m.request,
                m.response, m.checks, m.packed, d.bytes as dictionary
           from messages m left join attempts a on a.id = m.attempt_id left join dictionaries d on d.id = m.dictionary
          where m.kind = 'notify' and m.id > ?1 order by m.id limit ?2",
    )?;
    rows.query_map(params![after, limit], |row| {
        Ok(Stored {
            id: row.get("id")?,
            at: row.get("at")?,
            out_trade_no: row.get("out_trade_no")?,
            verdict: row.get("verdict")?,
            reason: row.get("reason")?,
            request: raw(row)?.0.request,
        })
    })?
    .collect()
}

/// The latest payment notices that were refused, as they came, the newest first.
pub fn refused_notices(conn: &Connection, limit: i64) -> Result<Vec<Vec<u8>>> {
    conn.prepare_cached(
        "select request from messages
          where verdict <> 'ok' and verdict = 'refused' and kind = 'notify' order by id desc limit ?1",
    )?
    .query_map([limit], |row| row.get(0))?
    .collect()
}

// ── what names somebody ──

/// What a message says of somebody, and what stands there once he is forgotten.
pub type Said = (String, String);

/// The messages exchanged with WeChat that say something of this: those of the buyer's orders, and his logins. A notice of API
/// v3 names him where only the shop's key can read it.
pub fn naming(conn: &Connection, buyer: BuyerId, said: &[Said]) -> Result<Vec<MessageId>> {
    // A plain message has its text in two columns, a packed one in none of them.
    let sql = [
        ("from orders o join messages m on m.order_id = o.id and m.order_id is not null", "o.buyer_id = ?1", "?2"),
        (
            "from orders o join messages m on m.order_id = o.id and m.order_id is not null",
            "o.buyer_id = ?1 and m.kind = 'notify'",
            "?3",
        ),
        ("from messages m", "m.kind in ('login', 'message')", "?2"),
    ]
    .map(|(from, which, what)| {
        format!(
            "select m.id {from} left join dictionaries d on d.id = m.dictionary
              where {which} and exists (select 1 from json_each({what}) s
                                         where instr(m.request, cast(s.value as blob)) > 0
                                            or instr(m.response, cast(s.value as blob)) > 0
                                            or instr(inflated(m.packed, d.bytes), cast(s.value as blob)) > 0)"
        )
    })
    .join(" union ");
    let json =
        |words: &[&str]| serde_json::to_string(words).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()));
    let words: Vec<&str> = said.iter().map(|(words, _)| words.as_str()).collect();
    conn.prepare_cached(&sql)?.query_map(params![buyer, json(&words)?, json(&[SEALED])?], |row| row.get(0))?.collect()
}

/// What API v3 calls the part of a notice that is sealed.
const SEALED: &str = "\"ciphertext\"";

/// A text whose sealed part was taken out, if it has one.
fn unsealed(text: &[u8]) -> Vec<u8> {
    let quote = |text: &[u8]| text.iter().position(|byte| *byte == b'"');
    let value = || {
        let named = text.windows(SEALED.len()).position(|some| some == SEALED.as_bytes())? + SEALED.len();
        let begins = named + quote(&text[named..])? + 1;
        Some((begins, begins + quote(&text[begins..])?))
    };
    match value() {
        Some((begins, ends)) => [&text[..begins], b"erased", &text[ends..]].concat(),
        None => text.to_vec(),
    }
}

/// Takes out of these messages what they say of somebody.
pub fn forget(tx: &Tx, ids: &[MessageId], said: &[Said]) -> Result<()> {
    let dictionary = packing::store::newest(tx)?;
    for id in ids {
        let Some((logged, raw)) = one(tx, *id)? else { continue };
        let forgotten = |text: &[u8]| said.iter().fold(unsealed(text), |text, said| without(&text, said));
        let [response, request] = [&raw.response, &raw.request].map(|text| forgotten(text));
        write_text(tx, *id, &dictionary, [&response, logged.checks.as_bytes(), &request])?;
    }
    Ok(())
}

fn without(text: &[u8], (name, instead): &Said) -> Vec<u8> {
    let (name, mut rest) = (name.as_bytes(), text);
    let mut kept = Vec::with_capacity(text.len());
    while let Some(at) = rest.windows(name.len().max(1)).position(|some| some == name) {
        kept.extend([&rest[..at], instead.as_bytes()].concat());
        rest = &rest[at + name.len()..];
    }
    kept.extend_from_slice(rest);
    kept
}

/// Answer, checks and request anew, packed.
fn write_text(tx: &Tx, id: MessageId, dictionary: &Dictionary, pieces: [&[u8]; 3]) -> Result<()> {
    let packed = dictionary.pack(&packing::joined(pieces))?;
    tx.prepare_cached(
        "update messages set request = x'', response = x'', checks = '', dictionary = ?2, packed = ?3 where id = ?1",
    )?
    .execute(params![id, packed.dictionary, packed.bytes])?;
    Ok(())
}

// ── rows from before they were packed ──

/// Packs the rows with numbers from `after` on that are as an older program wrote them, at most `limit`; answers with the
/// last one that was looked at. Numbers that their attempt has go as well.
pub fn pack_older(tx: &Tx, after: i64, until: i64, limit: i64) -> Result<Option<i64>> {
    let rows = tx
        .prepare_cached(
            "select id, request, response, checks, packed is null and verdict <> 'refused' as plain from messages
              where id > ?1 and id <= ?2 order by id limit ?3",
        )?
        .query_map([after, until, limit], |row| {
            let pieces = [row.get("response")?, row.get::<_, String>("checks")?.into_bytes(), row.get("request")?];
            Ok((row.get("id")?, row.get("plain")?, pieces))
        })?
        .collect::<Result<Vec<(MessageId, bool, [Vec<u8>; 3])>>>()?;
    let dictionary = packing::store::newest(tx)?;
    for (id, _, [response, checks, request]) in rows.iter().filter(|(_, plain, _)| *plain) {
        write_text(tx, *id, &dictionary, [response, checks, request])?;
        tx.prepare_cached(
            "update messages
                set out_trade_no = nullif(out_trade_no, (select a.out_trade_no from attempts a where a.id = attempt_id)),
                    transaction_id = iif(kind = 'notify', nullif(transaction_id,
                                         (select a.transaction_id from attempts a where a.id = attempt_id)), transaction_id)
              where id = ?1 and attempt_id is not null",
        )?
        .execute([id])?;
    }
    Ok(rows.last().map(|(id, _, _)| id.0))
}
