//! Goods that the buyer fetches: a code of his own, checked at the desk, good once.

use rocket::futures::future::join_all;
use serde_json::{Value, json};
use xiaopu::catalogue::Delivery;
use xiaopu::ids::SkuId;
use xiaopu::simulator::Paying;
use xiaopu::staff::Role;

use crate::support::*;

pub async fn cake(w: &World) -> SkuId {
    w.product_with("蛋糕", 8800, 9, |_, sku| sku.delivery = Delivery::Pickup).await.1
}

fn wish(sku: SkuId) -> Value {
    json!({ "items": [{ "skuId": sku, "quantity": 2 }], "pickupPhone": "13900005678" })
}

/// A paid order for two cakes; its number and its code.
pub async fn bought(w: &World, buyer: &Buyer<'_>, sku: SkuId) -> (String, String) {
    let placed = Placed::of(buyer.prepay(&w.key(), wish(sku)).await);
    w.pay(&placed, Paying::Well);
    w.wait("the payment", || async { buyer.status(&placed.no).await == "to_ship" }).await;
    let code = buyer.order(&placed.no).await["pickup"]["code"].as_str().unwrap().to_owned();
    (placed.no, code)
}

pub async fn check(staff: &Console<'_>, code: &str) -> String {
    staff.page_of("/admin/pickup", &[("code", code)]).await
}

/// Hands over what a code is good for; answers with what the desk says.
async fn fetch(staff: &Console<'_>, code: &str) -> String {
    assert_eq!(staff.post("/admin/pickup/hand-over", &[("code", code)]).await, (303, "/admin/pickup".into()));
    staff.said("/admin/pickup").await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_paid_shows_a_code_and_gets_the_goods_once() {
    let w = World::new().await;
    let (alice, packer) = (w.buyer("alice").await, w.staff("小李", Role::Packer).await);
    let sku = cake(&w).await;
    let quote = alice.post("/quote", Some(wish(sku))).await.ok();
    assert_eq!((&quote["needsPhone"], &quote["freightFen"]), (&json!(true), &json!(0)));
    let placed = Placed::of(alice.prepay(&w.key(), wish(sku)).await);
    let unpaid = alice.order(&placed.no).await;
    let nothing = json!({ "phone": "13900005678", "code": null, "qrUrl": null, "readyAt": null, "fetchedAt": null });
    assert_eq!(unpaid["pickup"], nothing, "no code before the money");
    w.pay(&placed, Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let order = alice.order(&placed.no).await;
    let code = order["pickup"]["code"].as_str().unwrap();
    assert!(code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
    assert!(order["pickup"]["qrUrl"].as_str().unwrap().starts_with("data:image/png;base64,"));
    let listed = alice.get("/orders").await.ok()["items"][0]["pickup"].clone();
    assert_eq!((&listed["code"], &listed["qrUrl"]), (&json!(code), &Value::Null), "a list draws nothing");
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    super::contract::agree(&document, &json!({ "$ref": "#/components/schemas/Order" }), &order, "Order");
    // Staff see how far it is, the number in part, and never the code.
    for page in ["/admin/orders?delivery=pickup", "/admin/pickup", &format!("/admin/orders/{}", placed.no)] {
        let page = packer.page(page).await;
        assert!(page.contains(&placed.no[12..]) && page.contains("139****5678"), "{page}");
        assert!(!page.contains(code) && !page.contains("13900005678"), "{page}");
    }
    assert!(!packer.page("/admin/orders?delivery=express").await.contains(&placed.no[12..]));
    assert!(packer.page("/admin/orders?q=5678").await.contains(&placed.no[12..]), "found by the end of the number");
    assert_eq!(order["statusText"], "待备货");
    let own = format!("/admin/orders/{}", placed.no);
    packer.post(&format!("{own}/pickup-ready"), &[]).await;
    let page = packer.page(&own).await;
    assert!(page.contains("等买家来取") && page.contains(">确认交货<"), "{page}");
    let ready = alice.order(&placed.no).await;
    assert!(ready["pickup"]["readyAt"].is_string() && ready["statusText"] == "待取货", "{ready}");
    // Typed with blanks, or read off the picture: first what is to be handed over, then it is.
    for shown in [code, &format!(" {} {}", &code[..4], &code[4..]), &format!("PU{code}")] {
        let page = check(&packer, shown).await;
        assert!(page.contains("对上了") && page.contains("蛋糕") && page.contains("×2"), "{page}");
    }
    assert_eq!(w.stock(sku).await, (9, 2), "looking is not taking");
    let said = fetch(&packer, code).await;
    assert!(said.contains("已交给买家"), "{said}");
    assert_eq!(w.stock(sku).await, (7, 0));
    // Nothing of it was sent: no word of that.
    let page = packer.page(&own).await;
    assert!(page.contains("已交货") && page.contains("撤销交货") && !page.contains("已发货"), "{page}");
    let fetched = alice.order(&placed.no).await;
    assert_eq!((&fetched["status"], &fetched["statusText"]), (&json!("shipped"), &json!("已取货")));
    assert_eq!((&fetched["pickup"]["code"], &fetched["pickup"]["qrUrl"]), (&Value::Null, &Value::Null));
    assert!(fetched["pickup"]["fetchedAt"].is_string());
    for again in ["/admin/pickup", "/admin/pickup/hand-over"] {
        let page = packer.page_of(again, &[("code", code)]).await;
        assert!(page.contains("这个取货码用过了") && page.contains("小李"), "{page}");
    }
    assert_eq!(w.stock(sku).await, (7, 0));
    // It was the wrong cake: taken back, the same code is good again.
    assert!(said.contains("撤销"), "{said}");
    packer.post(&format!("/admin/orders/{}/shipments/1/undo", placed.no), &[]).await;
    assert_eq!(alice.order(&placed.no).await["pickup"]["code"], code);
    assert!(fetch(&packer, code).await.contains("已交给买家"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_none_says_what_is_the_matter() {
    let w = World::new().await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let sku = cake(&w).await;
    let (no, code) = bought(&w, &alice, sku).await;
    let (asked, other) = bought(&w, &alice, sku).await;
    assert_ne!(code, other);
    let unpaid = Placed::of(alice.prepay(&w.key(), wish(sku)).await).no;
    let hidden = w.count("select max(code + 0) from pickups where order_id = (select max(id) from orders)").await;
    let wrong = format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000);
    for (typed, says) in [
        ("", "请扫买家的取货码"),
        (&code[..7], "不是本店的取货码"),
        (&format!("{code}0"), "不是本店的取货码"),
        ("https://example.com/order?code=12345678", "不是本店的取货码"),
        ("SF1402668877310", "不是本店的取货码"),
        (no.as_str(), "是订单号，不是取货码"),
        (&format!("{no}01"), "是订单号，不是取货码"),
        (&wrong, "没有取货码"),
        (&format!("{hidden:08}"), &format!("订单 {unpaid} 还没有付款，不要交货")),
    ] {
        for door in ["/admin/pickup", "/admin/pickup/hand-over"] {
            let page = manager.page_of(door, &[("code", typed)]).await;
            assert!(page.contains(says), "{typed}: {says}: {page}");
            assert!(!page.contains("对上了"), "{typed}");
        }
    }
    // Money on its way back: only who means it hands it over.
    alice.ask_refund(&asked, "pickup-refund-1", json!({ "reason": "不想要了" })).await.ok();
    assert!(check(&manager, &other).await.contains("有退款正在处理，仍然交货"));
    let page = manager.page_of("/admin/pickup/hand-over", &[("code", &other)]).await;
    assert!(page.contains("有退款正在处理"), "{page}");
    let form = [("whole", "true"), ("reason", "不想要了"), ("confirmed", "true")];
    manager.post(&format!("/admin/refunds/{asked}R01/approve"), &form).await;
    super::refunds::until(&w, &format!("{asked}R01"), "succeeded").await;
    assert!(check(&manager, &other).await.contains("已关闭（已退款），不要交货"));
    assert_eq!(alice.order(&asked).await["pickup"]["code"], Value::Null);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_before_they_are_checked() {
    let w = World::new().await;
    let (alice, packer, other) =
        (w.buyer("alice").await, w.staff("packer", Role::Packer).await, w.staff("other", Role::Packer).await);
    let sku = cake(&w).await;
    let (_, code) = bought(&w, &alice, sku).await;
    let right: u32 = code.parse().unwrap();
    let guesses: Vec<String> = (1..=30).map(|n| format!("{:08}", (right + n) % 100_000_000)).collect();
    // All at once, through both doors.
    let doors = ["/admin/pickup", "/admin/pickup/hand-over"];
    let tried = guesses.iter().zip(doors.iter().cycle());
    let forms: Vec<_> = tried.map(|(guess, door)| (*door, [("code", guess.as_str())])).collect();
    let pages = join_all(forms.iter().map(|(door, form)| packer.page_of(door, form))).await;
    assert_eq!(pages.iter().filter(|page| page.contains("没有取货码")).count(), 10, "ten are looked up");
    assert_eq!(pages.iter().filter(|page| page.contains("错的取货码太多了")).count(), 20);
    assert!(check(&packer, &code).await.contains("错的取货码太多了"), "and then not even the right one");
    assert!(check(&other, &code).await.contains("对上了"), "whoever guesses waits, nobody else");
    w.advance(10 * MINUTE + SECOND);
    assert!(check(&packer, &code).await.contains("对上了"));
    // Whoever was right has his mistakes forgotten; what is no code at all is no guess.
    for guess in guesses.iter().take(9).chain([&code, &"blank".to_owned()]).chain(guesses.iter().take(9)) {
        assert!(!check(&packer, guess).await.contains("太多了"), "{guess}");
    }
    assert!(fetch(&packer, &code).await.contains("已交给买家"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scan_desk_sends_a_code_on_and_a_phone_number_is_kept_no_longer_than_its_owner() {
    let w = World::new().await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let sku = cake(&w).await;
    for phone in ["nobody", "1234", "1390000567813900005678"] {
        let mut form = wish(sku);
        form["pickupPhone"] = phone.into();
        assert_eq!(alice.prepay(&w.key(), form).await.error(), (422, "validation_failed"), "{phone}");
    }
    let (no, code) = bought(&w, &alice, sku).await;
    let (_, bench) = owner.post("/admin/shipping/scan", &[("code", &no)]).await;
    let said = owner.said(&bench).await;
    assert!(said.contains("先备好货，买家来时扫取货码") && said.contains("第 2 步：备好货，等买家来取"), "{said}");
    assert!(!said.contains("扫快递面单"), "{said}");
    let scanned = format!("PU{code}");
    let (status, to) = owner.post("/admin/shipping/scan", &[("code", &scanned)]).await;
    assert_eq!((status, to.as_str()), (307, "/admin/pickup"), "the same form, at another door");
    let revealed = owner.page_of(&format!("/admin/orders/{no}/reveal"), &[]).await;
    assert!(revealed.contains("13900005678"), "{revealed}");
    fetch(&owner, &code).await;
    alice.post(&format!("/orders/{no}/confirm"), None).await.ok();
    let buyer = w.count("select max(id) from buyers").await;
    owner.post(&format!("/admin/customers/{buyer}/erase"), &[("name", "小铺"), ("confirm", "true")]).await;
    assert_eq!(w.count("select count(*) from pickups where phone <> ''").await, 0);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_for_goods_to_fetch_asks_for_a_phone_number_and_gives_a_code() {
    let w = World::new().await;
    let (alice, clerk) = (w.buyer("alice").await, w.staff("clerk", Role::Clerk).await);
    cake(&w).await;
    let (_, draft) = super::drafts::draft(&clerk, &[("lines[0].what", "蛋糕")]).await;
    assert_eq!(alice.get(&format!("/drafts/{draft}")).await.ok()["needsPhone"], true);
    let body = json!({ "pickupPhone": "13900005678" });
    let order = alice.post(&format!("/drafts/{draft}"), Some(body)).await.ok();
    assert_eq!((&order["pickup"]["phone"], &order["pickup"]["code"]), (&json!("13900005678"), &Value::Null));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_that_changed_after_the_code_was_checked_are_checked_again() {
    let w = World::new().await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    let placed = Placed::of(alice.prepay(&w.key(), wish(cake(&w).await)).await);
    w.pay(&placed, Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let code = alice.order(&placed.no).await["pickup"]["code"].as_str().unwrap().to_owned();
    let old = seen_on(&check(&manager, &code).await);
    manager.give_back(&alice, &placed, ("1", "88", false)).await;
    let page = manager.page_of("/admin/pickup/hand-over", &[("code", &code), ("seen", &old)]).await;
    assert!(page.contains("要交的货刚刚变了"), "{page}");
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    let new = seen_on(&check(&manager, &code).await);
    manager.post("/admin/pickup/hand-over", &[("code", &code), ("seen", &new)]).await;
    assert_ne!(alice.status(&placed.no).await, "to_ship");
    w.must_hold().await;
}
