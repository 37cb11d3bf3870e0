//! The demo's phone: the mini-program of `miniprogram/` itself, run in the browser on the stage that `stage/` builds.

use rocket::{Route, State, get, routes};
use rocket_dyn_templates::{Template, context};

use crate::assets;
use crate::catalogue::api::first_goods;
use crate::catalogue::cache::Cache;
use crate::error::Result;
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    routes![page]
}

/// What the home page asks for first travels with the page, as WeChat fetches it ahead for a program that is being opened.
#[get("/")]
async fn page(shop: &State<Shop>, cache: &State<Cache>) -> Result<Template> {
    let (settings, simulator) = (shop.settings(), shop.demo.as_deref().unwrap_or_default());
    let first = first_goods(shop, cache).await?;
    Ok(assets::page("stage/index.html", context! { shop: settings.shop_name(), simulator, first: first.text() }))
}
