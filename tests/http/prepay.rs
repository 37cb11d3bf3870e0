//! Prepay: what is refused, what is repeated, and what stands when WeChat fails.

use reqwest::Method;
use serde_json::{Value, json};
use xiaopu::catalogue::Delivery;
use xiaopu::catalogue::shelf::set_shelf;
use xiaopu::db::Tx;
use xiaopu::simulator::{Fault, Paying, TradeState};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_one_thing_wrong_is_refused() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 5).await;
    let (_, limited) = w.product_with("限购", 1000, 9, |_, sku| sku.limit_per_order = Some(2)).await;
    let (off, off_sku) = w.product_with("下架", 1000, 9, |draft, _| draft.on_shelf = false).await;
    let (_, free) = w.product_with("免费", 0, 9, |_, sku| sku.delivery = Delivery::None).await;
    let (_, card) = w.product_with("卡", 500, 9, |_, sku| sku.delivery = Delivery::None).await;
    let alice = w.buyer("alice").await;
    let item = |sku, quantity: Value| json!([{ "skuId": sku, "quantity": quantity }]);
    let with = |name: &str, value: Value| {
        let mut form = order(sku, 1);
        form[name] = value;
        form
    };
    let mut without_address = order(sku, 1);
    without_address.as_object_mut().unwrap().remove("address");
    for (form, expected) in [
        (json!({}), (422, "validation_failed")),
        (json!([]), (400, "malformed_body")),
        (with("items", json!([])), (422, "validation_failed")),
        (with("items", item(sku, json!(0))), (422, "validation_failed")),
        (with("items", item(sku, json!(-1))), (422, "validation_failed")),
        (with("items", item(sku, json!(1000))), (422, "validation_failed")),
        (with("items", item(sku, json!(1.5))), (400, "malformed_body")),
        (with("items", item(sku, json!("1"))), (400, "malformed_body")),
        (with("items", item(sku, json!(9_223_372_036_854_775_807_i64))), (422, "validation_failed")),
        (with("items", json!([{ "skuId": "999", "quantity": 1 }])), (404, "not_found")),
        (with("items", json!([{ "skuId": "x", "quantity": 1 }])), (404, "not_found")),
        (with("items", json!([{ "skuId": sku, "quantity": 1, "priceFen": 1 }])), (400, "unknown_field")),
        (with("totalFen", json!(1)), (400, "unknown_field")),
        (with("items", item(off_sku, json!(1))), (404, "product_off_shelf")),
        (with("items", item(sku, json!(6))), (409, "out_of_stock")),
        (with("items", item(limited, json!(3))), (422, "purchase_limit")),
        (with("items", item(free, json!(1))), (422, "validation_failed")),
        (with("delivery", json!("pickup")), (422, "not_deliverable")),
        (with("delivery", json!("drone")), (422, "validation_failed")),
        (with("expectedTotalFen", json!(999)), (409, "price_changed")),
        (with("remark", json!("x".repeat(201))), (422, "validation_failed")),
        (with("addressId", json!("1")), (422, "validation_failed")),
        (with("address", json!({ "receiver": "x" })), (422, "validation_failed")),
        (without_address, (422, "address_required")),
    ] {
        let answer = alice.prepay(&w.key(), form.clone()).await;
        assert_eq!(answer.error(), expected, "{form} {}", answer.body);
        assert!(answer.body["error"]["requestId"] == answer.headers["x-request-id"].to_str().unwrap());
    }
    // Twice the same SKU is one line, and counts against stock as one.
    let twice = json!([{ "skuId": sku, "quantity": 3 }, { "skuId": sku, "quantity": 3 }]);
    assert_eq!(alice.prepay(&w.key(), with("items", twice)).await.error(), (409, "out_of_stock"));
    // Every short line is named, and a price change carries the new quote.
    let both = json!([{ "skuId": sku, "quantity": 6 }, { "skuId": limited, "quantity": 10 }]);
    let short = alice.prepay(&w.key(), with("items", both)).await;
    let lines = short.body["error"]["details"]["lines"].as_array().unwrap();
    assert_eq!(lines.iter().map(|l| l["available"].as_i64().unwrap()).collect::<Vec<_>>(), [5, 9]);
    let changed = alice.prepay(&w.key(), with("expectedTotalFen", json!(999))).await;
    assert_eq!(changed.body["error"]["details"]["totalFen"], 1000);
    // Nothing of all this left a trace.
    assert_eq!(w.count("select count(*) from orders").await, 0);
    assert_eq!(w.stock(sku).await, (5, 0));
    // What needs no parcel needs no address.
    alice.prepay(&w.key(), json!({ "items": item(card, json!(1)) })).await.ok();
    w.shop.db.write(move |tx: &Tx| set_shelf(tx, off, true)).await.unwrap();
    alice.prepay(&w.key(), with("items", item(off_sku, json!(1)))).await.ok();
    w.must_hold().await;
}

/// A limit per person counts what the buyer has in all orders that still stand.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_more_than_his_share() {
    let w = World::new().await;
    let (product, sku) = w.product_with("票", 1000, 90, |draft, _| draft.limit_per_buyer = Some(3)).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    assert_eq!(w.get(&format!("/products/{product}")).await.ok()["skus"][0]["limitPerOrder"], 3);
    let first = Placed::of(alice.buy(sku, 2).await);
    let quote = alice.post("/quote", Some(order(sku, 2))).await.ok();
    assert_eq!(quote["warnings"][0]["code"], "purchase_limit");
    for (buyer, quantity, words) in
        [(&alice, 2, "「票」每人限购 3 件，您已买 2 件，还可以买 1 件"), (&bob, 4, "「票」每人限购 3 件")]
    {
        let refused = buyer.buy(sku, quantity).await;
        assert_eq!((refused.error(), &refused.body["error"]["message"]), ((422, "purchase_limit"), &json!(words)));
    }
    alice.buy(sku, 1).await.ok();
    let refused = alice.buy(sku, 1).await;
    assert_eq!(refused.body["error"]["message"], "「票」每人限购 3 件，您已买 3 件");
    let details = json!({ "productId": product.to_string(), "limitPerBuyer": 3, "bought": 3, "quantity": 1 });
    assert_eq!(refused.body["error"]["details"], details);
    // What is cancelled may be bought again.
    alice.post(&format!("/orders/{}/cancel", first.no), None).await.ok();
    alice.buy(sku, 2).await.ok();
    // Two orders at once are not each the first.
    let (key, other) = (w.key(), w.key());
    let both = tokio::join!(bob.prepay(&key, order(sku, 2)), bob.prepay(&other, order(sku, 2)));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_must_carry_a_key_a_token_and_json() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 5).await;
    let alice = w.buyer("alice").await;
    let post = |path: &str| w.http().post(w.at(path)).bearer_auth(&alice.token);
    for key in [None, Some("short"), Some("has space in it"), Some(&*"x".repeat(65))] {
        let answer = w.call(Method::POST, "/prepay", Some(&alice.token), key, Some(order(sku, 1))).await;
        assert_eq!(answer.error(), (400, "idempotency_key_required"), "{key:?}");
    }
    let answer = w.call(Method::POST, "/prepay", None, Some("test-key-1"), Some(order(sku, 1))).await;
    assert_eq!(answer.error(), (401, "unauthenticated"));
    let text = post("/api/v1/prepay").header("Idempotency-Key", "test-key-1").body("hello").send().await.unwrap();
    assert_eq!(text.status(), 415);
    let bad = post("/api/v1/prepay").header("Idempotency-Key", "test-key-1").header("content-type", "application/json");
    let bad = bad.body("{\"items\":").send().await.unwrap();
    assert_eq!(bad.status(), 400);
    let huge = post("/api/v1/quote").header("content-type", "application/json").body(" ".repeat(70_000));
    assert_eq!(huge.send().await.unwrap().status(), 413);
    for (method, path) in [(Method::GET, "/prepay"), (Method::PATCH, "/orders"), (Method::GET, "/nothing")] {
        assert_eq!(w.call(method, path, Some(&alice.token), None, None).await.error(), (404, "not_found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_places_one_order() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 5).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let first = alice.prepay("same-key-1", order(sku, 1)).await;
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = alice.prepay("same-key-1", order(sku, 1)).await;
    assert_eq!((again.status, &again.headers["idempotency-replayed"]), (201, &"true".parse().unwrap()));
    assert_eq!(again.body["order"]["orderNo"], first.body["order"]["orderNo"]);
    assert_eq!(again.body["payment"]["package"], first.body["payment"]["package"]);
    assert_eq!(w.wechat.calls("unifiedorder"), 1, "a living prepay_id is given out again");
    assert_eq!(alice.prepay("same-key-1", order(sku, 2)).await.error(), (409, "idempotency_mismatch"));
    let bobs = bob.prepay("same-key-1", order(sku, 1)).await;
    assert_ne!(bobs.body["order"]["orderNo"], first.body["order"]["orderNo"], "keys are each buyer's own");
    // The key of an order that has been paid places no second one.
    let placed = Placed::of(first);
    w.pay(&placed, Paying::Well);
    w.wait("the notice", || async { alice.status(&placed.no).await == "to_ship" }).await;
    assert_eq!(alice.prepay("same-key-1", order(sku, 1)).await.error(), (409, "already_paid"));
    w.advance(24 * 60 * MINUTE + SECOND);
    let fresh = alice.prepay("same-key-1", order(sku, 1)).await.ok();
    assert_ne!(fresh["order"]["orderNo"].as_str().unwrap(), placed.no, "a day later the key is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_stands_when_wechat_fails() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    for (fault, expected) in [
        (Fault::LoseAnswer, (503, "wechat_unavailable")),
        (Fault::Http500, (503, "wechat_unavailable")),
        (Fault::BadSign, (503, "wechat_unavailable")),
        (Fault::OtherMerchant, (503, "wechat_unavailable")),
        (Fault::OtherApp, (503, "wechat_unavailable")),
        (Fault::ReturnFail("签名错误".into()), (502, "wechat_rejected")),
        (Fault::refused("NOAUTH", "无权限"), (502, "wechat_rejected")),
        (Fault::refused("NOTENOUGH", "余额不足"), (502, "wechat_rejected")),
        (Fault::refused("APPID_MCHID_NOT_MATCH", "不匹配"), (502, "wechat_rejected")),
        (Fault::refused("SOMETHING_NEW", "?"), (502, "wechat_rejected")),
    ] {
        w.wechat.fault("unifiedorder", fault.clone());
        let key = w.key();
        let answer = alice.prepay(&key, order(sku, 1)).await;
        assert_eq!(answer.error(), expected, "{fault:?}");
        let no = answer.body["error"]["details"]["orderNo"].as_str().unwrap().to_owned();
        assert_eq!(alice.status(&no).await, "pending_payment", "{fault:?}");
        // Either way goes on with the same order.
        let same = alice.prepay(&key, order(sku, 1)).await.ok();
        assert_eq!(same["order"]["orderNo"], no.as_str());
        let again = alice.post(&format!("/orders/{no}/prepay"), None).await.ok();
        assert_eq!(again["payment"]["package"], same["payment"]["package"]);
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_wechat_is_asked_twice_with_the_same_parameters() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    w.wechat.fault("unifiedorder", Fault::refused("SYSTEMERROR", "系统超时"));
    alice.buy(sku, 1).await.ok();
    assert_eq!(w.wechat.calls("unifiedorder"), 2);
    for _ in 0..2 {
        w.wechat.fault("unifiedorder", Fault::refused("SYSTEMERROR", "系统超时"));
    }
    assert_eq!(alice.buy(sku, 1).await.error(), (503, "wechat_unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_number_is_replaced_by_the_next() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    for code in ["INVALID_REQUEST", "OUT_TRADE_NO_USED"] {
        w.wechat.fault("unifiedorder", Fault::refused(code, "201 商户订单号重复"));
        let placed = Placed::of(alice.buy(sku, 1).await);
        assert!(w.wechat.trade(&format!("{}01", placed.no)).is_none(), "{code}");
        assert_eq!(w.wechat.trade(&format!("{}02", placed.no)).unwrap().field("total_fee"), "1000");
    }
    // Closed at WeChat behind our back.
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.advance(111 * SECOND);
    w.wechat.fault("unifiedorder", Fault::refused("ORDERCLOSED", "订单已关闭"));
    w.wechat.fault("orderquery", Fault::Http500);
    w.advance(-111 * SECOND);
    let again = alice.post(&format!("/orders/{}/prepay", placed.no), None).await.ok();
    assert_eq!(again["payment"]["package"].as_str().unwrap(), format!("prepay_id={}", placed.prepay_id));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_wechat_calls_paid_becomes_paid() {
    let w = World::with(Default::default(), &[("shop.pay_minutes", "120")]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::NoNotice);
    // The prepay_id has grown old, so WeChat is asked again. Whatever it refuses, the number that the buyer may
    // still hold is not replaced by a second one; then it says ORDERPAID. The worker's own question has no turn meanwhile.
    let turn = w.shop.jobs_turn(0).await;
    w.clock.advance(111 * MINUTE);
    w.wechat.fault("unifiedorder", Fault::refused("NOAUTH", "无权限"));
    assert_eq!(alice.post(&format!("/orders/{}/prepay", placed.no), None).await.error(), (502, "wechat_rejected"));
    assert_eq!(alice.post(&format!("/orders/{}/prepay", placed.no), None).await.error(), (409, "already_paid"));
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    drop(turn);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_prepay_id_is_renewed_and_an_expired_order_is_not_paid() {
    let w = World::with(Default::default(), &[("shop.pay_minutes", "120")]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let pay = format!("/orders/{}/prepay", placed.no);
    w.clock.advance(109 * MINUTE);
    assert_eq!(alice.post(&pay, None).await.ok()["payment"]["package"], format!("prepay_id={}", placed.prepay_id));
    w.clock.advance(2 * MINUTE);
    let renewed = alice.post(&pay, None).await.ok();
    assert_ne!(renewed["payment"]["package"], format!("prepay_id={}", placed.prepay_id));
    assert!(w.wechat.trade(&format!("{}02", placed.no)).is_none(), "the number stays, with the same parameters");
    w.clock.advance(9 * MINUTE);
    assert_eq!(alice.post(&pay, None).await.error(), (409, "order_expired"));
    w.shop.wake_worker();
    w.wait("the sweep", || async {
        w.advance(11 * SECOND);
        alice.status(&placed.no).await == "closed"
    })
    .await;
    assert_eq!(w.wechat.trade(&placed.out_trade_no).unwrap().state, TradeState::Closed);
    assert_eq!(alice.post(&pay, None).await.error(), (409, "order_expired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_not_ready_says_so() {
    let w = World::with(Default::default(), &[("shop.open", "no")]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    assert_eq!(alice.buy(sku, 1).await.error(), (409, "shop_closed"));
    let quote = alice.post("/quote", Some(order(sku, 1))).await.ok();
    assert_eq!(quote["warnings"][0]["code"], "shop_closed");
    let w = World::with(Default::default(), &[("wechat.api_key", "")]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    assert_eq!(alice.buy(sku, 1).await.error(), (503, "payment_not_configured"));
    assert_eq!(w.count("select count(*) from orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_changes_nothing() {
    let w = World::with(Default::default(), &[("shop.freight", "8"), ("shop.free_freight_from", "20")]).await;
    let sku = w.product("苹果", 1000, 5).await;
    let anonymous = |quantity| {
        let mut form = order(sku, quantity);
        form.as_object_mut().unwrap().remove("address");
        w.call(Method::POST, "/quote", None, None, Some(form))
    };
    let one = anonymous(1).await.ok();
    assert_eq!((&one["goodsFen"], &one["freightFen"], &one["totalFen"]), (&json!(1000), &json!(800), &json!(1800)));
    assert_eq!(one["warnings"][0]["code"], "address_required");
    assert_eq!(anonymous(2).await.ok()["freightFen"], 0);
    assert_eq!(anonymous(6).await.ok()["warnings"][0]["code"], "out_of_stock");
    assert_eq!(w.stock(sku).await, (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_far_province_pays_its_own_freight() {
    let more = [("shop.freight", "8"), ("shop.free_freight_from", "20"), ("shop.freight_regions", "新疆:20")];
    let w = World::with(Default::default(), &more).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    for (province, quantity, freight) in [("浙江省", 1, 800), ("浙江省", 2, 0), ("新疆维吾尔自治区", 2, 2000)]
    {
        let mut form = order(sku, quantity);
        form["address"]["province"] = province.into();
        let order = alice.prepay(&w.key(), form).await.ok()["order"].clone();
        assert_eq!((&order["freightFen"], &order["totalFen"]), (&freight.into(), &(1000 * quantity + freight).into()));
    }
}
