//! Pick-up (自提): the code by which somebody who comes is known, and the picture of it.

pub mod picture;
pub mod store;

use std::fmt;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::buyers::addresses::masked;
use crate::typed::bare;

/// What an order has whose goods somebody comes to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pickup {
    /// Of whoever comes; empty where nobody said it.
    pub phone: String,
    pub code: PickupCode,
    /// When the shop had everything ready.
    pub ready_at: Option<i64>,
}

impl Pickup {
    /// `138****1234`; empty where nobody said it.
    pub fn masked_phone(&self) -> String {
        if self.phone.is_empty() { String::new() } else { masked(&self.phone) }
    }

    /// The phone for whoever may see all of it, else masked.
    pub fn shown_phone(&self, whole: bool) -> String {
        if whole { self.phone.clone() } else { self.masked_phone() }
    }
}

/// Eight digits that stand for one order, now and ever: whoever pays it can show them, and nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickupCode(String);

/// How many codes there are.
pub const CODES: i64 = 100_000_000;
/// From one code to the next that is tried where it is taken: goes through all of them.
const STRIDE: i64 = 38_196_601;
/// Stands before the digits in the picture, so that a scanner's reading is not taken for a barcode's.
const MARK: &str = "PU";
const DIGITS: usize = 8;

impl PickupCode {
    /// The `n`th that an order may have that drew this number.
    pub fn drawn(number: i64, n: i64) -> PickupCode {
        PickupCode(format!("{:08}", (number.rem_euclid(CODES) + n * STRIDE).rem_euclid(CODES)))
    }

    /// What was typed or scanned, with or without blanks; `None` for what is no such code.
    pub fn read(text: &str) -> Option<PickupCode> {
        let text = bare(text).to_ascii_uppercase();
        let digits: String = text.strip_prefix(MARK).unwrap_or(&text).replace([' ', '-'], "");
        let fine = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        fine.then_some(PickupCode(digits))
    }

    /// Only what the picture says: digits alone may be something else's.
    pub fn scanned(text: &str) -> Option<PickupCode> {
        PickupCode::read(text).filter(|_| bare(text).to_ascii_uppercase().starts_with(MARK))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the picture says.
    fn marked(&self) -> String {
        format!("{MARK}{}", self.0)
    }
}

impl fmt::Display for PickupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ToSql for PickupCode {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for PickupCode {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<PickupCode> {
        PickupCode::read(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_written() {
        let code = PickupCode::read("07284163").unwrap();
        for (typed, known) in [
            ("0728 4163", true),
            (" 0728-4163\n", true),
            ("０７２８４１６３", true),
            ("PU07284163", true),
            ("pu07284163", true),
            (&code.marked(), true),
            ("7284163", false),
            ("107284163", false),
            ("0728416X", false),
            ("PU", false),
            ("PUPU07284163", false),
            ("", false),
            ("https://example.com/07284163", false),
            ("20261008ABCDEFGHJK", false),
        ] {
            assert_eq!(PickupCode::read(typed), known.then(|| code.clone()), "{typed}");
        }
        assert_eq!((PickupCode::scanned("07284163"), PickupCode::scanned("PU07284163")), (None, Some(code)));
    }

    #[test]
    fn whoever_finds_a_code_taken_tries_others_and_never_one_twice() {
        let tried: BTreeSet<String> = (0..1_000).map(|n| PickupCode::drawn(CODES - 1, n).0).collect();
        assert_eq!(tried.len(), 1_000);
        assert!(tried.iter().all(|code| code.len() == 8));
        assert_eq!(PickupCode::drawn(-1, 0), PickupCode::drawn(CODES - 1, 0));
    }
}
