//! Robots of 企业微信, 飞书 and 钉钉: one address each, signed where they offer it.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::redirect;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Channel, Unsent};
use crate::clock::SECOND;
use crate::shop::Shop;

/// The whole call.
const TIMEOUT: Duration = Duration::from_secs(5);
/// An answer is a code and a few words.
const MOST_ANSWER: usize = 16 * 1024;

/// Says something to a robot, as its settings stand.
pub async fn say(shop: &Shop, channel: Channel, text: &str) -> Result<(), Unsent> {
    let settings = shop.settings();
    let setting = |what: &str| settings.get(&format!("shop.{}_{what}", channel.word())).unwrap_or_default();
    let address = setting("url");
    let missing = || Unsent::Never("还没有填机器人的地址".to_owned());
    let path = address.strip_prefix("https://").and_then(|rest| rest.split_once('/')).ok_or_else(missing)?.1;
    let message = signed(channel, setting("secret"), text, shop.now());
    let base = shop.server.robots_url.as_deref();
    let url = match base {
        Some(base) => format!("{base}/{path}{}", message.query),
        None => format!("{address}{}", message.query),
    };
    let answer = post(url, message.body, base.is_some()).await?;
    // 飞书 says `code`, the others `errcode`.
    let code = answer["errcode"].as_i64().or_else(|| answer["code"].as_i64());
    match code {
        Some(0) => Ok(()),
        Some(code) => {
            let words = answer["errmsg"].as_str().or_else(|| answer["msg"].as_str()).unwrap_or_default();
            Err(explain(channel, code, words))
        }
        None => Err(Unsent::Later("回答看不懂".to_owned())),
    }
}

/// A message in a robot's own form: what comes after its address, and the body.
struct Message {
    query: String,
    body: Value,
}

fn signed(channel: Channel, secret: &str, text: &str, now: i64) -> Message {
    match channel {
        Channel::Feishu => {
            let mut body = json!({ "msg_type": "text", "content": { "text": text } });
            if !secret.is_empty() {
                let stamp = (now / SECOND).to_string();
                body["sign"] = json!(signature(&format!("{stamp}\n{secret}"), ""));
                body["timestamp"] = json!(stamp);
            }
            Message { query: String::new(), body }
        }
        Channel::Dingtalk => {
            let query = match secret {
                "" => String::new(),
                secret => {
                    let mut query = form_urlencoded::Serializer::new(String::new());
                    let sign = signature(secret, &format!("{now}\n{secret}"));
                    query.append_pair("timestamp", &now.to_string()).append_pair("sign", &sign);
                    format!("&{}", query.finish())
                }
            };
            Message { query, body: json!({ "msgtype": "text", "text": { "content": text } }) }
        }
        _ => Message { query: String::new(), body: json!({ "msgtype": "text", "text": { "content": text } }) },
    }
}

/// HMAC-SHA256 in base64. Source: 飞书 and 钉钉, custom robots; they take key and text the other way round.
fn signature(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key will do");
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

async fn post(url: String, body: Value, local: bool) -> Result<Value, Unsent> {
    let later = |e: reqwest::Error| Unsent::Later(format!("连不上：{}", e.without_url()));
    let builder = reqwest::Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).no_proxy();
    // On this machine no TLS is spoken, and no authority needed.
    let builder = if local { builder.tls_certs_only([]) } else { builder.https_only(true) };
    let request = builder.build().map_err(later)?.post(url).header("content-type", "application/json");
    let mut answer = request.body(body.to_string()).send().await.map_err(later)?;
    let status = answer.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(later)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_ANSWER {
            return Err(Unsent::Later("回答太长".to_owned()));
        }
    }
    match serde_json::from_slice(&bytes) {
        Ok(answer) => Ok(answer),
        Err(_) => Err(Unsent::Later(format!("HTTP {status}，回答不是 JSON"))),
    }
}

/// What to do next where a robot said no.
fn explain(channel: Channel, code: i64, words: &str) -> Unsent {
    let never = |next: &str| Unsent::Never(format!("{next}（{code} {words}）"));
    match (channel, code) {
        // Too many, or busy: later it goes.
        (_, 45009 | 130_101 | 11232 | -1) => Unsent::Later(format!("{code} {words}")),
        (Channel::Wecom, 93000) => never("机器人地址不对，或机器人被移出了群，请重新复制地址"),
        (Channel::Dingtalk, 310_000) => never("钉钉没有通过安全设置：请选“加签”并填写密钥，或把“小铺”设为关键词"),
        (Channel::Dingtalk, 300_001) => never("机器人地址不对，或机器人已删除，请重新复制地址"),
        (Channel::Feishu, 19021) => never("飞书签名不对：请核对密钥和服务器的时间"),
        (Channel::Feishu, 19024) => never("飞书的关键词没有匹配：请改用签名校验，或把“小铺”设为关键词"),
        (Channel::Feishu, 19001) => never("机器人地址不对，或机器人已删除，请重新复制地址"),
        _ => never("机器人没有接受"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed elsewhere, by the makers' own descriptions.
    #[test]
    fn each_maker_signs_in_its_own_way() {
        let now = 1_791_435_600_123;
        let ding = signed(Channel::Dingtalk, "SECabc", "小铺", now);
        assert_eq!(ding.query, DINGTALK);
        assert_eq!(ding.body, json!({ "msgtype": "text", "text": { "content": "小铺" } }));
        let feishu = signed(Channel::Feishu, "SECabc", "小铺", now);
        assert_eq!((feishu.query.as_str(), &feishu.body["sign"]), ("", &json!(FEISHU)));
        assert_eq!(feishu.body["timestamp"], "1791435600");
        for channel in [Channel::Wecom, Channel::Feishu, Channel::Dingtalk] {
            let plain = signed(channel, "", "小铺", now);
            assert!(plain.query.is_empty() && plain.body["sign"].is_null(), "{channel:?}");
        }
    }

    const DINGTALK: &str = "&timestamp=1791435600123&sign=OjSbhERt0zxBs7lZgzs0DOM9aRa3zVp%2Fn3B0d3Vy9ss%3D";
    const FEISHU: &str = "luPc2od+si5PbdYtlgiXwo4mXPO3/LdGci0dblT0ZzE=";
}
