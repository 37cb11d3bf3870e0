//! The jobs page: what must still happen, what went wrong with it, and a button to try it now.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::assets;
use crate::catalogue::store as products;
use crate::clock::{self, Day};
use crate::console::{back, frame};
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

#[get("/jobs?<tab>")]
async fn page(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    tab: Option<&str>,
) -> Result<Template> {
    let done = tab == Some("done");
    let now = shop.now();
    let read = move |conn: &Connection| {
        let jobs = if done { store::done(conn, SHOWN)? } else { store::open(conn, SHOWN)? };
        let rows = jobs.iter().map(|job| shown(conn, job, now)).collect::<Result<Vec<Value>>>()?;
        let groups = if done { vec![group("", rows)] } else { groups(&jobs, rows, now) };
        let ends: Vec<i64> = AHEAD.iter().map(|(ahead, _)| now + ahead).collect();
        Ok((groups, store::counts(conn)?, store::due_until(conn, &ends)?))
    };
    let (groups, (waiting, stuck), due) = shop.read(read).await?;
    let context = context! {
        frame: frame(shop, &staff.0, "system", flash).await?,
        tab: "jobs", done, groups, waiting, stuck, axis: axis(stuck, &due), paused: shop.wechat.paused().join("、"),
        may_run: staff.0.role >= Role::Manager,
    };
    Ok(assets::page("console/jobs.html", context))
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
fn axis(stuck: i64, due: &[i64]) -> Vec<Value> {
    let most = due.iter().copied().chain([stuck]).max().unwrap_or(0);
    let digits = |n: i64| i64::from(i64::BITS - n.leading_zeros());
    // Ten thousand orders that complete themselves in a week must not hide the one refund of this hour.
    let high = |n: i64| if n == 0 { 0 } else { 12 + 88 * digits(n) / digits(most) };
    let names = AHEAD.iter().map(|(_, name)| *name).chain(["以后"]);
    let waiting = due.iter().zip(names).map(|(n, name)| (name, *n, ""));
    [("等人处理", stuck, "late")]
        .into_iter()
        .chain(waiting)
        .map(|(name, n, lane)| json!({ "name": name, "n": n, "high": high(n).min(100), "lane": lane }))
        .collect()
}

fn group(title: &str, rows: Vec<Value>) -> Value {
    json!({ "title": title, "rows": rows })
}

/// So many of a kind are looked at one by one; more are folded away behind their number.
const FEW: usize = 4;

/// Jobs of one kind, as they come.
type ByKind = Vec<(Kind, Vec<Value>)>;

fn put(kinds: &mut ByKind, kind: Kind, row: Value) {
    match kinds.iter_mut().find(|(known, _)| *known == kind) {
        Some((_, rows)) => rows.push(row),
        None => kinds.push((kind, vec![row])),
    }
}

/// What needs a person, what is going on, what comes later by its kind, and what will find nothing left to do.
fn groups(jobs: &[Listed], rows: Vec<Value>, now: i64) -> Vec<Value> {
    let (mut stuck, mut soon, mut later, mut idle) = (Vec::new(), ByKind::new(), ByKind::new(), Vec::new());
    for (job, row) in jobs.iter().zip(rows) {
        if job.state == JobState::NeedsPerson {
            stuck.push(row);
        } else if row["idle"] == true {
            idle.push(row);
        } else if job.tries > 0 || job.run_at < now + SOON {
            put(&mut soon, job.kind, row);
        } else {
            put(&mut later, job.kind, row);
        }
    }
    let (few, many): (ByKind, ByKind) = soon.into_iter().partition(|(_, rows)| rows.len() <= FEW);
    let few = few.into_iter().flat_map(|(_, rows)| rows).collect();
    let mut groups = vec![group("需人工处理", stuck), group("正在做、快要做", few)];
    groups.retain(|group| group["rows"].as_array().is_some_and(|rows| !rows.is_empty()));
    let of_kind = |(kind, rows): (Kind, Vec<Value>)| folded(kind.text(), rows);
    groups.extend(many.into_iter().chain(later).map(of_kind));
    if !idle.is_empty() {
        groups.push(folded("不用再做的：订单已付款或已关闭", idle));
    }
    groups
}

fn folded(title: &str, rows: Vec<Value>) -> Value {
    let mut group = group(title, rows);
    group["first"] = group["rows"][0]["next"].clone();
    group["failing"] =
        group["rows"].as_array().map_or(0, |rows| rows.iter().filter(|row| row["error"] != "").count()).into();
    group["folded"] = true.into();
    group
}

fn shown(conn: &Connection, job: &Listed, now: i64) -> Result<Value> {
    let (subject, link) = subject(conn, job)?;
    let of_owner = matches!(job.kind, Kind::Backup | Kind::Deliver);
    // An order that is not waiting for money any more is left alone when its time is up.
    let waits = |order: Order| order.status == OrderStatus::PendingPayment;
    let idle = job.kind == Kind::Expire && !orders::by_id(conn, OrderId(job.subject))?.is_some_and(waits);
    Ok(json!({
        "id": job.id, "kind": job.kind.text(), "subject": subject, "link": link, "of_owner": of_owner, "state": job.state,
        "state_text": job.state.text(), "next": (job.state == JobState::Waiting).then(|| clock::shown(job.run_at)),
        "late": job.state == JobState::Waiting && job.run_at < now - clock::MINUTE, "tries": job.tries,
        "error": job.last_error, "idle": idle, "updated": clock::shown(job.updated_at),
    }))
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
        if !store::run_now(tx, id)? {
            return Err(Error::from(Code::OrderState).says("这个任务已经完成了"));
        }
        Ok(audit(tx, &staff.0, &format!("立即重试任务 {id}"))?)
    };
    let done = shop.write(write).await;
    shop.wake_worker();
    Ok(back("/admin/jobs", done.map(|()| "已安排立即执行，刷新页面看结果")))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let rows = (0..jobs.len())
            .map(|n| json!({ "idle": n == 0, "next": "10:00", "error": if n == 5 { "超时" } else { "" } }));
        let shown = groups(&jobs, rows.collect(), 0);
        let of = |key: &str| shown.iter().map(|group| group[key].clone()).collect::<Vec<_>>();
        assert_eq!(of("title"), ["正在做、快要做", "推送给别的程序", "不用再做的：订单已付款或已关闭"]);
        assert_eq!(of("failing"), [json!(null), json!(1), json!(0)]);
        assert_eq!(shown.iter().map(|group| group["rows"].as_array().unwrap().len()).collect::<Vec<_>>(), [1, 9, 1]);
    }

    #[test]
    fn a_single_job_is_seen_beside_thousands() {
        let shown = axis(1, &[0, 1, 0, 0, 0, 0, 30_000]);
        let of = |key: &str| shown.iter().map(|one| one[key].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!(of("n"), [1, 0, 1, 0, 0, 0, 0, 30_000]);
        assert_eq!(of("high"), [17, 0, 17, 0, 0, 0, 0, 100]);
        assert_eq!((&shown[0]["name"], &shown[7]["name"]), (&json!("等人处理"), &json!("以后")));
        assert!(axis(0, &[0; 7]).iter().all(|one| one["high"] == 0));
    }
}
