//! What is for sale: lists, search, paging, details, caching.

use serde_json::json;
use xiaopu::catalogue::cache::SOLD_SEEN_WITHIN;
use xiaopu::catalogue::shelf::set_shelf;
use xiaopu::catalogue::store;
use xiaopu::error::Error;
use xiaopu::ids::ProductId;

use crate::support::*;

fn names(page: &serde_json::Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_one_and_two_characters_are_found() {
    let w = World::new().await;
    w.product("阿克苏苹果", 3990, 5).await;
    w.product("赣南脐橙", 3580, 5).await;
    w.product_with("iPhone 保护壳", 1990, 5, |draft, _| draft.subtitle = "50%透光 a_b".into()).await;
    for (query, found) in [
        ("果", vec!["阿克苏苹果"]),
        ("苹果", vec!["阿克苏苹果"]),
        ("阿克苏", vec!["阿克苏苹果"]),
        ("pho", vec!["iPhone 保护壳"]),
        ("保护 iphone", vec!["iPhone 保护壳"]),
        ("0%25透", vec!["iPhone 保护壳"]),
        ("a_b", vec!["iPhone 保护壳"]),
        ("a%25b", vec![]),
        ("_", vec!["iPhone 保护壳"]),
        ("'; drop table products; --", vec![]),
        ("香蕉", vec![]),
    ] {
        let page = w.get(&format!("/products?q={query}")).await.ok();
        assert_eq!(names(&page), found, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_pages_through_everything_once() {
    let w = World::new().await;
    for i in 0..25 {
        // Equal prices, so that the order behind the order is tried too.
        w.product(&format!("商品{i:02}"), 1000 + (i % 4) * 100, i % 3).await;
    }
    for sort in ["default", "newest", "price_asc", "price_desc", "sales"] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = w.get(&format!("/products?sort={sort}&limit=7&cursor={cursor}")).await.ok();
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|i| (i["priceFen"].as_i64().unwrap(), names(&json!({"items":[i]})))),
            );
            match page["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let mut once: Vec<_> = seen.iter().map(|(_, name)| name.clone()).collect();
        once.sort();
        once.dedup();
        assert_eq!((seen.len(), once.len()), (25, 25), "{sort}");
        let prices: Vec<_> = seen.iter().map(|(price, _)| *price).collect();
        match sort {
            "price_asc" => assert!(prices.is_sorted()),
            "price_desc" => assert!(prices.iter().rev().is_sorted()),
            _ => {}
        }
    }
    let in_stock = w.get("/products?inStock=true&limit=50").await.ok();
    assert_eq!(in_stock["items"].as_array().unwrap().len(), 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_question_is_answered_by_name() {
    let w = World::new().await;
    for (query, field) in [
        ("sort=random", "sort"),
        ("limit=0", "limit"),
        ("limit=51", "limit"),
        ("limit=x", "limit"),
        ("cursor=garbage", "cursor"),
        ("categoryId=x", "categoryId"),
        ("inStock=maybe", "inStock"),
    ] {
        let answer = w.get(&format!("/products?{query}")).await;
        assert_eq!(answer.error(), (422, "validation_failed"), "{query}");
        assert!(answer.body["error"]["fields"][field].is_string(), "{query}: {}", answer.body);
    }
    let other = w.get("/products?limit=1").await.ok();
    assert!(other["nextCursor"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detail_shows_choices_and_hides_what_is_off_the_shelf() {
    let w = World::new().await;
    let (id, _) = w
        .product_with("<b>T恤</b>", 5990, 1500, |draft, sku| {
            draft.detail = "<script>alert(1)</script>\n第二段".into();
            sku.specs = vec![("颜色".into(), "红".into()), ("尺码".into(), "L".into())];
        })
        .await;
    let product = w.get(&format!("/products/{id}")).await.ok();
    assert_eq!(product["detailHtml"], "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p><p>第二段</p>");
    assert_eq!(product["specs"], json!([{"name":"颜色","values":["红"]},{"name":"尺码","values":["L"]}]));
    assert_eq!(product["skus"][0]["specs"], json!({"颜色":"红","尺码":"L"}));
    assert_eq!(product["skus"][0]["available"], 999, "stock is shown up to 999");
    w.shop.db.write(move |tx| set_shelf(tx, id, false)).await.unwrap();
    assert_eq!(w.get(&format!("/products/{id}")).await.error(), (404, "product_off_shelf"));
    assert_eq!(w.get("/products/999").await.error(), (404, "not_found"));
    assert_eq!(w.get("/products/abc").await.error(), (404, "not_found"));
    assert_eq!(names(&w.get("/products").await.ok()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_not_sent_twice_until_it_changes() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 3).await;
    let buyer = w.buyer("alice").await;
    for path in ["/products", "/categories", "/products/1"] {
        let first = w.get(path).await;
        let etag = first.headers["etag"].to_str().unwrap().to_owned();
        let ask = || w.http().get(w.at(&format!("/api/v1{path}"))).header("If-None-Match", &etag).send();
        assert_eq!(ask().await.unwrap().status(), 304, "{path}");
    }
    let etag = w.get("/products/1").await.headers["etag"].clone();
    buyer.buy(sku, 1).await.ok();
    let after = w.get("/products/1").await;
    assert_ne!(after.headers["etag"], etag, "the stock that buyers see has changed");
    assert_eq!(after.body["skus"][0]["available"], 2);
    buyer.buy(sku, 2).await.ok();
    assert_eq!(w.get("/products").await.ok()["items"][0]["soldOut"], true);
}

/// A sale is seen within the promised seconds; a price, and that the last piece is gone, with the very next question.
#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_seen_soon_and_a_price_or_the_end_of_stock_at_once() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 500).await;
    let (last, alice) = (w.product("雪梨", 1000, 1).await, w.buyer("alice").await);
    let seen = async || {
        let (list, detail) = (w.get("/products?sort=price_asc").await.ok(), w.get("/products/1").await.ok());
        let of = |name: &str| list["items"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap().clone();
        (of("苹果"), of("雪梨"), detail)
    };
    assert_eq!(seen().await.0["soldCount"], 0);
    w.paid(&alice, sku, 3).await;
    let paid = std::time::Instant::now();
    loop {
        // However long the answer itself is under way.
        let asked = paid.elapsed();
        let (apple, _, detail) = seen().await;
        let left = &detail["skus"][0]["available"];
        if (&apple["soldCount"], &detail["soldCount"], left) == (&json!(3), &json!(3), &json!(497)) {
            break;
        }
        assert!(asked < SOLD_SEEN_WITHIN, "{apple} {detail}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    alice.buy(last, 1).await.ok();
    assert_eq!(seen().await.1["soldOut"], true);
    let dearer = move |tx: &xiaopu::db::Tx| {
        tx.execute("update skus set price_fen = 1234 where id = ?1", [sku])?;
        Ok::<_, Error>(store::refresh_prices(tx, ProductId(1))?)
    };
    w.shop.db.write(dearer).await.unwrap();
    let (apple, _, detail) = seen().await;
    assert_eq!((&apple["priceFen"], &detail["priceFen"]), (&json!(1234), &json!(1234)));
}
