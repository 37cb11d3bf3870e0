//! Changes of key and digest: what was in force before still verifies for two days, because messages are on their way.

use rusqlite::{Connection, Result};

use super::{Settings, store};
use crate::clock::DAY;
use crate::db::Tx;
use crate::nonce::Nonces;
use crate::secrets::SecretKey;
use crate::wechat::v2::Before;
use crate::wechat::v3::keys::PublicKey;
use crate::wechat::v3::{self, Until};

/// WeChat repeats a notice for a day, and an order made before a change is paid within hours.
pub const OVERLAP: i64 = 2 * DAY;

pub const API_KEY: &str = "wechat.api_key";
const SIGN_TYPE: &str = "wechat.sign_type";
const V3_KEY: &str = "wechat.v3_key";
/// The id and, on the lines after it, the key.
const PUBLIC_KEY: &str = "wechat.public_key";

/// A watched value: what it was when we last looked, and what it was before, the newest first, each until this moment. One
/// that stood there for a minute by mistake takes nothing from those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    now: String,
    before: Vec<(String, i64)>,
}

impl Watched {
    fn young(&self, now: i64) -> impl Iterator<Item = (&str, i64)> {
        self.before.iter().filter(move |(_, at)| now - at < OVERLAP).map(|(value, at)| (value.as_str(), *at))
    }
}

/// What went out of use a short while ago.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    api_key: Watched,
    sign_type: Watched,
    v3_key: Watched,
    public_key: Watched,
}

/// A row to be written: sealed already, so that the transaction needs no key.
pub struct Noted {
    name: &'static str,
    now: Vec<u8>,
    before: Option<Vec<u8>>,
}

impl Changes {
    /// A value that does not open (another key file) counts as never seen.
    pub fn load(conn: &Connection, key: &SecretKey) -> Result<Changes> {
        let read = |name: &str| -> Result<Watched> {
            let Some(now) = store::watched_key(conn, name)? else { return Ok(Watched::default()) };
            let former = store::former_keys(conn, name)?.into_iter();
            let before = former.filter_map(|(sealed, at)| Some((key.open(name, &sealed)?, at))).collect();
            Ok(Watched { now: key.open(name, &now).unwrap_or_default(), before })
        };
        Ok(Changes {
            api_key: read(API_KEY)?,
            sign_type: read(SIGN_TYPE)?,
            v3_key: read(V3_KEY)?,
            public_key: read(PUBLIC_KEY)?,
        })
    }

    /// What must be written down, now that these settings are in force.
    pub fn to_note(&self, settings: &Settings, key: &SecretKey, nonces: &Nonces) -> Vec<Noted> {
        let api_key = settings.get(API_KEY).map(str::to_owned);
        let sign_type = api_key.as_ref().map(|_| settings.sign_type().name().to_owned());
        let public = settings.get("wechat.public_key_id").zip(settings.get(PUBLIC_KEY));
        let in_force = [
            (API_KEY, &self.api_key, api_key),
            (SIGN_TYPE, &self.sign_type, sign_type),
            (V3_KEY, &self.v3_key, settings.get(V3_KEY).map(str::to_owned)),
            (PUBLIC_KEY, &self.public_key, public.map(|(id, pem)| format!("{id}\n{pem}"))),
        ];
        let seal = |name: &str, value: &str| key.seal(name, value, nonces);
        in_force
            .into_iter()
            .filter_map(|(name, watched, value)| Some((name, watched, value?)))
            .filter(|(_, watched, value)| watched.now != *value)
            .map(|(name, watched, value)| {
                let known = !watched.now.is_empty();
                Noted { name, now: seal(name, &value), before: known.then(|| seal(name, &watched.now)) }
            })
            .collect()
    }

    /// What still verifies at this moment.
    pub fn before(&self, now: i64) -> Before {
        Before {
            keys: self.api_key.young(now).filter_map(|(key, _)| key.parse().ok()).collect(),
            sign_types: self.sign_type.young(now).filter_map(|(name, at)| Some((name.parse().ok()?, at))).collect(),
        }
    }

    /// The keys of API v3 with those behind them that went out of use a short while ago.
    pub fn with_v3_before(&self, mut keys: v3::Keys) -> v3::Keys {
        for (key, at) in &self.v3_key.before {
            keys.v3.extend(key.parse().ok().map(|key| Until { key, until: at + OVERLAP }));
        }
        for (text, at) in &self.public_key.before {
            if let Some((id, pem)) = text.split_once('\n')
                && let Ok(key) = PublicKey::read(pem)
            {
                keys.public.push(Until { key: (id.to_owned(), key), until: at + OVERLAP });
            }
        }
        keys
    }

    /// Until when the old key of v2 verifies, for the page.
    pub fn old_key_until(&self, now: i64) -> Option<i64> {
        self.api_key.young(now).map(|(_, at)| at + OVERLAP).max()
    }

    /// Until when the old keys of API v3 verify and open.
    pub fn old_v3_key_until(&self, now: i64) -> Option<i64> {
        self.v3_key.young(now).chain(self.public_key.young(now)).map(|(_, at)| at + OVERLAP).max()
    }
}

impl Noted {
    pub fn write(&self, tx: &Tx) -> Result<()> {
        store::put_key_change(tx, self.name, &self.now, self.before.as_deref())
    }
}

/// A key that verifies nothing any more is not kept.
pub fn forget(tx: &Tx) -> Result<()> {
    store::forget_keys_before(tx, tx.now() - OVERLAP)
}
