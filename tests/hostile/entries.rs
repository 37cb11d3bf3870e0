//! The places where bytes from outside are first looked at. Each takes anything and must neither panic nor believe it.
//! The tests throw mutated samples at them; the fuzzer (`tests/fuzz`) goes further.

use std::path::Path;

use xiaopu::buyers::addresses::AddressForm;
use xiaopu::catalogue::import::{self, Column};
use xiaopu::catalogue::media::Picture;
use xiaopu::catalogue::rules;
use xiaopu::door::query;
use xiaopu::ids::OrderNo;
use xiaopu::money::Fen;
use xiaopu::orders::quote::QuoteForm;
use xiaopu::parcels::carriers::Carriers;
use xiaopu::parcels::number::TrackingNo;
use xiaopu::places::{Place, listed};
use xiaopu::settings::regions::Regions;
use xiaopu::shipping::table as shipping;
use xiaopu::tables;
use xiaopu::typed::{bare, clean};
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
    ("xls", xlsx),
    ("ods", xlsx),
    ("pasted", pasted),
    ("picture", picture),
    ("json", json),
    ("places", places),
    ("text", text),
    ("label", label),
    ("export", export),
    ("cell", cell),
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

fn table(bytes: &[u8]) {
    products(tables::read(bytes, &import::WANTED));
    let _ = shipping::read(bytes);
}

fn products(read: Result<tables::Table, tables::Unreadable>) {
    if let Ok(table) = read {
        // Pictures are looked for beside the table: there are none.
        let _ = import::plan(&table, Some(Path::new("/nonexistent")));
    }
}

pub fn csv(bytes: &[u8]) {
    table(bytes);
}

pub fn xlsx(bytes: &[u8]) {
    table(bytes);
}

pub fn pasted(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    products(tables::paste(&text, &import::WANTED));
    let _ = shipping::paste(&text);
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
    let _ = query::page_size(Some(&text));
    if let Some(fen) = Fen::from_yuan(&text) {
        assert_eq!(Fen::from_yuan(&fen.plain()), Some(fen), "{text}");
    }
    if let Some(fen) = Fen::from_wire(&text) {
        assert_eq!(fen.get().to_string(), text, "a number on the wire has one form");
    }
}

/// A number that was read reads as itself, and has the form that carriers and WeChat take.
pub fn label(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(number) = TrackingNo::read(&text) {
        assert_eq!(TrackingNo::read(number.as_str()), Ok(number.clone()), "{text:?}");
        assert!((6..=32).contains(&number.as_str().len()));
    }
    if let Some(no) = OrderNo::read(&text) {
        assert_eq!(OrderNo::read(no.as_str()), Some(no));
    }
    assert_eq!(bare(&bare(&text)), bare(&text));
    let _ = Carriers::default().named(&text);
}

/// Whatever a line says, a table that goes out says the same when it comes back, in both kinds of file.
pub fn export(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let names = text.lines().filter_map(|line| rules::name(line).ok()).take(20);
    let rows: Vec<Vec<String>> = names.map(|name| vec![name.clone(), name, "59.90".to_owned()]).collect();
    let titles = import::titles();
    let head = [Column::Name, Column::Subtitle, Column::Price].map(|column| titles[column as usize]);
    let book = tables::xlsx(&head, &[2], &rows).expect("a workbook can be written");
    for bytes in [tables::csv(&head, &[2], &rows), book] {
        let table = tables::read(&bytes, &import::WANTED).expect("our own table is read");
        assert_eq!(table.rows.len(), rows.len(), "{rows:?}: {:?}", table.notes);
        for (row, written) in table.rows.iter().zip(&rows) {
            for column in [Column::Name, Column::Subtitle] {
                let read = row.text(column as usize).map(|text| text.map(clean));
                assert_eq!(read, Some(Ok(written[0].clone())));
            }
        }
    }
}

/// What is read of a cell is read as the same when it is written in its one form.
pub fn cell(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(specs) = import::specs(&text) {
        assert_eq!(import::specs(&import::written(&specs)).as_ref(), Ok(&specs), "{text:?}");
    }
    if let Ok(price) = rules::price(&text, "", "") {
        assert_eq!(rules::price(&price.plain(), "", ""), Ok(price), "{text:?}");
    }
    if let Some(n) = tables::count(&text) {
        assert_eq!(tables::count(&n.to_string()), Some(n), "{text:?}");
    }
    let settled = tables::settled(&text);
    assert_eq!(tables::settled(&settled), settled, "{text:?}");
}
