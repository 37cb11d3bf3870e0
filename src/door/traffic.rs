//! How many requests came through each door, how they ended and how long they took: for the monitor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const DOORS: [&str; 4] = ["api", "wechat", "admin", "other"];
const CLASSES: usize = 5;
/// Upper ends in milliseconds: from a kept answer to the five seconds after which WeChat has hung up.
const BOUNDS: [u64; 8] = [2, 5, 10, 25, 100, 250, 1_000, 5_000];

/// Counted since the start, without a lock.
#[derive(Default)]
pub struct Traffic([Door; DOORS.len()]);

#[derive(Default)]
struct Door {
    statuses: [AtomicU64; CLASSES],
    /// Those of each bound alone; the last ones took longer than any.
    took: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

fn door(path: &str) -> usize {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    DOORS.iter().position(|door| *door == first).unwrap_or(DOORS.len() - 1)
}

impl Traffic {
    pub fn count(&self, path: &str, status: u16, took: Duration) {
        let door = &self.0[door(path)];
        let class = usize::from(status / 100).clamp(1, CLASSES) - 1;
        let ms = took.as_millis() as u64;
        let bound = BOUNDS.iter().position(|most| ms < *most).unwrap_or(BOUNDS.len());
        for counter in [&door.statuses[class], &door.took[bound]] {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        door.micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// In Prometheus' text form.
    pub fn text(&self) -> String {
        let mut text = String::from("# HELP xiaopu_requests_total Requests by door and class of answer.\n");
        text.push_str("# TYPE xiaopu_requests_total counter\n");
        for (name, door) in DOORS.iter().zip(&self.0) {
            for (class, n) in (1..).zip(&door.statuses) {
                let n = n.load(Ordering::Relaxed);
                text.push_str(&format!("xiaopu_requests_total{{door=\"{name}\",status=\"{class}xx\"}} {n}\n"));
            }
        }
        text.push_str("# HELP xiaopu_request_seconds Time until the answer was ready, by door.\n");
        text.push_str("# TYPE xiaopu_request_seconds histogram\n");
        for (name, door) in DOORS.iter().zip(&self.0) {
            let mut below = 0;
            let ends = BOUNDS.iter().map(|ms| seconds(ms * 1_000)).chain(["+Inf".to_owned()]);
            for (end, n) in ends.zip(&door.took) {
                below += n.load(Ordering::Relaxed);
                text.push_str(&format!("xiaopu_request_seconds_bucket{{door=\"{name}\",le=\"{end}\"}} {below}\n"));
            }
            let sum = seconds(door.micros.load(Ordering::Relaxed));
            text.push_str(&format!("xiaopu_request_seconds_sum{{door=\"{name}\"}} {sum}\n"));
            text.push_str(&format!("xiaopu_request_seconds_count{{door=\"{name}\"}} {below}\n"));
        }
        text
    }
}

/// Microseconds as seconds: `0.005000`.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_counted_at_its_door_and_in_every_bucket_above_it() {
        let traffic = Traffic::default();
        traffic.count("/api/v1/products", 200, Duration::from_micros(1_500));
        traffic.count("/api/v1/prepay", 503, Duration::from_millis(5));
        traffic.count("/apiary", 404, Duration::from_secs(9));
        let text = traffic.text();
        for line in [
            "xiaopu_requests_total{door=\"api\",status=\"2xx\"} 1",
            "xiaopu_requests_total{door=\"api\",status=\"5xx\"} 1",
            "xiaopu_requests_total{door=\"other\",status=\"4xx\"} 1",
            "xiaopu_requests_total{door=\"wechat\",status=\"2xx\"} 0",
            "xiaopu_request_seconds_bucket{door=\"api\",le=\"0.002000\"} 1",
            "xiaopu_request_seconds_bucket{door=\"api\",le=\"0.005000\"} 1",
            "xiaopu_request_seconds_bucket{door=\"api\",le=\"0.010000\"} 2",
            "xiaopu_request_seconds_bucket{door=\"other\",le=\"5.000000\"} 0",
            "xiaopu_request_seconds_bucket{door=\"other\",le=\"+Inf\"} 1",
            "xiaopu_request_seconds_sum{door=\"api\"} 0.006500",
            "xiaopu_request_seconds_count{door=\"api\"} 2",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
