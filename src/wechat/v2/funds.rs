//! API v2: a day's fund flow, over mutual TLS and signed by HMAC alone.

use sha1::{Digest, Sha1};

use super::super::bill::{GZIP, unpacked};
use super::super::certificate::ClientIdentity;
use super::super::exchange::{unreadable, unusable};
use super::super::flaw::Flaw;
use super::super::funds::{FundsAnswer, read};
use super::super::{Exchange, GatewayError, Signature, Wechat};
use super::Merchant;
use super::message::Message;
use super::sign::{self, SignType};
use crate::clock::Day;
use crate::nonce::Nonces;

impl Wechat {
    /// The success answer is no XML and carries no signature; a hash of it stands in a header. Source: download fund flow,
    /// API v2.
    pub(in crate::wechat) async fn download_funds_v2(
        &self,
        merchant: &Merchant,
        identity: Option<&ClientIdentity>,
        day: Day,
        nonces: &Nonces,
    ) -> Exchange<FundsAnswer> {
        let kind = "downloadfundflow";
        let mut message = Message::from([("appid", merchant.app_id.as_str()), ("mch_id", &merchant.mch_id)]);
        message.set("nonce_str", nonces.nonce_str());
        message.set("sign_type", SignType::HmacSha256.name());
        message.set("bill_date", day.to_string());
        message.set("account_type", "Basic");
        message.set("tar_type", "GZIP");
        let client = match self.certified(identity) {
            Ok(client) => client,
            Err(why) => return Exchange::unsent(kind, GatewayError::Refused { code: "CERT_ERROR".into(), text: why }),
        };
        let request = message.to_xml();
        message.set("sign", sign::sign(&message, SignType::HmacSha256, &merchant.key));
        let (answer, took_ms) = self.post_for_funds(&client, "/pay/downloadfundflow", message.to_xml()).await;
        let response = match &answer {
            Ok((bytes, _)) if bytes.len() <= 2_000 && !bytes.starts_with(&GZIP) => bytes.clone(),
            Ok((bytes, _)) => format!("（资金账单，{} 字节）", bytes.len()).into_bytes(),
            Err(_) => Vec::new(),
        };
        let result = answer.and_then(|(bytes, digest)| read_answer(&bytes, digest.as_deref()));
        Exchange { kind, request, response, took_ms, signature: Signature::None, result }
    }
}

fn read_answer(bytes: &[u8], digest: Option<&str>) -> Result<FundsAnswer, GatewayError> {
    if bytes.trim_ascii_start().starts_with(b"<xml") {
        return refusal(bytes.trim_ascii());
    }
    // It is not said whether the packed or the plain file is hashed.
    let told = digest.and_then(|digest| digest.strip_prefix("SHA=")).map(str::to_ascii_lowercase);
    let hash = |bytes: &[u8]| hex::encode(Sha1::digest(bytes));
    if told.is_some_and(|told| told != hash(bytes) && unpacked(bytes).is_ok_and(|plain| told != hash(&plain))) {
        return Err(unusable(Flaw::FundsHashWrong));
    }
    read(bytes).map(FundsAnswer::Flow)
}

fn refusal(xml: &[u8]) -> Result<FundsAnswer, GatewayError> {
    let message = Message::read(xml).map_err(|e| unreadable(e.word()))?;
    let field = |name| message.filled(name).unwrap_or_default().to_owned();
    match field("err_code").as_str() {
        "NO_BILL_EXIST" => Ok(FundsAnswer::None),
        "BILL_CREATING" => Ok(FundsAnswer::Creating),
        "" => Err(GatewayError::NotAccepted(field("return_msg"))),
        code => Err(GatewayError::Refused { code: code.into(), text: field("err_code_des") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wechat_answers_instead_of_a_file_is_told_apart() {
        let xml = |fields: &str| format!("<xml><return_code>SUCCESS</return_code>{fields}</xml>");
        let read = |fields: &str| read_answer(xml(fields).as_bytes(), None);
        let code = |code: &str| format!("<result_code>FAIL</result_code><err_code>{code}</err_code>");
        assert_eq!(read(&code("NO_BILL_EXIST")), Ok(FundsAnswer::None));
        assert_eq!(read(&code("BILL_CREATING")), Ok(FundsAnswer::Creating));
        assert!(matches!(read(&code("PARAM_ERROR")), Err(GatewayError::Refused { .. })));
        assert!(matches!(read("<return_msg>签名错误</return_msg>"), Err(GatewayError::NotAccepted(_))));
        assert_eq!(
            read_answer(b"hello", Some(&format!("SHA={}", "0".repeat(40)))),
            Err(unusable(Flaw::FundsHashWrong))
        );
        let right = format!("SHA={}", hex::encode(Sha1::digest(b"hello")));
        assert_ne!(read_answer(b"hello", Some(&right)), Err(unusable(Flaw::FundsHashWrong)));
    }
}
