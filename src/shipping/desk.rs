//! The desk where goods are fetched: a code is checked, and what lies behind it handed over.

use super::{Sending, ship, store, to_send};
use crate::clock::{self, MINUTE};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{OrderId, OrderNo, StaffId};
use crate::orders::pickup::{PickupCode, store as pickups};
use crate::orders::{Full, OrderStatus, Topic, Who, store as orders};
use crate::staff::Staff;

/// So many wrong codes within this time, and whoever tries them waits.
const MOST_GUESSES: i64 = 10;
const WINDOW: i64 = 10 * MINUTE;

/// What stands on an order's timeline when it was handed over for its code.
const HANDED_OVER: &str = "核对取货码，交给买家";

/// What a code that was typed or scanned is good for. The outer error keeps nothing; the inner one has been counted.
pub type Checked = std::result::Result<Full, Error>;

/// Reads a code; says what it is instead, where it is none of ours.
pub fn read(typed: &str) -> Result<PickupCode> {
    let wrong = |words: String| Err(Error::field("code", words));
    if typed.trim().is_empty() {
        return wrong("请扫买家的取货码，或输入 8 位数字".into());
    }
    if let Some(code) = PickupCode::read(typed) {
        return Ok(code);
    }
    if let Some(no) = OrderNo::read(typed) {
        return wrong(format!("{no} 是订单号，不是取货码：请买家打开小程序里的订单，出示取货码"));
    }
    let seen: String = typed.trim().chars().take(30).collect();
    wrong(format!("「{seen}」不是本店的取货码：取货码是 8 位数字，在买家小程序的订单里"))
}

/// Looks at what lies behind a code. A wrong one counts before it is looked up, against whoever tried it.
pub fn check(tx: &Tx, staff: StaffId, code: &PickupCode) -> Result<Checked> {
    if let Some(until) = store::guesses_end(tx, staff, MOST_GUESSES, tx.now() - WINDOW)?.map(|first| first + WINDOW) {
        let wait = until - tx.now();
        let words = format!("错的取货码太多了，请约 {}后再试；订单可以在订单列表里找", clock::span(wait + MINUTE));
        let error = Error::from(Code::RateLimited).says(words).retry_after((wait / 1_000).unsigned_abs());
        return Ok(Err(error));
    }
    store::insert_guess(tx, staff, tx.now() - WINDOW)?;
    let Some(order) = pickups::by_code(tx, code)? else {
        let words = format!("没有取货码 {code}，请和买家核对这 8 位数字");
        return Ok(Err(Error::from(Code::NotFound).says(words)));
    };
    store::forget_guesses(tx, staff)?;
    let order = orders::by_id(tx, order)?.ok_or(Code::NotFound)?;
    let full = orders::full(tx, order)?;
    Ok(match why_not(tx, &full)? {
        Some(words) => Err(Error::from(Code::OrderState).says(words)),
        None => Ok(full),
    })
}

/// Why nothing is handed over for this order's code; `None` when something is.
fn why_not(tx: &Tx, full: &Full) -> Result<Option<String>> {
    if !full.to_pack().is_empty() {
        return Ok(None);
    }
    let order = &full.order;
    let no = &order.order_no;
    Ok(Some(match order.status {
        OrderStatus::PendingPayment => format!("订单 {no} 还没有付款，不要交货"),
        OrderStatus::Closed => {
            let why = order.closed_reason.map_or("已关闭", |reason| reason.text());
            format!("订单 {no} 已关闭（{why}），不要交货")
        }
        OrderStatus::ToShip => format!("订单 {no} 的商品都已退款，不要交货"),
        OrderStatus::Shipped | OrderStatus::Completed => used(tx, full)?,
    }))
}

/// `这个取货码用过了：10-08 13:15 小李已把货交给买家`
fn used(tx: &Tx, full: &Full) -> Result<String> {
    let at = full.order.shipped_at.map(clock::shown_short).unwrap_or_default();
    let by = orders::events(tx, full.order.id)?.into_iter().find(|event| event.what == HANDED_OVER);
    let by = by.map_or("店里".to_owned(), |event| event.actor_name);
    let again =
        if full.to_exchange().is_empty() { "" } else { "；要交的是换货，请在「退换货」里登记" };
    Ok(format!("这个取货码用过了：{at} {by}已把货交给买家（订单 {}）{again}", full.order.order_no))
}

/// Hands over everything that is left of an order whose code is shown again, if these are the goods that were seen.
/// Answers with what was checked.
pub fn hand_over(
    tx: &Tx,
    staff: &Staff,
    code: &PickupCode,
    seen: Option<&str>,
    despite_refund: bool,
) -> Result<Checked> {
    let full = match check(tx, staff.id, code)? {
        Ok(full) => full,
        Err(error) => return Ok(Err(error)),
    };
    if seen.is_some_and(|seen| seen != to_send(&full)) {
        return Ok(Err(Error::from(Code::OrderState).says("要交的货刚刚变了，还没有核销：请再核对一遍")));
    }
    let (id, who) = (full.order.id, Who::staff(&staff.name));
    orders::note(tx, id, &who, Topic::Goods, HANDED_OVER)?;
    ship(tx, id, &Sending { despite_refund, ..Sending::default() }, &who)?;
    Ok(Ok(full))
}

/// The order whose goods are ready, so that its buyer sees it. False when that was said before. Errors: nobody comes.
pub fn make_ready(tx: &Tx, id: OrderId, who: &Who) -> Result<bool> {
    let order = orders::by_id(tx, id)?.ok_or(Code::NotFound)?;
    let full = orders::full(tx, order)?;
    if full.pickup.is_none() || full.to_pack().is_empty() {
        return Err(Error::from(Code::OrderState).says("只有等待取货的自提订单可以标记备好"));
    }
    let new = pickups::set_ready(tx, id)?;
    if new {
        orders::note(tx, id, who, Topic::Goods, "备好了，等买家来取")?;
    }
    Ok(new)
}
