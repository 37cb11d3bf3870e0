//! API v3: asking for a refund, and asking what became of it. No client certificate is shown.

use serde_json::{Value, json};

use super::super::exchange::{bad_field, unusable};
use super::super::flaw::Flaw;
use super::super::refund::{REFUND, REFUND_QUERY, RefundFact, RefundOrder, RefundStatus};
use super::super::{Exchange, GatewayError, Wechat};
use super::exchange::Call;
use super::pay::segment;
use super::{Merchant, coupons, moment};
use crate::money::Fen;
use crate::nonce::Nonces;

impl Wechat {
    /// Source: refund, API v3. Accepted is not refunded: the query or a signed notice decides.
    pub(in crate::wechat) async fn refund_v3(
        &self,
        merchant: &Merchant,
        order: &RefundOrder,
        nonces: &Nonces,
    ) -> Exchange<String> {
        let mut body = json!({
            "transaction_id": order.transaction_id,
            "out_refund_no": order.out_refund_no,
            "amount": { "refund": order.refund_fee, "total": order.total_fee, "currency": "CNY" },
        });
        for (name, value) in [("reason", Some(&order.refund_desc)), ("notify_url", order.notify_url.as_ref())] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                body[name] = json!(value);
            }
        }
        if order.from_balance {
            body["funds_account"] = json!("AVAILABLE");
        }
        let call = Call::post(REFUND, "/v3/refund/domestic/refunds", &body);
        self.call_v3(merchant, call, nonces, |reply| {
            let fact = read_refund(reply, "status")?;
            // An answer about another refund is no answer.
            match fact.out_refund_no == order.out_refund_no && fact.amount.get() == order.refund_fee {
                true => Ok(fact.refund_id),
                false => Err(unusable(Flaw::OtherRefund)),
            }
        })
        .await
    }

    /// One refund by its number, ours or one of WeChat's own console; `None` only when WeChat signs that there is none.
    /// Source: refund query, API v3.
    pub(in crate::wechat) async fn refund_query_v3(
        &self,
        merchant: &Merchant,
        number: &str,
        nonces: &Nonces,
    ) -> Exchange<Option<RefundFact>> {
        let path = format!("/v3/refund/domestic/refunds/{}", segment(number));
        let mut exchange = self
            .call_v3(merchant, Call::get(REFUND_QUERY, path), nonces, |reply| read_refund(reply, "status").map(Some))
            .await;
        if exchange.result.as_ref().is_err_and(|e| matches!(e.code(), Some("REFUNDNOTEXIST" | "ORDERNOTEXIST"))) {
            exchange.result = Ok(None);
        }
        if matches!(&exchange.result, Ok(Some(fact)) if fact.out_refund_no != number) {
            exchange.result = Err(unusable(Flaw::OtherRefund));
        }
        exchange
    }
}

/// The facts of a refund; a notice and a reply name its state differently.
pub(super) fn read_refund(facts: &Value, status: &str) -> Result<RefundFact, GatewayError> {
    let text = |name: &str| {
        let value = facts.get(name).and_then(Value::as_str).filter(|value| !value.is_empty() && value.len() <= 128);
        value.map(str::to_owned).ok_or_else(|| bad_field(name))
    };
    let bad = |field: &str| bad_field(field);
    let amount = facts.pointer("/amount/refund").and_then(Value::as_i64).and_then(Fen::new);
    let amount = amount.filter(|fen| fen.get() >= 1).ok_or_else(|| bad("amount.refund"))?;
    Ok(RefundFact {
        out_refund_no: text("out_refund_no")?,
        refund_id: text("refund_id")?,
        transaction_id: text("transaction_id")?,
        amount,
        // Only a reply names its state so, and tells what is settled.
        coupons: coupons::of_refund(facts, amount, status == "status").map_err(bad)?,
        status: match text(status)?.as_str() {
            "SUCCESS" => RefundStatus::Success,
            "PROCESSING" => RefundStatus::Processing,
            "CLOSED" => RefundStatus::Closed,
            "ABNORMAL" => RefundStatus::Change,
            _ => return Err(bad_field(status)),
        },
        succeeded_at: text("success_time").ok().and_then(|time| moment(&time)),
        account: text("user_received_account").unwrap_or_default(),
    })
}
