//! SQL of attempts, and of the rules that must always hold.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Attempt, AttemptState, Broken, Checked};
use crate::db::{Named, Tx};
use crate::ids::{AttemptId, OrderId, OutTradeNo};
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

/// How many payments and refunds are under way in this version.
pub fn under_way(conn: &Connection, api: Api) -> Result<i64> {
    conn.prepare_cached(
        "select (select count(*) from attempts where state in ('created', 'prepaid') and api = ?1)
              + (select count(*) from refunds r join attempts a on a.transaction_id = r.transaction_id
                  where r.state in ('approved', 'processing') and a.api = ?1)",
    )?
    .query_row([api], |row| row.get(0))
}

/// How many attempts with this merchant number can still be paid.
pub fn open_under(conn: &Connection, mch_id: &str) -> Result<i64> {
    conn.prepare_cached("select count(*) from attempts where state in ('created', 'prepaid') and mch_id = ?1")?
        .query_row([mch_id], |row| row.get(0))
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

pub fn set_paid(tx: &Tx, id: AttemptId, transaction_id: &str, paid_at: i64) -> Result<()> {
    tx.prepare_cached("update attempts set state = 'paid', transaction_id = ?2, paid_at = ?3 where id = ?1")?
        .execute(params![id, transaction_id, paid_at])?;
    Ok(())
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

/// Forgets one kind of them.
pub fn clear_alert(tx: &Tx, kind: &str) -> Result<()> {
    tx.prepare_cached("delete from owner_alerts where kind = ?1")?.execute([kind])?;
    Ok(())
}

/// A good notice has come: whatever was wrong is right again. Hardly ever is there anything, and looking costs no page.
pub fn clear_alerts(tx: &Tx) -> Result<()> {
    if tx.prepare_cached("select 1 from owner_alerts limit 1")?.exists([])? {
        tx.prepare_cached("delete from owner_alerts")?.execute([])?;
    }
    Ok(())
}

/// The newest first.
pub fn alerts(conn: &Connection) -> Result<Vec<String>> {
    conn.prepare_cached("select words from owner_alerts order by at desc")?.query_map([], |row| row.get(0))?.collect()
}

// ── self-checks ──

pub fn put_self_check(tx: &Tx, rules: usize, broken: &[Broken]) -> Result<()> {
    let broken: Vec<_> = broken.iter().map(|b| (b.rule, b.rows)).collect();
    let json = serde_json::to_string(&broken).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
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

// ── what is left lying ──

/// Tasks that nothing on the list would ever carry out, though what they are about waits for them.
macro_rules! stranded {
    () => {
        "select 'expire' as kind, id as subject from orders o
          where status = 'pending_payment'
            and not exists (select 1 from jobs j where j.kind = 'expire' and j.subject = o.id and j.state <> 'done')
         union all
         select 'close', id from attempts a
          where state = 'closing'
            and not exists (select 1 from jobs j
                             where j.state <> 'done' and ((j.kind = 'close' and j.subject = a.id)
                                                          or (j.kind = 'expire' and j.subject = a.order_id)))
         union all
         select 'refund', id from refunds r
          where state in ('approved', 'processing')
            and not exists (select 1 from jobs j where j.kind = 'refund' and j.subject = r.id and j.state <> 'done')
         union all
         select 'return', id from returns r
          where ended_at is null and overdue = 0
            and not exists (select 1 from jobs j where j.kind = 'return' and j.subject = r.id and j.state <> 'done')"
    };
}

/// Closed orders whose stock is held for nothing.
macro_rules! holding_for_nothing {
    () => {
        "select id from orders o
          where status = 'closed' and holds_stock = 1
            and not exists (select 1 from attempts a
                             where a.order_id = o.id and a.state in ('created', 'prepaid', 'closing'))"
    };
}

pub fn stranded(conn: &Connection) -> Result<Vec<Task>> {
    let mut rows = conn.prepare_cached(stranded!())?;
    let tasks = rows.query_map([], |row| Ok(Task::read(row.get("kind")?, row.get("subject")?)))?;
    tasks.filter_map(Result::transpose).collect()
}

pub fn holding_for_nothing(conn: &Connection) -> Result<Vec<OrderId>> {
    conn.prepare_cached(holding_for_nothing!())?.query_map([], |row| row.get(0))?.collect()
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

// ── invariants ──

/// Each rule with a query that counts the rows that break it.
pub const INVARIANTS: &[(&str, &str)] = &[
    ("库存不为负，占用不超过在库", "select count(*) from skus where reserved < 0 or on_hand < reserved"),
    (
        "库存等于库存流水之和",
        "select count(*) from skus s
          where on_hand <> (select coalesce(sum(on_hand_delta), 0) from stock_moves m where m.sku_id = s.id)
             or reserved <> (select coalesce(sum(reserved_delta), 0) from stock_moves m where m.sku_id = s.id)",
    ),
    (
        "占用等于未发货订单行之和",
        "select count(*) from skus s
          where reserved <> (select coalesce(sum(l.quantity - l.shipped_quantity - l.released_quantity), 0)
                               from order_lines l join orders o on o.id = l.order_id
                              where l.sku_id = s.id and o.holds_stock = 1)",
    ),
    (
        "发货、退款不超过购买数量",
        "select count(*) from order_lines where shipped_quantity > quantity or refunded_quantity > quantity",
    ),
    (
        "已发件数等于没有撤销的包裹之和",
        "select count(*) from order_lines l
          where shipped_quantity <> (select coalesce(sum(p.quantity), 0)
                                       from shipment_lines p join shipments s on s.id = p.shipment_id
                                      where p.line_id = l.id and s.state = 'shipped')",
    ),
    ("退款不超过实付", "select count(*) from orders where refunded_fen > paid_fen"),
    (
        "每笔付款：本店要退的不超过付款，微信已退的也不超过付款",
        "select count(*) from (select transaction_id from refunds r
                                where transaction_id is not null
                                group by transaction_id
                               having sum(iif(origin <> 'console' and (inside = 1 or state <> 'succeeded')
                                                and state in ('approved', 'processing', 'succeeded', 'abnormal'), amount_fen, 0))
                                        > min(payment_fen)
                                   or sum(iif(exists (select 1 from ledger l
                                                       where l.kind = 'refund' and l.wechat_id = r.refund_id), amount_fen, 0))
                                        > min(payment_fen))",
    ),
    (
        "订单已退金额等于已完成的退款之和",
        "select count(*) from orders o
          where refunded_fen <> (select coalesce(sum(amount_fen), 0) from refunds r
                                  where r.order_id = o.id and r.inside = 1 and r.state = 'succeeded')",
    ),
    (
        "订单行已退件数等于已完成的退款之和",
        "select count(*) from order_lines l
          where refunded_quantity <> (select coalesce(sum(p.quantity), 0)
                                        from refund_lines p join refunds r on r.id = p.refund_id
                                       where p.line_id = l.id and r.state = 'succeeded')",
    ),
    (
        "每笔已完成的退款恰在资金流水里一次",
        "select count(*) from refunds r
          where state = 'succeeded'
            and -amount_fen is not (select sum(amount_fen) from ledger l
                                     where (l.kind = 'refund' and l.wechat_id = r.refund_id)
                                        or (l.kind = 'offline' and l.wechat_id = r.out_refund_no))",
    ),
    (
        "资金流水里的每笔退款都是已完成的退款",
        "select count(*) from ledger l
          where kind = 'refund'
            and not exists (select 1 from refunds r where r.refund_id = l.wechat_id and r.state = 'succeeded')",
    ),
    (
        "每日汇总等于当日资金流水之和",
        "select count(*) from money_days d
          where received_fen <> (select coalesce(sum(amount_fen), 0) from ledger l where l.day = d.day and l.kind = 'payment')
             or refunded_fen <> (select -coalesce(sum(amount_fen), 0) from ledger l where l.day = d.day and l.kind = 'refund')
             or fee_fen <> (select -coalesce(sum(amount_fen), 0) from ledger l where l.day = d.day and l.kind = 'fee')
             or offline_fen <> (select coalesce(sum(amount_fen), 0) from ledger l where l.day = d.day and l.kind = 'offline')
             or received_borne_fen <> (select coalesce(sum(borne_fen), 0) from ledger l where l.day = d.day and l.kind = 'payment')
             or refunded_borne_fen <> (select -coalesce(sum(borne_fen), 0) from ledger l where l.day = d.day and l.kind = 'refund')",
    ),
    (
        "每小时收款之和等于每日汇总",
        "select count(*)
           from (select strftime('%Y%m%d', hour * 3600 + 8 * 3600, 'unixepoch') as day, sum(received_fen) as fen
                   from money_hours group by 1) h
           full join money_days d on d.day = h.day
          where coalesce(h.fen, 0) <> coalesce(d.received_fen, 0)",
    ),
    (
        "冻结金额等于各笔待结算付款的订单所余",
        "select fen <> (select coalesce(sum(o.paid_fen - o.refunded_fen), 0)
                          from settlements s
                         cross join ledger l on l.kind = 'payment' and l.wechat_id = s.transaction_id
                         cross join orders o on o.id = l.order_id
                         where s.settled_at is null and s.estimated_at is not null)
           from frozen",
    ),
    (
        "每笔付款的代金券与资金流水一致，买家、出券方、商户各付的不超过付款",
        "select (select count(*) from ledger l left join payment_coupons c on c.transaction_id = l.wechat_id
                  where l.kind = 'payment' and l.borne_fen <> coalesce(c.borne_fen, 0))
              + (select count(*) from payment_coupons c
                  where not exists (select 1 from ledger l
                                     where l.kind = 'payment' and l.wechat_id = c.transaction_id
                                       and c.funded_fen + c.borne_fen <= l.amount_fen))",
    ),
    (
        "每笔付款：退款支出不超过到账，全部退完时两头都退完",
        "select count(*) from (select p.amount_fen, p.borne_fen, -sum(l.amount_fen) as back, -sum(l.borne_fen) as borne_back
                                 from ledger l
                                 join refunds r on r.refund_id = l.wechat_id
                                 join ledger p on p.kind = 'payment' and p.wechat_id = r.transaction_id
                                where l.kind = 'refund' group by p.id)
          where borne_back > borne_fen or back - borne_back > amount_fen - borne_fen
             or (back = amount_fen and borne_back <> borne_fen)",
    ),
    (
        "全部资金流水之和等于各订单实付减退款，加上不属于订单的款项",
        "select (select coalesce(sum(amount_fen), 0) from ledger where kind <> 'fee')
                <> (select coalesce(sum(paid_fen - refunded_fen), 0) from orders)
                   + (select coalesce(sum(amount_fen), 0) from ledger where kind <> 'fee' and order_id is null)",
    ),
    (
        "顾客的单数和累计付款等于其付过款的订单之和",
        "select count(*) from customers c
           full join (select buyer_id, count(*) as orders, sum(paid_fen - refunded_fen) as spent_fen
                        from orders where paid_fen > 0 group by buyer_id) o on o.buyer_id = c.buyer_id
          where coalesce(c.orders, 0) <> coalesce(o.orders, 0) or coalesce(c.spent_fen, 0) <> coalesce(o.spent_fen, 0)",
    ),
    (
        "退换的件数不超过已发的件数",
        "select count(*) from return_lines p join order_lines l on l.id = p.line_id join returns r on r.id = p.return_id
          where p.quantity > l.quantity or l.order_id <> r.order_id",
    ),
    (
        "换货、补发的每件恰在库存流水里一次",
        "select count(*) from (select line_id, sku_id, sum(quantity) as n from resend_lines group by line_id, sku_id) p
           full join (select line_id, sku_id, -sum(on_hand_delta) as n from stock_moves
                       where reason = 'ship' and reserved_delta = 0 group by line_id, sku_id) m
             on m.line_id = p.line_id and m.sku_id = p.sku_id
          where p.n is not m.n",
    ),
    (
        "换货时入库的每件恰在库存流水里一次",
        "select count(*) from (select r.line_id, sum(r.quantity) as n from return_lines r where r.restocked = 1 group by r.line_id) p
          where p.n > (select coalesce(sum(on_hand_delta), 0) from stock_moves m
                        where m.line_id = p.line_id and m.reason = 'return')",
    ),
    (
        "完成的退货都有退款，完成的换货有新包裹或退款",
        "select count(*) from returns r
          where state = 'done' and refund_id is null
            and not exists (select 1 from resends s where s.return_id = r.id)",
    ),
    (
        "退换货计数与退换货一致",
        "select count(*) from return_counts c where n <> (select count(*) from returns r where r.state = c.state)",
    ),
    (
        "退款计数与退款一致",
        "select count(*) from refund_counts c where n <> (select count(*) from refunds r where r.state = c.state)",
    ),
    (
        "待发货、已发货、已完成的订单都已付足",
        "select count(*) from orders where status in ('to_ship', 'shipped', 'completed') and paid_fen < total_fen",
    ),
    (
        "已关闭且没有可付支付单的订单不占库存",
        concat!("select count(*) from (", holding_for_nothing!(), ")"),
    ),
    (
        "待付款、待发货的订单占着库存",
        "select count(*) from orders where status in ('pending_payment', 'to_ship') and holds_stock = 0",
    ),
    (
        "等着的订单、支付单、退款和退换货都有待办任务",
        concat!("select count(*) from (", stranded!(), ")"),
    ),
    (
        "一笔微信交易只付一张支付单",
        "select count(*) from (select transaction_id from attempts where transaction_id is not null
                                group by transaction_id having count(*) > 1)",
    ),
    (
        "每单的资金流水之和等于实付减退款",
        "select count(*) from orders o
          where paid_fen - refunded_fen
                <> (select coalesce(sum(amount_fen), 0) from ledger l where l.order_id = o.id and l.kind <> 'fee')",
    ),
    (
        "每张已付支付单都在资金流水里",
        "select count(*) from attempts a
          where state = 'paid'
            and not exists (select 1 from ledger l where l.kind = 'payment' and l.wechat_id = a.transaction_id)",
    ),
    (
        "时间线与订单状态一致",
        "select count(*) from orders o
          where status is not (select to_status from order_events e
                                where e.order_id = o.id and to_status is not null order by id desc limit 1)",
    ),
    (
        "每次状态变化恰有一条时间线",
        "select count(*) from order_events e
          where to_status is not null
            and from_status is not (select to_status from order_events p
                                     where p.order_id = e.order_id and p.id < e.id and p.to_status is not null
                                     order by p.id desc limit 1)",
    ),
    (
        "订单计数与订单一致",
        "select count(*) from order_counts c where n <> (select count(*) from orders o where o.status = c.status)",
    ),
    (
        "每日订单数与订单一致",
        "select ((select count(*) from orders) <> (select coalesce(sum(placed), 0) from order_days))
              + ((select count(*) from orders where paid_at is not null) <> (select coalesce(sum(paid), 0) from order_days))",
    ),
    (
        "优惠分摊到行的和等于优惠明细的和，且不超过商品金额",
        "select count(*) from orders o
          where (select coalesce(sum(discount_fen), 0) from order_lines l where l.order_id = o.id)
                <> (select coalesce(sum(goods_fen), 0) from order_discounts d where d.order_id = o.id)",
    ),
    (
        "在订单里的优惠券都是那张订单下单时用的，且订单没有关闭完",
        "select count(*) from coupons c join orders o on o.id = c.order_id
          where (o.status = 'closed' and o.holds_stock = 0)
             or not exists (select 1 from order_discounts d where d.order_id = o.id and d.coupon_id = c.id)",
    ),
    (
        "用了优惠券的有效订单都占着那张券",
        "select count(*) from order_discounts d
           join orders o on o.id = d.order_id join coupons c on c.id = d.coupon_id
          where (o.status <> 'closed' or o.holds_stock = 1) and c.order_id is not o.id",
    ),
    (
        "每种优惠券的已发数量等于券数，每人不超过限领",
        "select (select count(*) from promotions p
                  where issued <> (select count(*) from coupons c where c.promotion_id = p.id))
              + (select count(*) from (select 1 from coupons c join promotions p on p.id = c.promotion_id
                                        group by c.promotion_id, c.buyer_id having count(*) > max(p.per_buyer)))",
    ),
    (
        "每张订单都能搜到",
        "select count(*) from orders o where not exists (select 1 from order_words_docsize w where w.id = o.id)",
    ),
];
