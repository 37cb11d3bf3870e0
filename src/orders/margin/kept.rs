//! The margin of hours, kept while nothing more has happened in them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::{Margin, reckon, store};
use crate::clock::{Day, HOUR};
use crate::error::Result;

/// What was reckoned, by hour, with the moves of the hour that were known then. What happens in an hour counts one up in
/// the same transaction, so a sum is either of the same rows or asked for anew.
#[derive(Clone, Default)]
pub struct Margins(Arc<Mutex<HashMap<i64, (i64, Margin)>>>);

/// A year of hours, and some.
const KEPT: usize = 10_000;

impl Margins {
    /// The sum of [`super::by_day`], reading only hours in which something has happened since.
    pub fn of(&self, conn: &Connection, first: Day, last: Day) -> Result<Margin> {
        let hours = store::moves(conn, (first.start() / HOUR, last.end() / HOUR))?;
        let mut known = self.known(&hours);
        let stale = hours.into_iter().filter(|(hour, _)| !known.contains_key(hour));
        let read: Vec<_> = stale
            .map(|(hour, moves)| {
                let days = reckon(conn, (hour * HOUR, (hour + 1) * HOUR))?;
                Ok((hour, moves, Margin::sum(days.values())))
            })
            .collect::<Result<_>>()?;
        known.extend(read.iter().map(|(hour, _, margin)| (*hour, *margin)));
        self.keep(read);
        Ok(Margin::sum(known.values()))
    }

    fn known(&self, hours: &[(i64, i64)]) -> BTreeMap<i64, Margin> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(hour, moves): &(i64, i64)| {
            kept.get(hour).filter(|(then, _)| then == moves).map(|(_, margin)| (*hour, *margin))
        };
        hours.iter().filter_map(same).collect()
    }

    fn keep(&self, read: Vec<(i64, i64, Margin)>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() > KEPT {
            kept.clear();
        }
        kept.extend(read.into_iter().map(|(hour, moves, margin)| (hour, (moves, margin))));
    }
}
