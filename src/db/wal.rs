//! When the write-ahead log is copied into the file. Whoever comes meanwhile waits for it, so it is done in small
//! portions, and smaller ones while nobody waits; a page that has changed many times is copied once, so not in too
//! small ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal as Log;

use super::BUDGET;
use crate::say::say;

/// So many new pages are enough while nobody waits: 2 MiB.
const FEW: i32 = 500;
/// So many are enough in any case: 8 MiB.
const MANY: i32 = 2_000;
/// So many more mean that there was always somebody who read: 32 MiB.
const TOO_MANY: i32 = 8_000;
/// How long readers are then waited for.
const PATIENCE: Duration = Duration::from_millis(100);

pub struct Wal {
    /// In it as of the last commit.
    pages: Arc<AtomicI32>,
    /// How many of them had been there when it was last copied.
    seen: i32,
    /// And when readers were last waited for.
    waited: i32,
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
        Ok(Wal { pages, seen: 0, waited: 0 })
    }

    /// Between two commits. A reader that stays at an old moment lets pages be copied, but not be written over: the log
    /// grows until it is gone. Where the next reader comes before the last has gone it would grow for ever, so in the
    /// end they are waited for: whoever comes after the copy reads from the file alone.
    pub fn copy_if_due(&mut self, conn: &Connection, nobody_waits: bool) {
        let pages = self.pages.load(Ordering::Relaxed);
        // Once all was copied and nobody reads from it, it begins anew.
        if pages < self.seen {
            (self.seen, self.waited) = (0, 0);
        }
        let copied = if pages - self.waited >= TOO_MANY {
            self.waited = pages;
            wait_and_copy(conn)
        } else if pages - self.seen >= if nobody_waits { FEW } else { MANY } {
            copy(conn, "pragma wal_checkpoint(passive)")
        } else {
            return;
        };
        self.seen = pages;
        if let Err(e) = copied {
            say!(Warn, "the write-ahead log was not copied into the database, and will be later: {e}");
        }
    }
}

fn wait_and_copy(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(PATIENCE)?;
    let copied = copy(conn, "pragma wal_checkpoint(restart)");
    conn.busy_timeout(BUDGET)?;
    copied
}

fn copy(conn: &Connection, how: &str) -> rusqlite::Result<()> {
    conn.query_row(how, [], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

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
                self.conn.execute("replace into pages (rowid, bytes) values (1, randomblob(40000))", []).unwrap();
                let before = self.wal.seen;
                self.wal.copy_if_due(&self.conn, nobody_waits);
                self.wal.seen > before
            };
            (0..commits).filter(copied).count()
        }

        fn reader(&self) -> Connection {
            Connection::open(self.dir.path().join("sample.db")).unwrap()
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
        let reader = sample.reader();
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

    #[test]
    fn readers_who_take_turns_do_not_make_it_grow_for_ever() {
        let mut sample = Sample::new();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                let (reader, over) = (sample.reader(), &over);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        reader.execute_batch("begin; select count(*) from pages").unwrap();
                        std::thread::sleep(Duration::from_millis(5));
                        reader.execute_batch("commit").unwrap();
                    }
                });
            }
            sample.write(6_000, false);
            over.store(true, Ordering::Relaxed);
        });
        let most = sample.most();
        assert!(most < 6 * TOO_MANY, "{most} of some 72000 pages");
    }
}
