//! Each morning's round: which days' bills are to be fetched.

use rusqlite::Connection;

use super::parts::{self, Owed};
use super::{KEPT_DAYS, OUT_AFTER, out_at, store};
use crate::clock::{DAY, Day, MINUTE};
use crate::db::Tx;
use crate::error::Result;
use crate::jobs::{self, Ran, Task};
use crate::ledger::store as ledger;
use crate::shop::Shop;

/// Days for which a refund is followed.
const REFUND_TAKES: i64 = 31;

/// The first day with trade whose bill should have been matched a day ago, and was not: its state and why, in words.
pub fn undone(conn: &Connection, now: i64) -> Result<Option<(Day, &'static str, String)>> {
    let today = Day::of(now);
    let until = if now < out_at(today.plus(-2)) + DAY { today.plus(-3) } else { today.plus(-2) };
    Ok(store::undone(conn, today.plus(-KEPT_DAYS), until)?)
}

/// Each morning: every day without a settled bill of today's number gets a job of its own; of one on which another number
/// waits it is said.
pub async fn schedule(shop: &Shop) -> Result<Ran> {
    let now = shop.now();
    let today = Day::of(now);
    let morning = today.start() + OUT_AFTER + 5 * MINUTE;
    let again = Ran::Again { at: if now < morning { morning } else { morning + DAY } };
    let Some(mch_id) = shop.account().map(|account| account.mch_id().to_owned()) else { return Ok(again) };
    let read = move |conn: &Connection| {
        Ok((store::late_fees(conn, today.plus(-REFUND_TAKES))?, left_since(conn, today.plus(-KEPT_DAYS), today)?))
    };
    let (late, left) = shop.read_slowly(read).await?;
    let write = move |tx: &Tx| {
        let not_out = if now < out_at(today.plus(-1)) { today.plus(-1) } else { today };
        store::forget_unlived(tx, not_out, today)?;
        let Some(first) = parts::store::first_day(tx, &mch_id)? else { return Ok(()) };
        for fee in &late {
            ledger::enter_fee(tx, &fee.wechat_id, fee.fee_fen, fee.at)?;
        }
        let fetch = |day: Day| jobs::enqueue(tx, Task::Bill(day), out_at(day).max(tx.now()));
        let mut day = first.max(today.plus(-KEPT_DAYS));
        while day < today {
            if !parts::store::of_number(tx, day, &mch_id)?
                .is_some_and(|part| part.state.is_matched() && part.looked_by.is_none())
            {
                fetch(day)?;
            }
            day = day.plus(1);
        }
        // The bill came late, or the next one has what this one lacks.
        for day in store::without_bill(tx, today.plus(-REFUND_TAKES))? {
            fetch(day)?;
        }
        for (day, numbers) in &left {
            match numbers.iter().any(|owed| owed.mch_id == mch_id && owed.moved > 0) {
                true => fetch(*day)?,
                false => parts::day::conclude(tx, *day, Some(&mch_id))?,
            }
        }
        Ok(())
    };
    shop.write(write).await?;
    Ok(again)
}

/// The days with numbers whose bill nobody has seen, and these; a shop that never had another number has none.
fn left_since(conn: &Connection, from: Day, until: Day) -> Result<Vec<(Day, Vec<Owed>)>> {
    let mut days = Vec::new();
    let Some(first) = ledger::first_day(conn)? else { return Ok(days) };
    if !parts::store::moved(conn)? {
        return Ok(days);
    }
    let mut day = first.max(from);
    while day < until {
        days.push((day, parts::day::left(conn, day)?));
        day = day.plus(1);
    }
    days.retain(|(_, left)| !left.is_empty());
    Ok(days)
}
