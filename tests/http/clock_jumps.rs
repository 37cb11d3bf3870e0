//! A clock that jumps and is put right again: what is good by the true time is still there, and no order comes twice.

use xiaopu::clock::{DAY, HOUR};
use xiaopu::staff::Role;

use crate::support::*;

/// Until the house has been tidied after so many hours of running.
async fn tidied(w: &World, hours: i64) {
    let lived = || w.count("select coalesce(max(lived), -1) from clock_seen");
    w.wait("the house to be tidied", || async { lived().await >= hours * HOUR }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_put_right_again_has_swept_nothing_away() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let boss = w.staff("boss", Role::Owner).await;
    let alice = w.buyer("alice").await;
    let orders = async || w.count("select count(*) from orders").await;
    alice.prepay("before-the-jump", order(sku, 1)).await.ok();
    tidied(&w, 0).await;
    w.jump(40 * DAY);
    w.advance(2 * HOUR);
    tidied(&w, 2).await;
    assert_eq!(alice.get("/orders").await.status, 401, "by this clock her login is over");
    let again = w.buyer("alice").await;
    again.prepay("before-the-jump", order(sku, 1)).await;
    assert_eq!(orders().await, 1, "no day has gone by");
    again.prepay("in-between", order(sku, 1)).await.ok();
    w.jump(-40 * DAY);
    w.advance(2 * HOUR);
    tidied(&w, 4).await;
    assert_eq!(alice.get("/orders").await.status, 200);
    boss.page("/admin/orders").await;
    for key in ["before-the-jump", "in-between"] {
        alice.prepay(key, order(sku, 1)).await;
        assert_eq!(orders().await, 2, "{key}");
    }
    // A key is free again after a day of either clock's, wherever the other one was when it was made.
    w.advance(DAY);
    for (key, count) in [("before-the-jump", 3), ("in-between", 4)] {
        alice.prepay(key, order(sku, 1)).await.ok();
        assert_eq!(orders().await, count, "{key}");
    }
    // A clock that runs too slow ends nothing early.
    w.jump(-3 * DAY);
    alice.prepay("too-early", order(sku, 1)).await.ok();
    w.jump(3 * DAY);
    alice.prepay("too-early", order(sku, 1)).await;
    assert_eq!(orders().await, 5);
    // Time that does go by takes them all.
    w.advance(80 * DAY);
    for sql in [
        "select count(*) from idempotency_keys",
        "select count(*) from staff_sessions",
        "select count(*) from buyer_sessions",
        "select count(*) from login_codes",
    ] {
        w.wait(sql, || async { w.count(sql).await == 0 }).await;
    }
}

/// Two days of running must agree: a machine that starts with a wrong clock, and is put right, has lost nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_out_of_date_goes_after_two_days_of_running() {
    let w = World::new().await;
    w.buyer("alice").await;
    tidied(&w, 0).await;
    let sessions = async || w.count("select count(*) from buyer_sessions").await;
    w.jump(40 * DAY);
    w.advance(40 * HOUR);
    tidied(&w, 40).await;
    w.advance(7 * HOUR);
    tidied(&w, 47).await;
    assert_eq!(sessions().await, 1);
    w.advance(50 * HOUR);
    w.wait("it to be forgotten", || async { sessions().await == 0 }).await;
}
