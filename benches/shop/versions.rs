//! API v3 beside v2: what a prepay and a notice cost in each, turn about in one run.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use xiaopu::cli::APP_SECRET;
use xiaopu::clock::{Clock, SECOND};
use xiaopu::nonce::Nonces;
use xiaopu::simulator::Simulator;
use xiaopu::simulator::v3::Keys;
use xiaopu::wechat::v3::keys::{PrivateKey, V3Key};
use xiaopu::wechat::v3::sign;

use super::Line;
use super::load::{self, Call, Outcome};
use super::program::{Program, free_port};
use super::rows::{ROUNDS, add_waiting, each, median, paid, prepay_call};
use super::seed::{self, Made, NOWHERE};

const APIS: [&str; 2] = ["v2", "v3"];

pub async fn both() -> Vec<Line> {
    let keys = Keys::make(&Nonces::Random);
    let mut lines = vec![signing(&keys)];
    lines.push(prepays(&keys).await);
    lines.extend(notices(&keys).await);
    lines
}

/// At most so many times as much in v3 as in v2.
fn at_most(what: &str, ratio: f64, most: f64, more: &str) -> Line {
    Line {
        what: what.into(),
        result: format!("{ratio:.2}×{more}"),
        wanted: format!("≤ {most}×"),
        reached: Some(ratio <= most),
    }
}

fn signing(keys: &Keys) -> Line {
    const TIMES: u32 = 500;
    let private = PrivateKey::read(&keys.merchant.private).expect("the key was just made");
    let begun = std::time::Instant::now();
    (0..TIMES).for_each(|n| drop(private.sign(&n.to_be_bytes())));
    let took = begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES);
    Line::new("RSA-2048 签名一次", format!("{took:.0} µs"))
}

/// A simulated WeChat in this very process: only the shop's own processor time is looked at.
async fn gateway(keys: &Keys) -> u16 {
    let simulator = Simulator::new(seed::merchant(), APP_SECRET, Clock::System, Nonces::Random);
    simulator.with_v3(keys).expect("the keys were just made");
    let port = free_port();
    let figment =
        xiaopu::cli::figment().merge(("address", "127.0.0.1")).merge(("port", port)).merge(("shutdown.ctrlc", false));
    tokio::spawn(simulator.rocket(figment).launch());
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    port
}

async fn prepays(keys: &Keys) -> Line {
    const CALLS: usize = 400;
    let gateway = gateway(keys).await;
    let folders = [seed::copy(100_000).await, seed::copy(100_000).await];
    let mut shops = Vec::new();
    for (api, folder) in APIS.into_iter().zip(&folders) {
        shops.push(Program::serve_in(api, keys, folder.path(), gateway).settled().await);
    }
    let (mut ratios, mut costs) = (Vec::new(), [Vec::new(), Vec::new()]);
    for round in 0..=ROUNDS {
        let mut cost = [0.0, 0.0];
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let (shop, name) = (&shops[which], format!("{}-{round}", APIS[which]));
            let before = shop.cpu();
            load::closed(shop.at, 4, CALLS, move |n| prepay_call(&name, n, n % 200 + 1)).await.all(201);
            cost[which] = each(before, shop.cpu(), CALLS);
        }
        // The first one only warms up.
        if round > 0 {
            ratios.push(cost[1] / cost[0]);
            (0..2).for_each(|which| costs[which].push(cost[which]));
        }
    }
    let [v2, v3] = costs.map(median);
    at_most("一次下单的 CPU，API v3 对比 v2", median(ratios), 1.5, &format!("（{v3:.0} 对 {v2:.0} µs）"))
}

/// A notice as WeChat Pay sends it by this version: its body and its headers.
type Sent = (String, Vec<(&'static str, String)>);

fn signed(keys: &Opened, made: &Made) -> Sent {
    let sealed = keys.v3.seal(*b"fdasflkja484", b"transaction", seed::facts_v3(made).to_string().as_bytes());
    let body = json!({
        "id": "EV-2018022511223320873", "create_time": "2026-10-08T13:15:41+08:00", "event_type": "TRANSACTION.SUCCESS",
        "resource_type": "encrypt-resource", "summary": "支付成功",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": BASE64_STANDARD.encode(sealed), "nonce": "fdasflkja484",
            "associated_data": "transaction", "original_type": "transaction",
        },
    })
    .to_string();
    let (at, nonce) = ((Clock::System.now() / SECOND).to_string(), "d824f2e086d3c1df967785d13fcd22ef".to_owned());
    let signature = sign::signed(&keys.platform, &[at.as_bytes(), nonce.as_bytes(), body.as_bytes()]);
    let headers = vec![
        (sign::TIMESTAMP, at),
        (sign::NONCE, nonce),
        (sign::SERIAL, keys.public_id.clone()),
        (sign::SIGNATURE, signature),
        (sign::SIGNATURE_TYPE, sign::SCHEME.to_owned()),
    ];
    (body, headers)
}

/// WeChat's half of the keys.
struct Opened {
    v3: V3Key,
    platform: PrivateKey,
    public_id: String,
}

async fn post(shop: &Program, path: &'static str, status: u16, notices: Vec<Sent>) -> Outcome {
    const TOGETHER: usize = 32;
    let (count, notices) = (notices.len(), Arc::new(notices));
    let call = move |n: usize| {
        let (body, headers) = &notices[n];
        headers.iter().fold(Call::post(path, body.clone()), |call, (name, value)| call.with(name, value.clone()))
    };
    load::closed(shop.at, TOGETHER, count, call).await.all(status)
}

async fn notices(keys: &Keys) -> Vec<Line> {
    const CALLS: usize = 2_000;
    let theirs = Opened {
        v3: keys.v3_key.parse().expect("the key was just made"),
        platform: PrivateKey::read(&keys.platform.private).expect("the key was just made"),
        public_id: keys.public_id.clone(),
    };
    let folder = seed::copy(100_000).await;
    // It sells by v2: one by v3 asks about what a notice of v2 tells before it enters anything.
    let shop = Program::serve_in("v2", keys, folder.path(), NOWHERE).settled().await;
    let all = CALLS * 2 * (ROUNDS + 1);
    let mut made = add_waiting(folder.path(), all).await;
    let before = paid(folder.path()).await;
    let (mut costs, mut rates, mut both) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
    for round in 0..=ROUNDS {
        let (mut cost, mut rate) = ([0.0, 0.0], [0.0, 0.0]);
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let orders = made.split_off(made.len() - CALLS);
            let (path, status, notices): (_, _, Vec<Sent>) = match which {
                0 => ("/wechat/pay/notify", 200, orders.iter().map(|made| (seed::notice(made), Vec::new())).collect()),
                _ => ("/wechat/pay/v3/notify", 204, orders.iter().map(|made| signed(&theirs, made)).collect()),
            };
            let before = shop.cpu();
            let outcome = post(&shop, path, status, notices).await;
            cost[which] = each(before, shop.cpu(), CALLS);
            rate[which] = outcome.per_second();
        }
        if round > 0 {
            costs.push(cost[1] / cost[0]);
            rates.push(rate[1] / rate[0]);
            (0..2).for_each(|which| both[which].push(cost[which]));
        }
    }
    assert_eq!(paid(folder.path()).await - before, all as i64, "a notice paid nothing");
    let [v2, v3] = both.map(median);
    vec![
        at_most("一个支付通知的 CPU，API v3 对比 v2", median(costs), 1.5, &format!("（{v3:.0} 对 {v2:.0} µs）")),
        Line::at_least("支付通知 32 个同时，API v3 的速度对比 v2", median(rates), 0.8, ""),
    ]
}
