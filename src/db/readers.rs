//! The readers: a few read-only connections on the blocking pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{DbError, open_reader, run};

const READERS: usize = 4;

pub struct Readers {
    path: PathBuf,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub fn new(path: PathBuf) -> Readers {
        Readers { path, places: Arc::new(Semaphore::new(READERS)), idle: Arc::default() }
    }

    pub async fn read<T, E, F>(&self, work: F, budget: Duration) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let place = self.places.clone().acquire_owned().await.map_err(|_| DbError::Stopped)?;
        let (idle, path) = (self.idle.clone(), self.path.clone());
        let read = move || {
            let _place = place;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut conn = match kept {
                Some(conn) => conn,
                None => open_reader(&path).map_err(DbError::from)?,
            };
            // A connection that saw a panic is dropped, not kept.
            let result = catch_unwind(AssertUnwindSafe(|| read_moment(&mut conn, work, budget)))
                .map_err(|_| DbError::Panicked)?;
            if conn.is_autocommit() {
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
            }
            result
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Err(DbError::Stopped.into()))
    }
}

/// One deferred transaction, so that all of `work` sees the same moment.
fn read_moment<T, E: From<DbError>>(
    conn: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
    budget: Duration,
) -> Result<T, E> {
    let end = Instant::now() + budget;
    conn.progress_handler(2_000, Some(move || Instant::now() > end)).map_err(DbError::from)?;
    run(conn, "begin").map_err(DbError::from)?;
    let result = work(conn);
    if !conn.is_autocommit() {
        run(conn, "commit").map_err(DbError::from)?;
    }
    result
}
