//! The program's own log, on the error stream: plain lines for people, or one JSON object a line for machines.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use log::kv::{Key, Value, VisitSource};
use log::{Level, LevelFilter, Metadata, Record};
use serde_json::{Map, json};

use crate::clock::{self, Clock};
use crate::say;

static LOG: Log = Log { json: AtomicBool::new(false) };

struct Log {
    json: AtomicBool,
}

pub fn install() {
    if log::set_logger(&LOG).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

pub fn set_json(json: bool) {
    LOG.json.store(json, Ordering::Relaxed);
}

impl log::Log for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        // Rocket announces its launch as a warning; we have said so ourselves.
        match target {
            // Rocket's notes on a request that a guard turned away: the answer says it already.
            _ if target.ends_with("::_") => metadata.level() <= Level::Error,
            _ if target.starts_with("xiaopu") => metadata.level() <= Level::Info,
            _ if target.starts_with("rocket") => metadata.level() <= Level::Error,
            _ => metadata.level() <= Level::Warn,
        }
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let now = clock::rfc3339(Clock::System.now());
            let line = if self.json.load(Ordering::Relaxed) { as_json(record, now) } else { as_text(record, now) };
            say::problem(format_args!("{line}"));
        }
    }

    fn flush(&self) {}
}

fn as_text(record: &Record<'_>, now: String) -> String {
    let mut line = format!("{now} {:5} {}", record.level(), record.args());
    let _ = record.key_values().visit(&mut Pairs(|key: &str, value: &Value<'_>| {
        let _ = write!(line, " {key}={value}");
    }));
    line
}

/// `time`, `level`, `target`, `message`, and what the line knows besides: `request_id`, `method`, `path`, `status`, `ms`.
fn as_json(record: &Record<'_>, now: String) -> String {
    let mut line = Map::new();
    let _ = record.key_values().visit(&mut Pairs(|key: &str, value: &Value<'_>| {
        let value = value.to_i64().map_or_else(|| json!(value.to_string()), |number| json!(number));
        line.insert(key.to_owned(), value);
    }));
    for (name, value) in [
        ("time", now),
        ("level", record.level().as_str().to_lowercase()),
        ("target", record.target().to_owned()),
        ("message", record.args().to_string()),
    ] {
        line.insert(name.to_owned(), value.into());
    }
    serde_json::Value::Object(line).to_string()
}

struct Pairs<F>(F);

impl<'kvs, F: FnMut(&str, &Value<'kvs>)> VisitSource<'kvs> for Pairs<F> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        (self.0)(key.as_str(), &value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_carries_what_it_knows() {
        let pairs = [("request_id", Value::from("AB12")), ("status", Value::from(503))];
        let record = |message: std::fmt::Arguments<'_>, say: &dyn Fn(&Record<'_>)| {
            say(&Record::builder().args(message).level(Level::Warn).target("xiaopu::door").key_values(&pairs).build());
        };
        record(format_args!("WeChat \"asleep\"\nagain"), &|record| {
            let line = as_json(record, "2026-10-08T00:00:00+08:00".into());
            assert!(!line.contains('\n'), "a line is a line");
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            let expected = json!({
                "time": "2026-10-08T00:00:00+08:00", "level": "warn", "target": "xiaopu::door",
                "message": "WeChat \"asleep\"\nagain", "request_id": "AB12", "status": 503,
            });
            assert_eq!(read, expected);
            assert!(as_text(record, "T".into()).ends_with("again request_id=AB12 status=503"));
        });
    }
}
