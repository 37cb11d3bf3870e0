//! The only room that knows XML, MD5 and WeChat's URLs. It knows no order: it takes ids and money.

pub mod bill;
mod breaker;
pub mod certificate;
mod client;
mod exchange;
pub mod message;
pub mod mini_program;
pub mod notice;
pub mod pay;
pub mod push;
pub mod reach;
pub mod refund;
pub mod register;
pub mod sign;

use serde::Serialize;

pub use client::{BadUrl, Wechat};
pub use exchange::{Exchange, GatewayError};
use message::Message;
use sign::{ApiKey, Authentic, BadSign, SignType};

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
    pub before: Before,
}

/// What was in force until a short while ago: messages on their way still carry its signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    pub key: Option<ApiKey>,
    /// The other digest, and when it went out of use: good only for orders that were made before.
    pub sign_type: Option<(SignType, i64)>,
}

/// A message with a right signature, and which one it was.
#[derive(Debug)]
pub struct Verified {
    pub authentic: Authentic,
    pub by_old_key: bool,
    /// Signed as nothing is signed any more since this moment (epoch milliseconds).
    pub as_before: Option<i64>,
}

impl Merchant {
    pub fn new(app_id: &str, mch_id: &str, key: ApiKey, sign_type: SignType) -> Merchant {
        Merchant { app_id: app_id.to_owned(), mch_id: mch_id.to_owned(), key, sign_type, before: Before::default() }
    }

    /// Believes what is signed with today's key and digest, or with one that went out of use a short while ago.
    /// The error is today's.
    pub fn verify(&self, message: Message) -> Result<Verified, BadSign> {
        let (today, mut message) = match sign::verify(message, self.sign_type, &self.key) {
            Ok(authentic) => return Ok(Verified { authentic, by_old_key: false, as_before: None }),
            Err(e) => e,
        };
        let keys = std::iter::once((&self.key, false)).chain(self.before.key.as_ref().map(|key| (key, true)));
        for (key, by_old_key) in keys {
            let digests = std::iter::once((self.sign_type, None))
                .chain(self.before.sign_type.map(|(sign_type, changed_at)| (sign_type, Some(changed_at))));
            for (sign_type, as_before) in digests.filter(|(_, as_before)| by_old_key || as_before.is_some()) {
                message = match sign::verify(message, sign_type, key) {
                    Ok(authentic) => return Ok(Verified { authentic, by_old_key, as_before }),
                    Err((_, message)) => message,
                };
            }
        }
        Err(today)
    }
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
    /// WeChat says that some of it has been, or is being, refunded.
    pub refund_started: bool,
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
