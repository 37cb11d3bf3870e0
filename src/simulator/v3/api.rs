//! The simulated endpoints of API v3. They translate, and the work is the same as v2's.

use std::time::Duration;

use rocket::data::Data;
use rocket::http::Status;
use rocket::{Route, State, get, post, routes};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::super::api::{begin, close_trade, place_trade, trade_named};
use super::super::state::Trade;
use super::super::{Fault, Simulator, bills, funds, refunds};
use super::door::{Answer, Asked, Refused, answer, file, refused};
use super::facts::{facts, refund_facts};
use crate::clock::{self, DAY, Day, MINUTE};
use crate::money::Fen;
use crate::wechat::reach::is_loopback;
use crate::wechat::v2::message::Message;

pub fn routes() -> Vec<Route> {
    routes![
        order,
        query,
        query_transaction,
        close,
        refund,
        refund_query,
        bill,
        funds_bill,
        bill_file,
        not_got,
        not_posted
    ]
}

/// Names the fund flow in an address where a bill's type stands otherwise.
const FUNDS: &str = "FUNDS";

/// What is done once a request is believed: nothing for a 204.
type Done = Result<Option<Value>, Refused>;

/// Checks, works, signs; a fault of this kind spoils what it names.
async fn serve(
    sim: &Simulator,
    kind: &str,
    asked: Asked,
    data: Option<Data<'_>>,
    work: impl FnOnce(&Simulator, &Value) -> Done,
) -> Result<Answer, Status> {
    let keys = sim.v3().ok_or(Status::NotFound)?;
    let fault = begin(sim, kind).await;
    if matches!(fault, Some(Fault::Http500)) {
        return Err(Status::InternalServerError);
    }
    let done = match (asked.body(sim, &keys, data).await, &fault) {
        (Err(no), _) => Err(no),
        (Ok(_), Some(Fault::ErrCode(code, text))) => Err(refused(status_of(code), code, text)),
        (Ok(body), _) => match serde_json::from_str(if body.is_empty() { "{}" } else { &body }) {
            Ok(body) => work(sim, &body),
            Err(_) => Err(refused(400, "PARAM_ERROR", "请求体不是合法的JSON")),
        },
    };
    match &fault {
        Some(Fault::LoseAnswer) => return Err(Status::BadGateway),
        Some(Fault::Slow(ms)) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        // A gateway in between says no, in its own name.
        Some(Fault::ReturnFail(text)) => {
            return Ok(answer(sim, &keys, Err(refused(404, "ORDER_NOT_EXIST", text)), Some(&Fault::Unsigned)));
        }
        _ => {}
    }
    let done = done.map(|value| value.map(|value| altered(value, fault.as_ref())));
    Ok(answer(sim, &keys, done, fault.as_ref()))
}

/// An answer that will be signed as it is, with what a fault puts into it.
fn altered(mut value: Value, fault: Option<&Fault>) -> Value {
    match fault {
        Some(Fault::OtherMerchant) => value["mchid"] = json!("1900000110"),
        Some(Fault::OtherApp) => value["appid"] = json!("wx0000000000000000"),
        Some(Fault::TooLong) => value["more"] = json!("x".repeat(2 * 1024 * 1024)),
        Some(Fault::BillElsewhere) => {
            let url = value["download_url"].as_str().map(|url| url.replacen("//127.0.0.1", "//localhost", 1));
            value["download_url"] = json!(url);
        }
        _ => {}
    }
    value
}

/// Source: error codes, API v3.
fn status_of(code: &str) -> u16 {
    match code {
        "SIGN_ERROR" => 401,
        "NO_AUTH" | "NOT_ENOUGH" | "OUT_TRADE_NO_USED" | "RULE_LIMIT" | "USER_ACCOUNT_ABNORMAL" => 403,
        "ORDER_NOT_EXIST" | "RESOURCE_NOT_EXISTS" | "MCH_NOT_EXISTS" => 404,
        "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" => 429,
        "SYSTEM_ERROR" => 500,
        _ => 400,
    }
}

/// v2's refusals by v3's names.
fn translated((code, text): (&str, &str)) -> Refused {
    let code = match code {
        "ORDERNOTEXIST" => "ORDER_NOT_EXIST",
        "ORDERCLOSED" => "ORDER_CLOSED",
        "NOTENOUGH" => "NOT_ENOUGH",
        "SYSTEMERROR" => "SYSTEM_ERROR",
        "REFUNDNOTEXIST" => "RESOURCE_NOT_EXISTS",
        "LACK_PARAMS" => "PARAM_ERROR",
        "ERROR" | "TRADE_OVERDUE" => "INVALID_REQUEST",
        other => other,
    };
    refused(status_of(code), code, text)
}

fn text<'v>(
    body: &'v Value,
    pointer: &str,
    name: &str,
    length: std::ops::RangeInclusive<usize>,
) -> Result<&'v str, Refused> {
    let value = body.pointer(pointer).and_then(Value::as_str);
    let fits = |value: &&str| length.contains(&value.len());
    value.filter(fits).ok_or_else(|| {
        let bytes = value.map(|value| format!("，字节数 {}，应为 {} 到 {}", value.len(), length.start(), length.end()));
        let rule = format!("输入源“/body{pointer}”映射到值字段“{name}”字符串规则校验失败");
        refused(400, "PARAM_ERROR", &format!("{rule}{}", bytes.unwrap_or_default()))
    })
}

#[post("/v3/pay/transactions/jsapi", data = "<data>")]
async fn order(sim: &State<Simulator>, asked: Asked, data: Data<'_>) -> Result<Answer, Status> {
    serve(sim, "unifiedorder", asked, Some(data), place).await
}

/// For so long an order can be paid at most. Source: JSAPI order, API v3.
const MOST_OPEN: i64 = 90 * DAY;

/// What an order may say; anything else is an error. Source: JSAPI order, API v3.
const FIELDS: [&str; 14] = [
    "appid",
    "mchid",
    "description",
    "out_trade_no",
    "time_expire",
    "attach",
    "notify_url",
    "goods_tag",
    "support_fapiao",
    "amount",
    "payer",
    "detail",
    "scene_info",
    "settle_info",
];

/// What a refund may say. Source: refund request, API v3.
const REFUND_FIELDS: [&str; 8] = [
    "transaction_id",
    "out_trade_no",
    "out_refund_no",
    "reason",
    "notify_url",
    "funds_account",
    "amount",
    "goods_detail",
];

fn known(body: &Value, fields: &[&str]) -> Result<(), Refused> {
    let unknown = body.as_object().and_then(|said| said.keys().find(|name| !fields.contains(&name.as_str())));
    unknown.map_or(Ok(()), |name| Err(refused(400, "PARAM_ERROR", &format!("不支持的参数 {name}"))))
}

fn place(sim: &Simulator, body: &Value) -> Done {
    ours(sim, body)?;
    let param = |words: &str| refused(400, "PARAM_ERROR", words);
    known(body, &FIELDS)?;
    if body.get("attach").is_some() {
        text(body, "/attach", "附加数据", 0..=128)?;
    }
    let number = text(body, "/out_trade_no", "商户订单号", 6..=32)?;
    if !number.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-|*".contains(&b)) {
        return Err(param("商户订单号格式错误"));
    }
    let total = body.pointer("/amount/total").and_then(Value::as_i64).filter(|fen| *fen >= 1);
    let total = total.ok_or_else(|| param("订单金额应为大于0的整数"))?;
    if body.pointer("/amount/currency").is_some_and(|currency| currency != "CNY") {
        return Err(param("货币类型应为CNY"));
    }
    let url = text(body, "/notify_url", "通知地址", 1..=255)?;
    if !is_loopback(url) || url.contains(['?', '#']) {
        return Err(param("模拟微信只通知本机地址，且notify_url不能带参数"));
    }
    let now = sim.clock.now();
    let (app_id, openid) = (body["appid"].as_str(), text(body, "/payer/openid", "用户标识", 1..=128)?);
    if sim.lock().kept.openids.get(openid).is_some_and(|theirs| Some(theirs.as_str()) != app_id) {
        return Err(param("appid和openid不匹配"));
    }
    let mut order = Message::from([
        ("api", "v3"),
        ("appid", text(body, "/appid", "应用ID", 1..=32)?),
        ("out_trade_no", number),
        ("body", text(body, "/description", "商品描述", 1..=127)?),
        ("notify_url", url),
        ("openid", openid),
        ("trade_type", "JSAPI"),
    ]);
    order.set("total_fee", total.to_string());
    if let Some(time) = body.get("time_expire") {
        let at = time.as_str().and_then(clock::from_rfc3339).ok_or_else(|| param("time_expire格式错误"))?;
        if at < now + MINUTE {
            return Err(param("time_expire时间过短，至少1分钟"));
        }
        if at > now + MOST_OPEN {
            return Err(param("time_expire时间过长，最多90天"));
        }
        order.set("time_expire", clock::compact(at));
    }
    let prepay_id = place_trade(sim, number, order).map_err(|no| match no.0 {
        // The same words for a number that was used otherwise, in v3's own name.
        "INVALID_REQUEST" => refused(403, "OUT_TRADE_NO_USED", "商户订单号重复"),
        "ORDERPAID" => refused(400, "ORDERPAID", "该订单已支付"),
        _ => translated(no),
    })?;
    Ok(Some(json!({ "prepay_id": prepay_id })))
}

fn ours(sim: &Simulator, body: &Value) -> Result<(), Refused> {
    let field = |name: &str| body.get(name).and_then(Value::as_str);
    let bound = field("appid").is_some_and(|app_id| sim.secret_of(app_id).is_some());
    if bound && field("mchid") == Some(&sim.merchant.mch_id) {
        return Ok(());
    }
    Err(refused(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"))
}

#[get("/v3/pay/transactions/out-trade-no/<number>?<mchid>")]
async fn query(sim: &State<Simulator>, asked: Asked, number: &str, mchid: Option<&str>) -> Result<Answer, Status> {
    serve(sim, "orderquery", asked, None, |sim, _| found(sim, mchid, trade_named(sim, number, ""))).await
}

#[get("/v3/pay/transactions/id/<id>?<mchid>")]
async fn query_transaction(
    sim: &State<Simulator>,
    asked: Asked,
    id: &str,
    mchid: Option<&str>,
) -> Result<Answer, Status> {
    serve(sim, "orderquery", asked, None, |sim, _| found(sim, mchid, trade_named(sim, "", id))).await
}

fn found(sim: &Simulator, mchid: Option<&str>, trade: Option<Trade>) -> Done {
    if mchid != Some(sim.merchant.mch_id.as_str()) {
        return Err(refused(400, "PARAM_ERROR", "mchid与商户号不一致"));
    }
    let trade = trade.ok_or_else(|| refused(404, "ORDER_NOT_EXIST", "订单不存在"))?;
    Ok(Some(facts(sim, &trade)))
}

#[post("/v3/pay/transactions/out-trade-no/<number>/close", data = "<data>")]
async fn close(sim: &State<Simulator>, asked: Asked, number: &str, data: Data<'_>) -> Result<Answer, Status> {
    serve(sim, "closeorder", asked, Some(data), |sim, body| {
        if body.get("mchid").and_then(Value::as_str) != Some(&sim.merchant.mch_id) {
            return Err(refused(400, "PARAM_ERROR", "mchid与商户号不一致"));
        }
        // 204 for a repeated close and for a number that never was.
        match close_trade(sim, number, 0) {
            Ok(()) | Err(("ORDERCLOSED", _)) => Ok(None),
            Err(("ORDERPAID", text)) => Err(refused(400, "ORDERPAID", text)),
            Err(no) => Err(translated(no)),
        }
    })
    .await
}

#[post("/v3/refund/domestic/refunds", data = "<data>")]
async fn refund(sim: &State<Simulator>, asked: Asked, data: Data<'_>) -> Result<Answer, Status> {
    serve(sim, "refund", asked, Some(data), give_back).await
}

fn give_back(sim: &Simulator, body: &Value) -> Done {
    known(body, &REFUND_FIELDS)?;
    if body.get("reason").is_some() {
        text(body, "/reason", "退款原因", 0..=80)?;
    }
    if body.get("notify_url").is_some() && text(body, "/notify_url", "退款结果回调url", 1..=256)?.contains(['?', '#'])
    {
        return Err(refused(400, "PARAM_ERROR", "notify_url不能带参数"));
    }
    let number = text(body, "/out_refund_no", "商户退款单号", 1..=64)?;
    let fen =
        |pointer: &str| body.pointer(pointer).and_then(Value::as_i64).and_then(Fen::new).filter(|fen| fen.get() >= 1);
    let (Some(amount), Some(total)) = (fen("/amount/refund"), fen("/amount/total")) else {
        return Err(refused(400, "PARAM_ERROR", "退款金额和原订单金额应为大于0的整数"));
    };
    if body.pointer("/amount/currency").and_then(Value::as_str) != Some("CNY") {
        return Err(refused(400, "PARAM_ERROR", "退款币种应为CNY"));
    }
    let mut message = Message::from([("api", "v3"), ("out_refund_no", number)]);
    if let Some(reason) = body.get("reason").and_then(Value::as_str) {
        message.set("refund_desc", reason);
    }
    message.set("refund_fee", amount.get().to_string());
    message.set("total_fee", total.get().to_string());
    for name in ["transaction_id", "out_trade_no", "notify_url"] {
        if let Some(value) = body.get(name).and_then(Value::as_str) {
            message.set(name, value);
        }
    }
    match body.get("funds_account").and_then(Value::as_str) {
        None => {}
        Some("AVAILABLE") => message.set("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
        Some(_) => return Err(refused(400, "PARAM_ERROR", "funds_account不正确")),
    }
    refunds::ask(sim, &message).map_err(translated)?;
    let made = sim.all_refunds().into_iter().find(|refund| refund.out_refund_no == number);
    made.map(|refund| Some(refund_facts(sim, &refund, "status")))
        .ok_or_else(|| refused(500, "SYSTEM_ERROR", "系统错误"))
}

#[get("/v3/refund/domestic/refunds/<number>")]
async fn refund_query(sim: &State<Simulator>, asked: Asked, number: &str) -> Result<Answer, Status> {
    serve(sim, "refundquery", asked, None, |sim, _| {
        let found = sim.all_refunds().into_iter().find(|refund| refund.out_refund_no == number);
        let found = found.ok_or_else(|| refused(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))?;
        Ok(Some(refund_facts(sim, &found, "status")))
    })
    .await
}

#[get("/v3/bill/tradebill?<bill_date>&<bill_type>&<tar_type>")]
async fn bill(
    sim: &State<Simulator>,
    asked: Asked,
    bill_date: Option<&str>,
    bill_type: Option<&str>,
    tar_type: Option<&str>,
) -> Result<Answer, Status> {
    let here = asked.here.clone();
    serve(sim, "downloadbill", asked, None, move |sim, _| {
        let day = day_of(bill_date)?;
        let kind = bill_type.unwrap_or("ALL");
        let plain = packed(sim, day, kind, None)?;
        let gzip = if tar_type == Some("GZIP") { "&gzip=1" } else { "" };
        Ok(Some(json!({
            "hash_type": "SHA1", "hash_value": hex::encode(Sha1::digest(plain)),
            "download_url": format!("{here}/v3/billdownload/file?token={day}{kind}{gzip}"),
        })))
    })
    .await
}

#[get("/v3/bill/fundflowbill?<bill_date>&<account_type>&<tar_type>")]
async fn funds_bill(
    sim: &State<Simulator>,
    asked: Asked,
    bill_date: Option<&str>,
    account_type: Option<&str>,
    tar_type: Option<&str>,
) -> Result<Answer, Status> {
    let here = asked.here.clone();
    serve(sim, "downloadfundflow", asked, None, move |sim, _| {
        let day = day_of(bill_date)?;
        if !matches!(account_type, None | Some("BASIC")) {
            return Err(refused(400, "PARAM_ERROR", "模拟微信只有基本账户"));
        }
        let plain = packed(sim, day, FUNDS, None)?;
        let gzip = if tar_type == Some("GZIP") { "&gzip=1" } else { "" };
        Ok(Some(json!({
            "hash_type": "SHA1", "hash_value": hex::encode(Sha1::digest(plain)),
            "download_url": format!("{here}/v3/billdownload/file?token={day}{FUNDS}{gzip}"),
        })))
    })
    .await
}

fn day_of(bill_date: Option<&str>) -> Result<Day, Refused> {
    bill_date.and_then(Day::read).ok_or_else(|| refused(400, "PARAM_ERROR", "bill_date格式错误"))
}

fn packed(sim: &Simulator, day: Day, kind: &str, tar: Option<&str>) -> Result<Vec<u8>, Refused> {
    if kind == FUNDS {
        return funds::download(sim, day, tar == Some("GZIP")).map_err(|(code, text)| match code {
            "NO_BILL_EXIST" => refused(400, "NO_STATEMENT_EXIST", text),
            "BILL_CREATING" => refused(400, "STATEMENT_CREATING", text),
            _ => refused(500, "SYSTEM_ERROR", text),
        });
    }
    let mut message = Message::from([("bill_type", kind)]);
    message.set("bill_date", day.to_string());
    if let Some(tar) = tar {
        message.set("tar_type", tar);
    }
    bills::download(sim, &message).map_err(|(text, code)| match code {
        "20002" => refused(400, "NO_STATEMENT_EXIST", text),
        "20003" => refused(400, "STATEMENT_CREATING", text),
        _ => refused(400, "PARAM_ERROR", text),
    })
}

#[get("/v3/billdownload/file?<token>&<gzip>")]
async fn bill_file(
    sim: &State<Simulator>,
    asked: Asked,
    token: Option<&str>,
    gzip: Option<u8>,
) -> Result<Answer, Status> {
    let keys = sim.v3().ok_or(Status::NotFound)?;
    if let Err(no) = asked.body(sim, &keys, None).await {
        return Ok(answer(sim, &keys, Err(no), None));
    }
    let named = token.and_then(|token| token.split_at_checked(8));
    let Some((day, kind)) = named.and_then(|(day, kind)| Some((day.parse().ok()?, kind))) else {
        return Ok(answer(sim, &keys, Err(refused(400, "PARAM_ERROR", "token不正确")), None));
    };
    let fault = begin(sim, "billdownload").await;
    if let Some(Fault::ErrCode(code, text)) = &fault {
        return Ok(answer(sim, &keys, Err(refused(status_of(code), code, text)), None));
    }
    let spoilt = matches!(fault, Some(Fault::BillHash));
    match packed(sim, day, kind, gzip.map(|_| "GZIP")) {
        Ok(_) if spoilt => Ok(file([packed(sim, day, kind, None).unwrap_or_default(), b"\n".to_vec()].concat())),
        Ok(bytes) => Ok(file(bytes)),
        Err(no) => Ok(answer(sim, &keys, Err(no), None)),
    }
}

/// Whatever else is asked for: who asks is checked first all the same.
#[get("/v3/<_..>", rank = 50)]
async fn not_got(sim: &State<Simulator>, asked: Asked) -> Result<Answer, Status> {
    serve(sim, "elsewhere", asked, None, |_, _| nothing()).await
}

#[post("/v3/<_..>", rank = 50, data = "<data>")]
async fn not_posted(sim: &State<Simulator>, asked: Asked, data: Data<'_>) -> Result<Answer, Status> {
    serve(sim, "elsewhere", asked, Some(data), |_, _| nothing()).await
}

fn nothing() -> Done {
    Err(refused(404, "RESOURCE_NOT_EXISTS", "请求的资源不存在"))
}
