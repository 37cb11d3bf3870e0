//! The way in and out: login, logout, invitations.

use rocket::http::{Cookie, CookieJar, SameSite};
use rocket::request::{FromRequest, Outcome};
use rocket::response::{Flash, Redirect};
use rocket::time::Duration;
use rocket::{FromForm, Request, Route, State, get, post, routes, uri};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::assets;
use crate::clock::{self, SECOND};
use crate::console::{inside, message};
use crate::door::client_ip;
use crate::door::form::Form;
use crate::error::{Error, Result};
use crate::say::say;
use crate::secrets::token_hash;
use crate::shop::Shop;
use crate::staff::login::{Entered, INVITATION_DAYS, LoginAttempt};
use crate::staff::password::SHORTEST;
use crate::staff::{COOKIE, SESSION, Staff, login, store};

pub fn routes() -> Vec<Route> {
    routes![page, enter, leave, invited, accept]
}

#[get("/login?<next>")]
pub async fn page(shop: &State<Shop>, next: Option<String>) -> Result<Template> {
    show(shop, next.as_deref(), "", None).await
}

#[derive(Serialize)]
struct LoginPage<'a> {
    shop: &'a str,
    demo: bool,
    /// Where to go then.
    next: &'a str,
    account: &'a str,
    problem: Option<String>,
    /// Somebody here has a second factor.
    coded: bool,
}

async fn show(shop: &Shop, next: Option<&str>, account: &str, problem: Option<String>) -> Result<Template> {
    let settings = shop.settings();
    // Of the shop, not of the account: whoever stands outside learns of no account whether it is there.
    let coded = shop.read(|conn| Ok(store::any_totp(conn)?)).await?;
    let page = LoginPage {
        shop: settings.shop_name(),
        demo: shop.demo.is_some(),
        next: next.unwrap_or_default(),
        account,
        problem,
        coded,
    };
    Ok(assets::page("console/login.html", page))
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

/// Where somebody stands who is to be let in: from where, in which browser, over what.
pub struct Doorstep<'r> {
    jar: &'r CookieJar<'r>,
    ip: String,
    browser: String,
    /// The browser's own connection, as far as the proxy in front says.
    encrypted: bool,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Doorstep<'r> {
    type Error = std::convert::Infallible;
    async fn from_request(request: &'r Request<'_>) -> Outcome<Doorstep<'r>, Self::Error> {
        let tls = request.rocket().config().tls_enabled();
        let forwarded = request.headers().get_one("X-Forwarded-Proto") == Some("https");
        Outcome::Success(Doorstep {
            jar: request.cookies(),
            ip: client_ip(request),
            browser: browser(request.headers().get_one("User-Agent").unwrap_or_default()),
            encrypted: tls || forwarded,
        })
    }
}

/// What the browser calls itself, short enough for a list.
fn browser(agent: &str) -> String {
    let named = |names: &[&str]| names.iter().find(|name| agent.contains(*name)).map(|name| (*name).to_owned());
    // The more particular first: most browsers also call themselves Safari.
    let browser = named(&["MicroMessenger", "Edg", "Firefox", "Chrome", "Safari"]);
    let system = named(&["iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux"]);
    [browser, system].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

impl Doorstep<'_> {
    /// Opens a session and gives the browser the key to it.
    pub async fn let_in(&self, shop: &Shop, account: String, password: String, code: String) -> Result<Entered> {
        let (ip, browser) = (self.ip.clone(), self.browser.clone());
        let entered = login::login(shop, LoginAttempt { account, password, code, ip, browser }).await?;
        let cookie = Cookie::build((COOKIE, entered.token.clone()))
            .path("/admin")
            .http_only(true)
            .secure(self.encrypted)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(SESSION / SECOND));
        self.jar.add(cookie);
        Ok(entered)
    }

    /// The same with the password that was just chosen. The account stands: whoever cannot be let in at once logs in.
    pub async fn let_in_anew(&self, shop: &Shop, account: String, password: String) -> bool {
        let entered = self.let_in(shop, account, password, String::new()).await;
        entered.inspect_err(|e| say!(Warn, "a new account has to log in: {}", e.message())).is_ok()
    }
}

/// A password for a new account, typed twice.
#[derive(FromForm)]
pub struct Chosen {
    pub password: String,
    pub again: String,
}

impl Chosen {
    /// Errors: the two are not the same.
    pub fn agreed(self) -> Result<String> {
        match self.password == self.again {
            true => Ok(self.password),
            false => Err(Error::field("again", "两次输入的密码不一样")),
        }
    }
}

#[post("/login", data = "<form>")]
async fn enter(
    shop: &State<Shop>,
    doorstep: Doorstep<'_>,
    form: Form<Credentials>,
) -> Result<std::result::Result<Flash<Redirect>, Template>> {
    let Credentials { account, password, code, next } = form.into_inner();
    match doorstep.let_in(shop, account.clone(), password, code).await {
        Ok(entered) => {
            let to = Redirect::to(inside(next));
            Ok(Ok(match entered.last {
                Some((at, from)) => Flash::new(to, "info", format!("上次登录 {}，来自 {from}", clock::shown(at))),
                None => Flash::success(to, "欢迎，这是第一次登录"),
            }))
        }
        Err(e) => Ok(Err(show(shop, Some(&next), &account, Some(e.message())).await?)),
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

#[derive(Serialize)]
struct InvitePage<'a> {
    shop: &'a str,
    demo: bool,
    token: &'a str,
    problem: Option<String>,
    /// None when the link is no good any more.
    name: Option<String>,
    role: Option<&'static str>,
    shortest: usize,
    days: i64,
}

async fn invitation(shop: &Shop, token: &str, problem: Option<String>) -> Result<Template> {
    let (hash, now) = (token_hash(token), shop.now());
    let found = shop.read(move |conn| Ok(store::invitation(conn, &hash, now)?)).await?;
    let settings = shop.settings();
    let page = InvitePage {
        shop: settings.shop_name(),
        demo: shop.demo.is_some(),
        token,
        problem,
        name: found.as_ref().map(|invitation| invitation.name.clone()),
        role: found.as_ref().map(|invitation| invitation.role.text()),
        shortest: SHORTEST,
        days: INVITATION_DAYS,
    };
    Ok(assets::page("console/invite.html", page))
}

/// Makes the account, and lets its person in.
#[post("/invite/<token>", data = "<form>")]
async fn accept(
    shop: &State<Shop>,
    doorstep: Doorstep<'_>,
    token: &str,
    form: Form<Chosen>,
) -> Result<std::result::Result<Flash<Redirect>, Template>> {
    let made = async {
        let password = form.into_inner().agreed()?;
        Ok((login::accept(shop, token, password.clone()).await?, password))
    };
    let (account, password) = match made.await {
        Ok(made) => made,
        Err(e) => return Ok(Err(invitation(shop, token, Some(message(&e))).await?)),
    };
    Ok(Ok(match doorstep.let_in_anew(shop, account, password).await {
        true => Flash::success(Redirect::to("/admin"), "账号已建立，欢迎"),
        false => Flash::success(Redirect::to(uri!("/admin", page(Option::<String>::None))), "账号已建立，请登录"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn the_way_in_asks_for_nothing_that_it_is_not_given() {
        for yes in [true, false] {
            let problem = yes.then(|| "账号或密码不正确".to_owned());
            let page = LoginPage {
                shop: "草莓园",
                demo: yes,
                next: "/admin/orders",
                account: "小王",
                problem: problem.clone(),
                coded: yes,
            };
            let html = assets::strictly("console/login.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("不正确"), html.contains("动态码")), (yes, yes));
            let (name, role) = (yes.then(|| "小周".to_owned()), yes.then(|| Role::Packer.text()));
            let (shortest, days) = (SHORTEST, INVITATION_DAYS);
            let page = InvitePage { shop: "草莓园", demo: yes, token: "abc", problem, name, role, shortest, days };
            let html = assets::strictly("console/invite.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("任打包员"), yes);
        }
    }
}
