//! Guesses are counted before they are checked, in the transaction that reads the counter: two hundred at once are no way
//! around it. Whoever was right has them forgotten.

use super::store;
use crate::clock::{self, MINUTE};
use crate::db::Tx;
use crate::door::network;
use crate::error::{Code, Error, Result};

const WINDOW: i64 = 10 * MINUTE;
const LOCK: i64 = 15 * MINUTE;
const PER_ACCOUNT: i64 = 5;
const PER_ADDRESS: i64 = 20;

/// Counts one more guess at an account's password or code. `Err(RateLimited)` says until when it is locked: so many
/// within the window, from this network or at this account, lock from the last of them on.
pub fn count(tx: &Tx, account: &str, ip: &str) -> Result<()> {
    let now = tx.now();
    let (from, since) = (network(ip), now - WINDOW - LOCK);
    let counts = [
        store::nth_failure(tx, Some(account), None, since, PER_ACCOUNT)?,
        store::nth_failure(tx, None, Some(&from), since, PER_ADDRESS)?,
    ];
    let locked_until = counts.iter().filter_map(|(first, last)| {
        first.filter(|first| last.unwrap_or(*first) - first < WINDOW).and(*last).map(|last| last + LOCK)
    });
    if let Some(until) = locked_until.max().filter(|until| *until > now) {
        let words = format!("尝试次数过多，请 {} 后再试", clock::span(until - now + MINUTE));
        return Err(Error::from(Code::RateLimited).says(words).retry_after(((until - now) / 1000).unsigned_abs()));
    }
    Ok(store::insert_failure(tx, account, &from)?)
}
