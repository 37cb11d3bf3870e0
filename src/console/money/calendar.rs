//! 对账: a calendar of days, each with how its bill was matched, and the month report.

use rocket::request::FlashMessage;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::clock::Day;
use crate::console::{Download, Frame, download, framed, waiting, xlsx};
use crate::error::{Code, Error, Result};
use crate::exceptions::store as exceptions;
use crate::ledger::{DaySum, store as ledger};
use crate::money::yuan;
use crate::orders::margin;
use crate::reconcile::{BillState, Match, report, store};
use crate::shop::Shop;
use crate::staff::{Clerk, Manager, Role};

pub fn routes() -> Vec<Route> {
    routes![calendar, month_report]
}

/// The last day of the month that `first` begins.
fn end_of_month(first: Day) -> Day {
    let mut last = first.plus(27);
    while last.plus(1).month() == first.month() {
        last = last.plus(1);
    }
    last
}

/// The month that is opened unasked: the newest day with a bill is yesterday, so on the first of a month it is the one before.
fn opens_at(today: Day) -> Option<Day> {
    Day::first_of(&today.plus(-1).month())
}

/// Everything that the calendar shows.
#[derive(Serialize)]
struct CalendarPage {
    frame: Frame,
    tab: &'static str,
    month: String,
    before: String,
    /// None while it has not begun.
    after: Option<String>,
    /// Days of its first week that are of the month before.
    blanks: Vec<u32>,
    days: Vec<Cell>,
    total: SumShown,
    rows: Vec<RowShown>,
    yesterday: String,
    may_match: bool,
}

/// What moved in a day, or in several, as our books have it.
#[derive(Serialize)]
pub struct SumShown {
    payments: i64,
    received: String,
    refunds: i64,
    refunded: String,
    fee: String,
    net: String,
    /// What of it arrives and leaves, where coupons never do.
    arrived: Option<String>,
    left: Option<String>,
    offline: Option<String>,
}

impl From<&DaySum> for SumShown {
    fn from(sum: &DaySum) -> SumShown {
        SumShown {
            payments: sum.payments,
            received: yuan(sum.received_fen),
            refunds: sum.refunds,
            refunded: yuan(sum.refunded_fen),
            fee: yuan(sum.fee_fen),
            net: yuan(sum.net_fen()),
            arrived: (sum.received_borne_fen != 0).then(|| yuan(sum.arrived_fen())),
            left: (sum.refunded_borne_fen != 0).then(|| yuan(sum.left_fen())),
            offline: (sum.offline_fen != 0).then(|| yuan(sum.offline_fen)),
        }
    }
}

/// A day of the calendar, and its bars: of a hundred, beside the month's best.
#[derive(Serialize)]
struct Cell {
    day: String,
    n: u32,
    mark: &'static str,
    text: &'static str,
    today: bool,
    future: bool,
    received: Option<String>,
    refunded: Option<String>,
    high: i64,
    low: i64,
    /// From 0, nothing, to 4.
    heat: i64,
    bill: Option<BilledCell>,
}

#[derive(Serialize)]
struct BilledCell {
    received: String,
    high: i64,
    low: i64,
    differs: bool,
}

/// A day of the table.
#[derive(Serialize)]
struct RowShown {
    day: String,
    sum: SumShown,
    mark: &'static str,
    text: &'static str,
    bill: Option<String>,
    differs: bool,
}

/// A month of sums and matches.
struct Month {
    first: Day,
    last: Day,
    sums: Vec<DaySum>,
    matches: Vec<Match>,
}

impl Month {
    fn read(conn: &Connection, first: Day) -> Result<Month> {
        let last = end_of_month(first);
        let (sums, matches) = (ledger::day_sums(conn, first, last)?, store::between(conn, first, last)?);
        Ok(Month { first, last, sums, matches })
    }

    fn found(&self, day: Day) -> Option<&Match> {
        self.matches.iter().find(|found| found.day == day)
    }
}

impl CalendarPage {
    fn of(month: &Month, frame: Frame, today: Day) -> CalendarPage {
        let Month { first, last, sums, matches } = month;
        let billed = matches.iter().filter_map(Match::billed).map(|(received, _)| received);
        let most = sums.iter().map(|sum| sum.received_fen).chain(billed).max().unwrap_or(0);
        let days = (0..i64::from(last.of_month())).map(|n| first.plus(n));
        CalendarPage {
            tab: "calendar",
            month: first.month(),
            before: first.plus(-1).month(),
            after: (*last < today).then(|| last.plus(1).month()),
            blanks: (0..first.weekday()).collect(),
            days: days.map(|day| Cell::of(month, day, Scale { most, much: much(sums) }, today)).collect(),
            total: SumShown::from(&DaySum::of(*first, sums)),
            rows: sums.iter().rev().map(|sum| RowShown::of(sum, month.found(sum.day))).collect(),
            yesterday: today.plus(-1).shown(),
            may_match: frame.role >= Role::Manager,
            frame,
        }
    }
}

impl RowShown {
    fn of(sum: &DaySum, found: Option<&Match>) -> RowShown {
        let (state, bill) = (found.map(|m| m.state), found.and_then(Match::billed));
        RowShown {
            day: sum.day.shown(),
            sum: SumShown::from(sum),
            mark: mark(state, true),
            text: found.map_or("未对账", Match::text),
            bill: bill.map(|(received, _)| yuan(received)),
            differs: bill.is_some_and(|(received, _)| received != sum.received_fen),
        }
    }
}

/// What a day's bars and its tint are measured by: what came in on the month's best day, and on a good one.
struct Scale {
    most: i64,
    much: i64,
}

/// What nine of ten days of trade stay within: one day of a sale must not wash out all others. Source: the nearest-rank percentile.
fn much(sums: &[DaySum]) -> i64 {
    let mut days: Vec<i64> = sums.iter().map(|sum| sum.received_fen).filter(|fen| *fen > 0).collect();
    days.sort_unstable();
    days.get((days.len() * 9).div_ceil(10).saturating_sub(1)).copied().unwrap_or(0)
}

impl Cell {
    fn of(month: &Month, day: Day, Scale { most, much }: Scale, today: Day) -> Cell {
        let (sum, found) = (month.sums.iter().find(|sum| sum.day == day), month.found(day));
        let state = found.map(|m| m.state);
        let high = |fen: i64| (fen * 100 / most.max(1)).min(100);
        let billed = |(received, refunded): (i64, i64)| BilledCell {
            received: yuan(received),
            high: high(received),
            low: high(refunded),
            differs: state == Some(BillState::Differs),
        };
        Cell {
            day: day.shown(),
            n: day.of_month(),
            mark: mark(state, sum.is_some()),
            text: match found {
                Some(found) => found.text(),
                None if day >= today => "还没有账单",
                None if sum.is_none() => "本店没有交易",
                None => "未对账",
            },
            today: day == today,
            future: day > today,
            received: sum.filter(|sum| sum.payments > 0).map(|sum| yuan(sum.received_fen)),
            refunded: sum.filter(|sum| sum.refunds > 0).map(|sum| yuan(sum.refunded_fen)),
            high: sum.map_or(0, |sum| high(sum.received_fen)),
            low: sum.map_or(0, |sum| high(sum.refunded_fen)),
            heat: sum.map_or(0, |sum| ((sum.received_fen * 4 + much - 1) / much.max(1)).min(4)),
            bill: found.and_then(Match::billed).map(billed),
        }
    }
}

/// The sign of a day: its state, if it has one, and whether there was trade.
pub fn mark(state: Option<BillState>, trade: bool) -> &'static str {
    match state {
        Some(BillState::Equal) => "ok",
        Some(BillState::Differs) => "differs",
        Some(BillState::Failed) => "failed",
        Some(BillState::Empty) => "empty",
        Some(BillState::Waiting) => "waiting",
        None if trade => "waiting",
        None => "none",
    }
}

#[get("/money?<month>")]
async fn calendar(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    month: Option<&str>,
) -> Result<Template> {
    let today = Day::of(shop.now());
    let first = month.and_then(Day::first_of).or_else(|| opens_at(today)).ok_or(Code::NotFound)?;
    let (month, waits) = shop.read(move |conn| Ok((Month::read(conn, first)?, waiting(conn)?))).await?;
    let frame = framed(shop, &staff.0, "money", flash, waits);
    Ok(assets::page("console/money.html", CalendarPage::of(&month, frame, today)))
}

#[get("/money/<month>/report.xlsx")]
async fn month_report(shop: &State<Shop>, _staff: Manager, month: &str) -> Result<Download> {
    let first = Day::first_of(month).ok_or(Code::NotFound)?;
    let read = move |conn: &Connection| {
        let month = Month::read(conn, first)?;
        let (first, last) = (month.first, month.last);
        let differences = exceptions::of_days(conn, first, last)?;
        Ok((month, store::movements(conn, first, last)?, margin::by_day(conn, first, last)?, differences))
    };
    let (month, movements, margins, differences) = shop.read_slowly(read).await?;
    let made = move || report::month(&month.sums, &month.matches, &movements, &margins, &differences);
    let made = tokio::task::spawn_blocking(made).await;
    let bytes = made.map_err(|_| Code::Internal)?.map_err(|e| {
        log::error!("month report: {e}");
        Error::from(Code::Internal).says("月报没有做出来，请稍后再试")
    })?;
    Ok(download(xlsx(), &format!("xiaopu-{}.xlsx", first.month()), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_791_435_600_000;

    #[test]
    fn the_month_of_yesterday_is_opened() {
        for (today, first) in
            [("20261202", "20261201"), ("20261201", "20261101"), ("20261130", "20261101"), ("20270101", "20261201")]
        {
            assert_eq!(opens_at(today.parse().unwrap()), Some(first.parse().unwrap()), "{today}");
        }
    }

    #[test]
    fn the_calendar_asks_for_nothing_that_it_is_not_given() {
        let today = Day::of(NOW);
        let first = Day::first_of(&today.month()).unwrap();
        let yesterday = today.plus(-1);
        let sum = DaySum {
            payments: 2,
            received_fen: 8_800,
            received_borne_fen: 100,
            refunds: 1,
            refunded_fen: 500,
            offline_fen: 7,
            ..DaySum::nothing(yesterday)
        };
        for (sums, matches, words) in
            [(vec![sum], vec![Match::sample(yesterday)], "88.01"), (vec![], vec![], "这个月没有收款")]
        {
            let month = Month { first, last: end_of_month(first), sums, matches };
            let page = CalendarPage::of(&month, Frame::sample(Role::Manager), today);
            let html = assets::strictly("console/money.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words) && html.contains("昨日账单"), "{words}");
        }
    }
}
