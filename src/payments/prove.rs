//! What only somebody with the key of API v2 has said: WeChat is asked for it before it is money, or before money that came in by it
//! does anything.

use super::settle::{self, Source};
use super::{Attempt, check, word};
use crate::clock::MINUTE;
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::{Exception, Kind, Look, NewException, store as exceptions, unproven};
use crate::ids::ExceptionId;
use crate::jobs::{self, Ran, Task};
use crate::ledger::{Entered, store as ledger};
use crate::message_log::store as messages;
use crate::orders::{self, Topic, Who};
use crate::refunds::{NEVER_CAME_IN, Origin, Refund, RefundState, store as refunds};
use crate::shop::Shop;
use crate::wechat::Identity;
use crate::wechat::pay::{ORDER_QUERY, Trade, TradeOf};

/// WeChat's query may be so long behind its own notice: a no of that time is asked about again before it ends as one of many.
const BEHIND: i64 = 2 * MINUTE;

/// Asks by the version that can tell whose it is. What WeChat knows is settled as any payment is; what it does not know stays in the inbox
/// with its answer, and can neither be linked nor given back. Likewise whether any of the money went back that an order took up while WeChat was
/// not heard.
pub async fn ask(shop: &Shop, id: ExceptionId) -> Result<Ran> {
    let unheard_of = move |conn: &rusqlite::Connection| {
        let item = exceptions::by_id(conn, id)?.filter(|item| item.open && item.is_unheard());
        Ok(item.and_then(|item| item.order_id))
    };
    if let Some(order) = shop.read(unheard_of).await? {
        return check::before_shipping(shop, order).await;
    }
    let look = Look { now: shop.now(), asks_first: shop.settings().api().asks_first() };
    let read = move |conn: &rusqlite::Connection| {
        let Some(exception) = exceptions::by_id(conn, id)?.filter(|exception| exception.is_unproven(look)) else {
            return Ok(None);
        };
        let entered = ledger::payment(conn, &exception.transaction_id)?;
        Ok(Some((exception, entered)))
    };
    let Some((exception, entered)) = shop.read(read).await? else { return Ok(Ran::Done) };
    // What is entered by now, was asked for or was told again.
    let over = if exception.is_hearsay() { entered.is_some() } else { !exception.open };
    if over {
        return Ok(Ran::Done);
    }
    let account = match word::asker(shop, told_by(&exception, entered.as_ref())) {
        Ok(account) => account,
        Err(why) => return shop.read(move |conn| unheard(conn, id, why.clone())).await,
    };
    if !shop.wechat.may_ask(ORDER_QUERY) {
        return Ok(Ran::Again { at: shop.now() + MINUTE });
    }
    let which = TradeOf::Transaction(&exception.transaction_id);
    let exchange = shop.wechat.order_query(&account, which, &shop.nonces).await;
    let (transaction_id, mch_id) = (exception.transaction_id.clone(), account.mch_id().to_owned());
    let (mut entry, heard) = word::logged(&exchange, &transaction_id, &mch_id);
    (entry.order_id, entry.attempt_id) = (exception.order_id, None);
    let settings = shop.settings();
    let write = move |tx: &Tx| {
        let heard = match &heard {
            Ok(heard) => heard,
            Err(e) => {
                entry.record(tx)?;
                return unheard(tx, id, e.to_string());
            }
        };
        let message = word::record(tx, &entry, heard)?;
        if let Some(Trade::Paid(payment)) = heard {
            settle::settle(tx, payment, Source::Query, Some(message), &settings)?;
        }
        word::keep(tx, &transaction_id, heard, &mch_id)?;
        let surely = exception.opened_at + BEHIND;
        if tx.now() < surely && exceptions::told_before(tx, id)?.is_some() {
            return Ok(Ran::Again { at: surely });
        }
        if word::may_turn(heard)
            && held_by(tx, &exception)?.is_some()
            && let Some(at) = check::again_at(exception.opened_at, tx.now())
        {
            return Ok(Ran::Again { at });
        }
        exceptions::gather_denied(tx, id)?;
        Ok(Ran::Done)
    };
    // A fact from WeChat is kept in any case.
    shop.write_always(write).await
}

/// What was to go back by itself was given up for WeChat's no, and its query may be behind its notice: whether it is asked again by itself.
pub fn go_on(tx: &Tx, refund: &Refund) -> Result<bool> {
    let Some(item) = exceptions::of_refund(tx, refund.id)?.filter(|_| goes_by_itself(refund)) else { return Ok(false) };
    let at = check::again_at(item.opened_at, tx.now());
    at.map(|at| jobs::enqueue(tx, Task::Prove(item.id), at)).transpose()?;
    Ok(at.is_some())
}

/// Whether nobody has asked for it: it gives back what came beside an order.
fn goes_by_itself(refund: &Refund) -> bool {
    !refund.inside && refund.origin == Origin::Automatic
}

/// The refund that was to settle an item by itself and waits for WeChat's yes.
fn held_by(tx: &Tx, item: &Exception) -> Result<Option<Refund>> {
    let refund = item.refund_id.map(|id| refunds::by_id(tx, id)).transpose()?.flatten();
    Ok(refund.filter(|refund| {
        goes_by_itself(refund) && refund.state == RefundState::Failed && refund.problem_code == NEVER_CAME_IN
    }))
}

/// WeChat was not heard. Nobody waits for its word of what somebody has settled meanwhile.
fn unheard(conn: &rusqlite::Connection, id: ExceptionId, why: String) -> Result<Ran> {
    let open = exceptions::by_id(conn, id)?.is_some_and(|exception| exception.open);
    Ok(if open { Ran::Failed(why) } else { Ran::Done })
}

/// An attempt ends without WeChat's word. What a notice of API v2 told of it meanwhile was thanked for and comes no more, so it does not end
/// with it: somebody is told, and WeChat is asked for it again by its own number.
pub fn leave_noticed(tx: &Tx, attempt: &Attempt) -> Result<()> {
    let name = Identity { app_id: attempt.params.app_id().to_owned(), mch_id: attempt.params.mch_id().to_owned() };
    for (transaction_id, amount) in messages::thanked_for(tx, attempt.order_id, attempt.id)? {
        if ledger::entered_for(tx, &transaction_id)?.is_some() {
            continue;
        }
        let (number, theirs) = (&attempt.out_trade_no, name.written());
        let what = format!(
            "通知说收到一笔 ¥{amount}（商户订单号 {number}），只有 API v2 的密钥签过名，支付单结束之前没有向微信查成，没有入账"
        );
        let new = NewException {
            order_id: Some(attempt.order_id),
            attempt_id: Some(attempt.id),
            out_trade_no: number.as_str(),
            transaction_id: &transaction_id,
            amount_fen: amount.get(),
            theirs: &theirs,
            ..NewException::new(Kind::OrphanPayment, unproven(&transaction_id), &what)
        };
        if let Some(id) = exceptions::open(tx, &new)? {
            orders::store::note(tx, attempt.order_id, &Who::system(), Topic::Money, &what)?;
            jobs::enqueue(tx, Task::Prove(id), tx.now())?;
        }
    }
    Ok(())
}

/// Asks for everything that waits for WeChat's word: the settings may be others, and the shop may sell by another version.
pub fn ask_for_all(tx: &Tx, look: Look) -> Result<()> {
    exceptions::to_prove(tx, look)?.into_iter().try_for_each(|id| Ok(jobs::enqueue(tx, Task::Prove(id), tx.now())?))
}

/// In whose name it came in, as far as that is known.
fn told_by(exception: &Exception, entered: Option<&Entered>) -> Option<Identity> {
    entered.and_then(Entered::name).or_else(|| Identity::read(&exception.theirs))
}
