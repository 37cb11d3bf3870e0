//! SQL of refunds.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{FullRefund, Origin, Refund, RefundLine, RefundState};
use crate::db::Tx;
use crate::ids::{BuyerId, OrderId, OutRefundNo, ProductId, RefundId};
use crate::money::Fen;
use crate::photos::{With, store as photos};

// ── reading ──

pub fn by_id(conn: &Connection, id: RefundId) -> Result<Option<Refund>> {
    conn.prepare_cached("select * from refunds where id = ?1")?.query_row([id], read).optional()
}

pub fn by_no(conn: &Connection, out_refund_no: &str) -> Result<Option<Refund>> {
    conn.prepare_cached("select * from refunds where out_refund_no = ?1")?.query_row([out_refund_no], read).optional()
}

/// The refund that WeChat means by a number, told of this payment. A number is given once per merchant number alone: what was made
/// elsewhere for another payment is another refund.
pub fn meant(conn: &Connection, transaction_id: &str, number: &str) -> Result<Option<Refund>> {
    let of_payment = conn
        .prepare_cached("select * from refunds where transaction_id = ?1 and (out_refund_no = ?2 or asked_as = ?2)")?
        .query_row([transaction_id, number], read)
        .optional()?;
    match of_payment {
        Some(refund) => Ok(Some(refund)),
        None => Ok(by_no(conn, number)?.filter(|refund| refund.origin != Origin::Console)),
    }
}

/// By WeChat's own number.
pub fn by_refund_id(conn: &Connection, refund_id: &str) -> Result<Option<Refund>> {
    conn.prepare_cached("select * from refunds where refund_id = ?1")?.query_row([refund_id], read).optional()
}

/// All refunds of an order with their lines, the first one first.
pub fn of_order(conn: &Connection, order: OrderId) -> Result<Vec<FullRefund>> {
    let mut rows = conn.prepare_cached("select * from refunds where order_id = ?1 order by id")?;
    rows.query_map([order], read)?.map(|refund| full(conn, refund?)).collect()
}

/// The same of some orders, whose numbers are a JSON array.
pub fn of_orders(conn: &Connection, orders: &str) -> Result<Vec<(OrderId, FullRefund)>> {
    let mut rows =
        conn.prepare_cached("select r.* from json_each(?1) w join refunds r on r.order_id = w.value order by r.id")?;
    let rows = rows.query_map([orders], |row| Ok((row.get("order_id")?, read(row)?)))?;
    rows.map(|row| row.and_then(|(order, refund)| Ok((order, full(conn, refund)?)))).collect()
}

/// Whether one of this order has not come to its end.
pub fn any_open(conn: &Connection, order: OrderId) -> Result<bool> {
    conn.prepare_cached("select 1 from refunds where order_id = ?1 and ended_at is null")?.exists([order])
}

/// All refunds of a payment.
pub fn of_transaction(conn: &Connection, transaction_id: &str) -> Result<Vec<Refund>> {
    let mut rows = conn.prepare_cached("select * from refunds where transaction_id = ?1 order by id")?;
    rows.query_map([transaction_id], read)?.collect()
}

/// Those that failed for this reason.
pub fn failed_by(conn: &Connection, problem_code: &str) -> Result<Vec<RefundId>> {
    conn.prepare_cached("select id from refunds where state = 'failed' and problem_code = ?1 order by id")?
        .query_map([problem_code], |row| row.get(0))?
        .collect()
}

pub fn full(conn: &Connection, refund: Refund) -> Result<FullRefund> {
    let mut rows = conn.prepare_cached(
        "select line_id, quantity, amount_fen, restock, came_as from refund_lines where refund_id = ?1 order by line_id",
    )?;
    let lines = rows
        .query_map([refund.id], |row| {
            Ok(RefundLine {
                line_id: row.get("line_id")?,
                quantity: row.get("quantity")?,
                amount: row.get("amount_fen")?,
                restock: row.get("restock")?,
                came_as: row.get("came_as")?,
            })
        })?
        .collect::<Result<_>>()?;
    let photos = photos::of(conn, With::Refund(refund.id))?;
    Ok(FullRefund { refund, lines, photos })
}

fn read(row: &Row<'_>) -> Result<Refund> {
    Ok(Refund {
        id: row.get("id")?,
        out_refund_no: row.get("out_refund_no")?,
        order_id: row.get("order_id")?,
        inside: row.get("inside")?,
        transaction_id: row.get("transaction_id")?,
        payment: row.get("payment_fen")?,
        origin: row.get("origin")?,
        state: row.get("state")?,
        amount: row.get("amount_fen")?,
        freight: row.get("freight_fen")?,
        reason: row.get("reason")?,
        description: row.get("description")?,
        requested_by: row.get("requested_by")?,
        decided_by: row.get("decided_by")?,
        answer: row.get("answer")?,
        not_before: row.get("not_before")?,
        params: row.get("params")?,
        tries: row.get("tries")?,
        sent_at: row.get("sent_at")?,
        accepted_at: row.get("accepted_at")?,
        refund_id: row.get("refund_id")?,
        asked_as: row.get("asked_as")?,
        account: row.get("account")?,
        problem_code: row.get("problem_code")?,
        problem: row.get("problem")?,
        created_at: row.get("created_at")?,
        ended_at: row.get("ended_at")?,
    })
}

/// The counted tabs, kept by triggers.
pub fn counts(conn: &Connection) -> Result<Vec<(RefundState, i64)>> {
    let mut rows = conn.prepare_cached("select state, n from refund_counts")?;
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Refunds in one of these states, the newest or the oldest first; from behind the row `last` on, if given.
pub fn page(
    conn: &Connection,
    states: &[RefundState],
    last: Option<i64>,
    oldest_first: bool,
    limit: i64,
) -> Result<Vec<Refund>> {
    let (behind, way) = if oldest_first { (">", "") } else { ("<", "desc") };
    let mut rows = conn.prepare_cached(&format!(
        "select * from refunds
          where state in (select value from json_each(?1)) and (?2 is null or id {behind} ?2)
          order by id {way} limit ?3"
    ))?;
    rows.query_map(params![words(states), last, limit], read)?.collect()
}

/// When the refund that has waited longest in this state was asked for.
pub fn oldest(conn: &Connection, state: RefundState) -> Result<Option<i64>> {
    conn.prepare_cached("select created_at from refunds where state = ?1 order by id limit 1")?
        .query_row([state], |row| row.get(0))
        .optional()
}

/// How many of a buyer's orders have a refund that has not come to its end.
pub fn open_of_buyer(conn: &Connection, buyer: BuyerId) -> Result<i64> {
    conn.prepare_cached(
        "select count(distinct o.id) from orders o join refunds r on r.order_id = o.id
          where o.buyer_id = ?1 and r.ended_at is null",
    )?
    .query_row([buyer], |row| row.get(0))
}

/// When another refund of this payment was last sent: WeChat wants a minute between two.
pub fn last_other_sent(conn: &Connection, transaction_id: &str, this: RefundId) -> Result<Option<i64>> {
    conn.prepare_cached("select max(sent_at) from refunds where transaction_id = ?1 and id <> ?2")?
        .query_row(params![transaction_id, this], |row| row.get(0))
}

fn words(states: &[RefundState]) -> String {
    serde_json::to_string(states).unwrap_or_default()
}

// ── writing ──

/// A refund that is being written down. Its number is final.
#[derive(Clone, Debug)]
pub struct NewRefund {
    pub out_refund_no: OutRefundNo,
    pub order_id: Option<OrderId>,
    pub inside: bool,
    pub transaction_id: Option<String>,
    pub payment: Fen,
    pub origin: Origin,
    pub state: RefundState,
    pub amount: Fen,
    pub freight: Fen,
    pub reason: String,
    pub description: String,
    pub requested_by: String,
    pub not_before: i64,
    /// As in [`Refund`].
    pub asked_as: Option<String>,
}

pub fn insert(tx: &Tx, new: &NewRefund, lines: &[RefundLine]) -> Result<RefundId> {
    tx.prepare_cached(
        "insert into refunds (out_refund_no, order_id, inside, transaction_id, payment_fen, origin, state, amount_fen,
                              freight_fen, reason, description, requested_by, not_before, created_at, asked_as)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        new.out_refund_no,
        new.order_id,
        new.inside,
        new.transaction_id,
        new.payment,
        new.origin,
        new.state,
        new.amount,
        new.freight,
        new.reason,
        new.description,
        new.requested_by,
        new.not_before,
        tx.now(),
        new.asked_as
    ])?;
    let id = RefundId(tx.last_insert_rowid());
    put_lines(tx, id, lines)?;
    Ok(id)
}

pub fn put_lines(tx: &Tx, id: RefundId, lines: &[RefundLine]) -> Result<()> {
    tx.prepare_cached("delete from refund_lines where refund_id = ?1")?.execute([id])?;
    for line in lines {
        tx.prepare_cached(
            "insert into refund_lines (refund_id, line_id, quantity, amount_fen, restock, came_as)
             values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![id, line.line_id, line.quantity, line.amount, line.restock, line.came_as])?;
    }
    Ok(())
}

/// How many refunds an order has, of whatever state: the next one's number is one higher.
pub fn count_of_order(conn: &Connection, order: OrderId) -> Result<i64> {
    conn.prepare_cached("select count(*) from refunds where order_id = ?1 and origin <> 'console'")?
        .query_row([order], |row| row.get(0))
}

/// What staff decided to give back, instead of what was asked for. The number stays.
pub fn set_content(tx: &Tx, id: RefundId, amount: Fen, freight: Fen, lines: &[RefundLine]) -> Result<()> {
    tx.prepare_cached("update refunds set amount_fen = ?2, freight_fen = ?3 where id = ?1 and state = 'requested'")?
        .execute(params![id, amount, freight])?;
    put_lines(tx, id, lines)
}

/// WeChat knows this number as another refund's; this one never went out under it.
pub fn set_number(tx: &Tx, id: RefundId, number: &OutRefundNo) -> Result<()> {
    tx.prepare_cached("update refunds set out_refund_no = ?2 where id = ?1 and (tries = 0 or state = 'cancelled')")?
        .execute(params![id, number])?;
    Ok(())
}

/// The other refunds of the payment that it returns.
pub fn others(conn: &Connection, refund: &Refund) -> Result<Vec<Refund>> {
    let Some(transaction_id) = &refund.transaction_id else { return Ok(Vec::new()) };
    let mut others = of_transaction(conn, transaction_id)?;
    others.retain(|other| other.id != refund.id);
    Ok(others)
}

/// Its money stands beside the order's own from now on, and so names none of its goods.
pub fn set_beside(tx: &Tx, id: RefundId) -> Result<()> {
    tx.prepare_cached("update refunds set inside = 0 where id = ?1")?.execute([id])?;
    put_lines(tx, id, &[])
}

/// The guarded move; false when the refund stands elsewhere by now.
pub fn set_state(tx: &Tx, id: RefundId, from: RefundState, to: RefundState) -> Result<bool> {
    debug_assert!(from.leads_to(to), "{from:?} does not lead to {to:?}");
    let ended = (!to.is_open()).then_some(tx.now());
    let changed = tx
        .prepare_cached("update refunds set state = ?3, ended_at = ?4 where id = ?1 and state = ?2")?
        .execute(params![id, from, to, ended])?;
    Ok(changed == 1)
}

pub fn set_decision(tx: &Tx, id: RefundId, decided_by: &str, answer: &str) -> Result<()> {
    tx.prepare_cached("update refunds set decided_by = ?2, answer = ?3 where id = ?1")?
        .execute(params![id, decided_by, answer])?;
    Ok(())
}

pub fn set_not_before(tx: &Tx, id: RefundId, moment: i64) -> Result<()> {
    tx.prepare_cached("update refunds set not_before = ?2 where id = ?1")?.execute(params![id, moment])?;
    Ok(())
}

/// What a clock that ran ahead dated: it was there by now at the latest, and was sent or looked at before this moment.
pub fn pull_in(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached("update refunds set created_at = ?1 where created_at > ?1")?.execute([tx.now()])?;
    tx.prepare_cached("update billed_refunds set told_at = ?1 where told_at > ?1")?.execute([tx.now()])?;
    tx.prepare_cached("update refunds set sent_at = ?2 where sent_at > ?1")?.execute([tx.now(), before])?;
    // One that waits to go out waits for no longer than any does, whatever is written here.
    tx.prepare_cached(
        "update refunds set not_before = ?2 where not_before > ?1 and (state <> 'approved' or problem_code <> '')",
    )?
    .execute([tx.now(), before])?;
    Ok(())
}

/// A bill names a refund that nobody here knows of. When it did first is when it told.
pub fn put_billed(tx: &Tx, transaction_id: &str, refund_id: &str, number: &OutRefundNo) -> Result<()> {
    tx.prepare_cached(
        "insert into billed_refunds (refund_id, out_refund_no, transaction_id, told_at) values (?1, ?2, ?3, ?4)
         on conflict do nothing",
    )?
    .execute(params![refund_id, number.as_str(), transaction_id, tx.now()])?;
    Ok(())
}

/// The refunds of a payment that bills have named, of any day, and that are not known by now: under which number, and when.
pub fn billed_unknown(conn: &Connection, transaction_id: &str) -> Result<Vec<(OutRefundNo, i64)>> {
    conn.prepare_cached(
        "select out_refund_no, told_at from billed_refunds b
          where transaction_id = ?1 and not exists (select 1 from refunds r where r.refund_id = b.refund_id)",
    )?
    .query_map([transaction_id], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// Written before WeChat is called: from here on it may know the refund.
pub fn set_sent(tx: &Tx, id: RefundId, params: &str) -> Result<()> {
    tx.prepare_cached(
        "update refunds set params = coalesce(params, ?2), sent_at = ?3, tries = tries + 1, problem_code = '', problem = ''
          where id = ?1",
    )?
    .execute(params![id, params, tx.now()])?;
    Ok(())
}

/// It is to be sent otherwise than before, under the same number: WeChat refused what was sent.
pub fn set_params(tx: &Tx, id: RefundId, params: &str) -> Result<()> {
    tx.prepare_cached("update refunds set params = ?2 where id = ?1")?.execute(params![id, params])?;
    Ok(())
}

/// WeChat has it under this number.
pub fn set_accepted(tx: &Tx, id: RefundId, refund_id: &str, at: i64) -> Result<()> {
    tx.prepare_cached(
        "update refunds
            set refund_id = ?2, accepted_at = coalesce(accepted_at, ?3), problem_code = '', problem = ''
          where id = ?1",
    )?
    .execute(params![id, refund_id, at])?;
    Ok(())
}

/// What WeChat knows under this number is another refund.
pub fn give_up_refund_id(tx: &Tx, id: RefundId) -> Result<()> {
    tx.prepare_cached("update refunds set refund_id = null where id = ?1")?.execute([id])?;
    Ok(())
}

/// Where the money went, in WeChat's words.
pub fn set_account(tx: &Tx, id: RefundId, account: &str) -> Result<()> {
    tx.prepare_cached("update refunds set account = ?2 where id = ?1")?.execute(params![id, account])?;
    Ok(())
}

pub fn set_problem(tx: &Tx, id: RefundId, code: &str, problem: &str) -> Result<()> {
    tx.prepare_cached("update refunds set problem_code = ?2, problem = ?3 where id = ?1")?
        .execute(params![id, code, problem])?;
    Ok(())
}

// ── why money went back ──

const LATELY: &str = "select id, reason, amount_fen from refunds where state = 'succeeded' and created_at >= ?1 order by id desc limit ?2";

/// Why money was given back since then, of up to `most` refunds: the reason, how many, how much in fen; most first.
pub fn reasons(conn: &Connection, since: i64, most: i64) -> Result<Vec<(String, i64, i64)>> {
    let sql = format!("select reason, count(*) as n, sum(amount_fen) from ({LATELY}) group by 1 order by n desc, 1");
    let mut rows = conn.prepare_cached(&sql)?;
    rows.query_map([since, most], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// How often a product was part of a refund for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    pub product: ProductId,
    pub name: String,
    pub reason: String,
    pub refunds: i64,
}

/// The same by product and reason.
pub fn returned(conn: &Connection, since: i64, most: i64) -> Result<Vec<Returned>> {
    let sql = format!(
        "select o.product_id, max(o.name) as name, r.reason, count(distinct r.id) as n
           from ({LATELY}) r join refund_lines l on l.refund_id = r.id join order_lines o on o.id = l.line_id
          group by 1, 3 order by n desc, 1, 3"
    );
    let mut rows = conn.prepare_cached(&sql)?;
    rows.query_map([since, most], |row| {
        Ok(Returned {
            product: row.get("product_id")?,
            name: row.get("name")?,
            reason: row.get("reason")?,
            refunds: row.get("n")?,
        })
    })?
    .collect()
}
