//! SQL of the margin: read from what was ordered, what came back and what was given back, none of it kept twice; and how
//! often any of that happened in an hour.

use rusqlite::{Connection, Result, params};

use crate::db::Named;
use crate::money::Fen;

/// From a moment to the moment before which it ends, in ms.
pub type Span = (i64, i64);

/// Hours from the first to before the last, counted from 1970, in which something happened, and how often so far.
pub fn moves(conn: &Connection, (first, end): (i64, i64)) -> Result<Vec<(i64, i64)>> {
    let mut rows =
        conn.prepare_cached("select hour, moves from margin_hours where hour >= ?1 and hour < ?2 order by hour")?;
    rows.query_map(params![first, end], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// A line of a paid order.
pub struct Sold {
    pub pieces: i64,
    pub amount: Fen,
    pub promoted: Fen,
    /// Of one piece, in fen.
    pub cost: Option<i64>,
}

/// Tells `each` of every order that was paid in the span: when, its lines, and what the whole of it was cheaper.
pub fn sales(conn: &Connection, (from, to): Span, mut each: impl FnMut(i64, &[Sold], Fen)) -> Result<()> {
    let mut orders = conn.prepare_cached(
        "select id, paid_at, discount_fen from orders
          where paid_at is not null and paid_at >= ?1 and paid_at < ?2 order by paid_at",
    )?;
    let mut lines = conn.prepare_cached(
        "select quantity, price_fen, discount_fen, cost_fen from order_lines where order_id = ?1 order by id",
    )?;
    let mut rows = orders.query(params![from, to])?;
    while let Some(row) = rows.next()? {
        let (id, at, discount): (i64, i64, Fen) = (row.get("id")?, row.get("paid_at")?, row.get("discount_fen")?);
        let sold = lines.query_map([id], |row| {
            let row = Named::of(row);
            let pieces = row.get("quantity")?;
            let price: Fen = row.get("price_fen")?;
            Ok(Sold {
                pieces,
                amount: price.times(pieces).unwrap_or_default(),
                promoted: row.get("discount_fen")?,
                cost: row.get("cost_fen")?,
            })
        })?;
        each(at, &sold.collect::<Result<Vec<_>>>()?, discount);
    }
    Ok(())
}

/// Pieces of paid orders that never left or came back to be sold again; below zero, those that were sent once more.
pub struct GoodsBack {
    pub at: i64,
    pub pieces: i64,
    pub cost: Option<i64>,
}

pub fn goods_back(conn: &Connection, (from, to): Span) -> Result<Vec<GoodsBack>> {
    // What an order let go before it was paid has never been sold. What came back as another SKU than was bought is what
    // had been sent in exchange.
    let mut rows = conn.prepare_cached(
        "select m.at, iif(m.reason = 'return', m.on_hand_delta, -m.reserved_delta) as pieces,
                iif(m.sku_id = l.sku_id, l.cost_fen, (select p.cost_fen
                   from resends s join resend_lines p on p.resend_id = s.id
                  where s.order_id = l.order_id and p.line_id = l.id and p.sku_id = m.sku_id and s.sent_at <= m.at
                  order by s.id desc limit 1)) as cost_fen
           from stock_moves m join order_lines l on l.id = m.line_id join orders o on o.id = l.order_id
          where (m.reason = 'release' or m.reason = 'return') and m.at >= ?1 and m.at < ?2 and o.paid_at <= m.at
         union all
         select s.sent_at, -p.quantity, p.cost_fen
           from resends s join resend_lines p on p.resend_id = s.id
          where s.sent_at >= ?1 and s.sent_at < ?2",
    )?;
    rows.query_map(params![from, to], |row| {
        let row = Named::of(row);
        Ok(GoodsBack { at: row.get("at")?, pieces: row.get("pieces")?, cost: row.get("cost_fen")? })
    })?
    .collect()
}

/// Money of orders that went back for goods, freight apart.
pub struct MoneyBack {
    pub at: i64,
    pub fen: i64,
    /// For goods whose cost is known.
    pub known: bool,
}

/// Money that no line is named for belongs to the goods of known cost, if the order has any.
pub fn money_back(conn: &Connection, (from, to): Span) -> Result<Vec<MoneyBack>> {
    let mut rows = conn.prepare_cached(
        "with back as materialized (
           select id, order_id, ended_at, amount_fen - freight_fen as fen from refunds
            where state = 'succeeded' and inside = 1 and ended_at >= ?1 and ended_at < ?2
         )
         select b.ended_at, p.amount_fen as fen, l.cost_fen is not null as known
           from back b join refund_lines p on p.refund_id = b.id join order_lines l on l.id = p.line_id
         union all
         select b.ended_at, b.fen - coalesce((select sum(amount_fen) from refund_lines where refund_id = b.id), 0),
                exists (select 1 from order_lines where order_id = b.order_id and cost_fen is not null)
           from back b",
    )?;
    rows.query_map(params![from, to], |row| {
        let row = Named::of(row);
        Ok(MoneyBack { at: row.get("ended_at")?, fen: row.get("fen")?, known: row.get("known")? })
    })?
    .collect()
}
