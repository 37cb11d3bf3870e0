//! Asking for a refund, and asking about it: one face of both versions of the API.

use serde::{Deserialize, Serialize};

use super::certificate::ClientIdentity;
use super::coupons::Coupons;
use super::exchange::unusable;
use super::flaw::Flaw;
use super::v2::{Page, RefundOf};
use super::{Account, Api, Exchange, Wechat};
use crate::money::Fen;
use crate::nonce::Nonces;

/// Interfaces that the shop can do without for a while, by WeChat's names.
pub const REFUND: &str = "refund";
pub const REFUND_QUERY: &str = "refundquery";

/// What is asked of a refund: stored before it is first sent, sent again unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundOrder {
    /// The version that took the payment: it gives it back, too.
    #[serde(default)]
    pub api: Api,
    pub transaction_id: String,
    pub out_refund_no: String,
    /// Fen, of the whole payment.
    pub total_fee: i64,
    /// Fen, of this refund.
    pub refund_fee: i64,
    pub refund_desc: String,
    /// Left out while the shop has no public address: the query tells everything anyway.
    pub notify_url: Option<String>,
    /// Out of the merchant's balance instead of what is not settled yet: for merchants of the old flow of funds (老资金流).
    #[serde(default)]
    pub from_balance: bool,
}

/// Whether a refusal for want of money means the unsettled money alone, so that the balance can be tried. Only merchants
/// of the old flow of funds are told so. Source: refund, refund_account.
pub fn balance_may_do(code: &str, text: &str) -> bool {
    code == "NOTENOUGH" && (text.contains("未结算资金不足") || text.contains("可用余额退款"))
}

/// The reason as the payer reads it: at most 80 bytes, without what signatures trip over.
pub fn desc_text(reason: &str) -> String {
    let mut text = String::new();
    for c in reason.chars() {
        let plain = !c.is_control() && !matches!(c, '&' | '=' | '<' | '>' | '\'' | '"') && c.len_utf8() < 4;
        if plain && text.len() + c.len_utf8() <= 80 {
            text.push(c);
        }
    }
    text.trim().to_owned()
}

/// How far a refund has come at WeChat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    Processing,
    Success,
    /// WeChat gave it up: no money moved.
    Closed,
    /// The bank sent the money back to the merchant: a person must pay it out in another way.
    Change,
}

/// WeChat's word about one refund. Only a checked signature makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundFact {
    /// As sent: one made in WeChat's own console can have any form.
    pub out_refund_no: String,
    pub refund_id: String,
    pub transaction_id: String,
    pub amount: Fen,
    /// What of it coupons had paid; `None` where this message does not tell.
    pub coupons: Option<Coupons>,
    pub status: RefundStatus,
    /// Epoch milliseconds.
    pub succeeded_at: Option<i64>,
    /// Where the money goes, in WeChat's words.
    pub account: String,
}

/// Some refunds of a payment, and where the others begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refunds {
    pub facts: Vec<RefundFact>,
    /// Where to go on, when there are more.
    pub next: Option<usize>,
}

impl Wechat {
    /// Asks for a refund. Accepted is not refunded: the query decides. API v2 wants to see our certificate.
    /// Errors: Unreachable (it may have been accepted: query before anything else), NotAccepted, Refused.
    pub async fn refund(
        &self,
        account: &Account,
        identity: Option<&ClientIdentity>,
        order: &RefundOrder,
        nonces: &Nonces,
    ) -> Exchange<String> {
        match account {
            Account::V2(merchant) => self.refund_v2(merchant, identity, order, nonces).await,
            Account::V3(merchant) => self.refund_v3(merchant, order, nonces).await,
        }
    }

    /// Asks what became of a refund; `None` when WeChat knows no such refund.
    pub async fn refund_query(
        &self,
        account: &Account,
        number: &str,
        id: Option<&str>,
        nonces: &Nonces,
    ) -> Exchange<Option<RefundFact>> {
        let mut exchange = match account {
            Account::V2(merchant) => {
                let asked = self.refund_query_v2(merchant, RefundOf::One { number, id }, nonces).await;
                asked.map(|page| page.facts.into_iter().next())
            }
            Account::V3(merchant) => self.refund_query_v3(merchant, number, nonces).await,
        };
        let other = |fact: &RefundFact| match id {
            Some(id) => fact.refund_id != id,
            None => fact.out_refund_no != number,
        };
        if matches!(&exchange.result, Ok(Some(fact)) if other(fact)) {
            exchange.result = Err(unusable(Flaw::OtherRefund));
        }
        exchange
    }

    /// Asks about the refunds of a payment, a call at a time: `turn` is 0, then what the answer said. API v3 cannot list
    /// them, so there each of `numbers` is asked about. `None` when there is nothing to ask.
    pub async fn payment_refunds(
        &self,
        account: &Account,
        transaction_id: &str,
        numbers: &[String],
        turn: usize,
        nonces: &Nonces,
    ) -> Option<Exchange<Refunds>> {
        let mut exchange = match account {
            Account::V2(merchant) => {
                let which = RefundOf::Payment { transaction_id, offset: turn };
                let asked = self.refund_query_v2(merchant, which, nonces).await;
                asked.map(|Page { facts, total }| {
                    let next = Some(turn + facts.len()).filter(|next| !facts.is_empty() && *next < total);
                    Refunds { facts, next }
                })
            }
            Account::V3(merchant) => {
                let asked = self.refund_query_v3(merchant, numbers.get(turn)?, nonces).await;
                let next = Some(turn + 1).filter(|next| *next < numbers.len());
                asked.map(|fact| Refunds { facts: fact.into_iter().collect(), next })
            }
        };
        let other = |refunds: &Refunds| refunds.facts.iter().any(|fact| fact.transaction_id != transaction_id);
        if matches!(&exchange.result, Ok(refunds) if other(refunds)) {
            exchange.result = Err(unusable(Flaw::OtherRefund));
        }
        Some(exchange)
    }
}

/// How a reason stands in a message of either version, and what stands there when it is to be forgotten.
pub fn told_why(desc: &str) -> [(String, String); 2] {
    let v2 = |desc: &str| format!("<refund_desc><![CDATA[{desc}]]>");
    let v3 = |desc: &str| format!("\"reason\":{}", serde_json::Value::from(desc));
    [(v2(desc), v2("")), (v3(desc), v3(""))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_is_tried_where_unsettled_money_alone_is_short() {
        for (code, text, may) in [
            ("NOTENOUGH", "交易未结算资金不足，请使用可用余额退款", true),
            ("NOTENOUGH", "未结算资金不足", true),
            ("NOTENOUGH", "基本账户余额不足，请充值后重新发起", false),
            ("NOTENOUGH", "", false),
            ("SYSTEMERROR", "交易未结算资金不足，请使用可用余额退款", false),
        ] {
            assert_eq!(balance_may_do(code, text), may, "{code} {text}");
        }
    }

    #[test]
    fn the_reason_fits_and_holds_nothing_that_breaks_a_signature() {
        assert_eq!(desc_text("不想要了&<b>🍓\n"), "不想要了b");
        assert!(desc_text(&"退".repeat(60)).len() <= 80);
    }
}
