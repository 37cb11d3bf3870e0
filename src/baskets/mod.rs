//! What a buyer comes back for: the cart, favourites, and what of an old order can be had again, each as it stands now.

pub mod api;
pub mod store;

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::catalogue::store as catalogue;
use crate::catalogue::store::ForSale;
use crate::error::{Code, Result};
use crate::ids::{BuyerId, ProductId, SkuId};
use crate::money::Fen;
pub use crate::orders::quote::{MOST_LINES, MOST_PIECES};
use crate::orders::store as orders;
use crate::stored_enum::stored_enum;

/// Favourites of one buyer.
pub const MOST_FAVOURITES: i64 = 500;

/// What somebody wants to buy, and what it cost when he last looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wished {
    pub sku: SkuId,
    pub quantity: i64,
    pub then: Fen,
}

stored_enum! {
    /// How a wish stands today.
    pub enum OfferState {
        Ready "ready" "可以买",
        /// Fewer are there than are wished for.
        Short "short" "库存不够",
        /// One buyer, or one order, may not have so many.
        Limited "limited" "超过限购",
        SoldOut "sold_out" "已售罄",
        OffShelf "off_shelf" "已下架",
    }
}

stored_enum! {
    /// How a favourite stands today.
    pub enum Standing {
        OnSale "on_sale" "",
        SoldOut "sold_out" "已售罄",
        OffShelf "off_shelf" "已下架",
    }
}

/// A wish beside what the shop can offer for it.
pub struct Offer {
    pub found: ForSale,
    pub wished: Wished,
    pub state: OfferState,
    /// So many of them can be bought now.
    pub buyable: i64,
}

impl Offer {
    /// The state in words that say how many.
    pub fn text(&self) -> String {
        match self.state {
            OfferState::Short => format!("只剩 {} 件", self.buyable),
            OfferState::Limited if self.buyable == 0 => "已经买满了限购的件数".to_owned(),
            OfferState::Limited => format!("限购，还可以买 {} 件", self.buyable),
            state => state.text().to_owned(),
        }
    }

    /// How the price has changed since; nothing where it has not.
    pub fn price_text(&self) -> String {
        changed(self.wished.then, self.found.sku.price)
    }
}

/// How a price has changed, in words; nothing where it has not.
fn changed(then: Fen, now: Fen) -> String {
    match (now.minus(then), then.minus(now)) {
        (Some(more), _) if more > Fen::ZERO => format!("贵了 ¥{more}"),
        (_, Some(less)) if less > Fen::ZERO => format!("便宜了 ¥{less}"),
        _ => String::new(),
    }
}

/// What the shop can offer for these wishes now, in their order. `limit` is the shop's own for one order. Errors:
/// `NotFound`, a SKU that never was.
pub fn offers(conn: &Connection, buyer: BuyerId, wishes: &[Wished], limit: Option<i64>) -> Result<Vec<Offer>> {
    // Of a product that is limited per buyer, what this list may still take.
    let mut left: BTreeMap<ProductId, i64> = BTreeMap::new();
    let mut offers = Vec::new();
    for wished in wishes {
        let found = catalogue::for_sale(conn, wished.sku)?.ok_or(Code::NotFound)?;
        let product = found.sku.product_id;
        let per_order = found.sku.limit_per_order.or(limit).unwrap_or(i64::MAX);
        let per_buyer = match (found.limit_per_buyer, left.get(&product)) {
            (None, _) => i64::MAX,
            (Some(_), Some(left)) => *left,
            (Some(limit), None) => (limit - orders::pieces_of_buyer(conn, buyer, product)?).max(0),
        };
        let (state, buyable) =
            judged(wished.quantity, found.on_sale, found.sku.available().max(0), per_order.min(per_buyer));
        if found.limit_per_buyer.is_some() {
            left.insert(product, per_buyer - buyable);
        }
        offers.push(Offer { found, wished: *wished, state, buyable });
    }
    Ok(offers)
}

/// Whatever leaves fewest is what a buyer is told.
fn judged(wished: i64, on_sale: bool, available: i64, limit: i64) -> (OfferState, i64) {
    match wished.min(available).min(limit) {
        _ if !on_sale => (OfferState::OffShelf, 0),
        _ if available == 0 => (OfferState::SoldOut, 0),
        buyable if buyable == wished => (OfferState::Ready, buyable),
        buyable if buyable == limit => (OfferState::Limited, buyable),
        buyable => (OfferState::Short, buyable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_judged_by_what_stands_most_in_its_way() {
        use OfferState::*;
        const NONE: i64 = i64::MAX;
        for (wished, on_sale, available, limit, judgement) in [
            (2, true, 9, NONE, (Ready, 2)),
            (2, true, 2, 2, (Ready, 2)),
            (2, true, 1, NONE, (Short, 1)),
            (2, true, 9, 1, (Limited, 1)),
            (5, true, 3, 2, (Limited, 2)),
            (5, true, 2, 3, (Short, 2)),
            (2, true, 9, 0, (Limited, 0)),
            (2, true, 0, 0, (SoldOut, 0)),
            (2, true, 0, NONE, (SoldOut, 0)),
            (2, false, 9, NONE, (OffShelf, 0)),
            (2, false, 0, NONE, (OffShelf, 0)),
        ] {
            assert_eq!(judged(wished, on_sale, available, limit), judgement, "{wished} {on_sale} {available} {limit}");
        }
    }
}
