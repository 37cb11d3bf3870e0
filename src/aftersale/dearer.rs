//! What goods cost that are exchanged, against what was bought: money moves in neither direction, so people are to know.

use crate::ids::SkuId;
use crate::money::{Fen, yuan};
use crate::orders::Line;

/// By how many fen so many pieces of a SKU cost more than they did when they were bought; below zero, less. The same again,
/// `had`, costs what it did, whatever became of its price.
pub fn difference(line: &Line, had: &[(SkuId, i64)], (sku, price): (SkuId, Fen), pieces: i64) -> i64 {
    if had.iter().all(|(of, _)| *of == sku) {
        return 0;
    }
    (price.get() - line.price.get()) * pieces
}

/// `比买的贵 ¥23.34`, for staff and buyers alike.
pub fn words(difference: i64) -> String {
    match difference {
        0 => "和买的一样价".into(),
        more if more > 0 => format!("比买的贵 ¥{}", yuan(more)),
        less => format!("比买的便宜 ¥{}", yuan(-less)),
    }
}
