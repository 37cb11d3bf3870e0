//! Stock: every change has a reason, and what is reserved can never exceed what is there.

pub mod store;

use rusqlite::Result;

use super::store::raise_version;
use crate::db::Tx;
use crate::ids::{LineId, SkuId, StaffId};

/// Buyers see at most this many; changes above it are invisible to them.
pub const SHOWN_AT_MOST: i64 = 999;

/// So few that buyers are to see each one go.
const FEW: i64 = 10;

/// Holds `quantity` for an order line; false when fewer are available. One guarded UPDATE: nobody gets in between.
pub fn reserve(tx: &Tx, sku: SkuId, line: LineId, quantity: i64) -> Result<bool> {
    let Some(left) = store::reserve(tx, sku, quantity)? else { return Ok(false) };
    store::note(tx, sku, "reserve", 0, quantity, Some(line), None, "")?;
    bought(tx, left + quantity, left)?;
    Ok(true)
}

/// Gives back what a line held.
pub fn release(tx: &Tx, sku: SkuId, line: LineId, quantity: i64) -> Result<()> {
    let left = store::change(tx, sku, 0, -quantity)?;
    store::note(tx, sku, "release", 0, -quantity, Some(line), None, "")?;
    bought(tx, left - quantity, left)
}

/// Takes what a line held out of the shop.
pub fn ship(tx: &Tx, sku: SkuId, line: LineId, quantity: i64) -> Result<()> {
    store::change(tx, sku, -quantity, -quantity)?;
    store::note(tx, sku, "ship", -quantity, -quantity, Some(line), None, "")
}

/// Takes back a shipping: the pieces never left, and are held for their line again.
pub fn unship(tx: &Tx, sku: SkuId, line: LineId, quantity: i64) -> Result<()> {
    store::change(tx, sku, quantity, quantity)?;
    store::note(tx, sku, "ship", quantity, quantity, Some(line), None, "撤销发货")
}

/// Puts pieces that came back where they can be sold again.
pub fn put_back(tx: &Tx, sku: SkuId, line: LineId, quantity: i64) -> Result<()> {
    let left = store::change(tx, sku, quantity, 0)?;
    store::note(tx, sku, "return", quantity, 0, Some(line), None, "")?;
    bought(tx, left - quantity, left)
}

/// Sends pieces out beside what the line held: for those that came back, or were lost. False when fewer are available.
pub fn send_again(tx: &Tx, sku: SkuId, line: LineId, quantity: i64, note: &str) -> Result<bool> {
    let Some(left) = store::take(tx, sku, quantity)? else { return Ok(false) };
    store::note(tx, sku, "ship", -quantity, 0, Some(line), None, note)?;
    seen(tx, left + quantity, left)?;
    Ok(true)
}

/// Sets what is on hand, by staff or an import, with a reason. False when more is reserved than would be there. A sample of
/// which staff count the stock is the shop's own.
pub fn adjust(tx: &Tx, sku: SkuId, on_hand: i64, staff: Option<StaffId>, note: &str) -> Result<bool> {
    let (before, reserved) = store::levels(tx, sku)?;
    if on_hand < reserved {
        return Ok(false);
    }
    if on_hand != before {
        store::change(tx, sku, on_hand - before, 0)?;
        store::note(tx, sku, "adjust", on_hand - before, 0, None, staff, note)?;
        if staff.is_some() {
            store::make_own(tx, sku)?;
        }
        seen(tx, before - reserved, on_hand - reserved)?;
    }
    Ok(true)
}

/// Orders take and give back: of the last ones that is seen at once, of many some seconds later.
fn bought(tx: &Tx, before: i64, after: i64) -> Result<()> {
    if before.min(after) < FEW { raise_version(tx) } else { Ok(()) }
}

/// Staff see what they have set.
fn seen(tx: &Tx, before: i64, after: i64) -> Result<()> {
    if before.min(SHOWN_AT_MOST) != after.min(SHOWN_AT_MOST) { raise_version(tx) } else { Ok(()) }
}
