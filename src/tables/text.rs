//! Tables as text: whatever they are encoded in, and whatever stands between their columns.

use std::collections::HashMap;

use super::grid::{Held, Sheet, beyond};
use super::heads::Titles;
use super::{Cell, MOST_BYTES, MOST_COLUMNS, MOST_LINE, Unreadable, Wanted, number};

/// Excel on Windows writes the separator into the first line, for itself.
const NAMES_SEPARATOR: &str = "sep=";

/// What stands between the columns of files.
const SEPARATORS: [char; 5] = [',', '\t', ';', '，', '|'];

/// How many lines are looked at for headings.
const HEADED: usize = 30;

/// A full-width comma, in one byte: the reader of CSV knows no longer separators.
const WIDE_COMMA: &str = "\u{1f}";

/// Many times the columns that are read: some of them may stand inside of quoted text.
const MOST_SEPARATORS: usize = 16 * MOST_COLUMNS as usize;

/// UTF-8 or UTF-16 with or without their marks, otherwise GB18030, as spreadsheets in China save it.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Unreadable> {
    let bad = || Unreadable::new("文件的文字编码认不出来：请在 Excel 或 WPS 里另存为 .xlsx，或“CSV UTF-8”");
    let text = if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        String::from_utf8(rest.to_vec()).map_err(|_| bad())?
    } else if let Some(encoding) = utf_16(bytes) {
        let (text, _, broken) = encoding.decode(bytes);
        if broken {
            return Err(bad());
        }
        text.into_owned()
    } else if let Ok(text) = str::from_utf8(bytes) {
        text.to_owned()
    } else {
        encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes).ok_or_else(bad)?.into_owned()
    };
    // Old programs end a text with a sign of their own.
    let text = text.trim_end_matches('\u{1a}');
    if text.contains('\0') { Err(bad()) } else { Ok(text.to_owned()) }
}

/// By its mark, or because every other byte of a table's digits and tabs is zero; those of 一 are zero on the other side.
fn utf_16(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(encoding_rs::UTF_16LE),
        [0xfe, 0xff, ..] => return Some(encoding_rs::UTF_16BE),
        _ => {}
    }
    let start = &bytes[..bytes.len().min(4096)];
    let zeros = |from: usize| start.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if odd > start.len() / 20 && odd > 3 * even => Some(encoding_rs::UTF_16LE),
        () if even > start.len() / 20 && even > 3 * odd => Some(encoding_rs::UTF_16BE),
        () => None,
    }
}

/// One kind of line end; a carriage return alone is one too.
fn lines_alike(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A file of text.
pub(super) fn file(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Sheet, Unreadable> {
    let text = written_in(bytes, wanted)?;
    let first = text.lines().next().unwrap_or_default();
    let named = first.to_lowercase().strip_prefix(NAMES_SEPARATOR).and_then(|rest| rest.chars().next());
    match named {
        // Its line stays where it was, so that the others are counted as an editor counts them.
        Some(separator) => split(&text[first.len()..], separator),
        None => split(&text, separator(&text, wanted, &SEPARATORS)),
    }
}

/// The text, in traditional script too: what Big5 means is something else in GB18030, and only the headings tell.
fn written_in(bytes: &[u8], wanted: &Wanted<'_>) -> Result<String, Unreadable> {
    let text = lines_alike(&decode(bytes)?);
    if str::from_utf8(bytes).is_ok() || has_heads(&text, wanted) {
        return Ok(text);
    }
    let traditional = encoding_rs::BIG5.decode_without_bom_handling_and_without_replacement(bytes);
    match traditional.map(|text| lines_alike(&text)) {
        Some(traditional) if has_heads(&traditional, wanted) => Ok(traditional),
        Some(_) if looks_traditional(bytes) => Err(Unreadable::new(
            "文件的文字像是繁体中文的 Big5 编码，认不准：请在 Excel 或 WPS 里打开，看到的字没有错，再另存为 .xlsx 或“CSV UTF-8”",
        )),
        _ => Ok(text),
    }
}

/// Whether what is Big5 as well would be an odd text in GB18030: of rare characters there, and of kana and signs.
fn looks_traditional(bytes: &[u8]) -> bool {
    let (mut all, mut odd, mut rest) = (0, 0, bytes.iter());
    while let Some(first) = rest.next() {
        if first.is_ascii() {
            continue;
        }
        let Some(second) = rest.next() else { break };
        // What Hong Kong and Taiwan write has no letter that begins so; traditional letters in GB18030 do.
        if *first < 0xa1 {
            return false;
        }
        all += 1;
        odd += usize::from(*second < 0xa1 || (0xa4..0xb0).contains(first));
    }
    odd >= 2 && odd * 5 >= all
}

fn has_heads(text: &str, wanted: &Wanted<'_>) -> bool {
    let titles = Titles::of(wanted);
    SEPARATORS.iter().any(|separator| most_heads(start(text), *separator, &titles) > 1)
}

/// What was copied out of a spreadsheet, or typed: columns apart by a tab, a comma or blanks.
pub(super) fn pasted(text: &str, wanted: &Wanted<'_>) -> Result<Sheet, Unreadable> {
    if text.len() > MOST_BYTES {
        return Err(Unreadable::new("粘贴的内容太多，请存成文件再导入"));
    }
    let text = lines_alike(text);
    if text.contains('\t') {
        // Out of a spreadsheet, where a remark may stand beside its table.
        let mut sheet = split(&text, '\t')?;
        sheet.written.clear();
        return Ok(sheet);
    }
    if text.contains('"') {
        return split(&text, separator(&text, wanted, &[',', '，', ';']));
    }
    // A label and its value are one cell.
    let text = text.replace("： ", "：").replace(": ", ":");
    let rows = (1..).zip(text.lines()).take(MOST_LINE as usize + 1).map(|(line, row)| {
        let parts = row.split([',', '，', ';', '；']).flat_map(|part| whole_numbers(part.split_whitespace()));
        (line, parts.map(|part| cell(&part)).collect())
    });
    Ok(Sheet::of(rows.collect()))
}

/// Words, with a number that is printed in groups as one: `7531 2345 6789 01`.
fn whole_numbers<'t>(words: impl Iterator<Item = &'t str>) -> Vec<String> {
    let words: Vec<&str> = words.collect();
    let digits = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
    let (mut whole, mut at) = (Vec::new(), 0);
    while let Some(first) = words.get(at) {
        let each = words.get(at + 1).map_or(0, |next| next.len());
        let head = first.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let begins = !head.is_empty() && digits(head) && head.len() <= each && first.len() - head.len() <= 4;
        let full = words[at + 1..].iter().take_while(|word| word.len() == each && digits(word)).count();
        let last = words.get(at + 1 + full).filter(|word| word.len() < each && digits(word));
        let groups = 1 + full + usize::from(last.is_some());
        let number = words[at..at + groups].concat();
        let is_one = begins && (3..=5).contains(&each) && full > 0 && groups > 2 && (10..=20).contains(&number.len());
        at += if is_one { groups } else { 1 };
        whole.push(if is_one { number } else { (*first).to_owned() });
    }
    whole
}

/// The separator under which the most headings appear, else the one that stands there most often.
fn separator(text: &str, wanted: &Wanted<'_>, known: &[char]) -> char {
    let start = start(text);
    let titles = Titles::of(wanted);
    let often = |separator: char| start.lines().take(HEADED).filter(|line| line.contains(separator)).count();
    let mut best = (known[0], (0, 0));
    for separator in known.iter().copied() {
        let score = (most_heads(start, separator, &titles), often(separator));
        if score > best.1 {
            best = (separator, score);
        }
    }
    best.0
}

/// As much of a text as holds its headings.
fn start(text: &str) -> &str {
    let end = text.char_indices().nth(64 * 1024).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// How many headings the best of the first rows names.
fn most_heads(start: &str, separator: char, titles: &Titles) -> usize {
    let rows = split(start, separator).map(|sheet| sheet.rows).unwrap_or_default();
    rows.iter().take(HEADED).map(|(_, cells)| titles.known(cells)).max().unwrap_or(0)
}

/// Cuts text into cells. A row has the number that a spreadsheet gives it: empty lines count, breaks within cells do not.
fn split(text: &str, separator: char) -> Result<Sheet, Unreadable> {
    let wide = !separator.is_ascii();
    let translated = wide.then(|| text.replace(separator, WIDE_COMMA));
    let text = translated.as_deref().unwrap_or(text);
    let byte = if wide { WIDE_COMMA.as_bytes()[0] } else { separator as u8 };
    // Looked at before a row is taken apart: a line of nothing but separators is an order for memory.
    if text.lines().any(|line| line.bytes().filter(|b| *b == byte).count() > MOST_SEPARATORS) {
        return Err(beyond());
    }
    if let Some(line) = swallowing(text.as_bytes(), byte) {
        return Err(Unreadable::new(format!(
            "第 {line} 行的引号（\"）把后面的行连成了一格：请去掉这个引号，或把整格用引号包好（格里的引号写两个）"
        )));
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(byte).from_reader(text.as_bytes());
    let (mut rows, mut line, mut swallowed, mut held) = (Vec::new(), 0, false, Held::default());
    let mut written = HashMap::new();
    let mut record = csv::StringRecord::new();
    loop {
        let from = reader.position().byte() as usize;
        let more = reader.read_record(&mut record);
        if !more.map_err(|e| Unreadable::new(format!("文件的格式有误：{e}")))? {
            break;
        }
        line += 1 + text.as_bytes()[from..].iter().take_while(|b| **b == b'\n').count() as u32;
        swallowed = record.iter().next_back().is_some_and(|part| part.trim_end().contains('\n'));
        let back = |part: &str| if wide { part.replace(WIDE_COMMA, &separator.to_string()) } else { part.to_owned() };
        written.insert(line, record.len());
        let mut cells: Vec<Cell> = record.iter().map(|part| cell(&back(part))).collect();
        cells.truncate(cells.iter().rposition(|cell| *cell != Cell::Empty).map_or(0, |last| last + 1));
        if line > MOST_LINE || cells.len() > MOST_COLUMNS as usize {
            return Err(beyond());
        }
        held.more(cells.len(), 0)?;
        rows.push((line, cells));
    }
    // A quotation mark without its other half takes everything behind it into the last cell.
    if swallowed && text.bytes().filter(|b| *b == b'"').count() % 2 == 1 {
        let words = format!("第 {line} 行的引号（\"）只有一半，后面的行都被它连在一起了：请补上或去掉它");
        return Err(Unreadable::new(words));
    }
    let mut sheet = Sheet::of(rows);
    // A tab stands in no number and in no name.
    (sheet.written, sheet.commas) = (written, separator != '\t');
    Ok(sheet)
}

/// The line of a quotation mark that nobody meant as one: text that begins with it, and takes in the lines down to another
/// such text. Programs close what they have opened before a separator or a line's end; and what stands in one cell has not,
/// by chance, as many separators as the lines of the table.
fn swallowing(text: &[u8], separator: u8) -> Option<usize> {
    let count = |part: &[u8]| part.iter().filter(|b| **b == separator).count();
    let wide = text.split(|b| *b == b'\n').map(count).find(|n| *n > 1);
    let (mut at, mut line, mut begins, mut cell) = (0, 1, true, 0);
    while let Some(b) = text.get(at) {
        match b {
            b'"' if begins => {
                let mut end = at + 1;
                while let Some(b) = text.get(end) {
                    match (b, text.get(end + 1)) {
                        (b'"', Some(b'"')) => end += 2,
                        (b'"', _) => break,
                        _ => end += 1,
                    }
                }
                let lines: Vec<&[u8]> = text[at + 1..end.min(text.len())].split(|b| *b == b'\n').collect();
                let behind = text.get(end + 1..).unwrap_or_default();
                let behind = behind.iter().find(|b| ![b' ', b'\t'].contains(b) || **b == separator);
                let closed = behind.is_none_or(|b| [separator, b'\n'].contains(b));
                if let [first, middle @ .., last] = &lines[..]
                    && text.get(end).is_some()
                {
                    let row = |n: usize| wide == Some(n);
                    let joined = cell > 0 && count(last) == cell && row(count(first) + cell);
                    if !closed || joined || middle.iter().any(|line| row(count(line))) {
                        return Some(line);
                    }
                }
                line += lines.len() - 1;
                (at, begins) = (end + 1, false);
                continue;
            }
            b'\n' => (line, begins, cell) = (line + 1, true, 0),
            b if *b == separator => (begins, cell) = (true, cell + 1),
            _ => begins = false,
        }
        at += 1;
    }
    None
}

/// A cell without what protects it: `="00123"`, a tab behind, one apostrophe in front.
fn cell(written: &str) -> Cell {
    let bare = written.trim_matches([' ', '\n', '\u{3000}', '\u{a0}']);
    let formula = bare.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    let text = formula.unwrap_or(bare);
    let tabless = text.trim_end_matches('\t');
    let freed = unprotected(tabless);
    let protected = formula.is_some() || tabless.len() < text.len() || freed.len() < tabless.len();
    match freed.trim() {
        "" => Cell::Empty,
        text if !protected && number::is_spoilt(text) => Cell::Spoilt(text.to_owned()),
        text if !protected && is_error(text) => Cell::Error(text.to_owned()),
        text => Cell::Text(text.to_owned()),
    }
}

/// Takes off the apostrophe that makes text of what would be a formula or a number.
pub(super) fn unprotected(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if needs_protection(rest) || rest.starts_with(char::is_numeric) => rest,
        _ => text,
    }
}

/// Whether a spreadsheet would take the text for a formula, or this reader an apostrophe for protection.
pub(super) fn needs_protection(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\''])
}

/// What a spreadsheet shows where a formula has failed.
pub(super) fn is_error(text: &str) -> bool {
    let known = [
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
        "#CONNECT!",
        "#BUSY!",
        "#UNKNOWN!",
        "#GETTING_DATA",
    ];
    // As LibreOffice says it: by a number, or in Chinese.
    let numbered = ["Err:", "错误:", "错误："].iter().find_map(|word| text.strip_prefix(word));
    let translated = text.strip_prefix('#').and_then(|rest| rest.strip_suffix(['!', '?']));
    known.contains(&text)
        || numbered.is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
        || translated.is_some_and(|word| ["名称", "值", "引用", "数字", "数值", "空", "除数为零"].contains(&word))
        || text.len() > 3 && text.bytes().all(|b| b == b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted<'_> = Wanted {
        columns: &[&["订单号"], &["快递单号"]],
        needed: &[&[0], &[1]],
        closer: &[],
        figures: &[],
        alike: |_| None,
    };

    fn read(bytes: &[u8]) -> Vec<(u32, Vec<String>)> {
        let rows = file(bytes, &WANTED).unwrap().rows;
        rows.into_iter().map(|(line, cells)| (line, cells.iter().map(|c| c.shown().to_owned()).collect())).collect()
    }

    #[test]
    fn a_number_in_groups_is_one() {
        for (text, is) in [
            ("A1 中通 7531 2345 6789 01", "A1|中通|75312345678901"),
            ("YT88 1234 5678 901 圆通", "YT8812345678901|圆通"),
            ("7531 2345 6789 01 7531 2345 6789 02", "75312345678901|75312345678902"),
            ("138 0000 1234", "13800001234"),
            ("7531 2345", "7531|2345"),
            ("A1 1 2 3", "A1|1|2|3"),
            ("1234 5678 12345678901", "1234|5678|12345678901"),
        ] {
            assert_eq!(whole_numbers(text.split_whitespace()).join("|"), is, "{text}");
        }
    }

    #[test]
    fn one_table_in_every_encoding_line_end_and_separator() {
        let right = [(1, vec!["订单号".to_owned(), "快递单号".into()]), (2, vec!["A1".into(), "7731".into()])];
        let encoded = |text: &str| {
            let utf_16 = |le: bool| -> Vec<u8> {
                text.encode_utf16().flat_map(|u| if le { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
            };
            let (gb, _, _) = encoding_rs::GB18030.encode(text);
            vec![
                text.as_bytes().to_vec(),
                [b"\xef\xbb\xbf", text.as_bytes()].concat(),
                [b"\xff\xfe".to_vec(), utf_16(true)].concat(),
                [b"\xfe\xff".to_vec(), utf_16(false)].concat(),
                utf_16(true),
                utf_16(false),
                gb.into_owned(),
            ]
        };
        for end in ["\n", "\r\n", "\r"] {
            for separator in [",", "\t", ";", "，", "|"] {
                let text = format!("订单号{separator}快递单号{end}A1{separator}7731{end}");
                for bytes in encoded(&text) {
                    assert_eq!(read(&bytes), right, "{end:?} {separator:?} {bytes:?}");
                }
            }
        }
    }

    #[test]
    fn what_says_that_it_is_utf_8_and_is_not_is_refused() {
        // As GB18030 it would be text, mark and all.
        let (gb, _, _) = encoding_rs::GB18030.encode("A1,订单号,快递单号\n");
        assert!(file(&[b"\xef\xbb\xbf", &*gb].concat(), &WANTED).unwrap_err().to_string().contains("文字编码"));
    }

    #[test]
    fn of_two_separators_that_fit_alike_the_usual_one_parts_the_cells() {
        assert_eq!(read("A1,x;y\nA2,x;y\n".as_bytes())[0].1, ["A1", "x;y"]);
        assert_eq!(read("A1;x|y\nA2;x|y\n".as_bytes())[0].1, ["A1", "x|y"]);
    }

    #[test]
    fn utf_16_without_its_mark_is_known_whatever_letters_are_in_it() {
        let text = "订单号\t快递单号\r\n一楼𠀀㐀\t7731\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            assert_eq!(read(&bytes)[1].1, ["一楼𠀀㐀", "7731"]);
        }
    }

    #[test]
    fn traditional_script_is_known_by_its_headings() {
        let wanted =
            Wanted {
                columns: &[&["订单号"], &["运单号"]], needed: &[], closer: &[], figures: &[], alike: |_| None
            };
        let (big5, _, _) = encoding_rs::BIG5.encode("訂單號,運單號\r\n紅杯,7731\r\n");
        let rows = file(&big5, &wanted).unwrap().rows;
        assert_eq!(rows[1].1[0].shown(), "紅杯");
        // Without headings nobody knows, and that is said.
        for text in ["20261128A1B2C3D4E5,圓通速遞,YT1234567890123\r\n", "項目,說明\r\n蘋果,紅色的\r\n", "紅杯,7731\r\n"]
        {
            let (big5, _, _) = encoding_rs::BIG5.encode(text);
            assert!(file(&big5, &wanted).err().unwrap().to_string().contains("Big5"), "{text}");
            let (mainland, _, _) = encoding_rs::GB18030.encode(text);
            let rows = file(&mainland, &wanted).unwrap().rows;
            assert!(text.starts_with(rows[0].1[0].shown()), "{text}");
        }
        let (simplified, _, _) = encoding_rs::GB18030.encode("项目,说明\r\n苹果,红色的\r\n");
        assert_eq!(file(&simplified, &wanted).unwrap().rows[0].1[0].shown(), "项目");
    }

    #[test]
    fn a_quotation_mark_that_is_none_swallows_no_rows() {
        for (text, line) in [
            ("订单号,买家留言,单号\nA,\"放门口,1\nB,,2\nC,\"轻放,3\nD,,4\n", Some(2)),
            ("订单号,买家留言,单号\nA,\"放门口,1\nB,,2\nC,轻放\",3\n", Some(2)),
            ("订单号,买家留言,单号\nA,\"放门口,1\nC,轻放\",3\n", Some(2)),
            ("订单号,买家留言,单号\nX,,9\nA,\"放门口,1\nC,\"轻放,3\n", Some(3)),
            ("商品名称,售价,库存\n\"27寸屏,1,1\n乙,2,2\n\"32寸屏,3,3\n", Some(2)),
            ("订单号,买家留言,单号\nA,\"第一行\n第二行，\",1\n", None),
            ("订单号,买家留言,单号\nA,\"第一行,又\n第二行\n第三行\",1\n", None),
            ("订单号,买家留言,单号\nA,\"27\"\"屏\" ,1\n", None),
            ("订单号,买家留言,单号\nA,\"生日\"快乐,1\n", None),
            ("订单号,买家留言,单号\nA,27\",1\nB,32\",2\n", None),
            ("订单号,单号\nA,\"1\n2\"\n", None),
        ] {
            assert_eq!(swallowing(text.as_bytes(), b','), line, "{text}");
        }
        assert_eq!(swallowing("甲\t\"乙\t1\n丙\t\"丁\t2\n".as_bytes(), b'\t'), Some(1));
    }

    #[test]
    fn lines_are_those_of_a_spreadsheet() {
        let text = "\r\n订单号,快递单号\r\nA1,\"第一行\r\n第二行\"\r\n\r\nA2,7\r\n";
        let lines: Vec<u32> = read(text.as_bytes()).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 3, 5]);
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("sep=;{end}订单号;快递单号{end}A1;7");
            assert_eq!(read(text.as_bytes())[1], (3, vec!["A1".to_owned(), "7".into()]), "{end:?}");
        }
    }

    #[test]
    fn what_protects_a_cell_is_taken_off_and_what_was_spoilt_is_known() {
        for (written, is) in [
            ("=\"00123\"", Cell::Text("00123".into())),
            ("00123\t", Cell::Text("00123".into())),
            ("'773000000000001", Cell::Text("773000000000001".into())),
            ("'-10℃", Cell::Text("-10℃".into())),
            ("''-10℃", Cell::Text("'-10℃".into())),
            ("'n", Cell::Text("'n".into())),
            ("'５万", Cell::Text("５万".into())),
            ("7.73E+14", Cell::Spoilt("7.73E+14".into())),
            ("7.73E+14\t", Cell::Text("7.73E+14".into())),
            ("#N/A", Cell::Error("#N/A".into())),
            ("######", Cell::Error("######".into())),
            ("Err:502", Cell::Error("Err:502".into())),
            ("#名称?", Cell::Error("#名称?".into())),
            ("#REF!\t", Cell::Text("#REF!".into())),
            ("#爆款!", Cell::Text("#爆款!".into())),
            ("27\"显示器", Cell::Text("27\"显示器".into())),
            (" \u{3000}", Cell::Empty),
        ] {
            assert_eq!(cell(written), is, "{written}");
        }
    }

    #[test]
    fn half_a_quotation_mark_is_named_by_its_line() {
        let problem = file("订单号,快递单号\nA1,1\n\"A2,2\nA3,3\n".as_bytes(), &WANTED).unwrap_err().to_string();
        assert!(problem.contains("第 3 行"), "{problem}");
        assert_eq!(read("订单号,快递单号\n27\"显示器,1\n".as_bytes())[1].1[0], "27\"显示器");
    }

    #[test]
    fn a_line_of_separators_is_refused() {
        assert!(file(",".repeat(1_000_000).as_bytes(), &WANTED).unwrap_err().to_string().contains("超出"));
    }
}
