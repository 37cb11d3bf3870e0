//! Pages that were opened before somebody else saved: what he did is not taken back without a word.

use reqwest::multipart;
use serde_json::json;
use xiaopu::error::Error;
use xiaopu::staff::Role;

use crate::support::*;

const TOLD: &str = "同事刚刚改过这里";

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_and_a_template_that_were_changed_meanwhile_are_saved_knowingly() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Manager).await;
    let promotion =
        [("kind", "reduce"), ("given", "everybody"), ("name", "满减"), ("from", "100"), ("off", "5"), ("scope", "all")];
    let freight = [
        ("name", "重货"),
        ("by", "piece"),
        ("elsewhere.first", "1"),
        ("elsewhere.first_fee", "8"),
        ("elsewhere.more", "1"),
        ("elsewhere.more_fee", "3"),
    ];
    for (list, page, form, sum, name) in [
        ("/admin/promotions", "/admin/promotions/1", &promotion[..], ("off", "10"), "老客满减"),
        ("/admin/freight", "/admin/freight/1", &freight[..], ("elsewhere.first_fee", "20"), "大件"),
    ] {
        assert_eq!(boss.post(list, form).await.0, 303, "{page}");
        let with = |changes: &[(&'static str, &str)]| -> Vec<(String, String)> {
            let value = |name: &str, value: &str| {
                changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, now)| now).to_owned()
            };
            let mut all: Vec<_> = form.iter().map(|(name, was)| ((*name).to_owned(), value(name, was))).collect();
            all.extend(
                changes.iter().filter(|(name, _)| *name == "seen").map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
            );
            all
        };
        let save = async |fields: Vec<(String, String)>| {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(boss.post(page, &fields).await.0, 303, "{page}");
        };
        let mark = seen_on(&boss.page(page).await);
        // The first of two who have it open changes the sum.
        save(with(&[("seen", &mark), sum])).await;
        let stands = boss.page(page).await;
        // The second one has the old sum before him, and gives it another name.
        let late = with(&[("seen", &mark), ("name", name)]);
        let late: Vec<(&str, &str)> = late.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let told = boss.page_of(page, &late).await;
        assert!(told.contains(TOLD) && told.contains(name), "{page}: {told}");
        assert!(!boss.page(page).await.contains(name) && seen_on(&told) == seen_on(&stands), "{page}");
        save(with(&[("seen", &seen_on(&told)), ("name", name)])).await;
        assert!(boss.page(page).await.contains(name), "{page}: said twice is meant");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_was_arranged_meanwhile_is_not_put_back() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Manager).await;
    let mark = seen_on(&boss.page("/admin/showcase").await);
    let save = async |words: &str| {
        let form = multipart::Form::new().text("words", words.to_owned()).text("seen", mark.clone());
        let request = w.http().post(w.at("/admin/showcase")).header("Cookie", &boss.cookie).multipart(form);
        request.send().await.unwrap()
    };
    assert_eq!(save("新茶 月饼").await.status(), 303);
    let told = save("口红").await;
    assert_eq!(told.status(), 409);
    assert!(told.text().await.unwrap().contains(TOLD));
    assert!(boss.page("/admin/showcase").await.contains("新茶 月饼"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_note_at_an_order_stands_side_by_side() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let no = w.paid(&alice, sku, 1).await.no;
    let memo = async |was: &[&str], typed: &str| {
        let mut form = vec![("memo", typed)];
        form.extend(was.iter().map(|was| ("was", *was)));
        clerk.post(&format!("/admin/orders/{no}/memo"), &form).await;
        let sql = format!("select memo from orders where order_no = '{no}'");
        let read = move |conn: &rusqlite::Connection| Ok::<String, Error>(conn.query_row(&sql, [], |row| row.get(0))?);
        w.shop.db.read(read).await.unwrap()
    };
    assert_eq!(memo(&[""], "送贺卡").await, "送贺卡");
    assert_eq!(memo(&[""], "打电话约好 3 点").await, "送贺卡；打电话约好 3 点", "he had seen none");
    assert_eq!(memo(&["送贺卡"], "送贺卡，红色的").await, "送贺卡；打电话约好 3 点；红色的");
    assert_eq!(memo(&["送贺卡；打电话约好 3 点；红色的"], "").await, "", "who has seen it may take it away");
    assert_eq!(memo(&[], "直接写").await, "直接写");
    // Of two that one page sent after each other the later one gets there first: what is his own is no colleague's.
    assert_eq!(memo(&["直接写", "直接写，轻"], "直接写，轻放").await, "直接写，轻放");
    assert_eq!(memo(&["直接写"], "直接写，轻").await, "直接写，轻放");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_is_priced_in_its_cell_does_not_go_with_the_others() {
    let w = World::new().await;
    let mine = w.product("雨伞", 1000, 9).await;
    w.product("毛巾", 1000, 9).await;
    let boss = w.staff("boss", Role::Manager).await;
    w.shop.write(|tx| Ok(tx.execute("update products set sample = 1", [])?)).await.unwrap();
    let product = w.count(format!("select product_id from skus where id = {mine}")).await;
    let form = [("sku", &*mine.to_string()), ("column", "price"), ("value", "12.5"), ("was", "10.00")];
    boss.post(&format!("/admin/products/{product}/cell"), &form).await;
    assert_eq!(w.count(format!("select price_fen from skus where id = {mine}")).await, 1250);
    boss.post("/admin/products/samples/clear", &[]).await;
    let left = w.get("/products").await.ok()["items"].clone();
    assert_eq!(left.as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>(), [json!("雨伞")]);
}
