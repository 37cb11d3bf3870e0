//! The first page: numbers by business day, what sold, and the stream that tells of new orders.

use std::time::Duration;

use serde_json::Value;
use xiaopu::staff::Role;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_those_of_the_business_day() {
    let w = World::new().await;
    let (apple, pear) = (w.product("苹果", 1000, 500).await, w.product("梨子", 300, 9).await);
    let alice = w.buyer("alice").await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    w.paid(&alice, apple, 2).await;
    // It is 13:00 in Shanghai: eleven hours later a new day has begun there, though not in London.
    w.advance(11 * 60 * MINUTE);
    w.paid(&alice, pear, 1).await;
    Placed::of(alice.buy(apple, 1).await);
    let page = async |days: &str| clerk.page(&format!("/admin?days={days}")).await;
    for (days, taken) in
        [("today", "¥3.00<small>"), ("yesterday", "¥20.00<small>"), ("7", "¥23.00<small>"), ("month", "¥23.00<small>")]
    {
        assert!(page(days).await.contains(taken), "{days}");
    }
    // A span of one's own, whichever end is named first; and what is no span is today.
    for (span, taken) in [
        ("from=2026-10-08&to=2026-10-08", "¥20.00<small>"),
        ("from=2026-10-09&to=2026-10-08", "¥23.00<small>"),
        ("from=2020-01-01&to=2026-10-08", "¥20.00<small>"),
        ("from=2026-10-09&to=2030-01-01", "¥3.00<small>"),
        ("from=2026-13-01&to=x", "¥3.00<small>"),
    ] {
        assert!(clerk.page(&format!("/admin?{span}")).await.contains(taken), "{span}");
    }
    let home = page("today").await;
    assert!(home.contains("2026-10-08 实收 ¥20.00，退款 ¥0.00，1 单"));
    let seller = |name: &str| home.find(name).unwrap_or(usize::MAX);
    assert!(seller("2 件</span>") < seller("1 件</span>"), "the best first");
    assert!(home.contains("可售 497"));
    assert!(home.contains("提交 3 · 发起支付 3") && home.contains("付款 2 单 · 66%"), "{home}");
    // What is in stock is always of now, though nothing was sold meanwhile; and the next sale counts at once.
    Placed::of(alice.buy(apple, 6).await);
    assert!(page("today").await.contains("可售 491"));
    w.paid(&alice, pear, 4).await;
    let home = page("today").await;
    assert!(home.find("5 件</span>").unwrap() < home.find("2 件</span>").unwrap(), "the best first");
    assert!(home.contains("<b>1</b>低库存"));
    let packer = w.staff("packer", Role::Packer).await;
    assert!(!packer.page("/admin").await.contains('¥'), "packers see what to do, not what it earns");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_belongs_to_no_order_is_no_order() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let manager = w.staff("manager", Role::Manager).await;
    w.paid(&alice, sku, 1).await;
    let other = Placed::of(alice.buy(sku, 2).await);
    let mut notice = w.notice(&other, "alice");
    notice.set("out_trade_no", "OTHER-SYSTEM-0001");
    w.notify(signed(&notice)).await;
    let says = async |orders: i64, each: &str, beside: bool| {
        let home = manager.page("/admin").await;
        assert!(home.contains("¥30.00<small> 实收"), "{home}");
        let facts = format!("<dt>付款单</dt><dd>{orders}</dd>");
        assert!(home.contains(&facts) && home.contains(&format!("<dt>客单价</dt><dd>¥{each}</dd>")), "{home}");
        assert_eq!(home.contains("1 笔 ¥20.00 不属于任何订单"), beside, "{home}");
        assert!(home.contains(&format!("<small>{orders} 单")), "{home}");
    };
    says(1, "10.00", true).await;
    let id = w.count("select id from money_exceptions").await;
    manager.post(&format!("/admin/exceptions/{id}/link"), &[("order_no", &other.no)]).await;
    assert_eq!(alice.status(&other.no).await, "to_ship");
    says(2, "15.00", false).await;
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_that_run_low_ask_nobody_to_get_more() {
    let w = World::new().await;
    for (name, n) in [("示例蛋糕", 2), ("示例面包", 0), ("茶", 3)] {
        w.product(name, 1000, n).await;
    }
    let manager = w.staff("manager", Role::Manager).await;
    let home = manager.page("/admin").await;
    assert!(home.contains("<b>2</b>低库存") && home.contains("售罄 1"), "{home}");
    let mark = |tx: &xiaopu::db::Tx| {
        tx.execute("update products set sample = 1 where name like '示例%'", [])?;
        Ok::<_, xiaopu::error::Error>(())
    };
    w.shop.db.write(mark).await.unwrap();
    let home = manager.page("/admin").await;
    assert!(home.contains("<b>1</b>低库存") && !home.contains("售罄 1"), "{home}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_orders_shows_no_numbers_that_it_does_not_have() {
    let w = World::new().await;
    let home = w.staff("clerk", Role::Clerk).await.page("/admin").await;
    for made_up in ["¥0.01", "最高", "NaN", "inf", "100%"] {
        assert!(!home.contains(made_up), "{made_up}: {home}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_order_is_told_to_whoever_listens() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let packer = w.staff("packer", Role::Packer).await;
    let unknown = w.http().get(w.at("/admin/events")).send().await.unwrap();
    assert_eq!(unknown.status(), 303, "not to strangers");
    let mut stream = w.http().get(w.at("/admin/events")).header("Cookie", &packer.cookie).send().await.unwrap();
    let mut text = String::new();
    let mut told = async |wanted: i64| {
        for _ in 0..60 {
            let counts = |line: &str| serde_json::from_str::<Value>(line.strip_prefix("data:")?).ok();
            if text.lines().filter_map(counts).any(|v| v["counts"]["to_ship"] == wanted) {
                return;
            }
            let more = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await.unwrap().unwrap().unwrap();
            text.push_str(&String::from_utf8_lossy(&more));
        }
        panic!("never told of {wanted}: {text}");
    };
    told(0).await;
    w.paid(&alice, sku, 1).await;
    told(1).await;
}
