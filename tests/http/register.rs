//! WeChat's register of what was shipped: told once, when nothing can be taken back, and corrected once.

use serde_json::{Value, json};
use xiaopu::catalogue::Delivery;
use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;

use super::refunds::{refund_pieces, until};
use crate::support::*;

/// An order that is paid, with the way to ship it.
struct Sale<'w> {
    w: &'w World,
    packer: Console<'w>,
    placed: Placed,
    page: String,
}

impl<'w> Sale<'w> {
    async fn of(w: &'w World, buyer: &Buyer<'_>, sku: xiaopu::ids::SkuId, pieces: i64) -> Sale<'w> {
        let packer = w.staff(&format!("packer {}", w.key()), Role::Packer).await;
        let placed = w.paid(buyer, sku, pieces).await;
        let page = format!("/admin/orders/{}", placed.no);
        Sale { w, packer, placed, page }
    }

    async fn ship(&self, form: &[(&str, &str)]) {
        self.packer.post(&format!("{}/ship", self.page), form).await;
    }

    /// What WeChat was told so far.
    fn told(&self) -> Vec<Value> {
        self.w.wechat.trade(&self.placed.out_trade_no).unwrap().shipped
    }

    async fn half_an_hour_later(&self) -> Vec<Value> {
        self.w.advance(30 * MINUTE);
        self.w.run_jobs().await;
        self.told()
    }
}

/// A payment that WeChat does not find by its own number is named by ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_named_by_our_own_number_where_wechats_is_not_found() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let sale = Sale::of(&w, &alice, sku, 2).await;
    sale.ship(&[("tracking_no", "SF1234567890123")]).await;
    w.wechat.fault("upload_shipping", Fault::refused("10060001", "支付单不存在"));
    let told = sale.half_an_hour_later().await;
    let key = json!({ "order_number_type": 1, "mchid": MCH_ID, "out_trade_no": sale.placed.out_trade_no });
    assert_eq!(told.iter().map(|body| body["order_key"].clone()).collect::<Vec<_>>(), [key]);
    assert_eq!(stuck(&w).await, 0);
}

/// Until the owner has agreed at WeChat's console nothing is settled: the first page says so, and asks again.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_was_not_agreed_to_stands_on_the_first_page_until_it_is() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    w.wechat.ways(|ways| ways.trade_confirmed = false);
    for (n, agreed) in [false, true, true].into_iter().enumerate() {
        w.wechat.ways(|ways| ways.trade_confirmed = agreed);
        let sale = Sale::of(&w, &alice, sku, 1).await;
        sale.ship(&[("tracking_no", &format!("SF12345678901{n:02}"))]).await;
        assert_eq!(sale.half_an_hour_later().await.len(), 1);
        assert_eq!(owner.page("/admin").await.contains("交易结算管理确认"), !agreed, "{n}");
    }
    assert_eq!(w.wechat.calls("trade_confirmed"), 2, "once it is agreed to, nobody asks again");
    // Where WeChat's order centre leads is set by the card's own test.
    owner.post("/admin/settings/test/app", &[]).await;
    assert_eq!(w.wechat.order_path().as_deref(), Some("pages/order/order?id=${商品订单号}"));
    assert!(owner.said("/admin/settings").await.contains("会打开本店的订单页"));
    w.wechat.fault("order_path", Fault::refused("48001", "api unauthorized"));
    owner.post("/admin/settings/test/app", &[]).await;
    let said = owner.said("/admin/settings").await;
    assert!(said.contains("✓ AppID 和 AppSecret 正确") && said.contains("没有设成"), "{said}");
}

/// What was lost never arrives: WeChat is told, once, by which parcel it does. An exchange is none of its business.
#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_that_was_lost_is_told_of_as_long_as_wechat_takes_a_correction() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, clerk) = (w.buyer("alice").await, w.staff("clerk", Role::Clerk).await);
    let sale = Sale::of(&w, &alice, sku, 2).await;
    sale.ship(&[("tracking_no", "SF1234567890123")]).await;
    assert_eq!(sale.half_an_hour_later().await.len(), 1);
    let line = alice.order(&sale.placed.no).await["lines"][0]["id"].as_str().unwrap().to_owned();
    let again = [
        ("pieces[0].id", line.as_str()),
        ("pieces[0].quantity", "1"),
        ("reason", "快递丢件"),
        ("tracking_no", "75312345678901"),
    ];
    assert_eq!(clerk.post(&format!("{}/resend", sale.page), &again).await.0, 303);
    let told = sale.half_an_hour_later().await;
    assert_eq!(told.len(), 2);
    let parcels = told[1]["shipping_list"].as_array().unwrap();
    let numbers: Vec<_> = parcels.iter().map(|parcel| parcel["tracking_no"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["SF1234567890123", "75312345678901"]);
    assert_eq!(parcels[1]["item_desc"], "苹果 ×1");
    // Once he has them all, WeChat wants to hear nothing more.
    alice.post(&format!("/orders/{}/confirm", sale.placed.no), None).await.ok();
    let more = [again[0], again[1], again[2], ("tracking_no", "75312345678902")];
    assert_eq!(clerk.post(&format!("{}/resend", sale.page), &more).await.0, 303);
    assert_eq!((sale.half_an_hour_later().await.len(), stuck(&w).await), (2, 0));
    w.must_hold().await;
}

async fn stuck(w: &World) -> i64 {
    w.count("select count(*) from jobs where kind = 'register' and state = 'needs_person'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn wechat_is_told_when_nothing_can_be_taken_back() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let sale = Sale::of(&w, &alice, sku, 2).await;
    sale.ship(&[("tracking_no", "SF1234567890123")]).await;
    w.advance(29 * MINUTE);
    w.run_jobs().await;
    assert_eq!((sale.told(), w.wechat.calls("upload_shipping")), (vec![], 0));
    // Taken back and sent again: half an hour begins anew.
    let parcel = alice.order(&sale.placed.no).await["shipments"][0]["id"].as_str().unwrap().to_owned();
    sale.packer.post(&format!("{}/shipments/{parcel}/undo", sale.page), &[]).await;
    assert_eq!(sale.half_an_hour_later().await, Vec::<Value>::new());
    sale.ship(&[("tracking_no", "SF1234567890999")]).await;
    w.advance(10 * MINUTE);
    w.run_jobs().await;
    assert_eq!(sale.told(), Vec::<Value>::new());
    let told = sale.half_an_hour_later().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["order_key"]["transaction_id"], w.transaction(&sale.placed));
    assert_eq!(told[0]["payer"]["openid"], w.wechat.openid("alice"));
    let parcel = json!([{
        "tracking_no": "SF1234567890999", "express_company": "SF", "item_desc": "苹果 ×2",
        "contact": { "receiver_contact": "138****1234" },
    }]);
    assert_eq!((&told[0]["logistics_type"], &told[0]["shipping_list"]), (&json!(1), &parcel));
    let page = sale.packer.page(&sale.page).await;
    assert!(page.contains("发货信息已上传微信"), "{page}");
    // A number that was wrong is corrected once; then WeChat takes no more, and staff hear of it.
    let id = alice.order(&sale.placed.no).await["shipments"][0]["id"].as_str().unwrap().to_owned();
    let renumber = async |number: &str| {
        sale.packer.post(&format!("{}/shipments/{id}/number", sale.page), &[("tracking_no", number)]).await;
        sale.half_an_hour_later().await
    };
    let told = renumber("75312345678901").await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[1]["shipping_list"][0]["express_company"], "ZTO");
    assert_eq!(renumber("75312345678902").await.len(), 2);
    assert_eq!((stuck(&w).await, w.wechat.calls("upload_shipping")), (1, 2));
    let owner = w.staff("owner", Role::Owner).await;
    assert!(owner.page("/admin/jobs").await.contains("只收一次更正"));
    let log = owner.page("/admin/transactions?kind=upload_shipping").await;
    let message = log.split("/admin/transactions/").nth(1).unwrap().split('"').next().unwrap();
    let message = owner.page(&format!("/admin/transactions/{message}")).await;
    assert!(message.contains("75312345678901") && !message.contains(&w.wechat.openid("alice")), "{message}");
    // Every message is in the log, and no token.
    assert_eq!(w.count("select count(*) from messages where kind = 'upload_shipping' and verdict = 'ok'").await, 2);
    let tokens = "select count(*) from messages m left join dictionaries d on d.id = m.dictionary
                   where cast(request as text) || cast(response as text) like '%token-%'
                      or cast(inflated(packed, d.bytes) as text) like '%token-%'";
    assert_eq!(w.count(tokens).await, 0);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_ship_is_told_as_it_is() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let sku = w.product("苹果", 1000, 9).await;
    let sale = Sale::of(&w, &alice, sku, 3).await;
    let line = alice.order(&sale.placed.no).await["lines"][0]["id"].as_str().unwrap().to_owned();
    let part = [("tracking_no", "SF1234567890123"), ("pieces[0].id", &line[..]), ("pieces[0].quantity", "2")];
    sale.ship(&part).await;
    assert_eq!(sale.half_an_hour_later().await, Vec::<Value>::new(), "some of it is still here");
    sale.ship(&[("tracking_no", "75312345678901")]).await;
    let told = sale.half_an_hour_later().await;
    let numbers = |told: &Value| {
        let parcels = told["shipping_list"].as_array().unwrap().iter();
        parcels.map(|parcel| parcel["item_desc"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&told[0]), ["苹果 ×2", "苹果 ×1"]);
    assert_eq!((&told[0]["delivery_mode"], &told[0]["is_all_delivered"]), (&json!(2), &json!(true)));
    for (name, delivery, way) in [("卡", Delivery::None, 3), ("自提", Delivery::Pickup, 4)] {
        let (_, sku) = w.product_with(name, 500, 9, |_, sku| sku.delivery = delivery).await;
        let sale = Sale::of(&w, &alice, sku, 1).await;
        sale.ship(&[]).await;
        let told = sale.half_an_hour_later().await;
        assert_eq!((&told[0]["logistics_type"], numbers(&told[0])), (&json!(way), vec![format!("{name} ×1")]));
    }
    // Who paid need not be who bought.
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.pay(&placed, Paying::OtherPayer);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let page = format!("/admin/orders/{}", placed.no);
    let sale = Sale { w: &w, packer: w.staff("packer", Role::Packer).await, placed, page };
    sale.ship(&[("tracking_no", "SF1234567890444")]).await;
    let told = sale.half_an_hour_later().await;
    assert!(told.len() == 1 && told[0]["payer"]["openid"] != w.wechat.openid("alice"), "{told:?}");
    // Of an order whose money went back there is nothing to settle.
    let sale = Sale::of(&w, &alice, sku, 1).await;
    sale.ship(&[("tracking_no", "SF1234567890333")]).await;
    let manager = w.staff("manager", Role::Manager).await;
    let refund = refund_pieces(&w, &manager, &sale.placed, 1).await;
    until(&w, &refund, "succeeded").await;
    let order = alice.order(&sale.placed.no).await;
    assert_eq!((&order["status"], &order["refundedFen"]), (&json!("shipped"), &order["totalFen"]));
    assert_eq!(sale.half_an_hour_later().await, Vec::<Value>::new());
    // Where WeChat does not ask for it, nothing is told.
    w.wechat.ways(|ways| ways.trade_managed = false);
    let sale = Sale::of(&w, &alice, sku, 1).await;
    sale.ship(&[("tracking_no", "SF1234567890555")]).await;
    assert_eq!(sale.half_an_hour_later().await, Vec::<Value>::new());
    assert_eq!(stuck(&w).await, 0);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_tried_again_or_told_to_staff() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let sku = w.product("苹果", 1000, 99).await;
    let refused = |code: &'static str| Fault::refused(code, "不行");
    for (n, (what, kind, fault, told_in_the_end, words)) in [
        ("busy", "upload_shipping", refused("-1"), 1, "已上传微信"),
        ("not indexed yet", "upload_shipping", refused("10060001"), 1, "已上传微信"),
        ("no answer", "upload_shipping", Fault::Http500, 1, "已上传微信"),
        ("an answer that is lost", "upload_shipping", Fault::LoseAnswer, 1, "微信那边已经有了"),
        ("told by hand", "upload_shipping", refused("10060002"), 0, "微信那边已经是全部发货"),
        ("a token that ended early", "upload_shipping", refused("42001"), 1, "已上传微信"),
        ("no token", "stable_token", Fault::Http500, 1, "已上传微信"),
        ("no answer to the first question", "trade_managed", Fault::Http500, 1, "已上传微信"),
        ("no right", "upload_shipping", refused("48001"), 0, "发货信息管理"),
        ("a wrong secret", "stable_token", refused("40125"), 0, "AppSecret 不对"),
        ("not from here", "stable_token", refused("40164"), 0, "IP 白名单"),
        ("refunded", "upload_shipping", refused("10060004"), 0, "可能已经退款"),
        ("something new", "upload_shipping", refused("12345"), 0, "微信不接受：12345 不行"),
    ]
    .into_iter()
    .enumerate()
    {
        w.wechat.end_token();
        let before = stuck(&w).await;
        let sale = Sale::of(&w, &alice, sku, 1).await;
        sale.ship(&[("tracking_no", &format!("SF12345678900{n:02}"))]).await;
        w.wechat.fault(kind, fault);
        sale.half_an_hour_later().await;
        for _ in 0..3 {
            w.advance(2 * MINUTE);
            w.run_jobs().await;
        }
        assert_eq!(sale.told().len(), told_in_the_end, "{what}");
        let shown = match stuck(&w).await - before {
            0 => sale.packer.page(&sale.page).await,
            _ => w.staff(&format!("owner {n}"), Role::Owner).await.page("/admin/jobs").await,
        };
        assert!(shown.contains(words), "{what}: {shown}");
    }
    // Whoever has put it right presses once more.
    let owner = w.staff("owner", Role::Owner).await;
    let jobs = owner.page("/admin/jobs").await;
    let retry = jobs.split("action=\"/admin/jobs/").nth(1).unwrap().split('"').next().unwrap();
    owner.post(&format!("/admin/jobs/{retry}"), &[]).await;
    let before = stuck(&w).await;
    w.run_jobs().await;
    assert!(before < 5 && stuck(&w).await == before, "{before}");
    w.must_hold().await;
}
