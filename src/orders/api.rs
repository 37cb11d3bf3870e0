//! Orders for buyers: quoting, listing, looking, confirming receipt. What touches WeChat is with `payments`.

use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, post, put, routes};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::quote::{QuoteForm, QuoteView, quote};
use super::store::Wanted;
use super::view::OrderView;
use super::{Full, OrderStatus, Who, moves, store};
use crate::buyers::{Buyer, MaybeBuyer, store as buyers};
use crate::db::Tx;
use crate::door::body::Body;
use crate::door::query::{self, Page};
use crate::error::{Code, Error, Result};
use crate::ids::{BuyerId, OrderNo};
use crate::refunds::store as refunds;
use crate::returns::store as returns;
use crate::shop::Shop;
use crate::typed::Length;

pub fn routes() -> Vec<Route> {
    routes![me, change_me, quote_goods, list, detail, confirm, hide, unhide]
}

#[get("/me")]
async fn me(shop: &State<Shop>, buyer: Buyer) -> Result<Json<Value>> {
    shop.read(move |conn| show_me(conn, buyer.id)).await.map(Json)
}

fn show_me(conn: &Connection, buyer: BuyerId) -> Result<Value> {
    let (nickname, avatar_url) = buyers::profile(conn, buyer)?;
    let [pending, to_ship, shipped] = store::buyer_counts(conn, buyer)?;
    let refunding = refunds::open_of_buyer(conn, buyer)? + returns::open_of_buyer(conn, buyer)?;
    Ok(json!({
        "id": buyer, "nickname": nickname, "avatarUrl": avatar_url,
        "counts": { "pendingPayment": pending, "toShip": to_ship, "shipped": shipped, "refunding": refunding },
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Profile {
    #[serde(default)]
    nickname: String,
    #[serde(default)]
    avatar_url: String,
}

const NICKNAME: Length = Length::up_to(32);

#[put("/me", data = "<profile>")]
async fn change_me(shop: &State<Shop>, buyer: Buyer, profile: Body<Profile>) -> Result<Json<Value>> {
    let Profile { nickname, avatar_url } = profile.value;
    if !NICKNAME.fits_line(&nickname) {
        return Err(Error::field("nickname", format!("昵称{NICKNAME}，不含换行")));
    }
    if avatar_url.len() > 500 || !(avatar_url.is_empty() || avatar_url.starts_with("https://")) {
        return Err(Error::field("avatarUrl", "头像应是 https 开头的网址"));
    }
    let write = move |tx: &Tx| {
        buyers::set_profile(tx, buyer.id, &nickname, &avatar_url)?;
        show_me(tx, buyer.id)
    };
    shop.write(write).await.map(Json)
}

#[post("/quote", data = "<form>")]
async fn quote_goods(shop: &State<Shop>, buyer: MaybeBuyer, form: Body<QuoteForm>) -> Result<Json<QuoteView>> {
    let wish = form.value.check()?;
    let (settings, now) = (shop.settings(), shop.now());
    let read = move |conn: &Connection| {
        let quoted = quote(conn, &wish, buyer.0.as_ref(), &settings, now)?;
        Ok(Json(QuoteView::new(&quoted, now)))
    };
    shop.read(read).await
}

#[get("/orders?<status>&<limit>&<cursor>")]
async fn list(
    shop: &State<Shop>,
    buyer: Buyer,
    status: Option<&str>,
    limit: Option<&str>,
    cursor: Option<&str>,
) -> Result<Json<Page<OrderView>>> {
    let wanted = match status.filter(|word| !word.is_empty()) {
        None => Wanted::All,
        Some("refunding") => Wanted::Refunding,
        Some("hidden") => Wanted::Hidden,
        Some(word) => Wanted::Status(word.parse::<OrderStatus>().map_err(|()| {
            let words = "status 只能是 pending_payment、to_ship、shipped、completed、closed、refunding 或 hidden";
            Error::field("status", words)
        })?),
    };
    let limit = query::page_size(limit)?;
    let before = query::read_cursor::<1>("orders", cursor)?.map(|[id]| id);
    let moment = Moment::of(shop);
    let read = move |conn: &Connection| {
        let mut orders = store::page_of_buyer(conn, buyer.id, wanted, before, limit + 1)?;
        let more = orders.len() as i64 > limit;
        orders.truncate(limit as usize);
        let next_cursor = orders.last().filter(|_| more).map(|last| query::cursor("orders", &[last.id.0]));
        let items = store::fulls(conn, orders)?.iter().map(|full| moment.listed(full)).collect();
        Ok(Page { items, next_cursor })
    };
    shop.read(read).await.map(Json)
}

#[get("/orders/<order_no>")]
async fn detail(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<OrderView>> {
    let (called, moment) = (order_no.to_owned(), Moment::of(shop));
    shop.read(move |conn| show(conn, buyer.id, &called, moment)).await.map(Json)
}

#[post("/orders/<order_no>/confirm")]
async fn confirm(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<OrderView>> {
    let (called, moment) = (order_no.to_owned(), Moment::of(shop));
    let write = move |tx: &Tx| {
        let order = store::of_buyer(tx, buyer.id, &called)?.ok_or(Code::NotFound)?;
        if order.status != OrderStatus::Shipped {
            return Err(with_order(Code::OrderState, tx, buyer.id, &order.order_no, moment)?);
        }
        moves::complete(tx, order.id, &Who::buyer(), "买家确认收货")?;
        show(tx, buyer.id, order.order_no.as_str(), moment)
    };
    shop.write(write).await.map(Json)
}

/// Takes an order off its buyer's own list. Nothing else about it changes: staff see it, and so do its numbers.
#[put("/orders/<order_no>/hidden")]
async fn hide(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<OrderView>> {
    set_hidden(shop, buyer, order_no, true).await
}

#[delete("/orders/<order_no>/hidden")]
async fn unhide(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<OrderView>> {
    set_hidden(shop, buyer, order_no, false).await
}

async fn set_hidden(shop: &Shop, buyer: Buyer, order_no: &str, hidden: bool) -> Result<Json<OrderView>> {
    let (called, moment) = (order_no.to_owned(), Moment::of(shop));
    let write = move |tx: &Tx| {
        let order = store::of_buyer(tx, buyer.id, &called)?.ok_or(Code::NotFound)?;
        let mut full = store::full(tx, order)?;
        if hidden && !full.may_be_hidden() {
            let words = "订单还没有结束，结束之后才能从列表移走";
            return Err(with_order(Code::OrderState, tx, buyer.id, &full.order.order_no, moment)?.says(words));
        }
        let since = hidden.then_some(tx.now());
        store::set_hidden(tx, full.order.id, since)?;
        full.order.hidden_at = since;
        Ok(moment.view(&full))
    };
    shop.write(write).await.map(Json)
}

/// When an order is looked at, and what the shop allows then.
#[derive(Clone, Copy)]
pub struct Moment {
    pub now: i64,
    pub refund_window: i64,
}

impl Moment {
    pub fn of(shop: &Shop) -> Moment {
        Moment { now: shop.now(), refund_window: shop.settings().refund_window() }
    }

    pub fn view(self, full: &Full) -> OrderView {
        OrderView::new(full, self.refund_window, self.now)
    }

    fn listed(self, full: &Full) -> OrderView {
        OrderView::listed(full, self.refund_window, self.now)
    }
}

/// A buyer's order as it stands, by any of its numbers.
pub fn show(conn: &Connection, buyer: BuyerId, called: &str, moment: Moment) -> Result<OrderView> {
    let order = store::of_buyer(conn, buyer, called)?.ok_or(Code::NotFound)?;
    Ok(moment.view(&store::full(conn, order)?))
}

/// An error that carries the order as it really is, so that the client can show it without asking again.
pub fn with_order(code: Code, conn: &Connection, buyer: BuyerId, order_no: &OrderNo, moment: Moment) -> Result<Error> {
    let order = show(conn, buyer, order_no.as_str(), moment)?;
    Ok(Error::from(code).details(json!({ "orderNo": order_no, "order": order })))
}
