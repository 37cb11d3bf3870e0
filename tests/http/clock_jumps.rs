//! A clock that jumps and is put right again: what is good by the true time is still there, and no order comes twice.

use xiaopu::clock::{DAY, Day, HOUR, MINUTE};
use xiaopu::error::Error;
use xiaopu::jobs::store::last_seen;
use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;

use super::refunds::until;
use super::returns::{asked, shipped};
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

/// A refund that was under way, a payment whose notice was lost, the bills and the backups: all come back with the clock.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_that_ran_ahead_had_planned_is_done_when_it_is_put_right() {
    for ahead in [DAY, 3 * DAY, 40 * DAY] {
        let w = World::new().await;
        let sku = w.product("苹果", 1000, 99).await;
        let alice = w.buyer("alice").await;
        let placed = w.paid(&alice, sku, 1).await;
        tidied(&w, 0).await;
        w.jump(ahead);
        let (boss, ahead_alice) = (w.staff("boss", Role::Owner).await, w.buyer("alice").await);
        w.wechat.fault_always("refund", Fault::Http500);
        w.wechat.fault_always("orderquery", Fault::Http500);
        let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
        boss.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
        let unheard = Placed::of(ahead_alice.buy(sku, 1).await);
        w.pay(&unheard, Paying::NoNotice);
        let left = Placed::of(ahead_alice.buy(sku, 1).await);
        w.run_jobs().await;
        w.wechat.clear_faults();
        // It is looked at twice a second: a moment that nobody sees plans nothing that lasts.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        w.jump(-ahead);
        let plans =
            format!("select count(*) from jobs where state = 'waiting' and run_at > {}", w.shop.now() + 30 * DAY);
        w.wait("the plans to be pulled in", || async { w.count("select count(*) from clock_steps").await == 1 }).await;
        assert_eq!(w.count(plans).await, 0);
        w.advance(2 * MINUTE);
        w.run_jobs().await;
        w.advance(2 * MINUTE);
        w.run_jobs().await;
        w.wait("the money", || async { alice.order(&placed.no).await["refundedFen"] == 1000 }).await;
        w.wait("the payment", || async { alice.status(&unheard.no).await == "to_ship" }).await;
        // What was never paid holds its goods no longer than other orders do.
        for _ in 0..8 {
            w.advance(HOUR);
            w.run_jobs().await;
        }
        w.wait("the order to close", || async { alice.status(&left.no).await == "closed" }).await;
        // Days that nobody has lived are no days, and the ones that come are matched and backed up.
        let unlived =
            format!("select count(*) from bills where day > '{}' and state <> 'waiting'", Day::of(w.shop.now()));
        assert_eq!(w.count(unlived).await, 0);
        let first = Day::of(START);
        w.advance(DAY);
        let matched = format!("select count(*) from bills where day = '{first}' and state in ('equal', 'differs')");
        w.wait("the day's match", || async { w.count(matched.as_str()).await == 1 }).await;
        let backups = format!("select count(*) from backups where at > {}", w.shop.now() - 8 * HOUR);
        w.wait("the nightly backup", || async { w.count(backups.as_str()).await == 1 }).await;
        let home = w.staff("later", Role::Owner).await.page("/admin").await;
        assert!(home.contains("系统时间拨回了"), "{home}");
        w.must_hold().await;
    }
}

/// What was sent, settled or asked for by a clock that ran some minutes ahead was so before whatever is told once it is right:
/// money that goes back by hand then is looked at before more goes back of the payment, or goods leave for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_that_ran_ahead_dated_answers_nothing_that_is_told_later() {
    for api in ["v2", "v3"] {
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        tidied(&w, 0).await;
        w.jump(4 * MINUTE);
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let (paid, other) = (w.paid(&alice, sku, 3).await, w.paid(&alice, sku, 3).await);
        let told = async |placed: &Placed, fen| {
            let hints = "select count(*) from messages where kind = 'refund_notify'";
            let before = w.count(hints).await;
            w.wechat.refund_by_console(&w.transaction(placed), fen).unwrap();
            w.advance(4 * SECOND);
            w.wait("the notice", || async { w.count(hints).await > before }).await;
            w.run_jobs().await;
        };
        let refund = format!("/admin/orders/{}/refund", paid.no);
        // One is refused, …
        w.wechat.fault_always("refund", Fault::refused("NOTENOUGH", "余额不足"));
        let line = alice.order(&paid.no).await["lines"][0]["id"].as_str().unwrap().to_owned();
        let form =
            [("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "碎了"), ("confirmed", "true")];
        let number = manager.post(&refund, &form).await.1.strip_prefix("/admin/refunds/").unwrap().to_owned();
        until(&w, &number, "failed").await;
        w.wechat.clear_faults();
        // … and of another order's money something went back that WeChat's query does not know; somebody has looked.
        w.wechat.fault_always("refundquery", no_such_refund(api));
        told(&other, 500).await;
        let open = format!(
            "select coalesce(max(id), 0) from money_exceptions
              where state = 'open' and order_id = (select id from orders where order_no = '{}')",
            other.no
        );
        w.wait("the question", || async { w.count(open.as_str()).await > 0 }).await;
        let resolve = format!("/admin/exceptions/{}/resolve", w.count(open.as_str()).await);
        manager.post(&resolve, &[("resolution", "看过了，退的是差价")]).await;
        assert_eq!(w.count(open.as_str()).await, 0, "{api}");
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        w.jump(-4 * MINUTE);
        w.wait("the step to be seen", || async { w.count("select count(*) from clock_steps").await == 1 }).await;
        let manager = w.staff("later", Role::Manager).await;
        // What is told now nobody has seen.
        told(&other, 2_500).await;
        manager.ship(&format!("/admin/orders/{}", other.no)).await;
        assert_eq!(alice.status(&other.no).await, "to_ship", "{api}");
        w.wechat.clear_faults();
        told(&paid, 1_000).await;
        w.wait("it to be known", || async { alice.order(&paid.no).await["refundedFen"] == 1_000 }).await;
        let retry = format!("/admin/refunds/{number}/retry");
        manager.post(&retry, &[]).await;
        until(&w, &number, "failed").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), 1, "{api}");
        // Compared, it goes.
        manager.post(&retry, &[]).await;
        until(&w, &number, "succeeded").await;
        w.must_hold().await;
    }
}

/// A clock that is put right while the shop stands still is known by whatever was done last, by a buyer alone too.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_buyer_did_last_tells_what_the_clock_showed() {
    let w = World::new().await;
    let sku = w.product("苹果", 1_000, 99).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let placed = shipped(&w, &manager, &alice, sku, 1).await;
    w.run_jobs().await;
    let seen = async || w.shop.read(|conn| Ok::<_, Error>(last_seen(conn)?)).await.unwrap().unwrap();
    w.jump(4 * MINUTE);
    asked(&alice, &placed, "exchange", 1).await;
    let told = w.count("select max(at) from order_events").await;
    assert!(seen().await >= told);
}
