//! Who holds the stock: by SKU and by buyer, with the orders that do it.

use rocket::request::FlashMessage;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::assets;
use crate::clock;
use crate::console::{Frame, framed, waiting};
use crate::error::Result;
use crate::ids::{BuyerId, ProductId};
use crate::orders::store;
use crate::shop::Shop;
use crate::staff::Clerk;

pub fn routes() -> Vec<Route> {
    routes![page]
}

const SHOWN: i64 = 100;

#[derive(Serialize)]
struct HeldPage {
    frame: Frame,
    section: &'static str,
    /// How many unpaid orders a buyer may have, for how long, and of how many pieces.
    unpaid_orders: i64,
    pay_minutes: i64,
    limit_per_order: Option<i64>,
    skus: Vec<SkuShown>,
    holders: Vec<HolderShown>,
}

#[derive(Serialize)]
struct SkuShown {
    product: ProductId,
    name: String,
    spec: String,
    on_hand: i64,
    unpaid: i64,
    to_ship: i64,
    available: i64,
}

#[derive(Serialize)]
struct HolderShown {
    buyer: BuyerId,
    orders: i64,
    pieces: i64,
    total: String,
    /// The first of the orders was placed then, and the last lets go then.
    since: String,
    until: String,
    order_nos: Vec<String>,
}

#[get("/products/held")]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let read =
        |conn: &rusqlite::Connection| Ok((store::held(conn, SHOWN)?, store::holders(conn, SHOWN)?, waiting(conn)?));
    let (held, holders, waits) = shop.read_slowly(read).await?;
    let settings = shop.settings();
    let sku = |held: store::Held| SkuShown {
        product: held.product,
        available: held.on_hand - held.unpaid - held.to_ship,
        name: held.name,
        spec: held.spec_text,
        on_hand: held.on_hand,
        unpaid: held.unpaid,
        to_ship: held.to_ship,
    };
    let holder = |holder: store::Holder| HolderShown {
        buyer: holder.buyer,
        orders: holder.orders,
        pieces: holder.pieces,
        total: holder.total.to_string(),
        since: clock::shown(holder.since),
        until: clock::shown(holder.until),
        order_nos: holder.order_nos,
    };
    let page = HeldPage {
        frame: framed(shop, &staff.0, "products", flash, waits),
        section: "held",
        unpaid_orders: settings.unpaid_orders(),
        pay_minutes: settings.pay_minutes(),
        limit_per_order: settings.limit_per_order(),
        skus: held.into_iter().map(sku).collect(),
        holders: holders.into_iter().map(holder).collect(),
    };
    Ok(assets::page("console/held.html", page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn the_page_of_what_is_held_asks_for_nothing_that_it_is_not_given() {
        for full in [true, false] {
            let sku = SkuShown {
                product: ProductId(1),
                name: "草莓蛋糕".into(),
                spec: "6 寸".into(),
                on_hand: 5,
                unpaid: 2,
                to_ship: 1,
                available: 2,
            };
            let holder = HolderShown {
                buyer: BuyerId(7),
                orders: 1,
                pieces: 2,
                total: "57.00".into(),
                since: "2026-10-08 13:15:40".into(),
                until: "2026-10-08 13:45:40".into(),
                order_nos: vec!["261008131540ABCDEFGH".into()],
            };
            let page = HeldPage {
                frame: Frame::sample(if full { Role::Owner } else { Role::Clerk }),
                section: "held",
                unpaid_orders: 5,
                pay_minutes: 30,
                limit_per_order: full.then_some(20),
                skus: if full { vec![sku] } else { Vec::new() },
                holders: if full { vec![holder] } else { Vec::new() },
            };
            let html = assets::strictly("console/held.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("草莓蛋糕"), html.contains("没有订单占着库存")), (full, !full));
        }
    }
}
