//! Ended again and again in the middle of everything: by a kill without warning, or asked to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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

/// What the shop has answered, and must know for ever.
#[derive(Default)]
struct Promised {
    orders: BTreeSet<String>,
    refunds: BTreeSet<String>,
    closed: BTreeSet<String>,
    /// What each order was last said to come to, in fen.
    prices: BTreeMap<String, i64>,
    /// Orders by the number of their parcel.
    parcels: BTreeMap<String, String>,
}

/// Everything that goes on at once in a round.
#[derive(Clone)]
struct Storm {
    at: String,
    simulator: Simulator,
    cookie: String,
    tokens: Arc<Vec<String>>,
    promised: Arc<Mutex<Promised>>,
}

impl Storm {
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
                self.promised.lock().unwrap().orders.insert(no.to_owned());
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
            self.promised.lock().unwrap().closed.insert(no.to_owned());
        }
    }

    /// Comes down with the price of an order that nobody has paid.
    async fn reprice(&self, no: &str) {
        let form = [("total", "5"), ("freight", "0"), ("reason", "老客优惠")];
        let request = client().post(format!("{}/admin/orders/{no}/price", self.at)).header("Cookie", &self.cookie);
        let Ok(answer) = request.form(&form).send().await else { return };
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok());
        if to.is_some_and(|to| to == format!("/admin/orders/{no}")) {
            self.promised.lock().unwrap().prices.insert(no.to_owned(), 500);
        }
    }

    /// Ships every other order, and gives the money of every third one back.
    async fn work(self) {
        let mut done = BTreeSet::new();
        loop {
            let next = self.promised.lock().unwrap().orders.iter().find(|no| !done.contains(*no)).cloned();
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
                self.promised.lock().unwrap().refunds.insert(refund.to_owned());
            }
            let said = cookie(&answer, "_flash=").unwrap_or_default();
            if what == "ship" && !said.is_empty() && !said.contains("error") {
                self.promised.lock().unwrap().parcels.insert(number, no);
            }
        }
    }
}

fn below(limit: u64) -> u64 {
    u64::from_be_bytes(Nonces::Random.bytes()) % limit
}

/// Nothing that was answered is missing, nothing contradicts itself, no notice was acknowledged in vain.
fn check(program: &Program, simulator: &Simulator, promised: &Promised, round: usize) {
    let conn = rusqlite::Connection::open(program.data().join("xiaopu.db")).unwrap();
    assert_eq!(invariants::broken(&conn).unwrap(), [], "round {round}");
    let sound: String = conn.query_row("pragma quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "round {round}");
    let there = |sql: &str, key: &str| conn.prepare_cached(sql).unwrap().exists([key]).unwrap();
    for no in &promised.orders {
        assert!(there("select 1 from orders where order_no = ?1", no), "round {round}: order {no} is lost");
        let trade = simulator.trade(&format!("{no}01")).unwrap();
        if trade.notices.iter().any(|answer| answer == ACKNOWLEDGED || answer.starts_with("204")) {
            let id = trade.transaction_id.unwrap();
            let entered = there("select 1 from ledger where kind = 'payment' and wechat_id = ?1", &id);
            assert!(entered, "round {round}: the payment of {no} was acknowledged and is lost");
        }
    }
    for no in &promised.closed {
        let closed = there("select 1 from orders where order_no = ?1 and status = 'closed'", no);
        assert!(closed, "round {round}: {no} was cancelled and is not");
    }
    for (no, fen) in &promised.prices {
        let here: i64 =
            conn.query_row("select total_fen from orders where order_no = ?1", [no], |row| row.get(0)).unwrap();
        assert_eq!(here, *fen, "round {round}: the new price of {no} is lost");
    }
    for (number, no) in &promised.parcels {
        let sent = there("select 1 from shipments where tracking_no = ?1", number);
        assert!(sent, "round {round}: the parcel {number} of {no} is lost");
    }
    for no in &promised.refunds {
        assert!(there("select 1 from refunds where out_refund_no = ?1", no), "round {round}: refund {no} is lost");
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
        let cookie = program.owner().await;
        let mut tokens = Vec::new();
        for _ in 0..BUYERS {
            tokens.push(program.buyer(&simulator).await);
        }
        let promised = Arc::default();
        Storm { at: program.at(""), simulator: simulator.clone(), cookie, tokens: Arc::new(tokens), promised }
    };
    for round in 0..rounds {
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
        let mut load = JoinSet::new();
        (0..BUYERS).for_each(|buyer| drop(load.spawn(storm.clone().buy(buyer, round))));
        load.spawn(storm.clone().work());
        tokio::time::sleep(Duration::from_millis(20 + below(700))).await;
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
        check(&program, &simulator, &storm.promised.lock().unwrap(), round);
    }

    // The weather clears: every payment is heard of, every refund comes to its end, and each was paid once.
    simulator.clear_faults();
    let running = program.start();
    program.ready().await;
    let conn = rusqlite::Connection::open(program.data().join("xiaopu.db")).unwrap();
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
    check(&program, &simulator, &storm.promised.lock().unwrap(), rounds);
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
    let Promised { orders, refunds, closed, prices, parcels } = &*promised;
    let (orders, refunds, parcels) = (orders.len(), refunds.len(), parcels.len());
    let (closed, prices) = (closed.len(), prices.len());
    println!(
        "{rounds} rounds: {orders} orders, {refunds} refunds, {parcels} shipped, {closed} cancelled, {prices} prices"
    );
    assert!(parcels.min(closed).min(prices) > 0, "not everything went on");
    assert!(promised.orders.len() > rounds && !promised.refunds.is_empty(), "nothing went on");
    assert!(text(&program.run(&["doctor"])).contains("✓ 资金与库存  "));
}
