//! The worker: takes due jobs, runs them, and keeps house. A job that fails waits longer each time.

use std::time::Duration;

use crate::backups;
use crate::catalogue::shelf;
use crate::clock::{DAY, HOUR};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::ids::{OrderId, ProductId};
use crate::jobs::{self, Job, Lane, Ran, Task};
use crate::memory;
use crate::orders::{self, RECEIVED_AFTER, Who, moves};
use crate::payments::refund::{learn, send};
use crate::payments::{check, close, invariants, mend, prepay};
use crate::reconcile;
use crate::refunds::store as refunds;
use crate::settings::changes;
use crate::shipping::register;
use crate::shop::Shop;
use crate::staff;

/// Jobs run at the same time: enough that one slow answer of WeChat's holds up no one else.
const TOGETHER: usize = 8;
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
    let now = shop.now();
    let write = move |tx: &Tx| {
        for task in [Task::Bills, Task::SelfCheck, Task::Backup] {
            jobs::enqueue(tx, task, now, now)?;
        }
        check::ask_about_all(tx, now)
    };
    shop.db.write(write).await?;
    mend::mend(shop).await.map(|_| ())
}

async fn work(shop: Shop, shutdown: rocket::Shutdown) {
    if let Err(e) = seed(&shop).await {
        log::error!("worker: {}", e.message());
    }
    tokio::join!(keep_up(&shop, Lane::Money, shutdown.clone()), keep_up(&shop, Lane::House, shutdown));
}

/// Runs what is due in a lane, as it falls due; the house is tidied by whoever keeps it.
async fn keep_up(shop: &Shop, lane: Lane, mut shutdown: rocket::Shutdown) {
    let mut tidied = None;
    loop {
        match run_lane(shop, lane).await {
            Ok(0) => tokio::select! {
                () = &mut shutdown => return,
                () = shop.worker_woken(), if lane == Lane::Money => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            },
            // These look at every row, or at a whole database.
            Ok(_) if lane == Lane::House => give_back().await,
            Ok(_) => {}
            Err(e) => {
                log::error!("worker: {}", e.message());
                tokio::time::sleep(LOOK_EVERY * 4).await;
            }
        }
        let now = shop.now();
        if lane == Lane::House && tidied.is_none_or(|at| now - at > HOUR) {
            tidied = Some(now);
            if let Err(e) = tidy(shop, now).await {
                log::error!("tidying: {}", e.message());
            }
            give_back().await;
        }
    }
}

/// Runs the jobs that are due, a few at a time, money first; answers with how many there were.
pub async fn run_due(shop: &Shop) -> Result<usize> {
    let mut count = 0;
    for lane in Lane::ALL {
        count += run_lane(shop, lane).await?;
    }
    Ok(count)
}

async fn run_lane(shop: &Shop, lane: Lane) -> Result<usize> {
    let _turn = shop.jobs_turn(lane == Lane::Money).await;
    let now = shop.now();
    let due = shop.db.read(move |conn| Ok::<_, Error>(jobs::store::due(conn, lane, now, TOGETHER as i64)?)).await?;
    let mut running = tokio::task::JoinSet::new();
    for job in due {
        let shop = shop.clone();
        running.spawn(async move { run_one(&shop, job).await });
    }
    let mut count = 0;
    while let Some(ended) = running.join_next().await {
        count += 1;
        match ended {
            Ok(written) => written?,
            // A panic: the job still waits, and is tried again on the next look.
            Err(e) => {
                log::error!("a job panicked: {e}");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
    Ok(count)
}

async fn run_one(shop: &Shop, job: Job) -> Result<()> {
    let ran = match job.task {
        Task::Poll(attempt) => check::poll(shop, attempt).await,
        Task::Expire(order) => close::expire(shop, order).await,
        Task::Close(attempt) => close::follow(shop, attempt, job.created_at).await,
        Task::Complete(order) => complete(shop, order).await,
        Task::Register(order) => register::tell(shop, order).await,
        Task::Refund(refund) => send::advance(shop, refund).await,
        Task::Refunds(entry) => learn::all_of(shop, entry).await,
        Task::Shelf(product) => shelve(shop, product).await,
        Task::Bill(day) => reconcile::run(shop, day).await,
        Task::Bills => reconcile::schedule(shop).await,
        Task::SelfCheck => invariants::nightly(shop).await,
        Task::Backup => backups::nightly(shop).await,
    };
    let ran = ran.unwrap_or_else(|e| Ran::Failed(e.message()));
    let now = shop.now();
    let spread = shop.nonces.below(2_000);
    shop.db.write_always(move |tx| Ok::<_, Error>(jobs::ended(tx, &job, &ran, spread, now)?)).await
}

/// T13. An order that was confirmed, or is not on its way, is left as it is; one with a refund under way waits for it.
async fn complete(shop: &Shop, order: OrderId) -> Result<Ran> {
    let now = shop.now();
    let what = "发货 10 天后自动确认收货";
    let write = move |tx: &Tx| {
        if refunds::of_order(tx, order)?.iter().any(|r| r.refund.state.is_open()) {
            return Ok(Ran::Again { at: now + DAY });
        }
        let Some(shipped_at) = orders::store::by_id(tx, order)?.and_then(|order| order.shipped_at) else {
            return Ok(Ran::Done);
        };
        // Taken back and sent again: counted from the last parcel.
        let due = shipped_at + RECEIVED_AFTER;
        if now < due {
            return Ok(Ran::Again { at: due });
        }
        moves::complete(tx, order, &Who::system(), what, now)?;
        Ok::<_, Error>(Ran::Done)
    };
    shop.db.write(write).await
}

/// Its time has come, unless it was put off meanwhile. The log of what staff did says who put it there: nobody.
async fn shelve(shop: &Shop, product: ProductId) -> Result<Ran> {
    let now = shop.now();
    let write = move |tx: &Tx| {
        let Some(turned) = shelf::turn(tx, product, now)? else { return Ok(Ran::Done) };
        if let Some(on) = turned.on_shelf {
            let what = format!("到时自动{}商品「{}」", if on { "上架" } else { "下架" }, turned.name);
            staff::store::insert_audit(tx, None, "系统", "", &what, now)?;
        }
        Ok::<_, Error>(turned.next.map_or(Ran::Done, |at| Ran::Again { at }))
    };
    shop.db.write(write).await
}

/// Beside the workers: it goes through all that was ever allocated.
async fn give_back() {
    let _ = tokio::task::spawn_blocking(memory::give_back).await;
}

async fn tidy(shop: &Shop, now: i64) -> Result<()> {
    let write = move |tx: &Tx| {
        jobs::store::forget_done(tx, now - 7 * DAY)?;
        orders::store::forget_keys(tx, now - prepay::KEY_LIFE)?;
        staff::store::forget_stale(tx, now)?;
        changes::forget(tx, now)?;
        Ok::<_, Error>(())
    };
    shop.db.write(write).await
}
