//! Diagnostics: whether everything adds up, now and last night, and what the program runs on.

use rocket::request::FlashMessage;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::json;

use super::frame;
use crate::clock;
use crate::error::{Error, Result};
use crate::payments::{invariants, store as payments};
use crate::shop::Shop;
use crate::staff::Clerk;

pub fn routes() -> Vec<Route> {
    routes![page]
}

#[get("/diagnostics")]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let read =
        |conn: &rusqlite::Connection| Ok::<_, Error>((invariants::broken(conn)?, payments::last_self_check(conn)?));
    let (broken, last) = shop.db.read_slowly(read).await?;
    let (commits, writes) = shop.db.commits();
    let context = context! {
        frame: frame(shop, &staff.0, "system", flash).await?,
        tab: "diagnostics",
        broken: broken.iter().map(|b| json!({ "rule": b.rule, "rows": b.rows })).collect::<Vec<_>>(),
        rules: invariants::count(),
        last: last.map(|last| json!({ "at": clock::shown(last.at), "broken": last.broken })),
        commits, writes,
        version: env!("CARGO_PKG_VERSION"),
        pay_url: shop.wechat.pay_url(),
        now: clock::shown(shop.now()),
    };
    Ok(Template::render("console/diagnostics.html", context))
}
