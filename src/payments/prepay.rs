//! Prepay: an order, then a payment for it. The row is committed before WeChat is called, and stands whatever it says.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::json;

use super::check::{ask, next_poll};
use super::close::{Fate, SWEEP_AFTER, close_at_wechat};
use super::settle::Settled;
use super::{Attempt, AttemptState, attempts, store};
use crate::buyers::Buyer;
use crate::buyers::addresses::AddressForm;
use crate::clock::{self, DAY, MINUTE, SECOND};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{IdempotencyKey, OrderId};
use crate::jobs::{self, Task};
use crate::message_log::Logged;
use crate::money::Fen;
use crate::orders::quote::{ItemForm, QuoteForm, QuoteView, Selection, quote};
use crate::orders::store::Made;
use crate::orders::{self, ClosedReason, Numbers, Order, OrderStatus, Quote, Topic, moves};
use crate::settings::Settings;
use crate::shop::Shop;
use crate::typed::Length;
use crate::wechat::pay::{Asked, PayOrder, PaymentParams, Trade, body_text, payment_params};
use crate::wechat::{Account, Exchange, GatewayError, Signature};

/// WeChat's prepay_id lives two hours; one younger than this is given out again.
const PREPAY_ID_LIFE: i64 = 110 * MINUTE;
/// How long an idempotency key is remembered.
pub const KEY_LIFE: i64 = DAY;
/// WeChat refuses a payment that ends in less than five minutes: ours never do in less than six, whatever the way there
/// takes. What is left open beyond the order's own time, the sweep closes.
const LEAST_EXPIRY: i64 = 6 * MINUTE;
/// What a new one gets at the least, so that it can be sent again.
const NEW_EXPIRY: i64 = 7 * MINUTE;
/// Attempts are numbered with two digits.
const MOST_ATTEMPTS: i64 = 99;

/// What a client sends to buy.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepayForm {
    items: Vec<ItemForm>,
    address_id: Option<String>,
    address: Option<AddressForm>,
    delivery: Option<String>,
    pickup_phone: Option<String>,
    slot_id: Option<String>,
    coupon_id: Option<String>,
    remark: Option<String>,
    expected_total_fen: Option<i64>,
}

/// A checked order form.
pub struct Purchase {
    wish: Selection,
    remark: String,
    expected_total_fen: Option<i64>,
}

/// What a buyer may write with an order.
/// What a buyer may say about an order.
pub const REMARK: Length = Length::up_to(200);

impl PrepayForm {
    pub fn check(self) -> Result<Purchase> {
        let remark = self.remark.unwrap_or_default().trim().to_owned();
        if !REMARK.fits_lines(&remark) {
            return Err(Error::field("remark", format!("留言{REMARK}")));
        }
        let form = QuoteForm {
            items: self.items,
            address_id: self.address_id,
            address: self.address,
            delivery: self.delivery,
            pickup_phone: self.pickup_phone,
            slot_id: self.slot_id,
            coupon_id: self.coupon_id,
        };
        Ok(Purchase { wish: form.check()?, remark, expected_total_fen: self.expected_total_fen })
    }
}

/// Everything a payment needs of the settings, all there or none.
#[derive(Clone)]
pub struct Cashier {
    pub account: Account,
    notify_url: String,
}

impl Cashier {
    pub fn of(shop: &Shop) -> Result<Cashier> {
        let settings = shop.settings();
        let account = settings.account(settings.api(), shop.now()).ok_or(Code::PaymentNotConfigured)?;
        let notify_url = settings.notify_url(account.api()).ok_or_else(|| {
            Error::from(Code::PaymentNotConfigured).says("店铺还没有设置对外地址，暂时不能付款，请联系商家")
        })?;
        Ok(Cashier { account, notify_url })
    }
}

/// Who pays, and from where.
#[derive(Clone, Copy)]
pub struct Payer<'a> {
    pub buyer: &'a Buyer,
    pub ip: &'a str,
}

/// The order that an idempotency key stands for.
pub struct Placed {
    pub order: OrderId,
    /// Of an order that was placed just now.
    ready: Option<Ready>,
}

impl Placed {
    /// One that was there before.
    pub fn found(order: OrderId) -> Placed {
        Placed { order, ready: None }
    }

    pub fn is_new(&self) -> bool {
        self.ready.is_some()
    }
}

/// Places the order of this key together with its first attempt, or finds the one it placed before.
pub async fn place(
    shop: &Shop,
    cashier: &Cashier,
    payer: Payer<'_>,
    key: IdempotencyKey,
    fingerprint: Vec<u8>,
    purchase: Purchase,
) -> Result<Placed> {
    let (terms, buyer) = (Terms::of(shop, cashier, payer), payer.buyer.clone());
    let numbers = Numbers::draw(shop.now(), &shop.nonces);
    let at = shop.clock.moments();
    let write = move |tx: &Tx| {
        let (settings, now) = (&terms.settings, tx.now());
        if let Some(made) = orders::store::made_by_key(tx, buyer.id, key.as_str(), at, KEY_LIFE)? {
            let same = made.fingerprint == fingerprint && made.refund.is_none();
            return if same { Ok(Placed::found(made.order)) } else { Err(Code::IdempotencyMismatch.into()) };
        }
        // Price is read inside the transaction: an edit in the console must not slip between price and order.
        let quoted = quote(tx, &purchase.wish, Some(&buyer), settings, now)?;
        refuse(&quoted, purchase.expected_total_fen, now)?;
        too_many_unpaid(tx, &buyer, settings)?;
        let expires_at = now + settings.pay_window();
        let order = moves::place(tx, &numbers, buyer.id, &quoted, &purchase.remark, expires_at)?;
        let made = Made { order, refund: None, send_back: None, fingerprint: fingerprint.clone() };
        orders::store::keep_key(tx, buyer.id, key.as_str(), &made, at)?;
        if quoted.total == Fen::ZERO {
            moves::pay_nothing(tx, order)?;
            return Ok(Placed { order, ready: Some(Ready::Paid) });
        }
        jobs::enqueue(tx, Task::Expire(order), expires_at + SWEEP_AFTER)?;
        Ok(Placed { order, ready: Some(terms.ready(tx, order)?) })
    };
    shop.write(write).await
}

fn refuse(quoted: &Quote, expected_total_fen: Option<i64>, now: i64) -> Result<()> {
    if let Some(problem) = quoted.problems.first() {
        return Err(problem.clone());
    }
    match expected_total_fen {
        Some(expected) if expected != quoted.total.get() => {
            let words = format!("价格有变动，现在是 ¥{}，请确认后再下单", quoted.total);
            Err(Error::from(Code::PriceChanged).says(words).details(json!(QuoteView::new(quoted, now))))
        }
        _ => Ok(()),
    }
}

/// An order that nobody pays holds stock for half an hour and costs nothing: one buyer must not hold it all.
fn too_many_unpaid(tx: &Tx, buyer: &Buyer, settings: &Settings) -> Result<()> {
    let (most, unpaid) = (settings.unpaid_orders(), orders::store::unpaid_of_buyer(tx, buyer.id)?);
    if unpaid < most {
        return Ok(());
    }
    let words = format!("您有 {unpaid} 笔订单还没付款，请先付款或取消其中一笔，再下新单");
    Err(Error::from(Code::PurchaseLimit).says(words).details(json!({ "unpaidOrders": unpaid, "limit": most })))
}

/// What the order is ready for.
enum Ready {
    /// Nothing: the order cost nothing, and stands as paid.
    Paid,
    /// A prepay_id that can be given out, signed by whoever asked for it.
    Pay(Box<Account>, String),
    /// A unified order that must be sent, for the first time or again.
    Send(Box<Attempt>),
    /// Nothing yet: an earlier attempt must be closed first, which takes until then.
    Wait(i64),
    /// Nothing yet: this attempt ends too soon to be sent again, and is to be closed now.
    Replace(Box<Attempt>),
}

/// Payment parameters for an unpaid order: the living attempt's, or a new one's. `None` for an order that cost nothing.
pub async fn pay(shop: &Shop, cashier: &Cashier, payer: Payer<'_>, placed: Placed) -> Result<Option<PaymentParams>> {
    let (order, mut known) = (placed.order, placed.ready);
    // A number that WeChat has closed or given away, or that ends too soon, is replaced; then the buyer hears of it.
    for _ in 0..3 {
        let ready = match known.take() {
            Some(ready) => ready,
            None => {
                let terms = Terms::of(shop, cashier, payer);
                shop.write(move |tx| terms.ready(tx, order)).await?
            }
        };
        let attempt = match ready {
            Ready::Paid => return Ok(None),
            Ready::Pay(account, prepay_id) => return Ok(Some(sign(shop, &account, &prepay_id).await)),
            Ready::Send(attempt) => *attempt,
            Ready::Wait(until) => {
                shop.wake_worker();
                return Err(closing(until, shop.now()));
            }
            Ready::Replace(attempt) => {
                replaced(shop, &attempt).await?;
                continue;
            }
        };
        if let Some(prepay_id) = send(shop, cashier, &attempt).await? {
            return Ok(Some(sign(shop, &cashier.account, &prepay_id).await));
        }
    }
    Err(Code::WechatRejected.into())
}

/// Closes an attempt for good, so that a new one can stand in its place.
async fn replaced(shop: &Shop, attempt: &Attempt) -> Result<()> {
    match close_at_wechat(shop, attempt).await? {
        Fate::Closed => Ok(()),
        Fate::Paid => Err(Code::AlreadyPaid.into()),
        Fate::NotYet(until) => Err(closing(until, shop.now())),
        Fate::Unknown(_) | Fate::NotAsked => Err(Error::from(Code::WechatUnavailable).retry_after(5)),
    }
}

async fn sign(shop: &Shop, account: &Account, prepay_id: &str) -> PaymentParams {
    payment_params(account, prepay_id, shop.now(), &shop.nonces).await
}

/// The price or the way of signing has changed: two payments of one order must not be open side by side.
fn closing(until: i64, now: i64) -> Error {
    let wait = (until - now).max(5 * SECOND);
    let words = format!("之前的支付单正在关闭，请约 {}后再支付", clock::span(wait + MINUTE / 2));
    Error::from(Code::PaymentInProgress).says(words).retry_after((wait / SECOND).unsigned_abs())
}

/// What an attempt is made of, besides its order.
struct Terms {
    settings: Arc<Settings>,
    cashier: Cashier,
    openid: String,
    ip: String,
    nonce_str: String,
}

impl Terms {
    fn of(shop: &Shop, cashier: &Cashier, payer: Payer<'_>) -> Terms {
        Terms {
            settings: shop.settings(),
            cashier: cashier.clone(),
            openid: payer.buyer.openid.clone(),
            ip: payer.ip.to_owned(),
            nonce_str: shop.nonces.nonce_str(),
        }
    }

    /// A prepay_id that can be given out once more, in whichever version it was asked for: what that needs may still be
    /// there after a change, and a second payment beside it would have to wait until this one is closed.
    fn given_out(&self, alive: &Attempt, now: i64) -> Option<(Account, String)> {
        let young = alive.prepaid_at.is_some_and(|at| now - at < PREPAY_ID_LIFE);
        let prepay_id = alive.prepay_id.clone().filter(|_| young)?;
        let account = self.settings.account(alive.params.api(), now)?;
        alive.params.is_from(&account).then_some((account, prepay_id))
    }

    /// Decides what to give out or to send; the attempt's row is there before WeChat hears of it.
    fn ready(&self, tx: &Tx, id: OrderId) -> Result<Ready> {
        let (cashier, now) = (&self.cashier, tx.now());
        let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        if order.costs_nothing() && order.paid_at.is_some() && order.status != OrderStatus::Closed {
            return Ok(Ready::Paid);
        }
        payable(&order, now)?;
        let attempts = store::attempts(tx, id)?;
        if let Some(closing) = attempts.iter().find(|attempt| attempt.state == AttemptState::Closing) {
            return Ok(Ready::Wait(closing.closable_at()));
        }
        if let Some(alive) = attempts.iter().find(|attempt| attempt.state.is_alive()) {
            let same_price = alive.total == order.total;
            if same_price && let Some((account, prepay_id)) = self.given_out(alive, now) {
                return Ok(Ready::Pay(Box::new(account), prepay_id));
            }
            if same_price && alive.params.is_from(&cashier.account) {
                if alive.params.expires_at().is_some_and(|at| at - now >= LEAST_EXPIRY) {
                    return Ok(Ready::Send(Box::new(alive.clone())));
                }
                attempts::go(tx, alive.id, alive.state, AttemptState::Closing)?;
                jobs::enqueue(tx, Task::Close(alive.id), now + MINUTE)?;
                return Ok(Ready::Replace(Box::new(alive.clone())));
            }
            if alive.params.mch_id() == cashier.account.mch_id() {
                attempts::go(tx, alive.id, alive.state, AttemptState::Closing)?;
                let wait = alive.closable_at() > now;
                jobs::enqueue(tx, Task::Close(alive.id), if wait { now } else { now + MINUTE })?;
                return Ok(if wait {
                    Ready::Wait(alive.closable_at())
                } else {
                    Ready::Replace(Box::new(alive.clone()))
                });
            }
            // Written for another merchant number: it can be neither sent nor closed with today's settings. It is asked
            // about as soon as they are back.
            attempts::go(tx, alive.id, alive.state, AttemptState::Failed)?;
            jobs::enqueue(tx, Task::Close(alive.id), now + MINUTE)?;
        }
        let n = attempts.last().map_or(1, |last| last.n + 1);
        if n > MOST_ATTEMPTS {
            return Err(Error::from(Code::OrderState).says("这笔订单支付尝试次数过多，请取消后重新下单"));
        }
        let asked = Asked {
            description: body(tx, &self.settings, id)?,
            out_trade_no: order.order_no.attempt(n),
            total: order.total,
            payer_ip: &self.ip,
            notify_url: &cashier.notify_url,
            openid: &self.openid,
            nonce_str: &self.nonce_str,
            now,
            expires_at: order.expires_at.max(now + NEW_EXPIRY),
        };
        let attempt = store::insert_attempt(tx, &order, n, PayOrder::new(&cashier.account, asked))?;
        if let Some(at) = next_poll(now, now) {
            jobs::enqueue(tx, Task::Poll(attempt.id), at)?;
        }
        let what = format!("发起支付（支付单 #{n:02}，¥{}）", order.total);
        orders::store::note(tx, id, &orders::Who::buyer(), Topic::Money, &what)?;
        Ok(Ready::Send(Box::new(attempt)))
    }
}

fn payable(order: &Order, now: i64) -> Result<()> {
    match order.status {
        OrderStatus::PendingPayment if now < order.expires_at => Ok(()),
        OrderStatus::PendingPayment => Err(Code::OrderExpired.into()),
        OrderStatus::Closed if order.closed_reason == Some(ClosedReason::Timeout) => Err(Code::OrderExpired.into()),
        OrderStatus::Closed => Err(Code::OrderState.into()),
        OrderStatus::ToShip | OrderStatus::Shipped | OrderStatus::Completed => Err(Code::AlreadyPaid.into()),
    }
}

fn body(conn: &Connection, settings: &Settings, id: OrderId) -> rusqlite::Result<String> {
    let lines = orders::store::lines(conn, id)?;
    let first = lines.first().map(|line| line.name.as_str()).unwrap_or_default();
    let goods = match lines.len() {
        0 | 1 => first.to_owned(),
        n => format!("{first}等{n}种商品"),
    };
    Ok(body_text(settings.shop_name(), &goods))
}

/// Sends the unified order. `None` when this number is spent and a new attempt should be made.
async fn send(shop: &Shop, cashier: &Cashier, attempt: &Attempt) -> Result<Option<String>> {
    let mut exchange = shop.wechat.order(&cashier.account, &attempt.params, &shop.nonces).await;
    if let Some(pause) = once_more(&exchange) {
        record(shop, attempt.logged(shop, &exchange)).await?;
        tokio::time::sleep(pause).await;
        exchange = shop.wechat.order(&cashier.account, &attempt.params, &shop.nonces).await;
    }
    let entry = attempt.logged(shop, &exchange);
    let id = attempt.id;
    match exchange.result {
        Ok(prepay_id) => {
            let write = move |tx: &Tx| {
                entry.record(tx)?;
                if store::set_prepaid(tx, id, &prepay_id)? {
                    return Ok(Some(prepay_id.clone()));
                }
                // Paid or closed while we were asking.
                match store::attempt(tx, id)?.map(|attempt| attempt.state) {
                    Some(AttemptState::Paid) => Err(Code::AlreadyPaid.into()),
                    _ => Err(Error::from(Code::PaymentInProgress)),
                }
            };
            shop.write(write).await
        }
        Err(e) => {
            record(shop, entry).await?;
            refused(shop, cashier, attempt, e).await
        }
    }
}

/// How long to wait before the same is sent once more, for the same number: by WeChat's own advice when it is busy, and
/// when its answer cannot be believed, as it is while it tries out whether shops verify.
fn once_more(exchange: &Exchange<String>) -> Option<Duration> {
    match (&exchange.result, &exchange.signature) {
        (Err(e), _) if e.code() == Some("SYSTEMERROR") => Some(Duration::from_millis(300)),
        (Err(e), Signature::WrongV3(_)) if e.is_unknown() => Some(Duration::ZERO),
        _ => None,
    }
}

async fn record(shop: &Shop, entry: Logged) -> Result<()> {
    shop.write_always(move |tx| Ok(entry.record(tx).map(|_| ())?)).await
}

/// What a refusal of the unified order means for the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefusal {
    /// Already paid: query and settle.
    Paid,
    /// This number cannot be used any more: make a new attempt.
    Spent,
    /// WeChat is busy; the attempt stands.
    Busy,
    /// The payer's own affair; the attempt stands.
    Payer,
    /// The merchant's settings or rights; the attempt is given up, the words are for the staff.
    Shop,
}

/// Every err_code of the order: what to do, and what the buyer hears. Source: unified order, API v2; JSAPI order, API v3.
pub fn meaning(code: &str) -> (OrderRefusal, &'static str) {
    match code {
        "ORDERPAID" => (OrderRefusal::Paid, "订单已付款，无需重复支付"),
        "ORDERCLOSED" => (OrderRefusal::Spent, "支付单已关闭，请重新发起支付"),
        "OUT_TRADE_NO_USED" | "INVALID_REQUEST" => (OrderRefusal::Spent, "支付单号重复，请重新发起支付"),
        "SYSTEMERROR" | "FREQUENCY_LIMITED" => (OrderRefusal::Busy, "微信支付系统繁忙，请稍后再试；订单已为您保留"),
        "NOTENOUGH" => (OrderRefusal::Payer, "微信提示余额不足，请换一种支付方式再试"),
        "NOAUTH" => (OrderRefusal::Shop, "商家的微信支付权限受限，暂时不能付款，请联系商家"),
        "APPID_NOT_EXIST" | "MCHID_NOT_EXIST" => (OrderRefusal::Shop, "商家的微信支付账号设置有误，请联系商家"),
        "APPID_MCHID_NOT_MATCH" => (OrderRefusal::Shop, "商家的商户号还没有和小程序绑定，请联系商家"),
        "LACK_PARAMS" | "PARAM_ERROR" => (OrderRefusal::Shop, "支付参数没有被微信接受，请联系商家"),
        "SIGNERROR" => (OrderRefusal::Shop, "商家的支付密钥设置有误，请联系商家"),
        "XML_FORMAT_ERROR" | "REQUIRE_POST_METHOD" | "POST_DATA_EMPTY" | "NOT_UTF8" => {
            (OrderRefusal::Shop, "支付请求没有被微信接受，请联系商家")
        }
        _ => (OrderRefusal::Shop, "微信没有受理这次支付，请稍后再试或联系商家"),
    }
}

async fn refused(shop: &Shop, cashier: &Cashier, attempt: &Attempt, e: GatewayError) -> Result<Option<String>> {
    let (code, text) = match &e {
        // A time-out is unknown, not failed: the order stands, and the poll will ask.
        GatewayError::Unreachable(_) | GatewayError::Unusable { .. } => {
            return Err(Error::from(Code::WechatUnavailable).retry_after(5));
        }
        // Unsigned, so it says nothing about the attempt: the next try sends the same once more.
        GatewayError::Certificate(text) | GatewayError::NotAccepted(text) => {
            log::error!("unified order {} not accepted: {text}", attempt.out_trade_no);
            return Err(Code::WechatRejected.into());
        }
        GatewayError::Refused { code, text } => (code, text),
    };
    let (meaning, words) = meaning(code.as_str());
    let rejected = |code: Code| Error::from(code).says(words);
    match meaning {
        OrderRefusal::Busy => Err(rejected(Code::WechatUnavailable).retry_after(5)),
        OrderRefusal::Payer => Err(rejected(Code::WechatRejected)),
        OrderRefusal::Shop => {
            log::error!("unified order {} refused: {code} {text}", attempt.out_trade_no);
            // One with a prepay_id stands: the buyer may hold it, and a second one beside it could be paid too.
            end(shop, attempt, &[AttemptState::Created], AttemptState::Failed).await?;
            Err(rejected(Code::WechatRejected))
        }
        OrderRefusal::Paid | OrderRefusal::Spent => after_query(shop, cashier, attempt, meaning, rejected).await,
    }
}

/// WeChat says that the number was used: what for, a query tells.
async fn after_query(
    shop: &Shop,
    cashier: &Cashier,
    attempt: &Attempt,
    meaning: OrderRefusal,
    rejected: impl Fn(Code) -> Error,
) -> Result<Option<String>> {
    let asked = ask(shop, &cashier.account, attempt).await?;
    match asked.trade {
        Ok(Trade::Paid(_)) if asked.settled.is_some_and(Settled::fits_an_order) => Err(Code::AlreadyPaid.into()),
        Ok(Trade::Paid(_)) => Err(rejected(Code::WechatRejected).says("微信收到的金额与订单不符，请联系商家处理")),
        Ok(Trade::Closed) => {
            end(shop, attempt, ALIVE, AttemptState::Closed).await?;
            Ok(None)
        }
        Ok(_) if meaning == OrderRefusal::Spent => {
            // Another message under our number lives at WeChat: it must not be paid beside the new one.
            give_up(shop, attempt).await?;
            Ok(None)
        }
        Ok(_) => Err(rejected(Code::WechatRejected)),
        Err(_) => Err(rejected(Code::WechatUnavailable).retry_after(5)),
    }
}

const ALIVE: &[AttemptState] = &[AttemptState::Created, AttemptState::Prepaid];

async fn end(shop: &Shop, attempt: &Attempt, from: &'static [AttemptState], to: AttemptState) -> Result<()> {
    let id = attempt.id;
    shop.write(move |tx| attempts::end(tx, id, from, to)).await
}

/// The number is spent: closed at WeChat in passing, and settled as usual should it ever be paid.
async fn give_up(shop: &Shop, attempt: &Attempt) -> Result<()> {
    let (id, closable_at) = (attempt.id, attempt.closable_at());
    let write = move |tx: &Tx| {
        attempts::end(tx, id, ALIVE, AttemptState::Failed)?;
        Ok(jobs::enqueue(tx, Task::Close(id), closable_at.max(tx.now()))?)
    };
    shop.write(write).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_refusal_has_a_meaning_and_words() {
        for (code, expected) in [
            ("INVALID_REQUEST", OrderRefusal::Spent),
            ("NOAUTH", OrderRefusal::Shop),
            ("NOTENOUGH", OrderRefusal::Payer),
            ("ORDERPAID", OrderRefusal::Paid),
            ("ORDERCLOSED", OrderRefusal::Spent),
            ("SYSTEMERROR", OrderRefusal::Busy),
            ("FREQUENCY_LIMITED", OrderRefusal::Busy),
            ("APPID_NOT_EXIST", OrderRefusal::Shop),
            ("MCHID_NOT_EXIST", OrderRefusal::Shop),
            ("APPID_MCHID_NOT_MATCH", OrderRefusal::Shop),
            ("LACK_PARAMS", OrderRefusal::Shop),
            ("PARAM_ERROR", OrderRefusal::Shop),
            ("OUT_TRADE_NO_USED", OrderRefusal::Spent),
            ("SIGNERROR", OrderRefusal::Shop),
            ("XML_FORMAT_ERROR", OrderRefusal::Shop),
            ("REQUIRE_POST_METHOD", OrderRefusal::Shop),
            ("POST_DATA_EMPTY", OrderRefusal::Shop),
            ("NOT_UTF8", OrderRefusal::Shop),
            ("SOMETHING_NEW", OrderRefusal::Shop),
        ] {
            let (found, words) = meaning(code);
            assert_eq!(found, expected, "{code}");
            assert!(words.chars().count() > 8, "{code}");
        }
    }
}
