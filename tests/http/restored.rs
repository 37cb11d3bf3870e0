//! A shop that went back to a backup does not know what money went back since: WeChat is asked before goods leave for it.

use reqwest::Method;
use serde_json::json;
use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;

use super::{numbers, pickup, programs, refunds::forgotten, returns, shipping, v3};
use crate::support::*;

const PARCEL: [(&str, &str); 1] = [("tracking_no", "SF1234567890123")];
const UNASKED: &str = "还没能向微信问清";

/// The shop goes on from a backup of a moment ago. Nothing was asked yet.
fn goes_back(w: &World) {
    let raw = rusqlite::Connection::open(w.shop.db.path()).unwrap();
    xiaopu::payments::store::note_restored(&raw, w.shop.now()).unwrap();
    w.advance(SECOND);
}

/// What a start does after that.
async fn starts(w: &World) {
    xiaopu::payments::mend::try_again(&w.shop).await.unwrap();
    w.run_jobs().await;
}

async fn ship(staff: &Console<'_>, alice: &Buyer<'_>, placed: &Placed) -> (String, String) {
    let page = format!("/admin/orders/{}", placed.no);
    staff.post(&format!("{page}/ship"), &PARCEL).await;
    let said = staff.said(&page).await;
    (alice.status(&placed.no).await, said)
}

async fn ship_despite(staff: &Console<'_>, placed: &Placed) {
    let form = [PARCEL[0], ("despite_refund", "true")];
    staff.post(&format!("/admin/orders/{}/ship", placed.no), &form).await;
}

/// What of an order's money went back that is forgotten here, and what becomes of the order.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_nothing_leaves_for_money_that_went_back() {
    for (api, asked_at_start) in [("v2", true), ("v3", true), ("v2", false), ("v3", false)] {
        let case = format!("{api} {asked_at_start}");
        let w = v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let mut paid = Vec::new();
        for _ in 0..5 {
            paid.push(w.paid(&alice, sku, 3).await);
        }
        let [untouched, whole, ours, part, ours_in_part] = &paid[..] else { panic!() };
        w.wechat.ways(|ways| ways.refund_notices = false);
        w.wechat.refund_by_console(&w.transaction(whole), 3_000).unwrap();
        forgotten(&w, ours, "R01", 3_000).await;
        w.wechat.refund_by_console(&w.transaction(part), 1_000).unwrap();
        // Numbers may have holes.
        forgotten(&w, ours_in_part, "R02", 1_000).await;
        goes_back(&w);
        let later = w.paid(&alice, sku, 3).await;
        if asked_at_start {
            starts(&w).await;
            w.wechat.fault_always("orderquery", Fault::Http500);
        }
        // All that was our own is found by its number, and all of it ends the order.
        ship(&boss, &alice, ours).await;
        assert_eq!(alice.status(&ours.no).await, "closed", "{case}");
        assert_eq!(alice.order(&ours.no).await["refundedFen"], 3_000, "{case}");
        // What version 3 does not tell, somebody looks up; version 2 lists it.
        let (status, said) = ship(&boss, &alice, whole).await;
        let ends = if api == "v2" { "closed" } else { "to_ship" };
        assert_eq!(status, ends, "{case}: {said}");
        for held in [part, ours_in_part] {
            let (status, said) = ship(&boss, &alice, held).await;
            assert_eq!(status, "to_ship", "{case}: {said}");
            assert!(said.contains("还没有人核对过"), "{case}: {said}");
            let page = boss.page(&format!("/admin/orders/{}", held.no)).await;
            assert!(page.contains("恢复备份之后问过微信") && page.contains("仍然发出"), "{case}: {page}");
            for paper in ["slips", "picking"] {
                let printed = boss.page(&format!("/admin/print/{paper}?order={}&order={}", held.no, later.no)).await;
                assert_eq!(printed.matches("先核对退款").count(), 1, "{case}: {printed}");
            }
            let batch = shipping::bring(&w, &boss, shipping::pasted(&format!("{} SF1234567890124", held.no))).await;
            let page = boss.page(&batch).await;
            assert!(page.contains("还没有人核对过") && !page.contains("可发货 1"), "{case}: {page}");
        }
        // Nothing of it went back, or it was paid afterwards: as ever.
        let queries = w.wechat.calls("orderquery");
        for free in [untouched, &later] {
            let (status, said) = ship(&boss, &alice, free).await;
            assert_eq!(status, "shipped", "{case}: {said}");
        }
        assert_eq!(w.wechat.calls("orderquery") - queries, u64::from(!asked_at_start), "{case}");
        // Somebody has looked.
        ship_despite(&boss, part).await;
        assert_eq!(alice.status(&part.no).await, "shipped", "{case}");
        assert!(boss.page(&format!("/admin/orders/{}", part.no)).await.contains("仍然发出"), "{case}");
        w.must_hold().await;
    }
}

/// Somebody has to look for which goods it went back: that another refund is learnt of meanwhile does not answer that.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_learnt_later_answers_no_question_of_a_restore() {
    for api in ["v2", "v3"] {
        let w = v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = w.paid(&alice, sku, 3).await;
        w.wechat.ways(|ways| ways.refund_notices = false);
        forgotten(&w, &placed, "R01", 1_000).await;
        goes_back(&w);
        starts(&w).await;
        assert_eq!(ship(&boss, &alice, &placed).await.0, "to_ship", "{api}");
        w.wechat.ways(|ways| ways.refund_notices = true);
        w.wechat.refund_by_console(&w.transaction(&placed), 500).unwrap();
        w.advance(5 * SECOND);
        w.wait("the notice", || async {
            w.run_jobs().await;
            alice.order(&placed.no).await["refundedFen"] == 1_500
        })
        .await;
        let (status, said) = ship(&boss, &alice, &placed).await;
        assert!(status == "to_ship" && said.contains("核对"), "{api}: {said}");
        w.must_hold().await;
    }
}

/// What went back under a number that was given out again since, to a wish that nobody has agreed to, is entered all the
/// same; the wish goes on under a number of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_nobody_agreed_to_leaves_its_number_to_what_went_back() {
    let states = ["requested", "rejected", "cancelled"];
    for (api, wish) in ["v2", "v3"].into_iter().flat_map(|api| states.map(|wish| (api, wish))) {
        let case = format!("{api} {wish}");
        let w = v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = w.paid(&alice, sku, 3).await;
        w.wechat.ways(|ways| ways.refund_notices = false);
        forgotten(&w, &placed, "R01", 1_000).await;
        goes_back(&w);
        let line = alice.order(&placed.no).await["lines"][0]["id"].clone();
        let pieces = if wish == "cancelled" { 2 } else { 1 };
        let form = json!({ "lines": [{ "lineId": line, "quantity": pieces }], "reason": "不想要了" });
        let asked = alice.ask_refund(&placed.no, &w.key(), form).await.ok();
        match wish {
            "rejected" => {
                let form = [("words", "已经退过了")];
                boss.post(&format!("/admin/refunds/{}R01/reject", placed.no), &form).await;
            }
            "cancelled" => {
                let id = asked["id"].as_str().unwrap();
                alice.post(&format!("/orders/{}/refunds/{id}/cancel", placed.no), None).await.ok();
            }
            _ => {}
        }
        starts(&w).await;
        assert_eq!(alice.order(&placed.no).await["refundedFen"], 1_000, "{case}");
        for (n, state) in [("R01", "succeeded"), ("R02", wish)] {
            let number = format!("{}{n}", placed.no);
            let sql = format!("select count(*) from refunds where out_refund_no = '{number}' and state = '{state}'");
            assert_eq!(w.count(sql).await, 1, "{case}: {number} {state}");
        }
        w.must_hold().await;
    }
}

/// In v2 a notice tells of it too, though nothing in it is signed: WeChat is asked at once about what never went out.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_about_a_number_that_never_went_out_asks_what_went_back() {
    let w = v3::world("v2").await;
    let sku = w.product("苹果", 1_000, 99).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 3).await;
    let line = alice.order(&placed.no).await["lines"][0]["id"].clone();
    let form = json!({ "lines": [{ "lineId": line, "quantity": 2 }], "reason": "不想要了" });
    alice.ask_refund(&placed.no, &w.key(), form).await.ok();
    forgotten(&w, &placed, "R01", 1_000).await;
    w.wait("what went back", || async {
        w.run_jobs().await;
        alice.order(&placed.no).await["refundedFen"] == 1_000
    })
    .await;
    w.must_hold().await;
}

/// Money that stands beside orders goes back under a number that has the payment's own in it, so that no other payment is
/// given it after a restore.
#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_what_went_back_beside_orders_is_given_to_no_other_payment() {
    for api in ["v2", "v3"] {
        let w = v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        w.wechat.ways(|ways| ways.refund_notices = false);
        for n in 1..=2 {
            let placed = Placed::of(alice.buy(sku, 1).await);
            let id = numbers::orphan(&w, &alice, &placed).await;
            boss.post(&format!("/admin/exceptions/{id}/refund"), &[]).await;
            w.wait("the refund", || async {
                w.advance(61 * SECOND);
                w.run_jobs().await;
                w.count("select count(*) from refunds where state = 'succeeded'").await == n
            })
            .await;
            let sql = format!(
                "select count(*) from refunds where out_refund_no = 'T{}R01' and transaction_id = '{}'",
                w.transaction(&placed),
                w.transaction(&placed)
            );
            assert_eq!(w.count(sql).await, 1, "{api}");
        }
        w.must_hold().await;
    }
}

/// A clock that is slow on the machine that the shop is brought back on hides nothing of what stood in the backup.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_clock_at_a_restore_hides_nothing() {
    for api in ["v2", "v3"] {
        let w = v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let placed = w.paid(&alice, sku, 3).await;
        w.wechat.ways(|ways| ways.refund_notices = false);
        w.wechat.refund_by_console(&w.transaction(&placed), 1_000).unwrap();
        for _ in 0..2 {
            let raw = rusqlite::Connection::open(w.shop.db.path()).unwrap();
            xiaopu::payments::store::note_restored(&raw, w.shop.now() - 480 * MINUTE).unwrap();
        }
        w.advance(SECOND);
        let later = w.paid(&alice, sku, 1).await;
        starts(&w).await;
        let (status, said) = ship(&boss, &alice, &placed).await;
        assert!(status == "to_ship" && said.contains("还没有人核对过"), "{api}: {said}");
        assert_eq!(ship(&boss, &alice, &later).await.0, "shipped", "{api}");
        w.must_hold().await;
    }
}

/// WeChat cannot be reached for hours: each door holds, in words, and opens on somebody's own; or by itself, once it answers.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_was_not_asked_since_a_restore_waits_at_every_door() {
    for api in ["v2", "v3"] {
        let w = v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let cake = pickup::cake(&w).await;
        let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
        let owner = w.staff("owner", Role::Owner).await;
        let key = programs::key(&owner, "ERP", &["orders", "ship"]).await;
        let (single, other, parts) =
            (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 2).await);
        let (fetched, code) = pickup::bought(&w, &alice, cake).await;
        let gone = returns::shipped(&w, &boss, &alice, sku, 1).await;
        let exchange = returns::asked(&alice, &gone, "exchange", 1).await;
        returns::agree(&boss, &exchange).await;
        boss.post(&format!("/admin/returns/{exchange}/receive"), &[]).await;
        let lost = w.paid(&alice, sku, 1).await;
        boss.post(&format!("/admin/orders/{}/ship", lost.no), &[("tracking_no", "SF1111111111111")]).await;
        let line = |order: serde_json::Value| order["lines"][0]["id"].as_str().unwrap().to_owned();
        let (lost_line, part) = (line(alice.order(&lost.no).await), line(alice.order(&parts.no).await));
        let one = [PARCEL[0], ("pieces[0].id", &*part), ("pieces[0].quantity", "1")];
        boss.post(&format!("/admin/orders/{}/ship", parts.no), &one).await;
        goes_back(&w);
        w.wechat.fault_always("orderquery", Fault::Http500);
        starts(&w).await;
        w.advance(3 * 60 * MINUTE);
        w.run_jobs().await;
        // One order and one parcel at a time, a table, a program, a scanner, the desk; what goes out once more.
        let (status, said) = ship(&boss, &alice, &single).await;
        assert!(status == "to_ship" && said.contains(UNASKED) && said.contains("仍然发出"), "{api}: {said}");
        let rest = [("tracking_no", "SF1234567890199")];
        boss.post(&format!("/admin/orders/{}/ship", parts.no), &rest).await;
        assert_eq!(alice.status(&parts.no).await, "to_ship", "{api}");
        let batch = shipping::bring(&w, &boss, shipping::pasted(&format!("{} SF1234567890124", single.no))).await;
        let page = boss.page(&batch).await;
        assert!(page.contains("向微信问清"), "{api}: {page}");
        boss.post(&format!("{batch}/run"), &[]).await;
        let shipments = format!("/admin/orders/{}/shipments", single.no);
        let parcel = || Some(json!({ "trackingNo": "SF1234567890123" }));
        let by_program = w.call(Method::POST, &shipments, Some(&key), None, parcel()).await;
        assert_eq!(by_program.error(), (409, "refund_in_progress"), "{api}");
        let scan = [("order", single.no.as_str()), ("code", "SF1234567890123")];
        boss.post("/admin/shipping/scan", &scan).await;
        let desk = pickup::check(&boss, &code).await;
        assert!(desk.contains("向微信问清") && desk.contains("仍然交货"), "{api}: {desk}");
        boss.page_of("/admin/pickup/hand-over", &[("code", &code)]).await;
        let (send, resend) = (format!("/admin/returns/{exchange}/send"), format!("/admin/orders/{}/resend", lost.no));
        boss.post(&send, &[("tracking_no", "SF7777777777777")]).await;
        assert!(boss.said(&format!("/admin/returns/{exchange}")).await.contains("向微信问清"), "{api}");
        let again = |despite: &'static str| {
            let line = lost_line.clone();
            vec![
                ("tracking_no", "SF8888888888888".to_owned()),
                ("reason", "丢件了".to_owned()),
                ("pieces[0].id", line),
                ("pieces[0].quantity", "1".to_owned()),
                ("despite_refund", despite.to_owned()),
            ]
        };
        let post = async |path: &str, form: Vec<(&str, String)>| {
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            boss.post(path, &form).await
        };
        post(&resend, again("false")).await;
        for no in [&single.no, &fetched, &other.no] {
            assert_eq!(alice.status(no).await, "to_ship", "{api}");
        }
        assert_eq!(w.count("select count(*) from resends").await, 0, "{api}");
        // On somebody's word, which stays with the order, and holds for its next parcel.
        let one = [PARCEL[0], ("despite_refund", "true"), ("pieces[0].id", &*part), ("pieces[0].quantity", "1")];
        boss.post(&format!("/admin/orders/{}/ship", parts.no), &[("tracking_no", "SF1234567890199"), one[1]]).await;
        assert_eq!(alice.status(&parts.no).await, "shipped", "{api}");
        let page = boss.page(&format!("/admin/orders/{}", parts.no)).await;
        assert!(page.contains("仍然发出"), "{api}: {page}");
        boss.post(&send, &[("tracking_no", "SF7777777777777"), ("despite_refund", "true")]).await;
        post(&resend, again("true")).await;
        assert_eq!(w.count("select count(*) from resends").await, 2, "{api}");
        boss.post("/admin/pickup/hand-over", &[("code", &code), ("despite_refund", "true")]).await;
        assert_ne!(alice.status(&fetched).await, "to_ship", "{api}");
        // It answers again: the orders that wait are asked about by themselves.
        w.wechat.clear_faults();
        w.advance(10 * MINUTE);
        w.run_jobs().await;
        // The shop's own worker may still be asking.
        let mut queries = w.wechat.calls("orderquery");
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            match w.wechat.calls("orderquery") {
                now if now == queries => break,
                now => queries = now,
            }
        }
        let by_program = w.call(Method::POST, &shipments, Some(&key), None, parcel()).await;
        assert_eq!((by_program.status, w.wechat.calls("orderquery") - queries), (201, 0), "{api}");
        let (status, said) = ship(&boss, &alice, &other).await;
        assert_eq!(status, "shipped", "{api}: {said}");
        w.must_hold().await;
    }
}

/// By a clock that is slow a payment was made only after the backup was gone back to, though it stood in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_stood_in_the_backup_is_asked_about_whatever_the_clocks_say() {
    let w = World::new().await;
    let sku = w.product("苹果", 1_000, 99).await;
    let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::NoNotice);
    let mut notice = w.notice(&placed, "alice");
    notice.set("transaction_id", w.transaction(&placed));
    notice.set("time_end", xiaopu::clock::compact(w.shop.now() + 10 * MINUTE));
    w.notify(signed(&notice)).await;
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    w.wechat.ways(|ways| ways.refund_notices = false);
    w.wechat.refund_by_console(&w.transaction(&placed), 1_000).unwrap();
    w.advance(20 * SECOND);
    goes_back(&w);
    let (status, said) = ship(&boss, &alice, &placed).await;
    assert_eq!(status, "closed", "{said}");
    w.must_hold().await;
}

/// What was answered, and decided, before another going back says nothing of what went back since.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_restore_asks_anew() {
    let w = v3::world("v3").await;
    let sku = w.product("苹果", 1_000, 99).await;
    let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
    let (held, free) = (w.paid(&alice, sku, 3).await, w.paid(&alice, sku, 3).await);
    w.wechat.ways(|ways| ways.refund_notices = false);
    w.wechat.refund_by_console(&w.transaction(&held), 1_000).unwrap();
    for _ in 0..2 {
        goes_back(&w);
        starts(&w).await;
        let (status, said) = ship(&boss, &alice, &held).await;
        assert!(status == "to_ship" && said.contains("还没有人核对过"), "{said}");
        let id = w.count("select id from money_exceptions where state = 'open'").await;
        boss.post(&format!("/admin/exceptions/{id}/resolve"), &[("resolution", "核对过，少发一件")]).await;
        assert_eq!(w.count("select count(*) from money_exceptions where state = 'open'").await, 0);
    }
    w.wechat.refund_by_console(&w.transaction(&free), 1_000).unwrap();
    let third = w.paid(&alice, sku, 1).await;
    w.advance(SECOND);
    goes_back(&w);
    // A table asks nobody itself: it says so, and what holds it is asked about.
    w.wechat.fault_always("orderquery", Fault::Http500);
    let batch = shipping::bring(&w, &boss, shipping::pasted(&format!("{} SF1234567890125", third.no))).await;
    let page = boss.page(&batch).await;
    assert!(page.contains("恢复备份之后，还没") && !page.contains("可发货"), "{page}");
    w.wechat.clear_faults();
    // One question may still be under way, and is asked again only a while later.
    w.wait("the answers", || async {
        w.advance(6 * MINUTE);
        w.run_jobs().await;
        boss.page(&batch).await.contains("可发货")
    })
    .await;
    let page = boss.page(&batch).await;
    assert!(page.contains("可发货") && !page.contains("恢复备份之后，还没"), "{page}");
    let (status, said) = ship(&boss, &alice, &free).await;
    assert_eq!(status, "to_ship", "{said}");
    w.must_hold().await;
}
