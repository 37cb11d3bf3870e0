//! One order for staff: everything about it on one page, and the few things that may be done to it.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::card::Card;
use super::life::{self, Step};
use super::list::FlagShown;
use super::returns::{LineOf, ResendShown, resends_shown, to_resend};
use super::timeline::{self, Part};
use super::walk::{self, Came, Place};
use super::{find, found, here};
use crate::assets;
use crate::buyers::addresses::{AS_WRITTEN, Address};
use crate::catalogue::media::thumb;
use crate::clock;
use crate::console::lengths::MEMO;
use crate::console::{self, Frame, Waiting, lead, money};
use crate::customers::store as customers;
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::exceptions::{Exception, Look, store as exceptions};
use crate::ids::{BuyerId, LineId, OrderNo, OutTradeNo, ProductId, PromotionId, ShipmentId};
use crate::invoices::{Invoice, InvoiceState, store as invoices};
use crate::ledger::{Shares, store as ledger};
use crate::money::{Fen, yuan};
use crate::orders::store::{self, Event};
use crate::orders::{ClosedReason, Full, Line, Order, OrderStatus, Shipment, Topic, Who};
use crate::payments::linked::{self, About};
use crate::payments::refund::since;
use crate::payments::{Attempt, AttemptState, check, close, store as payments};
use crate::promotions::Discount;
use crate::refunds::Refund;
use crate::settings::Settings;
use crate::shipping::{self, doubt::Doubt};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role, Staff};
use crate::wechat::pay::Trade;
use crate::{buyers, freight, jobs};

pub fn routes() -> Vec<Route> {
    routes![detail, preview, reveal, revealed, memo, query, unpaid, cancel_page, cancel]
}

#[get("/orders/<no>?<show>&<came..>")]
async fn detail(
    shop: &State<Shop>,
    staff: Staff,
    flash: Option<FlashMessage<'_>>,
    no: &str,
    show: Option<&str>,
    came: Came,
) -> Result<Template> {
    let shown = show.and_then(|word| word.parse().ok());
    render(shop, &staff, flash, no, Looking { shown, came, ..Looking::default() }, "console/order.html").await
}

/// How somebody looks at an order.
#[derive(Clone, Default)]
struct Looking {
    /// Whom it goes to in full.
    revealed: bool,
    /// The part of the timeline that is asked for; all of it when none is.
    shown: Option<Part>,
    /// The list that it was opened from.
    came: Came,
}

/// The heart of the page, for a drawer beside the list.
#[get("/orders/<no>/preview?<came..>")]
async fn preview(shop: &State<Shop>, staff: Staff, no: &str, came: Came) -> Result<Template> {
    render(shop, &staff, None, no, Looking { came, ..Looking::default() }, "console/order_preview.html").await
}

/// Whoever opens the address of that page again comes to the order, where it can be asked for anew.
#[get("/orders/<no>/reveal")]
fn revealed(_staff: Staff, no: &str) -> Redirect {
    lead(here(no))
}

/// Shows whom a parcel goes to in full, and writes down who looked.
#[post("/orders/<no>/reveal", data = "<came>")]
async fn reveal(shop: &State<Shop>, staff: Staff, no: &str, came: Option<Form<Came>>) -> Result<Template> {
    let order = find(shop, no).await?;
    let (looked, number) = (staff.clone(), order.order_no);
    let what = format!("查看订单 {number} 的完整收货信息");
    shop.write(move |tx| Ok(audit(tx, &looked, &what)?)).await?;
    let looking =
        Looking { revealed: true, came: came.map(Form::into_inner).unwrap_or_default(), ..Looking::default() };
    render(shop, &staff, None, no, looking, "console/order.html").await
}

/// What one read of the database knows of an order.
struct Seen {
    full: Full,
    attempts: Vec<Attempt>,
    /// The merchant number that attempts wait for which cannot be asked about.
    gone: Option<String>,
    /// Whether there is anything of it that WeChat can be asked about.
    askable: bool,
    /// Whether money of its payment may have gone back that nobody here knows of.
    doubt: Option<Doubt>,
    /// Who paid what of the payments that coupons were part of.
    shares: Vec<Shares>,
    events: Vec<Event>,
    exceptions: Vec<(Exception, Option<Refund>)>,
    look: Look,
    /// How many orders its buyer has paid for, and how much.
    history: (i64, i64),
    openid: String,
    /// Why the last attempt could not be closed at WeChat when that was last tried.
    unclosed: Option<String>,
    /// When it will be closed or completed by itself.
    expiring: Option<i64>,
    completing: Option<i64>,
    last_aftersale: Option<i64>,
    place: Option<Place>,
    /// It waits to be sent, and nobody can say that it goes to none of the regions to which the shop sends nothing.
    unsure: bool,
    waiting: Waiting,
    invoice: Option<Invoice>,
    /// What else of its buyer waits to be sent, while it waits itself: the first of them, and how many there are.
    others: (Vec<OrderNo>, i64),
}

/// So many other orders of a buyer are named.
const OTHERS: i64 = 5;

impl Seen {
    fn read(
        conn: &rusqlite::Connection,
        order_no: &OrderNo,
        came: &Came,
        settings: &Settings,
        now: i64,
    ) -> Result<Seen> {
        let order = store::by_no(conn, order_no)?.ok_or(Code::NotFound)?;
        let id = order.id;
        let attempts = payments::attempts(conn, id)?;
        let last = attempts.last().map(|attempt| jobs::Task::Close(attempt.id));
        let mut gone = None;
        for attempt in &attempts {
            let closing = jobs::store::is_open(conn, jobs::Task::Close(attempt.id))?;
            if close::waits_for_number(attempt, closing, settings.get("wechat.mch_id")) {
                gone = Some(attempt.params.mch_id().to_owned());
            }
        }
        Ok(Seen {
            gone,
            askable: About::order(conn, &order)?.is_some(),
            doubt: Doubt::of(conn, id)?,
            unclosed: last.map(|task| jobs::store::failing(conn, task)).transpose()?.flatten(),
            attempts,
            shares: ledger::shares_of(conn, id)?,
            events: store::events(conn, id)?,
            exceptions: money::exceptions::with_refunds(conn, exceptions::of_order(conn, id)?)?,
            look: Look { now, asks_first: settings.api().asks_first() },
            history: customers::totals(conn, order.buyer_id)?,
            openid: buyers::store::openid(conn, order.buyer_id)?,
            expiring: jobs::store::waiting_for(conn, jobs::Task::Expire(id))?,
            completing: jobs::store::waiting_for(conn, jobs::Task::Complete(id))?,
            last_aftersale: shipping::store::last_aftersale(conn, id)?,
            place: came.place(conn, id, now)?,
            unsure: may_not_be_sent(conn, &order, settings)?,
            waiting: console::waiting(conn)?,
            invoice: invoices::of_order(conn, id)?,
            others: match order.options().ship {
                true => {
                    let some = store::some_others_to_ship(conn, order.buyer_id, id, OTHERS)?;
                    (some, store::others_to_ship(conn, order.buyer_id, id)?)
                }
                false => (Vec::new(), 0),
            },
            full: store::full(conn, order)?,
        })
    }
}

/// Whether an order waits to be sent to where nobody knows, and the shop does not send everywhere.
fn may_not_be_sent(conn: &rusqlite::Connection, order: &Order, settings: &Settings) -> Result<bool> {
    let Some(address) = order.address.as_ref().filter(|_| order.options().ship) else { return Ok(false) };
    let templates = freight::store::all(conn)?;
    let place = address.place();
    let may_not = |to| {
        settings.regions.may_not_send_to(to) || templates.iter().any(|template| template.terms.may_not_send_to(to))
    };
    // What contradicts itself may lie anywhere; where the shop sends everywhere nobody has to read it.
    Ok(may_not(None) && (may_not(place.as_ref()) || address.must_be_a_region().is_err()))
}

/// What somebody may do with an order: what it allows, by role.
#[derive(Clone, Copy, Serialize)]
pub struct May {
    pub price: bool,
    pub pay_offline: bool,
    pub cancel: bool,
    pub query: bool,
    pub refund: bool,
    pub ship: bool,
    pub readdress: bool,
    /// Send once more what was lost.
    pub resend: bool,
    /// Say of attempts that cannot be asked about that none was paid.
    pub settle_unpaid: bool,
    /// Whoever packs sees no sums.
    pub see_money: bool,
}

impl May {
    pub fn of(role: Role, full: &Full) -> May {
        let (stands, clerk) = (full.order.options(), role > Role::Packer);
        May {
            price: stands.price && clerk,
            pay_offline: stands.pay_offline && role == Role::Owner,
            cancel: (stands.cancel || full.may_be_dropped()) && clerk,
            query: stands.query && clerk,
            refund: full.refundable() > Fen::ZERO && clerk,
            ship: stands.ship,
            readdress: stands.readdress && clerk,
            resend: clerk,
            settle_unpaid: role >= Role::Manager,
            see_money: clerk,
        }
    }
}

/// Everything that the page of an order shows.
#[derive(Serialize)]
struct OrderPage {
    frame: Frame,
    order: Card,
    place: Option<walk::Shown>,
    steps: Vec<Step>,
    waiting: Option<timeline::Waiting>,
    lines: Vec<LineShown>,
    flags: Vec<FlagShown>,
    pieces_left: i64,
    /// A mark of them, and of whom they go to.
    to_send: String,
    others: Vec<OrderNo>,
    /// How many these are with those that are not named.
    others_in_all: i64,
    goods: String,
    freight: String,
    discount: String,
    discounts: Vec<DiscountShown>,
    /// 改价, with its sign; none where nothing was agreed on besides.
    agreed: Option<String>,
    total: String,
    paid: String,
    refunded: String,
    /// What was paid, less what went back.
    net: String,
    may: May,
    refunding: bool,
    /// Why it is to be looked at in WeChat's console before it leaves.
    doubt: Option<String>,
    refunds: Vec<money::refunds::Shown>,
    /// Whom it goes to stands there in full.
    revealed: bool,
    address: Option<AddressShown>,
    /// Of whoever comes to fetch it.
    fetcher: Option<String>,
    attempts: Vec<AttemptShown>,
    gone: Option<String>,
    shipments: Vec<ParcelShown>,
    returns: Vec<LineOf>,
    resends: Vec<ResendShown>,
    mark: String,
    /// What can be sent once more, line by line, by whoever may.
    lost: Vec<super::returns::ToResend>,
    exceptions: Vec<money::exceptions::Shown>,
    parts: Vec<PartShown>,
    shown: Option<Part>,
    events: Vec<timeline::Shown>,
    buyer: BuyerId,
    bought: i64,
    /// How its invoice stands, if one was asked for: the list's word and what it is called.
    invoice: Option<(InvoiceState, &'static str)>,
    spent: String,
    /// The end of the buyer's openid.
    openid: String,
}

#[derive(Serialize)]
struct LineShown {
    id: LineId,
    product: ProductId,
    name: String,
    spec: String,
    image: Option<String>,
    price: String,
    amount: String,
    quantity: i64,
    shipped: i64,
    refunded: i64,
    left: i64,
}

#[derive(Serialize)]
struct AddressShown {
    receiver: String,
    phone: String,
    #[serde(rename = "where")]
    whole: String,
    /// For the form, once it is revealed.
    province: String,
    city: String,
    district: String,
    detail: String,
    /// It may lie where the shop does not send to.
    unsure: bool,
    /// That the form is of this address.
    of: String,
    as_written: &'static str,
}

#[derive(Serialize)]
struct AttemptShown {
    n: String,
    number: OutTradeNo,
    state: &'static str,
    total: String,
    transaction: Option<String>,
    paid_at: Option<String>,
    paid: bool,
    /// Who paid what of it, when coupons were part of it.
    shares: Option<String>,
}

/// What made the order cheaper.
#[derive(Serialize)]
struct DiscountShown {
    promotion: PromotionId,
    name: String,
    words: String,
    coupon: bool,
    off: String,
}

#[derive(Serialize)]
struct ParcelShown {
    id: ShipmentId,
    company: String,
    text: String,
    company_text: String,
    tracking: String,
    at: String,
    undo: bool,
    lines: Vec<PieceShown>,
}

#[derive(Serialize)]
struct PieceShown {
    name: Option<String>,
    n: i64,
}

#[derive(Serialize)]
struct PartShown {
    word: Part,
    text: &'static str,
    here: bool,
}

impl OrderPage {
    fn of(seen: &Seen, frame: Frame, role: Role, looking: &Looking, now: i64) -> OrderPage {
        let full = &seen.full;
        let Full { order, lines, shipments, refunds, .. } = full;
        let may = May::of(role, full);
        let last = seen.attempts.last().map(|attempt| (attempt, seen.unclosed.as_deref()));
        let to_pack = full.to_pack();
        let left = |id| to_pack.iter().find(|(line, _)| line.id == id).map_or(0, |(_, left)| *left);
        let mut tail: Vec<char> = seen.openid.chars().rev().take(6).collect();
        tail.reverse();
        let card = Card::of(full, seen.exceptions.iter().any(|(exception, _)| exception.open), now);
        OrderPage {
            frame,
            order: if looking.revealed { card.with_remark(&order.remark) } else { card },
            place: seen.place.as_ref().map(Place::shown),
            steps: steps(full, now),
            waiting: timeline::why_waiting(full, last, seen.expiring, seen.completing, may.see_money, now),
            lines: lines.iter().map(|line| line_shown(line, left(line.id))).collect(),
            flags: super::list::flags(),
            pieces_left: to_pack.iter().map(|(_, n)| n).sum(),
            to_send: shipping::to_send(&seen.full),
            others: seen.others.0.clone(),
            others_in_all: seen.others.1,
            goods: order.goods.to_string(),
            freight: full.on_receipt(order.freight).to_string(),
            discount: full.on_receipt(order.discount).to_string(),
            discounts: full.discounts.iter().map(discount_shown).collect(),
            agreed: match full.agreed_fen() {
                0 => None,
                off @ 1.. => Some(format!("−¥{}", yuan(off))),
                more => Some(format!("+¥{}", yuan(-more))),
            },
            total: order.total.to_string(),
            paid: order.paid.to_string(),
            refunded: order.refunded.to_string(),
            net: order.net().to_string(),
            refunding: full.is_refunding() || seen.doubt.is_some(),
            doubt: seen.doubt.as_ref().map(Doubt::text).filter(|_| order.options().ship),
            refunds: refunds.iter().map(|r| money::refunds::Shown::of(r, Some(order), now)).collect(),
            revealed: looking.revealed,
            address: order.address.as_ref().map(|address| address_shown(address, looking.revealed, seen.unsure)),
            fetcher: full.pickup.as_ref().map(|pickup| pickup.shown_phone(looking.revealed)),
            attempts: seen.attempts.iter().map(|attempt| attempt_shown(attempt, &seen.shares)).collect(),
            gone: seen.gone.clone().filter(|_| may.settle_unpaid),
            shipments: shipments
                .iter()
                .map(|shipment| parcel_shown(full, shipment, seen.last_aftersale, now))
                .collect(),
            returns: full.returns.iter().map(LineOf::from).collect(),
            resends: resends_shown(full),
            mark: full.mark(),
            lost: if may.resend { to_resend(full) } else { Vec::new() },
            exceptions: {
                let shown = |(e, refund): &(Exception, Option<Refund>)| {
                    money::exceptions::Shown::of(e, refund.as_ref(), seen.look)
                };
                seen.exceptions.iter().map(shown).collect()
            },
            parts: Part::ALL
                .iter()
                .filter(|part| may.see_money || **part != Part::Money)
                .map(|part| part_shown(*part, looking.shown))
                .collect(),
            shown: looking.shown,
            events: timeline::shown(&seen.events, looking.shown, may.see_money),
            buyer: order.buyer_id,
            bought: seen.history.0,
            invoice: seen.invoice.as_ref().map(|invoice| (invoice.state, invoice.state.staff_text())),
            spent: yuan(seen.history.1),
            openid: tail.into_iter().collect(),
            may: May { readdress: may.readdress && looking.revealed, query: may.query && seen.askable, ..may },
        }
    }
}

fn line_shown(line: &Line, left: i64) -> LineShown {
    LineShown {
        id: line.id,
        product: line.product_id,
        name: line.name.clone(),
        spec: line.spec_text.clone(),
        image: line.image.as_ref().map(thumb),
        price: line.price.to_string(),
        amount: line.amount().to_string(),
        quantity: line.quantity,
        shipped: line.shipped,
        refunded: line.refunded,
        left,
    }
}

/// Whom it goes to; masked, the fields of the form stay empty.
fn address_shown(address: &Address, revealed: bool, unsure: bool) -> AddressShown {
    let kept = |text: &str| if revealed { text.to_owned() } else { String::new() };
    AddressShown {
        receiver: if revealed { address.receiver.clone() } else { address.masked_receiver() },
        phone: if revealed { address.phone.clone() } else { address.masked_phone() },
        whole: if revealed { address.one_line() } else { format!("{} ••••", address.region()) },
        province: kept(&address.province),
        city: kept(&address.city),
        district: kept(&address.district),
        detail: kept(&address.detail),
        unsure,
        of: super::address::mark(address),
        as_written: AS_WRITTEN,
    }
}

fn discount_shown(discount: &Discount) -> DiscountShown {
    DiscountShown {
        promotion: discount.promotion,
        name: discount.name.clone(),
        words: discount.words.clone(),
        coupon: discount.coupon.is_some(),
        off: discount.goods.plus(discount.freight).unwrap_or_default().to_string(),
    }
}

fn attempt_shown(attempt: &Attempt, shares: &[Shares]) -> AttemptShown {
    let own = shares.iter().find(|shares| attempt.transaction_id.as_ref() == Some(&shares.transaction_id));
    AttemptShown {
        n: format!("{:02}", attempt.n),
        number: attempt.out_trade_no.clone(),
        state: attempt.state.text(),
        total: attempt.total.to_string(),
        transaction: attempt.transaction_id.clone(),
        paid_at: attempt.paid_at.map(clock::shown),
        paid: attempt.state == AttemptState::Paid,
        shares: own.map(shares_text),
    }
}

fn parcel_shown(full: &Full, shipment: &Shipment, last_aftersale: Option<i64>, now: i64) -> ParcelShown {
    let name = |id: LineId| full.lines.iter().find(|line| line.id == id).map(|line| line.name.clone());
    ParcelShown {
        id: shipment.id,
        company: shipment.parcel.company.clone(),
        text: shipment.parcel.text(),
        company_text: shipment.parcel.company_text().to_owned(),
        tracking: shipment.parcel.tracking_no.to_string(),
        at: clock::shown(shipment.shipped_at),
        undo: shipping::undo_refused(&full.order, shipment, last_aftersale, now).is_none(),
        lines: shipment.lines.iter().map(|(id, n)| PieceShown { name: name(*id), n: *n }).collect(),
    }
}

fn part_shown(part: Part, shown: Option<Part>) -> PartShown {
    PartShown { word: part, text: part.text(), here: shown == Some(part) }
}

async fn render(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    no: &str,
    looking: Looking,
    template: &'static str,
) -> Result<Template> {
    let order_no: OrderNo = no.parse().map_err(|_| Code::NotFound)?;
    let (now, came) = (shop.now(), looking.came.clone());
    let settings = shop.settings();
    let read = move |conn: &rusqlite::Connection| Seen::read(conn, &order_no, &came, &settings, now);
    let seen = shop.read(read).await?;
    let frame = console::framed(shop, staff, "orders", flash, seen.waiting);
    Ok(assets::page(template, OrderPage::of(&seen, frame, staff.role, &looking, now)))
}

/// Who paid what of a payment that coupons were part of, and what of it arrives.
fn shares_text(shares: &Shares) -> String {
    let mut text = format!("买家实付 ¥{}", yuan(shares.by_buyer_fen()));
    for (fen, what) in [(shares.funded_fen, "充值券"), (shares.borne_fen, "免充值券（本店承担）")] {
        if fen > 0 {
            text.push_str(&format!(" · {what} ¥{}", yuan(fen)));
        }
    }
    format!("{text} · 到账 ¥{}", yuan(shares.settled_fen()))
}

/// The order's life line, from being placed to its end.
fn steps(full: &Full, now: i64) -> Vec<Step> {
    let order = &full.order;
    let mut reached = vec![("提交", Some(order.created_at)), ("付款", order.paid_at)];
    match (order.status, &full.pickup) {
        (OrderStatus::Closed, _) => reached.push(("关闭", order.closed_at)),
        (_, Some(pickup)) => {
            // Nobody need say that it is ready to whoever is there already.
            if pickup.ready_at.is_some() || order.shipped_at.is_none() {
                reached.push(("备好", pickup.ready_at));
            }
            reached.extend([("取货", order.shipped_at), ("完成", order.completed_at)]);
        }
        (_, None) => reached.extend([("发货", order.shipped_at), ("完成", order.completed_at)]),
    }
    life::line(&reached, now)
}

fn back(no: &str, outcome: Result<&'static str>) -> Flash<Redirect> {
    console::back(here(no), outcome)
}

#[derive(FromForm)]
struct Memo {
    memo: String,
    /// As its page had shown it.
    was: Vec<String>,
}

#[post("/orders/<no>/memo", data = "<form>")]
async fn memo(shop: &State<Shop>, staff: Staff, no: &str, form: Form<Memo>) -> Flash<Redirect> {
    back(no, save_memo(shop, staff, no, form.into_inner()).await.map(|()| "备注已保存"))
}

async fn save_memo(shop: &Shop, staff: Staff, no: &str, form: Memo) -> Result<()> {
    let id = find(shop, no).await?.id;
    let write = move |tx: &Tx| {
        let order = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let memo = console::beside(&order.memo, &form.was, form.memo.trim());
        if !MEMO.fits(&memo) {
            return Err(Error::field("memo", format!("备注{MEMO}")));
        }
        store::set_memo(tx, order.id, &memo)?;
        let what = format!("备注改为「{memo}」");
        Ok(store::note(tx, order.id, &Who::staff(&staff.name), Topic::Order, &what)?)
    };
    shop.write(write).await
}

/// Asks WeChat now, about what paid it, else about the newest attempt.
#[post("/orders/<no>/query")]
async fn query(shop: &State<Shop>, staff: Clerk, no: &str) -> Flash<Redirect> {
    match ask_wechat(shop, staff.0.role, no).await {
        Ok(said) => Flash::success(lead(here(no)), said),
        Err(e) => back(no, Err(e)),
    }
}

async fn ask_wechat(shop: &Shop, role: Role, no: &str) -> Result<String> {
    let order_no: OrderNo = no.parse().map_err(|_| Code::NotFound)?;
    let read = move |conn: &rusqlite::Connection| {
        let full = found(conn, &order_no)?;
        let about = About::order(conn, &full.order)?;
        let words = match about {
            Some(about) if May::of(role, &full).query => return Ok((full.order.id, about)),
            Some(_) => format!("订单现在是「{}」，不用再查单；退款到哪一步了请看退款页", full.order.status.text()),
            None if full.order.paid_at.is_some() => "这一单的钱不是用微信收的，没有可查的付款".to_owned(),
            None => "买家还没有发起支付，没有可查的支付单".to_owned(),
        };
        Err(Error::from(Code::OrderState).says(words))
    };
    let (order, about) = shop.read(read).await?;
    let unheard = |why: String| Error::from(Code::WechatUnavailable).says(why);
    let trade = match about {
        About::Attempt(attempt) => {
            let unasked =
                || Error::from(Code::PaymentNotConfigured).says(format!("没有查：{}", attempt.why_unasked(shop)));
            let account = attempt.account(shop).ok_or_else(unasked)?;
            since::ask_first(shop, order).await?;
            let asked = check::ask(shop, &account, &attempt).await?;
            if let (Ok(Trade::Paid(payment)), Some(settled)) = (&asked.trade, asked.settled)
                && !settled.fits_an_order()
            {
                return Ok(format!("微信回答：已支付 ¥{}，没有记到这一单：{}", payment.total, settled.text()));
            }
            match asked.trade.map_err(|e| unheard(e.to_string()))? {
                Trade::NotPaid | Trade::Closed | Trade::Absent if attempt.state == AttemptState::Paid => {
                    return Ok("微信回答：没有收到过付款，可是账上记着已付款。微信的查单可能晚几分钟，系统会再查；在那之前不发货、不退款".into());
                }
                Trade::Absent => return Ok("微信回答：没有这笔支付单（下单请求没有到达微信）".into()),
                trade => trade,
            }
        }
        About::Linked(entered) => {
            since::ask_first(shop, order).await?;
            match linked::ask(shop, &entered).await?.map_err(|why| unheard(format!("没有查到：{why}")))? {
                Trade::Absent => {
                    let words = format!(
                        "微信回答：没有这笔关联的付款，请到商户平台按微信交易号 {} 核对",
                        entered.transaction_id
                    );
                    return Err(Error::from(Code::OrderState).says(words));
                }
                trade => trade,
            }
        }
    };
    Ok(match trade {
        Trade::Paid(payment) if payment.refund_started => format!(
            "微信回答：已支付 ¥{}，之后有过退款：退了多少请看这一单的退款，对不上的到商户平台核对",
            payment.total
        ),
        Trade::Paid(payment) => format!("微信回答：已支付 ¥{}", payment.total),
        Trade::NotPaid => "微信回答：还没有付款".into(),
        Trade::Closed | Trade::Absent => "微信回答：支付单已关闭".into(),
        Trade::Other(state) => format!("微信回答：{state}"),
    })
}

/// Attempts of a merchant number that is gone for good: somebody has looked in its console, and none was paid.
#[post("/orders/<no>/unpaid")]
async fn unpaid(shop: &State<Shop>, staff: Manager, no: &str) -> Flash<Redirect> {
    back(no, settle_unpaid(shop, staff.0, no).await.map(|()| "已登记，支付单不再跟进"))
}

async fn settle_unpaid(shop: &Shop, staff: Staff, no: &str) -> Result<()> {
    let order = find(shop, no).await?;
    let now = shop.settings().get("wechat.mch_id").map(str::to_owned);
    let write = move |tx: &Tx| {
        close::seen_unpaid(tx, order.id, now.as_deref(), &Who::staff(&staff.name))?;
        let what = format!("订单 {} 的支付单：本人在商户平台核对过，没有付款", order.order_no);
        Ok(audit(tx, &staff, &what)?)
    };
    shop.write(write).await
}

#[derive(Serialize)]
struct CancelPage {
    frame: Frame,
    no: OrderNo,
    total: String,
    status: &'static str,
    possible: bool,
    /// There is no money to go back.
    free: bool,
}

/// A second screen repeats the facts before an order is cancelled.
#[get("/orders/<no>/cancel")]
async fn cancel_page(shop: &State<Shop>, staff: Clerk, no: &str) -> Result<Template> {
    let order_no: OrderNo = no.parse().map_err(|_| Code::NotFound)?;
    let read = move |conn: &rusqlite::Connection| Ok((found(conn, &order_no)?, console::waiting(conn)?));
    let (full, waits) = shop.read(read).await?;
    let order = &full.order;
    let page = CancelPage {
        frame: console::framed(shop, &staff.0, "orders", None, waits),
        no: order.order_no.clone(),
        total: order.total.to_string(),
        status: order.status.text(),
        possible: May::of(staff.0.role, &full).cancel,
        free: order.costs_nothing(),
    };
    Ok(assets::page("console/order_cancel.html", page))
}

#[post("/orders/<no>/cancel")]
async fn cancel(shop: &State<Shop>, staff: Clerk, no: &str) -> Flash<Redirect> {
    back(no, cancel_order(shop, &staff.0, no).await.map(|()| "订单已取消"))
}

async fn cancel_order(shop: &Shop, staff: &Staff, no: &str) -> Result<()> {
    let order = find(shop, no).await?;
    let (what, who) = (format!("取消订单 {}", order.order_no), staff.clone());
    close::cancel(shop, order.id, ClosedReason::StaffCancelled, Who::staff(&staff.name)).await?;
    shop.write(move |tx| Ok(audit(tx, &who, &what)?)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order of which everything is known, and of which everything may be done.
    fn whole() -> OrderPage {
        let (name, day) = ("草莓蛋糕".to_owned(), "2026-10-08 13:15:40".to_owned());
        OrderPage {
            frame: Frame::sample(Role::Owner),
            order: Card::sample(),
            place: Some(walk::Shown::sample()),
            steps: Step::samples(),
            waiting: Some(timeline::Waiting::sample()),
            lines: vec![LineShown {
                id: LineId(1),
                product: ProductId(1),
                name: name.clone(),
                spec: "6 寸".into(),
                image: Some("/images/1.webp".into()),
                price: "28.50".into(),
                amount: "57.00".into(),
                quantity: 2,
                shipped: 1,
                refunded: 1,
                left: 1,
            }],
            flags: super::super::list::flags(),
            pieces_left: 2,
            to_send: "ab".into(),
            others: vec!["261008131540ABCDEFGH".parse().unwrap()],
            others_in_all: 2,
            goods: "49.00".into(),
            freight: "8.00".into(),
            discount: "1.00".into(),
            agreed: Some("−¥0.20".into()),
            discounts: vec![DiscountShown {
                promotion: PromotionId(1),
                name: "满减".into(),
                words: "满 50 减 1".into(),
                coupon: true,
                off: "1.00".into(),
            }],
            total: "57.00".into(),
            paid: "57.00".into(),
            refunded: "8.00".into(),
            net: "49.00".into(),
            may: May {
                price: true,
                pay_offline: true,
                cancel: true,
                query: true,
                refund: true,
                ship: true,
                readdress: true,
                resend: true,
                settle_unpaid: true,
                see_money: true,
            },
            doubt: Some("微信说这笔付款已有退款".into()),
            refunding: true,
            refunds: vec![money::refunds::Shown::sample(), money::refunds::Shown::bare()],
            revealed: true,
            fetcher: Some("138****8000".into()),
            address: Some(AddressShown {
                receiver: "王小明".into(),
                phone: "13800138000".into(),
                whole: "浙江省杭州市西湖区文三路 1 号".into(),
                province: "浙江省".into(),
                city: "杭州市".into(),
                district: "西湖区".into(),
                detail: "文三路 1 号".into(),
                unsure: true,
                of: "0123456789abcdef".into(),
                as_written: AS_WRITTEN,
            }),
            attempts: vec![AttemptShown {
                n: "01".into(),
                number: "261008131540ABCDEFGH01".parse().unwrap(),
                state: AttemptState::Paid.text(),
                total: "57.00".into(),
                transaction: Some("1217752501201407033233368018".into()),
                paid_at: Some(day.clone()),
                paid: true,
                shares: Some("买家实付 ¥50.00".into()),
            }],
            gone: Some("1900000109".into()),
            shipments: vec![ParcelShown {
                id: ShipmentId(1),
                company: "SF".into(),
                text: "顺丰速运 SF1234567890123".into(),
                company_text: "顺丰速运".into(),
                tracking: "SF1234567890123".into(),
                at: day,
                undo: true,
                lines: vec![PieceShown { name: Some(name), n: 1 }],
            }],
            returns: vec![LineOf::sample()],
            resends: vec![ResendShown::sample()],
            mark: "0-0-1-0-0-0".into(),
            lost: vec![super::super::returns::ToResend::sample()],
            exceptions: vec![money::exceptions::Shown::sample()],
            parts: Part::ALL.iter().map(|part| part_shown(*part, Some(Part::Money))).collect(),
            shown: Some(Part::Money),
            events: ["buyer", "staff", "wechat", "system"].map(timeline::Shown::sample).into(),
            buyer: BuyerId(1),
            bought: 3,
            invoice: Some((InvoiceState::Asked, "待开票")),
            spent: "171.00".into(),
            openid: "abcdef".into(),
        }
    }

    /// One that was placed just now, for somebody who packs.
    fn bare() -> OrderPage {
        OrderPage {
            frame: Frame { flash: None, demo: Some("http://127.0.0.1".into()), ..Frame::sample(Role::Packer) },
            order: Card::bare(),
            place: None,
            steps: Vec::new(),
            waiting: None,
            lines: Vec::new(),
            may: May {
                price: false,
                pay_offline: false,
                cancel: false,
                query: false,
                refund: false,
                ship: false,
                readdress: false,
                resend: false,
                settle_unpaid: false,
                see_money: false,
            },
            refunding: false,
            refunds: Vec::new(),
            revealed: false,
            address: None,
            fetcher: None,
            attempts: Vec::new(),
            gone: None,
            shipments: Vec::new(),
            returns: Vec::new(),
            resends: Vec::new(),
            mark: String::new(),
            lost: Vec::new(),
            exceptions: Vec::new(),
            shown: None,
            events: Vec::new(),
            ..whole()
        }
    }

    #[test]
    fn the_page_of_an_order_asks_for_nothing_that_it_is_not_given() {
        for template in ["console/order.html", "console/order_preview.html"] {
            for page in [whole(), bare()] {
                let html = assets::strictly(template, page).unwrap_or_else(|e| panic!("{template}: {e:#}"));
                assert!(html.contains("ABCDEFGH"), "{template}");
            }
        }
    }

    #[test]
    fn whoever_cancels_is_asked_with_what_is_known() {
        for (possible, free, words) in
            [(true, true, "没有款项要退"), (true, false, "买家还没有付款"), (false, false, "可以取消")]
        {
            let (no, total) = ("261008131540ABCDEFGH".parse().unwrap(), "57.00".into());
            let page = CancelPage { frame: Frame::sample(Role::Clerk), no, total, status: "待付款", possible, free };
            let html = assets::strictly("console/order_cancel.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
    }
}
