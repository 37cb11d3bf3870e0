//! One's own account: password, second factor, and where one is logged in.

use qrcode::QrCode;
use qrcode::render::svg;
use rocket::http::{ContentType, CookieJar};
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::assets;
use crate::clock;
use crate::console::{Frame, back, framed, inside, refused, waiting};
use crate::db::{DbError, Tx};
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::secrets::token_hash;
use crate::shop::Shop;
use crate::staff::login::{audit, totp_name};
use crate::staff::store::Session;
use crate::staff::{COOKIE, PAGE_SIZES, Staff, password, store, throttle, totp};

pub fn routes() -> Vec<Route> {
    routes![page, set_lists, set_password, totp_page, totp_picture, enable_totp, disable_totp, log_out]
}

const HERE: &str = "/admin/account";

/// One's own account.
#[derive(Serialize)]
struct AccountPage {
    frame: Frame,
    totp: bool,
    sessions: Vec<SessionShown>,
    /// The least that a password has.
    shortest: usize,
}

/// A browser in which one is logged in.
#[derive(Serialize)]
struct SessionShown {
    id: String,
    browser: String,
    ip: String,
    since: String,
    /// How long ago.
    seen: String,
    here: bool,
}

impl SessionShown {
    fn of(session: &Session, mine: Option<&[u8]>, now: i64) -> SessionShown {
        SessionShown {
            id: hex::encode(&session.token_hash),
            browser: session.browser.clone(),
            ip: session.ip.clone(),
            since: clock::shown(session.created_at),
            seen: clock::span(now - session.seen_at.max(session.created_at)),
            here: mine == Some(&session.token_hash[..]),
        }
    }
}

#[get("/account")]
async fn page(
    shop: &State<Shop>,
    staff: Staff,
    jar: &CookieJar<'_>,
    flash: Option<FlashMessage<'_>>,
) -> Result<Template> {
    let (id, now, mine) = (staff.id, shop.now(), here(jar));
    let read = move |conn: &rusqlite::Connection| {
        Ok((store::by_id(conn, id)?, store::sessions(conn, id, now)?, waiting(conn)?))
    };
    let (member, sessions, waits) = shop.read(read).await?;
    let page = AccountPage {
        frame: framed(shop, &staff, "account", flash, waits),
        totp: member.is_some_and(|m| m.has_totp),
        sessions: sessions.iter().map(|session| SessionShown::of(session, mine.as_deref(), now)).collect(),
        shortest: password::SHORTEST,
    };
    Ok(assets::page("console/account.html", page))
}

fn here(jar: &CookieJar<'_>) -> Option<Vec<u8>> {
    jar.get(COOKIE).map(|cookie| token_hash(cookie.value()))
}

#[derive(FromForm)]
struct Passwords {
    old: String,
    new: String,
    again: String,
}

#[post("/account/password", data = "<form>")]
async fn set_password(shop: &State<Shop>, staff: Staff, jar: &CookieJar<'_>, form: Form<Passwords>) -> Flash<Redirect> {
    back(HERE, replace(shop, staff, here(jar), form.into_inner()).await.map(|()| "密码已改，其他地方的登录已失效"))
}

async fn replace(shop: &Shop, staff: Staff, mine: Option<Vec<u8>>, form: Passwords) -> Result<()> {
    if form.new != form.again {
        return Err(Error::field("again", "两次输入的新密码不一样"));
    }
    password::check(&form.new, &staff.name).map_err(|e| e.under("password", "new"))?;
    must_know(shop, &staff, form.old).await?;
    let hash = password::hash(form.new).await?;
    let write = move |tx: &Tx| {
        store::set_password_hash(tx, staff.id, &hash)?;
        store::delete_sessions(tx, staff.id, mine.as_deref())?;
        Ok(audit(tx, &staff, "修改自己的密码")?)
    };
    shop.write(write).await
}

/// Whoever finds an unlocked screen does not know the password.
async fn must_know(shop: &Shop, staff: &Staff, given: String) -> Result<()> {
    let (name, ip) = (staff.name.clone(), staff.ip.clone());
    let guess = move |tx: &Tx| {
        throttle::count(tx, &name, &ip)?;
        Ok(store::by_name(tx, &name)?)
    };
    let known = shop.write(guess).await?;
    if !password::matches(given, known.map(|known| known.password_hash)).await? {
        return Err(Error::field("old", "现在的密码不正确"));
    }
    let name = staff.name.clone();
    shop.write(move |tx| Ok(store::forget_failures(tx, &name)?)).await
}

// ── second factor ──

#[derive(Serialize)]
struct TotpPage {
    frame: Frame,
    sealed: String,
    /// In groups of four, for whoever types it.
    secret: String,
    /// There is one already, which only the password replaces.
    replaces: bool,
}

/// A secret that is not kept yet: it travels sealed in the form, and is kept once a code shows that the app has it.
#[get("/account/totp")]
async fn totp_page(shop: &State<Shop>, staff: Staff, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let secret = totp::secret(&shop.nonces);
    let sealed = hex::encode(shop.key.seal(&totp_name(staff.id), &secret, &shop.nonces));
    let spaced = secret.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
    let id = staff.id;
    let (member, waits) = shop.read(move |conn| Ok((store::by_id(conn, id)?, waiting(conn)?))).await?;
    let replaces = member.is_some_and(|member| member.has_totp);
    let page = TotpPage { frame: framed(shop, &staff, "account", flash, waits), sealed, secret: spaced, replaces };
    Ok(assets::page("console/totp.html", page))
}

#[get("/account/totp.svg?<sealed>")]
fn totp_picture(shop: &State<Shop>, staff: Staff, sealed: &str) -> Result<(ContentType, String)> {
    let secret = unsealed(shop, &staff, sealed)?;
    let uri = totp::uri(shop.settings().shop_name(), &staff.name, &secret);
    let code = QrCode::new(uri).map_err(|_| Code::Internal)?;
    Ok((ContentType::SVG, code.render::<svg::Color>().min_dimensions(200, 200).build()))
}

fn unsealed(shop: &Shop, staff: &Staff, sealed: &str) -> Result<String> {
    let bytes = hex::decode(sealed).ok();
    let stale = || Error::field("code", "页面已过期，请重新开始");
    bytes.and_then(|bytes| shop.key.open(&totp_name(staff.id), &bytes)).ok_or_else(stale)
}

#[derive(FromForm)]
struct Enable {
    sealed: String,
    code: String,
    /// Of whoever replaces a second factor by another.
    #[field(default = String::new())]
    password: String,
}

async fn has_totp(shop: &Shop, staff: &Staff) -> Result<bool> {
    let id = staff.id;
    let member = shop.read(move |conn| Ok(store::by_id(conn, id)?)).await?;
    Ok(member.is_some_and(|member| member.has_totp))
}

#[post("/account/totp", data = "<form>")]
async fn enable_totp(shop: &State<Shop>, staff: Staff, form: Form<Enable>) -> Flash<Redirect> {
    let done = async {
        let (secret, now) = (unsealed(shop, &staff, &form.sealed)?, shop.now());
        if has_totp(shop, &staff).await? {
            must_know(shop, &staff, form.password.clone()).await?;
        }
        let wrong = || Error::field("code", "动态码不正确，请核对手机时间后用新的码再试");
        let step = totp::step_of(&secret, &form.code, 0, now).ok_or_else(wrong)?;
        let sealed = shop.key.seal(&totp_name(staff.id), &secret, &shop.nonces);
        let write = move |tx: &Tx| {
            store::set_totp(tx, staff.id, Some(&sealed))?;
            // Its code opens nothing a second time.
            DbError::unless(store::use_totp_step(tx, staff.id, step)?, "a new second factor has been used")?;
            Ok(audit(tx, &staff, "开启自己的两步验证")?)
        };
        shop.write(write).await
    };
    match done.await {
        Ok(()) => back(HERE, Ok("两步验证已开启，下次登录要填动态码")),
        Err(e) => refused("/admin/account/totp", e),
    }
}

#[derive(FromForm)]
struct Password {
    password: String,
}

#[post("/account/totp/off", data = "<form>")]
async fn disable_totp(shop: &State<Shop>, staff: Staff, form: Form<Password>) -> Flash<Redirect> {
    let done = async {
        must_know(shop, &staff, form.into_inner().password).await?;
        let write = move |tx: &Tx| {
            store::set_totp(tx, staff.id, None)?;
            Ok(audit(tx, &staff, "关闭自己的两步验证")?)
        };
        shop.write(write).await
    };
    back(HERE, done.await.map(|()| "两步验证已关闭"))
}

// ── sessions ──

#[post("/account/sessions/<id>/end")]
async fn log_out(shop: &State<Shop>, staff: Staff, id: &str) -> Flash<Redirect> {
    let hash = hex::decode(id).unwrap_or_default();
    let write = move |tx: &Tx| {
        // One's own only.
        let own = store::sessions(tx, staff.id, 0)?.iter().any(|session| session.token_hash == hash);
        if own {
            store::delete_session(tx, &hash)?;
        }
        Ok(own)
    };
    let done = shop.write(write).await;
    let done = done.and_then(|own| if own { Ok("已下线") } else { Err(Code::NotFound.into()) });
    back(HERE, done)
}

#[derive(FromForm)]
struct ListsForm {
    rows: Option<i64>,
    order_table: Option<bool>,
    /// The table whose columns these are: `orders` or `products`.
    #[field(default = String::new())]
    columns_of: String,
    column: Vec<String>,
    back: String,
}

impl ListsForm {
    /// The chosen columns; the usual ones again when none is left. Words that are none were made up by somebody.
    fn columns(&self) -> Option<String> {
        let plain = |word: &&String| word.len() <= 20 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let words: Vec<&str> = self.column.iter().filter(plain).take(30).map(String::as_str).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }
}

/// How this person likes lists, from now on and everywhere; what is left out stays as it was.
#[post("/account/lists", data = "<form>")]
async fn set_lists(shop: &State<Shop>, staff: Staff, form: Form<ListsForm>) -> Result<Redirect> {
    let mut lists = staff.lists.clone();
    lists.rows = form.rows.unwrap_or(lists.rows);
    lists.order_table = form.order_table.unwrap_or(lists.order_table);
    match form.columns_of.as_str() {
        "orders" => lists.order_columns = form.columns(),
        "products" => lists.product_columns = form.columns(),
        _ => {}
    }
    if !PAGE_SIZES.contains(&lists.rows) {
        return Err(Error::field("rows", "每页只能是 20、50 或 100 行"));
    }
    shop.write(move |tx| Ok(store::set_lists(tx, staff.id, &lists)?)).await?;
    Ok(Redirect::to(inside(form.into_inner().back)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn pages_of_an_account_ask_for_nothing_that_they_are_not_given() {
        let session = Session {
            token_hash: vec![1, 2],
            browser: String::new(),
            ip: "127.0.0.1".into(),
            created_at: 1,
            seen_at: 0,
            expires_at: 0,
        };
        for yes in [true, false] {
            let mine = yes.then_some(&[1_u8, 2][..]);
            let page = AccountPage {
                frame: Frame::sample(Role::Packer),
                totp: yes,
                sessions: vec![SessionShown::of(&session, mine, 60_001)],
                shortest: password::SHORTEST,
            };
            let html = assets::strictly("console/account.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            // Whoever wants to leave the browser in front of him logs out.
            assert_eq!(html.contains("/admin/account/sessions/0102/end"), !yes);
            assert_eq!(html.contains("关闭两步验证"), yes);
            let (sealed, secret) = ("00ff".into(), "ABCD EFGH".into());
            let page = TotpPage { frame: Frame::sample(Role::Packer), sealed, secret, replaces: yes };
            let html = assets::strictly("console/totp.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("现在的密码"), yes);
        }
    }
}
