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
/// Between two brackets of a sheet's XML: what lies there stands in memory at once.
const MOST_RUN: usize = 1024 * 1024;
const MOST_STYLES: u64 = 8 * 1024 * 1024;
const MOST_PARTS: usize = 10_000;
/// More of them than a table has cells.
const MOST_STRINGS: usize = 640_000;

pub(super) type Zip<'a> = zip::ZipArchive<Cursor<&'a [u8]>>;

pub(super) fn open(bytes: &[u8]) -> Result<Zip<'_>, Unreadable> {
    zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken(&e))
}

pub(super) fn broken(e: &dyn std::fmt::Display) -> Unreadable {
    Unreadable::new(format!("不是有效的表格文件，或没有传完整（{e}）：请重新保存一次再导入"))
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
        weighed.pictures += usize::from(name.contains("media/") || name.starts_with("pictures/"));
    }
    Ok(weighed)
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
    let count = find(part, b"<si").count();
    let claims = find(part, b"uniqueCount").map(|at| {
        let rest = part[at + b"uniqueCount".len()..].iter().skip_while(|b| !b.is_ascii_digit());
        rest.take_while(|b| b.is_ascii_digit()).skip_while(|b| **b == b'0').count()
    });
    match count > MOST_STRINGS || claims.max().unwrap_or(0) > 6 {
        true => Err(too_large()),
        false => Ok(()),
    }
}

fn find<'a>(text: &'a [u8], what: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    (0..text.len()).filter(move |at| text[*at] == what[0] && text[*at..].starts_with(what))
}

/// Lets what is unpacked go by, and remembers what was seen.
#[derive(Default)]
struct Sink {
    keeps: bool,
    sheet: bool,
    formulas: bool,
    merged: bool,
    kept: Vec<u8>,
    /// The end of the last piece, for what stands across two.
    tail: Vec<u8>,
    seen: usize,
    /// Bytes since the last bracket, and the most there were between two.
    run: usize,
    longest: usize,
    /// Something that is neither an element nor text, behind the start.
    odd: bool,
}

impl Sink {
    fn measure(&mut self, piece: &[u8]) {
        for byte in piece {
            self.run = if matches!(byte, b'<' | b'>') { 0 } else { self.run + 1 };
            self.longest = self.longest.max(self.run);
        }
    }
}

impl std::io::Write for Sink {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if self.keeps {
            self.kept.extend_from_slice(piece);
        }
        if self.sheet {
            self.measure(piece);
            self.tail.extend_from_slice(piece);
            let start = self.seen + piece.len() - self.tail.len();
            self.odd |= [b"<!", b"<?"].iter().any(|mark| find(&self.tail, *mark).any(|at| start + at > 3));
            self.seen += piece.len();
            self.formulas |= find(&self.tail, b"f>").next().is_some();
            self.merged |= find(&self.tail, b"mergeCell").next().is_some();
            self.tail.drain(..self.tail.len().saturating_sub(16));
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
