//! Logins kept in memory: whoever browses his orders asks again and again with the same token.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Buyer;

/// A shop's liveliest minute; beyond that it starts over.
const MOST: usize = 4_096;
/// Then it is read again, for whatever another program did.
const FRESH: Duration = Duration::from_secs(60);

/// Whose a token is, by its hash.
#[derive(Default)]
pub struct Logins(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// After so many commits that ended logins.
    outdated: u64,
    known: HashMap<Vec<u8>, Known>,
}

struct Known {
    buyer: Buyer,
    expires_at: i64,
    read: Instant,
}

impl Logins {
    /// Buyer and end of this login, as long as nobody has ended any since it was read.
    pub fn look(&self, outdated: u64, hash: &[u8], now: i64) -> Option<(Buyer, i64)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.known.get(hash).filter(|_| kept.outdated == outdated)?;
        let good = known.read.elapsed() < FRESH && known.expires_at > now;
        good.then(|| (known.buyer.clone(), known.expires_at))
    }

    /// `outdated` was looked at before the login was read.
    pub fn keep(&self, outdated: u64, hash: Vec<u8>, buyer: &Buyer, expires_at: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was read of an older moment may have ended meanwhile.
        if outdated < kept.outdated {
            return;
        }
        if outdated > kept.outdated || kept.known.len() >= MOST {
            kept.known.clear();
            kept.outdated = outdated;
        }
        kept.known.insert(hash, Known { buyer: buyer.clone(), expires_at, read: Instant::now() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BuyerId;

    #[test]
    fn a_login_is_known_until_it_ends_or_any_is_ended() {
        let logins = Logins::default();
        let alice = Buyer { id: BuyerId(1), app_id: "wx".into(), openid: "o".into() };
        logins.keep(3, b"token".to_vec(), &alice, 1_000);
        let known = |outdated, hash: &[u8], now| logins.look(outdated, hash, now).map(|(buyer, _)| buyer.id);
        for (what, outdated, hash, now, found) in [
            ("it is", 3, "token", 999, true),
            ("another", 3, "other", 999, false),
            ("at its end", 3, "token", 1_000, false),
            ("after somebody was logged out", 4, "token", 999, false),
        ] {
            assert_eq!(known(outdated, hash.as_bytes(), now).is_some(), found, "{what}");
        }
        // What a slower reader still saw is not kept over it.
        logins.keep(4, b"other".to_vec(), &alice, 1_000);
        logins.keep(3, b"token".to_vec(), &alice, 1_000);
        assert!(known(4, b"token", 0).is_none() && known(4, b"other", 0).is_some());
    }
}
