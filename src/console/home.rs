//! The first page: what waits, how today goes, and what still has to be set up.

use rocket::request::FlashMessage;
use rocket::response::stream::{Event, EventStream};
use rocket::serde::json::Json;
use rocket::{FromForm, Route, State, get, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use crate::assets;
use crate::backups::{Backup, room_soon, store as backups};
use crate::catalogue::lists::{self, ShelfCounts};
use crate::catalogue::media::thumb;
use crate::catalogue::sellers::Sellers;
use crate::catalogue::store::Seller;
use crate::clock::{self, DAY, Day, HOUR};
use crate::console::system::trials;
use crate::error::Result;
use crate::jobs;
use crate::ledger::{DaySum, store as ledger};
use crate::money::yuan;
use crate::orders::margin::{Margin, Margins};
use crate::orders::search::{Filter, store as search};
use crate::orders::{self, Line, Order};
use crate::payments::{Checked, store as payments};
use crate::reconcile::{BillState, Match, store as reconcile};
use crate::settings::store::Tried;
use crate::settings::{Group, Settings};
use crate::shipping::duty;
use crate::shop::Shop;
use crate::staff::{Role, Staff};
use crate::transactions;
use crate::wechat::Api;
use crate::wechat::v3::sign::BadSeal;

pub fn routes() -> Vec<Route> {
    routes![page, pulse, events]
}

/// The spans that the numbers can be about.
const RANGES: [(&str, &str); 5] =
    [("today", "今天"), ("yesterday", "昨天"), ("7", "近 7 天"), ("30", "近 30 天"), ("month", "本月")];
const CHARTED: i64 = 30;

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
    /// Twice the days that are charted: the older half is compared with.
    charted: Vec<DaySum>,
    funnel: [i64; 3],
    best: Vec<Seller>,
    shelves: ShelfCounts,
    last_notice: Option<i64>,
    failed: i64,
    push_refused: bool,
    duty: duty::State,
    bill: Option<Match>,
    check: Option<Checked>,
    /// What only the owner can mend.
    alerts: Vec<String>,
    /// Under merchant numbers of before.
    left_behind: Vec<String>,
    tried: Vec<Tried>,
    backup: Option<Backup>,
    /// When the clock was set back in the last days, and by how much.
    set_back: Option<(i64, i64)>,
    waiting: super::Waiting,
}

fn look(
    conn: &rusqlite::Connection,
    (sellers, margins): (&Sellers, &Margins),
    (first, last): (Day, Day),
    settings: &Settings,
    now: i64,
) -> Result<Seen> {
    let today = Day::of(now);
    let (last_notice, failed) = transactions::store::health(conn, now - DAY)?;
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
    let number = settings.get("wechat.mch_id").unwrap_or_default();
    Ok(Seen {
        push_refused: transactions::store::push_refused(conn)?,
        duty: duty::state(conn, waiting, now)?,
        counts,
        oldest: orders::store::waiting_since(conn)?,
        recent: search::list(conn, &Filter::default(), None, 5)?.into_iter().map(with_lines).collect::<Result<_>>()?,
        hours: [hours(0)?, hours(1)?, hours(7)?],
        first: longest.map_or(Ok(Vec::new()), |order| orders::store::lines(conn, order.id))?,
        sum: summed(first, last)?,
        yesterday: summed(today.plus(-1), today.plus(-1))?,
        margin: margins.of(conn, first, last)?,
        charted,
        funnel: orders::store::funnel(conn, today.plus(-6))?,
        best: sellers.best(conn, today.plus(1 - CHARTED), 6)?,
        shelves: lists::store::shelf_counts(conn, settings.low_stock())?,
        last_notice,
        failed,
        bill: reconcile::latest(conn)?,
        check: payments::last_self_check(conn)?,
        alerts: payments::alerts(conn)?,
        left_behind: payments::left_behind(conn, number)?.iter().map(|left| left.words(number)).collect(),
        tried: trials::standing(conn, settings)?,
        backup: backups::latest(conn, 1)?.pop(),
        set_back: jobs::store::last_step(conn, now - 3 * DAY)?.filter(|(_, back)| *back >= HOUR),
        waiting: super::waiting(conn)?,
    })
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
    let now = shop.now();
    let today = Day::of(now);
    let (days, first, last) = span.read(today);
    let settings = shop.settings();
    let (sellers, margins, of_now) = (sellers.inner().clone(), margins.inner().clone(), settings.clone());
    let seen = shop.read(move |conn| look(conn, (&sellers, &margins), (first, last), &of_now, now)).await?;
    let Seen {
        counts,
        oldest,
        recent,
        sum,
        yesterday,
        margin,
        hours,
        first: waiting_goods,
        charted,
        funnel,
        best,
        shelves,
        last_notice,
        failed,
        push_refused,
        duty,
        bill,
        check,
        alerts,
        left_behind,
        tried,
        backup,
        set_back,
        waiting,
    } = seen;
    let count = |word: &str| counts.iter().find(|(status, _)| status == word).map_or(0, |(_, n)| *n);
    let mut todo = Vec::new();
    let unready = settings.unready(settings.api());
    if settings.mini_program().is_none() {
        todo.push(("填写微信小程序的 AppID 和 AppSecret", super::system::here(4)));
    }
    if let Some(why) = &unready {
        // Which version it will be is chosen with the merchant's number.
        let begun = settings.get("wechat.mch_id").is_some();
        todo.push((if begun { why } else { "填写微信支付的商户号和密钥" }, super::system::here(5)));
    }
    if settings.notify_url(settings.api()).is_none() {
        todo.push(("填写对外地址，微信才能通知付款结果", super::system::here(3)));
    }
    let certificate = super::system::certificate::warning(shop);
    if let Some(words) = &certificate {
        todo.push((words.as_str(), "/admin/settings#certificate".to_owned()));
    }
    let unbelieved = shop.wechat.unbelieved().filter(BadSeal::is_for_owner_of_reply);
    let unbelieved = unbelieved.map(|bad| format!("微信支付的回答不能信，买家付不了款：{}", bad.of_reply()));
    for words in unbelieved.iter().chain(&alerts) {
        todo.push((words.as_str(), "/admin/settings#pay_v3".to_owned()));
    }
    for words in &left_behind {
        todo.push((words.as_str(), "/admin/refunds".to_owned()));
    }
    let refused = shop.wechat.refused(settings.api()).map(|why| format!("微信不受理付款，买家付不了款：{why}"));
    if let Some(words) = &refused {
        todo.push((words.as_str(), "/admin/settings#pay".to_owned()));
    }
    // A version that takes no orders keeps nobody from paying; its card shows what its test said.
    let resting = if settings.api() == Api::V3 { Group::PayV2 } else { Group::PayV3 };
    for failed in tried.iter().filter(|tried| !tried.fine && tried.part != resting.word()) {
        todo.push((failed.words.as_str(), format!("/admin/settings#{}", failed.part)));
    }
    let doubts = settings.doubts();
    for (setting, why) in doubts.iter().filter(|(setting, _)| matches!(setting.group, Group::PayV2 | Group::PayV3)) {
        todo.push((why.as_str(), format!("/admin/settings#{}", setting.group.word())));
    }
    let set_back = set_back.map(|(at, back)| format!("{}。请看自动校时是不是开着", jobs::set_back(at, back, now)));
    if let Some(words) = &set_back {
        todo.push((words.as_str(), "/admin/diagnostics".to_owned()));
    }
    if push_refused {
        let words = "微信的消息推送是加密的，打不开：请把小程序后台的 EncodingAESKey 填到设置页，微信会重发";
        todo.push((words, "/admin/settings#app".to_owned()));
    }
    if shelves.is_empty() {
        todo.push(("上传第一个商品，或载入示例商品", super::system::here(6)));
    }
    if todo.is_empty() && recent.is_empty() {
        todo.push(("用手机下一个 0.01 元的测试单，走一遍付款、发货和退款", "/admin/products".to_owned()));
    }
    // One thing that is wrong shows itself in several places, and is said once, as early as it comes.
    let all: Vec<String> = todo.iter().map(|(words, _)| bare(words).to_owned()).collect();
    let mut place = 0..;
    todo.retain(|(words, _)| {
        let before = all.iter().take(place.next().unwrap_or_default());
        !{ before }.any(|said| said.contains(bare(words)) || bare(words).contains(said.as_str()))
    });
    // Only the owner can do these.
    todo.retain(|_| staff.role == Role::Owner);
    let recent: Vec<Value> = recent
        .iter()
        .map(|(order, lines)| {
            json!({
                "no": order.order_no, "at": clock::shown_near(order.created_at, now), "status": order.status,
                "status_text": order.status.text(), "total": order.total.to_string(), "lines": goods(lines),
            })
        })
        .collect();
    let frame = super::framed(shop, &staff, "home", flash, waiting);
    let sees_money = staff.role > Role::Packer;
    let next = next(Next {
        decide: if sees_money { frame.exceptions } else { 0 },
        refunds: if sees_money { frame.refunds } else { 0 },
        to_ship: count("to_ship"),
        waited: oldest.map(|at| now - at),
        low: if sees_money { shelves.low } else { 0 },
    });
    let (before, charted): (Vec<_>, Vec<_>) = charted.into_iter().partition(|sum| sum.day < today.plus(1 - CHARTED));
    let most = best.iter().map(|b| b.pieces).max().unwrap_or(1).max(1);
    let context = context! {
        frame,
        next,
        waiting_goods: goods(&waiting_goods),
        today: spoken(today),
        hourly: hourly(&hours, hour_of(now)),
        month: compared(&charted, &before),
        to_ship: count("to_ship"),
        oldest: oldest.map(|at| clock::span(now - at)),
        pending: count("pending_payment"),
        shipped: count("shipped"),
        sold_out: shelves.sold_out,
        // Packers see what to do, not what it earns.
        sees_money,
        ranges: RANGES.map(|(word, text)| json!({ "word": word, "text": text, "here": word == days })),
        own: days.is_empty(),
        from: first.shown(),
        to: last.shown(),
        paid: sum.payments,
        taken: yuan(sum.received_fen),
        arrived: (sum.received_borne_fen != 0).then(|| yuan(sum.arrived_fen())),
        refunded: yuan(sum.refunded_fen),
        fee: (sum.fee_fen != 0).then(|| yuan(sum.fee_fen)),
        net: yuan(sum.net_fen()),
        margin: earned(&margin),
        yesterday: yuan(yesterday.received_fen),
        average: yuan(sum.received_fen.checked_div(sum.payments).unwrap_or(0)),
        chart: chart(today, &charted),
        funnel: funnel.map(|n| json!({ "n": n, "share": (n * 100).checked_div(funnel[0]).unwrap_or(0) })),
        best: best.iter().map(|b| json!({
            "id": b.product_id, "name": b.name, "pieces": b.pieces, "available": b.available,
            "image": b.image.as_ref().map(thumb), "share": b.pieces * 100 / most,
            "reach": b.available * CHARTED / b.pieces.max(1),
            "spec": b.specs.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" / "),
        })).collect::<Vec<_>>(),
        low: shelves.low,
        certificate: super::system::certificate::word(shop),
        duty: json!({ "text": duty.text, "alarm": duty.alarm, "frozen": duty.frozen }),
        backup: backup.map(|b| json!({ "at": clock::shown_short(b.at), "fine": b.problem.is_empty() })),
        short_of_room: room_soon(shop).err(),
        bill: bill.map(|b| json!({ "day": b.day.shown(), "text": b.state.text(), "differs": b.state == BillState::Differs })),
        check: check.map(|c| json!({ "at": clock::shown_short(c.at), "broken": c.broken.len() })),
        recent,
        todo,
        last_notice: last_notice.map(|at| clock::span(now - at)),
        failed,
    };
    Ok(assets::page("console/home.html", context))
}

/// A sentence without what follows from it.
fn bare(words: &str) -> &str {
    words.rsplit_once("买家付不了款：").map_or(words, |(_, why)| why)
}

/// What was earned on goods; nothing where no cost is known, beside how many pieces that is said of.
fn earned(margin: &Margin) -> Value {
    let known = margin.pieces != 0 || margin.income_fen != 0 || margin.cost_fen != 0;
    json!({
        "earned": known.then(|| yuan(margin.earned_fen())), "percent": margin.percent(),
        "unknown": margin.unknown_pieces, "unknown_income": yuan(margin.unknown_fen),
    })
}

/// What waits, as far as this person may know of it.
struct Next {
    /// Money to be decided about.
    decide: i64,
    refunds: i64,
    to_ship: i64,
    /// How long the oldest of them has waited.
    waited: Option<i64>,
    low: i64,
}

/// The one thing to do first: a sentence, why, and where.
fn next(next: Next) -> Option<Value> {
    let thing = |icon: &str, what: String, why: &str, to: &str, button: &str| {
        Some(json!({ "icon": icon, "what": what, "why": why, "to": to, "button": button }))
    };
    let late = next.waited.filter(|waited| *waited >= DAY);
    match next {
        Next { decide: n @ 1.., .. } => thing(
            "triangle-alert",
            format!("{n} 笔款项等您决定"),
            "钱已经收到，但对不上订单",
            "/admin/exceptions",
            "去看看",
        ),
        Next { refunds: n @ 1.., .. } if late.is_none() => {
            thing("rotate-ccw", format!("{n} 笔退款等您处理"), "买家在等答复", "/admin/refunds", "去处理")
        }
        Next { to_ship: n @ 1.., .. } => {
            let why = format!("最早一单已等 {}", clock::span(next.waited.unwrap_or(0)));
            let what = if late.is_some() {
                format!("先发等得最久的，共 {n} 单待发")
            } else {
                format!("{n} 单待发货")
            };
            thing("truck", what, &why, "/admin/orders?tab=to_ship", "去发货")
        }
        Next { low: n @ 1.., .. } => {
            thing("package", format!("{n} 个规格快卖完了"), "补货或调整库存", "/admin/products?tab=low", "看看是哪些")
        }
        _ => None,
    }
}

fn goods(lines: &[Line]) -> Vec<Value> {
    let shown = |line: &Line| json!({ "name": line.name, "spec": line.spec_text, "quantity": line.quantity, "image": line.image.as_ref().map(thumb) });
    lines.iter().map(shown).collect()
}

/// `11 月 28 日 周六`.
fn spoken(day: Day) -> String {
    let weekday = ["一", "二", "三", "四", "五", "六", "日"].get(day.weekday() as usize).copied().unwrap_or_default();
    let shown = day.shown();
    let part = |range| shown.get(range).and_then(|text: &str| text.parse::<u32>().ok()).unwrap_or_default();
    format!("{} 月 {} 日 周{weekday}", part(5..7), part(8..10))
}

/// The hour of the day that it is in the shop.
fn hour_of(now: i64) -> usize {
    usize::try_from((now - Day::of(now).start()) / HOUR).unwrap_or_default().min(23)
}

/// What came in during a day, summed from its first hour on, beside yesterday and a week ago; on a field of 240 by 100.
fn hourly([today, yesterday, week]: &[[i64; 24]; 3], hour: usize) -> Value {
    let grown = |hours: &[i64; 24]| -> Vec<i64> {
        let sums = hours.iter().scan(0, |sum, more| {
            *sum += more;
            Some(*sum)
        });
        [0].into_iter().chain(sums).collect()
    };
    let [mut today, yesterday, week] = [today, yesterday, week].map(grown);
    let then = (yesterday[hour + 1], week[hour + 1]);
    today.truncate(hour + 2);
    let most = top([&today, &yesterday, &week].into_iter().flatten().copied().max().unwrap_or(0));
    // Where nothing came in the line runs on, and needs no point.
    let line = |sums: &[i64]| -> String {
        let turns =
            |i: &usize| *i == 0 || sums.get(i + 1).is_none_or(|next| *next != sums[*i]) || sums[i - 1] != sums[*i];
        let points = (0..sums.len()).filter(turns).map(|i| format!("{} {}", i * 10, 100 - sums[i] * 100 / most));
        format!("M{}", points.collect::<Vec<_>>().join(" "))
    };
    let moved = |h: &usize| *h == hour || [&today, &yesterday, &week].iter().any(|sums| sums[h + 1] != sums[*h]);
    let now = today.last().copied().unwrap_or(0);
    json!({
        "now": line(&today), "yesterday": line(&yesterday), "week": line(&week), "x": (hour + 1) * 10,
        "y": 100 - now * 100 / most, "most": yuan(most), "half": yuan(most / 2),
        "ahead": percent(now, then.0), "then": yuan(then.0), "week_then": yuan(then.1), "taken": yuan(now),
        "rows": (0..=hour).filter(moved).map(|h| json!({ "hour": h, "now": yuan(today[h + 1]), "yesterday": yuan(yesterday[h + 1]), "week": yuan(week[h + 1]) })).collect::<Vec<_>>(),
    })
}

/// The first round number at or above, for the head of an axis; never nothing.
fn top(most: i64) -> i64 {
    let mut step = 100;
    while step * 10 < most {
        step *= 10;
    }
    (1..=10).map(|n| n * step).find(|round| *round >= most).unwrap_or(step * 10)
}

/// How much more than before, in hundredths; nothing when there was nothing before.
fn percent(now: i64, before: i64) -> Option<i64> {
    ((now - before) * 100).checked_div(before)
}

fn compared(now: &[DaySum], before: &[DaySum]) -> Value {
    let sum = |days: &[DaySum]| days.iter().map(|day| day.received_fen).sum::<i64>();
    let orders: i64 = now.iter().map(|day| day.payments).sum();
    json!({ "taken": yuan(sum(now)), "orders": orders, "ahead": percent(sum(now), sum(before)) })
}

/// The last days as bars, drawn on a field of 300 by 100.
fn chart(today: Day, sums: &[DaySum]) -> Value {
    let day = |n: i64| today.plus(n + 1 - CHARTED);
    let of = |day: Day| sums.iter().find(|sum| sum.day == day);
    let most = top(sums.iter().map(|sum| sum.received_fen).max().unwrap_or(0));
    let bars: Vec<Value> = (0..CHARTED)
        .filter_map(|n| {
            let sum = of(day(n)).filter(|sum| sum.payments > 0 || sum.refunded_fen > 0)?;
            let height = sum.received_fen * 100 / most;
            Some(json!({
                "x": n * 10 + 1, "y": 100 - height, "height": height, "day": day(n).shown(), "received": yuan(sum.received_fen),
                "refunded": yuan(sum.refunded_fen), "count": sum.payments, "today": n == CHARTED - 1,
            }))
        })
        .collect();
    json!({ "bars": bars, "most": yuan(most), "half": yuan(most / 2), "first": day(0).shown(), "last": today.shown() })
}

/// Tells the browser of every change while the page is open, and now and then that all is quiet. It ends after a while,
/// so that whoever was shut out meanwhile does not listen on; the browser comes back by itself.
#[get("/events?<since>")]
fn events(shop: &State<Shop>, _staff: Staff, since: Option<i64>, mut shutdown: rocket::Shutdown) -> EventStream![] {
    let shop = shop.inner().clone();
    EventStream! {
        let mut known = None;
        for beat in 0..LISTENED {
            let commits = shop.db.commits().0;
            if known != Some(commits) {
                match shop.read(move |conn| told(conn, since)).await {
                    Ok(told) => yield Event::json(&at(told, shop.now())),
                    Err(_) => break,
                }
                known = Some(commits);
            } else if beat % 5 == 0 {
                yield Event::json(&json!({ "at": clock::shown(shop.now()) }));
            }
            tokio::select! {
                () = tokio::time::sleep(BEAT) => {}
                () = &mut shutdown => break,
            }
        }
    }
}

const BEAT: std::time::Duration = std::time::Duration::from_secs(2);
/// Beats until a browser has to show again who it is: five minutes.
const LISTENED: u32 = 150;

/// What waits, and how many orders have come to wait since a list of them was made.
fn told(conn: &rusqlite::Connection, since: Option<i64>) -> Result<Value> {
    let waiting = super::waiting(conn)?;
    let counts = json!({ "to_ship": waiting.to_ship, "refunds": waiting.refunds });
    let new = since.map(|since| orders::store::count_waiting_since(conn, since)).transpose()?;
    Ok(json!({ "counts": counts, "exceptions": waiting.exceptions, "new": new }))
}

fn at(mut told: Value, now: i64) -> Value {
    told["at"] = clock::shown(now).into();
    told
}

/// What the browser asks now and then, to show and sound new orders.
#[get("/pulse?<since>")]
async fn pulse(shop: &State<Shop>, _staff: Staff, since: Option<i64>) -> Result<Json<Value>> {
    let told = shop.read(move |conn| told(conn, since)).await?;
    Ok(Json(at(told, shop.now())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_turns_only_where_money_came_in() {
        let mut today = [0; 24];
        (today[2], today[3]) = (4000, 6000);
        let shown = hourly(&[today, [0; 24], [0; 24]], 5);
        assert_eq!(shown["now"], "M0 100 20 100 30 60 40 0 60 0");
        let hours: Vec<_> = shown["rows"].as_array().unwrap().iter().map(|row| row["hour"].as_i64().unwrap()).collect();
        assert_eq!(hours, [2, 3, 5], "each with its money, and now");
        assert_eq!(shown["yesterday"], "M0 100 240 100");
    }
}
