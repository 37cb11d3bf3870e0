//! SQL of staff, their sessions and the audit log.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use sha2::{Digest, Sha256};

use super::{Lists, Role, Staff};
use crate::clock::DAY;
use crate::db::Tx;
use crate::ids::StaffId;

fn read_staff(row: &Row<'_>) -> Result<Staff> {
    Ok(Staff {
        id: row.get("id")?,
        name: row.get("name")?,
        role: row.get("role")?,
        ip: String::new(),
        lists: Lists {
            rows: row.get("page_size")?,
            order_table: row.get("order_table")?,
            order_columns: row.get("order_columns")?,
            product_columns: row.get("product_columns")?,
        },
    })
}

pub fn count(conn: &Connection) -> Result<i64> {
    conn.prepare_cached("select count(*) from staff")?.query_row([], |row| row.get(0))
}

/// What a login is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub staff: Staff,
    pub password_hash: String,
    /// The sealed secret of the second factor, and the last step it was used at.
    pub totp: Option<Vec<u8>>,
    pub totp_step: i64,
    /// When and from where somebody was last logged in.
    pub last: Option<(i64, String)>,
    pub disabled: bool,
}

pub fn by_name(conn: &Connection, name: &str) -> Result<Option<Credentials>> {
    conn.prepare_cached("select * from staff where name = ?1")?
        .query_row([name], |row| {
            let (at, ip): (Option<i64>, Option<String>) = (row.get("last_login_at")?, row.get("last_login_ip")?);
            Ok(Credentials {
                staff: read_staff(row)?,
                password_hash: row.get("password_hash")?,
                totp: row.get("totp")?,
                totp_step: row.get("totp_step")?,
                last: at.map(|at| (at, ip.unwrap_or_default())),
                disabled: row.get::<_, Option<i64>>("disabled_at")?.is_some(),
            })
        })
        .optional()
}

/// Somebody of the staff, for the list of them.
#[derive(Clone, Debug)]
pub struct Member {
    pub staff: Staff,
    pub last_login_at: Option<i64>,
    pub seen_at: Option<i64>,
    pub has_totp: bool,
    pub disabled_at: Option<i64>,
}

/// Everybody, in the order in which they came.
pub fn all(conn: &Connection) -> Result<Vec<Member>> {
    let mut rows = conn.prepare_cached(
        "select s.*, (select max(seen_at) from staff_sessions n where n.staff_id = s.id) as seen_at from staff s order by id",
    )?;
    rows.query_map([], |row| {
        Ok(Member {
            staff: read_staff(row)?,
            last_login_at: row.get("last_login_at")?,
            seen_at: row.get("seen_at")?,
            has_totp: row.get::<_, Option<Vec<u8>>>("totp")?.is_some(),
            disabled_at: row.get("disabled_at")?,
        })
    })?
    .collect()
}

pub fn by_id(conn: &Connection, id: StaffId) -> Result<Option<Member>> {
    Ok(all(conn)?.into_iter().find(|member| member.staff.id == id))
}

pub fn set_role(tx: &Tx, id: StaffId, role: Role) -> Result<()> {
    tx.prepare_cached("update staff set role = ?2 where id = ?1")?.execute(params![id, role])?;
    Ok(())
}

/// Shuts somebody out, or lets them in again.
pub fn set_disabled(tx: &Tx, id: StaffId, since: Option<i64>) -> Result<()> {
    tx.prepare_cached("update staff set disabled_at = ?2 where id = ?1")?.execute(params![id, since])?;
    Ok(())
}

/// Whether anybody of this shop has a second factor.
pub fn any_totp(conn: &Connection) -> Result<bool> {
    conn.prepare_cached("select exists (select 1 from staff where totp is not null)")?.query_row([], |row| row.get(0))
}

pub fn set_totp(tx: &Tx, id: StaffId, sealed: Option<&[u8]>) -> Result<()> {
    tx.prepare_cached("update staff set totp = ?2, totp_step = 0 where id = ?1")?.execute(params![id, sealed])?;
    Ok(())
}

/// False when this step, or a later one, was used meanwhile.
pub fn use_totp_step(tx: &Tx, id: StaffId, step: i64) -> Result<bool> {
    let changed = tx
        .prepare_cached("update staff set totp_step = ?2 where id = ?1 and totp_step < ?2")?
        .execute(params![id, step])?;
    Ok(changed == 1)
}

pub fn insert(tx: &Tx, name: &str, role: Role, password_hash: &str) -> Result<StaffId> {
    tx.prepare_cached("insert into staff (name, role, password_hash, created_at) values (?1, ?2, ?3, ?4)")?
        .execute(params![name, role, password_hash, tx.now()])?;
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

pub fn set_password_hash(tx: &Tx, id: StaffId, password_hash: &str) -> Result<()> {
    tx.prepare_cached("update staff set password_hash = ?2 where id = ?1")?.execute(params![id, password_hash])?;
    Ok(())
}

pub fn set_last_login(tx: &Tx, id: StaffId, ip: &str) -> Result<()> {
    tx.prepare_cached("update staff set last_login_at = ?2, last_login_ip = ?3 where id = ?1")?.execute(params![
        id,
        tx.now(),
        ip
    ])?;
    Ok(())
}

pub fn set_lists(tx: &Tx, id: StaffId, lists: &Lists) -> Result<()> {
    tx.prepare_cached(
        "update staff set page_size = ?2, order_table = ?3, order_columns = ?4, product_columns = ?5 where id = ?1",
    )?
    .execute(params![id, lists.rows, lists.order_table, lists.order_columns, lists.product_columns])?;
    Ok(())
}

// ── sessions ──

pub fn session(conn: &Connection, token_hash: &[u8], now: i64) -> Result<Option<(Staff, i64)>> {
    conn.prepare_cached(
        "select s.id, s.name, s.role, s.page_size, s.order_table, s.order_columns, s.product_columns, n.expires_at
           from staff_sessions n join staff s on s.id = n.staff_id
          where n.token_hash = ?1 and n.expires_at > ?2 and s.disabled_at is null",
    )?
    .query_row(params![token_hash, now], |row| Ok((read_staff(row)?, row.get("expires_at")?)))
    .optional()
}

/// Where somebody is logged in.
#[derive(Clone, Debug)]
pub struct Session {
    pub token_hash: Vec<u8>,
    pub created_at: i64,
    pub seen_at: i64,
    pub expires_at: i64,
    pub ip: String,
    pub browser: String,
}

pub fn sessions(conn: &Connection, id: StaffId, now: i64) -> Result<Vec<Session>> {
    let mut rows = conn
        .prepare_cached("select * from staff_sessions where staff_id = ?1 and expires_at > ?2 order by seen_at desc")?;
    rows.query_map(params![id, now], |row| {
        Ok(Session {
            token_hash: row.get("token_hash")?,
            created_at: row.get("created_at")?,
            seen_at: row.get("seen_at")?,
            expires_at: row.get("expires_at")?,
            ip: row.get("ip")?,
            browser: row.get("browser")?,
        })
    })?
    .collect()
}

pub fn insert_session(tx: &Tx, id: StaffId, session: &Session) -> Result<()> {
    tx.prepare_cached(
        "insert into staff_sessions (token_hash, staff_id, created_at, seen_at, expires_at, ip, browser)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        session.token_hash,
        id,
        session.created_at,
        session.seen_at,
        session.expires_at,
        session.ip,
        session.browser
    ])?;
    Ok(())
}

pub fn extend_session(tx: &Tx, token_hash: &[u8], expires_at: i64) -> Result<()> {
    tx.prepare_cached("update staff_sessions set expires_at = ?2, seen_at = ?3 where token_hash = ?1")?
        .execute(params![token_hash, expires_at, tx.now()])?;
    Ok(())
}

/// Ends every session of somebody, but for the one that asks.
pub fn delete_sessions(tx: &Tx, id: StaffId, but: Option<&[u8]>) -> Result<usize> {
    tx.prepare_cached("delete from staff_sessions where staff_id = ?1 and token_hash is not ?2")?
        .execute(params![id, but])
}

pub fn delete_session(tx: &Tx, token_hash: &[u8]) -> Result<()> {
    tx.prepare_cached("delete from staff_sessions where token_hash = ?1")?.execute([token_hash])?;
    Ok(())
}

// ── throttle ──

pub fn insert_failure(tx: &Tx, account: &str, ip: &str) -> Result<()> {
    let account: String = account.chars().take(64).collect();
    tx.prepare_cached("insert into login_failures (account, ip, at) values (?1, ?2, ?3)")?.execute(params![
        account,
        ip,
        tx.now()
    ])?;
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

pub fn forget_stale(tx: &Tx) -> Result<()> {
    let now = tx.now();
    tx.prepare_cached("delete from login_failures where at < ?1")?.execute([now - DAY])?;
    tx.prepare_cached("delete from staff_sessions where expires_at <= ?1")?.execute([now])?;
    tx.prepare_cached("delete from setup_links where expires_at <= ?1")?.execute([now])?;
    tx.prepare_cached("delete from staff_invitations where expires_at <= ?1")?.execute([now])?;
    Ok(())
}

/// From where staff logged in lately.
pub fn latest_addresses(conn: &Connection, limit: i64) -> Result<Vec<String>> {
    conn.prepare_cached("select ip from staff_sessions order by created_at desc limit ?1")?
        .query_map([limit], |row| row.get(0))?
        .collect()
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

// ── invitations ──

/// Somebody who was asked to join.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub name: String,
    pub role: Role,
    pub expires_at: i64,
}

/// A newer invitation of the same name replaces the older.
pub fn put_invitation(tx: &Tx, token_hash: &[u8], invitation: &Invitation) -> Result<()> {
    tx.prepare_cached("delete from staff_invitations where name = ?1")?.execute([&invitation.name])?;
    tx.prepare_cached("insert into staff_invitations (token_hash, name, role, expires_at) values (?1, ?2, ?3, ?4)")?
        .execute(params![token_hash, invitation.name, invitation.role, invitation.expires_at])?;
    Ok(())
}

pub fn invitation(conn: &Connection, token_hash: &[u8], now: i64) -> Result<Option<Invitation>> {
    conn.prepare_cached("select * from staff_invitations where token_hash = ?1 and expires_at > ?2")?
        .query_row(params![token_hash, now], read_invitation)
        .optional()
}

pub fn invitations(conn: &Connection, now: i64) -> Result<Vec<Invitation>> {
    let mut rows = conn.prepare_cached("select * from staff_invitations where expires_at > ?1 order by expires_at")?;
    rows.query_map([now], read_invitation)?.collect()
}

fn read_invitation(row: &Row<'_>) -> Result<Invitation> {
    Ok(Invitation { name: row.get("name")?, role: row.get("role")?, expires_at: row.get("expires_at")? })
}

pub fn delete_invitation(tx: &Tx, name: &str) -> Result<()> {
    tx.prepare_cached("delete from staff_invitations where name = ?1")?.execute([name])?;
    Ok(())
}

// ── audit ──

/// An entry of the audit log. Each one's hash covers the one before, so that none can be taken out or changed unseen.
#[derive(Clone, Debug)]
pub struct Audit {
    pub id: i64,
    pub at: i64,
    pub who: String,
    pub ip: String,
    pub what: String,
    pub hash: Option<Vec<u8>>,
}

impl Audit {
    fn chained(&self, before: &[u8]) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(before);
        for part in [&self.at.to_string(), &self.who, &self.ip, &self.what] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().to_vec()
    }
}

pub fn insert_audit(tx: &Tx, id: Option<StaffId>, who: &str, ip: &str, what: &str) -> Result<()> {
    let now = tx.now();
    let (who, ip, what) = (who.to_owned(), ip.to_owned(), what.to_owned());
    let entry = Audit { id: 0, at: now, who, ip, what, hash: None };
    let before: Option<Option<Vec<u8>>> = tx
        .prepare_cached("select hash from audit_log order by id desc limit 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    tx.prepare_cached("insert into audit_log (at, staff_id, who, ip, what, hash) values (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            now,
            id,
            entry.who,
            entry.ip,
            entry.what,
            entry.chained(&before.flatten().unwrap_or_default())
        ])?;
    Ok(())
}

fn read_audit(row: &Row<'_>) -> Result<Audit> {
    Ok(Audit {
        id: row.get("id")?,
        at: row.get("at")?,
        who: row.get("who")?,
        ip: row.get("ip")?,
        what: row.get("what")?,
        hash: row.get("hash")?,
    })
}

/// Newest first: of this person, with these words in it, before this entry.
pub fn audit_log(
    conn: &Connection,
    who: Option<&str>,
    words: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Audit>> {
    let mut rows = conn.prepare_cached(
        "select * from audit_log
          where (?1 is null or who = ?1) and (?2 is null or instr(what, ?2) > 0) and (?3 is null or id < ?3)
          order by id desc limit ?4",
    )?;
    rows.query_map(params![who, words, before, limit], read_audit)?.collect()
}

/// The first entry that does not follow from the one before it, and how many were looked at.
pub fn audit_break(conn: &Connection) -> Result<(Option<i64>, i64)> {
    let mut rows = conn.prepare_cached("select * from audit_log order by id")?;
    let (mut before, mut seen): (Vec<u8>, i64) = (Vec::new(), 0);
    for entry in rows.query_map([], read_audit)? {
        let entry = entry?;
        seen += 1;
        match &entry.hash {
            Some(hash) if *hash == entry.chained(&before) => before.clone_from(hash),
            // Entries of before there was a chain.
            None if before.is_empty() => {}
            _ => return Ok((Some(entry.id), seen)),
        }
    }
    Ok((None, seen))
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

/// Keeps what this person did and may take back; what was done before `since` is forgotten.
pub fn put_undo(tx: &Tx, id: StaffId, what: &str, steps: &str, since: i64) -> Result<i64> {
    tx.prepare_cached("delete from undos where at < ?1")?.execute([since])?;
    tx.prepare_cached("insert into undos (staff_id, at, what, steps) values (?1, ?2, ?3, ?4)")?.execute(params![
        id,
        tx.now(),
        what,
        steps
    ])?;
    Ok(tx.last_insert_rowid())
}

/// What was done, and its steps: once, and by whoever did it.
pub fn take_undo(tx: &Tx, id: StaffId, undo: i64, since: i64) -> Result<Option<(String, String)>> {
    tx.prepare_cached("delete from undos where id = ?1 and staff_id = ?2 and at >= ?3 returning what, steps")?
        .query_row(params![undo, id, since], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// The steps of what was done after this, by anybody, and not taken back.
pub fn done_since(conn: &Connection, undo: i64) -> Result<Vec<String>> {
    let mut rows = conn.prepare_cached("select steps from undos where id > ?1 order by id")?;
    rows.query_map([undo], |row| row.get(0))?.collect()
}

pub fn delete_view(tx: &Tx, id: StaffId, view: i64) -> Result<()> {
    tx.prepare_cached("delete from order_views where staff_id = ?1 and id = ?2")?.execute(params![id, view])?;
    Ok(())
}
