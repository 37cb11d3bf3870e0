//! The first page: what waits, how today goes, and what still has to be set up.

use rocket::request::FlashMessage;
use rocket::serde::json::Json;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use super::frame;
use crate::clock::{self, DAY, Day};
use crate::error::{Error, Result};
use crate::money::yuan;
use crate::orders::store::Filter;
use crate::orders::{self, OrderStatus};
use crate::payments::ledger::store as ledger;
use crate::payments::reconcile::{BillState, store as reconcile};
use crate::payments::store as payments;
use crate::shop::Shop;
use crate::staff::{Role, Staff};
use crate::{catalogue, transactions};

pub fn routes() -> Vec<Route> {
    routes![page, pulse]
}

#[get("/")]
async fn page(shop: &State<Shop>, staff: Staff, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &rusqlite::Connection| {
        let counts = orders::store::status_counts(conn)?;
        let oldest = orders::store::oldest(conn, OrderStatus::ToShip)?;
        let recent = orders::store::search(conn, &Filter::default(), None, 8)?;
        let today = ledger::day_sum(conn, Day::of(now))?;
        let yesterday = ledger::day_sum(conn, Day::of(now).plus(-1))?;
        let shelves = catalogue::store::shelf_counts(conn)?;
        let health = transactions::store::health(conn, now - DAY)?;
        let bill = reconcile::latest(conn)?;
        let check = payments::last_self_check(conn)?;
        Ok::<_, Error>((counts, oldest, recent, today, yesterday, shelves, health, bill, check))
    };
    let (counts, oldest, recent, today, yesterday, shelves, (last_notice, failed), bill, check) =
        shop.db.read(read).await?;
    let count = |word: &str| counts.iter().find(|(status, _)| status == word).map_or(0, |(_, n)| *n);
    let settings = shop.settings();
    let mut todo = Vec::new();
    if shop.merchant().is_none() || settings.mini_program().is_none() {
        todo.push(("填写微信小程序和微信支付的密钥", "/admin/settings#wechat"));
    }
    if settings.notify_url().is_none() {
        todo.push(("填写对外地址，微信才能通知付款结果", "/admin/settings#shop"));
    }
    let certificate = super::certificate::warning(shop);
    if let Some(words) = &certificate {
        todo.push((words.as_str(), "/admin/settings#certificate"));
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
        // Packers see what to do, not what it earns.
        sees_money: staff.role > Role::Packer,
        paid: today.payments,
        taken: yuan(today.received_fen),
        refunded: (today.refunds > 0).then(|| yuan(today.refunded_fen)),
        yesterday: yuan(yesterday.received_fen),
        average: yuan(today.received_fen.checked_div(today.payments).unwrap_or(0)),
        bill: bill.map(|b| json!({ "day": b.day.shown(), "text": b.state.text(), "differs": b.state == BillState::Differs })),
        check: check.map(|c| json!({ "at": clock::shown_short(c.at), "broken": c.broken.len() })),
        recent,
        todo,
        last_notice: last_notice.map(|at| clock::span(now - at)),
        failed,
    };
    Ok(Template::render("console/home.html", context))
}

/// What the browser asks now and then, to show and sound new orders.
#[get("/pulse")]
async fn pulse(shop: &State<Shop>, _staff: Staff) -> Result<Json<Value>> {
    let waiting = shop.db.read(super::waiting).await?;
    let counts = json!({ "to_ship": waiting.to_ship });
    Ok(Json(json!({ "counts": counts, "exceptions": waiting.exceptions, "at": clock::shown(shop.now()) })))
}
