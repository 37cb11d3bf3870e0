//! When a product goes on and off the shelf by itself.

use super::{ShelfTimes, store};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::ProductId;

impl ShelfTimes {
    /// Where the product is to stand as of `now`, if that is to change, and the times that are still to come. After a
    /// standstill both may have passed: the later one counts.
    fn turned(self, now: i64) -> (Option<bool>, ShelfTimes) {
        let has_come = |at: Option<i64>| at.is_some_and(|at| at <= now);
        let stands = match (has_come(self.on_at), has_come(self.off_at)) {
            (_, true) => Some(false),
            (true, false) => Some(true),
            (false, false) => None,
        };
        let to_come = |at: Option<i64>| at.filter(|at| *at > now);
        (stands, ShelfTimes { on_at: to_come(self.on_at), off_at: to_come(self.off_at) })
    }
}

/// Puts a product on the shelf, or takes it off. Errors: NotFound, where there is none or it lies in the recycle bin.
pub fn set_shelf(tx: &Tx, id: ProductId, on: bool) -> Result<()> {
    match store::set_shelf(tx, id, on)? {
        true => Ok(()),
        false => Err(Error::from(Code::NotFound).says("商品在回收站里，没有动：先恢复，再上架")),
    }
}

/// What became of a product whose time has come.
pub struct Turned {
    pub name: String,
    /// Where it stands now, if it was moved.
    pub on_shelf: Option<bool>,
    pub next: Option<i64>,
}

/// Puts the product where it is to stand; one in the recycle bin stays there. `None` when there is none.
pub fn turn(tx: &Tx, id: ProductId) -> Result<Option<Turned>> {
    let Some(product) = store::product(tx, id)? else { return Ok(None) };
    let (stands, left) = product.shelf_times.turned(tx.now());
    let moved = stands.filter(|on| *on != product.on_shelf && !product.deleted);
    if left != product.shelf_times {
        store::set_shelf_times(tx, id, left)?;
    }
    if let Some(on) = moved {
        set_shelf(tx, id, on)?;
    }
    Ok(Some(Turned { name: product.name, on_shelf: moved, next: left.next() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_come_moves_the_product_and_is_taken_out() {
        let times = |on_at, off_at| ShelfTimes { on_at, off_at };
        for (what, on_at, off_at, stands, left) in [
            ("nothing is planned", None, None, None, (None, None)),
            ("not yet", Some(11), Some(12), None, (Some(11), Some(12))),
            ("on, at the very moment", Some(10), None, Some(true), (None, None)),
            ("on, and off later", Some(9), Some(11), Some(true), (None, Some(11))),
            ("off", None, Some(10), Some(false), (None, None)),
            ("both passed while the shop was down", Some(7), Some(8), Some(false), (None, None)),
        ] {
            let expected = (stands, times(left.0, left.1));
            assert_eq!(times(on_at, off_at).turned(10), expected, "{what}");
        }
    }
}
