//! Trades and refunds as the simulated API v3 tells of them.

use serde_json::{Value, json};

use super::super::Simulator;
use super::super::state::{Coupons, Refund, Trade, TradeState};
use crate::clock;

/// A trade as a query and a notice tell it.
pub fn facts(sim: &Simulator, trade: &Trade) -> Value {
    let transaction = trade.transaction_id.as_deref().unwrap_or_default();
    let (state, words) = match trade.state {
        TradeState::NotPaid => trade.unpaid_state(),
        TradeState::Closed => ("CLOSED", "订单已关闭"),
        TradeState::Paid if !sim.refunds(transaction).is_empty() => ("REFUND", "订单发生过退款"),
        TradeState::Paid => ("SUCCESS", "支付成功"),
    };
    let total = trade.field("total_fee").parse::<i64>().unwrap_or(0);
    let mut facts = json!({
        "appid": trade.field("appid"), "mchid": sim.merchant.mch_id, "out_trade_no": trade.field("out_trade_no"),
        "trade_state": state, "trade_state_desc": words,
        "amount": { "total": total, "currency": "CNY" },
    });
    if trade.state == TradeState::Paid {
        let paid = trade.paid_fen();
        facts["transaction_id"] = json!(transaction);
        facts["trade_type"] = json!("JSAPI");
        facts["bank_type"] = json!("OTHERS");
        facts["attach"] = json!("");
        facts["payer"] = json!({ "openid": trade.payer });
        facts["success_time"] = json!(trade.time_end.as_deref().and_then(clock::from_compact).map(clock::rfc3339));
        let payer = paid - trade.coupons.all();
        facts["amount"] = json!({ "total": paid, "payer_total": payer, "currency": "CNY", "payer_currency": "CNY" });
        if trade.coupons.all() > 0 {
            facts["promotion_detail"] = promotions(trade.coupons, "amount");
        }
    }
    facts
}

/// Source: promotion_detail, API v3. Who stands in for a coupon goes by its kind here.
fn promotions(coupons: Coupons, amount: &str) -> Value {
    let one = |(n, (kind, fen)): (usize, (&str, i64))| {
        let (kind, side) = if kind == "NO_CASH" { ("NOCASH", "merchant") } else { ("CASH", "wechatpay") };
        let mut one = json!({ "coupon_id": format!("1095{n}"), "scope": "GLOBAL", "type": kind });
        one[amount] = json!(fen);
        one[format!("{side}_contribute")] = json!(fen);
        one
    };
    coupons.each().enumerate().map(one).collect()
}

/// A refund as a reply and a notice tell it; they name its state differently.
pub fn refund_facts(sim: &Simulator, refund: &Refund, status: &str) -> Value {
    let now = sim.clock.now();
    let state = match refund.status(now) {
        "REFUNDCLOSE" => "CLOSED",
        "CHANGE" => "ABNORMAL",
        other => other,
    };
    let trade = sim.trade(&refund.out_trade_no);
    let total = trade.as_ref().map_or(0, Trade::paid_fen);
    let payer_total = trade.as_ref().map_or(0, |trade| total - trade.coupons.all());
    let payer_refund = refund.amount_fen - refund.coupons.all();
    let mut facts = json!({
        "refund_id": refund.refund_id, "out_refund_no": refund.out_refund_no,
        "transaction_id": refund.transaction_id, "out_trade_no": refund.out_trade_no,
        "user_received_account": "支付用户零钱",
        "amount": { "total": total, "refund": refund.amount_fen, "payer_total": payer_total, "payer_refund": payer_refund },
    });
    facts[status] = json!(state);
    match status {
        "status" => {
            facts["channel"] = json!("ORIGINAL");
            facts["create_time"] = json!(clock::rfc3339(refund.created_at));
            facts["amount"]["currency"] = json!("CNY");
            // A notice tells neither of these.
            facts["amount"]["settlement_total"] = json!(trade.as_ref().map_or(0, Trade::settled_fen));
            facts["amount"]["settlement_refund"] = json!(refund.settled_fen());
            facts["amount"]["discount_refund"] = json!(refund.coupons.all());
            if refund.coupons.all() > 0 {
                facts["promotion_detail"] = promotions(refund.coupons, "refund_amount");
            }
        }
        _ => facts["mchid"] = json!(sim.merchant.mch_id),
    }
    if state == "SUCCESS" {
        facts["success_time"] = json!(clock::rfc3339(refund.ends_at.min(now)));
    }
    facts
}
