//! What of a refund leaves the merchant: not the part that a coupon of his own (免充值) had paid, which never arrived.

use crate::money::Fen;

/// A sum, and the part of it that is borne by the merchant; in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Borne {
    pub amount: i64,
    pub borne: i64,
}

/// What is borne of a refund of `amount`, after `back` has gone back of `paid` already: what WeChat tells; where it does
/// not, as large a part as of the payment. Either way no more is given back of one side than it has left, so that both
/// sides are at their end together. Source: refund query, settlement_refund_fee.
pub fn of_refund(paid: Borne, back: Borne, amount: Fen, told: Option<Fen>) -> Fen {
    let amount = amount.get();
    let as_paid = i128::from(amount) * i128::from(paid.borne) / i128::from(paid.amount.max(1));
    let wanted = told.map_or(i64::try_from(as_paid).unwrap_or(paid.borne), Fen::get);
    let (borne_left, settled_left) = (paid.borne - back.borne, (paid.amount - paid.borne) - (back.amount - back.borne));
    let (least, most) = (amount - settled_left, borne_left.min(amount));
    Fen::new(wanted.max(least).min(most).max(0)).unwrap_or(Fen::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_payment_are_given_back_to_the_fen_and_no_further() {
        let fen = |n| Fen::new(n).unwrap();
        // Paid, borne of it; gone back, borne of that; this refund, what WeChat tells: what is borne of it.
        for (paid, back, amount, told, borne) in [
            ((10_000, 0), (0, 0), 5_000, None, 0),
            // As large a part as of the payment, and the last one takes what is left.
            ((10_000, 2_000), (0, 0), 3_333, None, 666),
            ((10_000, 2_000), (3_333, 666), 3_333, None, 666),
            ((10_000, 2_000), (6_666, 1_332), 3_334, None, 668),
            ((10_000, 2_000), (0, 0), 10_000, None, 2_000),
            ((10_000, 1), (0, 0), 9_999, None, 0),
            ((10_000, 10_000), (0, 0), 10_000, None, 10_000),
            ((9_999_999_999, 9_999_999_998), (0, 0), 9_999_999_998, None, 9_999_999_997),
            // WeChat knows better, as far as that can be.
            ((10_000, 2_000), (0, 0), 9_000, Some(1_000), 1_000),
            ((10_000, 2_000), (0, 0), 1_000, Some(0), 0),
            ((10_000, 0), (0, 0), 5_000, Some(1_000), 0),
            ((10_000, 2_000), (0, 0), 10_000, Some(0), 2_000),
            ((10_000, 2_000), (5_000, 2_000), 5_000, Some(1_000), 0),
            // More than there was.
            ((10_000, 2_000), (10_000, 2_000), 500, None, 0),
            ((0, 0), (0, 0), 500, None, 0),
        ] {
            let side = |(amount, borne)| Borne { amount, borne };
            let found = of_refund(side(paid), side(back), fen(amount), told.map(fen));
            assert_eq!(found.get(), borne, "{paid:?} {back:?} {amount} {told:?}");
        }
    }
}
