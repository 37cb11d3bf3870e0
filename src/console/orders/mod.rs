//! Orders: the list, one order and what is done with it.

pub mod address;
mod barcode;
pub mod card;
mod columns;
pub mod desk;
pub mod drafts;
pub mod life;
pub mod list;
pub mod page;
pub mod pricing;
pub mod print;
pub mod ready;
pub mod returns;
pub mod shipping;
pub mod timeline;
pub mod walk;

use rocket::Route;
use rusqlite::Connection;

use crate::error::{Code, Result};
use crate::ids::OrderNo;
use crate::orders::{Full, Order, store};
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    [
        list::routes(),
        page::routes(),
        shipping::routes(),
        address::routes(),
        pricing::routes(),
        print::routes(),
        drafts::routes(),
        ready::routes(),
        desk::routes(),
        returns::routes(),
    ]
    .concat()
}

pub async fn find(shop: &Shop, no: &str) -> Result<Order> {
    let order_no: OrderNo = no.parse().map_err(|_| Code::NotFound)?;
    let found = shop.read(move |conn| Ok(store::by_no(conn, &order_no)?)).await?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// An order with all that belongs to it, as part of a page's one read.
pub fn found(conn: &Connection, no: &OrderNo) -> Result<Full> {
    let order = store::by_no(conn, no)?.ok_or(Code::NotFound)?;
    Ok(store::full(conn, order)?)
}

/// The page of this order.
pub fn here(no: &str) -> String {
    format!("/admin/orders/{no}")
}
