//! The desk where goods are fetched: a code is scanned or typed, looked at, and its goods are handed over. On the phone too.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::card::Card;
use super::here;
use crate::assets;
use crate::catalogue::Delivery;
use crate::console::{Frame, framed, message, undoable, waiting as waits};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::Result;
use crate::orders::pickup::PickupCode;
use crate::orders::search::{Filter, store as search};
use crate::orders::{Full, OrderStatus, store as orders};
use crate::payments::refund::since;
use crate::shipping::doubt::Doubt;
use crate::shipping::{desk, to_send};
use crate::shop::Shop;
use crate::staff::Staff;
use crate::staff::login::audit;

pub fn routes() -> Vec<Route> {
    routes![page, check, hand_over]
}

const DESK: &str = "/admin/pickup";
/// Orders that the page names as waiting.
const SHOWN: i64 = 50;

#[derive(FromForm)]
struct Shown {
    #[field(default = String::new())]
    code: String,
    /// Although a refund is under way.
    #[field(default = false)]
    despite_refund: bool,
    /// A mark of the goods that the page has shown.
    seen: Option<String>,
}

/// What lies behind a code that was right.
#[derive(Serialize)]
struct Found {
    code: String,
    phone: String,
    /// Why somebody has to say that it is handed over all the same; empty where nobody has.
    refunding: String,
    /// A mark of the goods.
    seen: String,
    order: Card,
}

impl Found {
    fn of(full: &Full, code: &PickupCode, doubt: Option<&Doubt>, now: i64) -> Found {
        let phone = full.pickup.as_ref().map(|pickup| pickup.masked_phone()).unwrap_or_default();
        let (code, seen) = (code.to_string(), to_send(full));
        let refunding = full.is_refunding().then(|| "有退款正在处理".to_owned());
        let refunding = refunding.or_else(|| doubt.map(Doubt::text)).unwrap_or_default();
        Found { code, phone, refunding, seen, order: Card::of(full, false, now) }
    }
}

/// The desk: a code to be read, or what lies behind it.
#[derive(Serialize)]
struct DeskPage {
    frame: Frame,
    tab: &'static str,
    found: Option<Found>,
    /// What was typed and is wrong.
    typed: String,
    problem: Option<String>,
    /// Orders whose buyers are to come; none while one stands here.
    waiting: Vec<Card>,
}

#[get("/pickup")]
async fn page(shop: &State<Shop>, staff: Staff, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    show(shop, &staff, flash, None, String::new(), None).await
}

async fn show(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    found: Option<Found>,
    typed: String,
    problem: Option<String>,
) -> Result<Template> {
    let (now, none) = (shop.now(), found.is_some());
    let read = move |conn: &rusqlite::Connection| {
        let to_fetch =
            Filter { status: Some(OrderStatus::ToShip), delivery: Some(Delivery::Pickup), ..Filter::default() };
        let waiting = if none { Vec::new() } else { search::list(conn, &to_fetch, None, SHOWN)? };
        let card = |order| Ok(Card::of(&orders::full(conn, order)?, false, now));
        Ok((waiting.into_iter().map(card).collect::<Result<Vec<_>>>()?, waits(conn)?))
    };
    let (waiting, counts) = shop.read(read).await?;
    let frame = framed(shop, staff, "orders", flash, counts);
    Ok(assets::page("console/pickup.html", DeskPage { frame, tab: "pickup", found, typed, problem, waiting }))
}

/// Says what lies behind a code, or what is the matter with it; what was typed stays.
#[post("/pickup", data = "<shown>")]
async fn check(shop: &State<Shop>, staff: Staff, shown: Form<Shown>) -> Result<Template> {
    let checked: Result<Found> = async {
        let (code, by) = (desk::read(&shown.code)?, staff.id);
        let read = code.clone();
        let mut full = shop.write(move |tx| desk::check(tx, by, &read)).await??;
        if since::ask_first(shop, full.order.id).await? {
            let read = code.clone();
            full = shop.write(move |tx| desk::check(tx, by, &read)).await??;
        }
        let id = full.order.id;
        let doubt = shop.read(move |conn| Doubt::of(conn, id)).await?;
        Ok(Found::of(&full, &code, doubt.as_ref(), shop.now()))
    }
    .await;
    match checked {
        Ok(found) => show(shop, &staff, None, Some(found), String::new(), None).await,
        Err(e) => show(shop, &staff, None, None, shown.code.clone(), Some(message(&e))).await,
    }
}

/// The goods go over the desk.
#[post("/pickup/hand-over", data = "<shown>")]
async fn hand_over(
    shop: &State<Shop>,
    staff: Staff,
    shown: Form<Shown>,
) -> Result<std::result::Result<Flash<Redirect>, Template>> {
    match give(shop, &staff, &shown).await {
        Ok((no, undo)) => Ok(Ok(undoable(DESK, &format!("✓ {no} 已交给买家"), &undo))),
        Err(e) => Ok(Err(show(shop, &staff, None, None, shown.code.clone(), Some(message(&e))).await?)),
    }
}

/// The order's number, and where it is taken back.
async fn give(shop: &Shop, staff: &Staff, shown: &Shown) -> Result<(String, String)> {
    let (code, despite_refund, who) = (desk::read(&shown.code)?, shown.despite_refund, staff.clone());
    let seen = shown.seen.clone();
    let write = move |tx: &Tx| {
        let full = match desk::hand_over(tx, &who, &code, seen.as_deref(), despite_refund)? {
            Ok(full) => full,
            Err(error) => return Ok(Err(error)),
        };
        let no = full.order.order_no.to_string();
        audit(tx, &who, &format!("核对取货码，把 {no} 交给买家"))?;
        let parcel = orders::shipments(tx, full.order.id)?.last().map(|shipment| shipment.id);
        let undo = parcel.map(|id| format!("{}/shipments/{id}/undo", here(&no))).unwrap_or_default();
        Ok(Ok((no, undo)))
    };
    shop.write(write).await?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn the_desk_asks_for_nothing_that_it_is_not_given() {
        let found = |refunding| Found {
            code: "12345678".into(),
            phone: "1234".into(),
            refunding,
            seen: "a".into(),
            order: Card::sample(),
        };
        for (found, waiting, words) in [
            (Some(found("有退款正在处理".into())), vec![], "有退款正在处理，仍然交货"),
            (Some(found(String::new())), vec![], "核销，交给买家"),
            (None, vec![Card::sample()], "等着来取的"),
            (None, vec![], "没有人等着取货"),
        ] {
            let page = DeskPage {
                frame: Frame::sample(Role::Packer),
                tab: "pickup",
                found,
                typed: "1234".into(),
                problem: Some("没有这个取货码".into()),
                waiting,
            };
            let html = assets::strictly("console/pickup.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
    }
}
