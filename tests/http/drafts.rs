//! Draft orders: written down after a chat, opened by a code, and the order of whoever opens it first, at the price that
//! was agreed on.

use serde_json::{Value, json};
use xiaopu::catalogue::Delivery;
use xiaopu::simulator::Paying;
use xiaopu::staff::Role;

use crate::support::*;

const PASTED: &str = "陈建国 13900000002 江苏省苏州市姑苏区平江路66号 花间堂旁";

/// Writes a draft; answers with its page and its code.
pub async fn draft(clerk: &Console<'_>, form: &[(&str, &str)]) -> (String, String) {
    let (status, to) = clerk.post("/admin/drafts", form).await;
    assert_eq!(status, 303, "{}", clerk.page_of("/admin/drafts", form).await);
    let page = clerk.page(&to).await;
    let code = page.split("code=").nth(1).unwrap().chars().take(8).collect();
    (to, code)
}

async fn take(buyer: &Buyer<'_>, code: &str, body: Value) -> Answer {
    buyer.post(&format!("/drafts/{code}"), Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_opens_a_draft_first_has_the_order_at_the_agreed_price() {
    let w = World::with(Default::default(), &[("shop.freight", "8")]).await;
    let (clerk, packer) = (w.staff("clerk", Role::Clerk).await, w.staff("packer", Role::Packer).await);
    let (tea, cup) = (w.product("茶", 5000, 9).await, w.product("杯 大号", 3000, 2).await);
    let form = [
        ("lines[0].what", "茶"),
        ("lines[0].quantity", "3"),
        ("lines[0].price", "45"),
        ("lines[1].what", "杯 大号"),
        ("pasted", PASTED),
        ("remark", "慢慢发"),
    ];
    assert_eq!(packer.post("/admin/drafts", &form).await.0, 403);
    let (page, code) = draft(&clerk, &form).await;
    assert_eq!((w.stock(tea).await, w.stock(cup).await), ((9, 0), (2, 0)), "nobody has it yet");
    // What was read of the street is compared with the chat before the code is sent; of the person no more is shown.
    const STREET: &str = "平江路66号 花间堂旁";
    let open = clerk.page(&page).await;
    assert!(open.contains(STREET) && !open.contains("13900000002"), "{open}");
    assert!(!clerk.page("/admin/drafts").await.contains(STREET));
    // Whoever has the code sees what it is, and not where it goes.
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let seen = alice.get(&format!("/drafts/{}", code.to_lowercase())).await.ok();
    assert_eq!((&seen["totalFen"], &seen["freightFen"], &seen["state"]), (&17_300.into(), &800.into(), &"open".into()));
    assert_eq!((&seen["receiver"], &seen["place"]), (&"陈*".into(), &"江苏省苏州市姑苏区".into()));
    assert!(!seen.to_string().contains("13900000002"), "{seen}");
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    super::contract::agree(&document, &json!({ "$ref": "#/components/schemas/Draft" }), &seen, "Draft");
    // Two at once: one has it, and may open it again; to the other it is gone.
    let (one, other) = tokio::join!(take(&alice, &code, json!({})), take(&bob, &code, json!({})));
    let mut answers = [one.status, other.status];
    answers.sort_unstable();
    assert_eq!(answers, [201, 409]);
    let (his, order, late) = if one.status == 201 { (&alice, one.ok(), other) } else { (&bob, other.ok(), one) };
    assert_eq!(late.error(), (409, "draft_unavailable"));
    assert_eq!(order["totalFen"], 17_300);
    assert_eq!(order["address"]["detail"], "平江路66号 花间堂旁");
    assert_eq!(order["lines"][0]["priceFen"], 4500);
    assert_eq!((w.stock(tea).await, w.stock(cup).await), ((9, 3), (2, 1)));
    let again = take(his, &code, json!({})).await;
    assert_eq!((again.status, &again.body["orderNo"]), (200, &order["orderNo"]));
    w.must_hold().await;
    // It is paid like any other.
    let no = order["orderNo"].as_str().unwrap().to_owned();
    let payment = his.post(&format!("/orders/{no}/prepay"), None).await.ok();
    let prepay_id = payment["payment"]["package"].as_str().unwrap().strip_prefix("prepay_id=").unwrap().to_owned();
    w.wechat.pay(&prepay_id, Paying::Well).unwrap();
    w.wait("the payment", || async { his.status(&no).await == "to_ship" }).await;
    w.must_hold().await;
    let taken = clerk.page(&page).await;
    assert!(taken.contains(&no) && !taken.contains(STREET), "{taken}");
    assert!(clerk.page("/admin/drafts").await.contains(&code));
    assert!(clerk.page(&format!("/admin/orders/{no}")).await.contains("代客下单"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_ends_and_a_buyer_is_told_why() {
    let w = World::new().await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    w.product("茶", 5000, 1).await;
    let alice = w.buyer("alice").await;
    let line = [("lines[0].what", "茶"), ("freight", "0")];
    let (page, withdrawn) = draft(&clerk, &line).await;
    clerk.post(&format!("{page}/withdraw"), &[]).await;
    let to = json!({ "address": address() });
    assert_eq!(take(&alice, &withdrawn, to.clone()).await.error(), (409, "draft_unavailable"));
    assert_eq!(take(&alice, "NOSUCH22", to.clone()).await.error(), (404, "not_found"));
    // Without an address in it, the buyer's own is asked for.
    let (_, open) = draft(&clerk, &line).await;
    assert_eq!(take(&alice, &open, json!({})).await.error(), (422, "address_required"));
    let (_, second) = draft(&clerk, &line).await;
    let order = take(&alice, &open, to.clone()).await.ok();
    assert_eq!(order["address"]["receiver"], "王小样");
    assert_eq!(take(&alice, &second, to.clone()).await.error(), (409, "out_of_stock"));
    w.must_hold().await;
    // Unpaid it closes like any other, and after three days the other code is over.
    w.advance(45 * MINUTE);
    w.run_jobs().await;
    assert_eq!(alice.status(order["orderNo"].as_str().unwrap()).await, "closed");
    w.advance(3 * DAY);
    assert_eq!(take(&alice, &second, to).await.error(), (409, "draft_unavailable"));
    assert_eq!(alice.get(&format!("/drafts/{second}")).await.ok()["state"], "expired");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_refused_says_what_is_wrong_and_loses_nothing() {
    let w = World::new().await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    w.product("茶", 5000, 9).await;
    w.product("绿茶", 6000, 9).await;
    let good = [("lines[0].what", "茶"), ("lines[0].quantity", "2"), ("lines[0].price", "45"), ("remark", "记得发")];
    for (field, value, words) in [
        ("lines[0].what", "咖啡", "没有找到「咖啡」，请写商家编码"),
        ("lines[0].what", "绿", "没有找到「绿」，是「绿茶」吗"),
        ("lines[0].what", "", "至少一样商品"),
        ("lines[0].quantity", "0", "数量请填"),
        ("lines[0].price", "便宜点", "单价请填金额"),
        ("lines[1].what", "茶", "写了两行"),
        ("freight", "包邮", "运费请填金额"),
        ("receiver", "陈建国", "请填写电话"),
        ("phone", "23900001111", "电话 23900001111 打不通"),
    ] {
        let mut form: Vec<_> = good.iter().copied().filter(|(name, _)| *name != field).collect();
        form.push((field, value));
        let page = clerk.page_of("/admin/drafts", &form).await;
        assert!(page.contains(words) && page.contains("记得发"), "{field}: {page}");
    }
    // A district that nobody named is asked about where its city has some, as the order's own form asks; what the street names
    // is named.
    for (city, district, street, asked) in [
        ("杭州市", "", "文三路 1 号", true),
        ("杭州市", "西湖区", "文三路 1 号", false),
        ("杭州市", "", "西湖区文三路 1 号", false),
        ("东莞市", "", "长安镇德政中路 1 号", false),
        ("中山市", "", "石岐街道中山路 1 号", false),
    ] {
        let province = if city == "杭州市" { "浙江省" } else { "广东省" };
        let to = [("province", province), ("city", city), ("district", district), ("detail", street)];
        let form: Vec<_> = [good[0], ("receiver", "陈建国"), ("phone", "13900000002")].into_iter().chain(to).collect();
        let what = format!("{city} {district} {street}");
        if !asked {
            draft(&clerk, &form).await;
            continue;
        }
        let page = clerk.page_of("/admin/drafts", &form).await;
        assert!(page.contains("区县没有写：杭州市有区县") && page.contains("name=\"as_written\""), "{what}: {page}");
        draft(&clerk, &[&form[..], &[("as_written", "true")]].concat()).await;
    }
    // Digits as a Chinese keyboard writes them are digits.
    let (page, _) =
        draft(&clerk, &[("lines[0].what", "茶"), ("lines[0].quantity", "２"), ("lines[0].price", "４５．５")]).await;
    assert!(clerk.page(&page).await.contains("¥91.00"));
    // What was pasted fills what is empty, and nothing else.
    let form = [good[0], ("pasted", PASTED), ("receiver", "陈先生"), ("parse", "true")];
    let page = clerk.page_of("/admin/drafts", &form).await;
    for words in ["陈先生", "13900000002", "姑苏区", "平江路66号 花间堂旁"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("value=\"陈建国\""), "{page}");
    // Nobody else's phone is taken for the receiver's: the own one is, else somebody is asked.
    let drafts = w.count("select count(*) from drafts").await;
    let station = "陈建国 江苏省苏州市姑苏区平江路66号（菜鸟驿站电话：13900000009）";
    let both = format!("{station} 13900000002");
    for (pasted, parse, phone) in
        [(station, "true", ""), (station, "false", ""), (both.as_str(), "true", "13900000002")]
    {
        let form = [good[0], ("pasted", pasted), ("parse", parse)];
        let page = clerk.page_of("/admin/drafts", &form).await;
        assert!(page.contains(&format!("name=\"phone\" value=\"{phone}\"")), "{pasted}: {page}");
        assert_eq!(page.contains("认不出哪个是收货人的电话"), phone.is_empty(), "{pasted}: {page}");
        assert!(page.contains("value=\"陈建国\"") && page.contains("菜鸟驿站电话:13900000009"), "{pasted}: {page}");
    }
    // Of two addresses somebody says which; what was said stays.
    let moved = "陈建国 13900000002 江苏省苏州市姑苏区平江路66号 旧地址：江苏省苏州市姑苏区十梓街1号";
    for (pasted, words) in [
        (moved, "不止一个地址"),
        ("所在地区：江苏省苏州市姑苏区\n详细地址：吴中区东吴北路1号\n陈建国 13900000002", "两个区县"),
    ] {
        let page = clerk.page_of("/admin/drafts", &[good[0], ("pasted", pasted)]).await;
        assert!(page.contains(words) && page.contains("value=\"陈建国\""), "{pasted}: {page}");
    }
    assert_eq!(w.count("select count(*) from drafts").await, drafts);
}

/// Where the buyer says the address, the settings hold there as they do for everybody: what is not sent is not sold, a
/// freight that nobody agreed on is that of the place, and he is shown it before he pays it.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_buyer_says_is_held_against_the_settings() {
    let regions = [("shop.freight", "8"), ("shop.freight_regions", "新疆 西藏:25;港澳台:不发货")];
    for (province, city, district, freight, placed) in [
        ("浙江省", "杭州市", "西湖区", "", Some(800)),
        ("西藏自治区", "拉萨市", "城关区", "", Some(2500)),
        ("西藏自治区", "拉萨市", "城关区", "0", Some(0)),
        ("香港特别行政区", "香港", "中西区", "", None),
        ("香港特别行政区", "香港", "中西区", "0", None),
    ] {
        let w = World::with(Default::default(), &regions).await;
        let clerk = w.staff("clerk", Role::Clerk).await;
        w.product("茶", 5000, 9).await;
        let alice = w.buyer("alice").await;
        let (_, code) = draft(&clerk, &[("lines[0].what", "茶"), ("freight", freight)]).await;
        let mut there = address();
        for (field, name) in [("province", province), ("city", city), ("district", district)] {
            there[field] = name.into();
        }
        let saved = alice.post("/addresses", Some(there.clone())).await.ok()["id"].as_str().unwrap().to_owned();
        let plain = alice.get(&format!("/drafts/{code}")).await.ok();
        let seen = alice.get(&format!("/drafts/{code}?addressId={saved}")).await.ok();
        let taken = take(&alice, &code, json!({ "addressId": saved, "expectedTotalFen": seen["totalFen"] }));
        let what = format!("{province} {freight:?}");
        let Some(fen) = placed else {
            assert!(seen["problem"].as_str().unwrap().contains("暂时不能发货到香港"), "{what}: {seen}");
            assert_eq!(taken.await.error(), (422, "not_deliverable"), "{what}");
            assert_eq!(w.count("select count(*) from orders").await, 0);
            continue;
        };
        assert_eq!(
            (&seen["freightFen"], &seen["totalFen"], &seen["problem"]),
            (&json!(fen), &json!(5000 + fen), &Value::Null)
        );
        if seen["totalFen"] != plain["totalFen"] {
            let blind = json!({ "address": there, "expectedTotalFen": plain["totalFen"] });
            assert_eq!(take(&alice, &code, blind).await.error(), (409, "price_changed"), "{what}");
        }
        let order = taken.await.ok();
        assert_eq!((&order["freightFen"], &order["totalFen"]), (&json!(fen), &json!(5000 + fen)), "{what}");
        w.must_hold().await;
    }
    // What staff wrote themselves they had weighed: a freight for where nothing is sent.
    let w = World::with(Default::default(), &regions).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    w.product("茶", 5000, 9).await;
    let to = "陈建国 13900000002 西藏自治区拉萨市城关区北京中路1号";
    let (_, code) = draft(&clerk, &[("lines[0].what", "茶"), ("freight", "60"), ("pasted", to)]).await;
    assert_eq!(take(&w.buyer("alice").await, &code, json!({})).await.ok()["totalFen"], 11_000);
}

/// What is brought is brought within its area, whoever wrote the order down.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_not_brought_beyond_the_area() {
    let w = World::with(Default::default(), &[("shop.local_area", "浙江省杭州市西湖区")]).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    w.product_with("花", 5000, 9, |_, sku| sku.delivery = Delivery::Local).await;
    let (_, code) = draft(&clerk, &[("lines[0].what", "花")]).await;
    let alice = w.buyer("alice").await;
    let mut far = address();
    for (field, name) in [("province", "北京市"), ("city", "北京市"), ("district", "朝阳区")] {
        far[field] = name.into();
    }
    assert_eq!(take(&alice, &code, json!({ "address": far })).await.error(), (422, "not_deliverable"));
}

/// Staff who move an order elsewhere hear what the settings say of that place; the order keeps what was agreed.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_moved_elsewhere_says_what_the_settings_say_of_it() {
    let w =
        World::with(Default::default(), &[("shop.freight", "8"), ("shop.freight_regions", "西藏:25;港澳台:不发货")])
            .await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let sku = w.product("茶", 5000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let page = format!("/admin/orders/{}", placed.no);
    for (province, city, district, words) in [
        ("西藏自治区", "拉萨市", "城关区", "多 ¥17.00，这一单收的运费仍是 ¥8.00；要多收请用「改价」"),
        ("香港特别行政区", "香港", "中西区", "设置里写着不送到这个地区"),
        ("江苏省", "苏州市", "姑苏区", "收货信息已改"),
    ] {
        let form = [
            ("receiver", "陈建国"),
            ("phone", "13900000002"),
            ("province", province),
            ("city", city),
            ("district", district),
            ("detail", "中心路1号"),
        ];
        clerk.post(&format!("{page}/address"), &form).await;
        let said = clerk.said(&page).await;
        assert!(said.contains(words) && said.contains("注意") == (province != "江苏省"), "{province}: {said}");
    }
    // What is no region waits for a word; what the buyer's phone said of it is never asked about again.
    for (province, city, district, sure, words) in [
        ("火星省", "杭州市", "西湖区", "false", "「火星省」不是省、自治区或直辖市"),
        ("江苏省", "杭州市", "西湖区", "false", "江苏省里没有「杭州市」，浙江省杭州市才有"),
        ("浙江省", "杭州市", "姑苏区", "false", "杭州市里没有「姑苏区」"),
        ("江苏省", "苏州市", "", "false", "区县没有写：苏州市有区县"),
        ("广东省", "深圳市", "", "false", "区县没有写：深圳市有区县"),
        ("广东省", "东莞市", "", "false", "收货信息已改"),
        ("江苏省", "苏州市", "", "false", "收货信息已改"),
        ("火星省", "杭州市", "西湖区", "true", "收货信息已改"),
        ("火星省", "杭州市", "西湖区", "false", "收货信息已改"),
        ("香港", "", "沙田区", "false", "收货信息已改"),
    ] {
        let phone = if sure == "true" { "13900000003" } else { "13900000002" };
        let form = [
            ("receiver", "陈建国"),
            ("phone", phone),
            ("province", province),
            ("city", city),
            ("district", district),
            ("detail", "中心路1号"),
            ("as_written", sure),
        ];
        clerk.post(&format!("{page}/address"), &form).await;
        let said = clerk.said(&page).await;
        assert!(said.contains(words), "{province} {city} {district}: {said}");
    }
    let form = [
        ("lines[0].what", "茶"),
        ("receiver", "陈建国"),
        ("phone", "13900000002"),
        ("province", "火星省"),
        ("city", "杭州市"),
        ("detail", "中心路1号"),
    ];
    let refused = clerk.page_of("/admin/drafts", &form).await;
    assert!(refused.contains("不是省、自治区或直辖市") && refused.contains("省市区没写错</label>"), "{refused}");
    assert_eq!(alice.order(&placed.no).await["totalFen"], 5800);
}
