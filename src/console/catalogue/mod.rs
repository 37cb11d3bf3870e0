//! The catalogue: products, their stock and categories.

pub mod categories;
mod cell;
mod columns;
pub mod freight;
pub mod held;
pub mod import;
pub mod list;
pub mod product;
pub mod promotions;
pub mod quick;
mod share;
pub mod showcase;
pub mod stock;

use rocket::Route;
use serde::Serialize;

use crate::catalogue::Category;
use crate::ids::CategoryId;

pub fn routes() -> Vec<Route> {
    [
        cell::routes(),
        freight::routes(),
        held::routes(),
        list::routes(),
        import::routes(),
        product::routes(),
        promotions::routes(),
        quick::routes(),
        share::routes(),
        showcase::routes(),
        stock::routes(),
        categories::routes(),
    ]
    .concat()
}

/// A category as it is chosen, behind the one that it belongs to.
#[derive(Serialize)]
struct CategoryOption {
    id: CategoryId,
    name: String,
    /// Products of its own.
    n: i64,
}

fn category_options(all: &[Category]) -> Vec<CategoryOption> {
    let name = |category: &Category| match category.parent_id.and_then(|id| all.iter().find(|c| c.id == id)) {
        Some(parent) => format!("{} / {}", parent.name, category.name),
        None => category.name.clone(),
    };
    all.iter().map(|category| CategoryOption { id: category.id, name: name(category), n: category.own_count }).collect()
}
