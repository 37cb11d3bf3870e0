//! The mini-program's message push: WeChat asks who we are, and tells what buyers did.

use rocket::data::Data;
use rocket::http::Status;
use rocket::{Route, State, get, post, routes};

use crate::db::Tx;
use crate::door::{ClientIp, body};
use crate::message_log::{Logged, Verdict};
use crate::orders::{self, OrderStatus, Who, moves};
use crate::settings::Settings;
use crate::shipping::{duty, store as shipping};
use crate::shop::Shop;
use crate::wechat::flaw::{Flaw, explained};
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

/// In the secure mode (安全模式) the content is sealed and has a signature of its own.
#[post("/message?<signature>&<timestamp>&<nonce>&<msg_signature>", data = "<data>")]
async fn receive(
    shop: &State<Shop>,
    ip: ClientIp,
    signature: &str,
    timestamp: &str,
    nonce: &str,
    msg_signature: Option<&str>,
    data: Data<'_>,
) -> Result<&'static str, Status> {
    let settings = shop.settings();
    let token = settings.get("wechat.message_token").ok_or(Status::Forbidden)?;
    if !push::is_from_wechat(token, signature, timestamp, nonce) {
        return Err(Status::Forbidden);
    }
    let bytes = body::within(data, 64).await.map_err(|e| e.code.status())?;
    let mut received = Logged::received("message", bytes.clone(), ip.0);
    let address = Address { token, signature: msg_signature.unwrap_or_default(), timestamp, nonce };
    let content = match opened(&settings, &address, bytes) {
        Ok(content) => content,
        Err(why) => {
            // Not thanked for: WeChat sends it again, and the first page says what to do.
            received.verdict = Verdict::Refused;
            received.reason = format!("已拒绝：{}", explained(why.word()));
            let _ = shop.write_always(move |tx| Ok(received.record(tx)?)).await;
            return Err(Status::ServiceUnavailable);
        }
    };
    let event = push::read(&content);
    received.response = b"success".to_vec();
    let write = move |tx: &Tx| {
        let mut entry = received.clone();
        match &event {
            Some(Event::Settlement(told)) => {
                entry.reason = if told.received { "微信确认收货".into() } else { "微信结算通知".into() };
                shipping::put_settlement(tx, told)?;
                if let Some(order) = orders::store::paid_by(tx, &told.transaction_id)? {
                    entry.order_id = Some(order);
                    // Told once at shipping, too: that is no receipt. What has been received before stays as it is.
                    if told.received && orders::store::status(tx, order)? == OrderStatus::Shipped {
                        moves::complete(tx, order, &Who::wechat(), "微信确认收货")?;
                    }
                }
                entry.transaction_id = Some(told.transaction_id.clone());
            }
            Some(Event::Duty(what)) => {
                entry.reason = format!("微信提醒：{}", what.word());
                duty::note(tx, *what)?;
            }
            Some(Event::Other(name)) => entry.reason = format!("事件 {name}"),
            None => {
                entry.verdict = Verdict::Suspicious;
                entry.reason = "既不是 JSON 也不是 XML".into();
            }
        }
        Ok(entry.record(tx)?)
    };
    shop.write_always(write).await.map_err(|_| Status::ServiceUnavailable)?;
    Ok("success")
}

/// What a push says of itself in its address.
struct Address<'a> {
    token: &'a str,
    signature: &'a str,
    timestamp: &'a str,
    nonce: &'a str,
}

/// The content in clear. A sealed one is never taken for an empty one: without its key it is refused.
fn opened(settings: &Settings, address: &Address<'_>, bytes: Vec<u8>) -> Result<Vec<u8>, Flaw> {
    let Some(content) = push::sealed_part(&bytes) else { return Ok(bytes) };
    let (Some(key), Some(app_id)) = (settings.get("wechat.message_key"), settings.get("wechat.app_id")) else {
        // 兼容模式 sends the event in clear as well.
        let clear = push::read(&bytes).is_some_and(|event| event != Event::Other(String::new()));
        return if clear { Ok(bytes) } else { Err(Flaw::NoEncodingAesKey) };
    };
    let &Address { token, signature, timestamp, nonce } = address;
    push::open(&push::Sealed { content, signature, timestamp, nonce }, token, key, app_id)
}
