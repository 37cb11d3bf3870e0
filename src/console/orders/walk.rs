//! Going through a list order by order: which one comes next, and how far somebody is.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Header, Method};
use rocket::{FromForm, Request, Response};
use rusqlite::Connection;
use serde::Serialize;

use super::list::{self, Query};
use crate::console::{query_string, referer};
use crate::error::Result;
use crate::ids::{OrderId, OrderNo};
use crate::orders::search::store as search;

/// The list somebody came from, as its address says it, and how far he was.
#[derive(FromForm, Clone, Debug, Default)]
pub struct Came {
    /// The list's query; nothing when the order was opened by itself.
    list: Option<String>,
    /// The order is the n-th of so many, as they were when the walk began.
    n: Option<usize>,
    of: Option<usize>,
}

/// Where an order stands in a list: `newer` before it, `older` behind it, whichever way the list goes.
pub struct Place {
    list: String,
    n: usize,
    of: usize,
    newer: Option<OrderNo>,
    older: Option<OrderNo>,
}

impl Came {
    /// Where this order stands now; it may have left the list meanwhile, then what stood around it still does.
    pub fn place(&self, conn: &Connection, id: OrderId, now: i64) -> Result<Option<Place>> {
        let Some(list) = &self.list else { return Ok(None) };
        let query = Query::read(list);
        let filter = query.filter(now);
        let sort = search::possible(conn, &filter, query.sort())?;
        let Some(here) = search::mark(conn, &filter, sort, id)? else { return Ok(None) };
        let all = list::numbers(conn, &filter, sort)?;
        let newer = all.iter().filter(|(other, _)| sort.is_before(*other, here)).count();
        let older = all.iter().position(|(other, _)| sort.is_before(here, *other));
        Ok(Some(Place {
            list: list.clone(),
            n: self.n.unwrap_or(newer + 1),
            of: self.of.unwrap_or(all.len()).max(self.n.unwrap_or(newer + 1)),
            newer: newer.checked_sub(1).map(|i| all[i].1.clone()),
            older: older.map(|i| all[i].1.clone()),
        }))
    }
}

/// A place as its page shows it, with the addresses of its neighbours.
#[derive(Serialize)]
pub struct Shown {
    list: String,
    n: usize,
    of: usize,
    newer: Option<String>,
    older: Option<String>,
}

impl Place {
    /// The next order's page, or the list when the walk is over.
    pub fn next(&self) -> String {
        let on = self.older.as_ref().map(|no| self.address(no, self.n + 1));
        on.unwrap_or_else(|| format!("/admin/orders?{}", self.list))
    }

    fn address(&self, no: &OrderNo, n: usize) -> String {
        let (n, of) = (n.to_string(), self.of.to_string());
        format!("/admin/orders/{no}?{}#ship", query_string(&[("list", &self.list), ("n", &n), ("of", &of)]))
    }

    pub fn shown(&self) -> Shown {
        Shown {
            list: self.list.clone(),
            n: self.n,
            of: self.of,
            newer: self.newer.as_ref().map(|no| self.address(no, self.n.saturating_sub(1).max(1))),
            older: self.older.as_ref().map(|no| self.address(no, self.n + 1)),
        }
    }
}

/// Whoever goes through a list stays in it: what a form of an order's page leads back to goes on from there.
pub struct Stay;

#[rocket::async_trait]
impl Fairing for Stay {
    fn info(&self) -> Info {
        Info { name: "walk", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let to = response.headers().get_one("Location").filter(|_| request.method() == Method::Post);
        if let Some(on) = to.zip(referer(request)).and_then(|(to, from)| in_list(to, &from)) {
            response.set_header(Header::new("Location", on));
        }
    }
}

/// Where a form of the page `from` leads to, when that is an order without the list that this page was opened from.
fn in_list(to: &str, from: &str) -> Option<String> {
    let (page, query) = from.split_once('?')?;
    let is_order = |path: &str| path.strip_prefix("/admin/orders/").is_some_and(|no| !no.contains(['/', '?', '#']));
    let list = query.split('&').find(|part| part.starts_with("list="))?;
    if !is_order(to) || !is_order(page) {
        return None;
    }
    // Another order stands elsewhere in the list.
    let here = |part: &&str| to == page && (part.starts_with("n=") || part.starts_with("of="));
    let kept: Vec<&str> = std::iter::once(list).chain(query.split('&').filter(here)).collect();
    Some(format!("{to}?{}#ship", kept.join("&")))
}

#[cfg(test)]
impl Shown {
    pub fn sample() -> Shown {
        let to = || Some("/admin/orders/261008131540ABCDEFGH?list=".to_owned());
        Shown { list: "tab=to_ship".into(), n: 2, of: 3, newer: to(), older: to() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_an_order_leads_back_into_the_list() {
        let from = "/admin/orders/A?list=tab%3Dto_ship&n=2&of=16";
        for (to, from, on) in [
            ("/admin/orders/A", from, Some("/admin/orders/A?list=tab%3Dto_ship&n=2&of=16#ship")),
            ("/admin/orders/B", from, Some("/admin/orders/B?list=tab%3Dto_ship#ship")),
            ("/admin/orders/B?list=x&n=3&of=16#ship", from, None),
            ("/admin/refunds/A", from, None),
            ("/admin/orders/A/ship", from, None),
            ("/admin/orders/A", "/admin/orders/A", None),
            ("/admin/orders/A", "/admin/orders?list=x", None),
            ("/admin/orders/A", "/admin/orders/A?n=2", None),
        ] {
            assert_eq!(in_list(to, from).as_deref(), on, "{to} {from}");
        }
    }
}
