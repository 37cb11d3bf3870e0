//! The demo's phone: the mini-program of `miniprogram/` itself, run in the browser on the stage that `stage/` builds.

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
        "stage/index.html",
        context! { shop: settings.shop_name(), simulator: shop.demo.as_deref().unwrap_or_default() },
    )
}
