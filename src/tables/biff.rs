//! The records of an old workbook: what its sheets would take, and how its cells are formatted, which the library that
//! reads them does not tell.

use std::collections::HashMap;

use super::cfb::{u16_at, u32_at};
use super::grid::beyond;
use super::strings::{self, CELL_OF_A_STRING, CONTINUED, STRINGS};
use super::unseen::Unseen;
use super::{MOST_COLUMNS, MOST_LINE, Unreadable, number};

/// Each sheet is laid out as a rectangle when it is read: so many cells all of them may have, with and without something
/// in them.
const MOST_CELLS: usize = 2_000_000;

const BEGINNING: [u16; 4] = [0x0809, 0x0409, 0x0209, 0x0009];
const END: u16 = 0x000a;
const PASSWORD: u16 = 0x002f;
const SHEET: u16 = 0x0085;
const FORMAT: u16 = 0x041e;
const FONT: u16 = 0x0031;
const CELL_STYLE: u16 = 0x00e0;
const ROW: u16 = 0x0208;
const COLUMNS: u16 = 0x007d;
const OBJECT: u16 = 0x005d;
const NUMBERS_OF_A_ROW: u16 = 0x00bd;
/// Numbers, texts, formulas, truths and errors.
const CELLS: [u16; 12] =
    [0x0203, 0x0003, 0x00fd, 0x0204, 0x0004, 0x00d6, 0x027e, NUMBERS_OF_A_ROW, 0x0006, 0x0206, 0x0406, 0x0205];

/// Formats that change what is seen in a cell.
#[derive(Debug)]
pub(super) struct Formats {
    codes: HashMap<u16, String>,
    /// Whether each font strikes through what is written in it.
    striking: Vec<bool>,
    /// The format of every style of cells, and whether it strikes through.
    styles: Vec<(u16, bool)>,
    /// Where each sheet begins in the stream.
    sheets: Vec<u32>,
    /// For each sheet its cells in order, with their formats.
    cells: Vec<Vec<(u32, u16)>>,
    /// Pictures that lie over the cells.
    pub pictures: usize,
    /// What is not shown of each sheet that hides something.
    pub unseen: HashMap<usize, Unseen>,
    /// For each sheet the columns of a line, as the person sees it, that are struck through.
    pub crossed: HashMap<usize, HashMap<u32, Vec<usize>>>,
    /// For each sheet the cells of which some words are, with what is left.
    pub left: HashMap<usize, Vec<(u32, u32, String)>>,
}

/// A cell's place as a number that grows from left to right and from line to line.
fn place(row: u32, column: u32) -> u32 {
    row * MOST_COLUMNS + column
}

impl Formats {
    /// Walks over the records once. How large the sheets are is in every cell, whatever the file says of itself.
    pub(super) fn read(stream: &[u8]) -> Result<Formats, Unreadable> {
        let codes = [(9, "0%".to_owned()), (10, "0.00%".to_owned())].into();
        let mut read = Formats {
            codes,
            striking: Vec::new(),
            styles: Vec::new(),
            sheets: Vec::new(),
            cells: Vec::new(),
            pictures: 0,
            unseen: HashMap::new(),
            crossed: HashMap::new(),
            left: HashMap::new(),
        };
        let (mut texts, mut of_texts, mut last) = (Vec::new(), Vec::new(), 0);
        let (mut at, mut rows, mut columns, mut before) = (0, 0, 0, 0);
        // A chart inside of a sheet has a beginning and an end of its own, and cells that are not the sheet's.
        let (mut inside, mut wide) = (Vec::new(), true);
        while let (Some(kind), Some(length)) = (u16_at(stream, at), u16_at(stream, at + 2)) {
            let record = stream.get(at + 4..at + 4 + usize::from(length)).unwrap_or_default();
            match kind {
                STRINGS => texts.push(record),
                CONTINUED if last == STRINGS => texts.push(record),
                kind if BEGINNING.contains(&kind) => {
                    before += rows as usize * columns as usize;
                    (rows, columns) = (0, 0);
                    wide = if inside.is_empty() { u16_at(record, 0) == Some(0x0600) } else { wide };
                    inside.push(read.sheets.iter().position(|start| *start as usize == at));
                }
                END => drop(inside.pop()),
                PASSWORD => return Err(Unreadable::encrypted()),
                SHEET => read.sheets.extend(record.first_chunk().map(|start| u32::from_le_bytes(*start))),
                FORMAT => read.codes.extend(code(record, wide).filter(|(_, code)| number::matters(code))),
                FONT => read.striking.push(u16_at(record, 2).is_some_and(|flags| flags & 8 != 0)),
                CELL_STYLE => read.styles.extend(read.style(record)),
                // Boxes, buttons, notes; this one is a picture.
                OBJECT => read.pictures += usize::from(u16_at(record, 4) == Some(8)),
                ROW | COLUMNS => {
                    if let Some(sheet) = inside.last().copied().flatten() {
                        read.hide(sheet, kind, record);
                    }
                }
                // Its size as it claims it.
                0x0200 | 0x0000 => claimed(record)?,
                kind if CELLS.contains(&kind) => {
                    let (Some(row), Some(column)) = (u16_at(record, 0), u16_at(record, 2)) else { break };
                    let (row, column) = (u32::from(row), u32::from(column));
                    // Several numbers of one row in one record.
                    let more = if kind == NUMBERS_OF_A_ROW { u32::from(length).saturating_sub(6) / 6 } else { 1 };
                    (rows, columns) = (rows.max(row + 1), columns.max(column + more.max(1)));
                    let all = before + rows as usize * columns as usize;
                    if rows > MOST_LINE || columns > MOST_COLUMNS || all > MOST_CELLS {
                        return Err(beyond());
                    }
                    if let Some(sheet) = inside.last().copied().flatten() {
                        let text = u32_at(record, 6).filter(|_| kind == CELL_OF_A_STRING);
                        of_texts.extend(text.map(|text| (sheet, row, column, text)));
                        (0..more).for_each(|i| read.note(sheet, row, column + i, u16_at(record, 4 + 6 * i as usize)));
                    }
                }
                _ => {}
            }
            at += 4 + usize::from(length);
            last = if kind == CONTINUED { last } else { kind };
        }
        let texts = strings::left(&texts, &|font| read.strikes(font));
        for (sheet, row, column, text) in of_texts {
            if let Some(text) = texts.get(&text) {
                read.left.entry(sheet).or_default().push((row, column, text.clone()));
            }
        }
        read.cells.iter_mut().for_each(|cells| cells.sort_by_key(|cell| cell.0));
        Ok(read)
    }

    /// A row, or several columns, whose flags say that they are not shown.
    fn hide(&mut self, sheet: usize, kind: u16, record: &[u8]) {
        let at = |at| u16_at(record, at).unwrap_or_default();
        match kind {
            ROW if at(12) & 0x20 != 0 => self.unseen.entry(sheet).or_default().add_lines(u32::from(at(0)) + 1, 1),
            COLUMNS if at(8) & 1 != 0 => {
                self.unseen.entry(sheet).or_default().add_columns(at(0).into(), at(2).into());
            }
            _ => {}
        }
    }

    /// A style's format, and whether its font strikes through.
    fn style(&self, record: &[u8]) -> Option<(u16, bool)> {
        Some((u16_at(record, 2)?, self.strikes(u16_at(record, 0)?)))
    }

    /// No font has the number four.
    fn strikes(&self, font: u16) -> bool {
        let font = usize::from(if font > 4 { font - 1 } else { font });
        self.striking.get(font).copied().unwrap_or(false)
    }

    fn note(&mut self, sheet: usize, row: u32, column: u32, style: Option<u16>) {
        let style = style.and_then(|style| self.styles.get(usize::from(style))).copied();
        let Some((format, strikes)) = style else { return };
        if self.codes.contains_key(&format) {
            self.cells.resize_with(self.cells.len().max(sheet + 1), Vec::new);
            self.cells[sheet].push((place(row, column), format));
        }
        if strikes {
            self.crossed.entry(sheet).or_default().entry(row + 1).or_default().push(column as usize);
        }
    }

    /// The format of a cell; empty where it changes nothing.
    pub(super) fn of(&self, sheet: usize, row: u32, column: u32) -> &str {
        let cells = self.cells.get(sheet).map_or(&[][..], Vec::as_slice);
        let at = cells.binary_search_by_key(&place(row, column), |cell| cell.0).ok();
        at.and_then(|at| self.codes.get(&cells[at].1)).map_or("", String::as_str)
    }
}

fn claimed(record: &[u8]) -> Result<(), Unreadable> {
    let long = record.len() == 14;
    let last = if long { (u16_at(record, 4), u16_at(record, 10)) } else { (u16_at(record, 2), u16_at(record, 6)) };
    let high = record.get(6..8).filter(|_| long).is_some_and(|bytes| bytes != [0, 0]);
    let cells = usize::from(last.0.unwrap_or(0)) * usize::from(last.1.unwrap_or(0));
    if high || cells > 8 * MOST_CELLS { Err(beyond()) } else { Ok(()) }
}

/// A format and its number: in Excel 97 and later with a length of two bytes, and one that says how wide its letters are.
fn code(record: &[u8], wide: bool) -> Option<(u16, String)> {
    let number = u16_at(record, 0)?;
    let letters = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect();
    if !wide {
        let length = usize::from(*record.get(2)?);
        return Some((number, letters(record.get(3..3 + length)?)));
    }
    let length = usize::from(u16_at(record, 2)?);
    if record.get(4)? & 1 == 0 {
        return Some((number, letters(record.get(5..5 + length)?)));
    }
    let units = record.get(5..5 + 2 * length)?.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    Some((number, String::from_utf16_lossy(&units.collect::<Vec<_>>())))
}
