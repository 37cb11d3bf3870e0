//! The simulated endpoints: login, unified order, query, close.

use rocket::data::{Data, ToByteUnit};
use rocket::http::{ContentType, Status};
use rocket::serde::json::Json;
use rocket::{Route, State, get, post, routes};
use serde_json::{Value, json};

use super::trades::{Trade, TradeState, facts};
use super::{CODE_LIFE, Fault, Simulator};
use crate::clock;
use crate::ids::OutTradeNo;
use crate::wechat::message::Message;
use crate::wechat::sign;

pub fn routes() -> Vec<Route> {
    routes![login_code, code_to_session, unified_order, order_query, close_order]
}

/// What `wx.login` would do on a phone.
#[get("/simulator/login?<user>")]
fn login_code(sim: &State<Simulator>, user: &str) -> Json<Value> {
    Json(json!({ "code": sim.login_code(user), "errMsg": "login:ok" }))
}

#[get("/sns/jscode2session?<appid>&<secret>&<js_code>&<grant_type>")]
fn code_to_session(
    sim: &State<Simulator>,
    appid: &str,
    secret: &str,
    js_code: &str,
    grant_type: &str,
) -> Result<Json<Value>, Status> {
    let fault = begin(sim, "login");
    if matches!(fault, Some(Fault::Http500 | Fault::LoseAnswer)) {
        return Err(Status::InternalServerError);
    }
    let error = |code: i64, text: &str| Ok(Json(json!({ "errcode": code, "errmsg": text })));
    if let Some(Fault::ErrCode(code, text)) = fault {
        return error(code.parse().unwrap_or(-1), text);
    }
    if appid != sim.app.app_id {
        return error(40013, "invalid appid");
    }
    if secret != sim.app.app_secret {
        return error(40125, "invalid appsecret");
    }
    if grant_type != "authorization_code" {
        return error(40002, "invalid grant_type");
    }
    let now = sim.clock.now();
    let mut state = sim.lock();
    match state.codes.get_mut(js_code) {
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

/// A refusal: WeChat's code and words.
type Refused = (&'static str, &'static str);
type Fields = Vec<(&'static str, String)>;

fn begin(sim: &Simulator, kind: &str) -> Option<Fault> {
    let mut state = sim.lock();
    *state.calls.entry(kind.to_owned()).or_default() += 1;
    state.faults.get_mut(kind).and_then(|queue| queue.pop_front())
}

/// Every endpoint of the pay API: strict XML, our merchant, a right signature; then the work; then a signed answer.
async fn serve(
    sim: &Simulator,
    kind: &str,
    data: Data<'_>,
    work: fn(&Simulator, &Message) -> Result<Fields, Refused>,
) -> Answer {
    let fault = begin(sim, kind);
    let fail = |text: &str| {
        let fields = [("return_code", "FAIL"), ("return_msg", text)];
        Ok((ContentType::XML, Message::from(fields).to_xml()))
    };
    match fault {
        Some(Fault::Http500) => return Err(Status::InternalServerError),
        Some(Fault::ReturnFail(text)) => return fail(text),
        _ => {}
    }
    let Ok(bytes) = data.open(64.kibibytes()).into_bytes().await else { return fail("POST数据为空") };
    let message = match Message::read(&bytes) {
        Ok(message) => message,
        Err(e) => return fail(&format!("XML格式错误 {}", e.word())),
    };
    if message.get("appid") != Some(&sim.merchant.app_id) || message.get("mch_id") != Some(&sim.merchant.mch_id) {
        return fail("appid和mch_id不匹配");
    }
    if message.filled("nonce_str").is_none_or(|nonce| nonce.len() > 32) {
        return fail("nonce_str参数格式错误");
    }
    let message = match sign::verify(message, sim.merchant.sign_type, &sim.merchant.key) {
        Ok(message) => message.message().clone(),
        Err(_) => return fail("签名错误，请检查后再试"),
    };
    let done = match fault {
        Some(Fault::ErrCode(code, text)) => Err((code, text)),
        _ => work(sim, &message),
    };
    if matches!(fault, Some(Fault::LoseAnswer)) {
        return Err(Status::BadGateway);
    }
    let mut answer = Message::from([
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("appid", &sim.merchant.app_id),
        ("mch_id", &sim.merchant.mch_id),
    ]);
    answer.set("nonce_str", sim.nonces.nonce_str());
    match done {
        Ok(fields) => {
            answer.set("result_code", "SUCCESS");
            fields.into_iter().for_each(|(name, value)| answer.set(name, value));
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
    let mut signature = sign::sign(&answer, sim.merchant.sign_type, &sim.merchant.key);
    if matches!(fault, Some(Fault::BadSign)) {
        signature = signature.chars().rev().collect();
    }
    answer.set("sign", signature);
    Ok((ContentType::XML, answer.to_xml()))
}

fn place(sim: &Simulator, message: &Message) -> Result<Fields, Refused> {
    check_order(message)?;
    let number = message.get("out_trade_no").unwrap_or_default().to_owned();
    // A repeat may carry a new nonce; everything else must be the same.
    let order = message.without("sign").without("nonce_str");
    let now = sim.clock.now();
    let prepay_id = format!("wx{}{}", clock::compact(now), &sim.nonces.nonce_str()[..20]);
    let mut state = sim.lock();
    let trade = state.trades.entry(number).or_insert_with(|| Trade {
        order: order.clone(),
        state: TradeState::NotPaid,
        prepay_ids: Vec::new(),
        transaction_id: None,
        paid_fee: None,
        payer: None,
        time_end: None,
        notices: Vec::new(),
        pays_late: false,
    });
    match trade.state {
        TradeState::Paid => return Err(("ORDERPAID", "该订单已支付")),
        TradeState::Closed => return Err(("ORDERCLOSED", "该订单已关闭")),
        TradeState::NotPaid => {}
    }
    if trade.order != order {
        return Err(("INVALID_REQUEST", "201 商户订单号重复"));
    }
    trade.prepay_ids.push((prepay_id.clone(), now));
    Ok(vec![("trade_type", "JSAPI".into()), ("prepay_id", prepay_id)])
}

fn check_order(message: &Message) -> Result<(), Refused> {
    let fits = |name: &str, max: usize| message.filled(name).is_some_and(|value| value.len() <= max);
    if message.filled("openid").is_none_or(|openid| openid.len() > 128) {
        return Err(("PARAM_ERROR", "JSAPI支付必须传openid"));
    }
    for (name, max) in [("body", 127), ("spbill_create_ip", 64), ("notify_url", 256), ("trade_type", 16)] {
        if !fits(name, max) {
            return Err(("LACK_PARAMS", "缺少参数或参数过长"));
        }
    }
    if message.get("trade_type") != Some("JSAPI") {
        return Err(("PARAM_ERROR", "trade_type参数错误"));
    }
    if message.get("out_trade_no").is_none_or(|number| number.parse::<OutTradeNo>().is_err()) {
        return Err(("PARAM_ERROR", "out_trade_no参数格式错误"));
    }
    let fee = message.get("total_fee").and_then(crate::money::Fen::from_wire);
    if fee.is_none_or(|fee| fee.get() < 1) {
        return Err(("PARAM_ERROR", "total_fee参数格式错误"));
    }
    let time = |name: &str| message.filled(name).map(|text| clock::from_compact(text).ok_or(()));
    match (time("time_start"), time("time_expire")) {
        (Some(Err(())), _) | (_, Some(Err(()))) => return Err(("PARAM_ERROR", "时间格式错误")),
        (Some(Ok(start)), Some(Ok(end))) if end <= start => return Err(("PARAM_ERROR", "time_expire时间过短")),
        _ => {}
    }
    let url = message.get("notify_url").unwrap_or_default();
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| url.starts_with(start));
    if !local || url.contains('?') {
        return Err(("PARAM_ERROR", "模拟微信只通知本机地址，且notify_url不能带参数"));
    }
    Ok(())
}

fn query(sim: &Simulator, message: &Message) -> Result<Fields, Refused> {
    let state = sim.lock();
    let by_number = message.filled("out_trade_no").and_then(|number| state.trades.get(number));
    let by_transaction = message
        .filled("transaction_id")
        .and_then(|id| state.trades.values().find(|trade| trade.transaction_id.as_deref() == Some(id)));
    let trade = by_transaction.or(by_number).ok_or(("ORDERNOTEXIST", "订单不存在"))?;
    Ok(match trade.state {
        TradeState::Paid => {
            let mut fields = facts(trade);
            fields.push(("trade_state", "SUCCESS".into()));
            fields.push(("trade_state_desc", "支付成功".into()));
            fields
        }
        TradeState::NotPaid | TradeState::Closed => {
            let (word, text) = match trade.state {
                TradeState::Closed => ("CLOSED", "订单已关闭"),
                _ => ("NOTPAY", "订单未支付"),
            };
            vec![
                ("out_trade_no", trade.field("out_trade_no").to_owned()),
                ("trade_state", word.into()),
                ("trade_state_desc", text.into()),
            ]
        }
    })
}

fn close(sim: &Simulator, message: &Message) -> Result<Fields, Refused> {
    let mut state = sim.lock();
    let number = message.filled("out_trade_no").ok_or(("LACK_PARAMS", "缺少out_trade_no"))?;
    // A number that nobody knows closes like any other, as at the real one.
    let Some(trade) = state.trades.get_mut(number) else { return Ok(Vec::new()) };
    match trade.state {
        TradeState::Paid => Err(("ORDERPAID", "订单已支付，不能发起关单")),
        TradeState::Closed => Err(("ORDERCLOSED", "订单已关闭")),
        TradeState::NotPaid => {
            trade.state = TradeState::Closed;
            Ok(Vec::new())
        }
    }
}
