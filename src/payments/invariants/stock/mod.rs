//! Sums over the whole of a busy table, made of many short reads: what has changed since a slice was read is taken from
//! the stock moves, which are only ever added to.

pub mod store;

use std::collections::HashMap;

use rusqlite::{Connection, Result};

use store::Level;

/// Sums of each SKU, as the slices found them.
#[derive(Default)]
pub struct Stock {
    moved: HashMap<i64, Sum>,
    /// The last move in them.
    moved_to: i64,
    /// Pieces that orders hold.
    held: HashMap<i64, i64>,
    /// The slices of orders: the last order of each, and the last move when it was read.
    read: Vec<(i64, i64)>,
}

/// What moves come to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    on_hand: i64,
    reserved: i64,
}

impl Stock {
    /// Adds up the moves of a slice.
    pub fn moves(&mut self, conn: &Connection, after: i64, up_to: i64) -> Result<()> {
        self.moved_to = up_to;
        add_up(&mut self.moved, conn, after, up_to)
    }

    /// Adds up what the orders of a slice hold.
    pub fn holding(&mut self, conn: &Connection, after: i64, up_to: i64) -> Result<()> {
        self.read.push((up_to, store::last_move(conn)?));
        store::each_held(conn, after, up_to, |sku, pieces| *self.held.entry(sku).or_default() += pieces)
    }

    /// How many SKUs are not what their moves come to.
    pub fn unlike_moves(&self, conn: &Connection) -> Result<i64> {
        let mut since = HashMap::new();
        add_up(&mut since, conn, self.moved_to, i64::MAX)?;
        count(conn, |level| {
            let [then, since] = [&self.moved, &since].map(|sums| sums.get(&level.sku).copied().unwrap_or_default());
            (level.on_hand, level.reserved) != (then.on_hand + since.on_hand, then.reserved + since.reserved)
        })
    }

    /// How many SKUs have more or less reserved than orders hold.
    pub fn unlike_held(&self, conn: &Connection) -> Result<i64> {
        let first = self.read.first().map_or(0, |(_, moves)| *moves);
        let mut since = HashMap::<i64, i64>::new();
        store::each_move_of_orders(conn, first, |moved| {
            // An order placed since is in no slice.
            let slice = self.read.partition_point(|(last, _)| *last < moved.order);
            let seen = self.read.get(slice).map_or(first, |(_, moves)| *moves);
            if moved.id > seen {
                *since.entry(moved.sku).or_default() += moved.reserved;
            }
        })?;
        count(conn, |level| {
            let [then, since] = [&self.held, &since].map(|sums| sums.get(&level.sku).copied().unwrap_or_default());
            level.reserved != then + since
        })
    }
}

fn add_up(sums: &mut HashMap<i64, Sum>, conn: &Connection, after: i64, up_to: i64) -> Result<()> {
    store::each_moved(conn, after, up_to, |sku, on_hand, reserved| {
        let sum = sums.entry(sku).or_default();
        *sum = Sum { on_hand: sum.on_hand + on_hand, reserved: sum.reserved + reserved };
    })
}

fn count(conn: &Connection, is_wrong: impl Fn(&Level) -> bool) -> Result<i64> {
    let mut wrong = 0;
    store::each_level(conn, |level| wrong += i64::from(is_wrong(&level)))?;
    Ok(wrong)
}
