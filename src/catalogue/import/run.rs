//! Carrying a table out: judged once more inside the transaction, and written in one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::judge::{Common, Deed, Judged, Verdict, judge};
use super::{Plan, Row};
use crate::catalogue::rules::MOST_IMAGES;
use crate::catalogue::stock;
use crate::catalogue::store::{self, Draft, SkuDraft};
use crate::db::Tx;
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

/// Imports everything or nothing. `Err` names every bad row by its line.
pub async fn apply(shop: &Shop, plan: Plan) -> std::result::Result<Done, String> {
    let write = move |tx: &Tx| {
        for picture in &plan.pictures {
            picture.store(tx)?;
        }
        let judged = judge(tx, &plan.rows)?;
        let problems = problems(&judged);
        if !problems.is_empty() {
            return Err(Error::from(Code::ValidationFailed).says(problems.join("\n")));
        }
        carry_out(tx, judged.iter(), None)
    };
    shop.write_large(write).await.map_err(|e| e.message())
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

/// Carries out what can be of these rows, as they were judged in this transaction, and marks them.
pub fn run(tx: &Tx, rows: &mut [Row], chosen: &[(usize, Judged)], staff: StaffId) -> Result<Done> {
    let done = carry_out(tx, chosen.iter().map(|(_, one)| one), Some(staff))?;
    for (at, one) in chosen {
        match one.verdict {
            Verdict::New => rows[*at].done = Some("已新增".to_owned()),
            Verdict::Changed => rows[*at].done = Some(format!("已修改：{}", told(one))),
            Verdict::Same | Verdict::Refused => {}
        }
    }
    Ok(done)
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
        let Some(deed) = &one.deed else { continue };
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
        if one.verdict == Verdict::Changed && done.changes.len() < TOLD {
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
    store::update_product(tx, id, known.version, &draft)?;
    Ok(())
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
        let words = format!("{line}：「{}」的库存少于已被订单占用的数量，没有导入任何商品", one.name);
        return Err(Error::from(Code::ValidationFailed).says(words));
    }
    Ok(())
}

fn taken_code(e: rusqlite::Error, line: &str, sku: &SkuDraft) -> Error {
    match (&e, &sku.sku_code) {
        (rusqlite::Error::SqliteFailure(cause, _), Some(code))
            if cause.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            let words = format!("{line}：商家编码 {code} 已被其他商品使用，没有导入任何商品");
            Error::from(Code::ValidationFailed).says(words)
        }
        _ => e.into(),
    }
}
