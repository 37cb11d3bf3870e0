//! Goods that come back: asked for with photographs, agreed to, sent, looked over, paid or exchanged; and what is sent again.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use xiaopu::catalogue::store as catalogue;
use xiaopu::error::Error;
use xiaopu::ids::SkuId;
use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;

use super::refunds::until;
use crate::support::*;

const ADDRESS: &str = "退货组 0571-88001234 浙江省杭州市西湖区演示路 1 号";

fn jpeg(colour: u8, (width, height): (u32, u32)) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb([colour, 120, 40]))
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

async fn bring(alice: &Buyer<'_>, bytes: Vec<u8>) -> (u16, Value) {
    let part = Part::bytes(bytes).file_name("photo.jpg").mime_str("image/jpeg").unwrap();
    let request = alice.world.http().post(alice.world.at("/api/v1/photos")).bearer_auth(&alice.token);
    let answer = request.multipart(Form::new().part("photo", part)).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A photograph that was brought: its id.
async fn photo(alice: &Buyer<'_>, colour: u8) -> String {
    let (status, body) = bring(alice, jpeg(colour, (40, 30))).await;
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

async fn look(w: &World, path: &str, token: Option<&str>) -> (u16, String, Vec<u8>) {
    let request = w.http().get(w.at(path));
    let request = token.iter().fold(request, |request, token| request.bearer_auth(token));
    let answer = request.send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
}

/// An order that was paid and has left.
pub async fn shipped(w: &World, staff: &Console<'_>, alice: &Buyer<'_>, sku: SkuId, quantity: i64) -> Placed {
    let placed = w.paid(alice, sku, quantity).await;
    let form = [("tracking_no", "SF1234567890123")];
    let (status, _) = staff.post(&format!("/admin/orders/{}/ship", placed.no), &form).await;
    assert_eq!((status, alice.status(&placed.no).await.as_str()), (303, "shipped"));
    placed
}

async fn line(alice: &Buyer<'_>, placed: &Placed) -> String {
    alice.order(&placed.no).await["lines"][0]["id"].as_str().unwrap().to_owned()
}

async fn wish(alice: &Buyer<'_>, placed: &Placed, kind: &str, quantity: i64) -> Value {
    json!({ "kind": kind, "lines": [{ "lineId": line(alice, placed).await, "quantity": quantity }], "reason": "大了" })
}

async fn ask(alice: &Buyer<'_>, placed: &Placed, key: &str, body: Value) -> Answer {
    let path = format!("/orders/{}/returns", placed.no);
    alice.world.call(Method::POST, &path, Some(&alice.token), Some(key), Some(body)).await
}

/// A return that was asked for: its number.
pub async fn asked(alice: &Buyer<'_>, placed: &Placed, kind: &str, quantity: i64) -> String {
    let wish = wish(alice, placed, kind, quantity).await;
    ask(alice, placed, &alice.world.key(), wish).await.ok()["id"].as_str().unwrap().to_owned()
}

/// An exchange for another SKU that was asked for: its number.
async fn asked_for(alice: &Buyer<'_>, placed: &Placed, sku: SkuId, quantity: i64) -> String {
    let mut wish = wish(alice, placed, "exchange", quantity).await;
    wish["lines"][0]["skuId"] = json!(sku);
    ask(alice, placed, &alice.world.key(), wish).await.ok()["id"].as_str().unwrap().to_owned()
}

pub async fn agree(staff: &Console<'_>, id: &str) {
    let to = format!("/admin/returns/{id}");
    staff.post(&format!("{to}/agree"), &[("address", ADDRESS), ("words", "请用原包装")]).await;
    assert!(staff.said(&to).await.contains("已同意"));
}

async fn send(alice: &Buyer<'_>, placed: &Placed, id: &str) -> Value {
    let body = json!({ "trackingNo": "YT8812345678901" });
    alice.post(&format!("/orders/{}/returns/{id}/parcel", placed.no), Some(body)).await.ok()
}

/// The newest return of an order, as its buyer sees it.
async fn case(alice: &Buyer<'_>, placed: &Placed) -> Value {
    alice.order(&placed.no).await["returns"].as_array().unwrap().last().unwrap().clone()
}

/// Two SKUs of one product.
pub async fn two_sizes(w: &World, fen: i64, on_hand: i64) -> (SkuId, SkuId) {
    let (product, small) =
        w.product_with("T 恤", fen, on_hand, |_, sku| sku.specs = vec![("尺码".into(), "M".into())]).await;
    let draft = catalogue::SkuDraft {
        specs: vec![("尺码".into(), "L".into())],
        sku_code: None,
        price: xiaopu::money::Fen::new(fen).unwrap(),
        market_price: None,
        limit_per_order: None,
        delivery: xiaopu::catalogue::Delivery::Express,
        weight: 0,
        enabled: true,
    };
    let write = move |tx: &xiaopu::db::Tx| {
        let id = catalogue::put_sku(tx, product, &draft)?;
        xiaopu::catalogue::stock::adjust(tx, id, on_hand, None, "test")?;
        Ok::<_, Error>(id)
    };
    (small, w.shop.db.write(write).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_go_back_and_their_money_follows() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 3).await;
    assert_eq!(w.stock(sku).await, (6, 0));
    let offer = alice.get(&format!("/orders/{}/returns/options", placed.no)).await.ok();
    assert_eq!((&offer["kinds"][0]["kind"], &offer["lines"][0]["quantity"]), (&json!("return"), &json!(3)));
    assert!(offer["reasons"].as_array().unwrap().contains(&json!("质量有问题")), "{offer}");
    let mut wish = wish(&alice, &placed, "return", 2).await;
    wish["photos"] = json!([photo(&alice, 10).await, photo(&alice, 90).await]);
    wish["description"] = json!("有两件压坏了");
    let made = ask(&alice, &placed, "return-key-1", wish.clone()).await;
    assert_eq!(made.status, 201);
    let made = made.body;
    assert_eq!((&made["kindText"], &made["stateText"]), (&json!("退货退款"), &json!("待商家处理")));
    assert_eq!((made["photos"].as_array().unwrap().len(), &made["address"]), (2, &json!("")));
    let again = ask(&alice, &placed, "return-key-1", wish.clone()).await;
    assert_eq!((again.headers["idempotency-replayed"].to_str().unwrap(), &again.body["id"]), ("true", &made["id"]));
    wish["reason"] = json!("别的");
    assert_eq!(ask(&alice, &placed, "return-key-1", wish).await.error(), (409, "idempotency_mismatch"));
    let id = made["id"].as_str().unwrap();
    // One thing at a time; and the order says what is under way.
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["chips"][0]["word"], &order["chips"][0]["text"]), (&json!("returning"), &json!("退换中")));
    assert_eq!((&order["actions"]["refund"], &order["returnable"]), (&json!(false), &json!(false)));
    let refund = alice.ask_refund(&placed.no, &w.key(), json!({ "reason": "不想要了" })).await;
    assert_eq!(refund.error(), (409, "refund_in_progress"));
    let offer = alice.get(&format!("/orders/{}/returns/options", placed.no)).await;
    assert_eq!(offer.error(), (409, "refund_in_progress"));
    assert_eq!(alice.get("/me").await.ok()["counts"]["refunding"], 1);
    assert_eq!(alice.get("/orders?status=refunding").await.ok()["items"].as_array().unwrap().len(), 1);
    // The shop sees it, with its photographs, and agrees.
    assert!(boss.page("/admin").await.contains("<b>1</b>退款待处理"));
    let list = boss.page("/admin/returns").await;
    assert!(list.contains("退货退款 · 2 件") && list.contains("¥20.00") && list.contains("还有 48 小时"), "{list}");
    let page = boss.page(&format!("/admin/returns/{id}")).await;
    assert!(page.contains("有两件压坏了") && page.contains("同意退货退款"), "{page}");
    assert!(boss.page(&format!("/admin/orders/{}", placed.no)).await.contains("退换货"));
    agree(&boss, id).await;
    let seen = case(&alice, &placed).await;
    assert_eq!(
        (&seen["state"], &seen["address"], &seen["answer"]),
        (&json!("agreed"), &json!(ADDRESS), &json!("请用原包装"))
    );
    assert_eq!((&seen["actions"]["send"], &seen["actions"]["cancel"]), (&json!(true), &json!(true)));
    // The buyer sends them, and puts a wrong number right.
    let path = format!("/orders/{}/returns/{id}/parcel", placed.no);
    for (number, company, field) in
        [("12", "", "trackingNo"), ("7.73E+14", "", "trackingNo"), ("YT8812345678901", "飞毛腿", "company")]
    {
        let body = json!({ "trackingNo": number, "company": company });
        let refused = alice.post(&path, Some(body)).await;
        assert_eq!(refused.error(), (422, "validation_failed"), "{number}");
        assert!(refused.body["error"]["fields"][field].is_string(), "{}", refused.body);
    }
    assert_eq!(bob.post(&path, Some(json!({ "trackingNo": "YT8812345678901" }))).await.error(), (404, "not_found"));
    let sent = send(&alice, &placed, id).await;
    assert_eq!((&sent["state"], &sent["parcel"]["companyText"]), (&json!("sent_back"), &json!("圆通速递")));
    assert_eq!(sent["actions"]["cancel"], false, "what is on its way is not taken back");
    let other = alice.post(&path, Some(json!({ "trackingNo": "SF9876543210987", "company": "顺丰" }))).await.ok();
    assert_eq!((&other["state"], &other["parcel"]["trackingNo"]), (&json!("sent_back"), &json!("SF9876543210987")));
    w.must_hold().await;
    assert_eq!(w.wechat.calls("refund"), 0, "nothing has been given back yet");
    // The shop has them: a second screen, and the money goes by the one way there is.
    let screen = boss.page(&format!("/admin/returns/{id}/receive")).await;
    assert!(screen.contains("将退 <b>¥20.00</b>") && screen.contains(&placed.no), "{screen}");
    let restock = line(&alice, &placed).await;
    boss.post(&format!("/admin/returns/{id}/receive"), &[("restock", &restock)]).await;
    assert!(boss.said(&format!("/admin/returns/{id}")).await.contains("已收到，退款已发出"));
    let number = format!("{}R01", placed.no);
    until(&w, &number, "succeeded").await;
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["refundedFen"], &order["lines"][0]["refundedQuantity"]), (&json!(2000), &json!(2)));
    let seen = &order["returns"][0];
    assert_eq!((&seen["state"], &seen["refundId"]), (&json!("done"), &order["refunds"][0]["id"]));
    let steps: Vec<_> = seen["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect();
    assert_eq!(steps, ["requested", "agreed", "sent_back", "sent_back", "done"]);
    assert_eq!(w.stock(sku).await, (8, 0), "both are on the shelf again");
    assert_eq!(
        w.wechat.refunds(&w.transaction(&placed)).iter().map(|r| (r.amount_fen, r.asked)).collect::<Vec<_>>(),
        [(2000, 1)]
    );
    // What is left may still be sent back, and no more.
    let offer = alice.get(&format!("/orders/{}/returns/options", placed.no)).await.ok();
    assert_eq!(offer["lines"][0]["quantity"], 1);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_are_exchanged_for_others_of_the_same_product() {
    let w = World::new().await;
    let (small, large) = two_sizes(&w, 5000, 4).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, small, 2).await;
    let offer = alice.get(&format!("/orders/{}/returns/options", placed.no)).await.ok();
    let skus: Vec<_> = offer["lines"][0]["skus"].as_array().unwrap().iter().map(|sku| &sku["specText"]).collect();
    assert_eq!(skus, ["M", "L"]);
    let id = asked_for(&alice, &placed, large, 1).await;
    let page = boss.page(&format!("/admin/returns/{id}")).await;
    assert!(page.contains("想换成 L"), "{page}");
    agree(&boss, &id).await;
    send(&alice, &placed, &id).await;
    let to = format!("/admin/returns/{id}");
    assert!(boss.page(&format!("{to}/receive")).await.contains("接着寄出换的"));
    let restock = line(&alice, &placed).await;
    boss.post(&format!("{to}/receive"), &[("restock", &restock)]).await;
    assert_eq!((w.stock(small).await, w.stock(large).await), ((3, 0), (4, 0)), "what came back is on the shelf");
    assert_eq!(case(&alice, &placed).await["stateText"], "商家已收到，准备换货");
    w.must_hold().await;
    // Others go out: the size that was wished for, with a number, and out of stock.
    let form = [("tracking_no", "SF7777777777777"), ("goods[0].line", &restock), ("goods[0].sku", &large.to_string())];
    boss.post(&format!("{to}/send"), &form).await;
    assert!(boss.said(&to).await.contains("已寄出"));
    assert_eq!((w.stock(small).await, w.stock(large).await), ((3, 0), (3, 0)));
    let order = alice.order(&placed.no).await;
    let (seen, sent) = (&order["returns"][0], &order["resends"][0]);
    assert_eq!((&seen["state"], &seen["resendId"], &seen["refundId"]), (&json!("done"), &sent["id"], &Value::Null));
    assert_eq!((&sent["trackingNo"], &sent["lines"][0]["skuId"]), (&json!("SF7777777777777"), &json!(large)));
    assert_eq!(order["shipments"].as_array().unwrap().len(), 1, "what was bought left in one parcel");
    assert_eq!((&order["refundedFen"], w.wechat.calls("refund")), (&json!(0), 0));
    assert!(boss.page(&format!("/admin/orders/{}", placed.no)).await.contains("SF7777777777777"));
    // An exchanged piece may come back again.
    assert_eq!(order["returnable"], true);
    w.must_hold().await;
}

/// What else a size costs is said at each step, and nothing dearer goes out before somebody says who bears it.
#[tokio::test(flavor = "multi_thread")]
async fn a_dearer_exchange_says_so_and_is_the_shops_own_word() {
    let w = World::new().await;
    let (small, large) = two_sizes(&w, 999, 9).await;
    reprice(&w, large, 3333).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, small, 2).await;
    let offer = alice.get(&format!("/orders/{}/returns/options", placed.no)).await.ok();
    let offered = &offer["lines"][0];
    assert_eq!(
        (&offered["priceFen"], &offered["paidFen"], &offered["specText"]),
        (&json!(999), &json!(1998), &json!("M"))
    );
    let of = |n: usize, name: &str| offered["skus"][n][name].as_i64().unwrap();
    assert_eq!([of(0, "priceFen"), of(0, "differenceFen")], [999, 0]);
    assert_eq!([of(1, "priceFen"), of(1, "differenceFen")], [3333, 2334]);
    let id = asked_for(&alice, &placed, large, 2).await;
    let to = format!("/admin/returns/{id}");
    let dearer = "比买的贵 ¥46.68";
    let page = boss.page(&to).await;
    assert!(page.contains(dearer) && page.contains("实付 ¥19.98"), "{page}");
    agree(&boss, &id).await;
    let page = boss.page(&format!("{to}/receive")).await;
    assert!(page.contains(dearer) && page.contains("由店里承担"), "{page}");
    boss.post(&format!("{to}/receive"), &[]).await;
    assert!(boss.page(&to).await.contains(dearer));
    let form = [("tracking_no", "SF7777777777777")];
    boss.post(&format!("{to}/send"), &form).await;
    assert!(boss.said(&to).await.contains("换出的比买的贵 ¥46.68"));
    assert_eq!((case(&alice, &placed).await["state"].as_str(), w.stock(large).await), (Some("received"), (9, 0)));
    boss.post(&format!("{to}/send"), &[("tracking_no", "SF7777777777777"), ("dearer", "true")]).await;
    assert!(boss.said(&to).await.contains("已寄出"));
    assert_eq!((case(&alice, &placed).await["state"].as_str(), w.stock(large).await), (Some("done"), (7, 0)));
    let page = boss.page(&format!("/admin/orders/{}", placed.no)).await;
    assert!(page.contains("换出的比买的贵 ¥46.68，由店里承担"), "the timeline says who bore it");
    // The same again is no dearer than it was, whatever it costs today.
    reprice(&w, large, 5000).await;
    let id = asked(&alice, &placed, "exchange", 1).await;
    let to = format!("/admin/returns/{id}");
    agree(&boss, &id).await;
    boss.post(&format!("{to}/receive"), &[]).await;
    boss.post(&format!("{to}/send"), &[("tracking_no", "SF7777777777778")]).await;
    assert_eq!((case(&alice, &placed).await["state"].as_str(), w.stock(large).await), (Some("done"), (6, 0)));
    w.must_hold().await;
}

/// Nor does it leave for money that went back in WeChat's console after it was asked for, before somebody says so.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_whose_money_went_back_meanwhile_is_the_shops_own_word() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 3).await;
    let id = asked(&alice, &placed, "exchange", 1).await;
    let to = format!("/admin/returns/{id}");
    agree(&boss, &id).await;
    boss.post(&format!("{to}/receive"), &[]).await;
    let before = seen_on(&boss.page(&to).await);
    w.wechat.refund_by_console(&w.transaction(&placed), 1000).unwrap();
    w.advance(5 * SECOND);
    w.wait("the row", || async { alice.order(&placed.no).await["refundedFen"] == 1000 }).await;
    let form = [("tracking_no", "SF7777777777777"), ("dearer", "true")];
    // Somebody's word is about what his page showed.
    let before = [&form[..], &[("seen", before.as_str())]].concat();
    boss.post(&format!("{to}/send"), &before).await;
    assert!(boss.said(&to).await.contains("打开这一页之后"));
    boss.post(&format!("{to}/send"), &form[..1]).await;
    assert!(boss.said(&to).await.contains("也许就是这些商品的钱"));
    assert_eq!(case(&alice, &placed).await["state"], "received");
    boss.post(&format!("{to}/send"), &form).await;
    assert_eq!(case(&alice, &placed).await["state"], "done");
    w.must_hold().await;
}

async fn reprice(w: &World, sku: SkuId, fen: i64) {
    let write = move |tx: &xiaopu::db::Tx| {
        let set = "update skus set price_fen = ?2 where id = ?1";
        Ok::<_, Error>(tx.execute(set, (sku, fen))?)
    };
    assert_eq!(w.shop.db.write(write).await.unwrap(), 1);
}

/// What comes back after an exchange is what was sent for it: M for L, L for M, and the last for its money.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_in_exchange_is_what_comes_back() {
    let w = World::new().await;
    let (small, large) = two_sizes(&w, 5000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, small, 1).await;
    let line = line(&alice, &placed).await;
    let restock = [("restock", line.as_str())];
    let stock = || async { (w.stock(small).await.0, w.stock(large).await.0) };
    for (n, wanted, came, after) in [(1, large, "M", (9, 8)), (2, small, "L", (8, 9)), (3, large, "M", (9, 8))] {
        let id = asked_for(&alice, &placed, wanted, 1).await;
        let to = format!("/admin/returns/{id}");
        agree(&boss, &id).await;
        let page = boss.page(&format!("{to}/receive")).await;
        assert!(page.contains(&format!("T 恤 {came} ×1")), "{n}: {page}");
        boss.post(&format!("{to}/receive"), &restock).await;
        boss.post(&format!("{to}/send"), &[("tracking_no", &*format!("SF777777777777{n}"))]).await;
        assert_eq!(stock().await, after, "{n}");
        w.must_hold().await;
    }
    let offer = alice.get(&format!("/orders/{}/returns/options", placed.no)).await.ok();
    assert_eq!(offer["lines"][0]["specText"], "L");
    // The same again, where nothing else was wished for: what he has, not what he bought.
    let id = asked(&alice, &placed, "exchange", 1).await;
    let to = format!("/admin/returns/{id}");
    agree(&boss, &id).await;
    boss.post(&format!("{to}/receive"), &[]).await;
    boss.post(&format!("{to}/send"), &[("tracking_no", "SF7777777777779")]).await;
    assert_eq!(stock().await, (9, 7), "what came was broken");
    // What is lost is replaced by its like.
    let lost = [
        ("pieces[0].id", line.as_str()),
        ("pieces[0].quantity", "1"),
        ("reason", "丢件"),
        ("tracking_no", "SF8888888888888"),
    ];
    boss.post(&format!("/admin/orders/{}/resend", placed.no), &lost).await;
    assert_eq!(stock().await, (9, 6));
    let id = asked(&alice, &placed, "return", 1).await;
    let to = format!("/admin/returns/{id}");
    agree(&boss, &id).await;
    assert!(boss.page(&format!("{to}/receive")).await.contains("T 恤 L ×1"));
    boss.post(&format!("{to}/receive"), &restock).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    assert_eq!(stock().await, (9, 7));
    w.must_hold().await;
}

/// What goes out in exchange has cost what it costs, and what came back has cost nothing: M for the dearer L and back.
#[tokio::test(flavor = "multi_thread")]
async fn a_margin_is_of_the_goods_that_are_out() {
    let w = World::new().await;
    let (small, large) = two_sizes(&w, 5000, 9).await;
    let cost = |sku, fen| {
        move |tx: &xiaopu::db::Tx| Ok::<_, Error>(catalogue::set_cost(tx, sku, xiaopu::money::Fen::new(fen))?)
    };
    w.shop.db.write(cost(small, 1000)).await.unwrap();
    w.shop.db.write(cost(large, 3000)).await.unwrap();
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, small, 1).await;
    let line = line(&alice, &placed).await;
    let earned = || async {
        let home = boss.page("/admin").await;
        home.split("<dt>毛利</dt><dd>").nth(1).unwrap().split([' ', '<']).next().unwrap().to_owned()
    };
    assert_eq!(earned().await, "¥40.00");
    for (wanted, parcel, after) in [(large, "SF7777777777771", "¥20.00"), (small, "SF7777777777772", "¥40.00")] {
        let id = asked_for(&alice, &placed, wanted, 1).await;
        agree(&boss, &id).await;
        boss.post(&format!("/admin/returns/{id}/receive"), &[("restock", &line)]).await;
        boss.post(&format!("/admin/returns/{id}/send"), &[("tracking_no", parcel)]).await;
        // What a size costs from now on changes nothing of what is out.
        w.shop.db.write(cost(wanted, 9999)).await.unwrap();
        assert_eq!(earned().await, after);
        w.must_hold().await;
    }
}

/// Of two sizes in one hand, whoever looks at them says what came; without a word it is what was sent last.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_sizes_in_one_hand_staff_say_which_came_back() {
    for (said, after) in [(None, (8, 9)), (Some(["1", "0"]), (9, 8)), (Some(["0", "1"]), (8, 9))] {
        let w = World::new().await;
        let (small, large) = two_sizes(&w, 5000, 9).await;
        let alice = w.buyer("alice").await;
        let boss = w.staff("boss", Role::Manager).await;
        let placed = shipped(&w, &boss, &alice, small, 2).await;
        let line = line(&alice, &placed).await;
        let id = asked_for(&alice, &placed, large, 1).await;
        agree(&boss, &id).await;
        boss.post(&format!("/admin/returns/{id}/receive"), &[("restock", &line)]).await;
        boss.post(&format!("/admin/returns/{id}/send"), &[("tracking_no", "SF7777777777777")]).await;
        assert_eq!((w.stock(small).await.0, w.stock(large).await.0), (8, 8));
        let id = asked(&alice, &placed, "return", 1).await;
        let to = format!("/admin/returns/{id}");
        agree(&boss, &id).await;
        let page = boss.page(&format!("{to}/receive")).await;
        assert!(page.contains("T 恤 M 收回几件") && page.contains("T 恤 L 收回几件"), "{page}");
        let (small_id, large_id) = (small.to_string(), large.to_string());
        let came = |m: &'static str, l: &'static str| {
            [
                ("restock", line.as_str()),
                ("came[a].line", &line),
                ("came[a].sku", &small_id),
                ("came[a].quantity", m),
                ("came[b].line", &line),
                ("came[b].sku", &large_id),
                ("came[b].quantity", l),
            ]
        };
        for (m, l) in [("1", "1"), ("2", "-1"), ("0", "2")] {
            boss.post(&format!("{to}/receive"), &came(m, l)).await;
            assert!(boss.said(&to).await.contains("一共收回 1 件"), "{m} {l}");
        }
        match said {
            None => boss.post(&format!("{to}/receive"), &[("restock", &line)]).await,
            Some([m, l]) => boss.post(&format!("{to}/receive"), &came(m, l)).await,
        };
        until(&w, &format!("{}R01", placed.no), "succeeded").await;
        assert_eq!((w.stock(small).await.0, w.stock(large).await.0), after, "{said:?}");
        w.must_hold().await;
    }
}

/// No others are left to send: the shop may pay instead, by the same second screen.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_cannot_be_is_paid_instead() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 1).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 1).await;
    let id = asked(&alice, &placed, "exchange", 1).await;
    agree(&boss, &id).await;
    let to = format!("/admin/returns/{id}");
    boss.post(&format!("{to}/receive"), &[]).await;
    boss.post(&format!("{to}/send"), &[("tracking_no", "SF7777777777777")]).await;
    assert!(boss.said(&to).await.contains("可售不够 1 件"));
    assert_eq!((case(&alice, &placed).await["state"].as_str(), w.stock(sku).await), (Some("received"), (0, 0)));
    assert!(boss.page(&format!("{to}/pay-instead")).await.contains("将退 <b>¥10.00</b>"));
    boss.post(&format!("{to}/pay-instead"), &[]).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["returns"][0]["state"], &order["refundedFen"]), (&json!("done"), &json!(1000)));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_with_one_thing_wrong_is_refused() {
    let w = World::new().await;
    let (small, large) = two_sizes(&w, 5000, 9).await;
    let other = w.product("苹果", 1000, 9).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, small, 2).await;
    let unpaid = Placed::of(alice.buy(small, 1).await);
    let unsent = w.paid(&alice, small, 1).await;
    let line = line(&alice, &placed).await;
    let good = wish(&alice, &placed, "exchange", 1).await;
    let of_bob = photo(&bob, 1).await;
    let with = |pointer: &str, value: Value| {
        let mut wish = good.clone();
        let (at, name) = pointer.rsplit_once('/').unwrap();
        wish.pointer_mut(at).unwrap()[name] = value;
        wish
    };
    for (body, error) in [
        (with("/kind", json!("refund")), (422, "validation_failed")),
        (with("/kind", json!(1)), (400, "malformed_body")),
        (with("/lines", json!([])), (422, "validation_failed")),
        (with("/lines/0/lineId", json!("999")), (404, "not_found")),
        (with("/lines/0/lineId", json!("x")), (422, "validation_failed")),
        (with("/lines/0/quantity", json!(0)), (422, "refund_limit")),
        (with("/lines/0/quantity", json!(3)), (422, "refund_limit")),
        (with("/lines/0/quantity", json!(-1)), (422, "refund_limit")),
        (with("/lines/0/skuId", json!(other)), (422, "validation_failed")),
        (with("/lines/0/skuId", json!("999")), (422, "validation_failed")),
        (with("/lines/0/price", json!(1)), (400, "unknown_field")),
        (
            with("/lines", json!([{ "lineId": line, "quantity": 1 }, { "lineId": line, "quantity": 1 }])),
            (422, "validation_failed"),
        ),
        (with("/reason", json!(" ")), (422, "validation_failed")),
        (with("/reason", json!("x".repeat(41))), (422, "validation_failed")),
        (with("/description", json!("x".repeat(201))), (422, "validation_failed")),
        (with("/photos", json!(["999"])), (422, "validation_failed")),
        (with("/photos", json!([of_bob])), (422, "validation_failed")),
        (with("/photos", json!(vec!["1"; 10])), (422, "validation_failed")),
        (with("/amountFen", json!(1)), (400, "unknown_field")),
        (
            json!({ "kind": "return", "lines": [{ "lineId": line, "quantity": 1, "skuId": large }], "reason": "大了" }),
            (422, "validation_failed"),
        ),
    ] {
        assert_eq!(ask(&alice, &placed, &w.key(), body.clone()).await.error(), error, "{body}");
    }
    let path = format!("/orders/{}/returns", placed.no);
    let keyless = w.call(Method::POST, &path, Some(&alice.token), None, Some(good.clone())).await;
    assert_eq!(keyless.error(), (400, "idempotency_key_required"));
    assert_eq!(
        w.call(Method::POST, &path, None, Some("some-key"), Some(good.clone())).await.error(),
        (401, "unauthenticated")
    );
    assert_eq!(ask(&bob, &placed, &w.key(), good.clone()).await.error(), (404, "not_found"));
    for (order, why) in [(&unpaid, "not paid"), (&unsent, "not sent")] {
        let wish = wish(&alice, order, "return", 1).await;
        let refused = ask(&alice, order, &w.key(), wish).await;
        assert_eq!(refused.error(), (409, "order_state"), "{why}");
        assert_eq!(refused.body["error"]["details"]["order"]["orderNo"], order.no.as_str());
        assert_eq!(alice.order(&order.no).await["returnable"], false, "{why}");
    }
    assert_eq!(w.count("select count(*) from returns").await, 0);
    // Long after the receipt it is too late.
    alice.post(&format!("/orders/{}/confirm", placed.no), None).await.ok();
    assert_eq!(alice.order(&placed.no).await["returnable"], true);
    w.advance(16 * DAY);
    assert_eq!(ask(&alice, &placed, &w.key(), good).await.error(), (409, "order_state"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photographs_are_for_their_buyer_and_the_staff_alone() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let (packer, clerk) = (w.staff("packer", Role::Packer).await, w.staff("clerk", Role::Clerk).await);
    let (status, body) = bring(&alice, b"not a picture".to_vec()).await;
    assert_eq!((status, &body["error"]["code"]), (422, &json!("validation_failed")));
    let (status, _) = bring(&alice, Vec::new()).await;
    assert_eq!(status, 422);
    let nobody =
        w.http().post(w.at("/api/v1/photos")).multipart(Form::new().part("photo", Part::bytes(jpeg(1, (40, 30)))));
    assert_eq!(nobody.send().await.unwrap().status(), 401);
    // What a camera writes beside the picture goes: here where it was taken.
    let mut bytes = jpeg(50, (1600, 900));
    let secret = b"\xff\xe1\x00\x1aExif\0\0GPS 30.27,120.15\0\0";
    bytes.splice(2..2, secret.iter().copied());
    let (status, body) = bring(&alice, bytes).await;
    assert_eq!(status, 201, "{body}");
    let (id, url) = (body["id"].as_str().unwrap(), body["url"].as_str().unwrap());
    let (status, kind, whole) = look(&w, url, Some(&alice.token)).await;
    assert_eq!((status, kind.as_str()), (200, "image/jpeg"));
    assert!(!whole.windows(3).any(|part| part == b"GPS"));
    let made = image::load_from_memory(&whole).unwrap();
    assert_eq!((made.width(), made.height()), (1200, 675), "made small like every picture");
    let (_, _, small) = look(&w, body["thumbUrl"].as_str().unwrap(), Some(&alice.token)).await;
    assert_eq!(image::load_from_memory(&small).unwrap().width(), 240);
    assert_eq!(look(&w, url, None).await.0, 401);
    assert_eq!(look(&w, url, Some(&bob.token)).await.0, 404);
    assert_eq!(
        w.count("select count(*) from images").await,
        0,
        "none of it is among the pictures that anybody may see"
    );
    let page = |console: &Console<'_>| {
        let request = w.http().get(w.at(&format!("/admin/photos/{id}"))).header("Cookie", console.cookie.clone());
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!((page(&clerk).await, page(&packer).await), (200, 403));
    // Sent with one thing, it is not sent with another.
    let placed = w.paid(&alice, sku, 1).await;
    let body = json!({ "reason": "碎了", "photos": [id] });
    let refund = alice.ask_refund(&placed.no, &w.key(), body.clone()).await.ok();
    assert_eq!(refund["photos"][0]["id"], id);
    assert!(clerk.page(&format!("/admin/refunds/{}R01", placed.no)).await.contains(&format!("/admin/photos/{id}")));
    let second = w.paid(&alice, sku, 1).await;
    assert_eq!(alice.ask_refund(&second.no, &w.key(), body).await.error(), (422, "validation_failed"));
    assert_eq!(w.count("select count(*) from refunds").await, 1);
    // Loose ones are few, and gone after a while.
    for colour in 0..20 {
        photo(&alice, colour * 10).await;
    }
    assert_eq!(w.count("select count(*) from photos where refund_id is null").await, 18);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_has_its_time() {
    let settings =
        [("shop.return_answer_days", "3"), ("shop.return_send_days", "5"), ("shop.return_receive_days", "4")];
    let w = World::with(Default::default(), &settings).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 2).await;
    let id = asked(&alice, &placed, "return", 1).await;
    let pass = async |days: i64| {
        w.advance(days * DAY - MINUTE);
        w.run_jobs().await;
        let before = (
            boss.page(&format!("/admin/returns/{id}")).await.contains("已超时"),
            case(&alice, &placed).await["state"].clone(),
        );
        w.advance(2 * MINUTE);
        w.run_jobs().await;
        let after = (
            boss.page(&format!("/admin/returns/{id}")).await.contains("已超时"),
            case(&alice, &placed).await["state"].clone(),
        );
        (before, after)
    };
    // Nobody answers: it is told, and decided by a person all the same.
    assert_eq!(pass(3).await, ((false, json!("requested")), (true, json!("requested"))));
    assert_eq!(w.count("select count(*) from jobs where kind = 'return' and state = 'waiting'").await, 0);
    w.must_hold().await;
    agree(&boss, &id).await;
    // The order waits meanwhile: nothing counts as received while goods are to come back.
    // Nothing is sent: the case ends by itself, and the buyer may ask again.
    assert_eq!(pass(5).await, ((false, json!("agreed")), (false, json!("lapsed"))));
    assert_eq!(alice.order(&placed.no).await["returnable"], true);
    let late = alice
        .post(&format!("/orders/{}/returns/{id}/parcel", placed.no), Some(json!({ "trackingNo": "YT8812345678901" })))
        .await;
    assert_eq!(late.error(), (409, "order_state"));
    let id = asked(&alice, &placed, "return", 1).await;
    agree(&boss, &id).await;
    send(&alice, &placed, &id).await;
    w.advance(4 * DAY + MINUTE);
    w.run_jobs().await;
    assert!(boss.page("/admin/returns?tab=sent_back").await.contains("已超时"));
    assert_eq!(alice.status(&placed.no).await, "shipped", "older than ten days, but not over");
    boss.post(&format!("/admin/returns/{id}/receive"), &[]).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    w.advance(2 * DAY);
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "completed");
    w.must_hold().await;
}

/// Each act in each state: done where it leads somewhere, refused in words elsewhere, and then nothing has changed.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_stands_elsewhere_is_refused_and_left_alone() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let ways: [(&str, &[&str]); 7] = [
        ("requested", &[]),
        ("agreed", &["agree"]),
        ("sent_back", &["agree", "send_back"]),
        ("received", &["agree", "send_back", "receive"]),
        ("done", &["agree", "send_back", "receive", "send"]),
        ("rejected", &["reject"]),
        ("cancelled", &["cancel"]),
    ];
    let act = async |placed: &Placed, id: &str, act: &str| -> bool {
        let path = format!("/orders/{}/returns/{id}", placed.no);
        match act {
            "cancel" => alice.post(&format!("{path}/cancel"), None).await.status == 200,
            "send_back" => {
                let body = json!({ "trackingNo": "YT8812345678901" });
                alice.post(&format!("{path}/parcel"), Some(body)).await.status == 200
            }
            act => {
                let to = format!("/admin/returns/{id}");
                let form = [("address", ADDRESS), ("words", "说明白了"), ("tracking_no", "SF7777777777777")];
                let form = if act == "agree" { &form[..1] } else { &form[1..] };
                assert_eq!(boss.post(&format!("{to}/{act}"), form).await.0, 303);
                !boss.said(&to).await.contains("flash error")
            }
        }
    };
    let may: [(&str, &[&str]); 7] = [
        ("agree", &["requested"]),
        ("reject", &["requested", "agreed", "sent_back", "received"]),
        ("cancel", &["requested", "agreed"]),
        ("send_back", &["agreed", "sent_back"]),
        ("receive", &["agreed", "sent_back"]),
        ("send", &["received"]),
        ("pay-instead", &["received"]),
    ];
    let come_to = async |way: &[&str]| {
        let placed = shipped(&w, &boss, &alice, sku, 1).await;
        let id = asked(&alice, &placed, "exchange", 1).await;
        for step in way {
            assert!(act(&placed, &id, step).await, "{step} on the way");
        }
        (placed, id)
    };
    for (state, way) in ways {
        let (placed, id) = come_to(way).await;
        let before = case(&alice, &placed).await;
        assert_eq!(before["state"], state);
        for (name, _) in may.iter().filter(|(_, states)| !states.contains(&state)) {
            assert!(!act(&placed, &id, name).await, "{name} in {state}");
            assert_eq!(case(&alice, &placed).await, before, "{name} in {state}");
        }
        for (name, _) in may.iter().filter(|(_, states)| states.contains(&state)) {
            let (placed, id) = come_to(way).await;
            assert!(act(&placed, &id, name).await, "{name} in {state}");
        }
    }
    w.must_hold().await;
}

/// Who may not agree to the money alone looks over the goods; the money waits for somebody who may.
#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_receives_goods_and_a_manager_agrees_to_the_money() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (clerk, boss) = (w.staff("clerk", Role::Clerk).await, w.staff("boss", Role::Manager).await);
    let placed = shipped(&w, &clerk, &alice, sku, 1).await;
    let id = asked(&alice, &placed, "return", 1).await;
    agree(&clerk, &id).await;
    send(&alice, &placed, &id).await;
    assert!(clerk.page(&format!("/admin/returns/{id}/receive")).await.contains("提交给经理退款"));
    clerk.post(&format!("/admin/returns/{id}/receive"), &[]).await;
    w.run_jobs().await;
    assert_eq!(w.wechat.calls("refund"), 0);
    let order = alice.order(&placed.no).await;
    assert_eq!((&order["returns"][0]["state"], &order["refunds"][0]["state"]), (&json!("done"), &json!("requested")));
    let number = format!("{}R01", placed.no);
    let form = [("whole", "true"), ("reason", "大了"), ("confirmed", "true")];
    boss.post(&format!("/admin/refunds/{number}/approve"), &form).await;
    until(&w, &number, "succeeded").await;
    w.must_hold().await;
}

/// While goods are on their way back somebody pays for them in WeChat's own console: whoever receives them reads it, and
/// their money does not go out beside it unasked.
#[tokio::test(flavor = "multi_thread")]
async fn goods_that_were_paid_for_in_wechats_console_are_not_paid_for_twice() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, boss) = (w.buyer("alice").await, w.staff("boss", Role::Manager).await);
    let placed = shipped(&w, &boss, &alice, sku, 3).await;
    let id = asked(&alice, &placed, "return", 1).await;
    agree(&boss, &id).await;
    send(&alice, &placed, &id).await;
    let look = format!("/admin/returns/{id}/receive");
    assert!(!boss.page(&look).await.contains("商户平台退过"));
    w.advance(MINUTE);
    w.wechat.refund_by_console(&w.transaction(&placed), 1000).unwrap();
    w.advance(5 * SECOND);
    w.wait("the notice", || async { alice.order(&placed.no).await["refundedFen"] == 1000 }).await;
    let page = boss.page(&look).await;
    assert!(page.contains("有人在微信商户平台退过 ¥10.00，也许就是这几件"), "{page}");
    boss.post(&look, &[]).await;
    let number = format!("{}R01", placed.no);
    until(&w, &number, "failed").await;
    assert_eq!(w.wechat.refunds(&w.transaction(&placed)).len(), 1);
    boss.post(&format!("/admin/refunds/{number}/retry"), &[]).await;
    until(&w, &number, "succeeded").await;
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_is_sent_once_more() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 4).await;
    let alice = w.buyer("alice").await;
    let (clerk, packer) = (w.staff("clerk", Role::Clerk).await, w.staff("packer", Role::Packer).await);
    let unsent = w.paid(&alice, sku, 1).await;
    let placed = shipped(&w, &clerk, &alice, sku, 2).await;
    assert_eq!(w.stock(sku).await, (2, 1));
    let line = line(&alice, &placed).await;
    let here = format!("/admin/orders/{}", placed.no);
    let form = |quantity: &'static str, number: &'static str, reason: &'static str| {
        vec![
            ("pieces[0].id", line.clone()),
            ("pieces[0].quantity", quantity.into()),
            ("tracking_no", number.into()),
            ("reason", reason.into()),
        ]
    };
    let post = async |console: &Console<'_>, to: &str, form: Vec<(&str, String)>| {
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        console.post(&format!("{to}/resend"), &form).await;
        console.said(to).await
    };
    for (form, why) in [
        (form("3", "SF2222222222222", "快递丢件"), "最多补发 2 件"),
        (form("0", "SF2222222222222", "快递丢件"), "请填写要补发的件数"),
        (form("1", "SF2222222222222", ""), "请写清楚"),
        (form("1", "", "快递丢件"), "请填写快递单号"),
        (form("1", "SF1234567890123", "快递丢件"), "已经是这笔订单的包裹"),
        (form("2", "SF2222222222222", "快递丢件"), "可售不够 2 件"),
    ] {
        let said = post(&clerk, &here, form.clone()).await;
        assert!(said.contains(why), "{form:?}: {why}");
    }
    let said = post(&clerk, &format!("/admin/orders/{}", unsent.no), form("1", "SF2222222222222", "快递丢件")).await;
    assert!(said.contains("不能补发") || said.contains("没有发出过"), "{said}");
    assert_eq!(w.count("select count(*) from resends").await, 0);
    assert!(!packer.page(&here).await.contains("补发，扣库存"));
    w.advance(6 * DAY);
    assert!(post(&clerk, &here, form("1", "SF2222222222222", "快递丢件")).await.contains("已补发"));
    assert_eq!(w.stock(sku).await, (1, 1), "another piece has left");
    let order = alice.order(&placed.no).await;
    let sent = &order["resends"][0];
    assert_eq!(
        (&sent["trackingNo"], &sent["reason"], &sent["returnId"]),
        (&json!("SF2222222222222"), &json!("快递丢件"), &Value::Null)
    );
    assert_eq!((&order["lines"][0]["shippedQuantity"], &order["status"]), (&json!(2), &json!("shipped")));
    let number = format!("{here}/resends/{}/number", sent["id"].as_str().unwrap());
    clerk.post(&number, &[("tracking_no", "SF3333333333333")]).await;
    assert_eq!(alice.order(&placed.no).await["resends"][0]["trackingNo"], "SF3333333333333");
    // From a page that was opened before.
    assert!(clerk.page(&here).await.contains("name=\"was\" value=\"顺丰速运 SF3333333333333\""));
    let late = [("tracking_no", "SF4444444444444"), ("was", "顺丰速运 SF2222222222222")];
    clerk.post(&number, &late).await;
    assert!(clerk.said(&here).await.contains("单号刚刚被改成了 顺丰速运 SF3333333333333，没有再改"));
    assert_eq!(alice.order(&placed.no).await["resends"][0]["trackingNo"], "SF3333333333333");
    let product = clerk.page("/admin/products/1/stock").await;
    assert!(product.contains("补发：快递丢件"), "{product}");
    // It counts as received ten days after the last parcel, not after the first.
    w.advance(5 * DAY);
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "shipped");
    w.advance(6 * DAY);
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "completed");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_takes_his_photographs_and_words_along() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    let placed = shipped(&w, &owner, &alice, sku, 1).await;
    let mut wish = wish(&alice, &placed, "return", 1).await;
    wish["photos"] = json!([photo(&alice, 7).await]);
    wish["reason"] = json!("王小样说大了");
    wish["description"] = json!("住在演示路的王小样");
    let id = ask(&alice, &placed, &w.key(), wish).await.ok()["id"].as_str().unwrap().to_owned();
    owner
        .post(
            &format!("/admin/returns/{id}/agree"),
            &[("address", "店里 13900000009 别处路 9 号"), ("words", "王小样您好")],
        )
        .await;
    send(&alice, &placed, &id).await;
    alice.post(&format!("/orders/{}/confirm", placed.no), None).await.ok();
    let here = "/admin/customers/1";
    owner.post(&format!("{here}/erase"), &[]).await;
    assert!(owner.said(here).await.contains("还有 1 笔退换货没有结束"));
    owner.post(&format!("/admin/returns/{id}/receive"), &[]).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    owner.post(&format!("{here}/erase"), &[]).await;
    assert!(owner.said(here).await.contains("资料已删除"));
    assert_eq!(w.count("select count(*) from photos").await, 0);
    for secret in ["王小样", "演示路", "YT8812345678901"] {
        let found = super::customers::named_in(&w, secret).await;
        assert_eq!(found, Vec::<String>::new(), "{secret}");
    }
    assert!(owner.page(&format!("/admin/returns/{id}")).await.contains("已完成"));
    w.must_hold().await;
}

/// Pieces of a line of which others have still to leave wait for them: a refund would be of those that have not left.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_partly_sent_is_sent_back_when_all_of_it_has_left() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = w.paid(&alice, sku, 3).await;
    let line = line(&alice, &placed).await;
    let part = [("tracking_no", "SF1234567890123"), ("pieces[0].id", &line), ("pieces[0].quantity", "1")];
    boss.post(&format!("/admin/orders/{}/ship", placed.no), &part).await;
    assert_eq!(alice.order(&placed.no).await["returnable"], false);
    let one = wish(&alice, &placed, "return", 1).await;
    assert_eq!(ask(&alice, &placed, &w.key(), one.clone()).await.error(), (409, "order_state"));
    boss.post(&format!("/admin/orders/{}/ship", placed.no), &[("tracking_no", "SF1234567890124")]).await;
    let id = ask(&alice, &placed, &w.key(), one).await.ok()["id"].as_str().unwrap().to_owned();
    agree(&boss, &id).await;
    // The last parcel has not left after all: its pieces are in nobody's hand, and what goes back is not theirs.
    let last = w.count("select max(id) from shipments").await;
    boss.post(&format!("/admin/orders/{}/shipments/{last}/undo", placed.no), &[]).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    let to = format!("/admin/returns/{id}");
    boss.post(&format!("{to}/receive"), &[]).await;
    assert!(boss.said(&to).await.contains("又撤销了发货"));
    assert_eq!((case(&alice, &placed).await["state"].as_str(), w.stock(sku).await), (Some("agreed"), (8, 2)));
    boss.post(&format!("/admin/orders/{}/ship", placed.no), &[("tracking_no", "SF1234567890125")]).await;
    boss.post(&format!("{to}/receive"), &[("restock", &line)]).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    assert_eq!((alice.order(&placed.no).await["refundedFen"].clone(), w.stock(sku).await), (json!(1000), (7, 0)));
    w.must_hold().await;
}

/// Both sides hear of it where they want to.
#[tokio::test(flavor = "multi_thread")]
async fn staff_and_buyer_are_told_where_it_stands() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    let robot = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0f3c-a";
    owner.post("/admin/settings", &[("shop-wecom_url", robot), ("shop-tell_new_order", "no")]).await;
    let template = "SimShippedTemplateIdOf43CharactersInAll0001";
    let chosen = [
        ("letter", "aftersale"),
        ("template", template),
        ("field-character_string1", "order_no"),
        ("field-thing2", "status"),
        ("field-thing3", "hint"),
        ("field-character_string4", "tracking"),
    ];
    owner.post("/admin/notices/templates", &chosen).await;
    assert_eq!(w.get("/shop").await.ok()["subscribeTemplates"]["afterSale"], template);
    w.run_jobs().await;
    let placed = shipped(&w, &owner, &alice, sku, 1).await;
    let id = asked(&alice, &placed, "exchange", 1).await;
    w.run_jobs().await;
    let said = w.wechat.said();
    assert!(said.iter().any(|(_, text)| text.contains("退换货 1") && text.contains(&placed.no)), "{said:?}");
    agree(&owner, &id).await;
    w.run_jobs().await;
    owner.post(&format!("/admin/returns/{id}/receive"), &[]).await;
    owner.post(&format!("/admin/returns/{id}/send"), &[("tracking_no", "SF7777777777777")]).await;
    w.run_jobs().await;
    let told: Vec<_> = w.wechat.told().iter().map(|told| told["data"].clone()).collect();
    let value = |of: &Value, field: &str| of[field]["value"].as_str().unwrap_or_default().to_owned();
    let read: Vec<_> = told.iter().map(|of| (value(of, "thing2"), value(of, "character_string4"))).collect();
    let fine = |status: &str, number: &str| (status.to_owned(), number.to_owned());
    assert_eq!(read, [fine("商家已同意", "SF1234567890123"), fine("新货已寄出", "SF7777777777777")], "{told:?}");
}

/// The money of a piece that waits to be exchanged may go back; then nothing goes out for it, and it is not put back twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_back_is_not_exchanged_too() {
    for (refund_first, word) in [(true, "已经单独退过款"), (false, "还没有结束")] {
        let w = World::new().await;
        let (small, large) = two_sizes(&w, 5000, 9).await;
        let alice = w.buyer("alice").await;
        let boss = w.staff("boss", Role::Manager).await;
        let clerk = w.staff("clerk", Role::Clerk).await;
        let placed = shipped(&w, &boss, &alice, small, 1).await;
        let line = line(&alice, &placed).await;
        let id = asked_for(&alice, &placed, large, 1).await;
        let to = format!("/admin/returns/{id}");
        agree(&boss, &id).await;
        boss.post(&format!("{to}/receive"), &[("restock", &line)]).await;
        assert_eq!(w.stock(small).await.0, 9, "what came is on the shelf");
        let path = format!("/admin/orders/{}/refund", placed.no);
        let form = boss.page(&path).await;
        assert!(form.contains("1 件换货「待换出」") && form.contains("货已经收回"), "{form}");
        // A form of yesterday still offers to put it back.
        let again = [
            ("lines[0].id", line.as_str()),
            ("lines[0].quantity", "1"),
            ("lines[0].restock", "true"),
            ("reason", "缺货"),
        ];
        let who = if refund_first { &boss } else { &clerk };
        assert!(who.page_of(&path, &again).await.contains("1 件换货「待换出」"), "the second screen says it too");
        let confirmed = [&again[..], &[("confirmed", "true")]].concat();
        who.post(&path, &confirmed).await;
        if refund_first {
            until(&w, &format!("{}R01", placed.no), "succeeded").await;
        }
        boss.post(&format!("{to}/send"), &[("tracking_no", "SF7777777777777")]).await;
        assert!(boss.said(&to).await.contains(word), "{word}");
        assert_eq!((w.stock(small).await.0, w.stock(large).await.0), (9, 9), "nothing went out, nothing came twice");
        boss.post(&format!("{to}/reject"), &[("words", "已经退款")]).await;
        assert_eq!(case(&alice, &placed).await["state"], "rejected");
        w.must_hold().await;
    }
}

/// A parcel does not "not leave after all" once something of it came back or was sent again; what was only agreed to
/// does not come back from a parcel that never left.
#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_whose_goods_come_back_is_not_taken_back() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let ways = [("asked", false), ("agreed", false), ("received", true), ("sent", true), ("cancelled", false)];
    for (way, refused) in ways {
        let placed = shipped(&w, &boss, &alice, sku, 1).await;
        let parcel = w.count("select max(id) from shipments").await;
        let id = asked(&alice, &placed, "exchange", 1).await;
        let to = format!("/admin/returns/{id}");
        match way {
            "asked" => {}
            "cancelled" => {
                alice.post(&format!("/orders/{}/returns/{id}/cancel", placed.no), None).await;
            }
            _ => agree(&boss, &id).await,
        }
        if matches!(way, "received" | "sent") {
            boss.post(&format!("{to}/receive"), &[]).await;
        }
        if way == "sent" {
            boss.post(&format!("{to}/send"), &[("tracking_no", "SF7777777777777")]).await;
        }
        let page = format!("/admin/orders/{}", placed.no);
        let undo = format!("{page}/shipments/{parcel}/undo");
        assert_eq!(boss.page(&page).await.contains(&undo), !refused, "{way}: the button");
        boss.post(&undo, &[]).await;
        let status = alice.status(&placed.no).await;
        assert_eq!(status, if refused { "shipped" } else { "to_ship" }, "{way}");
        if way == "agreed" {
            let before = w.stock(sku).await;
            boss.post(&format!("{to}/receive"), &[("restock", &line(&alice, &placed).await)]).await;
            assert!(boss.said(&to).await.contains("又撤销了发货"));
            assert_eq!(w.stock(sku).await, before);
        }
        w.must_hold().await;
    }
}

/// Where a buyer has two sizes, the form of a refund asks which came; where he has another than he bought, it says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_puts_back_the_size_that_came() {
    for (bought, said, as_large) in [(1, "true", true), (2, "M", false), (2, "L", true)] {
        let w = World::new().await;
        let (small, large) = two_sizes(&w, 5000, 9).await;
        let alice = w.buyer("alice").await;
        let boss = w.staff("boss", Role::Manager).await;
        let placed = shipped(&w, &boss, &alice, small, bought).await;
        let line = line(&alice, &placed).await;
        let id = asked_for(&alice, &placed, large, 1).await;
        agree(&boss, &id).await;
        boss.post(&format!("/admin/returns/{id}/receive"), &[("restock", &line)]).await;
        boss.post(&format!("/admin/returns/{id}/send"), &[("tracking_no", "SF7777777777777")]).await;
        let stock = async || (w.stock(small).await.0, w.stock(large).await.0);
        let before = stock().await;
        let path = format!("/admin/orders/{}/refund", placed.no);
        let form = boss.page(&path).await;
        let sku = if said == "M" { small } else { large }.to_string();
        let restock = if bought == 1 { "true" } else { &sku };
        assert!(form.contains("name=\"lines[0].restock\"") && form.contains("L"), "{form}");
        assert_eq!(form.contains(&format!("<option value=\"{sku}\">")), bought == 2, "{form}");
        fn typed<'a>(line: &'a str, n: &'a str, restock: &'a str) -> [(&'a str, &'a str); 4] {
            [("lines[0].id", line), ("lines[0].quantity", n), ("lines[0].restock", restock), ("reason", "不想要了")]
        }
        if bought == 2 {
            boss.post(&path, &typed(&line, "2", restock)).await;
            assert!(boss.said(&path).await.contains("只有 1 件"), "two of a size of which he has one");
            boss.post(&path, &typed(&line, "1", "999")).await;
            assert!(boss.said(&path).await.contains("没有这个规格"));
        }
        let one = typed(&line, "1", restock);
        let page = boss.page_of(&path, &one).await;
        assert_eq!(page.contains("退货入库（L ×1）"), as_large, "{page}");
        assert!(page.contains(&format!(".restock\" value=\"{restock}\"")), "{page}");
        boss.post(&path, &[&one[..], &[("confirmed", "true")]].concat()).await;
        until(&w, &format!("{}R01", placed.no), "succeeded").await;
        let after = if as_large { (before.0, before.1 + 1) } else { (before.0 + 1, before.1) };
        assert_eq!(stock().await, after, "{bought} {said}");
        w.must_hold().await;
    }
}

/// What was given back without pieces is said where pieces are given back.
#[tokio::test(flavor = "multi_thread")]
async fn a_compensation_is_said_where_the_piece_comes_back() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 2).await;
    let line = line(&alice, &placed).await;
    let path = format!("/admin/orders/{}/refund", placed.no);
    let fields =
        [("lines[0].id", line.as_str()), ("lines[0].amount", "3.00"), ("reason", "价格调整"), ("confirmed", "true")];
    boss.post(&path, &fields).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    let words = "之前另外退过 ¥3.00";
    assert!(boss.page(&path).await.contains(words));
    let piece = [("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "不想要了")];
    assert!(boss.page_of(&path, &piece).await.contains(words));
    let id = asked(&alice, &placed, "return", 1).await;
    agree(&boss, &id).await;
    assert!(boss.page(&format!("/admin/returns/{id}/receive")).await.contains(words));
}

/// What the shop has on its shelf again is not its buyer's to send back once more, whatever became of the exchange.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_the_shelf_again_is_not_sent_back_twice() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 1).await;
    let line = line(&alice, &placed).await;
    let id = asked(&alice, &placed, "exchange", 1).await;
    let to = format!("/admin/returns/{id}");
    agree(&boss, &id).await;
    boss.post(&format!("{to}/receive"), &[("restock", &line)]).await;
    boss.post(&format!("{to}/reject"), &[("words", "不换了，另外退款")]).await;
    assert_eq!(w.stock(sku).await.0, 9);
    let again = wish(&alice, &placed, "return", 1).await;
    assert_eq!(ask(&alice, &placed, &w.key(), again).await.status, 409);
    // Its money may still go back, by staff.
    let path = format!("/admin/orders/{}/refund", placed.no);
    let fields =
        [("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "协商"), ("confirmed", "true")];
    boss.post(&path, &fields).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    assert_eq!(w.stock(sku).await.0, 9);
    w.must_hold().await;
}

/// Whoever received the goods says that they can be sold again; whoever agrees to the money changes nothing of that.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_clerk_found_good_stays_good_when_a_manager_agrees() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (boss, clerk) = (w.staff("boss", Role::Manager).await, w.staff("clerk", Role::Clerk).await);
    let placed = shipped(&w, &boss, &alice, sku, 2).await;
    let line = line(&alice, &placed).await;
    let id = asked(&alice, &placed, "return", 2).await;
    agree(&boss, &id).await;
    clerk.post(&format!("/admin/returns/{id}/receive"), &[("restock", &line)]).await;
    // The goods are here: their buyer cannot keep them by taking the wish back.
    let order = alice.order(&placed.no).await;
    let refund = &order["refunds"][0];
    assert_eq!((&refund["state"], &refund["cancellable"]), (&json!("requested"), &json!(false)), "{order}");
    let cancel = format!("/orders/{}/refunds/{}/cancel", placed.no, refund["id"].as_str().unwrap());
    assert_eq!(alice.post(&cancel, None).await.status, 409);
    let page = format!("/admin/refunds/{}R01", placed.no);
    let form = boss.page(&page).await;
    assert!(form.contains("value=\"true\" checked"), "{form}");
    // As a browser sends what stands there.
    let fields = [
        ("lines[0].id", line.as_str()),
        ("lines[0].quantity", "2"),
        ("lines[0].restock", "true"),
        ("confirmed", "true"),
    ];
    boss.post(&format!("{page}/approve"), &fields).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    assert_eq!(w.stock(sku).await.0, 9);
    w.must_hold().await;
}

/// Goods that stay with their buyer are none that came: what he has of two sizes stays known.
#[tokio::test(flavor = "multi_thread")]
async fn money_for_a_piece_that_stays_takes_no_size_away() {
    let w = World::new().await;
    let (small, large) = two_sizes(&w, 5000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, small, 2).await;
    let line = line(&alice, &placed).await;
    let id = asked_for(&alice, &placed, large, 1).await;
    agree(&boss, &id).await;
    boss.post(&format!("/admin/returns/{id}/receive"), &[("restock", &line)]).await;
    // Over the counter: no parcel, no number.
    boss.post(&format!("/admin/returns/{id}/send"), &[("by_hand", "true")]).await;
    assert!(boss.said(&format!("/admin/returns/{id}")).await.contains("已交给买家"));
    assert_eq!((w.stock(small).await.0, w.stock(large).await.0), (8, 8));
    let path = format!("/admin/orders/{}/refund", placed.no);
    let fields =
        [("lines[0].id", line.as_str()), ("lines[0].quantity", "1"), ("reason", "破损"), ("confirmed", "true")];
    boss.post(&path, &fields).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    let id = asked(&alice, &placed, "return", 1).await;
    agree(&boss, &id).await;
    let page = boss.page(&format!("/admin/returns/{id}/receive")).await;
    assert!(page.contains("T 恤 M 收回几件") && page.contains("T 恤 L 收回几件"), "{page}");
    w.must_hold().await;
}

/// Money that went back in WeChat's own console names no goods: what is left is shared, and the goods are received for it.
#[tokio::test(flavor = "multi_thread")]
async fn goods_come_back_for_what_is_left_of_the_money() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 3000, 9).await, w.product("梨", 2000, 9).await);
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let mut basket = order(apple, 1);
    basket["items"].as_array_mut().unwrap().push(json!({ "skuId": pear, "quantity": 1 }));
    let placed = Placed::of(alice.prepay(&w.key(), basket).await);
    w.pay(&placed, Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    boss.ship(&format!("/admin/orders/{}", placed.no)).await;
    w.wechat.refund_by_console(&w.transaction(&placed), 4000).unwrap();
    w.advance(5 * SECOND);
    w.wait("the row", || async { alice.order(&placed.no).await["refundedFen"] == 4000 }).await;
    let lines = alice.order(&placed.no).await["lines"].clone();
    let both: Vec<_> = lines.as_array().unwrap().iter().map(|l| json!({ "lineId": l["id"], "quantity": 1 })).collect();
    let quote = format!("/orders/{}/refunds/quote", placed.no);
    let quoted = alice.post(&quote, Some(json!({ "lines": both }))).await.ok();
    assert_eq!(quoted["amountFen"], placed.total - 4000, "{quoted}");
    let body = json!({ "kind": "return", "lines": both, "reason": "大了" });
    let id = ask(&alice, &placed, &w.key(), body).await.ok()["id"].as_str().unwrap().to_owned();
    agree(&boss, &id).await;
    boss.post(&format!("/admin/returns/{id}/receive"), &[]).await;
    let after = alice.order(&placed.no).await;
    assert_eq!(after["returns"][0]["state"], "done", "{after}");
    w.must_hold().await;
}

/// An order whose whole money went back in WeChat's own console: what was to be exchanged goes out only on somebody's word.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_of_what_nobody_paid_for_is_the_shops_own_word() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 1).await;
    let id = asked(&alice, &placed, "exchange", 1).await;
    let to = format!("/admin/returns/{id}");
    agree(&boss, &id).await;
    boss.post(&format!("{to}/receive"), &[]).await;
    w.wechat.refund_by_console(&w.transaction(&placed), placed.total).unwrap();
    w.advance(5 * SECOND);
    w.wait("the row", || async { alice.order(&placed.no).await["refundedFen"] == placed.total }).await;
    boss.post(&format!("{to}/send"), &[("tracking_no", "SF7777777777777")]).await;
    assert!(boss.said(&to).await.contains("只剩 ¥0.00 没有退"));
    assert_eq!(w.stock(sku).await.0, 8);
    boss.post(&format!("{to}/send"), &[("tracking_no", "SF7777777777777"), ("dearer", "true")]).await;
    assert_eq!((case(&alice, &placed).await["state"].as_str(), w.stock(sku).await.0), (Some("done"), 7));
    w.must_hold().await;
}

/// The same of what was lost on its way: as long as what is left covers the pieces nobody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_once_more_though_its_money_went_back_is_the_shops_own_word() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    for (back, pieces, asked) in [(0, "3", false), (2000, "1", false), (2000, "2", true), (3000, "1", true)] {
        let placed = shipped(&w, &boss, &alice, sku, 3).await;
        let here = format!("/admin/orders/{}", placed.no);
        if back > 0 {
            w.wechat.refund_by_console(&w.transaction(&placed), back).unwrap();
            w.advance(5 * SECOND);
            w.wait("the row", || async { alice.order(&placed.no).await["refundedFen"] == back }).await;
        }
        let line = line(&alice, &placed).await;
        let form = [("pieces[0].id", line.as_str()), ("pieces[0].quantity", pieces), ("reason", "丢件")];
        let form = [&form[..], &[("tracking_no", "SF7777777777777"), ("merge", "true")]].concat();
        let stock = w.stock(sku).await.0;
        boss.post(&format!("{here}/resend"), &form).await;
        assert_eq!(w.stock(sku).await.0 == stock, asked, "{back} {pieces}");
        if asked {
            assert!(boss.said(&here).await.contains("没有退"), "{back} {pieces}");
            boss.post(&format!("{here}/resend"), &[&form[..], &[("dearer", "true")]].concat()).await;
            assert_eq!(w.stock(sku).await.0, stock - pieces.parse::<i64>().unwrap(), "{back} {pieces}");
        }
        w.must_hold().await;
    }
}

/// What the shop itself gave back of a line without its pieces is that line's, whatever else was bought: up to half of what a
/// piece cost it is a compensation, and more of it asks before the piece is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_of_a_line_is_not_sent_once_more_unasked() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 99).await, w.product("梨", 3000, 99).await);
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    for (bought, back, of, pieces, asked) in [
        (1, "4.00", 0, "1", false),
        (1, "10.00", 0, "1", true),
        (1, "10.00", 1, "1", false),
        (3, "4.00", 0, "1", false),
        (3, "10.00", 0, "1", true),
        (3, "10.00", 0, "2", false),
        (3, "10.00", 0, "3", true),
    ] {
        let mut basket = order(apple, bought);
        basket["items"].as_array_mut().unwrap().push(json!({ "skuId": pear, "quantity": 1 }));
        let placed = Placed::of(alice.prepay(&w.key(), basket).await);
        w.pay(&placed, Paying::Well);
        w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        let here = format!("/admin/orders/{}", placed.no);
        boss.post(&format!("{here}/ship"), &[("tracking_no", "SF1234567890123"), ("merge", "true")]).await;
        let lines = alice.order(&placed.no).await["lines"].clone();
        let given = [("lines[0].id", lines[of]["id"].as_str().unwrap()), ("lines[0].amount", back)];
        let given = [&given[..], &[("reason", "丢件"), ("confirmed", "true")]].concat();
        boss.post(&format!("{here}/refund"), &given).await;
        until(&w, &format!("{}R01", placed.no), "succeeded").await;
        let form = [("pieces[0].id", lines[0]["id"].as_str().unwrap()), ("pieces[0].quantity", pieces)];
        let form = [&form[..], &[("reason", "丢件"), ("tracking_no", "SF7777777777777"), ("merge", "true")]].concat();
        let stock = w.stock(apple).await.0;
        boss.post(&format!("{here}/resend"), &form).await;
        assert_eq!(w.stock(apple).await.0 == stock, asked, "{bought} {back} {of} {pieces}");
        assert_eq!(boss.said(&here).await.contains("没有退"), asked, "{bought} {back} {of} {pieces}");
    }
    w.must_hold().await;
}

/// What was lost and sent again before, with no money given back, makes no room for the next loss, which was paid back.
#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_loss_answers_nothing_about_the_next() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 10).await;
    let here = format!("/admin/orders/{}", placed.no);
    let line = line(&alice, &placed).await;
    let resend = async |pieces: &str, number: &str| {
        let form = [("pieces[0].id", line.as_str()), ("pieces[0].quantity", pieces), ("reason", "丢件")];
        let form = [&form[..], &[("tracking_no", number), ("merge", "true")]].concat();
        boss.post(&format!("{here}/resend"), &form).await;
        w.count("select count(*) from resends").await
    };
    assert_eq!(resend("2", "SF7777777777777").await, 1);
    let given =
        [("lines[0].id", line.as_str()), ("lines[0].amount", "10.00"), ("reason", "少件"), ("confirmed", "true")];
    boss.post(&format!("{here}/refund"), &given).await;
    until(&w, &format!("{}R01", placed.no), "succeeded").await;
    assert_eq!(resend("1", "SF7777777777778").await, 1);
    assert!(boss.said(&here).await.contains("也许就是这几件的钱"));
    w.must_hold().await;
}

/// Money that waits to go back for a piece, or was refused, is told before the piece goes out again, and the piece that went out
/// before its money goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_made_good_by_goods_or_by_money() {
    for refused in [false, true] {
        let w = World::new().await;
        let sku = w.product("苹果", 1000, 99).await;
        let alice = w.buyer("alice").await;
        let (boss, clerk) = (w.staff("boss", Role::Manager).await, w.staff("clerk", Role::Clerk).await);
        let placed = shipped(&w, &boss, &alice, sku, 3).await;
        let here = format!("/admin/orders/{}", placed.no);
        let line = line(&alice, &placed).await;
        let (form, number) = (format!("{here}/refund"), format!("{}R01", placed.no));
        assert!(!boss.page(&form).await.contains("补发过"));
        let given = [("lines[0].id", line.as_str()), ("lines[0].amount", "10.00"), ("reason", "少件")];
        let given = [&given[..], &[("confirmed", "true")]].concat();
        if refused {
            w.wechat.fault("refund", Fault::refused("NOTENOUGH", "余额不足"));
            boss.post(&form, &given).await;
            until(&w, &number, "failed").await;
        } else {
            clerk.post(&form, &given).await;
            until(&w, &number, "requested").await;
        }
        let again = [("pieces[0].id", line.as_str()), ("pieces[0].quantity", "1"), ("reason", "少件")];
        let again = [&again[..], &[("tracking_no", "SF7777777777777"), ("merge", "true")]].concat();
        boss.post(&format!("{here}/resend"), &again).await;
        let said = boss.said(&here).await;
        assert!(said.contains(&number) && said.contains("还没有结束"), "{said}");
        boss.post(&format!("{here}/resend"), &[&again[..], &[("dearer", "true")]].concat()).await;
        assert_eq!(w.count("select count(*) from resends").await, 1);
        let page = boss.page(&format!("/admin/refunds/{number}")).await;
        assert!(page.contains(if refused { "补发了 1 件" } else { "这一行补发过 1 件" }), "{page}");
        assert!(boss.page(&form).await.contains("这一行补发过 1 件"));
        assert!(boss.page_of(&form, &given[..3]).await.contains("这一行补发过 1 件"));
        w.must_hold().await;
    }
}

/// The pages that end a return with its money are held to what they showed: a colleague has given that money back meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_page_of_a_return_pays_no_second_time() {
    for (kind, act) in [("return", "receive"), ("exchange", "pay-instead")] {
        let w = World::new().await;
        let sku = w.product("苹果", 1000, 9).await;
        let alice = w.buyer("alice").await;
        let boss = w.staff("boss", Role::Manager).await;
        let placed = shipped(&w, &boss, &alice, sku, 3).await;
        let id = asked(&alice, &placed, kind, 1).await;
        agree(&boss, &id).await;
        let to = format!("/admin/returns/{id}");
        if act == "pay-instead" {
            boss.post(&format!("{to}/receive"), &[]).await;
        }
        let seen = seen_on(&boss.page(&format!("{to}/{act}")).await);
        let line = line(&alice, &placed).await;
        let given = [("lines[0].id", line.as_str()), ("lines[0].amount", "10.00"), ("reason", "少件")];
        let given = [&given[..], &[("confirmed", "true")]].concat();
        boss.post(&format!("/admin/orders/{}/refund", placed.no), &given).await;
        until(&w, &format!("{}R01", placed.no), "succeeded").await;
        boss.post(&format!("{to}/{act}"), &[("seen", &seen)]).await;
        let said = boss.said(&to).await;
        assert!(said.contains("打开这一页之后") && said.contains("请先核对"), "{act}: {said}");
        assert_eq!(w.count("select count(*) from refunds").await, 1, "{act}");
        let seen = seen_on(&boss.page(&format!("{to}/{act}")).await);
        boss.post(&format!("{to}/{act}"), &[("seen", &seen)]).await;
        until(&w, &format!("{}R02", placed.no), "succeeded").await;
        w.must_hold().await;
    }
}

/// Two people who read of the same loss send it once more once; and what went in several parcels is summed before it is asked
/// whose money it was.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_loss_is_sent_once_more_once() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 3).await;
    let here = format!("/admin/orders/{}", placed.no);
    w.wechat.refund_by_console(&w.transaction(&placed), 2000).unwrap();
    w.advance(5 * SECOND);
    w.wait("the row", || async { alice.order(&placed.no).await["refundedFen"] == 2000 }).await;
    let line = line(&alice, &placed).await;
    let seen = async || seen_on(&boss.page(&here).await);
    let send = async |number: &str, seen: &str| {
        let form = [("pieces[0].id", line.as_str()), ("pieces[0].quantity", "1"), ("reason", "丢件"), ("seen", seen)];
        let form = [&form[..], &[("tracking_no", number), ("merge", "true")]].concat();
        boss.post(&format!("{here}/resend"), &form).await;
        boss.said(&here).await
    };
    let before = seen().await;
    assert!(send("SF7777777777777", &before).await.contains("已补发"));
    assert!(send("SF7777777777778", &before).await.contains("打开这一页之后"));
    assert!(send("SF7777777777779", &seen().await).await.contains("没有退"));
    assert_eq!(w.count("select count(*) from resends").await, 1);
    w.must_hold().await;
}

/// The parcel that somebody thinks lost is the one on his page: one that was taken back and sent anew, or that got another
/// number, is looked at first.
#[tokio::test(flavor = "multi_thread")]
async fn another_parcel_than_the_one_that_was_looked_at_is_not_sent_once_more() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, sku, 3).await;
    let here = format!("/admin/orders/{}", placed.no);
    let line = line(&alice, &placed).await;
    let parcel = async || alice.order(&placed.no).await["shipments"][0]["id"].as_str().unwrap().to_owned();
    let send = async |seen: &str| {
        let form = [("pieces[0].id", line.as_str()), ("pieces[0].quantity", "1"), ("reason", "丢件"), ("seen", seen)];
        boss.post(&format!("{here}/resend"), &[&form[..], &[("tracking_no", "SF7777777777777")]].concat()).await;
        boss.said(&here).await
    };
    let before = seen_on(&boss.page(&here).await);
    boss.post(&format!("{here}/shipments/{}/undo", parcel().await), &[]).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    boss.ship(&here).await;
    assert_eq!(alice.status(&placed.no).await, "shipped");
    assert!(send(&before).await.contains("打开这一页之后"), "sent anew");
    let before = seen_on(&boss.page(&here).await);
    let number = format!("{here}/shipments/{}/number", parcel().await);
    boss.post(&number, &[("tracking_no", "SF1234567890124")]).await;
    assert!(send(&before).await.contains("打开这一页之后"), "another number");
    assert_eq!(w.count("select count(*) from resends").await, 0);
    assert!(send(&seen_on(&boss.page(&here).await)).await.contains("已补发"));
    w.must_hold().await;
}

/// What came and was put on the shelf is not put there again: by the money that is paid instead, or by a parcel taken back.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_with_an_exchange_is_on_the_shelf_once() {
    for way in ["paid instead", "closed"] {
        let w = World::new().await;
        let sku = w.product("苹果", 1000, 9).await;
        let alice = w.buyer("alice").await;
        let (boss, clerk) = (w.staff("boss", Role::Manager).await, w.staff("clerk", Role::Clerk).await);
        let placed = shipped(&w, &boss, &alice, sku, 2).await;
        let line = line(&alice, &placed).await;
        let id = asked(&alice, &placed, "exchange", 1).await;
        let to = format!("/admin/returns/{id}");
        agree(&boss, &id).await;
        boss.post(&format!("{to}/receive"), &[("restock", &line)]).await;
        assert_eq!(w.stock(sku).await.0, 8, "{way}");
        let page = format!("/admin/orders/{}", placed.no);
        if way == "closed" {
            boss.post(&format!("{to}/reject"), &[("words", "不换了")]).await;
            let parcel = w.count("select max(id) from shipments").await;
            boss.post(&format!("{page}/shipments/{parcel}/undo"), &[]).await;
            assert_eq!(alice.status(&placed.no).await, "shipped", "its goods came back");
        } else {
            clerk.post(&format!("{to}/pay-instead"), &[]).await;
            let refund = format!("/admin/refunds/{}R01", placed.no);
            assert!(boss.page(&refund).await.contains("货已经收回"));
            // A form of before still offers it.
            let fields = [
                ("lines[0].id", line.as_str()),
                ("lines[0].quantity", "1"),
                ("lines[0].restock", "true"),
                ("confirmed", "true"),
            ];
            boss.post(&format!("{refund}/approve"), &fields).await;
            until(&w, &format!("{}R01", placed.no), "succeeded").await;
        }
        assert_eq!(w.stock(sku).await.0, 8, "{way}");
        w.must_hold().await;
    }
}

/// What is owed for goods that came back is to be packed: paper and desk say so, until it has left or is paid for.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_waits_is_on_the_paper_and_the_desk_leads_to_it() {
    let w = World::new().await;
    let (small, large) = two_sizes(&w, 5000, 9).await;
    let pear = w.product("梨子", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (boss, packer) = (w.staff("boss", Role::Manager).await, w.staff("packer", Role::Packer).await);
    let placed = shipped(&w, &boss, &alice, small, 2).await;
    let id = asked_for(&alice, &placed, large, 1).await;
    agree(&boss, &id).await;
    send(&alice, &placed, &id).await;
    let slip = format!("/admin/print/slips?order={}", placed.no);
    let picking = format!("/admin/print/picking?order={}&order={}", placed.no, w.paid(&alice, pear, 3).await.no);
    let nothing = packer.page(&slip).await;
    assert!(nothing.contains("没有要再发的商品") && !nothing.contains("换货</b>"), "{nothing}");
    let bench = "/admin/shipping/scan";
    boss.post(bench, &[("code", &placed.no)]).await;
    assert!(boss.said(bench).await.contains("没有再发一次"), "nothing is here to be exchanged");

    boss.post(&format!("/admin/returns/{id}/receive"), &[]).await;
    let paper = packer.page(&slip).await;
    let row = paper.split_once("<tbody>").unwrap().1;
    assert!(
        row.contains("<b>换货</b> T 恤") && row.contains("<small>L</small>") && row.contains("<td>×1</td>"),
        "{row}"
    );
    assert!(paper.contains("1 种 1 件") && !paper.contains("没有要再发"), "{paper}");
    let list = packer.page(&picking).await;
    assert!(list.contains("2 单，4 件") && list.contains("×1(换货)"), "{list}");
    assert!(boss.page(&format!("/admin/returns/{id}")).await.contains(&slip));
    // Whoever may send it is led there, others are told who does.
    let (_, to) = boss.post(bench, &[("code", &placed.no)]).await;
    assert_eq!(to, format!("/admin/returns/{id}"));
    assert!(boss.said(&to).await.contains("要换出：T 恤 L ×1"));
    assert_eq!(packer.post(bench, &[("code", &placed.no)]).await.1, bench);
    assert!(packer.said(bench).await.contains("请店员在「退换货」里寄出"));
    let opened = packer.page(&format!("{bench}?order={}", placed.no)).await;
    assert!(opened.contains("这一单没有要发的") && opened.contains("要换出："), "{opened}");
    assert!(!opened.contains("/admin/returns/") && !opened.contains("name=\"company\""), "{opened}");

    // Sent, it is owed no more.
    boss.post(&format!("/admin/returns/{id}/send"), &[("tracking_no", "SF7777777777777")]).await;
    assert!(packer.page(&slip).await.contains("没有要再发的商品"));
    boss.post(bench, &[("code", &placed.no)]).await;
    assert!(boss.said(bench).await.contains("没有再发一次"));
    // Nor where its money went instead.
    let id = asked_for(&alice, &placed, large, 1).await;
    agree(&boss, &id).await;
    boss.post(&format!("/admin/returns/{id}/receive"), &[]).await;
    assert!(packer.page(&slip).await.contains("<b>换货</b>"));
    boss.post(&format!("/admin/returns/{id}/pay-instead"), &[]).await;
    assert!(packer.page(&slip).await.contains("没有要再发的商品"));
    w.must_hold().await;
}

/// The parcel that a buyer got is none that he sends.
#[tokio::test(flavor = "multi_thread")]
async fn the_parcel_that_came_is_not_the_one_that_goes_back() {
    let w = World::new().await;
    let (small, _) = two_sizes(&w, 5000, 9).await;
    let alice = w.buyer("alice").await;
    let boss = w.staff("boss", Role::Manager).await;
    let placed = shipped(&w, &boss, &alice, small, 2).await;
    let parcel = async |id: &str, number: &str| {
        let body = json!({ "trackingNo": number });
        alice.post(&format!("/orders/{}/returns/{id}/parcel", placed.no), Some(body)).await
    };
    let id = asked(&alice, &placed, "exchange", 1).await;
    agree(&boss, &id).await;
    let refused = parcel(&id, "单号：SF1234567890123").await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body["error"]["fields"]["trackingNo"].as_str().unwrap().contains("寄给您的那个包裹"),
        "{}",
        refused.body
    );
    assert_eq!(case(&alice, &placed).await["state"], "agreed");
    // Nor is one that the shop has sent to somebody else.
    let others = w.paid(&w.buyer("bob").await, small, 1).await.no;
    boss.post(&format!("/admin/orders/{others}/ship"), &[("tracking_no", "SF5555555555555")]).await;
    let refused = parcel(&id, "SF5555555555555").await;
    assert!(refused.body["error"]["fields"]["trackingNo"].as_str().unwrap().contains("另一个包裹"), "{}", refused.body);
    parcel(&id, "YT8812345678901").await.ok();
    boss.post(&format!("/admin/returns/{id}/receive"), &[]).await;
    boss.post(&format!("/admin/returns/{id}/send"), &[("tracking_no", "SF7777777777777")]).await;
    // Nor the one that was sent in exchange.
    let id = asked(&alice, &placed, "return", 1).await;
    agree(&boss, &id).await;
    assert_eq!(parcel(&id, "SF7777777777777").await.status, 422);
    assert_eq!(parcel(&id, "SF1234567890123").await.status, 422);
    parcel(&id, "YT8812345678902").await.ok();
    w.must_hold().await;
}
