//! The main road: order, pay, notice, ship, receive.

use serde_json::{Value, json};
use xiaopu::catalogue::Delivery;
use xiaopu::ids::SkuId;
use xiaopu::simulator::Paying;
use xiaopu::staff::Role;
use xiaopu::wechat::v2::sign::SignType;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_pays_and_receives() {
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let w = World::with(sign_type, &[("shop.freight", "8"), ("shop.name", "小店")]).await;
        let sku = w.product("草莓蛋糕", 8800, 4).await;
        let alice = w.buyer("alice").await;
        let answer = alice.buy(sku, 2).await;
        assert_eq!(answer.status, 201);
        let (order, payment) = (answer.body["order"].clone(), answer.body["payment"].clone());
        assert_eq!(
            (&order["goodsFen"], &order["freightFen"], &order["totalFen"], &order["status"], &order["statusText"]),
            (&json!(17600), &json!(800), &json!(18400), &json!("pending_payment"), &json!("待付款"))
        );
        assert_eq!(order["createdAt"], "2026-10-08T13:00:00+08:00");
        assert_eq!(order["expiresAt"], "2026-10-08T13:30:00+08:00");
        assert_eq!(order["actions"], json!({ "pay": true, "cancel": true, "confirm": false, "refund": false }));
        assert_eq!(payment["signType"], sign_type.name());
        assert!(payment.as_object().unwrap().values().all(|value| value.is_string()));
        assert_eq!(w.stock(sku).await, (4, 2));
        let placed = Placed::of(answer);

        // What WeChat was asked for.
        let trade = w.wechat.trade(&placed.out_trade_no).unwrap();
        for (name, value) in [
            ("total_fee", "18400"),
            ("body", "小店-草莓蛋糕"),
            ("trade_type", "JSAPI"),
            ("openid", &w.wechat.openid("alice")),
            ("time_start", "20261008130000"),
            ("time_expire", "20261008133000"),
            ("notify_url", &w.at("/wechat/pay/notify")),
        ] {
            assert_eq!(trade.field(name), value, "{name}");
        }

        w.pay(&placed, Paying::Well);
        w.wait("the notice", || async { alice.status(&placed.no).await == "to_ship" }).await;
        let paid = alice.order(&placed.no).await;
        assert_eq!((&paid["paidFen"], &paid["actions"]["pay"]), (&json!(18400), &json!(false)));
        assert_eq!(w.stock(sku).await, (4, 2), "paid goods stay reserved until they leave");
        assert_eq!(alice.post(&format!("/orders/{}/prepay", placed.no), None).await.error(), (409, "already_paid"));
        assert_eq!(alice.post(&format!("/orders/{}/confirm", placed.no), None).await.error(), (409, "order_state"));
        let cancel = alice.post(&format!("/orders/{}/cancel", placed.no), None).await;
        assert_eq!(cancel.error(), (409, "order_state"));
        assert_eq!(cancel.body["error"]["details"]["order"]["status"], "to_ship");

        let packer = w.staff("packer", Role::Packer).await;
        let ship = format!("/admin/orders/{}/ship", placed.no);
        packer.post(&ship, &[("company", "SF"), ("tracking_no", "SF1234567890123")]).await;
        assert_eq!(w.stock(sku).await, (2, 0));
        let shipped = alice.order(&placed.no).await;
        assert_eq!((&shipped["status"], &shipped["statusText"]), (&json!("shipped"), &json!("待收货")));
        assert_eq!(shipped["shipments"][0]["trackingNo"], "SF1234567890123");
        assert_eq!(shipped["shipments"][0]["companyText"], "顺丰速运");
        packer.post(&ship, &[("company", "SF"), ("tracking_no", "SF1234567890123")]).await;
        assert_eq!(w.stock(sku).await, (2, 0), "shipping twice ships once");

        let done = alice.post(&format!("/orders/{}/confirm", placed.no), None).await.ok();
        assert_eq!(done["status"], "completed");
        assert_eq!(w.get("/products").await.ok()["items"][0]["soldCount"], 2);
        w.must_hold().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_newest_first_by_status() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let mut numbers = Vec::new();
    for _ in 0..5 {
        numbers.push(Placed::of(alice.buy(sku, 1).await).no);
    }
    alice.post(&format!("/orders/{}/cancel", numbers[0]), None).await.ok();
    let first = alice.get("/orders?limit=3").await.ok();
    let second = alice.get(&format!("/orders?limit=3&cursor={}", first["nextCursor"].as_str().unwrap())).await.ok();
    let listed: Vec<String> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|order| order["orderNo"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, numbers.iter().rev().cloned().collect::<Vec<_>>());
    assert!(second["nextCursor"].is_null());
    let closed = alice.get("/orders?status=closed").await.ok();
    assert_eq!(closed["items"].as_array().unwrap().len(), 1);
    assert_eq!(closed["items"][0]["closedReason"], "buyer_cancelled");
    assert_eq!(alice.get("/orders?status=refunding").await.ok()["items"], json!([]));
    assert_eq!(alice.get("/orders?status=paid").await.error(), (422, "validation_failed"));
    assert_eq!(alice.get("/me").await.ok()["counts"]["pendingPayment"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_found_without_any_notice() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    // By the poll.
    let polled = Placed::of(alice.buy(sku, 1).await);
    w.pay(&polled, Paying::NoNotice);
    w.advance(14 * SECOND);
    w.run_jobs().await;
    assert_eq!(alice.status(&polled.no).await, "pending_payment");
    w.advance(2 * SECOND);
    w.wait("the poll", || async { alice.status(&polled.no).await == "to_ship" }).await;
    // By the buyer's own check, at most once in three seconds.
    let checked = Placed::of(alice.buy(sku, 1).await);
    let check = format!("/orders/{}/check", checked.no);
    assert_eq!(alice.post(&check, None).await.ok()["status"], "pending_payment");
    let asked = w.wechat.calls("orderquery");
    w.pay(&checked, Paying::NoNotice);
    assert_eq!(alice.post(&check, None).await.ok()["status"], "pending_payment", "answered from the store");
    assert_eq!(w.wechat.calls("orderquery"), asked);
    w.advance(3 * SECOND);
    assert_eq!(alice.post(&check, None).await.ok()["status"], "to_ship");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_shipped_only_with_a_plausible_number() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let clerk = w.staff("clerk", Role::Clerk).await;
    let ship = format!("/admin/orders/{}/ship", placed.no);
    clerk.post(&ship, &[("company", "SF"), ("tracking_no", "SF1234567890123")]).await;
    assert_eq!(alice.status(&placed.no).await, "pending_payment", "unpaid goods do not leave");
    w.pay(&placed, Paying::Well);
    w.wait("the notice", || async { alice.status(&placed.no).await == "to_ship" }).await;
    for form in [
        [("company", ""), ("tracking_no", "123456")],
        [("company", "NOPE"), ("tracking_no", "SF1234567890123")],
        [("company", "SF"), ("tracking_no", "")],
        [("company", "SF"), ("tracking_no", "7.73E+14")],
        [("company", "SF"), ("tracking_no", "<script>alert(1)</script>")],
    ] {
        clerk.post(&ship, &form).await;
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{form:?}");
    }
    // What needs no parcel leaves without a number.
    let (_, card) = w.product_with("礼品卡", 100, 9, |_, sku| sku.delivery = Delivery::None).await;
    let virtual_ = Placed::of(alice.buy(card, 1).await);
    w.pay(&virtual_, Paying::Well);
    w.wait("the notice", || async { alice.status(&virtual_.no).await == "to_ship" }).await;
    clerk.post(&format!("/admin/orders/{}/ship", virtual_.no), &[]).await;
    assert_eq!(alice.status(&virtual_.no).await, "shipped");
    // Nobody confirms: after ten days it counts as received.
    w.advance(10 * 24 * 60 * MINUTE - SECOND);
    w.run_jobs().await;
    assert_eq!(alice.status(&virtual_.no).await, "shipped");
    w.advance(SECOND);
    w.wait("the ten days", || async { alice.status(&virtual_.no).await == "completed" }).await;
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_one_under_all_its_names_for_buyer_and_shop() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let set = async |area: &str, freight: &str| {
        let form = [("group", "freight"), ("shop-local_area", area), ("shop-freight_regions", freight)];
        owner.post("/admin/settings", &form).await.0
    };
    let (_, cake) = w.product_with("蛋糕", 1000, 9, |_, sku| sku.delivery = Delivery::Local).await;
    let apple = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let quote = async |sku, place: [&str; 3]| {
        let mut ask = order(sku, 1);
        for (part, text) in ["province", "city", "district"].iter().zip(place) {
            ask["address"][part] = text.into();
        }
        let quote = alice.post("/quote", Some(ask)).await.ok();
        let refused = quote["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "not_deliverable");
        (quote["freightFen"].as_i64().unwrap(), refused)
    };
    // wx.chooseAddress says 上海市 twice, tables say 市辖区, people write 上海浦东.
    for area in ["上海市浦东新区", "上海浦东", "上海市/上海市/浦东新区", "杭州市西湖区、上海 浦东新区"]
    {
        assert_eq!(set(area, "").await, 303, "{area}");
        for (place, refused) in [
            (["上海市", "上海市", "浦东新区"], false),
            (["上海市", "市辖区", "浦东新区"], false),
            (["上海", "", "浦东新区"], false),
            (["上海市", "上海市", "徐汇区"], true),
        ] {
            assert_eq!(quote(cake, place).await.1, refused, "{area}: {place:?}");
        }
    }
    assert_eq!(set("", "新疆 西藏:25;乌鲁木齐:30；港澳台:不发货").await, 303);
    for (place, expected) in [
        (["新疆", "喀什地区", "喀什市"], (2500, false)),
        (["新疆维吾尔自治区", "乌鲁木齐市", "天山区"], (3000, false)),
        (["西藏自治区", "拉萨市", "城关区"], (2500, false)),
        (["台湾省", "台北市", "大安区"], (0, true)),
        (["香港特别行政区", "香港特别行政区", "中西区"], (0, true)),
        (["浙江省", "杭州市", "西湖区"], (0, false)),
    ] {
        assert_eq!(quote(apple, place).await, expected, "{place:?}");
    }
    let mut abroad = order(apple, 1);
    abroad["address"]["province"] = "台湾省".into();
    assert_eq!(alice.prepay(&w.key(), abroad).await.error(), (422, "not_deliverable"));
    // What names no place is not saved; what was typed stays on the page.
    for (area, freight, problem) in [
        ("西湖区", "", "请把省市写全"),
        ("杭州市西糊区", "", "不认识「杭州市西糊区」"),
        ("", "偏远地区:20", "不认识「偏远地区」"),
        ("", "新彊:20", "不认识「新彊」"),
    ] {
        let form = [("group", "freight"), ("shop-local_area", area), ("shop-freight_regions", freight)];
        let page = owner.page_of("/admin/settings", &form).await;
        assert!(page.contains("没有保存") && page.contains(problem), "{area}{freight}");
    }
    assert_eq!(quote(apple, ["西藏", "拉萨", ""]).await.0, 2500, "what was saved before still holds");
    // The page says what it read, and how many of the last orders that would be.
    let mut far = order(apple, 1);
    far["address"]["province"] = "西藏".into();
    alice.prepay(&w.key(), far).await.ok();
    alice.buy(apple, 1).await.ok();
    let page = owner.page("/admin/settings").await;
    assert!(
        page.contains("读作 新疆维吾尔自治区 ¥25.00、西藏自治区 ¥25.00") && page.contains("台湾省 不发货"),
        "{page}"
    );
    assert!(page.contains("最近 2 个有地址的订单里有 1 个在其中"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_are_brought_nearby() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("shop-local_freight", "5"), ("shop-local_area", "浙江省杭州市西湖区")]).await;
    let (_, cake) = w.product_with("蛋糕", 1000, 9, |_, sku| sku.delivery = Delivery::Local).await;
    let alice = w.buyer("alice").await;
    let quote = alice.post("/quote", Some(json!({ "items": [{ "skuId": cake, "quantity": 1 }] }))).await.ok();
    assert_eq!((&quote["freightFen"], &quote["delivery"]), (&json!(500), &json!("local")));
    assert_eq!(alice.prepay(&w.key(), without_address(order(cake, 1))).await.error(), (422, "address_required"));
    let mut far = order(cake, 1);
    far["address"]["district"] = "余杭区".into();
    let refused = alice.prepay(&w.key(), far).await;
    assert_eq!(refused.error(), (422, "not_deliverable"));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("浙江省杭州市西湖区"), "says where it would");
    let placed = w.paid(&alice, cake, 1).await;
    // It leaves without a number, and the rider is told where to.
    let clerk = w.staff("clerk", Role::Clerk).await;
    let page = clerk.page(&format!("/admin/orders/{}", placed.no)).await;
    assert!(page.contains("同城配送，不需要快递单号") && page.contains("西湖区"), "{page}");
    clerk.post(&format!("/admin/orders/{}/ship", placed.no), &[]).await;
    assert_eq!(alice.status(&placed.no).await, "shipped");
    w.must_hold().await;
}

fn without_address(mut form: Value) -> Value {
    form.as_object_mut().unwrap().remove("address");
    form
}

/// What cannot go in one order is named, each with how it goes, and what goes another way costs nothing to send.
#[tokio::test(flavor = "multi_thread")]
async fn goods_that_go_different_ways_are_named_and_only_what_is_sent_costs_freight() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let fetched = w.product_with("蛋糕", 8800, 9, |_, sku| sku.delivery = Delivery::Pickup).await.1;
    let tea = w.product("茶", 5000, 9).await;
    let card = w.product_with("贺卡", 100, 9, |_, sku| sku.delivery = Delivery::None).await.1;
    let alice = w.buyer("alice").await;
    let items = |skus: &[(SkuId, i64)]| {
        let items: Vec<_> = skus.iter().map(|(sku, n)| json!({ "skuId": sku, "quantity": n })).collect();
        json!({ "items": items, "address": address() })
    };
    for (skus, freight) in
        [(vec![(fetched, 1), (tea, 2), (card, 1)], 0), (vec![(tea, 2), (fetched, 1), (card, 1)], 800)]
    {
        let quote = alice.post("/quote", Some(items(&skus))).await.ok();
        let told = quote["warnings"].as_array().unwrap().iter().find(|one| one["code"] == "not_deliverable").unwrap();
        let words = told["message"].as_str().unwrap();
        assert!(
            words.contains("「蛋糕」要自提") && words.contains("「茶」要快递") && !words.contains("贺卡"),
            "{words}"
        );
        let mut groups = told["details"]["groups"].as_array().unwrap().clone();
        groups.sort_by_key(|group| group["delivery"].as_str().unwrap().to_owned());
        assert_eq!(groups[0], json!({ "delivery": "express", "deliveryText": "快递", "skuIds": [tea], "pieces": 2 }));
        assert_eq!(
            groups[1],
            json!({ "delivery": "pickup", "deliveryText": "自提", "skuIds": [fetched], "pieces": 1 })
        );
        assert_eq!(quote["freightFen"], freight, "{quote}");
        assert_eq!(alice.prepay(&w.key(), items(&skus)).await.error(), (422, "not_deliverable"));
    }
    // One group first, the other then; what needs no sending goes with either.
    for (skus, freight) in [(vec![(tea, 2), (card, 1)], 800), (vec![(fetched, 1), (card, 1)], 0)] {
        let quote = alice.post("/quote", Some(items(&skus))).await.ok();
        let refused = quote["warnings"].as_array().unwrap().iter().any(|one| one["code"] == "not_deliverable");
        assert_eq!((refused, &quote["freightFen"]), (false, &json!(freight)), "{quote}");
    }
    // A way that the goods do not have is named with them.
    let mut asked = items(&[(tea, 1)]);
    asked["delivery"] = json!("pickup");
    let quote = alice.post("/quote", Some(asked)).await.ok();
    assert!(quote["warnings"][0]["message"].as_str().unwrap().contains("「茶」要快递，不能用自提"), "{quote}");
}
