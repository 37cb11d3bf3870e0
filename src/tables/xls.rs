//! Workbooks of Excel 97 to 2003, and what old versions of WPS save.

use std::io::Cursor;
use std::panic::catch_unwind;

use calamine::{Reader, SheetType, SheetVisible, Xls, XlsError};

use super::biff::Formats;
use super::cfb::Container;
use super::grid::Sheet;
use super::weight::weigh;
use super::{Cell, Unreadable, struck, xlsx, zipped};

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
    if !container.small_ones_end() {
        return Err(zipped::broken(&"容器已损坏"));
    }
    weigh(&stream)?;
    let mut formats = Formats::read(&stream)?;
    drop((stream, container));
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|e: XlsError| match e {
        XlsError::Password => Unreadable::encrypted(),
        e => zipped::broken(&e),
    })?;
    let known = book.sheets_metadata().to_vec();
    let mut sheets = Vec::new();
    for (at, known) in known.into_iter().enumerate().filter(|(_, sheet)| sheet.typ == SheetType::WorkSheet) {
        let range = book.worksheet_range(&known.name).map_err(|e| zipped::broken(&e))?;
        let hidden = known.visible != SheetVisible::Visible;
        let mut sheet = Sheet::after(&sheets, known.name, hidden)?;
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let (row, column) = (top + row as u32, left + column as u32);
            let cell = xlsx::read_owned(value, formats.of(at, row, column));
            if cell != Cell::Empty {
                sheet.put(row, column, cell)?;
            }
        }
        sheet.crossed = formats.crossed.remove(&at).unwrap_or_default();
        for (row, column, left) in formats.left.remove(&at).unwrap_or_default() {
            struck::leave(&mut sheet, row, column, left)?;
        }
        sheet.settle();
        let merged = book.merge_cells_by_sheet_name(&sheet.name).map_err(|e| zipped::broken(&e))?;
        xlsx::merge(&mut sheet, merged)?;
        sheet.unseen = formats.unseen.remove(&at).unwrap_or_default();
        sheets.push(sheet);
    }
    if let Some(first) = sheets.first_mut() {
        first.unread_pictures = formats.pictures;
    }
    Ok(sheets)
}
