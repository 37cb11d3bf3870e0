//! The house rules, stated as absences: who may import whom, and what stands only in its own room.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// A file's code, and what stands in it for tests alone, wherever that is: line for line, each with the other's lines left
/// empty. As `cargo fmt` lays it out, an item ends in its first line, or where one closes that is set in as far as it.
fn apart(text: &str) -> (String, String) {
    let (mut code, mut tests) = (String::new(), String::new());
    let mut lines = text.lines().peekable();
    let mut take = |line: &str, of_tests: bool| {
        let (one, other) = if of_tests { (&mut tests, &mut code) } else { (&mut code, &mut tests) };
        one.push_str(line);
        one.push('\n');
        other.push('\n');
    };
    while let Some(line) = lines.next() {
        let is_of_tests = line.trim_start().starts_with("#[cfg(test)]");
        take(line, is_of_tests);
        if !is_of_tests {
            continue;
        }
        let set_in = line.len() - line.trim_start().len();
        while let Some(more) = lines.next_if(|line| line.trim_start().starts_with(['#', '/'])) {
            take(more, true);
        }
        let first = lines.next().unwrap_or_default();
        take(first, true);
        let mut ended = first.ends_with([';', '}']);
        while !ended {
            let Some(line) = lines.next() else { break };
            take(line, true);
            let closes = line.get(set_in..).is_some_and(|rest| rest.starts_with(['}', ')', ']']));
            ended = closes && line.len() - line.trim_start().len() == set_in && line.ends_with([';', '}']);
        }
    }
    (code, tests)
}

fn code(text: &str) -> String {
    apart(text).0
}

#[test]
fn what_stands_for_tests_alone_is_left_out_wherever_it_is() {
    let text = "a\n#[cfg(test)]\nuse b;\nc\nmod d {\n    #[cfg(test)]\n    /// e\n    fn f(\n        g: u8,\n    ) -> u8 {\n        h {\n        }\n    }\n    i\n}\n#[cfg(test)]\nmod tests {\n    j\n}\nk\n";
    let (code, tests) = apart(text);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert_eq!(words(&code), "a c mod d { i } k");
    assert_eq!(
        words(&tests),
        "#[cfg(test)] use b; #[cfg(test)] /// e fn f( g: u8, ) -> u8 { h { } } #[cfg(test)] mod tests { j }"
    );
    assert_eq!((code.lines().count(), tests.lines().count()), (text.lines().count(), text.lines().count()));
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The floors, from the ground up; a room may import from its own floor's list and below.
const FLOORS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("money", &[]),
    ("nonce", &[]),
    ("typed", &[]),
    ("ids", &["typed"]),
    ("secrets", &["nonce"]),
    ("stored_enum", &[]),
    ("shown", &[]),
    ("assets", &[]),
    ("say", &[]),
    ("sockets", &["say"]),
    ("memory", &[]),
    ("db", &["clock", "say"]),
    ("wechat", &["clock", "ids", "money", "nonce", "stored_enum", "typed"]),
    ("simulator", &["assets", "clock", "money", "nonce", "sockets", "wechat"]),
    ("places", &["typed"]),
    ("packing", &["db", "ids"]),
    (
        "settings",
        &["clock", "db", "money", "nonce", "packing", "places", "say", "secrets", "stored_enum", "typed", "wechat"],
    ),
    ("error", &["db"]),
    ("freight", &["db", "error", "ids", "money", "places", "stored_enum", "typed"]),
    ("shop", &["clock", "db", "error", "memory", "nonce", "packing", "secrets", "settings", "wechat"]),
    ("door", &["error", "say", "shop", "wechat"]),
    ("message_log", &["clock", "db", "ids", "money", "packing", "stored_enum", "wechat"]),
    ("tables", &["typed"]),
    (
        "catalogue",
        &["assets", "clock", "db", "door", "error", "ids", "money", "shop", "shown", "stored_enum", "tables", "typed"],
    ),
    ("buyers", &["clock", "db", "door", "error", "ids", "message_log", "places", "secrets", "shop", "typed", "wechat"]),
    ("staff", &["clock", "db", "door", "error", "ids", "nonce", "secrets", "shop", "stored_enum", "typed"]),
    ("photos", &["buyers", "catalogue", "db", "door", "error", "ids", "shop"]),
    ("refunds", &["db", "ids", "money", "photos", "stored_enum"]),
    ("exceptions", &["clock", "db", "ids", "refunds", "stored_enum"]),
    ("jobs", &["clock", "db", "ids", "stored_enum"]),
    ("parcels", &["clock", "db", "error", "jobs", "message_log", "places", "shop", "typed", "wechat"]),
    ("returns", &["clock", "db", "ids", "parcels", "photos", "stored_enum"]),
    ("promotions", &["buyers", "clock", "db", "door", "error", "ids", "money", "shop", "stored_enum", "typed"]),
    (
        "orders",
        &[
            "buyers",
            "catalogue",
            "clock",
            "db",
            "door",
            "error",
            "exceptions",
            "freight",
            "ids",
            "money",
            "nonce",
            "parcels",
            "photos",
            "places",
            "promotions",
            "refunds",
            "returns",
            "settings",
            "shop",
            "stored_enum",
            "typed",
        ],
    ),
    ("customers", &["buyers", "db", "error", "ids", "message_log", "orders", "shop", "stored_enum", "typed", "wechat"]),
    ("ledger", &["clock", "db", "ids", "money", "wechat"]),
    (
        "shipping",
        &[
            "buyers",
            "catalogue",
            "clock",
            "db",
            "error",
            "exceptions",
            "ids",
            "jobs",
            "ledger",
            "message_log",
            "money",
            "orders",
            "parcels",
            "places",
            "refunds",
            "returns",
            "settings",
            "shop",
            "shown",
            "staff",
            "stored_enum",
            "tables",
            "typed",
            "wechat",
        ],
    ),
    (
        "payments",
        &[
            "buyers",
            "clock",
            "db",
            "door",
            "error",
            "exceptions",
            "ids",
            "jobs",
            "ledger",
            "message_log",
            "money",
            "orders",
            "packing",
            "photos",
            "refunds",
            "returns",
            "say",
            "settings",
            "shipping",
            "shop",
            "staff",
            "stored_enum",
            "typed",
            "wechat",
        ],
    ),
    (
        "reconcile",
        &[
            "clock",
            "db",
            "error",
            "exceptions",
            "ids",
            "jobs",
            "ledger",
            "message_log",
            "money",
            "orders",
            "payments",
            "refunds",
            "shop",
            "stored_enum",
            "wechat",
        ],
    ),
    (
        "drafts",
        &[
            "buyers",
            "catalogue",
            "clock",
            "db",
            "door",
            "error",
            "ids",
            "jobs",
            "money",
            "orders",
            "payments",
            "settings",
            "shop",
            "stored_enum",
            "typed",
        ],
    ),
    ("posters", &["catalogue", "clock", "db", "door", "error", "ids", "message_log", "shop", "wechat"]),
    (
        "baskets",
        &["buyers", "catalogue", "clock", "db", "door", "error", "ids", "money", "orders", "shop", "stored_enum"],
    ),
    ("backups", &["clock", "db", "error", "ids", "jobs", "nonce", "payments", "say", "shop"]),
    (
        "outbox",
        &[
            "buyers",
            "clock",
            "db",
            "error",
            "ids",
            "jobs",
            "message_log",
            "money",
            "orders",
            "refunds",
            "returns",
            "settings",
            "shop",
            "stored_enum",
            "wechat",
        ],
    ),
    (
        "invoices",
        &["buyers", "clock", "db", "door", "error", "ids", "money", "orders", "outbox", "shop", "stored_enum", "typed"],
    ),
    (
        "aftersale",
        &[
            "buyers",
            "catalogue",
            "db",
            "door",
            "error",
            "ids",
            "jobs",
            "money",
            "orders",
            "outbox",
            "parcels",
            "payments",
            "photos",
            "refunds",
            "returns",
            "settings",
            "shipping",
            "shop",
            "typed",
        ],
    ),
    (
        "programs",
        &[
            "buyers",
            "catalogue",
            "clock",
            "db",
            "door",
            "error",
            "ids",
            "jobs",
            "orders",
            "outbox",
            "parcels",
            "payments",
            "refunds",
            "secrets",
            "shipping",
            "shop",
            "staff",
            "stored_enum",
            "typed",
        ],
    ),
    (
        "worker",
        &[
            "aftersale",
            "backups",
            "buyers",
            "catalogue",
            "clock",
            "db",
            "drafts",
            "error",
            "ids",
            "jobs",
            "memory",
            "orders",
            "outbox",
            "packing",
            "parcels",
            "payments",
            "photos",
            "programs",
            "reconcile",
            "refunds",
            "returns",
            "settings",
            "shipping",
            "shop",
            "staff",
        ],
    ),
    ("docs", &["assets", "error", "shop"]),
    ("stage", &["assets", "catalogue", "error", "shop"]),
    ("miniprogram", &["assets", "settings", "wechat"]),
    (
        "operations",
        &[
            "backups",
            "clock",
            "db",
            "door",
            "exceptions",
            "jobs",
            "message_log",
            "orders",
            "payments",
            "refunds",
            "secrets",
            "shop",
        ],
    ),
    (
        "console",
        &[
            "aftersale",
            "assets",
            "backups",
            "buyers",
            "catalogue",
            "clock",
            "customers",
            "db",
            "door",
            "drafts",
            "error",
            "exceptions",
            "freight",
            "ids",
            "invoices",
            "jobs",
            "ledger",
            "message_log",
            "miniprogram",
            "money",
            "orders",
            "outbox",
            "parcels",
            "payments",
            "photos",
            "posters",
            "programs",
            "promotions",
            "reconcile",
            "refunds",
            "returns",
            "say",
            "secrets",
            "settings",
            "shipping",
            "shop",
            "shown",
            "staff",
            "stored_enum",
            "tables",
            "typed",
            "wechat",
        ],
    ),
];

#[test]
fn each_floor_stands_on_those_below_it() {
    for (n, (room, allowed)) in FLOORS.iter().enumerate() {
        let below: Vec<_> = FLOORS[..n].iter().map(|(room, _)| *room).collect();
        let wrong: Vec<_> = allowed.iter().filter(|name| !below.contains(name)).collect();
        assert!(wrong.is_empty(), "{room} stands below {wrong:?}, or they have no floor");
        assert!(allowed.is_sorted(), "{room}: {allowed:?} by name");
    }
}

#[test]
fn arrows_go_down_only() {
    let floors: BTreeMap<_, _> = FLOORS.iter().copied().collect();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for (file, text) in sources("src") {
        let here = room(&file);
        if matches!(here, "lib" | "main" | "cli") || !file.ends_with(".rs") {
            continue;
        }
        let allowed = floors.get(here).unwrap_or_else(|| panic!("{here} has no floor in tests/tidy.rs"));
        let code = code(&text);
        let mut rest = code.as_str();
        while let Some(at) = rest.find("crate::") {
            rest = &rest[at + 7..];
            // `use crate::{a, b}` names several rooms at once.
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap().split(',').map(str::trim).collect(),
                None => vec![rest],
            };
            for name in names {
                let name: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if name != here && !allowed.contains(&name.as_str()) && floors.contains_key(name.as_str()) {
                    wrong.push(format!("{here} may not import {name} ({file})"));
                }
                used.insert((here.to_owned(), name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let permits = FLOORS.iter().flat_map(|(room, allowed)| allowed.iter().map(move |name| (*room, *name)));
    let idle: Vec<_> =
        permits.filter(|(room, name)| !used.contains(&((*room).to_owned(), (*name).to_owned()))).collect();
    assert!(idle.is_empty(), "nobody makes use of these permits: {idle:?}");
}

/// Where a file stands in the tree of modules: `orders/mod.rs` is `orders`.
fn module(file: &str) -> Vec<String> {
    let mut path: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        path.pop();
    }
    path
}

/// The paths of a tree of names: `a::{b, c::{self, d}}` are `a::b`, `a::c::self` and `a::c::d`.
fn paths(before: &str, tree: &str) -> Vec<String> {
    let Some((start, inner)) = tree.split_once('{') else {
        return vec![format!("{before}{}", tree.split(" as ").next().unwrap().trim())];
    };
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in inner.trim_end().trim_end_matches('}').chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match (c, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(c),
        }
    }
    let before = format!("{before}{}", start.trim());
    parts.iter().filter(|part| !part.trim().is_empty()).flat_map(|part| paths(&before, part.trim())).collect()
}

/// The whole paths in a text, from its first step on: `a::b` of `x(a::b(c))`.
fn whole_paths(text: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    text.split(|c| !is_path(c)).filter(|path| path.contains("::")).map(str::to_owned).collect()
}

/// The files that a file names: in `use`, and by whole paths in its code, its own children among them. That a folder gathers
/// its children's `routes()`, and gives out again what they make, is no step back to them.
fn named(file: &str, text: &str, modules: &BTreeMap<Vec<String>, String>) -> BTreeSet<String> {
    let plain: String =
        code(text).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
    let here = module(file);
    let is_child = |name: &str| {
        let child = name.split("::").next().unwrap_or_default().to_owned();
        modules.contains_key(&[here.as_slice(), &[child]].concat())
    };
    let (mut names, mut rest) = (Vec::new(), plain.as_str());
    while let Some((before, more)) = rest.split_once("use ") {
        let (tree, after) = more.split_once(';').unwrap_or((more, ""));
        let word = before.split([';', '}', '{']).next_back().unwrap_or_default().trim();
        let word = word.rsplit(']').next().unwrap_or_default().trim();
        match word.is_empty() || word.starts_with("pub") {
            true => {
                names.extend(paths("", tree).into_iter().filter(|name| word.is_empty() || !is_child(name)));
                names.extend(whole_paths(before).into_iter().filter(|path| !path.ends_with("::routes")));
                rest = after;
            }
            // No statement, but a word that ends alike.
            false => {
                names.extend(whole_paths(before));
                rest = more;
            }
        }
    }
    names.extend(whole_paths(rest).into_iter().filter(|path| !path.ends_with("::routes")));
    let found = names.iter().filter_map(|name| {
        let mut path = here.clone();
        let mut steps = name.split("::").filter(|step| !step.is_empty()).peekable();
        match steps.peek() {
            Some(&"crate") => path.clear(),
            Some(&"super" | &"self") => {}
            Some(_) if is_child(name) => {}
            _ => return None,
        }
        for step in steps {
            match step {
                "crate" | "self" => {}
                "super" => drop(path.pop()),
                step => path.push(step.to_owned()),
            }
        }
        // What follows the module is an item in it.
        (1..=path.len()).rev().find_map(|n| modules.get(&path[..n])).filter(|other| *other != file)
    });
    found.cloned().collect()
}

/// A room's one face: what it opens knows nothing of it but its nouns.
const FACE: &str = "the face of its room";
/// A noun that keeps itself, so that nobody makes one that is not kept.
const KEPT: &str = "a noun that keeps itself";

/// Folders whose `mod.rs` names children that name it: which, and why they may. Everything else is read downwards.
const TOGETHER: &[(&str, &[&str], &str)] = &[
    ("buyers/mod.rs", &["buyers/logins.rs", "buyers/store.rs"], KEPT),
    ("catalogue/mod.rs", &["catalogue/store.rs"], KEPT),
    (
        "cli/mod.rs",
        &[
            "cli/backup.rs",
            "cli/demo/mod.rs",
            "cli/doctor.rs",
            "cli/import.rs",
            "cli/messages.rs",
            "cli/new_key.rs",
            "cli/reconcile.rs",
            "cli/replay.rs",
            "cli/serve.rs",
            "cli/simulate_wechat.rs",
            "cli/staff.rs",
        ],
        FACE,
    ),
    ("console/mod.rs", &["console/people/login.rs"], FACE),
    ("db/mod.rs", &["db/asked.rs", "db/migrate.rs", "db/readers.rs", "db/writer.rs"], FACE),
    ("jobs/mod.rs", &["jobs/store.rs"], KEPT),
    ("photos/mod.rs", &["photos/store.rs"], KEPT),
    ("settings/mod.rs", &["settings/changes.rs"], FACE),
    ("shipping/mod.rs", &["shipping/store.rs"], KEPT),
    (
        "simulator/mod.rs",
        &[
            "simulator/bills.rs",
            "simulator/control.rs",
            "simulator/delivery.rs",
            "simulator/funds.rs",
            "simulator/push.rs",
            "simulator/refunds.rs",
            "simulator/trades.rs",
            "simulator/v3/mod.rs",
            "simulator/v3/notices.rs",
        ],
        FACE,
    ),
    ("staff/mod.rs", &["staff/store.rs"], KEPT),
    ("tables/mod.rs", &["tables/grid.rs", "tables/heads.rs", "tables/kind.rs", "tables/text.rs"], FACE),
    ("message_log/mod.rs", &["message_log/store.rs"], KEPT),
    ("wechat/v3/mod.rs", &["wechat/v3/sign.rs"], FACE),
];

/// Nouns live in a folder's `mod.rs`, the store imports nouns, stories import the store: then each file can be read
/// after those that it names.
#[test]
fn no_file_comes_back_to_itself() {
    let files: Vec<_> = sources("src").into_iter().filter(|(file, _)| file.ends_with(".rs")).collect();
    let modules: BTreeMap<_, _> = files.iter().map(|(file, _)| (module(file), file.clone())).collect();
    let mut left: BTreeMap<_, _> =
        files.iter().map(|(file, text)| (file.clone(), named(file, text, &modules))).collect();
    assert!(left.values().map(BTreeSet::len).sum::<usize>() > 500, "the imports were read");
    let all = left.clone();
    for (file, children, why) in TOGETHER {
        let names = left.get_mut(*file).unwrap_or_else(|| panic!("there is no {file}"));
        for child in *children {
            assert!(names.remove(*child), "{file} does not name {child}, and need not be allowed to ({why})");
            assert!(reaches(&all, child, file), "{child} comes to {file} by no way, and need not be allowed to");
        }
    }
    // Whoever names nobody that is left can be read now. What remains stands in circles, or names one that does.
    while let Some(file) = left.iter().find(|(_, names)| names.is_empty()).map(|(file, _)| file.clone()) {
        left.remove(&file);
        left.values_mut().for_each(|names| names.retain(|name| *name != file));
    }
    // And whom nobody names stands in none.
    while let Some(file) = left.keys().find(|file| !left.values().any(|names| names.contains(*file))).cloned() {
        left.remove(&file);
    }
    assert!(left.is_empty(), "these files name each other in a circle: {left:#?}");
}

/// Whether one file names another, or one that does.
fn reaches(names: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        if file == to {
            return true;
        }
        if seen.insert(file) {
            next.extend(names.get(file).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

/// Templates are looked up when they are asked for: a name that is none would be found out by whoever opens the page.
#[test]
fn every_page_has_its_template() {
    let mut pages = 0;
    for (file, text) in sources("src") {
        for call in text.split("assets::page(").skip(1) {
            let Some(name) = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            pages += 1;
            assert!(std::path::Path::new("templates").join(name).is_file(), "{file}: there is no template {name}");
        }
    }
    assert!(pages > 40, "{pages}");
}

/// What the frame of all pages sets would stand before what a page is given under the same name: its names are its own.
#[test]
fn the_frame_of_all_pages_takes_no_page_its_names() {
    let layout = std::fs::read_to_string("templates/console/layout.html").unwrap();
    let set: Vec<&str> = layout.split("{% set ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
    assert!(!set.is_empty());
    for name in set {
        assert!(name.starts_with("layout_"), "{name}: a page may be given something of that name");
    }
}

/// One element a line, so that a change to a page can be read. Where no space may be, a line begins with `{%-`, or ends
/// inside of a tag; a sentence is not broken, and stands in one line however long it is.
#[test]
fn no_line_of_a_template_is_longer_than_a_screen() {
    const LONGEST: usize = 160;
    let is_sentence = |line: &str| !line.contains("=\"");
    let mut long = Vec::new();
    for (file, text) in sources("templates") {
        let lines = text.lines().zip(1..).filter(|(line, _)| line.chars().count() > LONGEST && !is_sentence(line));
        long.extend(lines.map(|(_, n)| format!("{file}:{n}")));
    }
    assert!(long.is_empty(), "longer than {LONGEST}: {}", long.join(" "));
}

/// Where a template says a length itself: what is typed there is no text of the shop's.
const SAID_BY_ITSELF: [(&str, &str); 2] = [
    ("console/login.html", "six digits that a phone shows, with a blank between them"),
    ("console/totp.html", "the same"),
];

/// How long a text may be stands once, beside its rule: a template asks for it by name, and each name is asked for.
#[test]
fn a_field_takes_what_its_rule_takes() {
    let rules = std::fs::read_to_string("src/console/lengths.rs").unwrap();
    let known: BTreeSet<&str> =
        rules.lines().filter_map(|line| line.split_once("\" =>")?.0.split('"').nth(1)).collect();
    let (mut asked, mut literal) = (BTreeSet::new(), BTreeSet::new());
    let templates = sources("templates");
    for (file, text) in &templates {
        let said = ["maxlength=\"", "minlength=\"", "most="].iter().flat_map(|mark| text.split(mark).skip(1));
        if said.into_iter().any(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            literal.insert(file.as_str());
        }
        let names = ["frame.most.", "frame.least."].iter().flat_map(|mark| text.split(mark).skip(1));
        asked.extend(names.filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next()));
    }
    assert_eq!(asked, known, "asked for by templates, and known to src/console/lengths.rs");
    assert_eq!(
        literal,
        SAID_BY_ITSELF.map(|(file, _)| file).into(),
        "say a length that stands in src/console/lengths.rs"
    );
    assert!(known.len() > 40, "{}", known.len());
}

/// Answers in JSON: to a page's own script, and for a file that somebody carries away.
const JSON: [&str; 2] = ["catalogue/cell.rs", "system/bundle.rs"];

/// How a page would name what it shows only for its template to find; a struct is what a page is.
const LOOSE: [&str; 2] = ["context! {", "json!("];

#[test]
fn every_page_is_a_type() {
    let mut wrong = Vec::new();
    for (file, text) in sources("src/console").into_iter().filter(|(file, _)| !JSON.contains(&file.as_str())) {
        wrong
            .extend(LOOSE.iter().filter(|loose| code(&text).contains(**loose)).map(|loose| format!("{file}: {loose}")));
    }
    assert!(wrong.is_empty(), "a page is a struct, filled from one read: {wrong:?}");
}

/// The templates of the console that a text names.
fn templates_named(text: &str) -> BTreeSet<String> {
    let named = text.split("\"console/").skip(1).filter_map(|rest| rest.split('"').next());
    named.filter(|name| name.ends_with(".html")).map(str::to_owned).collect()
}

/// Each page is made once of a sample where nothing may be missing that its template asks for.
#[test]
fn every_page_is_made_in_a_test_under_the_strictest_mode() {
    let (mut made, mut tried) = (BTreeSet::new(), BTreeSet::new());
    for (_, text) in sources("src") {
        let (code, tests) = apart(&text);
        made.extend(templates_named(&code));
        tried.extend(templates_named(&tests));
    }
    assert!(made.len() > 60, "{}", made.len());
    let untried: Vec<_> = made.difference(&tried).collect();
    assert!(untried.is_empty(), "no test makes these with `assets::strictly`: {untried:?}");
}

/// Where a word may stand; anywhere else it is reported.
#[test]
fn each_thing_stands_in_its_own_room() {
    let sql = |line: &str| {
        let line = line.trim_start().trim_start_matches('"');
        ["select ", "insert into ", "update ", "delete from "].iter().any(|start| line.starts_with(start))
    };
    let mut wrong = Vec::new();
    for (file, text) in sources("src").into_iter().filter(|(file, _)| file.ends_with(".rs")) {
        let here = room(&file);
        for (n, line) in code(&text).lines().enumerate() {
            let plain = line.trim_start();
            if plain.starts_with("//") {
                continue;
            }
            let mut rule = |broken: bool, rule: &str| {
                if broken {
                    wrong.push(format!("{file}:{}: {rule}: {plain}", n + 1));
                }
            };
            // Workbooks are XML as well, and are read where every other kind of table is.
            let xml = ["wechat", "tables"].contains(&here);
            rule(plain.contains("quick_xml") && !xml, "XML outside wechat");
            rule((plain.contains("md5") || plain.contains("Md5::")) && here != "wechat", "MD5 outside wechat");
            rule(sql(plain) && !file.ends_with("/store.rs") && here != "db", "SQL outside store.rs");
            let clocks = plain.contains("Utc::now") || plain.contains("SystemTime") || plain.contains("Local::now");
            rule(clocks && here != "clock", "a clock outside clock");
            rule((plain.contains("rand::") || plain.contains("OsRng")) && here != "nonce", "randomness outside nonce");
            // A spreadsheet's cells are what they are: the report hands over finished decimals and computes nothing, and
            // what comes in is made a decimal at once.
            let spreadsheet = ["reconcile/report.rs", "tables/number.rs"].contains(&file.as_str());
            rule((plain.contains("f64") || plain.contains("f32")) && !spreadsheet, "floating point");
            rule(plain.contains("Connection::open") && here != "db", "a connection outside db");
            let by_hand = ["shop.db.write", "shop.db.read", "Ok::<_, Error>"];
            rule(by_hand.iter().any(|old| plain.contains(old)), "shop.write and shop.read know the error");
            rule(plain.contains("todo!") || plain.contains("unimplemented!"), "unfinished");
            rule(
                file.ends_with("/store.rs") && plain.contains(".ok()") && !plain.contains("parse"),
                "a swallowed database error",
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Links and forms: what changes something is a POST, and nothing is fetched from elsewhere.
#[test]
fn pages_change_nothing_by_get_and_fetch_nothing_from_elsewhere() {
    let mut wrong = Vec::new();
    for (file, text) in sources("templates").into_iter().chain(sources("static")) {
        for (n, line) in text.lines().enumerate() {
            let elsewhere =
                ["src=\"http", "href=\"http", "url(http", "@import", "//cdn"].iter().any(|start| line.contains(start));
            let inline = line.contains(" style=\"") || line.contains(" onclick=\"") || line.contains("<script>");
            let raw = line.contains("|safe");
            if elsewhere || raw || (inline && file.ends_with(".html")) {
                wrong.push(format!("{file}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    for (file, text) in sources("src").into_iter().filter(|(file, _)| file.ends_with(".rs")) {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if line.trim_start().starts_with("#[get(") {
                let body: String = lines.clone().take_while(|line| *line != "}").collect();
                if ["shop.write", "db.write"].iter().any(|call| body.contains(call)) && !file.ends_with("operations.rs")
                {
                    wrong.push(format!("{file}: a GET writes: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `log`'s own lines below an error are left out of a release: whoever wants to be heard there uses `say!`.
#[test]
fn what_is_less_than_an_error_is_said_by_our_own_macro() {
    for (file, text) in sources("src").into_iter().filter(|(file, _)| file.ends_with(".rs")) {
        for level in ["warn", "info", "debug", "trace"] {
            assert!(!text.contains(&format!("log::{level}!")), "{file}: log::{level}!");
        }
    }
}

/// The standard library's macros panic when nobody reads what they print, and take down whatever said it.
#[test]
fn what_is_printed_may_be_printed_to_nobody() {
    for (file, text) in sources("src").into_iter().filter(|(file, _)| file.ends_with(".rs")) {
        for name in ["println!(", "print!(", "dbg!("] {
            assert!(!code(&text).contains(name), "{file}: {name}");
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (file, text) in sources("src").into_iter().chain(sources("tests")) {
        if file.ends_with(".rs") {
            assert!(text.starts_with("//! "), "{file} does not open with its purpose");
        }
    }
}

/// Tables of whose rows the newest may go, and whose numbers may come again: nobody holds them for longer than the row lives.
const MAY_COME_AGAIN: &[&str] = &[
    // Nobody is told it.
    "buyer_sessions",
    "idempotency_keys",
    "ledger",
    "login_codes",
    "login_failures",
    // One's own, and written anew at once.
    "order_views",
    // Found by what they are about.
    "former_keys",
    "jobs",
    // Only what is older than others goes.
    "deliveries",
    "messages",
    "outbox",
    "product_imports",
];

/// SQLite gives the number of the newest row to the next one once it is gone, and a page, a phone or another row may hold it
/// still: what is done by it would be done to something else.
#[test]
fn no_number_that_somebody_may_hold_is_given_twice() {
    let migrations = sources("src/db/migrations");
    let numbered = |table: &str| {
        let head = format!("create table {table} (");
        let own = |text: &str| {
            let first =
                text.split(&head).nth(1)?.lines().find(|line| !line.trim().is_empty() && !line.contains("--"))?;
            first.trim().starts_with("id ").then_some(first.contains("integer primary key,"))
        };
        migrations.iter().any(|(_, text)| own(text) == Some(true))
    };
    let guarded = |table: &str| {
        let trigger = format!("create trigger {table}_gone after delete on {table} begin");
        migrations.iter().any(|(_, text)| text.contains(&trigger))
    };
    let (mut seen, mut fresh) = (0, 0);
    for (file, text) in sources("src") {
        for table in text.split("delete from ").skip(1) {
            let table = table.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default();
            if file.ends_with(".rs") && numbered(table) && !MAY_COME_AGAIN.contains(&table) {
                assert!(guarded(table), "{file}: a number of {table} may be given twice");
                seen += 1;
            }
        }
        fresh += text.matches(".fresh_id(\"").count();
    }
    assert!(seen >= 7 && fresh >= 7, "{seen} {fresh}");
}

/// What a merchant may be given without asking anybody: no licence that binds the shop's own code.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Names that the program holds in more than one version, because of Rocket, figment, notify, lettre and their kin.
const TWICE: usize = 21;

#[test]
fn every_part_may_be_given_away_and_few_are_there_twice() {
    let arguments = ["tree", "--locked", "--offline", "--prefix", "none", "-e", "normal,build", "--format", "{p}|{l}"];
    let tree =
        std::process::Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let tree = tree.unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(tree.stdout).unwrap().lines() {
        let (package, licence) = line.trim_end_matches(" (*)").split_once('|').unwrap();
        let mut words = package.split(' ');
        let (name, version) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        versions.entry(name).or_default().insert(version);
        // Every part of an `AND` must be fine, and one side of each `OR`.
        let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
        let fine = plain.split(" AND ").all(|all| all.split(" OR ").any(|one| LICENCES.contains(&one.trim())));
        assert!(fine, "{package}: {licence}");
    }
    assert!(versions.len() > 100, "the tree was read");
    let twice: Vec<_> = versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| name).collect();
    assert!(twice.len() <= TWICE, "{} names are there twice: {twice:?}", twice.len());
}

/// The values of a sheet's custom properties in its first rule that `opens` begins.
fn tokens(sheet: &str, opens: &str) -> BTreeMap<String, String> {
    let rule = sheet.split_once(opens).unwrap().1.split('}').next().unwrap();
    let named = rule.split(';').filter_map(|line| line.split_once("--")?.1.split_once(':'));
    named.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

/// One file says what both sides are drawn with: what the buyer's side says of its colours and sizes stands there too.
#[test]
fn the_console_and_the_mini_program_are_drawn_with_the_same_tokens() {
    let read = |file: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let wxss = read("miniprogram/src/app.wxss");
    let ours = tokens(&read("static/tokens.css"), ":root {");
    let is_colour = |value: &str| value.starts_with(['#', '1', '2']) || value.starts_with("rgb");
    let theirs =
        tokens(&wxss, "\npage {").into_iter().filter(|(name, value)| is_colour(value) && !name.starts_with('r'));
    let mut differ: Vec<String> = theirs
        .filter(|(name, value)| ours.get(&format!("b-{name}")) != Some(value))
        .map(|(name, value)| format!("--{name}: {value}"))
        .collect();
    // A size of theirs is a class; two rpx are a px.
    for (name, class) in
        [("note", ".note {"), ("small", ".small {"), ("h", ".h {"), ("title", ".title {"), ("body", "page {")]
    {
        let rule = wxss.split_once(&format!("\n{class}")).unwrap().1.split('}').next().unwrap();
        let size = rule.split_once("font-size: ").unwrap().1.split("rpx").next().unwrap().parse::<u32>().unwrap();
        if ours.get(&format!("b-{name}")) != Some(&format!("{}px", size / 2)) {
            differ.push(format!("{class} {size}rpx"));
        }
    }
    assert!(differ.is_empty(), "static/tokens.css says otherwise than app.wxss: {differ:?}");
}
