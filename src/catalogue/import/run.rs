//! Carrying a table out: judged once more inside the transaction that writes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::judge::{Common, Deed, Judged, Kept, Verdict, Waiting, judge};
use super::store::{self as imports, Import};
use super::{Again, Plan, Row, again};
use crate::catalogue::rules::MOST_IMAGES;
use crate::catalogue::stock;
use crate::catalogue::store::{self, Draft, SkuDraft};
use crate::clock;
use crate::db::{DbError, Tx};
use crate::error::{Code, Error, Result};
use crate::ids::{CategoryId, ImageHash, ProductId, StaffId};
use crate::shop::Shop;

/// So many changes are told one by one.
const TOLD: usize = 20;

/// How much was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub products: usize,
    pub skus: usize,
    /// Products that are new.
    pub added: usize,
    /// Rows that said what the shop has already.
    pub same: usize,
    /// What was changed, in sentences; the first of them.
    pub changes: Vec<String>,
}

impl Done {
    fn add(&mut self, more: Done) {
        self.products += more.products;
        self.skus += more.skus;
        self.added += more.added;
        self.same += more.same;
        let room = TOLD.saturating_sub(self.changes.len());
        self.changes.extend(more.changes.into_iter().take(room));
    }
}

/// Rows of one transaction, and a product's rows beyond: others wait for it, and it may not take long.
const AT_ONCE: usize = 1_000;
/// So many can be written all or nothing.
const MOST_WHOLE: usize = 20_000;

/// What somebody has said yes to, before anything was asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agreed {
    /// To differences in stock that were added already.
    pub again: bool,
    /// To rows that a page would not tick by itself.
    pub doubts: bool,
}

/// Why a table changed nothing, in sentences.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped {
    /// What is wrong with it.
    Wrong(Vec<String>),
    /// What somebody should say yes to first: that its differences in stock were added already.
    Again(String),
    /// The same of rows, each with its line.
    Doubts(Vec<String>),
}

impl From<Stopped> for String {
    fn from(stopped: Stopped) -> String {
        match stopped {
            Stopped::Wrong(sentences) | Stopped::Doubts(sentences) => sentences.join("\n"),
            Stopped::Again(sentence) => sentence,
        }
    }
}

/// Imports everything or nothing, and keeps the table beside those that were brought to the console. `who` did it.
pub async fn apply(shop: &Shop, plan: Plan, who: &str, agreed: Agreed) -> std::result::Result<Done, Stopped> {
    if plan.rows.len() > MOST_WHOLE {
        return Err(Stopped::Wrong(vec![format!(
            "这样一次最多导入 {MOST_WHOLE} 行，要么全部成功，要么全部不改：更多的请在后台导入，或拆成几个文件"
        )]));
    }
    let who = who.to_owned();
    let write = move |tx: &Tx| {
        let judged = judge(tx, &plan.rows)?;
        if let Some(stopped) = stopped(tx, &plan, &judged, agreed)? {
            return Ok(Err(stopped));
        }
        for picture in &plan.pictures {
            picture.store(tx)?;
        }
        let id = imports::insert(tx, &who, &plan.notes, &plan.rows)?;
        let done = carry_out(tx, judged.iter(), None)?;
        for (at, one) in judged.iter().enumerate().filter(|(_, one)| one.verdict != Verdict::Same) {
            imports::put_done(tx, id, at, &became(one))?;
        }
        imports::set_ran(tx, id)?;
        Ok(Ok(done))
    };
    shop.write_large(write).await.unwrap_or_else(|e| Err(Stopped::Wrong(vec![e.message()])))
}

/// Why a table may not be carried out as it is.
fn stopped(tx: &Tx, plan: &Plan, judged: &[Judged], agreed: Agreed) -> Result<Option<Stopped>> {
    let problems = problems(judged);
    if !problems.is_empty() {
        return Ok(Some(Stopped::Wrong(problems)));
    }
    let again = if agreed.again { None } else { again(tx, None, &plan.rows)? };
    if let Some(Again { ran_at, rows }) = again {
        let lines: Vec<&str> = rows.iter().take(TOLD).map(|at| plan.rows[*at].line.as_str()).collect();
        let more = if rows.len() > lines.len() { " 等" } else { "" };
        return Ok(Some(Stopped::Again(format!(
            "有 {} 行的库存差额 {} 已经导入过：{}{more}",
            rows.len(),
            clock::shown(ran_at),
            lines.join("、")
        ))));
    }
    let asked = judged.iter().filter(|one| !agreed.doubts && one.is_doubtful());
    let doubts: Vec<String> =
        asked.map(|one| format!("{}：「{}」{}{}", one.line, one.name, one.doubt, one.beside)).collect();
    Ok((!doubts.is_empty()).then_some(Stopped::Doubts(doubts)))
}

/// Why rows are refused, each with its line; rows with the same cause together.
fn problems(judged: &[Judged]) -> Vec<String> {
    let mut causes: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in judged.iter().filter(|one| one.verdict == Verdict::Refused) {
        match causes.iter_mut().find(|(note, _)| *note == one.note) {
            Some((_, lines)) => lines.push(&one.line),
            None => causes.push((&one.note, vec![&one.line])),
        }
    }
    causes.into_iter().map(|(note, lines)| format!("{}：{note}", lines.join("、"))).collect()
}

/// What came of carrying a table out.
#[derive(Debug, Default)]
pub struct Ran {
    pub done: Done,
    /// Why the rest was left as it is.
    pub stopped: Option<Error>,
}

/// Carries rows out as they were shown, a few products in each transaction, with `also` in it, which says who did it.
/// It ends where a row has become another one in the meantime.
pub async fn run(
    shop: &Shop,
    import: &Import,
    chosen: Vec<Waiting>,
    staff: StaffId,
    also: impl Fn(&Tx, &Done) -> Result<()> + Clone + Send + 'static,
) -> Result<Ran> {
    let (id, mut ran) = (import.id, Ran::default());
    for some in by_product(chosen) {
        let rows: Vec<(usize, u64, Row)> =
            some.iter().map(|one| (one.at, one.mark, import.rows[one.at].clone())).collect();
        let also = also.clone();
        let write = move |tx: &Tx| {
            let judged = judge(tx, rows.iter().map(|(_, _, row)| row))?;
            let same = |(one, (_, mark, _)): (&Judged, &(usize, u64, Row))| one.mark() == *mark;
            if !judged.iter().zip(&rows).all(same) {
                return Err(Error::from(Code::OrderState).says("后面的行刚刚变了，没有导入：请再看一遍，再点一次"));
            }
            let done = carry_out(tx, judged.iter(), Some(staff))?;
            for (one, (at, _, _)) in judged.iter().zip(&rows) {
                imports::put_done(tx, id, *at, &became(one))?;
            }
            imports::set_ran(tx, id)?;
            also(tx, &done)?;
            Ok(done)
        };
        match shop.write_large(write).await {
            Ok(done) => ran.done.add(done),
            Err(e) if e.code == Code::Internal => return Err(e),
            Err(e) => {
                ran.stopped = Some(e);
                break;
            }
        }
    }
    Ok(ran)
}

/// The rows of a product together, products in their order, cut into so many as one transaction takes.
fn by_product(mut rows: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut first: HashMap<String, usize> = HashMap::new();
    for (n, one) in rows.iter().enumerate() {
        first.entry(one.name.clone()).or_insert(n);
    }
    rows.sort_by_key(|one| first[&one.name]);
    let mut parts: Vec<Vec<Waiting>> = Vec::new();
    for one in rows {
        match parts.last_mut() {
            Some(part) if part.len() < AT_ONCE || part.last().is_some_and(|last| last.name == one.name) => {
                part.push(one)
            }
            _ => parts.push(vec![one]),
        }
    }
    parts
}

fn became(one: &Judged) -> String {
    match one.verdict {
        Verdict::New => "已新增".to_owned(),
        _ => format!("已修改：{}", told(one)),
    }
}

fn told(one: &Judged) -> String {
    let changes = one.changes.iter().map(|change| match change.was.as_str() {
        "" => format!("{} {}", change.what, change.is),
        was => format!("{} {was} → {}", change.what, if change.is.is_empty() { "（空）" } else { &change.is }),
    });
    changes.collect::<Vec<_>>().join("，")
}

fn carry_out<'j>(tx: &Tx, judged: impl Iterator<Item = &'j Judged>, staff: Option<StaffId>) -> Result<Done> {
    let mut done = Done::default();
    let mut made: HashMap<&str, ProductId> = HashMap::new();
    let mut pictures: BTreeMap<ProductId, Vec<ImageHash>> = BTreeMap::new();
    let mut touched: BTreeSet<ProductId> = BTreeSet::new();
    // What was last written of each product: its rows mostly say the same.
    let mut said: HashMap<ProductId, &Common> = HashMap::new();
    for one in judged {
        let Some(deed) = one.deed.as_deref() else { continue };
        if one.verdict == Verdict::Same {
            done.same += 1;
            continue;
        }
        let id = match deed.product.or_else(|| made.get(one.name.as_str()).copied()) {
            Some(id) => {
                let first = touched.insert(id);
                if !deed.common.is_none() && said.get(&id) != Some(&&deed.common) {
                    update(tx, id, deed)?;
                    said.insert(id, &deed.common);
                } else if first {
                    store::touch(tx, id)?;
                    store::make_own(tx, id)?;
                }
                id
            }
            None => {
                let id = insert(tx, &one.name, deed)?;
                done.added += 1;
                touched.insert(id);
                said.insert(id, &deed.common);
                made.insert(&one.name, id);
                id
            }
        };
        put(tx, id, one, deed, staff)?;
        pictures.entry(id).or_default().extend(deed.pictures.iter().cloned());
        done.skus += 1;
        if (one.verdict == Verdict::Changed || one.is_doubtful()) && done.changes.len() < TOLD {
            done.changes.push(format!("{}：「{}」{}", one.line, one.name, told(one)));
        }
    }
    for (id, mut hashes) in pictures.into_iter().filter(|(_, hashes)| !hashes.is_empty()) {
        let mut seen = BTreeSet::new();
        hashes.retain(|hash| seen.insert(hash.to_string()));
        hashes.truncate(MOST_IMAGES);
        store::set_images(tx, id, &hashes)?;
    }
    for id in &touched {
        store::refresh_prices(tx, *id)?;
    }
    done.products = touched.len();
    Ok(done)
}

fn category(tx: &Tx, path: &[String]) -> Result<Option<CategoryId>> {
    let mut parent: Option<CategoryId> = None;
    for part in path {
        parent = Some(store::category_named(tx, parent, part)?);
    }
    Ok(parent)
}

fn insert(tx: &Tx, name: &str, deed: &Deed) -> Result<ProductId> {
    let common = &deed.common;
    let draft = Draft {
        category_id: category(tx, common.category.as_deref().unwrap_or_default())?,
        name: name.to_owned(),
        subtitle: common.subtitle.clone().unwrap_or_default(),
        on_shelf: common.on_shelf.unwrap_or(true),
        ..Draft::default()
    };
    Ok(store::insert_product(tx, &draft)?)
}

fn update(tx: &Tx, id: ProductId, deed: &Deed) -> Result<()> {
    let known = store::product(tx, id)?.ok_or(Code::Internal)?;
    let mut draft = Draft::of(&known);
    if let Some(path) = &deed.common.category {
        draft.category_id = category(tx, path)?;
    }
    draft.subtitle = deed.common.subtitle.clone().unwrap_or(draft.subtitle);
    draft.on_shelf = deed.common.on_shelf.unwrap_or(draft.on_shelf);
    let written = store::update_product(tx, id, known.version, &draft)?;
    // It was judged in this transaction, and what lies in the recycle bin is refused there.
    Ok(DbError::unless(written, "a product that was just judged cannot be written")?)
}

fn put(tx: &Tx, id: ProductId, one: &Judged, deed: &Deed, staff: Option<StaffId>) -> Result<()> {
    let line = &one.line;
    let written = match deed.sku {
        Some(sku) => store::update_sku(tx, sku, &deed.draft).map(|()| sku),
        None => store::put_sku(tx, id, &deed.draft),
    };
    let sku = written.map_err(|e| taken_code(e, line, &deed.draft))?;
    if let Some(barcode) = &deed.barcode {
        store::set_barcode(tx, sku, barcode.as_deref())?;
    }
    if let Some(cost) = deed.cost {
        store::set_cost(tx, sku, cost)?;
    }
    if let Some(on_hand) = deed.on_hand
        && !stock::adjust(tx, sku, on_hand, staff, "导入")?
    {
        let words = format!("{line}：「{}」的库存少于已被订单占用的数量", one.name);
        return Err(Error::from(Code::ValidationFailed).says(words));
    }
    if let Some(Kept { exported_at, stock, prints }) = &deed.kept {
        imports::put_carried(tx, *exported_at, sku, *stock, prints)?;
    }
    Ok(())
}

fn taken_code(e: rusqlite::Error, line: &str, sku: &SkuDraft) -> Error {
    match (&e, &sku.sku_code) {
        (rusqlite::Error::SqliteFailure(cause, _), Some(code))
            if cause.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            let words = format!("{line}：商家编码 {code} 已被其他商品使用");
            Error::from(Code::ValidationFailed).says(words)
        }
        _ => e.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_products_rows_stay_together_however_long_the_table_is() {
        let row = |at, name: &str| Waiting {
            at,
            name: name.to_owned(),
            verdict: Verdict::New,
            mark: 0,
            new_goods: true,
            doubtful: false,
            before: None,
            judged: None,
        };
        let mut rows: Vec<Waiting> = (0..AT_ONCE).map(|at| row(at, "杯")).collect();
        rows.insert(1, row(7, "壶"));
        rows.push(row(8, "壶"));
        rows.push(row(9, "杯"));
        let parts = by_product(rows);
        let names = |part: &Vec<Waiting>| part.iter().map(|one| one.name.clone()).collect::<BTreeSet<_>>();
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [AT_ONCE + 1, 2]);
        assert!(parts.iter().all(|part| names(part).len() == 1));
    }
}
