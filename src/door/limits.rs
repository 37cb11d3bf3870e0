//! How often one visitor may knock.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::network;
use crate::error::{Code, Error, Result};

/// Visitors remembered before the quiet ones are forgotten.
const MANY: usize = 50_000;

/// Generous for people, tight for loops. Counted per network or per buyer, in memory.
pub struct Limits {
    logins: DefaultKeyedRateLimiter<String>,
    orders: DefaultKeyedRateLimiter<i64>,
    refusals: DefaultKeyedRateLimiter<String>,
    programs: DefaultKeyedRateLimiter<i64>,
    photos: DefaultKeyedRateLimiter<i64>,
    forgotten: AtomicU64,
}

impl Default for Limits {
    fn default() -> Limits {
        let quota = |per_second, burst| Quota::per_second(per_second).allow_burst(burst);
        const fn n(count: u32) -> NonZeroU32 {
            NonZeroU32::new(count).expect("a limit is positive")
        }
        Limits {
            // A whole office or school shares one address.
            logins: RateLimiter::keyed(quota(n(100), n(1_000))),
            orders: RateLimiter::keyed(quota(n(20), n(300))),
            refusals: RateLimiter::keyed(quota(n(1), n(100))),
            programs: RateLimiter::keyed(quota(n(10), n(300))),
            // Each is unpacked in the one place where pictures are, which staff wait for too.
            photos: RateLimiter::keyed(quota(n(1), n(30))),
            forgotten: AtomicU64::new(0),
        }
    }
}

impl Limits {
    pub fn login(&self, ip: &str) -> Result<()> {
        check(&self.logins, &network(ip))
    }

    /// Whether one more message from this address that is not WeChat's may be written down. Anybody can send them, and
    /// each would cost a commit and stay in the log; what WeChat has signed is never asked about here.
    pub fn refusal(&self, ip: &str) -> bool {
        let fine = check(&self.refusals, &network(ip)).is_ok();
        if !fine {
            self.forgotten.fetch_add(1, Ordering::Relaxed);
        }
        fine
    }

    /// How many were refused without being written down, since the start.
    pub fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// Whatever another program asks by one key.
    pub fn program(&self, key: i64) -> Result<()> {
        check(&self.programs, &key)
    }

    /// A photograph of a buyer's.
    pub fn photo(&self, buyer_id: i64) -> Result<()> {
        check(&self.photos, &buyer_id)
    }

    /// Everything of a buyer's that makes us call WeChat or hold stock.
    pub fn order(&self, buyer_id: i64) -> Result<()> {
        check(&self.orders, &buyer_id)
    }
}

fn check<K: std::hash::Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<()> {
    // Now and then those who have been quiet are forgotten, so that counting stays cheap.
    if limiter.len() > MANY {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        Error::from(Code::RateLimited).retry_after(wait.as_secs() + 1)
    })
}
