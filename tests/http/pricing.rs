//! 改价 and 线下收款: the order number stays, and what could be paid before is closed before anything new is.

use serde_json::json;
use xiaopu::simulator::{Fault, Paying, TradeState};
use xiaopu::staff::Role;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_changed_under_the_same_number() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let sku = w.product("苹果", 9000, 9).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.advance(20 * MINUTE);
    let price = format!("/admin/orders/{}/price", placed.no);
    assert!(clerk.page(&price).await.contains("98.00"));
    for (total, freight, reason, words) in [
        ("", "0", "老客", "请填金额"),
        ("98.01", "8", "老客", "不能高于商品"),
        ("0", "0", "老客", "至少 0.01"),
        ("5", "8", "老客", "不能低于其中的运费"),
        ("98", "8", "老客", "价格没有变化"),
        ("88", "8", "x", "请写明原因"),
    ] {
        clerk.post(&price, &[("total", total), ("freight", freight), ("reason", reason)]).await;
        let said = clerk.said(&price).await;
        assert!(said.contains(words), "{words}: {said}");
    }
    clerk.post(&price, &[("total", "88"), ("freight", "8"), ("reason", "老客"), ("was", "98.00")]).await;
    // A colleague's page of before takes nothing back.
    clerk.post(&price, &[("total", "90"), ("freight", "8"), ("reason", "老客"), ("was", "98.00")]).await;
    assert!(clerk.said(&price).await.contains("应付已经改成 ¥88.00"));
    let before = [("was", "88.00"), ("was_freight", "0.00")];
    clerk.post(&price, &[&[("total", "90"), ("freight", "0"), ("reason", "老客")], &before[..]].concat()).await;
    assert!(clerk.said(&price).await.contains("运费已经改成 ¥8.00"));
    let order = alice.order(&placed.no).await;
    assert_eq!(
        (&order["totalFen"], &order["discountFen"], &order["freightFen"]),
        (&json!(8800), &json!(1000), &json!(800))
    );
    assert_eq!(order["actions"]["pay"], true, "the time to pay starts anew");
    w.wait("the old attempt's end", || async {
        w.wechat.trade(&placed.out_trade_no).unwrap().state == TradeState::Closed
    })
    .await;
    let pay = format!("/orders/{}/prepay", placed.no);
    w.wait("the new attempt", || async { alice.post(&pay, None).await.status == 200 }).await;
    let again = alice.post(&pay, None).await.ok();
    assert_eq!(again["order"]["orderNo"], placed.no.as_str());
    let trade = w.wechat.trade(&format!("{}02", placed.no)).unwrap();
    assert_eq!(trade.field("total_fee"), "8800");
    // What was handed out before can no longer be paid; what is handed out now can.
    assert!(w.wechat.pay(&placed.prepay_id, Paying::Well).is_err());
    w.wechat.pay(&trade.prepay_ids[0].0, Paying::Well).unwrap();
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    clerk.post(&price, &[("total", "80"), ("freight", "8"), ("reason", "老客")]).await;
    assert!(clerk.said(&price).await.contains("只有待付款的订单可以改价"));
    let page = clerk.page(&format!("/admin/orders/{}", placed.no)).await;
    assert!(page.contains("改价 ¥98.00 → ¥88.00") && page.contains("老客"), "{page}");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_attempt_is_closed_after_five_minutes_and_the_buyer_is_told() {
    let w = World::new().await;
    let sku = w.product("苹果", 9000, 9).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.advance(MINUTE);
    let price = format!("/admin/orders/{}/price", placed.no);
    // What can still be paid is what the open cash desk was made for, however often the price was changed since.
    for total in ["85", "80"] {
        clerk.post(&price, &[("total", total), ("freight", "0"), ("reason", "老客")]).await;
        let said = clerk.said(&format!("/admin/orders/{}", placed.no)).await;
        assert!(said.contains("他打开过的收银台还能付 ¥90.00"), "{said}");
    }
    let pay = format!("/orders/{}/prepay", placed.no);
    let wait = alice.post(&pay, None).await;
    assert_eq!(wait.error(), (409, "payment_in_progress"));
    assert!(wait.body["error"]["message"].as_str().unwrap().contains("4 分钟"), "{}", wait.body);
    assert_eq!(wait.headers["retry-after"], "240");
    w.run_jobs().await;
    assert_eq!(w.wechat.calls("closeorder"), 0);
    w.advance(4 * MINUTE);
    w.wait("the closing", || async { w.wechat.trade(&placed.out_trade_no).unwrap().state == TradeState::Closed }).await;
    w.wait("the new attempt", || async { alice.post(&pay, None).await.status == 200 }).await;
    w.must_hold().await;
}

/// The buyer pays the old price in the moment of the change: the money is kept, and the order costs what was paid.
#[tokio::test(flavor = "multi_thread")]
async fn money_at_the_old_price_pays_the_order() {
    let w = World::new().await;
    let sku = w.product("苹果", 9000, 9).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    for (total, freight, overpaid) in [("80", "0", true), ("98", "8", false), ("90.50", "2", false)] {
        let placed = Placed::of(alice.buy(sku, 1).await);
        // WeChat cannot be asked, so nobody knows yet that the buyer has paid.
        w.wechat.fault("orderquery", Fault::Http500);
        w.pay(&placed, Paying::NoNotice);
        let price = format!("/admin/orders/{}/price", placed.no);
        clerk.post(&price, &[("total", total), ("freight", freight), ("reason", "商量好的")]).await;
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        let order = alice.order(&placed.no).await;
        assert_eq!((&order["totalFen"], &order["paidFen"]), (&json!(9000), &json!(9000)), "{total}");
        let page = clerk.page(&format!("/admin/orders/{}", placed.no)).await;
        assert!(page.contains("买家按改价前的 ¥90.00 付了款"), "{page}");
        assert_eq!(page.contains("多付的部分可以在订单页退给买家"), overpaid, "{total}");
        // Once all of it went back there is nothing left to decide about.
        let open = "select count(*) from money_exceptions where kind = 'amount_mismatch' and state = 'open'";
        assert_eq!(w.count(open).await, i64::from(overpaid), "{total}");
        w.wechat.refund_by_console(&w.transaction(&placed), 9000).unwrap();
        w.advance(5 * SECOND);
        w.wait("the end of it", || async { alice.status(&placed.no).await == "closed" }).await;
        assert_eq!(w.count(open).await, 0, "{total}");
        w.must_hold().await;
    }
    // Asked in time, WeChat says that it has been paid, and the price stays.
    let paid = Placed::of(alice.buy(sku, 1).await);
    w.pay(&paid, Paying::NoNotice);
    let price = format!("/admin/orders/{}/price", paid.no);
    clerk.post(&price, &[("total", "80"), ("freight", "0"), ("reason", "老客")]).await;
    assert_eq!(alice.status(&paid.no).await, "to_ship");
    assert_eq!(alice.order(&paid.no).await["totalFen"], 9000);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_writes_down_money_that_came_in_cash() {
    let w = World::new().await;
    let sku = w.product("苹果", 9000, 9).await;
    let alice = w.buyer("alice").await;
    let (manager, owner) = (w.staff("manager", Role::Manager).await, w.staff("owner", Role::Owner).await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    let offline = format!("/admin/orders/{}/offline", placed.no);
    assert_eq!(manager.get(&offline).await.0, 403);
    assert_eq!(manager.post(&offline, &[("reason", "现金")]).await.0, 403);
    owner.post(&offline, &[("reason", "")]).await;
    assert!(owner.said(&offline).await.contains("请写明原因"));
    // What was counted is what its page said.
    assert!(owner.page(&offline).await.contains("name=\"was\" value=\"90.00\""));
    owner.post(&offline, &[("reason", "现金"), ("was", "80.00")]).await;
    assert!(owner.said(&offline).await.contains("应付已经改成 ¥90.00"));
    owner.post(&offline, &[("reason", "现金"), ("was", "90.00")]).await;
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["status"], &order["paidFen"]), (&json!("to_ship"), &json!(9000)));
    w.must_hold().await;
    // It goes back the way it came: nobody asks WeChat.
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    let confirm = owner.page_of(&format!("/admin/orders/{}/refund", placed.no), &form[..2]).await;
    assert!(confirm.contains("请在线下退还"), "{confirm}");
    owner.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["status"], &order["refundedFen"]), (&json!("closed"), &json!(9000)));
    assert_eq!(w.wechat.calls("refund"), 0);
    w.must_hold().await;
}
