//! What the shop costs, as ratios: every row is measured side by side with its yardstick in this one run.
//!
//! `cargo bench --bench shop` runs them all; `cargo bench --bench shop -- notify pages` some of them. What was measured is
//! written into `benches/RESULTS.md`, each row over the one of before.

mod before;
mod disk;
mod goods;
mod grown;
mod load;
mod program;
mod results;
mod rows;
mod seed;
mod versions;
mod yardstick;

use std::path::Path;

/// A line of the table: what was measured, what came out, what was wanted, and whether that was reached.
pub struct Line {
    pub what: String,
    pub result: String,
    pub wanted: String,
    pub reached: Option<bool>,
}

impl Line {
    pub fn new(what: impl Into<String>, result: impl Into<String>) -> Line {
        Line { what: what.into(), result: result.into(), wanted: String::new(), reached: None }
    }

    pub fn at_least(what: impl Into<String>, value: f64, least: f64, more: &str) -> Line {
        let (result, wanted) = (format!("{value:.2}×{more}"), format!("≥ {least}×"));
        Line { what: what.into(), result, wanted, reached: Some(value >= least) }
    }

    pub fn at_most(what: impl Into<String>, value: f64, most: f64, unit: &str, more: &str) -> Line {
        let (result, wanted) = (format!("{value:.2} {unit}{more}"), format!("≤ {most} {unit}"));
        Line { what: what.into(), result, wanted, reached: Some(value <= most) }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [role, port, argument] = arguments.as_slice()
        && let Ok(port) = port.parse()
    {
        return yardstick::run(role, port, Path::new(argument));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    let mut lines = Vec::new();
    runtime.block_on(async {
        for (name, by_default) in rows::ALL {
            if arguments.iter().any(|a| a == name) || (arguments.is_empty() && by_default) {
                eprintln!("— {name}");
                let found = rows::run(name).await;
                found.iter().for_each(print);
                lines.extend(found);
            }
        }
    });
    assert!(!lines.is_empty(), "no row is called so: {}", rows::ALL.map(|(name, _)| name).join(" "));
    results::keep(&lines);
}

fn print(line: &Line) {
    eprintln!("    {}: {}  {}", line.what, line.result, line.wanted);
}
