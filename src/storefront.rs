//! The demo's storefront: a page that looks and behaves like the mini-program on a phone.

use rocket::{Route, State, get, routes};
use rocket_dyn_templates::{Template, context};

use crate::assets;
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    routes![page]
}

#[get("/")]
fn page(shop: &State<Shop>) -> Template {
    let settings = shop.settings();
    assets::page(
        "storefront/index.html",
        context! { shop: settings.shop_name(), simulator: shop.demo.as_deref().unwrap_or_default() },
    )
}
