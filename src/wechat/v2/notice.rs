//! Reading a payment notice of API v2: the checks in order, each refusal with its own reason.

use super::super::flaw::Flaw;
use super::super::{Check, Identity, Payment};
use super::message::Message;
use super::pay::read_payment;
use super::sign::{self, Authentic};
use super::{Merchant, Verified};

/// The one answer WeChat takes as received: one line, nothing before or after.
pub const ACKNOWLEDGED: &str =
    "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

/// Asks WeChat to send again; `reason` is a constant ASCII word.
pub fn refused(reason: &str) -> String {
    format!("<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{reason}]]></return_msg></xml>")
}

/// What a notice turned out to be.
#[derive(Clone, Debug)]
pub enum Verdict {
    Paid(Payment),
    /// Authentic, and says that no money moved.
    NotPaid(String),
    /// Not believed, or not understood: WeChat is asked to send again.
    Refused(String),
}

/// A notice that was looked at, with everything that was checked on the way.
#[derive(Clone, Debug)]
pub struct Notice {
    pub verdict: Verdict,
    pub checks: Vec<Check>,
    /// Signed with a digest that went out of use at this moment: it can only speak of orders made before.
    pub as_before: Option<i64>,
    /// In whose name it speaks, when that is not today's: right only for an attempt that was made in this name.
    pub other: Option<Identity>,
    /// As the sender wrote it, believed or not, to find it again in the log.
    pub out_trade_no: Option<String>,
}

/// Reads the body of a payment notice. Source: payment result notice, API v2.
pub fn read(bytes: &[u8], merchant: &Merchant) -> Notice {
    let mut checks = Checks(Vec::new());
    let mut out_trade_no = None;
    let (verdict, as_before, other) = match authentic(bytes, merchant, &mut checks, &mut out_trade_no) {
        Ok(verified) => {
            let said = |name| verified.authentic.message().filled(name).unwrap_or_default();
            let other = Identity::unless((&merchant.app_id, &merchant.mch_id), said("appid"), said("mch_id"));
            (facts(&verified.authentic, &mut checks), verified.as_before, other)
        }
        Err(word) => (Verdict::Refused(word), None, None),
    };
    Notice { verdict, checks: checks.0, as_before, other, out_trade_no }
}

struct Checks(Vec<Check>);

impl Checks {
    /// Notes a check; a failed one ends the reading with its word.
    fn note(&mut self, what: &'static str, wrong: Option<String>) -> Result<(), String> {
        self.0.push(Check { what, ok: wrong.is_none(), note: wrong.clone().unwrap_or_default() });
        wrong.map_or(Ok(()), Err)
    }
}

fn unless(fine: bool, flaw: Flaw) -> Option<String> {
    (!fine).then(|| flaw.word().to_owned())
}

fn bad_field(name: &str) -> String {
    format!("{} {name}", Flaw::BadField.word())
}

fn authentic(
    bytes: &[u8],
    merchant: &Merchant,
    checks: &mut Checks,
    out_trade_no: &mut Option<String>,
) -> Result<Verified, String> {
    let read = Message::read(bytes);
    checks.note("XML 格式、无重复与嵌套", read.as_ref().err().map(|e| e.word().to_owned()))?;
    let message = read.unwrap_or_default();
    *out_trade_no = message.filled("out_trade_no").map(|number| number.chars().take(64).collect());
    checks.note("通信标识", unless(message.get("return_code") == Some("SUCCESS"), Flaw::ReturnCode))?;
    // In whose name it may speak, our own attempt tells: the shop may have moved to another one since.
    let named = message.filled("appid").is_some() && message.filled("mch_id").is_some();
    checks.note("商户号", unless(named, Flaw::OtherMerchant))?;
    let verified = merchant.verify(message);
    checks.note("验签", verified.as_ref().err().map(|e| e.word().to_owned()))?;
    let verified = verified.map_err(|e| e.word().to_owned())?;
    for (used, how) in [(verified.by_old_key, "更换前的密钥"), (verified.as_before.is_some(), "更换前的签名方式")]
    {
        if used {
            checks.0.push(Check { what: "签名用的是", ok: true, note: how.to_owned() });
        }
    }
    Ok(verified)
}

fn facts(authentic: &Authentic, checks: &mut Checks) -> Verdict {
    let message = authentic.message();
    let facts = |checks: &mut Checks| {
        // Our own signed requests carry these; a leaked one must not pass for a notice.
        let echo = ["notify_url", "spbill_create_ip"].iter().any(|name| message.get(name).is_some());
        checks.note("不是本店发出的请求", unless(!echo, Flaw::OwnRequest))?;
        let partner = ["sub_appid", "sub_mch_id"].iter().any(|name| message.filled(name).is_some());
        checks.note("不是服务商模式", unless(!partner, Flaw::PartnerMode))?;
        if message.get("result_code") == Some("FAIL") {
            checks.note("业务结果", None)?;
            return Ok(Verdict::NotPaid(message.filled("err_code").unwrap_or("FAIL").to_owned()));
        }
        checks.note("业务结果", unless(message.get("result_code") == Some("SUCCESS"), Flaw::ResultCode))?;
        checks.note("付款银行", message.filled("bank_type").is_none().then(|| bad_field("bank_type")))?;
        checks.note("交易类型", message.filled("trade_type").is_none().then(|| bad_field("trade_type")))?;
        let payment = read_payment(message);
        checks.note("必填字段与范围", payment.as_ref().err().map(|field| bad_field(field)))?;
        payment.map(Verdict::Paid).map_err(str::to_owned)
    };
    facts(checks).unwrap_or_else(Verdict::Refused)
}

/// What a decrypted refund notice says: a hint to query, never a fact (it carries no signature).
#[derive(Clone, Debug)]
pub struct RefundHint {
    pub fields: Message,
    /// In whose name it speaks, when that is not today's: right only for a payment that came in under this number.
    pub other_mch_id: Option<String>,
}

/// In whose number's name a refund notice comes, for whoever cannot open it. Nothing says that it is true.
pub fn refund_told_to(bytes: &[u8]) -> Option<String> {
    let outer = Message::read(bytes).ok()?;
    outer.filled("req_info")?;
    outer.filled("mch_id").map(str::to_owned)
}

/// Opens the notice of a refund. It may name an app or a number that the shop has moved from.
pub fn read_refund_hint(bytes: &[u8], merchant: &Merchant) -> Result<RefundHint, String> {
    let outer = Message::read(bytes).map_err(|e| e.word().to_owned())?;
    if outer.get("return_code") != Some("SUCCESS") {
        return Err(Flaw::ReturnCode.word().into());
    }
    let mch_id = outer.filled("mch_id").ok_or(Flaw::OtherMerchant.word())?;
    let other_mch_id = (mch_id != merchant.mch_id).then(|| mch_id.to_owned());
    let sealed = outer.filled("req_info").ok_or(Flaw::ReqInfoMissing.word())?;
    // Without a signature the padding alone tells whether the key fits, and a wrong one can seem to: the text decides.
    let mut problem = Flaw::ReqInfoUnreadable.word().to_owned();
    for key in std::iter::once(&merchant.key).chain(&merchant.before.keys) {
        match sign::open_req_info(sealed, key).map(|plain| Message::read_root(&plain, "root")) {
            Some(Ok(fields)) => return Ok(RefundHint { fields, other_mch_id }),
            Some(Err(e)) => problem = e.word().to_owned(),
            None => {}
        }
    }
    Err(problem)
}
