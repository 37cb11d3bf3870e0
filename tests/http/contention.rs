//! Many at once: the last pieces, the same key, the same order.

use std::collections::BTreeSet;

use rocket::futures::future::join_all;
use xiaopu::catalogue::stock;
use xiaopu::error::Error;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn forty_buyers_get_ten_pieces_exactly_ten_times() {
    let w = World::new().await;
    let sku = w.product("最后十件", 1000, 10).await;
    let names: Vec<String> = (0..40).map(|i| format!("buyer {i}")).collect();
    let buyers = join_all(names.iter().map(|name| w.buyer(name))).await;
    let answers = join_all(buyers.iter().map(|buyer| buyer.buy(sku, 1))).await;
    let placed = answers.iter().filter(|a| a.status == 201).count();
    let short = answers.iter().filter(|a| a.error() == (409, "out_of_stock")).count();
    assert_eq!((placed, short), (10, 30));
    assert_eq!(w.stock(sku).await, (10, 10));
    assert_eq!(w.count("select count(*) from orders").await, 10);
    w.must_hold().await;
}

/// The quote refuses first; should it ever not, the guarded UPDATE does, and behind it the table itself.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_there_is_cannot_be_held() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 3).await;
    let alice = w.buyer("alice").await;
    alice.buy(sku, 2).await.ok();
    let reserve = |quantity| w.shop.db.write(move |tx| Ok::<_, Error>(stock::store::reserve(tx, sku, quantity)?));
    assert_eq!(reserve(2).await.unwrap(), None);
    let force = w.shop.db.write(move |tx| Ok::<_, Error>(stock::store::change(tx, sku, 0, 2)?)).await;
    assert!(force.is_err());
    assert_eq!(w.stock(sku).await, (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_tap_places_one_order() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 10).await;
    let alice = w.buyer("alice").await;
    let answers = join_all((0..10).map(|_| alice.prepay("double-tap-1", order(sku, 1)))).await;
    let numbers: BTreeSet<String> =
        answers.iter().map(|a| a.body["order"]["orderNo"].as_str().unwrap_or("?").to_owned()).collect();
    assert_eq!(numbers.len(), 1, "{numbers:?}");
    assert!(answers.iter().all(|a| a.status == 201));
    assert_eq!(w.count("select count(*) from attempts").await, 1);
    assert_eq!(w.stock(sku).await, (10, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_twice_at_once_cancels_once() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 10).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let path = format!("/orders/{}/cancel", placed.no);
    let answers = join_all((0..5).map(|_| alice.post(&path, None))).await;
    assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
    assert!(answers.iter().all(|a| a.status == 200 || a.error() == (409, "order_state")));
    w.advance(5 * MINUTE);
    w.wait("the closing", || async { w.stock(sku).await == (10, 0) }).await;
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_and_paying_at_once_ends_in_one_of_two_ways() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 100).await;
    let alice = w.buyer("alice").await;
    for i in 0..8 {
        let placed = Placed::of(alice.buy(sku, 1).await);
        let path = format!("/orders/{}/cancel", placed.no);
        let mut notice = w.notice(&placed, "alice");
        notice.set("transaction_id", format!("42-race-{i}"));
        let (cancelled, acknowledged) = tokio::join!(alice.post(&path, None), w.notify(signed(&notice)));
        assert!(acknowledged.contains("SUCCESS"));
        // Paid first: the cancel is refused. Cancelled first: the late payment takes the order up again.
        assert!(matches!(cancelled.error(), (200, _) | (409, "already_paid" | "order_state")), "{}", cancelled.body);
        w.wait("the order to be paid", || async { alice.status(&placed.no).await == "to_ship" }).await;
    }
    w.must_hold().await;
}
