//! Promotions and coupons: the server's one best combination, held with the order, come back when it closes, and money to
//! the fen all the way.

use serde_json::{Value, json};
use xiaopu::catalogue::store as catalogue;
use xiaopu::error::Error;
use xiaopu::ids::SkuId;
use xiaopu::staff::Role;

use super::refunds::{refund_pieces, until};
use crate::support::*;

/// Writes a promotion through the console; answers with its page.
async fn promotion(boss: &Console<'_>, form: &[(&str, &str)]) -> String {
    let (status, to) = boss.post("/admin/promotions", form).await;
    assert_eq!(status, 303, "{}", boss.page_of("/admin/promotions", form).await);
    to
}

/// 满 100 减 10，满 200 减 30, for everybody.
const TIERS: &[(&str, &str)] = &[
    ("kind", "reduce"),
    ("given", "everybody"),
    ("name", "满减"),
    ("from", "100"),
    ("off", "10"),
    ("from", "200"),
    ("off", "30"),
    ("scope", "all"),
];

/// A coupon of so many yuan without a threshold, by its code.
fn coupon<'a>(code: &'a str, off: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("kind", "reduce"),
        ("given", "link"),
        ("name", "春天券"),
        ("from", ""),
        ("off", off),
        ("scope", "all"),
        ("code", code),
        ("listed", "true"),
    ]
}

async fn fetch(buyer: &Buyer<'_>, code: &str) -> Answer {
    buyer.post("/coupons", Some(json!({ "code": code }))).await
}

/// Why it is cheaper, each with what it takes off goods and freight.
fn reasons(of: &Value) -> Vec<(String, i64, i64)> {
    let fen = |discount: &Value, name: &str| discount[name].as_i64().unwrap();
    let discounts = of["discounts"].as_array().unwrap().iter();
    discounts.map(|d| (d["name"].as_str().unwrap().to_owned(), fen(d, "amountFen"), fen(d, "freightFen"))).collect()
}

fn sums(of: &Value) -> (i64, i64, i64, i64) {
    let fen = |name: &str| of[name].as_i64().unwrap();
    (fen("goodsFen"), fen("freightFen"), fen("discountFen"), fen("totalFen"))
}

async fn states(buyer: &Buyer<'_>) -> Vec<String> {
    let items = buyer.get("/coupons").await.ok()["items"].clone();
    items.as_array().unwrap().iter().map(|coupon| coupon["state"].as_str().unwrap().to_owned()).collect()
}

fn wish(items: &[(SkuId, i64)], coupon: Option<&str>) -> Value {
    let items: Vec<_> = items.iter().map(|(sku, n)| json!({ "skuId": sku, "quantity": n })).collect();
    let mut wish = json!({ "items": items, "address": address() });
    if let Some(coupon) = coupon {
        wish["couponId"] = coupon.into();
    }
    wish
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_says_why_it_is_cheaper_and_the_order_costs_the_same() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let boss = w.staff("boss", Role::Owner).await;
    let (apple, tea) = (w.product("苹果", 3333, 90).await, w.product("茶", 5000, 90).await);
    let alice = w.buyer("alice").await;
    promotion(&boss, TIERS).await;
    let free = [("kind", "freight"), ("given", "everybody"), ("name", "包邮"), ("from", "120"), ("scope", "all")];
    promotion(&boss, &free).await;
    promotion(&boss, &coupon("SPRING25", "5")).await;

    let below = alice.post("/quote", Some(wish(&[(apple, 2)], None))).await.ok();
    assert_eq!((sums(&below), reasons(&below)), ((6666, 800, 0, 7466), vec![]));
    assert_eq!(below["hints"], json!(["再买 ¥33.34 就减 ¥10（满减）", "再买 ¥53.34 就包邮（包邮）"]));
    let quote = alice.post("/quote", Some(wish(&[(apple, 2), (tea, 1)], None))).await.ok();
    assert_eq!(sums(&quote), (11_666, 800, 1000, 11_466));
    assert_eq!(reasons(&quote), [("满减".into(), 1000, 0)]);

    // Fetched once, whatever the case; then there is none for this buyer.
    let held = fetch(&alice, " spring25 ").await.ok();
    assert_eq!((&held["text"], &held["state"]), (&"减 ¥5".into(), &"usable".into()));
    assert_eq!(fetch(&alice, "SPRING25").await.error(), (409, "coupon_unavailable"));
    assert_eq!(fetch(&alice, "NOSUCH").await.error(), (409, "coupon_unavailable"));

    let goods = [(apple, 3), (tea, 1)];
    let quote = alice.post("/quote", Some(wish(&goods, None))).await.ok();
    assert_eq!(sums(&quote), (14_999, 0, 1500, 13_499));
    assert_eq!(reasons(&quote), [("满减".into(), 1000, 0), ("包邮".into(), 0, 800), ("春天券".into(), 500, 0)]);
    // The parts of the lines sum to the whole, to the fen.
    let parts: Vec<i64> =
        quote["lines"].as_array().unwrap().iter().map(|line| line["discountFen"].as_i64().unwrap()).collect();
    assert_eq!(parts, [1000, 500]);
    assert_eq!((quote["coupons"][0]["used"].as_bool(), &quote["coupons"][0]["reason"]), (Some(true), &Value::Null));
    let kept = alice.post("/quote", Some(wish(&goods, Some("none")))).await.ok();
    assert_eq!(sums(&kept), (14_999, 0, 1000, 13_999));

    // A client that has seen another sum is asked first; then the order costs what the quote said.
    let mut stale = wish(&goods, None);
    stale["expectedTotalFen"] = 14_999.into();
    assert_eq!(alice.prepay(&w.key(), stale.clone()).await.error(), (409, "price_changed"));
    stale["expectedTotalFen"] = 13_499.into();
    let bought = alice.prepay(&w.key(), stale).await;
    let order = bought.body["order"].clone();
    let placed = Placed::of(bought);
    assert_eq!((sums(&order), reasons(&order)), (sums(&quote), reasons(&quote)));
    assert_eq!(w.wechat.trade(&placed.out_trade_no).unwrap().field("total_fee"), "13499");
    assert_eq!(states(&alice).await, ["held"]);
    w.must_hold().await;
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    assert_eq!(states(&alice).await, ["used"]);
    // Who has none is told so, and somebody else's is none of his.
    let bob = w.buyer("bob").await;
    let other = held["id"].as_str();
    let refused = bob.post("/quote", Some(wish(&[(tea, 1)], other))).await.ok();
    assert_eq!(refused["warnings"][0]["code"], "coupon_unavailable");
    assert_eq!(bob.prepay(&w.key(), wish(&[(tea, 1)], other)).await.error(), (409, "coupon_unavailable"));
    assert_eq!(bob.post("/quote", Some(wish(&[(tea, 1)], Some("x")))).await.error(), (404, "not_found"));
    // The document says the same.
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    let listed = w.get("/promotions").await.ok();
    for (name, found) in [("Promotion", &listed["items"][2]), ("Coupon", &held), ("Discount", &quote["discounts"][0])] {
        super::contract::agree(&document, &json!({ "$ref": format!("#/components/schemas/{name}") }), found, name);
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_comes_back_with_the_stock_and_is_never_spent_twice() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    let tea = w.product("茶", 5000, 90).await;
    let alice = w.buyer("alice").await;
    promotion(&boss, &coupon("SPRING25", "5")).await;
    fetch(&alice, "SPRING25").await.ok();
    // Two orders at once: one has it.
    let (one, other) = tokio::join!(alice.buy(tea, 1), alice.buy(tea, 1));
    let mut totals = [one.body["order"]["totalFen"].as_i64(), other.body["order"]["totalFen"].as_i64()];
    totals.sort_unstable();
    assert_eq!(totals, [Some(4500), Some(5000)]);
    let (one, other) = (Placed::of(one), Placed::of(other));
    let (cheap, dear) = if one.total == 4500 { (one, other) } else { (other, one) };
    // Cancelled, the attempt may still be paid: the coupon stays with it, as the stock does.
    alice.post(&format!("/orders/{}/cancel", cheap.no), None).await.ok();
    assert_eq!((states(&alice).await, w.stock(tea).await), (vec!["used".to_owned()], (90, 2)));
    let held = alice.get("/coupons?status=used").await.ok()["items"][0].clone();
    assert_eq!((&held["stateText"], &held["returning"]), (&"订单取消后正在退回".into(), &true.into()));
    let page = boss.page("/admin/promotions/1").await;
    assert!(page.contains("<dt>待付款、待退回</dt><dd>1</dd><dt>已使用</dt><dd>0</dd>"), "{page}");
    assert!(page.contains("订单取消后正在退回"), "{page}");
    w.must_hold().await;
    w.advance(6 * MINUTE);
    w.wait("the closing", || async { w.stock(tea).await == (90, 1) }).await;
    assert_eq!(states(&alice).await, ["usable"]);
    w.must_hold().await;
    // The next order has it; the closed one is paid late after all, and cannot have it back: the money returns.
    let next = Placed::of(alice.buy(tea, 1).await);
    assert_eq!(next.total, 4500);
    let late = w.notice(&cheap, "alice");
    assert!(w.notify(signed(&late)).await.contains("SUCCESS"));
    assert_eq!(alice.status(&cheap.no).await, "closed", "its coupon has bought something else");
    w.must_hold().await;
    // Where nobody has it meanwhile, a late payment takes it again.
    alice.post(&format!("/orders/{}/cancel", dear.no), None).await.ok();
    alice.post(&format!("/orders/{}/cancel", next.no), None).await.ok();
    w.advance(6 * MINUTE);
    w.wait("the closing", || async { w.stock(tea).await == (90, 0) }).await;
    let mut late = w.notice(&next, "alice");
    late.set("transaction_id", "4200000000202610080000000002");
    assert!(w.notify(signed(&late)).await.contains("SUCCESS"));
    assert_eq!((alice.status(&next.no).await.as_str(), states(&alice).await), ("to_ship", vec!["used".to_owned()]));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_gives_back_what_was_paid_and_says_what_becomes_of_the_coupon() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    let (tea, cup) = (w.product("茶", 3333, 90).await, w.product("杯", 1000, 90).await);
    let alice = w.buyer("alice").await;
    let mut scoped = coupon("TEA10", "10");
    scoped.retain(|(name, _)| *name != "scope");
    scoped.extend([("scope", "products"), ("products", "茶")]);
    promotion(&boss, &scoped).await;
    fetch(&alice, "TEA10").await.ok();
    let placed = Placed::of(alice.prepay(&w.key(), wish(&[(tea, 3), (cup, 1)], None)).await);
    assert_eq!(placed.total, 9999 - 1000 + 1000);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let order = alice.order(&placed.no).await;
    let line = |n: usize| order["lines"][n]["id"].clone();
    let path = format!("/orders/{}/refunds/quote", placed.no);
    // Of three pieces for ¥89.99 one is worth a third, and the last takes what is left; the cup had no part in it.
    for (wanted, fen, words) in [
        (json!([{ "lineId": line(0), "quantity": 1 }]), 2999, "不退回"),
        (json!([{ "lineId": line(0), "quantity": 3 }]), 8999, "不退回"),
        (json!([{ "lineId": line(1), "quantity": 1 }]), 1000, "不退回"),
        (Value::Null, 9999, "随退款退回"),
    ] {
        let form = if wanted.is_null() { json!({}) } else { json!({ "lines": wanted }) };
        let quote = alice.post(&path, Some(form)).await.ok();
        assert_eq!(quote["amountFen"], fen, "{wanted}");
        assert!(quote["couponText"].as_str().unwrap().contains(words), "{quote}");
    }
    // All of it before anything has left: the coupon is whole again.
    let refund = [("whole", "true"), ("reason", "协商一致退款")];
    let asked = boss.page_of(&format!("/admin/orders/{}/refund", placed.no), &refund).await;
    assert!(asked.contains("优惠券「春天券」随退款退回"), "{asked}");
    let confirmed = [refund[0], refund[1], ("confirmed", "true")];
    let (_, to) = boss.post(&format!("/admin/orders/{}/refund", placed.no), &confirmed).await;
    until(&w, to.strip_prefix("/admin/refunds/").unwrap(), "succeeded").await;
    assert_eq!(alice.status(&placed.no).await, "closed");
    assert_eq!(
        (alice.order(&placed.no).await["refundedFen"].as_i64(), states(&alice).await),
        (Some(9999), vec!["usable".to_owned()])
    );
    w.must_hold().await;
    // Part of it leaves it spent, and the parts sum to what was paid.
    let placed = Placed::of(alice.prepay(&w.key(), wish(&[(tea, 3)], None)).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    for (n, refunded) in [(1, 2999), (2, 5999), (3, 8999)] {
        w.advance(2 * MINUTE);
        let number = refund_pieces(&w, &boss, &placed, 1).await;
        until(&w, &number, "succeeded").await;
        assert_eq!(alice.order(&placed.no).await["refundedFen"], refunded);
        let expected = if n < 3 { "used" } else { "usable" };
        assert_eq!(states(&alice).await, [expected], "after {n}");
        w.must_hold().await;
    }
}

/// What becomes of the coupon is said as it will be, where freight stays with the shop, too.
#[tokio::test(flavor = "multi_thread")]
async fn all_goods_of_an_order_give_its_coupon_back_though_the_freight_stays() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let (boss, alice) = (w.staff("boss", Role::Owner).await, w.buyer("alice").await);
    let tea = w.product("茶", 5000, 9).await;
    promotion(&boss, &coupon("TEA10", "10")).await;
    fetch(&alice, "TEA10").await.ok();
    let placed = w.paid(&alice, tea, 2).await;
    let line = alice.order(&placed.no).await["lines"][0]["id"].clone();
    for (pieces, words) in [(1, "不退回"), (2, "随退款退回")] {
        let form = json!({ "lines": [{ "lineId": line, "quantity": pieces }] });
        let quote = alice.post(&format!("/orders/{}/refunds/quote", placed.no), Some(form)).await.ok();
        assert!(quote["couponText"].as_str().unwrap().contains(words), "{quote}");
    }
    // One that the shop has made void meanwhile comes back as nothing, and nobody says otherwise.
    let other = w.buyer("bob").await;
    promotion(&boss, &coupon("VOID10", "10")).await;
    fetch(&other, "VOID10").await.ok();
    let void = w.paid(&other, tea, 2).await;
    boss.post("/admin/promotions/2/stop", &[("void", "true")]).await;
    let quote = other.post(&format!("/orders/{}/refunds/quote", void.no), Some(json!({}))).await.ok();
    assert_eq!(quote["couponText"], "优惠券「春天券」店家已经作废，退款后也不能再用");
    let whole = [("whole", "true"), ("reason", "协商一致退款")];
    let asked = boss.page_of(&format!("/admin/orders/{}/refund", void.no), &whole).await;
    assert!(asked.contains("店家已经作废") && !asked.contains("随退款退回"), "{asked}");
    let number = refund_pieces(&w, &boss, &placed, 2).await;
    until(&w, &number, "succeeded").await;
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["status"], &order["refundedFen"]), (&"closed".into(), &9000.into()), "the freight stays");
    assert_eq!(states(&alice).await, ["usable"]);
    w.must_hold().await;
}

/// Whoever deletes a category is told what its goods are cheaper by.
#[tokio::test(flavor = "multi_thread")]
async fn a_category_that_goes_names_the_promotions_on_it() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    w.product("茶", 10_000, 90).await;
    for name in ["茶饮", "新品"] {
        boss.post("/admin/categories", &[("name", name)]).await;
    }
    boss.post("/admin/products/bulk", &[("product", "1"), ("act", "category"), ("category", "1")]).await;
    let scoped =
        [TIERS[0], TIERS[1], TIERS[2], ("from", "100"), ("off", "10"), ("scope", "categories"), ("categories", "1")];
    promotion(&boss, &scoped).await;
    w.shop.write(|tx| Ok(tx.execute("update products set sample = 1", [])?)).await.unwrap();
    let told = "活动「满减」指定了";
    for (page, says) in [
        ("/admin/categories/1/delete", true),
        ("/admin/categories/2/delete", false),
        ("/admin/products/samples/clear", true),
    ] {
        assert_eq!(boss.page(page).await.contains(told), says, "{page}");
    }
    boss.post("/admin/promotions/1/stop", &[]).await;
    assert!(!boss.page("/admin/categories/1/delete").await.contains(told), "it has ended");
}

/// What staff agree on comes on top of what the promotions took off, or undoes part of it.
#[tokio::test(flavor = "multi_thread")]
async fn another_price_keeps_the_lines_to_the_fen() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    let (tea, cup) = (w.product("茶", 10_000, 90).await, w.product("杯", 5000, 90).await);
    let alice = w.buyer("alice").await;
    let scoped =
        [TIERS[0], TIERS[1], TIERS[2], ("from", "100"), ("off", "10"), ("scope", "products"), ("products", "茶")];
    promotion(&boss, &scoped).await;
    for (total, expected, agreed, shown) in [
        ("139", [8936, 4964], 100, "−¥1.00"),
        ("145", [9500, 5000], -500, "+¥5.00"),
        ("150", [10_000, 5000], -1000, "+¥10.00"),
    ] {
        let placed = Placed::of(alice.prepay(&w.key(), wish(&[(tea, 1), (cup, 1)], None)).await);
        assert_eq!(placed.total, 14_000);
        let form = [("total", total), ("freight", "0"), ("reason", "商量好的")];
        boss.post(&format!("/admin/orders/{}/price", placed.no), &form).await;
        boss.post(&format!("/admin/orders/{}/offline", placed.no), &[("reason", "现金")]).await;
        let order = alice.order(&placed.no).await;
        assert_eq!(order["agreedFen"], agreed, "{total}: the parts come to the whole");
        let page = boss.page(&format!("/admin/orders/{}", placed.no)).await;
        assert!(page.contains(&format!("其中 改价</dt><dd class=\"faint\">{shown}</dd>")), "{total}: {page}");
        for (line, fen) in order["lines"].as_array().unwrap().iter().zip(expected) {
            let part = json!({ "lines": [{ "lineId": line["id"], "quantity": 1 }] });
            let quote = alice.post(&format!("/orders/{}/refunds/quote", placed.no), Some(part)).await.ok();
            assert_eq!(quote["amountFen"], fen, "{total} {line}");
        }
        w.must_hold().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fen_is_left_unless_the_merchant_gives_away() {
    let (w, free) = (World::new().await, World::with(Default::default(), &[("shop.zero_orders", "yes")]).await);
    for (w, total) in [(&w, 1), (&free, 0)] {
        let boss = w.staff("boss", Role::Owner).await;
        let tea = w.product("茶", 300, 9).await;
        let alice = w.buyer("alice").await;
        promotion(&boss, &coupon("BIG50", "50")).await;
        fetch(&alice, "BIG50").await.ok();
        let quote = alice.post("/quote", Some(wish(&[(tea, 1)], None))).await.ok();
        assert_eq!((sums(&quote), &quote["warnings"]), ((300, 0, 300 - total, total), &json!([])));
        if total > 0 {
            assert_eq!(Placed::of(alice.buy(tea, 1).await).total, 1);
            w.must_hold().await;
            continue;
        }
        // Nothing to be paid: WeChat hears nothing, and the goods wait to be sent.
        let key = w.key();
        let bought = alice.prepay(&key, wish(&[(tea, 1)], None)).await.ok();
        let no = bought["order"]["orderNo"].as_str().unwrap().to_owned();
        assert_eq!((&bought["payment"], &bought["order"]["status"]), (&Value::Null, &"to_ship".into()));
        assert_eq!(bought["order"]["chips"][0]["word"], "zero_yuan");
        assert_eq!((w.wechat.calls("unifiedorder"), w.stock(tea).await), (0, (9, 1)));
        assert_eq!(alice.prepay(&key, wish(&[(tea, 1)], None)).await.ok()["payment"], Value::Null);
        assert_eq!(alice.post(&format!("/orders/{no}/prepay"), None).await.error(), (409, "already_paid"));
        let page = boss.page(&format!("/admin/orders/{no}")).await;
        assert!(page.contains("零元订单") && page.contains("不经过微信支付"), "{page}");
        w.must_hold().await;
        // There is no money to give back: it is cancelled, and stock and coupon return.
        alice.post(&format!("/orders/{no}/cancel"), None).await.ok();
        assert_eq!((alice.status(&no).await.as_str(), w.stock(tea).await), ("closed", (9, 0)));
        assert_eq!(alice.post(&format!("/orders/{no}/prepay"), None).await.error(), (409, "order_state"));
        assert_eq!(states(&alice).await, ["usable"]);
        w.must_hold().await;
        // One that has left stays.
        let bought = alice.prepay(&w.key(), wish(&[(tea, 1)], None)).await.ok();
        let no = bought["order"]["orderNo"].as_str().unwrap().to_owned();
        boss.post(&format!("/admin/orders/{no}/ship"), &[("company", "SF"), ("tracking_no", "SF1234567890123")]).await;
        assert_eq!(alice.post(&format!("/orders/{no}/cancel"), None).await.error(), (409, "order_state"));
        assert!(!boss.page(&format!("/admin/orders/{no}/cancel")).await.contains("确认取消"));
        // Nor does one of which a part has left.
        fetch(&alice, "BIG50").await;
        let code = coupon("BIG60", "60");
        promotion(&boss, &code).await;
        fetch(&alice, "BIG60").await.ok();
        let bought = alice.prepay(&w.key(), wish(&[(tea, 2)], None)).await.ok();
        let (no, line) = (bought["order"]["orderNo"].as_str().unwrap(), bought["order"]["lines"][0]["id"].clone());
        assert!(boss.page(&format!("/admin/orders/{no}/cancel")).await.contains("确认取消"));
        let part = [
            ("company", "SF"),
            ("tracking_no", "SF1234567891123"),
            ("pieces[0].id", line.as_str().unwrap()),
            ("pieces[0].quantity", "1"),
        ];
        boss.post(&format!("/admin/orders/{no}/ship"), &part).await;
        assert!(boss.page(&format!("/admin/orders/{no}/cancel")).await.contains("还没有发货的 0 元订单"));
        w.advance(DAY);
        w.run_jobs().await;
        w.must_hold().await;
        // A price of nothing without any promotion is no gift but a mistake.
        let nothing = w.product("样品", 0, 9).await;
        assert_eq!(alice.buy(nothing, 1).await.error(), (422, "validation_failed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coupons_go_to_whom_they_are_for_and_no_further() {
    let w = World::new().await;
    let (boss, clerk) = (w.staff("boss", Role::Owner).await, w.staff("clerk", Role::Clerk).await);
    let tea = w.product("茶", 5000, 90).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    // A new customer has it without having fetched it, once, and not beside an order that stands.
    let first = [TIERS[0], ("given", "first_order"), ("name", "新客"), ("from", ""), ("off", "8"), ("scope", "all")];
    promotion(&boss, &first).await;
    assert_eq!(alice.get("/coupons?status=usable").await.ok()["items"][0]["name"], "新客");
    assert_eq!(w.get("/promotions").await.ok()["items"], json!([]), "it is nobody's to fetch");
    let placed = w.paid(&alice, tea, 1).await;
    assert_eq!(placed.total, 4200);
    assert_eq!(alice.post("/quote", Some(order(tea, 1))).await.ok()["totalFen"], 5000);
    let before = alice.get("/coupons").await.ok()["items"].as_array().unwrap().len();
    assert_eq!(before, 1);
    w.must_hold().await;

    // To chosen customers: by an order's number, by their own; what names nobody is said, and nobody gets two.
    let chosen = [
        TIERS[0],
        ("given", "chosen"),
        ("name", "老客"),
        ("from", "40"),
        ("off", "20"),
        ("scope", "all"),
        ("total", "2"),
    ];
    let page = promotion(&boss, &chosen).await;
    let give = format!("{page}/give");
    let to = format!("{}，#999\nabc", placed.no);
    assert_eq!(clerk.post(&give, &[("to", &to)]).await.0, 403);
    boss.post(&give, &[("to", &to)]).await;
    let said = boss.said(&page).await;
    assert!(said.contains("发了 1 张") && said.contains("#999") && said.contains("abc"), "{said}");
    boss.post(&give, &[("to", &placed.no)]).await;
    assert!(boss.said(&page).await.contains("一张都没有发"), "once each");
    assert_eq!(alice.post("/quote", Some(order(tea, 1))).await.ok()["totalFen"], 3000);
    let bobs = Placed::of(bob.prepay(&w.key(), wish(&[(tea, 1)], Some("none"))).await);
    boss.post(&give, &[("to", &bobs.no)]).await;
    let carol = w.buyer("carol").await;
    let carols = Placed::of(carol.prepay(&w.key(), wish(&[(tea, 1)], Some("none"))).await);
    boss.post(&give, &[("to", &carols.no)]).await;
    assert!(boss.said(&page).await.contains("领完"), "two in all");
    w.must_hold().await;

    // Stopped, what was given stays good; voided, it does not.
    boss.post(&format!("{page}/stop"), &[]).await;
    assert_eq!(alice.post("/quote", Some(order(tea, 1))).await.ok()["totalFen"], 3000);
    boss.post(&format!("{page}/stop"), &[("void", "true")]).await;
    assert_eq!(alice.post("/quote", Some(order(tea, 1))).await.ok()["totalFen"], 5000);
    assert!(states(&alice).await.contains(&"expired".to_owned()));
    boss.post(&format!("{page}/resume"), &[]).await;
    assert!(boss.said(&page).await.contains("不能恢复"));
    let audit = boss.page("/admin/audit").await;
    for words in ["新建优惠「老客」", "优惠「老客」发了 1 张", "优惠「老客」已停止"] {
        assert!(audit.contains(words), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_runs_from_its_beginning_to_its_end_and_on_its_goods() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    let alice = w.buyer("alice").await;
    let category = |parent, name: &'static str| {
        w.shop.db.write(move |tx| Ok::<_, Error>(catalogue::category_named(tx, parent, name)?))
    };
    let drinks = category(None, "喝的").await.unwrap();
    let teas = category(Some(drinks), "茶").await.unwrap();
    let (tea_id, tea) = w.product_with("龙井", 10_000, 90, |draft, _| draft.category_id = Some(teas)).await;
    let (cup_id, cup) = w.product_with("杯", 10_000, 90, |_, _| {}).await;
    // START is 2026-10-08 13:00; the goods of a category are those below it too.
    let (id, of) = (drinks.to_string(), TIERS[0]);
    let form = [
        of,
        TIERS[1],
        ("name", "喝的"),
        ("from", "100"),
        ("off", "10"),
        ("scope", "categories"),
        ("categories", &id),
        ("starts_at", "2026-10-08T14:00"),
        ("ends_at", "2026-10-08T16:00"),
    ];
    let page = promotion(&boss, &form).await;
    assert_eq!(total(&w, tea).await, 10_000, "not yet");
    w.advance(60 * MINUTE);
    assert_eq!((total(&w, tea).await, total(&w, cup).await), (9000, 10_000));
    for (product, n) in [(tea_id, 1), (cup_id, 0)] {
        let items = alice.get(&format!("/promotions?productId={product}")).await.ok()["items"].clone();
        assert_eq!(items.as_array().unwrap().len(), n);
    }
    w.advance(120 * MINUTE + MINUTE - 1_000);
    assert_eq!(total(&w, tea).await, 9000, "the minute that is written still counts");
    w.advance(1_000);
    assert_eq!(total(&w, tea).await, 10_000, "over");
    assert!(boss.page(&page).await.contains("value=\"2026-10-08T16:00\""), "and is shown as it was written");
    assert!(boss.page("/admin/promotions?phase=ended").await.contains("喝的"));
    // It is changed and runs again; whom it is for and how it helps stay.
    let form = [of, TIERS[1], ("name", "喝的"), ("from", "100"), ("off", "20"), ("scope", "all")];
    assert_eq!(boss.post(&page, &form).await.0, 303);
    assert_eq!((total(&w, tea).await, total(&w, cup).await), (8000, 8000));
    let page_text = boss.page_of(&page, &[("kind", "percent"), ("name", "x"), ("percent", "9")]).await;
    assert!(page_text.contains("优惠方式不能改"), "{page_text}");
}

/// What one piece costs a visitor.
async fn total(w: &World, sku: SkuId) -> i64 {
    let quote = w.call(reqwest::Method::POST, "/quote", None, None, Some(order(sku, 1))).await.ok();
    quote["totalFen"].as_i64().unwrap()
}

/// A form with one thing wrong is shown again with what was typed; the rest of its rules stand beside them.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_refused_loses_nothing() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    w.product("茶", 5000, 90).await;
    promotion(&boss, &coupon("SPRING25", "5")).await;
    let good = coupon("OTHER10", "5");
    for (field, value, words) in [
        ("name", "", "名称应为"),
        ("off", "五块", "减多少元"),
        ("code", "SPRING25", "已经是「春天券」的"),
        ("code", "x", "4 到 20 位"),
        ("total", "0", "发放总量"),
        ("days", "一周", "有效天数"),
        ("per_buyer", "0", "每人限领"),
        ("ends_at", "2020-01-01T00:00", "晚于"),
        ("scope", "products", "至少一个商品"),
        ("kind", "", "优惠方式"),
    ] {
        let mut form: Vec<_> = good.iter().copied().filter(|(name, _)| *name != field).collect();
        form.push((field, value));
        let page = boss.page_of("/admin/promotions", &form).await;
        assert!(page.contains(words), "{field}: {page}");
        assert!(field == "code" || page.contains("OTHER10"), "{field}: what was typed is there");
    }
    let mut unknown = good.clone();
    unknown.retain(|(name, _)| *name != "scope");
    unknown.extend([("scope", "products"), ("products", "茶\n咖啡")]);
    let page = boss.page_of("/admin/promotions", &unknown).await;
    assert!(page.contains("没有找到这些商品：「咖啡」"), "{page}");
    // Buyers hold it: what it promises stays, the rest may grow.
    let alice = w.buyer("alice").await;
    fetch(&alice, "SPRING25").await.ok();
    let page = format!("/admin/promotions/{}", w.count("select id from promotions where code = 'SPRING25'").await);
    let change = [("kind", "reduce"), ("name", "春天"), ("off", "1"), ("total", "5"), ("per_buyer", "2")];
    assert_eq!(boss.post(&page, &change).await.0, 303);
    let kept = alice.get("/coupons").await.ok()["items"][0].clone();
    assert_eq!((&kept["name"], &kept["text"]), (&"春天".into(), &"减 ¥5".into()));
    for (field, value, words) in [("per_buyer", "1", "只能改多"), ("total", "0", "发放总量")] {
        let mut form: Vec<_> = change.iter().copied().filter(|(name, _)| *name != field).collect();
        form.push((field, value));
        assert!(boss.page_of(&page, &form).await.contains(words), "{field}");
    }
    w.must_hold().await;
}

/// By the phone that parcels went to, as people name a customer, and from the customer's own page.
#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_is_given_by_phone_and_on_the_customers_page() {
    let w = World::new().await;
    let (boss, clerk) = (w.staff("boss", Role::Owner).await, w.staff("clerk", Role::Clerk).await);
    let tea = w.product("茶", 5000, 90).await;
    let (alice, bob, carol) = (w.buyer("alice").await, w.buyer("bob").await, w.buyer("carol").await);
    for (buyer, phone) in [(&alice, "13900000001"), (&bob, "13900000002"), (&carol, "13900000002")] {
        let mut wish = order(tea, 1);
        wish["address"]["phone"] = json!(phone);
        Placed::of(buyer.prepay(&w.key(), wish).await);
    }
    let chosen = [
        TIERS[0],
        ("given", "chosen"),
        ("name", "老客"),
        ("from", "40"),
        ("off", "20"),
        ("scope", "all"),
        ("per_buyer", "2"),
    ];
    let page = promotion(&boss, &chosen).await;
    let give = format!("{page}/give");
    boss.post(&give, &[("to", "１３９０００００００１\n13900000002\n13900000009")]).await;
    let said = boss.said(&page).await;
    for words in ["发了 1 张", "13900000002（不止一位买家", "13900000009（没有这个订单、手机号或买家）"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(w.count("select count(*) from coupons").await, 1);
    // As it is pasted: the digits of a phone are no customers' numbers, and what stands beside it names nobody.
    let mut dashed = order(tea, 1);
    dashed["address"]["phone"] = json!("139-0000-0004");
    Placed::of(w.buyer("dan").await.prepay(&w.key(), dashed).await);
    for (to, words) in [
        ("139-0000-0001", "发了 1 张</"),
        ("139 0000 0004", "发了 1 张</"),
        ("2 收件人丹 +86 13900000004", "发了 1 张</"),
        ("139 0000 0002", "13900000002（不止一位买家"),
        ("13 900 000 001", "编号前请写 #"),
        ("+86 139 0000 0009", "没有发：13900000009（没有这个订单"),
    ] {
        boss.post(&give, &[("to", to)]).await;
        let said = boss.said(&page).await;
        assert!(said.contains(words), "{to}: {said}");
    }
    assert_eq!(w.count("select count(*) from coupons").await, 4);
    // On the customer's page, by the same rules.
    let id = bob.get("/me").await.ok()["id"].as_str().unwrap().to_owned();
    let here = format!("/admin/customers/{id}");
    let button = boss.page(&here).await;
    assert!(button.contains("发一张") && button.contains("老客"), "{button}");
    assert!(!clerk.page(&here).await.contains("发一张"));
    let number = page.rsplit('/').next().unwrap().to_owned();
    let form = [("promotion", number.as_str())];
    assert_eq!(clerk.post(&format!("{here}/coupon"), &form).await.0, 403);
    for told in ["券已发到他的小程序里", "券已发到他的小程序里", "买家已经领过了"] {
        boss.post(&format!("{here}/coupon"), &form).await;
        assert!(boss.said(&here).await.contains(told), "{told}");
    }
    assert_eq!(bob.get("/coupons?status=usable").await.ok()["items"].as_array().unwrap().len(), 2);
    assert!(boss.page("/admin/audit").await.contains("发优惠券「老客」"));
    // What is no coupon, or nobody's, gives nothing.
    let for_all = promotion(&boss, TIERS).await;
    for wrong in [for_all.rsplit('/').next().unwrap(), "999"] {
        boss.post(&format!("{here}/coupon"), &[("promotion", wrong)]).await;
    }
    assert_eq!(w.count("select count(*) from coupons").await, 6);
}

/// Piece by piece, in whatever order: what goes back is what was paid, freight too, and the coupon comes back once.
#[tokio::test(flavor = "multi_thread")]
async fn every_part_of_an_order_goes_back_singly_in_any_order_and_sums_to_what_was_paid() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let boss = w.staff("boss", Role::Owner).await;
    let skus = [w.product("甲", 3333, 90).await, w.product("乙", 1, 90).await, w.product("丙", 4999, 90).await];
    let alice = w.buyer("alice").await;
    promotion(&boss, TIERS).await;
    promotion(&boss, &coupon("SPRING25", "5.01")).await;
    fetch(&alice, "SPRING25").await.ok();
    let refund = async |no: &str, form: &[(&str, &str)]| {
        let form = [form, &[("reason", "协商一致退款"), ("confirmed", "true")]].concat();
        let (_, at) = boss.post(&format!("/admin/orders/{no}/refund"), &form).await;
        until(&w, at.strip_prefix("/admin/refunds/").unwrap_or_else(|| panic!("{form:?}: {at}")), "succeeded").await;
    };
    // Lines, with so many pieces at a time.
    const PARTS: [(usize, i64); 5] = [(0, 1), (0, 2), (1, 1), (1, 1), (2, 1)];
    for turns in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 1, 4, 0, 2], [1, 4, 2, 0, 3]] {
        let wish = wish(&[(skus[0], 3), (skus[1], 2), (skus[2], 1)], None);
        let placed = Placed::of(alice.prepay(&w.key(), wish).await);
        assert_eq!(placed.total, 15_000 - 1_000 - 501 + 800);
        w.pay(&placed, xiaopu::simulator::Paying::Well);
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        let lines = alice.order(&placed.no).await["lines"].clone();
        let mut back = 0;
        for turn in turns {
            let (at, pieces) = PARTS[turn];
            assert_eq!(states(&alice).await, ["used"]);
            let part = json!({ "lines": [{ "lineId": lines[at]["id"], "quantity": pieces }] });
            let quoted = alice.post(&format!("/orders/{}/refunds/quote", placed.no), Some(part)).await.ok();
            let number = pieces.to_string();
            let id = lines[at]["id"].as_str().unwrap();
            refund(&placed.no, &[("lines[0].id", id), ("lines[0].quantity", &number)]).await;
            back += quoted["amountFen"].as_i64().unwrap();
            assert_eq!(alice.order(&placed.no).await["refundedFen"], back, "{turns:?} {turn}");
        }
        assert_eq!(back, placed.total - 800, "{turns:?}");
        assert_eq!((alice.status(&placed.no).await.as_str(), states(&alice).await), ("closed", vec!["usable".into()]));
        w.must_hold().await;
        // The coupon is spent on something else; the freight goes back after that, and takes nothing along.
        let next = Placed::of(alice.buy(skus[2], 1).await);
        assert_eq!((next.total, states(&alice).await), (4_999 - 501 + 800, vec!["held".to_owned()]));
        refund(&placed.no, &[("freight", "8")]).await;
        let order = alice.order(&placed.no).await;
        assert_eq!((&order["refundedFen"], states(&alice).await), (&order["paidFen"], vec!["held".to_owned()]));
        alice.post(&format!("/orders/{}/cancel", next.no), None).await.ok();
        w.advance(6 * MINUTE);
        w.wait("the closing", || async { states(&alice).await == ["usable"] }).await;
        assert_eq!(w.count("select sum(reserved) from skus").await, 0);
        w.must_hold().await;
    }
}

/// By whichever way an order that was not paid comes to its end, its coupon and its stock come back, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_comes_back_by_each_way_an_unpaid_order_ends() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    let tea = w.product("茶", 5000, 90).await;
    let alice = w.buyer("alice").await;
    promotion(&boss, &coupon("SPRING25", "5")).await;
    fetch(&alice, "SPRING25").await.ok();
    // Who ends it, and what WeChat says of its payment meanwhile.
    for (who, says) in [
        ("time", ""),
        ("buyer", ""),
        ("staff", ""),
        ("time", "PAYERROR"),
        ("buyer", "PAYERROR"),
        ("time", "REVOKED"),
        ("staff", "REVOKED"),
        ("time", "CLOSED"),
        ("buyer", "CLOSED"),
        ("time", "USERPAYING"),
        ("time", "unreachable"),
    ] {
        let placed = Placed::of(alice.buy(tea, 1).await);
        assert_eq!((placed.total, states(&alice).await), (4500, vec!["held".to_owned()]), "{who} {says}");
        match says {
            "" => {}
            "CLOSED" => w.wechat.close_now(&placed.out_trade_no),
            "unreachable" => w.wechat.fault_always("orderquery", xiaopu::simulator::Fault::Http500),
            word => w.wechat.say(&placed.out_trade_no, word),
        }
        match who {
            "buyer" => drop(alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok()),
            "staff" => drop(boss.post(&format!("/admin/orders/{}/cancel", placed.no), &[]).await),
            _ => w.advance(30 * MINUTE + 10 * SECOND),
        }
        for _ in 0..80 {
            w.run_jobs().await;
            if states(&alice).await == ["usable"] && w.stock(tea).await == (90, 0) {
                break;
            }
            w.advance(MINUTE);
        }
        assert_eq!((states(&alice).await, w.stock(tea).await), (vec!["usable".to_owned()], (90, 0)), "{who} {says}");
        assert_eq!(alice.status(&placed.no).await, "closed", "{who} {says}");
        w.must_hold().await;
        w.wechat.clear_faults();
    }
    assert_eq!(w.count("select count(*) from coupons").await, 1);
}

/// A promotion that could help nobody is not written down, and what runs beside it is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_says_when_it_could_help_nobody_and_what_runs_beside_it() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    w.product("茶", 5000, 90).await;
    w.product("杯", 5000, 90).await;
    w.product("壶", 5000, 90).await;
    // START is 2026-10-08 13:00.
    let past = |form: &[(&'static str, &'static str)]| {
        [form, &[("starts_at", "2026-10-01T00:00"), ("ends_at", "2026-10-08T12:59")]].concat()
    };
    for form in [past(TIERS), past(&coupon("SPRING25", "5"))] {
        let page = boss.page_of("/admin/promotions", &form).await;
        assert!(page.contains("结束时间已经过了") && page.contains("2026-10-01T00:00"), "{page}");
    }
    assert_eq!(w.count("select count(*) from promotions").await, 0);
    let last = [TIERS, &[("starts_at", "2026-10-01T00:00"), ("ends_at", "2026-10-08T13:01")]].concat();
    let first = promotion(&boss, &last).await;
    // Ending it is what 停止 is for; one that has ended can still be renamed.
    assert!(boss.page_of(&first, &past(TIERS)).await.contains("请点“停止”"));
    w.advance(2 * MINUTE);
    let mut renamed = last.clone();
    renamed[2].1 = "国庆满减";
    assert_eq!(boss.post(&first, &renamed).await.0, 303);
    assert!(boss.page("/admin/promotions?phase=ended").await.contains("国庆满减"));
    // Stopped and over, it is not brought back without a word.
    boss.post(&format!("{first}/stop"), &[]).await;
    boss.post(&format!("{first}/resume"), &[]).await;
    assert!(boss.said(&first).await.contains("请先改结束时间"));
    // The days of a coupon that is given before it is good begin with the promotion.
    let early = [
        ("kind", "reduce"),
        ("given", "chosen"),
        ("name", "双十二券"),
        ("off", "10"),
        ("starts_at", "2026-12-12T00:00"),
        ("days", "7"),
    ];
    let alice = w.buyer("alice").await;
    let at = promotion(&boss, &early).await;
    let id = alice.get("/me").await.ok()["id"].as_str().unwrap().to_owned();
    boss.post(&format!("{at}/give"), &[("to", &format!("#{id}"))]).await;
    let held = alice.get("/coupons").await.ok()["items"][0].clone();
    assert_eq!((&held["state"], &held["endsAt"]), (&json!("waiting"), &json!("2026-12-19T00:00:00+08:00")), "{held}");
    // Of what everybody has on the same goods, each order takes the better one: that is said, and nothing else is.
    for (name, kind, given, scope, products, beside) in [
        ("全场", "reduce", "everybody", "all", "", None),
        ("茶和杯", "percent", "everybody", "products", "茶\n杯", Some("同时还有「全场」")),
        ("壶", "percent", "everybody", "products", "壶", Some("同时还有「全场」，")),
        ("杯", "percent", "everybody", "products", "杯", Some("「茶和杯」")),
        ("包邮", "freight", "everybody", "all", "", None),
        ("老客券", "reduce", "chosen", "all", "", None),
    ] {
        let form = [
            ("kind", kind),
            ("given", given),
            ("name", name),
            ("from", "100"),
            ("off", "10"),
            ("percent", "9"),
            ("scope", scope),
            ("products", products),
        ];
        let (_, at) = boss.post("/admin/promotions", &form).await;
        let said = boss.said(&at).await;
        assert_eq!(said.contains("同时还有"), beside.is_some(), "{name}");
        assert!(beside.is_none_or(|words| said.contains(words)), "{name}: {said}");
    }
    let later = [TIERS, &[("starts_at", "2027-01-01T00:00"), ("ends_at", "2027-01-02T00:00")]].concat();
    let (_, at) = boss.post("/admin/promotions", &later).await;
    assert!(boss.said(&at).await.contains("同时还有「杯」、「壶」、「茶和杯」、「全场」"));
    // Goods in the recycle bin stay with it, and are said.
    let tea = format!("/admin/promotions/{}", w.count("select id from promotions where name = '茶和杯'").await);
    boss.post("/admin/products/bulk", &[("product", "1"), ("act", "delete"), ("value", "")]).await;
    let page = boss.page(&tea).await;
    assert!(page.contains("另有 1 个商品在回收站里") && page.contains(">杯</textarea>"), "{page}");
    let form = [("kind", "percent"), ("name", "茶和杯"), ("percent", "8"), ("scope", "products"), ("products", "杯")];
    assert_eq!(boss.post(&tea, &form).await.0, 303);
    boss.post("/admin/products/1/restore", &[]).await;
    assert!(boss.page(&tea).await.contains(">茶\n杯</textarea>"));
}

/// Nothing was paid, so nothing is given back, no invoice is written and no money counted; all else goes its way.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_cost_nothing_stands_every_act() {
    let w = World::with(Default::default(), &[("shop.zero_orders", "yes")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let (tea, dear) = (w.product("茶", 300, 99).await, w.product("贵茶", 9_000, 99).await);
    let (alice, there) = (w.buyer("alice").await, super::programs::receiver().await);
    let mut big = coupon("BIG50", "50");
    big.push(("per_buyer", "9"));
    promotion(&owner, &big).await;
    let events =
        ["order.created", "order.paid", "order.shipped", "order.completed", "order.closed", "refund.requested"];
    super::programs::hook(&owner, &there.url, &events).await;
    w.run_jobs().await;
    let free = async || {
        fetch(&alice, "BIG50").await.ok();
        let bought = alice.prepay(&w.key(), wish(&[(tea, 1)], None)).await.ok();
        bought["order"]["orderNo"].as_str().unwrap().to_owned()
    };
    let told = async || {
        w.run_jobs().await;
        let mut heard = there.heard.lock().unwrap();
        let number = |text: &String| super::programs::told(text, "x-xiaopu-delivery").parse::<i64>().unwrap();
        // Some are under way at once; what happened later has the higher number.
        heard.sort_by_key(number);
        heard.drain(..).map(|text| super::programs::told(&text, "x-xiaopu-event")).collect::<Vec<_>>()
    };
    let no = free().await;
    assert_eq!(told().await, ["order.created", "order.paid"], "it is to be packed like any other");
    let may = |order: &Value| {
        let may = |name: &str| order["actions"][name].as_bool().unwrap();
        ["pay", "cancel", "confirm", "refund"].map(may)
    };
    let order = alice.order(&no).await;
    assert_eq!((may(&order), &order["returnable"]), ([false, true, false, false], &json!(false)));
    // No money goes back, by nobody's hand.
    let asked = alice.ask_refund(&no, &w.key(), json!({ "reason": "不想要了" })).await;
    assert_eq!(asked.error(), (422, "refund_limit"), "{}", asked.body);
    let at = format!("/admin/orders/{no}");
    let whole = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    owner.post(&format!("{at}/refund"), &whole).await;
    owner.post(&format!("{at}/price"), &[("total", "1"), ("freight", "0"), ("reason", "商量好的")]).await;
    owner.post(&format!("{at}/offline"), &[("reason", "现金")]).await;
    assert_eq!(w.count("select count(*) from refunds").await + w.count("select count(*) from ledger").await, 0);
    let invoice = format!("/orders/{no}/invoice");
    assert_eq!(alice.get(&invoice).await.ok()["askable"], false);
    let personal = json!({ "titleKind": "personal", "title": "个人" });
    let refused = alice.post(&invoice, Some(personal)).await;
    assert_eq!(refused.error(), (409, "order_state"), "{}", refused.body);
    // Sent, received, and sent back for another one: never for money.
    owner.post(&format!("{at}/ship"), &[("tracking_no", "SF1234567890123")]).await;
    let order = alice.order(&no).await;
    assert_eq!((may(&order), &order["returnable"]), ([false, false, true, false], &json!(true)));
    let offer = alice.get(&format!("/orders/{no}/returns/options")).await.ok();
    let kinds: Vec<_> = offer["kinds"].as_array().unwrap().iter().map(|kind| kind["kind"].clone()).collect();
    assert_eq!(kinds, [json!("exchange")]);
    let wish_back = json!({ "kind": "return", "lines": [{ "lineId": order["lines"][0]["id"], "quantity": 1 }], "reason": "质量有问题" });
    let key = w.key();
    let back = w
        .call(reqwest::Method::POST, &format!("/orders/{no}/returns"), Some(&alice.token), Some(&key), Some(wish_back))
        .await;
    assert_eq!(back.error(), (422, "validation_failed"), "{}", back.body);
    alice.post(&format!("/orders/{no}/confirm"), None).await.ok();
    assert_eq!(told().await, ["order.shipped", "order.completed"]);
    // Cancelled by the buyer or by staff, the coupon and the goods come back.
    for by_staff in [false, true] {
        let no = free().await;
        match by_staff {
            false => drop(alice.post(&format!("/orders/{no}/cancel"), None).await.ok()),
            true => drop(owner.post(&format!("/admin/orders/{no}/cancel"), &[]).await),
        }
        assert_eq!((alice.status(&no).await.as_str(), w.stock(tea).await.1), ("closed", 0));
        assert_eq!(told().await, ["order.created", "order.paid", "order.closed"]);
    }
    // Beside one that was paid, all that is counted is its money.
    let paid = Placed::of(alice.prepay(&w.key(), wish(&[(dear, 1)], Some("none"))).await);
    w.pay(&paid, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&paid.no).await == "to_ship" }).await;
    let home = owner.page("/admin").await;
    assert!(home.contains("90<i>.00") || home.contains("90.00"), "{home}");
    let id = alice.get("/me").await.ok()["id"].as_str().unwrap().to_owned();
    assert!(owner.page(&format!("/admin/customers/{id}")).await.contains("90.00"));
    let (status, _) = owner.get("/admin/money/2026-10/report.xlsx").await;
    assert_eq!(status, 200);
    assert_eq!(w.count("select coalesce(sum(amount_fen), 0) from ledger").await, 9_000);
    w.must_hold().await;
}

/// A coupon that takes the freight off stands among what is off, and the freight as it is without it: each row of a
/// receipt is there, and they sum.
#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_a_receipt_sum_where_a_coupon_takes_the_freight_off() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let (boss, alice) = (w.staff("boss", Role::Owner).await, w.buyer("alice").await);
    let tea = w.product("茶", 5000, 9).await;
    let mut free = coupon("FREE8", "");
    free[0] = ("kind", "freight");
    promotion(&boss, &free).await;
    fetch(&alice, "FREE8").await.ok();
    let placed = w.paid(&alice, tea, 2).await;
    assert_eq!(placed.total, 10_000);
    let page = boss.page(&format!("/admin/orders/{}", placed.no)).await;
    for row in [
        "<dt>商品</dt><dd>¥100.00</dd>",
        "<dt>运费</dt><dd>¥8.00</dd>",
        "<dt>优惠</dt><dd>−¥8.00</dd>",
        "<dd class=\"sum\">¥100.00</dd>",
    ] {
        assert!(page.contains(row), "{row}: {page}");
    }
    let slip = boss.page(&format!("/admin/print/slips?order={}&chosen=true&extra=price", placed.no)).await;
    assert!(slip.contains("商品 ¥100.00 · 运费 ¥8.00 · 春天券 −¥8.00") && slip.contains("实付 ¥100.00"), "{slip}");
    let slip = boss.page(&format!("/admin/print/slips?order={}&chosen=true", placed.no)).await;
    assert!(!slip.contains("¥"), "without prices it names none: {slip}");
}
