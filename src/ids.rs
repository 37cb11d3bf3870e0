//! Identifiers as types: a product id is never taken for a SKU id, and a bad one dies at the door.

use std::fmt;
use std::str::FromStr;

use rocket::request::FromParam;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Serialize, Serializer};

use crate::typed::{Length, bare};

pub const ORDER_NO: Length = Length::between(12, 20);

/// The text is no such identifier.
#[derive(Debug, PartialEq, Eq)]
pub struct BadId;

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<$name, BadId> {
                let plain = text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
                if plain { text.parse().map($name).map_err(|_| BadId) } else { Err(BadId) }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> { Ok(self.0.into()) }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$name> { i64::column_result(value).map($name) }
        }
        impl<'r> FromParam<'r> for $name {
            type Error = BadId;
            fn from_param(text: &'r str) -> Result<$name, BadId> { text.parse() }
        }
    )*};
}

row_id! {
    CategoryId ProductId SkuId BuyerId AddressId OrderId LineId AttemptId ShipmentId StaffId JobId
    /// A row of the transaction log.
    MessageId
    /// A row of the inbox of money that fits no order.
    ExceptionId
    RefundId
    /// A table of tracking numbers.
    BatchId
    /// A table of products.
    ImportId
    BackupId
    /// A row of the ledger.
    LedgerId
    /// What sending costs, by pieces or weight.
    FreightId
    /// What makes orders cheaper.
    PromotionId
    /// One of a promotion, in a buyer's hand.
    CouponId
    /// An order that staff wrote down after a chat.
    DraftId
    /// Goods that a buyer sends back, for his money or for others.
    ReturnId
    /// A parcel that was sent once more.
    ResendId
    /// A photograph that a buyer sent.
    PhotoId
    /// An invoice that a buyer asked for.
    InvoiceId
    /// Something that somebody is told outside the shop's own pages.
    OutboxId
    /// A key of another program.
    ApiKeyId
    /// An address of another program that is told what happens.
    HookId
    /// One telling of such an address.
    DeliveryId
    /// What packed texts have in common.
    DictionaryId
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident : $fits:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<$name, BadId> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) { Ok($name(text.to_owned())) } else { Err(BadId) }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(&self.0) }
        }
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> { self.0.to_sql() }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$name> {
                value.as_str()?.parse().map_err(|BadId| rusqlite::types::FromSqlError::InvalidType)
            }
        }
        impl<'r> FromParam<'r> for $name {
            type Error = BadId;
            fn from_param(text: &'r str) -> Result<$name, BadId> { text.parse() }
        }
    )*};
}

text_id! {
    /// An order's number for people: the date and ten base-32 digits. It never changes.
    OrderNo: |s| ORDER_NO.fits(s) && s.bytes().all(|b| b.is_ascii_alphanumeric());
    /// A payment attempt's number at WeChat, unique per merchant for ever. Source: unified order, API v2.
    OutTradeNo: |s| (6..=32).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    /// A refund's number at WeChat, the same for ever, however often it is sent. Source: refund, API v2.
    OutRefundNo: |s| (1..=64).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b));
    /// The SHA-256 of a picture, in hexadecimal: its address never means another picture.
    ImageHash: |s| s.len() == 64 && s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    /// A client's `Idempotency-Key`.
    IdempotencyKey: |s| (8..=64).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
}

impl OrderNo {
    /// `day` as `20261008`, then the digits.
    pub fn new(day: &str, base32: &str) -> OrderNo {
        OrderNo(format!("{day}{base32}"))
    }

    /// What people scan, paste or type, when it has the shape of our own numbers rather than of a parcel's; whatever
    /// stands around it, and whether or not an attempt's two digits follow.
    pub fn read(text: &str) -> Option<OrderNo> {
        OrderNo::all(text).into_iter().next()
    }

    /// Every order's number of a text, each once.
    pub fn all(text: &str) -> Vec<OrderNo> {
        let text = bare(text).to_ascii_uppercase();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let mut found: Vec<OrderNo> = Vec::new();
        for no in words.filter_map(OrderNo::word) {
            if !found.contains(&no) {
                found.push(no);
            }
        }
        found
    }

    fn word(word: &str) -> Option<OrderNo> {
        match word.len() {
            18 => OrderNo::ours(word),
            20 if word.bytes().skip(18).all(|b| b.is_ascii_digit()) => OrderNo::ours(&word[..18]),
            _ => None,
        }
    }

    fn ours(word: &str) -> Option<OrderNo> {
        let day = word.starts_with("20") && word.bytes().take(8).all(|b| b.is_ascii_digit());
        word.parse().ok().filter(|_| day)
    }

    /// The number of this order's `n`th attempt: the order number and two digits.
    pub fn attempt(&self, n: i64) -> OutTradeNo {
        OutTradeNo(format!("{}{n:02}", self.0))
    }

    /// The number of this order's `n`th refund.
    pub fn refund(&self, n: i64) -> OutRefundNo {
        OutRefundNo(format!("{}R{n:02}", self.0))
    }
}

impl OutTradeNo {
    /// Whether a number looks like one that `OrderNo::attempt` made: a date, ten base-32 digits, two digits. A merchant
    /// number is often shared, and other systems' numbers mostly look otherwise.
    pub fn is_of_our_form(text: &str) -> bool {
        let (Some(date), Some(digits), Some(n)) = (text.get(..8), text.get(8..18), text.get(18..)) else {
            return false;
        };
        let decimal = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let within = |s: &str, from: &str, to: &str| (from..=to).contains(&s);
        let base32 = |b: u8| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b));
        let dated = decimal(date) && within(&date[..2], "20", "20");
        let dated = dated && within(&date[4..6], "01", "12") && within(&date[6..], "01", "31");
        dated && digits.bytes().all(base32) && n.len() == 2 && decimal(n)
    }

    /// Whether it is all decimal digits: one of ours in a hundred thousand, and other systems' very often.
    pub fn is_plain(text: &str) -> bool {
        text.bytes().all(|b| b.is_ascii_digit())
    }
}

impl OutRefundNo {
    /// The `n`th refund of a payment that came for no order of ours. It has WeChat's number of the payment in it: whatever
    /// backup the shop goes back to, no other payment is given the same.
    pub fn of_payment(transaction_id: &str, n: i64) -> OutRefundNo {
        let plain: String = transaction_id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        OutRefundNo(format!("T{plain}R{n:02}"))
    }

    /// For a refund that WeChat knows under no number that we could send again.
    pub fn of_console(refund_id: &str) -> OutRefundNo {
        OutRefundNo(format!("WX-{refund_id}"))
    }
}

impl ImageHash {
    /// Where the picture is served.
    pub fn url(&self) -> String {
        format!("/media/{}.jpg", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_number_is_the_order_number_and_two_digits() {
        let order_no = OrderNo::new("20261008", "7K2M0A1B2C");
        assert_eq!(order_no.attempt(2).as_str(), "202610087K2M0A1B2C02");
        assert_eq!(order_no.refund(3).as_str(), "202610087K2M0A1B2CR03");
        assert_eq!(order_no.as_str().len(), 18);
    }

    #[test]
    fn our_own_numbers_are_told_from_those_of_others() {
        for (number, ours) in [
            ("202610087K2M0A1B2C01", true),
            ("20261008123456789012", true),
            ("202610087K2M0A1B2C1", false),
            ("202610087K2M0A1B2C011", false),
            ("202613087K2M0A1B2C01", false),
            ("202610327K2M0A1B2C01", false),
            ("192610087K2M0A1B2C01", false),
            ("202610087k2m0a1b2c01", false),
            ("202610087K2M0I1B2C01", false),
            ("202610087K2M0A1B2CR1", false),
            ("POS2026000000", false),
            ("小店小店小店小店小店小店小店01", false),
            ("", false),
        ] {
            assert_eq!(OutTradeNo::is_of_our_form(number), ours, "{number}");
        }
    }

    #[test]
    fn an_order_number_is_read_whatever_stands_around_it() {
        for text in [
            "20261008ABCDEFGHJK",
            " 20261008abcdefghjk\t",
            "'20261008ABCDEFGHJK",
            "=\"20261008ABCDEFGHJK\"",
            "２０２６１００８ABCDEFGHJK",
            "\u{feff}20261008ABCDEFGHJK\u{200b}",
            "订单号：20261008ABCDEFGHJK",
            "20261008ABCDEFGHJK：圆通",
            "20261008ABCDEFGHJK01",
        ] {
            assert_eq!(OrderNo::read(text).as_ref().map(OrderNo::as_str), Some("20261008ABCDEFGHJK"), "{text}");
        }
        for text in
            ["", "20261008", "YT8812345678901", "120261008ABCDEFGHJ", "20261008ABCDEFGHJK0", "20261008ABCDEFGHJKAB"]
        {
            assert_eq!(OrderNo::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_bad_id_is_refused() {
        for bad in ["", "0", "01", "-1", "1 ", "１", "9999999999999999999"] {
            assert_eq!(bad.parse::<SkuId>(), Err(BadId), "{bad:?}");
        }
        assert_eq!("42".parse(), Ok(SkuId(42)));
        for bad in ["short", "has space", "a|b|c|d|e", &"x".repeat(33)] {
            assert_eq!(bad.parse::<OutTradeNo>(), Err(BadId), "{bad:?}");
        }
    }
}
