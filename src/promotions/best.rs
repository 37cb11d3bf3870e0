//! The best combination of promotions for some goods: chosen by the server, the same for everybody who asks twice.
//!
//! Promotions that need no coupon come first, each on goods of its own; then one coupon, on what is left of the price;
//! then freight. What a promotion asks for is always counted in the goods' own prices.

use super::{Coupon, CouponRef, Discount, Kind, Promotion, Terms, short};
use crate::ids::{CategoryId, ProductId};
use crate::money::{Fen, spread};

/// Combinations are tried of so many: who has more running at once gets the best of the first ones.
const MOST_TRIED: usize = 8;

/// A line of an order as promotions see it.
#[derive(Clone, Debug)]
pub struct Goods {
    pub product: ProductId,
    /// Its own and those above.
    pub categories: Vec<CategoryId>,
    pub amount: Fen,
}

/// What is to be bought.
#[derive(Clone, Debug, Default)]
pub struct Cart {
    pub goods: Vec<Goods>,
    pub freight: Fen,
    /// A region with a freight of its own always costs it.
    pub freight_can_go: bool,
    /// The merchant gives goods away.
    pub may_be_free: bool,
    /// The buyer has no other order that stands.
    pub first_order: bool,
}

/// Which coupon a buyer wants to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    #[default]
    Best,
    None,
    This(CouponRef),
}

/// All that could make a cart cheaper at this moment. The best of it is what an order takes; what is told about the rest is
/// reckoned for whoever looks at a quote, and for no order.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    pub cart: Cart,
    /// What runs for everybody.
    pub automatic: Vec<Promotion>,
    /// What the buyer holds.
    pub held: Vec<Coupon>,
    pub choice: Choice,
}

impl Offers {
    pub fn best(&self) -> Best {
        best(&self.cart, &self.automatic, &self.held, self.choice)
    }

    /// Each coupon with why it does not help here.
    pub fn coupons(&self) -> impl Iterator<Item = (&Coupon, Option<String>)> {
        self.held.iter().map(|coupon| (coupon, why_not(&self.cart, coupon)))
    }

    /// What a little more would bring.
    pub fn hints(&self) -> Vec<String> {
        hints(&self.cart, &self.automatic, &self.held, self.choice)
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Best {
    pub discounts: Vec<Discount>,
    /// Off each line.
    pub off: Vec<Fen>,
    pub freight_off: Fen,
}

impl Best {
    fn goods_off(&self) -> i64 {
        self.off.iter().map(|off| off.get()).sum()
    }

    pub fn off_goods(&self) -> Fen {
        Fen::new(self.goods_off()).unwrap_or_default()
    }

    fn coupon(&self) -> Option<CouponRef> {
        self.discounts.iter().find_map(|discount| discount.coupon)
    }
}

impl Cart {
    fn covered<'a>(&'a self, terms: &'a Terms) -> impl Iterator<Item = usize> + 'a {
        let covers = |goods: &Goods| terms.covers(goods.product, &goods.categories);
        (0..self.goods.len()).filter(move |i| covers(&self.goods[*i]))
    }

    /// What the goods that count cost before anything is off.
    fn base(&self, terms: &Terms) -> Fen {
        let sum = self.covered(terms).map(|i| self.goods[i].amount.get()).sum();
        Fen::new(sum).unwrap_or_default()
    }

    /// Whether these goods are enough.
    fn reaches(&self, terms: &Terms) -> bool {
        let base = self.base(terms);
        self.covered(terms).next().is_some() && terms.tiers.first().is_some_and(|tier| base >= tier.from)
    }

    fn due(&self) -> i64 {
        self.goods.iter().map(|goods| goods.amount.get()).sum::<i64>() + self.freight.get()
    }

    /// What has to be paid.
    fn total(&self, best: &Best) -> i64 {
        self.due() - best.goods_off() - best.freight_off.get()
    }
}

/// The best of what runs for everybody and of one coupon. `automatic` and `coupons` are good at this moment.
fn best(cart: &Cart, automatic: &[Promotion], coupons: &[Coupon], choice: Choice) -> Best {
    let fits = |coupon: &&Coupon| match choice {
        Choice::Best => true,
        Choice::None => false,
        Choice::This(wanted) => coupon.is == wanted,
    };
    let usable: Vec<&Coupon> = coupons.iter().filter(fits).filter(|coupon| why_not(cart, coupon).is_none()).collect();
    let reached = automatic.iter().filter(|promotion| cart.reaches(&promotion.terms));
    let (freight, money): (Vec<_>, Vec<_>) = reached.partition(|promotion| promotion.terms.kind == Kind::Freight);
    let freight = freight.first().copied();
    let mut found = Best { off: vec![Fen::ZERO; cart.goods.len()], ..Best::default() };
    let mut rank = None;
    for set in apart(cart, &money) {
        for coupon in std::iter::once(None).chain(usable.iter().map(|coupon| Some(*coupon))) {
            let tried = reckon(cart, &set, coupon, freight);
            // One that brings nothing is kept for another day; of equals, the one that ends first is spent.
            if coupon.is_some() && tried.coupon().is_none() {
                continue;
            }
            let ends = coupon.map_or(i64::MIN, |coupon| coupon.ends_at.unwrap_or(i64::MAX));
            let this = (cart.total(&tried), ends, tried.discounts.len());
            if rank.is_none_or(|rank| this < rank) {
                (rank, found) = (Some(this), tried);
            }
        }
    }
    for discount in &mut found.discounts {
        let mut all = automatic.iter().chain(coupons.iter().map(|coupon| &coupon.promotion));
        if let Some(promotion) = all.find(|promotion| promotion.id == discount.promotion) {
            (discount.name, discount.words) = (promotion.terms.name.clone(), promotion.terms.text());
        }
    }
    found
}

/// Every set of promotions of which no two count the same goods; the empty one first.
fn apart<'a>(cart: &Cart, promotions: &[&'a Promotion]) -> Vec<Vec<&'a Promotion>> {
    let mut sets: Vec<(Vec<&Promotion>, Vec<usize>)> = vec![(Vec::new(), Vec::new())];
    for promotion in promotions.iter().take(MOST_TRIED) {
        let lines: Vec<usize> = cart.covered(&promotion.terms).collect();
        let with = sets.iter().filter(|(_, taken)| lines.iter().all(|line| !taken.contains(line)));
        let more: Vec<_> = with
            .map(|(set, taken)| ([set.as_slice(), &[*promotion]].concat(), [taken.as_slice(), &lines].concat()))
            .collect();
        sets.extend(more);
    }
    sets.into_iter().map(|(set, _)| set).collect()
}

fn reckon(cart: &Cart, set: &[&Promotion], coupon: Option<&Coupon>, freight: Option<&Promotion>) -> Best {
    let mut best = Best { off: vec![Fen::ZERO; cart.goods.len()], ..Best::default() };
    for promotion in set {
        take(cart, &mut best, promotion, None);
    }
    if let Some(promotion) = freight {
        take(cart, &mut best, promotion, None);
    }
    if let Some(coupon) = coupon {
        take(cart, &mut best, &coupon.promotion, Some(coupon.is));
    }
    if !cart.may_be_free && cart.due() > 0 && cart.total(&best) == 0 {
        leave_a_fen(&mut best);
    }
    best.discounts.retain(|discount| discount.goods > Fen::ZERO || discount.freight > Fen::ZERO);
    best
}

/// Takes one promotion off what is left of the goods it counts, or off the freight.
fn take(cart: &Cart, best: &mut Best, promotion: &Promotion, coupon: Option<CouponRef>) {
    let terms = &promotion.terms;
    let (mut goods, mut freight) = (Fen::ZERO, Fen::ZERO);
    if terms.kind == Kind::Freight {
        let left = cart.freight.minus(best.freight_off).unwrap_or_default();
        freight = if cart.freight_can_go { left } else { Fen::ZERO };
        best.freight_off = best.freight_off.plus(freight).unwrap_or(best.freight_off);
    } else {
        let lines: Vec<usize> = cart.covered(terms).collect();
        let left: Vec<Fen> =
            lines.iter().map(|i| cart.goods[*i].amount.minus(best.off[*i]).unwrap_or_default()).collect();
        goods = off(terms, cart.base(terms), Fen::new(left.iter().map(|fen| fen.get()).sum()).unwrap_or_default());
        for (i, part) in lines.into_iter().zip(spread(&left, goods)) {
            best.off[i] = best.off[i].plus(part).unwrap_or(best.off[i]);
        }
    }
    // Many are tried; what the best is called is asked at the end.
    let (name, words) = (String::new(), String::new());
    best.discounts.push(Discount { promotion: promotion.id, kind: terms.kind, coupon, name, words, goods, freight });
}

/// What is off goods that cost `base` at first and `left` now.
fn off(terms: &Terms, base: Fen, left: Fen) -> Fen {
    let wanted = match terms.kind {
        Kind::Reduce => terms.tiers.iter().rev().find(|tier| base >= tier.from).map_or(Fen::ZERO, |tier| tier.off),
        Kind::Percent => {
            // In the buyer's disfavour by less than a fen: what is off is rounded down.
            let part = left.get() * (100 - terms.percent.unwrap_or(100)) / 100;
            let part = Fen::new(part).unwrap_or_default();
            terms.cap.map_or(part, |cap| part.min(cap))
        }
        Kind::Freight => Fen::ZERO,
    };
    wanted.min(left)
}

/// WeChat takes no payment of nothing: the last promotion leaves one fen to be paid.
fn leave_a_fen(best: &mut Best) {
    const ONE: Fen = match Fen::new(1) {
        Some(fen) => fen,
        None => Fen::ZERO,
    };
    let line = best.off.iter_mut().rev().find(|off| **off > Fen::ZERO);
    let discount = best.discounts.iter_mut().rev().find(|discount| discount.goods > Fen::ZERO);
    if let (Some(line), Some(discount)) = (line, discount) {
        *line = line.minus(ONE).unwrap_or_default();
        discount.goods = discount.goods.minus(ONE).unwrap_or_default();
        return;
    }
    if let Some(discount) = best.discounts.iter_mut().rev().find(|discount| discount.freight > Fen::ZERO) {
        discount.freight = discount.freight.minus(ONE).unwrap_or_default();
        best.freight_off = best.freight_off.minus(ONE).unwrap_or_default();
    }
}

/// Why a coupon that is good at this moment does not help these goods.
fn why_not(cart: &Cart, coupon: &Coupon) -> Option<String> {
    let terms = &coupon.promotion.terms;
    if matches!(coupon.promotion.terms.given, super::Given::FirstOrder) && !cart.first_order {
        return Some("只有第一单能用".to_owned());
    }
    if cart.covered(terms).next().is_none() {
        return Some("不适用于这些商品".to_owned());
    }
    let (base, from) = (cart.base(terms), terms.tiers.first().map_or(Fen::ZERO, |tier| tier.from));
    if base < from {
        return Some(format!("还差 ¥{}", short(from.minus(base).unwrap_or_default())));
    }
    let freight = terms.kind == Kind::Freight;
    match freight && (cart.freight == Fen::ZERO || !cart.freight_can_go) {
        true if cart.freight == Fen::ZERO => Some("这一单没有运费".to_owned()),
        true => Some("这个地区的运费不能免".to_owned()),
        false => None,
    }
}

/// What a little more would bring: `再买 ¥12 就减 ¥10`, the nearest first. Each is reckoned as the quote would be then, so
/// that what another promotion gives already, or a coupon, is not promised once more.
fn hints(cart: &Cart, automatic: &[Promotion], coupons: &[Coupon], choice: Choice) -> Vec<String> {
    let mut near: Vec<(Fen, usize)> = Vec::new();
    for (n, terms) in automatic.iter().map(|promotion| &promotion.terms).enumerate() {
        let base = cart.base(terms);
        let next = terms.tiers.iter().find(|tier| tier.from > base);
        let useless = terms.kind == Kind::Freight && (cart.freight == Fen::ZERO || !cart.freight_can_go);
        let Some(tier) = next.filter(|_| base > Fen::ZERO && !useless) else { continue };
        near.push((tier.from.minus(base).unwrap_or_default(), n));
    }
    near.sort();
    near.into_iter().filter_map(|(less, n)| hint(cart, automatic, coupons, choice, (less, n))).take(2).collect()
}

/// What goods for so much more would bring by reaching the next tier of one promotion; `None` where the price stays.
fn hint(
    cart: &Cart,
    automatic: &[Promotion],
    coupons: &[Coupon],
    choice: Choice,
    (less, n): (Fen, usize),
) -> Option<String> {
    let promotion = &automatic[n];
    let (terms, mut more) = (&promotion.terms, cart.clone());
    let line = cart.covered(terms).next()?;
    more.goods[line].amount = more.goods[line].amount.plus(less)?;
    let mut without = automatic.to_vec();
    without[n].terms.tiers.retain(|tier| tier.from <= cart.base(terms));
    let with = best(&more, automatic, coupons, choice);
    let gain = more.total(&best(&more, &without, coupons, choice)) - more.total(&with);
    let gain = Fen::new(gain).filter(|gain| *gain > Fen::ZERO)?;
    let brought = with.discounts.iter().find(|one| one.promotion == promotion.id && one.coupon.is_none())?;
    let all = brought.goods.plus(brought.freight) == Some(gain);
    let what = match terms.kind {
        Kind::Reduce if all => format!("减 ¥{}", short(gain)),
        Kind::Percent if all => format!("打 {} 折", super::tenths(terms.percent.unwrap_or(100))),
        Kind::Freight if all => "包邮".to_owned(),
        _ => format!("多减 ¥{}", short(gain)),
    };
    Some(format!("再买 ¥{} 就{what}（{}）", short(less), terms.name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Given, Scope, Tier};
    use super::*;
    use crate::ids::{BuyerId, CouponId, PromotionId};

    fn fen(n: i64) -> Fen {
        Fen::new(n).unwrap()
    }

    fn promotion(id: i64, kind: Kind, tiers: &[(i64, i64)]) -> Promotion {
        let tiers = tiers.iter().map(|(from, off)| Tier { from: fen(*from), off: fen(*off) }).collect();
        let terms = Terms {
            kind,
            given: Given::Everybody,
            name: format!("活动{id}"),
            tiers,
            percent: None,
            cap: None,
            scope: Scope::All,
            subjects: Vec::new(),
            starts_at: 0,
            ends_at: None,
            days: None,
            code: None,
            listed: false,
            total: None,
            per_buyer: 1,
        };
        Promotion { id: PromotionId(id), terms, issued: 0, stopped_at: None, voided: false }
    }

    fn percent(id: i64, percent: i64, cap: Option<i64>) -> Promotion {
        let mut made = promotion(id, Kind::Percent, &[(0, 0)]);
        (made.terms.percent, made.terms.cap) = (Some(percent), cap.map(fen));
        made
    }

    fn only(mut promotion: Promotion, products: &[i64]) -> Promotion {
        (promotion.terms.scope, promotion.terms.subjects) = (Scope::Products, products.to_vec());
        promotion
    }

    fn coupon(promotion: Promotion, ends_at: Option<i64>) -> Coupon {
        let is = CouponRef::Given(CouponId(promotion.id.0));
        Coupon { is, buyer: BuyerId(1), promotion, ends_at, order_no: None, held: false, returning: false }
    }

    /// Products 1, 2, 3 … at these prices.
    fn cart(prices: &[i64], freight: i64) -> Cart {
        let line = |(i, price): (usize, &i64)| Goods {
            product: ProductId(i as i64 + 1),
            categories: vec![CategoryId(i as i64 + 100)],
            amount: fen(*price),
        };
        Cart {
            goods: prices.iter().enumerate().map(line).collect(),
            freight: fen(freight),
            freight_can_go: true,
            may_be_free: false,
            first_order: true,
        }
    }

    /// Promotions that help, each with what it takes off the goods and off the freight.
    fn found(best: &Best) -> Vec<(i64, i64, i64)> {
        best.discounts.iter().map(|d| (d.promotion.0, d.goods.get(), d.freight.get())).collect()
    }

    #[test]
    fn the_best_combination_is_found() {
        let tiers = || promotion(1, Kind::Reduce, &[(10_000, 1_000), (20_000, 3_000)]);
        let freight = || promotion(9, Kind::Freight, &[(9_900, 0)]);
        type Row = (&'static str, Cart, Vec<Promotion>, Vec<Coupon>, Vec<(i64, i64, i64)>, i64);
        let rows: Vec<Row> = vec![
            ("below the first tier", cart(&[9_999], 800), vec![tiers()], vec![], vec![], 10_799),
            ("the first tier", cart(&[10_000], 800), vec![tiers()], vec![], vec![(1, 1_000, 0)], 9_800),
            (
                "the second, over two lines",
                cart(&[15_000, 5_000], 0),
                vec![tiers()],
                vec![],
                vec![(1, 3_000, 0)],
                17_000,
            ),
            (
                "of two, the better",
                cart(&[10_000], 0),
                vec![tiers(), percent(2, 88, None)],
                vec![],
                vec![(2, 1_200, 0)],
                8_800,
            ),
            (
                "a part up to its cap",
                cart(&[10_000], 0),
                vec![tiers(), percent(2, 88, Some(900))],
                vec![],
                vec![(1, 1_000, 0)],
                9_000,
            ),
            (
                "two that count other goods go together",
                cart(&[5_000, 7_000], 0),
                vec![
                    only(promotion(1, Kind::Reduce, &[(5_000, 500)]), &[1]),
                    only(promotion(2, Kind::Reduce, &[(6_000, 700)]), &[2]),
                ],
                vec![],
                vec![(1, 500, 0), (2, 700, 0)],
                10_800,
            ),
            (
                "a coupon comes on top, on what is left",
                cart(&[10_000], 0),
                vec![tiers()],
                vec![coupon(percent(3, 50, None), None)],
                vec![(1, 1_000, 0), (3, 4_500, 0)],
                4_500,
            ),
            (
                "of two coupons one is spent: the better",
                cart(&[10_000], 0),
                vec![],
                vec![
                    coupon(promotion(3, Kind::Reduce, &[(0, 500)]), None),
                    coupon(promotion(4, Kind::Reduce, &[(0, 600)]), None),
                ],
                vec![(4, 600, 0)],
                9_400,
            ),
            (
                "of two alike, the one that ends first",
                cart(&[10_000], 0),
                vec![],
                vec![
                    coupon(promotion(3, Kind::Reduce, &[(0, 500)]), None),
                    coupon(promotion(4, Kind::Reduce, &[(0, 500)]), Some(7)),
                ],
                vec![(4, 500, 0)],
                9_500,
            ),
            ("freight goes from its sum on", cart(&[9_900], 800), vec![freight()], vec![], vec![(9, 0, 800)], 9_900),
            (
                "a coupon for freight that is gone is kept",
                cart(&[9_900], 800),
                vec![freight()],
                vec![coupon(promotion(8, Kind::Freight, &[(0, 0)]), Some(1))],
                vec![(9, 0, 800)],
                9_900,
            ),
            (
                "what a promotion asks for counts before anything is off",
                cart(&[10_000], 800),
                vec![tiers(), freight()],
                vec![coupon(promotion(5, Kind::Reduce, &[(10_000, 200)]), None)],
                vec![(1, 1_000, 0), (9, 0, 800), (5, 200, 0)],
                8_800,
            ),
            (
                "one fen is left to be paid",
                cart(&[300, 200], 0),
                vec![],
                vec![coupon(promotion(5, Kind::Reduce, &[(0, 9_900)]), None)],
                vec![(5, 499, 0)],
                1,
            ),
            (
                "a coupon is not spent for nothing",
                cart(&[1], 0),
                vec![],
                vec![coupon(promotion(5, Kind::Reduce, &[(0, 9_900)]), None)],
                vec![],
                1,
            ),
        ];
        for (what, cart, automatic, coupons, expected, total) in rows {
            let best = best(&cart, &automatic, &coupons, Choice::Best);
            assert_eq!((found(&best), cart.total(&best)), (expected, total), "{what}");
        }
    }

    #[test]
    fn a_buyer_may_keep_a_coupon_or_choose_another() {
        let coupons = [
            coupon(promotion(3, Kind::Reduce, &[(0, 500)]), None),
            coupon(promotion(4, Kind::Reduce, &[(0, 600)]), None),
        ];
        for (choice, expected) in [
            (Choice::Best, vec![(4, 600, 0)]),
            (Choice::None, vec![]),
            (Choice::This(CouponRef::Given(CouponId(3))), vec![(3, 500, 0)]),
            (Choice::This(CouponRef::Given(CouponId(7))), vec![]),
        ] {
            assert_eq!(found(&best(&cart(&[10_000], 0), &[], &coupons, choice)), expected, "{choice:?}");
        }
    }

    #[test]
    fn a_coupon_that_does_not_help_says_why() {
        let first = || {
            let mut first = promotion(1, Kind::Reduce, &[(0, 500)]);
            first.terms.given = Given::FirstOrder;
            first
        };
        let region = Cart { freight_can_go: false, ..cart(&[100], 800) };
        for (cart, promotion, why) in [
            (Cart { first_order: false, ..cart(&[100], 0) }, first(), Some("第一单")),
            (cart(&[100], 0), first(), None),
            (cart(&[100], 0), only(promotion(1, Kind::Reduce, &[(0, 5)]), &[2]), Some("不适用于这些商品")),
            (cart(&[8_810, 50_000], 0), only(promotion(1, Kind::Reduce, &[(10_000, 5)]), &[1]), Some("还差 ¥11.9")),
            (cart(&[100], 0), promotion(1, Kind::Freight, &[(0, 0)]), Some("没有运费")),
            (region, promotion(1, Kind::Freight, &[(0, 0)]), Some("运费不能免")),
        ] {
            let said = why_not(&cart, &coupon(promotion, None));
            assert_eq!(said.is_none(), why.is_none(), "{said:?}");
            assert!(why.is_none_or(|why| said.unwrap().contains(why)), "{why:?}");
        }
    }

    #[test]
    fn a_little_more_is_named() {
        let tiers = promotion(1, Kind::Reduce, &[(10_000, 1_000), (20_000, 3_000)]);
        let freight = promotion(2, Kind::Freight, &[(9_900, 0)]);
        let hints = |cart| hints(&cart, &[tiers.clone(), freight.clone()], &[], Choice::Best);
        assert_eq!(hints(cart(&[8_810], 800)), ["再买 ¥10.9 就包邮（活动2）", "再买 ¥11.9 就减 ¥10（活动1）"]);
        assert_eq!(hints(cart(&[12_000], 800)), ["再买 ¥80 就多减 ¥20（活动1）"]);
        assert_eq!(hints(cart(&[30_000], 0)), Vec::<String>::new());
    }

    /// What is promised is what the price falls by when so much more is bought, and nothing is promised that stays away.
    #[test]
    fn a_hint_promises_only_what_comes() {
        let reduce = |id, from, off| promotion(id, Kind::Reduce, &[(from, off)]);
        let half = coupon(percent(9, 50, None), None);
        let beside = coupon(promotion(8, Kind::Freight, &[(0, 0)]), None);
        for (what, cart, automatic, coupons, said) in [
            ("alone", cart(&[8_000], 0), vec![reduce(1, 10_000, 1_000)], vec![], vec!["再买 ¥20 就减 ¥10（活动1）"]),
            (
                "a better one wins already",
                cart(&[8_000], 0),
                vec![reduce(1, 10_000, 1_000), reduce(2, 5_000, 2_000)],
                vec![],
                vec![],
            ),
            (
                "one that wins by a little",
                cart(&[8_000], 0),
                vec![reduce(1, 10_000, 2_500), reduce(2, 5_000, 2_000)],
                vec![],
                vec!["再买 ¥20 就多减 ¥5（活动1）"],
            ),
            (
                "goods of its own combine",
                cart(&[8_000, 6_000], 0),
                vec![only(reduce(1, 10_000, 1_000), &[1]), only(reduce(2, 5_000, 2_000), &[2])],
                vec![],
                vec!["再买 ¥20 就减 ¥10（活动1）"],
            ),
            (
                "a coupon on what is left takes less then",
                cart(&[8_000], 0),
                vec![reduce(1, 10_000, 1_000)],
                vec![half],
                vec!["再买 ¥20 就多减 ¥5（活动1）"],
            ),
            (
                "a coupon has taken the freight off",
                cart(&[8_000], 800),
                vec![promotion(1, Kind::Freight, &[(10_000, 0)])],
                vec![beside],
                vec![],
            ),
        ] {
            assert_eq!(hints(&cart, &automatic, &coupons, Choice::Best), said, "{what}");
        }
    }

    proptest! {
        /// Whatever runs: the parts sum to the whole, no line goes below nothing, and something is left to be paid.
        #[test]
        fn what_is_off_is_spread_to_the_fen(
            prices in prop::collection::vec(0..200_000_i64, 1..9), freight in 0..2_000_i64,
            offs in prop::collection::vec((0..3_u8, 0..50_000_i64, 0..60_000_i64, 1..100_i64, prop::collection::vec(1..9_i64, 0..4)), 0..6),
            held in prop::collection::vec((0..50_000_i64, 1..60_000_i64), 0..3), may_be_free: bool,
        ) {
            let made = |(i, (kind, from, off, part, products)): (usize, &(u8, i64, i64, i64, Vec<i64>))| {
                let id = i as i64 + 1;
                let made = match kind {
                    0 => promotion(id, Kind::Reduce, &[(*from, *off)]),
                    1 => percent(id, *part, Some(off + 1)),
                    _ => promotion(id, Kind::Freight, &[(*from, 0)]),
                };
                if products.is_empty() { made } else { only(made, products) }
            };
            let automatic: Vec<_> = offs.iter().enumerate().map(made).collect();
            let coupons: Vec<_> =
                held.iter().enumerate().map(|(i, (from, off))| coupon(promotion(i as i64 + 50, Kind::Reduce, &[(*from, *off)]), None)).collect();
            let cart = Cart { may_be_free, ..cart(&prices, freight) };
            let best = best(&cart, &automatic, &coupons, Choice::Best);
            let (goods, freights) = (best.discounts.iter().map(|d| d.goods.get()).sum::<i64>(), best.discounts.iter().map(|d| d.freight.get()).sum::<i64>());
            prop_assert_eq!((goods, freights), (best.goods_off(), best.freight_off.get()));
            prop_assert!(best.off.iter().zip(&cart.goods).all(|(off, goods)| *off <= goods.amount));
            let total = cart.total(&best);
            prop_assert!(total >= i64::from(!may_be_free && cart.due() > 0), "{}", total);
            let without = super::best(&cart, &automatic, &[], Choice::Best);
            prop_assert!(total <= cart.total(&without) && cart.total(&without) <= cart.due());
            prop_assert!(best.discounts.iter().filter(|d| d.coupon.is_some()).count() <= 1);
        }
    }
}
