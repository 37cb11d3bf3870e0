//! Buying and paying, for buyers: prepay, pay again, check, cancel.

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::serde::json::Json;
use rocket::{Request, Route, State, post, routes};
use serde::Serialize;
use serde_json::json;

use super::check::ask;
use super::prepay::{self, Cashier, Payer, Placed, PrepayForm};
use super::{close, store};
use crate::buyers::Buyer;
use crate::clock::SECOND;
use crate::db::Tx;
use crate::door::body::Body;
use crate::door::{Answer, ClientIp, limits::Limits};
use crate::error::{self, Code, Error, Result};
use crate::ids::IdempotencyKey;
use crate::orders::api::{Moment, show, with_order};
use crate::orders::view::OrderView;
use crate::orders::{self, ClosedReason, Order, OrderStatus, Who};
use crate::shop::Shop;
use crate::wechat::pay::PaymentParams;

/// WeChat is asked about one attempt at most this often on a buyer's wish.
const CHECK_EVERY: i64 = 3 * SECOND;

pub fn routes() -> Vec<Route> {
    routes![buy, pay_again, check, cancel]
}

#[derive(Serialize)]
struct Payable {
    order: OrderView,
    /// None for an order that cost nothing: it stands as paid.
    payment: Option<PaymentParams>,
}

#[post("/prepay", data = "<form>")]
async fn buy(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    ip: ClientIp,
    key: IdempotencyKey,
    form: Body<PrepayForm>,
) -> Result<Answer<Payable>> {
    limits.order(buyer.id.0)?;
    let purchase = form.value.check()?;
    let cashier = Cashier::of(shop)?;
    let payer = Payer { buyer: &buyer, ip: &ip.0 };
    let placed = prepay::place(shop, &cashier, payer, key, form.fingerprint, purchase).await?;
    let replayed = !placed.is_new();
    let body = payable(shop, &cashier, payer, placed).await?;
    Ok(Answer { status: Status::Created, body, replayed })
}

#[post("/orders/<order_no>/prepay")]
async fn pay_again(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    ip: ClientIp,
    order_no: &str,
) -> Result<Json<Payable>> {
    limits.order(buyer.id.0)?;
    let order = own(shop, &buyer, order_no).await?;
    let cashier = Cashier::of(shop)?;
    let payer = Payer { buyer: &buyer, ip: &ip.0 };
    let payable = payable(shop, &cashier, payer, Placed::found(order.id)).await?;
    if payable.payment.is_some() {
        return Ok(Json(payable));
    }
    Err(Error::from(Code::AlreadyPaid).details(json!({ "orderNo": order.order_no, "order": payable.order })))
}

/// The order with its payment parameters. Whatever fails now, the client learns which order stands, and how.
async fn payable(shop: &Shop, cashier: &Cashier, payer: Payer<'_>, placed: Placed) -> Result<Payable> {
    let (id, buyer_id) = (placed.order, payer.buyer.id);
    let paid = prepay::pay(shop, cashier, payer, placed).await;
    let moment = Moment::of(shop);
    let read = move |conn: &rusqlite::Connection| {
        let order = orders::store::by_id(conn, id)?.ok_or(Code::NotFound)?;
        show(conn, buyer_id, order.order_no.as_str(), moment).map(|view| (order.order_no, view))
    };
    let (order_no, order) = shop.read(read).await?;
    match paid {
        Ok(payment) => Ok(Payable { order, payment }),
        Err(error) => Err(error.details(json!({ "orderNo": order_no, "order": order }))),
    }
}

#[post("/orders/<order_no>/check")]
async fn check(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<OrderView>> {
    let order = own(shop, &buyer, order_no).await?;
    let asked = match order.status {
        // A closed order too: its money may be on the way.
        OrderStatus::PendingPayment | OrderStatus::Closed => ask_now(shop, &order).await,
        _ => Ok(()),
    };
    let (moment, buyer_id, order_no) = (Moment::of(shop), buyer.id, order.order_no.clone());
    let view = shop.read(move |conn| show(conn, buyer_id, order_no.as_str(), moment)).await?;
    match asked {
        Ok(()) => Ok(Json(view)),
        Err(error) => Err(error.details(json!({ "orderNo": order.order_no, "order": view }))),
    }
}

/// Asks about the newest attempt that could have been paid, unless that was done just now.
async fn ask_now(shop: &Shop, order: &Order) -> Result<()> {
    let id = order.id;
    let turn = move |tx: &Tx| {
        let attempts = store::attempts(tx, id)?;
        let Some(last) = attempts.into_iter().next_back() else { return Ok(None) };
        Ok(store::take_query_turn(tx, last.id, tx.now() - CHECK_EVERY)?.then_some(last))
    };
    let Some(attempt) = shop.write(turn).await? else { return Ok(()) };
    // The shop has another merchant number since, or no keys: the buyer can do nothing about it, and his money is not lost.
    let unasked = || {
        Error::from(Code::PaymentNotConfigured)
            .says("暂时查不到这笔付款的结果：付了的会自动更新，请不要重复付款；久等不到请联系商家")
    };
    let account = attempt.account(shop).ok_or_else(unasked)?;
    match ask(shop, &account, &attempt).await?.trade {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::from(Code::WechatUnavailable)
            .says("暂时连不上微信，付款结果稍后会自动更新，请不要重复付款")
            .retry_after(5)),
    }
}

#[post("/orders/<order_no>/cancel")]
async fn cancel(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<OrderView>> {
    let order = own(shop, &buyer, order_no).await?;
    let cancelled = close::cancel(shop, order.id, ClosedReason::BuyerCancelled, Who::buyer()).await;
    let (moment, buyer_id, order_no) = (Moment::of(shop), buyer.id, order.order_no);
    let read = move |conn: &rusqlite::Connection| match cancelled {
        Ok(()) => show(conn, buyer_id, order_no.as_str(), moment),
        Err(e) if matches!(e.code, Code::AlreadyPaid | Code::OrderState) => {
            Err(with_order(e.code, conn, buyer_id, &order_no, moment)?)
        }
        Err(e) => Err(e),
    };
    shop.read(read).await.map(Json)
}

/// The buyer's own order, or 404: another's is as unknown as one that never was.
async fn own(shop: &Shop, buyer: &Buyer, called: &str) -> Result<Order> {
    let (called, buyer) = (called.to_owned(), buyer.id);
    let found = shop.read(move |conn| Ok(orders::store::of_buyer(conn, buyer, &called)?)).await?;
    found.ok_or_else(|| Code::NotFound.into())
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IdempotencyKey {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<IdempotencyKey, ()> {
        match request.headers().get_one("Idempotency-Key").and_then(|key| key.parse().ok()) {
            Some(key) => Outcome::Success(key),
            None => Outcome::Error((error::leave(request, Code::IdempotencyKeyRequired.into()), ())),
        }
    }
}
