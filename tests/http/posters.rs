//! Sharing a product: its mini-program code is fetched once, and the poster is laid out once for console and phone.

use reqwest::Method;
use serde_json::{Value, json};
use xiaopu::simulator::{Fault, Simulator};
use xiaopu::staff::Role;

use crate::support::*;

fn asked(wechat: &Simulator) -> u64 {
    wechat.calls("wxacode")
}

async fn bytes(w: &World, path: &str) -> (u16, String, Vec<u8>) {
    let answer = w.http().get(w.at(path)).send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_fetched_once_and_opens_the_product() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let code = "/api/v1/products/1/code";
    // Two at once, and again later: WeChat is asked once.
    let (one, other) = tokio::join!(bytes(&w, code), bytes(&w, code));
    assert_eq!((one.0, one.1.as_str(), &one.2), (200, "image/jpeg", &other.2));
    assert!(one.2.starts_with(b"\xff\xd8\xff"));
    assert_eq!(bytes(&w, code).await.2, one.2);
    assert_eq!(asked(&w.wechat), 1);
    // What was asked for is in the log, the picture is not.
    let manager = w.staff("manager", Role::Manager).await;
    let log = manager.page("/admin/transactions").await;
    assert!(log.contains("小程序码"), "{log}");
    let kept = "cast(inflated(packed, (select bytes from dictionaries d where d.id = dictionary)) as blob)";
    let has = |what: &str| format!("instr({kept}, {what})");
    let logged = format!(
        "select count(*) from messages where kind = 'wxacode' and not {} and {} and {}",
        has("x'ffd8ff'"),
        has("cast('pages/product/product' as blob)"),
        has("cast('id=1' as blob)"),
    );
    assert_eq!(w.count(logged).await, 1);
    assert_eq!(w.get("/products/2/code").await.error(), (404, "not_found"));
    assert_eq!(w.get("/products/x/code").await.error(), (404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_refuses_is_said_with_a_cure_and_not_asked_again_at_once() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    w.wechat.publish(false);
    let refused = w.get("/products/1/code").await;
    assert_eq!(refused.error(), (502, "wechat_rejected"));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("小程序还没有发布"), "{}", refused.body);
    let page = manager.page("/admin/products/1/share").await;
    assert!(page.contains("小程序还没有发布") && !page.contains("下载小程序码"), "{page}");
    assert_eq!(asked(&w.wechat), 1, "anybody may ask: WeChat is left alone for half a minute");
    w.wechat.publish(true);
    w.advance(31 * SECOND);
    assert_eq!(w.get("/products/1/code").await.status, 200);
    // Each of its other ways to fail.
    for (fault, status, code) in [
        (Fault::Http500, 503, "wechat_unavailable"),
        (Fault::LoseAnswer, 503, "wechat_unavailable"),
        (Fault::ErrCode("-1".into(), "system error".into()), 503, "wechat_unavailable"),
        (Fault::ErrCode("45009".into(), "reach max api minute quota limit".into()), 502, "wechat_rejected"),
        (Fault::ErrCode("40013".into(), "invalid appid".into()), 502, "wechat_rejected"),
    ] {
        let w = World::new().await;
        w.product("苹果", 1000, 9).await;
        w.wechat.fault("wxacode", fault.clone());
        assert_eq!(w.get("/products/1/code").await.error(), (status, code), "{fault:?}");
    }
    // A token that has ended is renewed, once.
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    w.wechat.fault("wxacode", Fault::ErrCode("42001".into(), "access_token expired".into()));
    assert_eq!(w.get("/products/1/code").await.status, 200);
    assert_eq!(asked(&w.wechat), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poster_says_what_it_costs_and_stays_inside_its_sheet() {
    let w = World::new().await;
    let long = "山东烟台 红富士苹果 Extra Large 特大果 5kg 礼盒装 顺丰包邮 坏果包赔 & <现摘现发>"
        .chars()
        .take(60)
        .collect::<String>();
    let (product, _) = w.product_with(&long, 12_850, 9, |_, _| {}).await;
    let poster = w.get(&format!("/products/{product}/poster")).await.ok();
    let document: Value = serde_json::from_str(xiaopu::docs::OPENAPI).unwrap();
    super::contract::agree(&document, &json!({ "$ref": "#/components/schemas/Poster" }), &poster, "Poster");
    let (width, height) = (poster["width"].as_i64().unwrap(), poster["height"].as_i64().unwrap());
    for picture in poster["pictures"].as_array().unwrap() {
        let at = |name: &str| picture[name].as_i64().unwrap();
        assert!(at("x") >= 0 && at("x") + at("width") <= width && at("y") + at("height") <= height, "{picture}");
    }
    let texts: Vec<&str> =
        poster["texts"].as_array().unwrap().iter().map(|text| text["text"].as_str().unwrap()).collect();
    assert!(texts.contains(&"¥128.50"), "{texts:?}");
    assert!(texts.iter().any(|line| line.ends_with('…')), "{texts:?}");
    for text in poster["texts"].as_array().unwrap() {
        assert!(text["y"].as_i64().unwrap() <= height, "{text}");
    }
    let code = poster["pictures"].as_array().unwrap().last().unwrap()["url"].as_str().unwrap();
    assert_eq!(bytes(&w, code).await.0, 200);
    // The console's is the same sheet, complete in itself.
    let (clerk, packer) = (w.staff("clerk", Role::Clerk).await, w.staff("packer", Role::Packer).await);
    let svg = clerk.page(&format!("/admin/products/{product}/poster.svg")).await;
    assert!(svg.contains("data:image/jpeg;base64,") && svg.contains("¥128.50"), "{}", &svg[..300]);
    assert!(!svg.contains("<现摘") && !svg.contains("href=\"/"), "words are escaped, nothing is fetched");
    assert!(clerk.page(&format!("/admin/products/{product}/share")).await.contains("存成图片"));
    assert_eq!(packer.get(&format!("/admin/products/{product}/share")).await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_the_shelf_is_not_shared() {
    let w = World::new().await;
    let (product, _) = w.product_with("苹果", 1000, 9, |draft, _| draft.on_shelf = false).await;
    for what in ["code", "poster"] {
        let answer = w.call(Method::GET, &format!("/products/{product}/{what}"), None, None, None).await;
        assert_eq!(answer.error(), (404, "product_off_shelf"), "{what}");
    }
    assert_eq!(asked(&w.wechat), 0);
}
