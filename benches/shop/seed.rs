//! Shops of any size, made up row by row so that every invariant holds. Each is made once and kept under `target/`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use xiaopu::buyers::addresses::Address;
use xiaopu::cli::{API_KEY, APP_ID, MCH_ID};
use xiaopu::clock::{Clock, DAY, Day, HOUR, MINUTE};
use xiaopu::db::{Db, DbError, SCHEMA_VERSION, Tx};
use xiaopu::ids::OrderId;
use xiaopu::jobs::{Kind, store as jobs};
use xiaopu::orders::search::{Words, store as search};
use xiaopu::packing;
use xiaopu::secrets::token_hash;
use xiaopu::wechat::v2::Merchant;
use xiaopu::wechat::v2::UnifiedOrder;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::{self, SignType};

use super::goods;
use super::program::Program;

type Result<T, E = rusqlite::Error> = std::result::Result<T, E>;

/// Nobody listens there.
pub const NOWHERE: u16 = 9;
pub const BUYERS: i64 = 4_000;
pub const STAFF_TOKEN: &str = "bench-staff-session-token-of-nobody-0001";
const PRODUCTS: i64 = 200;
/// Few enough that what is open reaches back over all of yesterday, at any hour.
const A_DAY: i64 = 400;
/// Raised when the rows below change.
const EDITION: i64 = 7;
/// The least age of a shop, in days: a young one has less to show, whatever its size.
const AGE: i64 = 60;
/// Orders again and again, and is found by the end of the phone number whatever the size of the shop.
const REGULAR: i64 = 42;

/// What waits is as much in a small shop as in a big one; only the past grows.
const PENDING: i64 = 50;
const TO_SHIP: i64 = 300;
const SHIPPED: i64 = 500;

pub fn merchant() -> Merchant {
    Merchant::new(APP_ID, MCH_ID, API_KEY.parse().expect("a key of 32 letters"), SignType::Md5)
}

pub fn buyer_token(n: i64) -> String {
    format!("bench-buyer-session-token-{n:08}")
}

/// The largest shop: five orders of each of so many buyers, who choose among all those goods.
pub const GROWN: i64 = 5 * MOST_BUYERS;
const MOST_BUYERS: i64 = 1_000_000;

/// Every other order is one of those who come often, the others spread over as many people as there are orders.
fn buyers(orders: i64) -> i64 {
    orders.clamp(BUYERS, MOST_BUYERS)
}

fn openid(buyer: i64) -> String {
    format!("obench{buyer:022}")
}

/// The folder of the shop with so many orders, made now if there is none yet.
pub async fn shop(orders: i64) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shops");
    let today = Day::of(Clock::System.now());
    let folder = root.join(format!("{orders}-orders-schema-{SCHEMA_VERSION}-edition-{EDITION}-{today}"));
    if !folder.join("made").exists() && !bring_up(&root, orders, &folder) {
        eprintln!("making a shop of {orders} orders …");
        // Those of other days would show other numbers of today; those of other editions are useless.
        for old in std::fs::read_dir(&root).into_iter().flatten().flatten() {
            if old.file_name().to_string_lossy().starts_with(&format!("{orders}-orders-")) {
                std::fs::remove_dir_all(old.path()).expect("an old shop goes");
            }
        }
        make(&folder, orders).await;
        std::fs::write(folder.join("made"), "").expect("the folder can be written");
    }
    folder
}

/// One of today that an older program made is upgraded, as a merchant's would be: to make a large one takes an hour.
fn bring_up(root: &Path, orders: i64, folder: &Path) -> bool {
    let (begins, name) = (format!("{orders}-orders-schema-"), folder.file_name().unwrap_or_default().to_string_lossy());
    let Some((_, ends)) = name.split_once("-edition-") else { return false };
    let is_older = |old: &PathBuf| {
        let name = old.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&begins) && name.ends_with(&format!("-edition-{ends}")) && old.join("made").exists()
    };
    let Some(old) = std::fs::read_dir(root).into_iter().flatten().flatten().map(|old| old.path()).find(is_older) else {
        return false;
    };
    eprintln!("upgrading the shop of {orders} orders …");
    drop(Db::open(&old).expect("an older shop is upgraded"));
    std::fs::rename(&old, folder).expect("a folder gets another name");
    true
}

/// A copy that may be written to; it goes when it goes out of scope.
pub async fn copy(orders: i64) -> tempfile::TempDir {
    let from = shop(orders).await;
    let to = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    std::fs::copy(from.join("xiaopu.db"), to.path().join("xiaopu.db")).expect("a shop can be copied");
    to
}

async fn make(folder: &Path, orders: i64) {
    let db = Db::open(folder).expect("a database opens");
    const STEP: i64 = 1_000;
    write(&db, goods_and_staff).await;
    if orders == GROWN {
        goods::put_behind(&db, PRODUCTS).await;
    }
    for first in (0..buyers(orders)).step_by(10 * STEP as usize) {
        write(&db, move |tx| (first + 1..=(first + 10 * STEP).min(buyers(orders))).try_for_each(|id| buyer(tx, id)))
            .await;
    }
    let now = Clock::System.now();
    for first in (0..orders).step_by(STEP as usize) {
        write(&db, move |tx| (first..(first + STEP).min(orders)).try_for_each(|i| order(tx, i, orders, now))).await;
    }
    // A write may take seconds only, and of a million orders there is much to add up.
    let last = |conn: &Connection| Ok(conn.query_row("select max(id) from skus", [], |row| row.get::<_, i64>(0))?);
    let last = db.read::<_, DbError>(last).await.expect("the goods are counted");
    for first in (1..=last).step_by(10) {
        write(&db, move |tx| add_up(tx, first..(first + 10).min(last + 1))).await;
    }
    let broken = db.read_slowly::<_, DbError>(|conn| Ok(xiaopu::payments::invariants::broken(conn)?)).await;
    assert_eq!(broken.expect("the rules can be checked"), [], "the made-up shop is not sound");
    drop(db);
    // Its nightly work is done here and now, and not while something is measured.
    Program::serve(folder, NOWHERE).settled().await;
    // It was ended from outside, and a copy takes the file alone: what still stands in the WAL is brought into that.
    drop(Db::open(folder).expect("a shop that was ended opens again"));
    let backups = folder.join("backups");
    // Made in the small hours, it has none yet.
    if backups.exists() {
        std::fs::remove_dir_all(backups).expect("its backup goes");
    }
}

pub async fn write(db: &Db, work: impl Fn(&Tx) -> Result<()> + Send + 'static) {
    db.write_large::<_, DbError>(move |tx| Ok(work(tx)?)).await.expect("a row fits");
}

const FRUITS: [&str; 10] = ["苹果", "雪梨", "蜜桔", "葡萄", "樱桃", "石榴", "枇杷", "杨梅", "荔枝", "柿子"];
const KINDS: [&str; 20] = [
    "高山",
    "沙地",
    "早熟",
    "晚熟",
    "脆甜",
    "软糯",
    "有机",
    "礼盒",
    "家庭装",
    "尝鲜装",
    "特级",
    "一级",
    "带叶",
    "去核",
    "冰鲜",
    "现摘",
    "老树",
    "新棚",
    "红心",
    "金皮",
];
const CITIES: [(&str, &str, &str); 6] = [
    ("浙江省", "杭州市", "西湖区"),
    ("江苏省", "南京市", "鼓楼区"),
    ("广东省", "广州市", "天河区"),
    ("四川省", "成都市", "武侯区"),
    ("北京市", "北京市", "朝阳区"),
    ("湖北省", "武汉市", "洪山区"),
];
const SURNAMES: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄"];

fn name(product: i64) -> String {
    let (kind, fruit) = ((product / 10) as usize % KINDS.len(), (product % 10) as usize);
    format!("{}{}", KINDS[kind], FRUITS[fruit])
}

fn goods_and_staff(tx: &Tx) -> Result<()> {
    let now = Clock::System.now();
    for id in 1..=PRODUCTS {
        let price = 1_000 + id * 10;
        tx.prepare_cached(
            "insert into products (id, name, subtitle, detail, price_fen, max_price_fen, created_at, updated_at)
             values (?1, ?2, '产地直发，坏果包赔', '新鲜采摘，当天发货。', ?3, ?3, ?4, ?4)",
        )?
        .execute(params![id, format!("{} {id}", name(id)), price, now])?;
        tx.prepare_cached("insert into skus (id, product_id, price_fen, on_hand) values (?1, ?1, ?2, 0)")?
            .execute([id, price])?;
    }
    owner(tx, now + 7 * DAY)
}

/// Who looks at the console, logged in until then.
pub fn owner(tx: &Tx, until: i64) -> Result<()> {
    let now = Clock::System.now();
    tx.execute(
        "insert into staff (id, name, role, password_hash, created_at) values (1, 'owner', 'owner', 'nobody', ?1)",
        [now],
    )?;
    tx.execute(
        "insert into staff_sessions (token_hash, staff_id, created_at, expires_at, ip, seen_at)
         values (?1, 1, ?2, ?3, '127.0.0.1', ?2)",
        params![token_hash(STAFF_TOKEN), now, until],
    )?;
    Ok(())
}

fn buyer(tx: &Tx, id: i64) -> Result<()> {
    let now = tx.now();
    tx.prepare_cached("insert into buyers (id, app_id, openid, created_at) values (?1, ?2, ?3, ?4)")?
        .execute(params![id, APP_ID, openid(id), now])?;
    if id <= BUYERS {
        tx.prepare_cached("insert into buyer_sessions (token_hash, buyer_id, expires_at) values (?1, ?2, ?3)")?
            .execute(params![token_hash(&buyer_token(id)), id, now + 30 * DAY])?;
    }
    Ok(())
}

fn order_no(id: i64, at: i64) -> String {
    format!("{}{id:010}", Day::of(at))
}

/// How far an order came; each stage has gone through the ones before it, but for those that were closed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Waiting,
    Closed,
    Paid,
    Sent,
    Done,
}

fn stage(i: i64, orders: i64) -> Stage {
    match orders - i {
        age if age <= PENDING => Stage::Waiting,
        age if age <= PENDING + TO_SHIP => Stage::Paid,
        age if age <= PENDING + TO_SHIP + SHIPPED => Stage::Sent,
        _ if i % 50 == 7 => Stage::Closed,
        _ => Stage::Done,
    }
}

/// How long ago an order was placed: what is not done yet at the pace of a busy shop, the past evenly.
fn ago(i: i64, orders: i64) -> i64 {
    let (open, age) = (PENDING + TO_SHIP + SHIPPED, orders - i);
    let (past, span) = ((orders - open).max(1), (orders / A_DAY).max(AGE) * DAY);
    HOUR + age.min(open) * (DAY / A_DAY) + (age - open).max(0) * span / past
}

/// One order with everything that belongs to it. `i` counts from the oldest.
fn order(tx: &Tx, i: i64, orders: i64, now: i64) -> Result<()> {
    let (id, at) = (i + 1, now - ago(i, orders));
    let stage = stage(i, orders);
    let expires = if stage == Stage::Closed { at + 30 * MINUTE } else { now + DAY };
    let made = place(tx, id, i, buyers(orders), at, expires)?;
    let event = |from: Option<&str>, to: &str, what: &str, at: i64| {
        tx.prepare_cached(
            "insert into order_events (order_id, at, actor, from_status, to_status, what) values (?1, ?2, 'system', ?3, ?4, ?5)",
        )?
        .execute(params![id, at, from, to, what])
        .map(drop)
    };
    if stage == Stage::Closed {
        close(tx, &made, at + 30 * MINUTE)?;
        return event(Some("pending_payment"), "closed", "超时未付款，自动关闭", at + 30 * MINUTE);
    }
    if stage == Stage::Waiting {
        jobs::put(tx, Kind::Expire, id, expires)?;
    }
    if stage >= Stage::Paid {
        let transaction = made.transaction();
        let paid_at = at + MINUTE;
        message(tx, "notify", "in", &made, paid_at)?;
        tx.prepare_cached("update attempts set state = 'paid', transaction_id = ?2, paid_at = ?3 where id = ?1")?
            .execute(params![id, transaction, paid_at])?;
        tx.prepare_cached(
            "insert into ledger (kind, wechat_id, order_id, attempt_id, amount_fen, moved_at, day, at)
             values ('payment', ?1, ?2, ?2, ?3, ?4, ?5, ?4)",
        )?
        .execute(params![transaction, id, made.total, paid_at, Day::of(paid_at)])?;
        tx.prepare_cached("update orders set status = 'to_ship', paid_fen = total_fen, paid_at = ?2 where id = ?1")?
            .execute([id, paid_at])?;
        tx.prepare_cached(
            "insert into sold_days (day, sku_id, pieces) values (?1, ?2, ?3)
             on conflict (day, sku_id) do update set pieces = pieces + excluded.pieces",
        )?
        .execute(params![Day::of(paid_at), made.sku, made.pieces])?;
        event(Some("pending_payment"), "to_ship", "已付款", paid_at)?;
    }
    if stage >= Stage::Sent {
        let sent = at + 5 * HOUR;
        tx.prepare_cached(
            "insert into shipments (id, order_id, state, company, tracking_no, shipped_at) values (?1, ?1, 'shipped', 'SF', ?2, ?3)",
        )?
        .execute(params![id, format!("SF{id:013}"), sent])?;
        tx.prepare_cached("insert into shipment_lines (shipment_id, line_id, quantity) values (?1, ?1, ?2)")?
            .execute([id, made.pieces])?;
        tx.prepare_cached("update order_lines set shipped_quantity = quantity where id = ?1")?.execute([id])?;
        moved(tx, "ship", &made, -made.pieces, -made.pieces, sent)?;
        tx.prepare_cached("update orders set status = 'shipped', shipped_at = ?2, holds_stock = 0 where id = ?1")?
            .execute([id, sent])?;
        event(Some("to_ship"), "shipped", &format!("已发货 顺丰 SF{id:013}"), sent)?;
    }
    if stage == Stage::Done {
        let done = at + 10 * DAY;
        tx.prepare_cached("update orders set status = 'completed', completed_at = ?2 where id = ?1")?
            .execute([id, done.min(now)])?;
        event(Some("shipped"), "completed", "发货 10 天后自动确认收货", done.min(now))?;
    }
    Ok(())
}

/// A placed order whose payment has been asked for.
pub struct Made {
    pub no: String,
    pub out_trade_no: String,
    pub total: i64,
    pub buyer: i64,
    id: i64,
    sku: i64,
    pieces: i64,
}

impl Made {
    /// WeChat's number of its payment.
    fn transaction(&self) -> String {
        format!("42{:026}", self.id)
    }
}

fn place(tx: &Tx, id: i64, i: i64, people: i64, at: i64, expires: i64) -> Result<Made> {
    // A spread that repeats only after all products and buyers have had their turn.
    let (sku, pieces) = (i * 7_919 % PRODUCTS + 1, i % 3 + 1);
    let among = if i % 2 == 0 { BUYERS } else { people };
    let buyer = if i % 40 == 39 { REGULAR } else { i * 104_729 % among + 1 };
    let total = (1_000 + sku * 10) * pieces;
    let no = order_no(id, at);
    let made = Made { out_trade_no: format!("{no}01"), no, total, buyer, id, sku, pieces };
    let (province, city, district) = CITIES[(buyer % 6) as usize];
    let address = Address {
        receiver: format!("{}小{}", SURNAMES[(buyer % 8) as usize], KINDS[(buyer % 20) as usize]),
        phone: format!("138{buyer:08}"),
        province: province.into(),
        city: city.into(),
        district: district.into(),
        detail: format!("演示路 {buyer} 号"),
        postcode: String::new(),
    };
    let json = serde_json::to_string(&address).expect("an address is JSON");
    tx.prepare_cached(
        "insert into orders (id, order_no, buyer_id, status, goods_fen, freight_fen, total_fen, delivery, address,
                             holds_stock, created_at, expires_at)
         values (?1, ?2, ?3, 'pending_payment', ?4, 0, ?4, 'express', ?5, 1, ?6, ?7)",
    )?
    .execute(params![id, made.no, buyer, total, json, at, expires])?;
    let goods = format!("{} {sku}", name(sku));
    tx.prepare_cached(
        "insert into order_lines (id, order_id, product_id, sku_id, name, spec_text, price_fen, quantity)
         values (?1, ?1, ?2, ?2, ?3, '', ?4, ?5)",
    )?
    .execute(params![id, sku, goods, 1_000 + sku * 10, pieces])?;
    search::put_words(tx, OrderId(id), &Words::new(Some(&address), std::iter::once(goods.as_str())))?;
    moved(tx, "reserve", &made, 0, pieces, at)?;
    let order = UnifiedOrder {
        appid: APP_ID.into(),
        mch_id: MCH_ID.into(),
        nonce_str: "5d2b6c2a8db53831f7eda20af46e531c".into(),
        body: goods,
        out_trade_no: made.out_trade_no.clone(),
        total_fee: total,
        spbill_create_ip: "127.0.0.1".into(),
        notify_url: "https://shop.example.com/wechat/pay/notify".into(),
        openid: openid(buyer),
        time_start: "20261008131540".into(),
        time_expire: "20261008134540".into(),
        sign_type: "MD5".into(),
    };
    let packed = packing::store::newest(tx)?.pack(&serde_json::to_vec(&order).expect("an order is JSON"))?;
    tx.prepare_cached(
        "insert into attempts (id, order_id, n, out_trade_no, state, total_fen, app_id, mch_id, openid, params,
                               prepay_id, prepaid_at, created_at, dictionary)
         values (?1, ?1, 1, ?2, 'prepaid', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)",
    )?
    .execute(params![
        id,
        made.out_trade_no,
        total,
        APP_ID,
        MCH_ID,
        openid(buyer),
        packed.bytes,
        format!("wx{id:034}"),
        at,
        packed.dictionary
    ])?;
    for kind in ["unifiedorder", "orderquery"] {
        message(tx, kind, "out", &made, at)?;
    }
    tx.prepare_cached(
        "insert into order_events (order_id, at, actor, to_status, what) values (?1, ?2, 'buyer', 'pending_payment', '提交订单')",
    )?
    .execute([id, at])?;
    Ok(made)
}

fn close(tx: &Tx, made: &Made, at: i64) -> Result<()> {
    moved(tx, "release", made, 0, -made.pieces, at)?;
    tx.prepare_cached("update attempts set state = 'closed' where id = ?1")?.execute([made.id])?;
    tx.prepare_cached("update order_lines set released_quantity = quantity where id = ?1")?.execute([made.id])?;
    tx.prepare_cached(
        "update orders set status = 'closed', closed_reason = 'timeout', closed_at = ?2, holds_stock = 0 where id = ?1",
    )?
    .execute([made.id, at])?;
    Ok(())
}

fn moved(tx: &Tx, reason: &str, made: &Made, on_hand: i64, reserved: i64, at: i64) -> Result<()> {
    tx.prepare_cached(
        "insert into stock_moves (sku_id, reason, on_hand_delta, reserved_delta, line_id, at)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![made.sku, reason, on_hand, reserved, made.id, at])?;
    Ok(())
}

fn message(tx: &Tx, kind: &str, direction: &str, made: &Made, at: i64) -> Result<()> {
    let request = if kind == "notify" { notice(made).into_bytes() } else { noise(made.id) };
    let text = packing::joined([b"<xml><return_code>SUCCESS</return_code></xml>", b"[]", &request]);
    let packed = packing::store::newest(tx)?.pack(&text)?;
    tx.prepare_cached(
        "insert into messages (at, direction, kind, order_id, attempt_id, amount_fen, verdict, reason, checks, request,
                               response, dictionary, packed)
         values (?1, ?2, ?3, ?4, ?4, ?5, 'ok', '', '', x'', x'', ?6, ?7)",
    )?
    .execute(params![at, direction, kind, made.id, made.total, packed.dictionary, packed.bytes])?;
    Ok(())
}

/// As much of a message as nothing can be left out of: numbers, signatures.
fn noise(id: i64) -> Vec<u8> {
    (0..10)
        .map(|n| format!("{:016x}", (id * 10 + n).wrapping_mul(-7_046_029_254_386_353_131)))
        .collect::<String>()
        .into_bytes()
}

/// Stock is the sum of its moves, with plenty on top.
fn add_up(tx: &Tx, skus: Range<i64>) -> Result<()> {
    for sku in skus {
        tx.prepare_cached(
            "insert into stock_moves (sku_id, reason, on_hand_delta, reserved_delta, at)
             select id, 'adjust', 100000000, 0, 0 from skus where id = ?1",
        )?
        .execute([sku])?;
        tx.prepare_cached(
            "update skus set (on_hand, reserved) =
               (select sum(on_hand_delta), sum(reserved_delta) from stock_moves where sku_id = ?1) where id = ?1",
        )?
        .execute([sku])?;
    }
    Ok(())
}

/// Adds orders that wait for their payment: each is good for one notice.
pub async fn pending(db: &Db, count: i64) -> Vec<Made> {
    let mut all = Vec::new();
    while (all.len() as i64) < count {
        let some = (count - all.len() as i64).min(2_000);
        let add = move |tx: &Tx| {
            let first: i64 = tx.query_row("select coalesce(max(id), 0) + 1 from orders", [], |row| row.get(0))?;
            let now = Clock::System.now();
            let place_one = |id| {
                let made = place(tx, id, id - 1, BUYERS, now, now + DAY)?;
                tx.prepare_cached("update skus set reserved = reserved + ?2 where id = ?1")?
                    .execute(params![made.sku, made.pieces])?;
                Ok::<_, DbError>(made)
            };
            (first..first + some).map(place_one).collect::<Result<Vec<_>, _>>()
        };
        all.extend(db.write_large(add).await.expect("orders fit"));
    }
    all
}

/// WeChat's notice of its payment.
pub fn notice(made: &Made) -> String {
    let (total, openid, transaction) = (made.total.to_string(), openid(made.buyer), made.transaction());
    let mut message = Message::from([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", APP_ID),
        ("mch_id", MCH_ID),
        ("nonce_str", "5d2b6c2a8db53831f7eda20af46e531c"),
        ("openid", openid.as_str()),
        ("is_subscribe", "N"),
        ("trade_type", "JSAPI"),
        ("bank_type", "CMB_CREDIT"),
        ("total_fee", total.as_str()),
        ("cash_fee", total.as_str()),
        ("fee_type", "CNY"),
        ("transaction_id", transaction.as_str()),
        ("out_trade_no", made.out_trade_no.as_str()),
        ("time_end", "20261008131540"),
    ]);
    message.set("sign", sign::sign(&message, SignType::Md5, &merchant().key));
    message.to_xml()
}

/// The same as API v3 tells of it, in clear.
pub fn facts_v3(made: &Made) -> serde_json::Value {
    serde_json::json!({
        "mchid": MCH_ID, "appid": APP_ID, "out_trade_no": made.out_trade_no, "transaction_id": made.transaction(),
        "trade_type": "JSAPI", "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "CMB_CREDIT",
        "attach": "", "success_time": "2026-10-08T13:15:40+08:00", "payer": { "openid": openid(made.buyer) },
        "amount": { "total": made.total, "payer_total": made.total, "currency": "CNY", "payer_currency": "CNY" },
    })
}
