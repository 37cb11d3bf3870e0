//! Small files that unpack to a great deal, several at once: the shop takes them one after the other and stays small.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use tokio::task::JoinSet;

use super::bombs::{self, workbook};
use super::{Program, Running, simulated};
use crate::support::client;

/// What a machine of the smallest kind can spare.
const MOST_KIB: u64 = 300 * 1024;
/// What a released program has mapped of itself. A debug one maps three times as much, which says nothing of uploads.
const PROGRAM_KIB: u64 = 16 * 1024;

/// The most that was taken so far; of a debug program without what is mapped from files.
fn peak_kib(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.0.id())).unwrap();
    let kib = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    match cfg!(debug_assertions) {
        true => kib("VmHWM:") - kib("RssFile:") + PROGRAM_KIB,
        false => kib("VmHWM:"),
    }
}

/// They wait for each other, and an unoptimised build takes a second each.
const PATIENCE: Duration = Duration::from_secs(600);

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
        ("a long string in every cell of an old book", bombs::old_workbook(&"长".repeat(10_000), 1)),
        ("an old book of one sheet, 400 times", bombs::old_workbook("长", 400)),
        ("a cell of 60 MB", workbook(("", 0), &[("<row><c r=\"A1\" t=\"inlineStr\"><is><t>长长长长长长", 3_000_000)])),
    ];
    println!("{} MiB before anything", peak_kib(&running) / 1024);
    for (what, table) in tables {
        let mut sent = JoinSet::new();
        for (cookie, path) in [(&packer, "/admin/shipping"), (&manager, "/admin/products/import")].repeat(4) {
            let form = Form::new().part("file", Part::bytes(table.clone()).file_name("发货.xlsx"));
            let request = client().post(program.at(path)).header("Cookie", cookie).multipart(form);
            sent.spawn(request.timeout(PATIENCE).send());
        }
        for answer in sent.join_all().await {
            assert!(answer.unwrap().status().as_u16() < 500, "{what}");
        }
        must_be_small(&running, &format!("8 × {what} ({} KB)", table.len() / 1000));
    }
    // An unoptimised build takes seconds for one of forty megapixels, so one of nine is.
    let grey: Vec<_> = [6_300, 500, 500, 500, 500, 500, 500, 500, 500].map(bombs::grey_png).to_vec();
    for (forms, what, pictures) in [
        (6, "nine grey pictures", grey),
        (1, "a JPEG in scans of its own", vec![bombs::progressive_jpeg()]),
        (1, "a WebP without loss", vec![bombs::webp()]),
        (1, "a GIF with a large first frame", vec![bombs::gif()]),
        (1, "a strip that lies on its side", vec![bombs::turned_strip()]),
        (1, "a PNG of sixteen bits", vec![bombs::deep_png()]),
    ] {
        let mut sent = JoinSet::new();
        for _ in 0..forms {
            let mut form = Form::new().text("name", "梨子");
            for picture in &pictures {
                form = form.part("images", Part::bytes(picture.clone()).file_name("梨.png"));
            }
            let request = client().post(program.at("/admin/products")).header("Cookie", &manager).multipart(form);
            sent.spawn(async { request.timeout(PATIENCE).send().await.unwrap() });
        }
        for answer in sent.join_all().await {
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "it has no price");
            let page = answer.text().await.unwrap();
            assert!(!page.contains("图片展开后太大") && !page.contains("图片已损坏"), "{what} are taken");
        }
        must_be_small(&running, &format!("{forms} forms with {what} ({} KB)", pictures.concat().len() / 1000));
    }
}

fn must_be_small(running: &Running, what: &str) {
    let peak = peak_kib(running);
    println!("{} MiB after {what}", peak / 1024);
    assert!(peak < MOST_KIB, "{what}: {} MiB", peak / 1024);
}

fn cells(row: usize) -> String {
    ["A", "B", "C", "D", "E", "F", "G", "H"].map(|at| format!("<c r=\"{at}{row}\" t=\"s\"><v>0</v></c>")).concat()
}
