//! What is printed: a slip for each parcel, and a list of what to take from the shelf.

use std::collections::BTreeMap;

use qrcode::QrCode;
use qrcode::render::svg;
use rocket::form::Form;
use rocket::http::ContentType;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use super::list::{card, chosen};
use crate::assets;
use crate::clock;
use crate::console::back;
use crate::error::{Code, Error, Result};
use crate::ids::{OrderId, OrderNo};
use crate::orders::store;
use crate::shop::Shop;
use crate::staff::Staff;

pub fn routes() -> Vec<Route> {
    routes![slips, qr, picking, done]
}

/// Papers by what a printer's roll or sheet is called.
const PAPERS: [(&str, &str); 4] = [("a4", "A4"), ("100", "100 mm 标签"), ("80", "80 mm 小票"), ("58", "58 mm 小票")];

/// A slip for each order, a page each. Names and phones stay masked: the parcel's label has them.
#[get("/print/slips?<order>&<paper>")]
async fn slips(shop: &State<Shop>, staff: Staff, order: Vec<String>, paper: Option<&str>) -> Result<Template> {
    let (orders, now) = (chosen(shop, &order).await?, shop.now());
    let read = move |conn: &rusqlite::Connection| {
        orders.into_iter().map(|order| Ok(card(&store::full(conn, order)?, false, now))).collect::<Result<Vec<Value>>>()
    };
    let slips = shop.db.read(read).await?;
    Ok(assets::page("console/print_slips.html", context! { slips, page: page(shop, &staff, "slips", &order, paper) }))
}

fn page(shop: &Shop, staff: &Staff, kind: &str, orders: &[String], paper: Option<&str>) -> Value {
    let paper = paper.filter(|wanted| PAPERS.iter().any(|(word, _)| word == wanted)).unwrap_or(PAPERS[0].0);
    let settings = shop.settings();
    json!({
        "kind": kind, "orders": orders, "paper": paper, "papers": PAPERS, "shop": settings.shop_name(),
        "phone": settings.get("shop.phone"), "staff": staff.name, "at": clock::shown(shop.now()),
    })
}

/// An order's number for the scanner.
#[get("/print/qr/<no>")]
fn qr(_staff: Staff, no: OrderNo) -> Result<(ContentType, String)> {
    let code = QrCode::new(no.as_str()).map_err(|_| Code::Internal)?;
    Ok((ContentType::SVG, code.render::<svg::Color>().quiet_zone(false).build()))
}

/// What all these orders still need, by SKU.
#[get("/print/picking?<order>&<paper>")]
async fn picking(shop: &State<Shop>, staff: Staff, order: Vec<String>, paper: Option<&str>) -> Result<Template> {
    let orders = chosen(shop, &order).await?;
    let read = move |conn: &rusqlite::Connection| {
        let mut wanted: BTreeMap<(String, String), (i64, Vec<String>)> = BTreeMap::new();
        for order in &orders {
            for line in store::lines(conn, order.id)?.into_iter().filter(|line| line.left() > 0) {
                let (n, numbers) = wanted.entry((line.name.clone(), line.spec_text.clone())).or_default();
                *n += line.left();
                numbers.push(format!("{} ×{}", order.order_no, line.left()));
            }
        }
        Ok::<_, Error>(wanted)
    };
    let wanted = shop.db.read(read).await?;
    let context = context! {
        pieces: wanted.values().map(|(n, _)| n).sum::<i64>(),
        rows: wanted.iter().map(|((name, spec), (n, numbers))| json!({
            "name": name, "spec": spec, "n": n, "orders": numbers,
        })).collect::<Vec<_>>(),
        page: page(shop, &staff, "picking", &order, paper),
    };
    Ok(assets::page("console/print_picking.html", context))
}

#[derive(FromForm)]
struct Printed {
    order: Vec<String>,
}

/// The slips came out of the printer.
#[post("/print/done", data = "<form>")]
async fn done(shop: &State<Shop>, _staff: Staff, form: Form<Printed>) -> Flash<Redirect> {
    let done = async {
        let ids: Vec<OrderId> = chosen(shop, &form.order).await?.iter().map(|order| order.id).collect();
        let n = ids.len();
        shop.db.write(move |tx| Ok::<_, Error>(store::count_prints(tx, &ids)?)).await?;
        Ok(format!("{n} 单已标记为打印过"))
    };
    back("/admin/orders?tab=to_ship", done.await)
}
