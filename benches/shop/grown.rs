//! Whether the shop is as quick with five million orders, a million buyers and a hundred thousand products as it was in its
//! first month.

use std::time::Instant;

use super::Line;
use super::load::{Call, Connection, Outcome};
use super::program::Program;
use super::rows::{PAGES, add_waiting, console, prepay_call};
use super::seed::{self, GROWN};

const SIZES: [i64; 2] = [1_000, GROWN];
const CALLS: usize = 40;
/// Calls before those that count.
const WARM: usize = 3;

/// A shop of one size, that is written to.
struct Contender {
    _shop: Program,
    connection: Connection,
    folder: tempfile::TempDir,
}

pub async fn grown() -> Vec<Line> {
    let gateway = Program::simulate_wechat();
    let mut shops = Vec::new();
    for size in SIZES {
        let folder = seed::copy(size).await;
        let shop = Program::serve(folder.path(), gateway.at.port()).settled().await;
        let connection = Connection::new(shop.at);
        shops.push(Contender { _shop: shop, connection, folder });
    }
    let mut lines = Vec::new();
    for (what, path) in PAGES {
        lines.push(turn_about(&mut shops, what, 200, |_, _| console(path)).await);
    }
    let mut numbers = Vec::new();
    for contender in &mut shops {
        let mut calls = Vec::new();
        for made in add_waiting(contender.folder.path(), CALLS + WARM).await {
            calls.push((made.no.clone(), Call::post("/wechat/pay/notify", seed::notice(&made))));
        }
        numbers.push(calls);
    }
    let order = |which: usize, n: usize| console(&format!("/admin/orders/{}", numbers[which][n].0));
    lines.push(turn_about(&mut shops, "一个订单", 200, order).await);
    let order = |which: usize, n: usize| console(&format!("/admin/orders?q={}", numbers[which][n].0));
    lines.push(turn_about(&mut shops, "按订单号搜索", 200, order).await);
    lines.push(turn_about(&mut shops, "支付通知", 200, |which, n| numbers[which][n].1.clone()).await);
    lines.push(turn_about(&mut shops, "下单", 201, |which, n| prepay_call(&format!("grown-{which}"), n, n + 1)).await);
    lines
}

/// One call of each in turn: a noisy moment meets all sizes alike.
async fn turn_about(shops: &mut [Contender], what: &str, status: u16, call: impl Fn(usize, usize) -> Call) -> Line {
    let mut took = SIZES.map(|_| Outcome::default());
    for n in 0..CALLS + WARM {
        for (which, contender) in shops.iter_mut().enumerate() {
            let call = call(which, n);
            let begun = Instant::now();
            let (said, body) = contender.connection.call(&call).await;
            assert_eq!(said, status, "{what}: {}", String::from_utf8_lossy(&body));
            if n >= WARM {
                took[which].took.push(begun.elapsed().as_micros() as u32);
            }
        }
    }
    took.iter_mut().for_each(|outcome| outcome.took.sort_unstable());
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
