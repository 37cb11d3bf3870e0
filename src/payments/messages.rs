//! The mini-program's message push: WeChat asks who we are, and tells what buyers did.

use rocket::data::Data;
use rocket::http::Status;
use rocket::{Route, State, get, post, routes};

use crate::db::Tx;
use crate::door::{ClientIp, body};
use crate::error::Error;
use crate::orders::{self, Who, moves};
use crate::shop::Shop;
use crate::transactions::{Entry, Verdict};
use crate::wechat::push::{self, Event};

pub fn routes() -> Vec<Route> {
    routes![echo, receive]
}

/// Proves to WeChat that this address is ours.
#[get("/message?<signature>&<timestamp>&<nonce>&<echostr>")]
fn echo(shop: &State<Shop>, signature: &str, timestamp: &str, nonce: &str, echostr: &str) -> Result<String, Status> {
    match shop.settings().get("wechat.message_token") {
        Some(token) if push::is_from_wechat(token, signature, timestamp, nonce) => Ok(echostr.to_owned()),
        _ => Err(Status::Forbidden),
    }
}

#[post("/message?<signature>&<timestamp>&<nonce>", data = "<data>")]
async fn receive(
    shop: &State<Shop>,
    ip: ClientIp,
    signature: &str,
    timestamp: &str,
    nonce: &str,
    data: Data<'_>,
) -> Result<&'static str, Status> {
    let settings = shop.settings();
    let token = settings.get("wechat.message_token").ok_or(Status::Forbidden)?;
    if !push::is_from_wechat(token, signature, timestamp, nonce) {
        return Err(Status::Forbidden);
    }
    let bytes = body::within(data, 64).await.map_err(|e| e.code.status())?;
    let event = push::read(&bytes);
    let now = shop.now();
    let mut received = Entry::received("message", bytes, ip.0);
    received.response = b"success".to_vec();
    let write = move |tx: &Tx| {
        let mut entry = received.clone();
        match &event {
            Some(Event::ReceiptConfirmed { transaction_id }) => {
                entry.reason = "微信确认收货".into();
                if let Some(order) = orders::store::paid_by(tx, transaction_id)? {
                    entry.order_id = Some(order);
                    moves::complete(tx, order, &Who::wechat(), "微信确认收货", now)?;
                }
                entry.transaction_id = Some(transaction_id.clone());
            }
            Some(Event::Other(name)) => entry.reason = format!("事件 {name}"),
            None => {
                entry.verdict = Verdict::Suspicious;
                entry.reason = "既不是 JSON 也不是 XML".into();
            }
        }
        Ok::<_, Error>(entry.record(tx, now)?)
    };
    shop.db.write_always(write).await.map_err(|_| Status::ServiceUnavailable)?;
    Ok("success")
}
