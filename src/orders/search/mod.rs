//! Finding orders in the console: what a person types, and which orders are meant by it.

pub mod store;

use super::{Flag, OrderStatus};
use crate::buyers::addresses::Address;
use crate::catalogue::Delivery;
use crate::ids::{OrderId, OrderNo};
use crate::parcels::Said;
use crate::parcels::carriers::Carriers;
use crate::parcels::number::TrackingNo;
use crate::places::{Place, Sought, sought};
use crate::stored_enum::stored_enum;
use crate::typed::bare;

/// Which orders the console lists.
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
    /// Something of it is to go into a parcel now.
    pub to_pack: bool,
    /// Brought or fetched at or after, and before.
    pub booked: Option<(i64, i64)>,
    /// How the goods reach the buyer.
    pub delivery: Option<Delivery>,
    /// These alone, when there are any.
    pub ids: Vec<OrderNo>,
}

impl Filter {
    /// The status whose orders these are, all of them; its number is kept and need not be counted.
    pub fn only_status(&self) -> Option<Option<OrderStatus>> {
        (*self == Filter { status: self.status, ..Filter::default() }).then_some(self.status)
    }

    /// None but orders that wait to be shipped.
    pub fn waits(&self) -> bool {
        self.status == Some(OrderStatus::ToShip) || self.part_shipped || self.paid_before.is_some() || self.unprinted
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
            || self.booked.is_some()
            || !self.ids.is_empty()
    }
}

stored_enum! {
    /// How a list of orders stands. Orders alike stand by their age, the same way round.
    pub enum Sort {
        Newest "newest" "新的在前",
        Oldest "oldest" "旧的在前",
        Dearest "dearest" "金额大的在前",
        Cheapest "cheapest" "金额小的在前",
        /// Of those that wait to be shipped, and of no others.
        LongestWaiting "longest" "等得久的在前",
        ShortestWaiting "shortest" "等得短的在前",
        /// Those that nobody has paid yet stand behind all others, or before them.
        LastPaid "paid" "刚付款的在前",
        FirstPaid "paid_first" "早付款的在前",
        MostFreight "freight" "运费高的在前",
        LeastFreight "freight_least" "运费低的在前",
        MostPieces "pieces" "件数多的在前",
        FewestPieces "pieces_fewest" "件数少的在前",
        /// As an order goes through them, from waiting for money to closed.
        FirstState "state" "待付款的在前",
        LastState "state_last" "已关闭的在前",
    }
}

impl Sort {
    fn rises(self) -> bool {
        use Sort::{Cheapest, FewestPieces, FirstPaid, FirstState, LeastFreight, LongestWaiting, Oldest};
        matches!(self, Oldest | Cheapest | LongestWaiting | FirstPaid | LeastFreight | FewestPieces | FirstState)
    }

    pub fn is_by_age(self) -> bool {
        matches!(self, Sort::Newest | Sort::Oldest)
    }

    /// What only those may ask for who see amounts.
    pub fn is_by_amount(self) -> bool {
        matches!(self, Sort::Dearest | Sort::Cheapest | Sort::MostFreight | Sort::LeastFreight)
    }

    pub fn is_by_waiting(self) -> bool {
        matches!(self, Sort::LongestWaiting | Sort::ShortestWaiting)
    }

    /// Whether `a` stands before `b`.
    pub fn is_before(self, a: Mark, b: Mark) -> bool {
        if self.rises() { a < b } else { a > b }
    }
}

/// Where an order stands in a list: what the list is sorted by, and behind it the order's own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    key: i64,
    pub id: OrderId,
}

impl Mark {
    /// As an address has it: `8850-42`.
    pub fn read(text: &str) -> Option<Mark> {
        let (key, id) = text.split_once('-')?;
        Some(Mark { key: key.parse().ok()?, id: OrderId(id.parse().ok()?) })
    }

    pub fn word(self) -> String {
        format!("{}-{}", self.key, self.id.0)
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
        Words {
            receiver: apart(address.map_or("", |a| &a.receiver)),
            phone: Words::phones(address.map_or("", |a| &a.phone)),
            place: apart(&address.map(|a| format!("{}{}{}", a.province, a.city, a.district)).unwrap_or_default()),
            goods: apart(&goods.collect::<Vec<_>>().join("\n")),
        }
    }

    /// The phone of somebody who comes himself, too.
    pub fn with_phone(self, phone: &str) -> Words {
        Words { phone: format!("{} {}", self.phone, Words::phones(phone)), ..self }
    }

    /// A number, and its end as a word of its own.
    fn phones(phone: &str) -> String {
        let phone = dialled(phone);
        let tail = phone.len().checked_sub(4).and_then(|at| phone.get(at..)).unwrap_or_default();
        format!("{phone} {tail}")
    }
}

/// What a person typed or pasted into the search.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    /// A whole phone number or the last four digits of one, without what parts its digits.
    Phone(String),
    /// The last eight digits of one.
    PhoneEnd(String),
    /// A number of any other kind, or the beginning or the end of one, in capitals.
    Number(String),
    Words(String),
}

impl Typed {
    fn read(typed: &str) -> Typed {
        let text = bare(typed);
        let text = unlabelled(text.rsplit_once(':').map_or(text.as_str(), |(_, rest)| rest).trim());
        let phone = dialled(text);
        // As the lists of the console show it.
        if let Some((head, tail)) = text.split_once('*')
            && let tail = tail.trim_start_matches('*')
            && (head.len(), tail.len()) == (3, 4)
            && [head, tail].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
        {
            return Typed::Phone(tail.to_owned());
        }
        let parts_digits = text.bytes().all(|b| b.is_ascii_digit() || b"+-(). ".contains(&b));
        if parts_digits && (is_phone(&phone) || phone.len() == 4) {
            return Typed::Phone(phone);
        }
        if let Some(order_no) = OrderNo::read(typed) {
            return Typed::Number(order_no.to_string());
        }
        // As people part it, and as it is cut short: `20261008-ABC…`.
        let joined: String = text.trim_end_matches(['…', '.']).chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let day = joined.starts_with("20") && joined.bytes().take(8).filter(u8::is_ascii_digit).count() == 8;
        if day && (joined.len() > 8 || text.matches('-').count() == 2) {
            let number = joined.to_ascii_uppercase();
            return Typed::Number(OrderNo::read(&number).map_or(number, |order_no| order_no.to_string()));
        }
        // The last eight digits of a phone, as they are said.
        if text.contains([' ', '-']) && phone.len() == 8 && parts_digits {
            return Typed::PhoneEnd(phone);
        }
        let upper = text.replace(' ', "").to_ascii_uppercase();
        // A label's picture, an address, a waybill with its tail: numbers that are not written plainly.
        let said = Said::read(&Carriers::default(), "", typed);
        let number = said.map_or(upper, |said| said.number.to_string());
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let plain = number.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_*".contains(&b));
        match plain && (digits >= 4 || number.len() >= TAIL || number.len() == SHORT_TAIL && digits > 0) {
            true => Typed::Number(number),
            false => match (phone_within(typed), parcel_within(typed)) {
                (Some(phone), _) => Typed::Phone(phone),
                (None, Some(number)) => Typed::Number(number),
                (None, None) => Typed::Words(bare(typed)),
            },
        }
    }
}

/// The one parcel's number of a line that has words around it: `您的快件75312345678901已发出`.
fn parcel_within(typed: &str) -> Option<String> {
    let text = bare(typed);
    // One letter before eleven digits is somebody's phone.
    let long = |piece: &&str| {
        let digits = piece.bytes().filter(u8::is_ascii_digit).count();
        digits >= 12 || digits >= 10 && piece.len() >= digits + 2
    };
    let mut pieces = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(long);
    let number = TrackingNo::read(pieces.next()?).ok()?;
    pieces.next().is_none().then(|| number.to_string())
}

/// The one phone of a line that has more, as slips and forms of addresses show it: `王小样 13912345678 浙江省…`. It says
/// more than the words beside it.
fn phone_within(typed: &str) -> Option<String> {
    let text = bare(typed);
    let pieces = text.split(|c: char| !(c.is_ascii_alphanumeric() || "+-*".contains(c)));
    let mut phones = pieces
        .map(|piece| piece.trim_matches('-'))
        .filter(|piece| piece.bytes().all(|b| b.is_ascii_digit() || b"+-".contains(&b)) && is_phone(&dialled(piece)));
    let phone = dialled(phones.next()?);
    phones.all(|other| dialled(other) == phone).then_some(phone)
}

/// Without the word in front that says which number it is, and the dots for what was left out: `尾号2222`, `…FG7JK`.
fn unlabelled(text: &str) -> &str {
    const WORDS: [&str; 9] = ["尾号", "四位", "单号", "编号", "号码", "电话", "手机", "手机号", "交易号"];
    let is_number = |c: char| c.is_ascii_alphanumeric() || "+-()* .".contains(c);
    let number = text.trim_start_matches(|c| !is_number(c));
    let word = text[..text.len() - number.len()].trim();
    let known = word.chars().all(|c| c == '…') || WORDS.iter().any(|known| word.ends_with(known));
    let whole = !number.is_empty() && number.chars().all(is_number);
    if known && whole { number.trim_start_matches(['.', ' ']) } else { text }
}

/// So much of an order's number names few orders.
const TAIL: usize = 5;
/// And so much, with a digit in it, is no word of a language.
const SHORT_TAIL: usize = 4;

/// A phone number by its digits, without the country's.
fn dialled(text: &str) -> String {
    let digits: String = bare(text).chars().filter(char::is_ascii_digit).collect();
    let inland = ["0086", "86"].iter().find_map(|code| digits.strip_prefix(code)).filter(|rest| is_phone(rest));
    inland.unwrap_or(&digits).to_owned()
}

/// A mobile phone's eleven digits, or those of a line with its area.
fn is_phone(digits: &str) -> bool {
    (digits.len() == 11 && digits.starts_with('1')) || ((10..=12).contains(&digits.len()) && digits.starts_with('0'))
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

/// Any place of a list under any of its names, by what all of them have; what is none, or several have, is looked for as it
/// was typed.
fn region(typed: &str) -> String {
    let Sought { places, shared, unknown } = sought(typed);
    let of_place = |place: &Place| place.words().into_iter().map(|word| phrases("place", word)).collect::<Vec<_>>();
    let known = places.iter().map(|place| of_place(place).join(" AND "));
    let words = shared.iter().chain(&unknown).map(|word| phrases("place", word));
    let all: Vec<String> = known.chain(words).filter(|phrase| !phrase.is_empty()).collect();
    match &all[..] {
        [] | [_] => all.concat(),
        several => format!("(({}))", several.join(") OR (")),
    }
}

/// What a filter has for a region, and names no place.
pub fn no_places_in(region: &str) -> Vec<String> {
    sought(region).unknown
}

/// A phone number, as it is kept, and as older orders have it: with what parted its digits.
fn phone(digits: &str) -> String {
    let mut forms = vec![digits.to_owned()];
    if digits.len() == 11 && digits.starts_with('1') {
        forms.extend([format!("86 {digits}"), format!("{} {} {}", &digits[..3], &digits[3..7], &digits[7..])]);
    } else if digits.len() > 4 {
        forms.extend([3, 4].map(|area| format!("{} {}", &digits[..area], &digits[area..])));
    }
    format!("{{phone}} : (\"{}\")", forms.join("\" OR \""))
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
    fn a_region_may_be_a_list_a_group_or_a_name_that_several_have() {
        let of = |word: &str| format!("{{place}} : \"{}\"", apart(word));
        assert_eq!(region("杭州"), format!("{} AND {}", of("浙江"), of("杭州")));
        assert_eq!(region("港澳"), format!("(({}) OR ({}))", of("香港"), of("澳门")));
        let both = format!("(({} AND {}) OR ({}))", of("浙江"), of("杭州"), of("上海"));
        assert_eq!(region("杭州、上海"), both);
        assert_eq!(region("杭州 上海"), both);
        assert_eq!(region("锡盟"), format!("{} AND {}", of("内蒙古"), of("锡林郭勒")));
        for shared in ["朝阳", "鼓楼"] {
            assert_eq!(region(shared), of(shared));
        }
        assert_eq!(region("、"), "");
    }

    #[test]
    fn what_is_pasted_is_read_for_what_it_is() {
        let phone = |digits: &str| Typed::Phone(digits.to_owned());
        let number = |number: &str| Typed::Number(number.to_owned());
        let words = |words: &str| Typed::Words(words.to_owned());
        for (typed, read) in [
            ("13911112222", phone("13911112222")),
            ("139 1111 2222", phone("13911112222")),
            ("139-1111-2222", phone("13911112222")),
            ("+86 139-1111-2222", phone("13911112222")),
            ("8613911112222", phone("13911112222")),
            ("电话：13911112222", phone("13911112222")),
            ("１３９１１１１２２２２", phone("13911112222")),
            ("(0571)8888 0000", phone("057188880000")),
            ("2222", phone("2222")),
            ("139****2222", phone("2222")),
            ("139.1111.2222", phone("13911112222")),
            ("手机13911112222", phone("13911112222")),
            ("尾号2222", phone("2222")),
            ("手机尾号 2222", phone("2222")),
            ("…defg7jk", number("DEFG7JK")),
            ("...defg7jk", number("DEFG7JK")),
            ("单号尾号defg7jk", number("DEFG7JK")),
            ("尾号", words("尾号")),
            ("苹果2222", words("苹果2222")),
            ("`4200002611202611280000000097", number("4200002611202611280000000097")),
            ("'4200002611202611280000000097\t", number("4200002611202611280000000097")),
            ("20261008ABCDEFGHJK", number("20261008ABCDEFGHJK")),
            ("订单号：20261008abcdefghjk", number("20261008ABCDEFGHJK")),
            ("20261008ABCDEFGHJK01", number("20261008ABCDEFGHJK")),
            ("20261008ABCDEFGHJKR01", number("20261008ABCDEFGHJKR01")),
            ("defg7jk", number("DEFG7JK")),
            ("kxqrt", number("KXQRT")),
            ("g7jk", number("G7JK")),
            ("20261008-ABCDEFGHJK", number("20261008ABCDEFGHJK")),
            ("20261008 abcd efghjk", number("20261008ABCDEFGHJK")),
            ("20261008-ABC…", number("20261008ABC")),
            ("2026-10-08", number("20261008")),
            ("20261008abc...", number("20261008ABC")),
            ("王小样 13912345678", phone("13912345678")),
            ("王小样(139-1234-5678)", phone("13912345678")),
            ("王小样，13912345678，浙江省杭州市西湖区演示路 478 号 3 幢", phone("13912345678")),
            ("Mary 0571-88886666 某路 1 号", phone("057188886666")),
            ("王小样 139****5678", words("王小样 139****5678")),
            ("王小样 13912345678 或 13912345679", words("王小样 13912345678 或 13912345679")),
            ("A13912345678 苹果", words("A13912345678 苹果")),
            ("1111 2222", Typed::PhoneEnd("11112222".to_owned())),
            ("1111-2222", Typed::PhoneEnd("11112222".to_owned())),
            ("cake", words("cake")),
            ("20261008", number("20261008")),
            ("JDVA12345678901-1-1-", number("JDVA12345678901")),
            ("中通快递 75312345678001", number("75312345678001")),
            ("75312345678001，中通快递", number("75312345678001")),
            ("【中通快递】您的快件75312345678001已发出", number("75312345678001")),
            ("sf1234 5678 90123", number("SF1234567890123")),
            ("运单号:75312345678901", number("75312345678901")),
            ("苹果", words("苹果")),
            ("朝阳区 张三", words("朝阳区 张三")),
            ("3斤装", words("3斤装")),
            ("", words("")),
        ] {
            assert_eq!(Typed::read(typed), read, "{typed}");
        }
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
