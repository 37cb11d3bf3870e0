//! The first page: what waits, how today goes, and what still has to be set up.

mod live;
mod numbers;
mod todo;

use rocket::request::FlashMessage;
use rocket::{FromForm, Route, State, get, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::system::{certificate, trials};
use super::{Frame, Waiting, framed};
use crate::assets;
use crate::backups::room::room_soon;
use crate::backups::{Backup, store as backups};
use crate::catalogue::Delivery;
use crate::catalogue::lists::{self, ShelfCounts};
use crate::catalogue::media::thumb;
use crate::catalogue::sellers::Sellers;
use crate::catalogue::store::Seller;
use crate::clock::{self, DAY, Day, HOUR, MINUTE};
use crate::error::Result;
use crate::ids::{OrderNo, ProductId};
use crate::jobs;
use crate::ledger::{DaySum, store as ledger};
use crate::message_log;
use crate::money::yuan;
use crate::orders::margin::{Margin, Margins};
use crate::orders::search::{Filter, Sort, store as search};
use crate::orders::{self, Line, Order, OrderStatus};
use crate::payments::{Checked, left, store as payments};
use crate::reconcile::{BillState, Match, round, store as matches};
use crate::refunds;
use crate::settings::Settings;
use crate::shipping::duty;
use crate::shop::Shop;
use crate::staff::{Role, Staff};
use crate::wechat::Api;
use numbers::{CHARTED, Chart, Compared, Earned, Hourly};
use todo::{Next, Step, Waits};

pub fn routes() -> Vec<Route> {
    [routes![page], live::routes()].concat()
}

/// The spans that the numbers can be about.
const RANGES: [(&str, &str); 5] =
    [("today", "今天"), ("yesterday", "昨天"), ("7", "近 7 天"), ("30", "近 30 天"), ("month", "本月")];

/// What the address asks for: one of the spans by its word, or the days from one to another.
#[derive(FromForm)]
struct Span {
    #[field(default = String::new())]
    days: String,
    #[field(default = String::new())]
    from: String,
    #[field(default = String::new())]
    to: String,
}

/// So many orders are named to whoever packs.
const TO_PACK: i64 = 6;
/// A span of one's own is a year at most.
const LONGEST: i64 = 366;

impl Span {
    /// The word of the span, empty for one's own, with its first and last day.
    fn read(&self, today: Day) -> (&'static str, Day, Day) {
        if let (Some(from), Some(to)) = (Day::read(&self.from), Day::read(&self.to)) {
            let (first, last) = (from.min(to), from.max(to).min(today));
            return ("", first.max(last.plus(1 - LONGEST)), last);
        }
        let (word, _) = RANGES.into_iter().find(|(word, _)| *word == self.days).unwrap_or(RANGES[0]);
        let (first, last) = match word {
            "yesterday" => (today.plus(-1), today.plus(-1)),
            "7" => (today.plus(-6), today),
            "30" => (today.plus(-29), today),
            "month" => (today.plus(1 - i64::from(today.of_month())), today),
            _ => (today, today),
        };
        (word, first, last)
    }
}

/// What the page shows, as it stood at one moment.
struct Seen {
    counts: Vec<(String, i64)>,
    oldest: Option<i64>,
    recent: Vec<(Order, Vec<Line>)>,
    sum: DaySum,
    yesterday: DaySum,
    margin: Margin,
    /// What was paid by the hour: today, yesterday, and the same weekday a week ago.
    hours: [[i64; 24]; 3],
    /// The goods of the order that has waited longest.
    first: Vec<Line>,
    /// What is to be packed next, for whoever only packs, and whether its money is going back.
    to_pack: Vec<(Order, Vec<Line>, bool)>,
    /// Twice the days that are charted: the older half is compared with.
    charted: Vec<DaySum>,
    funnel: [i64; 3],
    best: Vec<Seller>,
    shelves: ShelfCounts,
    last_notice: Option<i64>,
    failed: i64,
    duty: duty::State,
    bill: Option<Match>,
    /// The first day with trade that should be matched and is not.
    undone: Option<(Day, &'static str, String)>,
    check: Option<Checked>,
    backup: Option<Backup>,
    todo: todo::Found,
    waiting: Waiting,
}

impl Seen {
    fn count(&self, status: OrderStatus) -> i64 {
        self.counts.iter().find(|(word, _)| word == status.word()).map_or(0, |(_, n)| *n)
    }
}

fn look(
    conn: &rusqlite::Connection,
    (sellers, margins): (&Sellers, &Margins),
    (first, last): (Day, Day),
    settings: &Settings,
    packs: bool,
    samples_sell: bool,
    now: i64,
) -> Result<Seen> {
    let today = Day::of(now);
    let (last_notice, failed) = message_log::store::health(conn, now - DAY)?;
    let hours = |ago: i64| ledger::hour_sums(conn, today.plus(-ago));
    let with_lines = |order: Order| Ok((order.clone(), orders::store::lines(conn, order.id)?));
    let longest =
        orders::store::longest_waiting(conn)?.map(|no| orders::store::by_no(conn, &no)).transpose()?.flatten();
    let counts = orders::store::status_counts(conn)?;
    let begins = today.plus(1 - 2 * CHARTED);
    let charted = ledger::day_sums(conn, begins, today)?;
    // Most spans lie within what is charted, and are read with it.
    let summed = |first: Day, last: Day| {
        let within = |sum: &&DaySum| (first..=last).contains(&sum.day);
        let days = match first < begins {
            true => ledger::day_sums(conn, first, last)?,
            false => charted.iter().filter(within).cloned().collect(),
        };
        Ok::<_, rusqlite::Error>(DaySum::of(first, &days))
    };
    let waiting = counts.iter().find(|(status, _)| status == "to_ship").map_or(0, |(_, n)| *n);
    let recent: Vec<_> =
        search::list(conn, &Filter::default(), None, 5)?.into_iter().map(with_lines).collect::<Result<_>>()?;
    let mut shelves = lists::store::shelf_counts(conn, settings.low_stock())?;
    let todo = todo::Found {
        alerts: payments::alerts(conn)?,
        left: left::all(conn, settings)?,
        v3_waits: payments::under_way(conn, Api::V3, None)? != (0, 0),
        late: jobs::store::earliest(conn)?.map(|at| now - at),
        tried: trials::standing(conn, settings)?,
        push_refused: message_log::store::push_refused(conn)?,
        set_back: jobs::store::last_step(conn, now - 3 * DAY)?.filter(|(_, back)| *back >= HOUR),
        no_goods: shelves.is_empty(),
        no_orders: recent.is_empty(),
    };
    if !samples_sell {
        let (low, sold_out) = lists::store::samples_low(conn, settings.low_stock())?;
        shelves.low -= low;
        shelves.sold_out -= sold_out;
    }
    Ok(Seen {
        duty: duty::state(conn, waiting, now)?,
        counts,
        oldest: orders::store::waiting_since(conn)?,
        recent,
        hours: [hours(0)?, hours(1)?, hours(7)?],
        first: longest.map_or(Ok(Vec::new()), |order| orders::store::lines(conn, order.id))?,
        to_pack: match packs {
            true => to_pack(conn)?,
            false => Vec::new(),
        },
        sum: summed(first, last)?,
        yesterday: summed(today.plus(-1), today.plus(-1))?,
        margin: margins.of(conn, first, last)?,
        charted,
        funnel: orders::store::funnel(conn, today.plus(-6))?,
        best: sellers.best(conn, today.plus(1 - CHARTED), 6)?,
        shelves,
        last_notice,
        failed,
        bill: matches::latest(conn)?,
        undone: round::undone(conn, now)?,
        check: payments::last_self_check(conn)?,
        backup: backups::latest(conn, 1)?.pop(),
        todo,
        waiting: super::waiting(conn)?,
    })
}

fn to_pack(conn: &rusqlite::Connection) -> Result<Vec<(Order, Vec<Line>, bool)>> {
    let (status, delivery) = (Some(OrderStatus::ToShip), Some(Delivery::Express));
    let waiting = Filter { status, delivery, to_pack: true, ..Filter::default() };
    let sort = search::possible(conn, &waiting, Sort::LongestWaiting)?;
    let found = search::sorted(conn, &waiting, sort, None, TO_PACK)?;
    let with = |order: Order| {
        let (lines, refunding) = (orders::store::lines(conn, order.id)?, refunds::store::any_open(conn, order.id)?);
        Ok((order, lines, refunding))
    };
    found.into_iter().map(|(_, order)| with(order)).collect()
}

/// Everything that the page shows.
#[derive(Serialize)]
struct HomePage {
    frame: Frame,
    todo: Vec<Step>,
    /// Somebody has paid already, so that what is left to do does not keep the shop from taking money.
    earns: bool,
    next: Option<Next>,
    /// What comes after it.
    then: Vec<Next>,
    waiting_goods: Vec<GoodsShown>,
    /// `11 月 28 日 周六`.
    today: String,
    to_ship: i64,
    /// How long the oldest of them has waited.
    oldest: Option<String>,
    pending: i64,
    shipped: i64,
    low: i64,
    sold_out: i64,
    failed: i64,
    /// Packers see what to do, not what it earns.
    sees_money: bool,
    ranges: Vec<RangeShown>,
    /// The span is one of nobody's list.
    own: bool,
    from: String,
    to: String,
    /// Orders.
    paid: i64,
    /// Payments that belong to none of them, and what they come to.
    beside: Option<(i64, String)>,
    taken: String,
    /// What of it arrives, where coupons never do.
    arrived: Option<String>,
    refunded: String,
    fee: Option<String>,
    /// Taken outside WeChat, less what went back outside it; it is part of what is net.
    offline: Option<String>,
    net: String,
    margin: Earned,
    yesterday: String,
    average: String,
    hourly: Hourly,
    month: Compared,
    chart: Chart,
    funnel: Vec<StepShown>,
    best: Vec<SellerShown>,
    recent: Vec<OrderShown>,
    to_pack: Vec<OrderShown>,
    last_notice: Option<String>,
    bill: Option<BillShown>,
    check: Option<CheckShown>,
    duty: DutyShown,
    /// How it stands; none where something must be done.
    certificate: Option<&'static str>,
    backup: Option<BackupShown>,
    short_of_room: Option<String>,
}

#[derive(Serialize)]
struct GoodsShown {
    name: String,
    spec: String,
    quantity: i64,
    image: Option<String>,
}

#[derive(Serialize)]
struct RangeShown {
    word: &'static str,
    text: &'static str,
    here: bool,
}

/// A step of the funnel: how many came so far, and of how many hundred.
#[derive(Serialize)]
struct StepShown {
    n: i64,
    share: i64,
}

#[derive(Serialize)]
struct SellerShown {
    id: ProductId,
    name: String,
    spec: String,
    pieces: i64,
    available: i64,
    image: Option<String>,
    /// Of the best one's hundred.
    share: i64,
    /// For how many days there is enough of it.
    reach: i64,
}

#[derive(Serialize)]
struct OrderShown {
    no: OrderNo,
    at: String,
    status: OrderStatus,
    status_text: &'static str,
    total: String,
    lines: Vec<GoodsShown>,
    /// Since it was paid.
    waited: Option<String>,
    late: bool,
    /// Its money is going back: only among those that are to be packed.
    refunding: bool,
}

#[derive(Serialize)]
struct BillShown {
    day: String,
    text: &'static str,
    differs: bool,
}

#[derive(Serialize)]
struct CheckShown {
    at: String,
    broken: usize,
}

#[derive(Serialize)]
struct DutyShown {
    text: &'static str,
    alarm: Option<String>,
    frozen: Option<String>,
}

#[derive(Serialize)]
struct BackupShown {
    at: String,
    fine: bool,
}

/// Where an order stands that was paid.
const PAID: [OrderStatus; 3] = [OrderStatus::ToShip, OrderStatus::Shipped, OrderStatus::Completed];

/// What stands beside the database: what has to be set up, the certificate, the disk.
struct Beside {
    todo: Vec<Step>,
    certificate: Option<&'static str>,
    short_of_room: Option<String>,
}

impl HomePage {
    fn of(seen: Seen, frame: Frame, (word, first, last): (&str, Day, Day), beside: Beside, now: i64) -> HomePage {
        let today = Day::of(now);
        let sees_money = frame.role > Role::Packer;
        let money = |n: i64| if sees_money { n } else { 0 };
        let (to_ship, sum) = (seen.count(OrderStatus::ToShip), &seen.sum);
        let waits = Waits {
            decide: money(frame.exceptions),
            refunds: money(frame.refunds),
            to_ship,
            waited: seen.oldest.map(|at| now - at),
            low: money(seen.shelves.low),
        };
        let mut nexts = Next::all(&waits).into_iter();
        let begins = today.plus(1 - CHARTED);
        let (before, charted): (Vec<_>, Vec<_>) = seen.charted.iter().cloned().partition(|sum| sum.day < begins);
        let most = seen.best.iter().map(|seller| seller.pieces).max().unwrap_or(1).max(1);
        let share = |n: i64| (n * 100).checked_div(seen.funnel[0]).unwrap_or(0);
        HomePage {
            todo: beside.todo,
            earns: PAID.iter().any(|status| seen.count(*status) > 0),
            next: nexts.next(),
            then: nexts.collect(),
            waiting_goods: goods(&seen.first, true),
            today: spoken(today),
            to_ship,
            oldest: waits.waited.map(clock::span),
            pending: seen.count(OrderStatus::PendingPayment),
            shipped: seen.count(OrderStatus::Shipped),
            low: seen.shelves.low,
            sold_out: seen.shelves.sold_out,
            failed: seen.failed,
            sees_money,
            ranges: RANGES.map(|(range, text)| RangeShown { word: range, text, here: range == word }).into(),
            own: word.is_empty(),
            from: first.shown(),
            to: last.shown(),
            paid: sum.orders(),
            beside: (sum.beside > 0).then(|| (sum.beside, yuan(sum.beside_fen))),
            taken: yuan(sum.received_fen),
            arrived: (sum.received_borne_fen != 0).then(|| yuan(sum.arrived_fen())),
            refunded: yuan(sum.refunded_fen),
            fee: (sum.fee_fen != 0).then(|| yuan(sum.fee_fen)),
            offline: (sum.offline_fen != 0).then(|| yuan(sum.offline_fen)),
            net: yuan(sum.net_fen()),
            margin: Earned::of(&seen.margin),
            yesterday: yuan(seen.yesterday.received_fen),
            average: yuan(sum.average_fen()),
            hourly: Hourly::of(&seen.hours, minute_of(now)),
            month: Compared::of(&charted, &before),
            chart: Chart::of(today, &charted),
            funnel: seen.funnel.map(|n| StepShown { n, share: share(n) }).into(),
            best: seen.best.iter().map(|seller| seller_shown(seller, most)).collect(),
            recent: seen.recent.iter().map(|(order, lines)| order_shown(order, lines, now)).collect(),
            to_pack: (seen.to_pack.iter())
                .map(|(order, lines, refunding)| OrderShown { refunding: *refunding, ..order_shown(order, lines, now) })
                .collect(),
            last_notice: seen.last_notice.map(|at| clock::span(now - at)),
            bill: match (seen.undone, seen.bill) {
                (Some((day, text, _)), _) => Some(BillShown { day: day.shown(), text, differs: true }),
                (None, bill) => bill.map(|bill| BillShown {
                    day: bill.day.shown(),
                    text: bill.state.text(),
                    differs: bill.state == BillState::Differs,
                }),
            },
            check: seen.check.map(|c| CheckShown { at: clock::shown_short(c.at), broken: c.broken.len() }),
            duty: DutyShown { text: seen.duty.text, alarm: seen.duty.alarm, frozen: seen.duty.frozen },
            certificate: beside.certificate,
            backup: seen.backup.map(|b| BackupShown { at: clock::shown_short(b.at), fine: b.problem.is_empty() }),
            short_of_room: beside.short_of_room,
            frame,
        }
    }
}

#[get("/?<span..>")]
async fn page(
    shop: &State<Shop>,
    sellers: &State<Sellers>,
    margins: &State<Margins>,
    staff: Staff,
    flash: Option<FlashMessage<'_>>,
    span: Span,
) -> Result<Template> {
    let (now, settings) = (shop.now(), shop.settings());
    let span = span.read(Day::of(now));
    let (sellers, margins, of_now) = (sellers.inner().clone(), margins.inner().clone(), settings.clone());
    // Only in the demo are they what is sold.
    let (packs, samples_sell) = (staff.role == Role::Packer, shop.demo.is_some());
    let read = move |conn: &_| look(conn, (&sellers, &margins), (span.1, span.2), &of_now, packs, samples_sell, now);
    let seen = shop.read(read).await?;
    let mut todo = todo::steps(shop, &settings, &seen.todo);
    // Only the owner can do these.
    todo.retain(|_| staff.role == Role::Owner);
    let beside = Beside { todo, certificate: certificate::word(shop), short_of_room: room_soon(shop).err() };
    let frame = framed(shop, &staff, "home", flash, seen.waiting);
    Ok(assets::page("console/home.html", HomePage::of(seen, frame, span, beside, now)))
}

/// What is still to go of an order that waits for that; of any other all that was bought.
fn goods(lines: &[Line], waits: bool) -> Vec<GoodsShown> {
    let shown = |(line, n): (&Line, i64)| GoodsShown {
        name: line.name.clone(),
        spec: line.spec_text.clone(),
        quantity: n,
        image: line.image.as_ref().map(thumb),
    };
    let to_go: Vec<_> = lines.iter().map(|line| (line, line.left())).filter(|(_, n)| waits && *n > 0).collect();
    let all = || lines.iter().map(|line| (line, line.quantity)).collect();
    let goods: Vec<_> = if to_go.is_empty() { all() } else { to_go };
    goods.into_iter().map(shown).collect()
}

fn order_shown(order: &Order, lines: &[Line], now: i64) -> OrderShown {
    OrderShown {
        no: order.order_no.clone(),
        at: clock::shown_near(order.created_at, now),
        status: order.status,
        status_text: order.status.text(),
        total: order.total.to_string(),
        lines: goods(lines, order.status == OrderStatus::ToShip),
        waited: order.paid_at.map(|at| clock::span(now - at)),
        late: order.paid_at.is_some_and(|at| now - at >= DAY),
        refunding: false,
    }
}

/// `most` is how many pieces of the best one were sold.
fn seller_shown(seller: &Seller, most: i64) -> SellerShown {
    SellerShown {
        id: seller.product_id,
        name: seller.name.clone(),
        spec: seller.specs.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" / "),
        pieces: seller.pieces,
        available: seller.available,
        image: seller.image.as_ref().map(thumb),
        share: seller.pieces * 100 / most,
        reach: seller.available * CHARTED / seller.pieces.max(1),
    }
}

/// `11 月 28 日 周六`.
fn spoken(day: Day) -> String {
    let weekday = ["一", "二", "三", "四", "五", "六", "日"].get(day.weekday() as usize).copied().unwrap_or_default();
    let shown = day.shown();
    let part = |range| shown.get(range).and_then(|text: &str| text.parse::<u32>().ok()).unwrap_or_default();
    format!("{} 月 {} 日 周{weekday}", part(5..7), part(8..10))
}

/// The minute of the day that it is in the shop.
fn minute_of(now: i64) -> usize {
    usize::try_from((now - Day::of(now).start()) / MINUTE).unwrap_or_default().min(24 * 60 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_791_435_600_000;

    fn day(ago: i64, payments: i64) -> DaySum {
        let received_fen = payments * 10_000;
        DaySum { payments, received_fen, refunded_fen: 500, ..DaySum::nothing(Day::of(NOW).plus(-ago)) }
    }

    /// One that has just been opened.
    fn empty() -> Seen {
        Seen {
            counts: Vec::new(),
            oldest: None,
            recent: Vec::new(),
            sum: day(0, 0),
            yesterday: day(1, 0),
            margin: Margin::default(),
            hours: [[0; 24]; 3],
            first: Vec::new(),
            to_pack: Vec::new(),
            charted: Vec::new(),
            funnel: [0; 3],
            best: Vec::new(),
            shelves: ShelfCounts::default(),
            last_notice: None,
            failed: 0,
            duty: duty::State { text: "还没有订单", alarm: None, frozen: None },
            bill: None,
            undone: None,
            check: None,
            backup: None,
            todo: todo::Found {
                alerts: Vec::new(),
                left: Vec::new(),
                v3_waits: false,
                late: None,
                tried: Vec::new(),
                push_refused: false,
                set_back: None,
                no_goods: true,
                no_orders: true,
            },
            waiting: Waiting::default(),
        }
    }

    /// A shop in which all that can be shown is there.
    fn busy() -> Seen {
        let best = Seller {
            product_id: ProductId(1),
            name: "雪梨".into(),
            specs: vec![("重量".into(), "五斤".into())],
            pieces: 7,
            available: 2,
            image: None,
        };
        Seen {
            counts: vec![("to_ship".into(), 2), ("pending_payment".into(), 1), ("shipped".into(), 4)],
            oldest: Some(NOW - 2 * DAY),
            sum: DaySum { received_borne_fen: 10, fee_fen: 6, ..day(0, 3) },
            yesterday: day(1, 2),
            margin: Margin { pieces: 3, income_fen: 900, cost_fen: 300, unknown_pieces: 1, unknown_fen: 100 },
            hours: [[100; 24], [50; 24], [0; 24]],
            charted: vec![day(0, 3), day(40, 1)],
            funnel: [10, 8, 5],
            best: vec![best],
            last_notice: Some(NOW - HOUR),
            failed: 1,
            duty: duty::State {
                text: "已录入", alarm: Some("有订单没有录入".into()), frozen: Some("¥3.00".into())
            },
            check: Some(Checked { at: NOW, rules: 25, broken: vec![("账".into(), 1)] }),
            ..empty()
        }
    }

    fn page_of(seen: Seen, role: Role) -> HomePage {
        let today = Day::of(NOW);
        let beside = Beside {
            todo: vec![("填写对外地址".into(), "/admin/welcome/3".into())],
            certificate: Some("有效"),
            short_of_room: Some("快满了".into()),
        };
        HomePage::of(seen, Frame::sample(role), ("today", today, today), beside, NOW)
    }

    fn apples() -> GoodsShown {
        GoodsShown { name: "高山苹果".into(), spec: "五斤".into(), quantity: 2, image: Some("/images/a".into()) }
    }

    #[test]
    fn the_first_page_asks_for_nothing_that_it_is_not_given() {
        let order = || OrderShown {
            no: OrderNo::new("20261008", "ABCDEFGH"),
            at: "13:00".into(),
            status: OrderStatus::ToShip,
            status_text: OrderStatus::ToShip.text(),
            total: "88.00".into(),
            lines: vec![apples(), apples()],
            waited: Some("3 小时".into()),
            late: true,
            refunding: true,
        };
        for role in [Role::Packer, Role::Clerk, Role::Owner] {
            let mut full = page_of(busy(), role);
            (full.waiting_goods, full.recent) = (vec![apples()], vec![order()]);
            full.to_pack = vec![order()];
            full.bill = Some(BillShown { day: "2026-10-07".into(), text: "一致", differs: false });
            full.backup = Some(BackupShown { at: "03:00".into(), fine: true });
            for (page, words) in [(full, "高山苹果"), (page_of(empty(), role), "还没有订单")] {
                let html = assets::strictly("console/home.html", page).unwrap_or_else(|e| panic!("{e:#}"));
                assert!(html.contains(words), "{role:?}: {words}");
                assert_eq!(html.contains("净收"), role > Role::Packer && words == "高山苹果", "{role:?}");
            }
        }
    }
}
