//! Freight by pieces and by weight: each template for its own goods, the sum of them in the quote with its reasons.

use serde_json::{Value, json};
use xiaopu::catalogue::Delivery;
use xiaopu::ids::SkuId;
use xiaopu::staff::Role;

use crate::support::*;

const HEAVY: &[(&str, &str)] = &[
    ("name", "重货"),
    ("by", "weight"),
    ("rows[0].regions", "新疆 西藏"),
    ("rows[0].first", "1"),
    ("rows[0].first_fee", "25"),
    ("rows[0].more", "1"),
    ("rows[0].more_fee", "15"),
    ("rows[0].always", "true"),
    ("rows[1].regions", "海南"),
    ("rows[1].not_sent", "true"),
    ("elsewhere.first", "1"),
    ("elsewhere.first_fee", "8"),
    ("elsewhere.more", "0.5"),
    ("elsewhere.more_fee", "2"),
    ("elsewhere.free_from", "200"),
];
const PIECES: &[(&str, &str)] = &[
    ("name", "按件"),
    ("by", "piece"),
    ("rows[0].regions", "浙江省杭州市西湖区"),
    ("rows[0].first", "2"),
    ("rows[0].first_fee", "1"),
    ("rows[0].more", "2"),
    ("rows[0].more_fee", "0.5"),
    ("elsewhere.first_fee", "6"),
    ("elsewhere.more_fee", "1"),
];

/// Writes a template; answers with its number.
async fn template(staff: &Console<'_>, form: &[(&str, &str)]) -> String {
    assert_eq!(staff.post("/admin/freight", form).await, (303, "/admin/freight".into()));
    let page = staff.page("/admin/freight").await;
    page.split("/admin/freight/")
        .filter_map(|rest| rest.split('"').next()?.parse::<i64>().ok())
        .max()
        .unwrap()
        .to_string()
}

async fn goods(w: &World, name: &str, fen: i64, weight: i64, template: Option<&str>) -> SkuId {
    let template = template.map(|id| id.parse().unwrap());
    let change = |draft: &mut xiaopu::catalogue::store::Draft, sku: &mut xiaopu::catalogue::store::SkuDraft| {
        draft.freight = template;
        sku.weight = weight;
    };
    w.product_with(name, fen, 99, change).await.1
}

fn to(province: &str, city: &str, district: &str) -> Value {
    let mut place = address();
    for (name, value) in [("province", province), ("city", city), ("district", district)] {
        place[name] = value.into();
    }
    place
}

async fn quote(w: &World, items: &[(SkuId, i64)], place: Option<Value>) -> Value {
    let items: Vec<Value> = items.iter().map(|(sku, n)| json!({ "skuId": sku, "quantity": n })).collect();
    let mut body = json!({ "items": items });
    if let Some(place) = place {
        body["address"] = place;
    }
    w.call(reqwest::Method::POST, "/quote", None, None, Some(body)).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_template_counts_its_own_goods_and_the_quote_says_how() {
    let settings = [("shop.freight", "5"), ("shop.free_freight_from", "99"), ("shop.freight_regions", "港澳台:不发货")];
    let w = World::with(Default::default(), &settings).await;
    let manager = w.staff("manager", Role::Manager).await;
    let (heavy, pieces) = (template(&manager, HEAVY).await, template(&manager, PIECES).await);
    let rice = goods(&w, "大米", 5_000, 2_500, Some(&heavy)).await;
    let oil = goods(&w, "油", 3_000, 1, Some(&heavy)).await;
    let bowl = goods(&w, "碗", 1_000, 300, Some(&pieces)).await;
    let tea = goods(&w, "茶", 4_000, 100, None).await;
    let (_, voucher) = w.product_with("券", 5_900, 99, |_, sku| sku.delivery = Delivery::None).await;
    let somewhere = || to("江苏省", "苏州市", "姑苏区");
    let west_lake = || to("浙江省", "杭州市", "西湖区");
    for (items, place, fee, why) in [
        (vec![(rice, 1)], None, Some(800 + 3 * 200), "before the address is known, everywhere else's"),
        (vec![(rice, 1)], Some(somewhere()), Some(800 + 3 * 200), "2.5 kg: one and three halves"),
        (vec![(rice, 1), (oil, 1)], Some(somewhere()), Some(800 + 4 * 200), "a gram more begins another half"),
        (vec![(rice, 3)], Some(somewhere()), Some(800 + 13 * 200), "149.99 and less is not 200"),
        (vec![(rice, 4)], Some(somewhere()), Some(0), "free from 200"),
        (
            vec![(rice, 4)],
            Some(to("新疆维吾尔自治区", "乌鲁木齐市", "天山区")),
            Some(2_500 + 9 * 1_500),
            "a region of its own",
        ),
        (vec![(rice, 1)], Some(to("海南省", "海口市", "龙华区")), None, "not sent there"),
        (vec![(rice, 1)], Some(to("台湾省", "台北市", "")), None, "the shop sends nothing there at all"),
        (vec![(tea, 1)], Some(to("海南省", "海口市", "龙华区")), Some(500), "the other rule knows nothing of that"),
        (vec![(bowl, 1)], Some(somewhere()), Some(600), "one"),
        (vec![(bowl, 4)], Some(somewhere()), Some(900), "three more"),
        (vec![(bowl, 3)], Some(west_lake()), Some(150), "in the district two are the first, and two the next"),
        (vec![(tea, 2)], Some(somewhere()), Some(500), "the shop's own rule: once per order"),
        (vec![(tea, 3)], Some(somewhere()), Some(0), "and free from 99"),
        (vec![(tea, 1), (voucher, 1)], Some(somewhere()), Some(0), "what needs no sending counts for it, as ever"),
        (vec![(rice, 1), (bowl, 2), (tea, 1)], Some(somewhere()), Some(1_400 + 700 + 500), "three rules, one sum"),
        (vec![(bowl, 1), (tea, 1), (tea, 2)], Some(somewhere()), Some(600), "each threshold looks at its own goods"),
        (vec![(bowl, 1), (voucher, 1)], Some(somewhere()), Some(600), "a voucher alone is no express"),
    ] {
        let quoted = quote(&w, &items, place).await;
        let not_sent = quoted["warnings"].as_array().unwrap().iter().any(|one| one["code"] == "not_deliverable");
        assert_eq!(not_sent, fee.is_none(), "{why}: {quoted}");
        assert_eq!(quoted["freightFen"], fee.unwrap_or(0), "{why}: {quoted}");
        let parts = quoted["freights"].as_array().unwrap();
        let sum: i64 = parts.iter().map(|part| part["feeFen"].as_i64().unwrap()).sum();
        assert_eq!(sum, fee.unwrap_or(0), "{why}: {quoted}");
    }
    let quoted = quote(&w, &[(rice, 1), (bowl, 2), (tea, 1)], Some(somewhere())).await;
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    super::contract::agree(&document, &json!({ "$ref": "#/components/schemas/Quote" }), &quoted, "Quote");
    let told: Vec<_> = quoted["freights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["name"].clone(), part["text"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            (json!("重货"), json!("2.5 kg：首 1 kg ¥8.00，每续 0.5 kg ¥2.00")),
            (json!("按件"), json!("2 件：首 1 件 ¥6.00，每续 1 件 ¥1.00")),
            (json!("快递"), json!("每单 ¥5.00，满 ¥99.00 包邮")),
        ]
    );
    // What was quoted is what is ordered, and what staff reckon for a chat.
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(rice, 1).await);
    assert_eq!(placed.total, 5_000 + 1_400);
    let form = [("lines[0].what", "大米"), ("lines[1].what", "碗"), ("lines[1].quantity", "2")];
    let (_, code) = super::drafts::draft(&manager, &form).await;
    assert_eq!(alice.get(&format!("/drafts/{code}")).await.ok()["freightFen"], 1_400 + 700);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn free_freight_takes_off_what_may_go_and_nothing_else() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    let heavy = template(&manager, HEAVY).await;
    let rice = goods(&w, "大米", 5_000, 1_000, Some(&heavy)).await;
    let form = [("kind", "freight"), ("given", "everybody"), ("name", "包邮"), ("from", "10"), ("scope", "all")];
    let (status, at) = manager.post("/admin/promotions", &form).await;
    assert_eq!(status, 303, "{at}");
    let near = quote(&w, &[(rice, 1)], Some(to("江苏省", "苏州市", "姑苏区"))).await;
    assert_eq!((&near["freightFen"], &near["freights"][0]["feeFen"]), (&json!(0), &json!(800)), "{near}");
    let far = quote(&w, &[(rice, 1)], Some(to("西藏自治区", "拉萨市", "城关区"))).await;
    assert_eq!(far["freightFen"], 2_500, "{far}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_written_chosen_and_kept_while_goods_go_by_it() {
    let w = World::new().await;
    let (manager, clerk) = (w.staff("manager", Role::Manager).await, w.staff("clerk", Role::Clerk).await);
    let id = template(&manager, HEAVY).await;
    assert_eq!(clerk.post("/admin/freight", PIECES).await.0, 403);
    assert!(clerk.page("/admin/freight").await.contains("海南 不发货"));
    // The same name, and one thing wrong: what was typed stays.
    let page = manager.page_of("/admin/freight", HEAVY).await;
    assert!(page.contains("已经有模板叫「重货」") && page.contains("新疆 西藏"), "{page}");
    let mut wrong = HEAVY.to_vec();
    wrong[2].1 = "新彊";
    let page = manager.page_of(&format!("/admin/freight/{id}"), &wrong).await;
    assert!(page.contains("第 1 行：") && page.contains("「新彊」") && page.contains("value=\"25\""), "{page}");
    // However large a number is, it is named and not reckoned with.
    for (field, value, told) in [
        ("elsewhere.first", "9223372036854775807", "首重请填多少公斤"),
        ("elsewhere.more", "99999999999999999999", "续重请填多少公斤"),
        ("elsewhere.first", "1000.001", "首重请填多少公斤"),
        ("elsewhere.first", "1.0000", "首重请填多少公斤"),
        ("elsewhere.first", "0", "首重请填多少公斤"),
        ("elsewhere.first", "-1", "首重请填多少公斤"),
        ("elsewhere.first_fee", "99999999999999999999", "首重的运费请填金额"),
        ("rows[0].more", "1e3", "第 1 行：续重请填多少公斤"),
    ] {
        let form: Vec<_> = HEAVY.iter().map(|(name, was)| (*name, if *name == field { value } else { *was })).collect();
        let page = manager.page_of(&format!("/admin/freight/{id}"), &form).await;
        assert!(page.contains(told) && page.contains(&format!("value=\"{value}\"")), "{field} {value}: {page}");
    }
    // A product takes it, with the weight of each SKU.
    let product = |weight: &'static str, freight: String| {
        [
            ("version".to_owned(), "1".to_owned()),
            ("name".into(), "大米".into()),
            ("on_shelf".into(), "true".into()),
            ("freight".into(), freight),
            ("skus[0].price".into(), "50".into()),
            ("skus[0].on_hand".into(), "9".into()),
            ("skus[0].enabled".into(), "true".into()),
            ("skus[0].weight".into(), weight.into()),
        ]
    };
    async fn post(w: &World, staff: &Console<'_>, path: &str, form: [(String, String); 8]) -> (u16, String) {
        let parts =
            form.into_iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(name, value));
        let request = w.http().post(w.at(path)).header("Cookie", &staff.cookie).multipart(parts);
        let answer = request.send().await.unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to.unwrap_or(answer.text().await.unwrap()))
    }
    for weight in ["-1", "1.5", "重", "1000001"] {
        let (status, page) = post(&w, &manager, "/admin/products", product(weight, id.clone())).await;
        assert!(status == 422 && page.contains("重量请填多少克"), "{weight}: {status} {page}");
    }
    let (status, page) = post(&w, &manager, "/admin/products", product("500", "99".into())).await;
    assert!(status == 422 && page.contains("这个运费模板已经删掉了"), "{status} {page}");
    let (status, at) = post(&w, &manager, "/admin/products", product("", id.clone())).await;
    assert_eq!(status, 303, "{at}");
    assert!(clerk.page("/admin/freight").await.contains("有 1 个在卖的规格没有填重量"));
    post(&w, &manager, &at, product("2500", id.clone())).await;
    let page = clerk.page("/admin/freight").await;
    assert!(page.contains("1 个商品在用") && !page.contains("没有填重量"), "{page}");
    assert!(manager.page(&at).await.contains("value=\"2500\""));
    // While it is used it stays; then it goes.
    manager.post(&format!("/admin/freight/{id}/delete"), &[]).await;
    assert!(manager.said("/admin/freight").await.contains("还有 1 个商品用它"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_shop_never_sends_it_brings_nothing_either() {
    let w = World::with(Default::default(), &[("shop.freight_regions", "浙江省杭州市临安区:不发货;新疆:25")]).await;
    let (_, cake) = w.product_with("蛋糕", 1_000, 9, |_, sku| sku.delivery = Delivery::Local).await;
    for (district, brought) in [("西湖区", true), ("临安区", false)] {
        let quoted = quote(&w, &[(cake, 1)], Some(to("浙江省", "杭州市", district))).await;
        let told = quoted["warnings"].as_array().unwrap();
        assert_eq!(told.iter().all(|one| one["code"] != "not_deliverable"), brought, "{district}: {quoted}");
    }
}

/// One thing a row, at each edge: what is quoted is what is ordered, and what comes back when all of it does.
#[tokio::test(flavor = "multi_thread")]
async fn freight_turns_exactly_where_a_template_says_and_comes_back_whole() {
    let settings = [
        ("shop.freight", "5"),
        ("shop.free_freight_from", "99"),
        ("shop.local_freight", "3"),
        ("shop.freight_regions", "新疆:20;港澳台:不发货"),
        ("shop.pickup_address", "文三路 12 号"),
    ];
    let w = World::with(Default::default(), &settings).await;
    let boss = w.staff("boss", Role::Owner).await;
    let (heavy, pieces) = (template(&boss, HEAVY).await, template(&boss, PIECES).await);
    let abroad = [
        ("name", "港货"),
        ("by", "weight"),
        ("rows[0].regions", "香港"),
        ("rows[0].first_fee", "30"),
        ("rows[0].more_fee", "20"),
        ("elsewhere.first_fee", "10"),
        ("elsewhere.more_fee", "0"),
    ];
    let abroad = template(&boss, &abroad).await;
    // From pieces on instead of a sum: as it was written, and as it is told.
    let three = [
        ("name", "满件"),
        ("by", "weight"),
        ("elsewhere.first_fee", "9"),
        ("elsewhere.more_fee", "1"),
        ("elsewhere.free_from", "３件"),
        ("rows[0].regions", "西藏"),
        ("rows[0].first_fee", "9"),
        ("rows[0].more_fee", "1"),
        ("rows[0].free_from", "10 件"),
    ];
    let three = template(&boss, &three).await;
    let page = boss.page(&format!("/admin/freight/{three}")).await;
    assert!(page.contains("value=\"3 件\"") && page.contains("value=\"10 件\""), "{page}");
    assert!(boss.page("/admin/freight").await.contains("，满 3 件包邮"));
    let mut made = Vec::new();
    for (name, fen, weight, template) in [
        ("没有重量", 100, 0, Some(&heavy)),
        ("一克", 100, 1, Some(&heavy)),
        ("差一克", 100, 999, Some(&heavy)),
        ("一公斤", 100, 1_000, Some(&heavy)),
        ("多一克", 100, 1_001, Some(&heavy)),
        ("半公斤", 100, 500, Some(&heavy)),
        ("半公斤多", 100, 501, Some(&heavy)),
        ("差一分", 19_999, 1_000, Some(&heavy)),
        ("一半", 10_000, 1_000, Some(&heavy)),
        ("碗", 100, 300, Some(&pieces)),
        ("茶", 9_899, 1, None),
        ("好茶", 9_900, 1, None),
        ("灯", 100, 1_000, Some(&abroad)),
        ("大灯", 100, 1_001, Some(&abroad)),
        ("袜子", 100, 50, Some(&three)),
        ("帽子", 100, 50, Some(&three)),
    ] {
        made.push(goods(&w, name, fen, weight, template.map(String::as_str)).await);
    }
    let [air, gram, short, kilo, over, half, half_over, dear, hundred, bowl, tea, fine, lamp, big, socks, hat] =
        made[..]
    else {
        unreachable!()
    };
    let way = async |name: &str, fen, way| w.product_with(name, fen, 99, |_, sku| sku.delivery = way).await.1;
    let voucher = way("券", 100, Delivery::None).await;
    let (cake, feast) = (way("蛋糕", 9_899, Delivery::Local).await, way("大蛋糕", 9_900, Delivery::Local).await);
    let fetched = way("自提", 100, Delivery::Pickup).await;
    let here = ("江苏省", "苏州市", "姑苏区");
    let lake = ("浙江省", "杭州市", "西湖区");
    let west = ("新疆维吾尔自治区", "乌鲁木齐市", "天山区");
    let island = ("海南省", "海口市", "龙华区");
    let hongkong = ("香港特别行政区", "香港特别行政区", "中西区");
    let macau = ("澳门特别行政区", "澳门特别行政区", "");
    let taiwan = ("台湾省", "台北市", "");
    for (n, (what, items, to_place, fee)) in [
        ("goods without weight are the first kilo", vec![(air, 1)], here, Some(800)),
        ("however many", vec![(air, 90)], here, Some(800)),
        ("a gram", vec![(gram, 1)], here, Some(800)),
        ("a gram less than the first kilo", vec![(short, 1)], here, Some(800)),
        ("the first kilo exactly", vec![(kilo, 1)], here, Some(800)),
        ("a gram more", vec![(over, 1)], here, Some(1_000)),
        ("lines of one rule are weighed together", vec![(gram, 1), (short, 1)], here, Some(800)),
        ("a gram more in another line", vec![(kilo, 1), (gram, 1)], here, Some(1_000)),
        ("what has no weight adds none", vec![(kilo, 1), (air, 9)], here, Some(800)),
        ("half a kilo more exactly", vec![(kilo, 1), (half, 1)], here, Some(1_000)),
        ("and a gram", vec![(kilo, 1), (half_over, 1)], here, Some(1_200)),
        ("one piece", vec![(bowl, 1)], here, Some(600)),
        ("the next", vec![(bowl, 2)], here, Some(700)),
        ("of the first two, one", vec![(bowl, 1)], lake, Some(100)),
        ("the first two", vec![(bowl, 2)], lake, Some(100)),
        ("one more begins the next two", vec![(bowl, 3)], lake, Some(150)),
        ("the next two", vec![(bowl, 4)], lake, Some(150)),
        ("and one more", vec![(bowl, 5)], lake, Some(200)),
        ("a fen less than goes free", vec![(dear, 1)], here, Some(800)),
        ("exactly what goes free", vec![(hundred, 2)], here, Some(0)),
        ("more than that", vec![(hundred, 2), (gram, 1)], here, Some(0)),
        ("goods of another rule do not count", vec![(dear, 1), (bowl, 1)], here, Some(1_400)),
        ("nor what needs no sending", vec![(dear, 1), (voucher, 1)], here, Some(800)),
        ("one rule free, the other not", vec![(hundred, 2), (bowl, 1)], here, Some(600)),
        ("a piece less than goes free", vec![(socks, 2)], here, Some(900)),
        ("exactly as many", vec![(socks, 3)], here, Some(0)),
        ("of several kinds", vec![(socks, 1), (hat, 2)], here, Some(0)),
        ("goods of another rule do not count", vec![(socks, 2), (air, 9)], here, Some(900 + 800)),
        ("nor what needs no sending", vec![(socks, 2), (voucher, 9)], here, Some(900)),
        ("a region with more of them, one less", vec![(socks, 9)], ("西藏自治区", "拉萨市", "城关区"), Some(900)),
        ("and exactly", vec![(socks, 9), (hat, 1)], ("西藏自治区", "拉萨市", "城关区"), Some(0)),
        ("the shop's own, a fen less", vec![(tea, 1)], here, Some(500)),
        ("the shop's own, exactly", vec![(fine, 1)], here, Some(0)),
        ("a region's own is never free", vec![(fine, 1)], west, Some(2_000)),
        ("nor is a template's", vec![(hundred, 2)], west, Some(4_000)),
        ("its first kilo", vec![(kilo, 1)], west, Some(2_500)),
        ("its first gram more", vec![(over, 1)], west, Some(4_000)),
        ("two rules and a region", vec![(kilo, 1), (tea, 1)], west, Some(4_500)),
        ("a template that does not send there", vec![(kilo, 1)], island, None),
        ("with goods that would go", vec![(kilo, 1), (bowl, 1)], island, None),
        ("another that does", vec![(bowl, 1)], island, Some(600)),
        ("where the shop sends nothing", vec![(tea, 1)], hongkong, None),
        ("nor does a template that does not name it", vec![(bowl, 1)], hongkong, None),
        ("one that names it does", vec![(lamp, 1)], hongkong, Some(3_000)),
        ("by its own weights", vec![(big, 1)], hongkong, Some(5_000)),
        ("but not with what stays", vec![(lamp, 1), (tea, 1)], hongkong, None),
        ("nor to the next island", vec![(lamp, 1)], macau, None),
        ("nor there", vec![(lamp, 1)], taiwan, None),
        ("at home it is cheap, whatever it weighs", vec![(lamp, 1), (big, 9)], here, Some(1_000)),
        ("what is brought, a fen less", vec![(cake, 1)], here, Some(300)),
        ("what is brought, exactly", vec![(feast, 1)], here, Some(0)),
        ("what is fetched", vec![(fetched, 9)], here, Some(0)),
        ("what is not sent at all", vec![(voucher, 9)], here, Some(0)),
    ]
    .into_iter()
    .enumerate()
    {
        let place = to(to_place.0, to_place.1, to_place.2);
        let quoted = quote(&w, &items, Some(place.clone())).await;
        let buyer = w.buyer(&format!("buyer {n}")).await;
        let lines: Vec<Value> = items.iter().map(|(sku, n)| json!({ "skuId": sku, "quantity": n })).collect();
        let wish = json!({ "items": lines, "address": place, "expectedTotalFen": quoted["totalFen"] });
        let bought = buyer.prepay(&w.key(), wish).await;
        let Some(fee) = fee else {
            assert_eq!(bought.error().1, "not_deliverable", "{what}: {quoted}");
            continue;
        };
        assert_eq!(quoted["freightFen"], fee, "{what}: {quoted}");
        let order = &bought.body["order"];
        assert_eq!((&order["freightFen"], &order["totalFen"]), (&quoted["freightFen"], &quoted["totalFen"]), "{what}");
        let placed = Placed::of(bought);
        w.pay(&placed, xiaopu::simulator::Paying::Well);
        w.wait("the payment", || async { buyer.status(&placed.no).await == "to_ship" }).await;
        let all = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
        let (_, at) = boss.post(&format!("/admin/orders/{}/refund", placed.no), &all).await;
        super::refunds::until(&w, at.strip_prefix("/admin/refunds/").unwrap(), "succeeded").await;
        let order = buyer.order(&placed.no).await;
        assert_eq!((&order["refundedFen"], &order["status"]), (&order["totalFen"], &json!("closed")), "{what}");
    }
    w.must_hold().await;
}

/// What goes free is counted in the goods' own prices: a coupon makes nobody pay for the sending.
#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_does_not_take_free_freight_away() {
    let w = World::with(Default::default(), &[("shop.freight", "5"), ("shop.free_freight_from", "99")]).await;
    let boss = w.staff("boss", Role::Owner).await;
    let heavy = template(&boss, HEAVY).await;
    let rice = goods(&w, "大米", 20_000, 9_000, Some(&heavy)).await;
    let tea = goods(&w, "茶", 9_900, 100, None).await;
    let off = [("kind", "reduce"), ("given", "everybody"), ("name", "满减"), ("from", "50"), ("off", "40")];
    assert_eq!(boss.post("/admin/promotions", &off).await.0, 303);
    for (sku, total) in [(rice, 16_000), (tea, 5_900)] {
        let quoted = quote(&w, &[(sku, 1)], Some(to("江苏省", "苏州市", "姑苏区"))).await;
        assert_eq!((&quoted["freightFen"], &quoted["totalFen"]), (&json!(0), &json!(total)), "{quoted}");
    }
}

/// What a client sends is read as it is; that it names two regions is said before its goods leave for one that is left out.
#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_contradicts_itself_is_said_on_its_order() {
    let w = World::with(Default::default(), &[("shop.freight_regions", "新疆:不发货")]).await;
    let sku = w.product("茶", 5000, 9).await;
    let (alice, clerk) = (w.buyer("alice").await, w.staff("clerk", Role::Clerk).await);
    for (place, is_unsure) in [
        (to("浙江省", "乌鲁木齐市", "天山区"), true),
        (to("其他", "", ""), true),
        (to("浙江省", "杭州市", "西湖区"), false),
        (to("浙江省", "杭州市", "高新区"), false),
    ] {
        let form = json!({ "items": [{ "skuId": sku, "quantity": 1 }], "address": place });
        let placed = Placed::of(alice.prepay(&w.key(), form).await);
        w.pay(&placed, xiaopu::simulator::Paying::Well);
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        let page = clerk.page(&format!("/admin/orders/{}", placed.no)).await;
        assert_eq!(page.contains("认不出这个地址在哪个地区"), is_unsure, "{place}: {page}");
    }
}
