//! Pictures of a workbook, and where each stands: in a cell, as Excel and WPS put them there, or over the cells.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use quick_xml::events::BytesStart;

use super::grid::{Lying, Sheet};
use super::package::{Package, Seen, walk};
use super::zipped::attribute;
use super::{Cell, Looks, MOST_COLUMNS, MOST_LINE, Unreadable, number};

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
    /// The pictures that WPS shows by a formula, by the name in it, each with how it looks there.
    named: HashMap<String, (String, Looks)>,
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

    fn named(&mut self) -> Result<HashMap<String, (String, Looks)>, Unreadable> {
        let relations = self.package.relations("xl/cellimages.xml")?;
        let xml = self.package.part("xl/cellimages.xml")?;
        let (mut named, mut name, mut file) = (HashMap::new(), None, None);
        let mut looks = Looks::default();
        walk(&xml[..], |seen| match seen {
            Seen::Start("pic", _) => looks = Looks::default(),
            Seen::Start("cNvPr", tag) => name = attribute(tag, "name"),
            Seen::Start("blip", tag) => file = attribute(tag, "embed").and_then(|id| relations.get(&id).cloned()),
            Seen::Start("srcRect", tag) => looks.cropped = is_cropped(tag),
            Seen::Start("xfrm", tag) => looks.turn(tag),
            Seen::End("pic") => named.extend(name.take().zip(file.take().map(|file| (file, looks)))),
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
                self.add(sheet, row + 1, column as usize, &file, Looks::default())?;
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
            if let Some((file, looks)) = self.named.get(&name).cloned() {
                self.add(sheet, line, column, &file, looks)?;
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
        let sizes = Sizes::of(&mut self.package, &sheet.name)?;
        for drawing in drawings {
            let relations = self.package.relations(&drawing)?;
            for (row, column, id, looks) in anchored(&self.package.part(&drawing)?, &sizes)? {
                if let Some(file) = relations.get(&id) {
                    self.add(sheet, row.saturating_add(1), column as usize, file, looks)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, sheet: &mut Sheet, line: u32, column: usize, file: &str, looks: Looks) -> Result<(), Unreadable> {
        self.placed += 1;
        if self.placed <= MOST_PICTURES {
            sheet.pictures.push(Lying { line, column, bytes: self.file(file)?, looks });
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

/// How high the rows of a sheet are, in English metric units, and which of its columns are there to be seen.
struct Sizes {
    usual: i64,
    /// Of the rows that are of another height, counted from zero.
    others: HashMap<u32, i64>,
    hidden_columns: BTreeSet<u32>,
}

impl Sizes {
    fn of(package: &mut Package<'_>, sheet: &str) -> Result<Sizes, Unreadable> {
        let yes = |tag: &BytesStart<'_>, name: &str| {
            attribute(tag, name).is_some_and(|value| value == "1" || value == "true")
        };
        // What a sheet has that says nothing of it.
        let usual = 15 * number::UNITS;
        let mut sizes = Sizes { usual, others: HashMap::new(), hidden_columns: BTreeSet::new() };
        let mut row = 0_u32;
        package.walk_sheet(sheet, |seen| match seen {
            Seen::Start("sheetFormatPr", tag) => {
                let usual = high(attribute(tag, "defaultRowHeight"));
                sizes.usual = if yes(tag, "zeroHeight") { 0 } else { usual.unwrap_or(sizes.usual) };
            }
            Seen::Start("col", tag) if yes(tag, "hidden") => {
                let number = |name: &str| attribute(tag, name).and_then(|text| text.parse::<u32>().ok());
                let first = number("min").unwrap_or(1).max(1);
                let last = number("max").unwrap_or(first).min(MOST_COLUMNS);
                sizes.hidden_columns.extend(first - 1..last);
            }
            Seen::Start("row", tag) => {
                let line = attribute(tag, "r").and_then(|line| line.parse().ok());
                row = line.unwrap_or(row.saturating_add(1));
                let own = if yes(tag, "hidden") { Some(0) } else { high(attribute(tag, "ht")) };
                // A row that is written down is seen, where those that are not are hidden.
                let own = own.or((sizes.usual == 0).then_some(15 * number::UNITS));
                if let Some(own) = own.filter(|_| (1..=MOST_LINE).contains(&row)) {
                    sizes.others.insert(row - 1, own);
                }
            }
            _ => {}
        })?;
        Ok(sizes)
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

/// What lies from one place in a row or a column to one in another, as far as these are to be seen: `size` says how large each
/// is, where that is known.
fn seen_between(first: (u32, i64), last: (u32, i64), size: impl Fn(u32) -> Option<i64>) -> i64 {
    let each = (first.0..=last.0).take(MOST_SPANNED).map(|at| {
        let all = size(at).unwrap_or(MOST_HIGH);
        let from = if at == first.0 { first.1.max(0) } else { 0 };
        let to = if at == last.0 { last.1.min(all) } else { all };
        (to - from).max(0)
    });
    each.sum()
}

/// So near to the edge of a row, in English metric units, nobody drags a picture by chance: two pixels.
const AT_THE_EDGE: i64 = 19_050;
/// Rows over which a picture is followed.
const MOST_SPANNED: usize = 2_000;

fn high(points: Option<String>) -> Option<i64> {
    // No row is higher than 409 points.
    number::units(&points?).filter(|high| (0..=410 * number::UNITS).contains(high))
}

/// A corner of a picture: its row and column, and how far it lies in those, in English metric units.
#[derive(Clone, Copy, Default)]
struct Corner {
    row: Option<u32>,
    column: Option<u32>,
    into_row: i64,
    into_column: i64,
}

/// Where a picture is bound to cells: by its corners, or by one of them and its size.
#[derive(Default)]
struct Anchor {
    from: Corner,
    to: Corner,
    high: i64,
    /// Whether the size that it is said to have is none.
    flat: bool,
    picture: Option<String>,
}

impl Anchor {
    /// The row to which it belongs: by hand a picture is hardly ever put exactly. One of several that were made one lies in
    /// its part of them.
    fn main_row(&self, sizes: &Sizes, part: Option<Part>) -> Option<u32> {
        let first = self.from.row.filter(|row| *row < MOST_LINE)?;
        // It begins within its row, however far it is said to.
        let from = self.from.into_row.clamp(0, sizes.row(first));
        let to = match self.to.row {
            Some(last) => sizes.between(first, last) + self.to.into_row.clamp(0, sizes.row(last)),
            None => from + self.high.clamp(0, MOST_HIGH),
        };
        let (from, to) = part.map_or((from, to), |part| part.of(from, to));
        Some(sizes.covered(first, from, to))
    }

    /// Whether nothing of it is to be seen: programs keep what lay over rows that were deleted, and make it as high as what
    /// is left of them.
    fn is_unseen(&self, sizes: &Sizes) -> bool {
        let Anchor { from, to, .. } = self;
        let high = |row: u32| sizes.others.get(&row).copied().or((sizes.usual == 0).then_some(0));
        let wide = |column: u32| sizes.hidden_columns.contains(&column).then_some(0);
        let low =
            from.row.zip(to.row).map(|(first, last)| seen_between((first, from.into_row), (last, to.into_row), high));
        let narrow = from.column.zip(to.column);
        let narrow = narrow.map(|(first, last)| seen_between((first, from.into_column), (last, to.into_column), wide));
        [low, narrow].into_iter().flatten().any(|seen| seen <= AT_THE_EDGE) || self.flat && to.row.is_none()
    }
}

/// Where a shape is set, and the measure of what is set in it.
#[derive(Clone, Copy, Default)]
struct Frame {
    off: i64,
    high: i64,
    inner_off: i64,
    inner_high: i64,
    /// Whether it is said to have no size.
    flat: bool,
    looks: Looks,
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

/// A picture of a drawing: its row and column, its relation, and how it looks there.
type Anchored = (u32, u32, String, Looks);

/// Where the pictures of a drawing lie; those that are bound to no cell are left out.
fn anchored(drawing: &[u8], sizes: &Sizes) -> Result<Vec<Anchored>, Unreadable> {
    #[derive(Clone, Copy)]
    enum Field {
        Row,
        Column,
        IntoRow,
        IntoColumn,
    }
    let (mut found, mut anchor) = (Vec::new(), Anchor::default());
    let (mut from, mut to, mut field) = (false, false, None);
    let (mut groups, mut of_group, mut picture): (Vec<Frame>, bool, Option<Frame>) = (Vec::new(), false, None);
    let mut looks = Looks::default();
    let length = |tag: &BytesStart<'_>, name: &str| -> i64 {
        attribute(tag, name).and_then(|length| length.trim().parse().ok()).unwrap_or_default()
    };
    walk(drawing, |seen| match seen {
        Seen::Start("oneCellAnchor" | "twoCellAnchor" | "absoluteAnchor", _) => {
            (anchor, looks) = (Anchor::default(), Looks::default());
        }
        Seen::Start("from", _) => from = true,
        Seen::End("from") => from = false,
        Seen::Start("to", _) => to = true,
        Seen::End("to") => to = false,
        Seen::Start("row", _) if from || to => field = Some(Field::Row),
        Seen::Start("col", _) if from || to => field = Some(Field::Column),
        Seen::Start("rowOff", _) if from || to => field = Some(Field::IntoRow),
        Seen::Start("colOff", _) if from || to => field = Some(Field::IntoColumn),
        Seen::End("row" | "col" | "rowOff" | "colOff") => field = None,
        Seen::Text(text) => {
            let corner = if to { &mut anchor.to } else { &mut anchor.from };
            match field {
                Some(Field::Row) => corner.row = text.trim().parse().ok(),
                Some(Field::Column) => corner.column = text.trim().parse().ok(),
                Some(Field::IntoRow) => corner.into_row = text.trim().parse().unwrap_or_default(),
                Some(Field::IntoColumn) => corner.into_column = text.trim().parse().unwrap_or_default(),
                None => {}
            }
        }
        Seen::Start("grpSp", _) => groups.push(Frame::default()),
        Seen::End("grpSp") => drop(groups.pop()),
        Seen::Start("grpSpPr" | "nvGrpSpPr", _) => of_group = true,
        Seen::End("grpSpPr" | "nvGrpSpPr") => of_group = false,
        Seen::Start("pic", _) => (picture, looks) = (Some(Frame::default()), Looks::default()),
        Seen::Start("srcRect", tag) => looks.cropped = is_cropped(tag),
        Seen::Start("cNvPr", tag) => {
            let shape = if of_group { groups.last_mut() } else { picture.as_mut() };
            let hidden = attribute(tag, "hidden").is_some_and(|value| value == "1" || value == "true");
            shape.into_iter().for_each(|shape| shape.looks.unseen = hidden);
        }
        Seen::Start("xfrm", tag) => {
            let shape = if of_group { groups.last_mut() } else { picture.as_mut() };
            shape.map_or(&mut looks, |shape| &mut shape.looks).turn(tag);
        }
        Seen::Start(what @ ("off" | "ext" | "chOff" | "chExt"), tag) => {
            let none = |name: &str| attribute(tag, name).is_some_and(|length| length.trim() == "0");
            let flat = none("cx") || none("cy");
            // The size of the anchor; that of the picture inside says the same once more.
            if what == "ext" && anchor.high == 0 && length(tag, "cy") != 0 {
                anchor.high = length(tag, "cy");
            }
            if what == "ext" && picture.is_none() && groups.is_empty() {
                anchor.flat |= flat;
            }
            let shape = if of_group { groups.last_mut() } else { picture.as_mut() };
            match (what, shape) {
                ("off", Some(shape)) => shape.off = length(tag, "y"),
                ("ext", Some(shape)) if flat => shape.flat = true,
                ("ext", Some(shape)) if length(tag, "cy") != 0 => shape.high = length(tag, "cy"),
                ("chOff", Some(shape)) => shape.inner_off = length(tag, "y"),
                ("chExt", Some(shape)) => shape.inner_high = length(tag, "cy"),
                _ => {}
            }
        }
        Seen::Start("blip", tag) => anchor.picture = attribute(tag, "embed"),
        Seen::End("pic" | "oneCellAnchor" | "twoCellAnchor" | "absoluteAnchor") => {
            let shape = picture.take();
            let part = shape.and_then(|shape| Part::new(shape, &groups));
            let (row, column) = (anchor.main_row(sizes, part), anchor.from.column);
            if let (Some(row), Some(column), Some(id)) = (row, column, anchor.picture.take()) {
                let mut all =
                    shape.into_iter().chain(groups.iter().copied()).fold(looks, |all, own| all.and(own.looks));
                all.turned = all.turned.rem_euclid(360);
                // Of a picture that is alone its anchor tells the size, and programs may write none inside.
                let squeezed = !groups.is_empty() && shape.is_some_and(|shape| shape.flat);
                all.unseen |= squeezed || anchor.is_unseen(sizes) || sizes.row(row) == 0;
                found.push((row, column, id, all));
            }
        }
        _ => {}
    })?;
    Ok(found)
}

/// Whether more of a picture is cut off than a border.
fn is_cropped(tag: &BytesStart<'_>) -> bool {
    let cut = |side: &str| attribute(tag, side).and_then(|length| length.trim().parse::<i64>().ok());
    ["l", "t", "r", "b"].into_iter().any(|side| cut(side).is_some_and(|cut| cut > MOST_TRIMMED))
}

/// So little of a side, in thousandths of a percent, is cut off with a border and nothing else.
const MOST_TRIMMED: i64 = 3_000;

impl Looks {
    /// What the frame of a shape says of it.
    fn turn(&mut self, frame: &BytesStart<'_>) {
        const DEGREE: i64 = 60_000;
        let is = |name: &str| attribute(frame, name).is_some_and(|value| value == "1" || value == "true");
        let turned = attribute(frame, "rot").and_then(|turned| turned.trim().parse::<i64>().ok()).unwrap_or_default();
        let (across, over) = (is("flipH"), is("flipV"));
        // Both together are half a turn.
        let half = if across && over { 180 } else { 0 };
        self.turned = (turned.saturating_add(DEGREE / 2).div_euclid(DEGREE) + half).rem_euclid(360);
        self.mirrored = across != over;
    }

    /// The same of something that is set in another.
    fn and(self, other: Looks) -> Looks {
        Looks {
            cropped: self.cropped || other.cropped,
            turned: self.turned + other.turned,
            mirrored: self.mirrored != other.mirrored,
            unseen: self.unseen || other.unseen,
        }
    }
}

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

    /// Rows of sixty points, but for some that are of another height; the sixth column is hidden.
    fn sizes(others: &[(u32, i64)]) -> Sizes {
        Sizes { usual: 762_000, others: others.iter().copied().collect(), hidden_columns: BTreeSet::from([5]) }
    }

    fn drawing(anchors: &str) -> String {
        format!("<xdr:wsDr xmlns:xdr=\"x\" xmlns:a=\"a\" xmlns:r=\"r\">{anchors}</xdr:wsDr>")
    }

    fn corner(which: &str, [column, into_column, row, into_row]: [i64; 4]) -> String {
        format!(
            "<xdr:{which}><xdr:col>{column}</xdr:col><xdr:colOff>{into_column}</xdr:colOff><xdr:row>{row}</xdr:row><xdr:rowOff>{into_row}</xdr:rowOff></xdr:{which}>"
        )
    }

    /// A picture with further attributes of its own name and of its frame, and with a size in it.
    fn pic(name: &str, frame: &str, size: [i64; 2]) -> String {
        let [wide, high] = size;
        format!(
            "<xdr:pic><xdr:nvPicPr><xdr:cNvPr id=\"2\" {name}/></xdr:nvPicPr><xdr:blipFill><a:blip r:embed=\"r1\"/></xdr:blipFill><xdr:spPr><a:xfrm {frame}><a:off x=\"0\" y=\"0\"/><a:ext cx=\"{wide}\" cy=\"{high}\"/></a:xfrm></xdr:spPr></xdr:pic>"
        )
    }

    fn group(name: &str, frame: &str, inside: &str) -> String {
        format!(
            "<xdr:grpSp><xdr:nvGrpSpPr><xdr:cNvPr id=\"9\" {name}/></xdr:nvGrpSpPr><xdr:grpSpPr><a:xfrm {frame}><a:off x=\"0\" y=\"0\"/><a:ext cx=\"9\" cy=\"9\"/><a:chOff x=\"0\" y=\"0\"/><a:chExt cx=\"9\" cy=\"9\"/></a:xfrm></xdr:grpSpPr>{inside}</xdr:grpSp>"
        )
    }

    /// In a drawing alone.
    fn looks(anchor: &str, others: &[(u32, i64)]) -> (u32, Looks) {
        let found = anchored(drawing(anchor).as_bytes(), &sizes(others)).unwrap();
        let [(row, _, _, looks)] = &found[..] else { panic!("{anchor}: {found:?}") };
        (*row, *looks)
    }

    /// What lay over rows that are gone, what was hidden, and what was hidden with its row.
    #[test]
    fn a_picture_of_which_nothing_is_to_be_seen_is_known() {
        const PX: i64 = 9_525;
        let two = |from: [i64; 4], to: [i64; 4], inside: &str| {
            format!("<xdr:twoCellAnchor>{}{}{inside}</xdr:twoCellAnchor>", corner("from", from), corner("to", to))
        };
        let one = |from: [i64; 4], size: [i64; 2], inside: &str| {
            let [wide, high] = size;
            let ext = format!("<xdr:ext cx=\"{wide}\" cy=\"{high}\"/>");
            format!("<xdr:oneCellAnchor>{}{ext}{inside}</xdr:oneCellAnchor>", corner("from", from))
        };
        let plain = pic("", "", [9, 9]);
        let fits = ([3, 0, 1, 0], [4, 0, 2, 0]);
        // The third row is hidden, the seventh is low.
        let others = [(2, 0), (6, 2 * PX)];
        for (what, anchor, unseen) in [
            ("seen", two(fits.0, fits.1, &plain), false),
            ("one that says nothing of its size", two(fits.0, fits.1, &pic("", "", [0, 0])), false),
            ("to a place in the same row", two([3, 0, 1, 0], [3, 60 * PX, 1, 60 * PX], &plain), false),
            ("no height", two([3, 0, 1, 0], [4, 0, 1, 0], &plain), true),
            ("two pixels high", two([3, 0, 1, 5 * PX], [4, 0, 1, 7 * PX], &plain), true),
            ("three pixels high", two([3, 0, 1, 5 * PX], [4, 0, 1, 8 * PX], &plain), false),
            ("up the sheet", two([3, 0, 5, 0], [4, 0, 1, 0], &plain), true),
            ("below the edge of a low row", two([3, 0, 6, 9 * PX], [4, 0, 7, 0], &plain), true),
            ("no width", two([3, 0, 1, 0], [3, 0, 2, 0], &plain), true),
            ("in a hidden column", two([5, 0, 1, 0], [6, 0, 2, 0], &plain), true),
            ("beyond a hidden column", two([5, 0, 1, 0], [6, 60 * PX, 2, 0], &plain), false),
            ("in a hidden row", two([3, 0, 2, 0], [4, 0, 3, 0], &plain), true),
            ("from a hidden row", two([3, 0, 2, 0], [4, 0, 3, 60 * PX], &plain), true),
            ("across a hidden row", two([3, 0, 1, 30 * PX], [4, 0, 3, 70 * PX], &plain), false),
            ("of a size", one(fits.0, [60 * PX, 60 * PX], &pic("", "", [0, 0])), false),
            ("of no height", one(fits.0, [60 * PX, 0], &plain), true),
            ("of no width", one(fits.0, [0, 60 * PX], &plain), true),
            ("of a size in a hidden row", one([3, 0, 2, 0], [60 * PX, 60 * PX], &plain), true),
            ("hidden", two(fits.0, fits.1, &pic("hidden=\"1\"", "", [9, 9])), true),
            ("not hidden", two(fits.0, fits.1, &pic("hidden=\"0\"", "", [9, 9])), false),
            ("in a group", two(fits.0, fits.1, &group("", "", &plain)), false),
            ("in a hidden group", two(fits.0, fits.1, &group("hidden=\"1\"", "", &plain)), true),
            ("flat in a group", two(fits.0, fits.1, &group("", "", &pic("", "", [9, 0]))), true),
        ] {
            assert_eq!(looks(&anchor, &others).1.unseen, unseen, "{what}");
        }
    }

    #[test]
    fn a_picture_that_is_turned_says_by_how_much() {
        let anchor = |inside: &str| {
            let [from, to] = [corner("from", [3, 0, 1, 0]), corner("to", [4, 0, 2, 0])];
            format!("<xdr:twoCellAnchor>{from}{to}{inside}</xdr:twoCellAnchor>")
        };
        for (frame, turned, mirrored) in [
            ("", 0, false),
            ("rot=\"5400000\"", 90, false),
            ("rot=\"-5400000\"", 270, false),
            ("rot=\"21600000\"", 0, false),
            ("rot=\"20000\"", 0, false),
            ("rot=\"21590000\"", 0, false),
            ("rot=\"600000\"", 10, false),
            ("flipH=\"1\"", 0, true),
            ("flipV=\"true\"", 0, true),
            ("flipH=\"1\" flipV=\"1\"", 180, false),
            ("flipH=\"0\"", 0, false),
        ] {
            let own = looks(&anchor(&pic("", frame, [9, 9])), &[]).1;
            assert_eq!((own.turned, own.mirrored), (turned, mirrored), "{frame}");
            let of_group = looks(&anchor(&group("", frame, &pic("", "", [9, 9]))), &[]).1;
            assert_eq!((of_group.turned, of_group.mirrored), (turned, mirrored), "group {frame}");
        }
        let back = anchor(&group("", "rot=\"5400000\"", &pic("", "rot=\"16200000\"", [9, 9])));
        assert_eq!(looks(&back, &[]).1, Looks::default());
    }

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
        let found = anchored(drawing.as_bytes(), &sizes(&[])).unwrap();
        let of: Vec<(u32, &str, bool)> =
            found.iter().map(|(row, _, id, looks)| (*row, id.as_str(), looks.cropped)).collect();
        assert_eq!(of, [(1, "r1", false), (2, "r2", true), (3, "r3", false), (4, "r4", false)]);
    }
}
