//! Money that fits no order: it goes back by itself where that is right, and waits for a person where it is not.

use serde_json::json;
use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;

use crate::support::*;

/// A closed order that is paid all the same, with no stock left to take it up again.
pub async fn late_without_stock(w: &World, name: &str, fen: i64) -> Placed {
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let sku = w.product(name, fen, 1).await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::Late);
    // The payer sits in the cash desk: WeChat is told to close only after the shop has given the stock away.
    w.wechat.fault_always("closeorder", Fault::Http500);
    alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
    for _ in 0..30 {
        w.advance(60 * MINUTE);
        w.run_jobs().await;
    }
    assert_eq!(w.stock(sku).await, (1, 0), "after a day nobody waits any more");
    bob.buy(sku, 1).await.ok();
    w.wechat.clear_faults();
    w.wechat.close_now(&placed.out_trade_no);
    w.wait("the late payment", || async { alice.order(&placed.no).await["paidFen"] == fen }).await;
    placed
}

async fn exception_id(w: &World, kind: &'static str) -> i64 {
    let read = move |conn: &rusqlite::Connection| {
        let sql = "select max(id) from money_exceptions where kind = ?1";
        Ok::<_, xiaopu::error::Error>(conn.query_row(sql, [kind], |row| row.get(0))?)
    };
    w.shop.db.read(read).await.unwrap()
}

async fn is_open(w: &World, id: i64) -> bool {
    let read = move |conn: &rusqlite::Connection| {
        let found = xiaopu::exceptions::store::by_id(conn, xiaopu::ids::ExceptionId(id))?;
        Ok::<_, xiaopu::error::Error>(found.unwrap().open)
    };
    w.shop.db.read(read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_without_stock_goes_back_after_two_minutes() {
    let w = World::new().await;
    let placed = late_without_stock(&w, "苹果", 1000).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let id = exception_id(&w, "late_payment").await;
    let page = manager.page("/admin/exceptions").await;
    for words in ["关闭后到账", "自动全额退回，在那之前可以停止", "立即退款", "恢复订单", "停止自动退款"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    w.advance(119 * SECOND);
    w.run_jobs().await;
    assert_eq!(w.wechat.calls("refund"), 0, "staff may still stop it");
    w.advance(SECOND);
    w.wait("the refund", || async { w.wechat.all_refunds().len() == 1 }).await;
    w.advance(11 * SECOND);
    w.wait("the money", || async { alice.order(&placed.no).await["refundedFen"] == 1000 }).await;
    assert_eq!(alice.status(&placed.no).await, "closed");
    assert!(!is_open(&w, id).await, "settled by the refund");
    let refund = &w.wechat.all_refunds()[0];
    assert_eq!((refund.out_refund_no.as_str(), refund.amount_fen), (format!("{}R01", placed.no).as_str(), 1000));
    w.must_hold().await;
}

/// It names no goods, and yet goes out again when the cause of its failure is mended; not beside another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_whose_refund_failed_goes_back_when_it_is_tried_again() {
    let w = World::new().await;
    let placed = late_without_stock(&w, "苹果", 1000).await;
    let manager = w.staff("manager", Role::Manager).await;
    w.wechat.fault_always("refund", Fault::refused("NOTENOUGH", "余额不足"));
    let number = format!("{}R01", placed.no);
    super::refunds::until(&w, &number, "failed").await;
    w.wechat.clear_faults();
    manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
    super::refunds::until(&w, &number, "succeeded").await;
    let alice = w.buyer("alice").await;
    assert_eq!(alice.order(&placed.no).await["refundedFen"], 1000);
    assert_eq!(w.wechat.all_refunds().len(), 1);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_may_stop_the_refund_and_decide_otherwise() {
    let w = World::new().await;
    let placed = late_without_stock(&w, "苹果", 1000).await;
    let alice = w.buyer("alice").await;
    let (clerk, manager) = (w.staff("clerk", Role::Clerk).await, w.staff("manager", Role::Manager).await);
    let id = exception_id(&w, "late_payment").await;
    let act = |action: &str| format!("/admin/exceptions/{id}/{action}");
    for action in ["refund", "stop", "restore", "link", "resolve"] {
        assert_eq!(clerk.post(&act(action), &[("order_no", "x"), ("resolution", "xx")]).await.0, 403, "{action}");
    }
    assert!(!clerk.page("/admin/exceptions").await.contains("停止自动退款</button>"));
    manager.post(&act("resolve"), &[("resolution", "算了")]).await;
    assert!(is_open(&w, id).await, "what is about to be refunded cannot be put aside");
    manager.post(&act("stop"), &[]).await;
    w.advance(10 * MINUTE);
    w.run_jobs().await;
    assert_eq!(w.wechat.calls("refund"), 0);
    assert!(is_open(&w, id).await, "the money is still there, so is the question");
    manager.post(&act("stop"), &[]).await;
    assert!(manager.said("/admin/exceptions").await.contains("现在不能这样处理"));
    // There is nothing to sell again; then there is.
    manager.post(&act("restore"), &[]).await;
    assert!(manager.said("/admin/exceptions").await.contains("库存不够"));
    assert_eq!(alice.status(&placed.no).await, "closed");
    let sku = alice.order(&placed.no).await["lines"][0]["skuId"].as_str().unwrap().parse().unwrap();
    let restock = move |tx: &xiaopu::db::Tx| {
        Ok::<_, xiaopu::error::Error>(xiaopu::catalogue::stock::adjust(tx, sku, 5, None, "进货")?)
    };
    w.shop.db.write(restock).await.unwrap();
    manager.post(&act("restore"), &[]).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert!(!is_open(&w, id).await);
    w.must_hold().await;
}

/// Of two who decide at once, the second is told what the first has done, and the first what has truly happened.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_decides_from_a_page_of_before_is_told_how_it_stands() {
    let shown_on = |page: &str| {
        let rest = page.split_once(r#"name="shown" value=""#).unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    };
    for first in ["refund", "stop", "restore"] {
        for second in ["refund", "stop", "restore", "link"].into_iter().filter(|second| *second != first) {
            let w = World::new().await;
            let placed = late_without_stock(&w, "苹果", 1000).await;
            let (ann, bob) = (w.staff("ann", Role::Manager).await, w.staff("bob", Role::Manager).await);
            let sku = w.buyer("alice").await.order(&placed.no).await["lines"][0]["skuId"].as_str().unwrap().parse();
            let sku = sku.unwrap();
            let restock = move |tx: &xiaopu::db::Tx| {
                Ok::<_, xiaopu::error::Error>(xiaopu::catalogue::stock::adjust(tx, sku, 5, None, "进货")?)
            };
            w.shop.db.write(restock).await.unwrap();
            let id = exception_id(&w, "late_payment").await;
            let shown = shown_on(&ann.page("/admin/exceptions").await);
            assert_eq!(shown, shown_on(&bob.page(&format!("/admin/exceptions/{id}/refund")).await));
            let form = [("shown", shown.as_str()), ("order_no", placed.no.as_str())];
            ann.post(&format!("/admin/exceptions/{id}/{first}"), &form).await;
            let said = ann.said("/admin/exceptions").await;
            assert!(!said.contains("没有执行") && !said.contains("退款已发出"), "{first} {second}: {said}");
            bob.post(&format!("/admin/exceptions/{id}/{second}"), &form).await;
            let said = bob.said("/admin/exceptions").await;
            assert!(said.contains("没有执行：打开这一页之后情况变了"), "{first} {second}: {said}");
            let acts = "select count(*) from audit_log where what glob '资金异常*'";
            assert_eq!(w.count(acts).await, 1, "{first} {second}");
            w.must_hold().await;
        }
    }
}

/// A refund that WeChat refused may have been made in its console instead: whoever takes the order up again is told to look
/// before goods leave for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_taken_up_after_a_refused_refund_is_looked_at_before_it_is_sent() {
    let w = World::new().await;
    let placed = late_without_stock(&w, "苹果", 1000).await;
    let (manager, alice) = (w.staff("manager", Role::Manager).await, w.buyer("alice").await);
    let id = exception_id(&w, "late_payment").await;
    w.wechat.fault_always("refund", Fault::refused("NOTENOUGH", "余额不足"));
    let number = format!("{}R01", placed.no);
    super::refunds::until(&w, &number, "failed").await;
    manager.post(&format!("/admin/refunds/{number}/stop"), &[]).await;
    let sku = alice.order(&placed.no).await["lines"][0]["skuId"].as_str().unwrap().parse().unwrap();
    let restock = move |tx: &xiaopu::db::Tx| {
        Ok::<_, xiaopu::error::Error>(xiaopu::catalogue::stock::adjust(tx, sku, 5, None, "进货")?)
    };
    w.shop.db.write(restock).await.unwrap();
    manager.post(&format!("/admin/exceptions/{id}/restore"), &[]).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    let page = format!("/admin/orders/{}", placed.no);
    manager.ship(&page).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert!(manager.page(&page).await.contains("没有人手工退过"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_refund_can_be_sent_after_all() {
    let w = World::new().await;
    let placed = late_without_stock(&w, "苹果", 1000).await;
    let manager = w.staff("manager", Role::Manager).await;
    let alice = w.buyer("alice").await;
    let id = exception_id(&w, "late_payment").await;
    manager.post(&format!("/admin/exceptions/{id}/stop"), &[]).await;
    let confirm = manager.page(&format!("/admin/exceptions/{id}/refund")).await;
    assert!(confirm.contains("¥10.00") && confirm.contains(&w.transaction(&placed)), "{confirm}");
    manager.post(&format!("/admin/exceptions/{id}/refund"), &[]).await;
    w.wait("the refund", || async { w.wechat.all_refunds().len() == 1 }).await;
    assert_eq!(w.wechat.all_refunds()[0].out_refund_no, format!("{}R02", placed.no));
    w.advance(11 * SECOND);
    w.wait("the money", || async { alice.order(&placed.no).await["refundedFen"] == 1000 }).await;
    assert!(!is_open(&w, id).await);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_payment_goes_back_under_a_number_that_stays() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let first = Placed::of(alice.buy(sku, 1).await);
    // While WeChat cannot be asked, the attempt stays open; the owner takes cash, and then it is paid as well.
    w.wechat.fault_always("orderquery", Fault::Http500);
    w.wechat.fault_always("closeorder", Fault::Http500);
    let owner = w.staff("owner", Role::Owner).await;
    owner.post(&format!("/admin/orders/{}/offline", first.no), &[("reason", "现金")]).await;
    assert_eq!(alice.status(&first.no).await, "to_ship");
    w.wechat.clear_faults();
    w.pay(&first, Paying::Well);
    w.wait("the second payment", || async {
        w.count("select count(*) from money_exceptions where kind = 'duplicate_payment'").await == 1
    })
    .await;
    // Answers get lost on the way; the number stays, and there is one refund.
    w.wechat.fault("refund", Fault::LoseAnswer);
    w.wechat.fault("refundquery", Fault::LoseAnswer);
    for _ in 0..8 {
        w.advance(61 * SECOND);
        w.run_jobs().await;
    }
    let refunds = w.wechat.refunds(&w.transaction(&first));
    assert_eq!(refunds.len(), 1);
    assert_eq!((refunds[0].out_refund_no.clone(), refunds[0].amount_fen), (format!("{}R01", first.no), 1000));
    let id = exception_id(&w, "duplicate_payment").await;
    assert!(!is_open(&w, id).await);
    let order = alice.order(&first.no).await;
    assert_eq!(
        (&order["status"], &order["paidFen"], &order["refundedFen"]),
        (&json!("to_ship"), &json!(1000), &json!(0))
    );
    w.must_hold().await;
}

/// An order stands on it, so it is not given back whole beside the order, nor does it pay another: what goes back of it is
/// the order's refund, for the sum that its page says.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_an_order_stands_on_is_not_given_back_beside_it() {
    for (told, kind) in [("", "amount_mismatch"), ("total_fee", "amount_mismatch"), ("out_trade_no", "orphan_payment")]
    {
        let w = World::new().await;
        let sku = w.product("苹果", 10_000, 9).await;
        let alice = w.buyer("alice").await;
        let manager = w.staff("manager", Role::Manager).await;
        let placed = Placed::of(alice.buy(sku, 1).await);
        if !told.is_empty() {
            // Paid, and then somebody with the key says of the same payment that it was another sum, or another number's.
            w.pay(&placed, Paying::Well);
            w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
            let mut notice = w.notice(&placed, "alice");
            notice.set("transaction_id", w.transaction(&placed));
            notice.set(told, "1");
            if told == "total_fee" {
                notice.set("cash_fee", "1");
            }
            w.notify(signed(&notice)).await;
        } else {
            // Paid at the price of before it was made cheaper.
            let form = [("total", "80.00"), ("freight", "0"), ("reason", "老客优惠")];
            manager.post(&format!("/admin/orders/{}/price", placed.no), &form).await;
            w.pay(&placed, Paying::Well);
            w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        }
        let id = exception_id(&w, kind).await;
        let page = manager.page("/admin/exceptions").await;
        assert!(page.contains("记在订单里") && !page.contains("立即退款") && !page.contains("关联到订单"), "{page}");
        assert_eq!(page.contains("微信又说它是 0.01 CNY"), told == "total_fee", "{page}");
        for (action, form) in [("refund", vec![]), ("link", vec![("order_no", placed.no.as_str())])] {
            manager.post(&format!("/admin/exceptions/{id}/{action}"), &form).await;
        }
        w.run_jobs().await;
        assert_eq!(w.wechat.calls("refund"), 0);
        let order = alice.order(&placed.no).await;
        assert_eq!(
            (&order["status"], &order["paidFen"], &order["refundedFen"]),
            (&json!("to_ship"), &json!(10_000), &json!(0))
        );
        manager.post(&format!("/admin/exceptions/{id}/resolve"), &[("resolution", "核对过了")]).await;
        assert!(!is_open(&w, id).await);
        w.must_hold().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_nobody_knows_waits_for_a_person() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    // One fen short: the order is not paid, and the money is not sent back by itself.
    let short = Placed::of(alice.buy(sku, 1).await);
    w.pay(&short, Paying::OtherAmount);
    w.wait("the exception", || async { w.count("select count(*) from money_exceptions").await == 1 }).await;
    w.advance(10 * MINUTE);
    w.run_jobs().await;
    assert_eq!((w.wechat.calls("refund"), alice.status(&short.no).await.as_str()), (0, "pending_payment"));
    let id = exception_id(&w, "amount_mismatch").await;
    let page = manager.page("/admin/exceptions").await;
    assert!(page.contains("系统不会自动退") && page.contains("关联到订单"), "{page}");
    // It can be linked to an order of just that sum: the price is agreed on first.
    let link = format!("/admin/exceptions/{id}/link");
    for (number, words) in
        [("", "不是订单号"), ("20261008ABCDEFGHJK", "没有订单"), (short.no.as_str(), "金额不同不能关联")]
    {
        manager.post(&link, &[("order_no", number)]).await;
        let said = manager.said("/admin/exceptions").await;
        assert!(said.contains(words), "{words}: {said}");
    }
    let form = [("total", "9.99"), ("freight", "0"), ("reason", "按实付")];
    manager.post(&format!("/admin/orders/{}/price", short.no), &form).await;
    manager.post(&link, &[("order_no", &short.no.to_lowercase())]).await;
    let order = alice.order(&short.no).await;
    assert_eq!((&order["status"], &order["paidFen"]), (&json!("to_ship"), &json!(999)));
    assert!(!is_open(&w, id).await);
    w.must_hold().await;
    // And given back like any other order's money.
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    manager.post(&format!("/admin/orders/{}/refund", short.no), &form).await;
    w.wait("the refund", || async { w.wechat.refunds(&w.transaction(&short)).len() == 1 }).await;
    w.advance(11 * SECOND);
    w.wait("the order's end", || async { alice.status(&short.no).await == "closed" }).await;
    w.must_hold().await;
    // Of an unknown number: sent back when somebody says so, under a number of its own.
    let other = Placed::of(alice.buy(sku, 1).await);
    let mut notice = w.notice(&other, "alice");
    notice.set("out_trade_no", "OTHER-SYSTEM-0001");
    notice.set("transaction_id", "42-orphan");
    w.notify(signed(&notice)).await;
    let id = exception_id(&w, "orphan_payment").await;
    let page = manager.page(&format!("/admin/exceptions/{id}/refund")).await;
    assert!(page.contains("全额原路退回") && page.contains(">确认退款 ¥10.00</button>"), "{page}");
    manager.post(&format!("/admin/exceptions/{id}/refund"), &[]).await;
    assert!(manager.page("/admin/exceptions").await.contains("本店没有这样的支付单"));
    // The simulated WeChat does not know that payment either; the real one would.
    w.wait("the refusal", || async {
        w.count("select count(*) from refunds where problem_code = 'ORDERNOTEXIST'").await == 1
    })
    .await;
    assert!(is_open(&w, id).await, "a refund that failed settles nothing");
    assert!(manager.page("/admin/exceptions").await.contains("没有成功"));
    w.must_hold().await;
}

/// Money that was reported twice and linked by one of the two is offered by the other no more, and a refund that was to give it back
/// before gives nothing back beside the order.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_pays_an_order_goes_back_by_no_other_item_or_refund() {
    for stopped in [true, false] {
        let w = World::new().await;
        let sku = w.product("苹果", 1000, 9).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let (paid, other) = (w.paid(&alice, sku, 1).await, Placed::of(alice.buy(sku, 1).await));
        w.wechat.fault_always("refund", Fault::refused("NOTENOUGH", "余额不足"));
        let mut notice = w.notice(&paid, "alice");
        notice.set("transaction_id", "4200009001");
        w.notify(signed(&notice)).await;
        let twice = exception_id(&w, "duplicate_payment").await;
        w.advance(3 * MINUTE);
        w.run_jobs().await;
        let number = "select out_refund_no from refunds where state = 'failed'";
        let number: String = w.shop.read(move |conn| Ok(conn.query_row(number, [], |row| row.get(0))?)).await.unwrap();
        let refund = format!("/admin/refunds/{number}");
        if stopped {
            manager.post(&format!("{refund}/stop"), &[]).await;
        }
        notice.set("out_trade_no", "OTHER-SYSTEM-0001");
        w.notify(signed(&notice)).await;
        let orphan = exception_id(&w, "orphan_payment").await;
        manager.post(&format!("/admin/exceptions/{orphan}/link"), &[("order_no", &other.no)]).await;
        assert_eq!(alice.status(&other.no).await, "to_ship", "{stopped}");
        w.wechat.clear_faults();
        // Its goods wait for somebody who has looked, and are said to wait for our own refund: WeChat has told of none.
        let here = format!("/admin/orders/{}", other.no);
        manager.ship(&here).await;
        let said = manager.said(&here).await;
        assert!(said.contains("微信没有受理，还没有人核对过") && !said.contains("微信说这笔"), "{stopped}: {said}");
        // By the other item, by its link, and by the refund of before.
        let page = manager.page("/admin/exceptions").await;
        assert!(!page.contains(&format!("/admin/exceptions/{twice}/refund")), "{stopped}: {page}");
        let third = Placed::of(alice.buy(sku, 1).await);
        manager.post(&format!("/admin/exceptions/{twice}/refund"), &[]).await;
        manager.post(&format!("/admin/exceptions/{twice}/link"), &[("order_no", &third.no)]).await;
        manager.post(&format!("{refund}/retry"), &[]).await;
        if !stopped {
            assert!(manager.said(&refund).await.contains("后来关联到了订单"));
        }
        w.advance(3 * MINUTE);
        w.run_jobs().await;
        assert_eq!(w.wechat.calls("refund"), 1, "{stopped}: the one that was refused");
        assert_eq!(w.count("select count(*) from refunds where state <> 'cancelled'").await, i64::from(!stopped));
        assert_eq!(alice.status(&third.no).await, "pending_payment", "{stopped}");
        w.must_hold().await;
    }
}

/// An order that a linked payment pays is asked about by WeChat's number of that payment: what went back of it is heard of, though the notice
/// of that was lost, as of an order that its own attempt pays.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_asked_about_by_the_payment_that_was_linked_to_it() {
    for (api, absent) in [("v2", "ORDERNOTEXIST"), ("v3", "ORDER_NOT_EXIST")] {
        let w = super::v3::world(api).await;
        w.wechat.ways(|ways| ways.refund_notices = false);
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, bob, boss) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("boss", Role::Manager).await);
        let (placed, waiting) = (Placed::of(alice.buy(sku, 1).await), Placed::of(bob.buy(sku, 1).await));
        let id = super::numbers::orphan(&w, &alice, &placed).await;
        let inbox = boss.page("/admin/exceptions").await;
        assert!(inbox.contains("单号像是本店的，本店却没有这个订单"), "{api}: {inbox}");
        boss.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
        assert_eq!(bob.status(&waiting.no).await, "to_ship", "{api}");
        w.run_jobs().await;
        let here = format!("/admin/orders/{}", waiting.no);
        let (query, transaction) = (format!("{here}/query"), w.transaction(&placed));
        let asked = format!(
            "select count(*) from messages m join orders o on o.id = m.order_id where m.kind = 'orderquery'
                and o.order_no = '{}' and m.transaction_id = '{transaction}'",
            waiting.no
        );
        assert!(boss.page(&here).await.contains(&query), "{api}");
        let ask = async |words: &str| {
            boss.post(&query, &[]).await;
            let said = boss.said(&here).await;
            assert!(said.contains(words), "{api} {words}: {said}");
        };
        let before = w.count(asked.clone()).await;
        ask("微信回答：已支付 ¥88.00").await;
        assert_eq!(w.count(asked).await, before + 1, "{api}");
        w.wechat.fault("orderquery", Fault::refused(absent, "订单不存在"));
        ask(&format!("没有这笔关联的付款，请到商户平台按微信交易号 {transaction} 核对")).await;
        w.wechat.fault("orderquery", Fault::Http500);
        ask("没有查到").await;
        assert_eq!(w.count("select count(*) from money_exceptions where state = 'open'").await, 0, "{api}");
        w.wechat.refund_by_console(&transaction, 8800).unwrap();
        ask("之后有过退款").await;
        if api == "v2" {
            w.wait("the refund", || async {
                w.advance(MINUTE);
                w.run_jobs().await;
                bob.status(&waiting.no).await == "closed"
            })
            .await;
        }
        // API v3 lists no refunds: its goods wait for somebody who has looked.
        boss.ship(&here).await;
        assert_eq!(bob.status(&waiting.no).await, if api == "v2" { "closed" } else { "to_ship" }, "{api}");
        assert_eq!(boss.said(&here).await.contains("还没有人核对过"), api == "v3", "{api}");
        w.must_hold().await;
    }
}

/// Money that lay beside the orders for a while may have been given back in WeChat's console, and the notice of that lost: it pays no order
/// before somebody has looked, and where WeChat could not be asked nothing is sent for it.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_went_back_meanwhile_is_linked_to_no_order() {
    for (api, back) in [("v2", 8800), ("v3", 8800), ("v2", 500), ("v3", 500), ("v2", 0), ("v3", 0)] {
        let case = format!("{api} {back}");
        let w = super::v3::world(api).await;
        w.wechat.ways(|ways| ways.refund_notices = false);
        let sku = w.product("苹果", 8800, 99).await;
        let (alice, bob, boss) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("boss", Role::Manager).await);
        let (placed, waiting) = (Placed::of(alice.buy(sku, 1).await), Placed::of(bob.buy(sku, 1).await));
        let id = super::numbers::orphan(&w, &alice, &placed).await;
        w.run_jobs().await;
        if back > 0 {
            w.wechat.refund_by_console(&w.transaction(&placed), back).unwrap();
        } else {
            w.wechat.fault_always("orderquery", Fault::Http500);
        }
        let link = format!("/admin/exceptions/{id}/link");
        boss.post(&link, &[("order_no", &waiting.no)]).await;
        let said = boss.said("/admin/exceptions").await;
        let here = format!("/admin/orders/{}", waiting.no);
        if back == 0 {
            assert!(said.contains("已关联"), "{case}: {said}");
            boss.ship(&here).await;
            let said = boss.said(&here).await;
            assert!(
                said.contains("没能向微信问清这笔款有没有退过") && said.contains("还没有人核对过"),
                "{case}: {said}"
            );
            assert_eq!(bob.status(&waiting.no).await, "to_ship", "{case}");
            w.must_hold().await;
            continue;
        }
        assert!(said.contains("微信说这笔付款已有退款") && said.contains("再关联"), "{case}: {said}");
        assert_eq!(bob.status(&waiting.no).await, "pending_payment", "{case}");
        if api == "v2" {
            let known = "select count(*) from refunds where state = 'succeeded'";
            w.wait("the refund", || async {
                w.advance(MINUTE);
                w.run_jobs().await;
                w.count(known).await == 1
            })
            .await;
            boss.post(&link, &[("order_no", &waiting.no)]).await;
            assert_eq!(bob.status(&waiting.no).await, "pending_payment", "{case}: what is left is another sum");
        }
        w.must_hold().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_pays_the_closed_order_it_is_linked_to() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 1).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
    w.advance(5 * MINUTE);
    w.wait("the closing", || async { w.stock(sku).await == (1, 0) }).await;
    let mut notice = w.notice(&placed, "alice");
    notice.set("out_trade_no", "OTHER-SYSTEM-0001");
    w.notify(signed(&notice)).await;
    let id = exception_id(&w, "orphan_payment").await;
    let link = format!("/admin/exceptions/{id}/link");
    // Somebody else has the last piece: nothing of the attempt stays behind.
    let held = Placed::of(w.buyer("bob").await.buy(sku, 1).await);
    manager.post(&link, &[("order_no", &placed.no)]).await;
    assert!(manager.said("/admin/exceptions").await.contains("库存不够"));
    assert_eq!(
        (alice.status(&placed.no).await.as_str(), alice.order(&placed.no).await["paidFen"].as_i64()),
        ("closed", Some(0))
    );
    w.must_hold().await;
    w.buyer("bob").await.post(&format!("/orders/{}/cancel", held.no), None).await.ok();
    w.advance(5 * MINUTE);
    w.wait("the closing", || async { w.stock(sku).await == (1, 0) }).await;
    manager.post(&link, &[("order_no", &placed.no)]).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert_eq!(w.stock(sku).await, (1, 1));
    // The same money pays no second order.
    manager.post(&link, &[("order_no", &placed.no)]).await;
    assert!(manager.said("/admin/exceptions").await.contains("已经处理过"));
    // WeChat knows nothing of it, so what it pays for waits. Told again, it is known; told otherwise, it is not.
    let told = async |w: &World| {
        let last = "select verdict || ' ' || reason from messages where kind = 'notify' order by id desc limit 1";
        let last: String = w.shop.read(move |conn| Ok(conn.query_row(last, [], |row| row.get(0))?)).await.unwrap();
        (last, w.count("select count(*) from money_exceptions").await)
    };
    w.notify(signed(&notice)).await;
    assert_eq!(told(&w).await, ("ok 重复通知，之前已入账".into(), 2));
    for (name, value) in [("out_trade_no", "OTHER-SYSTEM-0002"), ("total_fee", "1")] {
        let mut other = notice.clone();
        other.set(name, value);
        w.notify(signed(&other)).await;
        let (last, _) = told(&w).await;
        assert!(last.starts_with("suspicious 找不到对应的支付单"), "{name}: {last}");
    }
    w.must_hold().await;
}

/// Of money that fits no order some has gone back already, in WeChat's own console: what is left goes back, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_payment_beside_orders_goes_back() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let short = Placed::of(alice.buy(sku, 1).await);
    w.pay(&short, Paying::OtherAmount);
    w.wait("the exception", || async { w.count("select count(*) from money_exceptions").await == 1 }).await;
    let id = exception_id(&w, "amount_mismatch").await;
    let payment = w.transaction(&short);
    w.wechat.refund_by_console(&payment, 500).unwrap();
    w.advance(5 * SECOND);
    w.wait("the row", || async { w.count("select count(*) from refunds where state = 'succeeded'").await == 1 }).await;
    let to = format!("/admin/exceptions/{id}/refund");
    let page = manager.page(&to).await;
    assert!(page.contains("余下的 <b>¥4.99</b>") && page.contains(">确认退款 ¥4.99</button>"), "{page}");
    manager.post(&to, &[]).await;
    w.wait("the rest", || async { w.wechat.refunds(&payment).iter().map(|one| one.amount_fen).sum::<i64>() == 999 })
        .await;
    manager.post(&to, &[]).await;
    w.run_jobs().await;
    assert_eq!(w.wechat.refunds(&payment).len(), 2, "nothing is left to go back");
    w.must_hold().await;
}

/// Money that went back, or some of it, pays no order any more; where all of it did, nobody has to decide about it.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_back_in_wechats_console_pays_no_order() {
    for (back, open) in [(1, true), (500, true), (999, false)] {
        let w = World::new().await;
        let sku = w.product("苹果", 999, 9).await;
        let alice = w.buyer("alice").await;
        let manager = w.staff("manager", Role::Manager).await;
        let paid = Placed::of(alice.buy(sku, 1).await);
        let waiting = Placed::of(w.buyer("bob").await.buy(sku, 1).await);
        let id = super::numbers::orphan(&w, &alice, &paid).await;
        w.wechat.refund_by_console(&w.transaction(&paid), back).unwrap();
        w.advance(5 * SECOND);
        w.wait("the row", || async { w.count("select count(*) from refunds where state = 'succeeded'").await == 1 })
            .await;
        assert_eq!(is_open(&w, id).await, open, "{back}");
        manager.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &waiting.no)]).await;
        let said = manager.said("/admin/exceptions").await;
        assert!(said.contains(if open { "已经有退款" } else { "已经处理过" }), "{back}: {said}");
        let paid_fen = "select sum(paid_fen) from orders";
        assert_eq!(w.count(paid_fen).await, 0, "{back}");
        w.must_hold().await;
    }
}
