//! The moves of an attempt: each is a guarded UPDATE, or an error.

use super::{Attempt, AttemptState, store};
use crate::db::{DbError, Tx};
use crate::error::Result;
use crate::ids::AttemptId;
use crate::wechat::Payment;

/// Moves an attempt that was read in this transaction. Errors: it stands elsewhere.
pub fn go(tx: &Tx, id: AttemptId, from: AttemptState, to: AttemptState) -> Result<()> {
    debug_assert!(from.leads_to(to), "{from:?} does not lead to {to:?}");
    Ok(DbError::unless(store::set_state(tx, id, from, to)?, MOVED)?)
}

/// Its money has come: for `settle` alone, which knows that it is this attempt's. One that was being closed, is closed or
/// was refused is paid all the same, for WeChat decides; one that is paid has its transaction, and is given no other.
/// Errors: it is paid, or stands elsewhere than where it was read in this transaction.
pub fn pay(tx: &Tx, attempt: &Attempt, payment: &Payment) -> Result<()> {
    DbError::unless(attempt.state.leads_to(AttemptState::Paid), "an attempt that is paid is paid again")?;
    let paid = store::set_paid(tx, attempt.id, attempt.state, &payment.transaction_id, payment.paid_at)?;
    Ok(DbError::unless(paid, MOVED)?)
}

const MOVED: &str = "an attempt has moved since it was read";

/// Ends an attempt that WeChat was asked about meanwhile. One that has moved on is left as it is: what overtook the
/// answer, a payment or a closing, is the later word.
pub fn end(tx: &Tx, id: AttemptId, from: &[AttemptState], to: AttemptState) -> Result<()> {
    match store::attempt(tx, id)?.map(|attempt| attempt.state) {
        Some(state) if from.contains(&state) => go(tx, id, state, to),
        _ => Ok(()),
    }
}
