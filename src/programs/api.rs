//! What other programs ask: orders and stock to read, and parcels that have left.

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{Route, State, get, post, routes};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::Value;

use super::keys::Program;
use super::{Right, store, view};
use crate::catalogue::Delivery;
use crate::clock;
use crate::db::Tx;
use crate::door::Answer;
use crate::door::body::Body;
use crate::door::query::{self, Page};
use crate::error::{Code, Error, Result};
use crate::ids::{LineId, OrderNo};
use crate::orders::search::{Filter, store as search};
use crate::orders::{Order, OrderStatus, Shipment, Who, store as orders};
use crate::parcels::{Found, Parcel, store as parcels};
use crate::payments::refund::since;
use crate::shipping::{self, Sending};
use crate::shop::Shop;
use crate::staff;

pub fn routes() -> Vec<Route> {
    routes![list, detail, ship, stock]
}

/// Newest first: of a status, placed since then.
#[get("/admin/orders?<status>&<since>&<limit>&<cursor>")]
async fn list(
    shop: &State<Shop>,
    program: Program,
    status: Option<&str>,
    since: Option<&str>,
    limit: Option<&str>,
    cursor: Option<&str>,
) -> Result<Json<Page<Value>>> {
    program.must(Right::Orders)?;
    let status = status.filter(|word| !word.is_empty()).map(|word| {
        word.parse::<OrderStatus>().map_err(|()| Error::field("status", "status 只能是订单状态之一，见接口文档"))
    });
    let since = since.filter(|text| !text.is_empty()).map(|text| {
        clock::from_rfc3339(text)
            .ok_or_else(|| Error::field("since", "since 应是 2026-10-08T00:00:00+08:00 这样的时间"))
    });
    let filter = Filter { status: status.transpose()?, placed: (since.transpose()?, None), ..Filter::default() };
    let (limit, before) = (query::page_size(limit)?, query::read_cursor::<1>("admin-orders", cursor)?.map(|[id]| id));
    program.note_reading(shop).await?;
    let whole = program.may(Right::Addresses);
    let read = move |conn: &Connection| {
        let mut found = search::list(conn, &filter, before, limit + 1)?;
        let more = found.len() as i64 > limit;
        found.truncate(limit as usize);
        let next_cursor = found.last().filter(|_| more).map(|order| query::cursor("admin-orders", &[order.id.0]));
        let items = found.into_iter().map(|order| view::shown(conn, &orders::full(conn, order)?, whole));
        Ok(Page { items: items.collect::<Result<_>>()?, next_cursor })
    };
    shop.read(read).await.map(Json)
}

#[get("/admin/orders/<order_no>")]
async fn detail(shop: &State<Shop>, program: Program, order_no: &str) -> Result<Json<Value>> {
    program.must(Right::Orders)?;
    let order = find(shop, order_no).await?;
    program.note_reading(shop).await?;
    let whole = program.may(Right::Addresses);
    let read = move |conn: &Connection| view::shown(conn, &orders::full(conn, order)?, whole);
    shop.read(read).await.map(Json)
}

async fn find(shop: &Shop, order_no: &str) -> Result<Order> {
    let order_no: OrderNo = order_no.parse().map_err(|_| Code::NotFound)?;
    let found = shop.read(move |conn| Ok(orders::by_no(conn, &order_no)?)).await?;
    found.ok_or_else(|| Error::from(Code::NotFound).says("没有这个订单"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ShipmentForm {
    /// A name or code; recognised from the number when it is left out.
    #[serde(default)]
    company: String,
    #[serde(default)]
    tracking_no: String,
    /// Everything that is left, when it is left out.
    lines: Option<Vec<LineForm>>,
    /// Other orders lie in the same parcel.
    #[serde(default)]
    merge: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LineForm {
    line_id: String,
    quantity: i64,
}

/// A parcel has left. The same once more ships nothing twice: 200 with the order as it stands.
#[post("/admin/orders/<order_no>/shipments", data = "<form>")]
async fn ship(shop: &State<Shop>, program: Program, order_no: &str, form: Body<ShipmentForm>) -> Result<Answer<Value>> {
    program.must(Right::Ship)?;
    let order = find(shop, order_no).await?;
    program.note_reading(shop).await?;
    let form = form.value;
    let merge = form.merge;
    let parcel = match order.delivery {
        Delivery::Express => parcel(shop, form.company, form.tracking_no).await?,
        Delivery::Local | Delivery::Pickup | Delivery::None => Parcel::default(),
    };
    let pieces = form.lines.map(|lines| {
        let piece = |line: LineForm| match line.line_id.parse::<LineId>() {
            Ok(id) => Ok((id, line.quantity)),
            Err(_) => Err(Error::field("lines", "lineId 不是这笔订单的行")),
        };
        lines.into_iter().map(piece).collect::<Result<Vec<_>>>()
    });
    let sending = Sending { parcel, pieces: pieces.transpose()?, despite_refund: false, merge };
    since::ask_first(shop, order.id).await?;
    let (whole, id, who, ip) = (program.may(Right::Addresses), order.id, program.called(), program.ip.clone());
    let write = move |tx: &Tx| {
        let number = &sending.parcel.tracking_no;
        let waits = orders::by_id(tx, id)?.is_some_and(|order| order.status == OrderStatus::ToShip);
        let all_in = |sent: &Shipment| match &sending.pieces {
            Some(pieces) => pieces.iter().all(|piece| sent.lines.contains(piece)),
            None => !waits,
        };
        // What was sent before as this parcel; with other goods it is no repetition, and refused.
        let mut sent = orders::shipments(tx, id)?.into_iter().filter(|sent| sent.parcel.tracking_no == *number);
        let again = !number.is_empty() && sent.any(|sent| all_in(&sent));
        if !again {
            shipping::ship(tx, id, &sending, &Who::staff(&who))?;
            let what = format!("{} 发货：{}", order.order_no, sending.parcel.text());
            staff::store::insert_audit(tx, None, &who, &ip, &what)?;
        }
        let order = orders::by_id(tx, id)?.ok_or(Code::NotFound)?;
        Ok((again, view::shown(tx, &orders::full(tx, order)?, whole)?))
    };
    let (again, body) = shop.write(write).await?;
    shop.wake_worker();
    let status = if again { Status::Ok } else { Status::Created };
    Ok(Answer { status, body, replayed: again })
}

/// The parcel of what was given, by everything that is known here of carriers.
async fn parcel(shop: &Shop, company: String, tracking_no: String) -> Result<Parcel> {
    let read =
        move |conn: &Connection| Ok(Found::read(conn, &parcels::carriers(conn)?, &company, &tracking_no)?.parcel);
    shop.read(read).await
}

/// What lies in stock, by SKU.
#[get("/admin/stock?<limit>&<cursor>")]
async fn stock(
    shop: &State<Shop>,
    program: Program,
    limit: Option<&str>,
    cursor: Option<&str>,
) -> Result<Json<Page<Value>>> {
    program.must(Right::Stock)?;
    let (limit, after) =
        (query::page_size(limit)?, query::read_cursor::<1>("admin-stock", cursor)?.map_or(0, |[id]| id));
    let read = move |conn: &Connection| {
        let mut found = store::stock(conn, after, limit + 1)?;
        let more = found.len() as i64 > limit;
        found.truncate(limit as usize);
        let next_cursor = found.last().filter(|_| more).map(|(id, _)| query::cursor("admin-stock", &[*id]));
        Ok(Page { items: found.into_iter().map(|(_, shown)| shown).collect(), next_cursor })
    };
    shop.read(read).await.map(Json)
}
