//! Shipping for staff: one order, a table of numbers, or scanner in hand.

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::serde::json::Json;
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::address::READDRESSED;
use super::card::{Card, Owed, owed};
use super::list::packed;
use super::walk::Came;
use super::{find, here};
use crate::assets;
use crate::catalogue::lists::store as lists;
use crate::catalogue::{Delivery, store as catalogue};
use crate::clock::{self, Day};
use crate::console::{
    Download, Frame, asked, back, download, filled, framed, inside, lead, query_string, refused, undoable, upload,
    waiting as waits, workbook,
};
use crate::db::Tx;
use crate::door::form::Sent;
use crate::error::{Code, Error, Result};
use crate::ids::{BatchId, LineId, OrderId, OrderNo, ShipmentId};
use crate::orders::pickup::PickupCode;
use crate::orders::search::{Filter, Sort, store as search};
use crate::orders::{Full, Order, OrderStatus, Who, store as orders};
use crate::parcels::number::TrackingNo;
use crate::parcels::{By, Found, Parcel, refresh, store as parcels};
use crate::payments::refund::since;
use crate::refunds::store as refunds;
use crate::shipping::batch::{self, Verdict};
use crate::shipping::doubt::Doubt;
use crate::shipping::{self, Allowed, Batch, Remark, Row, Sending, Twin, store, table, whom};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Role, Staff};
use crate::tables;
use crate::wechat::carriers as wechat;

pub fn routes() -> Vec<Route> {
    routes![
        ship,
        undo,
        renumber,
        page,
        ask_carriers,
        carriers,
        bring,
        batch_page,
        allow,
        run,
        mend,
        agree,
        undo_batch,
        waiting,
        problems,
        bench,
        scan
    ]
}

/// The carriers that forms offer; any other of WeChat's list can be typed.
pub fn choices(conn: &rusqlite::Connection) -> Result<Vec<String>> {
    Ok(parcels::carriers(conn)?.offered().into_iter().map(|carrier| carrier.name).collect())
}

/// The same for a page that asks when somebody begins to choose.
#[get("/shipping/carriers")]
async fn carriers(shop: &State<Shop>, _staff: Staff) -> Result<Json<Vec<String>>> {
    shop.read(choices).await.map(Json)
}

#[derive(FromForm, Default)]
struct Shipping {
    /// Empty: recognised from the number.
    #[field(default = String::new())]
    company: String,
    #[field(default = String::new())]
    tracking_no: String,
    pieces: Vec<Pieces>,
    #[field(default = false)]
    despite_refund: bool,
    /// Other orders lie in the same parcel.
    #[field(default = false)]
    merge: bool,
    /// On to the next order: of the list it was opened from, else the one that has waited longest.
    #[field(default = false)]
    next: bool,
    came: Came,
    /// A page to come back to instead of the order's.
    back: Option<String>,
    /// What the page showed of the goods and of whom they go to.
    seen: Option<String>,
    /// The number is the named carrier's, whatever it looks like.
    #[field(default = false)]
    as_written: bool,
}

#[derive(FromForm)]
struct Pieces {
    id: i64,
    quantity: i64,
}

#[post("/orders/<no>/ship", data = "<form>")]
async fn ship(shop: &State<Shop>, staff: Staff, no: &str, form: Sent<Shipping>) -> Flash<Redirect> {
    let Sent { form, fields } = form;
    let (on, came, to) = (form.next, form.came.clone(), form.back.clone().map(inside));
    match ship_one(shop, &staff, no, form).await {
        Err(e) => asked(to.unwrap_or_else(|| here(no)), e, &format!("{}/ship", here(no)), &fields),
        Ok(sent) => {
            let to = if on { next(shop, sent.order, &came).await } else { Ok(to.unwrap_or_else(|| here(no))) };
            undoable(to.unwrap_or_else(|_| here(no)), &format!("{no} {}", sent.words), &sent.undo(no))
        }
    }
}

/// The page of the order that comes after this one, or a list when there is none.
async fn next(shop: &Shop, id: OrderId, came: &Came) -> Result<String> {
    let (came, now) = (came.clone(), shop.now());
    let read = move |conn: &rusqlite::Connection| {
        if let Some(place) = came.place(conn, id, now)? {
            return Ok(place.next());
        }
        let oldest = orders::longest_waiting(conn)?;
        Ok(oldest.map_or("/admin/orders?tab=to_ship".to_owned(), |no| format!("{}#ship", here(no.as_str()))))
    };
    shop.read(read).await
}

/// A parcel that has just left.
struct Left {
    order: OrderId,
    /// And what it is called, by which it is known again.
    parcel: Option<(ShipmentId, String)>,
    words: String,
}

impl Left {
    /// Where it is taken back; nowhere when it is unknown.
    fn undo(&self, no: &str) -> String {
        let Some((id, was)) = &self.parcel else { return String::new() };
        format!("{}/shipments/{id}/undo?{}", here(no), query_string(&[("was", was)]))
    }
}

async fn ship_one(shop: &Shop, staff: &Staff, no: &str, form: Shipping) -> Result<Left> {
    let order = find(shop, no).await?;
    let pieces: Vec<_> = form.pieces.iter().map(|p| (LineId(p.id), p.quantity)).collect();
    let parcel = match order.delivery {
        Delivery::Express => found(shop, &form.company, &form.tracking_no, form.as_written).await?.parcel,
        Delivery::Local | Delivery::Pickup | Delivery::None => Parcel::default(),
    };
    let pieces = (!pieces.is_empty()).then_some(pieces);
    let sending = Sending { parcel, pieces, despite_refund: form.despite_refund, merge: form.merge };
    send(shop, staff, &order, sending, form.seen, form.next).await
}

/// The parcel of what was typed, by everything that is known here of carriers.
async fn found(shop: &Shop, company: &str, tracking_no: &str, as_written: bool) -> Result<Found> {
    let (company, tracking_no) = (company.to_owned(), tracking_no.to_owned());
    let read = move |conn: &rusqlite::Connection| Found::read(conn, &parcels::carriers(conn)?, &company, &tracking_no);
    let found = shop.read(read).await?;
    shipping::must_fit(&found, as_written)?;
    Ok(found)
}

/// `rhythm`: order after order, where a scanner reads one label twice before the page has gone on.
async fn send(
    shop: &Shop,
    staff: &Staff,
    order: &Order,
    sending: Sending,
    seen: Option<String>,
    rhythm: bool,
) -> Result<Left> {
    let (staff, order) = (staff.clone(), order.clone());
    let (id, order_no) = (order.id, order.order_no.clone());
    since::ask_first(shop, id).await?;
    let write = move |tx: &Tx| {
        let now = orders::by_id(tx, id)?.ok_or(Code::NotFound)?;
        shipping::must_be_as_seen(tx, &now, seen.as_deref())?;
        let twin = Twin::of(tx, &order, &sending.parcel.tracking_no)?;
        if let Some(twin) = twin.as_ref().filter(|twin| rhythm && twin.same_receiver && !sending.merge) {
            twin.must_be_meant(tx.now())?;
        }
        let status = shipping::ship(tx, id, &sending, &Who::staff(&staff.name))?;
        let how = if status == OrderStatus::ToShip { "部分" } else { "已" };
        let done = order.leaves(how, ' ', &sending.parcel);
        audit(tx, &staff, &format!("{order_no} {done}"))?;
        let parcel = orders::shipments(tx, id)?.last().map(|shipment| (shipment.id, shipment.parcel.text()));
        // Whoever scanned one label twice takes it back from here.
        let beside = twin.map(|twin| format!("，和订单 {} 装在一个包裹里", twin.order_no)).unwrap_or_default();
        Ok(Left { order: id, parcel, words: format!("{done}{beside}") })
    };
    shop.write(write).await
}

#[derive(FromForm)]
struct Seen {
    /// The parcel as the page showed it.
    was: Option<String>,
}

#[post("/orders/<no>/shipments/<id>/undo", data = "<form>")]
async fn undo(shop: &State<Shop>, staff: Staff, no: &str, id: ShipmentId, form: Option<Form<Seen>>) -> Flash<Redirect> {
    let was = form.and_then(|form| form.was.clone());
    back(here(no), take_back(shop, staff, no, id, was).await)
}

async fn take_back(shop: &Shop, staff: Staff, no: &str, shipment: ShipmentId, was: Option<String>) -> Result<String> {
    let order = find(shop, no).await?;
    let write = move |tx: &Tx| {
        let parcel = shipping::undo_seen(tx, order.id, shipment, was.as_deref(), &Who::staff(&staff.name))?;
        audit(tx, &staff, &format!("{} {}", order.order_no, order.leaves("撤销", ' ', &parcel)))?;
        let waits = if order.delivery == Delivery::Pickup { "待取货" } else { "待发货" };
        Ok(format!("{}，订单回到{waits}", order.leaves("已撤销", ' ', &parcel)))
    };
    shop.write(write).await
}

/// Another number for a parcel that has left: one of an order's own, or of what went out once more.
#[derive(FromForm)]
pub struct Numbered {
    #[field(default = String::new())]
    pub company: String,
    pub tracking_no: String,
    /// Several orders lie in the parcel.
    #[field(default = false)]
    pub merge: bool,
    /// Somebody has looked at a number that does not look like the company's.
    #[field(default = false)]
    pub as_written: bool,
    /// The parcel as the page showed it.
    pub was: Option<String>,
}

#[post("/orders/<no>/shipments/<id>/number", data = "<form>")]
async fn renumber(shop: &State<Shop>, staff: Staff, no: &str, id: ShipmentId, form: Sent<Numbered>) -> Flash<Redirect> {
    match set_number(shop, staff, no, id, &form.form).await {
        Ok(()) => back(here(no), Ok("单号已改")),
        Err(e) => asked(here(no), e, &format!("{}/shipments/{id}/number", here(no)), &form.fields),
    }
}

async fn set_number(shop: &Shop, staff: Staff, no: &str, shipment: ShipmentId, form: &Numbered) -> Result<()> {
    let order = find(shop, no).await?;
    let parcel = found(shop, &form.company, &form.tracking_no, form.as_written).await?.parcel;
    let (merge, seen) = (form.merge, form.was.clone());
    let write = move |tx: &Tx| {
        let (parcels, who) = ((seen.as_deref(), &parcel), Who::staff(&staff.name));
        let was = shipping::renumber_seen(tx, order.id, shipment, parcels, merge, &who)?;
        Ok(audit(tx, &staff, &format!("改单号 {} {} → {}", order.order_no, was.text(), parcel.text()))?)
    };
    shop.write(write).await
}

// ── a table of numbers ──

/// Where tables of numbers are brought in.
#[derive(Serialize)]
struct ShippingPage {
    frame: Frame,
    tab: &'static str,
    batches: Vec<BatchShown>,
    most_rows: usize,
    undo_minutes: i64,
    /// So many parcel services WeChat knows.
    carriers: usize,
    asked: Option<Asked>,
}

#[derive(Serialize)]
struct BatchShown {
    id: BatchId,
    who: String,
    at: String,
    n: usize,
    ran: Option<String>,
    done: usize,
}

impl From<&Batch> for BatchShown {
    fn from(batch: &Batch) -> BatchShown {
        BatchShown {
            id: batch.id,
            who: batch.who.clone(),
            at: clock::shown(batch.at),
            n: batch.rows.len(),
            ran: batch.ran_at.map(clock::shown),
            done: batch.rows.iter().filter(|row| row.done.is_some()).count(),
        }
    }
}

/// When WeChat was last asked for its parcel services, and what came of it.
#[derive(Serialize)]
struct Asked {
    at: String,
    outcome: String,
}

#[get("/shipping")]
async fn page(shop: &State<Shop>, staff: Staff, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let read = |conn: &rusqlite::Connection| Ok((store::latest(conn, 10)?, parcels::asked(conn)?, waits(conn)?));
    let (batches, asked, counts) = shop.read(read).await?;
    let page = ShippingPage {
        frame: framed(shop, &staff, "orders", flash, counts),
        tab: "shipping",
        batches: batches.iter().map(BatchShown::from).collect(),
        most_rows: table::MOST_ROWS,
        undo_minutes: shipping::UNDO_MINUTES,
        carriers: wechat::list().count(),
        asked: asked.map(|(at, outcome)| Asked { at: clock::shown(at), outcome }),
    };
    Ok(assets::page("console/shipping.html", page))
}

/// Asks WeChat which parcel services it knows today.
#[post("/shipping/carriers")]
async fn ask_carriers(shop: &State<Shop>, _staff: Staff) -> Flash<Redirect> {
    back("/admin/shipping", refresh::ask(shop).await.map(|()| "已向微信询问，结果见“快递公司”"))
}

#[derive(FromForm)]
struct Bring<'r> {
    #[field(default = String::new())]
    text: String,
    file: Vec<TempFile<'r>>,
}

#[post("/shipping", data = "<form>")]
async fn bring(shop: &State<Shop>, staff: Staff, form: Form<Bring<'_>>) -> Flash<Redirect> {
    match take_in(shop, staff, &form).await {
        Ok(id) => Flash::new(Redirect::to(batch_at(id)), "info", "还没有发货：先核对，再执行"),
        Err(e) => refused("/admin/shipping", e),
    }
}

fn batch_at(id: BatchId) -> String {
    format!("/admin/shipping/batches/{id}")
}

/// What of a file's name may say who carries its parcels.
const MOST_OF_A_NAME: usize = 80;

async fn take_in(shop: &Shop, staff: Staff, form: &Bring<'_>) -> Result<BatchId> {
    let chosen = upload::only(&form.file, "file")?;
    let problem = match chosen {
        Some(_) if !form.text.trim().is_empty() => Some("选了文件，又粘贴了内容，不知道用哪一个：请只留一样"),
        Some(file) if file.len() == 0 => Some("文件是空的：请确认存好了再选，或把内容粘贴进来"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(Error::field("file", problem));
    }
    let brought = match chosen {
        Some(file) => {
            let name = file.raw_name().map(|name| name.dangerous_unsafe_unsanitized_raw().as_str().to_owned());
            let name: String = name.unwrap_or_default().chars().take(MOST_OF_A_NAME).collect();
            upload::heavily(shop, file, move |bytes| table::read_named(bytes, &name)).await?
        }
        None => table::paste(&form.text),
    };
    let brought = brought.map_err(|problem| Error::field("file", problem))?;
    let settings = shop.settings();
    let brought = shop.read_slowly(move |conn| whom::held(conn, brought, &settings.regions)).await?;
    let id = shop.write(move |tx| Ok(store::insert(tx, &staff, Allowed::default(), &brought)?)).await?;
    batch::stamp(shop, id).await?;
    Ok(id)
}

/// A table with the verdict on each of its rows.
#[derive(Serialize)]
struct BatchPage {
    frame: Frame,
    tab: &'static str,
    batch: BatchShown,
    /// Which column was read as what.
    read_as: Vec<String>,
    allowed: Allowed,
    /// Rows that can be carried out, and what the others are.
    ready: usize,
    same: usize,
    empty: usize,
    wrong: usize,
    done: usize,
    may_undo: bool,
    undo_minutes: i64,
    groups: Vec<Group>,
    /// What several rows ask in the same words.
    alike: Vec<Alike>,
    /// So many rows have become other ones since they were shown.
    moved: usize,
    /// A mark of all that is shown.
    seen: String,
    carriers: Vec<String>,
}

#[derive(Serialize)]
struct Alike {
    words: String,
    n: usize,
    /// Whether it asks what the rows count, of which there are two answers.
    counts: bool,
}

#[derive(Serialize)]
struct Group {
    /// Which of the page's choices shows it.
    of: &'static str,
    class: &'static str,
    title: &'static str,
    words: String,
    rows: Vec<RowShown>,
}

#[derive(Serialize)]
struct RowShown {
    at: usize,
    line: usize,
    sheet: String,
    /// As it was brought in.
    written: Row,
    order_no: String,
    known: bool,
    receiver: String,
    parcel: String,
    verdict: Verdict,
    text: &'static str,
    note: String,
    /// What else its row says, where the note does not.
    beside: Vec<String>,
    done: Option<String>,
    moved: bool,
    may_change: bool,
}

#[get("/shipping/batches/<id>")]
async fn batch_page(
    shop: &State<Shop>,
    staff: Staff,
    flash: Option<FlashMessage<'_>>,
    id: BatchId,
) -> Result<Template> {
    let read = move |conn: &rusqlite::Connection| Ok((judged(conn, id)?, choices(conn)?, waits(conn)?));
    let ((batch, judged), carriers, counts) = shop.read(read).await?;
    let count = |verdict| judged.iter().filter(|j| j.row.done.is_none() && j.verdict == verdict).count();
    let now = batch::shown(&judged);
    let moved = |at: usize| judged[at].row.done.is_none() && batch.shown.differs(at, now.row(at));
    let since = batch.ran_at.filter(|at| shop.now() - at < shipping::UNDO_WITHIN);
    let page = BatchPage {
        frame: framed(shop, &staff, "orders", flash, counts),
        tab: "shipping",
        batch: BatchShown::from(&batch),
        read_as: batch.read_as.clone(),
        allowed: batch.allowed,
        ready: count(Verdict::Ready) + count(Verdict::Renumber),
        same: count(Verdict::Same),
        empty: count(Verdict::Empty),
        wrong: count(Verdict::Wrong),
        done: judged.iter().filter(|j| j.row.done.is_some()).count(),
        may_undo: since.is_some() && batch.rows.iter().any(|row| row.shipment.is_some()),
        undo_minutes: shipping::UNDO_MINUTES,
        groups: groups(&judged, &moved),
        alike: alike(&judged),
        moved: (0..judged.len()).filter(|at| moved(*at)).count(),
        seen: now.page(),
        carriers,
    };
    Ok(assets::page("console/shipping_batch.html", page))
}

/// So many of what rows say alike are answered with one click each.
const MOST_ALIKE: usize = 5;

fn alike(judged: &[batch::Judged]) -> Vec<Alike> {
    let asked = batch::asked_alike(judged).into_iter().take(MOST_ALIKE);
    asked.map(|(words, n)| Alike { counts: words == whom::MAYBE_PARCELS, words, n }).collect()
}

/// The rows by what is to be done with them: what somebody must look at comes first.
fn groups(judged: &[batch::Judged], moved: &dyn Fn(usize) -> bool) -> Vec<Group> {
    let done = |j: &batch::Judged| j.row.done.is_some();
    let of = |verdict: Verdict| move |j: &batch::Judged| !done(j) && j.verdict == verdict;
    let shown = |one: &'static str, class, title, words: &str, belongs: &dyn Fn(&batch::Judged) -> bool| {
        let mut rows: Vec<(usize, &batch::Judged)> = judged.iter().enumerate().filter(|(_, j)| belongs(j)).collect();
        rows.sort_by_key(|(at, _)| !moved(*at));
        let rows = rows.into_iter().map(|(at, j)| judged_row(at, j, moved(at))).collect();
        Group { of: one, class, title, words: words.to_owned(), rows }
    };
    let (counted, by_goods) = batch::left_in_part(judged);
    let mut in_part = Vec::new();
    if counted > 0 {
        in_part.push(format!("其中 {counted} 笔订单按“件数”只发一部分，其余留在待发货；要整单发请清空件数"));
    }
    if by_goods > 0 {
        in_part.push(format!(
            "其中 {by_goods} 笔订单按商品行只发一部分，没有单号的商品留在待发货；要一起发，请给那几行填同一个单号"
        ));
    }
    let in_part = in_part.join("。");
    vec![
        shown("wrong", "red", "不能发", "在这里改好，或改好再导入", &of(Verdict::Wrong)),
        shown("ready", "amber", "改单号", "已经发过，执行后换成新的单号", &of(Verdict::Renumber)),
        shown("ready", "green", "可以发", &in_part, &of(Verdict::Ready)),
        shown("done", "green", "已执行", "", &done),
        shown("same", "grey", "不用再发", "已经用这个单号发了，或和别的行重复", &of(Verdict::Same)),
        shown("empty", "grey", "没填", "没有快递单号的行，不处理", &of(Verdict::Empty)),
    ]
}

fn judged_row(at: usize, judged: &batch::Judged, moved: bool) -> RowShown {
    let row = &judged.row;
    let written = format!("{} {}", row.company, row.tracking_no);
    RowShown {
        at,
        line: row.line,
        sheet: row.sheet.clone(),
        written: row.clone(),
        order_no: judged.order.as_ref().map_or_else(|| row.order_no.clone(), |order| order.order_no.to_string()),
        known: judged.order.is_some(),
        receiver: judged.receiver.clone(),
        parcel: if judged.parcel.company.is_empty() { written } else { judged.parcel.text() },
        verdict: judged.verdict,
        text: judged.verdict.text(),
        note: judged.note.clone(),
        beside: row.remarks.iter().map(Remark::text).filter(|text| !judged.note.contains(text)).collect(),
        done: row.done.clone(),
        moved,
        may_change: row.done.is_none() && judged.verdict != Verdict::Same,
    }
}

fn judged(conn: &rusqlite::Connection, id: BatchId) -> Result<(Batch, Vec<batch::Judged>)> {
    let batch = store::by_id(conn, id)?.ok_or(Code::NotFound)?;
    let judged = batch::judge(conn, &batch.rows, batch.allowed)?;
    Ok((batch, judged))
}

#[derive(FromForm)]
struct Ticks {
    #[field(default = false)]
    renumber: bool,
    #[field(default = false)]
    merge: bool,
}

/// Looks at the rows once more with what was ticked.
#[post("/shipping/batches/<id>/allow", data = "<ticks>")]
async fn allow(shop: &State<Shop>, _staff: Staff, id: BatchId, ticks: Form<Ticks>) -> Flash<Redirect> {
    let allowed = Allowed { renumber: ticks.renumber, merge: ticks.merge };
    let done = async {
        shop.write(move |tx| Ok(store::set_allowed(tx, id, allowed)?)).await?;
        batch::stamp(shop, id).await
    };
    back(batch_at(id), done.await.map(|()| "已重新核对"))
}

#[derive(FromForm)]
struct Go {
    /// The mark of the page on which it was said.
    seen: Option<String>,
}

#[post("/shipping/batches/<id>/run", data = "<go>")]
async fn run(shop: &State<Shop>, staff: Staff, id: BatchId, go: Option<Form<Go>>) -> Flash<Redirect> {
    let done = async {
        let batch = shop.read(move |conn| Ok(store::by_id(conn, id)?)).await?.ok_or(Code::NotFound)?;
        let seen = go.as_ref().and_then(|go| go.seen.as_deref());
        let (n, stay) = batch::run(shop, &staff, &batch, seen).await?;
        batch::stamp(shop, id).await?;
        let more = if stay.is_empty() { String::new() } else { format!("；没有执行：{}", stay.join("；")) };
        Ok(format!("已执行 {n} 行{more}"))
    };
    back(batch_at(id), done.await)
}

#[derive(FromForm)]
struct Mended {
    order_no: String,
    #[field(default = String::new())]
    company: String,
    #[field(default = String::new())]
    tracking_no: String,
    #[field(default = String::new())]
    pieces: String,
}

/// A row as somebody mended it on the page; it is judged anew with all the others.
#[post("/shipping/batches/<id>/rows/<at>", data = "<form>")]
async fn mend(shop: &State<Shop>, _staff: Staff, id: BatchId, at: usize, form: Form<Mended>) -> Flash<Redirect> {
    let Mended { order_no, company, tracking_no, pieces } = form.into_inner();
    let mended = batch::Mended { order_no, company, tracking_no, pieces };
    let settings = shop.settings();
    let write = move |tx: &Tx| batch::mend(tx, id, at, &mended, &settings.regions);
    let done = async {
        shop.write(write).await?;
        batch::stamp(shop, id).await
    };
    back(format!("{}#row-{at}", batch_at(id)), done.await.map(|()| "已改好，重新核对了"))
}

#[derive(FromForm)]
struct Agreed {
    words: String,
    /// That what they count are parcels.
    #[field(default = false)]
    whole: bool,
}

/// One yes to what several rows say in the same words.
#[post("/shipping/batches/<id>/agree", data = "<form>")]
async fn agree(shop: &State<Shop>, _staff: Staff, id: BatchId, form: Form<Agreed>) -> Flash<Redirect> {
    let Agreed { words, whole } = form.into_inner();
    let done = async {
        let n = shop.write(move |tx| batch::agree(tx, id, &words, whole)).await?;
        batch::stamp(shop, id).await?;
        Ok(format!("{n} 行记下了，重新核对了"))
    };
    back(batch_at(id), done.await)
}

/// Everything that this table has sent comes back, while there is time.
#[post("/shipping/batches/<id>/undo")]
async fn undo_batch(shop: &State<Shop>, staff: Staff, id: BatchId) -> Flash<Redirect> {
    let done = async {
        let batch = shop.read(move |conn| Ok(store::by_id(conn, id)?)).await?.ok_or(Code::NotFound)?;
        let (n, stay) = batch::undo(shop, &staff, &batch).await?;
        batch::stamp(shop, id).await?;
        let more = if stay.is_empty() { String::new() } else { format!("；没有撤销：{}", stay.join("；")) };
        Ok(format!("已撤销 {n} 个包裹{more}"))
    };
    back(batch_at(id), done.await)
}

const LIST: [&str; 6] = ["订单号", "收货人", "商品", "件数", "快递公司", "快递单号"];

/// What waits to be sent by express, to be filled in and brought back: nothing that is not needed for it.
#[get("/shipping/list.xlsx")]
async fn waiting(shop: &State<Shop>, _staff: Staff) -> Result<Download> {
    let read = move |conn: &rusqlite::Connection| {
        let waiting = search::list(conn, &to_send(), None, MOST_LISTED)?;
        let mut rows = Vec::new();
        for order in waiting {
            // Labels are made from it: what is to be looked at first, or may have to stay, stands in the list of orders alone.
            if Doubt::of(conn, order.id)?.is_none() && !refunds::any_open(conn, order.id)? {
                rows.push(to_fill(&orders::full(conn, order)?));
            }
        }
        Ok(rows)
    };
    let rows = shop.read_slowly(read).await?;
    workbook(&format!("待发货-{}.xlsx", Day::of(shop.now()).shown()), &LIST, &[3], rows).await
}

/// Orders of which something is to be given to a courier now.
fn to_send() -> Filter {
    let (status, delivery) = (Some(OrderStatus::ToShip), Some(Delivery::Express));
    Filter { status, delivery, to_pack: true, ..Filter::default() }
}

/// As many rows as a table that is brought back may have.
const MOST_LISTED: i64 = 2_000;

fn to_fill(full: &Full) -> Vec<String> {
    let (goods, pieces) = packed(&full.to_pack());
    vec![
        full.order.order_no.to_string(),
        full.order.address.as_ref().map(|address| address.masked_receiver()).unwrap_or_default(),
        goods,
        pieces,
        String::new(),
        String::new(),
    ]
}

/// The rows that could not be carried out, to be mended in a spreadsheet and brought in again.
#[get("/shipping/batches/<id>/problems.csv")]
async fn problems(shop: &State<Shop>, _staff: Staff, id: BatchId) -> Result<Download> {
    let (_, judged) = shop.read(move |conn| judged(conn, id)).await?;
    let rows: Vec<Vec<String>> = judged
        .into_iter()
        .filter(|j| j.row.done.is_none() && j.verdict == Verdict::Wrong)
        .map(|j| vec![j.row.order_no, j.row.company, j.row.tracking_no, j.row.pieces, j.note])
        .collect();
    let csv = tables::csv(&["订单号", "快递公司", "快递单号", "件数", "问题"], &[], &rows);
    Ok(download(ContentType::CSV, &format!("发货问题行-{id}.csv"), csv))
}

// ── scanner in hand ──

/// The bench: an order's number to be scanned, or the order with its parcel's label.
#[derive(Serialize)]
struct ScanPage {
    frame: Frame,
    tab: &'static str,
    express: bool,
    order: Option<Card>,
    /// What goes out for exchanges of the order, on a page of its own.
    owed: Vec<Owed>,
    /// Whoever looks may send it there.
    may_exchange: bool,
    /// Orders that are named to whoever has nothing in hand.
    waiting: Vec<Card>,
    asked: Option<String>,
    /// A label that does not tell who carries it, and who maybe does.
    number: Option<String>,
    suggested: Option<String>,
    carriers: Vec<String>,
    /// A mark of what is shown of the order.
    seen: String,
}

/// One field that keeps the cursor: first the slip, then the parcel's label. A label that does not tell who carries it
/// is kept until somebody says it, and then it is known of those like it.
#[get("/shipping/scan?<order>&<code>&<find>")]
async fn bench(
    shop: &State<Shop>,
    staff: Staff,
    flash: Option<FlashMessage<'_>>,
    order: Option<&str>,
    code: Option<&str>,
    find: Option<&str>,
) -> Result<Template> {
    let now = shop.now();
    let asked = find.and_then(filled);
    let sought = asked.clone();
    let order_no = order.and_then(OrderNo::read);
    let number = code.and_then(|code| TrackingNo::read(code).ok());
    let read = move |conn: &rusqlite::Connection| {
        let order = order_no.map(|no| orders::by_no(conn, &no)).transpose()?.flatten();
        let full = order.map(|order| orders::full(conn, order)).transpose()?;
        let express = full.as_ref().is_some_and(|full| full.order.delivery == Delivery::Express);
        let buyer = full.as_ref().map(|full| (full.order.buyer_id, full.order.id));
        let seen = full.as_ref().map(shipping::to_send).unwrap_or_default();
        let owed = full.as_ref().map(|full| owed(conn, full)).transpose()?.unwrap_or_default();
        let mut card = full.map(|full| Card::of(&full, false, now));
        if let Some((card, (buyer, id))) = card.as_mut().zip(buyer) {
            card.others = Some(orders::others_to_ship(conn, buyer, id)?);
        }
        for packed in card.iter_mut().flat_map(|card| &mut card.pack) {
            packed.codes = catalogue::codes(conn, packed.sku)?;
        }
        let suggested = number.as_ref().map(|number| parcels::suggested(conn, number)).transpose()?.flatten();
        let waiting = if card.is_some() { Vec::new() } else { longest_waiting(conn, sought, now)? };
        let suggested = suggested.map(|(carrier, _)| carrier.name);
        Ok(((express, seen), (card, owed), number, suggested, choices(conn)?, waiting, waits(conn)?))
    };
    let ((express, seen), (order, owed), number, suggested, carriers, waiting, counts) = shop.read(read).await?;
    let page = ScanPage {
        frame: framed(shop, &staff, "orders", flash, counts),
        tab: "scan",
        express: express && order.as_ref().is_some_and(|order| !order.pack.is_empty()),
        order,
        owed,
        may_exchange: staff.role >= Role::Clerk,
        waiting,
        asked,
        number: number.map(|number| number.to_string()),
        suggested,
        carriers,
        seen,
    };
    Ok(assets::page("console/shipping_scan.html", page))
}

/// So many orders are named to whoever has nothing in hand.
const NAMED: i64 = 6;

/// Those of which what was typed says something, where something was.
fn longest_waiting(conn: &rusqlite::Connection, typed: Option<String>, now: i64) -> Result<Vec<Card>> {
    let filter = Filter { search: typed, ..to_send() };
    let sort = search::possible(conn, &filter, Sort::LongestWaiting)?;
    let found = search::sorted(conn, &filter, sort, None, NAMED)?;
    found.into_iter().map(|(_, order)| Ok(Card::of(&orders::full(conn, order)?, false, now))).collect()
}

#[derive(FromForm)]
struct Scan {
    #[field(default = String::new())]
    order: String,
    code: String,
    /// Empty: as the number tells.
    #[field(default = String::new())]
    company: String,
    /// Other orders lie in the same parcel.
    #[field(default = false)]
    merge: bool,
    /// The order goes without a parcel's number, and somebody says that it is on its way.
    #[field(default = false)]
    by_hand: bool,
    #[field(default = false)]
    as_written: bool,
    /// What the page showed of the order.
    seen: Option<String>,
}

/// The slip or the label that was scanned; somebody's code for fetching goes on to the desk, as it was sent.
#[post("/shipping/scan", data = "<scan>")]
async fn scan(shop: &State<Shop>, staff: Staff, scan: Sent<Scan>) -> std::result::Result<Flash<Redirect>, Redirect> {
    match PickupCode::scanned(&scan.form.code) {
        Some(_) => Err(Redirect::temporary("/admin/pickup")),
        None => Ok(scanned(shop, &staff, &scan).await),
    }
}

async fn scanned(shop: &Shop, staff: &Staff, sent: &Sent<Scan>) -> Flash<Redirect> {
    let (empty, scan) = ("/admin/shipping/scan", &sent.form);
    if let Some(no) = OrderNo::read(&scan.code).filter(|_| !scan.by_hand) {
        let passed = passed_over(shop, &scan.order, &no).await;
        return match find(shop, no.as_str()).await {
            Ok(order) if order.status == OrderStatus::ToShip => opened(shop, &no, passed).await,
            Ok(order) => gone(shop, staff, order, passed).await,
            Err(_) => refused(empty, Error::from(Code::NotFound).says(format!("没有订单 {no}{}", left(passed)))),
        };
    }
    let Some(order) = OrderNo::read(&scan.order) else {
        if let Some(found) = by_tail(shop, &scan.code).await {
            return found;
        }
        let typed = scan.code.clone();
        let words = shop.read(move |conn| no_slip(conn, &typed)).await;
        return refused(empty, words.map_or_else(|e| e, |words| Error::field("code", words)));
    };
    match sent_by_scan(shop, staff, &order, scan).await {
        Ok(sent) => undoable(empty, &format!("✓ {order} {}", sent.words), &sent.undo(order.as_str())),
        // The next label that is scanned takes the place of this one.
        Err(e) if e.fields.contains_key("merge") || e.fields.contains_key("as_written") => {
            asked(format!("{empty}?order={order}"), e, empty, &sent.fields)
        }
        Err(e) => {
            // Who carries it is asked for beside the number that was scanned.
            let number = TrackingNo::read(&scan.code).map(|number| format!("&code={number}")).unwrap_or_default();
            refused(format!("{empty}?order={order}{number}"), e)
        }
    }
}

/// Whether the order that stood open is given up with its parcel still here. One that is fetched waits for its buyer, and is not.
async fn passed_over(shop: &Shop, open: &str, no: &OrderNo) -> bool {
    let waits = |was: &Order| was.status == OrderStatus::ToShip && was.delivery != Delivery::Pickup;
    match OrderNo::read(open).filter(|was| was != no) {
        Some(was) => find(shop, was.as_str()).await.is_ok_and(|was| waits(&was)),
        None => false,
    }
}

/// Said behind what speaks against the slip that was scanned: who scans looks at that parcel, and not at the one before.
fn left(passed: bool) -> &'static str {
    if passed { "。上一单还没有发" } else { "" }
}

/// What comes after the slip.
fn then(way: Delivery) -> &'static str {
    match way {
        Delivery::Express => "现在扫快递面单",
        Delivery::Pickup => "先备好货，买家来时扫取货码",
        Delivery::Local | Delivery::None => "核对好商品，送出后按“已送出”",
    }
}

const OLD_SLIP: &str = "收货信息改过，手里的单子要是改之前打印的，请重新打印；没错就接着做";

/// What speaks against sending an order whose slip was scanned.
enum Against {
    Nothing,
    /// The slip in hand may be one of before.
    OldSlip,
    Sending(String),
}

/// The order whose slip was scanned. What speaks against sending it is said, and heard, before a label sticks on its parcel.
async fn opened(shop: &Shop, no: &OrderNo, passed: bool) -> Flash<Redirect> {
    let (to, sought) = (format!("/admin/shipping/scan?order={no}"), no.clone());
    let read = move |conn: &rusqlite::Connection| {
        let order = orders::by_no(conn, &sought)?.ok_or(Code::NotFound)?;
        let against = if refunds::any_open(conn, order.id)? {
            Against::Sending("有退款正在处理".to_owned())
        } else if let Some(doubt) = Doubt::of(conn, order.id)? {
            Against::Sending(doubt.text())
        } else {
            let moved = |event: &orders::Event| event.what.starts_with(READDRESSED);
            let old = order.prints == 0 && orders::events(conn, order.id)?.iter().any(moved);
            if old { Against::OldSlip } else { Against::Nothing }
        };
        Ok((order.delivery, against))
    };
    match shop.read(read).await {
        Ok((way, Against::Nothing)) => {
            let changed =
                if passed { format!("换成了订单 {no}，上一单还没有发，") } else { String::new() };
            Flash::success(Redirect::to(to), format!("{changed}{}", then(way)))
        }
        Ok((_, Against::OldSlip)) => Flash::new(lead(to), "info", format!("订单 {no}：{OLD_SLIP}{}", left(passed))),
        Ok((_, Against::Sending(why))) => {
            let left = left(passed);
            let words = format!("订单 {no} 先别打包：{why}。仍要发货的，打开订单，勾选「仍然发出」{left}");
            refused(to, Error::from(Code::RefundInProgress).says(words))
        }
        Err(e) => refused(to, e),
    }
}

/// An order of which nothing waits, unless it is owed for an exchange: that is sent on a page of its own.
async fn gone(shop: &Shop, staff: &Staff, order: Order, passed: bool) -> Flash<Redirect> {
    let no = order.order_no.clone();
    let read = move |conn: &rusqlite::Connection| {
        let words = shipping::moved_on(conn, &order, &Parcel::default())?;
        Ok((owed(conn, &orders::full(conn, order)?)?, words))
    };
    let left = left(passed);
    let state = |words: String| Error::from(Code::OrderState).says(format!("{words}{left}"));
    let empty = "/admin/shipping/scan";
    match shop.read(read).await {
        Err(e) => refused(empty, e),
        Ok((owed, words)) if owed.is_empty() => refused(empty, state(words)),
        Ok((owed, _)) if staff.role < Role::Clerk => {
            let goods = named(&owed);
            refused(empty, state(format!("{no} 要换出：{goods}。装好后，请店员在「退换货」里寄出")))
        }
        Ok((owed, _)) => {
            let words = format!("订单 {no} 要换出：{}。核对好商品，在这里寄出{left}", named(&owed));
            Flash::new(lead(format!("/admin/returns/{}", owed[0].case)), "info", words)
        }
    }
}

/// `T 恤 L ×1，帽子 ×2`
fn named(owed: &[Owed]) -> String {
    let one = |one: &Owed| format!("{} ×{}", format!("{} {}", one.name, one.spec).trim(), one.n);
    owed.iter().map(one).collect::<Vec<_>>().join("，")
}

/// What was scanned where a slip was expected.
fn no_slip(conn: &rusqlite::Connection, typed: &str) -> Result<String> {
    let shown: String = typed.trim().chars().take(40).collect();
    if let Some(goods) = lists::of_code(conn, typed.trim())? {
        return Ok(format!("{shown} 是商品「{goods}」的条码：请先扫发货单上的订单号"));
    }
    let Ok(number) = TrackingNo::read(typed) else {
        return Ok(format!("没有等着发的订单符合「{shown}」：请扫发货单上的订单号，或输入订单尾号、手机尾号"));
    };
    Ok(match orders::sent_with(conn, number.as_str())? {
        Some((no, at)) => {
            format!("面单 {number} 已用于订单 {no}（{} 发出）：请扫下一张发货单上的订单号", clock::shown_short(at))
        }
        None => format!("{number} 不是等着发的订单：请先扫发货单上的订单号，再扫快递面单"),
    })
}

/// A slip that cannot be scanned goes by the end of its number, or of its buyer's phone: the one order that is meant, or
/// those among which somebody chooses. `None` where it is longer than that, or nothing waits under it.
async fn by_tail(shop: &Shop, typed: &str) -> Option<Flash<Redirect>> {
    let typed = filled(typed).filter(|typed| typed.chars().count() <= LONGEST_TAIL)?;
    let (tail, now) = (typed.clone(), shop.now());
    let found = shop.read(move |conn| longest_waiting(conn, Some(tail), now)).await.ok()?;
    let here = "/admin/shipping/scan";
    match found.as_slice() {
        [] => None,
        [one] => Some(opened(shop, &one.no, false).await),
        several => {
            let to = format!("{here}?{}", query_string(&[("find", &typed)]));
            Some(Flash::new(lead(to), "info", format!("有 {} 单符合「{typed}」，点要发的那一单", several.len())))
        }
    }
}

/// A whole mobile number.
const LONGEST_TAIL: usize = 11;

async fn sent_by_scan(shop: &Shop, staff: &Staff, order: &OrderNo, scan: &Scan) -> Result<Left> {
    let order = find(shop, order.as_str()).await?;
    match order.delivery {
        Delivery::Express => {}
        Delivery::Pickup => return Err(Error::field("code", "这笔订单是「自提」：买家来取时，请到取货核销")),
        _ if scan.by_hand => return send(shop, staff, &order, Sending::default(), scan.seen.clone(), true).await,
        delivery => {
            let words = format!("这笔订单是「{}」，没有快递单号：送出后按“已送出”", delivery.text());
            return Err(Error::field("code", words));
        }
    }
    let code = scan.code.trim().to_owned();
    if let Some(goods) = shop.read(move |conn| Ok(lists::of_code(conn, &code)?)).await? {
        return Err(Error::field("code", format!("这是商品「{goods}」的条码，不是快递单号")));
    }
    let Found { parcel, by } = found(shop, &scan.company, &scan.code, scan.as_written).await?;
    if by == By::Guess {
        let words = format!("像是{}，请核对快递公司，再按发货", parcel.company_text());
        return Err(Error::field("company", words));
    }
    let sending = Sending { parcel: parcel.clone(), merge: scan.merge, ..Sending::default() };
    let done = send(shop, staff, &order, sending, scan.seen.clone(), true).await?;
    if by == By::Said {
        remember(shop, parcel).await?;
    }
    Ok(done)
}

/// The next number that looks like this one's is carried by the same.
async fn remember(shop: &Shop, parcel: Parcel) -> Result<()> {
    let write = move |tx: &Tx| match TrackingNo::read(&parcel.tracking_no) {
        Ok(number) => Ok(parcels::put_mark(tx, &number, &parcel.carrier())?),
        Err(_) => Ok(()),
    };
    shop.write(write).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    fn batch(ran: bool) -> BatchShown {
        let ran = ran.then(|| "2026-10-08 13:20:40".to_owned());
        BatchShown { id: BatchId(1), who: "小王".into(), at: "2026-10-08 13:15:40".into(), n: 3, done: 0, ran }
    }

    fn row(verdict: Verdict, done: bool) -> RowShown {
        RowShown {
            at: 0,
            line: 2,
            sheet: "表1".into(),
            written: Row { tracking_no: "SF1234567890123".into(), ..Row::default() },
            order_no: "261008131540ABCDEFGH".into(),
            known: true,
            receiver: "李*".into(),
            parcel: "顺丰速运 SF1234567890123".into(),
            verdict,
            text: verdict.text(),
            note: "整单".into(),
            beside: if done { Vec::new() } else { vec!["「备注」写的是“轻放”".into()] },
            done: done.then(|| "已发货".into()),
            moved: !done,
            may_change: !done,
        }
    }

    #[test]
    fn pages_of_shipping_ask_for_nothing_that_they_are_not_given() {
        let frame = || Frame::sample(Role::Packer);
        for full in [true, false] {
            let asked = full.then(|| Asked { at: "10-08 13:15".into(), outcome: "没有变".into() });
            let page = ShippingPage {
                frame: frame(),
                tab: "shipping",
                batches: if full { vec![batch(true), batch(false)] } else { Vec::new() },
                most_rows: table::MOST_ROWS,
                undo_minutes: shipping::UNDO_MINUTES,
                carriers: 1_000,
                asked,
            };
            let html = assets::strictly("console/shipping.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("还没有执行"), html.contains("30 分钟内可以整批撤销")), (full, !full));
            let of = |of, class, title, rows| Group { of, class, title, words: "在这里改好".into(), rows };
            let wrong = vec![row(Verdict::Wrong, false)];
            let page = BatchPage {
                frame: frame(),
                tab: "shipping",
                batch: batch(full),
                read_as: vec!["订单号 ← 单号".into()],
                allowed: Allowed::default(),
                ready: 1,
                same: usize::from(full),
                empty: usize::from(full),
                wrong: usize::from(full),
                done: usize::from(full),
                may_undo: full,
                undo_minutes: shipping::UNDO_MINUTES,
                groups: vec![
                    of("wrong", "red", "不能发", wrong),
                    of("done", "green", "已执行", vec![row(Verdict::Ready, true)]),
                ],
                alike: if full {
                    vec![
                        Alike { words: "「备注」写的是“加急”".into(), n: 2, counts: false },
                        Alike { words: whom::MAYBE_PARCELS.into(), n: 3, counts: true },
                    ]
                } else {
                    Vec::new()
                },
                moved: usize::from(full),
                seen: "ab".into(),
                carriers: vec!["顺丰速运".into()],
            };
            let html = assets::strictly("console/shipping_batch.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("整批撤销<span"), html.contains("期间订单变了")), (full, full));
            assert_eq!((html.contains("这 2 行照样发"), html.contains("轻放")), (full, true));
            for express in [true, false] {
                let page = ScanPage {
                    frame: frame(),
                    tab: "scan",
                    express: full && express,
                    order: full.then(Card::sample),
                    owed: if full { vec![Owed::sample()] } else { Vec::new() },
                    may_exchange: express,
                    waiting: if full { Vec::new() } else { vec![Card::sample()] },
                    asked: (!full).then(|| "李".into()),
                    number: full.then(|| "SF1234567890123".into()),
                    suggested: None,
                    carriers: vec!["顺丰速运".into()],
                    seen: "ab".into(),
                };
                let html = assets::strictly("console/shipping_scan.html", page).unwrap_or_else(|e| panic!("{e:#}"));
                assert_eq!(html.contains("换一单"), full);
                assert_eq!(html.contains("/admin/returns/7"), full && express);
            }
        }
    }
}
