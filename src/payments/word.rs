//! WeChat's own word of money that only somebody with the key of API v2 has told of: by what it is asked for, and how it is kept.

use rusqlite::Connection;

use super::{refund, store};
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::{OF_OTHERS, store as exceptions};
use crate::ids::{ExceptionId, MessageId, RefundId};
use crate::ledger::store as ledger;
use crate::message_log::Logged;
use crate::orders::Who;
use crate::refunds::{RefundState, store as refunds};
use crate::shop::Shop;
use crate::wechat::flaw::Flaw;
use crate::wechat::pay::Trade;
use crate::wechat::{Account, Api, Exchange, GatewayError, Identity, Payment, Signature};

/// What it has answered to a question by its own number; `None`: the money is another merchant's, or another app's.
pub type Word = Option<Trade>;

/// In whose name WeChat is asked, and by which version: by API v3 wherever its keys are there, for an answer by API v2 bears the app's id
/// that was asked with, whosesoever the money is. Errors: asked under another number, it knows nothing of the money, and that proves
/// nothing.
pub fn asker(shop: &Shop, told_by: Option<Identity>) -> std::result::Result<Account, String> {
    let settings = shop.settings();
    let unready = || settings.unready(settings.api()).unwrap_or_else(|| "微信支付还没有设置".to_owned());
    let account = shop.account_of(Api::V3).or_else(|| shop.account()).ok_or_else(unready)?;
    match told_by {
        Some(name) if name.mch_id != account.mch_id() => Err(format!(
            "通知写的商户号是 {}，现在设置的是 {}：换回那个商户号才能向微信查",
            name.mch_id,
            account.mch_id()
        )),
        Some(name) => Ok(account.under(&name.app_id)),
        None => Ok(account),
    }
}

/// Whether anything was said: that the money is another's is a word as good as any. Errors: WeChat was not heard.
pub fn heard(exchange: &Exchange<Trade>) -> std::result::Result<Word, GatewayError> {
    match &exchange.result {
        Ok(trade) => Ok(Some(trade.clone())),
        Err(GatewayError::Unusable { flaw: Flaw::OtherMerchant, .. }) if exchange.signature == Signature::Right => {
            Ok(None)
        }
        Err(e) => Err(e.clone()),
    }
}

/// The same, with the row of the log that keeps what was asked by `transaction_id` and what came of it.
pub fn logged(
    exchange: &Exchange<Trade>,
    transaction_id: &str,
    mch_id: &str,
) -> (Logged, std::result::Result<Word, GatewayError>) {
    let (mut entry, word) = (Logged::sent(exchange), heard(exchange));
    entry.transaction_id = Some(transaction_id.to_owned());
    if let Ok(word) = &word {
        entry.reason = said(word, mch_id);
    }
    if let Ok(Some(Trade::Paid(payment))) = &word {
        entry.amount = Some(payment.total);
    }
    (entry, word)
}

/// Whether a later answer may be another: that WeChat has it for something else stands.
pub fn may_turn(word: &Word) -> bool {
    !matches!(word, None | Some(Trade::Paid(_)))
}

/// Keeps the row. Where WeChat named the very attempt that stands on the payment, it is an answer about that as well.
pub fn record(tx: &Tx, entry: &Logged, word: &Word) -> Result<MessageId> {
    let attempt = match word {
        Some(Trade::Paid(payment)) => store::attempt_of(tx, payment)?
            .filter(|attempt| attempt.transaction_id.as_ref() == Some(&payment.transaction_id)),
        _ => None,
    };
    Ok(match attempt {
        Some(of) => Logged { order_id: Some(of.order_id), attempt_id: Some(of.id), ..entry.clone() }.record(tx)?,
        None => entry.record(tx)?,
    })
}

/// What was answered, in words.
fn said(word: &Word, mch_id: &str) -> String {
    match word {
        None => OF_OTHERS.to_owned(),
        Some(Trade::Paid(_)) => "SUCCESS 已支付".to_owned(),
        Some(Trade::Absent) => format!("微信说商户号 {mch_id} 没有这笔款"),
        Some(Trade::NotPaid | Trade::Closed) => "微信说这笔单没有付过款".to_owned(),
        Some(Trade::Other(state)) => format!("微信说这笔单的状态是 {state}，没有说收到了多少"),
    }
}

/// Keeps it: the sum that was told confirms the money, and anything else stands with every item about it, whichever version the
/// shop sells by afterwards.
pub fn keep(tx: &Tx, transaction_id: &str, word: &Word, mch_id: &str) -> Result<()> {
    let answer = match word {
        Some(Trade::Paid(payment)) => {
            confirm(tx, payment)?;
            if !ledger::is_told_alone(tx, transaction_id)? {
                return Ok(());
            }
            match ledger::payment(tx, transaction_id)? {
                None => return Ok(()),
                Some(_) if is_anothers(tx, payment)? => OF_OTHERS.to_owned(),
                Some(entered) => format!(
                    "微信说这笔款是 {} {}，通知说的是 ¥{}：账记错了，真收到的只能到商户平台退",
                    payment.total, payment.fee_type, entered.amount
                ),
            }
        }
        _ => said(word, mch_id),
    };
    Ok(exceptions::answer_unproven(tx, transaction_id, &answer)?)
}

/// What of WeChat's answer contradicts what a refund is for, in words: it goes back for a payment under another number.
pub fn contradicts(conn: &Connection, refund: RefundId, word: &Word) -> Result<Option<String>> {
    let Some(Trade::Paid(payment)) = word else { return Ok(None) };
    let told = exceptions::told_number_of(conn, refund)?;
    Ok(told
        .filter(|told| *told != payment.out_trade_no)
        .map(|told| format!("微信说这笔款的商户订单号是 {}，通知说的是 {told}：不是同一笔", payment.out_trade_no)))
}

/// API v3 has said that the money is another's: an answer by API v2 does not tell whose it is.
fn is_anothers(conn: &Connection, payment: &Payment) -> Result<bool> {
    Ok(payment.api == Api::V2 && exceptions::denied(conn, &payment.transaction_id)?.as_deref() == Some(OF_OTHERS))
}

/// WeChat itself has told of a payment. Where it was told of by the key of API v2 alone and the sum is right, it is money from now on: for
/// what WeChat says that it was paid for, and for nothing else that it was told under.
pub fn confirm(tx: &Tx, payment: &Payment) -> Result<()> {
    if !ledger::is_told_alone(tx, &payment.transaction_id)? || is_anothers(tx, payment)? {
        return Ok(());
    }
    ledger::confirm(tx, payment)?;
    if ledger::is_told_alone(tx, &payment.transaction_id)? {
        return Ok(());
    }
    let number = &payment.out_trade_no;
    let why = format!("微信说这笔款的商户订单号是 {number}，不是通知说的：看那个单号的一条");
    for (item, refund) in exceptions::told_falsely(tx, &payment.transaction_id, number)? {
        withdraw(tx, item, refund, &why)?;
    }
    Ok(())
}

/// Ends an item that was wrong, and stops the refund that was to settle it. Where that has gone out, the item ends with it.
pub fn withdraw(tx: &Tx, item: ExceptionId, refund: Option<RefundId>, why: &str) -> Result<()> {
    let refund = refund.map(|id| refunds::by_id(tx, id)).transpose()?.flatten();
    match refund.filter(|refund| !matches!(refund.state, RefundState::Cancelled | RefundState::Rejected)) {
        None => {}
        Some(refund) if refund.options().stop => refund::stop(tx, &refund, &Who::system())?,
        Some(_) => return Ok(()),
    }
    Ok(exceptions::resolve(tx, item, why)?)
}
