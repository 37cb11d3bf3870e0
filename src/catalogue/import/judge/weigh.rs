//! What one row makes of its goods: every refusal first, then what is to be written.

use std::collections::HashMap;

use super::super::cells::{grams, path, yes};
use super::super::shelf::State;
use super::super::since::Since;
use super::super::specs::{self, Specs};
use super::super::store::Carried;
use super::super::{Column, written};
use super::doubts::Doubts;
use super::goods::Goods;
use super::moment::Moment;
use super::said::Said;
use super::told::Told;
use super::{BARCODE, CODE, COST, Change, Common, Deed, Fine, Kept, PRICE, Weighed};
use crate::catalogue::store::SkuDraft;
use crate::catalogue::{Delivery, rules, same_specs};
use crate::ids::{ImageHash, SkuId};
use crate::money::Fen;

pub(super) fn weigh(goods: &Goods, told: &mut Told, carried: Option<&HashMap<SkuId, Carried>>) -> Weighed {
    let said = Said::read(goods)?;
    let moment = Moment::of(goods, &said, carried);
    let mut since = moment.since(goods);
    let mut said = said.since(&mut since, goods);
    let specs = specs(goods, said.specs.take())?;
    told.means_others(goods, &specs)?;
    told.fits(goods, &specs)?;
    let [near, beside] = told.near(goods, &specs);
    let common = common(goods, &mut said);
    told.agrees(goods.name, &common)?;
    let stock = stock(goods, &moment, said.stock)?;
    let (pictures, unused) = pictures(goods);
    let deed = Deed {
        product: goods.product.map(|product| product.id),
        common,
        sku: goods.sku.map(|sku| sku.id),
        barcode: said.barcode.take(),
        cost: said.cost,
        on_hand: stock.on_hand,
        pictures,
        kept: moment.at().map(|exported_at| Kept {
            exported_at,
            stock: stock.kept,
            prints: std::mem::take(&mut since.prints),
        }),
        draft: draft(goods, said, specs),
    };
    told.note(goods.row, &deed);
    let changes = changes(goods, &deed);
    let doubts = Doubts { goods, moment: &moment, deed: &deed, changes: &changes };
    let mut doubts = doubts.told(stock.said, &since.both);
    doubts.extend(near);
    let left = [stock.left, unused, unused_spec(goods, &moment, &changes)]
        .into_iter()
        .flatten()
        .chain(odd_barcode(&deed, &changes))
        .chain(stays(&since));
    let (name, left, before) = (goods.name.to_owned(), left.collect(), moment.before.map(|before| before.ran_at));
    Ok(Fine { name, changes, doubts, beside: beside.unwrap_or_default(), left, before, deed })
}

/// The specification that results.
fn specs(goods: &Goods, said: Option<Specs>) -> Result<Specs, String> {
    let Some(sku) = goods.sku else { return Ok(said.unwrap_or_default()) };
    let Some(said) = said.filter(|said| !same_specs(said, &sku.specs)) else { return Ok(sku.specs.clone()) };
    // Known by its specification, and not renamed by it.
    if !goods.are_coded() && specs::alike(&said, &sku.specs) {
        return Ok(sku.specs.clone());
    }
    if !goods.row.by_value {
        return Ok(said);
    }
    specs::renamed(&said, &sku.specs).ok_or_else(|| {
        let known = written(&sku.specs);
        format!("「{}」的规格是 {known}，表里只写了「{}」：请照店里的样子写全", goods.name, said[0].1)
    })
}

/// What the row changes of its product as a whole.
fn common(goods: &Goods, said: &mut Said) -> Common {
    let Goods { product, categories, .. } = *goods;
    let (subtitle, category) = (said.subtitle.take(), said.category.take());
    let on_shelf = said.state.map(|state| state != State::Off);
    Common {
        subtitle: subtitle.filter(|is| product.is_none_or(|product| product.subtitle != *is)),
        category: category.filter(|is| product.is_none_or(|product| path(product, categories) != is.join("/"))),
        on_shelf: on_shelf.filter(|is| product.is_none_or(|product| product.on_shelf != *is)),
    }
}

/// The stock that results.
struct Stock {
    /// As the row writes it.
    said: Option<i64>,
    /// `None` where it stays as it is.
    on_hand: Option<i64>,
    /// What is kept of it, where the table is an export.
    kept: Option<i64>,
    /// What of a table that was carried out before is not done again.
    left: Option<String>,
}

/// What was sold since an export is not undone, and what was carried out of it not done twice.
fn stock(goods: &Goods, moment: &Moment, said: Option<i64>) -> Result<Stock, String> {
    let before = moment.before.and_then(|before| before.stock);
    let reserved = goods.sku.map(|sku| sku.reserved).filter(|n| goods.row.without_reserved && *n > 0).unwrap_or(0);
    let sellable = said.filter(|_| reserved > 0);
    let said = said.map(|said| said + reserved);
    let (on_hand, left) = match (goods.sku, said, moment.stock) {
        (Some(sku), Some(said), Some(then)) if said == then => (
            Some(sku.on_hand),
            before
                .filter(|before| *before != said)
                .map(|before| format!("库存上次导入写的是 {before}，这次又是导出时的 {said}：不改回去")),
        ),
        (Some(sku), Some(said), Some(then)) => (
            Some(sku.on_hand + said - before.unwrap_or(then)),
            before.map(|before| match said - before {
                0 => format!("库存 {said} 上次已经导入，不再加减"),
                n @ 1.. => format!("库存上次导入写的是 {before}，这次是 {said}：只加 {n} 件"),
                n => format!("库存上次导入写的是 {before}，这次是 {said}：只减 {} 件", -n),
            }),
        ),
        (_, said, _) => (said, None),
    };
    let on_hand = on_hand.filter(|is| goods.sku.is_none_or(|sku| sku.on_hand != *is));
    let touched = said.filter(|said| goods.sku.is_none() || moment.stock != Some(*said));
    on_hand.map_or(Ok(()), |on_hand| is_possible(goods, on_hand))?;
    let added = || sellable.map(|n| format!("可售 {n} 件，加上订单占用的 {reserved} 件，库存是 {}", n + reserved));
    let left = left.or_else(added);
    Ok(Stock { said, on_hand, kept: touched.or(before), left })
}

fn is_possible(goods: &Goods, on_hand: i64) -> Result<(), String> {
    let reserved = goods.sku.map_or(0, |sku| sku.reserved);
    if on_hand < reserved {
        return Err(format!("「{}」的库存会是 {on_hand} 件，少于已被订单占用的 {reserved} 件", goods.name));
    }
    if on_hand > rules::MOST_STOCK {
        return Err(format!("库存「{on_hand}」太大"));
    }
    Ok(())
}

fn draft(goods: &Goods, said: Said, specs: Specs) -> SkuDraft {
    let Goods { row, sku, .. } = *goods;
    SkuDraft {
        specs,
        sku_code: said.code.unwrap_or_else(|| sku.and_then(|sku| sku.sku_code.clone())),
        price: said.price.or(sku.map(|sku| sku.price)).unwrap_or(Fen::ZERO),
        market_price: said.market_price.unwrap_or_else(|| sku.and_then(|sku| sku.market_price)),
        limit_per_order: sku.and_then(|sku| sku.limit_per_order),
        delivery: sku.map_or(Delivery::Express, |sku| sku.delivery),
        weight: said.weight.unwrap_or_else(|| sku.map_or(0, |sku| sku.weight)),
        // A list of prices says nothing of what is off sale; a row with all that a new specification needs may mean it again.
        enabled: sku.is_none_or(|sku| sku.enabled || row.said(Column::Price).is_some() && said.stock.is_some()),
    }
}

/// The pictures that the row brings, and what is said where they are not taken: what somebody has put together on the
/// product's page is not given up for a table's small ones.
fn pictures(goods: &Goods) -> (Vec<ImageHash>, Option<String>) {
    let pictures = goods.row.hashes();
    let gallery = goods.product.map_or(&[][..], |product| &product.images);
    if gallery.is_empty() {
        return (pictures, None);
    }
    let unused = pictures.iter().any(|picture| !gallery.contains(picture));
    let words = || format!("商品已经有 {} 张图片，表里的没有换上：要换请在商品页", gallery.len());
    (Vec::new(), unused.then(words))
}

/// A specification of goods that have none, where their code has told which they are, or their own export: it is not written.
fn unused_spec(goods: &Goods, moment: &Moment, changes: &[Change]) -> Option<String> {
    let is_said = if changes.is_empty() { moment.is_own } else { goods.are_coded() };
    let spec = goods.idle_spec().filter(|_| is_said)?;
    Some(format!("这个商品在店里没有规格，表里的“{spec}”没有写进去：要写规格请在商品页"))
}

/// What is odd about a barcode that the shop does not have yet.
fn odd_barcode(deed: &Deed, changes: &[Change]) -> Option<String> {
    let barcode = deed.barcode.as_ref()?.as_deref()?;
    changes.iter().any(|change| change.what == BARCODE).then(|| rules::barcode_doubt(barcode)).flatten()
}

/// What stays as it was made after the export.
fn stays(since: &Since) -> impl Iterator<Item = String> {
    let by_whom =
        [("导出后在后台改过、表里没有动的", &since.left), ("上次导入改成的，这次又是导出时的样子", &since.back)];
    let told = by_whom.into_iter().filter(|(_, cells)| !cells.is_empty());
    told.map(|(why, cells)| format!("{why}，不改回去：{}", cells.join("，")))
}

/// What will be different, in the words of the table.
fn changes(goods: &Goods, deed: &Deed) -> Vec<Change> {
    let Goods { product, sku, categories, .. } = *goods;
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
