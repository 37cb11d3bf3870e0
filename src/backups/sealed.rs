//! A whole shop in one file under a passphrase: the key file and the database, to be carried elsewhere.
//!
//! The layout: `XPSEAL1\n`, 16 bytes of salt, 7 bytes of nonce, then pieces of 1 MiB, each sealed with AES-256-GCM under
//! argon2id(passphrase, salt). A piece's nonce is those 7 bytes, its number in 4 bytes, and 1 for the last piece, so that
//! none can be left out, moved or cut off (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
//! The clear text is the 32 bytes of `secret.key` and then the database.

use std::io::{self, Read, Write};

use argon2::Argon2;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::nonce::Nonces;

pub const MAGIC: &[u8; 8] = b"XPSEAL1\n";
const PIECE: usize = 1024 * 1024;
const SALT: usize = 16;
const PREFIX: usize = 7;
const TAG: usize = 16;
/// Shorter ones can be tried out.
pub const SHORTEST: usize = 10;

fn key(passphrase: &str, salt: &[u8]) -> io::Result<LessSafeKey> {
    let mut key = [0; 32];
    Argon2::default()
        .hash_password_into(passphrase.as_bytes(), salt, &mut key)
        .map_err(|e| io::Error::other(e.to_string()))?;
    UnboundKey::new(&AES_256_GCM, &key).map(LessSafeKey::new).map_err(|_| io::Error::other("no key"))
}

fn nonce(prefix: &[u8], n: u32, last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..PREFIX].copy_from_slice(prefix);
    nonce[PREFIX..NONCE_LEN - 1].copy_from_slice(&n.to_be_bytes());
    nonce[NONCE_LEN - 1] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

/// Seals everything from `clear` into `to`.
pub fn seal(passphrase: &str, nonces: &Nonces, mut clear: impl Read, mut to: impl Write) -> io::Result<()> {
    let (salt, prefix) = (nonces.bytes::<SALT>(), nonces.bytes::<PREFIX>());
    let key = key(passphrase, &salt)?;
    to.write_all(MAGIC)?;
    to.write_all(&salt)?;
    to.write_all(&prefix)?;
    let mut piece = read_piece(&mut clear, PIECE)?;
    for n in 0.. {
        let next = read_piece(&mut clear, PIECE)?;
        let last = next.is_empty();
        key.seal_in_place_append_tag(nonce(&prefix, n, last), Aad::empty(), &mut piece)
            .map_err(|_| io::Error::other("a piece could not be sealed"))?;
        to.write_all(&piece)?;
        if last {
            break;
        }
        piece = next;
    }
    to.flush()
}

/// Opens what `seal` made; `InvalidData` for a wrong passphrase or a file that was altered or cut.
pub fn open(passphrase: &str, mut sealed: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut head = [0; MAGIC.len() + SALT + PREFIX];
    sealed.read_exact(&mut head)?;
    let (magic, rest) = head.split_at(MAGIC.len());
    let (salt, prefix) = rest.split_at(SALT);
    if magic != MAGIC {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let key = key(passphrase, salt)?;
    let mut piece = read_piece(&mut sealed, PIECE + TAG)?;
    for n in 0.. {
        let next = read_piece(&mut sealed, PIECE + TAG)?;
        let last = next.is_empty();
        let clear = key
            .open_in_place(nonce(prefix, n, last), Aad::empty(), &mut piece)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        to.write_all(clear)?;
        if last {
            break;
        }
        piece = next;
    }
    to.flush()
}

/// As much as there is, up to `most`.
fn read_piece(from: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(most + TAG);
    from.take(most as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(clear: &[u8]) -> Vec<u8> {
        let mut to = Vec::new();
        seal("correct horse battery", &Nonces::counting(), clear, &mut to).unwrap();
        to
    }

    fn opened(passphrase: &str, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut to = Vec::new();
        open(passphrase, sealed, &mut to).map(|()| to)
    }

    #[test]
    fn what_is_sealed_opens_with_its_passphrase_alone() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 5] {
            let clear: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let sealed = sealed(&clear);
            assert_eq!(opened("correct horse battery", &sealed).unwrap(), clear, "{length}");
        }
        assert!(opened("wrong horse battery", &sealed(b"shop")).is_err());
    }

    #[test]
    fn a_file_with_one_thing_wrong_does_not_open() {
        let clear = vec![7; 2 * PIECE + 5];
        let good = sealed(&clear);
        let head = MAGIC.len() + SALT + PREFIX;
        let piece = PIECE + TAG;
        let swapped = [
            &good[..head],
            &good[head + piece..head + 2 * piece],
            &good[head..head + piece],
            &good[head + 2 * piece..],
        ]
        .concat();
        let without = [&good[..head], &good[head + piece..]].concat();
        let mut altered = good.clone();
        altered[head + 9] ^= 1;
        for (what, bad) in [
            ("cut at a piece", good[..head + 2 * piece].to_vec()),
            ("cut in a piece", good[..good.len() - 1].to_vec()),
            ("longer", [good.as_slice(), &[0]].concat()),
            ("swapped", swapped),
            ("without its first", without),
            ("altered", altered),
            ("another mark", [b"XPSEAL2\n", &good[8..]].concat()),
            ("nothing", Vec::new()),
        ] {
            assert!(opened("correct horse battery", &bad).is_err(), "{what}");
        }
    }
}
