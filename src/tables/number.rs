//! Numbers in cells: as a spreadsheet shows them, and refused where it has spoilt them.

use std::borrow::Cow;

use super::Cell;

/// A spreadsheet keeps this many digits of a number; what came behind them is lost.
pub const DIGITS: usize = 15;

/// What makes a number larger, or holds several things.
pub(super) const LARGER: [char; 15] =
    ['十', '百', '千', '万', '亿', '佰', '仟', '萬', '億', '打', '罗', '箱', '整', '板', '托'];

/// Weights, lengths, volumes and times: so much of something is no number of pieces.
const MEASURES: [&str; 33] = [
    "斤",
    "公斤",
    "千克",
    "克",
    "两",
    "吨",
    "kg",
    "g",
    "t",
    "米",
    "厘米",
    "毫米",
    "公分",
    "m",
    "cm",
    "mm",
    "升",
    "毫升",
    "l",
    "ml",
    "天",
    "日",
    "周",
    "月",
    "个月",
    "年",
    "小时",
    "分钟",
    "平",
    "平米",
    "平方米",
    "立方",
    "立方米",
];

/// A numeric cell as it looks: `59.7` for 59.699999999999996, `00123`, `HZ007` and `85%` by their formats.
pub(super) fn shown(number: f64, format: &str) -> Cell {
    if !number.is_finite() {
        return Cell::Error("#NUM!".to_owned());
    }
    let plain = rounded(number);
    if number.abs() >= 10_f64.powi(DIGITS as i32) {
        return Cell::Spoilt(plain);
    }
    if let Some(said) = otherwise(format, number, &plain) {
        return Cell::Text(said);
    }
    let whole = number >= 0.0 && number.fract() == 0.0;
    match Look::of(format) {
        Look::Plain => Cell::Text(plain),
        Look::Percent => Cell::Text(format!("{}%", rounded(number * 100.0))),
        Look::Weekday => Cell::Date(weekday(number)),
        Look::Drawn(pieces) if whole => {
            let drawn = drawn(&pieces, &plain);
            let filled = pieces.iter().filter(|piece| **piece == Piece::Zero).count() > 1;
            Cell::Text(if filled || is_code(&plain, &drawn) { drawn } else { plain })
        }
        Look::Drawn(_) => Cell::Text(plain),
    }
}

/// What is seen of a number whose format makes another value of it: a unit of several, `0.0"万"`, `0"打"`; a part of a yuan,
/// `0"分"`; other money, `$0.00`; thousands of it, `0.00,`. A format that says `万` and divides by it says the same as the
/// number.
fn otherwise(format: &str, number: f64, plain: &str) -> Option<String> {
    let section = section(format, number)?;
    let digit = |token: &Token| matches!(token, Token::Sign('0' | '#' | '@' | '?'));
    let Some(last) = section.iter().rposition(digit) else { return unseen(format, &section, plain) };
    let behind: String = section[last + 1..].iter().filter_map(Token::said).collect();
    let behind = behind.trim();
    if section[last + 1..].iter().any(|token| matches!(token, Token::Says('+') | Token::Sign('+'))) {
        return Some(format!("{plain}+"));
    }
    let divided = section.iter().any(|token| matches!(token, Token::Says('.')));
    let thousands = thousands(&section);
    match behind.chars().next() {
        Some(unit) if thousands == 0 && !divided && LARGER.contains(&unit) => return Some(format!("{plain}{unit}")),
        _ if thousands > 0 && !says_thousands(behind) => {
            let seen = rounded(number / 1000_f64.powi(thousands));
            return Some(seen_as(plain, &seen));
        }
        _ if thousands == 0 && ["分", "角", "毛"].contains(&behind) => return Some(format!("{plain}{behind}")),
        _ => {}
    }
    let words: String = section.iter().filter_map(|token| token.said().or(token.is_dollar())).collect();
    let words = format!("{words}{}", money_of(format));
    let whole = number >= 0.0 && number.fract() == 0.0;
    // Letters in front of a whole number are its code.
    let is_code = whole && matches!(Look::of(format), Look::Drawn(pieces) if is_code(plain, &drawn(&pieces, plain)));
    if is_code {
        return None;
    }
    if is_foreign(&words) {
        return Some(format!("{plain} {}", words.trim()));
    }
    let first = section.iter().position(digit).unwrap_or(last);
    let before: String = section[..first].iter().filter_map(Token::said).collect();
    let all = format!("{}{before}/{behind}", money_of(format));
    let known = thousands > 0 || divided || all.split('/').all(says_nothing);
    (!known).then(|| format!("{}{}{plain}{behind}", money_of(format), before.trim()))
}

/// A number of which a format shows no digit, but words or nothing. Days and times have letters of their own.
fn unseen(format: &str, section: &[Token], plain: &str) -> Option<String> {
    let moment = section.iter().any(|token| matches!(token, Token::Sign(c) if c.is_ascii_alphabetic()));
    let words: String = section.iter().filter_map(Token::said).collect();
    let is_one = !moment && (format.contains(';') || !words.trim().is_empty());
    is_one.then(|| seen_as(plain, words.trim()))
}

/// A number, and what is to be seen in its place.
fn seen_as(plain: &str, words: &str) -> String {
    match words {
        "" => format!("{plain}（显示成空白）"),
        words => format!("{plain}（显示成 {words}）"),
    }
}

/// Our money, and one piece of anything: beside a figure they leave it what it is.
pub(super) const OURS: [&str; 27] = [
    "",
    "元",
    "圆",
    "块",
    "人民币",
    "rmb",
    "cny",
    "yuan",
    "件",
    "个",
    "只",
    "支",
    "瓶",
    "盒",
    "袋",
    "张",
    "条",
    "双",
    "套",
    "包",
    "本",
    "台",
    "把",
    "片",
    "枚",
    "份",
    "pcs",
];

/// Whether a word beside a number leaves it what it is: our money, one piece, nothing but signs.
fn says_nothing(word: &str) -> bool {
    const MORE: [&str; 5] = ["pc", "克", "g", "单价", "库存"];
    let bare = word.trim_matches(|c: char| c.is_whitespace() || "-+()（）:：,._¥￥".contains(c));
    OURS.iter().chain(&MORE).any(|known| bare.eq_ignore_ascii_case(known))
}

/// By how many thousands a format divides what it shows: commas behind the last digit before the point.
fn thousands(section: &[Token]) -> i32 {
    let digit = |token: &Token| matches!(token, Token::Sign('0' | '#' | '?'));
    let point = section.iter().position(|token| *token == Token::Sign('.')).unwrap_or(section.len());
    let before = |part: &[Token]| {
        let last = part.iter().rposition(digit)?;
        Some(part[last + 1..].iter().take_while(|token| **token == Token::Sign(',')).count() as i32)
    };
    before(&section[..point]).unwrap_or(0) + section.get(point..).and_then(before).unwrap_or(0)
}

/// Whether what stands behind says by how much: a unit, or a power.
fn says_thousands(behind: &str) -> bool {
    behind.starts_with(['E', 'e', '千', '万', '百', '亿', '萬', 'k', 'K', 'm', 'M', 'w', 'W'])
}

/// The money that a format names in brackets, where it is not ours: `[$€-2]`, and the sign of ours in Japan.
fn money_of(format: &str) -> String {
    let named = format.split("[$").skip(1).filter_map(|rest| rest.split_once(']')).map(|(inside, _)| inside);
    let foreign = named.map(|inside| {
        let (money, place) = inside.split_once('-').unwrap_or((inside, ""));
        let japanese = ["411", "ja", "ja-JP"].iter().any(|ja| place.eq_ignore_ascii_case(ja));
        if japanese { "円" } else { money }
    });
    foreign.collect()
}

/// Whether words name money that is not counted in yuan.
fn is_foreign(words: &str) -> bool {
    const SIGNS: [char; 8] = ['$', '＄', '€', '£', '₩', '₽', '฿', '円'];
    const NAMES: [&str; 19] = [
        "美元", "美金", "欧元", "港币", "港元", "日元", "英镑", "韩元", "台币", "澳元", "加元", "USD", "EUR", "HKD",
        "JPY", "GBP", "TWD", "KRW", "MOP",
    ];
    words.contains(SIGNS) || NAMES.iter().any(|name| words.contains(name))
}

/// A whole number, the same way.
pub(super) fn whole(number: i64, format: &str) -> Cell {
    shown(number as f64, format)
}

/// A number written as a decimal, with the text that is shown for it: what makes a code of it, and per cent, are what is
/// shown, and so is whatever makes another value of it.
pub(super) fn decimal(value: &str, shown_as: &str) -> Option<Cell> {
    let number: f64 = value.parse().ok()?;
    let read = shown(number, "");
    let Cell::Text(plain) = &read else { return Some(read) };
    let (before, digits, behind) = around(shown_as);
    let Ok(seen) = digits.replace(',', "").parse::<f64>() else {
        // A nought may be a dash.
        return Some(if number == 0.0 { read } else { Cell::Text(seen_as(plain, shown_as)) });
    };
    // As far as what is shown is rounded.
    let decimals = digits.split_once('.').map_or(0, |(_, part)| part.len()) as i32;
    let same = (number.abs() - seen).abs() <= 0.500_001 / 10_f64.powi(decimals);
    Some(match () {
        () if is_foreign(shown_as) || is_code(plain, shown_as) => Cell::Text(shown_as.to_owned()),
        () if shown_as.ends_with('%') => shown(number, "0%"),
        () if !same && says_thousands(behind) => read,
        () if !same => Cell::Text(seen_as(plain, shown_as)),
        () if says_nothing(before) && !behind.contains('+') && behind.split('/').all(says_nothing) => read,
        () => Cell::Text(shown_as.to_owned()),
    })
}

/// The first number in a text, and what stands around it.
fn around(text: &str) -> (&str, &str, &str) {
    let (before, rest) = text.split_at(text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len()));
    let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || ".,".contains(c));
    (before, &rest[..rest.len() - behind.len()], behind.trim())
}

/// Whether what is drawn around a whole number makes a code of it: zeros in front, letters, signs between its digits.
/// Units, currencies, thousands and decimals change nothing about a value.
fn is_code(plain: &str, shown: &str) -> bool {
    let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
    let unpadded = digits.trim_start_matches('0');
    let same = unpadded == plain.trim_start_matches('0') && plain.bytes().all(|b| b.is_ascii_digit());
    if !same || shown.contains(['.', ',', '%', '$', '¥', '￥', '€', '£']) {
        return false;
    }
    let inner = shown.trim_matches(|c: char| !c.is_ascii_digit());
    let front = shown.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
    let behind = shown.rsplit(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
    digits.len() > plain.len()
        || inner.contains(|c: char| !c.is_ascii_digit() && c != ' ')
        || front.contains(|c: char| c.is_ascii_alphabetic())
        || behind.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// To the digits that a spreadsheet keeps, and then the shortest decimal that says the same.
fn rounded(number: f64) -> String {
    let digits = DIGITS - 1;
    let kept: f64 = format!("{number:.digits$e}").parse().unwrap_or(number);
    // A negative zero is shown without its sign.
    (kept + 0.0).to_string()
}

/// A decimal in text with more digits than a spreadsheet keeps, as one shows it: programs write 59.699999999999996 where
/// they reckoned 59.7. Anything else stays as it is.
pub fn settled(text: &str) -> Cow<'_, str> {
    let decimal = text.trim();
    let digits = decimal.bytes().filter(u8::is_ascii_digit).count();
    let is_decimal = decimal.split_once('.').is_some_and(|(_, part)| part.bytes().all(|b| b.is_ascii_digit()));
    match spreadsheet(decimal) {
        Some(number) if is_decimal && digits > DIGITS => Cow::Owned(rounded(number)),
        _ => Cow::Borrowed(text),
    }
}

/// The day of a week, counted from a Sunday before the first of January 1900, as spreadsheets count.
fn weekday(number: f64) -> String {
    const DAYS: [char; 7] = ['日', '一', '二', '三', '四', '五', '六'];
    let day = (number.floor() - 1.0).rem_euclid(7.0) as usize;
    format!("星期{}", DAYS[day])
}

impl Token {
    fn said(&self) -> Option<char> {
        match self {
            Token::Says(c) => Some(*c),
            _ => None,
        }
    }

    fn is_dollar(&self) -> Option<char> {
        (*self == Token::Sign('$')).then_some('$')
    }
}

/// What a number format does to the digits; colours, currencies, thousands and decimals change nothing about the value.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Plain,
    Percent,
    /// A day, shown by its name alone.
    Weekday,
    Drawn(Vec<Piece>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// A digit where there is one.
    Digit,
    /// A digit, or a zero.
    Zero,
    Says(char),
}

impl Look {
    fn of(format: &str) -> Look {
        let section = sections(format).next().unwrap_or_default();
        let (mut pieces, mut other) = (Vec::new(), false);
        for token in section {
            match token {
                Token::Says(c) => pieces.push(Piece::Says(c)),
                Token::Sign('0') => pieces.push(Piece::Zero),
                Token::Sign('#' | '@') => pieces.push(Piece::Digit),
                Token::Sign('%') => return Look::Percent,
                Token::Sign('a') => return Look::Weekday,
                Token::Sign(c @ ('-' | '/' | '(' | ')' | ':' | ' ' | '+')) => pieces.push(Piece::Says(c)),
                Token::Sign(_) | Token::If(..) => other = true,
            }
        }
        let digits = pieces.iter().filter(|piece| !matches!(piece, Piece::Says(_))).count();
        if other || digits == 0 || digits == pieces.len() && pieces.len() == 1 {
            Look::Plain
        } else {
            Look::Drawn(pieces)
        }
    }
}

/// The digits of a whole number in their places, from the right; the first place takes all that are left.
fn drawn(pieces: &[Piece], plain: &str) -> String {
    let first = pieces.iter().position(|piece| !matches!(piece, Piece::Says(_)));
    let mut digits = plain.chars().rev().peekable();
    let mut drawn = Vec::new();
    for (at, piece) in pieces.iter().enumerate().rev() {
        match piece {
            Piece::Says(c) => drawn.push(*c),
            Piece::Zero => drawn.push(digits.next().unwrap_or('0')),
            Piece::Digit => drawn.extend(digits.next()),
        }
        if Some(at) == first {
            drawn.extend(digits.by_ref());
        }
    }
    drawn.iter().rev().collect()
}

/// Text as it looks: a format may put words around it.
pub(super) fn worded<'t>(text: &'t str, format: &str) -> Cow<'t, str> {
    if !format.contains('@') || format == "@" {
        return Cow::Borrowed(text);
    }
    let Some(section) = sections(format).find(|section| section.contains(&Token::Sign('@'))) else {
        return Cow::Borrowed(text);
    };
    let mut shown = String::new();
    for token in section {
        match token {
            Token::Sign('@') => shown.push_str(text),
            Token::Says(c) => shown.push(c),
            _ => {}
        }
    }
    Cow::Owned(shown)
}

/// A format taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    /// Said as it is.
    Says(char),
    /// What means something; `General` and the rows of letters that name a weekday are one.
    Sign(char),
    /// The section counts for numbers that are more than this, less, or just this; the order may say several.
    If([bool; 3], f64),
}

/// `>100`, `<=0`, `<>5`.
fn condition(text: &str) -> Option<Token> {
    let number = text.trim_start_matches(['<', '>', '=']);
    let holds = ['<', '=', '>'].map(|sign| text[..text.len() - number.len()].contains(sign));
    Some(Token::If(holds, number.trim().parse().ok().filter(|_| holds.contains(&true))?))
}

/// The section that counts for a number: that whose condition it meets. Without conditions the first, whatever its sign.
fn section(format: &str, number: f64) -> Option<Vec<Token>> {
    let meets = |section: &Vec<Token>| {
        section.iter().all(|token| match token {
            Token::If([less, same, more], than) => {
                *less && number < *than || *same && number == *than || *more && number > *than
            }
            _ => true,
        })
    };
    sections(format).find(meets)
}

/// Whether a format changes what is seen of a number or a text.
pub(super) fn matters(format: &str) -> bool {
    let conditional = sections(format).flatten().any(|token| matches!(token, Token::If(..)));
    let changed = || otherwise(format, 50.0, "50").is_some();
    Look::of(format) != Look::Plain || !worded("", format).is_empty() || conditional || changed()
}

/// The sections of a format: for numbers, negative ones, zero, text.
fn sections(format: &str) -> impl Iterator<Item = Vec<Token>> {
    let mut all = vec![Vec::new()];
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let Some(section) = all.last_mut() else { break };
        match c {
            '"' => {
                let (words, behind) = rest.split_once('"').unwrap_or((rest, ""));
                section.extend(words.chars().map(Token::Says));
                rest = behind;
            }
            '[' => {
                let (inside, behind) = rest.split_once(']').unwrap_or_default();
                section.extend(condition(inside));
                rest = behind;
            }
            '\\' | '_' | '*' => {
                let mut chars = rest.chars();
                section.extend(chars.next().filter(|_| c == '\\').map(Token::Says));
                rest = chars.as_str();
            }
            ';' => all.push(Vec::new()),
            'a' if rest.starts_with("aa") => {
                rest = rest.trim_start_matches('a');
                section.push(Token::Sign('a'));
            }
            'G' | 'g' if rest.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("eneral")) => {
                rest = &rest[6..];
                section.push(Token::Sign('#'));
            }
            c if !c.is_ascii() => section.push(Token::Says(c)),
            c => section.push(Token::Sign(c)),
        }
    }
    all.into_iter()
}

/// English metric units of a point, in which the heights of rows are written.
pub(super) const UNITS: i64 = 12_700;

/// So many points in those.
pub(super) fn units(points: &str) -> Option<i64> {
    points.parse::<f64>().ok().filter(|points| points.is_finite()).map(|points| (points * UNITS as f64) as i64)
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
    let (whole, part) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
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

/// A whole number of things as people write it: `100`, `1,000`, `100件`, `12 pcs`, `１０`, `10.0`. `None` when it is none,
/// and where what stands behind it is no unit but makes it larger: `5万`, `5k`, or holds several of them: `1打`, `3箱`, or says
/// something else of it: `50左右`, `50 缺货`.
pub fn count(text: &str) -> Option<i64> {
    let text = narrow(text);
    let text = settled(text.trim());
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = &text[digits.len()..];
    let measured = MEASURES.iter().any(|measure| unit.eq_ignore_ascii_case(measure));
    if unit.starts_with(LARGER) || measured || !is_unit(unit) {
        return None;
    }
    let digits = digits.trim();
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || part.bytes().any(|b| b != b'0') {
        return None;
    }
    let (sign, whole) = whole.strip_prefix('-').map_or((1, whole), |whole| (-1, whole));
    Some(sign * ungrouped(whole)?.parse::<i64>().ok()?)
}

/// Whether a word behind a number is what one of the things is called: `件`, `小袋`, `pcs`. Whatever says more of the number, that
/// it is not sure or that they are not there, is none.
fn is_unit(word: &str) -> bool {
    const IN_LETTERS: [&str; 21] = [
        "pcs", "pc", "pce", "piece", "pieces", "unit", "units", "ea", "each", "item", "items", "set", "sets", "pair",
        "pairs", "bag", "bags", "bottle", "bottles", "can", "cans",
    ];
    // What in one sign is said of a number, and counts nothing.
    const SAYS_MORE: &str =
        "多余来几约近满足够缺欠无没空零半另加减共剩退坏残损订占冻锁售卖断停待预限起止上下左右内外前后以超";
    let one = |sign: char| ('\u{4e00}'..='\u{9fff}').contains(&sign) && !SAYS_MORE.contains(sign);
    let mut signs = word.chars();
    match (signs.next(), signs.next(), signs.next()) {
        (None, ..) => true,
        (Some(only), None, _) => one(only),
        (Some(size), Some(unit), None) if "大中小单".contains(size) => one(unit),
        _ => IN_LETTERS.iter().any(|known| word.eq_ignore_ascii_case(known)),
    }
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
            (7.0, "\"HZ\"000", "HZ007"),
            (1234.0, "\"HZ\"000", "HZ1234"),
            (7.0, "\"SKU-\"0", "SKU-7"),
            (12.0, "\"A\"General", "A12"),
            (12.0, "\\K0000", "K0012"),
            (5.0, "000\"号\"", "005号"),
            (5.0, "000号", "005号"),
            (1234.0, "000\"号\"", "1234号"),
            (1234567.0, "000-0000", "123-4567"),
            (12345678.0, "0000 0000", "1234 5678"),
            (34.0, "###-##-00", "--34"),
            (12.0, "00000;-00000", "00012"),
            (12.0, "[Red]00000;\"a;b\"0", "00012"),
            (1299.0, "#,##0\"件\"", "1299"),
            (1299.0, "# ##0", "1299"),
            (1.5, "0.0\"万\"", "1.5万"),
            (2.0, "0\"打\"", "2打"),
            (2.0, "#,##0\"箱\"", "2箱"),
            (12000.0, "#,##0.0\"万\"", "12000万"),
            (990.0, "0.00\"分\"", "990分"),
            (5.0, "0\"角\"", "5角"),
            (5.0, "0\"分钟\"", "5分钟"),
            // Words that are not known to say nothing.
            (50.0, "[$RM-43E]#,##0", "RM50"),
            (50.0, "[$SGD] #,##0", "SGD50"),
            (50.0, "0\"折\"", "50折"),
            (50.0, "0.00\"/斤\"", "50/斤"),
            (50.0, "\"约\"0", "约50"),
            (50.0, "#,##0\"起\"", "50起"),
            (50.0, "0\"+\"", "50+"),
            (50.0, "0+", "50+"),
            (50.0, "\"面议\"", "50（显示成 面议）"),
            (50.0, "\"缺货\";\"缺货\"", "50（显示成 缺货）"),
            (50.0, "\"***\"", "50（显示成 ***）"),
            (50.0, ";;;", "50（显示成空白）"),
            (50.0, ";;;@", "50（显示成空白）"),
            (50.0, "[>100]0\"元\";0\"角\"", "50角"),
            (150.0, "[>100]0\"元\";0\"角\"", "150"),
            (50.0, "[<=50]0\"折\";0", "50折"),
            (51.0, "[<=50]0\"折\";0", "51"),
            (50.0, "[Red]", "50"),
            (7.0, "0\"盒(12支)\"", "7盒(12支)"),
            (7.0, "\">\"0", ">7"),
            (7.0, "0\"（已订完）\"", "7（已订完）"),
            (50.0, "0.00\"元/件\"", "50"),
            (50.0, "_ \"¥\"* #,##0.00_ ;_ \"¥\"* \\-#,##0.00_ ;_ \"¥\"* \"-\"??_ ;_ @_ ", "50"),
            (9900.0, "0.00,", "9900（显示成 9.9）"),
            (9900000.0, "#,##0,,", "9900000（显示成 9.9）"),
            (9900.0, "0.00,\"元\"", "9900（显示成 9.9）"),
            (9900.0, "#,##0.00,\"千\"", "9900"),
            (9900.0, "0.0,\"K\"", "9900"),
            (1299.0, "#,##0.00;-#,##0.00", "1299"),
            (5.0, "$0.00", "5 $"),
            (5.0, "\"HK$\"0.00", "5 HK$"),
            (5.0, "[$$-409]#,##0.00", "5 $"),
            (5.0, "[$€-2] 0.00", "5 €"),
            (5.0, "[$¥-411]#,##0", "5 円"),
            (5.0, "0.00\"美元\"", "5 美元"),
            (5.0, "0.00\" USD\"", "5 USD"),
            (7.0, "\"USD-\"0", "USD-7"),
            (5.0, "_ [$￥-804]* #,##0.00_ ", "5"),
            (12.0, "0\" pcs\"", "12"),
            (12.0, "[DBNum1][$-804]General", "12"),
            (19.9, "0.00\"元\"", "19.9"),
            (12345.0, "0\\.0,\"万\"", "12345"),
            (-12.0, "00000", "-12"),
            (0.0, "000", "000"),
        ] {
            assert_eq!(shown(number, format), Cell::Text(text.into()), "{number} {format}");
        }
        for number in [1e15, 123456789012345678.0, -4.2e27] {
            assert!(matches!(shown(number, "0"), Cell::Spoilt(_)), "{number}");
        }
        assert_eq!(shown(999_999_999_999_999.0, "0"), Cell::Text("999999999999999".into()));
        assert_eq!(shown(46085.0, "[$-804]aaaa"), Cell::Date("星期三".into()));
    }

    #[test]
    fn what_is_shown_for_a_number_may_be_a_code() {
        for (value, shown_as, text) in [
            ("123", "00123", "00123"),
            ("7", "HZ007", "HZ007"),
            ("7", "SKU-7", "SKU-7"),
            ("1234567", "123-4567", "123-4567"),
            ("5", "005号", "005号"),
            ("12", "12A", "12A"),
            ("0", "000", "000"),
            ("0.85", "85%", "85%"),
            ("5", "5件", "5"),
            ("2", "2箱", "2箱"),
            ("1.5", "1.5万", "1.5万"),
            ("15000", "1.5万", "15000"),
            ("990", "990.00分", "990.00分"),
            ("5", "$5.00", "$5.00"),
            ("5", "5.00 美元", "5.00 美元"),
            ("50", "50折", "50折"),
            ("50", "50.00/斤", "50.00/斤"),
            ("50", "约50", "约50"),
            ("50", "50起", "50起"),
            ("50", "50+", "50+"),
            ("50", "50角", "50角"),
            ("50", "面议", "50（显示成 面议）"),
            ("50", "", "50（显示成空白）"),
            ("0", "-", "0"),
            ("50", "50.00元/件", "50"),
            ("50", "5.00E+01", "50"),
            ("59.7", "60", "59.7"),
            ("9900", "9.90", "9900（显示成 9.90）"),
            ("9900", "9.9千", "9900"),
            ("9900000", "10", "9900000（显示成 10）"),
            ("59.7", "59.70", "59.7"),
            ("1.25", "1.3", "1.25"),
            ("0.5", "5", "0.5（显示成 5）"),
            ("1299", "￥1,299.00", "1299"),
            ("12", "12 pcs", "12"),
            ("1299", "1,299", "1299"),
            ("1299", "¥1,299.00", "1299"),
            ("19.9", "19.90元", "19.9"),
            ("59.699999999999996", "59.7", "59.7"),
            ("-5", "-5", "-5"),
            ("-5", "(5)", "-5"),
        ] {
            assert_eq!(decimal(value, shown_as), Some(Cell::Text(text.into())), "{shown_as}");
        }
    }

    #[test]
    fn a_format_may_put_words_around_a_text() {
        for (format, shown) in [
            ("\"HZ\"@", "HZ007"),
            ("0;-0;0;\"HZ\"@", "HZ007"),
            ("@\"号\"", "007号"),
            ("@", "007"),
            ("General", "007"),
            ("_(@_)", "007"),
            ("@*.", "007"),
            ("_(* #,##0_);_(* (#,##0);_(* \"-\"_);_(@_)", "007"),
        ] {
            assert_eq!(worded("007", format), shown, "{format}");
        }
        for (format, changes) in [
            ("00000", true),
            ("0%", true),
            ("0;-0;0;\"HZ\"@", true),
            ("aaaa", true),
            ("0.00", false),
            ("@", false),
            ("[$$-409]#,##0.00", true),
            ("0.00,", true),
            (";;;", true),
            ("[>100]0\"角\";0\"元\"", true),
            ("yyyy-mm-dd", false),
            ("h:mm", false),
        ] {
            assert_eq!(matters(format), changes, "{format}");
        }
    }

    #[test]
    fn a_decimal_has_the_digits_that_a_spreadsheet_keeps() {
        for (text, is) in [
            ("59.699999999999996", "59.7"),
            ("8.000000000000002", "8"),
            ("0.30000000000000004", "0.3"),
            ("-1.0000000000000002", "-1"),
            ("16.915", "16.915"),
            ("123456789012345678", "123456789012345678"),
            ("1.2345678901234567A", "1.2345678901234567A"),
            ("1.2.34567890123456789", "1.2.34567890123456789"),
            ("１", "１"),
        ] {
            assert_eq!(settled(text), is, "{text}");
        }
    }

    #[test]
    fn a_number_that_lost_its_digits_is_known_by_its_looks() {
        for text in ["7.73E+14", "4.20020261128e+27", "1E+5", "7.7E14", "6,90123E+12"] {
            assert!(is_spoilt(text), "{text}");
        }
        for text in ["773000000000001", "SF1E+5", "E5", "3E5", "1.5", "12E+3", "KE+1", ""] {
            assert!(!is_spoilt(text), "{text}");
        }
    }

    #[test]
    fn counts_are_read_as_people_write_them() {
        for (text, n) in [
            ("100件", 100),
            ("1,000", 1000),
            ("１０", 10),
            ("10.0", 10),
            ("10。0", 10),
            (" 8 个", 8),
            ("-3", -3),
            ("12pcs", 12),
            ("12 PCS", 12),
            ("12 桶", 12),
            ("12小袋", 12),
            ("12 单位", 12),
            ("12双", 12),
            ("12 Pairs", 12),
            ("8.000000000000002", 8),
        ] {
            assert_eq!(count(text), Some(n), "{text}");
        }
        for text in [
            "1234,567",
            "5万",
            "5 千",
            "3百件",
            "5k",
            "5K",
            "5w",
            "5W",
            "5佰",
            "5萬",
            "5億",
            "1打",
            "3箱",
            "2 整箱",
            "1板",
            "3E5",
            "件5",
            "",
            "十",
            "1.5",
            "1,00",
            "1,0000",
            "10-20",
            "3箱x2",
            "件",
            "99999999999999999999",
            "1 2",
            "500斤",
            "2公斤",
            "2KG",
            "2吨",
            "3 米",
            "500ml",
            "3天",
            "10份起",
            "50 缺货",
            "50左右",
            "50多",
            "50多件",
            "50余",
            "50 上下",
            "50件以上",
            "50 以内",
            "50 不足",
            "50缺",
            "50预售",
            "50 冻结",
            "50件左右",
            "50 max",
            "50 OOS",
            "50x",
            "50以",
        ] {
            assert_eq!(count(text), None, "{text}");
        }
    }
}
