//! The only source of randomness: nonces, tokens, order numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use sha2::{Digest, Sha256};

/// Crockford's base 32: no I, L, O, U, so that a number read aloud is heard right.
const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a private key blinds its arithmetic with while it signs; the signature does not depend on it.
pub fn blinding() -> SystemRandom {
    SystemRandom::new()
}

/// Makes unguessable bytes. Tests hold one that counts, so that every number is known in advance.
#[derive(Clone, Default)]
pub enum Nonces {
    #[default]
    Random,
    Counting(Arc<AtomicU64>),
}

impl Nonces {
    pub fn counting() -> Nonces {
        Nonces::Counting(Arc::new(AtomicU64::new(1)))
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Nonces::Random => rand::fill(&mut bytes),
            Nonces::Counting(next) => {
                let seed = Sha256::digest(next.fetch_add(1, Ordering::SeqCst).to_be_bytes());
                bytes.iter_mut().zip(seed.iter().cycle()).for_each(|(b, s)| *b = *s);
            }
        }
        bytes
    }

    /// 32 hexadecimal digits: WeChat's `nonce_str`.
    pub fn nonce_str(&self) -> String {
        hex::encode(self.bytes::<16>())
    }

    /// 256 bits for a bearer token, a session or a one-time link.
    pub fn token(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// Ten base-32 digits: 50 bits.
    pub fn base32(&self) -> String {
        self.bytes::<10>().iter().map(|b| BASE32[usize::from(b & 31)] as char).collect()
    }

    /// A number below `limit`, to spread retries apart.
    pub fn below(&self, limit: i64) -> i64 {
        (u64::from_be_bytes(self.bytes()) % limit.max(1) as u64) as i64
    }
}
