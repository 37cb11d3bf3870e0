//! The mini-program to take away, and the steps from there to the buyers' phones.

use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use crate::assets;
use crate::console::{Download, download, frame};
use crate::error::{Code, Error, Result};
use crate::miniprogram::{self, Merchant};
use crate::settings::Settings;
use crate::shop::Shop;
use crate::staff::Owner;

pub fn routes() -> Vec<Route> {
    routes![page, zip]
}

#[get("/miniprogram")]
async fn page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let settings = shop.settings();
    let context = context! {
        frame: frame(shop, &owner.0, "system", flash).await?,
        tab: "miniprogram",
        checks: checks(&settings),
        ready: Merchant::of(&settings).is_ok(),
        steps: miniprogram::steps().into_iter().map(|s| json!({ "title": s.title, "words": s.words })).collect::<Vec<_>>(),
    };
    Ok(assets::page("console/miniprogram.html", context))
}

/// What can be looked at from here.
fn checks(settings: &Settings) -> Vec<Value> {
    let filled = |name: &str, missing: &str| match settings.get(name) {
        Some(_) => Ok("已填".to_owned()),
        None => Err(missing.to_owned()),
    };
    [
        ("AppID", miniprogram::app_id(settings.get(miniprogram::APP_ID))),
        ("对外地址", miniprogram::server(settings.get(miniprogram::PUBLIC_URL))),
        ("AppSecret", filled("wechat.app_secret", "还没有填，买家登录不了")),
        ("商户号", filled("wechat.mch_id", "还没有填，买家付不了款")),
    ]
    .into_iter()
    .map(|(what, found)| match found {
        Ok(words) => json!({ "what": what, "good": true, "words": words }),
        Err(words) => json!({ "what": what, "good": false, "words": words }),
    })
    .collect()
}

#[get("/miniprogram/zip?<address>")]
async fn zip(shop: &State<Shop>, _owner: Owner, address: Option<bool>) -> Result<Download> {
    let mut merchant =
        Merchant::of(&shop.settings()).map_err(|missing| Error::from(Code::ValidationFailed).says(missing))?;
    merchant.wechat_address = address.unwrap_or_default();
    let bytes =
        tokio::task::spawn_blocking(move || miniprogram::packed(&merchant)).await.map_err(|_| Code::Internal)?;
    let bytes = bytes.map_err(|e| {
        log::error!("mini-program: {e}");
        Error::from(Code::Internal).says("小程序没有打包出来，请稍后再试")
    })?;
    Ok(download(ContentType::ZIP, "小程序.zip", bytes))
}
