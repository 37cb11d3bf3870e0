//! Coming back: a cart that every phone shows, favourites, buying again, and orders off a buyer's own list.

use reqwest::Method;
use serde_json::{Value, json};
use xiaopu::catalogue::store::{self as catalogue, SkuDraft};
use xiaopu::catalogue::{Delivery, stock};
use xiaopu::db::Tx;
use xiaopu::error::Error;
use xiaopu::ids::SkuId;
use xiaopu::money::Fen;
use xiaopu::staff::Role;

use crate::support::*;

fn agrees(name: &str, found: &Value) {
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    super::contract::agree(&document, &json!({ "$ref": format!("#/components/schemas/{name}") }), found, name);
}

async fn put(buyer: &Buyer<'_>, items: Value, merge: bool) -> Answer {
    buyer.call(Method::PUT, "/cart", Some(json!({ "items": items, "merge": merge }))).await
}

/// SKU, pieces and tick of each line.
fn lines(cart: &Value) -> Vec<(String, i64, bool)> {
    let line = |line: &Value| {
        (
            line["skuId"].as_str().unwrap().to_owned(),
            line["quantity"].as_i64().unwrap(),
            line["ticked"].as_bool().unwrap(),
        )
    };
    cart["items"].as_array().unwrap().iter().map(line).collect()
}

/// What only staff could do by many clicks: a price, and whether it is for sale.
async fn change(w: &World, sku: SkuId, fen: i64, on_hand: i64, on_shelf: bool) {
    let write = move |tx: &Tx| {
        tx.execute("update skus set price_fen = ?2, on_hand = ?3 where id = ?1", (sku, fen, on_hand))?;
        let product = "(select product_id from skus where id = ?1)";
        tx.execute(
            &format!("update products set on_shelf = ?2, price_fen = ?3, max_price_fen = ?3 where id = {product}"),
            (sku, on_shelf, fen),
        )?;
        Ok::<_, Error>(())
    };
    w.shop.db.write(write).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_the_same_on_every_phone_and_takes_what_one_had_before_it_knew_whose_it_is() {
    let w = World::new().await;
    let (apple, pear, plum) =
        (w.product("苹果", 1000, 9).await, w.product("梨", 700, 9).await, w.product("李", 500, 9).await);
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let cart = put(
        &alice,
        json!([{ "skuId": apple, "quantity": 2 }, { "skuId": pear, "quantity": 1, "ticked": false }]),
        false,
    )
    .await
    .ok();
    agrees("Cart", &cart);
    let known = |sku: SkuId, n: i64, ticked: bool| (sku.to_string(), n, ticked);
    // Her other phone, and somebody else's.
    let other = w.buyer("alice").await;
    assert_eq!(lines(&other.get("/cart").await.ok()), [known(pear, 1, false), known(apple, 2, true)]);
    assert_eq!(bob.get("/cart").await.ok()["items"], json!([]));
    // What is not named stays; what is sent twice is the same; none of it takes the line out.
    let changes = json!([{ "skuId": apple, "quantity": 5, "ticked": false }, { "skuId": pear, "quantity": 0 }]);
    for _ in 0..2 {
        let cart = put(&other, changes.clone(), false).await.ok();
        assert_eq!(lines(&cart), [known(apple, 5, false)]);
    }
    // Merged at login: the larger of two quantities, and sent again it grows no further.
    let before = json!([{ "skuId": apple, "quantity": 3 }, { "skuId": plum, "quantity": 2 }]);
    for _ in 0..2 {
        let cart = put(&alice, before.clone(), true).await.ok();
        assert_eq!(lines(&cart), [known(plum, 2, true), known(apple, 5, true)]);
    }
    // A cart holds no stock, and nothing in it is an order's business.
    assert_eq!(w.stock(apple).await, (9, 0));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_what_has_become_of_it() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    put(&alice, json!([{ "skuId": sku, "quantity": 4 }]), false).await.ok();
    for (fen, on_hand, on_shelf, state, buyable, words, price) in [
        (1000, 9, true, "ready", 4, "可以买", ""),
        (1250, 9, true, "ready", 4, "可以买", "贵了 ¥2.50"),
        (990, 9, true, "ready", 4, "可以买", "便宜了 ¥0.10"),
        (1000, 3, true, "short", 3, "只剩 3 件", ""),
        (1000, 0, true, "sold_out", 0, "已售罄", ""),
        (1100, 0, false, "off_shelf", 0, "已下架", "贵了 ¥1.00"),
    ] {
        change(&w, sku, fen, on_hand, on_shelf).await;
        let line = alice.get("/cart").await.ok()["items"][0].clone();
        let found = (&line["state"], &line["buyableQuantity"], &line["stateText"], &line["priceText"]);
        assert_eq!(found, (&json!(state), &json!(buyable), &json!(words), &json!(price)), "{fen} {on_hand} {on_shelf}");
        assert_eq!((&line["priceFen"], &line["thenFen"], &line["quantity"]), (&json!(fen), &json!(1000), &json!(4)));
    }
}

/// The limits of one order and of one buyer, over all lines of a product.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_said_before_anybody_wants_to_pay() {
    let w = World::new().await;
    let (_, single) = w.product_with("苹果", 1000, 9, |_, sku| sku.limit_per_order = Some(2)).await;
    let (_, rare) = w.product_with("茶", 5000, 9, |draft, _| draft.limit_per_buyer = Some(3)).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, rare, 2).await;
    let cart =
        put(&alice, json!([{ "skuId": single, "quantity": 3 }, { "skuId": rare, "quantity": 2 }]), false).await.ok();
    let said = |line: &Value| (line["state"].clone(), line["buyableQuantity"].clone(), line["stateText"].clone());
    let found: Vec<_> = cart["items"].as_array().unwrap().iter().map(said).collect();
    assert_eq!(
        found,
        [
            (json!("limited"), json!(1), json!("限购，还可以买 1 件")),
            (json!("limited"), json!(2), json!("限购，还可以买 2 件")),
        ]
    );
    // Over the choices of one product together, in the order in which they stand.
    let (fruit, red) = w.product_with("李", 500, 9, |draft, _| draft.limit_per_buyer = Some(3)).await;
    let write = move |tx: &Tx| {
        let green = SkuDraft {
            specs: vec![("颜色".into(), "绿".into())],
            sku_code: None,
            price: Fen::new(500).unwrap(),
            market_price: None,
            limit_per_order: None,
            delivery: Delivery::Express,
            weight: 0,
            enabled: true,
        };
        let green = catalogue::put_sku(tx, fruit, &green)?;
        stock::adjust(tx, green, 9, None, "test")?;
        Ok::<_, Error>(green)
    };
    let green = w.shop.db.write(write).await.unwrap();
    let bob = w.buyer("bob").await;
    let cart = put(&bob, json!([{ "skuId": green, "quantity": 2 }, { "skuId": red, "quantity": 2 }]), false).await.ok();
    let found: Vec<_> = cart["items"].as_array().unwrap().iter().map(|line| line["buyableQuantity"].clone()).collect();
    assert_eq!(found, [json!(2), json!(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_is_asked_for_too_much_loses_nothing() {
    let w = World::new().await;
    let mut skus = Vec::new();
    for n in 0..52 {
        skus.push(w.product(&format!("货 {n}"), 100, 9).await);
    }
    let alice = w.buyer("alice").await;
    let all: Vec<Value> = skus.iter().map(|sku| json!({ "skuId": sku, "quantity": 1 })).collect();
    let cart = put(&alice, json!(all), true).await.ok();
    assert_eq!(cart["items"].as_array().unwrap().len(), 50);
    let left: Vec<_> = cart["leftOut"].as_array().unwrap().iter().map(|one| (&one["skuId"], &one["reason"])).collect();
    assert_eq!(left, [(&json!(skus[50]), &json!("cart_full")), (&json!(skus[51]), &json!("cart_full"))]);
    // What goes in the same breath makes room, wherever it stands.
    let swap = json!([{ "skuId": skus[50], "quantity": 1 }, { "skuId": skus[0], "quantity": 0 }]);
    let cart = put(&alice, swap, false).await.ok();
    assert_eq!((cart["items"].as_array().unwrap().len(), &cart["leftOut"]), (50, &json!([])));
    // A SKU that never was stops nothing else.
    let strange = json!([{ "skuId": "999999", "quantity": 1 }, { "skuId": "x", "quantity": 1 }, { "skuId": skus[1], "quantity": 3 }]);
    let cart = put(&alice, strange, false).await.ok();
    let left: Vec<_> = cart["leftOut"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert_eq!(left, ["not_found", "not_found"]);
    assert!(lines(&cart).contains(&(skus[1].to_string(), 3, true)));
    // One thing wrong each: refused whole.
    let before = lines(&cart);
    let many: Vec<Value> = (0..101).map(|_| json!({ "skuId": skus[1], "quantity": 1 })).collect();
    for (wrong, status, code) in [
        (json!({ "items": [{ "skuId": skus[1], "quantity": -1 }] }), 422, "validation_failed"),
        (json!({ "items": [{ "skuId": skus[1], "quantity": 1000 }] }), 422, "validation_failed"),
        (json!({ "items": [{ "skuId": skus[1], "quantity": 0 }], "merge": true }), 422, "validation_failed"),
        (json!({ "items": many }), 422, "validation_failed"),
        (json!({ "items": [{ "skuId": skus[1], "quantity": 1, "priceFen": 1 }] }), 400, "unknown_field"),
        (json!({ "items": [{ "skuId": skus[1] }] }), 422, "validation_failed"),
        (json!({}), 422, "validation_failed"),
    ] {
        let answer = alice.call(Method::PUT, "/cart", Some(wrong.clone())).await;
        assert_eq!(answer.error(), (status, code), "{wrong}");
    }
    assert_eq!(lines(&alice.get("/cart").await.ok()), before);
    assert_eq!(w.get("/cart").await.error(), (401, "unauthenticated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn favourites_are_kept_and_say_what_became_of_them() {
    let w = World::new().await;
    let (apple, sku) = w.product_with("苹果", 1000, 9, |_, _| {}).await;
    let (pear, _) = w.product_with("梨", 700, 9, |_, _| {}).await;
    let (gone, _) = w.product_with("李", 500, 9, |draft, _| draft.on_shelf = false).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let at = |id: xiaopu::ids::ProductId| format!("/favourites/{id}");
    for (id, marked) in [(apple, true), (apple, true), (pear, true)] {
        let answer = alice.call(Method::PUT, &at(id), None).await.ok();
        agrees("Marked", &answer);
        assert_eq!(answer["favourite"], marked);
        w.advance(SECOND);
    }
    assert_eq!(alice.get(&at(apple)).await.ok()["favourite"], true);
    assert_eq!(bob.get(&at(apple)).await.ok()["favourite"], false);
    for (path, error) in [
        (at(gone), (404, "product_off_shelf")),
        ("/favourites/999".into(), (404, "not_found")),
        ("/favourites/x".into(), (404, "not_found")),
    ] {
        assert_eq!(alice.call(Method::PUT, &path, None).await.error(), error, "{path}");
    }
    // Page by page, the newest first.
    let first = alice.get("/favourites?limit=1").await.ok();
    agrees("Favourite", &first["items"][0]);
    assert_eq!(first["items"][0]["name"], "梨");
    let next = first["nextCursor"].as_str().unwrap();
    let second = alice.get(&format!("/favourites?limit=1&cursor={next}")).await.ok();
    assert_eq!((&second["items"][0]["name"], &second["nextCursor"]), (&json!("苹果"), &Value::Null));
    assert_eq!(bob.get("/favourites").await.ok()["items"], json!([]));
    for (fen, on_hand, on_shelf, state, words, price) in [
        (1000, 9, true, "on_sale", "", ""),
        (800, 9, true, "on_sale", "", "便宜了 ¥2.00"),
        (1100, 0, true, "sold_out", "已售罄", "贵了 ¥1.00"),
        (1100, 9, false, "off_shelf", "已下架", ""),
    ] {
        change(&w, sku, fen, on_hand, on_shelf).await;
        let found = alice.get("/favourites").await.ok()["items"][1].clone();
        let said = (&found["state"], &found["stateText"], &found["priceText"], &found["priceFen"]);
        assert_eq!(said, (&json!(state), &json!(words), &json!(price), &json!(fen)));
    }
    // One that is off the shelf can be unmarked, and twice.
    for _ in 0..2 {
        assert_eq!(alice.call(Method::DELETE, &at(apple), None).await.ok()["favourite"], false);
    }
    assert_eq!(alice.get("/favourites").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_order_says_what_of_it_can_be_bought_again() {
    let w = World::new().await;
    let (apple, pear, plum) =
        (w.product("苹果", 1000, 9).await, w.product("梨", 700, 5).await, w.product("李", 500, 9).await);
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let items: Vec<Value> =
        [(apple, 2), (pear, 4), (plum, 1)].map(|(sku, n)| json!({ "skuId": sku, "quantity": n })).into();
    let placed = Placed::of(alice.prepay(&w.key(), json!({ "items": items, "address": address() })).await);
    let path = format!("/orders/{}/again", placed.no);
    alice.post(&format!("/orders/{}/cancel", placed.no), None).await.ok();
    w.advance(6 * MINUTE);
    w.run_jobs().await;
    change(&w, apple, 1200, 9, true).await;
    change(&w, pear, 700, 3, true).await;
    change(&w, plum, 500, 9, false).await;
    let again = alice.get(&path).await.ok();
    agrees("AgainLine", &again["items"][0]);
    let said = |line: &Value| {
        let word = |name: &str| line[name].as_str().unwrap().to_owned();
        (line["buyableQuantity"].as_i64().unwrap(), word("state"), word("stateText"), word("priceText"))
    };
    let found: Vec<_> = again["items"].as_array().unwrap().iter().map(said).collect();
    let known = |n, state: &str, text: &str, price: &str| (n, state.to_owned(), text.to_owned(), price.to_owned());
    assert_eq!(
        found,
        [
            known(2, "ready", "可以买", "贵了 ¥2.00"),
            known(3, "short", "只剩 3 件", ""),
            known(0, "off_shelf", "已下架", ""),
        ]
    );
    let order = alice.order(&placed.no).await;
    assert_eq!(again["items"][0]["lineId"], order["lines"][0]["id"]);
    assert_eq!(bob.get(&path).await.error(), (404, "not_found"));
    assert_eq!(w.get(&path).await.error(), (401, "unauthenticated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_off_its_buyers_list_is_everywhere_else() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, bob, clerk) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("clerk", Role::Clerk).await);
    let placed = w.paid(&alice, sku, 1).await;
    let hidden = format!("/orders/{}/hidden", placed.no);
    let listed = async |status: &str| {
        let page = alice.get(&format!("/orders?status={status}")).await.ok();
        page["items"].as_array().unwrap().len()
    };
    // Not while something is to come of it, and not by somebody else.
    let refused = alice.call(Method::PUT, &hidden, None).await;
    assert_eq!(refused.error(), (409, "order_state"));
    assert_eq!(refused.body["error"]["details"]["order"]["hideable"], false);
    assert_eq!(bob.call(Method::PUT, &hidden, None).await.error(), (404, "not_found"));
    clerk
        .post(&format!("/admin/orders/{}/ship", placed.no), &[("company", "SF"), ("tracking_no", "SF1234567890123")])
        .await;
    alice.post(&format!("/orders/{}/confirm", placed.no), None).await.ok();
    assert_eq!(alice.order(&placed.no).await["hideable"], true);
    for _ in 0..2 {
        let order = alice.call(Method::PUT, &hidden, None).await.ok();
        agrees("Order", &order);
        assert_eq!(order["hidden"], true);
    }
    assert_eq!((listed("").await, listed("completed").await, listed("hidden").await), (0, 0, 1));
    assert_eq!(alice.order(&placed.no).await["paidFen"], 1000, "it is still there for whoever has its number");
    assert!(clerk.page("/admin/orders").await.contains(&placed.no));
    // A refund asked for brings it back by itself, and its end takes it off again.
    let refund = alice.ask_refund(&placed.no, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    assert_eq!((listed("").await, listed("refunding").await, listed("hidden").await), (1, 1, 0));
    let cancel = format!("/orders/{}/refunds/{}/cancel", placed.no, refund["id"].as_str().unwrap());
    alice.post(&cancel, None).await.ok();
    assert_eq!((listed("").await, listed("hidden").await), (0, 1));
    // Taken back.
    assert_eq!(alice.call(Method::DELETE, &hidden, None).await.ok()["hidden"], false);
    assert_eq!((listed("").await, listed("completed").await, listed("hidden").await), (1, 1, 0));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_is_erased_leaves_neither_cart_nor_favourites() {
    let w = World::new().await;
    let (product, sku) = w.product_with("苹果", 1000, 9, |_, _| {}).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    put(&alice, json!([{ "skuId": sku, "quantity": 2 }]), false).await.ok();
    alice.call(Method::PUT, &format!("/favourites/{product}"), None).await.ok();
    let id = alice.get("/me").await.ok()["id"].as_str().unwrap().to_owned();
    owner.post(&format!("/admin/customers/{id}/erase"), &[]).await;
    assert_eq!(w.count("select count(*) from buyers where erased_at is not null").await, 1);
    assert_eq!(w.count("select (select count(*) from cart_lines) + (select count(*) from favourites)").await, 0);
    assert_eq!(alice.get("/cart").await.error(), (401, "unauthenticated"));
}
