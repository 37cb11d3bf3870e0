//! API v2: the coupons of a payment or a refund, in fields with running numbers. Source: order query, refund query.

use super::super::coupons::{Coupon, Coupons, Kind, Told, Unclear};
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

/// The coupons of a payment.
pub(super) fn of_payment(message: &Message, total: Fen) -> Coupons {
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
pub(super) fn of_refund(message: &Message, n: usize, amount: Fen) -> Coupons {
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

fn read(message: &Message, names: &Names, total: Fen) -> Coupons {
    let fee = |name: &str| message.filled(name).map(|text| Fen::from_wire(text).ok_or(Unclear)).transpose();
    let sum: Told = fee(&names.sum);
    let mut each = Vec::new();
    while each.len() < MOST {
        let n = format!("_{}", each.len());
        let Some(amount) = fee(&format!("{}{n}", names.amount)).transpose() else { break };
        each.push(coupon(message, names, &n, amount.ok()));
    }
    // One alone may stand without a number.
    if let (true, Ok(Some(amount)), Some(_)) = (each.is_empty(), sum, message.filled(&names.id)) {
        each.push(coupon(message, names, "", Some(amount)));
    }
    // cash_fee is no help here: it can be in the currency of the buyer's wallet.
    let settled = fee(&names.settled);
    let borne = settled.and_then(|fen| fen.map(|fen| total.minus(fen).ok_or(Unclear)).transpose());
    Coupons::told(total, sum, borne, each)
}

/// The kind is told to merchants alone who may have coupons of the other one.
fn coupon(message: &Message, names: &Names, n: &str, amount: Option<Fen>) -> Coupon {
    let field = |name: &str| message.filled(&format!("{name}{n}")).unwrap_or_default();
    let kind = if matches!(field(&names.kind), "NO_CASH" | "NOCASH") { Kind::Borne } else { Kind::Funded };
    Coupon { id: field(&names.id).chars().take(64).collect(), kind, amount, sides: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Total 88.00; what differs, then what is funded and borne, how many are listed, and whether it is unclear.
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
            (("attach", ""), (150, 50, 2, false)),
            (("settlement_total_fee", ""), (150, 50, 2, false)),
            (("coupon_fee", ""), (150, 50, 2, false)),
            (("coupon_type_1", "NOCASH"), (150, 50, 2, false)),
            // What is settled is said outright, whatever the list says.
            (("coupon_type_1", ""), (150, 50, 2, false)),
            (("settlement_total_fee", "8800"), (200, 0, 2, false)),
            (("settlement_total_fee", "0"), (0, 8800, 2, false)),
            (("coupon_fee_1", ""), (150, 50, 1, false)),
            (("coupon_fee_0", ""), (150, 50, 0, false)),
            // A payment is taken in whatever is said of its coupons.
            (("settlement_total_fee", "8801"), (150, 50, 2, true)),
            (("settlement_total_fee", "87.50"), (150, 50, 2, true)),
            (("settlement_total_fee", "-1"), (150, 50, 2, true)),
            (("coupon_fee", "8801"), (150, 50, 2, true)),
            (("coupon_fee", "2e2"), (150, 50, 2, true)),
            (("coupon_fee_0", "x"), (150, 50, 2, true)),
            (("coupon_fee_1", "-50"), (150, 50, 2, true)),
        ] {
            let mut message = Message::from(plain);
            message.set(change.0, change.1);
            let found = of_payment(&message, Fen::new(8800).unwrap());
            let found = (found.funded.get(), found.borne.get(), found.each.len(), found.unclear);
            assert_eq!(found, read, "{change:?}");
        }
        let none = of_payment(&Message::from([("total_fee", "8800"), ("cash_fee", "8800")]), Fen::new(8800).unwrap());
        assert_eq!(none, Coupons::default());
        let one = Message::from([("coupon_fee", "10"), ("coupon_id", "7"), ("coupon_type", "NO_CASH")]);
        let found = of_payment(&one, Fen::new(100).unwrap());
        assert_eq!((found.borne.get(), found.each.len()), (10, 1));
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
            (0, 3000, (0, 0, 0, false)),
            (1, 5000, (500, 1000, 2, false)),
            (1, 3999, (500, 1000, 2, true)),
            (2, 5, (0, 0, 0, false)),
        ] {
            let found = of_refund(&message, n, Fen::new(amount).unwrap());
            let found = (found.funded.get(), found.borne.get(), found.each.len(), found.unclear);
            assert_eq!(found, read, "{n} {amount}");
        }
    }
}
