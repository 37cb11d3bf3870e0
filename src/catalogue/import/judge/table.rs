//! The rows of a table together: rows of one name are one product, and nothing may be said twice.

use std::collections::HashMap;

use rusqlite::Connection;

use super::super::codes::{ByCode, Codes};
use super::super::since::{Carried, Then};
use super::super::store::{self as imports, Origin};
use super::super::{Column, Row, TITLES, WRITTEN, written};
use super::doubts;
use super::goods::{Goods, product_named};
use super::names::Names;
use super::told::Told;
use super::weigh::weigh;
use super::{Fine, Judged, Verdict, Waiting, Weighed, spaced};
use crate::catalogue::{Category, Product, rules, store};
use crate::error::{Error, Result};
use crate::shown::Shown;

/// A product and what the rows before have said of it.
struct Group {
    product: Option<Product>,
    told: Told,
}

struct Judge<'c> {
    conn: &'c Connection,
    categories: Vec<Category>,
    groups: HashMap<String, Group>,
    codes: HashMap<String, String>,
    known: Codes<'c>,
    names: Names<'c>,
    /// Barcodes of the rows before, each with its line.
    given: HashMap<String, String>,
    carried: Carried,
    /// What the shop has, for rows of which nobody knows it by name, once somebody has asked.
    origins: Option<Vec<Origin>>,
}

/// Judges the rows together.
pub fn judge<'r>(conn: &Connection, rows: impl IntoIterator<Item = &'r Row>) -> Result<Vec<Judged>> {
    let mut judge = Judge::new(conn)?;
    rows.into_iter().map(|row| judge.judged(row)).collect()
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
        Ok(mut fine) => {
            judged.verdict = match (&fine.deed.sku, fine.changes.is_empty()) {
                (None, _) => Verdict::New,
                (Some(_), true) => Verdict::Same,
                (Some(_), false) => Verdict::Changed,
            };
            judged.spec = written(&fine.deed.draft.specs);
            fine.doubts.extend(doubts::of_row(row, &fine));
            judged.doubt = fine.doubts.join("；");
            judged.left = fine.left.join("；");
            judged.before = fine.before;
            judged.pictures.clone_from(&fine.deed.pictures);
            (judged.name, judged.changes, judged.beside) = (fine.name, fine.changes, fine.beside);
            judged.deed = Some(Box::new(fine.deed));
        }
    }
    judged
}

/// Why a row gets no further.
enum Halt {
    Refused(String),
    Broken(Error),
}

impl From<String> for Halt {
    fn from(why: String) -> Halt {
        Halt::Refused(why)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Broken(error)
    }
}

impl Judge<'_> {
    fn new(conn: &Connection) -> Result<Judge<'_>> {
        Ok(Judge {
            conn,
            categories: store::categories(conn)?,
            groups: HashMap::new(),
            codes: HashMap::new(),
            known: Codes::new(conn),
            names: Names::new(conn),
            given: HashMap::new(),
            carried: Carried::default(),
            origins: None,
        })
    }

    fn judged(&mut self, row: &Row) -> Result<Judged> {
        match self.weighed(row) {
            Ok(fine) => Ok(judged(row, Ok(fine))),
            Err(Halt::Refused(why)) => Ok(judged(row, Err(why))),
            Err(Halt::Broken(error)) => Err(error),
        }
    }

    fn weighed(&mut self, row: &Row) -> std::result::Result<Fine, Halt> {
        if !row.problems.is_empty() {
            return Err(row.problems.join("；").into());
        }
        let by_code = self.known.by_code(row)??;
        let name = name(row, &by_code)?;
        self.has_code_of_its_own(row, &name, &by_code)?;
        let mut fine = self.by_itself(row, &name, &by_code)?;
        self.ask_about_barcode(row, &mut fine)?;
        self.ask_about_sales(row, &mut fine)?;
        self.ask_about_origin(row, &mut fine)?;
        if fine.deed.product.is_none() {
            let doubts = self.names.doubts(&fine, &self.categories)??;
            fine.doubts.extend(doubts);
        }
        Ok(fine)
    }

    /// Its code is no other goods', and no other row's.
    fn has_code_of_its_own(&mut self, row: &Row, name: &str, by_code: &ByCode) -> std::result::Result<(), String> {
        let (code, owner) = (by_code.code.as_deref(), &by_code.owner);
        if let Some(owner) = owner.as_ref().filter(|owner| owner.deleted) {
            let what = if by_code.by_barcode { "条码" } else { "商家编码" };
            let code = code.or(row.said(Column::Barcode)).unwrap_or_default();
            return Err(format!("{what} {code} 是回收站里「{}」的：请先还原它，或换一个编码", owner.product_name));
        }
        let Some(code) = code else { return Ok(()) };
        if let Some(other) = self.codes.insert(code.to_owned(), row.line.clone()) {
            return Err(format!("商家编码 {code} 与{}重复", spaced(&other)));
        }
        match owner {
            Some(owner) if owner.product_name != name => {
                Err(format!("商家编码 {code} 已被其他商品使用（「{}」）；改名请在商品页", owner.product_name))
            }
            _ => Ok(()),
        }
    }

    /// What it makes of its goods, after the rows that spoke of the same product.
    fn by_itself(&mut self, row: &Row, name: &str, by_code: &ByCode) -> std::result::Result<Fine, Halt> {
        if !self.groups.contains_key(name) {
            let group = Group { product: product_named(self.conn, name)?, told: Told::new(row) };
            self.groups.insert(name.to_owned(), group);
        }
        let Some(group) = self.groups.get_mut(name) else {
            return Err(format!("商品名称「{name}」读不出来").into());
        };
        let carried = self.carried.by(self.conn, row)?;
        let goods = Goods::meant(row, name, by_code, group.product.as_ref(), &self.categories)?;
        Ok(weigh(&goods, &mut group.told, carried)?)
    }

    /// A barcode that other goods have, or that a row before has given.
    fn ask_about_barcode(&mut self, row: &Row, fine: &mut Fine) -> Result<()> {
        let Some(Some(barcode)) = fine.deed.barcode.clone() else { return Ok(()) };
        let doubt = |whose: &str| format!("条码 {barcode} 已经是{whose}：扫码时分不清；真要一样的请打勾");
        let other = self.known.other(&barcode, fine.deed.sku)?;
        fine.doubts.extend(other.map(|other| doubt(&format!("「{}」的", other.product_name))));
        let before = self.given.insert(barcode.clone(), row.line.clone());
        let beside = before.map(|line| doubt(&format!("{}写的", spaced(&line))));
        let both = [beside.unwrap_or_default(), std::mem::take(&mut fine.beside)];
        fine.beside = both.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("；");
        Ok(())
    }

    /// A row of an export that would make something new: what it was is mostly still there, under the name that somebody has
    /// changed in the table, or beside which other columns were sorted.
    fn ask_about_origin(&mut self, row: &Row, fine: &mut Fine) -> Result<()> {
        let Some(then) = row.said(Column::AsExported).and_then(Then::read).filter(|_| fine.deed.sku.is_none()) else {
            return Ok(());
        };
        let (name, specs) = (&fine.name, written(&fine.deed.draft.specs));
        if then.was(Column::Name, name) && then.was(Column::Specs, &specs) {
            return Ok(());
        }
        if self.origins.is_none() {
            self.origins = Some(imports::origins(self.conn)?);
        }
        let mut all = self.origins.iter().flatten();
        let origin = all.find(|(sku, was, _)| then.is_of(*sku) && then.was(Column::Name, was));
        fine.doubts.push(match origin {
            Some((_, was, specs)) if was == name => {
                let specs = if specs.is_empty() {
                    "没有规格".to_owned()
                } else {
                    format!("规格是「{}」", written(specs))
                };
                format!("导出时这一行{specs}：改规格请在商品页；真要另加一个规格的请打勾")
            }
            Some((_, was, _)) if fine.deed.product.is_some() => format!(
                "导出时这一行是「{was}」：改名请在商品页，只排了几列的请重新排；真要给「{name}」另加一个规格的请打勾"
            ),
            Some((_, was, _)) => {
                format!("导出时这一行是「{was}」：改名请在商品页；真要另加一种商品的请打勾，库存会再算一份")
            }
            None => "导出时的样子写的是别的商品，或者改了名：改名、改规格请在商品页；真要新增的请打勾".to_owned(),
        });
        Ok(())
    }

    /// A stock of an export that does not say of when.
    fn ask_about_sales(&self, row: &Row, fine: &mut Fine) -> Result<()> {
        if row.undated
            && let Some((sku, is)) = fine.deed.sku.zip(fine.deed.on_hand)
            && let sold @ 1.. = imports::sold_since_count(self.conn, sku)?
        {
            fine.doubts.push(format!(
                "像是导出的表，却没有最后两列：不知道导出后卖了多少（盘点以来卖了 {sold} 件），勾上会把库存改成 {is}；只改别的请清空库存"
            ));
        }
        Ok(())
    }

    /// What is asked of rows once all were read, by their places: whether a later one that says something else of the same
    /// goods is right. Those that agree in all but how they name them are not.
    fn beside(&self, rows: &[Row]) -> Vec<(usize, String)> {
        let rivals: Vec<&[String; 2]> = self.groups.values().flat_map(|group| &group.told.rivals).collect();
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
}

/// What its product is called: as it says, or as the shop calls what its code means.
fn name(row: &Row, by_code: &ByCode) -> std::result::Result<String, String> {
    if let Some(name) = row.said(Column::Name) {
        return rules::name(name);
    }
    if let Some(owner) = &by_code.owner {
        return Ok(owner.product_name.clone());
    }
    let title = TITLES[Column::Name as usize][0];
    Err(match (by_code.code.as_deref(), row.said(Column::Barcode)) {
        (Some(code), _) if !row.has(Column::Name) => {
            format!("表里缺少列「{title}」，商家编码 {code} 也不是已有商品的")
        }
        (None, Some(barcode)) if !row.has(Column::Name) => {
            format!("表里缺少列「{title}」，条码 {barcode} 也不是已有商品的")
        }
        _ => format!("没有填商品名称（{}）", rules::NAME),
    })
}
