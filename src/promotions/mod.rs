//! Promotions of the shop: what makes an order cheaper, for whom and until when; and the coupons that buyers hold. WeChat's
//! own coupons are another thing: they change what a payment settles at, and are with `payments`.

pub mod api;
pub mod best;
pub mod give;
pub mod rules;
pub mod store;

use crate::ids::{BuyerId, CategoryId, CouponId, OrderNo, ProductId, PromotionId};
use crate::money::Fen;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// How it helps.
    pub enum Kind {
        /// So much off from a sum of goods on, in tiers; of a coupon: a fixed sum.
        Reduce "reduce" "满减",
        Percent "percent" "折扣",
        Freight "freight" "包邮",
    }
}

stored_enum! {
    /// Whom it helps. Everything but the first is a coupon.
    pub enum Given {
        Everybody "everybody" "所有买家自动享受",
        Link "link" "领取：链接或优惠码",
        FirstOrder "first_order" "新客首单自动有",
        Chosen "chosen" "发给指定买家",
    }
}

stored_enum! {
    /// Which goods it counts and makes cheaper.
    pub enum Scope {
        All "all" "全部商品",
        Categories "categories" "指定分类",
        Products "products" "指定商品",
    }
}

/// From this sum of goods on, so much is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    pub from: Fen,
    pub off: Fen,
}

/// What a promotion says, as staff write it; `rules` has checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub kind: Kind,
    pub given: Given,
    pub name: String,
    /// At least one, the lowest first; `off` counts for `Kind::Reduce` alone.
    pub tiers: Vec<Tier>,
    /// What is left to be paid, of a hundred; for `Kind::Percent` alone.
    pub percent: Option<i64>,
    /// What a part of the price is at the most.
    pub cap: Option<Fen>,
    pub scope: Scope,
    /// Ids of categories or of products, as `scope` says.
    pub subjects: Vec<i64>,
    pub starts_at: i64,
    pub ends_at: Option<i64>,
    /// A coupon is good for so many days after it was given.
    pub days: Option<i64>,
    pub code: Option<String>,
    /// Shown to everybody who may fetch it.
    pub listed: bool,
    pub total: Option<i64>,
    pub per_buyer: i64,
}

#[derive(Clone, Debug)]
pub struct Promotion {
    pub id: PromotionId,
    pub terms: Terms,
    /// Coupons that were given so far.
    pub issued: i64,
    pub stopped_at: Option<i64>,
    pub voided: bool,
}

stored_enum! {
    pub enum Phase {
        Running "running" "进行中",
        Waiting "waiting" "未开始",
        Ended "ended" "已结束",
    }
}

impl Promotion {
    pub fn phase(&self, now: i64) -> Phase {
        let ended = self.stopped_at.is_some() || self.terms.is_over(now);
        match (ended, self.terms.starts_at <= now) {
            (true, _) => Phase::Ended,
            (_, true) => Phase::Running,
            _ => Phase::Waiting,
        }
    }

    pub fn is_coupon(&self) -> bool {
        self.terms.given != Given::Everybody
    }

    /// All that there may be were given.
    pub fn is_exhausted(&self) -> bool {
        self.terms.total.is_some_and(|total| self.issued >= total)
    }
}

impl Terms {
    pub fn is_over(&self, now: i64) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
    }

    /// Whether there is a moment at which both run.
    pub fn meets(&self, other: &Terms) -> bool {
        let end = |terms: &Terms| terms.ends_at.unwrap_or(i64::MAX);
        self.starts_at < end(other) && other.starts_at < end(self)
    }

    /// It takes something off the goods of everybody: of such, each piece gets one.
    pub fn is_exclusive(&self) -> bool {
        self.given == Given::Everybody && self.kind != Kind::Freight
    }

    /// Whether goods of this product, in these categories (its own and those above), count.
    pub fn covers(&self, product: ProductId, categories: &[CategoryId]) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Products => self.subjects.contains(&product.0),
            Scope::Categories => categories.iter().any(|category| self.subjects.contains(&category.0)),
        }
    }

    /// `满 ¥100 减 ¥10`, as buyers and staff read it.
    pub fn text(&self) -> String {
        let from = |tier: &Tier| match tier.from {
            Fen::ZERO => String::new(),
            from => format!("满 ¥{} ", short(from)),
        };
        match self.kind {
            Kind::Reduce => {
                let parts = self.tiers.iter().map(|tier| format!("{}减 ¥{}", from(tier), short(tier.off)));
                parts.collect::<Vec<_>>().join("，")
            }
            Kind::Percent => {
                let from = self.tiers.first().map(from).unwrap_or_default();
                let cap = self.cap.map(|cap| format!("，最多减 ¥{}", short(cap))).unwrap_or_default();
                format!("{from}打 {} 折{cap}", tenths(self.percent.unwrap_or(100)))
            }
            Kind::Freight => format!("{}包邮", self.tiers.first().map(from).unwrap_or_default()),
        }
    }

    /// When a coupon that is given now is no longer good. Its days begin with the promotion, if that comes later: else it
    /// would end before it is good for anything.
    pub fn coupon_ends(&self, now: i64) -> Option<i64> {
        let by_days = self.days.map(|days| now.max(self.starts_at) + days * crate::clock::DAY);
        self.ends_at.into_iter().chain(by_days).min()
    }
}

/// Yuan without what says nothing: `10`, `9.9`.
fn short(fen: Fen) -> String {
    let plain = fen.to_string();
    match plain.strip_suffix(".00") {
        Some(whole) => whole.to_owned(),
        None => plain.strip_suffix('0').unwrap_or(&plain).to_owned(),
    }
}

/// A part of a hundred in the tenths that prices are cut in: `8.5`, `9`.
pub fn tenths(percent: i64) -> String {
    match percent % 10 {
        0 => (percent / 10).to_string(),
        rest => format!("{}.{rest}", percent / 10),
    }
}

/// A coupon in somebody's hand.
#[derive(Clone, Debug)]
pub struct Coupon {
    pub is: CouponRef,
    pub buyer: BuyerId,
    pub promotion: Promotion,
    pub ends_at: Option<i64>,
    /// The order that has it.
    pub order_no: Option<OrderNo>,
    /// That order still waits to be paid.
    pub held: bool,
    /// That order is closed, and gives it back when it cannot be paid any more.
    pub returning: bool,
}

/// Which coupon is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouponRef {
    Given(CouponId),
    /// What every new customer has for the first order: it becomes a row when that order takes it.
    First(PromotionId),
}

impl std::fmt::Display for CouponRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CouponRef::Given(id) => id.fmt(f),
            CouponRef::First(id) => write!(f, "f{id}"),
        }
    }
}

impl serde::Serialize for CouponRef {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl std::str::FromStr for CouponRef {
    type Err = crate::ids::BadId;
    fn from_str(text: &str) -> Result<CouponRef, Self::Err> {
        match text.strip_prefix('f') {
            Some(id) => id.parse().map(CouponRef::First),
            None => text.parse().map(CouponRef::Given),
        }
    }
}

stored_enum! {
    pub enum CouponState {
        Usable "usable" "可使用",
        /// It is not good yet.
        Waiting "waiting" "未到时间",
        Held "held" "订单占用中",
        Used "used" "已使用",
        Expired "expired" "已失效",
    }
}

impl Coupon {
    /// How it stands, in words.
    pub fn state_text(&self, now: i64) -> &'static str {
        if self.returning { "订单取消后正在退回" } else { self.state(now).text() }
    }

    pub fn state(&self, now: i64) -> CouponState {
        match (&self.order_no, self.held) {
            (Some(_), true) => CouponState::Held,
            (Some(_), false) => CouponState::Used,
            _ if self.promotion.voided || self.ends_at.is_some_and(|at| at <= now) => CouponState::Expired,
            _ if self.promotion.terms.starts_at > now => CouponState::Waiting,
            _ => CouponState::Usable,
        }
    }
}

/// Why an order is cheaper, and by how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    pub promotion: PromotionId,
    pub kind: Kind,
    pub coupon: Option<CouponRef>,
    pub name: String,
    pub words: String,
    /// Off the goods.
    pub goods: Fen,
    /// Off the freight.
    pub freight: Fen,
}
