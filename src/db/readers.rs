//! The readers: a few read-only connections on the blocking pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{BUDGET, DbError, open_reader, run};

const READERS: usize = 4;
/// A connection that nobody needed for so long is closed: each has a cache of its own.
const IDLE: Duration = Duration::from_secs(10);

pub struct Readers {
    places: Arc<Semaphore>,
    shelf: Arc<Shelf>,
}

/// The connections that nobody reads through just now, since when; the latest is taken first.
struct Shelf {
    path: PathBuf,
    idle: Mutex<Vec<(Instant, Connection)>>,
}

/// What is asked of one moment. It leaves its answer where its caller looks.
pub type Question = Box<dyn FnOnce(&Connection) + Send>;

impl Readers {
    pub fn new(path: PathBuf) -> Readers {
        Readers { places: Arc::new(Semaphore::new(READERS)), shelf: Arc::new(Shelf { path, idle: Mutex::default() }) }
    }

    /// Ends well once the question has its answer.
    pub async fn ask(&self, question: Question, budget: Duration) -> Result<(), DbError> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| DbError::Stopped)?;
        let shelf = self.shelf.clone();
        let look = move || {
            let _place = place;
            shelf.look(question, budget)
        };
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(DbError::Stopped))
    }
}

impl Shelf {
    fn look(&self, question: Question, budget: Duration) -> Result<(), DbError> {
        let kept = self.idle().pop();
        let mut conn = match kept {
            Some((_, conn)) => conn,
            None => open_reader(&self.path)?,
        };
        // A connection that saw a panic is dropped, not kept.
        catch_unwind(AssertUnwindSafe(|| read_moment(&mut conn, question, budget)))
            .map_err(|_| DbError::Panicked)??;
        // Nor is one that looked at every row: it holds pages that nobody asks for again.
        if conn.is_autocommit() && budget == BUDGET {
            self.keep(conn);
        }
        Ok(())
    }

    fn keep(&self, conn: Connection) {
        let mut idle = self.idle();
        idle.push((Instant::now(), conn));
        let stale = idle.iter().take_while(|(since, _)| since.elapsed() > IDLE).count();
        let stale: Vec<_> = idle.drain(..stale).collect();
        // Closed when nobody waits for the shelf any more.
        drop(idle);
        drop(stale);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One deferred transaction, so that all of the question sees the same moment.
fn read_moment(conn: &mut Connection, question: Question, budget: Duration) -> rusqlite::Result<()> {
    let end = Instant::now() + budget;
    conn.progress_handler(2_000, Some(move || Instant::now() > end))?;
    run(conn, "begin")?;
    question(conn);
    if !conn.is_autocommit() {
        run(conn, "commit")?;
    }
    Ok(())
}
