//! Best sellers: summed anew when something was sold since, else as they were.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Result};

use super::store::{self, Seller, Version};
use crate::clock::Day;
use crate::ids::SkuId;

/// The last sums. Each sale makes the catalogue's version another one, and so makes them old.
#[derive(Clone, Default)]
pub struct Sellers(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// The version, and what was asked of it.
    asked: Option<(Version, Day, i64)>,
    best: Vec<(SkuId, i64)>,
}

impl Sellers {
    /// What sold best since a day, as it is in stock now.
    pub fn best(&self, conn: &Connection, since: Day, limit: i64) -> Result<Vec<Seller>> {
        let asked = Some((store::version(conn)?, since, limit));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.asked != asked {
            *kept = Kept { asked, best: store::best_sold(conn, since, limit)? };
        }
        kept.best.iter().map(|(sku, pieces)| store::seller(conn, *sku, *pieces)).collect()
    }
}
