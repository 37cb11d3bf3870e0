//! SQL of the settings that the console keeps.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::db::Tx;

/// A stored value: plain, or sealed with the key file.
pub enum Stored {
    Plain(String),
    Sealed(Vec<u8>),
}

pub fn all(conn: &Connection) -> Result<Vec<(String, Stored)>> {
    let mut rows = conn.prepare_cached("select name, value, sealed from settings")?;
    let settings = rows.query_map([], |row| {
        let stored = match row.get::<_, Option<String>>("value")? {
            Some(value) => Stored::Plain(value),
            None => Stored::Sealed(row.get("sealed")?),
        };
        Ok((row.get("name")?, stored))
    })?;
    settings.collect()
}

pub fn put(tx: &Tx, name: &str, stored: &Stored) -> Result<()> {
    let (value, sealed) = match stored {
        Stored::Plain(value) => (Some(value), None),
        Stored::Sealed(sealed) => (None, Some(sealed)),
    };
    tx.prepare_cached(
        "insert into settings (name, value, sealed) values (?1, ?2, ?3)
         on conflict (name) do update set value = excluded.value, sealed = excluded.sealed",
    )?
    .execute(params![name, value, sealed])?;
    Ok(())
}

pub fn remove(tx: &Tx, name: &str) -> Result<()> {
    tx.prepare_cached("delete from settings where name = ?1")?.execute([name])?;
    Ok(())
}

pub fn exists(conn: &Connection, name: &str) -> Result<bool> {
    let mut row = conn.prepare_cached("select 1 from settings where name = ?1")?;
    row.query_row([name], |_| Ok(())).optional().map(|found| found.is_some())
}

/// What the last test of a part of the settings said.
#[derive(Clone, Debug)]
pub struct Tried {
    pub part: String,
    pub fine: bool,
    pub words: String,
    pub at: i64,
}

pub fn keep_trial(tx: &Tx, tried: &Tried) -> Result<()> {
    tx.prepare_cached("insert or replace into trials (part, fine, words, at) values (?1, ?2, ?3, ?4)")?
        .execute(params![tried.part, tried.fine, tried.words, tried.at])?;
    Ok(())
}

/// What was tested no longer stands there.
pub fn forget_trial(tx: &Tx, part: &str) -> Result<()> {
    tx.prepare_cached("delete from trials where part = ?1")?.execute([part])?;
    Ok(())
}

/// A clock that ran ahead dated tests for later than now, and nothing that comes would overtake them.
pub fn pull_in_trials(tx: &Tx) -> Result<()> {
    tx.prepare_cached("update trials set at = ?1 where at > ?1")?.execute([tx.now()])?;
    Ok(())
}

pub fn trials(conn: &Connection) -> Result<Vec<Tried>> {
    let mut rows = conn.prepare_cached("select part, fine, words, at from trials order by at")?;
    rows.query_map([], |row| {
        Ok(Tried { part: row.get("part")?, fine: row.get("fine")?, words: row.get("words")?, at: row.get("at")? })
    })?
    .collect()
}

/// Everything that is sealed with the key file, each under the name that is bound in: settings, second factors, and what
/// signs for other programs' addresses.
pub fn sealed(conn: &Connection) -> Result<Vec<(String, Vec<u8>)>> {
    conn.prepare(
        "select name, sealed from settings where sealed is not null
          union all select 'staff.' || id || '.totp', totp from staff where totp is not null
          union all select 'hook.' || url, secret from hooks where secret <> x''",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// Forgets everything that only the lost key file could open; answers with the settings that must be given again.
pub fn forget_sealed(tx: &Tx) -> Result<Vec<String>> {
    let names = tx
        .prepare("select name from settings where sealed is not null order by name")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_>>()?;
    tx.execute_batch(
        "delete from settings where sealed is not null;
         delete from key_changes;
         delete from former_keys;
         update staff set totp = null, totp_step = 0;
         update hooks set secret = x'', off_at = coalesce(off_at, 0), off_why = '签名密钥丢了，请删除后重新添加'",
    )?;
    Ok(names)
}

// ── merchant numbers ──

/// Whether this is the number that was noted last.
pub fn is_set_to(conn: &Connection, mch_id: &str) -> Result<bool> {
    conn.prepare_cached("select 1 from merchant_numbers where mch_id = ?1 and until is null")?.exists([mch_id])
}

/// Whether this is a merchant number of the shop, of today or before.
pub fn is_own(conn: &Connection, mch_id: &str) -> Result<bool> {
    conn.prepare_cached("select 1 from merchant_numbers where mch_id = ?1")?.exists([mch_id])
}

/// The shop is set to this merchant number from now on. One under which nothing was ever asked or came in, a slip of the
/// pen, was none of the shop's.
pub fn note_number(tx: &Tx, mch_id: &str) -> Result<()> {
    tx.prepare_cached("update merchant_numbers set until = ?2 where until is null and mch_id <> ?1")?
        .execute(params![mch_id, tx.now()])?;
    tx.prepare_cached(
        "insert into merchant_numbers (mch_id, since) values (?1, ?2) on conflict (mch_id) do update set until = null",
    )?
    .execute(params![mch_id, tx.now()])?;
    tx.prepare_cached(
        "delete from merchant_numbers
          where mch_id <> ?1 and not exists (select 1 from attempts a where a.mch_id = merchant_numbers.mch_id)
            and not exists (select 1 from strays s where s.mch_id = merchant_numbers.mch_id)",
    )?
    .execute([mch_id])?;
    // What was wrong with the keys of another number is wrong no more.
    tx.prepare_cached("delete from owner_alerts where kind not glob '*_unready'")?.execute([])?;
    Ok(())
}

// ── changes of key ──

/// What was sealed under this name when we last looked.
pub fn watched_key(conn: &Connection, name: &str) -> Result<Option<Vec<u8>>> {
    conn.prepare_cached("select now from key_changes where name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

/// What was sealed under this name before, the newest first, each with the moment at which it went out of use.
pub fn former_keys(conn: &Connection, name: &str) -> Result<Vec<(Vec<u8>, i64)>> {
    conn.prepare_cached("select sealed, ended_at from former_keys where name = ?1 order by id desc")?
        .query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Another one is in force from now on; the one before, if there was one, went out of use at this moment.
pub fn put_key_change(tx: &Tx, name: &str, now: &[u8], before: Option<&[u8]>) -> Result<()> {
    tx.prepare_cached("insert or replace into key_changes (name, now) values (?1, ?2)")?.execute(params![name, now])?;
    if let Some(before) = before {
        tx.prepare_cached("insert into former_keys (name, sealed, ended_at) values (?1, ?2, ?3)")?.execute(params![
            name,
            before,
            tx.now()
        ])?;
    }
    Ok(())
}

pub fn forget_keys_before(tx: &Tx, moment: i64) -> Result<()> {
    tx.prepare_cached("delete from former_keys where ended_at <= ?1")?.execute([moment])?;
    Ok(())
}
