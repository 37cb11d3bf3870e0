//! The first page: what waits, how today goes, and what still has to be set up.

use rocket::request::FlashMessage;
use rocket::serde::json::Json;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use super::frame;
use crate::clock::{self, DAY};
use crate::error::{Error, Result};
use crate::orders::store::Filter;
use crate::orders::{self, OrderStatus};
use crate::payments::store as payments;
use crate::shop::Shop;
use crate::staff::{Role, Staff};
use crate::{catalogue, jobs, transactions};

pub fn routes() -> Vec<Route> {
    routes![page, pulse]
}

#[get("/")]
async fn page(shop: &State<Shop>, staff: Staff, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let now = shop.now();
    let today = start_of_day(now);
    let read = move |conn: &rusqlite::Connection| {
        let counts = orders::store::status_counts(conn)?;
        let oldest = orders::store::oldest(conn, OrderStatus::ToShip)?;
        let recent = orders::store::search(conn, &Filter { limit: 8, ..Filter::default() })?;
        let takings = payments::takings(conn, today)?;
        let yesterday = payments::takings(conn, today - DAY)?;
        let shelves = catalogue::store::shelf_counts(conn)?;
        let stuck = jobs::store::open(conn, 1_000)?.iter().filter(|job| job.state == "needs_person").count();
        let health = transactions::store::health(conn, now - DAY)?;
        Ok::<_, Error>((counts, oldest, recent, takings, yesterday, shelves, stuck, health))
    };
    let (counts, oldest, recent, (paid, taken), (_, since_yesterday), shelves, stuck, (last_notice, failed)) =
        shop.db.read(read).await?;
    let count = |word: &str| counts.iter().find(|(status, _)| status == word).map_or(0, |(_, n)| *n);
    let average =
        if paid > 0 { crate::money::Fen::new(taken.get() / paid).unwrap_or_default() } else { Default::default() };
    let settings = shop.settings();
    let mut todo = Vec::new();
    if settings.merchant().is_none() || settings.mini_program().is_none() {
        todo.push(("填写微信小程序和微信支付的密钥", "/admin/settings#wechat"));
    }
    if settings.notify_url().is_none() {
        todo.push(("填写对外地址，微信才能通知付款结果", "/admin/settings#shop"));
    }
    if shelves == [0, 0, 0] {
        todo.push(("上传第一个商品", "/admin/products/new"));
    }
    let recent: Vec<Value> = recent
        .iter()
        .map(|order| {
            json!({
                "no": order.order_no, "at": clock::shown_short(order.created_at), "status": order.status,
                "status_text": order.status.text(), "total": order.total.to_string(),
            })
        })
        .collect();
    let context = context! {
        frame: frame(shop, &staff, "home", flash).await?,
        to_ship: count("to_ship"),
        oldest: oldest.map(|at| clock::span(now - at)),
        pending: count("pending_payment"),
        shipped: count("shipped"),
        sold_out: shelves[2],
        stuck,
        // Packers see what to do, not what it earns.
        sees_money: staff.role > Role::Packer,
        paid,
        taken: taken.to_string(),
        yesterday: since_yesterday.minus(taken).unwrap_or_default().to_string(),
        average: average.to_string(),
        recent,
        todo,
        last_notice: last_notice.map(|at| clock::span(now - at)),
        failed,
    };
    Ok(Template::render("console/home.html", context))
}

fn start_of_day(now: i64) -> i64 {
    clock::from_compact(&format!("{}000000", clock::business_day(now))).unwrap_or(now - DAY)
}

/// What the browser asks now and then, to show and sound new orders.
#[get("/pulse")]
async fn pulse(shop: &State<Shop>, _staff: Staff) -> Result<Json<Value>> {
    let read = |conn: &rusqlite::Connection| {
        Ok::<_, Error>((orders::store::status_counts(conn)?, payments::open_exceptions(conn)?))
    };
    let (counts, exceptions) = shop.db.read(read).await?;
    let counts: serde_json::Map<String, Value> = counts.into_iter().map(|(s, n)| (s, n.into())).collect();
    Ok(Json(json!({ "counts": counts, "exceptions": exceptions, "at": clock::shown(shop.now()) })))
}
