//! SQL of the money exceptions.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{
    Asking, BOUNCED, DENIED, Exception, FORGOTTEN, GONE_BACK, Look, MATCHED_AGAIN, NEVER_PAID, NewException, UNHEARD,
    unproven,
};
use crate::clock::Day;
use crate::db::{DbError, Tx};
use crate::ids::{AttemptId, ExceptionId, OrderId, RefundId};

/// Opens an exception; `None` when the same money was reported before.
pub fn open(tx: &Tx, new: &NewException<'_>) -> Result<Option<ExceptionId>> {
    let inserted = tx
        .prepare_cached(
            "insert into money_exceptions (kind, subject, state, order_id, attempt_id, refund_id, out_trade_no,
                                           transaction_id, amount_fen, fee_type, what, day, difference, ours, theirs,
                                           opened_at)
             values (?1, ?2, 'open', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             on conflict (kind, subject) do nothing",
        )?
        .execute(params![
            new.kind,
            new.subject,
            new.order_id,
            new.attempt_id,
            new.refund_id,
            new.out_trade_no,
            new.transaction_id,
            new.amount_fen,
            new.fee_type,
            new.what,
            new.bill.map(|(day, _)| day),
            new.bill.map(|(_, difference)| difference),
            new.ours,
            new.theirs,
            tx.now()
        ])?;
    Ok((inserted == 1).then(|| ExceptionId(tx.last_insert_rowid())))
}

/// The same, and one that is open says what this one says. Answers whether it is new.
pub fn open_saying(tx: &Tx, new: &NewException<'_>) -> Result<bool> {
    let opened = open(tx, new)?.is_some();
    tx.prepare_cached("update money_exceptions set what = ?3 where kind = ?1 and subject = ?2 and state = 'open'")?
        .execute(params![new.kind, new.subject, new.what])?;
    Ok(opened)
}

/// The same, open again if it was resolved before: what was decided then is asked once more.
pub fn open_anew(tx: &Tx, new: &NewException<'_>) -> Result<()> {
    if open(tx, new)?.is_none() {
        tx.prepare_cached(
            "update money_exceptions
                set state = 'open', looked_at = coalesce(resolved_at, looked_at), resolved_at = null, resolution = null,
                    what = ?3, order_id = ?4, opened_at = ?5
              where kind = ?1 and subject = ?2",
        )?
        .execute(params![new.kind, new.subject, new.what, new.order_id, tx.now()])?;
    }
    Ok(())
}

/// The same, open again if it was resolved before this moment. Whether it is open by this.
pub fn open_since(tx: &Tx, new: &NewException<'_>, since: i64) -> Result<bool> {
    if open(tx, new)?.is_some() {
        return Ok(true);
    }
    let settled = tx
        .prepare_cached("select 1 from money_exceptions where kind = ?1 and subject = ?2 and resolved_at <= ?3")?
        .exists(params![new.kind, new.subject, since])?;
    if settled {
        open_anew(tx, new)?;
    }
    Ok(settled)
}

/// What a clock that ran ahead dated: it was open by now at the latest, and settled before this moment.
pub fn pull_in(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached("update money_exceptions set opened_at = ?1 where opened_at > ?1")?.execute([tx.now()])?;
    for looked in ["resolved_at", "looked_at"] {
        let sql = format!("update money_exceptions set {looked} = ?2 where {looked} > ?1");
        tx.prepare_cached(&sql)?.execute([tx.now(), before])?;
    }
    Ok(())
}

/// The subject of one that tells of money that went back of a payment and that nobody here knows of.
pub fn gone_back(transaction_id: &str) -> String {
    format!("{transaction_id}{GONE_BACK}")
}

/// The subject of one that tells of money that went back and was forgotten here, by going back to a backup. That some of it
/// is known by now answers nothing: somebody has to look.
pub fn forgotten(transaction_id: &str) -> String {
    format!("{transaction_id}{FORGOTTEN}")
}

/// The subject of one that tells of a refund that did not arrive after all.
pub fn bounced(refund_id: &str) -> String {
    format!("{refund_id}{BOUNCED}")
}

/// The one that tells of money that went back of a payment.
pub fn gone_back_of(conn: &Connection, transaction_id: &str) -> Result<Option<ExceptionId>> {
    conn.prepare_cached("select id from money_exceptions where kind = 'amount_mismatch' and subject = ?1")?
        .query_row([gone_back(transaction_id)], |row| row.get(0))
        .optional()
}

/// What was told of money that went back of an order's payment, while it waits for somebody to look: by WeChat, by a mere hint, or by a
/// refund of ours that it refused.
pub fn order_waits_for(conn: &Connection, order: OrderId) -> Result<Option<String>> {
    let mut open = conn.prepare_cached(
        "select what from money_exceptions
          where order_id = ?1 and state = 'open' and kind = 'amount_mismatch' and subject like '% gone back' order by id",
    )?;
    all_told(open.query_map([order], |row| row.get(0))?)
}

/// The same of a payment.
pub fn payment_waits_for(conn: &Connection, transaction_id: &str) -> Result<Option<String>> {
    let mut open = conn.prepare_cached(
        "select what from money_exceptions
          where kind = 'amount_mismatch' and subject in (?1, ?2) and state = 'open' order by id",
    )?;
    all_told(open.query_map([gone_back(transaction_id), forgotten(transaction_id)], |row| row.get(0))?)
}

/// The subject of one that tells that WeChat denies a payment which an order stands on.
pub fn denial(transaction_id: &str) -> String {
    format!("{transaction_id}{DENIED}")
}

/// Items that tell of such a denial. Those of before stood under the subject of money that went back.
macro_rules! denials {
    ($select:literal, $and:literal) => {
        concat!(
            "select ",
            $select,
            " from money_exceptions
               where kind = 'amount_mismatch' and (subject = ?1 || ?2 or subject = ?1 || ?3 and what like ?4 || '%') ",
            $and
        )
    };
}

/// What `denials!` asks with.
fn denials_of(transaction_id: &str) -> [&str; 4] {
    [transaction_id, DENIED, GONE_BACK, NEVER_PAID]
}

/// Since when WeChat's denial of a payment waits for somebody, or for another word of WeChat's.
pub fn denied_since(conn: &Connection, transaction_id: &str) -> Result<Option<i64>> {
    conn.prepare_cached(denials!("min(opened_at)", "and state = 'open'"))?
        .query_row(denials_of(transaction_id), |row| row.get(0))
}

/// Whether WeChat's yes would end it, which waits for that.
pub fn is_yes_awaited(conn: &Connection, transaction_id: &str) -> Result<bool> {
    conn.prepare_cached(denials!("1", "and state = 'open' and what like ?4 || '%'"))?.exists(denials_of(transaction_id))
}

/// Since when that waits, or an order that was taken up waits for WeChat to be heard at all.
pub fn word_awaited_since(conn: &Connection, transaction_id: &str) -> Result<Option<i64>> {
    let unheard: Option<i64> = conn
        .prepare_cached(
            "select min(opened_at) from money_exceptions
              where kind = 'amount_mismatch' and subject = ?1 and state = 'open' and what like ?2 || '%'",
        )?
        .query_row(params![gone_back(transaction_id), UNHEARD], |row| row.get(0))?;
    Ok(denied_since(conn, transaction_id)?.or(unheard))
}

/// Whether WeChat has ever denied it, whatever became of that.
pub fn was_denied(conn: &Connection, transaction_id: &str) -> Result<bool> {
    conn.prepare_cached(denials!("1", ""))?.exists(denials_of(transaction_id))
}

/// Whether somebody has looked at what WeChat denies, or it has said yes since.
pub fn is_denial_settled(conn: &Connection, transaction_id: &str) -> Result<bool> {
    conn.prepare_cached(denials!("1", "and state = 'resolved'"))?.exists(denials_of(transaction_id))
}

/// WeChat says yes to an attempt that it did not know as paid. Whether anything waited for that.
pub fn take_denial_back(tx: &Tx, transaction_id: &str, resolution: &str) -> Result<bool> {
    let n = tx
        .prepare_cached(
            "update money_exceptions set state = 'resolved', resolution = ?5, resolved_at = ?6
              where kind = 'amount_mismatch' and subject in (?1 || ?2, ?1 || ?3) and state = 'open' and what like ?4 || '%'",
        )?
        .execute(params![transaction_id, DENIED, GONE_BACK, NEVER_PAID, resolution, tx.now()])?;
    Ok(n > 0)
}

/// WeChat has been heard, and nothing went back.
pub fn take_unheard_back(tx: &Tx, transaction_id: &str, resolution: &str) -> Result<()> {
    tx.prepare_cached(
        "update money_exceptions set state = 'resolved', resolution = ?3, resolved_at = ?4
          where kind = 'amount_mismatch' and subject = ?1 and state = 'open' and what like ?2 || '%'",
    )?
    .execute(params![gone_back(transaction_id), UNHEARD, resolution, tx.now()])?;
    Ok(())
}

/// What WeChat denies of an order's payment while that waits for somebody, and the attempt that is asked about.
pub fn order_is_denied(conn: &Connection, order: OrderId) -> Result<Option<(String, Option<AttemptId>)>> {
    conn.prepare_cached(
        "select what, attempt_id from money_exceptions
          where order_id = ?1 and state = 'open' and kind = 'amount_mismatch' and subject = transaction_id || ?2",
    )?
    .query_row(params![order, DENIED], |row| Ok((told(&row.get::<_, String>(0)?).to_owned(), row.get(1)?)))
    .optional()
}

/// What is told of money that went back, without what an item asks for: that stands behind the last colon.
pub fn told(what: &str) -> &str {
    what.rsplit_once('：').map_or(what, |(told, _)| told)
}

fn all_told(open: impl Iterator<Item = Result<String>>) -> Result<Option<String>> {
    let told = open.map(|what| Ok(told(&what?).to_owned())).collect::<Result<Vec<_>>>()?;
    Ok(Some(told.join("；")).filter(|told| !told.is_empty()))
}

/// Whether what stands open of money that went back of a payment is just this.
pub fn says(conn: &Connection, transaction_id: &str, what: &str) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from money_exceptions
          where kind = 'amount_mismatch' and subject = ?1 and state = 'open' and what = ?2",
    )?
    .exists([&gone_back(transaction_id), what])
}

/// Since when somebody is to look what went back of a payment.
pub fn gone_back_since(conn: &Connection, transaction_id: &str) -> Result<Option<i64>> {
    conn.prepare_cached(
        "select max(opened_at) from money_exceptions
          where kind = 'amount_mismatch' and subject in (?1, ?2) and state = 'open'",
    )?
    .query_row([gone_back(transaction_id), forgotten(transaction_id)], |row| row.get(0))
}

/// Until when what was told of money that went back of a payment has its answer: somebody has looked, or it was learnt.
pub fn gone_back_settled_at(conn: &Connection, transaction_id: &str) -> Result<Option<i64>> {
    conn.prepare_cached(
        "select coalesce(resolved_at, looked_at) from money_exceptions where kind = 'amount_mismatch' and subject = ?1",
    )?
    .query_row([gone_back(transaction_id)], |row| row.get(0))
    .optional()
    .map(Option::flatten)
}

/// What went back of a payment is known now.
pub fn resolve_gone_back(tx: &Tx, transaction_id: &str, resolution: &str) -> Result<()> {
    resolve_gone_back_until(tx, transaction_id, resolution, i64::MAX)
}

/// The same of what was open before this moment.
pub fn resolve_gone_back_until(tx: &Tx, transaction_id: &str, resolution: &str, until: i64) -> Result<()> {
    tx.prepare_cached(
        "update money_exceptions set state = 'resolved', resolution = ?2, resolved_at = ?3
          where kind = 'amount_mismatch' and subject = ?1 and state = 'open' and opened_at < ?4",
    )?
    .execute(params![gone_back(transaction_id), resolution, tx.now(), until])?;
    Ok(())
}

/// Whether money beside orders was reported in these words' subject before, as whatever.
pub fn was_reported(conn: &Connection, subject: &str) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from money_exceptions
          where kind in ('duplicate_payment', 'amount_mismatch', 'orphan_payment') and subject = ?1",
    )?
    .exists([subject])
}

/// The one that waits for WeChat's word of a transaction.
pub fn unproven_of(conn: &Connection, transaction_id: &str) -> Result<Option<ExceptionId>> {
    conn.prepare_cached("select id from money_exceptions where kind = 'orphan_payment' and subject = ?1")?
        .query_row([unproven(transaction_id)], |row| row.get(0))
        .optional()
}

/// WeChat was asked for a payment, and this is what came of it: no money yet, whatever is open about it. It stands with the money also where
/// somebody has settled all of that.
pub fn answer_unproven(tx: &Tx, transaction_id: &str, answer: &str) -> Result<()> {
    tx.prepare_cached(
        "update money_exceptions as e set ours = ?2
          where transaction_id = ?1 and kind in ('duplicate_payment', 'amount_mismatch', 'orphan_payment')
            and (state = 'open'
                 or not exists (select 1 from money_exceptions o
                                 where o.transaction_id = ?1 and o.state = 'open'
                                   and o.kind in ('duplicate_payment', 'amount_mismatch', 'orphan_payment')))",
    )?
    .execute(params![transaction_id, answer])?;
    Ok(())
}

/// What WeChat said the last time that it was asked for a payment of which only somebody with the key of API v2 has told, and
/// that it did not confirm.
pub fn denied(conn: &Connection, transaction_id: &str) -> Result<Option<String>> {
    conn.prepare_cached(
        "select ours from money_exceptions
          where kind in ('duplicate_payment', 'amount_mismatch', 'orphan_payment')
            and subject >= ?1 || ' ' and subject < ?1 || '!' and transaction_id = ?1 and ours <> ''
          order by state = 'resolved', id desc limit 1",
    )?
    .query_row([transaction_id], |row| row.get(0))
    .optional()
}

/// How one ends whose number another open one tells of already: WeChat has denied both.
const GATHERED: &str = "微信说没有：和同一个商户订单号的另一条合并";
/// What that one says of all such.
const MORE: &str = "；用这个商户订单号报来、微信也说没有的还有 ";

/// Of one that WeChat has denied: the first open item of what was told before it under the same number, what that says, and whether it was
/// denied in the same words.
pub fn told_before(conn: &Connection, id: ExceptionId) -> Result<Option<(ExceptionId, String, bool)>> {
    conn.prepare_cached(
        "select f.id, f.what, f.ours = e.ours from money_exceptions e
           join money_exceptions f on f.out_trade_no = e.out_trade_no and f.id < e.id and f.state = 'open'
            and f.kind = 'orphan_payment' and f.subject = f.transaction_id || ' unproven'
          where e.id = ?1 and e.state = 'open' and e.kind = 'orphan_payment' and e.subject = e.transaction_id || ' unproven'
            and e.ours <> '' and e.out_trade_no <> ''
          order by f.id limit 1",
    )?
    .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    .optional()
}

/// Both are one item from now on.
pub fn gather_denied(tx: &Tx, id: ExceptionId) -> Result<()> {
    let Some((first, what, true)) = told_before(tx, id)? else { return Ok(()) };
    tx.prepare_cached(
        "update money_exceptions set state = 'resolved', resolution = ?2, resolved_at = ?3 where id = ?1 and state = 'open'",
    )?
    .execute(params![id, GATHERED, tx.now()])?;
    let (told, more) = what.split_once(MORE).unwrap_or((&what, ""));
    let more = more.split(' ').next().and_then(|more| more.parse::<i64>().ok()).unwrap_or_default() + 1;
    let what = format!("{told}{MORE}{more} 笔，每一笔都在交易流水里");
    tx.prepare_cached("update money_exceptions set what = ?2 where id = ?1")?.execute(params![first, what])?;
    Ok(())
}

/// The open item that a refund is to settle.
pub fn of_refund(conn: &Connection, refund: RefundId) -> Result<Option<Exception>> {
    let id: Option<ExceptionId> = conn
        .prepare_cached(&format!(
            "select min(id) from money_exceptions where refund_id = ?1 and state = 'open' and kind in ({OF_MONEY})"
        ))?
        .query_row([refund], |row| row.get(0))?;
    Ok(id.map(|id| by_id(conn, id)).transpose()?.flatten())
}

/// Under which number the money was told of that this refund gives back.
pub fn told_number_of(conn: &Connection, refund: RefundId) -> Result<Option<String>> {
    conn.prepare_cached(
        "select out_trade_no from money_exceptions
          where refund_id = ?1 and kind in ('duplicate_payment', 'amount_mismatch', 'orphan_payment') and out_trade_no <> ''",
    )?
    .query_row([refund], |row| row.get(0))
    .optional()
}

/// Whether an order is said to have been paid twice, and nobody has decided about that yet.
pub fn is_paid_twice(conn: &Connection, order: OrderId) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from money_exceptions where order_id = ?1 and kind = 'duplicate_payment' and state = 'open'",
    )?
    .exists([order])
}

/// Whether this refund gives back what is called an order's second payment.
pub fn is_of_a_second(conn: &Connection, refund: RefundId) -> Result<bool> {
    conn.prepare_cached("select 1 from money_exceptions where refund_id = ?1 and kind = 'duplicate_payment'")?
        .exists([refund])
}

/// The open item that calls a payment an order's second one, with the refund that was to settle it.
pub fn second_payment(conn: &Connection, subject: &str) -> Result<Option<(ExceptionId, Option<RefundId>)>> {
    conn.prepare_cached(
        "select id, refund_id from money_exceptions where kind = 'duplicate_payment' and subject = ?1 and state = 'open'",
    )?
    .query_row([subject], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

/// Open items about a payment under another number than WeChat itself has for it, with the refunds that were to settle them.
pub fn told_falsely(
    conn: &Connection,
    transaction_id: &str,
    out_trade_no: &str,
) -> Result<Vec<(ExceptionId, Option<RefundId>)>> {
    let mut rows = conn.prepare_cached(
        "select id, refund_id from money_exceptions
          where kind in ('duplicate_payment', 'amount_mismatch', 'orphan_payment') and subject >= ?1 || ' ' and subject < ?1 || '!'
            and transaction_id = ?1 and state = 'open' and out_trade_no not in ('', ?2)
            and subject = transaction_id || ' ' || out_trade_no",
    )?;
    rows.query_map([transaction_id, out_trade_no], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The money is entered: WeChat has spoken of it, or a shop by API v2 was told again.
pub fn resolve_unproven(tx: &Tx, transaction_id: &str, what_became: &str) -> Result<()> {
    tx.prepare_cached(
        "update money_exceptions set state = 'resolved', resolution = ?2, resolved_at = ?3
          where kind = 'orphan_payment' and subject = ?1 and state = 'open'",
    )?
    .execute(params![unproven(transaction_id), what_became, tx.now()])?;
    Ok(())
}

/// A difference that the bill still shows: as it stands now, and open again if only a later match had settled it.
pub fn still_differs(tx: &Tx, new: &NewException<'_>) -> Result<()> {
    tx.prepare_cached(
        "update money_exceptions
            set state = 'open', resolved_at = null, resolution = null, what = ?3, ours = ?4, theirs = ?5
          where kind = ?1 and subject = ?2 and (state = 'open' or resolution = ?6)",
    )?
    .execute(params![new.kind, new.subject, new.what, new.ours, new.theirs, MATCHED_AGAIN])?;
    Ok(())
}

/// Items, with whether an order stands on the payment, who has told of it, and how far asking for it has come.
macro_rules! items {
    ($where:literal) => {
        concat!(
            "select e.*, o.order_no,
                    exists (select 1 from ledger l where l.kind in ('payment', 'link')
                               and l.wechat_id = e.transaction_id and l.order_id is not null) as inside,
                    exists (select 1 from told_alone t where t.transaction_id = e.transaction_id) as told_alone,
                    w.run_at as asked_at, coalesce(w.last_error, s.last_error) as unheard
               from money_exceptions e left join orders o on o.id = e.order_id
               left join jobs w on w.kind = 'prove' and w.subject = e.id and w.state = 'waiting'
               left join jobs s on s.kind = 'prove' and s.subject = e.id and s.state = 'needs_person' ",
            $where
        )
    };
}

pub fn by_id(conn: &Connection, id: ExceptionId) -> Result<Option<Exception>> {
    conn.prepare_cached(items!("where e.id = ?1"))?.query_row([id], read).optional()
}

/// Open ones about money that WeChat is to be asked for.
pub fn to_prove(conn: &Connection, look: Look) -> Result<Vec<ExceptionId>> {
    let mut rows = conn.prepare_cached(items!(
        "where e.state = 'open' and e.kind in ('duplicate_payment', 'amount_mismatch', 'orphan_payment')"
    ))?;
    let found = rows.query_map([], read)?.collect::<Result<Vec<_>>>()?;
    Ok(unproven_ones(found, look))
}

/// The same of one payment.
pub fn to_prove_of(conn: &Connection, transaction_id: &str, look: Look) -> Result<Vec<ExceptionId>> {
    let mut rows = conn.prepare_cached(items!(
        "where e.kind in ('duplicate_payment', 'amount_mismatch', 'orphan_payment')
           and e.subject >= ?1 || ' ' and e.subject < ?1 || '!' and e.transaction_id = ?1 and e.state = 'open'"
    ))?;
    let found = rows.query_map([transaction_id], read)?.collect::<Result<Vec<_>>>()?;
    Ok(unproven_ones(found, look))
}

fn unproven_ones(found: Vec<Exception>, look: Look) -> Vec<ExceptionId> {
    found.iter().filter(|exception| exception.is_unproven(look)).map(|exception| exception.id).collect()
}

/// The inbox: open ones first, newest first.
pub fn inbox(conn: &Connection, limit: i64) -> Result<Vec<Exception>> {
    let mut rows = conn.prepare_cached(items!("order by e.state = 'resolved', e.id desc limit ?1"))?;
    rows.query_map([limit], read)?.collect()
}

pub fn of_order(conn: &Connection, order: OrderId) -> Result<Vec<Exception>> {
    let mut rows = conn.prepare_cached(items!("where e.order_id = ?1 order by e.id"))?;
    rows.query_map([order], read)?.collect()
}

/// A bill's differences, open ones first.
pub fn of_day(conn: &Connection, day: Day) -> Result<Vec<Exception>> {
    let mut rows = conn.prepare_cached(items!("where e.day = ?1 order by e.state = 'resolved', e.id"))?;
    rows.query_map([day], read)?.collect()
}

/// The same of several days, the earliest first.
pub fn of_days(conn: &Connection, first: Day, last: Day) -> Result<Vec<Exception>> {
    let mut rows = conn
        .prepare_cached(items!("where e.day between ?1 and ?2 and e.kind = 'bill_difference' order by e.day, e.id"))?;
    rows.query_map([first, last], read)?.collect()
}

fn read(row: &Row<'_>) -> Result<Exception> {
    let unheard: Option<String> = row.get("unheard")?;
    let at = row.get("asked_at")?;
    Ok(Exception {
        told_alone: row.get("told_alone")?,
        asking: unheard.map(|why| Asking { at, why }),
        id: row.get("id")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        open: row.get::<_, String>("state")? == "open",
        order_id: row.get("order_id")?,
        order_no: row.get("order_no")?,
        refund_id: row.get("refund_id")?,
        out_trade_no: row.get("out_trade_no")?,
        transaction_id: row.get("transaction_id")?,
        amount_fen: row.get("amount_fen")?,
        fee_type: row.get("fee_type")?,
        inside: row.get("inside")?,
        what: row.get("what")?,
        day: row.get("day")?,
        difference: row.get("difference")?,
        ours: row.get("ours")?,
        theirs: row.get("theirs")?,
        opened_at: row.get("opened_at")?,
        resolved_at: row.get("resolved_at")?,
        resolution: row.get("resolution")?,
    })
}

/// Which of them a person must decide about, as every count and list asks for them; of the others the shop is only told.
pub const TO_DECIDE: &str = "state = 'open' and kind not in ('payer_mismatch', 'console_refund')";

pub fn count_to_decide(conn: &Connection) -> Result<i64> {
    conn.prepare_cached(&format!("select count(*) from money_exceptions where {TO_DECIDE}"))?
        .query_row([], |row| row.get(0))
}

/// Of these, the ones that belong to no order.
pub fn count_without_order(conn: &Connection) -> Result<i64> {
    conn.prepare_cached(&format!("select count(*) from money_exceptions where order_id is null and {TO_DECIDE}"))?
        .query_row([], |row| row.get(0))
}

pub fn count_open_of_day(conn: &Connection, day: Day) -> Result<i64> {
    conn.prepare_cached("select count(*) from money_exceptions where day = ?1 and state = 'open'")?
        .query_row([day], |row| row.get(0))
}

/// Settles one that is open. Errors: it is not.
pub fn resolve(tx: &Tx, id: ExceptionId, resolution: &str) -> Result<(), DbError> {
    let changed = tx
        .prepare_cached(
            "update money_exceptions set state = 'resolved', resolution = ?2, resolved_at = ?3
              where id = ?1 and state = 'open'",
        )?
        .execute(params![id, resolution, tx.now()])?;
    DbError::unless(changed == 1, "an exception that is to be settled is not open")
}

/// The refund that settles it; it is shown and counted until that has succeeded.
pub fn set_refund(tx: &Tx, id: ExceptionId, refund: RefundId) -> Result<()> {
    tx.prepare_cached("update money_exceptions set refund_id = ?2 where id = ?1")?.execute(params![id, refund])?;
    Ok(())
}

/// The kinds of money that somebody decides about, and that is settled once it went back.
const OF_MONEY: &str = "'late_payment', 'duplicate_payment', 'amount_mismatch', 'orphan_payment'";

/// The money is on its way back, or has gone: whatever waited for that is settled.
pub fn resolve_by_refund(tx: &Tx, refund: RefundId, resolution: &str) -> Result<()> {
    tx.prepare_cached(&format!(
        "update money_exceptions set state = 'resolved', resolution = ?2, resolved_at = ?3
          where refund_id = ?1 and state = 'open' and kind in ({OF_MONEY})"
    ))?
    .execute(params![refund, resolution, tx.now()])?;
    Ok(())
}

/// All of the payment went back in another way, so there is nothing left of it to decide about. An item whose own refund is
/// on its way ends with that; what is about a refund that fits no payment, or came twice, stays.
pub fn resolve_returned(tx: &Tx, transaction_id: &str, resolution: &str) -> Result<()> {
    tx.prepare_cached(&format!(
        "update money_exceptions as e set state = 'resolved', resolution = ?2, resolved_at = ?3
          where transaction_id = ?1 and state = 'open' and kind in ({OF_MONEY})
            and subject not like '% more than paid' and subject not like '% twice' and subject not like '% bounced'
            and not exists (select 1 from refunds r where r.id = e.refund_id and r.state not in ('cancelled', 'rejected'))"
    ))?
    .execute(params![transaction_id, resolution, tx.now()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exceptions::Kind;

    #[test]
    fn nobody_has_to_decide_about_what_is_only_told() {
        for kind in Kind::ALL {
            assert_eq!(TO_DECIDE.contains(&format!("'{}'", kind.word())), kind.is_only_told(), "{}", kind.word());
        }
    }
}
