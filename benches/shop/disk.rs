//! What an order costs on the disk, table by table: until it is paid, and in all of its life.
//!
//! `BEFORE=path/to/an/older/xiaopu` measures that one beside it in the same run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};
use xiaopu::cli::{API_KEY, APP_ID, APP_SECRET, MCH_ID};
use xiaopu::clock::{Clock, DAY, Day, HOUR, MINUTE};
use xiaopu::db::{Db, DbError, Tx};
use xiaopu::nonce::Nonces;
use xiaopu::settings::Server;
use xiaopu::shop::{Opening, Shop};
use xiaopu::simulator::{Paying, Simulator};
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::{self, SignType};

use super::Line;
use super::load::{self, Call};
use super::program::{self, Program, free_port};
use super::seed;

/// Pages that are there before are filled up by so many.
const WARM: usize = 200;
const ORDERS: usize = 1_000;

/// A simulated WeChat with a clock that can be moved.
pub async fn gateway(clock: &Clock) -> (Simulator, u16) {
    let simulator = Simulator::new(seed::merchant(), APP_SECRET, clock.clone(), Nonces::Random);
    (simulator.clone(), listening(|port| simulator.rocket(figment(port))).await)
}

fn figment(port: u16) -> rocket::figment::Figment {
    xiaopu::cli::figment().merge(("address", "127.0.0.1")).merge(("port", port)).merge(("shutdown.ctrlc", false))
}

async fn listening(make: impl Fn(u16) -> rocket::Rocket<rocket::Build>) -> u16 {
    let port = free_port();
    tokio::spawn(make(port).launch());
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    port
}

/// Goods to sell, in a shop of any version.
pub async fn goods(folder: &Path) {
    let conn = Connection::open(folder.join("xiaopu.db")).expect("the shop has been opened");
    for (into, select) in [
        (
            "products (id, name, price_fen, max_price_fen, created_at, updated_at)",
            "id, '高山苹果 家庭装 ' || id, 1000, 1000, 0, 0",
        ),
        ("skus (id, product_id, price_fen, on_hand)", "id, id, 1000, 100000"),
        ("stock_moves (sku_id, reason, on_hand_delta, reserved_delta, at)", "id, 'adjust', 100000, 0, 0"),
    ] {
        let numbers = "with n (id) as (select 1 union all select id + 1 from n where id < 200)";
        conn.execute(&format!("insert into {into} {numbers} select {select} from n"), []).expect("goods fit");
    }
}

/// Whoever orders, by number: each is somebody new.
pub struct Placed {
    prepay_id: String,
    order_no: String,
    total: String,
    payer: String,
}

pub async fn place(shop: &mut load::Connection, wechat: &Simulator, n: usize) -> Placed {
    let token = login(shop, wechat, n).await;
    let body = said(shop, prepay(n, &token)).await;
    let package = body["payment"]["package"].as_str().unwrap_or_default();
    Placed {
        prepay_id: package.trim_start_matches("prepay_id=").to_owned(),
        order_no: body["order"]["orderNo"].as_str().unwrap_or_default().to_owned(),
        total: body["order"]["totalFen"].to_string(),
        payer: wechat.openid(&user(n)),
    }
}

fn user(n: usize) -> String {
    format!("disk-{n}")
}

pub async fn login(shop: &mut load::Connection, wechat: &Simulator, n: usize) -> String {
    loop {
        let login = json!({ "code": wechat.login_code(&user(n)) }).to_string();
        let call = Call::post("/api/v1/login", login).with("Content-Type", "application/json");
        let (status, body) = shop.call(&call).await;
        if status != 429 {
            return read(&call, status, &body)["token"].as_str().unwrap_or_default().to_owned();
        }
        // A quick machine logs in more often than one address may.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

pub fn prepay(n: usize, token: &str) -> Call {
    let order = json!({
        "items": [{ "skuId": (n % 200 + 1).to_string(), "quantity": 1 }],
        "address": {
            "receiver": "王小样", "phone": format!("138{n:08}"), "province": "浙江省", "city": "杭州市",
            "district": "西湖区", "detail": format!("演示路 {} 号", n % 300), "postcode": "310000",
        },
    });
    Call::post("/api/v1/prepay", order.to_string())
        .with("Content-Type", "application/json")
        .with("Authorization", format!("Bearer {token}"))
        .with("Idempotency-Key", format!("{:032x}", n * 7_919))
}

async fn said(to: &mut load::Connection, call: Call) -> Value {
    let (status, body) = to.call(&call).await;
    read(&call, status, &body)
}

fn read(call: &Call, status: u16, body: &[u8]) -> Value {
    assert!(status < 300, "{}: {status} {}", call.path, String::from_utf8_lossy(body));
    serde_json::from_slice(body).unwrap_or_default()
}

/// WeChat's notice of its payment.
pub fn notice(placed: &Placed, n: usize) -> String {
    let mut message = Message::from([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", APP_ID),
        ("mch_id", MCH_ID),
        ("nonce_str", &Nonces::Random.nonce_str()),
        ("openid", &placed.payer),
        ("is_subscribe", "N"),
        ("trade_type", "JSAPI"),
        ("bank_type", "CMB_CREDIT"),
        ("total_fee", &placed.total),
        ("cash_fee", &placed.total),
        ("fee_type", "CNY"),
        ("transaction_id", &format!("42000028992026{:014}", n * 104_729)),
        ("out_trade_no", &format!("{}01", placed.order_no)),
        ("time_end", &xiaopu::clock::compact(Clock::System.now())),
    ]);
    message.set("sign", sign::sign(&message, SignType::Md5, &API_KEY.parse().expect("a key of 32 letters")));
    message.to_xml()
}

/// Bytes by table, with its indexes, and all that is in use.
struct Taken {
    tables: BTreeMap<String, i64>,
    all: i64,
}

fn taken(folder: &Path) -> Taken {
    let conn = Connection::open(folder.join("xiaopu.db")).expect("the shop has a database");
    let mut rows = conn
        .prepare(
            "select coalesce(s.tbl_name, d.name), sum(d.pgsize) from dbstat d left join sqlite_schema s on s.name = d.name
              group by 1",
        )
        .expect("SQLite counts its pages");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("they can be read");
    let tables: BTreeMap<String, i64> = rows.collect::<Result<_, _>>().expect("each has a size");
    Taken { all: tables.values().sum(), tables }
}

/// What each of so many orders took, and where.
fn each(before: &Taken, after: &Taken, orders: usize) -> (f64, String) {
    let share = |bytes: i64| bytes as f64 / orders as f64;
    let mut grown: Vec<(f64, &str)> = after
        .tables
        .iter()
        .map(|(table, bytes)| (share(bytes - before.tables.get(table).copied().unwrap_or(0)), table.as_str()))
        .filter(|(bytes, _)| *bytes >= 5.0)
        .collect();
    grown.sort_by(|a, b| b.0.total_cmp(&a.0));
    let words: Vec<_> = grown.iter().map(|(bytes, table)| format!("{table} {bytes:.0}")).collect();
    (share(after.all - before.all), words.join(" · "))
}

/// Login, order and notice of so many new buyers, at a program of any version.
async fn until_paid(binary: &Path, orders: usize) -> (f64, String) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (wechat, port) = gateway(&Clock::System).await;
    drop(Program::serve_by(binary, folder.path(), port).settled().await);
    goods(folder.path()).await;
    let shop = Program::serve_by(binary, folder.path(), port).settled().await;
    let mut connection = load::Connection::new(shop.at);
    let mut before = None;
    for n in 0..WARM + orders {
        if n == WARM {
            before = Some(taken(folder.path()));
        }
        let placed = place(&mut connection, &wechat, n).await;
        let (status, _) = connection.call(&Call::post("/wechat/pay/notify", notice(&placed, n))).await;
        assert_eq!(status, 200);
    }
    let before = before.unwrap_or_else(|| taken(folder.path()));
    each(&before, &taken(folder.path()), orders)
}

/// The same, then shipped, told to WeChat's register, received, and matched against the day's bill with its fee.
async fn whole_life(orders: usize) -> (f64, String) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    drop(Db::open(folder.path()).expect("a database opens"));
    goods(folder.path()).await;
    let clock = Clock::movable();
    // Noon, so that the day is the same for all of them.
    let noon = Day::of(clock.now()).start() + 36 * HOUR;
    clock.advance(noon - clock.now());
    let (wechat, port) = gateway(&clock).await;
    let (shop, at) = opened(folder.path(), port, &clock).await;
    let mut connection = load::Connection::new(at);
    let mut before = None;
    for (first, count) in [(0, WARM), (WARM, orders)] {
        before = Some(taken(folder.path()));
        let mut placed = Vec::new();
        for n in first..first + count {
            placed.push(place(&mut connection, &wechat, n).await);
        }
        for one in &placed {
            wechat.pay(&one.prepay_id, Paying::Well).expect("it can be paid");
        }
        until_none(folder.path(), "orders where status = 'pending_payment'").await;
        for (n, one) in placed.iter().enumerate() {
            let form = format!("company=SF&tracking_no=SF{:013}", first + n);
            let ship = Call::post(format!("/admin/orders/{}/ship", one.order_no), form)
                .with("Content-Type", "application/x-www-form-urlencoded")
                .with("Cookie", format!("xiaopu_session={}", seed::STAFF_TOKEN));
            assert!(connection.call(&ship).await.0 < 400, "it can be shipped");
        }
        clock.advance(31 * MINUTE);
        go_on(&shop).await;
        // The bill of the day, and long after that the goods count as received.
        clock.advance(DAY);
        go_on(&shop).await;
        clock.advance(16 * DAY);
        go_on(&shop).await;
        let next_noon = Day::of(clock.now()).start() + 36 * HOUR;
        clock.advance(next_noon - clock.now());
        keep_staff(&shop).await;
    }
    let before = before.unwrap_or_else(|| taken(folder.path()));
    each(&before, &taken(folder.path()), orders)
}

async fn opened(folder: &Path, gateway: u16, clock: &Clock) -> (Shop, std::net::SocketAddr) {
    let (port, at) = (free_port(), format!("http://127.0.0.1:{gateway}"));
    let mut server = Server { data_dir: folder.to_owned(), pay_url: at.clone(), api_url: at, ..Server::default() };
    for (name, value) in [
        ("shop.public_url", format!("http://127.0.0.1:{port}").as_str()),
        ("shop.unpaid_orders", "1000"),
        ("wechat.app_id", APP_ID),
        ("wechat.app_secret", APP_SECRET),
        ("wechat.mch_id", MCH_ID),
        ("wechat.api_key", API_KEY),
    ] {
        server.fixed.insert(name, value.to_owned());
    }
    let opening = Opening { clock: clock.clone(), ..Opening::default() };
    let shop = Shop::open(server, opening).await.expect("a shop opens");
    keep_staff(&shop).await;
    tokio::spawn(xiaopu::rocket(shop.clone(), figment(port)).launch());
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    (shop, ([127, 0, 0, 1], port).into())
}

/// Somebody who ships, logged in at this moment.
async fn keep_staff(shop: &Shop) {
    let write = |tx: &Tx| {
        tx.execute(
            "insert or ignore into staff (id, name, role, password_hash, created_at) values (1, 'owner', 'owner', 'nobody', 0)",
            [],
        )?;
        tx.execute(
            "insert or replace into staff_sessions (token_hash, staff_id, created_at, expires_at, ip, seen_at)
             values (?1, 1, ?2, ?2 + ?3, '127.0.0.1', ?2)",
            rusqlite::params![xiaopu::secrets::token_hash(seed::STAFF_TOKEN), tx.now(), 7 * DAY],
        )?;
        Ok::<_, DbError>(())
    };
    shop.db.write(write).await.expect("a login fits");
}

async fn go_on(shop: &Shop) {
    for _ in 0..200 {
        if xiaopu::worker::run_due(shop).await.expect("jobs run") == 0 {
            return;
        }
    }
    panic!("the jobs do not come to an end");
}

async fn until_none(folder: &Path, what: &str) {
    let conn = Connection::open(folder.join("xiaopu.db")).expect("the shop has a database");
    for _ in 0..2_400 {
        let left: i64 = conn.query_row(&format!("select count(*) from {what}"), [], |row| row.get(0)).unwrap_or(1);
        if left == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("still there: {what}");
}

pub async fn disk() -> Vec<Line> {
    let (bytes, tables) = until_paid(Path::new(program::XIAOPU), ORDERS).await;
    let what = "一单从登录、下单到支付通知占的磁盘（新买家）";
    let mut lines = vec![match std::env::var_os("BEFORE").map(PathBuf::from) {
        None => Line::new(what, format!("{bytes:.0} 字节（{tables}）")),
        Some(before) => {
            let (old, old_tables) = until_paid(&before, ORDERS).await;
            let more = format!(" 字节：{bytes:.0} 对 {old:.0}（{tables}；之前 {old_tables}）");
            let (result, wanted) = (format!("{:.2}×{more}", bytes / old), "≤ 0.45×".to_owned());
            Line { what: format!("{what}，对比之前的程序"), result, wanted, reached: Some(bytes / old <= 0.45) }
        }
    }];
    let (bytes, tables) = whole_life(ORDERS).await;
    let what = "一单的一生：再加发货、登记、账单行、手续费、确认收货";
    lines.push(Line::new(what, format!("{bytes:.0} 字节（{tables}）")));
    lines
}
