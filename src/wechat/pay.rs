//! Asking for a payment, and asking about it: one face of both versions of the API.

use serde::{Deserialize, Serialize};

use super::exchange::unusable;
use super::flaw::Flaw;
use super::v2::{self, UnifiedOrder};
use super::v3::{self, JsapiOrder};
use super::{Account, Api, Exchange, GatewayError, Payment, Wechat};
use crate::clock;
use crate::ids::OutTradeNo;
use crate::money::Fen;
use crate::nonce::Nonces;

/// Interfaces that the shop can do without for a while, by WeChat's names.
pub const ORDER_QUERY: &str = "orderquery";
pub const CLOSE_ORDER: &str = "closeorder";

/// What a payment is asked for with, whatever the version.
pub struct Asked<'a> {
    pub description: String,
    pub out_trade_no: OutTradeNo,
    pub total: Fen,
    pub payer_ip: &'a str,
    pub notify_url: &'a str,
    pub openid: &'a str,
    pub nonce_str: &'a str,
    /// Epoch milliseconds.
    pub now: i64,
    pub expires_at: i64,
}

/// The exact parameters of an attempt: stored before they are sent, sent again unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PayOrder {
    V2(UnifiedOrder),
    V3(JsapiOrder),
}

impl PayOrder {
    pub fn new(account: &Account, asked: Asked<'_>) -> PayOrder {
        match account {
            Account::V2(merchant) => PayOrder::V2(UnifiedOrder::new(merchant, asked)),
            Account::V3(merchant) => PayOrder::V3(JsapiOrder::new(merchant, asked)),
        }
    }

    /// The version that made it, in which it is followed to its end.
    pub fn api(&self) -> Api {
        match self {
            PayOrder::V2(_) => Api::V2,
            PayOrder::V3(_) => Api::V3,
        }
    }

    /// Whether it can still be sent: the merchant's identity must be the one it was written for.
    pub fn is_from(&self, account: &Account) -> bool {
        match (self, account) {
            (PayOrder::V2(order), Account::V2(merchant)) => order.is_from(merchant),
            (PayOrder::V3(order), Account::V3(merchant)) => order.is_from(merchant),
            _ => false,
        }
    }

    /// When WeChat stops taking this payment (epoch milliseconds).
    pub fn expires_at(&self) -> Option<i64> {
        match self {
            PayOrder::V2(order) => clock::from_compact(&order.time_expire),
            PayOrder::V3(order) => clock::from_rfc3339(&order.time_expire),
        }
    }

    pub fn app_id(&self) -> &str {
        match self {
            PayOrder::V2(order) => &order.appid,
            PayOrder::V3(order) => &order.appid,
        }
    }

    pub fn mch_id(&self) -> &str {
        match self {
            PayOrder::V2(order) => &order.mch_id,
            PayOrder::V3(order) => &order.mchid,
        }
    }

    pub fn out_trade_no(&self) -> &str {
        match self {
            PayOrder::V2(order) => &order.out_trade_no,
            PayOrder::V3(order) => &order.out_trade_no,
        }
    }

    /// Fen.
    pub fn total_fee(&self) -> i64 {
        match self {
            PayOrder::V2(order) => order.total_fee,
            PayOrder::V3(order) => order.amount.total,
        }
    }

    pub fn openid(&self) -> &str {
        match self {
            PayOrder::V2(order) => &order.openid,
            PayOrder::V3(order) => &order.payer.openid,
        }
    }
}

/// What the payer reads: shop and goods, at most 127 bytes, without the characters that signatures trip over.
pub fn body_text(shop: &str, goods: &str) -> String {
    let mut text = String::new();
    for c in format!("{shop}-{goods}").chars() {
        let plain = !c.is_control() && !matches!(c, '&' | '=' | '<' | '>' | '\'' | '"') && c.len_utf8() < 4;
        if plain && text.len() + c.len_utf8() <= 127 {
            text.push(c);
        }
    }
    text.trim().to_owned()
}

/// The values for `wx.requestPayment`, every one a string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentParams {
    pub app_id: String,
    pub time_stamp: String,
    pub nonce_str: String,
    pub package: String,
    pub sign_type: &'static str,
    pub pay_sign: String,
}

/// What a query says of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trade {
    Paid(Payment),
    NotPaid,
    Closed,
    /// WeChat knows no such number: the unified order never arrived.
    Absent,
    /// A state without facts that we can use, such as `REFUND` or `USERPAYING`.
    Other(String),
}

impl Trade {
    /// A state that needs no facts. Source: order query. Two of them belong to payments by barcode, which this shop has not;
    /// should they come all the same: what was taken back (REVOKED) can be paid by nobody any more, and what failed
    /// (PAYERROR) is not paid and may be closed. Who is at the PIN pad (USERPAYING) is waited for.
    pub(super) fn of_state(state: &str) -> Trade {
        match state {
            "NOTPAY" | "PAYERROR" => Trade::NotPaid,
            "CLOSED" | "REVOKED" => Trade::Closed,
            other => Trade::Other(other.to_owned()),
        }
    }
}

/// Which trade is meant: ours by number, or any by WeChat's own id.
#[derive(Clone, Copy, Debug)]
pub enum TradeOf<'a> {
    Number(&'a OutTradeNo),
    Transaction(&'a str),
}

/// The second signature. Nonce and time are ours alone, so that it can sign nothing else.
pub async fn payment_params(account: &Account, prepay_id: &str, now: i64, nonces: &Nonces) -> PaymentParams {
    match account {
        Account::V2(merchant) => v2::payment_params(merchant, prepay_id, now, nonces),
        Account::V3(merchant) => v3::payment_params(merchant, prepay_id, now, nonces).await,
    }
}

impl Wechat {
    /// Asks WeChat for a prepay_id; waits at most 5 s.
    /// Errors: Unreachable (the order may exist: query), NotAccepted, Refused.
    pub async fn order(&self, account: &Account, order: &PayOrder, nonces: &Nonces) -> Exchange<String> {
        let exchange = match (account, order) {
            (Account::V2(merchant), PayOrder::V2(order)) => self.unified_order(merchant, order).await,
            (Account::V3(merchant), PayOrder::V3(order)) => self.order_v3(merchant, order, nonces).await,
            _ => Exchange::unsent("unifiedorder", GatewayError::NotAccepted("支付单是用另一个版本的接口写的".into())),
        };
        self.standing.note_order(account, &exchange.result, self.clock_ahead_ms());
        exchange
    }

    /// Asks what became of an attempt, or of a transaction that came for none of ours.
    pub async fn order_query(&self, account: &Account, which: TradeOf<'_>, nonces: &Nonces) -> Exchange<Trade> {
        let mut exchange = match account {
            Account::V2(merchant) => self.order_query_v2(merchant, which, nonces).await,
            Account::V3(merchant) => self.order_query_v3(merchant, which, nonces).await,
        };
        if exchange.result.is_ok() {
            self.standing.note_good(account);
        }
        // Facts about another order than the one asked for are no answer.
        let other = |payment: &Payment| match which {
            TradeOf::Number(number) => payment.out_trade_no != number.as_str(),
            TradeOf::Transaction(id) => payment.transaction_id != id,
        };
        if matches!(&exchange.result, Ok(Trade::Paid(payment)) if other(payment)) {
            exchange.result = Err(unusable(Flaw::OtherOrder));
        }
        exchange
    }

    /// Closes an attempt. Success proves little (a number that does not exist closes too): query afterwards.
    pub async fn close_order(&self, account: &Account, number: &OutTradeNo, nonces: &Nonces) -> Exchange<()> {
        match account {
            Account::V2(merchant) => self.close_order_v2(merchant, number, nonces).await,
            Account::V3(merchant) => self.close_order_v3(merchant, number, nonces).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_that_failed_or_was_taken_back_holds_no_stock() {
        for (state, trade) in [
            ("NOTPAY", Trade::NotPaid),
            ("PAYERROR", Trade::NotPaid),
            ("CLOSED", Trade::Closed),
            ("REVOKED", Trade::Closed),
            ("USERPAYING", Trade::Other("USERPAYING".into())),
            ("ACCEPT", Trade::Other("ACCEPT".into())),
        ] {
            assert_eq!(Trade::of_state(state), trade, "{state}");
        }
    }

    #[test]
    fn the_body_fits_and_holds_nothing_that_breaks_a_signature() {
        assert_eq!(body_text("小店", "草莓<蛋糕>&🍓='x'\n"), "小店-草莓蛋糕x");
        let long = body_text("小店", &"蛋".repeat(100));
        assert!(long.len() <= 127 && long.ends_with('蛋'));
    }
}
