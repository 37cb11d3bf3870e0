//! The only room that knows WeChat's URLs, messages and signatures. It knows no order: it takes ids and money.
//!
//! WeChat Pay has two versions, `v2` and `v3`; `account`, `pay`, `refund` and `bill` are the one face of both, so that
//! nobody above asks which it is.

mod account;
pub mod bill;
mod breaker;
pub mod carriers;
pub mod certificate;
mod client;
mod codes;
pub mod coupons;
mod exchange;
pub mod flaw;
pub mod funds;
mod hosts;
pub mod mini_program;
pub mod pay;
pub mod push;
pub mod reach;
pub mod refund;
pub mod register;
mod standing;
pub mod subscribe;
pub mod v2;
pub mod v3;

use serde::Serialize;

pub use account::{Account, Api};
pub use client::{BadUrl, Wechat};
pub use exchange::{Exchange, GatewayError, Signature};
pub use standing::for_owner;

use coupons::Coupons;

use crate::ids::OutTradeNo;
use crate::money::Fen;

/// WeChat Pay's hosts: money moves there.
pub const PAY_URL: &str = "https://api.mch.weixin.qq.com";
/// Where the same requests go when the first host cannot be reached. Source: access to several regions.
pub const SECOND_PAY_URL: &str = "https://api2.mch.weixin.qq.com";
/// The mini-program's server side.
pub const API_URL: &str = "https://api.weixin.qq.com";

/// In whose name somebody pays: the mini-program and the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub app_id: String,
    pub mch_id: String,
}

impl Identity {
    /// What a message names, unless that is `today`'s AppID and merchant number.
    pub fn unless(today: (&str, &str), app_id: &str, mch_id: &str) -> Option<Identity> {
        ((app_id, mch_id) != today).then(|| Identity { app_id: app_id.to_owned(), mch_id: mch_id.to_owned() })
    }

    pub fn is(&self, app_id: &str, mch_id: &str) -> bool {
        self.app_id == app_id && self.mch_id == mch_id
    }

    /// As it is written down; `read` takes it back.
    pub fn written(&self) -> String {
        format!("{} {}", self.app_id, self.mch_id)
    }

    pub fn read(text: &str) -> Option<Identity> {
        let (app_id, mch_id) = text.split_once(' ')?;
        Some(Identity { app_id: app_id.to_owned(), mch_id: mch_id.to_owned() })
    }
}

/// WeChat's word that money moved. Only a checked signature makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// In whose name it was made, and by which version: what belongs to it goes through the same.
    pub name: Identity,
    pub api: Api,
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
    /// What coupons paid of it, and what of that reaches the merchant.
    pub coupons: Coupons,
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
