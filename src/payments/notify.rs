//! Notify: WeChat's call. Verified, settled and logged in one transaction; then the constant acknowledgement.

use std::time::Instant;

use rocket::data::Data;
use rocket::http::ContentType;
use rocket::{Route, State, post, routes};

use super::refund::learn;
use super::settle::{self, Settled, Source};
use super::{AttemptState, store};
use crate::db::{Kept, Tx};
use crate::door::limits::Limits;
use crate::door::{ClientIp, body};
use crate::error::{Code, Result};
use crate::exceptions::{Look, store as exceptions};
use crate::ids::MessageId;
use crate::jobs::{self, Task};
use crate::ledger::{Entered, store as ledger};
use crate::message_log::{self, Logged, Verdict};
use crate::orders::{self, Topic, Who};
use crate::refunds::{Refund, RefundState, store as refunds};
use crate::settings::Settings;
use crate::settings::changes::{API_KEY, OVERLAP};
use crate::settings::store::former_keys;
use crate::shop::Shop;
use crate::wechat::flaw::{Flaw, explained};
use crate::wechat::v2::message;
use crate::wechat::v2::notice::{self, Notice};
use crate::wechat::v2::sign::BadSign;
use crate::wechat::{Api, Check, Identity, Payment};

pub fn routes() -> Vec<Route> {
    routes![payment, refund]
}

type Xml = (ContentType, String);

fn xml(text: impl Into<String>) -> Xml {
    (ContentType::XML, text.into())
}

#[post("/pay/notify", data = "<data>")]
async fn payment(shop: &State<Shop>, limits: &State<Limits>, ip: ClientIp, data: Data<'_>) -> Xml {
    match read(data).await {
        Ok(bytes) => xml(hear(shop, limits, bytes, ip).await),
        Err(word) => xml(refuse(shop, limits, "notify", Vec::new(), ip, word).await),
    }
}

/// Takes in the notice of a payment; answers with what WeChat is told.
pub async fn hear(shop: &Shop, limits: &Limits, bytes: Vec<u8>, ip: ClientIp) -> String {
    let start = Instant::now();
    let Some(merchant) = shop.merchant_v2() else {
        return unready(shop, limits, "notify", bytes, ip).await;
    };
    let notice = notice::read(&bytes, &merchant);
    if let notice::Verdict::Refused(word) = &notice.verdict
        && !limits.refusal(&ip.0)
    {
        return notice::refused(word);
    }
    let mut entry = Logged::received("notify", bytes, ip.0);
    entry.out_trade_no = notice.out_trade_no.clone();
    if let notice::Verdict::Paid(_) = &notice.verdict {
        entry = entry.packed_as(notice::ACKNOWLEDGED, likely(&notice.checks), shop.dictionary().as_ref());
    }
    // When nothing could be kept, nothing is acknowledged: WeChat sends it again.
    keep(shop, entry, start, move |tx, entry, settings| enter(tx, notice.clone(), entry, settings))
        .await
        .unwrap_or_else(|_| notice::refused("TRY_AGAIN"))
}

/// At most 64 KiB, within a limited time.
pub(super) async fn read(data: Data<'_>) -> std::result::Result<Vec<u8>, &'static str> {
    let kib = message::MAX_BYTES as u64 / 1024;
    body::within(data, kib).await.map_err(|e| match e.code {
        Code::PayloadTooLarge => message::NotAMessage::TooLarge.word(),
        _ => Flaw::BodyIncomplete.word(),
    })
}

/// Writes down a notice of either version and whatever it means, by `enter`; answers with what WeChat is told.
pub(super) async fn keep<A: Send + 'static>(
    shop: &Shop,
    entry: Logged,
    start: Instant,
    enter: impl Fn(&Tx, Logged, &Settings) -> Result<A> + Send + 'static,
) -> Result<A> {
    let settings = shop.settings();
    let write = move |tx: &Tx| {
        let took_ms = start.elapsed().as_millis() as i64;
        enter(tx, Logged { took_ms, ..entry.clone() }, &settings)
    };
    let due = shop.db.outdated(Kept::DueJobs);
    let answer = shop.write_always(write).await?;
    // Most payments leave nothing to do at once.
    if shop.db.outdated(Kept::DueJobs) != due {
        shop.wake_worker();
    }
    Ok(answer)
}

/// The whole transaction of a notice: its row in the log, and what became of the money.
pub fn enter(tx: &Tx, notice: Notice, mut entry: Logged, settings: &Settings) -> Result<String> {
    let notice = in_our_name(tx, made_before(tx, notice)?)?;
    entry.checks = notice.checks;
    let mut answer = match &notice.verdict {
        notice::Verdict::Paid(_) | notice::Verdict::NotPaid(_) => notice::ACKNOWLEDGED.to_owned(),
        notice::Verdict::Refused(word) => notice::refused(word),
    };
    // The timeline points at the row, which is written when it is known what became of the money.
    let message = message_log::next_id(tx)?;
    match &notice.verdict {
        notice::Verdict::Paid(payment) => {
            if settle_noticed(tx, payment, &mut entry, message, settings)? == Settled::OtherVersion {
                answer = notice::refused(Flaw::OtherVersion.word());
            }
        }
        notice::Verdict::NotPaid(code) => entry.reason = format!("微信通知未付款：{code}"),
        notice::Verdict::Refused(word) => {
            entry.verdict = Verdict::Refused;
            let signed = entry.checks.iter().any(|check| check.what == "验签" && check.ok);
            let unread = if signed { unread(word) } else { "" };
            if let Some(number) = entry.out_trade_no.as_deref().filter(|_| !unread.is_empty()) {
                store::put_unread(tx, number, &explained(word))?;
            }
            entry.reason = format!("已拒绝：{}{unread}", explained(word));
            entry.keep_little();
        }
    }
    entry.response = answer.clone().into_bytes();
    entry.record_as(message, tx)?;
    Ok(answer)
}

/// Settles what a notice says, whatever its version, and writes into its row what became of the money. What pays nothing because
/// its version cannot tell of it is asked about.
pub(super) fn settle_noticed(
    tx: &Tx,
    payment: &Payment,
    entry: &mut Logged,
    message: MessageId,
    settings: &Settings,
) -> Result<Settled> {
    let settlement = settle::settle(tx, payment, Source::Notify, Some(message), settings)?;
    let settled = settlement.settled;
    entry.transaction_id = Some(payment.transaction_id.clone());
    entry.amount = Some(payment.total);
    entry.order_id = settlement.attempt.as_ref().map(|a| a.order_id);
    entry.attempt_id = settlement.attempt.as_ref().map(|a| a.id);
    entry.verdict = match settled {
        Settled::OtherVersion => Verdict::Refused,
        _ if settled.fits_an_order() || settled == Settled::Asked => Verdict::Ok,
        _ => Verdict::Suspicious,
    };
    if let (Settled::OtherVersion | Settled::Asked, Some(attempt)) = (settled, &settlement.attempt) {
        let ask = match attempt.state {
            AttemptState::Closing => Task::Close(attempt.id),
            _ => Task::Poll(attempt.id),
        };
        jobs::enqueue(tx, ask, tx.now())?;
    }
    if settled == Settled::Unproven
        && let Some(exception) = exceptions::unproven_of(tx, &payment.transaction_id)?
    {
        jobs::enqueue(tx, Task::Prove(exception), tx.now())?;
    }
    // What is told again may be known to WeChat by now.
    let look = Look { now: tx.now(), asks_first: settings.api().asks_first() };
    for exception in exceptions::to_prove_of(tx, &payment.transaction_id, look)? {
        jobs::enqueue(tx, Task::Prove(exception), tx.now())?;
    }
    entry.reason = settled.text().to_owned();
    entry.checks.push(fitting(settled));
    Ok(settled)
}

/// What to do about a notice that WeChat signed and that cannot be read: the money may be there.
pub(super) fn unread(word: &str) -> &'static str {
    match word.starts_with(Flaw::BadField.word()) {
        true => "。是微信签过名的，钱可能已经收到却没有入账：请到商户平台核对这一笔，并把这条消息发给技术支持",
        false => "",
    }
}

fn fitting(settled: Settled) -> Check {
    let unfit =
        [Settled::OtherTransaction, Settled::AmountMismatch, Settled::Orphan, Settled::OtherVersion, Settled::Unproven];
    let ok = !unfit.contains(&settled);
    Check { what: "金额、币种与订单", ok, note: settled.text().to_owned() }
}

/// The checks of a notice that ends as nearly all of them do, for its text to be packed before the writer has it.
pub(super) fn likely(checks: &[Check]) -> Vec<Check> {
    checks.iter().cloned().chain([fitting(Settled::Paid)]).collect()
}

/// A notice in another name is ours when the attempt was made in that name, before the shop moved.
fn in_our_name(tx: &Tx, mut notice: Notice) -> Result<Notice> {
    let Some(other) = notice.other.take() else { return Ok(notice) };
    let payment = match &notice.verdict {
        notice::Verdict::Paid(payment) => Some(payment),
        _ => None,
    };
    let check = made_under(tx, payment, &other)?;
    if !check.ok {
        notice.verdict = notice::Verdict::Refused(check.note.clone());
    }
    notice.checks.push(check);
    Ok(notice)
}

/// Whether the attempt that was paid was made in this name; of a payment that none of ours was made for, whether the shop
/// ever had it.
pub(super) fn made_under(tx: &Tx, payment: Option<&Payment>, name: &Identity) -> Result<Check> {
    let attempt = payment.map(|payment| store::attempt_of(tx, payment)).transpose()?.flatten();
    let ok = match attempt {
        Some(attempt) => name.is(attempt.params.app_id(), attempt.params.mch_id()),
        None => payment.is_some() && store::had_name(tx, &name.app_id, &name.mch_id)?,
    };
    let note = if ok { format!("{} {}", name.app_id, name.mch_id) } else { Flaw::OtherMerchant.word().to_owned() };
    Ok(Check { what: "AppID 和商户号", ok, note })
}

/// A notice that is signed as nothing is signed any more can only be about an order that was made before the change.
fn made_before(tx: &Tx, mut notice: Notice) -> Result<Notice> {
    if let (notice::Verdict::Paid(payment), Some(changed_at)) = (&notice.verdict, notice.as_before) {
        let attempt = store::attempt_of(tx, payment)?;
        let fits = attempt.is_some_and(|attempt| attempt.created_at < changed_at);
        let note = if fits { "" } else { BadSign::OtherSignType.word() };
        notice.checks.push(Check { what: "支付单早于签名方式的更换", ok: fits, note: note.to_owned() });
        if !fits {
            notice.verdict = notice::Verdict::Refused(BadSign::OtherSignType.word().into());
        }
    }
    Ok(notice)
}

/// What is kept of a message that nobody could look at, and of the answer to it.
fn little(kind: &'static str, bytes: Vec<u8>, ip: &ClientIp, answer: &str) -> Logged {
    let mut entry = Logged::received(kind, bytes, ip.0.clone());
    entry.keep_little();
    Logged { response: answer.as_bytes().to_vec(), ..entry }
}

/// Nobody here can look at it: it stands in the log, and WeChat sends it again.
async fn unready(shop: &Shop, limits: &Limits, kind: &'static str, bytes: Vec<u8>, ip: ClientIp) -> String {
    let answer = notice::refused(Flaw::NotConfigured.word());
    let told_to = notice::refund_told_to(&bytes).filter(|_| kind == "refund_notify");
    let received = || little(kind, bytes, &ip, &answer);
    log_unready(shop, limits, &ip, Api::V2, told_to, received).await;
    answer
}

/// Answers to a message that could not even be looked at, and logs it.
async fn refuse(shop: &Shop, limits: &Limits, kind: &'static str, bytes: Vec<u8>, ip: ClientIp, word: &str) -> String {
    let answer = notice::refused(word);
    let received = || little(kind, bytes, &ip, &answer);
    log_refused(shop, limits, &ip, word, received).await;
    answer
}

/// The same of a refund's notice. One in our number's name that our key does not open may tell of a refund that nobody here
/// knows: whoever has only API v3 to sell by learns by nothing else that the other key is wrong.
async fn unopened(shop: &Shop, limits: &Limits, bytes: Vec<u8>, ip: ClientIp, word: &str) -> String {
    let told_to = notice::refund_told_to(&bytes);
    let told_to = told_to.filter(|_| word == Flaw::ReqInfoUnreadable.word());
    let Some(mch_id) = ours(shop, told_to).await else {
        return refuse(shop, limits, "refund_notify", bytes, ip, word).await;
    };
    let answer = notice::refused(word);
    let received = || little("refund_notify", bytes, &ip, &answer);
    let words = format!(
        "发给商户号 {mch_id} 的退款通知用 APIv2 密钥打不开，里面的退款没有入账：请到商户平台核对 APIv2 密钥和最近的退款。那边没有退过款的，可能是别人乱发的，不用理会"
    );
    let alarm = move |tx: &Tx| Ok(store::put_alert(tx, &sealed_to(&mch_id), &words)?);
    log_with(shop, limits, &ip, word, format!("已拒绝：{}", explained(word)), received, alarm).await;
    answer
}

/// A merchant number of today, or of before where goods are still to leave for money that came in under it.
async fn ours(shop: &Shop, mch_id: Option<String>) -> Option<String> {
    let mch_id = mch_id?;
    if Some(mch_id.as_str()) == shop.settings().get("wechat.mch_id") {
        return Some(mch_id);
    }
    let of_before = mch_id.clone();
    let waits = shop.read(move |conn| Ok(ledger::waits_to_leave(conn, &of_before)?)).await.unwrap_or(true);
    waits.then_some(mch_id)
}

/// What the owner is alarmed about: a refund's notice to this number that its key of API v2 does not open. One that is opened says
/// nothing of another number's key.
fn sealed_to(mch_id: &str) -> String {
    format!("v2_sealed {mch_id}")
}

/// The owner has saved his keys, or the shop starts, which mends none: then another has to stand there since the alarm.
pub async fn keys_seen_to(shop: &Shop, saved: bool) -> Result<()> {
    let write = move |tx: &Tx| {
        let other_since = former_keys(tx, API_KEY)?.first().map_or(i64::MIN, |(_, ended_at)| *ended_at);
        Ok(store::clear_sealed(tx, if saved { i64::MAX } else { other_since })?)
    };
    shop.write(write).await
}

/// Logs a message that nobody could look at, unless its sender has sent too many of them.
pub(super) async fn log_refused(
    shop: &Shop,
    limits: &Limits,
    ip: &ClientIp,
    word: &str,
    received: impl FnOnce() -> Logged,
) {
    let reason = format!("已拒绝：{}", explained(word));
    log_with(shop, limits, ip, word, reason, received, |_| Ok(())).await;
}

/// The same of one for which the keys of its version are missing. Where WeChat may still speak of something in it, or comes
/// in our number's name, the owner hears of it: nobody else can know.
pub(super) async fn log_unready(
    shop: &Shop,
    limits: &Limits,
    ip: &ClientIp,
    api: Api,
    told_to: Option<String>,
    received: impl FnOnce() -> Logged,
) {
    let text = api.text();
    let why = shop.settings().unready(api).unwrap_or_else(|| format!("{text} 还没有设置好"));
    let words = format!(
        "收到了 {text} 的通知，却看不了，里面的付款或退款也就没有入账：{why}。请补上（写在配置里的改配置再重启），微信会重发一天，错过的对账时补记"
    );
    let reason = format!("已拒绝：看不了，{why}");
    let ours = told_to.is_some_and(|mch_id| Some(mch_id.as_str()) == shop.settings().get("wechat.mch_id"));
    let alarm = move |tx: &Tx| match ours || store::may_speak(tx, api, tx.now() - OVERLAP)? {
        true => Ok(store::put_alert(tx, unready_in(api), &words)?),
        false => Ok(()),
    };
    log_with(shop, limits, ip, Flaw::NotConfigured.word(), reason, received, alarm).await;
}

/// What the owner is alarmed about: notices in a version whose keys are missing.
pub(super) fn unready_in(api: Api) -> &'static str {
    match api {
        Api::V2 => "v2_unready",
        Api::V3 => "v3_unready",
    }
}

async fn log_with(
    shop: &Shop,
    limits: &Limits,
    ip: &ClientIp,
    word: &str,
    reason: String,
    received: impl FnOnce() -> Logged,
    besides: impl Fn(&Tx) -> Result<()> + Send + 'static,
) {
    if !limits.refusal(&ip.0) {
        return;
    }
    let entry = Logged { verdict: Verdict::Refused, reason, ..received() };
    let kind = entry.kind;
    let write = move |tx: &Tx| {
        besides(tx)?;
        Ok(entry.record(tx)?)
    };
    if shop.write_always(write).await.is_err() {
        log::error!("a refused {kind} could not be logged: {word}");
    }
}

/// A refund notice carries no signature and can be pasted together: it moves nothing, and makes us ask WeChat now.
#[post("/refund/notify", data = "<data>")]
async fn refund(shop: &State<Shop>, limits: &State<Limits>, ip: ClientIp, data: Data<'_>) -> Xml {
    let bytes = match read(data).await {
        Ok(bytes) => bytes,
        Err(word) => return xml(refuse(shop, limits, "refund_notify", Vec::new(), ip, word).await),
    };
    let Some(merchant) = shop.merchant_v2() else {
        return xml(unready(shop, limits, "refund_notify", bytes, ip).await);
    };
    let hint = match notice::read_refund_hint(&bytes, &merchant) {
        Ok(hint) => hint,
        Err(word) => return xml(unopened(shop, limits, bytes, ip, &word).await),
    };
    let mut received = Logged::received("refund_notify", bytes, ip.0);
    let text = |name| hint.fields.filled(name).map(str::to_owned);
    received.out_trade_no = text("out_trade_no");
    received.transaction_id = text("transaction_id");
    received.out_refund_no = text("out_refund_no");
    received.response = notice::ACKNOWLEDGED.into();
    let status = text("refund_status").unwrap_or_default();
    let (other, own) = (hint.other_mch_id, shop.settings().get("wechat.mch_id").map(str::to_owned));
    let write = move |tx: &Tx| {
        let mut entry = received.clone();
        let number = other.as_deref().or(own.as_deref()).unwrap_or_default();
        store::clear_alert(tx, &sealed_to(number))?;
        let of = entry.transaction_id.as_deref().unwrap_or_default();
        let known = entry.out_refund_no.as_deref().map(|no| refunds::meant(tx, of, no)).transpose()?.flatten();
        let payment = entry.transaction_id.as_deref().map(|id| ledger::payment(tx, id)).transpose()?.flatten();
        // In whose name it may speak, the payment that we entered tells.
        if other.is_some() && payment.as_ref().and_then(|payment| payment.mch_id.as_ref()) != other.as_ref() {
            let word = Flaw::OtherMerchant.word();
            entry.verdict = Verdict::Refused;
            entry.reason = format!("已拒绝：{}", explained(word));
            entry.response = notice::refused(word).into_bytes();
            entry.record(tx)?;
            return Ok(notice::refused(word));
        }
        let asked = match (known, payment) {
            // That one never went out: what WeChat tells of is another one, from before a backup was gone back to.
            (Some(refund), Some(payment)) if !refund.may_be_known_there() => {
                entry.order_id = refund.order_id;
                jobs::enqueue(tx, Task::Refunds(payment.id), tx.now())?;
                "本店没有发过这个单号，立即核对"
            }
            // It was given back in another way, and nobody follows it any more: WeChat may have paid it after all.
            (Some(refund), Some(payment)) if given_back_otherwise(tx, &refund)? => {
                entry.order_id = refund.order_id;
                jobs::enqueue(tx, Task::Refunds(payment.id), tx.now())?;
                "本店记的是用其他方式退的，立即核对"
            }
            // WeChat had said that it arrived, so nobody follows it any more.
            (Some(refund), Some(payment)) if refund.state == RefundState::Succeeded && status != "SUCCESS" => {
                entry.order_id = refund.order_id;
                jobs::enqueue(tx, Task::Refunds(payment.id), tx.now())?;
                "本店记的是已退给买家，立即核对"
            }
            (Some(refund), _) => {
                entry.order_id = refund.order_id;
                jobs::enqueue(tx, Task::Refund(refund.id), tx.now())?;
                "立即查询"
            }
            // Made in WeChat's own console: the payment is asked about instead.
            (None, Some(payment)) => {
                entry.order_id = payment.order_id;
                told_elsewhere(tx, &payment, other.as_deref(), entry.out_refund_no.as_deref())?;
                jobs::enqueue(tx, Task::Refunds(payment.id), tx.now())?;
                "本店没有这笔退款，立即核对"
            }
            (None, None) => {
                entry.verdict = Verdict::Suspicious;
                "本店没有这笔付款"
            }
        };
        entry.reason = format!("退款通知（没有签名，只作提示）：{status}，{asked}");
        entry.record(tx)?;
        Ok(notice::ACKNOWLEDGED.to_owned())
    };
    let answer = shop.write_always(write).await.unwrap_or_else(|_| notice::refused("TRY_AGAIN"));
    shop.wake_worker();
    xml(answer)
}

fn given_back_otherwise(tx: &Tx, refund: &Refund) -> Result<bool> {
    let by_wechat = refund.refund_id.as_deref().map(|id| ledger::has_refund(tx, id)).transpose()?;
    Ok(refund.state == RefundState::Succeeded && by_wechat != Some(true))
}

/// A refund that was made under a number of before cannot be asked about now, and the order is not sent meanwhile: also
/// where somebody has looked what went back by an earlier one.
fn told_elsewhere(tx: &Tx, payment: &Entered, other: Option<&str>, number: Option<&str>) -> Result<()> {
    let Some((mch_id, order)) = other.zip(payment.order_id) else { return Ok(()) };
    let what = format!(
        "微信提示有人在商户号 {mch_id} 的商户平台退过这笔款，现在设置的是别的商户号，没能查实：请到商户平台核对后再发货"
    );
    let new = learn::to_look(payment, &what);
    let heard = message_log::store::refunds_named(tx, &payment.transaction_id)?;
    match number.is_some_and(|number| !heard.iter().any(|(before, _)| before == number)) {
        true => exceptions::open_anew(tx, &new)?,
        false => drop(exceptions::open(tx, &new)?),
    }
    Ok(orders::store::note(tx, order, &Who::wechat(), Topic::Money, &what)?)
}
