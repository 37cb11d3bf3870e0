//! 售后: what buyers ask back and what staff give back, with a second screen before money leaves.

use rocket::form::{FromFormField, ValueField};
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::catalogue::media::thumb;
use crate::catalogue::{Sku, store as catalogue};
use crate::clock;
use crate::console::lengths::REFUND_WORDS;
use crate::console::orders::{find, found, life};
use crate::console::{Frame, back, cut, framed, lead, refused, waiting};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::exceptions::store::order_waits_for;
use crate::ids::{LineId, OrderNo, OutRefundNo, PhotoId, RefundId, SkuId};
use crate::jobs::{self, Task};
use crate::money::Fen;
use crate::orders::store as orders;
use crate::orders::{Full, Line, Order, Who, in_hand};
use crate::payments::refund::{self, Asker, Deed, RefundRequest, Refundable, Unheard, may_agree, must_agree, send};
use crate::refunds::{FullRefund, OTHER_MERCHANT, Options, Origin, Refund, RefundLine, RefundState, store};
use crate::returns::{Resend, ReturnState, With};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Staff};
use crate::typed::whole;

pub fn routes() -> Vec<Route> {
    routes![list, detail, new_page, new, approve_page, approve, reject, withdraw, stop, retry, query, other_means]
}

/// Reasons to choose from; the first is the usual one.
const REASONS: [&str; 7] = ["协商一致退款", "不想要了", "商品缺货", "商品有问题", "发错或少发", "价格调整", "其他原因"];

/// The tabs: word, text, and the states that each shows.
const TABS: [(&str, &str, &[RefundState]); 5] = [
    ("requested", "待处理", &[RefundState::Requested]),
    ("trouble", "需人工处理", &[RefundState::Failed, RefundState::Abnormal]),
    ("processing", "退款中", &[RefundState::Approved, RefundState::Processing]),
    ("succeeded", "已退款", &[RefundState::Succeeded]),
    ("ended", "已拒绝、取消", &[RefundState::Rejected, RefundState::Cancelled]),
];

/// What waits for a person is asked about from the oldest on; of the rest the newest is.
const OLDEST_FIRST: [&str; 2] = ["requested", "trouble"];

#[get("/refunds?<tab>&<before>")]
async fn list(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    tab: Option<&str>,
    before: Option<i64>,
) -> Result<Template> {
    let size = staff.0.lists.rows;
    let (word, _, states) = *TABS.iter().find(|(word, ..)| Some(*word) == tab).unwrap_or(&TABS[0]);
    let (now, settings, role) = (shop.now(), shop.settings(), staff.0.role);
    let read = move |conn: &Connection| {
        let counts = store::counts(conn)?;
        let mut found = store::page(conn, states, before, OLDEST_FIRST.contains(&word), size + 1)?;
        let more = cut(&mut found, size);
        let next = found.last().filter(|_| more).map(|last| last.id.0);
        let cards = found
            .into_iter()
            .map(|refund| {
                let order = refund.order_id.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
                let names = order.as_ref().map(|order| orders::lines(conn, order.id)).transpose()?;
                let goods = names.unwrap_or_default().iter().map(Goods::of).collect();
                let is_asked = refund.state == RefundState::Requested && may_agree(role, &settings, refund.amount);
                Ok(Shown { goods, is_asked, ..Shown::of(&store::full(conn, refund)?, order.as_ref(), now) })
            })
            .collect::<Result<Vec<Shown>>>()?;
        Ok((counts, cards, next, waiting(conn)?))
    };
    let (counts, cards, next, waits) = shop.read(read).await?;
    let tab = |(tab, text, states): &(&'static str, &'static str, &[RefundState])| {
        let n: i64 = counts.iter().filter(|(state, _)| states.contains(state)).map(|(_, n)| n).sum();
        let counted = !matches!(*tab, "succeeded" | "ended");
        TabShown { word: tab, text, n: counted.then_some(n), alarm: *tab == "trouble" && n > 0 }
    };
    let page = RefundsPage {
        frame: framed(shop, &staff.0, "refunds", flash, waits),
        tabs: TABS.iter().map(tab).collect(),
        tab: word,
        refunds: cards,
        next,
        later: before.is_some(),
        oldest_first: OLDEST_FIRST.contains(&word),
    };
    Ok(assets::page("console/refunds.html", page))
}

/// Everything that the list of refunds shows.
#[derive(Serialize)]
struct RefundsPage {
    frame: Frame,
    tabs: Vec<TabShown>,
    /// The word of the tab in view.
    tab: &'static str,
    refunds: Vec<Shown>,
    next: Option<i64>,
    /// There are others before this page.
    later: bool,
    oldest_first: bool,
}

#[derive(Serialize)]
struct TabShown {
    word: &'static str,
    text: &'static str,
    /// How many; none where the number only grows.
    n: Option<i64>,
    alarm: bool,
}

/// A refund as pages show it.
#[derive(Serialize)]
pub struct Shown {
    number: OutRefundNo,
    order_no: Option<OrderNo>,
    amount: String,
    freight: Option<String>,
    state: RefundState,
    state_text: &'static str,
    origin: &'static str,
    reason: String,
    description: String,
    requested_by: String,
    decided_by: String,
    answer: String,
    at: String,
    age: String,
    ended: Option<String>,
    /// WeChat's own numbers for it and for its payment.
    refund_id: Option<String>,
    transaction: Option<String>,
    account: String,
    tries: i64,
    sent: Option<String>,
    accepted: Option<String>,
    problem: String,
    inside: bool,
    pieces: i64,
    /// It goes out by itself then.
    waits_until: Option<String>,
    photos: Vec<PhotoId>,
    /// What the order was for; only a list says it.
    goods: Vec<Goods>,
    /// It waits for a word that whoever looks at the list may give.
    is_asked: bool,
}

/// What an order was for, as a list shows it.
#[derive(Serialize)]
struct Goods {
    name: String,
    image: Option<String>,
    quantity: i64,
}

impl Goods {
    fn of(line: &Line) -> Goods {
        Goods { name: line.name.clone(), image: line.image.as_ref().map(thumb), quantity: line.quantity }
    }
}

impl Shown {
    pub fn of(FullRefund { refund, lines, photos }: &FullRefund, order: Option<&Order>, now: i64) -> Shown {
        let waits = refund.state == RefundState::Approved && refund.not_before > now;
        let at = |moment: Option<i64>| moment.map(clock::shown);
        Shown {
            number: refund.out_refund_no.clone(),
            order_no: order.map(|order| order.order_no.clone()),
            amount: refund.amount.to_string(),
            freight: (refund.freight > Fen::ZERO).then(|| refund.freight.to_string()),
            state: refund.state,
            state_text: refund.state.text(),
            origin: refund.origin.text(),
            reason: refund.reason.clone(),
            description: refund.description.clone(),
            requested_by: refund.requested_by.clone(),
            decided_by: refund.decided_by.clone(),
            answer: refund.answer.clone(),
            at: clock::shown(refund.created_at),
            age: clock::span(now - refund.created_at),
            ended: at(refund.ended_at),
            refund_id: refund.refund_id.clone(),
            transaction: refund.transaction_id.clone(),
            account: refund.account.clone(),
            tries: refund.tries,
            sent: at(refund.sent_at),
            accepted: at(refund.accepted_at),
            problem: refund.problem.clone(),
            inside: refund.inside,
            pieces: lines.iter().map(|line| line.quantity).sum(),
            waits_until: waits.then(|| clock::shown_short(refund.not_before)),
            photos: photos.clone(),
            goods: Vec::new(),
            is_asked: false,
        }
    }
}

async fn by_number(shop: &Shop, number: &str) -> Result<Refund> {
    let number = number.to_owned();
    let found = shop.read(move |conn| Ok(store::by_no(conn, &number)?)).await?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// Everything that the page of a refund shows.
#[derive(Serialize)]
struct RefundPage {
    frame: Frame,
    r: Shown,
    steps: Vec<life::Step>,
    lines: Option<Vec<Part>>,
    /// The form to agree by, while it waits for an answer.
    form: Option<Offer>,
    /// When it is looked after next.
    next: Option<String>,
    /// It was tried for so long that it is left to a person now.
    gave_up: bool,
    /// Why it is not getting on.
    held: Option<String>,
    /// WeChat cannot be asked about it with what is set today.
    unasked: bool,
    /// What went back in WeChat's own console since this one was asked for, or refused, in words.
    elsewhere: Option<String>,
    /// What the shop itself gave back of the order, or sent again, since then, where this one may still go out.
    besides: Option<String>,
    /// As the order stands on this page.
    mark: Option<String>,
    now: i64,
    may: Options,
}

#[get("/refunds/<number>")]
async fn detail(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, number: &str) -> Result<Template> {
    // Taken before the books are read: what comes meanwhile nobody has seen.
    let now = shop.now();
    let (number, asked_of) = (number.to_owned(), shop.inner().clone());
    let read = move |conn: &Connection| {
        let refund = store::by_no(conn, &number)?.ok_or(Code::NotFound)?;
        let unasked = match refund.state.is_open() {
            true => send::unasked(&asked_of, conn, refund.id)?,
            false => None,
        };
        let task = Task::Refund(refund.id);
        let runs_at = jobs::store::waiting_for(conn, task)?;
        let gave_up = runs_at.is_none() && jobs::store::is_open(conn, task)?;
        let next = (runs_at, jobs::store::failing(conn, task)?, gave_up);
        let order = refund.order_id.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
        let order = order.map(|order| orders::full(conn, order)).transpose()?;
        let elsewhere = send::gone_meanwhile(conn, &refund, None)?;
        let full = store::full(conn, refund)?;
        let lines = order.as_ref().map(|order| named_lines(conn, order, &full.lines)).transpose()?;
        let asked = order.as_ref().filter(|_| full.refund.options().decide);
        let form = asked.map(|order| Offer::of(conn, order, Some(&full))).transpose()?;
        Ok((full, order, (lines, form), next, unasked, elsewhere, waiting(conn)?))
    };
    let (full, order, (lines, form), (next, failing, gave_up), unasked, elsewhere, waits) = shop.read(read).await?;
    let settings = shop.settings();
    let asker = Asker { role: staff.0.role, settings: &settings, unasked: unasked.is_some() };
    let page = RefundPage {
        frame: framed(shop, &staff.0, "refunds", flash, waits),
        r: Shown::of(&full, order.as_ref().map(|order| &order.order), now),
        steps: steps(&full.refund, now),
        lines,
        form,
        next: next.map(clock::shown),
        gave_up: gave_up && full.refund.state.is_open(),
        unasked: unasked.is_some(),
        elsewhere,
        besides: order.as_ref().filter(|_| full.refund.options().retry).and_then(|order| since(order, &full.refund)),
        mark: order.as_ref().map(Full::mark),
        now,
        held: unasked.or(failing).filter(|why| {
            // What stands with the refund itself is not said twice.
            let said = full.refund.problem_code == OTHER_MERCHANT || full.refund.problem.contains(why);
            full.refund.state.is_open() && !said
        }),
        may: refund::may(&asker, &full.refund),
    };
    Ok(assets::page("console/refund.html", page))
}

/// Where its money is on the way back.
fn steps(refund: &Refund, now: i64) -> Vec<life::Step> {
    let mut reached = vec![("提出", Some(refund.created_at))];
    match refund.state {
        RefundState::Rejected => reached.push(("已拒绝", refund.ended_at)),
        RefundState::Cancelled => reached.push(("已取消", refund.ended_at)),
        state => {
            let on = [("发送", refund.sent_at), ("受理", refund.accepted_at)];
            // What went back in another way was never sent.
            let done = state == RefundState::Succeeded;
            reached.extend(on.into_iter().filter(|(_, at)| at.is_some() || !done));
            reached.push(("到账", refund.ended_at.filter(|_| done)));
        }
    }
    life::line(&reached, now)
}

/// The part of a refund that is about one line.
#[derive(Serialize)]
struct Part {
    image: Option<String>,
    name: String,
    spec: String,
    quantity: i64,
    amount: String,
    restock: bool,
    /// As which SKUs its pieces go back to stock, where that is not simply what was bought.
    comes_as: Option<String>,
    /// What whoever gives this back is to know.
    beware: Vec<String>,
}

fn named_lines(conn: &Connection, full: &Full, parts: &[RefundLine]) -> Result<Vec<Part>> {
    let named = |part: &RefundLine| {
        let Some(line) = full.lines.iter().find(|line| line.id == part.line_id) else { return Ok(None) };
        let skus = catalogue::skus_of(conn, line.product_id)?;
        let comes = match part.came_as {
            Some(sku) => vec![(sku, part.quantity)],
            None => full.coming_back(line, part.quantity),
        };
        let others = comes.iter().any(|(sku, _)| *sku != line.sku_id);
        let text = |(sku, n): &(SkuId, i64)| format!("{} ×{n}", in_hand::spec_of(line, &skus, *sku));
        Ok(Some(Part {
            image: line.image.as_ref().map(thumb),
            name: line.name.clone(),
            spec: line.spec_text.clone(),
            quantity: part.quantity,
            amount: part.amount.to_string(),
            restock: part.restock,
            comes_as: (part.restock && others).then(|| comes.iter().map(text).collect::<Vec<_>>().join("、")),
            beware: Vec::new(),
        }))
    };
    parts.iter().map(named).filter_map(Result::transpose).collect()
}

/// The same before it is given back: with what went back besides, and what is owed for the same pieces.
fn wished_lines(conn: &Connection, full: &Full, refundable: &Refundable, parts: &[RefundLine]) -> Result<Vec<Part>> {
    let mut named = named_lines(conn, full, parts)?;
    for (shown, part) in named.iter_mut().zip(parts) {
        shown.beware.extend(sent_again(full, part.line_id));
        if part.quantity == 0 {
            continue;
        }
        let of = refundable.lines.iter().find(|one| one.line.id == part.line_id);
        shown.beware.extend(of.and_then(besides));
        shown.beware.extend(of.and_then(|of| owed(full, of.line.id)));
    }
    Ok(named)
}

/// The pieces of an order that were lost and sent once more.
fn pieces_again(full: &Full, is: impl Fn(&Resend, LineId) -> bool) -> i64 {
    let lost = full.resends.iter().filter(|sent| sent.return_id.is_none());
    let lines = lost.flat_map(|sent| sent.lines.iter().map(move |(line, _, n)| (sent, *line, *n)));
    lines.filter(|(sent, line, _)| is(sent, *line)).map(|(.., n)| n).sum()
}

/// That pieces of a line were sent once more: their money is not owed, too.
fn sent_again(full: &Full, line: LineId) -> Option<String> {
    let pieces = pieces_again(full, |_, of| of == line);
    (pieces > 0).then(|| format!("这一行补发过 {pieces} 件：要退的若就是那几件，别再退"))
}

/// What the shop itself gave back of the order, or sent again, since a refund of it was asked for.
fn since(full: &Full, refund: &Refund) -> Option<String> {
    let later = full.refunds.iter().map(|other| &other.refund).filter(|other| {
        other.id > refund.id && other.inside && other.origin != Origin::Console && other.state.takes_money()
    });
    let back = later.map(|other| format!("{} 退了 ¥{}", other.out_refund_no, other.amount));
    let pieces = pieces_again(full, |sent, _| sent.sent_at >= refund.created_at);
    let all: Vec<_> = back.chain((pieces > 0).then(|| format!("补发了 {pieces} 件"))).collect();
    (!all.is_empty()).then(|| all.join("，"))
}

fn besides(of: &refund::RefundableLine) -> Option<String> {
    (of.besides > Fen::ZERO).then(|| format!("这一行之前另外退过 ¥{}（没有退件），要不要扣，请看好金额", of.besides))
}

/// That these pieces wait to be given back or exchanged: then what is owed for them is paid here.
fn owed(full: &Full, line: LineId) -> Option<String> {
    let open = full.returns.iter().filter(|one| one.case.state.is_open());
    let mut parts = open.flat_map(|one| one.lines.iter().map(move |part| (&one.case, part)));
    let (case, part) = parts.find(|(_, part)| part.line_id == line)?;
    let (kind, state) = (case.kind.text(), case.state.text());
    let is = format!("这一行有 {} 件{kind}「{state}」", part.quantity);
    let taken = if case.state == ReturnState::Received { 0 } else { part.quantity };
    Some(match full.in_hand().iter().any(|(of, n)| of.id == line && *n > taken) {
        // Whatever is given back here is taken to be of those.
        true => format!("{is}：在这里退的算买家手里另外的件；要退它们的钱，请到那笔{kind}里办"),
        false => format!("{is}：在这里退了它们的钱，那笔{kind}就不能再办，请到那里结束它"),
    })
}

/// What the form offers: each line with what is left of it, and what was asked for.
#[derive(Serialize)]
struct Offer {
    order_no: OrderNo,
    paid: String,
    refunded: String,
    processing: String,
    left: String,
    freight_left: String,
    freight: Option<String>,
    /// WeChat says that money went back, and nobody has looked what it was.
    gone_back: Option<String>,
    lines: Vec<Offered>,
}

#[derive(Serialize)]
struct Offered {
    id: LineId,
    name: String,
    spec: String,
    image: Option<String>,
    pieces: i64,
    most: String,
    shipped: bool,
    /// As what its pieces may come back; one of them is chosen where there are several.
    comes: Vec<ComesAs>,
    /// What whoever gives this back is to know.
    beware: Vec<String>,
    /// Whoever received it says that it can be sold again, and as what it came.
    restock: bool,
    quantity: i64,
    amount: Option<String>,
}

/// A SKU of which its buyer has pieces.
#[derive(Serialize)]
struct ComesAs {
    sku: SkuId,
    text: String,
    /// It is not simply what was bought.
    other: bool,
}

impl Offer {
    fn of(conn: &Connection, full: &Full, asked: Option<&FullRefund>) -> Result<Offer> {
        let refundable = Refundable::of(full);
        let order = &full.order;
        let part = |id: LineId| asked.and_then(|r| r.lines.iter().find(|part| part.line_id == id));
        let taking = |state: &[RefundState]| {
            let some = full.refunds.iter().filter(|r| r.refund.inside && state.contains(&r.refund.state));
            some.fold(Fen::ZERO, |sum, r| sum.plus(r.refund.amount).unwrap_or(sum)).to_string()
        };
        let sent_back = asked.and_then(|r| full.return_of(r.refund.id)).map(|one| one.case.id);
        let text = |l: &refund::RefundableLine, skus: &[Sku], sku: SkuId| ComesAs {
            sku,
            text: in_hand::spec_of(&l.line, skus, sku),
            other: sku != l.line.sku_id,
        };
        let offered = |l: &refund::RefundableLine| {
            let part = part(l.line.id);
            let skus = catalogue::skus_of(conn, l.line.product_id)?;
            let mut comes: Vec<_> = full.goods_of(&l.line).into_iter().map(|(sku, _)| text(l, &skus, sku)).collect();
            // Somebody has looked over what came, and may have put it on the shelf already.
            if sent_back.is_some_and(|id| full.restocked_with(l.line.id, id)) {
                comes.clear();
            }
            let came = sent_back.map(|id| full.came_with(l.line.id, With::Return(id))).unwrap_or_default();
            if let Some((first, _)) = came.first().filter(|_| !comes.is_empty()) {
                let texts = came.iter().map(|(sku, n)| format!("{} ×{n}", in_hand::spec_of(&l.line, &skus, *sku)));
                comes = vec![ComesAs { sku: *first, text: texts.collect::<Vec<_>>().join("、"), other: true }];
            }
            Ok(Offered {
                id: l.line.id,
                name: l.line.name.clone(),
                spec: l.line.spec_text.clone(),
                image: l.line.image.as_ref().map(thumb),
                pieces: l.pieces,
                most: l.amount.to_string(),
                shipped: l.line.shipped > 0,
                comes,
                beware: besides(l)
                    .into_iter()
                    .chain(owed(full, l.line.id))
                    .chain(sent_again(full, l.line.id))
                    .collect(),
                restock: part.is_some_and(|part| part.restock),
                quantity: part.map_or(0, |part| part.quantity),
                amount: part.map(|part| part.amount.plain()),
            })
        };
        Ok(Offer {
            order_no: order.order_no.clone(),
            paid: order.paid.to_string(),
            refunded: order.refunded.to_string(),
            processing: taking(&[RefundState::Approved, RefundState::Processing, RefundState::Abnormal]),
            left: refundable.total.to_string(),
            freight_left: refundable.freight.to_string(),
            freight: asked.map(|r| r.refund.freight.plain()),
            gone_back: order_waits_for(conn, order.id)?,
            lines: refundable.lines.iter().map(offered).collect::<Result<_>>()?,
        })
    }
}

#[derive(Serialize)]
struct NewPage {
    frame: Frame,
    form: Offer,
    /// There is money to give back.
    possible: bool,
    /// One that did not go through, and one that somebody waits for.
    failed: Option<OutRefundNo>,
    requested: Option<OutRefundNo>,
    reasons: [&'static str; REASONS.len()],
}

/// A new refund of an order.
#[get("/orders/<no>/refund")]
async fn new_page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, no: &str) -> Result<Template> {
    let order_no: OrderNo = no.parse().map_err(|_| Code::NotFound)?;
    let read = move |conn: &Connection| {
        let full = found(conn, &order_no)?;
        let form = Offer::of(conn, &full, None)?;
        Ok((full, form, waiting(conn)?))
    };
    let (full, form, waits) = shop.read(read).await?;
    let first = |state| full.refunds.iter().find(|r| r.refund.state == state).map(|r| r.refund.out_refund_no.clone());
    let page = NewPage {
        frame: framed(shop, &staff.0, "refunds", flash, waits),
        form,
        possible: full.refundable() > Fen::ZERO,
        failed: first(RefundState::Failed),
        requested: first(RefundState::Requested),
        reasons: REASONS,
    };
    Ok(assets::page("console/refund_new.html", page))
}

#[derive(FromForm)]
struct RefundForm {
    #[field(default = Vec::new())]
    lines: Vec<LineForm>,
    #[field(default = String::new())]
    freight: String,
    #[field(default = String::new())]
    reason: String,
    #[field(default = String::new())]
    description: String,
    /// Everything that is left.
    #[field(default = false)]
    whole: bool,
    /// The second screen has been read.
    #[field(default = false)]
    confirmed: bool,
    /// How much of this kind had happened to the order on that screen: sent again, it would be another refund.
    seen: Option<String>,
    /// WeChat says that money went back, and somebody has looked what it was.
    looked: Option<Looked>,
}

/// When the page was made on which somebody said that he has looked: what was told later he has not seen.
#[derive(Clone, Copy)]
struct Looked(i64);

impl<'v> FromFormField<'v> for Looked {
    fn from_value(field: ValueField<'v>) -> rocket::form::Result<'v, Looked> {
        Ok(Looked(if field.value == "true" { i64::MAX } else { field.value.parse()? }))
    }
}

#[derive(FromForm)]
struct LineForm {
    id: i64,
    #[field(default = String::new())]
    quantity: String,
    #[field(default = String::new())]
    amount: String,
    /// They came back and can be sold again: `true`, or as which SKU.
    #[field(default = String::new())]
    restock: String,
}

impl LineForm {
    /// As which SKU its pieces came back, if that was said. Errors: its buyer has not so many of it.
    fn came_as(&self, full: &Full, quantity: i64) -> Result<Option<SkuId>> {
        let Ok(sku) = self.restock.parse().map(SkuId) else { return Ok(None) };
        let Some(line) = full.lines.iter().find(|line| line.id.0 == self.id) else { return Ok(None) };
        match full.goods_of(line).iter().find(|(of, _)| *of == sku) {
            Some((_, has)) if quantity <= *has => Ok(Some(sku)),
            Some((_, has)) => {
                let words = format!("「{}」这个规格买家手里只有 {has} 件，请按规格分两次退", line.name);
                Err(Error::field("lines", words))
            }
            None => Err(Error::field("lines", format!("「{}」买家手里没有这个规格", line.name))),
        }
    }
}

impl RefundForm {
    /// The wish, with each amount that was left empty worked out from the pieces.
    fn wish(
        &self,
        full: &Full,
        refundable: &Refundable,
        (reason, description): (String, String),
    ) -> Result<RefundRequest> {
        if self.whole {
            let (mut lines, freight) = refundable.whole();
            for part in &mut lines {
                let typed = self.lines.iter().find(|typed| LineId(typed.id) == part.line_id);
                let Some(typed) = typed.filter(|typed| !typed.restock.is_empty()) else { continue };
                (part.restock, part.came_as) = (true, typed.came_as(full, part.quantity)?);
            }
            return Ok(RefundRequest { lines, freight, reason, description });
        }
        let mut lines = Vec::new();
        for typed in &self.lines {
            let line = refundable.lines.iter().find(|l| l.line.id.0 == typed.id);
            let line = line.ok_or_else(|| Error::from(Code::NotFound).says("订单里没有这一行商品"))?;
            let name = &line.line.name;
            let quantity = match typed.quantity.trim() {
                "" => 0,
                text => whole(text)
                    .filter(|n| *n >= 0)
                    .ok_or_else(|| Error::field("lines", format!("「{name}」的件数请填整数")))?,
            };
            let amount = match typed.amount.trim() {
                "" if quantity > 0 => line.worth(quantity),
                "" => Fen::ZERO,
                text => Fen::from_yuan(text)
                    .ok_or_else(|| Error::field("lines", format!("「{name}」的退款金额请填金额，例如 8 或 8.50")))?,
            };
            if quantity > 0 || amount > Fen::ZERO {
                let (restock, came_as) = (!typed.restock.is_empty(), typed.came_as(full, quantity)?);
                lines.push(RefundLine { line_id: line.line.id, quantity, amount, restock, came_as });
            }
        }
        let freight = match self.freight.trim() {
            "" => Fen::ZERO,
            text => Fen::from_yuan(text).ok_or_else(|| Error::field("freight", "运费请填金额，例如 8 或 8.50"))?,
        };
        Ok(RefundRequest { lines, freight, reason, description })
    }
}

/// A line of the wish, as the second screen sends it again.
#[derive(Serialize)]
struct Again {
    id: LineId,
    quantity: i64,
    amount: String,
    restock: bool,
    came_as: Option<SkuId>,
}

/// What is to go back, once more, and the form that says so again.
#[derive(Serialize)]
struct ConfirmPage {
    frame: Frame,
    amount: String,
    lines: Vec<Part>,
    hidden: Vec<Again>,
    freight: String,
    has_freight: bool,
    /// What stays of it, where nothing has left or is to leave.
    freight_stays: Option<String>,
    reason: String,
    description: String,
    receiver: Option<String>,
    order_no: OrderNo,
    staff: String,
    /// What becomes of the order's coupon.
    coupon: Option<String>,
    /// WeChat says that something of this payment went back, and nobody has looked yet.
    gone_back: Option<String>,
    now: i64,
    number: Option<OutRefundNo>,
    seen: String,
    /// Where the form goes.
    action: String,
    /// Whoever looks may let it go at once.
    agrees: bool,
    /// It was paid outside WeChat.
    offline: bool,
    /// Where the order's goods are, in words, and whether that is with the shop.
    goods: String,
    unsent: bool,
    /// What the order was paid, has given back before, and keeps after this.
    paid: String,
    before: Option<String>,
    keeps: String,
}

/// Where an order's goods are: who gives money back is to know whether they have left.
fn whereabouts(full: &Full, now: i64) -> String {
    let sum = |of: fn(&Line) -> i64| full.lines.iter().map(of).sum::<i64>();
    let (gone, left) = (sum(|line| line.shipped), sum(|line| line.left()));
    let ago = full.order.shipped_at.map_or(String::new(), |at| format!("，{}前", clock::span(now - at)));
    match (gone, left, full.pickup.is_some()) {
        (0, _, true) => "还没有来取".into(),
        (_, 0, true) => format!("已经取走{ago}"),
        (n, left, true) => format!("取走 {n} 件，还有 {left} 件没取"),
        (0, _, false) => "一件没发".into(),
        (_, 0, false) if full.order.completed_at.is_some() => format!("全部发出{ago}，买家已收货"),
        (_, 0, false) => format!("全部发出{ago}"),
        (n, left, false) => format!("发出 {n} 件，还有 {left} 件没发"),
    }
}

/// The second screen: the facts once more, and the same form in hidden fields.
async fn confirm_page(
    shop: &Shop,
    staff: &Staff,
    full: &Full,
    wish: &RefundRequest,
    amount: Fen,
    action: String,
    number: Option<&Refund>,
) -> Result<Template> {
    let hidden = wish.lines.iter().map(|part| Again {
        id: part.line_id,
        quantity: part.quantity,
        amount: part.amount.to_string(),
        restock: part.restock,
        came_as: part.came_as,
    });
    let hidden: Vec<_> = hidden.collect();
    let receiver = full.order.address.as_ref().map(|a| a.masked_receiver());
    let (of, asked, now) = (full.clone(), wish.clone(), shop.now());
    let read = move |conn: &Connection| {
        let parts = wished_lines(conn, &of, &Refundable::of(&of), &asked.lines)?;
        let gone_back = order_waits_for(conn, of.order.id)?;
        // Paid outside WeChat, so that it goes back outside WeChat.
        let unheld = crate::ledger::store::payment_of(conn, of.order.id)?.is_none();
        let coupon = refund::coupon_words(conn, &of, &asked, now)?;
        Ok((parts, coupon, gone_back, unheld, waiting(conn)?))
    };
    let (parts, coupon, gone_back, unheld, waits) = shop.read(read).await?;
    // Nothing has left and nothing is to leave: then its buyer paid for carrying nothing.
    let refundable = Refundable::of(full);
    let freight_stays = refundable.freight_for_nothing(&wish.lines).minus(wish.freight).filter(|fen| *fen > Fen::ZERO);
    let outside = number.is_none_or(|refund| refund.transaction_id.is_none());
    let page = ConfirmPage {
        frame: framed(shop, staff, "refunds", None, waits),
        amount: amount.to_string(),
        lines: parts,
        hidden,
        freight: wish.freight.to_string(),
        has_freight: wish.freight > Fen::ZERO,
        freight_stays: freight_stays.map(|fen| fen.to_string()),
        reason: wish.reason.clone(),
        description: wish.description.clone(),
        receiver,
        order_no: full.order.order_no.clone(),
        staff: staff.name.clone(),
        coupon,
        gone_back,
        now,
        number: number.map(|refund| refund.out_refund_no.clone()),
        seen: full.mark(),
        action,
        agrees: may_agree(staff.role, &shop.settings(), amount),
        offline: outside && unheld && full.order.paid > Fen::ZERO && full.order.paid_at.is_some(),
        goods: whereabouts(full, now),
        unsent: full.lines.iter().all(|line| line.shipped == 0),
        paid: full.order.paid.to_string(),
        before: full.order.paid.minus(refundable.total).filter(|fen| *fen > Fen::ZERO).map(|fen| fen.to_string()),
        keeps: refundable.total.minus(amount).unwrap_or_default().to_string(),
    };
    Ok(assets::page("console/refund_confirm.html", page))
}

/// A page, or the way to the next one.
type Next = std::result::Result<Template, Box<Flash<Redirect>>>;

fn failed<T>(to: String, error: Error) -> std::result::Result<T, Box<Flash<Redirect>>> {
    Err(Box::new(refused(to, error)))
}

#[post("/orders/<no>/refund", data = "<form>")]
async fn new(shop: &State<Shop>, staff: Clerk, no: &str, form: Form<RefundForm>) -> Next {
    let here = format!("/admin/orders/{no}/refund");
    match open(shop, &staff.0, no, &form).await {
        Ok(Step::Confirm(page)) => Ok(*page),
        Ok(Step::Done(number, said)) => Err(Box::new(Flash::success(lead(format!("/admin/refunds/{number}")), said))),
        Err(e) => failed(here, e),
    }
}

enum Step {
    Confirm(Box<Template>),
    Done(String, &'static str),
}

async fn open(shop: &Shop, staff: &Staff, no: &str, form: &RefundForm) -> Result<Step> {
    let order = find(shop, no).await?;
    let id = order.id;
    let full = shop.read(move |conn| Ok(orders::full(conn, order)?)).await?;
    let refundable = Refundable::of(&full);
    let wish = form.wish(&full, &refundable, refund::check_words(&form.reason, &form.description)?)?;
    let amount = refundable.check(&wish)?;
    if !form.confirmed {
        let page = confirm_page(shop, staff, &full, &wish, amount, format!("/admin/orders/{no}/refund"), None).await?;
        return Ok(Step::Confirm(Box::new(page)));
    }
    let agreed = may_agree(staff.role, &shop.settings(), amount);
    let (who, seen, looked) = (staff.clone(), form.seen.clone(), form.looked);
    let write = move |tx: &Tx| {
        let full = refund::full_order(tx, id)?;
        full.must_stand(seen.as_deref(), "可能这一笔已经提交过：请先核对，还要退再填一次")?;
        let refund = refund::open(tx, &full, &wish, Origin::Staff, agreed, &Who::staff(&who.name))?;
        if let Some(Looked(at)) = looked.filter(|_| agreed) {
            send::looked_at(tx, refund, at, &Who::staff(&who.name))?;
        }
        let number = store::by_id(tx, refund)?.ok_or(Code::NotFound)?.out_refund_no;
        // Why, stands with the refund, where it can be forgotten.
        audit(tx, &who, &format!("退款 {number} ¥{amount}"))?;
        Ok(number.to_string())
    };
    let number = shop.write(write).await?;
    shop.wake_worker();
    Ok(Step::Done(number, if agreed { "退款已发出，到账后这里会更新" } else { "已提交，等经理同意后退款" }))
}

/// The address of the second screen, opened again: back to the refund.
#[get("/refunds/<number>/approve")]
fn approve_page(_staff: Clerk, number: &str) -> Redirect {
    lead(here(number))
}

#[post("/refunds/<number>/approve", data = "<form>")]
async fn approve(shop: &State<Shop>, staff: Clerk, number: &str, form: Form<RefundForm>) -> Next {
    let here = format!("/admin/refunds/{number}");
    match agree(shop, &staff.0, number, &form).await {
        Ok(Step::Confirm(page)) => Ok(*page),
        Ok(Step::Done(_, said)) => Err(Box::new(Flash::success(lead(here), said))),
        Err(e) => failed(here, e),
    }
}

async fn agree(shop: &Shop, staff: &Staff, number: &str, form: &RefundForm) -> Result<Step> {
    let refund = by_number(shop, number).await?;
    let order = refund.order_id.ok_or(Code::NotFound)?;
    let read = move |conn: &Connection| {
        let order = orders::by_id(conn, order)?.ok_or(Code::NotFound)?;
        Ok(orders::full(conn, order)?)
    };
    let full = shop.read(read).await?;
    let refundable = Refundable::of(&full);
    // Why it was asked for stays as it was written.
    let wish = form.wish(&full, &refundable, (refund.reason.clone(), refund.description.clone()))?;
    let amount = refundable.check(&wish)?;
    let settings = shop.settings();
    must_agree(staff.role, &settings, amount)?;
    if !form.confirmed {
        let action = format!("/admin/refunds/{number}/approve");
        let page = confirm_page(shop, staff, &full, &wish, amount, action, Some(&refund)).await?;
        return Ok(Step::Confirm(Box::new(page)));
    }
    let (who, id, seen, looked) = (staff.clone(), refund.id, form.seen.clone(), form.looked);
    let write = move |tx: &Tx| {
        refund::full_order(tx, order)?.must_stand(seen.as_deref(), "请先核对，还要退再点一次同意")?;
        must_agree(who.role, &settings, amount)?;
        refund::approve(tx, id, Some(&wish), &Who::staff(&who.name))?;
        if let Some(Looked(at)) = looked {
            send::looked_at(tx, id, at, &Who::staff(&who.name))?;
        }
        Ok(audit(tx, &who, &format!("同意退款 {} ¥{amount}", refund.out_refund_no))?)
    };
    shop.write(write).await?;
    shop.wake_worker();
    Ok(Step::Done(number.to_owned(), "已同意，退款已发出"))
}

/// Does one thing to a refund in one transaction, and writes down who did it.
async fn act(
    shop: &Shop,
    staff: &Staff,
    number: &str,
    (deed, unasked, what): (Deed, bool, &'static str),
    work: impl Fn(&Tx, &Refund, &Who) -> Result<()> + Send + 'static,
) -> Result<()> {
    let id: RefundId = by_number(shop, number).await?.id;
    let (staff, settings) = (staff.clone(), shop.settings());
    let write = move |tx: &Tx| {
        let refund = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        refund::must(&Asker { role: staff.role, settings: &settings, unasked }, &refund, deed)?;
        work(tx, &refund, &Who::staff(&staff.name))?;
        Ok(audit(tx, &staff, &format!("退款 {}：{what}", refund.out_refund_no))?)
    };
    let done = shop.write(write).await;
    shop.wake_worker();
    done
}

fn here(number: &str) -> String {
    format!("/admin/refunds/{number}")
}

#[derive(FromForm)]
struct ReasonForm {
    words: String,
    /// Somebody has looked in WeChat's own console, which nobody else can ask.
    looked: Option<Looked>,
    /// As the order stood on the page.
    seen: Option<String>,
}

impl ReasonForm {
    fn checked(&self, label: &str) -> Result<String> {
        let words = self.words.trim();
        match REFUND_WORDS.fits_line(words) {
            true => Ok(words.to_owned()),
            false => Err(Error::field("words", format!("{label}请写 {REFUND_WORDS}"))),
        }
    }
}

#[post("/refunds/<number>/reject", data = "<form>")]
async fn reject(shop: &State<Shop>, staff: Clerk, number: &str, form: Form<ReasonForm>) -> Flash<Redirect> {
    let done = match form.checked("给买家的说明") {
        Ok(answer) => {
            let reject = move |tx: &Tx, refund: &Refund, who: &Who| refund::reject(tx, refund.id, &answer, who);
            act(shop, &staff.0, number, (Deed::Decide, false, "拒绝"), reject).await
        }
        Err(e) => Err(e),
    };
    back(here(number), done.map(|()| "已拒绝，买家会看到您的说明"))
}

#[post("/refunds/<number>/withdraw")]
async fn withdraw(shop: &State<Shop>, staff: Clerk, number: &str) -> Flash<Redirect> {
    let withdraw = |tx: &Tx, refund: &Refund, who: &Who| refund::withdraw(tx, refund.id, who);
    let done = act(shop, &staff.0, number, (Deed::Withdraw, false, "撤回"), withdraw).await;
    back(here(number), done.map(|()| "已撤回"))
}

#[post("/refunds/<number>/stop")]
async fn stop(shop: &State<Shop>, staff: Manager, number: &str) -> Flash<Redirect> {
    let done = act(shop, &staff.0, number, (Deed::Stop, false, "停止"), refund::stop).await;
    back(here(number), done.map(|()| "已停止，本店不会再发出这笔退款"))
}

/// Errors: since the page was made, another refund of the order has taken money, or goods of it have gone.
fn as_shown(tx: &Tx, refund: &Refund, seen: Option<&str>) -> Result<()> {
    let order = refund.order_id.map(|id| refund::full_order(tx, id)).transpose()?;
    order.map_or(Ok(()), |order| order.must_stand(seen, "请先核对，这一笔还要退再做一次"))
}

#[derive(FromForm)]
struct Retry {
    /// As the order stood on the page.
    seen: Option<String>,
}

#[post("/refunds/<number>/retry", data = "<form>")]
async fn retry(shop: &State<Shop>, staff: Manager, number: &str, form: Form<Retry>) -> Flash<Redirect> {
    let Retry { seen } = form.into_inner();
    let retry = move |tx: &Tx, refund: &Refund, who: &Who| {
        as_shown(tx, refund, seen.as_deref())?;
        refund::retry(tx, refund.id, who)
    };
    let done = act(shop, &staff.0, number, (Deed::Retry, false, "重试"), retry).await;
    back(here(number), done.map(|()| "正在重试，退款单号不变，不会重复退"))
}

#[post("/refunds/<number>/query")]
async fn query(shop: &State<Shop>, staff: Clerk, number: &str) -> Flash<Redirect> {
    let ask = |tx: &Tx, refund: &Refund, _: &Who| Ok(jobs::enqueue(tx, Task::Refund(refund.id), tx.now())?);
    let done = act(shop, &staff.0, number, (Deed::Query, false, "向微信查询"), ask).await;
    back(here(number), done.map(|()| "正在向微信查询，刷新页面看结果"))
}

#[post("/refunds/<number>/other-means", data = "<form>")]
async fn other_means(shop: &State<Shop>, staff: Manager, number: &str, form: Form<ReasonForm>) -> Flash<Redirect> {
    back(here(number), settle(shop, &staff.0, number, &form).await.map(|()| "已登记"))
}

/// WeChat is asked first: what it has paid meanwhile must not be paid a second time.
async fn settle(shop: &Shop, staff: &Staff, number: &str, form: &ReasonForm) -> Result<()> {
    let how = form.checked("退还方式")?;
    let refund = by_number(shop, number).await?;
    let looked = match send::unheard(shop, refund.id).await? {
        None => false,
        Some(Unheard::NotAsked(_)) if form.looked.is_some() => true,
        Some(Unheard::Perhaps) if form.looked.is_some() => false,
        Some(unsure @ Unheard::Perhaps) => {
            let words = format!("{}：请到商户平台核对，那边退的是另一笔再勾选登记，是它就停止这一笔", unsure.why());
            return Err(Error::from(Code::OrderState).says(words));
        }
        Some(Unheard::NotAsked(why)) => {
            let words = format!(
                "{why}。不换回去也能登记：请先到收款商户号的商户平台查微信交易号 {}，确认没有退过，再勾选“已在商户平台核对”",
                refund.transaction_id.unwrap_or_default()
            );
            return Err(Error::from(Code::OrderState).says(words));
        }
        Some(Unheard::NoAnswer(why)) => {
            let words = format!("登记前要先向微信确认没有退款，现在问不到微信，请稍后再登记：{why}");
            return Err(Error::from(Code::WechatUnavailable).says(words));
        }
    };
    let (known, until) = (refund.clone(), form.looked.map(|Looked(at)| at));
    let elsewhere = shop.read(move |conn| send::gone_meanwhile(conn, &known, until)).await?;
    if let Some(elsewhere) = elsewhere {
        let words = format!("{elsewhere}，也许就是这一笔：请先核对，确认不是它再勾选登记，是它就停止这一笔");
        return Err(Error::from(Code::OrderState).says(words));
    }
    let what = if looked {
        "登记其他方式退还（问不到微信，本人在商户平台核对过）"
    } else {
        "登记其他方式退还"
    };
    let seen = form.seen.clone();
    let settle = move |tx: &Tx, refund: &Refund, who: &Who| {
        as_shown(tx, refund, seen.as_deref())?;
        match looked {
            true => refund::seen_by_a_person(tx, refund.id, &how, who),
            false => refund::by_other_means(tx, refund.id, &how, who),
        }
    };
    act(shop, staff, number, (Deed::Settle, looked, what), settle).await
}

#[cfg(test)]
impl Shown {
    pub fn sample() -> Shown {
        Shown {
            number: "261008131540ABCDEFGHR01".parse().unwrap(),
            order_no: "261008131540ABCDEFGH".parse().ok(),
            amount: "8.00".into(),
            freight: Some("1.00".into()),
            state: RefundState::Requested,
            state_text: RefundState::Requested.text(),
            origin: Origin::Buyer.text(),
            reason: "不想要了".into(),
            description: "拍错了".into(),
            requested_by: "小王".into(),
            decided_by: "店主".into(),
            answer: "好的".into(),
            at: "2026-10-08 13:15:40".into(),
            age: "3 分钟".into(),
            ended: Some("2026-10-08 13:15:40".into()),
            refund_id: Some("50000000382019052709732678859".into()),
            transaction: Some("1217752501201407033233368018".into()),
            account: "招商银行信用卡 0403".into(),
            tries: 1,
            sent: Some("2026-10-08 13:15:40".into()),
            accepted: Some("2026-10-08 13:15:40".into()),
            problem: "余额不足".into(),
            inside: true,
            pieces: 1,
            waits_until: Some("13:17".into()),
            photos: vec![PhotoId(1)],
            goods: vec![Goods { name: "草莓蛋糕".into(), image: Some("/media/1.jpg".into()), quantity: 2 }],
            is_asked: true,
        }
    }

    /// One that says as little as a refund can.
    pub fn bare() -> Shown {
        Shown {
            order_no: None,
            freight: None,
            state: RefundState::Processing,
            description: String::new(),
            requested_by: String::new(),
            decided_by: String::new(),
            answer: String::new(),
            ended: None,
            refund_id: None,
            transaction: None,
            account: String::new(),
            sent: None,
            accepted: None,
            problem: String::new(),
            waits_until: None,
            photos: Vec::new(),
            goods: Vec::new(),
            ..Shown::sample()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn the_page_of_a_refund_asks_for_nothing_that_it_is_not_given() {
        let part = || Part {
            image: None,
            name: "草莓蛋糕".into(),
            spec: "6 寸".into(),
            quantity: 1,
            amount: "8.00".into(),
            restock: true,
            comes_as: Some("8 寸 ×1".into()),
            beware: vec!["这一行之前另外退过".into()],
        };
        let offered = || Offered {
            id: LineId(1),
            name: "草莓蛋糕".into(),
            spec: String::new(),
            image: Some("/media/a.jpg".into()),
            pieces: 1,
            most: "8.00".into(),
            shipped: true,
            comes: vec![ComesAs { sku: SkuId(1), text: "8 寸".into(), other: true }],
            beware: vec!["这一行之前另外退过".into()],
            restock: true,
            quantity: 1,
            amount: Some("8.00".into()),
        };
        let offer = || Offer {
            order_no: "261008131540ABCDEFGH".parse().unwrap(),
            paid: "57.00".into(),
            refunded: "0.00".into(),
            processing: "0.00".into(),
            left: "57.00".into(),
            freight_left: "8.00".into(),
            freight: None,
            gone_back: Some("微信提示这笔款退过".into()),
            lines: vec![offered()],
        };
        let all = Options { decide: true, withdraw: true, retry: true, stop: true, query: true, settle: true };
        for (r, lines, form, next, may) in [
            (Shown::sample(), Some(vec![part()]), Some(offer()), Some("13:17".to_owned()), all),
            (Shown::bare(), None, None, None, Options::default()),
        ] {
            let (held, unasked) = (next.clone(), next.is_some());
            let page = RefundPage {
                frame: Frame::sample(Role::Manager),
                r,
                steps: life::Step::samples(),
                lines,
                form,
                next,
                gave_up: unasked,
                held,
                unasked,
                elsewhere: unasked.then(|| "微信说这笔款有过退款".to_owned()),
                besides: unasked.then(|| "261008131540ABCDEFGHR02 退了 ¥8.00".to_owned()),
                mark: unasked.then(|| "0-0-0-0-0".to_owned()),
                now: 1,
                may,
            };
            let html = assets::strictly("console/refund.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains("261008131540ABCDEFGHR01"));
        }
    }

    #[test]
    fn the_list_of_refunds_asks_for_nothing_that_it_is_not_given() {
        for refunds in [vec![Shown::sample(), Shown::bare()], vec![]] {
            let full = !refunds.is_empty();
            let tab = TabShown { word: "requested", text: "待处理", n: full.then_some(2), alarm: full };
            let page = RefundsPage {
                frame: Frame::sample(Role::Clerk),
                tabs: vec![tab],
                tab: "requested",
                refunds,
                next: full.then_some(1),
                later: full,
                oldest_first: full,
            };
            let html = assets::strictly("console/refunds.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("261008131540ABCDEFGHR01"), full);
        }
    }

    #[test]
    fn forms_of_a_refund_ask_for_nothing_that_they_are_not_given() {
        let frame = || Frame::sample(Role::Clerk);
        let (no, number) = (|| "261008131540ABCDEFGH".parse().unwrap(), || "261008131540ABCDEFGHR01".parse().unwrap());
        for full in [true, false] {
            let form = Offer {
                order_no: no(),
                paid: "57.00".into(),
                refunded: "0.00".into(),
                processing: "0.00".into(),
                left: "57.00".into(),
                freight_left: "7.00".into(),
                freight: None,
                gone_back: full.then(|| "微信提示这笔款退过".into()),
                lines: Vec::new(),
            };
            let page = NewPage {
                frame: frame(),
                form,
                possible: full,
                failed: full.then(number),
                requested: full.then(number),
                reasons: REASONS,
            };
            let html = assets::strictly("console/refund_new.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("协商一致退款"), html.contains("没有可退的钱了")), (full, !full));
            let part = Part {
                image: full.then(|| "/media/1.jpg".into()),
                name: "草莓蛋糕".into(),
                spec: "6 寸".into(),
                quantity: i64::from(full),
                amount: "8.00".into(),
                restock: full,
                comes_as: None,
                beware: Vec::new(),
            };
            let again = Again { id: LineId(1), quantity: 1, amount: "8.00".into(), restock: full, came_as: None };
            let page = ConfirmPage {
                frame: frame(),
                amount: "8.00".into(),
                lines: vec![part],
                hidden: vec![again],
                freight: "1.00".into(),
                has_freight: full,
                freight_stays: full.then(|| "6.00".into()),
                reason: "不想要了".into(),
                description: String::new(),
                receiver: full.then(|| "李*".into()),
                order_no: no(),
                staff: "小王".into(),
                coupon: full.then(|| "优惠券退回".into()),
                gone_back: full.then(|| "微信提示这笔款退过".into()),
                number: full.then(number),
                now: 1,
                seen: "0-0-0-0-0".into(),
                action: "/admin/orders/261008131540ABCDEFGH/refund".into(),
                agrees: full,
                offline: !full,
                goods: "一件没发".into(),
                unsent: full,
                paid: "57.00".into(),
                before: full.then(|| "5.00".into()),
                keeps: "44.00".into(),
            };
            let html = assets::strictly("console/refund_confirm.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("确认退款 ¥8.00"), html.contains("请在线下退还")), (full, !full));
        }
    }
}
