//! Tables that people make in a spreadsheet: read with limits, and written so that none of their cells runs.

use std::io::{Cursor, Read};
use std::path::Path;

use calamine::{DataRef, Reader, Xlsx};

const MOST_BYTES: usize = 20 * 1024 * 1024;
/// What an xlsx may unpack to: it is a zip, and a small one can hold any number of zeros.
const MOST_UNPACKED: u64 = 200 * 1024 * 1024;
const MOST_ROWS: usize = 5_000;
const MOST_COLUMNS: u32 = 64;

/// A table as text, each row with the line it stands on.
#[derive(Debug)]
pub struct Table {
    pub rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    /// Reads a `.csv` or `.xlsx` file. `Err` is a sentence.
    pub fn open(path: &Path) -> Result<Table, String> {
        let problem = |e: std::io::Error| format!("{} 读不出来: {e}", path.display());
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(problem)?;
        file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(problem)?;
        Table::read(&path.to_string_lossy(), &bytes)
    }

    /// Reads what was uploaded under this file name. `Err` is a sentence.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Table, String> {
        if bytes.len() > MOST_BYTES {
            return Err(format!("{name} 超过 20 MB，请拆成几个文件"));
        }
        let table = match name.rsplit('.').next().map(str::to_lowercase).as_deref() {
            Some("csv" | "txt") => read_csv(bytes)?,
            Some("xlsx") => read_xlsx(bytes).map_err(|e| format!("{name} {e}"))?,
            _ => return Err("只支持 .csv 和 .xlsx 文件；.xls 请另存为 .xlsx".into()),
        };
        if table.rows.len() > MOST_ROWS {
            return Err(format!("超过 {MOST_ROWS} 行，请拆成几个文件"));
        }
        Ok(table)
    }

    /// What was copied out of a spreadsheet, or typed: columns apart by a tab, a comma or blanks.
    pub fn pasted(text: &str) -> Result<Table, String> {
        let rows: Vec<(usize, Vec<String>)> = (1..)
            .zip(text.lines())
            .map(|(line, row)| match row.contains('\t') {
                true => (line, row.split('\t').map(|cell| cell.trim().to_owned()).collect()),
                false => {
                    (line, row.split([',', '，', ' ', '　']).map(str::to_owned).filter(|c| !c.is_empty()).collect())
                }
            })
            .collect();
        if rows.len() > MOST_ROWS {
            Err(format!("超过 {MOST_ROWS} 行，请分几次粘贴"))
        } else {
            Ok(Table { rows })
        }
    }
}

/// UTF-8 with or without its mark, otherwise GB18030, as spreadsheets in China save it.
fn read_csv(bytes: &[u8]) -> Result<Table, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030
            .decode_without_bom_handling_and_without_replacement(bytes)
            .ok_or("文件既不是 UTF-8 也不是 GB18030 编码，请另存为 CSV UTF-8")?
            .into_owned(),
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| format!("CSV 格式有误: {e}"))?;
        let line = record.position().map_or(0, |p| p.line() as usize);
        rows.push((line, record.iter().map(|cell| cell.trim().to_owned()).collect()));
        if rows.len() > MOST_ROWS + 1 {
            break;
        }
    }
    Ok(Table { rows })
}

/// Cell by cell: a small file may claim a rectangle that no memory holds.
fn read_xlsx(bytes: &[u8]) -> Result<Table, String> {
    let bad = |e: &dyn std::fmt::Display| format!("不是有效的 xlsx 文件: {e}");
    refuse_bomb(bytes).map_err(|e| bad(&e))?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e: calamine::XlsxError| bad(&e))?;
    let sheet = book.sheet_names().first().cloned().ok_or("里没有工作表")?;
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(|e| bad(&e))?;
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(|e| bad(&e))? {
        let ((row, column), value) = (cell.get_position(), text(cell.get_value()));
        if value.is_empty() {
            continue;
        }
        if row as usize > MOST_ROWS || column >= MOST_COLUMNS {
            return Err(format!("的表格超出 {MOST_ROWS} 行 {MOST_COLUMNS} 列，请删掉多余的行列"));
        }
        let line = row as usize + 1;
        if rows.last().is_none_or(|(last, _)| *last != line) {
            rows.push((line, Vec::new()));
        }
        if let Some((_, cells)) = rows.last_mut() {
            cells.resize(cells.len().max(column as usize + 1), String::new());
            cells[column as usize] = value;
        }
    }
    Ok(Table { rows })
}

/// Unpacks everything once into nothing: only this tells how large it is, for what a zip says of itself may be untrue.
fn refuse_bomb(bytes: &[u8]) -> Result<(), String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let mut left = MOST_UNPACKED;
    for i in 0..zip.len() {
        let entry = zip.by_index(i).map_err(|e| e.to_string())?;
        let read = std::io::copy(&mut entry.take(left + 1), &mut std::io::sink()).map_err(|e| e.to_string())?;
        left = left.checked_sub(read).ok_or("解压后太大")?;
    }
    Ok(())
}

/// A cell as it looks: `19.9`, not `19.899999999999999`.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Int(n) => n.to_string(),
        // Rust prints the shortest decimal that reads back the same, which is what was typed.
        DataRef::Float(n) => n.to_string(),
        DataRef::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
        _ => String::new(),
    }
}

/// A table that goes out, every cell as text.
pub fn csv(head: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    crate::tables::csv(head, &[], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gb18030_reads_like_utf8() {
        let (bytes, _, _) = encoding_rs::GB18030.encode("商品名称,售价(元),库存\n草莓蛋糕,88,3\n");
        let table = Table::read("商品.csv", &bytes).unwrap();
        assert_eq!(table.rows[1].1[0], "草莓蛋糕");
    }

    #[test]
    fn pasted_columns_come_apart_however_they_are_written() {
        for text in ["A\t顺丰\tSF1", "A,顺丰,SF1", "A  顺丰 SF1", "A，顺丰，SF1"] {
            assert_eq!(
                Table::pasted(text).unwrap().rows,
                [(1, vec!["A".into(), "顺丰".into(), "SF1".into()])],
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_that_unpacks_without_end_is_refused() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::copy(&mut std::io::repeat(b' ').take(MOST_UNPACKED + 1), &mut zip).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        assert!(bytes.len() < 1_000_000);
        assert!(Table::read("a.xlsx", &bytes).unwrap_err().contains("解压后太大"));
    }
}
