//! API v2: a day's bill in one answer.

use super::super::bill::{BillAnswer, GZIP, Own, read};
use super::super::{Exchange, Signature, Wechat};
use super::exchange::request;
use super::{Merchant, sign};
use crate::clock::Day;
use crate::nonce::Nonces;

impl Wechat {
    /// Downloads a day's bill. The success answer is no XML and carries no signature: TLS vouches for it.
    /// Source: download bill, API v2. Refused carries WeChat's `error_code`.
    pub(in crate::wechat) async fn download_bill_v2(
        &self,
        merchant: &Merchant,
        day: Day,
        own: &Own,
        nonces: &Nonces,
    ) -> Exchange<BillAnswer> {
        let mut message = request(merchant, nonces);
        message.set("bill_date", day.to_string());
        message.set("bill_type", "ALL");
        message.set("tar_type", "GZIP");
        let request = message.to_xml();
        message.set("sign", sign::sign(&message, merchant.sign_type, &merchant.key));
        let (answer, took_ms) = self.post_for_bill("/pay/downloadbill", message.to_xml()).await;
        // A day's trade is kept as rows, not as one more copy in the log.
        let response = match &answer {
            Ok(bytes) if bytes.len() <= 2_000 && !bytes.starts_with(&GZIP) => bytes.clone(),
            Ok(bytes) => format!("（账单，{} 字节）", bytes.len()).into_bytes(),
            Err(_) => Vec::new(),
        };
        let result = answer.and_then(|bytes| read(&bytes, own));
        Exchange { kind: "downloadbill", request, response, took_ms, signature: Signature::None, result }
    }
}
