//! Draft orders (代客下单): what staff and a buyer agreed on in a chat. Whoever opens one first has the order, and pays it.

pub mod api;
pub mod store;
pub mod take;

use crate::buyers::addresses::Address;
use crate::catalogue::Delivery;
use crate::clock::DAY;
use crate::ids::{DraftId, OrderId, SkuId};
use crate::money::Fen;
use crate::stored_enum::stored_enum;

/// An open one is good for so long.
pub const GOOD_FOR: i64 = 3 * DAY;
/// Kinds of goods in one, and pieces of each.
pub const MOST_LINES: usize = 20;
pub const MOST_PIECES: i64 = 999;

/// Goods at the price that was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    pub sku: SkuId,
    pub quantity: i64,
    pub price: Fen,
}

impl Agreed {
    /// As freight counts them: which, how many, and what they come to.
    pub fn goods(lines: &[Agreed]) -> Vec<(SkuId, i64, Fen)> {
        let amount = |line: &Agreed| line.price.times(line.quantity).unwrap_or_default();
        lines.iter().map(|line| (line.sku, line.quantity, amount(line))).collect()
    }
}

#[derive(Clone, Debug)]
pub struct Draft {
    pub id: DraftId,
    /// By which it is opened.
    pub code: String,
    pub lines: Vec<Agreed>,
    pub freight: Fen,
    /// Nobody agreed on it: it is what the shop takes from everybody, and where the buyer says the address, by that.
    pub usual_freight: bool,
    /// Goods and freight: what will be paid.
    pub total: Fen,
    pub delivery: Delivery,
    /// None where the buyer is to say it.
    pub address: Option<Address>,
    pub remark: String,
    pub staff: String,
    pub created_at: i64,
    pub expires_at: i64,
    pub withdrawn: bool,
    /// What became of it.
    pub order: Option<OrderId>,
}

stored_enum! {
    pub enum DraftState {
        Open "open" "等买家打开",
        Taken "taken" "已被领走",
        Withdrawn "withdrawn" "已撤回",
        Expired "expired" "已过期",
    }
}

impl Draft {
    pub fn state(&self, now: i64) -> DraftState {
        match (self.order, self.withdrawn) {
            (Some(_), _) => DraftState::Taken,
            (None, true) => DraftState::Withdrawn,
            _ if self.expires_at <= now => DraftState::Expired,
            _ => DraftState::Open,
        }
    }
}

/// What goods and freight come to; `None` where nothing would be paid, or more than there is money.
pub fn total(lines: &[Agreed], freight: Fen) -> Option<Fen> {
    let sum = lines.iter().try_fold(freight, |sum, line| sum.plus(line.price.times(line.quantity)?));
    sum.filter(|sum| *sum > Fen::ZERO)
}
