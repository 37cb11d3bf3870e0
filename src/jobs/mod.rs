//! What must still happen: durable jobs, written in the transaction of their cause, so that a restart loses none.

pub mod store;

use rusqlite::Result;

use crate::clock::{self, DAY, Day, HOUR, MINUTE, SECOND};
use crate::db::Tx;
use crate::ids::{
    AttemptId, DeliveryId, ExceptionId, JobId, LedgerId, OrderId, OutboxId, ProductId, RefundId, ReturnId,
};
use crate::stored_enum::stored_enum;

/// What is to be done, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Ask WeChat whether an unpaid attempt has been paid.
    Poll(AttemptId),
    /// Ask WeChat for money of which only somebody with the key of API v2 has spoken.
    Prove(ExceptionId),
    /// The time to pay is over: query, close, query, then close the order.
    Expire(OrderId),
    /// Close an attempt at WeChat, and follow it until that is certain.
    Close(AttemptId),
    /// Long after the last parcel left, the goods count as received.
    Complete(OrderId),
    /// Tell WeChat's register how an order left.
    Register(OrderId),
    /// Bring a refund on: send it, or ask what became of it.
    Refund(RefundId),
    /// Ask which refunds a payment has at WeChat: some may have been made in its own console.
    Refunds(LedgerId),
    /// After going back to a backup: ask what went back meanwhile of payments that something is still to leave for.
    LookBack,
    /// See whether the time for a step of a return is over.
    Return(ReturnId),
    /// Put a product on the shelf, or take it off.
    Shelf(ProductId),
    /// Download a day's bill and match it.
    Bill(Day),
    /// Each morning: see which days have no bill yet.
    Bills,
    /// Each night: check every rule against every row.
    SelfCheck,
    /// Each night: a backup, and proof that it opens.
    Backup,
    /// Each week: ask WeChat which parcel services it knows.
    Carriers,
    /// Pack what an older program wrote as it was.
    Repack,
    /// Tell a buyer something.
    Tell(OutboxId),
    /// Tell the staff, by the way of this number, what has gathered.
    Gather(i64),
    /// Tell another program what happened.
    Deliver(DeliveryId),
}

impl Task {
    pub fn kind(self) -> Kind {
        match self {
            Task::Poll(_) => Kind::Poll,
            Task::Prove(_) => Kind::Prove,
            Task::Expire(_) => Kind::Expire,
            Task::Close(_) => Kind::Close,
            Task::Complete(_) => Kind::Complete,
            Task::Register(_) => Kind::Register,
            Task::Refund(_) => Kind::Refund,
            Task::Refunds(_) => Kind::Refunds,
            Task::LookBack => Kind::LookBack,
            Task::Return(_) => Kind::Return,
            Task::Shelf(_) => Kind::Shelf,
            Task::Bill(_) => Kind::Bill,
            Task::Bills => Kind::Bills,
            Task::SelfCheck => Kind::SelfCheck,
            Task::Backup => Kind::Backup,
            Task::Carriers => Kind::Carriers,
            Task::Repack => Kind::Repack,
            Task::Tell(_) => Kind::Tell,
            Task::Gather(_) => Kind::Gather,
            Task::Deliver(_) => Kind::Deliver,
        }
    }

    pub fn subject(self) -> i64 {
        match self {
            Task::Poll(id) | Task::Close(id) => id.0,
            Task::Expire(id) | Task::Complete(id) | Task::Register(id) => id.0,
            Task::Prove(id) => id.0,
            Task::Refund(id) => id.0,
            Task::Refunds(id) => id.0,
            Task::Return(id) => id.0,
            Task::Shelf(id) => id.0,
            Task::Bill(day) => day.number(),
            Task::Tell(id) => id.0,
            Task::Deliver(id) => id.0,
            Task::Gather(channel) => channel,
            Task::LookBack | Task::Bills | Task::SelfCheck | Task::Backup | Task::Carriers | Task::Repack => 0,
        }
    }

    /// As the table has it; `None` when there is no such subject.
    pub fn read(kind: Kind, subject: i64) -> Option<Task> {
        Some(match kind {
            Kind::Poll => Task::Poll(AttemptId(subject)),
            Kind::Prove => Task::Prove(ExceptionId(subject)),
            Kind::Expire => Task::Expire(OrderId(subject)),
            Kind::Close => Task::Close(AttemptId(subject)),
            Kind::Complete => Task::Complete(OrderId(subject)),
            Kind::Register => Task::Register(OrderId(subject)),
            Kind::Refund => Task::Refund(RefundId(subject)),
            Kind::Refunds => Task::Refunds(LedgerId(subject)),
            Kind::LookBack => Task::LookBack,
            Kind::Return => Task::Return(ReturnId(subject)),
            Kind::Shelf => Task::Shelf(ProductId(subject)),
            Kind::Bill => Task::Bill(Day::from_number(subject)?),
            Kind::Bills => Task::Bills,
            Kind::SelfCheck => Task::SelfCheck,
            Kind::Backup => Task::Backup,
            Kind::Carriers => Task::Carriers,
            Kind::Repack => Task::Repack,
            Kind::Tell => Task::Tell(OutboxId(subject)),
            Kind::Gather => Task::Gather(subject),
            Kind::Deliver => Task::Deliver(DeliveryId(subject)),
        })
    }
}

stored_enum! {
    pub enum Kind {
        Poll "poll" "查询付款结果",
        Prove "prove" "向微信查实款项",
        Expire "expire" "关闭超时订单",
        Close "close" "关闭微信支付单",
        Complete "complete" "自动确认收货",
        Register "register" "上传发货信息",
        Refund "refund" "退款",
        Refunds "refunds" "核对微信退款",
        LookBack "look_back" "恢复备份后核对退款",
        Return "return" "退换货时限",
        Shelf "shelf" "定时上下架",
        Bill "bill" "下载账单并对账",
        Bills "bills" "每日对账安排",
        SelfCheck "self_check" "每夜自检",
        Backup "backup" "每夜备份",
        Carriers "carriers" "更新快递公司列表",
        Repack "repack" "压缩旧消息",
        Tell "tell" "给买家发订阅消息",
        Gather "gather" "给店里发通知",
        Deliver "deliver" "推送给别的程序",
    }
}

/// Which jobs wait for each other: only those of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    Refunds,
    /// What holds stock until WeChat has said that nobody can pay any more.
    Closing,
    Polls,
    Register,
    /// Our own affairs: nobody else is asked.
    Own,
    /// Bills, the nightly check and the nightly backup: minutes, in a large shop.
    House,
    /// What buyers are told, staff, and other programs: others answer, as late as they like.
    Buyers,
    Staff,
    Programs,
}

impl Lane {
    /// What follows money and goods.
    pub const MONEY: &[Lane] = &[Lane::Refunds, Lane::Closing, Lane::Polls, Lane::Register, Lane::Own];
    pub const HOUSE: &[Lane] = &[Lane::House];
    /// What is told outside the shop's own pages: nobody waits for it.
    pub const OUT: &[Lane] = &[Lane::Buyers, Lane::Staff, Lane::Programs];

    /// How many of its jobs run at the same time: enough that one slow answer of WeChat's holds up no one else.
    pub fn width(self) -> usize {
        match self {
            Lane::Refunds | Lane::Closing | Lane::Polls => 8,
            Lane::Buyers | Lane::Staff | Lane::Programs => 4,
            Lane::Register | Lane::Own | Lane::House => 2,
        }
    }
}

impl Kind {
    pub fn lane(self) -> Lane {
        match self {
            Kind::Refund | Kind::Refunds | Kind::LookBack => Lane::Refunds,
            Kind::Expire | Kind::Close => Lane::Closing,
            Kind::Poll | Kind::Prove => Lane::Polls,
            Kind::Register => Lane::Register,
            Kind::Complete | Kind::Return | Kind::Shelf => Lane::Own,
            Kind::Tell => Lane::Buyers,
            Kind::Gather => Lane::Staff,
            Kind::Deliver => Lane::Programs,
            Kind::Bill | Kind::Bills | Kind::SelfCheck | Kind::Backup | Kind::Carriers | Kind::Repack => Lane::House,
        }
    }

    /// The longest that a job of this kind waits, in milliseconds, between two failures too; `None` where staff choose the
    /// moment. What is planned for later was planned by a clock that ran ahead.
    pub fn longest_wait(self) -> Option<i64> {
        Some(match self {
            Kind::Close | Kind::Prove | Kind::Register | Kind::Refunds | Kind::LookBack => HOUR,
            Kind::Repack | Kind::Gather | Kind::Deliver => HOUR,
            // Orders may be unpaid for two hours, and a crowd of them is asked about one after the other.
            Kind::Poll | Kind::Expire | Kind::Tell => 3 * HOUR,
            Kind::Refund => 6 * HOUR,
            Kind::Bills | Kind::SelfCheck | Kind::Backup => DAY,
            // Today's bill is out tomorrow at ten.
            Kind::Bill => DAY + 10 * HOUR,
            Kind::Carriers => 7 * DAY,
            Kind::Complete => 10 * DAY,
            Kind::Return => 30 * DAY,
            Kind::Shelf => return None,
        })
    }

    /// No later than this kind waits at most.
    fn within_reach(self, run_at: i64, now: i64) -> i64 {
        self.longest_wait().map_or(run_at, |longest| run_at.min(now + longest))
    }
}

stored_enum! {
    pub enum State {
        Waiting "waiting" "等待中",
        Done "done" "已完成",
        NeedsPerson "needs_person" "需人工处理",
    }
}

/// A job that is due.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub task: Task,
    pub tries: i64,
    /// How often it had been asked for when it was taken up: whoever asks meanwhile is not overheard.
    pub asked: i64,
    pub failing_since: Option<i64>,
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
    /// It failed in a way that only a person can mend.
    Stuck(String),
}

/// Puts a task on the list; one that waits already keeps its place, or is moved forward.
pub fn enqueue(tx: &Tx, task: Task, run_at: i64) -> Result<()> {
    store::put(tx, task.kind(), task.subject(), task.kind().within_reach(run_at, tx.now()))
}

/// Writes down how a run ended; `spread` keeps jobs that failed together from coming back together.
pub fn ended(tx: &Tx, job: &Job, ran: &Ran, spread: i64) -> Result<()> {
    let now = tx.now();
    match ran {
        Ran::Done => store::finish(tx, job, State::Done, ""),
        Ran::Again { at } => store::wait(tx, job, job.task.kind().within_reach(*at, now), None, ""),
        Ran::Stuck(why) => store::finish(tx, job, State::NeedsPerson, why),
        Ran::Failed(why) => {
            let since = job.failing_since.unwrap_or(now).min(now);
            match backoff(job.tries, now - since) {
                Some(wait) => store::wait(tx, job, now + wait + spread, Some(since), why),
                None => store::finish(tx, job, State::NeedsPerson, why),
            }
        }
    }
}

/// When a failed job is tried again: 10 s, 30 s, 1 min, … up to an hour; after two days of failing a person must look.
fn backoff(tries: i64, failing_for: i64) -> Option<i64> {
    const STEPS: [i64; 7] = [10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR];
    let step = STEPS[usize::try_from(tries).unwrap_or(0).min(STEPS.len() - 1)];
    (failing_for < 48 * HOUR).then_some(step)
}

/// In words, that the clock was set back at `at`, and what became of it.
pub fn set_back(at: i64, back_ms: i64, now: i64) -> String {
    let (when, by) = (clock::shown_near(at, now), clock::span(back_ms));
    format!("{when} 系统时间拨回了 {by}：那之前记下的时间可能偏晚，排得太远的任务已经提前，还没过完的日子到时重新对账")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_task_reads_back_as_written() {
        for kind in Kind::ALL {
            let task = Task::read(*kind, 20_261_008).unwrap();
            assert_eq!(task.kind(), *kind);
            assert!([0, 20_261_008].contains(&task.subject()));
        }
        assert_eq!(Task::read(Kind::Bill, 20_261_308), None);
    }
}
