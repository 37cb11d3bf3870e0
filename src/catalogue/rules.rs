//! What a product may be: each rule once, for the form and for a table. Every `Err` is a sentence that names the limit.

use std::ops::RangeInclusive;

use crate::money::Fen;
use crate::tables;
use crate::typed::{Length, bare, checks, clean, whole};

/// Pieces that one SKU may have.
pub const MOST_STOCK: i64 = 10_000_000;
/// A piece weighs a ton at the most.
pub const MOST_GRAMS: i64 = 1_000_000;
pub const MOST_IMAGES: usize = 9;
/// Kinds of specification, as colour and size are two.
pub const MOST_SPECS: usize = 3;
pub const SPEC_NAME: Length = Length::up_to(10);
pub const SPEC_VALUE: Length = Length::up_to(30);

pub const NAME: Length = Length::between(1, 60);
pub const SUBTITLE: Length = Length::up_to(100);
pub const DETAIL: Length = Length::up_to(10_000);
pub const CODE: Length = Length::up_to(40);
pub const CATEGORY: Length = Length::between(1, 20);
/// How many one order, or one buyer, may be held to.
const PURCHASE_LIMIT: RangeInclusive<i64> = 1..=999;
pub const PURCHASE_LIMIT_DIGITS: Length = Length::up_to(PURCHASE_LIMIT.end().ilog10() as usize + 1);

type Checked<T> = std::result::Result<T, String>;

fn long(length: Length, text: &str, what: &str) -> Checked<String> {
    let text = clean(text);
    if length.fits(&text) { Ok(text) } else { Err(format!("{what}{length}")) }
}

pub fn name(text: &str) -> Checked<String> {
    long(NAME, text, "商品名称应为 ")
}

pub fn subtitle(text: &str) -> Checked<String> {
    long(SUBTITLE, text, "副标题（卖点）")
}

/// Several lines, as they were typed.
pub fn detail(text: &str) -> Checked<String> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    if DETAIL.fits(&text) { Ok(text) } else { Err(format!("详情{DETAIL}")) }
}

/// A category's own name, without the one above it.
pub fn category(text: &str) -> Checked<String> {
    long(CATEGORY, text, "分类名应为 ")
}

/// Nothing is no code.
pub fn code(text: &str) -> Checked<Option<String>> {
    long(CODE, text, "商家编码").map(|code| Some(code).filter(|code| !code.is_empty()))
}

/// As it is printed on the goods: digits, or what Code 128 carries besides. Nothing is no barcode.
pub fn barcode(text: &str) -> Checked<Option<String>> {
    let text = as_scanned(text);
    match text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-./+".contains(&b)) {
        true if CODE.fits(&text) => Ok(Some(text).filter(|text| !text.is_empty())),
        true => Err(format!("条码{CODE}")),
        false => Err("条码只有数字、字母和 - . / +，请照商品上印的填或扫进来".to_owned()),
    }
}

/// A price that a finger slipped on: nothing, or ten times what it was, or a tenth of it.
pub fn is_slip(was: Fen, price: Fen) -> bool {
    let (was, price) = (was.get(), price.get());
    was > 0 && (price == 0 || price >= was.saturating_mul(10) || price.saturating_mul(10) <= was)
}

/// What a scanner reads of a barcode as people write it: `ISBN 978-7-302-51162-5` stands for its digits.
pub fn as_scanned(text: &str) -> String {
    let text: String = bare(text).chars().filter(|c| !c.is_whitespace()).collect();
    let digits: String = unnamed(&text).chars().filter(|c| *c != '-').collect();
    match matches!(digits.len(), 8 | 12 | 13) && checks(&digits) {
        true => digits,
        false => text,
    }
}

/// Without the name of the kind of number in front.
fn unnamed(text: &str) -> &str {
    let named = ["ISBN-13", "ISBN", "EAN-13", "EAN", "UPC"];
    let rest = named.iter().find_map(|name| {
        let (head, rest) = text.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name).then_some(rest)
    });
    rest.map_or(text, |rest| rest.trim_start_matches([':', '：']))
}

/// What is odd about a barcode of as many digits as goods have: its last digit does not check the others.
pub fn barcode_doubt(barcode: &str) -> Option<String> {
    let of_goods = matches!(barcode.len(), 8 | 12 | 13) && barcode.bytes().all(|b| b.is_ascii_digit());
    (of_goods && !checks(barcode))
        .then(|| format!("条码 {barcode} 的校验位（最后一位）不对：自己编的不要紧，照商品抄的请再核对"))
}

/// What a piece cost: nothing said is nothing known.
pub fn cost(text: &str) -> Checked<Option<Fen>> {
    if text.trim().is_empty() { Ok(None) } else { price(text, "成本", "12.50").map(Some) }
}

pub fn price(text: &str, what: &str, example: &str) -> Checked<Fen> {
    let settled = tables::settled(text);
    Fen::from_yuan(&settled).ok_or_else(|| match settled.split_once('.') {
        Some((yuan, part)) if part.len() > 2 && Fen::from_yuan(yuan).is_some() && Fen::from_yuan(part).is_some() => {
            format!("{what}「{text}」超过两位小数：最小到分，例如 {example}")
        }
        _ if text.trim().is_empty() => format!("{what}请填金额，例如 {example}"),
        _ => format!("{what}请填金额，例如 {example}：「{text}」不是金额"),
    })
}

pub fn stock(text: &str) -> Checked<i64> {
    match tables::count(text) {
        Some(n) if (0..=MOST_STOCK).contains(&n) => Ok(n),
        Some(n) if n > MOST_STOCK => Err(format!("库存「{text}」太大，最多 {MOST_STOCK}")),
        _ => Err(format!("库存「{text}」不是 0 或正整数")),
    }
}

/// Of a piece, in grams; 0 where nothing is written.
pub fn weight(text: &str) -> Result<i64, String> {
    let number = text.trim().trim_end_matches(['克', 'g', 'G']);
    let read = match number.ends_with(char::is_alphabetic) {
        // In another unit.
        true => None,
        false => tables::count(number).filter(|n| (0..=MOST_GRAMS).contains(n)),
    };
    match text.trim() {
        "" => Ok(0),
        _ => read.ok_or_else(|| format!("重量请填多少克，0 到 {MOST_GRAMS} 的整数")),
    }
}

/// Nothing is no limit.
pub fn purchase_limit(text: &str) -> Checked<Option<i64>> {
    let (least, most) = (PURCHASE_LIMIT.start(), PURCHASE_LIMIT.end());
    match text.trim() {
        "" => Ok(None),
        text => match whole(text).filter(|n| PURCHASE_LIMIT.contains(n)) {
            Some(n) => Ok(Some(n)),
            None => Err(format!("限购请填 {least} 到 {most}，或留空")),
        },
    }
}

pub fn images(count: usize) -> Checked<()> {
    if count <= MOST_IMAGES { Ok(()) } else { Err(format!("图片最多 {MOST_IMAGES} 张")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_names_its_limit() {
        for (what, problem) in [
            (name("").err(), "商品名称应为 1 到 60 个字"),
            (name(&"名".repeat(61)).err(), "商品名称应为 1 到 60 个字"),
            (subtitle(&"副".repeat(101)).err(), "副标题（卖点）最多 100 个字"),
            (detail(&"详".repeat(10_001)).err(), "详情最多 10000 个字"),
            (category(&"类".repeat(21)).err(), "分类名应为 1 到 20 个字"),
            (code(&"A".repeat(41)).err(), "商家编码最多 40 个字"),
            (price("", "售价", "19.90").err(), "售价请填金额，例如 19.90"),
            (price("免费", "售价", "19.90").err(), "售价请填金额，例如 19.90：「免费」不是金额"),
            (weight("2公斤").err(), "重量请填多少克，0 到 1000000 的整数"),
            (weight("2kg").err(), "重量请填多少克，0 到 1000000 的整数"),
            (weight("0.5").err(), "重量请填多少克，0 到 1000000 的整数"),
            (barcode("条码").err(), "条码只有数字、字母和 - . / +，请照商品上印的填或扫进来"),
            (barcode(&"1".repeat(41)).err(), "条码最多 40 个字"),
            (cost("贵").err(), "成本请填金额，例如 12.50：「贵」不是金额"),
            (stock("10000001").err(), "库存「10000001」太大，最多 10000000"),
            (stock("-1").err(), "库存「-1」不是 0 或正整数"),
            (purchase_limit("1000").err(), "限购请填 1 到 999，或留空"),
            (purchase_limit("几个").err(), "限购请填 1 到 999，或留空"),
            (images(10).err(), "图片最多 9 张"),
        ] {
            assert_eq!(what.as_deref(), Some(problem));
        }
        assert_eq!((barcode(" ６901 234567892 "), cost(" ")), (Ok(Some("6901234567892".to_owned())), Ok(None)));
        for (typed, kept) in [
            ("978-7-302-51162-5", "9787302511625"),
            ("ISBN 978-7-302-51162-5", "9787302511625"),
            ("isbn：9787302511625", "9787302511625"),
            ("0-12345-67890-5", "012345678905"),
            ("96385074", "96385074"),
            // No such number, so what is written is what is meant.
            ("978-7-302-51162-6", "978-7-302-51162-6"),
            ("A-1001", "A-1001"),
            ("12-345", "12-345"),
        ] {
            assert_eq!(barcode(typed), Ok(Some(kept.to_owned())), "{typed}");
        }
        for (barcode, odd) in [
            ("6901234567892", false),
            ("6901234567893", true),
            ("96385074", false),
            ("96385075", true),
            ("012345678905", false),
            ("012345678906", true),
            ("12345", false),
            ("A901234567893", false),
        ] {
            assert_eq!(barcode_doubt(barcode).is_some(), odd, "{barcode}");
        }
        assert_eq!((purchase_limit(" "), purchase_limit("5"), code("")), (Ok(None), Ok(Some(5)), Ok(None)));
    }
}
