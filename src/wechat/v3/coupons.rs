//! API v3: the coupons of a payment or a refund, in `amount` and `promotion_detail`. Source: order query, refund query.

use serde_json::Value;

use super::super::coupons::{Coupon, Coupons, Kind, Sides, Told, Unclear};
use crate::money::Fen;

/// Most coupons of one payment that are listed.
const MOST: usize = 50;

/// The coupons of a payment.
pub(super) fn of_payment(facts: &Value, total: Fen) -> Coupons {
    let all = part(total, by_payer(facts, "/amount/payer_total"));
    Coupons::told(total, all, Ok(None), listed(facts, "amount"))
}

/// The coupons of a refund. `None` when it is not told: a notice leaves out what is settled, and only of a refund without
/// any coupon is that known all the same.
pub(super) fn of_refund(facts: &Value, amount: Fen, reply: bool) -> Option<Coupons> {
    let all = part(amount, by_payer(facts, "/amount/payer_refund"));
    let borne = part(amount, fen(facts, "/amount/settlement_refund"));
    let told = Coupons::told(amount, all, borne, listed(facts, "refund_amount"));
    let known = reply || matches!(borne, Ok(Some(_))) || told.is_none();
    known.then_some(Coupons { each: Vec::new(), ..told })
}

/// What is left of the whole, where the other part is told.
fn part(whole: Fen, other: Told) -> Told {
    other?.map(|other| whole.minus(other).ok_or(Unclear)).transpose()
}

fn fen(facts: &Value, pointer: &str) -> Told {
    let value = facts.pointer(pointer).filter(|value| !value.is_null());
    value.map(|value| value.as_i64().and_then(Fen::new).ok_or(Unclear)).transpose()
}

/// What the payer paid or gets back himself, unless it is told in another money than ours.
fn by_payer(facts: &Value, pointer: &str) -> Told {
    let currency = facts.pointer("/amount/payer_currency").and_then(Value::as_str);
    if currency.is_none_or(|currency| currency == "CNY") { fen(facts, pointer) } else { Ok(None) }
}

fn listed(facts: &Value, amount: &'static str) -> Vec<Coupon> {
    let all = facts.get("promotion_detail").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    all.iter().take(MOST).map(|one| coupon(one, amount)).collect()
}

fn coupon(one: &Value, amount: &str) -> Coupon {
    let fen = |name: &str| one.get(name).and_then(Value::as_i64).and_then(Fen::new);
    let id = one.get("coupon_id").or_else(|| one.get("promotion_id")).and_then(Value::as_str).unwrap_or_default();
    let kind = match one.get("type").and_then(Value::as_str) {
        Some("NOCASH" | "NO_CASH") => Kind::Borne,
        _ => Kind::Funded,
    };
    let told = ["wechatpay_contribute", "merchant_contribute", "other_contribute"].map(fen);
    let sides = told.iter().any(Option::is_some).then(|| {
        let [wechat, merchant, others] = told.map(Option::unwrap_or_default);
        Sides { wechat, merchant, others }
    });
    Coupon { id: id.chars().take(64).collect(), kind, amount: fen(amount), sides }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Total 100.00; a funded coupon of 15 and a borne one of 20. One thing differs per row.
    #[test]
    fn a_payments_coupons_are_read_with_one_thing_different() {
        let plain = json!({
            "amount": { "total": 10_000, "payer_total": 6_500, "currency": "CNY", "payer_currency": "CNY" },
            "promotion_detail": [
                { "coupon_id": "109519", "type": "CASH", "amount": 1_500, "wechatpay_contribute": 1_500 },
                { "coupon_id": "109520", "type": "NOCASH", "amount": 2_000, "merchant_contribute": 2_000 },
            ],
        });
        for (pointer, value, read) in [
            ("/amount/currency", json!("CNY"), (1_500, 2_000, false)),
            ("/amount/payer_total", json!(null), (1_500, 2_000, false)),
            // A wallet of another currency: its figure is none of ours.
            ("/amount/payer_currency", json!("HKD"), (1_500, 2_000, false)),
            ("/amount/payer_total", json!(10_000), (0, 2_000, false)),
            ("/promotion_detail", json!([]), (3_500, 0, false)),
            ("/promotion_detail", json!(null), (3_500, 0, false)),
            ("/promotion_detail/1/type", json!("CASH"), (3_500, 0, false)),
            // A payment is taken in whatever is said of its coupons.
            ("/amount/payer_total", json!(10_001), (1_500, 2_000, true)),
            ("/amount/payer_total", json!("6500"), (1_500, 2_000, true)),
            ("/amount/payer_total", json!(-1), (1_500, 2_000, true)),
            ("/promotion_detail/0/amount", json!(null), (1_500, 2_000, true)),
            ("/promotion_detail/1/amount", json!(null), (1_500, 2_000, true)),
            ("/promotion_detail/1/amount", json!(20.5), (1_500, 2_000, true)),
            ("/promotion_detail/1/amount", json!(10_001), (3_500, 0, true)),
            ("/promotion_detail/1/amount", json!(i64::MAX), (1_500, 2_000, true)),
            ("/promotion_detail/1", json!("coupon"), (3_500, 0, true)),
        ] {
            let mut facts = plain.clone();
            *facts.pointer_mut(pointer).unwrap() = value.clone();
            let found = of_payment(&facts, Fen::new(10_000).unwrap());
            assert_eq!((found.funded.get(), found.borne.get(), found.unclear), read, "{pointer} {value}");
        }
        let found = of_payment(&plain, Fen::new(10_000).unwrap());
        let sides = Sides { merchant: Fen::new(2_000).unwrap(), ..Sides::default() };
        assert_eq!((found.each[1].id.as_str(), found.each[1].sides), ("109520", Some(sides)));
    }

    /// A refund of 50.00 of that payment.
    #[test]
    fn what_is_settled_of_a_refund_is_told_by_a_reply_and_not_by_a_notice() {
        let reply = json!({ "amount": { "refund": 5_000, "payer_refund": 3_250, "settlement_refund": 4_000 } });
        for (pointer, value, by_reply, by_notice) in [
            ("/amount/refund", json!(5_000), Some((750, 1_000)), Some((750, 1_000))),
            ("/amount/settlement_refund", json!(null), Some((1_750, 0)), None),
            ("/amount/payer_refund", json!(5_000), Some((0, 1_000)), Some((0, 1_000))),
            // What cannot be is not told, and the refund is one all the same.
            ("/amount/settlement_refund", json!(5_001), Some((1_750, 0)), None),
            ("/amount/settlement_refund", json!("4000"), Some((1_750, 0)), None),
            ("/amount/payer_refund", json!(5_001), Some((0, 1_000)), Some((0, 1_000))),
        ] {
            let mut facts = reply.clone();
            *facts.pointer_mut(pointer).unwrap() = value.clone();
            for (is_reply, right) in [(true, by_reply), (false, by_notice)] {
                let found = of_refund(&facts, Fen::new(5_000).unwrap(), is_reply);
                let found = found.map(|found| (found.funded.get(), found.borne.get()));
                assert_eq!(found, right, "{pointer} {value} {is_reply}");
            }
        }
        let notice = json!({ "amount": { "refund": 5_000, "payer_refund": 5_000 } });
        assert_eq!(of_refund(&notice, Fen::new(5_000).unwrap(), false), Some(Coupons::default()));
    }
}
