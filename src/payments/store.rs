//! SQL of attempts, ledger and money exceptions.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Attempt, AttemptState};
use crate::db::Tx;
use crate::ids::{AttemptId, ExceptionId, OrderId, OrderNo, OutTradeNo};
use crate::money::Fen;
use crate::wechat::Payment;
use crate::wechat::pay::UnifiedOrder;

// ── attempts ──

pub fn insert_attempt(tx: &Tx, order: OrderId, n: i64, params: &UnifiedOrder, now: i64) -> Result<AttemptId> {
    let json = serde_json::to_string(params).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    tx.prepare_cached(
        "insert into attempts (order_id, n, out_trade_no, state, total_fen, app_id, mch_id, openid, params, created_at)
         values (?1, ?2, ?3, 'created', ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        order,
        n,
        params.out_trade_no,
        params.total_fee,
        params.appid,
        params.mch_id,
        params.openid,
        json,
        now
    ])?;
    Ok(AttemptId(tx.last_insert_rowid()))
}

pub fn attempt(conn: &Connection, id: AttemptId) -> Result<Option<Attempt>> {
    conn.prepare_cached("select * from attempts where id = ?1")?.query_row([id], read_attempt).optional()
}

pub fn attempt_numbered(conn: &Connection, number: &OutTradeNo) -> Result<Option<Attempt>> {
    conn.prepare_cached("select * from attempts where out_trade_no = ?1")?.query_row([number], read_attempt).optional()
}

/// All attempts of an order, the first one first.
pub fn attempts(conn: &Connection, order: OrderId) -> Result<Vec<Attempt>> {
    let mut rows = conn.prepare_cached("select * from attempts where order_id = ?1 order by n")?;
    rows.query_map([order], read_attempt)?.collect()
}

fn read_attempt(row: &Row<'_>) -> Result<Attempt> {
    let broken = |what: String| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, what.into());
    let params: String = row.get("params")?;
    Ok(Attempt {
        id: row.get("id")?,
        order_id: row.get("order_id")?,
        n: row.get("n")?,
        out_trade_no: row.get("out_trade_no")?,
        state: row.get("state")?,
        total: row.get("total_fen")?,
        openid: row.get("openid")?,
        params: serde_json::from_str(&params).map_err(|e| broken(e.to_string()))?,
        prepay_id: row.get("prepay_id")?,
        prepaid_at: row.get("prepaid_at")?,
        transaction_id: row.get("transaction_id")?,
        paid_at: row.get("paid_at")?,
        queried_at: row.get("queried_at")?,
        created_at: row.get("created_at")?,
    })
}

/// The guarded move; false when the attempt stands elsewhere by now.
pub fn set_state(tx: &Tx, id: AttemptId, from: &[AttemptState], to: AttemptState) -> Result<bool> {
    let from: Vec<&str> = from.iter().map(|s| s.word()).collect();
    let from = serde_json::to_string(&from).unwrap_or_default();
    let changed = tx
        .prepare_cached("update attempts set state = ?3 where id = ?1 and state in (select value from json_each(?2))")?
        .execute(params![id, from, to])?;
    Ok(changed == 1)
}

/// False when the attempt is no longer alive: it was paid or is being closed.
pub fn set_prepaid(tx: &Tx, id: AttemptId, prepay_id: &str, now: i64) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update attempts set state = 'prepaid', prepay_id = ?2, prepaid_at = ?3
              where id = ?1 and state in ('created', 'prepaid')",
        )?
        .execute(params![id, prepay_id, now])?;
    Ok(changed == 1)
}

pub fn set_paid(tx: &Tx, id: AttemptId, transaction_id: &str, paid_at: i64) -> Result<()> {
    tx.prepare_cached("update attempts set state = 'paid', transaction_id = ?2, paid_at = ?3 where id = ?1")?
        .execute(params![id, transaction_id, paid_at])?;
    Ok(())
}

/// A simulated WeChat that starts anew knows no prepay_id of before: each is asked for again when it is needed.
pub fn forget_prepay_ids(tx: &Tx) -> Result<()> {
    tx.prepare_cached("update attempts set prepaid_at = 0 where state = 'prepaid'")?.execute([])?;
    Ok(())
}

/// Takes the turn to query; false when somebody did so since `since`.
pub fn take_query_turn(tx: &Tx, id: AttemptId, since: i64, now: i64) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update attempts set queried_at = ?3 where id = ?1 and (queried_at is null or queried_at <= ?2)",
        )?
        .execute(params![id, since, now])?;
    Ok(changed == 1)
}

// ── ledger ──

/// The attempt that this transaction was entered for, if it was; `Some(None)` for one that came for no attempt of ours.
pub fn entered_for(conn: &Connection, transaction_id: &str) -> Result<Option<Option<AttemptId>>> {
    conn.prepare_cached("select attempt_id from ledger where kind = 'payment' and wechat_id = ?1")?
        .query_row([transaction_id], |row| row.get(0))
        .optional()
}

/// False when this transaction stands in the ledger already.
pub fn enter_payment(
    tx: &Tx,
    payment: &Payment,
    order: Option<OrderId>,
    attempt: Option<AttemptId>,
    now: i64,
) -> Result<bool> {
    let inserted = tx
        .prepare_cached(
            "insert into ledger (kind, wechat_id, order_id, attempt_id, amount_fen, at)
             values ('payment', ?1, ?2, ?3, ?4, ?5) on conflict (kind, wechat_id) do nothing",
        )?
        .execute(params![payment.transaction_id, order, attempt, payment.total, now])?;
    Ok(inserted == 1)
}

// ── exceptions ──

#[derive(Clone, Debug)]
pub struct Exception {
    pub id: ExceptionId,
    pub kind: String,
    pub open: bool,
    pub order_no: Option<OrderNo>,
    pub out_trade_no: String,
    pub transaction_id: String,
    pub amount_fen: i64,
    pub what: String,
    pub opened_at: i64,
    pub resolved_at: Option<i64>,
    pub resolution: Option<String>,
}

/// Opens an exception, or finds that it was opened before; the same money is reported once.
pub fn open_exception(
    tx: &Tx,
    kind: &str,
    payment: &Payment,
    attempt: Option<&Attempt>,
    what: &str,
    now: i64,
) -> Result<bool> {
    let inserted = tx
        .prepare_cached(
            "insert into money_exceptions (kind, state, order_id, attempt_id, out_trade_no, transaction_id, amount_fen,
                                           what, opened_at)
             values (?1, 'open', ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             on conflict (kind, transaction_id, out_trade_no) do nothing",
        )?
        .execute(params![
            kind,
            attempt.map(|a| a.order_id),
            attempt.map(|a| a.id),
            payment.out_trade_no,
            payment.transaction_id,
            payment.total,
            what,
            now
        ])?;
    Ok(inserted == 1)
}

pub fn resolve_by_payment(tx: &Tx, kind: &str, transaction_id: &str, resolution: &str, now: i64) -> Result<()> {
    tx.prepare_cached(
        "update money_exceptions set state = 'resolved', resolution = ?3, resolved_at = ?4
          where kind = ?1 and transaction_id = ?2 and state = 'open'",
    )?
    .execute(params![kind, transaction_id, resolution, now])?;
    Ok(())
}

pub fn resolve(tx: &Tx, id: ExceptionId, resolution: &str, now: i64) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update money_exceptions set state = 'resolved', resolution = ?2, resolved_at = ?3
              where id = ?1 and state = 'open'",
        )?
        .execute(params![id, resolution, now])?;
    Ok(changed == 1)
}

/// The inbox: open ones first, newest first.
pub fn exceptions(conn: &Connection, limit: i64) -> Result<Vec<Exception>> {
    let mut rows = conn.prepare_cached(
        "select e.*, o.order_no from money_exceptions e left join orders o on o.id = e.order_id
          order by e.state = 'resolved', e.id desc limit ?1",
    )?;
    rows.query_map([limit], read_exception)?.collect()
}

pub fn exceptions_of(conn: &Connection, order: OrderId) -> Result<Vec<Exception>> {
    let mut rows = conn.prepare_cached(
        "select e.*, o.order_no from money_exceptions e join orders o on o.id = e.order_id
          where e.order_id = ?1 order by e.id",
    )?;
    rows.query_map([order], read_exception)?.collect()
}

fn read_exception(row: &Row<'_>) -> Result<Exception> {
    Ok(Exception {
        id: row.get("id")?,
        kind: row.get("kind")?,
        open: row.get::<_, String>("state")? == "open",
        order_no: row.get("order_no")?,
        out_trade_no: row.get("out_trade_no")?,
        transaction_id: row.get("transaction_id")?,
        amount_fen: row.get("amount_fen")?,
        what: row.get("what")?,
        opened_at: row.get("opened_at")?,
        resolved_at: row.get("resolved_at")?,
        resolution: row.get("resolution")?,
    })
}

pub fn open_exceptions(conn: &Connection) -> Result<i64> {
    conn.prepare_cached("select count(*) from money_exceptions where state = 'open'")?.query_row([], |row| row.get(0))
}

// ── today ──

/// Payments entered since `since`: how many, and their sum in fen.
pub fn takings(conn: &Connection, since: i64) -> Result<(i64, Fen)> {
    conn.prepare_cached(
        "select count(*), coalesce(sum(amount_fen), 0) from ledger where kind = 'payment' and at >= ?1",
    )?
    .query_row([since], |row| Ok((row.get(0)?, row.get(1)?)))
}

// ── invariants ──

/// Each rule with a query that counts the rows that break it.
pub const INVARIANTS: &[(&str, &str)] = &[
    ("库存不为负，占用不超过在库", "select count(*) from skus where reserved < 0 or on_hand < reserved"),
    (
        "库存等于库存流水之和",
        "select count(*) from skus s
          where on_hand <> (select coalesce(sum(on_hand_delta), 0) from stock_moves m where m.sku_id = s.id)
             or reserved <> (select coalesce(sum(reserved_delta), 0) from stock_moves m where m.sku_id = s.id)",
    ),
    (
        "占用等于未发货订单行之和",
        "select count(*) from skus s
          where reserved <> (select coalesce(sum(l.quantity - l.shipped_quantity), 0)
                               from order_lines l join orders o on o.id = l.order_id
                              where l.sku_id = s.id and o.holds_stock = 1)",
    ),
    (
        "发货、退款不超过购买数量",
        "select count(*) from order_lines where shipped_quantity > quantity or refunded_quantity > quantity",
    ),
    ("退款不超过实付", "select count(*) from orders where refunded_fen > paid_fen"),
    (
        "待发货、已发货、已完成的订单都已付足",
        "select count(*) from orders where status in ('to_ship', 'shipped', 'completed') and paid_fen < total_fen",
    ),
    (
        "已关闭且没有可付支付单的订单不占库存",
        "select count(*) from orders o
          where status = 'closed' and holds_stock = 1
            and not exists (select 1 from attempts a
                             where a.order_id = o.id and a.state in ('created', 'prepaid', 'closing'))",
    ),
    (
        "待付款、待发货的订单占着库存",
        "select count(*) from orders where status in ('pending_payment', 'to_ship') and holds_stock = 0",
    ),
    (
        "一笔微信交易只付一张支付单",
        "select count(*) from (select transaction_id from attempts where transaction_id is not null
                                group by transaction_id having count(*) > 1)",
    ),
    (
        "每单的资金流水之和等于实付减退款",
        "select count(*) from orders o
          where paid_fen - refunded_fen
                <> (select coalesce(sum(amount_fen), 0) from ledger l where l.order_id = o.id and l.kind <> 'fee')",
    ),
    (
        "每张已付支付单都在资金流水里",
        "select count(*) from attempts a
          where state = 'paid'
            and not exists (select 1 from ledger l where l.kind = 'payment' and l.wechat_id = a.transaction_id)",
    ),
    (
        "时间线与订单状态一致",
        "select count(*) from orders o
          where status is not (select to_status from order_events e
                                where e.order_id = o.id and to_status is not null order by id desc limit 1)",
    ),
    (
        "每次状态变化恰有一条时间线",
        "select count(*) from order_events e
          where to_status is not null
            and from_status is not (select to_status from order_events p
                                     where p.order_id = e.order_id and p.id < e.id and p.to_status is not null
                                     order by p.id desc limit 1)",
    ),
    (
        "订单计数与订单一致",
        "select count(*) from order_counts c where n <> (select count(*) from orders o where o.status = c.status)",
    ),
];
