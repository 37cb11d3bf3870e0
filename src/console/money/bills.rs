//! 对账: a calendar of days, each day's three-way match, and the month report.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::assets;
use crate::clock::{self, Day};
use crate::console::{Download, back, download, frame, xlsx};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::exceptions::store as exceptions;
use crate::jobs::{self, Task};
use crate::ledger::{DaySum, store as ledger};
use crate::money::yuan;
use crate::orders::margin;
use crate::reconcile::funds::Funds;
use crate::reconcile::parts::{self, Owed, Part};
use crate::reconcile::{self, BillState, Match, report, store};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role};

pub fn routes() -> Vec<Route> {
    routes![calendar, day, match_again, looked, month_report]
}

/// The last day of the month that `first` begins.
fn end_of_month(first: Day) -> Day {
    let mut last = first.plus(27);
    while last.plus(1).month() == first.month() {
        last = last.plus(1);
    }
    last
}

/// A month of sums and matches.
fn month(conn: &Connection, first: Day, last: Day) -> Result<(Vec<DaySum>, Vec<Match>)> {
    Ok((ledger::day_sums(conn, first, last)?, store::between(conn, first, last)?))
}

#[get("/money?<month>")]
async fn calendar(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    month: Option<&str>,
) -> Result<Template> {
    let today = Day::of(shop.now());
    let first = month.and_then(Day::first_of).or_else(|| Day::first_of(&today.month())).ok_or(Code::NotFound)?;
    let last = end_of_month(first);
    let (sums, matches) = shop.read(move |conn| self::month(conn, first, last)).await?;
    let billed = matches.iter().filter_map(Match::billed).map(|(received, _)| received);
    let most = sums.iter().map(|sum| sum.received_fen).chain(billed).max().unwrap_or(0);
    let days: Vec<Value> =
        (0..i64::from(last.of_month())).map(|n| cell(first.plus(n), most, &sums, &matches, today)).collect();
    let context = context! {
        frame: frame(shop, &staff.0, "money", flash).await?,
        tab: "calendar",
        month: first.month(), before: first.plus(-1).month(),
        after: (last < today).then(|| last.plus(1).month()),
        blanks: (0..first.weekday()).collect::<Vec<_>>(),
        days, total: sum_json(&DaySum::of(first, &sums)),
        rows: sums.iter().rev().map(|sum| {
            let found = matches.iter().find(|m| m.day == sum.day);
            let (state, bill) = (found.map(|m| m.state), found.and_then(Match::billed));
            json!({
                "sum": sum_json(sum), "day": sum.day.shown(), "mark": mark(state, true), "text": state.map_or("未对账", |s| s.text()),
                "bill": bill.map(|(received, _)| yuan(received)), "differs": bill.is_some_and(|(received, _)| received != sum.received_fen),
            })
        }).collect::<Vec<_>>(),
        yesterday: today.plus(-1).shown(),
        may_match: staff.0.role >= Role::Manager,
    };
    Ok(assets::page("console/money.html", context))
}

fn sum_json(sum: &DaySum) -> Value {
    json!({
        "payments": sum.payments, "received": yuan(sum.received_fen), "refunds": sum.refunds,
        "refunded": yuan(sum.refunded_fen), "fee": yuan(sum.fee_fen), "net": yuan(sum.net_fen()),
        "arrived": (sum.received_borne_fen != 0).then(|| yuan(sum.arrived_fen())),
        "left": (sum.refunded_borne_fen != 0).then(|| yuan(sum.left_fen())),
        "offline": (sum.offline_fen != 0).then(|| yuan(sum.offline_fen)),
    })
}

/// The sign of a day: its state, if it has one, and whether there was trade.
fn mark(state: Option<BillState>, trade: bool) -> &'static str {
    match state {
        Some(BillState::Equal) => "ok",
        Some(BillState::Differs) => "differs",
        Some(BillState::Failed) => "failed",
        Some(BillState::Empty) => "empty",
        Some(BillState::Waiting) => "waiting",
        None if trade => "waiting",
        None => "none",
    }
}

fn cell(day: Day, most: i64, sums: &[DaySum], matches: &[Match], today: Day) -> Value {
    let sum = sums.iter().find(|sum| sum.day == day);
    let found = matches.iter().find(|m| m.day == day);
    let state = found.map(|m| m.state);
    let high = |fen: i64| (fen * 100 / most.max(1)).min(100);
    json!({
        "bill": found.and_then(Match::billed).map(|(received, refunded)| json!({
            "received": yuan(received), "high": high(received), "low": high(refunded), "differs": state == Some(BillState::Differs),
        })),
        "day": day.shown(), "n": day.of_month(), "mark": mark(state, sum.is_some()), "today": day == today,
        "high": sum.map_or(0, |sum| high(sum.received_fen)),
        "net": sum.map(|sum| yuan(sum.net_fen())), "refunded": sum.filter(|sum| sum.refunds > 0).map(|sum| yuan(sum.refunded_fen)),
        "low": sum.map_or(0, |sum| high(sum.refunded_fen)),
        "heat": sum.map_or(0, |sum| (sum.received_fen * 4 + most - 1) / most.max(1)),
        "received": sum.filter(|sum| sum.payments > 0).map(|sum| yuan(sum.received_fen)),
        "text": state.map_or(if day >= today { "还没有账单" } else { "未对账" }, |s| s.text()),
        "future": day > today,
    })
}

#[get("/money/<day>")]
async fn day(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, day: &str) -> Result<Template> {
    let day: Day = day.parse().map_err(|_| Code::NotFound)?;
    let now = shop.now();
    let read = move |conn: &Connection| {
        let found = super::exceptions::with_refunds(conn, exceptions::of_day(conn, day)?)?;
        let beside =
            (jobs::store::waiting_for(conn, Task::Bill(day))?, store::unpaid(conn, day)?, store::funds_of(conn, day)?);
        let numbers = (parts::store::of_day(conn, day)?, parts::left(conn, day)?);
        Ok((
            ledger::day_sum(conn, day)?,
            store::of_day(conn, day)?,
            store::by_orders(conn, day)?,
            found,
            beside,
            numbers,
        ))
    };
    let (sum, found, orders, differences, (waiting, unpaid, funds), (parts, left)) = shop.read(read).await?;
    let (bill, settings) = (found.as_ref().filter(|m| m.billed().is_some()), shop.settings());
    let context = context! {
        frame: frame(shop, &staff.0, "money", flash).await?,
        tab: "calendar",
        day: day.shown(), month: day.month(), before: day.plus(-1).shown(), after: day.plus(1).shown(),
        sum: sum_json(&sum),
        inside: json!({ "n": orders.inside.0, "sum": yuan(orders.inside.1) }),
        beside: json!({ "n": orders.beside.0, "sum": yuan(orders.beside.1) }),
        bill: bill.map(|m| json!({
            "payments": m.payments, "received": yuan(m.received_fen), "refunds": m.refunds,
            "refunded": yuan(m.refunded_fen), "fee": yuan(m.fee_fen),
            "arrived": (m.received_borne_fen != 0).then(|| yuan(m.received_fen - m.received_borne_fen)),
            "left": (m.refunded_borne_fen != 0).then(|| yuan(m.refunded_fen - m.refunded_borne_fen)),
        })),
        bars: bill.map(|m| bars(&[("收款", sum.received_fen, m.received_fen), ("退款", sum.refunded_fen, m.refunded_fen)])),
        refunds_differ: bill.is_some_and(|m| m.refunded_fen != sum.refunded_fen + unpaid.under_way.1 + unpaid.given_up.1),
        unpaid: unpaid_text(&unpaid),
        funds: bill.and(funds.as_ref()).map(funds_json),
        others: bill.and_then(Match::others_text),
        numbers: numbers_text(&parts, &left),
        left: left.iter().map(|owed| owed.mch_id.as_str()).filter(|number| settings.get("wechat.mch_id") != Some(number)).collect::<Vec<_>>(),
        state: found.as_ref().map(|m| json!({
            "mark": mark(Some(m.state), true), "text": m.state.text(), "problem": m.problem, "at": clock::shown(m.checked_at),
        })),
        differences: differences.iter().map(|(e, refund)| super::exceptions::Shown::of(e, refund.as_ref(), now)).collect::<Vec<_>>(),
        running: waiting.is_some_and(|at| at <= now),
        waits_until: waiting.filter(|at| *at > now).map(clock::shown),
        out: now >= reconcile::out_at(day), out_at: clock::shown(reconcile::out_at(day)),
        too_old: day < Day::of(now).plus(-reconcile::KEPT_DAYS),
        may_match: staff.0.role >= Role::Manager,
    };
    Ok(assets::page("console/money_day.html", context))
}

/// What the shop's own ledger and WeChat's bill say of a day, as bars of 100 side by side; what one has more stands out.
fn bars(pairs: &[(&str, i64, i64)]) -> Vec<Value> {
    let most = pairs.iter().flat_map(|(_, ours, theirs)| [*ours, *theirs]).max().unwrap_or(0).max(1);
    let side = |fen: i64, other: i64| {
        let (long, both) = (fen * 100 / most, fen.min(other) * 100 / most);
        json!({ "yuan": yuan(fen), "long": long, "both": both, "more": (long - both).max(i64::from(fen > other)) })
    };
    let pair = |(what, ours, theirs): &(&str, i64, i64)| json!({ "what": what, "ours": side(*ours, *theirs), "theirs": side(*theirs, *ours) });
    pairs.iter().filter(|(_, ours, theirs)| ours + theirs > 0).map(pair).collect()
}

/// The row of the fund flow, or why there is none.
fn funds_json(funds: &Funds) -> Value {
    let (flow, moved) = (&funds.flow, &funds.flow.moved);
    let some = |fen: i64, what: &str| (fen != 0).then(|| format!("{what} ¥{}", yuan(fen)));
    let beside =
        [some(flow.withdrawn, "提现"), some(flow.returned, "退款退回"), some(flow.other, "充值、再次退款及其他")];
    json!({
        "problem": funds.problem, "whole": funds.is_comparable(),
        "arrived": yuan(moved.arrived), "left": yuan(moved.left), "fee": yuan(moved.fee),
        "differs": [moved.arrived != funds.billed.arrived, moved.left != funds.billed.left, moved.fee != funds.billed.fee],
        "balance": flow.balance.map(|(opening, closing)| format!("¥{} → ¥{}", yuan(opening), yuan(closing))),
        "beside": beside.into_iter().flatten().collect::<Vec<_>>().join("，"),
    })
}

/// Where a day has more than one merchant number, how far each has come.
fn numbers_text(parts: &[Part], left: &[Owed]) -> Option<String> {
    let how = |part: &Part| match &part.looked_by {
        Some(who) => format!("由{who}在商户平台核对过"),
        None => "已核对".to_owned(),
    };
    let matched = parts.iter().filter(|part| part.state.is_matched()).map(|part| (&part.mch_id, how(part)));
    let each = matched.chain(left.iter().map(|owed| (&owed.mch_id, "还没有核对".to_owned())));
    let each: Vec<String> = each.map(|(number, how)| format!("商户号 {number} {how}")).collect();
    (each.len() > 1).then(|| each.join("，"))
}

/// Refunds of the bill for which no money has left, in one line.
fn unpaid_text(unpaid: &store::Unpaid) -> Option<String> {
    let part = |(n, fen): (i64, i64), what: &str| (n > 0).then(|| format!("{what} {n} 笔 ¥{}", yuan(fen)));
    let parts: Vec<String> =
        [part(unpaid.under_way, "还没到账的退款"), part(unpaid.given_up, "微信没有退成、钱还在商户账户的退款")]
            .into_iter()
            .flatten()
            .collect();
    (!parts.is_empty()).then(|| parts.join("，"))
}

/// Downloads the bill and matches it again, now.
#[post("/money/<day>/match")]
async fn match_again(shop: &State<Shop>, staff: Manager, day: &str) -> Result<Flash<Redirect>> {
    let day: Day = day.parse().map_err(|_| Code::NotFound)?;
    let write = move |tx: &Tx| {
        if tx.now() < reconcile::out_at(day) {
            let words = format!("{} 的账单要到 {} 以后才能下载", day.shown(), clock::shown(reconcile::out_at(day)));
            return Err(Error::from(Code::OrderState).says(words));
        }
        jobs::enqueue(tx, Task::Bill(day), tx.now())?;
        Ok(audit(tx, &staff.0, &format!("下载 {} 的账单并对账", day.shown()))?)
    };
    let done = shop.write(write).await;
    shop.wake_worker();
    Ok(back(format!("/admin/money/{}", day.shown()), done.map(|()| "正在下载账单并对账，页面会自动刷新")))
}

#[derive(FromForm)]
struct Looked {
    number: String,
}

/// The bill of a number that is gone for good cannot be fetched: somebody has looked in WeChat's console.
#[post("/money/<day>/looked", data = "<form>")]
async fn looked(shop: &State<Shop>, staff: Manager, day: &str, form: Form<Looked>) -> Result<Flash<Redirect>> {
    let day: Day = day.parse().map_err(|_| Code::NotFound)?;
    let (now, number) = (shop.settings().get("wechat.mch_id").map(str::to_owned), form.into_inner().number);
    let write = move |tx: &Tx| {
        parts::looked(tx, day, &number, now.as_deref(), &staff.0.name)?;
        Ok(audit(tx, &staff.0, &format!("{} 商户号 {number} 的账单已在商户平台核对", day.shown()))?)
    };
    let done = shop.write(write).await;
    Ok(back(format!("/admin/money/{}", day.shown()), done.map(|()| "已登记")))
}

#[get("/money/<month>/report.xlsx")]
async fn month_report(shop: &State<Shop>, _staff: Manager, month: &str) -> Result<Download> {
    let first = Day::first_of(month).ok_or(Code::NotFound)?;
    let last = end_of_month(first);
    let read = move |conn: &Connection| {
        let (sums, matches) = self::month(conn, first, last)?;
        Ok((sums, matches, store::movements(conn, first, last)?, margin::by_day(conn, first, last)?))
    };
    let (sums, matches, movements, margins) = shop.read_slowly(read).await?;
    let made = tokio::task::spawn_blocking(move || report::month(&sums, &matches, &movements, &margins)).await;
    let bytes = made.map_err(|_| Code::Internal)?.map_err(|e| {
        log::error!("month report: {e}");
        Error::from(Code::Internal).says("月报没有做出来，请稍后再试")
    })?;
    Ok(download(xlsx(), &format!("xiaopu-{}.xlsx", first.month()), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_has_more_stands_out_however_little_it_is() {
        let shown = bars(&[("收款", 100_000, 100_001), ("退款", 0, 0)]);
        assert_eq!(shown.len(), 1, "no refunds on either side");
        assert_eq!((&shown[0]["ours"]["more"], &shown[0]["theirs"]["more"]), (&json!(0), &json!(1)));
    }
}
