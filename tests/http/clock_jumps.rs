//! A clock that jumps and is put right again: what is good by the true time is still there, and no order comes twice.

use xiaopu::clock::DAY;
use xiaopu::staff::Role;
use xiaopu::worker;

use crate::support::*;

/// Hours of running, whatever the clock says meanwhile.
async fn hours_of_running(w: &World, hours: usize) {
    for _ in 0..hours {
        worker::tidy(&w.shop, true).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_put_right_again_has_swept_nothing_away() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let boss = w.staff("boss", Role::Owner).await;
    let alice = w.buyer("alice").await;
    alice.prepay("before-the-jump", order(sku, 1)).await.ok();
    hours_of_running(&w, 60).await;
    w.advance(40 * DAY);
    hours_of_running(&w, 47).await;
    assert_eq!(alice.get("/orders").await.status, 401, "by this clock her login is over");
    let again = w.buyer("alice").await;
    again.prepay("before-the-jump", order(sku, 1)).await;
    assert_eq!(w.count("select count(*) from orders").await, 1, "a day by the clock that jumped");
    w.advance(-40 * DAY);
    hours_of_running(&w, 47).await;
    assert_eq!(alice.get("/orders").await.status, 200);
    boss.page("/admin/orders").await;
    alice.prepay("before-the-jump", order(sku, 1)).await;
    assert_eq!(w.count("select count(*) from orders").await, 1, "a day by the clock that was put right");
    // Time that does go by takes them all.
    w.advance(80 * DAY);
    hours_of_running(&w, 48).await;
    for sql in [
        "select count(*) from idempotency_keys",
        "select count(*) from staff_sessions",
        "select count(*) from buyer_sessions",
        "select count(*) from login_codes",
    ] {
        assert_eq!(w.count(sql).await, 0, "{sql}");
    }
}
