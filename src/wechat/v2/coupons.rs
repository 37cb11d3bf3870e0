//! API v2: the coupons of a payment or a refund, in fields with running numbers. Source: order query, refund query.

use super::super::coupons::{Coupon, Coupons, Kind};
use super::message::Message;
use crate::money::Fen;

/// Most coupons of one payment that are listed.
const MOST: usize = 50;

/// The names of the fields, which a refund spells differently.
struct Names {
    sum: String,
    settled: String,
    amount: String,
    kind: String,
    id: String,
}

/// The coupons of a payment; `Err` names the field that cannot be.
pub(super) fn of_payment(message: &Message, total: Fen) -> Result<Coupons, &'static str> {
    let name = str::to_owned;
    let names = Names {
        sum: name("coupon_fee"),
        settled: name("settlement_total_fee"),
        amount: name("coupon_fee"),
        kind: name("coupon_type"),
        id: name("coupon_id"),
    };
    read(message, &names, total)
}

/// The coupons of the `n`th refund in a query.
pub(super) fn of_refund(message: &Message, n: usize, amount: Fen) -> Result<Coupons, &'static str> {
    let name = |field: &str| format!("{field}_{n}");
    let names = Names {
        sum: name("coupon_refund_fee"),
        settled: name("settlement_refund_fee"),
        amount: name("coupon_refund_fee"),
        kind: name("coupon_type"),
        id: name("coupon_refund_id"),
    };
    read(message, &names, amount)
}

fn read(message: &Message, names: &Names, total: Fen) -> Result<Coupons, &'static str> {
    let fee = |name: &str, wrong| message.filled(name).map(|text| Fen::from_wire(text).ok_or(wrong)).transpose();
    let sum = fee(&names.sum, "coupon_fee")?;
    let mut each = Vec::new();
    while let Some(amount) =
        fee(&format!("{}_{}", names.amount, each.len()), "coupon_fee_n")?.filter(|_| each.len() < MOST)
    {
        each.push(coupon(message, names, &format!("_{}", each.len()), amount));
    }
    // One alone may stand without a number.
    if let (true, Some(amount), Some(_)) = (each.is_empty(), sum, message.filled(&names.id)) {
        each.push(coupon(message, names, "", amount));
    }
    let listed = |kind| Coupon::sum(&each, kind).ok_or("coupon_fee_n");
    // cash_fee is no help here: it can be in the currency of the buyer's wallet.
    let all = sum.map_or_else(|| listed(None), Ok)?;
    let settled = fee(&names.settled, "settlement_fee")?;
    let borne = match settled {
        Some(settled) => total.minus(settled).ok_or("settlement_fee")?,
        None => listed(Some(Kind::Borne))?,
    };
    let found = Coupons::of(total, all, borne, each).ok_or("coupon_fee")?;
    Ok(found.with_settled(settled.is_some()))
}

/// The kind is told to merchants alone who may have coupons of the other one.
fn coupon(message: &Message, names: &Names, n: &str, amount: Fen) -> Coupon {
    let field = |name: &str| message.filled(&format!("{name}{n}")).unwrap_or_default();
    let kind = if matches!(field(&names.kind), "NO_CASH" | "NOCASH") { Kind::Borne } else { Kind::Funded };
    Coupon { id: field(&names.id).chars().take(64).collect(), kind, amount, sides: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Total 88.00; what differs, then what is funded and borne, or the field that is refused.
    #[test]
    fn a_payments_coupons_are_read_with_one_thing_different() {
        let plain = [
            ("coupon_count", "2"),
            ("coupon_fee", "200"),
            ("coupon_fee_0", "150"),
            ("coupon_fee_1", "50"),
            ("coupon_id_0", "10000"),
            ("coupon_id_1", "10001"),
            ("coupon_type_0", "CASH"),
            ("coupon_type_1", "NO_CASH"),
            ("settlement_total_fee", "8750"),
        ];
        for (change, read) in [
            (("attach", ""), Ok((150, 50, 2))),
            (("settlement_total_fee", ""), Ok((150, 50, 2))),
            (("coupon_fee", ""), Ok((150, 50, 2))),
            (("coupon_type_1", "NOCASH"), Ok((150, 50, 2))),
            // What is settled is said outright, whatever the list says.
            (("coupon_type_1", ""), Ok((150, 50, 2))),
            (("settlement_total_fee", "8800"), Ok((200, 0, 2))),
            (("settlement_total_fee", "0"), Ok((0, 8800, 2))),
            (("coupon_fee_1", ""), Ok((150, 50, 1))),
            (("coupon_fee_0", ""), Ok((150, 50, 0))),
            (("settlement_total_fee", "8801"), Err("settlement_fee")),
            (("settlement_total_fee", "87.50"), Err("settlement_fee")),
            (("settlement_total_fee", "-1"), Err("settlement_fee")),
            (("coupon_fee", "8801"), Err("coupon_fee")),
            (("coupon_fee", "2e2"), Err("coupon_fee")),
            (("coupon_fee_0", "x"), Err("coupon_fee_n")),
            (("coupon_fee_1", "-50"), Err("coupon_fee_n")),
        ] {
            let mut message = Message::from(plain);
            message.set(change.0, change.1);
            let found = of_payment(&message, Fen::new(8800).unwrap());
            let found = found.map(|found| (found.funded.get(), found.borne.get(), found.each.len()));
            assert_eq!(found, read, "{change:?}");
        }
        let none = of_payment(&Message::from([("total_fee", "8800"), ("cash_fee", "8800")]), Fen::new(8800).unwrap());
        assert_eq!(none, Ok(Coupons::default()));
        let one = Message::from([("coupon_fee", "10"), ("coupon_id", "7"), ("coupon_type", "NO_CASH")]);
        assert_eq!(
            of_payment(&one, Fen::new(100).unwrap()).map(|found| (found.borne.get(), found.each.len())),
            Ok((10, 1))
        );
    }

    #[test]
    fn a_refunds_coupons_stand_under_its_own_number() {
        let message = Message::from([
            ("settlement_refund_fee_0", "3000"),
            ("settlement_refund_fee_1", "4000"),
            ("coupon_refund_fee_1", "1500"),
            ("coupon_type_1_0", "NO_CASH"),
            ("coupon_refund_fee_1_0", "1000"),
            ("coupon_refund_fee_1_1", "500"),
        ]);
        for (n, amount, read) in [
            (0, 3000, Ok((0, 0, 0))),
            (1, 5000, Ok((500, 1000, 2))),
            (1, 3999, Err("settlement_fee")),
            (2, 5, Ok((0, 0, 0))),
        ] {
            let found = of_refund(&message, n, Fen::new(amount).unwrap());
            assert_eq!(found.map(|f| (f.funded.get(), f.borne.get(), f.each.len())), read, "{n} {amount}");
        }
    }
}
