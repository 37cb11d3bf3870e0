//! Whether the shop is as quick with five million orders, a million buyers and a hundred thousand products as it was in its
//! first month.

use super::Line;
use super::load::{Call, Connection};
use super::program::Program;
use super::rows::{ASKED, PAGES, add_waiting, console, in_turn, prepay_call};
use super::seed::{self, GROWN};

const SIZES: [i64; 2] = [1_000, GROWN];

pub async fn grown() -> Vec<Line> {
    let gateway = Program::simulate_wechat();
    let (mut folders, mut programs, mut shops) = (Vec::new(), Vec::new(), Vec::new());
    for size in SIZES {
        let folder = seed::copy(size).await;
        let program = Program::serve(folder.path(), gateway.at.port()).settled().await;
        shops.push(Connection::new(program.at));
        programs.push(program);
        folders.push(folder);
    }
    let mut lines = Vec::new();
    for (what, path) in PAGES {
        lines.push(compare(&mut shops, what, 200, |_, _| console(path)).await);
    }
    let mut orders = Vec::new();
    for folder in &folders {
        let made = add_waiting(folder.path(), ASKED).await;
        orders.push(made.into_iter().map(|made| (seed::notice(&made), made.no)).collect::<Vec<_>>());
    }
    let page = |which: usize, n: usize| console(&format!("/admin/orders/{}", orders[which][n].1));
    lines.push(compare(&mut shops, "一个订单", 200, page).await);
    let search = |which: usize, n: usize| console(&format!("/admin/orders?q={}", orders[which][n].1));
    lines.push(compare(&mut shops, "按订单号搜索", 200, search).await);
    let notice = |which: usize, n: usize| Call::post("/wechat/pay/notify", orders[which][n].0.clone());
    lines.push(compare(&mut shops, "支付通知", 200, notice).await);
    lines.push(compare(&mut shops, "下单", 201, |which, n| prepay_call(&format!("grown-{which}"), n, n + 1)).await);
    lines
}

async fn compare(shops: &mut [Connection], what: &str, status: u16, call: impl Fn(usize, usize) -> Call) -> Line {
    let took = in_turn(shops, status, call, |_, _| ()).await;
    let p50 = |which: usize| took[which].quantile(0.5);
    let ratio = p50(1) / p50(0);
    let more = format!("（p50 {:.1} / {:.1} ms，p99 {:.1} ms）", p50(0), p50(1), took[1].quantile(0.99));
    Line {
        what: format!("{what}：500 万单、100 万买家、10 万商品对比 1 千单"),
        result: format!("{ratio:.2}×{more}"),
        wanted: "≤ 1.25×".to_owned(),
        reached: Some(ratio <= 1.25),
    }
}
