//! How often one visitor may knock.

use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::error::{Code, Error, Result};

/// Visitors remembered before the quiet ones are forgotten.
const MANY: usize = 50_000;

/// Generous for people, tight for loops. Counted per address or per buyer, in memory.
pub struct Limits {
    logins: DefaultKeyedRateLimiter<String>,
    orders: DefaultKeyedRateLimiter<i64>,
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
        }
    }
}

impl Limits {
    pub fn login(&self, ip: &str) -> Result<()> {
        check(&self.logins, &ip.to_owned())
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
