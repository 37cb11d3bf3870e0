//! The business day: which day of the shop a moment belongs to, decided in one place.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeZone};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::{local, shanghai};

/// A day in Asia/Shanghai. Stored and sent to WeChat as `20261008`; people read and write `2026-10-08`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

/// The text is no day.
#[derive(Debug, PartialEq, Eq)]
pub struct NotADay;

impl Day {
    /// The day that a moment (epoch milliseconds) belongs to.
    pub fn of(ms: i64) -> Day {
        Day(local(ms).date_naive())
    }

    /// Its first millisecond.
    pub fn start(self) -> i64 {
        // China has no daylight saving, so every midnight exists once.
        shanghai()
            .from_local_datetime(&self.0.and_time(NaiveTime::MIN))
            .single()
            .map_or(0, |midnight| midnight.timestamp_millis())
    }

    /// The first millisecond that is no longer of this day.
    pub fn end(self) -> i64 {
        self.plus(1).start()
    }

    /// So many days later; earlier for a negative number.
    pub fn plus(self, days: i64) -> Day {
        let moved = match days {
            0.. => self.0.checked_add_days(Days::new(days.unsigned_abs())),
            _ => self.0.checked_sub_days(Days::new(days.unsigned_abs())),
        };
        Day(moved.unwrap_or(self.0))
    }

    /// As a number, `20261008`: the subject of a job.
    pub fn number(self) -> i64 {
        i64::from(self.0.year()) * 10_000 + i64::from(self.0.month()) * 100 + i64::from(self.0.day())
    }

    pub fn from_number(number: i64) -> Option<Day> {
        format!("{number:08}").parse().ok()
    }

    /// `2026-10-08`
    pub fn shown(self) -> String {
        self.0.format("%Y-%m-%d").to_string()
    }

    /// `2026-10-08`, as browsers send it.
    pub fn read(text: &str) -> Option<Day> {
        let number: i64 = text.replace('-', "").parse().ok()?;
        Day::from_number(number).filter(|day| day.shown() == text)
    }

    /// The time between two days: whoever has them the wrong way round means the same.
    pub fn span(from: Option<Day>, to: Option<Day>) -> (Option<Day>, Option<Day>) {
        match (from, to) {
            (Some(from), Some(to)) if to < from => (Some(to), Some(from)),
            either => either,
        }
    }

    /// `2026-10`
    pub fn month(self) -> String {
        self.0.format("%Y-%m").to_string()
    }

    /// The first day of a month written `2026-10`.
    pub fn first_of(month: &str) -> Option<Day> {
        format!("{month}-01").parse().ok()
    }

    /// The day of the month, from 1.
    pub fn of_month(self) -> u32 {
        self.0.day()
    }

    /// 0 for Monday, 6 for Sunday.
    pub fn weekday(self) -> u32 {
        self.0.weekday().num_days_from_monday()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.number())
    }
}

impl FromStr for Day {
    type Err = NotADay;
    fn from_str(text: &str) -> Result<Day, NotADay> {
        let digits: String = match text.len() {
            10 if text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-' => text.replace('-', ""),
            _ => text.to_owned(),
        };
        if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotADay);
        }
        NaiveDate::parse_from_str(&digits, "%Y%m%d").map(Day).map_err(|_| NotADay)
    }
}

impl ToSql for Day {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for Day {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Day> {
        value.as_str()?.parse().map_err(|NotADay| FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SECOND, from_compact};
    use super::*;

    #[test]
    fn the_business_day_turns_at_midnight_in_shanghai() {
        let before = from_compact("20261008235959").unwrap();
        let (day, next) = (Day::of(before), Day::of(before + SECOND));
        assert_eq!((day.to_string(), next.shown()), ("20261008".into(), "2026-10-09".into()));
        assert_eq!((day.end(), next.start(), day.plus(1)), (before + SECOND, before + SECOND, next));
        assert_eq!(next.plus(-1), day);
    }

    #[test]
    fn a_day_reads_back_as_written_and_nothing_else_does() {
        let day: Day = "2026-02-28".parse().unwrap();
        assert_eq!((day.to_string().parse(), Day::from_number(day.number())), (Ok(day), Some(day)));
        assert_eq!((day.plus(1).shown(), day.month()), ("2026-03-01".into(), "2026-02".into()));
        assert_eq!(Day::first_of("2026-02").map(|d| d.plus(27)), Some(day));
        for bad in ["", "2026-2-28", "20260229", "2026-13-01", "20261008x", "+0261008", "2026/10/08", "二〇二六年"]
        {
            assert_eq!(bad.parse::<Day>(), Err(NotADay), "{bad:?}");
        }
    }
}
