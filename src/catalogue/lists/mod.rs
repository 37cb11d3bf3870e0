//! Lists of products, for buyers and for staff: which of them, in what order, and how many stand where.

pub mod store;

use super::ShelfTimes;
use crate::ids::{CategoryId, ImageHash, ProductId, SkuId};
use crate::money::Fen;

/// The orders in which products can be listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As the merchant entered them.
    #[default]
    Default,
    Newest,
    PriceAsc,
    PriceDesc,
    Sales,
    /// What sold least comes first; like the next two for staff alone.
    Slowest,
    /// What there is least of to sell comes first.
    Scarcest,
    Fullest,
}

impl Sort {
    /// Those that buyers may ask for.
    pub const ALL: [Sort; 5] = [Sort::Default, Sort::Newest, Sort::PriceAsc, Sort::PriceDesc, Sort::Sales];

    pub fn word(self) -> &'static str {
        match self {
            Sort::Default => "default",
            Sort::Newest => "newest",
            Sort::PriceAsc => "price_asc",
            Sort::PriceDesc => "price_desc",
            Sort::Sales => "sales",
            Sort::Slowest => "slowest",
            Sort::Scarcest => "scarcest",
            Sort::Fullest => "fullest",
        }
    }
}

/// Which products, in which order, from where on.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// With the categories below it.
    pub category: Option<CategoryId>,
    /// Every word must occur in name, subtitle, category or a code.
    pub words: Vec<String>,
    pub in_stock: bool,
    pub sort: Sort,
    /// Those alone that the shop has put into its showcase.
    pub pinned: bool,
    /// Buyers see what is on it; staff look at the others too.
    pub shelf: Shelf,
    pub after: Option<[i64; 2]>,
    pub limit: i64,
}

/// A product without an enabled SKU cannot be bought, so buyers do not see it; staff find it off the shelf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shelf {
    #[default]
    On,
    Off,
    SoldOut,
    /// Some SKU has this many left or fewer, but some.
    Low(i64),
    /// In the recycle bin.
    Bin,
}

/// A product as a list shows it.
#[derive(Clone, Debug)]
pub struct Item {
    pub id: ProductId,
    pub name: String,
    pub subtitle: String,
    pub cover: Option<ImageHash>,
    pub price: Fen,
    pub max_price: Fen,
    pub market_price: Option<Fen>,
    pub sold_count: i64,
    pub category: Option<String>,
    pub on_shelf: bool,
    pub shelf_times: ShelfTimes,
    pub on_hand: i64,
    pub reserved: i64,
    /// The SKU, where it has only one that is sold.
    pub only_sku: Option<SkuId>,
    /// Where the list stands at this item.
    pub key: [i64; 2],
}

impl Item {
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }
}

/// How many products stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShelfCounts {
    pub on: i64,
    pub off: i64,
    pub sold_out: i64,
    pub bin: i64,
    /// On the shelf, with few pieces left of something.
    pub low: i64,
    /// Those that were made up to try the shop out with, on the shelf or off it.
    pub samples: i64,
}

impl ShelfCounts {
    /// Nothing was ever put up for sale.
    pub fn is_empty(&self) -> bool {
        *self == ShelfCounts::default()
    }
}
