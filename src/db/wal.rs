//! When the write-ahead log is copied into the file. Whoever comes meanwhile waits for it, so it is done in small portions, and
//! smaller ones while nobody waits; a page that has changed many times is copied once, so not in too small ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use rusqlite::Connection;
use rusqlite::hooks::Wal as Log;

/// So many new pages are enough while nobody waits: 2 MiB.
const FEW: i32 = 500;
/// So many are enough in any case: 8 MiB.
const MANY: i32 = 2_000;

pub struct Wal {
    /// In it as of the last commit.
    pages: Arc<AtomicI32>,
    /// How many of them had been there when it was last copied.
    seen: i32,
}

impl Wal {
    /// From now on the connection copies only when it is told to.
    pub fn watched(conn: &mut Connection) -> rusqlite::Result<Wal> {
        let pages = Arc::<AtomicI32>::default();
        let count = pages.clone();
        conn.wal_hook(Some(move |_: &mut Log, pages| {
            count.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Wal { pages, seen: 0 })
    }

    /// Between two commits. A reader that stays at an old moment lets pages be copied, but not be written over: the log
    /// grows until it is gone, and only what is new counts.
    pub fn copy_if_due(&mut self, conn: &Connection, nobody_waits: bool) {
        let pages = self.pages.load(Ordering::Relaxed);
        // Once all was copied and nobody reads from it, it begins anew.
        if pages < self.seen {
            self.seen = 0;
        }
        if pages - self.seen >= if nobody_waits { FEW } else { MANY } {
            self.seen = pages;
            if let Err(e) = conn.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())) {
                log::warn!("the write-ahead log was not copied into the database, and will be later: {e}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database to which pages can be written, and its log's size in pages.
    struct Sample {
        dir: tempfile::TempDir,
        conn: Connection,
        wal: Wal,
    }

    impl Sample {
        fn new() -> Sample {
            let dir = tempfile::tempdir().unwrap();
            let mut conn = Connection::open(dir.path().join("sample.db")).unwrap();
            conn.pragma_update(None, "journal_mode", "wal").unwrap();
            conn.execute_batch("create table pages (bytes)").unwrap();
            let wal = Wal::watched(&mut conn).unwrap();
            Sample { dir, conn, wal }
        }

        /// So many commits of some ten pages each; answers with how often the log was copied.
        fn write(&mut self, commits: usize, nobody_waits: bool) -> usize {
            let copied = |_: &usize| {
                self.conn.execute("insert into pages values (randomblob(40000))", []).unwrap();
                let before = self.wal.seen;
                self.wal.copy_if_due(&self.conn, nobody_waits);
                self.wal.seen > before
            };
            (0..commits).filter(copied).count()
        }

        /// The most pages that it ever had: the file does not shrink.
        fn most(&self) -> i32 {
            let file = std::fs::metadata(self.dir.path().join("sample.db-wal")).unwrap();
            i32::try_from(file.len() / 4_120).unwrap()
        }
    }

    #[test]
    fn the_log_is_copied_early_while_nobody_waits_and_late_while_somebody_does() {
        for (nobody_waits, enough) in [(true, FEW), (false, MANY)] {
            let mut sample = Sample::new();
            sample.write(600, nobody_waits);
            let most = sample.most();
            assert!((enough..enough + 50).contains(&most), "{most} pages, {enough} are enough");
        }
    }

    #[test]
    fn a_reader_of_an_old_moment_makes_it_grow_and_not_be_copied_at_every_commit() {
        let mut sample = Sample::new();
        let reader = Connection::open(sample.dir.path().join("sample.db")).unwrap();
        reader.execute_batch("begin; select count(*) from pages").unwrap();
        let copied = sample.write(200, true);
        assert!(sample.most() > 2_000, "{}", sample.most());
        assert!((3..=5).contains(&copied), "copied {copied} times, four times {FEW} pages came");
        reader.execute_batch("commit").unwrap();
        sample.write(60, true);
        let most = sample.most();
        sample.write(200, true);
        assert_eq!(sample.most(), most, "once the reader is gone the log begins anew");
    }
}
