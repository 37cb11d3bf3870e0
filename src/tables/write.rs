//! Tables that go out: none of their cells runs, and none is changed by the spreadsheet that opens and saves it.

use super::number::{is_spoilt, narrow, spreadsheet};
use super::text::{is_error, needs_protection};

/// A spreadsheet shows longer numbers with a power of ten, and saves what it shows.
const LONGEST_NUMBER: usize = 11;

/// CSV with the mark that makes Excel read it as UTF-8. The columns of `numbers` hold numbers, all others text.
pub fn csv(head: &[&str], numbers: &[usize], rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().from_writer("\u{feff}".as_bytes().to_vec());
    // Writing to memory does not fail.
    let _ = writer.write_record(head);
    for row in rows {
        let cells =
            row.iter().enumerate().map(|(at, cell)| match numbers.contains(&at) && spreadsheet(cell).is_some() {
                true => cell.clone(),
                false => protected(cell),
            });
        let _ = writer.write_record(cells);
    }
    writer.into_inner().unwrap_or_default()
}

/// An apostrophe makes text of what would run; a tab behind, of what would become another number or a date. Behind 万 a
/// spreadsheet looks past the tab: `５万` became 50000.
fn protected(cell: &str) -> String {
    let changes = changes_in_a_spreadsheet(cell);
    if needs_protection(cell) || changes && cell.ends_with(['万', '亿']) {
        format!("'{cell}")
    } else if changes {
        format!("{cell}\t")
    } else {
        cell.to_owned()
    }
}

fn changes_in_a_spreadsheet(text: &str) -> bool {
    let whole = text.bytes().all(|b| b.is_ascii_digit());
    let stays = whole && text.len() <= LONGEST_NUMBER && (text == "0" || !text.starts_with('0'));
    // Wide digits, those of other scripts and 〇 are digits to a spreadsheet that speaks Chinese: `５万`, `二〇二六`.
    let narrow = narrow(text);
    let signs = |c: char| c.is_numeric() || "0.,:/-+%eE ()¥$￥€年月日时分秒万亿一二三四五六七八九零".contains(c);
    let numeric = narrow.contains(char::is_numeric) && narrow.chars().all(signs);
    let lower = narrow.to_lowercase();
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "am", "pm"];
    let month =
        narrow.is_ascii() && lower.contains(|c: char| c.is_ascii_digit()) && months.iter().any(|m| lower.contains(m));
    let other = ["true", "false"].contains(&lower.as_str()) || is_spoilt(text) || is_error(text);
    !text.is_empty() && !stays && (numeric || month || other)
}

/// The same as a workbook. Text is text by its type; the columns of `numbers` can be summed up.
pub fn xlsx(head: &[&str], numbers: &[usize], rows: &[Vec<String>]) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let bold = rust_xlsxwriter::Format::new().set_bold();
    let money = rust_xlsxwriter::Format::new().set_num_format("0.00");
    let sheet = book.add_worksheet();
    for (column, title) in (0..).zip(head) {
        sheet.write_string_with_format(0, column, *title, &bold)?;
    }
    for (line, row) in (1..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            let number = spreadsheet(cell).filter(|_| numbers.contains(&usize::from(column)));
            match number {
                Some(number) if cell.contains('.') => sheet.write_number_with_format(line, column, number, &money)?,
                Some(number) => sheet.write_number(line, column, number)?,
                // The reader takes one apostrophe off, as it must where a CSV was saved again.
                None if cell.starts_with('\'') => sheet.write_string(line, column, format!("'{cell}"))?,
                None => sheet.write_string(line, column, cell)?,
            };
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofit();
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Wanted, read};

    const WANTED: Wanted<'_> = Wanted {
        columns: &[&["编号"], &["内容"], &["金额"]],
        needed: &[&[0], &[1]],
        closer: &[],
        figures: &[],
        alike: |_| None,
    };

    #[test]
    fn what_is_written_reads_back_as_it_was() {
        let cells = [
            "00123",
            "=1+1",
            "+86",
            "-10℃ 冰袋",
            "@甲",
            "'引号",
            "'=1",
            "''",
            "773000000000001",
            "1.50",
            "1e5",
            "1E+05",
            "3-4",
            "2026-03-04",
            "MAR1",
            "true",
            "#N/A",
            "####",
            "27\"显示器",
            "甲,乙",
            "甲;乙",
            "a\tb",
            "5%",
            "0",
            "1,000",
            "12345678901",
        ];
        let rows: Vec<Vec<String>> =
            cells.iter().map(|cell| vec![(*cell).to_owned(), "甲".into(), "1280.50".into()]).collect();
        let head = ["编号", "内容", "金额"];
        for bytes in [csv(&head, &[2], &rows), xlsx(&head, &[2], &rows).unwrap()] {
            let table = read(&bytes, &WANTED).unwrap();
            for (row, cell) in table.rows.iter().zip(cells) {
                assert_eq!(row.text(0), Some(Ok(cell)), "{cell}");
                assert_eq!(
                    crate::money::Fen::from_yuan(row.text(2).unwrap().unwrap()).map(|fen| fen.get()),
                    Some(128050)
                );
            }
            assert_eq!(table.rows.len(), cells.len());
        }
    }

    #[test]
    fn nothing_in_a_csv_runs_or_changes() {
        let text = String::from_utf8(csv(
            &["a", "b"],
            &[1],
            &[
                vec!["=cmd".into(), "-5.00".into()],
                vec!["4200002026".into(), "1".into()],
                vec!["0012".into(), "1".into()],
            ],
        ))
        .unwrap();
        assert_eq!(text, "\u{feff}a,b\n'=cmd,-5.00\n4200002026,1\n0012\t,1\n");
        for changed in ["５万", "１２", "３－４", "３月４日", "二〇二六", "〇", "１e５", "१२", "5PM", "€5"]
        {
            assert!(changes_in_a_spreadsheet(changed), "{changed}");
        }
        for same in ["5", "五", "一二三", "5件", "甲5", "A1", "红色"] {
            assert!(!changes_in_a_spreadsheet(same), "{same}");
        }
    }
}
