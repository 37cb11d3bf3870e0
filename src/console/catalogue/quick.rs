//! Price and stock of a product, changed from the list without opening its form.

use rocket::http::Status;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;
use serde_json::Value;

use super::product::{cell, find};
use super::stock::REASONS;
use crate::assets;
use crate::catalogue::{Product, Sku, rules, stock, store};
use crate::console::undo::{self, Step};
use crate::console::{back_undoable, inside, message};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::{ProductId, SkuId};
use crate::money::Fen;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Manager, Staff};

pub fn routes() -> Vec<Route> {
    routes![fields, save]
}

/// What is opened over the list.
#[derive(Serialize)]
struct Fields {
    id: ProductId,
    name: String,
    skus: Vec<SkuShown>,
    reasons: [&'static str; 4],
    reason: String,
    /// What is wrong and belongs to no cell.
    problem: Option<String>,
}

#[derive(Serialize)]
struct SkuShown {
    id: SkuId,
    spec: String,
    reserved: i64,
    price: String,
    was_price: String,
    on_hand: String,
    was: i64,
    /// What is wrong in the cell of each.
    wrong_price: Option<String>,
    wrong_stock: Option<String>,
}

impl Fields {
    fn of(product: &Product) -> Fields {
        let shown = |sku: &Sku| SkuShown {
            id: sku.id,
            spec: sku.spec_text(),
            reserved: sku.reserved,
            price: sku.price.plain(),
            was_price: sku.price.plain(),
            on_hand: sku.on_hand.to_string(),
            was: sku.on_hand,
            wrong_price: None,
            wrong_stock: None,
        };
        Fields {
            id: product.id,
            name: product.name.clone(),
            skus: product.skus.iter().filter(|sku| sku.enabled).map(shown).collect(),
            reasons: REASONS,
            reason: String::new(),
            problem: None,
        }
    }

    /// As they were typed, with what is wrong beside them.
    fn refused(product: &Product, typed: &[Line], reason: &str, error: &Error) -> Fields {
        let mut fields = Fields { reason: reason.to_owned(), ..Fields::of(product) };
        let said = |i: usize, what: &str| error.fields.get(&cell(i, what)).and_then(Value::as_str).map(str::to_owned);
        for sku in &mut fields.skus {
            let Some((i, line)) = typed.iter().enumerate().find(|(_, line)| line.id == sku.id.0) else { continue };
            (sku.price, sku.was_price) = (line.price.clone(), line.was_price.clone());
            (sku.on_hand, sku.was) = (line.on_hand.clone(), line.was);
            (sku.wrong_price, sku.wrong_stock) = (said(i, "price"), said(i, "on_hand"));
        }
        let told = fields.skus.iter().any(|sku| sku.wrong_price.is_some() || sku.wrong_stock.is_some());
        fields.problem = (!told).then(|| message(error));
        fields
    }
}

#[get("/products/<id>/quick", rank = 3)]
async fn fields(shop: &State<Shop>, _staff: Manager, id: ProductId) -> Result<Template> {
    Ok(assets::page("console/product_quick.html", Fields::of(&find(shop, id).await?)))
}

#[derive(FromForm)]
struct Quick {
    skus: Vec<Line>,
    reason: String,
    /// The list it was opened over.
    #[field(default = String::new())]
    back: String,
    /// Whoever has the fields open wants to see there what is wrong, not in the list.
    #[field(default = false)]
    over: bool,
}

/// A SKU as it was shown and as it is to be: what a colleague changed or an order took meanwhile stays.
#[derive(FromForm, Clone)]
struct Line {
    id: i64,
    price: String,
    was_price: String,
    on_hand: String,
    was: i64,
}

impl Line {
    /// The new price when it was changed.
    fn price(&self, i: usize, spec: &str) -> Result<Option<Fen>> {
        if self.price.trim() == self.was_price {
            return Ok(None);
        }
        rules::price(&self.price, "售价", "19.90").map(Some).map_err(|problem| field(i, "price", spec, &problem))
    }

    /// By how much the stock is to change.
    fn delta(&self, i: usize, spec: &str) -> Result<i64> {
        let read = rules::stock(&self.on_hand).map(|wanted| wanted - self.was);
        read.map_err(|problem| field(i, "on_hand", spec, &problem))
    }
}

fn field(i: usize, what: &str, spec: &str, problem: &str) -> Error {
    let of = if spec.is_empty() { String::new() } else { format!("{spec}：") };
    Error::field(cell(i, what), format!("{of}{problem}"))
}

#[post("/products/<id>/quick", data = "<form>", rank = 3)]
async fn save(
    shop: &State<Shop>,
    staff: Manager,
    id: ProductId,
    form: Form<Quick>,
) -> Result<std::result::Result<Flash<Redirect>, (Status, Template)>> {
    let Quick { skus, reason, back: to, over } = form.into_inner();
    let (lines, why) = (skus.clone(), reason.clone());
    let write = move |tx: &Tx| {
        if !REASONS.contains(&why.as_str()) {
            return Err(Error::field("reason", "请选择原因"));
        }
        let product = store::product(tx, id)?.filter(|p| !p.deleted).ok_or(Code::NotFound)?;
        let mut steps = Vec::new();
        let done = change(tx, &staff.0, &product, &lines, &why, &mut steps)?;
        if done.is_empty() {
            return Ok(("没有改动".to_owned(), String::new()));
        }
        let words = format!("「{}」{}", product.name, done.join("，"));
        audit(tx, &staff.0, &format!("改价和库存 {words}"))?;
        let undo = undo::keep(tx, &staff.0, &words, &steps)?;
        Ok((words, undo))
    };
    let done = shop.write(write).await;
    if let (Err(error), true) = (&done, over) {
        let fields = Fields::refused(&find(shop, id).await?, &skus, &reason, error);
        return Ok(Err((error.code.status(), assets::page("console/product_quick.html", fields))));
    }
    let to = if to.is_empty() { "/admin/products".to_owned() } else { inside(to) };
    Ok(Ok(back_undoable(to, done)))
}

/// Answers with what was changed, a phrase each; each change is a step that can be taken back.
fn change(
    tx: &Tx,
    staff: &Staff,
    product: &Product,
    lines: &[Line],
    reason: &str,
    steps: &mut Vec<Step>,
) -> Result<Vec<String>> {
    let mut done = Vec::new();
    let of = product.id.0;
    let mut priced = false;
    for (i, line) in lines.iter().enumerate() {
        let sku = product.skus.iter().find(|sku| sku.id.0 == line.id).ok_or(Code::NotFound)?;
        let spec = sku.spec_text();
        if let Some(price) = line.price(i, &spec)? {
            store::set_price(tx, sku.id, price)?;
            done.push(format!("{spec} ¥{} → ¥{price}", sku.price).trim().to_owned());
            steps.push(Step::Price { product: of, sku: sku.id.0, was: sku.price.get(), is: price.get() });
            priced = true;
        }
        let delta = line.delta(i, &spec)?;
        if delta != 0 {
            if !stock::adjust(tx, sku.id, sku.on_hand + delta, Some(staff.id), reason)? {
                return Err(field(i, "on_hand", &spec, "库存不能少于已被订单占用的数量"));
            }
            done.push(format!("{spec} 库存 {} → {}", sku.on_hand, sku.on_hand + delta).trim().to_owned());
            steps.push(Step::Stock { product: of, sku: sku.id.0, by: delta });
        }
    }
    if priced {
        store::repriced(tx, product.id)?;
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_over_the_list_asks_for_nothing_that_it_is_not_given() {
        for wrong in [true, false] {
            let said = |words: &str| wrong.then(|| words.to_owned());
            let sku = SkuShown {
                id: SkuId(1),
                spec: "6 寸".into(),
                reserved: 1,
                price: "20.00".into(),
                was_price: "20.00".into(),
                on_hand: "5".into(),
                was: 5,
                wrong_price: said("售价请填金额"),
                wrong_stock: said("库存请填整数"),
            };
            let fields = Fields {
                id: ProductId(1),
                name: "草莓蛋糕".into(),
                skus: vec![sku],
                reasons: REASONS,
                reason: REASONS[0].into(),
                problem: said("请选择原因"),
            };
            let html = assets::strictly("console/product_quick.html", fields).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("售价请填金额"), html.contains("请选择原因")), (wrong, wrong));
        }
    }
}
