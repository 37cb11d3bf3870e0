//! SQL of finding orders.

use rusqlite::{Connection, OptionalExtension, Result, ToSql, params, params_from_iter};

use super::{Filter, TAIL, Typed, Words, phone, phrases, region};
use crate::db::Tx;
use crate::ids::{OrderId, OrderNo};
use crate::orders::Order;
use crate::orders::store::read_order;

/// What a search turned out to be about.
enum Meant {
    /// The orders that carry this very number.
    Ids(Vec<OrderId>),
    /// The beginning of an order number.
    Beginning(String),
    /// The end of one, of five characters or more.
    End(String),
    /// A phrase for the index of words.
    Words(String),
}

/// Numbers go before words: whoever types a whole number means it.
fn meant(conn: &Connection, typed: &str) -> Result<Meant> {
    let number = match Typed::read(typed) {
        Typed::Phone(digits) => return Ok(Meant::Words(phone(&digits))),
        Typed::Words(words) => return Ok(Meant::Words(phrases("receiver place goods", &words))),
        Typed::Number(number) => number,
    };
    let ids = numbered(conn, &number)?;
    if !ids.is_empty() {
        return Ok(Meant::Ids(ids));
    }
    if begins(conn, &number)? {
        return Ok(Meant::Beginning(number));
    }
    if number.len() >= TAIL && ends(conn, &number)? {
        return Ok(Meant::End(number));
    }
    Ok(Meant::Words(phrases("receiver place goods", typed)))
}

// Every kind is named: the index begins with it.
const NUMBERED: &str =
    "select order_id from ledger
      where kind in ('payment', 'refund', 'fee', 'offline', 'link', 'unlink') and wechat_id = ?1 and order_id is not null
     union select order_id from attempts where out_trade_no = ?1
     union select order_id from refunds where out_refund_no = ?1 and order_id is not null
     union select order_id from shipments where tracking_no = ?1 and tracking_no <> '' limit 100";

/// The orders that carry this very number: WeChat's, one that WeChat was given, or a parcel's.
pub fn numbered(conn: &Connection, number: &str) -> Result<Vec<OrderId>> {
    conn.prepare_cached(NUMBERED)?.query_map([number], |row| row.get(0))?.collect()
}

fn begins(conn: &Connection, number: &str) -> Result<bool> {
    let found = conn
        .prepare_cached("select 1 from orders where order_no >= ?1 and order_no < ?1 || '~' limit 1")?
        .query_row([number], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

const ENDS: &str = "(substr(o.order_no, -5) = substr(?, -5) and o.order_no like '%' || ?)";

fn ends(conn: &Connection, number: &str) -> Result<bool> {
    let sql = format!("select 1 from orders o where {} limit 1", ENDS.replace('?', "?1"));
    Ok(conn.prepare_cached(&sql)?.query_row([number], |_| Ok(())).optional()?.is_some())
}

/// A filter as SQL: where the rows come from, what they must fulfil, and its values.
struct Query {
    from: &'static str,
    /// The index of words leads, and the rows come in its order.
    words_lead: bool,
    where_: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Query {
    fn narrow(&mut self, sql: &str, value: impl ToSql + 'static) {
        self.values.push(Box::new(value));
        self.where_.push(sql.replace('?', &format!("?{}", self.values.len())));
    }

    fn sql(&self, what: &str, end: &str) -> String {
        let narrowed = if self.where_.is_empty() { "true".into() } else { self.where_.join(" and ") };
        format!("select {what} from {} where {narrowed} {end}", self.from)
    }

    fn of(conn: &Connection, filter: &Filter) -> Result<Query> {
        let mut query = Query { from: "orders o", words_lead: false, where_: Vec::new(), values: Vec::new() };
        let mut words = Vec::new();
        if let Some(status) = filter.status {
            query.narrow("o.status = ?", status);
        }
        match filter.search.as_deref().map(str::trim).filter(|typed| !typed.is_empty()) {
            None => {}
            Some(typed) => match meant(conn, typed)? {
                Meant::Ids(ids) => {
                    let list = serde_json::to_string(&ids).unwrap_or_default();
                    query.narrow("o.id in (select value + 0 from json_each(?))", list);
                }
                Meant::Beginning(number) => query.narrow("(o.order_no >= ? and o.order_no < ? || '~')", number),
                Meant::End(number) => query.narrow(ENDS, number),
                Meant::Words(phrase) => words.push(phrase),
            },
        }
        words.extend(filter.product.as_deref().map(|typed| phrases("goods", typed)));
        words.extend(filter.region.as_deref().map(region));
        words.retain(|phrase| !phrase.is_empty());
        if !words.is_empty() {
            // Few orders are looked up in the index one by one; else the index leads, from its newest end.
            query.words_lead = !filter.is_of_few();
            query.from = if query.words_lead {
                "order_words w cross join orders o on o.id = w.rowid"
            } else {
                "orders o cross join order_words w on w.rowid = o.id"
            };
            query.narrow("w.order_words match ?", words.join(" AND "));
        }
        if let Some(from) = filter.placed.0 {
            query.narrow("o.created_at >= ?", from);
        }
        if let Some(to) = filter.placed.1 {
            query.narrow("o.created_at < ?", to);
        }
        if let Some(before) = filter.paid_before {
            query.narrow("o.status = 'to_ship' and o.paid_at < ?", before);
        }
        if let Some(flag) = filter.flag {
            query.narrow("o.flag <> '' and o.flag = ?", flag);
        }
        if let Some(delivery) = filter.delivery {
            query.narrow("o.delivery = ?", delivery);
        }
        if !filter.ids.is_empty() {
            let list = serde_json::to_string(&filter.ids).unwrap_or_default();
            query.narrow("o.order_no in (select value from json_each(?))", list);
        }
        for (wanted, sql) in [
            (
                filter.part_shipped,
                "o.status = 'to_ship'
                   and exists (select 1 from shipments s where s.order_id = o.id and s.state = 'shipped')",
            ),
            (filter.refunding, "o.id in (select order_id from refunds where ended_at is null)"),
            (filter.with_exception, "o.id in (select order_id from money_exceptions where state = 'open')"),
            (filter.remarked, "o.remark <> ''"),
            (filter.unprinted, "o.prints = 0 and o.status = 'to_ship'"),
        ] {
            if wanted {
                query.where_.push(sql.to_owned());
            }
        }
        Ok(query)
    }
}

/// Newest first, from before this row on.
pub fn list(conn: &Connection, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Order>> {
    let mut query = Query::of(conn, filter)?;
    // Orders of a span of time are read along the index of time; by their ids, all of the past would be looked through.
    let (order, from) = match (query.words_lead, filter.placed) {
        (true, _) => ("w.rowid", "w.rowid < ?"),
        (false, (None, None)) => ("o.id", "o.id < ?"),
        (false, _) => {
            ("o.created_at desc, o.id", "(o.created_at, o.id) < (select created_at, id from orders where id = ?)")
        }
    };
    if let Some(before) = before {
        query.narrow(from, before);
    }
    query.values.push(Box::new(limit));
    let sql = query.sql("o.*", &format!("order by {order} desc limit ?{}", query.values.len()));
    conn.prepare_cached(&sql)?.query_map(params_from_iter(query.values), read_order)?.collect()
}

/// The orders of a list by number, newest first, up to `most`.
pub fn numbers(conn: &Connection, filter: &Filter, most: i64) -> Result<Vec<(OrderId, OrderNo)>> {
    let mut query = Query::of(conn, filter)?;
    query.values.push(Box::new(most));
    let sql = query.sql("o.id, o.order_no", &format!("order by o.id desc limit ?{}", query.values.len()));
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    conn.prepare_cached(&sql)?.query_map(params_from_iter(query.values), read)?.collect()
}

/// How many there are, counted up to `most`.
pub fn count(conn: &Connection, filter: &Filter, most: i64) -> Result<i64> {
    let mut query = Query::of(conn, filter)?;
    if query.words_lead && query.where_.len() == 1 {
        // Every row of words is an order's, and nothing is asked of the order itself.
        query.from = "order_words w";
    }
    query.values.push(Box::new(most));
    let sql = format!("select count(*) from ({})", query.sql("1", &format!("limit ?{}", query.values.len())));
    conn.prepare_cached(&sql)?.query_row(params_from_iter(query.values), |row| row.get(0))
}

/// The words that an order is found by, new or in the place of its old ones.
pub fn put_words(tx: &Tx, id: OrderId, words: &Words) -> Result<()> {
    tx.prepare_cached(
        "insert or replace into order_words (rowid, receiver, phone, place, goods) values (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![id, words.receiver, words.phone, words.place, words.goods])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::error::Error;

    /// How the database goes about a question.
    async fn plan(db: &Db, question: String) -> Vec<String> {
        let read = move |conn: &Connection| {
            let mut asked = conn.prepare(&format!("explain query plan {question}"))?;
            let steps = asked.raw_query().mapped(|row| row.get("detail"));
            Ok::<_, Error>(steps.collect::<Result<Vec<String>>>()?)
        };
        db.read(read).await.unwrap()
    }

    fn narrowed(sql: &str) -> String {
        let mut query = Query { from: "orders o", words_lead: false, where_: Vec::new(), values: Vec::new() };
        query.narrow(sql, "");
        query.sql("o.*", "order by o.id desc limit 50")
    }

    #[tokio::test]
    async fn no_number_is_looked_for_in_every_order() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path()).unwrap();
        let words = "select o.* from order_words w cross join orders o on o.id = w.rowid
                      where w.order_words match '{phone} : (\"2222\")' order by w.rowid desc limit 50";
        for (question, index) in [
            (NUMBERED.to_owned(), "shipments"),
            (narrowed(ENDS), "orders_tail"),
            (narrowed("(o.order_no >= ? and o.order_no < ? || '~')"), "order_no"),
            (words.to_owned(), "w VIRTUAL TABLE INDEX"),
        ] {
            let steps = plan(&db, question.clone()).await;
            let whole = |step: &&String| step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE INDEX");
            assert_eq!(steps.iter().find(whole), None, "{question}");
            assert!(steps.iter().any(|step| step.contains(index)), "{question}: {steps:?}");
        }
    }
}
