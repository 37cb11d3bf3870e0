//! Rows whose columns are read by name.

use std::cell::Cell;

use rusqlite::types::FromSql;
use rusqlite::{Error, Result, Row, Statement};

/// A row with many columns. Whoever asks for them in the order of the statement finds each at once; rusqlite alone would
/// compare all names before it, for every column.
pub struct Named<'a> {
    row: &'a Row<'a>,
    /// Where the next name is looked for first.
    next: Cell<usize>,
}

impl<'a> Named<'a> {
    pub fn of(row: &'a Row<'a>) -> Named<'a> {
        Named { row, next: Cell::new(0) }
    }

    pub fn get<T: FromSql>(&self, name: &str) -> Result<T> {
        let statement: &Statement<'_> = self.row.as_ref();
        let next = self.next.get();
        for column in (next..statement.column_count()).chain(0..next) {
            if statement.column_name(column)? == name {
                self.next.set(column + 1);
                return self.row.get(column);
            }
        }
        Err(Error::InvalidColumnName(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_name_means_its_column_whatever_the_order() {
        let conn = Connection::open_in_memory().unwrap();
        let read = |names: [&'static str; 4]| {
            conn.query_row("select 1 as one, 2 as two, 3 as three", [], |row| {
                let row = Named::of(row);
                Ok(names.map(|name| row.get::<i64>(name).ok()))
            })
        };
        for (names, values) in [
            (["one", "two", "three", "one"], [Some(1), Some(2), Some(3), Some(1)]),
            (["three", "three", "two", "one"], [Some(3), Some(3), Some(2), Some(1)]),
            (["two", "four", "three", "One"], [Some(2), None, Some(3), None]),
        ] {
            assert_eq!(read(names).unwrap(), values, "{names:?}");
        }
    }
}
