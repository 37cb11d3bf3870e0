//! What a day comes to by its parts.

use rusqlite::Connection;

use super::super::BillState;
use super::super::store as days;
use super::{Owed, Part, store};
use crate::clock::Day;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::exceptions::store as exceptions;
use crate::ledger::store as ledger;
use crate::wechat::bill::Others;

/// The numbers of a day whose bill is not matched.
pub fn left(conn: &Connection, day: Day) -> Result<Vec<Owed>> {
    let parts = store::of_day(conn, day)?;
    let matched = |owed: &Owed| parts.iter().any(|part| part.mch_id == owed.mch_id && part.state.is_matched());
    Ok(store::owed(conn, day)?.into_iter().filter(|owed| !matched(owed)).collect())
}

/// Somebody has looked at a number's day in WeChat's console: its bill cannot be fetched any more. Errors: there is nothing
/// to look at, or it is today's number, whose bill can be fetched.
pub fn looked(tx: &Tx, day: Day, mch_id: &str, now: Option<&str>, who: &str) -> Result<()> {
    let waits = left(tx, day)?.iter().any(|owed| owed.mch_id == mch_id);
    if !waits || now == Some(mch_id) {
        let words = format!("{} 没有等着核对的商户号 {mch_id}，请刷新页面", day.shown());
        return Err(Error::from(Code::OrderState).says(words));
    }
    store::put_looked(tx, day, mch_id, who)?;
    conclude(tx, day, now)
}

/// What a day comes to by its parts. `now` is the number that is set: of its part the day tells what went wrong, of others
/// that they wait.
pub fn conclude(tx: &Tx, day: Day, now: Option<&str>) -> Result<()> {
    let (parts, left) = (store::of_day(tx, day)?, left(tx, day)?);
    let (sums, ours) = (days::sums(tx, day)?, ledger::day_sum(tx, day)?);
    let part = |number: &str| parts.iter().find(|part| part.mch_id == number);
    // A day without money of ours is settled by any bill, and by none.
    let unmatched: Vec<&Part> = parts.iter().filter(|part| !part.state.is_matched()).collect();
    let none = unmatched.len() == parts.len();
    let waits = |state: &BillState| *state == BillState::Waiting;
    let state = match exceptions::count_open_of_day(tx, day)? {
        1.. => BillState::Differs,
        _ if left.iter().all(|owed| part(&owed.mch_id).is_some_and(|part| waits(&part.state))) && none => {
            let failed = unmatched.iter().any(|part| !waits(&part.state));
            if failed { BillState::Failed } else { BillState::Waiting }
        }
        _ if !left.is_empty() || none => BillState::Failed,
        _ if sums == days::Sums::default() && ours.payments + ours.refunds == 0 => BillState::Empty,
        _ => BillState::Equal,
    };
    let own = now.and_then(part).map(|part| part.problem.clone()).filter(|problem| !problem.is_empty());
    let others = left.iter().filter(|owed| Some(owed.mch_id.as_str()) != now).map(Owed::words);
    let problem = own.into_iter().chain(others).collect::<Vec<_>>().join("；");
    let beside = parts.iter().fold(Others::default(), |sum, part| sum.plus(&part.others));
    Ok(days::put(tx, day, state, &sums, &beside, &problem)?)
}

/// After a person settled a difference the day may be equal, unless another number's bill is still to be seen.
pub fn refresh(tx: &Tx, day: Day) -> Result<()> {
    if exceptions::count_open_of_day(tx, day)? > 0 {
        return Ok(());
    }
    match left(tx, day)?.is_empty() {
        true => Ok(days::set_equal(tx, day)?),
        false => conclude(tx, day, None),
    }
}
