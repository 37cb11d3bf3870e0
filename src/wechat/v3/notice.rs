//! Reading a notice of API v3: verified over the raw bytes, opened, and told by what it says, never by where it came in.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::super::flaw::Flaw;
use super::super::refund::RefundFact;
use super::super::{Check, Identity, Payment};
use super::keys::V3Key;
use super::pay::read_payment;
use super::refund::read_refund;
use super::sign::{APART, BadSeal, Recorded, Seal};
use super::{Merchant, Until};
use crate::clock;

/// What a notice turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Paid(Payment),
    Refunded(RefundFact),
    /// Authentic, and about something that this shop does not deal in.
    Other(String),
    /// Not believed: WeChat is asked to send again.
    Refused(String),
    /// Believed, but none of our keys opens it: the owner has to look at the API v3 key, and WeChat sends it again.
    Sealed,
}

/// A notice that was looked at, with everything that was checked on the way.
#[derive(Clone, Debug)]
pub struct Notice {
    pub verdict: Verdict,
    pub checks: Vec<Check>,
    /// What was wrong with its signature, if that was it.
    pub bad: Option<BadSeal>,
    /// In whose name it speaks, when that is not today's: right only for an attempt that was made in this name.
    pub other: Option<Identity>,
    /// As it stands in the notice, believed or not, to find it again in the log.
    pub out_trade_no: Option<String>,
    /// It needed a key that is no more in force, and speaks of today's merchant number: what that means for the owner.
    pub earlier: Option<String>,
    /// It speaks of a merchant number of before, with the keys of that: nothing follows from it for those of today.
    pub of_before: bool,
    /// One of our keys opens it, whatever is wrong with its signature: no forger wrote it.
    pub opens: bool,
}

/// What it means that no key of ours opens a notice, and what to do.
pub const SEALED: &str =
    "APIv3 密钥打不开这条通知：设置里的密钥不对，或通知在路上被改过。请在商户平台 → API 安全 核对并重新填写";

/// What it means that one from before the last change was needed, and what to do.
fn earlier(what: &str, ends: i64) -> String {
    format!(
        "微信还在用更换前的{what}，{} 以后就认不出它的通知了：刚在商户平台换过的，等下一条通知；没有换过的，说明现在填的不对，请在商户平台 → API 安全 核对",
        clock::shown(ends)
    )
}

/// Reads a notice. `now` is `None` when an old one is looked at again. Source: payment and refund notices, API v3.
pub fn read(
    values: impl Fn(&'static str) -> Vec<String>,
    body: &[u8],
    merchant: &Merchant,
    now: Option<i64>,
) -> Notice {
    let mut notice = Notice {
        verdict: Verdict::Sealed,
        checks: Vec::new(),
        bad: None,
        other: None,
        out_trade_no: None,
        earlier: None,
        of_before: false,
        opens: false,
    };
    let sealed = Seal::read(values).and_then(|seal| seal.check(body, merchant, now).map(|ends| (seal.serial, ends)));
    let bad = sealed.as_ref().err();
    notice.note("验签", bad.filter(|bad| !bad.is_of_time()).map(BadSeal::words));
    if let Some(late) = bad.filter(|bad| bad.is_of_time()) {
        notice.note(SIGNED_AT, Some(late.words()));
    }
    match sealed {
        Ok((id, ends)) => notice.earlier = ends.map(|ends| earlier(&format!("微信支付公钥 {id}"), ends)),
        Err(bad) => {
            notice.verdict = Verdict::Refused(bad.word().into());
            notice.opens = content(body, merchant).is_some();
            notice.bad = Some(bad);
            return notice;
        }
    }
    notice.verdict = match opened(body, merchant, &mut notice.checks) {
        Ok(Some(Opened { event, facts, ends })) => {
            notice.opens = true;
            notice.earlier = ends.map(|ends| earlier(" APIv3 密钥", ends)).or(notice.earlier);
            notice.out_trade_no = text(&facts, "out_trade_no").map(|number| number.chars().take(64).collect());
            let named = |name| text(&facts, name).unwrap_or_default();
            // A refund names no app.
            let app = if event.starts_with("REFUND.") { &merchant.app_id } else { named("appid") };
            notice.other = Identity::unless((&merchant.app_id, &merchant.mch_id), app, named("mchid"));
            if named("mchid") != merchant.mch_id && notice.earlier.take().is_some() {
                notice.of_before = true;
                let note = format!("换商户号之前的，商户号 {} 的通知仍用它", named("mchid"));
                notice.checks.push(Check { what: "用的密钥", ok: true, note });
            }
            said(&event, &facts, &mut notice.checks)
        }
        Ok(None) => Verdict::Sealed,
        Err(flaw) => Verdict::Refused(flaw.word().into()),
    };
    notice
}

/// What is checked of when a notice was signed.
const SIGNED_AT: &str = "签名的时间";

impl Notice {
    /// By how much our clock is ahead of WeChat's, as far as its replies have told: a notice that is old by WeChat's own clock says
    /// nothing of ours.
    pub fn by_wechats_clock(mut self, ahead: Option<i64>) -> Notice {
        if let (Some(BadSeal::Clock(apart)), Some(ahead)) = (&self.bad, ahead)
            && apart - ahead > APART
        {
            let old = BadSeal::Old { ago: apart - ahead, ahead };
            self.checks.retain(|check| check.what != SIGNED_AT);
            self.note(SIGNED_AT, Some(old.words()));
            self.bad = Some(old);
        }
        self
    }

    fn note(&mut self, what: &'static str, wrong: Option<String>) {
        self.checks.push(Check { what, ok: wrong.is_none(), note: wrong.unwrap_or_default() });
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// What a notice seals, in clear; `None` for anything else, and for what no key of ours opens.
pub fn content(body: &[u8], merchant: &Merchant) -> Option<Value> {
    opened(body, merchant, &mut Vec::new()).ok().flatten().map(|opened| opened.facts)
}

/// What a notice says in clear.
struct Opened {
    event: String,
    facts: Value,
    /// When the key that opened it does so no more, if another one has taken its place.
    ends: Option<i64>,
}

/// `None` when no key of ours opens it.
fn opened(body: &[u8], merchant: &Merchant, checks: &mut Vec<Check>) -> Result<Option<Opened>, Flaw> {
    let outer: Value = serde_json::from_slice(body).map_err(|_| Flaw::NotJson)?;
    let event = text(&outer, "event_type").ok_or(Flaw::EventType)?.to_owned();
    let resource = outer.get("resource").ok_or(Flaw::Resource)?;
    if text(resource, "algorithm") != Some("AEAD_AES_256_GCM") {
        return Err(Flaw::Algorithm);
    }
    let sealed = text(resource, "ciphertext").and_then(|t| BASE64_STANDARD.decode(t).ok()).ok_or(Flaw::Ciphertext)?;
    let nonce = text(resource, "nonce").ok_or(Flaw::NonceMissing)?;
    // It may be empty or left out.
    let aad = text(resource, "associated_data").unwrap_or_default();
    let open = |one: &Until<V3Key>| Some((one.key.open(nonce.as_bytes(), aad.as_bytes(), &sealed)?, one.ends()));
    let plain = merchant.v3_keys().find_map(open);
    let note = if plain.is_some() { "" } else { SEALED };
    checks.push(Check { what: "解密", ok: plain.is_some(), note: note.to_owned() });
    let Some((plain, ends)) = plain else { return Ok(None) };
    let facts = serde_json::from_slice(&plain).map_err(|_| Flaw::ResourceNotJson)?;
    Ok(Some(Opened { event, facts, ends }))
}

fn bad_field(name: &str) -> String {
    format!("{} {name}", Flaw::BadField.word())
}

fn said(event: &str, facts: &Value, checks: &mut Vec<Check>) -> Verdict {
    let mut check = |what: &'static str, wrong: Option<String>| {
        checks.push(Check { what, ok: wrong.is_none(), note: wrong.clone().unwrap_or_default() });
        wrong
    };
    match event {
        "TRANSACTION.SUCCESS" => {
            // In whose name it may speak, our own attempt tells: the shop may have moved to another one since.
            let named = text(facts, "mchid").is_some() && text(facts, "appid").is_some();
            if let Some(word) = check("商户号", (!named).then(|| Flaw::OtherMerchant.word().to_owned())) {
                return Verdict::Refused(word);
            }
            let state = text(facts, "trade_state").unwrap_or_default();
            // Given back before it was told of: it was paid all the same.
            let paid = matches!(state, "SUCCESS" | "REFUND");
            let unpaid = (!paid).then(|| format!("{} {state}", Flaw::TradeState.word()));
            if let Some(word) = check("支付状态", unpaid) {
                return Verdict::Refused(word);
            }
            let payment = read_payment(facts).map(|paid| Payment { refund_started: state == "REFUND", ..paid });
            match check("必填字段与范围", payment.as_ref().err().map(|field| bad_field(field))) {
                Some(word) => Verdict::Refused(word),
                None => payment.map_or_else(|field| Verdict::Refused(field.into()), Verdict::Paid),
            }
        }
        "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
            // In whose name it may speak, the payment that we entered tells.
            let named = text(facts, "mchid").is_some();
            if let Some(word) = check("商户号", (!named).then(|| Flaw::OtherMerchant.word().to_owned())) {
                return Verdict::Refused(word);
            }
            // The event and the facts say the same, or nothing that can be gone by.
            let agree = event.strip_prefix("REFUND.") == text(facts, "refund_status");
            if let Some(word) = check("通知类型与状态", (!agree).then(|| bad_field("refund_status"))) {
                return Verdict::Refused(word);
            }
            let refund = read_refund(facts, "refund_status");
            match (check("必填字段与范围", refund.as_ref().err().map(|e| e.said().to_owned())), refund) {
                (None, Ok(refund)) => Verdict::Refunded(refund),
                _ => Verdict::Refused(Flaw::BadField.word().into()),
            }
        }
        other => Verdict::Other(other.chars().take(64).collect()),
    }
}

/// Looks at a stored notice once more, however old it is.
pub fn read_again(stored: &Recorded<'_>, merchant: &Merchant) -> Notice {
    let values = |wanted: &'static str| {
        stored.headers.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned()).collect()
    };
    read(values, stored.body, merchant, None)
}
