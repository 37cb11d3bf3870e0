//! Best sellers: summed anew when something was sold since, else as they were; at most once a minute where they are many.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result};

use super::store::{self, Seller, Version};
use crate::clock::Day;
use crate::ids::SkuId;

/// Of more SKUs the sums may be as old as `STALE`: they are of weeks.
const FEW: i64 = 2_000;
const STALE: Duration = Duration::from_secs(60);

/// The last sums. Each sale makes the catalogue's version another one, and so makes them old.
#[derive(Clone, Default)]
pub struct Sellers(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// The version, and what was asked of it.
    asked: Option<(Version, Day, i64)>,
    best: Vec<(SkuId, i64)>,
    /// How many were summed, and when.
    summed: Option<(i64, Instant)>,
}

impl Kept {
    fn is_current(&self, asked: (Version, Day, i64)) -> bool {
        let lasts = self.summed.is_some_and(|(sold, at)| sold > FEW && at.elapsed() < STALE);
        self.asked.is_some_and(|kept| kept == asked || (lasts && (kept.1, kept.2) == (asked.1, asked.2)))
    }
}

impl Sellers {
    /// What sold best since a day, as it is in stock now.
    pub fn best(&self, conn: &Connection, since: Day, limit: i64) -> Result<Vec<Seller>> {
        let asked = (store::version(conn)?, since, limit);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_current(asked) {
            let (best, sold) = store::best_sold(conn, since, limit)?;
            *kept = Kept { asked: Some(asked), best, summed: Some((sold, Instant::now())) };
        }
        kept.best.iter().map(|(sku, pieces)| store::seller(conn, *sku, *pieces)).collect()
    }
}
