//! The moves of an attempt, but for "paid", which is `settle`'s: each is a guarded UPDATE, or an error.

use super::{AttemptState, store};
use crate::db::{DbError, Tx};
use crate::error::Result;
use crate::ids::AttemptId;

/// Moves an attempt that was read in this transaction. Errors: it stands elsewhere.
pub fn go(tx: &Tx, id: AttemptId, from: AttemptState, to: AttemptState) -> Result<()> {
    debug_assert!(from.leads_to(to), "{from:?} does not lead to {to:?}");
    if store::set_state(tx, id, from, to)? {
        Ok(())
    } else {
        Err(DbError::Broken("an attempt has moved since it was read").into())
    }
}

/// Ends an attempt that WeChat was asked about meanwhile. One that has moved on is left as it is: what overtook the
/// answer, a payment or a closing, is the later word.
pub fn end(tx: &Tx, id: AttemptId, from: &[AttemptState], to: AttemptState) -> Result<()> {
    match store::attempt(tx, id)?.map(|attempt| attempt.state) {
        Some(state) if from.contains(&state) => go(tx, id, state, to),
        _ => Ok(()),
    }
}
