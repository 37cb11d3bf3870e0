//! One order for staff: everything about it on one page, and the few things that may be done to it.

use rocket::form::Form;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use super::list::card;
use super::timeline::{self, Part};
use super::walk::{Came, Place};
use super::{find, here};
use crate::assets;
use crate::clock;
use crate::console::{self, frame, money};
use crate::customers::store as customers;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::exceptions::store as exceptions;
use crate::ids::{ImageHash, OrderNo};
use crate::ledger::{Shares, store as ledger};
use crate::money::{Fen, yuan};
use crate::orders::store;
use crate::orders::{ClosedReason, Full, Order, OrderStatus, Who};
use crate::payments::{AttemptState, check, close, store as payments};
use crate::shipping;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Role, Staff};
use crate::wechat::pay::Trade;
use crate::{buyers, jobs};

pub fn routes() -> Vec<Route> {
    routes![detail, preview, reveal, revealed, memo, query, cancel_page, cancel]
}

#[get("/orders/<no>?<show>&<came..>")]
async fn detail(
    shop: &State<Shop>,
    staff: Staff,
    flash: Option<FlashMessage<'_>>,
    no: &str,
    show: Option<&str>,
    came: Came,
) -> Result<Template> {
    let shown = show.and_then(|word| word.parse().ok());
    render(shop, &staff, flash, no, Looking { shown, came, ..Looking::default() }, "console/order.html").await
}

/// How somebody looks at an order.
#[derive(Clone, Default)]
struct Looking {
    /// Whom it goes to in full.
    revealed: bool,
    /// The part of the timeline that is asked for; all of it when none is.
    shown: Option<Part>,
    /// The list that it was opened from.
    came: Came,
}

/// The heart of the page, for a drawer beside the list.
#[get("/orders/<no>/preview?<came..>")]
async fn preview(shop: &State<Shop>, staff: Staff, no: &str, came: Came) -> Result<Template> {
    render(shop, &staff, None, no, Looking { came, ..Looking::default() }, "console/order_preview.html").await
}

/// Whoever opens the address of that page again comes to the order, where it can be asked for anew.
#[get("/orders/<no>/reveal")]
fn revealed(_staff: Staff, no: &str) -> Redirect {
    Redirect::to(here(no))
}

/// Shows whom a parcel goes to in full, and writes down who looked.
#[post("/orders/<no>/reveal")]
async fn reveal(shop: &State<Shop>, staff: Staff, no: &str) -> Result<Template> {
    let order = find(shop, no).await?;
    let (now, looked, number) = (shop.now(), staff.clone(), order.order_no);
    let what = format!("查看订单 {number} 的完整收货信息");
    shop.write(move |tx| Ok(audit(tx, &looked, &what, now)?)).await?;
    render(shop, &staff, None, no, Looking { revealed: true, ..Looking::default() }, "console/order.html").await
}

async fn render(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    no: &str,
    Looking { revealed, shown, came }: Looking,
    template: &'static str,
) -> Result<Template> {
    let order_no: OrderNo = no.parse().map_err(|_| Code::NotFound)?;
    let now = shop.now();
    let read = move |conn: &rusqlite::Connection| {
        let order = store::by_no(conn, &order_no)?.ok_or(Code::NotFound)?;
        let id = order.id;
        let attempts = (payments::attempts(conn, id)?, ledger::shares_of(conn, id)?);
        let events = store::events(conn, order.id)?;
        let exceptions = money::exceptions::with_refunds(conn, exceptions::of_order(conn, order.id)?)?;
        let history = customers::totals(conn, order.buyer_id)?;
        let openid = buyers::store::openid(conn, order.buyer_id)?;
        let expiring = jobs::store::waiting_for(conn, jobs::Task::Expire(order.id))?;
        let completing = jobs::store::waiting_for(conn, jobs::Task::Complete(order.id))?;
        let refunded = shipping::store::last_refund(conn, order.id)?;
        Ok((
            store::full(conn, order)?,
            attempts,
            events,
            exceptions,
            history,
            openid,
            (expiring, completing, refunded),
            (came.place(conn, id, now)?, super::shipping::choices(conn)?),
        ))
    };
    let (
        full,
        (attempts, shares),
        events,
        exceptions,
        (bought, spent),
        openid,
        (expiring, completing, last_refund),
        (place, carriers),
    ) = shop.read(read).await?;
    let Full { order, lines, shipments, refunds, .. } = &full;
    let sees_money = staff.role > Role::Packer;
    let tail: String = openid.chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
    let left = |id| full.to_pack().into_iter().find(|(line, _)| line.id == id).map_or(0, |(_, left)| left);
    let context = context! {
        frame: frame(shop, staff, "orders", flash).await?,
        order: card(&full, exceptions.iter().any(|(e, _)| e.open), now),
        place: place.as_ref().map(Place::shown),
        steps: steps(order, now),
        waiting: timeline::why_waiting(&full, attempts.last().map(|a| a.state), expiring, completing, sees_money, now),
        lines: lines.iter().map(|line| json!({
            "name": line.name, "spec": line.spec_text, "quantity": line.quantity, "shipped": line.shipped,
            "image": line.image.as_ref().map(ImageHash::url), "price": line.price.to_string(),
            "amount": line.amount().to_string(), "product": line.product_id, "refunded": line.refunded,
            "id": line.id, "left": left(line.id),
        })).collect::<Vec<_>>(),
        flags: super::list::flags(),
        pieces_left: full.to_pack().iter().map(|(_, n)| n).sum::<i64>(),
        goods: order.goods.to_string(),
        freight: order.freight.to_string(),
        discount: order.discount.to_string(),
        discounts: full.discounts.iter().map(|discount| json!({
            "promotion": discount.promotion, "name": discount.name, "words": discount.words,
            "coupon": discount.coupon.is_some(),
            "off": discount.goods.plus(discount.freight).unwrap_or_default().to_string(),
        })).collect::<Vec<_>>(),
        total: order.total.to_string(),
        paid: order.paid.to_string(),
        refunded: order.refunded.to_string(),
        sees_money,
        net: order.paid.minus(order.refunded).unwrap_or_default().to_string(),
        may_price: staff.role > Role::Packer && order.status == OrderStatus::PendingPayment,
        may_take_offline: staff.role == Role::Owner && order.status == OrderStatus::PendingPayment,
        may_refund: staff.role > Role::Packer && full.refundable() > Fen::ZERO,
        refunding: full.is_refunding(),
        refunds: refunds.iter().map(|r| money::refunds::shown(r, Some(order), now)).collect::<Vec<_>>(),
        may_cancel: staff.role > Role::Packer && (order.status == OrderStatus::PendingPayment || full.may_be_dropped()),
        may_ship: order.status == OrderStatus::ToShip,
        may_query: staff.role > Role::Packer && matches!(order.status, OrderStatus::PendingPayment | OrderStatus::Closed) && !attempts.is_empty(),
        carriers,
        revealed,
        may_readdress: revealed && staff.role > Role::Packer && matches!(order.status, OrderStatus::PendingPayment | OrderStatus::ToShip),
        address: order.address.as_ref().map(|a| match revealed {
            true => json!({
                "receiver": a.receiver, "phone": a.phone, "where": a.one_line(), "province": a.province, "city": a.city,
                "district": a.district, "detail": a.detail,
            }),
            false => json!({
                "receiver": a.masked_receiver(), "phone": a.masked_phone(),
                "where": format!("{} ••••", a.region()),
            }),
        }),
        attempts: attempts.iter().map(|a| json!({
            "n": format!("{:02}", a.n), "number": a.out_trade_no, "state": a.state.text(), "total": a.total.to_string(),
            "transaction": a.transaction_id, "paid_at": a.paid_at.map(clock::shown), "paid": a.state == AttemptState::Paid,
            "shares": shares.iter().find(|s| a.transaction_id.as_ref() == Some(&s.transaction_id)).map(shares_text),
        })).collect::<Vec<_>>(),
        shipments: shipments.iter().map(|s| json!({
            "id": s.id, "company": s.parcel.company, "text": s.parcel.text(), "company_text": s.parcel.company_text(), "tracking": s.parcel.tracking_no,
            "at": clock::shown(s.shipped_at),
            "undo": shipping::undo_refused(order, s, last_refund, now).is_none(),
            "lines": s.lines.iter().map(|(id, n)| json!({
                "name": lines.iter().find(|l| l.id == *id).map(|l| &l.name), "n": n,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        exceptions: exceptions.iter().map(|(e, refund)| money::exceptions::shown(e, refund.as_ref(), now)).collect::<Vec<_>>(),
        parts: Part::ALL.iter().map(|part| json!({ "word": part, "text": part.text(), "here": shown == Some(*part) })).collect::<Vec<_>>(),
        shown,
        events: events.iter().filter(|e| shown.is_none_or(|part| timeline::belongs(e, part))).map(timeline::line).collect::<Vec<_>>(),
        bought,
        spent: yuan(spent),
        openid: tail,
        buyer: order.buyer_id,
    };
    Ok(assets::page(template, context))
}

/// The order's life line: what was reached and when, how long each stretch took, and where it stands.
/// Who paid what of a payment that coupons were part of, and what of it arrives.
fn shares_text(shares: &Shares) -> String {
    let mut text = format!("买家实付 ¥{}", yuan(shares.by_buyer_fen()));
    for (fen, what) in [(shares.funded_fen, "充值券"), (shares.borne_fen, "免充值券（本店承担）")] {
        if fen > 0 {
            text.push_str(&format!(" · {what} ¥{}", yuan(fen)));
        }
    }
    format!("{text} · 到账 ¥{}", yuan(shares.settled_fen()))
}

fn steps(order: &Order, now: i64) -> Vec<Value> {
    let mut reached = vec![("提交", Some(order.created_at)), ("付款", order.paid_at)];
    match order.status {
        OrderStatus::Closed => reached.push(("关闭", order.closed_at)),
        _ => reached.extend([("发货", order.shipped_at), ("完成", order.completed_at)]),
    }
    let here = reached.iter().position(|(_, at)| at.is_none());
    let took = |i: usize| {
        let (from, to) = (reached[i].1?, reached.get(i + 1)?.1);
        Some(clock::span(to.unwrap_or(now) - from))
    };
    let step = |(i, (text, at)): (usize, &(&str, Option<i64>))| {
        json!({
            "text": text, "at": at.map(|at| clock::shown_near(at, now)), "done": at.is_some(),
            "here": here == Some(i), "took": took(i), "waits": here == Some(i + 1),
        })
    };
    reached.iter().enumerate().map(step).collect()
}

fn back(no: &str, outcome: Result<&'static str>) -> Flash<Redirect> {
    console::back(here(no), outcome)
}

#[derive(FromForm)]
struct Memo {
    memo: String,
}

#[post("/orders/<no>/memo", data = "<form>")]
async fn memo(shop: &State<Shop>, staff: Staff, no: &str, form: Form<Memo>) -> Flash<Redirect> {
    back(no, save_memo(shop, staff, no, form.into_inner().memo).await.map(|()| "备注已保存"))
}

async fn save_memo(shop: &Shop, staff: Staff, no: &str, memo: String) -> Result<()> {
    let memo = memo.trim().to_owned();
    if memo.chars().count() > 500 {
        return Err(Error::field("memo", "备注最多 500 个字"));
    }
    let (order, now) = (find(shop, no).await?, shop.now());
    let write = move |tx: &Tx| {
        store::set_memo(tx, order.id, &memo)?;
        let what = format!("备注改为「{memo}」");
        Ok(store::note(tx, order.id, &Who::staff(&staff.name), &what, None, now)?)
    };
    shop.write(write).await
}

/// Asks WeChat now, about the newest attempt.
#[post("/orders/<no>/query")]
async fn query(shop: &State<Shop>, _staff: Clerk, no: &str) -> Flash<Redirect> {
    match ask_wechat(shop, no).await {
        Ok(said) => Flash::success(Redirect::to(here(no)), said),
        Err(e) => back(no, Err(e)),
    }
}

async fn ask_wechat(shop: &Shop, no: &str) -> Result<String> {
    let order = find(shop, no).await?;
    let attempts = shop.read(move |conn| Ok(payments::attempts(conn, order.id)?)).await?;
    let last =
        attempts.last().ok_or_else(|| Error::from(Code::NotFound).says("买家还没有发起支付，没有可查的支付单"))?;
    let account = last.account(shop).ok_or(Code::PaymentNotConfigured)?;
    match check::ask(shop, &account, last).await?.trade {
        Ok(Trade::Paid(payment)) => Ok(format!("微信回答：已支付 ¥{}", payment.total)),
        Ok(Trade::NotPaid) => Ok("微信回答：还没有付款".into()),
        Ok(Trade::Closed) => Ok("微信回答：支付单已关闭".into()),
        Ok(Trade::Absent) => Ok("微信回答：没有这笔支付单（下单请求没有到达微信）".into()),
        Ok(Trade::Other(state)) => Ok(format!("微信回答：{state}")),
        Err(e) => Err(Error::from(Code::WechatUnavailable).says(e.to_string())),
    }
}

/// A second screen repeats the facts before an order is cancelled.
#[get("/orders/<no>/cancel")]
async fn cancel_page(shop: &State<Shop>, staff: Clerk, no: &str) -> Result<Template> {
    let order = find(shop, no).await?;
    let frame = frame(shop, &staff.0, "orders", None).await?;
    let context = context! {
        frame, no: &order.order_no, total: order.total.to_string(), status: order.status.text(),
        possible: order.status == OrderStatus::PendingPayment
            || (order.status == OrderStatus::ToShip && order.costs_nothing()),
        free: order.costs_nothing(),
    };
    Ok(assets::page("console/order_cancel.html", context))
}

#[post("/orders/<no>/cancel")]
async fn cancel(shop: &State<Shop>, staff: Clerk, no: &str) -> Flash<Redirect> {
    back(no, cancel_order(shop, &staff.0, no).await.map(|()| "订单已取消"))
}

async fn cancel_order(shop: &Shop, staff: &Staff, no: &str) -> Result<()> {
    let order = find(shop, no).await?;
    let (now, what, who) = (shop.now(), format!("取消订单 {}", order.order_no), staff.clone());
    close::cancel(shop, order.id, ClosedReason::StaffCancelled, Who::staff(&staff.name)).await?;
    shop.write(move |tx| Ok(audit(tx, &who, &what, now)?)).await
}
