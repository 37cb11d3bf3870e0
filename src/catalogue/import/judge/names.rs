//! What the name of new goods may really be: written in another alphabet, under another column, in other signs.

use std::collections::HashMap;

use encoding_rs::{GB18030, WINDOWS_1252};
use rusqlite::Connection;

use super::super::specs;
use super::goods::product_named;
use super::{CODE, Fine};
use crate::catalogue::{Category, Sku, rules, store};
use crate::error::Result;
use crate::tables;
use crate::typed::simplified;

/// The names of a shop's products.
pub(super) struct Names<'c> {
    conn: &'c Connection,
    /// By what is alike in them, once somebody has asked.
    known: Option<HashMap<String, String>>,
}

impl Names<'_> {
    pub(super) fn new(conn: &Connection) -> Names<'_> {
        Names { conn, known: None }
    }

    /// What somebody is asked about new goods; `Err` where the name can be none.
    pub(super) fn doubts(
        &mut self,
        fine: &Fine,
        categories: &[Category],
    ) -> Result<std::result::Result<Vec<String>, String>> {
        let name = &fine.name;
        if name.contains('\u{fffd}') || name.chars().all(|c| "?？".contains(c)) {
            return Ok(Err(format!("商品名称「{name}」是乱码：请把文件另存成 xlsx 或 UTF-8 的 CSV 再导入")));
        }
        let garbled = meant_by(name).map(|meant| {
            format!("名称「{name}」像是乱码（多半是「{meant}」）：请把文件另存成 xlsx 再导入；真叫这个的请打勾")
        });
        let crossed = self.crossed(fine, categories)?;
        let alike = self.alike(name)?;
        let chosen = if alike.is_none() { self.chosen(name)? } else { None };
        let alike = alike.map(|known| format!("店里有「{known}」：是同一种商品，请照它写名称；真是另一种的请打勾"));
        let chosen = chosen.map(|(known, value)| {
            format!("像是店里「{known}」的规格「{value}」：请把名称和规格分开写；真是另一种商品的请打勾")
        });
        Ok(Ok([garbled, crossed, alike, chosen].into_iter().flatten().collect()))
    }

    /// Whether the columns of new goods may be exchanged: they are called what the shop has as a code or a choice, and have
    /// the name of some of its goods where a code or a choice should be.
    fn crossed(&mut self, fine: &Fine, categories: &[Category]) -> Result<Option<String>> {
        let (name, draft) = (&fine.name, &fine.deed.draft);
        let with_code = format!("名称和{CODE}两列是不是写反了");
        let with_specs = "名称和规格两列是不是写反了";
        if let Some(owner) = store::sku_with_code(self.conn, name)?.filter(|owner| !owner.deleted) {
            return Ok(Some(format!("名称「{name}」是店里「{}」的{CODE}：{with_code}", owner.product_name)));
        }
        if let Some(code) = &draft.sku_code {
            if let Some(known) = self.alike(code)? {
                return Ok(Some(format!("{CODE}写的是店里的商品「{known}」：{with_code}")));
            }
            let in_words = |text: &str| text.chars().any(is_han);
            if in_words(code) && !in_words(name) && name.chars().any(|c| c.is_ascii_digit()) {
                return Ok(Some(format!("名称写的是「{name}」，{CODE}写的是「{code}」：{with_code}")));
            }
        }
        if let Some(with_other) = self.crossed_elsewhere(fine, categories)? {
            return Ok(Some(with_other));
        }
        if specs::is_one(name) {
            return Ok(Some(format!("名称「{name}」像是规格：{with_specs}")));
        }
        let [(_, value)] = &draft.specs[..] else { return Ok(None) };
        let Some(known) = self.alike(value)? else { return Ok(None) };
        let skus = product_named(self.conn, &known)?.map(|product| product.skus).unwrap_or_default();
        let chosen = skus.iter().flat_map(|sku| &sku.specs).any(|(_, value)| folded(value) == folded(name));
        Ok(chosen.then(|| format!("规格写的是店里的商品「{known}」，名称「{name}」是它的规格：{with_specs}")))
    }

    /// The same of the columns of categories, of barcodes and of what describes goods.
    fn crossed_elsewhere(&mut self, fine: &Fine, categories: &[Category]) -> Result<Option<String>> {
        let (name, draft) = (&fine.name, &fine.deed.draft);
        let category = fine.deed.common.category.as_ref().and_then(|parts| parts.last()).filter(|own| *own != name);
        if let Some(category) = category {
            let is_known = |name: &str| categories.iter().any(|known| known.name == name);
            let (is_category, is_new) = (is_known(name), !is_known(category));
            if let Some(known) = self.alike(category)? {
                return Ok(Some(format!("分类写的是店里的商品「{known}」：名称和分类两列是不是写反了")));
            }
            if is_category && is_new {
                return Ok(Some(format!("名称「{name}」是店里的分类，分类「{category}」却没有：两列是不是写反了")));
            }
        }
        let barcode = fine.deed.barcode.as_ref().and_then(Option::as_ref);
        let is_barcode = |text: &str| rules::barcode_doubt(text).is_none() && text.bytes().all(|b| b.is_ascii_digit());
        if let Some((code, barcode)) = draft.sku_code.as_ref().zip(barcode)
            && matches!(code.len(), 12 | 13)
            && is_barcode(code)
            && !is_barcode(barcode)
        {
            return Ok(Some(format!("{CODE} {code} 像是条码，条码写的是 {barcode}：两列是不是写反了")));
        }
        let sentences = name.matches(['，', '。', '；', '！', '？']).count();
        Ok((sentences > 1).then(|| "名称像是一段介绍：名称和商品详情两列是不是写反了；真叫这个的请打勾".to_owned()))
    }

    /// The product, and what of it can be chosen, that a name has in one: 衣服（蓝）.
    fn chosen(&mut self, name: &str) -> Result<Option<(String, String)>> {
        let plain = |text: &str| folded(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let whole = folded(name);
        for (at, _) in whole.char_indices().skip(2) {
            let Some(known) = self.names()?.get(&whole[..at]).cloned() else { continue };
            let rest = plain(&whole[at..]);
            let skus = product_named(self.conn, &known)?.map(|product| product.skus).unwrap_or_default();
            let values = |sku: &Sku| sku.specs.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>();
            let of_one = skus.iter().map(values).find(|values| {
                let all: String = values.iter().map(|value| plain(value)).collect();
                !rest.is_empty() && (all == rest || values.iter().any(|value| plain(value) == rest))
            });
            if let Some(values) = of_one {
                return Ok(Some((known, values.join(" "))));
            }
        }
        Ok(None)
    }

    /// A product whose name is written in other signs, and says the same.
    fn alike(&mut self, name: &str) -> Result<Option<String>> {
        let folded = folded(name);
        Ok(self.names()?.get(&folded).cloned())
    }

    fn names(&mut self) -> Result<&HashMap<String, String>> {
        let names = match self.known.take() {
            Some(names) => names,
            None => store::names(self.conn)?.into_iter().map(|name| (folded(&name), name)).collect(),
        };
        Ok(self.known.insert(names))
    }
}

/// What a name was before it was read in the wrong alphabet: `Æ»¹û`, `è‹¹æžœ`, `鑻规灉`.
fn meant_by(name: &str) -> Option<String> {
    let sense = |text: &str| text.chars().filter(|c| is_han(*c)).count() * 2 >= text.chars().count();
    let (wide, all) = (name.chars().filter(|c| !c.is_ascii()).count(), name.chars().count());
    let as_utf = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let as_gb = |bytes: &[u8]| Some(GB18030.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned());
    if wide < 2 || wide * 2 < all {
        return None;
    }
    let meant = match (WINDOWS_1252.encode(name), GB18030.encode(name)) {
        ((bytes, _, false), _) => as_utf(&bytes).or_else(|| as_gb(&bytes)),
        (_, (bytes, _, false)) => as_utf(&bytes),
        _ => None,
    };
    meant.filter(|text| sense(text))
}

fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// A name without what differs between two who write it: blanks, wide signs, kinds of brackets, capitals.
fn folded(name: &str) -> String {
    let plain = simplified(&tables::narrow(name)).to_lowercase();
    let sign = |c: char| match c {
        '【' | '[' | '〔' => '(',
        '】' | ']' | '〕' => ')',
        _ => c,
    };
    plain.chars().filter(|c| !c.is_whitespace()).map(sign).collect()
}
