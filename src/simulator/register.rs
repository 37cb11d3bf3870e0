//! The simulated register of what was shipped, and the tokens that open it. Source: upload_shipping_info, stable_token.

use std::time::Duration;

use chrono::DateTime;
use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{Route, State, get, post, routes};
use serde_json::{Value, json};

use super::api::begin;
use super::{Fault, Simulator};
use crate::wechat::carriers;
use crate::wechat::register::MOST_PARCELS;

pub fn routes() -> Vec<Route> {
    routes![stable_token, token, is_trade_managed, is_confirmed, order_path, upload_shipping_info, get_delivery_list]
}

pub type Answer = Result<Json<Value>, Status>;
pub type Refused = (i64, &'static str);

fn refused(code: i64, text: &str) -> Answer {
    Ok(Json(json!({ "errcode": code, "errmsg": text })))
}

/// Does the work, unless something is to go wrong.
pub async fn serve(sim: &Simulator, kind: &str, work: impl FnOnce() -> Result<Value, Refused>) -> Answer {
    let fault = begin(sim, kind).await;
    match &fault {
        Some(Fault::Http500) => return Err(Status::InternalServerError),
        Some(Fault::ErrCode(code, text)) => return refused(code.parse().unwrap_or(-1), text),
        _ => {}
    }
    let answer = work();
    match fault {
        Some(Fault::LoseAnswer) => return Err(Status::BadGateway),
        Some(Fault::Slow(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
        _ => {}
    }
    match answer {
        Ok(answer) => Ok(Json(answer)),
        Err((code, text)) => refused(code, text),
    }
}

#[post("/cgi-bin/stable_token", data = "<body>")]
async fn stable_token(sim: &State<Simulator>, body: Json<Value>) -> Answer {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let work = || give_token(sim, text("grant_type"), text("appid"), text("secret"));
    serve(sim, "stable_token", work).await
}

/// The older of the two ways to a token; most SDKs still ask here. Source: getAccessToken.
#[get("/cgi-bin/token?<grant_type>&<appid>&<secret>")]
async fn token(sim: &State<Simulator>, grant_type: &str, appid: &str, secret: &str) -> Answer {
    serve(sim, "token", || give_token(sim, grant_type, appid, secret)).await
}

/// The same for everybody while it is good.
fn give_token(sim: &Simulator, grant_type: &str, app_id: &str, secret: &str) -> Result<Value, Refused> {
    if grant_type != "client_credential" {
        return Err((40002, "invalid grant_type"));
    }
    match sim.secret_of(app_id) {
        None => return Err((40013, "invalid appid")),
        Some(right) if right != secret => return Err((40125, "invalid appsecret")),
        Some(_) => {}
    }
    let mut state = sim.lock();
    let token = state.token.get_or_insert_with(|| format!("token-{}", sim.nonces.nonce_str()));
    Ok(json!({ "access_token": token, "expires_in": 7200 }))
}

pub fn opened(sim: &Simulator, token: &str) -> Result<(), Refused> {
    match sim.lock().token.as_deref() == Some(token) {
        true => Ok(()),
        false => Err((40001, "invalid credential, access_token is invalid or not latest")),
    }
}

#[post("/wxa/sec/order/is_trade_managed?<access_token>", data = "<body>")]
async fn is_trade_managed(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        if body["appid"].as_str().and_then(|app_id| sim.secret_of(app_id)).is_none() {
            return Err((40097, "invalid args"));
        }
        Ok(json!({ "errcode": 0, "errmsg": "ok", "is_trade_managed": sim.lock().kept.ways.trade_managed }))
    };
    serve(sim, "trade_managed", work).await
}

#[post("/wxa/sec/order/is_trade_management_confirmation_completed?<access_token>", data = "<body>")]
async fn is_confirmed(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        if body["appid"].as_str().and_then(|app_id| sim.secret_of(app_id)).is_none() {
            return Err((40097, "invalid args"));
        }
        Ok(json!({ "errcode": 0, "errmsg": "ok", "completed": sim.lock().kept.ways.trade_confirmed }))
    };
    serve(sim, "trade_confirmed", work).await
}

#[post("/wxa/sec/order/update_order_detail_path?<access_token>", data = "<body>")]
async fn order_path(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        let path = body["path"].as_str().filter(|path| path.contains("${商品订单号}"));
        let path = path.ok_or((10060035, "path 里没有 ${商品订单号}"))?;
        sim.lock().order_path = Some(path.to_owned());
        Ok(json!({ "errcode": 0, "errmsg": "ok" }))
    };
    serve(sim, "order_path", work).await
}

#[post("/wxa/sec/order/upload_shipping_info?<access_token>", data = "<body>")]
async fn upload_shipping_info(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        enter(sim, &body)?;
        Ok(json!({ "errcode": 0, "errmsg": "ok" }))
    };
    serve(sim, "upload_shipping", work).await
}

#[post("/cgi-bin/express/delivery/open_msg/get_delivery_list?<access_token>", data = "<body>")]
async fn get_delivery_list(sim: &State<Simulator>, access_token: &str, body: &str) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        if body.is_empty() {
            return Err((44002, "empty post data"));
        }
        let list: Vec<Value> =
            carriers::list().map(|(code, name)| json!({ "delivery_id": code, "delivery_name": name })).collect();
        Ok(json!({ "errcode": 0, "count": list.len(), "delivery_list": list }))
    };
    serve(sim, "delivery_list", work).await
}

fn enter(sim: &Simulator, body: &Value) -> Result<(), Refused> {
    let key = |name: &str| body["order_key"][name].as_str().filter(|value| !value.is_empty());
    let mut state = sim.lock();
    let mut trades = state.kept.trades.values_mut().filter(|trade| trade.transaction_id.is_some());
    let trade = match body["order_key"]["order_number_type"].as_u64() {
        Some(1) => {
            let mch_id = key("mchid").ok_or((268485196, "mchid is missing"))?;
            let number = key("out_trade_no").ok_or((268485197, "out_trade_no is missing"))?;
            trades.find(|trade| mch_id == sim.merchant.mch_id && trade.field("out_trade_no") == number)
        }
        Some(2) => {
            let id = key("transaction_id").ok_or((268485195, "transaction_id is missing"))?;
            trades.find(|trade| trade.transaction_id.as_deref() == Some(id))
        }
        _ => return Err((268485194, "order_number_type is missing")),
    };
    let trade = trade.ok_or((10060001, "支付单不存在"))?;
    if body["payer"]["openid"].as_str() != trade.payer.as_deref() {
        return Err((10060031, "该笔支付单不属于 openid 所指定的用户"));
    }
    form(body)?;
    let time = |body: &Value| DateTime::parse_from_rfc3339(body["upload_time"].as_str()?).ok();
    let at = time(body).ok_or((268485216, "上传时间非法，请使用 RFC 3339 格式"))?;
    let told = |body: &Value| (body["shipping_list"].clone(), body["delivery_mode"].clone());
    match trade.shipped.as_slice() {
        [.., last] if told(last) == told(body) => return Err((10060023, "发货信息未更新")),
        [.., last] if time(last).is_none_or(|before| before >= at) => return Err((10060014, "upload_time")),
        [_, _, ..] => return Err((10060003, "支付单已使用重新发货机会")),
        _ => {}
    }
    trade.shipped.push(body.clone());
    state.changed = true;
    Ok(())
}

/// A phone number with its last four digits to be seen, and what stands before them covered.
fn is_masked(contact: &str) -> bool {
    let digits = contact.len().checked_sub(4).and_then(|at| contact.get(at..));
    contact.contains('*')
        && contact.len() <= 1024
        && digits.is_some_and(|four| four.bytes().all(|b| b.is_ascii_digit()))
}

/// What the documentation says of the fields.
fn form(body: &Value) -> Result<(), Refused> {
    let parcels = body["shipping_list"].as_array().ok_or((47001, "data format error"))?;
    if parcels.is_empty() {
        return Err((10060020, "物流信息列表为空"));
    }
    let express = match body["logistics_type"].as_u64() {
        Some(1) => true,
        Some(2..=4) => false,
        _ => return Err((10060005, "物流类型有误")),
    };
    match body["delivery_mode"].as_u64() {
        Some(1) if parcels.len() != 1 => return Err((268485228, "统一发货只能填一个物流信息")),
        Some(1) => {}
        Some(2) if !express => return Err((10060006, "非快递发货时不允许分拆发货")),
        Some(2) if !body["is_all_delivered"].is_boolean() => {
            return Err((10060007, "分拆发货必须填写 is_all_delivered"));
        }
        Some(2) if parcels.len() > MOST_PARCELS => return Err((10060024, "物流信息列表过长")),
        Some(2) => {}
        _ => return Err((268485224, "发货模式非法")),
    }
    for parcel in parcels {
        let length = |name: &str| parcel[name].as_str().map_or(0, |text| text.chars().count());
        match length("item_desc") {
            0 => return Err((10060008, "商品描述 item_desc 不能为空")),
            1..=120 => {}
            _ => return Err((10060009, "商品描述 item_desc 太长")),
        }
        if !express {
            continue;
        }
        if !(1..=128).contains(&length("tracking_no")) {
            return Err((268485226, "物流单号不能为空"));
        }
        if !(1..=128).contains(&length("express_company")) {
            return Err((268485227, "物流公司编码不能为空"));
        }
        let company = parcel["express_company"].as_str().unwrap_or_default();
        if !carriers::list().any(|(code, _)| code == company) {
            return Err((10060014, "参数错误：express_company 不在 get_delivery_list 里"));
        }
        let given = |name: &str| parcel["contact"][name].as_str().is_some_and(is_masked);
        if company == "SF" && !given("receiver_contact") && !given("consignor_contact") {
            return Err((10060014, "顺丰需要联系方式"));
        }
    }
    Ok(())
}
