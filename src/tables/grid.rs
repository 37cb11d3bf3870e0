//! The cells of one sheet as they come out of a file, in whatever order, within bounds.

use std::collections::HashMap;
use std::sync::Arc;

use super::unseen::Unseen;
use super::{Cell, Looks, MOST_COLUMNS, MOST_LINE, MOST_ROWS, Unreadable};

/// Cells that are held at once of all sheets of a file, the empty ones between others too: a full table of twenty columns.
pub(super) const MOST_CELLS: usize = 20 * MOST_ROWS;
/// Bytes of text in all of them: one long string may stand in every cell and in the file once.
const MOST_TEXT: usize = 32 * 1024 * 1024;
/// More than people keep in one file.
const MOST_SHEETS: usize = 500;
/// More merges than people make, fewer than would take a second.
const MOST_MERGED: usize = 20_000;

/// A sheet as it was read, before anything is known about it.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub name: String,
    pub hidden: bool,
    /// Rows that hold something, each with the number the person sees.
    pub rows: Vec<(u32, Vec<Cell>)>,
    pub pictures: Vec<Lying>,
    /// Pictures of the whole file that lie in no cell of a sheet.
    pub unread_pictures: usize,
    pub unseen: Unseen,
    /// Of a line, the columns that are struck through.
    pub crossed: HashMap<u32, Vec<usize>>,
    /// Of a line, what is hung on its cells.
    pub comments: HashMap<u32, Vec<(usize, String)>>,
    /// How many cells each line has where a separator too many moves all that stands behind it: in text.
    pub written: HashMap<u32, usize>,
    /// Whether its cells are parted by a sign that stands in numbers and names, too.
    pub commas: bool,
    /// Of a line, the columns in which one cell stands for several lines, and for which.
    pub spans: HashMap<u32, Vec<Span>>,
    held: Held,
}

/// Lines that one cell stands for, in a column counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub column: usize,
    pub first: u32,
    pub last: u32,
}

/// What the cells of a file come to so far: its sheets are counted on, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    sheets: usize,
    cells: usize,
    text: usize,
}

impl Held {
    pub(super) fn more(&mut self, cells: usize, text: usize) -> Result<(), Unreadable> {
        self.cells = self.cells.saturating_add(cells);
        self.text = self.text.saturating_add(text);
        if self.cells > MOST_CELLS || self.text > MOST_TEXT { Err(beyond()) } else { Ok(()) }
    }
}

/// A picture of the sheet, in the line that the person sees, in the column counted from zero.
#[derive(Clone, Debug)]
pub(super) struct Lying {
    pub line: u32,
    pub column: usize,
    pub bytes: Arc<[u8]>,
    pub looks: Looks,
}

/// Cells made one: from their first to their last line, in their first column; lines as the person sees them.
pub(super) struct Merged {
    pub first: u32,
    pub last: u32,
    pub column: usize,
}

pub(super) fn beyond() -> Unreadable {
    Unreadable::new(format!(
        "表格超出 {} 万行、{MOST_COLUMNS} 列或 {} 万格：请把多余的行列整行、整列删除，或拆成几个文件",
        MOST_ROWS / 10_000,
        MOST_CELLS / 10_000
    ))
}

impl Sheet {
    /// The next one of a file.
    pub(super) fn after(before: &[Sheet], name: String, hidden: bool) -> Result<Sheet, Unreadable> {
        let mut held = before.last().map(|sheet| sheet.held).unwrap_or_default();
        held.sheets += 1;
        if held.sheets > MOST_SHEETS {
            return Err(Unreadable::new(format!("工作表超过 {MOST_SHEETS} 张：请把要导入的那一张另存为一个文件")));
        }
        Ok(Sheet { name, hidden, held, ..Sheet::default() })
    }

    /// Rows of text, each with its line, from the top down.
    pub(super) fn of(rows: Vec<(u32, Vec<Cell>)>) -> Sheet {
        Sheet { rows, ..Sheet::default() }
    }

    /// Puts a cell where it belongs, counted from zero. Rows may come twice and in any order until they are settled.
    pub(super) fn put(&mut self, row: u32, column: u32, cell: Cell) -> Result<(), Unreadable> {
        let line = row.saturating_add(1);
        if line > MOST_LINE || column >= MOST_COLUMNS {
            return Err(beyond());
        }
        if self.rows.last().is_none_or(|(last, _)| *last != line) {
            self.rows.push((line, Vec::new()));
        }
        let Some((_, cells)) = self.rows.last_mut() else { return Ok(()) };
        let needed = column as usize + 1;
        self.held.more(needed.saturating_sub(cells.len()), cell.shown().len())?;
        cells.resize(cells.len().max(needed), Cell::Empty);
        cells[column as usize] = cell;
        Ok(())
    }

    /// Notes that what stands in a cell, counted from zero, is struck through.
    pub(super) fn cross(&mut self, row: u32, column: u32) {
        let crossed = self.crossed.entry(row.saturating_add(1)).or_default();
        let column = column as usize;
        if !crossed.contains(&column) {
            crossed.push(column);
        }
    }

    /// Notes what is hung on a cell, in the line that the person sees, in the column counted from zero.
    pub(super) fn comment(&mut self, line: u32, column: usize, words: String) {
        const MOST: usize = 5_000;
        if self.comments.len() < MOST {
            self.comments.entry(line).or_default().push((column, words));
        }
    }

    /// Whole rows, the same one so many times.
    pub(super) fn repeat(&mut self, row: u32, times: u32, cells: Vec<Cell>) -> Result<(), Unreadable> {
        let last = row.saturating_add(times);
        if last > MOST_LINE || cells.len() > MOST_COLUMNS as usize {
            return Err(beyond());
        }
        let text: usize = cells.iter().map(|cell| cell.shown().len()).sum();
        self.held.more(cells.len() * times as usize, text * times as usize)?;
        self.rows.extend((row + 1..=last).map(|line| (line, cells.clone())));
        Ok(())
    }

    /// Its rows from one on, as a sheet of their own.
    pub(super) fn cut(&mut self, at: usize) -> Sheet {
        let rows = self.rows.split_off(at);
        let first = rows.first().map_or(u32::MAX, |(line, _)| *line);
        let (above, below) = std::mem::take(&mut self.pictures).into_iter().partition(|picture| picture.line < first);
        self.pictures = above;
        Sheet {
            name: self.name.clone(),
            hidden: self.hidden,
            rows,
            pictures: below,
            unseen: self.unseen.clone(),
            crossed: self.crossed.clone(),
            written: self.written.clone(),
            commas: self.commas,
            spans: self.spans.clone(),
            ..Sheet::default()
        }
    }

    /// From the top down, every line once.
    pub(super) fn settle(&mut self) {
        self.rows.sort_by_key(|(line, _)| *line);
        self.rows.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1.resize(kept.1.len().max(later.1.len()), Cell::Empty);
                let more = later.1.drain(..).enumerate().filter(|(_, cell)| *cell != Cell::Empty);
                more.for_each(|(at, cell)| kept.1[at] = cell);
            }
            same
        });
    }

    /// What stands in the first of merged cells counts for all their rows. Downwards only: a name over two columns is
    /// not also the value of the second.
    pub(super) fn merge(&mut self, merged: impl Iterator<Item = Merged>) -> Result<(), Unreadable> {
        for one in merged.filter(|one| one.last > one.first).take(MOST_MERGED) {
            let Ok(at) = self.rows.binary_search_by_key(&one.first, |(line, _)| *line) else { continue };
            self.merge_pictures(&one);
            let counts = |cell: &&Cell| !matches!(cell, Cell::Empty | Cell::Picture);
            let Some(value) = self.rows[at].1.get(one.column).filter(counts).cloned() else {
                continue;
            };
            let mut lines = vec![one.first];
            for (line, cells) in self.rows[at + 1..].iter_mut().take_while(|(line, _)| *line <= one.last) {
                self.held.more((one.column + 1).saturating_sub(cells.len()), 0)?;
                cells.resize(cells.len().max(one.column + 1), Cell::Empty);
                if cells[one.column] == Cell::Empty {
                    self.held.more(0, value.shown().len())?;
                    cells[one.column] = value.clone();
                    lines.push(*line);
                }
            }
            if let [first, .., last] = lines[..] {
                let span = Span { column: one.column, first, last };
                lines.into_iter().for_each(|line| self.spans.entry(line).or_default().push(span));
            }
        }
        Ok(())
    }

    /// A picture in merged cells, or over them, is that of all their rows, where it is to be seen.
    fn merge_pictures(&mut self, one: &Merged) {
        let of_it = |line: u32| (one.first..=one.last).contains(&line);
        let within = |picture: &&Lying| picture.column == one.column && of_it(picture.line) && !picture.looks.unseen;
        let copy = |picture: &Lying| {
            let lines = self.rows.iter().map(|(line, _)| *line).filter(|line| of_it(*line) && *line != picture.line);
            lines.map(|line| Lying { line, ..picture.clone() }).collect::<Vec<_>>()
        };
        let more: Vec<Lying> = self.pictures.iter().filter(within).flat_map(copy).collect();
        self.pictures.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn merged_cells_count_for_their_rows_and_put_nothing_over_what_stands_there() {
        let rows = vec![
            (2, vec![text("A1"), text("x")]),
            (3, vec![Cell::Empty, text("y")]),
            (4, vec![text("A2")]),
            (5, Vec::new()),
            (6, Vec::new()),
        ];
        let mut sheet = Sheet::of(rows);
        sheet.merge([Merged { first: 2, last: 5, column: 0 }].into_iter()).unwrap();
        let first: Vec<Option<&Cell>> = sheet.rows.iter().map(|(_, cells)| cells.first()).collect();
        assert_eq!(first, [Some(&text("A1")), Some(&text("A1")), Some(&text("A2")), Some(&text("A1")), None]);
        let mut shared: Vec<u32> = sheet.spans.keys().copied().collect();
        shared.sort_unstable();
        assert_eq!((shared, sheet.spans[&3][0]), (vec![2, 3, 5], Span { column: 0, first: 2, last: 5 }));
    }

    #[test]
    fn a_picture_over_merged_cells_is_that_of_all_their_rows_where_it_is_seen() {
        for (unseen, lines) in [(false, vec![2, 3, 4]), (true, vec![2])] {
            let mut sheet = Sheet::of(vec![(2, vec![text("A1")]), (3, vec![text("A2")]), (4, vec![text("A3")])]);
            let looks = Looks { unseen, ..Looks::default() };
            sheet.pictures.push(Lying { line: 2, column: 1, bytes: Arc::from([]), looks });
            sheet.merge([Merged { first: 2, last: 4, column: 1 }].into_iter()).unwrap();
            assert_eq!(sheet.pictures.iter().map(|picture| picture.line).collect::<Vec<_>>(), lines);
        }
    }

    #[test]
    fn a_cell_beyond_the_last_line_or_column_is_refused() {
        for (row, column, fits) in [
            (MOST_LINE - 1, 0, true),
            (MOST_LINE, 0, false),
            (0, MOST_COLUMNS - 1, true),
            (0, MOST_COLUMNS, false),
            (u32::MAX, 0, false),
        ] {
            assert_eq!(Sheet::default().put(row, column, text("x")).is_ok(), fits, "{row} {column}");
        }
    }
}
