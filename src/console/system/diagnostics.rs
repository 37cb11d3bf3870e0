//! Diagnostics: whether everything adds up, now and last night, and what the program runs on.

use std::time::Duration;

use rocket::request::{FlashMessage, FromRequest, Outcome};
use rocket::{Request, Route, State, get, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::trials;
use crate::assets;
use crate::backups;
use crate::clock;
use crate::console::{Frame, framed, waiting};
use crate::db::SCHEMA_VERSION;
use crate::door::ClientIp;
use crate::error::Result;
use crate::jobs;
use crate::payments::Broken;
use crate::payments::invariants::{self, Pace};
use crate::payments::store as payments;
use crate::shop::Shop;
use crate::staff::{Clerk, Role, store as staff_store};

/// How long a page may take to check everything; a large shop takes minutes, and is told of last night's check.
const PATIENCE: Duration = Duration::from_secs(2);

pub fn routes() -> Vec<Route> {
    routes![page]
}

/// What a proxy in front writes, as this very request carried it, and whether the address in it is believed.
struct Proxied(Vec<(&'static str, String)>, Option<String>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Proxied {
    type Error = std::convert::Infallible;
    async fn from_request(request: &'r Request<'_>) -> Outcome<Proxied, Self::Error> {
        let seen = ["Host", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto"]
            .into_iter()
            .filter_map(|name| request.headers().get_one(name).map(|value| (name, value.chars().take(100).collect())));
        let trusted = request.rocket().config().ip_header.as_ref().map(|name| name.to_string());
        Outcome::Success(Proxied(seen.collect(), trusted))
    }
}

/// How large a file is; 0 when it is not there.
fn size(path: &std::path::Path) -> String {
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

/// Whether everything adds up, and what the program runs on.
#[derive(Serialize)]
struct DiagnosticsPage {
    frame: Frame,
    tab: &'static str,
    /// It was looked through now; else only last night's look counts.
    checked: bool,
    broken: Vec<Broken>,
    rules: usize,
    last: Option<LastCheck>,
    waiting: i64,
    stuck: i64,
    sqlite: String,
    /// The first entry of the audit log that does not join its neighbour, of so many.
    cut: Option<i64>,
    entries: i64,
    headers: Vec<(&'static str, String)>,
    trusted: Option<String>,
    your_ip: String,
    schema: i64,
    data_dir: String,
    database: String,
    wal: String,
    public_url: Option<String>,
    owner: bool,
    version: &'static str,
    pay_url: String,
    now: String,
    against_wechat: String,
    /// None where the system does not tell.
    free: Option<Room>,
}

/// The last nightly check: when, and which rules did not hold how often.
#[derive(Serialize)]
struct LastCheck {
    at: String,
    broken: Vec<(String, i64)>,
}

/// What is left of the disk.
#[derive(Serialize)]
struct Room {
    fine: bool,
    said: String,
}

fn room(shop: &Shop) -> Option<Room> {
    match backups::room::room_soon(shop) {
        Ok(free) => free.map(|bytes| Room { fine: true, said: backups::room::room(bytes) }),
        Err(said) => Some(Room { fine: false, said }),
    }
}

#[get("/diagnostics")]
async fn page(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    proxied: Proxied,
    ip: ClientIp,
) -> Result<Template> {
    let read = |conn: &rusqlite::Connection| {
        let (open, stuck) = jobs::store::counts(conn)?;
        let sqlite: String = conn.query_row("select sqlite_version()", [], |row| row.get(0))?;
        let chain = staff_store::audit_break(conn)?;
        Ok((payments::last_self_check(conn)?, open, stuck, sqlite, chain, waiting(conn)?))
    };
    let (last, open, stuck, sqlite, (cut, entries), waits) = shop.read_slowly(read).await?;
    let broken = invariants::broken_now(shop, Pace::AtMost(PATIENCE)).await?;
    let Proxied(headers, trusted) = proxied;
    let page = DiagnosticsPage {
        frame: framed(shop, &staff.0, "system", flash, waits),
        tab: "diagnostics",
        checked: broken.is_some(),
        broken: broken.unwrap_or_default(),
        rules: invariants::count(),
        last: last.map(|last| LastCheck { at: clock::shown(last.at), broken: last.broken }),
        waiting: open,
        stuck,
        sqlite,
        cut,
        entries,
        headers,
        trusted,
        your_ip: ip.0,
        schema: SCHEMA_VERSION,
        data_dir: shop.server.data_dir.display().to_string(),
        database: size(shop.db.path()),
        wal: size(&shop.db.path().with_extension("db-wal")),
        public_url: shop.settings().get("shop.public_url").map(str::to_owned),
        owner: staff.0.role == Role::Owner,
        version: env!("CARGO_PKG_VERSION"),
        pay_url: shop.wechat.pay_url().to_owned(),
        now: clock::shown(shop.now()),
        against_wechat: trials::clock_words(shop),
        free: room(shop),
    };
    Ok(assets::page("console/diagnostics.html", page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diagnosis_asks_for_nothing_that_it_is_not_given() {
        for (checked, broken, last, words) in [
            (true, vec![], None, "条规则全部成立"),
            (true, vec![Broken { rule: "付款加得起来", rows: 2 }], None, "付款加得起来：2 处不成立"),
            (false, vec![], Some(vec![("付款加得起来".to_owned(), 2)]), "上次夜间自检有规则不成立"),
            (false, vec![], None, "今晚 04:10 自动检查"),
        ] {
            let full = last.is_some();
            let page = DiagnosticsPage {
                frame: Frame::sample(Role::Owner),
                tab: "diagnostics",
                checked,
                broken,
                rules: 60,
                last: last.map(|broken| LastCheck { at: "2026-10-08 04:10:00".into(), broken }),
                waiting: 3,
                stuck: i64::from(full),
                sqlite: "3.50".into(),
                cut: full.then_some(7),
                entries: 9,
                headers: vec![("Host", "shop.example".into())],
                trusted: full.then(|| "X-Real-IP".into()),
                your_ip: "127.0.0.1".into(),
                schema: SCHEMA_VERSION,
                data_dir: "/data".into(),
                database: "1.0 MB".into(),
                wal: "0.0 MB".into(),
                public_url: full.then(|| "https://shop.example".into()),
                owner: full,
                version: "0.1.0",
                pay_url: "https://api.mch.weixin.qq.com".into(),
                now: "2026-10-08 13:15:40".into(),
                against_wechat: "与微信相差 1 秒".into(),
                free: full.then(|| Room { fine: false, said: "只剩 100 MB".into() }),
            };
            let html = assets::strictly("console/diagnostics.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
    }
}
