//! SQL of the sums of stock.

use rusqlite::{Connection, Params, Result, Row};

/// A move of what an order holds.
pub struct Moved {
    pub id: i64,
    pub order: i64,
    pub sku: i64,
    pub reserved: i64,
}

/// What a SKU is said to have.
pub struct Level {
    pub sku: i64,
    pub on_hand: i64,
    pub reserved: i64,
}

/// The moves with `after < id <= up_to`: SKU, on hand, reserved.
pub fn each_moved(conn: &Connection, after: i64, up_to: i64, mut see: impl FnMut(i64, i64, i64)) -> Result<()> {
    let sql = "select sku_id, on_hand_delta, reserved_delta from stock_moves where id > ?1 and id <= ?2";
    each(conn, sql, [after, up_to], |row| {
        see(row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(())
    })
}

/// The moves with `after < id` that change what an order holds.
pub fn each_move_of_orders(conn: &Connection, after: i64, mut see: impl FnMut(Moved)) -> Result<()> {
    let sql = "select m.id, l.order_id, l.sku_id, m.reserved_delta
                 from stock_moves m join order_lines l on l.id = m.line_id
                where m.id > ?1 and m.reserved_delta <> 0";
    each(conn, sql, [after], |row| {
        see(Moved { id: row.get(0)?, order: row.get(1)?, sku: row.get(2)?, reserved: row.get(3)? });
        Ok(())
    })
}

/// 0 before the first.
pub fn last_move(conn: &Connection) -> Result<i64> {
    conn.prepare_cached("select coalesce(max(id), 0) from stock_moves")?.query_row([], |row| row.get(0))
}

/// SKUs, and how many pieces of them orders with `after < id <= up_to` hold.
pub fn each_held(conn: &Connection, after: i64, up_to: i64, mut see: impl FnMut(i64, i64)) -> Result<()> {
    let sql = "select l.sku_id, l.quantity - l.shipped_quantity - l.released_quantity
                 from orders o join order_lines l on l.order_id = o.id
                where o.id > ?1 and o.id <= ?2 and o.holds_stock = 1";
    each(conn, sql, [after, up_to], |row| {
        see(row.get(0)?, row.get(1)?);
        Ok(())
    })
}

pub fn each_level(conn: &Connection, mut see: impl FnMut(Level)) -> Result<()> {
    each(conn, "select id, on_hand, reserved from skus", [], |row| {
        see(Level { sku: row.get(0)?, on_hand: row.get(1)?, reserved: row.get(2)? });
        Ok(())
    })
}

fn each(conn: &Connection, sql: &str, params: impl Params, mut see: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        see(row)?;
    }
    Ok(())
}
