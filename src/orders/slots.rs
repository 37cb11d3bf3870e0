//! When goods are brought or fetched: what can be booked now, and whether what a buyer chose still can.

use rusqlite::Connection;
use serde::Serialize;
use serde_json::json;

use super::{Quote, store};
use crate::catalogue::Delivery;
use crate::clock::rfc3339;
use crate::error::{Code, Error, Result};
use crate::settings::Settings;
use crate::settings::hours::{For, Slot};

/// The slots that a buyer may choose from, each with whether it is full. None where no time is chosen.
pub fn slots(conn: &Connection, way: Delivery, settings: &Settings, now: i64) -> Result<Option<Vec<(Slot, bool)>>> {
    let hours = &settings.hours;
    let chosen = match (way, hours.slots) {
        (Delivery::Local, Some(For::Local | For::Both)) | (Delivery::Pickup, Some(For::Pickup | For::Both)) => true,
        (Delivery::Express | Delivery::Local | Delivery::Pickup | Delivery::None, _) => false,
    };
    if !chosen {
        return Ok(None);
    }
    let offered = hours.offered(now);
    let Some(most) = hours.capacity else { return Ok(Some(offered.into_iter().map(|slot| (slot, false)).collect())) };
    let booked = store::booked(conn, now)?;
    let full = |slot: &Slot| booked.get(&slot.start).is_some_and(|n| *n >= most);
    Ok(Some(offered.into_iter().map(|slot| (slot, full(&slot))).collect()))
}

/// Puts what was chosen into the quote. Answers with why it cannot be had, or that something is to be chosen.
pub fn choose(quote: &mut Quote, offered: Option<Vec<(Slot, bool)>>, wanted: Option<&str>) -> Option<Error> {
    let gone = |words: &str| Some(Error::from(Code::SlotUnavailable).says(words));
    let Some(offered) = offered else {
        return wanted.and_then(|_| gone("店铺现在不用选时间了，请返回重新确认订单"));
    };
    let free = |id: &str| offered.iter().find(|(slot, full)| !full && slot.id() == id).map(|(slot, _)| *slot);
    quote.slot = wanted.and_then(free);
    quote.slots = offered;
    if quote.slot.is_some() {
        return None;
    }
    let ways: Vec<String> = quote.slots.iter().filter(|(_, full)| !full).map(|(slot, _)| slot.id()).collect();
    match (wanted, ways.is_empty()) {
        (_, true) => gone("最近几天没有可以约的时间了，请联系商家或过后再来"),
        (None, false) => Some(Error::from(Code::SlotRequired).details(json!({ "slotIds": ways }))),
        (Some(_), false) => {
            gone("这个时间刚刚约满或来不及了，请另选一个").map(|error| error.details(json!({ "slotIds": ways })))
        }
    }
}

/// A time that can be booked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotView {
    id: String,
    day: String,
    day_text: String,
    text: String,
    starts_at: String,
    ends_at: String,
    full: bool,
}

impl SlotView {
    pub fn all(slots: &[(Slot, bool)], now: i64) -> Vec<SlotView> {
        slots.iter().map(|(slot, full)| SlotView::new(slot, *full, now)).collect()
    }

    fn new(slot: &Slot, full: bool, now: i64) -> SlotView {
        SlotView {
            id: slot.id(),
            day: slot.day().shown(),
            day_text: slot.day_text(now),
            text: slot.span_text(),
            starts_at: rfc3339(slot.start),
            ends_at: rfc3339(slot.end),
            full,
        }
    }
}
