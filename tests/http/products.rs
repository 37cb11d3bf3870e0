//! Products at the console: forms that lose nothing, many at once, tables in and out, stock with reasons, categories.

use reqwest::multipart::{Form, Part};
use serde_json::json;
use xiaopu::catalogue::lists::store::shelf_counts;
use xiaopu::catalogue::media;
use xiaopu::clock::{self, HOUR};
use xiaopu::error::Error;
use xiaopu::staff::Role;

use crate::support::*;

fn form(name: &str, version: &str, price: &str) -> Form {
    Form::new()
        .text("name", name.to_owned())
        .text("version", version.to_owned())
        .text("on_shelf", "true")
        .text("detail", "很甜")
        .text("skus[0].specs", "")
        .text("skus[0].price", price.to_owned())
        .text("skus[0].on_hand", "9")
        .text("skus[0].was", "9")
        .text("skus[0].enabled", "true")
        .text("skus[0].known", "true")
}

async fn send(w: &World, staff: &Console<'_>, path: &str, form: Form) -> (u16, String) {
    let request = w.http().post(w.at(path)).header("Cookie", &staff.cookie).multipart(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_costs_nothing_that_was_typed() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let picture = Part::bytes(include_bytes!("../../static/demo/apple.jpg").to_vec()).file_name("a.jpg");
    let (status, page) =
        send(&w, &manager, "/admin/products/1", form("红苹果", "1", "十元").part("images", picture)).await;
    assert_eq!(status, 422);
    for kept in ["value=\"红苹果\"", "value=\"十元\"", "很甜", "name=\"keep\"", "售价请填金额"] {
        assert!(page.contains(kept), "{kept}");
    }
    assert_eq!(w.get("/products/1").await.ok()["name"], "苹果", "nothing was saved");
    let (status, page) = send(&w, &manager, "/admin/products", Form::new().text("name", "梨子")).await;
    assert!(status == 422 && page.contains("value=\"梨子\"") && page.contains("至少填一个规格"));
}

/// Of many specs the one that is wrong is named as staff know it, not by its place among the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_spec_that_is_refused_is_named() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    for (specs, price, on_hand, said) in [
        ("颜色:红;尺码:XL", "", "3", "红/XL：售价请填金额"),
        ("颜色:红;尺码:XL", "9", "3O", "红/XL：库存"),
        ("颜色:红;尺码:S", "9", "3", "红/S：与前面的规格重复"),
        ("颜色", "9", "3", "第 2 行：规格「颜色」"),
    ] {
        let mut form = Form::new().text("name", "T 恤");
        for (i, row) in [("颜色:红;尺码:S", "9", "3"), (specs, price, on_hand)].into_iter().enumerate() {
            for (name, value) in [("specs", row.0), ("price", row.1), ("on_hand", row.2), ("enabled", "true")] {
                form = form.text(format!("skus[{i}].{name}"), value);
            }
        }
        let (status, page) = send(&w, &manager, "/admin/products", form).await;
        assert!(status == 422 && page.contains(said) && !page.contains("个规格："), "{said}: {page}");
        // Beside its field it need not be named again.
        let (_, words) = said.split_once('：').unwrap();
        assert!(page.contains(&format!("<small class=\"bad\">{words}")), "{said}: {page}");
    }
    let form = Form::new().text("name", "茶").text("skus[0].specs", "").text("skus[0].price", "十元");
    let (_, page) = send(&w, &manager, "/admin/products", form.text("skus[0].enabled", "true")).await;
    assert!(page.contains("grow\">售价请填金额"), "{page}");
}

/// What is on the shelf and cannot be bought is not saved as if all were well.
#[tokio::test(flavor = "multi_thread")]
async fn goods_on_the_shelf_without_stock_are_said_to_be_so() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    for (on_hand, on_shelf, said) in [("", true, true), ("0", true, true), ("3", true, false), ("", false, false)] {
        let name = format!("苹果{on_hand}{on_shelf}");
        let mut form = Form::new().text("name", name).text("skus[0].specs", "").text("skus[0].price", "10");
        form = form.text("skus[0].on_hand", on_hand).text("skus[0].enabled", "true");
        form = if on_shelf { form.text("on_shelf", "true") } else { form };
        let request = w.http().post(w.at("/admin/products")).header("Cookie", &manager.cookie).multipart(form);
        let answer = request.send().await.unwrap();
        let flash = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        // 没有库存
        assert_eq!(flash.contains("%E6%B2%A1%E6%9C%89%E5%BA%93%E5%AD%98"), said, "{on_hand} {on_shelf}: {flash}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_sale_has_the_same_specs_to_choose_by() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    const NONE: &str = "别的行有规格：这一行也写上规格，或取消“启用”";
    const NAMES: &str = "各行规格的名称要一致";
    // Specs, whether it is on sale, and whether it was before; what is said.
    type Row = (&'static str, bool, bool);
    let cases: [(&[Row], Option<&str>); 10] = [
        (&[("", true, false)], None),
        (&[("颜色:红", true, false), ("颜色:蓝", true, false)], None),
        (&[("颜色:红;尺码:S", true, false), ("尺码:M;颜色:红", true, false)], None),
        (&[("", true, false), ("颜色:红", true, false)], Some(NONE)),
        (&[("颜色:红", true, false), ("", true, false)], Some(NONE)),
        (&[("", true, true), ("颜色:红", true, false)], Some("有了规格，这一行就选不到了：请取消“启用”")),
        (&[("", true, true), ("颜色:红", true, true)], Some("有了规格，这一行就选不到了：请取消“启用”")),
        (&[("颜色:红", true, true), ("尺码:S", true, true)], None),
        (&[("", false, true), ("颜色:红", true, false)], None),
        (&[("颜色:红", true, false), ("尺码:S", true, false)], Some(NAMES)),
    ];
    for (n, (rows, said)) in cases.into_iter().enumerate() {
        let mut form = Form::new().text("name", format!("第 {n} 种")).text("on_shelf", "true");
        for (i, (specs, enabled, known)) in rows.iter().enumerate() {
            let field = |name: &str| format!("skus[{i}].{name}");
            form = form.text(field("specs"), *specs).text(field("price"), "10").text(field("on_hand"), "9");
            for (name, _) in [("enabled", enabled), ("known", known)].into_iter().filter(|(_, is)| **is) {
                form = form.text(field(name), "true");
            }
        }
        let (status, page) = send(&w, &manager, "/admin/products", form).await;
        match said {
            Some(said) => assert!(status == 422 && page.contains(said), "{rows:?}: {status}"),
            None => assert_eq!(status, 303, "{rows:?}"),
        }
    }
}

/// Brings a table in, looks at it and carries out every row that can be. Answers with the page that was looked at.
async fn bring(w: &World, manager: &Console<'_>, table: Form) -> String {
    let request = w.http().post(w.at("/admin/products/import")).header("Cookie", &manager.cookie).multipart(table);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let at = answer.headers()["Location"].to_str().unwrap().to_owned();
    let page = manager.page(&at).await;
    let rows = page.split("name=\"row\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let ticks: Vec<(&str, &str)> = rows.map(|row| ("row", row)).collect();
    if !ticks.is_empty() {
        manager.post(&format!("{at}/run"), &ticks).await;
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_served_in_three_widths_for_ever_and_older_ones_get_theirs() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let picture = Part::bytes(include_bytes!("../../static/demo/apple.jpg").to_vec()).file_name("a.jpg");
    assert_eq!(send(&w, &manager, "/admin/products/1", form("苹果", "1", "10").part("images", picture)).await.0, 303);
    let product = w.get("/products/1").await.ok();
    assert_eq!(product["cover"]["full"], product["coverUrl"]);
    assert_eq!(product["pictures"][0], product["cover"]);
    assert_eq!(w.get("/products").await.ok()["items"][0]["cover"], product["cover"]);
    let fetch = async |width: &str| {
        let answer = w.http().get(w.at(product["cover"][width].as_str().unwrap())).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{width}");
        let kept = answer.headers()["cache-control"].to_str().unwrap().to_owned();
        (kept, answer.bytes().await.unwrap().len())
    };
    let for_ever = "public, max-age=31536000, immutable";
    let (full, card, thumb) = (fetch("full").await, fetch("card").await, fetch("thumb").await);
    for (width, (kept, _)) in [("full", &full), ("card", &card), ("thumb", &thumb)] {
        assert_eq!(kept, for_ever, "{width}");
    }
    assert!(full.1 > card.1 && card.1 > thumb.1, "{full:?} {card:?} {thumb:?}");
    // A picture from before there were widths is lent in full, until the night makes them.
    w.shop.db.write(|tx| Ok::<_, Error>(tx.execute("delete from image_widths", [])?)).await.unwrap();
    assert_eq!(fetch("thumb").await, ("public, max-age=3600".to_owned(), full.1));
    media::complete(&w.shop).await.unwrap();
    let again = fetch("thumb").await;
    assert!(again.0 == for_ever && again.1 < card.1, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_per_buyer_is_kept_and_survives_a_table() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let (status, page) = send(&w, &manager, "/admin/products/1", form("苹果", "1", "10.00").text("limit", "0")).await;
    assert!(
        status == 422 && page.contains("每人限购请填 1 到 999") && page.contains("name=\"limit\" value=\"0\""),
        "{page}"
    );
    assert_eq!(send(&w, &manager, "/admin/products/1", form("苹果", "1", "10.00").text("limit", "2")).await.0, 303);
    let table = Form::new().part("file", Part::bytes("name,price,stock\n苹果,11,9\n".as_bytes()).file_name("a.csv"));
    bring(&w, &manager, table).await;
    let kept = "select limit_per_buyer from products where price_fen = 1100";
    assert_eq!(w.count(kept).await, 2);
    let told = "select count(*) from audit_log where what like '%每人限购：（空） → 2%'";
    assert_eq!(w.count(told).await, 1);
    assert_eq!(send(&w, &manager, "/admin/products/1", form("苹果", "3", "11.00")).await.0, 303);
    assert_eq!(
        w.count("select count(*) from products where limit_per_buyer is null").await,
        1,
        "left empty is no limit"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_goes_on_and_off_the_shelf_at_its_times() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (manager, owner) = (w.staff("manager", Role::Manager).await, w.staff("owner", Role::Owner).await);
    let hours = |n: i64| clock::field(w.shop.now() + n * HOUR);
    let timed = |version: &str, on: &str, off: &str| {
        form("苹果", version, "10.00").text("on_at", on.to_owned()).text("off_at", off.to_owned())
    };
    for (what, on, off, problem) in [
        ("not a time", "明天".to_owned(), String::new(), "时间请写成 2026-10-08 13:15 的样子"),
        ("a date alone", String::new(), "2026-10-08".to_owned(), "时间请写成"),
        ("on in the past", hours(-1), String::new(), "上架时间已经过了"),
        ("off in the past", String::new(), hours(-1), "下架时间要晚于现在"),
        ("off before on", hours(2), hours(1), "下架时间要晚于现在和上架时间"),
        ("off as soon as on", hours(2), hours(2), "下架时间要晚于"),
    ] {
        let (status, page) = send(&w, &manager, "/admin/products/1", timed("1", &on, &off)).await;
        assert!(status == 422 && page.contains(problem), "{what}");
        assert!(
            page.contains(&format!("value=\"{}\"", if on.is_empty() { off } else { on })),
            "{what}: what was typed"
        );
    }
    let seen = async || w.get("/products/1").await.status == 200;
    assert!(seen().await, "nothing was saved");

    let (status, _) = send(&w, &manager, "/admin/products/1", timed("1", &hours(1), &hours(3))).await;
    assert_eq!(status, 303);
    assert!(!seen().await, "not on sale before its time, though the box was ticked");
    assert_eq!(alice.buy(sku, 1).await.error(), (404, "product_off_shelf"));
    assert!(manager.page("/admin/products?tab=off").await.contains("自动上架"));
    assert!(manager.page("/admin/jobs").await.contains("定时上下架"));
    w.run_jobs().await;
    assert!(!seen().await);
    w.advance(HOUR);
    w.run_jobs().await;
    assert!(seen().await);
    alice.buy(sku, 1).await.ok();
    assert!(manager.page("/admin/products").await.contains("自动下架"));
    w.advance(2 * HOUR);
    w.run_jobs().await;
    assert!(!seen().await);
    assert!(!manager.page("/admin/products?tab=off").await.contains("自动"));
    for told in ["到时自动上架商品「苹果」", "到时自动下架商品「苹果」", "上架时间：（空） → 20"]
    {
        assert!(owner.page("/admin/audit").await.contains(told), "{told}");
    }

    // Put off: what was planned first does nothing.
    let version = async || w.count("select version from products").await.to_string();
    send(&w, &manager, "/admin/products/1", timed(&version().await, &hours(1), "")).await;
    send(&w, &manager, "/admin/products/1", timed(&version().await, &hours(5), "")).await;
    w.advance(HOUR);
    w.run_jobs().await;
    assert!(!seen().await);
    // The shop was down while both passed.
    send(&w, &manager, "/admin/products/1", timed(&version().await, &hours(1), &hours(2))).await;
    w.advance(4 * HOUR);
    w.run_jobs().await;
    assert!(!seen().await, "the later one counts");
    // What is in the bin stays there.
    send(&w, &manager, "/admin/products/1", timed(&version().await, &hours(1), "")).await;
    manager.post("/admin/products/bulk", &[("product", "1"), ("act", "delete"), ("value", "")]).await;
    w.advance(HOUR);
    w.run_jobs().await;
    // Nor does anybody put it on the shelf there, from a page of before: nothing is said to have been done.
    let shelved = "select count(*) from audit_log where what like '%架商品%'";
    let before = w.count(shelved).await;
    for on in ["true", "false"] {
        manager.post("/admin/products/1/shelf", &[("on", on)]).await;
        assert!(manager.said("/admin/products").await.contains("商品在回收站里，没有动"), "{on}");
    }
    assert_eq!(w.count(shelved).await, before);
    manager.post("/admin/products/1/restore", &[]).await;
    assert!(!seen().await);
    assert_eq!(w.count("select count(*) from products where on_at is null and off_at is null").await, 1);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_edit_at_once_see_each_other() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let owner = w.staff("owner", Role::Owner).await;
    assert_eq!(send(&w, &owner, "/admin/products/1", form("青苹果", "1", "12.50")).await.0, 303);
    let (status, page) = send(&w, &manager, "/admin/products/1", form("红苹果", "1", "10.00")).await;
    assert_eq!(status, 422);
    for seen in ["同事刚刚修改过", "<td>红苹果</td><td>青苹果</td>", "¥10.00", "¥12.50", "name=\"version\" value=\"2\""]
    {
        assert!(page.contains(seen), "{seen}");
    }
    assert_eq!(w.get("/products/1").await.ok()["name"], "青苹果");
    assert_eq!(send(&w, &manager, "/admin/products/1", form("红苹果", "2", "10.00")).await.0, 303, "knowingly");
    let log = owner.page("/admin/audit?q=%E8%8B%B9%E6%9E%9C").await;
    assert!(log.contains("名称：青苹果 → 红苹果"), "before and after are in the log");
}

/// Pictures that a colleague has added meanwhile stay, whether or not the one who saves after him has changed his own.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleagues_pictures_outlive_who_saves_after_him() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let (manager, owner) = (w.staff("manager", Role::Manager).await, w.staff("owner", Role::Owner).await);
    let picture = |name: &str| {
        let file = std::fs::read(format!("{}/static/demo/{name}.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
        Part::bytes(file).file_name("a.jpg")
    };
    let named = |page: &str, name: &str| -> Vec<String> {
        let before = format!("name=\"{name}\" value=\"");
        let parts = page.split(before.as_str()).skip(1);
        parts.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let with = |page: &str, form: Form| {
        let form = named(page, "keep").into_iter().fold(form, |form, hash| form.text("keep", hash));
        named(page, "had").into_iter().fold(form, |form, hash| form.text("had", hash))
    };
    let version = async || w.count("select version from products").await.to_string();
    let saved = async |console: &Console<'_>, form: Form| send(&w, console, "/admin/products/1", form).await;
    assert_eq!(saved(&owner, form("苹果", "1", "10").part("images", picture("apple"))).await.0, 303);
    // Of the manager's pictures none is changed, one is added, and one is taken away.
    for (new, adds, drops, stand) in
        [("honey", None, false, 2), ("bread", Some("berrybox"), false, 4), ("greentea", None, true, 4)]
    {
        let (before, was) = (manager.page("/admin/products/1").await, version().await);
        let owners = with(&before, form("苹果", &was, "10")).part("images", picture(new));
        assert_eq!(saved(&owner, owners).await.0, 303);
        let mut mine = with(&before, form("红苹果", &was, "10"));
        if drops {
            let kept = named(&before, "keep").into_iter().skip(1);
            mine = kept.fold(form("红苹果", &was, "10"), |form, hash| form.text("keep", hash));
            mine = named(&before, "had").into_iter().fold(mine, |form, hash| form.text("had", hash));
        }
        let mine = adds.into_iter().fold(mine, |form, name| form.part("images", picture(name)));
        let (status, page) = saved(&manager, mine).await;
        assert_eq!(status, 422, "{adds:?} {drops}");
        let more = format!("多了 {} 张", if drops { 2 } else { 1 });
        assert!(page.contains(&more) && page.contains("：已经并到下面的图片里"), "{adds:?} {drops}: {page}");
        let again = with(&page, form("苹果", &version().await, "10"));
        assert_eq!(saved(&manager, again).await.0, 303, "{adds:?} {drops}");
        let now = w.get("/products/1").await.ok()["pictures"].as_array().unwrap().len();
        assert_eq!(now, stand, "{adds:?} {drops}");
    }
    let log = owner.page("/admin/audit?q=%E8%8B%B9%E6%9E%9C").await;
    assert!(log.contains("图片：1 张 → 2 张，多了 1 张"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_products_change_at_once_or_not_at_all() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 9).await, w.product("梨子", 5, 9).await);
    let manager = w.staff("manager", Role::Manager).await;
    let price = async |id: u32| w.get(&format!("/products/{id}")).await.ok()["skus"][0]["priceFen"].clone();
    let bulk = async |act: &str, value: &str, more: &[(&str, &str)]| {
        let mut form = vec![("product", "1"), ("product", "2"), ("act", act), ("value", value)];
        form.extend(more);
        manager.post("/admin/products/bulk", &form).await
    };
    for (act, value) in [
        ("percent", "-100"),
        ("percent", "x"),
        ("shift", "0"),
        ("limit", "0"),
        ("stock", "1.5"),
        ("fly", "1"),
        ("", "+5"),
    ] {
        assert_eq!(bulk(act, value, &[]).await.0, 303, "{act} {value}");
        assert!(manager.said("/admin/products").await.contains("flash error"), "{act} {value}");
    }
    // Prices are shown first.
    let shown =
        manager.page_of("/admin/products/bulk", &[("product", "1"), ("act", "percent"), ("value", "-15")]).await;
    assert!(shown.contains("¥10.00") && shown.contains("¥8.50"));
    assert_eq!(price(1).await, 1000);
    assert_eq!(bulk("percent", "-10", &[("confirmed", "true")]).await.0, 303);
    assert_eq!((price(1).await, price(2).await), (json!(900), json!(5)), "half a fen is rounded up");
    bulk("shift", "-0.05", &[("confirmed", "true")]).await;
    assert!(manager.said("/admin/products").await.contains("低于 0.01 元"));
    assert_eq!(price(1).await, 900, "all or nothing");
    bulk("shift", "+1", &[("confirmed", "true")]).await;
    assert_eq!((price(1).await, price(2).await), (json!(1000), json!(105)));
    bulk("stock", "-3", &[]).await;
    assert_eq!((w.stock(apple).await.0, w.stock(pear).await.0), (6, 6));
    bulk("stock", "-7", &[]).await;
    assert_eq!((w.stock(apple).await.0, w.stock(pear).await.0), (6, 6));
    bulk("limit", "2", &[]).await;
    assert_eq!(w.get("/products/1").await.ok()["skus"][0]["limitPerOrder"], 2);
    // What somebody has put into the bin meanwhile is named and left alone, and the rest is done.
    manager.post("/admin/products/bulk", &[("product", "2"), ("act", "delete")]).await;
    bulk("limit", "3", &[]).await;
    let said = manager.said("/admin/products").await;
    assert!(said.contains("1 个商品已改限购；「梨子」在回收站里，没有动"), "{said}");
    assert_eq!(w.get("/products/1").await.ok()["skus"][0]["limitPerOrder"], 3);
    manager.post("/admin/products/bulk", &[("product", "2"), ("act", "on")]).await;
    assert!(manager.said("/admin/products").await.contains("「梨子」在回收站里，没有改"));
    manager.post("/admin/products/2/restore", &[]).await;
    manager.post("/admin/products/2/shelf", &[("on", "true")]).await;
    // Off the shelf with one press, and back with another; what was off before stays off.
    manager.post("/admin/products/2/shelf", &[("on", "false")]).await;
    let (_, to) = bulk("off", "", &[]).await;
    assert_eq!(to, "/admin/products");
    assert_eq!(w.get("/products/1").await.error(), (404, "product_off_shelf"));
    let page = manager.said(&to).await;
    let id =
        page.split("action=\"/admin/undo\"").nth(1).and_then(|form| form.split("name=\"id\" value=\"").nth(1)).unwrap();
    manager.post("/admin/undo", &[("id", id.split('"').next().unwrap())]).await;
    assert_eq!(w.get("/products/1").await.ok()["name"], "苹果");
    assert_eq!(w.get("/products/2").await.error(), (404, "product_off_shelf"));
    assert!(!manager.page("/admin/products?undo=off.1").await.contains("撤销"), "an address takes nothing back");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_goes_out_is_edited_and_comes_back() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let csv = manager.page("/admin/products/export.csv").await;
    let edited = format!("{}梨子,,水果/应季,重量:5 斤,P-5,25.80,,7,,是\n", csv.replace("10.00", "11.00"));
    let file = |bytes: Vec<u8>, name: &'static str| Form::new().part("file", Part::bytes(bytes).file_name(name));
    let page = bring(&w, &manager, file(edited.into_bytes(), "a.csv")).await;
    assert!(page.contains("10.00") && page.contains("11.00") && page.contains("梨子"), "{page}");
    assert_eq!(w.get("/products/1").await.ok()["skus"][0]["priceFen"], 1100);
    assert_eq!(w.get("/products/2").await.ok()["skus"][0]["available"], 7);
    let page = bring(&w, &manager, file("商品名称,售价,库存\n桃子,贵,1\n".into(), "a.csv")).await;
    assert!(page.contains("第 2 行") && page.contains("售价请填金额，例如 19.90：「贵」不是金额"), "{page}");
    let several = ["a.csv", "b.csv"].into_iter().fold(Form::new(), |form, name| {
        form.part("file", Part::bytes(format!("商品名称,售价\n{name},1\n").into_bytes()).file_name(name))
    });
    let (status, page) = send(&w, &manager, "/admin/products/import", several).await;
    assert!(status == 200 && page.contains("这次来了 2 个，一个也没有用"), "{page}");
    let (status, page) = send(&w, &manager, "/admin/products/import", Form::new().text("x", "")).await;
    assert!(status == 200 && page.contains("请先选一个表格文件"), "{page}");
    let (status, page) = send(&w, &manager, "/admin/products/import", file("甲,乙\n1,2\n".into(), "a.csv")).await;
    assert!(status == 200 && page.contains("没有找到表头"), "{page}");
    let answer =
        w.http().get(w.at("/admin/products/export.xlsx")).header("Cookie", &manager.cookie).send().await.unwrap();
    let bytes = answer.bytes().await.unwrap().to_vec();
    let page = bring(&w, &manager, file(bytes, "a.xlsx")).await;
    assert!(page.contains("不变 2") && !page.contains("name=\"row\""), "reads what it wrote: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_in_stock_that_comes_a_second_time_is_told() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    w.product("梨子", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let told = "行的库存差额";
    let sent = async |rows: &str| {
        let head = if rows.contains("库存") { "" } else { "商品名称,售价,库存,导出时库存\n" };
        let part = Part::bytes(format!("{head}{rows}").into_bytes()).file_name("a.csv");
        bring(&w, &manager, Form::new().part("file", part)).await
    };
    for (rows, again, stock) in [
        ("苹果,10,7,9\n梨子,10,9,9\n", None, 7),
        // The same once more, and with another cell mended.
        ("苹果,10,7,9\n梨子,10,9,9\n", Some("有 1 行的库存差额"), 5),
        ("苹果,11,7,9\n", Some("有 1 行的库存差额"), 3),
        // Another difference, and a number that is no difference.
        ("苹果,11,4,3\n", None, 4),
        ("苹果,11,7,\n", None, 7),
        // From the same stock to another, under other columns, and with the numbers in other words.
        ("苹果,11,8,9\n", Some("有 1 行的库存差额"), 6),
        ("库存,导出时库存,商品名称\n7.0,9.0,苹果\n", Some("有 1 行的库存差额"), 4),
        ("商品名称,商家编码,库存,导出时库存\n苹果,APPLE,6,5\n", None, 5),
        ("商家编码,库存,导出时库存\nAPPLE,7,5\n", Some("有 1 行的库存差额"), 7),
    ] {
        let page = sent(rows).await;
        assert_eq!(page.contains(told), again.is_some(), "{rows}: {page}");
        assert_eq!(page.contains("value=\"0\" checked"), again.is_none(), "{rows}: {page}");
        assert!(again.is_none_or(|words| page.contains(words) && page.contains("第 2 行。再导入")), "{rows}: {page}");
        assert_eq!(w.stock(sku).await.0, stock, "{rows}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_that_would_cost_nothing_wait_for_somebodys_tick() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let table = "商品名称,售价,库存\n".to_owned()
        + "苹果,0.00,9\n梨子,0,5\n桃子,5,5\n"
        + &(0..300).map(|n| format!("杂{n},1,1\n")).collect::<String>()
        + "李子,￥0,5\n";
    let page = bring(&w, &manager, Form::new().part("file", Part::bytes(table.into_bytes()).file_name("a.csv"))).await;
    let ticked = |at: usize| page.contains(&format!("name=\"row\" value=\"{at}\" checked"));
    assert_eq!([0, 1, 2, 3, 303].map(ticked), [false, false, true, true, false], "{page}");
    assert_eq!(page.matches("售价是 0 元").count(), 3, "however far down it stands: {page}");
    assert!(page.contains("name=\"rest\" value=\"300-302\""), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_table_the_first_rows_are_listed_and_the_others_ticked_together() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    let rows =
        (0..308).map(|n| format!("商品{n},{}.00,5\n", if n == 3 { "x".to_owned() } else { (n + 1).to_string() }));
    let table = format!("商品名称,售价,库存\n{}", rows.collect::<String>());
    let file = Form::new().part("file", Part::bytes(table.into_bytes()).file_name("a.csv"));
    let request = w.http().post(w.at("/admin/products/import")).header("Cookie", &manager.cookie).multipart(file);
    let at = request.send().await.unwrap().headers()["Location"].to_str().unwrap().to_owned();
    let page = manager.page(&at).await;
    assert_eq!(page.matches("name=\"row\"").count(), 300);
    assert!(page.contains("新增 307") && page.contains("还有 7 行"), "{page}");
    assert!(page.contains("name=\"rest\" value=\"301-307\"") && page.contains("第 303 行到第 309 行之间"), "{page}");
    assert_eq!(manager.page(&format!("{at}?all=true")).await.matches("name=\"row\"").count(), 307);
    // Only one that is listed, and the others but for two; beyond the table there is nothing.
    manager.post(&format!("{at}/run"), &[("row", "5"), ("rest", "301,304-307"), ("rest", "900-99999999999")]).await;
    assert_eq!(w.count("select count(*) from products").await, 6);
    assert!(manager.page(&at).await.contains("新增 301"));
    manager.post(&format!("{at}/run"), &[("rest", "x-3,,-,9-8")]).await;
    assert!(manager.said(&at).await.contains("没有勾选任何一行"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_changes_with_a_reason_and_a_history() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 2).await;
    let manager = w.staff("manager", Role::Manager).await;
    let (page, sku_id) = ("/admin/products/1/stock", sku.to_string());
    let count = async |on_hand: &str, was: &str, reason: &str| {
        let row = [("rows[0].sku", sku_id.as_str()), ("rows[0].on_hand", on_hand), ("rows[0].was", was)];
        let form = [&row[..], &[("reason", reason), ("note", "货架三")]].concat();
        manager.post(page, &form).await;
        manager.said(page).await
    };
    for (on_hand, reason, problem) in [
        ("一", "盘点", "0 或正整数"),
        ("1", "盘点", "占用的 2 件"),
        ("-8", "损耗", "占用的 2 件"),
        ("5", "偷懒", "选择原因"),
    ] {
        assert!(count(on_hand, "9", reason).await.contains(problem), "{on_hand} {reason}");
    }
    let long = "长".repeat(101);
    let row = [("rows[0].sku", sku_id.as_str()), ("rows[0].on_hand", "12"), ("rows[0].was", "9")];
    let form = [&row[..], &[("reason", "盘点"), ("note", &long)]].concat();
    manager.post(page, &form).await;
    assert!(manager.said(page).await.contains("备注最多 100 个字"), "nothing of what was written is cut off");
    assert!(count("12", "9", "盘点").await.contains("库存 9 → 12"));
    count("+5", "12", "进货").await;
    count("-1", "17", "损耗").await;
    assert_eq!(w.stock(sku).await, (16, 2));
    // Counted while an order left: the difference is what was meant.
    manager.ship(&format!("/admin/orders/{}", placed.no)).await;
    count("16", "16", "盘点").await;
    assert_eq!(w.stock(sku).await, (14, 0));
    let page = manager.page(page).await;
    for seen in [
        "盘点：货架三",
        "下单占用",
        "发货",
        "+5",
        &placed.no,
        "manager",
        "soft\">17</td>",
        "soft\">14</td>",
        "在库的变化",
    ] {
        assert!(page.contains(seen), "{seen}");
    }
    w.must_hold().await;
    // Low stock is a tab.
    count("4", "14", "损耗").await;
    assert!(manager.page("/admin/products?tab=low").await.contains("苹果"));
}

/// One press for all rows, each by its own difference: all of it or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn several_kinds_are_counted_in_one_go() {
    let w = World::new().await;
    let (small, large) = super::returns::two_sizes(&w, 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let at = "/admin/products/1/stock";
    let (m, l) = (small.to_string(), large.to_string());
    let count = async |one: &str, two: &str| {
        let form = [
            ("rows[0].sku", m.as_str()),
            ("rows[0].was", "9"),
            ("rows[0].on_hand", one),
            ("rows[1].sku", l.as_str()),
            ("rows[1].was", "9"),
            ("rows[1].on_hand", two),
            ("reason", "盘点"),
        ];
        manager.post(at, &form).await;
        (manager.said(at).await, w.stock(small).await.0, w.stock(large).await.0)
    };
    for (one, two, words, after) in [
        ("20", "一", "data-wrong=\"rows[1].on_hand\"", (9, 9)),
        ("20", "-10", "L：库存不能少于已被订单占用的 0 件，没有改任何一格", (9, 9)),
        ("", " ", "没有改动", (9, 9)),
        ("", "+3", "库存 L 9 → 12", (9, 12)),
        // What was 9 when the page was made: somebody counts one less than that.
        ("15", "8", "库存 M 9 → 15，L 12 → 11", (15, 11)),
    ] {
        let (said, small, large) = count(one, two).await;
        assert!(said.contains(words), "{one} {two}: {said}");
        assert_eq!((small, large), after, "{one} {two}");
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn categories_are_two_levels_in_the_shops_own_order() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let post = async |path: &str, form: &[(&str, &str)]| {
        manager.post(path, form).await;
        manager.said("/admin/categories").await
    };
    for name in ["水果", "糕点", "茶"] {
        post("/admin/categories", &[("name", name)]).await;
    }
    post("/admin/categories", &[("name", "苹果类"), ("parent", "1")]).await;
    for (name, parent, problem) in [("水果", "", "已经有分类"), ("", "", "1 到 20"), ("太深", "4", "最多两级")]
    {
        assert!(post("/admin/categories", &[("name", name), ("parent", parent)]).await.contains(problem), "{problem}");
    }
    let names = async || {
        let items = w.get("/categories").await.ok()["items"].clone();
        items.as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    post("/admin/categories/3/move", &[("up", "true")]).await;
    assert_eq!(names().await, ["水果", "茶", "糕点"]);
    for (after, order) in [("9", ["茶", "糕点", "水果"]), ("0", ["水果", "茶", "糕点"])] {
        post("/admin/categories/1/move", &[("after", after)]).await;
        assert_eq!(names().await, order, "dropped where {after} stand before it");
    }
    // Under another one and out again; two levels are all there are, and no name stands twice on one.
    for (id, under, said) in [
        (3, "2", "「茶」移到「糕点」下面"),
        (1, "2", "下面还有小类"),
        (2, "3", "最多两级"),
        (2, "2", "最多两级"),
        (3, "9", "没有找到"),
        (3, "", "「茶」移到最上层"),
    ] {
        let answer = post(&format!("/admin/categories/{id}/move"), &[("under", under)]).await;
        assert!(answer.contains(said), "{id} under {under}: {answer}");
    }
    assert_eq!(names().await, ["水果", "糕点", "茶"], "behind those that are there");
    post("/admin/categories", &[("name", "苹果类")]).await;
    assert!(post("/admin/categories/5/move", &[("under", "1")]).await.contains("那里已经有分类"));
    post("/admin/categories/5/delete", &[]).await;
    post("/admin/categories/3/move", &[("up", "true")]).await;
    assert_eq!(names().await, ["水果", "茶", "糕点"]);
    post("/admin/categories/2", &[("name", "蛋糕")]).await;
    assert_eq!(names().await, ["水果", "茶"], "hidden without its tick");
    // A page of before takes back nothing that a colleague has changed since, and changes what was changed on it.
    let old = async |name: &str, was: &str, [visible, was_visible]: [&str; 2]| {
        let form = [("name", name), ("visible", visible), ("was", was), ("was_visible", was_visible)];
        post("/admin/categories/3", &form).await
    };
    old("红茶", "茶", ["true", "true"]).await;
    assert!(old("茶", "茶", ["false", "true"]).await.contains("分类「红茶」改为隐藏"));
    assert!(old("绿茶", "茶", ["false", "false"]).await.contains("「茶」刚被改成了「红茶」：请再看一遍"));
    assert!(old("茶叶", "红茶", ["true", "true"]).await.contains("分类「红茶」改名为「茶叶」"));
    assert!(old("茶", "茶叶", ["true", "false"]).await.contains("分类「茶叶」改名为「茶」，改为显示"));
    assert!(manager.page("/admin/categories").await.contains("name=\"was\" value=\"茶\""));
    manager.post("/admin/products/bulk", &[("product", "1"), ("act", "category"), ("category", "4")]).await;
    // Deleting asks first, and says what would move; no place for it is chosen beforehand.
    let asked = manager.page("/admin/categories/4/delete").await;
    assert!(asked.contains("<b>1</b> 个商品（苹果）") && asked.contains("<option value=\"\">请选择"), "{asked}");
    assert!(manager.page("/admin/categories/1/delete").await.contains("下面还有小类：苹果类"));
    assert!(!manager.page("/admin/categories").await.contains("action=\"/admin/categories/4/delete\""));
    assert!(post("/admin/categories/1/delete", &[]).await.contains("下面还有小类"));
    assert!(post("/admin/categories/4/delete", &[]).await.contains("还有 1 个商品"));
    post("/admin/categories/4/delete", &[("to", "3")]).await;
    post("/admin/categories/1/delete", &[]).await;
    assert_eq!(names().await, ["茶"]);
    assert!(w.get("/products?categoryId=3").await.ok()["items"][0]["name"] == "苹果");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_product_waits_in_the_bin() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    let manager = w.staff("manager", Role::Manager).await;
    manager.post("/admin/products/bulk", &[("product", "1"), ("act", "delete")]).await;
    assert_eq!(alice.buy(sku, 1).await.error(), (404, "product_off_shelf"));
    assert_eq!(
        alice.get(&format!("/orders/{}", placed.no)).await.ok()["lines"][0]["name"],
        "苹果",
        "the order keeps it"
    );
    assert!(!manager.page("/admin/products?tab=off").await.contains("苹果"), "it is not merely off the shelf");
    assert!(manager.page("/admin/products?tab=bin").await.contains("苹果"));
    // Nothing brings it to buyers while it is there: neither its form, nor the switch, nor many at once.
    let (status, page) = send(&w, &manager, "/admin/products/1", form("苹果", "2", "10.00")).await;
    assert!(status == 422 && page.contains("回收站"), "{status} {page}");
    manager.post("/admin/products/1/shelf", &[("on", "true")]).await;
    manager.post("/admin/products/bulk", &[("product", "1"), ("act", "on")]).await;
    assert_eq!(w.get("/products").await.ok()["items"].as_array().unwrap().len(), 0);
    // Its name is free meanwhile; then it cannot come back under it.
    w.product("苹果", 500, 1).await;
    manager.post("/admin/products/1/restore", &[]).await;
    assert!(manager.said("/admin/products").await.contains("已有另一个叫「苹果」的商品"));
    assert_eq!(send(&w, &manager, "/admin/products/2", form("青苹果", "1", "5.00")).await.0, 303);
    manager.post("/admin/products/1/restore", &[]).await;
    assert!(manager.page("/admin/products?tab=off").await.contains("苹果"), "off the shelf, to be looked at first");
    manager.post("/admin/products/1/shelf", &[("on", "true")]).await;
    assert_eq!(alice.buy(sku, 1).await.status, 201);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_listed_in_the_order_that_is_asked_for() {
    let w = World::new().await;
    for n in 0..25_i64 {
        w.product(&format!("货{n:02}"), 100 + (n * 7 % 25) * 100, 1).await;
    }
    let manager = w.staff("manager", Role::Manager).await;
    let mut seen = Vec::new();
    let mut address = "/admin/products?sort=price_asc".to_owned();
    for _ in 0..2 {
        let page = manager.page(&address).await;
        let price = |part: &str| part.split('<').next().unwrap().parse::<f64>().unwrap();
        seen.extend(page.split("<span class=\"amount\">¥").skip(1).map(price));
        let Some(next) = page.split("after=").nth(1) else { break };
        address = format!("/admin/products?sort=price_asc&after={}", next.split('"').next().unwrap());
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted(), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_begins_with_everything_but_name_codes_and_stock() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 2).await;
    w.advance(30 * xiaopu::clock::DAY);
    let bob = w.buyer("bob").await;
    w.paid(&bob, sku, 1).await;
    let manager = w.staff("manager", Role::Manager).await;
    let list = manager.page("/admin/products").await;
    assert!(list.contains("30 天售 1<br><small>共 3</small>") && list.contains("/admin/products/new?copy=1"), "{list}");
    let form = manager.page("/admin/products/new?copy=1").await;
    for begun in
        ["value=\"苹果（副本）\"", "name=\"skus[0].price\" value=\"10.00\"", "name=\"skus[0].on_hand\" value=\"\""]
    {
        assert!(form.contains(begun), "{begun} in {form}");
    }
    assert!(!form.contains("name=\"on_shelf\" value=\"true\" checked"), "it is put on the shelf when it is ready");
    for unknown in ["9", "x"] {
        assert_eq!(manager.get(&format!("/admin/products/new?copy={unknown}")).await.0, 404);
    }
    // Sent as it stands, it is another product.
    let copy = Form::new().text("name", "苹果（副本）").text("skus[0].price", "10.00").text("skus[0].enabled", "true");
    assert_eq!(send(&w, &manager, "/admin/products", copy).await.0, 303);
    assert_eq!(w.count("select count(*) from products").await, 2);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn price_and_stock_are_changed_in_the_list() {
    let w = World::new().await;
    let id = w.product("苹果", 1000, 9).await;
    let sku = id.to_string();
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let fields = manager.page("/admin/products/1/quick").await;
    assert!(fields.contains("value=\"10.00\"") && fields.contains("value=\"9\""), "{fields}");
    let send = async |price: &str, on_hand: &str, back: &str| {
        let form = [
            ("skus[0].id", sku.as_str()),
            ("skus[0].was_price", "10.00"),
            ("skus[0].price", price),
            ("skus[0].was", "9"),
            ("skus[0].on_hand", on_hand),
            ("reason", "进货"),
            ("back", back),
        ];
        manager.post("/admin/products/1/quick", &form).await.1
    };
    // A piece went away since the fields were shown: what was typed is the difference that somebody meant.
    let placed = w.paid(&alice, id, 1).await;
    manager.ship(&format!("/admin/orders/{}", placed.no)).await;
    assert_eq!(send("12.5", "19", "/admin/products?tab=on&q=x").await, "/admin/products?tab=on&q=x");
    assert!(manager.said("/admin/products").await.contains("¥10.00 → ¥12.50，库存 8 → 18"));
    assert_eq!(w.get("/products/1").await.ok()["skus"][0]["priceFen"], 1250);
    assert_eq!(send("10.00", "9", "https://evil.example").await, "/admin");
    assert!(manager.said("/admin/products").await.contains("没有改动"));
    for (price, on_hand, words) in [("x", "9", "售价请填金额"), ("10.00", "-1", "库存「-1」不是 0 或正整数")]
    {
        send(price, on_hand, "").await;
        assert!(manager.said("/admin/products").await.contains(words), "{words}");
    }
    let clerk = w.staff("clerk", Role::Clerk).await;
    assert_eq!(clerk.get("/admin/products/1/quick").await.0, 403);
    w.must_hold().await;
}

/// Addresses that a form leads to can be opened again, or sent to a colleague.
#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_every_second_screen_can_be_opened() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let placed = w.paid(&w.buyer("alice").await, sku, 1).await;
    let owner = w.staff("owner", Role::Owner).await;
    let order = format!("/admin/orders/{}", placed.no);
    for (path, to) in [
        (format!("{order}/reveal"), order.clone()),
        ("/admin/products/bulk".into(), "/admin/products".into()),
        ("/admin/orders/bulk".into(), "/admin/orders".into()),
        (format!("/admin/refunds/{}R01/approve", placed.no), format!("/admin/refunds/{}R01", placed.no)),
    ] {
        let request = w.http().get(w.at(&path)).header("Cookie", &owner.cookie);
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, to.as_str()));
    }
}

/// On sale, of these low and sold out, off the shelf, in the bin.
const EACH: &str = "select count(*) filter (where on_sale), count(*) filter (where on_sale and is_low),
         count(*) filter (where on_sale and not has_stock), count(*) filter (where not on_sale and not in_bin),
         count(*) filter (where in_bin)
    from (select p.on_shelf = 1 and s.id is not null as on_sale, p.deleted_at is not null as in_bin,
                 max(s.on_hand > s.reserved) as has_stock, max(s.on_hand - s.reserved between 1 and 5) as is_low
            from products p left join skus s on s.product_id = p.id and s.enabled = 1
           group by p.id)";

/// They are kept as products change, and agree with counting all of them.
#[tokio::test(flavor = "multi_thread")]
async fn how_many_products_stand_where_is_right_after_each_change() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    let alice = w.buyer("alice").await;
    let counted = async || {
        let read = |conn: &rusqlite::Connection| {
            let counts = shelf_counts(conn, 5)?;
            let kept = [counts.on, counts.low, counts.sold_out, counts.off, counts.bin];
            let one_by_one =
                conn.query_row(EACH, [], |row| Ok([0, 1, 2, 3, 4].map(|n| row.get::<_, i64>(n).unwrap())))?;
            Ok::<_, Error>((kept, one_by_one))
        };
        let (kept, one_by_one) = w.shop.db.read(read).await.unwrap();
        assert_eq!(kept, one_by_one);
        kept
    };
    assert_eq!(counted().await, [0; 5]);
    let apple = w.product("苹果", 1000, 9).await;
    w.product("雪梨", 700, 99).await;
    assert_eq!(counted().await, [2, 0, 0, 0, 0]);
    alice.buy(apple, 5).await;
    assert_eq!(counted().await, [2, 1, 0, 0, 0]);
    alice.buy(apple, 4).await;
    assert_eq!(counted().await, [2, 0, 1, 0, 0]);
    manager.post("/admin/products/2/shelf", &[("on", "false")]).await;
    assert_eq!(counted().await, [1, 0, 1, 1, 0]);
    manager.post("/admin/products/bulk", &[("product", "2"), ("act", "delete"), ("value", "")]).await;
    assert_eq!(counted().await, [1, 0, 1, 0, 1]);
    manager.post("/admin/products/2/restore", &[]).await;
    assert_eq!(counted().await, [1, 0, 1, 1, 0]);
}
