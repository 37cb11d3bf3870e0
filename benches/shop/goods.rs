//! Lists of products in a shop of a hundred thousand: none of them comes from what was kept.

use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::params;
use xiaopu::clock::{Clock, DAY};
use xiaopu::db::{Db, SCHEMA_VERSION, Tx};

use super::Line;
use super::load::{Call, Connection};
use super::program::Program;
use super::rows::median;
use super::seed::{NOWHERE, STAFF_TOKEN, owner, write};

const GOODS: i64 = 100_000;
const CALLS: usize = 20;

const BUYERS_LISTS: [(&str, &str); 15] = [
    ("默认", ""),
    ("新品", "sort=newest"),
    ("价格低", "sort=price_asc"),
    ("价格高，有货", "sort=price_desc&inStock=true"),
    ("销量", "sort=sales"),
    ("大分类，销量", "categoryId=1&sort=sales"),
    ("小分类，价格", "categoryId=12&sort=price_asc"),
    ("搜“苹果”", "q=%E8%8B%B9%E6%9E%9C"),
    ("搜“苹果”，价格", "q=%E8%8B%B9%E6%9E%9C&sort=price_asc"),
    ("搜“果”，销量", "q=%E6%9E%9C&sort=sales"),
    ("搜“产地直发”，价格", "q=%E4%BA%A7%E5%9C%B0%E7%9B%B4%E5%8F%91&sort=price_desc"),
    ("搜“高山 苹果”", "q=%E9%AB%98%E5%B1%B1+%E8%8B%B9%E6%9E%9C"),
    ("搜“99887”", "q=99887"),
    ("搜不到的词", "q=%E9%BE%99%E8%99%BE"),
    ("小分类里搜“果”", "categoryId=12&q=%E6%9E%9C&sort=price_asc"),
];

const STAFFS_LISTS: [(&str, &str); 16] = [
    ("出售中", ""),
    ("卖出多", "sort=sales"),
    ("卖出少", "sort=slowest"),
    ("售价高", "sort=price_desc"),
    ("可售少", "sort=scarcest"),
    ("可售多", "sort=fullest"),
    ("大分类，可售少", "category=1&sort=scarcest"),
    ("小分类，可售多", "category=12&sort=fullest"),
    ("已下架，售价", "tab=off&sort=price_asc"),
    ("售罄", "tab=sold_out"),
    ("售罄，卖出多", "tab=sold_out&sort=sales"),
    ("低库存", "tab=low"),
    ("低库存，可售少", "tab=low&sort=scarcest"),
    ("回收站", "tab=bin"),
    ("搜“苹果”，可售少", "q=%E8%8B%B9%E6%9E%9C&sort=scarcest"),
    ("搜编码", "q=G-0099887"),
];

pub async fn goods() -> Vec<Line> {
    let folder = shop().await;
    let program = Program::serve(&folder, NOWHERE).settled().await;
    let mut connection = Connection::new(program.at);
    let mut lines = Vec::new();
    for (what, query) in BUYERS_LISTS {
        // A word that nobody asks for makes each question a new one.
        let path = |n: usize| format!("/api/v1/products?{query}&limit=20&nr={n}");
        lines.push(measure(&mut connection, &format!("买家的列表：{what}"), path).await);
    }
    for (what, query) in STAFFS_LISTS {
        lines.push(
            measure(&mut connection, &format!("后台的商品页：{what}"), |_| format!("/admin/products?{query}")).await,
        );
    }
    lines.push(measure(&mut connection, "后台首页", |_| "/admin/".to_owned()).await);
    lines
}

async fn measure(connection: &mut Connection, what: &str, path: impl Fn(usize) -> String) -> Line {
    let mut took = Vec::new();
    for n in 0..CALLS + 3 {
        let call = Call::get(path(n)).with("Cookie", format!("xiaopu_session={STAFF_TOKEN}"));
        let begun = Instant::now();
        let (status, body) = connection.call(&call).await;
        assert_eq!(status, 200, "{what}: {}", String::from_utf8_lossy(&body));
        if n >= 3 {
            took.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Line::at_most(format!("10 万个商品，{what}，p50"), median(took), 5.0, "ms", "")
}

/// Made once, and kept.
async fn shop() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("shops/{GOODS}-products-schema-{SCHEMA_VERSION}"));
    if !folder.join("made").exists() {
        eprintln!("making a shop of {GOODS} products …");
        let db = Db::open(&folder).expect("a database opens");
        put_behind(&db, 0).await;
        write(&db, |tx| owner(tx, Clock::System.now() + 365 * DAY)).await;
        drop(db);
        std::fs::write(folder.join("made"), "").expect("the folder can be written");
    }
    folder
}

/// Behind those that are there already.
pub async fn put_behind(db: &Db, last: i64) {
    write(db, shelves).await;
    for first in (last..last + GOODS).step_by(1_000) {
        write(db, move |tx| (first + 1..=first + 1_000).try_for_each(|id| product(tx, id))).await;
    }
}

/// Ten categories, and ten below each.
fn shelves(tx: &Tx) -> rusqlite::Result<()> {
    for id in 1..=110 {
        let above = (id > 10).then(|| (id - 1) / 10);
        tx.execute(
            "insert into categories (id, parent_id, name) values (?1, ?2, ?3)",
            params![id, above, format!("分类{id}")],
        )?;
    }
    Ok(())
}

const FRUITS: [&str; 10] = ["苹果", "雪梨", "蜜桔", "葡萄", "樱桃", "石榴", "枇杷", "杨梅", "荔枝", "柿子"];
const KINDS: [&str; 8] = ["高山", "沙地", "早熟", "晚熟", "脆甜", "软糯", "有机", "礼盒"];

/// One in ten is off the shelf, one in twenty sold out or low, one in a hundred in the bin.
fn product(tx: &Tx, id: i64) -> rusqlite::Result<()> {
    let now = tx.now();
    let spread = id * 7_919 % GOODS;
    let price = 100 + spread * 3 % 99_900;
    let name = format!("{}{} {id}", KINDS[(spread / 10 % 8) as usize], FRUITS[(spread % 10) as usize]);
    tx.prepare_cached(
        "insert into products (id, category_id, name, subtitle, detail, on_shelf, price_fen, max_price_fen, sold_count,
                               deleted_at, created_at, updated_at)
         values (?1, ?2, ?3, '产地直发，坏果包赔', '新鲜采摘，当天发货。', ?4, ?5, ?5, ?6, ?7, ?8, ?8)",
    )?
    .execute(params![
        id,
        11 + spread % 100,
        name,
        id % 10 > 0 && id % 100 != 1,
        price,
        spread * 31 % 5_000,
        (id % 100 == 1).then_some(now),
        now
    ])?;
    for n in 1..=1 + id % 3 {
        let sku = id * 4 + n;
        let on_hand = if id % 20 == 3 {
            0
        } else if id % 20 == 4 {
            2
        } else {
            20 + spread % 900
        };
        tx.prepare_cached(
            "insert into skus (id, product_id, specs, sku_code, price_fen, on_hand) values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            sku,
            id,
            format!("[[\"规格\",\"{n}\"]]"),
            format!("G-{id:07}-{n}"),
            price,
            on_hand
        ])?;
        if on_hand > 0 {
            tx.prepare_cached(
                "insert into stock_moves (sku_id, reason, on_hand_delta, reserved_delta, at) values (?1, 'adjust', ?2, 0, ?3)",
            )?
            .execute(params![sku, on_hand, now])?;
        }
    }
    Ok(())
}
