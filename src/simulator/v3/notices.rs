//! The notices of the simulated API v3: sealed, signed, and taken in by an HTTP status.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::state::TradeState;
use super::super::{Fault, SCHEDULE, Simulator};
use super::{Opened, door, facts};
use crate::clock;

/// A notice on its way.
pub struct Notice {
    pub url: String,
    pub body: Vec<u8>,
    pub headers: Vec<(&'static str, String)>,
}

/// The notice of a paid trade that was asked for by API v3; `None` for another one.
pub fn of_trade(sim: &Simulator, out_trade_no: &str, fault: Option<&Fault>) -> Option<Notice> {
    let trade =
        sim.trade(out_trade_no).filter(|trade| trade.state == TradeState::Paid && trade.field("api") == "v3")?;
    let mut facts = facts::facts(sim, &trade);
    // It tells of the payment, whatever came after it.
    facts["trade_state"] = json!("SUCCESS");
    if facts.get("promotion_detail").is_none() {
        facts["promotion_detail"] = json!([]);
    }
    sealed(sim, trade.field("notify_url"), "TRANSACTION.SUCCESS", "transaction", &facts, fault)
}

/// The notice of a refund that has come to its end; `None` while it is in processing, or for one of v2 or of the console.
pub fn of_refund(sim: &Simulator, refund_id: &str, fault: Option<&Fault>) -> Option<Notice> {
    let refund = sim.all_refunds().into_iter().find(|refund| refund.refund_id == refund_id && refund.v3)?;
    let event = match refund.status(sim.clock.now()) {
        "SUCCESS" => "REFUND.SUCCESS",
        "CHANGE" => "REFUND.ABNORMAL",
        "REFUNDCLOSE" => "REFUND.CLOSED",
        _ => return None,
    };
    let facts = facts::refund_facts(sim, &refund, "refund_status");
    sealed(sim, &refund.notify_url, event, "refund", &facts, fault)
}

fn sealed(sim: &Simulator, url: &str, event: &str, kind: &str, facts: &Value, fault: Option<&Fault>) -> Option<Notice> {
    let keys: std::sync::Arc<Opened> = sim.v3()?;
    let aad = if matches!(fault, Some(Fault::AadEmpty | Fault::AadMissing)) { "" } else { kind };
    let nonce = &sim.nonces.nonce_str()[..12];
    let mut bytes = keys.v3_key.seal(nonce.as_bytes().try_into().ok()?, aad.as_bytes(), facts.to_string().as_bytes());
    if matches!(fault, Some(Fault::TagChanged))
        && let Some(last) = bytes.last_mut()
    {
        *last ^= 1;
    }
    let mut notice = json!({
        "id": format!("EV-{}", sim.nonces.nonce_str()), "create_time": clock::rfc3339(sim.clock.now()),
        "resource_type": "encrypt-resource", "event_type": event, "summary": "通知",
        "resource": {
            "original_type": kind, "algorithm": "AEAD_AES_256_GCM", "ciphertext": BASE64_STANDARD.encode(bytes),
            "associated_data": aad, "nonce": nonce,
        },
    });
    if matches!(fault, Some(Fault::AadMissing))
        && let Some(resource) = notice["resource"].as_object_mut()
    {
        resource.remove("associated_data");
    }
    let body = notice.to_string().into_bytes();
    let headers = door::signature_headers(sim, &keys, &body, fault);
    Some(Notice { url: url.to_owned(), body, headers })
}

/// Sends it; answers with what the shop said, and whether that counts as taken in.
pub async fn post(sim: &Simulator, notice: Notice) -> (String, bool) {
    let mut request = sim.http.post(&notice.url).header("content-type", "application/json").body(notice.body);
    for (name, value) in notice.headers {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(answer) => {
            let status = answer.status();
            let said = answer.text().await.unwrap_or_default();
            // 200 with a code of FAIL counts as taken in, too. Source: notices, API v3.
            (format!("{status} {said}").trim().to_owned(), matches!(status.as_u16(), 200 | 204))
        }
        Err(e) => (e.to_string(), false),
    }
}

/// Tells the shop how a refund ended until it takes it in; WeChat's schedule is the same for both versions.
pub async fn repeat_refund(sim: &Simulator, refund_id: &str) {
    for wait in std::iter::once(0).chain(SCHEDULE) {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let fault = sim.lock().faults.take("refund_notify");
        let Some(notice) = of_refund(sim, refund_id, fault.as_ref()) else { return };
        if post(sim, notice).await.1 {
            return;
        }
    }
}
