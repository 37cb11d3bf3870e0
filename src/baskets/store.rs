//! SQL of carts and favourites.

use rusqlite::{Connection, Result, params};

use super::Wished;
use crate::db::{Named, Tx};
use crate::ids::{BuyerId, ProductId, SkuId};
use crate::money::Fen;

// ── the cart ──

/// A line of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartLine {
    pub wished: Wished,
    pub ticked: bool,
    pub added_at: i64,
}

/// What was put in last, first.
pub fn cart(conn: &Connection, buyer: BuyerId) -> Result<Vec<CartLine>> {
    let mut rows = conn.prepare_cached(
        "select sku_id, quantity, ticked, added_fen, added_at from cart_lines
          where buyer_id = ?1 order by added_at desc, sku_id desc",
    )?;
    rows.query_map([buyer], |row| {
        let row = Named::of(row);
        let wished = Wished { sku: row.get("sku_id")?, quantity: row.get("quantity")?, then: row.get("added_fen")? };
        Ok(CartLine { wished, ticked: row.get("ticked")?, added_at: row.get("added_at")? })
    })?
    .collect()
}

/// Puts a line in, or changes one that is there: what it cost at first stays with it.
pub fn put_line(tx: &Tx, buyer: BuyerId, wished: Wished, ticked: bool) -> Result<()> {
    tx.prepare_cached(
        "insert into cart_lines (buyer_id, sku_id, quantity, ticked, added_fen, added_at) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (buyer_id, sku_id) do update set quantity = excluded.quantity, ticked = excluded.ticked",
    )?
    .execute(params![buyer, wished.sku, wished.quantity, ticked, wished.then, tx.now()])?;
    Ok(())
}

pub fn remove_line(tx: &Tx, buyer: BuyerId, sku: SkuId) -> Result<()> {
    tx.prepare_cached("delete from cart_lines where buyer_id = ?1 and sku_id = ?2")?.execute(params![buyer, sku])?;
    Ok(())
}

// ── favourites ──

/// A product that a buyer marked, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Favourite {
    pub product: ProductId,
    pub then: Fen,
    pub added_at: i64,
}

/// The newest first, from behind `after` on: the moment and the product of the last one seen.
pub fn favourites(conn: &Connection, buyer: BuyerId, after: Option<[i64; 2]>, limit: i64) -> Result<Vec<Favourite>> {
    let [at, product] = after.unwrap_or([i64::MAX, i64::MAX]);
    let mut rows = conn.prepare_cached(
        "select product_id, added_fen, added_at from favourites
          where buyer_id = ?1 and (added_at, product_id) < (?2, ?3)
          order by added_at desc, product_id desc limit ?4",
    )?;
    rows.query_map(params![buyer, at, product, limit], |row| {
        Ok(Favourite { product: row.get("product_id")?, then: row.get("added_fen")?, added_at: row.get("added_at")? })
    })?
    .collect()
}

pub fn is_favourite(conn: &Connection, buyer: BuyerId, product: ProductId) -> Result<bool> {
    conn.prepare_cached("select 1 from favourites where buyer_id = ?1 and product_id = ?2")?
        .exists(params![buyer, product])
}

pub fn count_favourites(conn: &Connection, buyer: BuyerId) -> Result<i64> {
    conn.prepare_cached("select count(*) from favourites where buyer_id = ?1")?.query_row([buyer], |row| row.get(0))
}

/// One that is marked already stays as it is.
pub fn mark(tx: &Tx, buyer: BuyerId, product: ProductId, price: Fen) -> Result<()> {
    tx.prepare_cached(
        "insert into favourites (buyer_id, product_id, added_fen, added_at) values (?1, ?2, ?3, ?4)
         on conflict do nothing",
    )?
    .execute(params![buyer, product, price, tx.now()])?;
    Ok(())
}

pub fn unmark(tx: &Tx, buyer: BuyerId, product: ProductId) -> Result<()> {
    tx.prepare_cached("delete from favourites where buyer_id = ?1 and product_id = ?2")?
        .execute(params![buyer, product])?;
    Ok(())
}
