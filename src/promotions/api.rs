//! Promotions and coupons for buyers: what runs, what can be fetched, what one holds.

use rocket::http::Status;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use rocket::{FromForm, Route, State, get, post, routes};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Coupon, CouponRef, CouponState, Given, Kind, Promotion, give, store};
use crate::buyers::{Buyer, MaybeBuyer};
use crate::clock::rfc3339;
use crate::db::Tx;
use crate::door::body::Body;
use crate::door::limits::Limits;
use crate::error::{Code, Error, Result};
use crate::ids::{OrderNo, ProductId, PromotionId};
use crate::shop::Shop;

/// A buyer's list is as long.
const SHOWN: i64 = 200;

pub fn routes() -> Vec<Route> {
    routes![running, held, fetch]
}

/// A promotion as the mini-program sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PromotionView {
    id: PromotionId,
    name: String,
    kind: Kind,
    kind_text: &'static str,
    text: String,
    scope_text: &'static str,
    starts_at: String,
    ends_at: Option<String>,
    /// By which a coupon is fetched; none for what needs no coupon.
    code: Option<String>,
    /// This buyer, or somebody who has not logged in, can fetch one now.
    claimable: bool,
}

impl PromotionView {
    fn new(promotion: Promotion, claimable: bool) -> PromotionView {
        let terms = promotion.terms;
        PromotionView {
            id: promotion.id,
            text: terms.text(),
            name: terms.name,
            kind: terms.kind,
            kind_text: terms.kind.text(),
            scope_text: terms.scope.text(),
            starts_at: rfc3339(terms.starts_at),
            ends_at: terms.ends_at.map(rfc3339),
            code: terms.code,
            claimable,
        }
    }
}

/// Which promotions are asked for.
#[derive(FromForm)]
struct Wanted<'r> {
    #[field(name = "productId")]
    product_id: Option<&'r str>,
}

#[get("/promotions?<wanted..>")]
async fn running(shop: &State<Shop>, buyer: MaybeBuyer, wanted: Wanted<'_>) -> Result<Json<Value>> {
    let product = wanted.product_id.filter(|id| !id.is_empty());
    let product = product.map(|id| id.parse::<ProductId>().map_err(|_| Code::NotFound)).transpose()?;
    let (now, buyer) = (shop.now(), buyer.0.map(|buyer| buyer.id));
    let read = move |conn: &Connection| {
        let categories = product.map(|product| store::categories_of(conn, product)).transpose()?.unwrap_or_default();
        let counts = |promotion: &Promotion| product.is_none_or(|product| promotion.terms.covers(product, &categories));
        let automatic = store::running(conn, Given::Everybody, now)?.into_iter().filter(counts);
        let mut items: Vec<_> = automatic.map(|promotion| PromotionView::new(promotion, false)).collect();
        for promotion in store::running(conn, Given::Link, now)?.into_iter().filter(|p| p.terms.listed && counts(p)) {
            let refused = match buyer {
                Some(buyer) => give::refused(conn, &promotion, buyer, now)?.is_some(),
                None => promotion.is_exhausted(),
            };
            items.push(PromotionView::new(promotion, !refused));
        }
        Ok(json!({ "items": items, "nextCursor": null }))
    };
    shop.read(read).await.map(Json)
}

/// A coupon as its buyer sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CouponView {
    id: CouponRef,
    promotion_id: PromotionId,
    name: String,
    kind: Kind,
    kind_text: &'static str,
    text: String,
    scope_text: &'static str,
    starts_at: String,
    ends_at: Option<String>,
    state: CouponState,
    state_text: &'static str,
    /// Its order is closed: it comes back when that cannot be paid any more.
    returning: bool,
    order_no: Option<OrderNo>,
}

impl CouponView {
    fn new(coupon: Coupon, now: i64) -> CouponView {
        let (state, state_text, terms) = (coupon.state(now), coupon.state_text(now), coupon.promotion.terms);
        CouponView {
            id: coupon.is,
            promotion_id: coupon.promotion.id,
            text: terms.text(),
            name: terms.name,
            kind: terms.kind,
            kind_text: terms.kind.text(),
            scope_text: terms.scope.text(),
            starts_at: rfc3339(terms.starts_at),
            ends_at: coupon.ends_at.map(rfc3339),
            state,
            state_text,
            returning: coupon.returning,
            order_no: coupon.order_no,
        }
    }
}

#[get("/coupons?<status>")]
async fn held(shop: &State<Shop>, buyer: Buyer, status: Option<&str>) -> Result<Json<Value>> {
    use CouponState::{Expired, Held, Usable, Used, Waiting};
    let wanted: &[CouponState] = match status.unwrap_or_default() {
        "" => CouponState::ALL,
        "usable" => &[Usable, Waiting],
        "used" => &[Held, Used],
        "expired" => &[Expired],
        _ => return Err(Error::field("status", "status 只能是 usable、used 或 expired")),
    };
    let now = shop.now();
    let read = move |conn: &Connection| {
        let first =
            if store::is_new_customer(conn, buyer.id)? { give::firsts(conn, buyer.id, now)? } else { Vec::new() };
        let all = first.into_iter().chain(store::of_buyer(conn, buyer.id, SHOWN)?);
        let items: Vec<CouponView> = all
            .filter(|coupon| wanted.contains(&coupon.state(now)))
            .map(|coupon| CouponView::new(coupon, now))
            .collect();
        Ok(json!({ "items": items, "nextCursor": null }))
    };
    shop.read(read).await.map(Json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FetchForm {
    code: String,
}

#[post("/coupons", data = "<form>")]
async fn fetch(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    form: Body<FetchForm>,
) -> Result<Custom<Json<CouponView>>> {
    limits.order(buyer.id.0)?;
    let (code, now) = (form.value.code, shop.now());
    let write = move |tx: &Tx| {
        let id = give::fetch(tx, &code, buyer.id)?;
        store::coupon(tx, id)?.ok_or_else(|| Error::from(Code::Internal))
    };
    let coupon = shop.write(write).await?;
    Ok(Custom(Status::Created, Json(CouponView::new(coupon, now))))
}
