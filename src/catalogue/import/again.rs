//! A table that comes a second time: its differences in stock would be added once more.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::judge::Finder;
use super::since::{Carried, exported_at};
use super::{Column, Row, store};
use crate::catalogue::rules;
use crate::error::Result;
use crate::ids::{ImportId, SkuId};

/// What is exported while a table is carried out may not know of it yet.
const UNSURE_MS: i64 = 60_000;

/// Rows whose difference in stock was added already, by a table that was carried out before.
pub struct Again {
    pub ran_at: i64,
    /// Their places in the table.
    pub rows: Vec<usize>,
}

/// The latest table that has added to the same goods from the same stock as rows of this one would, if one has. How the
/// goods are named, what the stock was to be and what else the rows say does not matter. A row that says when it was
/// exported is none of them where that was later, and where what its own table has added before is known.
pub fn again(conn: &Connection, own: Option<ImportId>, own_rows: &[Row]) -> Result<Option<Again>> {
    let mut finder = Finder::new(conn);
    let mut carried = Carried::default();
    let mut waiting: HashMap<(SkuId, i64), Vec<usize>> = HashMap::new();
    for (at, row) in own_rows.iter().enumerate().filter(|(_, row)| row.done.is_none()) {
        if let Some(then) = adds_to(row)
            && let Some(sku) = finder.sku(row)?
            && carried.by(conn, row)?.is_none_or(|known| !known.contains_key(&sku))
        {
            waiting.entry((sku, then)).or_default().push(at);
        }
    }
    if waiting.is_empty() {
        return Ok(None);
    }
    let begun: HashSet<i64> = waiting.keys().map(|(_, then)| *then).collect();
    for (other, ran_at) in store::ran(conn)?.into_iter().filter(|(id, _)| Some(*id) != own) {
        let Some(other) = store::by_id(conn, other)? else { continue };
        let mut rows: Vec<usize> = Vec::new();
        let later = |at: usize| exported_at(&own_rows[at]).is_some_and(|at| at > ran_at + UNSURE_MS);
        for row in other.rows.iter().filter(|row| row.done.is_some()) {
            if let Some(then) = adds_to(row).filter(|then| begun.contains(then))
                && let Some(sku) = finder.sku(row)?
            {
                rows.extend(waiting.get(&(sku, then)).into_iter().flatten().filter(|at| !later(**at)));
            }
        }
        if !rows.is_empty() {
            rows.sort_unstable();
            rows.dedup();
            return Ok(Some(Again { ran_at, rows }));
        }
    }
    Ok(None)
}

/// The stock to which a row adds a difference.
fn adds_to(row: &Row) -> Option<i64> {
    let number = |column| rules::stock(row.said(column)?).ok();
    let (is, then) = (number(Column::Stock)?, number(Column::StockThen)?);
    (is != then).then_some(then)
}
