//! What must always be true of orders, stock and money; checked by the doctor and after every step of a random walk.

use rusqlite::{Connection, Result};

use super::{Broken, store};
use crate::clock::{DAY, Day, HOUR, MINUTE};
use crate::error::Error;
use crate::jobs::Ran;
use crate::shop::Shop;

/// Every rule that does not hold now.
pub fn broken(conn: &Connection) -> Result<Vec<Broken>> {
    let mut broken = Vec::new();
    for (rule, sql) in store::INVARIANTS {
        let rows: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        if rows > 0 {
            broken.push(Broken { rule, rows });
        }
    }
    Ok(broken)
}

/// How many rules there are.
pub fn count() -> usize {
    store::INVARIANTS.len()
}

/// Each night at this time of day.
const NIGHTLY: i64 = 4 * HOUR + 10 * MINUTE;

/// The nightly check of everything: written down, so that the pages can say when all was well.
pub async fn nightly(shop: &Shop) -> Result<Ran, Error> {
    let now = shop.now();
    super::mend::mend(shop).await?;
    let broken = shop.read_slowly(|conn| Ok(broken(conn)?)).await?;
    for rule in &broken {
        log::error!("self-check: {} ({} rows)", rule.rule, rule.rows);
    }
    shop.write(move |tx| Ok(store::put_self_check(tx, count(), &broken)?)).await?;
    let tonight = Day::of(now).start() + NIGHTLY;
    Ok(Ran::Again { at: if now < tonight { tonight } else { tonight + DAY } })
}
