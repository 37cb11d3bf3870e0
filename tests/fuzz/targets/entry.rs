//! One target for all entries: `XIAOPU_ENTRY` names which.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

#[path = "../../hostile/entries.rs"]
mod entries;

fuzz_target!(|bytes: &[u8]| {
    static ENTRY: OnceLock<entries::Entry> = OnceLock::new();
    let entry = ENTRY.get_or_init(|| {
        let name = std::env::var("XIAOPU_ENTRY").expect("XIAOPU_ENTRY names an entry");
        entries::ALL.iter().find(|(known, _)| *known == name).expect("a known entry").1
    });
    entry(bytes);
});
