//! What a line says against other rows of its table: against those above it (`以上作废`, `↑这个先别发`), against the one whose number it
//! has, or against an order that it names (`注：… 这单先不要发`). It is no parcel itself, and those that it means would leave.

use super::void;
use super::{Of, Row};
use crate::ids::OrderNo;
use crate::parcels::halts::halts;
use crate::parcels::number::TrackingNo;
use crate::typed::{bare, holds, holds_one_of, simplified};

/// A line that is no row of the table, or has nothing but words.
pub struct Line {
    pub sheet: String,
    /// Of those above the headings: none.
    pub line: usize,
    pub words: String,
    /// It stands among others that somebody typed: what names nothing is said of the one before.
    pub is_typed: bool,
}

/// Which of the rows above it a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Above {
    All,
    Last,
}

/// Whether a line is of what stands above it.
pub fn is_of_those_above(text: &str) -> bool {
    above(text).is_some() && !is_of_those_below(text)
}

fn is_of_those_below(text: &str) -> bool {
    holds_one_of(&simplified(text), "以下 下面 下列 下述 ↓ ⬇")
}

fn above(text: &str) -> Option<Above> {
    const ALL: &str =
        "以上 上述 前述 上面都 上面的都 上面这 上面几 上面全 上面所有 前面都 前面的都 前面这 前面几 前面全";
    const LAST: &str = "上面 上一 上条 上单 上个 前一 刚才 刚刚 ↑ ⬆ 👆";
    let text = simplified(&bare(text));
    let counted = |rest: &str| {
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
        behind.len() < rest.len() && behind.starts_with(['个', '单', '条', '行', '笔', '票'])
    };
    match () {
        () if holds_one_of(&text, ALL) || text.split('第').skip(1).any(counted) => Some(Above::All),
        () if holds_one_of(&text, LAST) => Some(Above::Last),
        () => None,
    }
}

/// Asks about the rows that lines speak against. Those without a number do not leave.
pub fn ask(lines: &[Line], rows: &mut [Row]) {
    for said in lines.iter().filter(|said| denies(&said.words) || corrects(&said.words)) {
        let written: String = said.words.trim().chars().take(40).collect();
        let place = if said.line > 0 { format!("第 {} 行", said.line) } else { "表头上面".to_owned() };
        for at in meant(said, rows) {
            rows[at].ask(Of::Row, format!("{place}写着“{written}”，说的像是这一行"));
        }
    }
}

fn meant(said: &Line, rows: &[Row]) -> Vec<usize> {
    let all = || rows.iter().enumerate().filter(|(_, row)| !row.tracking_no.trim().is_empty());
    let of = |fits: &dyn Fn(&Row) -> bool| all().filter(|(_, row)| fits(row)).map(|(at, _)| at).collect::<Vec<_>>();
    let orders = OrderNo::all(&said.words);
    if !orders.is_empty() {
        return of(&|row| OrderNo::read(&row.order_no).is_some_and(|no| orders.contains(&no)));
    }
    let numbers = bare(&said.words);
    let numbers: Vec<&str> = numbers.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| run.len() > 7).collect();
    let has_its_number = |row: &Row| {
        let own = TrackingNo::read(&row.tracking_no).ok();
        row.line != said.line && numbers.iter().any(|run| own.is_some() && TrackingNo::read(run).ok() == own)
    };
    let numbered = of(&has_its_number);
    if !numbered.is_empty() {
        return numbered;
    }
    let before = |row: &Row| row.sheet == said.sheet && row.line < said.line;
    let last = || all().filter(|(_, row)| before(row)).map(|(_, row)| row.line).max();
    match above(&said.words) {
        Some(Above::All) => of(&before),
        Some(Above::Last) => of(&|row| before(row) && Some(row.line) == last()),
        None if said.is_typed && !is_of_those_below(&said.words) && !is_of_others(&said.words) => {
            of(&|row| before(row) && Some(row.line) == last())
        }
        None => Vec::new(),
    }
}

/// `剩下的明天发`
fn is_of_others(text: &str) -> bool {
    holds_one_of(&simplified(text), "剩下 其余 其他 其它 别的 余下 剩余 还有")
}

/// Whether words, but for the numbers among them, say that something is void or is to stay.
pub fn denies(text: &str) -> bool {
    let text = bare(text);
    let is_long = |run: &str| run.len() > 7 && run.bytes().all(|b| b.is_ascii_alphanumeric());
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let rest: String = parts.map(|part| without_its_number(part, &is_long)).collect();
    void::in_a_line(&rest).is_some() || halts(&rest) || void::calls_void(&rest)
}

fn without_its_number<'t>(part: &'t str, is_long: &dyn Fn(&str) -> bool) -> &'t str {
    let run = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    if is_long(run) { &part[run.len()..] } else { part }
}

/// Whether a line puts a number right that somebody wrote before: `不对，应该是 …`, `*…`.
fn corrects(text: &str) -> bool {
    let text = simplified(&bare(text));
    let numbered = text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() > 7);
    let said = holds(&text, &["不对", "更正", "应该是", "应为", "改成", "改为", "换成", "纠正", "错了", "写错"]);
    numbered && (said || text.starts_with('*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shipping::table::paste;

    const A: &str = "20261008ABCDEFGHJK";
    const B: &str = "20261008ABCDEFGHJL";

    /// The lines of the rows with a number that are asked about what `line` says.
    fn asked(text: &str, line: &str) -> Vec<usize> {
        let rows = paste(text).unwrap_or_else(|e| panic!("{text}: {e}")).rows;
        let asked = rows.iter().filter(|row| !row.tracking_no.is_empty() && OrderNo::read(&row.order_no).is_some());
        let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let says = |row: &&Row| row.beside().any(|words| plain(words).contains(&plain(line)));
        asked.filter(says).map(|row| row.line).collect()
    }

    #[test]
    fn a_line_is_asked_of_the_rows_that_it_means() {
        let (a, b) = (format!("{A} 中通 75312345678901"), format!("{B} 圆通 YT8812345678901"));
        for (line, right) in [
            ("以上作废", &[1, 2][..]),
            ("上面的都先别发", &[1, 2]),
            ("第一个取消了", &[1, 2]),
            ("↑这个先别发", &[2]),
            ("上面那个单号错了", &[2]),
            ("不对，应该是 75312345678999", &[2]),
            ("*75312345678999", &[2]),
            ("先别发", &[2]),
            ("75312345678901 作废", &[1]),
            ("以上发完了", &[]),
            ("剩下的明天发", &[]),
            ("辛苦了", &[]),
        ] {
            let text = format!("{a}\n{b}\n{line}\n20261008ABCDEFGHJM 申通 773123456789012");
            let found: Vec<usize> = asked(&text, line).into_iter().filter(|at| *at < 3).collect();
            assert_eq!(found, right, "{line}");
            assert!(!is_of_those_above(line) || !asked(&text, line).contains(&4), "{line}");
        }
        let headed = |line: &str| format!("订单号\t快递单号\n{A}\t75312345678901\n{B}\tYT8812345678901\n{line}");
        for (line, right) in [
            ("以上作废\t", &[2, 3][..]),
            ("上面那个先别发\t", &[3]),
            (&format!("注：{A} 这单先不要发\t"), &[2]),
            (&format!("备注：{A} 改地址，等通知\t"), &[2]),
            (&format!("注：{A} 是加急\t"), &[]),
            ("以上已核对\t", &[]),
        ] {
            assert_eq!(asked(&headed(line), line.trim()), right, "{line}");
        }
        let over = format!("注：{A} 这单先不要发\t\n{}", headed(""));
        assert_eq!(asked(&over, "这单先不要发"), [3]);
    }
}
