//! Times to bring and to fetch, and the least that an order must come to.

use rocket::futures::future::join_all;
use serde_json::{Value, json};
use xiaopu::catalogue::Delivery;
use xiaopu::ids::SkuId;
use xiaopu::simulator::Paying;
use xiaopu::staff::Role;

use crate::support::*;

/// A Thursday at one in the afternoon: two hours to get ready, an hour each, until six.
const HOURS: &[(&str, &str)] = &[
    ("shop.hours", "周一至周五 9:00-12:00 14:00-18:00"),
    ("shop.slots", "both"),
    ("shop.prepare_minutes", "120"),
    ("shop.slot_days", "5"),
    ("shop.slot_capacity", "2"),
    ("shop.pickup_address", "文三路 12 号"),
];

async fn cake(w: &World, way: Delivery) -> SkuId {
    w.product_with("蛋糕", 1_000, 99, |_, sku| sku.delivery = way).await.1
}

fn wish(sku: SkuId, slot: Option<&str>) -> Value {
    let mut body = json!({ "items": [{ "skuId": sku, "quantity": 1 }], "address": address() });
    if let Some(slot) = slot {
        body["slotId"] = slot.into();
    }
    body
}

fn offered(quote: &Value, full: bool) -> Vec<String> {
    let slots = quote["slots"].as_array().unwrap().iter().filter(|slot| slot["full"] == full);
    slots.map(|slot| format!("{} {}", slot["dayText"].as_str().unwrap(), slot["text"].as_str().unwrap())).collect()
}

fn warnings(quote: &Value) -> Vec<&str> {
    quote["warnings"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_chooses_a_time_that_is_there_and_has_room() {
    let w = World::with(Default::default(), HOURS).await;
    let (alice, bob, clerk) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("clerk", Role::Clerk).await);
    let (sku, card) = (cake(&w, Delivery::Local).await, w.product("卡片", 500, 9).await);
    let quote = alice.post("/quote", Some(wish(sku, None))).await.ok();
    assert_eq!(warnings(&quote), ["slot_required"]);
    let days: Vec<_> = offered(&quote, false);
    assert_eq!(&days[..4], ["今天 15:00–16:00", "今天 16:00–17:00", "今天 17:00–18:00", "明天 9:00–10:00"]);
    assert_eq!(days.len(), 3 + 7 + 7, "closed on Saturday and Sunday; Monday is the fifth day");
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    super::contract::agree(&document, &json!({ "$ref": "#/components/schemas/Quote" }), &quote, "Quote");
    assert_eq!(alice.post("/quote", Some(wish(card, None))).await.ok()["slots"], json!([]), "a parcel has no time");
    assert_eq!(w.get("/shop").await.ok()["pickup"]["hoursText"], "周一至周五 9:00–12:00 14:00–18:00；周六至周日 休息");
    // One thing wrong per row.
    for (slot, refused) in [
        (None, (422, "slot_required")),
        (Some("202610081400-1500"), (409, "slot_unavailable")),
        (Some("202610081500-1700"), (409, "slot_unavailable")),
        (Some("202610081530-1630"), (409, "slot_unavailable")),
        (Some("202610071500-1600"), (409, "slot_unavailable")),
        (Some("202610100900-1000"), (409, "slot_unavailable")),
        (Some("202610130900-1000"), (409, "slot_unavailable")),
        (Some("202610081800-1900"), (409, "slot_unavailable")),
        (Some("今天下午"), (409, "slot_unavailable")),
    ] {
        assert_eq!(alice.prepay(&w.key(), wish(sku, slot)).await.error(), refused, "{slot:?}");
    }
    assert_eq!(alice.prepay(&w.key(), wish(card, Some("202610081500-1600"))).await.error(), (409, "slot_unavailable"));
    // Two have room, whoever comes at once; an order that ends gives its place back.
    let chosen = Some("202610081500-1600");
    let keys: Vec<String> = (0..4).map(|_| w.key()).collect();
    let asked = keys.iter().zip([&alice, &bob, &alice, &bob]);
    let answers = join_all(asked.map(|(key, buyer)| buyer.prepay(key, wish(sku, chosen)))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (2, 2));
    assert!(refused.iter().all(|answer| answer.error() == (409, "slot_unavailable")));
    assert_eq!(offered(&alice.post("/quote", Some(wish(sku, None))).await.ok(), true), ["今天 15:00–16:00"]);
    let order = &made[0].body["order"];
    assert_eq!(
        (&order["slotText"], &order["slotStartsAt"]),
        (&json!("10-08 周四 15:00–16:00"), &json!("2026-10-08T15:00:00+08:00"))
    );
    let no = order["orderNo"].as_str().unwrap().to_owned();
    let his = if alice.get(&format!("/orders/{no}")).await.status == 200 { &alice } else { &bob };
    his.post(&format!("/orders/{no}/cancel"), None).await.ok();
    let again = Placed::of(alice.prepay(&w.key(), wish(sku, chosen)).await);
    w.pay(&again, Paying::Well);
    w.wait("the payment", || async { alice.status(&again.no).await == "to_ship" }).await;
    // Staff see it on list, page and slip, and list a day's.
    let slip = format!("/admin/print/slips?order={}", again.no);
    for page in ["/admin/orders?slot=today", &format!("/admin/orders/{}", again.no), &slip] {
        assert!(clerk.page(page).await.contains("10-08 周四 15:00–16:00"), "{page}");
    }
    assert!(!clerk.page("/admin/orders?slot=tomorrow").await.contains(&again.no[12..]));
    // Time goes by.
    w.advance(61 * MINUTE);
    assert_eq!(offered(&alice.post("/quote", Some(wish(sku, None))).await.ok(), false)[0], "今天 17:00–18:00");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_and_days_decide_what_can_be_booked() {
    let with = |more: &[(&'static str, &'static str)]| {
        let mut settings = HOURS.to_vec();
        settings.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
        settings.extend(more);
        settings
    };
    for (more, way, first) in [
        (&[("shop.closed_days", "2026-10-08 至 2026-10-09")][..], Delivery::Local, Some("10-12 周一 9:00–10:00")),
        (&[("shop.slot_cutoff", "12:00")], Delivery::Local, Some("明天 9:00–10:00")),
        (&[("shop.slot_cutoff", "13:01")], Delivery::Local, Some("今天 15:00–16:00")),
        (&[("shop.slots", "pickup")], Delivery::Pickup, Some("今天 15:00–16:00")),
        (&[("shop.slots", "pickup")], Delivery::Local, None),
        (&[("shop.slots", "none")], Delivery::Local, None),
        (&[("shop.slot_minutes", "30"), ("shop.prepare_minutes", "0")], Delivery::Local, Some("今天 14:00–14:30")),
    ] {
        let w = World::with(Default::default(), &with(more)).await;
        let sku = cake(&w, way).await;
        let quote = w.call(reqwest::Method::POST, "/quote", None, None, Some(wish(sku, None))).await.ok();
        assert_eq!(offered(&quote, false).first().map(String::as_str), first, "{more:?}");
        assert_eq!(warnings(&quote).contains(&"slot_required"), first.is_some(), "{more:?}");
    }
    // Nothing at all is said so, and is no order.
    let w = World::with(Default::default(), &with(&[("shop.closed_days", "2026-10-01 至 2026-12-31")])).await;
    let (alice, sku) = (w.buyer("alice").await, cake(&w, Delivery::Pickup).await);
    assert_eq!(alice.prepay(&w.key(), wish(sku, None)).await.error(), (409, "slot_unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_wrongly_is_refused_by_its_field() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    for (field, value, words) in [
        ("shop-hours", "早九晚五", "不认识「早九晚五」"),
        ("shop-closed_days", "国庆", "不认识「国庆」"),
        ("shop-slot_cutoff", "6点", "请写成 18:00 的样子"),
        ("shop-slot_minutes", "10", "请填 15 到 480 的整数"),
        ("shop-slot_days", "15", "请填 1 到 14 的整数"),
        ("shop-slots", "maybe", "不是可选的值之一"),
        ("shop-local_least", "很多", "请填金额"),
    ] {
        let page = owner.page_of("/admin/settings", &[("group", "hours"), (field, value)]).await;
        assert!(page.contains(words), "{field}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_must_come_to_the_least() {
    let w = World::with(Default::default(), &[("shop.local_least", "30"), ("shop.express_least", "20")]).await;
    let alice = w.buyer("alice").await;
    let (cake, book) = (cake(&w, Delivery::Local).await, w.product("书", 1_000, 99).await);
    let (_, fetched) = w.product_with("自取", 100, 99, |_, sku| sku.delivery = Delivery::Pickup).await;
    for (sku, quantity, missing) in
        [(cake, 2, Some(1_000)), (cake, 3, None), (book, 1, Some(1_000)), (book, 2, None), (fetched, 1, None)]
    {
        let quote = alice.post("/quote", Some(order(sku, quantity))).await.ok();
        let found = quote["warnings"].as_array().unwrap().iter().find(|one| one["code"] == "order_minimum");
        assert_eq!(found.map(|one| one["details"]["missingFen"].clone()), missing.map(Value::from), "{quote}");
        let placed = alice.buy(sku, quantity).await;
        match missing {
            Some(_) => assert_eq!(placed.error(), (422, "order_minimum")),
            None => assert_eq!(placed.status, 201, "{}", placed.body),
        }
    }
    assert_eq!(w.get("/shop").await.ok()["leastFen"], json!({ "express": 2_000, "local": 3_000 }));
    w.must_hold().await;
}

/// What was agreed on in a chat is brought at a time that its buyer chooses, out of the same ones.
#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_draft_chooses_a_time_as_well() {
    let w = World::with(Default::default(), HOURS).await;
    let (alice, bob, clerk) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("clerk", Role::Clerk).await);
    let sku = cake(&w, Delivery::Local).await;
    let written = async || super::drafts::draft(&clerk, &[("lines[0].what", "蛋糕"), ("freight", "0")]).await.1;
    let draft = written().await;
    let seen = alice.get(&format!("/drafts/{draft}")).await.ok();
    assert_eq!(offered(&seen, false)[0], "今天 15:00–16:00");
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    super::contract::agree(&document, &json!({ "$ref": "#/components/schemas/Draft" }), &seen, "Draft");
    let take = async |buyer: &Buyer<'_>, draft: &str, slot: Option<&str>| {
        let mut body = json!({ "address": address() });
        if let Some(slot) = slot {
            body["slotId"] = slot.into();
        }
        buyer.post(&format!("/drafts/{draft}"), Some(body)).await
    };
    let at_three = Some("202610081500-1600");
    assert_eq!(take(&alice, &draft, None).await.error(), (422, "slot_required"));
    assert_eq!(take(&alice, &draft, Some("202610081400-1500")).await.error(), (409, "slot_unavailable"));
    let order = take(&alice, &draft, at_three).await.ok();
    assert_eq!((&order["slotText"], w.stock(sku).await), (&json!("10-08 周四 15:00–16:00"), (99, 1)));
    let again = take(&alice, &draft, None).await;
    assert_eq!((again.status, &again.body["orderNo"]), (200, &order["orderNo"]), "it is his already");
    // It is full for drafts as for everybody.
    bob.prepay(&w.key(), wish(sku, at_three)).await.ok();
    let late = written().await;
    assert_eq!(take(&bob, &late, at_three).await.error(), (409, "slot_unavailable"));
    assert_eq!(offered(&bob.get(&format!("/drafts/{late}")).await.ok(), true), ["今天 15:00–16:00"]);
    w.must_hold().await;
}
