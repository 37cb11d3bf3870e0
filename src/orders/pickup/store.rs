//! SQL of what is fetched: codes, phones, and when everything was ready.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::{Pickup, PickupCode};
use crate::db::{Named, Tx};
use crate::ids::OrderId;

pub fn of_order(conn: &Connection, order: OrderId) -> Result<Option<Pickup>> {
    conn.prepare_cached("select phone, code, ready_at from pickups where order_id = ?1")?
        .query_row([order], |row| {
            let row = Named::of(row);
            Ok(Pickup { phone: row.get("phone")?, code: row.get("code")?, ready_at: row.get("ready_at")? })
        })
        .optional()
}

pub fn by_code(conn: &Connection, code: &PickupCode) -> Result<Option<OrderId>> {
    conn.prepare_cached("select order_id from pickups where code = ?1")?.query_row([code], |row| row.get(0)).optional()
}

/// False when another order has this code.
pub fn insert(tx: &Tx, order: OrderId, phone: &str, code: &PickupCode) -> Result<bool> {
    let added = tx
        .prepare_cached(
            "insert into pickups (order_id, phone, code) values (?1, ?2, ?3) on conflict (code) do nothing",
        )?
        .execute(params![order, phone, code])?;
    Ok(added == 1)
}

/// The first time counts.
pub fn set_ready(tx: &Tx, order: OrderId) -> Result<bool> {
    let changed = tx
        .prepare_cached("update pickups set ready_at = ?2 where order_id = ?1 and ready_at is null")?
        .execute(params![order, tx.now()])?;
    Ok(changed == 1)
}
