//! What must always be true of orders, stock and money; checked by the doctor and after every step of a random walk.

pub mod rule;
pub mod stock;
pub mod store;

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Result};

use super::{Broken, store as payments};
use crate::clock::{DAY, Day, HOUR, MINUTE};
use crate::db::DbError;
use crate::error::Error;
use crate::jobs::Ran;
use crate::shop::Shop;
use rule::{Over, Question};
use stock::Stock;
use store::RULES;

/// Each night at this time of day.
const NIGHTLY: i64 = 4 * HOUR + 10 * MINUTE;
/// A question that takes longer is asked of half as many rows from then on.
const LONG: Duration = Duration::from_millis(150);
/// After one that takes longer the shop has a pause as long.
const SHORT: Duration = Duration::from_millis(2);
/// Slices are cut into so many parts at the most.
const FINEST: i64 = 64;

/// Every rule, one short question after the other. Between two of them anything may happen in the shop.
pub struct Check {
    /// What each rule's questions came to.
    found: Vec<i64>,
    stock: Stock,
    /// What is gone through, of `Over::ALL`.
    over: usize,
    slice: Option<Slice>,
    /// A slice is one of so many parts of what it might be.
    parts: i64,
}

/// The rows with `after < id <= up_to`, and how far the questions about them have come.
struct Slice {
    after: i64,
    up_to: i64,
    /// The last row there was when they were first looked at: later ones are next time's.
    last: i64,
    asked: usize,
}

impl Check {
    /// With slices that are so many times smaller than they might be.
    pub fn in_parts(parts: i64) -> Check {
        Check { found: vec![0; RULES.len()], stock: Stock::default(), over: 0, slice: None, parts }
    }

    /// Asks the next question; false when there was none left. Each is right by itself where it is a read of its own.
    pub fn ask(&mut self, conn: &Connection) -> Result<bool> {
        while let Some(over) = Over::ALL.get(self.over).copied() {
            let Some(slice) = self.slice.take().map_or_else(|| self.first(conn, over), |slice| Ok(Some(slice)))? else {
                self.over += 1;
                continue;
            };
            match questions(over).nth(slice.asked) {
                Some((rule, question)) => {
                    let begun = Instant::now();
                    self.found[rule] += self.answer(conn, question, &slice)?;
                    if begun.elapsed() > LONG && self.parts < FINEST {
                        self.parts *= 2;
                    }
                    self.slice = Some(Slice { asked: slice.asked + 1, ..slice });
                    return Ok(true);
                }
                None if slice.up_to < slice.last => self.slice = Some(self.cut(conn, over, slice.up_to, slice.last)?),
                None => self.over += 1,
            }
        }
        Ok(false)
    }

    /// Whether the next question is one of a few thousand rows.
    fn is_of_slices(&self) -> bool {
        Over::ALL.get(self.over) != Some(&Over::Once)
    }

    /// Nothing of an empty table.
    fn first(&self, conn: &Connection, over: Over) -> Result<Option<Slice>> {
        store::last(conn, over)?.map(|last| self.cut(conn, over, i64::MIN, last)).transpose()
    }

    fn cut(&self, conn: &Connection, over: Over, after: i64, last: i64) -> Result<Slice> {
        let rows = (over.slice() / self.parts).max(1);
        Ok(Slice { after, up_to: store::end_of_slice(conn, over, after, rows, last)?, last, asked: 0 })
    }

    fn answer(&mut self, conn: &Connection, question: &Question, of: &Slice) -> Result<i64> {
        match question {
            Question::Breaking(sql) | Question::Difference(sql) => store::answer(conn, sql, of.after, of.up_to),
            Question::Gather(gather) => gather(&mut self.stock, conn, of.after, of.up_to).map(|()| 0),
            Question::Compare(compare) => compare(&self.stock, conn),
        }
    }

    /// What was found to be broken, once everything is asked.
    pub fn broken(&self) -> Vec<Broken> {
        let rules = RULES.iter().zip(&self.found).filter(|(_, found)| **found != 0);
        rules
            .map(|(rule, found)| Broken { rule: rule.name, rows: if rule.is_of_sums() { 1 } else { *found } })
            .collect()
    }
}

/// The questions of all rules that go through the same, each with its rule's place.
fn questions(over: Over) -> impl Iterator<Item = (usize, &'static Question)> {
    let all =
        RULES.iter().enumerate().flat_map(|(n, rule)| rule.questions.iter().map(move |(of, asked)| (n, *of, asked)));
    all.filter(move |(_, of, _)| *of == over).map(|(n, _, asked)| (n, asked))
}

/// Every rule that does not hold in a database that nobody writes to, or in one moment of it.
pub fn broken(conn: &Connection) -> Result<Vec<Broken>> {
    let mut check = Check::in_parts(1);
    while check.ask(conn)? {}
    Ok(check.broken())
}

/// How a shop is checked that sells meanwhile.
#[derive(Clone, Copy)]
pub enum Pace {
    /// With pauses, in which others have the disk.
    Gently,
    /// Without; given up after so long.
    AtMost(Duration),
}

/// Every rule that does not hold now; nothing when that would take too long. No read is a long one, so the write-ahead
/// log can begin anew in between, and buyers find a reader.
pub async fn broken_now(shop: &Shop, pace: Pace) -> Result<Option<Vec<Broken>>, Error> {
    let (started, mut check) = (Instant::now(), Check::in_parts(1));
    loop {
        let (begun, is_of_slices) = (Instant::now(), check.is_of_slices());
        let ask = move |conn: &Connection| {
            let asked = check.ask(conn);
            Ok((check, asked))
        };
        let asked;
        // To count an index of millions may take a disk that is busy some seconds.
        (check, asked) = if is_of_slices { shop.read(ask).await? } else { shop.read_slowly(ask).await? };
        match asked {
            // A machine with so little to spare is asked about fewer rows at a time, from the beginning.
            Err(e) if is_cut_off(&e) && check.parts < FINEST => check = Check::in_parts(FINEST),
            Err(e) => return Err(DbError::from(e).into()),
            Ok(false) => return Ok(Some(check.broken())),
            Ok(true) => {}
        }
        match pace {
            Pace::AtMost(most) if started.elapsed() > most => return Ok(None),
            Pace::Gently if begun.elapsed() > SHORT => tokio::time::sleep(begun.elapsed()).await,
            _ => {}
        }
    }
}

fn is_cut_off(e: &rusqlite::Error) -> bool {
    e.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// How many rules there are.
pub fn count() -> usize {
    RULES.len()
}

/// The nightly check of everything: written down, so that the pages can say when all was well.
pub async fn nightly(shop: &Shop) -> Result<Ran, Error> {
    let now = shop.now();
    super::mend::mend(shop).await?;
    let broken = broken_now(shop, Pace::Gently).await?.unwrap_or_default();
    for rule in &broken {
        log::error!("self-check: {} ({} rows)", rule.rule, rule.rows);
    }
    shop.write(move |tx| Ok(payments::put_self_check(tx, count(), &broken)?)).await?;
    let tonight = Day::of(now).start() + NIGHTLY;
    Ok(Ran::Again { at: if now < tonight { tonight } else { tonight + DAY } })
}
