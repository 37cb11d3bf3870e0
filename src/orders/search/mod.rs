//! Finding orders in the console: what a person types, and which orders are meant by it.

pub mod store;

use super::{Flag, OrderStatus};
use crate::buyers::addresses::Address;
use crate::ids::OrderNo;
use crate::places::Place;

/// Which orders the console lists, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub status: Option<OrderStatus>,
    pub part_shipped: bool,
    pub refunding: bool,
    pub with_exception: bool,
    /// A number of any kind, the tail of a phone number, a receiver's name or a product's.
    pub search: Option<String>,
    /// Placed at or after, and before.
    pub placed: (Option<i64>, Option<i64>),
    /// Waiting to be shipped since before this moment.
    pub paid_before: Option<i64>,
    pub product: Option<String>,
    pub region: Option<String>,
    pub flag: Option<Flag>,
    /// The buyer wrote something.
    pub remarked: bool,
    pub unprinted: bool,
    /// These alone, when there are any.
    pub ids: Vec<OrderNo>,
}

impl Filter {
    /// The status whose orders these are, all of them; its number is kept and need not be counted.
    pub fn only_status(&self) -> Option<Option<OrderStatus>> {
        (*self == Filter { status: self.status, ..Filter::default() }).then_some(self.status)
    }

    /// Few orders, however old the shop is: work that waits, or what was named one by one.
    fn is_of_few(&self) -> bool {
        matches!(self.status, Some(OrderStatus::PendingPayment | OrderStatus::ToShip))
            || self.part_shipped
            || self.refunding
            || self.with_exception
            || self.flag.is_some()
            || self.paid_before.is_some()
            || self.unprinted
            || !self.ids.is_empty()
    }
}

/// The words that an order is found by, each character on its own.
pub struct Words {
    receiver: String,
    phone: String,
    place: String,
    goods: String,
}

impl Words {
    pub fn new<'a>(address: Option<&Address>, goods: impl Iterator<Item = &'a str>) -> Words {
        let phone = address.map_or("", |a| &a.phone);
        let tail = phone.len().checked_sub(4).and_then(|at| phone.get(at..)).unwrap_or_default();
        Words {
            receiver: apart(address.map_or("", |a| &a.receiver)),
            phone: format!("{phone} {tail}"),
            place: apart(&address.map(|a| format!("{}{}{}", a.province, a.city, a.district)).unwrap_or_default()),
            goods: apart(&goods.collect::<Vec<_>>().join("\n")),
        }
    }
}

/// `苹果` as `苹 果`: the tokenizer then takes every character for a word.
fn apart(text: &str) -> String {
    text.chars().flat_map(|c| [c, ' ']).collect()
}

/// What was typed, as a phrase for each word of it, to be found in these columns.
fn phrases(columns: &str, typed: &str) -> String {
    let words = typed.split_whitespace().map(|word| format!("\"{}\"", apart(&word.replace('"', " "))));
    words.map(|phrase| format!("{{{columns}}} : {phrase}")).collect::<Vec<_>>().join(" AND ")
}

/// A place under any of its names, by what all of them have; what is none is looked for as it was typed.
fn region(typed: &str) -> String {
    match Place::parse(typed) {
        Ok(place) => place.words().into_iter().map(|word| phrases("place", word)).collect::<Vec<_>>().join(" AND "),
        Err(_) => phrases("place", typed),
    }
}

/// A word that stands in its column as it is.
fn whole(column: &str, typed: &str) -> String {
    format!("{{{column}}} : \"{typed}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_cannot_leave_its_quotes() {
        assert_eq!(phrases("goods", "苹果"), "{goods} : \"苹 果 \"");
        assert_eq!(phrases("receiver goods", " a  b "), "{receiver goods} : \"a \" AND {receiver goods} : \"b \"");
        assert_eq!(phrases("goods", "\" OR 1"), "{goods} : \"  \" AND {goods} : \"O R \" AND {goods} : \"1 \"");
    }

    #[test]
    fn a_filter_that_says_nothing_but_a_status_needs_no_counting() {
        assert_eq!(Filter::default().only_status(), Some(None));
        let shipped = Filter { status: Some(OrderStatus::Shipped), ..Filter::default() };
        assert_eq!(shipped.only_status(), Some(Some(OrderStatus::Shipped)));
        assert_eq!(Filter { unprinted: true, ..Filter::default() }.only_status(), None);
        assert_eq!(Filter { placed: (None, Some(1)), ..Filter::default() }.only_status(), None);
    }
}
