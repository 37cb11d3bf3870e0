//! What a freight template may say: the form's text, read or refused with words for whoever wrote it.

use super::{By, Free, Price, Rate, Row, Terms};
use serde::Serialize;

use crate::error::{Code, Error, Result};
use crate::money::Fen;
use crate::places::{Place, listed};
use crate::typed::{Length, clean, whole};

/// Regions with a price of their own.
pub const MOST_ROWS: usize = 30;
/// A thousand kilograms in grams, and as many pieces as nobody sends.
const MOST_GRAMS: i64 = 1_000_000;
const MOST_PIECES: i64 = 10_000;
pub const NAME: Length = Length::between(1, 20);
/// The regions of one row.
pub const REGIONS: Length = Length::up_to(500);

/// A template as its form has it.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    pub name: String,
    pub by: String,
    pub rows: Vec<FilledRow>,
    pub elsewhere: FilledRow,
}

/// A row of it; everywhere else has no regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FilledRow {
    pub regions: String,
    pub not_sent: bool,
    pub first: String,
    pub first_fee: String,
    pub more: String,
    pub more_fee: String,
    pub free_from: String,
    pub always: bool,
}

impl FilledRow {
    pub fn is_blank(&self) -> bool {
        let texts = [&self.regions, &self.first, &self.first_fee, &self.more, &self.more_fee, &self.free_from];
        texts.iter().all(|text| text.trim().is_empty())
    }

    pub fn of(row: Option<&Row>, rate: &Rate, by: By) -> FilledRow {
        let regions = row.map(|row| row.regions.clone()).unwrap_or_default();
        let units = |n: i64| if by == By::Piece { n.to_string() } else { super::kilograms(n) };
        match rate {
            Rate::NotSent => FilledRow { regions, not_sent: true, ..FilledRow::default() },
            Rate::Price(price) => FilledRow {
                regions,
                not_sent: false,
                first: units(price.first),
                first_fee: price.first_fee.plain(),
                more: units(price.more),
                more_fee: price.more_fee.plain(),
                free_from: match price.free_from {
                    None => String::new(),
                    Some(Free::Sum(from)) => from.plain(),
                    Some(Free::Pieces { pieces }) => format!("{pieces} 件"),
                },
                always: price.always,
            },
        }
    }

    fn rate(&self, by: By, at: &str) -> std::result::Result<Rate, Wrong> {
        if self.not_sent {
            return Ok(Rate::NotSent);
        }
        let [unit, first, more] = match by {
            By::Piece => ["件", "首件", "续件"],
            By::Weight => ["公斤", "首重", "续重"],
        };
        let units = |text: &str, name: &str| match text.trim() {
            "" => Ok(if by == By::Piece { 1 } else { 1_000 }),
            text => units(text, by).ok_or_else(|| {
                let most = if by == By::Piece { MOST_PIECES } else { MOST_GRAMS / 1_000 };
                format!(
                    "{at}：{name}请填多少{unit}，大于 0，最多 {most}{}",
                    if by == By::Piece { "" } else { "，到克为止" }
                )
            }),
        };
        let fee = |text: &str, name: &str| match text.trim() {
            "" => Err(format!("{at}：{name}没有填，不收请填 0")),
            text => yuan(text, at, name),
        };
        let free_from = match self.free_from.trim() {
            "" => Ok(None),
            text => free(text, at).map(Some),
        };
        Ok(Rate::Price(Price {
            first: units(&self.first, first).map_err(|problem| ("first", problem))?,
            first_fee: fee(&self.first_fee, &format!("{first}的运费")).map_err(|problem| ("first_fee", problem))?,
            more: units(&self.more, more).map_err(|problem| ("more", problem))?,
            more_fee: fee(&self.more_fee, &format!("{more}的运费")).map_err(|problem| ("more_fee", problem))?,
            free_from: free_from.map_err(|problem| ("free_from", problem))?,
            always: self.always,
        }))
    }
}

/// The cell of a row that is wrong, and why.
type Wrong = (&'static str, String);

fn yuan(text: &str, at: &str, name: &str) -> std::result::Result<Fen, String> {
    Fen::from_yuan(text).ok_or_else(|| format!("{at}：{name}请填金额，例如 8 或 8.50"))
}

/// `99`, or `3 件`.
fn free(text: &str, at: &str) -> std::result::Result<Free, String> {
    match clean(text).strip_suffix('件') {
        Some(pieces) => whole(pieces)
            .filter(|pieces| (1..=MOST_PIECES).contains(pieces))
            .map(|pieces| Free::Pieces { pieces })
            .ok_or_else(|| format!("{at}：包邮的件数请填 1 到 {MOST_PIECES}，例如 3 件")),
        None => {
            yuan(text, at, "包邮的金额").map(Free::Sum).map_err(|problem| format!("{problem}；按件数包邮请写 3 件"))
        }
    }
}

/// Pieces, or kilograms in grams: `1`, `0.5`. Never through a float.
fn units(text: &str, by: By) -> Option<i64> {
    let text = clean(text);
    let digits = |text: &str| text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    if !digits(whole) || !digits(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let (n, most) = match by {
        By::Piece => (whole, MOST_PIECES),
        By::Weight if part.len() <= 3 => (whole * 1_000 + format!("{part:0<3}").parse::<i64>().ok()?, MOST_GRAMS),
        By::Weight => return None,
    };
    ((by == By::Weight || !text.contains('.')) && (1..=most).contains(&n)).then_some(n)
}

impl Filled {
    pub fn of(terms: &Terms) -> Filled {
        Filled {
            name: terms.name.clone(),
            by: terms.by.word().to_owned(),
            rows: terms.rows.iter().map(|row| FilledRow::of(Some(row), &row.rate, terms.by)).collect(),
            elsewhere: FilledRow::of(None, &terms.elsewhere, terms.by),
        }
    }

    /// What it says, or everything that is wrong, each by its row.
    pub fn check(&self) -> Result<Terms> {
        let mut error = Error::from(Code::ValidationFailed);
        let mut wrong = |field: String, problem: String| drop(error.fields.insert(field, problem.into()));
        let name = clean(&self.name);
        if !NAME.fits_line(&name) {
            wrong("name".into(), format!("名称{NAME}"));
        }
        let by = self.by.parse().unwrap_or_else(|()| {
            wrong("by".into(), "请选按件还是按重量".into());
            By::Piece
        });
        let (mut rows, mut seen): (Vec<Row>, Vec<Place>) = Default::default();
        let filled = self.rows.iter().enumerate().filter(|(_, row)| !row.is_blank());
        for (i, row) in filled {
            let at = format!("第 {} 行", i + 1);
            match read(row, by, &at, &seen) {
                Ok(row) => {
                    seen.extend(&row.places);
                    rows.push(row);
                }
                Err((cell, problem)) => wrong(format!("rows[{i}].{cell}"), problem),
            }
        }
        if rows.len() > MOST_ROWS {
            wrong("rows".into(), format!("最多 {MOST_ROWS} 行地区"));
        }
        let elsewhere = self.elsewhere.rate(by, "其他地区").unwrap_or_else(|(cell, problem)| {
            wrong(format!("elsewhere.{cell}"), problem);
            Rate::NotSent
        });
        if elsewhere == Rate::NotSent && rows.iter().all(|row| row.rate == Rate::NotSent) && error.fields.is_empty() {
            return Err(Error::field("elsewhere", "哪里都不发货的模板没有用，至少写一个发货的地区"));
        }
        if error.fields.is_empty() { Ok(Terms { name, by, rows, elsewhere }) } else { Err(error) }
    }
}

fn read(row: &FilledRow, by: By, at: &str, seen: &[Place]) -> std::result::Result<Row, Wrong> {
    let wrong = |problem: String| Err(("regions", format!("{at}：{problem}")));
    let (regions, listed) = (clean(&row.regions), listed(&row.regions));
    if regions.is_empty() {
        return wrong("没有写地区，例如 新疆 西藏；所有地方都一样的写在“其他地区”".into());
    }
    if !REGIONS.fits(&regions) {
        return wrong("地区太多了，请分成几行".into());
    }
    if !listed.problems.is_empty() {
        return wrong(listed.problems.join("；"));
    }
    let mut places: Vec<Place> = Vec::new();
    for place in listed.places {
        if seen.contains(&place) {
            return wrong(format!("{}前面写过了", place.text()));
        }
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(Row { regions, places, rate: row.rate(by, at)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(regions: &str, cells: [&str; 5]) -> FilledRow {
        let [first, first_fee, more, more_fee, free_from] = cells.map(str::to_owned);
        FilledRow { regions: regions.into(), first, first_fee, more, more_fee, free_from, ..FilledRow::default() }
    }

    fn perfect() -> Filled {
        let remote = FilledRow { always: true, ..row("新疆 西藏", ["1", "25", "1", "15", ""]) };
        let not = FilledRow { regions: "港澳台".into(), not_sent: true, ..FilledRow::default() };
        Filled {
            name: " 重货 ".into(),
            by: "weight".into(),
            rows: vec![remote, FilledRow::default(), not, row("乌鲁木齐", ["1", "18", "0.5", "6.5", "199"])],
            elsewhere: row("", ["", "8", "0.5", "2", "99"]),
        }
    }

    #[test]
    fn a_template_is_read_as_it_was_written_and_shown_so_again() {
        let terms = perfect().check().unwrap();
        assert_eq!((terms.name.as_str(), terms.by, terms.rows.len()), ("重货", By::Weight, 3));
        for (to, fee) in [
            ("新疆喀什", Some("25.00")),
            ("乌鲁木齐市天山区", Some("18.00")),
            ("浙江杭州", Some("8.00")),
            ("香港", None),
        ] {
            let found = match terms.rate(Some(&Place::parse(to).unwrap())) {
                Rate::Price(price) => Some(price.first_fee.to_string()),
                Rate::NotSent => None,
            };
            assert_eq!(found.as_deref(), fee, "{to}");
        }
        assert!(matches!(terms.rate(None), Rate::Price(price) if price.first == 1_000 && price.more == 500));
        assert_eq!(Filled::of(&terms).check().unwrap(), terms);
        let text = terms.text();
        assert!(text.contains("新疆 西藏 首 1 kg ¥25.00") && text.contains("港澳台 不发货"), "{text}");
    }

    /// A perfect template, one thing wrong per row.
    #[test]
    fn what_is_wrong_is_said_by_its_row() {
        type Spoil = fn(&mut Filled);
        let rows: [(Spoil, &str); 21] = [
            (|f| f.name = "  ".into(), "名称"),
            (|f| f.name = "很".repeat(21), "名称"),
            (|f| f.by = "volume".into(), "请选按件还是按重量"),
            (|f| f.rows[0].regions = "".into(), "第 1 行：没有写地区"),
            (|f| f.rows[0].regions = "火星".into(), "「火星」"),
            (|f| f.rows[3].regions = "新疆".into(), "第 4 行：新疆维吾尔自治区前面写过了"),
            (|f| f.rows[0].first = "0".into(), "第 1 行：首重"),
            (|f| f.rows[0].first = "-1".into(), "第 1 行：首重"),
            (|f| f.rows[0].first = "0.0005".into(), "第 1 行：首重"),
            (|f| f.rows[0].first = "1000.001".into(), "第 1 行：首重"),
            (|f| f.rows[0].more = ".".into(), "第 1 行：续重"),
            (|f| f.rows[0].first_fee = "".into(), "第 1 行：首重的运费没有填"),
            (|f| f.rows[0].more_fee = "贵".into(), "第 1 行：续重的运费请填金额"),
            (|f| f.rows[0].first = "9223372036854775807".into(), "第 1 行：首重请填多少公斤"),
            (|f| f.rows[0].free_from = "免".into(), "第 1 行：包邮的金额请填金额"),
            (|f| f.rows[0].free_from = "0 件".into(), "第 1 行：包邮的件数请填 1 到"),
            (|f| f.rows[0].free_from = "三件".into(), "第 1 行：包邮的件数请填 1 到"),
            (|f| f.rows[0].free_from = "99999999999999999999件".into(), "第 1 行：包邮的件数请填 1 到"),
            (|f| f.elsewhere.first_fee = "-8".into(), "其他地区：首重的运费请填金额"),
            (
                |f| {
                    f.by = "piece".into();
                    f.elsewhere.more = "0.5".into();
                },
                "其他地区：续件请填多少件",
            ),
            (
                |f| {
                    f.elsewhere.not_sent = true;
                    f.rows.retain(|row| row.not_sent);
                },
                "哪里都不发货",
            ),
        ];
        for (spoil, words) in rows {
            let mut filled = perfect();
            spoil(&mut filled);
            let error = filled.check().expect_err(words);
            let said: Vec<_> = error.fields.values().filter_map(|value| value.as_str()).collect();
            assert!(said.iter().any(|one| one.contains(words)), "{words}: {said:?}");
            // What is wrong within a row is told of its cell.
            let known = |field: &String| field.contains('.') || field == "name" || field == "by";
            assert!(words == "哪里都不发货" || error.fields.keys().all(known), "{words}: {:?}", error.fields);
        }
    }
}
