//! The strings of an old workbook of which a part is struck through: the library that reads the others gives the words
//! without their fonts. They lie one behind the other in a record that goes on in further ones.

use std::collections::HashMap;

/// Where strings begin, and what carries a record on.
pub(super) const STRINGS: u16 = 0x00fc;
pub(super) const CONTINUED: u16 = 0x003c;
/// A cell that holds one of them.
pub(super) const CELL_OF_A_STRING: u16 = 0x00fd;

const WIDE: u8 = 1;
const WITH_EXTENSION: u8 = 4;
const WITH_RUNS: u8 = 8;

/// What is left of the strings in which some words are struck through, by their places; `strikes` knows the fonts.
pub(super) fn left(records: &[&[u8]], strikes: &dyn Fn(u16) -> bool) -> HashMap<u32, String> {
    let mut bytes = Bytes { records, record: 0, at: 0 };
    let mut found = HashMap::new();
    // How often strings are used, and how many there are.
    let count = bytes.skip(4).and_then(|()| bytes.number(4)).unwrap_or_default();
    for at in 0..count {
        let Some(string) = Worded::next(&mut bytes) else { break };
        found.extend(string.left(strikes).map(|left| (at, left)));
    }
    found
}

/// One string, with the fonts of its words: each from a letter on.
struct Worded {
    letters: Vec<u16>,
    runs: Vec<(usize, u16)>,
}

impl Worded {
    fn next(bytes: &mut Bytes<'_>) -> Option<Worded> {
        let length = bytes.number(2)? as usize;
        let flags = bytes.byte()?;
        let runs = if flags & WITH_RUNS != 0 { bytes.number(2)? } else { 0 };
        let more = if flags & WITH_EXTENSION != 0 { bytes.number(4)? } else { 0 };
        let letters = bytes.letters(length, flags & WIDE != 0)?;
        let run = |_| Some((bytes.number(2)? as usize, bytes.number(2)? as u16));
        let runs = (0..runs).map(run).collect::<Option<Vec<_>>>()?;
        bytes.skip(more as usize)?;
        Some(Worded { letters, runs })
    }

    fn left(self, strikes: &dyn Fn(u16) -> bool) -> Option<String> {
        if !self.runs.iter().any(|(_, font)| strikes(*font)) {
            return None;
        }
        let font = |at: usize| self.runs.iter().rev().find(|(from, _)| *from <= at).map(|(_, font)| *font);
        let kept = (0..self.letters.len()).filter(|at| !font(*at).is_some_and(strikes)).map(|at| self.letters[at]);
        Some(String::from_utf16_lossy(&kept.collect::<Vec<_>>()).trim().to_owned())
    }
}

/// The bytes of several records, as one.
struct Bytes<'b> {
    records: &'b [&'b [u8]],
    record: usize,
    at: usize,
}

impl Bytes<'_> {
    /// What is left of the record, or of the next that has something.
    fn here(&mut self) -> Option<&[u8]> {
        while self.at >= self.records.get(self.record)?.len() {
            (self.record, self.at) = (self.record + 1, 0);
        }
        Some(&self.records[self.record][self.at..])
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.here()?.first()?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self, length: u32) -> Option<u32> {
        (0..length).try_fold(0, |number, at| Some(number | u32::from(self.byte()?) << (8 * at)))
    }

    fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            let some = self.here()?.len().min(count);
            self.at += some;
            count -= some;
        }
        Some(())
    }

    /// So many letters, each of one byte or of two; a record that goes on with them says anew which.
    fn letters(&mut self, count: usize, mut wide: bool) -> Option<Vec<u16>> {
        let mut letters = Vec::new();
        while letters.len() < count {
            let record = self.record;
            self.here()?;
            if self.record != record {
                wide = self.byte()? & WIDE != 0;
            }
            letters.push(self.number(if wide { 2 } else { 1 })? as u16);
        }
        Some(letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(records: &[&[u8]]) -> HashMap<u32, String> {
        left(records, &|font| font == 5)
    }

    #[test]
    fn what_is_struck_through_is_left_out_wherever_a_record_ends() {
        // `ab` plain; `108` of which the first two are struck; `旧新` of which the first is, with two bytes more behind it.
        let all: Vec<u8> = [
            &[3, 0, 0, 0, 3, 0, 0, 0][..],
            &[2, 0, 0, b'a', b'b'],
            &[3, 0, WITH_RUNS, 2, 0, b'1', b'0', b'8', 0, 0, 5, 0, 2, 0, 0, 0],
            &[
                2,
                0,
                WITH_RUNS | WITH_EXTENSION | WIDE,
                2,
                0,
                2,
                0,
                0,
                0,
                0xe7,
                0x65,
                0xb0,
                0x65,
                0,
                0,
                5,
                0,
                1,
                0,
                6,
                0,
                9,
                9,
            ],
        ]
        .concat();
        let right = HashMap::from([(1, "8".to_owned()), (2, "新".to_owned())]);
        assert_eq!(struck(&[&all]), right);
        // Before a letter the next record says how wide they are; elsewhere it goes on as it was.
        for at in 1..all.len() {
            let (before, behind) = all.split_at(at);
            let flags = match at {
                11 | 12 | 18 | 19 | 20 => Some(0),
                38 | 40 => Some(WIDE),
                _ => None,
            };
            let behind = flags.into_iter().chain(behind.iter().copied()).collect::<Vec<_>>();
            // Letters of two bytes are never parted.
            if !matches!(at, 39 | 41) {
                assert_eq!(struck(&[before, &behind]), right, "{at}");
            }
        }
        for at in 0..all.len() {
            assert!(struck(&[&all[..at]]).len() <= 2, "cut at {at}");
        }
    }
}
