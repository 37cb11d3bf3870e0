//! The jobs page: what must still happen, what went wrong with it, and a button to try it now.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::catalogue::store as products;
use crate::clock::{self, Day};
use crate::console::{Frame, back, framed, waiting};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{AttemptId, JobId, LedgerId, OrderId, ProductId, RefundId};
use crate::jobs::store::{self, Listed};
use crate::jobs::{Kind, State as JobState};
use crate::ledger::store as ledger;
use crate::orders::store as orders;
use crate::orders::{Order, OrderStatus};
use crate::payments::store as payments;
use crate::refunds::store as refunds;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role};

pub fn routes() -> Vec<Route> {
    routes![page, run_now]
}

const SHOWN: i64 = 200;
/// What runs within this time is going on, as people see it.
const SOON: i64 = clock::HOUR;

/// What must still happen, or what happened last.
#[derive(Serialize)]
struct JobsPage {
    frame: Frame,
    tab: &'static str,
    done: bool,
    groups: Vec<Group>,
    waiting: i64,
    stuck: i64,
    axis: Vec<Stretch>,
    /// The interfaces of WeChat's that are left alone for a while.
    paused: String,
}

/// Jobs under one heading.
#[derive(Serialize)]
struct Group {
    title: &'static str,
    /// Behind their number; the first of them is due then.
    folded: bool,
    first: Option<String>,
    /// So many of those behind the number went wrong the last time.
    failing: usize,
    rows: Vec<JobShown>,
}

impl Group {
    fn open(title: &'static str, rows: Vec<JobShown>) -> Group {
        Group { title, folded: false, first: None, failing: 0, rows }
    }

    fn folded(title: &'static str, rows: Vec<JobShown>) -> Group {
        let first = rows.first().and_then(|row| row.next.clone());
        let failing = rows.iter().filter(|row| !row.error.is_empty()).count();
        Group { title, folded: true, first, failing, rows }
    }
}

/// A stretch of the axis of time: how many jobs, and how high they stand of 100.
#[derive(Serialize)]
struct Stretch {
    name: &'static str,
    n: i64,
    high: i64,
    lane: &'static str,
}

#[derive(Serialize)]
struct JobShown {
    id: JobId,
    kind: &'static str,
    subject: String,
    /// Where its subject is shown, to whom it may be.
    link: Option<String>,
    stuck: bool,
    /// It will find nothing left to do.
    idle: bool,
    state_text: &'static str,
    next: Option<String>,
    late: bool,
    tries: i64,
    error: String,
    updated: String,
    may_run: bool,
}

#[get("/jobs?<tab>")]
async fn page(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    tab: Option<&str>,
) -> Result<Template> {
    let (done, now, role) = (tab == Some("done"), shop.now(), staff.0.role);
    let read = move |conn: &Connection| {
        let jobs = if done { store::done(conn, SHOWN)? } else { store::open(conn, SHOWN)? };
        let rows = jobs.iter().map(|job| shown(conn, job, role, now)).collect::<Result<Vec<JobShown>>>()?;
        let groups = if done { vec![Group::open("", rows)] } else { groups(&jobs, rows, now) };
        let ends: Vec<i64> = AHEAD.iter().map(|(ahead, _)| now + ahead).collect();
        Ok((groups, store::counts(conn)?, store::due_until(conn, &ends)?, waiting(conn)?))
    };
    let (groups, (waiting, stuck), due, waits) = shop.read(read).await?;
    let page = JobsPage {
        frame: framed(shop, &staff.0, "system", flash, waits),
        tab: "jobs",
        done,
        groups,
        waiting,
        stuck,
        axis: axis(stuck, &due),
        paused: shop.wechat.paused().join("、"),
    };
    Ok(assets::page("console/jobs.html", page))
}

/// The stretches of the time axis: how far ahead each of them reaches, and what it is called. The last has no end.
const AHEAD: [(i64, &str); 6] = [
    (0, "到点了"),
    (clock::HOUR, "1 小时内"),
    (6 * clock::HOUR, "6 小时内"),
    (clock::DAY, "一天内"),
    (3 * clock::DAY, "三天内"),
    (7 * clock::DAY, "七天内"),
];

/// Jobs on the axis of time, those that nobody will try again before all others: numbers, and how high each stands of 100.
fn axis(stuck: i64, due: &[i64]) -> Vec<Stretch> {
    let most = due.iter().copied().chain([stuck]).max().unwrap_or(0);
    let digits = |n: i64| i64::from(i64::BITS - n.leading_zeros());
    // Ten thousand orders that complete themselves in a week must not hide the one refund of this hour.
    let high = |n: i64| if n == 0 { 0 } else { 12 + 88 * digits(n) / digits(most) };
    let names = AHEAD.iter().map(|(_, name)| *name).chain(["以后"]);
    let waiting = due.iter().zip(names).map(|(n, name)| (name, *n, ""));
    [("等人处理", stuck, "late")]
        .into_iter()
        .chain(waiting)
        .map(|(name, n, lane)| Stretch { name, n, high: high(n).min(100), lane })
        .collect()
}

/// So many of a kind are looked at one by one; more are folded away behind their number.
const FEW: usize = 4;

/// Jobs of one kind, as they come.
type ByKind = Vec<(Kind, Vec<JobShown>)>;

fn put(kinds: &mut ByKind, kind: Kind, row: JobShown) {
    match kinds.iter_mut().find(|(known, _)| *known == kind) {
        Some((_, rows)) => rows.push(row),
        None => kinds.push((kind, vec![row])),
    }
}

/// What needs a person, what is going on, what comes later by its kind, and what will find nothing left to do.
fn groups(jobs: &[Listed], rows: Vec<JobShown>, now: i64) -> Vec<Group> {
    let (mut stuck, mut soon, mut later, mut idle) = (Vec::new(), ByKind::new(), ByKind::new(), Vec::new());
    for (job, row) in jobs.iter().zip(rows) {
        if job.state == JobState::NeedsPerson {
            stuck.push(row);
        } else if row.idle {
            idle.push(row);
        } else if job.tries > 0 || job.run_at < now + SOON {
            put(&mut soon, job.kind, row);
        } else {
            put(&mut later, job.kind, row);
        }
    }
    let (few, many): (ByKind, ByKind) = soon.into_iter().partition(|(_, rows)| rows.len() <= FEW);
    let few = few.into_iter().flat_map(|(_, rows)| rows).collect();
    let of_kind = |(kind, rows): (Kind, Vec<JobShown>)| Group::folded(kind.text(), rows);
    let mut groups = vec![Group::open("需人工处理", stuck), Group::open("正在做、快要做", few)];
    groups.extend(many.into_iter().chain(later).map(of_kind));
    groups.push(Group::folded("不用再做的：订单已付款或已关闭", idle));
    groups.retain(|group| !group.rows.is_empty());
    groups
}

fn shown(conn: &Connection, job: &Listed, role: Role, now: i64) -> Result<JobShown> {
    let (subject, link) = subject(conn, job)?;
    let of_owner = matches!(job.kind, Kind::Backup | Kind::Deliver);
    let (waits, stuck) = (job.state == JobState::Waiting, job.state == JobState::NeedsPerson);
    // An order that is not waiting for money any more is left alone when its time is up.
    let unpaid = |order: Order| order.status == OrderStatus::PendingPayment;
    let idle = job.kind == Kind::Expire && !orders::by_id(conn, OrderId(job.subject))?.is_some_and(unpaid);
    Ok(JobShown {
        id: job.id,
        kind: job.kind.text(),
        subject,
        link: link.filter(|_| !of_owner || role == Role::Owner),
        stuck,
        idle,
        state_text: job.state.text(),
        next: waits.then(|| clock::shown(job.run_at)),
        late: is_late(job, now),
        tries: job.tries,
        error: job.last_error.clone(),
        updated: clock::shown(job.updated_at),
        may_run: role >= Role::Manager && may_be_hurried(job, now),
    })
}

fn is_late(job: &Listed, now: i64) -> bool {
    job.state == JobState::Waiting && job.run_at < now - clock::MINUTE
}

/// Pages and the act ask this one function: what goes its way is not hurried.
fn may_be_hurried(job: &Listed, now: i64) -> bool {
    match job.state {
        JobState::NeedsPerson => true,
        JobState::Waiting => job.tries > 0 || is_late(job, now),
        JobState::Done => false,
    }
}

/// What a job is about, in words, and where that is shown.
fn subject(conn: &Connection, job: &Listed) -> Result<(String, Option<String>)> {
    let order = |id: OrderId| -> Result<Option<String>> {
        Ok(orders::by_id(conn, id)?.map(|order| order.order_no.to_string()))
    };
    let of_order = |no: Option<String>, words: String| (words, no.map(|no| format!("/admin/orders/{no}")));
    Ok(match job.kind {
        Kind::Poll | Kind::Close => match payments::attempt(conn, AttemptId(job.subject))? {
            Some(attempt) => of_order(order(attempt.order_id)?, format!("支付单 {}", attempt.out_trade_no)),
            None => (format!("支付单 #{}", job.subject), None),
        },
        Kind::Expire | Kind::Complete | Kind::Register => {
            let no = order(OrderId(job.subject))?;
            let words = format!("订单 {}", no.clone().unwrap_or_default());
            of_order(no, words)
        }
        Kind::Refund => match refunds::by_id(conn, RefundId(job.subject))? {
            Some(refund) => {
                let number = refund.out_refund_no;
                (format!("退款 {number}"), Some(format!("/admin/refunds/{number}")))
            }
            None => (format!("退款 #{}", job.subject), None),
        },
        Kind::Refunds => match ledger::payment_by_id(conn, LedgerId(job.subject))? {
            Some(entered) => {
                let no = entered.order_id.map(order).transpose()?.flatten();
                of_order(no, format!("微信交易 {}", entered.transaction_id))
            }
            None => (format!("付款 #{}", job.subject), None),
        },
        Kind::Prove => ("有人通知的一笔款".into(), Some("/admin/exceptions".into())),
        Kind::LookBack => ("恢复之前付了款、还没发完的订单".into(), Some("/admin/orders?tab=to_ship".into())),
        Kind::Return => (format!("退换货 #{}", job.subject), Some(format!("/admin/returns/{}", job.subject))),
        Kind::Shelf => match products::product(conn, ProductId(job.subject))? {
            Some(product) => (format!("商品「{}」", product.name), Some(format!("/admin/products/{}", product.id))),
            None => (format!("商品 #{}", job.subject), None),
        },
        Kind::Bill => match Day::from_number(job.subject) {
            Some(day) => (format!("{} 的账单", day.shown()), Some(format!("/admin/money/{}", day.shown()))),
            None => (format!("账单 {}", job.subject), None),
        },
        Kind::Bills => ("每天 10:05".into(), Some("/admin/money".into())),
        Kind::SelfCheck => ("每天 04:10".into(), Some("/admin/diagnostics".into())),
        Kind::Backup => ("每天 04:20".into(), Some("/admin/backups".into())),
        Kind::Carriers => ("每周一次".into(), Some("/admin/shipping".into())),
        Kind::Repack => ("升级前的消息".into(), Some("/admin/transactions".into())),
        Kind::Deliver => ("推送".into(), Some("/admin/programs".into())),
        Kind::Tell | Kind::Gather => ("通知".into(), Some("/admin/notices".into())),
    })
}

#[post("/jobs/<id>/run")]
async fn run_now(shop: &State<Shop>, staff: Manager, id: &str) -> Result<Flash<Redirect>> {
    let id: JobId = id.parse().map_err(|_| Code::NotFound)?;
    let write = move |tx: &Tx| {
        let job = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        if !may_be_hurried(&job, tx.now()) {
            let done = job.state == JobState::Done;
            let words = if done { "这个任务已经完成了" } else { "这个任务到点会自己做，不用催" };
            return Err(Error::from(Code::OrderState).says(words));
        }
        store::run_now(tx, id)?;
        Ok(audit(tx, &staff.0, &format!("立即重试任务 {id}"))?)
    };
    let done = shop.write(write).await;
    shop.wake_worker();
    Ok(back("/admin/jobs", done.map(|()| "已安排立即执行，刷新页面看结果")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(stuck: bool) -> JobShown {
        JobShown {
            id: JobId(1),
            kind: "退款",
            subject: "退款 R261008131540ABCDEFGH01".into(),
            link: stuck.then(|| "/admin/refunds/R1".into()),
            stuck,
            idle: false,
            state_text: "等待",
            next: (!stuck).then(|| "2026-10-08 13:15:40".into()),
            late: !stuck,
            tries: 3,
            error: "NOTENOUGH".into(),
            updated: "2026-10-08 13:15:40".into(),
            may_run: stuck,
        }
    }

    #[test]
    fn many_of_a_kind_are_one_line_and_what_is_done_already_stands_last() {
        let job = |kind, tries| Listed {
            id: JobId(1),
            kind,
            subject: 1,
            state: JobState::Waiting,
            run_at: 0,
            tries,
            last_error: String::new(),
            updated_at: 0,
        };
        let jobs =
            [vec![job(Kind::Expire, 0)], vec![job(Kind::Poll, 0)], (0..9).map(|_| job(Kind::Deliver, 1)).collect()]
                .concat();
        let said = |failed: bool| if failed { "超时".to_owned() } else { String::new() };
        let rows = (0..jobs.len()).map(|n| JobShown { idle: n == 0, error: said(n == 5), ..row(false) });
        let shown = groups(&jobs, rows.collect(), 0);
        let seen: Vec<_> = shown.iter().map(|group| (group.title, group.failing, group.rows.len())).collect();
        assert_eq!(
            seen,
            [("正在做、快要做", 0, 1), ("推送给别的程序", 1, 9), ("不用再做的：订单已付款或已关闭", 0, 1)]
        );
    }

    #[test]
    fn a_single_job_is_seen_beside_thousands() {
        let shown = axis(1, &[0, 1, 0, 0, 0, 0, 30_000]);
        assert_eq!(shown.iter().map(|one| one.n).collect::<Vec<_>>(), [1, 0, 1, 0, 0, 0, 0, 30_000]);
        assert_eq!(shown.iter().map(|one| one.high).collect::<Vec<_>>(), [17, 0, 17, 0, 0, 0, 0, 100]);
        assert_eq!((shown[0].name, shown[7].name), ("等人处理", "以后"));
        assert!(axis(0, &[0; 7]).iter().all(|one| one.high == 0));
    }

    #[test]
    fn the_page_of_jobs_asks_for_nothing_that_it_is_not_given() {
        let folded = Group::folded("完成订单", vec![row(false), JobShown { error: String::new(), ..row(false) }]);
        let open = vec![Group::open("需人工处理", vec![row(true)]), folded];
        for (done, groups, words) in [
            (false, open, "1 个上次没有成"),
            (true, vec![Group::open("", vec![row(false)])], "看未完成的"),
            (false, Vec::new(), "没有任务"),
        ] {
            let full = !groups.is_empty();
            let page = JobsPage {
                frame: Frame::sample(Role::Manager),
                tab: "jobs",
                done,
                groups,
                waiting: i64::from(full),
                stuck: i64::from(full),
                axis: axis(1, &[0, 1, 0, 0, 0, 0, 30_000]),
                paused: if full { "refund".into() } else { String::new() },
            };
            let html = assets::strictly("console/jobs.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
    }
}
