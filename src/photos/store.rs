//! SQL of photographs.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::With;
use crate::catalogue::media::Picture;
use crate::db::Tx;
use crate::ids::{BuyerId, PhotoId};

/// So many may wait for the request that they belong to; the oldest goes when there are more.
const LOOSE: i64 = 18;

pub fn put(tx: &Tx, buyer: BuyerId, picture: &Picture) -> Result<PhotoId> {
    let id = PhotoId(tx.fresh_id("photos")?);
    tx.prepare_cached("insert into photos (id, buyer_id, bytes, thumb, created_at) values (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![id, buyer, picture.bytes(), picture.smallest(), tx.now()])?;
    tx.prepare_cached(
        "delete from photos
          where id in (select id from photos where buyer_id = ?1 and refund_id is null and return_id is null
                        order by id desc limit -1 offset ?2)",
    )?
    .execute(params![buyer, LOOSE])?;
    Ok(id)
}

/// Sends them with something; false when one of them is not there to be sent.
pub fn send_with(tx: &Tx, buyer: BuyerId, ids: &[PhotoId], with: With) -> Result<bool> {
    let (refund, case) = match with {
        With::Refund(id) => (Some(id), None),
        With::Return(id) => (None, Some(id)),
    };
    let mut update = tx.prepare_cached(
        "update photos set refund_id = ?3, return_id = ?4
          where id = ?1 and buyer_id = ?2 and refund_id is null and return_id is null",
    )?;
    for id in ids {
        if update.execute(params![id, buyer, refund, case])? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Those that were sent with something, in the order in which they were taken.
pub fn of(conn: &Connection, with: With) -> Result<Vec<PhotoId>> {
    match with {
        With::Refund(id) => conn
            .prepare_cached("select id from photos where refund_id = ?1 order by id")?
            .query_map([id], |row| row.get(0))?
            .collect(),
        With::Return(id) => conn
            .prepare_cached("select id from photos where return_id = ?1 order by id")?
            .query_map([id], |row| row.get(0))?
            .collect(),
    }
}

/// The picture, whole or small; of this buyer alone, if one asks.
pub fn bytes(conn: &Connection, id: PhotoId, buyer: Option<BuyerId>, small: bool) -> Result<Option<Vec<u8>>> {
    conn.prepare_cached("select iif(?3, thumb, bytes) from photos where id = ?1 and (?2 is null or buyer_id = ?2)")?
        .query_row(params![id, buyer, small], |row| row.get(0))
        .optional()
}

/// Those that nothing was ever sent with.
pub fn forget_loose(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached("delete from photos where refund_id is null and return_id is null and created_at < ?1")?
        .execute([before])?;
    Ok(())
}
