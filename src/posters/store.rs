//! SQL of kept codes.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::db::Tx;
use crate::ids::ProductId;

/// One of another app leads there.
pub fn code(conn: &Connection, id: ProductId, app_id: &str) -> Result<Option<Vec<u8>>> {
    conn.prepare_cached("select picture from product_codes where product_id = ?1 and app_id = ?2")?
        .query_row(params![id, app_id], |row| row.get(0))
        .optional()
}

pub fn put(tx: &Tx, id: ProductId, app_id: &str, picture: &[u8]) -> Result<()> {
    tx.prepare_cached(
        "insert into product_codes (product_id, app_id, picture, made_at) values (?1, ?2, ?3, ?4)
         on conflict (product_id) do update
            set app_id = excluded.app_id, picture = excluded.picture, made_at = excluded.made_at",
    )?
    .execute(params![id, app_id, picture, tx.now()])?;
    Ok(())
}
