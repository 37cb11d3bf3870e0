//! A table of tracking numbers: kept, judged row by row, and then carried out row by row.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::claims::{Asking, Claim, claims};
use super::doubt::Doubt;
use super::{
    Allowed, Batch, Of, Row, Says, Sending, Twin, goes_to, meant, receivers, renumber, send_beside, ship, store,
    strange, void, whom,
};
use crate::catalogue::Delivery;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{BatchId, LineId, OrderId, OrderNo, ShipmentId};
use crate::jobs::{self, Task};
use crate::orders::{Line, Order, OrderStatus, Who, store as orders};
use crate::parcels::carriers::Carriers;
use crate::parcels::number::{Problem, TrackingNo};
use crate::parcels::{By, Found, Parcel, store as parcels};
use crate::refunds::store as refunds;
use crate::settings::regions::Regions;
use crate::shop::Shop;
use crate::shown::{Shown, mark};
use crate::staff::{Staff, login::audit};
use crate::stored_enum::stored_enum;
use crate::tables;
use crate::typed::bare;

stored_enum! {
    /// What can be done with a row.
    pub enum Verdict {
        Ready "ready" "可发货",
        /// It has left already under another number.
        Renumber "renumber" "改单号",
        /// It has left already under this number.
        Same "same" "已发货",
        /// Nobody has written a number yet.
        Empty "empty" "没填",
        Wrong "wrong" "有问题",
    }
}

/// A row, and what is to be said about it.
#[derive(Clone, Debug)]
pub struct Judged {
    pub row: Row,
    /// The order that is meant, where there is one.
    pub order: Option<Order>,
    pub verdict: Verdict,
    pub parcel: Parcel,
    /// What goes into it.
    pub share: Share,
    /// How many pieces of its order wait behind it, and behind the rows before.
    pub stays: i64,
    /// Whether the table has a row for each kind of goods, and so says what lies in which parcel.
    pub by_goods: bool,
    pub receiver: String,
    pub note: String,
    /// What a yes to the note would agree to, where it is a question: saving the row unchanged is that yes.
    asks: Vec<String>,
    /// What its row says and nobody has answered, each with the key of a yes to it.
    pub open: Vec<(String, String)>,
    /// How it is known who carries it, and a word on that before the note.
    by: By,
    whose: String,
    /// A mark of the order's facts that a parcel rests on.
    facts: u64,
}

impl Judged {
    /// Whether it waits for no more than a yes, and does not call its own number void: it may be the one that counts.
    fn may_hold(&self) -> bool {
        !self.asks.is_empty() && !self.open.iter().any(|(words, _)| words.ends_with(void::VOID))
    }

    fn mark(&self) -> u64 {
        let order_no = self.order.as_ref().map_or("", |order| order.order_no.as_str());
        mark([order_no, self.verdict.word(), &self.parcel.text(), &self.receiver, &self.note, &self.facts.to_string()])
    }
}

/// What a page shows of a table's rows; what was carried out is done with.
pub fn shown(judged: &[Judged]) -> Shown {
    let waiting = judged.iter().enumerate().filter(|(_, one)| one.row.done.is_none());
    Shown::of(judged.len(), waiting.map(|(at, one)| (at, one.mark())))
}

/// Notes what the page of a table is about to show.
pub async fn stamp(shop: &Shop, id: BatchId) -> Result<()> {
    let read = move |conn: &Connection| {
        let batch = store::by_id(conn, id)?.ok_or(Code::NotFound)?;
        let judged = judge(conn, &batch.rows, batch.allowed)?;
        let mut asks = Vec::new();
        for order in judged.iter().filter(|one| one.verdict == Verdict::Wrong).filter_map(|one| one.order.as_ref()) {
            asks.extend(match Doubt::of(conn, order.id)? {
                Some(Doubt::Unasked(_)) => Some(Task::LookBack),
                Some(Doubt::Noticed(noticed)) => Some(Task::Poll(noticed.attempt)),
                Some(Doubt::Denied(_, attempt)) => attempt.map(Task::Poll),
                Some(Doubt::GoneBack(_)) | None => None,
            });
        }
        asks.dedup();
        Ok((shown(&judged), asks))
    };
    let (shown, asks) = shop.read(read).await?;
    let waits = !asks.is_empty();
    let write = move |tx: &Tx| {
        // What holds a row is asked about, so that the same table goes through a while later.
        asks.iter().try_for_each(|task| jobs::enqueue(tx, *task, tx.now()))?;
        Ok(store::set_shown(tx, id, &shown)?)
    };
    shop.write(write).await?;
    if waits {
        shop.wake_worker();
    }
    Ok(())
}

/// What of an order goes into a parcel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Share {
    /// All that is left.
    #[default]
    Rest,
    Pieces(Vec<(LineId, i64)>),
    /// Nobody said which pieces: all are entered with the order's first parcel, and this one goes with it.
    Beside,
}

/// Judges every row as the orders stand now.
pub fn judge(conn: &Connection, rows: &[Row], allowed: Allowed) -> Result<Vec<Judged>> {
    let carriers = parcels::carriers(conn)?;
    let mut judged = rows.iter().map(|row| alone(conn, &carriers, row, allowed)).collect::<Result<Vec<Judged>>>()?;
    let doubles = share_numbers(&mut judged, allowed);
    renumber_once(&mut judged);
    ask_about_numbers(&mut judged);
    fn asking(one: &Judged) -> Asking<'_> {
        let order = one.order.as_ref().map(|order| order.id);
        Asking { row: &one.row, order, ready: one.verdict == Verdict::Ready }
    }
    let claims = claims(conn, &judged.iter().map(asking).collect::<Vec<_>>(), &doubles)?;
    ask_which(conn, &mut judged, &claims)?;
    share_out(conn, &mut judged, claims)?;
    for one in judged.iter_mut().filter(|one| one.verdict == Verdict::Ready && !one.whose.is_empty()) {
        one.note =
            [&*one.whose, &one.note].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("；");
    }
    Ok(judged)
}

/// Rows of one number: those of the same order are one parcel, and orders of one receiver may lie in one together. To
/// strangers it goes only where somebody has said so of each row. Answers with the rows that are doubles, and of which.
fn share_numbers(judged: &mut [Judged], allowed: Allowed) -> Vec<(usize, usize)> {
    let mut of_number: HashMap<String, Vec<usize>> = HashMap::new();
    let mut doubles = Vec::new();
    for at in 0..judged.len() {
        let one = &judged[at];
        let Some(id) = one.order.as_ref().map(|order| order.id).filter(|_| !one.parcel.tracking_no.is_empty()) else {
            continue;
        };
        let rows = of_number.entry(one.parcel.tracking_no.clone()).or_default();
        let same = |other: &&usize| judged[**other].order.as_ref().is_some_and(|order| order.id == id);
        match rows.iter().find(same).copied() {
            Some(first) if judged[first].parcel.company != judged[at].parcel.company => {
                for (at, other) in [(at, first), (first, at)] {
                    let (line, other) = (judged[other].row.line, judged[other].parcel.company_text().to_owned());
                    let words =
                        format!("第 {line} 行是同一个单号，快递公司是{other}：请把两行改成一样的，或清空一行的单号");
                    if matches!(judged[at].verdict, Verdict::Ready | Verdict::Renumber) {
                        refuse(&mut judged[at], words);
                    }
                }
            }
            Some(first) => {
                let words = format!("与第 {} 行重复", judged[first].row.line);
                (judged[at].verdict, judged[at].note) = (Verdict::Same, words);
                doubles.push((at, first));
            }
            None => rows.push(at),
        }
    }
    for (number, rows) in of_number.into_iter().filter(|(_, rows)| rows.len() > 1) {
        let places: Vec<_> = rows.iter().map(|at| judged[*at].order.as_ref().map(goes_to)).collect();
        let strangers = |n: usize| (0..rows.len()).filter(|other| places[*other] != places[n]).collect::<Vec<_>>();
        let strangers: Vec<Vec<usize>> = (0..rows.len()).map(strangers).collect();
        for (n, at) in rows.iter().enumerate() {
            let line = |other: usize| judged[rows[other]].row.line;
            let asks: Vec<String> = strangers[n]
                .iter()
                .filter_map(|other| Some(shares(&number, &judged[rows[*other]].order.as_ref()?.order_no)))
                .collect();
            let merge = "几单合成一个包裹请勾选“合并发货”";
            let words = match (strangers[n].first(), n.checked_sub(1)) {
                (Some(other), _) if !asks.iter().all(|key| judged[*at].row.agreed.contains(key)) => {
                    let (line, whom) = (line(*other), receivers(false));
                    let sure = "请核对是哪一单的；真是装在一个包裹里的，在这里保存一次就能发";
                    Some((format!("单号与第 {line} 行相同（{whom}）：{sure}"), asks))
                }
                (Some(_), Some(before)) if !allowed.merge => {
                    let (line, whom) = (line(before), receivers(false));
                    Some((format!("单号与第 {line} 行相同（{whom}）；{merge}"), Vec::new()))
                }
                // A yes to this row alone will do.
                (None, Some(before)) if !allowed.merge && judged[*at].verdict == Verdict::Ready => {
                    let key = judged[rows[before]].order.as_ref().map(|other| shares(&number, &other.order_no));
                    let (line, whom, key) = (line(before), receivers(true), key.unwrap_or_default());
                    let words = format!("单号与第 {line} 行相同（{whom}）；{merge}，或在这里保存一次");
                    Some((words, vec![key])).filter(|(_, asks)| !judged[*at].row.agreed.contains(&asks[0]))
                }
                _ => None,
            };
            if let Some((words, asks)) = words
                && matches!(judged[*at].verdict, Verdict::Ready | Verdict::Renumber)
            {
                refuse(&mut judged[*at], words);
                judged[*at].asks = asks;
            }
        }
    }
    doubles
}

/// A number that is shorter or longer than all the others of its carrier that begin alike has lost a part, or got one; and
/// one that its carrier cannot have given out is another's, or no parcel's.
fn ask_about_numbers(judged: &mut [Judged]) {
    let mut of_carrier: HashMap<String, Vec<String>> = HashMap::new();
    for parcel in judged.iter().map(|one| &one.parcel).filter(|parcel| !parcel.tracking_no.is_empty()) {
        let numbers = of_carrier.entry(parcel.company.clone()).or_default();
        if !numbers.contains(&parcel.tracking_no) {
            numbers.push(parcel.tracking_no.clone());
        }
    }
    for one in judged.iter_mut().filter(|one| matches!(one.verdict, Verdict::Ready | Verdict::Renumber)) {
        let own = one.parcel.tracking_no.clone();
        let found = Found { parcel: one.parcel.clone(), by: one.by };
        let strange = strange(&found).map(|words| (words.clone(), format!("{words} {own}")));
        let cut = of_another_length(&own, &of_carrier[&one.parcel.company])
            .map(|words| (words, format!("{own} {} 位", own.len())));
        let asked = cut.into_iter().chain(strange).filter(|(_, key)| !one.row.agreed.contains(key));
        let (words, asks): (Vec<String>, Vec<String>) = asked.unzip();
        if !words.is_empty() {
            one.open = words.iter().cloned().zip(asks.iter().cloned()).collect();
            refuse(one, format!("{}：请核对；没错的话，在这里保存一次就能发", words.join("；")));
            one.asks = asks;
        }
    }
}

fn of_another_length(own: &str, numbers: &[String]) -> Option<String> {
    let alike = |other: &&String| **other != own && begin_alike(other, own);
    let lengths: Vec<usize> = numbers.iter().filter(alike).map(String::len).collect();
    let usual = lengths.first().copied().filter(|usual| lengths.iter().all(|length| length == usual));
    let usual = usual.filter(|usual| lengths.len() >= 3 && *usual != own.len())?;
    let what = if own.len() < usual { "少了几位" } else { "多了几位" };
    Some(format!("这个单号 {} 位，同样开头的都是 {usual} 位，像是{what}", own.len()))
}

/// The same letters in front of digits, or the same first digits.
fn begin_alike(one: &str, other: &str) -> bool {
    let letters = |text: &str| text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let first = letters(one).max(4);
    letters(one) == letters(other) && one.get(..first).is_some_and(|head| other.starts_with(head))
}

/// The key of the question whether a number goes to another order's receiver too.
fn shares(number: &str, other: &OrderNo) -> String {
    format!("{number} {other}")
}

/// Whose a number of which nobody has written it may be.
fn whose(parcel: &Parcel, by: By) -> String {
    match by {
        By::Guess => format!("没写公司：单号像是{}，不对请改", parcel.company_text()),
        By::Memory => format!("没写公司：这样的单号上次选的是{}，不对请改", parcel.company_text()),
        By::Number | By::Said => String::new(),
    }
}

/// A parcel that has left gets one new number: where a table has several for its order, nobody knows which is meant.
fn renumber_once(judged: &mut [Judged]) {
    let mut numbers: HashMap<OrderId, HashSet<String>> = HashMap::new();
    for one in judged.iter().filter(|one| !one.parcel.tracking_no.is_empty()) {
        if let Some(order) = &one.order {
            numbers.entry(order.id).or_default().insert(one.parcel.tracking_no.clone());
        }
    }
    let several = |one: &Judged| one.order.as_ref().is_some_and(|order| numbers[&order.id].len() > 1);
    for one in judged.iter_mut().filter(|one| one.verdict == Verdict::Renumber && several(one)) {
        refuse(one, "这笔订单在表里有几个单号：要改单号请在订单页改".into());
    }
}

/// Rows that name what they take come first, then those that say how many pieces; the others take what is left of their
/// order.
fn turns<'a>(rows: impl Iterator<Item = (&'a Row, bool)>) -> Vec<usize> {
    let key = |(row, names): (&Row, bool)| (!names, row.pieces.trim().is_empty());
    let mut turns: Vec<(usize, (bool, bool))> = rows.map(key).enumerate().collect();
    turns.sort_by_key(|(_, key)| *key);
    turns.into_iter().map(|(at, _)| at).collect()
}

/// Rows of one order that fit each by itself and not together: which of them is right nobody knows, so none goes.
fn ask_which(conn: &Connection, judged: &mut [Judged], claims: &[Claim]) -> Result<()> {
    let mut of_order: HashMap<OrderId, Vec<usize>> = HashMap::new();
    for (at, one) in judged.iter().enumerate().filter(|(_, one)| one.verdict == Verdict::Ready || one.may_hold()) {
        if let Some(order) = &one.order {
            of_order.entry(order.id).or_default().push(at);
        }
    }
    for (id, mut rows) in of_order.into_iter().filter(|(_, rows)| rows.len() > 1) {
        let parts = Parts::new(orders::lines(conn, id)?);
        let fitting: Vec<usize> = rows.iter().copied().filter(|at| parts.fits(&claims[*at])).collect();
        if ask_which_holds(judged, &fitting, parts.left()) {
            continue;
        }
        rows.retain(|at| judged[*at].verdict == Verdict::Ready);
        let Some(sum) = parts.overdrawn(rows.iter().map(|at| &claims[*at])) else { continue };
        let (n, left) = (rows.len(), parts.left());
        for at in rows {
            let words = format!(
                "这笔订单在表里有 {n} 行，件数合起来 {sum} 件，没发的只有 {left} 件：请各写各的件数，合起来不超过 {left} 件；或都空着"
            );
            refuse(&mut judged[at], words);
        }
    }
    Ok(())
}

/// More parcels than an order has pieces: mostly a later number puts an earlier one right, and once in a while one piece
/// lies in two boxes.
fn ask_which_holds(judged: &mut [Judged], rows: &[usize], left: i64) -> bool {
    let number = |at: &usize| judged[*at].row.tracking_no.trim().to_owned();
    let mut numbers: Vec<String> = rows.iter().map(number).collect();
    numbers.sort_unstable();
    numbers.dedup_by(|one, other| TrackingNo::read(one) == TrackingNo::read(other));
    if numbers.len() as i64 <= left {
        return false;
    }
    let key = format!("{left} / {}", numbers.join(" "));
    let named = |at: &usize| format!("第 {} 行 {}", judged[*at].row.line, number(at));
    let (n, all) = (numbers.len(), rows.iter().map(named).collect::<Vec<_>>().join("、"));
    let which = "后写的多半是更正，请清空不要的单号；真是分装成几个包裹的，每一行都在这里保存一次就能发";
    let words = format!("这笔订单没发的只有 {left} 件，表里却有 {n} 个单号（{all}）：{which}");
    for at in rows {
        let one = &mut judged[*at];
        if one.verdict == Verdict::Ready && !one.row.agreed.contains(&key) {
            refuse(one, words.clone());
            one.asks = vec![key.clone()];
        }
    }
    true
}

fn share_out(conn: &Connection, judged: &mut [Judged], mut claims: Vec<Claim>) -> Result<()> {
    let mut parts: HashMap<OrderId, Parts> = HashMap::new();
    let names = |claim: &Claim| matches!(claim, Claim::Goods(_) | Claim::GoodsBut(..));
    for at in turns(judged.iter().zip(&claims).map(|(one, claim)| (&one.row, names(claim)))) {
        let one = &mut judged[at];
        let Some(id) = one.order.as_ref().map(|order| order.id).filter(|_| one.verdict == Verdict::Ready) else {
            continue;
        };
        let parts = match parts.entry(id) {
            Entry::Occupied(parts) => parts.into_mut(),
            Entry::Vacant(place) => place.insert(Parts::new(orders::lines(conn, id)?)),
        };
        parts.take(one, std::mem::take(&mut claims[at]));
    }
    Ok(())
}

/// What the rows of a table leave of an order, from one to the next.
struct Parts {
    lines: Vec<Line>,
    left: Vec<(LineId, i64)>,
    ordered: i64,
    first: Option<usize>,
}

impl Parts {
    fn new(lines: Vec<Line>) -> Parts {
        let ordered = lines.iter().map(|line| line.quantity).sum();
        Parts { left: lines.iter().map(|line| (line.id, line.left())).collect(), ordered, first: None, lines }
    }

    fn left(&self) -> i64 {
        self.left.iter().map(|(_, n)| n).sum()
    }

    /// Whether a row could have what it wants if it were alone.
    fn fits(&self, claim: &Claim) -> bool {
        match claim {
            Claim::Count(written) => {
                tables::count(written).is_some_and(|n| n == self.ordered || (1..=self.left()).contains(&n))
            }
            Claim::CountOf(n, _) => *n <= self.left(),
            Claim::Unknown(_) => false,
            Claim::Rest | Claim::RestOf(_) | Claim::Goods(_) | Claim::GoodsBut(..) => true,
        }
    }

    /// How many pieces rows want together, where each alone could have its own and all of them cannot.
    fn overdrawn<'a>(&self, claims: impl Iterator<Item = &'a Claim>) -> Option<i64> {
        let left = self.left();
        let wanted = claims.filter_map(|claim| match claim {
            Claim::Count(written) => tables::count(written),
            Claim::CountOf(n, _) => Some(*n),
            _ => None,
        });
        // As the order's own list has it, with what was sent or given back.
        let wanted: Vec<i64> = wanted.map(|n| if n == self.ordered { left } else { n }).collect();
        let sum = wanted.iter().try_fold(0, |sum, n| Some(sum + n).filter(|_| *n <= left))?;
        (sum > left).then_some(sum)
    }

    /// Gives a row its pieces: the goods that it names, so many line after line, or all that are left.
    fn take(&mut self, judged: &mut Judged, claim: Claim) {
        let first = *self.first.get_or_insert(judged.row.line);
        if first != judged.row.line {
            judged.note = format!("第 {first} 行已经有这笔订单：这是它的另一个包裹");
        }
        let (left, mut guessed, mut beside) = (self.left(), None, None);
        let pieces = match claim {
            Claim::Unknown(why) => return refuse(judged, why),
            Claim::Rest | Claim::RestOf(_) if left == 0 => {
                judged.share = Share::Beside;
                judged.note += match judged.row.goods.quantity.is_empty() {
                    true => "；没写件数，商品都记在那一个包裹里",
                    false => "；写的件数分不出哪件在哪个包裹，商品都记在那一个包裹里",
                };
                return;
            }
            Claim::Rest => return self.take_the_rest(),
            Claim::RestOf(words) => {
                judged.note = words;
                return self.take_the_rest();
            }
            Claim::Goods(pieces) => {
                judged.by_goods = true;
                pieces
            }
            Claim::GoodsBut(pieces, others) => {
                (judged.by_goods, beside) = (true, Some(others));
                pieces
            }
            Claim::Count(written) => match tables::count(&written) {
                // As the order's own list has it, with what was sent or given back.
                Some(n) if n == self.ordered && first == judged.row.line => return self.take_the_rest(),
                Some(n) if (1..=left).contains(&n) => self.line_after_line(n),
                Some(n) if n < 1 => {
                    return refuse(judged, format!("件数写的是 {n}：要发的请写 1 或更多，不发的请清空单号"));
                }
                Some(n) => return refuse(judged, format!("件数 {n} 超过还没发的 {left} 件")),
                None => return refuse(judged, format!("件数「{written}」不是整数")),
            },
            Claim::CountOf(n, _) if n > left => return refuse(judged, format!("件数 {n} 超过还没发的 {left} 件")),
            Claim::CountOf(n, why) if n == left => {
                judged.note = format!("{why}：没发的 {n} 件一起发");
                return self.take_the_rest();
            }
            Claim::CountOf(n, why) => {
                guessed = Some(why);
                self.line_after_line(n)
            }
        };
        let pieces: Vec<(LineId, i64)> =
            pieces.into_iter().map(|(line, n)| (line, n.min(self.left_of(line)))).collect();
        let taken: i64 = pieces.iter().map(|(_, n)| n).sum();
        if taken == 0 {
            return refuse(judged, "这一行的商品都已经发了".to_owned());
        }
        for (line, n) in &mut self.left {
            *n -= pieces.iter().filter(|(taken, _)| taken == line).map(|(_, n)| n).sum::<i64>();
        }
        judged.stays = left - taken;
        if judged.by_goods || guessed.is_some() {
            let text = |line: &Line| Some(line.text_of(pieces.iter().find(|(id, n)| *id == line.id && *n > 0)?.1));
            let goods = self.lines.iter().filter_map(text).collect::<Vec<_>>().join("、");
            let why = guessed.map(|why| format!("{why}，按订单的顺序分：")).unwrap_or_default();
            let beside = beside.map(|others| format!("{others}，没有算进来；")).unwrap_or_default();
            judged.note = format!("{why}{beside}这个包裹：{goods}；还剩 {} 件", judged.stays);
        } else if judged.stays > 0 {
            judged.note = format!("这个包裹 {taken} 件，还剩 {} 件", judged.stays);
        }
        judged.share = Share::Pieces(pieces);
    }

    fn take_the_rest(&mut self) {
        self.left.iter_mut().for_each(|(_, n)| *n = 0);
    }

    fn left_of(&self, line: LineId) -> i64 {
        self.left.iter().find(|(id, _)| *id == line).map_or(0, |(_, n)| *n)
    }

    fn line_after_line(&self, wanted: i64) -> Vec<(LineId, i64)> {
        let mut missing = wanted;
        let taken = |(line, n): &(LineId, i64)| {
            let taken = missing.min(*n);
            missing -= taken;
            (*line, taken)
        };
        self.left.iter().map(taken).collect()
    }
}

/// Orders of which something stays, by what leaves it: pieces that were counted, rows of goods without a number.
pub fn left_in_part(judged: &[Judged]) -> (usize, usize) {
    let ready = || judged.iter().filter(|one| one.row.done.is_none() && one.verdict == Verdict::Ready);
    let of = |one: &Judged| one.order.as_ref().map(|order| order.id);
    let whole: HashSet<_> = ready().filter(|one| one.stays == 0).filter_map(of).collect();
    let part = |by_goods: bool| -> HashSet<OrderId> {
        ready().filter(|one| one.by_goods == by_goods).filter_map(of).filter(|id| !whole.contains(id)).collect()
    };
    (part(false).len(), part(true).len())
}

fn refuse(judged: &mut Judged, note: String) {
    (judged.verdict, judged.note) = (Verdict::Wrong, note);
}

/// One row, with what it says against itself and against its order.
fn alone(conn: &Connection, carriers: &Carriers, row: &Row, allowed: Allowed) -> Result<Judged> {
    let mut judged = by_its_cells(conn, carriers, row, allowed)?;
    let (number, order) = (judged.parcel.tracking_no.clone(), judged.order.as_ref());
    let order_no = order.map_or_else(String::new, |order| order.order_no.to_string());
    let key = |words: &str| format!("{words} {order_no} {number}");
    let open = row.beside().map(|words| (words.to_owned(), key(words)));
    judged.open = open.filter(|(_, key)| !row.agreed.contains(key)).collect();
    let words = judged.open.iter().map(|(words, _)| words.as_str()).collect::<Vec<_>>().join("；");
    match judged.verdict {
        _ if words.is_empty() => {}
        Verdict::Ready | Verdict::Renumber => {
            judged.asks = judged.open.iter().map(|(_, key)| key.clone()).collect();
            judged.parcel = Parcel::default();
            refuse(&mut judged, format!("{words}：请核对；没错的话，在这里保存一次就能发"));
        }
        Verdict::Wrong => judged.note = format!("{}；{words}", judged.note),
        Verdict::Same | Verdict::Empty => judged.open.clear(),
    }
    Ok(judged)
}

fn by_its_cells(conn: &Connection, carriers: &Carriers, row: &Row, allowed: Allowed) -> Result<Judged> {
    let order = meant(conn, &row.order_no)?;
    let address = order.as_ref().and_then(|order| order.address.as_ref());
    let mut judged = Judged {
        row: row.clone(),
        verdict: Verdict::Wrong,
        parcel: Parcel::default(),
        share: Share::Rest,
        stays: 0,
        by_goods: false,
        receiver: address.map(|address| address.masked_receiver()).unwrap_or_default(),
        note: String::new(),
        asks: Vec::new(),
        open: Vec::new(),
        by: By::Number,
        whose: String::new(),
        facts: order.as_ref().map(|order| facts(conn, order)).transpose()?.unwrap_or_default(),
        order,
    };
    let number = OrderNo::read(&row.order_no);
    let in_its_cells = row.in_its_cells();
    if in_its_cells.is_empty() && row.tracking_no.trim().is_empty() && (judged.order.is_some() || number.is_some()) {
        (judged.verdict, judged.note) = (Verdict::Empty, "没有填快递单号".into());
        return Ok(judged);
    }
    let Some(order) = judged.order.clone() else {
        let words = match number {
            Some(_) => "没有这笔订单",
            None => "订单号不对：应为 18 位，例如 20261008ABCDEFGHJK",
        };
        refuse(&mut judged, words.into());
        return Ok(judged);
    };
    if !in_its_cells.is_empty() {
        refuse(&mut judged, in_its_cells);
        return Ok(judged);
    }
    if let Err(Problem::Several(numbers)) = TrackingNo::read(&row.tracking_no) {
        // As the list of orders has it.
        let shipments = orders::shipments(conn, order.id)?;
        if numbers.iter().all(|number| shipments.iter().any(|s| s.parcel.tracking_no == number.as_str())) {
            (judged.verdict, judged.note) = (Verdict::Same, "已用这些单号发货，不会重复".into());
            return Ok(judged);
        }
    }
    if let Err(Problem::Phone(phone)) = TrackingNo::read(&row.tracking_no)
        && let Some(whose) = super::own_number(conn, &order, phone.as_str())?
    {
        refuse(&mut judged, format!("这是这笔订单的{whose}，不是快递单号"));
        return Ok(judged);
    }
    let found = match Found::read(conn, carriers, &row.company, &row.tracking_no) {
        Ok(found) => found,
        Err(e) if e.code == Code::Internal => return Err(e),
        Err(e) => {
            let words = e.fields.values().filter_map(|words| words.as_str()).collect::<Vec<_>>().join("；");
            refuse(&mut judged, words);
            return Ok(judged);
        }
    };
    judged.parcel = found.parcel;
    if let Some(whose) = super::own_number(conn, &order, &judged.parcel.tracking_no)? {
        refuse(&mut judged, format!("这是这笔订单的{whose}，不是快递单号"));
        return Ok(judged);
    }
    (judged.verdict, judged.note, judged.asks) = weigh(conn, &order, &judged.parcel, allowed, &row.agreed)?;
    (judged.by, judged.whose) = (found.by, whose(&judged.parcel, found.by));
    Ok(judged)
}

/// Where a parcel goes, what of the order is still to leave, and whether it may.
fn facts(conn: &Connection, order: &Order) -> Result<u64> {
    let address = order.address.as_ref().map(|to| format!("{} {} {}", to.receiver, to.phone, to.one_line()));
    let left =
        orders::lines(conn, order.id)?.iter().map(|line| format!("{}:{}", line.id, line.left())).collect::<String>();
    let refund = if refunds::any_open(conn, order.id)? { "refund" } else { "" };
    let doubt = Doubt::of(conn, order.id)?.map(|doubt| doubt.text());
    Ok(mark([order.status.word(), &address.unwrap_or_default(), &left, refund, &doubt.unwrap_or_default()]))
}

/// The verdict, its words, and what a yes to them would agree to where they are a question.
fn weigh(
    conn: &Connection,
    order: &Order,
    parcel: &Parcel,
    allowed: Allowed,
    agreed: &[String],
) -> Result<(Verdict, String, Vec<String>)> {
    let (verdict, words) = by_its_state(conn, order, parcel, allowed)?;
    if !matches!(verdict, Verdict::Ready | Verdict::Renumber) {
        return Ok((verdict, words, Vec::new()));
    }
    let Some(twin) = Twin::of(conn, order, &parcel.tracking_no)? else { return Ok((verdict, words, Vec::new())) };
    let (by, key) = (twin.text(), shares(&parcel.tracking_no, &twin.order_no));
    Ok(match (twin.same_receiver, allowed.merge) {
        (true, false) if verdict == Verdict::Renumber => (verdict, words, Vec::new()),
        (true, true) => (verdict, words, Vec::new()),
        (true, false) if agreed.contains(&key) => (verdict, words, Vec::new()),
        (_, false) => (Verdict::Wrong, format!("{by}；几单合成一个包裹请勾选“合并发货”"), Vec::new()),
        (false, true) if agreed.contains(&key) => (verdict, words, Vec::new()),
        (false, true) => (Verdict::Wrong, format!("{by}；真是装在一个包裹里的，在这里保存一次就能发"), vec![key]),
    })
}

fn by_its_state(conn: &Connection, order: &Order, parcel: &Parcel, allowed: Allowed) -> Result<(Verdict, String)> {
    if order.delivery != Delivery::Express {
        return Ok((Verdict::Wrong, format!("这笔订单是「{}」，不用快递", order.delivery.text())));
    }
    let shipments = orders::shipments(conn, order.id)?;
    if shipments.iter().any(|s| s.parcel == *parcel) {
        return Ok((Verdict::Same, "已用这个单号发货，不会重复".into()));
    }
    match order.status {
        OrderStatus::ToShip => {}
        OrderStatus::Shipped if shipments.len() == 1 => {
            let was = format!("已用 {} 发货", shipments[0].parcel.text());
            return Ok(match allowed.renumber {
                true => (Verdict::Renumber, format!("{was}，将改单号")),
                false => (Verdict::Wrong, format!("{was}；要改单号请勾选“改已发货的单号”")),
            });
        }
        OrderStatus::Shipped => return Ok((Verdict::Wrong, "已分几个包裹发货，请在订单页改单号".into())),
        status => return Ok((Verdict::Wrong, format!("订单是「{}」，不能发货", status.text()))),
    }
    if refunds::any_open(conn, order.id)? {
        return Ok((Verdict::Wrong, "有退款正在处理，请先处理退款，或在订单页单独发货".into()));
    }
    if let Some(doubt) = Doubt::of(conn, order.id)? {
        let next = match doubt {
            Doubt::GoneBack(_) => "核对过的请在订单页单独发货",
            Doubt::Denied(..) => "系统在再向微信查，稍后点“重新核对”；到商户平台核对过的请在订单页单独发货",
            Doubt::Unasked(_) | Doubt::Noticed(_) => "系统在逐笔问，稍后点“重新核对”；等不及的请在订单页单独发货",
        };
        return Ok((Verdict::Wrong, format!("{}：{next}", doubt.text())));
    }
    let left: i64 = orders::lines(conn, order.id)?.iter().map(|line| line.left()).sum();
    let note =
        if shipments.is_empty() { String::new() } else { format!("已部分发货，这次发其余 {left} 件") };
    Ok((Verdict::Ready, note))
}

/// What somebody made of a row on the page.
pub struct Mended {
    pub order_no: String,
    pub company: String,
    pub tracking_no: String,
    pub pieces: String,
}

/// Takes a row as somebody mended it. Saved as it stood it is the yes to what was asked of it, and to nothing else; another
/// text in a cell ends what was asked of that cell alone.
pub fn mend(tx: &Tx, id: BatchId, at: usize, mended: &Mended, regions: &Regions) -> Result<()> {
    let mut batch = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
    let asks = judge(tx, &batch.rows, batch.allowed)?.into_iter().nth(at).ok_or(Code::NotFound)?.asks;
    let row = &mut batch.rows[at];
    if row.done.is_some() {
        return Err(Error::from(Code::OrderState).says("这一行已经执行了，请在订单页改"));
    }
    let own = |text: &str| text.trim().chars().take(400).collect::<String>();
    let was = std::mem::take(row);
    *row = Row {
        order_no: own(&mended.order_no),
        company: own(&mended.company),
        tracking_no: own(&mended.tracking_no),
        pieces: own(&mended.pieces),
        ..was.clone()
    };
    let moved = |of: Of| bare(was.cell(of)) != bare(row.cell(of));
    let moved: Vec<Of> = Of::CELLS.into_iter().filter(|of| moved(*of)).collect();
    match moved.is_empty() {
        // What is asked of its cells comes before what the row says beside them.
        true => row.agreed.extend(asks),
        false if moved.contains(&Of::Order) || moved.contains(&Of::Number) => row.agreed.clear(),
        false => {}
    }
    row.questions.retain(|question| match moved.is_empty() {
        true => !question.of.is_a_cell(),
        false if question.of == Of::Rest => !moved.contains(&Of::Order) && !moved.contains(&Of::Pieces),
        false => !moved.contains(&question.of),
    });
    if moved.contains(&Of::Order) {
        whom::held_anew(tx, row, regions)?;
        if !moved.contains(&Of::Pieces) {
            whom::pieces_asked_anew(tx, row)?;
        }
    }
    Ok(store::set_rows(tx, id, &batch.rows)?)
}

/// What several rows ask in the same words, with how many they are.
pub fn asked_alike(judged: &[Judged]) -> Vec<(String, usize)> {
    let mut asked: Vec<(String, usize)> = Vec::new();
    let waiting = judged.iter().filter(|one| one.row.done.is_none());
    for (words, _) in waiting.flat_map(|one| one.open.iter().filter(|(_, key)| one.asks.contains(key))) {
        match asked.iter_mut().find(|(known, _)| known == words) {
            Some((_, n)) => *n += 1,
            None => asked.push((words.clone(), 1)),
        }
    }
    asked.retain(|(_, n)| *n > 1);
    asked.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    asked
}

/// One answer to what several rows say in the same words; what else they ask stays asked. It is a yes, or that what they
/// count are parcels: then the whole of each order leaves. Answers with how many they are.
pub fn agree(tx: &Tx, id: BatchId, words: &str, whole: bool) -> Result<usize> {
    let mut batch = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
    let judged = judge(tx, &batch.rows, batch.allowed)?;
    let mut n = 0;
    for (row, one) in batch.rows.iter_mut().zip(judged).filter(|(row, _)| row.done.is_none()) {
        let asked = one.open.into_iter().filter(|(own, key)| own == words && one.asks.contains(key));
        let keys: Vec<String> = asked.map(|(_, key)| key).collect();
        n += usize::from(!keys.is_empty());
        if whole && words == whom::MAYBE_PARCELS && !keys.is_empty() {
            row.pieces.clear();
            row.questions.retain(|question| question.of != Of::Rest);
            continue;
        }
        row.agreed.extend(keys);
    }
    store::set_rows(tx, id, &batch.rows)?;
    Ok(n)
}

/// Carries out every row that can be, each in its own transaction; the others are left as they are. A row is judged
/// once more inside it. Answers with how many went well, and with why others did not. Running a batch twice ships
/// nothing twice, and one whose rows are not what was shown ships nothing: `seen` is the mark of the page on which
/// somebody said go.
pub async fn run(shop: &Shop, staff: &Staff, batch: &Batch, seen: Option<&str>) -> Result<(usize, Vec<String>)> {
    let (id, mut rows, allowed) = (batch.id, batch.rows.clone(), batch.allowed);
    let (mut fine, mut stay) = (0, Vec::new());
    let plan = {
        let rows = rows.clone();
        shop.read(move |conn| judge(conn, &rows, allowed)).await?
    };
    let waiting = (0..rows.len()).filter(|at| rows[*at].done.is_none());
    if let Err(next) = batch.shown.agreed(shown(&plan), seen, waiting) {
        let why = Error::from(Code::OrderState).says(next.why());
        shop.write(move |tx| Ok(store::set_shown(tx, id, &next)?)).await?;
        return Err(why);
    }
    let mut begun = HashSet::new();
    // What takes all that is left goes behind those whose pieces are known.
    for at in turns(plan.iter().map(|one| (&one.row, matches!(one.share, Share::Pieces(_))))) {
        let (row, judged) = (&mut rows[at], plan[at].clone());
        if row.done.is_some() || !matches!(judged.verdict, Verdict::Ready | Verdict::Renumber) {
            continue;
        }
        let (staff, first) = (staff.clone(), begun.insert(judged.order.as_ref().map(|order| order.id)));
        let outcome = shop.write(move |tx| carry_out(tx, &judged, allowed, first, &staff)).await;
        match outcome {
            Ok((done, shipment)) => {
                fine += 1;
                (row.done, row.shipment) = (Some(done), shipment.map(|id| id.0));
                (row.says, row.remarks) = (Says::default(), Vec::new());
            }
            Err(e) if e.code == Code::Internal => return Err(e),
            Err(e) => stay.push(format!("第 {} 行：{}", row.line, e.message())),
        }
    }
    shop.write(move |tx| Ok(store::set_ran(tx, id, &rows)?)).await?;
    Ok((fine, stay))
}

/// What was done, and the parcel that it became.
fn carry_out(
    tx: &Tx,
    judged: &Judged,
    allowed: Allowed,
    first: bool,
    staff: &Staff,
) -> Result<(String, Option<ShipmentId>)> {
    let id = judged.order.as_ref().ok_or(Code::NotFound)?.id;
    let order = orders::by_id(tx, id)?.ok_or(Code::NotFound)?;
    // The rows before have changed it for those that come after the first.
    if first && facts(tx, &order)? != judged.facts {
        return Err(Error::from(Code::OrderState).says("订单刚刚变了，请再核对"));
    }
    let (who, parcel) = (Who::staff(&staff.name), judged.parcel.clone());
    let (done, sent) = if judged.share == Share::Beside {
        send_beside(tx, &order, &parcel, allowed.merge, &who)?;
        (format!("又一个包裹 {}", parcel.text()), true)
    } else {
        match weigh(tx, &order, &parcel, allowed, &judged.row.agreed)? {
            (Verdict::Ready, ..) => {
                let done = format!("已发货 {}", parcel.text());
                let pieces = match &judged.share {
                    Share::Pieces(pieces) => Some(pieces.clone()),
                    Share::Rest | Share::Beside => None,
                };
                ship(tx, id, &Sending { parcel, pieces, merge: allowed.merge, ..Sending::default() }, &who)?;
                (done, true)
            }
            (Verdict::Renumber, ..) => {
                let shipment = orders::shipments(tx, id)?.into_iter().next().ok_or(Code::NotFound)?;
                let was = renumber(tx, id, shipment.id, &parcel, allowed.merge, &who)?;
                (format!("单号 {} 改为 {}", was.text(), parcel.text()), false)
            }
            (_, why, _) => return Err(Error::from(Code::OrderState).says(why)),
        }
    };
    audit(tx, staff, &format!("批量发货 {}：{done}", order.order_no))?;
    let shipment = orders::shipments(tx, id)?.last().filter(|_| sent).map(|shipment| shipment.id);
    Ok((done, shipment))
}

/// Takes back, while there is time, every parcel that a batch has sent. Answers with how many, and with why others stay.
pub async fn undo(shop: &Shop, staff: &Staff, batch: &Batch) -> Result<(usize, Vec<String>)> {
    let (mut rows, mut fine, mut stay) = (batch.rows.clone(), 0, Vec::new());
    // The last first: a parcel that goes with another is taken back before it.
    let mut latest: Vec<usize> = (0..rows.len()).collect();
    latest.sort_by_key(|at| std::cmp::Reverse(rows[*at].shipment));
    for at in latest {
        let row = &mut rows[at];
        let Some(shipment) = row.shipment.map(ShipmentId) else { continue };
        let staff = staff.clone();
        let (written, done) = (row.order_no.clone(), row.done.clone().unwrap_or_default());
        let take_back = move |tx: &Tx| {
            let order = meant(tx, &written)?.ok_or(Code::NotFound)?;
            let now = orders::shipments(tx, order.id)?.into_iter().find(|one| one.id == shipment);
            if let Some(now) = now.map(|one| one.parcel.text()).filter(|now| !done.ends_with(now)) {
                return Err(Error::from(Code::OrderState).says(format!("单号后来改成了 {now}，没有撤销")));
            }
            let parcel = super::undo(tx, order.id, shipment, &Who::staff(&staff.name))?;
            audit(tx, &staff, &format!("整批撤销 {} {}", order.order_no, parcel.text()))?;
            Ok(())
        };
        match shop.write(take_back).await {
            Ok(()) => {
                fine += 1;
                (row.done, row.shipment) = (None, None);
            }
            Err(e) if e.code == Code::Internal => return Err(e),
            Err(e) => stay.push(format!("第 {} 行：{}", row.line, e.message())),
        }
    }
    let id = batch.id;
    shop.write(move |tx| Ok(store::set_rows(tx, id, &rows)?)).await?;
    Ok((fine, stay))
}
