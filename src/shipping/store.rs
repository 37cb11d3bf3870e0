//! SQL of shipping: batches of tracking numbers, what WeChat was told, and what it says of settling.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row as SqlRow, params};

use super::{Allowed, Batch, Brought, Of, Row, Told};
use crate::db::Tx;
use crate::ids::{BatchId, OrderId, StaffId};
use crate::shown::Shown;
use crate::staff::Staff;
use crate::wechat::push::Settlement;

/// When something of this order last went back or was sent again; the end of time while that is under way. A return of
/// which nothing has come yet finds out by itself that its goods never left.
pub fn last_aftersale(conn: &Connection, order: OrderId) -> Result<Option<i64>> {
    conn.prepare_cached(
        "select max(at) from (
           select coalesce(ended_at, 9223372036854775807) as at from refunds
            where order_id = ?1 and state not in ('rejected', 'cancelled')
           union all
           select coalesce(ended_at, 9223372036854775807) from returns
            where order_id = ?1
              and (state in ('received', 'done') or exists (select 1 from came_back b where b.return_id = returns.id))
           union all
           select sent_at from resends where order_id = ?1)",
    )?
    .query_row([order], |row| row.get(0))
}

pub fn told(conn: &Connection, order: OrderId) -> Result<Option<Told>> {
    conn.prepare_cached("select times, content from registered where order_id = ?1")?
        .query_row([order], |row| Ok(Told { times: row.get("times")?, content: row.get("content")? }))
        .optional()
}

pub fn put_told(tx: &Tx, order: OrderId, content: &str) -> Result<()> {
    tx.prepare_cached(
        "insert into registered (order_id, at, times, content) values (?1, ?2, 1, ?3)
         on conflict (order_id) do update set at = excluded.at, times = times + 1, content = excluded.content",
    )?
    .execute(params![order, tx.now(), content])?;
    Ok(())
}

pub fn insert(tx: &Tx, staff: &Staff, allowed: Allowed, brought: &Brought) -> Result<BatchId> {
    tx.prepare_cached("insert into shipping_batches (who, at, allowed, rows, read_as) values (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![staff.name, tx.now(), json(&allowed)?, json(&brought.rows)?, json(&brought.read_as)?])?;
    Ok(BatchId(tx.last_insert_rowid()))
}

pub fn set_rows(tx: &Tx, id: BatchId, rows: &[Row]) -> Result<()> {
    tx.prepare_cached("update shipping_batches set rows = ?2 where id = ?1")?.execute(params![id, json(rows)?])?;
    Ok(())
}

pub fn set_ran(tx: &Tx, id: BatchId, rows: &[Row]) -> Result<()> {
    tx.prepare_cached("update shipping_batches set ran_at = ?2, rows = ?3 where id = ?1")?.execute(params![
        id,
        tx.now(),
        json(rows)?
    ])?;
    Ok(())
}

pub fn set_shown(tx: &Tx, id: BatchId, shown: &Shown) -> Result<()> {
    tx.prepare_cached("update shipping_batches set shown = ?2 where id = ?1")?.execute(params![id, json(shown)?])?;
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
    let text = |name: &str| row.get::<_, String>(name);
    let (allowed, rows, read_as, shown) = (text("allowed")?, text("rows")?, text("read_as")?, text("shown")?);
    Ok(Batch {
        id: row.get("id")?,
        who: row.get("who")?,
        at: row.get("at")?,
        allowed: serde_json::from_str(&allowed).map_err(bad)?,
        rows: with_questions(serde_json::from_str(&rows).map_err(bad)?),
        read_as: serde_json::from_str(&read_as).map_err(bad)?,
        ran_at: row.get("ran_at")?,
        shown: serde_json::from_str(&shown).map_err(bad)?,
    })
}

/// What was asked of a row before questions were kept one by one stays asked.
fn with_questions(mut rows: Vec<Row>) -> Vec<Row> {
    for row in &mut rows {
        let words = std::mem::take(&mut row.problem);
        row.ask(Of::Row, words);
    }
    rows
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

// ── codes that were tried at the desk ──

/// When the first of so many wrong codes was tried that count since then; `None` while there are fewer.
pub fn guesses_end(conn: &Connection, staff: StaffId, most: i64, since: i64) -> Result<Option<i64>> {
    conn.prepare_cached("select count(*), min(at) from pickup_guesses where staff_id = ?1 and at > ?2")?
        .query_row(params![staff, since], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)))
        .map(|(n, first)| first.filter(|_| n >= most))
}

/// Counts one more; those that count no longer go.
pub fn insert_guess(tx: &Tx, staff: StaffId, since: i64) -> Result<()> {
    tx.prepare_cached("delete from pickup_guesses where at <= ?1")?.execute([since])?;
    tx.prepare_cached("insert into pickup_guesses (staff_id, at) values (?1, ?2)")?
        .execute(params![staff, tx.now()])?;
    Ok(())
}

pub fn forget_guesses(tx: &Tx, staff: StaffId) -> Result<()> {
    tx.prepare_cached("delete from pickup_guesses where staff_id = ?1")?.execute([staff])?;
    Ok(())
}

// ── the duty to tell how goods left ──

pub fn put_duty(tx: &Tx, word: &str) -> Result<()> {
    tx.prepare_cached("insert or replace into duties (word, at) values (?1, ?2)")?.execute(params![word, tx.now()])?;
    Ok(())
}

pub fn forget_duty(tx: &Tx, word: &str) -> Result<()> {
    tx.prepare_cached("delete from duties where word = ?1")?.execute([word])?;
    Ok(())
}

/// When WeChat last said so.
pub fn duty(conn: &Connection, word: &str) -> Result<Option<i64>> {
    conn.prepare_cached("select max(at) from duties where word = ?1")?.query_row([word], |row| row.get(0))
}

/// What a settlement push says; what an earlier one said is kept where this one says nothing.
pub fn put_settlement(tx: &Tx, told: &Settlement) -> Result<()> {
    tx.prepare_cached(
        "insert into settlements (transaction_id, estimated_at, settled_at, at) values (?1, ?2, ?3, ?4)
         on conflict (transaction_id) do update
            set estimated_at = coalesce(excluded.estimated_at, estimated_at),
                settled_at = coalesce(excluded.settled_at, settled_at), at = excluded.at",
    )?
    .execute(params![told.transaction_id, told.estimated_at, told.settled_at, tx.now()])?;
    Ok(())
}

/// What is paid and told to be settled later, in fen, and when the first and the last of it will be.
pub fn unsettled(conn: &Connection) -> Result<(i64, Option<i64>, Option<i64>)> {
    // Two questions, each the end of an index.
    conn.prepare_cached(
        "select fen,
                (select min(estimated_at) from settlements where settled_at is null and estimated_at is not null) as first,
                (select max(estimated_at) from settlements where settled_at is null) as last
           from frozen",
    )?
    .query_row([], |row| Ok((row.get("fen")?, row.get("first")?, row.get("last")?)))
}
