//! When the shop is there for people: its hours of the week, its closed days, and the slots that can be booked of them.

use super::number;
use crate::clock::{self, DAY, Day, MINUTE};
use crate::stored_enum::stored_enum;
use crate::typed::quoted;

stored_enum! {
    /// For what a buyer chooses a slot.
    pub enum For {
        Nobody "none" "不用预约",
        Local "local" "同城配送",
        Pickup "pickup" "自提",
        Both "both" "同城配送和自提",
    }
}

impl For {
    /// As a setting offers them.
    pub const CHOICES: &[(&str, &str)] =
        &[("none", "不用预约"), ("local", "同城配送"), ("pickup", "自提"), ("both", "同城配送和自提")];
}

/// A span of a day in minutes after midnight; it ends by the next one.
type Span = (i64, i64);

/// The hours of a week, from Monday.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week([Vec<Span>; 7]);

/// A time that a buyer can choose: from, and until.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub start: i64,
    pub end: i64,
}

/// Everything that decides which slots there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    pub week: Week,
    pub closed: Vec<(Day, Day)>,
    pub slots: Option<For>,
    /// In milliseconds.
    pub prepare: i64,
    pub length: i64,
    pub days: i64,
    /// Until so long after midnight slots of the same day can be booked.
    pub cutoff: Option<i64>,
    /// Orders for one slot.
    pub capacity: Option<i64>,
}

/// What is kept where nothing is written.
const USUAL: &str = "9:00-21:00";
const NAMES: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];

impl Hours {
    /// `value` answers with what is set under a name; what does not read has its default.
    pub fn read<'v>(value: impl Fn(&str) -> Option<&'v str>) -> Hours {
        let week = value("shop.hours").and_then(|text| week(text).ok());
        Hours {
            week: week.or_else(|| self::week(USUAL).ok()).unwrap_or_default(),
            closed: value("shop.closed_days").and_then(|text| days(text).ok()).unwrap_or_default(),
            slots: value("shop.slots").and_then(|word| word.parse().ok()).filter(|whom| *whom != For::Nobody),
            prepare: number::PREPARE_MINUTES.in_force(&value) * MINUTE,
            length: number::SLOT_MINUTES.in_force(&value) * MINUTE,
            days: number::SLOT_DAYS.in_force(&value),
            cutoff: value("shop.slot_cutoff").and_then(time).map(|minutes| minutes * MINUTE),
            capacity: number::SLOT_CAPACITY.read(&value),
        }
    }

    fn is_closed(&self, day: Day) -> bool {
        self.closed.iter().any(|(from, to)| (*from..=*to).contains(&day))
    }

    /// The slots that can be booked now, the next one first. Whether they are full is another question.
    pub fn offered(&self, now: i64) -> Vec<Slot> {
        let (today, mut slots) = (Day::of(now), Vec::new());
        for day in (0..self.days).map(|n| today.plus(n)).filter(|day| !self.is_closed(*day)) {
            if day == today && self.cutoff.is_some_and(|cutoff| now >= day.start() + cutoff) {
                continue;
            }
            for (from, to) in &self.week.0[day.weekday() as usize] {
                let (mut start, end) = (day.start() + from * MINUTE, day.start() + to * MINUTE);
                while self.length > 0 && start + self.length <= end {
                    if start >= now + self.prepare {
                        slots.push(Slot { start, end: start + self.length });
                    }
                    start += self.length;
                }
            }
        }
        slots
    }

    /// `周一至周五 9:00–12:00 13:30–21:00；周六周日 10:00–18:00`
    pub fn text(&self) -> String {
        let spans = |spans: &[Span]| match spans {
            [] => "休息".to_owned(),
            spans => {
                spans.iter().map(|(from, to)| format!("{}–{}", face(*from), face(*to))).collect::<Vec<_>>().join(" ")
            }
        };
        let mut groups: Vec<(usize, usize)> = Vec::new();
        for day in 0..7 {
            match groups.last_mut() {
                Some((from, to)) if self.week.0[*from] == self.week.0[day] => *to = day,
                _ => groups.push((day, day)),
            }
        }
        let named = |(from, to): (usize, usize)| match to - from {
            6 => spans(&self.week.0[from]),
            0 => format!("{} {}", NAMES[from], spans(&self.week.0[from])),
            _ => format!("{}至{} {}", NAMES[from], NAMES[to], spans(&self.week.0[from])),
        };
        groups.into_iter().map(named).collect::<Vec<_>>().join("；")
    }
}

impl Slot {
    /// By which a client names it: `202610081400-1500`.
    pub fn id(&self) -> String {
        let (start, end) = (clock::compact(self.start), clock::compact(self.end));
        format!("{}-{}", start.get(..12).unwrap_or_default(), end.get(8..12).unwrap_or_default())
    }

    pub fn day(&self) -> Day {
        Day::of(self.start)
    }

    /// `14:00–15:00`
    pub fn span_text(&self) -> String {
        let minutes = |ms: i64| (ms - self.day().start()) / MINUTE;
        format!("{}–{}", face(minutes(self.start)), face(minutes(self.end)))
    }

    /// `今天`, `明天`, `10-10 周六`
    pub fn day_text(&self, now: i64) -> String {
        let (day, today) = (self.day(), Day::of(now));
        match (day.start() - today.start()) / DAY {
            0 => "今天".to_owned(),
            1 => "明天".to_owned(),
            _ => day_name(day),
        }
    }

    /// `10-08 周四 14:00–15:00`: says the same whenever it is read.
    pub fn text(&self) -> String {
        format!("{} {}", day_name(self.day()), self.span_text())
    }
}

fn day_name(day: Day) -> String {
    format!("{} {}", day.shown().get(5..).unwrap_or_default(), NAMES[day.weekday() as usize % 7])
}

/// Minutes after midnight as a clock shows them.
fn face(minutes: i64) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// `9:00`, `21:30`, `24:00` in minutes after midnight.
pub fn time(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let minutes = (digits(hour, 2) && digits(minute, 2) && minute.len() == 2)
        .then(|| Some(hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?))??;
    (minutes <= 24 * 60 && minute < "60").then_some(minutes)
}

/// People's signs as one of each.
fn plain(text: &str) -> String {
    let text = text.replace("星期", "周").replace("礼拜", "周").replace("周天", "周日").replace("——", "-");
    let sign = |c: char| match c {
        '：' => ':',
        '－' | '–' | '—' | '~' | '～' | '到' | '至' => '-',
        '０'..='９' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '；' | ';' | '，' | ',' | '、' | '\n' | '\r' | '\t' | '　' => ' ',
        c => c,
    };
    text.chars().map(sign).collect::<String>().replace(" - ", "-").replace("- ", "-").replace(" -", "-")
}

/// The days that a word names; `None` for one that names none.
fn named(word: &str) -> Option<Vec<usize>> {
    let day = |name: &str| NAMES.iter().position(|known| *known == name);
    Some(match word {
        "每天" | "每日" | "天天" => (0..7).collect(),
        "工作日" => (0..5).collect(),
        "周末" => vec![5, 6],
        _ => match word.split_once('-') {
            Some((from, to)) => {
                let (from, to) = (day(from)?, day(to)?);
                (from..=to).collect::<Vec<_>>()
            }
            None => vec![day(word)?],
        },
    })
    .filter(|days: &Vec<usize>| !days.is_empty())
}

/// Reads the hours of a week; a sentence for what is wrong.
pub fn week(text: &str) -> Result<Week, String> {
    let (mut week, mut days, mut seen, mut spoken) = (Week::default(), Vec::new(), [false; 7], false);
    for word in plain(text).split_whitespace() {
        if let Some(named) = named(word) {
            // Days that follow hours begin a new group.
            if spoken {
                (days, spoken) = (Vec::new(), false);
            }
            if let Some(twice) = named.iter().find(|day| seen[**day]) {
                return Err(format!("{}写了两次", NAMES[*twice]));
            }
            named.iter().for_each(|day| seen[*day] = true);
            days.extend(named);
            continue;
        }
        if days.is_empty() && !spoken {
            days = (0..7).collect();
            seen = [true; 7];
        }
        spoken = true;
        if word == "休息" || word == "不营业" {
            continue;
        }
        let span = word.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
        let (from, to) = span.ok_or_else(|| format!("不认识{}", quoted(word)))?;
        if from >= to {
            return Err(format!("「{word}」的结束要晚于开始；过了半夜的请写到 24:00，第二天再写"));
        }
        for day in &days {
            if week.0[*day].iter().any(|(start, end)| from < *end && *start < to) {
                return Err(format!("{}的「{word}」和前面的时间重叠", NAMES[*day]));
            }
            week.0[*day].push((from, to));
            week.0[*day].sort_unstable();
        }
    }
    if !spoken {
        return Err("没有写几点到几点".to_owned());
    }
    if week.0.iter().all(Vec::is_empty) { Err("一天也不营业".to_owned()) } else { Ok(week) }
}

/// Reads closed days, alone or from–to; a sentence for what is wrong.
pub fn days(text: &str) -> Result<Vec<(Day, Day)>, String> {
    let parted = text.replace(['；', ';', '，', ',', '、', '\n', '\r', '　'], " ").replace(['到', '~', '～'], "至");
    let parted = parted.replace(" 至 ", "至");
    let read = |part: &str| {
        let (from, to) = part.split_once('至').unwrap_or((part, part));
        let days = Day::read(from).zip(Day::read(to));
        let (from, to) = days.ok_or_else(|| format!("不认识{}", quoted(part)))?;
        if from > to { Err(format!("「{part}」的结束早于开始")) } else { Ok((from, to)) }
    };
    parted.split_whitespace().map(read).collect()
}

pub fn check_week(text: &str) -> Result<(), String> {
    week(text)
        .map(drop)
        .map_err(|problem| format!("{problem}。例如 周一至周五 9:00-12:00 13:30-21:00；周末 10:00-18:00"))
}

pub fn check_days(text: &str) -> Result<(), String> {
    days(text).map(drop).map_err(|problem| format!("{problem}。例如 2026-10-01 至 2026-10-07、2026-12-31"))
}

pub fn check_time(text: &str) -> Result<(), &'static str> {
    time(text).map(drop).ok_or("请写成 18:00 的样子")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HOUR;

    /// 2026-10-08 13:00 in Shanghai, a Thursday.
    const START: i64 = 1_791_435_600_000;

    #[test]
    fn hours_are_read_however_people_write_them() {
        let both = "周一至周五 9:00–12:00 13:30–21:00；周六至周日 10:00–18:00";
        for (typed, read) in [
            ("周一至周五 9:00-12:00 13:30-21:00；周末 10:00-18:00", both),
            ("工作日 09:00～12:00、13:30 - 21:00\n星期六 星期天 10：00—18：00", both),
            ("９:00-21:00", "9:00–21:00"),
            ("每天 0:00-24:00", "0:00–24:00"),
            ("周二至周日 10:00到20:00", "周一 休息；周二至周日 10:00–20:00"),
            ("周一 休息；周二至周日 10:00-20:00", "周一 休息；周二至周日 10:00–20:00"),
        ] {
            let hours = Hours { week: week(typed).expect(typed), ..Hours::default() };
            assert_eq!(hours.text(), read, "{typed}");
        }
    }

    #[test]
    fn what_is_wrong_with_hours_or_days_is_said() {
        for (typed, words) in [
            ("", "没有写几点到几点"),
            ("周一至周五", "没有写几点到几点"),
            ("早九晚五", "不认识「早九晚五」"),
            ("25:00-26:00", "不认识"),
            ("9:60-10:00", "不认识"),
            ("9-21", "不认识"),
            ("21:00-9:00", "结束要晚于开始"),
            ("9:00-9:00", "结束要晚于开始"),
            ("9:00-12:00 11:00-13:00", "重叠"),
            ("周一 9:00-12:00 周一至周三 13:00-18:00", "周一写了两次"),
            ("9:00-12:00 周六 10:00-12:00", "周六写了两次"),
            ("周五至周一 9:00-12:00", "不认识"),
            ("每天 休息", "一天也不营业"),
        ] {
            let said = check_week(typed).expect_err(typed);
            assert!(said.contains(words), "{typed}: {said}");
        }
        for (typed, fine) in [
            ("2026-10-01 至 2026-10-07、2026-12-31", true),
            ("2026-10-01至2026-10-07;2026-12-31", true),
            ("2026-10-07 至 2026-10-01", false),
            ("2026-02-30", false),
            ("国庆", false),
        ] {
            assert_eq!(check_days(typed).is_ok(), fine, "{typed}");
        }
        assert_eq!(
            (time("9:00"), time("24:00"), time("24:01"), time("9:5"), time(":00")),
            (Some(540), Some(1440), None, None, None)
        );
    }

    fn hours() -> Hours {
        Hours {
            week: week("周一至周五 9:00-12:00 13:30-18:00；周六 10:00-12:00").unwrap(),
            prepare: HOUR,
            length: HOUR,
            days: 4,
            ..Hours::default()
        }
    }

    /// A perfect Thursday at one, one thing otherwise per row.
    #[test]
    fn slots_are_whole_in_time_and_ready() {
        let all = ["14:30", "15:30", "16:30"];
        let of = |day: &str, hours: &Hours, now: i64| -> Vec<String> {
            let slots = hours.offered(now);
            let on = slots.iter().filter(|slot| slot.day_text(START) == day);
            on.map(|slot| slot.span_text().split('–').next().unwrap().to_owned()).collect()
        };
        type Change = fn(&mut Hours);
        let rows: [(Change, i64, &str, &[&str]); 12] = [
            (|_| {}, 0, "今天", &all),
            (|h| h.prepare = 30 * MINUTE, 0, "今天", &["13:30", "14:30", "15:30", "16:30"]),
            (|h| h.prepare = 2 * HOUR, 0, "今天", &["15:30", "16:30"]),
            (|_| {}, 90 * MINUTE, "今天", &["15:30", "16:30"]),
            (|_| {}, 90 * MINUTE + 1, "今天", &["16:30"]),
            (|h| h.cutoff = Some(13 * HOUR), 0, "今天", &[]),
            (|h| h.cutoff = Some(13 * HOUR + 1), 0, "今天", &all),
            (
                |h| h.cutoff = Some(13 * HOUR),
                0,
                "明天",
                &["9:00", "10:00", "11:00", "13:30", "14:30", "15:30", "16:30"],
            ),
            (|h| h.closed = days("2026-10-08").unwrap(), 0, "今天", &[]),
            (|h| h.length = 3 * HOUR, 0, "明天", &["9:00", "13:30"]),
            (|h| h.length = 30 * MINUTE, 0, "10-10 周六", &["10:00", "10:30", "11:00", "11:30"]),
            (|h| h.days = 2, 0, "10-10 周六", &[]),
        ];
        for (n, (change, later, day, wanted)) in rows.into_iter().enumerate() {
            let mut hours = hours();
            change(&mut hours);
            assert_eq!(of(day, &hours, START + later), wanted, "row {n}");
        }
        assert!(of("10-11 周日", &hours(), START).is_empty(), "closed every Sunday");
        let first = hours().offered(START)[0];
        assert_eq!((first.id().as_str(), first.text().as_str()), ("202610081430-1530", "10-08 周四 14:30–15:30"));
        let late = Slot { start: START + 10 * HOUR, end: START + 11 * HOUR };
        assert_eq!((late.id().as_str(), late.span_text().as_str()), ("202610082300-0000", "23:00–24:00"));
    }
}
