//! Customers: who bought, how much and when, and what staff know about them.

pub mod erase;
pub mod store;

use crate::buyers::addresses::Address;
use crate::error::{Error, Result};
use crate::ids::{BuyerId, OrderNo};
use crate::stored_enum::stored_enum;
use crate::typed::Length;

stored_enum! {
    /// By what the list stands in order, the most first.
    pub enum Sort {
        Last "last" "最近下单",
        Spent "spent" "累计付款",
        Orders "orders" "单数",
    }
}

/// Which customers are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whatever an order is found by; a nickname's beginning, a tag, or words of a note.
    pub search: Option<String>,
    pub tag: Option<String>,
    pub blocked: bool,
}

/// Where a page of the list begins: after the row with this key and this buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    pub key: i64,
    pub buyer: i64,
}

impl After {
    /// As the address has it: `8850-42`.
    pub fn read(text: &str) -> Option<After> {
        let (key, buyer) = text.rsplit_once('-')?;
        Some(After { key: key.parse().ok()?, buyer: buyer.parse().ok()? })
    }

    pub fn word(self) -> String {
        format!("{}-{}", self.key, self.buyer)
    }
}

/// A buyer as the staff know him. One who never paid has no orders to show.
#[derive(Clone, Debug)]
pub struct Customer {
    pub id: BuyerId,
    pub nickname: String,
    /// Of the tail that may be shown.
    pub openid: String,
    /// Paid orders, and what is left of their money after refunds.
    pub orders: i64,
    pub spent_fen: i64,
    /// The newest order, where it went, and when it was placed.
    pub last: Option<(OrderNo, i64)>,
    pub address: Option<Address>,
    pub note: String,
    pub tags: Vec<String>,
    pub blocked_at: Option<i64>,
    pub erased_at: Option<i64>,
    pub since: i64,
}

impl Customer {
    /// What staff call him without seeing who he is.
    pub fn masked_name(&self) -> String {
        match &self.address {
            _ if self.erased_at.is_some() => "已删除资料的买家".to_owned(),
            _ if !self.nickname.is_empty() => self.nickname.clone(),
            Some(address) => address.masked_receiver(),
            None => format!("买家 #{}", self.id),
        }
    }
}

const MOST_TAGS: usize = 10;
const TAG: Length = Length::up_to(12);
pub const NOTE: Length = Length::up_to(500);

/// Tags as they were typed, parted by blanks or commas; each once.
pub fn read_tags(typed: &str) -> Result<Vec<String>> {
    let mut tags: Vec<String> = Vec::new();
    for tag in typed.split(|c: char| c.is_whitespace() || ",，、;；".contains(c)).filter(|tag| !tag.is_empty()) {
        if !TAG.fits_line(tag) {
            return Err(Error::field("tags", format!("每个标签{TAG}，用空格分开")));
        }
        if !tags.iter().any(|other| other == tag) {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > MOST_TAGS {
        return Err(Error::field("tags", format!("一位顾客最多 {MOST_TAGS} 个标签")));
    }
    Ok(tags)
}

/// A note as it is kept.
pub fn read_note(typed: &str) -> Result<String> {
    let note = typed.trim().replace("\r\n", "\n");
    if NOTE.fits_lines(&note) { Ok(note) } else { Err(Error::field("note", format!("备注{NOTE}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_parted_however_they_were_typed() {
        for (typed, read) in
            [("", &[][..]), ("老客户", &["老客户"]), (" 老客户，生日月、老客户 ；少糖 ", &["老客户", "生日月", "少糖"])]
        {
            assert_eq!(read_tags(typed).unwrap(), read, "{typed}");
        }
        assert!(read_tags(&"长".repeat(13)).is_err());
        assert!(read_tags("1 2 3 4 5 6 7 8 9 10 11").is_err());
    }

    #[test]
    fn where_a_page_begins_reads_back_as_written() {
        for after in [After { key: 8850, buyer: 42 }, After { key: -5, buyer: 1 }] {
            assert_eq!(After::read(&after.word()), Some(after));
        }
        for bad in ["", "8850", "a-1", "1-b"] {
            assert_eq!(After::read(bad), None, "{bad}");
        }
    }
}
