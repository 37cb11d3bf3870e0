//! After-sale with goods (退换货、补发): asked for, agreed to, sent back, received, paid out or exchanged; each step with a
//! time of its own. Money goes back by `payments::refund` alone.

pub mod api;
pub mod ask;
pub mod back;
pub mod dearer;
pub mod decide;
pub mod new;
pub mod time;

use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::ReturnId;
use crate::jobs::{self, Task};
use crate::orders::{Topic, Who, store as orders};
use crate::outbox::{Letter, collect};
use crate::returns::{Options, Return, ReturnState, store};
use crate::settings::Settings;
use crate::typed::Length;

/// What either side says to the other.
pub const WORDS: Length = Length::between(2, 200);

/// The case as it stands in this transaction, if this may be done with it. Errors: `OrderState`, it stands elsewhere.
fn standing(tx: &Tx, id: ReturnId, may: impl Fn(&Options) -> bool) -> Result<Return> {
    let case = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
    if may(&case.options()) { Ok(case) } else { Err(elsewhere(&case)) }
}

fn elsewhere(case: &Return) -> Error {
    let words = format!("这笔{}现在是「{}」，请刷新页面", case.kind.text(), case.state.text());
    Error::from(Code::OrderState).says(words)
}

/// The guarded move, with its step for both sides, its row on the order's timeline, and the time for what comes next.
fn go(tx: &Tx, case: &Return, to: ReturnState, who: &Who, note: &str, settings: &Settings) -> Result<()> {
    let due_at = due(tx, to, settings);
    if !store::set_state(tx, case.id, case.state, to, due_at)? {
        return Err(elsewhere(case));
    }
    store::put_step(tx, case.id, who.actor, to, note)?;
    orders::note(tx, case.order_id, who, Topic::Goods, &format!("{}：{}", case.kind.text(), to.text()))?;
    match due_at {
        Some(at) => Ok(jobs::enqueue(tx, Task::Return(case.id), at)?),
        None => Ok(()),
    }
}

/// When the time for a step is over; none for one that ends it.
fn due(tx: &Tx, state: ReturnState, settings: &Settings) -> Option<i64> {
    let span = match state {
        ReturnState::Requested | ReturnState::Received => settings.answer_window(),
        ReturnState::Agreed => settings.send_back_window(),
        ReturnState::SentBack => settings.receive_window(),
        _ => return None,
    };
    Some(tx.now() + span)
}

/// Tells the buyer, if he wants to hear.
fn tell(tx: &Tx, case: &Return, settings: &Settings) -> Result<()> {
    if settings.template(&Letter::AfterSale.setting()).is_none() {
        return Ok(());
    }
    Ok(collect::put_letter(tx, Letter::AfterSale, case.order_id, case.id.0, tx.now())?)
}

/// What somebody wrote, or why not.
fn words(field: &str, text: &str) -> Result<String> {
    let text = text.trim().to_owned();
    if WORDS.fits_lines(&text) { Ok(text) } else { Err(Error::field(field, format!("请写清楚，{WORDS}"))) }
}
