//! The only clock. Times are epoch milliseconds; days and faces of clocks are Asia/Shanghai.

mod day;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use chrono::{DateTime, FixedOffset, NaiveDateTime, SecondsFormat, TimeZone, Utc};

pub use day::{Day, NotADay};

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Tells the time. Tests hold one whose hands they move.
#[derive(Clone, Default)]
pub enum Clock {
    #[default]
    System,
    Manual(Arc<Hands>),
    /// The system's, so many milliseconds away: the demo lives through its past on it.
    Shifted(Arc<AtomicI64>),
}

/// What a test's clock shows, and how much time has gone by.
pub struct Hands {
    shown: AtomicI64,
    steady: AtomicI64,
}

/// One moment by both clocks of the machine: the one that people set, and the one that only runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    pub now: i64,
    pub steady: i64,
}

/// What the clock showed when the program began.
static BEGUN: LazyLock<(i64, Instant)> = LazyLock::new(|| (Clock::System.now(), Instant::now()));

impl Clock {
    pub fn manual(start_ms: i64) -> Clock {
        Clock::Manual(Arc::new(Hands { shown: AtomicI64::new(start_ms), steady: AtomicI64::new(start_ms) }))
    }

    /// Now, in epoch milliseconds.
    pub fn now(&self) -> i64 {
        match self {
            Clock::System => Utc::now().timestamp_millis(),
            Clock::Manual(hands) => hands.shown.load(Ordering::SeqCst),
            Clock::Shifted(by) => Clock::System.now() + by.load(Ordering::SeqCst),
        }
    }

    /// The same by a clock that was set when the program began, and runs on however the other is set.
    pub fn steady(&self) -> i64 {
        match self {
            Clock::System => {
                let (begun, at) = &*BEGUN;
                begun + i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX)
            }
            Clock::Manual(hands) => hands.steady.load(Ordering::SeqCst),
            Clock::Shifted(by) => Clock::System.steady() + by.load(Ordering::SeqCst),
        }
    }

    pub fn moments(&self) -> Moments {
        Moments { now: self.now(), steady: self.steady() }
    }

    /// A clock that goes right, until it is moved.
    pub fn movable() -> Clock {
        Clock::Shifted(Arc::default())
    }

    /// Lets time go by; the system's cannot be hurried.
    pub fn advance(&self, ms: i64) {
        match self {
            Clock::System => {}
            Clock::Manual(hands) => {
                hands.shown.fetch_add(ms, Ordering::SeqCst);
                hands.steady.fetch_add(ms, Ordering::SeqCst);
            }
            Clock::Shifted(by) => {
                by.fetch_add(ms, Ordering::SeqCst);
            }
        }
    }

    /// Sets a manual clock wrong, or right again: no time goes by.
    pub fn jump(&self, ms: i64) {
        if let Clock::Manual(hands) = self {
            hands.shown.fetch_add(ms, Ordering::SeqCst);
        }
    }
}

/// China has used UTC+8 without daylight saving since 1991.
fn shanghai() -> FixedOffset {
    const { FixedOffset::east_opt(8 * 3600).expect("8 h is a valid offset") }
}

fn local(ms: i64) -> DateTime<FixedOffset> {
    Utc.timestamp_millis_opt(ms).single().unwrap_or_default().with_timezone(&shanghai())
}

fn from_local(text: &str, format: &str) -> Option<i64> {
    let naive = NaiveDateTime::parse_from_str(text, format).ok()?;
    Some(shanghai().from_local_datetime(&naive).single()?.timestamp_millis())
}

/// `2026-10-08T13:15:40+08:00`
pub fn rfc3339(ms: i64) -> String {
    local(ms).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// Reads such a time, whatever its zone; `None` for anything else.
pub fn from_rfc3339(text: &str) -> Option<i64> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis())
}

/// The same to the millisecond: `2026-10-08T13:15:40.120+08:00`.
pub fn rfc3339_ms(ms: i64) -> String {
    local(ms).to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// `20261008131540`, WeChat's form.
pub fn compact(ms: i64) -> String {
    local(ms).format("%Y%m%d%H%M%S").to_string()
}

/// Reads WeChat's `20261008131540`; `None` for anything else.
pub fn from_compact(text: &str) -> Option<i64> {
    if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    from_local(text, "%Y%m%d%H%M%S")
}

/// Reads `2026-10-08 13:15:40`, which WeChat writes in bills and about refunds; `None` for anything else.
pub fn from_spaced(text: &str) -> Option<i64> {
    if text.len() != 19 {
        return None;
    }
    from_local(text, "%Y-%m-%d %H:%M:%S")
}

/// `2026-10-08T13:15`, which a form's field for a time holds.
pub fn field(ms: i64) -> String {
    local(ms).format("%Y-%m-%dT%H:%M").to_string()
}

/// Reads what such a field sends, or `2026-10-08 13:15` from a browser that has none; `None` for anything else.
pub fn from_field(text: &str) -> Option<i64> {
    from_local(&text.trim().replacen(' ', "T", 1), "%Y-%m-%dT%H:%M")
}

/// Reads `Thu, 08 Oct 2026 05:15:40 GMT`, the `Date` of an HTTP answer; `None` for anything else.
pub fn from_http(text: &str) -> Option<i64> {
    Some(DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis())
}

/// `2026-10-08 13:15:40`, for pages.
pub fn shown(ms: i64) -> String {
    local(ms).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026年10月08日 13:15`, as people write it to each other.
pub fn written(ms: i64) -> String {
    local(ms).format("%Y年%m月%d日 %H:%M").to_string()
}

/// `10-08 13:15`, for lists.
pub fn shown_short(ms: i64) -> String {
    local(ms).format("%m-%d %H:%M").to_string()
}

/// `今天 13:15`, `昨天 13:15`, else as in lists: for what is looked at on the day.
pub fn shown_near(ms: i64, now: i64) -> String {
    let days = Day::of(now).number() - Day::of(ms).number();
    let time = local(ms).format("%H:%M");
    match days {
        0 => format!("今天 {time}"),
        1 => format!("昨天 {time}"),
        _ => shown_short(ms),
    }
}

/// How a clock goes that is so many milliseconds ahead, in words: `快 3 分钟`, `慢 26 小时`.
pub fn off(ahead: i64) -> String {
    format!("{} {}", fast_or_slow(ahead), span(ahead.saturating_abs()))
}

/// The same without by how much.
pub fn fast_or_slow(ahead: i64) -> &'static str {
    if ahead > 0 { "快" } else { "慢" }
}

/// How long `ms` is, in words: `3 分钟`, `26 小时`, `4 天`.
pub fn span(ms: i64) -> String {
    match ms.max(0) {
        ms if ms < MINUTE => format!("{} 秒", ms / SECOND),
        ms if ms < HOUR => format!("{} 分钟", ms / MINUTE),
        ms if ms < 3 * DAY => format!("{} 小时", ms / HOUR),
        ms => format!("{} 天", ms / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forms_time_reads_back_as_written() {
        let ms = 1_791_436_500_000;
        assert_eq!(field(ms), "2026-10-08T13:15");
        for good in ["2026-10-08T13:15", "2026-10-08 13:15", " 2026-10-08 13:15 "] {
            assert_eq!(from_field(good), Some(ms), "{good:?}");
        }
        for bad in ["", "2026-10-08", "13:15", "2026-02-30T13:15", "2026-10-08T24:15", "2026-10-08T13:15:00Z"] {
            assert_eq!(from_field(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_near_is_said_by_its_day() {
        let now = 1_791_436_500_000;
        let at = |ago: i64| shown_near(now - ago, now);
        assert_eq!((at(0).as_str(), at(DAY).as_str()), ("今天 13:15", "昨天 13:15"));
        assert_eq!((at(2 * DAY).as_str(), at(14 * HOUR).as_str()), ("10-06 13:15", "昨天 23:15"));
    }

    #[test]
    fn wechat_times_read_back_as_written() {
        let ms = 1_791_436_540_000;
        assert_eq!(from_compact(&compact(ms)), Some(ms));
        for bad in ["", "2026100813154", "20261308131540", "2026-10-08 131", "+2026100813154"] {
            assert_eq!(from_compact(bad), None, "{bad:?}");
        }
        assert_eq!(from_spaced(&shown(ms)), Some(ms));
        assert_eq!(from_http("Thu, 08 Oct 2026 05:15:40 GMT"), Some(ms));
        assert_eq!(from_http("08.10.2026"), None);
        for bad in ["", "2026-10-08 1:15:40 ", "2026-13-08 13:15:40", "20261008131540"] {
            assert_eq!(from_spaced(bad), None, "{bad:?}");
        }
    }
}
