//! Draft orders: written down after a chat, opened by a code, and the order of whoever opens it first, at the price that
//! was agreed on.

use serde_json::{Value, json};
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
    assert!(clerk.page(&page).await.contains(&no));
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
    let good = [("lines[0].what", "茶"), ("lines[0].quantity", "2"), ("lines[0].price", "45"), ("remark", "记得发")];
    for (field, value, words) in [
        ("lines[0].what", "咖啡", "没有找到「咖啡」"),
        ("lines[0].what", "", "至少一样商品"),
        ("lines[0].quantity", "0", "数量请填"),
        ("lines[0].price", "便宜点", "单价请填金额"),
        ("lines[1].what", "茶", "写了两行"),
        ("freight", "包邮", "运费请填金额"),
        ("receiver", "陈建国", "请填写电话"),
    ] {
        let mut form: Vec<_> = good.iter().copied().filter(|(name, _)| *name != field).collect();
        form.push((field, value));
        let page = clerk.page_of("/admin/drafts", &form).await;
        assert!(page.contains(words) && page.contains("记得发"), "{field}: {page}");
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
}
