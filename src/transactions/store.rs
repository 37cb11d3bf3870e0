//! SQL of the transaction log.

use rusqlite::{Connection, OptionalExtension, Result, Row, ToSql, params, params_from_iter};

use super::{Entry, Verdict};
use crate::clock::DAY;
use crate::db::Tx;
use crate::ids::{MessageId, OrderId};
use crate::money::Fen;

/// Refused messages that are kept: enough to find out who is knocking.
const REFUSALS_KEPT: i64 = 5_000;

/// The number of the next message: its row may be written after what points at it, in the same transaction.
pub fn next_id(tx: &Tx) -> Result<MessageId> {
    tx.prepare_cached("select coalesce(max(id), 0) + 1 from messages")?.query_row([], |row| row.get(0))
}

pub fn insert(tx: &Tx, id: MessageId, entry: &Entry, checks: &str) -> Result<()> {
    tx.prepare_cached(
        "insert into messages (id, at, direction, kind, order_id, attempt_id, out_trade_no, transaction_id,
                               out_refund_no, amount_fen, verdict, reason, checks, request, response, source_ip, took_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
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
        entry.request,
        entry.response,
        entry.source_ip,
        entry.took_ms
    ])?;
    Ok(())
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
pub struct Logged {
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

pub fn list(conn: &Connection, filter: &Filter) -> Result<Vec<Logged>> {
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
                      union select m.id from messages m join orders o on o.id = m.order_id where o.order_no = ?)",
            Box::new(number.clone()),
        );
    }
    if let Some(code) = &filter.code {
        narrow("m.verdict <> 'ok' and instr(m.reason, ?) > 0", Box::new(code.clone()));
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
        "select m.id, m.at, m.direction, m.kind, m.order_id, o.order_no, m.out_trade_no, m.transaction_id, m.out_refund_no,
                m.amount_fen, m.verdict, m.reason, m.checks, m.source_ip, m.took_ms
           from messages m left join orders o on o.id = m.order_id
          where {} order by m.id desc limit ?{}",
        where_.join(" and "),
        values.len()
    );
    let mut rows = conn.prepare_cached(&sql)?;
    rows.query_map(params_from_iter(values), read)?.collect()
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
pub fn one(conn: &Connection, id: MessageId) -> Result<Option<(Logged, Raw)>> {
    conn.prepare_cached(
        "select m.*, o.order_no from messages m left join orders o on o.id = m.order_id where m.id = ?1",
    )?
    .query_row([id], |row| Ok((read(row)?, Raw { request: row.get("request")?, response: row.get("response")? })))
    .optional()
}

fn read(row: &Row<'_>) -> Result<Logged> {
    Ok(Logged {
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
        checks: row.get("checks")?,
        source_ip: row.get("source_ip")?,
        took_ms: row.get("took_ms")?,
    })
}

/// The other deliveries of the same payment notice.
pub fn deliveries(conn: &Connection, transaction_id: &str) -> Result<Vec<(MessageId, i64, String)>> {
    let mut rows = conn.prepare_cached(
        "select id, at, reason from messages where kind = 'notify' and transaction_id = ?1 order by id limit 50",
    )?;
    rows.query_map([transaction_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// When the last believed notice came, and how many messages failed or were refused since `since`.
pub fn health(conn: &Connection, since: i64) -> Result<(Option<i64>, i64)> {
    let last = conn
        .prepare_cached(
            "select at from messages where kind = 'notify' and verdict <> 'refused' order by id desc limit 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    let failed = conn
        .prepare_cached("select count(*) from messages where verdict in ('refused', 'failed') and at >= ?1")?
        .query_row(params![since], |row| row.get(0))?;
    Ok((last, failed))
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

/// Payment notices in the order they came, from after this one on.
/// The numbers of refunds that notices about a payment named: one made in WeChat's console is known by nothing else.
pub fn refunds_named(conn: &Connection, transaction_id: &str) -> Result<Vec<String>> {
    conn.prepare_cached(
        "select distinct out_refund_no from messages
          where transaction_id = ?1 and kind = 'refund_notify' and out_refund_no is not null",
    )?
    .query_map([transaction_id], |row| row.get(0))?
    .collect()
}

pub fn notices_after(conn: &Connection, after: MessageId, limit: i64) -> Result<Vec<Stored>> {
    let mut rows = conn.prepare_cached(
        "select id, at, out_trade_no, verdict, reason, request from messages
          where kind = 'notify' and id > ?1 order by id limit ?2",
    )?;
    rows.query_map(params![after, limit], |row| {
        Ok(Stored {
            id: row.get("id")?,
            at: row.get("at")?,
            out_trade_no: row.get("out_trade_no")?,
            verdict: row.get("verdict")?,
            reason: row.get("reason")?,
            request: row.get("request")?,
        })
    })?
    .collect()
}
