//! A day's bill is fetched and held against the books.

use rusqlite::Connection;

use super::{BillState, CHUNK, differences, funds, missed, out_at, parts, store};
use crate::clock::{DAY, Day, HOUR, MINUTE};
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::Difference;
use crate::jobs::{self, Ran, Task};
use crate::message_log::Logged;
use crate::payments::refund::learn;
use crate::payments::store as payments;
use crate::refunds::store as refunds;
use crate::shop::Shop;
use crate::wechat::bill::{self, Bill, BillAnswer};
use crate::wechat::refund::RefundStatus;
use crate::wechat::{Account, for_owner};

/// How often a bill that is being made is asked for again.
const CREATING_AGAIN: i64 = 30 * MINUTE;

/// How often, in its first day, a bill is asked for again that should be there and is not.
const LATE_AGAIN: i64 = 2 * HOUR;

/// Downloads a day's bill and matches it; safe to repeat.
pub async fn run(shop: &Shop, day: Day) -> Result<Ran> {
    let now = shop.now();
    if day > Day::of(now) {
        // Planned by a clock that ran ahead; the day gets a job of its own when it is over.
        return Ok(Ran::Done);
    }
    let Some(account) = shop.account() else { return Ok(Ran::Failed("微信支付还没有设置".into())) };
    let (app_id, mch_id) = (account.app_id().to_owned(), account.mch_id().to_owned());
    if now < out_at(day) {
        note(shop, day, &mch_id, BillState::Waiting, "账单要到第二天 10 点后才能下载").await?;
        return Ok(Ran::Again { at: out_at(day) });
    }
    let number = mch_id.clone();
    if let Some(words) = shop.read(move |conn| foreign(conn, day, &number)).await? {
        let write = move |tx: &Tx| match store::of_day(tx, day)?.is_some_and(|found| found.state.is_matched()) {
            // It was matched under its own number, and needs none of today's.
            true => Ok(()),
            false => Ok(store::put_problem(tx, day, BillState::Failed, &words)?),
        };
        shop.write(write).await?;
        return Ok(Ran::Done);
    }
    let own = shop.read(move |conn| Ok(store::own(conn, &app_id)?)).await?;
    let exchange = shop.wechat.download_bill(&account, day, &own, &shop.nonces).await;
    let mut entry = Logged::sent(&exchange);
    entry.reason = match &exchange.result {
        Ok(BillAnswer::Bill(bill)) => {
            let (own, others) = (bill.rows.len() + bill.unreadable.len(), bill.others.payments + bill.others.refunds);
            format!("{} 的账单，本店 {own} 行，其他应用 {others} 行", day.shown())
        }
        Ok(BillAnswer::None) => format!("{}：微信没有账单", day.shown()),
        Ok(BillAnswer::Creating) => format!("{}：微信正在生成账单", day.shown()),
        Err(_) => format!("{}：{}", day.shown(), entry.reason),
    };
    shop.write_always(move |tx| Ok(entry.record(tx)?)).await?;
    match exchange.result {
        Ok(BillAnswer::Creating) => {
            note(shop, day, &mch_id, BillState::Waiting, "微信正在生成账单，半小时后自动再试").await?;
            Ok(Ran::Again { at: now + CREATING_AGAIN })
        }
        Ok(BillAnswer::None) => compare(shop, &account, day, Bill::default(), true).await,
        Ok(BillAnswer::Bill(bill)) => compare(shop, &account, day, bill, false).await,
        Err(e) => {
            // What only the owner can mend is said with what to do; time heals the rest.
            let why = for_owner(account.api(), &e, shop.wechat.clock_ahead_ms()).unwrap_or_else(|| e.to_string());
            note(shop, day, &mch_id, BillState::Failed, &why).await?;
            Ok(Ran::Failed(why))
        }
    }
}

/// The same by somebody's hand, with no job behind it: what did not come this time is asked for again by whoever keeps the
/// shop open, as if the job had asked.
pub async fn by_hand(shop: &Shop, day: Day) -> Result<Ran> {
    let ran = run(shop, day).await?;
    let again = match &ran {
        Ran::Again { at } => Some(*at),
        Ran::Failed(_) => Some(shop.now() + CREATING_AGAIN),
        Ran::Done | Ran::Stuck(_) => None,
    };
    if let Some(at) = again {
        shop.write(move |tx| jobs::enqueue(tx, Task::Bill(day), at).map_err(Into::into)).await?;
    }
    Ok(ran)
}

/// Why a day has no business with today's number: it was first set later, and all the money of the day is another one's.
pub fn foreign(conn: &Connection, day: Day, mch_id: &str) -> Result<Option<String>> {
    let owed = parts::store::owed(conn, day)?;
    let moved = |own: bool| owed.iter().find(move |owed| owed.moved > 0 && (owed.mch_id == mch_id) == own);
    let later = parts::store::first_day(conn, mch_id)?.is_none_or(|first| day < first);
    let other = moved(false).filter(|_| later && moved(true).is_none());
    Ok(other.map(|owed| {
        let number = &owed.mch_id;
        format!("这一天的款是用商户号 {number} 收的，现在设置的是 {mch_id}：换回 {number}，才能取到那一天的账单")
    }))
}

/// Writes down why a number's bill has not been matched yet; a match that was made before stays.
async fn note(shop: &Shop, day: Day, mch_id: &str, state: BillState, problem: &str) -> Result<()> {
    let (mch_id, problem) = (mch_id.to_owned(), problem.to_owned());
    let write = move |tx: &Tx| {
        parts::store::put_problem(tx, day, &mch_id, state, &problem)?;
        parts::day::conclude(tx, day, Some(&mch_id))
    };
    shop.write(write).await
}

async fn compare(shop: &Shop, account: &Account, day: Day, bill: Bill, none: bool) -> Result<Ran> {
    let mch_id = account.mch_id().to_owned();
    let number = mch_id.clone();
    let n = shop.read(move |conn| Ok(parts::store::nth(conn, day, &number)?)).await?;
    let lines = store::Lines::of(n);
    keep_rows(shop, day, lines, &bill).await?;
    let unheard = missed::enter_missed(shop, account, day, lines).await?;
    missed::enter_fees(shop, day).await?;
    let mut funds = funds::fetch(shop, account, day, bill.moved).await?;
    let gone = std::mem::take(&mut funds.flow.gone);
    funds.flow.set_aside(shop.read(move |conn| Ok(store::paid_again(conn, day, &gone)?)).await?);
    let later = funds.later;
    let write = move |tx: &Tx| {
        store::put_funds(tx, day, &funds)?;
        tell_bounced(tx, day)?;
        // What is wrong with a bill as a whole is told once of each bill.
        let bill_id = if n == 0 { String::new() } else { mch_id.clone() };
        let (mine, mut found) = store::differences(tx, day, &mch_id)?
            .into_iter()
            .partition::<Vec<_>, _>(|one| one.mch_id.as_ref().is_some_and(|number| none && *number == mch_id));
        if !mine.is_empty() {
            let payments = mine.iter().filter(|one| one.difference == Difference::PaymentMissingThere).count();
            let refunds = mine.len() - payments;
            let what = format!("本店有 {payments} 笔付款、{refunds} 笔退款，微信说没有账单；会自动再取");
            found.push(store::Found::new(Difference::NoBill, bill_id.clone(), what));
        }
        found.extend(differences::unreadable(&bill, &bill_id));
        // What is wrong with the bill is wrong in its summary and beside the fund flow too, and told once.
        if found.is_empty() {
            found.extend(differences::summed_otherwise(&bill, &bill_id));
        }
        if found.is_empty() {
            found.extend(differences::moved_otherwise(&funds, &bill_id));
        }
        // A refund that names no payment may be anybody's.
        let anybodys =
            |one: &store::Found| one.difference == Difference::RefundMissingHere && one.transaction_id.is_empty();
        let off = !bill.unreadable.is_empty() || bill.summary_off.is_some() || !funds.differs().is_empty();
        // What the flow will say of the bill is not known while it is being made.
        let whole = !off && !later && mine.is_empty() && !found.iter().any(anybodys);
        differences::report(tx, day, &found, &bill_id)?;
        for other in store::days_to_match_again(tx, day)? {
            jobs::enqueue(tx, Task::Bill(other), tx.now())?;
        }
        let state = if found.is_empty() { BillState::Equal } else { BillState::Differs };
        parts::store::put(tx, day, &mch_id, state, &bill.others, whole)?;
        parts::day::conclude(tx, day, Some(&mch_id))?;
        if whole {
            answer_holds(tx, &mch_id)?;
        }
        if whole && unheard == 0 {
            payments::clear_unread_until(tx, day.end())?;
        }
        Ok(!mine.is_empty())
    };
    let (is_late, now) = (shop.write(write).await?, shop.now());
    match unheard {
        0 if later => Ok(Ran::Again { at: now + CREATING_AGAIN }),
        // On the days after, each morning's round asks.
        0 if is_late && now < out_at(day) + DAY => Ok(Ran::Again { at: now + LATE_AGAIN }),
        0 => Ok(Ran::Done),
        n => Ok(Ran::Failed(format!("{} 有 {n} 笔款项还没能向微信查实", day.shown()))),
    }
}

/// What somebody is to look into has its answer where the bills of all days since the payment were read whole, as far as the last
/// one that names a refund of it: there is no other. A bill that comes late may be the one that was missing.
fn answer_holds(tx: &Tx, mch_id: &str) -> Result<()> {
    for awaited in store::refunds_awaited(tx, mch_id)? {
        if let Some(last) = parts::store::whole_until(tx, awaited.paid, mch_id)?.filter(|last| *last >= awaited.named) {
            learn::answered_by_bill(tx, last, awaited.entry)?;
        }
    }
    Ok(())
}

/// Where the bill says of a refund that it did not arrive, and WeChat had said before that it had, somebody looks.
fn tell_bounced(tx: &Tx, day: Day) -> Result<()> {
    for (id, refund_id, raw) in store::arrived(tx, day)? {
        let told = bill::named(&raw).into_iter().find(|(column, _)| *column == "退款状态");
        let status = match told.as_ref().map(|(_, told)| told.trim()) {
            Some("FAIL") => RefundStatus::Closed,
            Some("CHANGE") => RefundStatus::Change,
            _ => continue,
        };
        if let Some(refund) = refunds::by_id(tx, id)? {
            learn::bounced(tx, &refund, &refund_id, status)?;
        }
    }
    Ok(())
}

/// The bill's rows, a few at a time.
async fn keep_rows(shop: &Shop, day: Day, lines: store::Lines, bill: &Bill) -> Result<()> {
    shop.write(move |tx| Ok(store::forget_rows(tx, day, lines)?)).await?;
    for chunk in bill.rows.chunks(CHUNK) {
        let rows = chunk.to_vec();
        let write = move |tx: &Tx| rows.iter().try_for_each(|row| Ok(store::insert_row(tx, day, lines, row)?));
        shop.write(write).await?;
    }
    Ok(())
}
