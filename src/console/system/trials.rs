//! Trials of the settings, by a button and by themselves after new keys: harmless questions, and WeChat's answer in words.

use std::sync::Arc;
use std::time::Duration;

use rocket::response::{Flash, Redirect};
use rocket::{Route, State, post, routes};
use rusqlite::Connection;
use serde::Serialize;

use crate::clock;
use crate::console::{back, message};
use crate::error::{Code, Error, Result};
use crate::ids::OrderNo;
use crate::message_log::{self, Logged};
use crate::outbox::{Channel, staff as outbox};
use crate::payments::{store as payments, trial};
use crate::say::say;
use crate::settings::store::{self, Tried};
use crate::settings::{Group, Setting, Settings};
use crate::shop::Shop;
use crate::staff::Owner;
use crate::wechat::mini_program::MiniProgram;
use crate::wechat::refund::RefundOrder;
use crate::wechat::{Account, Api, Exchange, GatewayError, register};

/// A payment that WeChat never took: its own numbers carry a date.
const NO_PAYMENT: &str = "4200000000000000000000000000";
/// So long a page waits for what WeChat says of keys that were just stored; an answer that comes later stands on the card.
const PATIENCE: Duration = Duration::from_secs(6);
/// From here on a clock is worth a warning: WeChat's own answer is a second coarse.
const CLOCK_OFF: i64 = 5_000;

pub fn routes() -> Vec<Route> {
    routes![try_out]
}

/// What can be tried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trial {
    /// Asks about an order that there never was: only who has the right key gets the right "no".
    Key,
    /// The same question by API v3: its "no" must be signed with the public key that was entered.
    KeysV3,
    /// Asks for the refund of a payment that there never was: only who shows the right certificate gets a signed "no".
    Certificate,
    /// Gives a login code that cannot be right: whoever is told so has shown the right credentials.
    App,
    /// Goes out and comes back in by the public address, as a notice does.
    Notify,
    /// Says something to each robot that is filled in.
    Robots,
    /// Writes a letter to the staff.
    Mail,
}

#[post("/settings/test/<what>?<step>")]
async fn try_out(shop: &State<Shop>, _owner: Owner, what: &str, step: Option<u8>) -> Result<Flash<Redirect>> {
    let trial = match what {
        "key" => Trial::Key,
        "key_v3" => Trial::KeysV3,
        "certificate" => Trial::Certificate,
        "app" => Trial::App,
        "notify" => Trial::Notify,
        "robots" => Trial::Robots,
        "mail" => Trial::Mail,
        _ => return Err(Code::NotFound.into()),
    };
    let card = trial.group().map_or("certificate", |group| group.word());
    let here = step.map_or_else(|| super::card_of(card), super::here);
    Ok(back(here, run(shop, trial).await))
}

impl Trial {
    /// The card whose settings it is about.
    fn group(&self) -> Option<Group> {
        match self {
            Trial::Key => Some(Group::PayV2),
            Trial::KeysV3 => Some(Group::PayV3),
            Trial::Certificate => None,
            Trial::App => Some(Group::App),
            Trial::Notify => Some(Group::Address),
            Trial::Robots => Some(Group::Robots),
            Trial::Mail => Some(Group::Mail),
        }
    }
}

/// The cards whose last test no longer counts when this setting is another one.
pub fn outdated_by(setting: &Setting) -> impl Iterator<Item = Group> {
    let whose = ["wechat.app_id", "wechat.mch_id"].contains(&setting.name);
    let pays = move |group: Group| whose && matches!(group, Group::PayV2 | Group::PayV3);
    Group::ALL.iter().copied().filter(move |group| *group == setting.group || pays(*group))
}

/// Tries it out. What was said of a card's settings is kept until they change; that nothing could be asked yet is not.
async fn run(shop: &Shop, trial: Trial) -> Result<String> {
    let (group, tried) = (trial.group(), shop.settings());
    let said = ask(shop, trial).await;
    let asked = said.as_ref().err().is_none_or(|e| e.code != Code::ValidationFailed);
    // An answer that took its time speaks of the settings that were asked about.
    let asked = asked && Arc::ptr_eq(&tried, &shop.settings());
    if let Some(group) = group.filter(|_| asked) {
        let told = said.as_ref().map_or_else(message, String::clone);
        let tried = Tried { part: group.word().to_owned(), fine: said.is_ok(), words: told, at: shop.now() };
        shop.write(move |tx| Ok(store::keep_trial(tx, &tried)?)).await?;
    }
    said
}

async fn ask(shop: &Shop, trial: Trial) -> Result<String> {
    match trial {
        Trial::Key => try_key(shop).await,
        Trial::KeysV3 => try_keys_v3(shop).await,
        Trial::Certificate => try_certificate(shop).await,
        Trial::App => try_app(shop).await,
        Trial::Notify => try_notify(shop).await,
        Trial::Robots => try_ways(shop, &[Channel::Wecom, Channel::Feishu, Channel::Dingtalk]).await,
        Trial::Mail => try_ways(shop, &[Channel::Mail]).await,
    }
}

/// What tells whether a card's settings are right, if anything does. What both versions of WeChat Pay's API need is tried
/// in the one that new attempts use.
fn of(group: Group, api: Api) -> Option<Trial> {
    match group {
        Group::Address => Some(Trial::Notify),
        Group::App => Some(Trial::App),
        Group::Pay if api == Api::V2 => Some(Trial::Key),
        Group::Pay => Some(Trial::KeysV3),
        Group::PayV2 => Some(Trial::Key),
        Group::PayV3 => Some(Trial::KeysV3),
        Group::Robots => Some(Trial::Robots),
        Group::Mail => Some(Trial::Mail),
        Group::Shop | Group::Trade | Group::Freight | Group::Hours | Group::Told | Group::Templates => None,
    }
}

pub fn exists(group: Group) -> bool {
    of(group, Api::default()).is_some()
}

/// Tries a card's settings out, as they are stored.
pub async fn of_group(shop: &Shop, group: Group) -> Result<String> {
    run(shop, of(group, shop.settings().api()).ok_or(Code::NotFound)?).await
}

/// What WeChat says of these settings now that they are stored, without anybody asking for a test; `None` where they concern
/// no key, or something that is needed beside them is still missing.
pub async fn of_changed(shop: &Shop, changed: &[&'static Setting]) -> Option<Result<String>> {
    let due = due(&shop.settings(), changed);
    // Beside the page: a network that fails costs the answer, and nothing of what was stored.
    let asking: Vec<_> = due
        .into_iter()
        .map(|trial| {
            let shop = shop.clone();
            tokio::spawn(async move { run(&shop, trial).await })
        })
        .collect();
    let (mut fine, mut wrong, until) = (Vec::new(), Vec::new(), tokio::time::Instant::now() + PATIENCE);
    for one in asking {
        match tokio::time::timeout_at(until, one).await {
            Ok(Ok(Ok(said))) => fine.push(said),
            Ok(Ok(Err(e))) => wrong.push(message(&e)),
            Ok(Err(e)) => std::panic::resume_unwind(e.into_panic()),
            Err(_) => wrong.push("微信还没有回答，测试的结果稍后显示在这张卡上".to_owned()),
        }
    }
    match (fine.is_empty(), wrong.is_empty()) {
        (true, true) => None,
        (false, true) => Some(Ok(fine.join("；"))),
        (_, false) => Some(Err(self::wrong(wrong.join("；")))),
    }
}

/// The trials that these settings are about, as far as everything that they need is there.
fn due(settings: &Settings, changed: &[&'static Setting]) -> Vec<Trial> {
    let any = |fits: &dyn Fn(&Setting) -> bool| changed.iter().any(|setting| fits(setting));
    let of_both = any(&|setting| setting.name == "wechat.mch_id");
    let turned = any(&|setting| setting.name == "wechat.api");
    let pays = |api: Api, keys: Group| {
        let asked = of_both || any(&|setting| setting.group == keys) || (turned && settings.api() == api);
        asked && settings.unready(api).is_none()
    };
    let app = any(&|setting| ["wechat.app_id", "wechat.app_secret"].contains(&setting.name));
    let all = [
        (Trial::App, app && settings.mini_program().is_some()),
        (Trial::KeysV3, pays(Api::V3, Group::PayV3)),
        (Trial::Key, pays(Api::V2, Group::PayV2)),
    ];
    all.into_iter().filter(|(_, due)| *due).map(|(trial, _)| trial).collect()
}

/// The last tests that still count: one that failed is overtaken by what has succeeded since.
pub fn standing(conn: &Connection, settings: &Settings) -> Result<Vec<Tried>> {
    let overtaken = |tried: &Tried| match tried.part.parse().ok().and_then(|group| of(group, settings.api())) {
        Some(Trial::Key) => payments::taken_on_since(conn, Api::V2, tried.at),
        Some(Trial::KeysV3) => payments::taken_on_since(conn, Api::V3, tried.at),
        Some(Trial::App) => message_log::store::succeeded_since(conn, "login", tried.at),
        Some(Trial::Notify) => message_log::store::succeeded_since(conn, "notify", tried.at),
        _ => Ok(false),
    };
    let mut counts = Vec::new();
    for tried in store::trials(conn)? {
        if tried.fine || !overtaken(&tried)? {
            counts.push(tried);
        }
    }
    Ok(counts)
}

/// The same, for a page of settings.
pub async fn told(shop: &Shop) -> Result<Vec<Tried>> {
    let settings = shop.settings();
    shop.read(move |conn| standing(conn, &settings)).await
}

/// What the last test of a part said.
#[derive(Serialize)]
pub struct Said {
    pub fine: bool,
    pub words: String,
    pub at: String,
}

/// Of one part, by its word, among those that count.
pub fn said(tried: &[Tried], part: &str) -> Option<Said> {
    let last = tried.iter().find(|tried| tried.part == part)?;
    Some(Said { fine: last.fine, words: last.words.clone(), at: clock::shown_short(last.at) })
}

/// The question and its answer are in the transaction log like every other.
async fn logged<T>(shop: &Shop, exchange: &Exchange<T>) -> Result<()> {
    let entry = Logged::sent(exchange).of_a_trial();
    shop.write(move |tx| Ok(entry.record(tx)?)).await.map(drop)
}

/// What became of a call, for whoever reads a page: the system's own words, which are English, stand in the transaction log.
fn plain(e: &GatewayError) -> String {
    let GatewayError::Unreachable(why) = e else { return e.to_string() };
    let raw = why.rsplit_once('（').filter(|(_, raw)| raw.trim_end_matches('）').is_ascii());
    format!("没有问到微信：{}", raw.map_or(why.as_str(), |(meaning, _)| meaning))
}

fn wrong(words: String) -> Error {
    Error::from(Code::WechatRejected).says(words)
}

/// Nothing was asked: something has to be filled in first.
fn unready(words: impl Into<String>) -> Error {
    Error::from(Code::ValidationFailed).says(words)
}

/// The merchant in this version of the API. Errors: what is missing, or does not fit together.
fn merchant(shop: &Shop, api: Api) -> Result<Account> {
    let account = shop.account_of(api);
    account.ok_or_else(|| unready(format!("{}，请先填好并保存", shop.settings().unready(api).unwrap_or_default())))
}

async fn try_key(shop: &Shop) -> Result<String> {
    let account = merchant(shop, Api::V2)?;
    let took_ms = ask_for_nothing(shop, &account).await?;
    let (clock, doubt) = (clock_words(shop), doubt(shop, "wechat.api_key"));
    Ok(format!("✓ 密钥正确：微信用它签名回答了（{took_ms} 毫秒）· {clock}{doubt}"))
}

async fn try_keys_v3(shop: &Shop) -> Result<String> {
    let account = merchant(shop, Api::V3)?;
    let took_ms = ask_for_nothing(shop, &account).await?;
    let (clock, doubt) = (clock_words(shop), doubt(shop, "wechat.v3_key"));
    Ok(format!(
        "✓ 私钥、序列号和微信支付公钥都正确：微信签名回答了（{took_ms} 毫秒）· {clock}。APIv3 密钥要等第一条通知才能验证{doubt}"
    ))
}

/// A warning beside the mark that all is well, where this key is another one's text.
fn doubt(shop: &Shop, key: &str) -> String {
    let doubts = shop.settings().one_key_for_two().into_iter();
    doubts.filter(|(setting, _)| setting.name == key).map(|(_, why)| format!("。⚠ {why}")).collect()
}

/// How long the right "no" took, in milliseconds.
async fn ask_for_nothing(shop: &Shop, account: &Account) -> Result<i64> {
    let exchange = trial::ask(shop, account).await;
    logged(shop, &exchange).await?;
    trial::judge(account.api(), &exchange, shop.wechat.clock_ahead_ms()).map_err(wrong)?;
    Ok(exchange.took_ms)
}

/// How far our clock is from WeChat's; orders carry times that both must agree on.
pub fn clock_words(shop: &Shop) -> String {
    match shop.wechat.clock_ahead_ms() {
        Some(ms) if ms.abs() < CLOCK_OFF => "与微信的时间一致 ✓".into(),
        Some(ms) => format!("本机比微信{}，请校时", clock::off(ms)),
        None => "还没有听微信报过时间".into(),
    }
}

async fn try_certificate(shop: &Shop) -> Result<String> {
    let account = merchant(shop, Api::V2)?;
    if shop.wechat.is_simulated() {
        return Ok("连接的是本机的模拟微信，退款不需要证书".into());
    }
    let settings = shop.settings();
    let identity = match settings.identity() {
        None => return Err(wrong("还没有退款证书，请先上传 apiclient_cert.pem 和 apiclient_key.pem".into())),
        Some(Err(problem)) => return Err(wrong(problem.to_owned())),
        Some(Ok(identity)) => identity,
    };
    let nothing = RefundOrder {
        api: Api::V2,
        transaction_id: NO_PAYMENT.into(),
        out_refund_no: OrderNo::new("20000101", &shop.nonces.base32()).refund(1).to_string(),
        total_fee: 1,
        refund_fee: 1,
        refund_desc: String::new(),
        notify_url: None,
        from_balance: false,
    };
    let exchange = shop.wechat.refund(&account, Some(identity), &nothing, &shop.nonces).await;
    logged(shop, &exchange).await?;
    match exchange.result {
        Ok(_) => Err(wrong("微信的回答出人意料，请看交易流水".into())),
        Err(GatewayError::Refused { code, text }) if code.as_str() != "CERT_ERROR" => Ok(format!(
            "✓ 证书可用：微信看过证书，没有退不存在的付款（微信回答 {code} {text}）。有效期至 {}",
            clock::shown(identity.facts.not_after)
        )),
        Err(e) if e.is_unknown() => Err(wrong(format!("{}；如果别的测试都通过，多半是证书没有被接受", plain(&e)))),
        Err(e) => Err(wrong(format!("{e}。请核对证书是否属于这个商户号、是否已在商户平台作废"))),
    }
}

async fn try_app(shop: &Shop) -> Result<String> {
    let missing = || unready("请先填好 AppID 和 AppSecret 并保存");
    let app = shop.settings().mini_program().ok_or_else(missing)?;
    let exchange = shop.wechat.code_to_openid(&app, "xiaopu-test").await;
    logged(shop, &exchange).await?;
    match exchange.result {
        Ok(_) => Err(wrong("微信的回答出人意料，请稍后再试".into())),
        Err(e) => match e.code() {
            Some("40029") => {
                let path = set_order_path(shop, &app).await?;
                Ok(format!("✓ AppID 和 AppSecret 正确（{} 毫秒）· {path}", exchange.took_ms))
            }
            None => Err(wrong(plain(&e))),
            Some(code) => {
                let next = match code {
                    "40013" => "没有这个 AppID，请核对",
                    "40125" => "AppSecret 不对。在小程序后台 → 开发管理里核对，或重置后填入",
                    "40164" => "服务器的 IP 不在小程序后台的白名单里，请加上或关闭白名单",
                    "45009" | "45011" => "问得太频繁，请过一会儿再测",
                    _ => "请核对 AppID 和 AppSecret，并看看小程序后台有没有通知",
                };
                Err(wrong(format!("微信回答 {code} {}。{next}", e.said())))
            }
        },
    }
}

/// Orders of WeChat's own order centre (小程序购物订单) open on our page of them.
async fn set_order_path(shop: &Shop, app: &MiniProgram) -> Result<String> {
    let exchange = shop.wechat.set_order_path(app, register::ORDER_PATH).await;
    logged(shop, &exchange).await?;
    Ok(match exchange.result {
        Ok(()) => "微信“小程序购物订单”会打开本店的订单页".into(),
        // Whoever has no such right can sell all the same.
        Err(e) => format!("微信“小程序购物订单”的跳转没有设成：{e}"),
    })
}

async fn try_ways(shop: &Shop, ways: &[Channel]) -> Result<String> {
    let on: Vec<Channel> = ways.iter().copied().filter(|way| way.is_on(&shop.settings())).collect();
    if on.is_empty() {
        return Err(unready("还没有填好，或都停用了：填好并保存后再试"));
    }
    let (mut sent, mut failed) = (Vec::new(), Vec::new());
    for way in on {
        match outbox::try_out(shop, way).await {
            Ok(()) => sent.push(format!("{}已发出", way.text())),
            Err(e) => failed.push(e.message()),
        }
    }
    let said = sent.iter().chain(&failed).map(String::as_str).collect::<Vec<_>>().join("；");
    if failed.is_empty() { Ok(format!("✓ {said}，请到那边看看收到没有")) } else { Err(wrong(said)) }
}

async fn try_notify(shop: &Shop) -> Result<String> {
    let settings = shop.settings();
    let url = settings.notify_url(settings.api()).ok_or_else(|| unready("请先填对外地址并保存"))?;
    let tried = shop.wechat.try_address(&url, shop.now()).await.map(|well| format!("✓ {well}"));
    tried.map_err(|lost| {
        if let Some(said) = &lost.said {
            say!(Warn, "{url} was not reached: {said}");
        }
        wrong(lost.words + if lost.strange { "系统的原话在服务器的日志里" } else { "" })
    })
}
