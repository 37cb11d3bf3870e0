//! Coupons of WeChat Pay (代金券) in a payment or a refund: what the buyer paid himself, and what of it all is settled.

use serde::Serialize;

use crate::money::Fen;
use crate::words::words;

words! {
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
    /// Something that WeChat says of them is missing or cannot be: the sums are as far as they can be told, and the day's
    /// bill decides.
    pub unclear: bool,
}

/// One coupon that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coupon {
    pub id: String,
    pub kind: Kind,
    /// `None` when WeChat does not say it, or says what cannot be.
    pub amount: Option<Fen>,
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

/// What stands where a sum is told cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear;

/// A sum that WeChat may leave out.
pub type Told = Result<Option<Fen>, Unclear>;

impl Coupons {
    /// What was said of `total`: the part that coupons paid, the part that never arrives, and the coupons themselves, which
    /// tell a sum that is left out. Money has moved whatever is said of its coupons, so nothing here refuses it: what cannot
    /// be counts as left out.
    pub fn told(total: Fen, all: Told, borne: Told, each: Vec<Coupon>) -> Coupons {
        let fits =
            |told: Told| told.and_then(|fen| if fen.is_some_and(|fen| fen > total) { Err(Unclear) } else { Ok(fen) });
        let listed = |kind| Coupon::sum(&each, kind).filter(|fen| *fen <= total);
        let (all, borne) = (fits(all), fits(borne));
        let (known, unknown) = (listed(None), || each.iter().filter(|coupon| coupon.amount.is_none()));
        let unclear = all.is_err() || borne.is_err() || known.is_none() || unknown().next().is_some();
        let known = known.unwrap_or_default();
        let all = all.ok().flatten().unwrap_or(known);
        let of_list = || {
            // What is left over is theirs whose amount is missing, when they are all of this kind.
            let theirs = unknown().next().is_some() && unknown().all(|coupon| coupon.kind == Kind::Borne);
            let left = all.minus(known).filter(|_| theirs).unwrap_or_default();
            listed(Some(Kind::Borne)).and_then(|fen| fen.plus(left)).filter(|fen| *fen <= total).unwrap_or_default()
        };
        let borne = borne.ok().flatten().unwrap_or_else(of_list);
        // WeChat leaves out what is nothing: what is borne was paid by coupons, whether or not a sum of them came.
        let funded = all.minus(borne).unwrap_or_default();
        Coupons { funded, borne, each, unclear }
    }

    pub fn is_none(&self) -> bool {
        self.funded == Fen::ZERO && self.borne == Fen::ZERO && !self.unclear
    }

    /// For the staff, when not all of it could be read: what is counted with meanwhile.
    pub fn doubt(&self, total: Fen) -> Option<String> {
        let settled = total.minus(self.borne).unwrap_or_default();
        let words =
            format!("微信没有说清代金券的金额，到账先按 ¥{settled} 记；以这天的账单为准，不一致时对账页会列出来");
        self.unclear.then_some(words)
    }
}

impl Coupon {
    /// What those of one kind add up to, as far as they say; `None` beyond what money can be.
    pub fn sum(each: &[Coupon], kind: Option<Kind>) -> Option<Fen> {
        let wanted = each.iter().filter(|coupon| kind.is_none_or(|kind| coupon.kind == kind));
        wanted.filter_map(|coupon| coupon.amount).try_fold(Fen::ZERO, Fen::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_borne_and_what_is_funded_never_exceed_the_whole() {
        let fen = |n| Fen::new(n).unwrap();
        // Total, all coupons, borne: funded and borne, and whether it is unclear.
        for (total, all, borne, read) in [
            (10_000, 0, 0, (0, 0, false)),
            (10_000, 2_000, 0, (2_000, 0, false)),
            (10_000, 2_000, 2_000, (0, 2_000, false)),
            (8_800, 200, 50, (150, 50, false)),
            (10_000, 10_000, 10_000, (0, 10_000, false)),
            (10_000, 0, 2_000, (0, 2_000, false)),
            (10_000, 10_001, 0, (0, 0, true)),
            (10_000, 0, 10_001, (0, 0, true)),
            (10_000, 10_001, 2_000, (0, 2_000, true)),
        ] {
            let made = Coupons::told(fen(total), Ok(Some(fen(all))), Ok(Some(fen(borne))), Vec::new());
            assert_eq!((made.funded.get(), made.borne.get(), made.unclear), read, "{total} {all} {borne}");
            assert_eq!(made.doubt(fen(total)).is_some(), made.unclear);
        }
    }

    #[test]
    fn a_coupon_without_its_amount_is_what_the_others_leave_over_or_unknown() {
        use Kind::{Borne, Funded};
        let fen = |n| Fen::new(n).unwrap();
        // All coupons of 100.00, if told; each kind with its amount; funded and borne.
        for (all, each, read) in [
            (Some(3_500), &[(Funded, Some(1_500)), (Borne, None)][..], (1_500, 2_000)),
            (Some(3_500), &[(Funded, None), (Borne, Some(2_000))], (1_500, 2_000)),
            (Some(3_500), &[(Borne, None), (Borne, None)], (0, 3_500)),
            (Some(3_500), &[(Funded, None), (Borne, None)], (3_500, 0)),
            (Some(1_000), &[(Funded, Some(1_500)), (Borne, None)], (1_000, 0)),
            (None, &[(Funded, Some(1_500)), (Borne, None)], (1_500, 0)),
        ] {
            let coupon = |(kind, amount): &(Kind, Option<i64>)| Coupon {
                id: "109519".into(),
                kind: *kind,
                amount: amount.map(fen),
                sides: None,
            };
            let made = Coupons::told(fen(10_000), Ok(all.map(fen)), Ok(None), each.iter().map(coupon).collect());
            assert_eq!((made.funded.get(), made.borne.get(), made.unclear), (read.0, read.1, true), "{all:?} {each:?}");
            assert_eq!(made.each.len(), each.len());
        }
    }
}
