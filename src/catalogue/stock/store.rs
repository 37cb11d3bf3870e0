//! SQL of stock and its moves.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::db::Tx;
use crate::ids::{LineId, ProductId, SkuId, StaffId};

/// What is available afterwards; `None` when it was not enough.
pub fn reserve(tx: &Tx, sku: SkuId, quantity: i64) -> Result<Option<i64>> {
    tx.prepare_cached(
        "update skus set reserved = reserved + ?2
          where id = ?1 and on_hand - reserved >= ?2
          returning on_hand - reserved",
    )?
    .query_row(params![sku, quantity], |row| row.get(0))
    .optional()
}

/// What is available afterwards; `None` when it was not enough beside what others hold.
pub fn take(tx: &Tx, sku: SkuId, quantity: i64) -> Result<Option<i64>> {
    tx.prepare_cached(
        "update skus set on_hand = on_hand - ?2
          where id = ?1 and on_hand - reserved >= ?2
          returning on_hand - reserved",
    )?
    .query_row(params![sku, quantity], |row| row.get(0))
    .optional()
}

/// What is available afterwards. The table itself refuses a change that would make it negative.
pub fn change(tx: &Tx, sku: SkuId, on_hand: i64, reserved: i64) -> Result<i64> {
    tx.prepare_cached(
        "update skus set on_hand = on_hand + ?2, reserved = reserved + ?3 where id = ?1 returning on_hand - reserved",
    )?
    .query_row(params![sku, on_hand, reserved], |row| row.get(0))
}

/// On hand and reserved.
pub fn levels(tx: &Tx, sku: SkuId) -> Result<(i64, i64)> {
    tx.prepare_cached("select on_hand, reserved from skus where id = ?1")?
        .query_row([sku], |row| Ok((row.get(0)?, row.get(1)?)))
}

#[expect(clippy::too_many_arguments, reason = "one argument a column")]
pub fn note(
    tx: &Tx,
    sku: SkuId,
    reason: &str,
    on_hand_delta: i64,
    reserved_delta: i64,
    line: Option<LineId>,
    staff: Option<StaffId>,
    note: &str,
) -> Result<()> {
    tx.prepare_cached(
        "insert into stock_moves (sku_id, reason, on_hand_delta, reserved_delta, line_id, staff_id, note, at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![sku, reason, on_hand_delta, reserved_delta, line, staff, note, tx.now()])?;
    Ok(())
}

pub fn make_own(tx: &Tx, sku: SkuId) -> Result<()> {
    let goods = "select product_id from skus where id = ?1";
    tx.prepare_cached(&format!("update products set sample = 0 where sample = 1 and id = ({goods})"))?
        .execute([sku])?;
    Ok(())
}

/// A change of stock, with the order or the person behind it.
#[derive(Clone, Debug)]
pub struct Move {
    pub id: i64,
    pub sku_id: SkuId,
    pub at: i64,
    pub reason: String,
    pub on_hand_delta: i64,
    pub reserved_delta: i64,
    pub order_no: Option<String>,
    pub who: Option<String>,
    pub note: String,
}

/// By how much each SKU of a product has changed since this move, itself included.
pub fn changed_since(conn: &Connection, product: ProductId, id: i64) -> Result<Vec<(SkuId, i64)>> {
    let mut rows = conn.prepare_cached(
        "select m.sku_id, sum(m.on_hand_delta) from stock_moves m join skus s on s.id = m.sku_id
          where s.product_id = ?1 and m.id >= ?2 group by m.sku_id",
    )?;
    rows.query_map(params![product, id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The moves of a product's SKUs, newest first.
pub fn of_product(conn: &Connection, product: ProductId, before: Option<i64>, limit: i64) -> Result<Vec<Move>> {
    let mut rows = conn.prepare_cached(
        "select m.*, o.order_no, t.name as who
           from stock_moves m join skus s on s.id = m.sku_id
           left join order_lines l on l.id = m.line_id
           left join orders o on o.id = l.order_id
           left join staff t on t.id = m.staff_id
          where s.product_id = ?1 and (?2 is null or m.id < ?2)
          order by m.id desc limit ?3",
    )?;
    rows.query_map(params![product, before, limit], |row| {
        Ok(Move {
            id: row.get("id")?,
            sku_id: row.get("sku_id")?,
            at: row.get("at")?,
            reason: row.get("reason")?,
            on_hand_delta: row.get("on_hand_delta")?,
            reserved_delta: row.get("reserved_delta")?,
            order_no: row.get("order_no")?,
            who: row.get("who")?,
            note: row.get("note")?,
        })
    })?
    .collect()
}
