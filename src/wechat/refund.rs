//! WeChat Pay API v2: asking for a refund over mutual TLS, and asking what became of it.

use serde::{Deserialize, Serialize};

use super::certificate::ClientIdentity;
use super::exchange::{request, unusable};
use super::message::Message;
use super::{Exchange, GatewayError, Merchant, Wechat};
use crate::clock;
use crate::ids::OutRefundNo;
use crate::money::Fen;
use crate::nonce::Nonces;

/// Interfaces that the shop can do without for a while, by WeChat's names.
pub const REFUND: &str = "refund";
pub const REFUND_QUERY: &str = "refundquery";

/// What is asked of a refund: stored before it is first sent, sent again unchanged. Source: refund, API v2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundOrder {
    pub transaction_id: String,
    pub out_refund_no: String,
    /// Fen, of the whole payment.
    pub total_fee: i64,
    /// Fen, of this refund.
    pub refund_fee: i64,
    pub refund_desc: String,
    /// Left out while the shop has no public address: the query tells everything anyway.
    pub notify_url: Option<String>,
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
    pub status: RefundStatus,
    /// Epoch milliseconds.
    pub succeeded_at: Option<i64>,
    /// Where the money goes, in WeChat's words.
    pub account: String,
}

/// What to ask about.
#[derive(Clone, Copy, Debug)]
pub enum RefundOf<'a> {
    /// One refund of ours.
    Number(&'a OutRefundNo),
    /// One refund by WeChat's own id: it may have been made in WeChat's console.
    Id(&'a str),
    /// Every refund of a payment, from the `offset`th on.
    Transaction(&'a str, usize),
}

/// Some refunds of a payment, and how many there are in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refunds {
    pub facts: Vec<RefundFact>,
    pub total: usize,
}

impl Wechat {
    /// Asks for a refund. Accepted is not refunded: the query decides. Source: refund, API v2.
    /// Errors: Unreachable (it may have been accepted: query before anything else), NotAccepted, Refused.
    pub async fn refund(
        &self,
        merchant: &Merchant,
        identity: Option<&ClientIdentity>,
        order: &RefundOrder,
        nonces: &Nonces,
    ) -> Exchange<String> {
        let mut message = request(merchant, nonces);
        for (name, value) in [
            ("transaction_id", &order.transaction_id),
            ("out_refund_no", &order.out_refund_no),
            ("total_fee", &order.total_fee.to_string()),
            ("refund_fee", &order.refund_fee.to_string()),
            ("refund_fee_type", &"CNY".to_owned()),
            ("refund_desc", &order.refund_desc),
        ] {
            message.set(name, value);
        }
        if let Some(url) = &order.notify_url {
            message.set("notify_url", url);
        }
        let how = (REFUND, "/secapi/pay/refund");
        let client = match self.certified(identity) {
            Ok(client) => client,
            Err(why) => {
                let result = Err(GatewayError::Refused { code: "CERT_ERROR".into(), text: why });
                return Exchange { kind: how.0, request: message.to_xml(), response: Vec::new(), took_ms: 0, result };
            }
        };
        self.call(&client, merchant, how, message, |answer| {
            let same = |name, ours: &str| answer.get(name) == Some(ours);
            // An answer about another refund is no answer.
            if !same("out_refund_no", &order.out_refund_no) || !same("refund_fee", &order.refund_fee.to_string()) {
                return Err(unusable("OTHER_REFUND"));
            }
            answer.filled("refund_id").map(str::to_owned).ok_or_else(|| unusable("REFUND_ID_MISSING"))
        })
        .await
    }

    /// Asks what became of refunds; none when WeChat knows no such refund. Source: refund query, API v2.
    pub async fn refund_query(&self, merchant: &Merchant, which: RefundOf<'_>, nonces: &Nonces) -> Exchange<Refunds> {
        let mut message = request(merchant, nonces);
        match which {
            RefundOf::Number(number) => message.set("out_refund_no", number.as_str()),
            RefundOf::Id(id) => message.set("refund_id", id),
            RefundOf::Transaction(id, offset) => {
                message.set("transaction_id", id);
                if offset > 0 {
                    message.set("offset", offset.to_string());
                }
            }
        }
        let how = (REFUND_QUERY, "/pay/refundquery");
        let mut exchange = self.call(self.plain(), merchant, how, message, read_refunds).await;
        if exchange.result.as_ref().is_err_and(|e| e.code() == Some("REFUNDNOTEXIST")) {
            exchange.result = Ok(Refunds::default());
        }
        let other = |refunds: &Refunds| match which {
            RefundOf::Number(number) => refunds.facts.iter().any(|fact| fact.out_refund_no != number.as_str()),
            RefundOf::Id(id) => refunds.facts.iter().any(|fact| fact.refund_id != id),
            RefundOf::Transaction(id, _) => refunds.facts.iter().any(|fact| fact.transaction_id != id),
        };
        if matches!(&exchange.result, Ok(refunds) if other(refunds)) {
            exchange.result = Err(unusable("OTHER_REFUND"));
        }
        exchange
    }
}

fn read_refunds(answer: &Message) -> Result<Refunds, GatewayError> {
    let count = |name| answer.filled(name).and_then(|n| n.parse::<usize>().ok());
    let here = count("refund_count").filter(|n| *n <= 100).ok_or_else(|| unusable("BAD_FIELD refund_count"))?;
    let transaction_id = answer.filled("transaction_id").ok_or_else(|| unusable("BAD_FIELD transaction_id"))?;
    let fact = |n: usize| {
        let field = |name: &str| {
            let name = format!("{name}_{n}");
            answer.filled(&name).map(str::to_owned).ok_or_else(|| unusable(&format!("BAD_FIELD {name}")))
        };
        let status = match field("refund_status")?.as_str() {
            "SUCCESS" => RefundStatus::Success,
            "PROCESSING" => RefundStatus::Processing,
            "REFUNDCLOSE" => RefundStatus::Closed,
            "CHANGE" => RefundStatus::Change,
            _ => return Err(unusable("BAD_FIELD refund_status")),
        };
        let amount = Fen::from_wire(&field("refund_fee")?).filter(|fen| fen.get() >= 1);
        Ok(RefundFact {
            out_refund_no: field("out_refund_no")?,
            refund_id: field("refund_id")?,
            transaction_id: transaction_id.to_owned(),
            amount: amount.ok_or_else(|| unusable("BAD_FIELD refund_fee"))?,
            status,
            succeeded_at: field("refund_success_time").ok().and_then(|text| clock::from_spaced(&text)),
            // Sic: WeChat spells it so.
            account: field("refund_recv_accout").unwrap_or_default(),
        })
    };
    let facts = (0..here).map(fact).collect::<Result<Vec<_>, _>>()?;
    Ok(Refunds { total: count("total_refund_count").unwrap_or(here).max(here), facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Message {
        Message::from([
            ("transaction_id", "4200000000202610080000000001"),
            ("refund_count", "1"),
            ("out_refund_no_0", "202610087K2M0A1B2CR01"),
            ("refund_id_0", "50000000382026100800000000001"),
            ("refund_fee_0", "7000"),
            ("refund_status_0", "SUCCESS"),
            ("refund_success_time_0", "2026-10-08 13:15:40"),
            ("refund_recv_accout_0", "招商银行信用卡0403"),
        ])
    }

    #[test]
    fn a_refund_is_read_with_one_thing_wrong_refused() {
        let read = read_refunds(&answer()).unwrap();
        assert_eq!((read.total, read.facts.len()), (1, 1));
        let fact = &read.facts[0];
        assert_eq!((fact.amount.get(), fact.status), (7000, RefundStatus::Success));
        assert_eq!(fact.succeeded_at, clock::from_compact("20261008131540"));
        for (name, value) in [
            ("transaction_id", ""),
            ("refund_count", ""),
            ("refund_count", "2"),
            ("refund_count", "-1"),
            ("refund_count", "1000000"),
            ("out_refund_no_0", ""),
            ("refund_id_0", ""),
            ("refund_fee_0", "0"),
            ("refund_fee_0", "70.00"),
            ("refund_status_0", "MAYBE"),
            ("refund_status_0", ""),
        ] {
            let mut wrong = answer();
            wrong.set(name, value);
            assert!(read_refunds(&wrong).is_err(), "{name}={value}");
        }
        let mut many = answer();
        many.set("total_refund_count", "23");
        assert_eq!(read_refunds(&many).unwrap().total, 23);
    }

    #[test]
    fn the_reason_fits_and_holds_nothing_that_breaks_a_signature() {
        assert_eq!(desc_text("不想要了&<b>🍓\n"), "不想要了b");
        assert!(desc_text(&"退".repeat(60)).len() <= 80);
    }
}
