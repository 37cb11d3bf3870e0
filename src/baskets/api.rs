//! Carts, favourites and buying again, for buyers.

use std::collections::BTreeMap;

use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, put, routes};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::store::{self, CartLine, Favourite};
use super::{MOST_FAVOURITES, MOST_LINES, MOST_PIECES, Offer, OfferState, Standing, Wished, changed, offers};
use crate::buyers::Buyer;
use crate::catalogue::media::Widths;
use crate::catalogue::stock::SHOWN_AT_MOST;
use crate::catalogue::{Product, store as catalogue};
use crate::clock::rfc3339;
use crate::db::Tx;
use crate::door::body::Body;
use crate::door::limits::Limits;
use crate::door::query::{self, Page};
use crate::error::{Code, Error, Result};
use crate::ids::{BuyerId, ImageHash, LineId, ProductId, SkuId};
use crate::money::Fen;
use crate::orders::store as orders;
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    routes![cart, put_cart, favourites, favourite, mark, unmark, again]
}

// ── what is offered ──

/// Goods as they stand now, for whoever wants so many of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfferView {
    sku_id: SkuId,
    product_id: ProductId,
    name: String,
    spec_text: String,
    image_url: Option<String>,
    image: Option<Widths>,
    quantity: i64,
    /// So many of them can be bought now.
    buyable_quantity: i64,
    available: i64,
    price_fen: Fen,
    /// What it cost when it was put in, or bought.
    then_fen: Fen,
    /// How that has changed; empty where it has not.
    price_text: String,
    state: OfferState,
    state_text: String,
}

impl From<&Offer> for OfferView {
    fn from(offer: &Offer) -> OfferView {
        let (found, wished) = (&offer.found, offer.wished);
        let image = found.sku.image.as_ref().or(found.cover.as_ref());
        OfferView {
            sku_id: found.sku.id,
            product_id: found.sku.product_id,
            name: found.product_name.clone(),
            spec_text: found.sku.spec_text(),
            image_url: image.map(ImageHash::url),
            image: image.map(Widths::from),
            quantity: wished.quantity,
            buyable_quantity: offer.buyable,
            available: found.sku.available().clamp(0, SHOWN_AT_MOST),
            price_fen: found.sku.price,
            then_fen: wished.then,
            price_text: offer.price_text(),
            state: offer.state,
            state_text: offer.text(),
        }
    }
}

// ── the cart ──

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CartLineView {
    #[serde(flatten)]
    offer: OfferView,
    ticked: bool,
    added_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CartView {
    items: Vec<CartLineView>,
    next_cursor: Option<String>,
    /// Lines that were sent and are not in it, each with why: the cart is full, or there is no such SKU.
    left_out: Vec<Value>,
}

fn shown(conn: &Connection, buyer: BuyerId, limit: Option<i64>, left_out: Vec<Value>) -> Result<CartView> {
    let lines = store::cart(conn, buyer)?;
    let wishes: Vec<Wished> = lines.iter().map(|line| line.wished).collect();
    let view = |(line, offer): (&CartLine, &Offer)| CartLineView {
        offer: offer.into(),
        ticked: line.ticked,
        added_at: rfc3339(line.added_at),
    };
    let items = lines.iter().zip(&offers(conn, buyer, &wishes, limit)?).map(view).collect();
    Ok(CartView { items, next_cursor: None, left_out })
}

#[get("/cart")]
async fn cart(shop: &State<Shop>, buyer: Buyer) -> Result<Json<CartView>> {
    let limit = shop.settings().limit_per_order();
    shop.read(move |conn| shown(conn, buyer.id, limit, Vec::new())).await.map(Json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CartForm {
    items: Vec<CartItemForm>,
    /// What a phone had before it knew whose cart it is: of two quantities the larger one stays.
    #[serde(default)]
    merge: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CartItemForm {
    sku_id: String,
    /// With none the line goes.
    quantity: i64,
    #[serde(default = "yes")]
    ticked: bool,
}

fn yes() -> bool {
    true
}

impl CartForm {
    fn check(self) -> Result<(Vec<CartItemForm>, bool)> {
        if self.items.len() > 2 * MOST_LINES {
            return Err(Error::field("items", format!("一次最多改 {} 种商品", 2 * MOST_LINES)));
        }
        let least = i64::from(self.merge);
        for (i, item) in self.items.iter().enumerate() {
            if !(least..=MOST_PIECES).contains(&item.quantity) {
                let at = format!("items[{i}].quantity");
                return Err(Error::field(at, format!("数量应在 {least} 到 {MOST_PIECES} 之间")));
            }
        }
        Ok((self.items, self.merge))
    }
}

/// Sets the lines that are named and leaves the others: a phone that was offline sends what changed meanwhile, and may
/// send it twice.
#[put("/cart", data = "<form>")]
async fn put_cart(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    form: Body<CartForm>,
) -> Result<Json<CartView>> {
    limits.order(buyer.id.0)?;
    let (items, merge) = form.value.check()?;
    let limit = shop.settings().limit_per_order();
    let write = move |tx: &Tx| {
        let left_out = put_lines(tx, buyer.id, &items, merge)?;
        shown(tx, buyer.id, limit, left_out)
    };
    shop.write(write).await.map(Json)
}

/// Answers with what did not get in.
fn put_lines(tx: &Tx, buyer: BuyerId, items: &[CartItemForm], merge: bool) -> Result<Vec<Value>> {
    let mut left_out = Vec::new();
    let lines = store::cart(tx, buyer)?;
    let mut held: BTreeMap<SkuId, i64> = lines.iter().map(|line| (line.wished.sku, line.wished.quantity)).collect();
    // What goes makes room for what comes.
    let (gone, kept): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.quantity == 0);
    for sku in gone.iter().filter_map(|item| item.sku_id.parse().ok()) {
        store::remove_line(tx, buyer, sku)?;
        held.remove(&sku);
    }
    for item in kept {
        let found = item.sku_id.parse().ok().map(|sku| catalogue::for_sale(tx, sku)).transpose()?.flatten();
        let Some(found) = found else {
            left_out.push(json!({ "skuId": item.sku_id, "reason": "not_found", "reasonText": "商品规格不存在" }));
            continue;
        };
        let before = held.get(&found.sku.id).copied();
        if before.is_none() && held.len() >= MOST_LINES {
            let words = format!("购物车满了（{MOST_LINES} 种），先结算几样");
            left_out.push(json!({ "skuId": item.sku_id, "reason": "cart_full", "reasonText": words }));
            continue;
        }
        let quantity = if merge { item.quantity.max(before.unwrap_or_default()) } else { item.quantity };
        let wished = Wished { sku: found.sku.id, quantity, then: found.sku.price };
        held.insert(found.sku.id, quantity);
        store::put_line(tx, buyer, wished, item.ticked)?;
    }
    Ok(left_out)
}

// ── favourites ──

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FavouriteView {
    product_id: ProductId,
    name: String,
    subtitle: String,
    cover_url: Option<String>,
    cover: Option<Widths>,
    price_fen: Fen,
    max_price_fen: Fen,
    market_price_fen: Option<Fen>,
    /// What it cost when it was marked, and how that has changed.
    then_fen: Fen,
    price_text: String,
    state: Standing,
    state_text: &'static str,
    added_at: String,
}

impl FavouriteView {
    fn new(favourite: Favourite, product: Product) -> FavouriteView {
        let state = match (product.is_for_sale(), product.is_sold_out()) {
            (false, _) => Standing::OffShelf,
            (true, true) => Standing::SoldOut,
            (true, false) => Standing::OnSale,
        };
        let told = state != Standing::OffShelf;
        FavouriteView {
            product_id: product.id,
            cover_url: product.images.first().map(ImageHash::url),
            cover: product.images.first().map(Widths::from),
            name: product.name,
            subtitle: product.subtitle,
            price_fen: product.price,
            max_price_fen: product.max_price,
            market_price_fen: product.market_price,
            then_fen: favourite.then,
            price_text: if told { changed(favourite.then, product.price) } else { String::new() },
            state,
            state_text: state.text(),
            added_at: rfc3339(favourite.added_at),
        }
    }
}

#[get("/favourites?<limit>&<cursor>")]
async fn favourites(
    shop: &State<Shop>,
    buyer: Buyer,
    limit: Option<&str>,
    cursor: Option<&str>,
) -> Result<Json<Page<FavouriteView>>> {
    let limit = query::page_size(limit)?;
    let after = query::read_cursor::<2>("favourites", cursor)?;
    let read = move |conn: &Connection| {
        let mut found = store::favourites(conn, buyer.id, after, limit + 1)?;
        let more = found.len() as i64 > limit;
        found.truncate(limit as usize);
        let last = found.last().filter(|_| more);
        let next_cursor = last.map(|last| query::cursor("favourites", &[last.added_at, last.product.0]));
        let mut items = Vec::new();
        for favourite in found {
            let product = catalogue::product(conn, favourite.product)?;
            items.extend(product.map(|product| FavouriteView::new(favourite, product)));
        }
        Ok(Page { items, next_cursor })
    };
    shop.read(read).await.map(Json)
}

fn known(id: &str) -> Result<ProductId> {
    id.parse().map_err(|_| Code::NotFound.into())
}

fn marked(id: ProductId, is: bool) -> Json<Value> {
    Json(json!({ "productId": id, "favourite": is }))
}

#[get("/favourites/<id>")]
async fn favourite(shop: &State<Shop>, buyer: Buyer, id: &str) -> Result<Json<Value>> {
    let id = known(id)?;
    shop.read(move |conn| Ok(marked(id, store::is_favourite(conn, buyer.id, id)?))).await
}

#[put("/favourites/<id>")]
async fn mark(shop: &State<Shop>, limits: &State<Limits>, buyer: Buyer, id: &str) -> Result<Json<Value>> {
    limits.order(buyer.id.0)?;
    let id = known(id)?;
    let write = move |tx: &Tx| {
        let product = catalogue::product(tx, id)?.ok_or(Code::NotFound)?;
        if store::is_favourite(tx, buyer.id, id)? {
            return Ok(());
        }
        if !product.is_for_sale() {
            return Err(Code::ProductOffShelf.into());
        }
        if store::count_favourites(tx, buyer.id)? >= MOST_FAVOURITES {
            let words = format!("收藏满了（{MOST_FAVOURITES} 件），先去掉几件");
            return Err(Error::from(Code::ValidationFailed).says(words));
        }
        Ok(store::mark(tx, buyer.id, id, product.price)?)
    };
    shop.write(write).await.map(|()| marked(id, true))
}

#[delete("/favourites/<id>")]
async fn unmark(shop: &State<Shop>, limits: &State<Limits>, buyer: Buyer, id: &str) -> Result<Json<Value>> {
    limits.order(buyer.id.0)?;
    let id = known(id)?;
    shop.write(move |tx| Ok(store::unmark(tx, buyer.id, id)?)).await.map(|()| marked(id, false))
}

// ── buying again ──

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AgainView {
    line_id: LineId,
    #[serde(flatten)]
    offer: OfferView,
}

/// What of an old order can be had today, line by line; nothing is ordered by asking.
#[get("/orders/<order_no>/again")]
async fn again(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<Page<AgainView>>> {
    let (called, limit) = (order_no.to_owned(), shop.settings().limit_per_order());
    let read = move |conn: &Connection| {
        let order = orders::of_buyer(conn, buyer.id, &called)?.ok_or(Code::NotFound)?;
        let lines = orders::lines(conn, order.id)?;
        let wishes: Vec<Wished> =
            lines.iter().map(|line| Wished { sku: line.sku_id, quantity: line.quantity, then: line.price }).collect();
        let view = |(id, offer): (LineId, &Offer)| AgainView { line_id: id, offer: offer.into() };
        let items = lines.iter().map(|line| line.id).zip(&offers(conn, buyer.id, &wishes, limit)?).map(view).collect();
        Ok(Page { items, next_cursor: None })
    };
    shop.read(read).await.map(Json)
}
