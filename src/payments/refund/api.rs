//! Refunds, for buyers: asking for one, and taking the request back.

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{Route, State, post, routes};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{RefundRequest, Refundable, check_words, coupon_words, open, withdraw};
use crate::buyers::Buyer;
use crate::db::Tx;
use crate::door::Answer;
use crate::door::body::Body;
use crate::door::limits::Limits;
use crate::error::{Code, Error, Result};
use crate::ids::{IdempotencyKey, LineId, RefundId};
use crate::money::Fen;
use crate::orders::api::{Moment, with_order};
use crate::orders::quote::MOST_LINES;
use crate::orders::store::Made;
use crate::orders::view::{RefundLineView, RefundView};
use crate::orders::{self, Full, Who};
use crate::payments::prepay::KEY_LIFE;
use crate::photos::{self, With};
use crate::refunds::{Origin, RefundLine, store};
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    routes![ask, price, cancel]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefundForm {
    lines: Option<Vec<LineForm>>,
    reason: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    photos: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LineForm {
    line_id: String,
    quantity: i64,
}

/// The pieces that are asked for; `None` for the whole order.
fn wanted(lines: Option<&[LineForm]>) -> Result<Option<Vec<(LineId, i64)>>> {
    let Some(lines) = lines else { return Ok(None) };
    if !(1..=MOST_LINES).contains(&lines.len()) {
        return Err(Error::field("lines", format!("请选择 1 到 {MOST_LINES} 种要退的商品；整单退款请不要写 lines")));
    }
    let read = |(i, line): (usize, &LineForm)| match line.line_id.parse::<LineId>() {
        Ok(id) => Ok((id, line.quantity)),
        Err(_) => Err(Error::field(format!("lines[{i}].lineId"), "订单里没有这一行商品")),
    };
    lines.iter().enumerate().map(read).collect::<Result<_>>().map(Some)
}

/// What a buyer would get back now for these pieces, or for the whole order: lines, and freight.
fn part(
    conn: &Connection,
    full: &Full,
    wanted: Option<&[(LineId, i64)]>,
    moment: Moment,
) -> Result<(Vec<RefundLine>, Fen)> {
    let order = &full.order;
    if !full.asks_nothing() {
        return Err(with_order(Code::RefundInProgress, conn, order.buyer_id, &order.order_no, moment)?);
    }
    if !full.refund_is_due(moment.refund_window, moment.now) {
        let words = "这笔订单现在不能申请退款，如有问题请联系商家";
        return Err(with_order(Code::OrderState, conn, order.buyer_id, &order.order_no, moment)?.says(words));
    }
    let refundable = Refundable::of(full);
    Ok(match wanted {
        None => refundable.rest(),
        Some(wanted) => (refundable.pieces(wanted)?, Fen::ZERO),
    })
}

#[post("/orders/<order_no>/refunds", data = "<form>")]
async fn ask(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    key: IdempotencyKey,
    order_no: &str,
    form: Body<RefundForm>,
) -> Result<Answer<RefundView>> {
    limits.order(buyer.id.0)?;
    let called = order_no.to_owned();
    let (reason, description) = check_words(&form.value.reason, &form.value.description)?;
    let wanted = wanted(form.value.lines.as_deref())?;
    let photos = photos::named(&form.value.photos)?;
    let (moment, at, words) = (Moment::of(shop), shop.clock.moments(), form.fingerprint);
    let write = move |tx: &Tx| {
        let order = orders::store::of_buyer(tx, buyer.id, &called)?.ok_or(Code::NotFound)?;
        // The same words about another order are another request.
        let fingerprint = Sha256::digest([order.order_no.as_str().as_bytes(), &words].concat()).to_vec();
        if let Some(made) = orders::store::made_by_key(tx, buyer.id, key.as_str(), at, KEY_LIFE)? {
            let refund = made.refund.filter(|_| made.fingerprint == fingerprint).ok_or(Code::IdempotencyMismatch)?;
            return Ok((refund, true));
        }
        let full = orders::store::full(tx, order)?;
        let (lines, freight) = part(tx, &full, wanted.as_deref(), moment)?;
        let wish = RefundRequest { lines, freight, reason: reason.clone(), description: description.clone() };
        let refund = open(tx, &full, &wish, Origin::Buyer, false, &Who::buyer())?;
        photos::send_with(tx, buyer.id, &photos, With::Refund(refund))?;
        let made = Made { order: full.order.id, refund: Some(refund), send_back: None, fingerprint };
        orders::store::keep_key(tx, buyer.id, key.as_str(), &made, at)?;
        Ok((refund, false))
    };
    let (id, replayed) = shop.write(write).await?;
    let body = show(shop, id).await?;
    Ok(Answer { status: Status::Created, body, replayed })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefundQuoteForm {
    lines: Option<Vec<LineForm>>,
}

/// What a refund would come to. Asking changes nothing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundQuote {
    amount_fen: Fen,
    freight_fen: Fen,
    lines: Vec<RefundLineView>,
    /// What becomes of the coupon that the order was placed with.
    coupon_text: Option<String>,
}

#[post("/orders/<order_no>/refunds/quote", data = "<form>")]
async fn price(
    shop: &State<Shop>,
    buyer: Buyer,
    order_no: &str,
    form: Body<RefundQuoteForm>,
) -> Result<Json<RefundQuote>> {
    let (called, moment) = (order_no.to_owned(), Moment::of(shop));
    let wanted = wanted(form.value.lines.as_deref())?;
    let read = move |conn: &Connection| {
        let order = orders::store::of_buyer(conn, buyer.id, &called)?.ok_or(Code::NotFound)?;
        let full = orders::store::full(conn, order)?;
        let (lines, freight) = part(conn, &full, wanted.as_deref(), moment)?;
        let wish = RefundRequest { lines, freight, reason: String::new(), description: String::new() };
        let amount = Refundable::of(&full).check(&wish)?;
        Ok(RefundQuote {
            amount_fen: amount,
            freight_fen: freight,
            coupon_text: coupon_words(conn, &full, &wish, moment.now)?,
            lines: wish.lines.iter().map(RefundLineView::from).collect(),
        })
    };
    shop.read(read).await.map(Json)
}

#[post("/orders/<order_no>/refunds/<id>/cancel")]
async fn cancel(shop: &State<Shop>, buyer: Buyer, order_no: &str, id: &str) -> Result<Json<RefundView>> {
    let called = order_no.to_owned();
    let id: RefundId = id.parse().map_err(|_| Code::NotFound)?;
    let moment = Moment::of(shop);
    let write = move |tx: &Tx| {
        let order = orders::store::of_buyer(tx, buyer.id, &called)?.ok_or(Code::NotFound)?;
        store::by_id(tx, id)?.filter(|refund| refund.order_id == Some(order.id)).ok_or(Code::NotFound)?;
        let full = orders::store::full(tx, order.clone())?;
        if full.return_of(id).is_some() {
            let words = "寄回的商品店里已经收到，正在确认金额，不能再撤回";
            return Err(with_order(Code::OrderState, tx, buyer.id, &order.order_no, moment)?.says(words));
        }
        match withdraw(tx, id, &Who::buyer()) {
            Err(e) if e.code == Code::OrderState => {
                let words = "商家已经处理了这笔退款，不能再撤回";
                Err(with_order(Code::OrderState, tx, buyer.id, &order.order_no, moment)?.says(words))
            }
            done => done,
        }
    };
    shop.write(write).await?;
    show(shop, id).await.map(Json)
}

async fn show(shop: &Shop, id: RefundId) -> Result<RefundView> {
    let read = move |conn: &rusqlite::Connection| {
        let refund = store::by_id(conn, id)?.ok_or(Code::NotFound)?;
        Ok(RefundView::from(&store::full(conn, refund)?))
    };
    shop.read(read).await
}
