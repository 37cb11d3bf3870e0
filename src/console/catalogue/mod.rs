//! The catalogue: products, their stock and categories.

pub mod categories;
pub mod held;
pub mod import;
pub mod list;
pub mod product;
pub mod promotions;
pub mod quick;
pub mod showcase;
pub mod stock;

use rocket::Route;

pub fn routes() -> Vec<Route> {
    [
        held::routes(),
        list::routes(),
        import::routes(),
        product::routes(),
        promotions::routes(),
        quick::routes(),
        showcase::routes(),
        stock::routes(),
        categories::routes(),
    ]
    .concat()
}
