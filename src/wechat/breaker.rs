//! A circuit breaker for each of WeChat's interfaces: one that timed out three times in a row is left alone for a while,
//! and then tried with one call.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time-outs in a row, after which nobody waits for the next.
const ENOUGH: u32 = 3;
/// From one try to the next.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct Breaker(Mutex<HashMap<&'static str, Streak>>);

#[derive(Clone, Copy)]
struct Streak {
    timeouts: u32,
    next_try: Instant,
}

impl Breaker {
    /// How a call ended. Any answer at all, even an error page, ends the streak: only waiting holds others up.
    pub fn heard(&self, interface: &'static str, timed_out: bool, now: Instant) {
        let mut streaks = self.lock();
        if timed_out {
            let streak = streaks.entry(interface).or_insert(Streak { timeouts: 0, next_try: now });
            streak.timeouts = streak.timeouts.saturating_add(1);
            streak.next_try = now + PAUSE;
        } else {
            streaks.remove(interface);
        }
    }

    /// Whether a call may be made; where the interface is paused, the one who hears yes is the probe.
    pub fn may_ask(&self, interface: &str, now: Instant) -> bool {
        match self.lock().get_mut(interface) {
            Some(streak) if streak.timeouts >= ENOUGH => {
                let due = now >= streak.next_try;
                if due {
                    streak.next_try = now + PAUSE;
                }
                due
            }
            _ => true,
        }
    }

    /// The interfaces that are left alone now, by WeChat's names.
    pub fn paused(&self) -> Vec<&'static str> {
        let streaks = self.lock();
        let mut paused: Vec<_> = streaks.iter().filter(|(_, s)| s.timeouts >= ENOUGH).map(|(name, _)| *name).collect();
        paused.sort_unstable();
        paused
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Streak>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_timed_out_thrice_is_tried_once_in_a_while_until_it_answers() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..3 {
            assert!(breaker.may_ask("orderquery", at(second)));
            breaker.heard("orderquery", true, at(second));
        }
        assert_eq!(breaker.paused(), ["orderquery"]);
        assert!(!breaker.may_ask("orderquery", at(11)) && breaker.may_ask("refund", at(11)));
        assert!(breaker.may_ask("orderquery", at(12)), "the probe");
        assert!(!breaker.may_ask("orderquery", at(13)), "one at a time");
        breaker.heard("orderquery", true, at(17));
        assert!(!breaker.may_ask("orderquery", at(26)) && breaker.may_ask("orderquery", at(27)));
        breaker.heard("orderquery", false, at(28));
        assert!(breaker.paused().is_empty() && breaker.may_ask("orderquery", at(28)));
        // Two in a row are no streak.
        for timed_out in [true, true, false, true, true] {
            breaker.heard("orderquery", timed_out, at(29));
        }
        assert!(breaker.may_ask("orderquery", at(29)));
    }
}
