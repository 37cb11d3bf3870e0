//! Coupons of WeChat Pay (代金券) in a payment or a refund: what the buyer paid himself, and what of it all is settled.

use serde::Serialize;

use crate::money::Fen;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// Whether a coupon's money reaches the merchant. Source: cash coupons, WeChat Pay.
    pub enum Kind {
        /// Somebody pays it to the merchant.
        Funded "funded" "充值券",
        /// The merchant bears it: it never arrives.
        Borne "borne" "免充值券",
    }
}

/// What coupons did in one movement of money, in fen. Without any, the buyer pays all of it and all of it is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coupons {
    /// Paid for the buyer by somebody else (充值): it reaches the merchant.
    pub funded: Fen,
    /// Borne by the merchant (免充值): it never arrives.
    pub borne: Fen,
    /// As far as WeChat lists them.
    pub each: Vec<Coupon>,
    /// Whether it said what is settled; else what is borne is only what it listed.
    pub told: bool,
}

/// One coupon that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coupon {
    pub id: String,
    pub kind: Kind,
    pub amount: Fen,
    /// Who stands in for it, as far as WeChat tells (API v3).
    pub sides: Option<Sides>,
}

/// Who pays for a coupon, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sides {
    pub wechat: Fen,
    pub merchant: Fen,
    pub others: Fen,
}

impl Coupons {
    /// `all` is what coupons paid of `total`, `borne` the part that never arrives; `None` when that is more than there is.
    pub fn of(total: Fen, all: Fen, borne: Fen, each: Vec<Coupon>) -> Option<Coupons> {
        // WeChat leaves out what is nothing: what is borne was paid by coupons, whether or not a sum of them came.
        let all = all.max(borne);
        let funded = all.minus(borne)?;
        (all <= total).then_some(Coupons { funded, borne, each, told: borne > Fen::ZERO })
    }

    /// The same, with what is settled said or not.
    pub fn with_settled(self, said: bool) -> Coupons {
        Coupons { told: self.told || said, ..self }
    }

    pub fn is_none(&self) -> bool {
        self.funded == Fen::ZERO && self.borne == Fen::ZERO
    }
}

impl Coupon {
    /// What those of one kind add up to; `None` beyond what money can be.
    pub fn sum(each: &[Coupon], kind: Option<Kind>) -> Option<Fen> {
        let wanted = each.iter().filter(|coupon| kind.is_none_or(|kind| coupon.kind == kind));
        wanted.map(|coupon| coupon.amount).try_fold(Fen::ZERO, Fen::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_borne_and_what_is_funded_never_exceed_the_whole() {
        let fen = |n| Fen::new(n).unwrap();
        // Total, all coupons, borne: funded.
        for (total, all, borne, funded) in [
            (10_000, 0, 0, Some(0)),
            (10_000, 2_000, 0, Some(2_000)),
            (10_000, 2_000, 2_000, Some(0)),
            (8_800, 200, 50, Some(150)),
            (10_000, 10_000, 10_000, Some(0)),
            (10_000, 0, 2_000, Some(0)),
            (10_000, 10_001, 0, None),
            (10_000, 0, 10_001, None),
        ] {
            let made = Coupons::of(fen(total), fen(all), fen(borne), Vec::new());
            assert_eq!(made.map(|made| made.funded.get()), funded, "{total} {all} {borne}");
        }
    }
}
