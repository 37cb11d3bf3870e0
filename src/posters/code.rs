//! The mini-program code of a product: fetched from WeChat once, and kept. It stays good for ever.

use rusqlite::Connection;
use tokio::sync::Mutex;

use super::store;
use crate::catalogue;
use crate::clock::SECOND;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::ProductId;
use crate::message_log::Logged;
use crate::shop::Shop;
use crate::wechat::GatewayError;

/// The mini-program's page of a product.
const PAGE: &str = "pages/product/product";
/// After a failure WeChat is left alone for so long: anybody may ask for a code.
const LEFT_ALONE: i64 = 30 * SECOND;

/// Codes are fetched one at a time. Holds what went wrong last, and when.
#[derive(Default)]
pub struct Turn(Mutex<Option<(i64, Error)>>);

/// What a phone that scanned the code is told: `id=12`, within the 32 characters that WeChat takes.
fn scene(id: ProductId) -> String {
    format!("id={id}")
}

/// The picture of the code. Errors: `NotFound` and `ProductOffShelf`; `PaymentNotConfigured`, the mini-program is not set
/// up; `WechatUnavailable`; `WechatRejected`, with what can be done.
pub async fn code(shop: &Shop, turn: &Turn, id: ProductId) -> Result<Vec<u8>> {
    let not_set_up = || Error::from(Code::PaymentNotConfigured).says("店铺还没有填写小程序的 AppID 和 AppSecret");
    let app = shop.settings().mini_program();
    let app_id = app.as_ref().map(|app| app.app_id.clone()).unwrap_or_default();
    let kept = move |conn: &Connection| {
        catalogue::offered(conn, id)?;
        Ok(store::code(conn, id, &app_id)?)
    };
    if let Some(picture) = shop.read(kept.clone()).await? {
        return Ok(picture);
    }
    let app = app.ok_or_else(not_set_up)?;
    let mut failed = turn.0.lock().await;
    // Whoever had the turn before may have fetched this one.
    if let Some(picture) = shop.read(kept).await? {
        return Ok(picture);
    }
    if let Some((at, error)) = failed.as_ref().filter(|(at, _)| (0..LEFT_ALONE).contains(&(shop.now() - at))) {
        return Err(error.clone().retry_after(((LEFT_ALONE - (shop.now() - at)) / SECOND + 1).unsigned_abs()));
    }
    let exchange = shop.wechat.product_code(&app, &scene(id), PAGE).await;
    let entry = Logged::sent(&exchange);
    let write = move |tx: &Tx| {
        entry.record(tx)?;
        match &exchange.result {
            Ok(picture) => store::put(tx, id, &app.app_id, picture).map(|()| Ok(picture.clone())),
            Err(e) => Ok(Err(e.clone())),
        }
        .map_err(Error::from)
    };
    let fetched = shop.write(write).await?.map_err(|e| explain(&e));
    *failed = fetched.as_ref().err().map(|error| (shop.now(), error.clone()));
    fetched
}

/// WeChat's errcode, with what to do about it. Source: getUnlimitedQRCode.
fn explain(e: &GatewayError) -> Error {
    let GatewayError::Refused { code, text } = e else {
        return Error::from(Code::WechatUnavailable).says("暂时连不上微信，小程序码没有取到，请稍后再试");
    };
    let words = match code.as_str() {
        "41030" => "小程序还没有发布，或发布的版本里没有商品页：上传、审核、发布之后再取码".to_owned(),
        "40013" | "40125" => "小程序的 AppID 或 AppSecret 不对，请到设置里核对".to_owned(),
        "45009" | "45011" => "微信限制了取码的次数，请过一分钟再试".to_owned(),
        _ => format!("微信没有给小程序码：{code} {text}"),
    };
    Error::from(Code::WechatRejected).says(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_fits_whatever_the_product() {
        for id in [1, i64::MAX] {
            let scene = scene(ProductId(id));
            assert!(scene.len() <= 32 && scene.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'='), "{scene}");
        }
    }
}
