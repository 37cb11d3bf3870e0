//! Where an order goes, put right before it leaves, and notes of staff to each other on its timeline.

use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, post, routes};
use serde_json::json;

use super::{find, here};
use crate::buyers::addresses::{Address, AddressForm};
use crate::console::back;
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::orders::{Topic, Who, moves, store};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Staff};
use crate::typed::Length;

pub fn routes() -> Vec<Route> {
    routes![set_address, note]
}

#[derive(FromForm)]
struct Where {
    receiver: String,
    phone: String,
    province: String,
    city: String,
    district: String,
    detail: String,
}

#[post("/orders/<no>/address", data = "<form>")]
async fn set_address(shop: &State<Shop>, staff: Clerk, no: &str, form: Form<Where>) -> Flash<Redirect> {
    back(here(no), put(shop, staff.0, no, &form).await.map(|()| "收货信息已改"))
}

async fn put(shop: &Shop, staff: Staff, no: &str, form: &Where) -> Result<()> {
    let fields = json!({
        "receiver": form.receiver, "phone": form.phone, "province": form.province, "city": form.city,
        "district": form.district, "detail": form.detail,
    });
    // By the same constructor as a buyer's own address.
    let read: AddressForm = serde_json::from_value(fields).map_err(|_| Code::Internal)?;
    let (address, order) = (read.check("")?, find(shop, no).await?);
    let write = move |tx: &Tx| {
        let order = store::by_id(tx, order.id)?.ok_or(Code::NotFound)?;
        let readdress = order.options().readdress;
        let before = order.address.filter(|_| readdress);
        let before =
            before.ok_or_else(|| Error::from(Code::OrderState).says("订单已发出或不用快递，不能改收货信息"))?;
        moves::readdress(tx, order.id, &address)?;
        // The log is read by many: it shows what changed, and not where somebody lives.
        let what = format!("改收货信息：{} → {}", masked(&before), masked(&address));
        store::note(tx, order.id, &Who::staff(&staff.name), Topic::Goods, &what)?;
        Ok(audit(tx, &staff, &format!("{} {what}", order.order_no))?)
    };
    shop.write(write).await
}

fn masked(a: &Address) -> String {
    format!("{} {} {}", a.masked_receiver(), a.masked_phone(), a.region())
}

#[derive(FromForm)]
struct Note {
    text: String,
}

/// For colleagues alone: buyers never see the timeline.
const NOTE: Length = Length::between(1, 500);

#[post("/orders/<no>/note", data = "<form>")]
async fn note(shop: &State<Shop>, staff: Staff, no: &str, form: Form<Note>) -> Flash<Redirect> {
    let done = async {
        let text = form.text.trim().to_owned();
        if !NOTE.fits(&text) {
            return Err(Error::field("text", format!("内部备注应为 {NOTE}")));
        }
        let order = find(shop, no).await?;
        let write = move |tx: &Tx| {
            let what = format!("内部备注：{text}");
            Ok(store::note(tx, order.id, &Who::staff(&staff.name), Topic::Order, &what)?)
        };
        shop.write(write).await
    };
    back(here(no), done.await.map(|()| "已记在时间线上"))
}
