//! The writer: one thread, one connection, many small writes under one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::wal::Wal;
use super::{BUDGET, DbError, KEPT, Kept, Outdates, Tx, is_full, run};

/// Writes that may wait; beyond that the shop says it is busy.
const QUEUE: usize = 1024;
/// The most writes under one commit.
const GROUP: usize = 128;
/// So many may share a commit however fast the disk is.
const SMALL_GROUP: usize = 16;
/// How long the writer looks for the next before it sleeps: whoever was just answered may have it ready, and a processor
/// that has to be woken takes longer.
const AWAKE: Duration = Duration::from_micros(120);

pub struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    commits: AtomicU64,
    writes: AtomicU64,
    outdated: [AtomicU64; KEPT],
}

impl Writer {
    pub fn start(mut conn: Connection) -> rusqlite::Result<Writer> {
        let mut wal = Wal::watched(&mut conn)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let line = Line { waiting, held: None };
        let counts = Arc::<Counts>::default();
        let counted = counts.clone();
        let thread = std::thread::Builder::new()
            .name("xiaopu-writer".into())
            .spawn(move || write_groups(&mut conn, &mut wal, line, &counted))
            .expect("the system can start a thread");
        Ok(Writer { queue: Some(queue), thread: Some(thread), counts })
    }

    pub fn outdated(&self, kept: Kept) -> u64 {
        self.counts.outdated[kept as usize].load(Ordering::Acquire)
    }

    pub fn commits(&self) -> (u64, u64) {
        (self.counts.commits.load(Ordering::Relaxed), self.counts.writes.load(Ordering::Relaxed))
    }

    /// Ends well once what the work has said is final: it was kept, or it refused.
    pub async fn write(&self, work: Work, manner: Manner, now: i64) -> Result<(), DbError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(DbError::Stopped)?;
        match queue.send_timeout(Job { work, outcome: None, reply, manner, now }, Duration::from_secs(1)).await {
            Ok(()) => answer.await.unwrap_or(Err(DbError::Stopped)),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(DbError::Busy),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(DbError::Stopped),
        }
    }
}

/// Waits for what is queued to be written.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How a write is to be treated.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Manner {
    /// Not begun once its caller has gone.
    Asked,
    /// Done whether or not anybody still waits.
    Always,
    /// Asked for, and over thousands of rows: nobody shares its commit, or its undoing.
    Large,
}

/// What is to be written. It leaves its result where its caller looks, and says whether it did what it was to do.
pub type Work = Box<dyn Fn(&Tx) -> bool + Send>;

struct Job {
    work: Work,
    /// What the last run came to; `false` when it refused.
    outcome: Option<Result<bool, DbError>>,
    reply: oneshot::Sender<Result<(), DbError>>,
    manner: Manner,
    /// When it was asked for: of one run and the next.
    now: i64,
}

impl Job {
    /// Nobody waits for the answer any more.
    fn abandoned(&self) -> bool {
        self.manner != Manner::Always && self.reply.is_closed()
    }

    fn run(&mut self, conn: &Connection, outdates: &Outdates) {
        let tx = &Tx { conn, now: self.now, outdates };
        // A panic would otherwise end the only writer for ever.
        self.outcome = Some(match catch_unwind(AssertUnwindSafe(|| (self.work)(tx))) {
            Ok(true) if tx.is_autocommit() => Err(DbError::NotCommitted("SQLite has undone it".into())),
            Ok(done) => Ok(done),
            Err(_) => Err(DbError::Panicked),
        });
    }

    /// It was run, and did what it was to do.
    fn is_done(&self) -> bool {
        matches!(self.outcome, Some(Ok(true)))
    }

    /// Tells the caller, once it is known whether the group is on disk: nothing of it is when it `failed`.
    fn answer(self, failed: Option<DbError>) {
        let final_word = match (self.outcome, failed) {
            // A refusal stands whether or not the others were kept.
            (Some(Ok(false)), _) => Ok(()),
            (Some(Err(e)), _) | (_, Some(e)) => Err(e),
            (Some(Ok(true)), None) => Ok(()),
            (None, None) => Err(DbError::Stopped),
        };
        let _ = self.reply.send(final_word);
    }
}

/// When a group has enough. Each one more saves a share of the disk's wait, and makes all before it wait for its work;
/// meanwhile whoever was answered could be sending the next. So a fast disk has small groups, and a slow one large ones.
#[derive(Default)]
struct Pace {
    /// What a commit costs, but for the few that the disk is slow with.
    commit: Duration,
}

impl Pace {
    fn is_enough(&self, writes: usize, worked: Duration) -> bool {
        writes >= GROUP || (writes >= SMALL_GROUP && worked >= self.commit)
    }

    /// Goes down at once, and up slowly.
    fn committed_in(&mut self, took: Duration) {
        let up = took.saturating_sub(self.commit) / 16;
        self.commit = took.min(self.commit + up);
    }
}

/// What is queued, in its order.
struct Line {
    waiting: mpsc::Receiver<Job>,
    /// The first one, if it was taken and put back.
    held: Option<Job>,
}

impl Line {
    /// Waits until there is one; `None` when there will be no more.
    fn first(&mut self) -> Option<Job> {
        let begun = Instant::now();
        while begun.elapsed() < AWAKE {
            if let Some(job) = self.next() {
                return Some(job);
            }
            std::thread::yield_now();
        }
        self.waiting.blocking_recv()
    }

    fn next(&mut self) -> Option<Job> {
        self.held.take().or_else(|| self.waiting.try_recv().ok())
    }

    fn put_back(&mut self, job: Job) {
        self.held = Some(job);
    }

    fn is_empty(&self) -> bool {
        self.held.is_none() && self.waiting.is_empty()
    }
}

fn write_groups(conn: &mut Connection, wal: &mut Wal, mut line: Line, counts: &Counts) {
    let mut pace = Pace::default();
    while let Some(first) = line.first() {
        let (mut ran, outdates) = (Vec::new(), Outdates::default());
        let committed = write_group((&mut *conn, &outdates), first, &mut line, &mut pace, &mut ran);
        if let Err(e) = &committed {
            log::error!("a group of {} writes was not committed: {e}", ran.len());
        }
        if committed.is_err() && !conn.is_autocommit() {
            let _ = conn.execute_batch("rollback");
        }
        // Said once too often when the one that would have was undone: then something is read anew for nothing.
        for (count, outdated) in counts.outdated.iter().zip(outdates.get()) {
            count.fetch_add(u64::from(outdated), Ordering::Release);
        }
        counts.commits.fetch_add(1, Ordering::Relaxed);
        counts.writes.fetch_add(ran.len() as u64, Ordering::Relaxed);
        for job in ran {
            job.answer(committed.as_ref().err().map(not_committed));
        }
        // Those who were answered do not wait for it.
        wal.copy_if_due(conn, line.is_empty());
    }
}

fn not_committed(e: &rusqlite::Error) -> DbError {
    if is_full(e) { DbError::DiskFull } else { DbError::NotCommitted(e.to_string()) }
}

/// Writes `first` and what waits behind it under one commit; one that must not be in the same group is put back.
fn write_group(
    (conn, outdates): (&mut Connection, &Outdates),
    first: Job,
    line: &mut Line,
    pace: &mut Pace,
    ran: &mut Vec<Job>,
) -> rusqlite::Result<()> {
    if let Err(e) = run(conn, "begin immediate") {
        ran.push(first);
        return Err(e);
    }
    let (mut next, begun) = (Some(first), Instant::now());
    while let Some(mut job) = next.take() {
        let alone = job.manner == Manner::Large;
        if alone && !ran.is_empty() {
            line.put_back(job);
            break;
        }
        if !job.abandoned() {
            let clean = run_one(conn, &mut job, outdates);
            ran.push(job);
            if !clean? {
                run_others_again(conn, ran, outdates)?;
                break;
            }
        }
        next = if alone || pace.is_enough(ran.len(), begun.elapsed()) { None } else { line.next() };
    }
    let worked = Instant::now();
    run(conn, "commit")?;
    pace.committed_in(worked.elapsed());
    Ok(())
}

/// Undoes the whole group, because one of it has failed, and does again what the others did. There are no savepoints,
/// which would undo one alone: SQLite copies every page for them before it changes.
fn run_others_again(conn: &mut Connection, ran: &mut [Job], outdates: &Outdates) -> rusqlite::Result<()> {
    let mut clean = false;
    // Who fails is left out, so this ends.
    while !clean {
        // A full disk, an I/O error or an interrupted write makes SQLite roll back by itself.
        if !conn.is_autocommit() {
            run(conn, "rollback")?;
        }
        run(conn, "begin immediate")?;
        clean = true;
        for job in ran.iter_mut().filter(|job| job.is_done()) {
            clean = clean && run_one(conn, job, outdates)?;
        }
    }
    Ok(())
}

/// Runs one job; false when it has failed and left something behind.
fn run_one(conn: &mut Connection, job: &mut Job, outdates: &Outdates) -> rusqlite::Result<bool> {
    let (before, end) = (conn.total_changes(), Instant::now() + BUDGET);
    conn.progress_handler(2_000, Some(move || Instant::now() > end))?;
    job.run(conn, outdates);
    conn.progress_handler(0, None::<fn() -> bool>)?;
    Ok(job.is_done() || (conn.total_changes() == before && !conn.is_autocommit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_disk_has_small_groups_and_a_slow_one_large_ones() {
        let ms = Duration::from_millis;
        let after = |commits: [u64; 3]| {
            let mut pace = Pace::default();
            // Long enough to have learned what a commit costs.
            commits.iter().cycle().take(300).for_each(|took| pace.committed_in(ms(*took)));
            pace
        };
        for (what, commits, writes, worked, enough) in [
            ("a fast disk, few writes", [1, 1, 1], 15, 60, false),
            ("a fast disk", [1, 1, 1], 16, 1, true),
            ("a fast disk, cheap writes", [1, 1, 1], 16, 0, false),
            ("a fast disk that was slow once", [1, 60, 1], 16, 12, true),
            ("a slow disk", [20, 20, 20], 16, 12, false),
            ("a slow disk, enough work", [20, 20, 20], 16, 20, true),
            ("a slow disk, a full group", [20, 20, 20], 128, 12, true),
        ] {
            assert_eq!(after(commits).is_enough(writes, ms(worked)), enough, "{what}");
        }
    }
}
