//! Price and stock of a product, changed from the list without opening its form.

use rocket::form::Form;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::json;

use super::product::find;
use super::stock::REASONS;
use crate::assets;
use crate::catalogue::{Product, Sku, rules, stock, store};
use crate::console::{back, inside};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::ProductId;
use crate::money::Fen;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Manager, Staff};

pub fn routes() -> Vec<Route> {
    routes![fields, save]
}

/// What is opened over the list.
#[get("/products/<id>/quick", rank = 3)]
async fn fields(shop: &State<Shop>, _staff: Manager, id: ProductId) -> Result<Template> {
    let product = find(shop, id).await?;
    let shown = |sku: &Sku| {
        json!({
            "id": sku.id, "spec": sku.spec_text(), "price": sku.price.plain(), "on_hand": sku.on_hand, "reserved": sku.reserved,
        })
    };
    let skus: Vec<_> = product.skus.iter().filter(|sku| sku.enabled).map(shown).collect();
    Ok(assets::page("console/product_quick.html", context! { id, name: &product.name, skus, reasons: REASONS }))
}

#[derive(FromForm)]
struct Quick {
    skus: Vec<Line>,
    reason: String,
    /// The list it was opened over.
    #[field(default = String::new())]
    back: String,
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
    fn price(&self, spec: &str) -> Result<Option<Fen>> {
        if self.price.trim() == self.was_price {
            return Ok(None);
        }
        rules::price(&self.price, "售价", "19.90").map(Some).map_err(|problem| field(spec, &problem))
    }

    /// By how much the stock is to change.
    fn delta(&self, spec: &str) -> Result<i64> {
        rules::stock(&self.on_hand).map(|wanted| wanted - self.was).map_err(|problem| field(spec, &problem))
    }
}

fn field(spec: &str, problem: &str) -> Error {
    let of = if spec.is_empty() { String::new() } else { format!("{spec}：") };
    Error::field("skus", format!("{of}{problem}"))
}

#[post("/products/<id>/quick", data = "<form>", rank = 3)]
async fn save(shop: &State<Shop>, staff: Manager, id: ProductId, form: Form<Quick>) -> Flash<Redirect> {
    let Quick { skus, reason, back: to } = form.into_inner();
    let write = move |tx: &Tx| {
        if !REASONS.contains(&reason.as_str()) {
            return Err(Error::field("reason", "请选择原因"));
        }
        let product = store::product(tx, id)?.filter(|p| !p.deleted).ok_or(Code::NotFound)?;
        let done = change(tx, &staff.0, &product, &skus, &reason)?;
        if done.is_empty() {
            return Ok("没有改动".to_owned());
        }
        let words = format!("「{}」{}", product.name, done.join("，"));
        audit(tx, &staff.0, &format!("改价和库存 {words}"))?;
        Ok(words)
    };
    let to = if to.is_empty() { "/admin/products".to_owned() } else { inside(to) };
    back(to, shop.write(write).await)
}

/// Answers with what was changed, a phrase each.
fn change(tx: &Tx, staff: &Staff, product: &Product, lines: &[Line], reason: &str) -> Result<Vec<String>> {
    let mut done = Vec::new();
    let mut priced = false;
    for line in lines {
        let sku = product.skus.iter().find(|sku| sku.id.0 == line.id).ok_or(Code::NotFound)?;
        let spec = sku.spec_text();
        if let Some(price) = line.price(&spec)? {
            store::set_price(tx, sku.id, price)?;
            done.push(format!("{spec} ¥{} → ¥{price}", sku.price).trim().to_owned());
            priced = true;
        }
        let delta = line.delta(&spec)?;
        if delta != 0 {
            if !stock::adjust(tx, sku.id, sku.on_hand + delta, Some(staff.id), reason)? {
                return Err(field(&spec, "库存不能少于已被订单占用的数量"));
            }
            done.push(format!("{spec} 库存 {} → {}", sku.on_hand, sku.on_hand + delta).trim().to_owned());
        }
    }
    if priced {
        store::touch(tx, product.id)?;
        store::refresh_prices(tx, product.id)?;
    }
    Ok(done)
}
