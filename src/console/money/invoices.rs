//! Invoices (发票): who asked for one, for how much now, and what was written out elsewhere.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::assets;
use crate::clock::{self, Day};
use crate::console::{Download, back, cut, framed, waiting, workbook};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::InvoiceId;
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
    let context = context! {
        frame: framed(shop, &staff.0, "money", flash, waiting),
        tab: "invoices",
        state,
        states: InvoiceState::ALL.iter().map(|one| json!({
            "word": one, "text": one.staff_text(), "n": (*one == InvoiceState::Asked).then_some(asked),
        })).collect::<Vec<_>>(),
        may_decide: staff.0.role >= Role::Manager,
        next: invoices.last().filter(|_| more).map(|invoice| invoice.id),
        later: before.is_some(),
        invoices: invoices.iter().map(shown).collect::<Vec<_>>(),
    };
    Ok(assets::page("console/invoices.html", context))
}

fn shown(invoice: &Invoice) -> Value {
    json!({
        "id": invoice.id, "order_no": invoice.order_no, "kind": invoice.title.kind.text(), "title": invoice.title.title,
        "tax_no": invoice.title.tax_no, "email": invoice.title.email, "state": invoice.state,
        "due": invoice.due.to_string(), "nothing": invoice.due == Fen::ZERO,
        "issued": invoice.issued.map(|fen| fen.to_string()), "number": invoice.number, "link": invoice.link,
        "answer": invoice.answer, "outdated": invoice.outdated(), "asked_at": clock::shown(invoice.asked_at),
        "decided_at": invoice.decided_at.map(clock::shown),
    })
}

#[derive(FromForm)]
struct Issued {
    number: String,
    #[field(default = String::new())]
    link: String,
    /// What the page showed: a refund may have come in between.
    amount: String,
}

/// Noted as written out; one that is noted already gets another number, as after a red invoice.
#[post("/invoices/<id>/issue", data = "<form>")]
async fn issue(shop: &State<Shop>, staff: Manager, id: InvoiceId, form: Form<Issued>) -> Flash<Redirect> {
    let done = async {
        let (number, link) = read_issued(&form.number, &form.link)?;
        let seen = Fen::from_yuan(&form.amount).ok_or(Code::ValidationFailed)?;
        let write = move |tx: &Tx| {
            let invoice = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
            if invoice.due != seen {
                let words = format!("金额刚刚变成了 ¥{}（有退款），请按新的金额开票", invoice.due);
                return Err(Error::from(Code::OrderState).says(words));
            }
            if invoice.due == Fen::ZERO {
                return Err(Error::from(Code::OrderState).says("钱都退了，没有可以开票的金额"));
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
}

#[post("/invoices/<id>/refuse", data = "<form>")]
async fn refuse(shop: &State<Shop>, staff: Manager, id: InvoiceId, form: Form<Refused>) -> Flash<Redirect> {
    let done = async {
        let answer = read_answer(&form.answer)?;
        let write = move |tx: &Tx| {
            let invoice = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
            if invoice.state != InvoiceState::Asked {
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
