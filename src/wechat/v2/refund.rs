//! API v2: asking for a refund over mutual TLS, and asking what became of it.

use super::super::certificate::ClientIdentity;
use super::super::exchange::{bad_field, unusable};
use super::super::flaw::Flaw;
use super::super::refund::{REFUND, REFUND_QUERY, RefundFact, RefundOrder, RefundStatus};
use super::super::{Exchange, GatewayError, Wechat};
use super::exchange::request;
use super::message::Message;
use super::{Merchant, coupons};
use crate::clock;
use crate::money::Fen;
use crate::nonce::Nonces;

/// What to ask about.
#[derive(Clone, Copy, Debug)]
pub(in crate::wechat) enum RefundOf<'a> {
    /// One refund, ours or one of WeChat's own console: by WeChat's id where that is known.
    One { number: &'a str, id: Option<&'a str> },
    /// Every refund of a payment, from the `offset`th on.
    Payment { transaction_id: &'a str, offset: usize },
}

/// Some refunds of a payment, and how many there are in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::wechat) struct Page {
    pub facts: Vec<RefundFact>,
    pub total: usize,
}

impl Wechat {
    /// Asks for a refund. Accepted is not refunded: the query decides. Source: refund, API v2.
    /// Errors: Unreachable (it may have been accepted: query before anything else), NotAccepted, Refused.
    pub(in crate::wechat) async fn refund_v2(
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
        if order.from_balance {
            message.set("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS");
        }
        let how = (REFUND, "/secapi/pay/refund");
        let client = match self.certified(identity) {
            Ok(client) => client,
            Err(why) => {
                let refused = GatewayError::Refused { code: "CERT_ERROR".into(), text: why };
                return Exchange { request: message.to_xml(), ..Exchange::unsent(how.0, refused) };
            }
        };
        self.call(&client, merchant, how, message, |answer| {
            let same = |name, ours: &str| answer.get(name) == Some(ours);
            // An answer about another refund is no answer.
            if !same("out_refund_no", &order.out_refund_no) || !same("refund_fee", &order.refund_fee.to_string()) {
                return Err(unusable(Flaw::OtherRefund));
            }
            answer.filled("refund_id").map(str::to_owned).ok_or_else(|| unusable(Flaw::RefundIdMissing))
        })
        .await
    }

    /// Asks what became of refunds; none when WeChat knows no such refund. Source: refund query, API v2.
    pub(in crate::wechat) async fn refund_query_v2(
        &self,
        merchant: &Merchant,
        which: RefundOf<'_>,
        nonces: &Nonces,
    ) -> Exchange<Page> {
        let mut message = request(merchant, nonces);
        match which {
            RefundOf::One { id: Some(id), .. } => message.set("refund_id", id),
            RefundOf::One { number, .. } => message.set("out_refund_no", number),
            RefundOf::Payment { transaction_id, offset } => {
                message.set("transaction_id", transaction_id);
                if offset > 0 {
                    message.set("offset", offset.to_string());
                }
            }
        }
        let how = (REFUND_QUERY, "/pay/refundquery");
        let mut exchange = self.call(self.plain(), merchant, how, message, read_refunds).await;
        if exchange.result.as_ref().is_err_and(|e| e.code() == Some("REFUNDNOTEXIST")) {
            exchange.result = Ok(Page::default());
        }
        exchange
    }
}

fn read_refunds(answer: &Message) -> Result<Page, GatewayError> {
    let count = |name| answer.filled(name).and_then(|n| n.parse::<usize>().ok());
    let here = count("refund_count").filter(|n| *n <= 100).ok_or_else(|| bad_field("refund_count"))?;
    let transaction_id = answer.filled("transaction_id").ok_or_else(|| bad_field("transaction_id"))?;
    let fact = |n: usize| {
        let field = |name: &str| {
            let name = format!("{name}_{n}");
            answer.filled(&name).map(str::to_owned).ok_or_else(|| bad_field(&name))
        };
        let status = match field("refund_status")?.as_str() {
            "SUCCESS" => RefundStatus::Success,
            "PROCESSING" => RefundStatus::Processing,
            "REFUNDCLOSE" => RefundStatus::Closed,
            "CHANGE" => RefundStatus::Change,
            _ => return Err(bad_field("refund_status")),
        };
        let amount = Fen::from_wire(&field("refund_fee")?).filter(|fen| fen.get() >= 1);
        let amount = amount.ok_or_else(|| bad_field("refund_fee"))?;
        let coupons = coupons::of_refund(answer, n, amount);
        Ok(RefundFact {
            out_refund_no: field("out_refund_no")?,
            refund_id: field("refund_id")?,
            transaction_id: transaction_id.to_owned(),
            amount,
            coupons: Some(coupons.map_err(bad_field)?),
            status,
            succeeded_at: field("refund_success_time").ok().and_then(|text| clock::from_spaced(&text)),
            // Sic: WeChat spells it so.
            account: field("refund_recv_accout").unwrap_or_default(),
        })
    };
    let facts = (0..here).map(fact).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { total: count("total_refund_count").unwrap_or(here).max(here), facts })
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
        assert_eq!(fact.coupons, Some(Default::default()));
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
            ("settlement_refund_fee_0", "7001"),
            ("coupon_refund_fee_0", "7001"),
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
}
