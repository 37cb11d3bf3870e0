//! A rule of the shop, and the short questions that find what breaks it.

use rusqlite::{Connection, Result};

use super::stock::Stock;

/// What must always hold.
pub struct Rule {
    pub name: &'static str,
    /// What they find is added up.
    pub questions: &'static [(Over, Question)],
}

impl Rule {
    /// Whether it is of sums of everything, and no single row breaks it.
    pub fn is_of_sums(&self) -> bool {
        self.questions.iter().any(|(_, question)| matches!(question, Question::Difference(_)))
    }
}

/// What a question goes through, a slice of it at a time. Each slice is a read of its own, so a question compares only
/// what changes in one transaction: rows of the same orders, or what the last slice puts right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// All at once: few rows, or an index that holds little else.
    Once,
    Products,
    Skus,
    Orders,
    OrderLines,
    OrderEvents,
    Attempts,
    Refunds,
    Returns,
    Ledger,
    MoneyDays,
    Buyers,
    PaymentCoupons,
    Promotions,
    Coupons,
    StockMoves,
    /// When all slices are through, once: what they gathered is compared with what stands there now.
    Gathered,
}

impl Over {
    /// In this order they are gone through.
    pub const ALL: [Over; 17] = [
        Over::Once,
        Over::Products,
        Over::Skus,
        Over::Orders,
        Over::OrderLines,
        Over::OrderEvents,
        Over::Attempts,
        Over::Refunds,
        Over::Returns,
        Over::Ledger,
        Over::MoneyDays,
        Over::Buyers,
        Over::PaymentCoupons,
        Over::Promotions,
        Over::Coupons,
        Over::StockMoves,
        Over::Gathered,
    ];

    /// So many rows are a slice at the most: some ten milliseconds of a question.
    pub fn slice(self) -> i64 {
        match self {
            Over::Once | Over::Gathered => 1,
            // Each is looked up in the index of text.
            Over::Products => 2_000,
            // Each has many rows of others behind it.
            Over::MoneyDays | Over::Promotions => 1,
            // Those who come often have a hundred orders each, all over the table.
            Over::Buyers => 200,
            Over::Orders | Over::OrderLines | Over::Attempts | Over::Refunds | Over::Returns => 5_000,
            Over::Skus | Over::OrderEvents | Over::Ledger | Over::PaymentCoupons | Over::Coupons => 10_000,
            Over::StockMoves => 50_000,
        }
    }
}

/// One question of a rule. Those of slices are asked of the rows with `?1 < id <= ?2`.
pub enum Question {
    /// How many rows break the rule.
    Breaking(&'static str),
    /// What one side has more than the other. Only the sum of all slices has to be nothing.
    Difference(&'static str),
    /// What a later question compares.
    Gather(fn(&mut Stock, &Connection, i64, i64) -> Result<()>),
    /// How many rows are not what was gathered.
    Compare(fn(&Stock, &Connection) -> Result<i64>),
}
