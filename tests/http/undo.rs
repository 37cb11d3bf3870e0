//! What staff did a moment ago is taken back where it is told: in one place, by whoever did it, for half an hour.

use serde_json::{Value, json};
use xiaopu::error::Error;
use xiaopu::staff::Role;

use crate::support::*;

/// Presses 撤销 in the strip of the page that a form led to; answers with what is said then.
async fn press(staff: &Console<'_>, to: &str) -> String {
    let page = staff.said(to).await;
    let (_, strip) = page.split_once("class=\"strip green flash").unwrap_or_else(|| panic!("nothing is told: {page}"));
    let form = strip.split_once("<form method=\"post\" action=\"").unwrap_or_else(|| panic!("no way back: {strip}")).1;
    let form = form.split_once("</form>").unwrap().0;
    assert!(form.contains("撤销"), "{form}");
    let action = form.split('"').next().unwrap().to_owned();
    let part =
        |text: &str, name: &str| text.split_once(name).unwrap().1.split('"').next().unwrap().replace("&amp;", "&");
    let fields: Vec<(String, String)> =
        form.split("<input").skip(1).map(|input| (part(input, "name=\""), part(input, "value=\""))).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (status, to) = staff.post(&action, &fields).await;
    assert_eq!(status, 303, "{action}");
    staff.said(&to).await
}

async fn text(w: &World, sql: &'static str) -> String {
    let read = move |conn: &rusqlite::Connection| Ok::<_, Error>(conn.query_row(sql, [], |row| row.get(0))?);
    w.shop.db.read(read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_to_many_products_is_taken_back_by_the_strip() {
    let w = World::new().await;
    w.product("苹果", 1000, 9).await;
    w.product("梨子", 5, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    manager.post("/admin/categories", &[("name", "水果")]).await;
    manager.post("/admin/products/2/shelf", &[("on", "false")]).await;
    // On the shelf, in the bin, its price, its stock, its limit, its category: all that one press changes.
    let stands = async || {
        let both = "select json_group_array(json_array(p.on_shelf, p.deleted_at is null, p.category_id, s.price_fen, s.on_hand,
                                                       s.limit_per_order, p.price_fen))
                      from products p join skus s on s.product_id = p.id";
        text(&w, both).await
    };
    let before = stands().await;
    for (act, value) in [
        ("on", ""),
        ("off", ""),
        ("delete", ""),
        ("percent", "+10"),
        ("shift", "+1"),
        ("stock", "-3"),
        ("limit", "2"),
        ("category", "1"),
    ] {
        let form = [
            ("product", "1"),
            ("product", "2"),
            ("act", act),
            ("value", value),
            ("category", value),
            ("confirmed", "true"),
            ("list", "tab=off&q=x"),
        ];
        let (_, to) = manager.post("/admin/products/bulk", &form).await;
        assert!(to.starts_with("/admin/products?tab=off&q=x"), "back at the list: {to}");
        assert_ne!(stands().await, before, "{act}");
        let said = press(&manager, &to).await;
        assert!(said.contains("已撤销：2 个商品已"), "{act}: {said}");
        assert_eq!(stands().await, before, "{act}");
    }
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_taken_back_once_by_whoever_did_it_and_not_over_others_work() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (manager, other) = (w.staff("manager", Role::Manager).await, w.staff("other", Role::Manager).await);
    let price = async || w.get("/products/1").await.ok()["skus"][0]["priceFen"].clone();
    let raise = [("product", "1"), ("act", "shift"), ("value", "+1"), ("confirmed", "true")];
    let undo = |id: &'static str| [("id", id)];
    manager.post("/admin/products/bulk", &raise).await;
    other.post("/admin/undo", &undo("1")).await;
    assert!(other.said("/admin/products").await.contains("不能再撤销"), "another's act");
    assert_eq!(price().await, 1100);
    manager.post("/admin/undo", &undo("1")).await;
    assert_eq!(price().await, 1000);
    manager.post("/admin/undo", &undo("1")).await;
    assert!(manager.said("/admin/products").await.contains("已经撤销过"));
    // A colleague has set it anew meanwhile.
    manager.post("/admin/products/bulk", &raise).await;
    other.post("/admin/products/bulk", &raise).await;
    manager.post("/admin/undo", &undo("2")).await;
    assert!(manager.said("/admin/products").await.contains("之后又改过，没有撤销"));
    assert_eq!(price().await, 1200);
    // So has one who set it back and forth: it stands as it was left, because he wants it so.
    let lower = [("product", "1"), ("act", "shift"), ("value", "-1"), ("confirmed", "true")];
    manager.post("/admin/products/1/shelf", &[("on", "false")]).await;
    manager.post("/admin/products/bulk", &raise).await;
    for on in ["true", "false"] {
        other.post("/admin/products/1/shelf", &[("on", on)]).await;
    }
    for act in [lower, raise] {
        other.post("/admin/products/bulk", &act).await;
    }
    for id in ["4", "5"] {
        manager.post("/admin/undo", &undo(id)).await;
        assert!(manager.said("/admin/products").await.contains("之后又改过，没有撤销"), "{id}");
    }
    assert_eq!(w.count("select on_shelf from products").await, 0);
    other.post("/admin/products/bulk", &lower).await;
    manager.post("/admin/products/1/shelf", &[("on", "true")]).await;
    assert_eq!(price().await, 1200);
    // Half an hour later it is too late.
    manager.post("/admin/products/bulk", &raise).await;
    w.advance(31 * MINUTE);
    manager.post("/admin/undo", &undo("12")).await;
    assert!(manager.said("/admin/products").await.contains("过了 30 分钟"));
    assert_eq!(price().await, 1300);
    // What was sold since stays sold, and what orders hold is not taken away.
    let stock = [("product", "1"), ("act", "stock"), ("value", "+20")];
    manager.post("/admin/products/bulk", &stock).await;
    w.paid(&w.buyer("alice").await, sku, 5).await;
    assert!(press(&manager, "/admin/products").await.contains("已撤销"));
    assert_eq!(w.stock(sku).await, (9, 5));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_views_stock_and_categories_are_taken_back_in_the_same_strip() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let no = w.paid(&w.buyer("alice").await, sku, 1).await.no;
    let manager = w.staff("manager", Role::Manager).await;
    let flag = "select flag from orders";
    manager.post("/admin/orders/bulk", &[("order", no.as_str()), ("flag", "red")]).await;
    manager.post("/admin/orders/bulk", &[("order", no.as_str()), ("flag", "blue")]).await;
    assert_eq!(text(&w, flag).await, "blue");
    press(&manager, "/admin/orders").await;
    assert_eq!(text(&w, flag).await, "red");
    manager.post("/admin/orders/views", &[("name", "加急"), ("query", "tab=to_ship&flag=red")]).await;
    manager.post("/admin/orders/views/1/delete", &[]).await;
    press(&manager, "/admin/orders").await;
    assert_eq!(text(&w, "select query from order_views where name = '加急'").await, "tab=to_ship&flag=red");
    let counted = [("rows[0].sku", "1"), ("rows[0].on_hand", "+5"), ("rows[0].was", "9"), ("reason", "进货")];
    manager.post("/admin/products/1/stock", &counted).await;
    assert_eq!(w.stock(sku).await.0, 14);
    press(&manager, "/admin/products/1/stock").await;
    assert_eq!(w.stock(sku).await.0, 9);
    for name in ["水果", "零食"] {
        manager.post("/admin/categories", &[("name", name)]).await;
    }
    let names = "select group_concat(name) from (select name from categories order by position)";
    manager.post("/admin/categories/2/move", &[("up", "true")]).await;
    assert_eq!(text(&w, names).await, "零食,水果");
    press(&manager, "/admin/categories").await;
    manager.post("/admin/categories/1", &[("name", "鲜果")]).await;
    assert_eq!(text(&w, names).await, "鲜果,零食");
    press(&manager, "/admin/categories").await;
    assert_eq!(text(&w, names).await, "水果,零食");
    assert_eq!(w.count("select sum(visible) from categories").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_of_the_list_is_changed_without_leaving_it_and_says_what_is_wrong() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    let page = manager.page("/admin/products").await;
    assert!(page.contains("data-sku=\"1\"") && page.contains("data-quick=\"price\""), "{page}");
    let type_ = async |column: &str, value: &str, was: &str, held: &str| {
        let form =
            [("sku", "1"), ("column", column), ("value", value), ("was", was), ("held", held), ("reason", "盘点")];
        let request = w.http().post(w.at("/admin/products/1/cell")).header("Cookie", &manager.cookie).form(&form);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    let (status, told) = type_("price", "12.5", "10.00", "0").await;
    assert_eq!((status, &told["said"], &told["price"]), (200, &json!("「苹果」售价 ¥10.00 → ¥12.50"), &json!("12.50")));
    assert_eq!(w.get("/products/1").await.ok()["priceFen"], 1250, "the list's price goes with it");
    // What the page showed is no longer so: said with what is there now, and typed over only knowingly.
    let (status, told) = type_("price", "11", "10.00", "0").await;
    assert_eq!((status, &told["now"]["was"]), (409, &json!("12.50")), "{told}");
    // What is to be pressed next depends on where it is said: beside a field, or of an undo that was refused.
    assert_eq!(told["problem"], "刚被改成 ¥12.50", "{told}");
    assert_eq!(type_("price", "11", "12.50", "0").await.0, 200);
    for (column, value, words) in [
        ("price", "十元", "售价请填金额"),
        ("price", "", "售价请填金额"),
        ("price", "1.234", "超过两位小数"),
        ("stock", "-", "库存请填 0 或正整数"),
        ("stock", "1.5", "库存请填 0 或正整数"),
        ("stock", "-10", "库存不能少于已被订单占用的 0 件"),
    ] {
        let was = if column == "price" { "11.00" } else { "9" };
        let (status, told) = type_(column, value, was, "0").await;
        assert!(status == 422 && told["problem"].as_str().unwrap().contains(words), "{column} {value}: {told}");
    }
    // An order that came meanwhile keeps its pieces; what is typed is what can be sold.
    w.paid(&alice, sku, 2).await;
    let (status, told) = type_("stock", "20", "9", "0").await;
    assert_eq!((status, &told["available"], &told["on_hand"]), (200, &json!(18), &json!(20)), "{told}");
    let (status, told) = type_("stock", "+5", "18", "2").await;
    assert_eq!((status, &told["available"]), (200, &json!(23)), "{told}");
    let (status, told) = type_("stock", "3", "18", "2").await;
    let now = json!({ "was": "23", "held": 2, "available": 23, "on_hand": 25, "low": false });
    assert_eq!((status, &told["now"]), (409, &now), "{told}");
    assert_eq!(w.stock(sku).await, (25, 2));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_a_finger_slipped_on_is_asked_about_once() {
    let w = World::new().await;
    let sku = w.product("苹果", 5990, 9).await;
    let manager = w.staff("manager", Role::Manager).await;
    let type_ = async |value: &str, was: &str, sure: &str| {
        let form = [("sku", "1"), ("column", "price"), ("value", value), ("was", was), ("sure", sure)];
        let request = w.http().post(w.at("/admin/products/1/cell")).header("Cookie", &manager.cookie).form(&form);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        (status, told["now"]["sure"].as_str().unwrap_or_default().to_owned())
    };
    let price = || w.count(format!("select price_fen from skus where id = {sku}"));
    for (value, asked) in [("0", "0.00"), ("599", "599.00"), ("5.99", "5.99")] {
        assert_eq!(type_(value, "59.90", "").await, (409, asked.to_owned()), "{value}");
        assert_eq!(price().await, 5990, "{value}");
        assert_eq!(type_(value, "59.90", "1.00").await.0, 409, "who is sure of another price is asked about {value}");
    }
    for (value, was) in [("598.99", "59.90"), ("59.90", "598.99")] {
        assert_eq!(type_(value, was, "").await, (200, String::new()), "{value}");
    }
    assert_eq!(type_("0", "59.90", "0.00").await.0, 200);
    assert_eq!(price().await, 0);
    assert_eq!(type_("59.90", "0.00", "").await.0, 200, "from nothing every price is a long way");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_to_decide_about_is_one_number_wherever_it_is_told() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let (alice, owner) = (w.buyer("alice").await, w.staff("owner", Role::Owner).await);
    let told = async |path: &str, tile: &str| {
        let page = owner.page(path).await;
        assert!(page.contains(tile), "{path}: {tile} in {page}");
    };
    // Paid by another: told, and nothing to do.
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.notify(signed(&w.notice(&placed, "somebody else"))).await;
    assert_eq!(w.count("select count(*) from money_exceptions").await, 1);
    told("/admin", "<b class=\"zero\">0</b>资金异常").await;
    told("/admin/orders", "资金异常 <b>0</b>").await;
    let none = owner.page("/admin/orders?tab=exception").await;
    assert!(none.contains("没有要处理的资金异常") && !none.contains(&placed.no), "{none}");
    assert!(!owner.page("/admin/orders").await.contains("status exception"), "nor on the order");
    // Money without an order: somebody must act, and the list of orders says where.
    let mut stray = w.notice(&placed, "alice");
    stray.set("transaction_id", "42-1");
    stray.set("out_trade_no", "OTHER-SYSTEM-1");
    w.notify(signed(&stray)).await;
    told("/admin", "<b>1</b>资金异常").await;
    told("/admin/orders", "资金异常 <b class=\"hot\">1</b>").await;
    told("/admin/orders?tab=exception", "有 1 笔资金异常不属于任何订单").await;
}
