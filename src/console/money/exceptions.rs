//! The inbox of money that fits no order (资金异常): what happened, what happens next, and the buttons.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::clock;
use crate::console::lengths::RESOLUTION;
use crate::console::{Frame, back, framed, waiting};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::exceptions::{Exception, Kind, Look, store};
use crate::ids::{ExceptionId, OrderNo, OutRefundNo};
use crate::money::yuan;
use crate::orders::Who;
use crate::payments::refund::{learn, rest_of};
use crate::payments::{check, linked};
use crate::reconcile::decide::{self, Case};
use crate::reconcile::parts::day;
use crate::refunds::{Refund, store as refunds};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role, Staff};
use crate::wechat::bill;

pub fn routes() -> Vec<Route> {
    routes![list, refund_page, refund, stop, restore, link, ask, resolve]
}

/// Each with the refund that settles it, if any.
pub fn with_refunds(conn: &Connection, found: Vec<Exception>) -> Result<Vec<(Exception, Option<Refund>)>> {
    found
        .into_iter()
        .map(|exception| {
            let refund = exception.refund_id.map(|id| refunds::by_id(conn, id)).transpose()?.flatten();
            Ok((exception, refund))
        })
        .collect()
}

/// How items are looked at now.
pub fn look_of(shop: &Shop) -> Look {
    Look { now: shop.now(), asks_first: shop.settings().api().asks_first() }
}

/// The inbox: what is open first.
#[derive(Serialize)]
struct ExceptionsPage {
    frame: Frame,
    tab: &'static str,
    rows: Vec<Shown>,
    may_decide: bool,
    /// When everything was last looked through.
    check: Option<String>,
}

#[get("/exceptions")]
async fn list(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let look = look_of(shop);
    let read = |conn: &Connection| {
        let check = crate::payments::store::last_self_check(conn)?;
        Ok((with_refunds(conn, store::inbox(conn, 200)?)?, check, waiting(conn)?))
    };
    let (rows, check, waits) = shop.read(read).await?;
    let page = ExceptionsPage {
        frame: framed(shop, &staff.0, "money", flash, waits),
        tab: "exceptions",
        rows: rows.iter().map(|(exception, refund)| Shown::of(exception, refund.as_ref(), look)).collect(),
        may_decide: staff.0.role >= Role::Manager,
        check: check.map(|check| clock::shown_short(check.at)),
    };
    Ok(assets::page("console/exceptions.html", page))
}

/// What happened, what will happen, and what may be done, as pages show it.
#[derive(Serialize)]
pub struct Shown {
    id: ExceptionId,
    kind: Kind,
    title: &'static str,
    open: bool,
    /// Somebody should know; there is nothing to decide.
    told: bool,
    order_no: Option<OrderNo>,
    number: String,
    transaction: String,
    amount: String,
    what: String,
    at: String,
    next: String,
    refund_no: Option<OutRefundNo>,
    day: Option<String>,
    difference: Option<&'static str>,
    ours: String,
    theirs: String,
    /// The bill's row by its columns, where it has them all.
    columns: Vec<(&'static str, String)>,
    may_refund: bool,
    may_restore: bool,
    may_stop: bool,
    may_link: bool,
    may_ask: bool,
    may_mend: bool,
    resolution: Option<String>,
    resolved_at: Option<String>,
    /// When it was shown.
    seen: i64,
    /// How it stood then.
    mark: String,
}

impl Shown {
    pub fn of(exception: &Exception, refund: Option<&Refund>, look: Look) -> Shown {
        let options = exception.options(refund, look);
        Shown {
            id: exception.id,
            kind: exception.kind,
            title: exception.kind.text(),
            open: exception.open,
            told: exception.kind.is_only_told(),
            order_no: exception.order_no.clone(),
            number: exception.out_trade_no.clone(),
            transaction: exception.transaction_id.clone(),
            amount: yuan(exception.amount_fen),
            what: exception.what.clone(),
            at: clock::shown(exception.opened_at),
            next: exception.next(refund, look),
            refund_no: refund.map(|refund| refund.out_refund_no.clone()),
            day: exception.day.map(|day| day.shown()),
            difference: exception.difference.map(|difference| difference.text()),
            ours: exception.ours.clone(),
            theirs: exception.theirs.clone(),
            columns: bill::named(&exception.theirs),
            may_refund: options.refund,
            may_restore: options.restore,
            may_stop: options.stop,
            may_link: options.link,
            may_ask: options.ask,
            may_mend: options.mend,
            resolution: exception.resolution.clone(),
            resolved_at: exception.resolved_at.map(clock::shown),
            seen: look.now,
            mark: exception.mark(refund),
        }
    }
}

fn id_of(text: &str) -> Result<ExceptionId> {
    text.parse().map_err(|_| Code::NotFound.into())
}

const INBOX: &str = "/admin/exceptions";

/// Does one thing to an item in one transaction, and writes down who did it.
async fn act<T: Send + 'static>(
    shop: &Shop,
    staff: Staff,
    id: &str,
    what: &'static str,
    shown: Option<String>,
    work: impl Fn(&Tx, &Case, &Who) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (id, look) = (id_of(id)?, look_of(shop));
    let write = move |tx: &Tx| {
        let case = Case::of(tx, id, look)?;
        case.must_stand(shown.as_deref())?;
        let done = work(tx, &case, &Who::staff(&staff.name))?;
        audit(tx, &staff, &format!("资金异常 {id}：{what}"))?;
        Ok(done)
    };
    let done = shop.write(write).await;
    shop.wake_worker();
    done
}

#[derive(Serialize)]
struct RefundPage {
    frame: Frame,
    e: Shown,
    staff: String,
    /// What is left of it, where some went back before.
    rest: Option<String>,
}

/// A second screen repeats the facts before money leaves.
#[get("/exceptions/<id>/refund")]
async fn refund_page(shop: &State<Shop>, staff: Manager, id: &str) -> Result<Template> {
    let (id, look) = (id_of(id)?, look_of(shop));
    let read = move |conn: &Connection| {
        let found = store::by_id(conn, id)?.ok_or(Code::NotFound)?;
        let entered = crate::ledger::store::payment(conn, &found.transaction_id)?;
        let rest = entered.map(|entered| rest_of(conn, &entered)).transpose()?.flatten();
        let (exception, refund) = with_refunds(conn, vec![found])?.pop().ok_or_else(|| Error::from(Code::NotFound))?;
        Ok((exception, refund, rest, waiting(conn)?))
    };
    let (exception, refund, rest, waits) = shop.read(read).await?;
    // Where some of it went back before, only the rest goes now.
    let rest = rest.filter(|rest| rest.get() < exception.amount_fen).map(|rest| rest.to_string());
    let page = RefundPage {
        frame: framed(shop, &staff.0, "money", None, waits),
        e: Shown::of(&exception, refund.as_ref(), look),
        staff: staff.0.name,
        rest,
    };
    Ok(assets::page("console/exception_refund.html", page))
}

#[derive(FromForm)]
struct Act {
    /// How the item stood on the page.
    shown: Option<String>,
}

#[post("/exceptions/<id>/refund", data = "<form>")]
async fn refund(shop: &State<Shop>, staff: Manager, id: &str, form: Form<Act>) -> Flash<Redirect> {
    let done = act(shop, staff.0, id, "立即退款", form.into_inner().shown, decide::refund_now).await;
    // A colleague may stop it before it is sent.
    back(INBOX, done.map(|_| "退款马上发给微信，结果会显示在这里和售后页"))
}

#[post("/exceptions/<id>/stop", data = "<form>")]
async fn stop(shop: &State<Shop>, staff: Manager, id: &str, form: Form<Act>) -> Flash<Redirect> {
    let done = act(shop, staff.0, id, "停止自动退款", form.into_inner().shown, decide::stop).await;
    back(INBOX, done.map(|()| "自动退款已停止，请决定怎么处理这笔钱"))
}

#[post("/exceptions/<id>/restore", data = "<form>")]
async fn restore(shop: &State<Shop>, staff: Manager, id: &str, form: Form<Act>) -> Flash<Redirect> {
    back(INBOX, restore_asked(shop, staff.0, id, form.into_inner().shown).await.map(|()| "订单已恢复为待发货"))
}

async fn restore_asked(shop: &Shop, staff: Staff, id: &str, shown: Option<String>) -> Result<()> {
    let unheard = match its_payment(shop, id).await? {
        Some(paid) => {
            // What a notice of API v2 alone has told is asked about in any shop: its no holds what is taken up.
            let asked = check::ask_told(shop, paid.clone(), true).await?;
            linked::ask_before(shop, paid).await?.or(asked.and_then(std::result::Result::err))
        }
        None => None,
    };
    let restore = move |tx: &Tx, case: &Case, who: &Who| decide::restore(tx, case, unheard.as_deref(), who);
    act(shop, staff, id, "恢复订单", shown, restore).await
}

/// Whether any of the money went back meanwhile: why WeChat was not heard about it, where it was not.
async fn ask_before(shop: &Shop, id: &str) -> Result<Option<String>> {
    match its_payment(shop, id).await? {
        Some(transaction_id) => linked::ask_before(shop, transaction_id).await,
        None => Ok(None),
    }
}

/// What an open item is about, unless it waits for WeChat's word itself.
async fn its_payment(shop: &Shop, id: &str) -> Result<Option<String>> {
    let (id, look) = (id_of(id)?, look_of(shop));
    let read = move |conn: &Connection| {
        let waits = |exception: &Exception| exception.open && !exception.is_unproven(look);
        Ok(store::by_id(conn, id)?.filter(waits).map(|exception| exception.transaction_id))
    };
    shop.read(read).await
}

#[derive(FromForm)]
struct LinkForm {
    order_no: String,
    shown: Option<String>,
}

#[post("/exceptions/<id>/link", data = "<form>")]
async fn link(shop: &State<Shop>, staff: Manager, id: &str, form: Form<LinkForm>) -> Flash<Redirect> {
    back(INBOX, link_asked(shop, staff.0, id, form.into_inner()).await.map(|()| "已关联，订单已付款"))
}

async fn link_asked(shop: &Shop, staff: Staff, id: &str, form: LinkForm) -> Result<()> {
    let typed = form.order_no.trim().to_uppercase();
    let order_no: OrderNo =
        typed.parse().map_err(|_| Error::field("order_no", format!("「{typed}」不是订单号，请核对")))?;
    let unheard = ask_before(shop, id).await?;
    let link =
        move |tx: &Tx, case: &Case, who: &Who| decide::link(tx, case, &order_no, unheard.as_deref(), who).map(drop);
    act(shop, staff, id, "关联到订单", form.shown, link).await
}

#[post("/exceptions/<id>/ask")]
async fn ask(shop: &State<Shop>, staff: Manager, id: &str) -> Flash<Redirect> {
    let done = act(shop, staff.0, id, "再向微信查一次", None, |tx, case, _| decide::ask_again(tx, case)).await;
    back(INBOX, done.map(|()| "正在向微信查，刷新页面看结果"))
}

#[derive(FromForm)]
struct Resolution {
    resolution: String,
    /// The page to return to: the inbox, or the day of a bill.
    #[field(default = String::new())]
    day: String,
    /// When the page was made on which somebody has read it.
    seen: Option<i64>,
}

#[post("/exceptions/<id>/resolve", data = "<form>")]
async fn resolve(shop: &State<Shop>, staff: Manager, id: &str, form: Form<Resolution>) -> Flash<Redirect> {
    let to = match form.day.parse::<clock::Day>() {
        Ok(day) => format!("/admin/money/{}", day.shown()),
        Err(_) => INBOX.to_owned(),
    };
    let how = form.resolution.trim().to_owned();
    let seen = form.seen;
    let resolve = move |tx: &Tx, case: &Case, who: &Who| {
        if !RESOLUTION.fits(&how) {
            return Err(Error::field("resolution", format!("请写明怎么处理的（{RESOLUTION}）")));
        }
        let exception = case.exception();
        if let Some(seen) = seen
            && exception.subject == store::gone_back(&exception.transaction_id)
            && learn::unseen_since(tx, &exception.transaction_id)?.is_some_and(|told_at| told_at > seen)
        {
            let words = "打开这一页之后，微信又提示这笔款退过：请再到商户平台核对一次，再标记";
            return Err(Error::from(Code::OrderState).says(words));
        }
        decide::note_handled(tx, case, &how, who)?;
        exception.day.map_or(Ok(()), |day| day::refresh(tx, day))?;
        Ok(match exception.is_hearsay() {
            true => "已标记为处理完，不再向微信查：真是本店收的，第二天的账单会补记",
            false => "已标记为处理完",
        })
    };
    back(to, act(shop, staff.0, id, "标记为已处理", None, resolve).await)
}

#[cfg(test)]
impl Shown {
    pub fn sample() -> Shown {
        Shown {
            id: ExceptionId(1),
            kind: Kind::LatePayment,
            title: Kind::LatePayment.text(),
            open: true,
            told: false,
            order_no: "261008131540ABCDEFGH".parse().ok(),
            number: "261008131540ABCDEFGH01".into(),
            transaction: "1217752501201407033233368018".into(),
            amount: "57.00".into(),
            what: "订单关闭后收到付款".into(),
            at: "2026-10-08 13:15:40".into(),
            next: "系统将自动全额退回。".into(),
            refund_no: None,
            day: None,
            difference: None,
            ours: String::new(),
            theirs: String::new(),
            columns: Vec::new(),
            may_refund: true,
            may_restore: true,
            may_stop: true,
            may_link: true,
            may_ask: true,
            may_mend: true,
            resolution: Some("已退".into()),
            resolved_at: Some("13:17".into()),
            seen: 1,
            mark: "1-".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_exceptions_ask_for_nothing_that_they_are_not_given() {
        let over = || Shown {
            open: false,
            may_refund: false,
            refund_no: "R261008131540ABCD01".parse().ok(),
            ..Shown::sample()
        };
        let told = || Shown { told: true, day: Some("2026-10-08".into()), ..Shown::sample() };
        for (rows, words) in [(vec![Shown::sample(), told(), over()], "要您决定"), (vec![], "没有异常")] {
            let page = ExceptionsPage {
                frame: Frame::sample(Role::Manager),
                tab: "exceptions",
                rows,
                may_decide: true,
                check: Some("10-08 04:10".into()),
            };
            let html = assets::strictly("console/exceptions.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
        for (e, rest, words) in [
            (Shown::sample(), None, "全额原路退回"),
            (Shown::sample(), Some("5.00".to_owned()), "确认退款 ¥5.00"),
            (over(), None, "现在不能退款"),
        ] {
            let page = RefundPage { frame: Frame::sample(Role::Manager), e, staff: "小王".into(), rest };
            let html = assets::strictly("console/exception_refund.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
    }
}
