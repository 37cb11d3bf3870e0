//! Money: whole fen, never negative, every sum checked.

use std::fmt;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of money in fen (分), from 0 to 10^10 (one hundred million yuan).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

impl Fen {
    pub const ZERO: Fen = Fen(0);
    const MAX: i64 = 10_000_000_000;

    /// `None` outside 0..=10^10.
    pub const fn new(fen: i64) -> Option<Fen> {
        if 0 <= fen && fen <= Fen::MAX { Some(Fen(fen)) } else { None }
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub fn plus(self, other: Fen) -> Option<Fen> {
        Fen::new(self.0 + other.0)
    }

    pub fn minus(self, other: Fen) -> Option<Fen> {
        Fen::new(self.0 - other.0)
    }

    pub fn times(self, quantity: i64) -> Option<Fen> {
        self.0.checked_mul(quantity).and_then(Fen::new)
    }

    /// In yuan as a form or a table takes it: without separators.
    pub fn plain(self) -> String {
        plain(self.0)
    }

    /// Reads what WeChat sends: digits only, no sign, no leading zero.
    pub fn from_wire(text: &str) -> Option<Fen> {
        let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if plain { text.parse().ok().and_then(Fen::new) } else { None }
    }

    /// Reads what people type: `19.9`, `¥1,280.00`, `８元`, `RMB 19.90`; at most two decimals, never through a float.
    pub fn from_yuan(text: &str) -> Option<Fen> {
        let narrow: String = text.chars().map(narrow).collect();
        let text = unit_off(narrow.trim());
        let (yuan, cents) = text.split_once('.').unwrap_or((text, ""));
        // A comma parts thousands and nothing else: 19,9 is not 199.
        let grouped = yuan.contains(',');
        let first = yuan.split(',').next().map_or(0, str::len);
        if grouped && (!(1..=3).contains(&first) || yuan.split(',').skip(1).any(|group| group.len() != 3)) {
            return None;
        }
        let yuan: String = yuan.chars().filter(|c| *c != ',').collect();
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if yuan.is_empty() || !digits(&yuan) || !digits(cents) || cents.len() > 2 {
            return None;
        }
        let yuan: i64 = yuan.parse().ok()?;
        let cents: i64 = format!("{cents:0<2}").parse().ok()?;
        yuan.checked_mul(100)?.checked_add(cents).and_then(Fen::new)
    }
}

/// A wide digit, letter or sign as the narrow one.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        _ => c,
    }
}

/// An amount without the name of its currency.
fn unit_off(text: &str) -> &str {
    let before = ["RMB", "CNY", "rmb", "cny", "人民币", "¥", "￥"];
    let behind = ["元", "圆", "块", "RMB", "CNY", "rmb", "cny", "人民币"];
    let text = before.iter().find_map(|unit| text.strip_prefix(unit)).unwrap_or(text);
    behind.iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text).trim()
}

/// Parts of a sum in proportion to amounts, to the fen: the largest remainders get the fen that are left. No part is more
/// than its amount, as long as the sum is not more than all of them.
pub fn spread(amounts: &[Fen], sum: Fen) -> Vec<Fen> {
    let total: i64 = amounts.iter().map(|amount| amount.get()).sum();
    if total == 0 {
        return vec![Fen::ZERO; amounts.len()];
    }
    // Both are below 10^10, so the product stays below 10^20 and needs more than 64 bits.
    let exact = |amount: &Fen| i128::from(amount.get()) * i128::from(sum.get());
    let mut parts: Vec<i64> = amounts.iter().map(|amount| (exact(amount) / i128::from(total)) as i64).collect();
    let mut by_remainder: Vec<usize> = (0..amounts.len()).collect();
    by_remainder.sort_by_key(|i| std::cmp::Reverse(exact(&amounts[*i]) % i128::from(total)));
    let left = sum.get() - parts.iter().sum::<i64>();
    for i in by_remainder.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[i] += 1;
    }
    parts.into_iter().map(|part| Fen::new(part).unwrap_or_default()).collect()
}

/// Yuan with two decimals and nothing else, as a form or a table takes it: `1280.00`, `-0.05`.
pub fn plain(fen: i64) -> String {
    yuan(fen).replace(',', "")
}

/// Yuan with two decimals and thousands separators, without the currency's sign: `1,280.00`, `-0.05`.
pub fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let whole = (fen.unsigned_abs() / 100).to_string();
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{:02}", fen.unsigned_abs() % 100)
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&yuan(self.0))
    }
}

impl Serialize for Fen {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Fen, D::Error> {
        Fen::new(i64::deserialize(d)?).ok_or_else(|| D::Error::custom("no amount of money"))
    }
}

impl ToSql for Fen {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Fen {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Fen> {
        let fen = i64::column_result(value)?;
        Fen::new(fen).ok_or(FromSqlError::OutOfRange(fen))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sum_is_spread_to_the_fen(prices in prop::collection::vec(0..1_000_000_i64, 1..12), part in 0..=100_i64) {
            let amounts: Vec<Fen> = prices.iter().map(|fen| Fen::new(*fen).unwrap()).collect();
            let sum = Fen::new(prices.iter().sum::<i64>() * part / 100).unwrap();
            let parts = spread(&amounts, sum);
            prop_assert_eq!(parts.iter().map(|fen| fen.get()).sum::<i64>(), sum.get());
            prop_assert!(parts.iter().zip(&amounts).all(|(part, amount)| part <= amount));
        }
    }

    #[test]
    fn people_type_yuan_in_many_ways() {
        for (typed, fen) in [
            ("19.9", Some(1990)),
            ("19.90", Some(1990)),
            ("0.01", Some(1)),
            ("¥1,280.00", Some(128_000)),
            ("8元", Some(800)),
            (" 8 ", Some(800)),
            ("8.", Some(800)),
            ("", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("1.234", None),
            ("一百", None),
            ("99999999999", None),
        ] {
            assert_eq!(Fen::from_yuan(typed).map(Fen::get), fen, "{typed:?}");
        }
    }

    #[test]
    fn wechat_sends_plain_digits_only() {
        for (sent, fen) in [
            ("8800", Some(8800)),
            ("0", Some(0)),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("", None),
            ("1.0", None),
            ("１", None),
        ] {
            assert_eq!(Fen::from_wire(sent).map(Fen::get), fen, "{sent:?}");
        }
    }

    #[test]
    fn an_amount_is_shown_with_separators() {
        for (fen, shown) in [(0, "0.00"), (5, "0.05"), (128_800, "1,288.00"), (100_000_099, "1,000,000.99")] {
            assert_eq!(Fen(fen).to_string(), shown);
        }
        assert_eq!((yuan(-5), yuan(-128_800)), ("-0.05".into(), "-1,288.00".into()));
    }

    #[test]
    fn a_sum_beyond_the_limit_is_refused() {
        assert_eq!(Fen(Fen::MAX).plus(Fen(1)), None);
        assert_eq!(Fen(2).times(i64::MAX), None);
        assert_eq!(Fen(1).minus(Fen(2)), None);
    }
}
