//! The month report for the accountant: one sheet by day, one of what was earned on goods, one with every movement.

use std::collections::BTreeMap;

use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::store::Movement;
use super::{BillState, Match};
use crate::clock::{self, Day};
use crate::exceptions::Exception;
use crate::ledger::DaySum;
use crate::money::plain;
use crate::orders::margin::Margin;

/// What a kind of movement is called in the ledger's rows.
pub fn kind_text(kind: &str) -> &str {
    match kind {
        "payment" => "收款",
        "refund" => "退款",
        "fee" => "手续费",
        "offline" => "线下收退款",
        "link" => "关联到订单",
        "unlink" => "转出待定款",
        other => other,
    }
}

/// The workbook, ready to be sent.
pub fn month(
    days: &[DaySum],
    matches: &[Match],
    movements: &[Movement],
    margins: &BTreeMap<Day, Margin>,
    differences: &[Exception],
) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let head = Format::new().set_bold().set_align(FormatAlign::Center);
    let money = Format::new().set_num_format("#,##0.00;[Red]-#,##0.00");
    let bold_money = Format::new().set_bold().set_num_format("#,##0.00;[Red]-#,##0.00");
    let sheet = book.add_worksheet().set_name("按日")?;
    let titles = [
        "日期",
        "收款笔数",
        "收款(元)",
        "退款笔数",
        "退款(元)",
        "手续费(元)",
        "线下收退(元)",
        "净额(元)",
        "对账",
        "收款到账(元)",
        "退款支出(元)",
        "账单到账(元)",
        "账单支出(元)",
    ];
    titled(sheet, &titles, &head)?;
    let mut row = 0;
    let (mut sums, mut settled, mut billed) = ([0_i64; 7], [0_i64; 2], [0_i64; 2]);
    for day in days {
        row += 1;
        let found = matches.iter().find(|m| m.day == day.day);
        let state = found.map_or(BillState::Waiting.text(), Match::text);
        let values = [
            day.payments,
            day.received_fen,
            day.refunds,
            day.refunded_fen,
            day.fee_fen,
            day.offline_fen,
            day.net_fen(),
        ];
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        sheet.write_string(row, 0, day.day.shown())?;
        write_values(sheet, row, &values, &money)?;
        sheet.write_string(row, 8, state)?;
        // 成交 and 到账 differ by the coupons that the merchant bears.
        for ((column, sum), fen) in (9..).zip(&mut settled).zip([day.arrived_fen(), day.left_fen()]) {
            *sum += fen;
            write_money(sheet, row, column, fen, &money)?;
        }
        // Our own books are never rewritten: where a person found WeChat's figure right, it stands beside ours.
        let Some(found) = found.filter(|found| found.billed().is_some()) else { continue };
        let theirs = [found.received_fen - found.received_borne_fen, found.refunded_fen - found.refunded_borne_fen];
        for ((column, sum), fen) in (11..).zip(&mut billed).zip(theirs) {
            *sum += fen;
            write_money(sheet, row, column, fen, &money)?;
        }
    }
    sheet.write_string_with_format(row + 1, 0, "合计", &head)?;
    write_values(sheet, row + 1, &sums, &bold_money)?;
    for (column, sum) in (9..).zip(settled.into_iter().chain(billed)) {
        write_money(sheet, row + 1, column, sum, &bold_money)?;
    }
    sheet.autofit();

    let sheet = book.add_worksheet().set_name("毛利")?;
    earned(sheet, margins, (&head, &money, &bold_money))?;

    let sheet = book.add_worksheet().set_name("明细")?;
    titled(sheet, &["时间", "类型", "订单号", "微信单号", "金额(元)", "到账(元)"], &head)?;
    for (row, movement) in (1..).zip(movements) {
        sheet.write_string(row, 0, clock::shown(movement.at))?;
        sheet.write_string(row, 1, kind_text(&movement.kind))?;
        sheet.write_string(row, 2, movement.order_no.as_deref().unwrap_or_default())?;
        // As text: a spreadsheet keeps fifteen digits of a number and loses the rest.
        sheet.write_string(row, 3, &movement.wechat_id)?;
        write_money(sheet, row, 4, movement.amount_fen, &money)?;
        write_money(sheet, row, 5, movement.amount_fen - movement.borne_fen, &money)?;
    }
    sheet.autofit();

    if !differences.is_empty() {
        let sheet = book.add_worksheet().set_name("差异")?;
        titled(sheet, &["日期", "差异", "订单号", "微信单号", "怎么处理的"], &head)?;
        for (row, one) in (1..).zip(differences) {
            sheet.write_string(row, 0, one.day.map(Day::shown).unwrap_or_default())?;
            sheet.write_string(row, 1, &one.what)?;
            sheet.write_string(row, 2, one.order_no.as_ref().map(ToString::to_string).unwrap_or_default())?;
            sheet.write_string(row, 3, &one.transaction_id)?;
            sheet.write_string(row, 4, one.resolution.as_deref().unwrap_or("待核对"))?;
        }
        sheet.autofit();
    }
    book.save_to_buffer()
}

/// By day, and together. Pieces without a cost stand in columns of their own, and in no other.
fn earned(
    sheet: &mut Worksheet,
    margins: &BTreeMap<Day, Margin>,
    (head, money, bold_money): (&Format, &Format, &Format),
) -> Result<(), XlsxError> {
    let titles = ["日期", "件数", "商品收入(元)", "成本(元)", "毛利(元)", "没填成本的件数", "没填成本的收入(元)"];
    titled(sheet, &titles, head)?;
    let sum = Margin::sum(margins.values());
    let days = margins.iter().map(|(day, margin)| (day.shown(), margin, money));
    for (row, (day, margin, money)) in (1..).zip(days.chain([("合计".to_owned(), &sum, bold_money)])) {
        sheet.write_string(row, 0, day)?;
        for (column, pieces) in [(1, margin.pieces), (5, margin.unknown_pieces)] {
            sheet.write_number(row, column, i32::try_from(pieces).unwrap_or(i32::MAX))?;
        }
        for (column, fen) in
            [(2, margin.income_fen), (3, margin.cost_fen), (4, margin.earned_fen()), (6, margin.unknown_fen)]
        {
            write_money(sheet, row, column, fen, money)?;
        }
    }
    sheet.autofit();
    Ok(())
}

fn titled(sheet: &mut Worksheet, titles: &[&str], head: &Format) -> Result<(), XlsxError> {
    for (column, title) in (0..).zip(titles) {
        sheet.write_string_with_format(0, column, *title, head)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// Counts stand in the first and third place, sums of money in the others.
fn write_values(sheet: &mut Worksheet, row: u32, values: &[i64; 7], money: &Format) -> Result<(), XlsxError> {
    for (column, value) in (1..).zip(values) {
        match column {
            1 | 3 => sheet.write_number(row, column, u32::try_from(*value).unwrap_or(u32::MAX)).map(|_| ())?,
            _ => write_money(sheet, row, column, *value, money)?,
        }
    }
    Ok(())
}

/// A spreadsheet's numbers are binary floating point, whatever anybody thinks of it: it is given the number that our
/// decimal reads as, at the very last step, and nothing is computed with it.
fn write_money(sheet: &mut Worksheet, row: u32, column: u16, fen: i64, money: &Format) -> Result<(), XlsxError> {
    let decimal = plain(fen);
    match decimal.parse::<f64>() {
        Ok(number) => sheet.write_number_with_format(row, column, number, money)?,
        Err(_) => sheet.write_string(row, column, decimal)?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Reader, Xlsx};

    use super::*;
    use crate::clock::Day;

    #[test]
    fn the_report_reads_back_to_the_fen() {
        let day: Day = "2026-10-08".parse().unwrap();
        let sum = DaySum {
            payments: 2,
            received_fen: 128_830,
            received_borne_fen: 2_000,
            refunds: 1,
            refunded_fen: 7_000,
            refunded_borne_fen: 1_000,
            fee_fen: 773,
            ..DaySum::nothing(day)
        };
        let moved = Movement {
            at: day.start(),
            kind: "payment".into(),
            order_no: Some("202610087K2M0A1B2C".into()),
            wechat_id: "4200000000202610080000000001".into(),
            amount_fen: 8801,
            borne_fen: 1,
        };
        let margin = Margin { pieces: 3, income_fen: 9_001, cost_fen: 4_550, unknown_pieces: 1, unknown_fen: 8_800 };
        let bytes = month(&[sum], &[], &[moved], &BTreeMap::from([(day, margin)]), &[]).unwrap();
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
        let days = book.worksheet_range("按日").unwrap();
        assert_eq!(days.get_value((1, 2)), Some(&Data::Float(1288.30)));
        // What stays is counted on what is settled: 1268.30 arrived, 60.00 left.
        assert_eq!(days.get_value((2, 7)), Some(&Data::Float(1200.57)));
        assert_eq!(days.get_value((2, 9)), Some(&Data::Float(1268.3)));
        assert_eq!(days.get_value((2, 10)), Some(&Data::Float(60.0)));
        let earned = book.worksheet_range("毛利").unwrap();
        for row in [1, 2] {
            assert_eq!(earned.get_value((row, 1)), Some(&Data::Float(3.0)));
            assert_eq!(earned.get_value((row, 4)), Some(&Data::Float(44.51)));
            assert_eq!(earned.get_value((row, 6)), Some(&Data::Float(88.0)));
        }
        let rows = book.worksheet_range("明细").unwrap();
        assert_eq!(rows.get_value((1, 3)), Some(&Data::String("4200000000202610080000000001".into())));
        assert_eq!(rows.get_value((1, 4)), Some(&Data::Float(88.01)));
        assert_eq!(rows.get_value((1, 5)), Some(&Data::Float(88.0)));
    }
}
