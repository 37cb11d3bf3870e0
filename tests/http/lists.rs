//! Lists in the console: put in order as a whole, page by page, with the columns somebody chose and may see.

use reqwest::multipart::Form;
use serde_json::json;
use xiaopu::catalogue::store as catalogue;
use xiaopu::error::Error;
use xiaopu::staff::Role;

use crate::support::*;

/// What stands in a page's rows, in the order of the rows.
fn named<'n>(page: &str, names: &[&'n str]) -> Vec<&'n str> {
    let list = page.split_once("id=\"list\"").unwrap().1;
    let mut found: Vec<(usize, &str)> = names.iter().filter_map(|name| Some((list.find(name)?, *name))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).collect()
}

/// Where the next page is, if there is one.
fn next(page: &str) -> Option<String> {
    let (before, _) = page.split_once(">下一页")?;
    let address = before.rsplit_once("href=\"?")?.1.split('"').next()?;
    Some(address.replace("&amp;", "&"))
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_stand_as_a_whole_in_the_order_that_was_asked_for() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let mut orders = Vec::new();
    // Amounts alike stand by their age.
    for (n, fen) in [3000, 1000, 2000, 1000, 3000].into_iter().enumerate() {
        let sku = w.product(&format!("商品{n}"), fen, 9).await;
        orders.push(w.paid(&alice, sku, 1).await.no);
        w.advance(MINUTE);
    }
    let names: Vec<&str> = orders.iter().map(String::as_str).collect();
    let clerk = w.staff("clerk", Role::Clerk).await;
    for (query, order) in [
        ("", [4, 3, 2, 1, 0]),
        ("sort=oldest", [0, 1, 2, 3, 4]),
        ("sort=dearest", [4, 0, 2, 3, 1]),
        ("sort=cheapest", [1, 3, 2, 0, 4]),
        // Who has waited longest is shipped first, unless somebody said otherwise.
        ("tab=to_ship", [0, 1, 2, 3, 4]),
        ("unprinted=true", [0, 1, 2, 3, 4]),
        ("tab=to_ship&sort=newest", [4, 3, 2, 1, 0]),
        ("tab=to_ship&sort=dearest", [4, 0, 2, 3, 1]),
        ("tab=to_ship&sort=longest", [0, 1, 2, 3, 4]),
        ("tab=to_ship&sort=shortest", [4, 3, 2, 1, 0]),
        ("days=today&sort=oldest", [0, 1, 2, 3, 4]),
        ("days=today&sort=cheapest", [1, 3, 2, 0, 4]),
        ("q=%E5%95%86%E5%93%81&sort=oldest", [0, 1, 2, 3, 4]),
        ("q=%E5%95%86%E5%93%81&sort=dearest", [4, 0, 2, 3, 1]),
        ("sort=paid", [4, 3, 2, 1, 0]),
        ("sort=paid_first", [0, 1, 2, 3, 4]),
        ("tab=to_ship&sort=paid_first", [0, 1, 2, 3, 4]),
        ("sort=freight", [4, 3, 2, 1, 0]),
        ("days=today&sort=freight_least", [0, 1, 2, 3, 4]),
        ("sort=pieces_fewest", [0, 1, 2, 3, 4]),
        ("sort=state", [0, 1, 2, 3, 4]),
        ("sort=state_last", [4, 3, 2, 1, 0]),
        // Nobody waits in a list of all orders, and what is no order is none.
        ("sort=longest", [4, 3, 2, 1, 0]),
        ("sort=dear", [4, 3, 2, 1, 0]),
        ("sort=dearest&after=x-y", [4, 0, 2, 3, 1]),
    ] {
        for view in ["cards", "table"] {
            let page = clerk.page(&format!("/admin/orders?{query}&view={view}")).await;
            assert_eq!(named(&page, &names), order.map(|n| names[n]), "{query} {view}");
        }
    }
    // What says nothing narrows nothing, and is no chip.
    for nothing in ["from=abc", "to=2026-13-01", "days=99", "slot=soon", "flag=pink", "delivery=drone"] {
        let page = clerk.page(&format!("/admin/orders?{nothing}")).await;
        assert_eq!(named(&page, &names).len(), names.len(), "{nothing}");
        assert!(!page.contains("去掉筛选：") && !page.contains("?&amp;"), "{nothing}");
    }
    // A head says how the list stands, and its link turns it round.
    let page = clerk.page("/admin/orders?view=table&sort=dearest").await;
    assert!(page.contains("aria-sort=\"descending\"><a href=\"?sort=cheapest\""), "{page}");
    // What somebody chose goes with him from tab to tab, and back, as long as it means something there.
    let tab = |page: &str, word: &str| page.contains(&format!("href=\"?{word}\""));
    let page = clerk.page("/admin/orders?tab=to_ship&sort=shortest").await;
    assert!(tab(&page, "tab=to_ship&amp;sort=shortest") && tab(&page, "tab=shipped"), "{page}");
    let page = clerk.page("/admin/orders?tab=shipped&sort=dearest").await;
    assert!(tab(&page, "tab=to_ship&amp;sort=dearest"), "{page}");
    let page = clerk.page("/admin/orders?tab=to_ship&view=table").await;
    assert!(page.contains("aria-sort=\"descending\"><a href=\"?tab=to_ship&amp;sort=shortest\""), "{page}");
    // Slips lie as they were asked for.
    let order = [1, 3, 0, 4, 2].map(|n| format!("order={}", names[n])).join("&");
    let slips = clerk.page(&format!("/admin/print/slips?{order}")).await;
    let slips = slips.split_once("<main").map_or(&*slips, |(_, slips)| slips);
    let at: Vec<_> = [1, 3, 0, 4, 2].iter().map(|n| slips.rfind(&format!("商品{n}")).unwrap()).collect();
    assert!(at.is_sorted(), "{at:?} {slips}");
    // Whoever goes through the list goes on in its order.
    let page = clerk.page(&format!("/admin/orders/{}?list=tab%3Dto_ship", names[1])).await;
    assert!(page.contains(&format!("/admin/orders/{}?list=", names[2])) && page.contains("第 2 / 5 单"), "{page}");
    let page = clerk.page(&format!("/admin/orders/{}?list=tab%3Dto_ship%26sort%3Dlongest", names[1])).await;
    assert!(page.contains(&format!("/admin/orders/{}?list=", names[2])) && page.contains("第 2 / 5 单"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_begins_where_the_last_one_ended_whatever_comes_in_meanwhile() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let (cheap, dear) = (w.product("便宜", 1000, 99).await, w.product("贵", 9000, 99).await);
    let mut numbers = Vec::new();
    for n in 0..23 {
        numbers.push(Placed::of(alice.buy(if n % 3 == 0 { dear } else { cheap }, 1).await).no);
    }
    let names: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let clerk = w.staff("clerk", Role::Clerk).await;
    for sort in [
        "newest",
        "oldest",
        "dearest",
        "cheapest",
        "paid",
        "paid_first",
        "freight",
        "freight_least",
        "pieces",
        "pieces_fewest",
        "state",
        "state_last",
    ] {
        let first = clerk.page(&format!("/admin/orders?sort={sort}")).await;
        let mut seen = named(&first, &names);
        // It would stand first in two of the four.
        Placed::of(alice.buy(dear, 1).await);
        let second = clerk.page(&format!("/admin/orders?{}", next(&first).unwrap())).await;
        assert!(second.contains("回到开头"));
        seen.extend(named(&second, &names));
        assert_eq!(seen.len(), 23, "{sort}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 23, "each of them once, {sort}");
    }
}

/// Every column with an order of its own stands in it as a whole, page by page, by its head.
#[tokio::test(flavor = "multi_thread")]
async fn each_head_puts_the_whole_list_in_order() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let sku = w.product("苹果", 1000, 999).await;
    let mut all: Vec<(String, [i64; 5])> = Vec::new();
    let mut random = 7_i64;
    for n in 0..25 {
        random = (random * 75 + 74) % 65_537;
        let no = w.paid(&alice, sku, 1 + random % 3).await.no;
        // Times alike, freight for nothing and every state are among them.
        let (freight, paid) = ([0, 500, 800][n % 3], (n % 7 > 0).then_some(1_000_000 + random % 4));
        let status = ["pending_payment", "to_ship", "shipped", "completed", "closed"][(random % 5) as usize];
        let (of, closed) = (no.clone(), (status == "closed").then_some(1));
        let write = move |tx: &xiaopu::db::Tx| {
            tx.execute(
                "update orders set freight_fen = ?2, total_fen = goods_fen + ?2, paid_at = ?3, status = ?4,
                        closed_at = ?5, closed_reason = iif(?5 is null, null, 'timeout') where order_no = ?1",
                rusqlite::params![of, freight, paid, status, closed],
            )?;
            Ok::<_, Error>(())
        };
        w.shop.db.write(write).await.unwrap();
        let pieces = w
            .count(format!(
                "select sum(quantity) from order_lines l join orders o on o.id = l.order_id where order_no = '{no}'"
            ))
            .await;
        all.push((no, [n as i64, paid.unwrap_or(0), pieces, freight, (random % 5)]));
    }
    let names: Vec<&str> = all.iter().map(|(no, _)| no.as_str()).collect();
    let owner = w.staff("owner", Role::Owner).await;
    let columns: Vec<(&str, &str)> =
        ["no", "placed", "paid", "pieces", "freight", "total", "state"].map(|word| ("column", word)).into();
    owner.post("/admin/account/lists", &[&[("back", "/admin"), ("columns_of", "orders")], &columns[..]].concat()).await;
    for (head, key, [first, other]) in [
        ("订单号", 0, ["newest", "oldest"]),
        ("下单", 0, ["newest", "oldest"]),
        ("付款", 1, ["paid", "paid_first"]),
        ("件数", 2, ["pieces", "pieces_fewest"]),
        ("运费", 3, ["freight", "freight_least"]),
        ("状态", 4, ["state", "state_last"]),
    ] {
        for (sort, to) in [(first, other), (other, first)] {
            let rises = !matches!(sort, "newest" | "paid" | "pieces" | "freight" | "state_last");
            let mut expected: Vec<([i64; 2], &str)> =
                all.iter().map(|(no, keys)| ([keys[key], keys[0]], no.as_str())).collect();
            expected.sort_unstable();
            if !rises {
                expected.reverse();
            }
            let page = owner.page(&format!("/admin/orders?view=table&sort={sort}")).await;
            let said = if rises { "ascending" } else { "descending" };
            // Two columns stand for the order in which orders were placed; the list is in order by one.
            let mark = if head == "订单号" { String::new() } else { format!(" aria-sort=\"{said}\"") };
            let link = format!("\"col\"{mark}><a href=\"?sort={to}\" title=\"给全部订单排序\">{head}</a>");
            assert!(page.replace(" class=\"num\"", "").contains(&link), "{link} in {page}");
            assert_eq!(page.matches("aria-sort").count(), 1, "{sort}");
            let mut seen = named(&page, &names);
            let rest = owner.page(&format!("/admin/orders?view=table&{}", next(&page).unwrap())).await;
            seen.extend(named(&rest, &names));
            assert_eq!(seen, expected.iter().map(|(_, no)| *no).collect::<Vec<_>>(), "{sort}");
            // Whoever steps through the list goes the same way.
            let at = owner.page(&format!("/admin/orders/{}?list=sort%3D{sort}", seen[3])).await;
            assert!(at.contains(&format!("/admin/orders/{}?list=", seen[4])) && at.contains("第 4 / 25 单"), "{sort}");
        }
    }
    // Where all are in one state, that head sorts nothing.
    assert!(owner.page("/admin/orders?view=table&tab=completed").await.contains("<th scope=\"col\">状态</th>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_chosen_for_good_and_packers_see_no_money() {
    let w = World::new().await;
    let sku = w.product("苹果", 1234, 9).await;
    w.paid(&w.buyer("alice").await, sku, 1).await;
    let (clerk, packer) = (w.staff("clerk", Role::Clerk).await, w.staff("packer", Role::Packer).await);
    let table = "/admin/orders?view=table";
    let heads =
        |page: &str, text: &str| page.contains(&format!(">{text}</a>")) || page.contains(&format!(">{text}</th>"));
    let page = clerk.page(table).await;
    assert!(heads(&page, "应付") && heads(&page, "地区") && !heads(&page, "件数"));
    let choice =
        [("back", table), ("columns_of", "orders"), ("column", "pieces"), ("column", "total"), ("column", "<b>")];
    assert_eq!(clerk.post("/admin/account/lists", &choice).await, (303, table.to_owned()));
    let page = clerk.page(table).await;
    assert!(heads(&page, "应付") && heads(&page, "件数") && !heads(&page, "地区"), "{page}");
    // They are one's own, and come back as they were.
    assert_eq!(packer.post("/admin/account/lists", &choice).await.0, 303);
    for view in [table, "/admin/orders?view=cards", "/admin/orders?view=table&sort=dearest"] {
        let page = packer.page(view).await;
        assert!(!page.contains("12.34") && !page.contains("应付") && !page.contains('¥'), "{view}");
    }
    clerk.post("/admin/account/lists", &[("back", table), ("columns_of", "orders")]).await;
    assert!(heads(&clerk.page(table).await, "地区"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_seldom_needed_opens_over_the_list_when_it_is_asked_for() {
    let w = World::new().await;
    let sku = w.product("苹果", 1234, 9).await;
    w.paid(&w.buyer("alice").await, sku, 1).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    for (list, panel, words) in [
        ("/admin/orders?tab=to_ship", "filter", "存为视图"),
        ("/admin/orders?view=table", "columns", "显示这些列"),
        ("/admin/products?tab=on", "columns", "显示这些列"),
    ] {
        assert!(!clerk.page(list).await.contains(words), "{list}");
        let open = clerk.page(&format!("{list}&panel={panel}")).await;
        assert!(open.contains(words) && open.contains("苹果"), "{list} {panel}");
        // What was opened stays with the page that it was opened on.
        assert!(!open.contains("panel=columns&") && !open.contains("panel=filter&"), "{open}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_stand_in_order_by_their_heads() {
    let w = World::new().await;
    let alice = w.buyer("alice").await;
    let mut skus = Vec::new();
    for (name, fen, stock) in [("苹果", 2000, 9), ("梨子", 1000, 3), ("桃子", 3000, 7)] {
        skus.push(w.product(name, fen, stock).await);
    }
    w.paid(&alice, skus[1], 1).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let (apple, pear, peach) = ("苹果", "梨子", "桃子");
    for (sort, order) in [
        ("newest", [peach, pear, apple]),
        ("price_desc", [peach, apple, pear]),
        ("price_asc", [pear, apple, peach]),
        ("scarcest", [pear, peach, apple]),
        ("fullest", [apple, peach, pear]),
        ("sales", [pear, peach, apple]),
        ("slowest", [apple, peach, pear]),
    ] {
        let page = clerk.page(&format!("/admin/products?sort={sort}")).await;
        assert_eq!(named(&page, &[apple, pear, peach]), order, "{sort}");
    }
    let page = clerk.page("/admin/products?sort=scarcest&category=&q=").await;
    assert!(page.contains("aria-sort=\"ascending\"><a href=\"?tab=on&amp;sort=fullest\""), "{page}");
    // Buyers are not told how much there is.
    assert_eq!(w.get("/products?sort=scarcest").await.error().0, 422);
    let back = "/admin/products";
    clerk.post("/admin/account/lists", &[("back", back), ("columns_of", "products"), ("column", "market")]).await;
    let page = clerk.page(back).await;
    assert!(page.contains(">划线价</th>") && !page.contains(">售价</a>"), "{page}");
}

fn sku(form: Form, i: usize, fields: &[(&str, &str)]) -> Form {
    let named = |field: &str| format!("skus[{i}].{field}");
    let form = form.text(named("enabled"), "true");
    fields.iter().fold(form, |form, (field, value)| form.text(named(field), (*value).to_owned()))
}

async fn send(w: &World, staff: &Console<'_>, path: &str, form: Form) -> (u16, String) {
    let request = w.http().post(w.at(path)).header("Cookie", &staff.cookie).multipart(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A phone's own format comes from a desk's browser as it is: it is called by its name, with the way out.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_script_is_told_why_a_picture_is_not_taken() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    for (bytes, named) in [
        (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "HEIC"),
        (&b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"[..], "AVIF"),
        (&b"hello"[..], "JPG"),
    ] {
        let picture = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name("a");
        let request = w.http().post(w.at("/admin/products/pictures")).header("Cookie", &manager.cookie);
        let answer = request.multipart(Form::new().part("image", picture)).send().await.unwrap();
        assert_eq!(answer.status(), 422, "{named}");
        let told: serde_json::Value = answer.json().await.unwrap();
        assert!(told["problem"].as_str().unwrap().contains(named), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sku_has_its_barcode_cost_and_picture() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    let picture =
        reqwest::multipart::Part::bytes(include_bytes!("../../static/demo/apple.jpg").to_vec()).file_name("a.jpg");
    let request = w.http().post(w.at("/admin/products/pictures")).header("Cookie", &manager.cookie);
    let made: serde_json::Value =
        request.multipart(Form::new().part("image", picture)).send().await.unwrap().json().await.unwrap();
    let hash = made["hash"].as_str().unwrap();
    let red = [
        ("specs", "颜色:红"),
        ("price", "10"),
        ("on_hand", "5"),
        ("barcode", "6901 2345 6789 2"),
        ("cost", "4.5"),
        ("image", hash),
    ];
    let blue = [("specs", "颜色:蓝"), ("price", "10"), ("on_hand", "5"), ("image", &"0".repeat(64))];
    let form = sku(sku(Form::new().text("name", "毛巾").text("on_shelf", "true"), 0, &red), 1, &blue);
    assert_eq!(send(&w, &manager, "/admin/products", form).await.0, 303);
    let page = manager.page("/admin/products/1").await;
    for kept in ["value=\"6901234567892\"", "value=\"4.50\"", &format!("value=\"{hash}\"")] {
        assert!(page.contains(kept), "{kept} in {page}");
    }
    // Buyers see the picture, and nothing else of it; clerks do not see what it cost.
    let seen = w.get("/products/1").await.ok();
    assert!(seen["skus"][0]["imageUrl"].as_str().unwrap().contains(hash));
    assert_eq!(seen["skus"][1]["imageUrl"], json!(null), "a picture that is not there is none");
    assert!(!seen.to_string().contains("6901234567892") && !seen.to_string().contains("450"));
    let clerk = w.staff("clerk", Role::Clerk).await;
    let page = clerk.page("/admin/products/1").await;
    assert!(page.contains("6901234567892") && !page.contains("4.50") && !page.contains("成本"), "{page}");
    assert!(clerk.page("/admin/products?q=6901234567892").await.contains("毛巾"));
    // At the packing table the goods are known by both of their codes.
    let id = w.shop.db.read(|conn| Ok::<_, Error>(catalogue::product(conn, xiaopu::ids::ProductId(1))?)).await.unwrap();
    let placed = w.paid(&w.buyer("alice").await, id.unwrap().skus[0].id, 1).await;
    let bench = clerk.page(&format!("/admin/shipping/scan?order={}", placed.no)).await;
    assert!(bench.contains("data-codes=\"6901234567892\""), "{bench}");
    // A table that says nothing of them leaves them as they are.
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_stands_beside_its_cell() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let good = [("specs", "颜色:红"), ("price", "10"), ("on_hand", "5")];
    let bad = [("specs", "颜色:蓝"), ("price", "免费"), ("on_hand", "-1"), ("barcode", "条码"), ("cost", "贵")];
    let form = sku(sku(Form::new().text("name", "毛巾"), 0, &good), 1, &bad);
    let (status, page) = send(&w, &manager, "/admin/products", form).await;
    assert_eq!(status, 422);
    for (field, words) in
        [("price", "售价请填金额"), ("on_hand", "库存「-1」"), ("barcode", "条码只有"), ("cost", "成本请填金额")]
    {
        let (_, after) = page.split_once(&format!("name=\"skus[1].{field}\"")).unwrap();
        let cell = after.split("</td>").next().unwrap();
        assert!(cell.contains("aria-invalid") && cell.contains(words), "{field}: {cell}");
        let (_, fine) = page.split_once(&format!("name=\"skus[0].{field}\"")).unwrap();
        assert!(!fine.split('>').next().unwrap().contains("aria-invalid"), "{field}");
    }
    // The same where price and stock are changed over the list.
    let sku = "1";
    let typed = [
        ("skus[0].id", sku),
        ("skus[0].was_price", "10.00"),
        ("skus[0].price", "十元"),
        ("skus[0].was", "9"),
        ("skus[0].on_hand", "12"),
        ("reason", "进货"),
        ("over", "true"),
    ];
    let request = w.http().post(w.at("/admin/products/1/quick")).header("Cookie", &manager.cookie).form(&typed);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 422);
    let fields = answer.text().await.unwrap();
    for kept in ["value=\"十元\"", "value=\"12\"", "售价请填金额", "<option selected>进货"] {
        assert!(fields.contains(kept), "{kept} in {fields}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_was_made_ones_own_stays_when_the_samples_go() {
    let w = World::new().await;
    let mine = w.product("我的蛋糕", 1000, 9).await;
    let other = w.product("别的", 1000, 9).await;
    let mark = |tx: &xiaopu::db::Tx| {
        tx.execute("update products set sample = 1", [])?;
        Ok::<_, Error>(())
    };
    w.shop.db.write(mark).await.unwrap();
    let manager = w.staff("manager", Role::Manager).await;
    assert!(manager.page("/admin/products").await.contains("店里有 2 个示例商品"));
    let form = Form::new().text("name", "草莓蛋糕").text("version", "1").text("on_shelf", "true");
    let form = sku(form, 0, &[("specs", ""), ("price", "12"), ("on_hand", "9"), ("was", "9"), ("known", "true")]);
    assert_eq!(send(&w, &manager, "/admin/products/1", form).await.0, 303);
    assert!(manager.page("/admin/products").await.contains("店里有 1 个示例商品"));
    manager.post("/admin/products/samples/clear", &[]).await;
    let left = w.get("/products").await.ok();
    let names: Vec<&str> = left["items"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!((names.as_slice(), mine != other), (&["草莓蛋糕"][..], true));
    // So is one whose pieces somebody has counted.
    for (at, form) in [
        (
            "/admin/products/1/stock",
            &[("rows[0].sku", "1"), ("rows[0].on_hand", "+5"), ("rows[0].was", "9"), ("reason", "盘点")][..],
        ),
        ("/admin/products/bulk", &[("product", "1"), ("act", "stock"), ("stock", "+5")][..]),
        (
            "/admin/products/1/cell",
            &[("sku", "1"), ("column", "stock"), ("value", "20"), ("was", "19"), ("reason", "盘点")][..],
        ),
    ] {
        w.shop.db.write(mark).await.unwrap();
        manager.post(at, form).await;
        let own = "select count(*) from products where id = 1 and sample = 0";
        assert_eq!(w.count(own).await, 1, "{at}");
    }
}

/// A list's address comes back with a form, and may hold anything by then: who could not be led there is led to the first page.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_can_be_led_to_leads_to_the_first_page() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, clerk) = (w.buyer("alice").await, w.staff("clerk", Role::Clerk).await);
    let no = w.paid(&alice, sku, 1).await.no;
    for (field, value, to) in [
        ("list", "tab=all", "/admin/orders?tab=all"),
        ("list", "q=%E8%8B%B9%E6%9E%9C", "/admin/orders?q=%E8%8B%B9%E6%9E%9C"),
        ("list", "q=<b>\"'&", "/admin"),
        ("list", "q=\r\nSet-Cookie: a=b", "/admin"),
        ("list", "q=苹果", "/admin"),
        ("back", "/admin/orders/x?a=\"", "/admin"),
        ("back", "//evil.example", "/admin"),
    ] {
        let form = [("order", no.as_str()), ("flag", "red"), (field, value)];
        assert_eq!(clerk.post("/admin/orders/bulk", &form).await, (303, to.to_owned()), "{field} {value}");
    }
}
