//! Changes of key and digest: what was in force before still verifies for two days, because messages are on their way.

use rusqlite::{Connection, Result};

use super::{Settings, store};
use crate::clock::DAY;
use crate::db::Tx;
use crate::nonce::Nonces;
use crate::secrets::SecretKey;
use crate::wechat::Before;

/// WeChat repeats a notice for a day, and an order made before a change is paid within hours.
pub const OVERLAP: i64 = 2 * DAY;

const API_KEY: &str = "wechat.api_key";
const SIGN_TYPE: &str = "wechat.sign_type";

/// A watched value: what it was when we last looked, what it was before, and when it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    now: String,
    before: Option<(String, i64)>,
}

/// What went out of use a short while ago.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    api_key: Watched,
    sign_type: Watched,
}

/// A row to be written: sealed already, so that the transaction needs no key.
pub struct Noted {
    name: &'static str,
    now: Vec<u8>,
    before: Option<Vec<u8>>,
    changed_at: Option<i64>,
}

impl Changes {
    /// A value that does not open (another key file) counts as never seen.
    pub fn load(conn: &Connection, key: &SecretKey) -> Result<Changes> {
        let read = |name: &str| -> Result<Watched> {
            let Some((now, before, changed_at)) = store::key_change(conn, name)? else { return Ok(Watched::default()) };
            let before = before.and_then(|sealed| key.open(name, &sealed)).zip(changed_at);
            Ok(Watched { now: key.open(name, &now).unwrap_or_default(), before })
        };
        Ok(Changes { api_key: read(API_KEY)?, sign_type: read(SIGN_TYPE)? })
    }

    /// What must be written down, now that these settings are in force.
    pub fn to_note(&self, settings: &Settings, key: &SecretKey, nonces: &Nonces, now: i64) -> Vec<Noted> {
        let sign_type = settings.sign_type().name().to_owned();
        let in_force = settings
            .get(API_KEY)
            .map(|api_key| [(API_KEY, &self.api_key, api_key.to_owned()), (SIGN_TYPE, &self.sign_type, sign_type)]);
        let seal = |name: &str, value: &str| key.seal(name, value, nonces);
        in_force
            .into_iter()
            .flatten()
            .filter(|(_, watched, value)| watched.now != *value)
            .map(|(name, watched, value)| {
                let known = !watched.now.is_empty();
                Noted {
                    name,
                    now: seal(name, &value),
                    before: known.then(|| seal(name, &watched.now)),
                    changed_at: known.then_some(now),
                }
            })
            .collect()
    }

    /// What still verifies at this moment.
    pub fn before(&self, now: i64) -> Before {
        let young = |watched: &Watched| watched.before.clone().filter(|(_, at)| now - at < OVERLAP);
        Before {
            key: young(&self.api_key).and_then(|(key, _)| key.parse().ok()),
            sign_type: young(&self.sign_type).and_then(|(name, at)| Some((name.parse().ok()?, at))),
        }
    }

    /// Until when the old key verifies, for the page.
    pub fn old_key_until(&self, now: i64) -> Option<i64> {
        self.api_key.before.as_ref().map(|(_, at)| at + OVERLAP).filter(|until| *until > now)
    }
}

impl Noted {
    pub fn write(&self, tx: &Tx) -> Result<()> {
        store::put_key_change(tx, self.name, &self.now, self.before.as_deref(), self.changed_at)
    }
}

/// A key that verifies nothing any more is not kept.
pub fn forget(tx: &Tx, now: i64) -> Result<()> {
    store::forget_keys_before(tx, now - OVERLAP)
}
