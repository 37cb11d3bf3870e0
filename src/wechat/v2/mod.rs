//! WeChat Pay API v2: flat XML, signed by MD5 or HMAC-SHA256 with a key that both sides know.

mod bill;
mod coupons;
mod exchange;
mod funds;
pub mod message;
pub mod notice;
mod pay;
mod refund;
pub mod sign;

pub use pay::UnifiedOrder;
pub(super) use pay::payment_params;
pub(super) use refund::{Page, RefundOf};

use message::Message;
use sign::{ApiKey, Authentic, BadSign, SignType};

/// Who we are at WeChat Pay's API v2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    pub app_id: String,
    pub mch_id: String,
    pub key: ApiKey,
    pub sign_type: SignType,
    pub before: Before,
}

/// What was in force until a short while ago: messages on their way still carry its signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The newest first.
    pub keys: Vec<ApiKey>,
    /// Other digests, and when each went out of use: good only for orders that were made before.
    pub sign_types: Vec<(SignType, i64)>,
}

/// A message with a right signature, and which one it was.
#[derive(Debug)]
pub struct Verified {
    pub authentic: Authentic,
    pub by_old_key: bool,
    /// Signed as nothing is signed any more since this moment (epoch milliseconds).
    pub as_before: Option<i64>,
}

impl Merchant {
    pub fn new(app_id: &str, mch_id: &str, key: ApiKey, sign_type: SignType) -> Merchant {
        Merchant { app_id: app_id.to_owned(), mch_id: mch_id.to_owned(), key, sign_type, before: Before::default() }
    }

    /// Believes what is signed with today's key and digest, or with one that went out of use a short while ago.
    /// The error is today's.
    pub fn verify(&self, message: Message) -> Result<Verified, BadSign> {
        let (today, mut message) = match sign::verify(message, self.sign_type, &self.key) {
            Ok(authentic) => return Ok(Verified { authentic, by_old_key: false, as_before: None }),
            Err(e) => e,
        };
        let keys = std::iter::once((&self.key, false)).chain(self.before.keys.iter().map(|key| (key, true)));
        for (key, by_old_key) in keys {
            let digests = std::iter::once((self.sign_type, None))
                .chain(self.before.sign_types.iter().map(|(sign_type, changed_at)| (*sign_type, Some(*changed_at))));
            for (sign_type, as_before) in digests.filter(|(_, as_before)| by_old_key || as_before.is_some()) {
                message = match sign::verify(message, sign_type, key) {
                    Ok(authentic) => return Ok(Verified { authentic, by_old_key, as_before }),
                    Err((_, message)) => message,
                };
            }
        }
        Err(today)
    }
}
