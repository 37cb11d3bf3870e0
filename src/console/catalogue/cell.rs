//! One price or one stock, typed into the list where it stands: the page stays, and is told what came of it.

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{FromForm, Route, State, post, routes};
use serde_json::{Value, json};

use super::stock::{REASONS, counted};
use crate::catalogue::{Product, Sku, rules, stock, store};
use crate::console::message;
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::ProductId;
use crate::money::Fen;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Manager, Staff};

pub fn routes() -> Vec<Route> {
    routes![save]
}

#[derive(FromForm)]
struct Cell {
    sku: i64,
    /// `price` or `stock`.
    column: String,
    value: String,
    /// As the page showed it: the price, or the pieces that can be sold.
    was: String,
    /// Pieces that orders held then: what was sold since stays sold.
    #[field(default = 0)]
    held: i64,
    /// The price that was asked about once already.
    #[field(default = String::new())]
    sure: String,
    /// Why stock changes; not asked of a price.
    #[field(default = String::new())]
    reason: String,
}

/// Of a change, its words and how the SKU stands now; else what is wrong, and what stands there now if somebody else changed it.
#[post("/products/<id>/cell", data = "<form>", rank = 3)]
async fn save(shop: &State<Shop>, staff: Manager, id: ProductId, form: Form<Cell>) -> (Status, Json<Value>) {
    let (cell, low) = (form.into_inner(), shop.settings().low_stock());
    let write = move |tx: &Tx| {
        let product = store::product(tx, id)?.filter(|p| !p.deleted).ok_or(Code::NotFound)?;
        let sku = product.skus.iter().find(|sku| sku.id.0 == cell.sku).ok_or(Code::NotFound)?;
        let done = match cell.column.as_str() {
            "price" => set_price(tx, &product, sku, &cell)?,
            "stock" => set_stock(tx, &staff.0, sku, &cell, low)?,
            _ => return Err(Code::ValidationFailed.into()),
        };
        let said = format!("「{}」{done}", product.name);
        audit(tx, &staff.0, &format!("改价和库存 {said}"))?;
        let product = store::product(tx, id)?.ok_or(Code::NotFound)?;
        let sku = product.skus.iter().find(|sku| sku.id.0 == cell.sku).ok_or(Code::NotFound)?;
        Ok(json!({
            "said": said, "price": sku.price.to_string(), "available": sku.available(), "on_hand": sku.on_hand,
            "held": sku.reserved, "low": sku.available() <= low,
        }))
    };
    match shop.write(write).await {
        Ok(saved) => (Status::Ok, Json(saved)),
        Err(e) => (e.code.status(), Json(json!({ "problem": message(&e), "now": e.details }))),
    }
}

/// Somebody else was here meanwhile: what stands there now is shown, and typed over only knowingly.
fn changed(now: Value, shown: &str) -> Error {
    Error::from(Code::OrderState).says(format!("刚被改成 {shown}")).details(now)
}

fn set_price(tx: &Tx, product: &Product, sku: &Sku, cell: &Cell) -> Result<String> {
    let price = rules::price(&cell.value, "售价", "19.90").map_err(|problem| Error::field("value", problem))?;
    if Fen::from_yuan(&cell.was) != Some(sku.price) {
        return Err(changed(
            json!({ "was": sku.price.plain(), "price": sku.price.to_string() }),
            &format!("¥{}", sku.price),
        ));
    }
    if rules::is_slip(sku.price, price) && cell.sure != price.plain() {
        let words = if price == Fen::ZERO {
            "售价是 0 元".to_owned()
        } else {
            format!("¥{} 改成 ¥{price}，差十倍以上", sku.price)
        };
        let asked = Error::from(Code::OrderState).says(format!("{words}，再按一次 Enter 就用它"));
        return Err(asked.details(json!({ "was": sku.price.plain(), "sure": price.plain() })));
    }
    store::set_price(tx, sku.id, price)?;
    store::repriced(tx, product.id)?;
    Ok(format!("售价 ¥{} → ¥{price}", sku.price))
}

/// `low`: from so few on the shelf is nearly empty.
fn set_stock(tx: &Tx, staff: &Staff, sku: &Sku, cell: &Cell, low: i64) -> Result<String> {
    let Ok(was) = cell.was.parse::<i64>() else { return Err(Code::ValidationFailed.into()) };
    let reason = REASONS.iter().find(|known| **known == cell.reason);
    let reason = reason.ok_or_else(|| Error::field("reason", "请选择原因"))?;
    let delta = counted(&cell.value, was)?;
    // Orders that came meanwhile hold more of what is there, and that is no conflict.
    if was.checked_add(cell.held) != Some(sku.on_hand) {
        let now = json!({
            "was": sku.available().to_string(), "held": sku.reserved, "available": sku.available(), "on_hand": sku.on_hand,
            "low": sku.available() <= low,
        });
        return Err(changed(now, &format!("可售 {}", sku.available())));
    }
    let on_hand = sku.on_hand + delta;
    if on_hand < 0 || !stock::adjust(tx, sku.id, on_hand, Some(staff.id), reason)? {
        return Err(Error::field("value", format!("库存不能少于已被订单占用的 {} 件", sku.reserved)));
    }
    Ok(format!("可售 {} → {}", sku.available(), on_hand - sku.reserved))
}
