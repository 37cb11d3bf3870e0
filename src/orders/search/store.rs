//! SQL of finding orders.

use rusqlite::{Connection, OptionalExtension, Result, Row, ToSql, params, params_from_iter};

use super::{Filter, Mark, SHORT_TAIL, Sort, Typed, Words, phone, phrases, region};
use crate::db::Tx;
use crate::exceptions::store::TO_DECIDE;
use crate::ids::{OrderId, OrderNo};
use crate::orders::store::read_order;
use crate::orders::{Order, OrderStatus};

/// What a search turned out to be about.
enum Meant {
    /// The orders that carry this very number.
    Ids(Vec<OrderId>),
    /// The beginning of an order number.
    Beginning(String),
    /// The end of one, of four characters or more.
    End(String),
    /// The end of a phone number, of more than four digits.
    PhoneEnd(String),
    /// A phrase for the index of words.
    Words(String),
}

/// Numbers go before words: whoever types a whole number means it.
fn meant(conn: &Connection, typed: &str) -> Result<Meant> {
    let number = match Typed::read(typed) {
        Typed::PhoneEnd(digits) => return Ok(Meant::PhoneEnd(digits)),
        // Four digits are a phone's, as long as there is one.
        Typed::Phone(digits) if digits.len() == SHORT_TAIL && !phone_ends(conn, &digits)? => {
            return match numbered_with_end(conn, &digits)? {
                _ if ends(conn, &digits)? => Ok(Meant::End(digits)),
                ids if ids.is_empty() => Ok(Meant::Words(phone(&digits))),
                ids => Ok(Meant::Ids(ids)),
            };
        }
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
    if number.len() >= SHORT_TAIL && ends(conn, &number)? {
        return Ok(Meant::End(number));
    }
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    // A line without its area, and the end of a mobile phone, when they are no number of an order.
    let may_end_a_phone = digits && matches!(number.len(), 7 | 8);
    if number.len() > SHORT_TAIL && !(may_end_a_phone && phone_ends(conn, &number)?) {
        let ids = numbered_with_end(conn, &number)?;
        if !ids.is_empty() {
            return Ok(Meant::Ids(ids));
        }
    }
    if may_end_a_phone {
        return Ok(Meant::PhoneEnd(number));
    }
    Ok(Meant::Words(phrases("receiver place goods", typed)))
}

// Every kind is named: the index begins with it.
const NUMBERED: &str =
    "select order_id from ledger
      where kind in ('payment', 'refund', 'fee', 'offline', 'link', 'unlink') and wechat_id = ?1 and order_id is not null
     union select order_id from attempts where out_trade_no = ?1
     union select order_id from refunds where out_refund_no = ?1 and order_id is not null
     union select order_id from shipments where tracking_no = ?1 and tracking_no <> ''
     union select order_id from resends
      where tracking_no <> '' and substr(tracking_no, -4) = substr(?1, -4) and tracking_no = ?1 limit 100";

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

const ENDS: &str = "(substr(o.order_no, -4) = substr(?, -4) and o.order_no like '%' || ?)";

fn ends(conn: &Connection, number: &str) -> Result<bool> {
    let sql = format!("select 1 from orders o where {} limit 1", ENDS.replace('?', "?1"));
    Ok(conn.prepare_cached(&sql)?.query_row([number], |_| Ok(())).optional()?.is_some())
}

/// By the end of a payment's number at WeChat, and of a parcel's: what people read out of WeChat's bill, and off a label.
const OTHER_ENDS: [&str; 3] = [
    "select order_id from attempts
      where transaction_id is not null and substr(transaction_id, -4) = substr(?1, -4) and transaction_id like '%' || ?1
      order by id desc limit 100",
    "select order_id from shipments
      where tracking_no <> '' and substr(tracking_no, -4) = substr(?1, -4) and tracking_no like '%' || ?1
      order by id desc limit 100",
    "select order_id from resends
      where tracking_no <> '' and substr(tracking_no, -4) = substr(?1, -4) and tracking_no like '%' || ?1
      order by id desc limit 100",
];

/// The orders one of whose payments' or parcels' numbers ends so, the latest of each.
fn numbered_with_end(conn: &Connection, end: &str) -> Result<Vec<OrderId>> {
    let mut found = Vec::new();
    for question in OTHER_ENDS {
        let mut asked = conn.prepare_cached(question)?;
        for id in asked.query_map([end], |row| row.get(0))? {
            found.push(id?);
        }
    }
    Ok(found)
}

const PHONE_ENDS: &str = "replace(replace(json_extract(o.address, '$.phone'), ' ', ''), '-', '') like '%' || ?";

/// Whether any order's phone ends so.
fn phone_ends(conn: &Connection, digits: &str) -> Result<bool> {
    let tail = phone(&digits[digits.len() - SHORT_TAIL..]);
    if digits.len() == SHORT_TAIL {
        let sql = "select 1 from order_words w where w.order_words match ?1 limit 1";
        return Ok(conn.prepare_cached(sql)?.query_row([tail], |_| Ok(())).optional()?.is_some());
    }
    let sql = format!(
        "select 1 from order_words w cross join orders o on o.id = w.rowid where w.order_words match ?1 and {} limit 1",
        PHONE_ENDS.replace('?', "?2")
    );
    Ok(conn.prepare_cached(&sql)?.query_row([&*tail, digits], |_| Ok(())).optional()?.is_some())
}

/// So many orders are put in order for one page; of more, the list has to stand along an index.
pub const SORTED: i64 = 20_000;

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
                Meant::PhoneEnd(digits) => {
                    words.push(phone(&digits[digits.len() - 4..]));
                    query.narrow(PHONE_ENDS, digits);
                }
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
        if let Some((from, to)) = filter.booked {
            query.narrow("o.slot_start is not null and o.slot_start >= ?", from);
            query.narrow("o.slot_start < ?", to);
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
            (
                filter.refunding,
                "o.id in (select order_id from refunds where ended_at is null
                      union select order_id from returns where ended_at is null)",
            ),
            (filter.with_exception, &*format!("o.id in (select order_id from money_exceptions where {TO_DECIDE})")),
            (filter.remarked, "o.remark <> ''"),
            (filter.unprinted, "o.prints = 0 and o.status = 'to_ship'"),
            (
                filter.to_pack,
                "o.status = 'to_ship' and exists (select 1 from order_lines l where l.order_id = o.id
                   and l.quantity > l.shipped_quantity + l.released_quantity)",
            ),
        ] {
            if wanted {
                query.where_.push(sql.to_owned());
            }
        }
        Ok(query)
    }
}

/// Newest first, from before this order on.
pub fn list(conn: &Connection, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Order>> {
    let after = match before {
        None => None,
        Some(id) => match mark(conn, filter, Sort::Newest, OrderId(id))? {
            None => return Ok(Vec::new()),
            found => found,
        },
    };
    Ok(sorted(conn, filter, Sort::Newest, after, limit)?.into_iter().map(|(_, order)| order).collect())
}

/// How a list can really stand: of too many that no index has in that order, by age.
pub fn possible(conn: &Connection, filter: &Filter, sort: Sort) -> Result<Sort> {
    let walked = match sort {
        Sort::Newest | Sort::Oldest | Sort::LongestWaiting | Sort::ShortestWaiting => return Ok(sort),
        // No index has the pieces, which every order would have to keep for the few lists that are sorted by them.
        Sort::MostPieces | Sort::FewestPieces => false,
        _ => filter.only_status().is_some(),
    };
    Ok(if !walked && is_long(conn, filter)? { Sort::Newest } else { sort })
}

fn is_long(conn: &Connection, filter: &Filter) -> Result<bool> {
    Ok(count(conn, filter, SORTED + 1)? > SORTED)
}

/// The orders of a list, each with where it stands, from behind `after` on.
pub fn sorted(
    conn: &Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<Mark>,
    limit: i64,
) -> Result<Vec<(Mark, Order)>> {
    walk(conn, filter, sort, after, limit, ("o.*", read_order))
}

/// The orders of a list by number, up to `most`, each with where it stands.
pub fn numbers(conn: &Connection, filter: &Filter, sort: Sort, most: i64) -> Result<Vec<(Mark, OrderNo)>> {
    walk(conn, filter, sort, None, most, ("o.id, o.order_no", |row| row.get("order_no")))
}

fn read_mark(row: &Row<'_>) -> Result<Mark> {
    Ok(Mark { key: row.get("sorted_by")?, id: row.get("id")? })
}

/// Where this order stands in such a list, or would.
pub fn mark(conn: &Connection, filter: &Filter, sort: Sort, id: OrderId) -> Result<Option<Mark>> {
    for part in parts(sort, false, filter.placed != (None, None)) {
        let narrowed = part.only.as_ref().map_or(String::new(), |only| format!(" and {only}"));
        let sql = format!("select {} as sorted_by, o.id from orders o where o.id = ?1{narrowed}", part.shown());
        let found = conn.prepare_cached(&sql)?.query_row([id], read_mark).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// A list goes through its parts one after another; most have one.
fn walk<T>(
    conn: &Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<Mark>,
    limit: i64,
    (what, read): (&str, fn(&Row<'_>) -> Result<T>),
) -> Result<Vec<(Mark, T)>> {
    let mut found = Vec::new();
    let query = Query::of(conn, filter)?;
    // There are many, so the index is walked along, rather than all of them put in order.
    let along = match filter.only_status() {
        _ if sort.is_by_age() || sort.is_by_waiting() => false,
        Some(None) => true,
        Some(Some(_)) => is_long(conn, filter)?,
        None => false,
    };
    let parts = parts(sort, query.words_lead, filter.placed != (None, None));
    let mut query = Some(query);
    for part in parts {
        let left = limit - found.len() as i64;
        let Some(after) = part.begins(sort, after).filter(|_| left > 0) else { continue };
        let mut query = match query.take() {
            Some(query) => query,
            None => Query::of(conn, filter)?,
        };
        let end = query.sorted(sort, &part, along, after, left);
        let sql = query.sql(&format!("{what}, {} as sorted_by", part.shown()), &end);
        let row = |row: &Row<'_>| Ok((read_mark(row)?, read(row)?));
        let mut statement = conn.prepare_cached(&sql)?;
        for order in statement.query_map(params_from_iter(query.values), row)? {
            found.push(order?);
        }
    }
    Ok(found)
}

/// A stretch of a list along which one index leads: in the whole list those with freight are one, and those without another.
struct Part {
    /// What belongs to it, where not everything does.
    only: Option<String>,
    /// What it is sorted by.
    key: &'static str,
    /// What all of it has in common and sorts by in the list, where that is one value; then `key` is the id.
    all: Option<i64>,
}

impl Part {
    fn whole(key: &'static str) -> Vec<Part> {
        vec![Part { only: None, key, all: None }]
    }

    fn of(status: OrderStatus, id: &'static str) -> Part {
        let only = format!("o.status = '{}'", status.word());
        Part { only: Some(only), key: id, all: Some(status as i64) }
    }

    /// What a mark says of its orders.
    fn shown(&self) -> String {
        self.all.map_or(self.key.to_owned(), |all| all.to_string())
    }

    /// Where to begin behind a mark: nowhere when the mark has gone past it.
    fn begins(&self, sort: Sort, after: Option<Mark>) -> Option<Option<Mark>> {
        let Some(mark) = after else { return Some(None) };
        let here = match self.all {
            Some(all) => all == mark.key,
            // Of two parts the other one holds what has none.
            None => self.only.is_none() || mark.key != 0,
        };
        let ahead = match self.all {
            Some(all) => {
                if sort.rises() {
                    all > mark.key
                } else {
                    all < mark.key
                }
            }
            None => sort.rises() && mark.key == 0,
        };
        if here { Some(Some(mark)) } else { ahead.then_some(None) }
    }
}

/// Orders of a span of time are read along the index of time; by their ids, all of the past would be looked through.
fn parts(sort: Sort, words_lead: bool, spans: bool) -> Vec<Part> {
    let id = if words_lead { "w.rowid" } else { "o.id" };
    // Those that have something, by it, and those that have none.
    let two = |some: &str, none: &str, key| {
        vec![
            Part { only: Some(some.to_owned()), key, all: None },
            Part { only: Some(none.to_owned()), key: id, all: Some(0) },
        ]
    };
    let mut parts = match sort {
        Sort::Newest | Sort::Oldest if spans && !words_lead => Part::whole("o.created_at"),
        Sort::Newest | Sort::Oldest => Part::whole(id),
        Sort::Dearest | Sort::Cheapest => Part::whole("o.total_fen"),
        Sort::LongestWaiting | Sort::ShortestWaiting => Part::whole("coalesce(o.paid_at, o.created_at)"),
        Sort::MostPieces | Sort::FewestPieces => {
            Part::whole("(select coalesce(sum(l.quantity), 0) from order_lines l where l.order_id = o.id)")
        }
        Sort::LastPaid | Sort::FirstPaid => two("o.paid_at is not null", "o.paid_at is null", "o.paid_at"),
        Sort::MostFreight | Sort::LeastFreight => two("o.freight_fen > 0", "o.freight_fen = 0", "o.freight_fen"),
        Sort::FirstState | Sort::LastState => {
            OrderStatus::ALL.iter().map(|status| Part::of(*status, id)).rev().collect()
        }
    };
    // What is last there is first the other way round.
    if sort.rises() {
        parts.reverse();
    }
    parts
}

impl Query {
    /// Narrows it to what stands behind `after`; answers with the end of the statement.
    fn sorted(&mut self, sort: Sort, part: &Part, along: bool, after: Option<Mark>, limit: i64) -> String {
        let (way, than) = if sort.rises() { ("asc", ">") } else { ("desc", "<") };
        let (key, unique) = (part.key, matches!(part.key, "o.id" | "w.rowid"));
        if sort.is_by_waiting() {
            // As the index of those that wait spells it.
            self.where_.push("o.status = 'to_ship'".to_owned());
        }
        match after {
            None => {}
            Some(Mark { id, .. }) if unique => self.narrow(&format!("{key} {than} ?"), id),
            Some(Mark { key: value, id }) => {
                let n = self.values.len() + 1;
                self.values.push(Box::new(value));
                self.values.push(Box::new(id));
                self.where_.push(format!("({key}, o.id) {than} (?{n}, ?{})", n + 1));
            }
        }
        self.values.push(Box::new(limit));
        let limit = self.values.len();
        let by_age = sort.is_by_age() || sort.is_by_waiting();
        // A plus keeps an index out of it.
        if along && !by_age && part.all.is_none() {
            self.where_.iter_mut().filter(|sql| sql.starts_with("o.status")).for_each(|sql| sql.insert(0, '+'));
        }
        self.where_.extend(part.only.clone());
        let sorter = if by_age || along { "" } else { "+" };
        match unique {
            true => format!("order by {sorter}{key} {way} limit ?{limit}"),
            false => format!("order by {sorter}{key} {way}, o.id {way} limit ?{limit}"),
        }
    }
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
            (NUMBERED.to_owned(), "resends_tail"),
            (OTHER_ENDS[0].to_owned(), "attempts_tail"),
            (OTHER_ENDS[1].to_owned(), "shipments_tail"),
            (OTHER_ENDS[2].to_owned(), "resends_tail"),
            (narrowed("(o.order_no >= ? and o.order_no < ? || '~')"), "order_no"),
            (words.to_owned(), "w VIRTUAL TABLE INDEX"),
        ] {
            let steps = db.plan(&question).await;
            let whole = |step: &&String| step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE INDEX");
            assert_eq!(steps.iter().find(whole), None, "{question}");
            assert!(steps.iter().any(|step| step.contains(index)), "{question}: {steps:?}");
        }
    }
}
