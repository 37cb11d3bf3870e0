//! SQL of draft orders.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Agreed, Draft};
use crate::buyers::addresses::Address;
use crate::db::{Named, Tx};
use crate::ids::{DraftId, OrderId, SkuId, StaffId};
use crate::money::Fen;

const DRAFTS: &str = "select d.*, s.name as staff_name from drafts d join staff s on s.id = d.staff_id";

fn read(row: &Row<'_>) -> Result<Draft> {
    let row = Named::of(row);
    let broken = |e: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into());
    let lines: Vec<(i64, i64, i64)> = serde_json::from_str(&row.get::<String>("lines")?).map_err(broken)?;
    let agreed =
        |(sku, quantity, price): (i64, i64, i64)| Some(Agreed { sku: SkuId(sku), quantity, price: Fen::new(price)? });
    let address = row.get::<Option<String>>("address")?;
    Ok(Draft {
        id: row.get("id")?,
        code: row.get("code")?,
        lines: lines.into_iter().filter_map(agreed).collect(),
        freight: row.get("freight_fen")?,
        usual_freight: row.get("usual_freight")?,
        total: row.get("total_fen")?,
        delivery: row.get("delivery")?,
        address: address.map(|json| serde_json::from_str::<Address>(&json).map_err(broken)).transpose()?,
        remark: row.get("remark")?,
        staff: row.get("staff_name")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        withdrawn: row.get::<Option<i64>>("withdrawn_at")?.is_some(),
        order: row.get("order_id")?,
    })
}

pub fn by_id(conn: &Connection, id: DraftId) -> Result<Option<Draft>> {
    conn.prepare_cached(&format!("{DRAFTS} where d.id = ?1"))?.query_row([id], read).optional()
}

pub fn by_code(conn: &Connection, code: &str) -> Result<Option<Draft>> {
    conn.prepare_cached(&format!("{DRAFTS} where d.code = ?1"))?.query_row([code], read).optional()
}

/// The newest first.
pub fn latest(conn: &Connection, limit: i64) -> Result<Vec<Draft>> {
    let mut rows = conn.prepare_cached(&format!("{DRAFTS} order by d.id desc limit ?1"))?;
    rows.query_map([limit], read)?.collect()
}

/// `new` without its number.
pub fn insert(tx: &Tx, new: &Draft, staff: StaffId) -> Result<DraftId> {
    let lines: Vec<_> = new.lines.iter().map(|line| (line.sku.0, line.quantity, line.price.get())).collect();
    let written = |e: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(e.into());
    let address = new.address.as_ref().map(serde_json::to_string).transpose().map_err(written)?;
    tx.prepare_cached(
        "insert into drafts (code, lines, freight_fen, usual_freight, total_fen, delivery, address, remark, staff_id,
                             created_at, expires_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        new.code,
        serde_json::to_string(&lines).map_err(written)?,
        new.freight,
        new.usual_freight,
        new.total,
        new.delivery,
        address,
        new.remark,
        staff,
        new.created_at,
        new.expires_at
    ])?;
    Ok(DraftId(tx.last_insert_rowid()))
}

/// The guarded move: false when somebody was faster.
pub fn set_taken(tx: &Tx, id: DraftId, order: OrderId) -> Result<bool> {
    let changed = tx
        .prepare_cached("update drafts set order_id = ?2 where id = ?1 and order_id is null and withdrawn_at is null")?
        .execute(params![id, order])?;
    Ok(changed == 1)
}

pub fn withdraw(tx: &Tx, id: DraftId) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update drafts set withdrawn_at = ?2 where id = ?1 and order_id is null and withdrawn_at is null",
        )?
        .execute(params![id, tx.now()])?;
    Ok(changed == 1)
}

/// Whom a draft was meant for that nobody opened is not kept for ever.
pub fn forget(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached(
        "update drafts set address = null, remark = ''
          where order_id is null and expires_at < ?1 and (address is not null or remark <> '')",
    )?
    .execute([before])?;
    Ok(())
}
