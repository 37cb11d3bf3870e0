//! The durable jobs: shown with their subject and last error, left to a person after two days, taken up again by one.

use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_keeps_failing_is_left_to_a_person_and_taken_up_again() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 1).await;
    // A notice that comes late would be a reason to ask again.
    w.wechat.ways(|ways| ways.refund_notices = false);
    w.wechat.fault_always("refundquery", Fault::Http500);
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    manager.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
    let accepted = "select count(*) from refunds where accepted_at is not null";
    w.wait("the acceptance", || async { w.count(accepted).await == 1 }).await;
    let number = format!("{}R01", placed.no);
    // It waits longer each time, says why, and after two days wants a person.
    let tries = || w.wechat.calls("refundquery");
    w.advance(11 * SECOND);
    w.wait("the first try", || async { tries() >= 1 }).await;
    w.run_jobs().await;
    let page = manager.page("/admin/jobs").await;
    for words in ["退款", number.as_str(), "等待中", "HTTP 500", "立即重试", "每夜自检"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for _ in 0..52 {
        w.advance(61 * MINUTE);
        w.run_jobs().await;
    }
    assert!(tries() < 120, "{} tries in two days", tries());
    let page = manager.page("/admin/jobs").await;
    assert!(page.contains("需要人处理 1 个"), "{page}");
    assert!(manager.page("/admin").await.contains("<b>1</b>任务要处理"));
    // The day's bill may ask about the refund too: what counts is this job's own tries.
    let tried = "select tries from jobs where state = 'needs_person'";
    let before = w.count(tried).await;
    w.advance(24 * 60 * MINUTE);
    w.run_jobs().await;
    assert_eq!(w.count(tried).await, before, "nobody tries any more until somebody says so");
    // The cause is mended; a clerk may look, a manager may act.
    w.wechat.clear_faults();
    let manager = w.staff("manager2", Role::Manager).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let id = page.split("/admin/jobs/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let run = format!("/admin/jobs/{id}/run");
    assert!(!clerk.page("/admin/jobs").await.contains("立即重试"));
    assert_eq!(clerk.post(&run, &[]).await.0, 403);
    manager.post(&run, &[]).await;
    w.wait("the money", || async { alice.order(&placed.no).await["refundedFen"] == 1000 }).await;
    assert!(!manager.page("/admin/jobs").await.contains("需要人处理"));
    assert!(manager.page("/admin/jobs?tab=done").await.contains(&number));
    manager.post(&run, &[]).await;
    assert!(manager.said("/admin/jobs").await.contains("已经完成了"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_night_everything_is_checked() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    w.wait("the first check", || async { w.count("select count(*) from self_checks").await == 1 }).await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::Well);
    w.advance(15 * 60 * MINUTE + 10 * MINUTE + SECOND);
    w.wait("the nightly check", || async { w.count("select count(*) from self_checks").await == 2 }).await;
    assert!(manager.page("/admin/diagnostics").await.contains("上次夜间自检 2026-10-09 04:10"));
    // Somebody meddles with the database: the next night it is found, and the home page says so.
    let raw = rusqlite::Connection::open(w.shop.db.path()).unwrap();
    raw.execute_batch("pragma foreign_keys = on; update orders set paid_fen = paid_fen + 1").unwrap();
    w.advance(24 * 60 * MINUTE);
    w.wait("the nightly check", || async { w.count("select count(*) from self_checks").await == 3 }).await;
    let home = manager.page("/admin").await;
    assert!(home.contains("条规则不成立"), "{home}");
    let page = manager.page("/admin/diagnostics").await;
    assert!(page.contains("✗ 每单的资金流水之和等于实付减退款"), "{page}");
    let metrics = w.http().get(w.at("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.lines().any(|line| line.starts_with("xiaopu_self_check_broken ") && !line.ends_with(" 0")),
        "{metrics}"
    );
}

/// What looks through the whole shop takes minutes in a large one: a payment must not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn money_is_followed_while_a_bill_is_still_on_its_way() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 1).await;
    w.wechat.fault_always("downloadbill", Fault::Slow(4_000));
    w.advance(24 * 60 * MINUTE);
    w.wait("the bill to be asked for", || async { w.wechat.calls("downloadbill") > 0 }).await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::NoNotice);
    w.advance(31 * SECOND);
    w.wait("the poll", || async { alice.status(&placed.no).await == "to_ship" }).await;
    assert_eq!(w.count("select count(*) from bills where state <> 'waiting'").await, 0, "the bill had not come yet");
    w.must_hold().await;
}
