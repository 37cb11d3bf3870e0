//! Closing: query, close, query again, and only then is an unpaid attempt believed to stay unpaid.

use super::check::{ask, kept_since, soon};
use super::settle::Settled;
use super::{Attempt, AttemptState, attempts, prove, store};
use crate::clock::{DAY, MINUTE, SECOND};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{AttemptId, OrderId};
use crate::jobs::{self, Kind, Ran, Task};
use crate::orders::{self, ClosedReason, OrderStatus, Topic, Who, moves};
use crate::shop::Shop;
use crate::wechat::GatewayError;
use crate::wechat::pay::{CLOSE_ORDER, ORDER_QUERY, Trade};

/// The sweep comes this long after the time to pay is over: payers in the cash desk can succeed a little late.
pub const SWEEP_AFTER: i64 = 10 * SECOND;
/// How long an order is held beyond its time when WeChat cannot be reached.
const HOLD: i64 = 30 * MINUTE;
const RETRY: i64 = 30 * SECOND;
/// How long an attempt that could not be closed is followed.
const FOLLOW: i64 = DAY;

/// What became of an attempt that was to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was paid, and has been settled.
    Paid,
    /// It cannot be paid any more.
    Closed,
    /// It is unpaid and too young to be closed: not before this moment.
    NotYet(i64),
    /// Nothing: WeChat could not be reached, or said neither.
    Unknown(String),
    /// Nothing: one of its interfaces keeps timing out, and is left alone for a while.
    NotAsked,
}

/// Query, close, query; a young attempt is only asked about. The attempt must stand in `closing`, so that it is handed out to no one meanwhile.
pub(super) async fn close_at_wechat(shop: &Shop, attempt: &Attempt) -> Result<Fate> {
    let unknown = |e: &GatewayError| Ok(Fate::Unknown(e.to_string()));
    let Some(account) = attempt.account(shop) else {
        return Ok(Fate::Unknown(attempt.why_unasked(shop)));
    };
    if !shop.wechat.may_ask(ORDER_QUERY) {
        return Ok(Fate::NotAsked);
    }
    let asked = ask(shop, &account, attempt).await?;
    match asked.trade {
        Ok(Trade::Paid(_)) => return paid(shop, attempt, asked.settled).await,
        Ok(Trade::Closed | Trade::Absent) => return closed(shop, attempt).await,
        Ok(Trade::NotPaid) => {}
        Ok(Trade::Other(state)) => return Ok(Fate::Unknown(format!("微信说这笔支付单的状态是 {state}"))),
        Err(e) => return unknown(&e),
    }
    let closable_at = attempt.closable_at();
    // One that is younger than no time at all was made by a clock that ran ahead.
    if attempt.created_at <= shop.now() && shop.now() < closable_at {
        return Ok(Fate::NotYet(closable_at));
    }
    if !shop.wechat.may_ask(CLOSE_ORDER) {
        return Ok(Fate::NotAsked);
    }
    let exchange = shop.wechat.close_order(&account, &attempt.out_trade_no, &shop.nonces).await;
    let entry = attempt.logged(shop, &exchange);
    shop.write(move |tx| Ok(entry.record(tx)?)).await?;
    let accepted = exchange.result;
    let asked = ask(shop, &account, attempt).await?;
    match (asked.trade, accepted) {
        (Ok(Trade::Paid(_)), _) => paid(shop, attempt, asked.settled).await,
        (Ok(Trade::Closed | Trade::Absent), _) | (Ok(Trade::NotPaid), Ok(())) => closed(shop, attempt).await,
        (Ok(Trade::Other(state)), _) => Ok(Fate::Unknown(format!("微信说这笔支付单的状态是 {state}"))),
        (Ok(Trade::NotPaid), Err(e)) | (Err(e), _) => unknown(&e),
    }
}

/// Money of another amount, or that stands in the books of another attempt, pays no order, and the number cannot be paid a second time: the
/// attempt has come to its end. Told again it is nothing new.
async fn paid(shop: &Shop, attempt: &Attempt, settled: Option<Settled>) -> Result<Fate> {
    let id = attempt.id;
    let is_of_none = match settled {
        Some(Settled::AmountMismatch | Settled::Orphan) => true,
        Some(Settled::AlreadyPaid) => {
            let now = shop.read(move |conn| Ok(store::attempt(conn, id)?)).await?;
            now.is_some_and(|attempt| attempt.state != AttemptState::Paid)
        }
        _ => false,
    };
    if is_of_none { closed(shop, attempt).await } else { Ok(Fate::Paid) }
}

/// Of a closed order, the last attempt to go gives the stock back in the same transaction: whoever ended between the
/// two would leave it held for good, since nothing looks again at an attempt that is closed.
async fn closed(shop: &Shop, attempt: &Attempt) -> Result<Fate> {
    let (id, order) = (attempt.id, attempt.order_id);
    shop.write(move |tx| end(tx, id, order)).await?;
    Ok(Fate::Closed)
}

fn end(tx: &Tx, id: AttemptId, order: OrderId) -> Result<()> {
    let from = [AttemptState::Created, AttemptState::Prepaid, AttemptState::Closing];
    attempts::end(tx, id, &from, AttemptState::Closed)?;
    release_if_certain(tx, order)
}

/// The same where WeChat has not said so: what it was told of meanwhile is left to somebody.
async fn given_up(shop: &Shop, attempt: Attempt) -> Result<Ran> {
    let write = move |tx: &Tx| {
        prove::leave_noticed(tx, &attempt)?;
        end(tx, attempt.id, attempt.order_id)?;
        Ok(Ran::Done)
    };
    shop.write(write).await
}

/// Marks what is alive as closing; answers with everything that must be closed at WeChat.
pub fn start_closing(tx: &Tx, order: OrderId) -> Result<Vec<Attempt>> {
    let mut closing = Vec::new();
    for attempt in store::attempts(tx, order)? {
        if attempt.state.is_alive() {
            attempts::go(tx, attempt.id, attempt.state, AttemptState::Closing)?;
        }
        if attempt.state.is_open() {
            closing.push(attempt);
        }
    }
    Ok(closing)
}

/// Closes an unpaid order on request. `Err(AlreadyPaid)` when the money turns out to have come.
pub async fn cancel(shop: &Shop, id: OrderId, reason: ClosedReason, who: Who) -> Result<()> {
    let what = match reason {
        ClosedReason::BuyerCancelled => "买家取消订单",
        _ => "商家取消订单",
    };
    let drops = who.clone();
    let start = move |tx: &Tx| {
        let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let order = orders::store::full(tx, order)?;
        if order.may_be_dropped() {
            moves::drop_free(tx, &order.order, reason, &drops, what)?;
            return Ok(None);
        }
        if !order.order.options().cancel {
            return Err(Error::from(Code::OrderState));
        }
        let closing = start_closing(tx, id)?;
        // Should we die on the way, or WeChat be away: what was begun is carried on.
        for attempt in &closing {
            jobs::enqueue(tx, Task::Close(attempt.id), tx.now() + RETRY)?;
        }
        Ok(Some(closing))
    };
    let Some(closing) = shop.write(start).await? else { return Ok(()) };
    for attempt in closing {
        if close_at_wechat(shop, &attempt).await? == Fate::Paid {
            return Err(Code::AlreadyPaid.into());
        }
    }
    let finish = move |tx: &Tx| {
        match orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?.status {
            OrderStatus::PendingPayment => moves::close(tx, id, reason, &who, what)?,
            // Somebody else closed it, or a notice overtook us.
            OrderStatus::Closed => return Err(Code::OrderState.into()),
            _ => return Err(Code::AlreadyPaid.into()),
        }
        release_if_certain(tx, id)
    };
    let finished = shop.write(finish).await;
    shop.wake_worker();
    finished
}

/// What there is to do about an order whose time to pay is over.
enum Start {
    Rest(Ran),
    /// Its attempts, and since when it is due.
    Close(Vec<Attempt>, i64),
}

/// The time to pay is over.
pub async fn expire(shop: &Shop, id: OrderId) -> Result<Ran> {
    let start = move |tx: &Tx| {
        let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let due = order.expires_at + SWEEP_AFTER;
        let longest = Kind::Expire.longest_wait().unwrap_or_default();
        Ok(match order.status {
            // Its time was given by a clock that ran ahead, and this job has waited for as long.
            OrderStatus::PendingPayment if due > tx.now() + longest => {
                orders::store::set_expires_at(tx, id, tx.now())?;
                Start::Rest(Ran::Again { at: tx.now() + SWEEP_AFTER })
            }
            OrderStatus::PendingPayment if tx.now() < due => Start::Rest(Ran::Again { at: due }),
            OrderStatus::PendingPayment => Start::Close(start_closing(tx, id)?, due),
            _ => Start::Rest(Ran::Done),
        })
    };
    let (closing, due) = match shop.write(start).await? {
        Start::Close(attempts, due) => (attempts, due),
        Start::Rest(ran) => return Ok(ran),
    };
    let (now, mut unknown) = (shop.now(), None);
    for attempt in &closing {
        match close_at_wechat(shop, attempt).await? {
            Fate::Paid => return Ok(Ran::Done),
            Fate::Closed => {}
            Fate::NotYet(at) => unknown = Some((at, "支付单太新，还不能关闭".to_owned())),
            Fate::Unknown(why) => unknown = Some((now + RETRY, why)),
            Fate::NotAsked => unknown = Some((now + MINUTE, "接连超时，暂停询问".into())),
        }
    }
    let now = shop.now();
    let held_until = due + HOLD;
    if let Some((at, _)) = unknown.as_ref().filter(|_| now < held_until) {
        return Ok(Ran::Again { at: (*at).min(held_until) });
    }
    let finish = move |tx: &Tx| {
        let what = match &unknown {
            None => "超过付款时间，订单已关闭".to_owned(),
            Some((_, why)) => format!("超过付款时间，向微信查不实支付单（{why}）。订单先行关闭，支付单继续跟进"),
        };
        let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        if order.status == OrderStatus::PendingPayment {
            moves::close(tx, id, ClosedReason::Timeout, &Who::system(), &what)?;
            for attempt in store::attempts(tx, id)?.iter().filter(|a| a.state == AttemptState::Closing) {
                jobs::enqueue(tx, Task::Close(attempt.id), tx.now() + MINUTE)?;
            }
            // Half an hour was enough: buyers who want the goods must not wait a day for a lost line.
            moves::release(tx, &order)?;
        }
        Ok(Ran::Done)
    };
    shop.write(finish).await
}

/// Follows an attempt until it is certain that nobody can pay it any more.
pub async fn follow(shop: &Shop, id: AttemptId, since: i64) -> Result<Ran> {
    let attempt = shop.read(move |conn| Ok(store::attempt(conn, id)?)).await?;
    // One whose number was spent is closed in passing: it will never be handed out again.
    let open = |attempt: &Attempt| matches!(attempt.state, AttemptState::Closing | AttemptState::Failed);
    let Some(attempt) = attempt.filter(open) else { return Ok(Ran::Done) };
    match close_at_wechat(shop, &attempt).await? {
        Fate::Paid | Fate::Closed => Ok(Ran::Done),
        Fate::NotYet(at) => Ok(Ran::Again { at }),
        Fate::Unknown(why) if shop.now() - since < FOLLOW => match kept_since(shop, &attempt).await? {
            // Where there is nobody to ask as, the settings have to change first.
            Some(kept) if attempt.account(shop).is_some() => {
                let now = shop.now();
                Ok(Ran::Again { at: now + soon(kept, now, 5 * MINUTE) })
            }
            _ => Ok(Ran::Failed(why)),
        },
        Fate::NotAsked if shop.now() - since < FOLLOW => Ok(Ran::Again { at: shop.now() + MINUTE }),
        // After a day its own time_expire is long past; money that comes all the same is settled as late.
        Fate::Unknown(_) | Fate::NotAsked => given_up(shop, attempt).await,
    }
}

/// Whether an attempt may still be paid and waits for a merchant number that is not set.
pub fn waits_for_number(attempt: &Attempt, closing: bool, now: Option<&str>) -> bool {
    let open = attempt.state.is_open() || (attempt.state == AttemptState::Failed && closing);
    open && now.is_some_and(|now| now != attempt.params.mch_id())
}

/// Somebody has looked in the console of a merchant number that is gone for good: no attempt of this order was paid there.
/// WeChat cannot be asked about them, so they end by his word. `now` is the number that is set. Errors: none waits.
pub fn seen_unpaid(tx: &Tx, order: OrderId, now: Option<&str>, who: &Who) -> Result<()> {
    let mut ended = Vec::new();
    for attempt in store::attempts(tx, order)? {
        let closing = jobs::store::is_open(tx, Task::Close(attempt.id))?;
        if !waits_for_number(&attempt, closing, now) {
            continue;
        }
        if attempt.state.is_open() {
            attempts::go(tx, attempt.id, attempt.state, AttemptState::Closed)?;
        }
        // He may not know that a notice says otherwise.
        prove::leave_noticed(tx, &attempt)?;
        for task in [Task::Close(attempt.id), Task::Poll(attempt.id)] {
            jobs::store::drop_open(tx, task)?;
        }
        ended.push(format!("#{:02}（商户号 {}）", attempt.n, attempt.params.mch_id()));
    }
    if ended.is_empty() {
        return Err(Error::from(Code::OrderState).says("没有等着登记的支付单，请刷新页面"));
    }
    let what = format!("支付单 {} 没有付款：{}在商户平台查过，问不到微信", ended.join("、"), who.name);
    orders::store::note(tx, order, who, Topic::Money, &what)?;
    release_if_certain(tx, order)
}

/// Gives a closed order's stock back once none of its attempts can be paid any more.
pub fn release_if_certain(tx: &Tx, id: OrderId) -> Result<()> {
    let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
    let open = || store::attempts(tx, id).map(|all| all.iter().any(|attempt| attempt.state.is_open()));
    if order.status == OrderStatus::Closed && order.holds_stock && !open()? {
        moves::release(tx, &order)?;
    }
    Ok(())
}
