//! One call of API v3: the very bytes that are signed are sent, and only what WeChat Pay signed is an answer.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::super::client::{AskedV3, Raw};
use super::super::exchange::{BESIDE, ErrCode, http_words, unusable};
use super::super::flaw::Flaw;
use super::super::{Exchange, GatewayError, Signature, Wechat};
use super::Merchant;
use super::sign::{self, BadSeal, Seal};
use crate::nonce::Nonces;

/// What is asked: the method, the path with its query exactly as it is sent, and the body's exact bytes.
pub(super) struct Call {
    pub kind: &'static str,
    pub method: &'static str,
    pub path: String,
    pub body: String,
}

impl Call {
    pub fn get(kind: &'static str, path: String) -> Call {
        Call { kind, method: "GET", path, body: String::new() }
    }

    pub fn post(kind: &'static str, path: &str, body: &Value) -> Call {
        Call { kind, method: "POST", path: path.to_owned(), body: body.to_string() }
    }

    /// For the log: nothing in it could be replayed.
    pub fn text(&self) -> String {
        match self.body.as_str() {
            "" => format!("{} {}", self.method, self.path),
            body => format!("{} {}\n\n{body}", self.method, self.path),
        }
    }
}

/// A reply that is signed: its body is empty for a 204.
pub(super) type Signed = Value;

impl Wechat {
    /// Signs, sends, verifies; `read` sees only what was signed, as success or as refusal (with WeChat's code, in the
    /// one spelling that the rest of the house knows). A question is asked once more when WeChat only tried out whether we
    /// verify: somebody may be waiting for the answer.
    pub(super) async fn call_v3<T>(
        &self,
        merchant: &Merchant,
        call: Call,
        nonces: &Nonces,
        read: impl Fn(&Signed) -> Result<T, GatewayError>,
    ) -> Exchange<T> {
        let exchange = self.once_v3(merchant, &call, nonces, &read).await;
        match call.method == "GET" && exchange.signature.is_probe() {
            true => self.once_v3(merchant, &call, nonces, &read).await,
            false => exchange,
        }
    }

    async fn once_v3<T>(
        &self,
        merchant: &Merchant,
        call: &Call,
        nonces: &Nonces,
        read: impl Fn(&Signed) -> Result<T, GatewayError>,
    ) -> Exchange<T> {
        let authorization = merchant.authorization(call.method, &call.path, call.body.as_bytes(), nonces).await;
        let Call { method, path, body, .. } = call;
        let (answer, took_ms) =
            self.send_v3(&AskedV3 { method, path, body, public_id: merchant.public_id(), authorization }).await;
        self.heard(call.kind, answer.is_ok(), took_ms);
        let response =
            answer.as_ref().map(|raw| sign::recorded(|name| values(&raw.headers, name), &raw.body)).unwrap_or_default();
        let mut signature = Signature::None;
        let result = answer.and_then(|raw| {
            let sealed = believed(merchant, &raw);
            // A refusal without any signature is a gateway's own, and says nothing of keys.
            if raw.status.is_success() || !matches!(sealed, Err(BadSeal::Missing(_))) {
                self.standing.note_seal(&sealed);
                signature = sealed.as_ref().map_or_else(|bad| Signature::WrongV3(bad.clone()), |()| Signature::Right);
            }
            trusted(sealed, &raw)
        });
        let result = result.and_then(|reply| read(&reply));
        Exchange { kind: call.kind, request: call.text(), response, took_ms, signature, result }
    }
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// A 2xx without a good signature is no answer. A refusal without one is the gateway's, a proxy's or a forger's: it is
/// told to the staff, with what is wrong with the signature that it has, and proves nothing.
fn trusted(sealed: Result<(), BadSeal>, raw: &Raw) -> Result<Signed, GatewayError> {
    if raw.status.is_success() {
        sealed.map_err(|bad| GatewayError::Unreachable(format!("{} {}", bad.word(), bad.of_reply())))?;
        return match raw.body.is_empty() {
            true => Ok(Value::Null),
            false => serde_json::from_slice(&raw.body).map_err(|_| unusable(Flaw::NotJson)),
        };
    }
    let said: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    let field = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (status, own, text) = (raw.status.as_u16(), field("code"), field("message"));
    let code = plain(&own);
    let busy = matches!(status, 429 | 500..=599) || matches!(code, "SYSTEMERROR" | "FREQUENCY_LIMITED");
    let words = if code.is_empty() { http_words(status) } else { format!("HTTP {status} {own} {text}") };
    match sealed {
        _ if busy && code != "FREQUENCY_LIMITED" => Err(GatewayError::Unreachable(words)),
        Ok(()) if !code.is_empty() => Err(GatewayError::Refused { code: ErrCode::spelt(code, &own), text }),
        _ if busy => Err(GatewayError::Unreachable(words)),
        Err(bad) if !matches!(bad, BadSeal::Missing(_)) => {
            Err(GatewayError::NotAccepted(format!("{words}{BESIDE}{}", bad.of_reply())))
        }
        _ => Err(GatewayError::NotAccepted(words)),
    }
}

/// Code and words of a refusal, in WeChat's own spelling, out of a reply as the log keeps it.
pub fn refusal(recorded: &[u8]) -> Option<String> {
    let begins = recorded.iter().position(|byte| *byte == b'{')?;
    let said: Value = serde_json::from_slice(&recorded[begins..]).ok()?;
    let code = said.get("code").and_then(Value::as_str).filter(|code| !code.is_empty())?;
    let words = said.get("message").and_then(Value::as_str).unwrap_or_default();
    Some(format!("{code} {words}").trim_end().to_owned())
}

fn believed(merchant: &Merchant, raw: &Raw) -> Result<(), BadSeal> {
    Seal::read(|name| values(&raw.headers, name))?.check(&raw.body, merchant, Some(merchant.now())).map(drop)
}

/// The same refusal is written in two ways through the years, and v2 has a third: one spelling for the whole house.
fn plain(code: &str) -> &str {
    const SPELT: [(&str, &str); 13] = [
        ("SYSTEMERROR", "SYSTEMERROR"),
        ("ORDERNOTEXIST", "ORDERNOTEXIST"),
        ("ORDERCLOSED", "ORDERCLOSED"),
        ("ORDERPAID", "ORDERPAID"),
        ("SIGNERROR", "SIGNERROR"),
        ("NOAUTH", "NOAUTH"),
        ("NOTENOUGH", "NOTENOUGH"),
        ("OUTTRADENOUSED", "OUT_TRADE_NO_USED"),
        ("RATELIMITEXCEEDED", "FREQUENCY_LIMITED"),
        ("FREQUENCYLIMITED", "FREQUENCY_LIMITED"),
        ("RESOURCENOTEXISTS", "REFUNDNOTEXIST"),
        ("MCHNOTEXISTS", "MCHID_NOT_EXIST"),
        // There it means that the request breaks a rule, and not that its number was used.
        ("INVALIDREQUEST", "PARAM_ERROR"),
    ];
    let bare: String = code.chars().filter(|c| *c != '_').collect();
    SPELT.iter().find(|(spelt, _)| *spelt == bare).map_or(code, |(_, plain)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_its_own_words() {
        for (reply, told) in [
            (r#"{"code":"SIGN_ERROR","message":"签名错误","detail":{"field":"sign"}}"#, Some("SIGN_ERROR 签名错误")),
            (r#"{"code":"SYSTEM_ERROR"}"#, Some("SYSTEM_ERROR")),
            (r#"{"message":"x"}"#, None),
            ("<html>", None),
            ("", None),
        ] {
            let signed = sign::recorded(|name| vec![format!("v of {name}")], reply.as_bytes());
            for recorded in [signed, sign::recorded(|_| Vec::new(), reply.as_bytes())] {
                assert_eq!(refusal(&recorded).as_deref(), told, "{reply}");
            }
        }
    }

    #[test]
    fn a_refusal_has_one_spelling() {
        for (there, here) in [
            ("SYSTEM_ERROR", "SYSTEMERROR"),
            ("SYSTEMERROR", "SYSTEMERROR"),
            ("ORDER_NOT_EXIST", "ORDERNOTEXIST"),
            ("ORDERNOTEXIST", "ORDERNOTEXIST"),
            ("ORDER_CLOSED", "ORDERCLOSED"),
            ("OUT_TRADE_NO_USED", "OUT_TRADE_NO_USED"),
            ("NOT_ENOUGH", "NOTENOUGH"),
            ("RESOURCE_NOT_EXISTS", "REFUNDNOTEXIST"),
            ("RATELIMIT_EXCEEDED", "FREQUENCY_LIMITED"),
            ("INVALID_REQUEST", "PARAM_ERROR"),
            ("APPID_MCHID_NOT_MATCH", "APPID_MCHID_NOT_MATCH"),
            ("SOMETHING_NEW", "SOMETHING_NEW"),
        ] {
            assert_eq!(plain(there), here, "{there}");
        }
    }
}
