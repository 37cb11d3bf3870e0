//! WeChat Pay API v3: JSON over HTTP, signed by RSA both ways; public-key mode only.

mod bill;
mod exchange;
pub mod keys;
pub mod notice;
mod pay;
mod refund;
pub mod sign;

use std::sync::Arc;

pub use pay::JsapiOrder;
pub(super) use pay::payment_params;

use crate::clock;
use crate::nonce::Nonces;
use keys::{PrivateKey, PublicKey, V3Key};

/// Who we are at WeChat Pay's API v3.
#[derive(Clone)]
pub struct Merchant {
    keys: Arc<Keys>,
    pub app_id: String,
    pub mch_id: String,
    /// The moment at which it speaks (epoch milliseconds): what it hears is judged against it.
    pub at: i64,
}

/// What was entered in the settings, read once.
pub struct Keys {
    pub private: PrivateKey,
    /// Of the merchant's certificate, upper-case hexadecimal.
    pub serial: String,
    /// What opens notices: the one in force, then the one before.
    pub v3: Vec<Until<V3Key>>,
    /// WeChat Pay's public keys with their ids: the one in force first.
    pub public: Vec<Until<(String, PublicKey)>>,
}

/// A key, and until when it is believed (epoch milliseconds): messages on their way still carry the one before.
pub struct Until<T> {
    pub key: T,
    pub until: i64,
}

impl<T> Until<T> {
    pub fn always(key: T) -> Until<T> {
        Until { key, until: i64::MAX }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys of {}", self.serial)
    }
}

impl Keys {
    /// Reads what was entered, and whether it belongs together. `serial` may be the merchant's certificate.
    pub fn read(v3_key: &str, private: &str, serial: &str, public: (&str, &str)) -> Result<Keys, &'static str> {
        let private = PrivateKey::read(private)?;
        let serial = match serial.contains("-----BEGIN") {
            true => {
                let (serial, vouched) = keys::certificate(serial)?;
                if vouched.pkcs1() != private.public() {
                    return Err("商户私钥和商户证书不是一对：请用同一次申请的 apiclient_key.pem 和 apiclient_cert.pem");
                }
                serial
            }
            false => serial.to_ascii_uppercase(),
        };
        let public_key = PublicKey::read(public.1)?;
        if public_key.pkcs1() == private.public() {
            return Err("填的是自己的公钥：这里要商户平台上下载的微信支付公钥 pub_key.pem");
        }
        let public = vec![Until::always((public.0.to_owned(), public_key))];
        Ok(Keys { private, serial, v3: vec![Until::always(v3_key.parse()?)], public })
    }
}

impl Merchant {
    pub fn new(app_id: &str, mch_id: &str, keys: Arc<Keys>, at: i64) -> Merchant {
        Merchant { keys, app_id: app_id.to_owned(), mch_id: mch_id.to_owned(), at }
    }

    pub(super) fn private(&self) -> &PrivateKey {
        &self.keys.private
    }

    /// What opens a notice at this moment.
    pub(super) fn v3_keys(&self) -> impl Iterator<Item = &V3Key> {
        self.keys.v3.iter().filter(|one| self.at < one.until).map(|one| &one.key)
    }

    /// The key of WeChat Pay's with this id, if it is believed at this moment.
    pub(super) fn public(&self, id: &str) -> Option<&PublicKey> {
        let mut believed = self.keys.public.iter().filter(|one| self.at < one.until).map(|one| &one.key);
        believed.find(|(known, _)| known == id).map(|(_, key)| key)
    }

    /// The id of WeChat Pay's public key that replies shall be signed with.
    pub(super) fn public_id(&self) -> &str {
        self.keys.public.first().map_or("", |one| &one.key.0)
    }

    /// A value of `Authorization`, made off the threads that serve requests: it costs about a millisecond.
    pub(super) async fn authorization(&self, method: &'static str, path: &str, body: &[u8], nonces: &Nonces) -> String {
        let (merchant, path, body, nonce) = (self.clone(), path.to_owned(), body.to_vec(), nonces.nonce_str());
        off_thread(move || {
            let signer = sign::Signer {
                mch_id: &merchant.mch_id,
                serial: &merchant.keys.serial,
                key: &merchant.keys.private,
                at: merchant.at,
                nonce: &nonce,
            };
            signer.authorization(method, &path, &body)
        })
        .await
    }
}

impl PartialEq for Merchant {
    fn eq(&self, other: &Merchant) -> bool {
        self.app_id == other.app_id && self.mch_id == other.mch_id && self.keys.serial == other.keys.serial
    }
}

impl std::fmt::Debug for Merchant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v3 {} {} {}", self.app_id, self.mch_id, self.keys.serial)
    }
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}

/// A time as API v3 writes it.
fn moment(text: &str) -> Option<i64> {
    (text.len() <= 35).then(|| clock::from_rfc3339(text)).flatten()
}
