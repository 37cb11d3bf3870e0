//! WeChat's rules that no refusal of the simulator showed before: how long a payment must be open, whose an openid is,
//! and what a push may be taken for.

use serde_json::json;
use xiaopu::simulator::{Fault, Paying, RefundEnd};
use xiaopu::staff::Role;
use xiaopu::wechat::push;

use crate::support::*;

const OTHER_APP: &str = "wx00000000000other";
const PUSH_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const TOKEN: &str = "AAAAA";
const HOUR: i64 = 60 * MINUTE;

/// In milliseconds, how long an attempt can still be paid.
fn open_for(w: &World, number: &str) -> i64 {
    let expires = w.wechat.trade(number).unwrap().field("time_expire").to_owned();
    xiaopu::clock::from_compact(&expires).unwrap() - w.shop.now()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_payment_is_asked_for_that_ends_within_six_minutes() {
    // As short as the settings allow.
    let w = World::with(Default::default(), &[("shop.pay_minutes", "5")]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    assert!(open_for(&w, &placed.out_trade_no) >= 6 * MINUTE);
    // Not paid: it is closed as soon as WeChat allows, and nothing stays held.
    w.advance(6 * MINUTE);
    w.wait("the sweep", || async { alice.status(&placed.no).await == "closed" }).await;
    assert_eq!(w.stock(sku).await, (9, 0));

    // The first question got lost; the buyer comes back shortly before the end of his time.
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    for (fault, numbers) in [(Fault::Http500, "never arrived"), (Fault::LoseAnswer, "arrived")] {
        w.wechat.fault("unifiedorder", fault);
        let refused = alice.buy(sku, 1).await;
        let no = refused.body["error"]["details"]["orderNo"].as_str().unwrap().to_owned();
        assert_eq!(refused.status, 503, "{numbers}");
        w.advance(25 * MINUTE);
        let again = alice.post(&format!("/orders/{no}/prepay"), None).await.ok();
        assert!(open_for(&w, &format!("{no}02")) >= 6 * MINUTE, "{numbers}");
        let prepay_id = again["payment"]["package"].as_str().unwrap().strip_prefix("prepay_id=").unwrap().to_owned();
        if let Some(first) = w.wechat.trade(&format!("{no}01")) {
            assert_eq!(first.state, xiaopu::simulator::TradeState::Closed, "never two open side by side");
        }
        w.wechat.pay(&prepay_id, Paying::Well).unwrap();
        w.wait("the payment", || async { alice.status(&no).await == "to_ship" }).await;
    }
    w.must_hold().await;
}

/// A notice of API v3 in the name of the app of before is right for the attempts that were made under it, and for no other.
#[tokio::test(flavor = "multi_thread")]
async fn notices_of_api_v3_about_the_app_of_before_are_right_for_its_own_attempts_alone() {
    let app = [("wechat.api", "v3"), ("wechat.app_id", ""), ("wechat.app_secret", "")];
    let w = super::v3::world_with(&app).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("wechat-app_id", APP_ID), ("wechat-app_secret", SECRET)]).await;
    w.wechat.bind_app(OTHER_APP, SECRET);
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let before = Placed::of(alice.buy(sku, 1).await);
    owner.post("/admin/settings", &[("wechat-app_id", OTHER_APP)]).await;
    w.wechat.pay_unheard(&before.prepay_id, Paying::Well).unwrap();
    let notice = w.wechat.notice_v3(&before.out_trade_no, None).unwrap();
    assert_eq!(super::v3::knock(&w, &notice.headers, &notice.body).await.0, 204);
    assert_eq!(w.count("select count(*) from orders where status = 'to_ship'").await, 1);
    // What was sold elsewhere under that app, or under one that never was ours, is not believed here.
    let code = w.wechat.login_code_at(OTHER_APP, "alice");
    let answer = w.call(reqwest::Method::POST, "/login", None, None, Some(json!({ "code": code }))).await.ok();
    let moved = Buyer { world: &w, token: answer["token"].as_str().unwrap().to_owned() };
    let now = Placed::of(moved.buy(sku, 1).await);
    owner.post("/admin/settings", &[("wechat-app_id", "wx00000000000third")]).await;
    w.wechat.pay_unheard(&now.prepay_id, Paying::Well).unwrap();
    let notice = w.wechat.notice_v3(&now.out_trade_no, None).unwrap();
    assert_eq!(super::v3::knock(&w, &notice.headers, &notice.body).await.0, 204, "its own attempt, made under it");
    assert_eq!(w.count("select count(*) from orders where status = 'to_ship'").await, 2);
    w.must_hold().await;
}

/// A payment that only the bill knows is asked about under the app that it was made in.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_the_app_of_before_that_only_the_bill_has_is_entered() {
    for api in ["v2", "v3"] {
        let app = [("wechat.api", api), ("wechat.app_id", ""), ("wechat.app_secret", "")];
        let w = super::v3::world_with(&app).await;
        let owner = w.staff("owner", Role::Owner).await;
        owner.post("/admin/settings", &[("wechat-app_id", APP_ID), ("wechat-app_secret", SECRET)]).await;
        w.wechat.bind_app(OTHER_APP, SECRET);
        let sku = w.product("苹果", 1000, 99).await;
        let alice = w.buyer("alice").await;
        w.paid(&alice, sku, 1).await;
        let missed = Placed::of(alice.buy(sku, 1).await);
        w.pay(&missed, Paying::NoNotice);
        w.wechat.fault_always("orderquery", Fault::Http500);
        owner.post("/admin/settings", &[("wechat-app_id", OTHER_APP)]).await;
        super::v3::next_morning(&w).await;
        let settled = || w.count("select count(*) from ledger where kind = 'payment'");
        assert_eq!(settled().await, 1, "{api}: nobody could be asked");
        // Nobody asks on the attempt's own behalf any more.
        let forget = |tx: &xiaopu::db::Tx| Ok(tx.execute_batch("delete from jobs where kind <> 'bill'")?);
        w.shop.write(forget).await.unwrap();
        w.wechat.clear_faults();
        for _ in 0..3 {
            w.advance(HOUR);
            w.run_jobs().await;
        }
        assert_eq!(settled().await, 2, "{api}");
        w.must_hold().await;
    }
}

/// WeChat's reminder stands on the first page while something waits, for two days.
#[tokio::test(flavor = "multi_thread")]
async fn the_reminder_of_forty_eight_hours_is_shown_while_something_waits() {
    let w = World::with(Default::default(), &[("wechat.message_token", TOKEN)]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let words = "有订单付款超过 48 小时还没有发货";
    let remind = json!({ "Event": "trade_manage_remind_shipping" }).to_string();
    // Nothing waits: nothing to be reminded of.
    assert_eq!(push_to(&w, &remind, "").await, (200, "success".into()));
    assert!(!owner.page("/admin").await.contains(words));
    let placed = w.paid(&alice, sku, 1).await;
    assert!(owner.page("/admin").await.contains(words));
    w.advance(2 * DAY + MINUTE);
    assert!(!owner.page("/admin").await.contains(words), "WeChat reminds every day until it is heeded");
    push_to(&w, &remind, "").await;
    assert!(owner.page("/admin").await.contains(words));
    owner.ship(&format!("/admin/orders/{}", placed.no)).await;
    assert!(!owner.page("/admin").await.contains(words));
}

/// A token and an openid are one app's. What was begun under the app of before is followed to its end under it.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_moved_to_another_app_lets_everybody_log_in_anew_and_loses_no_money() {
    let w = World::with(Default::default(), &[("wechat.app_id", ""), ("wechat.app_secret", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("wechat-app_id", APP_ID), ("wechat-app_secret", SECRET)]).await;
    w.wechat.bind_app(OTHER_APP, SECRET);
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let paid = w.paid(&alice, sku, 1).await;
    let (noticed, silent) = (Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await));
    let dropped = Placed::of(alice.buy(sku, 1).await);
    owner.post("/admin/settings", &[("wechat-app_id", OTHER_APP)]).await;
    // The token of before opens nothing any more, whatever is asked.
    assert_eq!(alice.get("/orders").await.error(), (401, "unauthenticated"));
    assert_eq!(alice.buy(sku, 1).await.error(), (401, "unauthenticated"));
    // Attempts of before are settled and closed under their own app.
    w.pay(&noticed, Paying::Well);
    w.pay(&silent, Paying::NoNotice);
    let to_ship = "select count(*) from orders where status = 'to_ship'";
    w.wait("the notice", || async { w.count(to_ship).await >= 2 }).await;
    w.advance(MINUTE);
    w.run_jobs().await;
    w.wait("the query", || async { w.count(to_ship).await == 3 }).await;
    for _ in 0..3 {
        w.advance(12 * MINUTE);
        w.run_jobs().await;
    }
    let closed = w.wechat.trade(&dropped.out_trade_no).unwrap();
    assert_eq!(closed.state, xiaopu::simulator::TradeState::Closed);
    assert_eq!(w.stock(sku).await, (99, 3));
    // And refunded.
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    owner.post(&format!("/admin/orders/{}/refund", paid.no), &form).await;
    w.advance(MINUTE);
    w.run_jobs().await;
    w.advance(MINUTE);
    w.run_jobs().await;
    w.wait("the refund", || async { w.count("select count(*) from refunds where state = 'succeeded'").await == 1 })
        .await;
    // Whoever logs in under the new app is somebody new, and pays under it.
    let code = w.wechat.login_code_at(OTHER_APP, "alice");
    let answer = w.call(reqwest::Method::POST, "/login", None, None, Some(json!({ "code": code }))).await.ok();
    let moved = Buyer { world: &w, token: answer["token"].as_str().unwrap().to_owned() };
    let body = moved.buy(sku, 1).await.ok();
    assert_eq!(body["payment"]["appId"], OTHER_APP);
    let number = format!("{}01", body["order"]["orderNo"].as_str().unwrap());
    assert_eq!(w.wechat.trade(&number).unwrap().field("openid"), w.wechat.openid_at(OTHER_APP, "alice"));
    w.must_hold().await;
}

/// Money that comes by an attempt of the number before is not lost with it; what cannot be asked about any more is not
/// taken for unpaid.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_changed_its_merchant_number_keeps_what_is_paid_to_the_old_one() {
    let w = World::with(Default::default(), &[("wechat.mch_id", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID)]).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let (paid, dropped) = (Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await));
    owner.post("/admin/settings", &[("wechat-mch_id", "1900000110")]).await;
    let said = owner.said("/admin/settings").await;
    assert!(said.contains(&format!("还有 2 笔没付完的支付单是用商户号 {MCH_ID} 发起的")), "{said}");
    // Asked under today's number, WeChat would say that there is no such order.
    for no in [&paid.no, &dropped.no] {
        let answer = alice.post(&format!("/orders/{no}/check"), None).await;
        assert_eq!(answer.error(), (503, "payment_not_configured"));
        // He can do nothing about it, and is told what he wants to know.
        assert!(answer.body.to_string().contains("付了的会自动更新，请不要重复付款"), "{}", answer.body);
        assert_eq!(alice.status(no).await, "pending_payment");
    }
    // Paying again is an attempt of today's, whose number this WeChat does not know; the one before is followed all the same.
    assert_eq!(alice.post(&format!("/orders/{}/prepay", paid.no), None).await.status, 502);
    let followed = "select count(*) from jobs where kind = 'close' and state = 'waiting'";
    assert_eq!(w.count(followed).await, 1);
    w.pay(&paid, Paying::Well);
    w.wait("the notice", || async { w.count("select count(*) from orders where status = 'to_ship'").await == 1 }).await;
    assert_eq!(alice.status(&paid.no).await, "to_ship");
    for _ in 0..6 {
        w.advance(12 * MINUTE);
        w.run_jobs().await;
    }
    assert_eq!(alice.status(&dropped.no).await, "closed");
    let page = owner.page(&format!("/admin/orders/{}", dropped.no)).await;
    assert!(page.contains(&format!("它是用商户号 {MCH_ID} 发起的")), "{page}");
    assert_eq!(w.stock(sku).await, (99, 1));
    w.must_hold().await;
}

async fn push_to(w: &World, body: &str, msg_signature: &str) -> (u16, String) {
    let signature = push::sign(&mut [TOKEN, "1714036504", "1514711492"]);
    let path = format!(
        "/wechat/message?signature={signature}&timestamp=1714036504&nonce=1514711492&encrypt_type=aes&msg_signature={msg_signature}"
    );
    let answer = w.http().post(w.at(&path)).body(body.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_taken_for_what_it_says_and_a_sealed_one_is_never_lost() {
    let w = World::with(Default::default(), &[("wechat.message_token", TOKEN)]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    owner.ship(&format!("/admin/orders/{}", placed.no)).await;
    let settlement = |more: serde_json::Value| {
        let mut event = json!({ "Event": "trade_manage_order_settlement", "transaction_id": w.transaction(&placed) });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event.to_string()
    };
    // 2026-11-30 in Shanghai. Sent when the goods left: no receipt, and money that waits.
    let shipped = settlement(json!({ "estimated_settlement_time": 1_796_000_000, "confirm_receive_method": 0 }));
    assert_eq!(push_to(&w, &shipped, "").await, (200, "success".into()));
    assert_eq!(alice.status(&placed.no).await, "shipped");
    let home = owner.page("/admin").await;
    assert!(home.contains("冻结 ¥10.00，预计 11-30 到账"), "{home}");
    for (event, words) in
        [("trade_manage_remind_access_api", "还没有接入发货信息管理"), ("wxa_trade_controlled", "小程序的支付被管控")]
    {
        push_to(&w, &json!({ "Event": event }).to_string(), "").await;
        assert!(owner.page("/admin").await.contains(words), "{event}");
    }
    // The receipt comes sealed, and there is no key yet: refused, with something to do, so that WeChat sends it again.
    let received = settlement(json!({ "confirm_receive_method": 2, "settlement_time": 1_796_000_000 }));
    let content = push::seal(received.as_bytes(), [7; 16], PUSH_KEY, APP_ID).unwrap();
    let signature = push::sign(&mut [TOKEN, "1714036504", "1514711492", &content]);
    for sealed in [
        json!({ "ToUserName": "gh_1", "Encrypt": content }).to_string(),
        format!("<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{content}]]></Encrypt></xml>"),
    ] {
        assert_eq!(push_to(&w, &sealed, &signature).await.0, 503);
    }
    assert_eq!(alice.status(&placed.no).await, "shipped");
    assert!(owner.page("/admin").await.contains("EncodingAESKey"));
    owner.post("/admin/settings", &[("wechat-message_key", PUSH_KEY)]).await;
    // With one thing wrong it is not believed.
    let sealed = json!({ "ToUserName": "gh_1", "Encrypt": content }).to_string();
    let elsewhere = push::seal(received.as_bytes(), [7; 16], PUSH_KEY, OTHER_APP).unwrap();
    let theirs = push::sign(&mut [TOKEN, "1714036504", "1514711492", &elsewhere]);
    for (body, signature) in [
        (sealed.clone(), ""),
        (sealed.clone(), theirs.as_str()),
        (json!({ "Encrypt": elsewhere }).to_string(), theirs.as_str()),
        (json!({ "Encrypt": "" }).to_string(), signature.as_str()),
    ] {
        assert_eq!(push_to(&w, &body, signature).await.0, 503, "{body}");
    }
    assert_eq!(alice.status(&placed.no).await, "shipped");
    for _ in 0..3 {
        assert_eq!(push_to(&w, &sealed, &signature).await, (200, "success".into()));
    }
    assert_eq!(alice.status(&placed.no).await, "completed");
    assert_eq!(w.count("select count(*) from order_events where to_status = 'completed'").await, 1);
    let home = owner.page("/admin").await;
    assert!(!home.contains("冻结 ¥") && !home.contains("打不开"), "{home}");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_be_settled_is_what_the_orders_keep_of_it() {
    let w = World::with(Default::default(), &[("wechat.message_token", TOKEN)]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (first, second) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 3).await);
    let told = async |placed: &Placed, field: &str, at: i64| {
        let event = json!({
            "Event": "trade_manage_order_settlement", "transaction_id": w.transaction(placed), field: at, "confirm_receive_method": 0,
        });
        assert_eq!(push_to(&w, &event.to_string(), "").await.0, 200);
    };
    let frozen = async || {
        w.must_hold().await;
        let home = owner.page("/admin").await;
        home.split("冻结 ").nth(1).map(|rest| rest.split('<').next().unwrap().trim().to_owned())
    };
    assert_eq!(frozen().await, None);
    told(&first, "estimated_settlement_time", 1_796_000_000).await;
    told(&second, "estimated_settlement_time", 1_796_172_800).await;
    assert_eq!(frozen().await.as_deref(), Some("¥40.00，预计 11-30 至 12-02 到账"));
    // Told again, another day: no more money than before.
    told(&second, "estimated_settlement_time", 1_796_086_400).await;
    assert_eq!(frozen().await.as_deref(), Some("¥40.00，预计 11-30 至 12-01 到账"));
    owner.give_back(&alice, &second, ("1", "10.00", false)).await;
    w.advance(10 * MINUTE);
    w.run_jobs().await;
    assert_eq!(frozen().await.as_deref(), Some("¥30.00，预计 11-30 至 12-01 到账"));
    told(&first, "settlement_time", 1_796_000_000).await;
    assert_eq!(frozen().await.as_deref(), Some("¥20.00，预计 12-01 到账"));
    told(&second, "settlement_time", 1_796_086_400).await;
    assert_eq!(frozen().await, None);
}

/// WeChat knows nothing under today's number of a refund that was made under another one, and that proves nothing: it is
/// neither given up nor paid in another way, and what WeChat says of it by itself is believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_under_way_outlives_a_change_of_the_merchant_number() {
    for api in ["v2", "v3"] {
        let w = super::v3::world_with(&[("wechat.api", api), ("wechat.mch_id", "")]).await;
        let owner = w.staff("owner", Role::Owner).await;
        owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID)]).await;
        let sku = w.product("苹果", 1000, 99).await;
        let alice = w.buyer("alice").await;
        let (lost, bounced) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await);
        w.wechat.ways(|ways| ways.refund_notices = false);
        let bounced = super::refunds::refund_pieces(&w, &owner, &bounced, 1).await;
        w.run_jobs().await;
        w.wechat.end_refund(&bounced, RefundEnd::Change).unwrap();
        super::refunds::until(&w, &bounced, "abnormal").await;
        w.wechat.fault("refund", Fault::LoseAnswer);
        let lost = super::refunds::refund_pieces(&w, &owner, &lost, 1).await;
        w.run_jobs().await;
        owner.post("/admin/settings", &[("wechat-mch_id", "1900000110")]).await;
        let said = owner.said("/admin/settings").await;
        assert!(said.contains("还有 2 笔退款没有办完"), "{api}: {said}");
        let asked = || w.wechat.calls("refundquery") + w.wechat.calls("refund");
        let before = asked();
        for _ in 0..6 {
            w.advance(MINUTE);
            w.run_jobs().await;
        }
        owner.post(&format!("/admin/refunds/{bounced}/other-means"), &[("words", "银行转账")]).await;
        assert!(owner.said(&format!("/admin/refunds/{bounced}")).await.contains("换回原商户号"), "{api}");
        assert_eq!(asked(), before, "{api}: nobody is asked in another name");
        assert_eq!(w.count("select count(*) from refunds where state in ('processing', 'abnormal')").await, 2, "{api}");
        w.wechat.ways(|ways| ways.refund_notices = true);
        w.wechat.end_refund(&lost, RefundEnd::Success).unwrap();
        let succeeded = "select count(*) from refunds where state = 'succeeded'";
        if api == "v3" {
            w.wait("the notice", || async { w.count(succeeded).await == 1 }).await;
        }
        owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID)]).await;
        super::refunds::until(&w, &lost, "succeeded").await;
        assert_eq!(w.count("select count(*) from money_exceptions").await, 0, "{api}");
        w.must_hold().await;
    }
}

/// The bill of today's number says nothing about a day on which money came in under another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_was_matched_under_the_number_before_stays_matched() {
    let w = World::with(Default::default(), &[("wechat.mch_id", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID)]).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 1).await;
    let day = xiaopu::clock::Day::of(w.shop.now());
    super::v3::next_morning(&w).await;
    let equal = "select count(*) from bills where state = 'equal'";
    assert_eq!(w.count(equal).await, 1);
    owner.post("/admin/settings", &[("wechat-mch_id", "1900000110")]).await;
    let calls = w.wechat.calls("downloadbill");
    owner.post(&format!("/admin/money/{}/match", day.shown()), &[]).await;
    w.run_jobs().await;
    assert_eq!((w.wechat.calls("downloadbill"), w.count(equal).await), (calls, 1));
    // Said when it is asked for, and not kept with a day that is matched.
    owner.post(&format!("/admin/money/{}/match", day.shown()), &[]).await;
    let page = owner.said(&format!("/admin/money/{}", day.shown())).await;
    assert!(page.contains(&format!("这一天的款是用商户号 {MCH_ID} 收的")), "{page}");
    w.must_hold().await;
}
