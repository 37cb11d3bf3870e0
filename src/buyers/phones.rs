//! The phone number in a longer text, with the extension without which a virtual number rings nobody.

use std::ops::Range;

/// A number as it is kept, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    pub number: String,
    pub at: Range<usize>,
}

/// The first whole number: a mobile, a fixed, a service's or a foreign one. +86 and what stands between the digits of a mobile
/// are taken off, a fixed one keeps the sign behind its area; an extension stands behind a hyphen.
pub fn first(text: &str) -> Option<Phone> {
    starts(text).find_map(|at| {
        let (number, end, most) = mobile(text, at).or_else(|| fixed(text, at)).or_else(|| foreign(text, at))?;
        match extension(&text[end..], most) {
            Some((digits, length)) => Some(Phone { number: format!("{number}-{digits}"), at: at..end + length }),
            None => Some(Phone { number, at: at..end }),
        }
    })
}

/// Every whole number, one after the other.
pub fn all(text: &str) -> impl Iterator<Item = Phone> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = first(&text[from..])?;
        let at = from + found.at.start..from + found.at.end;
        from = at.end;
        Some(Phone { at, ..found })
    })
}

/// Whether what is a number by itself rings nobody: digits of a mobile's too few or one too many, or as many as it has that
/// begin as none does.
pub fn rings_nobody(number: &str) -> bool {
    let bare = ["+86", "0086"].iter().find_map(|country| number.strip_prefix(country)).map(str::trim_start);
    let bare = bare.unwrap_or(number);
    first(number).is_none() && (not_quite_mobile(bare, 6).is_some() || is_as_long_as_a_mobile(bare))
}

/// Eleven digits, in one or as a mobile's are grouped. 香港 and 澳门 have as many behind their own code; a fixed number of the
/// town with its extension is grouped otherwise.
fn is_as_long_as_a_mobile(number: &str) -> bool {
    let groups: Vec<&str> = number.split([' ', '-']).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let is_abroad = ["852", "853"].iter().any(|code| number.starts_with(code));
    let is_digits = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_digit()));
    matches!(lengths[..], [11] | [3, 4, 4]) && is_digits && !is_abroad
}

/// One of not quite eleven digits in a longer text, so that its owner sees what is missing.
pub fn nearly(text: &str) -> Option<Phone> {
    not_quite_mobile(text, 8)
}

/// What begins as a mobile's number does, of so many digits at least; a fixed one begins otherwise.
fn not_quite_mobile(text: &str, least: usize) -> Option<Phone> {
    starts(text).find_map(|at| {
        let (digits, length) = digits(&text[at..], 13);
        let nearly = (least..=13).contains(&digits.len()) && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..]);
        nearly.then(|| Phone { number: digits, at: at..at + length })
    })
}

/// Where a number may begin.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let mut before = None;
    text.char_indices().filter_map(move |(at, c)| {
        let begins = match before {
            Some('+') => false,
            Some(before) => !char::is_ascii_digit(&before),
            None => true,
        };
        before = Some(c);
        (begins && (c.is_ascii_digit() || matches!(c, '+' | '('))).then_some(at)
    })
}

/// So many digits at the most, with one sign between them at the most, and how long they are in the text.
fn digits(text: &str, most: usize) -> (String, usize) {
    let (mut digits, mut end, mut signs) = (String::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '0'..='9' if digits.len() < most => {
                digits.push(c);
                (end, signs) = (at + 1, 0);
            }
            ' ' | '-' if signs == 0 && !digits.is_empty() => signs += 1,
            _ => break,
        }
    }
    (digits, end)
}

fn follows_digit(text: &str, at: usize) -> bool {
    text[at..].starts_with(|c: char| c.is_ascii_digit())
}

/// A number, where it ends, and how many digits its extension may have.
type Read = Option<(String, usize, usize)>;

fn mobile(text: &str, at: usize) -> Read {
    let here = &text[at..];
    let bare = ["+86", "0086", "86"].iter().find_map(|country| here.strip_prefix(country));
    [bare, Some(here)].into_iter().flatten().find_map(|rest| {
        let rest = rest.trim_start_matches([' ', '-']);
        let (digits, length) = digits(rest, 11);
        let end = text.len() - rest.len() + length;
        let whole = digits.len() == 11 && digits.starts_with('1') && !digits.starts_with("10");
        (whole && !follows_digit(text, end)).then_some((digits, end, 6))
    })
}

fn fixed(text: &str, at: usize) -> Read {
    let here = &text[at..];
    let (area, rest) = match here.strip_prefix('(') {
        Some(inner) => inner.split_once(')')?,
        None => {
            let length = match here.as_bytes() {
                [b'0', b'1' | b'2', ..] | [b'4' | b'8', b'0', b'0', ..] => 3,
                _ => 4,
            };
            here.split_at_checked(length)?
        }
    };
    let is_area = area.bytes().all(|b| b.is_ascii_digit()) && (area.starts_with('0') && (3..=4).contains(&area.len()));
    let service = matches!(area, "400" | "800");
    let rest = rest.strip_prefix([' ', '-']).unwrap_or(rest);
    let (number, length) = digits(rest, if service { 7 } else { 8 });
    let end = text.len() - rest.len() + length;
    let right = if service { number.len() == 7 } else { is_area && (6..=8).contains(&number.len()) };
    if !right || follows_digit(text, end) {
        return None;
    }
    let written = if here.starts_with('(') { format!("{area}-{number}") } else { text[at..end].to_owned() };
    Some((written, end, 6))
}

/// With the sign of a country in front. A mobile of ours that is none is no foreign one either.
fn foreign(text: &str, at: usize) -> Read {
    let rest = text[at..].strip_prefix('+')?;
    let (digits, length) = digits(rest, 14);
    let end = text.len() - rest.len() + length;
    let ours = matches!(digits.as_bytes(), [b'8', b'6', b'1', b'3'..=b'9', ..]);
    let whole = (9..=14).contains(&digits.len()) && !ours && !follows_digit(text, end);
    whole.then(|| (text[at..end].to_owned(), end, 0))
}

/// The digits behind a number that another exchange wants, and how long all of that is. What is counted in houses is none.
fn extension(rest: &str, most: usize) -> Option<(String, usize)> {
    let trimmed = rest.trim_start_matches(' ');
    let inner = trimmed.strip_prefix(['(', '（']);
    let words = ["转接", "转", "分机号", "分机", "ext.", "ext", "EXT"];
    let said = words.iter().find_map(|word| inner.unwrap_or(trimmed).strip_prefix(word));
    let said = said.map(|behind| (behind.trim_start_matches([' ', ':', '：', '-']), 1));
    let closing = if said.is_some() && inner.is_some() { [')', '）'] } else { ['\0'; 2] };
    let dashed = rest.strip_prefix(['-', '_', '#']).map(|behind| (behind, 1));
    let behind_comma = rest.strip_prefix([',', '，']).map(|behind| (behind, 3));
    let (behind, least) = said.or(dashed).or(behind_comma)?;
    let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    let next = behind[end..].chars().next();
    let parted = next.is_none_or(|c| !c.is_alphanumeric());
    let house = next.is_some_and(|c| "号弄幢栋楼室单层座门组户-".contains(c));
    let right = (least..=most).contains(&end) && !house && (least == 1 || parted);
    let closed = next.filter(|c| closing.contains(c)).map_or(0, char::len_utf8);
    right.then(|| (behind[..end].to_owned(), rest.len() - behind.len() + end + closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_whole_and_with_its_extension() {
        for (text, number) in [
            ("13800138000", "13800138000"),
            ("138 0013 8000", "13800138000"),
            ("138-0013-8000", "13800138000"),
            ("1 3 8 0 0 1 3 8 0 0 0", "13800138000"),
            ("+86 138 0013 8000", "13800138000"),
            ("+8613800138000", "13800138000"),
            ("86-13800138000", "13800138000"),
            ("008613800138000", "13800138000"),
            ("18466000000-1234", "18466000000-1234"),
            ("18466000000转1234", "18466000000-1234"),
            ("18466000000 转 1234", "18466000000-1234"),
            ("18466000000分机1234", "18466000000-1234"),
            ("18466000000（分机1234）", "18466000000-1234"),
            ("18466000000 (转 1234)", "18466000000-1234"),
            ("0571-88001234(分机号：802)", "0571-88001234-802"),
            ("18466000000（1234）", "18466000000"),
            ("18466000000（分机）", "18466000000"),
            ("18466000000,1234", "18466000000-1234"),
            ("18466000000-1234浙江省", "18466000000-1234"),
            ("18466000000,1234弄", "18466000000"),
            ("18466000000-12号楼", "18466000000"),
            ("13800138000,13900139000", "13800138000"),
            ("13800138000-13900139000", "13800138000"),
            ("0571-88888888", "0571-88888888"),
            ("0571 8800 1234", "0571 8800 1234"),
            ("0571-88888888-802", "0571-88888888-802"),
            ("057188888888转802", "057188888888-802"),
            ("(0571)88888888", "0571-88888888"),
            ("010-12345678", "010-12345678"),
            ("0891-6323456", "0891-6323456"),
            ("400-800-1234", "400-800-1234"),
            ("0912345678", "0912345678"),
            ("+852 9123 4567", "+852 9123 4567"),
            ("1380013800", ""),
            ("文三路1-2-301", ""),
            ("邮编 310012", ""),
            ("文三路(1)号", ""),
        ] {
            let found = first(text);
            assert_eq!(found.as_ref().map_or("", |found| &found.number), number, "{text}");
        }
        assert_eq!(nearly("手机1380013800，").unwrap().number, "1380013800");
        for (number, odd) in [
            ("1380013800", true),
            ("138001380001", true),
            ("138 0013 800", true),
            ("1380013", true),
            ("138001", true),
            ("12345", false),
            ("116114", false),
            ("13800138000", false),
            ("13800138000-1234", false),
            ("+8613800138000", false),
            ("88001234", false),
            ("0571-88001234", false),
            ("4008001234", false),
            ("+1 310 555 1234", false),
            ("+86 1390000", true),
            ("+861390000", true),
            ("0086 139000011112", true),
            ("+86 139 0000 1111", false),
            ("+86 571 8800 1234", false),
            ("+86 10 88001234", false),
            ("23900001111", true),
            ("239 0000 1111", true),
            ("239-0000-1111", true),
            ("57188001234", true),
            ("057188001234", false),
            ("85291234567", false),
            ("853 6612 3456", false),
            ("88001234-802", false),
            ("88001234", false),
        ] {
            assert_eq!(rings_nobody(number), odd, "{number}");
        }
        let bracketed = "张三 18466000000（分机1234）浙江省";
        assert_eq!(&bracketed[first(bracketed).unwrap().at], "18466000000（分机1234）");
        let whole = "张三 18466000000-1234 浙江省";
        assert_eq!(&whole[first(whole).unwrap().at], "18466000000-1234");
    }
}
