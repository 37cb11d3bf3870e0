//! What differs between a bill and the books, and how it comes before a person.

use super::funds::Funds;
use super::store;
use crate::clock::Day;
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::{self, Difference, Kind, MATCHED_AGAIN, NewException};
use crate::wechat::bill::Bill;

/// Rows that make no sense: what makes one of them wrong is in the others too, so a day tells it once.
pub fn unreadable(bill: &Bill, bill_id: &str) -> Option<store::Found> {
    let (line, raw, why) = bill.unreadable.first()?;
    let more = match bill.unreadable.len() {
        1 => String::new(),
        n => format!("（这样的共 {n} 行）"),
    };
    let what = format!("账单第 {line} 行读不懂：{why}{more}");
    Some(store::Found { theirs: raw.clone(), ..store::Found::new(Difference::Unreadable, bill_id.to_owned(), what) })
}

/// The bill's own summary says other sums than its rows.
pub fn summed_otherwise(bill: &Bill, bill_id: &str) -> Option<store::Found> {
    let (line, why) = bill.summary_off.as_ref()?;
    let what = format!("账单的汇总和它的明细不符：{why}");
    Some(store::Found { theirs: line.clone(), ..store::Found::new(Difference::Unreadable, bill_id.to_owned(), what) })
}

/// The fund flow moves another sum than the bill.
pub fn moved_otherwise(funds: &Funds, bill_id: &str) -> Option<store::Found> {
    let differs = funds.differs();
    let what = format!("{}：{}", Difference::Funds.text(), differs.join("；"));
    (!differs.is_empty()).then(|| store::Found::new(Difference::Funds, bill_id.to_owned(), what))
}

/// Opens what is new, keeps what is still so, settles what is no longer so. What was said of another bill as a whole is left
/// as it is.
pub fn report(tx: &Tx, day: Day, found: &[store::Found], bill_id: &str) -> Result<()> {
    let subject = |difference: Difference, id: &str| format!("{day} {} {id}", difference.word());
    for one in found {
        let new = NewException {
            order_id: one.order_id,
            transaction_id: &one.transaction_id,
            amount_fen: one.amount_fen,
            bill: Some((day, one.difference)),
            ours: &one.ours,
            theirs: &one.theirs,
            ..NewException::new(Kind::BillDifference, subject(one.difference, &one.id), &one.what)
        };
        if exceptions::store::open(tx, &new)?.is_none() {
            exceptions::store::still_differs(tx, &new)?;
        }
    }
    for known in exceptions::store::of_day(tx, day)?.into_iter().filter(|known| known.open) {
        let whole = [Difference::NoBill, Difference::Unreadable, Difference::Funds];
        let of_other = known
            .difference
            .is_some_and(|difference| whole.contains(&difference) && known.subject != subject(difference, bill_id));
        if !of_other && !found.iter().any(|one| subject(one.difference, &one.id) == known.subject) {
            exceptions::store::resolve(tx, known.id, MATCHED_AGAIN)?;
        }
    }
    Ok(())
}
