//! Which goods a row means by a code, and whose a barcode is.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{Column, EMPTY_IT, Row};
use crate::catalogue::rules;
use crate::catalogue::store::{self, Coded};
use crate::error::Result;
use crate::ids::SkuId;
use crate::typed::is_rounded;

/// The goods that a row names by a code.
#[derive(Default)]
pub(super) struct ByCode {
    /// As it is kept; `None` where the row has none.
    pub code: Option<String>,
    pub owner: Option<Coded>,
    /// Whether what is printed on the goods has told, for nothing else did.
    pub by_barcode: bool,
}

/// The codes of a shop.
pub(super) struct Codes<'c> {
    conn: &'c Connection,
    /// Every barcode with whose it is, once somebody has asked.
    barcodes: Option<HashMap<String, Vec<Coded>>>,
}

impl Codes<'_> {
    pub(super) fn new(conn: &Connection) -> Codes<'_> {
        Codes { conn, barcodes: None }
    }

    /// The goods whose code a row has; where it has no other word for them, those on which its barcode is printed. `Err`
    /// says why nobody knows.
    pub(super) fn by_code(&mut self, row: &Row) -> Result<std::result::Result<ByCode, String>> {
        let owner = |code: &str| store::sku_with_code(self.conn, code);
        if let Some(code) = row.said(Column::SkuCode).filter(|code| *code != EMPTY_IT) {
            let (exact, whole) = (owner(code)?, whole(code));
            let (code, owner) = match exact {
                None if whole != code => (whole, owner(whole)?),
                exact => (code, exact),
            };
            return Ok(Ok(ByCode { code: Some(code.to_owned()), owner, by_barcode: false }));
        }
        let barcode = row.said(Column::Barcode).filter(|barcode| *barcode != EMPTY_IT);
        let Some(barcode) = barcode.filter(|_| row.said(Column::Name).is_none()) else {
            return Ok(Ok(ByCode::default()));
        };
        let barcode = rules::as_scanned(whole(barcode));
        if let Err(spoilt) = unspoilt("条码", &barcode) {
            return Ok(Err(spoilt));
        }
        // Some shops write it as the code of their own.
        let as_code = owner(&barcode)?;
        let owner = match self.with_barcode(&barcode)? {
            [] => as_code,
            [one] => Some(one.clone()),
            several => {
                let n = several.len();
                return Ok(Err(format!("条码 {barcode} 有 {n} 个规格在用：请加一列商家编码，写明是哪一个")));
            }
        };
        Ok(Ok(ByCode { code: None, owner, by_barcode: true }))
    }

    /// Other goods that have a barcode, or have it as their code.
    pub(super) fn other(&mut self, barcode: &str, own: Option<SkuId>) -> Result<Option<Coded>> {
        let coded = store::sku_with_code(self.conn, barcode)?.filter(|other| !other.deleted);
        let mut known = coded.iter().chain(self.with_barcode(barcode)?);
        Ok(known.find(|other| Some(other.id) != own).cloned())
    }

    fn with_barcode(&mut self, barcode: &str) -> Result<&[Coded]> {
        if self.barcodes.is_none() {
            let mut all: HashMap<String, Vec<Coded>> = HashMap::new();
            for (barcode, owner) in store::barcodes(self.conn)? {
                all.entry(barcode).or_default().push(owner);
            }
            self.barcodes = Some(all);
        }
        let known = self.barcodes.as_ref().and_then(|all| all.get(barcode));
        Ok(known.map(Vec::as_slice).unwrap_or_default())
    }
}

/// Programs that reckon make a fraction of a code: `1001.0`.
pub(super) fn whole(code: &str) -> &str {
    let digits = code.strip_suffix(".0").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    digits.filter(|digits| !digits.is_empty()).unwrap_or(code)
}

/// Refuses what a spreadsheet leaves of a code that it took for a number or a moment.
pub(super) fn unspoilt<'t>(what: &str, code: &'t str) -> std::result::Result<&'t str, String> {
    if is_rounded(code) {
        return Err(format!(
            "{what}「{code}」像是被表格软件变成了科学计数，后几位已经丢了：请把这一列改成“文本”格式，再重新填写"
        ));
    }
    if is_moment(code) {
        return Err(format!("{what}「{code}」像是被表格软件变成了日期或时间：请把这一列改成“文本”格式，再重新填写"));
    }
    Ok(code)
}

/// What a spreadsheet makes of `3-5`, `MAR5` and the like: `3月5日`, `5-Mar`, `2026/3/5`, `12:30:00`; and of `true`.
fn is_moment(code: &str) -> bool {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let lower = code.to_lowercase();
    let number = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let parts = |signs: &[char]| lower.split(signs).map(str::to_owned).collect::<Vec<_>>();
    let year = |text: &str| text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    let day = match &parts(&['-', '/', '年', '月', '日'])[..] {
        [month, day] => {
            MONTHS.contains(&month.as_str()) && number(day) || number(month) && MONTHS.contains(&day.as_str())
        }
        [m, d, end] | [_, m, d, end] if end.is_empty() => code.ends_with('日') && number(m) && number(d),
        [y, m, d] => year(y) && code.contains('/') && number(m) && number(d),
        _ => false,
    };
    let clock = parts(&[':']);
    let time = (2..=3).contains(&clock.len()) && clock.iter().all(|part| part.len() <= 2 && number(part));
    day || time || ["true", "false"].contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_was_before_programs_reckoned_with_it() {
        for (code, is) in [("1001.0", "1001"), ("V2.0", "V2.0"), ("1001.00", "1001.00"), (".0", ".0"), ("1.5", "1.5")] {
            assert_eq!(whole(code), is);
        }
        for (code, fine) in [
            ("6900000000000", false),
            ("690123000000", false),
            ("6901230000003", true),
            ("1000000", true),
            ("A900000000000", true),
            ("3月5日", false),
            ("2026年3月5日", false),
            ("5-Mar", false),
            ("Mar-05", false),
            ("2026/3/5", false),
            ("12:30:00", false),
            ("TRUE", false),
            ("2026-03-05", true),
            ("3-5", true),
            ("MAR5", true),
            ("A-Mar", true),
            ("1:2:3:4", true),
        ] {
            assert_eq!(unspoilt("条码", code).is_ok(), fine, "{code}");
        }
    }
}
