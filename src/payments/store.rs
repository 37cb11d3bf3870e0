//! SQL of attempts, and of what the house finds and mends by itself.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Attempt, AttemptState, Broken, Checked, ToAsk};
use crate::db::{Named, Tx};
use crate::ids::{AttemptId, OrderId, OrderNo, OutTradeNo};
use crate::jobs::Task;
use crate::orders::Order;
use crate::packing;
use crate::wechat::pay::PayOrder;
use crate::wechat::{Api, Payment};

// ── attempts ──

/// The `n`th attempt to have an order paid, as it stands now.
pub fn insert_attempt(tx: &Tx, order: &Order, n: i64, params: PayOrder) -> Result<Attempt> {
    let json = serde_json::to_vec(&params).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    let packed = packing::store::newest(tx)?.pack(&json)?;
    let (out_trade_no, openid) = (order.order_no.attempt(n), params.openid().to_owned());
    tx.prepare_cached(
        "insert into attempts (order_id, n, out_trade_no, state, total_fen, app_id, mch_id, openid, params, created_at, api,
                               dictionary)
         values (?1, ?2, ?3, 'created', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        order.id,
        n,
        out_trade_no,
        order.total,
        params.app_id(),
        params.mch_id(),
        openid,
        packed.bytes,
        tx.now(),
        params.api(),
        packed.dictionary
    ])?;
    Ok(Attempt {
        id: AttemptId(tx.last_insert_rowid()),
        order_id: order.id,
        n,
        out_trade_no,
        state: AttemptState::Created,
        total: order.total,
        openid,
        params,
        prepay_id: None,
        prepaid_at: None,
        transaction_id: None,
        paid_at: None,
        queried_at: None,
        created_at: tx.now(),
    })
}

/// Every column of an attempt, and the dictionary of its parameters.
macro_rules! attempts {
    () => {
        "select a.*, d.bytes from attempts a left join dictionaries d on d.id = a.dictionary"
    };
}

pub fn attempt(conn: &Connection, id: AttemptId) -> Result<Option<Attempt>> {
    conn.prepare_cached(concat!(attempts!(), " where a.id = ?1"))?.query_row([id], read_attempt).optional()
}

pub fn attempt_numbered(conn: &Connection, number: &OutTradeNo) -> Result<Option<Attempt>> {
    conn.prepare_cached(concat!(attempts!(), " where a.out_trade_no = ?1"))?
        .query_row([number], read_attempt)
        .optional()
}

/// What is under way of payments, in their own columns: how many may still come in, and how many refunds have not come to
/// their end. One that was given up may be paid until its closing is over. Of a refund, what it gives back tells.
const UNDER_WAY: &str = "
    select mch_id, api, 1 as payments, 0 as refunds, order_id from attempts where state in ('created', 'prepaid')
     union all
    select mch_id, api, 1, 0, order_id from attempts where state = 'closing'
     union all
    select a.mch_id, a.api, 1, 0, a.order_id
      from jobs j join attempts a on a.id = j.subject
     where j.kind = 'close' and j.state = 'waiting' and a.state = 'failed'
     union all
    select a.mch_id, a.api, 1, 0, a.order_id
      from jobs j join attempts a on a.id = j.subject
     where j.kind = 'close' and j.state = 'needs_person' and a.state = 'failed'
     union all
    select coalesce(a.mch_id, s.mch_id), coalesce(a.api, s.api), 0, 1, null
      from refunds r
      join ledger p on p.kind = 'payment' and p.wechat_id = r.transaction_id
      left join attempts a on a.id = p.attempt_id
      left join strays s on s.transaction_id = p.wechat_id
     where r.ended_at is null";

/// How many payments and refunds are under way in this version, with this number where one is given.
pub fn under_way(conn: &Connection, api: Api, mch_id: Option<&str>) -> Result<(i64, i64)> {
    let sql = format!(
        "select coalesce(sum(payments), 0), coalesce(sum(refunds), 0) from ({UNDER_WAY})
          where api = ?1 and (?2 is null or mch_id = ?2)"
    );
    conn.prepare_cached(&sql)?.query_row(params![api, mch_id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The same with this merchant number, in whichever version.
pub fn open_under(conn: &Connection, mch_id: &str) -> Result<(i64, i64)> {
    let sql =
        format!("select coalesce(sum(payments), 0), coalesce(sum(refunds), 0) from ({UNDER_WAY}) where mch_id = ?1");
    conn.prepare_cached(&sql)?.query_row([mch_id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Whether WeChat may still speak of something in this version: it is under way, or was begun since then. Of the latest
/// attempts two thousand are looked at.
pub fn may_speak(conn: &Connection, api: Api, since: i64) -> Result<bool> {
    let begun = conn
        .prepare_cached(
            "select 1 from (select api, created_at from attempts order by id desc limit 2000)
              where api = ?1 and created_at > ?2",
        )?
        .exists(params![api, since])?;
    Ok(begun || under_way(conn, api, None)? != (0, 0))
}

/// Whether the shop was once set to this number, and took payments in this app's name.
pub fn had_name(conn: &Connection, app_id: &str, mch_id: &str) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from merchant_numbers m
          where m.mch_id = ?2 and exists (select 1 from attempts a where a.mch_id = m.mch_id and a.app_id = ?1)",
    )?
    .exists([app_id, mch_id])
}

/// Money under way of one merchant number that is not set.
pub struct LeftBehind {
    /// None where it was never noted.
    pub mch_id: Option<String>,
    pub payments: i64,
    pub refunds: i64,
    /// An order with such a payment.
    pub order: Option<OrderNo>,
}

/// What is under way with other numbers than this one; a shop that has none, or never had another, looks at nothing.
pub fn left_behind(conn: &Connection, mch_id: &str) -> Result<Vec<LeftBehind>> {
    if mch_id.is_empty()
        || !conn.prepare_cached("select 1 from merchant_numbers where mch_id <> ?1")?.exists([mch_id])?
    {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select t.mch_id, payments, refunds, o.order_no
           from (select mch_id, sum(payments) as payments, sum(refunds) as refunds, min(order_id) as first
                   from ({UNDER_WAY}) where mch_id is not ?1 group by mch_id) t
           left join orders o on o.id = t.first order by t.mch_id"
    );
    let mut rows = conn.prepare_cached(&sql)?;
    rows.query_map([mch_id], |row| {
        Ok(LeftBehind {
            mch_id: row.get("mch_id")?,
            payments: row.get("payments")?,
            refunds: row.get("refunds")?,
            order: row.get("order_no")?,
        })
    })?
    .collect()
}

/// All attempts of an order, the first one first.
pub fn attempts(conn: &Connection, order: OrderId) -> Result<Vec<Attempt>> {
    let mut rows = conn.prepare_cached(concat!(attempts!(), " where a.order_id = ?1 order by a.n"))?;
    rows.query_map([order], read_attempt)?.collect()
}

/// The attempt that a payment names.
pub fn attempt_of(conn: &Connection, payment: &Payment) -> Result<Option<Attempt>> {
    payment.number().map_or(Ok(None), |number| attempt_numbered(conn, &number))
}

fn read_attempt(row: &Row<'_>) -> Result<Attempt> {
    let params = read_params(row)?;
    let row = Named::of(row);
    Ok(Attempt {
        id: row.get("id")?,
        order_id: row.get("order_id")?,
        n: row.get("n")?,
        out_trade_no: row.get("out_trade_no")?,
        state: row.get("state")?,
        total: row.get("total_fen")?,
        openid: row.get("openid")?,
        params,
        prepay_id: row.get("prepay_id")?,
        prepaid_at: row.get("prepaid_at")?,
        transaction_id: row.get("transaction_id")?,
        paid_at: row.get("paid_at")?,
        queried_at: row.get("queried_at")?,
        created_at: row.get("created_at")?,
    })
}

/// Packed, or as an older program wrote them.
fn read_params(row: &Row<'_>) -> Result<PayOrder> {
    let read = |json: &[u8]| {
        serde_json::from_slice(json).map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into()))
    };
    match row.get_ref("params")? {
        ValueRef::Blob(packed) => read(&packing::unpack(packed, row.get_ref("bytes")?.as_blob()?)?),
        plain => read(plain.as_bytes()?),
    }
}

/// Packs the parameters of attempts with numbers from `after` on that are as an older program wrote them, at most
/// `limit`; answers with the last one that was looked at.
pub fn pack_older(tx: &Tx, after: i64, until: i64, limit: i64) -> Result<Option<i64>> {
    let dictionary = packing::store::newest(tx)?;
    let rows = tx
        .prepare_cached(
            "select id, iif(typeof(params) = 'text', params, null) from attempts
              where id > ?1 and id <= ?2 order by id limit ?3",
        )?
        .query_map([after, until, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(AttemptId, Option<String>)>>>()?;
    let mut update = tx.prepare_cached("update attempts set params = ?2, dictionary = ?3 where id = ?1")?;
    for (id, plain) in &rows {
        let Some(plain) = plain else { continue };
        let packed = dictionary.pack(plain.as_bytes())?;
        update.execute(params![id, packed.bytes, packed.dictionary])?;
    }
    Ok(rows.last().map(|(id, _)| id.0))
}

/// The other attempts of an order that can still be paid at WeChat.
pub fn others_alive(conn: &Connection, order: OrderId, but: AttemptId) -> Result<Vec<(AttemptId, AttemptState)>> {
    conn.prepare_cached(
        "select id, state from attempts where order_id = ?1 and id <> ?2 and state in ('created', 'prepaid') order by id",
    )?
    .query_map([order.0, but.0], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// The attempts that can still be paid at WeChat; by order, as their index has them: by id, it would go through them all.
pub fn alive(conn: &Connection) -> Result<Vec<AttemptId>> {
    conn.prepare_cached("select id from attempts where state in ('created', 'prepaid') order by order_id")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// The guarded move; false when the attempt stands elsewhere by now. For `attempts` alone.
pub fn set_state(tx: &Tx, id: AttemptId, from: AttemptState, to: AttemptState) -> Result<bool> {
    let changed = tx
        .prepare_cached("update attempts set state = ?3 where id = ?1 and state = ?2")?
        .execute(params![id, from, to])?;
    Ok(changed == 1)
}

/// False when the attempt is no longer alive: it was paid or is being closed.
pub fn set_prepaid(tx: &Tx, id: AttemptId, prepay_id: &str) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update attempts set state = 'prepaid', prepay_id = ?2, prepaid_at = ?3
              where id = ?1 and state in ('created', 'prepaid')",
        )?
        .execute(params![id, prepay_id, tx.now()])?;
    Ok(changed == 1)
}

/// The same move to "paid", with the money that came; false when the attempt stands elsewhere by now.
pub fn set_paid(tx: &Tx, id: AttemptId, from: AttemptState, transaction_id: &str, paid_at: i64) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update attempts set state = 'paid', transaction_id = ?3, paid_at = ?4 where id = ?1 and state = ?2",
        )?
        .execute(params![id, from, transaction_id, paid_at])?;
    Ok(changed == 1)
}

/// Whether WeChat has taken on a payment in this version since then; a few hundred of the latest are looked at.
pub fn taken_on_since(conn: &Connection, api: Api, since: i64) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from (select api, prepaid_at from attempts order by id desc limit 300)
          where api = ?1 and prepaid_at > ?2",
    )?
    .exists(params![api, since])
}

/// Takes the turn to query; false when somebody did so since `since`.
pub fn take_query_turn(tx: &Tx, id: AttemptId, since: i64) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update attempts set queried_at = ?3 where id = ?1 and (queried_at is null or queried_at <= ?2)",
        )?
        .execute(params![id, since, tx.now()])?;
    Ok(changed == 1)
}

// ── what only the owner can mend ──

pub fn put_alert(tx: &Tx, kind: &str, words: &str) -> Result<()> {
    tx.prepare_cached("insert or replace into owner_alerts (kind, at, words) values (?1, ?2, ?3)")?
        .execute(params![kind, tx.now(), words])?;
    Ok(())
}

/// Forgets those about keys of API v2 that were raised until this moment.
pub fn clear_sealed(tx: &Tx, until: i64) -> Result<()> {
    tx.prepare_cached("delete from owner_alerts where kind glob 'v2_sealed*' and at <= ?1")?.execute([until])?;
    Ok(())
}

/// Forgets one kind of them.
pub fn clear_alert(tx: &Tx, kind: &str) -> Result<()> {
    tx.prepare_cached("delete from owner_alerts where kind = ?1")?.execute([kind])?;
    Ok(())
}

/// A good notice of API v3 has come: whatever was wrong there is right again. Hardly ever is there anything, and looking
/// costs no page.
pub fn clear_alerts(tx: &Tx) -> Result<()> {
    if tx.prepare_cached("select 1 from owner_alerts limit 1")?.exists([])? {
        tx.prepare_cached("delete from owner_alerts where kind glob 'v3*'")?.execute([])?;
    }
    Ok(())
}

/// WeChat signed that a payment came, in a form that cannot be read: the money may be there, and only a person can see it.
pub fn put_unread(tx: &Tx, out_trade_no: &str, why: &str) -> Result<()> {
    let which = match out_trade_no {
        "" => "没有说是哪一笔，第二天的账单会说".to_owned(),
        number => format!("商户订单号 {number}"),
    };
    let words = format!(
        "微信签过名的付款（{which}）读不懂：{why}。钱可能已经收到却没有入账，请到商户平台核对这一笔，并把交易流水里的原文发给技术支持"
    );
    put_alert(tx, &format!("{UNREAD}{out_trade_no}"), &words)
}

/// How the kind of such an alert begins, before the number.
pub const UNREAD: &str = "unread ";

/// The payment was entered after all.
pub fn clear_unread(tx: &Tx, out_trade_no: &str) -> Result<()> {
    if tx.prepare_cached("select 1 from owner_alerts limit 1")?.exists([])? {
        clear_alert(tx, &format!("{UNREAD}{out_trade_no}"))?;
    }
    Ok(())
}

/// A whole bill was held against the books of everything until this moment: what came in is known. An alarm about keys stays, for
/// the bill of one number says nothing of another's refunds.
pub fn clear_unread_until(tx: &Tx, moment: i64) -> Result<()> {
    tx.prepare_cached("delete from owner_alerts where kind glob 'unread *' and at < ?1")?.execute([moment])?;
    Ok(())
}

/// The newest first, each with its kind.
pub fn alerts(conn: &Connection) -> Result<Vec<(String, String)>> {
    conn.prepare_cached("select kind, words from owner_alerts order by at desc")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

// ── self-checks ──

pub fn put_self_check(tx: &Tx, rules: usize, broken: &[Broken]) -> Result<()> {
    let broken: Vec<_> = broken.iter().map(|b| (b.rule, b.rows)).collect();
    let json = serde_json::to_string(&broken).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    // What a clock that ran ahead dated would stay the last one for as long.
    tx.prepare_cached("delete from self_checks where at > ?1")?.execute([tx.now()])?;
    tx.prepare_cached("insert or replace into self_checks (at, rules, broken) values (?1, ?2, ?3)")?
        .execute(params![tx.now(), rules as i64, json])?;
    tx.prepare_cached(
        "delete from self_checks where at < (select at from self_checks order by at desc limit 1 offset 400)",
    )?
    .execute([])?;
    Ok(())
}

pub fn last_self_check(conn: &Connection) -> Result<Option<Checked>> {
    conn.prepare_cached("select at, rules, broken from self_checks order by at desc limit 1")?
        .query_row([], |row| {
            let broken: String = row.get("broken")?;
            let broken = serde_json::from_str(&broken);
            Ok(Checked { at: row.get("at")?, rules: row.get("rules")?, broken: broken.unwrap_or_default() })
        })
        .optional()
}

// ── going back to a backup ──

pub use crate::ledger::store::{note_restored, restored_at};

/// What money may have gone back of without anybody here knowing, and something is still to leave for: orders that wait to
/// be sent, and those that something may go out for once more. Read from the orders on, for few of all payments are theirs.
macro_rules! to_ask_sql {
    ($orders:literal, $which:literal) => {
        concat!(
            "select o.id as order_id, p.id as entry_id, p.wechat_id from ",
            $orders,
            " cross join ledger s on s.order_id = o.id and s.kind in ('payment', 'link')
              cross join ledger p on p.kind = 'payment' and p.wechat_id = s.wechat_id
              left join asked_back b on b.entry_id = p.id and b.restored_at = ?1
             where ",
            $which,
            " and (p.moved_at <= ?1 or p.at <= ?1) and coalesce(b.answered, 0) = 0 and (b.entry_id is null or b.again_at <= ?2)
             order by o.id desc limit ?4"
        )
    };
}

const RETURNS_TO_ASK: &str = to_ask_sql!(
    "returns r cross join orders o on o.id = r.order_id",
    "r.ended_at is null and r.order_id < ?3 and o.status <> 'to_ship'"
);
const ORDERS_TO_ASK: &str = to_ask_sql!("orders o", "o.status = 'to_ship' and o.id < ?3");

/// Some of them that are to be asked about now, the newest first, below an order of each kind.
pub fn to_ask(conn: &Connection, restored_at: i64, now: i64, below: OrderId, limit: i64) -> Result<Vec<ToAsk>> {
    let mut found = Vec::new();
    for sql in [RETURNS_TO_ASK, ORDERS_TO_ASK] {
        let mut rows = conn.prepare_cached(sql)?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(ToAsk {
                order: row.get("order_id")?,
                entry: row.get("entry_id")?,
                transaction_id: row.get("wechat_id")?,
            })
        };
        for one in rows.query_map(params![restored_at, now, below, limit], read)? {
            found.push(one?);
        }
    }
    found.sort_by_key(|one: &ToAsk| std::cmp::Reverse(one.order.0));
    found.truncate(limit.unsigned_abs() as usize);
    Ok(found)
}

/// How many orders wait to be sent whose payment WeChat was asked about and did not answer, and why the last one's; counted
/// to a thousand.
pub fn unheard(conn: &Connection) -> Result<Option<(i64, String)>> {
    let Some(restored_at) = restored_at(conn)? else { return Ok(None) };
    conn.prepare_cached(
        "select count(*) as n, max(problem) as problem from (
           select b.problem from asked_back b
             join ledger p on p.id = b.entry_id
             join ledger s on s.wechat_id = p.wechat_id and s.kind in ('payment', 'link')
             join orders o on o.id = s.order_id and o.status = 'to_ship'
            where b.answered = 0 and b.decided = 0 and b.restored_at = ?1 limit 1000)
         having n > 0",
    )?
    .query_row([restored_at], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

// ── what is left lying ──

/// Tasks that nothing on the list would ever carry out, though what they are about waits for them. An attempt is closed by
/// the job that ends its order as well.
macro_rules! stranded_sql {
    () => {
        "select kind, subject from (
           select 'expire' as kind, id as subject, null as other from orders where status = 'pending_payment'
            union all
           select 'close', id, order_id from attempts where state = 'closing'
            union all
           select 'refund', id, null from refunds where state in ('approved', 'processing')
            union all
           select 'return', id, null from returns where ended_at is null and overdue = 0) t
          where not exists (select 1 from jobs j where j.kind = t.kind and j.subject = t.subject and j.state = 'waiting')
            and not exists (select 1 from jobs j where j.kind = t.kind and j.subject = t.subject and j.state = 'needs_person')
            and not exists (select 1 from jobs j where j.kind = 'expire' and j.subject = t.other and j.state = 'waiting')
            and not exists (select 1 from jobs j where j.kind = 'expire' and j.subject = t.other and j.state = 'needs_person')"
    };
}

/// Closed orders whose stock is held for nothing.
macro_rules! holding_for_nothing_sql {
    () => {
        "select id from orders o
          where status = 'closed' and holds_stock = 1
            and not exists (select 1 from attempts a
                             where a.order_id = o.id and a.state in ('created', 'prepaid', 'closing'))"
    };
}

/// How many counters are not what they count: their table, the rows, and what these are counted by.
macro_rules! miscounted_sql {
    ($counts:literal, $rows:literal, $key:literal) => {
        concat!(
            "select count(*) from ",
            $counts,
            " c where n <> (select count(*) from ",
            $rows,
            " r where r.",
            $key,
            " = c.",
            $key,
            ")"
        )
    };
}

pub(super) use {holding_for_nothing_sql, miscounted_sql, stranded_sql};

pub fn stranded(conn: &Connection) -> Result<Vec<Task>> {
    let mut rows = conn.prepare_cached(stranded_sql!())?;
    let tasks = rows.query_map([], |row| Ok(Task::read(row.get("kind")?, row.get("subject")?)))?;
    tasks.filter_map(Result::transpose).collect()
}

pub fn holding_for_nothing(conn: &Connection) -> Result<Vec<OrderId>> {
    conn.prepare_cached(holding_for_nothing_sql!())?.query_map([], |row| row.get(0))?.collect()
}

/// Whether a counter is wrong.
pub fn miscounted(conn: &Connection) -> Result<bool> {
    for sql in [
        miscounted_sql!("order_counts", "orders", "status"),
        miscounted_sql!("refund_counts", "refunds", "state"),
        miscounted_sql!("return_counts", "returns", "state"),
    ] {
        if conn.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Counts the counters anew; answers with how many were wrong.
pub fn recount(tx: &Tx) -> Result<usize> {
    let orders = tx.execute(
        "update order_counts as c set n = (select count(*) from orders o where o.status = c.status)
          where n <> (select count(*) from orders o where o.status = c.status)",
        [],
    )?;
    let refunds = tx.execute(
        "update refund_counts as c set n = (select count(*) from refunds r where r.state = c.state)
          where n <> (select count(*) from refunds r where r.state = c.state)",
        [],
    )?;
    let returns = tx.execute(
        "update return_counts as c set n = (select count(*) from returns r where r.state = c.state)
          where n <> (select count(*) from returns r where r.state = c.state)",
        [],
    )?;
    Ok(orders + refunds + returns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;

    /// Of a hundred thousand orders and their payments a slice looks at its own.
    #[tokio::test]
    async fn what_is_to_be_asked_is_read_from_the_orders_on() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path()).unwrap();
        for (sql, index) in [(ORDERS_TO_ASK, "orders_status"), (RETURNS_TO_ASK, "returns_open")] {
            let plan = db.plan(sql).await;
            assert!(plan[0].contains(index), "{plan:?}");
            assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{plan:?}");
        }
    }
}
