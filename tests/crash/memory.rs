//! Small files that unpack to a great deal, several at once: the shop takes them one after the other and stays small.

use std::io::{Cursor, Write};
use std::time::Duration;

use image::{ExtendedColorType, ImageEncoder};
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use tokio::task::JoinSet;

use super::{Program, Running, simulated};
use crate::support::client;

/// What a machine of the smallest kind can spare.
const MOST_KIB: u64 = 300 * 1024;
/// What the optimised program has while nobody is there.
const SHIPPED_IDLE_KIB: u64 = 16 * 1024;

/// A workbook with one part that is `piece`, so many times.
fn workbook(strings: (&str, usize), sheets: &[(&str, usize)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, pieces: [(&str, usize); 3]| {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        for (piece, times) in pieces {
            zip.write_all(piece.repeat(times).as_bytes()).unwrap();
        }
    };
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (mut list, mut kinds) = (String::new(), String::new());
    for n in 1..=sheets.len() {
        list += &format!("<sheet name=\"{n}\" sheetId=\"{n}\" r:id=\"r{n}\"/>");
        kinds += &format!("<Relationship Id=\"r{n}\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>");
    }
    let book = format!("<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets>");
    part("xl/workbook.xml", [(&book, 1), (&list, 1), ("</sheets></workbook>", 1)]);
    let relations = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">";
    part("xl/_rels/workbook.xml.rels", [(relations, 1), (&kinds, 1), ("</Relationships>", 1)]);
    part("xl/sharedStrings.xml", [(&format!("<sst xmlns=\"{main}\">"), 1), strings, ("</sst>", 1)]);
    for (n, sheet) in (1..).zip(sheets) {
        let start = format!("<worksheet xmlns=\"{main}\"><sheetData>");
        part(&format!("xl/worksheets/sheet{n}.xml"), [(&start, 1), *sheet, ("</sheetData></worksheet>", 1)]);
    }
    zip.finish().unwrap().into_inner()
}

/// Nearly forty megapixels of one grey.
fn picture() -> Vec<u8> {
    let (side, mut bytes) = (6_300, Vec::new());
    let grey = vec![127; (side * side) as usize];
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(&grey, side, side, ExtendedColorType::L8).unwrap();
    bytes
}

fn peak_kib(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_uploaded_the_shop_stays_small() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let running = program.start();
    program.ready().await;
    program.owner().await;
    let packer = program.member("packer", "packer").await;
    let manager = program.member("manager", "manager").await;
    let long = format!("<si><t>{}</t></si>", "长".repeat(10_000));
    let rows: String = (1..=5_000).map(|row| format!("<row r=\"{row}\">{}</row>", cells(row))).collect();
    let edge: String = (1..=5_000).map(|row| format!("<row><c r=\"IV{row}\"><v>1</v></c></row>")).collect();
    let tables = [
        ("190 MB of empty strings", workbook(("<si><t/></si>", 14_600_000), &[("<row/>", 1)])),
        ("a long string in every cell", workbook((&long, 1), &[(rows.as_str(), 1)])),
        ("sheets that begin far to the right", workbook(("", 0), &[(edge.as_str(), 1); 40])),
        ("a cell of 60 MB", workbook(("", 0), &[("<row><c r=\"A1\" t=\"inlineStr\"><is><t>长长长长长长", 3_000_000)])),
    ];
    let idle = peak_kib(&running);
    println!("{} MiB before anything", idle / 1024);
    // An unoptimised program is itself five times as large as the one that is shipped, so what comes on top is held.
    let most = idle + MOST_KIB - SHIPPED_IDLE_KIB;
    let mut peak;
    for (what, table) in tables {
        let mut sent = JoinSet::new();
        for (cookie, path) in [(&packer, "/admin/shipping"), (&manager, "/admin/products/import")].repeat(4) {
            let form = Form::new().part("file", Part::bytes(table.clone()).file_name("发货.xlsx"));
            let request = client().post(program.at(path)).header("Cookie", cookie).multipart(form);
            sent.spawn(request.send());
        }
        for answer in sent.join_all().await {
            assert!(answer.unwrap().status().as_u16() < 500, "{what}");
        }
        peak = peak_kib(&running);
        println!("{} MiB after 8 × {what} ({} KB)", peak / 1024, table.len() / 1000);
        assert!(peak < most, "{what}: {} MiB", peak / 1024);
    }
    let (picture, mut sent) = (picture(), JoinSet::new());
    for _ in 0..4 {
        let mut form = Form::new().text("name", "梨子");
        for _ in 0..2 {
            form = form.part("images", Part::bytes(picture.clone()).file_name("梨.png"));
        }
        let request = client().post(program.at("/admin/products")).header("Cookie", &manager).multipart(form);
        // An unoptimised build takes seconds a picture, and they wait for each other.
        let request = request.timeout(Duration::from_secs(300));
        sent.spawn(request.send());
    }
    for answer in sent.join_all().await {
        assert_eq!(answer.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY, "it has no price");
    }
    peak = peak_kib(&running);
    println!("{} MiB after 4 forms of pictures ({} KB)", peak / 1024, picture.len() / 1000);
    assert!(peak < most, "pictures: {} MiB", peak / 1024);
}

fn cells(row: usize) -> String {
    ["A", "B", "C", "D", "E", "F", "G", "H"].map(|at| format!("<c r=\"{at}{row}\" t=\"s\"><v>0</v></c>")).concat()
}
