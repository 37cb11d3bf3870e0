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

/// A shop of either version, and the buyers that it has had.
struct Contender {
    shop: Program,
    _folder: tempfile::TempDir,
    wechat: Simulator,
    buyers: usize,
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
        let mut new = Contender { shop, _folder: folder, wechat, buyers: 0 };
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

    async fn timed(&self, together: usize, calls: Vec<Call>, status: u16) -> Speed {
        let (count, cpu): (usize, Duration) = (calls.len(), self.shop.cpu());
        let done: Outcome = load::closed(self.shop.at, together, count, move |n| calls[n].clone()).await.all(status);
        (done.per_second(), each(cpu, self.shop.cpu(), count))
    }
}

pub async fn before() -> Vec<Line> {
    let Some(old) = std::env::var_os("BEFORE").map(PathBuf::from) else {
        return vec![Line::new("对比之前的程序", "没有说是哪一个：BEFORE=……/xiaopu".to_owned())];
    };
    let mut now = Contender::of(Path::new(program::XIAOPU)).await;
    let mut old = Contender::of(&old).await;
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
