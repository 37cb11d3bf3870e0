//! Orders and notices beside an older program, in the same run: `BEFORE=path/to/it`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use xiaopu::clock::Clock;
use xiaopu::simulator::Simulator;

use super::Line;
use super::disk::{self, Placed};
use super::load::{self, Call, Outcome};
use super::program::{self, Program};
use super::rows::{each, median};

const ROUNDS: usize = 5;
const ORDERS: usize = 300;
/// How many notices are on their way at a time, and how many are sent.
const NOTICES: [(usize, usize); 3] = [(1, 100), (32, 300), (256, 512)];

/// Whole orders of a stretch, how many calls belong to each, and how many are in flight.
const WHOLE: (usize, usize, usize) = (200, 24, 64);
/// Who looks at the orders that he has, and how many those are.
const REGULARS: (usize, usize) = (32, 20);

/// A shop of either version, and the buyers that it has had.
struct Contender {
    shop: Program,
    _folder: tempfile::TempDir,
    wechat: Simulator,
    buyers: usize,
    /// Whoever is logged in and has ordered often.
    regulars: Vec<String>,
}

/// What a stretch of work came to: how many a second, and the processor's time for each in microseconds.
type Speed = (f64, f64);

impl Contender {
    async fn of(binary: &Path) -> Contender {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (wechat, port) = disk::gateway(&Clock::System).await;
        drop(Program::serve_by(binary, folder.path(), port).settled().await);
        disk::goods(folder.path()).await;
        let shop = Program::serve_by(binary, folder.path(), port).settled().await;
        let mut new = Contender { shop, _folder: folder, wechat, buyers: 0, regulars: Vec::new() };
        new.notices(8, 200).await;
        new
    }

    fn next(&mut self) -> usize {
        self.buyers += 1;
        self.buyers
    }

    async fn prepays(&mut self) -> Speed {
        let mut connection = load::Connection::new(self.shop.at);
        let mut calls = Vec::new();
        for _ in 0..ORDERS {
            let n = self.next();
            let token = disk::login(&mut connection, &self.wechat, n).await;
            calls.push(disk::prepay(n, &token));
        }
        self.timed(4, calls, 201).await
    }

    async fn notices(&mut self, together: usize, count: usize) -> Speed {
        let mut connection = load::Connection::new(self.shop.at);
        let mut calls = Vec::new();
        for _ in 0..count {
            let n = self.next();
            let placed: Placed = disk::place(&mut connection, &self.wechat, n).await;
            calls.push(Call::post("/wechat/pay/notify", disk::notice(&placed, n)));
        }
        self.timed(together, calls, 200).await
    }

    async fn regulars(&mut self) -> Vec<String> {
        let mut connection = load::Connection::new(self.shop.at);
        let (mut tokens, mut calls) = (Vec::new(), Vec::new());
        for _ in 0..REGULARS.0 {
            let n = self.next();
            let token = disk::login(&mut connection, &self.wechat, n).await;
            calls.extend((0..REGULARS.1).map(|_| disk::prepay(self.next(), &token)));
            tokens.push(token);
        }
        self.timed(4, calls, 201).await;
        tokens
    }

    /// Orders with all that a buyer does for one: ten lists, ten products and two looks at his orders come with each
    /// that is placed and paid.
    async fn whole(&mut self) -> Speed {
        let (orders, each_order, together) = WHOLE;
        let mut connection = load::Connection::new(self.shop.at);
        let mut calls = Vec::new();
        for n in 0..orders {
            let paid = self.next();
            let placed: Placed = disk::place(&mut connection, &self.wechat, paid).await;
            let regular = self.regulars[n % self.regulars.len()].clone();
            let his = || Call::get("/api/v1/orders").with("Authorization", format!("Bearer {regular}"));
            let prepay = disk::prepay(self.next(), &regular);
            calls.extend([prepay, Call::post("/wechat/pay/notify", disk::notice(&placed, paid)), his(), his()]);
            calls.extend((4..each_order).map(|k| match k % 2 {
                0 => Call::get("/api/v1/products?limit=20"),
                _ => Call::get(format!("/api/v1/products/{}", (n * each_order + k) % 200 + 1)),
            }));
        }
        let (count, cpu) = (calls.len(), self.shop.cpu());
        let done = load::closed(self.shop.at, together, count, move |n| calls[n].clone()).await;
        assert!(done.statuses.keys().all(|status| *status < 300), "{:?}", done.statuses);
        (done.per_second(), each(cpu, self.shop.cpu(), orders))
    }

    async fn timed(&self, together: usize, calls: Vec<Call>, status: u16) -> Speed {
        let (count, cpu): (usize, Duration) = (calls.len(), self.shop.cpu());
        let done: Outcome = load::closed(self.shop.at, together, count, move |n| calls[n].clone()).await.all(status);
        (done.per_second(), each(cpu, self.shop.cpu(), count))
    }
}

/// This program and the one of before, where it was said which.
async fn contenders() -> Option<(Contender, Contender)> {
    let old = PathBuf::from(std::env::var_os("BEFORE")?);
    Some((Contender::of(Path::new(program::XIAOPU)).await, Contender::of(&old).await))
}

fn unsaid(what: &str) -> Vec<Line> {
    vec![Line::new(what, "没有说是哪一个：BEFORE=……/xiaopu".to_owned())]
}

pub async fn before() -> Vec<Line> {
    let Some((mut now, mut old)) = contenders().await else { return unsaid("对比之前的程序") };
    let mut found: Vec<(String, Vec<f64>, Vec<f64>)> = vec![("下单，4 个同时".to_owned(), vec![], vec![])];
    found.extend(NOTICES.map(|(together, _)| (format!("支付通知，{together} 个同时"), vec![], vec![])));
    for _ in 0..ROUNDS {
        let mut pairs = vec![(now.prepays().await, old.prepays().await)];
        for (together, count) in NOTICES {
            pairs.push((now.notices(together, count).await, old.notices(together, count).await));
        }
        for ((_, speeds, costs), ((speed, cost), (old_speed, old_cost))) in found.iter_mut().zip(pairs) {
            speeds.push(speed / old_speed);
            costs.push(cost / old_cost);
        }
    }
    let line = |(what, speeds, costs): (String, Vec<f64>, Vec<f64>)| {
        let more = format!("（CPU {:.2}×）", median(costs));
        Line::at_least(format!("{what}，对比之前的程序"), median(speeds), 0.97, &more)
    };
    found.into_iter().map(line).collect()
}

/// The processor's time of whole orders, turn about.
pub async fn whole() -> Vec<Line> {
    let what = "一整单的 CPU，对比之前的程序";
    let Some((mut now, mut old)) = contenders().await else { return unsaid(what) };
    now.regulars = now.regulars().await;
    old.regulars = old.regulars().await;
    let (mut costs, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (cost, old_cost) = (now.whole().await.1, old.whole().await.1);
        costs.push(cost / 1_000.0);
        ratios.push(cost / old_cost);
    }
    let more = format!("（{:.2} ms，一单 {} 次请求，{} 个同时）", median(costs), WHOLE.1, WHOLE.2);
    vec![Line::at_most(what, median(ratios), 0.6, "倍", &more)]
}
