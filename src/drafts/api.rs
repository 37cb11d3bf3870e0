//! Draft orders, for buyers: looked at by their code, and taken.

use rocket::http::Status;
use rocket::http::uri::Origin;
use rocket::serde::json::Json;
use rocket::{Route, State, get, post, routes};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::take::Said;
use super::{Draft, DraftState, store, take};
use crate::buyers::addresses::{self, Address, AddressForm};
use crate::buyers::{Buyer, store as buyers};
use crate::catalogue::Delivery;
use crate::catalogue::media::Widths;
use crate::clock::rfc3339;
use crate::db::Tx;
use crate::door::Answer;
use crate::door::body::Body;
use crate::door::limits::Limits;
use crate::door::query::Given;
use crate::error::{Code, Error, Result};
use crate::ids::{AddressId, ImageHash, OrderNo, SkuId};
use crate::money::Fen;
use crate::orders::api::{Moment, show};
use crate::orders::slots::{self, SlotView};
use crate::orders::view::OrderView;
use crate::orders::{Numbers, QuoteLine, store as orders};
use crate::shop::Shop;
use crate::typed::bare;

pub fn routes() -> Vec<Route> {
    routes![look, open]
}

/// A draft as whoever has its code sees it: whom it goes to is not told before it is somebody's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DraftView {
    code: String,
    state: DraftState,
    state_text: &'static str,
    lines: Vec<LineView>,
    goods_fen: Fen,
    freight_fen: Fen,
    total_fen: Fen,
    delivery: Delivery,
    delivery_text: &'static str,
    /// The buyer is to say where it goes.
    needs_address: bool,
    /// The buyer is to leave a phone number: he comes to fetch it.
    needs_phone: bool,
    /// When it may be brought or fetched; empty where none is to be chosen.
    slots: Vec<SlotView>,
    /// Whom staff send it to, hidden in part.
    receiver: Option<String>,
    place: Option<String>,
    remark: String,
    expires_at: String,
    /// Why it cannot go to the address that was asked about.
    problem: Option<String>,
    /// When it is this buyer's.
    order_no: Option<OrderNo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView {
    sku_id: SkuId,
    name: String,
    spec_text: String,
    image_url: Option<String>,
    image: Option<Widths>,
    price_fen: Fen,
    quantity: i64,
    amount_fen: Fen,
}

impl From<&QuoteLine> for LineView {
    fn from(line: &QuoteLine) -> LineView {
        LineView {
            sku_id: line.sku_id,
            name: line.name.clone(),
            spec_text: line.spec_text.clone(),
            image_url: line.image.as_ref().map(ImageHash::url),
            image: line.image.as_ref().map(Widths::from),
            price_fen: line.price,
            quantity: line.quantity,
            amount_fen: line.amount,
        }
    }
}

/// What people type: case does not matter, nor do blanks.
fn found(conn: &Connection, code: &str) -> Result<Draft> {
    let code = bare(code).replace([' ', '-'], "").to_ascii_uppercase();
    store::by_code(conn, &code)?.ok_or_else(|| Error::from(Code::NotFound).says("没有这个订单码，请核对后重试"))
}

fn own_address(conn: &Connection, buyer: &Buyer, id: AddressId) -> Result<Address> {
    Ok(buyers::address(conn, buyer.id, id)?.ok_or_else(addresses::unknown)?.address)
}

/// `?addressId=`: what it comes to there, where the buyer is to say the address.
#[get("/drafts/<code>")]
async fn look(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    code: &str,
    asked: &Origin<'_>,
) -> Result<Json<DraftView>> {
    limits.order(buyer.id.0)?;
    let address = Given::of(asked).get("addressId").map(addresses::id).transpose()?;
    let (code, now, settings) = (code.to_owned(), shop.now(), shop.settings());
    let read = move |conn: &Connection| {
        let draft = found(conn, &code)?;
        let to = address.map(|id| own_address(conn, &buyer, id)).transpose()?;
        let (draft, problem) = match take::sent_to(conn, &draft, to.as_ref(), &settings) {
            Ok(draft) => (draft, None),
            Err(e) => (draft, Some(e.message())),
        };
        let quote = take::quote(conn, &draft, None)?;
        let slots = slots::slots(conn, draft.delivery, &settings, now)?.unwrap_or_default();
        let order = draft.order.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
        let state = draft.state(now);
        Ok(DraftView {
            state,
            state_text: state.text(),
            lines: quote.lines.iter().map(LineView::from).collect(),
            goods_fen: quote.goods,
            freight_fen: draft.freight,
            total_fen: draft.total,
            delivery: draft.delivery,
            delivery_text: draft.delivery.text(),
            needs_address: draft.address.is_none() && draft.delivery.needs_address(),
            needs_phone: draft.delivery == Delivery::Pickup,
            slots: SlotView::all(&slots, now),
            receiver: draft.address.as_ref().map(Address::masked_receiver),
            place: draft.address.as_ref().map(Address::region),
            remark: draft.remark,
            expires_at: rfc3339(draft.expires_at),
            problem,
            order_no: order.filter(|order| order.buyer_id == buyer.id).map(|order| order.order_no),
            code: draft.code,
        })
    };
    shop.read(read).await.map(Json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TakeForm {
    address_id: Option<String>,
    address: Option<AddressForm>,
    pickup_phone: Option<String>,
    /// When it is brought or fetched: one of those that the draft offers.
    slot_id: Option<String>,
    expected_total_fen: Option<i64>,
}

#[post("/drafts/<code>", data = "<form>")]
async fn open(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    code: &str,
    form: Body<TakeForm>,
) -> Result<Answer<OrderView>> {
    limits.order(buyer.id.0)?;
    let TakeForm { address_id, address, pickup_phone, slot_id, expected_total_fen: expected } = form.value;
    let phone = pickup_phone.map(|phone| addresses::phone(&phone, "pickupPhone")).transpose()?.unwrap_or_default();
    let chosen = address_id.as_deref().map(addresses::id).transpose()?;
    let written = address.map(|form| form.check("address.")).transpose()?;
    let (code, settings, moment) = (code.to_owned(), shop.settings(), Moment::of(shop));
    let numbers = Numbers::draw(moment.now, &shop.nonces);
    let write = move |tx: &Tx| {
        let draft = found(tx, &code)?;
        let saved = match chosen {
            Some(id) => Some(own_address(tx, &buyer, id)?),
            None => written.clone(),
        };
        let said = Said { address: saved, phone: phone.clone(), slot: slot_id.clone(), expected };
        let (order, new) = take::take(tx, &draft, &buyer, said, &numbers, &settings)?;
        let order = orders::by_id(tx, order)?.ok_or(Code::NotFound)?;
        show(tx, buyer.id, order.order_no.as_str(), moment).map(|view| (view, new))
    };
    let (body, new) = shop.write(write).await?;
    Ok(Answer { status: if new { Status::Created } else { Status::Ok }, body, replayed: !new })
}
