//! Workbooks of Excel 97 to 2003, and what old versions of WPS save.

use std::io::Cursor;
use std::panic::catch_unwind;

use calamine::{Reader, SheetType, SheetVisible, Xls, XlsError};

use super::cfb::{Container, u16_at};
use super::grid::{Sheet, beyond};
use super::{Cell, MOST_COLUMNS, MOST_LINE, Unreadable, xlsx, zipped};

/// Each sheet is laid out as a rectangle when it is read: so many cells all of them may have, with and without something
/// in them.
const MOST_CELLS: usize = 2_000_000;

/// Every worksheet of the book. The library goes where a spoilt file points it, so a panic of its is a spoilt file.
pub(super) fn sheets(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    catch_unwind(|| read(bytes)).unwrap_or_else(|_| Err(zipped::broken(&"内容已损坏")))
}

fn read(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    let container = Container::open(bytes).ok_or_else(|| zipped::broken(&"容器已损坏"))?;
    if container.has("EncryptedPackage") {
        return Err(Unreadable::encrypted());
    }
    if container.has("WordDocument") {
        return Err(Unreadable::new("这是 Word 文档，不是表格：请把表格复制到 Excel 或 WPS 表格里，存成 .xlsx"));
    }
    let stream = container.stream("Workbook").or_else(|| container.stream("Book"));
    let stream = stream.ok_or_else(|| Unreadable::new("这个文件里没有表格：请导入 .xlsx、.xls、.ods 或 .csv 文件"))?;
    weigh(&stream)?;
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|e: XlsError| match e {
        XlsError::Password => Unreadable::encrypted(),
        e => zipped::broken(&e),
    })?;
    let known = book.sheets_metadata().to_vec();
    let mut sheets = Vec::new();
    for known in known.into_iter().filter(|sheet| sheet.typ == SheetType::WorkSheet) {
        let range = book.worksheet_range(&known.name).map_err(|e| zipped::broken(&e))?;
        let hidden = known.visible != SheetVisible::Visible;
        let mut sheet = Sheet::after(&sheets, known.name, hidden)?;
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let cell = xlsx::read_owned(value);
            if cell != Cell::Empty {
                sheet.put(top + row as u32, left + column as u32, cell)?;
            }
        }
        let merged = book.merge_cells_by_sheet_name(&sheet.name).map_err(|e| zipped::broken(&e))?;
        xlsx::merge(&mut sheet, merged)?;
        sheets.push(sheet);
    }
    Ok(sheets)
}

/// Walks over the records once: how large the sheets are is in every cell, whatever the file says of itself.
fn weigh(stream: &[u8]) -> Result<(), Unreadable> {
    let (mut at, mut rows, mut columns, mut before) = (0, 0, 0, 0);
    while let (Some(kind), Some(length)) = (u16_at(stream, at), u16_at(stream, at + 2)) {
        let record = stream.get(at + 4..at + 4 + usize::from(length)).unwrap_or_default();
        let place = || Some((u32::from(u16_at(record, 0)?), u32::from(u16_at(record, 2)?)));
        match kind {
            // The start of a sheet.
            0x0809 | 0x0409 | 0x0209 | 0x0009 => {
                before += rows as usize * columns as usize;
                (rows, columns) = (0, 0);
            }
            0x002f => return Err(Unreadable::encrypted()),
            // Its size as it claims it.
            0x0200 | 0x0000 => {
                let last = match length {
                    14 => (u16_at(record, 4), u16_at(record, 10)),
                    _ => (u16_at(record, 2), u16_at(record, 6)),
                };
                let high = record.get(6..8).filter(|_| length == 14).is_some_and(|b| b != [0, 0]);
                if high || usize::from(last.0.unwrap_or(0)) * usize::from(last.1.unwrap_or(0)) > 8 * MOST_CELLS {
                    return Err(beyond());
                }
            }
            // Cells: numbers, texts, formulas, truths and errors.
            0x0203 | 0x0003 | 0x00fd | 0x0204 | 0x0004 | 0x00d6 | 0x027e | 0x00bd | 0x0006 | 0x0206 | 0x0406
            | 0x0205 => {
                let Some((row, column)) = place() else { break };
                // Several numbers of one row in one record.
                let more = if kind == 0x00bd { (u32::from(length).saturating_sub(6)) / 6 } else { 0 };
                (rows, columns) = (rows.max(row + 1), columns.max(column + more + 1));
                if rows > MOST_LINE || columns > MOST_COLUMNS || before + rows as usize * columns as usize > MOST_CELLS
                {
                    return Err(beyond());
                }
            }
            _ => {}
        }
        at += 4 + usize::from(length);
    }
    Ok(())
}
