//! Stock for staff: what is there, counted anew with a reason, and every move that led to it.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::assets;
use crate::catalogue::stock::{self, store as moves};
use crate::catalogue::{Product, Sku, rules, store};
use crate::clock;
use crate::console::lengths::STOCK_NOTE;
use crate::console::undo::{self, Step};
use crate::console::{Frame, back_undoable, cut, framed, waiting};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::{ProductId, SkuId};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role, Staff};
use crate::typed::{bare, whole};

pub fn routes() -> Vec<Route> {
    routes![page, adjust]
}

/// Why stock changes by hand.
pub const REASONS: [&str; 4] = ["盘点", "进货", "损耗", "更正"];

/// What is there of a product, and every move that led to it.
#[derive(Serialize)]
struct StockPage {
    frame: Frame,
    id: ProductId,
    name: String,
    reasons: [&'static str; REASONS.len()],
    may_edit: bool,
    skus: Vec<SkuShown>,
    /// From here on it goes on.
    next: Option<i64>,
    /// There are newer ones before this page.
    later: bool,
    curve: Option<Curve>,
    log: Vec<MoveShown>,
}

#[derive(Serialize)]
struct SkuShown {
    id: SkuId,
    spec: String,
    code: Option<String>,
    on_hand: i64,
    reserved: i64,
    available: i64,
    enabled: bool,
}

#[derive(Serialize)]
struct MoveShown {
    /// What was there after it.
    level: i64,
    at: String,
    spec: String,
    what: &'static str,
    note: String,
    on_hand: String,
    reserved: String,
    order: Option<String>,
    who: Option<String>,
}

/// All that was there, as a path, and what it is measured by.
#[derive(Serialize)]
struct Curve {
    path: String,
    most: i64,
    half: i64,
    n: i64,
}

#[get("/products/<id>/stock?<before>")]
async fn page(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    id: ProductId,
    before: Option<i64>,
) -> Result<Template> {
    let size = staff.0.lists.rows;
    let read = move |conn: &rusqlite::Connection| {
        let product = store::product(conn, id)?.ok_or(Code::NotFound)?;
        let since = before.map(|before| moves::changed_since(conn, id, before)).transpose()?.unwrap_or_default();
        Ok((product, moves::of_product(conn, id, before, size + 1)?, since, waiting(conn)?))
    };
    let (product, mut log, since, waits) = shop.read(read).await?;
    let more = cut(&mut log, size);
    let levels = levels(&product, &log, &since);
    let spec = |id: SkuId| product.skus.iter().find(|sku| sku.id == id).map(|sku| sku.spec_text()).unwrap_or_default();
    let sku = |sku: &Sku| SkuShown {
        id: sku.id,
        spec: sku.spec_text(),
        code: sku.sku_code.clone(),
        on_hand: sku.on_hand,
        reserved: sku.reserved,
        available: sku.available(),
        enabled: sku.enabled,
    };
    let moved = |(m, level): (&moves::Move, i64)| MoveShown {
        level,
        at: clock::shown(m.at),
        spec: spec(m.sku_id),
        what: reason_text(&m.reason),
        note: m.note.clone(),
        on_hand: signed(m.on_hand_delta),
        reserved: signed(m.reserved_delta),
        order: m.order_no.clone(),
        who: m.who.clone(),
    };
    let page = StockPage {
        frame: framed(shop, &staff.0, "products", flash, waits),
        id,
        name: product.name.clone(),
        reasons: REASONS,
        may_edit: staff.0.role >= Role::Manager,
        skus: product.skus.iter().map(sku).collect(),
        next: log.last().filter(|_| more).map(|m| m.id),
        later: before.is_some(),
        curve: if before.is_none() { curve(&product, &log) } else { None },
        log: log.iter().zip(levels).map(moved).collect(),
    };
    Ok(assets::page("console/stock.html", page))
}

/// What was there after each move, counted back from what is there now.
fn levels(product: &Product, log: &[moves::Move], since: &[(SkuId, i64)]) -> Vec<i64> {
    let changed = |id: SkuId| since.iter().find(|(sku, _)| *sku == id).map_or(0, |(_, delta)| *delta);
    let mut now: Vec<(SkuId, i64)> = product.skus.iter().map(|sku| (sku.id, sku.on_hand - changed(sku.id))).collect();
    let mut after = |m: &moves::Move| {
        let Some((_, level)) = now.iter_mut().find(|(id, _)| *id == m.sku_id) else { return 0 };
        let left = *level;
        *level -= m.on_hand_delta;
        left
    };
    log.iter().map(&mut after).collect()
}

/// All that was there, one step for each move shown, the oldest first: on a field of 300 by 60. A step is as wide as any
/// other, for what counts is how it went and not when.
fn curve(product: &Product, log: &[moves::Move]) -> Option<Curve> {
    let mut level: i64 = product.skus.iter().map(|sku| sku.on_hand).sum();
    let mut levels = vec![level];
    for m in log.iter().filter(|m| m.on_hand_delta != 0) {
        level -= m.on_hand_delta;
        levels.push(level);
    }
    levels.reverse();
    let most = levels.iter().max().copied().unwrap_or(0).max(1);
    let wide = levels.len() as i64;
    if wide < 3 {
        return None;
    }
    let step = |(n, level): (i64, &i64)| format!("V{}H{}", 60 - level * 56 / most, (n + 1) * 300 / wide);
    let path: String = (0..).zip(&levels).map(step).collect();
    Some(Curve { path, most, half: most / 2, n: wide - 1 })
}

fn reason_text(reason: &str) -> &'static str {
    match reason {
        "reserve" => "下单占用",
        "release" => "释放占用",
        "ship" => "发货",
        "return" => "退货入库",
        _ => "人工调整",
    }
}

fn signed(n: i64) -> String {
    if n == 0 { String::new() } else { format!("{n:+}") }
}

#[derive(FromForm)]
struct Count {
    rows: Vec<Row>,
    reason: String,
    #[field(default = String::new())]
    note: String,
}

/// A SKU that somebody counted; nothing is typed where nobody did.
#[derive(FromForm)]
struct Row {
    sku: i64,
    #[field(default = String::new())]
    on_hand: String,
    /// What the page showed: what was shipped since is not staff's mistake.
    was: i64,
}

impl Row {
    fn delta(&self, i: usize) -> Result<Option<i64>> {
        match self.on_hand.trim() {
            "" => Ok(None),
            typed => counted(typed, self.was).map(Some).map_err(|e| Error::field(on_hand(i), e.message())),
        }
    }
}

/// The name of a row's field.
fn on_hand(i: usize) -> String {
    format!("rows[{i}].on_hand")
}

#[post("/products/<id>/stock", data = "<form>")]
async fn adjust(shop: &State<Shop>, staff: Manager, id: ProductId, form: Form<Count>) -> Flash<Redirect> {
    back_undoable(format!("/admin/products/{id}/stock"), set(shop, staff.0, id, form.into_inner()).await)
}

/// By how many pieces a stock is to change: `+20` and `-3` say it, a plain number is what was counted.
pub fn counted(typed: &str, was: i64) -> Result<i64> {
    let typed = bare(typed);
    let number = |text: &str| whole(text).filter(|n| (0..=rules::MOST_STOCK).contains(n));
    let delta = match (typed.strip_prefix('+'), typed.strip_prefix('-')) {
        (Some(more), _) => number(more),
        (_, Some(less)) => number(less).map(|n| -n),
        _ => number(&typed).and_then(|n| n.checked_sub(was)),
    };
    delta.ok_or_else(|| Error::field("on_hand", "库存请填 0 或正整数，或 +20、-3 这样的增减"))
}

/// All that was typed, or nothing of it.
async fn set(shop: &Shop, staff: Staff, id: ProductId, form: Count) -> Result<(String, String)> {
    let deltas = form.rows.iter().enumerate().map(|(i, row)| Ok((i, row.sku, row.delta(i)?)));
    let deltas = deltas.collect::<Result<Vec<_>>>()?;
    let reason =
        REASONS.iter().find(|known| **known == form.reason).ok_or_else(|| Error::field("reason", "请选择原因"))?;
    let note = form.note.trim();
    if !STOCK_NOTE.fits_line(note) {
        return Err(Error::field("note", format!("备注{STOCK_NOTE}")));
    }
    let note = if note.is_empty() { (*reason).to_owned() } else { format!("{reason}：{note}") };
    let write = move |tx: &Tx| {
        let product = store::product(tx, id)?.ok_or(Code::NotFound)?;
        let (mut steps, mut done) = (Vec::new(), Vec::new());
        for (i, sku, delta) in &deltas {
            let Some(delta) = delta.filter(|delta| *delta != 0) else { continue };
            let sku = product.skus.iter().find(|of| of.id.0 == *sku).ok_or(Code::NotFound)?;
            let (spec, on_hand_now) = (sku.spec_text(), sku.on_hand + delta);
            if on_hand_now < 0 || !stock::adjust(tx, sku.id, on_hand_now, Some(staff.id), &note)? {
                let of = if spec.is_empty() { String::new() } else { format!("{spec}：") };
                let words = format!("{of}库存不能少于已被订单占用的 {} 件，没有改任何一格", sku.reserved);
                return Err(Error::field(on_hand(*i), words));
            }
            let what = format!("库存 {} {spec}：{} → {on_hand_now}（{note}）", product.name, sku.on_hand);
            audit(tx, &staff, &what)?;
            done.push(format!("{spec} {} → {on_hand_now}", sku.on_hand).trim().to_owned());
            steps.push(Step::Stock { product: id.0, sku: sku.id.0, by: delta });
        }
        if steps.is_empty() {
            return Ok(("没有改动".to_owned(), String::new()));
        }
        let done = format!("「{}」库存 {}", product.name, done.join("，"));
        let undo = undo::keep(tx, &staff, &done, &steps)?;
        Ok((done, undo))
    };
    shop.write(write).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_stock_asks_for_nothing_that_it_is_not_given() {
        for full in [true, false] {
            let sku = SkuShown {
                id: SkuId(1),
                spec: "6 寸".into(),
                code: full.then(|| "CM-6".into()),
                on_hand: 5,
                reserved: 1,
                available: 4,
                enabled: full,
            };
            let moved = MoveShown {
                level: 5,
                at: "2026-10-08 13:15:40".into(),
                spec: "6 寸".into(),
                what: "发货",
                note: "进货：老王".into(),
                on_hand: "-1".into(),
                reserved: String::new(),
                order: full.then(|| "261008131540ABCDEFGH".into()),
                who: (!full).then(|| "小王".into()),
            };
            let page = StockPage {
                frame: Frame::sample(Role::Manager),
                id: ProductId(1),
                name: "草莓蛋糕".into(),
                reasons: REASONS,
                may_edit: full,
                skus: vec![sku],
                next: full.then_some(1),
                later: full,
                curve: full.then(|| Curve { path: "V1H2".into(), most: 9, half: 4, n: 3 }),
                log: vec![moved],
            };
            let html = assets::strictly("console/stock.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("最近 3 次变动"), html.contains("rows[0].on_hand")), (full, full));
        }
    }
}
