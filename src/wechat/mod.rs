//! The only room that knows XML, MD5 and WeChat's URLs. It knows no order: it takes ids and money.

mod client;
pub mod message;
pub mod mini_program;
pub mod notice;
pub mod pay;
pub mod push;
pub mod sign;
pub mod simulator;

use serde::Serialize;

pub use client::{BadUrl, Wechat};
use sign::{ApiKey, SignType};

use crate::ids::OutTradeNo;
use crate::money::Fen;

/// WeChat Pay's hosts: money moves there.
pub const PAY_URL: &str = "https://api.mch.weixin.qq.com";
/// The mini-program's server side.
pub const API_URL: &str = "https://api.weixin.qq.com";

/// Who we are at WeChat Pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    pub app_id: String,
    pub mch_id: String,
    pub key: ApiKey,
    pub sign_type: SignType,
}

/// WeChat's word that money moved. Only a checked signature makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// As sent: an unknown number may have any form.
    pub out_trade_no: String,
    pub transaction_id: String,
    pub total: Fen,
    /// `CNY` when WeChat left it out.
    pub fee_type: String,
    pub openid: String,
    /// Epoch milliseconds.
    pub paid_at: i64,
}

impl Payment {
    pub fn number(&self) -> Option<OutTradeNo> {
        self.out_trade_no.parse().ok()
    }
}

/// One thing that was looked at in a message, for the page that explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub what: &'static str,
    pub ok: bool,
    pub note: String,
}

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

/// Why WeChat did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayError {
    /// No usable answer: whether it happened is unknown. Ask with a query.
    Unreachable(String),
    /// `return_code=FAIL`: never signed, so it proves nothing about the order; the text is for the staff.
    NotAccepted(String),
    /// A signed refusal, with WeChat's own code and words.
    Refused { code: String, text: String },
}

impl std::fmt::Display for GatewayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GatewayError::Unreachable(why) => write!(f, "连不上微信或回答不可信: {why}"),
            GatewayError::NotAccepted(text) => write!(f, "微信未受理: {text}"),
            GatewayError::Refused { code, text } => write!(f, "微信拒绝: {code} {text}"),
        }
    }
}
