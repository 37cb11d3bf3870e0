//! Returns, for buyers: what may be sent back, asking for it, the parcel's number, and taking the wish back.

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{Route, State, get, post, routes};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ask::{self, ReturnRequest};
use super::{back, dearer};
use crate::buyers::Buyer;
use crate::catalogue::{stock::SHOWN_AT_MOST, store as catalogue};
use crate::db::Tx;
use crate::door::Answer;
use crate::door::body::Body;
use crate::door::limits::Limits;
use crate::error::{Code, Error, Result};
use crate::ids::{IdempotencyKey, LineId, OrderId, ReturnId, SkuId};
use crate::money::Fen;
use crate::orders::api::{Moment, with_order};
use crate::orders::quote::MOST_LINES;
use crate::orders::store::Made;
use crate::orders::{self, Full, Who, in_hand};
use crate::parcels::{self, Found};
use crate::payments::prepay::KEY_LIFE;
use crate::payments::refund::{Refundable, check_words};
use crate::photos;
use crate::returns::view::ReturnView;
use crate::returns::{Kind, store};
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    routes![options, wish, send, cancel]
}

/// What of an order may be sent back now, and what for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    kinds: Vec<KindView>,
    reasons: Vec<String>,
    lines: Vec<OfferedLine>,
    most_photos: usize,
}

#[derive(Serialize)]
struct KindView {
    kind: Kind,
    text: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfferedLine {
    line_id: LineId,
    /// So many pieces at the most.
    quantity: i64,
    /// What they are, after an exchange what was sent for it.
    spec_text: String,
    /// Of one piece, when it was bought.
    price_fen: Fen,
    /// What was paid for all of these pieces, discounts taken off.
    paid_fen: Fen,
    /// What they may be exchanged for.
    skus: Vec<OfferedSku>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfferedSku {
    id: SkuId,
    spec_text: String,
    available: i64,
    /// Of one piece now, and by how much that is more than it was when bought; below zero, less.
    price_fen: Fen,
    difference_fen: i64,
}

/// The order, if its goods may be sent back now.
fn open_to_returns(conn: &Connection, buyer: &Buyer, called: &str, moment: Moment) -> Result<Full> {
    let order = orders::store::of_buyer(conn, buyer.id, called)?.ok_or(Code::NotFound)?;
    let full = orders::store::full(conn, order)?;
    let refused = |code| with_order(code, conn, buyer.id, &full.order.order_no, moment);
    if !full.asks_nothing() {
        return Err(refused(Code::RefundInProgress)?.says("这笔订单有售后正在处理，请等它完成"));
    }
    if !full.actions(moment.refund_window, moment.now).send_back {
        return Err(refused(Code::OrderState)?.says("这笔订单现在不能申请退换货，如有问题请联系商家"));
    }
    Ok(full)
}

#[get("/orders/<order_no>/returns/options")]
async fn options(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<Offer>> {
    let (called, moment, settings) = (order_no.to_owned(), Moment::of(shop), shop.settings());
    let read = move |conn: &Connection| {
        let full = open_to_returns(conn, &buyer, &called, moment)?;
        let (mut lines, refundable) = (Vec::new(), Refundable::of(&full));
        for (line, quantity) in full.returnable() {
            let product = catalogue::product(conn, line.product_id)?;
            let had = full.coming_back(line, quantity);
            let skus: Vec<_> = product.into_iter().flat_map(|product| product.skus).collect();
            let specs = had.iter().map(|(sku, _)| in_hand::spec_of(line, &skus, *sku));
            let part = refundable.lines.iter().find(|part| part.line.id == line.id);
            lines.push(OfferedLine {
                line_id: line.id,
                quantity,
                spec_text: specs.collect::<Vec<_>>().join("、"),
                price_fen: line.price,
                paid_fen: part.map_or(Fen::ZERO, |part| part.worth(quantity)),
                skus: skus
                    .iter()
                    .filter(|sku| sku.enabled)
                    .map(|sku| OfferedSku {
                        id: sku.id,
                        spec_text: sku.spec_text(),
                        available: sku.available().clamp(0, SHOWN_AT_MOST),
                        price_fen: sku.price,
                        difference_fen: dearer::difference(line, &had, (sku.id, sku.price), 1),
                    })
                    .collect(),
            });
        }
        Ok(Offer {
            kinds: ask::kinds(&full).into_iter().map(|kind| KindView { kind, text: kind.text() }).collect(),
            reasons: settings.return_reasons().into_iter().map(str::to_owned).collect(),
            lines,
            most_photos: photos::MOST,
        })
    };
    shop.read(read).await.map(Json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReturnForm {
    kind: String,
    lines: Vec<LineForm>,
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
    sku_id: Option<String>,
}

impl ReturnForm {
    fn wish(&self) -> Result<ReturnRequest> {
        let kind = self.kind.parse::<Kind>().map_err(|()| Error::field("kind", "kind 只能是 return 或 exchange"))?;
        if !(1..=MOST_LINES).contains(&self.lines.len()) {
            return Err(Error::field("lines", format!("请选择 1 到 {MOST_LINES} 种要退换的商品")));
        }
        let read = |(i, line): (usize, &LineForm)| {
            let at = |field: &str| format!("lines[{i}].{field}");
            let id = line.line_id.parse::<LineId>().map_err(|_| Error::field(at("lineId"), "订单里没有这一行商品"))?;
            let sku = line.sku_id.as_ref().map(|sku| sku.parse::<SkuId>()).transpose();
            let sku = sku.map_err(|_| Error::field(at("skuId"), "没有这个规格"))?;
            Ok((id, line.quantity, sku))
        };
        let lines = self.lines.iter().enumerate().map(read).collect::<Result<_>>()?;
        let (reason, description) = check_words(&self.reason, &self.description)?;
        Ok(ReturnRequest { kind, lines, reason, description, photos: photos::named(&self.photos)? })
    }
}

#[post("/orders/<order_no>/returns", data = "<form>")]
async fn wish(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    key: IdempotencyKey,
    order_no: &str,
    form: Body<ReturnForm>,
) -> Result<Answer<ReturnView>> {
    limits.order(buyer.id.0)?;
    let (called, wish, settings) = (order_no.to_owned(), form.value.wish()?, shop.settings());
    let (moment, at, words) = (Moment::of(shop), shop.clock.moments(), form.fingerprint);
    let write = move |tx: &Tx| {
        let order = orders::store::of_buyer(tx, buyer.id, &called)?.ok_or(Code::NotFound)?;
        // The same words about another order, or to another end, are another request.
        let fingerprint = Sha256::digest([b"return ", order.order_no.as_str().as_bytes(), &words].concat()).to_vec();
        if let Some(made) = orders::store::made_by_key(tx, buyer.id, key.as_str(), at, KEY_LIFE)? {
            let case = made.send_back.filter(|_| made.fingerprint == fingerprint).ok_or(Code::IdempotencyMismatch)?;
            return Ok((shown(tx, order.id, case)?, true));
        }
        let full = open_to_returns(tx, &buyer, &called, moment)?;
        let case = ask::ask(tx, &full, &wish, buyer.id, &settings)?;
        let made = Made { order: order.id, refund: None, send_back: Some(case), fingerprint };
        orders::store::keep_key(tx, buyer.id, key.as_str(), &made, at)?;
        Ok((shown(tx, order.id, case)?, false))
    };
    let (body, replayed) = shop.write(write).await?;
    Ok(Answer { status: Status::Created, body, replayed })
}

fn shown(conn: &Connection, order: OrderId, id: ReturnId) -> Result<ReturnView> {
    let case = store::by_id(conn, id)?.filter(|case| case.order_id == order).ok_or(Code::NotFound)?;
    Ok(ReturnView::new(&store::full(conn, case)?, &store::resends_of(conn, order)?))
}

/// Does something with a buyer's own return; one that stands elsewhere is refused with the order as it is.
async fn act(
    shop: &Shop,
    buyer: Buyer,
    (order_no, id): (&str, &str),
    work: impl Fn(&Tx, ReturnId) -> Result<()> + Send + 'static,
) -> Result<Json<ReturnView>> {
    let (called, moment) = (order_no.to_owned(), Moment::of(shop));
    let id: ReturnId = id.parse().map_err(|_| Code::NotFound)?;
    let write = move |tx: &Tx| {
        let order = orders::store::of_buyer(tx, buyer.id, &called)?.ok_or(Code::NotFound)?;
        store::by_id(tx, id)?.filter(|case| case.order_id == order.id).ok_or(Code::NotFound)?;
        match work(tx, id) {
            Err(e) if e.code == Code::OrderState => {
                let refused = with_order(Code::OrderState, tx, buyer.id, &order.order_no, moment)?;
                return Err(refused.says("这笔售后已经有了变化，请刷新后再操作"));
            }
            done => done?,
        }
        shown(tx, order.id, id)
    };
    let done = shop.write(write).await.map(Json);
    shop.wake_worker();
    done
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ParcelForm {
    #[serde(default)]
    company: String,
    tracking_no: String,
}

#[post("/orders/<order_no>/returns/<id>/parcel", data = "<form>")]
async fn send(
    shop: &State<Shop>,
    buyer: Buyer,
    order_no: &str,
    id: &str,
    form: Body<ParcelForm>,
) -> Result<Json<ReturnView>> {
    let (form, settings) = (form.value, shop.settings());
    let send = move |tx: &Tx, id: ReturnId| {
        let found = Found::read(tx, &parcels::store::carriers(tx)?, &form.company, &form.tracking_no);
        let sent = found.and_then(|found| back::send(tx, id, &found.parcel, &Who::buyer(), &settings));
        sent.map_err(in_words_of_the_api)
    };
    act(shop, buyer, (order_no, id), send).await
}

/// The field as the API calls it.
fn in_words_of_the_api(mut error: Error) -> Error {
    if let Some(problem) = error.fields.remove("tracking_no") {
        error.fields.insert("trackingNo".into(), problem);
    }
    error
}

#[post("/orders/<order_no>/returns/<id>/cancel")]
async fn cancel(shop: &State<Shop>, buyer: Buyer, order_no: &str, id: &str) -> Result<Json<ReturnView>> {
    let settings = shop.settings();
    let cancel = move |tx: &Tx, id: ReturnId| back::cancel(tx, id, &Who::buyer(), &settings);
    act(shop, buyer, (order_no, id), cancel).await
}
