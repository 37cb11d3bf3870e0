//! SQL of staff, their sessions and the audit log.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Role, Staff};
use crate::clock::DAY;
use crate::db::Tx;
use crate::ids::StaffId;

fn read_staff(row: &Row<'_>) -> Result<Staff> {
    Ok(Staff { id: row.get("id")?, name: row.get("name")?, role: row.get("role")?, ip: String::new() })
}

pub fn count(conn: &Connection) -> Result<i64> {
    conn.prepare_cached("select count(*) from staff")?.query_row([], |row| row.get(0))
}

pub fn by_name(conn: &Connection, name: &str) -> Result<Option<(Staff, String)>> {
    conn.prepare_cached("select id, name, role, password_hash from staff where name = ?1")?
        .query_row([name], |row| Ok((read_staff(row)?, row.get("password_hash")?)))
        .optional()
}

/// Everybody, with their last login.
pub fn all(conn: &Connection) -> Result<Vec<(Staff, Option<i64>)>> {
    let mut rows = conn.prepare_cached("select id, name, role, last_login_at from staff order by id")?;
    rows.query_map([], |row| Ok((read_staff(row)?, row.get("last_login_at")?)))?.collect()
}

pub fn insert(tx: &Tx, name: &str, role: Role, password_hash: &str, now: i64) -> Result<StaffId> {
    tx.prepare_cached("insert into staff (name, role, password_hash, created_at) values (?1, ?2, ?3, ?4)")?
        .execute(params![name, role, password_hash, now])?;
    Ok(StaffId(tx.last_insert_rowid()))
}

/// Sets a new password and ends all sessions; false when there is no such account.
pub fn set_password(tx: &Tx, name: &str, password_hash: &str) -> Result<bool> {
    let changed = tx
        .prepare_cached("update staff set password_hash = ?2 where name = ?1")?
        .execute(params![name, password_hash])?;
    tx.prepare_cached("delete from staff_sessions where staff_id = (select id from staff where name = ?1)")?
        .execute([name])?;
    forget_failures(tx, name)?;
    Ok(changed == 1)
}

pub fn set_last_login(tx: &Tx, id: StaffId, ip: &str, now: i64) -> Result<()> {
    tx.prepare_cached("update staff set last_login_at = ?2, last_login_ip = ?3 where id = ?1")?
        .execute(params![id, now, ip])?;
    Ok(())
}

// ── sessions ──

pub fn session(conn: &Connection, token_hash: &[u8], now: i64) -> Result<Option<(Staff, i64)>> {
    conn.prepare_cached(
        "select s.id, s.name, s.role, n.expires_at
           from staff_sessions n join staff s on s.id = n.staff_id
          where n.token_hash = ?1 and n.expires_at > ?2",
    )?
    .query_row(params![token_hash, now], |row| Ok((read_staff(row)?, row.get("expires_at")?)))
    .optional()
}

pub fn insert_session(tx: &Tx, token_hash: &[u8], id: StaffId, ip: &str, now: i64, expires_at: i64) -> Result<()> {
    tx.prepare_cached(
        "insert into staff_sessions (token_hash, staff_id, created_at, expires_at, ip) values (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![token_hash, id, now, expires_at, ip])?;
    Ok(())
}

pub fn extend_session(tx: &Tx, token_hash: &[u8], expires_at: i64) -> Result<()> {
    tx.prepare_cached("update staff_sessions set expires_at = ?2 where token_hash = ?1")?
        .execute(params![token_hash, expires_at])?;
    Ok(())
}

pub fn delete_session(tx: &Tx, token_hash: &[u8]) -> Result<()> {
    tx.prepare_cached("delete from staff_sessions where token_hash = ?1")?.execute([token_hash])?;
    Ok(())
}

// ── throttle ──

pub fn insert_failure(tx: &Tx, account: &str, ip: &str, now: i64) -> Result<()> {
    let account: String = account.chars().take(64).collect();
    tx.prepare_cached("insert into login_failures (account, ip, at) values (?1, ?2, ?3)")?
        .execute(params![account, ip, now])?;
    Ok(())
}

/// Of the last `n` failures since `since`: the first and the last one. The first is `None` while there are fewer.
pub fn nth_failure(
    conn: &Connection,
    account: Option<&str>,
    ip: Option<&str>,
    since: i64,
    n: i64,
) -> Result<(Option<i64>, Option<i64>)> {
    conn.prepare_cached(
        "select case when count(*) = ?4 then min(at) end, max(at)
           from (select at from login_failures
                  where (?1 is null or account = ?1) and (?2 is null or ip = ?2) and at > ?3
                  order by at desc limit ?4)",
    )?
    .query_row(params![account, ip, since, n], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub fn forget_failures(tx: &Tx, account: &str) -> Result<()> {
    tx.prepare_cached("delete from login_failures where account = ?1")?.execute([account])?;
    Ok(())
}

pub fn forget_stale(tx: &Tx, now: i64) -> Result<()> {
    tx.prepare_cached("delete from login_failures where at < ?1")?.execute([now - DAY])?;
    tx.prepare_cached("delete from staff_sessions where expires_at <= ?1")?.execute([now])?;
    tx.prepare_cached("delete from setup_links where expires_at <= ?1")?.execute([now])?;
    Ok(())
}

// ── set-up link ──

pub fn put_setup_link(tx: &Tx, token_hash: &[u8], expires_at: i64) -> Result<()> {
    delete_setup_links(tx)?;
    tx.prepare_cached("insert into setup_links (token_hash, expires_at) values (?1, ?2)")?
        .execute(params![token_hash, expires_at])?;
    Ok(())
}

pub fn setup_link_is_good(conn: &Connection, token_hash: &[u8], now: i64) -> Result<bool> {
    conn.prepare_cached("select 1 from setup_links where token_hash = ?1 and expires_at > ?2")?
        .exists(params![token_hash, now])
}

pub fn delete_setup_links(tx: &Tx) -> Result<()> {
    tx.prepare_cached("delete from setup_links")?.execute([])?;
    Ok(())
}

// ── audit ──

pub fn insert_audit(tx: &Tx, id: Option<StaffId>, who: &str, ip: &str, what: &str, now: i64) -> Result<()> {
    tx.prepare_cached("insert into audit_log (at, staff_id, who, ip, what) values (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![now, id, who, ip, what])?;
    Ok(())
}

/// When, who, from where, what; newest first.
pub fn audit_log(conn: &Connection, limit: i64) -> Result<Vec<(i64, String, String, String)>> {
    let mut rows = conn.prepare_cached("select at, who, ip, what from audit_log order by id desc limit ?1")?;
    rows.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
}

// ── what each person keeps for themselves ──

/// Saved filters of the list of orders: number, name, query.
pub fn views(conn: &Connection, id: StaffId) -> Result<Vec<(i64, String, String)>> {
    let mut rows = conn.prepare_cached("select id, name, query from order_views where staff_id = ?1 order by id")?;
    rows.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

pub fn put_view(tx: &Tx, id: StaffId, name: &str, query: &str) -> Result<()> {
    tx.prepare_cached(
        "insert into order_views (staff_id, name, query) values (?1, ?2, ?3)
         on conflict (staff_id, name) do update set query = excluded.query",
    )?
    .execute(params![id, name, query])?;
    Ok(())
}

pub fn delete_view(tx: &Tx, id: StaffId, view: i64) -> Result<()> {
    tx.prepare_cached("delete from order_views where staff_id = ?1 and id = ?2")?.execute(params![id, view])?;
    Ok(())
}
