//! SQL of stock and its moves.

use rusqlite::{OptionalExtension, Result, params};

use crate::db::Tx;
use crate::ids::{LineId, SkuId, StaffId};

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
    now: i64,
) -> Result<()> {
    tx.prepare_cached(
        "insert into stock_moves (sku_id, reason, on_hand_delta, reserved_delta, line_id, staff_id, note, at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![sku, reason, on_hand_delta, reserved_delta, line, staff, note, now])?;
    Ok(())
}
