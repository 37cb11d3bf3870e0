//! The table of `benches/RESULTS.md`: a row for each thing that was measured, the newest figure of each.

use std::path::Path;

use super::Line;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/RESULTS.md");
/// Between these the table stands; all else in the file is written by people.
const BEGIN: &str = "<!-- cargo bench --bench shop -->\n";
const END: &str = "<!-- / -->";
const HEAD: &str = "| 测什么 | 结果 | 目标 | |\n|---|---|---|---|\n";

fn row(line: &Line) -> String {
    let mark = line.reached.map_or("", |reached| if reached { "✓" } else { "✗" });
    format!("| {} | {} | {} | {mark} |\n", line.what, line.result, line.wanted)
}

/// What a row measures, by which it is found again.
fn measures(row: &str) -> &str {
    row.trim_start_matches('|').split('|').next().unwrap_or_default().trim()
}

/// The file with these rows in its table: each in the place of the one that measured the same, new ones at the end.
fn with(file: &str, lines: &[Line]) -> Option<String> {
    let (before, rest) = file.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    let old = table.strip_prefix(HEAD).unwrap_or(table).lines().filter(|row| row.starts_with('|'));
    let mut rows: Vec<String> = old.map(|row| format!("{row}\n")).collect();
    for new in lines.iter().map(row) {
        match rows.iter_mut().find(|row| measures(row) == measures(&new)) {
            Some(row) => *row = new,
            None => rows.push(new),
        }
    }
    Some(format!("{before}{BEGIN}{HEAD}{}{END}{after}", rows.concat()))
}

/// Prints the rows, and writes them down where the table is.
pub fn keep(lines: &[Line]) {
    println!("\n{HEAD}{}", lines.iter().map(row).collect::<String>());
    let file = std::fs::read_to_string(Path::new(FILE)).expect("the results are beside the bench");
    let file = with(&file, lines).expect("the results have a place for the table");
    std::fs::write(FILE, file).expect("the results can be written");
}
