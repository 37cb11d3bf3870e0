//! Asking WeChat what became of an attempt, and believing only what it signs.

use rusqlite::Connection;

use super::settle::{self, Settled, Source};
use super::{Attempt, AttemptState, linked, store, word};
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::store as exceptions;
use crate::ids::{AttemptId, OrderId};
use crate::jobs::{self, Ran, Task};
use crate::ledger::{Entered, store as ledger};
use crate::message_log::store as messages;
use crate::say::say;
use crate::shop::Shop;
use crate::wechat::flaw::Flaw;
use crate::wechat::pay::{ORDER_QUERY, Trade, TradeOf};
use crate::wechat::{Account, Api, GatewayError, Signature};

/// Polls without any notice: after the order, until its time is over.
const POLLS: [i64; 4] = [15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE];

/// What a query found, after it was written down and, if paid, settled.
#[derive(Debug)]
pub struct Asked {
    pub trade: std::result::Result<Trade, GatewayError>,
    pub settled: Option<Settled>,
}

/// Queries one attempt: in the version that made it, and where that refuses to speak, by v3 about what notices have told of it.
pub async fn ask(shop: &Shop, account: &Account, attempt: &Attempt) -> Result<Asked> {
    let asked = ask_by_number(shop, account, attempt).await?;
    match &asked.trade {
        Err(GatewayError::NotAccepted(_) | GatewayError::Refused { .. }) if account.api() == Api::V2 => {
            Ok(ask_by_v3(shop, attempt).await?.unwrap_or(asked))
        }
        _ => Ok(asked),
    }
}

/// The latest so many of what notices have told of an attempt.
const TOLD: usize = 3;

/// The key of v2 may be dead, and v3 knows the same payments by WeChat's own number. What each was paid for is an answer; what v3 does not know
/// of an attempt that it did not make proves nothing.
async fn ask_by_v3(shop: &Shop, attempt: &Attempt) -> Result<Option<Asked>> {
    let Some(account) = attempt.account_by(Api::V3, &shop.settings(), shop.now()) else { return Ok(None) };
    let (order, id, paid_by) = (attempt.order_id, attempt.id, attempt.transaction_id.clone());
    let read = move |conn: &Connection| match paid_by {
        Some(paid_by) => Ok(vec![paid_by]),
        None => {
            Ok(messages::thanked_for(conn, order, id)?.into_iter().map(|(told, _)| told).rev().take(TOLD).collect())
        }
    };
    for transaction_id in shop.read(read).await? {
        let exchange = shop.wechat.order_query(&account, TradeOf::Transaction(&transaction_id), &shop.nonces).await;
        let (mut entry, _) = word::logged(&exchange, &transaction_id, account.mch_id());
        let payment = match exchange.result {
            Ok(Trade::Paid(payment)) if payment.out_trade_no == attempt.out_trade_no.as_str() => payment,
            // Of what it stands on WeChat says that it was paid for something else: a no, which is kept with the attempt.
            Ok(Trade::Paid(payment)) if attempt.transaction_id.as_ref() == Some(&transaction_id) => {
                let said = format!("这笔款的商户订单号是 {}", payment.out_trade_no);
                (entry.order_id, entry.attempt_id, entry.amount) = (Some(order), Some(id), None);
                entry.reason.clone_from(&said);
                let write = move |tx: &Tx| {
                    entry.record(tx)?;
                    settle::denied(tx, id, &said)?;
                    Ok(Asked { trade: Ok(Trade::NotPaid), settled: None })
                };
                return Ok(Some(shop.write_always(write).await?));
            }
            _ => {
                shop.write_always(move |tx| Ok(entry.record(tx).map(drop)?)).await?;
                continue;
            }
        };
        (entry.order_id, entry.attempt_id) = (Some(order), Some(id));
        let settings = shop.settings();
        let write = move |tx: &Tx| {
            let message = entry.record(tx)?;
            let settled = settle::settle(tx, &payment, Source::Query, Some(message), &settings)?.settled;
            Ok(Asked { trade: Ok(Trade::Paid(payment.clone())), settled: Some(settled) })
        };
        let asked = shop.write_always(write).await?;
        shop.wake_worker();
        return Ok(Some(asked));
    }
    Ok(None)
}

/// The answer, our verdict and the settlement are one transaction.
async fn ask_by_number(shop: &Shop, account: &Account, attempt: &Attempt) -> Result<Asked> {
    let exchange = shop.wechat.order_query(account, TradeOf::Number(&attempt.out_trade_no), &shop.nonces).await;
    let mut entry = attempt.logged(shop, &exchange);
    if let Ok(trade) = &exchange.result {
        entry.reason = match trade {
            Trade::Paid(_) => "SUCCESS 已支付".into(),
            Trade::NotPaid => "NOTPAY 未支付".into(),
            Trade::Closed => "CLOSED 已关闭".into(),
            Trade::Absent => {
                let code = exchange.own_code().unwrap_or_else(|| "ORDERNOTEXIST".into());
                format!("{code} 微信没有这笔单")
            }
            Trade::Other(state) => state.clone(),
        };
    }
    let (settings, id) = (shop.settings(), attempt.id);
    // Of what came in while the question was on its way, its answer says nothing.
    let stood = attempt.state == AttemptState::Paid;
    let trade = exchange.result;
    if let Ok(Trade::Paid(payment)) = &trade {
        entry.transaction_id = Some(payment.transaction_id.clone());
        entry.amount = Some(payment.total);
    }
    // It is signed, and one of its facts cannot be read: the money may have come in.
    let unread = match &trade {
        Err(GatewayError::Unusable { flaw: Flaw::BadField, said }) if exchange.signature == Signature::Right => {
            Some(said.clone())
        }
        _ => None,
    };
    let number = attempt.out_trade_no.to_string();
    let write = move |tx: &Tx| {
        let message = entry.record(tx)?;
        if let Some(why) = &unread {
            store::put_unread(tx, &number, why)?;
        }
        store::take_query_turn(tx, id, tx.now())?;
        if stood && matches!(trade, Ok(Trade::NotPaid | Trade::Closed | Trade::Absent)) {
            settle::denied(tx, id, &entry.reason)?;
        }
        let settled = match &trade {
            Ok(Trade::Paid(payment)) => {
                Some(settle::settle(tx, payment, Source::Query, Some(message), &settings)?.settled)
            }
            _ => None,
        };
        Ok(Asked { trade: trade.clone(), settled })
    };
    // A fact from WeChat is kept even when whoever asked has hung up.
    let asked = shop.write_always(write).await?;
    shop.wake_worker();
    Ok(asked)
}

/// What only a notice of API v2 has told, in a shop that sells by v3, and in any where its order is said to have been paid twice or WeChat has
/// said no, and whatever WeChat denies while nobody has looked: its own attempt is asked about before anything is done with it. `None` where
/// there is nothing to ask; errors: in words, why WeChat was not heard, or contradicts what it has said itself.
pub async fn ask_noticed(shop: &Shop, transaction_id: String) -> Result<Option<std::result::Result<bool, String>>> {
    ask_told(shop, transaction_id, shop.settings().api().asks_first()).await
}

/// The same; `anyway` in a shop that has no better key, too.
pub async fn ask_told(
    shop: &Shop,
    transaction_id: String,
    anyway: bool,
) -> Result<Option<std::result::Result<bool, String>>> {
    let read = move |conn: &Connection| {
        let open = exceptions::word_awaited_since(conn, &transaction_id)?.is_some();
        let entered = ledger::payment(conn, &transaction_id)?.filter(|entered| open || entered.api == Some(Api::V2));
        let Some(entered) = entered else { return Ok(None) };
        let attempt = entered.attempt_id.map(|id| store::attempt(conn, id)).transpose()?.flatten();
        let paid = attempt.as_ref().is_some_and(|attempt| attempt.transaction_id.as_ref() == Some(&transaction_id));
        let twice = entered.order_id.map(|order| exceptions::is_paid_twice(conn, order)).transpose()?;
        // What was linked while WeChat was not heard, whoever has looked at it since.
        let linked = !paid && entered.order_id.is_some();
        if linked && (open || twice == Some(true) && !messages::was_asked(conn, &transaction_id, entered.attempt_id)?) {
            return Ok(Some((None, entered, false)));
        }
        // A no stands with the money: whoever sells by v2 again asks once more.
        let answered =
            |attempt: &Attempt| messages::was_answered(conn, attempt.order_id, attempt.id, entered.entered_at);
        let denied = || -> Result<bool> {
            let itself = attempt.as_ref().map(answered).transpose()? == Some(true);
            Ok(itself || exceptions::was_denied(conn, &transaction_id)?)
        };
        if !anyway && !open && twice != Some(true) && !denied()? {
            return Ok(None);
        }
        // What paid an attempt was paid for its number; other money has come beside it.
        let Some(attempt) = attempt else { return Ok(None) };
        let heard = match paid {
            true => messages::was_told_of(conn, &transaction_id, attempt.id)?,
            false => messages::was_asked(conn, &transaction_id, Some(attempt.id))?,
        };
        if (heard && !open) || ledger::is_told_alone(conn, &transaction_id)? {
            return Ok(None);
        }
        // What v3 has made is paid by what WeChat signs alone.
        let itself = attempt.params.api() == Api::V3
            || messages::was_confirmed(conn, &transaction_id, attempt.id, entered.amount)?;
        Ok(Some((Some(attempt), entered, itself)))
    };
    let Some((attempt, entered, itself)) = shop.read(read).await? else { return Ok(None) };
    let Some(attempt) = attempt else { return ask_linked(shop, entered).await.map(Some) };
    let asked = match attempt.account(shop) {
        Some(account) => Some(ask(shop, &account, &attempt).await?),
        None => ask_by_v3(shop, &attempt).await?,
    };
    let Some(asked) = asked else { return Ok(Some(Err(attempt.why_unasked(shop)))) };
    Ok(Some(match asked.trade {
        Ok(Trade::Paid(payment)) => {
            Ok(payment.transaction_id == entered.transaction_id && payment.total == entered.amount)
        }
        Ok(_) if itself => Err(BEHIND.to_owned()),
        Ok(_) => Ok(false),
        Err(e) => Err(e.to_string()),
    }))
}

/// The same of money that was linked to its order: by WeChat's own number of it, for none of the order's attempts tells of it.
async fn ask_linked(shop: &Shop, entered: Entered) -> Result<std::result::Result<bool, String>> {
    Ok(match linked::ask(shop, &entered).await? {
        Ok(Trade::Paid(_)) => {
            let read = move |conn: &Connection| Ok(exceptions::denied_since(conn, &entered.transaction_id)?.is_none());
            Ok(shop.read(read).await?)
        }
        Ok(_) => Ok(false),
        Err(why) => Err(why),
    })
}

/// What is said where WeChat's query does not know what WeChat itself has told of.
const BEHIND: &str = "微信自己说过这笔款已收到，现在查单却说没有：系统会再查，查到了自己接着办；到商户平台查到是这一单收到的，请把资金异常里的那一条标记为已处理";

/// A turn of the polling that makes notices a comfort rather than a need.
pub async fn poll(shop: &Shop, id: AttemptId) -> Result<Ran> {
    let Some(attempt) = shop.read(move |conn| Ok(store::attempt(conn, id)?)).await? else { return Ok(Ran::Done) };
    if !attempt.state.is_alive() {
        return before_shipping(shop, attempt.order_id).await;
    }
    let Some(account) = attempt.account(shop) else {
        return Ok(Ran::Failed(attempt.why_unasked(shop)));
    };
    let next = |now| next_poll(attempt.created_at, now);
    if !shop.wechat.may_ask(ORDER_QUERY) {
        let now = shop.now();
        let at = match kept_since(shop, &attempt).await? {
            Some(_) => Some(now + MINUTE),
            None => next(now),
        };
        return Ok(at.map_or(Ran::Done, |at| Ran::Again { at: at.min(now + MINUTE) }));
    }
    let asked = ask(shop, &account, &attempt).await?;
    if let Err(e) = &asked.trade {
        // The next turn asks again anyway; the sweep at the end follows up for longer.
        say!(Warn, "poll of {}: {e}", attempt.out_trade_no);
    }
    if matches!(asked.trade, Ok(Trade::Paid(_) | Trade::Closed)) {
        return Ok(Ran::Done);
    }
    let now = shop.now();
    let sooner = match asked.trade {
        Ok(_) => None,
        Err(_) => kept_since(shop, &attempt).await?.map(|since| now + soon(since, now, MINUTE)),
    };
    Ok(next(now).into_iter().chain(sooner).min().map_or(Ran::Done, |at| Ran::Again { at }))
}

/// What an order that waits to be sent stands on, where a notice of API v2 alone has told of it, or WeChat denies it or was not heard when it was taken
/// up again: goods wait for WeChat's word. What waits so is asked about again for a day, each time after as long again as that has waited.
pub(super) async fn before_shipping(shop: &Shop, order: OrderId) -> Result<Ran> {
    let read = move |conn: &Connection| match ledger::noticed_alone(conn, order)? {
        Some(noticed) => Ok(Some(noticed.transaction_id)),
        None => {
            let paid = ledger::payment_of(conn, order)?.map(|paid| paid.transaction_id);
            let since = paid.as_deref().map(|paid| exceptions::word_awaited_since(conn, paid)).transpose()?.flatten();
            Ok(paid.filter(|_| since.is_some()))
        }
    };
    let Some(transaction_id) = shop.read(read).await? else { return Ok(Ran::Done) };
    if !shop.wechat.may_ask(ORDER_QUERY) {
        return Ok(Ran::Again { at: shop.now() + MINUTE });
    }
    let asked = ask_noticed(shop, transaction_id.clone()).await?;
    let awaited = shop.read(move |conn| Ok(exceptions::word_awaited_since(conn, &transaction_id)?)).await?;
    let now = shop.now();
    Ok(match (asked, awaited) {
        (_, Some(since)) => again_at(since, now).map_or(Ran::Done, |at| Ran::Again { at }),
        (Some(Err(why)), None) => Ran::Failed(why),
        _ => Ran::Done,
    })
}

/// When WeChat's word is asked for again: after as long again as it has been waited for, for a day.
pub(super) fn again_at(since: i64, now: i64) -> Option<i64> {
    (now - since < DAY).then(|| now + soon(since, now, HOUR).max(MINUTE))
}

/// Asks about all of them.
pub fn ask_before_shipping(tx: &Tx) -> Result<()> {
    for (nth, id) in (0..).zip(ledger::all_noticed_alone(tx)?) {
        jobs::enqueue(tx, Task::Poll(id), tx.now() + nth * APART)?;
    }
    Ok(())
}

/// Since when a notice waits that was thanked for, so that it comes no more, and that WeChat has neither confirmed nor denied.
pub(super) async fn kept_since(shop: &Shop, attempt: &Attempt) -> Result<Option<i64>> {
    let (order, id) = (attempt.order_id, attempt.id);
    shop.read(move |conn| Ok(messages::kept_since(conn, order, id)?)).await
}

/// How long until the next question about what waits for an answer: as long again as it has waited.
pub(super) fn soon(since: i64, now: i64, at_most: i64) -> i64 {
    // By a clock that ran ahead: for how long, nobody knows.
    if since > now { at_most } else { (now - since).clamp(2 * SECOND, at_most) }
}

/// Between two questions of a start: a crowd of waiting buyers must not be asked about in one breath.
const APART: i64 = 50;

/// A shop that stood still, or that goes on from a copy of itself, may have missed any notice: whatever can be paid is
/// asked about as soon as it opens.
pub fn ask_about_all(tx: &Tx) -> Result<()> {
    for (nth, id) in (0..).zip(store::alive(tx)?) {
        jobs::enqueue(tx, Task::Poll(id), tx.now() + nth * APART)?;
    }
    Ok(())
}

/// The first turn after `now`; `None` when only the sweep at expiry is left.
pub fn next_poll(created_at: i64, now: i64) -> Option<i64> {
    // By a clock that ran ahead: how old it is, nobody knows.
    if created_at > now {
        return Some(now + MINUTE);
    }
    POLLS.iter().map(|step| created_at + step).find(|at| *at > now)
}
