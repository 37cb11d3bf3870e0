//! Numbers in cells: as a spreadsheet shows them, and refused where it has spoilt them.

use super::Cell;

/// A spreadsheet keeps this many digits of a number; what came behind them is lost.
const DIGITS: i32 = 15;

/// A numeric cell as it looks: `59.7` for 59.699999999999996, `00123` and `85%` by their formats.
pub(super) fn shown(number: f64, format: &str) -> Cell {
    if !number.is_finite() {
        return Cell::Error("#NUM!".to_owned());
    }
    let plain = rounded(number);
    if number.abs() >= 10_f64.powi(DIGITS) {
        return Cell::Spoilt(plain);
    }
    let section = format.split(';').next().unwrap_or_default();
    match Look::of(section) {
        Look::Plain => Cell::Text(plain),
        Look::Percent => Cell::Text(format!("{}%", rounded(number * 100.0))),
        Look::Filled { before, width, after } if number >= 0.0 && number.fract() == 0.0 => {
            Cell::Text(format!("{before}{plain:0>width$}{after}"))
        }
        Look::Filled { .. } => Cell::Text(plain),
    }
}

/// A whole number, the same way.
pub(super) fn whole(number: i64, format: &str) -> Cell {
    shown(number as f64, format)
}

/// A number written as a decimal, with the text that is shown for it: zeros in front and per cent are what is shown.
pub(super) fn decimal(value: &str, shown_as: &str) -> Option<Cell> {
    let read = shown(value.parse().ok()?, "");
    let digits = shown_as.trim_start_matches('0');
    Some(match &read {
        Cell::Text(plain) if digits.len() < shown_as.len() && digits == plain => Cell::Text(shown_as.to_owned()),
        Cell::Text(_) if shown_as.ends_with('%') => shown(value.parse().ok()?, "0%"),
        _ => read,
    })
}

/// To the digits that a spreadsheet keeps, and then the shortest decimal that says the same.
fn rounded(number: f64) -> String {
    let digits = (DIGITS - 1) as usize;
    let kept: f64 = format!("{number:.digits$e}").parse().unwrap_or(number);
    // A negative zero is shown without its sign.
    (kept + 0.0).to_string()
}

/// What a number format does to the digits; colours, currencies, thousands and decimals change nothing about the value.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Plain,
    Percent,
    /// Filled up with zeros, as codes are, perhaps with letters around.
    Filled {
        before: String,
        width: usize,
        after: String,
    },
}

impl Look {
    fn of(section: &str) -> Look {
        let (mut before, mut after, mut width, mut other, mut percent) =
            (String::new(), String::new(), 0, false, false);
        let mut chars = section.chars();
        while let Some(c) = chars.next() {
            let around = if width == 0 { &mut before } else { &mut after };
            match c {
                '"' => around.extend(chars.by_ref().take_while(|c| *c != '"')),
                '\\' => around.extend(chars.next()),
                '[' => drop(chars.by_ref().find(|c| *c == ']')),
                '_' | '*' => drop(chars.next()),
                '0' if after.is_empty() => width += 1,
                '%' => percent = true,
                _ => other = true,
            }
        }
        match percent {
            true => Look::Percent,
            false if other || width < 2 => Look::Plain,
            false => Look::Filled { before, width, after },
        }
    }
}

/// A decimal as a cell of a workbook holds it.
pub(super) fn spreadsheet(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    text.parse().ok().filter(|_| plain)
}

/// Whether text is a long number as a spreadsheet writes it once it has lost its last digits: `7.73E+14`.
pub fn is_spoilt(text: &str) -> bool {
    let Some((digits, power)) = text.trim().split_once(['E', 'e']) else { return false };
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let power = power.strip_prefix('+').unwrap_or(if part.is_empty() { "" } else { power });
    whole.len() == 1 && all_digits(whole) && all_digits(part) && (1..=3).contains(&power.len()) && all_digits(power)
}

/// Wide digits, letters and signs as narrow ones: `１９．９０` is `19.90`.
pub fn narrow(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{3000}' | '\u{a0}' => ' ',
            '。' => '.',
            _ => c,
        })
        .collect()
}

/// A whole number of things as people write it: `100`, `1,000`, `100件`, `１０`, `10.0`. `None` when it is none.
pub fn count(text: &str) -> Option<i64> {
    let text = narrow(text);
    let digits = text.trim().trim_end_matches(|c: char| !c.is_ascii() && !c.is_numeric()).trim();
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || part.bytes().any(|b| b != b'0') {
        return None;
    }
    let (sign, whole) = whole.strip_prefix('-').map_or((1, whole), |whole| (-1, whole));
    Some(sign * ungrouped(whole)?.parse::<i64>().ok()?)
}

/// Digits without the commas of their thousands; `None` where a comma stands anywhere else.
fn ungrouped(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split(',').collect();
    let right = match &groups[..] {
        [only] => !only.is_empty(),
        [first, rest @ ..] => (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3),
        [] => false,
    };
    let digits = groups.concat();
    (right && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_shown() {
        for (number, format, text) in [
            (59.699999999999996, "General", "59.7"),
            (19.9, "0.00", "19.9"),
            (8.000000000000002, "General", "8"),
            (16.915, "General", "16.915"),
            (6901234567892.0, "General", "6901234567892"),
            (123.0, "00000", "00123"),
            (7.0, "\"HZ\"000", "HZ007"),
            (100.0, "0\"件\"", "100"),
            (1299.0, "\"¥\"#,##0.00", "1299"),
            (1299.0, "[$¥-804]#,##0.00_);[Red](#,##0)", "1299"),
            (0.85, "0%", "85%"),
            (0.15, "0.00%", "15%"),
            (-0.0, "General", "0"),
        ] {
            assert_eq!(shown(number, format), Cell::Text(text.into()), "{number} {format}");
        }
        for number in [1e15, 123456789012345678.0, -4.2e27] {
            assert!(matches!(shown(number, "0"), Cell::Spoilt(_)), "{number}");
        }
        assert_eq!(shown(999_999_999_999_999.0, "0"), Cell::Text("999999999999999".into()));
    }

    #[test]
    fn a_number_that_lost_its_digits_is_known_by_its_looks() {
        for text in ["7.73E+14", "4.20020261128e+27", "1E+5", "7.7E14"] {
            assert!(is_spoilt(text), "{text}");
        }
        for text in ["773000000000001", "SF1E+5", "E5", "3E5", "1.5", "12E+3", "KE+1", ""] {
            assert!(!is_spoilt(text), "{text}");
        }
    }

    #[test]
    fn counts_are_read_as_people_write_them() {
        for (text, n) in [("100件", 100), ("1,000", 1000), ("１０", 10), ("10.0", 10), (" 8 个", 8), ("-3", -3)] {
            assert_eq!(count(text), Some(n), "{text}");
        }
        for text in ["", "十", "1.5", "1,00", "1,0000", "10-20", "3箱x2", "件", "99999999999999999999", "1 2"] {
            assert_eq!(count(text), None, "{text}");
        }
    }
}
