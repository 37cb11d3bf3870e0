//! Words that are struck through inside of a cell: what somebody has written something else beside, and does not mean. A
//! cell of which all words are is struck through itself.

use std::collections::HashMap;

use super::grid::Sheet;
use super::package::{Package, Seen, walk};
use super::pictures::place;
use super::zipped::attribute;
use super::{Cell, Unreadable};

/// What is left of the strings of a workbook of which a part is struck through, by their places among them; empty where all
/// of it is.
pub(super) struct Struck(HashMap<usize, String>);

/// The runs of one text: what is left of it, and whether anything was struck through.
#[derive(Default)]
struct Runs {
    left: String,
    struck: bool,
    any: bool,
    inside: bool,
}

impl Runs {
    fn see(&mut self, seen: &Seen<'_>) {
        match seen {
            Seen::Start("r", _) => self.struck = false,
            Seen::Start("strike", tag) => {
                self.struck = !attribute(tag, "val").is_some_and(|value| value == "0" || value == "false");
                self.any |= self.struck;
            }
            Seen::Start("t", _) => self.inside = true,
            Seen::End("t") => self.inside = false,
            Seen::Text(text) if self.inside && !self.struck => self.left.push_str(text),
            _ => {}
        }
    }

    fn left(self) -> Option<String> {
        self.any.then(|| self.left.trim().to_owned())
    }
}

impl Struck {
    pub(super) fn of(package: &mut Package<'_>) -> Result<Struck, Unreadable> {
        let xml = package.part("xl/sharedStrings.xml")?;
        let (mut left, mut at, mut runs) = (HashMap::new(), 0, Runs::default());
        walk(&xml[..], |seen| match seen {
            Seen::Start("si", _) => runs = Runs::default(),
            Seen::End("si") => {
                left.extend(std::mem::take(&mut runs).left().map(|text| (at, text)));
                at += 1;
            }
            seen => runs.see(&seen),
        })?;
        Ok(Struck(left))
    }

    /// Puts what is left into the cells of a sheet.
    pub(super) fn in_cells(&self, package: &mut Package<'_>, sheet: &mut Sheet) -> Result<(), Unreadable> {
        let (mut found, mut cell, mut value) = (Vec::new(), None, false);
        let (mut shared, mut runs) = (false, Runs::default());
        package.walk_sheet(&sheet.name, |seen| match seen {
            Seen::Start("c", tag) => {
                cell = attribute(tag, "r").and_then(|name| place(&name));
                (shared, value) = (attribute(tag, "t").as_deref() == Some("s"), false);
                runs = Runs::default();
            }
            Seen::Start("v", _) => value = shared,
            Seen::Text(text) if value => {
                let left = text.trim().parse().ok().and_then(|at: usize| self.0.get(&at));
                found.extend(cell.zip(left.cloned()));
            }
            Seen::End("v") => value = false,
            Seen::End("is") => found.extend(cell.zip(std::mem::take(&mut runs).left())),
            seen => runs.see(&seen),
        })?;
        found.into_iter().try_for_each(|((row, column), text)| leave(sheet, row, column, text))
    }
}

/// Puts what is left of its words into a cell.
pub(super) fn leave(sheet: &mut Sheet, row: u32, column: u32, left: String) -> Result<(), Unreadable> {
    if left.is_empty() {
        sheet.cross(row, column);
        return Ok(());
    }
    // Some programs give the cell what its first words have.
    sheet.crossed.entry(row + 1).or_default().retain(|crossed| *crossed != column as usize);
    sheet.put(row, column, Cell::Text(left))
}
