//! Steering the simulated WeChat: a page for people, and a small JSON interface for other people's tests.

use rocket::data::{self, FromData};
use rocket::form::Form;
use rocket::http::Status;
use rocket::response::Redirect;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use rocket::{Catcher, Data, FromForm, Request, Route, State, catch, catchers, delete, get, post, put, routes};
use rocket_dyn_templates::{Template, context};
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::KINDS;
use super::push::{self, Push};
use super::state::TradeState;
use super::{Fault, Foreign, Paying, Refund, RefundEnd, Simulator, Trade, Ways};
use crate::assets;
use crate::clock::{self, Day};
use crate::money::{Fen, plain, yuan};

pub fn routes() -> Vec<Route> {
    routes![
        page,
        page_ways,
        page_fault,
        page_clear,
        page_pay,
        page_refund,
        page_end,
        page_push,
        state,
        ways,
        add_fault,
        clear_faults,
        pay,
        foreign,
        bind_app,
        refund,
        end_refund,
        set_bill,
        set_funds,
        withdraw,
        push_event
    ]
}

/// What an interface is sent, as JSON; of one that is none, the answer says why.
struct Body<T>(T);

impl<T> std::ops::Deref for Body<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// What was wrong with a body, for the catcher.
struct Wrong(String);

#[rocket::async_trait]
impl<'r, T: Deserialize<'r>> FromData<'r> for Body<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        Json::<T>::from_data(request, data).await.map(|Json(body)| Body(body)).map_error(|(status, e)| {
            request.local_cache(|| Wrong(e.to_string()));
            (status, ())
        })
    }
}

pub fn catchers() -> Vec<Catcher> {
    catchers![explain]
}

#[catch(default)]
fn explain(status: Status, request: &Request<'_>) -> Json<Value> {
    let Wrong(words) = request.local_cache(|| Wrong(status.reason_lossy().to_owned()));
    Json(json!({ "error": words }))
}

type Refusal = Custom<Json<Value>>;

fn refused(words: impl Into<String>) -> Refusal {
    Custom(Status::UnprocessableEntity, Json(json!({ "error": words.into() })))
}

// ── JSON ──

fn trade_json(trade: &Trade) -> Value {
    json!({
        "outTradeNo": trade.field("out_trade_no"),
        "state": match trade.state { TradeState::NotPaid => "not_paid", TradeState::Paid => "paid", TradeState::Closed => "closed" },
        "totalFen": trade.field("total_fee").parse::<i64>().unwrap_or(0),
        "paidFen": trade.paid_fee.as_ref().map(|_| trade.paid_fen()),
        "settledFen": trade.paid_fee.as_ref().map(|_| trade.settled_fen()),
        "transactionId": trade.transaction_id,
        "prepayId": trade.prepay_ids.last().map(|(id, _)| id),
        "notices": trade.notices.len(),
    })
}

fn refund_json(refund: &Refund, now: i64) -> Value {
    json!({
        "outRefundNo": refund.out_refund_no, "refundId": refund.refund_id, "transactionId": refund.transaction_id,
        "amountFen": refund.amount_fen, "settledFen": refund.settled_fen(), "status": refund.status(now), "byConsole": refund.by_console, "asked": refund.asked,
    })
}

/// Everything it knows: trades, refunds, ways, faults, and how often each interface was called.
#[get("/simulator/state")]
fn state(sim: &State<Simulator>) -> Json<Value> {
    let now = sim.clock.now();
    let state = sim.lock();
    let faults = state
        .faults
        .listed()
        .into_iter()
        .map(|(kind, fault, always)| json!({ "kind": kind, "fault": fault, "always": always }));
    Json(json!({
        "trades": state.kept.trades.values().map(trade_json).collect::<Vec<_>>(),
        "refunds": state.kept.refunds.iter().map(|refund| refund_json(refund, now)).collect::<Vec<_>>(),
        "ways": state.kept.ways,
        "faults": faults.collect::<Vec<_>>(),
        "calls": state.calls,
        "messages": state.kept.messages,
        "orderPath": state.order_path,
    }))
}

/// How refunds and bills go from now on; what is left out takes its default.
#[put("/simulator/ways", data = "<new>")]
fn ways(sim: &State<Simulator>, new: Body<Ways>) -> Json<Ways> {
    sim.ways(|ways| *ways = new.0.clone());
    Json(new.0)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewFault {
    /// `refund`, `refundquery`, `unifiedorder` …
    kind: String,
    /// `"lose_answer"`, `{"err_code": ["NOTENOUGH", "余额不足"]}`, `{"slow": 3000}` …
    fault: Fault,
    /// So many calls; without it, every call until the faults are cleared.
    times: Option<u32>,
}

#[post("/simulator/faults", data = "<new>")]
fn add_fault(sim: &State<Simulator>, new: Body<NewFault>) -> Result<Status, Refusal> {
    let NewFault { kind, fault, times } = new.0;
    if !KINDS.contains(&kind.as_str()) {
        return Err(refused(format!("kind must be one of {}", KINDS.join(", "))));
    }
    match times {
        None => sim.fault_always(&kind, fault),
        Some(times) => (0..times.min(1_000)).for_each(|_| sim.fault(&kind, fault.clone())),
    }
    Ok(Status::NoContent)
}

#[delete("/simulator/faults")]
fn clear_faults(sim: &State<Simulator>) -> Status {
    sim.clear_faults();
    Status::NoContent
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pay {
    prepay_id: String,
    /// `well`, `notice_twice`, `no_notice`, `other_amount`, `other_payer`, `late`.
    way: Paying,
}

/// What the buyer does at the cash desk.
#[post("/simulator/pay", data = "<pay>")]
fn pay(sim: &State<Simulator>, pay: Body<Pay>) -> Result<Status, Refusal> {
    sim.pay(&pay.prepay_id, pay.way).map(|()| Status::NoContent).map_err(refused)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct App {
    app_id: String,
    app_secret: String,
}

/// A further app under the merchant number: it can log people in, order and pay.
#[post("/simulator/apps", data = "<app>")]
fn bind_app(sim: &State<Simulator>, app: Body<App>) -> Status {
    sim.bind_app(&app.app_id, &app.app_secret);
    Status::NoContent
}

/// A sale of another app or of a till under the same merchant number: it will stand in the day's bill.
#[post("/simulator/foreign", data = "<sale>")]
fn foreign(sim: &State<Simulator>, sale: Body<Foreign>) -> Result<Json<Value>, Refusal> {
    let transaction_id = sim.sell_elsewhere(&sale).map_err(refused)?;
    Ok(Json(json!({ "transactionId": transaction_id })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConsoleRefund {
    transaction_id: String,
    amount_fen: i64,
}

/// What the merchant does in WeChat's own console.
#[post("/simulator/refunds", data = "<new>")]
fn refund(sim: &State<Simulator>, new: Body<ConsoleRefund>) -> Result<Json<Value>, Refusal> {
    let refund_id = sim.refund_by_console(&new.transaction_id, new.amount_fen).map_err(refused)?;
    Ok(Json(json!({ "refundId": refund_id })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    end: RefundEnd,
}

#[put("/simulator/refunds/<number>", data = "<end>")]
fn end_refund(sim: &State<Simulator>, number: &str, end: Body<End>) -> Result<Status, Refusal> {
    sim.end_refund(number, end.end).map(|()| Status::NoContent).map_err(refused)
}

/// From now on this day's bill is these bytes, plain or gzip; an empty body sets it back.
#[put("/simulator/bills/<day>", data = "<bytes>")]
fn set_bill(sim: &State<Simulator>, day: &str, bytes: Vec<u8>) -> Result<Status, Refusal> {
    let day: Day = day.parse().map_err(|_| refused("the day is written 2026-10-08"))?;
    match bytes.is_empty() {
        true => sim.reset_bills(),
        false => sim.set_bill(day, bytes),
    }
    Ok(Status::NoContent)
}

/// The same for this day's fund flow.
#[put("/simulator/funds/<day>", data = "<bytes>")]
fn set_funds(sim: &State<Simulator>, day: &str, bytes: Vec<u8>) -> Result<Status, Refusal> {
    let day: Day = day.parse().map_err(|_| refused("the day is written 2026-10-08"))?;
    match bytes.is_empty() {
        true => sim.reset_bills(),
        false => sim.set_funds(day, bytes),
    }
    Ok(Status::NoContent)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Withdrawal {
    amount_fen: i64,
}

/// The merchant takes money to his bank: it will stand in the day's fund flow.
#[post("/simulator/withdrawals", data = "<new>")]
fn withdraw(sim: &State<Simulator>, new: Body<Withdrawal>) -> Result<Status, Refusal> {
    if new.amount_fen < 1 {
        return Err(refused("amountFen is at least 1"));
    }
    sim.withdraw(new.amount_fen);
    Ok(Status::NoContent)
}

/// Pushes an event of the mini-program's once; answers with what the shop said.
#[post("/simulator/push", data = "<push>")]
async fn push_event(sim: &State<Simulator>, push: Body<Push>) -> Result<Json<Value>, Refusal> {
    let (status, said) = sim.push(&push).await.map_err(refused)?;
    Ok(Json(json!({ "status": status, "said": said })))
}

// ── the page ──

/// Faults that a person can choose, each by the word that the form sends, with what else there is to say of it there.
fn choices() -> [(&'static str, Fault, &'static str); 26] {
    [
        ("lose_answer", Fault::LoseAnswer, ""),
        ("http_500", Fault::Http500, ""),
        ("slow", Fault::Slow(4_000), ""),
        ("too_slow", Fault::Slow(7_000), "（店铺等 5 秒）"),
        ("bad_sign", Fault::BadSign, ""),
        ("other_merchant", Fault::OtherMerchant, ""),
        ("system_error", Fault::refused("SYSTEMERROR", "系统错误"), ""),
        ("not_enough", Fault::refused("NOTENOUGH", "基本账户余额不足"), ""),
        ("cert_error", Fault::refused("CERT_ERROR", "证书校验错误"), ""),
        ("frequency", Fault::refused("FREQUENCY_LIMITED", "频率限制"), ""),
        ("account", Fault::refused("USER_ACCOUNT_ABNORMAL", "用户账号注销"), ""),
        ("return_fail", Fault::ReturnFail("签名错误".into()), ""),
        ("creating", Fault::refused("20003", "Bill Creating"), "（只用于账单）"),
        ("other_app", Fault::OtherApp, ""),
        ("unsigned", Fault::Unsigned, ""),
        ("sign_test", Fault::SignTest, ""),
        ("other_serial", Fault::OtherSerial, ""),
        ("certificate_serial", Fault::CertificateSerial, ""),
        ("clock_off", Fault::ClockOff, ""),
        ("doubled_header", Fault::DoubledHeader, ""),
        ("tag_changed", Fault::TagChanged, ""),
        ("bill_hash", Fault::BillHash, "（用于 billdownload）"),
        ("bill_elsewhere", Fault::BillElsewhere, "（用于 downloadbill）"),
        ("too_long", Fault::TooLong, ""),
        ("aad_empty", Fault::AadEmpty, ""),
        ("aad_missing", Fault::AadMissing, ""),
    ]
}

fn chosen(word: &str) -> Option<Fault> {
    choices().into_iter().find(|(known, ..)| *known == word).map(|(_, fault, _)| fault)
}

/// The ways in which a person can pay from the page.
const PAYINGS: [(&str, &str); 6] = [
    ("well", "付款，通知一次"),
    ("notice_twice", "付款，通知两次"),
    ("no_notice", "付款，不通知"),
    ("other_amount", "付的金额不对"),
    ("other_payer", "别人付款"),
    ("late", "关单之后才付"),
];

/// The events that a person can push from the page.
const EVENTS: [(&str, &str); 5] = [
    ("shipped", "结算事件：已发货"),
    ("settled", "结算事件：已收货并结算"),
    ("trade_manage_remind_shipping", "提醒发货（48 小时）"),
    ("trade_manage_remind_access_api", "提醒接入发货信息管理"),
    ("wxa_trade_controlled", "小程序被管控"),
];

/// Shown on the page; older ones stay in the JSON.
const SHOWN: usize = 50;

#[get("/?<said>")]
fn page(sim: &State<Simulator>, said: Option<&str>) -> Template {
    let now = sim.clock.now();
    let state = sim.lock();
    let mut trades: Vec<&Trade> = state.kept.trades.values().collect();
    trades.sort_by_key(|trade| std::cmp::Reverse(trade.created_at));
    let ways = &state.kept.ways;
    assets::page(
        "simulator/panel.html",
        context! {
            said,
            trades: trades.iter().take(SHOWN).map(|trade| json!({
                "number": trade.field("out_trade_no"), "at": clock::shown(trade.created_at), "body": trade.field("body"),
                "total": trade.field("total_fee").parse().map(yuan).unwrap_or_default(),
                "state": match trade.state { TradeState::NotPaid => "未支付", TradeState::Paid => "已支付", TradeState::Closed => "已关闭" },
                "prepay_id": trade.prepay_ids.last().map(|(id, _)| id).filter(|_| trade.state != TradeState::Paid),
                "transaction": trade.transaction_id, "shipped": trade.shipped.len(), "paid": trade.paid_fee.as_ref().map(|_| yuan(trade.paid_fen())),
            })).collect::<Vec<_>>(),
            refunds: state.kept.refunds.iter().rev().take(SHOWN).map(|refund| json!({
                "number": refund.out_refund_no, "id": refund.refund_id, "amount": yuan(refund.amount_fen),
                "status": refund.status(now), "at": clock::shown(refund.created_at), "console": refund.by_console,
                "asked": refund.asked,
            })).collect::<Vec<_>>(),
            faults: state.faults.listed().into_iter().map(|(kind, fault, always)| json!({
                "kind": kind, "text": fault.text(), "always": always,
            })).collect::<Vec<_>>(),
            kinds: KINDS,
            choices: choices().map(|(word, fault, more)| (word, format!("{}{more}", fault.text()))),
            end: ways.refund_end,
            takes: ways.refund_takes_ms / clock::SECOND,
            notices: ways.refund_notices,
            balance: ways.balance_fen.map(plain),
            unsettled: ways.unsettled_fen.map(plain),
            bill_waits: ways.bill_waits,
            trade_managed: ways.trade_managed,
            trade_confirmed: ways.trade_confirmed,
            closes_early: ways.closes_early,
            hard_names: ways.hard_names,
            coupon_cash: coupon(ways.coupon_cash_fen),
            coupon_no_cash: coupon(ways.coupon_no_cash_fen),
            names_sign_type: ways.names_sign_type,
            refunds_untold: ways.refunds_untold,
            payings: PAYINGS,
            events: EVENTS,
            push_url: push_url(trades.first().copied()),
        },
    )
}

/// A coupon's amount as the form takes it; nothing for none.
fn coupon(fen: i64) -> String {
    if fen == 0 { String::new() } else { plain(fen) }
}

/// Where the shop of this trade listens for pushes, if it is ours.
fn push_url(trade: Option<&Trade>) -> String {
    let notify_url = trade.map(|trade| trade.field("notify_url")).unwrap_or_default();
    notify_url.split_once("/wechat/").map(|(shop, _)| format!("{shop}/wechat/message")).unwrap_or_default()
}

/// Back to the page, with what happened.
fn back(outcome: Result<&str, String>) -> Redirect {
    let said = match outcome {
        Ok(done) => done.to_owned(),
        Err(words) => format!("没有成功：{words}"),
    };
    Redirect::to(rocket::uri!(page(Some(said))))
}

#[derive(FromForm)]
struct WaysForm {
    end: String,
    takes: i64,
    #[field(default = false)]
    notices: bool,
    #[field(default = String::new())]
    balance: String,
    #[field(default = String::new())]
    unsettled: String,
    #[field(default = false)]
    bill_waits: bool,
    #[field(default = false)]
    trade_managed: bool,
    #[field(default = false)]
    trade_confirmed: bool,
    #[field(default = false)]
    closes_early: bool,
    #[field(default = false)]
    hard_names: bool,
    #[field(default = String::new())]
    coupon_cash: String,
    #[field(default = String::new())]
    coupon_no_cash: String,
    #[field(default = false)]
    names_sign_type: bool,
    #[field(default = false)]
    refunds_untold: bool,
}

/// An amount that may be left out.
fn typed(text: &str) -> Result<Option<i64>, ()> {
    match text.trim() {
        "" => Ok(None),
        typed => Fen::from_yuan(typed).map(|fen| Some(fen.get())).ok_or(()),
    }
}

fn end_named(word: &str) -> Option<RefundEnd> {
    serde_json::from_value(Value::String(word.to_owned())).ok()
}

#[post("/control/ways", data = "<form>")]
fn page_ways(sim: &State<Simulator>, form: Form<WaysForm>) -> Redirect {
    let amounts = [&form.balance, &form.unsettled, &form.coupon_cash, &form.coupon_no_cash].map(|text| typed(text));
    let [Ok(balance), Ok(unsettled), Ok(cash), Ok(no_cash)] = amounts else {
        return back(Err("金额请填数字，例如 100 或 8.50".into()));
    };
    let Some(refund_end) = end_named(&form.end) else { return back(Err("没有这种退款结果".into())) };
    sim.ways(|ways| {
        *ways = Ways {
            refund_end,
            refund_takes_ms: form.takes.clamp(0, 86_400) * clock::SECOND,
            refund_notices: form.notices,
            balance_fen: balance,
            unsettled_fen: unsettled,
            bill_waits: form.bill_waits,
            trade_managed: form.trade_managed,
            trade_confirmed: form.trade_confirmed,
            closes_early: form.closes_early,
            hard_names: form.hard_names,
            coupon_cash_fen: cash.unwrap_or(0),
            coupon_no_cash_fen: no_cash.unwrap_or(0),
            names_sign_type: form.names_sign_type,
            refunds_untold: form.refunds_untold,
        };
    });
    back(Ok("已保存"))
}

#[derive(FromForm)]
struct FaultForm {
    kind: String,
    fault: String,
    times: u32,
}

#[post("/control/fault", data = "<form>")]
fn page_fault(sim: &State<Simulator>, form: Form<FaultForm>) -> Redirect {
    let Some(fault) = chosen(&form.fault).filter(|_| KINDS.contains(&form.kind.as_str())) else {
        return back(Err("没有这种故障".into()));
    };
    match form.times {
        0 => sim.fault_always(&form.kind, fault),
        n => (0..n.min(100)).for_each(|_| sim.fault(&form.kind, fault.clone())),
    }
    back(Ok("故障已安排"))
}

#[post("/control/clear")]
fn page_clear(sim: &State<Simulator>) -> Redirect {
    sim.clear_faults();
    back(Ok("故障已清除"))
}

#[derive(FromForm)]
struct PayForm {
    prepay_id: String,
    #[field(default = String::new())]
    way: String,
}

/// The money comes, whatever the shop has done with the order meanwhile.
#[post("/control/pay", data = "<form>")]
fn page_pay(sim: &State<Simulator>, form: Form<PayForm>) -> Redirect {
    let closed = sim.lock().kept.trade_of_prepay(&form.prepay_id).is_some_and(|t| t.state == TradeState::Closed);
    let way = serde_json::from_value(json!(form.way)).unwrap_or(Paying::Well);
    let way = if closed { Paying::Late } else { way };
    let done = if way == Paying::Late && !closed {
        "店铺关单之后钱才会到"
    } else {
        "钱已付，通知正在路上"
    };
    back(sim.pay(&form.prepay_id, way).map(|()| done))
}

#[derive(FromForm)]
struct PushForm {
    url: String,
    token: String,
    #[field(default = String::new())]
    key: String,
    event: String,
    #[field(default = String::new())]
    transaction: String,
    #[field(default = false)]
    xml: bool,
}

#[post("/control/push", data = "<form>")]
async fn page_push(sim: &State<Simulator>, form: Form<PushForm>) -> Redirect {
    let form = form.into_inner();
    let trade = sim.lock().kept.trade_paid_as(form.transaction.trim()).cloned();
    let event = match (form.event.as_str(), &trade) {
        (word @ ("shipped" | "settled"), Some(trade)) => push::settlement(sim, trade, word == "settled"),
        ("shipped" | "settled", None) => return back(Err("结算事件要填一个已支付的微信交易号".into())),
        (name, _) => json!({ "Event": name }),
    };
    let key = Some(form.key.trim().to_owned());
    let push = Push { url: form.url, token: form.token, encoding_aes_key: key, event, xml: form.xml };
    match sim.push(&push).await {
        Ok((status, said)) => back(Ok(&format!("已推送，店铺回答 {status} {said}"))),
        Err(why) => back(Err(why)),
    }
}

#[derive(FromForm)]
struct RefundForm {
    transaction: String,
    amount: String,
}

#[post("/control/refund", data = "<form>")]
fn page_refund(sim: &State<Simulator>, form: Form<RefundForm>) -> Redirect {
    let Some(fen) = Fen::from_yuan(&form.amount) else { return back(Err("请填金额，例如 8.50".into())) };
    back(sim.refund_by_console(form.transaction.trim(), fen.get()).map(|_| "已在“商户平台”退款"))
}

#[derive(FromForm)]
struct EndForm {
    number: String,
    end: String,
}

#[post("/control/end", data = "<form>")]
fn page_end(sim: &State<Simulator>, form: Form<EndForm>) -> Redirect {
    let Some(end) = end_named(&form.end) else { return back(Err("没有这种退款结果".into())) };
    back(sim.end_refund(&form.number, end).map(|()| "退款结果已改"))
}
