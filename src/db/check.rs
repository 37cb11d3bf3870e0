//! Databases that are not the one in use: read within a time limit, and checked before they are believed.

use std::io;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use super::migrate::{self, APPLICATION_ID, SCHEMA_VERSION};
use super::{LONG_BUDGET, OpenError, open_reader};

/// Reads a database of ours that is not the one in use. Whoever made it may have put an endless question in it.
pub fn look_into<T>(path: &Path, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OpenError> {
    Ok(read(&open_foreign(path)?)?)
}

fn open_foreign(path: &Path) -> rusqlite::Result<Connection> {
    let (mut conn, end) = (open_reader(path)?, Instant::now() + LONG_BUDGET);
    conn.progress_handler(2_000, Some(move || Instant::now() > end))?;
    Ok(conn)
}

/// Whether a file is a sound database of ours that this program can read, with the tables, indexes and triggers that the
/// migrations of its version make and no others; answers with its number of orders.
pub fn check(path: &Path) -> Result<i64, OpenError> {
    check_by(path, "integrity_check")
}

/// The same without asking of each row whether every index has it: a fifth of the work.
pub fn check_pages(path: &Path) -> Result<i64, OpenError> {
    check_by(path, "quick_check")
}

fn check_by(path: &Path, pragma: &str) -> Result<i64, OpenError> {
    if !path.is_file() {
        return Err(OpenError::Io(path.to_owned(), io::ErrorKind::NotFound.into()));
    }
    let conn = open_foreign(path)?;
    let application: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer { found, known: SCHEMA_VERSION });
    }
    // Before any table is read: what looks like one may be a view.
    if let Some(name) = migrate::foreign_part(&conn)? {
        return Err(OpenError::OtherSchema(path.to_owned(), name));
    }
    let integrity: String = conn.pragma_query_value(None, pragma, |row| row.get(0))?;
    if integrity != "ok" {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    Ok(conn.query_row("select count(*) from orders", [], |row| row.get(0))?)
}
