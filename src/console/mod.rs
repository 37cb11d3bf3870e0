//! The staff's pages (店铺后台), on top of every noun.

mod catalogue;
mod columns;
mod home;
mod lengths;
mod money;
mod orders;
pub mod origin;
mod people;
mod system;
mod undo;

pub use orders::walk::Stay;

use rocket::http::{ContentType, Header, Status};
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{Catcher, Request, Route, catch, catchers, get, routes, uri};
use rocket_dyn_templates::Template;
use serde::Serialize;
use serde_json::Value;

use crate::assets::{self, Numbers};
use crate::door::upload;
use crate::error::{self, Code, Error, Result};
use crate::refunds::RefundState;
use crate::say::say;
use crate::shop::Shop;
use crate::shown::mark;
use crate::staff::{PAGE_SIZES, Role, Staff};
use crate::tables;
use crate::{jobs, refunds, returns};

pub fn routes() -> Vec<Route> {
    [
        home::routes(),
        orders::routes(),
        catalogue::routes(),
        money::routes(),
        system::routes(),
        people::routes(),
        origin::routes(),
        undo::routes(),
    ]
    .concat()
}

/// Outside the demo a visitor at the root is staff who typed the bare address.
pub fn front_door() -> Vec<Route> {
    routes![root]
}

#[get("/")]
fn root() -> Redirect {
    Redirect::to("/admin")
}

/// What two people write from pages that both were opened before is kept side by side. A page that is left while it saves
/// says what stood before and what it sent last, newest at the end: either may get here first.
fn beside(now: &str, was: &[String], typed: &str) -> String {
    let plain = |text: &str| text.replace("\r\n", "\n");
    let (now, typed) = (&*plain(now), &*plain(typed));
    let was: Vec<String> = was.iter().map(|was| plain(was.trim())).collect();
    if was.is_empty() || was.iter().any(|was| was == now) || now.is_empty() {
        return typed.to_owned();
    }
    // All of it stands there, with what was added since.
    if now.starts_with(typed) {
        return now.to_owned();
    }
    let own = was.iter().rev().find_map(|was| typed.strip_prefix(&**was)).unwrap_or(typed);
    let own = own.trim_matches([' ', '，', '；', ',', ';']);
    if own.is_empty() { now.to_owned() } else { format!("{now}；{own}") }
}

/// What waits for somebody, as the navigation counts it.
#[derive(Clone, Copy, Default)]
struct Waiting {
    to_ship: i64,
    /// Refunds and returns that a person must decide about or mend.
    refunds: i64,
    /// Of these, returns.
    returns: i64,
    /// Money that a person must decide about.
    exceptions: i64,
    /// Jobs that need a person.
    stuck: i64,
    /// Invoices that are asked for.
    invoices: i64,
}

fn waiting(conn: &rusqlite::Connection) -> Result<Waiting> {
    let counts = crate::orders::store::status_counts(conn)?;
    let person = [RefundState::Requested, RefundState::Failed, RefundState::Abnormal];
    let asked = refunds::store::counts(conn)?;
    let returns = returns::store::waiting_for_staff(conn)?;
    Ok(Waiting {
        to_ship: counts.iter().find(|(status, _)| status == "to_ship").map_or(0, |(_, n)| *n),
        refunds: asked.iter().filter(|(state, _)| person.contains(state)).map(|(_, n)| n).sum::<i64>() + returns,
        returns,
        exceptions: crate::exceptions::store::count_to_decide(conn)?,
        stuck: jobs::store::stuck(conn)?,
        invoices: crate::invoices::store::count_asked(conn)?,
    })
}

/// What every page's frame shows: the shop, who is logged in, the counted navigation, and what just happened; and how long
/// what is typed into the page may be.
#[derive(Serialize)]
struct Frame {
    shop: String,
    demo: Option<String>,
    staff: String,
    role: Role,
    role_text: &'static str,
    page_size: i64,
    page_sizes: &'static [i64],
    here: &'static str,
    to_ship: i64,
    refunds: i64,
    returns: i64,
    exceptions: i64,
    stuck: i64,
    invoices: i64,
    flash: Option<Told>,
    most: Numbers,
    least: Numbers,
}

async fn frame(shop: &Shop, staff: &Staff, here: &'static str, flash: Option<FlashMessage<'_>>) -> Result<Frame> {
    let waiting = shop.read(waiting).await?;
    Ok(framed(shop, staff, here, flash, waiting))
}

/// The frame of a page whose own read has looked at what waits.
fn framed(shop: &Shop, staff: &Staff, here: &'static str, flash: Option<FlashMessage<'_>>, waiting: Waiting) -> Frame {
    Frame {
        shop: shop.settings().shop_name().to_owned(),
        demo: shop.demo.clone(),
        staff: staff.name.clone(),
        role: staff.role,
        role_text: staff.role.text(),
        page_size: staff.lists.rows,
        page_sizes: &PAGE_SIZES,
        here,
        to_ship: waiting.to_ship,
        refunds: waiting.refunds,
        returns: waiting.returns,
        exceptions: waiting.exceptions,
        stuck: waiting.stuck,
        invoices: waiting.invoices,
        flash: flash.map(|flash| Told::read(flash.kind(), flash.message())),
        most: lengths::MOST,
        least: lengths::LEAST,
    }
}

/// One of several that a form offers: its word there, and as people call it.
#[derive(Serialize)]
struct Choice<W> {
    word: W,
    text: &'static str,
}

fn choices<W: Copy>(all: &[W], text: fn(W) -> &'static str) -> Vec<Choice<W>> {
    all.iter().map(|word| Choice { word: *word, text: text(*word) }).collect()
}

/// What just happened, and where it is taken back if it can be.
#[derive(Serialize)]
struct Told {
    kind: String,
    text: String,
    /// Where the strip's button leads: back, or on although something speaks against it.
    to: Option<String>,
    fields: Vec<(String, String)>,
    button: String,
    /// The names of the fields that it is about, where a form was refused for them.
    wrong: String,
}

impl Told {
    fn read(kind: &str, message: &str) -> Told {
        let mut parts = message.split(UNDO);
        let text = parts.next().unwrap_or_default();
        let (to, button) = (parts.next().unwrap_or_default(), parts.next().unwrap_or("撤销"));
        let (to, query) = to.split_once('?').unwrap_or((to, ""));
        Told {
            kind: kind.to_owned(),
            text: text.to_owned(),
            to: Some(to.to_owned()).filter(|to| to.starts_with("/admin/")),
            button: button.to_owned(),
            fields: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            wrong: parts.next().unwrap_or_default().to_owned(),
        }
    }
}

/// Between what was done, where it is taken back, the words of the button that does it, and the fields that are wrong.
const UNDO: char = '\n';

/// After a form whose work can be taken back by a form sent to `undo`, with the fields of its query.
fn undoable(to: impl Into<String>, done: &str, undo: &str) -> Flash<Redirect> {
    Flash::success(lead(to), format!("{done}{UNDO}{undo}"))
}

/// After a form that waits for a word: back to a page with what speaks against it, and a button that sends the same form to
/// `form` with that word said. Errors that wait for no word are told as they are.
fn asked(to: impl Into<String>, error: Error, form: &str, sent: &[(String, String)]) -> Flash<Redirect> {
    let asks = |word: &str| match word {
        "despite_refund" => error.code == Code::RefundInProgress,
        field => error.fields.contains_key(field),
    };
    let Some((word, button)) = WORDS.iter().find(|(word, _)| asks(word)) else {
        return refused(to, error);
    };
    let mut fields = form_urlencoded::Serializer::new(String::new());
    fields.extend_pairs(sent).append_pair(word, "true");
    let again = format!("{form}?{}", fields.finish());
    // The strip's words travel in a cookie, which has room for 4 KiB.
    if again.len() > 1_800 {
        return refused(to, error);
    }
    Flash::error(lead(to), format!("{}{UNDO}{again}{UNDO}{button}", message(&error)))
}

/// The words that a form may wait for: each its field, and what its button says.
const WORDS: [(&str, &str); 4] = [
    ("as_written", "没写错，照这样用"),
    ("merge", "合并发货"),
    ("dearer", "由店里承担，寄出"),
    ("despite_refund", "仍然发出"),
];

/// After a form: back to a page, with what was done and where it is taken back, or with what was wrong.
fn back_undoable(to: impl Into<String>, outcome: Result<(String, String)>) -> Flash<Redirect> {
    match outcome {
        Ok((done, undo)) => undoable(to, &done, &undo),
        Err(e) => refused(to, e),
    }
}

/// After a form: back to a page, with what was done or what was wrong.
fn back<'a>(to: impl Into<String>, outcome: Result<impl Into<std::borrow::Cow<'a, str>>>) -> Flash<Redirect> {
    let to = lead(to);
    match outcome {
        Ok(done) => Flash::success(to, done.into()),
        Err(e) => Flash::error(to, format!("{}{UNDO}{UNDO}{UNDO}{}", message(&e), wrong_fields(&e))),
    }
}

/// To a page whose address holds what was typed.
fn lead(to: impl Into<String>) -> Redirect {
    Redirect::to(sound(to.into()))
}

/// A page of the console, or the first one: a form must not lead elsewhere.
fn inside(address: String) -> String {
    let inside = address == "/admin" || address.starts_with("/admin/") || address.starts_with("/admin?");
    if inside { sound(address) } else { "/admin".to_owned() }
}

/// An address that can be led to as it is; else the first page. One that was typed may carry anything.
fn sound(address: String) -> String {
    let fine = !address.contains('\\') && rocket::http::uri::Reference::parse(&address).is_ok();
    if fine { address } else { "/admin".to_owned() }
}

/// What was typed into a field of a filter; nothing when it was left empty.
fn filled(text: &str) -> Option<String> {
    Some(text.trim().chars().take(64).collect::<String>()).filter(|text| !text.is_empty())
}

/// The query of a list's address, without what was left empty.
fn query_string(pairs: &[(&str, &str)]) -> String {
    let mut address = form_urlencoded::Serializer::new(String::new());
    address.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    address.finish()
}

/// Keeps a page's worth of rows, of which one more was asked for; true when there are more.
fn cut<T>(rows: &mut Vec<T>, size: i64) -> bool {
    let more = rows.len() as i64 > size;
    rows.truncate(size as usize);
    more
}

/// Back to a page, with what was wrong.
fn refused(to: impl Into<String>, error: Error) -> Flash<Redirect> {
    back(to, Err::<&str, _>(error))
}

/// A file for the person who asked.
#[derive(rocket::Responder)]
pub struct Download {
    bytes: Vec<u8>,
    kind: ContentType,
    disposition: Header<'static>,
}

fn xlsx() -> ContentType {
    ContentType::new("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
}

/// A table as a workbook, made off the async threads.
async fn workbook(name: &str, head: &[&'static str], numbers: &[usize], rows: Vec<Vec<String>>) -> Result<Download> {
    let (head, numbers) = (head.to_vec(), numbers.to_vec());
    let made =
        tokio::task::spawn_blocking(move || tables::xlsx(&head, &numbers, &rows)).await.map_err(|_| Code::Internal)?;
    let bytes = made.map_err(|e| {
        log::error!("{name}: {e}");
        Error::from(Code::Internal).says("表格没有做出来，请稍后再试")
    })?;
    Ok(download(xlsx(), name, bytes))
}

fn download(kind: ContentType, name: &str, bytes: Vec<u8>) -> Download {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let encoded: String =
        name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    let disposition = Header::new("Content-Disposition", format!("attachment; filename*=UTF-8''{encoded}"));
    Download { bytes, kind, disposition }
}

/// For a form that went wrong: back to its page with the words, nothing lost but what was typed.
fn message(error: &Error) -> String {
    let mut all: Vec<&str> = Vec::new();
    for said in error.fields.values().filter_map(Value::as_str) {
        // One thing that is wrong with several fields is said once.
        if !all.contains(&said) {
            all.push(said);
        }
    }
    if all.is_empty() { error.message() } else { all.join("；") }
}

/// A mark of what a form shows, to be sent back with it.
fn form_mark(shown: &impl Serialize) -> String {
    let text = serde_json::to_string(shown).unwrap_or_default();
    format!("{:016x}", mark([text.as_str()]))
}

/// Whether a form that was filled in is of what stands there now; one without a mark says nothing of it. Errors: somebody has
/// changed it meanwhile; the page comes back with the new mark, so that the same form sent once more is meant.
fn must_be_of_now(seen: &str, now: &str) -> Result<()> {
    match seen {
        "" => Ok(()),
        seen if seen == now => Ok(()),
        _ => Err(Error::from(Code::OrderState).says(
            "同事刚刚改过这里，您的还没有保存：请核对下面您填的，再保存一次就换成您的（他改了什么，在操作日志里）",
        )),
    }
}

/// The names of the fields that are wrong, for the page that marks them.
fn wrong_fields(error: &Error) -> String {
    error.fields.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

pub fn catchers() -> Vec<Catcher> {
    catchers![log_in_first, explain]
}

/// Nobody is logged in: to the login page, and back here afterwards.
#[catch(401)]
fn log_in_first(request: &Request<'_>) -> Redirect {
    let next = match request.method() {
        rocket::http::Method::Get => request.uri().to_string(),
        // Of a form that was sent too late, the page that it stood on.
        _ => inside(referer(request).unwrap_or_default()),
    };
    Redirect::to(uri!("/admin", people::login::page(Some(next))))
}

/// The page a request came from, without its host: wherever that is, only a page of ours is gone back to.
fn referer(request: &Request<'_>) -> Option<String> {
    let from = rocket::http::uri::Absolute::parse(request.headers().get_one("Referer")?).ok()?;
    let query = from.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{query}", from.path()))
}

#[catch(default)]
async fn explain(status: Status, request: &Request<'_>) -> Template {
    let error = error::taken(request, status);
    // Where the shop itself is in trouble nothing more is asked of it.
    let frame = if status.code < 500 { frame_of(request).await } else { None };
    let (title, words) = match status.code {
        403 if origin::is_refused(request) => (
            "没有执行",
            "这个请求不是从本店后台的页面发出的，什么都没有改动。请从后台的页面再做一次；一直这样的话，多半是前面的代理换了地址，请店主核对设置里的“对外地址”。".to_owned(),
        ),
        403 => ("没有权限", not_allowed(frame.as_ref())),
        404 => ("没有找到", "这个页面或记录不存在，可能已被删除，或链接抄错了。".to_owned()),
        413 => ("文件太大", format!("单个文件最多 {} MB，请压缩后再上传。", upload::MOST_MIB)),
        _ => ("出了点问题", message(&error)),
    };
    if status.code >= 500 {
        say!(Warn, "{} {} -> {}", request.method(), request.uri().path(), status.code);
    }
    let demo = request.rocket().state::<Shop>().is_some_and(|shop| shop.demo.is_some());
    let request_id = crate::door::request_id(request).to_owned();
    assets::page("console/error.html", ErrorPage { frame, title, words, demo, request_id })
}

#[derive(Serialize)]
struct ErrorPage {
    /// None where nobody is logged in, or nothing more can be asked.
    frame: Option<Frame>,
    title: &'static str,
    words: String,
    demo: bool,
    request_id: String,
}

fn not_allowed(frame: Option<&Frame>) -> String {
    let role = frame.map_or(String::new(), |frame| format!("您的角色是「{}」，", frame.role_text));
    format!("{role}没有做这件事、看这一页的权限。要用的话，请店主做，或请店主在“员工”里改您的角色。")
}

/// The frame for whoever is logged in, so that he finds on from a page that is none.
async fn frame_of(request: &Request<'_>) -> Option<Frame> {
    let shop = request.rocket().state::<Shop>()?;
    let staff = request.guard::<Staff>().await.succeeded()?;
    frame(shop, &staff, "", None).await.ok()
}

#[cfg(test)]
impl Frame {
    fn sample(role: Role) -> Frame {
        Frame {
            shop: "草莓园".into(),
            demo: None,
            staff: "小王".into(),
            role,
            role_text: role.text(),
            page_size: 50,
            page_sizes: &PAGE_SIZES,
            here: "orders",
            to_ship: 1,
            refunds: 0,
            returns: 0,
            exceptions: 2,
            stuck: 0,
            invoices: 0,
            flash: Some(Told::read("success", "已发货\n/admin/orders/undo?shipment=1")),
            most: lengths::MOST,
            least: lengths::LEAST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_none_asks_for_nothing_that_it_is_not_given() {
        for frame in [Some(Frame::sample(Role::Packer)), None] {
            let (known, words) = (frame.is_some(), "这个页面或记录不存在".to_owned());
            let page = ErrorPage { frame, title: "没有找到", words, demo: false, request_id: "abcd".into() };
            let html = assets::strictly("console/error.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("主导航"), html.contains("请求编号 abcd")), (known, true));
        }
    }
}
