//! 改价 and 线下收款: what an unpaid order costs, and money that came outside WeChat.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};

use super::find;
use crate::assets;
use crate::console::{back, frame};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Error, Result};
use crate::ids::OrderNo;
use crate::money::Fen;
use crate::orders::Who;
use crate::payments::{offline, price};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Owner, Staff};
use crate::typed::Length;

pub fn routes() -> Vec<Route> {
    routes![price_page, change_price, offline_page, take_offline]
}

#[get("/orders/<no>/price")]
async fn price_page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, no: &str) -> Result<Template> {
    let order = find(shop, no).await?;
    let context = context! {
        frame: frame(shop, &staff.0, "orders", flash).await?,
        no: &order.order_no, goods: order.goods.to_string(),
        total: order.total.plain(), freight: order.freight.plain(), status: order.status.text(),
        possible: order.options().price, minutes: shop.settings().pay_minutes(),
    };
    Ok(assets::page("console/order_price.html", context))
}

#[derive(FromForm)]
struct PriceForm {
    total: String,
    freight: String,
    reason: String,
}

#[post("/orders/<no>/price", data = "<form>")]
async fn change_price(shop: &State<Shop>, staff: Clerk, no: &str, form: Form<PriceForm>) -> Flash<Redirect> {
    match change(shop, &staff.0, no, form.into_inner()).await {
        Ok(()) => back(format!("/admin/orders/{no}"), Ok("价格已改，买家可以按新价支付")),
        Err(e) => back(format!("/admin/orders/{no}/price"), Err::<&str, _>(e)),
    }
}

fn typed_yuan(field: &'static str, label: &str, text: &str) -> Result<Fen> {
    Fen::from_yuan(text).ok_or_else(|| Error::field(field, format!("{label}请填金额，例如 88 或 88.50")))
}

const REASON: Length = Length::between(2, 60);

fn typed_reason(text: &str) -> Result<String> {
    let reason = text.trim();
    match REASON.fits_line(reason) {
        true => Ok(reason.to_owned()),
        false => Err(Error::field("reason", format!("请写明原因（{REASON}）"))),
    }
}

async fn change(shop: &Shop, staff: &Staff, no: &str, form: PriceForm) -> Result<()> {
    let order = find(shop, no).await?;
    let asked = price::Asked {
        total: typed_yuan("total", "应付", &form.total)?,
        freight: typed_yuan("freight", "运费", &form.freight)?,
        reason: typed_reason(&form.reason)?,
    };
    // Why, stands on the timeline, where it can be forgotten.
    let what = format!("订单 {} 改价 ¥{} → ¥{}", order.order_no, order.total, asked.total);
    price::change(shop, order.id, asked, Who::staff(&staff.name)).await?;
    note(shop, staff, what).await
}

async fn note(shop: &Shop, staff: &Staff, what: String) -> Result<()> {
    let staff = staff.clone();
    shop.write(move |tx: &Tx| Ok(audit(tx, &staff, &what)?)).await
}

#[get("/orders/<no>/offline")]
async fn offline_page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>, no: &str) -> Result<Template> {
    let order = find(shop, no).await?;
    let context = context! {
        frame: frame(shop, &owner.0, "orders", flash).await?,
        no: &order.order_no, total: order.total.to_string(), status: order.status.text(),
        possible: order.options().pay_offline,
    };
    Ok(assets::page("console/order_offline.html", context))
}

#[derive(FromForm)]
struct OfflineForm {
    reason: String,
}

#[post("/orders/<no>/offline", data = "<form>")]
async fn take_offline(shop: &State<Shop>, owner: Owner, no: &str, form: Form<OfflineForm>) -> Flash<Redirect> {
    match take(shop, &owner.0, no, &form.reason).await {
        Ok(order_no) => back(format!("/admin/orders/{order_no}"), Ok("线下收款已登记，订单待发货")),
        Err(e) => back(format!("/admin/orders/{no}/offline"), Err::<&str, _>(e)),
    }
}

async fn take(shop: &Shop, owner: &Staff, no: &str, reason: &str) -> Result<OrderNo> {
    let order = find(shop, no).await?;
    let reason = typed_reason(reason)?;
    let what = format!("订单 {} 登记线下收款 ¥{}", order.order_no, order.total);
    offline::pay(shop, order.id, reason, Who::staff(&owner.name)).await?;
    note(shop, owner, what).await?;
    Ok(order.order_no)
}
