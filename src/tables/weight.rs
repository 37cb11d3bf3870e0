//! The records of an old workbook, weighed before a library unpacks them: what is written once may be read many times.

use super::cfb::{u16_at, u32_at};
use super::grid::beyond;
use super::{MOST_COLUMNS, MOST_LINE, Unreadable};

/// What may stand in memory at once while a book is read: its stream, which is copied, and all its cells.
const MOST_WEIGHT: u64 = 192 * 1024 * 1024;
/// Each cell that holds something is listed with its place, and laid out in a rectangle that is copied, and becomes ours.
const LISTED: u64 = 40;
const LAID_OUT: u64 = 2 * 24 + 32;
/// Room that is asked for ahead is not touched; beyond this it is not given.
const MOST_CLAIMED: u64 = 8_000_000;

const CONTINUE: u16 = 0x003c;
const END: u16 = 0x000a;

/// Records in the order of the stream, as far as they are whole.
struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);
    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let (kind, length) = (u16_at(self.stream, self.at)?, u16_at(self.stream, self.at + 2)?);
        let record = self.stream.get(self.at + 4..self.at + 4 + usize::from(length))?;
        self.at += 4 + usize::from(length);
        Some((kind, record))
    }
}

/// Refuses a book that would be too large once it is unpacked, whatever it says of itself.
pub(super) fn weigh(stream: &[u8]) -> Result<(), Unreadable> {
    let mut book = Book { weight: 3 * stream.len() as u64, ..Book::default() };
    let (mut sheets, mut records) = (Vec::new(), Records { stream, at: 0 });
    while let Some((kind, record)) = records.next() {
        match kind {
            0x002f => return Err(Unreadable::encrypted()),
            // Where a sheet begins; several may begin at one place.
            0x0085 => sheets.extend(u32_at(record, 0)),
            // A name that formulas call.
            0x0018 => book.longest_name = book.longest_name.max(record.get(3).copied().unwrap_or_default().into()),
            0x00fc => book.strings = strings(record.get(8..).unwrap_or_default(), Records { stream, at: records.at }),
            END => break,
            _ => {}
        }
    }
    sheets.into_iter().try_for_each(|at| book.sheet(Records { stream, at: at as usize }))
}

/// What the sheets so far come to.
#[derive(Default)]
struct Book {
    weight: u64,
    /// Bytes of each shared string.
    strings: Vec<u64>,
    /// Characters of the longest name.
    longest_name: u64,
}

impl Book {
    fn more(&mut self, bytes: u64) -> Result<(), Unreadable> {
        self.weight = self.weight.saturating_add(bytes);
        let large = "表格展开后太大：请删掉多余的行、列、工作表和很长的文字，或拆成几个文件，再导入";
        if self.weight > MOST_WEIGHT { Err(Unreadable::new(large)) } else { Ok(()) }
    }

    fn sheet(&mut self, records: Records<'_>) -> Result<(), Unreadable> {
        let (mut rows, mut columns, mut depth) = (0, 0, 0_u32);
        for (kind, record) in records {
            match kind {
                // The start of the sheet, and of a chart inside.
                0x0809 => depth += 1,
                END if depth <= 1 => break,
                END => depth -= 1,
                _ if depth > 1 => {}
                // Its size as it claims it.
                0x0200 => claimed(record)?,
                // Merged cells.
                0x00e5 => self.more(2 * record.len() as u64)?,
                // What a formula says.
                0x0207 => self.more(LISTED + self.text_of(record))?,
                _ => {
                    let Some((weight, more)) = self.cell(kind, record) else { continue };
                    let (Some(row), Some(column)) = (u16_at(record, 0), u16_at(record, 2)) else { continue };
                    let (row, column) = (u32::from(row) + 1, u32::from(column) + 1 + more);
                    if row > MOST_LINE || column > MOST_COLUMNS {
                        return Err(beyond());
                    }
                    let before = u64::from(rows) * u64::from(columns);
                    (rows, columns) = (rows.max(row), columns.max(column));
                    self.more(weight + LAID_OUT * (u64::from(rows) * u64::from(columns) - before))?;
                }
            }
        }
        Ok(())
    }

    /// What a cell weighs besides its place in the rectangle, and how many more stand beside it in the same record.
    fn cell(&self, kind: u16, record: &[u8]) -> Option<(u64, u32)> {
        Some(match kind {
            // A number, a truth or an error.
            0x0203 | 0x027e | 0x0205 => (LISTED, 0),
            0x00fd => (LISTED + 3 * self.shared(u32_at(record, 6)? as usize), 0),
            // A text of its own.
            0x0204 | 0x00d6 => (LISTED + self.text_of(record.get(6..)?), 0),
            0x00bd => {
                let more = u32::try_from(record.len()).ok()?.saturating_sub(12) / 6;
                (LISTED * (u64::from(more) + 1), more)
            }
            // Written out, formulas have a list and a rectangle of their own.
            0x0006 => (2 * LISTED + 24 + self.formula(record.get(20..).unwrap_or_default()), 0),
            _ => return None,
        })
    }

    /// One that is not known is taken for the longest there can be.
    fn shared(&self, at: usize) -> u64 {
        self.strings.get(at).copied().unwrap_or(3 * u64::from(u16::MAX))
    }

    /// Its room is taken for as long as it says that it is.
    fn text_of(&self, record: &[u8]) -> u64 {
        9 * u64::from(u16_at(record, 0).unwrap_or_default())
    }

    /// Bytes at the most once it is written out: a few of its signs stand for something long.
    fn formula(&self, signs: &[u8]) -> u64 {
        let each = |sign: &u8| match sign {
            // A name, a number, a place on another sheet.
            0x23 | 0x43 | 0x63 => 3 * self.longest_name,
            0x1f => 330,
            0x39..=0x3d | 0x59..=0x5d | 0x79..=0x7d => 3 * 31,
            _ => 0,
        };
        8 * signs.len() as u64 + signs.iter().map(each).sum::<u64>()
    }
}

/// Room is reserved by these figures before the first cell is read.
fn claimed(record: &[u8]) -> Result<(), Unreadable> {
    let at = |at| u16_at(record, at).map(u64::from).unwrap_or_default();
    let long = |at| u32_at(record, at).map(u64::from).unwrap_or_default();
    let (top, end, left, right) =
        if record.len() >= 14 { (long(0), long(4), at(8), at(10)) } else { (at(0), at(2), at(4), at(6)) };
    let across = if left > 0xff || right < left { right } else { right - left };
    let sane = end == 0 || right == 0 || (top < end && (end - top) * across <= MOST_CLAIMED);
    if sane { Ok(()) } else { Err(beyond()) }
}

/// Bytes of each shared string, once it is unpacked. It ends where the table is not as it should be.
fn strings<'a>(first: &'a [u8], more: Records<'a>) -> Vec<u64> {
    let (mut rest, mut lengths) = (Rest { here: first, more }, Vec::new());
    while let Some(length) = rest.string() {
        lengths.push(length);
    }
    lengths
}

/// The table of shared strings goes on in the records that follow, in the middle of a string too.
struct Rest<'a> {
    here: &'a [u8],
    more: Records<'a>,
}

impl Rest<'_> {
    fn string(&mut self) -> Option<u64> {
        if self.here.is_empty() {
            self.go_on()?;
        }
        let (mut left, flags) = (usize::from(u16_at(self.here, 0)?), *self.here.get(2)?);
        let (rich, foreign) = (flags & 8 != 0, flags & 4 != 0);
        let runs = if rich { 4 * usize::from(u16_at(self.here, 3)?) } else { 0 };
        let at = if rich { 5 } else { 3 };
        let spoken = if foreign { u32_at(self.here, at)? as usize } else { 0 };
        self.here = self.here.get(if foreign { at + 4 } else { at }..)?;
        let (mut wide, mut length) = (flags & 1 != 0, 0);
        loop {
            let each = if wide { 2 } else { 1 };
            let part = left.min(self.here.len() / each);
            (left, length, self.here) = (left - part, length + 3 * part as u64, &self.here[part * each..]);
            if left == 0 {
                break;
            }
            if !self.here.is_empty() {
                return None;
            }
            self.go_on()?;
            let (flags, rest) = self.here.split_first()?;
            (wide, self.here) = (flags & 1 != 0, rest);
        }
        self.skip(runs.checked_add(spoken)?)?;
        Some(length)
    }

    fn go_on(&mut self) -> Option<()> {
        let (kind, record) = self.more.next()?;
        self.here = record;
        (kind == CONTINUE).then_some(())
    }

    fn skip(&mut self, mut bytes: usize) -> Option<()> {
        while bytes > 0 {
            if self.here.is_empty() {
                self.go_on()?;
            }
            let part = bytes.min(self.here.len());
            (bytes, self.here) = (bytes - part, &self.here[part..]);
            if part == 0 {
                return None;
            }
        }
        Some(())
    }
}
