//! A table that comes a second time: its differences in stock would be added once more.

use std::collections::HashSet;

use rusqlite::Connection;

use super::store::{self, Import};
use super::{Column, Row};
use crate::error::Result;

/// Rows whose difference in stock was added already, by a table that was carried out before.
pub struct Again {
    pub ran_at: i64,
    /// Their places in the table.
    pub rows: Vec<usize>,
}

/// The latest table that has added what rows of this one would add, if one has. What else they say does not matter.
pub fn again(conn: &Connection, import: &Import) -> Result<Option<Again>> {
    let waiting: Vec<(usize, &Row)> =
        import.rows.iter().enumerate().filter(|(_, row)| row.done.is_none() && adds(row)).collect();
    if waiting.is_empty() {
        return Ok(None);
    }
    for (id, ran_at) in store::ran_beside(conn, import.id)? {
        let Some(other) = store::by_id(conn, id)? else { continue };
        let added: HashSet<_> =
            other.rows.iter().filter(|row| row.done.is_some() && adds(row)).map(difference).collect();
        let same = waiting.iter().filter(|(_, row)| added.contains(&difference(row)));
        let rows: Vec<usize> = same.map(|(at, _)| *at).collect();
        if !rows.is_empty() {
            return Ok(Some(Again { ran_at, rows }));
        }
    }
    Ok(None)
}

/// Whose difference it is, and which.
fn difference(row: &Row) -> [Option<&str>; 5] {
    [Column::Name, Column::Specs, Column::SkuCode, Column::Stock, Column::StockThen].map(|column| row.said(column))
}

fn adds(row: &Row) -> bool {
    row.said(Column::Stock).zip(row.said(Column::StockThen)).is_some_and(|(is, then)| is != then)
}
