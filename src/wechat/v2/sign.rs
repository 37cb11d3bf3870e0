//! Signatures of API v2: MD5 or HMAC-SHA256 over every field, known or not.

use std::fmt;
use std::str::FromStr;

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::message::Message;
use crate::stored_enum::stored_enum;

/// The digest that a merchant has pinned; nothing in a message can change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignType {
    #[default]
    Md5,
    HmacSha256,
}

impl SignType {
    /// WeChat's name, as it stands in `sign_type` and `signType`.
    pub fn name(self) -> &'static str {
        match self {
            SignType::Md5 => "MD5",
            SignType::HmacSha256 => "HMAC-SHA256",
        }
    }
}

impl FromStr for SignType {
    type Err = ();
    fn from_str(text: &str) -> Result<SignType, ()> {
        [SignType::Md5, SignType::HmacSha256].into_iter().find(|t| t.name() == text).ok_or(())
    }
}

/// The merchant's API v2 key: 32 letters and digits. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl FromStr for ApiKey {
    type Err = ();
    fn from_str(text: &str) -> Result<ApiKey, ()> {
        let fits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits { Ok(ApiKey(text.to_owned())) } else { Err(()) }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{}", self.tail())
    }
}

impl ApiKey {
    /// The last four characters, to tell keys apart on a page.
    pub fn tail(&self) -> &str {
        &self.0[28..]
    }

    /// For the sealed settings and the built-in simulator.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Signs every field but `sign`, as upper-case hexadecimal. Source: signing rules, API v2.
pub fn sign(message: &Message, sign_type: SignType, key: &ApiKey) -> String {
    let mut text = String::new();
    for (name, value) in message.fields() {
        // An empty value is left out; `sign_type` is signed like any other field.
        if name != "sign" && !value.is_empty() {
            text.push_str(name);
            text.push('=');
            text.push_str(value);
            text.push('&');
        }
    }
    text.push_str("key=");
    text.push_str(&key.0);
    match sign_type {
        SignType::Md5 => hex::encode_upper(Md5::digest(&text)),
        SignType::HmacSha256 => {
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.0.as_bytes()).expect("HMAC takes any key");
            mac.update(text.as_bytes());
            hex::encode_upper(mac.finalize().into_bytes())
        }
    }
}

stored_enum! {
    /// Why a signature is not believed.
    pub enum BadSign {
        Missing "SIGN_MISSING" "没有签名",
        WrongLength "SIGN_LENGTH" "签名的长度不对",
        OtherSignType "SIGN_TYPE" "签名方式和设置里的不同",
        Wrong "SIGN_WRONG" "签名不对：不是微信发的，或 APIv2 密钥不对",
    }
}

/// A message whose signature was checked. Nothing else makes one.
#[derive(Clone, Debug)]
pub struct Authentic(Message);

impl Authentic {
    pub fn message(&self) -> &Message {
        &self.0
    }
}

/// Believes a message only if its `sign` is right under the pinned digest and key; else it comes back with the reason.
pub fn verify(message: Message, sign_type: SignType, key: &ApiKey) -> Result<Authentic, (BadSign, Message)> {
    match right(&message, sign_type, key) {
        Ok(()) => Ok(Authentic(message)),
        Err(bad) => Err((bad, message)),
    }
}

fn right(message: &Message, sign_type: SignType, key: &ApiKey) -> Result<(), BadSign> {
    let given = message.filled("sign").ok_or(BadSign::Missing)?;
    if message.filled("sign_type").is_some_and(|named| named != sign_type.name()) {
        return Err(BadSign::OtherSignType);
    }
    let expected = sign(message, sign_type, key);
    if given.len() != expected.len() {
        return Err(BadSign::WrongLength);
    }
    if bool::from(given.as_bytes().ct_eq(expected.as_bytes())) { Ok(()) } else { Err(BadSign::Wrong) }
}

/// Opens a refund notice's `req_info`: AES-256-ECB under the hexadecimal MD5 of the key, PKCS#7. `None` when it does
/// not open. The result carries no proof of origin (blocks can be rearranged): a hint to query, never a fact.
pub fn open_req_info(req_info: &str, key: &ApiKey) -> Option<Vec<u8>> {
    let mut bytes = BASE64_STANDARD.decode(req_info.trim()).ok()?;
    if bytes.is_empty() || bytes.len() % 16 != 0 {
        return None;
    }
    let aes = Aes256::new_from_slice(hex::encode(Md5::digest(&key.0)).as_bytes()).ok()?;
    for block in bytes.chunks_exact_mut(16) {
        aes.decrypt_block(block.try_into().ok()?);
    }
    let pad = usize::from(*bytes.last()?);
    let padded = (1..=16).contains(&pad) && bytes[bytes.len() - pad..].iter().all(|b| usize::from(*b) == pad);
    bytes.truncate(bytes.len() - pad.min(bytes.len()));
    padded.then_some(bytes)
}

/// Seals a refund notice's content as WeChat does: what `open_req_info` opens. For the built-in simulator.
pub fn seal_req_info(plain: &[u8], key: &ApiKey) -> String {
    let mut bytes = plain.to_vec();
    let pad = 16 - bytes.len() % 16;
    bytes.extend(std::iter::repeat_n(pad as u8, pad));
    let aes =
        Aes256::new_from_slice(hex::encode(Md5::digest(&key.0)).as_bytes()).expect("32 digits are an AES-256 key");
    for block in bytes.chunks_exact_mut(16) {
        aes.encrypt_block(block.try_into().expect("a chunk is one block"));
    }
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::SignType::*;
    use super::*;

    /// The key of WeChat's public documentation.
    const KEY: &str = "192006250b4c09247ec02edce69f6a2d";

    fn key() -> ApiKey {
        KEY.parse().unwrap()
    }

    fn base() -> Message {
        Message::from([
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "1900000109"),
            ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("body", "小店-草莓蛋糕 x1"),
            ("out_trade_no", "SHOP20261008000001"),
            ("total_fee", "8800"),
            ("spbill_create_ip", "127.0.0.1"),
            ("notify_url", "https://shop.example.com/pay/notify"),
            ("trade_type", "JSAPI"),
            ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ])
    }

    fn notice() -> Message {
        Message::from([
            ("appid", "wxd930ea5d5a258f4f"),
            ("attach", "桌号A3"),
            ("bank_type", "CMB_CREDIT"),
            ("cash_fee", "8600"),
            ("cash_fee_type", "CNY"),
            ("coupon_count", "2"),
            ("coupon_fee", "200"),
            ("coupon_fee_0", "150"),
            ("coupon_fee_1", "50"),
            ("coupon_id_0", "10000"),
            ("coupon_id_1", "10001"),
            ("coupon_type_0", "CASH"),
            ("coupon_type_1", "NO_CASH"),
            ("fee_type", "CNY"),
            ("is_subscribe", "N"),
            ("mch_id", "1900000109"),
            ("nonce_str", "5d2b6c2a8db53831f7eda20af46e531c"),
            ("openid", "oUpF8uMEb4qRXf22hE3X68TekukE"),
            ("out_trade_no", "SHOP20261008000001"),
            ("result_code", "SUCCESS"),
            ("return_code", "SUCCESS"),
            ("settlement_total_fee", "8750"),
            ("time_end", "20261008131540"),
            ("total_fee", "8800"),
            ("trade_type", "JSAPI"),
            ("transaction_id", "4200000000202610080000000001"),
        ])
    }

    fn second(app_id_name: &str, sign_type: &str) -> Message {
        Message::from([
            (app_id_name, "wxd930ea5d5a258f4f"),
            ("timeStamp", "1414561699"),
            ("nonceStr", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("package", "prepay_id=wx201410272009395522657a690389285100"),
            ("signType", sign_type),
        ])
    }

    fn with(mut message: Message, more: &[(&str, &str)]) -> Message {
        more.iter().for_each(|(name, value)| message.set(name, *value));
        message
    }

    /// Each signature was computed by four independent programs.
    #[test]
    fn signatures_equal_the_published_vectors() {
        let s1 = Message::from([
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
        ]);
        let s6 = r#"{"cost_price":8800,"receipt_id":"wx123","goods_detail":[{"goods_id":"SKU_1","goods_name":"草莓蛋糕","quantity":1,"price":8800}]}"#;
        let s8 = Message::from([
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "1900000109"),
            ("nonce_str", "abc"),
            ("coupon_fee", "0"),
            ("coupon_count", "0"),
            ("total_fee", "1"),
        ]);
        let s9 =
            Message::from([("appid", "wxd930ea5d5a258f4f"), ("Zfield", "1"), ("a_b", "2"), ("aB", "3"), ("a1", "4")]);
        let r1 = Message::from([
            ("return_code", "SUCCESS"),
            ("return_msg", "OK"),
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "1900000109"),
            ("nonce_str", "IITRi8Iabbblz1Jc"),
            ("result_code", "SUCCESS"),
            ("prepay_id", "wx201411101639507cbf6ffd8b0779950874"),
            ("trade_type", "JSAPI"),
        ]);
        let s2 =
            ("DDE71BDD6BCB90D7C25D254A22AD7810", "E1B68A1D9873B7E94BA890041624A7D4C7070E73B524428033B4D35A7E2906CD");
        for (id, message, md5, hmac) in [
            (
                "S1",
                s1,
                "9A0A8659F005D6984697E2CA0A9CF3B7",
                "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6",
            ),
            ("S2", base(), s2.0, s2.1),
            ("S3", with(base(), &[("attach", ""), ("detail", ""), ("goods_tag", "")]), s2.0, s2.1),
            (
                "S4",
                with(base(), &[("sign_type", "HMAC-SHA256")]),
                "D40F4AA1D1465161976524C805864ED0",
                "44226191A6663BE3B15D22B94F5478EE3D0797A4ABE54B31170759457434F7CB",
            ),
            (
                "S5",
                with(base(), &[("attach", "a<b>&\"c'd ]] 100%+x=y")]),
                "49709E4071F8CB99E0BC60D8343684D3",
                "CDEE4D43CB9FD4611214A5F77996073CDE6B7DD07359D3296C22181308FCB052",
            ),
            (
                "S6",
                with(base(), &[("detail", s6)]),
                "0CADB1A214474CCC4F8DA516B60F7FA3",
                "EC082824A410680D6406CF5BA959C761DFD38E06A74D86F3594B51E3B71687CF",
            ),
            (
                "S7",
                with(base(), &[("body", "🍓蛋糕")]),
                "843DB0F73282165494D3A652120F5DC3",
                "1B1DD1AF1E6AAB29D89331927DDB89F639F620C5AAEFF665AFF664A7022E9431",
            ),
            (
                "S8",
                s8,
                "37CCBC43180D9AE3F44C7F16615C0401",
                "24F82EB034F236E02961DF62EC01228EB55A07A75D22E455CF72DBFC1CBEB92F",
            ),
            (
                "S9",
                s9,
                "0CC00C4CBD52336725B1DB355A60DAE7",
                "95FB81EF0CB3C643C21F2F417B1847FCF6C5E65AA64725C98B4256554BD1C5FE",
            ),
            (
                "S10",
                with(base(), &[("attach", "  x  ")]),
                "A249AC7B7A21D312DABAE50539D65F2F",
                "533376EE4023B251ED4B0982CE4F07A89486B1D474F22EF46E6C6BA26F5EF3E8",
            ),
            (
                "N1",
                notice(),
                "54E711AF5A08D11AE753721B3C77124C",
                "F9031967939420B53C09C20DC285D1220183C6263F8E96D0A672EBDCADC64DDA",
            ),
            (
                "N2",
                with(notice(), &[("sign_type", "HMAC-SHA256")]),
                "7DD57E63562112F7B88A232FB68D7054",
                "3FC7423D28415F42314834FAA9BA73B435E60D6E855AC8C2869E514C560C7B75",
            ),
            (
                "N3",
                with(notice(), &[("new_field", "x")]),
                "BB8692BC42011FDB1375597FCEE9E3ED",
                "9ACE97CD0747EC538C944075EABEFACC98A67984894A355E79608FBBBD103D79",
            ),
            (
                "R1",
                r1,
                "5BDC47125D2C54AEF822E06FFFDAE9A8",
                "D708034075A08A3A8607D7214AE4C45EF3F9795FCB9EE7F9F9B267D1DE586999",
            ),
        ] {
            assert_eq!(sign(&message, Md5, &key()), md5, "{id}");
            assert_eq!(sign(&message, HmacSha256, &key()), hmac, "{id}");
        }
        assert_eq!(sign(&second("appId", "MD5"), Md5, &key()), "FD19D752A746E5F238A6E53BD99EEBD0", "P1");
        assert_eq!(
            sign(&second("appId", "HMAC-SHA256"), HmacSha256, &key()),
            "FC7A79E4918B4FFA96E836F5AD4A510F31241FB46C14C971D6D7B4F8E15AF262",
            "P2"
        );
        // The classic mistake: appid for appId gives another signature.
        assert_eq!(sign(&second("appid", "MD5"), Md5, &key()), "0EB6846608D70A557476F02F71C234F4", "P3");
        assert_ne!(sign(&base(), Md5, &key()), "B9F5D96C63D70896AE839040D8221F00", "values are not URL-encoded");
    }

    #[test]
    fn the_signed_value_is_the_same_in_cdata_and_in_entities() {
        let wire = "<xml><attach>a&lt;b&gt;&amp;&quot;c&apos;d ]] 100%+x=y</attach></xml>";
        let read = Message::read(wire.as_bytes()).unwrap();
        assert_eq!(read, Message::from([("attach", "a<b>&\"c'd ]] 100%+x=y")]));
    }

    #[test]
    fn a_signature_with_one_thing_wrong_is_not_believed() {
        let md5 = sign(&notice(), Md5, &key());
        let hmac = sign(&notice(), HmacSha256, &key());
        let named = with(notice(), &[("sign_type", "HMAC-SHA256")]);
        let good = with(notice(), &[("sign", &md5)]);
        assert!(verify(good.clone(), Md5, &key()).is_ok());
        assert!(verify(with(notice(), &[("sign", &hmac)]), HmacSha256, &key()).is_ok());
        for (message, sign_type, why) in [
            (notice(), Md5, BadSign::Missing),
            (with(notice(), &[("sign", "")]), Md5, BadSign::Missing),
            (with(notice(), &[("sign", &md5.to_lowercase())]), Md5, BadSign::Wrong),
            (with(notice(), &[("sign", &md5[1..])]), Md5, BadSign::WrongLength),
            (with(notice(), &[("sign", &hmac)]), Md5, BadSign::WrongLength),
            (with(notice(), &[("sign", &md5)]), HmacSha256, BadSign::WrongLength),
            (with(named.clone(), &[("sign", &sign(&named, Md5, &key()))]), Md5, BadSign::OtherSignType),
            (with(good.clone(), &[("total_fee", "1")]), Md5, BadSign::Wrong),
            (with(good, &[("new_field", "x")]), Md5, BadSign::Wrong),
        ] {
            assert_eq!(verify(message.clone(), sign_type, &key()).map(drop), Err((why, message)));
        }
        let other: ApiKey = "00000000000000000000000000000000".parse().unwrap();
        assert!(verify(with(notice(), &[("sign", &md5)]), Md5, &other).is_err());
    }

    #[test]
    fn refund_notices_open_as_published() {
        let e1 = "bDP/xixH0hFEaZusu714Uyyh0dv8MPgMqVLeIkI0QHBoWJbCzCFX0olPqtxTh2q95uvewe45Es+0+iD/4no6Cg==";
        let e2 = "41eIZ4JZEgrNU1wSBNsZ3009ackg8PPVqgIAZP1VhXpNPWnJIPDz1aoCAGT9VYV6srG1/2zGJYa6mEO5tyTMyPwXAd2fVvyZUPuCqJRycuk=";
        assert_eq!(open_req_info(e1, &key()).unwrap(), b"<root><refund_status>SUCCESS</refund_status></root>");
        assert_eq!(open_req_info(e2, &key()).unwrap(), format!("<root><a>{}</a></root>", "x".repeat(44)).as_bytes());
        assert_eq!(seal_req_info(b"<root><refund_status>SUCCESS</refund_status></root>", &key()), e1);
        assert_eq!(seal_req_info(format!("<root><a>{}</a></root>", "x".repeat(44)).as_bytes(), &key()), e2);
        let other: ApiKey = "00000000000000000000000000000000".parse().unwrap();
        for (sealed, key) in [("", key()), ("!!!!", key()), ("AAAA", key()), (e1, other)] {
            assert_eq!(open_req_info(sealed, &key), None);
        }
    }

    #[test]
    fn a_key_never_shows_itself() {
        assert_eq!(format!("{:?}", key()), "…6a2d");
        for bad in ["", "short", "192006250b4c09247ec02edce69f6a2-", " 92006250b4c09247ec02edce69f6a2d"] {
            assert!(bad.parse::<ApiKey>().is_err(), "{bad:?}");
        }
    }
}
