//! The document and the shop say the same: routes, names, codes.

use std::collections::BTreeSet;

use serde_json::Value;
use xiaopu::docs::OPENAPI;
use xiaopu::simulator::Paying;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_document_lists_exactly_the_routes() {
    let w = World::new().await;
    let rocket = xiaopu::rocket(w.shop.clone(), xiaopu::cli::figment());
    let served: BTreeSet<String> = rocket
        .routes()
        .filter(|route| route.uri.path().starts_with("/api/v1/"))
        .map(|route| {
            let path = route.uri.path().strip_prefix("/api/v1").unwrap().replace("<order_no>", "{orderNo}");
            format!("{} {}", route.method, path.replace('<', "{").replace('>', "}"))
        })
        .collect();
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let written: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    assert_eq!(served, written);
}

/// A schema of the document, with references followed.
fn schema<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(name) => &document["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    }
}

/// Every field of the answer is in the document, every field of the document in the answer, down to the leaves.
pub fn agree(document: &Value, expected: &Value, found: &Value, at: &str) {
    let expected = schema(document, expected);
    if let Some(one_of) = expected["oneOf"].as_array() {
        return match found {
            Value::Null => {}
            found => agree(document, &one_of[0], found, at),
        };
    }
    match found {
        Value::Object(fields) if expected["properties"].is_object() => {
            let names: BTreeSet<_> = fields.keys().cloned().collect();
            let written: BTreeSet<_> = expected["properties"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(names, written, "{at}");
            for (name, value) in fields {
                agree(document, &expected["properties"][name], value, &format!("{at}.{name}"));
            }
        }
        Value::Array(items) => {
            for item in items {
                agree(document, &expected["items"], item, &format!("{at}[]"));
            }
        }
        leaf => {
            let kind = match leaf {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(n) if n.is_i64() => "integer",
                Value::String(_) => "string",
                _ => "object",
            };
            let allowed = match &expected["type"] {
                Value::String(one) => one == kind,
                Value::Array(some) => some.iter().any(|one| one == kind),
                _ => true,
            };
            assert!(allowed, "{at} is {kind}, the document says {}", expected["type"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_answers_have_the_documents_fields() {
    let w = World::new().await;
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let address = alice.post("/addresses", Some(address())).await.ok();
    let quote = alice.post("/quote", Some(order(sku, 1))).await.ok();
    let bought = alice.buy(sku, 1).await;
    let payable = bought.body.clone();
    let placed = Placed::of(bought);
    w.pay(&placed, Paying::Well);
    w.wait("the notice", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let packer = w.staff("packer", xiaopu::staff::Role::Packer).await;
    packer
        .post(&format!("/admin/orders/{}/ship", placed.no), &[("company", "SF"), ("tracking_no", "SF1234567890123")])
        .await;
    let path = format!("/orders/{}/refunds", placed.no);
    let refund_quote = alice.post(&format!("{path}/quote"), Some(serde_json::json!({}))).await.ok();
    let asked = serde_json::json!({ "reason": "不想要了" });
    let refund = w.call(reqwest::Method::POST, &path, Some(&alice.token), Some("a-refund-key"), Some(asked)).await.ok();
    let error = w.get("/orders").await.body;
    let owner = w.staff("owner", xiaopu::staff::Role::Owner).await;
    let form = [("name", "ERP"), ("days", "30"), ("rights", "orders"), ("rights", "stock")];
    let page = owner.page_of("/admin/programs/keys", &form).await;
    let key = page.split("<code class=\"mono\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let read = async |path: &str| w.call(reqwest::Method::GET, path, Some(&key), None, None).await.ok();
    for (name, found) in [
        ("AdminOrder", read(&format!("/admin/orders/{}", placed.no)).await),
        ("AdminOrder", read("/admin/orders").await["items"][0].clone()),
        ("AdminStock", read("/admin/stock").await["items"][0].clone()),
        ("Shop", w.get("/shop").await.ok()),
        ("Home", w.get("/home").await.ok()),
        ("ProductItem", w.get("/products").await.ok()["items"][0].clone()),
        ("Product", w.get("/products/1").await.ok()),
        ("Me", alice.get("/me").await.ok()),
        ("SavedAddress", address),
        ("Quote", quote),
        ("Payable", payable),
        ("RefundQuote", refund_quote),
        ("Refund", refund),
        ("Order", alice.order(&placed.no).await),
        ("Order", alice.get("/orders").await.ok()["items"][0].clone()),
    ] {
        agree(&document, &serde_json::json!({ "$ref": format!("#/components/schemas/{name}") }), &found, name);
    }
    assert!(error["error"]["requestId"].is_string());
    let served: Value = w.get("/openapi.json").await.ok();
    assert_eq!(served["openapi"], "3.1.0");
    let page = w.http().get(w.at("/api/docs")).send().await.unwrap().text().await.unwrap();
    for words in ["Idempotency-Key", "payment_in_progress", "/api/v1/orders/{orderNo}/check"] {
        assert!(page.replace("&#x2f;", "/").contains(words), "{words}");
    }
}

/// WeChat's order centre and its 确认收货 know an order by WeChat's numbers alone.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_by_each_of_its_numbers_and_for_its_buyer_alone() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let unpaid = Placed::of(alice.buy(sku, 1).await);
    let seen = alice.order(&unpaid.no).await;
    assert_eq!((seen["outTradeNo"].as_str(), &seen["transactionId"]), (Some(&unpaid.out_trade_no[..]), &Value::Null));
    let again = alice.post(&format!("/orders/{}/prepay", unpaid.out_trade_no), None).await.ok();
    assert_eq!(again["order"]["orderNo"], unpaid.no.as_str());
    let cancelled = alice.post(&format!("/orders/{}/cancel", unpaid.out_trade_no), None).await.ok();
    assert_eq!(cancelled["status"], "closed");

    let paid = w.paid(&alice, sku, 2).await;
    let transaction = w.transaction(&paid);
    let path = |called: &str, rest: &str| format!("/orders/{called}{rest}");
    for called in [&paid.no, &paid.out_trade_no, &transaction] {
        let found = alice.get(&path(called, "")).await.ok();
        assert_eq!(found["orderNo"], paid.no.as_str(), "{called}");
        assert_eq!(found["transactionId"], transaction.as_str());
        assert_eq!(alice.post(&path(called, "/check"), None).await.ok()["orderNo"], paid.no.as_str());
        let part = serde_json::json!({ "lines": [{ "lineId": found["lines"][0]["id"], "quantity": 1 }] });
        assert_eq!(alice.post(&path(called, "/refunds/quote"), Some(part)).await.ok()["amountFen"], 1000, "{called}");
        for rest in ["/prepay", "/check", "/cancel", "/confirm", "/refunds/quote"] {
            let body = rest.ends_with("quote").then(|| serde_json::json!({}));
            assert_eq!(bob.post(&path(called, rest), body).await.error(), (404, "not_found"), "{called}{rest}");
        }
        assert_eq!(bob.get(&path(called, "")).await.error(), (404, "not_found"));
    }
    // Whatever it is called, the same words under the same key are the same request.
    let wish = serde_json::json!({ "reason": "不想要了" });
    let quoted = alice.post(&path(&transaction, "/refunds/quote"), Some(serde_json::json!({}))).await.ok();
    let refund = alice.ask_refund(&transaction, "a-refund-key", wish.clone()).await.ok();
    assert_eq!(refund["amountFen"], quoted["amountFen"]);
    assert_eq!(alice.ask_refund(&paid.no, "a-refund-key", wish).await.ok()["id"], refund["id"]);
    let stopped = format!("/refunds/{}/cancel", refund["id"].as_str().unwrap());
    assert_eq!(alice.post(&path(&paid.out_trade_no, &stopped), None).await.ok()["state"], "cancelled");
    let packer = w.staff("packer", xiaopu::staff::Role::Packer).await;
    packer
        .post(&format!("/admin/orders/{}/ship", paid.no), &[("company", "SF"), ("tracking_no", "SF1234567890123")])
        .await;
    assert_eq!(alice.post(&path(&transaction, "/confirm"), None).await.ok()["status"], "completed");
    for unknown in ["x", "20261008ZZZZZZZZZZ", "4200000000000000000000000000", "%27or%201"] {
        assert_eq!(alice.get(&path(unknown, "")).await.error(), (404, "not_found"), "{unknown}");
    }
}

/// Clients are made from the document: each operation says who may call it, and belongs to a chapter that exists.
#[test]
fn every_operation_says_its_security_and_its_chapter() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let chapters: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["security"].is_array(), "{method} {path}");
            let [chapter] = &operation["tags"].as_array().unwrap()[..] else { panic!("{method} {path}") };
            assert!(chapters.contains(chapter.as_str().unwrap()), "{method} {path}");
        }
    }
}

/// An operation of the document: its method, its path, its description.
fn operation<'d>(document: &'d Value, id: &str) -> (reqwest::Method, &'d str, &'d Value) {
    let paths = document["paths"].as_object().unwrap();
    let mut all = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| (method, path, operation))
    });
    let (method, path, operation) = all.find(|(.., operation)| operation["operationId"] == id).expect(id);
    (method.to_uppercase().parse().unwrap(), path, operation)
}

/// Asks with the document's own example, and gives the answer and what the document promises for it.
async fn as_in_the_example(alice: &Buyer<'_>, document: &Value, id: &str, path: &[(&str, &str)]) -> (Answer, Value) {
    let (method, pattern, operation) = operation(document, id);
    let at = path.iter().fold(pattern.to_owned(), |at, (name, value)| at.replace(&format!("{{{name}}}"), value));
    assert!(!at.contains('{'), "{id}: {at}");
    let example = operation["requestBody"]["content"]["application/json"]["example"].clone();
    let key = alice.world.key();
    let body = (!example.is_null()).then_some(example);
    let answer = alice.world.call(method, &at, Some(&alice.token), Some(&key), body).await;
    let promised = operation["responses"][answer.status.to_string()].clone();
    (answer, promised)
}

/// Whoever follows the document from answer to question, with its examples, gets somewhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_documents_examples_and_links_hold() {
    let w = World::new().await;
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let sku = w.product("苹果", 1000, 90).await;
    let alice = w.buyer("alice").await;
    let paid = Placed::of(alice.buy(sku, 1).await);
    w.pay(&paid, Paying::Well);
    w.wait("the notice", || async { alice.status(&paid.no).await == "to_ship" }).await;
    for id in ["putMe", "postQuote"] {
        let (answer, promised) = as_in_the_example(&alice, &document, id, &[]).await;
        assert!(promised.is_object(), "{id}: {} {}", answer.status, answer.body);
    }
    let mut followed = 0;
    for (id, path) in [
        ("getProducts", vec![]),
        ("postAddresses", vec![]),
        ("postPrepay", vec![]),
        ("getOrders", vec![]),
        ("postOrdersOrdernoRefunds", vec![("orderNo", paid.no.as_str())]),
    ] {
        let responses = &operation(&document, id).2["responses"];
        let links = responses.as_object().unwrap().values().find_map(|response| response["links"].as_object());
        for (target, link) in links.expect(id) {
            let (answer, promised) = as_in_the_example(&alice, &document, id, &path).await;
            assert!(promised["links"].is_object(), "{id}: {} {}", answer.status, answer.body);
            let found: Vec<(&str, String)> = link["parameters"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, place)| match place.as_str().unwrap().strip_prefix("$response.body#") {
                    Some(pointer) => (&name[..], answer.body.pointer(pointer).unwrap().as_str().unwrap().to_owned()),
                    None => (&name[..], path.iter().find(|(known, _)| known == name).unwrap().1.to_owned()),
                })
                .collect();
            let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (*name, &value[..])).collect();
            let (next, _) = as_in_the_example(&alice, &document, target, &found).await;
            // An order may be past what is asked; but it is known, and the question was well put.
            assert!(next.status < 300 || next.status == 409, "{id} → {target}: {} {}", next.status, next.body);
            followed += 1;
        }
    }
    assert_eq!(followed, 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_is_alive_ready_and_counted() {
    let w = World::new().await;
    for (path, words) in [("/healthz", "ok"), ("/readyz", "ready"), ("/metrics", "xiaopu_jobs_lag_ms")] {
        let answer = w.http().get(w.at(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.text().await.unwrap().contains(words), "{path}");
    }
}

/// The numbers tell how business goes: for this machine, or for whoever knows the token. What a proxy passes on is neither.
#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_for_the_monitor_alone() {
    let w = World::new().await;
    w.get("/products").await.ok();
    for (headers, status) in [
        (vec![], 200),
        (vec![("X-Forwarded-For", "203.0.113.9")], 404),
        (vec![("X-Real-IP", "203.0.113.9"), ("Authorization", "Bearer monitor-token-of-somebody")], 404),
        (vec![("X-Forwarded-For", "203.0.113.9"), ("Authorization", "Bearer monitor-token-of-nobody")], 200),
    ] {
        let request = w.http().get(w.at("/metrics"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{headers:?}");
        if status == 200 {
            let text = answer.text().await.unwrap();
            let read = text.lines().filter(|line| !line.starts_with('#'));
            for line in read.clone() {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert!(name.starts_with("xiaopu_") && value.parse::<f64>().is_ok(), "{line}");
            }
            let api = "xiaopu_requests_total{door=\"api\",status=\"2xx\"} ";
            assert!(read.clone().any(|line| line.starts_with(api) && !line.ends_with(" 0")), "{text}");
            assert!(read.clone().any(|line| line.starts_with("xiaopu_disk_free_bytes ") && !line.ends_with(" 0")));
        }
    }
}
