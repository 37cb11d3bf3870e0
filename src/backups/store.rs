//! SQL of the list of backups.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Account, Backup};
use crate::db::Tx;
use crate::ids::BackupId;

/// Whoever made a file knows more of it than whoever found it meanwhile.
pub fn insert(tx: &Tx, backup: &Backup) -> Result<BackupId> {
    tx.prepare_cached("delete from backups where file = ?1")?.execute([&backup.file])?;
    tx.prepare_cached(
        "insert into backups (at, file, bytes, orders, last_order_at, took_ms, problem, who, broken, id)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        backup.at,
        backup.file,
        backup.bytes,
        backup.orders,
        backup.last_order_at,
        backup.took_ms,
        backup.problem,
        backup.who,
        backup.broken,
        tx.fresh_id("backups")?
    ])?;
    Ok(BackupId(tx.last_insert_rowid()))
}

/// It takes more or less room than before.
pub fn set_bytes(tx: &Tx, id: BackupId, bytes: i64) -> Result<()> {
    tx.prepare_cached("update backups set bytes = ?2 where id = ?1")?.execute(params![id, bytes])?;
    Ok(())
}

/// Those that a clock which ran ahead dated were made by now at the latest.
pub fn pull_in(tx: &Tx) -> Result<()> {
    tx.prepare_cached("update backups set at = ?1 where at > ?1")?.execute([tx.now()])?;
    Ok(())
}

pub fn knows(conn: &Connection, file: &str) -> Result<bool> {
    conn.prepare_cached("select 1 from backups where file = ?1")?.exists([file])
}

pub fn delete(tx: &Tx, id: BackupId) -> Result<()> {
    tx.prepare_cached("delete from backups where id = ?1")?.execute([id])?;
    Ok(())
}

/// Newest first.
pub fn latest(conn: &Connection, limit: i64) -> Result<Vec<Backup>> {
    let mut rows = conn.prepare_cached("select * from backups order by at desc, id desc limit ?1")?;
    rows.query_map([limit], read)?.collect()
}

pub fn by_id(conn: &Connection, id: BackupId) -> Result<Option<Backup>> {
    conn.prepare_cached("select * from backups where id = ?1")?.query_row([id], read).optional()
}

/// What came after a moment and would be lost with it: orders, and of them those that were paid.
pub fn since(conn: &Connection, at: i64) -> Result<(i64, i64)> {
    conn.prepare_cached("select count(*), coalesce(sum(paid_at is not null), 0) from orders where created_at > ?1")?
        .query_row([at], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Ends every session of staff and every invitation, in a copy that may be of an older version.
pub fn end_all_sessions(conn: &Connection) -> Result<()> {
    for (table, sql) in [
        ("staff_sessions", "delete from staff_sessions"),
        ("staff_invitations", "delete from staff_invitations"),
        ("setup_links", "delete from setup_links"),
    ] {
        if conn.table_exists(None, table)? {
            conn.execute(sql, [])?;
        }
    }
    Ok(())
}

/// Everybody who can or could log in.
pub fn accounts(conn: &Connection) -> Result<Vec<Account>> {
    let mut rows = conn.prepare(
        "select name, role, disabled_at is not null, password_hash, totp is not null from staff order by id",
    )?;
    rows.query_map([], |row| {
        Ok(Account {
            name: row.get(0)?,
            role: row.get(1)?,
            disabled: row.get(2)?,
            password_hash: row.get(3)?,
            totp: row.get(4)?,
        })
    })?
    .collect()
}

fn read(row: &Row<'_>) -> Result<Backup> {
    Ok(Backup {
        id: row.get("id")?,
        at: row.get("at")?,
        file: row.get("file")?,
        bytes: row.get("bytes")?,
        orders: row.get("orders")?,
        last_order_at: row.get("last_order_at")?,
        took_ms: row.get("took_ms")?,
        problem: row.get("problem")?,
        broken: row.get("broken")?,
        who: row.get("who")?,
    })
}
