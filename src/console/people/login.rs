//! The way in and out: login, logout, invitations.

use rocket::form::Form;
use rocket::http::{Cookie, CookieJar, SameSite};
use rocket::request::{FromRequest, Outcome};
use rocket::response::{Flash, Redirect};
use rocket::time::Duration;
use rocket::{FromForm, Request, Route, State, get, post, routes, uri};
use rocket_dyn_templates::{Template, context};

use crate::assets;
use crate::clock::{self, SECOND};
use crate::console::{inside, words};
use crate::door::ClientIp;
use crate::error::Result;
use crate::secrets::token_hash;
use crate::shop::Shop;
use crate::staff::login::Attempt;
use crate::staff::{COOKIE, SESSION, Staff, login, store};

pub fn routes() -> Vec<Route> {
    routes![page, enter, leave, invited, accept]
}

#[get("/login?<next>")]
pub fn page(shop: &State<Shop>, next: Option<String>) -> Template {
    show(shop, next.as_deref(), "", None)
}

fn show(shop: &Shop, next: Option<&str>, account: &str, problem: Option<String>) -> Template {
    let settings = shop.settings();
    assets::page(
        "console/login.html",
        context! { shop: settings.shop_name(), demo: shop.demo.is_some(), next: next.unwrap_or_default(), account, problem },
    )
}

#[derive(FromForm)]
struct Credentials {
    account: String,
    password: String,
    #[field(default = String::new())]
    code: String,
    #[field(default = String::new())]
    next: String,
}

/// Whether the browser's own connection is encrypted, as far as the proxy in front says.
pub struct Encrypted(bool);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Encrypted {
    type Error = std::convert::Infallible;
    async fn from_request(request: &'r Request<'_>) -> Outcome<Encrypted, Self::Error> {
        let tls = request.rocket().config().tls_enabled();
        let forwarded = request.headers().get_one("X-Forwarded-Proto") == Some("https");
        Outcome::Success(Encrypted(tls || forwarded))
    }
}

/// What the browser calls itself, short enough for a list.
pub struct Browser(pub String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Browser {
    type Error = std::convert::Infallible;
    async fn from_request(request: &'r Request<'_>) -> Outcome<Browser, Self::Error> {
        let agent = request.headers().get_one("User-Agent").unwrap_or_default();
        let named = |names: &[&str]| names.iter().find(|name| agent.contains(*name)).map(|name| (*name).to_owned());
        // The more particular first: most browsers also call themselves Safari.
        let browser = named(&["MicroMessenger", "Edg", "Firefox", "Chrome", "Safari"]);
        let system = named(&["iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux"]);
        Outcome::Success(Browser([browser, system].into_iter().flatten().collect::<Vec<_>>().join(" · ")))
    }
}

/// Gives the browser the key to a session.
pub fn let_in(jar: &CookieJar<'_>, encrypted: &Encrypted, token: String) {
    let cookie = Cookie::build((COOKIE, token))
        .path("/admin")
        .http_only(true)
        .secure(encrypted.0)
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(SESSION / SECOND));
    jar.add(cookie);
}

#[post("/login", data = "<form>")]
async fn enter(
    shop: &State<Shop>,
    jar: &CookieJar<'_>,
    ip: ClientIp,
    browser: Browser,
    encrypted: Encrypted,
    form: Form<Credentials>,
) -> std::result::Result<Flash<Redirect>, Template> {
    let Credentials { account, password, code, next } = form.into_inner();
    let attempt = Attempt { account: account.clone(), password, code, ip: ip.0, browser: browser.0 };
    match login::login(shop, attempt).await {
        Ok(entered) => {
            let_in(jar, &encrypted, entered.token);
            let to = Redirect::to(inside(next));
            Ok(match entered.last {
                Some((at, from)) => Flash::new(to, "info", format!("上次登录 {}，来自 {from}", clock::shown(at))),
                None => Flash::success(to, "欢迎，这是第一次登录"),
            })
        }
        Err(e) => Err(show(shop, Some(&next), &account, Some(e.message()))),
    }
}

#[post("/logout")]
async fn leave(shop: &State<Shop>, _staff: Staff, jar: &CookieJar<'_>) -> Result<Redirect> {
    if let Some(cookie) = jar.get(COOKIE) {
        let hash = token_hash(cookie.value());
        shop.write(move |tx| Ok(store::delete_session(tx, &hash)?)).await?;
    }
    jar.remove(Cookie::build(COOKIE).path("/admin"));
    Ok(Redirect::to(uri!("/admin", page(Option::<String>::None))))
}

// ── invitations ──

#[get("/invite/<token>")]
async fn invited(shop: &State<Shop>, token: &str) -> Result<Template> {
    invitation(shop, token, None).await
}

async fn invitation(shop: &Shop, token: &str, problem: Option<String>) -> Result<Template> {
    let (hash, now) = (token_hash(token), shop.now());
    let found = shop.read(move |conn| Ok(store::invitation(conn, &hash, now)?)).await?;
    let settings = shop.settings();
    let context = context! {
        shop: settings.shop_name(), demo: shop.demo.is_some(), token, problem,
        name: found.as_ref().map(|i| i.name.clone()), role: found.as_ref().map(|i| i.role.text()),
    };
    Ok(assets::page("console/invite.html", context))
}

#[derive(FromForm)]
struct NewPassword {
    password: String,
    again: String,
}

/// Makes the account, and lets its person in.
#[post("/invite/<token>", data = "<form>")]
async fn accept(
    shop: &State<Shop>,
    jar: &CookieJar<'_>,
    ip: ClientIp,
    browser: Browser,
    encrypted: Encrypted,
    token: &str,
    form: Form<NewPassword>,
) -> Result<std::result::Result<Flash<Redirect>, Template>> {
    let form = form.into_inner();
    if form.password != form.again {
        return Ok(Err(invitation(shop, token, Some("两次输入的密码不一样".into())).await?));
    }
    match login::accept(shop, token, form.password.clone()).await {
        Ok(account) => {
            let attempt =
                Attempt { account, password: form.password, ip: ip.0, browser: browser.0, ..Attempt::default() };
            Ok(Ok(match login::login(shop, attempt).await {
                Ok(entered) => {
                    let_in(jar, &encrypted, entered.token);
                    Flash::success(Redirect::to("/admin"), "账号已建立，欢迎")
                }
                Err(_) => {
                    Flash::success(Redirect::to(uri!("/admin", page(Option::<String>::None))), "账号已建立，请登录")
                }
            }))
        }
        Err(e) => Ok(Err(invitation(shop, token, Some(words(&e))).await?)),
    }
}
