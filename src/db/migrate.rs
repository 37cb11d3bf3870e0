//! Migrations: each a file, each in one transaction together with the version it brings.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::OpenError;

/// "xpu" and a version of the mark itself, so that no other program's file is taken for ours.
pub const APPLICATION_ID: i64 = 0x7870_7501;

const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_shop.sql"), include_str!("migrations/0002_money.sql")];

/// The newest schema that this program knows.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

pub fn migrate(conn: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let (found, application) = versions(conn)?;
    let fresh = found == 0 && application == 0 && table_count(conn)? == 0;
    if !fresh && application != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer { found, known: SCHEMA_VERSION });
    }
    if 0 < found && found < SCHEMA_VERSION {
        // An upgrade that disappoints must have a way back.
        let copy = path.with_file_name(format!("before-upgrade-from-{found}.db"));
        if !copy.exists() {
            conn.execute("vacuum into ?1", [copy.to_string_lossy()])?;
        }
    }
    for (version, sql) in (1..).zip(MIGRATIONS) {
        apply(conn, version, sql)?;
    }
    Ok(())
}

/// The version is read again inside the lock: two programs may open a fresh folder together.
fn apply(conn: &mut Connection, version: i64, sql: &str) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let (found, _) = versions(&tx)?;
    if found < version {
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", version)?;
    }
    tx.commit()
}

fn versions(conn: &Connection) -> rusqlite::Result<(i64, i64)> {
    let version = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok((version, application))
}

fn table_count(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
}
