//! Closing: query, close, query again, and only then is an unpaid attempt believed to stay unpaid.

use super::check::ask;
use super::settle::Settled;
use super::{Attempt, AttemptState, store};
use crate::clock::{DAY, MINUTE, SECOND};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{AttemptId, OrderId};
use crate::jobs::{self, Ran, Task};
use crate::orders::{self, ClosedReason, OrderStatus, Who, moves};
use crate::shop::Shop;
use crate::wechat::GatewayError;
use crate::wechat::pay::{CLOSE_ORDER, ORDER_QUERY, Trade};

/// The sweep comes this long after the time to pay is over: payers in the cash desk can succeed a little late.
pub const SWEEP_AFTER: i64 = 10 * SECOND;
/// How long an order is held beyond its time when WeChat cannot be reached.
const HOLD: i64 = 30 * MINUTE;
const RETRY: i64 = 30 * SECOND;
/// WeChat wants so long between an attempt's creation and its closing. Source: close order, API v2.
pub const CLOSABLE_AFTER: i64 = 5 * MINUTE;
/// How long an attempt that could not be closed is followed.
const FOLLOW: i64 = DAY;

/// What is now certain about an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certain {
    /// It was paid, and has been settled.
    Paid,
    /// It cannot be paid any more.
    Closed,
    /// It is unpaid and too young to be closed: not before this moment.
    TooYoung(i64),
    /// Nothing: WeChat could not be reached, or said neither.
    Unknown(String),
    /// Nothing: one of its interfaces keeps timing out, and is left alone for a while.
    NotAsked,
}

/// Query, close, query; a young attempt is only asked about. The attempt must stand in `closing`, so that it is handed out to no one meanwhile.
pub(super) async fn close_at_wechat(shop: &Shop, attempt: &Attempt) -> Result<Certain> {
    let unknown = |e: &GatewayError| Ok(Certain::Unknown(e.to_string()));
    let Some(account) = attempt.account(shop) else {
        return Ok(Certain::Unknown("微信支付还没有设置".into()));
    };
    if !shop.wechat.may_ask(ORDER_QUERY) {
        return Ok(Certain::NotAsked);
    }
    let asked = ask(shop, &account, attempt).await?;
    match asked.trade {
        Ok(Trade::Paid(_)) => return paid(shop, attempt, asked.settled).await,
        Ok(Trade::Closed | Trade::Absent) => return closed(shop, attempt).await,
        Ok(Trade::NotPaid) => {}
        Ok(Trade::Other(state)) => return Ok(Certain::Unknown(state)),
        Err(e) => return unknown(&e),
    }
    let closable_at = attempt.created_at + CLOSABLE_AFTER;
    if shop.now() < closable_at {
        return Ok(Certain::TooYoung(closable_at));
    }
    if !shop.wechat.may_ask(CLOSE_ORDER) {
        return Ok(Certain::NotAsked);
    }
    let exchange = shop.wechat.close_order(&account, &attempt.out_trade_no, &shop.nonces).await;
    let entry = attempt.logged(&exchange);
    let now = shop.now();
    shop.write(move |tx| Ok(entry.record(tx, now)?)).await?;
    let accepted = exchange.result;
    let asked = ask(shop, &account, attempt).await?;
    match (asked.trade, accepted) {
        (Ok(Trade::Paid(_)), _) => paid(shop, attempt, asked.settled).await,
        (Ok(Trade::Closed | Trade::Absent), _) | (Ok(Trade::NotPaid), Ok(())) => closed(shop, attempt).await,
        (Ok(Trade::Other(state)), _) => Ok(Certain::Unknown(state)),
        (Ok(Trade::NotPaid), Err(e)) | (Err(e), _) => unknown(&e),
    }
}

/// Money of another amount pays no order, and the number cannot be paid a second time: the attempt has come to its end.
async fn paid(shop: &Shop, attempt: &Attempt, settled: Option<Settled>) -> Result<Certain> {
    match settled {
        Some(Settled::AmountMismatch | Settled::Orphan) => closed(shop, attempt).await,
        _ => Ok(Certain::Paid),
    }
}

/// Of a closed order, the last attempt to go gives the stock back in the same transaction: whoever ended between the
/// two would leave it held for good, since nothing looks again at an attempt that is closed.
async fn closed(shop: &Shop, attempt: &Attempt) -> Result<Certain> {
    let (id, order, now) = (attempt.id, attempt.order_id, shop.now());
    let from = [AttemptState::Created, AttemptState::Prepaid, AttemptState::Closing];
    let write = move |tx: &Tx| {
        store::set_state(tx, id, &from, AttemptState::Closed)?;
        release_if_certain(tx, order, now)
    };
    shop.write(write).await?;
    Ok(Certain::Closed)
}

/// Marks what is alive as closing; answers with everything that must be closed at WeChat.
pub fn start_closing(tx: &Tx, order: OrderId) -> rusqlite::Result<Vec<Attempt>> {
    let mut closing = Vec::new();
    for attempt in store::attempts(tx, order)? {
        if attempt.state.is_alive() {
            store::set_state(tx, attempt.id, &[attempt.state], AttemptState::Closing)?;
        }
        if attempt.state.is_open() {
            closing.push(attempt);
        }
    }
    Ok(closing)
}

/// T4, T6: closes an unpaid order on request. `Err(AlreadyPaid)` when the money turns out to have come.
pub async fn cancel(shop: &Shop, id: OrderId, reason: ClosedReason, who: Who) -> Result<()> {
    let now = shop.now();
    let what = match reason {
        ClosedReason::BuyerCancelled => "买家取消订单",
        _ => "商家取消订单",
    };
    let drops = who.clone();
    let start = move |tx: &Tx| {
        let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let order = orders::store::full(tx, order)?;
        if order.may_be_dropped() && moves::drop_free(tx, &order.order, reason, &drops, what, now)? {
            return Ok(None);
        }
        if order.order.status != OrderStatus::PendingPayment {
            return Err(Error::from(Code::OrderState));
        }
        let closing = start_closing(tx, id)?;
        // Should we die on the way, or WeChat be away: what was begun is carried on.
        for attempt in &closing {
            jobs::enqueue(tx, Task::Close(attempt.id), now + RETRY, now)?;
        }
        Ok(Some(closing))
    };
    let Some(closing) = shop.write(start).await? else { return Ok(()) };
    for attempt in closing {
        if close_at_wechat(shop, &attempt).await? == Certain::Paid {
            return Err(Code::AlreadyPaid.into());
        }
    }
    let now = shop.now();
    let finish = move |tx: &Tx| {
        if !moves::close(tx, id, reason, &who, what, now)? {
            // A notice overtook us, or somebody else closed it.
            let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
            let closed = order.status == OrderStatus::Closed;
            return Err(Error::from(if closed { Code::OrderState } else { Code::AlreadyPaid }));
        }
        release_if_certain(tx, id, now)
    };
    let finished = shop.write(finish).await;
    shop.wake_worker();
    finished
}

/// T5: the time to pay is over.
pub async fn expire(shop: &Shop, id: OrderId) -> Result<Ran> {
    let now = shop.now();
    let start = move |tx: &Tx| {
        let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let waiting = order.status == OrderStatus::PendingPayment;
        if waiting && now < order.expires_at + SWEEP_AFTER {
            return Ok(Err(Ran::Again { at: order.expires_at + SWEEP_AFTER }));
        }
        if !waiting {
            return Ok(Err(Ran::Done));
        }
        Ok(Ok((start_closing(tx, id)?, order)))
    };
    let (closing, order) = match shop.write(start).await? {
        Ok(started) => started,
        Err(ran) => return Ok(ran),
    };
    let (now, mut unknown) = (shop.now(), None);
    for attempt in &closing {
        match close_at_wechat(shop, attempt).await? {
            Certain::Paid => return Ok(Ran::Done),
            Certain::Closed => {}
            Certain::TooYoung(at) => unknown = Some((at, "支付单太新，还不能关闭".to_owned())),
            Certain::Unknown(why) => unknown = Some((now + RETRY, why)),
            Certain::NotAsked => unknown = Some((now + MINUTE, "接连超时，暂停询问".into())),
        }
    }
    let now = shop.now();
    let held_until = order.expires_at + SWEEP_AFTER + HOLD;
    if let Some((at, _)) = unknown.as_ref().filter(|_| now < held_until) {
        return Ok(Ran::Again { at: (*at).min(held_until) });
    }
    let finish = move |tx: &Tx| {
        let what = match &unknown {
            None => "超过付款时间，订单已关闭".to_owned(),
            Some((_, why)) => format!("超过付款时间且连不上微信（{why}），订单先行关闭，支付单继续跟进"),
        };
        if moves::close(tx, id, ClosedReason::Timeout, &Who::system(), &what, now)? {
            for attempt in store::attempts(tx, id)?.iter().filter(|a| a.state == AttemptState::Closing) {
                jobs::enqueue(tx, Task::Close(attempt.id), now + MINUTE, now)?;
            }
            // Half an hour was enough: buyers who want the goods must not wait a day for a lost line.
            let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
            moves::release(tx, &order, now)?;
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
        Certain::Paid | Certain::Closed => Ok(Ran::Done),
        Certain::TooYoung(at) => Ok(Ran::Again { at }),
        Certain::Unknown(why) if shop.now() - since < FOLLOW => Ok(Ran::Failed(why)),
        Certain::NotAsked if shop.now() - since < FOLLOW => Ok(Ran::Again { at: shop.now() + MINUTE }),
        // After a day its own time_expire is long past; money that comes all the same is settled as late.
        Certain::Unknown(_) | Certain::NotAsked => closed(shop, &attempt).await.map(|_| Ran::Done),
    }
}

/// Gives a closed order's stock back once none of its attempts can be paid any more.
pub fn release_if_certain(tx: &Tx, id: OrderId, now: i64) -> Result<()> {
    let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
    let open = || store::attempts(tx, id).map(|all| all.iter().any(|attempt| attempt.state.is_open()));
    if order.status == OrderStatus::Closed && order.holds_stock && !open()? {
        moves::release(tx, &order, now)?;
    }
    Ok(())
}
