//! What must always be true of orders, stock and money; checked by the doctor and after every step of a random walk.

use rusqlite::{Connection, Result};

/// A rule, and how many rows break it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub rule: &'static str,
    pub rows: i64,
}

/// Every rule that does not hold now.
pub fn broken(conn: &Connection) -> Result<Vec<Broken>> {
    let mut broken = Vec::new();
    for (rule, sql) in super::store::INVARIANTS {
        let rows: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        if rows > 0 {
            broken.push(Broken { rule, rows });
        }
    }
    Ok(broken)
}

/// How many rules there are.
pub fn count() -> usize {
    super::store::INVARIANTS.len()
}
