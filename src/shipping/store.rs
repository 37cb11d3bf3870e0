//! SQL of shipping batches.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row as SqlRow, params};

use super::{Allowed, Batch, Row, Told};
use crate::db::Tx;
use crate::ids::{BatchId, OrderId};
use crate::staff::Staff;

/// When money of this order last went back; one that is still on its way goes back later than any parcel left.
pub fn last_refund(conn: &Connection, order: OrderId) -> Result<Option<i64>> {
    conn.prepare_cached(
        "select max(coalesce(ended_at, 9223372036854775807)) from refunds
          where order_id = ?1 and state not in ('rejected', 'cancelled')",
    )?
    .query_row([order], |row| row.get(0))
}

pub fn told(conn: &Connection, order: OrderId) -> Result<Option<Told>> {
    conn.prepare_cached("select times, content from registered where order_id = ?1")?
        .query_row([order], |row| Ok(Told { times: row.get("times")?, content: row.get("content")? }))
        .optional()
}

pub fn put_told(tx: &Tx, order: OrderId, content: &str, now: i64) -> Result<()> {
    tx.prepare_cached(
        "insert into registered (order_id, at, times, content) values (?1, ?2, 1, ?3)
         on conflict (order_id) do update set at = excluded.at, times = times + 1, content = excluded.content",
    )?
    .execute(params![order, now, content])?;
    Ok(())
}

pub fn insert(tx: &Tx, staff: &Staff, allowed: Allowed, rows: &[Row], now: i64) -> Result<BatchId> {
    tx.prepare_cached("insert into shipping_batches (who, at, allowed, rows) values (?1, ?2, ?3, ?4)")?
        .execute(params![staff.name, now, json(&allowed)?, json(rows)?])?;
    Ok(BatchId(tx.last_insert_rowid()))
}

pub fn set_ran(tx: &Tx, id: BatchId, rows: &[Row], now: i64) -> Result<()> {
    tx.prepare_cached("update shipping_batches set ran_at = ?2, rows = ?3 where id = ?1")?.execute(params![
        id,
        now,
        json(rows)?
    ])?;
    Ok(())
}

pub fn set_allowed(tx: &Tx, id: BatchId, allowed: Allowed) -> Result<()> {
    tx.prepare_cached("update shipping_batches set allowed = ?2 where id = ?1")?
        .execute(params![id, json(&allowed)?])?;
    Ok(())
}

pub fn by_id(conn: &Connection, id: BatchId) -> Result<Option<Batch>> {
    conn.prepare_cached("select * from shipping_batches where id = ?1")?.query_row([id], read).optional()
}

/// The newest batches.
pub fn latest(conn: &Connection, limit: i64) -> Result<Vec<Batch>> {
    let mut rows = conn.prepare_cached("select * from shipping_batches order by id desc limit ?1")?;
    rows.query_map([limit], read)?.collect()
}

fn read(row: &SqlRow<'_>) -> Result<Batch> {
    let bad = |e: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into());
    let (allowed, rows): (String, String) = (row.get("allowed")?, row.get("rows")?);
    Ok(Batch {
        id: row.get("id")?,
        who: row.get("who")?,
        at: row.get("at")?,
        allowed: serde_json::from_str(&allowed).map_err(bad)?,
        rows: serde_json::from_str(&rows).map_err(bad)?,
        ran_at: row.get("ran_at")?,
    })
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}
