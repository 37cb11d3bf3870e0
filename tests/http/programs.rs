//! Other programs: keys with rights and an end, what they read and ship by, and hooks that are told what happens.

use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use xiaopu::db::Tx;
use xiaopu::staff::Role;

use crate::support::*;

/// Makes a key on the page and takes it from there.
pub async fn key(owner: &Console<'_>, name: &str, rights: &[&str]) -> String {
    let form: Vec<_> =
        [("name", name), ("days", "90")].into_iter().chain(rights.iter().map(|r| ("rights", *r))).collect();
    let page = owner.page_of("/admin/programs/keys", &form).await;
    let key = page.split("<code class=\"mono\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(key.starts_with("xp_"), "{key}");
    key
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reads_and_ships_by_the_rights_of_its_key() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 2).await;
    let owner = w.staff("owner", Role::Owner).await;
    let all = key(&owner, "ERP", &["orders", "addresses", "ship", "stock"]).await;
    let few = key(&owner, "看板", &["orders"]).await;
    assert!(!owner.page("/admin/programs").await.contains(&all), "shown once");
    assert_eq!(w.count("select count(*) from api_keys where instr(hash, 'xp_') > 0").await, 0, "kept as a hash");
    let call = async |method, path: &str, key: &str, body| w.call(method, path, Some(key), None, body).await;
    let get = async |path: &str, key: &str| call(Method::GET, path, key, None).await;
    let list = get("/admin/orders?status=to_ship", &all).await.ok();
    assert_eq!(list["items"][0]["orderNo"], placed.no);
    assert_eq!(list["items"][0]["receiver"]["phone"], "13800001234");
    let masked = get(&format!("/admin/orders/{}", placed.no), &few).await.ok();
    assert_eq!(masked["receiver"]["phone"], "138****1234");
    assert_eq!(masked["receiver"]["detail"], Value::Null);
    assert_eq!(get("/admin/stock", &all).await.ok()["items"][0]["available"], 97);
    let path = format!("/admin/orders/{}/shipments", placed.no);
    let parcel = json!({ "trackingNo": "SF1234567890123" });
    // One thing wrong per row.
    for (method, path, key, body, error) in [
        (Method::GET, "/admin/orders", "", None, (401, "unauthenticated")),
        (Method::GET, "/admin/orders", "xp_nonsense-nonsense-nonsense", None, (401, "unauthenticated")),
        (Method::GET, "/admin/orders", &alice.token[..], None, (401, "unauthenticated")),
        (Method::GET, "/orders", &all[..], None, (401, "unauthenticated")),
        (Method::GET, "/admin/stock", &few[..], None, (403, "forbidden")),
        (Method::POST, &path[..], &few[..], Some(parcel.clone()), (403, "forbidden")),
        (Method::GET, "/admin/orders?status=nonsense", &all[..], None, (422, "validation_failed")),
        (Method::GET, "/admin/orders?since=yesterday", &all[..], None, (422, "validation_failed")),
        (Method::GET, "/admin/orders?limit=51", &all[..], None, (422, "validation_failed")),
        (Method::GET, "/admin/orders?cursor=x", &all[..], None, (422, "validation_failed")),
        (Method::GET, "/admin/orders/20261008ABCDEFGHJK", &all[..], None, (404, "not_found")),
        (Method::POST, &path[..], &all[..], Some(json!({})), (422, "validation_failed")),
        (
            Method::POST,
            &path[..],
            &all[..],
            Some(json!({ "trackingNo": "SF1234567890123", "x": 1 })),
            (400, "unknown_field"),
        ),
        (
            Method::POST,
            &path[..],
            &all[..],
            Some(json!({ "trackingNo": "SF1234567890123", "lines": [{ "lineId": "1", "quantity": 3 }] })),
            (422, "validation_failed"),
        ),
        (
            Method::POST,
            &path[..],
            &all[..],
            Some(json!({ "trackingNo": "SF1234567890123", "lines": [{ "lineId": "99", "quantity": 1 }] })),
            (422, "validation_failed"),
        ),
    ] {
        let answer = call(method.clone(), path, key, body).await;
        assert_eq!(answer.error(), error, "{method} {path}: {}", answer.body);
    }
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    let shipped = call(Method::POST, &path, &all, Some(parcel.clone())).await;
    assert_eq!((shipped.status, &shipped.body["status"]), (201, &json!("shipped")));
    let again = call(Method::POST, &path, &all, Some(parcel)).await;
    assert_eq!((again.status, again.body["shipments"].as_array().unwrap().len()), (200, 1), "nothing twice");
    let other = call(Method::POST, &path, &all, Some(json!({ "trackingNo": "SF9999999999999" }))).await;
    assert_eq!(other.error(), (409, "order_state"));
    // Part of an order, once and again; other goods under the same number are neither sent nor taken for a repetition.
    let parts = w.paid(&alice, sku, 3).await.no;
    let line = alice.order(&parts).await["lines"][0]["id"].clone();
    let parcel = |quantity: i64| {
        Some(json!({ "trackingNo": "SF5555555555555", "lines": [{ "lineId": line, "quantity": quantity }] }))
    };
    let parts = format!("/admin/orders/{parts}/shipments");
    for (body, status) in [
        (parcel(2), 201),
        (parcel(2), 200),
        (parcel(1), 409),
        (Some(json!({ "trackingNo": "SF5555555555555" })), 409),
        (Some(json!({ "trackingNo": "SF6666666666666" })), 201),
        (Some(json!({ "trackingNo": "SF5555555555555" })), 200),
    ] {
        let said = format!("{body:?}");
        assert_eq!(call(Method::POST, &parts, &all, body).await.status, status, "{said}");
    }
    // A label of another order waits for a word, as at the console.
    let second = w.paid(&alice, sku, 1).await.no;
    let (path, elsewhere) = (format!("/admin/orders/{second}/shipments"), second.clone());
    let readdress = move |tx: &Tx| {
        let sql = "update orders set address = json_set(address, '$.receiver', '李四') where order_no = ?1";
        Ok(tx.execute(sql, [&elsewhere])?)
    };
    w.shop.write(readdress).await.unwrap();
    let label = |merge: bool| Some(json!({ "trackingNo": "SF1234567890123", "merge": merge }));
    let refused = call(Method::POST, &path, &all, label(false)).await;
    assert_eq!(refused.error(), (422, "validation_failed"));
    assert!(refused.body["error"]["fields"]["merge"].as_str().unwrap().contains(&placed.no));
    assert_eq!(call(Method::POST, &path, &all, label(true)).await.status, 201);
    // Written down: who made the key, who shipped, and that somebody read whom it goes to, once.
    for (what, times) in [("新建接口密钥「ERP」%", 1), ("% 发货：%", 4), ("读取订单的完整收货信息%", 1)]
    {
        let sql: &'static str = format!("select count(*) from audit_log where what like '{what}'").leak();
        assert_eq!(w.count(sql).await, times, "{what}");
    }
    assert!(owner.page(&format!("/admin/orders/{}", placed.no)).await.contains("接口 ERP"));
    // A key ends when the owner says so, or by itself.
    owner.post("/admin/programs/keys/1/end", &[]).await;
    assert_eq!(get("/admin/orders", &all).await.error(), (401, "unauthenticated"));
    get("/admin/orders", &few).await.ok();
    w.advance(91 * DAY);
    assert_eq!(get("/admin/orders", &few).await.error(), (401, "unauthenticated"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_with_a_name_rights_and_an_end() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    key(&owner, "ERP", &["orders"]).await;
    let long = "长".repeat(21);
    for (form, told) in [
        (vec![("name", "ERP"), ("days", "90"), ("rights", "orders")], "用过了"),
        (vec![("name", ""), ("days", "90"), ("rights", "orders")], "1 到 20 个字"),
        (vec![("name", long.as_str()), ("days", "90"), ("rights", "orders")], "1 到 20 个字"),
        (vec![("name", "打单"), ("days", "90")], "至少选一项权限"),
        (vec![("name", "打单"), ("days", "90"), ("rights", "everything")], "至少选一项权限"),
        (vec![("name", "打单"), ("days", "3650"), ("rights", "orders")], "请选择有效期"),
    ] {
        owner.post("/admin/programs/keys", &form).await;
        let said = owner.said("/admin/programs").await;
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(w.count("select count(*) from api_keys").await, 1);
}

/// What came, head and body; and what is answered from now on: a status, or nothing at all.
pub struct Receiver {
    pub url: String,
    pub heard: Arc<Mutex<Vec<String>>>,
    pub status: Arc<Mutex<u16>>,
}

/// In place of a status: it takes what it is sent, and never answers.
pub const SILENT: u16 = 0;

pub async fn receiver() -> Receiver {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (heard, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(200)));
    let (kept, answer) = (heard.clone(), status.clone());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut text = String::new();
            let mut bytes = [0; 4096];
            // Head and body come together, or the body right after.
            while !text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                let length = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                body.len() >= length.and_then(|n| n.parse().ok()).unwrap_or(0)
            }) {
                match socket.read(&mut bytes).await {
                    Ok(n) if n > 0 => text.push_str(&String::from_utf8_lossy(&bytes[..n])),
                    _ => break,
                }
            }
            kept.lock().unwrap().push(text);
            let status = *answer.lock().unwrap();
            if status == SILENT {
                tokio::spawn(async move {
                    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
                    drop(socket);
                });
                continue;
            }
            let to = if (300..400).contains(&status) { "location: /elsewhere\r\n" } else { "" };
            let words = format!("HTTP/1.1 {status} x\r\n{to}content-length: 0\r\nconnection: close\r\n\r\n");
            let _ = socket.write_all(words.as_bytes()).await;
        }
    });
    Receiver { url, heard, status }
}

/// What a telling says in its head, and whether this secret signed it with its time, byte for byte.
pub fn told(text: &str, name: &str) -> String {
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name)).unwrap();
    line.split_once(": ").unwrap().1.to_owned()
}

fn signed_by(text: &str, secret: &str) -> bool {
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{}.{body}", told(text, "x-xiaopu-timestamp")).as_bytes());
    told(text, "x-xiaopu-signature") == format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn shown_once(page: &str) -> String {
    page.split("<code class=\"mono\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

pub async fn hook(owner: &Console<'_>, url: &str, events: &[&str]) -> String {
    let form: Vec<_> = [("url", url)].into_iter().chain(events.iter().map(|event| ("events", *event))).collect();
    shown_once(&owner.page_of("/admin/programs/hooks", &form).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_told_what_it_asked_for_and_can_check_who_tells() {
    let w = World::new().await;
    let there = receiver().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 1).await;
    let owner = w.staff("owner", Role::Owner).await;
    let secret = hook(&owner, &there.url, &["order.paid", "order.shipped", "refund.succeeded"]).await;
    w.run_jobs().await;
    let placed = w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    owner.ship(&format!("/admin/orders/{}", placed.no)).await;
    w.run_jobs().await;
    let heard = there.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 2, "not the past, and not what nobody asked for: {heard:?}");
    for (text, event, status) in [(&heard[0], "order.paid", "to_ship"), (&heard[1], "order.shipped", "shipped")] {
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(signed_by(text, &secret), "{text}");
        assert_eq!(told(text, "x-xiaopu-event"), event);
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["event"], &body["order"]["orderNo"]), (&json!(event), &json!(placed.no)));
        assert_eq!(body["order"]["status"], status);
        assert!(!text.contains("王小样") && !text.contains("1380000"), "nothing personal: {text}");
    }
    assert_eq!(w.count("select count(*) from hooks where instr(secret, 'whsec_') > 0").await, 0, "sealed");
    let page = owner.page("/admin/programs").await;
    assert!(page.contains("最近 2 次推送") && !page.contains(&secret), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_fails_is_tried_again_and_switched_off_after_a_day() {
    let w = World::new().await;
    let there = receiver().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    let robot = ("shop-wecom_url", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc");
    owner.post("/admin/settings", &[robot]).await;
    hook(&owner, &there.url, &["order.paid"]).await;
    w.run_jobs().await;
    *there.status.lock().unwrap() = 500;
    let placed = w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "to_ship", "nothing waits for it");
    assert!(owner.page("/admin/programs").await.contains("HTTP 500"));
    // It comes back in time: delivered late, and on it goes.
    *there.status.lock().unwrap() = 200;
    w.advance(MINUTE);
    w.run_jobs().await;
    assert_eq!(w.count("select count(*) from deliveries where state = 'done' and tries = 2").await, 1);
    *there.status.lock().unwrap() = 404;
    w.paid(&alice, sku, 1).await;
    for _ in 0..26 {
        w.run_jobs().await;
        w.advance(61 * MINUTE);
    }
    w.run_jobs().await;
    let page = owner.page("/admin/programs").await;
    assert!(page.contains("起停用") && page.contains("连续一天没有送达：HTTP 404"), "{page}");
    let said: String = w.wechat.said().into_iter().map(|(_, text)| text).collect();
    assert!(said.contains("接口停用") && said.contains("已停止推送"), "{said}");
    let heard = there.heard.lock().unwrap().len();
    w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    assert_eq!(there.heard.lock().unwrap().len(), heard, "told nothing more");
    // The owner looks into it, tries it, and turns it on.
    owner.post("/admin/programs/hooks/1/test", &[]).await;
    assert!(owner.said("/admin/programs").await.contains("没有送达：HTTP 404"));
    *there.status.lock().unwrap() = 204;
    owner.post("/admin/programs/hooks/1/test", &[]).await;
    assert!(owner.said("/admin/programs").await.contains("✓ 已送达"));
    owner.post("/admin/programs/hooks/1/switch?on=true", &[]).await;
    w.run_jobs().await;
    w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    assert_eq!(there.heard.lock().unwrap().len(), heard + 3);
    owner.post("/admin/programs/hooks/1/remove", &[]).await;
    assert_eq!(w.count("select count(*) from deliveries").await, 0);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_told_only_if_it_could_be_anybodys() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    for (url, events, told) in [
        ("erp.example.com", &["order.paid"][..], "请填完整的网址"),
        ("ftp://erp.example.com", &["order.paid"], "只能是 https"),
        ("https://user:word@erp.example.com", &["order.paid"], "不能带账号"),
        ("https://erp.example.com/hook", &[], "至少选一种事件"),
        ("https://erp.example.com/hook", &["ping"], "至少选一种事件"),
    ] {
        let form: Vec<_> = [("url", url)].into_iter().chain(events.iter().map(|event| ("events", *event))).collect();
        owner.post("/admin/programs/hooks", &form).await;
        let said = owner.said("/admin/programs").await;
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(w.count("select count(*) from hooks").await, 0);
}

/// What does not arrive says why, is tried again under its number, and is sent once more by hand.
#[tokio::test(flavor = "multi_thread")]
async fn a_telling_that_does_not_arrive_says_why_and_is_sent_again_by_hand() {
    let w = World::new().await;
    let there = receiver().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let secret = hook(&owner, &there.url, &["order.paid"]).await;
    w.run_jobs().await;
    let answers = |status| *there.status.lock().unwrap() = status;
    let again = async |id: i64| {
        owner.post(&format!("/admin/programs/deliveries/{id}/again"), &[]).await;
        owner.said("/admin/programs").await
    };
    // An answer that leads elsewhere is not followed; one that never comes is not waited for.
    answers(302);
    let placed = w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    let page = owner.page("/admin/programs").await;
    assert!(page.contains("HTTP 302：那里要求转到别处") && page.contains("再试"), "{page}");
    assert!(page.contains(&format!("&quot;orderNo&quot;:&quot;{}&quot;", placed.no)), "what was sent: {page}");
    for (status, words) in [(SILENT, "5 秒内没有回答"), (410, "HTTP 410"), (500, "HTTP 500")] {
        answers(status);
        let said = again(1).await;
        assert!(said.contains(&format!("没有送达：{words}")) && said.contains("还会接着重试"), "{status}: {said}");
    }
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    answers(204);
    assert!(again(1).await.contains("✓ 已送达"));
    // The job that would have tried it finds that it has arrived.
    let heard = there.heard.lock().unwrap().len();
    w.advance(10 * MINUTE);
    w.run_jobs().await;
    assert_eq!(there.heard.lock().unwrap().len(), heard, "told once");
    // What has arrived can be sent again as well: the same number, the same body, signed anew.
    assert!(again(1).await.contains("✓ 已送达"));
    let heard = there.heard.lock().unwrap().clone();
    let bodies: std::collections::BTreeSet<_> = heard.iter().map(|t| t.split_once("\r\n\r\n").unwrap().1).collect();
    let numbers: std::collections::BTreeSet<_> = heard.iter().map(|text| told(text, "x-xiaopu-delivery")).collect();
    let times: std::collections::BTreeSet<_> = heard.iter().map(|text| told(text, "x-xiaopu-timestamp")).collect();
    assert_eq!((bodies.len(), numbers.len(), times.len(), heard.len()), (1, 1, 2, 6), "{heard:?}");
    assert!(heard.iter().all(|text| signed_by(text, &secret) && !text.contains("/elsewhere")));
    // With another secret, what waits is signed by it, and the old one signs nothing more.
    answers(401);
    w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    let new = shown_once(&owner.page_of("/admin/programs/hooks/1/secret", &[]).await);
    assert!(new.starts_with("whsec_") && new != secret);
    answers(200);
    w.advance(MINUTE);
    w.run_jobs().await;
    let last = there.heard.lock().unwrap().last().unwrap().clone();
    assert!(told(&last, "x-xiaopu-delivery") == "2" && signed_by(&last, &new) && !signed_by(&last, &secret), "{last}");
    let audit = owner.page("/admin/audit").await;
    assert!(audit.contains("的签名密钥") && audit.contains("再次推送第 1 条") && !audit.contains(&new), "{audit}");
    // Where nothing is told, nothing is sent again; what is not there, neither.
    owner.post("/admin/programs/hooks/1/switch?on=false", &[]).await;
    assert!(again(1).await.contains("请先打开推送"));
    assert!(again(99).await.contains("不在记录里"));
    w.must_hold().await;
}

/// One telling that a receiver never takes does not wait for ever, nor does it end the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_telling_that_its_receiver_does_not_want_is_given_up_alone() {
    let w = World::new().await;
    let there = receiver().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    hook(&owner, &there.url, &["order.created"]).await;
    w.run_jobs().await;
    *there.status.lock().unwrap() = 422;
    alice.buy(sku, 1).await.ok();
    for _ in 0..30 {
        // It takes a trial and refuses this one.
        w.run_jobs().await;
        *there.status.lock().unwrap() = 200;
        alice.buy(sku, 1).await.ok();
        w.run_jobs().await;
        *there.status.lock().unwrap() = 422;
        w.advance(61 * MINUTE);
    }
    w.run_jobs().await;
    let states = "select count(*) from deliveries where state = 'failed' and id = 1 and tries = 25";
    assert_eq!(w.count(states).await, 1);
    assert_eq!(w.count("select count(*) from hooks where off_at is null").await, 1);
    assert_eq!(w.count("select count(*) from jobs where state = 'needs_person'").await, 0);
}

/// A key ends with its last moment, and ended ones take nobody's place.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_good_until_its_end_and_not_a_moment_longer() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let mut last = String::new();
    for n in 0..20 {
        last = key(&owner, &format!("第{n}个"), &["stock"]).await;
    }
    let form = [("name", "再一个"), ("days", "30"), ("rights", "orders"), ("rights", "ship")];
    let (_, to) = owner.post("/admin/programs/keys", &form).await;
    let page = owner.said(&to).await;
    assert!(page.contains("最多 20 个密钥") && page.contains("value=\"再一个\""), "what was typed stays: {page}");
    for (right, ticked) in [("orders", true), ("addresses", false), ("ship", true), ("stock", false)] {
        assert_eq!(page.contains(&format!("value=\"{right}\" checked")), ticked, "{right}");
    }
    let ends = w.count("select max(ends_at) from api_keys").await;
    let now = w.shop.now();
    w.advance(ends - now - 1);
    let owner = w.staff("owner, three months later", Role::Owner).await;
    w.call(Method::GET, "/admin/stock", Some(&last), None, None).await.ok();
    assert!(owner.page("/admin/programs").await.contains("快到期"));
    w.advance(1);
    let late = w.call(Method::GET, "/admin/stock", Some(&last), None, None).await;
    assert_eq!(late.error(), (401, "unauthenticated"));
    assert!(owner.page("/admin/programs").await.contains("已到期"));
    key(&owner, "再一个", &["orders"]).await;
}
