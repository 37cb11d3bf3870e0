//! Coupons of WeChat Pay: what a buyer paid, what an order costs and what is settled, by either version of the API.

use calamine::{Data, Reader, Xlsx};
use xiaopu::clock::Day;
use xiaopu::simulator::RefundEnd;
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

/// What the books have of a kind: its amounts, and what of them is settled, in the order in which they came.
async fn booked(w: &World, kind: &'static str) -> Vec<(i64, i64)> {
    let read = move |conn: &rusqlite::Connection| {
        let mut rows =
            conn.prepare("select amount_fen, amount_fen - borne_fen from ledger where kind = ?1 order by id")?;
        let found = rows.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok::<_, xiaopu::error::Error>(found)
    };
    w.shop.db.read(read).await.unwrap()
}

/// 100.00, given back in three uneven parts: both axes add up to the fen, and the bill says the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_is_right_to_the_fen_for_payments_and_partial_refunds() {
    // Version; coupons 充值 and 免充值; what is settled; then of each refund of 33.33, 33.33 and 33.34.
    for (api, cash, no_cash, settled, leaves) in [
        ("v2", 0, 0, 10_000, [-3_333, -3_333, -3_334]),
        ("v2", 2_000, 0, 10_000, [-3_333, -3_333, -3_334]),
        ("v2", 0, 2_000, 8_000, [-2_667, -2_667, -2_666]),
        ("v2", 1_500, 2_001, 7_999, [-2_667, -2_666, -2_666]),
        ("v3", 0, 0, 10_000, [-3_333, -3_333, -3_334]),
        ("v3", 2_000, 0, 10_000, [-3_333, -3_333, -3_334]),
        ("v3", 0, 2_000, 8_000, [-2_667, -2_667, -2_666]),
        ("v3", 1_500, 2_001, 7_999, [-2_667, -2_666, -2_666]),
        // The merchant pays for it all.
        ("v3", 0, 10_000, 0, [0, 0, 0]),
    ] {
        let case = format!("{api} {cash} {no_cash}");
        let w = v3::world(api).await;
        let sku = w.product("苹果", 10_000, 9).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        w.wechat.ways(|ways| (ways.coupon_cash_fen, ways.coupon_no_cash_fen) = (cash, no_cash));
        let placed = w.paid(&alice, sku, 1).await;
        assert_eq!(booked(&w, "payment").await, [(10_000, settled)], "{case}");
        for yuan in ["33.33", "33.33", "33.34"] {
            manager.give_back(&alice, &placed, ("0", yuan, false)).await;
        }
        let back: Vec<_> = [-3_333, -3_333, -3_334].into_iter().zip(leaves).collect();
        assert_eq!(booked(&w, "refund").await, back, "{case}");
        w.must_hold().await;
        next_morning(&w).await;
        let equal = "select count(*) from bills where day = '20261008' and state = 'equal'";
        w.wait("the match", || async { w.count(equal).await == 1 }).await;
        assert_eq!(w.count("select count(*) from money_exceptions where kind = 'bill_difference'").await, 0, "{case}");
        // Six per mille of what is settled; what a buyer did not pay costs nothing.
        let fee =
            w.count("select coalesce(-sum(amount_fen), 0) from ledger where kind = 'fee' and amount_fen < 0").await;
        assert_eq!(fee, (settled * 6 + 500) / 1000, "{case}");
        w.must_hold().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_the_accountants_report_tell_what_was_sold_from_what_arrives() {
    let w = v3::world("v2").await;
    let sku = w.product("苹果", 10_000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    w.wechat.ways(|ways| (ways.coupon_cash_fen, ways.coupon_no_cash_fen) = (500, 2_000));
    let placed = w.paid(&alice, sku, 1).await;
    // The buyer's order is what he bought, whatever he paid it with.
    assert_eq!(alice.order(&placed.no).await["paidFen"], 10_000);
    manager.give_back(&alice, &placed, ("0", "50", false)).await;
    let page = manager.page(&format!("/admin/orders/{}", placed.no)).await;
    let shares = "买家实付 ¥75.00 · 充值券 ¥5.00 · 免充值券（本店承担） ¥20.00 · 到账 ¥80.00";
    assert!(page.contains(shares), "{page}");
    next_morning(&w).await;
    w.wait("the match", || async { w.count("select count(*) from bills where state = 'equal'").await == 1 }).await;
    let day = manager.page("/admin/money/2026-10-08").await;
    // 80.00 − 40.00 − 0.24: the fee is on what is settled, and half of it came back.
    for words in
        ["1 笔 ¥100.00<br><small>到账 ¥80.00", "1 笔 ¥50.00<br><small>支出 ¥40.00", "<b>¥39.76</b>", "没有差异"]
    {
        assert!(day.contains(words), "{words}: {day}");
    }
    let home = manager.page("/admin?days=yesterday").await;
    assert!(home.contains("¥100.00<small> 实收") && home.contains("<dt>到账</dt><dd>¥80.00</dd>"), "{home}");
    assert!(manager.page("/admin/money?month=2026-10").await.contains("<dt>到账</dt><dd>¥80.00</dd>"));
    let request = w.http().get(w.at("/admin/money/2026-10/report.xlsx")).header("Cookie", &manager.cookie);
    let bytes = request.send().await.unwrap().bytes().await.unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
    let days = book.worksheet_range("按日").unwrap();
    let figures = [2, 4, 5, 7, 9, 10].map(|column| days.get_value((1, column)).cloned());
    assert_eq!(figures, [100.0, 50.0, 0.24, 39.76, 80.0, 40.0].map(|figure| Some(Data::Float(figure))));
    // A bill that settles another sum is a difference of its own, although the amounts agree.
    for (from, to, kind) in [
        ("`80.00,`25.00,", "`79.99,`25.00,", "payment_settled"),
        ("`40.00,`2.50,`ORIGINAL", "`40.01,`2.50,`ORIGINAL", "refund_settled"),
    ] {
        let bill = w.wechat.bill(Day::of(START)).unwrap();
        let altered = bill.replacen(from, to, 1);
        assert_ne!(altered, bill, "{from} in {bill}");
        w.wechat.set_bill(Day::of(START), altered.into_bytes());
        manager.post("/admin/money/2026-10-08/match", &[]).await;
        let sql = match kind {
            "payment_settled" => {
                "select count(*) from money_exceptions where difference = 'payment_settled' and state = 'open'"
            }
            _ => "select count(*) from money_exceptions where difference = 'refund_settled' and state = 'open'",
        };
        w.wait(kind, || async { w.count(sql).await == 1 }).await;
        assert!(manager.page("/admin/money/2026-10-08").await.contains("金额不同"), "{kind}");
        w.wechat.reset_bills();
    }
}

/// A notice of API v3 does not say what leaves the merchant, so of such a payment it is a hint to ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_notice_of_api_v3_alone_books_nothing_where_a_coupon_was_borne() {
    let w = v3::world("v3").await;
    let sku = w.product("苹果", 10_000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    w.wechat.ways(|ways| {
        ways.coupon_no_cash_fen = 2_000;
        ways.refund_end = RefundEnd::Processing;
    });
    let placed = w.paid(&alice, sku, 1).await;
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    manager.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
    w.run_jobs().await;
    w.wait("the request", || async { w.wechat.all_refunds().len() == 1 }).await;
    w.wechat.fault_always("refundquery", xiaopu::simulator::Fault::Http500);
    let heard = "select count(*) from messages where kind = 'refund_notify'";
    w.wechat.end_refund(&w.wechat.all_refunds()[0].refund_id, RefundEnd::Success).unwrap();
    w.wait("the notice", || async { w.count(heard).await > 0 }).await;
    // What it asks for has failed by then, too.
    w.run_jobs().await;
    assert_eq!(booked(&w, "refund").await, []);
    w.wechat.clear_faults();
    w.advance(6 * MINUTE);
    w.run_jobs().await;
    w.wait("the answer", || async { booked(&w, "refund").await == [(-10_000, -8_000)] }).await;
    w.must_hold().await;
}

/// The same of one that was given back in cash meanwhile: it is a refund of its own, and WeChat is asked about it under the number
/// that it has there.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_after_cash_is_asked_about_under_its_number_at_wechat() {
    let w = v3::world("v3").await;
    let sku = w.product("苹果", 10_000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    w.wechat.ways(|ways| ways.coupon_no_cash_fen = 2_000);
    let placed = w.paid(&alice, sku, 1).await;
    let number = super::refunds::given_back_in_cash(&w, &manager, &placed).await;
    w.wechat.end_refund(&number, RefundEnd::Success).unwrap();
    w.wait("the answer", || async {
        w.advance(MINUTE);
        w.run_jobs().await;
        booked(&w, "refund").await == [(-10_000, -8_000)]
    })
    .await;
    w.must_hold().await;
}

/// What is settled of a refund is optional in WeChat's answers: then it is as large a part as of the payment, and where
/// the two cannot both be, a person hears of it and every rule still holds.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_does_not_tell_of_a_refund_follows_from_the_payment() {
    // The refunds of 100.00 with a coupon of 20.00; whether the notice told of the coupon; what leaves, and what is asked.
    for (yuan, told, refunds_untold, leaves, doubts) in [
        (vec!["100"], true, true, vec![-8_000], 0),
        (vec!["33.33", "33.33", "33.34"], true, true, vec![-2_667, -2_667, -2_666], 0),
        (vec!["50"], false, false, vec![-5_000], 1),
        (vec!["100"], false, false, vec![-10_000], 1),
        (vec!["100"], false, true, vec![-10_000], 0),
    ] {
        let w = v3::world("v2").await;
        let sku = w.product("苹果", 10_000, 9).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        w.wechat.ways(|ways| (ways.coupon_no_cash_fen, ways.refunds_untold) = (2_000, refunds_untold));
        let placed = if told { w.paid(&alice, sku, 1).await } else { paid_by_a_bare_notice(&w, &alice, sku).await };
        for yuan in &yuan {
            manager.give_back(&alice, &placed, ("0", yuan, false)).await;
        }
        let left: Vec<i64> = booked(&w, "refund").await.into_iter().map(|(_, leaves)| leaves).collect();
        assert_eq!(left, leaves, "{yuan:?} {told}");
        let open = "select count(*) from money_exceptions where subject like '% settled' and state = 'open'";
        assert_eq!(w.count(open).await, doubts, "{yuan:?} {told}");
        w.must_hold().await;
        xiaopu::backups::make::make(&w.shop, "测试").await.unwrap();
        assert_eq!(w.count("select count(*) from backups where problem || broken <> ''").await, 0);
    }
}

/// The notice says nothing of the coupon that was used.
async fn paid_by_a_bare_notice(w: &World, alice: &Buyer<'_>, sku: xiaopu::ids::SkuId) -> Placed {
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, xiaopu::simulator::Paying::NoNotice);
    let mut notice = w.notice(&placed, "alice");
    notice.set("transaction_id", w.transaction(&placed));
    w.notify(signed(&notice)).await;
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    placed
}
