//! The places where bytes from outside are first looked at. Each takes anything and must neither panic nor believe it.
//! The tests throw mutated samples at them; the fuzzer (`tests/fuzz`) goes further.

use std::path::Path;

use xiaopu::buyers::addresses::AddressForm;
use xiaopu::catalogue::import;
use xiaopu::catalogue::media::Picture;
use xiaopu::door::query;
use xiaopu::money::Fen;
use xiaopu::orders::quote::QuoteForm;
use xiaopu::places::{Place, listed};
use xiaopu::settings::regions::Regions;
use xiaopu::sheet::Table;
use xiaopu::shipping::batch;
use xiaopu::tables;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::{self, SignType};
use xiaopu::wechat::v2::{Merchant, notice};
use xiaopu::wechat::{bill, push};

pub type Entry = fn(&[u8]);

pub const ALL: &[(&str, Entry)] = &[
    ("xml", xml),
    ("notice", payment_notice),
    ("refund_notice", refund_notice),
    ("bill", daily_bill),
    ("csv", csv),
    ("xlsx", xlsx),
    ("pasted", pasted),
    ("picture", picture),
    ("json", json),
    ("places", places),
    ("text", text),
];

pub fn merchant() -> Merchant {
    Merchant::new(
        "wx0000000000000000",
        "1900000109",
        "0123456789abcdefghijABCDEFGHIJ01".parse().unwrap(),
        SignType::Md5,
    )
}

/// What was read can be written, and is then read as the same.
pub fn xml(bytes: &[u8]) {
    if let Ok(message) = Message::read(bytes) {
        let again = Message::read(message.to_xml().as_bytes()).expect("our own XML is read");
        assert!(again.fields().eq(message.fields()), "{message:?} became {again:?}");
    }
    let _ = push::read(bytes);
}

/// Only a right signature makes a payment.
pub fn payment_notice(bytes: &[u8]) {
    let merchant = merchant();
    if let notice::Verdict::Paid(payment) = notice::read(bytes, &merchant).verdict {
        let message = Message::read(bytes).expect("it was read");
        let right = sign::sign(&message.without("sign"), SignType::Md5, &merchant.key);
        assert_eq!(message.get("sign"), Some(right.as_str()));
        assert!(payment.total > Fen::ZERO);
    }
}

/// What was read as a place is that place under its own name, too.
pub fn places(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for place in listed(text).places {
        assert_eq!(Place::parse(&place.text()), Ok(place), "{text}");
    }
    let _ = (Regions::read(text, text), Place::of(text, text, text, text));
}

pub fn refund_notice(bytes: &[u8]) {
    let _ = notice::read_refund_hint(bytes, &merchant());
}

pub fn daily_bill(bytes: &[u8]) {
    let _ = bill::read(bytes, &bill::Own::default());
}

fn table(name: &str, bytes: &[u8]) {
    products(tables::read(bytes, &import::WANTED));
    if let Ok(table) = Table::read(name, bytes) {
        judged(&table);
    }
}

fn products(read: Result<tables::Table, tables::Unreadable>) {
    if let Ok(table) = read {
        // Pictures are looked for beside the table: there are none.
        let _ = import::plan(&table, Some(Path::new("/nonexistent")));
    }
}

fn judged(table: &Table) {
    let _ = batch::rows(table);
}

pub fn csv(bytes: &[u8]) {
    table("a.csv", bytes);
}

pub fn xlsx(bytes: &[u8]) {
    table("a.xlsx", bytes);
}

pub fn pasted(bytes: &[u8]) {
    products(tables::paste(&String::from_utf8_lossy(bytes), &import::WANTED));
    if let Ok(table) = Table::pasted(&String::from_utf8_lossy(bytes)) {
        judged(&table);
    }
}

pub fn picture(bytes: &[u8]) {
    let _ = Picture::read(bytes);
}

pub fn json(bytes: &[u8]) {
    if let Ok(form) = serde_json::from_slice::<QuoteForm>(bytes) {
        let _ = form.check();
    }
    if let Ok(form) = serde_json::from_slice::<AddressForm>(bytes) {
        let _ = form.check("");
    }
}

/// Cursors, limits and amounts: what is read is what was written.
pub fn text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(Some([a, b])) = query::read_cursor::<2>("k", Some(&text)) {
        let again = query::read_cursor::<2>("k", Some(&query::cursor("k", &[a, b])));
        assert_eq!(again.expect("our own cursor is read"), Some([a, b]));
    }
    let _ = query::limit(Some(&text));
    if let Some(fen) = Fen::from_yuan(&text) {
        assert_eq!(Fen::from_yuan(&fen.plain()), Some(fen), "{text}");
    }
    if let Some(fen) = Fen::from_wire(&text) {
        assert_eq!(fen.get().to_string(), text, "a number on the wire has one form");
    }
}
