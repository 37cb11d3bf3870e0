//! WeChat Pay API v3: JSON over HTTP, signed by RSA both ways; public-key mode only.

mod bill;
mod coupons;
mod exchange;
pub mod keys;
pub mod notice;
pub mod pasted;
mod pay;
mod refund;
pub mod sign;

use std::sync::Arc;
use std::time::Instant;

pub use exchange::refusal;
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
    /// The moment at which it was asked for (epoch milliseconds), and how long ago that is: a job may keep it for minutes.
    at: i64,
    since: Instant,
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
#[derive(Clone)]
pub struct Until<T> {
    pub key: T,
    pub until: i64,
}

impl<T> Until<T> {
    pub fn always(key: T) -> Until<T> {
        Until { key, until: i64::MAX }
    }

    /// When it ends, of one that is no more in force.
    pub(super) fn ends(&self) -> Option<i64> {
        (self.until < i64::MAX).then_some(self.until)
    }
}

/// What was entered for API v3, part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    V3Key,
    Private,
    Serial,
    Public,
}

/// Why what was entered cannot be used: which parts are to be looked at, and what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    pub parts: &'static [Part],
    pub words: &'static str,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys of {}", self.serial)
    }
}

impl Keys {
    /// Reads what was entered, and whether it belongs together. `serial` may be the merchant's certificate.
    pub fn read(v3_key: &str, private: &str, serial: &str, public: (&str, &str)) -> Result<Keys, Unfit> {
        let unfit = |parts| move |words| Unfit { parts, words };
        let private = PrivateKey::read(private).map_err(unfit(&[Part::Private]))?;
        let serial = match serial.contains("-----BEGIN") {
            true => {
                let (serial, vouched) = keys::certificate(serial).map_err(unfit(&[Part::Serial]))?;
                if vouched.pkcs1() != private.public() {
                    let words = "商户私钥和商户证书不是一对：请用同一次申请的 apiclient_key.pem 和 apiclient_cert.pem";
                    return Err(Unfit { parts: &[Part::Private, Part::Serial], words });
                }
                serial
            }
            false => pasted::serial(serial),
        };
        let public_key = PublicKey::read(public.1).map_err(unfit(&[Part::Public]))?;
        if public_key.pkcs1() == private.public() {
            let words = "填的是自己的公钥：这里要商户平台上下载的微信支付公钥 pub_key.pem";
            return Err(Unfit { parts: &[Part::Public], words });
        }
        let v3_key = v3_key.parse().map_err(unfit(&[Part::V3Key]))?;
        let public = vec![Until::always((public.0.to_owned(), public_key))];
        Ok(Keys { private, serial, v3: vec![Until::always(v3_key)], public })
    }
}

impl Merchant {
    pub fn new(app_id: &str, mch_id: &str, keys: Arc<Keys>, at: i64) -> Merchant {
        Merchant { keys, app_id: app_id.to_owned(), mch_id: mch_id.to_owned(), at, since: Instant::now() }
    }

    /// This moment (epoch milliseconds): what is signed carries it, what is heard is judged against it.
    pub(super) fn now(&self) -> i64 {
        self.at + self.since.elapsed().as_millis() as i64
    }

    pub(super) fn in_force(&self) -> Merchant {
        let Keys { private, serial, v3, public } = &*self.keys;
        let keys = Keys {
            private: private.clone(),
            serial: serial.clone(),
            v3: v3.iter().filter(|one| one.ends().is_none()).cloned().collect(),
            public: public.iter().filter(|one| one.ends().is_none()).cloned().collect(),
        };
        Merchant { keys: Arc::new(keys), ..self.clone() }
    }

    pub(super) fn private(&self) -> &PrivateKey {
        &self.keys.private
    }

    /// What opens a notice at this moment.
    pub(super) fn v3_keys(&self) -> impl Iterator<Item = &Until<V3Key>> {
        self.keys.v3.iter().filter(|one| self.at < one.until)
    }

    /// WeChat Pay's keys with this id that are believed at this moment: two, where another one was entered under it.
    pub(super) fn publics(&self, id: &str) -> impl Iterator<Item = &Until<(String, PublicKey)>> {
        self.keys.public.iter().filter(move |one| self.at < one.until && one.key.0 == id)
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
                at: merchant.now(),
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

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde_json::Value;

    use super::notice::{Notice, Verdict};
    use super::sign::BadSeal;
    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/wechat-v3.json")).unwrap()
    }

    fn text<'v>(value: &'v Value, name: &str) -> &'v str {
        value[name].as_str().unwrap()
    }

    fn keys(all: &Value) -> Keys {
        let public = (text(all, "public_key_id"), text(all, "wechat_public_key"));
        Keys::read(
            text(all, "api_v3_key"),
            text(all, "merchant_private_key_pkcs8"),
            text(all, "merchant_serial"),
            public,
        )
        .unwrap()
    }

    /// Of the vectors' notices; their replies and notices were signed at the same second.
    fn merchant(all: &Value) -> Merchant {
        Merchant::new("wxd930ea5d5a258f4f", "1900000109", Arc::new(keys(all)), 1_722_850_421_000)
    }

    #[test]
    fn our_signatures_equal_the_vectors() {
        let all = vectors();
        let private = PrivateKey::read(text(&all, "merchant_private_key_pkcs8")).unwrap();
        let requests = all["requests"].as_object().unwrap();
        for (name, vector) in requests.iter().chain([(&"paySign".to_owned(), &all["paySign"])]) {
            let signed = BASE64_STANDARD.encode(private.sign(text(vector, "text").as_bytes()));
            assert_eq!(signed, text(vector, "signature"), "{name}");
        }
        assert_eq!(requests.len(), 7);
    }

    #[test]
    fn an_authorization_signs_the_path_as_it_is_sent_and_the_body_to_the_byte() {
        let all = vectors();
        let private = PrivateKey::read(text(&all, "merchant_private_key_pkcs8")).unwrap();
        for vector in all["requests"].as_object().unwrap().values() {
            let [method, path, timestamp, nonce, body] = text(vector, "text").splitn(5, '\n').collect::<Vec<_>>()[..]
            else {
                panic!("{vector}")
            };
            let signer = sign::Signer {
                mch_id: "1900000109",
                serial: text(&all, "merchant_serial"),
                key: &private,
                at: timestamp.parse::<i64>().unwrap() * 1000,
                nonce,
            };
            let made = signer.authorization(method, path, body.strip_suffix('\n').unwrap().as_bytes());
            assert!(made.contains(&format!("signature=\"{}\"", text(vector, "signature"))), "{path}");
            assert!(made.starts_with("WECHATPAY2-SHA256-RSA2048 mchid=\"1900000109\",nonce_str="), "{made}");
        }
    }

    fn headers<'v>(
        notice: &'v Value,
        changed: &'v [(&'static str, &'v str)],
    ) -> impl Fn(&'static str) -> Vec<String> + 'v {
        move |name| {
            if changed.iter().any(|(known, _)| *known == name) {
                let values = changed.iter().filter(|(known, _)| *known == name);
                return values.map(|(_, value)| (*value).to_owned()).filter(|value| !value.is_empty()).collect();
            }
            notice["headers"][name].as_str().map(str::to_owned).into_iter().collect()
        }
    }

    fn read(notice: &Value, changed: &[(&'static str, &str)], body: &[u8], now: i64) -> Notice {
        notice::read(headers(notice, changed), body, &merchant(&vectors()), Some(now))
    }

    #[test]
    fn a_reply_is_believed_over_its_raw_bytes() {
        let all = vectors();
        for (name, reply) in all["replies"].as_object().unwrap() {
            let (head, body) =
                text(reply, "text").split_at(text(reply, "text").match_indices('\n').nth(1).unwrap().0 + 1);
            let (timestamp, nonce) = head.trim_end().split_once('\n').unwrap();
            let seal = sign::Seal {
                timestamp: timestamp.to_owned(),
                nonce: nonce.to_owned(),
                serial: text(&all, "public_key_id").to_owned(),
                signature: text(reply, "signature").to_owned(),
            };
            let body = body.strip_suffix('\n').unwrap().as_bytes();
            assert_eq!(seal.check(body, &merchant(&all), Some(1_722_850_421_000)), Ok(None), "{name}");
            let more = [body, b" "].concat();
            assert_eq!(seal.check(&more, &merchant(&all), Some(1_722_850_421_000)), Err(BadSeal::Wrong), "{name}");
        }
    }

    #[test]
    fn the_vectors_notices_are_opened_and_understood() {
        let all = vectors();
        let now = 1_722_850_421_000;
        for (name, notice) in all["notices"].as_object().unwrap() {
            let body = text(notice, "body").as_bytes();
            match read(notice, &[], body, now).verdict {
                Verdict::Paid(payment) => {
                    assert_eq!(payment.out_trade_no, "SHOP2026100800000101", "{name}");
                    assert_eq!((payment.total.get(), payment.fee_type.as_str()), (100, "CNY"), "{name}");
                    assert_eq!(
                        Some(payment.paid_at),
                        crate::clock::from_rfc3339("2026-10-08T10:34:56+08:00"),
                        "{name}"
                    );
                }
                Verdict::Refunded(refund) => {
                    assert_eq!(refund.out_refund_no, "SHOP2026100800000101R01", "{name}");
                    assert_eq!(refund.status, super::super::refund::RefundStatus::Success, "{name}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!(all["notices"].as_object().unwrap().len(), 3);
    }

    /// Held against our clock, and where that is wrong against WeChat's.
    #[test]
    fn an_old_notice_is_told_from_a_clock_that_is_wrong() {
        let all = vectors();
        let (signed_at, notice) = (1_722_850_421_000, &all["notices"]["refund"]);
        let body = text(notice, "body").as_bytes();
        for (later, ahead, bad) in [
            (300_000, Some(0), None),
            (301_000, None, Some(BadSeal::Clock(301_000))),
            (301_000, Some(0), Some(BadSeal::Old { ago: 301_000, ahead: 0 })),
            (301_000, Some(301_000), Some(BadSeal::Clock(301_000))),
            (900_000, Some(500_000), Some(BadSeal::Old { ago: 400_000, ahead: 500_000 })),
            (3_000_000, Some(-600_000), Some(BadSeal::Old { ago: 3_600_000, ahead: -600_000 })),
            (-301_000, Some(0), Some(BadSeal::Clock(-301_000))),
        ] {
            let read = read(notice, &[], body, signed_at + later).by_wechats_clock(ahead);
            assert_eq!(read.bad, bad, "{later} {ahead:?}");
            let wrong: Vec<_> = read.checks.iter().filter(|check| !check.ok).map(|check| check.what).collect();
            assert_eq!(wrong, if bad.is_some() { vec!["签名的时间"] } else { vec![] }, "{later} {ahead:?}");
            assert!(read.checks.iter().any(|check| check.what == "验签" && check.ok), "{later} {ahead:?}");
            // Of our own clock it says what WeChat's replies have told, and no more.
            let Some(bad @ BadSeal::Old { .. }) = bad else { continue };
            let off = match ahead {
                Some(500_000) => Some("本机的时钟比微信快 8 分钟"),
                Some(-600_000) => Some("本机的时钟比微信慢 10 分钟"),
                _ => None,
            };
            let words = bad.words();
            assert_eq!(words.contains("本机"), off.is_some(), "{words}");
            assert!(off.is_none_or(|off| words.contains(off)) && words.contains("把旧通知又发了一次"), "{words}");
        }
    }

    #[test]
    fn a_notice_with_one_thing_wrong_is_not_believed() {
        let all = vectors();
        let (now, notice) = (1_722_850_421_000, &all["notices"]["refund"]);
        let body = text(notice, "body").as_bytes();
        let signature = text(&notice["headers"], "Wechatpay-Signature");
        let probe = format!("WECHATPAY/SIGNTEST/{}", &signature[19..]);
        let swapped = signature.replacen(&signature[..1], if signature.starts_with('A') { "B" } else { "A" }, 1);
        let rows = [
            ("SIGN_MISSING", vec![("Wechatpay-Signature", "")], 0i64),
            ("SIGN_MISSING", vec![("Wechatpay-Serial", "")], 0),
            ("SIGN_MISSING", vec![("Wechatpay-Timestamp", "")], 0),
            ("SIGN_MISSING", vec![("Wechatpay-Nonce", "")], 0),
            ("SIGN_DOUBLED", vec![("Wechatpay-Signature", signature), ("Wechatpay-Signature", signature)], 0),
            ("SIGN_DOUBLED", vec![("Wechatpay-Timestamp", "1"), ("Wechatpay-Timestamp", "1722850421")], 0),
            ("SIGN_TYPE", vec![("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3")], 0),
            ("SIGN_WRONG", vec![("Wechatpay-Signature", &swapped)], 0),
            ("SIGN_WRONG", vec![("Wechatpay-Signature", "not base64")], 0),
            ("SIGN_WRONG", vec![("Wechatpay-Timestamp", "1722850422")], 0),
            ("SIGN_WRONG", vec![("Wechatpay-Nonce", "x")], 0),
            ("SIGNTEST", vec![("Wechatpay-Signature", &probe)], 0),
            ("SERIAL_CERTIFICATE", vec![("Wechatpay-Serial", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1")], 0),
            ("SERIAL_UNKNOWN", vec![("Wechatpay-Serial", "PUB_KEY_ID_0000000000")], 0),
            ("TIMESTAMP", vec![], 301_000),
            ("TIMESTAMP", vec![], -301_000),
        ];
        for (word, changed, off) in rows {
            let verdict = read(notice, &changed, body, now + off).verdict;
            assert_eq!(verdict, Verdict::Refused(word.into()), "{word} {changed:?}");
        }
        assert!(BASE64_STANDARD.decode(probe).is_ok_and(|bytes| bytes.len() == 256), "a probe passes for Base64");
        let spaced = [body, b" "].concat();
        assert_eq!(read(notice, &[], &spaced, now).verdict, Verdict::Refused("SIGN_WRONG".into()));
        // Up to five minutes are right, and an absent type of signature too.
        for off in [300_000, -300_000] {
            let verdict = read(notice, &[("Wechatpay-Signature-Type", "")], body, now + off).verdict;
            assert!(matches!(verdict, Verdict::Refunded(_)), "{verdict:?}");
        }
    }

    #[test]
    fn what_was_pasted_into_the_wrong_field_is_said() {
        let all = vectors();
        let (private, public) = (text(&all, "merchant_private_key_pkcs8"), text(&all, "wechat_public_key"));
        let made = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
        let certificate = made.cert.pem();
        let (curve, curve_public) = (made.signing_key.serialize_pem(), made.signing_key.public_key_pem());
        let called = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        for (given, words) in [
            (public, "这是公钥"),
            (certificate.as_str(), "这是证书"),
            (&curve, "不是 RSA 私钥"),
            (&called("EC PRIVATE KEY"), "不是 RSA 私钥"),
            (&called("ENCRYPTED PRIVATE KEY"), "加了口令"),
            (&called("CERTIFICATE REQUEST"), "CSR"),
            (&called("PRIVATE KEY"), "私钥读不出来"),
            (&private[..400], "私钥读不出来"),
            ("0123456789abcdef0123456789abcdef", "不是 PEM"),
            ("", "不是 PEM"),
        ] {
            assert!(PrivateKey::read(given).err().unwrap().contains(words), "{words}");
        }
        for (given, words) in [
            (private, "这是私钥"),
            (certificate.as_str(), "这是证书"),
            ("PUB_KEY_ID_01", "不是 PEM"),
            (&curve, "这是私钥"),
            (&curve_public, "不是 RSA 公钥"),
            (&called("RSA PUBLIC KEY"), "重新下载"),
            (&called("PUBLIC KEY"), "公钥读不出来"),
        ] {
            assert!(PublicKey::read(given).err().unwrap().contains(words), "{words}");
        }
        assert!("short".parse::<V3Key>().is_err());
        let own = (text(&all, "public_key_id"), public);
        let other = Keys::read("0123456789abcdef0123456789abcdef", private, &certificate, own);
        let unfit = other.err().unwrap();
        assert!(unfit.words.contains("不是一对") && unfit.parts == [Part::Private, Part::Serial], "{unfit:?}");
        let own =
            Keys::read("0123456789abcdef0123456789abcdef", private, &"0".repeat(40), (own.0, &own_public(private)));
        assert_eq!(own.err().unwrap().parts, [Part::Public]);
    }

    /// The other half of a private key, as somebody makes it who looks for a public one.
    fn own_public(private: &str) -> String {
        rcgen::KeyPair::from_pem(private).unwrap().public_key_pem()
    }

    /// DER puts a zero before a number whose first bit is set; WeChat does not.
    #[test]
    fn a_serial_is_read_out_of_a_certificate_as_wechat_writes_it() {
        let all = vectors();
        let private = text(&all, "merchant_private_key_pkcs8");
        let own = (text(&all, "public_key_id"), text(&all, "wechat_public_key"));
        for (bytes, serial) in [
            ([0xd1; 20], "D1".repeat(20)),
            ([0x5a; 20], "5A".repeat(20)),
            (
                *b"\x0a\x80\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x00",
                "0A800001".to_owned() + "02030405060708090A0B0C0D0E0F1000",
            ),
        ] {
            let mut params = rcgen::CertificateParams::new(vec!["1900000109".to_owned()]).unwrap();
            params.serial_number = Some(bytes.to_vec().into());
            let certificate = params.self_signed(&rcgen::KeyPair::from_pem(private).unwrap()).unwrap().pem();
            let keys = Keys::read("0123456789abcdef0123456789abcdef", private, &certificate, own).unwrap();
            assert_eq!(keys.serial, serial);
        }
    }

    #[test]
    fn a_changed_tag_or_another_key_opens_nothing() {
        let key: V3Key = "0123456789abcdef0123456789abcdef".parse().unwrap();
        for (aad, sealed) in [
            ("transaction", "DUcSwf+vGlappypHfVVpZvzrQqhccy4="),
            ("", "DUcSwf+vGgCHAxQyaCT2vCwoCTL73Hg="),
            ("refund", "DUcSwf+vGoNeGnN+dgD6A2uLdXxrzT0="),
            ("certificate", "DUcSwf+vGlcCQ/Ws4kXvgAMZV0clP9g="),
        ] {
            let bytes = BASE64_STANDARD.decode(sealed).unwrap();
            assert_eq!(key.open(b"fdasflkja484", aad.as_bytes(), &bytes).as_deref(), Some(&b"{\"a\":1}"[..]), "{aad}");
            let mut changed = bytes.clone();
            *changed.last_mut().unwrap() ^= 1;
            assert_eq!(key.open(b"fdasflkja484", aad.as_bytes(), &changed), None);
            assert_eq!(key.open(b"fdasflkja484", b"other", &bytes), None);
            assert_eq!(key.open(b"short", aad.as_bytes(), &bytes), None);
        }
        let other: V3Key = "fedcba9876543210fedcba9876543210".parse().unwrap();
        let bytes = BASE64_STANDARD.decode("DUcSwf+vGlappypHfVVpZvzrQqhccy4=").unwrap();
        assert_eq!(other.open(b"fdasflkja484", b"transaction", &bytes), None);
    }
}
