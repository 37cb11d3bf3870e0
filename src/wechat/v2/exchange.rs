//! One call of API v2: signed on the way out, believed on the way back only when it is well-formed, signed and ours.

use reqwest::Client;

use super::super::exchange::{unreadable, unusable};
use super::super::flaw::Flaw;
use super::super::{Exchange, GatewayError, Signature, Wechat};
use super::Merchant;
use super::message::Message;
use super::sign::{self, SignType};
use crate::nonce::Nonces;

/// The fields that every request but the unified order opens with.
pub(in crate::wechat) fn request(merchant: &Merchant, nonces: &Nonces) -> Message {
    let mut message = Message::from([("appid", merchant.app_id.as_str()), ("mch_id", &merchant.mch_id)]);
    message.set("nonce_str", nonces.nonce_str());
    if merchant.sign_type != SignType::Md5 {
        message.set("sign_type", merchant.sign_type.name());
    }
    message
}

impl Wechat {
    /// Signs, sends by `client`, and reads what a trusted answer says.
    pub(in crate::wechat) async fn call<T>(
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
        let mut signature = Signature::None;
        let result = answer.and_then(|bytes| trusted(merchant, &bytes, &mut signature));
        Exchange { kind, request, response, took_ms, signature, result: result.and_then(|message| read(&message)) }
    }
}

/// An answer that may be acted on: well-formed, signed, ours, and successful.
fn trusted(merchant: &Merchant, bytes: &[u8], signature: &mut Signature) -> Result<Message, GatewayError> {
    let message = Message::read(bytes).map_err(|e| unreadable(e.word()))?;
    if message.get("return_code") != Some("SUCCESS") {
        let text = message.filled("return_msg").unwrap_or("没有说明原因");
        return Err(GatewayError::NotAccepted(text.to_owned()));
    }
    let verified = merchant.verify(message);
    *signature = verified.as_ref().map_or_else(|bad| Signature::WrongV2(*bad), |_| Signature::Right);
    let verified = verified.map_err(|bad| unreadable(bad.word()))?;
    let message = verified.authentic.message().clone();
    if message.get("appid") != Some(&merchant.app_id) || message.get("mch_id") != Some(&merchant.mch_id) {
        return Err(unusable(Flaw::OtherMerchant));
    }
    if message.get("result_code") != Some("SUCCESS") {
        let field = |name| message.filled(name).unwrap_or_default().to_owned();
        return Err(GatewayError::Refused { code: field("err_code").into(), text: field("err_code_des") });
    }
    Ok(message)
}
