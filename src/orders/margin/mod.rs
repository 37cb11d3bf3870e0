//! What is earned on goods: what was paid for them, less what they cost the shop. Nothing is guessed of pieces whose cost
//! nobody has written down: they stand beside it, counted.

mod kept;
mod store;

use std::collections::BTreeMap;

use rusqlite::Connection;

pub use kept::Margins;

use super::paid_for;
use crate::clock::Day;
use crate::error::Result;

/// Of some days. Sales count on the day they were paid, what goes back on the day it went; in both, so a day may be below
/// zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    /// Pieces whose cost is known, less those that are back with the shop.
    pub pieces: i64,
    /// What was paid for them without freight, less what was given back, in fen.
    pub income_fen: i64,
    /// What they cost, in fen. Pieces that were paid back and did not come back have cost it all the same.
    pub cost_fen: i64,
    /// Pieces whose cost is not known, and what was paid for them; in none of the above.
    pub unknown_pieces: i64,
    pub unknown_fen: i64,
}

impl Margin {
    pub fn earned_fen(&self) -> i64 {
        self.income_fen - self.cost_fen
    }

    /// In hundredths of the income; none where nothing came in.
    pub fn percent(&self) -> Option<i64> {
        (self.income_fen > 0).then(|| self.earned_fen() * 100 / self.income_fen)
    }

    pub fn sum<'a>(days: impl IntoIterator<Item = &'a Margin>) -> Margin {
        days.into_iter().fold(Margin::default(), |sum, day| Margin {
            pieces: sum.pieces + day.pieces,
            income_fen: sum.income_fen + day.income_fen,
            cost_fen: sum.cost_fen + day.cost_fen,
            unknown_pieces: sum.unknown_pieces + day.unknown_pieces,
            unknown_fen: sum.unknown_fen + day.unknown_fen,
        })
    }

    /// So many pieces at `cost` each, for which `fen` were paid; both may be below zero.
    fn add(&mut self, pieces: i64, fen: i64, cost: Option<i64>) {
        match cost {
            Some(cost) => {
                self.pieces += pieces;
                self.income_fen += fen;
                self.cost_fen += pieces * cost;
            }
            None => {
                self.unknown_pieces += pieces;
                self.unknown_fen += fen;
            }
        }
    }
}

/// Each day from `first` to `last` on which goods were sold or came back.
pub fn by_day(conn: &Connection, first: Day, last: Day) -> Result<BTreeMap<Day, Margin>> {
    reckon(conn, (first.start(), last.end()))
}

fn reckon(conn: &Connection, span: store::Span) -> Result<BTreeMap<Day, Margin>> {
    let mut days: BTreeMap<Day, Margin> = BTreeMap::new();
    store::sales(conn, span, |at, lines, discount| {
        let day = days.entry(Day::of(at)).or_default();
        let (amounts, promoted): (Vec<_>, Vec<_>) = lines.iter().map(|line| (line.amount, line.promoted)).unzip();
        for (line, paid) in lines.iter().zip(paid_for(&amounts, &promoted, discount)) {
            day.add(line.pieces, paid.get(), line.cost);
        }
    })?;
    for back in store::goods_back(conn, span)? {
        days.entry(Day::of(back.at)).or_default().add(-back.pieces, 0, back.cost);
    }
    for back in store::money_back(conn, span)? {
        days.entry(Day::of(back.at)).or_default().add(0, -back.fen, back.known.then_some(0));
    }
    Ok(days)
}
