//! What a line says against other rows of its table: against those above it (`以上作废`, `↑这个先别发`), against the one whose number it
//! has, or against an order that it names (`注：… 这单先不要发`). It is no parcel itself, and those that it means would leave.

use super::void;
use super::{Of, Row};
use crate::ids::OrderNo;
use crate::parcels::halts::halts;
use crate::parcels::number::TrackingNo;
use crate::typed::{bare, clauses, holds, holds_one_of, plain, simplified};

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

/// Whether a line speaks of no parcel in particular: of what comes back or is short as such, of another day, of all that has left, or of
/// how a table is to be filled in.
pub fn is_of_none(text: &str) -> bool {
    const FILLS: &str = "填 表格 模板";
    let text = plain(text);
    let mut against = clauses(&text).filter(|clause| denies(clause)).peekable();
    let is_of_none = |clause: &str| {
        has_left(clause) || is_of_a_kind(clause) || is_of_another_day(clause) || holds_one_of(clause, FILLS)
    };
    against.peek().is_some() && against.all(is_of_none)
}

/// 都发出去了, 全都寄走了
fn has_left(clause: &str) -> bool {
    let all = holds_one_of(clause, "都 全 所有 一共");
    all && holds_one_of(clause, "发出 寄出 发走 寄走 发完 寄完 发了 寄了 发掉 签收")
        && !holds_one_of(clause, "没 未 不 别 勿 取消 退 错")
}

/// 缺货的明天补, 有退回的跟我说, 退件我放仓库了, 取消的订单不要填, 苹果快没货了
fn is_of_a_kind(clause: &str) -> bool {
    const KINDS: &str = "缺货 没货 无货 断货 取消 退回 退货 退款 退件 拒收 作废 换货 没填 不发";
    // 取消的订单 alone is what others are called.
    const NOUNS: [&str; 9] = ["订单", "单子", "包裹", "商品", "明细", "清单", "列表", "单", "货"];
    let of_them = |word: &str| {
        let rest = clause.split_once(word).map(|(_, rest)| rest.strip_prefix('了').unwrap_or(rest));
        let mut rest = rest.and_then(|rest| rest.strip_prefix('的')).unwrap_or_default();
        while let Some(behind) = NOUNS.iter().find_map(|noun| rest.strip_prefix(noun)) {
            rest = behind;
        }
        rest.chars().count() > 1
    };
    let pieces =
        clause.strip_prefix("退件").or_else(|| clause.strip_prefix("退货")).or_else(|| clause.strip_prefix("退回来"));
    let put = pieces.is_some_and(|rest| holds_one_of(rest, "放 在 收 到 我"));
    let soon = holds_one_of(clause, "快没货 快没了 快断货 快缺货 快卖完 快要没");
    KINDS.split_ascii_whitespace().any(of_them) || put || soon
}

/// 明天不发货, 昨天有一个拒收的退回来了
fn is_of_another_day(clause: &str) -> bool {
    const DAYS: &str = "明天 明日 后天 周末 周六 周日 周一 下周 星期天 星期日 元旦 春节 国庆 节日 假期";
    const RESTS: &str = "不发货 不出货 不寄件 不发件 不收件 不揽收 不揽件 不上班 停发 休息 放假 不营业 不打单 不打包";
    let behind = DAYS.split_ascii_whitespace().find_map(|day| clause.split_once(day).map(|(_, rest)| rest));
    let rests = behind.is_some_and(|rest| {
        let rest = rest.trim_start_matches(['我', '们', '都', '全', '仓', '库', '快', '递', '店', '里']);
        RESTS.split_ascii_whitespace().any(|word| rest.starts_with(word))
    });
    rests || holds_one_of(clause, "昨天 前天 昨日 前日 上周 上次 上个月")
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
    let ends = ends_named(&said.words);
    let ends_so = |row: &Row| {
        let numbers = [&row.order_no, &row.tracking_no].map(|number| bare(number).to_uppercase());
        row.line != said.line && ends.iter().any(|end| numbers.iter().any(|number| number.ends_with(end.as_str())))
    };
    let ended = of(&ends_so);
    if !ended.is_empty() {
        return ended;
    }
    let before = |row: &Row| row.sheet == said.sheet && row.line < said.line;
    // The end of a phone: nobody knows whose.
    if names_an_end(&said.words) && said.is_typed {
        return of(&before);
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
    let last = || all().filter(|(_, row)| before(row)).map(|(_, row)| row.line).max();
    match above(&said.words) {
        Some(Above::All) => of(&before),
        Some(Above::Last) => of(&|row| before(row) && Some(row.line) == last()),
        None if !said.is_typed
            || is_of_those_below(&said.words)
            || is_of_others(&said.words)
            || is_of_none(&said.words) =>
        {
            Vec::new()
        }
        // 都先别发
        None if is_of_all(&said.words) => of(&before),
        None => of(&|row| before(row) && Some(row.line) == last()),
    }
}

fn is_of_all(text: &str) -> bool {
    holds_one_of(&simplified(text), "都 全部 所有 统统 通通")
}

/// `剩下的明天发`
fn is_of_others(text: &str) -> bool {
    holds_one_of(&simplified(text), "剩下 其余 其他 其它 别的 余下 剩余 还有")
}

fn names_an_end(text: &str) -> bool {
    holds_one_of(text, "尾号 后四位 后4位 后六位 后6位 末四位 末尾 结尾")
}

/// How the number of an order or of its parcel ends, as a line names it: `尾号ABC123的先不发`, `FGHJK 那单取消`.
fn ends_named(text: &str) -> Vec<String> {
    let text = bare(text).to_uppercase();
    let named = names_an_end(&text);
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    let least = if named { 3 } else { 5 };
    let tells = |run: &&str| (least..18).contains(&run.len()) && (named || run.bytes().any(|b| b.is_ascii_digit()));
    runs.filter(tells).map(str::to_owned).collect()
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
            ("都先别发", &[1, 2]),
            ("明天发", &[2]),
            ("缺货", &[2]),
            ("尾号DEFGHJK的先不发", &[1]),
            ("尾号8901的先不发", &[1, 2]),
            ("尾号0014的先不发", &[1, 2]),
            ("78901 那个取消了", &[1, 2]),
            ("剩下的明天发", &[]),
            ("辛苦了", &[]),
            ("都发出去了", &[]),
            ("全都寄出去了", &[]),
            ("明天不发货", &[]),
            ("周日我们不发货，大家早点打单", &[]),
            ("昨天有一个拒收的退回来了", &[]),
            ("苹果快没货了", &[]),
            ("缺货的明天补", &[]),
            ("有退回的跟我说", &[]),
            ("取消的没打", &[]),
            ("退件我放仓库了", &[]),
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
        // What says how to fill the table in, or speaks of no order here, is said of none; and what does is of all.
        for (line, right) in [
            ("说明：快递单号请填在最后一列，取消的订单不要填\t", &[][..]),
            ("退件我放仓库了\t", &[]),
            ("说明：以下订单先不发\t", &[3, 4]),
            ("取消的订单\t", &[3, 4]),
        ] {
            let over = format!("{line}\n{}", headed(""));
            let word = if line.contains("先不发") { "先不发" } else { line.trim() };
            assert_eq!(asked(&over, word), right, "{line}");
        }
        let over = format!("注：{A} 这单先不要发\t\n{}", headed(""));
        assert_eq!(asked(&over, "这单先不要发"), [3]);
    }
}
