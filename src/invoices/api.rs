//! Invoices for buyers: asked for, looked at, taken back while nobody has written one.

use rocket::http::Status;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, post, routes};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{Invoice, InvoiceState, Title, TitleKind, store};
use crate::buyers::Buyer;
use crate::clock::rfc3339;
use crate::db::Tx;
use crate::door::body::Body;
use crate::door::limits::Limits;
use crate::error::{Code, Error, Result};
use crate::ids::OrderNo;
use crate::money::Fen;
use crate::orders::{Order, OrderStatus, store as orders};
use crate::outbox::{Topic, collect};
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    routes![look, ask, withdraw]
}

/// The invoice of an order as its buyer sees it, or that there is none yet.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InvoiceView {
    order_no: OrderNo,
    state: &'static str,
    state_text: &'static str,
    /// What it is, or would be, written out for.
    amount_fen: Fen,
    /// It can be asked for now, or with another title.
    askable: bool,
    title_kind: Option<TitleKind>,
    title: String,
    tax_no: String,
    email: String,
    number: String,
    link: String,
    /// Why there is none, or why it is right no more.
    answer: String,
    asked_at: Option<String>,
    decided_at: Option<String>,
}

impl InvoiceView {
    fn new(conn: &Connection, order: &Order, invoice: Option<Invoice>) -> Result<InvoiceView> {
        let due = store::due(conn, order.id)?;
        let state = invoice.as_ref().map(|invoice| invoice.state);
        let outdated = invoice.as_ref().and_then(Invoice::outdated);
        let mut view = InvoiceView {
            order_no: order.order_no.clone(),
            state: state.map_or("none", InvoiceState::word),
            state_text: state.map_or("还没有申请", InvoiceState::text),
            amount_fen: invoice.as_ref().and_then(|invoice| invoice.issued).unwrap_or(due),
            askable: due > Fen::ZERO && state != Some(InvoiceState::Issued),
            title_kind: None,
            title: String::new(),
            tax_no: String::new(),
            email: String::new(),
            number: String::new(),
            link: String::new(),
            answer: String::new(),
            asked_at: None,
            decided_at: None,
        };
        if let Some(invoice) = invoice {
            let Title { kind, title, tax_no, email } = invoice.title;
            view.title_kind = Some(kind);
            (view.title, view.tax_no, view.email) = (title, tax_no, email);
            (view.number, view.link) = (invoice.number, invoice.link);
            view.answer = outdated.unwrap_or(invoice.answer);
            view.asked_at = Some(rfc3339(invoice.asked_at));
            view.decided_at = invoice.decided_at.map(rfc3339);
        }
        Ok(view)
    }
}

fn his(conn: &Connection, buyer: &Buyer, called: &str) -> Result<Order> {
    orders::of_buyer(conn, buyer.id, called)?.ok_or_else(|| Code::NotFound.into())
}

#[get("/orders/<order_no>/invoice")]
async fn look(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<InvoiceView>> {
    let called = order_no.to_owned();
    let read = move |conn: &Connection| {
        let order = his(conn, &buyer, &called)?;
        let invoice = store::of_order(conn, order.id)?;
        InvoiceView::new(conn, &order, invoice)
    };
    shop.read(read).await.map(Json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InvoiceForm {
    title_kind: String,
    title: String,
    #[serde(default)]
    tax_no: String,
    #[serde(default)]
    email: String,
}

/// Asked for again before anybody has written it, the new title counts.
#[post("/orders/<order_no>/invoice", data = "<form>")]
async fn ask(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    order_no: &str,
    form: Body<InvoiceForm>,
) -> Result<Custom<Json<InvoiceView>>> {
    limits.order(buyer.id.0)?;
    let InvoiceForm { title_kind, title, tax_no, email } = form.value;
    let title = Title::read(&title_kind, &title, &tax_no, &email)?;
    let (called, settings) = (order_no.to_owned(), shop.settings());
    let write = move |tx: &Tx| {
        let order = his(tx, &buyer, &called)?;
        let refused = |words: &str| Err(Error::from(Code::OrderState).says(words));
        if order.status == OrderStatus::PendingPayment {
            return refused("付款之后才能开发票");
        }
        let due = store::due(tx, order.id)?;
        if due == Fen::ZERO {
            return refused("这张订单没有可以开票的金额");
        }
        let before = store::of_order(tx, order.id)?.map(|invoice| invoice.state);
        if before == Some(InvoiceState::Issued) {
            return refused("发票已经开好了，要改请联系店家");
        }
        store::ask(tx, order.id, &title)?;
        // Another title of one that waits is no news.
        if before != Some(InvoiceState::Asked) {
            let what = format!("{} ¥{due} {}", order.order_no, title.kind.text());
            collect::put_news(tx, &settings, Topic::InvoiceAsked, &what)?;
        }
        let invoice = store::of_order(tx, order.id)?;
        InvoiceView::new(tx, &order, invoice)
    };
    shop.write(write).await.map(|view| Custom(Status::Created, Json(view)))
}

#[delete("/orders/<order_no>/invoice")]
async fn withdraw(shop: &State<Shop>, buyer: Buyer, order_no: &str) -> Result<Json<InvoiceView>> {
    let called = order_no.to_owned();
    let write = move |tx: &Tx| {
        let order = his(tx, &buyer, &called)?;
        store::withdraw(tx, order.id)?;
        if store::of_order(tx, order.id)?.is_some() {
            return Err(Error::from(Code::OrderState).says("店家已经处理了这张发票，不能撤回"));
        }
        InvoiceView::new(tx, &order, None)
    };
    shop.write(write).await.map(Json)
}
