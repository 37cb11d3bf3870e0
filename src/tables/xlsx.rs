//! Workbooks of Excel and WPS: `.xlsx`, `.xlsm`.

use std::io::Cursor;

use calamine::{
    Data, DataRef, Dimensions, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxCellReader, XlsxError,
};

use super::grid::{Merged, Sheet};
use super::package::Package;
use super::pictures::Pictures;
use super::struck::Struck;
use super::text::unprotected;
use super::unseen::Unseen;
use super::{Cell, MOST_COLUMNS, Unreadable, comments, number, zipped};

type Book<'a> = Xlsx<Cursor<&'a [u8]>>;

fn bad(e: XlsxError) -> Unreadable {
    match e {
        XlsxError::Password => Unreadable::encrypted(),
        // Those of newer programs, in a cell of any column.
        XlsxError::CellError(value) => {
            Unreadable::new(format!("表里有一格是错误值 {value}，这里读不了：请改好或清空那一格，再导入"))
        }
        e => zipped::broken(&e),
    }
}

/// Every worksheet; sheets of charts hold no cells.
pub(super) fn sheets(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    let weighed = zipped::weigh(bytes)?;
    let mut book: Book<'_> = Xlsx::new(Cursor::new(bytes)).map_err(bad)?;
    let mut pictures = Pictures::of(bytes, weighed.pictures)?;
    let unreckoned = weighed.formulas && asks_to_be_reckoned(bytes)?;
    let mut package = (weighed.hidden || weighed.struck || weighed.comments).then(|| Package::of(bytes)).transpose()?;
    let struck = match &mut package {
        Some(package) if weighed.struck => Some(Struck::of(package)?),
        _ => None,
    };
    let known = book.sheets_metadata().to_vec();
    let mut sheets = Vec::new();
    for known in known.into_iter().filter(|sheet| sheet.typ == SheetType::WorkSheet) {
        let mut sheet = Sheet::after(&sheets, known.name, known.visible != SheetVisible::Visible)?;
        // A sheet may be of another kind than their list says.
        match book.worksheet_cells_reader(&sheet.name) {
            Err(XlsxError::NotAWorksheet(_)) => continue,
            reader => cells(reader.map_err(bad)?, &mut sheet)?,
        }
        if weighed.formulas {
            let reader = book.worksheet_cells_reader(&sheet.name).map_err(bad)?;
            unsolved(reader, unreckoned, &mut sheet)?;
        }
        if let (Some(struck), Some(package)) = (&struck, &mut package) {
            struck.in_cells(package, &mut sheet)?;
        }
        pictures.in_cells(&mut sheet)?;
        sheet.settle();
        pictures.by_formula(&mut sheet)?;
        pictures.over_cells(&mut sheet)?;
        if weighed.merged {
            let merged = book.merge_cells_by_sheet_name(&sheet.name).map_err(bad)?;
            merge(&mut sheet, merged)?;
        }
        if let Some(package) = &mut package {
            sheet.unseen = Unseen::of(package, &sheet.name)?;
            if weighed.comments {
                comments::of_sheet(package, &mut sheet)?;
            }
        }
        sheets.push(sheet);
    }
    if let Some(first) = sheets.first_mut() {
        first.unread_pictures = pictures.unread();
    }
    Ok(sheets)
}

type Cells<'a, 'b> = XlsxCellReader<'a, Cursor<&'b [u8]>>;

/// Cell by cell: a small file may claim a rectangle that no memory holds.
fn cells(mut reader: Cells<'_, '_>, sheet: &mut Sheet) -> Result<(), Unreadable> {
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(bad)? {
        let style = reader.styles().get(style);
        let format = style.and_then(|style| style.number_format.as_ref());
        let line = style.and_then(|style| style.font.as_ref()).is_some_and(|font| font.strikethrough);
        let read = read(cell.get_value(), format.map_or("", |format| format.format_code.as_str()));
        if read != Cell::Empty {
            let (row, column) = cell.get_position();
            if line {
                sheet.cross(row, column);
            }
            sheet.put(row, column, read)?;
        }
    }
    Ok(())
}

/// Whether the book says that its formulas are still to be reckoned, as programs do that write some.
fn asks_to_be_reckoned(bytes: &[u8]) -> Result<bool, Unreadable> {
    let part = zipped::part(&mut zipped::open(bytes)?, "xl/workbook.xml")?.unwrap_or_default();
    let xml = String::from_utf8_lossy(&part);
    let asked = xml.split_once("fullCalcOnLoad=").and_then(|(_, rest)| rest.get(1..5));
    Ok(asked.is_some_and(|value| value.starts_with('1') || value == "true"))
}

/// Formulas that were written by a program and never opened in a spreadsheet have no value, or a zero in its place.
fn unsolved(mut reader: Cells<'_, '_>, unreckoned: bool, sheet: &mut Sheet) -> Result<(), Unreadable> {
    while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(bad)? {
        let nothing = |value: &DataRef<'_>| match value {
            DataRef::Empty => true,
            DataRef::Int(0) => unreckoned,
            DataRef::Float(n) => unreckoned && *n == 0.0,
            _ => false,
        };
        if cell.formula.is_some() && nothing(&cell.value) {
            sheet.put(cell.pos.0, cell.pos.1, Cell::Unsolved)?;
        }
    }
    Ok(())
}

pub(super) fn merge(sheet: &mut Sheet, merged: Vec<Dimensions>) -> Result<(), Unreadable> {
    sheet.merge(merged.into_iter().map(|one| Merged {
        first: one.start.0.saturating_add(1),
        last: one.end.0.saturating_add(1),
        column: one.start.1.min(MOST_COLUMNS) as usize,
    }))
}

fn read(value: &DataRef<'_>, format: &str) -> Cell {
    match value {
        DataRef::String(text) => written(&number::worded(text, format)),
        DataRef::SharedString(text) => written(&number::worded(text, format)),
        DataRef::Int(n) => number::whole(*n, format),
        DataRef::Float(n) => number::shown(*n, format),
        DataRef::Bool(yes) => truth(*yes),
        DataRef::DateTime(date) => Cell::Date(date_shown(date)),
        DataRef::DateTimeIso(date) | DataRef::DurationIso(date) => Cell::Date(date.replace('T', " ")),
        DataRef::Error(error) => Cell::Error(error.to_string()),
        DataRef::Empty => Cell::Empty,
    }
}

/// The same for the kind of book that is read whole.
pub(super) fn read_owned(value: &Data, format: &str) -> Cell {
    match value {
        Data::String(text) => written(&number::worded(text, format)),
        Data::Int(n) => number::whole(*n, format),
        Data::Float(n) => number::shown(*n, format),
        Data::Bool(yes) => truth(*yes),
        Data::DateTime(date) => Cell::Date(date_shown(date)),
        Data::DateTimeIso(date) | Data::DurationIso(date) => Cell::Date(date.replace('T', " ")),
        Data::Error(error) => Cell::Error(error.to_string()),
        Data::Empty => Cell::Empty,
    }
}

pub(super) fn truth(yes: bool) -> Cell {
    Cell::Text(if yes { "TRUE" } else { "FALSE" }.to_owned())
}

fn date_shown(date: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    match (hour, minute, second) {
        // The first day there is: a time without one.
        _ if year < 1900 => format!("{hour:02}:{minute:02}:{second:02}"),
        (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
    }
}

pub(super) fn written(text: &str) -> Cell {
    let tabless = text.trim_end_matches('\t');
    match unprotected(tabless.trim()).trim() {
        "" => Cell::Empty,
        text => Cell::Text(text.to_owned()),
    }
}
