//! The only room that owns connections: one writer that groups commits, and a few readers.

mod asked;
mod check;
mod copies;
mod deflate;
mod locks;
mod migrate;
mod named;
mod readers;
mod wal;
mod writer;

use std::cell::Cell;
use std::io;
use std::ops::Deref;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::clock::Clock;
use crate::say::cause;

pub use asked::Asked;
use asked::Slot;
pub use check::{check, check_pages, look_into};
pub use copies::{change_copy, clear, copy_into, free_name, is_same, keep_as, part_of, put_in_place};
pub use deflate::{deflated, inflated};
pub use locks::{Alone, InUse, InstanceLock};
pub use migrate::{APPLICATION_ID, SCHEMA_VERSION, foreign_part};
pub use named::Named;
use readers::Readers;
use writer::{Manner, Writer};

/// The longest a single read or write may compute before it is interrupted.
const BUDGET: Duration = Duration::from_secs(5);
/// The same for what must look at every row.
const LONG_BUDGET: Duration = Duration::from_secs(600);

/// The shop's database: cheap to clone, closed when the last clone goes.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    path: PathBuf,
    clock: Clock,
    // Dropped in this order: the writer is the last to close, and so folds the WAL into the file.
    readers: Readers,
    writer: Writer,
    _in_use: InUse,
}

/// Why the database did not do what it was asked, whatever the question was.
#[derive(Debug)]
pub enum DbError {
    /// The queue of writes is full: ask again shortly.
    Busy,
    /// The closure panicked; it alone was undone.
    Panicked,
    /// The writer has stopped: the program is going down.
    Stopped,
    /// The group could not be committed: nothing of it was kept.
    NotCommitted(String),
    /// No room for it on the disk: nothing of it was kept, and reading goes on.
    DiskFull,
    /// Rows contradict what the program holds for certain: nothing of it was kept.
    Broken(&'static str),
    Sqlite(rusqlite::Error),
}

impl DbError {
    /// What must hold beside what was read in the same transaction; where it does not, nothing of it is kept.
    pub fn unless(holds: bool, what: &'static str) -> Result<(), DbError> {
        if holds { Ok(()) } else { Err(DbError::Broken(what)) }
    }
}

impl std::fmt::Display for DbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DbError::Busy => f.write_str("write queue full"),
            DbError::Panicked => f.write_str("a database closure panicked"),
            DbError::Stopped => f.write_str("the writer has stopped"),
            DbError::NotCommitted(why) => write!(f, "not committed: {why}"),
            DbError::DiskFull => f.write_str("the disk is full"),
            DbError::Broken(what) => f.write_str(what),
            DbError::Sqlite(e) => e.fmt(f),
        }
    }
}

impl From<rusqlite::Error> for DbError {
    fn from(e: rusqlite::Error) -> DbError {
        if is_full(&e) { DbError::DiskFull } else { DbError::Sqlite(e) }
    }
}

fn is_full(e: &rusqlite::Error) -> bool {
    e.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Why the database cannot be opened, in words for whoever runs the program.
#[derive(Debug)]
pub enum OpenError {
    Io(PathBuf, io::Error),
    /// Another program has this data folder.
    Locked(PathBuf),
    /// Others use the database now, so that it can be neither upgraded nor replaced.
    InUse(PathBuf),
    /// A backup is being taken up.
    Restoring(PathBuf),
    /// Tables, indexes or triggers are not those that this program makes; the first one's name.
    OtherSchema(PathBuf, String),
    /// A newer program wrote it.
    Newer {
        found: i64,
        known: i64,
    },
    /// The file is some other program's database.
    Foreign(PathBuf),
    /// A replica that another program still writes to, or did until a moment ago: this is its mark beside the file.
    Followed(PathBuf),
    Sqlite(rusqlite::Error),
}

/// What to do about a database that nothing else helps.
const RESTORE: &str = "请先停店，再用 xiaopu restore 恢复最近的备份（在数据目录的 backups 里）；原来的会另存";

fn is_spoilt(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_error_code(), Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt))
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Io(path, e) => write!(f, "无法使用 {}：{}", path.display(), cause(e)),
            OpenError::Locked(path) => {
                write!(f, "另一个小铺正在使用数据目录 {}。请先停止它，或换一个 data_dir。", path.display())
            }
            OpenError::InUse(path) => write!(
                f,
                "另一个小铺程序正在使用数据目录 {}，现在不能升级或替换数据库。请先停止运行中的小铺和它的命令，再试一次。数据未被改动。",
                path.display()
            ),
            OpenError::Restoring(path) => write!(f, "数据目录 {} 正在恢复备份，请稍后再试", path.display()),
            OpenError::OtherSchema(path, name) => {
                write!(f, "{} 的表结构和小铺做的不一样（{name}），可能被人改过，不能相信。{RESTORE}", path.display())
            }
            OpenError::Newer { found, known } => write!(
                f,
                "数据库来自更新版本的小铺（数据版本 {found}，本程序只认识到 {known}）。请使用新版程序，或恢复升级前的备份。数据未被改动。"
            ),
            OpenError::Foreign(path) => write!(f, "{} 不是小铺的数据库，未作任何改动。", path.display()),
            OpenError::Followed(mark) => write!(
                f,
                "这个数据库是 litestream restore -f 跟随写入的副本（有 {0}）。要用它接手：先确认原来的机器已经停了，\
                 再停止跟随的进程，然后删除 {0} 再启动。数据未被改动。",
                mark.display()
            ),
            OpenError::Sqlite(e) if is_spoilt(e) => write!(f, "数据库打不开: {e}。{RESTORE}"),
            OpenError::Sqlite(e) => write!(f, "数据库打不开: {e}"),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(e: rusqlite::Error) -> OpenError {
        OpenError::Sqlite(e)
    }
}

/// The right to write: only the writer thread hands it out, inside a transaction.
pub struct Tx<'c> {
    conn: &'c Connection,
    now: i64,
    /// What is to be read anew once this is committed.
    outdates: &'c Outdates,
}

/// What is kept in memory beside the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Answers about the catalogue.
    Catalogue,
    /// Whose login a token is.
    Logins,
    /// Which jobs are due: the worker sleeps until it hears that there is one more.
    DueJobs,
}

/// Of each, whether something that was written makes it old.
type Outdates = Cell<[bool; KEPT]>;
const KEPT: usize = 3;

impl Deref for Tx<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.conn
    }
}

impl Tx<'_> {
    /// The time of this act: when it was asked for, and the same should it be run again.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// A number for a new row of a table whose rows can go: one that no row of it ever had, as pages, phones and other rows
    /// may hold it still.
    pub fn fresh_id(&self, table: &'static str) -> rusqlite::Result<i64> {
        let sql = format!(
            "select max(coalesce((select max(id) from {table}), 0),
                        coalesce((select id from last_ids where of = '{table}'), 0)) + 1"
        );
        self.prepare_cached(&sql)?.query_row([], |row| row.get(0))
    }

    /// The same transaction at another time: for what is told now and happened then.
    pub fn at(&self, now: i64) -> Tx<'_> {
        Tx { conn: self.conn, now, outdates: self.outdates }
    }

    /// Whoever keeps this learns of it with the commit, before anybody is told that the commit is done: see `Db::outdated`.
    pub fn outdate(&self, kept: Kept) {
        let mut outdates = self.outdates.get();
        outdates[kept as usize] = true;
        self.outdates.set(outdates);
    }
}

impl Db {
    /// Opens `xiaopu.db` in the data folder, making folder, file and tables as needed.
    pub fn open(data_dir: &Path) -> Result<Db, OpenError> {
        Db::open_by(data_dir, Clock::System)
    }

    /// The same, with acts that happen at the time of this clock.
    pub fn open_by(data_dir: &Path, clock: Clock) -> Result<Db, OpenError> {
        make_folder(data_dir)?;
        let in_use = InUse::shared(data_dir)?;
        let path = data_dir.join("xiaopu.db");
        // Litestream keeps its place here while it follows, and leaves it there: a person decides when that is over.
        let mark = data_dir.join("xiaopu.db-txid");
        if mark.exists() {
            return Err(OpenError::Followed(mark));
        }
        let mut conn = Connection::open(&path)?;
        keep_private(&path)?;
        configure(&conn)?;
        if migrate::is_upgrade(&conn)? {
            let alone = in_use.alone(data_dir)?;
            migrate::migrate(&mut conn, &path)?;
            drop(alone);
        } else {
            migrate::migrate(&mut conn, &path)?;
        }
        let in_use = InUse::shared(data_dir)?;
        let (writer, readers) = (Writer::start(conn)?, Readers::new(path.clone()));
        Ok(Db(Arc::new(Inner { path, clock, writer, readers, _in_use: in_use })))
    }

    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Waits until nobody else holds the database, so that its file may be replaced; false when somebody still does.
    pub async fn last_one(&self) -> bool {
        for _ in 0..200 {
            if Arc::strong_count(&self.0) == 1 {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// Runs `work` in a transaction that is on disk when this returns `Ok`. An `Err` or a panic undoes `work` alone;
    /// when another that shares its commit fails, it is run again, so it may change nothing but the database.
    /// When the queue is full it waits a second, then answers `Busy`; work whose caller has gone is not begun.
    pub fn write<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl Fn(&Tx) -> Result<T, E> + Send + 'static,
    ) -> Asked<'_, T, E> {
        self.act(work, Manner::Asked)
    }

    /// Like `write`, for facts that must be kept even when whoever brought them has hung up.
    pub fn write_always<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl Fn(&Tx) -> Result<T, E> + Send + 'static,
    ) -> Asked<'_, T, E> {
        self.act(work, Manner::Always)
    }

    /// Like `write`, for work over thousands of rows at once, which has a commit of its own.
    pub fn write_large<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl Fn(&Tx) -> Result<T, E> + Send + 'static,
    ) -> Asked<'_, T, E> {
        self.act(work, Manner::Large)
    }

    /// Runs `work` on one moment of the database, without write access.
    pub fn read<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Asked<'_, T, E> {
        self.ask(work, BUDGET)
    }

    /// Like `read`, for the few questions that look at every row: checks, reports, rehearsals.
    pub fn read_slowly<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Asked<'_, T, E> {
        self.ask(work, LONG_BUDGET)
    }

    fn act<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl Fn(&Tx) -> Result<T, E> + Send + 'static,
        manner: Manner,
    ) -> Asked<'_, T, E> {
        let result = Slot::new();
        let kept = result.other();
        let work = Box::new(move |tx: &Tx| kept.put(work(tx)));
        Asked::new(self.0.writer.write(work, manner, self.0.clock.now()), result)
    }

    fn ask<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        budget: Duration,
    ) -> Asked<'_, T, E> {
        let result = Slot::new();
        let kept = result.other();
        let question = Box::new(move |conn: &Connection| {
            kept.put(work(conn));
        });
        Asked::new(self.0.readers.ask(question, budget), result)
    }

    /// How many commits outdated what is kept, since the start; those of other programs are not among them.
    pub fn outdated(&self, kept: Kept) -> u64 {
        self.0.writer.outdated(kept)
    }

    /// How many transactions were committed and how many writes they carried, since the start.
    pub fn commits(&self) -> (u64, u64) {
        self.0.writer.commits()
    }
}

/// The same for the file itself, whoever made it: SQLite gives what stands beside it the same rights.
fn keep_private(path: &Path) -> Result<(), OpenError> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|e| OpenError::Io(path.to_owned(), e))
}

/// Buyers' names and addresses are in it, so a folder that we make is its owner's alone.
fn make_folder(data_dir: &Path) -> Result<(), OpenError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .map_err(|e| match data_dir.is_file() {
            true => io::Error::other("它是一个文件，不是目录。请把它移开，或在 ROCKET_SHOP 里换一个 data_dir"),
            false => e,
        })
        .map_err(|e| OpenError::Io(data_dir.to_owned(), e))
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "journal_mode", "wal")?;
    // FULL: we tell WeChat SUCCESS on the strength of the commit, so it must survive a power cut.
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // What the WAL once grew to is given back, but for what it needs anyhow.
    conn.pragma_update(None, "journal_size_limit", 32 << 20)?;
    ready(conn)
}

/// What writer and readers have in common.
fn ready(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUDGET)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    // A statement is planned once. Otherwise each new value for some of them would have it planned anew; the price is
    // that a partial index is used only where the statement itself says the words of its condition.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(128);
    deflate::register(conn)
}

/// Runs a statement that is used again and again and has no values.
fn run(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.pragma_update(None, "query_only", true)?;
    ready(&conn)?;
    Ok(conn)
}

#[cfg(test)]
impl Db {
    /// How the database goes about a question, step by step.
    pub async fn plan(&self, question: &str) -> Vec<String> {
        let sql = format!("explain query plan {question}");
        let read = move |conn: &Connection| {
            let mut asked = conn.prepare(&sql)?;
            let steps = asked.raw_query().mapped(|row| row.get("detail"));
            Ok::<_, DbError>(steps.collect::<rusqlite::Result<_>>()?)
        };
        self.read(read).await.unwrap()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;

    async fn open() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path()).unwrap();
        (dir, db)
    }

    async fn put(db: &Db, key: &'static str) -> Result<(), DbError> {
        db.write(move |tx| {
            tx.execute("insert into settings (name, value) values (?1, 'x')", [key])?;
            Ok(())
        })
        .await
    }

    /// Keeps the writer busy until all of the others wait, so that they are one group.
    async fn together<T>(db: &Db, others: impl Future<Output = T>) -> T {
        let slow = db.write::<(), DbError>(|_| {
            std::thread::sleep(Duration::from_millis(200));
            Ok(())
        });
        let (slow, others) = tokio::join!(slow, others);
        slow.expect("waiting is no mistake");
        others
    }

    async fn keys(db: &Db) -> Vec<String> {
        db.read::<_, DbError>(|conn| {
            let mut rows = conn.prepare("select name from settings order by name")?;
            let names = rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(names)
        })
        .await
        .unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_write_that_fails_or_panics_undoes_itself_alone() {
        let (_dir, db) = open().await;
        let panicking = db.write::<(), DbError>(|tx| {
            tx.execute("insert into settings (name, value) values ('panic', 'x')", [])?;
            panic!("on purpose");
        });
        let failing = db.write::<(), DbError>(|tx| {
            tx.execute("insert into settings (name, value) values ('fail', 'x')", [])?;
            Err(DbError::Busy)
        });
        let (a, p, f, b) = tokio::join!(put(&db, "a"), panicking, failing, put(&db, "b"));
        assert!(a.is_ok() && b.is_ok());
        assert!(matches!(p, Err(DbError::Panicked)));
        assert!(matches!(f, Err(DbError::Busy)));
        assert_eq!(keys(&db).await, ["a", "b"]);
        put(&db, "after").await.unwrap();
        assert_eq!(keys(&db).await, ["a", "after", "b"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn writes_that_wait_together_are_committed_together() {
        let (_dir, db) = open().await;
        let others = (0..40).map(|i| {
            let name: &'static str = Box::leak(format!("k{i}").into_boxed_str());
            put(&db, name)
        });
        let others = together(&db, rocket::futures::future::join_all(others)).await;
        assert!(others.iter().all(Result::is_ok));
        let (commits, writes) = db.commits();
        assert_eq!(writes, 41);
        assert!(commits <= 3, "{commits} commits for 41 writes");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn work_whose_caller_has_gone_is_dropped_unless_it_is_a_fact() {
        let (_dir, db) = open().await;
        let (release, held) = std::sync::mpsc::channel::<()>();
        let mut hold = Box::pin(db.write::<(), DbError>(move |_| {
            let _ = held.recv();
            Ok(())
        }));
        assert!(poll_once(&mut hold).is_none(), "the writer is kept busy");
        for always in [false, true] {
            let work = move |tx: &Tx| -> Result<(), DbError> {
                tx.execute("insert into settings (name, value) values (?1, 'x')", [always.to_string()])?;
                Ok(())
            };
            // Asked once, which puts the work on the queue; then the caller is gone.
            let gone = match always {
                true => poll_once(&mut Box::pin(db.write_always(work))).is_none(),
                false => poll_once(&mut Box::pin(db.write(work))).is_none(),
            };
            assert!(gone);
        }
        release.send(()).unwrap();
        hold.await.unwrap();
        put(&db, "last").await.unwrap();
        assert_eq!(keys(&db).await, ["last", "true"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_large_write_has_a_commit_of_its_own_and_keeps_its_turn() {
        let (_dir, db) = open().await;
        // Each notes what stood there when its turn came.
        let seen = |tx: &Tx| -> Result<i64, DbError> {
            tx.execute("insert into settings (name, value) select 'k' || count(*), 'x' from settings", [])?;
            Ok(tx.query_row("select count(*) - 1 from settings", [], |row| row.get(0))?)
        };
        let failing = db.write_large::<(), DbError>(move |tx| seen(tx).and(Err(DbError::Busy)));
        let all =
            async { tokio::join!(db.write(seen), db.write_large(seen), failing, db.write_large(seen), db.write(seen)) };
        let (a, b, failed, c, d) = together(&db, all).await;
        assert_eq!([a, b, c, d].map(|answer| answer.expect("it is written")), [0, 1, 2, 3]);
        assert!(matches!(failed, Err(DbError::Busy)));
        assert_eq!(db.commits(), (5, 6));
        assert_eq!(keys(&db).await, ["k0", "k1", "k2", "k3"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn others_are_run_again_only_when_there_is_something_to_undo() {
        for (changes, runs) in [(false, 1), (true, 2)] {
            let (_dir, db) = open().await;
            let (ran, failed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
            let counted = |by: &Arc<AtomicU32>| {
                let by = by.clone();
                move || by.fetch_add(1, Ordering::Relaxed)
            };
            let (count, count_failed) = (counted(&ran), counted(&failed));
            let before = db.write::<_, DbError>(move |tx| {
                count();
                Ok(tx.execute("insert into settings (name, value) values ('a', 'x')", [])?)
            });
            let refused = db.write::<(), DbError>(move |tx| {
                count_failed();
                if changes {
                    tx.execute("update settings set value = 'spoilt'", [])?;
                }
                // Changes nothing, so there is nothing to undo.
                tx.execute("update settings set value = 'spoilt' where name = 'nobody'", [])?;
                Err(DbError::Busy)
            });
            let (before, refused, after) = together(&db, async { tokio::join!(before, refused, put(&db, "b")) }).await;
            assert!(matches!((before, refused, after), (Ok(1), Err(DbError::Busy), Ok(()))));
            assert_eq!(ran.load(Ordering::Relaxed), runs, "{changes}");
            assert_eq!(failed.load(Ordering::Relaxed), 1, "{changes}");
            let spoilt = |conn: &Connection| {
                let sql = "select count(*) from settings where value = 'spoilt'";
                Ok::<i64, DbError>(conn.query_row(sql, [], |row| row.get(0))?)
            };
            assert_eq!(db.read(spoilt).await.unwrap(), 0);
            assert_eq!(keys(&db).await, ["a", "b"]);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_sqlite_itself_undoes_takes_nobody_else_along() {
        let (_dir, db) = open().await;
        // As SQLite does when a write is interrupted or the disk is full; the second does not even say that it failed.
        let undone = |tx: &Tx| {
            tx.execute("insert into settings (name, value) values ('undone', 'x')", [])?;
            Ok::<(), DbError>(tx.execute_batch("rollback")?)
        };
        let failing = db.write(move |tx| undone(tx).and(Err::<(), _>(DbError::Busy)));
        let all = async { tokio::join!(put(&db, "a"), failing, put(&db, "b"), db.write(undone), put(&db, "c")) };
        let (a, failed, b, silent, c) = together(&db, all).await;
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert!(matches!((failed, silent), (Err(DbError::Busy), Err(DbError::NotCommitted(_)))));
        assert_eq!(keys(&db).await, ["a", "b", "c"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_that_fails_only_the_second_time_is_left_out() {
        let (_dir, db) = open().await;
        let (first, second) = (AtomicBool::new(true), AtomicBool::new(true));
        let fickle = move |name: &'static str, first: &AtomicBool, tx: &Tx| {
            tx.execute("insert into settings (name, value) values (?1, 'x')", [name])?;
            if first.swap(false, Ordering::Relaxed) { Ok(()) } else { Err(DbError::Busy) }
        };
        let spoil = db.write::<(), DbError>(|tx| {
            tx.execute("update settings set value = 'spoilt'", [])?;
            panic!("on purpose");
        });
        let x = db.write(move |tx| fickle("x", &first, tx));
        let y = db.write(move |tx| fickle("y", &second, tx));
        let all = async { tokio::join!(put(&db, "a"), x, put(&db, "b"), y, spoil, put(&db, "c")) };
        let (a, x, b, y, spoilt, c) = together(&db, all).await;
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert!(matches!((x, y, spoilt), (Err(DbError::Busy), Err(DbError::Busy), Err(DbError::Panicked))));
        assert_eq!(keys(&db).await, ["a", "b", "c"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_failed_write_over_megabytes_is_undone_alone() {
        let (_dir, db) = open().await;
        put(&db, "old").await.unwrap();
        let fill = |tx: &Tx| {
            tx.execute(
                "with n(i) as (select 1 union all select i + 1 from n where i < 1000)
                 insert into settings (name, value) select 'k' || i, printf('%.4000c', 'x') from n",
                [],
            )?;
            Ok::<_, DbError>(())
        };
        let spoil = |tx: &Tx| {
            tx.execute("update settings set value = 'spoilt'", [])?;
            tx.execute("delete from settings where name <> 'old'", [])?;
            Err::<(), _>(DbError::Busy)
        };
        db.write_large(fill).await.unwrap();
        let (small, large) = (db.write(spoil), db.write_large(spoil));
        let (before, small, large, after) = tokio::join!(put(&db, "before"), small, large, put(&db, "after"));
        assert!(before.is_ok() && after.is_ok());
        assert!(matches!((small, large), (Err(DbError::Busy), Err(DbError::Busy))));
        let kept = |conn: &Connection| {
            let sql = "select count(*), sum(length(value)) from settings where name glob 'k*'";
            Ok::<(i64, i64), DbError>(conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        };
        assert_eq!(db.read(kept).await.unwrap(), (1_000, 4_000_000));
        let others: Vec<_> = keys(&db).await.into_iter().filter(|key| !key.starts_with('k')).collect();
        assert_eq!(others, ["after", "before", "old"]);
    }

    fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reader_cannot_write_and_an_endless_query_is_stopped() {
        let (_dir, db) = open().await;
        let write = db.read::<_, DbError>(|conn| Ok(conn.execute("delete from settings", [])?)).await;
        assert!(matches!(write, Err(DbError::Sqlite(_))));
        let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
        let endless = db.read::<i64, DbError>(|conn| Ok(conn.query_row(endless, [], |row| row.get(0))?)).await;
        assert!(matches!(endless, Err(DbError::Sqlite(_))));
        let panicking = db.read::<(), DbError>(|_| panic!("on purpose")).await;
        assert!(matches!(panicking, Err(DbError::Panicked)));
        assert!(keys(&db).await.is_empty());
    }

    #[test]
    fn a_newer_or_foreign_database_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        drop(Db::open(dir.path()).unwrap());
        let raw = Connection::open(dir.path().join("xiaopu.db")).unwrap();
        raw.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Db::open(dir.path()), Err(OpenError::Newer { found: 99, .. })));
        raw.pragma_update(None, "user_version", 1).unwrap();
        raw.pragma_update(None, "application_id", 7).unwrap();
        assert!(matches!(Db::open(dir.path()), Err(OpenError::Foreign(_))));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_closed_shop_is_one_file() {
        let (dir, db) = open().await;
        put(&db, "a").await.unwrap();
        assert_eq!(keys(&db).await, ["a"]);
        drop(db);
        let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["xiaopu.db", "xiaopu.use"], "whoever copies the first alone must have everything");
        assert_eq!(std::fs::metadata(dir.path().join("xiaopu.use")).unwrap().len(), 0, "the second is a lock");
    }

    #[test]
    fn a_replica_that_is_followed_is_not_run_on() {
        let dir = tempfile::tempdir().unwrap();
        drop(Db::open(dir.path()).unwrap());
        let mark = dir.path().join("xiaopu.db-txid");
        std::fs::write(&mark, "0000000000000001\n").unwrap();
        let refused = Db::open(dir.path()).err().unwrap();
        assert!(matches!(refused, OpenError::Followed(_)) && refused.to_string().contains("停止跟随的进程"));
        std::fs::remove_file(&mark).unwrap();
        drop(Db::open(dir.path()).unwrap());
    }

    #[test]
    fn a_data_folder_serves_one_shop_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let held = InstanceLock::take(dir.path()).unwrap();
        assert!(matches!(InstanceLock::take(dir.path()), Err(OpenError::Locked(_))));
        drop(held);
        assert!(InstanceLock::take(dir.path()).is_ok());
    }
}
