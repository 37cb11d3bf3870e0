//! API v3: the coupons of a payment or a refund, in `amount` and `promotion_detail`. Source: order query, refund query.

use serde_json::Value;

use super::super::coupons::{Coupon, Coupons, Kind, Sides};
use crate::money::Fen;

/// Most coupons of one payment that are listed.
const MOST: usize = 50;

/// The coupons of a payment; `Err` names the field that cannot be.
pub(super) fn of_payment(facts: &Value, total: Fen) -> Result<Coupons, &'static str> {
    let each = listed(facts, "amount")?;
    let sum = |kind| Coupon::sum(&each, kind).ok_or("promotion_detail");
    let all = match by_payer(facts, "/amount/payer_total", "amount.payer_total")? {
        Some(payer) => total.minus(payer).ok_or("amount.payer_total")?,
        None => sum(None)?,
    };
    let borne = sum(Some(Kind::Borne))?;
    Coupons::of(total, all, borne, each).ok_or("promotion_detail")
}

/// The coupons of a refund. `None` when it is not told: a notice leaves out what is settled, and only of a refund without
/// any coupon is that known all the same.
pub(super) fn of_refund(facts: &Value, amount: Fen, reply: bool) -> Result<Option<Coupons>, &'static str> {
    let each = listed(facts, "refund_amount")?;
    let sum = |kind| Coupon::sum(&each, kind).ok_or("promotion_detail");
    let all = match by_payer(facts, "/amount/payer_refund", "amount.payer_refund")? {
        Some(payer) => amount.minus(payer).ok_or("amount.payer_refund")?,
        None => sum(None)?,
    };
    let settled = fen(facts, "/amount/settlement_refund", "amount.settlement_refund")?;
    let borne = match settled {
        Some(settled) => amount.minus(settled).ok_or("amount.settlement_refund")?,
        None if reply || all == Fen::ZERO => sum(Some(Kind::Borne))?,
        None => return Ok(None),
    };
    let found = Coupons::of(amount, all, borne, Vec::new()).ok_or("promotion_detail")?;
    Ok(Some(found.with_settled(settled.is_some())))
}

fn fen(facts: &Value, pointer: &str, wrong: &'static str) -> Result<Option<Fen>, &'static str> {
    let value = facts.pointer(pointer).filter(|value| !value.is_null());
    value.map(|value| value.as_i64().and_then(Fen::new).ok_or(wrong)).transpose()
}

/// What the payer paid or gets back himself, unless it is told in another money than ours.
fn by_payer(facts: &Value, pointer: &str, wrong: &'static str) -> Result<Option<Fen>, &'static str> {
    let currency = facts.pointer("/amount/payer_currency").and_then(Value::as_str);
    if currency.is_none_or(|currency| currency == "CNY") { fen(facts, pointer, wrong) } else { Ok(None) }
}

fn listed(facts: &Value, amount: &'static str) -> Result<Vec<Coupon>, &'static str> {
    let all = facts.get("promotion_detail").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    all.iter().take(MOST).map(|one| coupon(one, amount)).collect()
}

fn coupon(one: &Value, amount: &str) -> Result<Coupon, &'static str> {
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
    let amount = fen(amount).ok_or("promotion_detail")?;
    Ok(Coupon { id: id.chars().take(64).collect(), kind, amount, sides })
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
            ("/amount/currency", json!("CNY"), Ok((1_500, 2_000))),
            ("/amount/payer_total", json!(null), Ok((1_500, 2_000))),
            // A wallet of another currency: its figure is none of ours.
            ("/amount/payer_currency", json!("HKD"), Ok((1_500, 2_000))),
            ("/amount/payer_total", json!(10_000), Ok((0, 2_000))),
            ("/promotion_detail", json!([]), Ok((3_500, 0))),
            ("/promotion_detail", json!(null), Ok((3_500, 0))),
            ("/promotion_detail/1/type", json!("CASH"), Ok((3_500, 0))),
            ("/amount/payer_total", json!(10_001), Err("amount.payer_total")),
            ("/amount/payer_total", json!("6500"), Err("amount.payer_total")),
            ("/amount/payer_total", json!(-1), Err("amount.payer_total")),
            ("/promotion_detail/1/amount", json!(10_001), Err("promotion_detail")),
            ("/promotion_detail/1/amount", json!(null), Err("promotion_detail")),
            ("/promotion_detail/1/amount", json!(20.5), Err("promotion_detail")),
        ] {
            let mut facts = plain.clone();
            *facts.pointer_mut(pointer).unwrap() = value.clone();
            let found = of_payment(&facts, Fen::new(10_000).unwrap());
            let found = found.map(|found| (found.funded.get(), found.borne.get()));
            assert_eq!(found, read, "{pointer} {value}");
        }
        let found = of_payment(&plain, Fen::new(10_000).unwrap()).unwrap();
        let sides = Sides { merchant: Fen::new(2_000).unwrap(), ..Sides::default() };
        assert_eq!((found.each[1].id.as_str(), found.each[1].sides), ("109520", Some(sides)));
    }

    /// A refund of 50.00 of that payment.
    #[test]
    fn what_is_settled_of_a_refund_is_told_by_a_reply_and_not_by_a_notice() {
        let reply = json!({ "amount": { "refund": 5_000, "payer_refund": 3_250, "settlement_refund": 4_000 } });
        for (pointer, value, by_reply, by_notice) in [
            ("/amount/refund", json!(5_000), Ok(Some((750, 1_000))), Ok(Some((750, 1_000)))),
            ("/amount/settlement_refund", json!(null), Ok(Some((1_750, 0))), Ok(None)),
            ("/amount/payer_refund", json!(5_000), Ok(Some((0, 1_000))), Ok(Some((0, 1_000)))),
            (
                "/amount/settlement_refund",
                json!(5_001),
                Err("amount.settlement_refund"),
                Err("amount.settlement_refund"),
            ),
            (
                "/amount/settlement_refund",
                json!("4000"),
                Err("amount.settlement_refund"),
                Err("amount.settlement_refund"),
            ),
            ("/amount/payer_refund", json!(5_001), Err("amount.payer_refund"), Err("amount.payer_refund")),
        ] {
            let mut facts = reply.clone();
            *facts.pointer_mut(pointer).unwrap() = value.clone();
            for (is_reply, right) in [(true, by_reply), (false, by_notice)] {
                let found = of_refund(&facts, Fen::new(5_000).unwrap(), is_reply);
                let found = found.map(|found| found.map(|found| (found.funded.get(), found.borne.get())));
                assert_eq!(found, right, "{pointer} {value} {is_reply}");
            }
        }
        let notice = json!({ "amount": { "refund": 5_000, "payer_refund": 5_000 } });
        assert_eq!(of_refund(&notice, Fen::new(5_000).unwrap(), false), Ok(Some(Coupons::default())));
    }
}
