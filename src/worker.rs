//! The worker: takes due jobs, runs them, and keeps house. A job that fails waits longer each time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::aftersale;
use crate::backups;
use crate::buyers;
use crate::catalogue::{media, shelf};
use crate::clock::{DAY, HOUR, SECOND};
use crate::db::Tx;
use crate::drafts;
use crate::error::{Code, Result};
use crate::ids::{JobId, OrderId, ProductId};
use crate::jobs::{self, Job, Lane, Ran, Task};
use crate::memory;
use crate::orders::{self, OrderStatus, RECEIVED_AFTER, Who, moves};
use crate::outbox;
use crate::packing;
use crate::parcels;
use crate::payments::refund::{self, learn, send, since};
use crate::payments::{check, close, invariants, mend, notify, notify_v3, prepay, prove, repack};
use crate::photos;
use crate::programs::{self, hooks};
use crate::reconcile;
use crate::refunds::store as refunds;
use crate::returns::store as returns;
use crate::settings::{changes, store as kept};
use crate::shipping::register;
use crate::shop::Shop;
use crate::staff;

/// How often the list is looked at when nothing wakes the worker.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Runs until the shop shuts down, and starts again should it ever panic: without it no payment would be followed up.
pub async fn run(shop: Shop, shutdown: rocket::Shutdown) {
    while let Err(e) = tokio::spawn(work(shop.clone(), shutdown.clone())).await {
        log::error!("the worker panicked and is started again: {e}");
        tokio::time::sleep(LOOK_EVERY * 2).await;
    }
}

/// The jobs that never end are on the list from the first start on, whatever became of them; and each start asks about
/// everything that could have been paid meanwhile.
pub async fn seed(shop: &Shop) -> Result<()> {
    let write = move |tx: &Tx| {
        for task in [Task::Bills, Task::SelfCheck, Task::Backup, Task::Carriers] {
            jobs::enqueue(tx, task, tx.now())?;
        }
        // The clock may have been put right while nobody was looking.
        let ahead = jobs::store::last_seen(tx)?.map(|seen| seen - tx.now()).filter(|ahead| *ahead > STEP);
        mind_step(tx, ahead)?;
        if packing::store::left(tx)?.is_some() {
            jobs::enqueue(tx, Task::Repack, tx.now())?;
        }
        check::ask_about_all(tx)
    };
    shop.write(write).await?;
    // A key may have been put right in the configuration, or a merchant number be back.
    notify::keys_seen_to(shop, false).await?;
    notify_v3::look_again(shop).await?;
    mend::try_again(shop).await?;
    mend::mend(shop).await.map(|_| ())
}

async fn work(shop: Shop, shutdown: rocket::Shutdown) {
    if let Err(e) = seed(&shop).await {
        log::error!("worker: {}", e.message());
    }
    tokio::join!(
        keep_up(&shop, Lane::MONEY, shutdown.clone()),
        keep_up(&shop, Lane::HOUSE, shutdown.clone()),
        keep_up(&shop, Lane::OUT, shutdown.clone()),
        mind_the_clock(&shop, shutdown),
    );
}

/// Less than this is how machines keep their clocks right.
const STEP: i64 = 10 * SECOND;

/// A clock that ran ahead and is put right leaves plans for days to come, which nobody would see for as long.
async fn mind_the_clock(shop: &Shop, mut shutdown: rocket::Shutdown) {
    let mut last = shop.clock.moments();
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let seen = shop.clock.moments();
        let back = (last.now - last.steady) - (seen.now - seen.steady);
        if back > STEP {
            log::error!("the clock was set back by {back} ms");
            match shop.write(move |tx| mind_step(tx, Some(back))).await {
                Ok(()) => shop.wake_worker(),
                // Seen again at the next look, beside the same last one.
                Err(e) => {
                    log::error!("worker: {}", e.message());
                    continue;
                }
            }
        }
        last = seen;
    }
}

/// Plans are pulled in, and what was noted while the clock ran ahead was done by now at the latest.
fn mind_step(tx: &Tx, back: Option<i64>) -> Result<()> {
    jobs::store::pull_in(tx, back.is_some())?;
    kept::pull_in_trials(tx)?;
    if let Some(back) = back {
        jobs::store::note_step(tx, back)?;
        backups::store::pull_in(tx)?;
        refund::pull_in(tx)?;
        for task in [Task::Bills, Task::SelfCheck, Task::Backup] {
            jobs::enqueue(tx, task, tx.now())?;
        }
    }
    Ok(())
}

/// Runs what is due in these lanes, as it falls due; the house is tidied by whoever keeps it, and whoever tells others
/// listens first.
async fn keep_up(shop: &Shop, lanes: &'static [Lane], mut shutdown: rocket::Shutdown) {
    let (mut tidied, mut heard, house) = (None::<i64>, None, lanes == Lane::HOUSE);
    loop {
        if lanes == Lane::OUT {
            listen(shop, &mut heard).await;
        }
        match Crew::new(shop, lanes, Turn::UntilNothingIsDue).work(&mut shutdown).await {
            Ok(0) => tokio::select! {
                () = &mut shutdown => return,
                () = shop.worker_woken(), if lanes == Lane::MONEY => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            },
            // These look at every row, or at a whole database.
            Ok(_) if house => give_back().await,
            Ok(_) => {}
            Err(e) => {
                log::error!("worker: {}", e.message());
                tokio::time::sleep(LOOK_EVERY * 4).await;
            }
        }
        let steady = shop.clock.steady();
        if house && tidied.is_none_or(|at| steady - at > HOUR) {
            let ran = tidied.replace(steady).map_or(0, |at| steady - at);
            if let Err(e) = tidy(shop, ran).await {
                log::error!("tidying: {}", e.message());
            }
            give_back().await;
        }
    }
}

/// Looks for what there is to tell, when something was committed since the last look.
async fn listen(shop: &Shop, heard: &mut Option<(u64, u64)>) {
    let commits = shop.db.commits();
    if *heard == Some(commits) {
        return;
    }
    *heard = Some(commits);
    if let Err(e) = collect(shop).await {
        log::error!("outbox: {}", e.message());
    }
}

/// Staff and buyers first, then other programs.
async fn collect(shop: &Shop) -> Result<()> {
    outbox::collect::collect(shop).await?;
    hooks::collect(shop).await
}

/// Runs the jobs that are due, each once, money first; answers with how many there were.
pub async fn run_due(shop: &Shop) -> Result<usize> {
    let mut count = 0;
    collect(shop).await?;
    for lanes in [Lane::MONEY, Lane::HOUSE, Lane::OUT] {
        count += Crew::new(shop, lanes, Turn::EachOnce).work(std::future::pending()).await?;
    }
    Ok(count)
}

#[derive(Clone, Copy, PartialEq)]
enum Turn {
    UntilNothingIsDue,
    EachOnce,
}

/// Those who work in some lanes. Each lane has hands of its own, and whoever has ended takes up the next job at once, so
/// that ten slow answers about one thing hold up nothing else.
struct Crew<'a> {
    shop: &'a Shop,
    lanes: &'static [Lane],
    turn: Turn,
    running: JoinSet<Result<()>>,
    hands: HashMap<tokio::task::Id, (JobId, Lane)>,
    /// Not to be taken up (again).
    taken: HashSet<JobId>,
}

type Ended = std::result::Result<(tokio::task::Id, Result<()>), tokio::task::JoinError>;

impl<'a> Crew<'a> {
    fn new(shop: &'a Shop, lanes: &'static [Lane], turn: Turn) -> Crew<'a> {
        Crew { shop, lanes, turn, running: JoinSet::new(), hands: HashMap::new(), taken: HashSet::new() }
    }

    /// Answers with how many jobs were run, once none is due and none is running. Told to stop, or unable to write down
    /// how a job ended, it takes up no more.
    async fn work(mut self, stop: impl Future<Output = ()>) -> Result<usize> {
        let money = self.lanes == Lane::MONEY;
        let groups = [Lane::MONEY, Lane::HOUSE, Lane::OUT];
        let group = groups.iter().position(|lanes| *lanes == self.lanes).unwrap_or_default();
        let _turn = self.shop.jobs_turn(group).await;
        let mut stop = std::pin::pin!(stop);
        let (mut count, mut goes_on, mut outcome) = (0, true, Ok(()));
        loop {
            if goes_on && outcome.is_ok() {
                match self.take_up().await {
                    Ok(taken) => count += taken,
                    Err(e) => outcome = Err(e),
                }
            }
            if self.running.is_empty() {
                return outcome.map(|()| count);
            }
            tokio::select! {
                () = &mut stop, if goes_on => goes_on = false,
                Some(ended) = self.running.join_next_with_id() => {
                    outcome = outcome.and(self.let_go(ended));
                    // Whoever ended with it is not looked after one by one.
                    while let Some(ended) = self.running.try_join_next_with_id() {
                        outcome = outcome.and(self.let_go(ended));
                    }
                }
                () = self.shop.worker_woken(), if money => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// As many due jobs of each lane as it has free hands for.
    async fn take_up(&mut self) -> Result<usize> {
        if self.lanes == Lane::MONEY {
            self.shop.note_look();
        }
        let (now, passed_over) = (self.shop.now(), self.taken.len());
        let busy = |lane| self.hands.values().filter(|(_, other)| *other == lane).count();
        let free: Vec<(Lane, usize)> = self.lanes.iter().map(|lane| (*lane, lane.width() - busy(*lane))).collect();
        let read = move |conn: &Connection| {
            let due = |lane, hands| jobs::store::due(conn, lane, now, (hands + passed_over) as i64);
            let free = free.into_iter().filter(|(_, hands)| *hands > 0);
            free.map(|(lane, hands)| Ok((hands, due(lane, hands)?))).collect::<Result<Vec<(usize, Vec<Job>)>>>()
        };
        let mut count = 0;
        for (hands, due) in self.shop.read(read).await? {
            let new = due.into_iter().filter(|job| !self.taken.contains(&job.id)).take(hands).collect::<Vec<_>>();
            count += new.len();
            new.into_iter().for_each(|job| self.begin(job));
        }
        Ok(count)
    }

    fn begin(&mut self, job: Job) {
        let (id, lane, shop) = (job.id, job.task.kind().lane(), self.shop.clone());
        let task = self.running.spawn(async move { run_one(&shop, job).await });
        self.hands.insert(task.id(), (id, lane));
        self.taken.insert(id);
    }

    fn let_go(&mut self, ended: Ended) -> Result<()> {
        let task = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(task, _)| *task);
        if let Some((job, _)) = self.hands.remove(&task)
            && self.turn == Turn::UntilNothingIsDue
        {
            self.taken.remove(&job);
        }
        match ended {
            Ok((_, written)) => written,
            // The job still waits, and is tried again after a pause.
            Err(e) => {
                log::error!("a job panicked: {e}");
                Err(Code::Internal.into())
            }
        }
    }
}

async fn run_one(shop: &Shop, job: Job) -> Result<()> {
    let ran = match job.task {
        Task::Poll(attempt) => check::poll(shop, attempt).await,
        Task::Prove(exception) => prove::ask(shop, exception).await,
        Task::Expire(order) => close::expire(shop, order).await,
        Task::Close(attempt) => close::follow(shop, attempt, job.created_at).await,
        Task::Complete(order) => complete(shop, order).await,
        Task::Register(order) => register::tell(shop, order).await,
        Task::Refund(refund) => send::advance(shop, refund).await,
        Task::Refunds(entry) => learn::told(shop, entry).await,
        Task::LookBack => since::look_back(shop).await,
        Task::Return(case) => aftersale::time::pass(shop, case).await,
        Task::Shelf(product) => shelve(shop, product).await,
        Task::Bill(day) => reconcile::matching::run(shop, day).await,
        Task::Bills => reconcile::round::schedule(shop).await,
        Task::SelfCheck => nightly(shop).await,
        Task::Backup => backups::make::nightly(shop).await,
        Task::Carriers => parcels::refresh::run(shop).await,
        Task::Repack => repack::go_on(shop).await,
        Task::Tell(letter) => outbox::buyers::tell(shop, letter).await,
        Task::Gather(channel) => outbox::staff::gather(shop, channel).await,
        Task::Deliver(delivery) => hooks::deliver(shop, delivery).await,
    };
    let ran = ran.unwrap_or_else(|e| Ran::Failed(e.message()));
    let spread = shop.nonces.below(2_000);
    shop.write_always(move |tx| Ok(jobs::ended(tx, &job, &ran, spread)?)).await
}

/// Pictures from before there were smaller widths get them; then every rule is checked against every row.
async fn nightly(shop: &Shop) -> Result<Ran> {
    if let Err(e) = media::complete(shop).await {
        log::error!("pictures: {}", e.message());
    }
    invariants::nightly(shop).await
}

/// An order that was confirmed, or is not on its way, is left as it is; one with a refund or a return under way waits for it.
async fn complete(shop: &Shop, order: OrderId) -> Result<Ran> {
    let what = format!("发货 {} 天后自动确认收货", RECEIVED_AFTER / DAY);
    let write = move |tx: &Tx| {
        if refunds::any_open(tx, order)? || returns::any_open(tx, order)? {
            return Ok(Ran::Again { at: tx.now() + DAY });
        }
        let on_its_way = orders::store::by_id(tx, order)?.filter(|order| order.status == OrderStatus::Shipped);
        let Some(shipped_at) = on_its_way.and_then(|order| order.shipped_at) else { return Ok(Ran::Done) };
        // Taken back and sent again, or once more for one that was lost: counted from the last parcel.
        // A parcel of a clock that ran ahead has no day that is known; this job has waited its time.
        let sent = [returns::last_resend(tx, order)?, Some(shipped_at)].into_iter().flatten();
        let due = sent.filter(|at| *at <= tx.now()).max().unwrap_or_default() + RECEIVED_AFTER;
        if tx.now() < due {
            return Ok(Ran::Again { at: due });
        }
        moves::complete(tx, order, &Who::system(), &what)?;
        Ok(Ran::Done)
    };
    shop.write(write).await
}

/// Its time has come, unless it was put off meanwhile. The log of what staff did says who put it there: nobody.
async fn shelve(shop: &Shop, product: ProductId) -> Result<Ran> {
    let write = move |tx: &Tx| {
        let Some(turned) = shelf::turn(tx, product)? else { return Ok(Ran::Done) };
        if let Some(on) = turned.on_shelf {
            let what = format!("到时自动{}商品「{}」", if on { "上架" } else { "下架" }, turned.name);
            staff::store::insert_audit(tx, None, "系统", "", &what)?;
        }
        Ok(turned.next.map_or(Ran::Done, |at| Ran::Again { at }))
    };
    shop.write(write).await
}

/// Beside the workers: it goes through all that was ever allocated.
async fn give_back() {
    let _ = tokio::task::spawn_blocking(memory::settle).await;
}

/// Forgets what has been out of date for two days of running, whatever the clock showed meanwhile: one that jumps and is
/// put right again destroys nothing. The program has run for `ran` milliseconds since the last time.
async fn tidy(shop: &Shop, ran: i64) -> Result<()> {
    let Some(past) = shop.write(move |tx| Ok(jobs::store::surely_past(tx, ran)?)).await? else { return Ok(()) };
    let write = move |tx: &Tx| {
        let tx = &tx.at(past);
        jobs::store::forget_done(tx, past - 7 * DAY)?;
        staff::store::forget_stale(tx)?;
        changes::forget(tx)?;
        outbox::store::forget(tx, tx.now() - 30 * DAY)?;
        drafts::store::forget(tx, tx.now() - 30 * DAY)?;
        photos::store::forget_loose(tx, past - DAY)?;
        programs::store::forget(tx, tx.now() - 30 * DAY)?;
        Ok(())
    };
    shop.write(write).await?;
    while forget_logins_and_keys(shop, past).await? {}
    Ok(())
}

/// Those that were out of date at that moment, some at a time; false when there were no more of them.
async fn forget_logins_and_keys(shop: &Shop, past: i64) -> Result<bool> {
    const SOME: usize = 2_000;
    let keys_until = past - prepay::KEY_LIFE;
    let look = move |conn: &Connection| {
        let keys = orders::store::keys_before(conn, keys_until, SOME as i64)?;
        Ok((buyers::store::stale(conn, past, SOME as i64)?, keys))
    };
    let (stale, keys) = shop.read_slowly(look).await?;
    let more = keys.len() == SOME || stale.iter().any(|found| found.len() == SOME);
    let write = move |tx: &Tx| {
        let tx = &tx.at(past);
        buyers::store::forget(tx, &stale)?;
        Ok(orders::store::forget_keys(tx, &keys, keys_until)?)
    };
    shop.write(write).await.map(|()| more)
}
