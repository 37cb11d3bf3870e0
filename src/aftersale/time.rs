//! The time for a step is over: goods that were never sent end the case, everything else is told to the staff.

use super::{go, tell};
use crate::db::Tx;
use crate::error::{Code, Result};
use crate::ids::ReturnId;
use crate::jobs::Ran;
use crate::orders::{Who, store as orders};
use crate::outbox::{Topic as News, collect};
use crate::returns::{ReturnState, store};
use crate::shop::Shop;

/// Looks whether the time is over; a step that was done meanwhile has a time of its own.
pub async fn pass(shop: &Shop, id: ReturnId) -> Result<Ran> {
    let settings = shop.settings();
    let write = move |tx: &Tx| {
        let Some(case) = store::by_id(tx, id)? else { return Ok(Ran::Done) };
        let Some(due_at) = case.due_at.filter(|_| !case.overdue) else { return Ok(Ran::Done) };
        if tx.now() < due_at {
            return Ok(Ran::Again { at: due_at });
        }
        if case.state == ReturnState::Agreed {
            go(tx, &case, ReturnState::Lapsed, &Who::system(), "", &settings)?;
            tell(tx, &case, &settings)?;
            return Ok(Ran::Done);
        }
        store::set_overdue(tx, id)?;
        let order = orders::by_id(tx, case.order_id)?.ok_or(Code::NotFound)?;
        let what = format!("{} {} 已超时，还是「{}」", case.kind.text(), order.order_no, case.state.text());
        collect::put_news(tx, &settings, News::ReturnAsked, &what)?;
        Ok(Ran::Done)
    };
    shop.write(write).await
}
