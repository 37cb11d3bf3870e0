//! Logging in, addresses, and nobody's business but one's own.

use reqwest::Method;
use serde_json::json;
use xiaopu::simulator::{Fault, Paying};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_code_logs_in_once_and_is_never_asked_about_twice() {
    let w = World::new().await;
    let code = w.wechat.login_code("alice");
    let login = |code: String| w.call(Method::POST, "/login", None, None, Some(json!({ "code": code })));
    let first = login(code.clone()).await.ok();
    assert_eq!(first["buyer"]["isNew"], true);
    assert_eq!(first["expiresAt"], "2026-11-07T13:00:00+08:00");
    assert_eq!(login(code).await.error(), (422, "login_code_invalid"));
    assert_eq!(w.wechat.calls("login"), 1);
    assert_eq!(login("unknown-code".into()).await.error(), (422, "login_code_invalid"));
    let again = login(w.wechat.login_code("alice")).await.ok();
    assert_eq!((&again["buyer"]["isNew"], &again["buyer"]["id"]), (&json!(false), &first["buyer"]["id"]));
    for (fault, expected) in [
        (Fault::refused("40226", "blocked"), (422, "login_blocked")),
        (Fault::refused("45011", "too often"), (429, "rate_limited")),
        (Fault::refused("40125", "bad secret"), (502, "wechat_rejected")),
        (Fault::refused("-1", "busy"), (503, "wechat_unavailable")),
        (Fault::Http500, (503, "wechat_unavailable")),
    ] {
        w.wechat.fault("login", fault);
        assert_eq!(login(w.wechat.login_code("bob")).await.error(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_by_logout_and_by_time() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    assert_eq!(alice.get("/me").await.ok()["counts"]["pendingPayment"], 0);
    // Sliding: used on day 20, it still works on day 40.
    w.advance(20 * 24 * 60 * MINUTE);
    alice.get("/me").await.ok();
    w.advance(20 * 24 * 60 * MINUTE);
    alice.get("/me").await.ok();
    w.advance(31 * 24 * 60 * MINUTE);
    assert_eq!(alice.get("/me").await.error(), (401, "unauthenticated"));
    let alice = w.buyer("alice").await;
    assert_eq!(alice.call(Method::DELETE, "/login", None).await.status, 204);
    assert_eq!(alice.get("/me").await.error(), (401, "unauthenticated"));
    for token in [None, Some(""), Some("x"), Some("0123456789012345678901234567890123456789012")] {
        assert_eq!(w.call(Method::GET, "/me", token, None, None).await.error(), (401, "unauthenticated"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_changes_name_and_picture() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let form = json!({ "nickname": "小样", "avatarUrl": "https://example.com/a.png" });
    let changed = alice.call(Method::PUT, "/me", Some(form)).await.ok();
    assert_eq!(changed, alice.get("/me").await.ok());
    assert_eq!(changed["nickname"], "小样");
    for (form, expected) in [
        (json!({ "nickname": "x".repeat(33) }), (422, "validation_failed")),
        (json!({ "avatarUrl": "javascript:alert(1)" }), (422, "validation_failed")),
        (json!({ "openid": "x" }), (400, "unknown_field")),
    ] {
        assert_eq!(alice.call(Method::PUT, "/me", Some(form)).await.error(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_book_keeps_one_default() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let first = alice.post("/addresses", Some(address())).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.body["isDefault"], true, "the first one is the default");
    let mut second = address();
    second["isDefault"] = json!(true);
    let second = alice.post("/addresses", Some(second)).await.ok();
    let list = alice.get("/addresses").await.ok();
    assert_eq!(list["items"][0]["id"], second["id"]);
    assert_eq!(list["items"][1]["isDefault"], false);
    let id = second["id"].as_str().unwrap();
    let mut changed = address();
    changed["receiver"] = json!("李小样");
    let changed = alice.call(Method::PUT, &format!("/addresses/{id}"), Some(changed)).await.ok();
    assert_eq!((&changed["receiver"], &changed["isDefault"]), (&json!("李小样"), &json!(true)));
    assert_eq!(alice.call(Method::DELETE, &format!("/addresses/{id}"), None).await.status, 204);
    assert_eq!(alice.call(Method::DELETE, &format!("/addresses/{id}"), None).await.error(), (404, "not_found"));
    let wrong = alice.post("/addresses", Some(json!({ "receiver": "", "phone": "abc" }))).await;
    assert_eq!(wrong.error(), (422, "validation_failed"));
    let fields: Vec<_> = wrong.body["error"]["fields"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["detail", "phone", "province", "receiver"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_address_is_read_and_not_kept() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let read = async |text: &str| alice.post("/addresses/read", Some(json!({ "text": text }))).await;
    let read_whole = read("张三 138 0013 8000 浙江省杭州市西湖区文三路12号").await.ok();
    let expected = json!({
        "receiver": "张三", "phone": "13800138000", "province": "浙江省", "city": "杭州市", "district": "西湖区",
        "detail": "文三路12号", "postcode": "",
    });
    assert_eq!(read_whole, expected);
    assert_eq!(read("").await.ok()["province"], "", "what is not found is empty");
    assert_eq!(read(&"路".repeat(501)).await.error(), (422, "validation_failed"));
    assert_eq!(w.call(Method::POST, "/addresses/read", None, None, Some(json!({ "text": "" }))).await.error().0, 401);
    assert_eq!(alice.get("/addresses").await.ok()["items"], json!([]));
}

/// Every route that takes an id, with another buyer's token: as unknown as one that never was.
#[tokio::test(flavor = "multi_thread")]
async fn another_buyers_things_do_not_exist() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, mallory) = (w.buyer("alice").await, w.buyer("mallory").await);
    let address_id = alice.post("/addresses", Some(address())).await.ok()["id"].as_str().unwrap().to_owned();
    let placed = Placed::of(alice.buy(sku, 1).await);
    for (method, path, body) in [
        (Method::GET, format!("/orders/{}", placed.no), None),
        (Method::POST, format!("/orders/{}/prepay", placed.no), None),
        (Method::POST, format!("/orders/{}/check", placed.no), None),
        (Method::POST, format!("/orders/{}/cancel", placed.no), None),
        (Method::POST, format!("/orders/{}/confirm", placed.no), None),
        (Method::PUT, format!("/addresses/{address_id}"), Some(address())),
        (Method::DELETE, format!("/addresses/{address_id}"), None),
        (Method::GET, "/orders/20261008ZZZZZZZZZZ".into(), None),
        (Method::GET, "/orders/%00".into(), None),
    ] {
        let answer = mallory.call(method, &path, body).await;
        assert_eq!(answer.error(), (404, "not_found"), "{path}");
    }
    let mut form = order(sku, 1);
    form.as_object_mut().unwrap().remove("address");
    form["addressId"] = json!(address_id);
    assert_eq!(mallory.prepay(&w.key(), form.clone()).await.error(), (404, "not_found"));
    assert_eq!(mallory.get("/orders").await.ok()["items"], json!([]));
    assert_eq!(alice.status(&placed.no).await, "pending_payment");
    alice.prepay(&w.key(), form).await.ok();
    w.pay(&placed, Paying::Well);
}
