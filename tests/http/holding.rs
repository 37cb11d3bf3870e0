//! Stock that is held by orders which nobody has paid: how much one buyer may hold, and who holds what.

use serde_json::json;
use xiaopu::staff::Role;
use xiaopu::wechat::v2::sign::SignType;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_has_five_unpaid_orders_at_most() {
    let w = World::with(SignType::Md5, &[("shop.unpaid_orders", "")]).await;
    let sku = w.product("苹果", 1000, 5_000).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(Placed::of(alice.buy(sku, 900).await));
    }
    let key = w.key();
    let refused = alice.prepay(&key, order(sku, 1)).await;
    assert_eq!(refused.error(), (422, "purchase_limit"));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("5 笔订单还没付款"), "{}", refused.body);
    assert_eq!(refused.body["error"]["details"], json!({ "unpaidOrders": 5, "limit": 5 }));
    assert_eq!(bob.buy(sku, 1).await.status, 201, "others buy on");
    // All at once is no way around it.
    let bob_buys = (0..12).map(|_| bob.buy(sku, 1));
    let answers = rocket::futures::future::join_all(bob_buys).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 4);
    // Paid or cancelled, it makes room for another; the same key goes through then.
    w.advance(6 * MINUTE);
    assert_eq!(alice.post(&format!("/orders/{}/cancel", placed[0].no), None).await.status, 200);
    assert_eq!(alice.prepay(&key, order(sku, 1)).await.status, 201);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_has_a_limit_for_goods_that_have_none() {
    let w = World::with(SignType::Md5, &[("shop.limit_per_order", "10")]).await;
    let plain = w.product("苹果", 1000, 5_000).await;
    let (_, own) = w.product_with("梨", 1000, 5_000, |_, sku| sku.limit_per_order = Some(50)).await;
    let alice = w.buyer("alice").await;
    for (sku, pieces, status) in [(plain, 10, 201), (plain, 11, 422), (own, 11, 201), (own, 51, 422)] {
        assert_eq!(alice.buy(sku, pieces).await.status, status, "{pieces}");
    }
    // Buyers are told before they ask, and of a new one at once.
    let told =
        async |product| alice.get(&format!("/products/{product}")).await.ok()["skus"][0]["limitPerOrder"].clone();
    assert_eq!((told(1).await, told(2).await), (json!(10), json!(50)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_set_is_seen_at_once() {
    let w = World::new().await;
    w.product("苹果", 1000, 5_000).await;
    let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Owner).await);
    for (limit, told) in [("", json!(null)), ("20", json!(20)), ("30", json!(30))] {
        boss.post("/admin/settings", &[("shop-limit_per_order", limit)]).await;
        assert_eq!(alice.get("/products/1").await.ok()["skus"][0]["limitPerOrder"], told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_who_holds_what() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 100).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    assert!(clerk.page("/admin/products/held").await.contains("没有订单占着库存"));
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let unpaid = [Placed::of(alice.buy(sku, 3).await), Placed::of(alice.buy(sku, 4).await)];
    w.paid(&bob, sku, 5).await;
    let page = clerk.page("/admin/products/held").await;
    for words in ["#1", "¥70.00", unpaid[0].no.as_str(), unpaid[1].no.as_str(), "<b>7</b>", ">5<", ">88<"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("#2"), "who has paid holds his own");
}
