//! What was asked of the database, and its answer. All but the answer is of one type whatever was asked, so that the
//! machinery around some six hundred closures stands in the program once.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use super::DbError;

type Done<'a> = Pin<Box<dyn Future<Output = Result<(), DbError>> + Send + 'a>>;

/// Ends with what the work has said, or with why it was not kept. Nothing is begun before it is awaited.
#[must_use = "nothing is asked before this is awaited"]
pub struct Asked<'a, T, E> {
    done: Done<'a>,
    result: Slot<T, E>,
}

impl<'a, T, E> Asked<'a, T, E> {
    /// `done` ends well once the work has put down its result.
    pub fn new(done: impl Future<Output = Result<(), DbError>> + Send + 'a, result: Slot<T, E>) -> Asked<'a, T, E> {
        Asked { done: Box::pin(done), result }
    }
}

impl<T, E: From<DbError>> Future for Asked<'_, T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let done = ready!(self.done.as_mut().poll(context));
        Poll::Ready(done.map_err(E::from).and_then(|()| self.result.take()))
    }
}

/// Where the work puts its result, on whatever thread, for whoever asked.
pub struct Slot<T, E>(Arc<Mutex<Option<Result<T, E>>>>);

impl<T, E> Slot<T, E> {
    pub fn new() -> Slot<T, E> {
        Slot(Arc::default())
    }

    /// Two hold of one slot: the work's and the asker's.
    pub fn other(&self) -> Slot<T, E> {
        Slot(self.0.clone())
    }

    /// Says whether it is a good one. Work that is run again has its former result forgotten.
    pub fn put(&self, result: Result<T, E>) -> bool {
        let is_good = result.is_ok();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        is_good
    }
}

impl<T, E: From<DbError>> Slot<T, E> {
    fn take(&self) -> Result<T, E> {
        let result = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.unwrap_or_else(|| Err(DbError::Stopped.into()))
    }
}
