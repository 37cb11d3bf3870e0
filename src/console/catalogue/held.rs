//! Who holds the stock: by SKU and by buyer, with the orders that do it.

use rocket::request::FlashMessage;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::json;

use crate::assets;
use crate::clock;
use crate::console::frame;
use crate::error::Result;
use crate::orders::store;
use crate::shop::Shop;
use crate::staff::Clerk;

pub fn routes() -> Vec<Route> {
    routes![page]
}

const SHOWN: i64 = 100;

#[get("/products/held")]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let read = |conn: &rusqlite::Connection| Ok((store::held(conn, SHOWN)?, store::holders(conn, SHOWN)?));
    let (held, holders) = shop.read_slowly(read).await?;
    let settings = shop.settings();
    let context = context! {
        frame: frame(shop, &staff.0, "products", flash).await?,
        section: "held", unpaid_orders: settings.unpaid_orders(), limit_per_order: settings.limit_per_order(),
        pay_minutes: settings.pay_minutes(),
        skus: held.iter().map(|s| json!({
            "product": s.product, "name": s.name, "spec": s.spec_text, "on_hand": s.on_hand, "unpaid": s.unpaid,
            "to_ship": s.to_ship, "available": s.on_hand - s.unpaid - s.to_ship,
        })).collect::<Vec<_>>(),
        holders: holders.iter().map(|h| json!({
            "buyer": h.buyer, "orders": h.orders, "pieces": h.pieces, "total": h.total.to_string(),
            "since": clock::shown(h.since), "until": clock::shown(h.until), "order_nos": h.order_nos,
        })).collect::<Vec<_>>(),
    };
    Ok(assets::page("console/held.html", context))
}
