//! Numbers as people paste, scan and read them out, and carriers as they call them.

use serde_json::json;
use xiaopu::simulator::Fault;
use xiaopu::staff::Role;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_whatever_is_pasted_of_it() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let other = w.paid(&alice, sku, 1).await;
    let mut form = order(sku, 1);
    form["address"] = json!({
        "receiver": "欧阳测试", "phone": "+86 139-1111-2222", "province": "北京市", "city": "北京市", "district": "朝阳区",
        "detail": "测试路1号",
    });
    let placed = Placed::of(alice.prepay(&w.key(), form).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    clerk.post(&format!("/admin/orders/{}/ship", placed.no), &[("tracking_no", "JDVA12345678901-1-1-")]).await;
    assert_eq!(alice.order(&placed.no).await["shipments"][0]["trackingNo"], "JDVA12345678901");
    let (no, transaction) = (&placed.no, w.transaction(&placed));
    for typed in [
        no.clone(),
        format!("订单号：{no}"),
        no[12..].to_lowercase(),
        no[13..].to_owned(),
        placed.out_trade_no.clone(),
        format!("`{transaction}"),
        format!("'{transaction}\t"),
        "13911112222".to_owned(),
        "139 1111 2222".to_owned(),
        "+86 139-1111-2222".to_owned(),
        "电话：１３９１１１１２２２２".to_owned(),
        "2222".to_owned(),
        "朝阳区".to_owned(),
        "北京市朝阳区".to_owned(),
        "欧阳".to_owned(),
        "JDVA12345678901".to_owned(),
        "jdva12345678901-1-1-".to_owned(),
        "运单号：JDVA12345678901".to_owned(),
    ] {
        let address = reqwest::Url::parse_with_params("http://x/admin/orders", [("q", &typed)]).unwrap();
        let page = clerk.page(&format!("{}?{}", address.path(), address.query().unwrap())).await;
        assert_eq!((page.contains(no.as_str()), page.contains(&other.no)), (true, false), "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scan_desk_asks_once_who_carries_a_kind_of_number() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let bench = "/admin/shipping/scan";
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(w.paid(&alice, sku, 1).await.no);
    }
    let company = async |no: &str| alice.order(no).await["shipments"][0]["companyText"].as_str().map(str::to_owned);
    // Nobody's: asked for, with the number kept; a book is no parcel at all.
    for (code, words) in [("880012345678", "认不出是哪家快递"), ("9787302511625", "书刊"), ("MMM={'k1':'7'}", "二维码")]
    {
        let (_, to) = packer.post(bench, &[("order", &orders[0]), ("code", code)]).await;
        assert_eq!(to.contains("code=880012345678"), code == "880012345678", "{to}");
        assert!(packer.said(&to).await.contains(words), "{code}");
    }
    assert_eq!(alice.status(&orders[0]).await, "to_ship");
    packer.post(bench, &[("order", &orders[0]), ("code", "880012345678"), ("company", "安能物流")]).await;
    assert_eq!(company(&orders[0]).await.as_deref(), Some("安能物流"));
    packer.post(bench, &[("order", &orders[1]), ("code", "880012345679")]).await;
    assert_eq!(company(&orders[1]).await.as_deref(), Some("安能物流"), "it was said of the last one");
    // A number that only looks like somebody's is shown with the suggestion.
    let (_, to) = packer.post(bench, &[("order", &orders[2]), ("code", "74312345678901")]).await;
    let page = packer.said(&to).await;
    assert!(page.contains("像是中通快递") && page.contains("value=\"74312345678901\""), "{to}");
    packer.post(bench, &[("order", &orders[2]), ("code", "74312345678901"), ("company", "中通快递")]).await;
    packer.post(bench, &[("order", &orders[3]), ("code", "74312345678902")]).await;
    assert_eq!(company(&orders[3]).await.as_deref(), Some("中通快递"));
    // A label's picture; and a service that WeChat's list has not, under its own name.
    let picture = "MMM={'k1':'755W','k4':'T4','k5':'SF1234567890123','k6':''}";
    packer.post(bench, &[("order", &orders[4]), ("code", picture), ("company", "其他：飞毛腿")]).await;
    assert_eq!(company(&orders[4]).await.as_deref(), Some("飞毛腿"));
    let parcel = &alice.order(&orders[4]).await["shipments"][0];
    assert_eq!((&parcel["company"], &parcel["trackingNo"]), (&json!("OTHER"), &json!("SF1234567890123")));
}

#[tokio::test(flavor = "multi_thread")]
async fn wechat_is_asked_which_carriers_it_knows() {
    let w = World::new().await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let page = "/admin/shipping";
    assert!(clerk.page(page).await.contains("1506 家"));
    let asked = async || w.count("select count(*) from messages where kind = 'delivery_list'").await;
    w.wait("the job of the first start", || async { asked().await == 1 }).await;
    w.wechat.fault("delivery_list", Fault::ErrCode("48001".into(), "api unauthorized".into()));
    for outcome in ["48001", "微信的列表有 1506 家"] {
        clerk.post("/admin/shipping/carriers", &[]).await;
        assert!(clerk.page(page).await.contains(outcome), "{outcome}");
    }
    assert_eq!(asked().await, 3);
    assert_eq!(w.count("select count(*) from carriers").await, 0, "it is the list that came along");
}
