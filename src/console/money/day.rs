//! One day of 对账: what orders, our books, the bill and the fund flow say of it, and what differs.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use super::calendar::{SumShown, mark};
use super::exceptions::{Shown, look_of, with_refunds};
use crate::assets;
use crate::clock::{self, Day};
use crate::console::{self, Frame, Waiting, back, framed};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::exceptions::{Exception, Look, store as exceptions};
use crate::jobs::{self, Task};
use crate::ledger::{DaySum, store as ledger};
use crate::money::yuan;
use crate::reconcile::funds::Funds;
use crate::reconcile::parts::{self, Owed, Part};
use crate::reconcile::store::Unpaid;
use crate::reconcile::{self, ByOrders, Match, matching, store};
use crate::refunds::Refund;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role};

pub fn routes() -> Vec<Route> {
    routes![page, match_again, looked]
}

/// What one read of the database knows of a day.
struct Seen {
    day: Day,
    sum: DaySum,
    found: Option<Match>,
    orders: ByOrders,
    differences: Vec<(Exception, Option<Refund>)>,
    /// When its bill is fetched next.
    fetched_at: Option<i64>,
    unpaid: Unpaid,
    funds: Option<Funds>,
    parts: Vec<Part>,
    left: Vec<Owed>,
    waiting: Waiting,
}

impl Seen {
    fn read(conn: &Connection, day: Day) -> Result<Seen> {
        Ok(Seen {
            day,
            sum: ledger::day_sum(conn, day)?,
            found: store::of_day(conn, day)?,
            orders: store::by_orders(conn, day)?,
            differences: with_refunds(conn, exceptions::of_day(conn, day)?)?,
            fetched_at: jobs::store::waiting_for(conn, Task::Bill(day))?,
            unpaid: store::unpaid(conn, day)?,
            funds: store::funds_of(conn, day)?,
            parts: parts::store::of_day(conn, day)?,
            left: parts::day::left(conn, day)?,
            waiting: console::waiting(conn)?,
        })
    }
}

/// Everything that the page shows.
#[derive(Serialize)]
struct DayPage {
    frame: Frame,
    tab: &'static str,
    day: String,
    month: String,
    before: String,
    after: String,
    sum: SumShown,
    /// Payments of orders, and those that are of none.
    inside: CountShown,
    beside: CountShown,
    bill: Option<BillShown>,
    bars: Option<Vec<PairShown>>,
    refunds_differ: bool,
    /// Refunds of the bill for which no money has left, in one line.
    unpaid: Option<String>,
    funds: Option<FundsShown>,
    others: Option<String>,
    /// How far each has come, where there are several.
    numbers: Option<String>,
    /// Of these, those of before that nobody has looked at.
    left: Vec<String>,
    state: Option<StateShown>,
    differences: Vec<Shown>,
    running: bool,
    waits_until: Option<String>,
    /// Whether the bill can be asked for by now, and when.
    out: bool,
    out_at: String,
    too_old: bool,
    may_match: bool,
}

#[derive(Serialize)]
struct CountShown {
    n: i64,
    sum: String,
}

impl From<(i64, i64)> for CountShown {
    fn from((n, fen): (i64, i64)) -> CountShown {
        CountShown { n, sum: yuan(fen) }
    }
}

#[derive(Serialize)]
struct BillShown {
    payments: i64,
    received: String,
    refunds: i64,
    refunded: String,
    fee: String,
    net: String,
    arrived: Option<String>,
    left: Option<String>,
}

impl From<&Match> for BillShown {
    fn from(found: &Match) -> BillShown {
        let (received, refunded) = (found.received_fen, found.refunded_fen);
        let (arrived, left) = (received - found.received_borne_fen, refunded - found.refunded_borne_fen);
        BillShown {
            payments: found.payments,
            received: yuan(received),
            refunds: found.refunds,
            refunded: yuan(refunded),
            fee: yuan(found.fee_fen),
            net: yuan(arrived - left - found.fee_fen),
            arrived: (found.received_borne_fen != 0).then(|| yuan(arrived)),
            left: (found.refunded_borne_fen != 0).then(|| yuan(left)),
        }
    }
}

/// What the shop's own ledger and WeChat's bill say, as bars side by side.
#[derive(Serialize)]
struct PairShown {
    what: &'static str,
    ours: SideShown,
    theirs: SideShown,
}

/// A bar of a hundred; what one has more than the other stands out.
#[derive(Serialize)]
struct SideShown {
    yuan: String,
    both: i64,
    more: i64,
}

/// The row of the fund flow, or why there is none.
#[derive(Serialize)]
struct FundsShown {
    problem: String,
    /// It can be compared one by one.
    whole: bool,
    arrived: String,
    left: String,
    fee: String,
    net: String,
    differs: [bool; 3],
    balance: Option<String>,
    /// What else moved.
    beside: String,
}

#[derive(Serialize)]
struct StateShown {
    mark: &'static str,
    text: &'static str,
    problem: String,
    at: String,
}

impl DayPage {
    /// `number` is the merchant number in force.
    fn of(seen: &Seen, frame: Frame, number: Option<&str>, look: Look) -> DayPage {
        let now = look.now;
        let Seen { day, sum, orders, unpaid, .. } = seen;
        let bill = seen.found.as_ref().filter(|found| found.billed().is_some());
        let expected = sum.refunded_fen + unpaid.under_way.1 + unpaid.given_up.1;
        let left = seen.left.iter().map(|owed| &owed.mch_id).filter(|left| number != Some(left));
        DayPage {
            tab: "calendar",
            day: day.shown(),
            month: day.month(),
            before: day.plus(-1).shown(),
            after: day.plus(1).shown(),
            sum: SumShown::from(sum),
            inside: orders.inside.into(),
            beside: orders.beside.into(),
            bill: bill.map(BillShown::from),
            bars: bill.map(|found| {
                bars(&[("收款", sum.received_fen, found.received_fen), ("退款", sum.refunded_fen, found.refunded_fen)])
            }),
            refunds_differ: bill.is_some_and(|found| found.refunded_fen != expected),
            unpaid: unpaid_text(unpaid),
            funds: bill.and(seen.funds.as_ref()).map(FundsShown::from),
            others: bill.and_then(Match::others_text),
            numbers: numbers_text(&seen.parts, &seen.left),
            left: left.cloned().collect(),
            state: seen.found.as_ref().map(|found| StateShown {
                mark: mark(Some(found.state), true),
                text: found.text(),
                problem: found.problem.clone(),
                at: clock::shown(found.checked_at),
            }),
            differences: seen.differences.iter().map(|(e, refund)| Shown::of(e, refund.as_ref(), look)).collect(),
            running: seen.fetched_at.is_some_and(|at| at <= now),
            waits_until: seen.fetched_at.filter(|at| *at > now).map(clock::shown),
            out: now >= reconcile::out_at(*day),
            out_at: clock::shown(reconcile::out_at(*day)),
            too_old: *day < Day::of(now).plus(-reconcile::KEPT_DAYS),
            may_match: frame.role >= Role::Manager,
            frame,
        }
    }
}

#[get("/money/<day>")]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, day: &str) -> Result<Template> {
    let day: Day = day.parse().map_err(|_| Code::NotFound)?;
    let seen = shop.read(move |conn| Seen::read(conn, day)).await?;
    let frame = framed(shop, &staff.0, "money", flash, seen.waiting);
    let settings = shop.settings();
    let page = DayPage::of(&seen, frame, settings.get("wechat.mch_id"), look_of(shop));
    Ok(assets::page("console/money_day.html", page))
}

/// What one has more stands out, however little it is.
fn bars(pairs: &[(&'static str, i64, i64)]) -> Vec<PairShown> {
    let most = pairs.iter().flat_map(|(_, ours, theirs)| [*ours, *theirs]).max().unwrap_or(0).max(1);
    let side = |fen: i64, other: i64| {
        let (long, both) = (fen * 100 / most, fen.min(other) * 100 / most);
        SideShown { yuan: yuan(fen), both, more: (long - both).max(i64::from(fen > other)) }
    };
    let pair = |&(what, ours, theirs): &(&'static str, i64, i64)| PairShown {
        what,
        ours: side(ours, theirs),
        theirs: side(theirs, ours),
    };
    pairs.iter().filter(|(_, ours, theirs)| ours + theirs > 0).map(pair).collect()
}

impl From<&Funds> for FundsShown {
    fn from(funds: &Funds) -> FundsShown {
        let (flow, moved, billed) = (&funds.flow, &funds.flow.moved, &funds.billed);
        let some = |fen: i64, what: &str| (fen != 0).then(|| format!("{what} ¥{}", yuan(fen)));
        let beside =
            [some(flow.withdrawn, "提现"), some(flow.returned, "退款退回"), some(flow.other, "充值、再次退款及其他")];
        FundsShown {
            problem: funds.problem.clone(),
            whole: funds.is_comparable(),
            arrived: yuan(moved.arrived),
            left: yuan(moved.left),
            fee: yuan(moved.fee),
            net: yuan(moved.arrived - moved.left - moved.fee),
            differs: [moved.arrived != billed.arrived, moved.left != billed.left, moved.fee != billed.fee],
            balance: flow.balance.map(|(opening, closing)| format!("¥{} → ¥{}", yuan(opening), yuan(closing))),
            beside: beside.into_iter().flatten().collect::<Vec<_>>().join("，"),
        }
    }
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
fn unpaid_text(unpaid: &Unpaid) -> Option<String> {
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
    let number = shop.settings().get("wechat.mch_id").map(str::to_owned);
    let write = move |tx: &Tx| {
        if let Some(why) = number.as_deref().map(|number| matching::foreign(tx, day, number)).transpose()?.flatten() {
            return Err(Error::from(Code::OrderState).says(why));
        }
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
        parts::day::looked(tx, day, &number, now.as_deref(), &staff.0.name)?;
        Ok(audit(tx, &staff.0, &format!("{} 商户号 {number} 的账单已在商户平台核对", day.shown()))?)
    };
    let done = shop.write(write).await;
    Ok(back(format!("/admin/money/{}", day.shown()), done.map(|()| "已登记")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::bill::Moved;
    use crate::wechat::funds::Flow;

    const NOW: i64 = 1_791_435_600_000;

    #[test]
    fn what_one_side_has_more_stands_out_however_little_it_is() {
        let shown = bars(&[("收款", 100_000, 100_001), ("退款", 0, 0)]);
        assert_eq!(shown.len(), 1, "no refunds on either side");
        assert_eq!((shown[0].ours.more, shown[0].theirs.more), (0, 1));
    }

    /// A day of which nothing is known.
    fn quiet() -> Seen {
        let day = Day::of(NOW).plus(-1);
        Seen {
            day,
            sum: DaySum::nothing(day),
            found: None,
            orders: ByOrders::default(),
            differences: Vec::new(),
            fetched_at: None,
            unpaid: Unpaid::default(),
            funds: None,
            parts: Vec::new(),
            left: Vec::new(),
            waiting: Waiting::default(),
        }
    }

    fn matched() -> Seen {
        let day = Day::of(NOW).plus(-1);
        let moved = Moved { arrived: 8_701, left: 499, fee: 5 };
        let flow = Flow { payments: 2, moved, withdrawn: -9, balance: Some((1, 2)), ..Flow::default() };
        Seen {
            sum: DaySum { payments: 2, received_fen: 8_800, received_borne_fen: 100, offline_fen: 7, ..quiet().sum },
            found: Some(Match::sample(day)),
            orders: ByOrders { inside: (1, 8_000), beside: (1, 800) },
            fetched_at: Some(NOW + 1),
            unpaid: Unpaid { under_way: (1, 500), ..Unpaid::default() },
            funds: Some(Funds { flow, billed: moved, problem: String::new(), later: false }),
            left: ["19", "20"].map(|mch_id| Owed { mch_id: mch_id.into(), moved: 1 }).into(),
            ..quiet()
        }
    }

    #[test]
    fn the_page_of_a_day_asks_for_nothing_that_it_is_not_given() {
        let look = Look { now: NOW, asks_first: false };
        for (seen, words) in [(matched(), "提现"), (quiet(), "还没有")] {
            let page = DayPage::of(&seen, Frame::sample(Role::Manager), Some("19"), look);
            let html = assets::strictly("console/money_day.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words) && html.contains("四方核对"), "{words}");
            assert_eq!(html.contains("换不回去"), words == "提现");
            assert!(!html.contains("商户号 19 换不回去"), "its bill comes by itself");
        }
    }
}
