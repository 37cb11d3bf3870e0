//! The mini-program's message push: proving that it comes from WeChat, opening what is sealed, and reading the events we
//! act on.

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::flaw::Flaw;
use super::v2::message::Message;

/// The signature of every push. Source: message push, mini-program server side.
pub fn is_from_wechat(token: &str, signature: &str, timestamp: &str, nonce: &str) -> bool {
    is_signed(signature, &mut [token, timestamp, nonce])
}

fn is_signed(signature: &str, parts: &mut [&str]) -> bool {
    parts.sort_unstable();
    let expected = hex::encode(Sha1::digest(parts.concat()));
    expected.len() == signature.len() && bool::from(expected.as_bytes().ct_eq(signature.as_bytes()))
}

/// What stands in a push of the secure mode (安全模式), with what its address says.
pub struct Sealed<'a> {
    pub content: String,
    pub signature: &'a str,
    pub timestamp: &'a str,
    pub nonce: &'a str,
}

/// The sealed part of a push, if it has one.
pub fn sealed_part(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "Encrypt")]
        encrypt: String,
    }
    match serde_json::from_slice::<Envelope>(bytes) {
        Ok(envelope) => Some(envelope.encrypt),
        Err(_) => Message::read(bytes).ok()?.filled("Encrypt").map(str::to_owned),
    }
}

/// The last of the 43 characters carries two bits more than a key has: WeChat fills them with anything.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Random bytes before the length of the content.
const SALT: usize = 16;
/// The padding goes up to this, though a block of the cipher is half as long.
const MOST_PADDING: usize = 32;

/// Opens a push with the EncodingAESKey, once its own signature is right and it turns out to be for this app.
pub fn open(sealed: &Sealed<'_>, token: &str, key: &str, app_id: &str) -> Result<Vec<u8>, Flaw> {
    if !is_signed(sealed.signature, &mut [token, sealed.timestamp, sealed.nonce, &sealed.content]) {
        return Err(Flaw::MsgSignature);
    }
    let key: [u8; 32] = KEY_BASE64.decode(key).ok().and_then(|key| key.try_into().ok()).ok_or(Flaw::AesKey)?;
    let mut bytes = KEY_BASE64.decode(sealed.content.trim()).map_err(|_| Flaw::EncryptUnreadable)?;
    if bytes.is_empty() || bytes.len() % 16 != 0 {
        return Err(Flaw::EncryptUnreadable);
    }
    let aes = Aes256::new(&key.into());
    let mut before: [u8; 16] = key[..16].try_into().map_err(|_| Flaw::AesKey)?;
    for chunk in bytes.chunks_exact_mut(16) {
        let this: [u8; 16] = (&*chunk).try_into().map_err(|_| Flaw::EncryptUnreadable)?;
        aes.decrypt_block(chunk.try_into().map_err(|_| Flaw::EncryptUnreadable)?);
        chunk.iter_mut().zip(before).for_each(|(byte, mask)| *byte ^= mask);
        before = this;
    }
    content(bytes, app_id).ok_or(Flaw::EncryptUnreadable)
}

/// Salt, length, content, app id, padding.
fn content(mut bytes: Vec<u8>, app_id: &str) -> Option<Vec<u8>> {
    let padding = usize::from(*bytes.last()?);
    let from = bytes.len().checked_sub(padding)?;
    if !(1..=MOST_PADDING).contains(&padding) || bytes[from..].iter().any(|byte| usize::from(*byte) != padding) {
        return None;
    }
    bytes.truncate(from);
    let length = bytes.get(SALT..SALT + 4)?.try_into().ok()?;
    let end = (SALT + 4).checked_add(usize::try_from(u32::from_be_bytes(length)).ok()?)?;
    let ours = bytes.get(end..)? == app_id.as_bytes();
    ours.then(|| bytes[SALT + 4..end].to_vec())
}

/// Seals a push as WeChat does: what `open` opens. For the simulated WeChat.
pub fn seal(content: &[u8], salt: [u8; SALT], key: &str, app_id: &str) -> Option<String> {
    let key: [u8; 32] = KEY_BASE64.decode(key).ok()?.try_into().ok()?;
    let mut bytes = salt.to_vec();
    bytes.extend(u32::try_from(content.len()).ok()?.to_be_bytes());
    bytes.extend(content);
    bytes.extend(app_id.as_bytes());
    let padding = MOST_PADDING - bytes.len() % MOST_PADDING;
    bytes.extend(std::iter::repeat_n(padding as u8, padding));
    let aes = Aes256::new(&key.into());
    let mut before: [u8; 16] = key[..16].try_into().ok()?;
    for chunk in bytes.chunks_exact_mut(16) {
        chunk.iter_mut().zip(before).for_each(|(byte, mask)| *byte ^= mask);
        aes.encrypt_block(chunk.try_into().ok()?);
        before = (&*chunk).try_into().ok()?;
    }
    Some(KEY_BASE64.encode(bytes))
}

/// The signature over a sealed push, as it stands in its address. For the simulated WeChat.
pub fn sign(parts: &mut [&str]) -> String {
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

/// An event that matters to the shop.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// How far the settlement of a payment has come: told when its goods have left, and again when it is settled.
    Settlement(Settlement),
    /// WeChat reminds or restrains the merchant; its own word for it.
    Duty(Duty),
    Other(String),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    pub transaction_id: String,
    /// The buyer, or time, has confirmed that the goods came. Told at shipping, it has not.
    pub received: bool,
    /// Epoch milliseconds.
    pub estimated_at: Option<i64>,
    pub settled_at: Option<i64>,
}

/// What WeChat wants of whoever ships goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// The register of what was shipped has not been used yet.
    Access,
    /// Some payment has waited for 48 hours.
    Shipping,
    /// Payments of the mini-program are restrained.
    Controlled,
}

impl Duty {
    /// Its word in our books.
    pub fn word(self) -> &'static str {
        match self {
            Duty::Access => "access",
            Duty::Shipping => "shipping",
            Duty::Controlled => "controlled",
        }
    }
}

/// Reads a push in JSON or XML; `None` when it is neither.
pub fn read(bytes: &[u8]) -> Option<Event> {
    let fields: Value = match serde_json::from_slice(bytes) {
        Ok(fields @ Value::Object(_)) => fields,
        _ => Message::read(bytes).ok()?.fields().map(|(name, value)| (name.to_owned(), Value::from(value))).collect(),
    };
    let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
    // Numbers come as numbers or as text; an empty one and a zero say nothing.
    let number = |name: &str| match &fields[name] {
        Value::Number(n) => n.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let filled = |name: &str| number(name).filter(|n| *n > 0);
    let moment = |name: &str| filled(name).and_then(|seconds| seconds.checked_mul(1_000));
    Some(match text("Event").as_str() {
        "trade_manage_order_settlement" if !text("transaction_id").is_empty() => Event::Settlement(Settlement {
            transaction_id: text("transaction_id"),
            received: filled("confirm_receive_method").is_some(),
            estimated_at: moment("estimated_settlement_time"),
            settled_at: moment("settlement_time"),
        }),
        "trade_manage_remind_access_api" => Event::Duty(Duty::Access),
        "trade_manage_remind_shipping" => Event::Duty(Duty::Shipping),
        "wxa_trade_controlled" => Event::Duty(Duty::Controlled),
        other => Event::Other(other.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

    #[test]
    fn a_push_proves_itself_by_the_sorted_hash() {
        // sha1("1714036504" + "1514711492" + "AAAAA" sorted), as in the platform's own example.
        let signature = hex::encode(Sha1::digest("15147114921714036504AAAAA"));
        assert!(is_from_wechat("AAAAA", &signature, "1714036504", "1514711492"));
        assert!(!is_from_wechat("AAAAB", &signature, "1714036504", "1514711492"));
        assert!(!is_from_wechat("AAAAA", "", "1714036504", "1514711492"));
    }

    /// Told at shipping, a settlement is no receipt; one thing differs per row.
    #[test]
    fn a_settlement_counts_as_received_once_the_receipt_is_confirmed() {
        for (method, received) in [
            ("2", true),
            ("1", true),
            ("\"2\"", true),
            ("0", false),
            ("\"0\"", false),
            ("\"\"", false),
            ("null", false),
        ] {
            let json = format!(
                r#"{{"Event":"trade_manage_order_settlement","transaction_id":"42","confirm_receive_method":{method}}}"#
            );
            let Some(Event::Settlement(told)) = read(json.as_bytes()) else { panic!("{json}") };
            assert_eq!((told.received, told.transaction_id.as_str()), (received, "42"), "{json}");
            let xml = format!(
                "<xml><Event>trade_manage_order_settlement</Event><transaction_id>42</transaction_id>\
                 <confirm_receive_method>{}</confirm_receive_method></xml>",
                method.trim_matches('"').replace("null", "")
            );
            let Some(Event::Settlement(told)) = read(xml.as_bytes()) else { panic!("{xml}") };
            assert_eq!(told.received, received, "{xml}");
        }
        let shipped = br#"{"Event":"trade_manage_order_settlement","transaction_id":"42","estimated_settlement_time":1796000000}"#;
        let told =
            Settlement { transaction_id: "42".into(), estimated_at: Some(1_796_000_000_000), ..Settlement::default() };
        assert_eq!(read(shipped), Some(Event::Settlement(told)));
        assert_eq!(read(b"<xml><Event>hello</Event></xml>"), Some(Event::Other("hello".into())));
        assert_eq!(read(br#"{"Event":"wxa_trade_controlled"}"#), Some(Event::Duty(Duty::Controlled)));
        assert_eq!(read(b"neither"), None);
    }

    #[test]
    fn a_sealed_push_opens_for_its_own_app_key_and_signature() {
        let content = seal(b"hello", [7; 16], KEY, "wx1").unwrap();
        let signature = sign(&mut ["AAAAA", "1", "2", &content]);
        let sealed = |content: &str, signature: &str| {
            let (content, signature) = (content.to_owned(), signature.to_owned());
            move |token: &str, key: &str, app_id: &str| {
                let sealed = Sealed { content: content.clone(), signature: &signature, timestamp: "1", nonce: "2" };
                open(&sealed, token, key, app_id)
            }
        };
        let right = sealed(&content, &signature);
        assert_eq!(right("AAAAA", KEY, "wx1"), Ok(b"hello".to_vec()));
        assert_eq!(right("AAAAB", KEY, "wx1"), Err(Flaw::MsgSignature));
        assert_eq!(right("AAAAA", KEY, "wx2"), Err(Flaw::EncryptUnreadable));
        assert_eq!(right("AAAAA", &KEY.replace('a', "b"), "wx1"), Err(Flaw::EncryptUnreadable));
        assert_eq!(right("AAAAA", "short", "wx1"), Err(Flaw::AesKey));
        for broken in ["", "AAAA", "not base64!", &content[4..]] {
            let signature = sign(&mut ["AAAAA", "1", "2", broken]);
            assert_eq!(sealed(broken, &signature)("AAAAA", KEY, "wx1"), Err(Flaw::EncryptUnreadable), "{broken}");
        }
    }
}
