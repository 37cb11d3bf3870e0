//! Diagnostics: whether everything adds up, now and last night, and what the program runs on.

use std::time::Duration;

use rocket::request::{FlashMessage, FromRequest, Outcome};
use rocket::{Request, Route, State, get, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::json;

use super::trials;
use crate::assets;
use crate::backups;
use crate::clock;
use crate::console::frame;
use crate::db::SCHEMA_VERSION;
use crate::door::ClientIp;
use crate::error::Result;
use crate::jobs;
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

#[get("/diagnostics")]
async fn page(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    proxied: Proxied,
    ip: ClientIp,
) -> Result<Template> {
    let read = |conn: &rusqlite::Connection| {
        let (waiting, stuck) = jobs::store::counts(conn)?;
        let sqlite: String = conn.query_row("select sqlite_version()", [], |row| row.get(0))?;
        let chain = staff_store::audit_break(conn)?;
        Ok((payments::last_self_check(conn)?, waiting, stuck, sqlite, chain))
    };
    let (last, waiting, stuck, sqlite, (cut, entries)) = shop.read_slowly(read).await?;
    let broken = invariants::broken_now(shop, Pace::AtMost(PATIENCE)).await?;
    let Proxied(headers, trusted) = proxied;
    let (commits, writes) = shop.db.commits();
    let context = context! {
        frame: frame(shop, &staff.0, "system", flash).await?,
        tab: "diagnostics",
        checked: broken.is_some(),
        broken: broken.unwrap_or_default().iter().map(|b| json!({ "rule": b.rule, "rows": b.rows })).collect::<Vec<_>>(),
        rules: invariants::count(),
        last: last.map(|last| json!({ "at": clock::shown(last.at), "broken": last.broken })),
        commits, writes, waiting, stuck, sqlite, cut, entries, headers, trusted,
        your_ip: ip.0,
        schema: SCHEMA_VERSION,
        data_dir: shop.server.data_dir.display().to_string(),
        database: size(shop.db.path()),
        wal: size(&shop.db.path().with_extension("db-wal")),
        public_url: shop.settings().get("shop.public_url").map(str::to_owned),
        owner: staff.0.role == Role::Owner,
        version: env!("CARGO_PKG_VERSION"),
        pay_url: shop.wechat.pay_url(),
        now: clock::shown(shop.now()),
        against_wechat: trials::clock_words(shop),
        free: match backups::room_soon(shop) {
            Ok(free) => free.map(|bytes| json!({ "fine": true, "said": format!("{} MB", bytes / 1_000_000) })),
            Err(words) => Some(json!({ "fine": false, "said": words })),
        },
    };
    Ok(assets::page("console/diagnostics.html", context))
}
