//! Raw deflate against a dictionary, and the SQL function `inflated(packed, dictionary)` for whoever asks by hand.

use std::io;
use std::sync::{Mutex, PoisonError};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

/// 8 KiB, enough for a dictionary and what is packed with it: a larger window finds nothing more.
const WINDOW: u8 = 13;
/// Nothing that was packed is larger; a file that somebody brought may say otherwise.
const MOST: usize = 64 << 20;

/// Streams that are not in use. To make one takes five times as long as to pack a message with it: it is a quarter of a
/// mebibyte, all cleared.
static SPARE: Mutex<Vec<Compress>> = Mutex::new(Vec::new());
const SPARES: usize = 2;

/// Deflates `text` as though it went on from the dictionary. Errors: none that a caller could bring about.
pub fn deflated(text: &[u8], dictionary: &[u8]) -> io::Result<Vec<u8>> {
    let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut stream = spare.unwrap_or_else(|| Compress::new_with_window_bits(Compression::new(6), false, WINDOW));
    let packed = deflated_by(&mut stream, text, dictionary);
    stream.reset();
    let mut spares = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    if spares.len() < SPARES {
        spares.push(stream);
    }
    packed
}

fn deflated_by(stream: &mut Compress, text: &[u8], dictionary: &[u8]) -> io::Result<Vec<u8>> {
    if !dictionary.is_empty() {
        stream.set_dictionary(dictionary)?;
    }
    let mut packed = Vec::with_capacity(text.len() / 4 + 128);
    loop {
        let rest = &text[stream.total_in() as usize..];
        match stream.compress_vec(rest, &mut packed, FlushCompress::Finish)? {
            Status::StreamEnd => return Ok(packed),
            Status::Ok | Status::BufError => packed.reserve(packed.len() + 128),
        }
    }
}

/// What `deflated` was given. Errors: `InvalidData`, with another dictionary or when it is not whole.
pub fn inflated(packed: &[u8], dictionary: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = Decompress::new_with_window_bits(false, WINDOW);
    if !dictionary.is_empty() {
        stream.set_dictionary(dictionary)?;
    }
    let mut text = Vec::with_capacity(packed.len() * 4 + 512);
    loop {
        let rest = &packed[stream.total_in() as usize..];
        let (before, full) = (text.len(), text.capacity());
        match stream.decompress_vec(rest, &mut text, FlushDecompress::Finish)? {
            Status::StreamEnd => return Ok(text),
            _ if text.len() > MOST => return Err(io::Error::new(io::ErrorKind::InvalidData, "too much was packed")),
            _ if text.len() == full => text.reserve(text.len()),
            _ if text.len() == before => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => {}
        }
    }
}

/// `inflated(packed, dictionary)`: the text as a blob; null when nothing was packed.
pub(super) fn register(conn: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function("inflated", 2, flags, |context| {
        let (packed, dictionary) = (context.get_raw(0), context.get_raw(1));
        match (packed, dictionary) {
            (ValueRef::Blob(packed), ValueRef::Blob(dictionary)) => {
                inflated(packed, dictionary).map(Some).map_err(|e| Error::UserFunctionError(e.into()))
            }
            _ => Ok(None),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_was_packed_comes_back_byte_for_byte(
            text in proptest::collection::vec(any::<u8>(), 0..5_000),
            dictionary in proptest::collection::vec(any::<u8>(), 0..9_000),
            again in 0_usize..40,
        ) {
            // Noise, and noise that repeats itself and what the dictionary says.
            let much = [text.repeat(again), dictionary.clone(), text.clone()].concat();
            for text in [text, much] {
                let packed = deflated(&text, &dictionary).unwrap();
                prop_assert_eq!(inflated(&packed, &dictionary).unwrap(), text);
            }
        }

        /// The text, or an error: never a panic, and never without an end.
        #[test]
        fn what_was_never_packed_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = inflated(&bytes, b"dictionary");
        }
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let text = b"<xml><appid><![CDATA[wx]]></appid></xml>".repeat(50);
        let packed = deflated(&text, b"<xml>").unwrap();
        for length in 0..packed.len() {
            assert!(inflated(&packed[..length], b"<xml>").is_err(), "{length}");
        }
        let large: Vec<u8> = (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(inflated(&deflated(&large, b"").unwrap(), b"").unwrap(), large);
    }
}
