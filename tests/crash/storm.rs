//! Ended again and again in the middle of everything: by a kill without warning, or asked to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use xiaopu::nonce::Nonces;
use xiaopu::payments::invariants;
use xiaopu::simulator::{Fault, Paying, Simulator};
use xiaopu::wechat::v2::notice::ACKNOWLEDGED;

use super::{Program, simulated, text, write};
use crate::http::v3::keys;
use crate::support::{address, client, cookie};

/// Rounds that every run of the tests goes through; `CRASH_ROUNDS=200` for a whole night's worth of them.
const ROUNDS: usize = 12;
const BUYERS: usize = 6;

/// What the shop has answered, and must know for ever: each with how far the record of its disk had come by then.
#[derive(Default)]
pub struct Promised {
    pub orders: BTreeMap<String, u64>,
    pub refunds: BTreeMap<String, u64>,
    pub closed: BTreeMap<String, u64>,
    /// Orders that were said to come to five yuan.
    pub prices: BTreeMap<String, u64>,
    /// Numbers of parcels that were said to be on their way.
    pub parcels: BTreeMap<String, u64>,
    /// Payments, by WeChat's number, whose notice was acknowledged.
    pub payments: BTreeMap<String, u64>,
}

impl Promised {
    pub fn count(&self) -> usize {
        self.orders.len()
            + self.refunds.len()
            + self.closed.len()
            + self.prices.len()
            + self.parcels.len()
            + self.payments.len()
    }

    /// Something of every kind was promised.
    fn has_all(&self) -> bool {
        let kinds = [&self.orders, &self.refunds, &self.closed, &self.prices, &self.parcels, &self.payments];
        kinds.iter().all(|kind| !kind.is_empty())
    }
}

/// Everything that goes on at once in a round.
#[derive(Clone)]
pub struct Storm {
    at: String,
    simulator: Simulator,
    cookie: String,
    tokens: Arc<Vec<String>>,
    pub promised: Arc<Mutex<Promised>>,
    /// The record of what the program did to its disk, when one is kept.
    record: Option<PathBuf>,
}

impl Storm {
    /// Its buyers and its clerk have logged in. The program runs.
    pub async fn of(program: &Program, simulator: &Simulator) -> Storm {
        let (cookie, mut tokens) = (program.owner().await, Vec::new());
        for _ in 0..BUYERS {
            tokens.push(program.buyer(simulator).await);
        }
        let tokens = Arc::new(tokens);
        Storm {
            at: program.at(""),
            simulator: simulator.clone(),
            cookie,
            tokens,
            promised: Arc::default(),
            record: None,
        }
    }

    pub fn recorded(self, record: PathBuf) -> Storm {
        Storm { record: Some(record), ..self }
    }

    /// Everybody does what they do until the answer is aborted.
    pub fn rage(&self, round: usize) -> JoinSet<()> {
        let mut load = JoinSet::new();
        (0..BUYERS).for_each(|buyer| drop(load.spawn(self.clone().buy(buyer, round))));
        load.spawn(self.clone().work());
        load
    }

    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// How far the record has come: whatever was answered is in it up to there.
    fn mark(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| std::fs::metadata(record).unwrap().len())
    }

    /// Notes which notices were acknowledged.
    pub fn hear(&self) {
        let mut promised = self.promised.lock().unwrap();
        for no in promised.orders.keys().cloned().collect::<Vec<_>>() {
            let Some(trade) = self.simulator.trade(&format!("{no}01")) else { continue };
            if let Some(id) = trade.transaction_id.filter(|_| trade.notices.iter().any(thanked)) {
                promised.payments.entry(id).or_insert_with(|| self.mark());
            }
        }
    }

    /// Buys and pays without a pause. Whatever goes unanswered is nobody's promise.
    async fn buy(self, buyer: usize, round: usize) {
        for n in 0.. {
            let order = json!({ "items": [{ "skuId": (n % 3 + 1).to_string(), "quantity": 1 }], "address": address() });
            let request = client()
                .post(format!("{}/api/v1/prepay", self.at))
                .bearer_auth(&self.tokens[buyer])
                .header("Idempotency-Key", format!("storm-{round}-{buyer}-{n}"));
            let Ok(answer) = request.json(&order).send().await else { return };
            let created = answer.status() == 201;
            let Ok(answer) = answer.json::<Value>().await else { return };
            if let Some(no) = answer["order"]["orderNo"].as_str().filter(|_| created) {
                self.promised.lock().unwrap().orders.insert(no.to_owned(), self.mark());
                match (n + buyer) % 7 {
                    5 => {
                        self.cancel(buyer, no).await;
                        continue;
                    }
                    6 => {
                        self.reprice(no).await;
                        continue;
                    }
                    _ => {}
                }
                let paying = if n % 5 == 4 { Paying::NoticeTwice } else { Paying::Well };
                let prepay_id = answer["payment"]["package"].as_str().unwrap_or_default();
                let _ = self.simulator.pay(prepay_id.trim_start_matches("prepay_id="), paying);
            }
        }
    }

    /// Thinks better of an order that nobody has paid.
    async fn cancel(&self, buyer: usize, no: &str) {
        let request = client().post(format!("{}/api/v1/orders/{no}/cancel", self.at)).bearer_auth(&self.tokens[buyer]);
        let Ok(answer) = request.send().await else { return };
        if answer.json::<Value>().await.is_ok_and(|order| order["status"] == "closed") {
            self.promised.lock().unwrap().closed.insert(no.to_owned(), self.mark());
        }
    }

    /// Comes down with the price of an order that nobody has paid.
    async fn reprice(&self, no: &str) {
        let form = [("total", "5"), ("freight", "0"), ("reason", "老客优惠")];
        let request = client().post(format!("{}/admin/orders/{no}/price", self.at)).header("Cookie", &self.cookie);
        let Ok(answer) = request.form(&form).send().await else { return };
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok());
        if to.is_some_and(|to| to == format!("/admin/orders/{no}")) {
            self.promised.lock().unwrap().prices.insert(no.to_owned(), self.mark());
        }
    }

    /// Ships every other order, and gives the money of every third one back.
    async fn work(self) {
        let mut done = BTreeSet::new();
        loop {
            let next = self.promised.lock().unwrap().orders.keys().find(|no| !done.contains(*no)).cloned();
            let Some(no) = next else {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            let nth = done.len();
            done.insert(no.clone());
            let number = format!("SF{nth:013}");
            let (what, form) = match nth % 3 {
                0 => ("refund", vec![("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")]),
                1 => ("ship", vec![("tracking_no", number.as_str())]),
                _ => continue,
            };
            let request = client().post(format!("{}/admin/orders/{no}/{what}", self.at)).header("Cookie", &self.cookie);
            let Ok(answer) = request.form(&form).send().await else { return };
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            if let Some(refund) = to.strip_prefix("/admin/refunds/") {
                self.promised.lock().unwrap().refunds.insert(refund.to_owned(), self.mark());
            }
            let said = cookie(&answer, "_flash=").unwrap_or_default();
            if what == "ship" && !said.is_empty() && !said.contains("error") {
                self.promised.lock().unwrap().parcels.insert(number, self.mark());
            }
        }
    }
}

/// In either version's way.
fn thanked(answer: &String) -> bool {
    answer == ACKNOWLEDGED || answer.starts_with("204")
}

fn opened(program: &Program) -> Connection {
    Connection::open(program.data().join("xiaopu.db")).unwrap()
}

fn below(limit: u64) -> u64 {
    u64::from_be_bytes(Nonces::Random.bytes()) % limit
}

/// Nothing that was answered while the record was no longer than this is missing, and nothing contradicts itself.
pub fn check(conn: &Connection, promised: &Promised, up_to: u64, when: &str) {
    assert_eq!(invariants::broken(conn).unwrap(), [], "{when}");
    let sound: String = conn.query_row("pragma quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "{when}");
    for (what, kept, sql) in [
        ("order", &promised.orders, "select 1 from orders where order_no = ?1"),
        ("cancelling", &promised.closed, "select 1 from orders where order_no = ?1 and status = 'closed'"),
        ("new price", &promised.prices, "select 1 from orders where order_no = ?1 and total_fen = 500"),
        ("parcel", &promised.parcels, "select 1 from shipments where tracking_no = ?1"),
        ("refund", &promised.refunds, "select 1 from refunds where out_refund_no = ?1"),
        // What v2 tells a shop that sells by v3 is kept, and entered once WeChat was asked: the end of the storm sees to that.
        (
            "payment",
            &promised.payments,
            "select 1 from ledger where kind = 'payment' and wechat_id = ?1
             union all
             select 1 from messages where kind = 'notify' and transaction_id = ?1 and reason like '%正在向微信查%'",
        ),
    ] {
        let mut there = conn.prepare(sql).unwrap();
        for (key, _) in kept.iter().filter(|(_, mark)| **mark <= up_to) {
            assert!(there.exists([key]).unwrap(), "{when}: the {what} {key} was answered and is lost");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_ends_nothing_that_was_answered_is_lost_and_no_refund_is_paid_twice() {
    let rounds = std::env::var("CRASH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let (simulator, wechat) = simulated().await;
    simulator.ways(|ways| ways.refund_takes_ms = 0);
    let keys = keys();
    simulator.with_v3(&keys).unwrap();
    let program = Program::new(wechat);
    let goods = "商品名称,售价(元),库存\n苹果,10,1000000\n梨,8,1000000\n桃,6,1000000\n";
    let table = write(program.folder.path(), "goods.csv", goods);
    assert!(program.run(&["import", &table]).status.success());
    let storm = {
        let _running = program.start();
        program.ready().await;
        Storm::of(&program, &simulator).await
    };
    // A busy machine comes to less in each: then there are more of them, and longer ones.
    for round in 0..8 * rounds {
        if round >= rounds && storm.promised.lock().unwrap().has_all() {
            break;
        }
        // Orders of both versions in one shop: each is followed in its own, whichever the new ones use.
        program.speaks(["v3", "v2"][round % 2], &keys);
        let mut running = program.start();
        program.ready().await;
        for kind in ["unifiedorder", "orderquery", "refund"] {
            let faults = [Fault::LoseAnswer, Fault::Slow(200), Fault::Http500, Fault::BadSign, Fault::SignTest];
            if below(3) == 0 {
                simulator.fault(kind, faults[below(faults.len() as u64) as usize].clone());
            }
        }
        let mut load = storm.rage(round);
        let longest = 700 * (1 + round / rounds) as u64;
        tokio::time::sleep(Duration::from_millis(20 + below(longest))).await;
        if round % 4 == 3 {
            // Asked to stop: it answers what it has begun, and goes in good order.
            running.signal("-TERM");
            let begun = Instant::now();
            let ended = loop {
                if let Some(status) = running.0.try_wait().unwrap() {
                    break status;
                }
                assert!(begun.elapsed() < Duration::from_secs(30), "round {round}: it does not stop");
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            assert!(ended.success(), "round {round}: {ended}");
        } else {
            running.0.kill().unwrap();
            running.0.wait().unwrap();
        }
        load.shutdown().await;
        storm.hear();
        check(&opened(&program), &storm.promised.lock().unwrap(), 0, &format!("round {round}"));
    }

    // The weather clears: every payment is heard of, every refund comes to its end, and each was paid once.
    simulator.clear_faults();
    let running = program.start();
    program.ready().await;
    let conn = opened(&program);
    let list = |sql: &str| -> Vec<String> {
        conn.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let begun = Instant::now();
    loop {
        let (paid, _) = simulator.all_paid();
        let known: BTreeSet<_> = list("select wechat_id from ledger where kind = 'payment'").into_iter().collect();
        let open = list("select out_refund_no from refunds where ended_at is null");
        let missing: Vec<_> = paid.iter().filter(|id| !known.contains(*id)).collect();
        if open.is_empty() && missing.is_empty() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(240), "left open: {open:?}, not heard of: {missing:?}");
        for no in open.iter().take(20) {
            for act in ["retry", "query"] {
                let request = client().post(program.at(&format!("/admin/refunds/{no}/{act}")));
                let _ = request.header("Cookie", &storm.cookie).send().await;
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    drop(running);
    storm.hear();
    check(&conn, &storm.promised.lock().unwrap(), 0, "in the end");
    let mut returned: BTreeMap<String, i64> = BTreeMap::new();
    for refund in simulator.all_refunds() {
        *returned.entry(refund.transaction_id).or_default() += refund.amount_fen;
    }
    for (id, fen) in &returned {
        let paid: i64 = conn
            .query_row("select amount_fen from ledger where kind = 'payment' and wechat_id = ?1", [id], |row| {
                row.get(0)
            })
            .unwrap();
        assert!(*fen <= paid, "{fen} of {paid} fen went back for {id}");
    }
    let here: i64 = conn
        .query_row("select -coalesce(sum(amount_fen), 0) from ledger where kind = 'refund'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(here, returned.values().sum::<i64>(), "refunded here and there");
    let paid_in = |api: &str| {
        let sql = "select count(*) from attempts where state = 'paid' and api = ?1";
        conn.query_row(sql, [api], |row| row.get::<_, i64>(0)).unwrap()
    };
    let both = (paid_in("v2"), paid_in("v3"));
    assert!(both.0 > 0 && both.1 > 0, "not both versions took money: {both:?}");
    let promised = storm.promised.lock().unwrap();
    let Promised { orders, refunds, closed, prices, parcels, .. } = &*promised;
    let (orders, refunds, parcels) = (orders.len(), refunds.len(), parcels.len());
    let (closed, prices) = (closed.len(), prices.len());
    println!(
        "{rounds} rounds: {orders} orders, {refunds} refunds, {parcels} shipped, {closed} cancelled, {prices} prices"
    );
    assert!(promised.has_all(), "not everything went on");
    assert!(orders > rounds, "nothing went on");
    assert!(text(&program.run(&["doctor"])).contains("✓ 资金与库存  "));
}
