//! The carrier that is written once for several rows: in a line or a title over them, or in the first of their cells.

use super::{Of, Row, pointed};
use crate::parcels::carriers::{Carrier, Carriers, recognise, same_house, says_nobody};
use crate::parcels::number::TrackingNo;
use crate::typed::{bare, clauses, simplified};

/// The carrier of a line that says nothing else: `顺丰快运：`, `以下都是申通`, `今天走申通`, `申通快递 12月1日发货明细`.
pub fn carrier_of_a_line(text: &str) -> Option<String> {
    // The longer before what they begin with.
    const AROUND: [&str; 32] = [
        "以上",
        "以下",
        "上面",
        "下面",
        "这些",
        "全部",
        "统一",
        "今天",
        "今日",
        "快递公司",
        "物流公司",
        "快递单号",
        "运单号",
        "物流单号",
        "面单",
        "单号",
        "发货明细",
        "发货清单",
        "发货表",
        "发货单",
        "发货",
        "明细",
        "清单",
        "都是",
        "都走",
        "都发",
        "全是",
        "均为",
        "走的",
        "发的",
        "是",
        "走",
    ];
    let mut plain = simplified(&without_days(&bare(text)));
    for word in AROUND {
        plain = plain.replace(word, " ");
    }
    let carriers = Carriers::default();
    let mut words = clauses(&plain);
    let (Some(word), None) = (words.next(), words.next()) else { return None };
    let named = word.strip_suffix(['的', '单', '号']).filter(|_| !carriers.knows(word)).unwrap_or(word);
    let named = named.strip_prefix(['发', '用']).filter(|_| !carriers.knows(named)).unwrap_or(named);
    (!says_nobody(named) && carriers.knows(named)).then(|| named.to_owned())
}

/// What lines between the rows of a table say of them.
#[derive(Default)]
pub struct Over {
    /// The last line that named a carrier, and of which sheet and row on.
    last: Option<(String, String)>,
    from: usize,
    /// What was taken, by the words that it stands in.
    taken: Vec<String>,
}

impl Over {
    /// Whether a line names a carrier and nothing else; `before` are the rows above it.
    pub fn line(&mut self, words: &str, before: &mut [Row]) -> bool {
        let Some(carrier) = carrier_of_a_line(words) else { return false };
        if pointed::is_of_those_above(words) {
            for row in before.iter_mut().skip(self.from) {
                self.fill(row, words, &carrier);
            }
            self.last = None;
        } else {
            self.last = Some((words.trim().to_owned(), carrier));
        }
        self.from = before.len();
        true
    }

    /// A row with a number that says nothing of its carrier has the one that is said above it, in a line or otherwise.
    pub fn take(&mut self, row: &mut Row, above: impl Fn() -> Option<(String, String)>) {
        if lacks_one(row)
            && let Some((words, carrier)) = self.last.clone().or_else(above)
        {
            self.fill(row, &words, &carrier);
        }
    }

    fn fill(&mut self, row: &mut Row, words: &str, carrier: &str) {
        if lacks_one(row) {
            row.company = carrier.to_owned();
            if !self.taken.iter().any(|taken| taken == words) {
                self.taken.push(words.to_owned());
            }
        }
    }

    /// By what the carrier was taken where a row names none.
    pub fn note(&self) -> Option<String> {
        const NAMED: usize = 4;
        let named: Vec<&str> = self.taken.iter().take(NAMED).map(String::as_str).collect();
        let more = if self.taken.len() > NAMED { "等" } else { "" };
        (!named.is_empty()).then(|| format!("快递公司 ← 没有写的，按上面或下面写的“{}”{more}", named.join("”、“")))
    }
}

/// Whether a row has a number and says nothing of who carries it.
fn lacks_one(row: &Row) -> bool {
    row.company.trim().is_empty() && !row.tracking_no.trim().is_empty()
}

/// Without `12月1日`, `2026-12-01`, `12.1`; other numbers stay.
fn without_days(text: &str) -> String {
    let is_between = |c: char| "年月日号.-/".contains(c);
    let of_a_day = |run: &str| run.contains(is_between) && run.split(is_between).all(|part| part.len() <= 4);
    let mut rest = String::new();
    let mut run = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_digit() || !run.is_empty() && is_between(c) {
            run.push(c);
            continue;
        }
        rest.push_str(if of_a_day(&run) { " " } else { &run });
        run.clear();
        rest.push(c);
    }
    rest
}

/// What people write for what stands in the cell above.
pub fn is_ditto(company: &str) -> bool {
    ["同上", "同", "〃", "″", "\"", "”", "''"].contains(&bare(company).as_str())
}

/// A cell that says that it is the same as the one above it is that. One that is empty below one that names a carrier may mean the same: its
/// number is not taken for another's where it may be that one's.
pub fn look_above(rows: &mut [Row]) {
    let carriers = Carriers::default();
    // The sheet and the carrier of the last row that names one.
    let mut above: Option<(String, String)> = None;
    for row in rows {
        let of_sheet = above.as_ref().filter(|(sheet, _)| *sheet == row.sheet).map(|(_, company)| company);
        if let Some(company) = of_sheet.filter(|_| is_ditto(&row.company)) {
            row.company.clone_from(company);
        }
        if !row.company.trim().is_empty() {
            above = Some((row.sheet.clone(), row.company.clone()));
            continue;
        }
        let guess = TrackingNo::read(&row.tracking_no).ok().and_then(|number| recognise(&number));
        let carrier = of_sheet.and_then(|company| carriers.known(company));
        let (Some(carrier), Some(guess)) = (carrier, guess) else { continue };
        let guessed = Carrier::known(guess.code);
        if guessed != carrier && (!guess.sure || same_house(&guessed, &carrier)) {
            let words = format!("上面的行写的是{}，这一行没写，单号像是{}：请在这里写上", carrier.name, guessed.name);
            row.ask(Of::Company, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_carrier_of_its_rows_where_it_says_nothing_else() {
        for (line, right) in [
            ("顺丰快运：", "顺丰快运"),
            ("【申通】", "申通"),
            ("以下都是申通", "申通"),
            ("今天走申通", "申通"),
            ("今天发申通的", "申通"),
            ("以上都是圆通快递", "圆通快递"),
            ("申通快递12月1日发货明细", "申通快递"),
            ("2026-12-01 中通 发货清单", "中通"),
            ("快递公司：韵达", "韵达"),
            ("申通单号", "申通"),
            ("順豐快運", "顺丰快运"),
            ("圆通、申通", ""),
            ("从中通换成申通", ""),
            ("别发申通", ""),
            ("顺丰明天来收", ""),
            ("顺丰生鲜 发货清单", ""),
            ("快递", ""),
            ("发货明细", ""),
            ("", ""),
        ] {
            assert_eq!(carrier_of_a_line(line).unwrap_or_default(), right, "{line}");
        }
    }
}
