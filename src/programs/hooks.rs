//! Hooks: addresses of other programs that are told what happens, each telling signed, logged and tried again; one that
//! has failed for a day is switched off, and the owner hears of it.

use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Delivery, Event, Hook, State, Tried, check_url, outside, store};
use crate::clock::{DAY, MINUTE, SECOND, rfc3339};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{DeliveryId, HookId, OrderId};
use crate::jobs::{self, Ran, Task};
use crate::orders::store as orders;
use crate::outbox::{self, Topic};
use crate::shop::Shop;
use crate::staff::{Staff, login::audit};

const MOST: usize = 10;
/// So many rows of a table are gone through at a time.
const AT_ONCE: i64 = 2_000;
/// One that has not answered for so long is told nothing more.
const GIVEN_UP_AFTER: i64 = DAY;
/// A telling that was refused so often, for most of a day, while others were taken, is one that its hook does not want.
const TRIES: i64 = 24;

// ── what happened ──

/// Writes down for each hook what it wants to hear of. Where there is none, nothing is kept, and the past is never told.
pub async fn collect(shop: &Shop) -> Result<()> {
    let look = |conn: &Connection| {
        let on = store::hooks(conn)?.iter().any(|hook| hook.off_at.is_none());
        let present = outbox::store::present(conn)?;
        Ok((on, store::heard(conn)?, [present.event, present.refund, present.entry]))
    };
    let (on, heard, present) = shop.read(look).await?;
    match heard {
        None if !on => Ok(()),
        Some(heard) if on && heard == present => Ok(()),
        None => {
            let write = move |tx: &Tx| match store::heard(tx)? {
                Some(_) => Ok(()),
                None => Ok(store::set_heard(tx, Some(present))?),
            };
            shop.write(write).await
        }
        Some(_) if !on => shop.write(|tx| Ok(store::set_heard(tx, None)?)).await,
        Some(_) => {
            let write = move |tx: &Tx| match store::heard(tx)? {
                Some(heard) => hear(tx, heard, present),
                None => Ok(()),
            };
            shop.write(write).await
        }
    }
}

fn hear(tx: &Tx, from: [i64; 3], to: [i64; 3]) -> Result<()> {
    // Never back: somebody else may have heard more since `to` was read.
    let upto: [i64; 3] = std::array::from_fn(|i| to[i].clamp(from[i], from[i] + AT_ONCE));
    let hooks: Vec<Hook> = store::hooks(tx)?.into_iter().filter(|hook| hook.off_at.is_none()).collect();
    let tell = |event: Event, order: Option<OrderId>, more: Value| -> Result<()> {
        for hook in hooks.iter().filter(|hook| hook.events.contains(&event)) {
            put(tx, hook.id, event, order, &more)?;
        }
        Ok(())
    };
    for moved in outbox::store::moves(tx, from[0], upto[0])? {
        let event = match (moved.from.as_deref(), moved.to.as_str()) {
            (None, "pending_payment") => Event::OrderCreated,
            (Some("pending_payment" | "closed"), "to_ship") => Event::OrderPaid,
            (_, "shipped") => Event::OrderShipped,
            (_, "completed") => Event::OrderCompleted,
            (_, "closed") => Event::OrderClosed,
            _ => continue,
        };
        tell(event, Some(moved.order_id), Value::Null)?;
    }
    for asked in outbox::store::refunds_asked(tx, from[1], upto[1])? {
        let more = json!({ "refundNo": asked.number, "amountFen": asked.amount_fen });
        tell(Event::RefundRequested, asked.order_id, more)?;
    }
    for (order, refund) in outbox::store::refunded(tx, from[2], upto[2])? {
        let refund = crate::refunds::store::by_id(tx, crate::ids::RefundId(refund))?.ok_or(Code::NotFound)?;
        let more = json!({ "refundNo": refund.out_refund_no, "amountFen": refund.amount });
        tell(Event::RefundSucceeded, Some(order), more)?;
    }
    Ok(store::set_heard(tx, Some(upto))?)
}

/// One telling: the order as it stands, without anything personal, and what is `more` about it.
fn put(tx: &Tx, hook: HookId, event: Event, order: Option<OrderId>, more: &Value) -> Result<()> {
    let order = order.map(|id| orders::by_id(tx, id)).transpose()?.flatten();
    let shown = order.as_ref().map(|order| {
        json!({
            "orderNo": order.order_no, "status": order.status, "statusText": order.status.text(),
            "totalFen": order.total, "paidFen": order.paid, "refundedFen": order.refunded,
        })
    });
    let body = json!({ "event": event, "createdAt": rfc3339(tx.now()), "order": shown, "refund": more });
    let id = store::insert_delivery(tx, hook, event, order.map(|order| order.id), &body.to_string())?;
    Ok(jobs::enqueue(tx, Task::Deliver(id), tx.now())?)
}

// ── telling ──

/// Under which name a hook's secret is sealed.
fn seal_name(url: &str) -> String {
    format!("hook.{url}")
}

/// Tells a hook once.
pub async fn deliver(shop: &Shop, id: DeliveryId) -> Result<Ran> {
    let read = move |conn: &Connection| {
        let Some(delivery) = store::delivery(conn, id)?.filter(|d| d.state == State::Waiting) else { return Ok(None) };
        let hook = store::hook(conn, delivery.hook_id)?;
        Ok(hook.map(|hook| (delivery, hook)))
    };
    let Some((delivery, hook)) = shop.read(read).await? else { return Ok(Ran::Done) };
    let tried = send(shop, &hook, &delivery).await;
    let done = tried.problem.is_empty();
    let problem = tried.problem.clone();
    let settings = shop.settings();
    let write = move |tx: &Tx| {
        // Others of this hook's were under way at the same time, and its owner may have done something.
        let Some(hook) = store::hook(tx, hook.id)? else { return Ok(true) };
        let since = hook.failing_since.unwrap_or(tx.now());
        let give_up = !done && delivery.event != Event::Ping && tx.now() - since >= GIVEN_UP_AFTER;
        let unwanted = delivery.tries >= TRIES && hook.failing_since.is_none();
        // A trial says at once what became of it.
        let ends = done || give_up || unwanted || delivery.event == Event::Ping;
        let state = match (done, ends) {
            (true, _) => State::Done,
            (false, true) => State::Failed,
            (false, false) => State::Waiting,
        };
        if !store::tried(tx, id, state, &tried)? {
            return Ok(true);
        }
        if delivery.event != Event::Ping {
            store::set_failing(tx, hook.id, (!done).then_some(since))?;
        }
        if give_up {
            let why = format!("连续一天没有送达：{}", tried.problem);
            store::set_off(tx, hook.id, &why)?;
            let what = format!("{} {why}。已停止推送，请在 设置 → 接口 里检查后再打开", host(&hook.url));
            outbox::collect::put_news(tx, &settings, Topic::HookOff, &what)?;
        }
        Ok(ends)
    };
    let ends = shop.write_always(write).await?;
    Ok(if ends { Ran::Done } else { Ran::Failed(problem) })
}

fn host(url: &str) -> &str {
    url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or(url)
}

async fn send(shop: &Shop, hook: &Hook, delivery: &Delivery) -> Tried {
    let start = Instant::now();
    let failed = |problem: String| Tried { status: None, problem, took_ms: start.elapsed().as_millis() as i64 };
    let Some(secret) = shop.key.open(&seal_name(&hook.url), &hook.secret) else {
        return failed("签名密钥打不开（secret.key 换过了），请删除后重新添加".to_owned());
    };
    // What was allowed once may not be any more.
    if let Err(why) = check_url(&hook.url, shop.server.hooks_private) {
        return failed(why.to_owned());
    }
    let client = match outside::client(shop.server.hooks_private) {
        Ok(client) => client,
        Err(e) => return failed(format!("无法建立安全连接：{e}")),
    };
    let stamp = (shop.now() / SECOND).to_string();
    let request = client
        .post(&hook.url)
        .header("content-type", "application/json")
        .header("user-agent", concat!("xiaopu/", env!("CARGO_PKG_VERSION")))
        .header("x-xiaopu-event", delivery.event.word())
        .header("x-xiaopu-delivery", delivery.id.to_string())
        .header("x-xiaopu-timestamp", &stamp)
        .header("x-xiaopu-signature", format!("sha256={}", sign(&secret, &stamp, &delivery.body)))
        .body(delivery.body.clone());
    match request.send().await {
        Ok(answer) => {
            let status = answer.status();
            let problem = match status.as_u16() {
                _ if status.is_success() => String::new(),
                code if status.is_redirection() => format!("HTTP {code}：那里要求转到别处，请填最后的网址"),
                code => format!("HTTP {code}"),
            };
            Tried { status: Some(status.as_u16().into()), problem, took_ms: start.elapsed().as_millis() as i64 }
        }
        Err(e) => failed(outside::why(&e.without_url())),
    }
}

/// HMAC-SHA256 of `timestamp.body`, in hexadecimal.
fn sign(secret: &str, stamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(format!("{stamp}.{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

// ── what the owner does ──

/// Adds an address; answers with the secret that signs, the only time that it is seen.
pub async fn add(shop: &Shop, owner: &Staff, url: &str, events: Vec<Event>) -> Result<String> {
    let url = check_url(url, shop.server.hooks_private).map_err(|why| Error::field("url", why))?;
    if events.is_empty() {
        return Err(Error::field("events", "请至少选一种事件"));
    }
    let (secret, now, owner) = (new_secret(shop), shop.now(), owner.clone());
    let hook = Hook {
        id: HookId(0),
        secret: shop.key.seal(&seal_name(&url), &secret, &shop.nonces),
        url,
        events,
        made_by: owner.name.clone(),
        created_at: now,
        failing_since: None,
        off_at: None,
        off_why: String::new(),
    };
    let write = move |tx: &Tx| {
        let there = store::hooks(tx)?;
        if there.len() >= MOST {
            return Err(Error::field("url", format!("最多 {MOST} 个地址，请先删除不用的")));
        }
        if there.iter().any(|other| other.url == hook.url) {
            return Err(Error::field("url", "这个地址已经有了；要换签名密钥，请在它那里点“换签名密钥”"));
        }
        store::insert_hook(tx, &hook)?;
        Ok(audit(tx, &owner, &format!("添加推送地址 {}", hook.url))?)
    };
    shop.write(write).await?;
    Ok(secret)
}

fn new_secret(shop: &Shop) -> String {
    format!("whsec_{}", shop.nonces.token())
}

/// Signs with another secret from now on, whatever has not arrived yet too; answers with it, the only time that it is seen.
pub async fn change_secret(shop: &Shop, owner: Staff, id: HookId) -> Result<String> {
    let hook = shop.read(move |conn| Ok(store::hook(conn, id)?)).await?.ok_or(Code::NotFound)?;
    let secret = new_secret(shop);
    let sealed = shop.key.seal(&seal_name(&hook.url), &secret, &shop.nonces);
    let seal = move |tx: &Tx, hook: &Hook| {
        store::set_secret(tx, hook.id, &sealed)?;
        Ok(format!("换推送地址 {} 的签名密钥", hook.url))
    };
    change(shop, owner, id, seal).await?;
    Ok(secret)
}

/// Changes a hook in one transaction; the log says what was done.
pub async fn change(
    shop: &Shop,
    owner: Staff,
    id: HookId,
    act: impl Fn(&Tx, &Hook) -> Result<String> + Send + 'static,
) -> Result<()> {
    let write = move |tx: &Tx| {
        let hook = store::hook(tx, id)?.ok_or(Code::NotFound)?;
        let what = act(tx, &hook)?;
        Ok(audit(tx, &owner, &what)?)
    };
    shop.write(write).await
}

pub fn remove(tx: &Tx, hook: &Hook) -> Result<String> {
    store::delete_hook(tx, hook.id)?;
    Ok(format!("删除推送地址 {}", hook.url))
}

pub fn turn_on(tx: &Tx, hook: &Hook) -> Result<String> {
    store::set_on(tx, hook.id)?;
    Ok(format!("打开推送 {}", hook.url))
}

pub fn turn_off(tx: &Tx, hook: &Hook) -> Result<String> {
    store::set_off(tx, hook.id, "店主停用")?;
    Ok(format!("停用推送 {}", hook.url))
}

/// Sends a trial, and says what came back.
pub async fn try_out(shop: &Shop, owner: Staff, id: HookId) -> Result<String> {
    let write = move |tx: &Tx| {
        let hook = store::hook(tx, id)?.ok_or(Code::NotFound)?;
        let body = json!({ "event": Event::Ping, "createdAt": rfc3339(tx.now()), "order": null, "refund": null });
        audit(tx, &owner, &format!("测试推送 {}", hook.url))?;
        Ok(store::insert_delivery(tx, id, Event::Ping, None, &body.to_string())?)
    };
    let delivery = shop.write(write).await?;
    tell(shop, delivery).await
}

/// Sends a telling once more, whatever came of it, and says what came back. It keeps its number: whoever has had it knows.
pub async fn again(shop: &Shop, owner: Staff, id: DeliveryId) -> Result<String> {
    let write = move |tx: &Tx| {
        let gone = || Error::from(Code::NotFound).says("这条推送已经不在记录里了");
        let delivery = store::delivery(tx, id)?.filter(|d| d.event != Event::Ping).ok_or_else(gone)?;
        let hook = store::hook(tx, delivery.hook_id)?.ok_or(Code::NotFound)?;
        if hook.off_at.is_some() {
            return Err(Error::from(Code::OrderState).says("这个地址已停用，请先打开推送"));
        }
        store::wait_again(tx, id)?;
        // Where it fails this time, it is tried on as ever.
        jobs::enqueue(tx, Task::Deliver(id), tx.now() + MINUTE)?;
        Ok(audit(tx, &owner, &format!("再次推送第 {id} 条「{}」到 {}", delivery.event.text(), hook.url))?)
    };
    shop.write(write).await?;
    tell(shop, id).await
}

/// Tells at once, and says what came back.
async fn tell(shop: &Shop, id: DeliveryId) -> Result<String> {
    deliver(shop, id).await?;
    let tried = shop.read(move |conn| Ok(store::delivery(conn, id)?)).await?.ok_or(Code::NotFound)?;
    let words = match tried.state {
        State::Done => return Ok(format!("✓ 已送达，{} 毫秒", tried.took_ms)),
        State::Waiting => format!("没有送达：{}，还会接着重试", tried.problem),
        State::Failed | State::Dropped => format!("没有送达：{}", tried.problem),
    };
    Err(Error::from(Code::WechatRejected).says(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed elsewhere: `printf '1791435600.{}' | openssl dgst -sha256 -hmac whsec_abc`.
    #[test]
    fn a_telling_is_signed_with_its_time() {
        assert_eq!(sign("whsec_abc", "1791435600", "{}"), SIGNED);
    }

    #[tokio::test]
    async fn what_was_heard_is_not_heard_again_by_whoever_looked_before() {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::db::Db::open(folder.path()).unwrap();
        for (to, heard) in [([9; 3], [9; 3]), ([9_000; 3], [2_005; 3]), ([3; 3], [5; 3])] {
            let write = move |tx: &Tx| {
                hear(tx, [5; 3], to)?;
                Ok(store::heard(tx)?)
            };
            assert_eq!(db.write::<_, Error>(write).await.unwrap(), Some(heard));
        }
    }

    const SIGNED: &str = "3d53493d46df5508b0ce6cc460732216782fdac3b9f935fd5584810197724fca";
}
