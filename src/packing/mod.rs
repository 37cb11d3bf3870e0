//! Text that is much alike, kept small: deflated against a dictionary of the shop's own, and read back byte for byte.

mod samples;
pub mod store;

use std::io;
use std::sync::Arc;

use rusqlite::Error;

use crate::db;
use crate::ids::DictionaryId;

pub use samples::{Constants, Samples};

/// What messages of this shop have in common. Its number stands beside whatever was packed with it, so it never changes.
#[derive(Clone, Debug)]
pub struct Dictionary {
    pub id: DictionaryId,
    bytes: Arc<[u8]>,
}

/// A text as it is kept, and with which dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub dictionary: DictionaryId,
    pub bytes: Vec<u8>,
}

impl Dictionary {
    pub fn pack(&self, text: &[u8]) -> rusqlite::Result<Packed> {
        let bytes = db::deflated(text, &self.bytes).map_err(|e| Error::ToSqlConversionFailure(e.into()))?;
        Ok(Packed { dictionary: self.id, bytes })
    }
}

/// What was packed with this dictionary.
pub fn unpack(packed: &[u8], dictionary: &[u8]) -> rusqlite::Result<Vec<u8>> {
    db::inflated(packed, dictionary).map_err(unreadable)
}

fn unreadable(e: io::Error) -> Error {
    Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, e.into())
}

/// Three pieces in one text: the lengths of the first two on a line, then all of them. The last is the one whose length
/// varies most, so that what goes before it is often the same to the letter.
pub fn joined([first, second, rest]: [&[u8]; 3]) -> Vec<u8> {
    let line = format!("{} {}\n", first.len(), second.len());
    [line.as_bytes(), first, second, rest].concat()
}

/// The pieces of a joined text. Errors: it is none.
pub fn parted(text: &[u8]) -> rusqlite::Result<[&[u8]; 3]> {
    parts(text).ok_or_else(|| unreadable(io::ErrorKind::InvalidData.into()))
}

fn parts(text: &[u8]) -> Option<[&[u8]; 3]> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let (first, second) = std::str::from_utf8(&text[..end]).ok()?.split_once(' ')?;
    let (first, rest) = text[end + 1..].split_at_checked(first.parse().ok()?)?;
    let (second, rest) = rest.split_at_checked(second.parse().ok()?)?;
    Some([first, second, rest])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn three_pieces_come_apart_as_they_were_joined(
            pieces in proptest::array::uniform3(proptest::collection::vec(any::<u8>(), 0..400)),
        ) {
            let text = joined([&pieces[0], &pieces[1], &pieces[2]]);
            prop_assert_eq!(parted(&text).unwrap().map(<[u8]>::to_vec), pieces);
        }

        #[test]
        fn what_was_never_joined_is_refused(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = parted(&text);
        }
    }
}
