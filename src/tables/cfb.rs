//! The container of old Office files: enough of it to find one stream, within bounds.

use std::collections::HashSet;

pub(super) const MAGIC: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// From here on a sector's number is a mark: free, end, part of the tables themselves.
const MARKS: u32 = 0xffff_fffa;

/// An opened container.
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    sector: usize,
    table: Vec<u32>,
    /// Name, kind, first sector and length of every entry.
    entries: Vec<(String, u8, u32, u64)>,
}

impl<'a> Container<'a> {
    /// `None` when it is broken.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Container<'a>> {
        let shift = u16_at(bytes, 0x1e)?;
        if !bytes.starts_with(&MAGIC) || !(7..=16).contains(&shift) {
            return None;
        }
        let mut opened = Container { bytes, sector: 1 << shift, table: Vec::new(), entries: Vec::new() };
        let listed: Vec<u32> = (0..109).filter_map(|i| u32_at(bytes, 0x4c + 4 * i)).collect();
        let mut tables: Vec<u32> = listed.into_iter().filter(|s| *s < MARKS).collect();
        let (mut next, mut seen) = (u32_at(bytes, 0x44)?, HashSet::new());
        while next < MARKS && seen.insert(next) {
            let sector = opened.sector(next)?;
            let last = sector.len() - 4;
            tables.extend(sector[..last].chunks_exact(4).map(little).filter(|s| *s < MARKS));
            next = u32_at(sector, last)?;
        }
        for at in tables {
            let sector = opened.sector(at)?;
            opened.table.extend(sector.chunks_exact(4).map(little));
            // It has one entry for each sector, and is filled up to a whole one.
            if opened.table.len() > bytes.len() / 8 {
                return None;
            }
        }
        let folder = opened.chain(u32_at(bytes, 0x30)?)?;
        opened.entries = folder.chunks_exact(128).filter_map(entry).collect();
        Some(opened)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.0.eq_ignore_ascii_case(name))
    }

    /// A stream by its name. Small ones live inside the root's.
    pub(super) fn stream(&self, name: &str) -> Option<Vec<u8>> {
        let (_, _, start, length) = self.entries.iter().find(|entry| entry.0.eq_ignore_ascii_case(name))?;
        let length = usize::try_from(*length).ok()?;
        if length as u64 >= u64::from(u32_at(self.bytes, 0x38)?) {
            let mut stream = self.chain(*start)?;
            stream.truncate(length);
            return Some(stream);
        }
        let root = self.entries.iter().find(|entry| entry.1 == 5)?;
        let (small, table) = (self.chain(root.2)?, self.chain(u32_at(self.bytes, 0x3c)?)?);
        let table: Vec<u32> = table.chunks_exact(4).map(little).collect();
        let (mut stream, mut next, mut left) = (Vec::new(), *start, table.len());
        while next < MARKS && left > 0 {
            let at = next as usize * 64;
            stream.extend_from_slice(small.get(at..at + 64)?);
            (next, left) = (*table.get(next as usize)?, left - 1);
        }
        stream.truncate(length);
        Some(stream)
    }

    /// Whether what holds the small streams comes to an end: who reads the file gathers it before anything else.
    pub(super) fn small_ones_end(&self) -> bool {
        let root = self.entries.first().and_then(|root| self.chain(root.2));
        let table = u32_at(self.bytes, 0x3c).and_then(|start| self.chain(start));
        u32_at(self.bytes, 0x40) == Some(0) || (root.is_some() && table.is_some())
    }

    fn sector(&self, at: u32) -> Option<&'a [u8]> {
        let start = (at as usize).checked_add(1)?.checked_mul(self.sector)?;
        let end = (start + self.sector).min(self.bytes.len());
        self.bytes.get(start..end).filter(|sector| sector.len() >= 8)
    }

    fn chain(&self, start: u32) -> Option<Vec<u8>> {
        let (mut bytes, mut next) = (Vec::new(), start);
        while next < MARKS {
            bytes.extend_from_slice(self.sector(next)?);
            if bytes.len() > self.bytes.len() {
                return None;
            }
            next = *self.table.get(next as usize)?;
        }
        Some(bytes)
    }
}

fn entry(bytes: &[u8]) -> Option<(String, u8, u32, u64)> {
    let length = usize::from(u16_at(bytes, 64)?).checked_sub(2)?;
    let units: Vec<u16> =
        bytes.get(..length.min(64))?.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    Some((String::from_utf16_lossy(&units), bytes[66], u32_at(bytes, 116)?, u64::from(u32_at(bytes, 120)?)))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(little)
}

fn little(b: &[u8]) -> u32 {
    u32::from_le_bytes([b[0], b[1], b[2], b[3]])
}
