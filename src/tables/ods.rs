//! Workbooks of LibreOffice: `.ods`, read as a stream, for a few bytes of it may repeat a cell a million times.

use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::grid::{Merged, Sheet, beyond};
use super::xlsx::{self, written};
use super::zipped::attribute;
use super::{Cell, MOST_COLUMNS, Unreadable, number, zipped};

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
    let content = zip.by_name("content.xml").map_err(|e| zipped::broken(&e))?;
    let mut reader = Reader::from_reader(std::io::BufReader::new(content));
    let (mut buffer, mut read) = (Vec::new(), Content::default());
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|e| zipped::broken(&e))? {
            Event::Start(tag) => read.start(&tag, false)?,
            Event::Empty(tag) => read.start(&tag, true)?,
            Event::End(tag) => read.end(tag.local_name().as_ref())?,
            Event::Text(text) => read.text.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let letter = entity.resolve_char_ref().map_err(|e| zipped::broken(&e))?.map(String::from);
                let known = || quick_xml::escape::resolve_predefined_entity(&entity).map(str::to_owned);
                read.text.push_str(&letter.or_else(known).ok_or_else(|| zipped::broken(&"未知的实体"))?);
            }
            Event::Eof => break,
            _ => {}
        }
        // A few bytes of it may stand for a hundred blanks.
        if read.text.len() > MOST_CELL {
            return Err(beyond());
        }
    }
    if let Some(first) = read.sheets.first_mut() {
        first.unread_pictures = weighed.pictures;
    }
    Ok(read.sheets)
}

/// What has been read so far.
#[derive(Default)]
struct Content {
    sheets: Vec<Sheet>,
    /// Styles of tables that are not displayed.
    hidden: HashSet<String>,
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
    /// Inside an annotation or a picture: its text is not the cell's.
    aside: u32,
    merged: Vec<Merged>,
}

/// A cell's attributes.
#[derive(Default)]
struct Written {
    kind: String,
    value: String,
    formula: bool,
    spans: u32,
}

fn times(tag: &BytesStart<'_>, name: &str) -> u32 {
    attribute(tag, name).and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// Whether a row or a column is hidden, or left out by a filter.
fn is_unseen(tag: &BytesStart<'_>) -> bool {
    matches!(attribute(tag, "visibility").as_deref(), Some("collapse" | "filter"))
}

impl Content {
    fn start(&mut self, tag: &BytesStart<'_>, empty: bool) -> Result<(), Unreadable> {
        let name = tag.local_name().as_ref().to_owned();
        match name.as_str() {
            "style" => self.style = attribute(tag, "name").unwrap_or_default(),
            "table-properties" if attribute(tag, "display").as_deref() == Some("false") => {
                self.hidden.insert(self.style.clone());
            }
            "table" => {
                let hidden = attribute(tag, "style-name").is_some_and(|style| self.hidden.contains(&style));
                let name = attribute(tag, "name").unwrap_or_default();
                self.sheets.push(Sheet::after(&self.sheets, name, hidden)?);
                (self.row, self.columns, self.merged) = (0, 0, Vec::new());
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
                self.cell = Some(Written { kind, value, formula, spans });
            }
            "p" if !self.text.is_empty() => self.text.push('\n'),
            "s" => (0..times(tag, "c").min(100)).for_each(|_| self.text.push(' ')),
            "tab" | "line-break" => self.text.push(' '),
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
            "annotation" | "frame" | "shape" => {
                self.aside = self.aside.saturating_sub(1);
                if self.aside == 0
                    && let Some(at) = self.text.find('\u{0}')
                {
                    self.text.truncate(at);
                }
            }
            "table-cell" | "covered-table-cell" => self.cell_ends()?,
            "table-row" => self.row_ends()?,
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
        let read = cell.read(&self.text);
        let (first, column) = (self.row.saturating_add(1), self.column);
        self.column = column.saturating_add(self.repeated_cells);
        if read == Cell::Empty {
            return Ok(());
        }
        if self.column > MOST_COLUMNS {
            return Err(beyond());
        }
        if cell.spans > 1 {
            self.merged.push(Merged { first, last: first.saturating_add(cell.spans - 1), column: column as usize });
        }
        self.cells.resize(column as usize, Cell::Empty);
        self.cells.resize(self.column as usize, read);
        Ok(())
    }

    fn row_ends(&mut self) -> Result<(), Unreadable> {
        let (row, cells) = (self.row, std::mem::take(&mut self.cells));
        self.row = row.saturating_add(self.repeated_rows);
        match self.sheets.last_mut() {
            Some(sheet) if !cells.is_empty() => sheet.repeat(row, self.repeated_rows, cells),
            _ => Ok(()),
        }
    }
}

impl Written {
    fn read(&self, text: &str) -> Cell {
        let shown = text.trim();
        match self.kind.as_str() {
            "float" | "currency" | "percentage" => match number::decimal(&self.value, shown) {
                Some(cell) => cell,
                None => written(shown),
            },
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
