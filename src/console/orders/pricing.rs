//! 改价 and 线下收款: what an unpaid order costs, and money that came outside WeChat.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::page::May;
use super::{find, found};
use crate::assets;
use crate::clock::{self, MINUTE};
use crate::console::lengths::PRICE_REASON;
use crate::console::{Frame, Waiting, back, framed, waiting};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::OrderNo;
use crate::money::Fen;
use crate::orders::{Full, Who};
use crate::payments::{offline, price};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Owner, Staff};

pub fn routes() -> Vec<Route> {
    routes![price_page, change_price, offline_page, take_offline]
}

#[derive(Serialize)]
struct PricePage {
    frame: Frame,
    no: OrderNo,
    goods: String,
    total: String,
    freight: String,
    status: &'static str,
    possible: bool,
    /// So long its buyer has to pay then.
    minutes: i64,
    /// WeChat lets an attempt be closed so many minutes after it was made; at once if none.
    closable: Option<i64>,
}

/// What these pages show, of one moment.
async fn look(shop: &Shop, no: &str) -> Result<(Full, Waiting)> {
    let order_no: OrderNo = no.parse().map_err(|_| Code::NotFound)?;
    shop.read(move |conn| Ok((found(conn, &order_no)?, waiting(conn)?))).await
}

#[get("/orders/<no>/price")]
async fn price_page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, no: &str) -> Result<Template> {
    let (full, waits) = look(shop, no).await?;
    let order = &full.order;
    let page = PricePage {
        frame: framed(shop, &staff.0, "orders", flash, waits),
        possible: May::of(staff.0.role, &full).price,
        goods: order.goods.to_string(),
        total: order.total.plain(),
        freight: order.freight.plain(),
        status: order.status.text(),
        no: order.order_no.clone(),
        minutes: shop.settings().pay_minutes(),
        closable: Some(shop.settings().api().closable_after() / MINUTE).filter(|minutes| *minutes > 0),
    };
    Ok(assets::page("console/order_price.html", page))
}

#[derive(FromForm)]
struct PriceForm {
    total: String,
    freight: String,
    reason: String,
    /// What the page showed.
    was: Option<String>,
    was_freight: Option<String>,
}

#[post("/orders/<no>/price", data = "<form>")]
async fn change_price(shop: &State<Shop>, staff: Clerk, no: &str, form: Form<PriceForm>) -> Flash<Redirect> {
    match change(shop, &staff.0, no, form.into_inner()).await {
        Ok(said) => back(format!("/admin/orders/{no}"), Ok(said)),
        Err(e) => back(format!("/admin/orders/{no}/price"), Err::<&str, _>(e)),
    }
}

fn typed_yuan(field: &'static str, label: &str, text: &str) -> Result<Fen> {
    Fen::from_yuan(text).ok_or_else(|| Error::field(field, format!("{label}请填金额，例如 88 或 88.50")))
}

fn typed_reason(text: &str) -> Result<String> {
    let reason = text.trim();
    match PRICE_REASON.fits_line(reason) {
        true => Ok(reason.to_owned()),
        false => Err(Error::field("reason", format!("请写明原因（{PRICE_REASON}）"))),
    }
}

/// Answers with what staff can tell the buyer.
async fn change(shop: &Shop, staff: &Staff, no: &str, form: PriceForm) -> Result<String> {
    let order = find(shop, no).await?;
    let asked = price::Asked {
        total: typed_yuan("total", "应付", &form.total)?,
        freight: typed_yuan("freight", "运费", &form.freight)?,
        reason: typed_reason(&form.reason)?,
        was: form.was.as_deref().and_then(Fen::from_yuan),
        was_freight: form.was_freight.as_deref().and_then(Fen::from_yuan),
    };
    // Why, stands on the timeline, where it can be forgotten.
    let what = format!("订单 {} 改价 ¥{} → ¥{}", order.order_no, order.total, asked.total);
    let open = price::change(shop, order.id, asked, Who::staff(&staff.name)).await?;
    note(shop, staff, what).await?;
    Ok(match open {
        None => "价格已改，买家可以按新价支付".to_owned(),
        Some(open) if open.closable_at > shop.now() => {
            let amounts: Vec<String> = open.amounts.iter().map(|amount| format!("¥{amount}")).collect();
            format!(
                "价格已改，{} 以后买家可以按新价支付；在那之前他打开过的收银台还能付 {}",
                clock::shown_short(open.closable_at),
                amounts.join("、")
            )
        }
        Some(_) => "价格已改，之前的支付单在微信关闭后，买家可以按新价支付，一般不到一分钟".to_owned(),
    })
}

async fn note(shop: &Shop, staff: &Staff, what: String) -> Result<()> {
    let staff = staff.clone();
    shop.write(move |tx: &Tx| Ok(audit(tx, &staff, &what)?)).await
}

#[derive(Serialize)]
struct OfflinePage {
    frame: Frame,
    no: OrderNo,
    total: String,
    status: &'static str,
    possible: bool,
}

#[get("/orders/<no>/offline")]
async fn offline_page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>, no: &str) -> Result<Template> {
    let (full, waits) = look(shop, no).await?;
    let order = &full.order;
    let page = OfflinePage {
        frame: framed(shop, &owner.0, "orders", flash, waits),
        possible: May::of(owner.0.role, &full).pay_offline,
        total: order.total.to_string(),
        status: order.status.text(),
        no: order.order_no.clone(),
    };
    Ok(assets::page("console/order_offline.html", page))
}

#[derive(FromForm)]
struct OfflineForm {
    reason: String,
    /// What the page said was received.
    was: Option<String>,
}

#[post("/orders/<no>/offline", data = "<form>")]
async fn take_offline(shop: &State<Shop>, owner: Owner, no: &str, form: Form<OfflineForm>) -> Flash<Redirect> {
    match take(shop, &owner.0, no, &form).await {
        Ok(order_no) => back(format!("/admin/orders/{order_no}"), Ok("线下收款已登记，订单待发货")),
        Err(e) => back(format!("/admin/orders/{no}/offline"), Err::<&str, _>(e)),
    }
}

async fn take(shop: &Shop, owner: &Staff, no: &str, form: &OfflineForm) -> Result<OrderNo> {
    let order = find(shop, no).await?;
    let (reason, was) = (typed_reason(&form.reason)?, form.was.as_deref().and_then(Fen::from_yuan));
    let what = format!("订单 {} 登记线下收款 ¥{}", order.order_no, order.total);
    offline::pay(shop, order.id, was, reason, Who::staff(&owner.name)).await?;
    note(shop, owner, what).await?;
    Ok(order.order_no)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn pages_of_a_price_ask_for_nothing_that_they_are_not_given() {
        for possible in [true, false] {
            let (no, total) = (|| "261008131540ABCDEFGH".parse().unwrap(), || "57.00".to_owned());
            let page = PricePage {
                frame: Frame::sample(Role::Clerk),
                no: no(),
                goods: "50.00".into(),
                total: total(),
                freight: "7.00".into(),
                status: "待付款",
                possible,
                minutes: 30,
                closable: Some(5),
            };
            let html = assets::strictly("console/order_price.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("有 30 分钟付款"), possible);
            let page =
                OfflinePage {
                    frame: Frame::sample(Role::Owner), no: no(), total: total(), status: "待付款", possible
                };
            let html = assets::strictly("console/order_offline.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("确认已收 ¥57.00"), possible);
        }
    }
}
