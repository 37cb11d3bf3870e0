//! SQL of promotions, their coupons, and what they took off orders.

use std::collections::BTreeSet;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Coupon, CouponRef, Discount, Given, Promotion, Scope, Terms, Tier};
use crate::db::{Named, Tx};
use crate::ids::{BuyerId, CategoryId, CouponId, OrderId, OrderNo, ProductId, PromotionId};
use crate::money::Fen;

/// Of a buyer's coupons so many are looked at for one order, the ones that end first.
const MOST_HELD: i64 = 50;

// ── promotions ──

fn read(conn: &Connection, row: &Row<'_>) -> Result<Promotion> {
    let row = Named::of(row);
    let broken = |e: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into());
    let (id, scope): (PromotionId, Scope) = (row.get("id")?, row.get("scope")?);
    let tiers: Vec<(i64, i64)> = serde_json::from_str(&row.get::<String>("tiers")?).map_err(broken)?;
    let tier = |(from, off): &(i64, i64)| Some(Tier { from: Fen::new(*from)?, off: Fen::new(*off)? });
    let terms = Terms {
        kind: row.get("kind")?,
        given: row.get("given")?,
        name: row.get("name")?,
        tiers: tiers.iter().filter_map(tier).collect(),
        percent: row.get("percent")?,
        cap: row.get("cap_fen")?,
        scope,
        subjects: if scope == Scope::All { Vec::new() } else { subjects(conn, id)? },
        starts_at: row.get("starts_at")?,
        ends_at: row.get("ends_at")?,
        days: row.get("days")?,
        code: row.get("code")?,
        listed: row.get("listed")?,
        total: row.get("total")?,
        per_buyer: row.get("per_buyer")?,
    };
    let (issued, stopped_at, voided) = (row.get("issued")?, row.get("stopped_at")?, row.get("voided")?);
    Ok(Promotion { id, terms, issued, stopped_at, voided })
}

fn subjects(conn: &Connection, id: PromotionId) -> Result<Vec<i64>> {
    conn.prepare_cached("select subject from promotion_scope where promotion_id = ?1 order by subject")?
        .query_map([id], |row| row.get(0))?
        .collect()
}

pub fn by_id(conn: &Connection, id: PromotionId) -> Result<Option<Promotion>> {
    conn.prepare_cached("select * from promotions where id = ?1")?.query_row([id], |row| read(conn, row)).optional()
}

pub fn by_code(conn: &Connection, code: &str) -> Result<Option<Promotion>> {
    conn.prepare_cached("select * from promotions where code = ?1")?.query_row([code], |row| read(conn, row)).optional()
}

/// What is given in this way at this moment, the oldest first.
pub fn running(conn: &Connection, given: Given, now: i64) -> Result<Vec<Promotion>> {
    let mut rows = conn.prepare_cached(
        "select * from promotions
          where given = ?1 and stopped_at is null and starts_at <= ?2 and (ends_at is null or ends_at > ?2) order by id",
    )?;
    rows.query_map(params![given, now], |row| read(conn, row))?.collect()
}

/// All there are, the newest first.
pub fn all(conn: &Connection) -> Result<Vec<Promotion>> {
    let mut rows = conn.prepare_cached("select * from promotions order by id desc")?;
    rows.query_map([], |row| read(conn, row))?.collect()
}

pub fn insert(tx: &Tx, terms: &Terms) -> Result<PromotionId> {
    tx.prepare_cached(
        "insert into promotions (kind, given, name, tiers, percent, cap_fen, scope, starts_at, ends_at, days, code, listed,
                                 total, per_buyer, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        terms.kind,
        terms.given,
        terms.name,
        written(&terms.tiers),
        terms.percent,
        terms.cap,
        terms.scope,
        terms.starts_at,
        terms.ends_at,
        terms.days,
        terms.code,
        terms.listed,
        terms.total,
        terms.per_buyer,
        tx.now()
    ])?;
    let id = PromotionId(tx.last_insert_rowid());
    set_subjects(tx, id, terms)?;
    Ok(id)
}

fn written(tiers: &[Tier]) -> String {
    let pairs: Vec<_> = tiers.iter().map(|tier| (tier.from.get(), tier.off.get())).collect();
    serde_json::json!(pairs).to_string()
}

pub fn update(tx: &Tx, id: PromotionId, terms: &Terms) -> Result<()> {
    tx.prepare_cached(
        "update promotions set name = ?2, tiers = ?3, percent = ?4, cap_fen = ?5, scope = ?6, starts_at = ?7, ends_at = ?8,
                days = ?9, code = ?10, listed = ?11, total = ?12, per_buyer = ?13
          where id = ?1",
    )?
    .execute(params![
        id,
        terms.name,
        written(&terms.tiers),
        terms.percent,
        terms.cap,
        terms.scope,
        terms.starts_at,
        terms.ends_at,
        terms.days,
        terms.code,
        terms.listed,
        terms.total,
        terms.per_buyer
    ])?;
    set_subjects(tx, id, terms)
}

fn set_subjects(tx: &Tx, id: PromotionId, terms: &Terms) -> Result<()> {
    tx.prepare_cached("delete from promotion_scope where promotion_id = ?1")?.execute([id])?;
    let mut insert =
        tx.prepare_cached("insert or ignore into promotion_scope (promotion_id, subject) values (?1, ?2)")?;
    terms.subjects.iter().try_for_each(|subject| insert.execute(params![id, subject]).map(drop))
}

/// False when it had been stopped before.
pub fn stop(tx: &Tx, id: PromotionId, void: bool) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update promotions set stopped_at = coalesce(stopped_at, ?3), voided = max(voided, ?2)
              where id = ?1 and (stopped_at is null or voided < ?2)",
        )?
        .execute(params![id, void, tx.now()])?;
    Ok(changed == 1)
}

/// Runs again; coupons that were voided stay so.
pub fn resume(tx: &Tx, id: PromotionId) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update promotions set stopped_at = null where id = ?1 and stopped_at is not null and voided = 0",
        )?
        .execute([id])?;
    Ok(changed == 1)
}

/// The category of a product, and the one above it.
pub fn categories_of(conn: &Connection, product: ProductId) -> Result<Vec<CategoryId>> {
    let found: Option<(Option<CategoryId>, Option<CategoryId>)> = conn
        .prepare_cached(
            "select p.category_id, c.parent_id from products p left join categories c on c.id = p.category_id where p.id = ?1",
        )?
        .query_row([product], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map_or(Vec::new(), |(own, above)| own.into_iter().chain(above).collect()))
}

/// The goods that it counts, by what there is today; `None` for all of them.
pub fn goods_of(conn: &Connection, terms: &Terms) -> Result<Option<BTreeSet<i64>>> {
    match terms.scope {
        Scope::All => Ok(None),
        Scope::Products => Ok(Some(terms.subjects.iter().copied().collect())),
        Scope::Categories => {
            let mut rows = conn.prepare_cached(
                "select p.id from products p join categories c on c.id = p.category_id
                  where p.deleted_at is null
                    and (c.id in (select value from json_each(?1)) or c.parent_id in (select value from json_each(?1)))",
            )?;
            rows.query_map([ids(&terms.subjects)], |row| row.get(0))?.collect::<Result<_>>().map(Some)
        }
    }
}

/// Those of these products that lie in the recycle bin: they may come back.
pub fn in_the_bin(conn: &Connection, products: &[i64]) -> Result<Vec<i64>> {
    let mut rows = conn.prepare_cached(
        "select id from products where deleted_at is not null and id in (select value from json_each(?1)) order by id",
    )?;
    rows.query_map([ids(products)], |row| row.get(0))?.collect()
}

fn ids(ids: &[i64]) -> String {
    serde_json::json!(ids).to_string()
}

// ── coupons ──

const COUPONS: &str = "select c.id as coupon_id, c.buyer_id, c.ends_at as coupon_ends_at, o.order_no,
                              o.status = 'pending_payment' as held, o.status = 'closed' as comes_back, p.*
                         from coupons c join promotions p on p.id = c.promotion_id left join orders o on o.id = c.order_id";

fn read_coupon(conn: &Connection, row: &Row<'_>) -> Result<Coupon> {
    Ok(Coupon {
        is: CouponRef::Given(row.get("coupon_id")?),
        buyer: row.get("buyer_id")?,
        ends_at: row.get("coupon_ends_at")?,
        order_no: row.get::<_, Option<OrderNo>>("order_no")?,
        held: row.get::<_, Option<bool>>("held")?.unwrap_or(false),
        returning: row.get::<_, Option<bool>>("comes_back")?.unwrap_or(false),
        promotion: read(conn, row)?,
    })
}

pub fn coupon(conn: &Connection, id: CouponId) -> Result<Option<Coupon>> {
    conn.prepare_cached(&format!("{COUPONS} where c.id = ?1"))?.query_row([id], |row| read_coupon(conn, row)).optional()
}

/// What a buyer can use at this moment; which of it helps is another question.
pub fn usable(conn: &Connection, buyer: BuyerId, now: i64) -> Result<Vec<Coupon>> {
    let mut rows = conn.prepare_cached(&format!(
        "{COUPONS} where c.buyer_id = ?1 and c.order_id is null and p.voided = 0 and p.starts_at <= ?2
                     and (c.ends_at is null or c.ends_at > ?2)
          order by c.ends_at is null, c.ends_at, c.id limit {MOST_HELD}"
    ))?;
    rows.query_map(params![buyer, now], |row| read_coupon(conn, row))?.collect()
}

/// Everything that a buyer ever had, the newest first.
pub fn of_buyer(conn: &Connection, buyer: BuyerId, limit: i64) -> Result<Vec<Coupon>> {
    let mut rows = conn.prepare_cached(&format!("{COUPONS} where c.buyer_id = ?1 order by c.id desc limit ?2"))?;
    rows.query_map(params![buyer, limit], |row| read_coupon(conn, row))?.collect()
}

/// The newest coupons of a promotion.
pub fn of_promotion(conn: &Connection, id: PromotionId, limit: i64) -> Result<Vec<Coupon>> {
    let mut rows = conn.prepare_cached(&format!("{COUPONS} where c.promotion_id = ?1 order by c.id desc limit ?2"))?;
    rows.query_map(params![id, limit], |row| read_coupon(conn, row))?.collect()
}

/// How many of a promotion a buyer had so far.
pub fn had(conn: &Connection, id: PromotionId, buyer: BuyerId) -> Result<i64> {
    conn.prepare_cached("select count(*) from coupons where promotion_id = ?1 and buyer_id = ?2")?
        .query_row(params![id, buyer], |row| row.get(0))
}

/// No order of this buyer stands.
pub fn is_new_customer(conn: &Connection, buyer: BuyerId) -> Result<bool> {
    conn.prepare_cached("select not exists (select 1 from orders where buyer_id = ?1 and status <> 'closed')")?
        .query_row([buyer], |row| row.get(0))
}

/// Counts one more; false when there are no more to be given.
pub fn count_issued(tx: &Tx, id: PromotionId) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update promotions set issued = issued + 1 where id = ?1 and (total is null or issued < total)",
        )?
        .execute([id])?;
    Ok(changed == 1)
}

pub fn insert_coupon(
    tx: &Tx,
    id: PromotionId,
    buyer: BuyerId,
    ends_at: Option<i64>,
    order: Option<OrderId>,
) -> Result<CouponId> {
    tx.prepare_cached(
        "insert into coupons (promotion_id, buyer_id, given_at, ends_at, order_id) values (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![id, buyer, tx.now(), ends_at, order])?;
    Ok(CouponId(tx.last_insert_rowid()))
}

/// False when another order has it.
pub fn take(tx: &Tx, id: CouponId, order: OrderId) -> Result<bool> {
    let changed = tx
        .prepare_cached("update coupons set order_id = ?2 where id = ?1 and order_id is null")?
        .execute(params![id, order])?;
    Ok(changed == 1)
}

/// Whatever this order has; answers with whether there was any.
pub fn release(tx: &Tx, order: OrderId) -> Result<bool> {
    let changed = tx.prepare_cached("update coupons set order_id = null where order_id = ?1")?.execute([order])?;
    Ok(changed > 0)
}

/// The coupon with which an order was placed, and the order that has it now.
pub fn placed_with(conn: &Connection, order: OrderId) -> Result<Option<(CouponId, Option<OrderId>)>> {
    conn.prepare_cached(
        "select c.id, c.order_id from order_discounts d join coupons c on c.id = d.coupon_id where d.order_id = ?1",
    )?
    .query_row([order], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

// ── what was taken off orders ──

pub fn put_discount(tx: &Tx, order: OrderId, n: usize, discount: &Discount, coupon: Option<CouponId>) -> Result<()> {
    tx.prepare_cached(
        "insert into order_discounts (order_id, n, promotion_id, coupon_id, name, words, goods_fen, freight_fen)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        order,
        n as i64,
        discount.promotion,
        coupon,
        discount.name,
        discount.words,
        discount.goods,
        discount.freight
    ])?;
    Ok(())
}

pub fn discounts(conn: &Connection, order: OrderId) -> Result<Vec<Discount>> {
    let mut rows = conn.prepare_cached(
        "select d.promotion_id, d.coupon_id, d.name, d.words, d.goods_fen, d.freight_fen, p.kind
           from order_discounts d join promotions p on p.id = d.promotion_id
          where d.order_id = ?1 order by d.n",
    )?;
    rows.query_map([order], read_discount)?.collect()
}

/// The same of some orders, whose numbers are a JSON array.
pub fn discounts_of(conn: &Connection, orders: &str) -> Result<Vec<(OrderId, Discount)>> {
    let mut rows = conn.prepare_cached(
        "select d.order_id, d.promotion_id, d.coupon_id, d.name, d.words, d.goods_fen, d.freight_fen, p.kind
           from json_each(?1) w join order_discounts d on d.order_id = w.value join promotions p on p.id = d.promotion_id
          order by d.order_id, d.n",
    )?;
    rows.query_map([orders], |row| Ok((row.get("order_id")?, read_discount(row)?)))?.collect()
}

fn read_discount(row: &Row<'_>) -> Result<Discount> {
    Ok(Discount {
        promotion: row.get("promotion_id")?,
        kind: row.get("kind")?,
        coupon: row.get::<_, Option<CouponId>>("coupon_id")?.map(CouponRef::Given),
        name: row.get("name")?,
        words: row.get("words")?,
        goods: row.get("goods_fen")?,
        freight: row.get("freight_fen")?,
    })
}

/// What a promotion has brought: orders that stand or stood paid, what it took off them, and what they came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub orders: i64,
    pub off_fen: i64,
    pub paid_fen: i64,
    /// Coupons in buyers' hands, with orders that are unpaid or give them back, and spent.
    pub free: i64,
    pub held: i64,
    pub used: i64,
}

pub fn usage(conn: &Connection, id: PromotionId) -> Result<Usage> {
    let (orders, off_fen, paid_fen) = conn
        .prepare_cached(
            "select count(*), coalesce(sum(d.goods_fen + d.freight_fen), 0), coalesce(sum(o.paid_fen - o.refunded_fen), 0)
               from order_discounts d join orders o on o.id = d.order_id
              where d.promotion_id = ?1 and o.status <> 'closed' and o.status <> 'pending_payment'",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let (free, held, used) = conn
        .prepare_cached(
            "select coalesce(sum(c.order_id is null), 0), coalesce(sum(o.status in ('pending_payment', 'closed')), 0),
                    coalesce(sum(o.status not in ('pending_payment', 'closed')), 0)
               from coupons c left join orders o on o.id = c.order_id where c.promotion_id = ?1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(Usage { orders, off_fen, paid_fen, free, held, used })
}
