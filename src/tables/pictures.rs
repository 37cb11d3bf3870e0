//! Pictures of a workbook, and where each stands: in a cell, as Excel and WPS put them there, or over the cells.

use std::collections::HashMap;
use std::sync::Arc;

use super::grid::{Lying, Sheet};
use super::package::{Package, Seen, walk};
use super::zipped::attribute;
use super::{Cell, MOST_COLUMNS, MOST_LINE, Unreadable};

/// What the pictures of one table may weigh together: they are small in a zip only if they are no pictures.
const MOST_UNPACKED: usize = 64 * 1024 * 1024;
/// More than anybody puts into a table, fewer than would take a second.
const MOST_PICTURES: usize = 10_000;

pub(super) struct Pictures<'a> {
    package: Package<'a>,
    /// Files of pictures in the package; without any, nothing is looked for.
    files: usize,
    /// The pictures that cells show by their number, which is in an attribute of the cell.
    numbered: HashMap<usize, String>,
    /// The pictures that WPS shows by a formula, by the name in it.
    named: HashMap<String, String>,
    read: HashMap<String, Arc<[u8]>>,
    left: usize,
    placed: usize,
}

impl<'a> Pictures<'a> {
    pub(super) fn of(bytes: &'a [u8], files: usize) -> Result<Pictures<'a>, Unreadable> {
        let mut all = Pictures {
            package: Package::of(bytes)?,
            files,
            numbered: HashMap::new(),
            named: HashMap::new(),
            read: HashMap::new(),
            left: MOST_UNPACKED,
            placed: 0,
        };
        if files > 0 {
            all.numbered = all.numbered()?;
            all.named = all.named()?;
        }
        Ok(all)
    }

    /// Files that no cell of any sheet shows: letter heads, backgrounds, pictures behind charts.
    pub(super) fn unread(&self) -> usize {
        self.files.saturating_sub(self.read.len())
    }

    /// From a cell's number to its picture there are five tables, each with places in the next.
    fn numbered(&mut self) -> Result<HashMap<usize, String>, Unreadable> {
        let relations = self.package.relations("xl/richData/richValueRel.xml")?;
        if relations.is_empty() {
            return Ok(HashMap::new());
        }
        let files: Vec<Option<String>> = attributes(&self.package.part("xl/richData/richValueRel.xml")?, "rel", "id")?
            .into_iter()
            .map(|id| relations.get(&id?).cloned())
            .collect();
        let values = rich_values(&self.package.part("xl/richData/rdrichvalue.xml")?)?;
        let metadata = self.package.part("xl/metadata.xml")?;
        let rich: Vec<Option<usize>> = numbers(&metadata, "rvb", "i")?;
        let cells = cell_values(&metadata)?;
        let picture = |at: &Option<usize>| {
            let value = (*rich.get((*at)?)?)?;
            files.get((*values.get(value)?)?)?.clone()
        };
        Ok(cells.iter().enumerate().filter_map(|(at, cell)| Some((at + 1, picture(cell)?))).collect())
    }

    fn named(&mut self) -> Result<HashMap<String, String>, Unreadable> {
        let relations = self.package.relations("xl/cellimages.xml")?;
        let xml = self.package.part("xl/cellimages.xml")?;
        let (mut named, mut name) = (HashMap::new(), None);
        walk(&xml[..], |seen| match seen {
            Seen::Start("cNvPr", tag) => name = attribute(tag, "name"),
            Seen::Start("blip", tag) => {
                let file = attribute(tag, "embed").and_then(|id| relations.get(&id).cloned());
                named.extend(name.take().zip(file));
            }
            _ => {}
        })?;
        Ok(named)
    }

    /// Those in place of a value: the cell itself holds only an error, for older programs.
    pub(super) fn in_cells(&mut self, sheet: &mut Sheet) -> Result<(), Unreadable> {
        if self.numbered.is_empty() {
            return Ok(());
        }
        let mut found = Vec::new();
        self.package.walk_sheet(&sheet.name, |seen| {
            if let Seen::Start("c", tag) = seen
                && let Some(number) = attribute(tag, "vm").and_then(|number| number.parse::<usize>().ok())
                && let Some((row, column)) = attribute(tag, "r").and_then(|name| place(&name))
            {
                found.push((row, column, number));
            }
        })?;
        for (row, column, number) in found {
            if let Some(file) = self.numbered.get(&number).cloned() {
                sheet.put(row, column, Cell::Picture)?;
                self.add(sheet, row + 1, column as usize, &file)?;
            }
        }
        Ok(())
    }

    /// Those of WPS, which writes a formula in place of a value.
    pub(super) fn by_formula(&mut self, sheet: &mut Sheet) -> Result<(), Unreadable> {
        // Where no program has put pictures by name, such a formula is text.
        if self.named.is_empty() {
            return Ok(());
        }
        let mut found = Vec::new();
        for (line, cells) in &mut sheet.rows {
            for (column, cell) in cells.iter_mut().enumerate() {
                let Some(name) = formula_picture(cell.shown()).map(str::to_owned) else { continue };
                *cell = Cell::Picture;
                found.push((*line, column, name));
            }
        }
        for (line, column, name) in found {
            if let Some(file) = self.named.get(&name).cloned() {
                self.add(sheet, line, column, &file)?;
            }
        }
        Ok(())
    }

    /// Those that lie over the cells, each in the row in which most of it lies.
    pub(super) fn over_cells(&mut self, sheet: &mut Sheet) -> Result<(), Unreadable> {
        if self.files == 0 {
            return Ok(());
        }
        let Some(part) = self.package.sheet(&sheet.name)? else { return Ok(()) };
        let drawings = self.package.relations(&part)?.into_values().filter(|part| part.contains("/drawings/drawing"));
        for drawing in drawings.collect::<Vec<_>>() {
            let relations = self.package.relations(&drawing)?;
            for (row, column, id) in anchored(&self.package.part(&drawing)?)? {
                if let Some(file) = relations.get(&id) {
                    self.add(sheet, row.saturating_add(1), column as usize, file)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, sheet: &mut Sheet, line: u32, column: usize, file: &str) -> Result<(), Unreadable> {
        self.placed += 1;
        if self.placed <= MOST_PICTURES {
            sheet.pictures.push(Lying { line, column, bytes: self.file(file)? });
        }
        Ok(())
    }

    fn file(&mut self, name: &str) -> Result<Arc<[u8]>, Unreadable> {
        if let Some(known) = self.read.get(name) {
            return Ok(known.clone());
        }
        // One that is too large is known by its emptiness, and its row says so.
        let bytes: Arc<[u8]> = match self.left {
            0 => Arc::from([]),
            _ => self.package.part(name).unwrap_or_default().into(),
        };
        self.left = self.left.saturating_sub(bytes.len());
        self.read.insert(name.to_owned(), bytes.clone());
        Ok(bytes)
    }
}

/// An attribute of every element of a name, in their order.
fn attributes(xml: &[u8], element: &str, name: &str) -> Result<Vec<Option<String>>, Unreadable> {
    let mut found = Vec::new();
    walk(xml, |seen| match seen {
        Seen::Start(known, tag) if known == element => found.push(attribute(tag, name)),
        _ => {}
    })?;
    Ok(found)
}

fn numbers(xml: &[u8], element: &str, name: &str) -> Result<Vec<Option<usize>>, Unreadable> {
    let found = attributes(xml, element, name)?;
    Ok(found.into_iter().map(|number| number?.parse().ok()).collect())
}

/// For every rich value its first part, which for a picture is the place of its file.
fn rich_values(xml: &[u8]) -> Result<Vec<Option<usize>>, Unreadable> {
    let (mut values, mut first, mut inside) = (Vec::new(), None, false);
    walk(xml, |seen| match seen {
        Seen::Start("rv", _) => first = None,
        Seen::Start("v", _) => inside = first.is_none(),
        Seen::Text(text) if inside => first = Some(text.trim().parse().ok()),
        Seen::End("v") => inside = false,
        Seen::End("rv") => values.push(first.take().flatten()),
        _ => {}
    })?;
    Ok(values)
}

/// For every number that a cell may have, its place among the rich values.
fn cell_values(metadata: &[u8]) -> Result<Vec<Option<usize>>, Unreadable> {
    let (mut values, mut inside) = (Vec::new(), false);
    walk(metadata, |seen| match seen {
        Seen::Start("valueMetadata", _) => inside = true,
        Seen::End("valueMetadata") => inside = false,
        Seen::Start("bk", _) if inside => values.push(None),
        Seen::Start("rc", tag) if inside => {
            if let Some(last) = values.last_mut() {
                *last = attribute(tag, "v").and_then(|place| place.parse().ok());
            }
        }
        _ => {}
    })?;
    Ok(values)
}

/// The corners of a picture, as far as they are bound to cells: lengths in English metric units.
#[derive(Default)]
struct Anchor {
    row: Option<u32>,
    column: Option<u32>,
    last_row: Option<u32>,
    /// How far it reaches into its last row.
    into_last: i64,
    high: i64,
    picture: Option<String>,
}

impl Anchor {
    /// The row in which most of it lies: by hand a picture is hardly ever put exactly.
    fn main_row(&self) -> Option<u32> {
        let first = self.row?;
        match self.last_row.unwrap_or(first).saturating_sub(first) {
            1 if self.high > 0 && self.into_last > self.high / 2 => Some(first + 1),
            0 | 1 => Some(first),
            more => Some(first + more / 2),
        }
    }
}

/// Where the pictures of a drawing lie, each with its relation; those that are bound to no cell are left out.
fn anchored(drawing: &[u8]) -> Result<Vec<(u32, u32, String)>, Unreadable> {
    #[derive(Clone, Copy)]
    enum Field {
        Row,
        Column,
        LastRow,
        IntoLast,
    }
    let (mut found, mut anchor) = (Vec::new(), Anchor::default());
    let (mut from, mut to, mut field) = (false, false, None);
    walk(drawing, |seen| match seen {
        Seen::Start("oneCellAnchor" | "twoCellAnchor" | "absoluteAnchor", _) => anchor = Anchor::default(),
        Seen::Start("from", _) => from = true,
        Seen::End("from") => from = false,
        Seen::Start("to", _) => to = true,
        Seen::End("to") => to = false,
        Seen::Start("row", _) if from => field = Some(Field::Row),
        Seen::Start("col", _) if from => field = Some(Field::Column),
        Seen::Start("row", _) if to => field = Some(Field::LastRow),
        Seen::Start("rowOff", _) if to => field = Some(Field::IntoLast),
        Seen::End("row" | "col" | "rowOff") => field = None,
        Seen::Text(text) => match field {
            Some(Field::Row) => anchor.row = text.trim().parse().ok(),
            Some(Field::Column) => anchor.column = text.trim().parse().ok(),
            Some(Field::LastRow) => anchor.last_row = text.trim().parse().ok(),
            Some(Field::IntoLast) => anchor.into_last = text.trim().parse().unwrap_or_default(),
            None => {}
        },
        Seen::Start("ext", tag) => {
            if let Some(high) = attribute(tag, "cy").and_then(|high| high.parse().ok()) {
                anchor.high = high;
            }
        }
        Seen::Start("blip", tag) => anchor.picture = attribute(tag, "embed"),
        // Several pictures may be made one; each lies where all of them do.
        Seen::End("pic" | "oneCellAnchor" | "twoCellAnchor" | "absoluteAnchor") => {
            if let (Some(row), Some(column), Some(id)) = (anchor.main_row(), anchor.column, anchor.picture.take()) {
                found.push((row, column, id));
            }
        }
        _ => {}
    })?;
    Ok(found)
}

/// The place that `C3` names, counted from zero.
fn place(name: &str) -> Option<(u32, u32)> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let letters = name[..digits].bytes().filter(u8::is_ascii_uppercase).take(4);
    let column = letters.fold(0, |column, letter| column * 26 + u32::from(letter - b'A') + 1);
    let line: u32 = name[digits..].parse().ok()?;
    let known = (1..=MOST_LINE).contains(&line) && (1..=MOST_COLUMNS).contains(&column);
    known.then(|| (line - 1, column - 1))
}

/// The name in `=DISPIMG("ID_…",1)`.
fn formula_picture(text: &str) -> Option<&str> {
    let (before, rest) = text.strip_prefix('=')?.split_once("DISPIMG(\"")?;
    if !["", "_xlfn."].contains(&before) {
        return None;
    }
    Some(rest.split_once('"')?.0)
}
