//! Finding the table in its sheets: the row of headings, what belongs to it, and what is left out with a word.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::grid::{Lying, Sheet};
use super::{Cell, Drawn, Head, MOST_ROWS, Place, Row, Table, Unreadable, Wanted, letters, number, unseen};
use crate::typed::{bare, simplified};

/// Headings stand below a title, a date and a few notes, but not deeper.
const DEEPEST_HEAD: usize = 30;

/// How many things that were left out are named one by one.
const NAMED: usize = 8;

/// Every known title in its plain form, with its column and how usual it is.
pub(super) struct Titles {
    known: HashMap<String, (usize, usize)>,
    figures: Vec<usize>,
    alike: fn(&str) -> Option<usize>,
}

/// Where the headings of a sheet are.
struct Found {
    /// The last of their rows: where they stand in two, the lower ones part what the upper ones name together.
    at: usize,
    rows: usize,
    cells: Vec<Cell>,
    /// For every wanted column, where it stands in the sheet.
    columns: Vec<Option<usize>>,
    /// Columns whose title says the same as another's.
    twice: Vec<(usize, usize)>,
}

impl Found {
    fn count(&self) -> usize {
        self.columns.iter().flatten().count()
    }

    fn missing(&self, wanted: &Wanted<'_>) -> Vec<String> {
        let has = |group: &&[usize]| group.iter().any(|column| self.columns[*column].is_some());
        let name = |group: &&[usize]| group.iter().map(|column| wanted.columns[*column][0]).collect::<Vec<_>>();
        wanted.needed.iter().filter(|group| !has(group)).map(|group| name(group).join(" 或 ")).collect()
    }
}

impl Titles {
    pub(super) fn of(wanted: &Wanted<'_>) -> Titles {
        let mut known = HashMap::new();
        for (column, titles) in wanted.columns.iter().enumerate() {
            for (rank, title) in titles.iter().enumerate() {
                let own = wanted.closer.contains(&column) && is_closer(title);
                let rank = if own { rank } else { titles.len() + rank };
                for Form { text: form, .. } in forms(title) {
                    known.entry(form).or_insert((column, rank));
                }
            }
        }
        Titles { known, figures: wanted.figures.to_vec(), alike: wanted.alike }
    }

    fn column(&self, cell: &Cell) -> Option<(usize, usize)> {
        let Cell::Text(text) = cell else { return None };
        if text.len() > 120 {
            return None;
        }
        forms(text).iter().find_map(|form| {
            let known = self.known.get(&form.text).copied().or_else(|| self.of_parts(&form.text));
            known.filter(|(column, _)| form.sure || !self.figures.contains(column))
        })
    }

    /// Several titles of one column in one (`快递单号/运单号`), or one with its number (`快递单号1`). The second figure is
    /// another than the first, and one with more digits may be what so many cost.
    fn of_parts(&self, form: &str) -> Option<(usize, usize)> {
        let unnumbered = form.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = &form[unnumbered.len()..];
        if number.len() > 2 {
            return None;
        }
        let may_have_it = |column: usize| ["", "1"].contains(&number) || !self.figures.contains(&column);
        let mut parts = unnumbered.split(['/', '、', '或']).map(|part| self.known.get(part).copied());
        let first = parts.next().flatten()?;
        let same = parts.all(|part| part.is_some_and(|(column, _)| column == first.0));
        (same && may_have_it(first.0)).then_some(first)
    }

    /// How many different columns a row names.
    pub(super) fn known(&self, cells: &[Cell]) -> usize {
        self.head(0, cells).count()
    }

    fn head(&self, columns: usize, cells: &[Cell]) -> Found {
        let mut best: HashMap<usize, (usize, usize)> = HashMap::new();
        let mut twice = Vec::new();
        for (at, cell) in cells.iter().enumerate() {
            let Some((column, rank)) = self.column(cell) else { continue };
            match best.get(&column).copied() {
                Some((_, known)) if known == rank => twice.push((column, at)),
                Some((_, known)) if known < rank => {}
                _ => drop(best.insert(column, (at, rank))),
            }
        }
        self.add_alike(cells, &mut best);
        let columns = columns.max(best.keys().map(|column| column + 1).max().unwrap_or(0));
        let columns = (0..columns).map(|column| best.get(&column).map(|(at, _)| *at)).collect();
        Found { at: 0, rows: 1, cells: Vec::new(), columns, twice }
    }

    /// Columns that nothing names, where the title of one cell alone is like theirs. One such title makes no heading.
    fn add_alike(&self, cells: &[Cell], best: &mut HashMap<usize, (usize, usize)>) {
        let mut alike: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, cell) in cells.iter().enumerate() {
            let Cell::Text(text) = cell else { continue };
            if text.len() > 120 || self.column(cell).is_some() {
                continue;
            }
            let column = forms(text).iter().find_map(|form| (self.alike)(&form.text));
            let column = column.filter(|column| !best.contains_key(column));
            column.into_iter().for_each(|column| alike.entry(column).or_default().push(at));
        }
        if best.is_empty() && alike.len() < 2 {
            return;
        }
        let alone = alike.into_iter().filter(|(_, cells)| cells.len() == 1);
        best.extend(alone.map(|(column, cells)| (column, (cells[0], usize::MAX))));
    }

    fn find(&self, wanted: &Wanted<'_>, sheet: &Sheet) -> Option<Found> {
        let rows = &sheet.rows[..sheet.rows.len().min(DEEPEST_HEAD)];
        let head = |at: usize, rows: usize, cells: Vec<Cell>| {
            let named = self.head(wanted.columns.len(), &cells);
            Found { at, rows, cells, ..named }
        };
        let one = rows.iter().enumerate().map(|(at, (_, cells))| head(at, 1, cells.clone()));
        let two = rows.windows(2).enumerate().filter(|(_, pair)| pair[0].0 + 1 == pair[1].0);
        let two = two.map(|(at, pair)| head(at + 1, 2, over(&pair[0].1, &pair[1].1)));
        // The first of those that name the most; two rows only where one alone names fewer.
        one.chain(two)
            .filter(|head| head.count() > 0 && !head.cells.iter().any(is_value))
            .reduce(|best, next| if next.count() > best.count() { next } else { best })
    }
}

impl Titles {
    /// Rows in which each cell says what it is (`订单号：…，快递单号：…`), as rows below those titles. Known by the first
    /// two: remarks stand behind the titles of one row alone.
    fn below_labels(&self, mut sheet: Sheet) -> Sheet {
        let labels = |row: &(u32, Vec<Cell>)| row.1.iter().filter_map(|cell| self.labelled(cell)).count();
        let is_labelled = !sheet.rows.is_empty() && sheet.rows.iter().take(2).all(|row| labels(row) > 1);
        if !is_labelled {
            return sheet;
        }
        let mut titles: Vec<(usize, String)> = Vec::new();
        for (_, cells) in &sheet.rows {
            for (column, title, _) in cells.iter().filter_map(|cell| self.labelled(cell)) {
                if !titles.iter().any(|(known, _)| *known == column) {
                    titles.push((column, title.to_owned()));
                }
            }
        }
        for (_, cells) in &mut sheet.rows {
            let mut placed = vec![Cell::Empty; titles.len()];
            for cell in std::mem::take(cells) {
                let label = self.labelled(&cell);
                let place = label.and_then(|label| titles.iter().position(|(known, _)| *known == label.0));
                match (place, label) {
                    (Some(at), Some((_, _, value))) if placed[at] == Cell::Empty => {
                        placed[at] = Cell::Text(value.to_owned());
                    }
                    _ => placed.push(cell),
                }
            }
            *cells = placed;
        }
        sheet.written.clear();
        sheet.spans.clear();
        let above = sheet.rows[0].0.saturating_sub(1);
        sheet.rows.insert(0, (above, titles.into_iter().map(|(_, title)| Cell::Text(title)).collect()));
        sheet
    }

    /// What stands behind a title and a colon in one cell: the column, the title, the value.
    fn labelled<'c>(&self, cell: &'c Cell) -> Option<(usize, &'c str, &'c str)> {
        let Cell::Text(text) = cell else { return None };
        let (title, value) = text.split_once([':', '：'])?;
        let (column, _) = self.column(&Cell::Text(title.to_owned()))?;
        Some((column, title.trim(), value.trim())).filter(|(_, _, value)| !value.is_empty())
    }

    /// Cuts a sheet before every row of headings that stand in another order than those above it.
    fn apart(&self, wanted: &Wanted<'_>, mut sheet: Sheet) -> Vec<Sheet> {
        let mut parts = Vec::new();
        while let Some(found) = self.find(wanted, &sheet) {
            let below = sheet.rows.iter().skip(found.at + 1);
            let Some(at) = below.map(|(_, cells)| cells).position(|cells| self.heads_anew(&found, cells)) else {
                break;
            };
            let rest = sheet.cut(found.at + 1 + at);
            parts.push(std::mem::replace(&mut sheet, rest));
        }
        parts.push(sheet);
        parts
    }

    /// Whether most of a row's cells are titles, and stand elsewhere than in the headings that were found. Rows of goods
    /// and of parcels have digits in them.
    fn heads_anew(&self, found: &Found, cells: &[Cell]) -> bool {
        let worded = |cell: &&Cell| matches!(cell, Cell::Text(text) if !text.contains(|c: char| c.is_ascii_digit()));
        let filled = cells.iter().filter(|cell| **cell != Cell::Empty).count();
        if filled < 2 || cells.iter().filter(worded).count() < filled {
            return false;
        }
        let anew = self.head(found.columns.len(), cells);
        anew.count() * 2 > filled && anew.columns != found.columns
    }
}

fn is_closer(title: &str) -> bool {
    // 规格码 counts specifications from one.
    const OF_ONE: [&str; 5] = ["规格", "sku", "单品", "型号", "变体"];
    const TO_SELL: [&str; 4] = ["可用", "可售", "可销", "可发"];
    let title = title.to_lowercase();
    // What is called so and no more is what lies there, whatever else the table tells of it.
    title == "库存" || title != "规格码" && OF_ONE.iter().chain(&TO_SELL).any(|word| title.contains(word))
}

/// What stands in the lower of two rows, and in the upper one where that is empty.
fn over(upper: &[Cell], lower: &[Cell]) -> Vec<Cell> {
    let cell = |row: &[Cell], at: usize| row.get(at).filter(|cell| **cell != Cell::Empty).cloned();
    (0..upper.len().max(lower.len()))
        .map(|at| cell(lower, at).or_else(|| cell(upper, at)).unwrap_or_default())
        .collect()
}

/// A title as it may be meant.
struct Form {
    text: String,
    /// Whether what was left out of it says nothing of a figure.
    sure: bool,
}

/// A title in every form without what people put around it: stars, breaks, numbers, 必填, units, a remark.
fn forms(title: &str) -> Vec<Form> {
    let plain: String = simplified(&number::narrow(&bare(title)))
        .to_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace() && !"*★☆※●#_.'\"".contains(*c))
        .map(|c| match c {
            '【' | '[' | '〔' | '{' => '(',
            '】' | ']' | '〕' | '}' => ')',
            _ => c,
        })
        .collect();
    let mut forms = vec![Form { text: plain.replace(':', ""), sure: true }];
    if let Some((bare, remark)) = without_remark(&plain) {
        let sure = remark.split(['/', ',', ';', '、', '|', '(']).all(says_nothing);
        let worded = without_words(&bare);
        let units = UNITS.iter().filter_map(|unit| worded.strip_suffix(unit)).map(str::to_owned);
        let texts = [worded.to_owned(), bare.clone()].into_iter().chain(units);
        forms.extend(texts.map(|text| Form { text, sure }));
    }
    forms.retain(|form| !form.text.is_empty());
    forms
}

/// Whether a part of a remark leaves a figure what its title says: that it must be filled in, in which money, one piece of
/// what it counts, how long it may be, how it looks.
fn says_nothing(part: &str) -> bool {
    const WORDS: [&str; 35] = [
        "金额",
        "单位",
        "块钱",
        "人民币元",
        "¥",
        "￥",
        "含税",
        "含税价",
        "包邮",
        "含运费",
        "不含运费",
        "单价",
        "售价",
        "零售价",
        "零售",
        "现价",
        "现",
        "新",
        "最新",
        "当前",
        "现有",
        "现货",
        "实际",
        "可用",
        "可售",
        "剩余",
        "库存",
        "数量",
        "单件",
        "本店",
        "店铺",
        "线上",
        "小程序",
        "微信",
        "网店",
    ];
    const BEFORE: [&str; 8] = ["单位为", "单位是", "单位", "请填写", "请填", "只填", "填写", "填"];
    const EXAMPLES: [&str; 6] = ["示例", "例", "如", "比如", "格式", "说明"];
    let part = part.trim_matches([')', ':', '-']);
    let bare = BEFORE.iter().find_map(|word| part.strip_prefix(word)).unwrap_or(part).trim_start_matches(':');
    let of_one = bare.strip_prefix(['每', '一', '1']).is_some_and(|unit| ["件", "个"].contains(&unit));
    // A price with it and one without are the same figure, twice.
    let term = bare.trim_start_matches(['不', '未']);
    number::OURS.contains(&bare)
        || WORDS.contains(&term)
        || FILLING_IN.contains(&bare)
        || of_one
        || is_limit(bare)
        || bare.ends_with("除外")
        || EXAMPLES.iter().any(|word| part.starts_with(word))
}

/// How a column is to be filled in.
const FILLING_IN: [&str; 22] = [
    "必填",
    "必填项",
    "选填",
    "可选",
    "非必填",
    "必须",
    "必须填",
    "要填",
    "可不填",
    "可空",
    "可为空",
    "可留空",
    "不填",
    "required",
    "optional",
    "数字",
    "整数",
    "正整数",
    "纯数字",
    "数值",
    "小数",
    "文本",
];

/// How long or how large something may be: `≤9999`, `最多60个字`.
fn is_limit(text: &str) -> bool {
    let limit = text.replace("个字", "字");
    limit.contains(|c: char| "字位~<>=≤≥于多少超内限-".contains(c))
        && limit.chars().all(|c| {
            c.is_ascii_digit() || "字位~<>=≤≥于多少超内限-最大小不过以之间范围保留两三到至等符长度可数".contains(c)
        })
}

/// Whether a cell says no more than how its column is to be filled in.
pub fn explains(text: &str) -> bool {
    let text = narrowed(text);
    FILLING_IN.contains(&text.as_str()) || text.contains('字') && text.contains(char::is_numeric) && is_limit(&text)
}

/// What may stand behind a title without brackets.
const UNITS: [&str; 10] = ["/元", "-元", "元", "¥", "￥", "rmb", "cny", "yuan", "/件", "件"];

/// Without the number in front and the word that says whether the column must be filled.
fn without_words(title: &str) -> &str {
    let unnumbered = title.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['、', ')', '-']);
    let title = if title.len() - unnumbered.len() <= "10、".len() { unnumbered } else { title };
    let words = ["非必填", "必填项", "必填", "选填", "可选"];
    let stripped = words.iter().find_map(|word| title.strip_suffix(word).or_else(|| title.strip_prefix(word)));
    stripped.unwrap_or(title).trim_end_matches('-')
}

/// Without what is said in brackets or behind a colon. `None` where that means something else: another currency, another
/// unit.
fn without_remark(title: &str) -> Option<(String, String)> {
    let (mut bare, mut remark, mut depth) = (String::new(), String::new(), 0_u32);
    for c in title.chars() {
        match c {
            '(' | ':' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => remark.push(c),
            _ => bare.push(c),
        }
    }
    // Another figure than the one that is meant.
    let figure = [
        "批发",
        "进价",
        "进货",
        "成本",
        "会员",
        "代理",
        "分销",
        "供货",
        "出厂",
        "活动",
        "团购",
        "拼团",
        "调价前",
        "旧",
        "预警",
        "安全",
        "锁定",
        "占用",
        "在途",
        "冻结",
        "起订",
        "起批",
        "次品",
        "残",
        "退货",
        "退回",
        "换货",
        "拦截",
        "作废",
        "不良",
        "已售",
        "预售",
    ];
    let other = ["美元", "usd", "$", "欧", "eur", "€", "港", "hkd", "日元", "英镑", "万", "千"];
    // A number of somebody's is a value behind its label, and no remark.
    let is_value = remark
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.len() >= 6 && word.bytes().any(|b| b.is_ascii_digit()));
    if is_value && title.contains(':') {
        return None;
    }
    // Grams are said: a weight without its unit may be any.
    let means_other = ["分", "角", "克", "g"].contains(&remark.as_str())
        || other.iter().chain(&figure).any(|word| remark.contains(word))
        || remark.split(['/', '每', ',', ':']).any(holds_several);
    match (means_other, bare.is_empty()) {
        (true, _) => None,
        (false, true) => Some((remark, String::new())),
        (false, false) => Some((bare, remark)),
    }
}

/// A unit of several pieces: `箱`, `打`, `百件`; not a sentence in which such a word stands.
fn holds_several(unit: &str) -> bool {
    let mut letters = unit.trim_start_matches("单位").chars();
    let (first, second, third) = (letters.next(), letters.next(), letters.next());
    third.is_none()
        && first.is_some_and(|c| number::LARGER.contains(&c))
        && second.is_none_or(|c| "件个元支只瓶盒袋张块".contains(c) || number::LARGER.contains(&c))
}

/// The rows below the headings of every visible sheet that has them.
pub(super) fn table(mut sheets: Vec<Sheet>, wanted: &Wanted<'_>) -> Result<Table, Unreadable> {
    let titles = Titles::of(wanted);
    let unread: usize = sheets.iter().map(|sheet| sheet.unread_pictures).sum();
    for sheet in &mut sheets {
        sheet.rows.retain(|(_, cells)| cells.iter().any(|cell| *cell != Cell::Empty));
    }
    sheets.retain(|sheet| !sheet.rows.is_empty());
    let several = sheets.iter().filter(|sheet| !sheet.hidden).count() > 1;
    let sheets = sheets.into_iter().map(|sheet| titles.below_labels(sheet));
    let sheets: Vec<Sheet> = sheets.flat_map(|sheet| titles.apart(wanted, sheet)).collect();
    let found: Vec<Option<Found>> = sheets.iter().map(|sheet| titles.find(wanted, sheet)).collect();
    let whole = |found: &Found| found.count() > 1 && found.missing(wanted).is_empty();
    let fits = |(sheet, found): (&Sheet, &Option<Found>)| !sheet.hidden && found.as_ref().is_some_and(whole);
    let used: Vec<bool> = match sheets.iter().zip(&found).any(fits) {
        true => sheets.iter().zip(&found).map(fits).collect(),
        false => best_of(&sheets, &found),
    };
    let mut table = Table::default();
    if unread > 0 {
        table.notes.push(format!("文件里的 {unread} 张图片没有读：请在商品页添加"));
    }
    let last_try = !used.contains(&true);
    for ((sheet, found), used) in sheets.into_iter().zip(found).zip(used) {
        match found {
            Some(found) if used => add(&mut table, sheet, found, wanted, several),
            None if last_try && !sheet.hidden && table.rows.is_empty() => add_bare(&mut table, sheet, several),
            Some(_) if sheet.hidden => table.notes.push(format!("隐藏的工作表「{}」没有读", sheet.name)),
            _ if sheet.hidden => {}
            _ => table.notes.push(format!("工作表「{}」没有读：没有找到同样的表头", sheet.name)),
        }
    }
    if table.rows.len() > MOST_ROWS {
        return Err(Unreadable::new(format!("超过 {MOST_ROWS} 行，请拆成几个文件")));
    }
    Ok(table)
}

/// Where no sheet has all that is needed: the one that has the most of it.
fn best_of(sheets: &[Sheet], found: &[Option<Found>]) -> Vec<bool> {
    let count = |at: usize| found[at].as_ref().filter(|_| !sheets[at].hidden).map_or(0, Found::count);
    let best = (0..sheets.len()).rev().max_by_key(|at| count(*at)).filter(|at| count(*at) > 0);
    (0..sheets.len()).map(|at| Some(at) == best).collect()
}

/// A sheet without headings: every row as it stands.
fn add_bare(table: &mut Table, mut sheet: Sheet, several: bool) {
    let head = Arc::new(Head::default());
    let name = several.then(|| Arc::from(sheet.name.as_str()));
    table.rows.extend(sheet.rows.into_iter().map(|(line, cells)| {
        let crossed = sheet.crossed.remove(&line).unwrap_or_default();
        let comments = sheet.comments.remove(&line).unwrap_or_default();
        Row {
            place: Place { sheet: name.clone(), line },
            struck: is_struck(&crossed, &cells),
            cells,
            spans: Vec::new(),
            head: head.clone(),
            pictures: Vec::new(),
            moved: None,
            crossed,
            comments,
            group: None,
        }
    }));
}

/// Whether of the cells that hold something half are struck through.
fn is_struck(crossed: &[usize], cells: &[Cell]) -> bool {
    let filled = cells.iter().filter(|cell| **cell != Cell::Empty).count();
    !crossed.is_empty() && crossed.len() * 2 >= filled
}

fn add(table: &mut Table, sheet: Sheet, found: Found, wanted: &Wanted<'_>, several: bool) {
    let missing = found.missing(wanted);
    if !table.headed || missing.len() < table.missing.len() {
        table.missing = missing;
    }
    table.headed = true;
    let name: Option<Arc<str>> = several.then(|| Arc::from(sheet.name.as_str()));
    let line = sheet.rows[found.at].0;
    let named = found.cells.iter().map(|cell| cell.shown().to_owned()).collect::<Vec<_>>();
    table.twice.extend(found.twice.iter().map(|(column, _)| *column));
    let known: Vec<usize> = found.columns.iter().flatten().copied().chain(found.twice.iter().map(|t| t.1)).collect();
    let here = |what: &str| match &name {
        Some(name) => format!("工作表「{name}」{what}"),
        None => what.to_owned(),
    };
    let unused: Vec<&str> = named
        .iter()
        .enumerate()
        .filter(|(at, title)| !title.is_empty() && !known.contains(at))
        .map(|(_, title)| title.as_str())
        .collect();
    if !unused.is_empty() {
        table.notes.push(here(&format!("没有用到的列：{}", listed(&unused))));
    }
    let (unseen, mut crossed, mut comments) = (sheet.unseen, sheet.crossed, sheet.comments);
    let hidden = found.columns.iter().flatten().filter(|at| unseen.columns.contains(at));
    let hidden: Vec<&str> = hidden.filter_map(|at| Some(named.get(*at)?.as_str())).collect();
    if !hidden.is_empty() {
        table.notes.push(here(&format!("隐藏的列也读了：{}", listed(&hidden))));
    }
    let above = found.at + 1 - found.rows;
    if above > 0 {
        table.notes.push(here(&format!("表头在第 {line} 行，上面的 {above} 行没有读")));
    }
    let titled = named.iter().rposition(|title| !title.is_empty()).map_or(0, |last| last + 1);
    let lines = sheet.rows[..above].iter().flat_map(|(_, cells)| cells.iter().map(Cell::shown));
    let lines = lines.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let above = Some(sheet.name.clone()).into_iter().chain(lines).collect();
    let head = Arc::new(Head { columns: found.columns, titles: named, line, above });
    let (written, mut spans) = (sheet.written, sheet.spans);
    let wide = written.get(&line).copied();
    let longer = |line: u32| wide.is_some_and(|wide| written.get(&line).is_some_and(|n| *n > wide));
    // Some programs end each line with a separator.
    let all_longer = sheet.rows.iter().skip(found.at + 1).all(|(line, _)| longer(*line));
    let moved = |line: u32, cells: &[Cell]| {
        let filled = cells.iter().rposition(says).map_or(0, |last| last + 1);
        let last = cells.get(filled.checked_sub(1)?)?;
        match wide? {
            // What only holds a place there was put there.
            wide if wide < filled || cells.len() <= wide && sheet.commas && longer(line) && !all_longer => {
                Some(format!(
                    "这一行比表头多一格（最后是「{}」），前面的格可能都错了位：请改好这一行，数字里的逗号要去掉或加引号",
                    brief(last.shown())
                ))
            }
            _ if titled < filled && sheet.commas => Some(format!(
                "{}{line}「{}」上面没有列名，前面的格可能都错了位：数字里的逗号要去掉或加引号；没有错位的，给这一列写上列名",
                letters(filled - 1),
                brief(last.shown())
            )),
            _ => None,
        }
    };
    let mut nameless: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    let (mut left_out, mut pictures): (_, HashMap<u32, Vec<Lying>>) = (Vec::new(), HashMap::new());
    let mut unseen_lines = Vec::new();
    let mut group: Option<Arc<str>> = None;
    sheet.pictures.into_iter().for_each(|picture| pictures.entry(picture.line).or_default().push(picture));
    for (line, cells) in sheet.rows.into_iter().skip(found.at + 1) {
        let moved = moved(line, &cells);
        let place = Place { sheet: name.clone(), line };
        let spans = spans.remove(&line).unwrap_or_default();
        let crossed = crossed.remove(&line).unwrap_or_default();
        let comments = comments.remove(&line).unwrap_or_default();
        let row = Row {
            place,
            struck: is_struck(&crossed, &cells),
            cells,
            spans,
            head: head.clone(),
            pictures: Vec::new(),
            moved,
            crossed,
            comments,
            group: group.clone(),
        };
        if let Some(alone) = row.alone() {
            group = Some(Arc::from(alone));
        }
        match row.is_none() {
            Some(what) => {
                left_out.push(format!("第 {line} 行「{}」", brief(&what)));
                table.aside.push((row.place, what));
            }
            None => {
                let own = pictures.remove(&line).unwrap_or_default();
                let pictures = own.into_iter().map(|picture| head.drawn(picture)).collect();
                unseen_lines.extend(unseen.lines.contains(&line).then_some(line));
                for (at, what) in row.nameless().filter(|_| row.moved.is_none()) {
                    let first = || (0, format!("{} 列（{}{line}「{}」", letters(at), letters(at), brief(what)));
                    nameless.entry(at).or_insert_with(first).0 += 1;
                }
                table.rows.push(Row { pictures, ..row });
            }
        }
    }
    if !nameless.is_empty() {
        let columns: Vec<String> = nameless
            .into_values()
            .map(|(n, first)| if n > 1 { format!("{first}等 {n} 格）") } else { format!("{first}）") })
            .collect();
        let columns = columns.iter().take(NAMED).cloned().collect::<Vec<_>>().join("、");
        table.notes.push(here(&format!("没有列名、没有用到的列：{columns}")));
    }
    if !left_out.is_empty() {
        let rows: Vec<&str> = left_out.iter().map(String::as_str).collect();
        table.notes.push(here(&format!("没有读：{}", listed(&rows))));
    }
    // They belong to the table, so they are read; whoever does not see them is told.
    if let Some(lines) = unseen::in_words(&unseen_lines) {
        table.notes.push(here(&format!("筛选掉、折叠或隐藏的行也读了：{lines}；不要的请先从表里删掉")));
    }
    let outside: usize = pictures.values().map(Vec::len).sum();
    if outside > 0 {
        table.notes.push(here(&format!("表格以外的 {outside} 张图片没有读")));
    }
}

/// More than a dash or a sign that nobody sees.
fn says(cell: &Cell) -> bool {
    match cell {
        Cell::Text(text) => text.contains(char::is_alphanumeric),
        other => *other != Cell::Empty,
    }
}

fn listed(what: &[&str]) -> String {
    let more = if what.len() > NAMED { format!("…共 {}", what.len()) } else { String::new() };
    what.iter().take(NAMED).map(|what| brief(what)).collect::<Vec<_>>().join("、") + &more
}

fn brief(text: &str) -> String {
    let one_line: String = text.chars().take(24).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(24).is_some() { one_line + "…" } else { one_line }
}

impl Head {
    fn drawn(&self, picture: Lying) -> Drawn {
        let Lying { line, column: at, bytes, looks } = picture;
        let column = self.columns.iter().position(|column| *column == Some(at));
        let titled = self.titles.get(at).is_some_and(|title| !title.is_empty());
        Drawn { address: format!("{}{line}", letters(at)), column, titled, looks, bytes }
    }
}

impl Row {
    /// What stands under no heading at all, with its column.
    pub(super) fn nameless(&self) -> impl Iterator<Item = (usize, &str)> {
        let titled = |at: usize| self.head.titles.get(at).is_some_and(|title| !title.is_empty());
        let cells = self.cells.iter().enumerate().filter(move |(at, _)| !titled(*at));
        cells.map(|(at, cell)| (at, cell.shown())).filter(|(_, text)| !text.is_empty())
    }

    /// Whether a wanted column beside that of its first cell has words: a total has only numbers there.
    fn says_more(&self, first: &Cell) -> bool {
        let wanted = self.head.columns.iter().flatten().filter_map(|at| self.cells.get(*at));
        let mut others = wanted.filter(|cell| !std::ptr::eq(*cell, first));
        others.any(|cell| matches!(cell, Cell::Text(text) if text == first.shown() || is_words(text)))
    }

    /// The only thing that stands in the row, where it is words.
    fn alone(&self) -> Option<&str> {
        let mut filled = self.cells.iter().filter(|cell| says(cell)).map(Cell::shown);
        filled.next().filter(|text| filled.next().is_none() && text.chars().any(|c| c.is_alphabetic() && !c.is_ascii()))
    }

    /// What the row is instead of one of the table: a total, the headings once more, a note below. `None` for a row.
    fn is_none(&self) -> Option<String> {
        let first_cell = self.cells.iter().find(|cell| **cell != Cell::Empty)?;
        let first = first_cell.shown();
        let word = narrowed(first);
        let filled = self.cells.iter().filter(|cell| **cell != Cell::Empty).count();
        let notes = [
            "注:",
            "备注:",
            "说明:",
            "注意:",
            "以上",
            "以下",
            "本表",
            "温馨提示",
            "制表",
            "填表",
            "审核",
            "打印时间",
            "导出时间",
            "*",
            "※",
        ];
        // A sentence alone in its row is no name and no number, unless it tells of one.
        let sentence = first.contains(['，', '。', '；', '！', '？', '：']) && !names_an_order(first);
        let note = filled == 1 && (sentence || notes.iter().any(|note| word.starts_with(note)));
        let same = self.cells().filter(|(title, cell)| !title.is_empty() && cell.shown() == *title).count();
        let again = same > 1 && same * 2 > filled;
        (is_total(&word) && !self.says_more(first_cell) || note || again).then(|| first.to_owned())
    }
}

/// Whether a number as long as an order's stands in it: no note below a table has one, and whoever wrote it meant a row.
fn names_an_order(text: &str) -> bool {
    let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.len() >= 16 && digits(part) >= 8)
}

/// A cell that holds such a number and nothing else: titles have words around an example.
fn is_value(cell: &Cell) -> bool {
    matches!(cell, Cell::Text(text) if text.bytes().all(|b| b.is_ascii_alphanumeric()) && names_an_order(text))
}

/// More than a dash, a number with its unit or another sum: `-`, `120 件`, `共 12 件`, `1,200.00 元` are not.
fn is_words(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let least = if text.contains(|c: char| c.is_numeric()) { 3 } else { 1 };
    letters >= least && !is_total(&narrowed(text))
}

/// Without what is written in one way here and in another there.
fn narrowed(text: &str) -> String {
    number::narrow(text).to_lowercase().chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether a row begins with what people write in front of a sum: `合计`, `合计（元）：`, `总计数量`, `共 4 件`, `女装小计`.
fn is_total(word: &str) -> bool {
    const TOTALS: [&str; 15] = [
        "本页合计",
        "本页小计",
        "合计",
        "总计",
        "小计",
        "共计",
        "累计",
        "总数",
        "total",
        "subtotal",
        "sum",
        "grandtotal",
        "平均",
        "平均值",
        "average",
    ];
    /// Of what it is the sum.
    const OF: [&str; 9] = ["", "数量", "件数", "金额", "库存", "数", "行", "总数", "总额"];
    /// What a spreadsheet's own subtotals, and people, put behind the name of a group.
    const BEHIND: [&str; 4] = ["小计", "合计", "总计", "汇总"];
    let bare = word.split('(').next().unwrap_or_default().trim_end_matches(':');
    let of = |total: &&str| bare.strip_prefix(*total).is_some_and(|of| OF.contains(&of));
    let behind = |end: &&str| bare.ends_with(*end);
    let counted =
        bare.strip_prefix('共').and_then(|rest| rest.strip_suffix(['件', '个', '款', '种', '条', '行', '单', '笔']));
    let is_counted = counted.is_some_and(|n| super::count(n).is_some() && n.ends_with(|c: char| c.is_ascii_digit()));
    TOTALS.iter().any(of) || BEHIND.iter().any(behind) || is_counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{paste, read};

    const WANTED: Wanted<'_> = Wanted {
        columns: &[&["商品名称", "品名", "name"], &["售价(元)", "单价"], &["库存", "数量"]],
        needed: &[&[0]],
        closer: &[],
        figures: &[1, 2],
        alike: |title| title.ends_with("定价").then_some(1),
    };

    const NAMED: Wanted<'_> = Wanted {
        columns: &[&["品名"], &["卖点"], &["单价"]],
        needed: &[&[0]],
        closer: &[],
        figures: &[],
        alike: |_| None,
    };

    fn table(text: &str) -> Table {
        read(text.as_bytes(), &WANTED).unwrap()
    }

    #[test]
    fn a_hidden_sheet_is_read_only_where_no_other_has_the_headings() {
        let cells = |words: &[&str]| words.iter().map(|word| Cell::Text((*word).to_owned())).collect::<Vec<_>>();
        let sheet = |hidden: bool, goods: &str| {
            let rows = vec![(1, cells(&["品名", "单价", "数量"])), (2, cells(&[goods, "1", "2"]))];
            let mut sheet = Sheet::of(rows);
            sheet.hidden = hidden;
            sheet
        };
        let read = |sheets: Vec<Sheet>| {
            let table = super::table(sheets, &WANTED).unwrap();
            table.rows.iter().map(|row| row.get(0).unwrap().shown().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(read(vec![sheet(true, "去年的"), sheet(false, "杯子")]), ["杯子"]);
        assert_eq!(read(vec![sheet(false, "杯子"), sheet(false, "碗")]), ["杯子", "碗"]);
    }

    #[test]
    fn headings_are_found_whatever_stands_around_them() {
        for head in [
            "商品名称,售价(元),库存",
            "*商品名称,售价（元）*,库存（必填）",
            "\"商品\n名称\",售 价,库存(件)",
            "品名,单价/元,数量：",
            "NAME,【单价】,★数量",
            "品名/商品名称,单价、售价,数量1",
            "Name.,单价/售价(元),库存或数量",
            "秋季价目表\n\n制表日期,2026-03-04\n商品名称,售价,库存",
            "序号,备注,商品名称,成本价,售价,库存",
        ] {
            let before = if head.starts_with("序号") { "1,x," } else { "" };
            let between = if before.is_empty() { "" } else { "9," };
            let table = table(&format!("{head}\n{before}杯子,{between}19.9,3\n"));
            let row = &table.rows[0];
            let cells: Vec<_> =
                (0..3).map(|column| row.get(column).map(|cell| cell.shown().to_owned()).expect(head)).collect();
            assert_eq!(cells, ["杯子", "19.9", "3"], "{head}");
            assert!(table.headed && table.missing.is_empty());
        }
        let deep = |lines: usize| format!("{}商品名称,售价\n杯子,1\n", "店里的说明\n".repeat(lines));
        assert!(table(&deep(29)).headed && !table(&deep(31)).headed, "a letter is no table");
        let table = table("序号,商品名称,售价\n1,a,2\n");
        assert!(table.notes[0].contains("序号"));
        assert_eq!(table.rows[0].place.to_string(), "第 2 行", "no sheet is named where there is one");
    }

    #[test]
    fn a_title_is_known_whatever_is_written_around_it() {
        for (column, title) in [
            (0, "商品名称必填"),
            (0, "【必填】商品名称"),
            (0, "1、商品名称"),
            (0, "2.商品名称"),
            (0, "3)商品名称"),
            (0, "商品\u{200e}名\u{ad}称\u{2060}"),
            (0, "商品名称：最多 60 个字"),
            (0, "商品名称\u{3000}*"),
            (1, "售价：元"),
            (1, "售价-元"),
            (1, "单价元"),
            (1, "单价/元"),
            (1, "单价￥"),
            (1, "单价RMB"),
            (1, "单价（元/件，含税）"),
            (2, "库存/件"),
            (2, "库存：件"),
            (2, "库存-选填"),
        ] {
            let others = ["售价,库存", "商品名称,库存", "商品名称,售价"][column];
            let table = table(&format!("{others},{title}\n甲,1,9\n"));
            assert_eq!(table.rows[0].get(column).map(Cell::shown), Some("9"), "{title}");
        }
    }

    #[test]
    fn headings_in_two_rows_are_read_as_one() {
        let right = |text: &str| {
            let table = table(text);
            let row = &table.rows[0];
            let cells: Vec<_> = (0..3).map(|column| row.get(column).unwrap().shown().to_owned()).collect();
            (table.rows.len(), row.place.line, cells, table.notes)
        };
        let cells = || vec!["杯子".to_owned(), "9".into(), "3".into()];
        let two = "商品名称,价格,,数量\n,售价,划线价,\n杯子,9,19,3\n";
        assert_eq!(right(two), (1, 3, cells(), vec!["没有用到的列：划线价".to_owned()]));
        let titled = "价目表\n\n商品信息,,库存\n商品名称,售价,\n杯子,9,3\n";
        assert_eq!(right(titled), (1, 5, cells(), vec!["表头在第 4 行，上面的 1 行没有读".to_owned()]));
        let apart = table("商品名称,价格,\n\n,售价,库存\n杯子,9,3\n");
        assert_eq!(apart.missing, ["商品名称"], "an empty line parts them");
        // What stands below whole headings is a row.
        let one = "商品名称,售价,库存\n杯子,9,3\n";
        assert_eq!(right(one), (1, 2, cells(), Vec::new()));
    }

    #[test]
    fn another_currency_is_not_the_price() {
        for title in ["售价(美元)", "售价：美元", "售价美元", "售价(万元)", "售价：分", "售价(角)", "售价（元/箱）"]
        {
            let table = table(&format!("商品名称,{title},库存\n杯子,3,1\n"));
            assert!(table.rows[0].get(1).is_none() && table.notes[0].contains(title), "{title}");
        }
    }

    #[test]
    fn a_remark_that_means_another_figure_makes_another_column() {
        for (title, column) in [
            ("单价(批发)", 1),
            ("单价（进价）", 1),
            ("售价(调价前)", 1),
            ("库存(预警)", 2),
            ("数量(起订)", 2),
            ("库存:已锁定", 2),
            // What nobody knows to say nothing: another money, measure, price or count.
            ("单价(台币)", 1),
            ("单价:台币", 1),
            ("售价(JPY)", 1),
            ("售价(￡)", 1),
            ("售价(折)", 1),
            ("售价(%)", 1),
            ("单价(12支)", 1),
            ("单价(10个起)", 1),
            ("单价(每盒)", 1),
            ("售价(500g)", 1),
            ("售价(斤)", 1),
            ("售价(元/斤)", 1),
            ("售价(对手)", 1),
            ("售价(上月)", 1),
            ("售价(计划)", 1),
            ("库存(kg)", 2),
            ("库存(上月)", 2),
            ("库存(期初)", 2),
            ("库存(需补)", 2),
            ("数量(销售)", 2),
            ("数量(+)", 2),
            ("数量(12支/盒)", 2),
        ] {
            let others = ["", "商品名称,库存", "商品名称,售价"][column];
            let table = table(&format!("{others},{title}\n甲,1,9\n"));
            assert!(table.rows[0].get(column).is_none() && table.notes[0].contains(title), "{title}");
        }
    }

    #[test]
    fn a_remark_that_says_nothing_leaves_a_figure_what_it_is() {
        for title in [
            "单价(元)",
            "单价(RMB)",
            "售价(¥/件)",
            "售价（元，必填）",
            "单价(含税)",
            "单价(每件)",
            "单价(必填，最多两位小数)",
            "单价(例如19.90)",
            "单价(零售价)",
        ] {
            assert!(
                table(&format!("商品名称,{},库存\n杯子,3,1\n", title.replace(',', "，"))).rows[0].get(1).is_some(),
                "{title}"
            );
        }
        for title in [
            "库存(件)",
            "库存(个)",
            "数量(0-999999)",
            "库存(整数)",
            "库存(当前)",
            "库存(选填)",
            "库存(单位：件)",
            "库存(≤9999)",
        ] {
            assert!(table(&format!("商品名称,售价,{title}\n杯子,3,1\n")).rows[0].get(2).is_some(), "{title}");
        }
    }

    #[test]
    fn a_unit_of_several_pieces_is_not_the_stock() {
        for title in ["库存(箱)", "库存（打）", "库存（百件）", "库存：箱", "库存(单位：箱)", "数量(整箱)"]
        {
            let table = table(&format!("商品名称,售价,{title}\n杯子,3,1\n"));
            assert!(table.rows[0].get(2).is_none() && table.notes[0].contains(title), "{title}");
        }
        for title in ["库存(盒)", "库存（件，整箱除外）", "库存(单位：瓶)"] {
            assert!(table(&format!("商品名称,售价,{title}\n杯子,3,1\n")).rows[0].get(2).is_some(), "{title}");
        }
    }

    #[test]
    fn a_cell_of_text_beyond_the_last_title_may_have_moved_its_row() {
        let moved = |text: &str| table(text).rows[0].moved.clone().unwrap_or_default();
        for text in ["商品名称,售价,库存,\n乙茶,1,1299,5\n", "商品名称;售价;库存;;\n乙茶;1;1299;5;\n"]
        {
            assert!(moved(text).contains("D2「5」上面没有列名"), "{text}");
        }
        assert!(moved("商品名称\t售价\t库存\n乙茶\t1\t1299\t5\n").contains("多一格"));
        for text in [
            "商品名称,售价,库存,\n乙茶,1,5,\n",
            "商品名称,售价,库存,\n乙茶,1,5,\u{200b}\n",
            "商品名称,售价,库存\n乙茶,1,5,-\n乙茶,1,5\n",
            ",商品名称,售价,库存\n0,乙茶,1,5\n",
            "商品名称\t售价\t库存\t\n乙茶\t1\t5\t易碎\n",
        ] {
            assert_eq!(moved(text), "", "{text}");
        }
        assert!(paste("商品名称\t售价\t库存\n乙茶\t1\t5\t易碎", &WANTED).unwrap().rows[0].moved.is_none());
    }

    #[test]
    fn totals_notes_and_repeated_headings_are_said() {
        let table = table(
            "商品名称,售价,库存\n杯子,1,1\n商品名称,售价,库存\n碗,2,2\n合 计：,,3\n\n备注：含税价,,\n合计表,1,1\n\
             总库存：12,,\n* 以上含税,,\n以上价格含税，请核对,,\n盘子，大,3,3\n碟子,,\n",
        );
        assert_eq!(table.rows.len(), 5);
        assert!(
            table.notes.iter().any(|note| {
                ["第 3 行「商品名称」", "第 9 行", "第 11 行"].iter().all(|line| note.contains(line))
            }),
            "{:?}",
            table.notes
        );
        assert!(
            table.notes.iter().any(|note| note.contains("第 5 行「合 计") && note.contains("第 7 行")),
            "{:?}",
            table.notes
        );
    }

    #[test]
    fn a_sum_is_known_by_what_stands_in_front_of_it() {
        for first in [
            "合计",
            "合计（元）",
            "总 计：",
            "合计数量",
            "本页小计",
            "共 4 件",
            "共4款",
            "女装小计",
            "裙子 汇总",
            "Total",
            "平均",
            "平均值：",
        ] {
            let table = table(&format!("商品名称,售价,库存\n杯子,1,1\n{first},44,18\n"));
            assert_eq!((table.rows.len(), table.notes.len()), (1, 1), "{first}");
        }
        for note in ["以上价格含税", "本表 11 月有效", "温馨提示 请核对"] {
            assert_eq!(table(&format!("商品名称,售价,库存\n杯子,1,1\n{note},,\n")).rows.len(), 1, "{note}");
        }
        for goods in ["小计算器", "合计表", "共享单车", "共4件套", "汇总机", "总数游戏"] {
            assert_eq!(table(&format!("商品名称,售价,库存\n{goods},44,18\n")).rows.len(), 1, "{goods}");
        }
    }

    #[test]
    fn goods_that_are_called_like_a_sum_say_something_else_too() {
        let rows = |row: &str| read(format!("品名,卖点,单价\n{row}\n").as_bytes(), &NAMED).unwrap().rows.len();
        for goods in
            ["合计,好用,9", "账本 2024 合计,账本 2024 合计,9", "共4件,共4件,9", "共4件,四件一套,9", "小计,是,9"]
        {
            assert_eq!(rows(goods), 1, "{goods}");
        }
        for total in ["合计,,9", "合计,-,9", "合计,12 件,9", "合计,共 12 件,9", "合计,小计,9", "合计,1 200.00 元,9"]
        {
            assert_eq!(rows(total), 0, "{total}");
        }
    }

    #[test]
    fn cells_that_say_themselves_what_they_are_stand_below_those_titles() {
        let right = ["杯子|19.9|3", "碗|8|-", "勺子|-|9"];
        for between in ["，", ",", "\t"] {
            let text = ["品名：杯子", "单价:19.9", "数量：3"].join(between)
                + "\n品名：碗"
                + between
                + "单价：8\n"
                + &["数量：9", "品名:勺子"].join(between);
            let table = table(&text);
            let cell = |row: &Row, column| {
                row.get(column).map(Cell::shown).filter(|s| !s.is_empty()).unwrap_or("-").to_owned()
            };
            let rows: Vec<String> = table
                .rows
                .iter()
                .map(|row| (0..3).map(|column| cell(row, column)).collect::<Vec<_>>().join("|"))
                .collect();
            assert_eq!(rows, right, "{between}");
            assert_eq!(table.rows.iter().map(|row| row.place.line).collect::<Vec<_>>(), [1, 2, 3]);
        }
        // Remarks behind titles are no values, and a value is no remark.
        assert_eq!(table("品名：最多 60 个字,单价：元\n杯子,8\n").rows.len(), 1);
        assert_eq!(table("品名：最多 60 个字,单价：元\n杯子：大,8\n").rows[0].get(0).unwrap().shown(), "杯子：大");
        assert!(!table("品名：A1234567,8\n").headed);
    }

    #[test]
    fn a_title_that_is_like_a_wanted_one_counts_where_it_is_alone() {
        let price =
            |head: &str| table(&format!("{head}\n杯子,8,3\n")).rows[0].get(1).map(|cell| cell.shown().to_owned());
        assert_eq!(price("品名,门店定价,数量").as_deref(), Some("8"));
        assert!(table("品名,门店定价,数量\n杯子,8,3\n").notes.is_empty());
        assert_eq!(price("品名,门店定价,网上定价"), None, "which of them, nobody knows");
        assert_eq!(price("品名,单价,网上定价").as_deref(), Some("8"));
        assert!(!table("门店定价,8\n").headed, "it makes no heading by itself");
    }

    #[test]
    fn headings_in_another_order_begin_a_table_of_their_own() {
        let table = table("商品名称,售价,库存\n杯子,9,3\n\n库存,商品名称,售价\n4,碗,8\n5,盘子,7\n品名,单价\n勺子,6\n");
        let rows: Vec<String> = table
            .rows
            .iter()
            .map(|row| (0..3).map(|column| row.get(column).map_or("-", Cell::shown)).collect::<Vec<_>>().join("|"))
            .collect();
        assert_eq!(rows, ["杯子|9|3", "碗|8|4", "盘子|7|5", "勺子|6|-"]);
        assert_eq!(table.rows.iter().map(|row| row.place.to_string()).collect::<Vec<_>>()[3], "第 8 行");
        // Goods that are called like a column, and what is a title in one cell alone.
        for row in
            ["数量,,", "商品名称,,", "单价,碗,盘子", "库存,品名,3", "库存,单价,碗,盘子,勺子", "杯子,9,3,备注,说明"]
        {
            assert_eq!(self::table(&format!("商品名称,售价,库存,备注,说明\n{row}\n")).rows.len(), 1, "{row}");
        }
    }

    #[test]
    fn a_sheet_that_names_one_column_is_not_read_beside_one_that_names_more() {
        let sheet = |name: &str, text: &[&str]| {
            let cell = |text: &str| Cell::Text(text.to_owned());
            let rows = (1..).zip(text).map(|(line, row)| (line, row.split(',').map(cell).collect())).collect();
            let mut sheet = Sheet::of(rows);
            name.clone_into(&mut sheet.name);
            sheet
        };
        let sheets = || vec![sheet("目录", &["商品名称", "杯子"]), sheet("价目", &["品名,单价", "杯子,9"])];
        let table = super::table(sheets(), &WANTED).unwrap();
        assert_eq!(table.rows.iter().map(|row| row.place.to_string()).collect::<Vec<_>>(), ["「价目」第 2 行"]);
        let mut hidden = sheets();
        hidden[1].hidden = true;
        assert_eq!(super::table(hidden, &WANTED).unwrap().rows[0].place.to_string(), "第 2 行");
    }

    #[test]
    fn headings_in_traditional_script_are_the_same() {
        let table = table("商品名稱,單價,庫存\n杯子,9,3\n");
        assert!(table.missing.is_empty() && (0..3).all(|column| table.rows[0].get(column).is_some()));
    }

    #[test]
    fn without_headings_every_row_is_given() {
        let table = paste("A1\t顺丰\tSF1\nA2\t圆通\tYT2", &WANTED).unwrap();
        assert!(!table.headed && table.rows.len() == 2);
        assert_eq!(table.rows[1].cells().map(|(_, cell)| cell.shown()).collect::<Vec<_>>(), ["A2", "圆通", "YT2"]);
        let partial = table_of_prices();
        assert_eq!((partial.headed, &partial.missing[..]), (true, &["商品名称".to_owned()][..]));
    }

    fn table_of_prices() -> Table {
        table("单价,数量\n1,2\n")
    }

    #[test]
    fn pasted_columns_come_apart_however_they_are_written() {
        for text in ["A\t顺丰\tSF1", "A,顺丰,SF1", "A  顺丰 SF1", "A，顺丰，SF1"] {
            let table = paste(text, &WANTED).unwrap();
            let cells: Vec<_> = table.rows[0].cells().map(|(_, cell)| cell.shown()).collect();
            assert_eq!((table.rows[0].place.line, cells), (1, vec!["A", "顺丰", "SF1"]), "{text}");
        }
    }

    #[test]
    fn a_title_that_stands_there_twice_is_told() {
        let table = table("商品名称,售价,售价\n杯子,1,2\n");
        assert_eq!((table.twice.as_slice(), table.rows[0].text(1).unwrap().unwrap()), (&[1][..], "1"));
    }
}
