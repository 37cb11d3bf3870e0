//! SQL of keys, hooks and deliveries, and of the stock as other programs read it.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::{Value, json};

use super::{Delivery, Event, Hook, Key, State, Tried};
use crate::db::{Named, Tx};
use crate::ids::{ApiKeyId, DeliveryId, HookId, OrderId};

/// Words of an enum in a JSON array; one that is not known any more is left out.
fn words<T: std::str::FromStr>(json: &str) -> Result<Vec<T>> {
    let all: Vec<String> =
        serde_json::from_str(json).map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into()))?;
    Ok(all.iter().filter_map(|word| word.parse().ok()).collect())
}

// ── keys ──

fn read_key(row: &Row<'_>) -> Result<Key> {
    let row = Named::of(row);
    Ok(Key {
        id: row.get("id")?,
        name: row.get("name")?,
        tail: row.get("tail")?,
        rights: words(&row.get::<String>("rights")?)?,
        made_by: row.get("made_by")?,
        created_at: row.get("created_at")?,
        ends_at: row.get("ends_at")?,
        used_at: row.get("used_at")?,
        used_ip: row.get("used_ip")?,
        read_at: row.get("read_at")?,
        ended_at: row.get("ended_at")?,
    })
}

pub fn key(conn: &Connection, hash: &[u8]) -> Result<Option<Key>> {
    conn.prepare_cached("select * from api_keys where hash = ?1")?.query_row([hash], read_key).optional()
}

/// Those in force first, the newest first.
pub fn keys(conn: &Connection) -> Result<Vec<Key>> {
    conn.prepare_cached("select * from api_keys order by ended_at is not null, id desc")?
        .query_map([], read_key)?
        .collect()
}

/// A new key by its hash; false when the name is taken.
pub fn insert_key(tx: &Tx, key: &Key, hash: &[u8]) -> Result<bool> {
    let inserted = tx
        .prepare_cached(
            "insert into api_keys (name, hash, tail, rights, made_by, created_at, ends_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict (name) do nothing",
        )?
        .execute(params![
            key.name,
            hash,
            key.tail,
            json!(key.rights).to_string(),
            key.made_by,
            key.created_at,
            key.ends_at
        ])?;
    Ok(inserted == 1)
}

pub fn set_used(tx: &Tx, id: ApiKeyId, ip: &str) -> Result<()> {
    tx.prepare_cached("update api_keys set used_at = ?2, used_ip = ?3 where id = ?1")?.execute(params![
        id,
        tx.now(),
        ip
    ])?;
    Ok(())
}

pub fn set_read(tx: &Tx, id: ApiKeyId) -> Result<()> {
    tx.prepare_cached("update api_keys set read_at = ?2 where id = ?1")?.execute(params![id, tx.now()])?;
    Ok(())
}

/// Ends a key; its name when it was in force.
pub fn end_key(tx: &Tx, id: ApiKeyId) -> Result<Option<String>> {
    tx.prepare_cached("update api_keys set ended_at = ?2 where id = ?1 and ended_at is null returning name")?
        .query_row(params![id, tx.now()], |row| row.get(0))
        .optional()
}

// ── stock ──

/// SKUs after this one, as other programs know them.
pub fn stock(conn: &Connection, after: i64, limit: i64) -> Result<Vec<(i64, Value)>> {
    let mut rows = conn.prepare_cached(
        "select s.id, s.product_id, p.name, s.specs, s.sku_code, s.price_fen, s.on_hand, s.reserved, s.enabled, p.on_shelf
           from skus s join products p on p.id = s.product_id
          where s.id > ?1 and p.deleted_at is null order by s.id limit ?2",
    )?;
    rows.query_map([after, limit], |row| {
        let row = Named::of(row);
        let id: i64 = row.get("id")?;
        let (on_hand, reserved): (i64, i64) = (row.get("on_hand")?, row.get("reserved")?);
        let specs: Vec<(String, String)> = serde_json::from_str(&row.get::<String>("specs")?)
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into()))?;
        let text = specs.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ");
        let shown = json!({
            "skuId": id.to_string(), "productId": row.get::<i64>("product_id")?.to_string(),
            "name": row.get::<String>("name")?, "specText": text, "skuCode": row.get::<Option<String>>("sku_code")?,
            "priceFen": row.get::<i64>("price_fen")?, "onHand": on_hand, "reserved": reserved,
            "available": on_hand - reserved,
            "onSale": row.get::<bool>("enabled")? && row.get::<bool>("on_shelf")?,
        });
        Ok((id, shown))
    })?
    .collect()
}

// ── hooks ──

fn read_hook(row: &Row<'_>) -> Result<Hook> {
    let row = Named::of(row);
    Ok(Hook {
        id: row.get("id")?,
        url: row.get("url")?,
        secret: row.get("secret")?,
        events: words(&row.get::<String>("events")?)?,
        made_by: row.get("made_by")?,
        created_at: row.get("created_at")?,
        failing_since: row.get("failing_since")?,
        off_at: row.get("off_at")?,
        off_why: row.get("off_why")?,
    })
}

pub fn hooks(conn: &Connection) -> Result<Vec<Hook>> {
    conn.prepare_cached("select * from hooks order by id")?.query_map([], read_hook)?.collect()
}

pub fn hook(conn: &Connection, id: HookId) -> Result<Option<Hook>> {
    conn.prepare_cached("select * from hooks where id = ?1")?.query_row([id], read_hook).optional()
}

pub fn insert_hook(tx: &Tx, hook: &Hook) -> Result<()> {
    let (id, events) = (tx.fresh_id("hooks")?, json!(hook.events).to_string());
    tx.prepare_cached(
        "insert into hooks (id, url, secret, events, made_by, created_at) values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![id, hook.url, hook.secret, events, hook.made_by, hook.created_at])?;
    Ok(())
}

pub fn delete_hook(tx: &Tx, id: HookId) -> Result<()> {
    tx.prepare_cached("delete from hooks where id = ?1")?.execute([id])?;
    Ok(())
}

pub fn set_secret(tx: &Tx, id: HookId, sealed: &[u8]) -> Result<()> {
    tx.prepare_cached("update hooks set secret = ?2 where id = ?1")?.execute(params![id, sealed])?;
    Ok(())
}

/// Whether it answers: since when it does not.
pub fn set_failing(tx: &Tx, id: HookId, since: Option<i64>) -> Result<()> {
    tx.prepare_cached("update hooks set failing_since = ?2 where id = ?1")?.execute(params![id, since])?;
    Ok(())
}

/// Told nothing more from now on, and why.
pub fn set_off(tx: &Tx, id: HookId, why: &str) -> Result<()> {
    tx.prepare_cached("update hooks set off_at = ?2, off_why = ?3, failing_since = null where id = ?1")?
        .execute(params![id, tx.now(), why])?;
    tx.prepare_cached(
        "update deliveries set state = 'dropped', problem = ?2, ended_at = ?3 where hook_id = ?1 and state = 'waiting'",
    )?
    .execute(params![id, why, tx.now()])?;
    Ok(())
}

/// Told again.
pub fn set_on(tx: &Tx, id: HookId) -> Result<()> {
    tx.prepare_cached("update hooks set off_at = null, off_why = '', failing_since = null where id = ?1")?
        .execute([id])?;
    Ok(())
}

/// Up to which order event, refund and entry of the ledger hooks were told.
pub fn heard(conn: &Connection) -> Result<Option<[i64; 3]>> {
    conn.prepare_cached("select event_id, refund_id, entry_id from hooks_heard")?
        .query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
        .optional()
}

pub fn set_heard(tx: &Tx, heard: Option<[i64; 3]>) -> Result<()> {
    tx.prepare_cached("delete from hooks_heard")?.execute([])?;
    if let Some(heard) = heard {
        tx.prepare_cached("insert into hooks_heard (id, event_id, refund_id, entry_id) values (1, ?1, ?2, ?3)")?
            .execute(heard)?;
    }
    Ok(())
}

// ── deliveries ──

fn read_delivery(row: &Row<'_>) -> Result<Delivery> {
    let row = Named::of(row);
    Ok(Delivery {
        id: row.get("id")?,
        hook_id: row.get("hook_id")?,
        event: row.get("event")?,
        order_id: row.get("order_id")?,
        body: row.get("body")?,
        at: row.get("at")?,
        state: row.get("state")?,
        tries: row.get("tries")?,
        status: row.get("status")?,
        problem: row.get("problem")?,
        took_ms: row.get("took_ms")?,
        ended_at: row.get("ended_at")?,
    })
}

pub fn delivery(conn: &Connection, id: DeliveryId) -> Result<Option<Delivery>> {
    conn.prepare_cached("select * from deliveries where id = ?1")?.query_row([id], read_delivery).optional()
}

/// The latest of a hook.
pub fn deliveries(conn: &Connection, hook: HookId, limit: i64) -> Result<Vec<Delivery>> {
    let mut rows = conn.prepare_cached("select * from deliveries where hook_id = ?1 order by id desc limit ?2")?;
    rows.query_map(params![hook, limit], read_delivery)?.collect()
}

pub fn insert_delivery(tx: &Tx, hook: HookId, event: Event, order: Option<OrderId>, body: &str) -> Result<DeliveryId> {
    tx.prepare_cached(
        "insert into deliveries (hook_id, event, order_id, body, at, state) values (?1, ?2, ?3, ?4, ?5, 'waiting')",
    )?
    .execute(params![hook, event, order, body, tx.now()])?;
    Ok(DeliveryId(tx.last_insert_rowid()))
}

/// What came of one try; it waits on when `state` says so.
/// False when it waits no more.
pub fn tried(tx: &Tx, id: DeliveryId, state: State, tried: &Tried) -> Result<bool> {
    let changed = tx.prepare_cached(
        "update deliveries
            set state = ?2, tries = tries + 1, status = ?3, problem = ?4, took_ms = ?5, ended_at = iif(?2 = 'waiting', null, ?6)
          where id = ?1 and state = 'waiting'",
    )?
    .execute(params![id, state, tried.status, tried.problem, tried.took_ms, tx.now()])?;
    Ok(changed == 1)
}

/// One that has ended waits again.
pub fn wait_again(tx: &Tx, id: DeliveryId) -> Result<()> {
    tx.prepare_cached("update deliveries set state = 'waiting', ended_at = null where id = ?1")?.execute([id])?;
    Ok(())
}

pub fn forget(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached("delete from deliveries where at < ?1 and state <> 'waiting'")?.execute([before])?;
    Ok(())
}
