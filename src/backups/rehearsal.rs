//! A backup is proven by opening it.

use std::path::Path;

use crate::db;
use crate::payments::invariants;

/// What is looked at in a copy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// Its schema and every page.
    Opened,
    /// And every index and rule.
    Whole,
}

/// What opening a backup showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub orders: i64,
    pub last_order_at: Option<i64>,
    /// The first rule that does not hold in it: so it was in the shop.
    pub broken: Option<&'static str>,
}

/// A backup that was never opened is a hope: this one is read whole.
pub fn rehearse(path: &Path, rehearsal: Rehearsal) -> std::result::Result<Proof, String> {
    let bad = |e: &dyn std::fmt::Display| format!("恢复演练没有通过：{e}");
    let checked = if rehearsal == Rehearsal::Whole { db::check(path) } else { db::check_pages(path) };
    let orders = checked.map_err(|e| bad(&e))?;
    let read = |conn: &rusqlite::Connection| {
        let last = conn.query_row("select max(created_at) from orders", [], |row| row.get(0))?;
        let broken = if rehearsal == Rehearsal::Whole { invariants::broken(conn)? } else { Vec::new() };
        Ok::<_, rusqlite::Error>((last, broken))
    };
    let (last_order_at, broken) = db::look_into(path, read).map_err(|e| bad(&e))?;
    Ok(Proof { orders, last_order_at, broken: broken.first().map(|broken| broken.rule) })
}
