//! The mini-program's message push: proving that it comes from WeChat, and reading the events we act on.

use serde::Deserialize;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::v2::message::Message;

/// The signature of every push. Source: message push, mini-program server side.
pub fn is_from_wechat(token: &str, signature: &str, timestamp: &str, nonce: &str) -> bool {
    let mut parts = [token, timestamp, nonce];
    parts.sort_unstable();
    let expected = hex::encode(Sha1::digest(parts.concat()));
    expected.len() == signature.len() && bool::from(expected.as_bytes().ct_eq(signature.as_bytes()))
}

/// An event that matters to the shop.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The buyer, or time, has confirmed receipt of this payment's goods.
    ReceiptConfirmed {
        transaction_id: String,
    },
    Other(String),
}

#[derive(Deserialize)]
struct Push {
    #[serde(rename = "Event", default)]
    event: String,
    #[serde(default)]
    transaction_id: String,
    /// 1 by time, 2 by the buyer; absent while only shipped.
    confirm_receive_method: Option<serde_json::Value>,
}

/// Reads a push in JSON or XML; `None` when it is neither.
pub fn read(bytes: &[u8]) -> Option<Event> {
    let push = match serde_json::from_slice::<Push>(bytes) {
        Ok(push) => push,
        Err(_) => {
            let message = Message::read(bytes).ok()?;
            let text = |name| message.filled(name).unwrap_or_default().to_owned();
            Push {
                event: text("Event"),
                transaction_id: text("transaction_id"),
                confirm_receive_method: message.filled("confirm_receive_method").map(Into::into),
            }
        }
    };
    let confirmed = push.confirm_receive_method.is_some_and(|method| !method.is_null());
    if push.event == "trade_manage_order_settlement" && confirmed && !push.transaction_id.is_empty() {
        return Some(Event::ReceiptConfirmed { transaction_id: push.transaction_id });
    }
    Some(Event::Other(push.event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_proves_itself_by_the_sorted_hash() {
        // sha1("1714036504" + "1514711492" + "AAAAA" sorted), as in the platform's own example.
        let signature = hex::encode(Sha1::digest("15147114921714036504AAAAA"));
        assert!(is_from_wechat("AAAAA", &signature, "1714036504", "1514711492"));
        assert!(!is_from_wechat("AAAAB", &signature, "1714036504", "1514711492"));
        assert!(!is_from_wechat("AAAAA", "", "1714036504", "1514711492"));
    }

    #[test]
    fn a_settlement_counts_once_the_receipt_is_confirmed() {
        let confirmed =
            br#"{"Event":"trade_manage_order_settlement","transaction_id":"42","confirm_receive_method":2}"#;
        let shipped = br#"{"Event":"trade_manage_order_settlement","transaction_id":"42"}"#;
        assert_eq!(read(confirmed), Some(Event::ReceiptConfirmed { transaction_id: "42".into() }));
        assert_eq!(read(shipped), Some(Event::Other("trade_manage_order_settlement".into())));
        assert_eq!(read(b"<xml><Event>hello</Event></xml>"), Some(Event::Other("hello".into())));
        assert_eq!(read(b"neither"), None);
    }
}
