//! SQL of customers: the kept sums, the lists along their indexes, and what is taken out when somebody asks for it.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{After, Customer, Filter, Sort};
use crate::buyers::addresses::Address;
use crate::db::{Kept, Named, Tx};
use crate::ids::{BuyerId, ImageHash, OrderId, ProductId};
use crate::message_log::store::Said;
use crate::orders::search::{Filter as OrderFilter, Words, store as search};
use crate::orders::store as orders;
use crate::wechat::refund::told_why;

/// What stands where an openid stood.
const ERASED: &str = "erased";

/// A search looks at so many orders, notes, names and tags at the most, the newest first.
const FOUND: i64 = 300;
/// From so many on, the list is walked in its own order and each row asked for its tag; fewer are put in order themselves.
const MANY: i64 = 5_000;

/// Everything that a page shows of a customer, and something `more`. `who` names the rows and leads.
fn select(more: &str, who: &str, end: &str) -> String {
    format!(
        "select {more}b.id, b.nickname, b.openid, b.note, b.blocked_at, b.erased_at, b.created_at as since,
                c.orders, c.spent_fen, o.order_no, o.created_at as last_at, o.address,
                (select json_group_array(tag) from buyer_tags t where t.buyer_id = b.id) as tags
           from {who} {end}"
    )
}

const BOUGHT: &str =
    "customers c cross join buyers b on b.id = c.buyer_id cross join orders o on o.id = c.last_order_id";

fn read(row: &Row<'_>) -> Result<Customer> {
    let row = Named::of(row);
    let address: Option<String> = row.get("address")?;
    let openid: String = row.get("openid")?;
    let last: Option<_> = row.get("order_no")?;
    Ok(Customer {
        id: row.get("id")?,
        nickname: row.get("nickname")?,
        openid: openid.chars().skip(openid.chars().count().saturating_sub(6)).collect(),
        orders: row.get::<Option<i64>>("orders")?.unwrap_or_default(),
        spent_fen: row.get::<Option<i64>>("spent_fen")?.unwrap_or_default(),
        last: last.zip(row.get("last_at")?),
        address: address.map(|json| json_of(&json)).transpose()?,
        note: row.get("note")?,
        tags: json_of(&row.get::<String>("tags")?)?,
        blocked_at: row.get("blocked_at")?,
        erased_at: row.get("erased_at")?,
        since: row.get("since")?,
    })
}

fn json_of<T: serde::de::DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into()))
}

fn key(sort: Sort) -> &'static str {
    match sort {
        Sort::Last => "c.last_order_id",
        Sort::Spent => "c.spent_fen",
        Sort::Orders => "c.orders",
    }
}

/// A page of the list with the key of each row; after `after`, when the page is not the first.
pub fn list(
    conn: &Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<(After, Customer)>> {
    let After { key: from, buyer } = after.unwrap_or(After { key: i64::MAX, buyer: i64::MAX });
    let chosen = chosen(conn, filter)?;
    let mut rows = conn.prepare_cached(&statement(sort, chosen.as_ref()))?;
    match chosen {
        None => rows.query_map(params![limit, from, buyer], with_key)?.collect(),
        Some(Chosen::Tagged(tag)) => rows.query_map(params![limit, from, buyer, tag], with_key)?.collect(),
        Some(Chosen::These(ids)) => {
            let ids = serde_json::to_string(&ids).unwrap_or_default();
            rows.query_map(params![limit, from, buyer, ids], with_key)?.collect()
        }
    }
}

fn statement(sort: Sort, chosen: Option<&Chosen>) -> String {
    let key = key(sort);
    let (first, narrowed) = match chosen {
        None => ("", "true"),
        Some(Chosen::These(_)) => {
            ("(select distinct value + 0 as id from json_each(?4)) f cross join ", "c.buyer_id = f.id")
        }
        // Many have it: the next page of them is near wherever the list is entered.
        Some(Chosen::Tagged(_)) => {
            ("", "exists (select 1 from buyer_tags t where t.tag = ?4 and t.buyer_id = c.buyer_id)")
        }
    };
    let end = format!(
        "where ({key}, c.buyer_id) < (?2, ?3) and c.orders > 0 and {narrowed}
          order by {key} desc, c.buyer_id desc limit ?1"
    );
    select(&format!("{key} as key, "), &format!("{first}{BOUGHT}"), &end)
}

fn with_key(row: &Row<'_>) -> Result<(After, Customer)> {
    let customer = read(row)?;
    Ok((After { key: row.get("key")?, buyer: customer.id.0 }, customer))
}

/// What somebody bought: which goods, how many pieces he kept, and in how many orders.
pub struct Bought {
    pub product: ProductId,
    pub name: String,
    pub spec: String,
    pub image: Option<ImageHash>,
    pub pieces: i64,
    pub orders: i64,
}

/// So many of his last orders say what a customer likes.
const LOOKED_AT: i64 = 200;

/// What a customer buys most, as it was called when he bought it last; of those alike what he bought last.
pub fn favourites(conn: &Connection, id: BuyerId, most: i64) -> Result<Vec<Bought>> {
    let mut rows = conn.prepare_cached(
        "select l.product_id, l.name, l.spec_text, l.image_hash, sum(l.quantity - l.refunded_quantity) as pieces,
                count(*) filter (where l.quantity > l.refunded_quantity) as orders, max(l.id) as last
           from (select id from orders where buyer_id = ?1 and paid_at is not null order by id desc limit ?2) o
           join order_lines l on l.order_id = o.id
          group by l.sku_id having pieces > 0
          order by orders desc, pieces desc, last desc limit ?3",
    )?;
    let bought = rows.query_map(params![id, LOOKED_AT, most], |row| {
        Ok(Bought {
            product: row.get("product_id")?,
            name: row.get("name")?,
            spec: row.get("spec_text")?,
            image: row.get("image_hash")?,
            pieces: row.get("pieces")?,
            orders: row.get("orders")?,
        })
    })?;
    bought.collect()
}

/// What a filter leaves of all customers.
enum Chosen {
    These(Vec<BuyerId>),
    Tagged(String),
}

fn chosen(conn: &Connection, filter: &Filter) -> Result<Option<Chosen>> {
    let mut sets: Vec<Vec<BuyerId>> = Vec::new();
    if let Some(typed) = &filter.search {
        sets.push(found(conn, typed)?);
    }
    if filter.blocked {
        sets.push(ids(conn, "select id from buyers where blocked_at is not null order by id desc limit ?1", None)?);
    }
    if let Some(tag) = &filter.tag {
        let mut rows = conn.prepare_cached("select buyer_id from buyer_tags where tag = ?1 limit ?2")?;
        let tagged: Vec<BuyerId> = rows.query_map(params![tag, MANY + 1], |row| row.get(0))?.collect::<Result<_>>()?;
        if sets.is_empty() && tagged.len() as i64 > MANY {
            return Ok(Some(Chosen::Tagged(tag.clone())));
        }
        sets.push(tagged);
    }
    let in_both = |a: Vec<BuyerId>, b: Vec<BuyerId>| a.into_iter().filter(|id| b.contains(id)).collect();
    Ok(sets.into_iter().reduce(in_both).map(Chosen::These))
}

/// The buyers that somebody may mean who typed this.
fn found(conn: &Connection, typed: &str) -> Result<Vec<BuyerId>> {
    let filter = OrderFilter { search: Some(typed.to_owned()), ..OrderFilter::default() };
    let mut found: Vec<BuyerId> =
        search::list(conn, &filter, None, FOUND)?.into_iter().map(|order| order.buyer_id).collect();
    for sql in [
        "select buyer_id from buyer_tags where tag = ?2 limit ?1",
        "select id from buyers where note <> '' and instr(note, ?2) > 0 order by id desc limit ?1",
        "select id from buyers where nickname <> '' and nickname >= ?2 and nickname < ?2 || char(1114111) limit ?1",
    ] {
        found.extend(ids(conn, sql, Some(typed))?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Up to so many, `?1`, of what is asked for by `?2`, if it is asked for by something.
fn ids(conn: &Connection, sql: &str, typed: Option<&str>) -> Result<Vec<BuyerId>> {
    let mut rows = conn.prepare_cached(sql)?;
    match typed {
        Some(typed) => rows.query_map(params![FOUND, typed], |row| row.get(0))?.collect(),
        None => rows.query_map([FOUND], |row| row.get(0))?.collect(),
    }
}

/// One buyer, whether or not he ever paid.
pub fn one(conn: &Connection, id: BuyerId) -> Result<Option<Customer>> {
    let who = "buyers b left join customers c on c.buyer_id = b.id
           left join orders o on o.id = coalesce(c.last_order_id, (select max(id) from orders where buyer_id = b.id))";
    conn.prepare_cached(&select("", who, "where b.id = ?1"))?.query_row([id], read).optional()
}

/// A buyer's paid orders, and what is left of their money in fen: as they are kept.
pub fn totals(conn: &Connection, id: BuyerId) -> Result<(i64, i64)> {
    let found = conn
        .prepare_cached("select orders, spent_fen from customers where buyer_id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The tags that are in use, with how many have each, counted up to a limit: the most used first.
pub fn tags(conn: &Connection) -> Result<Vec<(String, i64)>> {
    // One look per tag, however many buyers have it.
    let mut rows = conn.prepare_cached(
        "with recursive used (tag) as (
           select min(tag) from buyer_tags
           union all
           select (select min(tag) from buyer_tags where tag > used.tag) from used where used.tag is not null
         )
         select tag, (select count(*) from (select 1 from buyer_tags t where t.tag = used.tag limit 1000)) as n
           from used where tag is not null order by n desc, tag limit 50",
    )?;
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

// ── what staff write ──

pub fn set_note(tx: &Tx, id: BuyerId, note: &str) -> Result<()> {
    tx.prepare_cached("update buyers set note = ?2 where id = ?1")?.execute(params![id, note])?;
    Ok(())
}

pub fn set_tags(tx: &Tx, id: BuyerId, tags: &[String]) -> Result<()> {
    tx.prepare_cached("delete from buyer_tags where buyer_id = ?1")?.execute([id])?;
    let mut insert = tx.prepare_cached("insert into buyer_tags (tag, buyer_id) values (?1, ?2)")?;
    tags.iter().try_for_each(|tag| insert.execute(params![tag, id]).map(drop))
}

/// Since when somebody may not order; `None` when he may.
pub fn set_blocked(tx: &Tx, id: BuyerId, since: Option<i64>) -> Result<()> {
    tx.prepare_cached("update buyers set blocked_at = ?2 where id = ?1")?.execute(params![id, since])?;
    Ok(())
}

// ── taking personal data out ──

/// What of a buyer is not over: unpaid and undelivered orders, refunds and returns under way, and money that waits for a
/// decision.
pub fn unfinished(conn: &Connection, id: BuyerId) -> Result<[i64; 4]> {
    conn.prepare_cached(
        "select coalesce(sum(status in ('pending_payment', 'to_ship', 'shipped')), 0),
                coalesce(sum(exists (select 1 from refunds r where r.order_id = o.id and r.ended_at is null)), 0),
                coalesce(sum(exists (select 1 from returns r where r.order_id = o.id and r.ended_at is null)), 0),
                coalesce(sum(exists (select 1 from money_exceptions e where e.order_id = o.id and e.state = 'open')), 0)
           from orders o where buyer_id = ?1",
    )?
    .query_row([id], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
}

/// What WeChat was told of a buyer: who he is, and why he wanted his money back.
pub fn told_wechat(conn: &Connection, id: BuyerId, openid: &str) -> Result<Vec<Said>> {
    let mut said = vec![(openid.to_owned(), ERASED.to_owned())];
    let mut rows = conn.prepare_cached(
        "select distinct r.params ->> '$.refund_desc' from refunds r join orders o on o.id = r.order_id
          where o.buyer_id = ?1 and r.params is not null",
    )?;
    for desc in rows.query_map([id], |row| row.get::<_, Option<String>>(0))? {
        said.extend(desc?.filter(|desc| !desc.is_empty()).iter().flat_map(|desc| told_why(desc)));
    }
    Ok(said)
}

/// Takes name, phone, address, openid and words out of everything that is a buyer's. Numbers, money and goods stay.
pub fn forget(tx: &Tx, id: BuyerId, openid: &str) -> Result<()> {
    tx.outdate(Kept::Logins);
    for sql in [
        "delete from addresses where buyer_id = ?1",
        "delete from buyer_sessions where buyer_id = ?1",
        "delete from idempotency_keys where buyer_id = ?1",
        "delete from buyer_tags where buyer_id = ?1",
        "delete from cart_lines where buyer_id = ?1",
        "delete from favourites where buyer_id = ?1",
        "delete from invoices where state = 'asked' and order_id in (select id from orders where buyer_id = ?1)",
        "update invoices set email = '', title = iif(kind = 'personal', '', title)
          where order_id in (select id from orders where buyer_id = ?1)",
        "update ledger set payer = null
          where payer is not null and order_id is not null and order_id in (select id from orders where buyer_id = ?1)",
        "update drafts set address = null, remark = '' where order_id in (select id from orders where buyer_id = ?1)",
        // What was written down for him and never opened is known by his number.
        "update drafts set address = null, remark = ''
          where order_id is null and address ->> '$.phone' in (select address ->> '$.phone' from orders where buyer_id = ?1)",
        "update pickups set phone = '' where order_id in (select id from orders where buyer_id = ?1)",
        "update refunds set reason = '已删除', description = '', answer = '', params = json_set(params, '$.refund_desc', '')
          where order_id in (select id from orders where buyer_id = ?1)",
        "update money_exceptions set resolution = '已删除'
          where resolution is not null and resolution not like '已退款 %'
            and order_id in (select id from orders where buyer_id = ?1)",
        "update outbox set what = '已删除'
          where channel <> 'buyers'
            and (order_id in (select id from orders where buyer_id = ?1)
                 or order_id is null and exists (select 1 from orders o where o.buyer_id = ?1 and instr(what, o.order_no) > 0))",
        "delete from photos where buyer_id = ?1",
        "update return_steps set note = ''
          where return_id in (select r.id from returns r join orders o on o.id = r.order_id where o.buyer_id = ?1)",
        "update returns set reason = '', description = '', answer = '', company = '', company_name = '', tracking_no = ''
          where order_id in (select id from orders where buyer_id = ?1)",
        "update resends set reason = '', company = '', company_name = '', tracking_no = ''
          where order_id in (select id from orders where buyer_id = ?1)",
    ] {
        tx.prepare_cached(sql)?.execute([id])?;
    }
    tx.prepare_cached(
        "update attempts
            set openid = '', dictionary = null,
                params = replace(iif(dictionary is null, params,
                                     cast(inflated(params, (select bytes from dictionaries d where d.id = dictionary)) as text)),
                                 ?2, ?3)
          where order_id in (select id from orders where buyer_id = ?1)",
    )?
    .execute(params![id, openid, ERASED])?;
    // The bill names who paid, row by row; so does what differed once.
    for sql in [
        "update bill_rows set raw = replace(raw, ?2, ?3)
          where transaction_id in (select l.wechat_id from ledger l join orders o on o.id = l.order_id where o.buyer_id = ?1)",
        "update money_exceptions set theirs = replace(theirs, ?2, ?3), what = replace(what, ?2, ?3)
          where order_id in (select id from orders where buyer_id = ?1)",
    ] {
        tx.prepare_cached(sql)?.execute(params![id, openid, ERASED])?;
    }
    for order in orders_of(tx, id)? {
        let lines = orders::lines(tx, order)?;
        search::put_words(tx, order, &Words::new(None, lines.iter().map(|line| line.name.as_str())))?;
    }
    tx.prepare_cached("update orders set address = null, remark = '', memo = '' where buyer_id = ?1")?.execute([id])?;
    // The openid is unique: whoever comes back with it is somebody new.
    tx.prepare_cached(
        "update buyers set openid = 'erased-' || id, nickname = '', avatar_url = '', note = '', erased_at = ?2 where id = ?1",
    )?
    .execute(params![id, tx.now()])?;
    for order in orders_of(tx, id)? {
        orders::forget_words(tx, order)?;
    }
    tx.prepare_cached(
        "update stock_moves set note = '补发：已删除'
          where note like '补发：%'
            and line_id in (select l.id from order_lines l join orders o on o.id = l.order_id where o.buyer_id = ?1)",
    )?
    .execute([id])?;
    Ok(())
}

fn orders_of(conn: &Connection, id: BuyerId) -> Result<Vec<OrderId>> {
    conn.prepare_cached("select id from orders where buyer_id = ?1")?.query_map([id], |row| row.get(0))?.collect()
}

/// Addresses that somebody kept or ordered to, the newest first, each once.
pub fn addresses(conn: &Connection, id: BuyerId, limit: i64) -> Result<Vec<Address>> {
    let mut rows = conn.prepare_cached(
        "select address from orders where buyer_id = ?1 and address is not null order by id desc limit ?2",
    )?;
    let rows = rows.query_map(params![id, limit], |row| row.get::<_, String>(0))?;
    let mut all: Vec<Address> = Vec::new();
    for json in rows {
        let address: Address = json_of(&json?)?;
        if !all.contains(&address) {
            all.push(address);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page costs the same however many customers there are: it walks an index, and puts nothing in order itself.
    #[tokio::test]
    async fn each_order_of_the_list_has_its_index() {
        let dir = tempfile::tempdir().unwrap();
        let db = crate::db::Db::open(dir.path()).unwrap();
        for (sort, index) in
            [(Sort::Last, "customers_last"), (Sort::Spent, "customers_spent"), (Sort::Orders, "customers_orders")]
        {
            for chosen in [None, Some(Chosen::Tagged("老客户".into()))] {
                let steps = db.plan(&statement(sort, chosen.as_ref())).await;
                assert!(steps[0].contains(index), "{sort:?}: {steps:?}");
                assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{sort:?}: {steps:?}");
            }
        }
    }
}
