//! Best sellers: summed anew when something was sold since, else as they were.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Result};

use super::store::{self, Seller};
use crate::clock::Day;
use crate::ids::SkuId;

/// The last sums. Each sale raises the catalogue's version, and so makes them old.
#[derive(Clone, Default)]
pub struct Sellers(Arc<Mutex<Option<Kept>>>);

struct Kept {
    /// The version, and what was asked of it.
    asked: (i64, Day, i64),
    best: Vec<(SkuId, i64)>,
}

impl Sellers {
    /// What sold best since a day, as it is in stock now.
    pub fn best(&self, conn: &Connection, since: Day, limit: i64) -> Result<Vec<Seller>> {
        let asked = (store::version(conn)?, since, limit);
        let best = match self.kept(asked) {
            Some(best) => best,
            None => {
                let best = store::best_sold(conn, since, limit)?;
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept { asked, best: best.clone() });
                best
            }
        };
        best.into_iter().map(|(sku, pieces)| store::seller(conn, sku, pieces)).collect()
    }

    fn kept(&self, asked: (i64, Day, i64)) -> Option<Vec<(SkuId, i64)>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.asked == asked).map(|kept| kept.best.clone())
    }
}
