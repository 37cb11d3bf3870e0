//! Goods that somebody comes to fetch are ready: the buyer is told.

use rocket::response::{Flash, Redirect};
use rocket::{Route, State, post, routes};

use super::{find, here};
use crate::catalogue::Delivery;
use crate::console::back;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::orders::{OrderStatus, Topic, Who, store};
use crate::outbox::{Letter, collect};
use crate::shop::Shop;
use crate::staff::Staff;

pub fn routes() -> Vec<Route> {
    routes![ready]
}

#[post("/orders/<no>/pickup-ready")]
async fn ready(shop: &State<Shop>, staff: Staff, no: &str) -> Flash<Redirect> {
    back(here(no), tell(shop, staff, no).await.map(|()| "已安排通知买家来取；发出去没有，看 设置 → 通知"))
}

async fn tell(shop: &Shop, staff: Staff, no: &str) -> Result<()> {
    if shop.settings().template(&Letter::PickupReady.setting()).is_none() {
        let words = "还没有选取货提醒的模板，请店主在 设置 → 通知 → 订阅消息 里选";
        return Err(Error::from(Code::PaymentNotConfigured).says(words));
    }
    let (order, now) = (find(shop, no).await?, shop.now());
    let write = move |tx: &Tx| {
        let order = store::by_id(tx, order.id)?.ok_or(Code::NotFound)?;
        if order.status != OrderStatus::ToShip || order.delivery != Delivery::Pickup {
            return Err(Error::from(Code::OrderState).says("只有等待取货的自提订单可以通知来取"));
        }
        collect::put_letter(tx, Letter::PickupReady, order.id, 0, now, now)?;
        Ok(store::note(tx, order.id, &Who::staff(&staff.name), Topic::Goods, "通知买家来取")?)
    };
    shop.write(write).await
}
