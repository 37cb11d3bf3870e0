//! Logging in to the console, and the one-time link that makes the first owner.

use super::{Role, SESSION, Staff, password, store, throttle, totp};
use crate::clock::{DAY, MINUTE};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::StaffId;
use crate::secrets::token_hash;
use crate::shop::Shop;
use crate::typed::Length;

/// How long the set-up link is good.
pub const LINK_LIFE: i64 = LINK_MINUTES * MINUTE;
pub const LINK_MINUTES: i64 = 30;

/// What somebody gives to get in, and from where.
#[derive(Clone, Default)]
pub struct LoginAttempt {
    pub account: String,
    pub password: String,
    /// The second factor, of those who have one.
    pub code: String,
    pub ip: String,
    pub browser: String,
}

/// Somebody is in.
pub struct Entered {
    pub token: String,
    /// When and from where this account was last used.
    pub last: Option<(i64, String)>,
}

/// Opens a session. Wrong account, wrong password and wrong code are told apart by nobody.
pub async fn login(shop: &Shop, attempt: LoginAttempt) -> Result<Entered> {
    let (name, from) = (attempt.account.trim().to_owned(), attempt.ip.clone());
    let guess = {
        let (name, from) = (name.clone(), from.clone());
        move |tx: &Tx| {
            throttle::count(tx, &name, &from)?;
            Ok(store::by_name(tx, &name)?)
        }
    };
    let found = shop.write(guess).await?;
    let right = password::matches(attempt.password, found.as_ref().map(|known| known.password_hash.clone())).await?;
    let now = shop.now();
    let second = found.as_ref().map_or(Ok(None), |known| second_factor(shop, known, &attempt.code, now))?;
    let token = shop.nonces.token();
    let session = store::Session {
        token_hash: token_hash(&token),
        created_at: now,
        seen_at: now,
        expires_at: now + SESSION,
        ip: from.clone(),
        browser: attempt.browser,
    };
    let write = move |tx: &Tx| {
        let known = found.as_ref().filter(|known| right && !known.disabled);
        let entered = match (known, second) {
            (Some(known), Some(step)) if step == 0 || store::use_totp_step(tx, known.staff.id, step)? => known,
            _ => return Ok(None),
        };
        store::forget_failures(tx, &name)?;
        store::insert_session(tx, entered.staff.id, &session)?;
        store::set_last_login(tx, entered.staff.id, &from)?;
        audit(tx, &Staff { ip: from.clone(), ..entered.staff.clone() }, "登录后台")?;
        Ok(Some(entered.last.clone()))
    };
    match shop.write(write).await? {
        Some(last) => Ok(Entered { token, last }),
        None => Err(Error::from(Code::Unauthenticated).says("账号、密码或动态码不正确")),
    }
}

/// The step of a right code, 0 when none is asked for, `None` when it is wrong.
fn second_factor(shop: &Shop, known: &store::Credentials, code: &str, now: i64) -> Result<Option<i64>> {
    let Some(sealed) = &known.totp else { return Ok(Some(0)) };
    let lost = || {
        Error::from(Code::Internal)
            .says("两步验证的密钥打不开（secret.key 换过了）。请在服务器上运行 xiaopu staff reset-totp 账号")
    };
    let secret = shop.key.open(&totp_name(known.staff.id), sealed).ok_or_else(lost)?;
    Ok(totp::step_of(&secret, code, known.totp_step, now))
}

/// Under which name somebody's secret is sealed.
pub fn totp_name(id: StaffId) -> String {
    format!("staff.{id}.totp")
}

/// Writes down who did what. Part of the transaction that does it.
pub fn audit(tx: &Tx, staff: &Staff, what: &str) -> rusqlite::Result<()> {
    store::insert_audit(tx, Some(staff.id), &staff.name, &staff.ip, what)
}

/// A new set-up link, while nobody is staff yet; an older one dies. `None` once somebody is.
pub async fn setup_link(shop: &Shop) -> Result<Option<String>> {
    let token = shop.nonces.token();
    let hash = token_hash(&token);
    let write = move |tx: &Tx| {
        if store::count(tx)? > 0 {
            return Ok(false);
        }
        store::put_setup_link(tx, &hash, tx.now() + LINK_LIFE)?;
        Ok(true)
    };
    Ok(shop.write(write).await?.then_some(token))
}

/// Whether this link can still be used.
pub async fn link_is_good(shop: &Shop, token: &str) -> Result<bool> {
    let (hash, now) = (token_hash(token), shop.now());
    shop.read(move |conn| Ok(store::setup_link_is_good(conn, &hash, now)?)).await
}

/// Uses the link: makes the owner. The link dies with it.
pub async fn make_owner(shop: &Shop, token: &str, name: &str, given: String) -> Result<()> {
    let name = check_name(name)?;
    password::check(&given, &name)?;
    let password_hash = password::hash(given).await?;
    let hash = token_hash(token);
    let write = move |tx: &Tx| {
        if !store::setup_link_is_good(tx, &hash, tx.now())? || store::count(tx)? > 0 {
            return Err(
                Error::from(Code::NotFound).says("这个设置链接已经用过或过期，请在服务器上重新启动小铺得到新链接")
            );
        }
        store::delete_setup_links(tx)?;
        let id = store::insert(tx, &name, Role::Owner, &password_hash)?;
        Ok(store::insert_audit(tx, Some(id), &name, "", "通过一次性链接建立店主账号")?)
    };
    shop.write(write).await
}

/// An invitation is good this long.
pub const INVITATION_LIFE: i64 = INVITATION_DAYS * DAY;
pub const INVITATION_DAYS: i64 = 3;

/// Invites somebody to an account of their own; answers with the token of the link.
pub async fn invite(shop: &Shop, owner: &Staff, name: &str, role: Role) -> Result<String> {
    let name = check_name(name)?;
    let (token, owner) = (shop.nonces.token(), owner.clone());
    let hash = token_hash(&token);
    let write = move |tx: &Tx| {
        if store::by_name(tx, &name)?.is_some() {
            return Err(Error::field("account", format!("账号 {name} 已经存在")));
        }
        let invitation = store::Invitation { name: name.clone(), role, expires_at: tx.now() + INVITATION_LIFE };
        store::put_invitation(tx, &hash, &invitation)?;
        Ok(audit(tx, &owner, &format!("邀请 {} 任{}", invitation.name, role.text()))?)
    };
    shop.write(write).await?;
    Ok(token)
}

/// Takes an invitation up: makes the account. The link dies with it.
pub async fn accept(shop: &Shop, token: &str, given: String) -> Result<String> {
    let (hash, now) = (token_hash(token), shop.now());
    let gone = || Error::from(Code::NotFound).says("邀请链接已经用过或过期，请让店主重新邀请");
    let known = {
        let hash = hash.clone();
        shop.read(move |conn| Ok(store::invitation(conn, &hash, now)?)).await?.ok_or_else(gone)?
    };
    password::check(&given, &known.name)?;
    let password_hash = password::hash(given).await?;
    let write = move |tx: &Tx| {
        let Some(invitation) = store::invitation(tx, &hash, tx.now())? else { return Err(gone()) };
        store::delete_invitation(tx, &invitation.name)?;
        let id = store::insert(tx, &invitation.name, invitation.role, &password_hash)?;
        let what = format!("接受邀请，任{}", invitation.role.text());
        store::insert_audit(tx, Some(id), &invitation.name, "", &what)?;
        Ok(invitation.name)
    };
    shop.write(write).await
}

pub const NAME: Length = Length::between(1, 32);

/// An account name: without blanks.
pub fn check_name(name: &str) -> Result<String> {
    let name = name.trim();
    let fine = NAME.fits_line(name) && !name.chars().any(char::is_whitespace);
    let wrong = || Error::field("account", format!("账号应为 {NAME}，不含空格"));
    if fine { Ok(name.to_owned()) } else { Err(wrong()) }
}
