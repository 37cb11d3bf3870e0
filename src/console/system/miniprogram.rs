//! The mini-program to take away, and the steps from there to the buyers' phones.

use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::assets;
use crate::console::{Download, Frame, download, frame};
use crate::error::{Code, Error, Result};
use crate::miniprogram::{self, Merchant, Step};
use crate::settings::Settings;
use crate::shop::Shop;
use crate::staff::Owner;

pub fn routes() -> Vec<Route> {
    routes![page, zip]
}

#[derive(Serialize)]
struct MiniprogramPage {
    frame: Frame,
    tab: &'static str,
    checks: Vec<Check>,
    ready: bool,
    steps: Vec<Step>,
}

/// What was looked at, whether it is there, and in what words.
#[derive(Serialize)]
struct Check {
    what: &'static str,
    good: bool,
    words: String,
}

#[get("/miniprogram")]
async fn page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let settings = shop.settings();
    let page = MiniprogramPage {
        frame: frame(shop, &owner.0, "system", flash).await?,
        tab: "miniprogram",
        checks: checks(&settings),
        ready: Merchant::of(&settings).is_ok(),
        steps: miniprogram::steps(),
    };
    Ok(assets::page("console/miniprogram.html", page))
}

/// What can be looked at from here.
fn checks(settings: &Settings) -> Vec<Check> {
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
    .map(|(what, found)| Check { what, good: found.is_ok(), words: found.unwrap_or_else(|missing| missing) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn the_page_of_the_mini_program_asks_for_nothing_that_it_is_not_given() {
        for ready in [true, false] {
            let check = Check { what: "AppID", good: ready, words: "已填".into() };
            let (frame, tab) = (Frame::sample(Role::Owner), "miniprogram");
            let page = MiniprogramPage { frame, tab, checks: vec![check], ready, steps: miniprogram::steps() };
            let html = assets::strictly("console/miniprogram.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("下载小程序</button>"), html.contains("先去设置里填好")), (ready, !ready));
        }
    }
}
