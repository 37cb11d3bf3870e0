//! Customers: kept sums, finding, tags and notes, who may not order, and personal data that leaves or goes.

use serde_json::json;
use xiaopu::staff::Role;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_paid_is_a_customer_with_his_sums() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let clerk = w.staff("clerk", Role::Clerk).await;
    Placed::of(alice.buy(sku, 1).await);
    assert!(clerk.page("/admin/customers").await.contains("还没有人付过款"), "an unpaid order makes no customer");
    let first = w.paid(&alice, sku, 1).await;
    w.paid(&bob, sku, 5).await;
    let last = w.paid(&alice, sku, 2).await;
    let list = async |by: &str| {
        let page = clerk.page(&format!("/admin/customers?by={by}")).await;
        [page.find("/admin/customers/1\"").unwrap(), page.find("/admin/customers/2\"").unwrap()]
    };
    for (by, first) in [("last", 0), ("spent", 1), ("orders", 0), ("nonsense", 0)] {
        let at = list(by).await;
        assert!(at[first] < at[1 - first], "{by}: {at:?}");
    }
    let page = clerk.page("/admin/customers").await;
    for words in ["¥30.00", "¥50.00", "¥15.00", "title=\"苹果 ×2\"", "浙江省杭州市西湖区", "138****1234", &last.no]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("13800001234") && !page.contains("王小样"), "masked");
    // From an order to its customer and back; a refund takes its money off.
    let order = clerk.page(&format!("/admin/orders/{}", first.no)).await;
    assert!(order.contains("href=\"/admin/customers/1\">看这位顾客") && order.contains("付过 2 单"), "{order}");
    assert!(clerk.page("/admin/customers/1").await.contains(&format!("/admin/orders/{}", first.no)));
    alice.ask_refund(&first.no, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    let manager = w.staff("manager", Role::Manager).await;
    let agreed = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    manager.post(&format!("/admin/refunds/{}R01/approve", first.no), &agreed).await;
    w.run_jobs().await;
    w.advance(2 * MINUTE);
    w.run_jobs().await;
    let page = clerk.page("/admin/customers/1").await;
    assert!(page.contains("<dt>累计付过 2 单</dt><dd class=\"money xl\">¥20.00"), "{page}");
    assert!(page.contains("<small>1 单 · 2 件</small>"), "what he kept: {page}");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_found_by_whatever_is_known_of_him() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 99).await, w.product("雪梨", 900, 99).await);
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let mut other = order(pear, 1);
    other["address"]["receiver"] = "李四".into();
    other["address"]["phone"] = "13911112222".into();
    let placed = Placed::of(bob.prepay(&w.key(), other).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("bob's payment", || async { bob.status(&placed.no).await == "to_ship" }).await;
    w.paid(&alice, apple, 1).await;
    bob.call(reqwest::Method::PUT, "/me", Some(json!({ "nickname": "小鹿", "avatarUrl": "" }))).await.ok();
    let clerk = w.staff("clerk", Role::Clerk).await;
    assert_eq!(clerk.post("/admin/customers/2/tags", &[("tags", "老客户 少糖")]).await.0, 303);
    clerk.post("/admin/customers/2/note", &[("note", "搬到三楼，电梯坏了")]).await;
    // Two who write from pages of one moment: what either wrote is kept.
    clerk.post("/admin/customers/2/note", &[("note", "对花生过敏"), ("was", "")]).await;
    clerk.post("/admin/customers/2/tags", &[("tags", "老客户 送礼"), ("was", "老客户")]).await;
    clerk.post("/admin/customers/2/tags", &[("tags", "少糖"), ("was", "老客户 少糖")]).await;
    let page = clerk.page("/admin/customers/2").await;
    assert!(page.contains("搬到三楼，电梯坏了；对花生过敏") && page.contains("value=\"少糖 送礼\""), "{page}");
    clerk.post("/admin/customers/2/tags", &[("tags", "老客户 少糖")]).await;
    for q in ["2222", "13911112222", "李四", "小鹿", "老客户", "电梯", "雪梨", &placed.no] {
        let page = clerk.page(&format!("/admin/customers?q={q}")).await;
        assert!(page.contains("/admin/customers/2\"") && !page.contains("/admin/customers/1\""), "{q}");
    }
    let page = clerk.page("/admin/customers?tag=少糖").await;
    assert!(page.contains("/admin/customers/2\"") && !page.contains("/admin/customers/1\""));
    for nobody in ["q=9999", "tag=没有", "blocked=true", "q=\" OR 1"] {
        assert!(clerk.page(&format!("/admin/customers?{nobody}")).await.contains("没有找到这样的顾客"), "{nobody}");
    }
    // What is typed wrong is told and changes nothing.
    for (form, field, value, told) in [
        ("tags", "tags", "一".repeat(13), "每个标签最多 12 个字"),
        ("tags", "tags", "1 2 3 4 5 6 7 8 9 10 11".into(), "最多 10 个标签"),
        ("note", "note", "长".repeat(501), "最多 500 个字"),
    ] {
        clerk.post(&format!("/admin/customers/2/{form}"), &[(field, &value)]).await;
        assert!(clerk.said("/admin/customers/2").await.contains(told), "{form}");
    }
    assert!(clerk.page("/admin/customers/2").await.contains("老客户 少糖"));
    for nowhere in ["/admin/customers/77", "/admin/customers/x", "/admin/customers/0"] {
        assert_eq!(clerk.get(nowhere).await.0, 404, "{nowhere}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_customers_follow_each_other() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    for n in 0..23 {
        let buyer = w.buyer(&format!("buyer-{n}")).await;
        // Several have spent the same.
        w.paid(&buyer, sku, 1 + n % 2).await;
    }
    let clerk = w.staff("clerk", Role::Clerk).await;
    for by in ["last", "spent", "orders"] {
        let mut seen = std::collections::BTreeSet::new();
        let mut path = format!("/admin/customers?by={by}");
        for _ in 0..2 {
            let page = clerk.page(&path).await;
            seen.extend((1..=23).filter(|n| page.contains(&format!("/admin/customers/{n}\""))));
            let Some(next) = page.split("after=").nth(1) else { break };
            path = format!("/admin/customers?by={by}&after={}", next.split('"').next().unwrap());
        }
        assert_eq!(seen.len(), 23, "{by}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_buyer_cannot_order_and_is_told_so_kindly() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let paid = w.paid(&alice, sku, 1).await;
    let manager = w.staff("manager", Role::Manager).await;
    manager.post("/admin/customers/1/block", &[]).await;
    assert!(manager.said("/admin/customers/1").await.contains("撤销"), "what can be taken back says so");
    let refused = alice.buy(sku, 1).await;
    assert_eq!(refused.error(), (409, "buyer_blocked"));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("请联系商家"));
    let quote = alice.post("/quote", Some(order(sku, 1))).await.ok();
    assert_eq!(quote["warnings"][0]["code"], "buyer_blocked");
    let (_, code) = super::drafts::draft(&manager, &[("lines[0].what", "苹果"), ("freight", "0")]).await;
    let opened = alice.post(&format!("/drafts/{code}"), Some(json!({ "address": address() }))).await;
    assert_eq!(opened.error(), (409, "buyer_blocked"), "nor what somebody has written down for him");
    assert_eq!(alice.status(&paid.no).await, "to_ship", "what he has bought he gets");
    bob.buy(sku, 1).await.ok();
    assert!(manager.page("/admin/customers?blocked=true").await.contains("/admin/customers/1\""));
    manager.post("/admin/customers/1/unblock", &[]).await;
    alice.buy(sku, 1).await.ok();
    assert_eq!(w.count("select count(*) from audit_log where what like '%顾客 #1 下单'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_leaves_by_right_and_is_written_down() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 1).await;
    let (clerk, manager) = (w.staff("clerk", Role::Clerk).await, w.staff("manager", Role::Manager).await);
    let request = w.http().post(w.at("/admin/customers/1/reveal")).header("Cookie", &clerk.cookie);
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("13800001234") && page.contains("王小样"), "{page}");
    let export = async |cookie: &str| {
        let request = w.http().post(w.at("/admin/customers/export.xlsx")).header("Cookie", cookie);
        request.form(&[("by", "last")]).send().await.unwrap()
    };
    assert_eq!(export(&clerk.cookie).await.status(), 403);
    let answer = export(&manager.cookie).await;
    assert!(answer.headers()["content-disposition"].to_str().unwrap().contains(".xlsx"));
    for what in ["查看顾客 #1 的完整资料", "导出 1 位顾客的资料（含姓名、电话、地址）"] {
        let sql: &'static str = format!("select count(*) from audit_log where what = '{what}'").leak();
        assert_eq!(w.count(sql).await, 1, "{what}");
    }
}

/// Everything that could name the buyer is gone; the books are as they were.
#[tokio::test(flavor = "multi_thread")]
async fn a_buyers_data_is_taken_out_on_request() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    alice.post("/addresses", Some(address())).await.ok();
    let mut form = order(sku, 2);
    form["remark"] = "王小样收，打 13800001234".into();
    let placed = Placed::of(alice.prepay(&w.key(), form).await);
    w.pay(&placed, xiaopu::simulator::Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    w.paid(&bob, sku, 1).await;
    let owner = w.staff("owner", Role::Owner).await;
    // One that was written down after a chat is finished, too.
    let chat = [
        ("lines[0].what", "苹果"),
        ("freight", "0"),
        ("pasted", "王小样 13800001234 浙江省杭州市西湖区演示路 1 号"),
        ("remark", "13800001234"),
    ];
    let (_, code) = super::drafts::draft(&owner, &chat).await;
    let written = alice.post(&format!("/drafts/{code}"), Some(json!({}))).await.ok();
    alice.post(&format!("/orders/{}/cancel", written["orderNo"].as_str().unwrap()), None).await.ok();
    let here = "/admin/customers/1";
    // While something is under way, the shop needs to know whom it is about.
    let asked = owner.page(&format!("{here}/erase")).await;
    assert!(asked.contains("还有 1 笔订单没有完成"), "{asked}");
    owner.post(&format!("{here}/erase"), &[]).await;
    assert!(owner.said(here).await.contains("还有 1 笔订单没有完成"));
    assert_eq!(w.count("select count(*) from buyers where erased_at is not null").await, 0);
    owner.ship(&format!("/admin/orders/{}", placed.no)).await;
    alice.post(&format!("/orders/{}/confirm", placed.no), None).await.ok();
    assert!(owner.page(&format!("{here}/erase")).await.contains("确认删除"));
    let sums = "select sum(amount_fen) from ledger";
    let before = w.count(sums).await;
    owner.post(&format!("{here}/erase"), &[]).await;
    assert!(owner.said(here).await.contains("资料已删除"));
    // Nowhere in the file: looked for in every text and every blob of every table.
    let openid = w.wechat.openid("alice");
    for secret in [openid.as_str(), "13800001234", "演示路"] {
        let found = named_in(&w, secret).await;
        let only_bobs = secret != openid;
        assert!(found.iter().all(|place| only_bobs && place.ends_with("of bob")), "{secret}: {found:?}");
    }
    assert_eq!(w.count(sums).await, before, "the books stay");
    let page = owner.page(&format!("/admin/orders/{}", placed.no)).await;
    assert!(page.contains("苹果") && page.contains("¥20.00") && !page.contains("王*"), "{page}");
    assert!(!owner.page("/admin/orders?q=王小样").await.contains(&placed.no), "nor found by what is gone");
    assert!(owner.page("/admin/orders?q=苹果").await.contains(&placed.no));
    // He is logged out, and somebody new when he comes back.
    assert_eq!(alice.get("/orders").await.status, 401);
    let again = w.buyer("alice").await;
    assert_eq!(again.get("/orders").await.ok()["items"].as_array().unwrap().len(), 0);
    for form in ["note", "tags", "block", "erase"] {
        owner.post(&format!("{here}/{form}"), &[("note", "x"), ("tags", "x")]).await;
        assert!(owner.said(here).await.contains("已经删除"), "{form}");
    }
    assert!(bob.get("/orders").await.ok()["items"][0]["address"]["receiver"] == "王小样", "others are left alone");
    w.must_hold().await;
}

/// The tables and columns in which a text stands, with whose order it is where that can be told.
pub async fn named_in(w: &World, text: &str) -> Vec<String> {
    let text = text.to_owned();
    let read = move |conn: &rusqlite::Connection| {
        let mut found = Vec::new();
        let mut tables = conn.prepare(
            "select t.name, c.name from pragma_table_list t join pragma_table_info(t.name) c
              where t.type = 'table' and t.name not like 'sqlite%' and t.name not like 'order_words%'",
        )?;
        let columns = tables.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        for column in columns {
            let (table, column) = column?;
            let of = match table.as_str() {
                "orders" => "buyer_id",
                "messages" => "(select buyer_id from orders where id = order_id)",
                _ => "0",
            };
            // As it is, or as it was before it was packed.
            let unpacked = match (table.as_str(), column.as_str()) {
                ("messages", "packed") | ("attempts", "params") => {
                    format!("inflated({column}, (select bytes from dictionaries d where d.id = {table}.dictionary))")
                }
                _ => "null".to_owned(),
            };
            let sql = format!(
                "select coalesce({of}, 0) from {table}
                  where instr(cast({column} as blob), cast(?1 as blob)) > 0
                     or instr(cast({unpacked} as blob), cast(?1 as blob)) > 0"
            );
            let mut rows = conn.prepare(&sql)?;
            for buyer in rows.query_map([&text], |row| row.get::<_, i64>(0))? {
                found.push(format!("{table}.{column} of {}", if buyer? == 2 { "bob" } else { "somebody" }));
            }
        }
        Ok::<_, xiaopu::error::Error>(found)
    };
    w.shop.db.read(read).await.unwrap()
}
