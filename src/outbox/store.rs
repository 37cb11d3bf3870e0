//! SQL of the outbox, and of how far the tables that only grow have been heard.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Channel, State, Told};
use crate::db::{Named, Tx};
use crate::ids::{OrderId, OutboxId, SkuId};

/// The last row of each table that only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub event: i64,
    pub refund: i64,
    pub entry: i64,
    pub exception: i64,
    pub moved: i64,
    pub backup: i64,
}

impl Heard {
    /// So many rows of each table further, and never back: somebody else may have heard more since `to` was read.
    pub fn towards(self, to: Heard, rows: i64) -> Heard {
        let step = |from: i64, to: i64| to.clamp(from, from + rows);
        Heard {
            event: step(self.event, to.event),
            refund: step(self.refund, to.refund),
            entry: step(self.entry, to.entry),
            exception: step(self.exception, to.exception),
            moved: step(self.moved, to.moved),
            backup: step(self.backup, to.backup),
        }
    }
}

fn read_heard(row: &Row<'_>) -> Result<Heard> {
    Ok(Heard {
        event: row.get(0)?,
        refund: row.get(1)?,
        entry: row.get(2)?,
        exception: row.get(3)?,
        moved: row.get(4)?,
        backup: row.get(5)?,
    })
}

/// As the tables stand now.
pub fn present(conn: &Connection) -> Result<Heard> {
    conn.prepare_cached(
        "select coalesce((select max(id) from order_events), 0), coalesce((select max(id) from refunds), 0),
                coalesce((select max(id) from ledger), 0), coalesce((select max(id) from money_exceptions), 0),
                coalesce((select max(id) from stock_moves), 0), coalesce((select max(id) from backups), 0)",
    )?
    .query_row([], read_heard)
}

pub fn heard(conn: &Connection) -> Result<Option<Heard>> {
    conn.prepare_cached("select event_id, refund_id, entry_id, exception_id, move_id, backup_id from heard")?
        .query_row([], read_heard)
        .optional()
}

pub fn set_heard(tx: &Tx, heard: Option<Heard>) -> Result<()> {
    tx.prepare_cached("delete from heard")?.execute([])?;
    if let Some(h) = heard {
        tx.prepare_cached(
            "insert into heard (id, event_id, refund_id, entry_id, exception_id, move_id, backup_id)
             values (1, ?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute([h.event, h.refund, h.entry, h.exception, h.moved, h.backup])?;
    }
    Ok(())
}

// ── what happened ──

/// An order that moved.
pub struct Moved {
    pub order_id: OrderId,
    pub order_no: String,
    pub from: Option<String>,
    pub to: String,
    pub total_fen: i64,
    pub delivery: String,
    pub expires_at: i64,
    pub goods: String,
}

pub fn moves(conn: &Connection, after: i64, upto: i64) -> Result<Vec<Moved>> {
    let mut rows = conn.prepare_cached(
        "select e.order_id, o.order_no, e.from_status, e.to_status, o.total_fen, o.delivery, o.expires_at,
                (select group_concat(l.name || ' ×' || l.quantity, '，') from order_lines l where l.order_id = o.id) as goods
           from order_events e join orders o on o.id = e.order_id
          where e.id > ?1 and e.id <= ?2 and e.to_status is not null order by e.id",
    )?;
    rows.query_map([after, upto], |row| {
        let row = Named::of(row);
        Ok(Moved {
            order_id: row.get("order_id")?,
            order_no: row.get("order_no")?,
            from: row.get("from_status")?,
            to: row.get("to_status")?,
            total_fen: row.get("total_fen")?,
            delivery: row.get("delivery")?,
            expires_at: row.get("expires_at")?,
            goods: row.get::<Option<String>>("goods")?.unwrap_or_default(),
        })
    })?
    .collect()
}

/// Something that staff are told, in words, and the order that it is about.
pub type News = (String, Option<OrderId>);

/// A refund that a buyer asked for.
pub struct Asked {
    pub number: String,
    pub amount_fen: i64,
    pub reason: String,
    pub order_id: Option<OrderId>,
}

pub fn refunds_asked(conn: &Connection, after: i64, upto: i64) -> Result<Vec<Asked>> {
    let mut rows = conn.prepare_cached(
        "select out_refund_no, amount_fen, reason, order_id from refunds
          where id > ?1 and id <= ?2 and origin = 'buyer' and state = 'requested' order by id",
    )?;
    rows.query_map([after, upto], |row| {
        Ok(Asked { number: row.get(0)?, amount_fen: row.get(1)?, reason: row.get(2)?, order_id: row.get(3)? })
    })?
    .collect()
}

/// Refunds of orders that have reached the payer: the order and the refund.
pub fn refunded(conn: &Connection, after: i64, upto: i64) -> Result<Vec<(OrderId, i64)>> {
    let mut rows = conn.prepare_cached(
        "select r.order_id, r.id from ledger l join refunds r on r.refund_id = l.wechat_id
          where l.id > ?1 and l.id <= ?2 and l.kind = 'refund' and r.order_id is not null order by l.id",
    )?;
    rows.query_map([after, upto], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Money that still waits for a decision: what happened, and the order.
pub fn exceptions(conn: &Connection, after: i64, upto: i64) -> Result<Vec<News>> {
    let mut rows = conn.prepare_cached(
        "select what, order_id from money_exceptions
          where id > ?1 and id <= ?2 and state = 'open' and kind <> 'payer_mismatch' order by id",
    )?;
    rows.query_map([after, upto], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// SKUs whose stock moved: with the name, what is left, and whether it was told before that it is low.
pub fn stock_moved(conn: &Connection, after: i64, upto: i64) -> Result<Vec<(SkuId, String, i64, bool)>> {
    let mut rows = conn.prepare_cached(
        "select s.id, p.name, s.on_hand - s.reserved, exists (select 1 from low_told t where t.sku_id = s.id)
           from (select distinct sku_id from stock_moves where id > ?1 and id <= ?2) m
           join skus s on s.id = m.sku_id join products p on p.id = s.product_id
          where s.enabled = 1 and p.on_shelf = 1 and p.deleted_at is null order by s.id",
    )?;
    rows.query_map([after, upto], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
}

pub fn set_low_told(tx: &Tx, sku: SkuId, told: bool) -> Result<()> {
    let sql = match told {
        true => "insert into low_told (sku_id) values (?1) on conflict do nothing",
        false => "delete from low_told where sku_id = ?1",
    };
    tx.prepare_cached(sql)?.execute([sku])?;
    Ok(())
}

pub fn failed_backups(conn: &Connection, after: i64, upto: i64) -> Result<Vec<String>> {
    let mut rows =
        conn.prepare_cached("select problem from backups where id > ?1 and id <= ?2 and problem <> '' order by id")?;
    rows.query_map([after, upto], |row| row.get(0))?.collect()
}

// ── the outbox ──

/// What is to be told, by which way, and about what.
pub struct New<'a> {
    pub channel: Channel,
    pub topic: &'a str,
    pub what: &'a str,
    pub order_id: Option<OrderId>,
    pub subject: i64,
}

pub fn put(tx: &Tx, new: &New<'_>) -> Result<OutboxId> {
    tx.prepare_cached(
        "insert into outbox (at, channel, topic, what, order_id, subject, state) values (?1, ?2, ?3, ?4, ?5, ?6, 'waiting')",
    )?
    .execute(params![tx.now(), new.channel, new.topic, new.what, new.order_id, new.subject])?;
    Ok(OutboxId(tx.last_insert_rowid()))
}

fn read(row: &Row<'_>) -> Result<Told> {
    let row = Named::of(row);
    Ok(Told {
        id: row.get("id")?,
        at: row.get("at")?,
        channel: row.get("channel")?,
        topic: row.get("topic")?,
        what: row.get("what")?,
        order_id: row.get("order_id")?,
        subject: row.get("subject")?,
        state: row.get("state")?,
        ended_at: row.get("ended_at")?,
        problem: row.get("problem")?,
    })
}

pub fn by_id(conn: &Connection, id: OutboxId) -> Result<Option<Told>> {
    conn.prepare_cached("select * from outbox where id = ?1")?.query_row([id], read).optional()
}

/// What waits to be told by this way, the oldest first.
pub fn waiting(conn: &Connection, channel: Channel, limit: i64) -> Result<Vec<Told>> {
    let mut rows =
        conn.prepare_cached("select * from outbox where channel = ?1 and state = 'waiting' order by id limit ?2")?;
    rows.query_map(params![channel, limit], read)?.collect()
}

/// What became of it. One that has ended stays as it ended.
pub fn end(tx: &Tx, id: OutboxId, state: State, problem: &str) -> Result<()> {
    tx.prepare_cached("update outbox set state = ?2, ended_at = ?3, problem = ?4 where id = ?1 and state = 'waiting'")?
        .execute(params![id, state, tx.now(), problem])?;
    Ok(())
}

/// The latest first: all, or what was not sent.
pub fn list(conn: &Connection, failed: bool, before: Option<i64>, limit: i64) -> Result<Vec<Told>> {
    let sql = match failed {
        true => {
            "select * from outbox where (state = 'failed' or state = 'refused') and id < ?1 order by id desc limit ?2"
        }
        false => "select * from outbox where id < ?1 order by id desc limit ?2",
    };
    conn.prepare_cached(sql)?.query_map([before.unwrap_or(i64::MAX), limit], read)?.collect()
}

/// How many failed since then.
pub fn failed_since(conn: &Connection, since: i64) -> Result<i64> {
    conn.prepare_cached("select count(*) from outbox where at >= ?1 and state = 'failed'")?
        .query_row([since], |row| row.get(0))
}

/// When something of this topic was last to be told.
pub fn last_of(conn: &Connection, topic: &str, since: i64) -> Result<Option<i64>> {
    conn.prepare_cached("select max(at) from outbox where at >= ?2 and topic = ?1")?
        .query_row(params![topic, since], |row| row.get(0))
}

pub fn last_told(conn: &Connection, channel: Channel) -> Result<Option<i64>> {
    conn.prepare_cached("select at from channels_told where channel = ?1")?
        .query_row([channel], |row| row.get(0))
        .optional()
}

pub fn set_last_told(tx: &Tx, channel: Channel) -> Result<()> {
    tx.prepare_cached("insert or replace into channels_told (channel, at) values (?1, ?2)")?
        .execute(params![channel, tx.now()])?;
    Ok(())
}

pub fn forget(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached("delete from outbox where at < ?1 and state <> 'waiting'")?.execute([before])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_not_heard_again_by_whoever_looked_before() {
        let all = |n| Heard { event: n, refund: n, entry: n, exception: n, moved: n, backup: n };
        assert_eq!(all(5).towards(all(9), 2_000), all(9));
        assert_eq!(all(5).towards(all(9_000), 2_000), all(2_005));
        assert_eq!(all(5).towards(all(3), 2_000), all(5));
    }
}
