//! Refunds: asked for, agreed to, sent once whatever happens on the way, and never more than was paid.

use reqwest::Method;
use serde_json::{Value, json};
use xiaopu::simulator::{Fault, Paying, RefundEnd};
use xiaopu::staff::Role;
use xiaopu::wechat::Api;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign;

use crate::support::*;

fn asked() -> Value {
    json!({ "reason": "不想要了" })
}

/// Staff give money back for so many pieces of the order's only line, past the second screen.
pub async fn refund_pieces(w: &World, console: &Console<'_>, placed: &Placed, pieces: i64) -> String {
    let line = line_of(w, placed).await.to_string();
    let pieces = pieces.to_string();
    let form = [
        ("lines[0].id", line.as_str()),
        ("lines[0].quantity", &pieces),
        ("reason", "协商一致退款"),
        ("confirmed", "true"),
    ];
    let (status, to) = console.post(&format!("/admin/orders/{}/refund", placed.no), &form).await;
    assert_eq!(status, 303, "{to}");
    to.strip_prefix("/admin/refunds/").unwrap_or_else(|| panic!("{to}")).to_owned()
}

/// A piece whose refund WeChat took on and the bank sent back, given back in cash instead: its number. What WeChat does with
/// refunds after that, its ways say.
pub async fn given_back_in_cash(w: &World, console: &Console<'_>, placed: &Placed) -> String {
    w.wechat.ways(|ways| ways.refund_end = RefundEnd::Processing);
    let number = refund_pieces(w, console, placed, 1).await;
    w.wait("the refund", || async { w.wechat.all_refunds().len() == 1 }).await;
    w.wechat.end_refund(&number, RefundEnd::Change).unwrap();
    until(w, &number, "abnormal").await;
    console.post(&format!("/admin/refunds/{number}/other-means"), &[("words", "现金")]).await;
    number
}

/// Nothing is given back for goods that left while the second screen said that they were here: it is shown once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_screen_is_of_where_the_goods_are() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    for asked in [false, true] {
        let placed = w.paid(&alice, sku, 2).await;
        let line = line_of(&w, &placed).await.to_string();
        let (mut to, pieces) = (format!("/admin/orders/{}/refund", placed.no), if asked { "1" } else { "2" });
        if asked {
            let wish = json!({ "lines": [{ "lineId": line, "quantity": 1 }], "reason": "不想要了" });
            let wish = alice.ask_refund(&placed.no, &w.key(), wish).await.ok();
            to = format!("/admin/refunds/{}/approve", wish["refundNo"].as_str().unwrap());
        }
        let form = [("lines[0].id", line.as_str()), ("lines[0].quantity", pieces), ("reason", "不想要了")];
        let seen = seen_on(&manager.page_of(&to, &form).await);
        let confirmed = [&form[..], &[("confirmed", "true"), ("seen", seen.as_str())]].concat();
        let parcel = [("tracking_no", "SF1234567890123"), ("despite_refund", "true")];
        manager.post(&format!("/admin/orders/{}/ship", placed.no), &parcel).await;
        manager.post(&to, &confirmed).await;
        let said = manager.said(&to.replace("/approve", "")).await;
        assert!(said.contains("打开这一页之后，这笔订单又有了"), "{asked}: {said}");
        assert!(w.wechat.refunds(&w.transaction(&placed)).is_empty(), "{asked}");
        // Seen again, it is what they mean.
        let seen = seen_on(&manager.page_of(&to, &form).await);
        manager.post(&to, &[&form[..], &[("confirmed", "true"), ("seen", seen.as_str())]].concat()).await;
        w.wait("the refund", || async { w.wechat.refunds(&w.transaction(&placed)).len() == 1 }).await;
    }
}

/// Nor is a piece paid for once more while a colleague gives its refused refund back in cash.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_screen_is_of_what_became_of_the_other_refunds() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let (placed, other) = (w.paid(&alice, sku, 3).await, w.paid(&alice, sku, 3).await);
    let refused = refused(&w, &manager, [&placed, &other]).await;
    let line = line_of(&w, &placed).await.to_string();
    let to = format!("/admin/orders/{}/refund", placed.no);
    let form = [("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "碎了")];
    let seen = seen_on(&manager.page_of(&to, &form).await);
    let confirmed = [&form[..], &[("confirmed", "true"), ("seen", seen.as_str())]].concat();
    manager.post(&format!("/admin/refunds/{}/other-means", refused[0]), &[("words", "现金")]).await;
    manager.post(&to, &confirmed).await;
    assert!(manager.said(&to).await.contains("打开这一页之后"));
    assert_eq!(w.count("select count(*) from refunds where state = 'succeeded'").await, 1);
    assert_eq!(w.count("select count(*) from refunds").await, 2);
}

/// What was confirmed is sent once: the same second screen again would be another refund of another piece.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_screen_that_is_sent_twice_gives_back_once() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let placed = w.paid(&alice, sku, 3).await;
    let line = line_of(&w, &placed).await.to_string();
    let to = format!("/admin/orders/{}/refund", placed.no);
    let mut form = vec![("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "协商一致退款")];
    let screen = manager.page_of(&to, &form).await;
    let seen = seen_on(&screen);
    form.extend([("confirmed", "true"), ("seen", seen.as_str())]);
    let (first, second) = tokio::join!(manager.post(&to, &form), manager.post(&to, &form));
    let done = [&first.1, &second.1].iter().filter(|to| to.starts_with("/admin/refunds/")).count();
    assert_eq!(done, 1, "{first:?} {second:?}");
    manager.post(&to, &form).await;
    assert!(manager.said(&to).await.contains("可能这一笔已经提交过"));
    assert_eq!(w.count("select count(*) from refunds").await, 1);
    // Who means another one has seen the first.
    let screen = manager.page_of(&to, &form[..3]).await;
    let seen = seen_on(&screen);
    form.pop();
    form.push(("seen", seen.as_str()));
    assert!(manager.post(&to, &form).await.1.starts_with("/admin/refunds/"));
    w.must_hold().await;
}

/// Whoever has waited longest is answered first, and sees how far his money has come.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_person_is_listed_from_the_oldest_on() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let (first, second) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await);
    for placed in [&first, &second] {
        alice.ask_refund(&placed.no, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    }
    let page = manager.page("/admin/refunds").await;
    let place = |placed: &Placed| page.find(&format!("{}R01", placed.no)).unwrap();
    assert!(place(&first) < place(&second));
    let refund = format!("/admin/refunds/{}R01", first.no);
    let life = async || {
        let page = manager.page(&refund).await;
        let (_, life) = page.split_once("这笔退款走到哪里").unwrap_or_else(|| panic!("{page}"));
        let steps = life.split_once("</ol>").unwrap().0.matches("class=\"did\"").count();
        (steps, life.contains("受理"), life.contains("已拒绝"))
    };
    assert_eq!(life().await, (1, true, false));
    manager.post(&format!("{refund}/reject"), &[("words", "已经做好了")]).await;
    assert_eq!(life().await, (2, false, true));
}

async fn line_of(w: &World, placed: &Placed) -> i64 {
    let no = placed.no.clone();
    let read = move |conn: &rusqlite::Connection| {
        let sql = "select l.id from order_lines l join orders o on o.id = l.order_id where o.order_no = ?1";
        Ok::<_, xiaopu::error::Error>(conn.query_row(sql, [no], |row| row.get(0))?)
    };
    w.shop.db.read(read).await.unwrap()
}

pub async fn state(w: &World, number: &str) -> (String, String) {
    let number = number.to_owned();
    let read = move |conn: &rusqlite::Connection| {
        let refund = xiaopu::refunds::store::by_no(conn, &number)?.unwrap();
        Ok::<_, xiaopu::error::Error>((refund.state.word().to_owned(), refund.problem))
    };
    w.shop.db.read(read).await.unwrap()
}

/// Waits until the shop has written down that WeChat took this refund on.
async fn accepted(w: &World, number: &str) {
    let look = || async {
        let number = number.to_owned();
        let read = move |conn: &rusqlite::Connection| {
            Ok::<_, xiaopu::error::Error>(xiaopu::refunds::store::by_no(conn, &number)?.unwrap().accepted_at.is_some())
        };
        w.shop.db.read(read).await.unwrap()
    };
    w.wait("the acceptance", look).await;
}

/// Lets time pass until this refund stands there.
pub async fn until(w: &World, number: &str, wanted: &str) {
    for _ in 0..40 {
        w.run_jobs().await;
        if state(w, number).await.0 == wanted {
            return;
        }
        w.advance(61 * SECOND);
    }
    panic!("{number} is {:?}, not {wanted}", state(w, number).await);
}

/// Somebody who gave a piece back may buy it once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_was_given_back_does_not_count_against_a_buyer() {
    let w = World::new().await;
    let (_, sku) = w.product_with("票", 1000, 9, |draft, _| draft.limit_per_buyer = Some(2)).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 2).await;
    assert_eq!(alice.buy(sku, 1).await.error(), (422, "purchase_limit"));
    let number = refund_pieces(&w, &manager, &placed, 1).await;
    until(&w, &number, "succeeded").await;
    assert_eq!(alice.buy(sku, 2).await.error(), (422, "purchase_limit"));
    alice.buy(sku, 1).await.ok();
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_gets_part_back_and_then_the_rest() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let sku = w.product("苹果", 1000, 5).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 3).await;
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["paidFen"], &order["actions"]["refund"]), (&json!(3800), &json!(true)));
    // One of three pieces.
    let line = order["lines"][0]["id"].clone();
    let form = json!({ "lines": [{ "lineId": line, "quantity": 1 }], "reason": "少一个也行", "description": "谢谢" });
    let refund = alice.ask_refund(&placed.no, &w.key(), form).await;
    assert_eq!(refund.status, 201);
    let refund = refund.body;
    let number = refund["refundNo"].as_str().unwrap().to_owned();
    assert_eq!(number, format!("{}R01", placed.no));
    assert_eq!((&refund["amountFen"], &refund["stateText"]), (&json!(1000), &json!("待商家处理")));
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["chips"][0]["text"], &order["actions"]["refund"]), (&json!("退款中"), &json!(false)));
    assert_eq!(alice.get("/me").await.ok()["counts"]["refunding"], 1);
    assert_eq!(alice.get("/orders?status=refunding").await.ok()["items"].as_array().unwrap().len(), 1);
    let again = alice.ask_refund(&placed.no, &w.key(), asked()).await;
    assert_eq!(again.error(), (409, "refund_in_progress"));
    assert_eq!(w.wechat.calls("refund"), 0, "nobody has agreed yet");
    // Staff read the facts once more, and agree.
    let id = line.as_str().unwrap();
    let form = [("lines[0].id", id), ("lines[0].quantity", "1"), ("reason", "少一个也行")];
    let confirm = manager.page_of(&format!("/admin/refunds/{number}/approve"), &form).await;
    assert!(confirm.contains("将退 <b>¥10.00</b>") && confirm.contains(&number), "{confirm}");
    assert!(confirm.contains("一件没发") && confirm.contains("¥38.00，退完这笔还剩 ¥28.00"), "{confirm}");
    assert_eq!(w.wechat.calls("refund"), 0);
    let form = [form[0], form[1], form[2], ("confirmed", "true")];
    manager.post(&format!("/admin/refunds/{number}/approve"), &form).await;
    until(&w, &number, "succeeded").await;
    let order = alice.order(&placed.no).await;
    assert_eq!(order["refundedFen"], 1000);
    assert_eq!(order["lines"][0]["refundedQuantity"], 1);
    assert_eq!((&order["status"], &order["chips"][0]["text"]), (&json!("to_ship"), &json!("部分退款")));
    assert_eq!(w.stock(sku).await, (5, 2), "the piece is on the shelf again");
    // Lists say what is still to go.
    let list = async |view: &str| manager.page(&format!("/admin/orders?tab=to_ship&view={view}")).await;
    let (cards, table) = (list("cards").await, list("table").await);
    assert!(cards.contains("×2 <span class=\"warn\">已退 1</span>"), "{cards}");
    assert!(table.contains("<b>×2</b>") && table.contains("已退 1"), "{table}");
    assert!(cards.contains("<span class=\"right\">实付</span>") && table.contains(">实付</a>"), "all of it is paid");
    w.must_hold().await;
    // The rest, freight included, because nothing has been shipped.
    let rest = alice.ask_refund(&placed.no, &w.key(), asked()).await.ok();
    assert_eq!((&rest["amountFen"], &rest["freightFen"]), (&json!(2800), &json!(800)));
    let number = rest["refundNo"].as_str().unwrap().to_owned();
    let form = [("whole", "true"), ("reason", "不想要了"), ("confirmed", "true")];
    manager.post(&format!("/admin/refunds/{number}/approve"), &form).await;
    until(&w, &number, "succeeded").await;
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["status"], &order["closedReason"]), (&json!("closed"), &json!("refunded")));
    assert_eq!((&order["refundedFen"], &order["chips"][0]["text"]), (&json!(3800), &json!("全额退款")));
    assert_eq!(w.stock(sku).await, (5, 0));
    let refunds = w.wechat.refunds(&w.transaction(&placed));
    assert_eq!(refunds.iter().map(|r| (r.amount_fen, r.asked)).collect::<Vec<_>>(), [(1000, 1), (2800, 1)]);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_one_thing_wrong_is_refused() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let unpaid = Placed::of(alice.buy(sku, 1).await);
    let placed = w.paid(&alice, sku, 2).await;
    let line = alice.order(&placed.no).await["lines"][0]["id"].clone();
    let lines = |quantity: Value| json!({ "lines": [{ "lineId": line, "quantity": quantity }], "reason": "不想要了" });
    let path = format!("/orders/{}/refunds", placed.no);
    let keyless = w.call(Method::POST, &path, Some(&alice.token), None, Some(asked())).await;
    assert_eq!(keyless.error(), (400, "idempotency_key_required"));
    let nobody = w.call(Method::POST, &path, None, Some("a-key-of-mine"), Some(asked())).await;
    assert_eq!(nobody.error(), (401, "unauthenticated"));
    for (body, error) in [
        (json!({}), (422, "validation_failed")),
        (json!({ "reason": " " }), (422, "validation_failed")),
        (json!({ "reason": "x".repeat(41) }), (422, "validation_failed")),
        (json!({ "reason": "不想要了", "amountFen": 100 }), (400, "unknown_field")),
        (json!({ "reason": "不想要了", "lines": [] }), (422, "validation_failed")),
        (json!({ "reason": "不想要了", "lines": [{ "lineId": "999", "quantity": 1 }] }), (404, "not_found")),
        (json!({ "reason": "不想要了", "lines": [{ "lineId": "x", "quantity": 1 }] }), (422, "validation_failed")),
        (lines(json!(0)), (422, "refund_limit")),
        (lines(json!(-1)), (422, "refund_limit")),
        (lines(json!(3)), (422, "refund_limit")),
        (lines(json!("1")), (400, "malformed_body")),
        (
            json!({ "reason": "x", "lines": [{ "lineId": line, "quantity": 1 }, { "lineId": line, "quantity": 1 }] }),
            (422, "validation_failed"),
        ),
    ] {
        let answer = alice.ask_refund(&placed.no, &w.key(), body.clone()).await;
        assert_eq!(answer.error(), error, "{body}");
    }
    assert_eq!(bob.ask_refund(&placed.no, &w.key(), asked()).await.error(), (404, "not_found"));
    assert_eq!(alice.ask_refund("20261008ABCDEFGHJK", &w.key(), asked()).await.error(), (404, "not_found"));
    let early = alice.ask_refund(&unpaid.no, &w.key(), asked()).await;
    assert_eq!(early.error(), (409, "order_state"));
    assert_eq!(early.body["error"]["details"]["order"]["status"], "pending_payment");
    assert_eq!(w.count("select count(*) from refunds").await, 0);
    // The same key makes one refund; with other words, or about another order, it is another request.
    let first = alice.ask_refund(&placed.no, "refund-key-1", asked()).await;
    let second = alice.ask_refund(&placed.no, "refund-key-1", asked()).await;
    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(first.ok()["id"], second.ok()["id"]);
    let other = alice.ask_refund(&placed.no, "refund-key-1", json!({ "reason": "别的" })).await;
    assert_eq!(other.error(), (409, "idempotency_mismatch"));
    let elsewhere = alice.ask_refund(&unpaid.no, "refund-key-1", asked()).await;
    assert_eq!(elsewhere.error(), (409, "idempotency_mismatch"));
    let order_key = alice.prepay("refund-key-1", order(sku, 1)).await;
    assert_eq!(order_key.error(), (409, "idempotency_mismatch"));
    assert_eq!(w.count("select count(*) from refunds").await, 1);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_taken_back_or_refused_with_words() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 1).await;
    let refund = alice.ask_refund(&placed.no, &w.key(), asked()).await.ok();
    let path = format!("/orders/{}/refunds/{}/cancel", placed.no, refund["id"].as_str().unwrap());
    assert_eq!(bob.post(&path, None).await.error(), (404, "not_found"));
    let cancelled = alice.post(&path, None).await.ok();
    assert_eq!((&cancelled["state"], &cancelled["cancellable"]), (&json!("cancelled"), &json!(false)));
    assert_eq!(alice.post(&path, None).await.error(), (409, "order_state"));
    let second = alice.ask_refund(&placed.no, &w.key(), asked()).await.ok();
    let number = second["refundNo"].as_str().unwrap();
    assert_eq!(number, format!("{}R02", placed.no), "a number is never used twice");
    manager.post(&format!("/admin/refunds/{number}/reject"), &[("words", "已超过七天")]).await;
    let order = alice.order(&placed.no).await;
    let refund = &order["refunds"][1];
    assert_eq!((&refund["state"], &refund["answer"]), (&json!("rejected"), &json!("已超过七天")));
    assert_eq!(order["actions"]["refund"], true, "the buyer may ask again");
    assert_eq!(w.wechat.calls("refund"), 0);
    w.must_hold().await;
}

/// After a price change every fen of every line can be given back, piece by piece, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn pieces_of_a_discounted_line_sum_to_what_was_paid() {
    let w = World::new().await;
    let sku = w.product("苹果", 333, 9).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = Placed::of(alice.buy(sku, 3).await);
    let form = [("total", "9.98"), ("freight", "0"), ("reason", "老客优惠")];
    manager.post(&format!("/admin/orders/{}/price", placed.no), &form).await;
    w.advance(5 * MINUTE);
    w.run_jobs().await;
    let again = alice.post(&format!("/orders/{}/prepay", placed.no), None).await.ok();
    let prepay_id = again["payment"]["package"].as_str().unwrap().strip_prefix("prepay_id=").unwrap().to_owned();
    w.wechat.pay(&prepay_id, Paying::Well).unwrap();
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let mut amounts = Vec::new();
    for _ in 0..3 {
        let number = refund_pieces(&w, &manager, &placed, 1).await;
        until(&w, &number, "succeeded").await;
        w.must_hold().await;
        amounts.push(w.wechat.all_refunds().last().unwrap().amount_fen);
    }
    assert_eq!(amounts.iter().sum::<i64>(), 998);
    assert!(amounts.iter().all(|fen| (332..=333).contains(fen)), "{amounts:?}");
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["status"], &order["refundedFen"]), (&json!("closed"), &json!(998)));
}

/// What staff kept back of a worn piece stays with the shop: the next piece is worth what was paid for it, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_back_of_one_piece_is_not_paid_back_with_the_next() {
    for (kept, wanted) in [("5.00", 999), ("0.01", 999), ("9.99", 999), ("12.00", 798)] {
        let w = World::new().await;
        let sku = w.product("苹果", 999, 9).await;
        let alice = w.buyer("alice").await;
        let manager = w.staff("manager", Role::Manager).await;
        let placed = w.paid(&alice, sku, 2).await;
        manager
            .post(
                &format!("/admin/orders/{}/ship", placed.no),
                &[("company", "SF"), ("tracking_no", "SF1234567890123")],
            )
            .await;
        let line = line_of(&w, &placed).await.to_string();
        let one = json!({ "reason": "不想要了", "lines": [{ "lineId": line, "quantity": 1 }] });
        alice.ask_refund(&placed.no, &w.key(), one.clone()).await.ok();
        let settled = [
            ("lines[0].id", line.as_str()),
            ("lines[0].quantity", "1"),
            ("lines[0].amount", kept),
            ("reason", "不想要了"),
            ("confirmed", "true"),
        ];
        let number = format!("{}R01", placed.no);
        manager.post(&format!("/admin/refunds/{number}/approve"), &settled).await;
        until(&w, &number, "succeeded").await;
        for part in [json!({ "lines": one["lines"] }), json!({})] {
            let quoted = alice.post(&format!("/orders/{}/refunds/quote", placed.no), Some(part.clone())).await.ok();
            assert_eq!(quoted["amountFen"], wanted, "{kept} {part}");
        }
        let number = refund_pieces(&w, &manager, &placed, 1).await;
        until(&w, &number, "succeeded").await;
        assert_eq!(w.wechat.all_refunds().last().unwrap().amount_fen, wanted, "{kept}");
        w.must_hold().await;
    }
}

/// A refund that nobody could ask about for days waits for a person; once it is heard of in another way, nobody has to act.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_was_left_to_a_person_ends_without_one() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let placed = w.paid(&alice, sku, 1).await;
    w.wechat.ways(|ways| ways.refund_notices = false);
    w.wechat.fault("refund", Fault::LoseAnswer);
    w.wechat.fault_always("refundquery", Fault::Http500);
    let number = refund_pieces(&w, &manager, &placed, 1).await;
    let stuck = "select count(*) from jobs where kind = 'refund' and state = 'needs_person'";
    w.wait("a person to be asked", || async {
        w.advance(60 * MINUTE);
        w.run_jobs().await;
        w.count(stuck).await == 1
    })
    .await;
    let page = manager.page(&format!("/admin/refunds/{number}")).await;
    assert!(page.contains("不会自己再试") && page.contains(">向微信查询<"), "{page}");
    w.wechat.clear_faults();
    manager.post(&format!("/admin/orders/{}/query", placed.no), &[]).await;
    w.wait("the refund", || async {
        w.run_jobs().await;
        state(&w, &number).await.0 == "succeeded" && w.count(stuck).await == 0
    })
    .await;
    w.must_hold().await;
}

/// Each refusal of the refund interface (every row of its table): who must act, what the page says, and in the end
/// exactly one refund under the same number.
#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_refund_says_what_to_do_and_ends_in_one_refund() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    for (code, by_itself, words) in [
        ("SYSTEMERROR", true, "自动重试"),
        ("BIZERR_NEED_RETRY", true, "自动重试"),
        ("INVALID_REQ_TOO_MUCH", true, "放慢"),
        ("FREQUENCY_LIMITED", true, "放慢"),
        ("TRADE_OVERDUE", false, "其他方式"),
        ("ERROR", false, "按微信的说明"),
        ("USER_ACCOUNT_ABNORMAL", false, "其他方式"),
        ("NOTENOUGH", false, "充值"),
        ("INVALID_TRANSACTIONID", false, "商户号"),
        ("PARAM_ERROR", false, "技术支持"),
        ("ORDERNOTEXIST", false, "商户号"),
        ("CERT_ERROR", false, "apiclient_cert.pem"),
        ("REQUEST_BLOCKED", false, "拦截"),
        ("APPID_NOT_EXIST", false, "设置页"),
        ("MCHID_NOT_EXIST", false, "设置页"),
        ("SIGNERROR", false, "密钥"),
        ("XML_FORMAT_ERROR", false, "技术支持"),
        ("REQUIRE_POST_METHOD", false, "技术支持"),
    ] {
        let placed = w.paid(&alice, sku, 1).await;
        w.wechat.fault("refund", Fault::refused(code, "微信的原话"));
        let number = refund_pieces(&w, &manager, &placed, 1).await;
        w.wait("the refusal", || async { !state(&w, &number).await.1.is_empty() }).await;
        let (standing, problem) = state(&w, &number).await;
        assert!(problem.contains(words), "{code}: {problem}");
        assert_eq!(standing, if by_itself { "processing" } else { "failed" }, "{code}");
        let page = manager.page(&format!("/admin/refunds/{number}")).await;
        assert!(page.contains(words), "{code}: {page}");
        assert_eq!(page.contains("/retry"), !by_itself, "{code}");
        assert!(alice.order(&placed.no).await["refunds"][0]["stateText"] == "退款中", "{code} is none of the buyer's");
        if !by_itself {
            manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
        }
        until(&w, &number, "succeeded").await;
        let refunds = w.wechat.refunds(&w.transaction(&placed));
        assert_eq!(refunds.len(), 1, "{code}");
        assert_eq!(refunds[0].out_refund_no, number, "{code}");
        w.must_hold().await;
    }
    // A merchant without money: topped up, and the same number goes through.
    w.wechat.ways(|ways| ways.balance_fen = Some(10));
    let placed = w.paid(&alice, sku, 1).await;
    let number = refund_pieces(&w, &manager, &placed, 1).await;
    until(&w, &number, "failed").await;
    w.wechat.ways(|ways| ways.balance_fen = Some(5000));
    manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
    until(&w, &number, "succeeded").await;
    assert_eq!(w.wechat.refunds(&w.transaction(&placed)).len(), 1);
}

/// Each refusal of the refund query: nothing is believed, and it is asked again until there is an answer.
#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_refund_query_leaves_the_refund_where_it_is() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    for code in [
        "SYSTEMERROR",
        "INVALID_TRANSACTIONID",
        "PARAM_ERROR",
        "APPID_NOT_EXIST",
        "MCHID_NOT_EXIST",
        "SIGNERROR",
        "XML_FORMAT_ERROR",
        "REQUIRE_POST_METHOD",
    ] {
        let placed = w.paid(&alice, sku, 1).await;
        let number = refund_pieces(&w, &manager, &placed, 1).await;
        accepted(&w, &number).await;
        w.wechat.fault_always("refundquery", Fault::refused(code, "微信的原话"));
        w.advance(11 * SECOND);
        w.run_jobs().await;
        assert_eq!(state(&w, &number).await.0, "processing", "{code}");
        let jobs = manager.page("/admin/jobs").await;
        assert!(jobs.contains(code) && jobs.contains(&number), "{code} is shown with its job: {jobs}");
        w.wechat.clear_faults();
        until(&w, &number, "succeeded").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&placed)).len(), 1, "{code}");
        w.must_hold().await;
    }
    // REFUNDNOTEXIST after a lost request: the request is sent again under the same number.
    let placed = w.paid(&alice, sku, 1).await;
    w.wechat.fault("refund", Fault::Http500);
    let number = refund_pieces(&w, &manager, &placed, 1).await;
    w.wait("the lost request", || async { state(&w, &number).await.1.contains("连不上微信") }).await;
    assert!(w.wechat.refunds(&w.transaction(&placed)).is_empty());
    until(&w, &number, "succeeded").await;
    assert_eq!(w.wechat.refunds(&w.transaction(&placed))[0].asked, 1);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_ends_in_exactly_one_refund() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    for fault in [
        Fault::LoseAnswer,
        Fault::BadSign,
        Fault::OtherMerchant,
        Fault::OtherApp,
        Fault::ReturnFail("系统繁忙".into()),
        Fault::Slow(6_000),
    ] {
        let placed = w.paid(&alice, sku, 2).await;
        w.wechat.fault("refund", fault.clone());
        // The first answers to the query are no help either.
        w.wechat.fault("refundquery", Fault::LoseAnswer);
        w.wechat.fault("refundquery", Fault::BadSign);
        let number = refund_pieces(&w, &manager, &placed, 1).await;
        w.wait("the lost answer", || async { !state(&w, &number).await.1.is_empty() }).await;
        assert_eq!(state(&w, &number).await.0, "processing", "{fault:?}: nothing is known yet");
        until(&w, &number, "succeeded").await;
        let refunds = w.wechat.refunds(&w.transaction(&placed));
        assert_eq!(refunds.iter().map(|r| r.amount_fen).collect::<Vec<_>>(), [1000], "{fault:?}");
        assert_eq!(refunds[0].asked, 1, "{fault:?}: asked about, not sent again");
        assert_eq!(alice.order(&placed.no).await["refundedFen"], 1000);
        w.must_hold().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_is_not_refunded_and_a_bounced_refund_is_a_task() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    w.wechat.ways(|ways| ways.refund_end = RefundEnd::Processing);
    // In processing for days, then through.
    let slow = w.paid(&alice, sku, 1).await;
    let number = refund_pieces(&w, &manager, &slow, 1).await;
    for _ in 0..12 {
        w.advance(6 * 60 * MINUTE);
        w.run_jobs().await;
        assert_eq!(state(&w, &number).await.0, "processing");
        assert_eq!(alice.order(&slow.no).await["refundedFen"], 0);
    }
    w.wechat.end_refund(&number, RefundEnd::Success).unwrap();
    w.wait("the notice", || async { state(&w, &number).await.0 == "succeeded" }).await;
    // Sent back by the bank: a person pays it out in another way and says how.
    let bounced = w.paid(&alice, sku, 1).await;
    let number = refund_pieces(&w, &manager, &bounced, 1).await;
    accepted(&w, &number).await;
    w.wechat.end_refund(&number, RefundEnd::Change).unwrap();
    until(&w, &number, "abnormal").await;
    assert!(manager.page("/admin/refunds?tab=trouble").await.contains(&number));
    assert!(manager.page("/admin").await.contains("<b>1</b>退款待处理"));
    assert_eq!(alice.order(&bounced.no).await["refundedFen"], 0);
    let how = [("words", "银行转账，尾号 0403")];
    // The refund's notice comes in its own time, and asks too.
    w.wechat.fault_always("refundquery", Fault::Http500);
    manager.post(&format!("/admin/refunds/{number}/other-means"), &how).await;
    assert!(manager.said(&format!("/admin/refunds/{number}")).await.contains("现在问不到微信"));
    assert_eq!(state(&w, &number).await.0, "abnormal", "WeChat may have paid it meanwhile");
    w.wechat.clear_faults();
    manager.post(&format!("/admin/refunds/{number}/other-means"), &how).await;
    assert_eq!(state(&w, &number).await.0, "succeeded");
    assert_eq!(alice.order(&bounced.no).await["refundedFen"], 1000);
    w.must_hold().await;
    // Should WeChat pay it all the same, a person is to decide, and the books have both.
    let to_decide = "select count(*) from money_exceptions where kind = 'amount_mismatch' and state = 'open'";
    assert_eq!(w.count(to_decide).await, 0);
    w.wechat.end_refund(&number, RefundEnd::Success).unwrap();
    w.advance(5 * SECOND);
    w.wait("what its notice tells", || async {
        w.run_jobs().await;
        w.count(to_decide).await == 1
    })
    .await;
    assert!(manager.page("/admin/exceptions").await.contains("买家可能收到两份"));
    let of_it = format!("select count(*) from refunds where transaction_id = '{}'", w.transaction(&bounced));
    assert_eq!(w.count(&of_it).await, 2);
    let by_wechat = "select -sum(amount_fen) from ledger where kind = 'refund'";
    let there =
        w.wechat.all_refunds().into_iter().filter(|one| one.end == RefundEnd::Success).map(|one| one.amount_fen);
    assert_eq!(w.count(by_wechat).await, there.sum::<i64>());
    w.must_hold().await;
    // Paid by WeChat just before staff would pay it in another way.
    let overtaken = w.paid(&alice, sku, 1).await;
    let number = refund_pieces(&w, &manager, &overtaken, 1).await;
    accepted(&w, &number).await;
    w.wechat.end_refund(&number, RefundEnd::Change).unwrap();
    until(&w, &number, "abnormal").await;
    w.wechat.ways(|ways| ways.refund_notices = false);
    w.wechat.end_refund(&number, RefundEnd::Success).unwrap();
    w.wechat.ways(|ways| ways.refund_notices = true);
    manager.post(&format!("/admin/refunds/{number}/other-means"), &how).await;
    assert!(manager.said(&format!("/admin/refunds/{number}")).await.contains("已退款"), "not a second time");
    assert_eq!(w.count("select count(*) from ledger where kind = 'offline'").await, 1);
    // Mended in WeChat's own console: it arrives by itself.
    let mended = w.paid(&alice, sku, 1).await;
    let number = refund_pieces(&w, &manager, &mended, 1).await;
    accepted(&w, &number).await;
    w.wechat.end_refund(&number, RefundEnd::Change).unwrap();
    until(&w, &number, "abnormal").await;
    w.wechat.ways(|ways| ways.refund_notices = false);
    w.wechat.end_refund(&number, RefundEnd::Success).unwrap();
    w.advance(7 * 60 * MINUTE);
    until(&w, &number, "succeeded").await;
    assert!(manager.page(&format!("/admin/refunds/{number}")).await.contains("支付用户零钱"));
    w.wechat.ways(|ways| ways.refund_notices = true);
    w.must_hold().await;
    // Given up by WeChat: its number is used up, and a new refund is made.
    let closed = w.paid(&alice, sku, 1).await;
    let number = refund_pieces(&w, &manager, &closed, 1).await;
    accepted(&w, &number).await;
    w.wechat.end_refund(&number, RefundEnd::Closed).unwrap();
    until(&w, &number, "failed").await;
    assert!(!manager.page(&format!("/admin/refunds/{number}")).await.contains("/retry"));
    manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
    assert_eq!(state(&w, &number).await.0, "failed", "WeChat takes this number no more");
    manager.post(&format!("/admin/refunds/{number}/stop"), &[]).await;
    w.wechat.ways(|ways| ways.refund_end = RefundEnd::Success);
    let number = refund_pieces(&w, &manager, &closed, 1).await;
    assert!(number.ends_with("R02"));
    until(&w, &number, "succeeded").await;
    w.must_hold().await;
}

/// A refund that failed is overtaken by another; then WeChat says that it has paid it after all.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_has_paid_is_entered_whatever_became_of_the_refund() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 2).await;
    let line = line_of(&w, &placed).await.to_string();
    // Two pieces for little money fail, and then go back by a second refund.
    let little = |amount: &'static str| {
        [
            ("lines[0].id", line.clone()),
            ("lines[0].quantity", "2".to_owned()),
            ("lines[0].amount", amount.to_owned()),
            ("reason", "协商一致退款".to_owned()),
            ("confirmed", "true".to_owned()),
        ]
    };
    let post = async |amount: &'static str| {
        let form = little(amount);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        manager
            .post(&format!("/admin/orders/{}/refund", placed.no), &form)
            .await
            .1
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    };
    w.wechat.fault("refund", Fault::refused("NOTENOUGH", "余额不足"));
    let first = post("3.00").await;
    until(&w, &first, "failed").await;
    let second = post("5.00").await;
    until(&w, &second, "succeeded").await;
    assert_eq!(alice.order(&placed.no).await["lines"][0]["refundedQuantity"], 2);
    // The goods have gone back once: neither way is open any more.
    for way in ["retry", "other-means"] {
        manager.post(&format!("/admin/refunds/{first}/{way}"), &[("words", "银行转账")]).await;
        assert!(manager.said(&format!("/admin/refunds/{first}")).await.contains("最多还能退 0 件"), "{way}");
        assert_eq!(state(&w, &first).await.0, "failed");
    }
    manager.post(&format!("/admin/refunds/{first}/stop"), &[]).await;
    assert_eq!(state(&w, &first).await.0, "cancelled");
    w.must_hold().await;
    // Money is money: it is entered without the goods.
    send_past_the_shop(&w, &placed, &first, 300).await;
    until(&w, &first, "succeeded").await;
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["refundedFen"], &order["lines"][0]["refundedQuantity"]), (&json!(800), &json!(2)));
    w.must_hold().await;
    // What the order does not hold any more stands beside it, and a person is told.
    let paid = w.paid(&alice, sku, 1).await;
    let mut numbers = Vec::new();
    for act in ["stop", "other-means"] {
        w.wechat.fault("refund", Fault::refused("USER_ACCOUNT_ABNORMAL", "注销"));
        let number = refund_pieces(&w, &manager, &paid, 1).await;
        until(&w, &number, "failed").await;
        manager.post(&format!("/admin/refunds/{number}/{act}"), &[("words", "银行转账")]).await;
        numbers.push(number);
    }
    assert_eq!(state(&w, &numbers[1]).await.0, "succeeded");
    send_past_the_shop(&w, &paid, &numbers[0], 1000).await;
    until(&w, &numbers[0], "succeeded").await;
    assert_eq!(alice.order(&paid.no).await["refundedFen"], 1000);
    assert!(manager.page("/admin/exceptions").await.contains("加上之前的退款已超过订单"));
    w.must_hold().await;
    // Our number with another sum is not ours.
    let other = w.paid(&alice, sku, 1).await;
    w.wechat.fault("refund", Fault::refused("NOTENOUGH", "余额不足"));
    let number = refund_pieces(&w, &manager, &other, 1).await;
    until(&w, &number, "failed").await;
    send_past_the_shop(&w, &other, &number, 999).await;
    assert!(manager.page("/admin/exceptions").await.contains("这个单号可能被用过两次"));
    assert_eq!(state(&w, &number).await.0, "abnormal");
    w.must_hold().await;
    // It is stopped, as its page says, and leaves the number to what went back under it.
    assert!(manager.page(&format!("/admin/refunds/{number}")).await.contains("请停止这一笔"));
    manager.post(&format!("/admin/refunds/{number}/stop"), &[]).await;
    until(&w, &number, "succeeded").await;
    assert_eq!(alice.order(&other.no).await["refundedFen"], 999);
    assert_eq!(state(&w, &format!("{}R02", other.no)).await.0, "cancelled");
    w.must_hold().await;
}

/// Somebody else has our keys and numbers, and asks WeChat for a refund.
async fn send_past_the_shop(w: &World, placed: &Placed, number: &str, fen: i64) {
    let order = xiaopu::wechat::refund::RefundOrder {
        api: Api::V2,
        transaction_id: w.transaction(placed),
        out_refund_no: number.to_owned(),
        total_fee: placed.total,
        refund_fee: fen,
        refund_desc: "退款".into(),
        notify_url: w.shop.settings().refund_notify_url(Api::V2),
        from_balance: false,
    };
    let heard = || async {
        let number = number.to_owned();
        let read = move |conn: &rusqlite::Connection| {
            let sql = "select exists (select 1 from messages where kind = 'refund_notify' and out_refund_no = ?1)";
            Ok::<_, xiaopu::error::Error>(conn.query_row(sql, [number], |row| row.get::<_, bool>(0))?)
        };
        w.shop.db.read(read).await.unwrap()
    };
    w.advance(61 * SECOND);
    let account = w.shop.account().unwrap();
    let sent = w.shop.wechat.refund(&account, None, &order, &w.shop.nonces).await;
    sent.result.unwrap();
    w.advance(5 * SECOND);
    w.wait("the notice", heard).await;
    w.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wechats_limits_are_kept_by_the_queue() {
    let w = World::new().await;
    let sku = w.product("苹果", 100, 999).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 60).await;
    // A minute lies between two refunds of one payment, however fast staff click.
    let first = refund_pieces(&w, &manager, &placed, 1).await;
    w.wait("the first", || async { w.wechat.all_refunds().len() == 1 }).await;
    let second = refund_pieces(&w, &manager, &placed, 1).await;
    w.run_jobs().await;
    assert_eq!((w.wechat.all_refunds().len(), w.wechat.calls("refund")), (1, 1));
    w.advance(59 * SECOND);
    w.run_jobs().await;
    assert_eq!(w.wechat.calls("refund"), 1);
    w.advance(SECOND);
    until(&w, &second, "succeeded").await;
    until(&w, &first, "succeeded").await;
    // Fifty parts, and no more.
    for n in 3..=50 {
        let number = refund_pieces(&w, &manager, &placed, 1).await;
        until(&w, &number, "succeeded").await;
        assert_eq!(w.wechat.all_refunds().len(), n);
    }
    let line = line_of(&w, &placed).await.to_string();
    let form =
        [("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "协商一致退款"), ("confirmed", "true")];
    let path = format!("/admin/orders/{}/refund", placed.no);
    assert_eq!(manager.post(&path, &form).await, (303, path.clone()));
    assert!(manager.said(&path).await.contains("最多分 50 次退"));
    w.run_jobs().await;
    assert_eq!(w.wechat.all_refunds().len(), 50);
    assert_eq!(w.count("select count(*) from refunds where problem_code = 'FREQUENCY_LIMITED'").await, 0);
    w.must_hold().await;
    // A year, and no longer.
    let old = w.paid(&alice, sku, 1).await;
    w.advance(366 * 24 * 60 * MINUTE);
    let line = line_of(&w, &old).await.to_string();
    let form = [("lines[0].id", line.as_str()), form[1], form[2], form[3]];
    let manager = w.staff("manager2", Role::Manager).await;
    let path = format!("/admin/orders/{}/refund", old.no);
    assert_eq!(manager.post(&path, &form).await, (303, path.clone()));
    assert!(manager.said(&path).await.contains("超过一年"));
    w.must_hold().await;
}

/// Two refunds that were asked for side by side cannot together give back more than was paid.
#[tokio::test(flavor = "multi_thread")]
async fn refunds_together_never_exceed_what_was_paid() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 2).await;
    let path = format!("/admin/orders/{}/refund", placed.no);
    let line = line_of(&w, &placed).await.to_string();
    for (quantity, amount, freight, words) in [
        ("3", "", "", "最多还能退 2 件"),
        ("1", "20.01", "", "最多还能退 ¥20.00"),
        ("1", "", "0.01", "运费最多还能退 ¥0.00"),
        ("0", "0", "", "至少 0.01"),
        ("1", "abc", "", "请填金额"),
        ("x", "", "", "请填整数"),
    ] {
        let form = [
            ("lines[0].id", line.as_str()),
            ("lines[0].quantity", quantity),
            ("lines[0].amount", amount),
            ("freight", freight),
            ("reason", "协商一致退款"),
            ("confirmed", "true"),
        ];
        assert_eq!(manager.post(&path, &form).await, (303, path.clone()), "{words}");
        let page = manager.said(&path).await;
        assert!(page.contains(words), "{words}: {page}");
    }
    let whole = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    let both = tokio::join!(manager.post(&path, &whole), manager.post(&path, &whole));
    let made = [both.0.1, both.1.1].iter().filter(|to| to.starts_with("/admin/refunds/")).count();
    assert_eq!(made, 1);
    // It is on its way before the next one is refused.
    w.run_jobs().await;
    // A failed one that is tried again must find its money still there.
    let other = w.paid(&alice, sku, 1).await;
    w.wechat.fault("refund", Fault::refused("NOTENOUGH", "余额不足"));
    let failed = refund_pieces(&w, &manager, &other, 1).await;
    until(&w, &failed, "failed").await;
    let second = refund_pieces(&w, &manager, &other, 1).await;
    manager.post(&format!("/admin/refunds/{failed}/retry"), &[]).await;
    assert_eq!(state(&w, &failed).await.0, "failed");
    until(&w, &second, "succeeded").await;
    assert_eq!(w.wechat.refunds(&w.transaction(&other)).len(), 1);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_made_in_wechats_console_becomes_a_row() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    // By its notice.
    let told = w.paid(&alice, sku, 2).await;
    let id = w.wechat.refund_by_console(&w.transaction(&told), 700).unwrap();
    w.advance(5 * SECOND);
    w.wait("the row", || async { alice.order(&told.no).await["refundedFen"] == 700 }).await;
    assert!(manager.page("/admin/exceptions").await.contains(&id));
    w.must_hold().await;
    // By a query, when no notice comes: the trade says REFUND.
    w.wechat.ways(|ways| ways.refund_notices = false);
    let silent = Placed::of(alice.buy(sku, 2).await);
    w.pay(&silent, Paying::NoNotice);
    w.wechat.refund_by_console(&w.transaction(&silent), 2000).unwrap();
    w.advance(16 * SECOND);
    w.wait("the order's end", || async { alice.status(&silent.no).await == "closed" }).await;
    let order = alice.order(&silent.no).await;
    assert_eq!((&order["closedReason"], &order["refundedFen"]), (&json!("refunded"), &json!(2000)));
    w.must_hold().await;
    // More than ten of them come on several pages.
    let many = w.paid(&alice, sku, 5).await;
    for _ in 0..23 {
        w.wechat.refund_by_console(&w.transaction(&many), 100).unwrap();
    }
    w.advance(5 * SECOND);
    manager.post(&format!("/admin/orders/{}/query", many.no), &[]).await;
    w.run_jobs().await;
    let entry = "select count(*) from refunds where origin = 'console' and state = 'succeeded'";
    w.wait("all pages", || async { w.count(entry).await == 25 }).await;
    assert_eq!(alice.order(&many.no).await["refundedFen"], 2300);
    w.must_hold().await;
    // It takes what a refund in the queue was to return: that one is not even sent.
    w.wechat.ways(|ways| ways.refund_notices = true);
    let shared = w.paid(&alice, sku, 2).await;
    let first = refund_pieces(&w, &manager, &shared, 1).await;
    accepted(&w, &first).await;
    let second = refund_pieces(&w, &manager, &shared, 1).await;
    // It waits its minute by then: one that first went out while the notice is not looked into yet would be held for that.
    w.run_jobs().await;
    w.wechat.refund_by_console(&w.transaction(&shared), 600).unwrap();
    w.advance(5 * SECOND);
    w.run_jobs().await;
    w.wait("both", || async { alice.order(&shared.no).await["refundedFen"] == 1600 }).await;
    let sent = w.wechat.calls("refund");
    until(&w, &second, "failed").await;
    assert_eq!(w.wechat.calls("refund"), sent);
    assert!(manager.page(&format!("/admin/refunds/{second}")).await.contains("这笔付款剩下的钱不够退了"));
    w.must_hold().await;
}

/// A notice of a refund as anybody who has the key could write it.
fn forged(transaction: &str, number: &str, fen: &str) -> String {
    let inner = Message::from([
        ("transaction_id", transaction),
        ("out_refund_no", number),
        ("refund_id", "50000000000000000000000000000"),
        ("refund_fee", fen),
        ("refund_status", "SUCCESS"),
    ]);
    let plain = inner.to_xml().replace("xml>", "root>");
    let mut notice = Message::from([("return_code", "SUCCESS"), ("appid", APP_ID), ("mch_id", MCH_ID)]);
    notice.set("nonce_str", "x");
    notice.set("req_info", sign::seal_req_info(plain.as_bytes(), &KEY.parse().unwrap()));
    notice.to_xml()
}

/// What somebody looked into stays answered when the same item opens for another refund: with that one known, it ends.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_looked_into_is_not_asked_about_with_the_next() {
    for api in ["v2", "v3"] {
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let placed = w.paid(&alice, sku, 3).await;
        let transaction = w.transaction(&placed);
        let open =
            "select coalesce(max(id), 0) from money_exceptions where subject like '% gone back' and state = 'open'";
        let asked = async |what: &str, yes: bool| {
            w.wait(what, || async {
                w.run_jobs().await;
                (w.count(open).await > 0) == yes
            })
            .await;
        };
        // One with a short number, which WeChat says that it does not know.
        let hint = forged(&transaction, "20481", "300");
        w.http().post(w.at("/wechat/refund/notify")).body(hint).send().await.unwrap();
        asked("the question", true).await;
        let resolve = format!("/admin/exceptions/{}/resolve", w.count(open).await);
        w.advance(SECOND);
        manager.post(&resolve, &[("resolution", "看过了，没有退过")]).await;
        w.advance(SECOND);
        w.wechat.fault_always("refundquery", no_such_refund(api));
        w.wechat.refund_by_console(&transaction, 200).unwrap();
        w.advance(5 * SECOND);
        asked("the next one", true).await;
        w.wechat.clear_faults();
        w.advance(11 * SECOND);
        asked("its answer", false).await;
        assert_eq!(alice.order(&placed.no).await["refundedFen"], 200, "{api}");
        w.must_hold().await;
    }
}

/// A refund notice has no signature and can be pasted together from others: it moves nothing by itself.
/// A number is given once per merchant number, and a shop may have had several: told of another payment it is another refund.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_told_of_another_payment_is_another_refund() {
    for api in ["v2", "v3"] {
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let (first, second) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await);
        w.wechat.refund_by_console(&w.transaction(&first), 300).unwrap();
        w.advance(5 * SECOND);
        w.wait("the first", || async { alice.order(&first.no).await["refundedFen"] == 300 }).await;
        let number = w.wechat.all_refunds()[0].out_refund_no.clone();
        let hint = forged(&w.transaction(&second), &number, "1000");
        w.http().post(w.at("/wechat/refund/notify")).body(hint).send().await.unwrap();
        let open = "select count(*) from money_exceptions where subject like '% gone back' and state = 'open'";
        w.wait("the question", || async {
            w.run_jobs().await;
            w.count(open).await == 1
        })
        .await;
        let parcel = [("tracking_no", "SF1234567890123")];
        manager.post(&format!("/admin/orders/{}/ship", second.no), &parcel).await;
        assert_eq!(alice.status(&second.no).await, "to_ship", "{api}");
        manager.post(&format!("/admin/orders/{}/ship", first.no), &parcel).await;
        assert_eq!(alice.status(&first.no).await, "shipped", "{api}");
        w.must_hold().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_refund_notice_is_only_a_hint() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    w.wechat.ways(|ways| ways.refund_end = RefundEnd::Processing);
    let placed = w.paid(&alice, sku, 1).await;
    let number = refund_pieces(&w, &manager, &placed, 1).await;
    accepted(&w, &number).await;
    let before = w.wechat.calls("refundquery");
    let answer = w
        .http()
        .post(w.at("/wechat/refund/notify"))
        .body(forged(&w.transaction(&placed), &number, "1000"))
        .send()
        .await
        .unwrap();
    assert!(answer.text().await.unwrap().contains("SUCCESS"));
    w.wait("the query", || async { w.wechat.calls("refundquery") > before }).await;
    w.run_jobs().await;
    assert_eq!(state(&w, &number).await.0, "processing", "WeChat was asked, and it said otherwise");
    assert_eq!(alice.order(&placed.no).await["refundedFen"], 0);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_gives_back_what_it_may() {
    let w = World::with(Default::default(), &[("shop.clerk_refund_limit", "10")]).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let (packer, clerk) = (w.staff("packer", Role::Packer).await, w.staff("clerk", Role::Clerk).await);
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 3).await;
    let path = format!("/admin/orders/{}/refund", placed.no);
    assert_eq!(packer.get(&path).await.0, 403);
    assert_eq!(packer.get("/admin/refunds").await.0, 403);
    assert_eq!(packer.post(&path, &[("whole", "true"), ("reason", "x"), ("confirmed", "true")]).await.0, 403);
    // Up to the limit alone, above it with a manager's word.
    let small = refund_pieces(&w, &clerk, &placed, 1).await;
    until(&w, &small, "succeeded").await;
    let large = refund_pieces(&w, &clerk, &placed, 2).await;
    w.advance(2 * MINUTE);
    w.run_jobs().await;
    assert_eq!(state(&w, &large).await.0, "requested");
    let whole = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    clerk.post(&format!("/admin/refunds/{large}/approve"), &whole).await;
    assert_eq!(state(&w, &large).await.0, "requested", "a clerk cannot agree to it either");
    // What its page does not offer is refused where it is done all the same, by the same rule.
    let here = format!("/admin/refunds/{large}");
    assert!(!clerk.page(&here).await.contains(&format!("{here}/reject")));
    clerk.post(&format!("{here}/reject"), &[("words", "不退了")]).await;
    assert!(clerk.said(&here).await.contains("这个金额要经理或店主来决定"));
    clerk.post(&format!("{here}/query"), &[]).await;
    assert!(clerk.said(&here).await.contains("现在是「待处理」"), "WeChat knows nothing of it yet");
    assert_eq!(state(&w, &large).await.0, "requested");
    assert!(manager.page(&here).await.contains(&format!("{here}/reject")));
    for action in ["retry", "stop"] {
        assert_eq!(clerk.post(&format!("/admin/refunds/{large}/{action}"), &[]).await.0, 403, "{action}");
    }
    manager.post(&format!("/admin/refunds/{large}/approve"), &whole).await;
    until(&w, &large, "succeeded").await;
    // A buyer's wish is answered, and not taken back in the buyer's stead.
    let wished = w.paid(&alice, sku, 1).await;
    let wish = alice.ask_refund(&wished.no, &w.key(), asked()).await.ok()["refundNo"].as_str().unwrap().to_owned();
    manager.post(&format!("/admin/refunds/{wish}/withdraw"), &[]).await;
    assert!(manager.said(&format!("/admin/refunds/{wish}")).await.contains("买家的申请请同意或拒绝，不能撤回"));
    assert_eq!(state(&w, &wish).await.0, "requested");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shipping_and_receiving_wait_for_a_refund() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 10).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 2).await;
    alice.ask_refund(&placed.no, &w.key(), asked()).await.ok();
    let ship = format!("/admin/orders/{}/ship", placed.no);
    let parcel = [("company", "SF"), ("tracking_no", "SF1234567890123")];
    manager.post(&ship, &parcel).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship", "a refund is under way");
    manager.post(&ship, &[parcel[0], parcel[1], ("despite_refund", "true")]).await;
    assert_eq!(alice.status(&placed.no).await, "shipped");
    // Ten days later the goods would count as received; not while money is being talked about.
    w.advance(11 * 24 * 60 * MINUTE);
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "shipped");
    let number = format!("{}R01", placed.no);
    let manager = w.staff("manager2", Role::Manager).await;
    // What came back and is good goes on the shelf again; freight was not part of a shipped order's refund.
    let line = line_of(&w, &placed).await.to_string();
    let form = [
        ("lines[0].id", line.as_str()),
        ("lines[0].quantity", "1"),
        ("lines[0].restock", "true"),
        ("reason", "不想要了"),
        ("confirmed", "true"),
    ];
    manager.post(&format!("/admin/refunds/{number}/approve"), &form).await;
    until(&w, &number, "succeeded").await;
    assert_eq!(w.stock(sku).await, (9, 0), "ten, two left, one came back");
    assert_eq!(alice.status(&placed.no).await, "shipped", "an order that was shipped stays so");
    w.advance(25 * 60 * MINUTE);
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "completed");
    // Without the tick, shipped goods that are paid back are gone.
    let number = refund_pieces(&w, &manager, &placed, 1).await;
    until(&w, &number, "succeeded").await;
    assert_eq!(w.stock(sku).await, (9, 0));
    // Fifteen days after receipt buyers talk to the shop instead.
    let late = w.paid(&alice, sku, 1).await;
    manager.post(&format!("/admin/orders/{}/ship", late.no), &parcel).await;
    alice.post(&format!("/orders/{}/confirm", late.no), None).await.ok();
    assert_eq!(alice.order(&late.no).await["actions"]["refund"], true);
    w.advance(15 * 24 * 60 * MINUTE);
    assert_eq!(alice.order(&late.no).await["actions"]["refund"], false);
    assert_eq!(alice.ask_refund(&late.no, &w.key(), asked()).await.error(), (409, "order_state"));
    w.must_hold().await;
}

/// A shop that went back to a backup gives out a number once more that WeChat knows with another sum.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_wechat_is_asked_before_a_number_goes_out() {
    // What had gone back under R01 before; what staff give back now, and what becomes of it.
    for (before, pieces, number, ends) in
        [(3_000, 2, "R02", "succeeded"), (10_000, 2, "R02", "cancelled"), (2_000, 2, "R01", "succeeded")]
    {
        let w = World::new().await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let paid = w.paid(&alice, sku, 10).await;
        w.wechat.ways(|ways| ways.refund_notices = false);
        forgotten(&w, &paid, "R01", before).await;
        let now = w.shop.now();
        let raw = rusqlite::Connection::open(w.shop.db.path()).unwrap();
        xiaopu::payments::store::note_restored(&raw, now).unwrap();
        let asked = refund_pieces(&w, &manager, &paid, pieces).await;
        assert!(asked.ends_with("R01"));
        for wait in [0, 2 * SECOND, 61 * SECOND, 61 * SECOND] {
            w.advance(wait);
            w.run_jobs().await;
        }
        let ours = format!("{}{number}", paid.no);
        until(&w, &format!("{}R01", paid.no), "succeeded").await;
        // The one that WeChat knew may have been this one: somebody compares them first.
        if (number, ends) == ("R02", "succeeded") {
            until(&w, &ours, "failed").await;
            assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), 1, "{before}");
            let page = manager.page(&format!("/admin/refunds/{ours}")).await;
            assert!(page.contains("也许就是这一笔"), "{page}");
            manager.post(&format!("/admin/refunds/{ours}/retry"), &[]).await;
            w.advance(61 * SECOND);
            w.run_jobs().await;
        }
        until(&w, &ours, ends).await;
        let back = before + if ends == "succeeded" && number == "R02" { 2_000 } else { 0 };
        assert_eq!(alice.order(&paid.no).await["refundedFen"], back, "{before}");
        assert_eq!(w.wechat.all_refunds().iter().map(|refund| refund.amount_fen).sum::<i64>(), back, "{before}");
        let page = manager.page(&format!("/admin/refunds/{ours}")).await;
        assert!(!page.contains("被用过两次"), "{page}");
        // Another one has a number of its own.
        if back == 5_000 {
            let next = refund_pieces(&w, &manager, &paid, 1).await;
            assert!(next.ends_with("R03"), "{next}");
        }
        w.must_hold().await;
    }
}

/// The number that is forgotten need not be the next one, and a refund made in WeChat's console has none of ours: whatever
/// went back that nobody here knows of, somebody compares before anything goes out again.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_nothing_goes_back_twice_whatever_its_number_was() {
    for (api, by_console) in [("v2", false), ("v3", false), ("v2", true), ("v3", true)] {
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let (paid, untouched) = (w.paid(&alice, sku, 3).await, w.paid(&alice, sku, 3).await);
        w.wechat.ways(|ways| ways.refund_notices = false);
        match by_console {
            true => drop(w.wechat.refund_by_console(&w.transaction(&paid), 1_000).unwrap()),
            false => forgotten(&w, &paid, "R02", 1_000).await,
        }
        let raw = rusqlite::Connection::open(w.shop.db.path()).unwrap();
        xiaopu::payments::store::note_restored(&raw, w.shop.now()).unwrap();
        let asked = refund_pieces(&w, &manager, &paid, 1).await;
        for wait in [0, 2 * SECOND, 61 * SECOND] {
            w.advance(wait);
            w.run_jobs().await;
        }
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), 1, "{api} {by_console}");
        let page = manager.page(&format!("/admin/refunds/{asked}")).await;
        assert!(page.contains("已有本店不记得的退款"), "{api} {by_console}: {page}");
        // Somebody has compared, and this one is another one.
        manager.post(&format!("/admin/refunds/{asked}/retry"), &[]).await;
        until(&w, &asked, "succeeded").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), 2, "{api} {by_console}");
        // Of a payment of which nothing went back, nobody has to look.
        let asked = refund_pieces(&w, &manager, &untouched, 1).await;
        until(&w, &asked, "succeeded").await;
        w.must_hold().await;
    }
}

/// One that WeChat had refused before the backup may have been given back in its console since: it is asked about like one
/// that never went out. Where WeChat does not list refunds, an earlier one that is known does not explain everything.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_neither_a_refused_refund_nor_a_known_one_lets_money_go_back_twice() {
    for (api, refused) in [("v2", true), ("v3", true), ("v2", false), ("v3", false)] {
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let paid = w.paid(&alice, sku, 3).await;
        if refused {
            w.wechat.fault_always("refund", Fault::refused("NOTENOUGH", "余额不足"));
        }
        let first = refund_pieces(&w, &manager, &paid, 1).await;
        until(&w, &first, if refused { "failed" } else { "succeeded" }).await;
        w.wechat.clear_faults();
        let before = w.wechat.refunds(&w.transaction(&paid)).len();
        w.advance(10 * MINUTE);
        w.wechat.ways(|ways| ways.refund_notices = false);
        w.wechat.refund_by_console(&w.transaction(&paid), 1_000).unwrap();
        let raw = rusqlite::Connection::open(w.shop.db.path()).unwrap();
        xiaopu::payments::store::note_restored(&raw, w.shop.now()).unwrap();
        w.advance(SECOND);
        let number = if refused { first } else { refund_pieces(&w, &manager, &paid, 1).await };
        let retry = format!("/admin/refunds/{number}/retry");
        if refused {
            manager.post(&retry, &[]).await;
        }
        until(&w, &number, "failed").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), before + 1, "{api} {refused}");
        let page = manager.page(&format!("/admin/refunds/{number}")).await;
        assert!(page.contains("恢复备份之后"), "{api} {refused}: {page}");
        // Somebody has compared: it goes out, and is not held again where its answer gets lost.
        w.wechat.fault("refund", Fault::Http500);
        manager.post(&retry, &[]).await;
        until(&w, &number, "succeeded").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), before + 2, "{api} {refused}");
        w.must_hold().await;
    }
}

/// WeChat says that money of a payment went back, and API v3 does not say how much: it may be what is agreed to now. Whoever
/// agrees is asked, and what nobody was asked about is held, until somebody has looked.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_have_gone_back_is_looked_at_before_more_goes_back() {
    let w = super::v3::world("v3").await;
    let sku = w.product("苹果", 1_000, 99).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    w.wechat.ways(|ways| ways.refund_notices = false);
    // Agreed to without the question, on a page from before it; and with it.
    for asked in [false, true] {
        let paid = w.paid(&alice, sku, 3).await;
        let line = line_of(&w, &paid).await.to_string();
        w.wechat.refund_by_console(&w.transaction(&paid), 1_000).unwrap();
        manager.post(&format!("/admin/orders/{}/query", paid.no), &[]).await;
        let wish = json!({ "lines": [{ "lineId": line, "quantity": 1 }], "reason": "碎了" });
        let number = alice.ask_refund(&paid.no, &w.key(), wish).await.ok()["refundNo"].as_str().unwrap().to_owned();
        let approve = format!("/admin/refunds/{number}/approve");
        for page in [format!("/admin/orders/{}/refund", paid.no), format!("/admin/refunds/{number}")] {
            assert!(manager.page(&page).await.contains("微信说这笔付款已有退款"), "{page}");
        }
        let mut form = vec![("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "碎了")];
        let screen = manager.page_of(&approve, &form).await;
        assert!(screen.contains("微信说这笔付款已有退款") && screen.contains("name=\"looked\""), "{screen}");
        form.push(("confirmed", "true"));
        if asked {
            form.push(("looked", "true"));
        }
        manager.post(&approve, &form).await;
        until(&w, &number, if asked { "succeeded" } else { "failed" }).await;
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), 1 + usize::from(asked));
        if !asked {
            let page = manager.page(&format!("/admin/refunds/{number}")).await;
            assert!(page.contains("也许就是这一笔"), "{page}");
            manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
            until(&w, &number, "succeeded").await;
        }
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), 2);
        // The next one is asked about as well, until the question is settled.
        let next = refund_pieces(&w, &manager, &paid, 1).await;
        until(&w, &next, "failed").await;
        let open = format!("select id from money_exceptions where transaction_id = '{}'", w.transaction(&paid));
        let id = w.count(open).await;
        manager.post(&format!("/admin/exceptions/{id}/resolve"), &[("resolution", "核对过，是另外一件")]).await;
        if asked {
            manager.post(&format!("/admin/refunds/{next}/stop"), &[]).await;
        } else {
            // What was told before stands with it, though the question is settled.
            let page = manager.page(&format!("/admin/refunds/{next}")).await;
            assert!(page.contains("有消息说这笔款退过，也许就是这一笔"), "{page}");
            // Given back in another way, it says nothing more of what is to be done.
            let paid = [("words", "现金"), ("looked", "true")];
            manager.post(&format!("/admin/refunds/{next}/other-means"), &paid).await;
            let page = manager.page(&format!("/admin/refunds/{next}")).await;
            assert!(page.contains("已退款") && !page.contains("也许就是这一笔"), "{page}");
        }
        let last = refund_pieces(&w, &manager, &paid, 1).await;
        until(&w, &last, "succeeded").await;
    }
    w.must_hold().await;
}

/// A refused refund that somebody has made anew meanwhile does not go out beside it: neither from a page of before, nor without
/// a word of the other.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_anew_is_told_where_the_refused_one_is_tried_again() {
    for act in ["retry", "other-means"] {
        let w = World::new().await;
        let sku = w.product("苹果", 1000, 9).await;
        let alice = w.buyer("alice").await;
        let boss = w.staff("boss", Role::Manager).await;
        let placed = w.paid(&alice, sku, 3).await;
        w.wechat.fault("refund", Fault::refused("NOTENOUGH", "余额不足"));
        let first = refund_pieces(&w, &boss, &placed, 1).await;
        until(&w, &first, "failed").await;
        let here = format!("/admin/refunds/{first}");
        let page = boss.page(&here).await;
        assert!(!page.contains("这笔订单之后"), "{page}");
        let before = seen_on(&page);
        let second = refund_pieces(&w, &boss, &placed, 1).await;
        until(&w, &second, "succeeded").await;
        let again = async |seen: &str| {
            boss.post(&format!("{here}/{act}"), &[("words", "现金"), ("seen", seen)]).await;
            boss.said(&here).await
        };
        let said = again(&before).await;
        assert!(said.contains("打开这一页之后"), "{act}: {said}");
        assert_eq!(state(&w, &first).await.0, "failed", "{act}");
        let page = boss.page(&here).await;
        assert!(page.contains(&format!("这笔订单之后{second} 退了 ¥10.00")), "{page}");
        again(&seen_on(&page)).await;
        until(&w, &first, "succeeded").await;
        w.must_hold().await;
    }
}

/// A piece of each, which WeChat refuses for want of money, and some minutes later.
async fn refused(w: &World, console: &Console<'_>, orders: [&Placed; 2]) -> Vec<String> {
    w.wechat.fault_always("refund", Fault::refused("NOTENOUGH", "余额不足"));
    let mut refused = Vec::new();
    for placed in orders {
        refused.push(refund_pieces(w, console, placed, 1).await);
        until(w, refused.last().unwrap(), "failed").await;
    }
    w.wechat.clear_faults();
    w.advance(10 * MINUTE);
    refused
}

/// What is told after somebody has looked he has not seen: by a notice of which WeChat's query knows nothing yet, while his
/// refund waits, was refused, or stands on a second screen that is older.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_after_somebody_looked_is_looked_at_again() {
    for (api, way) in
        [("v2", "waits"), ("v3", "waits"), ("v2", "refused"), ("v3", "refused"), ("v2", "screen"), ("v3", "screen")]
    {
        let case = format!("{api} {way}");
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let paid = w.paid(&alice, sku, 5).await;
        let line = line_of(&w, &paid).await.to_string();
        w.wechat.fault_always("refundquery", no_such_refund(api));
        let hints = "select count(distinct out_refund_no) from messages where kind = 'refund_notify'";
        let told = async |fen| {
            let before = w.count(hints).await;
            w.wechat.refund_by_console(&w.transaction(&paid), fen).unwrap();
            w.advance(4 * SECOND);
            w.wait("the hint", || async { w.count(hints).await > before }).await;
        };
        told(500).await;
        w.run_jobs().await;
        let form = vec![("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "碎了")];
        let ask = format!("/admin/orders/{}/refund", paid.no);
        let screen = manager.page_of(&ask, &form).await;
        let looked = screen.split("name=\"looked\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let form = [form, vec![("confirmed", "true"), ("looked", looked.as_str())]].concat();
        if way == "screen" {
            told(1_000).await;
        }
        if way == "refused" {
            w.wechat.fault("refund", Fault::refused("NOTENOUGH", "余额不足"));
        }
        let mut sent = 2;
        if way == "waits" {
            // Refunds of one payment go out a minute apart.
            let (_, first) = manager.post(&ask, &form).await;
            accepted(&w, first.strip_prefix("/admin/refunds/").unwrap()).await;
            sent += 1;
        }
        let (_, to) = manager.post(&ask, &form).await;
        let number = to.strip_prefix("/admin/refunds/").unwrap().to_owned();
        if way == "refused" {
            until(&w, &number, "failed").await;
        }
        if way != "screen" {
            told(1_000).await;
        }
        if way == "refused" {
            manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
        }
        w.advance(2 * MINUTE);
        until(&w, &number, "failed").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), sent, "{case}");
        // Compared once more, it goes.
        manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
        w.wechat.clear_faults();
        until(&w, &number, "succeeded").await;
        w.must_hold().await;
    }
}

/// One that WeChat refused for want of money is what its owner then does by hand in the console: the refusal explains nothing
/// that went back, and the refused one does not go out again before somebody has looked, whether the other was heard of or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_refund_does_not_go_out_beside_what_was_done_in_its_place() {
    for (api, heard) in [("v2", true), ("v2", false), ("v3", true), ("v3", false)] {
        let case = format!("{api} {heard}");
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        w.wechat.ways(|ways| ways.refund_notices = heard);
        let (paid, plain) = (w.paid(&alice, sku, 3).await, w.paid(&alice, sku, 3).await);
        let refused = refused(&w, &manager, [&paid, &plain]).await;
        w.wechat.refund_by_console(&w.transaction(&paid), 1_000).unwrap();
        w.advance(20 * SECOND);
        if heard {
            w.wait("the notice", || async {
                w.run_jobs().await;
                w.count("select count(*) from refunds where origin = 'console'").await == 1
            })
            .await;
        }
        let retry = |number: &str| format!("/admin/refunds/{number}/retry");
        manager.post(&retry(&refused[0]), &[]).await;
        until(&w, &refused[0], "failed").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), 1, "{case}");
        let page = manager.page(&format!("/admin/refunds/{}", refused[0])).await;
        assert!(page.contains("也许就是这一笔"), "{case}: {page}");
        // Nor is it given back in another way.
        let other = format!("/admin/refunds/{}/other-means", refused[0]);
        manager.post(&other, &[("words", "现金")]).await;
        assert_eq!(state(&w, &refused[0]).await.0, "failed", "{case}");
        let said = manager.said(&format!("/admin/refunds/{}", refused[0])).await;
        assert!(said.contains("也许就是这一笔：请先核对"), "{case}: {said}");
        // Somebody has looked; where nothing went back, nobody has to.
        manager.post(&retry(&refused[0]), &[]).await;
        until(&w, &refused[0], "succeeded").await;
        manager.post(&retry(&refused[1]), &[]).await;
        until(&w, &refused[1], "succeeded").await;
        // A question to WeChat tells what a refusal does not explain: nothing leaves for it.
        let other = w.paid(&alice, sku, 3).await;
        w.wechat.fault_always("refund", Fault::refused("NOTENOUGH", "余额不足"));
        let number = refund_pieces(&w, &manager, &other, 1).await;
        until(&w, &number, "failed").await;
        w.wechat.ways(|ways| ways.refund_notices = false);
        w.wechat.refund_by_console(&w.transaction(&other), 1_000).unwrap();
        manager.post(&format!("/admin/refunds/{number}/stop"), &[]).await;
        manager.post(&format!("/admin/orders/{}/query", other.no), &[]).await;
        if api == "v3" {
            manager.ship(&format!("/admin/orders/{}", other.no)).await;
            assert_eq!(alice.status(&other.no).await, "to_ship", "{case}");
        }
        w.must_hold().await;
    }
}

/// What a buyer asked for may have been given back by hand in WeChat's console before staff agreed: whoever agrees is asked
/// once, and what is asked for afterwards goes out by itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_by_hand_meanwhile_does_not_go_out_again_unasked() {
    for api in ["v2", "v3"] {
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let paid = w.paid(&alice, sku, 4).await;
        let line = line_of(&w, &paid).await.to_string();
        let wish = json!({ "lines": [{ "lineId": line, "quantity": 1 }], "reason": "不想要了" });
        let wish = alice.ask_refund(&paid.no, &w.key(), wish).await.ok();
        let number = wish["refundNo"].as_str().unwrap();
        w.advance(MINUTE);
        w.wechat.refund_by_console(&w.transaction(&paid), 1_000).unwrap();
        w.advance(5 * SECOND);
        w.wait("the notice", || async { alice.order(&paid.no).await["refundedFen"] == 1_000 }).await;
        let form =
            [("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "不想要了"), ("confirmed", "true")];
        manager.post(&format!("/admin/refunds/{number}/approve"), &form).await;
        until(&w, number, "failed").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&paid)).len(), 1, "{api}");
        let page = manager.page(&format!("/admin/refunds/{number}")).await;
        assert!(page.contains("也许就是这一笔"), "{api}: {page}");
        assert!(page.contains("已记着退过 ¥10.00"), "{api}: {page}");
        // What is told after that was not looked at.
        w.advance(MINUTE);
        w.wechat.refund_by_console(&w.transaction(&paid), 500).unwrap();
        w.advance(5 * SECOND);
        w.wait("the notice", || async { alice.order(&paid.no).await["refundedFen"] == 1_500 }).await;
        for (ends, sum) in [("failed", 1_500), ("succeeded", 2_500)] {
            manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
            until(&w, number, ends).await;
            assert_eq!(alice.order(&paid.no).await["refundedFen"], sum, "{api}");
        }
        w.advance(2 * MINUTE);
        let next = refund_pieces(&w, &manager, &paid, 1).await;
        until(&w, &next, "succeeded").await;
        assert_eq!(alice.order(&paid.no).await["refundedFen"], 3_500, "{api}");
        w.must_hold().await;
    }
}

/// Whoever writes down that he gave the money back himself is stopped where its owner did so in WeChat's console, also where
/// nobody has told the shop of it; by API v3, which does not list refunds, he says that he compared.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_refund_is_not_paid_in_cash_beside_what_was_done_in_its_place() {
    for api in ["v2", "v3"] {
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1_000, 99).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        w.wechat.ways(|ways| ways.refund_notices = false);
        let (paid, plain) = (w.paid(&alice, sku, 3).await, w.paid(&alice, sku, 3).await);
        let refused = refused(&w, &manager, [&paid, &plain]).await;
        w.wechat.refund_by_console(&w.transaction(&paid), 1_000).unwrap();
        let cash = async |number: &str, looked: bool| {
            let form = [("words", "现金"), ("looked", "true")];
            let form = if looked { &form[..] } else { &form[..1] };
            manager.post(&format!("/admin/refunds/{number}/other-means"), form).await;
            state(&w, number).await.0
        };
        assert_eq!(cash(&refused[0], false).await, "failed", "{api}");
        let page = manager.page(&format!("/admin/refunds/{}", refused[0])).await;
        assert!(page.contains("name=\"looked\"") && page.contains("也许就是这一笔"), "{api}: {page}");
        assert_eq!(cash(&refused[0], true).await, "succeeded", "{api}");
        assert_eq!(cash(&refused[1], false).await, "succeeded", "{api}: nothing went back");
        w.must_hold().await;
    }
}

/// That somebody has looked is good for the books that he looked at: after going back to a backup he is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_looked_before_a_restore_is_asked_again_after_it() {
    let w = super::v3::world("v3").await;
    let sku = w.product("苹果", 1_000, 99).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let paid = w.paid(&alice, sku, 3).await;
    w.wechat.ways(|ways| ways.refund_notices = false);
    w.wechat.refund_by_console(&w.transaction(&paid), 1_000).unwrap();
    let back = || {
        w.advance(SECOND);
        let raw = rusqlite::Connection::open(w.shop.db.path()).unwrap();
        xiaopu::payments::store::note_restored(&raw, w.shop.now()).unwrap();
        w.advance(SECOND);
    };
    back();
    let number = refund_pieces(&w, &manager, &paid, 1).await;
    until(&w, &number, "failed").await;
    back();
    for ends in ["failed", "succeeded"] {
        manager.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
        until(&w, &number, ends).await;
    }
    w.must_hold().await;
}

/// A refund that WeChat knows, and the shop has forgotten.
pub async fn forgotten(w: &World, placed: &Placed, number: &str, fen: i64) {
    let account = w.shop.account().unwrap();
    let order = xiaopu::wechat::refund::RefundOrder {
        api: account.api(),
        transaction_id: w.transaction(placed),
        out_refund_no: format!("{}{number}", placed.no),
        total_fee: placed.total,
        refund_fee: fen,
        refund_desc: "退款".into(),
        notify_url: w.shop.settings().refund_notify_url(account.api()),
        from_balance: false,
    };
    w.shop.wechat.refund(&account, None, &order, &w.shop.nonces).await.result.unwrap();
    w.advance(20 * SECOND);
}

/// The last pieces of an order that never left go back for what they are worth; whoever gives them back is told of the
/// freight that stays.
#[tokio::test(flavor = "multi_thread")]
async fn the_freight_of_what_never_left_is_not_kept_unsaid() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let placed = w.paid(&alice, sku, 3).await;
    let line = alice.order(&placed.no).await["lines"][0]["id"].as_str().unwrap().to_owned();
    let quote = format!("/orders/{}/refunds/quote", placed.no);
    for (pieces, amount, freight) in [(1, 1000, 0), (2, 2000, 0), (3, 3000, 0)] {
        let body = json!({ "lines": [{ "lineId": line, "quantity": pieces }] });
        let quoted = alice.post(&quote, Some(body)).await.ok();
        assert_eq!((&quoted["amountFen"], &quoted["freightFen"]), (&json!(amount), &json!(freight)), "{pieces}");
    }
    let page = format!("/admin/orders/{}/refund", placed.no);
    for (pieces, freight, told) in [("2", "", false), ("3", "", true), ("3", "3", true), ("3", "8", false)] {
        let form = [("lines[0].id", &*line), ("lines[0].quantity", pieces), ("freight", freight), ("reason", "缺货")];
        let second = manager.page_of(&page, &form).await;
        assert_eq!(second.contains("没有退：要退请回上一页"), told, "{pieces} {freight}: {second}");
    }
    // Of what has left, the freight was paid for something.
    let part = [("tracking_no", "SF1234567890123"), ("pieces[0].id", &*line), ("pieces[0].quantity", "1")];
    manager.post(&format!("/admin/orders/{}/ship", placed.no), &part).await;
    let body = json!({ "lines": [{ "lineId": line, "quantity": 2 }] });
    assert_eq!(alice.post(&quote, Some(body)).await.ok()["freightFen"], 0);
    w.must_hold().await;
}

/// WeChat had said that a refund arrived, and says by a notice or by the bill that it did not: the books stay, and somebody is told, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_comes_back_after_it_had_arrived_is_told_to_a_person() {
    for (api, end, by_bill) in [
        ("v2", RefundEnd::Change, false),
        ("v3", RefundEnd::Change, false),
        ("v2", RefundEnd::Closed, false),
        ("v3", RefundEnd::Closed, false),
        ("v2", RefundEnd::Change, true),
        ("v3", RefundEnd::Change, true),
    ] {
        let case = format!("{api} {end:?} {by_bill}");
        let w = super::v3::world(api).await;
        let sku = w.product("苹果", 1_000, 9).await;
        let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
        let placed = w.paid(&alice, sku, 1).await;
        let number = refund_pieces(&w, &manager, &placed, 1).await;
        until(&w, &number, "succeeded").await;
        w.wechat.ways(|ways| ways.refund_notices = !by_bill);
        w.wechat.end_refund(&number, end).unwrap();
        let open = "select count(*) from money_exceptions where subject like '% bounced' and state = 'open'";
        if by_bill {
            // Nothing else tells of it.
            w.wechat.fault_always("refundquery", Fault::Http500);
            super::v3::next_morning(&w).await;
        }
        w.wait("the item", || async {
            w.advance(4 * SECOND);
            w.run_jobs().await;
            w.count(open).await == 1
        })
        .await;
        let page = manager.page("/admin/exceptions").await;
        let how = if end == RefundEnd::Closed { "没有退成，已经关闭" } else { "被银行退回了" };
        assert!(
            page.contains(&format!("又说它{how}")) && page.contains("把钱转给买家，再标记为已处理"),
            "{case}: {page}"
        );
        assert!(!page.contains(">立即退款<") && !page.contains(">关联到订单<"), "{case}: {page}");
        assert!(manager.page(&format!("/admin/orders/{}", placed.no)).await.contains("买家可能没有收到"), "{case}");
        assert_eq!(state(&w, &number).await.0, "succeeded", "{case}");
        let entered = "select count(*) from messages where kind = 'refund_notify' and reason like '%CHANGE，已登记%'";
        assert_eq!(w.count(entered).await, 0, "{case}");
        let id = w.count("select id from money_exceptions where subject like '% bounced'").await;
        manager.post(&format!("/admin/exceptions/{id}/resolve"), &[("resolution", "转账给买家了")]).await;
        manager
            .post(&format!("/admin/money/{}/match", xiaopu::clock::Day::of(w.shop.now()).plus(-1).shown()), &[])
            .await;
        w.run_jobs().await;
        assert_eq!(w.count(open).await, 0, "{case}");
        w.must_hold().await;
    }
}
