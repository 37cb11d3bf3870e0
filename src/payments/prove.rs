//! What only somebody with the key of API v2 has said: WeChat is asked for it before it is money.

use super::settle::{self, Source};
use crate::clock::MINUTE;
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::store as exceptions;
use crate::ids::ExceptionId;
use crate::jobs::Ran;
use crate::ledger::store as ledger;
use crate::message_log::Logged;
use crate::shop::Shop;
use crate::wechat::pay::{ORDER_QUERY, Trade, TradeOf};
use crate::wechat::{Account, Identity};

/// Asks in the version that is set. What WeChat knows is settled as any payment is; what it does not know stays in the inbox
/// with its answer, and can neither be linked nor given back.
pub async fn ask(shop: &Shop, id: ExceptionId) -> Result<Ran> {
    let read = move |conn: &rusqlite::Connection| {
        let Some(exception) = exceptions::by_id(conn, id)?.filter(|exception| exception.is_unproven()) else {
            return Ok(None);
        };
        let entered = ledger::entered_for(conn, &exception.transaction_id)?.is_some();
        Ok((!entered).then_some(exception))
    };
    let Some(exception) = shop.read(read).await? else { return Ok(Ran::Done) };
    let account = match account(shop, &exception.theirs) {
        Ok(account) => account,
        Err(why) => {
            let answer = why.clone();
            shop.write(move |tx| Ok(exceptions::answer_unproven(tx, id, &answer)?)).await?;
            return Ok(Ran::Failed(why));
        }
    };
    if !shop.wechat.may_ask(ORDER_QUERY) {
        return Ok(Ran::Again { at: shop.now() + MINUTE });
    }
    let which = TradeOf::Transaction(&exception.transaction_id);
    let exchange = shop.wechat.order_query(&account, which, &shop.nonces).await;
    let mut entry = Logged::sent(&exchange);
    entry.transaction_id = Some(exception.transaction_id);
    (entry.order_id, entry.attempt_id) = (exception.order_id, None);
    let mch_id = account.mch_id().to_owned();
    let (trade, settings) = (exchange.result, shop.settings());
    let answer = match &trade {
        Ok(Trade::Paid(payment)) => {
            entry.amount = Some(payment.total);
            "SUCCESS 已支付".to_owned()
        }
        Ok(Trade::Absent) => format!("微信说商户号 {mch_id} 没有这笔款"),
        Ok(Trade::NotPaid | Trade::Closed) => "微信说这笔单没有付过款".to_owned(),
        Ok(Trade::Other(state)) => format!("微信说这笔单的状态是 {state}，没有说收到了多少"),
        Err(e) => e.to_string(),
    };
    if trade.is_ok() {
        entry.reason.clone_from(&answer);
    }
    let write = move |tx: &Tx| {
        let message = entry.record(tx)?;
        Ok(match &trade {
            Ok(Trade::Paid(payment)) => {
                settle::settle(tx, payment, Source::Query, Some(message), &settings)?;
                Ran::Done
            }
            Ok(_) => {
                exceptions::answer_unproven(tx, id, &answer)?;
                Ran::Done
            }
            Err(_) => Ran::Failed(answer.clone()),
        })
    };
    // A fact from WeChat is kept in any case.
    shop.write_always(write).await
}

/// In whose name WeChat is asked. Errors: asked under another number, it knows nothing of the money, and that proves nothing.
fn account(shop: &Shop, told: &str) -> std::result::Result<Account, String> {
    let settings = shop.settings();
    let unready = || settings.unready(settings.api()).unwrap_or_else(|| "微信支付还没有设置".to_owned());
    let account = shop.account().ok_or_else(unready)?;
    match Identity::read(told) {
        Some(name) if name.mch_id != account.mch_id() => Err(format!(
            "通知写的商户号是 {}，现在设置的是 {}：换回那个商户号才能向微信查",
            name.mch_id,
            account.mch_id()
        )),
        Some(name) => Ok(account.under(&name.app_id)),
        None => Ok(account),
    }
}
