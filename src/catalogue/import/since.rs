//! What an export says of the moment it was made, so that an older one takes nothing back: of each cell a print, which a
//! cell that nobody has touched since still has.

use super::{Column, TITLES, cell};
use crate::catalogue::{Category, Product, Sku};
use crate::ids::SkuId;
use crate::shown::mark;

/// The columns that have one, in their order. The stock has its own figure instead, for sales change it all the time.
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

/// What an export writes beside a SKU: which it is, its cells, and a print of all that.
pub(super) fn written(product: &Product, sku: &Sku, categories: &[Category]) -> String {
    let cells = COLUMNS.map(|column| print(&cell(product, sku, categories, column)));
    sealed(format!("{}{}", print(&sku.id.to_string()), cells.concat()))
}

fn sealed(prints: String) -> String {
    let seal = print(&prints);
    prints + &seal
}

fn print(text: &str) -> String {
    let mut left = mark([text]);
    let letters = (0..LETTERS_EACH).map(|_| {
        let letter = LETTERS[(left % LETTERS.len() as u64) as usize];
        left /= LETTERS.len() as u64;
        char::from(letter)
    });
    letters.collect()
}

/// What a row was when it was written.
pub(super) struct Then<'t>(&'t str);

impl Then<'_> {
    /// `None` where it is not as an export wrote it.
    pub(super) fn read(text: &str) -> Option<Then<'_>> {
        let prints = text.get(..text.len().checked_sub(LETTERS_EACH)?)?;
        let whole = text.len() == LETTERS_EACH * (COLUMNS.len() + 2) && text.is_ascii();
        (whole && sealed(prints.to_owned()) == text).then_some(Then(text))
    }

    fn nth(&self, at: usize) -> &str {
        &self.0[at * LETTERS_EACH..(at + 1) * LETTERS_EACH]
    }

    /// Rows are copied, and their words changed.
    pub(super) fn is_of(&self, id: SkuId) -> bool {
        self.nth(0) == print(&id.to_string())
    }

    pub(super) fn was(&self, column: Column, text: &str) -> bool {
        COLUMNS.iter().position(|known| *known == column).is_some_and(|at| self.nth(at + 1) == print(text))
    }
}

/// What became of a SKU's cells since its export, in the table and in the shop.
#[derive(Default)]
pub(super) struct Since<'t> {
    then: Option<Then<'t>>,
    /// Changed in the shop alone, and left so.
    pub left: Vec<String>,
    /// Changed in both.
    pub both: Vec<String>,
}

impl<'t> Since<'t> {
    pub(super) fn of(then: Option<Then<'t>>, sku: Option<&Sku>) -> Since<'t> {
        let then = then.zip(sku).filter(|(then, sku)| then.is_of(sku.id)).map(|(then, _)| then);
        Since { then, ..Since::default() }
    }

    /// What a row says of a column, unless it only says what the shop had when it was exported.
    pub(super) fn said<T>(
        &mut self,
        column: Column,
        now: impl FnOnce() -> Option<String>,
        said: Option<T>,
        text: impl Fn(&T) -> String,
    ) -> Option<T> {
        let (Some(then), Some(is)) = (&self.then, said.as_ref().map(text)) else { return said };
        let Some(now) = now() else { return said };
        if then.was(column, &now) || is == now {
            return said;
        }
        let told = format!("{} {}", TITLES[column as usize][0], if now.is_empty() { "（空）" } else { &now });
        if then.was(column, &is) {
            self.left.push(told);
            return None;
        }
        self.both.push(told);
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_again_and_nothing_else() {
        let prints = COLUMNS.map(|column| print(&format!("{column:?}"))).concat();
        let text = sealed(format!("{}{prints}", print("7")));
        let then = Then::read(&text).unwrap();
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
