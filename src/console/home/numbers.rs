//! The first page's numbers: what came in by the hour and by the day, beside what came in before.

use serde::Serialize;

use crate::clock::Day;
use crate::ledger::DaySum;
use crate::money::yuan;
use crate::orders::margin::Margin;

/// Days that the bars show.
pub const CHARTED: i64 = 30;

/// What was earned on goods; nothing where no cost is known, beside how many pieces that is said of.
#[derive(Serialize)]
pub struct Earned {
    earned: Option<String>,
    percent: Option<i64>,
    unknown: i64,
    unknown_income: String,
}

impl Earned {
    pub fn of(margin: &Margin) -> Earned {
        let known = margin.pieces != 0 || margin.income_fen != 0 || margin.cost_fen != 0;
        Earned {
            earned: known.then(|| yuan(margin.earned_fen())),
            percent: margin.percent(),
            unknown: margin.unknown_pieces,
            unknown_income: yuan(margin.unknown_fen),
        }
    }
}

/// What came in during a day, summed from its first hour on, beside yesterday and a week ago; on a field of 240 by 100.
#[derive(Serialize)]
pub struct Hourly {
    now: String,
    yesterday: String,
    week: String,
    /// The end of today's line.
    x: usize,
    y: i64,
    /// The head of the axis, and its middle.
    most: String,
    half: String,
    /// How much more than yesterday at this hour, in hundredths.
    ahead: Option<i64>,
    then: String,
    week_then: String,
    taken: String,
    rows: Vec<Hour>,
}

#[derive(Serialize)]
struct Hour {
    hour: usize,
    now: String,
    yesterday: String,
    week: String,
}

impl Hourly {
    /// So many minutes into the day.
    pub fn of([today, yesterday, week]: &[[i64; 24]; 3], minutes: usize) -> Hourly {
        let (hour, end) = (minutes / 60, minutes / 6);
        let grown = |hours: &[i64; 24]| -> Vec<i64> {
            let sums = hours.iter().scan(0, |sum, more| {
                *sum += more;
                Some(*sum)
            });
            [0].into_iter().chain(sums).collect()
        };
        let [mut today, yesterday, week] = [today, yesterday, week].map(grown);
        let then = (yesterday[hour + 1], week[hour + 1]);
        today.truncate(hour + 2);
        let most = top([&today, &yesterday, &week].into_iter().flatten().copied().max().unwrap_or(0));
        // Where nothing came in the line runs on, and needs no point.
        let line = |sums: &[i64], end: usize| -> String {
            let turns =
                |i: &usize| *i == 0 || sums.get(i + 1).is_none_or(|next| *next != sums[*i]) || sums[i - 1] != sums[*i];
            let x = |i: usize| if i + 1 == sums.len() { end } else { i * 10 };
            let points = (0..sums.len()).filter(turns).map(|i| format!("{} {}", x(i), 100 - sums[i] * 100 / most));
            format!("M{}", points.collect::<Vec<_>>().join(" "))
        };
        let moved = |h: &usize| *h == hour || [&today, &yesterday, &week].iter().any(|sums| sums[h + 1] != sums[*h]);
        let row = |h: usize| Hour {
            hour: h,
            now: yuan(today[h + 1]),
            yesterday: yuan(yesterday[h + 1]),
            week: yuan(week[h + 1]),
        };
        let now = today.last().copied().unwrap_or(0);
        Hourly {
            now: line(&today, end),
            yesterday: line(&yesterday, 240),
            week: line(&week, 240),
            x: end,
            y: 100 - now * 100 / most,
            most: round(most),
            half: round(most / 2),
            ahead: percent(now, then.0),
            then: yuan(then.0),
            week_then: yuan(then.1),
            taken: yuan(now),
            rows: (0..=hour).filter(moved).map(row).collect(),
        }
    }
}

/// A round number beside an axis needs no cents.
fn round(fen: i64) -> String {
    let shown = yuan(fen);
    shown.strip_suffix(".00").map(str::to_owned).unwrap_or(shown)
}

/// The first round number at or above, for the head of an axis; never nothing.
fn top(most: i64) -> i64 {
    let mut step = 100;
    while step * 10 < most {
        step *= 10;
    }
    (1..=10).map(|n| n * step).find(|round| *round >= most).unwrap_or(step * 10)
}

/// How much more than before, in hundredths; nothing when there was nothing before.
fn percent(now: i64, before: i64) -> Option<i64> {
    ((now - before) * 100).checked_div(before)
}

/// The days that are charted, beside as many before them.
#[derive(Serialize)]
pub struct Compared {
    taken: String,
    orders: i64,
    ahead: Option<i64>,
}

impl Compared {
    pub fn of(now: &[DaySum], before: &[DaySum]) -> Compared {
        let sum = |days: &[DaySum]| days.iter().map(|day| day.received_fen).sum::<i64>();
        Compared {
            taken: yuan(sum(now)),
            orders: now.iter().map(DaySum::orders).sum(),
            ahead: percent(sum(now), sum(before)),
        }
    }
}

/// The last days as bars, drawn on a field of 300 by 100.
#[derive(Serialize)]
pub struct Chart {
    bars: Vec<Bar>,
    most: String,
    half: String,
    first: String,
    last: String,
}

#[derive(Serialize)]
struct Bar {
    x: i64,
    y: i64,
    height: i64,
    day: String,
    received: String,
    refunded: String,
    count: i64,
    today: bool,
}

impl Chart {
    pub fn of(today: Day, sums: &[DaySum]) -> Chart {
        let day = |n: i64| today.plus(n + 1 - CHARTED);
        let most = top(sums.iter().map(|sum| sum.received_fen).max().unwrap_or(0));
        let bar = |n: i64| {
            let moved = |sum: &&DaySum| sum.day == day(n) && (sum.payments > 0 || sum.refunded_fen > 0);
            let sum = sums.iter().find(moved)?;
            let height = sum.received_fen * 100 / most;
            Some(Bar {
                x: n * 10 + 1,
                y: 100 - height,
                height,
                day: day(n).shown(),
                received: yuan(sum.received_fen),
                refunded: yuan(sum.refunded_fen),
                count: sum.orders(),
                today: n == CHARTED - 1,
            })
        };
        Chart {
            bars: (0..CHARTED).filter_map(bar).collect(),
            most: round(most),
            half: round(most / 2),
            first: day(0).shown(),
            last: today.shown(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_turns_only_where_money_came_in() {
        let mut today = [0; 24];
        (today[2], today[3]) = (4000, 6000);
        let shown = Hourly::of(&[today, [0; 24], [0; 24]], 5 * 60 + 30);
        assert_eq!(
            (shown.now.as_str(), shown.x),
            ("M0 100 20 100 30 60 40 0 55 0", 55),
            "up to now, not to the full hour"
        );
        let hours: Vec<_> = shown.rows.iter().map(|row| row.hour).collect();
        assert_eq!(hours, [2, 3, 5], "each with its money, and now");
        assert_eq!(shown.yesterday, "M0 100 240 100");
    }
}
