//! After going back to a backup: WeChat is asked what went back meanwhile, before anything leaves for a payment or goes back
//! of it once more.

use rocket::futures::{StreamExt, stream};
use rusqlite::Connection;

use super::learn;
use super::taken::{Taken, Unheard};
use crate::clock::MINUTE;
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::{Kind, NewException, store as exceptions};
use crate::ids::{OrderId, RefundId};
use crate::jobs::Ran;
use crate::ledger::{Entered, store as ledger};
use crate::message_log::Logged;
use crate::money::Fen;
use crate::orders::{self, Full, OrderStatus, Topic, Who};
use crate::payments::{ToAsk, check, store as payments};
use crate::refunds::{Refund, store as refunds};
use crate::shop::Shop;
use crate::wechat::Account;
use crate::wechat::pay::{ORDER_QUERY, Trade, TradeOf};

/// What WeChat says of a payment that the shop went back behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// No more went back than is known here.
    AsKnown,
    /// Something went back that was forgotten here, and is entered now.
    Forgotten,
    /// Something went back, and it may be no more than is known: API v3 does not list refunds.
    Perhaps,
}

/// Asks what went back of a payment, and enters what is found; `but` is a refund that is about to go out. What cannot list
/// refunds is asked about the numbers that the order may have given out since the backup. Errors: in words, why it was not
/// heard.
pub(super) async fn ask(
    shop: &Shop,
    account: &Account,
    entered: &Entered,
    order: Option<OrderId>,
    but: Option<RefundId>,
) -> Result<std::result::Result<Back, String>> {
    let transaction_id = entered.transaction_id.clone();
    match something_went_back(shop, account, &transaction_id).await? {
        Err(why) => return Ok(Err(why)),
        Ok(false) => return Ok(Ok(Back::AsKnown)),
        Ok(true) => {}
    }
    let named = transaction_id.clone();
    let read = move |conn: &Connection| {
        let order = order.map(|id| orders::store::by_id(conn, id)).transpose()?.flatten();
        Ok((order, refunds::of_transaction(conn, &named)?))
    };
    let (order, known) = shop.read(read).await?;
    let numbers =
        order.map(|order| (1..=known.len() as i64 + 10).map(|n| order.order_no.refund(n).to_string()).collect());
    match learn::all_of(shop, entered.id, numbers.unwrap_or_default()).await? {
        Ran::Done => {}
        Ran::Failed(why) | Ran::Stuck(why) => return Ok(Err(why)),
        Ran::Again { .. } => return Ok(Err("微信还没有答完".into())),
    }
    let now = shop.read(move |conn| Ok(refunds::of_transaction(conn, &transaction_id)?)).await?;
    let ours = known.iter().any(|refund| Some(refund.id) != but && refund.may_be_taken_on());
    let new = now.iter().any(|refund| known.iter().all(|before| before.id != refund.id));
    Ok(Ok(match (new, ours && account.api().lists_refunds()) {
        (true, _) => Back::Forgotten,
        (false, true) => Back::AsKnown,
        (false, false) => Back::Perhaps,
    }))
}

/// Whether WeChat has given anything of a payment back. Errors: in words, why it was not heard.
async fn something_went_back(
    shop: &Shop,
    account: &Account,
    transaction_id: &str,
) -> Result<std::result::Result<bool, String>> {
    let exchange = shop.wechat.order_query(account, TradeOf::Transaction(transaction_id), &shop.nonces).await;
    let mut entry = Logged::sent(&exchange);
    entry.transaction_id = Some(transaction_id.to_owned());
    let found = match exchange.result {
        Ok(Trade::Paid(payment)) => Ok(payment.refund_started),
        Ok(_) => Ok(true),
        Err(e) => Err(e.to_string()),
    };
    entry.reason = match &found {
        Ok(false) => "没有退过款".to_owned(),
        Ok(true) => "有过退款".to_owned(),
        Err(why) => why.clone(),
    };
    shop.write_always(move |tx| Ok(entry.record(tx).map(drop)?)).await?;
    Ok(found)
}

// ── before goods leave ──

/// So many are asked about at the same time, …
const AT_ONCE: usize = 8;
/// … read at a time, …
const SLICE: usize = 64;
/// … and in one run of the job.
const AT_MOST: usize = 1_024;
/// What went unheard is asked again by itself after this time.
const PAUSE: i64 = 5 * MINUTE;
/// So many in a row without an answer, and the others are left for a while.
const ENOUGH: usize = 16;

/// Asks about every payment from before the backup for which something is still to leave, the newest first.
pub async fn look_back(shop: &Shop) -> Result<Ran> {
    let Some(restored_at) = shop.read(|conn| Ok(payments::restored_at(conn)?)).await? else { return Ok(Ran::Done) };
    let (mut below, mut asked, mut unheard) = (OrderId(i64::MAX), 0, 0);
    while asked < AT_MOST {
        let now = shop.now();
        let read = move |conn: &Connection| Ok(payments::to_ask(conn, restored_at, now, below, SLICE as i64)?);
        let slice = shop.read_slowly(read).await?;
        let Some(last) = slice.last() else { return rest(shop, restored_at).await };
        below = last.order;
        asked += slice.len();
        let mut answers = stream::iter(slice).map(|one| about(shop, one, restored_at)).buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            match answer? {
                Some(Unheard::NoAnswer(_)) => unheard += 1,
                Some(Unheard::NotAsked(_) | Unheard::Perhaps) => {}
                None => unheard = 0,
            }
            if unheard >= ENOUGH {
                return Ok(Ran::Again { at: shop.now() + MINUTE });
            }
        }
    }
    Ok(Ran::Again { at: shop.now() })
}

/// All that could be asked was: the others are asked again later.
async fn rest(shop: &Shop, restored_at: i64) -> Result<Ran> {
    let some = move |conn: &Connection| payments::to_ask(conn, restored_at, i64::MAX, OrderId(i64::MAX), 1);
    let left = shop.read_slowly(move |conn| Ok(!some(conn)?.is_empty())).await?;
    Ok(if left { Ran::Again { at: shop.now() + PAUSE } } else { Ran::Done })
}

/// The same of one order at once, for somebody who is about to send something for it. What is not heard stays open, and
/// holds what was to leave. So is money asked for that a notice of API v2 alone has told of, in a shop by v3 or where the order is said to have been
/// paid twice. Answers whether there was anything to ask.
pub async fn ask_first(shop: &Shop, order: OrderId) -> Result<bool> {
    let paid = shop.read(move |conn| Ok(ledger::payment_of(conn, order)?)).await?;
    let noticed = match paid {
        Some(paid) => check::ask_noticed(shop, paid.transaction_id).await?.is_some(),
        None => false,
    };
    let read = move |conn: &Connection| {
        let Some(unasked) = ledger::unasked(conn, order)? else { return Ok(None) };
        Ok(payments::restored_at(conn)?.zip(ledger::payment_by_id(conn, unasked.entry)?))
    };
    let Some((restored_at, entered)) = shop.read(read).await? else { return Ok(noticed) };
    let one = ToAsk { order, entry: entered.id, transaction_id: entered.transaction_id };
    about(shop, one, restored_at).await.map(|_| true)
}

/// Asks about the payment of one order, and writes down what came of it.
async fn about(shop: &Shop, one: ToAsk, restored_at: i64) -> Result<Option<Unheard>> {
    let found = match what_went_back(shop, &one).await? {
        Ok(found) => found,
        Err(unheard) => {
            let (why, again_at) = match &unheard {
                Unheard::NoAnswer(why) => (why.clone(), Some(shop.now() + PAUSE)),
                Unheard::NotAsked(why) => (why.clone(), None),
                Unheard::Perhaps => (String::new(), Some(shop.now() + PAUSE)),
            };
            let write = move |tx: &Tx| Ok(ledger::put_unheard(tx, one.entry, restored_at, &why, again_at)?);
            shop.write(write).await?;
            return Ok(Some(unheard));
        }
    };
    let write = move |tx: &Tx| {
        let new = ledger::put_answered(tx, one.entry, restored_at)?;
        // Whoever asked at the same time may have entered it already, or a start before this one had and got no further.
        let learnt = |refund: &Refund| refund.was_told_since(restored_at);
        let learnt = new && refunds::of_transaction(tx, &one.transaction_id)?.iter().any(learnt);
        let found = if learnt { Back::Forgotten } else { found };
        if found == Back::Forgotten || (new && found == Back::Perhaps) {
            hold(tx, &one, found)?;
        }
        Ok(None)
    };
    shop.write_always(write).await
}

async fn what_went_back(shop: &Shop, one: &ToAsk) -> Result<std::result::Result<Back, Unheard>> {
    let entry = one.entry;
    let Some(entered) = shop.read(move |conn| Ok(ledger::payment_by_id(conn, entry)?)).await? else {
        return Ok(Ok(Back::AsKnown));
    };
    let taken = match Taken::of(&entered).known(shop).await? {
        Ok(taken) => taken,
        Err(unheard) => return Ok(Err(unheard)),
    };
    let account = match taken.asker(shop) {
        Ok(account) => account,
        Err(why) => return Ok(Err(Unheard::NotAsked(why))),
    };
    if !shop.wechat.may_ask(ORDER_QUERY) {
        return Ok(Err(Unheard::NoAnswer("微信连着几次没有应答".into())));
    }
    Ok(ask(shop, &account, &entered, Some(one.order), None).await?.map_err(Unheard::NoAnswer))
}

/// For which goods it went back nobody here knows, so somebody looks before any leave.
fn hold(tx: &Tx, one: &ToAsk, found: Back) -> Result<()> {
    let Some(order) = orders::store::by_id(tx, one.order)? else { return Ok(()) };
    let full = orders::store::full(tx, order)?;
    // Where all of it goes back nothing is left to be sent.
    let ends = full.order.status == OrderStatus::ToShip && full.refundable() == Fen::ZERO;
    if full.order.status == OrderStatus::Closed || ends {
        return Ok(());
    }
    let what = words(&full, found);
    let new = NewException {
        order_id: Some(one.order),
        transaction_id: &one.transaction_id,
        amount_fen: full.order.paid.get(),
        ..NewException::new(Kind::AmountMismatch, exceptions::forgotten(&one.transaction_id), &what)
    };
    exceptions::open_anew(tx, &new)?;
    Ok(orders::store::note(tx, one.order, &Who::wechat(), Topic::Money, &what)?)
}

fn words(full: &Full, found: Back) -> String {
    let back = full.order.refunded;
    match found {
        Back::Perhaps => "恢复备份之后问过微信：这笔付款有过退款，退了多少没有查到（API v3 不列退款），也许还有本店不记得的：请先到商户平台核对，再发货".to_owned(),
        _ => format!("恢复备份之后问过微信：这笔付款有本店不记得的退款，现在记着已退 ¥{back}，退的是哪些商品不知道：请先核对，再发货"),
    }
}
