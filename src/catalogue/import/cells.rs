//! What a SKU says under each column.

use super::super::{Category, Product, Sku};
use super::Column;
use super::specs::written;
use crate::money::Fen;

pub fn cell(product: &Product, sku: &Sku, categories: &[Category], column: Column) -> String {
    match column {
        Column::Name => product.name.clone(),
        Column::Subtitle => product.subtitle.clone(),
        Column::Category => path(product, categories),
        Column::Specs => written(&sku.specs),
        Column::SkuCode => sku.sku_code.clone().unwrap_or_default(),
        Column::Price => sku.price.plain(),
        Column::MarketPrice => sku.market_price.map(Fen::plain).unwrap_or_default(),
        Column::Stock | Column::StockThen => sku.on_hand.to_string(),
        Column::Images | Column::AsExported => String::new(),
        Column::OnShelf => yes(product.on_shelf).to_owned(),
        Column::Barcode => sku.barcode.clone().unwrap_or_default(),
        Column::Weight => grams(sku.weight),
        Column::Cost => sku.cost.map(Fen::plain).unwrap_or_default(),
    }
}

/// Nothing where nobody has weighed it.
pub fn grams(weight: i64) -> String {
    if weight == 0 { String::new() } else { weight.to_string() }
}

pub fn path(product: &Product, categories: &[Category]) -> String {
    let category = categories.iter().find(|c| Some(c.id) == product.category_id);
    let parent = category.and_then(|c| categories.iter().find(|p| Some(p.id) == c.parent_id));
    [parent, category].into_iter().flatten().map(|c| c.name.as_str()).collect::<Vec<_>>().join("/")
}

pub fn yes(on: bool) -> &'static str {
    if on { "是" } else { "否" }
}
