//! SQL of freight templates.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row as SqlRow, params};
use serde::{Deserialize, Serialize};

use super::{Rate, Row, Template, Terms};
use crate::db::{Named, Tx};
use crate::ids::FreightId;
use crate::places::listed;

/// A row as it is kept: what it names is read again from what was written.
#[derive(Serialize, Deserialize)]
struct Kept {
    regions: String,
    rate: Rate,
}

fn read(row: &SqlRow<'_>) -> Result<Template> {
    let broken = |e: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into());
    let row = Named::of(row);
    let id = row.get("id")?;
    let (name, by) = (row.get("name")?, row.get("counts")?);
    let kept: Vec<Kept> = serde_json::from_str(&row.get::<String>("rows")?).map_err(broken)?;
    let elsewhere = serde_json::from_str(&row.get::<String>("elsewhere")?).map_err(broken)?;
    let named = |kept: Kept| Row { places: listed(&kept.regions).places, regions: kept.regions, rate: kept.rate };
    Ok(Template { id, terms: Terms { name, by, rows: kept.into_iter().map(named).collect(), elsewhere } })
}

pub fn all(conn: &Connection) -> Result<Vec<Template>> {
    conn.prepare_cached("select * from freight_templates order by id")?.query_map([], read)?.collect()
}

pub fn by_id(conn: &Connection, id: FreightId) -> Result<Option<Template>> {
    conn.prepare_cached("select * from freight_templates where id = ?1")?.query_row([id], read).optional()
}

pub fn named(conn: &Connection, name: &str) -> Result<Option<FreightId>> {
    conn.prepare_cached("select id from freight_templates where name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// New, or in the place of what it said before.
pub fn put(tx: &Tx, id: Option<FreightId>, terms: &Terms) -> Result<FreightId> {
    let written = |e: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(e.into());
    let rows: Vec<Kept> = terms.rows.iter().map(|row| Kept { regions: row.regions.clone(), rate: row.rate }).collect();
    let rows = serde_json::to_string(&rows).map_err(written)?;
    let elsewhere = serde_json::to_string(&terms.elsewhere).map_err(written)?;
    tx.prepare_cached(
        "insert into freight_templates (id, name, counts, rows, elsewhere) values (?1, ?2, ?3, ?4, ?5)
         on conflict (id) do update
            set name = excluded.name, counts = excluded.counts, rows = excluded.rows, elsewhere = excluded.elsewhere
         returning id",
    )?
    .query_row(
        params![
            id.map_or_else(|| tx.fresh_id("freight_templates").map(FreightId), Ok)?,
            terms.name,
            terms.by,
            rows,
            elsewhere
        ],
        |row| row.get(0),
    )
}

pub fn remove(tx: &Tx, id: FreightId) -> Result<()> {
    tx.prepare_cached("delete from freight_templates where id = ?1")?.execute([id])?;
    Ok(())
}

/// How many products go by it, in the recycle bin too; and how many of their SKUs that are sold have no weight.
pub fn used(conn: &Connection, id: FreightId) -> Result<(i64, i64)> {
    conn.prepare_cached(
        "select (select count(*) from products where freight_id = ?1),
                (select count(*) from skus s join products p on p.id = s.product_id
                  where p.freight_id = ?1 and p.deleted_at is null and s.enabled = 1 and s.weight_g = 0)",
    )?
    .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
}
