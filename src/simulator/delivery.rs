//! Delivering notices: again and again on WeChat's schedule, until the exact acknowledgement.

use std::time::Duration;

use super::state::digest;
use super::trades::{facts, late_turn};
use super::{SCHEDULE, Simulator, TradeState, v3};
use crate::wechat::v2::message::Message;
use crate::wechat::v2::notice::ACKNOWLEDGED;
use crate::wechat::v2::sign;

/// How long a late payer sits in the cash desk, in seconds.
pub const PATIENCE: u32 = 3 * 3600;

pub fn start(sim: Simulator, prepay_id: String) {
    tokio::spawn(async move {
        for _ in 0..PATIENCE * 2 {
            if late_turn(&sim, &prepay_id) {
                return deliver(&sim, &prepay_id).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
}

async fn deliver(sim: &Simulator, prepay_id: &str) {
    for wait in std::iter::once(0).chain(SCHEDULE) {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let Some((answer, acknowledged)) = tell(sim, prepay_id).await else { return };
        let mut state = sim.lock();
        if let Some(trade) = state.kept.trade_of_prepay(prepay_id) {
            trade.notices.push(answer);
        }
        if acknowledged {
            return;
        }
    }
}

/// Tells the shop of a paid trade once, in the version that it was asked for in; answers with what the shop said, and
/// whether it took it in.
async fn tell(sim: &Simulator, prepay_id: &str) -> Option<(String, bool)> {
    let trade = sim.lock().kept.trade_of_prepay(prepay_id).cloned()?;
    let fault = sim.lock().faults.take("notify");
    if trade.field("api") == "v3" {
        let notice = v3::notices::of_trade(sim, trade.field("out_trade_no"), fault.as_ref())?;
        return Some(v3::notices::post(sim, notice).await);
    }
    let (url, xml) = message(sim, prepay_id)?;
    let answer = post(sim, &url, xml).await;
    let acknowledged = answer == ACKNOWLEDGED;
    Some((answer, acknowledged))
}

/// Delivers one message until it is acknowledged.
pub async fn repeat(sim: &Simulator, url: &str, xml: String) {
    for wait in std::iter::once(0).chain(SCHEDULE) {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        if post(sim, url, xml.clone()).await == ACKNOWLEDGED {
            return;
        }
    }
}

async fn post(sim: &Simulator, url: &str, xml: String) -> String {
    match sim.http.post(url).header("content-type", "text/xml").body(xml).send().await {
        Ok(answer) => answer.text().await.unwrap_or_else(|e| e.to_string()),
        Err(e) => e.to_string(),
    }
}

/// The notice of a paid trade: like many real ones it names no sign_type, even when signed with HMAC, unless it shall.
pub fn message(sim: &Simulator, prepay_id: &str) -> Option<(String, String)> {
    let mut state = sim.lock();
    let names = state.kept.ways.names_sign_type;
    let trade = state.kept.trade_of_prepay(prepay_id)?;
    if trade.state != TradeState::Paid {
        return None;
    }
    let mut message = Message::from([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", trade.field("appid")),
        ("mch_id", &sim.merchant.mch_id),
    ]);
    message.set("nonce_str", sim.nonces.nonce_str());
    facts(trade).into_iter().for_each(|(name, value)| message.set(&name, value));
    // With the digest that the order named.
    let sign_type = digest(&trade.order).unwrap_or_default();
    if names {
        message.set("sign_type", sign_type.name());
    }
    message.set("sign", sign::sign(&message, sign_type, &sim.merchant().key));
    Some((trade.field("notify_url").to_owned(), message.to_xml()))
}
