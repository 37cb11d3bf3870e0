//! Messages and attempts' parameters are kept packed, and come back byte for byte; older ones are packed while the shop sells.

use rusqlite::{Connection, params};
use xiaopu::db::{DbError, Tx};
use xiaopu::error::Error;
use xiaopu::ids::{AttemptId, MessageId};
use xiaopu::message_log::{Logged, Verdict, store as messages};
use xiaopu::payments::{repack, store as attempts};
use xiaopu::worker;

use crate::support::*;

/// Noise that no two runs of this test see otherwise.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(length)
    .collect()
}

async fn raw(w: &World, id: MessageId) -> (Vec<u8>, Vec<u8>) {
    let read = move |conn: &Connection| Ok::<_, Error>(messages::one(conn, id)?.unwrap().1);
    let raw = w.shop.db.read(read).await.unwrap();
    (raw.request, raw.response)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_said_comes_back_byte_for_byte() {
    let w = World::new().await;
    let texts = [
        Vec::new(),
        b"\n".to_vec(),
        b"3 4\n".to_vec(),
        b"\xff\xfe<xml>\x00\xc3\x28".to_vec(),
        "<xml><appid><![CDATA[wxd930ea5d5a258f4f]]></appid></xml>".repeat(3).into_bytes(),
        noise(1 << 20),
        vec![0; 1 << 20],
        "苹果 ".repeat(50_000).into_bytes(),
    ];
    let other: Vec<u8> = noise(700);
    for ready in [false, true] {
        for verdict in Verdict::ALL {
            for (request, response) in texts.iter().flat_map(|text| [(text, &other), (&other, text), (text, text)]) {
                let mut entry = Logged::received("notify", request.clone(), "127.0.0.1".into());
                entry.verdict = *verdict;
                if ready {
                    // Packed before it was known how it is answered.
                    entry = entry.packed(w.shop.dictionary().as_ref());
                }
                entry.response = response.clone();
                let id = w.shop.db.write(move |tx| Ok::<_, Error>(entry.record(tx)?)).await.unwrap();
                assert!(raw(&w, id).await == (request.clone(), response.clone()), "{verdict:?} {}", request.len());
            }
        }
    }
}

/// Every message with its text, and every attempt with its parameters, as they are read.
async fn everything(w: &World) -> (Vec<(String, String, Vec<u8>, Vec<u8>, Option<String>)>, Vec<String>) {
    let read = |conn: &Connection| {
        let ids = |table: &str| -> Result<Vec<i64>, Error> {
            let mut rows = conn.prepare(&format!("select id from {table} order by id"))?;
            Ok(rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        };
        let said = ids("messages")?.into_iter().map(|id| {
            let (row, raw) = messages::one(conn, MessageId(id))?.unwrap();
            let numbers = format!("{:?} {:?} {:?}", row.out_trade_no, row.transaction_id, row.out_refund_no);
            Ok::<_, Error>((row.checks, numbers, raw.request, raw.response, row.order_no))
        });
        let said = said.collect::<Result<_, _>>()?;
        let asked = ids("attempts")?.into_iter().map(|id| {
            let attempt = attempts::attempt(conn, AttemptId(id))?.unwrap();
            Ok::<_, Error>(serde_json::to_string(&attempt.params).unwrap())
        });
        Ok::<_, Error>((said, asked.collect::<Result<_, _>>()?))
    };
    w.shop.db.read(read).await.unwrap()
}

/// Writes all rows as a program from before wrote them, and notes that they are to be brought over.
fn as_before(tx: &Tx) -> Result<(), Error> {
    let ids: Vec<i64> =
        tx.prepare("select id from messages")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in ids {
        let (row, raw) = messages::one(tx, MessageId(id))?.unwrap();
        tx.execute(
            "update messages set request = ?2, response = ?3, checks = ?4, out_trade_no = ?5, transaction_id = ?6,
                                 dictionary = null, packed = null where id = ?1",
            params![id, raw.request, raw.response, row.checks, row.out_trade_no, row.transaction_id],
        )?;
    }
    tx.execute(
        "update attempts
            set params = cast(inflated(params, (select bytes from dictionaries d where d.id = dictionary)) as text),
                dictionary = null",
        [],
    )?;
    for what in ["messages", "attempts"] {
        tx.execute(&format!("insert into unpacked select '{what}', 0, max(id) from {what}"), [])?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_program_wrote_is_packed_in_steps_and_loses_nothing() {
    let w = World::new().await;
    // What a first start asks of its own accord is said before the messages are counted.
    let asked = "select count(*) from messages where kind = 'delivery_list'";
    w.wait("the first start's question", || async { w.count(asked).await == 1 }).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    for _ in 0..4 {
        w.paid(&alice, sku, 1).await;
    }
    assert!(w.notify("<xml>nonsense</xml>").await.contains("FAIL"));
    w.shop.db.write(as_before).await.unwrap();
    let plain = "select (select count(*) from messages where packed is null and verdict <> 'refused')
                      + (select count(*) from attempts where dictionary is null)";
    let (before, all) = (everything(&w).await, w.count(plain).await);
    assert!(all > 12, "{all}");

    // Two at a time, with a sale in between. One step is killed in its middle, as it were: nothing of it is kept.
    let step = async || w.shop.db.write(|tx: &Tx| repack::step(tx, 2)).await.unwrap();
    assert!(step().await);
    let half = w.count(plain).await;
    let killed = |tx: &Tx| repack::step(tx, 2).and(Err::<(), Error>(DbError::Busy.into()));
    assert!(w.shop.db.write(killed).await.is_err());
    assert_eq!((w.count(plain).await, half), (all - 2, all - 2));
    assert!(step().await);
    let (said, asked) = everything(&w).await;
    assert!(said == before.0 && asked == before.1, "half of it is as readable as all of it");
    w.paid(&alice, sku, 1).await;

    // A start puts the rest on the list, and whoever is interrupted goes on where he was.
    worker::seed(&w.shop).await.unwrap();
    w.run_jobs().await;
    assert_eq!((w.count(plain).await, w.count("select count(*) from unpacked").await), (0, 0));
    let (said, asked) = everything(&w).await;
    assert!(said.starts_with(&before.0) && asked.starts_with(&before.1) && said.len() > before.0.len());
    let owner = w.staff("owner", xiaopu::staff::Role::Owner).await;
    let order = w.count("select min(id) from messages where kind = 'unifiedorder'").await;
    for page in ["/admin/transactions?kind=notify", &format!("/admin/transactions/{order}")] {
        assert!(owner.page(page).await.contains("苹果") || owner.page(page).await.contains("验签"), "{page}");
    }
    w.must_hold().await;
}

/// What staff look for in the log is found by every number that it had when the numbers stood beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_by_its_attempts_numbers() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    w.paid(&alice, sku, 1).await;
    let transaction = w.transaction(&placed);
    let owner = w.staff("owner", xiaopu::staff::Role::Owner).await;
    let found = async |number: &str| {
        let page = owner.page(&format!("/admin/transactions?q={number}")).await;
        let rows = page.matches(&format!("/admin/orders/{}", placed.no)).count();
        (page.contains("下单"), page.contains("支付通知"), rows > 0)
    };
    assert_eq!(found(&placed.out_trade_no).await, (true, true, true));
    assert_eq!(found(&placed.out_trade_no[..20]).await, (true, true, true));
    assert!(found(&transaction).await.1 && found(&transaction).await.2);
    assert!(!found("20260101").await.2);
    let numbers = "select count(*) from messages where out_trade_no is not null or transaction_id is not null";
    assert_eq!(w.count(numbers).await, 0, "they stand with the attempt alone");
}

/// By v3 as by v2: what the log keeps is what came, with its headers.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_packed_is_much_smaller_than_what_it_holds() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    for n in 0..3 {
        w.paid(&w.buyer(&format!("buyer {n}")).await, sku, 1).await;
    }
    let share = async |kind: &str| {
        let kind = kind.to_owned();
        let read = move |conn: &Connection| {
            let sql = "select sum(length(packed)), sum(length(inflated(packed, d.bytes)))
                         from messages m join dictionaries d on d.id = m.dictionary where kind = ?1";
            Ok::<_, Error>(conn.query_row(sql, [kind], |row| Ok((row.get::<_, f64>(0)?, row.get::<_, f64>(1)?)))?)
        };
        let (packed, whole) = w.shop.db.read(read).await.unwrap();
        packed / whole
    };
    for (kind, most) in [("login", 0.35), ("unifiedorder", 0.25), ("notify", 0.16)] {
        let share = share(kind).await;
        assert!(share < most, "{kind}: {share:.2}");
    }
}
