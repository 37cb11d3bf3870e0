//! What a bill has and the books lack: WeChat is asked about it, and what it says is entered.

use rusqlite::Connection;

use super::{CHUNK, store};
use crate::clock::Day;
use crate::db::Tx;
use crate::error::Result;
use crate::ids::AttemptId;
use crate::jobs::Ran;
use crate::ledger::store as ledger;
use crate::message_log::{self, Logged};
use crate::payments::refund::learn;
use crate::payments::settle::{self, Source};
use crate::payments::store as payments;
use crate::shop::Shop;
use crate::wechat::Account;
use crate::wechat::pay::{Trade, TradeOf};

/// Payments and refunds that the bill has and we have not: WeChat's signed word on each is fetched and entered.
/// Answers with how many could not be asked about.
pub async fn enter_missed(shop: &Shop, account: &Account, day: Day, lines: store::Lines) -> Result<usize> {
    let mut unheard = 0;
    let read = move |conn: &Connection| {
        let with_attempt = |(transaction_id, attempt): (String, Option<AttemptId>)| {
            let attempt = attempt.map(|id| payments::attempt(conn, id)).transpose()?.flatten();
            Ok((transaction_id, attempt))
        };
        store::payments_missed(conn, day, lines)?.into_iter().map(with_attempt).collect::<Result<Vec<_>>>()
    };
    for (transaction_id, attempt) in shop.read(read).await? {
        // WeChat knows a payment by the app that it was made in.
        let made_in = attempt.and_then(|attempt| attempt.account(shop));
        let entered = enter_payment(shop, made_in.as_ref().unwrap_or(account), &transaction_id).await;
        unheard += usize::from(!without_the_others(entered, &transaction_id).unwrap_or(false));
    }
    let missed = shop.read(move |conn| Ok(store::refunds_missed(conn, day, lines)?)).await?;
    for of_one in missed.chunk_by(|a, b| a.entry == b.entry) {
        let (entry, numbers) = (of_one[0].entry, of_one.iter().map(|missed| missed.number.clone()));
        let learnt = learn::all_of(shop, entry, numbers.filter(|number| !number.is_empty()).collect()).await;
        unheard += usize::from(without_the_others(learnt, &entry) != Some(Ran::Done));
    }
    let left = shop.read(move |conn| Ok(store::refunds_missed(conn, day, lines)?)).await?;
    if left.is_empty() {
        return Ok(unheard);
    }
    let write = move |tx: &Tx| {
        left.iter().try_for_each(|missed| learn::billed(tx, missed.entry, &missed.refund_id, &missed.number))
    };
    shop.write(write).await?;
    Ok(unheard)
}

/// One row that cannot be entered is asked about again, and keeps no other from being matched.
fn without_the_others<T>(entered: Result<T>, what: &impl std::fmt::Display) -> Option<T> {
    entered.inspect_err(|e| log::error!("a bill's row about {what} was not entered: {}", e.message())).ok()
}

/// What WeChat kept of each payment and refund that is ours, a few at a time.
pub async fn enter_fees(shop: &Shop, day: Day) -> Result<()> {
    let mut after = 0;
    loop {
        let fees = shop.read(move |conn| Ok(store::fees(conn, day, after, CHUNK)?)).await?;
        let Some(last) = fees.last() else { return Ok(()) };
        after = last.line;
        let write = move |tx: &Tx| {
            for fee in &fees {
                ledger::enter_fee(tx, &fee.wechat_id, fee.fee_fen, fee.at)?;
            }
            Ok(())
        };
        shop.write(write).await?;
    }
}

/// Asks WeChat about a payment and enters it. False when WeChat could not be heard.
async fn enter_payment(shop: &Shop, account: &Account, transaction_id: &str) -> Result<bool> {
    let exchange = shop.wechat.order_query(account, TradeOf::Transaction(transaction_id), &shop.nonces).await;
    let mut sent = Logged::sent(&exchange);
    sent.transaction_id = Some(transaction_id.to_owned());
    let (settings, trade) = (shop.settings(), exchange.result);
    let heard = trade.is_ok();
    let write = move |tx: &Tx| {
        let mut entry = sent.clone();
        if let Ok(Trade::Paid(payment)) = &trade {
            entry.out_trade_no = Some(payment.out_trade_no.clone());
            entry.amount = Some(payment.total);
            let message = message_log::next_id(tx)?;
            let settlement = settle::settle(tx, payment, Source::Bill, Some(message), &settings)?;
            entry.reason = format!("账单里有、本店漏记的付款：{}", settlement.settled.text());
            return Ok(entry.record_as(message, tx)?);
        }
        Ok(entry.record(tx).map(|_| ())?)
    };
    shop.write_always(write).await?;
    shop.wake_worker();
    Ok(heard)
}
