//! Logging in to the console, and the one-time link that makes the first owner.

use super::{Role, SESSION, Staff, password, store};
use crate::clock::{self, MINUTE};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::secrets::token_hash;
use crate::shop::Shop;

const WINDOW: i64 = 10 * MINUTE;
const LOCK: i64 = 15 * MINUTE;
const PER_ACCOUNT: i64 = 5;
const PER_ADDRESS: i64 = 20;
/// How long the set-up link is good.
pub const LINK_LIFE: i64 = 30 * MINUTE;

/// Opens a session and answers with its token. Wrong account and wrong password are told apart by nobody.
pub async fn login(shop: &Shop, account: &str, given: String, ip: &str) -> Result<String> {
    let (now, name, from) = (shop.now(), account.trim().to_owned(), ip.to_owned());
    let read = {
        let (name, from) = (name.clone(), from.clone());
        move |conn: &rusqlite::Connection| {
            let since = now - WINDOW;
            let counts = [
                (store::nth_failure(conn, Some(&name), None, since - LOCK, PER_ACCOUNT)?, PER_ACCOUNT),
                (store::nth_failure(conn, None, Some(&from), since - LOCK, PER_ADDRESS)?, PER_ADDRESS),
            ];
            let locked_until = counts.iter().filter_map(|((first, last), _)| {
                // So many within the window: locked from the last of them on.
                first.filter(|first| last.unwrap_or(*first) - first < WINDOW).and(*last).map(|last| last + LOCK)
            });
            Ok::<_, Error>((store::by_name(conn, &name)?, locked_until.max()))
        }
    };
    let (found, locked_until) = shop.db.read(read).await?;
    if let Some(until) = locked_until.filter(|until| *until > now) {
        let words = format!("尝试次数过多，请 {} 后再试", clock::span(until - now + MINUTE));
        return Err(Error::from(Code::RateLimited).says(words).retry_after(((until - now) / 1000) as u64));
    }
    let hash = found.as_ref().map(|(_, hash)| hash.clone());
    let right = password::matches(given, hash).await?;
    let token = shop.nonces.token();
    let hash = token_hash(&token);
    let now = shop.now();
    let write = move |tx: &Tx| {
        let Some((mut staff, _)) = found.filter(|_| right) else {
            store::insert_failure(tx, &name, &from, now)?;
            return Ok(None);
        };
        store::forget_failures(tx, &name)?;
        store::insert_session(tx, &hash, staff.id, &from, now, now + SESSION)?;
        store::set_last_login(tx, staff.id, &from, now)?;
        staff.ip = from;
        audit(tx, &staff, "登录后台", now)?;
        Ok::<_, Error>(Some(()))
    };
    match shop.db.write(write).await? {
        Some(()) => Ok(token),
        None => Err(Error::from(Code::Unauthenticated).says("账号或密码不正确")),
    }
}

/// Writes down who did what. Part of the transaction that does it.
pub fn audit(tx: &Tx, staff: &Staff, what: &str, now: i64) -> rusqlite::Result<()> {
    store::insert_audit(tx, Some(staff.id), &staff.name, &staff.ip, what, now)
}

/// A new set-up link, while nobody is staff yet; an older one dies. `None` once somebody is.
pub async fn setup_link(shop: &Shop) -> Result<Option<String>> {
    let token = shop.nonces.token();
    let (hash, now) = (token_hash(&token), shop.now());
    let write = move |tx: &Tx| {
        if store::count(tx)? > 0 {
            return Ok(false);
        }
        store::put_setup_link(tx, &hash, now + LINK_LIFE)?;
        Ok::<_, Error>(true)
    };
    Ok(shop.db.write(write).await?.then_some(token))
}

/// Whether this link can still be used.
pub async fn link_is_good(shop: &Shop, token: &str) -> Result<bool> {
    let (hash, now) = (token_hash(token), shop.now());
    shop.db.read(move |conn| Ok::<_, Error>(store::setup_link_is_good(conn, &hash, now)?)).await
}

/// Uses the link: makes the owner. The link dies with it.
pub async fn make_owner(shop: &Shop, token: &str, name: &str, given: String) -> Result<()> {
    let name = check_name(name)?;
    password::check(&given, &name)?;
    let password_hash = password::hash(given).await?;
    let (hash, now) = (token_hash(token), shop.now());
    let write = move |tx: &Tx| {
        if !store::setup_link_is_good(tx, &hash, now)? || store::count(tx)? > 0 {
            return Err(
                Error::from(Code::NotFound).says("这个设置链接已经用过或过期，请在服务器上重新启动小铺得到新链接")
            );
        }
        store::delete_setup_links(tx)?;
        let id = store::insert(tx, &name, Role::Owner, &password_hash, now)?;
        Ok(store::insert_audit(tx, Some(id), &name, "", "通过一次性链接建立店主账号", now)?)
    };
    shop.db.write(write).await
}

/// An account name: 1 to 32 characters without blanks.
pub fn check_name(name: &str) -> Result<String> {
    let name = name.trim();
    let fine = (1..=32).contains(&name.chars().count()) && !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if fine { Ok(name.to_owned()) } else { Err(Error::field("account", "账号应为 1 到 32 个字，不含空格")) }
}
