//! Notify: a perfect notice, one thing wrong per row; and every way in which money can fit no order.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use xiaopu::simulator::Paying;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::notice::ACKNOWLEDGED;
use xiaopu::wechat::v2::sign::SignType;

use crate::support::*;

const OK: &str = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

fn fail(word: &str) -> String {
    format!("<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{word}]]></return_msg></xml>")
}

fn with(message: &Message, name: &str, value: &str) -> String {
    let mut message = message.clone();
    message.set(name, value);
    signed(&message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_with_one_thing_wrong_is_refused_with_its_own_reason() {
    assert_eq!(ACKNOWLEDGED, OK);
    let w = World::new().await;
    let sku = w.product("苹果", 8800, 9).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let good = w.notice(&placed, "alice");
    let xml = signed(&good);
    let without = |name: &str| signed(&good.without(name));
    let mut other_key = good.clone();
    other_key.set("sign", xiaopu::wechat::v2::sign::sign(&good, SignType::Md5, &"0".repeat(32).parse().unwrap()));
    let mut hmac = good.clone();
    hmac.set("sign", xiaopu::wechat::v2::sign::sign(&good, SignType::HmacSha256, &KEY.parse().unwrap()));
    let sign = xml.split("<sign><![CDATA[").nth(1).unwrap()[..32].to_owned();
    let refused: Vec<(String, &str)> = vec![
        (String::new(), "MALFORMED_XML"),
        ("hello".into(), "STRAY_TEXT"),
        ("{\"a\":1}".into(), "STRAY_TEXT"),
        ("x".repeat(65 * 1024), "BODY_TOO_LARGE"),
        (format!("<!DOCTYPE xml [<!ENTITY e \"x\">]>{xml}"), "DOCTYPE_REFUSED"),
        (xml.replace("<appid>", "<?php ?><appid>"), "INSTRUCTION_REFUSED"),
        (xml.replace("<appid>", "<total_fee>1</total_fee><appid>"), "DUPLICATE_FIELD"),
        (xml.replace("<appid>", "<x><total_fee>1</total_fee></x><appid>"), "NESTED_FIELD"),
        (xml.replace("<xml>", "<xml a=\"1\">"), "ATTRIBUTE_REFUSED"),
        (xml.replace("xml>", "root>"), "WRONG_ROOT"),
        (xml.replace("<appid>", "<a>&e;</a><appid>"), "ENTITY_REFUSED"),
        (with(&good, "return_code", "FAIL"), "RETURN_CODE"),
        (without("return_code"), "RETURN_CODE"),
        (with(&good, "appid", "wx0000000000000000"), "OTHER_MERCHANT"),
        (with(&good, "mch_id", "1900000000"), "OTHER_MERCHANT"),
        (without("mch_id"), "OTHER_MERCHANT"),
        (good.to_xml(), "SIGN_MISSING"),
        (xml.replace(&sign, ""), "SIGN_MISSING"),
        (xml.replace(&sign, &sign[1..]), "SIGN_LENGTH"),
        (hmac.to_xml(), "SIGN_LENGTH"),
        (xml.replace(&sign, &sign.to_lowercase()), "SIGN_WRONG"),
        (other_key.to_xml(), "SIGN_WRONG"),
        (xml.replace("CMB_CREDIT", "ICBC_DEBIT"), "SIGN_WRONG"),
        (xml.replace("<appid>", "<new_field>x</new_field><appid>"), "SIGN_WRONG"),
        (with(&good, "sign_type", "HMAC-SHA256"), "SIGN_TYPE"),
        (with(&good, "notify_url", "https://shop.example.com/wechat/pay/notify"), "OWN_REQUEST"),
        (with(&good, "spbill_create_ip", "127.0.0.1"), "OWN_REQUEST"),
        (with(&good, "sub_mch_id", "1"), "PARTNER_MODE"),
        (with(&good, "result_code", "MAYBE"), "RESULT_CODE"),
        (without("result_code"), "RESULT_CODE"),
        (without("transaction_id"), "BAD_FIELD transaction_id"),
        (without("out_trade_no"), "BAD_FIELD out_trade_no"),
        (without("openid"), "BAD_FIELD openid"),
        (without("bank_type"), "BAD_FIELD bank_type"),
        (without("trade_type"), "BAD_FIELD trade_type"),
        (without("time_end"), "BAD_FIELD time_end"),
        (with(&good, "time_end", "2026-10-08 13:15"), "BAD_FIELD time_end"),
        (without("total_fee"), "BAD_FIELD total_fee"),
        (with(&good, "total_fee", "0"), "BAD_FIELD total_fee"),
        (with(&good, "total_fee", "-8800"), "BAD_FIELD total_fee"),
        (with(&good, "total_fee", "+8800"), "BAD_FIELD total_fee"),
        (with(&good, "total_fee", "08800"), "BAD_FIELD total_fee"),
        (with(&good, "total_fee", "8800.00"), "BAD_FIELD total_fee"),
        (with(&good, "total_fee", "10000000001"), "BAD_FIELD total_fee"),
    ];
    let rows = refused.len() as i64;
    for (body, word) in refused {
        let start: String = body.chars().take(80).collect();
        assert_eq!(w.notify(body).await, fail(word), "{start}");
    }
    assert_eq!(alice.status(&placed.no).await, "pending_payment");
    assert_eq!(w.count("select count(*) from messages where kind = 'notify' and verdict = 'refused'").await, rows);
    assert_eq!(
        w.count("select count(*) from ledger").await + w.count("select count(*) from money_exceptions").await,
        0
    );
    // A notice that says no money moved is authentic, and moves nothing.
    assert_eq!(w.notify(with(&good, "result_code", "FAIL")).await, OK);
    assert_eq!(alice.status(&placed.no).await, "pending_payment");
    // Unknown fields are signed like known ones; the perfect notice pays.
    assert_eq!(w.notify(with(&good, "field_of_tomorrow", "x")).await, OK);
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_notice_changes_nothing() {
    let w = World::new().await;
    let sku = w.product("苹果", 8800, 9).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let xml = signed(&w.notice(&placed, "alice"));
    let copies = (0..20).map(|_| w.notify(xml.clone()));
    for answer in rocket::futures::future::join_all(copies).await {
        assert_eq!(answer, OK);
    }
    let paid = alice.order(&placed.no).await;
    w.advance(MINUTE);
    assert_eq!(w.notify(xml).await, OK);
    let later = alice.order(&placed.no).await;
    assert_eq!((&later["paidAt"], &later["paidFen"]), (&paid["paidAt"], &paid["paidFen"]));
    assert_eq!(w.count("select count(*) from order_events where to_status = 'to_ship'").await, 1);
    assert_eq!(w.count("select count(*) from ledger").await, 1);
    assert_eq!(w.count("select count(*) from messages where kind = 'notify'").await, 21);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_fits_no_order_is_kept_and_shown() {
    let w = World::new().await;
    let sku = w.product("苹果", 8800, 9).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    let good = w.notice(&placed, "alice");
    // Another amount, another currency, a number that is not ours: kept once, acknowledged, and no order is paid.
    for (name, value, transaction) in [
        ("total_fee", "8799", "42-1"),
        ("total_fee", "8801", "42-2"),
        ("fee_type", "USD", "42-3"),
        ("out_trade_no", "OTHER-SYSTEM-1", "42-4"),
        ("out_trade_no", "不是我们的", "42-5"),
    ] {
        let mut message = good.clone();
        message.set("transaction_id", transaction);
        for _ in 0..2 {
            assert_eq!(w.notify(with(&message, name, value)).await, OK, "{name} {value}");
        }
        assert_eq!(alice.status(&placed.no).await, "pending_payment", "{name} {value}");
    }
    assert_eq!(w.count("select count(*) from money_exceptions where kind = 'amount_mismatch'").await, 3);
    assert_eq!(w.count("select count(*) from money_exceptions where kind = 'orphan_payment'").await, 2);
    assert_eq!(w.count("select count(*) from messages where verdict = 'suspicious'").await, 10);
    // Another payer: paid, and flagged.
    assert_eq!(w.notify(signed(&w.notice(&placed, "somebody else"))).await, OK);
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert_eq!(w.count("select count(*) from money_exceptions where kind = 'payer_mismatch'").await, 1);
    // The transaction that paid alice's order pays none of bob's.
    let bobs = Placed::of(bob.buy(sku, 1).await);
    assert_eq!(w.notify(signed(&w.notice(&bobs, "bob"))).await, OK);
    assert_eq!(bob.status(&bobs.no).await, "pending_payment");
    assert_eq!(w.count("select count(*) from money_exceptions where kind = 'orphan_payment'").await, 3);
    // A second transaction for an order that has been paid.
    let mut second = good.clone();
    second.set("transaction_id", "42-6");
    assert_eq!(w.notify(signed(&second)).await, OK);
    assert_eq!(w.count("select count(*) from money_exceptions where kind = 'duplicate_payment'").await, 1);
    assert_eq!(alice.order(&placed.no).await["paidFen"], 8800);
    // None of these transactions pays another order afterwards, nor its own order at a second try.
    let again = Placed::of(alice.buy(sku, 1).await);
    for (n, transaction) in ["42-1", "42-4", "42-6"].into_iter().enumerate() {
        for placed in [&bobs, &again] {
            let mut notice = w.notice(placed, "bob");
            notice.set("transaction_id", transaction);
            assert_eq!(w.notify(signed(&notice)).await, OK, "{n}");
        }
    }
    let mut short = w.notice(&again, "alice");
    short.set("transaction_id", "42-7");
    assert_eq!(w.notify(with(&short, "total_fee", "1")).await, OK);
    assert_eq!(w.notify(signed(&short)).await, OK);
    assert_eq!(bob.status(&bobs.no).await, "pending_payment");
    assert_eq!(alice.status(&again.no).await, "pending_payment");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_reopens_the_order_or_waits_for_a_refund() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 1).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    // Stock is there: the order is taken up again.
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::Late);
    alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
    assert_eq!(alice.status(&placed.no).await, "closed");
    w.advance(5 * MINUTE);
    w.wait("the late payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    assert_eq!(
        w.count("select count(*) from money_exceptions where kind = 'late_payment' and state = 'resolved'").await,
        1
    );
    assert_eq!(w.stock(sku).await, (1, 1));
    w.must_hold().await;
    // Stock is gone: the order stays closed, and the money waits in the inbox to be sent back.
    let pear = w.product("梨", 1000, 1).await;
    let lost = Placed::of(alice.buy(pear, 1).await);
    alice.post(&format!("/orders/{}/cancel", lost.no), None).await.ok();
    w.advance(5 * MINUTE);
    w.wait("the closing", || async { w.stock(pear).await == (1, 0) }).await;
    bob.buy(pear, 1).await.ok();
    let mut notice = w.notice(&lost, "alice");
    notice.set("transaction_id", "42-late");
    for _ in 0..2 {
        assert_eq!(w.notify(signed(&notice)).await, OK);
    }
    let order = alice.order(&lost.no).await;
    assert_eq!((order["status"].as_str(), order["paidFen"].as_i64()), (Some("closed"), Some(1000)));
    assert_eq!(order["refunds"][0]["stateText"], "退款中");
    assert_eq!(
        w.count("select count(*) from money_exceptions where kind = 'late_payment' and state = 'open'").await,
        1
    );
    assert_eq!(w.stock(pear).await, (1, 1));
    // A day later stock alone is no reason to take it up again.
    let plum = w.product("李", 1000, 1).await;
    let old = Placed::of(alice.buy(plum, 1).await);
    alice.post(&format!("/orders/{}/cancel", old.no), None).await.ok();
    w.advance(24 * 60 * MINUTE);
    let mut notice = w.notice(&old, "alice");
    notice.set("transaction_id", "42-old");
    assert_eq!(w.notify(signed(&notice)).await, OK);
    assert_eq!(alice.status(&old.no).await, "closed");
    assert_eq!(w.stock(plum).await, (1, 0));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulators_accidents_come_out_right() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    for (paying, status, exceptions) in [
        (Paying::NoticeTwice, "to_ship", 0),
        (Paying::OtherPayer, "to_ship", 1),
        (Paying::OtherAmount, "pending_payment", 2),
    ] {
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.pay(&placed, paying);
        let heard =
            || async { w.wechat.trade(&placed.out_trade_no).is_some_and(|t| t.notices.iter().any(|a| a == OK)) };
        w.wait("the acknowledgement", heard).await;
        assert_eq!(alice.status(&placed.no).await, status, "{paying:?}");
        assert_eq!(w.count("select count(*) from money_exceptions").await, exceptions, "{paying:?}");
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_or_broken_body_is_given_up() {
    let w = World::new().await;
    let mut stream = tokio::net::TcpStream::connect(w.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream
        .write_all(b"POST /wechat/pay/notify HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n<xml><appid>wx1</appid>")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 2048];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer))
        .await
        .expect("an answer in time")
        .unwrap();
    answer.extend_from_slice(&buffer[..read]);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("BODY_INCOMPLETE"), "{answer}");
}

/// Anybody can send what WeChat did not: it is answered, but only so much of it is written down. What WeChat did send is
/// settled in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_false_notices_neither_fills_the_log_nor_hides_a_true_one() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let mut forged = w.notice(&placed, "alice");
    forged.set("sign", "A".repeat(32));
    for _ in 0..300 {
        assert_eq!(w.notify(forged.to_xml()).await, fail("SIGN_WRONG"));
    }
    let written = w.count("select count(*) from messages where kind = 'notify'").await;
    assert!((100..200).contains(&written), "{written} of 300");
    let numbers = w.http().get(w.at("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(numbers.contains(&format!("xiaopu_notices_forgotten_total {}", 300 - written)), "{numbers}");
    assert_eq!(alice.status(&placed.no).await, "pending_payment");
    w.pay(&placed, Paying::Well);
    w.wait("the true notice", || async { alice.status(&placed.no).await == "to_ship" }).await;
    // Those that cannot even be read count too.
    for (path, body) in [("/wechat/pay/notify", "<xml>"), ("/wechat/refund/notify", "<xml><a>1</a></xml>")] {
        let before = w.count("select count(*) from messages").await;
        for _ in 0..20 {
            let answer = w.http().post(w.at(path)).body(body).send().await.unwrap().text().await.unwrap();
            assert!(answer.contains("FAIL"));
        }
        assert!(w.count("select count(*) from messages").await - before < 20, "{path}");
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wechats_other_doors_answer_in_wechats_way() {
    let w = World::with(Default::default(), &[("wechat.message_token", "AAAAA")]).await;
    let signature = hex(&["1714036504", "1514711492", "AAAAA"]);
    let query = format!("signature={signature}&timestamp=1714036504&nonce=1514711492");
    let get = |path: String| w.http().get(w.at(&path)).send();
    let echo = get(format!("/wechat/message?{query}&echostr=4375120948345356249")).await.unwrap();
    assert_eq!(echo.text().await.unwrap(), "4375120948345356249");
    assert_eq!(
        get(format!("/wechat/message?{}&echostr=1", query.replace("nonce=1", "nonce=2"))).await.unwrap().status(),
        403
    );
    let push =
        w.http().post(w.at(&format!("/wechat/message?{query}"))).body(r#"{"Event":"hello"}"#).send().await.unwrap();
    assert_eq!(push.text().await.unwrap(), "success");
    let unknown = w.http().post(w.at("/wechat/nothing")).body("x").send().await.unwrap();
    assert!(unknown.text().await.unwrap().starts_with("<xml><return_code><![CDATA[FAIL]]>"));
    let refund = w.http().post(w.at("/wechat/refund/notify")).body("<xml><a>1</a></xml>").send().await.unwrap();
    assert_eq!(refund.text().await.unwrap(), fail("RETURN_CODE"));
    let e1 = "bDP/xixH0hFEaZusu714Uyyh0dv8MPgMqVLeIkI0QHBoWJbCzCFX0olPqtxTh2q95uvewe45Es+0+iD/4no6Cg==";
    let hint = Message::from([
        ("return_code", "SUCCESS"),
        ("appid", APP_ID),
        ("mch_id", MCH_ID),
        ("nonce_str", "x"),
        ("req_info", e1),
    ]);
    let refund = w.http().post(w.at("/wechat/refund/notify")).body(hint.to_xml()).send().await.unwrap();
    assert_eq!(refund.text().await.unwrap(), OK);
}

fn hex(parts: &[&str]) -> String {
    use sha1::{Digest, Sha1};
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}
