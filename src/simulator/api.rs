//! The simulated endpoints: login; unified order, query, close; refund, refund query; bill.

use std::net::IpAddr;
use std::time::Duration;

use rocket::Request;
use rocket::data::{Data, ToByteUnit};
use rocket::http::{ContentType, Header, Status};
use rocket::mtls::Certificate;
use rocket::request::{FromRequest, Outcome};
use rocket::serde::json::Json;
use rocket::{Route, State, get, post, routes};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::state::{Trade, TradeState, digest};
use super::trades::facts;
use super::{CODE_LIFE, Fault, Fields, Refused, Simulator, bills, funds, refunds};
use crate::clock::{self, MINUTE};
use crate::wechat::reach::is_loopback;
use crate::wechat::v2::message::Message;
use crate::wechat::v2::sign;

pub fn routes() -> Vec<Route> {
    routes![
        login_code,
        code_to_session,
        unified_order,
        order_query,
        close_order,
        refund,
        refund_query,
        download_bill,
        download_funds
    ]
}

/// What `wx.login` would do on a phone.
#[get("/simulator/login?<user>&<app>")]
fn login_code(sim: &State<Simulator>, user: &str, app: Option<&str>) -> Json<Value> {
    let code = app.map_or_else(|| sim.login_code(user), |app_id| sim.login_code_at(app_id, user));
    Json(json!({ "code": code, "errMsg": "login:ok" }))
}

#[get("/sns/jscode2session?<appid>&<secret>&<js_code>&<grant_type>")]
async fn code_to_session(
    sim: &State<Simulator>,
    appid: &str,
    secret: &str,
    js_code: &str,
    grant_type: &str,
) -> Result<Json<Value>, Status> {
    let fault = begin(sim, "login").await;
    if matches!(fault, Some(Fault::Http500 | Fault::LoseAnswer)) {
        return Err(Status::InternalServerError);
    }
    let error = |code: i64, text: &str| Ok(Json(json!({ "errcode": code, "errmsg": text })));
    if let Some(Fault::ErrCode(code, text)) = &fault {
        return error(code.parse().unwrap_or(-1), text);
    }
    match sim.secret_of(appid) {
        None => return error(40013, "invalid appid"),
        Some(right) if right != secret => return error(40125, "invalid appsecret"),
        Some(_) => {}
    }
    if grant_type != "authorization_code" {
        return error(40002, "invalid grant_type");
    }
    let now = sim.clock.now();
    let mut state = sim.lock();
    match state.codes.get_mut(js_code).filter(|code| code.app_id == appid) {
        Some(code) if code.used => error(40163, "code been used"),
        Some(code) if now - code.at <= CODE_LIFE => {
            code.used = true;
            let session_key = "c2ltdWxhdGVkLXNlc3Npb24ta2V5";
            Ok(Json(json!({ "openid": code.openid, "session_key": session_key })))
        }
        _ => error(40029, "invalid code"),
    }
}

type Answer = Result<(ContentType, String), Status>;

#[post("/pay/unifiedorder", data = "<data>")]
async fn unified_order(sim: &State<Simulator>, data: Data<'_>) -> Answer {
    serve(sim, "unifiedorder", data, place).await
}

#[post("/pay/orderquery", data = "<data>")]
async fn order_query(sim: &State<Simulator>, data: Data<'_>) -> Answer {
    serve(sim, "orderquery", data, query).await
}

#[post("/pay/closeorder", data = "<data>")]
async fn close_order(sim: &State<Simulator>, data: Data<'_>) -> Answer {
    serve(sim, "closeorder", data, close).await
}

/// Whoever asks for a refund must show the merchant's certificate, wherever TLS can carry one.
struct Shown(bool);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Shown {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<Shown, ()> {
        if !request.rocket().config().mtls_enabled() {
            return Outcome::Success(Shown(true));
        }
        let ours = request.rocket().state::<Simulator>().map(|sim| sim.merchant.mch_id.clone());
        let named = |certificate: Certificate<'_>| {
            let names = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
            names.map(str::to_owned).next()
        };
        match Certificate::from_request(request).await {
            Outcome::Success(certificate) => Outcome::Success(Shown(named(certificate) == ours)),
            _ => Outcome::Success(Shown(false)),
        }
    }
}

#[post("/secapi/pay/refund", data = "<data>")]
async fn refund(sim: &State<Simulator>, shown: Shown, data: Data<'_>) -> Answer {
    if !shown.0 {
        return fail("证书已过期，或退款需要证书");
    }
    serve(sim, "refund", data, refunds::ask).await
}

#[post("/pay/refundquery", data = "<data>")]
async fn refund_query(sim: &State<Simulator>, data: Data<'_>) -> Answer {
    serve(sim, "refundquery", data, refunds::query).await
}

/// The bill answers in its own way: bytes, or an unsigned message with `error_code`.
#[post("/pay/downloadbill", data = "<data>")]
async fn download_bill(sim: &State<Simulator>, data: Data<'_>) -> Result<(ContentType, Vec<u8>), Status> {
    let refused = |text: &str, code: &str| {
        let fields = [("return_code", "FAIL"), ("return_msg", text), ("error_code", code)];
        Ok((ContentType::Plain, Message::from(fields).to_xml().into_bytes()))
    };
    match begin(sim, "downloadbill").await {
        Some(Fault::Http500 | Fault::LoseAnswer) => return Err(Status::InternalServerError),
        Some(Fault::ErrCode(code, text)) => return refused(&text, &code),
        Some(Fault::ReturnFail(text)) => return refused(&text, ""),
        Some(Fault::Slow(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
        _ => {}
    }
    let message = match trusted(sim, data).await {
        Ok(message) => message,
        Err(text) => return refused(&text, ""),
    };
    match bills::download(sim, &message) {
        Ok(bytes) => Ok((ContentType::Plain, bytes)),
        Err((text, code)) => refused(text, code),
    }
}

/// A file with its hash in a header, or an unsigned refusal.
#[derive(rocket::Responder)]
enum FundsFile {
    File(Vec<u8>, Header<'static>),
    Refused((ContentType, String)),
}

/// Over mutual TLS and by HMAC alone. Source: download fund flow, API v2.
#[post("/pay/downloadfundflow", data = "<data>")]
async fn download_funds(sim: &State<Simulator>, shown: Shown, data: Data<'_>) -> Result<FundsFile, Status> {
    let refused = |code: &str, text: &str| {
        let fields = [("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", code), ("err_code_des", text)];
        Ok(FundsFile::Refused((ContentType::XML, Message::from(fields).to_xml())))
    };
    match begin(sim, "downloadfundflow").await {
        Some(Fault::Http500 | Fault::LoseAnswer) => return Err(Status::InternalServerError),
        Some(Fault::ErrCode(code, text)) => return refused(&code, &text),
        Some(Fault::ReturnFail(text)) => return fail(&text).map(FundsFile::Refused),
        _ => {}
    }
    if !shown.0 {
        return fail("证书已过期，或下载资金账单需要证书").map(FundsFile::Refused);
    }
    let message = match trusted(sim, data).await {
        Ok(message) => message,
        Err(text) => return fail(&text).map(FundsFile::Refused),
    };
    let day = message.filled("bill_date").and_then(|day| day.parse().ok());
    let account = message.get("account_type").unwrap_or_default();
    let known = ["Basic", "Operation", "Fees"].contains(&account) && message.get("sign_type") == Some("HMAC-SHA256");
    let Some(day) = day.filter(|_| known) else { return refused("PARAM_ERROR", "参数错误") };
    if account != "Basic" {
        return refused("NO_BILL_EXIST", "账单不存在");
    }
    match funds::download(sim, day, message.get("tar_type") == Some("GZIP")) {
        Ok(bytes) => {
            let digest = Header::new("Digest", format!("SHA={}", hex::encode(Sha1::digest(&bytes))));
            Ok(FundsFile::File(bytes, digest))
        }
        Err((code, text)) => refused(code, text),
    }
}

pub async fn begin(sim: &Simulator, kind: &str) -> Option<Fault> {
    let mut state = sim.lock();
    *state.calls.entry(kind.to_owned()).or_default() += 1;
    state.faults.take(kind)
}

fn fail(text: &str) -> Answer {
    let fields = [("return_code", "FAIL"), ("return_msg", text)];
    Ok((ContentType::XML, Message::from(fields).to_xml()))
}

/// What came, if it is strict XML, from our merchant and rightly signed.
async fn trusted(sim: &Simulator, data: Data<'_>) -> Result<Message, String> {
    let bytes = data.open(64.kibibytes()).into_bytes().await.map_err(|_| "POST数据为空")?;
    let message = Message::read(&bytes).map_err(|e| format!("XML格式错误 {}", e.word()))?;
    let bound = message.filled("appid").is_some_and(|app_id| sim.secret_of(app_id).is_some());
    if !bound || message.get("mch_id") != Some(&sim.merchant.mch_id) {
        return Err("appid和mch_id不匹配".into());
    }
    if message.filled("nonce_str").is_none_or(|nonce| nonce.len() > 32) {
        return Err("nonce_str参数格式错误".into());
    }
    let sign_type = digest(&message).ok_or("签名类型sign_type不正确")?;
    match sign::verify(message, sign_type, &sim.merchant().key) {
        Ok(message) => Ok(message.message().clone()),
        Err(_) => Err("签名错误，请检查后再试".into()),
    }
}

/// Every endpoint of the pay API: strict XML, our merchant, a right signature; then the work; then a signed answer.
async fn serve(
    sim: &Simulator,
    kind: &str,
    data: Data<'_>,
    work: fn(&Simulator, &Message) -> Result<Fields, Refused>,
) -> Answer {
    let fault = begin(sim, kind).await;
    match &fault {
        Some(Fault::Http500) => return Err(Status::InternalServerError),
        Some(Fault::ReturnFail(text)) => return fail(text),
        _ => {}
    }
    let message = match trusted(sim, data).await {
        Ok(message) => message,
        Err(text) => return fail(&text),
    };
    let done = match &fault {
        Some(Fault::ErrCode(code, text)) => Err((code.as_ref(), text.as_ref())),
        _ => work(sim, &message),
    };
    match &fault {
        Some(Fault::LoseAnswer) => return Err(Status::BadGateway),
        Some(Fault::Slow(ms)) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        _ => {}
    }
    let merchant = sim.merchant();
    let mut answer = Message::from([
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("appid", message.get("appid").unwrap_or_default()),
        ("mch_id", &merchant.mch_id),
    ]);
    answer.set("nonce_str", sim.nonces.nonce_str());
    match done {
        Ok(fields) => {
            answer.set("result_code", "SUCCESS");
            fields.into_iter().for_each(|(name, value)| answer.set(&name, value));
        }
        Err((code, text)) => {
            answer.set("result_code", "FAIL");
            answer.set("err_code", code);
            answer.set("err_code_des", text);
        }
    }
    match fault {
        Some(Fault::OtherMerchant) => answer.set("mch_id", "1900000000"),
        Some(Fault::OtherApp) => answer.set("appid", "wx0000000000000000"),
        _ => {}
    }
    let mut signature = sign::sign(&answer, digest(&message).unwrap_or_default(), &merchant.key);
    if matches!(fault, Some(Fault::BadSign)) {
        signature = signature.chars().rev().collect();
    }
    answer.set("sign", signature);
    Ok((ContentType::XML, answer.to_xml()))
}

fn place(sim: &Simulator, message: &Message) -> Result<Fields, Refused> {
    check_order(message, sim.clock.now())?;
    let (app_id, openid) = (message.get("appid"), message.get("openid").unwrap_or_default());
    if sim.lock().kept.openids.get(openid).is_some_and(|theirs| Some(theirs.as_str()) != app_id) {
        return Err(("PARAM_ERROR", "appid和openid不匹配"));
    }
    let number = message.get("out_trade_no").unwrap_or_default().to_owned();
    // A repeat may carry a new nonce; everything else must be the same.
    let order = message.without("sign").without("nonce_str");
    let prepay_id = place_trade(sim, &number, order)?;
    Ok(vec![("trade_type".into(), "JSAPI".into()), ("prepay_id".into(), prepay_id)])
}

/// A checked order, whatever the version: new, or the same once more.
pub fn place_trade(sim: &Simulator, number: &str, order: Message) -> Result<String, Refused> {
    let now = sim.clock.now();
    let prepay_id = format!("wx{}{}", clock::compact(now), &sim.nonces.nonce_str()[..20]);
    let mut guard = sim.lock();
    let state = &mut *guard;
    state.changed = true;
    let trade = state.kept.trades.entry(number.to_owned()).or_insert_with(|| Trade::new(order.clone(), now));
    match trade.state {
        TradeState::Paid => return Err(("ORDERPAID", "该订单已支付")),
        TradeState::Closed => return Err(("ORDERCLOSED", "该订单已关闭")),
        TradeState::NotPaid => {}
    }
    if trade.order != order {
        return Err(("INVALID_REQUEST", "201 商户订单号重复"));
    }
    trade.prepay_ids.push((prepay_id.clone(), now));
    Ok(prepay_id)
}

fn check_order(message: &Message, now: i64) -> Result<(), Refused> {
    let fits = |name: &str, max: usize| message.filled(name).is_some_and(|value| value.len() <= max);
    if message.filled("openid").is_none_or(|openid| openid.len() > 128) {
        return Err(("PARAM_ERROR", "JSAPI支付必须传openid"));
    }
    for (name, max) in [("body", 127), ("spbill_create_ip", 64), ("notify_url", 256), ("trade_type", 16)] {
        if !fits(name, max) {
            return Err(("LACK_PARAMS", "缺少参数或参数过长"));
        }
    }
    for (name, max) in [("attach", 127), ("detail", 6000), ("goods_tag", 32), ("device_info", 32)] {
        if message.get(name).is_some_and(|value| value.len() > max) {
            return Err(("PARAM_ERROR", "参数过长"));
        }
    }
    if message.get("trade_type") != Some("JSAPI") {
        return Err(("PARAM_ERROR", "trade_type参数错误"));
    }
    let named = |b: u8| b.is_ascii_alphanumeric() || b"_-|*".contains(&b);
    let number = message.get("out_trade_no").unwrap_or_default();
    if !(6..=32).contains(&number.len()) || !number.bytes().all(named) {
        return Err(("PARAM_ERROR", "out_trade_no参数格式错误"));
    }
    if message.filled("fee_type").is_some_and(|currency| currency != "CNY") {
        return Err(("PARAM_ERROR", "fee_type参数错误，境内商户只支持CNY"));
    }
    if message.get("spbill_create_ip").is_none_or(|ip| ip.parse::<IpAddr>().is_err()) {
        return Err(("PARAM_ERROR", "无效的spbill_create_ip"));
    }
    if message.filled("limit_pay").is_some_and(|limit| limit != "no_credit") {
        return Err(("PARAM_ERROR", "limit_pay参数错误"));
    }
    if ["sub_mch_id", "sub_appid", "sub_openid"].iter().any(|name| message.filled(name).is_some()) {
        return Err(("PARAM_ERROR", "普通商户不能传服务商的参数"));
    }
    let fee = message.get("total_fee").and_then(crate::money::Fen::from_wire);
    if fee.is_none_or(|fee| fee.get() < 1) {
        return Err(("PARAM_ERROR", "total_fee参数格式错误"));
    }
    let time = |name: &str| message.filled(name).map(|text| clock::from_compact(text).ok_or(()));
    match (time("time_start"), time("time_expire")) {
        (Some(Err(())), _) | (_, Some(Err(()))) => return Err(("PARAM_ERROR", "时间格式错误")),
        (_, Some(Ok(end))) if end - now < 5 * MINUTE => {
            return Err(("PARAM_ERROR", "time_expire时间过短，刷卡至少1分钟，其他5分钟"));
        }
        (Some(Ok(start)), Some(Ok(end))) if end <= start => {
            return Err(("PARAM_ERROR", "time_expire不能早于time_start"));
        }
        _ => {}
    }
    let url = message.get("notify_url").unwrap_or_default();
    let is_whole = url.splitn(4, '/').count() == 4 && !url.contains(char::is_whitespace);
    if !is_loopback(url) || url.contains('?') || !is_whole {
        return Err(("PARAM_ERROR", "模拟微信只通知本机地址，且notify_url要有路径，不能带参数和空格"));
    }
    Ok(())
}

/// A trade by the shop's number or by WeChat's.
pub fn trade_named(sim: &Simulator, number: &str, transaction_id: &str) -> Option<Trade> {
    let state = sim.lock();
    state.kept.trade_paid_as(transaction_id).or_else(|| state.kept.trades.get(number)).cloned()
}

fn query(sim: &Simulator, message: &Message) -> Result<Fields, Refused> {
    if message.filled("out_trade_no").or(message.filled("transaction_id")).is_none() {
        return Err(("LACK_PARAMS", "缺少transaction_id或out_trade_no"));
    }
    let state = sim.lock();
    let by_number = message.filled("out_trade_no").and_then(|number| state.kept.trades.get(number));
    let by_transaction = message.filled("transaction_id").and_then(|id| state.kept.trade_paid_as(id));
    let trade = by_transaction.or(by_number).ok_or(("ORDERNOTEXIST", "订单不存在"))?;
    let (word, text) = match trade.state {
        TradeState::NotPaid => trade.unpaid_state(),
        TradeState::Closed => ("CLOSED", "订单已关闭"),
        TradeState::Paid => {
            let transaction = trade.transaction_id.as_deref().unwrap_or_default();
            match state.kept.refunds_of(transaction).next() {
                Some(_) => ("REFUND", "订单发生过退款"),
                None => ("SUCCESS", "支付成功"),
            }
        }
    };
    let mut fields = match trade.state {
        TradeState::Paid => facts(trade),
        _ => vec![("out_trade_no".to_owned(), trade.field("out_trade_no").to_owned())],
    };
    fields.push(("trade_state".into(), word.into()));
    fields.push(("trade_state_desc".into(), text.into()));
    Ok(fields)
}

/// API v2 wants five minutes between an order and its closing; with v3 that is advice.
const CLOSABLE_AFTER: i64 = 5 * MINUTE;

fn close(sim: &Simulator, message: &Message) -> Result<Fields, Refused> {
    let number = message.filled("out_trade_no").ok_or(("LACK_PARAMS", "缺少out_trade_no"))?;
    close_trade(sim, number, CLOSABLE_AFTER).map(|()| Vec::new())
}

/// Closes a trade of this age, whatever the version. A number that nobody knows closes like any other, as at the real one.
pub fn close_trade(sim: &Simulator, number: &str, age: i64) -> Result<(), Refused> {
    let now = sim.clock.now();
    let mut state = sim.lock();
    let early = state.kept.ways.closes_early;
    let Some(trade) = state.kept.trades.get_mut(number) else { return Ok(()) };
    match trade.state {
        TradeState::Paid => Err(("ORDERPAID", "订单已支付，不能发起关单")),
        TradeState::Closed => Err(("ORDERCLOSED", "订单已关闭")),
        TradeState::NotPaid if !early && now - trade.created_at < age => {
            Err(("TRADE_STATE_ERROR", "订单生成后不能马上调用关单接口，最短间隔5分钟"))
        }
        TradeState::NotPaid => {
            trade.state = TradeState::Closed;
            state.changed = true;
            Ok(())
        }
    }
}
