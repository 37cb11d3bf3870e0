//! Closing: cancelling, expiring, and what happens when WeChat cannot be asked.

use xiaopu::simulator::{Fault, Paying, TradeState};
use xiaopu::staff::Role;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_gives_its_stock_back_once_wechat_agrees() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 3).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 2).await);
    let cancelled = alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
    assert_eq!((&cancelled["status"], &cancelled["closedReason"]), (&"closed".into(), &"buyer_cancelled".into()));
    // WeChat closes nothing younger than five minutes; until then it may be paid, so the stock stays held.
    assert_eq!(w.stock(sku).await, (3, 2));
    w.advance(4 * MINUTE);
    w.run_jobs().await;
    assert_eq!((w.stock(sku).await, w.wechat.calls("closeorder")), ((3, 2), 0));
    w.advance(MINUTE);
    w.wait("the closing", || async { w.stock(sku).await == (3, 0) }).await;
    assert_eq!(w.wechat.trade(&placed.out_trade_no).unwrap().state, TradeState::Closed);
    assert_eq!(alice.post(&format!("/orders/{}/cancel", placed.no), None).await.error(), (409, "order_state"));
    assert_eq!(alice.post(&format!("/orders/{}/prepay", placed.no), None).await.error(), (409, "order_state"));
    // An order that never reached WeChat closes too.
    w.wechat.fault("unifiedorder", Fault::Http500);
    let no = alice.buy(sku, 1).await.body["error"]["details"]["orderNo"].as_str().unwrap().to_owned();
    alice.post(&format!("/orders/{no}/cancel"), None).await.ok();
    assert_eq!(w.stock(sku).await, (3, 0));
    w.must_hold().await;
}

/// Five minutes are a rule of v2 alone; and what is in the way is said where somebody looks for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_says_why_its_payment_is_not_closed_yet() {
    for (api, first) in [("v2", "5 分钟后才能关闭"), ("v3", "正在微信关闭之前的支付单")] {
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1000, 3).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let placed = Placed::of(alice.buy(sku, 2).await);
        w.wechat.fault_always("orderquery", Fault::Unsigned);
        alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
        let page = manager.page(&format!("/admin/orders/{}", placed.no)).await;
        assert!(page.contains(first) && page.contains("库存暂时保留"), "{api}: {page}");
        assert_eq!(page.contains("5 分钟"), api == "v2", "{api}: {page}");
        if api == "v3" {
            w.advance(6 * MINUTE);
            w.run_jobs().await;
            let failed = "select count(*) from jobs where kind = 'close' and last_error <> ''";
            w.wait("the follow-up", || async { w.count(failed).await == 1 }).await;
            let page = manager.page(&format!("/admin/orders/{}", placed.no)).await;
            assert!(page.contains("还没能在微信关闭") && page.contains("没有签名"), "{page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_stays_held_while_wechat_cannot_be_asked() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 3).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 2).await);
    w.wechat.fault("orderquery", Fault::Http500);
    let cancelled = alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
    assert_eq!(cancelled["status"], "closed", "the buyer need not wait");
    assert_eq!(w.stock(sku).await, (3, 2), "it may still be paid");
    w.must_hold().await;
    w.advance(5 * MINUTE);
    w.wait("the follow-up", || async { w.stock(sku).await == (3, 0) }).await;
    assert_eq!(w.wechat.trade(&placed.out_trade_no).unwrap().state, TradeState::Closed);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_finds_money_that_has_come() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 3).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::NoNotice);
    let cancel = alice.post(&format!("/orders/{}/cancel", placed.no), None).await;
    assert_eq!(cancel.error(), (409, "already_paid"));
    assert_eq!(cancel.body["error"]["details"]["order"]["status"], "to_ship");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_expires_ten_seconds_after_its_time() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 3).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let paid = Placed::of(alice.buy(sku, 1).await);
    w.pay(&paid, Paying::NoNotice);
    w.advance(30 * MINUTE + 9 * SECOND);
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "pending_payment");
    w.advance(SECOND);
    w.wait("the sweep", || async { alice.status(&placed.no).await == "closed" }).await;
    assert_eq!(alice.order(&placed.no).await["closedReason"], "timeout");
    w.wait("the other sweep", || async { alice.status(&paid.no).await == "to_ship" }).await;
    assert_eq!(w.stock(sku).await, (3, 1));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_held_half_an_hour_for_a_lost_line_and_followed_for_a_day() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 3).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    for _ in 0..400 {
        w.wechat.fault("orderquery", Fault::Http500);
    }
    w.advance(30 * MINUTE + 10 * SECOND);
    w.run_jobs().await;
    for _ in 0..50 {
        w.advance(30 * SECOND);
        w.run_jobs().await;
    }
    assert_eq!(alice.status(&placed.no).await, "pending_payment", "held while WeChat is away");
    assert_eq!(alice.post(&format!("/orders/{}/prepay", placed.no), None).await.error(), (409, "order_expired"));
    w.advance(10 * MINUTE);
    w.wait("the local close", || async {
        w.advance(SECOND);
        alice.status(&placed.no).await == "closed"
    })
    .await;
    assert_eq!(w.stock(sku).await, (3, 0));
    assert_eq!(w.count("select count(*) from attempts where state = 'closing'").await, 1);
    w.must_hold().await;
    // WeChat has been away all along; after a day nobody waits any more.
    for _ in 0..30 {
        w.advance(60 * MINUTE);
        w.run_jobs().await;
    }
    assert_eq!(w.count("select count(*) from attempts where state = 'closing'").await, 0);
    assert_eq!(w.count("select count(*) from jobs where state = 'waiting' and subject <> 0").await, 0);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_when_wechat_is_away() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 3).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.wechat.fault("orderquery", Fault::Http500);
    let answer = alice.post(&format!("/orders/{}/check", placed.no), None).await;
    assert_eq!(answer.error(), (503, "wechat_unavailable"));
    assert_eq!(answer.body["error"]["details"]["orderNo"], placed.no.as_str());
}

/// A shop that was away, or that goes on from a copy of itself, has missed notices: it asks as soon as it opens.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_opens_asks_about_everything_that_can_be_paid() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (paid, waiting) = (Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await));
    w.advance(16 * 1000);
    w.run_jobs().await;
    let asked = w.wechat.calls("orderquery");
    w.pay(&paid, Paying::NoNotice);
    w.advance(1000);
    w.run_jobs().await;
    assert_eq!(w.wechat.calls("orderquery"), asked, "the next turn of the polling is not yet due");
    xiaopu::worker::seed(&w.shop).await.unwrap();
    w.advance(1000);
    w.run_jobs().await;
    assert_eq!(alice.status(&paid.no).await, "to_ship");
    assert_eq!(alice.status(&waiting.no).await, "pending_payment");
    assert_eq!(w.wechat.calls("orderquery"), asked + 2, "each once");
    w.must_hold().await;
}
