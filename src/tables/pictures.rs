//! Pictures of a workbook, and where each stands: in a cell, as Excel and WPS put them there, or over the cells.

use std::collections::HashMap;
use std::sync::Arc;

use quick_xml::events::BytesStart;

use super::grid::{Lying, Sheet};
use super::package::{Package, Seen, walk};
use super::zipped::attribute;
use super::{Cell, MOST_COLUMNS, MOST_LINE, Unreadable, number};

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

    /// Those that lie over the cells, each in the row to which it belongs.
    pub(super) fn over_cells(&mut self, sheet: &mut Sheet) -> Result<(), Unreadable> {
        if self.files == 0 {
            return Ok(());
        }
        let Some(part) = self.package.sheet(&sheet.name)? else { return Ok(()) };
        let drawings = self.package.relations(&part)?.into_values().filter(|part| part.contains("/drawings/drawing"));
        let drawings: Vec<String> = drawings.collect();
        if drawings.is_empty() {
            return Ok(());
        }
        let heights = Heights::of(&mut self.package, &sheet.name)?;
        for drawing in drawings {
            let relations = self.package.relations(&drawing)?;
            for (row, column, id, cropped) in anchored(&self.package.part(&drawing)?, &heights)? {
                if let Some(file) = relations.get(&id) {
                    self.add(sheet, row.saturating_add(1), column as usize, file)?;
                    if let Some(last) = sheet.pictures.last_mut() {
                        last.cropped = cropped;
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, sheet: &mut Sheet, line: u32, column: usize, file: &str) -> Result<(), Unreadable> {
        self.placed += 1;
        if self.placed <= MOST_PICTURES {
            sheet.pictures.push(Lying { line, column, bytes: self.file(file)?, cropped: false });
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

/// How high the rows of a sheet are, in English metric units.
struct Heights {
    usual: i64,
    /// Of the rows that are of another height, counted from zero.
    others: HashMap<u32, i64>,
}

impl Heights {
    fn of(package: &mut Package<'_>, sheet: &str) -> Result<Heights, Unreadable> {
        let yes = |tag: &BytesStart<'_>, name: &str| {
            attribute(tag, name).is_some_and(|value| value == "1" || value == "true")
        };
        // What a sheet has that says nothing of it.
        let (mut heights, mut row) = (Heights { usual: 15 * number::UNITS, others: HashMap::new() }, 0_u32);
        package.walk_sheet(sheet, |seen| match seen {
            Seen::Start("sheetFormatPr", tag) => {
                let usual = high(attribute(tag, "defaultRowHeight"));
                heights.usual = if yes(tag, "zeroHeight") { 0 } else { usual.unwrap_or(heights.usual) };
            }
            Seen::Start("row", tag) => {
                let line = attribute(tag, "r").and_then(|line| line.parse().ok());
                row = line.unwrap_or(row.saturating_add(1));
                let own = if yes(tag, "hidden") { Some(0) } else { high(attribute(tag, "ht")) };
                // A row that is written down is seen, where those that are not are hidden.
                let own = own.or((heights.usual == 0).then_some(15 * number::UNITS));
                if let Some(own) = own.filter(|_| (1..=MOST_LINE).contains(&row)) {
                    heights.others.insert(row - 1, own);
                }
            }
            _ => {}
        })?;
        Ok(heights)
    }

    fn row(&self, row: u32) -> i64 {
        self.others.get(&row).copied().unwrap_or(self.usual)
    }

    /// The row of something that lies from one height to another below the upper edge of a row. Programs put a picture at
    /// the edge of its row, however high it is: that one. By hand it is put anywhere: the first row of which it covers
    /// half, unless that is a low one that it only crosses on its way to where most of it lies.
    fn covered(&self, first: u32, from: i64, to: i64) -> u32 {
        let (mut edge, mut half, mut most) = (0, None, (0, first));
        // A row that is not shown has a picture only if it was put there.
        if self.row(first) == 0 {
            return first;
        }
        for row in (first..MOST_LINE).take(MOST_SPANNED) {
            let high = self.row(row);
            let covers = (edge + high).min(to) - edge.max(from);
            if covers > 0 && covers * 2 >= high && half.is_none() {
                half = Some((covers, row));
                if (0..=AT_THE_EDGE).contains(&(from - edge)) {
                    return row;
                }
            }
            if covers > most.0 {
                most = (covers, row);
            }
            edge += high;
            if edge >= to {
                break;
            }
        }
        match half {
            Some((covers, row)) if covers * 2 >= most.0 && self.row(row) * 4 >= self.row(most.1) * 3 => row,
            _ => most.1,
        }
    }

    /// From the upper edge of a row to that of one below it.
    fn between(&self, first: u32, last: u32) -> i64 {
        (first..last.min(MOST_LINE)).take(MOST_SPANNED).map(|row| self.row(row)).sum()
    }
}

/// So near to the edge of a row, in English metric units, nobody drags a picture by chance: two pixels.
const AT_THE_EDGE: i64 = 19_050;
/// Rows over which a picture is followed.
const MOST_SPANNED: usize = 2_000;

fn high(points: Option<String>) -> Option<i64> {
    // No row is higher than 409 points.
    number::units(&points?).filter(|high| (0..=410 * number::UNITS).contains(high))
}

/// The corners of a picture, as far as they are bound to cells: lengths in English metric units.
#[derive(Default)]
struct Anchor {
    row: Option<u32>,
    column: Option<u32>,
    /// How far below the edge of its first row it begins.
    into_first: i64,
    last_row: Option<u32>,
    /// How far it reaches into its last row.
    into_last: i64,
    high: i64,
    picture: Option<String>,
}

impl Anchor {
    /// The row to which it belongs: by hand a picture is hardly ever put exactly. One of several that were made one lies in
    /// its part of them.
    fn main_row(&self, heights: &Heights, part: Option<Part>) -> Option<u32> {
        let first = self.row.filter(|row| *row < MOST_LINE)?;
        // It begins within its row, however far it is said to.
        let from = self.into_first.clamp(0, heights.row(first));
        let to = match self.last_row {
            Some(last) => heights.between(first, last) + self.into_last.clamp(0, heights.row(last)),
            None => from + self.high.clamp(0, MOST_HIGH),
        };
        let (from, to) = part.map_or((from, to), |part| part.of(from, to));
        Some(heights.covered(first, from, to))
    }
}

/// Where a shape is set, and the measure of what is set in it.
#[derive(Clone, Copy, Default)]
struct Frame {
    off: i64,
    high: i64,
    inner_off: i64,
    inner_high: i64,
}

impl Frame {
    /// What a length inside of it is outside.
    fn outside(&self, inside: i64) -> i64 {
        match self.inner_high {
            0 => inside,
            _ => self.off.saturating_add(scaled(inside.saturating_sub(self.inner_off), self.high, self.inner_high)),
        }
    }
}

fn scaled(length: i64, by: i64, of: i64) -> i64 {
    i64::try_from(i128::from(length) * i128::from(by) / i128::from(of.max(1))).unwrap_or_default()
}

/// So much of the height of several pictures that were made one: from and to, of all.
#[derive(Clone, Copy)]
struct Part(i64, i64, i64);

impl Part {
    /// Of a picture inside of groups, the outermost first.
    fn new(picture: Frame, groups: &[Frame]) -> Option<Part> {
        let (outermost, others) = groups.split_first()?;
        let ends = [picture.off, picture.off.saturating_add(picture.high)];
        let ends = ends.map(|end| others.iter().rev().fold(end, |end, group| group.outside(end)));
        let [from, to] = ends.map(|end| end.saturating_sub(outermost.inner_off));
        (outermost.inner_high > 0 && from < to).then_some(Part(from, to, outermost.inner_high))
    }

    fn of(self, from: i64, to: i64) -> (i64, i64) {
        let Part(begins, ends, all) = self;
        let at = |part: i64| from + scaled(part.clamp(0, all), to - from, all);
        (at(begins), at(ends))
    }
}

/// Higher than any picture of goods, in English metric units: a metre.
const MOST_HIGH: i64 = 36_000_000;

/// A picture of a drawing: its row and column, its relation, and whether only a part of it is shown.
type Anchored = (u32, u32, String, bool);

/// Where the pictures of a drawing lie; those that are bound to no cell are left out.
fn anchored(drawing: &[u8], heights: &Heights) -> Result<Vec<Anchored>, Unreadable> {
    #[derive(Clone, Copy)]
    enum Field {
        Row,
        Column,
        IntoFirst,
        LastRow,
        IntoLast,
    }
    let (mut found, mut anchor) = (Vec::new(), Anchor::default());
    let (mut from, mut to, mut field) = (false, false, None);
    let (mut groups, mut of_group, mut picture): (Vec<Frame>, bool, Option<Frame>) = (Vec::new(), false, None);
    let mut cropped = false;
    let length = |tag: &BytesStart<'_>, name: &str| -> i64 {
        attribute(tag, name).and_then(|length| length.trim().parse().ok()).unwrap_or_default()
    };
    walk(drawing, |seen| match seen {
        Seen::Start("oneCellAnchor" | "twoCellAnchor" | "absoluteAnchor", _) => anchor = Anchor::default(),
        Seen::Start("from", _) => from = true,
        Seen::End("from") => from = false,
        Seen::Start("to", _) => to = true,
        Seen::End("to") => to = false,
        Seen::Start("row", _) if from => field = Some(Field::Row),
        Seen::Start("col", _) if from => field = Some(Field::Column),
        Seen::Start("rowOff", _) if from => field = Some(Field::IntoFirst),
        Seen::Start("row", _) if to => field = Some(Field::LastRow),
        Seen::Start("rowOff", _) if to => field = Some(Field::IntoLast),
        Seen::End("row" | "col" | "rowOff") => field = None,
        Seen::Text(text) => match field {
            Some(Field::Row) => anchor.row = text.trim().parse().ok(),
            Some(Field::Column) => anchor.column = text.trim().parse().ok(),
            Some(Field::IntoFirst) => anchor.into_first = text.trim().parse().unwrap_or_default(),
            Some(Field::LastRow) => anchor.last_row = text.trim().parse().ok(),
            Some(Field::IntoLast) => anchor.into_last = text.trim().parse().unwrap_or_default(),
            None => {}
        },
        Seen::Start("grpSp", _) => groups.push(Frame::default()),
        Seen::End("grpSp") => drop(groups.pop()),
        Seen::Start("grpSpPr", _) => of_group = true,
        Seen::End("grpSpPr") => of_group = false,
        Seen::Start("pic", _) => (picture, cropped) = (Some(Frame::default()), false),
        Seen::Start("srcRect", tag) => {
            cropped = ["l", "t", "r", "b"].iter().any(|side| length(tag, side) > MOST_TRIMMED)
        }
        Seen::Start(what @ ("off" | "ext" | "chOff" | "chExt"), tag) => {
            // The size of the anchor; that of the picture inside says the same once more.
            if what == "ext" && anchor.high == 0 && length(tag, "cy") != 0 {
                anchor.high = length(tag, "cy");
            }
            let shape = if of_group { groups.last_mut() } else { picture.as_mut() };
            match (what, shape) {
                ("off", Some(shape)) => shape.off = length(tag, "y"),
                ("ext", Some(shape)) if length(tag, "cy") != 0 => shape.high = length(tag, "cy"),
                ("chOff", Some(shape)) => shape.inner_off = length(tag, "y"),
                ("chExt", Some(shape)) => shape.inner_high = length(tag, "cy"),
                _ => {}
            }
        }
        Seen::Start("blip", tag) => anchor.picture = attribute(tag, "embed"),
        Seen::End("pic" | "oneCellAnchor" | "twoCellAnchor" | "absoluteAnchor") => {
            let part = picture.take().and_then(|picture| Part::new(picture, &groups));
            let (row, column) = (anchor.main_row(heights, part), anchor.column);
            if let (Some(row), Some(column), Some(id)) = (row, column, anchor.picture.take()) {
                found.push((row, column, id, cropped));
            }
        }
        _ => {}
    })?;
    Ok(found)
}

/// So little of a side, in thousandths of a percent, is cut off with a border and nothing else.
const MOST_TRIMMED: i64 = 3_000;

/// The place that `C3` names, counted from zero.
pub(super) fn place(name: &str) -> Option<(u32, u32)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Four pictures that were made one over four rows, and one that was made one with others before.
    #[test]
    fn a_picture_of_a_group_lies_in_its_own_part_of_it() {
        let picture = |id: usize, from: i64, high: i64| {
            format!(
                "<xdr:pic><xdr:blipFill><a:blip r:embed=\"r{id}\"/><a:srcRect l=\"{}\"/></xdr:blipFill><xdr:spPr><a:xfrm><a:off x=\"5\" y=\"{from}\"/><a:ext cx=\"9\" cy=\"{high}\"/></a:xfrm></xdr:spPr></xdr:pic>",
                if id == 2 { 50_000 } else { 0 }
            )
        };
        let frame = |from: i64, high: i64, inner_from: i64, inner_high: i64| {
            format!(
                "<xdr:grpSpPr><a:xfrm><a:off x=\"0\" y=\"{from}\"/><a:ext cx=\"9\" cy=\"{high}\"/><a:chOff x=\"0\" y=\"{inner_from}\"/><a:chExt cx=\"9\" cy=\"{inner_high}\"/></a:xfrm></xdr:grpSpPr>"
            )
        };
        let inner = format!("<xdr:grpSp>{}{}</xdr:grpSp>", frame(3_100, 900, 0, 90), picture(4, 5, 80));
        let pictures: String = (0..3).map(|n| picture(n + 1, 1_000 * i64::try_from(n).unwrap() + 120, 800)).collect();
        let drawing = format!(
            "<xdr:wsDr xmlns:xdr=\"x\" xmlns:a=\"a\" xmlns:r=\"r\"><xdr:twoCellAnchor><xdr:from><xdr:col>2</xdr:col><xdr:row>1</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from><xdr:to><xdr:col>3</xdr:col><xdr:row>5</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:to><xdr:grpSp>{}{pictures}{inner}</xdr:grpSp></xdr:twoCellAnchor></xdr:wsDr>",
            frame(762_000, 4_000, 0, 4_000)
        );
        let heights = Heights { usual: 762_000, others: HashMap::new() };
        let found = anchored(drawing.as_bytes(), &heights).unwrap();
        let of: Vec<(u32, &str, bool)> =
            found.iter().map(|(row, _, id, cropped)| (*row, id.as_str(), *cropped)).collect();
        assert_eq!(of, [(1, "r1", false), (2, "r2", true), (3, "r3", false), (4, "r4", false)]);
    }
}
