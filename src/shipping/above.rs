//! The carrier that is written once for several rows: in a line or a title over them, or in the first of their cells.

use super::{Of, Row, pointed};
use crate::parcels::carriers::{Carrier, Carriers, could_carry, recognise, same_house, says_nobody};
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
    let mut words = clauses(&plain).filter(|word| !is_beside(word));
    let (Some(word), None) = (words.next(), words.next()) else { return None };
    let named = without_a_count(word).filter(|named| carriers.knows(named)).unwrap_or(word);
    let named = named.strip_suffix(['的', '单', '号']).filter(|_| !carriers.knows(named)).unwrap_or(named);
    let named = named.strip_prefix(['发', '用', '的']).filter(|_| !carriers.knows(named)).unwrap_or(named);
    (!says_nobody(named) && carriers.knows(named)).then(|| named.to_owned())
}

/// What may stand beside a carrier's name and says nothing of it: how many, out of which warehouse, by whom.
fn is_beside(word: &str) -> bool {
    let of_whom = word.chars().count() == 2 && word.starts_with(['小', '老', '阿']) && !word.ends_with(['件', '包']);
    let counts = ["共", "合计", "共计", "票", "单", "件", "笔", "包裹", "个包裹"].contains(&word)
        || word.chars().all(|c| c.is_ascii_digit());
    counts || without_a_count(word) == Some("") || word.contains('仓') && !Carriers::default().knows(word) || of_whom
}

/// `申通2票` without the count of its parcels; `None` where there is none.
fn without_a_count(word: &str) -> Option<&str> {
    const UNITS: [char; 8] = ['单', '票', '件', '个', '笔', '包', '箱', '份'];
    let counted = word
        .strip_suffix("包裹")
        .map(|rest| rest.strip_suffix('个').unwrap_or(rest))
        .or_else(|| word.strip_suffix(UNITS))?;
    let named = counted.trim_end_matches(|c: char| c.is_ascii_digit() || "一二两三四五六七八九十百".contains(c));
    (named.len() < counted.len()).then(|| named.trim_end_matches('共'))
}

/// What lines between the rows of a table say of them.
#[derive(Default)]
pub struct Over {
    /// The last line that named a carrier, and of which sheet and row on.
    last: Option<(String, String)>,
    from: usize,
    /// Where the rows above that line begin, and whether any row stands below it.
    above: usize,
    ends: bool,
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
        (self.above, self.ends) = (self.from, true);
        self.from = before.len();
        true
    }

    /// A line that names a carrier below all rows is of those above it that no other line is of.
    pub fn close(&mut self, rows: &mut [Row]) {
        if let Some((words, carrier)) = self.last.take_if(|_| self.ends) {
            for row in rows.iter_mut().skip(self.above) {
                self.fill(row, &words, &carrier);
            }
        }
    }

    /// What the file is called counts last, and for no number that is surely another's.
    pub fn take_name(&mut self, name: &str, rows: &mut [Row]) {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let Some(carrier) = carrier_of_a_line(stem) else { return };
        let named = Carriers::default().known(&carrier);
        let may_be_its = |number: &str| {
            let number = TrackingNo::read(number).ok();
            let guess = number.as_ref().and_then(recognise);
            let is_others = |named: &Carrier| {
                let sure = guess.filter(|guess| guess.sure).map(|guess| Carrier::known(guess.code));
                sure.is_some_and(|sure| !same_house(&sure, named))
            };
            let others = named.as_ref().is_some_and(is_others);
            !others && number.zip(named.as_ref()).is_some_and(|(number, named)| could_carry(named, &number))
        };
        for row in rows.iter_mut().filter(|row| lacks_one(row) && may_be_its(&row.tracking_no)) {
            self.fill(row, name, &carrier);
        }
    }

    /// A row with a number that says nothing of its carrier has the one that is said above it, in a line or otherwise.
    pub fn take(&mut self, row: &mut Row, above: impl Fn() -> Option<(String, String)>) {
        self.ends = false;
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
        let may_be_its = same_house(&guessed, &carrier) || is_of_one_house(&guessed, &carrier);
        if guessed != carrier && (!guess.sure || may_be_its) {
            let words = format!("上面的行写的是{}，这一行没写，单号像是{}：请在这里写上", carrier.name, guessed.name);
            row.ask(Of::Company, words);
        }
    }
}

/// Whether one carries for the other under its own name, or did: their numbers begin alike.
fn is_of_one_house(one: &Carrier, other: &Carrier) -> bool {
    const HOUSES: [[&str; 2]; 5] = [["FWX", "SF"], ["ZYE", "JD"], ["CND", "YTO"], ["HTKY", "JTSD"], ["DNWL", "YTO"]];
    let codes = [one.code.as_str(), other.code.as_str()];
    HOUSES.iter().any(|house| codes.iter().all(|code| house.contains(code)))
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
            ("今天的申通：", "申通"),
            ("申通 2单", "申通"),
            ("申通2单", "申通"),
            ("申通 共 120 票", "申通"),
            ("申通（2票）", "申通"),
            ("申通快递 3个包裹", "申通快递"),
            ("仓库1 申通", "申通"),
            ("杭州仓：申通", "申通"),
            ("申通 小王", "申通"),
            ("都是申通", "申通"),
            ("申通面单12月1日", "申通"),
            ("2单", ""),
            ("杭州仓", ""),
            ("申通 李四", ""),
            ("申通 2单 顺丰 1单", ""),
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
