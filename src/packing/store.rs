//! SQL of the dictionaries.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Constants, Dictionary, Samples};
use crate::db::Tx;
use crate::ids::DictionaryId;

/// The one that was put there last, for whoever was given none.
pub fn newest(tx: &Tx) -> Result<Dictionary> {
    let newest = tx
        .prepare_cached("select id, bytes from dictionaries order by id desc limit 1")?
        .query_row([], read)
        .optional()?;
    newest.map_or_else(|| put(tx, &Samples::of(&Constants::default())), Ok)
}

/// The dictionary of these samples, if it is there already.
pub fn of(conn: &Connection, samples: &Samples) -> Result<Option<Dictionary>> {
    conn.prepare_cached("select id, bytes from dictionaries where bytes = ?1")?
        .query_row([samples.bytes()], read)
        .optional()
}

/// The same, put there when it is not.
pub fn put(tx: &Tx, samples: &Samples) -> Result<Dictionary> {
    if let Some(found) = of(tx, samples)? {
        return Ok(found);
    }
    tx.prepare_cached("insert into dictionaries (made_at, bytes) values (?1, ?2)")?
        .execute(params![tx.now(), samples.bytes()])?;
    Ok(Dictionary { id: DictionaryId(tx.last_insert_rowid()), bytes: samples.bytes().into() })
}

fn read(row: &Row<'_>) -> Result<Dictionary> {
    Ok(Dictionary { id: row.get("id")?, bytes: row.get_ref("bytes")?.as_blob()?.into() })
}

// ── what older programs wrote as it was ──

/// Rows that may still be plain: those with numbers above `done`, up to `last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub what: String,
    pub done: i64,
    pub last: i64,
}

/// Where to go on; none when everything is packed.
pub fn left(conn: &Connection) -> Result<Option<Left>> {
    conn.prepare_cached("select what, done, last from unpacked order by what limit 1")?
        .query_row([], |row| Ok(Left { what: row.get("what")?, done: row.get("done")?, last: row.get("last")? }))
        .optional()
}

/// Notes that rows up to this one are packed; none, that all of them are.
pub fn done(tx: &Tx, left: &Left, up_to: Option<i64>) -> Result<()> {
    match up_to.filter(|up_to| *up_to < left.last) {
        Some(up_to) => {
            tx.prepare_cached("update unpacked set done = ?2 where what = ?1")?.execute(params![left.what, up_to])?
        }
        None => tx.prepare_cached("delete from unpacked where what = ?1")?.execute([&left.what])?,
    };
    Ok(())
}
