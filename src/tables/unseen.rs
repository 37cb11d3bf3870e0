//! Rows and columns that stand in a sheet and not on the screen: filtered out, folded up or hidden.

use std::collections::BTreeSet;

use super::package::{Package, Seen};
use super::zipped::attribute;
use super::{MOST_COLUMNS, MOST_LINE, Unreadable};

#[derive(Clone, Debug, Default)]
pub(super) struct Unseen {
    /// Their numbers as the person would see them.
    pub lines: BTreeSet<u32>,
    /// Counted from zero.
    pub columns: BTreeSet<usize>,
}

impl Unseen {
    /// Lines from one on, so many of them.
    pub(super) fn add_lines(&mut self, first: u32, times: u32) {
        self.lines.extend((first..first.saturating_add(times)).take_while(|line| *line <= MOST_LINE));
    }

    /// Columns from the first to the last, counted from zero.
    pub(super) fn add_columns(&mut self, first: u32, last: u32) {
        self.columns.extend((first..=last.min(MOST_COLUMNS)).map(|column| column as usize));
    }

    /// Those of a sheet of Excel's, which its reader of cells passes over.
    pub(super) fn of(package: &mut Package<'_>, sheet: &str) -> Result<Unseen, Unreadable> {
        let (mut unseen, mut line) = (Unseen::default(), 0_u32);
        package.walk_sheet(sheet, |seen| {
            let Seen::Start(name @ ("row" | "col"), tag) = seen else { return };
            let number = |name: &str| attribute(tag, name).and_then(|text| text.parse::<u32>().ok());
            let hidden = attribute(tag, "hidden").is_some_and(|value| value == "1" || value == "true");
            if name == "row" {
                line = number("r").unwrap_or(line.saturating_add(1));
            }
            match name {
                _ if !hidden => {}
                "row" => unseen.add_lines(line, 1),
                _ => {
                    let first = number("min").unwrap_or(1).max(1);
                    unseen.add_columns(first - 1, number("max").unwrap_or(first).max(1) - 1);
                }
            }
        })?;
        Ok(unseen)
    }
}

/// Lines in words: `第 3、5–9 行`; `None` for no line.
pub(super) fn in_words(lines: &[u32]) -> Option<String> {
    const NAMED: usize = 12;
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => spans.push((*line, *line)),
        }
    }
    let span = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}–{last}") };
    let named: Vec<String> = spans.iter().take(NAMED).map(span).collect();
    let more = if spans.len() > NAMED { format!("…共 {} 行", lines.len()) } else { " 行".to_owned() };
    (!spans.is_empty()).then(|| format!("第 {}{more}", named.join("、")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_follow_each_other_are_one_span() {
        for (lines, words) in [
            (&[][..], None),
            (&[3], Some("第 3 行")),
            (&[3, 5], Some("第 3、5 行")),
            (&[3, 5, 6, 7, 9], Some("第 3、5–7、9 行")),
        ] {
            assert_eq!(in_words(lines).as_deref(), words);
        }
        let many: Vec<u32> = (1..=13).map(|n| n * 2).collect();
        assert_eq!(in_words(&many).unwrap(), "第 2、4、6、8、10、12、14、16、18、20、22、24…共 13 行");
    }
}
