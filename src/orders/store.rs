//! SQL of orders, their lines, parcels and timeline.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::pickup::store as pickups;
use super::{
    Act, AtWechat, ClosedReason, Flag, Full, Line, Order, OrderStatus, Quote, QuoteLine, Shipment, Topic, forget,
};
use crate::buyers::addresses::Address;
use crate::catalogue::Delivery;
use crate::clock::{Day, Moments};
use crate::db::{Named, Tx};
use crate::ids::{BuyerId, LineId, MessageId, OrderId, OrderNo, ProductId, RefundId, ReturnId, ShipmentId};
use crate::money::Fen;
use crate::parcels::Parcel;
use crate::promotions::store as promotions;
use crate::refunds::store as refunds;
use crate::returns::store as returns;
use crate::settings::hours::Slot;

// ── reading ──

pub fn by_id(conn: &Connection, id: OrderId) -> Result<Option<Order>> {
    conn.prepare_cached("select * from orders where id = ?1")?.query_row([id], read_order).optional()
}

/// A buyer's own order; another's is as absent as one that never was. `called` is its number, or one of those that
/// WeChat's order centre and 确认收货 know it by: `out_trade_no`, `transaction_id`.
pub fn of_buyer(conn: &Connection, buyer: BuyerId, called: &str) -> Result<Option<Order>> {
    let by_number = "select * from orders where order_no = ?1 and buyer_id = ?2";
    let by_payment = "select o.* from orders o
       where o.id in (select order_id from attempts where out_trade_no = ?1
                       union all select order_id from attempts where transaction_id = ?1)
         and o.buyer_id = ?2";
    for named in [by_number, by_payment] {
        let found = conn.prepare_cached(named)?.query_row(params![called, buyer], read_order).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Where the newest orders that have an address go.
pub fn latest_addresses(conn: &Connection, limit: i64) -> Result<Vec<Address>> {
    let mut rows =
        conn.prepare_cached("select address from orders where address is not null order by id desc limit ?1")?;
    let rows = rows.query_map([limit], |row| row.get::<_, String>(0))?;
    rows.map(|json| serde_json::from_str(&json?).map_err(|_| broken("address"))).collect()
}

pub fn by_no(conn: &Connection, order_no: &OrderNo) -> Result<Option<Order>> {
    conn.prepare_cached("select * from orders where order_no = ?1")?.query_row([order_no], read_order).optional()
}

pub(super) fn read_order(row: &Row<'_>) -> Result<Order> {
    let row = Named::of(row);
    let address = |json: String| serde_json::from_str::<Address>(&json).map_err(|_| broken("address"));
    Ok(Order {
        id: row.get("id")?,
        order_no: row.get("order_no")?,
        buyer_id: row.get("buyer_id")?,
        status: row.get("status")?,
        closed_reason: row.get("closed_reason")?,
        goods: row.get("goods_fen")?,
        freight: row.get("freight_fen")?,
        discount: row.get("discount_fen")?,
        total: row.get("total_fen")?,
        paid: row.get("paid_fen")?,
        refunded: row.get("refunded_fen")?,
        delivery: row.get("delivery")?,
        address: row.get::<Option<String>>("address")?.map(address).transpose()?,
        remark: row.get("remark")?,
        memo: row.get("memo")?,
        holds_stock: row.get("holds_stock")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        paid_at: row.get("paid_at")?,
        shipped_at: row.get("shipped_at")?,
        completed_at: row.get("completed_at")?,
        closed_at: row.get("closed_at")?,
        flag: row.get::<String>("flag")?.parse().ok(),
        prints: row.get("prints")?,
        hidden_at: row.get("hidden_at")?,
        slot: row.get::<Option<i64>>("slot_start")?.zip(row.get("slot_end")?).map(|(start, end)| Slot { start, end }),
    })
}

fn broken(what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, format!("unreadable order column: {what}").into())
}

pub fn lines(conn: &Connection, id: OrderId) -> Result<Vec<Line>> {
    let mut rows = conn.prepare_cached("select * from order_lines where order_id = ?1 order by id")?;
    rows.query_map([id], read_line)?.collect()
}

pub fn line(conn: &Connection, id: LineId) -> Result<Line> {
    conn.prepare_cached("select * from order_lines where id = ?1")?.query_row([id], read_line)
}

fn read_line(row: &Row<'_>) -> Result<Line> {
    let row = Named::of(row);
    Ok(Line {
        id: row.get("id")?,
        product_id: row.get("product_id")?,
        sku_id: row.get("sku_id")?,
        name: row.get("name")?,
        spec_text: row.get("spec_text")?,
        image: row.get("image_hash")?,
        price: row.get("price_fen")?,
        quantity: row.get("quantity")?,
        shipped: row.get("shipped_quantity")?,
        refunded: row.get("refunded_quantity")?,
        released: row.get("released_quantity")?,
        discount: row.get("discount_fen")?,
    })
}

/// Pieces of a product in the orders of a buyer that still stand, without those that were given back.
pub fn pieces_of_buyer(conn: &Connection, buyer: BuyerId, product: ProductId) -> Result<i64> {
    conn.prepare_cached(
        "select coalesce(sum(l.quantity - l.refunded_quantity), 0)
           from orders o join order_lines l on l.order_id = o.id
          where o.buyer_id = ?1 and o.status <> 'closed' and l.product_id = ?2",
    )?
    .query_row(params![buyer, product], |row| row.get(0))
}

/// How many orders that stand were booked for each slot since then, by its start.
pub fn booked(conn: &Connection, since: i64) -> Result<BTreeMap<i64, i64>> {
    let mut rows = conn.prepare_cached(
        "select slot_start, count(*) from orders
          where slot_start is not null and slot_start >= ?1 and status <> 'closed' group by slot_start",
    )?;
    rows.query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// How many of a buyer's orders wait for payment.
pub fn unpaid_of_buyer(conn: &Connection, buyer: BuyerId) -> Result<i64> {
    conn.prepare_cached(UNPAID_OF_BUYER)?.query_row([buyer], |row| row.get(0))
}

const UNPAID_OF_BUYER: &str = "select count(*) from orders where buyer_id = ?1 and status = 'pending_payment'";

/// Somebody whose orders hold stock without being paid.
pub struct Holder {
    pub buyer: BuyerId,
    pub orders: i64,
    pub pieces: i64,
    pub total: Fen,
    /// Of the orders: the first was placed then, and the last lets go then.
    pub since: i64,
    pub until: i64,
    pub order_nos: Vec<String>,
}

/// Who holds stock with unpaid orders, whoever holds most first.
pub fn holders(conn: &Connection, limit: i64) -> Result<Vec<Holder>> {
    let mut rows = conn.prepare_cached(
        "select buyer_id, count(*) as orders, sum(total_fen) as total_fen, min(created_at) as since,
                max(expires_at) as until, json_group_array(order_no) as order_nos,
                sum((select sum(l.quantity) from order_lines l where l.order_id = o.id)) as pieces
           from orders o
          where status = 'pending_payment' and holds_stock = 1
          group by buyer_id order by pieces desc, buyer_id limit ?1",
    )?;
    rows.query_map([limit], |row| {
        Ok(Holder {
            buyer: row.get("buyer_id")?,
            orders: row.get("orders")?,
            pieces: row.get("pieces")?,
            total: row.get("total_fen")?,
            since: row.get("since")?,
            until: row.get("until")?,
            order_nos: serde_json::from_str(&row.get::<_, String>("order_nos")?).map_err(|_| broken("order_no"))?,
        })
    })?
    .collect()
}

/// A SKU of which pieces are held by orders: unpaid ones, and paid ones that wait to be shipped.
pub struct Held {
    pub product: ProductId,
    pub name: String,
    pub spec_text: String,
    pub on_hand: i64,
    pub unpaid: i64,
    pub to_ship: i64,
}

/// What is held most by unpaid orders, first.
pub fn held(conn: &Connection, limit: i64) -> Result<Vec<Held>> {
    let mut rows = conn.prepare_cached(
        "select l.product_id, max(l.name) as name, max(l.spec_text) as spec_text, max(s.on_hand) as on_hand,
                sum(iif(o.status = 'pending_payment', l.quantity, 0)) as unpaid,
                sum(iif(o.status = 'to_ship', l.quantity - l.shipped_quantity - l.released_quantity, 0)) as to_ship
           from orders o join order_lines l on l.order_id = o.id join skus s on s.id = l.sku_id
          where o.status in ('pending_payment', 'to_ship') and o.holds_stock = 1
          group by l.sku_id order by unpaid desc, to_ship desc, l.sku_id limit ?1",
    )?;
    rows.query_map([limit], |row| {
        Ok(Held {
            product: row.get("product_id")?,
            name: row.get("name")?,
            spec_text: row.get("spec_text")?,
            on_hand: row.get("on_hand")?,
            unpaid: row.get("unpaid")?,
            to_ship: row.get("to_ship")?,
        })
    })?
    .collect()
}

/// The parcels of an order, the first one first.
pub fn shipments(conn: &Connection, id: OrderId) -> Result<Vec<Shipment>> {
    Ok(shipments_of(conn, &only(id))?.remove(&id).unwrap_or_default())
}

pub fn full(conn: &Connection, order: Order) -> Result<Full> {
    let id = order.id;
    Ok(Full {
        order,
        lines: lines(conn, id)?,
        shipments: shipments(conn, id)?,
        refunds: refunds::of_order(conn, id)?,
        returns: returns::of_order(conn, id)?,
        resends: returns::resends_of(conn, id)?,
        came_back: returns::came_back_of(conn, id)?,
        discounts: promotions::discounts(conn, id)?,
        at_wechat: at_wechat(conn, &only(id))?.remove(&id).and_then(first),
        pickup: pickups::of_order(conn, id)?,
    })
}

/// Why the coupon with which an order was placed is good for nothing when it comes back; `None` while it is, or without one.
pub fn coupon_lost(conn: &Connection, order: OrderId, now: i64) -> Result<Option<&'static str>> {
    let Some((id, _)) = promotions::placed_with(conn, order)? else { return Ok(None) };
    Ok(match promotions::coupon(conn, id)? {
        Some(coupon) if coupon.promotion.voided => Some("店家已经作废"),
        Some(coupon) if coupon.ends_at.is_some_and(|at| at <= now) => Some("已经过期"),
        _ => None,
    })
}

/// `full` for a page of orders, in as many statements as for one of them.
pub fn fulls(conn: &Connection, orders: Vec<Order>) -> Result<Vec<Full>> {
    let ids = serde_json::json!(orders.iter().map(|order| order.id.0).collect::<Vec<_>>()).to_string();
    let mut lines = lines_of(conn, &ids)?;
    let mut shipments = shipments_of(conn, &ids)?;
    let mut at_wechat = at_wechat(conn, &ids)?;
    let mut refunds = grouped(refunds::of_orders(conn, &ids)?);
    let mut discounts = grouped(promotions::discounts_of(conn, &ids)?);
    let returned = returns::any_of(conn, &ids)?;
    let filled = orders.into_iter().map(|order| {
        let id = order.id;
        // Few are fetched, and from few anything came back.
        let (fetched, came_back) = (order.delivery == Delivery::Pickup, returned.contains(&id));
        Ok(Full {
            pickup: if fetched { pickups::of_order(conn, id)? } else { None },
            returns: if came_back { returns::of_order(conn, id)? } else { Vec::new() },
            resends: if came_back { returns::resends_of(conn, id)? } else { Vec::new() },
            came_back: if came_back { returns::came_back_of(conn, id)? } else { Vec::new() },
            order,
            lines: lines.remove(&id).unwrap_or_default(),
            shipments: shipments.remove(&id).unwrap_or_default(),
            refunds: refunds.remove(&id).unwrap_or_default(),
            discounts: discounts.remove(&id).unwrap_or_default(),
            at_wechat: at_wechat.remove(&id).and_then(first),
        })
    });
    filled.collect()
}

type ByOrder<T> = HashMap<OrderId, Vec<T>>;

/// One order, as the statements below take many.
fn only(id: OrderId) -> String {
    format!("[{}]", id.0)
}

fn first<T>(all: Vec<T>) -> Option<T> {
    all.into_iter().next()
}

fn grouped<T>(all: Vec<(OrderId, T)>) -> ByOrder<T> {
    let mut by_order = ByOrder::new();
    for (order, one) in all {
        by_order.entry(order).or_default().push(one);
    }
    by_order
}

fn lines_of(conn: &Connection, ids: &str) -> Result<ByOrder<Line>> {
    let mut rows = conn
        .prepare_cached("select l.* from json_each(?1) w join order_lines l on l.order_id = w.value order by l.id")?;
    let rows = rows.query_map([ids], |row| Ok((row.get("order_id")?, read_line(row)?)))?;
    rows.collect::<Result<_>>().map(grouped)
}

/// What WeChat calls an order, what counts first: by the attempt that was paid, else by the newest.
fn at_wechat(conn: &Connection, ids: &str) -> Result<ByOrder<AtWechat>> {
    let mut rows = conn.prepare_cached(
        "select a.order_id, a.out_trade_no, a.transaction_id from json_each(?1) w join attempts a on a.order_id = w.value
          order by a.transaction_id is null, a.paid_at, a.n desc",
    )?;
    let rows = rows.query_map([ids], |row| {
        Ok((row.get(0)?, AtWechat { out_trade_no: row.get(1)?, transaction_id: row.get(2)? }))
    })?;
    rows.collect::<Result<_>>().map(grouped)
}

fn shipments_of(conn: &Connection, ids: &str) -> Result<ByOrder<Shipment>> {
    let mut sent = conn.prepare_cached(
        "select s.order_id, s.id, s.company, s.company_name, s.tracking_no, s.shipped_at
           from json_each(?1) w join shipments s on s.order_id = w.value
          where s.state = 'shipped' order by s.id",
    )?;
    let mut packed = conn.prepare_cached("select line_id, quantity from shipment_lines where shipment_id = ?1")?;
    let rows = sent.query_map([ids], |row| {
        let id: ShipmentId = row.get("id")?;
        let parcel = Parcel {
            company: row.get("company")?,
            company_name: row.get("company_name")?,
            tracking_no: row.get("tracking_no")?,
        };
        let lines = packed.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_>>()?;
        Ok((row.get("order_id")?, Shipment { id, parcel, shipped_at: row.get("shipped_at")?, lines }))
    })?;
    rows.collect::<Result<_>>().map(grouped)
}

/// Which of a buyer's orders are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    All,
    Status(OrderStatus),
    /// With a refund or a return that has not come to its end.
    Refunding,
    /// What the buyer took off the list; none of the others has it.
    Hidden,
}

/// A buyer's orders, newest first.
pub fn page_of_buyer(
    conn: &Connection,
    buyer: BuyerId,
    wanted: Wanted,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Order>> {
    let (status, refunding) = match wanted {
        Wanted::All | Wanted::Hidden => (None, false),
        Wanted::Status(status) => (Some(status), false),
        Wanted::Refunding => (None, true),
    };
    // As `Full::is_hidden` says it.
    let mut rows = conn.prepare_cached(
        "select * from orders o
          where buyer_id = ?1 and (?2 is null or status = ?2) and (?3 is null or id < ?3)
            and (not ?5 or exists (select 1 from refunds r where r.order_id = o.id and r.ended_at is null)
                        or exists (select 1 from returns r where r.order_id = o.id and r.ended_at is null))
            and ?6 = (hidden_at is not null and status in ('completed', 'closed')
                      and not exists (select 1 from refunds r where r.order_id = o.id and r.ended_at is null)
                      and not exists (select 1 from returns r where r.order_id = o.id and r.ended_at is null))
          order by id desc limit ?4",
    )?;
    let hidden = wanted == Wanted::Hidden;
    rows.query_map(params![buyer, status, before, limit, refunding, hidden], read_order)?.collect()
}

/// How many of a buyer's orders wait for payment, for shipping, for receipt.
pub fn buyer_counts(conn: &Connection, buyer: BuyerId) -> Result<[i64; 3]> {
    conn.prepare_cached(
        "select coalesce(sum(status = 'pending_payment'), 0), coalesce(sum(status = 'to_ship'), 0),
                coalesce(sum(status = 'shipped'), 0)
           from orders where buyer_id = ?1",
    )?
    .query_row([buyer], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
}

/// The console's counted tabs, kept by triggers.
pub fn status_counts(conn: &Connection) -> Result<Vec<(String, i64)>> {
    let mut rows = conn.prepare_cached("select status, n from order_counts")?;
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// How many other orders of this buyer wait to be shipped; they may go in one parcel.
pub fn others_to_ship(conn: &Connection, buyer: BuyerId, but: OrderId) -> Result<i64> {
    conn.prepare_cached("select count(*) from orders where buyer_id = ?1 and status = 'to_ship' and id <> ?2")?
        .query_row(params![buyer, but], |row| row.get(0))
}

/// The first of these orders, the oldest first.
pub fn some_others_to_ship(conn: &Connection, buyer: BuyerId, but: OrderId, limit: i64) -> Result<Vec<OrderNo>> {
    let mut rows = conn.prepare_cached(
        "select order_no from orders where buyer_id = ?1 and status = 'to_ship' and id <> ?2 order by id limit ?3",
    )?;
    rows.query_map(params![buyer, but, limit], |row| row.get(0))?.collect()
}

/// The order that a confirmed receipt is about: the one that this payment was entered for.
pub fn paid_by(conn: &Connection, transaction_id: &str) -> Result<Option<OrderId>> {
    conn.prepare_cached(
        "select order_id from ledger where wechat_id = ?1 and kind in ('payment', 'link') and order_id is not null",
    )?
    .query_row([transaction_id], |row| row.get(0))
    .optional()
}

// ── writing ──

pub fn insert(
    tx: &Tx,
    order_no: &OrderNo,
    buyer: BuyerId,
    quote: &Quote,
    remark: &str,
    expires_at: i64,
) -> Result<OrderId> {
    let address = quote.address.as_ref().map(written).transpose()?;
    tx.prepare_cached(
        "insert into orders (order_no, buyer_id, status, goods_fen, freight_fen, discount_fen, total_fen, delivery,
                             address, remark, holds_stock, created_at, expires_at, slot_start, slot_end)
         values (?1, ?2, 'pending_payment', ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        order_no,
        buyer,
        quote.goods,
        quote.freight,
        quote.discount,
        quote.total,
        quote.delivery,
        address,
        remark,
        tx.now(),
        expires_at,
        quote.slot.map(|slot| slot.start),
        quote.slot.map(|slot| slot.end)
    ])?;
    Ok(OrderId(tx.last_insert_rowid()))
}

fn written(address: &Address) -> Result<String> {
    serde_json::to_string(address).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

/// What was printed of it says another one, and counts no more.
pub fn set_address(tx: &Tx, id: OrderId, address: &Address) -> Result<()> {
    let mut update = tx.prepare_cached("update orders set address = ?2, prints = 0 where id = ?1")?;
    update.execute(params![id, written(address)?])?;
    Ok(())
}

pub fn insert_line(tx: &Tx, order: OrderId, line: &QuoteLine) -> Result<LineId> {
    tx.prepare_cached(
        "insert into order_lines (order_id, product_id, sku_id, name, spec_text, image_hash, price_fen, quantity, discount_fen,
                                  cost_fen)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, (select cost_fen from skus where id = ?3))",
    )?
    .execute(params![
        order,
        line.product_id,
        line.sku_id,
        line.name,
        line.spec_text,
        line.image,
        line.price,
        line.quantity,
        line.off
    ])?;
    Ok(LineId(tx.last_insert_rowid()))
}

pub fn status(conn: &Connection, id: OrderId) -> Result<OrderStatus> {
    conn.prepare_cached("select status from orders where id = ?1")?.query_row([id], |row| row.get(0))
}

/// The guarded move; false when the order does not stand in `from`. For `moves` alone.
pub fn set_status(
    tx: &Tx,
    id: OrderId,
    from: OrderStatus,
    to: OrderStatus,
    reason: Option<ClosedReason>,
) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update orders
                set status = ?3, closed_reason = ?4,
                    closed_at = case when ?3 = 'closed' then ?5 end,
                    paid_at = case when ?3 = 'to_ship' then coalesce(paid_at, ?5) else paid_at end,
                    shipped_at = case ?3 when 'shipped' then ?5 when 'to_ship' then null else shipped_at end,
                    completed_at = case when ?3 = 'completed' then ?5 else completed_at end
              where id = ?1 and status = ?2",
        )?
        .execute(params![id, from, to, reason, tx.now()])?;
    Ok(changed == 1)
}

/// The guarded move of a waiting order to be shipped, with its money.
pub fn set_paid(tx: &Tx, id: OrderId, fen: Fen) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update orders set status = 'to_ship', paid_fen = paid_fen + ?2, paid_at = coalesce(paid_at, ?3)
              where id = ?1 and status = 'pending_payment'",
        )?
        .execute(params![id, fen, tx.now()])?;
    Ok(changed == 1)
}

/// Off the buyer's list since then, or on it again.
pub fn set_hidden(tx: &Tx, id: OrderId, since: Option<i64>) -> Result<()> {
    tx.prepare_cached("update orders set hidden_at = ?2 where id = ?1")?.execute(params![id, since])?;
    Ok(())
}

pub fn add_paid(tx: &Tx, id: OrderId, fen: Fen) -> Result<()> {
    tx.prepare_cached("update orders set paid_fen = paid_fen + ?2 where id = ?1")?.execute(params![id, fen])?;
    Ok(())
}

pub fn add_refunded(tx: &Tx, id: OrderId, fen: Fen) -> Result<()> {
    tx.prepare_cached("update orders set refunded_fen = refunded_fen + ?2 where id = ?1")?.execute(params![id, fen])?;
    Ok(())
}

pub fn add_refunded_pieces(tx: &Tx, id: LineId, quantity: i64) -> Result<()> {
    tx.prepare_cached("update order_lines set refunded_quantity = refunded_quantity + ?2 where id = ?1")?
        .execute(params![id, quantity])?;
    Ok(())
}

pub fn add_released(tx: &Tx, id: LineId, quantity: i64) -> Result<()> {
    tx.prepare_cached("update order_lines set released_quantity = released_quantity + ?2 where id = ?1")?
        .execute(params![id, quantity])?;
    Ok(())
}

/// What an unpaid order is to cost from now on, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPrice {
    pub freight: Fen,
    pub discount: Fen,
    pub total: Fen,
    pub expires_at: i64,
}

/// False when the order is no longer waiting for payment.
pub fn set_price(tx: &Tx, id: OrderId, new: &NewPrice) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update orders set freight_fen = ?2, discount_fen = ?3, total_fen = ?4, expires_at = max(expires_at, ?5)
              where id = ?1 and status = 'pending_payment'",
        )?
        .execute(params![id, new.freight, new.discount, new.total, new.expires_at])?;
    Ok(changed == 1)
}

/// Until when an unpaid order may be paid.
pub fn set_expires_at(tx: &Tx, id: OrderId, at: i64) -> Result<()> {
    tx.prepare_cached("update orders set expires_at = ?2 where id = ?1")?.execute(params![id, at])?;
    Ok(())
}

pub fn set_holds_stock(tx: &Tx, id: OrderId, holds: bool) -> Result<()> {
    tx.prepare_cached("update orders set holds_stock = ?2 where id = ?1")?.execute(params![id, holds])?;
    Ok(())
}

pub fn set_memo(tx: &Tx, id: OrderId, memo: &str) -> Result<()> {
    tx.prepare_cached("update orders set memo = ?2 where id = ?1")?.execute(params![id, memo])?;
    Ok(())
}

pub fn set_flag(tx: &Tx, id: OrderId, flag: Option<Flag>) -> Result<()> {
    tx.prepare_cached("update orders set flag = ?2 where id = ?1")?
        .execute(params![id, flag.map_or("", Flag::word)])?;
    Ok(())
}

/// A slip of these orders was printed.
pub fn count_prints(tx: &Tx, ids: &[OrderId]) -> Result<()> {
    let mut update = tx.prepare_cached("update orders set prints = prints + 1 where id = ?1")?;
    ids.iter().try_for_each(|id| update.execute([id]).map(drop))
}

pub fn insert_shipment(tx: &Tx, order: OrderId, parcel: &Parcel) -> Result<ShipmentId> {
    tx.prepare_cached(
        "insert into shipments (order_id, state, company, company_name, tracking_no, shipped_at)
         values (?1, 'shipped', ?2, ?3, ?4, ?5)",
    )?
    .execute(params![order, parcel.company, parcel.company_name, parcel.tracking_no, tx.now()])?;
    Ok(ShipmentId(tx.last_insert_rowid()))
}

pub fn ship_line(tx: &Tx, shipment: ShipmentId, line: LineId, quantity: i64) -> Result<()> {
    tx.prepare_cached("insert into shipment_lines (shipment_id, line_id, quantity) values (?1, ?2, ?3)")?
        .execute(params![shipment, line, quantity])?;
    tx.prepare_cached("update order_lines set shipped_quantity = shipped_quantity + ?2 where id = ?1")?
        .execute(params![line, quantity])?;
    Ok(())
}

pub fn void_shipment(tx: &Tx, id: ShipmentId) -> Result<()> {
    tx.prepare_cached("update shipments set state = 'voided' where id = ?1")?.execute([id])?;
    Ok(())
}

pub fn unship_line(tx: &Tx, line: LineId, quantity: i64) -> Result<()> {
    tx.prepare_cached("update order_lines set shipped_quantity = shipped_quantity - ?2 where id = ?1")?
        .execute(params![line, quantity])?;
    Ok(())
}

/// The same parcel under another number or with another service.
pub fn set_parcel(tx: &Tx, id: ShipmentId, parcel: &Parcel) -> Result<()> {
    tx.prepare_cached("update shipments set company = ?2, company_name = ?3, tracking_no = ?4 where id = ?1")?
        .execute(params![id, parcel.company, parcel.company_name, parcel.tracking_no])?;
    Ok(())
}

/// Other orders whose parcels have this number, and when these left; the last one first.
pub fn others_with_number(conn: &Connection, order: OrderId, tracking_no: &str) -> Result<Vec<(OrderNo, i64)>> {
    with_number(conn, Some(order), tracking_no)
}

/// The order whose parcel has this number, and when that left.
pub fn sent_with(conn: &Connection, tracking_no: &str) -> Result<Option<(OrderNo, i64)>> {
    Ok(with_number(conn, None, tracking_no)?.into_iter().next())
}

/// So many orders lie in one parcel at most that anybody looks at.
const IN_ONE_PARCEL: i64 = 50;

fn with_number(conn: &Connection, but: Option<OrderId>, tracking_no: &str) -> Result<Vec<(OrderNo, i64)>> {
    let mut rows = conn.prepare_cached(
        "select o.order_no, s.shipped_at from shipments s join orders o on o.id = s.order_id
          where s.tracking_no = ?2 and s.tracking_no <> '' and s.state = 'shipped' and o.id is not ?1
          order by s.id desc limit ?3",
    )?;
    rows.query_map(params![but, tracking_no, IN_ONE_PARCEL], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

// ── timeline ──

/// One thing that happened to an order.
#[derive(Clone, Debug)]
pub struct Event {
    pub at: i64,
    pub actor: String,
    pub actor_name: String,
    pub topic: Topic,
    pub what: String,
    pub message_id: Option<MessageId>,
}

/// What was written about the buyer goes out of an order's timeline. The table lets it happen only once his data has gone.
pub fn forget_words(tx: &Tx, order: OrderId) -> Result<()> {
    let said: Vec<(i64, String)> = tx
        .prepare_cached("select id, what from order_events where order_id = ?1")?
        .query_map([order], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_>>()?;
    for (id, left) in said.iter().filter_map(|(id, what)| Some((id, forget::without_words(what)?))) {
        tx.prepare_cached("update order_events set what = ?2 where id = ?1")?.execute(params![id, left])?;
    }
    Ok(())
}

/// Writes on the timeline what happened, and what it is about.
pub fn note<'a>(tx: &Tx, id: OrderId, act: impl Into<Act<'a>>, topic: Topic, what: &str) -> Result<()> {
    insert_event(tx, id, act.into(), (None, None), topic, what)
}

pub fn note_move<'a>(
    tx: &Tx,
    id: OrderId,
    act: impl Into<Act<'a>>,
    (from, to): (Option<OrderStatus>, OrderStatus),
    topic: Topic,
    what: &str,
) -> Result<()> {
    insert_event(tx, id, act.into(), (from, Some(to)), topic, what)
}

fn insert_event(
    tx: &Tx,
    id: OrderId,
    act: Act<'_>,
    (from, to): (Option<OrderStatus>, Option<OrderStatus>),
    topic: Topic,
    what: &str,
) -> Result<()> {
    tx.prepare_cached(
        "insert into order_events (order_id, at, actor, actor_name, from_status, to_status, topic, what, message_id)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![id, tx.now(), act.who.actor, act.who.name, from, to, topic, what, act.message])?;
    Ok(())
}

pub fn events(conn: &Connection, id: OrderId) -> Result<Vec<Event>> {
    let mut rows = conn.prepare_cached("select * from order_events where order_id = ?1 order by id desc")?;
    rows.query_map([id], |row| {
        Ok(Event {
            at: row.get("at")?,
            actor: row.get("actor")?,
            actor_name: row.get("actor_name")?,
            topic: row.get("topic")?,
            what: row.get("what")?,
            message_id: row.get("message_id")?,
        })
    })?
    .collect()
}

// ── idempotency ──

/// What a key made: an order, or a refund or a return of one; and the fingerprint of the request that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    pub order: OrderId,
    pub refund: Option<RefundId>,
    pub send_back: Option<ReturnId>,
    pub fingerprint: Vec<u8>,
}

/// A key counts for as long as it is young by either clock: one that was set wrong meanwhile makes no second order. One
/// from the future of both was made by a clock that was put right before the program began anew.
pub fn made_by_key(conn: &Connection, buyer: BuyerId, key: &str, at: Moments, life: i64) -> Result<Option<Made>> {
    conn.prepare_cached(
        "select order_id, refund_id, return_id, fingerprint from idempotency_keys
          where buyer_id = ?1 and key = ?2
            and (?3 - created_at between 0 and ?5 - 1 or ?4 - steady_at between 0 and ?5 - 1
                 or (created_at > ?3 and steady_at > ?4))",
    )?
    .query_row(params![buyer, key, at.now, at.steady, life], |row| {
        Ok(Made { order: row.get(0)?, refund: row.get(1)?, send_back: row.get(2)?, fingerprint: row.get(3)? })
    })
    .optional()
}

pub fn keep_key(tx: &Tx, buyer: BuyerId, key: &str, made: &Made, at: Moments) -> Result<()> {
    tx.prepare_cached(
        "insert or replace into idempotency_keys
           (buyer_id, key, fingerprint, order_id, refund_id, return_id, created_at, steady_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![buyer, key, made.fingerprint, made.order, made.refund, made.send_back, at.now, at.steady])?;
    Ok(())
}

/// Keys from before this moment, at most so many. All rows are looked at, so the writer has no part in it.
pub fn keys_before(conn: &Connection, before: i64, limit: i64) -> Result<Vec<(BuyerId, String)>> {
    conn.prepare_cached("select buyer_id, key from idempotency_keys where created_at < ?1 limit ?2")?
        .query_map([before, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Forgets these keys, but for those that were used anew since `before`.
pub fn forget_keys(tx: &Tx, keys: &[(BuyerId, String)], before: i64) -> Result<()> {
    let mut key =
        tx.prepare_cached("delete from idempotency_keys where buyer_id = ?1 and key = ?2 and created_at < ?3")?;
    keys.iter().try_for_each(|(buyer, name)| key.execute(params![buyer, name, before]).map(drop))
}

/// Of the orders placed since that day: how many there are, how many went on to pay, and how many were paid.
pub fn funnel(conn: &Connection, since: Day) -> Result<[i64; 3]> {
    conn.prepare_cached(
        "select coalesce(sum(placed), 0), coalesce(sum(asked), 0), coalesce(sum(paid), 0)
           from order_days where day >= ?1",
    )?
    .query_row([since], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
}

/// The paid orders that went to one province, as its addresses say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromProvince {
    pub province: String,
    pub orders: i64,
    pub paid_fen: i64,
}

/// Where the orders went that were paid since then, up to `most` of them, the newest; most orders first.
pub fn by_province(conn: &Connection, since: i64, most: i64) -> Result<Vec<FromProvince>> {
    let mut rows = conn.prepare_cached(
        "select address ->> 'province' as province, count(*) as n, sum(paid_fen) as fen
           from (select address, paid_fen from orders where paid_at >= ?1 order by paid_at desc limit ?2)
          where address is not null and address ->> 'province' <> ''
          group by 1 order by n desc, 1",
    )?;
    rows.query_map([since, most], |row| {
        Ok(FromProvince { province: row.get("province")?, orders: row.get("n")?, paid_fen: row.get("fen")? })
    })?
    .collect()
}

/// The order that was paid first of those that wait to be shipped.
pub fn longest_waiting(conn: &Connection) -> Result<Option<OrderNo>> {
    conn.prepare_cached("select order_no from orders where status = 'to_ship' order by id limit 1")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// How many of those that wait to be shipped have begun to since then.
pub fn count_waiting_since(conn: &Connection, since: i64) -> Result<i64> {
    conn.prepare_cached("select count(*) from orders where status = 'to_ship' and coalesce(paid_at, created_at) > ?1")?
        .query_row([since], |row| row.get(0))
}

/// When the order that has waited longest to be shipped was paid.
pub fn waiting_since(conn: &Connection) -> Result<Option<i64>> {
    conn.prepare_cached("select min(coalesce(paid_at, created_at)) from orders where status = 'to_ship'")?
        .query_row([], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;

    #[tokio::test]
    async fn what_a_buyer_has_not_paid_is_counted_without_looking_at_what_he_ever_ordered() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path()).unwrap();
        let plan = ["SEARCH orders USING COVERING INDEX orders_unpaid (buyer_id=?)"];
        assert_eq!(db.plan(UNPAID_OF_BUYER).await, plan);
    }
}
