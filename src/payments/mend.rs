//! Mending: what a rule names, and only one answer fits, is put right at each start and by night.

use super::close::{SWEEP_AFTER, release_if_certain};
use super::{check, prove, store};
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::Look;
use crate::ids::OrderId;
use crate::jobs::{self, Kind, Task};
use crate::ledger::store as ledger;
use crate::orders::{self, Topic, Who};
use crate::refunds::{OTHER_MERCHANT, store as refunds};
use crate::say::say;
use crate::shop::Shop;

/// Puts right what needs no judgement: stock that a closed order holds for nothing goes back, what waits for a job gets
/// one, counters are counted. Answers with how much there was; there should never be any.
pub async fn mend(shop: &Shop) -> Result<usize> {
    let find = |conn: &rusqlite::Connection| {
        Ok((store::holding_for_nothing(conn)?, store::stranded(conn)?, store::miscounted(conn)?))
    };
    let (holding, stranded, miscounted) = shop.read_slowly(find).await?;
    let write = move |tx: &Tx| {
        let released = release(tx, &holding)?;
        let taken_up = take_up(tx, &stranded)?;
        // All orders are counted, so the writer does it only where a reader found one wrong.
        let recounted = if miscounted { store::recount(tx)? } else { 0 };
        Ok((released, taken_up, recounted))
    };
    let (released, taken_up, recounted) = shop.write(write).await?;
    let all = released + taken_up + recounted;
    if all > 0 {
        say!(Warn, "mended: stock of {released} orders released, {taken_up} jobs taken up, {recounted} counters");
        shop.wake_worker();
    }
    Ok(all)
}

/// What failed at WeChat is tried at once when other keys or another merchant number stand in the settings: what was begun
/// under a number waits for it, however long.
pub async fn try_again(shop: &Shop) -> Result<()> {
    const AT_WECHAT: [Kind; 7] =
        [Kind::Poll, Kind::Prove, Kind::Expire, Kind::Close, Kind::Refund, Kind::Refunds, Kind::Bill];
    let settings = shop.settings();
    let asks_first = settings.api().asks_first();
    let write = move |tx: &Tx| {
        ledger::put_asks_first(tx, settings.get("wechat.mch_id").filter(|_| asks_first))?;
        check::ask_before_shipping(tx)?;
        jobs::store::run_failed(tx, &AT_WECHAT)?;
        prove::ask_for_all(tx, Look { now: tx.now(), asks_first })?;
        if store::restored_at(tx)?.is_some() {
            ledger::ask_again(tx)?;
            jobs::enqueue(tx, Task::LookBack, tx.now())?;
        }
        for id in refunds::failed_by(tx, OTHER_MERCHANT)? {
            jobs::enqueue(tx, Task::Refund(id), tx.now())?;
        }
        // And each day is looked for that waits for this number's bill.
        Ok(jobs::enqueue(tx, Task::Bills, tx.now())?)
    };
    shop.write(write).await?;
    shop.wake_worker();
    Ok(())
}

/// Looked at again inside the transaction: the list was read before it.
fn release(tx: &Tx, holding: &[OrderId]) -> Result<usize> {
    let holds = |id| orders::store::by_id(tx, id).map(|order| order.is_some_and(|order| order.holds_stock));
    let mut released = 0;
    for id in holding {
        release_if_certain(tx, *id)?;
        if !holds(*id)? {
            orders::store::note(tx, *id, &Who::system(), Topic::Goods, "自检：订单已关闭仍占着库存，已释放")?;
            released += 1;
        }
    }
    Ok(released)
}

fn take_up(tx: &Tx, stranded: &[Task]) -> Result<usize> {
    let now = tx.now();
    for task in stranded {
        let at = match task {
            Task::Expire(id) => orders::store::by_id(tx, *id)?.map_or(now, |order| order.expires_at + SWEEP_AFTER),
            _ => now,
        };
        jobs::enqueue(tx, *task, at)?;
    }
    Ok(stranded.len())
}
