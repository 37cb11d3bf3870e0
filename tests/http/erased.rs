//! 删除买家资料: whatever a buyer wrote, and whatever was written about him, goes out of every row, page and export.

use reqwest::Method;
use serde_json::json;
use xiaopu::simulator::{Paying, RefundEnd};
use xiaopu::staff::Role;

use super::customers::named_in;
use super::refunds::until;
use crate::support::*;

/// Stands in everything that a person can write here. Nothing else does.
const WORDS: &str = "暗号甲乙";
const PHONE: &str = "13912345678";

fn home() -> serde_json::Value {
    let mut address = address();
    address["receiver"] = WORDS.into();
    address["phone"] = PHONE.into();
    address["detail"] = format!("{WORDS}路 1 号").into();
    address
}

/// Gives back a part of an order for the buyer's own words; the refund's number.
async fn refunded(w: &World, staff: &Console<'_>, alice: &Buyer<'_>, no: &str) -> String {
    let line = alice.order(no).await["lines"][0]["id"].clone();
    let wish = json!({ "reason": WORDS, "description": WORDS, "lines": [{ "lineId": line, "quantity": 1 }] });
    alice.ask_refund(no, &w.key(), wish).await.ok();
    // The robots tell of it.
    w.run_jobs().await;
    let number = format!("{no}R01");
    let one = [("lines[0].id", line.as_str().unwrap()), ("lines[0].quantity", "1"), ("confirmed", "true")];
    staff.post(&format!("/admin/refunds/{number}/approve"), &one).await;
    until(w, &number, "succeeded").await;
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_buyer_said_goes_with_his_data() {
    let robot = ("shop.wecom_url", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=robot");
    for api in ["v2", "v3"] {
        let w = super::v3::world_with(&[robot, ("wechat.api", api)]).await;
        let sku = w.product("苹果", 1000, 99).await;
        let alice = w.buyer("alice").await;
        let owner = w.staff("owner", Role::Owner).await;
        w.run_jobs().await;
        alice.post("/addresses", Some(home())).await.ok();
        let buy = async |quantity: i64| {
            let mut form = order(sku, quantity);
            form["address"] = home();
            form["remark"] = WORDS.into();
            Placed::of(alice.prepay(&w.key(), form).await)
        };
        let paid = async |quantity: i64| {
            let placed = buy(quantity).await;
            w.pay(&placed, Paying::Well);
            w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
            placed.no
        };
        let admin = |no: &str, path: &str| format!("/admin/orders/{no}/{path}");
        // What he wrote to the shop, and what the shop wrote of him.
        let first = paid(3).await;
        owner.post(&admin(&first, "memo"), &[("memo", WORDS)]).await;
        owner.post(&admin(&first, "note"), &[("text", WORDS)]).await;
        let number = refunded(&w, &owner, &alice, &first).await;
        owner.post(&admin(&first, "ship"), &[("tracking_no", "SF1234567890123")]).await;
        let line = alice.order(&first).await["lines"][0]["id"].as_str().unwrap().to_owned();
        let again = [
            ("pieces[0].id", line.as_str()),
            ("pieces[0].quantity", "1"),
            ("reason", WORDS),
            ("tracking_no", "SF2222222222222"),
        ];
        assert_eq!(owner.post(&admin(&first, "resend"), &again).await.0, 303);
        let wish = json!({ "kind": "exchange", "lines": [{ "lineId": line, "quantity": 1 }], "reason": WORDS,
                           "description": WORDS });
        let path = format!("/orders/{first}/returns");
        w.call(Method::POST, &path, Some(&alice.token), Some(&w.key()), Some(wish)).await.ok();
        assert_eq!(owner.post("/admin/returns/1/reject", &[("words", WORDS)]).await.0, 303);
        let invoice = json!({ "titleKind": "personal", "title": WORDS, "email": format!("{PHONE}@example.com") });
        alice.post(&format!("/orders/{first}/invoice"), Some(invoice)).await.ok();
        alice.post(&format!("/orders/{first}/confirm"), None).await.ok();
        // A refusal, a price that was agreed on, cash, and an order that he thought better of.
        let second = paid(1).await;
        alice.ask_refund(&second, &w.key(), json!({ "reason": WORDS })).await.ok();
        owner.post(&format!("/admin/refunds/{second}R01/reject"), &[("words", WORDS)]).await;
        owner.post(&admin(&second, "ship"), &[("tracking_no", "SF1234567890124")]).await;
        alice.post(&format!("/orders/{second}/confirm"), None).await.ok();
        let third = buy(1).await.no;
        owner.post(&admin(&third, "price"), &[("total", "5"), ("freight", "0"), ("reason", WORDS)]).await;
        owner.post(&admin(&third, "offline"), &[("reason", WORDS)]).await;
        owner.post(&admin(&third, "ship"), &[("tracking_no", "SF1234567890125")]).await;
        alice.post(&format!("/orders/{third}/confirm"), None).await.ok();
        // Written down after chats: one that he opened, and one that he never did.
        let chat = [
            ("lines[0].what", "苹果"),
            ("freight", "0"),
            ("receiver", WORDS),
            ("phone", PHONE),
            ("province", "浙江省"),
            ("city", "杭州市"),
            ("district", "西湖区"),
            ("detail", "暗号甲乙路 1 号"),
            ("remark", WORDS),
        ];
        let (_, code) = super::drafts::draft(&owner, &chat).await;
        super::drafts::draft(&owner, &chat).await;
        let opened = alice.post(&format!("/drafts/{code}"), Some(json!({}))).await.ok();
        let opened = opened["orderNo"].as_str().unwrap().to_owned();
        alice.post(&format!("/orders/{opened}/cancel"), None).await.ok();
        let here = "/admin/customers/1";
        owner.post(&format!("{here}/note"), &[("note", WORDS)]).await;
        owner.post(&format!("{here}/tags"), &[("tags", WORDS)]).await;
        // The robots have told of it, and the bill names him: what went back there was no refund of ours.
        let id = w.wechat.trade(&format!("{second}01")).unwrap().transaction_id.unwrap();
        w.wechat.refund_by_console(&id, 100).unwrap();
        for refund in w.wechat.all_refunds() {
            if refund.status(w.shop.now()) == "PROCESSING" {
                w.wechat.end_refund(&refund.refund_id, RefundEnd::Success).unwrap();
            }
        }
        for _ in 0..40 {
            w.advance(61 * MINUTE);
            w.run_jobs().await;
        }
        assert!(w.count("select count(*) from bill_rows").await > 0, "the bill has come");
        for id in 1..=w.count("select coalesce(max(id), 0) from money_exceptions").await {
            owner.post(&format!("/admin/exceptions/{id}/resolve"), &[("resolution", WORDS)]).await;
        }
        for place in
            ["refunds.reason", "orders.remark", "order_events.what", "outbox.what", "resends.reason", "drafts.remark"]
        {
            let found = named_in(&w, WORDS).await;
            assert!(found.iter().any(|found| found.starts_with(place)), "{place} was to have it: {found:?}");
        }
        owner.post(&format!("{here}/erase"), &[]).await;
        let said = owner.said(here).await;
        assert!(said.contains("资料已删除"), "{said}");
        for secret in [WORDS, PHONE, &w.wechat.openid("alice")] {
            assert_eq!(named_in(&w, secret).await, Vec::<String>::new(), "{api}: {secret}");
        }
        // Nor can it be read on a page, and what happened still can.
        let timeline = owner.page(&format!("/admin/orders/{first}")).await;
        assert!(timeline.contains("内部备注：已删除") && timeline.contains(&number), "{timeline}");
        assert!(owner.page(&format!("/admin/refunds/{number}")).await.contains("¥10.00"));
        for page in
            ["orders", "customers/1", "refunds", "returns", "invoices", "drafts", "notices", "audit", "transactions"]
        {
            let page = owner.page(&format!("/admin/{page}")).await;
            assert!(!page.contains(PHONE) && !page.contains(WORDS), "{page}");
        }
        assert!(!owner.page(&format!("/admin/orders?q={PHONE}")).await.contains(&first[12..]), "nor found by it");
        w.must_hold().await;
    }
}
