//! Shipping: one parcel at a time or a whole table of them, and taking it back while there is time.

pub mod above;
pub mod batch;
pub mod beside;
pub mod claims;
pub mod desk;
pub mod doubt;
pub mod duty;
pub mod goods;
pub mod pointed;
pub mod register;
pub mod signs;
pub mod store;
pub mod table;
pub mod void;
pub mod whom;
pub mod within;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::catalogue::store as catalogue;
use crate::clock::{self, MINUTE};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{BatchId, LineId, OrderId, OrderNo, ShipmentId};
use crate::jobs::{self, Task};
use crate::orders::search::store as search;
use crate::orders::{Full, Line, Order, OrderStatus, RECEIVED_AFTER, Shipment, Topic, Who, moves, store as orders};
use crate::parcels::carriers::{anothers, could_carry, is_usual_of, recognise};
use crate::parcels::number::TrackingNo;
use crate::parcels::{By, Found, Parcel};
use crate::refunds::store as refunds;
use crate::settings::store as settings;
use crate::shown::{Shown, mark};
use crate::typed::bare;

/// A parcel that was entered by mistake can be taken back this long.
pub const UNDO_WITHIN: i64 = UNDO_MINUTES * MINUTE;
pub const UNDO_MINUTES: i64 = 30;

/// The same label again within this time is the scanner's doing rather than a packer's.
const SCANNED_TWICE: i64 = MINUTE;

/// What staff want to send.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    pub parcel: Parcel,
    /// These pieces of these lines; `None` is everything that is left.
    pub pieces: Option<Vec<(LineId, i64)>>,
    /// Although a refund is under way, or money may have gone back.
    pub despite_refund: bool,
    /// Other orders lie in the same parcel.
    pub merge: bool,
}

/// A row of a table of tracking numbers, as it was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Row {
    pub line: usize,
    /// Only where the file has several sheets.
    #[serde(default)]
    pub sheet: String,
    pub order_no: String,
    pub company: String,
    pub tracking_no: String,
    /// How many pieces are in this parcel; empty: all that are left.
    #[serde(default)]
    pub pieces: String,
    /// Whether couriers call so how many parcels there are; known while the table is read.
    #[serde(skip)]
    pub may_count_parcels: bool,
    /// Which goods the row is about, in tables that have a row for each.
    #[serde(default, skip_serializing_if = "Goods::is_none")]
    pub goods: Goods,
    /// What somebody is asked of it before it leaves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// What else stands there, for whoever looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// The same of a table that was brought in before questions were kept one by one.
    #[serde(default, skip_serializing)]
    pub problem: String,
    /// What somebody was asked of this row alone, and has said yes to: the keys of the questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreed: Vec<String>,
    /// What became of it, once the batch was carried out.
    #[serde(default)]
    pub done: Option<String>,
    /// The parcel that it became.
    #[serde(default)]
    pub shipment: Option<i64>,
    /// What else the row says of its order; of people no more is kept than is shown of them, and nothing once it has left.
    #[serde(default, skip_serializing_if = "Says::is_none")]
    pub says: Says,
}

impl Row {
    pub fn ask(&mut self, of: Of, words: impl Into<String>) {
        let question = Question { of, words: words.into() };
        if !question.words.is_empty() && !self.questions.contains(&question) {
            self.questions.push(question);
        }
    }

    /// What stands in a cell that can be mended.
    fn cell(&self, of: Of) -> &str {
        match of {
            Of::Order => &self.order_no,
            Of::Number => &self.tracking_no,
            Of::Company => &self.company,
            Of::Pieces => &self.pieces,
            Of::Row | Of::Receiver | Of::Rest => "",
        }
    }

    /// What is wrong in its cells, in words.
    pub fn in_its_cells(&self) -> String {
        let of_cells = self.questions.iter().filter(|question| question.of.is_a_cell());
        of_cells.map(|question| question.words.as_str()).collect::<Vec<_>>().join("；")
    }

    /// What it says against itself and against its order, in words.
    pub fn beside(&self) -> impl Iterator<Item = &str> {
        self.questions.iter().filter(|question| !question.of.is_a_cell()).map(|question| question.words.as_str())
    }
}

/// What is asked of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub of: Of,
    pub words: String,
}

/// What a question is about, and so what ends it: another text in its cell, or a yes to the row as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    Order,
    Number,
    Company,
    Pieces,
    /// The row, whatever is written into its cells: a yes holds for one order and one number.
    Row,
    /// The order that it names now.
    Receiver,
    /// What that order has besides the goods that its rows name: a number of pieces ends it too.
    Rest,
}

impl Of {
    const CELLS: [Of; 4] = [Of::Order, Of::Number, Of::Company, Of::Pieces];

    fn is_a_cell(self) -> bool {
        Of::CELLS.contains(&self)
    }
}

/// What a row says of the order that it is for, beside its number: each with the title above it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Says {
    pub receivers: Vec<(String, String)>,
    pub phones: Vec<(String, String)>,
    pub places: Vec<(String, String)>,
    /// Other numbers of an order.
    pub orders: Vec<(String, String)>,
    /// What its goods are called under other titles than theirs.
    #[serde(default)]
    pub named_goods: Vec<(String, String)>,
    pub goods: Goods,
    pub goods_title: String,
    /// What stands under titles that say nothing of it, until it is known which of these columns name goods.
    #[serde(skip)]
    pub others: Vec<(String, String)>,
    /// The cells of a row without headings, until it is known which of them are goods.
    #[serde(skip)]
    pub cells: Vec<String>,
}

/// What a cell is called that has no title.
pub const UNTITLED: &str = "没有列名的格";

/// What a row says beside what is read of it, under the title that stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    pub title: String,
    pub text: String,
    /// It stands out: somebody is asked, unless the shop itself has it of the order.
    #[serde(skip)]
    pub asks: bool,
}

impl Remark {
    pub fn text(&self) -> String {
        let title = if self.title.is_empty() { UNTITLED } else { &self.title };
        format!("「{title}」写的是“{}”", self.text)
    }
}

impl Says {
    fn is_none(&self) -> bool {
        *self == Says::default()
    }
}

/// What a row of goods says of them, as it was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Goods {
    pub quantity: String,
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub spec: String,
}

impl Goods {
    fn is_none(&self) -> bool {
        *self == Goods::default()
    }
}

/// What was read of a table.
#[derive(Debug, Default)]
pub struct Brought {
    pub rows: Vec<Row>,
    /// Which column was read as what, and what was left out: sentences.
    pub read_as: Vec<String>,
}

/// What staff allowed beyond the plain case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// A parcel that has left gets the number of the table.
    pub renumber: bool,
    /// Several orders go out in one parcel.
    pub merge: bool,
}

/// A table that was brought in, and what became of it.
#[derive(Clone, Debug)]
pub struct Batch {
    pub id: BatchId,
    pub who: String,
    pub at: i64,
    pub allowed: Allowed,
    pub rows: Vec<Row>,
    /// Which column was read as what, and what was left out.
    pub read_as: Vec<String>,
    pub ran_at: Option<i64>,
    /// What was last shown of the rows.
    pub shown: Shown,
}

/// What WeChat was told of an order.
pub struct Told {
    pub times: i64,
    pub content: String,
}

/// A mark of what is to be put into a parcel now, and of whom that goes to: a click is on what somebody has seen.
pub fn to_send(full: &Full) -> String {
    let goods = full.to_pack().into_iter().map(|(line, n)| format!("{}:{n}", line.id));
    let to = full.order.address.as_ref().map(|to| format!("{} {} {}", to.receiver, to.phone, to.one_line()));
    let parts: Vec<String> = goods.chain(to).collect();
    format!("{:016x}", mark(parts.iter().map(String::as_str)))
}

/// Errors: it has become another since somebody saw it. One that waits no longer says for itself where it went.
pub fn must_be_as_seen(conn: &Connection, order: &Order, seen: Option<&str>) -> Result<()> {
    let Some(seen) = seen.filter(|_| order.options().ship) else { return Ok(()) };
    if to_send(&orders::full(conn, order.clone())?) == seen {
        return Ok(());
    }
    Err(Error::from(Code::OrderState).says("要发的货或收货人刚刚变了，还没有发货：请照现在的再核对一遍"))
}

/// Why a number can be none of the service that somebody wrote beside it, or of the one that it begins as.
pub fn strange(Found { parcel, by }: &Found) -> Option<String> {
    let (number, named) = (TrackingNo::read(&parcel.tracking_no).ok()?, parcel.carrier());
    if *by != By::Said {
        let begins = recognise(&number).is_some_and(|guess| guess.code == named.code);
        let words = || format!("单号开头像{}的，位数或字母不像它家的", named.name);
        return (begins && !is_usual_of(&named, &number)).then(words);
    }
    match anothers(&named, &number) {
        Some(whose) => Some(format!("写的是{}，单号却像是{}的", named.name, whose.name)),
        None if is_usual_of(&named, &number) => None,
        None if could_carry(&named, &number) => {
            Some(format!("写的是{}，单号的位数不像它家的，多半少了或多了几位", named.name))
        }
        None => Some(format!("写的是{}，单号不像它家的", named.name)),
    }
}

/// Errors: in the field `as_written`, which is what to say where somebody has looked.
pub fn must_fit(found: &Found, as_written: bool) -> Result<()> {
    match strange(found).filter(|_| !as_written) {
        Some(words) => Err(Error::field("as_written", format!("{words}：请核对快递公司和单号"))),
        None => Ok(()),
    }
}

/// Ships pieces. Answers with where the order stands afterwards.
pub fn ship(tx: &Tx, id: OrderId, sending: &Sending, who: &Who) -> Result<OrderStatus> {
    let order = orders::by_id(tx, id)?.ok_or(Code::NotFound)?;
    if !order.options().ship {
        return Err(Error::from(Code::OrderState).says(moved_on(tx, &order, &sending.parcel)?));
    }
    if !sending.despite_refund && refunds::any_open(tx, id)? {
        let words = "这笔订单有退款正在处理。确定仍要发货，请选「仍然发出」";
        return Err(Error::from(Code::RefundInProgress).says(words));
    }
    doubt::must_be_sure(tx, id, sending.despite_refund, who)?;
    let number = &sending.parcel.tracking_no;
    if !number.is_empty() && orders::shipments(tx, id)?.iter().any(|sent| sent.parcel.tracking_no == *number) {
        // The same form, sent twice: in parts it would take further pieces along.
        let words =
            "这个单号已经是这笔订单的包裹了，没有再发一次；下一个包裹请填它自己的单号，同一个包裹里的商品请一次写全";
        return Err(Error::from(Code::OrderState).says(words));
    }
    must_be_a_parcels(tx, &order, &sending.parcel)?;
    must_be_its_own(tx, &order, number, sending.merge)?;
    if let Some(pieces) = &sending.pieces {
        must_be_left(&orders::lines(tx, id)?, pieces)?;
    }
    moves::ship(tx, &order, &sending.parcel, sending.pieces.as_deref(), who)?;
    let now_at = orders::by_id(tx, id)?.ok_or(Code::NotFound)?.status;
    if now_at == OrderStatus::Shipped {
        jobs::enqueue(tx, Task::Complete(id), tx.now() + RECEIVED_AFTER)?;
        tell_later(tx, id)?;
    }
    Ok(now_at)
}

/// The order of this number: its own, an attempt's, or WeChat's of its payment.
pub fn meant(conn: &Connection, written: &str) -> Result<Option<Order>> {
    if let Some(order_no) = OrderNo::read(written) {
        return Ok(orders::by_no(conn, &order_no)?);
    }
    let number = bare(written);
    let looked_up = if number.len() >= 20 { search::numbered(conn, &number)? } else { Vec::new() };
    match looked_up.as_slice() {
        [id] => Ok(orders::by_id(conn, *id)?),
        _ => Ok(None),
    }
}

/// Why an order is not to be sent, and what becomes of the parcel that somebody wanted to send: whoever typed its number
/// finds it again.
pub fn moved_on(conn: &Connection, order: &Order, parcel: &Parcel) -> Result<String> {
    let no = &order.order_no;
    let sent = orders::shipments(conn, order.id)?;
    let what = match order.status {
        OrderStatus::PendingPayment => format!("{no} 还没有付款，不能发货"),
        OrderStatus::Closed => {
            let why = order.closed_reason.map_or(String::new(), |reason| format!("（{}）", reason.text()));
            format!("{no} 已关闭{why}，不要发货")
        }
        OrderStatus::ToShip | OrderStatus::Shipped | OrderStatus::Completed => {
            let last =
                sent.last().map(|last| (clock::shown_short(last.shipped_at), order.leaves("已", ' ', &last.parcel)));
            let (at, left) = last.unwrap_or_else(|| (String::new(), order.status.text().to_owned()));
            format!("{no} {at} {left}，没有再发一次")
        }
    };
    let known = sent.iter().any(|one| one.parcel.tracking_no == parcel.tracking_no);
    Ok(match parcel.tracking_no.as_str() {
        "" => what,
        _ if known => format!("{what}；就是刚填的单号"),
        _ if sent.is_empty() => format!("{what}；刚填的 {} 没有用上", parcel.text()),
        _ => format!("{what}；刚填的 {} 没有用上，要换成它请在“包裹”里改单号", parcel.text()),
    })
}

/// Which of the numbers around an order this is, where it is no parcel's: what a scanner reads from the slip and from the
/// goods, and what stands beside the address. WeChat's of its payment is no parcel's by its form.
pub fn own_number(conn: &Connection, order: &Order, number: &str) -> Result<Option<&'static str>> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let phone = order.address.as_ref().map(|address| digits(&address.phone)).unwrap_or_default();
    let national = number.strip_prefix("86").unwrap_or(number);
    Ok(match number {
        "" => None,
        n if n.starts_with(order.order_no.as_str()) || order.order_no.as_str().contains(n) => Some("订单号"),
        n if n.len() >= 7 && (phone.ends_with(n) || phone == national) => Some("收货电话"),
        n if settings::is_own(conn, n)? => Some("商户号"),
        n if goods_codes(conn, order.id)?.iter().any(|code| reads_as(code, n)) => Some("商品条码"),
        _ => None,
    })
}

/// Codes go through the same reading as parcels' numbers, and so lose the same signs.
fn reads_as(code: &str, number: &str) -> bool {
    TrackingNo::read(code).is_ok_and(|read| read.as_str() == number)
}

fn goods_codes(conn: &Connection, id: OrderId) -> Result<Vec<String>> {
    let mut codes = Vec::new();
    for line in orders::lines(conn, id)? {
        codes.extend(catalogue::codes(conn, line.sku_id)?);
    }
    Ok(codes)
}

fn must_be_a_parcels(tx: &Tx, order: &Order, parcel: &Parcel) -> Result<()> {
    match own_number(tx, order, &parcel.tracking_no)? {
        Some(whose) => Err(Error::field("tracking_no", format!("这是这笔订单的{whose}，不是快递单号"))),
        None => Ok(()),
    }
}

/// Another order that has left with the same number.
pub struct Twin {
    pub order_no: OrderNo,
    /// Both go to the same person at the same place.
    pub same_receiver: bool,
    /// When the last of those with this number left.
    at: i64,
}

impl Twin {
    pub fn of(conn: &Connection, order: &Order, number: &str) -> Result<Option<Twin>> {
        let others = orders::others_with_number(conn, order.id, number)?;
        let at = others.first().map_or(0, |(_, at)| *at);
        let mut twin = None;
        for (order_no, _) in others {
            let same_receiver = orders::by_no(conn, &order_no)?.as_ref().and_then(goes_to) == goes_to(order);
            // One that goes elsewhere is what speaks against it.
            if twin.is_none() || !same_receiver {
                twin = Some(Twin { order_no, same_receiver, at });
            }
            if !same_receiver {
                break;
            }
        }
        Ok(twin)
    }

    /// A scanner reads a label twice before the page has gone on, and the next order is often of the same receiver.
    pub fn must_be_meant(&self, now: i64) -> Result<()> {
        let ago = now - self.at;
        if ago >= SCANNED_TWICE {
            return Ok(());
        }
        let words = format!(
            "这个单号 {}前刚用于订单 {}，像是同一张面单扫了两次，没有发货。请扫这一单自己的面单；真是装在一个包裹里，请选“合并发货”",
            clock::span(ago),
            self.order_no
        );
        Err(Error::field("merge", words))
    }

    /// `单号已用于订单 …`
    pub fn text(&self) -> String {
        format!("单号已用于订单 {}（{}）", self.order_no, receivers(self.same_receiver))
    }
}

/// The person and the place that an order goes to.
fn goes_to(order: &Order) -> Option<(&str, &str, String)> {
    order.address.as_ref().map(|to| (to.receiver.as_str(), to.phone.as_str(), to.one_line()))
}

fn receivers(same: bool) -> &'static str {
    if same { "收货人和地址相同" } else { "收货人或地址不同" }
}

/// Orders of one receiver may lie in one parcel; a label that has gone to somebody else was scanned or copied twice, until
/// somebody says that it is meant. Errors: in the field `merge`, which is what to say.
pub fn must_be_its_own(conn: &Connection, order: &Order, number: &str, merge: bool) -> Result<()> {
    match Twin::of(conn, order, number)?.filter(|twin| !merge && !twin.same_receiver) {
        Some(twin) => {
            let words = format!("{}。真是几单装在一个包裹里，请选“合并发货”；不是就换成这一单的单号", twin.text());
            Err(Error::field("merge", words))
        }
        None => Ok(()),
    }
}

/// Everything has left: WeChat hears of it when it cannot be undone any more.
pub fn tell_later(tx: &Tx, order: OrderId) -> Result<()> {
    Ok(jobs::enqueue(tx, Task::Register(order), tx.now() + UNDO_WITHIN)?)
}

/// A further parcel of an order, when all its pieces were entered with the first. Errors: none has left, or this one has.
pub fn send_beside(tx: &Tx, order: &Order, parcel: &Parcel, merge: bool, who: &Who) -> Result<()> {
    let sent = orders::shipments(tx, order.id)?;
    let refused = |words: &str| Err(Error::from(Code::OrderState).says(words));
    if !matches!(order.status, OrderStatus::ToShip | OrderStatus::Shipped) || sent.is_empty() {
        return refused("这笔订单的第一个包裹没有发出");
    }
    if sent.iter().any(|shipment| shipment.parcel.tracking_no == parcel.tracking_no) {
        return refused("已用这个单号发货");
    }
    must_be_a_parcels(tx, order, parcel)?;
    must_be_its_own(tx, order, &parcel.tracking_no, merge)?;
    moves::accompany(tx, order, parcel, who)?;
    tell_later(tx, order.id)
}

fn must_be_left(lines: &[Line], pieces: &[(LineId, i64)]) -> Result<()> {
    let wrong = |problem: String| Err(Error::field("pieces", problem));
    if pieces.iter().all(|(_, n)| *n == 0) {
        return wrong("请填写这个包裹里每种商品的件数".into());
    }
    for (i, (id, n)) in pieces.iter().enumerate() {
        match lines.iter().find(|line| line.id == *id) {
            Some(_) if pieces[..i].iter().any(|(other, _)| other == id) => return wrong("同一行写了两次".into()),
            Some(line) if !(0..=line.left()).contains(n) => {
                return wrong(format!("「{}」还有 {} 件没有发，不能发 {n} 件", line.name, line.left()));
            }
            Some(_) => {}
            None => return wrong("这一行不属于这笔订单，请刷新页面".into()),
        }
    }
    Ok(())
}

/// Why a parcel cannot be taken back any more; `None` when it can.
pub fn undo_refused(order: &Order, shipment: &Shipment, last_aftersale: Option<i64>, now: i64) -> Option<String> {
    match order.status {
        OrderStatus::ToShip | OrderStatus::Shipped => {}
        _ => return Some("订单已经结束，不能撤销发货".to_owned()),
    }
    if now - shipment.shipped_at >= UNDO_WITHIN {
        return Some(format!("发货已超过 {UNDO_MINUTES} 分钟，不能撤销；单号写错可以改单号"));
    }
    let later = last_aftersale.filter(|at| *at >= shipment.shipped_at);
    later.map(|_| "发货之后有退款、退换货或补发，不能撤销发货".to_owned())
}

/// Takes a parcel back, within half an hour.
pub fn undo(tx: &Tx, id: OrderId, shipment: ShipmentId, who: &Who) -> Result<Parcel> {
    let (order, shipment) = found(tx, id, shipment)?;
    if let Some(why) = undo_refused(&order, &shipment, store::last_aftersale(tx, id)?, tx.now()) {
        return Err(Error::from(Code::OrderState).says(why));
    }
    moves::unship(tx, &order, &shipment, who)?;
    Ok(shipment.parcel)
}

/// The same, where the parcel is the one that somebody saw: a number that was put right since says that it has left.
pub fn undo_seen(tx: &Tx, id: OrderId, shipment: ShipmentId, was: Option<&str>, who: &Who) -> Result<Parcel> {
    let now = found(tx, id, shipment)?.1.parcel.text();
    if was.is_some_and(|was| was != now) {
        let words = format!("单号后来改成了 {now}，没有撤销：真要撤销，请在订单页按“撤销”");
        return Err(Error::from(Code::OrderState).says(words));
    }
    undo(tx, id, shipment, who)
}

/// The same parcel under another number, where it has the one that somebody saw. Answers with what it was before.
pub fn renumber_seen(
    tx: &Tx,
    id: OrderId,
    shipment: ShipmentId,
    (was, parcel): (Option<&str>, &Parcel),
    merge: bool,
    who: &Who,
) -> Result<Parcel> {
    must_be_the_parcel(&found(tx, id, shipment)?.1.parcel, was)?;
    renumber(tx, id, shipment, parcel, merge, who)
}

/// Errors: it has got another number since somebody saw it.
pub fn must_be_the_parcel(parcel: &Parcel, was: Option<&str>) -> Result<()> {
    let now = parcel.text();
    match was {
        Some(was) if was != now => {
            let words = format!("单号刚刚被改成了 {now}，没有再改：请核对哪一个对");
            Err(Error::from(Code::OrderState).says(words))
        }
        _ => Ok(()),
    }
}

/// The same parcel under another number. Answers with what it was before.
pub fn renumber(tx: &Tx, id: OrderId, shipment: ShipmentId, parcel: &Parcel, merge: bool, who: &Who) -> Result<Parcel> {
    let (order, shipment) = found(tx, id, shipment)?;
    if shipment.parcel.company.is_empty() {
        return Err(Error::from(Code::OrderState).says("这个包裹不经过快递，没有单号可改"));
    }
    must_be_a_parcels(tx, &order, parcel)?;
    if shipment.parcel != *parcel {
        must_be_its_own(tx, &order, &parcel.tracking_no, merge || shipment.parcel.tracking_no == parcel.tracking_no)?;
        orders::set_parcel(tx, shipment.id, parcel)?;
        // Where it was told already; else it is told of both at once.
        tell_later(tx, id)?;
        let what = format!("改单号：{} → {}", shipment.parcel.text(), parcel.text());
        orders::note(tx, id, who, Topic::Goods, &what)?;
    }
    Ok(shipment.parcel)
}

fn found(tx: &Tx, id: OrderId, shipment: ShipmentId) -> Result<(Order, Shipment)> {
    let order = orders::by_id(tx, id)?.ok_or(Code::NotFound)?;
    let shipment = orders::shipments(tx, id)?.into_iter().find(|s| s.id == shipment);
    let gone = || Error::from(Code::NotFound).says("这个包裹已经撤销了，请刷新页面");
    Ok((order, shipment.ok_or_else(gone)?))
}
