//! Copies of the database: made under another name until they are whole, and put in place.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{BUDGET, OpenError};

/// A file beside the database that is not there yet: `stem.db`, or with the next number if that is taken.
pub fn free_name(database: &Path, stem: &str) -> PathBuf {
    let name = |more: String| database.with_file_name(format!("{stem}{more}.db"));
    let numbered = (2..).map(|n| name(format!("-{n}")));
    std::iter::once(name(String::new())).chain(numbered).find(|file| !file.exists()).unwrap_or_else(|| name("-".into()))
}

/// Writes one moment of a database, compact, to a new file; a running shop is not disturbed. Under another name until it
/// is whole and on disk: half a copy must not look like one.
pub fn copy_into(database: &Path, to: &Path) -> Result<(), OpenError> {
    // Read-only by its flag alone: `query_only` would forbid the copy as well.
    let conn = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.busy_timeout(BUDGET)?;
    vacuum_into(&conn, to)
}

/// `copy_into` for whoever has the database open.
pub fn vacuum_into(conn: &Connection, to: &Path) -> Result<(), OpenError> {
    let part = part_of(to);
    clear(&part);
    let copied = conn.execute("vacuum into ?1", [part.to_string_lossy()]);
    let placed = copied
        .map_err(OpenError::Sqlite)
        .and_then(|_| put_in_place(&part, to).map_err(|e| OpenError::Io(to.to_owned(), e)));
    if placed.is_err() {
        clear(&part);
    }
    placed
}

/// The name of a file that is not whole yet.
pub fn part_of(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    file.with_file_name(name)
}

/// Removes what is half, and what SQLite left beside it.
pub fn clear(part: &Path) {
    for end in ["", "-journal", "-wal", "-shm"] {
        let mut name = part.as_os_str().to_owned();
        name.push(end);
        let _ = fs::remove_file(name);
    }
}

/// On disk before it has its name, and its name on disk before anybody relies on it.
pub fn put_in_place(part: &Path, file: &Path) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, file)?;
    sync_folder(file)
}

fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}

/// Gives a database that nobody has open a second name, under which it stays when another takes its place; copied where
/// the disk knows no second names. On disk when this returns.
pub fn keep_as(database: &Path, to: &Path) -> Result<(), OpenError> {
    settle(database)?;
    match fs::hard_link(database, to) {
        Ok(()) => sync_folder(to).map_err(|e| OpenError::Io(to.to_owned(), e)),
        Err(_) => copy_into(database, to),
    }
}

/// Whether these are two names of one file.
pub fn is_same(a: &Path, b: &Path) -> bool {
    let inode = |file: &Path| fs::metadata(file).map(|found| (found.dev(), found.ino())).ok();
    inode(a).is_some() && inode(a) == inode(b)
}

/// Makes the file alone the whole database, with nothing beside it whoever opens it. Nobody may have it open.
fn settle(database: &Path) -> Result<(), OpenError> {
    let conn = Connection::open(database)?;
    conn.busy_timeout(BUDGET)?;
    conn.query_row("pragma journal_mode = delete", [], |_| Ok(()))?;
    Ok(())
}

/// Changes a copy that nobody uses yet.
pub fn change_copy(path: &Path, change: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), OpenError> {
    let conn = Connection::open(path)?;
    // One file, and none beside it: this one is moved.
    conn.query_row("pragma journal_mode = delete", [], |_| Ok(()))?;
    Ok(change(&conn)?)
}
