//! SQL of buyers, their logins and their addresses.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::Buyer;
use super::addresses::{Address, Saved};
use crate::clock::MINUTE;
use crate::db::{Kept, Tx};
use crate::ids::{AddressId, BuyerId};

/// WeChat forgets a code after five minutes.
const CODE_LIFE: i64 = 10 * MINUTE;

pub fn session(conn: &Connection, token_hash: &[u8], now: i64) -> Result<Option<(Buyer, i64)>> {
    conn.prepare_cached(
        "select b.id, b.app_id, b.openid, s.expires_at
           from buyer_sessions s join buyers b on b.id = s.buyer_id
          where s.token_hash = ?1 and s.expires_at > ?2",
    )?
    .query_row(params![token_hash, now], |row| Ok((read_buyer(row)?, row.get("expires_at")?)))
    .optional()
}

fn read_buyer(row: &Row<'_>) -> Result<Buyer> {
    Ok(Buyer { id: row.get("id")?, app_id: row.get("app_id")?, openid: row.get("openid")? })
}

pub fn extend_session(tx: &Tx, token_hash: &[u8], expires_at: i64) -> Result<()> {
    tx.prepare_cached("update buyer_sessions set expires_at = ?2 where token_hash = ?1")?
        .execute(params![token_hash, expires_at])?;
    Ok(())
}

pub fn insert_session(tx: &Tx, token_hash: &[u8], buyer: BuyerId, expires_at: i64) -> Result<()> {
    tx.prepare_cached("insert into buyer_sessions (token_hash, buyer_id, expires_at) values (?1, ?2, ?3)")?
        .execute(params![token_hash, buyer, expires_at])?;
    Ok(())
}

pub fn delete_session(tx: &Tx, token_hash: &[u8]) -> Result<()> {
    tx.outdate(Kept::Logins);
    tx.prepare_cached("delete from buyer_sessions where token_hash = ?1")?.execute([token_hash])?;
    Ok(())
}

/// Hashes of logins and of codes that are out of date.
pub type Stale = [Vec<Vec<u8>>; 2];

/// What is out of date at this moment, at most so many of each. All rows are looked at, so the writer has no part in it.
pub fn stale(conn: &Connection, now: i64, limit: i64) -> Result<Stale> {
    let find = |sql: &str, before: i64| -> Result<Vec<Vec<u8>>> {
        conn.prepare_cached(sql)?.query_map([before, limit], |row| row.get(0))?.collect()
    };
    Ok([
        find("select token_hash from buyer_sessions where expires_at <= ?1 limit ?2", now)?,
        find("select code_hash from login_codes where used_at < ?1 limit ?2", now - CODE_LIFE)?,
    ])
}

/// Forgets them, but for logins that were used again meanwhile.
pub fn forget(tx: &Tx, [sessions, codes]: &Stale) -> Result<()> {
    let mut session = tx.prepare_cached("delete from buyer_sessions where token_hash = ?1 and expires_at <= ?2")?;
    sessions.iter().try_for_each(|hash| session.execute(params![hash, tx.now()]).map(drop))?;
    let mut code = tx.prepare_cached("delete from login_codes where code_hash = ?1")?;
    codes.iter().try_for_each(|hash| code.execute([hash]).map(drop))
}

/// False when this code was used before.
pub fn use_code(tx: &Tx, code_hash: &[u8]) -> Result<bool> {
    let inserted = tx
        .prepare_cached("insert into login_codes (code_hash, used_at) values (?1, ?2) on conflict do nothing")?
        .execute(params![code_hash, tx.now()])?;
    Ok(inserted == 1)
}

/// The buyer with this openid, and whether they are new.
pub fn buyer_with(tx: &Tx, app_id: &str, openid: &str) -> Result<(BuyerId, bool)> {
    let found = tx
        .prepare_cached("select id from buyers where app_id = ?1 and openid = ?2")?
        .query_row([app_id, openid], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok((id, false));
    }
    tx.prepare_cached("insert into buyers (app_id, openid, created_at) values (?1, ?2, ?3)")?.execute(params![
        app_id,
        openid,
        tx.now()
    ])?;
    Ok((BuyerId(tx.last_insert_rowid()), true))
}

pub fn openid(conn: &Connection, id: BuyerId) -> Result<String> {
    conn.prepare_cached("select openid from buyers where id = ?1")?.query_row([id], |row| row.get(0))
}

/// Staff have decided that this buyer may not order.
pub fn is_blocked(conn: &Connection, id: BuyerId) -> Result<bool> {
    conn.prepare_cached("select blocked_at is not null from buyers where id = ?1")?.query_row([id], |row| row.get(0))
}

pub fn exists(conn: &Connection, id: BuyerId) -> Result<bool> {
    conn.prepare_cached("select 1 from buyers where id = ?1")?.exists([id])
}

/// Nickname and avatar.
pub fn profile(conn: &Connection, id: BuyerId) -> Result<(String, String)> {
    conn.prepare_cached("select nickname, avatar_url from buyers where id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub fn set_profile(tx: &Tx, id: BuyerId, nickname: &str, avatar_url: &str) -> Result<()> {
    tx.prepare_cached("update buyers set nickname = ?2, avatar_url = ?3 where id = ?1")?
        .execute(params![id, nickname, avatar_url])?;
    Ok(())
}

// ── addresses ──

pub fn addresses(conn: &Connection, buyer: BuyerId) -> Result<Vec<Saved>> {
    let mut rows =
        conn.prepare_cached("select * from addresses where buyer_id = ?1 order by is_default desc, id desc")?;
    rows.query_map([buyer], read_address)?.collect()
}

pub fn address(conn: &Connection, buyer: BuyerId, id: AddressId) -> Result<Option<Saved>> {
    conn.prepare_cached("select * from addresses where buyer_id = ?1 and id = ?2")?
        .query_row(params![buyer, id], read_address)
        .optional()
}

fn read_address(row: &Row<'_>) -> Result<Saved> {
    Ok(Saved {
        id: row.get("id")?,
        is_default: row.get("is_default")?,
        address: Address {
            receiver: row.get("receiver")?,
            phone: row.get("phone")?,
            province: row.get("province")?,
            city: row.get("city")?,
            district: row.get("district")?,
            detail: row.get("detail")?,
            postcode: row.get("postcode")?,
        },
    })
}

pub fn count_addresses(conn: &Connection, buyer: BuyerId) -> Result<i64> {
    conn.prepare_cached("select count(*) from addresses where buyer_id = ?1")?.query_row([buyer], |row| row.get(0))
}

pub fn insert_address(tx: &Tx, buyer: BuyerId, a: &Address) -> Result<AddressId> {
    tx.prepare_cached(
        "insert into addresses (id, buyer_id, receiver, phone, province, city, district, detail, postcode)
         values (?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        buyer,
        a.receiver,
        a.phone,
        a.province,
        a.city,
        a.district,
        a.detail,
        a.postcode,
        tx.fresh_id("addresses")?
    ])?;
    Ok(AddressId(tx.last_insert_rowid()))
}

pub fn update_address(tx: &Tx, buyer: BuyerId, id: AddressId, a: &Address) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update addresses
                set receiver = ?3, phone = ?4, province = ?5, city = ?6, district = ?7, detail = ?8, postcode = ?9
              where buyer_id = ?1 and id = ?2",
        )?
        .execute(params![buyer, id, a.receiver, a.phone, a.province, a.city, a.district, a.detail, a.postcode])?;
    Ok(changed == 1)
}

pub fn delete_address(tx: &Tx, buyer: BuyerId, id: AddressId) -> Result<bool> {
    let deleted =
        tx.prepare_cached("delete from addresses where buyer_id = ?1 and id = ?2")?.execute(params![buyer, id])?;
    Ok(deleted == 1)
}

/// Makes this one, or with `None` no one, the default.
pub fn set_default(tx: &Tx, buyer: BuyerId, id: Option<AddressId>) -> Result<()> {
    tx.prepare_cached("update addresses set is_default = 0 where buyer_id = ?1 and is_default = 1")?
        .execute([buyer])?;
    if let Some(id) = id {
        tx.prepare_cached("update addresses set is_default = 1 where buyer_id = ?1 and id = ?2")?
            .execute(params![buyer, id])?;
    }
    Ok(())
}
