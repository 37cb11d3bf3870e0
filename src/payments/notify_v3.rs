//! Notify by API v3: one door for payments and refunds, told apart by what a notice says; answered by HTTP status.

use std::time::Instant;

use rocket::data::Data;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::serde::json::Json;
use rocket::{Route, State, post, routes};
use serde_json::{Value, json};

use super::notify::{keep, likely, log_unready, made_under, read, settle_noticed, unread, unready_in};
use super::refund::learn;
use super::store;
use crate::db::Tx;
use crate::door::ClientIp;
use crate::door::limits::Limits;
use crate::error::Result;
use crate::ledger::store as ledger;
use crate::message_log::{self, Logged, Verdict};
use crate::refunds::{RefundState, store as refunds};
use crate::settings::Settings;
use crate::shop::Shop;
use crate::wechat::flaw::{Flaw, explained};
use crate::wechat::refund::{RefundFact, RefundStatus};
use crate::wechat::v3::notice::{self, Notice};
use crate::wechat::v3::sign::{self, BadSeal};
use crate::wechat::{Api, Check, Identity};

pub fn routes() -> Vec<Route> {
    routes![hear]
}

/// What the owner is alarmed about: a key that opens nothing, a signature that cannot be believed, a key from before the
/// last change that WeChat still uses.
const KEY: &str = "v3_key";
const SIGNATURE: &str = "v3_signature";
const EARLIER: &str = "v3_earlier";

/// The signature headers as they came, each as often as it came.
pub struct Headers(Vec<(String, String)>);

impl From<Vec<(&'static str, String)>> for Headers {
    fn from(all: Vec<(&'static str, String)>) -> Headers {
        Headers(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Headers {
    fn values(&self, wanted: &str) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone()).collect()
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Headers {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<Headers, ()> {
        let all = request.headers().iter().map(|header| (header.name.as_str().to_owned(), header.value.into_owned()));
        Outcome::Success(Headers(all.filter(|(name, _)| name.to_ascii_lowercase().starts_with("wechatpay-")).collect()))
    }
}

/// What WeChat is told: nothing when its notice was taken in, else an error, and it sends the notice again.
pub type Answer = std::result::Result<Status, (Status, Json<Value>)>;

/// `word` is a constant ASCII word.
fn refused(status: Status, word: &str) -> Answer {
    Err((status, Json(json!({ "code": "FAIL", "message": word }))))
}

#[post("/pay/v3/notify", data = "<data>")]
async fn hear(shop: &State<Shop>, limits: &State<Limits>, ip: ClientIp, headers: Headers, data: Data<'_>) -> Answer {
    match read(data).await {
        Ok(body) => take_in(shop, limits, ip, &headers, body).await,
        Err(word) => refused(Status::BadRequest, word),
    }
}

/// Takes in a notice; answers with what WeChat is told.
pub async fn take_in(shop: &Shop, limits: &Limits, ip: ClientIp, headers: &Headers, body: Vec<u8>) -> Answer {
    let start = Instant::now();
    let Some(merchant) = shop.merchant_v3() else {
        return unready(shop, limits, ip, headers, &body).await;
    };
    let notice = notice::read(|name| headers.values(name), &body, &merchant, Some(shop.now()));
    let notice = notice.by_wechats_clock(shop.wechat.clock_ahead_ms());
    // What WeChat signed is never weighed against the budget for rubbish.
    if notice.bad.is_some() && !limits.refusal(&ip.0) {
        return refused(Status::Unauthorized, notice.bad.as_ref().map_or("", BadSeal::word));
    }
    let stored = sign::recorded(|name| headers.values(name), &body);
    let mut entry = Logged::received("notify", stored, ip.0);
    entry.out_trade_no = notice.out_trade_no.clone();
    if let notice::Verdict::Paid(_) = &notice.verdict {
        let taken_in = Status::NoContent.to_string();
        entry = entry.packed_as(&taken_in, likely(&notice.checks), shop.dictionary().as_ref());
    }
    match keep(shop, entry, start, move |tx, entry, settings| {
        enter(tx, &in_our_name(tx, notice.clone())?, entry, settings)
    })
    .await
    {
        Ok(answer) => answer,
        // When nothing could be kept, nothing is acknowledged.
        Err(_) => refused(Status::ServiceUnavailable, "TRY_AGAIN"),
    }
}

/// Nobody here can read it: it stands in the log, and WeChat sends it again.
async fn unready(shop: &Shop, limits: &Limits, ip: ClientIp, headers: &Headers, body: &[u8]) -> Answer {
    let (word, status) = (Flaw::NotConfigured.word(), Status::ServiceUnavailable);
    let received = || {
        let stored = sign::recorded(|name| headers.values(name), body);
        Logged { response: status.to_string().into_bytes(), ..Logged::received("notify", stored, ip.0.clone()) }
    };
    log_unready(shop, limits, &ip, Api::V3, None, received).await;
    refused(status, word)
}

/// The whole transaction of a notice: its row in the log, what became of the money, and what the owner has to know.
fn enter(tx: &Tx, notice: &Notice, mut entry: Logged, settings: &Settings) -> Result<Answer> {
    entry.checks = notice.checks.clone();
    let message = message_log::next_id(tx)?;
    let answer = match &notice.verdict {
        notice::Verdict::Paid(payment) => {
            settle_noticed(tx, payment, &mut entry, message, settings)?;
            Ok(Status::NoContent)
        }
        notice::Verdict::Refunded(fact) => {
            entry.kind = "refund_notify";
            entry.transaction_id = Some(fact.transaction_id.clone());
            entry.out_refund_no = Some(fact.out_refund_no.clone());
            entry.amount = Some(fact.amount);
            let known = learn::learn(tx, fact, None)?;
            let refund = known.map(|id| refunds::by_id(tx, id)).transpose()?.flatten();
            let stands = refund.as_ref().is_some_and(|refund| refund.state == RefundState::Succeeded);
            let what = match (known, fact.status) {
                (None, _) => Some("本店没有这笔付款"),
                (_, RefundStatus::Change | RefundStatus::Closed) if stands => Some("账上已退给买家，请到商户平台核对"),
                _ => None,
            };
            let (fits, what) = (what.is_none(), what.unwrap_or("已登记"));
            entry.order_id = refund.and_then(|refund| refund.order_id);
            entry.verdict = if fits { Verdict::Ok } else { Verdict::Suspicious };
            entry.checks.push(Check { what: "退款与付款", ok: fits, note: what.to_owned() });
            entry.reason = format!("退款通知：{}，{what}", format!("{:?}", fact.status).to_uppercase());
            Ok(Status::NoContent)
        }
        notice::Verdict::Other(event) => {
            entry.reason = format!("与本店无关的通知：{event}");
            Ok(Status::NoContent)
        }
        notice::Verdict::Sealed => {
            entry.verdict = Verdict::Refused;
            entry.reason = format!("已拒绝：{}", notice::SEALED);
            store::put_alert(tx, KEY, &format!("微信的通知打不开，订单靠查单入账：{}", notice::SEALED))?;
            store::clear_alert(tx, EARLIER)?;
            refused(Status::InternalServerError, "RESOURCE_SEALED")
        }
        notice::Verdict::Refused(word) => {
            entry.verdict = Verdict::Refused;
            let why =
                notice.bad.as_ref().map_or_else(|| format!("{}{}", explained(word), unread(word)), BadSeal::words);
            entry.reason = format!("已拒绝：{why}");
            let tells_of_payment = notice.checks.iter().any(|check| check.what == "支付状态" && check.ok);
            match &notice.bad {
                // Anybody can name a key that is not ours; what one of ours opens, WeChat wrote.
                Some(bad) if notice.opens && bad.is_for_owner() => store::put_alert(tx, SIGNATURE, &bad.words())?,
                // WeChat wrote it, and what it wrote was spoilt on its way, or is held against a wrong public key.
                Some(bad) if notice.opens && !bad.is_harmless() => {
                    let words = format!("微信的通知验不过签名，订单靠查单入账：{}", bad.of_ours());
                    store::put_alert(tx, SIGNATURE, &words)?;
                }
                None if !unread(word).is_empty() && tells_of_payment => {
                    store::put_unread(tx, notice.out_trade_no.as_deref().unwrap_or_default(), &explained(word))?;
                }
                _ => {}
            }
            refused(if notice.bad.is_some() { Status::Unauthorized } else { Status::BadRequest }, word)
        }
    };
    if answer.is_ok() && !notice.of_before {
        store::clear_alerts(tx)?;
        if let Some(words) = &notice.earlier {
            store::put_alert(tx, EARLIER, words)?;
            entry.checks.push(Check { what: "现在的密钥", ok: false, note: words.clone() });
        }
    }
    entry.response = match &answer {
        Ok(status) => status.to_string(),
        Err((status, said)) => format!("{status}\n{}", said.0),
    }
    .into_bytes();
    entry.record_as(message, tx)?;
    Ok(answer)
}

/// Other keys stand in the settings: the latest notice that was no use for a reason of the owner's is read once more, and
/// what it was about is right again if it is read now. The next one would tell, and may be hours away.
pub async fn look_again(shop: &Shop) -> Result<()> {
    let here: Vec<Api> = Api::ALL.iter().copied().filter(|api| shop.account_of(*api).is_some()).collect();
    let write = move |tx: &Tx| {
        // That an earlier key was needed was said against others: the next notice tells.
        store::clear_alert(tx, EARLIER)?;
        here.iter().try_for_each(|api| Ok(store::clear_alert(tx, unready_in(*api))?))
    };
    shop.write(write).await?;
    let Some(merchant) = shop.merchant_v3() else { return Ok(()) };
    let read = |conn: &rusqlite::Connection| match store::alerts(conn)?.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(message_log::store::refused_notices(conn, 20)?),
    };
    let refused = shop.read(read).await?;
    let again =
        refused.iter().filter_map(|request| sign::parted(request)).map(|one| notice::read_again(&one, &merchant));
    let tells = |notice: &Notice| !notice.of_before && notice.bad.as_ref().is_none_or(BadSeal::is_for_owner);
    let Some(latest) = { again }.find(tells) else {
        return Ok(());
    };
    let write = move |tx: &Tx| match &latest {
        Notice { bad: Some(_), .. } => Ok(()),
        Notice { verdict: notice::Verdict::Sealed, .. } => Ok(store::clear_alert(tx, SIGNATURE)?),
        _ => Ok(store::clear_alerts(tx)?),
    };
    shop.write(write).await
}

/// A payment in another name is ours when the attempt was made in it, before the shop moved; a refund, when the payment that
/// it gives back came in under it.
fn in_our_name(tx: &Tx, mut notice: Notice) -> Result<Notice> {
    let Some(other) = notice.other.take() else { return Ok(notice) };
    let check = match &notice.verdict {
        notice::Verdict::Paid(payment) => made_under(tx, Some(payment), &other)?,
        notice::Verdict::Refunded(fact) => paid_under(tx, fact, &other)?,
        _ => return Ok(notice),
    };
    if !check.ok {
        notice.verdict = notice::Verdict::Refused(check.note.clone());
    }
    notice.checks.push(check);
    Ok(notice)
}

fn paid_under(tx: &Tx, fact: &RefundFact, name: &Identity) -> Result<Check> {
    let paid = ledger::payment(tx, &fact.transaction_id)?;
    let ok = paid.and_then(|paid| paid.mch_id).is_some_and(|mch_id| mch_id == name.mch_id);
    let note = if ok { &name.mch_id } else { Flaw::OtherMerchant.word() };
    Ok(Check { what: "收款的商户号", ok, note: note.to_owned() })
}
