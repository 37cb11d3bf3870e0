//! What a parcel's number is, and everything that labels, scanners and spreadsheets put around one.

use std::fmt;

use super::halts::halts;
use crate::typed::{bare, checks, holds, is_rounded};

/// The number under which a parcel service knows a parcel: 6 to 32 capital letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackingNo(String);

/// Why a text is no parcel's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    Missing,
    /// A spreadsheet made `7.73E+14` of it.
    Spoilt,
    /// The bar code of a book or a magazine; shown as it was read.
    Goods(TrackingNo),
    /// The bar code of other goods.
    Barcode(TrackingNo),
    /// Somebody's identity card.
    Identity,
    /// A telephone that stands somewhere.
    Landline,
    /// One of this shop's own numbers.
    Order,
    /// WeChat's number of a payment.
    Transaction,
    /// A label's picture without a number in it.
    Label,
    /// A web address without a number in it.
    Address,
    Several(Vec<TrackingNo>),
    /// When something happened, to the minute or second.
    Moment,
    /// Somebody's mobile phone.
    Phone(TrackingNo),
    /// Words beside it say that it is another's, or none any more: those.
    Denied(String),
    /// Two numbers without anything between, or with no more than a hyphen.
    Glued,
    Shape,
}

/// How many letters and digits a number has.
const LENGTH: std::ops::RangeInclusive<usize> = 6..=32;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Problem::Missing => "请填写快递单号",
            Problem::Spoilt => "Excel 把单号变成了科学计数，请把列设为文本后再复制",
            Problem::Goods(_) => "这是书刊的条码（ISBN、ISSN），不是快递单号",
            Problem::Barcode(_) => "这像是商品条码（69 开头，校验位对得上），不是快递单号",
            Problem::Identity => "这是身份证号，不是快递单号",
            Problem::Landline => "这是座机号码，不是快递单号",
            Problem::Order => "这是本店的订单号，不是快递单号",
            Problem::Transaction => "这是微信交易号，不是快递单号",
            Problem::Moment => "这是日期时间，不是快递单号",
            Problem::Phone(_) => "这是手机号，不是快递单号",
            Problem::Label => "这个二维码里没有运单号，请扫面单上的条码",
            Problem::Address => "这是一个网址，里面认不出快递单号，请扫面单上的条码",
            Problem::Several(numbers) => {
                let numbers: Vec<&str> = numbers.iter().map(TrackingNo::as_str).collect();
                let words = "请分成几行，每行一个";
                return write!(f, "一格里有 {} 个单号（{}），{words}", numbers.len(), numbers.join("、"));
            }
            Problem::Denied(words) => {
                return write!(f, "单号旁边写着“{words}”，像是不能用的单号：要用它请只留单号，不用就清空");
            }
            Problem::Glued => "像是两个单号连在一起，请分开写",
            Problem::Shape => {
                return write!(f, "快递单号应为 {} 到 {} 位字母或数字", LENGTH.start(), LENGTH.end());
            }
        })
    }
}

impl TrackingNo {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a number as it was typed, pasted or scanned.
    pub fn read(text: &str) -> Result<TrackingNo, Problem> {
        let text = bare(text).to_ascii_uppercase();
        if let Some(number) = sf_label(&text) {
            return number.ok_or(Problem::Label).and_then(TrackingNo::fit);
        }
        if text.starts_with('{') {
            return in_fields(&text).ok_or(Problem::Label);
        }
        if is_address(&text) {
            return in_address(&text).ok_or(Problem::Address);
        }
        // As a chat strikes it through.
        if text.contains("~~") {
            return Err(Problem::Denied("~~".to_owned()));
        }
        let scanned = scanned(&text);
        let unlabelled = unlabelled(scanned);
        let unremarked = unremarked(unlabelled);
        let label = scanned.strip_suffix(unlabelled).filter(|words| denies(words));
        let remark = || unlabelled.strip_prefix(unremarked).filter(|words| denies(words) || halts(words));
        if let Some(words) = label.or_else(remark) {
            let signs = |c: char| !c.is_alphabetic();
            return Err(Problem::Denied(words.trim_matches(signs).to_lowercase()));
        }
        let text = whole(unremarked);
        if text.is_empty() {
            return Err(Problem::Missing);
        }
        if is_scientific(text) {
            return Err(Problem::Spoilt);
        }
        let (several, written, parts) = several(text);
        match several.as_slice() {
            // Scanned twice, or several labels of one shipment: still one number.
            [number] if written > 1 && written == parts => Ok(number.clone()),
            [_] if written > 1 => Err(Problem::Shape),
            [_, _, ..] => Err(Problem::Several(several)),
            _ => TrackingNo::fit(once(text)),
        }
    }

    /// One number, maybe in groups, maybe with a service's own tail.
    fn fit(text: &str) -> Result<TrackingNo, Problem> {
        let text = text.replace(' ', "");
        if let Some(national) = ["+86", "0086"].iter().find_map(|area| text.strip_prefix(area))
            && let phone = national.replace('-', "")
            && is_mobile(&phone)
        {
            return Err(Problem::Phone(TrackingNo(phone)));
        }
        let book = ["ISBN", "ISSN"].iter().find_map(|word| text.strip_prefix(word));
        let number = waybill(book.map_or(text.as_str(), |rest| rest.trim_start_matches([':', '-', '.'])));
        let plain = number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !plain || is_day(&number) || !LENGTH.contains(&number.len()) || !number.bytes().any(|b| b.is_ascii_digit()) {
            return Err(Problem::Shape);
        }
        match number {
            n if is_order(&n) => Err(Problem::Order),
            n if is_transaction(&n) => Err(Problem::Transaction),
            n if is_moment(&n) => Err(Problem::Moment),
            n if is_rounded(&n) => Err(Problem::Spoilt),
            n if is_mobile(&n) => Err(Problem::Phone(TrackingNo(n))),
            n if n.strip_prefix("86").is_some_and(is_mobile) => Err(Problem::Phone(TrackingNo(n[2..].to_owned()))),
            n if is_landline(&n) => Err(Problem::Landline),
            n if is_identity(&n) => Err(Problem::Identity),
            n if is_book(&n) => Err(Problem::Goods(TrackingNo(n))),
            n if is_article(&n) => Err(Problem::Barcode(TrackingNo(n))),
            n if is_glued(&n) => Err(Problem::Glued),
            n => Ok(TrackingNo(n)),
        }
    }
}

impl fmt::Display for TrackingNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The picture on an SF label, `MMM={'k1':'…','k5':'SF…'}`, its beginning repeated by some scanners. The number is k5.
fn sf_label(text: &str) -> Option<Option<&str>> {
    text.split_once("MMM={").map(|(_, fields)| k5(fields))
}

fn k5(fields: &str) -> Option<&str> {
    let quote = ['\'', '"', ' ', '‘', '’', '“', '”'];
    let rest = fields.split_once("K5")?.1.trim_start_matches(quote).strip_prefix(':')?.trim_start_matches(quote);
    rest.split(|c| quote.contains(&c) || matches!(c, ',' | '}')).next().filter(|number| !number.is_empty())
}

fn is_address(text: &str) -> bool {
    text.contains("://") || text.starts_with("WWW.")
}

/// A web address, as a label's picture may hold one.
fn in_address(text: &str) -> Option<TrackingNo> {
    let parts = text.split(['?', '&', '#', '/', ';']).skip(1);
    named_like_one(parts.map(|part| part.split_once('=').unwrap_or(("", part))))
}

/// Fields, as other labels' pictures hold them: `{"waybillCode":"JDVA…"}`.
fn fields(text: &str) -> Vec<(String, String)> {
    let bared = |text: &str| text.trim_matches(|c| matches!(c, '"' | '\'' | ' ' | '[' | ']')).to_owned();
    let fields = text.split(['{', '}', ',']).filter_map(|field| field.split_once(':'));
    fields.map(|(name, value)| (bared(name), bared(value))).collect()
}

/// The service that a label's picture names beside its number: `{"waybillCode":"…","cp":"YTO"}`.
pub fn carrier_in(text: &str) -> Option<String> {
    const NAMES: [&str; 6] = ["CP", "CARRIER", "COMPANY", "EXPRESS", "LOGISTIC", "COURIER"];
    const OTHERS: [&str; 6] = ["NO", "NUM", "BILL", "ORDER", "ID", "PHONE"];
    let text = bare(text).to_ascii_uppercase();
    let said = |(name, value): &(String, String)| {
        let named =
            NAMES.iter().any(|known| name.starts_with(known)) && !OTHERS.iter().any(|other| name.ends_with(other));
        named && !value.is_empty() && !looks_like_one(value)
    };
    let mut found = fields(text.strip_prefix('{')?).into_iter().filter(said).map(|(_, value)| value);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

fn in_fields(text: &str) -> Option<TrackingNo> {
    let fields = fields(text);
    named_like_one(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The value that is named like a parcel's number, else the only one that looks like one.
fn named_like_one<'t>(fields: impl Iterator<Item = (&'t str, &'t str)>) -> Option<TrackingNo> {
    const NAMES: [&str; 8] = ["NO", "NUM", "BILL", "CODE", "WAYBILL", "MAIL", "TRACK", "SN"];
    const OTHERS: [&str; 5] = ["ORDER", "PHONE", "MOBILE", "TEL", "ZIP"];
    let mut found: Vec<(bool, TrackingNo)> = fields
        .filter(|(name, value)| looks_like_one(value) && !OTHERS.iter().any(|other| name.contains(other)))
        .filter_map(|(name, value)| {
            Some((NAMES.iter().any(|known| name.contains(known)), TrackingNo::fit(value).ok()?))
        })
        .collect();
    if found.iter().any(|(named, _)| *named) {
        found.retain(|(named, _)| *named);
    }
    found.dedup();
    match found.as_slice() {
        [(_, number)] => Some(number.clone()),
        _ => None,
    }
}

/// Without what scanners add: the sign of the bar code's kind (`]C1`, AIM), what Code 39 begins and ends with; and without
/// the end of the sentence in which it stood.
fn scanned(text: &str) -> &str {
    let kind = text.strip_prefix(']').and_then(|rest| rest.get(2..));
    let text = kind.unwrap_or(text).trim_matches(|c| "*~[]<>【】 ".contains(c));
    text.trim_end_matches([',', ';', '.', '、', '。', ' '])
}

/// Without a remark in brackets behind a number: `YT8812345678901(圆通)`, `75312345678901(共1件)`.
fn unremarked(text: &str) -> &str {
    let few = |digits: &str| digits.len() <= 2;
    let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
    match parts {
        Some((number, remark)) if looks_like_one(number) && remark.split(|c: char| !c.is_ascii_digit()).all(few) => {
            number.trim()
        }
        _ => text,
    }
}

/// Without the words that say what follows: `运单号：`, `顺丰单号 `, `No.`.
fn unlabelled(text: &str) -> &str {
    const WORDS: [&str; 9] = ["单号", "编号", "号码", "快递号", "物流号", "跟踪号", "追踪号", "条码", "条形码"];
    const LATIN: [&str; 6] = ["TRACKING NUMBER", "TRACKING NO", "WAYBILL NO", "TRACKING", "WAYBILL", "NO"];
    let after = |word: &&str| text.rfind(*word).map(|at| at + word.len());
    let named = WORDS.iter().filter_map(after).max().filter(|at| !text[..*at].bytes().any(|b| b.is_ascii_digit()));
    let rest = match named {
        Some(at) => &text[at..],
        None => {
            let latin = LATIN.iter().find_map(|word| text.strip_prefix(word));
            latin.filter(|rest| rest.starts_with(['.', ':', ' ', '#'])).unwrap_or(text)
        }
    };
    rest.trim_start_matches([':', '.', '#', '=', ' ', '是', '为'])
}

/// Whether what stands around a number says that it was taken back, or is that of another way: 作废, 旧单号, 退货单号.
fn denies(words: &str) -> bool {
    const WORDS: [&str; 27] = [
        "废", "消", "回收", "回单", "退", "旧", "原", "错", "换", "子", "返", "停", "失效", "无效", "拦", "不", "丢",
        "拒", "补", "另", "备用", "上一", "上个", "前一", "VOID", "CANCEL", "(X)",
    ];
    // An electronic label is no child of another.
    holds(&words.replace("电子", ""), &WORDS)
}

/// A program that reads tables made a fraction of it; up to fifteen digits nothing is lost by that.
fn whole(text: &str) -> &str {
    let digits = text.strip_suffix(".0").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    digits.filter(|digits| digits.len() <= 15).unwrap_or(text)
}

fn is_scientific(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.split_once('E').map_or(text, |(number, _)| number);
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    // Up to fifteen digits a spreadsheet loses nothing: that is a price or a weight.
    let lost = whole.len() > 15 || text.contains('E');
    digits(whole) && digits(part) && lost && (text.contains('.') || text.contains("E+"))
}

/// Every number of a text that holds more than one, each once; how many stand there, and in how many parts.
fn several(text: &str) -> (Vec<TrackingNo>, usize, usize) {
    let parts = text.split([',', ';', '、', '/', '|', '\\', '+', '&', '和']).flat_map(|part| {
        // Blanks part two whole numbers, or the groups of one.
        let words: Vec<&str> = part.split(' ').filter(|word| !word.is_empty()).collect();
        if words.iter().filter(|word| looks_like_one(word)).count() > 1 { words } else { vec![part.trim()] }
    });
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let numbers = parts.iter().filter(|part| looks_like_one(part)).filter_map(|part| TrackingNo::fit(once(part)).ok());
    let (mut found, mut written): (Vec<TrackingNo>, usize) = (Vec::new(), 0);
    for number in numbers {
        written += 1;
        if !found.contains(&number) {
            found.push(number);
        }
    }
    (found, written, parts.len())
}

/// A number that was written twice without anything between.
fn once(text: &str) -> &str {
    let half = |at: usize| text.get(..at).zip(text.get(at..));
    match half(text.len() / 2) {
        Some((one, other)) if one == other && one.len() >= 10 => one,
        _ => text,
    }
}

/// Long enough to be a number by itself.
fn looks_like_one(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= 8 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b' ')
}

/// Without hyphens that only part groups, and without JD's tail: its parcels are `waybill-1-2-`, which nobody else knows.
fn waybill(text: &str) -> String {
    let text = text.trim_matches('-');
    let parts: Vec<&str> = text.split('-').collect();
    let counts = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    match parts.as_slice() {
        [waybill, tail @ ..] if waybill.len() >= 10 && (2..=3).contains(&tail.len()) && tail.iter().all(counts) => {
            (*waybill).to_owned()
        }
        [head, ..] if head.bytes().all(|b| b.is_ascii_alphabetic()) => parts.concat(),
        // A whole number with a short tail is not one in groups.
        [head, _] if head.len() >= 10 => text.to_owned(),
        _ if parts.iter().all(|part| part.len() >= 3) => parts.concat(),
        _ if book_digits(&parts.concat()) => parts.concat(),
        _ => text.to_owned(),
    }
}

/// A day, as tables write it: `2026-11-28`, `20261128`.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = match text.len() {
        8 if text.is_ascii() && !text.contains('-') => vec![&text[..4], &text[4..6], &text[6..]],
        _ => text.split('-').collect(),
    };
    let within = |part: &str, range: std::ops::RangeInclusive<u32>| {
        part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u32>().is_ok_and(|n| range.contains(&n))
    };
    matches!(parts[..], [y, m, d] if within(y, 2000..=2099) && within(m, 1..=12) && within(d, 1..=31))
}

/// `20261129103000`, with or without its seconds.
fn is_moment(text: &str) -> bool {
    let parts = |at: usize| text.get(at..at + 2).map_or(u32::MAX, |part| part.parse().unwrap_or(u32::MAX));
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    matches!(text.len(), 12 | 14)
        && digits
        && is_day(&text[..8])
        && parts(8) < 24
        && parts(10) < 60
        && (text.len() == 12 || parts(12) < 60)
}

/// A mobile number of the mainland. No parcel service is known to give out such numbers.
fn is_mobile(number: &str) -> bool {
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    number.len() == 11 && digits && number.starts_with('1') && number.as_bytes()[1] >= b'3'
}

/// A telephone of the mainland with its area: `057188888888`, `01062345678`.
fn is_landline(number: &str) -> bool {
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    let area = |heads: &[&str]| heads.iter().any(|head| number.starts_with(head));
    digits
        && match number.len() {
            11 => area(&["010", "02"]) || area(&["03", "04", "05", "07", "08", "09"]),
            12 => area(&["03", "04", "05", "07", "08", "09"]),
            _ => false,
        }
}

/// Eighteen digits with a day of birth and the right check digit. Source: GB 11643.
fn is_identity(number: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let Some((body, last)) = number.split_at_checked(17).filter(|(_, last)| last.len() == 1) else { return false };
    let born = body.get(6..14).is_some_and(|day| {
        let part = |range: std::ops::Range<usize>| day[range].parse::<u32>().unwrap_or(0);
        (1900..=2099).contains(&part(0..4)) && (1..=12).contains(&part(4..6)) && (1..=31).contains(&part(6..8))
    });
    let sum: u32 = body.bytes().zip(WEIGHTS).map(|(b, weight)| u32::from(b.wrapping_sub(b'0')) * weight).sum();
    body.bytes().all(|b| b.is_ascii_digit()) && born && b"10X98765432"[(sum % 11) as usize] == last.as_bytes()[0]
}

/// The form of our own numbers, those of an order and of its attempts; at least one of ten letters is no digit.
fn is_order(number: &str) -> bool {
    let day = number.bytes().take(8).all(|b| b.is_ascii_digit()) && number.starts_with("20");
    let letters = number.bytes().skip(8).any(|b| b.is_ascii_alphabetic());
    matches!(number.len(), 18 | 20) && day && letters && !number.contains('-')
}

fn is_transaction(number: &str) -> bool {
    number.len() == 28 && number.starts_with('4') && number.bytes().all(|b| b.is_ascii_digit())
}

/// More than one parcel's number has: digits enough for a number in two places, or digits alone for two of twelve.
fn is_glued(number: &str) -> bool {
    let enough = number.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() >= 8).count();
    enough > 1 || (number.len() >= 24 && number.bytes().all(|b| b.is_ascii_digit()))
}

/// An ISBN or ISSN as a bar code, maybe with its two or five digits of price or issue. Source: EAN-13.
fn is_book(number: &str) -> bool {
    matches!(number.len(), 13 | 15 | 18) && number.bytes().all(|b| b.is_ascii_digit()) && book_digits(&number[..13])
}

fn book_digits(number: &str) -> bool {
    is_ean(number) && ["977", "978", "979"].iter().any(|head| number.starts_with(head))
}

/// Goods of the mainland: 690 to 699. No parcel service is known whose numbers of thirteen digits begin so.
fn is_article(number: &str) -> bool {
    is_ean(number) && number.starts_with("69")
}

fn is_ean(number: &str) -> bool {
    number.len() == 13 && checks(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_whatever_stands_around_it() {
        for (text, number) in [
            ("SF1234567890123", "SF1234567890123"),
            ("sf1234567890123", "SF1234567890123"),
            ("SF1234 5678 90123", "SF1234567890123"),
            ("SF 1234567890123", "SF1234567890123"),
            ("'SF1234567890123", "SF1234567890123"),
            ("=\"75312345678901\"", "75312345678901"),
            ("ＳＦ１２３４５６７８９０１２３", "SF1234567890123"),
            ("\u{feff}75312345678901\u{200b}", "75312345678901"),
            ("75312345678901\t\r\n", "75312345678901"),
            ("\u{a0}75312345678901\u{3000}", "75312345678901"),
            // Words.
            ("单号：SF1234567890123", "SF1234567890123"),
            ("运单号:SF1234567890123", "SF1234567890123"),
            ("快递单号 75312345678901", "75312345678901"),
            ("物流单号：75312345678901", "75312345678901"),
            ("顺丰单号：SF1234567890123", "SF1234567890123"),
            ("运单编号：JDVA12345678901", "JDVA12345678901"),
            ("运单号码：YT8812345678901", "YT8812345678901"),
            ("快递号：75312345678901", "75312345678901"),
            ("物流号：75312345678901", "75312345678901"),
            ("跟踪号 75312345678901", "75312345678901"),
            ("追踪号 75312345678901", "75312345678901"),
            ("条码：75312345678901", "75312345678901"),
            ("No. 75312345678901", "75312345678901"),
            ("NO:75312345678901", "75312345678901"),
            ("Tracking No: 75312345678901", "75312345678901"),
            ("快递单号是 75312345678901", "75312345678901"),
            ("运单号：SF1234567890123（顺丰）", "SF1234567890123"),
            ("75312345678901 （一箱）", "75312345678901"),
            ("75312345678901（共1件）", "75312345678901"),
            ("75312345678901（1/1）", "75312345678901"),
            ("75312345678901(第2箱)", "75312345678901"),
            ("75312345678901（母单）", "75312345678901"),
            ("75312345678901（小王）", "75312345678901"),
            ("75312345678901（放门口）", "75312345678901"),
            ("新单号：75312345678901", "75312345678901"),
            ("电子面单号：75312345678901", "75312345678901"),
            // Scanners' signs.
            ("]C1SF1234567890123", "SF1234567890123"),
            ("*SF1234567890123*", "SF1234567890123"),
            ("~YT8812345678901~", "YT8812345678901"),
            ("【75312345678901】", "75312345678901"),
            ("{\"waybillCode\":\"JDVA12345678901\",\"phone\":\"13900001111\"}", "JDVA12345678901"),
            ("{\"orderNo\":\"9000000000001\",\"mailNo\":\"463123456789012\",\"ver\":1}", "463123456789012"),
            ("{'a':{'b':['75312345678901']}}", "75312345678901"),
            // Services' own signs.
            ("JDVA12345678901-1-1-", "JDVA12345678901"),
            ("JDVA12345678901-12-15-", "JDVA12345678901"),
            ("JDVA12345678901-1-1", "JDVA12345678901"),
            ("VB12345678901-1-3-", "VB12345678901"),
            ("SF-1234567890123", "SF1234567890123"),
            ("sf－1234567890123", "SF1234567890123"),
            ("773123456789012.0", "773123456789012"),
            ("7531-2345-6789", "753123456789"),
            ("YT8812345678901-001", "YT8812345678901-001"),
            ("SF1234567890123，", "SF1234567890123"),
            ("单号：SF1234567890123。", "SF1234567890123"),
            ("JDVA12345678901-1-1-，", "JDVA12345678901"),
            (
                "MMM={'k1':'755W','k2':'020','k3':'','k4':'T4','k5':'SF1234567890123','k6':'','k7':'ab'}",
                "SF1234567890123",
            ),
            ("MMMMMM={'k1':'755W','k5':'SF1234567890123'}", "SF1234567890123"),
            ("MMM={\"k5\":\"SF1234567890123\"}", "SF1234567890123"),
            ("ＭＭＭ＝｛＇k5＇：＇SF1234567890123＇｝", "SF1234567890123"),
            ("MMM={‘k1’:‘755W’,’k5’:’SF1234567890123’}", "SF1234567890123"),
            ("https://example.com/w?no=SF1234567890123", "SF1234567890123"),
            ("https://example.com/SF1234567890123", "SF1234567890123"),
            ("http://example.com/q?phone=13900001111&billcode=75312345678901&t=20261128", "75312345678901"),
            // The same twice, and two labels of one shipment.
            ("75312345678901 75312345678901", "75312345678901"),
            ("YT8812345678901\nYT8812345678901\nYT8812345678901", "YT8812345678901"),
            ("SF1234567890123、sf1234567890123", "SF1234567890123"),
            ("753123456789/753123456789", "753123456789"),
            ("YT8812345678901YT8812345678901", "YT8812345678901"),
            ("JDVA12345678901-1-2- JDVA12345678901-2-2-", "JDVA12345678901"),
            ("1234512345", "1234512345"),
            // Not a book's: another check digit, another beginning.
            ("9787302511626", "9787302511626"),
            ("9801234567890", "9801234567890"),
            ("123456", "123456"),
            // Eleven digits, and nobody's phone.
            ("12012345678", "12012345678"),
            ("23800001234", "23800001234"),
            ("75312312000001", "75312312000001"),
            ("SF1234567000000", "SF1234567000000"),
            ("008612345678", "008612345678"),
            // Another check digit, another month, another area, another beginning.
            ("330106199001011235", "330106199001011235"),
            ("330106199013011237", "330106199013011237"),
            ("440524188001010014", "440524188001010014"),
            ("6901234567893", "6901234567893"),
            ("4901234567894", "4901234567894"),
            ("8612012345678", "8612012345678"),
            ("021123456789", "021123456789"),
            ("0571888888", "0571888888"),
            ("20261328", "20261328"),
            // Too short before the tail to be JD's, and not WeChat's, whose numbers begin with a four.
            ("12345678-1-1", "12345678-1-1"),
            // As long as a number of digits alone may be.
            ("12000026112026112800097", "12000026112026112800097"),
            ("1Z999AA10123456784", "1Z999AA10123456784"),
        ] {
            assert_eq!(TrackingNo::read(text).as_ref().map(TrackingNo::as_str), Ok(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_for_what_it_is() {
        let no = |number: &str| TrackingNo(number.to_owned());
        let denied = |words: &str| Problem::Denied(words.to_owned());
        let two = || Problem::Several(vec![no("SF1234567890123"), no("SF1234567890124")]);
        for (text, problem) in [
            ("", Problem::Missing),
            (" '\u{200b}", Problem::Missing),
            ("单号：", Problem::Missing),
            ("7.73E+14", Problem::Spoilt),
            ("7.73e14", Problem::Spoilt),
            ("773E+12", Problem::Spoilt),
            ("7731234567890123.0", Problem::Spoilt),
            ("75312300000000", Problem::Spoilt),
            ("463120000000000", Problem::Spoilt),
            ("9787302511625", Problem::Goods(no("9787302511625"))),
            ("978-7-302-51162-5", Problem::Goods(no("9787302511625"))),
            ("ISBN 9787302511625", Problem::Goods(no("9787302511625"))),
            ("ISBN：978-7-302-51162-5", Problem::Goods(no("9787302511625"))),
            ("19.90", Problem::Shape),
            ("773123456.5", Problem::Shape),
            ("13800001234", Problem::Phone(no("13800001234"))),
            ("0086 13800001234", Problem::Phone(no("13800001234"))),
            ("+86 138-0000-1234", Problem::Phone(no("13800001234"))),
            ("单号：１３８００００１２３４", Problem::Phone(no("13800001234"))),
            ("8613800001234", Problem::Phone(no("13800001234"))),
            ("057188888888", Problem::Landline),
            ("0571-8888888", Problem::Landline),
            ("010-62345678", Problem::Landline),
            ("02062345678", Problem::Landline),
            ("11010519491231002X", Problem::Identity),
            ("11010519491231002x", Problem::Identity),
            ("6901234567892", Problem::Barcode(no("6901234567892"))),
            ("6938112345679", Problem::Barcode(no("6938112345679"))),
            ("2026-11-28", Problem::Shape),
            ("2026-1-8", Problem::Shape),
            ("20261128", Problem::Shape),
            ("20261129103000", Problem::Moment),
            ("202611291030", Problem::Moment),
            ("9771000012348", Problem::Goods(no("9771000012348"))),
            ("977100001234803", Problem::Goods(no("977100001234803"))),
            ("20261008ABCDEFGHJK", Problem::Order),
            ("20261008ABCDEFGHJK01", Problem::Order),
            ("4200002611202611280000000097", Problem::Transaction),
            ("1200002611202611280000000097", Problem::Glued),
            ("YT8812345678901YT8812345678902", Problem::Glued),
            ("yt8812345678901SF1234567890123", Problem::Glued),
            ("EA123456789CNEA123456790CN", Problem::Glued),
            ("75312345678901YT8812345678902", Problem::Glued),
            ("7531234567890175312345678902", Problem::Glued),
            ("753123456789753123456790", Problem::Glued),
            ("75312345678901-75312345678901", Problem::Glued),
            ("YT-8812345678901-YT-8812345678902", Problem::Glued),
            ("YT8812345678901YT8812345678902 中通", Problem::Shape),
            ("75312345678901（作废）", denied("作废")),
            ("75312345678901(已取消)", denied("已取消")),
            ("SF1234567890123（退）", denied("退")),
            ("旧单号：75312345678901", denied("旧单号")),
            ("退货单号 75312345678901", denied("退货单号")),
            ("子单号：75312345678901", denied("子单号")),
            ("回单号：75312345678901", denied("回单号")),
            ("补发单号：75312345678901", denied("补发单号")),
            ("上一个单号：75312345678901", denied("上一个单号")),
            ("备用单号：75312345678901", denied("备用单号")),
            ("75312345678901（等货）", denied("等货")),
            ("75312345678901（明天发）", denied("明天发")),
            ("75312345678901（重打）", denied("重打")),
            ("75312345678901（自提）", denied("自提")),
            ("75312345678901（X）", denied("x")),
            ("~~75312345678901~~", denied("~~")),
            ("取消单号：75312345678901", denied("取消单号")),
            ("MMM={'k1':'755W'}", Problem::Label),
            ("MMM={'k5':''}", Problem::Label),
            ("{\"ver\":1}", Problem::Label),
            ("{\"no\":\"75312345678901\",\"sn\":\"75312345678902\"}", Problem::Label),
            ("75312345678901(75312345678902)", Problem::Shape),
            ("https://example.com/", Problem::Address),
            ("https://example.com/?a=75312345678901&b=75312345678902", Problem::Address),
            ("SF1234567890123,SF1234567890124", two()),
            ("SF1234567890123；SF1234567890124", two()),
            ("SF1234567890123 SF1234567890124", two()),
            ("SF1234567890123、SF1234567890124", two()),
            ("SF1234567890123/SF1234567890124", two()),
            ("SF1234567890123\nSF1234567890124", two()),
            ("12345", Problem::Shape),
            ("75312345678901 单号", Problem::Shape),
            ("SF1234567890123 SF1234567890124 SF1234567890123", two()),
            ("SF1234567890123,123456", Problem::Shape),
            ("SF1234567890123 SF1234567890123 12", Problem::Shape),
            ("顺丰1234567", Problem::Shape),
            ("ABCDEFGH", Problem::Shape),
            ("------", Problem::Shape),
            ("123456789012345678901234567890123", Problem::Shape),
        ] {
            assert_eq!(TrackingNo::read(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn a_labels_picture_may_say_who_carries_it() {
        for (text, carrier) in [
            ("{\"waybillCode\":\"75312345678901\",\"cp\":\"YTO\"}", Some("YTO")),
            ("{'cpCode':'zto','no':'75312345678901'}", Some("ZTO")),
            ("{\"no\":\"75312345678901\",\"companyName\":\"圆通速递\"}", Some("圆通速递")),
            ("{\"expressNo\":\"75312345678901\"}", None),
            ("{\"cp\":\"YTO\",\"carrier\":\"ZTO\",\"no\":\"75312345678901\"}", None),
            ("75312345678901", None),
        ] {
            assert_eq!(carrier_in(text).as_deref(), carrier, "{text}");
        }
    }

    #[test]
    fn a_number_that_was_read_reads_as_itself() {
        for text in
            ["SF1234567890123", "75312345678901", "JDVA12345678901", "12345678901-1", "EA123456789CN", "A-1B-22-333"]
        {
            let number = TrackingNo::read(text).unwrap();
            assert_eq!(TrackingNo::read(number.as_str()), Ok(number.clone()), "{text}");
        }
    }
}
