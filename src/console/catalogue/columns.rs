//! The columns of the table of products.

use crate::catalogue::lists::Sort;
use crate::console::columns::{Column, Ways};
use crate::stored_enum::stored_enum;

stored_enum! {
    pub enum ProductColumn {
        Category "category" "分类",
        Price "price" "售价",
        Market "market" "划线价",
        Stock "stock" "可售",
        Reach "reach" "还能卖多久",
        Days "days" "每天卖出",
        Sold "sold" "卖出",
        Shelf "shelf" "上架",
    }
}

impl Column for ProductColumn {
    const ALL: &'static [ProductColumn] = ProductColumn::ALL;

    fn word(self) -> &'static str {
        self.word()
    }

    fn text(self) -> &'static str {
        self.text()
    }

    fn is_number(self) -> bool {
        matches!(self, ProductColumn::Price | ProductColumn::Market | ProductColumn::Sold)
    }

    fn is_usual(self) -> bool {
        !matches!(self, ProductColumn::Category | ProductColumn::Market)
    }
}

impl ProductColumn {
    pub fn ways(self) -> Option<Ways<Sort>> {
        match self {
            ProductColumn::Price => Some(Ways { first: Sort::PriceDesc, other: Sort::PriceAsc, rises: false }),
            ProductColumn::Stock => Some(Ways { first: Sort::Scarcest, other: Sort::Fullest, rises: true }),
            ProductColumn::Sold => Some(Ways { first: Sort::Sales, other: Sort::Slowest, rises: false }),
            _ => None,
        }
    }
}
