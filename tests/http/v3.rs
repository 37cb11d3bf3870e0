//! API v3 beside v2: a whole purchase in either version, what is not believed, and a change between them.

use serde_json::Value;
use xiaopu::clock::Day;
use xiaopu::ids::AttemptId;
use xiaopu::simulator::v3::{Keys, Pair};
use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;
use xiaopu::wechat::v3::keys::PrivateKey;
use xiaopu::wechat::v3::sign;

use crate::support::*;

const HOUR: i64 = 60 * MINUTE;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/wechat-v3.json")).unwrap()
}

/// The vectors' keys: making fresh ones takes a second.
pub fn keys() -> Keys {
    let all = vectors();
    let text = |name: &str| all[name].as_str().unwrap().to_owned();
    Keys {
        merchant: Pair { private: text("merchant_private_key_pkcs8"), public: String::new() },
        serial: text("merchant_serial"),
        v3_key: text("api_v3_key"),
        platform: Pair { private: text("wechat_private_key_pkcs8"), public: text("wechat_public_key") },
        public_id: text("public_key_id"),
    }
}

/// A world whose shop has the keys of both versions; `api` is the one of new attempts, or empty for the settings page.
pub async fn world(api: &str) -> World {
    world_with(&[("wechat.api", api)]).await
}

/// The same with further settings.
pub async fn world_with(more: &[(&'static str, &str)]) -> World {
    let keys = keys();
    let mut settings = vec![
        ("wechat.v3_key", keys.v3_key.as_str()),
        ("wechat.mch_key", &keys.merchant.private),
        ("wechat.mch_serial", &keys.serial),
        ("wechat.public_key", &keys.platform.public),
        ("wechat.public_key_id", &keys.public_id),
    ];
    settings.extend_from_slice(more);
    let w = World::with(Default::default(), &settings).await;
    w.wechat.with_v3(&keys).unwrap();
    w
}

pub async fn wait_for(w: &World, buyer: &Buyer<'_>, placed: &Placed, status: &str) {
    w.wait(status, || async { buyer.status(&placed.no).await == status }).await;
}

/// Gives the whole order back from the console, and waits until the money has gone.
async fn refund(w: &World, console: &Console<'_>, buyer: &Buyer<'_>, placed: &Placed) {
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    console.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
    w.run_jobs().await;
    w.advance(11 * SECOND);
    w.run_jobs().await;
    let told = || async { buyer.order(&placed.no).await["refundedFen"] == placed.total };
    w.wait("the refund", told).await;
}

pub async fn next_morning(w: &World) {
    let morning = Day::of(w.shop.now()).end() + 10 * HOUR + 6 * MINUTE;
    while w.shop.now() < morning {
        w.advance(HOUR.min(morning - w.shop.now()));
        w.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_a_refund_and_the_days_bill_by_api_v3() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let answer = alice.buy(sku, 1).await.ok();
    assert_eq!(answer["payment"]["signType"], "RSA");
    let names: Vec<&String> = answer["payment"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 6);
    // The second signature covers the four values, a line each.
    let part = |name: &str| answer["payment"][name].as_str().unwrap().to_owned();
    let lines = [part("appId"), part("timeStamp"), part("nonceStr"), part("package")].map(|line| line + "\n").concat();
    let private = PrivateKey::read(&keys().merchant.private).unwrap();
    assert_eq!(part("paySign"), sign::signed(&private, &[lines.strip_suffix('\n').unwrap().as_bytes()]));

    let placed = w.paid(&alice, sku, 2).await;
    refund(&w, &manager, &alice, &placed).await;
    // Never told of: found by asking.
    let silent = Placed::of(alice.buy(sku, 1).await);
    w.pay(&silent, Paying::NoNotice);
    let path = format!("/orders/{}/check", silent.no);
    assert_eq!(alice.post(&path, None).await.ok()["status"], "to_ship");
    next_morning(&w).await;
    let equal = "select count(*) from bills where day = '20261008' and state = 'equal'";
    w.wait("the match", || async { w.count(equal).await == 1 }).await;
    assert_eq!(w.count("select count(*) from money_exceptions where kind = 'bill_difference'").await, 0);
    assert_eq!(w.count("select count(*) from attempts where api <> 'v3'").await, 0);
    w.must_hold().await;
}

/// What can be wrong with the signature of a reply.
const UNBELIEVED: [Fault; 7] = [
    Fault::BadSign,
    Fault::Unsigned,
    Fault::SignTest,
    Fault::OtherSerial,
    Fault::CertificateSerial,
    Fault::ClockOff,
    Fault::DoubledHeader,
];

/// WeChat tries shops out while buyers pay: the same number, asked for once more, has the same payment.
#[tokio::test(flavor = "multi_thread")]
async fn one_reply_that_cannot_be_believed_costs_no_sale() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("o", Role::Owner).await);
    for fault in UNBELIEVED {
        w.wechat.fault("unifiedorder", fault.clone());
        let placed = Placed::of(alice.buy(sku, 1).await);
        assert_eq!(placed.out_trade_no, format!("{}01", placed.no), "{fault:?}");
        let log = owner.page("/admin/transactions?kind=unifiedorder&verdict=suspicious").await;
        assert!(log.contains("不符"), "{fault:?}: {log}");
        alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
    }
    assert_eq!(w.count("select count(*) from messages where kind = 'unifiedorder' and verdict = 'ok'").await, 7);
    assert_eq!(
        w.count("select count(*) from messages where kind = 'unifiedorder' and verdict = 'suspicious'").await,
        7
    );
    let home = owner.page("/admin").await;
    assert!(!home.contains("微信支付的回答不能信"), "{home}");
    // Nor is it one in a test.
    w.wechat.fault("orderquery", Fault::SignTest);
    owner.post("/admin/settings/test/key_v3", &[]).await;
    let said = owner.said("/admin/settings").await;
    assert!(said.contains("微信支付公钥都正确"), "{said}");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_with_one_thing_wrong_is_no_answer() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    for (fault, times) in
        UNBELIEVED.map(|fault| (fault, 2)).into_iter().chain([(Fault::LoseAnswer, 1), (Fault::Http500, 1)])
    {
        (0..times).for_each(|_| w.wechat.fault("unifiedorder", fault.clone()));
        let key = w.key();
        let answer = alice.prepay(&key, order(sku, 1)).await;
        assert_eq!(answer.error(), (503, "wechat_unavailable"), "{fault:?}");
        // The order stands, and the same key goes on where it stopped.
        let again = Placed::of(alice.prepay(&key, order(sku, 1)).await);
        assert_eq!(answer.body["error"]["details"]["orderNo"], again.no.as_str(), "{fault:?}");
        let cancelled = alice.post(&format!("/orders/{}/cancel", again.no), None).await;
        assert_eq!(cancelled.status, 200, "{fault:?}");
    }
    w.must_hold().await;
}

/// What is said of keys that rest keeps nobody from paying.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_sells_by_v2_is_not_told_that_nobody_can_pay_for_its_resting_v3() {
    let w = world_with(&[("wechat.api", ""), ("wechat.public_key_id", "")]).await;
    let owner = w.staff("o", Role::Owner).await;
    let wrong = "PUB_KEY_ID_0119000001102026112800000009";
    owner.post("/admin/settings", &[("wechat-public_key_id", wrong), ("test", "true")]).await;
    let home = owner.page("/admin").await;
    assert!(!home.contains("微信支付的回答不能信"), "{home}");
    owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    alice.buy(sku, 1).await;
    assert!(owner.page("/admin").await.contains("买家付不了款"));
}

/// Nobody can pay then, so no notice will ever come to say it.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_reads_on_his_page_why_replies_are_not_believed() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner, clerk) =
        (w.buyer("alice").await, w.staff("o", Role::Owner).await, w.staff("c", Role::Clerk).await);
    let said = "微信支付的回答不能信";
    for (fault, words) in [
        (Fault::CertificateSerial, Some("切换为微信支付公钥")),
        (Fault::OtherSerial, Some("不是设置里的微信支付公钥")),
        (Fault::ClockOff, Some("请校时")),
        (Fault::BadSign, Some("请核对微信支付公钥是否与公钥 ID 对应")),
        (Fault::Unsigned, Some("让服务器直接访问微信支付")),
        (Fault::DoubledHeader, Some("多半是中间的代理又加了一遍")),
        (Fault::SignTest, None),
        (Fault::Http500, None),
    ] {
        let times = if fault == Fault::Http500 { 1 } else { 2 };
        (0..times).for_each(|_| w.wechat.fault("unifiedorder", fault.clone()));
        let key = w.key();
        assert_eq!(alice.prepay(&key, order(sku, 1)).await.error(), (503, "wechat_unavailable"), "{fault:?}");
        let page = owner.page("/admin").await;
        assert_eq!(page.contains(said), words.is_some(), "{fault:?}");
        assert!(words.is_none_or(|words| page.contains(words)), "{fault:?}: {page}");
        assert!(!clerk.page("/admin").await.contains(said), "{fault:?}: none of a clerk's affairs");
        Placed::of(alice.prepay(&key, order(sku, 1)).await);
        assert!(!owner.page("/admin").await.contains(said), "{fault:?}: it is right again");
    }
}

/// Too much at once is no refusal of this order: the same number is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_came_in_a_crowd_keeps_its_number() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    for code in ["RATELIMIT_EXCEEDED", "FREQUENCY_LIMITED", "SYSTEM_ERROR"] {
        w.wechat.fault("unifiedorder", Fault::refused(code, "请求过于频繁"));
        let key = w.key();
        assert_eq!(alice.prepay(&key, order(sku, 1)).await.error(), (503, "wechat_unavailable"), "{code}");
        let placed = Placed::of(alice.prepay(&key, order(sku, 1)).await);
        assert_eq!(placed.out_trade_no, format!("{}01", placed.no), "{code}: no second attempt beside it");
    }
    assert_eq!(w.count("select count(*) from attempts where state <> 'prepaid'").await, 0);
}

/// One key of WeChat's signs for every merchant.
#[tokio::test(flavor = "multi_thread")]
async fn that_another_merchants_order_stands_unpaid_frees_nothing_of_ours() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 5).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 5).await);
    w.advance(6 * MINUTE);
    for fault in [Fault::OtherMerchant, Fault::OtherApp] {
        w.wechat.fault_always("orderquery", fault.clone());
        alice.post(&format!("/orders/{}/cancel", placed.no), None).await;
        w.advance(2 * MINUTE);
        w.run_jobs().await;
        assert_eq!(w.stock(sku).await, (5, 5), "{fault:?}");
        w.wechat.clear_faults();
    }
    w.advance(5 * MINUTE);
    w.run_jobs().await;
    w.wait("the closing", || async { w.stock(sku).await == (5, 0) }).await;
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_no_such_order_frees_nothing() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 5).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 5).await);
    w.wechat.fault_always("orderquery", Fault::ReturnFail("no".into()));
    w.advance(6 * MINUTE);
    alice.post(&format!("/orders/{}/cancel", placed.no), None).await;
    w.run_jobs().await;
    assert_eq!(w.stock(sku).await, (5, 5), "somebody's 404 must not give the stock to another buyer");
    w.wechat.clear_faults();
    w.pay(&placed, Paying::NoNotice);
    w.advance(2 * MINUTE);
    w.run_jobs().await;
    wait_for(&w, &alice, &placed, "to_ship").await;
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_after_the_204_of_a_close_is_settled() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 5).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.advance(6 * MINUTE);
    w.pay(&placed, Paying::Late);
    alice.post(&format!("/orders/{}/cancel", placed.no), None).await;
    w.run_jobs().await;
    w.wait("the late payment", || async { w.count("select count(*) from ledger where kind = 'payment'").await == 1 })
        .await;
    assert_eq!(alice.status(&placed.no).await, "to_ship", "the stock was there, so the order was taken up again");
    w.must_hold().await;
}

pub async fn knock(w: &World, headers: &[(&str, String)], body: &[u8]) -> (u16, String) {
    let mut request = w.http().post(w.at("/wechat/pay/v3/notify")).body(body.to_vec());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_of_api_v3_are_answered_by_status_and_told_apart_by_what_they_say() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    // What WeChat sends with one thing wrong: an error, and the genuine one after it is taken in.
    for (fault, status, word) in [
        (Some(Fault::SignTest), 401, "SIGNTEST"),
        (Some(Fault::Unsigned), 401, "SIGN_MISSING"),
        (Some(Fault::BadSign), 401, "SIGN_WRONG"),
        (Some(Fault::OtherSerial), 401, "SERIAL_UNKNOWN"),
        (Some(Fault::CertificateSerial), 401, "SERIAL_CERTIFICATE"),
        (Some(Fault::ClockOff), 401, "TIMESTAMP"),
        (Some(Fault::DoubledHeader), 401, "SIGN_DOUBLED"),
        (Some(Fault::TagChanged), 500, "RESOURCE_SEALED"),
    ] {
        let notice = w.wechat.notice_v3(&placed.out_trade_no, fault.as_ref()).unwrap();
        let (said, text) = knock(&w, &notice.headers, &notice.body).await;
        assert_eq!((said, text.contains(word)), (status, true), "{fault:?}: {text}");
        assert!(text.contains("\"FAIL\""), "{text}");
        assert_eq!(alice.status(&placed.no).await, "pending_payment", "{fault:?}");
    }
    // The owner reads what only he can mend; a probe is no such thing.
    let home = owner.page("/admin").await;
    assert!(home.contains("APIv3 密钥打不开"), "{home}");
    assert_eq!(w.count("select count(*) from owner_alerts").await, 2);
    let notice = w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
    for _ in 0..3 {
        assert_eq!(knock(&w, &notice.headers, &notice.body).await, (204, String::new()));
    }
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert_eq!(w.count("select count(*) from ledger").await, 1);
    assert_eq!(w.count("select count(*) from owner_alerts").await, 0, "it is right again");
    // One that somebody has kept and sends again is signed as it should be, and says nothing of our clock, which WeChat's replies tell.
    let old = w.wechat.notice_v3(&placed.out_trade_no, Some(&Fault::ClockOff)).unwrap();
    assert_eq!(knock(&w, &old.headers, &old.body).await.0, 401);
    let log = "select count(*) from messages where verdict = 'refused' and reason like '%把旧通知又发了一次%'
                  and json_extract(checks, '$[0].ok') = 1 and json_extract(checks, '$[1].what') = '签名的时间'";
    assert!(w.count(log).await >= 1);
    assert_eq!(w.count("select count(*) from owner_alerts").await, 0);
    // A header that says nothing is as good as none.
    let unnamed = w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
    let empty = |(name, value): &(&'static str, String)| {
        (*name, if *name == sign::SERIAL { String::new() } else { value.clone() })
    };
    let headers: Vec<_> = unnamed.headers.iter().map(empty).collect();
    assert!(knock(&w, &headers, &unnamed.body).await.1.contains("SIGN_MISSING"));
    // No signature at all, no body, too large a body.
    assert_eq!(knock(&w, &[], b"{}").await.0, 401);
    assert_eq!(knock(&w, &[], b"").await.0, 401);
    assert_eq!(knock(&w, &[], &vec![b'x'; 70 * 1024]).await.0, 400);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_both_versions_live_in_one_shop_and_each_ends_as_it_began() {
    let w = world("").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let old = w.paid(&alice, sku, 1).await;
    let waiting = Placed::of(alice.buy(sku, 1).await);
    owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
    let new = w.paid(&alice, sku, 2).await;
    assert_eq!(w.count("select count(*) from attempts where api = 'v3'").await, 1);
    assert_eq!(w.count("select count(*) from attempts where api = 'v2'").await, 2);
    // Each is given back by the version that took it.
    w.advance(2 * MINUTE);
    refund(&w, &owner, &alice, &old).await;
    refund(&w, &owner, &alice, &new).await;
    let by = |sql: &'static str| w.count(sql);
    assert_eq!(by("select count(*) from refunds where json_extract(params, '$.api') = 'v2'").await, 1);
    assert_eq!(by("select count(*) from refunds where json_extract(params, '$.api') = 'v3'").await, 1);
    // The one that waited in v2 is paid in v2, by whatever way the shop hears of it.
    w.pay(&waiting, Paying::NoNotice);
    assert_eq!(alice.post(&format!("/orders/{}/check", waiting.no), None).await.ok()["status"], "to_ship");
    next_morning(&w).await;
    let equal = "select count(*) from bills where day = '20261008' and state = 'equal'";
    w.wait("the match", || async { w.count(equal).await == 1 }).await;
    w.must_hold().await;
}

/// The key of API v2 is shared with whatever else the merchant uses: what it signs pays nothing that API v3 made, and makes the
/// shop ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_v2_pays_no_attempt_of_v3() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.advance(16 * MINUTE);
    w.run_jobs().await;
    let asked = "select count(*) from messages where kind = 'orderquery'";
    let before = w.count(asked).await;
    let notice = signed(&w.notice(&placed, "alice"));
    assert!(w.notify(notice.clone()).await.contains("OTHER_VERSION"));
    w.run_jobs().await;
    w.wait("the question", || async { w.count(asked).await > before }).await;
    assert_eq!(alice.status(&placed.no).await, "pending_payment");
    assert_eq!(w.count("select count(*) from ledger").await, 0);
    // Where it was paid, WeChat says so in its own version.
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    w.notify(notice).await;
    w.wait("the payment", || async {
        w.run_jobs().await;
        alice.status(&placed.no).await == "to_ship"
    })
    .await;
    w.must_hold().await;
}

/// Nor does it make money that could be linked to an order: what v2's key alone tells of and no attempt of v2 waits for is
/// asked about first.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_key_of_v2_alone_tells_of_is_no_money_before_wechat_says_so() {
    let w = world("").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, bob, owner) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("owner", Role::Owner).await);
    owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
    let old = w.paid(&alice, sku, 1).await;
    let unpaid = Placed::of(alice.buy(sku, 1).await);
    owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
    let waiting = Placed::of(bob.buy(sku, 1).await);
    let money = "select count(*) from ledger";
    let before = w.count(money).await;
    // A number that nobody here knows, a second payment of an attempt of v2, and another amount for one; WeChat knows none.
    for (of, number, transaction, fen) in [
        (&old, "ERP2026113000001", "4200009001", "8800"),
        (&old, old.out_trade_no.as_str(), "4200009002", "8800"),
        (&unpaid, unpaid.out_trade_no.as_str(), "4200009003", "1"),
    ] {
        w.wechat.fault_always("orderquery", Fault::Http500);
        let answer = w.notify(told(&w, of, number, transaction, fen)).await;
        assert!(answer.contains("SUCCESS"), "{number}: {answer}");
        w.run_jobs().await;
        let find = format!("select id from money_exceptions where subject = '{transaction} unproven'");
        let id = w.count(find).await;
        let link = async || {
            owner.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
            let said = owner.said("/admin/exceptions").await;
            assert!(said.contains("微信还没有查实这笔款，不能关联，也不能退款"), "{number}: {said}");
            owner.post(&format!("/admin/exceptions/{id}/refund"), &[]).await;
            assert_eq!(w.count(money).await, before, "{number}");
            said
        };
        let said = link().await;
        assert!(said.contains("没有向微信查成：") && said.contains("500") && said.contains("再查"), "{number}: {said}");
        w.wechat.clear_faults();
        w.advance(MINUTE);
        w.run_jobs().await;
        assert!(link().await.contains("微信说商户号 1900000109 没有这笔款"), "{number}");
        let page = owner.page(&format!("/admin/exceptions/{id}/refund")).await;
        assert!(page.contains("现在不能退款"), "{number}: {page}");
        assert_eq!(bob.status(&waiting.no).await, "pending_payment", "{number}");
        // Nothing but a person's word ends it, and what is told again is asked again.
        let asked = w.wechat.calls("orderquery");
        w.notify(told(&w, of, number, transaction, fen)).await;
        w.run_jobs().await;
        assert!(w.wechat.calls("orderquery") > asked, "{number}");
        owner.post(&format!("/admin/exceptions/{id}/resolve"), &[("resolution", "是伪造的，换了密钥")]).await;
        let said = owner.said("/admin/exceptions").await;
        assert!(said.contains("不再向微信查：真是本店收的，第二天的账单会补记"), "{number}: {said}");
        let open = format!("select count(*) from money_exceptions where id = {id} and state = 'open'");
        assert_eq!(w.count(open).await, 0, "{number}");
    }
    assert_eq!(w.wechat.calls("refund"), 0);
    // What WeChat knows is money at once, and pays the order that it is linked to.
    let lost = Placed::of(alice.buy(sku, 1).await);
    w.wechat.pay_unheard(&lost.prepay_id, Paying::Well).unwrap();
    let forget = format!("update attempts set out_trade_no = 'lost' where out_trade_no = '{}'", lost.out_trade_no);
    w.shop.write(move |tx| Ok(tx.execute_batch(&forget)?)).await.unwrap();
    w.wechat.fault_always("orderquery", Fault::Http500);
    w.notify(told(&w, &lost, &lost.out_trade_no, &w.transaction(&lost), "8800")).await;
    w.run_jobs().await;
    assert_eq!(w.count(money).await, before);
    w.wechat.clear_faults();
    let unproven = format!("select max(id) from money_exceptions where subject = '{} unproven'", w.transaction(&lost));
    let unproven = w.count(unproven).await;
    owner.post(&format!("/admin/exceptions/{unproven}/ask"), &[]).await;
    w.run_jobs().await;
    assert_eq!(w.count(money).await, before + 1);
    let over = format!("select count(*) from money_exceptions where id = {unproven} and state = 'resolved'");
    assert_eq!(w.count(over).await, 1);
    let id = w.count("select max(id) from money_exceptions where kind = 'orphan_payment'").await;
    assert_ne!(id, unproven);
    owner.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
    assert_eq!(bob.status(&waiting.no).await, "to_ship");
    // What an attempt of v2 waits for is asked about at once, and paid by WeChat's word.
    let ledger = w.count(money).await;
    w.notify(signed(&w.notice(&unpaid, "alice"))).await;
    w.run_jobs().await;
    assert_eq!((alice.status(&unpaid.no).await.as_str(), w.count(money).await), ("pending_payment", ledger));
    w.wechat.pay_unheard(&unpaid.prepay_id, Paying::Well).unwrap();
    w.notify(told(&w, &unpaid, &unpaid.out_trade_no, &w.transaction(&unpaid), "8800")).await;
    w.run_jobs().await;
    assert_eq!(alice.status(&unpaid.no).await, "to_ship");
    w.must_hold().await;
}

/// What a notice signed with the key of API v2 says: of this attempt, under this number, so much came in as this transaction.
fn told(w: &World, of: &Placed, number: &str, transaction: &str, fen: &str) -> String {
    let mut notice = w.notice(of, "alice");
    for (name, value) in
        [("out_trade_no", number), ("transaction_id", transaction), ("total_fee", fen), ("cash_fee", fen)]
    {
        notice.set(name, value);
    }
    signed(&notice)
}

/// The item about a payment that WeChat may be asked for.
async fn item(w: &World, transaction: &str) -> i64 {
    w.count(format!("select max(id) from money_exceptions where transaction_id = '{transaction}'")).await
}

/// Money that the key of API v2 told of while the shop sold by v2 does nothing in a shop by v3 before WeChat has told of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_of_in_a_shop_by_v2_is_asked_about_once_it_sells_by_v3() {
    let w = world("").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, bob, owner) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("owner", Role::Owner).await);
    let set = async |api: &str| owner.post("/admin/settings", &[("wechat-api", api)]).await;
    set("v2").await;
    let old = w.paid(&alice, sku, 1).await;
    let unpaid = Placed::of(alice.buy(sku, 1).await);
    let [lost, other] = [Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await)];
    for real in [&lost, &other] {
        w.wechat.pay_unheard(&real.prepay_id, Paying::Well).unwrap();
    }
    let [known, dearer] = [w.transaction(&lost), w.transaction(&other)];
    let all = [
        ("ERP2026113000001", "4200009001", "8800", "没有这笔款"),
        (old.out_trade_no.as_str(), "4200009002", "8800", "没有这笔款"),
        (unpaid.out_trade_no.as_str(), "4200009003", "100", "没有这笔款"),
        ("ERP2026113000002", dearer.as_str(), "100", "微信说这笔款是 88.00 CNY，通知说的是 ¥1.00"),
        ("ERP2026113000003", known.as_str(), "8800", ""),
    ];
    for (number, transaction, fen, _) in all {
        let answer = w.notify(told(&w, &unpaid, number, transaction, fen)).await;
        assert!(answer.contains("SUCCESS"), "{number}: {answer}");
    }
    // A shop by v2 asks nobody.
    w.run_jobs().await;
    assert_eq!(w.count("select count(*) from told_alone").await, 5);
    assert_eq!(w.count("select count(*) from jobs where kind = 'prove'").await, 0);
    let offered = owner.page("/admin/exceptions").await;
    assert_eq!(
        (offered.matches(">关联到订单<").count(), offered.matches("再向微信查一次").count()),
        (5, 0),
        "{offered}"
    );
    w.wechat.fault_always("orderquery", Fault::Http500);
    set("v3").await;
    let waiting = Placed::of(bob.buy(sku, 1).await);
    let money = "select count(*) from ledger";
    let before = w.count(money).await;
    let decide = async |transaction: &str| {
        let id = item(&w, transaction).await;
        owner.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
        let said = owner.said("/admin/exceptions").await;
        owner.post(&format!("/admin/exceptions/{id}/refund"), &[]).await;
        let page = owner.page(&format!("/admin/exceptions/{id}/refund")).await;
        (said, page)
    };
    w.run_jobs().await;
    for (number, transaction, ..) in all {
        let (said, page) = decide(transaction).await;
        assert!(said.contains("微信还没有查实这笔款，不能关联，也不能退款"), "{number}: {said}");
        assert!(page.contains("现在不能退款"), "{number}: {page}");
        // Why it was not asked, and when it is asked again.
        let why = page.contains("没有向微信查成：") && page.contains("500") && page.contains("再查");
        assert!(why, "{number}: {page}");
    }
    assert_eq!(w.count(money).await, before);
    // What was to go back by itself waits for WeChat's word, too, and says so; nobody has to wait with it.
    let inbox = owner.page("/admin/exceptions").await;
    assert!(inbox.contains("没有查到就不发。不用退的先停止自动退款"), "{inbox}");
    assert!(inbox.contains(">停止自动退款<") && !inbox.contains("自动全额退回"), "{inbox}");
    assert_eq!(inbox.matches("再向微信查一次<").count(), 5, "{inbox}");
    w.advance(3 * MINUTE);
    w.run_jobs().await;
    assert_eq!(w.wechat.calls("refund"), 0);
    w.wechat.clear_faults();
    for _ in 0..20 {
        w.advance(MINUTE);
        w.run_jobs().await;
    }
    w.wait("the answers", || async {
        w.run_jobs().await;
        w.count("select count(distinct transaction_id) from money_exceptions where ours <> ''").await == 4
    })
    .await;
    for (number, transaction, _, answer) in all.into_iter().filter(|(.., answer)| !answer.is_empty()) {
        let (said, page) = decide(transaction).await;
        assert!(said.contains("微信还没有查实这笔款"), "{number}: {said}");
        assert!(page.contains(answer), "{number}: {page}");
    }
    // What did not go back is stopped or tried again on its own page.
    let inbox = owner.page("/admin/exceptions").await;
    assert!(inbox.contains("没有发出：到退款页停止这一笔") && inbox.contains(">去退款页处理<"), "{inbox}");
    assert!(!inbox.contains(">停止自动退款<") && !inbox.contains("请处理后点重试"), "{inbox}");
    let failed = "select count(*) from refunds where state = 'failed' and problem_code = 'UNPROVEN'";
    assert_eq!((w.count(failed).await, w.wechat.calls("refund"), w.count(money).await), (1, 0, before));
    assert_eq!(bob.status(&waiting.no).await, "pending_payment");
    // What WeChat knows is linked as ever.
    let (said, _) = decide(&known).await;
    assert!(said.contains("已关联"), "{said}");
    assert_eq!(bob.status(&waiting.no).await, "to_ship");
    // Whoever sells by v2 again is not made to forget what WeChat has said, however often the same is told.
    set("v2").await;
    let waiting = Placed::of(bob.buy(sku, 1).await);
    let asked = w.wechat.calls("orderquery");
    for (number, transaction, fen, _) in all.into_iter().filter(|(.., answer)| !answer.is_empty()) {
        for number in [number, "ERP2026113000009"] {
            w.notify(told(&w, &unpaid, number, transaction, fen)).await;
        }
    }
    let no = "select out_refund_no from refunds where problem_code = 'UNPROVEN'";
    let no = w
        .shop
        .db
        .read(move |conn| Ok::<_, xiaopu::error::Error>(conn.query_row(no, [], |row| row.get::<_, String>(0))?));
    owner.post(&format!("/admin/refunds/{}/retry", no.await.unwrap()), &[]).await;
    w.run_jobs().await;
    assert!(w.wechat.calls("orderquery") > asked);
    for (number, transaction, _, answer) in all.into_iter().filter(|(.., answer)| !answer.is_empty()) {
        let every = format!(
            "select count(*) from money_exceptions where transaction_id = '{transaction}' and state = 'open' and ours like '%{answer}%'"
        );
        assert!(w.count(every).await >= 2, "{number}");
        let id = item(&w, transaction).await;
        owner.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
        let said = owner.said("/admin/exceptions").await;
        assert!(said.contains("微信还没有查实这笔款"), "{number}: {said}");
        assert!(owner.page(&format!("/admin/exceptions/{id}/refund")).await.contains(answer), "{number}");
    }
    let inbox = owner.page("/admin/exceptions").await;
    assert!(!inbox.contains(">关联到订单<") && !inbox.contains("现在收款用 API v3"), "{inbox}");
    assert_eq!((w.count(failed).await, w.wechat.calls("refund")), (1, 0));
    assert_eq!(bob.status(&waiting.no).await, "pending_payment");
    w.must_hold().await;
}

/// What WeChat was not heard about is as good as ever in a shop that sells by v2 again: its key pays orders there. What WeChat
/// denied is not, until WeChat says otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_denied_to_a_shop_by_v3_is_no_money_in_one_by_v2_before_wechat_says_so() {
    for (told_in, denied) in [("v2", false), ("v2", true), ("v3", true)] {
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let set = async |api: &str| owner.post("/admin/settings", &[("wechat-api", api)]).await;
        let says = |code: &'static str| match denied {
            true => w.wechat.fault_always("orderquery", Fault::refused(code, "订单不存在")),
            false => w.wechat.fault_always("orderquery", Fault::Http500),
        };
        set("v2").await;
        let lost = Placed::of(alice.buy(sku, 1).await);
        w.wechat.pay_unheard(&lost.prepay_id, Paying::Well).unwrap();
        let transaction = w.transaction(&lost);
        let notice = told(&w, &lost, "ERP2026113000003", &transaction, "8800");
        says("ORDER_NOT_EXIST");
        set(told_in).await;
        w.notify(notice.clone()).await;
        set("v3").await;
        w.run_jobs().await;
        let answered =
            format!("select count(*) from money_exceptions where transaction_id = '{transaction}' and ours <> ''");
        assert_eq!(w.count(answered).await, i64::from(denied), "{told_in} {denied}");
        w.wechat.clear_faults();
        says("ORDERNOTEXIST");
        set("v2").await;
        w.run_jobs().await;
        w.notify(notice.clone()).await;
        w.run_jobs().await;
        let page = owner.page("/admin/exceptions").await;
        assert_eq!(page.contains(">关联到订单<"), !denied, "{told_in} {denied}: {page}");
        assert_eq!(page.contains("没有这笔款") && page.contains("再向微信查一次<"), denied, "{told_in}: {page}");
        w.wechat.clear_faults();
        w.notify(notice).await;
        w.run_jobs().await;
        let paid = told_in == "v3";
        let page = owner.page("/admin/exceptions").await;
        assert_eq!(page.contains(">关联到订单<"), !paid, "{told_in} {denied}: {page}");
        assert_eq!(alice.status(&lost.no).await, if paid { "to_ship" } else { "pending_payment" }, "{told_in}");
        w.must_hold().await;
    }
}

/// One that WeChat refused while the shop sold by v2 goes out no more than any other, however it is tried again; and whoever has
/// settled its item is not told that asking goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_refused_before_is_asked_about_before_it_goes_out_again() {
    let w = world("").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let set = async |api: &str| owner.post("/admin/settings", &[("wechat-api", api)]).await;
    set("v2").await;
    let unpaid = Placed::of(alice.buy(sku, 1).await);
    w.notify(told(&w, &unpaid, "ERP2026113000001", "4200009001", "900")).await;
    let id = item(&w, "4200009001").await;
    owner.post(&format!("/admin/exceptions/{id}/refund"), &[]).await;
    let failed = "select count(*) from refunds where state = 'failed' and tries = 1";
    w.wait("the refusal", || async {
        w.run_jobs().await;
        w.count(failed).await == 1
    })
    .await;
    let sent = w.wechat.calls("refund");
    w.wechat.fault_always("orderquery", Fault::Http500);
    set("v3").await;
    w.run_jobs().await;
    let page = owner.page("/admin/exceptions").await;
    for words in ["没有向微信查成", "没有成功", ">去退款页处理<", "再向微信查一次<"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let no = "select out_refund_no from refunds";
    let no = w
        .shop
        .db
        .read(move |conn| Ok::<_, xiaopu::error::Error>(conn.query_row(no, [], |row| row.get::<_, String>(0))?));
    let retry = format!("/admin/refunds/{}/retry", no.await.unwrap());
    owner.post(&retry, &[]).await;
    w.run_jobs().await;
    assert_eq!(w.wechat.calls("refund"), sent, "nobody has told of it yet");
    w.wechat.clear_faults();
    w.advance(2 * HOUR);
    w.wait("the no", || async {
        w.run_jobs().await;
        w.count("select count(*) from refunds where state = 'failed' and problem_code = 'UNPROVEN'").await == 1
    })
    .await;
    assert_eq!(w.wechat.calls("refund"), sent);
    // Nobody waits for an answer about what is settled.
    w.wechat.fault_always("orderquery", Fault::Http500);
    owner.post(&format!("/admin/exceptions/{id}/ask"), &[]).await;
    w.run_jobs().await;
    let asking = "select count(*) from jobs where kind = 'prove' and state <> 'done'";
    assert_eq!(w.count(asking).await, 1);
    owner.post(&format!("/admin/exceptions/{id}/resolve"), &[("resolution", "是伪造的，换了密钥")]).await;
    w.run_jobs().await;
    assert_eq!(w.count(asking).await, 0);
    w.must_hold().await;
}

/// Money of another app under the same merchant number, which a notice of v2 calls a second payment or an unknown one: API v3 tells whose it is,
/// and no answer by v2 overrules that, whoever tries it again and whatever version is set by then.
#[tokio::test(flavor = "multi_thread")]
async fn another_apps_money_goes_back_by_nobodys_word() {
    for (automatic, back, heard_first) in
        [(true, false, true), (true, true, true), (false, false, true), (false, true, true), (true, false, false)]
    {
        let case = format!("{automatic} {back} {heard_first}");
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let set = async |api: &str| owner.post("/admin/settings", &[("wechat-api", api)]).await;
        set("v2").await;
        let old = w.paid(&alice, sku, 1).await;
        let theirs = sale("wx00000000000other", "JSAPI", "FD2026113000001", 8800);
        let transaction = w.wechat.sell_elsewhere(&theirs).unwrap();
        let number = if automatic { old.out_trade_no.as_str() } else { theirs.out_trade_no.as_str() };
        w.notify(told(&w, &old, number, &transaction, "8800")).await;
        if !automatic {
            w.wechat.fault("refund", Fault::refused("NOTENOUGH", "余额不足"));
            owner.post(&format!("/admin/exceptions/{}/refund", item(&w, &transaction).await), &[]).await;
            let refused = "select count(*) from refunds where state = 'failed' and tries = 1";
            w.wait("the refusal", || async {
                w.run_jobs().await;
                w.count(refused).await == 1
            })
            .await;
        }
        if !heard_first {
            w.wechat.fault_always("orderquery", Fault::Http500);
        }
        set("v3").await;
        if heard_first {
            let said = format!(
                "select count(*) from money_exceptions where transaction_id = '{transaction}' and state = 'open'
                    and ours like '%别的 AppID 收的%'"
            );
            w.wait("the word", || async {
                w.run_jobs().await;
                w.count(said.clone()).await == 1
            })
            .await;
            let page = owner.page("/admin/exceptions").await;
            assert!(
                page.contains("不是本店的。不能关联，也不能退款") && !page.contains("没有向微信查成"),
                "{case}: {page}"
            );
        } else {
            w.run_jobs().await;
            w.shop.write(|tx| Ok(tx.execute_batch("delete from jobs where kind = 'prove'")?)).await.unwrap();
            w.wechat.clear_faults();
        }
        if back {
            set("v2").await;
        }
        let no = "select out_refund_no from refunds";
        let no = w
            .shop
            .db
            .read(move |conn| Ok::<_, xiaopu::error::Error>(conn.query_row(no, [], |row| row.get::<_, String>(0))?));
        let retry = format!("/admin/refunds/{}/retry", no.await.unwrap());
        let id = item(&w, &transaction).await;
        for _ in 0..3 {
            owner.post(&retry, &[]).await;
            owner.post(&format!("/admin/exceptions/{id}/refund"), &[]).await;
            w.advance(5 * MINUTE);
            w.run_jobs().await;
        }
        let unproven = "select count(*) from refunds where state = 'failed' and problem_code = 'UNPROVEN'";
        w.wait("the end", || async {
            w.run_jobs().await;
            w.count(unproven).await == 1
        })
        .await;
        assert_eq!(w.wechat.refunds(&transaction).len(), 0, "{case}");
        // By v2 it looks like ours, with the app's id that was asked with.
        let account = w.shop.account_of(xiaopu::wechat::Api::V2).unwrap();
        let which = xiaopu::wechat::pay::TradeOf::Transaction(&transaction);
        let word =
            xiaopu::payments::word::heard(&w.shop.wechat.order_query(&account, which, &w.shop.nonces).await).unwrap();
        let of = transaction.clone();
        w.shop.write(move |tx| xiaopu::payments::word::keep(tx, &of, &word, MCH_ID)).await.unwrap();
        assert_eq!(w.count("select count(*) from told_alone").await, 1, "{case}");
        w.must_hold().await;
    }
}

/// WeChat tells under which number money was paid: what a notice called a second payment of an order, and is somebody else's of the same
/// app, goes back by itself no more, and waits under its own number for a person.
#[tokio::test(flavor = "multi_thread")]
async fn money_is_for_what_wechat_says_that_it_was_paid_for() {
    for asked_first in [true, false] {
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let set = async |api: &str| owner.post("/admin/settings", &[("wechat-api", api)]).await;
        set("v2").await;
        let old = w.paid(&alice, sku, 1).await;
        let theirs = Placed::of(alice.buy(sku, 1).await);
        w.wechat.pay_unheard(&theirs.prepay_id, Paying::Well).unwrap();
        let forget =
            format!("update attempts set out_trade_no = 'lost' where out_trade_no = '{}'", theirs.out_trade_no);
        w.shop.write(move |tx| Ok(tx.execute_batch(&forget)?)).await.unwrap();
        let transaction = w.transaction(&theirs);
        w.notify(told(&w, &old, &old.out_trade_no, &transaction, "8800")).await;
        let false_one = item(&w, &transaction).await;
        if asked_first {
            set("v3").await;
        } else {
            w.wechat.fault_always("orderquery", Fault::Http500);
            set("v3").await;
            w.run_jobs().await;
            w.shop.write(|tx| Ok(tx.execute_batch("delete from jobs where kind = 'prove'")?)).await.unwrap();
            w.wechat.clear_faults();
        }
        w.advance(5 * MINUTE);
        let ended = format!(
            "select count(*) from refunds where {}",
            if asked_first { "state = 'cancelled'" } else { "state = 'failed' and problem_code = 'UNPROVEN'" }
        );
        if asked_first {
            // The job that sends it comes later.
            w.shop
                .write(|tx| Ok(tx.execute_batch("update jobs set run_at = run_at + 60000 where kind = 'refund'")?))
                .await
                .unwrap();
        }
        w.wait("the end", || async {
            w.run_jobs().await;
            w.count(ended.clone()).await == 1
        })
        .await;
        let page = owner.page("/admin/exceptions").await;
        let number = &theirs.out_trade_no;
        assert!(page.contains(&format!("微信说这笔款的商户订单号是 {number}，")), "{asked_first}: {page}");
        if !asked_first {
            owner.post(&format!("/admin/exceptions/{false_one}/ask"), &[]).await;
            w.run_jobs().await;
        }
        let open =
            format!("select count(*) from money_exceptions where transaction_id = '{transaction}' and state = 'open'");
        w.wait("the item", || async { item(&w, &transaction).await > false_one }).await;
        assert_eq!((w.count(open).await, w.wechat.refunds(&transaction).len()), (1, 0), "{asked_first}");
        let true_one = item(&w, &transaction).await;
        owner.post(&format!("/admin/exceptions/{true_one}/refund"), &[]).await;
        w.advance(5 * MINUTE);
        w.wait("the refund", || async {
            w.run_jobs().await;
            w.wechat.refunds(&transaction).len() == 1
        })
        .await;
        w.must_hold().await;
    }
}

/// A notice that only the key of API v2 has signed paid an order, and WeChat says that it has another payment for its number, or none: the true
/// money does not go back by itself, and nothing is sent before somebody has looked.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_a_notice_paid_and_wechat_did_not_is_not_sent() {
    // Asked by somebody, or by whoever is about to send it or to give it back, where the shop has a better key.
    for (set_to, by, truly_paid) in [
        ("v2", "query", true),
        ("v2", "query", false),
        ("v3", "query", true),
        ("v3", "query", false),
        ("v3", "ship", true),
        ("v3", "ship", false),
        ("v3", "refund", true),
        ("v3", "refund", false),
    ] {
        let case = format!("{set_to} {by} {truly_paid}");
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.notify(told(&w, &placed, &placed.out_trade_no, "4200009001", "8800")).await;
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{case}");
        if truly_paid {
            w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        }
        owner.post("/admin/settings", &[("wechat-api", set_to)]).await;
        let here = format!("/admin/orders/{}", placed.no);
        match by {
            "query" => drop(owner.post(&format!("{here}/query"), &[]).await),
            "refund" => {
                let number = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
                super::refunds::until(&w, &number, "failed").await;
                assert!(owner.page(&format!("/admin/refunds/{number}")).await.contains("所以没有退"), "{case}");
                owner.post(&format!("/admin/refunds/{number}/stop"), &[]).await;
            }
            _ => {}
        }
        w.advance(5 * MINUTE);
        w.run_jobs().await;
        assert_eq!(w.wechat.all_refunds().len(), 0, "{case}");
        owner.ship(&here).await;
        let said = owner.said(&here).await;
        let words =
            if truly_paid { "微信说这一单付的是交易号" } else { "微信说这一单没有收到过付款" };
        assert!(said.contains(words) && said.contains("还没有人核对过"), "{case}: {said}");
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{case}");
        let inbox = owner.page("/admin/exceptions").await;
        assert_eq!(inbox.contains("多半是假的：请到商户平台核对，这一笔先不要退"), truly_paid, "{case}: {inbox}");
        w.must_hold().await;
    }
}

/// A notice calls another program's money a second payment of an order: in a shop by API v2, too, it does not go back by itself where
/// WeChat has it under another number, or with another sum.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_has_for_something_else_goes_back_by_itself_in_no_shop() {
    let words = "微信说这笔款的商户订单号是 OTHERPROG20261130001，通知说的是";
    for (fen, late) in [(8800, false), (9900, false), (8800, true)] {
        let w = World::new().await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let old = if late { Placed::of(alice.buy(sku, 1).await) } else { w.paid(&alice, sku, 1).await };
        if late {
            alice.post(&format!("/orders/{}/cancel", old.no), None).await.ok();
            w.wait("the closing", || async {
                w.advance(MINUTE);
                w.run_jobs().await;
                w.count("select count(*) from attempts where state = 'closed'").await == 1
            })
            .await;
            w.advance(25 * HOUR);
        }
        let theirs = sale(APP_ID, "JSAPI", "OTHERPROG20261130001", fen);
        let transaction = w.wechat.sell_elsewhere(&theirs).unwrap();
        w.notify(told(&w, &old, &old.out_trade_no, &transaction, "8800")).await;
        w.advance(5 * MINUTE);
        let failed = "select count(*) from refunds where state = 'failed' and problem_code = 'UNPROVEN'";
        w.wait("the no", || async {
            w.run_jobs().await;
            w.count(failed).await == 1
        })
        .await;
        assert_eq!(w.wechat.refunds(&transaction).len(), 0, "{fen}");
        if late {
            // Of money that an attempt waited for its refund's page tells.
            let page = manager.page("/admin/exceptions").await;
            assert!(page.contains("没有成功：微信说没有收到过这笔款，所以没有退"), "{page}");
            w.must_hold().await;
            continue;
        }
        let page = manager.page("/admin/exceptions").await;
        assert!(page.contains(words) && page.contains("再向微信查一次<"), "{fen}: {page}");
        assert!(!page.contains(">关联到订单<") && !page.contains(">立即退款<"), "{fen}: {page}");
        w.must_hold().await;
    }
}

/// WeChat pays a number once. Where notices signed with the key of API v2 tell of two payments for it, WeChat is asked which of them it has
/// before any goes back: the true one stays, and nothing is sent for the other before somebody has looked.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_payments_that_notices_tell_of_the_true_one_does_not_go_back_by_itself() {
    // Asked by itself, or by whoever decides or sends it while WeChat was not heard.
    for by in ["itself", "the refund", "query", "ship", "refund now", "link"] {
        let w = World::new().await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let placed = Placed::of(alice.buy(sku, 1).await);
        let here = format!("/admin/orders/{}", placed.no);
        w.notify(told(&w, &placed, &placed.out_trade_no, "4200009001", "8800")).await;
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{by}");
        if by != "itself" {
            w.wechat.fault_always("orderquery", Fault::Http500);
        }
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        let transaction = w.transaction(&placed);
        w.notify(told(&w, &placed, &placed.out_trade_no, &transaction, "8800")).await;
        w.run_jobs().await;
        let twice = item(&w, &transaction).await;
        if by != "itself" {
            w.advance(5 * MINUTE);
            w.run_jobs().await;
            assert_eq!(w.count("select count(*) from refunds where state = 'approved'").await, 1, "{by}");
            w.wechat.clear_faults();
        }
        match by {
            "query" => drop(owner.post(&format!("{here}/query"), &[]).await),
            "refund now" => drop(owner.post(&format!("/admin/exceptions/{twice}/refund"), &[]).await),
            "link" => {
                let other = Placed::of(alice.buy(sku, 1).await);
                owner.post(&format!("/admin/exceptions/{twice}/link"), &[("order_no", &other.no)]).await;
                assert_eq!(alice.status(&other.no).await, "pending_payment");
            }
            "the refund" => w.advance(20 * MINUTE),
            _ => {}
        }
        if by != "ship" {
            let stopped = "select count(*) from refunds where state = 'cancelled'";
            w.wait(by, || async {
                w.run_jobs().await;
                w.count(stopped).await == 1
            })
            .await;
        }
        owner.ship(&here).await;
        let said = owner.said(&here).await;
        assert!(said.contains("微信说这一单付的是交易号") && said.contains("还没有人核对过"), "{by}: {said}");
        w.advance(20 * MINUTE);
        w.run_jobs().await;
        assert_eq!((w.wechat.all_refunds().len(), alice.status(&placed.no).await.as_str()), (0, "to_ship"), "{by}");
        let inbox = owner.page("/admin/exceptions").await;
        let words = format!(
            "微信说商户订单号 {} 的交易号是 {transaction}，账上记的 4200009001 只有 API v2 的通知说过，多半是假的",
            placed.out_trade_no
        );
        assert!(inbox.contains(&words) && inbox.contains(">立即退款<"), "{by}: {inbox}");
        let open = "select count(*) from money_exceptions where kind = 'duplicate_payment' and state = 'open'";
        assert_eq!(w.count(open).await, 0, "{by}");
        w.must_hold().await;
        // Somebody has looked, and gives it back.
        let true_one = w.count(format!(
            "select id from money_exceptions where kind = 'amount_mismatch' and subject = '{transaction} {}'",
            placed.out_trade_no
        ));
        owner.post(&format!("/admin/exceptions/{}/refund", true_one.await), &[]).await;
        w.wait("the refund", || async {
            w.run_jobs().await;
            w.wechat.refunds(&transaction).len() == 1
        })
        .await;
        w.must_hold().await;
    }
}

/// The same of two payments of an order under two numbers: what it stands on is asked about before the other goes back.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_order_stands_on_is_asked_about_before_a_second_payment_goes_back() {
    for truly in [false, true] {
        let w = World::new().await;
        let sku = w.product("苹果", 9000, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let first = Placed::of(alice.buy(sku, 1).await);
        let here = format!("/admin/orders/{}", first.no);
        w.advance(6 * MINUTE);
        owner.post(&format!("{here}/price"), &[("total", "88"), ("freight", "0"), ("reason", "老客")]).await;
        let anew = format!("/orders/{}/prepay", first.no);
        w.wait("the new attempt", || async { alice.post(&anew, None).await.status == 200 }).await;
        let package = alice.post(&anew, None).await.ok()["payment"]["package"].as_str().unwrap().to_owned();
        let second = Placed {
            out_trade_no: format!("{}02", first.no),
            no: first.no.clone(),
            prepay_id: package.trim_start_matches("prepay_id=").to_owned(),
            total: 8800,
        };
        for call in ["orderquery", "closeorder"] {
            w.wechat.fault_always(call, Fault::Http500);
        }
        let stands = match truly {
            true => {
                w.wechat.pay_unheard(&first.prepay_id, Paying::Late).unwrap();
                w.transaction(&first)
            }
            false => "4200009001".to_owned(),
        };
        w.notify(told(&w, &first, &first.out_trade_no, &stands, "9000")).await;
        assert_eq!(alice.status(&first.no).await, "to_ship");
        w.wechat.pay_unheard(&second.prepay_id, Paying::Well).unwrap();
        w.notify(told(&w, &second, &second.out_trade_no, &w.transaction(&second), "8800")).await;
        w.advance(5 * MINUTE);
        w.run_jobs().await;
        assert_eq!(w.count("select count(*) from refunds where state = 'approved'").await, 1);
        w.wechat.clear_faults();
        // WeChat's query may be behind.
        w.wechat.fault_always("orderquery", Fault::refused("ORDERNOTEXIST", "not exist"));
        w.advance(20 * MINUTE);
        w.wait("the no", || async {
            w.run_jobs().await;
            w.count("select count(*) from refunds where state = 'failed' and problem_code = 'FIRST_UNPROVEN'").await
                == 1
        })
        .await;
        assert_eq!(w.wechat.all_refunds().len(), 0);
        owner.ship(&here).await;
        assert!(owner.said(&here).await.contains("微信说这一单没有收到过付款"));
        let inbox = owner.page("/admin/exceptions").await;
        assert!(inbox.contains("这一笔也许才是买家真付的，所以没有退"), "{inbox}");
        w.wechat.clear_faults();
        if truly {
            // Its yes brings it on by itself.
            w.wait("the refund", || async {
                w.advance(MINUTE);
                w.run_jobs().await;
                w.wechat.refunds(&w.transaction(&second)).len() == 1
            })
            .await;
            w.must_hold().await;
            continue;
        }
        let retry = format!("/admin/refunds/{}R01/retry", first.no);
        owner.post(&retry, &[]).await;
        w.run_jobs().await;
        assert_eq!(w.wechat.all_refunds().len(), 0, "nobody has looked");
        let hold = item(&w, &stands).await;
        owner.post(&format!("/admin/exceptions/{hold}/resolve"), &[("resolution", "核对过了")]).await;
        owner.post(&retry, &[]).await;
        w.wait("the refund", || async {
            w.run_jobs().await;
            w.wechat.refunds(&w.transaction(&second)).len() == 1
        })
        .await;
        w.must_hold().await;
    }
}

/// What was truly paid by API v2 goes back as ever once the shop sells by v3, and WeChat is asked about it once; where it says another
/// sum than the notice did, nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_by_v2_before_is_asked_about_once() {
    for truly in [true, false] {
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
        let placed = Placed::of(alice.buy(sku, 2).await);
        w.wechat.pay_unheard(&placed.prepay_id, if truly { Paying::Well } else { Paying::OtherAmount }).unwrap();
        let transaction = w.transaction(&placed);
        w.notify(told(&w, &placed, &placed.out_trade_no, &transaction, "17600")).await;
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{truly}");
        owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
        let asked =
            format!("select count(*) from messages where kind = 'orderquery' and transaction_id = '{transaction}'");
        w.wait("the question", || async { w.count(asked.clone()).await == 1 }).await;
        let here = format!("/admin/orders/{}", placed.no);
        if !truly {
            owner.ship(&here).await;
            let said = owner.said(&here).await;
            assert!(said.contains("微信说这笔付款是 175.99 CNY，账上记的是 ¥176.00，还没有人核对过"), "{said}");
            assert_eq!(alice.status(&placed.no).await, "to_ship");
            continue;
        }
        for _ in 0..2 {
            let number = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
            super::refunds::until(&w, &number, "succeeded").await;
            assert_eq!(w.count(asked.clone()).await, 1, "{truly}");
        }
        assert_eq!(w.wechat.refunds(&transaction).len(), 2);
        w.must_hold().await;
    }
}

/// A late payment that a notice of API v2 alone has told of goes back by itself in no shop by v3 where WeChat knows of none.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_of_another_program_does_not_go_back_by_itself() {
    for restored in [false, true] {
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
        let placed = Placed::of(alice.buy(sku, 1).await);
        alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
        let closed = "select count(*) from attempts where state = 'closed'";
        w.wait("the closing", || async {
            w.advance(MINUTE);
            w.run_jobs().await;
            w.count(closed).await == 1
        })
        .await;
        w.advance(25 * HOUR);
        w.run_jobs().await;
        let theirs = sale(APP_ID, "JSAPI", "OTHERPROG20261130001", 8800);
        let transaction = w.wechat.sell_elsewhere(&theirs).unwrap();
        w.notify(told(&w, &placed, &placed.out_trade_no, &transaction, "8800")).await;
        assert_eq!(w.count("select count(*) from refunds where state = 'approved'").await, 1);
        owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
        if restored {
            // Asked by WeChat's own number of it, it has the money for something else, and that proves nothing.
            owner.post(&format!("/admin/exceptions/{}/restore", item(&w, &transaction).await), &[]).await;
            let number = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
            super::refunds::until(&w, &number, "failed").await;
            let here = format!("/admin/orders/{}", placed.no);
            owner.ship(&here).await;
            let said = owner.said(&here).await;
            assert!(said.contains("微信说这一单没有收到过付款") && said.contains("还没有人核对过"), "{said}");
        }
        w.advance(5 * MINUTE);
        let failed = "select count(*) from refunds where state = 'failed' and problem_code = 'UNPROVEN'";
        w.wait("the no", || async {
            w.run_jobs().await;
            w.count(failed).await == 1
        })
        .await;
        assert_eq!(w.wechat.refunds(&transaction).len(), 0);
        w.must_hold().await;
    }
}

/// In a shop by API v3 an attempt of v2 that was closed is paid by WeChat's own word, and by no notice of v2.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_attempt_of_v2_is_asked_about_before_it_is_paid() {
    for truly_paid in [true, false] {
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
        let placed = Placed::of(alice.buy(sku, 1).await);
        if truly_paid {
            w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        }
        let transaction = if truly_paid { w.transaction(&placed) } else { "4200009001".to_owned() };
        if !truly_paid {
            alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
            w.advance(6 * MINUTE);
            w.run_jobs().await;
            let closed = "select count(*) from attempts where state = 'closed'";
            w.wait("the closing", || async { w.count(closed).await == 1 }).await;
        } else {
            w.shop.write(|tx| Ok(tx.execute_batch("update attempts set state = 'closed'")?)).await.unwrap();
        }
        owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
        w.wechat.fault_always("orderquery", Fault::Http500);
        w.notify(told(&w, &placed, &placed.out_trade_no, &transaction, "8800")).await;
        w.run_jobs().await;
        assert_eq!(w.count("select count(*) from ledger").await, 0, "{truly_paid}");
        w.wechat.clear_faults();
        w.advance(MINUTE);
        w.run_jobs().await;
        let status = alice.status(&placed.no).await;
        assert_eq!(status, if truly_paid { "to_ship" } else { "closed" });
        assert_eq!(w.count("select count(*) from ledger").await, i64::from(truly_paid));
    }
}

/// What waits for WeChat's word is asked for by v2 once the shop sells by that again, and ends with what it is told there.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_wechats_word_ends_in_a_shop_that_sells_by_v2_again() {
    for by_notice in [true, false] {
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
        let lost = Placed::of(alice.buy(sku, 1).await);
        w.wechat.pay_unheard(&lost.prepay_id, Paying::Well).unwrap();
        let transaction = w.transaction(&lost);
        owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
        w.wechat.fault_always("orderquery", Fault::Http500);
        let notice = told(&w, &lost, "ERP2026113000003", &transaction, "8800");
        w.notify(notice.clone()).await;
        w.run_jobs().await;
        let open = format!(
            "select count(*) from money_exceptions where subject = '{transaction} unproven' and state = 'open'"
        );
        assert_eq!(w.count(open.clone()).await, 1, "{by_notice}");
        if by_notice {
            owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
            w.notify(notice).await;
            let page = owner.page("/admin/exceptions").await;
            assert!(page.contains("又收到了通知，现在收款用 API v2"), "{page}");
        } else {
            w.wechat.clear_faults();
            owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
            w.wait("the answer", || async {
                w.run_jobs().await;
                w.count(open.clone()).await == 0
            })
            .await;
            assert!(owner.page("/admin/exceptions").await.contains("已向微信查实"));
        }
        assert_eq!(w.count(open).await, 0, "{by_notice}");
        // WeChat itself says what it was for.
        let beside = w.count("select count(*) from ledger where order_id is null").await;
        let alone = w.count("select count(*) from told_alone").await;
        assert_eq!((beside, alone), if by_notice { (1, 1) } else { (0, 0) });
        assert_eq!(alice.status(&lost.no).await, if by_notice { "pending_payment" } else { "to_ship" });
        w.must_hold().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_wechats_console_is_learnt_of_by_the_door_of_v2_or_by_the_bill() {
    for heard in [true, false] {
        let w = world("v3").await;
        w.wechat.ways(|ways| ways.refund_notices = heard);
        let sku = w.product("苹果", 8800, 99).await;
        let alice = w.buyer("alice").await;
        let placed = w.paid(&alice, sku, 1).await;
        w.wechat.refund_by_console(&w.transaction(&placed), 800).unwrap();
        w.advance(4 * SECOND);
        match heard {
            true => {
                w.wait("the notice", || async {
                    w.run_jobs().await;
                    alice.order(&placed.no).await["refundedFen"] == 800
                })
                .await;
            }
            false => {
                next_morning(&w).await;
                w.wait("the bill", || async { alice.order(&placed.no).await["refundedFen"] == 800 }).await;
            }
        }
        assert_eq!(w.count("select count(*) from money_exceptions where kind = 'console_refund'").await, 1);
        w.must_hold().await;
    }
}

const HELD: &str = "select count(*) from money_exceptions where subject like '% gone back' and state = 'open'";

/// A notice tells of a refund that was made in WeChat's console, and the query does not: until somebody is asked.
async fn told_in_vain(w: &World, placed: &Placed, fen: i64, fault: Fault) {
    w.wechat.fault_always("refundquery", fault);
    w.wechat.refund_by_console(&w.transaction(placed), fen).unwrap();
    w.advance(4 * SECOND);
    w.wait("the hold", || async {
        w.run_jobs().await;
        w.count(HELD).await == 1
    })
    .await;
}

/// What its notice tells of is not known to WeChat yet, or WeChat cannot be asked: the order is not sent meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_a_notice_tells_of_and_a_query_does_not_holds_its_order() {
    for (api, fault) in [
        ("v2", Fault::Http500),
        ("v3", Fault::Http500),
        ("v2", Fault::refused("REFUNDNOTEXIST", "not exist")),
        ("v3", Fault::refused("RESOURCE_NOT_EXISTS", "not exist")),
    ] {
        let case = format!("{api} {fault:?}");
        let w = world(api).await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = w.paid(&alice, sku, 1).await;
        told_in_vain(&w, &placed, 8800, fault).await;
        let page = format!("/admin/orders/{}", placed.no);
        boss.ship(&page).await;
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{case}");
        // Each page says who has said what: WeChat has confirmed nothing.
        let hint = "微信提示这笔款退过，可是向微信还没有查实";
        let said = boss.said(&page).await;
        assert!(said.contains(&format!("{hint}，还没有人核对过。到商户平台核对过")), "{case}: {said}");
        let says_so = async |page: &str| {
            let shown = boss.page(page).await;
            assert!(shown.contains(hint) && !shown.contains("微信说这笔"), "{case} {page}: {shown}");
        };
        says_so(&page).await;
        says_so(&format!("{page}/refund")).await;
        let inbox = boss.page("/admin/exceptions").await;
        assert!(inbox.contains("核对完标记为已处理，再发货") && inbox.contains("这一条会自己结束"), "{case}: {inbox}");
        let number = super::refunds::refund_pieces(&w, &boss, &placed, 1).await;
        w.run_jobs().await;
        says_so(&format!("/admin/refunds/{number}")).await;
        assert_eq!(w.wechat.all_refunds().len(), 1, "{case}");
        boss.post(&format!("/admin/refunds/{number}/stop"), &[]).await;
        // Once WeChat says what it was, nobody has to look.
        w.wechat.clear_faults();
        next_morning(&w).await;
        w.wait("the bill", || async { alice.status(&placed.no).await == "closed" }).await;
        assert_eq!(w.count(HELD).await, 0, "{case}");
        w.must_hold().await;
    }
}

/// A second refund that a notice tells of is no less to be known than the first, whoever has settled that one.
#[tokio::test(flavor = "multi_thread")]
async fn each_refund_that_a_notice_tells_of_holds_its_order_until_it_is_known() {
    for (api, by_person) in [("v2", true), ("v3", true), ("v2", false), ("v3", false)] {
        let case = format!("{api} {by_person}");
        let w = world(api).await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = w.paid(&alice, sku, 1).await;
        for (n, fen) in [(1, 500), (2, 8300)] {
            w.advance(SECOND);
            told_in_vain(&w, &placed, fen, Fault::Http500).await;
            boss.ship(&format!("/admin/orders/{}", placed.no)).await;
            assert_eq!(alice.status(&placed.no).await, "to_ship", "{case} {n}");
            if by_person && n == 1 {
                let id = w.count("select max(id) from money_exceptions where subject like '% gone back'").await;
                let looked = [("resolution", "退了差价，照发")];
                boss.post(&format!("/admin/exceptions/{id}/resolve"), &looked).await;
            } else {
                w.wechat.clear_faults();
                w.wait("the refund", || async {
                    w.advance(MINUTE);
                    w.run_jobs().await;
                    w.count(HELD).await == 0
                })
                .await;
            }
        }
        w.wait("the end", || async { alice.status(&placed.no).await == "closed" }).await;
        w.must_hold().await;
    }
}

/// Whoever settles what was told has read his page: what a notice told of after it stays to be looked at.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_after_a_page_is_not_settled_from_it() {
    let w = world("v2").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
    let placed = w.paid(&alice, sku, 1).await;
    let seen = async || seen_on(&boss.page("/admin/exceptions").await);
    told_in_vain(&w, &placed, 500, Fault::Http500).await;
    let old = seen().await;
    w.advance(SECOND);
    told_in_vain(&w, &placed, 8300, Fault::Http500).await;
    w.wait("the second", || async {
        w.count("select count(distinct out_refund_no) from messages where kind = 'refund_notify'").await == 2
    })
    .await;
    // What it makes the shop do is done, too: it would ask anew after somebody has settled it.
    w.run_jobs().await;
    let resolve = format!("/admin/exceptions/{}/resolve", w.count("select max(id) from money_exceptions").await);
    for (seen, open) in [(old, 1), (seen().await, 0)] {
        boss.post(&resolve, &[("resolution", "退了差价，照发"), ("seen", &seen)]).await;
        assert_eq!(w.count(HELD).await, open, "{seen}");
    }
}

/// API v3 says that money went back and does not list it: that one refund is heard of does not tell that there is no other,
/// whichever came first.
#[tokio::test(flavor = "multi_thread")]
async fn what_v3_does_not_list_is_not_answered_by_one_refund() {
    for told_first in [true, false] {
        let w = world("v3").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        w.wechat.fault_always("refundquery", Fault::Http500);
        let ask = async || alice.post(&format!("/orders/{}/check", placed.no), None).await.ok();
        let tell = |told, fen| {
            w.wechat.ways(|ways| ways.refund_notices = told);
            w.wechat.refund_by_console(&w.transaction(&placed), fen).unwrap();
            w.advance(4 * SECOND);
        };
        tell(false, 5800);
        if !told_first {
            ask().await;
        }
        tell(true, 3000);
        w.wait("the hint", || async {
            w.run_jobs().await;
            w.count("select count(*) from messages where kind = 'refund_notify'").await == 1
        })
        .await;
        ask().await;
        w.wait("the hold", || async {
            w.run_jobs().await;
            w.count(HELD).await == 1
        })
        .await;
        w.wechat.clear_faults();
        w.wait("the refund that was told of", || async {
            w.advance(MINUTE);
            w.run_jobs().await;
            alice.order(&placed.no).await["refundedFen"] == 3000
        })
        .await;
        boss.ship(&format!("/admin/orders/{}", placed.no)).await;
        assert_eq!((alice.status(&placed.no).await.as_str(), w.count(HELD).await), ("to_ship", 1), "{told_first}");
        w.must_hold().await;
    }
}

/// What went back before midnight and is heard of after it stands in the bill of a day that is over: a whole day's bill that
/// names no more is the answer, when no bill since has a row that cannot be read, and its flow of funds is there to bear it out.
#[tokio::test(flavor = "multi_thread")]
async fn what_v3_does_not_list_is_answered_by_the_bill_of_a_whole_day() {
    for (spoilt, settled, creating) in
        [(false, false, false), (true, false, false), (true, true, false), (false, false, true)]
    {
        let w = world("v3").await;
        let sku = w.product("苹果", 8800, 99).await;
        while w.shop.now() < Day::of(START).end() - 15 * MINUTE {
            w.advance(15 * MINUTE);
            w.run_jobs().await;
        }
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.wechat.ways(|ways| ways.refund_notices = false);
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        for call in ["orderquery", "closeorder"] {
            w.wechat.fault_always(call, Fault::Http500);
        }
        for fen in [800, 1100] {
            w.wechat.refund_by_console(&w.transaction(&placed), fen).unwrap();
        }
        w.advance(20 * MINUTE);
        w.run_jobs().await;
        w.wechat.clear_faults();
        w.wait("the hold", || async {
            w.advance(MINUTE);
            w.run_jobs().await;
            w.count(HELD).await == 1
        })
        .await;
        let day = Day::of(START);
        let bill = w.wechat.bill(day).unwrap();
        if spoilt {
            w.wechat.set_bill(day, bill.replace("`11.00", "`1l.00").into_bytes());
        }
        if creating {
            w.wechat.fault_always("downloadfundflow", Fault::refused("STATEMENT_CREATING", "账单生成中"));
        }
        let known = if spoilt { 800 } else { 1900 };
        while w.shop.now() < day.end() + 10 * HOUR + 6 * MINUTE {
            w.advance(HOUR);
            w.run_jobs().await;
        }
        w.wait("the refund", || async { alice.order(&placed.no).await["refundedFen"] == known }).await;
        let ship = async || {
            boss.ship(&format!("/admin/orders/{}", placed.no)).await;
            (alice.status(&placed.no).await, w.count(HELD).await)
        };
        assert_eq!(ship().await, ("to_ship".into(), 1), "{spoilt}");
        next_morning(&w).await;
        if spoilt {
            let next = format!("select count(*) from bills where day = '{}' and state = 'empty'", day.plus(1));
            w.wait("the next day", || async { w.count(next.as_str()).await == 1 }).await;
            assert_eq!(ship().await, ("to_ship".into(), 1));
            // That somebody has settled the row makes the bill no more whole.
            let row =
                "select coalesce(max(id), 0) from money_exceptions where difference = 'unreadable' and state = 'open'";
            let settle = async |id: i64| {
                boss.post(&format!("/admin/exceptions/{id}/resolve"), &[("resolution", "核对过")]).await;
            };
            if settled {
                settle(w.count(row).await).await;
                assert_eq!(w.count(row).await, 0);
                next_morning(&w).await;
                assert_eq!(ship().await, ("to_ship".into(), 1));
                settle(w.count("select max(id) from money_exceptions where subject like '% gone back'").await).await;
                assert_eq!(ship().await, ("shipped".into(), 0));
                continue;
            }
            w.wechat.reset_bills();
            boss.post(&format!("/admin/money/{}/match", day.shown()), &[]).await;
            w.wait("the other", || async { alice.order(&placed.no).await["refundedFen"] == 1900 }).await;
        }
        if creating {
            assert_eq!(ship().await, ("to_ship".into(), 1), "the flow of funds is still being made");
            w.wechat.clear_faults();
        }
        w.wait("the answer", || async {
            w.advance(MINUTE);
            w.run_jobs().await;
            w.count(HELD).await == 0
        })
        .await;
        assert_eq!(ship().await, ("shipped".into(), 0), "{spoilt}");
        w.must_hold().await;
    }
}

/// WeChat's query may be a moment behind its own notice: it is asked again, and the order is free by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_behind_its_notice_holds_nothing_for_long() {
    for (api, code) in [("v2", "REFUNDNOTEXIST"), ("v3", "RESOURCE_NOT_EXISTS")] {
        let w = world(api).await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = w.paid(&alice, sku, 1).await;
        told_in_vain(&w, &placed, 500, Fault::refused(code, "not exist")).await;
        w.wechat.clear_faults();
        w.advance(11 * SECOND);
        w.wait("the refund", || async {
            w.run_jobs().await;
            w.count(HELD).await == 0
        })
        .await;
        assert_eq!(alice.order(&placed.no).await["refundedFen"], 500, "{api}");
        boss.ship(&format!("/admin/orders/{}", placed.no)).await;
        assert_eq!(alice.status(&placed.no).await, "shipped", "{api}");
        w.must_hold().await;
    }
}

/// Money that fits no order, and that a notice says has gone back, pays none.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_a_notice_says_went_back_is_linked_to_no_order() {
    for api in ["v2", "v3"] {
        let w = world(api).await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, bob, boss) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("boss", Role::Manager).await);
        let (placed, waiting) = (Placed::of(alice.buy(sku, 1).await), Placed::of(bob.buy(sku, 1).await));
        let id = super::numbers::orphan(&w, &alice, &placed).await;
        told_in_vain(&w, &placed, 8800, Fault::Http500).await;
        boss.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
        let said = boss.said("/admin/exceptions").await;
        // Asked for the payment itself, API v3 says that something went back, and v2 lists what did.
        let words = if api == "v2" { "微信提示这笔款退过" } else { "微信说这笔付款已有退款" };
        assert!(said.contains(words) && said.contains("还没有人核对"), "{api}: {said}");
        assert_eq!(bob.status(&waiting.no).await, "pending_payment", "{api}");
        w.must_hold().await;
    }
}

/// Of one payment the refund is heard of before the payment itself, by its notice or by a query: nothing leaves for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_told_of_before_its_payment_is_not_forgotten() {
    for (api, by_notice) in [("v2", true), ("v3", true), ("v2", false), ("v3", false)] {
        let case = format!("{api} {by_notice}");
        let w = world(api).await;
        w.wechat.ways(|ways| ways.refund_notices = by_notice);
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        w.wechat.refund_by_console(&w.transaction(&placed), 8800).unwrap();
        w.wechat.fault_always("refundquery", Fault::Http500);
        w.advance(4 * SECOND);
        if by_notice {
            let heard = "select count(*) from messages where kind = 'refund_notify'";
            w.wait("the refund's notice", || async { w.count(heard).await == 1 }).await;
            assert_eq!(alice.status(&placed.no).await, "pending_payment", "{case}");
        }
        if !by_notice {
            alice.post(&format!("/orders/{}/check", placed.no), None).await;
        } else if api == "v3" {
            let notice = w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
            assert_eq!(knock(&w, &notice.headers, &notice.body).await.0, 204);
        } else {
            let mut notice = w.notice(&placed, "alice");
            notice.set("transaction_id", w.transaction(&placed));
            w.notify(crate::support::signed(&notice)).await;
        }
        let page = format!("/admin/orders/{}", placed.no);
        boss.ship(&page).await;
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{case}");
        w.wechat.clear_faults();
        next_morning(&w).await;
        w.wait("the end", || async {
            w.run_jobs().await;
            alice.status(&placed.no).await == "closed"
        })
        .await;
        w.must_hold().await;
    }
}

/// A shop by API v3 alone cannot open what WeChat tells of its console: the owner hears which key is missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_by_api_v3_alone_is_told_of_what_it_cannot_open() {
    let w = world_with(&[("wechat.api", "v3"), ("wechat.api_key", "")]).await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let placed = w.paid(&alice, sku, 1).await;
    let told = "收到了 API v2 的通知，却看不了";
    // Not of one to somebody else.
    for (mch_id, heard) in [("1900000999", false), (MCH_ID, true)] {
        let body = format!(
            "<xml><return_code>SUCCESS</return_code><appid>{APP_ID}</appid><mch_id>{mch_id}</mch_id>\
             <req_info>c2VhbGVk</req_info></xml>"
        );
        let answer = w.http().post(w.at("/wechat/refund/notify")).body(body).send().await.unwrap();
        assert!(answer.text().await.unwrap().contains("FAIL"));
        assert_eq!(owner.page("/admin").await.contains(told), heard, "{mch_id}");
    }
    let log = owner.page("/admin/transactions").await;
    assert!(log.contains("看不了，API v2 还缺 APIv2 密钥"), "{log}");
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    // It stays until the key is there: a bill is one number's, and the message may tell of another's.
    next_morning(&w).await;
    assert!(owner.page("/admin").await.contains(told));
}

/// The same where the key is there and wrong: what sells does not need it, so nothing else says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_by_api_v3_is_told_that_its_key_of_v2_opens_nothing() {
    let w = world_with(&[("wechat.api", "v3"), ("wechat.api_key", "")]).await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let told = "的退款通知用 APIv2 密钥打不开";
    let wrong = "ffffffffffffffffffffffffffffffff";
    let refunds = "select count(*) from messages where kind = 'refund_notify'";
    for (key, heard) in [(wrong, true), (KEY, false), (wrong, true)] {
        w.advance(3 * DAY);
        owner.post("/admin/settings", &[("wechat-api_key", key)]).await;
        assert!(!owner.page("/admin").await.contains(told), "{key}: said of another key");
        w.advance(3 * DAY);
        let (placed, before) = (w.paid(&alice, sku, 1).await, w.count(refunds).await);
        w.wechat.refund_by_console(&w.transaction(&placed), 8800).unwrap();
        w.advance(5 * SECOND);
        w.wait("the notice", || async { w.count(refunds).await > before }).await;
        assert_eq!(owner.page("/admin").await.contains(told), heard, "{key}");
        // A start mends no key.
        xiaopu::worker::seed(&w.shop).await.unwrap();
        assert_eq!(owner.page("/admin").await.contains(told), heard, "{key}: started anew");
    }
    next_morning(&w).await;
    assert!(owner.page("/admin").await.contains(told));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_is_not_what_its_hash_says_is_fetched_again() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 1).await;
    w.wechat.fault("billdownload", Fault::BillHash);
    next_morning(&w).await;
    assert_eq!(w.count("select count(*) from bills where problem like '%BILL_HASH_WRONG%'").await, 1);
    w.advance(HOUR);
    w.run_jobs().await;
    assert_eq!(w.count("select count(*) from bills where day = '20261008' and state = 'equal'").await, 1);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_api_v3_key_opens_notices_for_two_days() {
    let keys = keys();
    let settings = [
        ("wechat.api", "v3"),
        ("wechat.v3_key", ""),
        ("wechat.mch_key", keys.merchant.private.as_str()),
        ("wechat.mch_serial", &keys.serial),
        ("wechat.public_key", &keys.platform.public),
        ("wechat.public_key_id", &keys.public_id),
    ];
    let w = World::with(Default::default(), &settings).await;
    w.wechat.with_v3(&keys).unwrap();
    let (sku, owner) = (w.product("苹果", 8800, 99).await, w.staff("owner", Role::Owner).await);
    owner.post("/admin/settings", &[("wechat-v3_key", &keys.v3_key)]).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    owner.post("/admin/settings", &[("wechat-v3_key", "ffffffffffffffffffffffffffffffff")]).await;
    let told = || async {
        let notice = w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
        knock(&w, &notice.headers, &notice.body).await.0
    };
    assert_eq!(told().await, 204);
    w.advance(48 * HOUR - SECOND);
    assert_eq!(told().await, 204);
    // What goes wrong when the two days are over is said before.
    let still = "微信还在用更换前的 APIv3 密钥，2026-10-10";
    let home = owner.page("/admin").await;
    assert!(home.contains(still), "{home}");
    let log = owner.page("/admin/transactions?kind=notify").await;
    let id = log.split("/admin/transactions/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = owner.page(&format!("/admin/transactions/{id}")).await;
    assert!(page.contains(still), "{page}");
    w.advance(2 * SECOND);
    assert_eq!(told().await, 500, "and WeChat sends it again");
    let home = owner.page("/admin").await;
    assert!(!home.contains(still) && home.contains("打不开"), "{home}");
    owner.post("/admin/settings", &[("wechat-v3_key", &keys.v3_key)]).await;
    assert_eq!(told().await, 204);
    assert_eq!(w.count("select count(*) from owner_alerts").await, 0, "the key that WeChat uses is in force again");
    w.must_hold().await;
}

/// A proxy before the shop that takes away headers or writes bodies anew: every notice fails, and nobody else can know.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_was_spoilt_on_its_way_is_told_and_a_forgers_is_not() {
    let w = world("v3").await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    let genuine = || w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
    let spaced = [genuine().body, b" ".to_vec()].concat();
    let forged = br#"{"event_type":"TRANSACTION.SUCCESS","resource":{"algorithm":"AEAD_AES_256_GCM","ciphertext":"AAAA","nonce":"fdasflkja484"}}"#;
    let without = |gone: &str| genuine().headers.into_iter().filter(|(name, _)| *name != gone).collect::<Vec<_>>();
    for (headers, body, told) in [
        (genuine().headers, forged.to_vec(), ""),
        (without(""), forged.to_vec(), ""),
        (Vec::new(), genuine().body, "原样转发 Wechatpay- 开头的头"),
        (without(sign::SIGNATURE), genuine().body, "原样转发 Wechatpay- 开头的头"),
        (genuine().headers, spaced, "代理有没有改动内容"),
    ] {
        assert_eq!(knock(&w, &headers, &body).await.0, 401, "{told}");
        let home = owner.page("/admin").await;
        assert_eq!(home.contains("微信的通知验不过签名"), !told.is_empty(), "{told}: {home}");
        assert!(home.contains(told), "{told}: {home}");
        if !told.is_empty() {
            let notice = genuine();
            assert_eq!(knock(&w, &notice.headers, &notice.body).await.0, 204);
        }
        assert!(!owner.page("/admin").await.contains("微信的通知验不过签名"), "{told}: it is right again");
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_say_what_is_in_the_wrong_field_and_the_test_wants_a_signed_no() {
    let w = world("").await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("group", "pay_v3"), ("test", "true")]).await;
    let said = owner.said("/admin/settings").await;
    assert!(said.contains("私钥、序列号和微信支付公钥都正确"), "{said}");
    w.wechat.fault("orderquery", Fault::Unsigned);
    owner.post("/admin/settings", &[("group", "pay_v3"), ("test", "true")]).await;
    let said = owner.said("/admin/settings").await;
    assert!(!said.contains("都正确"), "an unsigned no proves nothing: {said}");
    // Each "no" that cannot be believed says why, and only one of them is about the key.
    for (fault, words) in [
        (Fault::Unsigned, "回答没有签名"),
        (Fault::BadSign, "验不过它的签名"),
        (Fault::CertificateSerial, "切换为微信支付公钥"),
        (Fault::OtherSerial, "不是设置里的微信支付公钥"),
        (Fault::ClockOff, "请校时"),
        (Fault::SignTest, "请再测一次"),
        (Fault::refused("NO_AUTH", "商户号没有权限"), "商户号没有权限"),
    ] {
        // A probe is asked again at once.
        let times = if fault == Fault::SignTest { 2 } else { 1 };
        (0..times).for_each(|_| w.wechat.fault("orderquery", fault.clone()));
        owner.post("/admin/settings", &[("group", "pay_v3"), ("test", "true")]).await;
        let said = owner.said("/admin/settings").await;
        assert!(said.contains(words), "{fault:?}: {said}");
        assert_eq!(said.contains("验不过它的签名"), fault == Fault::BadSign, "{fault:?}: {said}");
    }
    let empty = World::new().await;
    let owner = empty.staff("owner", Role::Owner).await;
    let keys = keys();
    for (field, value, words) in [
        ("wechat-v3_key", "short", "32 个字符"),
        ("wechat-mch_key", &keys.platform.public, "这是公钥"),
        ("wechat-public_key", &keys.merchant.private, "这是私钥"),
        ("wechat-public_key_id", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "平台证书的序列号"),
        ("wechat-mch_serial", "PUB_KEY_ID_0119000001092026112800000001", "公钥的 ID"),
        ("wechat-mch_serial", "0123456789abcdef0123456789abcdef", "像是 APIv3 密钥"),
    ] {
        let answer = owner.page_of("/admin/settings", &[("group", "pay_v3"), (field, value)]).await;
        assert!(answer.contains(words), "{field}: {answer}");
    }
}

/// A shop by v3 with an order of v2 that waits for its money.
async fn unpaid_by_v2(w: &World, name: &str, alice: &Buyer<'_>, owner: &Console<'_>) -> Placed {
    let sku = w.product(name, 8800, 99).await;
    owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
    placed
}

/// What only a notice of v2 has told was thanked for and comes no more: where WeChat was not heard about it, it is asked again soon, and not
/// at the attempt's own pace.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_waits_for_wechats_word_is_asked_about_soon() {
    for (late, cancelled, fault) in [
        (false, false, Fault::Http500),
        (true, false, Fault::LoseAnswer),
        (true, false, Fault::refused("SYSTEMERROR", "系统错误")),
        (false, true, Fault::Http500),
        (true, true, Fault::LoseAnswer),
    ] {
        let case = format!("{late} {cancelled} {fault:?}");
        let w = world("").await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let placed = unpaid_by_v2(&w, "苹果", &alice, &owner).await;
        if late {
            w.advance(20 * MINUTE);
            w.run_jobs().await;
        }
        w.wechat.fault_always("orderquery", fault);
        if cancelled {
            alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
            // It has failed for a while by itself.
            for _ in 0..4 {
                w.advance(2 * MINUTE);
                w.run_jobs().await;
            }
        }
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        w.notify(told(&w, &placed, &placed.out_trade_no, &w.transaction(&placed), "8800")).await;
        let asked = w.wechat.calls("orderquery");
        for _ in 0..300 {
            w.run_jobs().await;
            w.advance(SECOND);
        }
        let asked = w.wechat.calls("orderquery") - asked;
        assert!((8..=20).contains(&asked), "{case}: {asked}");
        assert_eq!(w.count("select count(*) from ledger").await, 0, "{case}");
        w.wechat.clear_faults();
        // The last question before may have been under way while the clock went on, and a minute lies between two.
        for _ in 0..if cancelled { 300 } else { 90 } {
            w.advance(SECOND);
            w.run_jobs().await;
        }
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{case}");
        // One that is heard at the second time has waited for two seconds.
        let second = unpaid_by_v2(&w, "梨", &alice, &owner).await;
        w.wechat.pay_unheard(&second.prepay_id, Paying::Well).unwrap();
        w.wechat.fault("orderquery", Fault::Http500);
        let failed = "select count(*) from messages where kind = 'orderquery' and verdict <> 'ok'";
        let before = w.count(failed).await;
        w.notify(told(&w, &second, &second.out_trade_no, &w.transaction(&second), "8800")).await;
        w.wait("the question", || async { w.count(failed).await > before }).await;
        let waits = "select count(*) from jobs where kind = 'poll' and state = 'waiting'";
        w.wait("the pause", || async { w.count(format!("{waits} and updated_at < run_at")).await > 0 }).await;
        assert_eq!(alice.status(&second.no).await, "pending_payment", "{case}");
        w.advance(2 * SECOND);
        w.wait("the answer", || async { alice.status(&second.no).await == "to_ship" }).await;
        w.must_hold().await;
    }
}

/// What WeChat has denied is not asked about for ever, and a flood of lies costs a question each time that it is heard.
#[tokio::test(flavor = "multi_thread")]
async fn lies_about_an_open_attempt_are_not_asked_about_for_ever() {
    let w = world("").await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let placed = unpaid_by_v2(&w, "苹果", &alice, &owner).await;
    w.advance(20 * MINUTE);
    w.run_jobs().await;
    w.wechat.fault("orderquery", Fault::Http500);
    for lie in 0..50 {
        w.notify(told(&w, &placed, &placed.out_trade_no, &format!("42000090{lie:02}"), "8800")).await;
    }
    w.run_jobs().await;
    w.advance(5 * SECOND);
    w.run_jobs().await;
    let asked = w.wechat.calls("orderquery");
    w.wechat.fault_always("orderquery", Fault::Http500);
    for _ in 0..240 {
        w.run_jobs().await;
        w.advance(SECOND);
    }
    assert_eq!(w.wechat.calls("orderquery"), asked);
    assert_eq!(w.count("select count(*) from money_exceptions").await, 0);
}

/// WeChat refuses to speak by v2, whose key may be dead: v3 is asked about what the notice told of, and believed for this attempt alone.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_key_of_v2_is_dead_v3_is_asked() {
    for (whose, paid) in [("ours", true), ("another program's", false), ("nobody's", false)] {
        for fault in [Fault::ReturnFail("签名错误".into()), Fault::refused("SIGNERROR", "签名错误")] {
            let case = format!("{whose} {fault:?}");
            let w = world("").await;
            let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
            let placed = unpaid_by_v2(&w, "苹果", &alice, &owner).await;
            let theirs = sale(APP_ID, "JSAPI", "OTHERPROG20261130001", 8800);
            let transaction = match whose {
                "ours" => {
                    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
                    w.transaction(&placed)
                }
                "nobody's" => "4200009001".to_owned(),
                _ => w.wechat.sell_elsewhere(&theirs).unwrap(),
            };
            w.wechat.fault("orderquery", fault);
            let asked = w.wechat.calls("orderquery");
            w.notify(told(&w, &placed, &placed.out_trade_no, &transaction, "8800")).await;
            let questions = "select count(*) from messages where kind = 'orderquery' and coalesce(transaction_id, attempt_id) is not null";
            w.wait("the questions", || async { w.count(questions).await == 2 }).await;
            let status = alice.status(&placed.no).await;
            assert_eq!(status, if paid { "to_ship" } else { "pending_payment" }, "{case}");
            assert_eq!(w.count("select count(*) from ledger").await, i64::from(paid), "{case}");
            // It is proven, and nobody is asked again.
            if paid {
                let here = format!("/admin/orders/{}", placed.no);
                owner.ship(&here).await;
                let asked = w.wechat.calls("orderquery") - asked;
                assert_eq!((alice.status(&placed.no).await.as_str(), asked), ("shipped", 2), "{case}");
            }
            w.must_hold().await;
        }
    }
}

/// A shop by v3 sends nothing for what a notice of v2 alone has paid before WeChat has spoken, by whatever door; it asks by itself as soon as it
/// sells by v3.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_notice_of_v2_alone_has_paid_leaves_by_no_door_of_a_shop_by_v3() {
    for truly in [true, false] {
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let cake = super::pickup::cake(&w).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
        let key = super::programs::key(&owner, "ERP", &["orders", "ship"]).await;
        let [single, table] = [Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await)];
        for placed in [&single, &table] {
            if truly {
                w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
            }
            let transaction = if truly {
                w.transaction(placed)
            } else {
                format!("42000090{}", placed.out_trade_no.len()) + &placed.no
            };
            w.notify(told(&w, placed, &placed.out_trade_no, &transaction, "8800")).await;
        }
        let (fetched, code) = super::pickup::bought(&w, &alice, cake).await;
        w.wechat.fault_always("orderquery", Fault::Http500);
        owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
        let asked = "select count(distinct attempt_id) from messages where kind = 'orderquery' and verdict = 'failed'";
        w.wait("the questions", || async {
            w.advance(SECOND);
            w.run_jobs().await;
            w.count(asked).await == 3
        })
        .await;
        let words = "这笔付款只有 API v2 的密钥签过名，现在收款用 API v3，还没有向微信查实（";
        let here = format!("/admin/orders/{}", single.no);
        owner.ship(&here).await;
        let said = owner.said(&here).await;
        assert!(
            said.contains(words) && said.contains("请过一会儿再试") && said.contains("仍然发出"),
            "{truly}: {said}"
        );
        let row = format!("{} SF1234567890124", table.no);
        let batch = super::shipping::bring(&w, &owner, super::shipping::pasted(&row)).await;
        let page = owner.page(&batch).await;
        assert!(page.contains(words) && page.contains("系统在逐笔问"), "{truly}: {page}");
        owner.post(&format!("{batch}/run"), &[]).await;
        let shipments = format!("/admin/orders/{}/shipments", single.no);
        let parcel = Some(serde_json::json!({ "trackingNo": "SF1234567890123" }));
        let by_program = w.call(reqwest::Method::POST, &shipments, Some(&key), None, parcel).await;
        assert_eq!(by_program.error(), (409, "refund_in_progress"), "{truly}");
        owner.post("/admin/shipping/scan", &[("order", single.no.as_str()), ("code", "SF1234567890123")]).await;
        let desk = super::pickup::check(&owner, &code).await;
        assert!(desk.contains(words) && desk.contains("仍然交货"), "{truly}: {desk}");
        owner.page_of("/admin/pickup/hand-over", &[("code", &code)]).await;
        for no in [&single.no, &table.no, &fetched] {
            assert_eq!(alice.status(no).await, "to_ship", "{truly}");
        }
        let printed = owner.page(&format!("/admin/print/slips?order={}", single.no)).await;
        assert!(printed.contains("先查实付款，再发货"), "{truly}: {printed}");
        // A table that is looked at again asks about its rows at once.
        w.wechat.clear_faults();
        owner.post(&format!("{batch}/allow"), &[]).await;
        let answered = format!(
            "select count(*) from messages m join orders o on o.id = m.order_id
              where m.kind = 'orderquery' and m.verdict = 'ok' and o.order_no = '{}'",
            table.no
        );
        w.wait("the answer", || async { w.count(answered.clone()).await > 0 }).await;
        let page = owner.page(&batch).await;
        owner.post(&format!("{batch}/allow"), &[]).await;
        owner.post(&format!("{batch}/run"), &[]).await;
        assert_eq!(page.contains("还没有人核对过"), !truly, "{truly}: {page}");
        assert_eq!(alice.status(&table.no).await, if truly { "shipped" } else { "to_ship" }, "{truly}");
        // The others are asked about by whoever hands them over.
        let asked = w.wechat.calls("orderquery");
        let desk = super::pickup::check(&owner, &code).await;
        owner.post("/admin/pickup/hand-over", &[("code", &code)]).await;
        assert_eq!(alice.status(&fetched).await, "shipped", "{truly}: {desk}");
        assert!(w.wechat.calls("orderquery") > asked, "{truly}");
        owner.ship(&here).await;
        assert_eq!(alice.status(&single.no).await, if truly { "shipped" } else { "to_ship" }, "{truly}");
        // Whoever has looked sends it, and WeChat's no is no riddle afterwards.
        if !truly {
            let held = format!("select max(id) from money_exceptions where subject like '%{} denied'", single.no);
            let held = w.count(held).await;
            owner.post(&format!("/admin/exceptions/{held}/resolve"), &[("resolution", "查过")]).await;
            owner.ship(&here).await;
            assert_eq!(alice.status(&single.no).await, "shipped");
        }
        w.must_hold().await;
    }
}

/// What WeChat tells of another attempt's payment is no word for the order that a notice gave it to.
#[tokio::test(flavor = "multi_thread")]
async fn another_attempts_payment_pays_no_order_for_being_known() {
    for set_to in ["v3", "v2"] {
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
        let [given, truly] = [Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await)];
        w.wechat.pay_unheard(&truly.prepay_id, Paying::Well).unwrap();
        let transaction = w.transaction(&truly);
        w.notify(told(&w, &given, &given.out_trade_no, &transaction, "8800")).await;
        assert_eq!(alice.status(&given.no).await, "to_ship");
        owner.post(&format!("/admin/orders/{}/query", truly.no), &[]).await;
        let heard =
            format!("select count(*) from messages where kind = 'orderquery' and transaction_id = '{transaction}'");
        w.wait("WeChat's word", || async { w.count(heard.clone()).await > 0 }).await;
        owner.post("/admin/settings", &[("wechat-api", set_to)]).await;
        w.run_jobs().await;
        let here = format!("/admin/orders/{}", given.no);
        owner.ship(&here).await;
        assert_eq!(alice.status(&given.no).await, "to_ship", "{set_to}: {}", owner.said(&here).await);
        // Whoever ticks its item has not paid it.
        let held = format!("select max(id) from money_exceptions where subject like '{transaction} denied'");
        let held = w.count(held).await;
        owner.post(&format!("/admin/exceptions/{held}/resolve"), &[("resolution", "看过")]).await;
        owner.post(&format!("{here}/refund"), &WHOLE).await;
        for _ in 0..5 {
            w.advance(MINUTE);
            w.run_jobs().await;
        }
        let page = owner.page(&format!("/admin/refunds/{}R01", given.no)).await;
        assert_eq!(w.wechat.calls("refund"), 0, "{set_to}: {page}");
        assert_eq!(w.count("select count(*) from refunds where state = 'failed'").await, 1, "{set_to}: {page}");
    }
}

/// The same where another order has been given the money by then that WeChat tells of: what the first stands on is no truer for that.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_that_a_lie_has_paid_although_its_true_money_stands_elsewhere() {
    for (set_to, healed) in [("v2", false), ("v3", false), ("v3", true)] {
        let case = format!("{set_to} {healed}");
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
        let [lied, other] = [Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await)];
        let theirs = w.wechat.sell_elsewhere(&sale(APP_ID, "JSAPI", "OTHERPROG20261130001", 8800)).unwrap();
        w.notify(told(&w, &lied, &lied.out_trade_no, &theirs, "8800")).await;
        w.wechat.pay_unheard(&lied.prepay_id, Paying::Well).unwrap();
        w.notify(told(&w, &other, &other.out_trade_no, &w.transaction(&lied), "8800")).await;
        owner.post(&format!("/admin/orders/{}/query", lied.no), &[]).await;
        if healed {
            // As an older program has left it.
            let forget = "delete from money_exceptions where subject like '% denied'";
            w.shop.write(move |tx| Ok(tx.execute_batch(forget)?)).await.unwrap();
        }
        owner.post("/admin/settings", &[("wechat-api", set_to)]).await;
        // By the table, which asks nobody while it sends.
        let row = format!("{} SF1234567890123", lied.no);
        let batch = super::shipping::bring(&w, &owner, super::shipping::pasted(&row)).await;
        owner.post(&format!("{batch}/run"), &[]).await;
        for (order, words) in [(&lied, "微信说这一单付的是交易号"), (&other, "微信说这一单没有收到过付款")]
        {
            let here = format!("/admin/orders/{}", order.no);
            owner.ship(&here).await;
            let said = owner.said(&here).await;
            assert!(said.contains(words) && said.contains("还没有人核对过"), "{case}: {said}");
            assert_eq!(alice.status(&order.no).await, "to_ship", "{case}");
        }
        // Whoever has looked sends it.
        let held = w.count(format!("select max(id) from money_exceptions where subject = '{theirs} denied'")).await;
        owner.post(&format!("/admin/exceptions/{held}/resolve"), &[("resolution", "查过")]).await;
        owner.ship(&format!("/admin/orders/{}", lied.no)).await;
        assert_eq!(alice.status(&lied.no).await, "shipped", "{case}");
        w.must_hold().await;
    }
}

/// Whose money a lie has given to another order: its item says so, and how it goes back. It ends by itself then.
#[tokio::test(flavor = "multi_thread")]
async fn who_paid_an_order_that_a_lie_has_robbed_is_given_back() {
    for told_before in [false, true] {
        let w = world("v2").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let [given, truly] = [Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await)];
        w.wechat.pay_unheard(&truly.prepay_id, Paying::Well).unwrap();
        let transaction = w.transaction(&truly);
        w.notify(told(&w, &given, &given.out_trade_no, &transaction, "8800")).await;
        if told_before {
            w.notify(told(&w, &truly, &truly.out_trade_no, &transaction, "8800")).await;
        }
        let here = format!("/admin/orders/{}", truly.no);
        owner.post(&format!("{here}/query"), &[]).await;
        assert!(owner.said(&here).await.contains("已支付 ¥88.00，没有记到这一单"), "{told_before}");
        let inbox = owner.page("/admin/exceptions").await;
        let words = format!("账上却被一条 API v2 的通知记在订单 {} 里", given.no);
        assert!(inbox.contains(&words) && inbox.contains("退给付款人：退完系统会登记"), "{told_before}: {inbox}");
        assert!(told_before || owner.page(&here).await.contains(&words), "{told_before}");
        w.wechat.refund_by_console(&transaction, 8800).unwrap();
        let open = "select count(*) from money_exceptions where state = 'open' and kind <> 'console_refund'";
        w.wait("the end", || async {
            w.advance(MINUTE);
            w.run_jobs().await;
            w.count(open).await == 0
        })
        .await;
        assert_eq!(alice.status(&given.no).await, "closed", "{told_before}");
        w.must_hold().await;
    }
}

/// A late payment that a notice of API v2 alone has told of is asked about before its order is taken up again, in a shop by v2, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_of_another_program_takes_no_order_up_in_a_shop_by_v2() {
    let w = world("v2").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
    w.wait("the closing", || async {
        w.advance(MINUTE);
        w.run_jobs().await;
        w.count("select count(*) from attempts where state = 'closed'").await == 1
    })
    .await;
    w.advance(25 * HOUR);
    w.run_jobs().await;
    let theirs = w.wechat.sell_elsewhere(&sale(APP_ID, "JSAPI", "OTHERPROG20261130001", 8800)).unwrap();
    w.notify(told(&w, &placed, &placed.out_trade_no, &theirs, "8800")).await;
    owner.post(&format!("/admin/exceptions/{}/restore", item(&w, &theirs).await), &[]).await;
    let here = format!("/admin/orders/{}", placed.no);
    owner.ship(&here).await;
    let said = owner.said(&here).await;
    assert!(said.contains("微信说这一单没有收到过付款") && said.contains("还没有人核对过"), "{said}");
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    w.must_hold().await;
}

/// What WeChat could not be asked about for a moment, when an order was taken up again, is asked about by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_order_is_free_once_wechat_is_heard() {
    for (api, by) in [("v2", "nobody"), ("v3", "nobody"), ("v3", "ship")] {
        let case = format!("{api} {by}");
        let w = world(api).await;
        let placed = super::exceptions::late_without_stock(&w, "苹果", 1000).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let sku = alice.order(&placed.no).await["lines"][0]["skuId"].as_str().unwrap().parse().unwrap();
        let restock = move |tx: &xiaopu::db::Tx| Ok(xiaopu::catalogue::stock::adjust(tx, sku, 5, None, "进货")?);
        w.shop.write(restock).await.unwrap();
        w.wechat.fault_always("orderquery", Fault::Http500);
        owner.post(&format!("/admin/exceptions/{}/restore", item(&w, &w.transaction(&placed)).await), &[]).await;
        let here = format!("/admin/orders/{}", placed.no);
        let ship = async || {
            owner.ship(&here).await;
            alice.status(&placed.no).await
        };
        assert_eq!(ship().await, "to_ship", "{case}");
        assert!(owner.said(&here).await.contains("没能向微信问清这笔款有没有退过"), "{case}");
        w.wechat.clear_faults();
        if by == "nobody" {
            let open = "select count(*) from money_exceptions where state = 'open'";
            w.wait("WeChat's word", || async {
                w.advance(MINUTE);
                w.run_jobs().await;
                w.count(open).await == 0
            })
            .await;
            w.wechat.fault_always("orderquery", Fault::Http500);
        }
        assert_eq!(ship().await, "shipped", "{case}: {}", owner.said(&here).await);
        w.must_hold().await;
    }
}

/// A question that was on its way when the money came says nothing of it; and where WeChat says yes after a no, nothing is held any longer.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_older_than_the_money_holds_nothing() {
    for (api, code) in [("v2", "ORDERNOTEXIST"), ("v3", "ORDERNOTEXIST")] {
        let w = world(api).await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let placed = Placed::of(alice.buy(sku, 1).await);
        w.wechat.fault("orderquery", Fault::Slow(1_500));
        let here = format!("/admin/orders/{}", placed.no);
        let query = format!("{here}/query");
        let meanwhile = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            w.pay(&placed, Paying::Well);
            w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        };
        tokio::join!(owner.post(&query, &[]), meanwhile);
        let open = "select count(*) from money_exceptions where state = 'open'";
        assert_eq!(w.count(open).await, 0, "{api}: {}", owner.page("/admin/exceptions").await);
        // A no to what stands is heard, and a yes after it.
        let of_all = |conn: &rusqlite::Connection| Ok(xiaopu::payments::store::attempt(conn, AttemptId(1))?);
        let attempt = w.shop.read(of_all).await.unwrap().unwrap();
        let account = attempt.account(&w.shop).unwrap();
        w.wechat.fault("orderquery", Fault::refused(code, "not exist"));
        xiaopu::payments::check::ask(&w.shop, &account, &attempt).await.unwrap();
        assert_eq!(w.count(open).await, 1, "{api}");
        owner.post(&query, &[]).await;
        assert_eq!(w.count(open).await, 0, "{api}: {}", owner.page("/admin/exceptions").await);
        owner.ship(&here).await;
        assert_eq!(alice.status(&placed.no).await, "shipped", "{api}");
        w.must_hold().await;
    }
}

/// WeChat's query may be behind the payment that it has told of itself: the order waits, and is free again once it has caught up, by
/// whichever door somebody comes or where nobody does.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_the_query_does_not_know_yet_frees_itself() {
    for (api, by) in [("v2", "nobody"), ("v3", "nobody"), ("v3", "ship"), ("v2", "table"), ("v3", "table")] {
        let case = format!("{api} {by}");
        let w = world(api).await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let placed = w.paid(&alice, sku, 2).await;
        let here = format!("/admin/orders/{}", placed.no);
        w.wechat.fault_always("orderquery", Fault::refused("ORDERNOTEXIST", "not exist"));
        owner.post(&format!("{here}/query"), &[]).await;
        assert!(owner.said(&here).await.contains("账上记着已付款"), "{case}");
        owner.ship(&here).await;
        let said = owner.said(&here).await;
        assert!(said.contains("微信说这一单没有收到过付款") && said.contains("系统会再向微信查"), "{case}: {said}");
        let (mut batch, mut number) = (String::new(), String::new());
        if by == "table" {
            let row = format!("{} SF1234567890123", placed.no);
            batch = super::shipping::bring(&w, &owner, super::shipping::pasted(&row)).await;
            assert!(owner.page(&batch).await.contains("系统在再向微信查"), "{case}");
        } else {
            number = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
            w.run_jobs().await;
            let page = owner.page(&format!("/admin/refunds/{number}")).await;
            // What only a notice of v2 has told is given up, and taken up again.
            let words = if api == "v2" { "所以没有退" } else { "微信自己说过这笔款已收到" };
            assert!(page.contains(words) && !page.contains("也许就是这一笔"), "{case}: {page}");
        }
        let inbox = owner.page("/admin/exceptions").await;
        assert!(inbox.contains("微信说付过了，这一条会自己结束") && !inbox.contains("账单都读全了"), "{case}: {inbox}");
        w.run_jobs().await;
        assert_eq!(w.wechat.all_refunds().len(), 0, "{case}");
        w.wechat.clear_faults();
        let open = "select count(*) from money_exceptions where state = 'open'";
        match by {
            "ship" => drop(owner.ship(&here).await),
            "table" => drop(owner.post(&format!("{batch}/allow"), &[]).await),
            _ => w.advance(2 * MINUTE),
        }
        w.wait("WeChat's yes", || async {
            w.run_jobs().await;
            w.count(open).await == 0
        })
        .await;
        if by == "table" {
            owner.post(&format!("{batch}/allow"), &[]).await;
            owner.post(&format!("{batch}/run"), &[]).await;
        } else {
            super::refunds::until(&w, &number, "succeeded").await;
            owner.ship(&here).await;
        }
        assert_eq!(alice.status(&placed.no).await, "shipped", "{case}: {}", owner.said(&here).await);
        w.must_hold().await;
    }
}

/// A refund that seemed to have failed does not go on by itself once somebody has done something in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_was_done_otherwise_does_not_wake() {
    for (by, ends) in [("another", "failed"), ("stopped", "succeeded"), ("goods", "failed")] {
        let w = world("v2").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let placed = w.paid(&alice, sku, 3).await;
        let here = format!("/admin/orders/{}", placed.no);
        w.wechat.fault_always("orderquery", Fault::refused("ORDERNOTEXIST", "not exist"));
        owner.post(&format!("{here}/query"), &[]).await;
        let first = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
        super::refunds::until(&w, &first, "failed").await;
        let page = owner.page(&format!("/admin/refunds/{first}")).await;
        assert!(page.contains("这一笔会自己接着退，不用再建一笔退款"), "{by}: {page}");
        if by == "goods" {
            let parcel = [("tracking_no", "SF1234567890123"), ("despite_refund", "true")];
            owner.post(&format!("{here}/ship"), &parcel).await;
            assert_eq!(alice.status(&placed.no).await, "shipped", "{}", owner.said(&here).await);
        } else {
            let second = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
            super::refunds::until(&w, &second, "failed").await;
            if by == "stopped" {
                owner.post(&format!("/admin/refunds/{second}/stop"), &[]).await;
            }
        }
        w.wechat.clear_faults();
        w.wait("WeChat's yes", || async {
            w.advance(MINUTE);
            w.run_jobs().await;
            w.count("select count(*) from money_exceptions where state = 'open'").await == 0
        })
        .await;
        for _ in 0..5 {
            w.advance(MINUTE);
            w.run_jobs().await;
        }
        let page = owner.page(&format!("/admin/refunds/{first}")).await;
        assert_eq!(super::refunds::state(&w, &first).await.0, ends, "{by}: {page}");
        assert_eq!(w.wechat.all_refunds().len(), usize::from(by != "goods"), "{by}");
        let words = match by {
            "another" => "这之后又建了退款",
            "goods" => "这之后货已经发出",
            _ => "退款成功",
        };
        assert!(by == "stopped" || page.contains(words) && page.contains("还要退的点重试"), "{by}: {page}");
        if by == "goods" {
            owner.post(&format!("/admin/refunds/{first}/retry"), &[]).await;
            super::refunds::until(&w, &first, "succeeded").await;
        }
        w.must_hold().await;
    }
}

/// Whoever has looked at what an order stands on has not seen WeChat's word that its buyer has paid by another payment.
#[tokio::test(flavor = "multi_thread")]
async fn a_true_payment_does_not_go_back_although_somebody_has_looked_at_the_false_one() {
    let w = world("v2").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    let theirs = w.wechat.sell_elsewhere(&sale(APP_ID, "JSAPI", "OTHERPROG20261130001", 8800)).unwrap();
    w.notify(told(&w, &placed, &placed.out_trade_no, &theirs, "8800")).await;
    owner.post(&format!("/admin/orders/{}/query", placed.no), &[]).await;
    let looked = format!("/admin/exceptions/{}/resolve", item(&w, &theirs).await);
    owner.post(&looked, &[("resolution", "商户平台有这一笔")]).await;
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    let truly = w.transaction(&placed);
    w.notify(told(&w, &placed, &placed.out_trade_no, &truly, "8800")).await;
    for _ in 0..5 {
        w.run_jobs().await;
        w.advance(MINUTE);
    }
    assert_eq!(w.wechat.all_refunds().len(), 0);
    let words = format!("微信说商户订单号 {} 的交易号是 {truly}", placed.out_trade_no);
    let inbox = owner.page("/admin/exceptions").await;
    assert!(inbox.contains(&words) && inbox.contains("这一笔先不要退"), "{inbox}");
    w.must_hold().await;
}

/// Money that fits no order and can be linked to one: the shop's own, of this attempt, or another program's under a number that nobody here
/// knows.
async fn stray(w: &World, alice: &Buyer<'_>, placed: &Placed, theirs: bool) -> i64 {
    if !theirs {
        return super::numbers::orphan(w, alice, placed).await;
    }
    let other = w.wechat.sell_elsewhere(&sale(APP_ID, "JSAPI", "OTHERPROG20261130001", 8800)).unwrap();
    w.notify(told(w, placed, "ZZ20261130001", &other, "8800")).await;
    item(w, &other).await
}

/// Money that was linked while WeChat was down, or that it does not know, waits until WeChat has said that it is what was told.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_linked_unheard_is_asked_about_by_its_own_number() {
    for (api, theirs, by) in [
        ("v2", false, "nobody"),
        ("v2", false, "ship"),
        ("v3", false, "nobody"),
        ("v2", true, "nobody"),
        ("v2", true, "ship"),
        ("v2", true, "heard"),
        ("v2", true, "absent"),
    ] {
        let case = format!("{api} {theirs} {by}");
        let w = world(api).await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, bob, owner) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("owner", Role::Owner).await);
        let (placed, waiting) = (Placed::of(alice.buy(sku, 1).await), Placed::of(bob.buy(sku, 1).await));
        let id = stray(&w, &alice, &placed, theirs).await;
        match by {
            "heard" => {}
            "absent" => w.wechat.fault_always("orderquery", Fault::refused("ORDERNOTEXIST", "not exist")),
            _ => w.wechat.fault_always("orderquery", Fault::Http500),
        }
        owner.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
        let here = format!("/admin/orders/{}", waiting.no);
        let ship = async || {
            owner.ship(&here).await;
            bob.status(&waiting.no).await
        };
        if by == "heard" {
            let said = owner.said("/admin/exceptions").await;
            assert!(said.contains("微信说这笔款的商户订单号是 OTHERPROG20261130001"), "{case}: {said}");
            assert_eq!(bob.status(&waiting.no).await, "pending_payment", "{case}");
            continue;
        }
        assert_eq!(ship().await, "to_ship", "{case}");
        let said = owner.said(&here).await;
        assert!(said.contains("没能向微信问清这笔款有没有退过"), "{case}: {said}");
        w.run_jobs().await;
        if by == "absent" {
            w.advance(20 * MINUTE);
            w.run_jobs().await;
            assert_eq!(ship().await, "to_ship", "{case}");
        }
        w.wechat.clear_faults();
        if by == "nobody" {
            let open = "select count(*) from money_exceptions where subject like '% gone back' and state = 'open'";
            w.wait("WeChat's word", || async {
                w.advance(MINUTE);
                w.run_jobs().await;
                w.count(open).await == 0
            })
            .await;
            w.wechat.fault_always("orderquery", Fault::Http500);
        }
        assert_eq!(ship().await, if theirs { "to_ship" } else { "shipped" }, "{case}: {}", owner.said(&here).await);
        if theirs {
            let said = owner.said(&here).await;
            assert!(said.contains("微信说这笔款是商户订单号 OTHERPROG20261130001 的 ¥88.00"), "{case}: {said}");
        }
        w.must_hold().await;
    }
}

/// Nor does a tick make it the order's own: what truly paid the order is not called its second payment before WeChat has said whose the
/// linked money is.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_linked_unheard_and_looked_at_sends_no_true_payment_back() {
    for (theirs, fault) in
        [(true, Fault::Http500), (true, Fault::refused("ORDERNOTEXIST", "not exist")), (false, Fault::Http500)]
    {
        let case = format!("{theirs} {fault:?}");
        let w = world("v2").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, bob, owner) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("owner", Role::Owner).await);
        let (placed, waiting) = (Placed::of(alice.buy(sku, 1).await), Placed::of(bob.buy(sku, 1).await));
        let id = stray(&w, &alice, &placed, theirs).await;
        w.wechat.fault_always("orderquery", fault);
        owner.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
        let unheard = w.count("select id from money_exceptions where subject like '% gone back'").await;
        owner.post(&format!("/admin/exceptions/{unheard}/resolve"), &[("resolution", "商户平台有这一笔")]).await;
        w.wechat.clear_faults();
        w.wechat.pay_unheard(&waiting.prepay_id, Paying::Well).unwrap();
        let truly = w.transaction(&waiting);
        w.notify(told(&w, &waiting, &waiting.out_trade_no, &truly, "8800")).await;
        for _ in 0..8 {
            w.run_jobs().await;
            w.advance(MINUTE);
        }
        let back = w.wechat.all_refunds().len();
        assert_eq!(back, usize::from(!theirs), "{case}");
        let first = "select count(*) from refunds where problem_code = 'FIRST_UNPROVEN'";
        assert_eq!(w.count(first).await, i64::from(theirs), "{case}");
        if theirs {
            let here = format!("/admin/orders/{}", waiting.no);
            owner.ship(&here).await;
            let said = owner.said(&here).await;
            assert!(said.contains("OTHERPROG20261130001"), "{case}: {said}");
            assert_eq!(bob.status(&waiting.no).await, "to_ship", "{case}");
        }
        w.must_hold().await;
    }
}

/// An order that was paid twice while the shop sold by v2, and sells by v3 since: its second payment.
async fn paid_twice_by_v2(w: &World) -> Placed {
    let sku = w.product("苹果", 9000, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
    let first = Placed::of(alice.buy(sku, 1).await);
    w.advance(6 * MINUTE);
    let price = [("total", "88"), ("freight", "0"), ("reason", "老客")];
    owner.post(&format!("/admin/orders/{}/price", first.no), &price).await;
    let anew = format!("/orders/{}/prepay", first.no);
    w.wait("the new attempt", || async { alice.post(&anew, None).await.status == 200 }).await;
    let package = alice.post(&anew, None).await.ok()["payment"]["package"].as_str().unwrap().to_owned();
    let second = Placed {
        out_trade_no: format!("{}02", first.no),
        no: first.no.clone(),
        prepay_id: package.trim_start_matches("prepay_id=").to_owned(),
        total: 8800,
    };
    w.wechat.pay_unheard(&first.prepay_id, Paying::Late).unwrap();
    w.notify(told(w, &first, &first.out_trade_no, &w.transaction(&first), "9000")).await;
    owner.post(&format!("/admin/orders/{}/query", first.no), &[]).await;
    w.wechat.pay_unheard(&second.prepay_id, Paying::Well).unwrap();
    w.notify(told(w, &second, &second.out_trade_no, &w.transaction(&second), "8800")).await;
    second
}

/// WeChat's query may be behind its notice when a second payment is to go back: it is asked again by itself, and by whoever likes.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_payment_that_the_query_did_not_know_goes_back_by_itself() {
    for by_hand in [false, true] {
        let w = world("").await;
        let second = paid_twice_by_v2(&w).await;
        let (transaction, owner) = (w.transaction(&second), w.staff("other", Role::Owner).await);
        w.wechat.fault_always("orderquery", Fault::refused("ORDER_NOT_EXIST", "not exist"));
        owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
        w.advance(3 * MINUTE);
        w.wait("the no", || async {
            w.run_jobs().await;
            w.count("select count(*) from refunds where state = 'failed' and problem_code = 'UNPROVEN'").await == 1
        })
        .await;
        let page = owner.get(&format!("/admin/orders/{}", second.no)).await.1;
        assert!(page.contains("这一笔会自己接着退"), "{page}");
        w.wechat.clear_faults();
        if by_hand {
            owner.post(&format!("/admin/exceptions/{}/ask", item(&w, &transaction).await), &[]).await;
        }
        for _ in 0..10 {
            w.advance(MINUTE);
            w.run_jobs().await;
        }
        assert_eq!(w.wechat.refunds(&transaction).len(), 1, "{by_hand}");
        w.must_hold().await;
    }
}

/// A lie is asked about less and less, and for no longer than a day.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_payment_that_wechat_goes_on_denying_is_not_asked_about_for_ever() {
    let w = world("").await;
    let second = paid_twice_by_v2(&w).await;
    let (transaction, owner) = (w.transaction(&second), w.staff("other", Role::Owner).await);
    w.wechat.fault_always("orderquery", Fault::refused("ORDER_NOT_EXIST", "not exist"));
    owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
    let asked = w.wechat.calls("orderquery");
    for _ in 0..30 {
        w.advance(HOUR);
        w.run_jobs().await;
    }
    let more = w.wechat.calls("orderquery") - asked;
    assert!((10..70).contains(&more), "{more}");
    let asked = w.wechat.calls("orderquery");
    for _ in 0..12 {
        w.advance(HOUR);
        w.run_jobs().await;
    }
    assert_eq!(w.wechat.calls("orderquery"), asked);
    assert!(w.wechat.refunds(&transaction).is_empty());
    w.must_hold().await;
}

/// What WeChat has said by v3, and by its own number of the money, is its word, however far the query of v2 is behind that.
#[tokio::test(flavor = "multi_thread")]
async fn what_v3_knows_is_not_asked_of_v2_again() {
    let w = world("").await;
    let second = paid_twice_by_v2(&w).await;
    // By v3 it is known …
    w.wechat.fault("orderquery", Fault::Slow(0));
    // … and by v2 not yet.
    for _ in 0..9 {
        w.wechat.fault("orderquery", Fault::refused("ORDERNOTEXIST", "not exist"));
    }
    w.advance(3 * MINUTE);
    w.run_jobs().await;
    w.advance(2 * MINUTE);
    w.run_jobs().await;
    assert_eq!(w.wechat.refunds(&w.transaction(&second)).len(), 1);
    w.must_hold().await;
}

/// What WeChat goes on denying is asked about less and less, and no longer than a day; somebody's word ends it.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_goes_on_denying_is_not_asked_about_for_ever() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let placed = w.paid(&alice, sku, 2).await;
    let here = format!("/admin/orders/{}", placed.no);
    w.wechat.fault_always("orderquery", Fault::refused("ORDERNOTEXIST", "not exist"));
    owner.post(&format!("{here}/query"), &[]).await;
    let number = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
    let asked = w.wechat.calls("orderquery");
    for _ in 0..30 {
        w.advance(HOUR);
        w.run_jobs().await;
    }
    let more = w.wechat.calls("orderquery") - asked;
    assert!((20..70).contains(&more), "{more}");
    let left = w.count("select count(*) from jobs where kind = 'poll' and state <> 'done'").await;
    assert_eq!((left, w.wechat.all_refunds().len()), (0, 0));
    let item = item(&w, &w.transaction(&placed)).await;
    owner.post(&format!("/admin/exceptions/{item}/resolve"), &[("resolution", "商户平台查到了")]).await;
    super::refunds::until(&w, &number, "succeeded").await;
    owner.ship(&here).await;
    assert_eq!(alice.status(&placed.no).await, "shipped", "{}", owner.said(&here).await);
    w.must_hold().await;
}

/// Nobody else waits for WeChat: what a shop sells by one version goes out by it, and what was paid under a number that was left.
#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_order_leaves_without_a_question() {
    for (paid_by, set_to, number) in
        [("v2", "v2", MCH_ID), ("v3", "v3", MCH_ID), ("v3", "v2", MCH_ID), ("v2", "v3", "1900000110")]
    {
        let case = format!("{paid_by} {set_to} {number}");
        let w = world_with(&[("wechat.api", ""), ("wechat.mch_id", "")]).await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        owner.post("/admin/settings", &[("wechat-api", paid_by), ("wechat-mch_id", MCH_ID)]).await;
        let (single, table) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await);
        owner.post("/admin/settings", &[("wechat-api", set_to), ("wechat-mch_id", number)]).await;
        assert_eq!(w.shop.settings().get("wechat.mch_id"), Some(number), "{case}");
        w.wechat.fault_always("orderquery", Fault::Http500);
        let asked = w.wechat.calls("orderquery");
        w.run_jobs().await;
        owner.ship(&format!("/admin/orders/{}", single.no)).await;
        let row = format!("{} SF1234567890124", table.no);
        let batch = super::shipping::bring(&w, &owner, super::shipping::pasted(&row)).await;
        let page = owner.page(&batch).await;
        owner.post(&format!("{batch}/run"), &[]).await;
        for no in [&single.no, &table.no] {
            assert_eq!(alice.status(no).await, "shipped", "{case}: {page} {}", owner.said(&batch).await);
        }
        assert_eq!(w.wechat.calls("orderquery"), asked, "{case}");
    }
}

/// What WeChat has denied stands with the money, whoever ticks its item and whatever version is set by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_no_stands_with_the_money_when_its_item_is_settled_and_v2_is_back() {
    for (beside, ticked_first) in [(false, false), (true, false), (true, true)] {
        let case = format!("{beside} {ticked_first}");
        let w = world("").await;
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
        let set = async |api: &str| owner.post("/admin/settings", &[("wechat-api", api)]).await;
        set("v2").await;
        let placed = Placed::of(alice.buy(sku, 1).await);
        let app = if beside { "wx00000000000other" } else { APP_ID };
        let theirs = sale(app, "JSAPI", "OTHERPROG20261130001", 8800);
        let transaction = w.wechat.sell_elsewhere(&theirs).unwrap();
        if beside {
            w.notify(told(&w, &placed, &theirs.out_trade_no, &transaction, "8800")).await;
            w.wechat.fault("refund", Fault::refused("NOTENOUGH", "余额不足"));
            owner.post(&format!("/admin/exceptions/{}/refund", item(&w, &transaction).await), &[]).await;
        } else {
            alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
            w.wait("the closing", || async {
                w.advance(MINUTE);
                w.run_jobs().await;
                w.count("select count(*) from attempts where state = 'closed'").await == 1
            })
            .await;
            w.advance(25 * HOUR);
            w.run_jobs().await;
            w.notify(told(&w, &placed, &placed.out_trade_no, &transaction, "8800")).await;
            set("v3").await;
        }
        w.advance(5 * MINUTE);
        let failed = "select count(*) from refunds where state = 'failed'";
        w.wait("the refusal", || async {
            w.run_jobs().await;
            w.count(failed).await == 1
        })
        .await;
        let no = "select out_refund_no from refunds";
        let no = w
            .shop
            .db
            .read(move |conn| Ok::<_, xiaopu::error::Error>(conn.query_row(no, [], |row| row.get::<_, String>(0))?));
        let retry = format!("/admin/refunds/{}/retry", no.await.unwrap());
        let tick = async || {
            let all = w.shop.write(|tx| {
                Ok(tx.execute_batch(
                    "update money_exceptions set state = 'resolved', resolution = '看过', resolved_at = 1",
                )?)
            });
            all.await.unwrap();
        };
        let unproven = "select count(*) from refunds where state = 'failed' and problem_code = 'UNPROVEN'";
        if ticked_first {
            tick().await;
        }
        if beside {
            set("v3").await;
            owner.post(&retry, &[]).await;
            w.advance(5 * MINUTE);
            w.wait("the no", || async {
                w.run_jobs().await;
                w.count(unproven).await == 1
            })
            .await;
        }
        tick().await;
        set("v2").await;
        for _ in 0..2 {
            owner.post(&retry, &[]).await;
            w.advance(5 * MINUTE);
            w.wait("the no again", || async {
                w.run_jobs().await;
                w.count(unproven).await == 1
            })
            .await;
        }
        assert_eq!(w.wechat.refunds(&transaction).len(), 0, "{case}");
        w.must_hold().await;
    }
}

/// However many lies are told under a number, WeChat's no to them is one item; what is true among them is entered.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_denies_under_one_number_is_one_item() {
    let w = world("").await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let placed = unpaid_by_v2(&w, "苹果", &alice, &owner).await;
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    w.shop.write(|tx| Ok(tx.execute_batch("update attempts set state = 'closed'")?)).await.unwrap();
    let tell = async |from: usize| {
        for lie in from..from + 10 {
            w.notify(told(&w, &placed, &placed.out_trade_no, &format!("42000090{lie:02}"), "8800")).await;
        }
    };
    let open = "select count(*) from money_exceptions where state = 'open'";
    for (from, more) in [(10, 9), (20, 19)] {
        tell(from).await;
        w.run_jobs().await;
        assert_eq!(w.count(open).await, if from == 10 { 10 } else { 11 }, "its query may be behind its notice");
        w.advance(2 * MINUTE);
        w.run_jobs().await;
        assert_eq!(w.count(open).await, 1);
        let page = owner.page("/admin/exceptions").await;
        assert!(page.contains(&format!("微信也说没有的还有 {more} 笔")), "{page}");
    }
    // The same is told again: nothing more, and nothing comes back.
    tell(20).await;
    w.run_jobs().await;
    assert_eq!(w.count(open).await, 1);
    assert!(owner.page("/admin/exceptions").await.contains("还有 19 笔"));
    w.notify(told(&w, &placed, &placed.out_trade_no, &w.transaction(&placed), "8800")).await;
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert_eq!((w.count(open).await, w.count("select count(*) from ledger").await), (1, 1));
    // Another number is another item.
    w.notify(told(&w, &placed, "ERP2026113000001", "4200009099", "8800")).await;
    w.run_jobs().await;
    assert_eq!(w.count(open).await, 2);
    w.must_hold().await;
}
