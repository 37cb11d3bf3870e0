//! How many products stand where: counted anew when something has changed, else as they were.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result};

use super::store::{self, ShelfCounts, Version};

/// What was sold meanwhile is seen after this long at the latest; the last pieces, and what staff do, at once.
const FRESH: Duration = Duration::from_secs(3);

/// The last counts. To count goes through all products.
#[derive(Clone, Default)]
pub struct Counts(Arc<Mutex<Option<Kept>>>);

struct Kept {
    version: Version,
    /// What counted as low.
    low: i64,
    at: Instant,
    counts: ShelfCounts,
}

impl Counts {
    /// With as many pieces left as `low` or fewer, goods are running low.
    pub fn of(&self, conn: &Connection, low: i64) -> Result<ShelfCounts> {
        let version = store::version(conn)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_current(version, low)) {
            return Ok(kept.counts);
        }
        let counts = store::shelf_counts(conn, low)?;
        *kept = Some(Kept { version, low, at: Instant::now(), counts });
        Ok(counts)
    }
}

impl Kept {
    fn is_current(&self, version: Version, low: i64) -> bool {
        let same = self.version.shown == version.shown && self.low == low;
        same && (self.version.moved == version.moved || self.at.elapsed() < FRESH)
    }
}
