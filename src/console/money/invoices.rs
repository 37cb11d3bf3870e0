//! Invoices (发票): who asked for one, for how much now, and what was written out elsewhere.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::clock::{self, Day};
use crate::console::{Download, Frame, back, cut, framed, waiting, workbook};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::{InvoiceId, OrderNo};
use crate::invoices::{Invoice, InvoiceState, read_answer, read_issued, store};
use crate::money::Fen;
use crate::orders::{Topic, Who, store as orders};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role};

pub fn routes() -> Vec<Route> {
    routes![list, issue, refuse, export]
}

const MOST_EXPORTED: i64 = 20_000;

fn read_state(word: &str) -> InvoiceState {
    word.parse().unwrap_or(InvoiceState::Asked)
}

/// Invoices of one state.
#[derive(Serialize)]
struct InvoicesPage {
    frame: Frame,
    tab: &'static str,
    state: InvoiceState,
    states: Vec<StateShown>,
    may_decide: bool,
    /// From here on it goes on.
    next: Option<InvoiceId>,
    /// There are newer ones before this page.
    later: bool,
    invoices: Vec<InvoiceShown>,
}

/// A state as a tab; only the one that waits for somebody is counted.
#[derive(Serialize)]
struct StateShown {
    word: InvoiceState,
    text: &'static str,
    n: Option<i64>,
}

fn states(asked: i64) -> Vec<StateShown> {
    let tab = |one: &InvoiceState| StateShown {
        word: *one,
        text: one.staff_text(),
        n: (*one == InvoiceState::Asked).then_some(asked),
    };
    InvoiceState::ALL.iter().map(tab).collect()
}

#[derive(Serialize)]
struct InvoiceShown {
    id: InvoiceId,
    order_no: OrderNo,
    kind: &'static str,
    title: String,
    tax_no: String,
    email: String,
    due: String,
    issued: Option<String>,
    number: String,
    link: String,
    answer: String,
    outdated: Option<String>,
    asked_at: String,
    /// Which request it is: whoever asks once more may have written another title.
    asked: i64,
    decided_at: Option<String>,
    /// Somebody waits for it, and all of its money went back.
    nothing: bool,
    may_issue: bool,
    may_refuse: bool,
}

impl InvoiceShown {
    fn of(invoice: &Invoice, role: Role) -> InvoiceShown {
        let (options, decides) = (invoice.options(), role >= Role::Manager);
        InvoiceShown {
            id: invoice.id,
            order_no: invoice.order_no.clone(),
            kind: invoice.title.kind.text(),
            title: invoice.title.title.clone(),
            tax_no: invoice.title.tax_no.clone(),
            email: invoice.title.email.clone(),
            due: invoice.due.to_string(),
            issued: invoice.issued.map(|fen| fen.to_string()),
            number: invoice.number.clone(),
            link: invoice.link.clone(),
            answer: invoice.answer.clone(),
            outdated: invoice.outdated(),
            asked_at: clock::shown(invoice.asked_at),
            asked: invoice.asked_at,
            decided_at: invoice.decided_at.map(clock::shown),
            nothing: decides && invoice.state == InvoiceState::Asked && invoice.due == Fen::ZERO,
            may_issue: decides && options.issue,
            may_refuse: decides && options.refuse,
        }
    }
}

#[get("/invoices?<state>&<before>")]
async fn list(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    state: Option<&str>,
    before: Option<i64>,
) -> Result<Template> {
    let (state, size) = (read_state(state.unwrap_or_default()), staff.0.lists.rows);
    let read = move |conn: &Connection| Ok((store::list(conn, state, before, size + 1)?, waiting(conn)?));
    let (mut invoices, waiting) = shop.read(read).await?;
    let (more, asked) = (cut(&mut invoices, size), waiting.invoices);
    let page = InvoicesPage {
        frame: framed(shop, &staff.0, "money", flash, waiting),
        tab: "invoices",
        state,
        states: states(asked),
        may_decide: staff.0.role >= Role::Manager,
        next: invoices.last().filter(|_| more).map(|invoice| invoice.id),
        later: before.is_some(),
        invoices: invoices.iter().map(|invoice| InvoiceShown::of(invoice, staff.0.role)).collect(),
    };
    Ok(assets::page("console/invoices.html", page))
}

#[derive(FromForm)]
struct Issued {
    number: String,
    #[field(default = String::new())]
    link: String,
    /// What the page showed: a refund may have come in between, …
    amount: String,
    /// … or another request of the same order.
    asked: Option<i64>,
}

/// The one that the page showed, or in words why not.
fn as_shown(tx: &Tx, id: InvoiceId, asked: Option<i64>) -> Result<Invoice> {
    let gone = "这一页打开之后，买家撤回了申请：请看新的列表，没有改动";
    let invoice = store::by_id(tx, id)?.ok_or_else(|| Error::from(Code::NotFound).says(gone))?;
    if asked.is_some_and(|asked| asked != invoice.asked_at) {
        let words = "这一页打开之后，买家改了抬头又申请了一次：请按新的抬头来，没有改动";
        return Err(Error::from(Code::OrderState).says(words));
    }
    Ok(invoice)
}

/// Noted as written out; one that is noted already gets another number, as after a red invoice.
#[post("/invoices/<id>/issue", data = "<form>")]
async fn issue(shop: &State<Shop>, staff: Manager, id: InvoiceId, form: Form<Issued>) -> Flash<Redirect> {
    let done = async {
        let (number, link) = read_issued(&form.number, &form.link)?;
        let seen = Fen::from_yuan(&form.amount).ok_or(Code::ValidationFailed)?;
        let write = move |tx: &Tx| {
            let invoice = as_shown(tx, id, form.asked)?;
            if invoice.due != seen {
                let words = format!("金额刚刚变成了 ¥{}（有退款），请按新的金额开票", invoice.due);
                return Err(Error::from(Code::OrderState).says(words));
            }
            if invoice.due == Fen::ZERO {
                return Err(Error::from(Code::OrderState).says("钱都退了，没有可以开票的金额"));
            }
            if !invoice.options().issue {
                return Err(Error::from(Code::OrderState).says("这张发票已经处理过了"));
            }
            store::set_issued(tx, id, invoice.due, &number, &link)?;
            let what = format!("已开发票 ¥{}，号码 {number}", invoice.due);
            orders::note(tx, invoice.order, &Who::staff(&staff.0.name), Topic::Order, &what)?;
            audit(tx, &staff.0, &format!("订单 {} {what}", invoice.order_no))?;
            Ok("已记下，买家看得到号码和文件")
        };
        shop.write(write).await
    };
    back("/admin/invoices", done.await)
}

#[derive(FromForm)]
struct Refused {
    answer: String,
    /// As for one that was written out.
    asked: Option<i64>,
}

#[post("/invoices/<id>/refuse", data = "<form>")]
async fn refuse(shop: &State<Shop>, staff: Manager, id: InvoiceId, form: Form<Refused>) -> Flash<Redirect> {
    let done = async {
        let answer = read_answer(&form.answer)?;
        let write = move |tx: &Tx| {
            let invoice = as_shown(tx, id, form.asked)?;
            if !invoice.options().refuse {
                return Err(Error::from(Code::OrderState).says("这张发票已经处理过了"));
            }
            store::set_refused(tx, id, &answer)?;
            orders::note(
                tx,
                invoice.order,
                &Who::staff(&staff.0.name),
                Topic::Order,
                &format!("没有开发票：{answer}"),
            )?;
            audit(tx, &staff.0, &format!("订单 {} 没有开发票：{answer}", invoice.order_no))?;
            Ok("已告诉买家，他可以改了再申请")
        };
        shop.write(write).await
    };
    back("/admin/invoices", done.await)
}

#[derive(FromForm)]
struct Exported {
    #[field(default = String::new())]
    state: String,
}

const COLUMNS: [&str; 12] = [
    "订单号",
    "状态",
    "抬头类型",
    "抬头",
    "税号",
    "邮箱",
    "现在应开(元)",
    "已开(元)",
    "发票号码",
    "文件",
    "说明",
    "申请时间",
];
const NUMBERS: [usize; 2] = [6, 7];

/// The list as a table, with titles and addresses: a right of its own, and written down.
#[post("/invoices/export.xlsx", data = "<form>")]
async fn export(shop: &State<Shop>, manager: Manager, form: Form<Exported>) -> Result<Download> {
    let state = read_state(&form.state);
    let invoices =
        shop.read_slowly(move |conn: &Connection| Ok(store::list(conn, state, None, MOST_EXPORTED)?)).await?;
    let rows: Vec<Vec<String>> = invoices.iter().map(exported).collect();
    let what = format!("导出 {} 张发票申请（{}）", rows.len(), state.staff_text());
    shop.write(move |tx| Ok(audit(tx, &manager.0, &what)?)).await?;
    workbook(&format!("发票-{}-{}.xlsx", state.staff_text(), Day::of(shop.now()).shown()), &COLUMNS, &NUMBERS, rows)
        .await
}

fn exported(invoice: &Invoice) -> Vec<String> {
    let title = invoice.title.clone();
    vec![
        invoice.order_no.to_string(),
        invoice.state.staff_text().to_owned(),
        title.kind.text().to_owned(),
        title.title,
        title.tax_no,
        title.email,
        invoice.due.plain(),
        invoice.issued.map(Fen::plain).unwrap_or_default(),
        invoice.number.clone(),
        invoice.link.clone(),
        invoice.outdated().unwrap_or_else(|| invoice.answer.clone()),
        clock::shown(invoice.asked_at),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_invoices_asks_for_nothing_that_it_is_not_given() {
        let invoice = |issued: bool| InvoiceShown {
            id: InvoiceId(1),
            order_no: "261008131540ABCDEFGH".parse().unwrap(),
            kind: "企业",
            title: "草莓园公司".into(),
            tax_no: "91440300MA5ABCDE0X".into(),
            email: "a@example.com".into(),
            due: "57.00".into(),
            issued: issued.then(|| "60.00".into()),
            number: if issued { "24352000000123456789".into() } else { String::new() },
            link: if issued { "https://fp.example/1.pdf".into() } else { String::new() },
            answer: "抬头写错了".into(),
            outdated: issued.then(|| "要冲红重开".into()),
            asked_at: "2026-10-08 13:15:40".into(),
            asked: 1_791_436_540_000,
            decided_at: issued.then(|| "2026-10-08 13:20:40".into()),
            nothing: !issued,
            may_issue: issued,
            may_refuse: !issued,
        };
        for (invoices, state, words) in [
            (vec![invoice(true), invoice(false)], InvoiceState::Issued, "已重开"),
            (vec![], InvoiceState::Asked, "没有等着开的发票"),
        ] {
            let full = !invoices.is_empty();
            let page = InvoicesPage {
                frame: Frame::sample(Role::Manager),
                tab: "invoices",
                state,
                states: states(3),
                may_decide: true,
                next: full.then_some(InvoiceId(1)),
                later: full,
                invoices,
            };
            let html = assets::strictly("console/invoices.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
    }
}
