//! Workbooks are zips: what they unpack to is weighed before anything of it is believed.

use std::io::{Cursor, Read};

use quick_xml::events::BytesStart;

use super::Unreadable;

/// What a workbook may unpack to: a small zip can hold any number of zeros.
const MOST_UNPACKED: u64 = 200 * 1024 * 1024;
/// What is kept in memory whole: shared strings, formats, the list of sheets.
const MOST_KEPT: u64 = 16 * 1024 * 1024;
/// A sheet of a million cells.
const MOST_SHEET: u64 = 64 * 1024 * 1024;
/// From one element of a sheet's XML to the next: what lies there stands in memory at once.
const MOST_RUN: usize = 1024 * 1024;
/// The start of an element that is looked at: its name and its attributes.
const MOST_BEGUN: usize = 1024;
const MOST_STYLES: u64 = 8 * 1024 * 1024;
const MOST_PARTS: usize = 10_000;
/// More of them than a table has cells.
const MOST_STRINGS: usize = 640_000;

pub(super) type Zip<'a> = zip::ZipArchive<Cursor<&'a [u8]>>;

pub(super) fn open(bytes: &[u8]) -> Result<Zip<'_>, Unreadable> {
    zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken(&e))
}

/// What the libraries say of it helps nobody who has to mend it.
pub(super) fn broken(_: &dyn std::fmt::Display) -> Unreadable {
    Unreadable::new("不是有效的表格文件，或没有传完整：请重新保存一次再导入")
}

fn too_large() -> Unreadable {
    Unreadable::new("解压后太大，不像一张表：请把要导入的内容复制到一个新的表格里，再导入")
}

pub(super) fn names(bytes: &[u8]) -> Result<Vec<String>, Unreadable> {
    let zip = open(bytes)?;
    let names = zip.file_names().map(|name| name.map(|name| name.into_owned()));
    names.collect::<Result<_, _>>().map_err(|e| broken(&e))
}

/// A part of the zip, if it is there, and no larger than what may be kept.
pub(super) fn part(zip: &mut Zip<'_>, name: &str) -> Result<Option<Vec<u8>>, Unreadable> {
    let Some(at) = zip.index_for_name(name) else { return Ok(None) };
    let entry = zip.by_index(at).map_err(|e| broken(&e))?;
    let mut bytes = Vec::new();
    entry.take(MOST_KEPT + 1).read_to_end(&mut bytes).map_err(|e| broken(&e))?;
    if bytes.len() as u64 > MOST_KEPT { Err(too_large()) } else { Ok(Some(bytes)) }
}

/// An attribute of an element in a part, by its name without the prefix.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|a| a.key.local_name().as_ref() == name)?;
    found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

/// What the sheets of a workbook hold beside plain cells, so that what they do not hold is not looked for.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    pub formulas: bool,
    pub merged: bool,
    /// Rows or columns that are not shown.
    pub hidden: bool,
    /// Words that are struck through inside of a cell.
    pub struck: bool,
    /// What is hung on cells.
    pub comments: bool,
    /// Files of pictures anywhere in it.
    pub pictures: usize,
}

/// Unpacks everything once into nothing: only this tells how large it is, for what a zip says of itself may be untrue.
pub(super) fn weigh(bytes: &[u8]) -> Result<Weighed, Unreadable> {
    let mut zip = open(bytes)?;
    let mut weighed = Weighed::default();
    let claimed = (0..zip.len()).map(|at| zip.by_index_raw(at).map_or(0, |entry| entry.size()));
    let claimed = claimed.fold(0_u64, u64::saturating_add);
    if zip.len() > MOST_PARTS || claimed > MOST_UNPACKED {
        return Err(too_large());
    }
    let mut left = MOST_UNPACKED;
    for at in 0..zip.len() {
        let entry = zip.by_index(at).map_err(|e| broken(&e))?;
        let name = entry.name().map_err(|e| broken(&e))?.to_lowercase();
        let most = left.min(most(&name));
        if entry.size() > most {
            return Err(too_large());
        }
        let sheet = name.contains("sheet") || name.ends_with("content.xml");
        let mut sink = Sink { keeps: name.ends_with("sharedstrings.xml"), sheet, ..Sink::default() };
        let read = std::io::copy(&mut entry.take(most + 1), &mut sink).map_err(|e| broken(&e))?;
        if read > most {
            return Err(too_large());
        }
        // Comments and the like may hold any bracket, so a sheet that has some is held to what may be kept whole.
        if sink.sheet && (sink.longest > MOST_RUN || sink.odd && read > MOST_KEPT) {
            return Err(too_large());
        }
        left -= read;
        strings(&sink.kept)?;
        weighed.formulas |= sink.formulas;
        weighed.merged |= sink.merged;
        weighed.hidden |= sink.hidden;
        weighed.struck |=
            sink.struck || sink.kept.split(|b| *b == b'<').any(|element| self::name(element) == b"strike");
        weighed.comments |= name.contains("comment");
        weighed.pictures += usize::from(is_picture(&name));
    }
    Ok(weighed)
}

/// The same of a workbook that is no zip.
pub(super) fn weigh_flat(bytes: &[u8]) -> Result<(), Unreadable> {
    let mut sink = Sink { sheet: true, ..Sink::default() };
    sink.look(bytes);
    let size = bytes.len() as u64;
    match size > MOST_SHEET || sink.longest > MOST_RUN || sink.odd && size > MOST_KEPT {
        true => Err(too_large()),
        false => Ok(()),
    }
}

/// Some programs write the folder itself into the package.
fn is_picture(name: &str) -> bool {
    (name.contains("media/") || name.starts_with("pictures/")) && !name.ends_with('/')
}

fn most(name: &str) -> u64 {
    match () {
        () if name.contains("media/") => MOST_UNPACKED,
        () if name.contains("worksheets/") || name.ends_with("content.xml") => MOST_SHEET,
        () if name.ends_with("styles.xml") => MOST_STYLES,
        () if name.ends_with(".xml") || name.ends_with(".rels") => MOST_KEPT,
        () => MOST_UNPACKED,
    }
}

/// A claim about the number of strings is an order for memory, so it must be near what is there.
fn strings(part: &[u8]) -> Result<(), Unreadable> {
    let elements = || part.split(|b| *b == b'<').skip(1);
    let count = elements().filter(|element| !element.starts_with(b"/") && name(element) == b"si").count();
    let claims = elements().filter(|element| name(element) == b"sst").filter_map(claimed);
    match count > MOST_STRINGS || claims.max().unwrap_or(0) > 6 {
        true => Err(too_large()),
        false => Ok(()),
    }
}

/// The digits of `uniqueCount`.
fn claimed(element: &[u8]) -> Option<usize> {
    let rest = element[find(element, b"uniqueCount")?..].iter().skip_while(|b| !b.is_ascii_digit());
    Some(rest.take_while(|b| b.is_ascii_digit()).skip_while(|b| **b == b'0').count())
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// An element's name without its prefix, as it begins and as it ends.
fn name(element: &[u8]) -> &[u8] {
    let opened = element.strip_prefix(b"/").unwrap_or(element);
    let end = opened.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'));
    let whole = &opened[..end.unwrap_or(opened.len())];
    whole.rsplit(|b| *b == b':').next().unwrap_or(whole)
}

/// Lets what is unpacked go by, and remembers what was seen.
#[derive(Default)]
struct Sink {
    keeps: bool,
    sheet: bool,
    formulas: bool,
    merged: bool,
    hidden: bool,
    struck: bool,
    kept: Vec<u8>,
    /// The start of an element that goes on in the next piece.
    begun: Vec<u8>,
    elements: usize,
    /// Bytes since the last element began, and the most there were from one to the next.
    run: usize,
    longest: usize,
    /// Something that is neither an element nor text, behind the start.
    odd: bool,
}

impl Sink {
    /// Cuts before every element; of one that a piece cuts off, as much waits as its attributes may take.
    fn look(&mut self, piece: &[u8]) {
        let mut parts = piece.split(|b| *b == b'<').peekable();
        while let Some(part) = parts.next() {
            let ends = parts.peek().is_some();
            self.run += part.len();
            self.longest = self.longest.max(self.run);
            if !ends || !self.begun.is_empty() {
                self.begun.extend(&part[..part.len().min(MOST_BEGUN.saturating_sub(self.begun.len()))]);
            }
            if ends {
                let begun = std::mem::take(&mut self.begun);
                self.element(if begun.is_empty() { part } else { &begun });
                self.begun = begun;
                self.begun.clear();
                self.run = 0;
            }
        }
    }

    /// One as it stands behind its bracket, with the text that follows.
    fn element(&mut self, element: &[u8]) {
        self.elements += 1;
        // What comes first is the text before all elements, then the declaration.
        self.odd |= self.elements > 2 && matches!(element.first(), Some(b'!' | b'?'));
        match name(element) {
            b"f" => self.formulas = true,
            b"mergeCell" => self.merged = true,
            b"strike" => self.struck = true,
            b"row" | b"col" if !self.hidden => self.hidden = is_hidden(element),
            _ => {}
        }
    }
}

fn is_hidden(element: &[u8]) -> bool {
    let value = find(element, b" hidden=").and_then(|at| element.get(at + " hidden='".len()));
    matches!(value, Some(b'1' | b't'))
}

impl std::io::Write for Sink {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if self.keeps {
            self.kept.extend_from_slice(piece);
        }
        if self.sheet {
            self.look(piece);
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_hidden_whichever_way_its_program_says_so() {
        for (element, hidden) in [
            ("row r=\"1\" hidden=\"1\"", true),
            ("row r='1' hidden='true'", true),
            ("row r=\"1\" hidden=\"0\"", false),
            ("row r=\"1\" hidden=\"false\"", false),
            ("row r=\"1\"", false),
            ("row hidden=", false),
        ] {
            assert_eq!(is_hidden(element.as_bytes()), hidden, "{element}");
        }
    }
}
