//! The rows of the table.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Line;
use super::load::{self, Call, Connection, Outcome};
use super::program::{self, Program};
use super::seed::{self, Made, NOWHERE};
use super::{before, disk, goods, grown, versions, yardstick};

/// The rows by name, and whether they run when none is named.
pub const ALL: [(&str, bool); 15] = [
    ("catalogue", true),
    ("notify", true),
    ("prepay", true),
    ("versions", true),
    ("pages", true),
    ("goods", true),
    ("machine", true),
    ("backup", true),
    ("rush", true),
    ("ceiling", true),
    ("disk", false),
    ("before", false),
    ("whole", false),
    ("grown", false),
    ("soak", false),
];

pub const ROUNDS: usize = 5;

pub async fn run(name: &str) -> Vec<Line> {
    match name {
        "catalogue" => catalogue().await,
        "notify" => notify().await,
        "prepay" => prepay().await,
        "versions" => versions::both().await,
        "pages" => pages().await,
        "goods" => goods::goods().await,
        "machine" => machine().await,
        "backup" => backup().await,
        "rush" => rush().await,
        "ceiling" => ceiling().await,
        "disk" => disk::disk().await,
        "before" => before::before().await,
        "whole" => before::whole().await,
        "grown" => grown::grown().await,
        "soak" => soak().await,
        _ => unreachable!("named in the list"),
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Microseconds of processor time for each call.
pub fn each(before: Duration, after: Duration, calls: usize) -> f64 {
    (after - before).as_secs_f64() * 1e6 / calls as f64
}

// ── reading the catalogue ──

async fn catalogue() -> Vec<Line> {
    const TOGETHER: usize = 32;
    const CALLS: usize = 20_000;
    let folder = seed::copy(100_000).await;
    let shop = Program::serve(folder.path(), NOWHERE).settled().await;
    let mut lines = Vec::new();
    for (what, path, least) in [
        ("商品列表 20 件，对比只回同样字节的裸 Rocket", "/api/v1/products?limit=20", Some(0.85)),
        ("商品详情，对比裸 Rocket", "/api/v1/products/7", None),
        ("商品搜索“苹果”，对比裸 Rocket", "/api/v1/products?q=%E8%8B%B9%E6%9E%9C", None),
    ] {
        let (status, body) = shop.get(path).await;
        assert_eq!(status, 200, "{body}");
        let file = folder.path().join("bytes.json");
        std::fs::write(&file, &body).expect("the bytes are kept");
        let bare = Program::role("bare", &file);
        let (mut ratios, mut costs) = (Vec::new(), Vec::new());
        let mut ours = Outcome::default();
        for round in 0..ROUNDS {
            let mut speed = [0.0, 0.0];
            let mut cost = [0.0, 0.0];
            // Turn about, so that neither always runs on a warmer machine.
            let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
            for which in order {
                let program = [&shop, &bare][which];
                let before = program.cpu();
                let outcome = load::closed(program.at, TOGETHER, CALLS, move |_| Call::get(path)).await.all(200);
                cost[which] = each(before, program.cpu(), CALLS);
                speed[which] = outcome.per_second();
                if which == 0 {
                    ours.add(outcome);
                }
            }
            ratios.push(speed[0] / speed[1]);
            costs.push(cost[0] / cost[1]);
        }
        let more = format!(
            "（p50 {:.1} ms，p99 {:.1} ms；每次 CPU 是裸 Rocket 的 {:.2} 倍，{} 字节）",
            ours.quantile(0.5),
            ours.quantile(0.99),
            median(costs),
            body.len()
        );
        let ratio = median(ratios);
        lines.push(match least {
            Some(least) => Line::at_least(what, ratio, least, &more),
            None => Line::new(what, format!("{ratio:.2}×{more}")),
        });
    }
    lines
}

// ── payment notices ──

/// One at a time comes last: by then the shop asks less and less often about the orders that wait for nobody's payment.
const IN_FLIGHT: [(usize, usize, f64); 3] = [(256, 6_000, 0.5), (32, 3_000, 0.8), (1, 600, 0.85)];

/// So many notices, from the end of what there is.
fn some(made: &mut Vec<Made>, count: usize) -> Vec<String> {
    let at = made.len() - count;
    made.split_off(at).iter().map(seed::notice).collect()
}

async fn post_notices(program: &Program, together: usize, notices: Vec<String>) -> Outcome {
    let count = notices.len();
    load::closed(program.at, together, count, move |n| Call::post("/wechat/pay/notify", notices[n].clone()))
        .await
        .all(200)
}

/// A copy of the shop with orders that wait to be paid.
async fn waiting(count: usize) -> (tempfile::TempDir, Vec<Made>) {
    let folder = seed::copy(100_000).await;
    let made = add_waiting(folder.path(), count).await;
    (folder, made)
}

pub async fn add_waiting(folder: &Path, count: usize) -> Vec<Made> {
    let db = yardstick::open(folder);
    seed::pending(&db, count as i64).await
}

/// The same with the shop running. The orders come when it has started: it would ask nobody about each of them.
async fn open_and_waiting(count: usize, gateway: u16) -> (tempfile::TempDir, Program, Vec<Made>) {
    let folder = seed::copy(100_000).await;
    let shop = Program::serve(folder.path(), gateway).settled().await;
    let made = add_waiting(folder.path(), count).await;
    (folder, shop, made)
}

pub async fn paid(folder: &Path) -> i64 {
    let db = yardstick::open(folder);
    let count = |conn: &rusqlite::Connection| {
        Ok::<i64, xiaopu::db::DbError>(conn.query_row(
            "select count(*) from attempts where state = 'paid'",
            [],
            |row| row.get(0),
        )?)
    };
    db.read_slowly(count).await.expect("orders can be counted")
}

async fn notify() -> Vec<Line> {
    let needed: usize = IN_FLIGHT.iter().map(|(_, count, _)| count * ROUNDS).sum();
    let (shop_at, shop, mut for_shop) = open_and_waiting(needed, NOWHERE).await;
    let (naive_at, mut for_naive) = waiting(needed).await;
    let (direct_at, mut for_direct) = waiting(needed).await;
    let before = paid(shop_at.path()).await;
    let mut lines = Vec::new();
    {
        let naive = Program::role("naive", naive_at.path());
        let db = yardstick::open(direct_at.path());
        for (together, count, least) in IN_FLIGHT {
            let (mut to_direct, mut to_naive, mut costs) = (Vec::new(), Vec::new(), Vec::new());
            let mut ours = Outcome::default();
            for _ in 0..ROUNDS {
                let direct = yardstick::direct(&db, together, some(&mut for_direct, count)).await;
                let cpu = shop.cpu();
                let shop_did = post_notices(&shop, together, some(&mut for_shop, count)).await;
                costs.push(each(cpu, shop.cpu(), count));
                let naive_did = post_notices(&naive, together, some(&mut for_naive, count)).await;
                to_direct.push(shop_did.per_second() / direct.per_second());
                to_naive.push(shop_did.per_second() / naive_did.per_second());
                ours.add(shop_did);
            }
            let more = format!(
                "（每秒 {:.0} 个，p50 {:.1} ms，p99 {:.1} ms，每次 CPU {:.0} µs）",
                ours.per_second(),
                ours.quantile(0.5),
                ours.quantile(0.99),
                median(costs)
            );
            let what = format!("支付通知（落盘），{together} 个同时，对比同样的事务直接进组提交");
            lines.push(Line::at_least(what, median(to_direct), least, &more));
            let what = format!("支付通知，{together} 个同时，对比加锁、逐个提交的写法");
            lines.push(match together {
                32 => Line::at_least(what, median(to_naive), 4.0, ""),
                _ => Line::new(what, format!("{:.2}×", median(to_naive))),
            });
        }
    }
    drop(shop);
    // Speed is worth nothing if it forgot one.
    let expected = before + needed as i64;
    assert_eq!(paid(shop_at.path()).await, expected, "an acknowledged notice is missing");
    lines
}

// ── prepay ──

pub fn prepay_call(round: &str, n: usize, sku: usize) -> Call {
    let body = json!({
        "items": [{ "skuId": sku.to_string(), "quantity": 1 }],
        "address": {
            "receiver": "王小样", "phone": "13800001234", "province": "浙江省", "city": "杭州市", "district": "西湖区",
            "detail": "演示路 1 号", "postcode": "310000",
        },
    });
    Call::post("/api/v1/prepay", body.to_string())
        .with("Content-Type", "application/json")
        .with("Authorization", format!("Bearer {}", seed::buyer_token((n as i64) % seed::BUYERS + 1)))
        .with("Idempotency-Key", format!("bench-{round}-{n:06}"))
}

async fn gateway_takes(gateway: &Program, ms: u64) {
    let mut connection = Connection::new(gateway.at);
    let clear = Call { method: "DELETE", ..Call::post("/simulator/faults", "") };
    assert!(connection.call(&clear).await.0 < 300);
    if ms > 0 {
        let slow = json!({ "kind": "unifiedorder", "fault": { "slow": ms } }).to_string();
        let slow = Call::post("/simulator/faults", slow).with("Content-Type", "application/json");
        assert!(connection.call(&slow).await.0 < 300);
    }
}

async fn prepay() -> Vec<Line> {
    let folder = seed::copy(100_000).await;
    let gateway = Program::simulate_wechat();
    let shop = Program::serve(folder.path(), gateway.at.port()).settled().await;
    let mut lines = Vec::new();
    let go = async |round: String, together: usize, count: usize| {
        load::closed(shop.at, together, count, move |n| prepay_call(&round, n, n % 200 + 1)).await.all(201)
    };
    go("warm".into(), 8, 200).await;
    for ms in [0, 50] {
        gateway_takes(&gateway, ms).await;
        let mut all = Outcome::default();
        let cpu = shop.cpu();
        for round in 0..ROUNDS {
            all.add(go(format!("{ms}-{round}"), 4, 300).await);
        }
        let more = format!("（每次 CPU {:.0} µs）", each(cpu, shop.cpu(), all.took.len()));
        let over = |share| all.quantile(share) - ms as f64;
        let what = format!("下单（网关 {ms} ms，4 个同时）比网关多用的时间");
        lines.push(Line::at_most(format!("{what}，p50"), over(0.5), 12.0, "ms", &more));
        lines.push(Line::at_most(format!("{what}，p99"), over(0.99), 30.0, "ms", ""));
    }
    // So many that it counts for little how long the first wait before anybody is answered.
    const MANY: usize = 6_000;
    for (together, least) in [(256, Some(0.85)), (512, None)] {
        let (mut ratios, mut rates) = (Vec::new(), [Vec::new(), Vec::new()]);
        for round in 0..ROUNDS {
            let mut speed = [0.0, 0.0];
            for (which, ms) in [(0, 0), (1, 50)] {
                gateway_takes(&gateway, ms).await;
                speed[which] = go(format!("{together}-{ms}-{round}"), together, MANY).await.per_second();
                rates[which].push(speed[which]);
            }
            ratios.push(speed[1] / speed[0]);
        }
        let [quick, slow] = rates.map(median);
        let what = format!("{together} 个下单同时等 50 ms 的网关，对比 0 ms 的速度");
        let more = format!("（每秒 {slow:.0} 对 {quick:.0} 单）");
        lines.push(match least {
            Some(least) => Line::at_least(what, median(ratios), least, &more),
            None => Line::new(what, format!("{:.2}×{more}", median(ratios))),
        });
    }
    lines
}

// ── pages of shops of any age ──

const SIZES: [i64; 3] = [1_000, 100_000, 1_000_000];

pub fn console(path: &str) -> Call {
    Call::get(path).with("Cookie", format!("xiaopu_session={}", seed::STAFF_TOKEN))
}

pub const PAGES: [(&str, &str); 17] = [
    ("首页", "/admin/"),
    ("首页，近 30 天和毛利", "/admin/?days=30"),
    ("订单列表", "/admin/orders"),
    ("已完成订单", "/admin/orders?tab=completed"),
    ("按商品名搜索“苹果”", "/admin/orders?q=%E8%8B%B9%E6%9E%9C"),
    ("按收货人搜索", "/admin/orders?q=%E7%8E%8B%E5%B0%8F"),
    ("按手机尾号搜索", "/admin/orders?q=0042"),
    ("按快递单号搜索", "/admin/orders?q=SF0000000000101"),
    ("搜不到的词", "/admin/orders?q=%E9%BE%99%E8%99%BE"),
    ("按地区筛选", "/admin/orders?region=%E6%9D%AD%E5%B7%9E"),
    ("交易流水", "/admin/transactions"),
    ("顾客，最近下单的", "/admin/customers"),
    ("顾客，付款最多的", "/admin/customers?by=spent"),
    ("按手机尾号找顾客", "/admin/customers?q=0042"),
    ("一位顾客", "/admin/customers/42"),
    ("发票", "/admin/invoices"),
    ("导出一天的订单 csv", "/admin/orders/export.csv?days=yesterday"),
];

/// How often each is asked, of which the first ones do not count.
pub const ASKED: usize = 43;
const WARM: usize = 3;

/// How long each shop takes for what it is asked. Turn about, call by call: a noisy moment meets all sizes alike. Each answer is
/// looked at.
pub async fn in_turn(
    shops: &mut [Connection],
    status: u16,
    call: impl Fn(usize, usize) -> Call,
    mut look: impl FnMut(usize, &str),
) -> Vec<Outcome> {
    let mut took: Vec<Outcome> = shops.iter().map(|_| Outcome::default()).collect();
    for n in 0..ASKED {
        for (which, connection) in shops.iter_mut().enumerate() {
            let call = call(which, n);
            let begun = Instant::now();
            let (said, body) = connection.call(&call).await;
            let elapsed = begun.elapsed();
            let text = String::from_utf8_lossy(&body);
            assert_eq!(said, status, "{}: {text}", call.path);
            look(which, &text);
            if n >= WARM {
                took[which].took.push(elapsed.as_micros() as u32);
            }
        }
    }
    took.iter_mut().for_each(|outcome| outcome.took.sort_unstable());
    took
}

async fn pages() -> Vec<Line> {
    let (mut programs, mut shops) = (Vec::new(), Vec::new());
    for size in SIZES {
        let program = Program::serve(&seed::shop(size).await, NOWHERE).settled().await;
        shops.push(Connection::new(program.at));
        programs.push(program);
    }
    let mut lines = Vec::new();
    for (what, path) in PAGES {
        // How many orders each page shows: a small shop that finds fewer has less to do.
        let mut shown = SIZES.map(|_| 0);
        let look = |which: usize, page: &str| shown[which] = page.matches("<article").count();
        let took = in_turn(&mut shops, 200, |_, _| console(path), look).await;
        let p50 = |which: usize| took[which].quantile(0.5);
        let hits = if shown == [0; 3] { String::new() } else { format!("，各显示 {shown:?} 单") };
        let more = format!(
            "（p50 {:.1} / {:.1} / {:.1} ms，p99 {:.1} ms{hits}）",
            p50(0),
            p50(1),
            p50(2),
            took[2].quantile(0.99)
        );
        let ratio = p50(2) / p50(0);
        let (result, wanted) = (format!("{ratio:.2}×{more}"), "≤ 1.2×".to_owned());
        let what = format!("{what}：100 万单对比 1 千单");
        lines.push(Line { what, result, wanted, reached: Some(ratio <= 1.2) });
    }
    lines
}

// ── the machine ──

async fn machine() -> Vec<Line> {
    let data = seed::shop(1_000_000).await;
    let mut started = Vec::new();
    for _ in 0..2 * ROUNDS {
        started.push(Program::serve(&data, NOWHERE).started_in.as_secs_f64() * 1000.0);
    }
    let mut lines = vec![Line::at_most("冷启动到能接受连接，100 万单", median(started), 100.0, "ms", "")];
    let shop = Program::serve(&data, NOWHERE).settled().await;
    assert_eq!(shop.get("/readyz").await.0, 200);
    // Until readers that nobody needs are closed.
    tokio::time::sleep(Duration::from_secs(15)).await;
    lines.push(Line::at_most("空闲时占用内存（PSS）", shop.memory(), 16.0, "MiB", ""));
    for path in ["/admin/", "/admin/orders", "/admin/orders?q=%E8%8B%B9%E6%9E%9C", "/admin/transactions"] {
        load::closed(shop.at, 16, 200, move |_| console(path)).await.all(200);
    }
    load::closed(shop.at, 256, 20_000, |_| Call::get("/api/v1/products?limit=20")).await.all(200);
    lines.push(Line::at_most("忙过之后占用内存（PSS）", shop.memory(), 64.0, "MiB", ""));
    let bytes = std::fs::metadata(program::XIAOPU).expect("the program is a file").len();
    lines.push(Line::at_most("可执行文件", bytes as f64 / 1024.0 / 1024.0, 16.0, "MiB", ""));
    lines
}

// ── a backup while money comes in ──

async fn backup() -> Vec<Line> {
    const PACE: u32 = 500;
    const SECONDS: usize = 20;
    let (folder, shop, made) = open_and_waiting(PACE as usize * SECONDS, NOWHERE).await;
    let notices: Vec<_> = made.iter().map(seed::notice).collect();
    let count = notices.len();
    let file = folder.path().join("copy.backup");
    let mut copying = program::command(folder.path(), NOWHERE, &["backup", &file.display().to_string()]);
    let copied = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(2));
        let begun = Instant::now();
        let status = copying.stderr(Stdio::inherit()).status().expect("a backup starts");
        (status.success(), begun.elapsed())
    });
    let call = move |n: usize| Call::post("/wechat/pay/notify", notices[n].clone());
    let outcome = load::paced(shop.at, PACE, count, call).await.all(200);
    let (fine, took) = copied.await.expect("a backup ends");
    assert!(fine, "the backup failed");
    let more = format!("（p50 {:.1} ms，备份 {:.1} 秒，10 万单）", outcome.quantile(0.5), took.as_secs_f64());
    vec![Line::at_most(format!("备份进行中，每秒 {PACE} 个通知，p99"), outcome.quantile(0.99), 250.0, "ms", &more)]
}

// ── everybody at once ──

async fn rush() -> Vec<Line> {
    const BUYERS: usize = 2_000;
    const PIECES: i64 = 100;
    let folder = seed::copy(1_000).await;
    let scarce = |conn: &rusqlite::Connection| -> rusqlite::Result<i64> {
        conn.query_row("select on_hand - reserved from skus where id = 1", [], |row| row.get(0))
    };
    {
        let db = yardstick::open(folder.path());
        let leave = move |tx: &xiaopu::db::Tx| {
            let surplus = scarce(tx)? - PIECES;
            tx.execute("update skus set on_hand = on_hand - ?1 where id = 1", [surplus])?;
            tx.execute(
                "insert into stock_moves (sku_id, reason, on_hand_delta, reserved_delta, at) values (1, 'adjust', -?1, 0, 0)",
                [surplus],
            )?;
            Ok::<_, xiaopu::db::DbError>(())
        };
        db.write(leave).await.expect("stock can be set");
    }
    let gateway = Program::simulate_wechat();
    gateway_takes(&gateway, 50).await;
    let shop = Program::serve(folder.path(), gateway.at.port()).settled().await;
    let outcome = load::closed(shop.at, 500, BUYERS, |n| prepay_call("rush", n, 1)).await;
    let got = outcome.statuses.get(&201).copied().unwrap_or(0);
    let sold_out = outcome.statuses.get(&409).or(outcome.statuses.get(&422)).copied().unwrap_or(0);
    let busy = outcome.statuses.get(&503).copied().unwrap_or(0);
    assert_eq!(got + sold_out + busy, BUYERS, "{:?}", outcome.statuses);
    drop(shop);
    let db = yardstick::open(folder.path());
    let look = move |conn: &rusqlite::Connection| {
        let broken = xiaopu::payments::invariants::broken(conn)?;
        Ok::<_, xiaopu::db::DbError>((scarce(conn)?, broken))
    };
    let (left, broken) = db.read_slowly(look).await.expect("the shop can be looked at");
    assert_eq!((left, broken), (PIECES - got as i64, Vec::new()));
    let result = format!(
        "{got} 单成交，{sold_out} 人被告知售罄，{busy} 人被请稍后再试（p50 {:.0} ms，p99 {:.0} ms）",
        outcome.quantile(0.5),
        outcome.quantile(0.99)
    );
    let reached = Some(got == PIECES as usize && busy == 0);
    vec![Line {
        what: format!("{BUYERS} 人抢 {PIECES} 件（网关 50 ms）"),
        result,
        wanted: format!("{PIECES} 单"),
        reached,
    }]
}

// ── how much one machine takes ──

/// As many orders as go through when buyers look at ten lists and ten products for each one that they place and pay,
/// and ask twice how it stands. Whoever asks, the simulated WeChat and the shop share this machine.
async fn ceiling() -> Vec<Line> {
    const ORDERS: usize = 3_000;
    const EACH: usize = 24;
    let gateway = Program::simulate_wechat();
    gateway_takes(&gateway, 0).await;
    let (_folder, shop, made) = open_and_waiting(ORDERS, gateway.at.port()).await;
    let notices: Vec<_> = made.iter().map(seed::notice).collect();
    let asked = |n: usize| {
        let buyer = (n as i64) % seed::BUYERS + 1;
        Call::get("/api/v1/orders").with("Authorization", format!("Bearer {}", seed::buyer_token(buyer)))
    };
    let before = shop.cpu();
    let outcome = load::closed(shop.at, 64, ORDERS * EACH, move |n| match n % EACH {
        0 => prepay_call("ceiling", n / EACH, (n / EACH) % 200 + 1),
        1 => Call::post("/wechat/pay/notify", notices[n / EACH].clone()),
        2 | 3 => asked(n),
        n if n % 2 == 0 => Call::get("/api/v1/products?limit=20"),
        _ => Call::get(format!("/api/v1/products/{}", n % 200 + 1)),
    });
    let outcome = outcome.await;
    assert!(outcome.statuses.keys().all(|status| *status < 300), "{:?}", outcome.statuses);
    let orders = ORDERS as f64 / outcome.wall.as_secs_f64();
    let result = format!(
        "每秒 {orders:.0} 单（连同每单 22 次浏览和查询），一天 {:.0} 万单；p50 {:.1} ms，p99 {:.1} ms，每单 CPU {:.1} ms",
        orders * 86_400.0 / 10_000.0,
        outcome.quantile(0.5),
        outcome.quantile(0.99),
        each(before, shop.cpu(), ORDERS) / 1_000.0
    );
    vec![Line::new("一台机器的上限（压测和模拟微信也在这台机器上）", result)]
}

// ── ten minutes of everything ──

async fn soak() -> Vec<Line> {
    let minutes: u64 = std::env::var("SOAK_MINUTES").ok().and_then(|m| m.parse().ok()).unwrap_or(10);
    let gateway = Program::simulate_wechat();
    let (_folder, shop, made) = open_and_waiting(60 * 60, gateway.at.port()).await;
    let notices: Vec<_> = made.iter().map(seed::notice).collect();
    let until = Instant::now() + Duration::from_secs(60 * minutes);
    let (mut all, mut memory, mut round) = (Outcome::default(), Vec::new(), 0);
    let files = |pid: u32| std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    while Instant::now() < until {
        let notices = notices.clone();
        let mixed = move |n: usize| match n % 10 {
            0 => prepay_call(&format!("soak-{round}"), n, n % 200 + 1),
            // Most of them again and again, as WeChat does.
            1 | 2 => Call::post("/wechat/pay/notify", notices[(n + round * 97) % notices.len()].clone()),
            3 => console("/admin/orders"),
            4 => console("/admin/orders?q=%E8%8B%B9%E6%9E%9C"),
            5 => Call::get("/api/v1/products/7"),
            6 => Call::get("/api/v1/orders")
                .with("Authorization", format!("Bearer {}", seed::buyer_token((n as i64) % seed::BUYERS + 1))),
            7 => Call::post("/wechat/pay/notify", "<xml>nonsense</xml>"),
            _ => Call::get("/api/v1/products?limit=20"),
        };
        let outcome = load::paced(shop.at, 200, 2_000, mixed).await;
        assert!(outcome.statuses.keys().all(|status| *status < 300), "{:?}", outcome.statuses);
        all.add(outcome);
        memory.push((shop.memory(), files(shop.pid())));
        round += 1;
    }
    // Jobs that are due must have been done.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (_, metrics) = shop.get("/metrics").await;
    let lag = metrics.lines().find_map(|line| line.strip_prefix("xiaopu_jobs_lag_ms "));
    let waited = lag.and_then(|n| n.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let at = |share: f64| memory[((memory.len() - 1) as f64 * share) as usize];
    let (early, late) = (at(0.2), at(1.0));
    let result = format!(
        "{} 次请求，p50 {:.1} ms，p99 {:.1} ms；内存 {:.0} → {:.0} MiB，打开的文件 {} → {}，任务最多晚 {waited} ms",
        all.took.len(),
        all.quantile(0.5),
        all.quantile(0.99),
        early.0,
        late.0,
        early.1,
        late.1
    );
    let flat = late.0 < early.0 * 1.3 && late.1 <= early.1 + 8 && waited < 5_000;
    vec![Line {
        what: format!("{minutes} 分钟混合负载"),
        result,
        wanted: "内存平稳、无泄漏".into(),
        reached: Some(flat),
    }]
}
