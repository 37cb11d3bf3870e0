//! The simulated WeChat's API v3: the same trades and refunds as its v2, asked for in JSON and signed by RSA.

pub mod api;
mod door;
mod facts;
pub mod folder;
pub mod notices;
mod rsa;

use serde::{Deserialize, Serialize};

use super::Simulator;
use crate::clock::MINUTE;
use crate::wechat::v3::keys::{PrivateKey, PublicKey, V3Key};
use crate::wechat::v3::sign;

pub use rsa::Pair;

/// How far a request's clock may be off. Source: making signatures, API v3.
const APART: i64 = 5 * MINUTE;

/// Everything that both sides of API v3 know or keep: what a merchant would find in WeChat's console, and WeChat's own key.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keys {
    /// The merchant's, which a shop is given.
    pub merchant: Pair,
    pub serial: String,
    pub v3_key: String,
    /// WeChat Pay's own; a shop is given the public half.
    pub platform: Pair,
    pub public_id: String,
}

impl Keys {
    /// Fresh ones; takes a second or so.
    pub fn make(nonces: &crate::nonce::Nonces) -> Keys {
        Keys {
            merchant: Pair::make(nonces),
            serial: hex::encode_upper(nonces.bytes::<20>()),
            v3_key: nonces.nonce_str(),
            platform: Pair::make(nonces),
            public_id: format!("PUB_KEY_ID_01{}", nonces.below(1_000_000_000_000_000) + 1_000_000_000_000_000),
        }
    }

    fn read(&self) -> Result<Opened, &'static str> {
        Ok(Opened {
            merchant: PublicKey::from_pkcs1(PrivateKey::read(&self.merchant.private)?.public()),
            serial: self.serial.clone(),
            v3_key: self.v3_key.parse()?,
            platform: PrivateKey::read(&self.platform.private)?,
            public_id: self.public_id.clone(),
        })
    }
}

/// The same, ready for use.
pub struct Opened {
    merchant: PublicKey,
    serial: String,
    v3_key: V3Key,
    platform: PrivateKey,
    public_id: String,
}

impl Simulator {
    /// Speaks API v3 as well, with these keys.
    pub fn with_v3(&self, keys: &Keys) -> Result<(), &'static str> {
        let opened = std::sync::Arc::new(keys.read()?);
        *self.v3.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(opened);
        Ok(())
    }

    /// Whether the merchant's key of API v3 signed these lines.
    pub(super) fn signed_by_merchant(&self, lines: [&String; 4], signature: &str) -> bool {
        let parts = lines.map(|line| line.as_bytes());
        self.v3().is_some_and(|keys| sign::fits(&keys.merchant, &parts, signature))
    }

    fn v3(&self) -> Option<std::sync::Arc<Opened>> {
        self.v3.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
