//! Workbooks of LibreOffice: `.ods`, and `.fods` of the same XML in one piece, read as a stream, for a few bytes of it may
//! repeat a cell a million times.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::grid::{Merged, Sheet, beyond};
use super::package::referred;
use super::xlsx::{self, written};
use super::zipped::attribute;
use super::{Cell, MOST_COLUMNS, Unreadable, comments, number, zipped};

/// Bytes of text in one cell: many times what a spreadsheet lets people type.
const MOST_CELL: usize = 1024 * 1024;

pub(super) fn sheets(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    let weighed = zipped::weigh(bytes)?;
    let mut zip = zipped::open(bytes)?;
    if let Some(manifest) = zipped::part(&mut zip, "META-INF/manifest.xml")?
        && String::from_utf8_lossy(&manifest).contains("encryption-data")
    {
        return Err(Unreadable::encrypted());
    }
    let mut read = Content::default();
    // What money a number is stands here or there, as the program likes.
    if let Some(styles) = zipped::part(&mut zip, "styles.xml")? {
        walk(&styles[..], &mut read)?;
    }
    let content = zip.by_name("content.xml").map_err(|e| zipped::broken(&e))?;
    walk(std::io::BufReader::new(content), &mut read)?;
    if let Some(first) = read.sheets.first_mut() {
        first.unread_pictures = weighed.pictures;
    }
    Ok(read.sheets)
}

/// One that is not packed.
pub(super) fn flat(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    zipped::weigh_flat(bytes)?;
    let mut read = Content::default();
    walk(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), &mut read)?;
    let pictures = read.pictures;
    if let Some(first) = read.sheets.first_mut() {
        first.unread_pictures = pictures;
    }
    Ok(read.sheets)
}

fn walk(xml: impl BufRead, read: &mut Content) -> Result<(), Unreadable> {
    let mut reader = Reader::from_reader(xml);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|e| zipped::broken(&e))? {
            Event::Start(tag) => read.start(&tag, false)?,
            Event::Empty(tag) => read.start(&tag, true)?,
            Event::End(tag) => read.end(tag.local_name().as_ref())?,
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) if read.in_picture => {}
            Event::Text(text) => read.text.push_str(&text.xml10_content()),
            Event::CData(text) => read.text.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => read.text.push_str(&referred(&entity)?),
            Event::Eof => return Ok(()),
            _ => {}
        }
        // A few bytes of it may stand for a hundred blanks.
        if read.text.len() > MOST_CELL {
            return Err(beyond());
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Content {
    sheets: Vec<Sheet>,
    /// Styles of tables that are not displayed.
    hidden: HashSet<String>,
    /// Styles of cells and of words that strike them through.
    striking: HashSet<String>,
    /// Styles of numbers, and of cells, that are money of another country.
    foreign: HashSet<String>,
    style: String,
    /// Columns that were spoken of before the rows.
    columns: u32,
    row: u32,
    /// The cells of this row so far.
    cells: Vec<Cell>,
    column: u32,
    repeated_rows: u32,
    repeated_cells: u32,
    cell: Option<Written>,
    text: String,
    /// Of the stretches of words that have begun, each with a style of its own, whether it is struck through.
    stretches: Vec<bool>,
    /// Cells of this row that are struck through.
    crossed: Vec<u32>,
    /// Inside an annotation or a picture: its text is not the cell's.
    aside: u32,
    /// What is hung on the cell.
    comment: String,
    merged: Vec<Merged>,
    /// Inside the letters that a picture is written in, and how many there were.
    in_picture: bool,
    pictures: usize,
}

/// A cell's attributes.
#[derive(Default)]
struct Written {
    kind: String,
    value: String,
    formula: bool,
    spans: u32,
    struck: bool,
    /// Whether it is money of another country.
    foreign: bool,
    /// Whether anything is written for the eye, be it nothing.
    seen: bool,
}

/// Around words that are struck through inside of a cell, in its text.
const STRUCK: char = '\u{1}';
const MEANT: char = '\u{2}';

/// A text without what is struck through in it; all of it, and so, where nothing else is.
fn meant(text: &str) -> (Cow<'_, str>, bool) {
    if !text.contains(STRUCK) {
        return (Cow::Borrowed(text), false);
    }
    let parts = text.split(STRUCK).enumerate().map(|(n, part)| match part.split_once(MEANT) {
        Some((_, left)) if n > 0 => left,
        _ => part,
    });
    let left: String = parts.collect();
    let struck = left.trim().is_empty();
    (Cow::Owned(if struck { text.replace([STRUCK, MEANT], "") } else { left }), struck)
}

fn times(tag: &BytesStart<'_>, name: &str) -> u32 {
    attribute(tag, name).and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// Whether a row or a column is hidden, or left out by a filter.
fn is_unseen(tag: &BytesStart<'_>) -> bool {
    matches!(attribute(tag, "visibility").as_deref(), Some("collapse" | "filter"))
}

/// Whether a style of these is that of a table, a cell or a few words.
fn is_styled(tag: &BytesStart<'_>, styles: &HashSet<String>) -> bool {
    attribute(tag, "style-name").is_some_and(|style| styles.contains(&style))
}

impl Content {
    fn start(&mut self, tag: &BytesStart<'_>, empty: bool) -> Result<(), Unreadable> {
        let name = tag.local_name().as_ref().to_owned();
        match name.as_str() {
            "style" | "default-style" | "currency-style" => {
                self.style = attribute(tag, "name").unwrap_or_default();
                if attribute(tag, "data-style-name").is_some_and(|style| self.foreign.contains(&style)) {
                    self.foreign.insert(self.style.clone());
                }
            }
            // The same sign is that of two countries.
            "currency-symbol" if attribute(tag, "country").is_some_and(|country| country != "CN") => {
                self.foreign.insert(self.style.clone());
            }
            "table-properties" if attribute(tag, "display").as_deref() == Some("false") => {
                self.hidden.insert(self.style.clone());
            }
            "text-properties" => {
                let line = ["text-line-through-style", "text-line-through-type"].map(|name| attribute(tag, name));
                if line.iter().flatten().any(|line| line != "none") {
                    self.striking.insert(self.style.clone());
                }
            }
            "table" => {
                let hidden = is_styled(tag, &self.hidden);
                let name = attribute(tag, "name").unwrap_or_default();
                self.sheets.push(Sheet::after(&self.sheets, name, hidden)?);
                (self.row, self.columns, self.merged) = (0, 0, Vec::new());
                self.text.clear();
            }
            "table-column" => {
                let (first, repeated) = (self.columns, times(tag, "number-columns-repeated"));
                self.columns = first.saturating_add(repeated);
                if let Some(sheet) = self.sheets.last_mut().filter(|_| is_unseen(tag)) {
                    sheet.unseen.add_columns(first, self.columns - 1);
                }
            }
            "table-row" => {
                (self.column, self.repeated_rows) = (0, times(tag, "number-rows-repeated"));
                if let Some(sheet) = self.sheets.last_mut().filter(|_| is_unseen(tag)) {
                    sheet.unseen.add_lines(self.row.saturating_add(1), self.repeated_rows);
                }
            }
            "table-cell" | "covered-table-cell" => {
                self.repeated_cells = times(tag, "number-columns-repeated");
                self.text.clear();
                let kind = attribute(tag, "value-type").unwrap_or_default();
                let value = ["value", "date-value", "time-value", "boolean-value", "string-value"];
                let value = value.iter().find_map(|name| attribute(tag, name)).unwrap_or_default();
                let formula = attribute(tag, "formula").is_some();
                let spans = times(tag, "number-rows-spanned");
                let currency = attribute(tag, "currency").unwrap_or_default();
                let ours = ["", "CNY", "RMB", "CN¥", "¥", "￥", "元"].contains(&currency.as_str());
                let foreign = !ours || is_styled(tag, &self.foreign);
                let struck = is_styled(tag, &self.striking);
                self.cell = Some(Written { kind, value, formula, spans, struck, foreign, seen: false });
            }
            "span" if !empty => {
                self.stretches.push(is_styled(tag, &self.striking));
                self.text.extend(self.stretches.ends_with(&[true]).then_some(STRUCK));
            }
            "p" => {
                self.cell.iter_mut().for_each(|cell| cell.seen = true);
                self.text.extend((!self.text.is_empty()).then_some('\n'));
            }
            "s" => (0..times(tag, "c").min(100)).for_each(|_| self.text.push(' ')),
            "tab" | "line-break" => self.text.push(' '),
            "binary-data" if !empty => {
                self.in_picture = true;
                self.pictures += 1;
            }
            "annotation" | "frame" | "shape" if !empty => {
                self.aside += 1;
                if self.aside == 1 {
                    self.text.push('\u{0}');
                }
            }
            _ => {}
        }
        if empty { self.end(&name) } else { Ok(()) }
    }

    fn end(&mut self, name: &str) -> Result<(), Unreadable> {
        match name {
            "span" => self.text.extend(self.stretches.pop().filter(|struck| *struck).map(|_| MEANT)),
            "annotation" | "frame" | "shape" => {
                self.aside = self.aside.saturating_sub(1);
                if self.aside == 0
                    && let Some(at) = self.text.find('\u{0}')
                {
                    // Behind who wrote it, and when.
                    if let Some((_, words)) = self.text[at..].split_once('\n').filter(|_| name == "annotation") {
                        self.comment = words.to_owned();
                    }
                    self.text.truncate(at);
                }
            }
            "table-cell" | "covered-table-cell" => self.cell_ends()?,
            "table-row" => self.row_ends()?,
            "binary-data" => self.in_picture = false,
            "table" => {
                let merged = std::mem::take(&mut self.merged);
                if let Some(sheet) = self.sheets.last_mut() {
                    sheet.merge(merged.into_iter())?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn cell_ends(&mut self) -> Result<(), Unreadable> {
        let Some(cell) = self.cell.take() else { return Ok(()) };
        let (text, struck) = meant(&self.text);
        let read = cell.read(&text);
        let (first, column) = (self.row.saturating_add(1), self.column);
        self.column = column.saturating_add(self.repeated_cells);
        let comment = comments::words(&std::mem::take(&mut self.comment));
        if let (Some(sheet), Some(words)) = (self.sheets.last_mut(), comment) {
            sheet.comment(first, column as usize, words);
        }
        if read == Cell::Empty {
            return Ok(());
        }
        if self.column > MOST_COLUMNS {
            return Err(beyond());
        }
        if cell.spans > 1 {
            self.merged.push(Merged { first, last: first.saturating_add(cell.spans - 1), column: column as usize });
        }
        if cell.struck || struck {
            self.crossed.extend(column..self.column);
        }
        self.cells.resize(column as usize, Cell::Empty);
        self.cells.resize(self.column as usize, read);
        Ok(())
    }

    fn row_ends(&mut self) -> Result<(), Unreadable> {
        let (row, cells) = (self.row, std::mem::take(&mut self.cells));
        self.row = row.saturating_add(self.repeated_rows);
        let crossed = std::mem::take(&mut self.crossed);
        let Some(sheet) = self.sheets.last_mut().filter(|_| !cells.is_empty()) else { return Ok(()) };
        sheet.repeat(row, self.repeated_rows, cells)?;
        for column in crossed {
            (row..self.row).for_each(|row| sheet.cross(row, column));
        }
        Ok(())
    }
}

impl Written {
    fn read(&self, text: &str) -> Cell {
        let shown = text.trim();
        match self.kind.as_str() {
            "float" | "currency" if self.foreign => Cell::Text(format!("{shown}（外币）")),
            "float" | "currency" | "percentage" => {
                // Some programs write no text at all; others an empty one where nothing is to be seen.
                let shown_as = if self.seen { shown } else { &self.value };
                number::decimal(&self.value, shown_as).unwrap_or_else(|| written(shown))
            }
            "date" | "time" => Cell::Date(if shown.is_empty() { self.value.clone() } else { shown.to_owned() }),
            "boolean" => xlsx::truth(self.value == "true"),
            "string" if super::text::is_error(shown) && self.formula => Cell::Error(shown.to_owned()),
            // What was reckoned has a kind, though it be an empty text.
            "" if shown.is_empty() && self.formula => Cell::Unsolved,
            _ if shown.is_empty() => written(&self.value),
            _ => written(shown),
        }
    }
}
