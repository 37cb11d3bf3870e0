//! Tables that people bring: told by their content, found by their headings, every cell as a person sees it.
//!
//! A caller says which columns it knows ([`Wanted`]) and gets the rows below the headings ([`Table`]); what was left
//! out is said in `notes`. A cell that a spreadsheet has spoilt, failed to reckon or turned into a date is not text:
//! whoever needs it gets a sentence with its address.

mod biff;
mod cfb;
mod comments;
mod grid;
mod heads;
mod kind;
mod number;
mod ods;
mod package;
mod pictures;
mod strings;
mod struck;
mod text;
mod unseen;
mod weight;
mod write;
mod xls;
mod xlsx;
mod zipped;

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

pub use heads::explains;
pub use number::{DIGITS, count, is_spoilt, narrow, settled};
pub use write::{csv, xlsx};

/// What a file of a table may weigh.
pub const MOST_BYTES: usize = MOST_MIB * 1024 * 1024;
pub const MOST_MIB: usize = 20;
/// Rows below the headings.
pub const MOST_ROWS: usize = 100_000;
/// How far down and to the right a cell may stand.
const MOST_LINE: u32 = 200_000;
const MOST_COLUMNS: u32 = 256;

/// The columns that a caller knows.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The titles of every column, its usual one first; its place in here is its number.
    pub columns: &'a [&'a [&'a str]],
    /// Groups of columns of which a table needs one each, or it is not the table that is looked for.
    pub needed: &'a [&'a [usize]],
    /// Columns of which a title that names the row's own specification, or what of it can be sold, counts before one that names
    /// goods or a sum.
    pub closer: &'a [usize],
    /// Columns of figures: a remark in their title that is not known to say nothing may mean another figure.
    pub figures: &'a [usize],
    /// The column that a title which is none of these most likely means, from its plain form; asked in a row that names
    /// another column too, and counted where no other title is like it.
    pub alike: fn(&str) -> Option<usize>,
}

/// Why a file is no table, and the way out: a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    fn new(why: impl Into<String>) -> Unreadable {
        Unreadable(why.into())
    }

    fn encrypted() -> Unreadable {
        Unreadable::new("文件有密码：请用 Excel 或 WPS 打开它，去掉密码另存一份，再导入")
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Unreadable> for String {
    fn from(unreadable: Unreadable) -> String {
        unreadable.0
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Table {
    pub rows: Vec<Row>,
    /// Whether headings were found; without them every row is given as it stands, and no column is known.
    pub headed: bool,
    /// The needed columns that no sheet has, by their usual titles.
    pub missing: Vec<String>,
    /// Columns that stand there twice under the same title; the first one counts.
    pub twice: Vec<usize>,
    /// What was left out and not used, in sentences for the person who brought it.
    pub notes: Vec<String>,
    /// Lines that are no rows, each where it stands: what they say may be of those below.
    pub aside: Vec<(Place, String)>,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    pub place: Place,
    /// Pictures that stand in the row or lie over it.
    pub pictures: Vec<Drawn>,
    /// Why nobody knows what stands under which heading: the line has more cells than its headings.
    pub moved: Option<String>,
    /// Most of what stands there is struck through.
    pub struck: bool,
    /// Where in it something is, by columns of the sheet.
    crossed: Vec<usize>,
    /// What is hung on its cells, by columns of the sheet.
    comments: Vec<(usize, String)>,
    /// What stands alone in a line above it, the last of these, as between groups.
    group: Option<Arc<str>>,
    cells: Vec<Cell>,
    /// Cells that stand for other lines, too.
    spans: Vec<grid::Span>,
    head: Arc<Head>,
}

/// A picture of a row.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The cell in which it stands, or in whose row most of it lies.
    pub address: String,
    /// The wanted column in which that is; `None` for another or for none.
    pub column: Option<usize>,
    /// Whether anything is written above that cell in the row of headings.
    pub titled: bool,
    pub looks: Looks,
    /// The file as it was put in; empty where it is missing or too large. The same picture twice is the same memory.
    pub bytes: Arc<[u8]>,
}

/// How a picture looks in a sheet, beside what it is in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// Only a part of it is shown.
    pub cropped: bool,
    /// By so many degrees it is turned, clockwise.
    pub turned: i64,
    pub mirrored: bool,
    /// Nothing of it is to be seen: it was hidden, or squeezed to nothing as its row was deleted.
    pub unseen: bool,
}

/// The headings of a sheet.
#[derive(Debug, Default)]
struct Head {
    columns: Vec<Option<usize>>,
    titles: Vec<String>,
    line: u32,
    /// What the sheet is called, and what stands above them.
    above: Vec<String>,
}

/// Where a row stands, as the person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Only where the file has several sheets.
    pub sheet: Option<Arc<str>>,
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sheet {
            Some(sheet) => write!(f, "「{sheet}」第 {} 行", self.line),
            None => write!(f, "第 {} 行", self.line),
        }
    }
}

/// A cell as a person sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cell {
    #[default]
    Empty,
    /// Text, a number or yes and no.
    Text(String),
    /// A day or time, and the only thing that is sure is how it looks.
    Date(String),
    /// A number that has lost its last digits.
    Spoilt(String),
    /// What a formula says that failed.
    Error(String),
    /// A formula that was never reckoned out.
    Unsolved,
    /// A picture in place of text.
    Picture,
}

impl Cell {
    /// What stands there, whatever it is.
    pub fn shown(&self) -> &str {
        match self {
            Cell::Text(text) | Cell::Date(text) | Cell::Spoilt(text) | Cell::Error(text) => text,
            Cell::Empty | Cell::Unsolved | Cell::Picture => "",
        }
    }

    /// Its text, empty for an empty cell. `Err` says what stands there instead, and what to do.
    pub fn text(&self) -> Result<&str, String> {
        match self {
            Cell::Empty => Ok(""),
            Cell::Text(text) => Ok(text),
            Cell::Date(date) => Err(format!("被表格软件变成了日期 {date}：请把单元格格式改成“文本”，再重新填写")),
            Cell::Spoilt(number) => Err(format!(
                "是长数字，被表格软件变成了 {number}，后几位已经丢了：请把这一列改成“文本”格式，再重新填写"
            )),
            Cell::Error(error) => Err(format!("是公式错误 {error}：请改成要填的内容，或清空")),
            Cell::Unsolved => Err("的公式还没有结果：请用 Excel 或 WPS 打开，保存一次再导入".to_owned()),
            Cell::Picture => Err("是图片，不是文字".to_owned()),
        }
    }
}

impl Row {
    /// The cell under a wanted column; `None` when the table does not have that column.
    pub fn get(&self, column: usize) -> Option<&Cell> {
        let at = (*self.head.columns.get(column)?)?;
        Some(self.cells.get(at).unwrap_or(&Cell::Empty))
    }

    /// The text under a wanted column; `None` when the table has no such column. `Err` is a sentence with the address.
    pub fn text(&self, column: usize) -> Option<Result<&str, String>> {
        let cell = self.get(column)?;
        Some(cell.text().map_err(|what| format!("{} {what}", self.address(column))))
    }

    /// The lines from which to which one cell under a wanted column stands, where it stands for more than this one.
    pub fn merged(&self, column: usize) -> Option<(u32, u32)> {
        let at = (*self.head.columns.get(column)?)?;
        self.spans.iter().find(|span| span.column == at).map(|span| (span.first, span.last))
    }

    /// What is hung on its cells, each with where that is.
    pub fn comments(&self) -> impl Iterator<Item = (String, &str)> {
        self.comments.iter().map(|(at, text)| (format!("{}{}", letters(*at), self.place.line), text.as_str()))
    }

    /// Whether what stands under a wanted column is struck through.
    pub fn is_crossed(&self, column: usize) -> bool {
        self.head.columns.get(column).copied().flatten().is_some_and(|at| self.crossed.contains(&at))
    }

    /// The title of a wanted column as it is written in this table.
    pub fn title(&self, column: usize) -> Option<&str> {
        let at = (*self.head.columns.get(column)?)?;
        self.head.titles.get(at).map(String::as_str)
    }

    /// What stands under no heading at all.
    pub fn unheaded(&self) -> impl Iterator<Item = &str> {
        self.nameless().map(|(_, text)| text)
    }

    /// Every title of its sheet, known or not.
    pub fn titles(&self) -> impl Iterator<Item = &str> {
        self.head.titles.iter().map(String::as_str)
    }

    /// What its sheet is called, and what stands above the headings.
    pub fn above(&self) -> impl Iterator<Item = &str> {
        self.head.above.iter().map(String::as_str)
    }

    /// The same, and what stands alone in a line above its group.
    pub fn said_above(&self) -> impl Iterator<Item = &str> {
        self.above().chain(self.group.as_deref())
    }

    /// All cells from the left, with their titles (empty where there is none).
    pub fn cells(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.cells.iter().enumerate().map(|(at, cell)| (self.head.titles.get(at).map_or("", String::as_str), cell))
    }

    /// Where a wanted column's cell is: `C3`.
    pub fn address(&self, column: usize) -> String {
        format!("{}{}", self.letters(column), self.place.line)
    }

    /// A wanted column as spreadsheets name it: `C`.
    pub fn letters(&self, column: usize) -> String {
        letters(self.head.columns.get(column).copied().flatten().unwrap_or(0))
    }

    /// The line of the headings above this row.
    pub fn head_line(&self) -> u32 {
        self.head.line
    }
}

/// A column's name in a spreadsheet.
fn letters(mut at: usize) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, char::from(b'A' + (at % 26) as u8));
        match at / 26 {
            0 => return name,
            rest => at = rest - 1,
        }
    }
}

/// Reads a file, whatever it is called. Blocks: call it off the async threads.
pub fn read(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Table, Unreadable> {
    if bytes.len() > MOST_BYTES {
        return Err(Unreadable::new(format!("文件超过 {MOST_MIB} MB，请拆成几个文件")));
    }
    heads::table(kind::sheets(bytes, wanted)?, wanted)
}

/// What was copied out of a spreadsheet, or typed: columns apart by a tab, a comma or blanks.
pub fn paste(text: &str, wanted: &Wanted<'_>) -> Result<Table, Unreadable> {
    heads::table(vec![text::pasted(text, wanted)?], wanted)
}

/// Reads a file from the disk.
pub fn open(path: &Path, wanted: &Wanted<'_>) -> Result<Table, Unreadable> {
    let problem = |e: std::io::Error| Unreadable::new(format!("{} 读不出来：{e}", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(problem)?;
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(problem)?;
    read(&bytes, wanted)
}
