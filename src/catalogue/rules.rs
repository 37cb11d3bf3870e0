//! What a product may be: the same for the form and for a table. Every `Err` is a sentence.

use crate::money::Fen;
use crate::tables;
use crate::typed::clean;

/// Pieces that one SKU may have.
pub const MOST_STOCK: i64 = 10_000_000;
pub const MOST_IMAGES: usize = 9;

type Checked<T> = std::result::Result<T, String>;

fn at_most(text: &str, most: usize, what: &str) -> Checked<String> {
    let text = clean(text);
    if text.chars().count() > most { Err(format!("{what}最多 {most} 个字")) } else { Ok(text) }
}

pub fn name(text: &str) -> Checked<String> {
    let name = clean(text);
    if (1..=60).contains(&name.chars().count()) { Ok(name) } else { Err("商品名称应为 1 到 60 个字".into()) }
}

pub fn subtitle(text: &str) -> Checked<String> {
    at_most(text, 100, "副标题（卖点）")
}

/// A category's own name, without the one above it.
pub fn category(text: &str) -> Checked<String> {
    at_most(text, 20, "分类名")
}

/// Nothing is no code.
pub fn code(text: &str) -> Checked<Option<String>> {
    at_most(text, 40, "商家编码").map(|code| Some(code).filter(|code| !code.is_empty()))
}

pub fn price(text: &str, what: &str, example: &str) -> Checked<Fen> {
    let settled = tables::settled(text);
    Fen::from_yuan(&settled).ok_or_else(|| match settled.split_once('.') {
        Some((yuan, part)) if part.len() > 2 && Fen::from_yuan(yuan).is_some() && Fen::from_yuan(part).is_some() => {
            format!("{what}「{text}」超过两位小数：最小到分，例如 {example}")
        }
        _ => format!("{what}「{text}」不是金额，例如 {example}"),
    })
}

pub fn stock(text: &str) -> Checked<i64> {
    let read = tables::count(text).filter(|n| (0..=MOST_STOCK).contains(n));
    read.ok_or_else(|| format!("库存「{text}」不是 0 或正整数"))
}
