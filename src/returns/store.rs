//! SQL of returns and of parcels that are sent once more.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{CameBack, FullReturn, Kind, Resend, Return, ReturnLine, ReturnState, Step};
use crate::db::{Named, Tx};
use crate::ids::{BuyerId, OrderId, RefundId, ResendId, ReturnId};
use crate::parcels::Parcel;
use crate::photos::{With, store as photos};

// ── reading ──

fn parcel(row: &Named<'_>) -> Result<Parcel> {
    Ok(Parcel {
        company: row.get("company")?,
        company_name: row.get("company_name")?,
        tracking_no: row.get("tracking_no")?,
    })
}

fn read(row: &Row<'_>) -> Result<Return> {
    let row = Named::of(row);
    Ok(Return {
        id: row.get("id")?,
        order_id: row.get("order_id")?,
        kind: row.get("kind")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        description: row.get("description")?,
        answer: row.get("answer")?,
        address: row.get("address")?,
        parcel: Some(parcel(&row)?).filter(|parcel| *parcel != Parcel::default()),
        refund: row.get("refund_id")?,
        due_at: row.get("due_at")?,
        overdue: row.get("overdue")?,
        created_at: row.get("created_at")?,
        ended_at: row.get("ended_at")?,
    })
}

pub fn by_id(conn: &Connection, id: ReturnId) -> Result<Option<Return>> {
    conn.prepare_cached("select * from returns where id = ?1")?.query_row([id], read).optional()
}

/// What a clock that ran ahead dated was asked for before this moment.
pub fn pull_in(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached("update returns set created_at = ?2 where created_at > ?1")?.execute([tx.now(), before])?;
    Ok(())
}

/// When the return was asked for whose goods this refund pays for, if it is for goods that came back.
pub fn asked_at(conn: &Connection, refund: RefundId) -> Result<Option<i64>> {
    conn.prepare_cached("select created_at from returns where refund_id = ?1")?
        .query_row([refund], |row| row.get(0))
        .optional()
}

/// All returns of an order, the first one first.
pub fn of_order(conn: &Connection, order: OrderId) -> Result<Vec<FullReturn>> {
    let mut rows = conn.prepare_cached("select * from returns where order_id = ?1 order by id")?;
    rows.query_map([order], read)?.map(|case| full(conn, case?)).collect()
}

/// Of some orders, whose numbers are a JSON array, the few from which something came back or was sent once more.
pub fn any_of(conn: &Connection, orders: &str) -> Result<Vec<OrderId>> {
    conn.prepare_cached(
        "select value from json_each(?1)
          where exists (select 1 from returns where order_id = value) or exists (select 1 from resends where order_id = value)",
    )?
    .query_map([orders], |row| row.get(0))?
    .collect()
}

/// Whether one of this order has not come to its end.
pub fn any_open(conn: &Connection, order: OrderId) -> Result<bool> {
    conn.prepare_cached("select 1 from returns where order_id = ?1 and ended_at is null")?.exists([order])
}

pub fn full(conn: &Connection, case: Return) -> Result<FullReturn> {
    let photos = photos::of(conn, With::Return(case.id))?;
    Ok(FullReturn { lines: lines(conn, case.id)?, photos, steps: steps(conn, case.id)?, case })
}

pub fn lines(conn: &Connection, id: ReturnId) -> Result<Vec<ReturnLine>> {
    let mut rows = conn.prepare_cached(
        "select line_id, quantity, sku_id, restocked from return_lines where return_id = ?1 order by line_id",
    )?;
    rows.query_map([id], |row| {
        Ok(ReturnLine {
            line_id: row.get("line_id")?,
            quantity: row.get("quantity")?,
            sku: row.get("sku_id")?,
            restocked: row.get("restocked")?,
        })
    })?
    .collect()
}

fn steps(conn: &Connection, id: ReturnId) -> Result<Vec<Step>> {
    let mut rows =
        conn.prepare_cached("select at, actor, state, note from return_steps where return_id = ?1 order by id")?;
    rows.query_map([id], |row| {
        Ok(Step { at: row.get("at")?, actor: row.get("actor")?, state: row.get("state")?, note: row.get("note")? })
    })?
    .collect()
}

/// The counted tabs, kept by triggers.
pub fn counts(conn: &Connection) -> Result<Vec<(ReturnState, i64)>> {
    let mut rows = conn.prepare_cached("select state, n from return_counts")?;
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// How many wait for somebody in the shop.
pub fn waiting_for_staff(conn: &Connection) -> Result<i64> {
    let counts = counts(conn)?;
    Ok(counts.iter().filter(|(state, _)| state.waits_for_staff()).map(|(_, n)| n).sum())
}

/// Returns in one of these states, the newest or the oldest first; from behind the row `last` on, if given.
pub fn page(
    conn: &Connection,
    states: &[ReturnState],
    last: Option<i64>,
    oldest_first: bool,
    limit: i64,
) -> Result<Vec<Return>> {
    let (behind, way) = if oldest_first { (">", "") } else { ("<", "desc") };
    let mut rows = conn.prepare_cached(&format!(
        "select * from returns
          where state in (select value from json_each(?1)) and (?2 is null or id {behind} ?2)
          order by id {way} limit ?3"
    ))?;
    let states = serde_json::to_string(states).unwrap_or_default();
    rows.query_map(params![states, last, limit], read)?.collect()
}

/// How many of a buyer's orders have a return that has not come to its end.
pub fn open_of_buyer(conn: &Connection, buyer: BuyerId) -> Result<i64> {
    conn.prepare_cached(
        "select count(*) from orders o join returns r on r.order_id = o.id
          where o.buyer_id = ?1 and r.ended_at is null",
    )?
    .query_row([buyer], |row| row.get(0))
}

/// The parcels of an order that were sent once more, the first one first.
pub fn resends_of(conn: &Connection, order: OrderId) -> Result<Vec<Resend>> {
    let mut rows = conn.prepare_cached("select * from resends where order_id = ?1 order by id")?;
    let mut lines = conn
        .prepare_cached("select line_id, sku_id, quantity from resend_lines where resend_id = ?1 order by line_id")?;
    rows.query_map([order], |row| {
        let row = Named::of(row);
        let id: ResendId = row.get("id")?;
        Ok(Resend {
            id,
            return_id: row.get("return_id")?,
            reason: row.get("reason")?,
            parcel: parcel(&row)?,
            sent_by: row.get("sent_by")?,
            sent_at: row.get("sent_at")?,
            lines: lines.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_>>()?,
        })
    })?
    .collect()
}

/// What came back of an order, the first first.
pub fn came_back_of(conn: &Connection, order: OrderId) -> Result<Vec<CameBack>> {
    let mut rows = conn.prepare_cached(
        "select line_id, sku_id, quantity, return_id, refund_id from came_back where order_id = ?1 order by id",
    )?;
    rows.query_map([order], |row| {
        let row = Named::of(row);
        let case: Option<ReturnId> = row.get("return_id")?;
        Ok(CameBack {
            line_id: row.get("line_id")?,
            sku: row.get("sku_id")?,
            quantity: row.get("quantity")?,
            with: match case {
                Some(case) => super::With::Return(case),
                None => super::With::Refund(row.get("refund_id")?),
            },
        })
    })?
    .collect()
}

/// When a parcel of this order was last sent once more.
pub fn last_resend(conn: &Connection, order: OrderId) -> Result<Option<i64>> {
    conn.prepare_cached("select max(sent_at) from resends where order_id = ?1")?.query_row([order], |row| row.get(0))
}

// ── writing ──

/// One that is being asked for.
pub struct NewReturn<'a> {
    pub order_id: OrderId,
    pub kind: Kind,
    pub reason: &'a str,
    pub description: &'a str,
    pub due_at: i64,
}

pub fn insert(tx: &Tx, new: &NewReturn<'_>, lines: &[ReturnLine]) -> Result<ReturnId> {
    tx.prepare_cached(
        "insert into returns (order_id, kind, state, reason, description, due_at, created_at)
         values (?1, ?2, 'requested', ?3, ?4, ?5, ?6)",
    )?
    .execute(params![new.order_id, new.kind, new.reason, new.description, new.due_at, tx.now()])?;
    let id = ReturnId(tx.last_insert_rowid());
    let mut insert =
        tx.prepare_cached("insert into return_lines (return_id, line_id, quantity, sku_id) values (?1, ?2, ?3, ?4)")?;
    for line in lines {
        insert.execute(params![id, line.line_id, line.quantity, line.sku])?;
    }
    Ok(id)
}

/// The guarded move; false when it stands elsewhere by now. `due_at` is when the time for the next step is over.
pub fn set_state(tx: &Tx, id: ReturnId, from: ReturnState, to: ReturnState, due_at: Option<i64>) -> Result<bool> {
    debug_assert!(from.leads_to(to), "{from:?} does not lead to {to:?}");
    let ended = (!to.is_open()).then_some(tx.now());
    let changed = tx
        .prepare_cached(
            "update returns set state = ?3, due_at = ?4, ended_at = ?5, overdue = 0 where id = ?1 and state = ?2",
        )?
        .execute(params![id, from, to, due_at, ended])?;
    Ok(changed == 1)
}

pub fn set_overdue(tx: &Tx, id: ReturnId) -> Result<()> {
    tx.prepare_cached("update returns set overdue = 1 where id = ?1")?.execute([id])?;
    Ok(())
}

/// What the shop tells the buyer, and where the goods are to go.
pub fn set_answer(tx: &Tx, id: ReturnId, answer: &str, address: &str) -> Result<()> {
    tx.prepare_cached("update returns set answer = ?2, address = ?3 where id = ?1")?
        .execute(params![id, answer, address])?;
    Ok(())
}

pub fn set_parcel(tx: &Tx, id: ReturnId, parcel: &Parcel) -> Result<()> {
    tx.prepare_cached("update returns set company = ?2, company_name = ?3, tracking_no = ?4 where id = ?1")?
        .execute(params![id, parcel.company, parcel.company_name, parcel.tracking_no])?;
    Ok(())
}

pub fn set_refund(tx: &Tx, id: ReturnId, refund: RefundId) -> Result<()> {
    tx.prepare_cached("update returns set refund_id = ?2 where id = ?1")?.execute(params![id, refund])?;
    Ok(())
}

pub fn set_restocked(tx: &Tx, id: ReturnId, line: &ReturnLine) -> Result<()> {
    tx.prepare_cached("update return_lines set restocked = 1 where return_id = ?1 and line_id = ?2")?
        .execute(params![id, line.line_id])?;
    Ok(())
}

pub fn put_came_back(tx: &Tx, order: OrderId, came: &CameBack) -> Result<()> {
    let (case, refund) = match came.with {
        super::With::Return(case) => (Some(case), None),
        super::With::Refund(refund) => (None, Some(refund)),
    };
    tx.prepare_cached(
        "insert into came_back (order_id, line_id, sku_id, quantity, return_id, refund_id)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![order, came.line_id, came.sku, came.quantity, case, refund])?;
    Ok(())
}

pub fn put_step(tx: &Tx, id: ReturnId, actor: &str, state: ReturnState, note: &str) -> Result<()> {
    tx.prepare_cached("insert into return_steps (return_id, at, actor, state, note) values (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![id, tx.now(), actor, state, note])?;
    Ok(())
}

pub fn insert_resend(tx: &Tx, order: OrderId, new: &Resend) -> Result<ResendId> {
    tx.prepare_cached(
        "insert into resends (order_id, return_id, reason, company, company_name, tracking_no, sent_by, sent_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        order,
        new.return_id,
        new.reason,
        new.parcel.company,
        new.parcel.company_name,
        new.parcel.tracking_no,
        new.sent_by,
        tx.now()
    ])?;
    let id = ResendId(tx.last_insert_rowid());
    // Its like has cost what was written down with the order, another SKU what it costs now.
    let mut insert = tx.prepare_cached(
        "insert into resend_lines (resend_id, line_id, sku_id, quantity, cost_fen)
         select ?1, l.id, s.id, ?4, iif(s.id = l.sku_id, l.cost_fen, s.cost_fen)
           from order_lines l, skus s where l.id = ?2 and s.id = ?3",
    )?;
    for (line, sku, quantity) in &new.lines {
        insert.execute(params![id, line, sku, quantity])?;
    }
    Ok(id)
}

/// The same parcel under another number or with another service.
pub fn set_resend_parcel(tx: &Tx, id: ResendId, parcel: &Parcel) -> Result<()> {
    tx.prepare_cached("update resends set company = ?2, company_name = ?3, tracking_no = ?4 where id = ?1")?
        .execute(params![id, parcel.company, parcel.company_name, parcel.tracking_no])?;
    Ok(())
}
