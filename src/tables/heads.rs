//! Finding the table in its sheets: the row of headings, what belongs to it, and what is left out with a word.

use std::collections::HashMap;
use std::sync::Arc;

use super::grid::{Lying, Sheet};
use super::{Cell, Drawn, Head, MOST_ROWS, Place, Row, Table, Unreadable, Wanted, letters, number};

/// Headings stand below a title, a date and a few notes, but not deeper.
const DEEPEST_HEAD: usize = 30;

/// How many things that were left out are named one by one.
const NAMED: usize = 8;

/// Every known title in its plain form, with its column and how usual it is.
pub(super) struct Titles {
    known: HashMap<String, (usize, usize)>,
}

/// Where the headings of a sheet are.
struct Found {
    at: usize,
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
                for form in forms(title) {
                    known.entry(form).or_insert((column, rank));
                }
            }
        }
        Titles { known }
    }

    fn column(&self, cell: &Cell) -> Option<(usize, usize)> {
        let Cell::Text(text) = cell else { return None };
        if text.len() > 120 {
            return None;
        }
        forms(text).find_map(|form| self.known.get(&form).copied().or_else(|| self.of_parts(&form)))
    }

    /// Several titles of one column in one (`快递单号/运单号`), or one with its number (`快递单号1`).
    fn of_parts(&self, form: &str) -> Option<(usize, usize)> {
        let unnumbered = form.trim_end_matches(|c: char| c.is_ascii_digit());
        let mut parts = unnumbered.split(['/', '、', '或']).map(|part| self.known.get(part).copied());
        let first = parts.next().flatten()?;
        parts.all(|part| part.is_some_and(|(column, _)| column == first.0)).then_some(first)
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
        let columns = columns.max(best.keys().map(|column| column + 1).max().unwrap_or(0));
        Found { at: 0, columns: (0..columns).map(|column| best.get(&column).map(|(at, _)| *at)).collect(), twice }
    }

    fn find(&self, wanted: &Wanted<'_>, sheet: &Sheet) -> Option<Found> {
        let rows = sheet.rows.iter().take(DEEPEST_HEAD).enumerate();
        let heads = rows.map(|(at, (_, cells))| Found { at, ..self.head(wanted.columns.len(), cells) });
        // The first of those that name the most.
        heads.filter(|head| head.count() > 0).reduce(|best, next| if next.count() > best.count() { next } else { best })
    }
}

/// A title without what people put around it: stars, breaks, 必填, units; once with what stands in brackets, once without.
fn forms(title: &str) -> impl Iterator<Item = String> + use<> {
    let plain: String = number::narrow(title)
        .to_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && !"*★☆※●#\u{200b}\u{feff}_:.'\"".contains(*c))
        .map(|c| match c {
            '【' | '[' | '〔' | '{' => '(',
            '】' | ']' | '〕' | '}' => ')',
            _ => c,
        })
        .collect();
    let bare = without_brackets(&plain);
    let unitless = bare.as_deref().map(|bare| bare.strip_suffix("/元").unwrap_or(bare).to_owned());
    [Some(plain), unitless].into_iter().flatten().filter(|form| !form.is_empty())
}

/// `None` where the brackets say that something else is meant: another currency, another unit.
fn without_brackets(title: &str) -> Option<String> {
    let (mut bare, mut inside, mut depth) = (String::new(), String::new(), 0_u32);
    for c in title.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => inside.push(c),
            _ => bare.push(c),
        }
    }
    let other = ["美元", "usd", "$", "欧", "eur", "€", "港", "hkd", "日元", "英镑", "万", "千"];
    let means_other = inside == "分" || other.iter().any(|unit| inside.contains(unit));
    (!means_other).then_some(if bare.is_empty() { inside } else { bare })
}

/// The rows below the headings of every visible sheet that has them.
pub(super) fn table(mut sheets: Vec<Sheet>, wanted: &Wanted<'_>) -> Result<Table, Unreadable> {
    let titles = Titles::of(wanted);
    let unread: usize = sheets.iter().map(|sheet| sheet.unread_pictures).sum();
    for sheet in &mut sheets {
        sheet.rows.retain(|(_, cells)| cells.iter().any(|cell| *cell != Cell::Empty));
    }
    sheets.retain(|sheet| !sheet.rows.is_empty());
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
    let several = sheets.iter().filter(|sheet| !sheet.hidden).count() > 1;
    let last_try = !used.contains(&true);
    for ((sheet, found), used) in sheets.into_iter().zip(found).zip(used) {
        match found {
            Some(found) if used => add(&mut table, sheet, found, &titles, wanted, several),
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
fn add_bare(table: &mut Table, sheet: Sheet, several: bool) {
    let head = Arc::new(Head::default());
    let name = several.then(|| Arc::from(sheet.name.as_str()));
    table.rows.extend(sheet.rows.into_iter().map(|(line, cells)| Row {
        place: Place { sheet: name.clone(), line },
        cells,
        head: head.clone(),
        pictures: Vec::new(),
    }));
}

fn add(table: &mut Table, sheet: Sheet, found: Found, titles: &Titles, wanted: &Wanted<'_>, several: bool) {
    let missing = found.missing(wanted);
    if !table.headed || missing.len() < table.missing.len() {
        table.missing = missing;
    }
    table.headed = true;
    let name: Option<Arc<str>> = several.then(|| Arc::from(sheet.name.as_str()));
    let (line, cells) = &sheet.rows[found.at];
    let named = cells.iter().map(|cell| cell.shown().to_owned()).collect::<Vec<_>>();
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
    if found.at > 0 {
        table.notes.push(here(&format!("表头在第 {line} 行，上面的 {} 行没有读", found.at)));
    }
    let head = Arc::new(Head { columns: found.columns, titles: named, line: *line });
    let (mut left_out, mut pictures): (_, HashMap<u32, Vec<Lying>>) = (Vec::new(), HashMap::new());
    sheet.pictures.into_iter().for_each(|picture| pictures.entry(picture.line).or_default().push(picture));
    for (line, cells) in sheet.rows.into_iter().skip(found.at + 1) {
        let row = Row { place: Place { sheet: name.clone(), line }, cells, head: head.clone(), pictures: Vec::new() };
        match row.is_none(titles) {
            Some(what) => left_out.push(format!("第 {line} 行「{what}」")),
            None => {
                let own = pictures.remove(&line).unwrap_or_default();
                let pictures = own.into_iter().map(|picture| head.drawn(picture)).collect();
                table.rows.push(Row { pictures, ..row });
            }
        }
    }
    if !left_out.is_empty() {
        let rows: Vec<&str> = left_out.iter().map(String::as_str).collect();
        table.notes.push(here(&format!("没有读：{}", listed(&rows))));
    }
    let outside: usize = pictures.values().map(Vec::len).sum();
    if outside > 0 {
        table.notes.push(here(&format!("表格以外的 {outside} 张图片没有读")));
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
        let Lying { line, column: at, bytes } = picture;
        let column = self.columns.iter().position(|column| *column == Some(at));
        let titled = self.titles.get(at).is_some_and(|title| !title.is_empty());
        Drawn { address: format!("{}{line}", letters(at)), column, titled, bytes }
    }
}

impl Row {
    /// Whether words stand in two of the wanted columns: beside its own, a total has only numbers.
    fn says_more(&self) -> bool {
        let wanted = self.head.columns.iter().flatten().filter_map(|at| self.cells.get(*at));
        let words = |cell: &&Cell| matches!(cell, Cell::Text(text) if !text.contains(|c: char| c.is_numeric()));
        wanted.filter(words).count() > 1
    }

    /// What the row is instead of one of the table: a total, the headings once more, a note below. `None` for a row.
    fn is_none(&self, titles: &Titles) -> Option<String> {
        let first = self.cells.iter().find(|cell| **cell != Cell::Empty)?.shown();
        let word: String = number::narrow(first).to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
        let total = word.trim_end_matches([':', '：']);
        let totals = [
            "合计",
            "总计",
            "小计",
            "共计",
            "累计",
            "总数",
            "本页合计",
            "本页小计",
            "total",
            "subtotal",
            "sum",
            "grandtotal",
        ];
        let filled = self.cells.iter().filter(|cell| **cell != Cell::Empty).count();
        let notes = ["注:", "备注:", "说明:", "注意:", "制表", "填表", "审核", "打印时间", "导出时间", "*", "※"];
        // A sentence alone in its row is no name and no number.
        let sentence = first.contains(['，', '。', '；', '！', '？', '：']);
        let note = filled == 1 && (sentence || notes.iter().any(|note| word.starts_with(note)));
        let again = filled > 1 && titles.known(&self.cells) * 2 > filled && titles.known(&self.cells) > 1;
        (totals.contains(&total) && !self.says_more() || note || again).then(|| brief(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{paste, read};

    const WANTED: Wanted<'_> = Wanted {
        columns: &[&["商品名称", "品名", "name"], &["售价(元)", "单价"], &["库存", "数量"]],
        needed: &[&[0]],
    };

    fn table(text: &str) -> Table {
        read(text.as_bytes(), &WANTED).unwrap()
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
        let table = table("序号,商品名称,售价\n1,a,2\n");
        assert!(table.notes[0].contains("序号"));
        assert_eq!(table.rows[0].place.to_string(), "第 2 行", "no sheet is named where there is one");
    }

    #[test]
    fn another_currency_is_not_the_price() {
        let table = table("商品名称,售价(美元),库存\n杯子,3,1\n");
        assert!(table.rows[0].get(1).is_none() && table.notes[0].contains("售价(美元)"));
    }

    #[test]
    fn totals_notes_and_repeated_headings_are_said() {
        let table = table(
            "商品名称,售价,库存\n杯子,1,1\n商品名称,售价,库存\n碗,2,2\n合 计：,,3\n\n备注：含税价,,\n合计表,1,1\n\
             总库存：12,,\n* 以上含税,,\n以上价格含税，请核对,,\n盘子，大,3,3\n碟子,,\n",
        );
        assert_eq!(table.rows.len(), 5);
        assert!(
            table.notes.iter().any(|note| note.contains("第 9 行") && note.contains("第 11 行")),
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
