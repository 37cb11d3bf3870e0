//! What is for sale: categories, products, SKUs, their pictures and their stock.

pub mod api;
pub mod cache;
pub mod import;
pub mod lists;
pub mod media;
pub mod rules;
pub mod samples;
pub mod sellers;
pub mod shelf;
pub mod showcase;
pub mod stock;
pub mod store;

use rusqlite::Connection;

use crate::door::escape_html;
use crate::error::{self, Code};
use crate::ids::{CategoryId, FreightId, ImageHash, ProductId, SkuId};
use crate::money::Fen;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// How a SKU reaches the buyer.
    pub enum Delivery {
        Express "express" "快递",
        /// Brought by the shop itself or by a rider, nearby.
        Local "local" "同城配送",
        Pickup "pickup" "自提",
        /// Nothing to hand over: a voucher, a service.
        None "none" "无需配送",
    }
}

impl Delivery {
    /// Whether somebody has to be told where to go.
    pub fn needs_address(self) -> bool {
        matches!(self, Delivery::Express | Delivery::Local)
    }
}

stored_enum! {
    /// The smaller widths of a picture that are kept beside the full one.
    pub enum Width {
        /// For a line of an order or a cart.
        Thumb "thumb" "缩略图",
        /// For two goods side by side on a phone.
        Card "card" "列表图",
    }
}

impl Width {
    /// In pixels: three for each that a phone counts.
    fn pixels(self) -> u32 {
        match self {
            Width::Thumb => 240,
            Width::Card => 540,
        }
    }
}

/// A category, its place and how many products stand in it and below it.
#[derive(Clone, Debug)]
pub struct Category {
    pub id: CategoryId,
    pub parent_id: Option<CategoryId>,
    pub name: String,
    pub icon: Option<ImageHash>,
    pub visible: bool,
    /// Products that stand in it itself, on the shelf or not.
    pub own_count: i64,
    pub product_count: i64,
}

/// When a product goes on and off the shelf by itself; a time that has come is taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShelfTimes {
    pub on_at: Option<i64>,
    /// After `on_at`, when there are both.
    pub off_at: Option<i64>,
}

impl ShelfTimes {
    /// When something is to be done next.
    pub fn next(self) -> Option<i64> {
        self.on_at.or(self.off_at)
    }
}

/// A product with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Product {
    pub id: ProductId,
    pub category_id: Option<CategoryId>,
    pub name: String,
    pub subtitle: String,
    /// Plain text; a line `图片:HASH` is a picture.
    pub detail: String,
    pub on_shelf: bool,
    pub shelf_times: ShelfTimes,
    /// In the recycle bin: neither sold nor changed.
    pub deleted: bool,
    pub price: Fen,
    pub max_price: Fen,
    pub market_price: Option<Fen>,
    pub sold_count: i64,
    /// How many pieces one buyer may have, over all orders that still stand.
    pub limit_per_buyer: Option<i64>,
    /// What sending it costs; none for the shop's own rule.
    pub freight: Option<FreightId>,
    pub version: i64,
    pub images: Vec<ImageHash>,
    pub skus: Vec<Sku>,
}

impl Product {
    /// Nothing of what can be chosen is there.
    pub fn is_sold_out(&self) -> bool {
        self.skus.iter().filter(|sku| sku.enabled).all(|sku| sku.available() < 1)
    }

    /// It is shown, and there is something of it to choose; that may be sold out.
    pub fn is_for_sale(&self) -> bool {
        self.on_shelf && self.skus.iter().any(|sku| sku.enabled)
    }
}

/// A product that buyers can open. Errors: NotFound, ProductOffShelf.
pub fn offered(conn: &Connection, id: ProductId) -> error::Result<Product> {
    let product = store::product(conn, id)?.ok_or(Code::NotFound)?;
    if product.is_for_sale() { Ok(product) } else { Err(Code::ProductOffShelf.into()) }
}

/// What is bought: one choice of every spec, with a price and a stock of its own.
#[derive(Clone, Debug)]
pub struct Sku {
    pub id: SkuId,
    pub product_id: ProductId,
    pub specs: Vec<(String, String)>,
    pub sku_code: Option<String>,
    pub price: Fen,
    pub market_price: Option<Fen>,
    pub on_hand: i64,
    pub reserved: i64,
    pub limit_per_order: Option<i64>,
    pub delivery: Delivery,
    pub image: Option<ImageHash>,
    /// As a scanner reads it from the goods.
    pub barcode: Option<String>,
    /// In grams; 0 where nobody has said it.
    pub weight: i64,
    pub enabled: bool,
    /// What it costs the shop; none where nobody has said. Buyers never hear of it.
    pub cost: Option<Fen>,
}

impl Sku {
    /// What can still be bought.
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }

    /// `红色 / L`, or nothing for a product without choices.
    pub fn spec_text(&self) -> String {
        self.specs.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" / ")
    }
}

/// Whether two specifications choose the same, in whatever order.
pub fn same_specs(one: &[(String, String)], other: &[(String, String)]) -> bool {
    one.len() == other.len() && one.iter().all(|spec| other.contains(spec))
}

/// Whether two specifications are chosen by the same names, in whatever order.
pub fn same_spec_names(one: &[(String, String)], other: &[(String, String)]) -> bool {
    let [mut one, mut other] = [one, other].map(|specs| specs.iter().map(|(name, _)| name).collect::<Vec<_>>());
    one.sort();
    other.sort();
    one == other
}

/// The detail text as HTML: paragraphs and pictures, everything else escaped. Safe by construction.
pub fn detail_html(detail: &str) -> String {
    let mut html = String::new();
    for line in detail.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("图片:").and_then(|hash| hash.trim().parse::<ImageHash>().ok()) {
            Some(hash) => html.push_str(&format!("<p><img src=\"{}\" alt=\"\"></p>", hash.url())),
            None => html.push_str(&format!("<p>{}</p>", escape_html(line))),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_cannot_carry_a_script() {
        let hash = "a".repeat(64);
        let html = detail_html(&format!("<script>alert(1)</script>\n\n图片:{hash}\n图片:javascript"));
        assert_eq!(
            html,
            format!(
                "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p><p><img src=\"/media/{hash}.jpg\" alt=\"\"></p><p>图片:javascript</p>"
            )
        );
    }
}
