//! The message push of the simulated mini-program: in clear, or sealed as in the secure mode (安全模式).

use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::state::Trade;
use crate::clock::{DAY, SECOND};
use crate::wechat::push;
use crate::wechat::reach::is_loopback;
use crate::wechat::v2::message::Message;

/// What is pushed, and where the shop listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Push {
    pub url: String,
    /// As it was set in the mini-program's console; so is the key, which the secure mode has.
    pub token: String,
    pub encoding_aes_key: Option<String>,
    /// The event's fields, `Event` first; what every push carries is added.
    pub event: Value,
    #[serde(default)]
    pub xml: bool,
}

/// Sends it once; answers with the shop's status and words. `Err` says what cannot be sent.
pub async fn send(sim: &Simulator, push: &Push) -> Result<(u16, String), String> {
    if !is_loopback(&push.url) || push.url.contains('?') {
        return Err("模拟微信只推送到本机，地址不带参数".into());
    }
    let fields = push.event.as_object().ok_or("event 应是一个对象")?;
    let at = (sim.clock.now() / SECOND).to_string();
    let mut event = json!({
        "ToUserName": "gh_0123456789ab", "FromUserName": sim.openid("wechat"), "CreateTime": at, "MsgType": "event",
    });
    fields.iter().for_each(|(name, value)| event[name] = value.clone());
    let nonce = sim.nonces.below(1_000_000_000).to_string();
    let mut url =
        format!("{}?signature={}&timestamp={at}&nonce={nonce}", push.url, signed(&[&push.token, &at, &nonce]));
    let body = match push.encoding_aes_key.as_deref().filter(|key| !key.is_empty()) {
        None => written(&event, push.xml),
        Some(key) => {
            let clear = written(&event, push.xml);
            let sealed = push::seal(clear.as_bytes(), sim.nonces.bytes(), key, &sim.merchant.app_id);
            let sealed = sealed.ok_or("EncodingAESKey 应是 43 个字符")?;
            let signature = signed(&[&push.token, &at, &nonce, &sealed]);
            url.push_str(&format!("&encrypt_type=aes&msg_signature={signature}"));
            written(&json!({ "ToUserName": "gh_0123456789ab", "Encrypt": sealed }), push.xml)
        }
    };
    let kind = if push.xml { "text/xml" } else { "application/json" };
    match sim.http.post(url).header("content-type", kind).body(body).send().await {
        Ok(answer) => Ok((answer.status().as_u16(), answer.text().await.unwrap_or_default())),
        Err(e) => Err(e.without_url().to_string()),
    }
}

fn signed(parts: &[&str]) -> String {
    push::sign(&mut parts.to_vec())
}

fn written(fields: &Value, xml: bool) -> String {
    if !xml {
        return fields.to_string();
    }
    let mut message = Message::default();
    for (name, value) in fields.as_object().into_iter().flatten() {
        message.set(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    message.to_xml()
}

/// How far the settlement of a payment has come: told at shipping, and again once it was received and settled.
pub fn settlement(sim: &Simulator, trade: &Trade, received: bool) -> Value {
    let now = sim.clock.now() / SECOND;
    let mut event = json!({
        "Event": "trade_manage_order_settlement", "transaction_id": trade.transaction_id,
        "merchant_id": sim.merchant.mch_id, "merchant_trade_no": trade.field("out_trade_no"), "pay_time": now,
        "shipped_time": now, "estimated_settlement_time": now + 10 * DAY / SECOND,
    });
    if received {
        event["confirm_receive_method"] = json!(2);
        event["confirm_receive_time"] = json!(now);
        event["settlement_time"] = json!(now);
    }
    event
}
