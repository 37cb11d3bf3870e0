//! Bytes that mean harm: good samples, spoilt at random, thrown at every place that looks at bytes from outside.

mod entries;
mod samples;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use crate::support::*;

/// Something done to a sample, at a place given in parts of its length.
#[derive(Clone, Debug)]
enum Spoil {
    Flip(u16, u8),
    Insert(u16, Vec<u8>),
    Cut(u16, u16),
    Repeat(u16, u16),
    Swap(u16, u16),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let word = prop::sample::select(vec![
        "<",
        ">",
        "]]>",
        "<![CDATA[",
        "&",
        "&#0;",
        "<!DOCTYPE x>",
        "\0",
        "\u{feff}",
        "\"",
        ",",
        "\n",
        "`",
        "{",
        "[",
        "-",
        "9223372036854775808",
        "1e9",
        "０",
        "𠀀",
        "=cmd|' /C calc'!A0",
        "../../",
        "%00",
    ]);
    prop_oneof![
        (any::<u16>(), any::<u8>()).prop_map(|(at, with)| Spoil::Flip(at, with)),
        (any::<u16>(), word).prop_map(|(at, word)| Spoil::Insert(at, word.as_bytes().to_vec())),
        (any::<u16>(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, what)| Spoil::Insert(at, what)),
        (any::<u16>(), any::<u16>()).prop_map(|(at, len)| Spoil::Cut(at, len)),
        (any::<u16>(), any::<u16>()).prop_map(|(at, len)| Spoil::Repeat(at, len)),
        (any::<u16>(), any::<u16>()).prop_map(|(a, b)| Spoil::Swap(a, b)),
    ]
}

fn spoilt(mut bytes: Vec<u8>, how: &[Spoil]) -> Vec<u8> {
    for spoil in how {
        let at = |part: u16| bytes.len() * usize::from(part) / (usize::from(u16::MAX) + 1);
        // Mostly short pieces: a sample that is gone teaches nothing.
        let piece = |part: u16, len: u16| at(part)..(at(part) + usize::from(len % 40)).min(bytes.len());
        match spoil {
            Spoil::Flip(part, with) => {
                let at = at(*part);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= with);
            }
            Spoil::Insert(part, what) => {
                let at = at(*part);
                bytes.splice(at..at, what.iter().copied());
            }
            Spoil::Cut(part, len) => {
                let range = piece(*part, *len);
                bytes.drain(range);
            }
            Spoil::Repeat(part, len) => {
                let range = piece(*part, *len);
                let (end, piece) = (range.end, bytes[range].to_vec());
                bytes.splice(end..end, piece);
            }
            Spoil::Swap(a, b) => {
                let (a, b) = (at(*a), at(*b));
                if !bytes.is_empty() {
                    bytes.swap(a, b);
                }
            }
        }
    }
    bytes
}

#[test]
fn whatever_comes_from_outside_is_read_or_refused() {
    for (name, entry) in entries::ALL {
        let samples = samples::of(name);
        samples.iter().for_each(|sample| entry(sample));
        entry(b"");
        let cases = if matches!(*name, "xlsx" | "xls" | "ods" | "picture") { 150 } else { 600 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let input = (prop::sample::select(samples), prop::collection::vec(spoil(), 1..6));
        let tried = runner.run(&input, |(sample, how)| {
            entry(&spoilt(sample, &how));
            Ok(())
        });
        assert!(tried.is_ok(), "{name}: {}", tried.unwrap_err());
    }
}

/// Through the doors themselves: whatever is posted, the answer is in the contract's form, and never our fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_spoilt_request_is_refused_in_the_form_of_its_door() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let mut runner = TestRunner::deterministic();
    for n in 0..150 {
        let body = order(sku, 1).to_string().into_bytes();
        let how = prop::collection::vec(spoil(), 1..4).new_tree(&mut runner).unwrap().current();
        let body = spoilt(body, &how);
        for path in ["/api/v1/quote", "/api/v1/prepay", "/api/v1/login", "/api/v1/addresses"] {
            let request = w.http().post(w.at(path)).bearer_auth(&alice.token);
            let request = request.header("Content-Type", "application/json").header("Idempotency-Key", w.key());
            let answer = request.body(body.clone()).send().await.unwrap();
            let status = answer.status().as_u16();
            assert!(status < 500, "{n} {path} {status} {how:?}");
            if status >= 400 {
                let error: serde_json::Value = answer.json().await.unwrap();
                assert!(
                    error["error"]["code"].is_string() && error["error"]["requestId"].is_string(),
                    "{path} {error}"
                );
            }
        }
        let notice = samples::of("notice")[0].clone();
        let answer = w.notify(spoilt(notice, &how)).await;
        assert!(answer.contains("<![CDATA[FAIL]]>"), "{answer}");
    }
    w.must_hold().await;
}

/// For the fuzzer: its first samples, in the folder that `SAMPLES` names.
#[test]
#[ignore = "writes files for tests/fuzz/run"]
fn write_samples() {
    let folder = std::path::PathBuf::from(std::env::var("SAMPLES").expect("SAMPLES names a folder"));
    for (name, _) in entries::ALL {
        let at = folder.join(name);
        std::fs::create_dir_all(&at).unwrap();
        for (n, sample) in samples::of(name).into_iter().enumerate() {
            std::fs::write(at.join(format!("sample-{n}")), sample).unwrap();
        }
    }
}
