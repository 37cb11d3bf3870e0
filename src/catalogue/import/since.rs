//! What an export says of the moment it was made, so that an older one takes nothing back: of each cell a print, which a
//! cell that nobody has touched since still has; and what of it was carried out before, so that a table that is corrected
//! and brought again does nothing twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::Connection;

use super::cells::cell;
use super::store::{self, Carried as Writing};
use super::{Column, Row, TITLES, WRITTEN};
use crate::catalogue::{Category, Product, Sku};
use crate::error::Result;
use crate::ids::SkuId;
use crate::shown::mark;

/// The columns that have one, in their order. The stock is written out instead, for sales change it all the time.
const COLUMNS: [Column; 11] = [
    Column::Name,
    Column::Subtitle,
    Column::Category,
    Column::Specs,
    Column::SkuCode,
    Column::Price,
    Column::MarketPrice,
    Column::OnShelf,
    Column::Barcode,
    Column::Weight,
    Column::Cost,
];

/// Of what prints are made: nothing that a spreadsheet takes for a number, a day or a formula.
const LETTERS: &[u8; 24] = b"abcdfghijkmnopqrstuvwxyz";
const LETTERS_EACH: usize = 3;
/// When it was exported, in the same letters, and what the stock was.
const MOMENT: usize = 10;
const STOCK: usize = 6;
/// Where the prints end.
const PRINTS: usize = LETTERS_EACH * (COLUMNS.len() + 1);

/// What an export writes beside a SKU: which it is, its cells, when that was, its stock, and a print of all that.
pub(super) fn written(product: &Product, sku: &Sku, categories: &[Category], at: i64) -> String {
    let cells = COLUMNS.map(|column| print(&cell(product, sku, categories, column)));
    let figures = letters(at as u64, MOMENT) + &letters(sku.on_hand as u64, STOCK);
    sealed(print(&sku.id.to_string()) + &cells.concat() + &figures)
}

fn sealed(prints: String) -> String {
    let seal = print(&prints);
    prints + &seal
}

fn print(text: &str) -> String {
    letters(mark([text]), LETTERS_EACH)
}

fn letters(mut number: u64, n: usize) -> String {
    let letters = (0..n).map(|_| {
        let letter = LETTERS[(number % LETTERS.len() as u64) as usize];
        number /= LETTERS.len() as u64;
        char::from(letter)
    });
    letters.collect()
}

fn number(letters: &str) -> i64 {
    let worth = |letter: u8| LETTERS.iter().position(|known| *known == letter).unwrap_or_default() as i64;
    letters.bytes().rev().fold(0, |sum, letter| sum * LETTERS.len() as i64 + worth(letter))
}

/// What a row was when it was written.
#[derive(Clone, Copy)]
pub(super) struct Then<'t>(&'t str);

impl<'t> Then<'t> {
    /// `None` where it is not as an export wrote it.
    pub(super) fn read(text: &str) -> Option<Then<'_>> {
        let prints = text.get(..text.len().checked_sub(LETTERS_EACH)?)?;
        // Exports of before did not say when they were made, nor the stock.
        let whole = [0, MOMENT, MOMENT + STOCK].map(|figures| PRINTS + figures).contains(&prints.len());
        let whole = whole && text.is_ascii();
        (whole && sealed(prints.to_owned()) == text).then_some(Then(text))
    }

    fn cells(&self) -> &'t str {
        &self.0[LETTERS_EACH..PRINTS]
    }

    /// Rows are copied, and their words changed.
    pub(super) fn is_of(&self, id: SkuId) -> bool {
        self.0[..LETTERS_EACH] == print(&id.to_string())
    }

    pub(super) fn was(&self, column: Column, text: &str) -> bool {
        nth(self.cells(), column) == Some(&print(text))
    }

    /// When it was exported.
    pub(super) fn at(&self) -> Option<i64> {
        self.figure(0, MOMENT)
    }

    /// What the stock was.
    pub(super) fn stock(&self) -> Option<i64> {
        self.figure(MOMENT, STOCK)
    }

    fn figure(&self, from: usize, letters: usize) -> Option<i64> {
        self.0[PRINTS..self.0.len() - LETTERS_EACH].get(from..from + letters).map(number)
    }
}

fn place(column: Column) -> Option<std::ops::Range<usize>> {
    let at = COLUMNS.iter().position(|known| *known == column)?;
    Some(at * LETTERS_EACH..(at + 1) * LETTERS_EACH)
}

fn nth(prints: &str, column: Column) -> Option<&str> {
    prints.get(place(column)?)
}

/// What became of a SKU's cells since its export, in the table and in the shop.
pub(super) struct Since<'t> {
    then: Option<Then<'t>>,
    /// What a table of the same export wrote of it before.
    before: Option<&'t Writing>,
    /// What is written of it once this row is carried out: a print of each cell.
    pub prints: String,
    /// Changed in the shop alone, and left so.
    pub left: Vec<String>,
    /// Changed by this very table before, in which it is now as it was exported: by whom, nobody knows, so left as well.
    pub back: Vec<String>,
    /// Changed in both.
    pub both: Vec<String>,
}

impl<'t> Since<'t> {
    pub(super) fn of(then: Option<Then<'t>>, sku: Option<&Sku>, before: Option<&'t Writing>) -> Since<'t> {
        let own = then.zip(sku).filter(|(then, sku)| then.is_of(sku.id)).map(|(then, _)| then);
        let prints = before.map(|before| &*before.prints).or(then.map(|then| then.cells())).unwrap_or_default();
        Since { then: own, before, prints: prints.to_owned(), left: Vec::new(), back: Vec::new(), both: Vec::new() }
    }

    /// What a row says of a column, unless it only says what the shop had when it was exported, or what was carried out
    /// already.
    pub(super) fn said<T>(
        &mut self,
        column: Column,
        now: impl FnOnce() -> Option<String>,
        said: Option<T>,
        text: impl Fn(&T) -> String,
    ) -> Option<T> {
        let Some(is) = said.as_ref().map(text) else { return said };
        let untouched = self.then.is_some_and(|then| then.was(column, &is));
        if let Some(place) = place(column).filter(|place| !untouched && place.end <= self.prints.len()) {
            self.prints.replace_range(place, &print(&is));
        }
        let (Some(then), Some(now)) = (&self.then, now()) else { return said };
        let before = |text: &str| self.before.is_some_and(|before| nth(&before.prints, column) == Some(&print(text)));
        if then.was(column, &now) || is == now || !untouched && before(&now) {
            return said;
        }
        let told = format!("{} {}", TITLES[column as usize][0], if now.is_empty() { "（空）" } else { &now });
        let whose = match () {
            () if untouched && before(&now) => &mut self.back,
            () if untouched || before(&is) => &mut self.left,
            () => {
                self.both.push(told);
                return said;
            }
        };
        whose.push(told);
        None
    }
}

/// What the rows of each export have written already.
#[derive(Default)]
pub(super) struct Carried(HashMap<i64, HashMap<SkuId, Writing>>);

impl Carried {
    /// Of the export of which a row is, if it says of which.
    pub(super) fn by(&mut self, conn: &Connection, row: &Row) -> Result<Option<&HashMap<SkuId, Writing>>> {
        let Some(at) = exported_at(row) else { return Ok(None) };
        Ok(Some(match self.0.entry(at) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(room) => room.insert(store::carried(conn, at)?),
        }))
    }
}

/// When a row was exported, if it says so.
pub(super) fn exported_at(row: &Row) -> Option<i64> {
    Then::read(row.said(Column::AsExported)?)?.at()
}

/// A SKU in the columns that are read. Pictures stay where they are: the column is empty, and an import keeps them.
/// `at` is a moment before any of it was read.
pub fn row(product: &Product, sku: &Sku, categories: &[Category], at: i64) -> Vec<String> {
    let written = |column| match column {
        Column::AsExported => written(product, sku, categories, at),
        column => cell(product, sku, categories, column),
    };
    WRITTEN.map(written).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_again_and_nothing_else() {
        let prints = COLUMNS.map(|column| print(&format!("{column:?}"))).concat();
        let (moment, stock) = (letters(1_764_400_000_123, MOMENT), letters(10_000_000, STOCK));
        let figures = |figures: &str| {
            let text = sealed(format!("{}{prints}{figures}", print("7")));
            Then::read(&text).map(|then| (then.at(), then.stock()))
        };
        assert_eq!(figures(""), Some((None, None)));
        assert_eq!(figures(&moment), Some((Some(1_764_400_000_123), None)));
        let text = sealed(format!("{}{prints}{moment}{stock}", print("7")));
        let then = Then::read(&text).unwrap();
        assert_eq!((then.at(), then.stock()), (Some(1_764_400_000_123), Some(10_000_000)));
        assert!(then.is_of("7".parse().unwrap()) && !then.is_of("8".parse().unwrap()));
        assert!(
            then.was(Column::Cost, "Cost") && !then.was(Column::Cost, "Price") && !then.was(Column::Stock, "Stock")
        );
        assert!(text.bytes().all(|letter| LETTERS.contains(&letter)));
        let spoilt = text.replacen(&text[..1], if text.starts_with('a') { "b" } else { "a" }, 1);
        for other in ["", "ab", "1.23E+10", &text[1..], &spoilt] {
            assert!(Then::read(other).is_none(), "{other}");
        }
    }
}
