//! One call to WeChat Pay: signed on the way out, believed on the way back only when it is well-formed, signed and ours.

use reqwest::Client;

use super::message::Message;
use super::sign::{self, SignType};
use super::{Merchant, Wechat};
use crate::nonce::Nonces;

/// What was said and heard in one call, whatever came of it: the transaction log keeps it.
#[derive(Debug)]
pub struct Exchange<T> {
    pub kind: &'static str,
    /// As sent, without `sign` and without secrets: a signed request of ours could be replayed at our own door.
    pub request: String,
    pub response: Vec<u8>,
    pub took_ms: i64,
    pub result: Result<T, GatewayError>,
}

impl<T> Exchange<T> {
    pub(super) fn map<U>(self, read: impl FnOnce(T) -> U) -> Exchange<U> {
        let Exchange { kind, request, response, took_ms, result } = self;
        Exchange { kind, request, response, took_ms, result: result.map(read) }
    }
}

/// Why WeChat did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayError {
    /// No usable answer: whether it happened is unknown. Ask with a query.
    Unreachable(String),
    /// The connection was broken off for the sake of our certificate. With TLS 1.3 that can come after the request
    /// has been written, so whether it happened is as unknown as after any broken connection.
    Certificate(String),
    /// `return_code=FAIL`: never signed, so it proves nothing about the order; the text is for the staff.
    NotAccepted(String),
    /// A signed refusal, with WeChat's own code and words.
    Refused { code: String, text: String },
}

impl std::fmt::Display for GatewayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GatewayError::Unreachable(why) => write!(f, "连不上微信或回答不可信: {why}"),
            GatewayError::Certificate(alert) => write!(f, "微信不接受退款证书: {alert}"),
            GatewayError::NotAccepted(text) => write!(f, "微信未受理: {text}"),
            GatewayError::Refused { code, text } => write!(f, "微信拒绝: {code} {text}"),
        }
    }
}

impl GatewayError {
    /// WeChat's code, when it refused with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            GatewayError::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// An answer that cannot be used, with a word for the log: nothing is known.
pub(super) fn unusable(why: &str) -> GatewayError {
    GatewayError::Unreachable(why.to_owned())
}

/// The fields that every request but the unified order opens with.
pub(super) fn request(merchant: &Merchant, nonces: &Nonces) -> Message {
    let mut message = Message::from([("appid", merchant.app_id.as_str()), ("mch_id", &merchant.mch_id)]);
    message.set("nonce_str", nonces.nonce_str());
    if merchant.sign_type != SignType::Md5 {
        message.set("sign_type", merchant.sign_type.name());
    }
    message
}

impl Wechat {
    /// Signs, sends by `client`, and reads what a trusted answer says.
    pub(super) async fn call<T>(
        &self,
        client: &Client,
        merchant: &Merchant,
        (kind, path): (&'static str, &str),
        mut message: Message,
        read: impl FnOnce(&Message) -> Result<T, GatewayError>,
    ) -> Exchange<T> {
        let request = message.to_xml();
        message.set("sign", sign::sign(&message, merchant.sign_type, &merchant.key));
        let (answer, took_ms) = self.post_pay(client, path, message.to_xml()).await;
        self.heard(kind, answer.is_ok(), took_ms);
        let response = answer.clone().unwrap_or_default();
        let result = answer.and_then(|bytes| trusted(merchant, &bytes)).and_then(|message| read(&message));
        Exchange { kind, request, response, took_ms, result }
    }
}

/// An answer that may be acted on: well-formed, signed, ours, and successful.
fn trusted(merchant: &Merchant, bytes: &[u8]) -> Result<Message, GatewayError> {
    let message = Message::read(bytes).map_err(|e| unusable(e.word()))?;
    if message.get("return_code") != Some("SUCCESS") {
        let text = message.filled("return_msg").unwrap_or("没有说明原因");
        return Err(GatewayError::NotAccepted(text.to_owned()));
    }
    let verified = merchant.verify(message).map_err(|e| unusable(e.word()))?;
    let message = verified.authentic.message().clone();
    if message.get("appid") != Some(&merchant.app_id) || message.get("mch_id") != Some(&merchant.mch_id) {
        return Err(unusable("OTHER_MERCHANT"));
    }
    if message.get("result_code") != Some("SUCCESS") {
        let field = |name| message.filled(name).unwrap_or_default().to_owned();
        return Err(GatewayError::Refused { code: field("err_code"), text: field("err_code_des") });
    }
    Ok(message)
}
