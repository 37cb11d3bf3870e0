//! By what WeChat is asked about an order: by the attempt that it took, or by the payment that somebody has linked to the order, of which none
//! of its attempts tells.

use rusqlite::Connection;

use super::refund::taken::Taken;
use super::settle::{self, Source};
use super::word;
use super::{Attempt, store};
use crate::db::Tx;
use crate::error::Result;
use crate::ledger::{Entered, store as ledger};
use crate::orders::Order;
use crate::shop::Shop;
use crate::wechat::pay::{Trade, TradeOf};

/// What is asked about.
pub enum About {
    Attempt(Box<Attempt>),
    /// A payment that came for none of the order's attempts.
    Linked(Box<Entered>),
}

impl About {
    /// `None` where nobody tried to pay by WeChat, and where the money came in another way.
    pub fn order(conn: &Connection, order: &Order) -> Result<Option<About>> {
        let mut attempts = store::attempts(conn, order.id)?;
        let stands_on = order.paid_at.map(|_| ledger::payment_of(conn, order.id)).transpose()?.flatten();
        let paid = attempts.iter().position(|attempt| match &stands_on {
            Some(entered) => attempt.transaction_id.as_ref() == Some(&entered.transaction_id),
            None => attempt.transaction_id.is_some(),
        });
        Ok(match (paid, stands_on) {
            (Some(nth), _) => Some(About::Attempt(Box::new(attempts.swap_remove(nth)))),
            (None, Some(entered)) => Some(About::Linked(Box::new(entered))),
            (None, None) if order.paid_at.is_some() => None,
            (None, None) => attempts.pop().map(|newest| About::Attempt(Box::new(newest))),
        })
    }
}

/// Asks about a payment that was linked, by WeChat's own number of it, in what it was taken by: what WeChat says is settled as any word
/// of its is, so that money of it that went back is heard of. Errors: in words, why WeChat was not heard.
pub async fn ask(shop: &Shop, entered: &Entered) -> Result<std::result::Result<Trade, String>> {
    let account = match Taken::of(entered).known(shop).await? {
        Ok(taken) => taken.asker(shop),
        Err(unheard) => Err(unheard.why()),
    };
    let account = match account {
        Ok(account) => account,
        Err(why) => return Ok(Err(why)),
    };
    let (transaction_id, mch_id) = (entered.transaction_id.clone(), account.mch_id().to_owned());
    let exchange = shop.wechat.order_query(&account, TradeOf::Transaction(&transaction_id), &shop.nonces).await;
    let (mut entry, _) = word::logged(&exchange, &transaction_id, &mch_id);
    entry.order_id = entered.order_id;
    let (trade, settings) = (exchange.result, shop.settings());
    let write = move |tx: &Tx| {
        let message = entry.record(tx)?;
        if let Ok(Trade::Paid(payment)) = &trade {
            settle::settle(tx, payment, Source::Query, Some(message), &settings)?;
        }
        Ok(trade.clone().map_err(|e| e.to_string()))
    };
    // A fact from WeChat is kept even when whoever asked has hung up.
    let asked = shop.write_always(write).await?;
    shop.wake_worker();
    Ok(asked)
}

/// Before money that came beside the orders, or late, pays one: it may have lain there for days, so WeChat is asked whether any of it went
/// back, which holds it or what is sent for it. Answers why WeChat was not heard, where it was not.
pub async fn ask_before(shop: &Shop, transaction_id: String) -> Result<Option<String>> {
    let entered = shop.read(move |conn| Ok(ledger::payment(conn, &transaction_id)?)).await?;
    match entered {
        Some(entered) => Ok(match ask(shop, &entered).await? {
            Ok(Trade::Paid(_)) => None,
            Ok(_) => Some("微信说没有收到过这笔款".to_owned()),
            Err(why) => Some(why),
        }),
        None => Ok(None),
    }
}
