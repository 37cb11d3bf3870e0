//! SQL of the jobs.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::{Job, State, Task};
use crate::db::Tx;
use crate::ids::JobId;

pub fn put(tx: &Tx, kind: &str, subject: i64, run_at: i64, now: i64) -> Result<()> {
    tx.prepare_cached(
        "insert into jobs (kind, subject, state, run_at, created_at, updated_at) values (?1, ?2, 'waiting', ?3, ?4, ?4)
         on conflict (kind, subject) where state = 'waiting'
         do update set run_at = min(run_at, excluded.run_at), updated_at = excluded.updated_at",
    )?
    .execute(params![kind, subject, run_at, now])?;
    Ok(())
}

/// The jobs that are due, the longest waiting first.
pub fn due(conn: &Connection, now: i64, limit: i64) -> Result<Vec<Job>> {
    let mut rows = conn.prepare_cached(
        "select id, kind, subject, tries, created_at from jobs
          where state = 'waiting' and run_at <= ?1 order by run_at, id limit ?2",
    )?;
    let jobs = rows.query_map([now, limit], |row| {
        let task = Task::read(&row.get::<_, String>("kind")?, row.get("subject")?);
        let (id, tries, created_at) = (row.get("id")?, row.get("tries")?, row.get("created_at")?);
        Ok(task.map(|task| Job { id, task, tries, created_at }))
    })?;
    jobs.filter_map(Result::transpose).collect()
}

pub fn finish(tx: &Tx, id: JobId, state: State, error: &str, now: i64) -> Result<()> {
    tx.prepare_cached(
        "update jobs set state = ?2, last_error = ?3, tries = tries + 1, updated_at = ?4
          where id = ?1 and state = 'waiting'",
    )?
    .execute(params![id, state, error, now])?;
    Ok(())
}

/// Looks again at `run_at`, unless somebody has asked for it sooner meanwhile.
pub fn wait(tx: &Tx, id: JobId, run_at: i64, tries: i64, error: &str, now: i64) -> Result<()> {
    tx.prepare_cached(
        "update jobs set run_at = case when updated_at > ?5 then min(run_at, ?2) else ?2 end,
                tries = ?3, last_error = ?4, updated_at = ?5
          where id = ?1 and state = 'waiting'",
    )?
    .execute(params![id, run_at, tries, error, now])?;
    Ok(())
}

pub fn forget_done(tx: &Tx, before: i64) -> Result<()> {
    tx.prepare_cached("delete from jobs where state = 'done' and updated_at < ?1")?.execute([before])?;
    Ok(())
}

/// A job as the console and the doctor show it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: JobId,
    pub kind: String,
    pub subject: i64,
    pub state: String,
    pub run_at: i64,
    pub tries: i64,
    pub last_error: String,
}

pub fn open(conn: &Connection, limit: i64) -> Result<Vec<Listed>> {
    let mut rows =
        conn.prepare_cached("select * from jobs where state <> 'done' order by state = 'waiting', run_at limit ?1")?;
    rows.query_map([limit], |row| {
        Ok(Listed {
            id: row.get("id")?,
            kind: row.get("kind")?,
            subject: row.get("subject")?,
            state: row.get("state")?,
            run_at: row.get("run_at")?,
            tries: row.get("tries")?,
            last_error: row.get("last_error")?,
        })
    })?
    .collect()
}

/// The waiting job that would move this subject on.
pub fn waiting_for(conn: &Connection, task: Task) -> Result<Option<i64>> {
    conn.prepare_cached("select run_at from jobs where kind = ?1 and subject = ?2 and state = 'waiting'")?
        .query_row(params![task.kind(), task.subject()], |row| row.get(0))
        .optional()
}

/// Takes up a job again that had been left to a person, or runs a waiting one now.
pub fn run_now(tx: &Tx, id: JobId, now: i64) -> Result<bool> {
    let changed = tx
        .prepare_cached("update or ignore jobs set state = 'waiting', run_at = ?2, updated_at = ?2 where id = ?1 and state <> 'done'")?
        .execute(params![id, now])?;
    Ok(changed == 1)
}
