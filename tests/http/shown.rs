//! A page that shows what a click would do: once the shop has become another one, it is shown again and nothing is done.

use reqwest::multipart::{Form, Part};
use serde_json::json;
use xiaopu::staff::Role;

use crate::support::*;

async fn bring(w: &World, staff: &Console<'_>, door: &str, form: Form) -> String {
    let request = w.http().post(w.at(door)).header("Cookie", &staff.cookie).multipart(form);
    request.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned()
}

fn file(text: &str) -> Form {
    Form::new().part("file", Part::bytes(text.as_bytes().to_vec()).file_name("a.csv"))
}

/// The rows of a page that are said to have become others.
fn moved(page: &str) -> usize {
    page.matches(">变了</span>").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_products_is_shown_again_where_the_shop_has_changed() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 20).await;
    w.product("梨子", 800, 20).await;
    let manager = w.staff("manager", Role::Manager).await;
    let alice = w.buyer("alice").await;
    let bulk = async |act: &str, value: &str| {
        let form = [("product", "1"), ("act", act), ("value", value), ("confirmed", "true")];
        manager.post("/admin/products/bulk", &form).await;
    };
    let pears = "select price_fen from skus where product_id = 2";
    for (n, (what, table)) in [
        ("price", "商品名称,售价\n苹果,12\n梨子,PEAR\n"),
        ("stock", "商品名称,售价,库存\n苹果,,30\n梨子,PEAR,\n"),
        ("sold", "商品名称,售价,库存,导出时库存\n苹果,,25,20\n梨子,PEAR,,\n"),
        ("gone", "商品名称,售价,库存\n苹果,15,9\n梨子,PEAR,\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let now = 900 + n as i64;
        let table = table.replace("PEAR", &format!("{}.{:02}", now / 100, now % 100));
        let at = bring(&w, &manager, "/admin/products/import", file(&table)).await;
        let page = manager.page(&at).await;
        assert_eq!(moved(&page), 0, "{what}");
        match what {
            "price" => bulk("shift", "+1").await,
            "stock" => bulk("stock", "+3").await,
            "sold" => {
                let sold = w.paid(&alice, sku, 1).await;
                let number = [("tracking_no", "SF9000000000001")];
                drop(manager.post(&format!("/admin/orders/{}/ship", sold.no), &number).await);
            }
            _ => bulk("delete", "").await,
        }
        let before = w.count(pears).await;
        let form = [("row", "0"), ("row", "1"), ("seen", &seen_on(&page))];
        // One that does not say what it has shown is taken for the latest.
        manager.post(&format!("{at}/run"), if n == 0 { &form[..2] } else { &form }).await;
        let again = manager.said(&at).await;
        assert!(again.contains("还没有执行：有 1 行") && moved(&again) == 1, "{what}: {again}");
        assert_eq!(w.count(pears).await, before, "{what}: nothing is done");
        let form = [("row", "0"), ("row", "1"), ("seen", &seen_on(&manager.page(&at).await))];
        manager.post(&format!("{at}/run"), &form).await;
        assert!(manager.page(&at).await.contains("已导入"), "{what}");
        assert_eq!(w.count(pears).await, now, "{what}: seen once more, it is done");
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_nobody_ticked_and_pages_opened_anew_hold_up_nothing() {
    let w = World::new().await;
    w.product("苹果", 1000, 20).await;
    w.product("梨子", 800, 20).await;
    let manager = w.staff("manager", Role::Manager).await;
    let raise = [("product", "1"), ("act", "shift"), ("value", "+1"), ("confirmed", "true")];
    let at = bring(&w, &manager, "/admin/products/import", file("商品名称,售价\n苹果,12\n梨子,9\n")).await;
    let old = manager.page(&at).await;
    manager.post("/admin/products/bulk", &raise).await;
    manager.post(&format!("{at}/run"), &[("row", "1"), ("seen", &seen_on(&old))]).await;
    assert_eq!(w.count("select price_fen from skus where product_id = 2").await, 900, "its own row is as it was");
    // Two pages of one table: the new one may, the old one may not.
    let new = manager.page(&at).await;
    manager.post("/admin/products/bulk", &raise).await;
    let newer = manager.page(&at).await;
    assert_eq!(moved(&newer), 1);
    for page in [&old, &new] {
        manager.post(&format!("{at}/run"), &[("row", "0"), ("seen", &seen_on(page))]).await;
        assert_eq!(w.count("select price_fen from skus where product_id = 1").await, 1200);
    }
    manager.post("/admin/products/bulk", &raise).await;
    manager.post(&format!("{at}/run"), &[("row", "0"), ("seen", &seen_on(&manager.page(&at).await))]).await;
    assert!(manager.page(&at).await.contains("售价 13.00 → 12.00"), "as its page has shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_parcels_is_shown_again_where_an_order_has_changed() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    for (n, what) in ["shipped", "part", "refund", "address", "agreed"].into_iter().enumerate() {
        let (one, other) = (w.paid(&alice, sku, 2).await, w.paid(&alice, sku, 1).await);
        let text = format!(
            "订单号,快递公司,快递单号\n{},顺丰,SF20000000000{n}1\n{},顺丰,SF20000000000{n}2\n",
            one.no, other.no
        );
        let order = format!("/admin/orders/{}", one.no);
        if what == "agreed" {
            alice.ask_refund(&one.no, &w.key(), json!({ "reason": "不想要了" })).await.ok();
        }
        let at = bring(&w, &manager, "/admin/shipping", file(&text)).await;
        let page = manager.page(&at).await;
        match what {
            "shipped" => drop(manager.post(&format!("{order}/ship"), &[("tracking_no", "SF9000000000001")]).await),
            "part" => manager.give_back(&alice, &one, ("1", "10", false)).await,
            "refund" => drop(alice.ask_refund(&one.no, &w.key(), json!({ "reason": "不想要了" })).await.ok()),
            "agreed" => {
                let refund = alice.order(&one.no).await["refunds"][0]["refundNo"].as_str().unwrap().to_owned();
                manager.post(&format!("/admin/refunds/{refund}/reject"), &[("words", "已经打包了")]).await;
            }
            _ => {
                let to = [
                    ("receiver", "王五"),
                    ("phone", "13800000000"),
                    ("province", "浙江省"),
                    ("city", "杭州市"),
                    ("district", "西湖区"),
                    ("detail", "新地址 9 号"),
                ];
                manager.post(&format!("{order}/address"), &to).await;
            }
        }
        manager.post(&format!("{at}/run"), &[("seen", &seen_on(&page))]).await;
        let again = manager.said(&at).await;
        assert!(again.contains("还没有执行：有 1 行") && moved(&again) == 1, "{what}");
        assert_eq!(alice.status(&other.no).await, "to_ship", "{what}: nothing is done");
        manager.post(&format!("{at}/run"), &[]).await;
        assert_eq!(alice.status(&other.no).await, "shipped", "{what}: seen once more");
        assert_eq!(moved(&manager.page(&at).await), 0, "{what}: what a run does itself is no surprise");
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_that_changed_under_a_second_screen_are_shown_again() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    w.product("梨子", 800, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let raise = [("product", "1"), ("product", "2"), ("act", "percent"), ("value", "+10")];
    let page = manager.page_of("/admin/products/bulk", &raise).await;
    let alone = [("product", "1"), ("act", "shift"), ("value", "+1"), ("confirmed", "true")];
    manager.post("/admin/products/bulk", &alone).await;
    let old = seen_on(&page);
    let sure = |seen: &str| {
        raise
            .into_iter()
            .chain([("confirmed", "true")])
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .chain([("seen".to_owned(), seen.to_owned())])
            .collect::<Vec<_>>()
    };
    let form = sure(&old);
    let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let again = manager.page_of("/admin/products/bulk", &form).await;
    assert!(again.contains("还没有改价") && moved(&again) == 1, "{again}");
    assert_eq!(w.count("select sum(price_fen) from skus").await, 1900);
    let form = sure(&seen_on(&again));
    let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    manager.post("/admin/products/bulk", &form).await;
    assert_eq!(w.count("select sum(price_fen) from skus").await, 2090);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_table_is_carried_out_in_parts_and_ends_where_the_shop_has_changed() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    let row = |n: usize, price: &str| format!("杯子{n:04},颜色:红,{price},1,是\n杯子{n:04},颜色:蓝,{price},1,是\n");
    let table = |price: &str| {
        let rows: String = (0..800).map(|n| row(n, price)).collect();
        format!("商品名称,规格,售价,库存,上架\n{rows}")
    };
    let at = bring(&w, &manager, "/admin/products/import", file(&table("9.90"))).await;
    let page = manager.page(&at).await;
    assert!(page.contains("新增 1600") && !page.contains("没有写“上架”"));
    let seen = seen_on(&page);
    let form = [("row", "0"), ("rest", "1-1599"), ("seen", seen.as_str())];
    manager.post(&format!("{at}/run"), &form).await;
    assert!(manager.said(&at).await.contains("已导入 800 个商品（新增 800）、1600 个规格"));
    manager.post(&format!("{at}/run"), &form).await;
    let again = manager.said(&at).await;
    assert!(again.contains("都已经导入过了") && !again.contains("已导入 0 个"), "twice is once");
    // A colleague sells the last of these goods while the first of them are written.
    w.shop
        .write(|tx| {
            let trap = "create temp trigger sold after update of price_fen on skus when new.id = 3
                        begin update skus set price_fen = 777 where id = 1599; end";
            Ok(tx.execute_batch(trap)?)
        })
        .await
        .unwrap();
    let at = bring(&w, &manager, "/admin/products/import", file(&table("8.80"))).await;
    manager.post(&format!("{at}/run"), &[("rest", "0-1599")]).await;
    let said = manager.said(&at).await;
    assert!(said.contains("已导入 500 个商品（新增 0）、1000 个规格。后面的行刚刚变了"), "{said}");
    assert_eq!(moved(&said), 1);
    assert_eq!(w.count("select count(*) from skus where price_fen = 880").await, 1000);
    manager.post(&format!("{at}/run"), &[("rest", "1000-1599")]).await;
    assert_eq!(w.count("select count(*) from skus where price_fen = 880").await, 1000, "not before it is seen");
    manager.post(&format!("{at}/run"), &[("rest", "1000-1599")]).await;
    assert_eq!(w.count("select count(*) from skus where price_fen = 880").await, 1600);
    w.must_hold().await;
}
