//! Notify: WeChat's call. Verified, settled and logged in one transaction; then the constant acknowledgement.

use std::time::Instant;

use rocket::data::Data;
use rocket::http::ContentType;
use rocket::{Route, State, post, routes};

use super::settle::{self, Settled, Source};
use super::store;
use crate::db::Tx;
use crate::door::{ClientIp, body};
use crate::error::{Code, Error, Result};
use crate::shop::Shop;
use crate::transactions::{Entry, Verdict};
use crate::wechat::notice::{self, Notice};
use crate::wechat::{Check, message};

pub fn routes() -> Vec<Route> {
    routes![payment, refund]
}

type Xml = (ContentType, String);

fn xml(text: impl Into<String>) -> Xml {
    (ContentType::XML, text.into())
}

#[post("/pay/notify", data = "<data>")]
async fn payment(shop: &State<Shop>, ip: ClientIp, data: Data<'_>) -> Xml {
    let start = Instant::now();
    let bytes = match read(data).await {
        Ok(bytes) => bytes,
        Err(word) => return xml(refuse(shop, "notify", Vec::new(), ip, word).await),
    };
    let Some(merchant) = shop.settings().merchant() else {
        return xml(refuse(shop, "notify", bytes, ip, "NOT_CONFIGURED").await);
    };
    let notice = notice::read(&bytes, &merchant);
    let mut entry = Entry::received("notify", bytes, ip.0);
    entry.out_trade_no = notice.out_trade_no.clone();
    match keep(shop, notice, entry, start).await {
        Ok(answer) => xml(answer),
        // Nothing was kept, so nothing is acknowledged: WeChat sends it again.
        Err(_) => xml(notice::refused("TRY_AGAIN")),
    }
}

/// At most 64 KiB, within a limited time.
async fn read(data: Data<'_>) -> std::result::Result<Vec<u8>, &'static str> {
    let kib = message::MAX_BYTES as u64 / 1024;
    body::within(data, kib).await.map_err(|e| match e.code {
        Code::PayloadTooLarge => message::NotAMessage::TooLarge.word(),
        _ => "BODY_INCOMPLETE",
    })
}

/// Writes down the notice and whatever it means; answers with what WeChat is told.
async fn keep(shop: &Shop, notice: Notice, mut entry: Entry, start: Instant) -> Result<String> {
    let (settings, now) = (shop.settings(), shop.now());
    let write = move |tx: &Tx| {
        entry.checks = notice.checks;
        entry.took_ms = start.elapsed().as_millis() as i64;
        let answer = match &notice.verdict {
            notice::Verdict::Paid(_) | notice::Verdict::NotPaid(_) => notice::ACKNOWLEDGED.to_owned(),
            notice::Verdict::Refused(word) => notice::refused(word),
        };
        entry.response = answer.clone().into_bytes();
        match &notice.verdict {
            notice::Verdict::Paid(payment) => {
                entry.transaction_id = Some(payment.transaction_id.clone());
                entry.amount = Some(payment.total);
                let attempt = payment.number().map(|n| store::attempt_numbered(tx, &n)).transpose()?.flatten();
                entry.order_id = attempt.as_ref().map(|a| a.order_id);
                entry.attempt_id = attempt.as_ref().map(|a| a.id);
            }
            notice::Verdict::NotPaid(code) => entry.reason = format!("微信通知未付款：{code}"),
            notice::Verdict::Refused(word) => {
                entry.verdict = Verdict::Refused;
                entry.reason = format!("已拒绝：{word}");
            }
        }
        // First the row, so that the timeline can point at it; then what became of the money, on the same row.
        let message = entry.record(tx, now)?;
        if let notice::Verdict::Paid(payment) = &notice.verdict {
            let settled = settle::settle(tx, payment, Source::Notify, Some(message), &settings, now)?;
            entry.verdict = if settled.fits_an_order() { Verdict::Ok } else { Verdict::Suspicious };
            entry.reason = settled.text().to_owned();
            let ok = settled != Settled::AmountMismatch && settled != Settled::Orphan;
            entry.checks.push(Check { what: "金额、币种与订单", ok, note: settled.text().to_owned() });
            entry.amend(tx, message)?;
        }
        Ok::<_, Error>(answer)
    };
    let answer = shop.db.write_always(write).await?;
    shop.wake_worker();
    Ok(answer)
}

/// Logs a message that could not even be looked at.
async fn refuse(shop: &Shop, kind: &'static str, bytes: Vec<u8>, ip: ClientIp, word: &str) -> String {
    let answer = notice::refused(word);
    let mut entry = Entry::received(kind, bytes, ip.0);
    entry.verdict = Verdict::Refused;
    entry.reason = format!("已拒绝：{word}");
    entry.response = answer.clone().into_bytes();
    let now = shop.now();
    let logged = shop.db.write_always(move |tx| Ok::<_, Error>(entry.record(tx, now)?)).await;
    if logged.is_err() {
        log::error!("a refused {kind} could not be logged: {word}");
    }
    answer
}

/// A refund notice carries no signature: it is written down, and moves nothing.
#[post("/refund/notify", data = "<data>")]
async fn refund(shop: &State<Shop>, ip: ClientIp, data: Data<'_>) -> Xml {
    let bytes = match read(data).await {
        Ok(bytes) => bytes,
        Err(word) => return xml(refuse(shop, "refund_notify", Vec::new(), ip, word).await),
    };
    let Some(merchant) = shop.settings().merchant() else {
        return xml(refuse(shop, "refund_notify", bytes, ip, "NOT_CONFIGURED").await);
    };
    let hint = match notice::read_refund_hint(&bytes, &merchant) {
        Ok(hint) => hint,
        Err(word) => return xml(refuse(shop, "refund_notify", bytes, ip, &word).await),
    };
    let mut entry = Entry::received("refund_notify", bytes, ip.0);
    let text = |name| hint.filled(name).map(str::to_owned);
    entry.out_trade_no = text("out_trade_no");
    entry.transaction_id = text("transaction_id");
    entry.reason = format!("退款通知（没有签名，只作提示）：{}", text("refund_status").unwrap_or_default());
    entry.response = notice::ACKNOWLEDGED.into();
    let now = shop.now();
    match shop.db.write_always(move |tx| Ok::<_, Error>(entry.record(tx, now)?)).await {
        Ok(_) => xml(notice::ACKNOWLEDGED),
        Err(_) => xml(notice::refused("TRY_AGAIN")),
    }
}
