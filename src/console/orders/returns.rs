//! 退换货 and 补发: what buyers want to send back, where each stands, and what may be done with it now.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use super::shipping::Numbered;
use super::{find, here, life};
use crate::aftersale::back::{self as goods, LookedOver};
use crate::aftersale::{dearer, decide, new};
use crate::assets;
use crate::catalogue::media::thumb;
use crate::catalogue::{Sku, store as catalogue};
use crate::clock;
use crate::console::{Frame, asked, back, cut, framed, refused, waiting};
use crate::db::Tx;
use crate::door::form::{Form, Sent};
use crate::error::{Code, Result};
use crate::ids::{LineId, OrderId, OrderNo, OutRefundNo, PhotoId, ResendId, ReturnId, SkuId};
use crate::money::{Fen, yuan};
use crate::orders::{Full, Line, Who, in_hand, store as orders};
use crate::parcels::{Found, Parcel, store as parcels};
use crate::payments::refund::{self, Refundable, may_agree, since};
use crate::photos::{Shown as Photo, store as photos};
use crate::refunds::{Refund, RefundState, store as refunds};
use crate::returns::{FullReturn, Kind, Options, Return, ReturnState, Step, store};
use crate::shipping::{self, doubt};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Staff};

pub fn routes() -> Vec<Route> {
    routes![
        list,
        page,
        agree,
        reject,
        look_over,
        receive,
        send_new,
        look_at_money,
        pay_instead,
        photo,
        resend,
        renumber
    ]
}

/// The tabs: word, text, and the states that each shows.
const TABS: [(&str, &str, &[ReturnState]); 6] = [
    ("requested", "待处理", &[ReturnState::Requested]),
    ("agreed", "待买家寄回", &[ReturnState::Agreed]),
    ("sent_back", "待收货", &[ReturnState::SentBack]),
    ("received", "待换出", &[ReturnState::Received]),
    ("done", "已完成", &[ReturnState::Done]),
    ("ended", "已拒绝、关闭", &[ReturnState::Rejected, ReturnState::Cancelled, ReturnState::Lapsed]),
];

/// Returns of a tab.
#[derive(Serialize)]
struct ReturnsPage {
    frame: Frame,
    tabs: Vec<TabShown>,
    tab: &'static str,
    returns: Vec<Shown>,
    /// From here on it goes on.
    next: Option<i64>,
    /// There are others before this page.
    later: bool,
    oldest_first: bool,
}

/// A tab; what is over is not counted.
#[derive(Serialize)]
struct TabShown {
    word: &'static str,
    text: &'static str,
    n: Option<i64>,
}

fn tabs(counts: &[(ReturnState, i64)]) -> Vec<TabShown> {
    let tab = |(word, text, states): &(&'static str, &'static str, &[ReturnState])| {
        let n: i64 = counts.iter().filter(|(state, _)| states.contains(state)).map(|(_, n)| n).sum();
        TabShown { word, text, n: states.iter().any(|state| state.is_open()).then_some(n) }
    };
    TABS.iter().map(tab).collect()
}

#[get("/returns?<tab>&<before>")]
async fn list(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    tab: Option<&str>,
    before: Option<i64>,
) -> Result<Template> {
    let (size, now) = (staff.0.lists.rows, shop.now());
    let (word, _, states) = *TABS.iter().find(|(word, ..)| Some(*word) == tab).unwrap_or(&TABS[0]);
    // Whoever waits longest is next.
    let oldest_first = states.iter().any(|state| state.is_open());
    let read = move |conn: &Connection| {
        let counts = store::counts(conn)?;
        let mut found = store::page(conn, states, before, oldest_first, size + 1)?;
        let more = cut(&mut found, size);
        let next = found.last().filter(|_| more).map(|last| last.id.0);
        let cards = found.iter().map(|case| Shown::read(conn, case, now)).collect::<Result<Vec<_>>>()?;
        Ok((counts, cards, next, waiting(conn)?))
    };
    let (counts, returns, next, waits) = shop.read(read).await?;
    let page = ReturnsPage {
        frame: framed(shop, &staff.0, "refunds", flash, waits),
        tabs: tabs(&counts),
        tab: word,
        returns,
        next,
        later: before.is_some(),
        oldest_first,
    };
    Ok(assets::page("console/returns.html", page))
}

/// A return as pages show it.
#[derive(Serialize)]
struct Shown {
    id: ReturnId,
    order_no: OrderNo,
    kind: Kind,
    kind_text: &'static str,
    state: ReturnState,
    state_text: &'static str,
    colour: &'static str,
    reason: String,
    description: String,
    answer: String,
    address: String,
    parcel: Option<String>,
    at: String,
    ended: Option<String>,
    /// How long there is still time, or how long it has been over.
    left: Option<String>,
    late: bool,
    photos: Vec<PhotoId>,
    lines: Vec<LineShown>,
    pieces: i64,
    /// What its money comes to now; none where no money goes.
    worth: Option<String>,
    /// What went back in WeChat's own console since it was asked for: that may have been for these goods.
    elsewhere: Option<String>,
    refund: Option<OutRefundNo>,
    refund_text: Option<&'static str>,
    resend: Option<String>,
    /// What has become of its order so far.
    mark: String,
    /// What it has to go through.
    life: Vec<life::Step>,
    steps: Vec<StepShown>,
}

#[derive(Serialize)]
struct LineShown {
    id: LineId,
    name: String,
    /// Of what comes back: after an exchange, what was sent for it.
    spec: String,
    /// Of one piece when it was bought, and what was paid for these; none where that has gone back.
    price: String,
    paid: Option<String>,
    /// What went back for this line without pieces.
    besides: Option<String>,
    /// What it may be, where that is several SKUs.
    may_be: Vec<MayBe>,
    /// Whether what is meant to go out costs more or less, in words; and whether more.
    compared: Option<String>,
    dearer: bool,
    image: Option<String>,
    quantity: i64,
    restocked: bool,
    /// What the buyer would rather have, in words.
    instead: Option<String>,
    /// What could go out for it.
    choices: Vec<Choice>,
}

/// A SKU of which its buyer has pieces, and how many come back if nobody says otherwise.
#[derive(Serialize)]
struct MayBe {
    sku: SkuId,
    text: String,
    has: i64,
    comes: i64,
}

#[derive(Serialize)]
struct Choice {
    sku: SkuId,
    text: String,
    available: i64,
    price: String,
    /// Against what was bought, in words.
    compared: String,
    chosen: bool,
}

#[derive(Serialize)]
struct StepShown {
    at: String,
    actor: String,
    actor_text: &'static str,
    text: &'static str,
    note: String,
}

fn colour(state: ReturnState) -> &'static str {
    match state {
        ReturnState::Requested | ReturnState::Received => "blue",
        ReturnState::Agreed => "amber",
        ReturnState::SentBack => "violet",
        ReturnState::Done => "green",
        ReturnState::Rejected | ReturnState::Cancelled | ReturnState::Lapsed => "grey",
    }
}

impl Shown {
    fn read(conn: &Connection, case: &Return, now: i64) -> Result<Shown> {
        let order = orders::by_id(conn, case.order_id)?.ok_or(Code::NotFound)?;
        let full = orders::full(conn, order)?;
        let found = full.returns.iter().find(|one| one.case.id == case.id);
        let FullReturn { case, lines, photos, steps } = found.ok_or(Code::NotFound)?;
        let refund = case.refund.map(|id| refunds::by_id(conn, id)).transpose()?.flatten();
        let by_console = refunds::of_order(conn, case.order_id)?.into_iter().map(|full| full.refund);
        let by_console = by_console.filter(|one| one.was_told_since(case.created_at));
        let elsewhere = by_console.filter(|one| one.state.takes_money()).map(|one| one.amount.get()).sum::<i64>();
        let resend = full.resends.iter().find(|sent| sent.return_id == Some(case.id));
        let (worth, refundable) = (goods::worth(&full, case.state, lines).ok(), Refundable::of(&full));
        let mut shown = Vec::new();
        for line in lines {
            let of = full.lines.iter().find(|of| of.id == line.line_id).ok_or(Code::NotFound)?;
            let skus = catalogue::skus_of(conn, of.product_id)?;
            let had = in_hand::had(&full, case.id, line, of);
            let chosen = in_hand::meant(line, of, &had);
            let instead = line.sku.filter(|sku| had.iter().any(|(of, _)| of != sku));
            let text = |id: SkuId| in_hand::spec_of(of, &skus, id);
            let comes = |id: SkuId| had.iter().find(|(sku, _)| *sku == id).map_or(0, |(_, n)| *n);
            let has = if case.options().receive { full.goods_of(of) } else { Vec::new() };
            let may_be = has.iter().filter(|_| has.len() > 1);
            let may_be = may_be.map(|(sku, n)| MayBe { sku: *sku, text: text(*sku), has: *n, comes: comes(*sku) });
            let fits = |sku: &&Sku| sku.enabled || sku.id == chosen;
            let more = |sku: &Sku| dearer::difference(of, &had, (sku.id, sku.price), line.quantity);
            let choices = skus.iter().filter(fits).map(|sku| Choice {
                sku: sku.id,
                text: text(sku.id),
                available: sku.available(),
                price: sku.price.to_string(),
                compared: dearer::words(more(sku)),
                chosen: sku.id == chosen,
            });
            let choices: Vec<_> = choices.filter(|_| case.kind == Kind::Exchange).collect();
            let difference = skus.iter().find(|sku| sku.id == chosen && instead.is_some()).map(more);
            let besides = refundable.lines.iter().find(|one| one.line.id == of.id).map_or(Fen::ZERO, |one| one.besides);
            let part = worth.iter().flat_map(|(parts, _)| parts).find(|part| part.line_id == of.id);
            shown.push(LineShown {
                id: of.id,
                name: of.name.clone(),
                spec: had.iter().map(|(sku, _)| text(*sku)).collect::<Vec<_>>().join("、"),
                price: of.price.to_string(),
                paid: part.map(|part| part.amount.to_string()),
                besides: (besides > Fen::ZERO).then(|| besides.to_string()),
                may_be: may_be.collect(),
                compared: difference.map(dearer::words),
                dearer: difference.is_some_and(|fen| fen > 0),
                image: of.image.as_ref().map(thumb),
                quantity: line.quantity,
                restocked: line.restocked,
                instead: instead.and_then(|sku| choices.iter().find(|c| c.sku == sku).map(|c| c.text.clone())),
                choices,
            });
        }
        let left = case.due_at.map(|at| (at - now, case.overdue || at <= now));
        let reached = reached(case, steps, refund.as_ref(), resend.is_some());
        Ok(Shown {
            id: case.id,
            order_no: full.order.order_no.clone(),
            kind: case.kind,
            kind_text: case.kind.text(),
            state: case.state,
            state_text: case.state.text(),
            colour: colour(case.state),
            at: clock::shown(case.created_at),
            ended: case.ended_at.map(clock::shown),
            left: left.map(|(ms, _)| clock::span(ms.abs())),
            late: left.is_some_and(|(_, late)| late),
            parcel: case.parcel.as_ref().map(Parcel::text),
            pieces: lines.iter().map(|line| line.quantity).sum(),
            worth: worth.map(|(_, sum)| sum).filter(|sum| *sum > Fen::ZERO).map(|sum| sum.to_string()),
            elsewhere: (elsewhere > 0).then(|| yuan(elsewhere)),
            refund_text: refund.as_ref().map(|refund| refund.state.text()),
            refund: refund.map(|refund| refund.out_refund_no),
            resend: resend.map(|sent| sent.parcel.text()),
            mark: full.mark(),
            life: life::line(&reached, now),
            steps: steps.iter().map(step_shown).collect(),
            lines: shown,
            photos: photos.clone(),
            reason: case.reason.clone(),
            description: case.description.clone(),
            answer: case.answer.clone(),
            address: case.address.clone(),
        })
    }
}

/// What a return has to go through, and when it came so far.
fn reached(case: &Return, steps: &[Step], refund: Option<&Refund>, replaced: bool) -> Vec<(&'static str, Option<i64>)> {
    use ReturnState::{Agreed, Done, Received, Requested, SentBack};
    let at = |state: ReturnState| steps.iter().find(|step| step.state == state).map(|step| step.at);
    let mut line = vec![("申请", Some(case.created_at)), ("同意", at(Agreed)), ("寄回", at(SentBack))];
    let exchanged = case.kind == Kind::Exchange;
    if exchanged {
        line.extend([("收到", at(Received)), ("换出", at(Done))]);
    } else {
        line.push(("收到", at(Done)));
    }
    // What was skipped was not needed: brought to the shop, or not wanted back.
    let last = line.iter().rposition(|(_, at)| at.is_some()).unwrap_or(0);
    let (before, after) = line.split_at(last);
    let mut line: Vec<_> = before.iter().filter(|(_, at)| at.is_some()).chain(after).copied().collect();
    match case.state {
        Requested | Agreed | SentBack | Received => {}
        Done if exchanged && !replaced => {
            line.pop();
            line.push(("改为退款", at(Done)));
        }
        Done => {}
        // It went no further.
        ended => {
            line.retain(|(_, at)| at.is_some());
            line.push((ended.text(), case.ended_at));
        }
    }
    if let Some(refund) = refund.filter(|refund| refund.state.is_open() || refund.state == RefundState::Succeeded) {
        line.push(("到账", refund.ended_at));
    } else if !exchanged && case.state.is_open() {
        line.push(("到账", None));
    }
    line
}

fn step_shown(step: &Step) -> StepShown {
    StepShown {
        at: clock::shown(step.at),
        actor: step.actor.clone(),
        actor_text: match step.actor.as_str() {
            "buyer" => "买家",
            "staff" => "店里",
            _ => "系统",
        },
        text: step.state.text(),
        note: step.note.clone(),
    }
}

fn shown(conn: &Connection, id: ReturnId, now: i64) -> Result<(Shown, Options)> {
    let case = store::by_id(conn, id)?.ok_or(Code::NotFound)?;
    let may = case.options();
    Ok((Shown::read(conn, &case, now)?, may))
}

/// A return, and what may be done with it now.
#[derive(Serialize)]
struct ReturnPage {
    frame: Frame,
    r: Shown,
    may: Options,
    carriers: Vec<String>,
    /// Where buyers usually send what comes back.
    address: String,
    /// So many days a buyer has to send it.
    send_days: i64,
}

#[get("/returns/<id>")]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, id: ReturnId) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &Connection| Ok((shown(conn, id, now)?, super::shipping::choices(conn)?, waiting(conn)?));
    let ((r, may), carriers, waits) = shop.read(read).await?;
    let settings = shop.settings();
    let page = ReturnPage {
        frame: framed(shop, &staff.0, "refunds", flash, waits),
        r,
        may,
        carriers,
        address: settings.get("shop.return_address").unwrap_or_default().to_owned(),
        send_days: settings.send_back_window() / clock::DAY,
    };
    Ok(assets::page("console/return.html", page))
}

fn at(id: ReturnId) -> String {
    format!("/admin/returns/{id}")
}

/// Does something with a return in one transaction, and writes down who did it.
async fn act<T: Send + 'static>(
    shop: &Shop,
    staff: &Staff,
    id: ReturnId,
    what: &'static str,
    work: impl Fn(&Tx, &Who) -> Result<T> + Send + 'static,
) -> Result<T> {
    let staff = staff.clone();
    let write = move |tx: &Tx| {
        let case = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let order = orders::by_id(tx, case.order_id)?.ok_or(Code::NotFound)?;
        let done = work(tx, &Who::staff(&staff.name))?;
        audit(tx, &staff, &format!("{} {}：{what}", case.kind.text(), order.order_no))?;
        Ok(done)
    };
    let done = shop.write(write).await;
    shop.wake_worker();
    done
}

#[derive(FromForm)]
struct Agreed {
    address: String,
    #[field(default = String::new())]
    words: String,
}

#[post("/returns/<id>/agree", data = "<form>")]
async fn agree(shop: &State<Shop>, staff: Clerk, id: ReturnId, form: Form<Agreed>) -> Flash<Redirect> {
    let (form, settings) = (form.into_inner(), shop.settings());
    let work = move |tx: &Tx, who: &Who| decide::agree(tx, id, &form.address, &form.words, who, &settings);
    back(at(id), act(shop, &staff.0, id, "同意", work).await.map(|()| "已同意，买家会看到退货地址"))
}

#[derive(FromForm)]
struct ReasonForm {
    words: String,
}

#[post("/returns/<id>/reject", data = "<form>")]
async fn reject(shop: &State<Shop>, staff: Clerk, id: ReturnId, form: Form<ReasonForm>) -> Flash<Redirect> {
    let (form, settings) = (form.into_inner(), shop.settings());
    let work = move |tx: &Tx, who: &Who| decide::reject(tx, id, &form.words, who, &settings);
    back(at(id), act(shop, &staff.0, id, "拒绝", work).await.map(|()| "已拒绝，买家会看到您的说明"))
}

/// Whether somebody may give back alone what this comes to now.
async fn may_pay(shop: &Shop, staff: &Staff, id: ReturnId) -> Result<bool> {
    let read = move |conn: &Connection| {
        let case = store::by_id(conn, id)?.ok_or(Code::NotFound)?;
        let order = orders::by_id(conn, case.order_id)?.ok_or(Code::NotFound)?;
        let full = orders::full(conn, order)?;
        Ok(goods::worth(&full, case.state, &store::lines(conn, id)?).map_or(Fen::ZERO, |(_, sum)| sum))
    };
    Ok(may_agree(staff.role, &shop.settings(), shop.read(read).await?))
}

/// The second screen: what came, and what it comes to.
#[get("/returns/<id>/receive")]
async fn look_over(shop: &State<Shop>, staff: Clerk, id: ReturnId) -> Result<Template> {
    confirm_page(shop, &staff.0, id, "receive").await
}

#[get("/returns/<id>/pay-instead")]
async fn look_at_money(shop: &State<Shop>, staff: Clerk, id: ReturnId) -> Result<Template> {
    confirm_page(shop, &staff.0, id, "pay-instead").await
}

#[derive(Serialize)]
struct ReceivePage {
    frame: Frame,
    r: Shown,
    /// `receive`, or `pay-instead`.
    act: &'static str,
    possible: bool,
    /// Whoever looks may let the money go.
    agrees: bool,
    staff: String,
}

async fn confirm_page(shop: &Shop, staff: &Staff, id: ReturnId, act: &'static str) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &Connection| Ok((shown(conn, id, now)?, waiting(conn)?));
    let ((r, may), waits) = shop.read(read).await?;
    let possible = if act == "receive" { may.receive } else { may.pay_instead };
    let page = ReceivePage {
        frame: framed(shop, staff, "refunds", None, waits),
        r,
        act,
        possible,
        agrees: may_pay(shop, staff, id).await?,
        staff: staff.name.clone(),
    };
    Ok(assets::page("console/return_receive.html", page))
}

#[derive(FromForm)]
struct Received {
    /// Lines whose pieces can be sold again.
    #[field(default = Vec::new())]
    restock: Vec<i64>,
    /// How many pieces of which SKU came.
    #[field(default = Vec::new())]
    came: Vec<Came>,
    /// The money is to be looked at before it goes.
    #[field(default = false)]
    later: bool,
    /// What its page showed.
    seen: Option<String>,
}

/// Errors: since the page was made, something has become of the goods or the money of the return's order.
fn as_shown(tx: &Tx, id: ReturnId, seen: Option<&str>) -> Result<()> {
    let order = store::by_id(tx, id)?.ok_or(Code::NotFound)?.order_id;
    refund::full_order(tx, order)?.must_stand(seen, "没有改动：请先核对，再做一次")
}

#[derive(FromForm)]
struct Came {
    line: i64,
    sku: i64,
    #[field(default = 0)]
    quantity: i64,
}

#[post("/returns/<id>/receive", data = "<form>")]
async fn receive(shop: &State<Shop>, staff: Clerk, id: ReturnId, form: Form<Received>) -> Flash<Redirect> {
    let over = LookedOver {
        restock: form.restock.iter().map(|id| LineId(*id)).collect(),
        came: form.came.iter().map(|came| (LineId(came.line), SkuId(came.sku), came.quantity)).collect(),
    };
    let (settings, agrees) = (shop.settings(), agreement(shop, &staff.0, form.later));
    let seen = form.seen.clone();
    let work = move |tx: &Tx, who: &Who| {
        as_shown(tx, id, seen.as_deref())?;
        let refund = goods::receive(tx, id, &over, &agrees, who, &settings)?;
        Ok(refund.map(|id| refunds::by_id(tx, id)).transpose()?.flatten())
    };
    match act(shop, &staff.0, id, "验收", work).await {
        Ok(Some(refund)) => paid(id, &refund, form.later),
        Ok(None) => back(at(id), Ok("已收到，请把换的商品寄给买家")),
        Err(e) => back(at(id), Err::<&str, _>(e)),
    }
}

/// Whether whoever looks at the goods lets a sum go at once, asked of the sum that it comes to in the end.
fn agreement(shop: &Shop, staff: &Staff, later: bool) -> impl Fn(Fen) -> bool + Send + 'static {
    let (role, settings) = (staff.role, shop.settings());
    move |sum| !later && may_agree(role, &settings, sum)
}

/// On to the refund where its sum is still to be looked at; else back to the return.
fn paid(id: ReturnId, refund: &Refund, later: bool) -> Flash<Redirect> {
    match (refund.state != RefundState::Requested, later) {
        (true, _) => back(at(id), Ok("已收到，退款已发出")),
        (false, true) => back(format!("/admin/refunds/{}", refund.out_refund_no), Ok("已收到，请核对退款金额")),
        (false, false) => back(at(id), Ok("已收到，等经理或店主同意后退款")),
    }
}

#[post("/returns/<id>/pay-instead", data = "<form>")]
async fn pay_instead(shop: &State<Shop>, staff: Clerk, id: ReturnId, form: Form<Received>) -> Flash<Redirect> {
    let (settings, agrees) = (shop.settings(), agreement(shop, &staff.0, form.later));
    let seen = form.seen.clone();
    let work = move |tx: &Tx, who: &Who| {
        as_shown(tx, id, seen.as_deref())?;
        let refund = goods::pay_instead(tx, id, &agrees, who, &settings)?;
        Ok(refunds::by_id(tx, refund)?.ok_or(Code::NotFound)?)
    };
    match act(shop, &staff.0, id, "改为退款", work).await {
        Ok(refund) => paid(id, &refund, form.later),
        Err(e) => back(at(id), Err::<&str, _>(e)),
    }
}

#[derive(FromForm)]
struct Parcelled {
    #[field(default = String::new())]
    company: String,
    #[field(default = String::new())]
    tracking_no: String,
    /// Handed over, so that nobody carries it.
    #[field(default = false)]
    by_hand: bool,
    #[field(default = false)]
    merge: bool,
    #[field(default = false)]
    as_written: bool,
    /// What goes out costs more than what was bought, and the shop bears it.
    #[field(default = false)]
    dearer: bool,
    /// Although a refund of its money may have been forgotten.
    #[field(default = false)]
    despite_refund: bool,
    #[field(default = Vec::new())]
    goods: Vec<Instead>,
    /// What its page showed.
    seen: Option<String>,
}

#[derive(FromForm)]
struct Instead {
    line: i64,
    sku: i64,
}

/// The parcel in which something goes out once more for an order; with another order's goods only where that is said.
fn parcel(tx: &Tx, order: OrderId, (company, number): (&str, &str), merge: bool, as_written: bool) -> Result<Parcel> {
    let found = Found::read(tx, &parcels::carriers(tx)?, company, number)?;
    shipping::must_fit(&found, as_written)?;
    let parcel = found.parcel;
    let order = orders::by_id(tx, order)?.ok_or(Code::NotFound)?;
    shipping::must_be_its_own(tx, &order, &parcel.tracking_no, merge)?;
    Ok(parcel)
}

/// What WeChat has not been asked about since a backup was gone back to is asked before anything leaves for it.
async fn ask_first(shop: &Shop, id: ReturnId) -> Result<()> {
    let case = shop.read(move |conn| Ok(store::by_id(conn, id)?)).await?.ok_or(Code::NotFound)?;
    since::ask_first(shop, case.order_id).await.map(drop)
}

#[post("/returns/<id>/send", data = "<form>")]
async fn send_new(shop: &State<Shop>, staff: Clerk, id: ReturnId, form: Sent<Parcelled>) -> Flash<Redirect> {
    let (Sent { form, fields }, settings) = (form, shop.settings());
    if let Err(e) = ask_first(shop, id).await {
        return refused(at(id), e);
    }
    let work = move |tx: &Tx, who: &Who| {
        let instead: Vec<_> = form.goods.iter().map(|of| (LineId(of.line), SkuId(of.sku))).collect();
        let order = store::by_id(tx, id)?.ok_or(Code::NotFound)?.order_id;
        let parcel = match form.by_hand {
            true => Parcel::default(),
            false => parcel(tx, order, (&form.company, &form.tracking_no), form.merge, form.as_written)?,
        };
        as_shown(tx, id, form.seen.as_deref())?;
        doubt::must_be_sure(tx, order, form.despite_refund, who)?;
        new::exchange(tx, id, &parcel, &instead, form.dearer, who, &settings).map(drop)
    };
    let done = if form.by_hand {
        "换的商品已交给买家，库存已扣"
    } else {
        "换的商品已寄出，库存已扣"
    };
    match act(shop, &staff.0, id, "换货寄出", work).await {
        Ok(()) => back(at(id), Ok(done)),
        Err(e) => asked(at(id), e, &format!("{}/send", at(id)), &fields),
    }
}

/// A buyer's photograph; `size=thumb` for the small one.
#[get("/photos/<id>?<size>")]
async fn photo(shop: &State<Shop>, _staff: Clerk, id: PhotoId, size: Option<&str>) -> Result<Photo> {
    let small = size == Some("thumb");
    let found = shop.read(move |conn| Ok(photos::bytes(conn, id, None, small)?)).await?;
    found.map(Photo::from).ok_or_else(|| Code::NotFound.into())
}

// ── 补发 ──

/// A parcel that was sent once more, as an order's page shows it.
#[derive(Serialize)]
pub struct ResendShown {
    id: ResendId,
    return_id: Option<ReturnId>,
    reason: String,
    text: String,
    company_text: String,
    tracking: String,
    at: String,
    by: String,
    lines: Vec<Resent>,
}

#[derive(Serialize)]
struct Resent {
    name: String,
    n: i64,
}

#[derive(Serialize)]
pub struct ToResend {
    id: LineId,
    name: String,
    spec: String,
    most: i64,
}

/// What of an order can be sent once more: each line with how many pieces.
pub fn to_resend(full: &Full) -> Vec<ToResend> {
    if new::refused(full).is_some() {
        return Vec::new();
    }
    let of = |(line, most): (&Line, i64)| ToResend {
        id: line.id,
        name: line.name.clone(),
        spec: line.spec_text.clone(),
        most,
    };
    full.in_hand().into_iter().map(of).collect()
}

pub fn resends_shown(full: &Full) -> Vec<ResendShown> {
    let name = |id: LineId| full.lines.iter().find(|line| line.id == id).map_or("", |line| line.name.as_str());
    let shown = full.resends.iter().map(|sent| ResendShown {
        id: sent.id,
        return_id: sent.return_id,
        reason: sent.reason.clone(),
        text: sent.parcel.text(),
        company_text: sent.parcel.company_text().to_owned(),
        tracking: sent.parcel.tracking_no.clone(),
        at: clock::shown(sent.sent_at),
        by: sent.sent_by.clone(),
        lines: sent.lines.iter().map(|(line, _, n)| Resent { name: name(*line).to_owned(), n: *n }).collect(),
    });
    shown.collect()
}

/// A return as its order's page shows it.
#[derive(Serialize)]
pub struct LineOf {
    id: ReturnId,
    kind: &'static str,
    state: &'static str,
    colour: &'static str,
    reason: String,
    late: bool,
}

impl From<&FullReturn> for LineOf {
    fn from(full: &FullReturn) -> LineOf {
        let case = &full.case;
        LineOf {
            id: case.id,
            kind: case.kind.text(),
            state: case.state.text(),
            colour: colour(case.state),
            reason: case.reason.clone(),
            late: case.overdue,
        }
    }
}

#[cfg(test)]
impl LineOf {
    pub fn sample() -> LineOf {
        let (kind, state) = (Kind::Exchange.text(), ReturnState::SentBack);
        LineOf {
            id: ReturnId(1), kind, state: state.text(), colour: colour(state), reason: "大了".into(), late: true
        }
    }
}

#[derive(FromForm)]
struct Lost {
    #[field(default = String::new())]
    company: String,
    tracking_no: String,
    reason: String,
    #[field(default = false)]
    merge: bool,
    #[field(default = false)]
    as_written: bool,
    /// Although a refund of its money may have been forgotten.
    #[field(default = false)]
    despite_refund: bool,
    /// What goes out was given back, and the shop bears it.
    #[field(default = false)]
    dearer: bool,
    #[field(default = Vec::new())]
    pieces: Vec<Pieces>,
    /// What its page showed.
    seen: Option<String>,
}

#[derive(FromForm)]
struct Pieces {
    id: i64,
    #[field(default = 0)]
    quantity: i64,
}

#[post("/orders/<no>/resend", data = "<form>")]
async fn resend(shop: &State<Shop>, staff: Clerk, no: &str, form: Sent<Lost>) -> Flash<Redirect> {
    let Sent { form, fields } = form;
    let done = async {
        let order = find(shop, no).await?;
        since::ask_first(shop, order.id).await?;
        let write = move |tx: &Tx| {
            let pieces: Vec<_> = form.pieces.iter().map(|p| (LineId(p.id), p.quantity)).collect();
            let full = refund::full_order(tx, order.id)?;
            full.must_stand(form.seen.as_deref(), "请先核对是不是已经补发过，没有再填一次")?;
            let parcel = parcel(tx, order.id, (&form.company, &form.tracking_no), form.merge, form.as_written)?;
            let who = Who::staff(&staff.0.name);
            doubt::must_be_sure(tx, order.id, form.despite_refund, &who)?;
            new::lost(tx, order.id, &pieces, &form.reason, &parcel, form.dearer, &who)?;
            audit(tx, &staff.0, &format!("补发 {} {}", order.order_no, parcel.text()))?;
            Ok("已补发，库存已扣，买家能看到新单号")
        };
        shop.write(write).await
    };
    match done.await {
        Ok(said) => back(here(no), Ok(said)),
        Err(e) => asked(here(no), e, &format!("{}/resend", here(no)), &fields),
    }
}

#[post("/orders/<no>/resends/<id>/number", data = "<form>")]
async fn renumber(shop: &State<Shop>, staff: Clerk, no: &str, id: ResendId, form: Sent<Numbered>) -> Flash<Redirect> {
    let Sent { form, fields } = form;
    let done = async {
        let order = find(shop, no).await?;
        let write = move |tx: &Tx| {
            let parcel = parcel(tx, order.id, (&form.company, &form.tracking_no), form.merge, form.as_written)?;
            new::renumber(tx, order.id, id, (form.was.as_deref(), &parcel), &Who::staff(&staff.0.name))?;
            audit(tx, &staff.0, &format!("{} 补发的包裹改单号：{}", order.order_no, parcel.text()))?;
            Ok("单号已改")
        };
        shop.write(write).await
    };
    match done.await {
        Ok(said) => back(here(no), Ok(said)),
        Err(e) => asked(here(no), e, &format!("{}/resends/{id}/number", here(no)), &fields),
    }
}

#[cfg(test)]
impl ToResend {
    pub fn sample() -> ToResend {
        ToResend { id: LineId(1), name: "草莓蛋糕".into(), spec: "6 寸".into(), most: 1 }
    }
}

#[cfg(test)]
impl ResendShown {
    pub fn sample() -> ResendShown {
        ResendShown {
            id: ResendId(1),
            return_id: Some(ReturnId(1)),
            reason: "换货".into(),
            text: "顺丰速运 SF1234567890124".into(),
            company_text: "顺丰速运".into(),
            tracking: "SF1234567890124".into(),
            at: "2026-10-09 10:00:00".into(),
            by: "小王".into(),
            lines: vec![Resent { name: "草莓蛋糕".into(), n: 1 }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Frame;
    use crate::staff::Role;

    #[test]
    fn a_return_goes_through_what_its_kind_asks_for_and_skips_what_was_not_needed() {
        use ReturnState::{Agreed, Cancelled, Done, Received, Requested, SentBack};
        let said = |kind, states: &[ReturnState], replaced: bool| -> String {
            let step = |(at, state): (usize, &ReturnState)| Step {
                at: at as i64 + 2,
                actor: "staff".into(),
                state: *state,
                note: String::new(),
            };
            let steps: Vec<Step> = states.iter().enumerate().map(step).collect();
            let line = reached(&Return::sample(kind, *states.last().unwrap()), &steps, None, replaced);
            line.iter().map(|(text, at)| format!("{text}{}", at.unwrap_or(0))).collect::<Vec<_>>().join(" ")
        };
        for (kind, states, replaced, line) in [
            (Kind::Return, &[Requested][..], false, "申请1 同意0 寄回0 收到0 到账0"),
            (Kind::Return, &[Requested, Agreed, SentBack], false, "申请1 同意3 寄回4 收到0 到账0"),
            (Kind::Return, &[Requested, Agreed, Done], false, "申请1 同意3 收到4"),
            (Kind::Return, &[Requested, Agreed, Cancelled], false, "申请1 同意3 已撤回9"),
            (Kind::Exchange, &[Requested, Agreed], false, "申请1 同意3 寄回0 收到0 换出0"),
            (Kind::Exchange, &[Requested, Agreed, Received], false, "申请1 同意3 收到4 换出0"),
            (Kind::Exchange, &[Requested, Agreed, SentBack, Received, Done], true, "申请1 同意3 寄回4 收到5 换出6"),
            (Kind::Exchange, &[Requested, Agreed, Received, Done], false, "申请1 同意3 收到4 改为退款5"),
        ] {
            assert_eq!(said(kind, states, replaced), line, "{kind:?} {states:?}");
        }
    }

    fn whole() -> Shown {
        Shown {
            id: ReturnId(1),
            order_no: "261008131540ABCDEFGH".parse().unwrap(),
            kind: Kind::Exchange,
            kind_text: Kind::Exchange.text(),
            state: ReturnState::SentBack,
            state_text: ReturnState::SentBack.text(),
            colour: "violet",
            reason: "大了".into(),
            description: "想换小一号".into(),
            answer: "好的".into(),
            address: "王小样 13800138000 杭州市西湖区文三路 1 号".into(),
            parcel: Some("顺丰速运 SF1234567890123".into()),
            at: "2026-10-08 13:15:40".into(),
            ended: Some("2026-10-09 13:15:40".into()),
            left: Some("3 小时".into()),
            late: true,
            photos: vec![PhotoId(1)],
            lines: vec![LineShown {
                id: LineId(1),
                name: "草莓蛋糕".into(),
                spec: "6 寸".into(),
                image: Some("/media/1.jpg".into()),
                quantity: 1,
                restocked: true,
                instead: Some("8 寸".into()),
                price: "57.00".into(),
                paid: Some("57.00".into()),
                besides: Some("3.00".into()),
                may_be: vec![MayBe { sku: SkuId(2), text: "6 寸".into(), has: 1, comes: 1 }],
                compared: Some("比买的贵 ¥10.00".into()),
                dearer: true,
                choices: vec![Choice {
                    sku: SkuId(1),
                    text: "8 寸".into(),
                    available: 3,
                    price: "67.00".into(),
                    compared: "比买的贵 ¥10.00".into(),
                    chosen: true,
                }],
            }],
            pieces: 1,
            worth: Some("57.00".into()),
            elsewhere: Some("10.01".into()),
            refund: "261008131540ABCDEFGHR01".parse().ok(),
            refund_text: Some("退款中"),
            resend: Some("顺丰速运 SF1234567890124".into()),
            mark: "0-0-0-1-1-0-0".into(),
            life: life::Step::samples(),
            steps: vec![StepShown {
                at: "2026-10-08 13:15:40".into(),
                actor: "buyer".into(),
                actor_text: "买家",
                text: "待处理",
                note: "大了".into(),
            }],
        }
    }

    fn bare() -> Shown {
        Shown {
            kind: Kind::Return,
            description: String::new(),
            answer: String::new(),
            address: String::new(),
            parcel: None,
            ended: None,
            left: None,
            late: false,
            photos: Vec::new(),
            lines: Vec::new(),
            worth: None,
            refund: None,
            refund_text: None,
            resend: None,
            steps: Vec::new(),
            ..whole()
        }
    }

    #[test]
    fn the_pages_of_a_return_ask_for_nothing_that_they_are_not_given() {
        let all = Options {
            agree: true,
            reject: true,
            receive: true,
            send_new: true,
            pay_instead: true,
            cancel: true,
            send: true,
        };
        let frame = || Frame::sample(Role::Clerk);
        for (full, may) in [(true, all), (false, Options::default())] {
            let r = || if full { whole() } else { bare() };
            let (carriers, address) = (vec!["顺丰速运".to_owned()], "杭州".to_owned());
            let page = ReturnPage { frame: frame(), r: r(), may, carriers, address, send_days: 7 };
            let html = assets::strictly("console/return.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains("261008131540ABCDEFGH"));
            let act = if full { "receive" } else { "pay-instead" };
            let staff = "小王".to_owned();
            let page = ReceivePage { frame: frame(), r: r(), act, possible: full, agrees: full, staff };
            assets::strictly("console/return_receive.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            let tabs = tabs(&[(ReturnState::Requested, 2)]);
            let returns = if full { vec![whole(), bare()] } else { vec![] };
            let next = full.then_some(1);
            let page =
                ReturnsPage { frame: frame(), tabs, tab: "requested", returns, next, later: full, oldest_first: full };
            assets::strictly("console/returns.html", page).unwrap_or_else(|e| panic!("{e:#}"));
        }
    }
}
