//! The home of the mini-program as the shop arranges it.

use reqwest::multipart::{Form, Part};
use serde_json::json;
use xiaopu::staff::Role;

use crate::support::*;

async fn arrange(w: &World, staff: &Console<'_>, form: Form) -> (u16, String) {
    let request = w.http().post(w.at("/admin/showcase")).header("Cookie", &staff.cookie).multipart(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The hashes of the banners on the page.
fn banners(page: &str) -> Vec<String> {
    let found = page.split("name=\"image\" value=\"").skip(1);
    found.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_home_shows_what_the_shop_put_there_in_its_order() {
    let w = World::new().await;
    for name in ["苹果", "梨子", "桃子"] {
        w.product(name, 1000, 9).await;
    }
    assert_eq!(w.get("/home").await.ok(), json!({ "banners": [], "pinned": [], "hotWords": [] }));
    let manager = w.staff("manager", Role::Manager).await;
    let picture = Part::bytes(include_bytes!("../../static/demo/apple.jpg").to_vec()).file_name("a.jpg");
    let form =
        Form::new().part("files", picture).text("pinned", "桃子").text("pinned", " 苹果 ").text("pinned", "桃子");
    assert_eq!(arrange(&w, &manager, form.text("words", "蛋糕、礼盒  茶 茶")).await.0, 303);
    let home = w.get("/home").await.ok();
    let pinned: Vec<_> = home["pinned"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(pinned, ["桃子", "苹果"]);
    assert_eq!(home["hotWords"], json!(["蛋糕", "礼盒", "茶"]));
    assert_eq!(home["banners"][0]["productId"], json!(null));
    let full = home["banners"][0]["image"]["full"].as_str().unwrap();
    assert_eq!(w.http().get(w.at(full)).send().await.unwrap().status(), 200);

    let hash = &banners(&manager.page("/admin/showcase").await)[0];
    let linked = |leads: &str| Form::new().text("image", hash.clone()).text("link", leads.to_owned());
    assert_eq!(arrange(&w, &manager, linked("梨子").text("pinned", "梨子")).await.0, 303);
    let home = w.get("/home").await.ok();
    assert_eq!((&home["banners"][0]["productId"], &home["pinned"][0]["id"]), (&json!("2"), &json!("2")));
    manager.post("/admin/products/2/shelf", &[("on", "false")]).await;
    let home = w.get("/home").await.ok();
    assert_eq!((&home["banners"][0]["productId"], &home["pinned"]), (&json!(null), &json!([])), "it is not for sale");

    let (status, page) = arrange(&w, &manager, linked("没有的").text("words", "新词")).await;
    assert!(
        status == 422 && page.contains("没有叫「没有的」的商品或分类") && page.contains("value=\"新词\""),
        "{page}"
    );
    assert_eq!(banners(&page), [hash.as_str()], "what was typed is still there");
    let (status, page) = arrange(&w, &manager, Form::new().text("pinned", "西瓜")).await;
    assert!(status == 422 && page.contains("没有叫「西瓜」的商品"));
    let spoilt = Form::new().part("files", Part::bytes(b"no picture".to_vec()).file_name("a.jpg"));
    assert_eq!(arrange(&w, &manager, spoilt).await.0, 422);
    assert_eq!(w.get("/home").await.ok()["banners"].as_array().unwrap().len(), 1, "nothing was saved");
    assert_eq!(arrange(&w, &manager, linked("").text("gone", hash.clone())).await.0, 303);
    assert_eq!(w.get("/home").await.ok()["banners"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banner_whose_category_goes_leads_nowhere() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    manager.post("/admin/categories", &[("name", "水果")]).await;
    let picture = Part::bytes(include_bytes!("../../static/demo/apple.jpg").to_vec()).file_name("a.jpg");
    arrange(&w, &manager, Form::new().part("files", picture)).await;
    let hash = banners(&manager.page("/admin/showcase").await)[0].clone();
    arrange(&w, &manager, Form::new().text("image", hash).text("link", "水果")).await;
    let leads = || async { w.get("/home").await.ok()["banners"][0]["categoryId"].clone() };
    let category = leads().await;
    assert!(category.is_string());
    manager.post(&format!("/admin/categories/{}/delete", category.as_str().unwrap()), &[]).await;
    assert_eq!(leads().await, json!(null));
}
