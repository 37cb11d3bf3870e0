//! What can go wrong at the simulated WeChat: for the next calls of a kind, or for all of them until it is cleared.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

/// The calls that can go wrong, by the names of WeChat's own paths.
pub const KINDS: [&str; 23] = [
    "login",
    "unifiedorder",
    "orderquery",
    "closeorder",
    "refund",
    "refundquery",
    "downloadbill",
    "downloadfundflow",
    "stable_token",
    "token",
    "trade_managed",
    "trade_confirmed",
    "order_path",
    "upload_shipping",
    "delivery_list",
    "get_order",
    "get_order_list",
    "confirm_receive",
    "subscribe_send",
    "wxacode",
    // Of API v3: its notices, and the file of a bill.
    "notify",
    "refund_notify",
    "billdownload",
];

/// Something that goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A signed refusal, with code and words.
    ErrCode(Cow<'static, str>, Cow<'static, str>),
    /// `return_code=FAIL`.
    ReturnFail(Cow<'static, str>),
    /// The call is carried out, but the answer is lost.
    LoseAnswer,
    /// The call is not carried out, and an error page comes back.
    #[serde(alias = "http_500")]
    Http500,
    /// The call is carried out, and the answer comes after so many milliseconds.
    Slow(u64),
    /// The answer's signature is wrong.
    BadSign,
    /// The answer is signed for another merchant number.
    OtherMerchant,
    /// The answer is signed for another app id.
    OtherApp,
    /// API v3: the answer carries no signature.
    Unsigned,
    /// API v3: a probe, which looks like a signature and is none.
    SignTest,
    /// API v3: signed by a key of another id.
    OtherSerial,
    /// API v3: signed with a platform certificate, as before the change to the public key.
    CertificateSerial,
    /// API v3: signed more than five minutes ago.
    ClockOff,
    /// API v3: a signature header stands twice.
    DoubledHeader,
    /// API v3: what a notice seals was altered on the way.
    TagChanged,
    /// API v3: the bill is not what its hash says.
    BillHash,
    /// API v3: the bill is said to lie on another host.
    BillElsewhere,
    /// API v3: the answer is right, and longer than any answer is.
    TooLong,
    /// API v3: a right notice whose `associated_data` is empty.
    AadEmpty,
    /// API v3: a right notice without `associated_data`.
    AadMissing,
}

impl Fault {
    pub fn refused(code: &'static str, text: &'static str) -> Fault {
        Fault::ErrCode(code.into(), text.into())
    }

    /// In words, for the page.
    pub fn text(&self) -> String {
        match self {
            Fault::ErrCode(code, text) => format!("拒绝 {code} {text}"),
            Fault::ReturnFail(text) => format!("不受理：{text}"),
            Fault::LoseAnswer => "照办，但回答丢失".into(),
            Fault::Http500 => "不办，回答 HTTP 500".into(),
            Fault::Slow(ms) => format!("照办，{ms} 毫秒后才回答"),
            Fault::BadSign => "回答的签名不对".into(),
            Fault::OtherMerchant => "回答的是别的商户号".into(),
            Fault::OtherApp => "回答的是别的 AppID".into(),
            Fault::Unsigned => "v3：回答或通知没有签名".into(),
            Fault::SignTest => "v3：验签探测 SIGNTEST".into(),
            Fault::OtherSerial => "v3：用另一个公钥 ID 签名".into(),
            Fault::CertificateSerial => "v3：用平台证书签名".into(),
            Fault::ClockOff => "v3：签名的时间差了五分钟以上".into(),
            Fault::DoubledHeader => "v3：签名头出现两次".into(),
            Fault::TagChanged => "v3：通知的密文被改动".into(),
            Fault::BillHash => "v3：账单与摘要不符".into(),
            Fault::BillElsewhere => "v3：账单地址在别的主机".into(),
            Fault::TooLong => "v3：回答太长".into(),
            Fault::AadEmpty => "v3：通知的 associated_data 是空的（有效）".into(),
            Fault::AadMissing => "v3：通知没有 associated_data（有效）".into(),
        }
    }
}

/// The faults that wait for their calls.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
}

impl Faults {
    pub fn push(&mut self, kind: &str, fault: Fault) {
        self.next.entry(kind.to_owned()).or_default().push_back(fault);
    }

    /// Every call of this kind goes wrong, until the faults are cleared.
    pub fn set(&mut self, kind: &str, fault: Fault) {
        self.always.insert(kind.to_owned(), fault);
    }

    pub fn clear(&mut self) {
        *self = Faults::default();
    }

    pub fn take(&mut self, kind: &str) -> Option<Fault> {
        let next = self.next.get_mut(kind).and_then(VecDeque::pop_front);
        next.or_else(|| self.always.get(kind).cloned())
    }

    /// Kind, what goes wrong, and whether it does so every time.
    pub fn listed(&self) -> Vec<(String, Fault, bool)> {
        let next = self.next.iter().flat_map(|(kind, faults)| faults.iter().map(|f| (kind.clone(), f.clone(), false)));
        next.chain(self.always.iter().map(|(kind, fault)| (kind.clone(), fault.clone(), true))).collect()
    }
}
