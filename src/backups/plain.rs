//! Backups at rest: the newest is a database as it is, older ones are gzip files that any tool unpacks.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::db;

/// What a packed backup's name ends with.
pub const PACKED: &str = ".gz";
const MAGIC: [u8; 2] = [0x1f, 0x8b];
const PIECE: usize = 1 << 20;

/// A backup as a database that can be opened: itself, or unpacked to a file that goes when this does.
pub struct Plain {
    path: PathBuf,
    is_ours: bool,
}

impl Plain {
    /// Unpacks into the folder, where the backup is packed. Errors: no room, `InvalidData` when it is not whole.
    pub fn of(backup: &Path, folder: &Path, name: &str) -> io::Result<Plain> {
        if !is_packed(backup)? {
            return Ok(Plain { path: backup.to_owned(), is_ours: false });
        }
        let plain = Plain::ours(db::part_of(&folder.join(name)));
        let mut to = create(&plain.path)?;
        copy(MultiGzDecoder::new(BufReader::with_capacity(PIECE, File::open(backup)?)), &mut to)?;
        to.sync_all()?;
        Ok(plain)
    }

    /// A file that was made to be opened, and goes afterwards.
    pub fn ours(path: PathBuf) -> Plain {
        Plain { path, is_ours: true }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the database at this name. What was unpacked is moved there, a backup stays where it is.
    pub fn bring(mut self, to: &Path) -> io::Result<()> {
        if self.is_ours {
            fs::rename(&self.path, to)?;
            self.is_ours = false;
            return Ok(());
        }
        fs::copy(&self.path, to).map(|_| ())
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        if self.is_ours {
            db::clear(&self.path);
        }
    }
}

/// Where a backup lies once it is packed.
pub fn packed(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(PACKED);
    name.into()
}

pub fn is_packed(backup: &Path) -> io::Result<bool> {
    let mut magic = [0; MAGIC.len()];
    match File::open(backup)?.read_exact(&mut magic) {
        Ok(()) => Ok(magic == MAGIC),
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

/// The database in a backup from its beginning to its end, without a file for it.
pub fn read(backup: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(PIECE, File::open(backup)?);
    Ok(if is_packed(backup)? { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Packs a backup to a file beside it, which is read back before the backup goes. Wherever this stops, one of them is whole
/// under its name; after a power cut both may be there. Answers with the packed file.
pub fn pack(backup: &Path) -> io::Result<PathBuf> {
    let packed = packed(backup);
    let part = db::part_of(&packed);
    let done = pack_into(backup, &part).and_then(|()| db::put_in_place(&part, &packed));
    if let Err(e) = done {
        db::clear(&part);
        return Err(e);
    }
    fs::remove_file(backup)?;
    Ok(packed)
}

fn pack_into(backup: &Path, part: &Path) -> io::Result<()> {
    let from = File::open(backup)?;
    let to = BufWriter::with_capacity(PIECE, create(part)?);
    // A third of the size by the fastest level; the next ones take three quarters longer for a twenty-fifth less.
    let mut packing = GzEncoder::new(to, Compression::fast());
    let whole = copy(from, &mut packing)?;
    packing.finish()?.into_inner().map_err(|e| e.into_error())?.sync_all()?;
    // The sums at the end of the file are compared on the way.
    let again = copy(read(part)?, &mut io::sink())?;
    if again == whole { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Nobody else's to read from the first moment.
fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn copy(from: impl Read, to: &mut impl Write) -> io::Result<u64> {
    io::copy(&mut BufReader::with_capacity(PIECE, from), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(folder: &Path) -> (PathBuf, Vec<u8>) {
        let bytes: Vec<u8> = (0..3 * PIECE as u32 + 5).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let file = folder.join("x.backup");
        fs::write(&file, &bytes).unwrap();
        (file, bytes)
    }

    #[test]
    fn what_is_packed_is_the_same_when_it_is_unpacked_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let (file, bytes) = database(dir.path());
        let plain = Plain::of(&file, dir.path(), "open").unwrap();
        assert_eq!(plain.path(), file, "one that is not packed is opened where it lies");
        drop(plain);
        let packed = pack(&file).unwrap();
        assert!(!file.exists() && fs::metadata(&packed).unwrap().len() < bytes.len() as u64 / 2);
        let mut read_back = Vec::new();
        read(&packed).unwrap().read_to_end(&mut read_back).unwrap();
        assert!(read_back == bytes);
        let plain = Plain::of(&packed, dir.path(), "open").unwrap();
        assert!(fs::read(plain.path()).unwrap() == bytes);
        drop(plain);
        Plain::of(&packed, dir.path(), "open").unwrap().bring(&dir.path().join("shop")).unwrap();
        assert!(fs::read(dir.path().join("shop")).unwrap() == bytes && packed.exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn one_that_is_not_whole_does_not_open() {
        let dir = tempfile::tempdir().unwrap();
        let packed = pack(&database(dir.path()).0).unwrap();
        let good = fs::read(&packed).unwrap();
        let mut altered = good.clone();
        altered[good.len() / 2] ^= 1;
        for (what, bad) in [
            ("cut", good[..good.len() - 1].to_vec()),
            ("cut early", good[..good.len() / 3].to_vec()),
            ("altered", altered),
            ("longer", [good.as_slice(), b"more"].concat()),
        ] {
            fs::write(&packed, bad).unwrap();
            assert!(Plain::of(&packed, dir.path(), "open").is_err(), "{what}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{what}");
        }
    }
}
