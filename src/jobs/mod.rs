//! What must still happen: durable jobs, written in the transaction of their cause, so that a restart loses none.

pub mod store;

use rusqlite::Result;

use crate::clock::{HOUR, MINUTE, SECOND};
use crate::db::Tx;
use crate::ids::{AttemptId, JobId, OrderId};
use crate::words::words;

/// What is to be done, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Ask WeChat whether an unpaid attempt has been paid.
    Poll(AttemptId),
    /// The time to pay is over: query, close, query, then close the order.
    Expire(OrderId),
    /// Follow an attempt that could not be closed yet.
    Close(AttemptId),
    /// Long after the last parcel left, the goods count as received.
    Complete(OrderId),
}

impl Task {
    pub fn kind(self) -> &'static str {
        match self {
            Task::Poll(_) => "poll",
            Task::Expire(_) => "expire",
            Task::Close(_) => "close",
            Task::Complete(_) => "complete",
        }
    }

    pub fn subject(self) -> i64 {
        match self {
            Task::Poll(id) | Task::Close(id) => id.0,
            Task::Expire(id) | Task::Complete(id) => id.0,
        }
    }

    fn read(kind: &str, subject: i64) -> Option<Task> {
        match kind {
            "poll" => Some(Task::Poll(AttemptId(subject))),
            "expire" => Some(Task::Expire(OrderId(subject))),
            "close" => Some(Task::Close(AttemptId(subject))),
            "complete" => Some(Task::Complete(OrderId(subject))),
            _ => None,
        }
    }
}

/// What the console calls a kind of job.
pub fn kind_text(kind: &str) -> &str {
    match kind {
        "poll" => "查询付款结果",
        "expire" => "关闭超时订单",
        "close" => "关闭微信支付单",
        "complete" => "自动确认收货",
        other => other,
    }
}

words! {
    pub enum State {
        Waiting "waiting" "等待中",
        Done "done" "已完成",
        NeedsPerson "needs_person" "需要人处理",
    }
}

/// A job that is due.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub task: Task,
    pub tries: i64,
    pub created_at: i64,
}

/// How a run of a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    Done,
    /// Not finished, and not a failure: look again then.
    Again {
        at: i64,
    },
    /// It failed in a way that time may heal.
    Failed(String),
}

/// Puts a task on the list; one that waits already keeps its place, or is moved forward.
pub fn enqueue(tx: &Tx, task: Task, run_at: i64, now: i64) -> Result<()> {
    store::put(tx, task.kind(), task.subject(), run_at, now)
}

/// When a failed job is tried again: 10 s, 30 s, 1 min, … up to an hour, and after two days a person must look.
pub fn backoff(tries: i64, age: i64) -> Option<i64> {
    const STEPS: [i64; 7] = [10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR];
    let step = STEPS[usize::try_from(tries).unwrap_or(0).min(STEPS.len() - 1)];
    (age < 48 * HOUR).then_some(step)
}
