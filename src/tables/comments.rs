//! What people hang on a cell instead of writing it into one: 批注, as Excel, WPS and LibreOffice keep them.

use super::Unreadable;
use super::grid::Sheet;
use super::package::{Package, Seen, walk};
use super::zipped::attribute;

/// More than anybody reads.
const MOST_LETTERS: usize = 200;

/// Those of a sheet of Excel's.
pub(super) fn of_sheet(package: &mut Package<'_>, sheet: &mut Sheet) -> Result<(), Unreadable> {
    let Some(part) = package.sheet(&sheet.name)? else { return Ok(()) };
    // Newer ones stand in the older kind of part as well.
    let parts = package.relations(&part)?.into_values();
    for part in parts.filter(|part| part.rsplit('/').next().is_some_and(|name| name.starts_with("comment"))) {
        let (mut at, mut text, mut inside) = (String::new(), String::new(), false);
        walk(&package.part(&part)?[..], |seen| match seen {
            Seen::Start("comment", tag) => (at, text) = (attribute(tag, "ref").unwrap_or_default(), String::new()),
            Seen::Start("t", _) => inside = true,
            Seen::End("t") => inside = false,
            Seen::Text(words) if inside => text.push_str(words),
            Seen::End("comment") => {
                if let Some(((line, column), words)) = place(&at).zip(words(&text)) {
                    sheet.comment(line, column, words);
                }
            }
            _ => {}
        })?;
    }
    Ok(())
}

/// `B12`: its line as the person sees it, and its column from zero.
fn place(address: &str) -> Option<(u32, usize)> {
    let letters = address.bytes().take_while(u8::is_ascii_uppercase).count();
    let line = address.get(letters..)?.parse().ok()?;
    let column = address[..letters]
        .bytes()
        .try_fold(0_usize, |all, b| all.checked_mul(26)?.checked_add(usize::from(b - b'A') + 1))?;
    Some((line, column.checked_sub(1)?))
}

/// Its own words: without who wrote them, and what stands there for programs that know the older kind alone.
pub(super) fn words(text: &str) -> Option<String> {
    let later = ["批注:", "批注：", "Comment:"].iter().filter(|_| text.starts_with('['));
    let own = later.filter_map(|mark| text.rsplit_once(mark)).map(|(_, own)| own).next().unwrap_or(text);
    let own = match own.trim_start().split_once('\n') {
        Some((who, rest)) if who.trim_end().ends_with([':', '：']) => rest,
        _ => own,
    };
    let words = own.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then(|| words.chars().take(MOST_LETTERS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_what_somebody_has_written() {
        for (text, right) in [
            ("客户退款，别发", Some("客户退款，别发")),
            ("小王:\n单号\n作废", Some("单号 作废")),
            ("小王：\n单号作废", Some("单号作废")),
            ("备注: 单号作废", Some("备注: 单号作废")),
            ("[线程批注]\n\n你的Excel版本可读取此线程批注\n\n批注:\n    先不改价", Some("先不改价")),
            ("[Threaded comment]\n\nYour version\n\nComment:\n    别发", Some("别发")),
            ("小王:\n", None),
            (" ", None),
        ] {
            assert_eq!(words(text).as_deref(), right, "{text}");
        }
        for (address, right) in [("A1", Some((1, 0))), ("AB12", Some((12, 27))), ("12", None), ("A", None), ("", None)]
        {
            assert_eq!(place(address), right, "{address}");
        }
    }
}
