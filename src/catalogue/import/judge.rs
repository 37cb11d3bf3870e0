//! What each row of a table would change, as the catalogue stands now.

use std::collections::HashMap;

use encoding_rs::{GB18030, WINDOWS_1252};
use rusqlite::Connection;

use super::cells::{cell, grams, path, yes};
use super::codes::{ByCode, Codes, unspoilt, whole};
use super::shelf::{self, State};
use super::since::{Carried, Since, Then};
use super::specs::{self, Specs};
use super::store as imports;
use super::words;
use super::{Column, EMPTY_IT, Row, TITLES, WRITTEN, written};
use crate::catalogue::store::{self, SkuDraft};
use crate::catalogue::{Category, Delivery, Product, Sku, rules, same_specs};
use crate::error::Result;
use crate::ids::{ImageHash, ProductId, SkuId};
use crate::money::Fen;
use crate::shown::{Shown, mark};
use crate::stored_enum::stored_enum;
use crate::tables;
use crate::typed::simplified;

stored_enum! {
    /// What becomes of a row.
    pub enum Verdict {
        New "new" "新增",
        Changed "changed" "修改",
        Same "same" "不变",
        Refused "refused" "有问题",
    }
}

/// What a price is called among the changes, a barcode and a code.
const PRICE: &str = "售价";
const BARCODE: &str = "条码";
const CODE: &str = "商家编码";
const COST: &str = "成本";

/// One thing that a row changes, in the words of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub what: &'static str,
    pub was: String,
    pub is: String,
}

/// A row, and what is to be said about it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Where it stands in the file, in words.
    pub line: String,
    pub verdict: Verdict,
    pub name: String,
    pub spec: String,
    pub changes: Vec<Change>,
    /// Why it is refused.
    pub note: String,
    /// What somebody should say yes to before it is carried out.
    pub doubt: String,
    /// The same, for what another row of the table says: without that row it is not so.
    pub beside: String,
    /// What of the shop's stays although the table says something else.
    pub left: String,
    /// The pictures that it brings, by their hashes.
    pub pictures: Vec<ImageHash>,
    /// When a table of the same export has last written of these goods, if one has.
    pub before: Option<i64>,
    pub(super) deed: Option<Box<Deed>>,
}

impl Judged {
    pub fn is_doubtful(&self) -> bool {
        !self.doubt.is_empty() || !self.beside.is_empty()
    }

    /// A mark of what is said about it.
    pub(super) fn mark(&self) -> u64 {
        let changes = self.changes.iter().flat_map(|change| [change.what, &change.was, &change.is]);
        mark(
            [self.verdict.word(), &self.name, &self.spec, &self.note, &self.doubt, &self.left]
                .into_iter()
                .chain(changes),
        )
    }
}

/// What is to be written for a row.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub product: Option<ProductId>,
    pub common: Common,
    pub sku: Option<SkuId>,
    pub draft: SkuDraft,
    /// What the row says of them: that there is none, too.
    pub barcode: Option<Option<String>>,
    pub cost: Option<Option<Fen>>,
    pub on_hand: Option<i64>,
    pub pictures: Vec<ImageHash>,
    /// What is kept of it, where the table is an export.
    pub kept: Option<Kept>,
}

/// What a row of an export writes: when that was, the stock, and a print of each other cell.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub exported_at: i64,
    pub stock: Option<i64>,
    pub prints: String,
}

/// What a row says about its product as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Common {
    pub subtitle: Option<String>,
    pub category: Option<Vec<String>>,
    pub on_shelf: Option<bool>,
}

impl Common {
    pub(super) fn is_none(&self) -> bool {
        self.subtitle.is_none() && self.category.is_none() && self.on_shelf.is_none()
    }
}

/// A product and what the rows before have said of it.
struct Group {
    product: Option<Product>,
    common: Common,
    /// The row that said the most of it first.
    line: String,
    taken: Vec<(Option<SkuId>, Specs, String)>,
    /// The lines of two rows that mean the same, the later one refused.
    rivals: Vec<[String; 2]>,
}

struct Judge<'c> {
    conn: &'c Connection,
    categories: Vec<Category>,
    groups: HashMap<String, Group>,
    codes: HashMap<String, String>,
    known: Codes<'c>,
    /// The products' names by what is alike in them, once somebody has asked.
    names: Option<HashMap<String, String>>,
    /// Barcodes of the rows before, each with its line.
    given: HashMap<String, String>,
    carried: Carried,
}

/// A row that can be carried out, or why it cannot.
type Weighed = std::result::Result<Fine, String>;

struct Fine {
    name: String,
    changes: Vec<Change>,
    doubts: Vec<String>,
    beside: String,
    left: Vec<String>,
    before: Option<i64>,
    deed: Deed,
}

/// Judges the rows together: rows of one name are one product, and nothing may be said twice.
pub fn judge<'r>(conn: &Connection, rows: impl IntoIterator<Item = &'r Row>) -> Result<Vec<Judged>> {
    let mut judge = Judge::new(conn)?;
    rows.into_iter().map(|row| judge.judged(row)).collect()
}

/// A row that waits to be carried out.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its place in the table.
    pub at: usize,
    pub name: String,
    pub verdict: Verdict,
    pub mark: u64,
    /// Whether its goods are new, not only this specification of them.
    pub new_goods: bool,
    /// Whether somebody should say yes to it before it is carried out.
    pub doubtful: bool,
    /// When a table of the same export has last written of its goods, if one has.
    pub before: Option<i64>,
    /// What is to be said about it, where it was asked for.
    pub judged: Option<Judged>,
}

/// The rows of a table that wait, as the catalogue stands now. A table may be long, so what is said of a row is kept only
/// where `said` wants it.
pub fn waiting(
    conn: &Connection,
    rows: &[Row],
    mut said: impl FnMut(&Waiting) -> bool,
) -> Result<(Vec<Waiting>, Shown)> {
    let mut judge = Judge::new(conn)?;
    let mut waiting: Vec<Waiting> = Vec::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.done.is_none()) {
        let mut judged = judge.judged(row)?;
        let new_goods = judged.deed.take().is_some_and(|deed| deed.product.is_none());
        let (mark, verdict, name) = (judged.mark(), judged.verdict, judged.name.clone());
        let doubtful = judged.is_doubtful();
        let before = judged.before;
        let mut one = Waiting { at, name, verdict, mark, new_goods, doubtful, before, judged: None };
        one.judged = said(&one).then_some(judged);
        waiting.push(one);
    }
    for (at, words) in judge.beside(rows) {
        let Ok(n) = waiting.binary_search_by_key(&at, |one| one.at) else { continue };
        let one = &mut waiting[n];
        one.doubtful = true;
        let judged = match one.judged.take() {
            Some(judged) => judged,
            None => Judge::new(conn)?.judged(&rows[at])?,
        };
        one.judged = Some(Judged { beside: words, deed: None, ..judged });
    }
    let shown = Shown::of(rows.len(), waiting.iter().map(|one| (one.at, one.mark)));
    Ok((waiting, shown))
}

fn judged(row: &Row, weighed: Weighed) -> Judged {
    let text = |column| row.said(column).unwrap_or_default().to_owned();
    let (name, spec) = (text(Column::Name), text(Column::Specs));
    let mut judged = Judged {
        line: row.line.clone(),
        verdict: Verdict::Refused,
        name,
        spec,
        changes: Vec::new(),
        note: String::new(),
        doubt: String::new(),
        beside: String::new(),
        left: String::new(),
        pictures: Vec::new(),
        before: None,
        deed: None,
    };
    match weighed {
        Err(note) => judged.note = note,
        Ok(fine) => {
            judged.verdict = match (&fine.deed.sku, fine.changes.is_empty()) {
                (None, _) => Verdict::New,
                (Some(_), true) => Verdict::Same,
                (Some(_), false) => Verdict::Changed,
            };
            judged.spec = written(&fine.deed.draft.specs);
            judged.doubt = doubt(row, &fine);
            judged.beside.clone_from(&fine.beside);
            judged.left = fine.left.join("；");
            judged.before = fine.before;
            judged.pictures.clone_from(&fine.deed.pictures);
            (judged.name, judged.changes, judged.deed) = (fine.name, fine.changes, Some(Box::new(fine.deed)));
        }
    }
    judged
}

/// What somebody is asked about a row. Goods that cost nothing are mostly goods of which nobody wrote the price yet.
fn doubt(row: &Row, fine: &Fine) -> String {
    let said = |what: &str| fine.deed.sku.is_none() || fine.changes.iter().any(|change| change.what == what);
    let mut doubts = fine.doubts.clone();
    if said(PRICE) && fine.deed.draft.price == Fen::ZERO {
        doubts.push("售价是 0 元：买家不用付钱就能下单；真要送的请打勾".to_owned());
    }
    let SkuDraft { price, market_price, .. } = &fine.deed.draft;
    let slip = fine.changes.iter().find(|change| change.what == PRICE && is_slip(change));
    doubts.extend(
        slip.map(|change| format!("售价 {} 改成 {}，差十倍以上：是不是少了或多了小数点", change.was, change.is)),
    );
    if let Some(market) = market_price.filter(|market| market < price && (said(PRICE) || said("划线价"))) {
        doubts.push(format!("划线价 {} 比售价 {} 低：两列是不是写反了", market.plain(), price.plain()));
    }
    if fine.deed.sku.is_none() {
        doubts.extend(row.price_doubts.iter().cloned());
    }
    if fine.deed.on_hand.is_some() {
        doubts.extend(row.doubts.iter().cloned());
    }
    if fine.deed.product.is_none() && row.stateless {
        doubts.push("别的行写了是否上架，这一行空着：勾上会直接上架；不上架的请填 否".to_owned());
    }
    if fine.deed.product.is_none() && fine.deed.common.on_shelf != Some(false) {
        doubts.extend(row.shelf_doubts.iter().cloned());
    }
    if fine.deed.product.is_none() && row.shared && fine.deed.draft.specs.is_empty() {
        doubts.push("表里这个名称有几行，没有规格把它们分开：哪一列是规格，请把列名改成“规格”".to_owned());
    }
    if fine.deed.sku.is_none() || !fine.changes.is_empty() {
        doubts.extend(row.asks.iter().cloned());
    }
    doubts.join("；")
}

/// Whether a price is ten times what it was, or a tenth of it.
fn is_slip(change: &Change) -> bool {
    let some = |text: &str| Fen::from_yuan(text).filter(|fen| *fen > Fen::ZERO);
    some(&change.was).zip(some(&change.is)).is_some_and(|(was, is)| rules::is_slip(was, is))
}

/// Turns a sentence into the row's refusal.
macro_rules! refuse {
    ($($words:tt)*) => { return Ok(Err(format!($($words)*))) };
}

impl Judge<'_> {
    fn new(conn: &Connection) -> Result<Judge<'_>> {
        Ok(Judge {
            conn,
            categories: store::categories(conn)?,
            groups: HashMap::new(),
            codes: HashMap::new(),
            known: Codes::new(conn),
            names: None,
            given: HashMap::new(),
            carried: Carried::default(),
        })
    }

    fn judged(&mut self, row: &Row) -> Result<Judged> {
        Ok(judged(row, self.weigh(row)?))
    }

    fn weigh(&mut self, row: &Row) -> Result<Weighed> {
        if !row.problems.is_empty() {
            return Ok(Err(row.problems.join("；")));
        }
        let by_code = match self.known.by_code(row)? {
            Ok(by_code) => by_code,
            Err(problem) => return Ok(Err(problem)),
        };
        let (code, owner) = (by_code.code.as_deref(), &by_code.owner);
        let name = match (row.said(Column::Name), owner) {
            (None, Some(owner)) => owner.product_name.clone(),
            (None, None) => {
                let title = TITLES[Column::Name as usize][0];
                match (code, row.said(Column::Barcode)) {
                    (Some(code), _) if !row.has(Column::Name) => {
                        refuse!("表里缺少列「{title}」，商家编码 {code} 也不是已有商品的")
                    }
                    (None, Some(barcode)) if !row.has(Column::Name) => {
                        refuse!("表里缺少列「{title}」，条码 {barcode} 也不是已有商品的")
                    }
                    _ => refuse!("没有填商品名称（{}）", rules::NAME),
                }
            }
            (name, _) => match rules::name(name.unwrap_or_default()) {
                Ok(name) => name,
                Err(problem) => return Ok(Err(problem)),
            },
        };
        if let Some(owner) = owner.as_ref().filter(|owner| owner.deleted) {
            let what = if by_code.by_barcode { "条码" } else { "商家编码" };
            let code = code.or(row.said(Column::Barcode)).unwrap_or_default();
            refuse!("{what} {code} 是回收站里「{}」的：请先还原它，或换一个编码", owner.product_name)
        }
        if let Some(code) = code {
            if let Some(other) = self.codes.insert(code.to_owned(), row.line.clone()) {
                refuse!("商家编码 {code} 与{}重复", spaced(&other));
            }
            match owner {
                Some(owner) if owner.product_name != name => {
                    refuse!("商家编码 {code} 已被其他商品使用（「{}」）；改名请在商品页", owner.product_name)
                }
                _ => {}
            }
        }
        if !self.groups.contains_key(&name) {
            let known = store::product_named(self.conn, &name)?;
            let mut product = known.map(|id| store::product(self.conn, id)).transpose()?.flatten();
            // Every product of the table is held until its last row, and this is long and not looked at.
            product.iter_mut().for_each(|product| product.detail = String::new());
            let group = Group {
                product,
                common: Common::default(),
                line: row.line.clone(),
                taken: Vec::new(),
                rivals: Vec::new(),
            };
            self.groups.insert(name.clone(), group);
        }
        let Some(group) = self.groups.get_mut(&name) else { refuse!("商品名称「{name}」读不出来") };
        let carried = self.carried.by(self.conn, row)?;
        let mut fine = match weigh_in(row, &name, &by_code, group, &self.categories, carried) {
            Ok(fine) => fine,
            refused => return Ok(refused),
        };
        if let Some(Some(barcode)) = fine.deed.barcode.clone() {
            let doubt = |whose: &str| format!("条码 {barcode} 已经是{whose}：扫码时分不清；真要一样的请打勾");
            let other = self.known.other(&barcode, fine.deed.sku)?;
            fine.doubts.extend(other.map(|other| doubt(&format!("「{}」的", other.product_name))));
            let before = self.given.insert(barcode.clone(), row.line.clone());
            fine.beside = before.map(|line| doubt(&format!("{}写的", spaced(&line)))).unwrap_or_default();
        }
        if row.undated
            && let Some((sku, is)) = fine.deed.sku.zip(fine.deed.on_hand)
            && let sold @ 1.. = imports::sold_since_count(self.conn, sku)?
        {
            fine.doubts.push(format!(
                "像是导出的表，却没有最后两列：不知道导出后卖了多少（盘点以来卖了 {sold} 件），勾上会把库存改成 {is}；只改别的请清空库存"
            ));
        }
        if fine.deed.product.is_none() {
            let name = &fine.name;
            if name.contains('\u{fffd}') || name.chars().all(|c| "?？".contains(c)) {
                refuse!("商品名称「{name}」是乱码：请把文件另存成 xlsx 或 UTF-8 的 CSV 再导入")
            }
            fine.doubts.extend(meant_by(name).map(|meant| {
                format!("名称「{name}」像是乱码（多半是「{meant}」）：请把文件另存成 xlsx 再导入；真叫这个的请打勾")
            }));
            fine.doubts.extend(self.crossed(&fine)?);
            let alike = self.alike(&fine.name)?;
            let chosen = if alike.is_none() { self.chosen(&fine.name)? } else { None };
            fine.doubts.extend(
                alike.map(|known| format!("店里有「{known}」：是同一种商品，请照它写名称；真是另一种的请打勾")),
            );
            fine.doubts.extend(chosen.map(|(known, value)| {
                format!("像是店里「{known}」的规格「{value}」：请把名称和规格分开写；真是另一种商品的请打勾")
            }));
        }
        Ok(Ok(fine))
    }

    /// What is asked of rows once all were read, by their places: whether a later one that says something else of the same
    /// goods is right. Those that agree in all but how they name them are not.
    fn beside(&self, rows: &[Row]) -> Vec<(usize, String)> {
        let rivals: Vec<&[String; 2]> = self.groups.values().flat_map(|group| &group.rivals).collect();
        if rivals.is_empty() {
            return Vec::new();
        }
        let places: HashMap<&str, usize> = rows.iter().enumerate().map(|(at, row)| (&*row.line, at)).collect();
        let said = |row: &Row| {
            let naming = [Column::Name, Column::Specs, Column::SkuCode, Column::Barcode];
            let all = WRITTEN.into_iter().filter(|column| !naming.contains(column));
            all.filter_map(|column| row.said(column).map(str::to_owned)).collect::<Vec<_>>()
        };
        let asked = rivals.into_iter().filter_map(|[first, other]| {
            let (at, later) = (*places.get(&**first)?, *places.get(&**other)?);
            let words = format!("{}写的也是这个规格，写得不一样：哪一行对，请只留一行", spaced(other).trim_start());
            (said(&rows[at]) != said(&rows[later])).then_some((at, words))
        });
        asked.collect()
    }

    /// Whether the columns of new goods may be exchanged: they are called what the shop has as a code or a choice, and have
    /// the name of some of its goods where a code or a choice should be.
    fn crossed(&mut self, fine: &Fine) -> Result<Option<String>> {
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
        if let Some(with_other) = self.crossed_elsewhere(fine)? {
            return Ok(Some(with_other));
        }
        if specs::is_one(name) {
            return Ok(Some(format!("名称「{name}」像是规格：{with_specs}")));
        }
        let [(_, value)] = &draft.specs[..] else { return Ok(None) };
        let Some(known) = self.alike(value)? else { return Ok(None) };
        let product = store::product_named(self.conn, &known)?.map(|id| store::product(self.conn, id)).transpose()?;
        let skus = product.flatten().map(|product| product.skus).unwrap_or_default();
        let chosen = skus.iter().flat_map(|sku| &sku.specs).any(|(_, value)| folded(value) == folded(name));
        Ok(chosen.then(|| format!("规格写的是店里的商品「{known}」，名称「{name}」是它的规格：{with_specs}")))
    }

    /// The same of the columns of categories, of barcodes and of what describes goods.
    fn crossed_elsewhere(&mut self, fine: &Fine) -> Result<Option<String>> {
        let (name, draft) = (&fine.name, &fine.deed.draft);
        let category = fine.deed.common.category.as_ref().and_then(|parts| parts.last()).filter(|own| *own != name);
        if let Some(category) = category {
            let is_known = |name: &str| self.categories.iter().any(|known| known.name == name);
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
            let Some(id) = store::product_named(self.conn, &known)? else { continue };
            let skus = store::product(self.conn, id)?.map(|product| product.skus).unwrap_or_default();
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
        let names = match self.names.take() {
            Some(names) => names,
            None => store::names(self.conn)?.into_iter().map(|name| (folded(&name), name)).collect(),
        };
        Ok(self.names.insert(names))
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

fn weigh_in(
    row: &Row,
    name: &str,
    by_code: &ByCode,
    group: &mut Group,
    categories: &[Category],
    carried: Option<&HashMap<SkuId, imports::Carried>>,
) -> Weighed {
    let coded = by_code.owner.as_ref().map(|owner| owner.id);
    let says_more = says_more(row, group.product.as_ref());
    let said = |column: Column| row.said(column).filter(|_| column != Column::Specs || !says_more);
    let written_specs = said(Column::Specs);
    let sku = known_sku(group.product.as_ref(), coded, written_specs, row.by_value)
        .map_err(|n| format!("「{name}」有 {n} 个规格：请在规格或商家编码里写明是哪一个"))?;
    let known = sku.zip(group.product.as_ref());
    // A cell that says what the shop has is not looked at further: it may hold what older rules allowed.
    let now = |column: Column| known.map(|(sku, product)| cell(product, sku, categories, column));
    let said = |column: Column| match column {
        Column::SkuCode => by_code.code.as_deref().or(row.said(column)),
        // It has told which goods are meant, and says no more.
        Column::Barcode => said(column).filter(|_| !by_code.by_barcode),
        _ => said(column),
    };
    let said = |column: Column| said(column).filter(|text| now(column).is_none_or(|now| now != *text));
    let mut problems = Vec::new();
    for (column, what) in [
        (Column::Subtitle, "副标题"),
        (Column::Category, "分类"),
        (Column::Specs, "规格"),
        (Column::SkuCode, CODE),
        (Column::Barcode, BARCODE),
    ] {
        let text = said(column).filter(|text| words::stands_for_more(text));
        problems.extend(text.map(|text| format!("{what}写的是「{text}」：请写出要填的内容，或清空这一格")));
    }
    let mut read = Reading { problems: &mut problems };
    let wanted_specs = said(Column::Specs).and_then(|text| read.kept(specs::read(text)));
    let subtitle = said(Column::Subtitle).and_then(|text| read.kept(rules::subtitle(emptied(text))));
    let category = said(Column::Category).and_then(|text| read.kept(category(emptied(text))));
    let state = said(Column::OnShelf).and_then(|text| read.kept(on_shelf(text)));
    let code =
        said(Column::SkuCode).map(emptied).and_then(|text| read.kept(unspoilt("商家编码", text).and_then(rules::code)));
    let price = said(Column::Price).and_then(|text| read.kept(rules::price(text, "售价", "19.90")));
    let market = said(Column::MarketPrice).and_then(|text| match text {
        EMPTY_IT => Some(None),
        // As tills write it where there is none.
        text => read.kept(rules::price(text, "划线价", "29.90")).map(|price| Some(price).filter(|it| *it > Fen::ZERO)),
    });
    let barcode = said(Column::Barcode).map(|text| whole(emptied(text)));
    let barcode = barcode.and_then(|text| read.kept(unspoilt("条码", text).and_then(rules::barcode)));
    let weight = said(Column::Weight).and_then(|text| read.kept(rules::weight(emptied(text))));
    let cost = said(Column::Cost).and_then(|text| read.kept(rules::cost(emptied(text))));
    let stock = row.said(Column::Stock).and_then(|text| read.kept(rules::stock(text)));
    let then = row.said(Column::StockThen).and_then(|text| read.kept(rules::stock(text)));
    for (column, missing, what) in
        [(Column::Price, price.is_none(), "售价，例如 19.90"), (Column::Stock, stock.is_none(), "库存，例如 10")]
    {
        if sku.is_none() && missing && row.said(column).is_none() {
            let title = TITLES[column as usize][0];
            problems.push(match row.has(column) {
                true => format!("新商品要填{what}"),
                false => format!("表里缺少列「{title}」，新商品要填{what}"),
            });
        }
    }
    if let (Some(State::SoldOut), Some(n @ 1..)) = (state, stock) {
        let written = said(Column::OnShelf).unwrap_or_default();
        problems.push(format!("上架写的是「{written}」，库存却有 {n} 件：请改成一样的"));
    }
    if !problems.is_empty() {
        return Err(problems.join("；"));
    }
    let exported = row.said(Column::AsExported).and_then(Then::read);
    let renamed = exported.as_ref().filter(|_| sku.is_none()).is_some_and(|then| {
        let specs = wanted_specs.as_deref().map(written).unwrap_or_default();
        then.was(Column::Name, name) && then.was(Column::Specs, &specs)
    });
    let exported_at = exported.as_ref().and_then(Then::at);
    let own = exported.zip(sku).filter(|(then, sku)| then.is_of(sku.id));
    let sealed = own.and_then(|(then, _)| then.stock());
    // What it was then has been lost of the table, so nobody knows what was sold since.
    let bare_stock = own.is_some() && then.or(sealed).is_none();
    let altered = sealed.zip(then).filter(|(sealed, then)| sealed != then);
    let then = sealed.or(then);
    let before = sku.and_then(|sku| carried?.get(&sku.id));
    let mut since = Since::of(exported, sku, before);
    let plain = |fen: &Option<Fen>| fen.map(Fen::plain).unwrap_or_default();
    let was = |column: Column| move || known.map(|(sku, product)| cell(product, sku, categories, column));
    let wanted_specs = since.said(Column::Specs, was(Column::Specs), wanted_specs, |is| written(is));
    let subtitle = since.said(Column::Subtitle, was(Column::Subtitle), subtitle, String::clone);
    let category = since.said(Column::Category, was(Column::Category), category, |is| is.join("/"));
    let code = since.said(Column::SkuCode, was(Column::SkuCode), code, |is| is.clone().unwrap_or_default());
    let price = since.said(Column::Price, was(Column::Price), price, |is| is.plain());
    let market = since.said(Column::MarketPrice, was(Column::MarketPrice), market, plain);
    let barcode = since.said(Column::Barcode, was(Column::Barcode), barcode, |is| is.clone().unwrap_or_default());
    let weight = since.said(Column::Weight, was(Column::Weight), weight, |is| grams(*is));
    let cost = since.said(Column::Cost, was(Column::Cost), cost, plain);
    let state = since.said(Column::OnShelf, was(Column::OnShelf), state, |is| yes(*is != State::Off).to_owned());
    let on_shelf = state.map(|state| state != State::Off);
    let specs = match (sku, &wanted_specs) {
        (Some(sku), None) => sku.specs.clone(),
        (Some(sku), Some(specs)) if same_specs(specs, &sku.specs) => sku.specs.clone(),
        // Known by its specification, and not renamed by it.
        (Some(sku), Some(specs)) if coded.is_none() && specs::alike(specs, &sku.specs) => sku.specs.clone(),
        (Some(sku), Some(specs)) if row.by_value => specs::renamed(specs, &sku.specs).ok_or_else(|| {
            let known = written(&sku.specs);
            format!("「{name}」的规格是 {known}，表里只写了「{}」：请照店里的样子写全", specs[0].1)
        })?,
        (_, specs) => specs.clone().unwrap_or_default(),
    };
    if let Some(line) = taken_by(sku, &specs, &group.taken) {
        let words = format!("「{name}」的这个规格在{}已经有了", spaced(line));
        group.rivals.push([line.to_owned(), row.line.clone()]);
        return Err(words);
    }
    fits(name, sku, &specs, group)?;
    let pictures = row.hashes();
    let common = Common {
        subtitle: subtitle.filter(|is| group.product.as_ref().is_none_or(|product| product.subtitle != *is)),
        category: category
            .filter(|is| group.product.as_ref().is_none_or(|product| path(product, categories) != is.join("/"))),
        on_shelf: on_shelf.filter(|is| group.product.as_ref().is_none_or(|product| product.on_shelf != *is)),
    };
    agrees(name, &common, group)?;
    let mut left = Vec::new();
    let written_before = before.and_then(|before| before.stock);
    // Columns that stayed where they were while the others were sorted speak of other goods, and so do those of a copied row.
    let of_others = exported_id_differs(row, sku);
    let then = if of_others { written_before } else { then };
    let on_hand = match (sku, stock, then) {
        (None, stock, _) => stock,
        (Some(sku), Some(stock), Some(then)) if stock == then => {
            left.extend(
                written_before
                    .filter(|before| *before != stock)
                    .map(|before| format!("库存上次导入写的是 {before}，这次又是导出时的 {stock}：不改回去")),
            );
            Some(sku.on_hand)
        }
        (Some(sku), Some(stock), Some(then)) => {
            left.extend(written_before.map(|before| match stock - before {
                0 => format!("库存 {stock} 上次已经导入，不再加减"),
                n @ 1.. => format!("库存上次导入写的是 {before}，这次是 {stock}：只加 {n} 件"),
                n => format!("库存上次导入写的是 {before}，这次是 {stock}：只减 {} 件", -n),
            }));
            Some(sku.on_hand + stock - written_before.unwrap_or(then))
        }
        (Some(_), stock, _) => stock,
    };
    let touched = stock.filter(|stock| sku.is_none() || then != Some(*stock));
    let on_hand = on_hand.filter(|is| sku.is_none_or(|sku| sku.on_hand != *is));
    if let Some(on_hand) = on_hand {
        let reserved = sku.map_or(0, |sku| sku.reserved);
        if on_hand < reserved {
            return Err(format!("「{name}」的库存会是 {on_hand} 件，少于已被订单占用的 {reserved} 件"));
        }
        if on_hand > rules::MOST_STOCK {
            return Err(format!("库存「{on_hand}」太大"));
        }
    }
    // A list of prices says nothing of what is off sale; a row with all that a new specification needs may mean it again.
    let enabled = sku.is_none_or(|sku| sku.enabled || row.said(Column::Price).is_some() && stock.is_some());
    let draft = SkuDraft {
        specs,
        sku_code: code.unwrap_or_else(|| sku.and_then(|sku| sku.sku_code.clone())),
        price: price.or(sku.map(|sku| sku.price)).unwrap_or(Fen::ZERO),
        market_price: market.unwrap_or_else(|| sku.and_then(|sku| sku.market_price)),
        limit_per_order: sku.and_then(|sku| sku.limit_per_order),
        delivery: sku.map_or(Delivery::Express, |sku| sku.delivery),
        weight: weight.unwrap_or_else(|| sku.map_or(0, |sku| sku.weight)),
        enabled,
    };
    let product = group.product.as_ref();
    // What somebody has put together on the product's page is not given up for a table's small pictures.
    let gallery = product.map_or(&[][..], |product| &product.images);
    let (pictures, unused) = match gallery.is_empty() {
        true => (pictures, false),
        false => (Vec::new(), pictures.iter().any(|picture| !gallery.contains(picture))),
    };
    if unused {
        left.push(format!("商品已经有 {} 张图片，表里的没有换上：要换请在商品页", gallery.len()));
    }
    let deed = Deed {
        product: product.map(|product| product.id),
        common,
        sku: sku.map(|sku| sku.id),
        draft,
        barcode,
        cost,
        on_hand,
        pictures,
        kept: exported_at.map(|exported_at| Kept {
            exported_at,
            stock: touched.or(written_before),
            prints: std::mem::take(&mut since.prints),
        }),
    };
    let changes = changes(product, sku, &deed, categories);
    let said_anew = changes.iter().any(|change| change.what == BARCODE);
    left.extend(
        deed.barcode.iter().flatten().filter(|_| said_anew).filter_map(|barcode| rules::barcode_doubt(barcode)),
    );
    group.taken.push((deed.sku, deed.draft.specs.clone(), row.line.clone()));
    if group.common.is_none() && !deed.common.is_none() {
        group.line = row.line.clone();
    }
    let mut doubts = Vec::new();
    // An export of before has no prints, and its stock.
    let exported = row.said(Column::StockThen).is_some() && row.said(Column::AsExported).and_then(Then::read).is_none();
    if renamed || exported && deed.product.is_none() {
        doubts.push("导出时有这个规格，现在没有了：后台把它删了或改了名；真要再新增一个的请打勾".to_owned());
    }
    if of_others && before.is_none() && !changes.is_empty() {
        doubts.push(
            "导出时的样子写的是别的商品：排序时漏了最后两列，或这一行是复制的；库存按写的数改，请逐行核对再打勾"
                .to_owned(),
        );
    }
    if let Some(is) = deed.on_hand.filter(|_| bare_stock) {
        doubts.push(format!(
            "这是导出的表，“导出时库存”却没有了：不知道导出后卖了多少，勾上会把库存改成 {is}；只改别的请清空库存"
        ));
    }
    if let Some((is, (sealed, then))) = deed.on_hand.zip(altered) {
        doubts.push(format!(
            "“导出时库存”写的是 {then}，导出时其实是 {sealed}：库存从 {sealed} 算起，勾上会改成 {is}；只改别的请清空库存"
        ));
    }
    if let Some((sku, stock)) = sku.zip(stock)
        && are_exchanged(deed.draft.price, stock, sku)
    {
        doubts.push(exchanged(sku));
    }
    let said = |what: &str| changes.iter().any(|change| change.what == what);
    let cost = deed.cost.unwrap_or_else(|| sku.and_then(|sku| sku.cost));
    let price = deed.draft.price;
    if let Some(cost) = cost.filter(|cost| price > Fen::ZERO && *cost > price && (said(PRICE) || said(COST))) {
        doubts.push(format!("成本 {} 比售价 {} 高：两列是不是写反了", cost.plain(), price.plain()));
    }
    if sku.is_none() {
        doubts.extend(product.and_then(|product| beside_siblings(price, product)));
    }
    let known = |part: &String| categories.iter().any(|category| category.name == *part);
    let several =
        deed.common.category.iter().flatten().find(|part| part.contains([',', '，', ';', '；']) && !known(part));
    if let Some(several) = several {
        doubts.push(format!("分类「{several}」像是几个分类：一个商品只在一个里；真是一个名字的请打勾"));
    }
    doubts.extend(spoilt_code(&changes));
    let unnamed = || words::is_nothing(name) || words::stands_for_more(name) || !name.contains(char::is_alphabetic);
    if sku.is_none() && unnamed() {
        doubts.push(format!("名称「{name}」像是没有填：真叫这个的请打勾"));
    }
    if sku.is_none() && words::is_example(name) {
        doubts.push(format!("「{name}」像是模板里的示例：真要卖的请打勾"));
    }
    if !since.both.is_empty() {
        doubts.push(format!("导出后在后台改成了 {}：真要照表里改的请打勾", since.both.join("，")));
    }
    if deed.draft.enabled && sku.is_some_and(|sku| !sku.enabled) {
        doubts.push("这个规格在后台停售了：打勾就重新在售".to_owned());
    }
    let Common { subtitle, category, on_shelf } = deed.common.clone();
    group.common.subtitle = subtitle.or(group.common.subtitle.take());
    group.common.category = category.or(group.common.category.take());
    group.common.on_shelf = on_shelf.or(group.common.on_shelf);
    if !since.left.is_empty() {
        left.push(format!("导出后在后台改过、表里没有动的，不改回去：{}", since.left.join("，")));
    }
    if !since.back.is_empty() {
        left.push(format!("上次导入改成的，这次又是导出时的样子，不改回去：{}", since.back.join("，")));
    }
    let before = before.map(|before| before.ran_at);
    Ok(Fine { name: name.to_owned(), changes, doubts, beside: String::new(), left, before, deed })
}

/// Whether a price and a stock are each like the other of the shop's, and unlike their own: their columns may be exchanged.
fn are_exchanged(price: Fen, stock: i64, sku: &Sku) -> bool {
    let ([price, was], [stock, on_hand]) = ([price, sku.price].map(Fen::get), [stock, sku.on_hand].map(|n| 100 * n));
    let near = |one: i64, other: i64| one.max(other) <= 2 * one.min(other);
    let unlike = stock == was || !near(price, was) && !near(stock, on_hand);
    price != was && stock != on_hand && near(stock, was) && near(price, on_hand) && unlike
}

fn exchanged(sku: &Sku) -> String {
    format!("店里的售价是 {}、库存是 {}：售价和库存两列是不是写反了", sku.price.plain(), sku.on_hand)
}

/// A price of a new specification that is far from those of all others of its goods.
fn beside_siblings(price: Fen, product: &Product) -> Option<String> {
    let of_others = || product.skus.iter().filter(|sku| sku.enabled && sku.price > Fen::ZERO).map(|sku| sku.price);
    let far = of_others().all(|other| rules::is_slip(other, price));
    let other = of_others().next().filter(|_| far && price > Fen::ZERO)?;
    Some(words::far_from(price, other))
}

/// Whether a row of an export has beside it what another of the shop's goods was.
fn exported_id_differs(row: &Row, sku: Option<&Sku>) -> bool {
    let then = row.said(Column::AsExported).and_then(Then::read);
    then.zip(sku).is_some_and(|(then, sku)| !then.is_of(sku.id))
}

/// A code that differs from the shop's only by what a spreadsheet does to numbers.
fn spoilt_code(changes: &[Change]) -> Option<String> {
    let Change { what, was, is } = changes.iter().find(|change| [CODE, BARCODE].contains(&change.what))?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let shorter = digits(was)
        && digits(is)
        && was.starts_with('0')
        && was.len() > is.len()
        && was.ends_with(is)
        && was.trim_start_matches('0') == is.trim_start_matches('0');
    // Some programs write noughts in the place of what they lost, others what their own number comes to.
    let rounded = digits(was)
        && digits(is)
        && was.len() == is.len()
        && is.len() > tables::DIGITS
        && was.starts_with(&is[..tables::DIGITS - 1]);
    let power = || {
        let (digits_before, zeros) = was.split_once(['E', 'e'])?;
        let zeros = zeros.trim_start_matches('+').parse::<usize>().ok().filter(|n| *n < 40)?;
        Some(digits(digits_before) && *is == format!("{digits_before}{}", "0".repeat(zeros)))
    };
    let spoilt = is == "0" && !was.is_empty() || shorter || rounded || power().unwrap_or(false);
    spoilt.then(|| format!("{what} {was} 变成 {is}，像是表格软件改掉的：请把这一列设成“文本”格式再填；真要改的请打勾"))
}

/// Finds the goods of which rows speak, whatever else is wrong with these.
pub(super) struct Finder<'c> {
    conn: &'c Connection,
    codes: Codes<'c>,
    /// By name: rows of one product mostly stand together.
    products: HashMap<String, Option<Product>>,
}

impl Finder<'_> {
    pub(super) fn new(conn: &Connection) -> Finder<'_> {
        Finder { conn, codes: Codes::new(conn), products: HashMap::new() }
    }

    pub(super) fn sku(&mut self, row: &Row) -> Result<Option<SkuId>> {
        let by_code = self.codes.by_code(row)?.unwrap_or_default();
        if let Some(owner) = by_code.owner {
            return Ok(Some(owner.id));
        }
        let Some(name) = row.said(Column::Name).and_then(|name| rules::name(name).ok()) else { return Ok(None) };
        if !self.products.contains_key(&name) {
            let known = store::product_named(self.conn, &name)?;
            let mut product = known.map(|id| store::product(self.conn, id)).transpose()?.flatten();
            product.iter_mut().for_each(|product| product.detail = String::new());
            self.products.insert(name.clone(), product);
        }
        let product = self.products[&name].as_ref();
        let specs = row.said(Column::Specs).filter(|_| !says_more(row, product));
        Ok(known_sku(product, None, specs, row.by_value).ok().flatten().map(|sku| sku.id))
    }
}

/// Goods that are sold without a choice are not parted by a column that says their colour.
fn says_more(row: &Row, product: Option<&Product>) -> bool {
    let undivided = |product: &Product| product.skus.iter().all(|sku| sku.specs.is_empty());
    (row.parted || row.by_value) && product.is_some_and(undivided)
}

/// Collects what is wrong with the cells, all of it at once.
struct Reading<'p> {
    problems: &'p mut Vec<String>,
}

impl Reading<'_> {
    fn kept<T>(&mut self, read: std::result::Result<T, String>) -> Option<T> {
        read.map_err(|problem| self.problems.push(problem)).ok()
    }
}

fn emptied(text: &str) -> &str {
    if text == EMPTY_IT { "" } else { text }
}

/// The SKU that a row speaks of: by its code, else by what it says of its specification. `Err` is how many it may be.
fn known_sku<'p>(
    product: Option<&'p Product>,
    coded: Option<SkuId>,
    specs: Option<&str>,
    by_value: bool,
) -> std::result::Result<Option<&'p Sku>, usize> {
    let Some(product) = product else { return Ok(None) };
    if let Some(sku) = product.skus.iter().find(|sku| Some(sku.id) == coded) {
        return Ok(Some(sku));
    }
    let Some(text) = specs else {
        let on_sale: Vec<&Sku> = product.skus.iter().filter(|sku| sku.enabled).collect();
        return match on_sale.iter().find(|sku| sku.specs.is_empty()).or(on_sale.first()) {
            Some(sku) if sku.specs.is_empty() || on_sale.len() == 1 => Ok(Some(sku)),
            Some(_) => Err(on_sale.len()),
            None => Ok(product.skus.iter().find(|sku| sku.specs.is_empty())),
        };
    };
    let read = specs::read(text).unwrap_or_default();
    let exactly = product.skus.iter().find(|sku| written(&sku.specs) == text);
    let same = || product.skus.iter().find(|sku| !read.is_empty() && same_specs(&read, &sku.specs));
    let alike = || {
        let alike: Vec<&Sku> = product.skus.iter().filter(|sku| specs::alike(&read, &sku.specs)).collect();
        alike.first().copied().filter(|_| alike.len() == 1 && !read.is_empty())
    };
    let by_value = || {
        let same: Vec<&Sku> = product.skus.iter().filter(|sku| specs::same_values(&read, &sku.specs)).collect();
        same.first().copied().filter(|_| by_value && same.len() == 1)
    };
    Ok(exactly.or_else(same).or_else(alike).or_else(by_value))
}

/// Where a row before has meant the same goods.
fn taken_by<'t>(sku: Option<&Sku>, specs: &Specs, taken: &'t [(Option<SkuId>, Specs, String)]) -> Option<&'t str> {
    let id = sku.map(|sku| sku.id);
    let mut before = taken.iter();
    let same = before.find(|(other, known, _)| (id.is_some() && *other == id) || same_specs(known, specs));
    same.map(|(_, _, line)| line.as_str())
}

/// A specification has a place among those of its product.
fn fits(name: &str, sku: Option<&Sku>, specs: &Specs, group: &Group) -> std::result::Result<(), String> {
    let id = sku.map(|sku| sku.id);
    let on_sale =
        group.product.iter().flat_map(|product| &product.skus).filter(|sku| sku.enabled && Some(sku.id) != id);
    if sku.is_some_and(|sku| sku.specs == *specs) {
        return Ok(());
    }
    let names = |specs: &Specs| {
        let mut names: Vec<String> = specs.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    };
    for known in on_sale.map(|sku| &sku.specs).chain(group.taken.iter().map(|(_, specs, _)| specs)) {
        if same_specs(known, specs) {
            return Err(format!("「{name}」已经有规格「{}」", written(specs)));
        }
        if names(known) != names(specs) {
            let example = if known.is_empty() { "（没有规格）".to_owned() } else { written(known) };
            return Err(format!("「{name}」各行的规格名称要一致，例如都写 颜色 和 尺码；已有的是 {example}"));
        }
    }
    Ok(())
}

/// What two rows say of one product is the same.
fn agrees(name: &str, common: &Common, group: &Group) -> std::result::Result<(), String> {
    fn differ<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
        one.is_some() && other.is_some() && one != other
    }
    let what = match () {
        () if differ(&common.subtitle, &group.common.subtitle) => "副标题",
        () if differ(&common.category, &group.common.category) => "分类",
        () if differ(&common.on_shelf, &group.common.on_shelf) => "上架",
        () => return Ok(()),
    };
    Err(format!("「{name}」的{what}与{}不同", spaced(&group.line)))
}

/// A place in the middle of a sentence.
fn spaced(line: &str) -> String {
    if line.starts_with('「') { line.to_owned() } else { format!(" {line}") }
}

fn category(text: &str) -> std::result::Result<Vec<String>, String> {
    let parts: Vec<&str> = text.split(['/', '>', '／', '＞']).map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.len() > 2 {
        return Err(format!("分类最多两级，写成 大类/小类，每级 {}", rules::CATEGORY));
    }
    parts.into_iter().map(rules::category).collect()
}

fn on_shelf(text: &str) -> std::result::Result<State, String> {
    shelf::read(text).ok_or_else(|| {
        format!("上架「{text}」不知道是上架还是下架：请写 是 或 否（出售中、已售罄、仓库中、已下架 也认得）")
    })
}

/// What will be different, in the words of the table.
fn changes(product: Option<&Product>, sku: Option<&Sku>, deed: &Deed, categories: &[Category]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |what, was: String, is: String| {
        if was != is {
            changes.push(Change { what, was, is });
        }
    };
    let (common, draft) = (&deed.common, &deed.draft);
    if let Some(is) = &common.subtitle {
        add("副标题", product.map(|p| p.subtitle.clone()).unwrap_or_default(), is.clone());
    }
    if let Some(is) = &common.category {
        add("分类", product.map(|p| path(p, categories)).unwrap_or_default(), is.join("/"));
    }
    if let Some(is) = common.on_shelf {
        add("上架", product.map(|p| yes(p.on_shelf).to_owned()).unwrap_or_default(), yes(is).to_owned());
    }
    let text = |fen: Option<Fen>| fen.map(Fen::plain).unwrap_or_default();
    add("规格", sku.map(|sku| written(&sku.specs)).unwrap_or_default(), written(&draft.specs));
    let code = sku.and_then(|sku| sku.sku_code.clone()).unwrap_or_default();
    add(CODE, code, draft.sku_code.clone().unwrap_or_default());
    add(PRICE, text(sku.map(|sku| sku.price)), draft.price.plain());
    add("划线价", text(sku.and_then(|sku| sku.market_price)), text(draft.market_price));
    if let Some(is) = &deed.barcode {
        add(BARCODE, sku.and_then(|sku| sku.barcode.clone()).unwrap_or_default(), is.clone().unwrap_or_default());
    }
    add("重量", sku.map(|sku| grams(sku.weight)).unwrap_or_default(), grams(draft.weight));
    if let Some(is) = deed.cost {
        add(COST, text(sku.and_then(|sku| sku.cost)), text(is));
    }
    if let Some(is) = deed.on_hand {
        add("库存", sku.map(|sku| sku.on_hand.to_string()).unwrap_or_default(), is.to_string());
    }
    if !deed.pictures.is_empty() {
        let count = |n: usize| if n == 0 { String::new() } else { format!("{n} 张") };
        add(
            "图片",
            product.map(|p| count(p.images.len())).unwrap_or_default(),
            format!("{}（新）", count(deed.pictures.len())),
        );
    }
    if draft.enabled && sku.is_some_and(|sku| !sku.enabled) {
        add("在售", "否".into(), "是".into());
    }
    changes
}
