//! Invoices: asked for on a paid order, for what is left of its money, written out by staff, and true after a refund.

use calamine::{Data, Reader, Xlsx};
use reqwest::Method;
use serde_json::{Value, json};
use xiaopu::staff::Role;

use crate::support::*;

fn company() -> Value {
    json!({ "titleKind": "company", "title": "福州某某有限公司", "taxNo": "91350100M000100Y43", "email": "fp@example.com" })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_goes_from_asked_to_written_and_stays_true_after_a_refund() {
    let robot = [("shop.wecom_url", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=robot")];
    let w = World::with(Default::default(), &[robot[0], ("shop.tell_new_order", "no")]).await;
    let sku = w.product("苹果", 5000, 9).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let (manager, clerk) = (w.staff("manager", Role::Manager).await, w.staff("clerk", Role::Clerk).await);
    let placed = w.paid(&alice, sku, 2).await;
    let path = format!("/orders/{}/invoice", placed.no);
    let none = alice.get(&path).await.ok();
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    let agrees = |found: &Value| {
        super::contract::agree(&document, &json!({ "$ref": "#/components/schemas/Invoice" }), found, "Invoice");
    };
    agrees(&none);
    assert_eq!((&none["state"], &none["amountFen"], &none["askable"]), (&json!("none"), &json!(10_000), &json!(true)));
    // Asked for, and asked for once more with another title: one request.
    alice.post(&path, Some(json!({ "titleKind": "personal", "title": "个人" }))).await.ok();
    let asked = alice.post(&path, Some(company())).await;
    assert_eq!(asked.status, 201);
    agrees(&asked.body);
    assert_eq!(asked.body["taxNo"], "91350100M000100Y43");
    // The shop is told, once, of what it is for and not of whom.
    w.run_jobs().await;
    let told: Vec<_> =
        w.wechat.said().into_iter().map(|(_, text)| text).filter(|text| text.contains("发票申请")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("发票申请：{} ¥100.00 个人", placed.no)), "{}", told[0]);
    assert_eq!(bob.get(&path).await.error(), (404, "not_found"));
    assert_eq!(bob.post(&path, Some(company())).await.error(), (404, "not_found"));
    // A refund before it is written makes it less, by itself.
    manager.give_back(&alice, &placed, ("0", "15.00", false)).await;
    assert_eq!(alice.get(&path).await.ok()["amountFen"], 8500);
    let page = clerk.page("/admin/invoices").await;
    assert!(
        page.contains("福州某某有限公司") && page.contains("¥85.00") && !page.contains("发票号码\" aria-label"),
        "{page}"
    );
    // Whoever looked before the refund is told so.
    let issue = [("number", "24352000000123456789"), ("link", "https://fp.example.com/1.pdf"), ("amount", "100.00")];
    assert_eq!(clerk.post("/admin/invoices/1/issue", &issue).await.0, 403);
    manager.post("/admin/invoices/1/issue", &issue).await;
    assert!(manager.said("/admin/invoices").await.contains("金额刚刚变成了 ¥85.00"));
    manager.post("/admin/invoices/1/issue", &[issue[0], issue[1], ("amount", "85.00")]).await;
    let issued = alice.get(&path).await.ok();
    agrees(&issued);
    let seen = (&issued["state"], &issued["amountFen"], &issued["number"], &issued["askable"]);
    assert_eq!(seen, (&json!("issued"), &json!(8500), &json!("24352000000123456789"), &json!(false)));
    assert_eq!(alice.post(&path, Some(company())).await.error(), (409, "order_state"));
    assert_eq!(alice.call(Method::DELETE, &path, None).await.error(), (409, "order_state"));
    // A refund after it is said to both, and staff can note the new one.
    manager.give_back(&alice, &placed, ("0", "5.00", false)).await;
    let outdated = alice.get(&path).await.ok();
    let words = "开票 ¥85.00 之后金额变成 ¥80.00，这张发票要冲红重开";
    assert_eq!((&outdated["amountFen"], &outdated["answer"]), (&json!(8500), &json!(words)));
    assert!(manager.page("/admin/invoices?state=issued").await.contains(words));
    manager.post("/admin/invoices/1/issue", &[("number", "24352000000123456790"), ("amount", "80.00")]).await;
    let again = alice.get(&path).await.ok();
    assert_eq!((&again["amountFen"], &again["answer"], &again["link"]), (&json!(8000), &json!(""), &json!("")));
    let page = manager.page(&format!("/admin/orders/{}", placed.no)).await;
    assert!(page.contains("已开发票 ¥80.00") && page.contains("发票已开票</a>"), "{page}");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_refused_taken_back_and_exported_by_right() {
    let w = World::new().await;
    let sku = w.product("苹果", 5000, 9).await;
    let alice = w.buyer("alice").await;
    let (manager, clerk) = (w.staff("manager", Role::Manager).await, w.staff("clerk", Role::Clerk).await);
    let (first, second) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await);
    let path = |placed: &Placed| format!("/orders/{}/invoice", placed.no);
    for placed in [&first, &second] {
        alice.post(&path(placed), Some(company())).await.ok();
    }
    assert!(manager.page("/admin/money").await.contains("发票 <b>2</b>"));
    assert_eq!(alice.call(Method::DELETE, &path(&second), None).await.ok()["state"], "none");
    assert_eq!(alice.call(Method::DELETE, &path(&second), None).await.ok()["state"], "none");
    assert_eq!(clerk.post("/admin/invoices/1/refuse", &[("answer", "不能开")]).await.0, 403);
    manager.post("/admin/invoices/1/refuse", &[("answer", "x")]).await;
    assert!(manager.said("/admin/invoices").await.contains("请写明原因"));
    manager.post("/admin/invoices/1/refuse", &[("answer", "抬头和税号对不上")]).await;
    let refused = alice.get(&path(&first)).await.ok();
    let seen = (&refused["state"], &refused["answer"], &refused["askable"]);
    assert_eq!(seen, (&json!("refused"), &json!("抬头和税号对不上"), &json!(true)));
    manager.post("/admin/invoices/1/refuse", &[("answer", "再说一遍")]).await;
    assert!(manager.said("/admin/invoices").await.contains("已经处理过了"));
    alice.post(&path(&first), Some(company())).await.ok();
    assert_eq!(clerk.post("/admin/invoices/export.xlsx", &[("state", "asked")]).await.0, 403);
    let request = w.http().post(w.at("/admin/invoices/export.xlsx")).header("Cookie", &manager.cookie);
    let bytes = request.form(&[("state", "asked")]).send().await.unwrap().bytes().await.unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
    let (_, rows) = book.worksheets().remove(0);
    assert_eq!(rows.get_value((1, 4)), Some(&Data::String("91350100M000100Y43".into())));
    assert_eq!(rows.get_value((1, 6)), Some(&Data::Float(50.0)));
    assert_eq!(w.count("select count(*) from audit_log where what like '导出 1 张发票申请%'").await, 1);
}

/// A right request, one thing wrong in each row.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_says_which_field_is_wrong() {
    let w = World::new().await;
    let sku = w.product("苹果", 5000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    let path = format!("/orders/{}/invoice", placed.no);
    for (field, value) in [
        ("titleKind", json!("其他")),
        ("title", json!("某")),
        ("title", json!("长".repeat(101))),
        ("title", json!("两\n行")),
        ("taxNo", json!("")),
        ("taxNo", json!("91350100M000100Y44")),
        ("taxNo", json!("9135010")),
        ("email", json!("没有")),
        ("email", json!("a@b")),
        ("email", json!("a b@example.com")),
    ] {
        let mut form = company();
        form[field] = value.clone();
        let answer = alice.post(&path, Some(form)).await;
        if value == json!("两\n行") {
            // Brought into one line, as all that is typed.
            assert_eq!(answer.body["title"], "两 行");
            alice.call(Method::DELETE, &path, None).await.ok();
            continue;
        }
        assert_eq!(answer.error(), (422, "validation_failed"), "{field} {value}");
        assert!(answer.body["error"]["fields"][field].is_string(), "{field} {value}: {}", answer.body);
    }
    let personal = json!({ "titleKind": "personal", "title": "个人", "taxNo": "91350100M000100Y43" });
    assert!(alice.post(&path, Some(personal)).await.body["error"]["fields"]["taxNo"].is_string());
    let unknown = json!({ "titleKind": "personal", "title": "个人", "amountFen": 1 });
    assert_eq!(alice.post(&path, Some(unknown)).await.error(), (400, "unknown_field"));
    assert_eq!(w.count("select count(*) from invoices").await, 0);
    // Nothing was paid, or nothing is left.
    let unpaid = Placed::of(alice.buy(sku, 1).await);
    let refused = alice.post(&format!("/orders/{}/invoice", unpaid.no), Some(company())).await;
    assert_eq!(refused.error(), (409, "order_state"));
    let owner = w.staff("owner", Role::Owner).await;
    owner.give_back(&alice, &placed, ("0", "50.00", false)).await;
    assert_eq!(alice.post(&path, Some(company())).await.error(), (409, "order_state"));
    assert_eq!(alice.get(&path).await.ok()["askable"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_is_erased_is_on_no_invoice() {
    let w = World::new().await;
    let sku = w.product("苹果", 5000, 9).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let (first, second) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await);
    let form = json!({ "titleKind": "personal", "title": "王小样", "email": "wang@example.com" });
    for placed in [&first, &second] {
        alice.post(&format!("/orders/{}/invoice", placed.no), Some(form.clone())).await.ok();
        owner
            .post(
                &format!("/admin/orders/{}/ship", placed.no),
                &[("company", "SF"), ("tracking_no", "SF1234567890123")],
            )
            .await;
        alice.post(&format!("/orders/{}/confirm", placed.no), None).await.ok();
    }
    owner.post("/admin/invoices/1/issue", &[("number", "2435200000012345"), ("amount", "50.00")]).await;
    let id = alice.get("/me").await.ok()["id"].as_str().unwrap().to_owned();
    owner.post(&format!("/admin/customers/{id}/erase"), &[]).await;
    assert_eq!(w.count("select count(*) from invoices").await, 1, "what nobody has written goes");
    assert_eq!(w.count("select count(*) from invoices where title = '' and email = '' and issued_fen = 5000").await, 1);
    assert!(!owner.page("/admin/invoices?state=issued").await.contains("王小样"));
}

/// What the merchant's own coupon paid never arrived: an invoice is of what did.
#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_of_what_arrived() {
    let w = World::new().await;
    let sku = w.product("苹果", 5000, 9).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    w.wechat.ways(|ways| (ways.coupon_cash_fen, ways.coupon_no_cash_fen) = (1_000, 2_000));
    let placed = w.paid(&alice, sku, 2).await;
    let path = format!("/orders/{}/invoice", placed.no);
    assert_eq!(alice.get(&path).await.ok()["amountFen"], 8_000);
    alice.post(&path, Some(company())).await.ok();
    assert!(manager.page("/admin/invoices").await.contains("¥80.00"));
    manager.give_back(&alice, &placed, ("0", "50.00", false)).await;
    assert_eq!(alice.get(&path).await.ok()["amountFen"], 4_000, "half of it went back");
    manager.post("/admin/invoices/1/issue", &[("number", "24352000000123456789"), ("amount", "40.00")]).await;
    let issued = alice.get(&path).await.ok();
    assert_eq!(
        (&issued["state"], &issued["amountFen"], &issued["answer"]),
        (&json!("issued"), &json!(4_000), &json!(""))
    );
    w.must_hold().await;
}

/// A page of before writes down nothing for another request than it showed: one that was taken back, whose number nobody is given
/// again, or one that was asked for with another title.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_before_writes_no_other_invoice_down() {
    let w = World::new().await;
    let sku = w.product("苹果", 5000, 9).await;
    let (alice, bob, manager) = (w.buyer("alice").await, w.buyer("bob").await, w.staff("manager", Role::Manager).await);
    let (first, second) = (w.paid(&alice, sku, 1).await, w.paid(&bob, sku, 1).await);
    let of = |placed: &Placed| format!("/orders/{}/invoice", placed.no);
    let form = async || {
        let page = manager.page("/admin/invoices").await;
        let after = |mark: &str| page.split(mark).nth(1).unwrap().split(['"', '/']).next().unwrap().to_owned();
        let id = page.split("/issue\"").next().unwrap().rsplit('/').next().unwrap().to_owned();
        (id, after("name=\"asked\" value=\""))
    };
    let issue = async |(id, asked): &(String, String)| {
        let form = [("number", "24352000000123456789"), ("link", ""), ("amount", "50.00"), ("asked", asked.as_str())];
        manager.post(&format!("/admin/invoices/{id}/issue"), &form).await;
        manager.said("/admin/invoices").await
    };
    alice.post(&of(&first), Some(json!({ "titleKind": "personal", "title": "甲某" }))).await.ok();
    let shown = form().await;
    alice.call(Method::DELETE, &of(&first), None).await;
    bob.post(&of(&second), Some(json!({ "titleKind": "personal", "title": "乙某" }))).await.ok();
    assert!(issue(&shown).await.contains("买家撤回了申请"));
    let shown = form().await;
    w.advance(SECOND);
    bob.post(&of(&second), Some(json!({ "titleKind": "personal", "title": "乙的单位" }))).await.ok();
    assert!(issue(&shown).await.contains("买家改了抬头"));
    let refuse = format!("/admin/invoices/{}/refuse", shown.0);
    manager.post(&refuse, &[("answer", "抬头不对"), ("asked", &shown.1)]).await;
    assert_eq!(bob.get(&of(&second)).await.ok()["state"], "asked");
    issue(&form().await).await;
    assert_eq!(bob.get(&of(&second)).await.ok()["state"], "issued");
    assert_eq!(alice.get(&of(&first)).await.ok()["state"], "none");
}
