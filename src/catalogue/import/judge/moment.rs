//! What a row of an export says of the moment it was written, for the stock that it writes counts from there.

use std::collections::HashMap;

use super::super::Column;
use super::super::since::{Since, Then};
use super::super::store::Carried;
use super::super::written;
use super::goods::Goods;
use super::said::Said;
use crate::ids::SkuId;

pub(super) struct Moment<'t> {
    exported: Option<Then<'t>>,
    /// What a table of the same export wrote of these goods before.
    pub before: Option<&'t Carried>,
    /// What the stock was.
    pub stock: Option<i64>,
    /// Whether the specification was there, and is no more, or what it was cannot be told.
    pub is_gone: bool,
    /// Whether the row is that of the very goods which it means.
    pub is_own: bool,
    /// Columns that stayed where they were while the others were sorted speak of other goods, and so do those of a copied row.
    pub is_of_others: bool,
    /// Whether what the stock was has been lost of the table, so that nobody knows what was sold since.
    pub lacks_stock: bool,
    /// What the stock was, and what somebody has made of it in the table.
    pub altered: Option<(i64, i64)>,
}

impl<'t> Moment<'t> {
    pub(super) fn of(goods: &Goods<'t>, said: &Said, carried: Option<&'t HashMap<SkuId, Carried>>) -> Moment<'t> {
        let Goods { row, name, sku, .. } = *goods;
        let exported = row.said(Column::AsExported).and_then(Then::read);
        let own = exported.zip(sku).filter(|(then, sku)| then.is_of(sku.id)).map(|(then, _)| then);
        let is_of_others = exported.is_some() && sku.is_some() && own.is_none();
        let renamed = exported.filter(|_| sku.is_none()).is_some_and(|then| {
            let specs = said.specs.as_deref().map(written).unwrap_or_default();
            then.was(Column::Name, name) && then.was(Column::Specs, &specs)
        });
        // An export of before has no prints, and its stock.
        let has_no_prints = row.said(Column::StockThen).is_some() && exported.is_none();
        let (sealed, stock) = (own.and_then(|then| then.stock()), said.stock_then);
        let before = sku.and_then(|sku| carried?.get(&sku.id));
        Moment {
            exported,
            before,
            stock: if is_of_others { before.and_then(|before| before.stock) } else { sealed.or(stock) },
            is_gone: renamed || has_no_prints && sku.is_none(),
            is_own: own.is_some(),
            is_of_others,
            lacks_stock: own.is_some() && stock.or(sealed).is_none(),
            altered: sealed.zip(stock).filter(|(sealed, stock)| sealed != stock),
        }
    }

    pub(super) fn at(&self) -> Option<i64> {
        self.exported.and_then(|then| then.at())
    }

    pub(super) fn since(&self, goods: &Goods) -> Since<'t> {
        Since::of(self.exported, goods.sku, self.before)
    }
}
