//! SQL of the jobs.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Job, Kind, Lane, State, Task};
use crate::clock::DAY;
use crate::db::{Kept, Tx};
use crate::ids::JobId;

pub fn put(tx: &Tx, kind: Kind, subject: i64, run_at: i64) -> Result<()> {
    // One that was left to a person is taken up by whoever asks anew.
    tx.prepare_cached("delete from jobs where kind = ?1 and subject = ?2 and state = 'needs_person'")?
        .execute(params![kind, subject])?;
    tx.prepare_cached(
        "insert into jobs (kind, subject, state, run_at, created_at, updated_at) values (?1, ?2, 'waiting', ?3, ?4, ?4)
         on conflict (kind, subject) where state = 'waiting'
         do update set run_at = min(run_at, excluded.run_at), updated_at = excluded.updated_at, asked = asked + 1",
    )?
    .execute(params![kind, subject, run_at, tx.now()])?;
    if run_at <= tx.now() {
        tx.outdate(Kept::DueJobs);
    }
    Ok(())
}

const DUE: &str = "select id, kind, subject, tries, asked, failing_since, created_at, run_at from jobs
  where state = 'waiting' and kind = ?1 and run_at <= ?2
  order by run_at, id limit ?3";

/// The jobs of a lane that are due, the longest waiting first. Each kind is looked for by itself: what waits in the other
/// lanes, thousands of polls after a standstill, is not gone through.
pub fn due(conn: &Connection, lane: Lane, now: i64, limit: i64) -> Result<Vec<Job>> {
    let mut rows = conn.prepare_cached(DUE)?;
    let mut due: Vec<(i64, Job)> = Vec::new();
    for kind in Kind::ALL.iter().filter(|kind| kind.lane() == lane) {
        for job in rows.query_map(params![kind, now, limit], read_due)? {
            due.push(job?);
        }
    }
    due.sort_by_key(|(run_at, job)| (*run_at, job.id.0));
    Ok(due.into_iter().take(limit.unsigned_abs() as usize).map(|(_, job)| job).collect())
}

/// Since when it is due, and the job.
fn read_due(row: &Row<'_>) -> Result<(i64, Job)> {
    let task = Task::read(row.get("kind")?, row.get("subject")?);
    let job = Job {
        id: row.get("id")?,
        task: task.ok_or(rusqlite::Error::IntegralValueOutOfRange(2, row.get("subject")?))?,
        tries: row.get("tries")?,
        asked: row.get("asked")?,
        failing_since: row.get("failing_since")?,
        created_at: row.get("created_at")?,
    };
    Ok((row.get("run_at")?, job))
}

/// Ends a job, unless it was asked for again while it ran: then it runs once more.
pub fn finish(tx: &Tx, job: &Job, state: State, error: &str) -> Result<()> {
    tx.prepare_cached(
        "update jobs
            set state = case when asked = ?5 then ?2 else state end, last_error = ?3, tries = tries + 1, updated_at = ?4
          where id = ?1 and state = 'waiting'",
    )?
    .execute(params![job.id, state, error, tx.now(), job.asked])?;
    Ok(())
}

/// Looks again at `run_at`, unless somebody has asked for it sooner meanwhile. Tries are counted while it fails.
pub fn wait(tx: &Tx, job: &Job, run_at: i64, failing_since: Option<i64>, error: &str) -> Result<()> {
    tx.prepare_cached(
        "update jobs
            set run_at = case when asked = ?6 then ?2 else min(run_at, ?2) end,
                tries = case when ?3 is null then 0 else tries + 1 end, failing_since = ?3, last_error = ?4, updated_at = ?5
          where id = ?1 and state = 'waiting'",
    )?
    .execute(params![job.id, run_at, failing_since, error, tx.now(), job.asked])?;
    Ok(())
}

pub fn forget_done(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached("delete from jobs where state = 'done' and updated_at < ?1")?.execute([before])?;
    Ok(())
}

// ── the clock, which may jump ──

/// How much of a program's running must agree that a moment has gone by.
const SURE_AFTER: i64 = 2 * DAY;

/// Notes what the clock shows after so much more running, and answers with a moment that has surely gone by: it had at
/// each look of the last two days of running. `None` until there were as many.
pub fn surely_past(tx: &Tx, ran: i64) -> Result<Option<i64>> {
    tx.prepare_cached(
        "insert into clock_seen (lived, at) select coalesce(max(lived), 0) + ?2, ?1 from clock_seen where true
         on conflict (lived) do update set at = min(at, excluded.at)",
    )?
    .execute([tx.now(), ran])?;
    let lived: i64 = tx.prepare_cached("select max(lived) from clock_seen")?.query_row([], |row| row.get(0))?;
    let before = lived - SURE_AFTER;
    // One older look is kept: it says that there were two days.
    tx.prepare_cached("delete from clock_seen where lived < (select max(lived) from clock_seen where lived <= ?1)")?
        .execute([before])?;
    tx.prepare_cached("select iif(min(lived) <= ?1, min(at) filter (where lived > ?1), null) from clock_seen")?
        .query_row([before], |row| row.get(0))
}

/// What the clock showed when the house was last tidied, when WeChat last heard or said something, or buyer or staff last
/// did.
pub fn last_seen(conn: &Connection) -> Result<Option<i64>> {
    conn.prepare_cached(
        "select max(at) from (select at from (select at from clock_seen order by lived desc limit 1)
                              union all select at from (select at from messages order by id desc limit 1)
                              union all select at from (select at from audit_log order by id desc limit 1)
                              union all select at from (select at from order_events order by id desc limit 1))",
    )?
    .query_row([], |row| row.get(0))
}

/// Notes that the clock was set back, by so many milliseconds.
pub fn note_step(tx: &Tx, back_ms: i64) -> Result<()> {
    tx.prepare_cached("insert or replace into clock_steps (at, back_ms) values (?1, ?2)")?
        .execute([tx.now(), back_ms])?;
    Ok(())
}

/// When the clock was last set back since then, and by how many milliseconds.
pub fn last_step(conn: &Connection, since: i64) -> Result<Option<(i64, i64)>> {
    conn.prepare_cached("select at, back_ms from clock_steps where at >= ?1 order by at desc limit 1")?
        .query_row([since], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

const PULL_IN: &str = "update jobs
    set run_at = ?2 + max(min(run_at - updated_at, ?3), 0), updated_at = ?2,
        created_at = min(created_at, ?2), failing_since = min(failing_since, ?2)
  where state = 'waiting' and kind = ?1 and run_at > ?2 + ?4 and (updated_at > ?2 or run_at > ?2 + ?3)";

/// Pulls in what waits for longer than its kind can, to as long from now as it was to wait; after a clock was set back,
/// whatever was planned while it ran ahead.
pub fn pull_in(tx: &Tx, set_back: bool) -> Result<()> {
    let mut update = tx.prepare_cached(PULL_IN)?;
    for kind in Kind::ALL {
        if let Some(longest) = kind.longest_wait() {
            update.execute(params![kind, tx.now(), longest, if set_back { 0 } else { longest }])?;
        }
    }
    tx.outdate(Kept::DueJobs);
    Ok(())
}

/// A job as the console and the doctor show it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: JobId,
    pub kind: Kind,
    pub subject: i64,
    pub state: State,
    pub run_at: i64,
    pub tries: i64,
    pub last_error: String,
    pub updated_at: i64,
}

fn read_listed(row: &Row<'_>) -> Result<Listed> {
    Ok(Listed {
        id: row.get("id")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        state: row.get("state")?,
        run_at: row.get("run_at")?,
        tries: row.get("tries")?,
        last_error: row.get("last_error")?,
        updated_at: row.get("updated_at")?,
    })
}

pub fn by_id(conn: &Connection, id: JobId) -> Result<Option<Listed>> {
    conn.prepare_cached("select * from jobs where id = ?1")?.query_row([id], read_listed).optional()
}

/// What is not done yet: first what needs a person, then what is due soonest.
pub fn open(conn: &Connection, limit: i64) -> Result<Vec<Listed>> {
    let mut stuck = conn.prepare_cached("select * from jobs where state = 'needs_person' order by run_at limit ?1")?;
    let mut waiting =
        conn.prepare_cached("select * from jobs where state = 'waiting' and kind = ?1 order by run_at limit ?2")?;
    let mut open = stuck.query_map([limit], read_listed)?.collect::<Result<Vec<Listed>>>()?;
    let first_waiting = open.len();
    for kind in Kind::ALL {
        for job in waiting.query_map(params![kind, limit], read_listed)? {
            open.push(job?);
        }
    }
    open[first_waiting..].sort_by_key(|job| (job.run_at, job.id.0));
    open.truncate(limit.unsigned_abs() as usize);
    Ok(open)
}

/// What was done lately, the latest first.
pub fn done(conn: &Connection, limit: i64) -> Result<Vec<Listed>> {
    let mut rows =
        conn.prepare_cached("select * from jobs where state = 'done' order by updated_at desc, id desc limit ?1")?;
    rows.query_map([limit], read_listed)?.collect()
}

/// How many jobs wait, and how many need a person.
pub fn counts(conn: &Connection) -> Result<(i64, i64)> {
    let waiting =
        conn.prepare_cached("select count(*) from jobs where state = 'waiting'")?.query_row([], |row| row.get(0))?;
    Ok((waiting, stuck(conn)?))
}

/// How many jobs need a person.
pub fn stuck(conn: &Connection) -> Result<i64> {
    conn.prepare_cached("select count(*) from jobs where state = 'needs_person'")?.query_row([], |row| row.get(0))
}

/// How many jobs wait in each stretch that these moments end, and beyond the last.
pub fn due_until(conn: &Connection, ends: &[i64]) -> Result<Vec<i64>> {
    let mut until =
        conn.prepare_cached("select count(*) from jobs where state = 'waiting' and kind = ?1 and run_at < ?2")?;
    let mut all = Vec::new();
    for end in ends.iter().chain([&i64::MAX]) {
        let of_kinds = Kind::ALL.iter().map(|kind| until.query_row(params![kind, end], |row| row.get::<_, i64>(0)));
        all.push(of_kinds.sum::<Result<i64>>()?);
    }
    for at in (1..all.len()).rev() {
        all[at] -= all[at - 1];
    }
    Ok(all)
}

/// When the first waiting job is due.
pub fn earliest(conn: &Connection) -> Result<Option<i64>> {
    let mut first = conn.prepare_cached("select min(run_at) from jobs where state = 'waiting' and kind = ?1")?;
    let of_kinds = Kind::ALL.iter().map(|kind| first.query_row([kind], |row| row.get::<_, Option<i64>>(0)));
    Ok(of_kinds.collect::<Result<Vec<_>>>()?.into_iter().flatten().min())
}

/// When the job that would move this subject on runs next.
pub fn waiting_for(conn: &Connection, task: Task) -> Result<Option<i64>> {
    conn.prepare_cached("select run_at from jobs where kind = ?1 and subject = ?2 and state = 'waiting'")?
        .query_row(params![task.kind(), task.subject()], |row| row.get(0))
        .optional()
}

/// Whether a task is on the list and not done.
pub fn is_open(conn: &Connection, task: Task) -> Result<bool> {
    for state in ["waiting", "needs_person"] {
        let sql = format!("select 1 from jobs where kind = ?1 and subject = ?2 and state = '{state}'");
        if conn.prepare_cached(&sql)?.exists(params![task.kind(), task.subject()])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes a task off the list: a person has settled what it was about.
pub fn drop_open(tx: &Tx, task: Task) -> Result<()> {
    for state in ["waiting", "needs_person"] {
        let sql = format!("delete from jobs where kind = ?1 and subject = ?2 and state = '{state}'");
        tx.prepare_cached(&sql)?.execute(params![task.kind(), task.subject()])?;
    }
    Ok(())
}

/// Why a task that is not done failed when it was last tried.
pub fn failing(conn: &Connection, task: Task) -> Result<Option<String>> {
    conn.prepare_cached(
        "select last_error from jobs where kind = ?1 and subject = ?2 and state <> 'done' and last_error <> ''",
    )?
    .query_row(params![task.kind(), task.subject()], |row| row.get(0))
    .optional()
}

/// Takes up a job again that had been left to a person, or runs a waiting one now.
pub fn run_now(tx: &Tx, id: JobId) -> Result<()> {
    tx.prepare_cached(
        "update or ignore jobs
            set state = 'waiting', run_at = ?2, updated_at = ?2, asked = asked + 1, tries = 0, failing_since = null
          where id = ?1 and state <> 'done'",
    )?
    .execute(params![id, tx.now()])?;
    Ok(())
}

/// Runs now what failed when it was last tried, also what was left to a person: what it failed by may have been put right.
/// Since when it fails stays as it was.
pub fn run_failed(tx: &Tx, kinds: &[Kind]) -> Result<()> {
    for state in ["waiting", "needs_person"] {
        let mut update = tx.prepare_cached(&format!(
            "update or ignore jobs set state = 'waiting', run_at = ?2, updated_at = ?2, asked = asked + 1
              where kind = ?1 and state = '{state}' and last_error <> ''"
        ))?;
        for kind in kinds {
            update.execute(params![kind, tx.now()])?;
        }
    }
    tx.outdate(Kept::DueJobs);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::error::Error;

    #[tokio::test]
    async fn a_lane_hears_of_its_own_jobs_alone_and_the_longest_waiting_first() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path()).unwrap();
        let write = |tx: &Tx| {
            for (kind, subject, run_at) in [
                (Kind::Close, 1, 50),
                (Kind::Expire, 2, 40),
                (Kind::Close, 3, 30),
                (Kind::Expire, 4, 101),
                (Kind::Poll, 5, 10),
                (Kind::Expire, 6, 50),
            ] {
                put(tx, kind, subject, run_at)?;
            }
            Ok::<_, Error>(())
        };
        db.write(write).await.unwrap();
        let of = |lane: Lane, limit: i64| {
            let db = db.clone();
            async move {
                let read = move |conn: &Connection| Ok::<_, Error>(due(conn, lane, 100, limit)?);
                let due = db.read(read).await.unwrap();
                due.iter().map(|job| job.task.subject()).collect::<Vec<_>>()
            }
        };
        assert_eq!(of(Lane::Closing, 9).await, [3, 2, 1, 6]);
        assert_eq!(of(Lane::Closing, 2).await, [3, 2]);
        assert_eq!(of(Lane::Polls, 9).await, [5]);
        assert!(of(Lane::Refunds, 9).await.is_empty());
        let read = |conn: &Connection| {
            let open = open(conn, 4)?.iter().map(|job| job.subject).collect::<Vec<_>>();
            Ok::<_, Error>((open, due_until(conn, &[31, 51])?, earliest(conn)?))
        };
        assert_eq!(db.read(read).await.unwrap(), (vec![5, 3, 2, 1], vec![2, 3, 1], Some(10)));
    }

    #[tokio::test]
    async fn whoever_waits_for_jobs_hears_of_one_that_is_due_and_of_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path()).unwrap();
        let put_at = |in_ms: i64| {
            let write = move |tx: &Tx| Ok::<_, Error>(put(tx, Kind::Poll, 1, tx.now() + in_ms)?);
            db.write(write)
        };
        let before = db.outdated(Kept::DueJobs);
        put_at(60_000).await.unwrap();
        assert_eq!(db.outdated(Kept::DueJobs), before);
        put_at(0).await.unwrap();
        assert_eq!(db.outdated(Kept::DueJobs), before + 1);
    }

    #[tokio::test]
    async fn what_is_due_is_found_by_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path()).unwrap();
        assert_eq!(db.plan(DUE).await, ["SEARCH jobs USING INDEX jobs_due (kind=? AND run_at<?)"]);
    }
}
