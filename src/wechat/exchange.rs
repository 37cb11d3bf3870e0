//! What was said and heard in one call to WeChat Pay, and why it may not have done what it was asked.

use super::flaw::{Flaw, explained};
use super::v2::sign::BadSign;
use super::v3::refusal;
use super::v3::sign::BadSeal;

/// What was said and heard in one call, whatever came of it: the transaction log keeps it.
#[derive(Debug)]
pub struct Exchange<T> {
    pub kind: &'static str,
    /// As sent, without `sign` and without secrets: a signed request of ours could be replayed at our own door.
    pub request: String,
    pub response: Vec<u8>,
    pub took_ms: i64,
    pub signature: Signature,
    pub result: Result<T, GatewayError>,
}

/// How an answer is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// There is nothing to look at: no answer came, answers of its kind are not signed, or it is a gateway's own refusal.
    #[default]
    None,
    Right,
    WrongV2(BadSign),
    WrongV3(BadSeal),
}

impl Signature {
    /// What is wrong with it, and what to do.
    pub fn problem(&self) -> Option<String> {
        match self {
            Signature::None | Signature::Right => None,
            Signature::WrongV2(bad) => Some(bad.text().to_owned()),
            Signature::WrongV3(bad) => Some(bad.of_reply()),
        }
    }

    /// WeChat tried out whether we verify: no alarm, and no answer.
    pub fn is_probe(&self) -> bool {
        *self == Signature::WrongV3(BadSeal::Probe)
    }
}

/// Stands between what WeChat said and what we say of it.
pub(super) const BESIDE: &str = "；另外，";

impl<T> Exchange<T> {
    /// A call that was not even made.
    pub(crate) fn unsent(kind: &'static str, why: GatewayError) -> Exchange<T> {
        let (request, response) = (String::new(), Vec::new());
        Exchange { kind, request, response, took_ms: 0, signature: Signature::None, result: Err(why) }
    }

    /// The code of a refusal by API v3 in WeChat's own spelling; API v2 has the one that the house knows.
    pub fn own_code(&self) -> Option<String> {
        refusal(&self.response).and_then(|said| said.split(' ').next().map(str::to_owned))
    }

    pub(super) fn and_then<U>(self, read: impl FnOnce(T) -> Result<U, GatewayError>) -> Exchange<U> {
        let Exchange { kind, request, response, took_ms, signature, result } = self;
        Exchange { kind, request, response, took_ms, signature, result: result.and_then(read) }
    }

    pub(super) fn map<U>(self, read: impl FnOnce(T) -> U) -> Exchange<U> {
        let Exchange { kind, request, response, took_ms, signature, result } = self;
        Exchange { kind, request, response, took_ms, signature, result: result.map(read) }
    }
}

/// Why WeChat did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayError {
    /// No usable answer: whether it happened is unknown. Ask with a query.
    Unreachable(String),
    /// An answer came and cannot be used, for this flaw: whether it happened is as unknown as without one.
    Unusable { flaw: Flaw, said: String },
    /// The connection was broken off for the sake of our certificate. With TLS 1.3 that can come after the request
    /// has been written, so whether it happened is as unknown as after any broken connection.
    Certificate(String),
    /// `return_code=FAIL`: never signed, so it proves nothing about the order; the text is for the staff.
    NotAccepted(String),
    /// A signed refusal, with WeChat's own code and words.
    Refused { code: ErrCode, text: String },
}

/// The code of a refusal: compared as the house spells it, and told as WeChat did, whose documents and support know no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrCode {
    house: String,
    own: String,
}

impl ErrCode {
    pub(super) fn spelt(house: &str, own: &str) -> ErrCode {
        ErrCode { house: house.to_owned(), own: own.to_owned() }
    }

    pub fn as_str(&self) -> &str {
        &self.house
    }
}

impl From<String> for ErrCode {
    fn from(code: String) -> ErrCode {
        ErrCode { house: code.clone(), own: code }
    }
}

impl From<&str> for ErrCode {
    fn from(code: &str) -> ErrCode {
        code.to_owned().into()
    }
}

impl std::fmt::Display for ErrCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.own)
    }
}

impl std::fmt::Display for GatewayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GatewayError::Unreachable(why) => write!(f, "连不上微信或回答不可信: {why}"),
            GatewayError::Unusable { said, .. } => write!(f, "微信的回答不能用: {said}"),
            GatewayError::Certificate(alert) => write!(f, "微信不接受退款证书: {alert}"),
            GatewayError::NotAccepted(text) => write!(f, "微信未受理: {text}"),
            GatewayError::Refused { code, text } => write!(f, "微信拒绝: {code} {text}"),
        }
    }
}

impl GatewayError {
    /// What there is to say of it, without what kind of failure it is.
    pub fn said(&self) -> &str {
        match self {
            GatewayError::Unreachable(text) | GatewayError::Certificate(text) | GatewayError::NotAccepted(text) => text,
            GatewayError::Refused { text, .. } => text,
            GatewayError::Unusable { said, .. } => said,
        }
    }

    /// No answer that can be used: whether what was asked for happened is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, GatewayError::Unreachable(_) | GatewayError::Unusable { .. })
    }

    /// The same without what we say of it ourselves.
    pub(super) fn theirs(&self) -> &str {
        self.said().split(BESIDE).next().unwrap_or_default()
    }

    /// WeChat's code, when it refused with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            GatewayError::Refused { code, .. } => Some(code.as_str()),
            _ => None,
        }
    }
}

/// An answer that cannot be used: nothing is known.
pub(super) fn unusable(flaw: Flaw) -> GatewayError {
    GatewayError::Unusable { flaw, said: explained(flaw.word()) }
}

/// An answer in which this is missing, or cannot be.
pub(super) fn bad_field(name: &str) -> GatewayError {
    GatewayError::Unusable { flaw: Flaw::BadField, said: explained(&format!("{} {name}", Flaw::BadField.word())) }
}

/// An answer that is no message, or not signed as it should be.
pub(super) fn unreadable(word: &str) -> GatewayError {
    GatewayError::Unreachable(explained(word))
}

/// What a status without any words of WeChat's means.
pub(super) fn http_words(status: u16) -> String {
    let meaning = match status {
        300..400 => "被转到了别处：前面可能有代理或上网认证，请检查服务器的网络",
        404 => "这个地址上没有微信支付：请核对接口地址和前面的代理",
        429 => "问得太频繁，过一会儿会再问",
        500.. => "微信那边或中间的网关暂时出错，过一会儿会再问",
        _ => "请求没有被受理：请核对接口地址和前面的代理",
    };
    format!("HTTP {status} {meaning}")
}
