//! Signatures of API v3: SHA256-RSA2048 over lines of text, ours on the way out, WeChat Pay's on the way in.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Merchant;
use super::keys::{PrivateKey, PublicKey};
use crate::clock::{MINUTE, SECOND, fast_or_slow, off, span};

/// The one scheme there is.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
/// How far WeChat's clock and ours may be apart. Source: verifying signatures, API v3.
pub const APART: i64 = 5 * MINUTE;
/// How the signatures begin with which WeChat tries out whether shops verify at all.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// Lines, each followed by a line end, the last one too; an empty body is a line of its own.
pub fn lines(parts: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for part in parts {
        text.extend_from_slice(part);
        text.push(b'\n');
    }
    text
}

/// A signature in the form in which it travels.
pub fn signed(key: &PrivateKey, parts: &[&[u8]]) -> String {
    BASE64_STANDARD.encode(key.sign(&lines(parts)))
}

/// Whether a travelling signature is right for these lines.
pub fn fits(key: &PublicKey, parts: &[&[u8]], signature: &str) -> bool {
    BASE64_STANDARD.decode(signature).is_ok_and(|signature| key.verifies(&lines(parts), &signature))
}

/// Who signs a request, and when.
pub struct Signer<'a> {
    pub mch_id: &'a str,
    pub serial: &'a str,
    pub key: &'a PrivateKey,
    /// Epoch milliseconds.
    pub at: i64,
    pub nonce: &'a str,
}

impl Signer<'_> {
    /// The `Authorization` header of a request with just this path and body. Source: making signatures, API v3.
    pub fn authorization(&self, method: &str, path: &str, body: &[u8]) -> String {
        let timestamp = (self.at / SECOND).to_string();
        let parts = [method.as_bytes(), path.as_bytes(), timestamp.as_bytes(), self.nonce.as_bytes(), body];
        format!(
            "{SCHEME} mchid=\"{}\",nonce_str=\"{}\",signature=\"{}\",timestamp=\"{timestamp}\",serial_no=\"{}\"",
            self.mch_id,
            self.nonce,
            signed(self.key, &parts),
            self.serial
        )
    }
}

/// Why a message is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadSeal {
    /// The header that is missing.
    Missing(&'static str),
    Doubled(&'static str),
    OtherScheme,
    /// Signed with a platform certificate: the merchant has not finished the change to the public key.
    Certificate(String),
    /// A key that we were not given, by its id or by whatever stands there.
    OtherKey(String),
    /// WeChat's clock and ours are so many milliseconds apart; positive when ours is ahead.
    Clock(i64),
    /// The same of a notice that is too old by WeChat's own clock, whatever ours shows: signed so many milliseconds ago, while ours is so
    /// many ahead.
    Old {
        ago: i64,
        ahead: i64,
    },
    /// WeChat tried out whether we verify.
    Probe,
    Wrong,
}

impl BadSeal {
    /// A constant ASCII word for the answer and the log.
    pub fn word(&self) -> &'static str {
        match self {
            BadSeal::Missing(_) => "SIGN_MISSING",
            BadSeal::Doubled(_) => "SIGN_DOUBLED",
            BadSeal::OtherScheme => "SIGN_TYPE",
            BadSeal::Certificate(_) => "SERIAL_CERTIFICATE",
            BadSeal::OtherKey(_) => "SERIAL_UNKNOWN",
            BadSeal::Clock(_) | BadSeal::Old { .. } => "TIMESTAMP",
            BadSeal::Probe => "SIGNTEST",
            BadSeal::Wrong => "SIGN_WRONG",
        }
    }

    /// For the staff: what it means on a reply of WeChat's, and what to do.
    pub fn of_reply(&self) -> String {
        match self {
            // Who asked asks again; a notice comes again by itself.
            BadSeal::Probe => "这次回答是微信的验签探测（SIGNTEST），不算数，会再问一次；不需要处理".into(),
            BadSeal::Certificate(serial) => format!(
                "微信用平台证书 {serial} 签名，本店只认微信支付公钥：请在商户平台 → API 安全 完成“切换为微信支付公钥”，在那之前收不了款"
            ),
            BadSeal::Missing(header) => format!(
                "微信的回答没有签名（缺少 {header}）：多半是中间的代理或上网认证答的，或代理去掉了 Wechatpay- 开头的头。请核对接口地址，让服务器直接访问微信支付"
            ),
            BadSeal::Doubled(header) => format!(
                "微信的回答里 {header} 出现了两次：多半是中间的代理又加了一遍。请让服务器直接访问微信支付，或让代理原样转发"
            ),
            BadSeal::OtherScheme => {
                format!("微信的回答的签名类型不是 {SCHEME}：本店只认 RSA，请核对接口地址，以及商户平台上是否改用了国密")
            }
            other => other.words(),
        }
    }

    /// For the staff: what it means on a notice, and what to do.
    pub fn words(&self) -> String {
        match self {
            BadSeal::Missing(header) => {
                format!(
                    "没有签名（缺少 {header}）：不是微信发的，或店铺前面的代理去掉了 Wechatpay- 开头的头，请让它原样转发"
                )
            }
            BadSeal::Doubled(header) => {
                format!("{header} 出现了两次：不是微信发的，或店铺前面的代理又加了一遍，请让它原样转发")
            }
            BadSeal::OtherScheme => {
                format!("签名类型不是 {SCHEME}：不是微信发的，或商户平台上改用了国密，本店只认 RSA")
            }
            BadSeal::Certificate(serial) => format!(
                "微信用平台证书 {serial} 签名，本店只认微信支付公钥：请在商户平台 → API 安全 完成“切换为微信支付公钥”，订单会由查单入账"
            ),
            BadSeal::OtherKey(serial) => {
                let serial = if serial.is_empty() { "一个读不出来的序列号" } else { serial.as_str() };
                format!("微信用 {serial} 签名，不是设置里的微信支付公钥：请在商户平台核对公钥 ID 并重新填写公钥")
            }
            BadSeal::Clock(ms) => {
                format!("消息的时间和本机差 {}：本机时钟{}了，请校时", span(ms.abs()), fast_or_slow(*ms))
            }
            BadSeal::Old { ago, ahead } => {
                let clock = match ahead.abs() > APART {
                    true => format!("。另外，本机的时钟比微信{}，请校时", off(*ahead)),
                    false => String::new(),
                };
                format!(
                    "签名是对的，可是按微信的时间，它是 {}前签的，所以没有收：微信自己再发的会重新签，这一条多半是有人把旧通知又发了一次，不需要处理{clock}",
                    span(*ago)
                )
            }
            BadSeal::Probe => "微信的验签探测（SIGNTEST），已按坏签名拒绝，不需要处理".into(),
            BadSeal::Wrong => "签名不对：请核对微信支付公钥是否与公钥 ID 对应".into(),
        }
    }

    /// The same of a notice that one of our keys opens, so that WeChat must have written it.
    pub fn of_ours(&self) -> String {
        match self {
            BadSeal::Missing(header) => {
                format!("签名在路上丢了（缺少 {header}），请让店铺前面的代理原样转发 Wechatpay- 开头的头")
            }
            BadSeal::Doubled(header) => format!("{header} 出现了两次，请让店铺前面的代理原样转发"),
            BadSeal::Wrong => "签名不对：请核对微信支付公钥是否与公钥 ID 对应，以及店铺前面的代理有没有改动内容".into(),
            other => other.words(),
        }
    }

    /// Signed by WeChat, and yet nothing to mend.
    pub fn is_harmless(&self) -> bool {
        matches!(self, BadSeal::Probe | BadSeal::Old { .. })
    }

    /// The signature itself is right: what is wrong is when it was made.
    pub(super) fn is_of_time(&self) -> bool {
        matches!(self, BadSeal::Clock(_) | BadSeal::Old { .. })
    }

    /// What only the owner can mend, as against a prober's doing, or a forger's who does not even know what keys are called.
    pub fn is_for_owner(&self) -> bool {
        match self {
            BadSeal::Certificate(_) | BadSeal::Clock(_) => true,
            BadSeal::OtherKey(id) => {
                id.strip_prefix("PUB_KEY_ID_").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
            }
            _ => false,
        }
    }

    /// The same of a reply: no forger stands behind WeChat's own address, so that a wrong signature is a wrong public key of
    /// ours, and none at all something in between.
    pub fn is_for_owner_of_reply(&self) -> bool {
        *self != BadSeal::Probe
    }
}

/// The signature headers of a reply or a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub timestamp: String,
    pub nonce: String,
    pub serial: String,
    pub signature: String,
}

pub const TIMESTAMP: &str = "Wechatpay-Timestamp";
pub const NONCE: &str = "Wechatpay-Nonce";
pub const SERIAL: &str = "Wechatpay-Serial";
pub const SIGNATURE: &str = "Wechatpay-Signature";
pub const SIGNATURE_TYPE: &str = "Wechatpay-Signature-Type";

impl Seal {
    /// `values` gives every value of a header; each must stand once.
    pub fn read(values: impl Fn(&'static str) -> Vec<String>) -> Result<Seal, BadSeal> {
        let once = |name: &'static str| {
            let mut found = values(name);
            match found.len() {
                1 if !found[0].is_empty() => Ok(found.remove(0)),
                0 | 1 => Err(BadSeal::Missing(name)),
                _ => Err(BadSeal::Doubled(name)),
            }
        };
        let scheme = values(SIGNATURE_TYPE);
        match scheme.as_slice() {
            [] => {}
            [one] if one == SCHEME => {}
            [_] => return Err(BadSeal::OtherScheme),
            _ => return Err(BadSeal::Doubled(SIGNATURE_TYPE)),
        }
        Ok(Seal {
            timestamp: once(TIMESTAMP)?,
            nonce: once(NONCE)?,
            serial: once(SERIAL)?,
            signature: once(SIGNATURE)?,
        })
    }

    /// Believes the raw bytes only if one of WeChat Pay's keys that we were given signed them a moment ago.
    /// `now` is `None` when an old message is looked at again. Answers when that key is believed no more, if another one has
    /// taken its place.
    pub fn check(&self, body: &[u8], merchant: &Merchant, now: Option<i64>) -> Result<Option<i64>, BadSeal> {
        if self.signature.starts_with(PROBE) {
            return Err(BadSeal::Probe);
        }
        if merchant.publics(&self.serial).next().is_none() {
            let serial = self.serial.chars().filter(char::is_ascii_graphic).take(64).collect();
            return Err(match is_certificate(&self.serial) {
                true => BadSeal::Certificate(serial),
                false => BadSeal::OtherKey(serial),
            });
        }
        let parts = [self.timestamp.as_bytes(), self.nonce.as_bytes(), body];
        let signed_by = merchant.publics(&self.serial).find(|one| fits(&one.key.1, &parts, &self.signature));
        let ends = signed_by.ok_or(BadSeal::Wrong)?.ends();
        let at = self.timestamp.parse::<i64>().ok().filter(|at| at.checked_mul(SECOND).is_some());
        let at = at.ok_or(BadSeal::Wrong)?;
        // Whole seconds are told, so whole seconds are compared.
        match now.map(|now| (now.div_euclid(SECOND) - at).saturating_mul(SECOND)) {
            Some(apart) if apart.saturating_abs() > APART => Err(BadSeal::Clock(apart)),
            _ => Ok(ends),
        }
    }
}

/// A platform certificate is named by its serial: 40 hexadecimal digits.
fn is_certificate(serial: &str) -> bool {
    serial.len() == 40 && serial.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The signature's headers, a blank line, and the raw body: enough to verify a message once more.
pub fn recorded(values: impl Fn(&'static str) -> Vec<String>, body: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    for name in [TIMESTAMP, NONCE, SERIAL, SIGNATURE] {
        for value in values(name) {
            text.extend([name, ": ", &value, "\n"]);
        }
    }
    text.push('\n');
    [text.as_bytes(), body].concat()
}

/// A message as the log keeps it: its headers, and its body.
pub struct Recorded<'a> {
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: &'a [u8],
}

/// Reads what `recorded` wrote; `None` for anything else.
pub fn parted(stored: &[u8]) -> Option<Recorded<'_>> {
    let end = stored.windows(2).position(|two| two == b"\n\n")?;
    let head = std::str::from_utf8(&stored[..end]).ok()?;
    let lines: Option<Vec<(&str, &str)>> = head.lines().map(|line| line.split_once(": ")).collect();
    let lines = lines.filter(|lines| lines.iter().any(|(name, _)| *name == TIMESTAMP))?;
    Some(Recorded { headers: lines, body: &stored[end + 2..] })
}
