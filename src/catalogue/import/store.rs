//! SQL of imports: tables that were brought in, kept until they are carried out.

use std::collections::HashMap;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::Row;
use super::specs::Specs;
use crate::db::Tx;
use crate::ids::{ImportId, SkuId};
use crate::shown::Shown;

/// Older ones are forgotten: they are large, and what they changed is in the log.
const KEPT: i64 = 20;
/// And so are more than a few that are very large, in bytes.
const LARGE: i64 = 2_000_000;
const LARGE_KEPT: i64 = 3;
/// What a table wrote is known for so long after its export.
const CARRIED_MS: i64 = 366 * 24 * 3_600_000;

/// A table that was brought in, and what became of it.
#[derive(Clone, Debug)]
pub struct Import {
    pub id: ImportId,
    pub who: String,
    pub at: i64,
    /// What the table has that is not read, in sentences.
    pub notes: Vec<String>,
    pub rows: Vec<Row>,
    pub ran_at: Option<i64>,
    /// What was last shown of them.
    pub shown: Shown,
}

pub fn insert(tx: &Tx, who: &str, notes: &[String], rows: &[Row]) -> Result<ImportId> {
    tx.prepare_cached("insert into product_imports (who, at, notes, rows) values (?1, ?2, ?3, ?4)")?
        .execute(params![who, tx.now(), json(notes)?, json(rows)?])?;
    let id = tx.last_insert_rowid();
    tx.prepare_cached("delete from product_imports where id <= ?1")?.execute([id - KEPT])?;
    tx.prepare_cached(
        "delete from product_imports
          where octet_length(rows) > ?1
            and id not in (select id from product_imports where octet_length(rows) > ?1 order by id desc limit ?2)",
    )?
    .execute([LARGE, LARGE_KEPT])?;
    tx.prepare_cached("delete from export_carried where exported_at < ?1")?.execute([tx.now() - CARRIED_MS])?;
    Ok(ImportId(id))
}

/// What a row of an export has written, so that the same table does it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    pub stock: Option<i64>,
    /// A print of each of its other cells.
    pub prints: String,
    pub ran_at: i64,
}

pub fn put_carried(tx: &Tx, exported_at: i64, sku: SkuId, stock: Option<i64>, prints: &str) -> Result<()> {
    tx.prepare_cached(
        "insert or replace into export_carried (exported_at, sku_id, stock, prints, ran_at) values (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![exported_at, sku, stock, prints, tx.now()])?;
    Ok(())
}

/// What the rows of one export have written.
pub fn carried(conn: &Connection, exported_at: i64) -> Result<HashMap<SkuId, Carried>> {
    conn.prepare_cached("select sku_id, stock, prints, ran_at from export_carried where exported_at = ?1")?
        .query_map([exported_at], |row| {
            let carried = Carried { stock: row.get("stock")?, prints: row.get("prints")?, ran_at: row.get("ran_at")? };
            Ok((row.get("sku_id")?, carried))
        })?
        .collect()
}

/// A SKU, what its product is called, and which of its specifications it is.
pub type Origin = (SkuId, String, Specs);

/// All that is not in the recycle bin.
pub fn origins(conn: &Connection) -> Result<Vec<Origin>> {
    conn.prepare_cached(
        "select s.id, p.name, s.specs from skus s join products p on p.id = s.product_id
          where p.deleted_at is null order by s.id",
    )?
    .query_map([], |row| {
        let specs: String = row.get("specs")?;
        let specs = serde_json::from_str(&specs)
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(2, Type::Text, e.into()))?;
        Ok((row.get("id")?, row.get("name")?, specs))
    })?
    .collect()
}

/// Pieces of a SKU that buyers took since somebody has counted it.
pub fn sold_since_count(conn: &Connection, sku: SkuId) -> Result<i64> {
    conn.prepare_cached(
        "select -coalesce(sum(on_hand_delta), 0) from stock_moves
          where sku_id = ?1 and line_id is not null
            and id > (select coalesce(max(id), 0) from stock_moves
                       where sku_id = ?1 and reason = 'adjust' and note <> '导入')",
    )?
    .query_row([sku], |row| row.get(0))
}

pub fn set_ran(tx: &Tx, id: ImportId) -> Result<()> {
    tx.prepare_cached("update product_imports set ran_at = ?2 where id = ?1")?.execute(params![id, tx.now()])?;
    Ok(())
}

/// A row was carried out, which is done once.
pub fn put_done(tx: &Tx, id: ImportId, at: usize, what: &str) -> Result<()> {
    tx.prepare_cached("insert into product_import_done (import_id, at, what) values (?1, ?2, ?3)")?
        .execute(params![id, at as i64, what])?;
    Ok(())
}

pub fn set_shown(tx: &Tx, id: ImportId, shown: &Shown) -> Result<()> {
    tx.prepare_cached("update product_imports set shown = ?2 where id = ?1")?.execute(params![id, json(shown)?])?;
    Ok(())
}

/// The tables that were carried out and when, the latest first.
pub fn ran(conn: &Connection) -> Result<Vec<(ImportId, i64)>> {
    conn.prepare_cached(
        "select id, ran_at from product_imports where ran_at is not null order by ran_at desc, id desc",
    )?
    .query_map([], |row| Ok((row.get("id")?, row.get("ran_at")?)))?
    .collect()
}

pub fn by_id(conn: &Connection, id: ImportId) -> Result<Option<Import>> {
    let Some(mut import) = read(conn, id)? else { return Ok(None) };
    let mut done = conn.prepare_cached("select at, what from product_import_done where import_id = ?1")?;
    let mut done = done.query([id])?;
    while let Some(row) = done.next()? {
        let at: u32 = row.get("at")?;
        if let Some(known) = import.rows.get_mut(at as usize) {
            known.done = Some(row.get("what")?);
        }
    }
    Ok(Some(import))
}

fn read(conn: &Connection, id: ImportId) -> Result<Option<Import>> {
    let bad = |e: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into());
    conn.prepare_cached("select id, who, at, notes, rows, ran_at, shown from product_imports where id = ?1")?
        .query_row([id], |row| {
            let text = |name: &str| row.get::<_, String>(name);
            let (notes, rows, shown) = (text("notes")?, text("rows")?, text("shown")?);
            Ok(Import {
                id: row.get("id")?,
                who: row.get("who")?,
                at: row.get("at")?,
                notes: serde_json::from_str(&notes).map_err(bad)?,
                rows: serde_json::from_str(&rows).map_err(bad)?,
                ran_at: row.get("ran_at")?,
                shown: serde_json::from_str(&shown).map_err(bad)?,
            })
        })
        .optional()
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}
