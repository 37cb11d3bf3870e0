//! API v3 in all the forms in which WeChat may write it, and in those that must not be taken for it.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use xiaopu::nonce::Nonces;
use xiaopu::simulator::{Fault, Paying, TradeState};
use xiaopu::staff::Role;
use xiaopu::wechat::pay::{Trade, TradeOf};
use xiaopu::wechat::v3::keys::{PrivateKey, V3Key};
use xiaopu::wechat::v3::sign;
use xiaopu::wechat::{Api, GatewayError, Wechat};

use super::v3::{keys, knock, next_morning, wait_for, world};
use crate::support::*;

/// One thing changed in a notice.
type Change = fn(&mut Value);

/// A notice signed as WeChat Pay signs it, whatever it says.
fn signed(w: &World, body: &str) -> Vec<(&'static str, String)> {
    let keys = keys();
    let platform = PrivateKey::read(&keys.platform.private).unwrap();
    let (timestamp, nonce) = ((w.shop.now() / SECOND).to_string(), "d824f2e086d3c1df967785d13fcd22ef".to_owned());
    let signature = sign::signed(&platform, &[timestamp.as_bytes(), nonce.as_bytes(), body.as_bytes()]);
    // Letter case is the sender's affair.
    vec![
        ("wechatpay-timestamp", timestamp),
        ("WECHATPAY-NONCE", nonce),
        ("WeChatPay-Serial", keys.public_id),
        ("wechatPay-signature", signature),
    ]
}

/// A notice of these facts; `change` has the last word on its envelope.
fn notice(event: &str, facts: &Value, change: impl FnOnce(&mut Value)) -> String {
    let key: V3Key = keys().v3_key.parse().unwrap();
    let sealed = key.seal(*b"fdasflkja484", b"", facts.to_string().as_bytes());
    let mut body = json!({
        "id": "EV-1", "create_time": "2026-10-08T10:34:56+08:00", "event_type": event, "summary": "支付成功",
        "resource_type": "encrypt-resource",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": BASE64_STANDARD.encode(sealed), "nonce": "fdasflkja484",
            "associated_data": "", "original_type": "transaction",
        },
    });
    change(&mut body);
    // Line ends and spaces are signed as they stand.
    format!("{}\n", serde_json::to_string_pretty(&body).unwrap())
}

fn paid(placed: &Placed, openid: &str) -> Value {
    json!({
        "mchid": MCH_ID, "appid": APP_ID, "out_trade_no": placed.out_trade_no,
        "transaction_id": format!("42{}", placed.out_trade_no), "trade_type": "JSAPI", "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功", "bank_type": "OTHERS", "attach": "", "success_time": "2026-10-08T10:34:56+08:00",
        "payer": { "openid": openid },
        "amount": { "total": placed.total, "payer_total": placed.total, "currency": "CNY", "payer_currency": "CNY" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_form_a_right_notice_has_it_is_taken_in() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    let openid = w.wechat.openid("alice");
    let rows: [(&str, Change, Change); 8] = [
        ("as it is", |_| {}, |_| {}),
        (
            "no associated data",
            |_| {},
            |body| drop(body["resource"].as_object_mut().unwrap().remove("associated_data")),
        ),
        ("null for associated data", |_| {}, |body| body["resource"]["associated_data"] = Value::Null),
        (
            "fields that nobody knows yet",
            |facts| facts["payer"]["new"] = json!([1, { "a": null }]),
            |body| {
                body["new"] = json!({ "deep": true });
            },
        ),
        ("given back before it was told of", |facts| facts["trade_state"] = json!("REFUND"), |_| {}),
        ("null for the currency is yuan", |facts| facts["amount"]["currency"] = Value::Null, |_| {}),
        ("no currency is yuan", |facts| drop(facts["amount"].as_object_mut().unwrap().remove("currency")), |_| {}),
        (
            "a scene and promotions",
            |facts| {
                facts["scene_info"] = json!({ "device_id": "" });
                facts["promotion_detail"] = json!([]);
            },
            |_| {},
        ),
    ];
    for (name, facts_change, body_change) in rows {
        let placed = Placed::of(alice.buy(sku, 1).await);
        let mut facts = paid(&placed, &openid);
        facts_change(&mut facts);
        let body = notice("TRANSACTION.SUCCESS", &facts, body_change);
        assert_eq!(knock(&w, &signed(&w, &body), body.as_bytes()).await, (204, String::new()), "{name}");
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_notice_with_one_thing_wrong_moves_nothing() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let right = paid(&placed, &w.wechat.openid("alice"));
    let rows: [(&str, u16, Change, Change); 14] = [
        ("OTHER_MERCHANT", 400, |facts| facts["mchid"] = json!("1900000110"), |_| {}),
        ("OTHER_MERCHANT", 400, |facts| facts["appid"] = json!("wx0000000000000000"), |_| {}),
        ("OTHER_MERCHANT", 400, |facts| facts["appid"] = Value::Null, |_| {}),
        ("TRADE_STATE NOTPAY", 400, |facts| facts["trade_state"] = json!("NOTPAY"), |_| {}),
        ("BAD_FIELD amount.total", 400, |facts| facts["amount"]["total"] = json!("8800"), |_| {}),
        ("BAD_FIELD amount.total", 400, |facts| facts["amount"]["total"] = json!(88.5), |_| {}),
        ("BAD_FIELD amount.total", 400, |facts| facts["amount"]["total"] = json!(-1), |_| {}),
        ("BAD_FIELD success_time", 400, |facts| facts["success_time"] = json!("20261008103456"), |_| {}),
        ("BAD_FIELD payer.openid", 400, |facts| facts["payer"] = json!({}), |_| {}),
        ("BAD_FIELD transaction_id", 400, |facts| facts["transaction_id"] = json!(""), |_| {}),
        ("ALGORITHM", 400, |_| {}, |body| body["resource"]["algorithm"] = json!("AEAD_SM4_128_GCM")),
        ("RESOURCE_SEALED", 500, |_| {}, |body| body["resource"]["nonce"] = json!("fdasflkja48")),
        ("RESOURCE_SEALED", 500, |_| {}, |body| body["resource"]["associated_data"] = json!("transaction")),
        ("CIPHERTEXT", 400, |_| {}, |body| body["resource"]["ciphertext"] = json!("not base64")),
    ];
    for (word, status, facts_change, body_change) in rows {
        let mut facts = right.clone();
        facts_change(&mut facts);
        let body = notice("TRANSACTION.SUCCESS", &facts, body_change);
        let (said, text) = knock(&w, &signed(&w, &body), body.as_bytes()).await;
        assert_eq!((said, text.contains(word)), (status, true), "{word}: {text}");
        assert_eq!(alice.status(&placed.no).await, "pending_payment", "{word}");
    }
    // Of another amount or in other money: it is taken in, and pays no order.
    for (change, kinds) in [
        ((|facts| facts["amount"] = json!({ "total": 1, "payer_total": 1, "currency": "CNY" })) as Change, 1),
        (|facts| facts["amount"]["currency"] = json!("USD"), 1),
    ] {
        let mut facts = right.clone();
        change(&mut facts);
        let body = notice("TRANSACTION.SUCCESS", &facts, |_| {});
        assert_eq!(knock(&w, &signed(&w, &body), body.as_bytes()).await.0, 204);
        assert_eq!(alice.status(&placed.no).await, "pending_payment");
        assert!(w.count("select count(*) from money_exceptions").await >= kinds);
    }
    // What this shop does not deal in is thanked for, and moves nothing.
    let body = notice("PAYSCORE.USER_OPEN_SERVICE", &right, |_| {});
    assert_eq!(knock(&w, &signed(&w, &body), body.as_bytes()).await.0, 204);
    // Each door speaks its own language: nothing is taken for the other's.
    let body = notice("TRANSACTION.SUCCESS", &right, |_| {});
    for path in ["/wechat/pay/notify", "/wechat/refund/notify"] {
        let mut request = w.http().post(w.at(path)).body(body.clone());
        for (name, value) in signed(&w, &body) {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap().text().await.unwrap();
        assert!(answer.contains("FAIL"), "{path}: {answer}");
    }
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    let xml = w.wechat.notice(&placed.out_trade_no).unwrap();
    assert_eq!(knock(&w, &[("content-type", "text/xml".into())], xml.as_bytes()).await.0, 401);
    assert_eq!(alice.status(&placed.no).await, "pending_payment");
}

/// A refund's event and its facts tell one story, or are not gone by.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_notice_that_contradicts_itself_moves_nothing() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let payment = paid(&placed, &w.wechat.openid("alice"));
    let body = notice("TRANSACTION.SUCCESS", &payment, |_| {});
    assert_eq!(knock(&w, &signed(&w, &body), body.as_bytes()).await.0, 204);
    let rows = [
        ("REFUND.CLOSED", "SUCCESS", 400),
        ("REFUND.ABNORMAL", "SUCCESS", 400),
        ("REFUND.SUCCESS", "CLOSED", 400),
        ("REFUND.SUCCESS", "PROCESSING", 400),
        ("REFUND.SUCCESS", "SUCCESS", 204),
    ];
    for (event, status, answered) in rows {
        let facts = json!({
            "mchid": MCH_ID, "out_trade_no": placed.out_trade_no, "transaction_id": payment["transaction_id"],
            "out_refund_no": "console-1", "refund_id": "50000000000000000000000000001", "refund_status": status,
            "success_time": "2026-10-08T10:40:00+08:00", "user_received_account": "支付用户零钱",
            "amount": { "total": 8800, "refund": 300, "payer_total": 8800, "payer_refund": 300 },
        });
        let body = notice(event, &facts, |body| body["resource"]["original_type"] = json!("refund"));
        assert_eq!(knock(&w, &signed(&w, &body), body.as_bytes()).await.0, answered, "{event} {status}");
        let entered = w.count("select count(*) from ledger where kind = 'refund'").await;
        assert_eq!(entered, i64::from(answered == 204), "{event} {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_sends_with_no_associated_data_or_an_empty_one_is_opened() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    for fault in [Fault::AadEmpty, Fault::AadMissing] {
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.wechat.fault("notify", fault);
        w.pay(&placed, Paying::Well);
        wait_for(&w, &alice, &placed, "to_ship").await;
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_that_is_not_signed_for_closes_nothing() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 9).await;
    let alice = w.buyer("alice").await;
    for fault in [Fault::Unsigned, Fault::SignTest, Fault::BadSign] {
        let placed = Placed::of(alice.buy(sku, 9).await);
        w.advance(6 * MINUTE);
        // The 204 is not believed, and the query that follows says that it can be paid: nobody else gets the stock.
        w.wechat.fault_always("closeorder", Fault::Http500);
        alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
        assert_eq!(w.stock(sku).await, (9, 9), "{fault:?}");
        w.wechat.clear_faults();
        w.wechat.fault("closeorder", fault.clone());
        w.advance(MINUTE);
        w.run_jobs().await;
        // Closed there and not believed; the signed word of the query decides.
        assert_eq!(w.wechat.trade(&placed.out_trade_no).unwrap().state, TradeState::Closed, "{fault:?}");
        w.wait("the closing", || async { w.stock(sku).await == (9, 0) }).await;
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_beyond_all_measure_is_no_answer_and_a_bill_elsewhere_is_not_fetched() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    w.wechat.fault("unifiedorder", Fault::TooLong);
    assert_eq!(alice.buy(sku, 1).await.error(), (503, "wechat_unavailable"));
    w.paid(&alice, sku, 1).await;
    w.wechat.fault_always("downloadbill", Fault::BillElsewhere);
    next_morning(&w).await;
    assert_eq!(w.wechat.calls("billdownload"), 0, "no signed request leaves for another host");
    assert_eq!(w.count("select count(*) from bills where problem like '%DOWNLOAD_URL_ELSEWHERE%'").await, 1);
    w.wechat.clear_faults();
    w.advance(60 * MINUTE);
    w.run_jobs().await;
    assert_eq!(w.count("select count(*) from bills where day = '20261008' and state = 'equal'").await, 1);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_host_takes_what_the_first_cannot_be_given() {
    let w = world("v3").await;
    let number = "20261008ABCDEFGHJK01".parse().unwrap();
    let there = w.shop.wechat.pay_url();
    let gone = format!("http://{}", TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap());
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = (format!("http://{}", silent.local_addr().unwrap()), silent);
    for api in [Api::V2, Api::V3] {
        let account = w.shop.account_of(api).unwrap();
        let ask = async |wechat: &Wechat| wechat.order_query(&account, TradeOf::Number(&number), &Nonces::Random).await;
        let wechat = Wechat::new(&gone, Some(there), there, "").unwrap();
        let before = w.wechat.calls("orderquery");
        assert_eq!(ask(&wechat).await.result, Ok(Trade::Absent), "{api:?}");
        assert_eq!(w.wechat.calls("orderquery"), before + 1);
        // One that took the request and says nothing may have carried it out: that call has no answer, the next has.
        let wechat = Wechat::new(&silent.0, Some(there), there, "").unwrap();
        assert!(matches!(ask(&wechat).await.result, Err(GatewayError::Unreachable(_))), "{api:?}");
        assert_eq!(w.wechat.calls("orderquery"), before + 1, "{api:?}");
        let start = Instant::now();
        assert_eq!(ask(&wechat).await.result, Ok(Trade::Absent), "{api:?}");
        assert!(start.elapsed() < Duration::from_secs(3), "the silent one waits for its turn");
    }
    assert!(Wechat::new(there, Some("https://api2.mch.weixin.qq.com"), there, "").is_err(), "both here or neither");
}

/// As with v2: what was begun under the app of before is told of in its name.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_under_the_app_of_before_is_taken_in_by_api_v3() {
    const OTHER_APP: &str = "wx00000000000other";
    let keys = keys();
    let settings = [
        ("wechat.api", "v3"),
        ("wechat.v3_key", keys.v3_key.as_str()),
        ("wechat.mch_key", &keys.merchant.private),
        ("wechat.mch_serial", &keys.serial),
        ("wechat.public_key", &keys.platform.public),
        ("wechat.public_key_id", &keys.public_id),
        ("wechat.app_id", ""),
        ("wechat.app_secret", ""),
    ];
    let w = World::with(Default::default(), &settings).await;
    w.wechat.with_v3(&keys).unwrap();
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("wechat-app_id", APP_ID), ("wechat-app_secret", SECRET)]).await;
    w.wechat.bind_app(OTHER_APP, SECRET);
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let (noticed, silent) = (Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await));
    owner.post("/admin/settings", &[("wechat-app_id", OTHER_APP)]).await;
    w.pay(&noticed, Paying::Well);
    let to_ship = "select count(*) from orders where status = 'to_ship'";
    w.wait("the notice", || async { w.count(to_ship).await == 1 }).await;
    w.pay(&silent, Paying::NoNotice);
    w.advance(MINUTE);
    w.run_jobs().await;
    w.wait("the query", || async { w.count(to_ship).await == 2 }).await;
    w.must_hold().await;
}

/// Places an order through whatever goes wrong, under one key.
async fn placed_at_last(w: &World, alice: &Buyer<'_>, sku: xiaopu::ids::SkuId) -> Placed {
    let key = w.key();
    for _ in 0..4 {
        let answer = alice.prepay(&key, order(sku, 1)).await;
        if answer.status == 201 || answer.status == 200 {
            return Placed::of(answer);
        }
        w.advance(MINUTE);
        w.run_jobs().await;
    }
    panic!("no order came about");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_orders_in_both_versions_with_every_fault_ends_in_a_bill_that_matches() {
    let w = world("").await;
    let sku = w.product("苹果", 8800, 999).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let kinds = ["unifiedorder", "orderquery", "closeorder", "refund", "refundquery", "notify", "refund_notify"];
    let faults = [
        Fault::LoseAnswer,
        Fault::Http500,
        Fault::BadSign,
        Fault::Unsigned,
        Fault::SignTest,
        Fault::OtherSerial,
        Fault::ClockOff,
        Fault::DoubledHeader,
        Fault::refused("SYSTEMERROR", "系统错误"),
    ];
    for (nth, fault) in faults.iter().enumerate() {
        for api in ["v2", "v3"] {
            owner.post("/admin/settings", &[("wechat-api", api)]).await;
            kinds.iter().for_each(|kind| w.wechat.fault(kind, fault.clone()));
            let placed = placed_at_last(&w, &alice, sku).await;
            if nth % 4 == 3 {
                alice.post(&format!("/orders/{}/cancel", placed.no), None).await;
                w.advance(6 * MINUTE);
                w.run_jobs().await;
                continue;
            }
            w.pay(&placed, if nth % 2 == 0 { Paying::NoNotice } else { Paying::NoticeTwice });
            // Until the last of the polls: all that was told and asked before may have gone wrong.
            for _ in 0..20 {
                w.advance(MINUTE);
                w.run_jobs().await;
            }
            wait_for(&w, &alice, &placed, "to_ship").await;
            if nth % 3 != 0 {
                let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
                owner.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
                for _ in 0..10 {
                    w.advance(MINUTE);
                    w.run_jobs().await;
                }
            }
        }
    }
    w.wechat.clear_faults();
    w.wechat.fault("downloadbill", Fault::LoseAnswer);
    for _ in 0..2 {
        next_morning(&w).await;
    }
    let paid = "select count(distinct api) from attempts where state = 'paid'";
    assert_eq!(w.count(paid).await, 2);
    assert_eq!(w.count("select count(*) from refunds where state <> 'succeeded'").await, 0);
    assert_eq!(w.count("select count(*) from bills where day = '20261008' and state = 'equal'").await, 1);
    assert_eq!(w.count("select count(*) from bills where state not in ('equal', 'empty')").await, 0);
    assert_eq!(w.count("select count(*) from money_exceptions where state = 'open'").await, 0);
    w.must_hold().await;
}

/// API v3 tells that money of a payment went back and not how much: somebody looks before the goods leave, or the bill tells.
#[tokio::test(flavor = "multi_thread")]
async fn goods_do_not_leave_for_money_that_went_back_before_it_was_told_of() {
    let w = world("v3").await;
    let owner = w.staff("owner", Role::Owner).await;
    w.wechat.ways(|ways| ways.refund_notices = false);
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    let mut orders = Vec::new();
    for by_query in [true, false] {
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        w.wechat.refund_by_console(&w.transaction(&placed), 8800).unwrap();
        if by_query {
            alice.post(&format!("/orders/{}/check", placed.no), None).await.ok();
        } else {
            let mut facts = paid(&placed, &w.wechat.openid("alice"));
            facts["trade_state"] = json!("REFUND");
            facts["transaction_id"] = json!(w.transaction(&placed));
            let body = notice("TRANSACTION.SUCCESS", &facts, |_| {});
            assert_eq!(knock(&w, &signed(&w, &body), body.as_bytes()).await.0, 204);
        }
        w.run_jobs().await;
        let here = format!("/admin/orders/{}", placed.no);
        owner.post(&format!("{here}/query"), &[]).await;
        assert!(owner.said(&here).await.contains("之后有过退款"), "{by_query}");
        let page = owner.page(&here).await;
        assert!(page.contains("微信说这笔付款已有退款"), "{by_query}: {page}");
        owner.ship(&here).await;
        assert!(owner.said(&here).await.contains("还没有人核对过"), "{by_query}");
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{by_query}");
        orders.push(placed);
    }
    let told = "select count(*) from money_exceptions where kind = 'amount_mismatch' and state = 'open'";
    assert_eq!(w.count(told).await, 2);
    // Somebody has looked at one of them, and sends it all the same; the bill tells of both.
    let here = format!("/admin/orders/{}", orders[0].no);
    owner.post(&format!("{here}/ship"), &[("tracking_no", "SF1234567890123"), ("despite_refund", "true")]).await;
    assert_eq!(alice.status(&orders[0].no).await, "shipped");
    next_morning(&w).await;
    for placed in &orders {
        w.wait("the bill", || async { alice.order(&placed.no).await["refundedFen"] == 8800 }).await;
    }
    assert_eq!(w.count(told).await, 0, "what went back is known");
    w.must_hold().await;
}

/// What the shop has given back itself is no news.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_after_a_refund_of_ours_alarms_nobody() {
    let w = world("v3").await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    let placed = w.paid(&alice, sku, 2).await;
    let number = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
    super::refunds::until(&w, &number, "succeeded").await;
    owner.post(&format!("/admin/orders/{}/query", placed.no), &[]).await;
    assert_eq!(w.count("select count(*) from money_exceptions").await, 0);
}

/// Money may lie there: it is told until the payment is entered after all, or the bill has told of everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_signed_and_cannot_be_read_is_told() {
    let w = world("v3").await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    let openid = w.wechat.openid("alice");
    for by_bill in [false, true] {
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        let mut facts = paid(&placed, &openid);
        facts["transaction_id"] = json!(w.transaction(&placed));
        facts.as_object_mut().unwrap().remove("success_time");
        let body = notice("TRANSACTION.SUCCESS", &facts, |_| {});
        assert_eq!(knock(&w, &signed(&w, &body), body.as_bytes()).await.0, 400);
        let said = format!("微信签过名的付款（商户订单号 {}）读不懂", placed.out_trade_no);
        assert!(owner.page("/admin").await.contains(&said));
        // A good notice of another payment is no news of this one.
        w.paid(&alice, sku, 1).await;
        assert!(owner.page("/admin").await.contains(&said));
        if by_bill {
            next_morning(&w).await;
        } else {
            let again = w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
            assert_eq!(knock(&w, &again.headers, &again.body).await.0, 204);
        }
        assert!(!owner.page("/admin").await.contains(&said), "{by_bill}");
    }
    // A refund that cannot be read is asked about, and is no payment.
    let refund = json!({ "mchid": MCH_ID, "out_trade_no": "2026", "refund_status": "SUCCESS" });
    let body = notice("REFUND.SUCCESS", &refund, |_| {});
    assert_eq!(knock(&w, &signed(&w, &body), body.as_bytes()).await.0, 400);
    assert_eq!(w.count("select count(*) from owner_alerts").await, 0);
    w.must_hold().await;
}

/// A buyer who has just paid waits for this answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_probe_on_the_answer_to_a_question_is_asked_again_at_once() {
    let w = world("v3").await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::NoNotice);
    w.wechat.fault("orderquery", Fault::SignTest);
    assert_eq!(alice.post(&format!("/orders/{}/check", placed.no), None).await.ok()["status"], "to_ship");
}
