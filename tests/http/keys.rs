//! A change of key or digest, the refund certificate, and what a thief of the database would find.

use reqwest::multipart::{Form, Part};
use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;
use xiaopu::wechat::reach::Reached;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::{self, ApiKey, SignType};

use crate::support::*;

const NEW_KEY: &str = "0123456789abcdef0123456789ABCDEF";
const HOUR: i64 = 60 * MINUTE;

fn signed_with(message: &Message, key: &str, sign_type: SignType) -> String {
    let mut message = message.clone();
    message.set("sign", sign::sign(&message, sign_type, &key.parse::<ApiKey>().unwrap()));
    message.to_xml()
}

/// A world whose key and digest stand on the settings page rather than in the file.
async fn world() -> (World, String) {
    let w = World::with(SignType::Md5, &[("wechat.api_key", ""), ("wechat.sign_type", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("wechat-api_key", KEY)]).await;
    let cookie = owner.cookie.clone();
    (w, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_new_key_verify_side_by_side_for_two_days() {
    let (w, _) = world().await;
    let owner = w.staff("boss", Role::Owner).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let early = Placed::of(alice.buy(sku, 1).await);
    let mut notice = w.notice(&early, "alice");
    // Changed at WeChat first, then here.
    w.wechat.change_signing(NEW_KEY.parse().unwrap(), SignType::Md5);
    owner.post("/admin/settings", &[("wechat-api_key", NEW_KEY)]).await;
    let page = owner.page("/admin/settings").await;
    assert!(page.contains("更换前的密钥还能验签到 2026-10-10 13:00:00"), "{page}");
    // On its way when the key was changed: signed with the old one.
    assert!(w.notify(signed_with(&notice, KEY, SignType::Md5)).await.contains("SUCCESS"));
    assert_eq!(alice.status(&early.no).await, "to_ship");
    let log = owner.page("/admin/transactions?kind=notify").await;
    let id = log.split("/admin/transactions/").nth(1).unwrap().split('"').next().unwrap();
    assert!(owner.page(&format!("/admin/transactions/{id}")).await.contains("更换前的密钥"));
    // And a new order goes with the new key, both ways.
    let new = w.paid(&alice, sku, 1).await;
    assert!(w.transaction(&new).starts_with("4200"));
    // A refund notice sealed with the old key opens too.
    let sealed = sign::seal_req_info(b"<root><out_refund_no>x</out_refund_no></root>", &KEY.parse().unwrap());
    let mut hint = Message::from([("return_code", "SUCCESS"), ("appid", APP_ID), ("mch_id", MCH_ID)]);
    hint.set("nonce_str", "x");
    hint.set("req_info", sealed);
    let refund_notice = || async {
        let answer = w.http().post(w.at("/wechat/refund/notify")).body(hint.to_xml()).send().await.unwrap();
        answer.text().await.unwrap()
    };
    assert!(refund_notice().await.contains("SUCCESS"));
    // After two days the old key is worth nothing, and is forgotten.
    let late = Placed::of(alice.buy(sku, 1).await);
    notice.set("out_trade_no", &late.out_trade_no);
    notice.set("transaction_id", "42-late");
    w.advance(48 * HOUR - MINUTE);
    assert!(!w.notify(signed_with(&notice, KEY, SignType::Md5)).await.contains("SIGN_WRONG"));
    w.advance(MINUTE);
    notice.set("transaction_id", "42-later");
    assert!(w.notify(signed_with(&notice, KEY, SignType::Md5)).await.contains("SIGN_WRONG"));
    assert!(refund_notice().await.contains("REQ_INFO_UNREADABLE"));
    w.wait("the key to be forgotten", || async {
        w.advance(HOUR);
        w.count("select count(*) from former_keys").await == 0
    })
    .await;
    // Another key than either was never believed.
    assert!(w.notify(signed_with(&notice, &"z".repeat(32), SignType::Md5)).await.contains("SIGN_WRONG"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_digest_is_good_for_orders_of_before() {
    let (w, _) = world().await;
    let owner = w.staff("boss", Role::Owner).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let early = Placed::of(alice.buy(sku, 1).await);
    let open = Placed::of(alice.buy(sku, 1).await);
    w.advance(SECOND);
    w.wechat.change_signing(KEY.parse().unwrap(), SignType::HmacSha256);
    owner.post("/admin/settings", &[("wechat-sign_type", "HMAC-SHA256")]).await;
    w.advance(SECOND);
    let late = Placed::of(alice.buy(sku, 1).await);
    // The order of before was asked for with MD5, so its notice comes with MD5.
    assert!(w.notify(signed_with(&w.notice(&early, "alice"), KEY, SignType::Md5)).await.contains("SUCCESS"));
    assert_eq!(alice.status(&early.no).await, "to_ship");
    let mut notice = w.notice(&late, "alice");
    notice.set("transaction_id", "42-late");
    let answer = w.notify(signed_with(&notice, KEY, SignType::Md5)).await;
    assert!(answer.contains("SIGN_TYPE"), "an order of after the change cannot come with the old digest: {answer}");
    assert_eq!(alice.status(&late.no).await, "pending_payment");
    assert!(w.notify(signed_with(&notice, KEY, SignType::HmacSha256)).await.contains("SUCCESS"));
    assert_eq!(alice.status(&late.no).await, "to_ship");
    // An order that was handed out before is closed first, then asked for anew: never two open side by side.
    let pay = format!("/orders/{}/prepay", open.no);
    assert_eq!(alice.post(&pay, None).await.error(), (409, "payment_in_progress"));
    w.advance(5 * MINUTE);
    w.wait("the new attempt", || async { alice.post(&pay, None).await.status == 200 }).await;
    assert_eq!(w.wechat.trade(&format!("{}02", open.no)).unwrap().field("sign_type"), "HMAC-SHA256");
    assert!(w.wechat.pay(&open.prepay_id, Paying::Well).is_err());
    w.must_hold().await;
}

fn upload(cert: &str, key: &str) -> Form {
    let part = |text: &str, name: &str| Part::bytes(text.as_bytes().to_vec()).file_name(name.to_owned());
    Form::new().part("cert", part(cert, "apiclient_cert.pem")).part("key", part(key, "apiclient_key.pem"))
}

/// Over real TLS, with a server that lets nobody have a refund who does not show this merchant's certificate.
#[tokio::test(flavor = "multi_thread")]
async fn refunds_show_the_merchants_certificate() {
    let tls = Tls::new();
    let w = World::secure(&tls).await;
    let (owner, manager) = (w.staff("owner", Role::Owner).await, w.staff("manager", Role::Manager).await);
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    let (_, page) = manager.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
    let number = page.strip_prefix("/admin/refunds/").unwrap().to_owned();
    let stands = |words: &'static str| {
        let path = format!("/admin/refunds/{number}");
        let manager = &manager;
        async move { manager.page(&path).await.contains(words) }
    };
    // None yet: nothing is sent, and the page says where to get one.
    w.wait("the want of a certificate", || stands("apiclient_cert.pem")).await;
    assert_eq!(w.wechat.calls("refund"), 0);
    let settings = owner.page("/admin/settings").await;
    assert!(settings.contains("上传退款证书，才能原路退款"), "{settings}");
    let send = |cert: String, key: String| {
        let request = w.http().post(w.at("/admin/settings/certificate")).header("Cookie", &owner.cookie);
        let sent = request.multipart(upload(&cert, &key)).send();
        async { sent.await.unwrap() }
    };
    let text = |pem: &str| pem.to_owned();
    // Each wrong pair is refused at once, with words; nothing is stored.
    for (cert, key, words) in [
        (text("not a certificate"), text(&tls.merchant.1), "不是证书文件"),
        (text(&tls.merchant.0), text("not a key"), "私钥文件读不出来"),
        (text(&tls.merchant.0), text(&tls.other_merchant.1), "不是一对"),
        (text(&tls.other_merchant.0), text(&tls.other_merchant.1), "证书是商户号 1900000000 的"),
        (String::new(), text(&tls.merchant.1), "没有选择"),
        ("x".repeat(70_000), text(&tls.merchant.1), "太大"),
    ] {
        let answer = send(cert, key).await;
        let flash = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let cookie = format!("{}; {flash}", owner.cookie);
        let page = w.http().get(w.at("/admin/settings")).header("Cookie", cookie).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains(words), "{words}: {page}");
        assert_eq!(w.count("select count(*) from settings where name like 'wechat.client%'").await, 0, "{words}");
    }
    let manager_tries = w.http().post(w.at("/admin/settings/certificate")).header("Cookie", &manager.cookie);
    let refused = manager_tries.multipart(upload(&tls.merchant.0, &tls.merchant.1)).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    // One from an authority that WeChat does not know: TLS itself breaks off, and the refund waits for a person.
    send(tls.stranger.0.clone(), tls.stranger.1.clone()).await;
    let tried = async || {
        owner.post("/admin/settings/test/certificate", &[]).await;
        owner.said("/admin/settings").await
    };
    let said = tried().await;
    assert!(!said.contains("✓ 证书可用") && said.contains("证书"), "{said}");
    manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
    for _ in 0..4 {
        w.advance(61 * SECOND);
        w.run_jobs().await;
    }
    assert!(stands("证书缺失、过期").await, "{}", manager.page(&format!("/admin/refunds/{number}")).await);
    assert_eq!(w.wechat.calls("refund"), 0);
    // The right one: shown with merchant and end, and the same number goes through.
    send(tls.merchant.0.clone(), tls.merchant.1.clone()).await;
    let settings = owner.page("/admin/settings").await;
    assert!(settings.contains("演示商户（商户号 1900000109）") && settings.contains("与证书匹配"), "{settings}");
    let said = tried().await;
    assert!(said.contains("✓ 证书可用"), "{said}");
    assert_eq!(w.wechat.refunds(&w.transaction(&placed)).len(), 0, "asking moved nothing");
    manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
    for _ in 0..4 {
        w.advance(61 * SECOND);
        w.run_jobs().await;
    }
    assert!(stands("已退款").await);
    let refunds = w.wechat.refunds(&w.transaction(&placed));
    assert_eq!(refunds.iter().map(|r| r.out_refund_no.as_str()).collect::<Vec<_>>(), [number.as_str()]);
    w.must_hold().await;
}

/// Whoever steals the database alone can sign nothing and refund nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_database_holds_no_secret_in_clear() {
    let (w, _) = world().await;
    let owner = w.staff("boss", Role::Owner).await;
    let tls = Tls::new();
    let request = w.http().post(w.at("/admin/settings/certificate")).header("Cookie", &owner.cookie);
    request.multipart(upload(&tls.merchant.0, &tls.merchant.1)).send().await.unwrap();
    owner.post("/admin/settings", &[("wechat-api_key", NEW_KEY)]).await;
    assert_eq!(
        w.count("select count(*) from settings where name = 'wechat.client_key' and sealed is not null").await,
        1
    );
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("stolen.db");
    xiaopu::db::copy_into(w.shop.db.path(), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let key_line = tls.merchant.1.lines().nth(1).unwrap().to_owned();
    for secret in [KEY, NEW_KEY, key_line.as_str()] {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "a secret stands in the database: {}…", &secret[..4]);
    }
    for page in ["/admin/settings", "/admin/transactions"] {
        let text = owner.page(page).await;
        assert!(!text.contains(KEY) && !text.contains(NEW_KEY) && !text.contains(&key_line), "{page}");
    }
}

/// The test buttons: a harmless question, and what the answer means.
#[tokio::test(flavor = "multi_thread")]
async fn settings_are_tried_without_harm() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let tried = async |what: &str| {
        owner.post(&format!("/admin/settings/test/{what}"), &[]).await;
        owner.said("/admin/settings").await
    };
    assert!(tried("key").await.contains("✓ 密钥正确"));
    assert!(tried("app").await.contains("✓ AppID 和 AppSecret 正确"));
    for (kind, fault, words) in [
        ("orderquery", Fault::refused("SIGNERROR", "签名错误"), "APIv2 密钥或签名方式不对"),
        ("orderquery", Fault::refused("APPID_MCHID_NOT_MATCH", ""), "没有绑定"),
        ("orderquery", Fault::Http500, "连不上微信"),
    ] {
        w.wechat.fault(kind, fault);
        assert!(tried("key").await.contains(words), "{words}");
    }
    w.wechat.change_signing("another0key0another0key0another0".parse().unwrap(), SignType::Md5);
    let said = tried("key").await;
    assert!(!said.contains("✓ 密钥正确"), "an answer signed with another key proves nothing");
    assert!(owner.page("/admin/transactions").await.contains("orderquery"), "asked in the open");
    // The public address of the tests is this shop's own.
    let said = tried("notify").await;
    assert!(said.contains("可达"), "{said}");
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let reach = async |url: String| w.shop.wechat.reach(&url).await;
    assert!(matches!(reach(format!("http://{elsewhere}/")).await, Reached::Unreachable(_)), "nobody is there");
    // The page says why in its own language; what the system said is kept apart from it.
    let lost = w.shop.wechat.try_address(&format!("http://{elsewhere}/"), w.shop.now()).await.unwrap_err();
    assert!(lost.words.contains("连不上：那里没有程序在听（连接被拒绝）。"), "{}", lost.words);
    assert!(lost.said.is_some_and(|said| said.contains("refused")));
    assert!(matches!(reach(w.at("/admin/logout")).await, Reached::Redirect(to) if to.starts_with("/admin/login")));
    assert_eq!(reach(w.at("/nothing")).await, Reached::Other(404));
}
