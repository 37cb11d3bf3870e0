//! Goods that somebody comes to fetch are ready: the buyer sees it, and is told.

use rocket::response::{Flash, Redirect};
use rocket::{Route, State, post, routes};

use super::{find, here};
use crate::console::back;
use crate::db::Tx;
use crate::error::Result;
use crate::orders::{Topic, Who, store};
use crate::outbox::{Letter, collect};
use crate::shipping::desk;
use crate::shop::Shop;
use crate::staff::Staff;

pub fn routes() -> Vec<Route> {
    routes![ready]
}

#[post("/orders/<no>/pickup-ready")]
async fn ready(shop: &State<Shop>, staff: Staff, no: &str) -> Flash<Redirect> {
    back(here(no), tell(shop, staff, no).await)
}

async fn tell(shop: &Shop, staff: Staff, no: &str) -> Result<&'static str> {
    let told = shop.settings().template(&Letter::PickupReady.setting()).is_some();
    let order = find(shop, no).await?;
    let write = move |tx: &Tx| {
        let who = Who::staff(&staff.name);
        desk::make_ready(tx, order.id, &who)?;
        if !told {
            return Ok(
                "已标记备好，买家在订单里看得到；还没有选取货提醒的模板，微信里不会通知：请店主在 设置 → 通知 → 订阅消息 里选",
            );
        }
        collect::put_letter(tx, Letter::PickupReady, order.id, 0, tx.now())?;
        store::note(tx, order.id, &who, Topic::Goods, "通知买家来取")?;
        Ok("已标记备好，并安排通知买家来取；发出去没有，看 设置 → 通知")
    };
    shop.write(write).await
}
