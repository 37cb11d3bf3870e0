//! The fund flow as a fourth witness of a day, and where the money of refunds comes from.

use serde_json::json;
use xiaopu::clock::Day;
use xiaopu::simulator::{Fault, Foreign, RefundEnd};
use xiaopu::staff::Role;

use super::v3;
use crate::support::*;

const HOUR: i64 = 60 * MINUTE;

async fn next_morning(w: &World) {
    let morning = Day::of(w.shop.now()).end() + 10 * HOUR + 6 * MINUTE;
    while w.shop.now() < morning {
        w.advance(HOUR.min(morning - w.shop.now()));
        w.run_jobs().await;
    }
}

async fn matched(w: &World) {
    let done = "select count(*) from bills where day = '20261008' and state in ('equal', 'differs')";
    w.wait("the match", || async { w.count(done).await == 1 }).await;
}

async fn refund_whole(w: &World, console: &Console<'_>, placed: &Placed) {
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    console.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
    for wait in [0, 11 * SECOND, 61 * SECOND] {
        w.advance(wait);
        w.run_jobs().await;
    }
}

/// Payments with coupons, a refund, another app's sale, a fee each, and money taken to the bank, by either version.
#[tokio::test(flavor = "multi_thread")]
async fn the_fund_flow_agrees_with_the_bill_and_shows_what_else_moved() {
    for api in ["v2", "v3"] {
        let w = v3::world(api).await;
        let sku = w.product("苹果", 10_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        w.wechat.ways(|ways| ways.coupon_no_cash_fen = 2_000);
        let placed = w.paid(&alice, sku, 1).await;
        w.paid(&alice, sku, 2).await;
        refund_whole(&w, &manager, &placed).await;
        w.wait("the refund", || async { w.count("select count(*) from ledger where kind = 'refund'").await == 1 })
            .await;
        let sale = json!({ "appId": "wxffffffffffffff00", "tradeType": "APP", "outTradeNo": "POS1", "totalFen": 700 });
        w.wechat.sell_elsewhere(&serde_json::from_value::<Foreign>(sale).unwrap()).unwrap();
        w.wechat.withdraw(5_000);
        next_morning(&w).await;
        matched(&w).await;
        assert_eq!(w.count("select count(*) from money_exceptions where kind = 'bill_difference'").await, 0, "{api}");
        let day = manager.page("/admin/money/2026-10-08").await;
        // 80 + 180 + 7 came, 80 went; six per mille of each.
        for words in ["资金账单", "到账 ¥267.00", "支出 ¥80.00", "提现 ¥50.00", "没有差异"] {
            assert!(day.contains(words), "{api} {words}: {day}");
        }
        assert_eq!(w.count("select fee_fen from fund_flows where day = '20261008'").await, 48 + 108 + 4 - 48, "{api}");
        w.must_hold().await;
    }
}

/// One thing differs per row, and the day is equal again once the file is.
#[tokio::test(flavor = "multi_thread")]
async fn a_fund_flow_with_one_thing_different_is_told_once() {
    let w = v3::world("v3").await;
    let sku = w.product("苹果", 10_000, 99).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    w.paid(&alice, sku, 1).await;
    let placed = w.paid(&alice, sku, 1).await;
    refund_whole(&w, &manager, &placed).await;
    next_morning(&w).await;
    matched(&w).await;
    let open = "select count(*) from money_exceptions where difference = 'funds' and state = 'open'";
    assert_eq!(w.count(open).await, 0);
    let file = w.wechat.funds(Day::of(START)).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    for (altered, words) in [
        (file.replacen("`100.00,", "`100.01,", 1), "成交：资金账单 ¥200.01"),
        (file.replacen("`支出,`100.00,", "`支出,`99.00,", 1), "退款：资金账单 ¥99.00"),
        (file.replacen("`支出,`0.60,", "`支出,`0.61,", 1), "手续费：资金账单 ¥0.61"),
        (file.replacen("`100100.00,", "`100100.01,", 1), "账户结余前后接不上"),
        (file.replace(&format!("{}\r\n", lines[2]), ""), "总笔数与明细不符"),
    ] {
        assert_ne!(altered, file, "{words}: {file}");
        w.wechat.set_funds(Day::of(START), altered.into_bytes());
        manager.post("/admin/money/2026-10-08/match", &[]).await;
        w.run_jobs().await;
        w.wait(words, || async { w.count(open).await == 1 }).await;
        let page = manager.page("/admin/money/2026-10-08").await;
        assert!(page.contains(words), "{words}: {page}");
        w.wechat.reset_bills();
        manager.post("/admin/money/2026-10-08/match", &[]).await;
        w.run_jobs().await;
        w.wait("an equal day", || async { w.count(open).await == 0 }).await;
    }
}

/// What came back from the bank and is paid out once more, days later, stands in no bill: it is no difference.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_paid_out_once_more_is_no_difference() {
    let w = World::new().await;
    let sku = w.product("苹果", 10_000, 99).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let placed = w.paid(&alice, sku, 1).await;
    w.wechat.ways(|ways| ways.refund_end = RefundEnd::Change);
    refund_whole(&w, &manager, &placed).await;
    let refund_id = w.wechat.all_refunds()[0].refund_id.clone();
    next_morning(&w).await;
    matched(&w).await;
    // On the day after, somebody mends it in WeChat's own console; the shop sells on.
    w.paid(&alice, sku, 1).await;
    w.wechat.end_refund(&refund_id, RefundEnd::Success).unwrap();
    w.advance(7 * HOUR);
    w.run_jobs().await;
    next_morning(&w).await;
    let done = "select count(*) from bills where day = '20261009' and state = 'equal'";
    w.wait("the match", || async { w.count(done).await == 1 }).await;
    let day = manager.page("/admin/money/2026-10-09").await;
    assert!(day.contains("再次退款及其他 ¥-100.00") && day.contains("没有差异"), "{day}");
    assert!(manager.page("/admin/money/2026-10-08").await.contains("没有差异"));
    w.must_hold().await;
}

/// The match does not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_its_fund_flow_is_matched_all_the_same() {
    for (fault, words) in [
        (Fault::Http500, "资金账单没有下载到"),
        (Fault::refused("SYSTEMERROR", "系统错误"), "资金账单没有下载到"),
        (Fault::refused("BILL_CREATING", "账单生成中"), "微信正在生成资金账单"),
    ] {
        let w = World::new().await;
        let sku = w.product("苹果", 10_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        w.paid(&alice, sku, 1).await;
        w.wechat.fault_always("downloadfundflow", fault);
        next_morning(&w).await;
        matched(&w).await;
        assert_eq!(
            w.count("select count(*) from bills where day = '20261008' and state = 'equal'").await,
            1,
            "{words}"
        );
        assert!(manager.page("/admin/money/2026-10-08").await.contains(words), "{words}");
        w.wechat.clear_faults();
        w.advance(31 * MINUTE);
        w.run_jobs().await;
        if words.contains("生成") {
            let read = "select count(*) from fund_flows where day = '20261008' and problem = ''";
            w.wait("the file", || async { w.count(read).await == 1 }).await;
        }
    }
}

/// A bill names a refund when it is taken on, and never again: one that came to nothing is neither a difference nor money.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_wechat_gave_up_stands_beside_the_match_and_gives_no_fee_back() {
    for (end, words) in [
        (RefundEnd::Closed, "微信没有退成、钱还在商户账户的退款 1 笔 ¥100.00"),
        (RefundEnd::Change, "微信没有退成、钱还在商户账户的退款 1 笔 ¥100.00"),
        (RefundEnd::Processing, "还没到账的退款 1 笔 ¥100.00"),
    ] {
        let w = World::new().await;
        let sku = w.product("苹果", 10_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let placed = w.paid(&alice, sku, 1).await;
        w.wechat.ways(|ways| ways.refund_end = end);
        refund_whole(&w, &manager, &placed).await;
        next_morning(&w).await;
        matched(&w).await;
        assert_eq!(
            w.count("select count(*) from bills where day = '20261008' and state = 'equal'").await,
            1,
            "{end:?}"
        );
        let day = manager.page("/admin/money/2026-10-08").await;
        assert!(day.contains(words) && day.contains("没有差异"), "{words}: {day}");
        assert_eq!(w.count("select -sum(amount_fen) from ledger where kind = 'fee'").await, 60, "{end:?}");
        if end == RefundEnd::Processing {
            // It arrives days later: the fee comes back with it.
            w.wechat.end_refund(&w.wechat.all_refunds()[0].refund_id, RefundEnd::Success).unwrap();
            for _ in 0..2 {
                next_morning(&w).await;
            }
            let fee = "select -sum(amount_fen) from ledger where kind = 'fee'";
            w.wait("the fee", || async { w.count(fee).await == 0 }).await;
            assert!(!manager.page("/admin/money/2026-10-08").await.contains(words));
        }
        w.must_hold().await;
    }
}

/// 老资金流: what is not settled yet is short, so the same number goes out again, to be paid from the balance.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_paid_from_the_balance_where_unsettled_money_is_short() {
    for (api, unsettled, balance, state, words) in [
        ("v2", Some(0), None, "succeeded", "改用商户余额"),
        ("v3", Some(0), None, "succeeded", "改用商户余额"),
        ("v2", Some(0), Some(0), "failed", "余额不足"),
        ("v3", Some(0), Some(0), "failed", "余额不足"),
        // The new flow of funds: a person tops it up.
        ("v2", None, Some(0), "failed", "余额不足"),
    ] {
        let w = v3::world(api).await;
        let sku = w.product("苹果", 10_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let placed = w.paid(&alice, sku, 1).await;
        w.wechat.ways(|ways| (ways.unsettled_fen, ways.balance_fen) = (unsettled, balance));
        refund_whole(&w, &manager, &placed).await;
        for _ in 0..3 {
            w.advance(61 * SECOND);
            w.run_jobs().await;
        }
        let sql = match state {
            "succeeded" => "select count(*) from refunds where state = 'succeeded'",
            _ => "select count(*) from refunds where state = 'failed'",
        };
        w.wait(state, || async { w.count(sql).await == 1 }).await;
        // One number, whatever it was paid from.
        assert_eq!(w.count("select count(*) from refunds").await, 1);
        assert_eq!(w.wechat.all_refunds().len(), usize::from(state == "succeeded"), "{api} {unsettled:?}");
        if state == "failed" {
            let page = manager.page("/admin/refunds?tab=trouble").await;
            assert!(page.contains(words), "{words}: {page}");
            w.wechat.ways(|ways| ways.balance_fen = None);
            let number = page.split("/admin/refunds/2026").nth(1).unwrap().split('"').next().unwrap();
            manager.post(&format!("/admin/refunds/2026{number}/retry"), &[]).await;
            for _ in 0..3 {
                w.advance(61 * SECOND);
                w.run_jobs().await;
            }
            w.wait("the retry", || async { w.wechat.all_refunds().len() == 1 }).await;
        }
        w.must_hold().await;
    }
}

/// Refunds out of money that was not settled yet pass by the balance: a day with nothing else has no flow, and no difference.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_with_refunds_alone_and_without_a_fund_flow_is_no_difference() {
    for api in ["v2", "v3"] {
        let w = v3::world(api).await;
        let sku = w.product("苹果", 10_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let placed = w.paid(&alice, sku, 1).await;
        next_morning(&w).await;
        matched(&w).await;
        refund_whole(&w, &manager, &placed).await;
        let none = match api {
            "v2" => Fault::refused("NO_BILL_EXIST", "账单不存在"),
            _ => Fault::refused("NO_STATEMENT_EXIST", "账单不存在"),
        };
        w.wechat.fault_always("downloadfundflow", none);
        next_morning(&w).await;
        let done = "select count(*) from bills where day = '20261009' and state = 'equal'";
        w.wait("the match", || async { w.count(done).await == 1 }).await;
        let page = manager.page("/admin/money/2026-10-09").await;
        assert!(page.contains("微信没有这一天的资金账单"), "{api}: {page}");
    }
}
