//! Errors dressed for the door they leave by: JSON for the mini-program, XML for WeChat, a page for people.

use log::Level;
use rocket::http::{ContentType, Status};
use rocket::response::content::RawHtml;
use rocket::response::{self, Responder, Response};
use rocket::{Catcher, Request, catch, catchers};

use super::{escape_html, loggable_path, request_id};
use crate::error::{Error, taken};
use crate::say;
use crate::shop::Shop;
use crate::wechat::v2::notice;

/// For `/api`: the contract's error object.
pub fn api_catchers() -> Vec<Catcher> {
    catchers![json]
}

/// For `/wechat`: a plain refusal that makes WeChat send again.
pub fn wechat_catchers() -> Vec<Catcher> {
    catchers![xml]
}

/// For everything else.
pub fn page_catchers() -> Vec<Catcher> {
    catchers![page]
}

/// An error as the contract's JSON.
struct JsonError {
    status: Status,
    body: String,
    retry_after_s: Option<u64>,
}

#[catch(default)]
fn json(status: Status, request: &Request<'_>) -> JsonError {
    let error = noted(status, request);
    JsonError { status, body: error.body(request_id(request)).to_string(), retry_after_s: error.retry_after_s }
}

impl<'r> Responder<'r, 'static> for JsonError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response.header(ContentType::JSON).sized_body(self.body.len(), std::io::Cursor::new(self.body));
        if let Some(seconds) = self.retry_after_s {
            response.raw_header("Retry-After", seconds.to_string());
        }
        if self.status == Status::Unauthorized {
            response.raw_header("WWW-Authenticate", "Bearer");
        }
        response.status(self.status).ok()
    }
}

#[catch(default)]
fn xml(status: Status, request: &Request<'_>) -> (ContentType, String) {
    noted(status, request);
    (ContentType::XML, notice::refused(if status.code == 404 { "NO_SUCH_DOOR" } else { "TRY_AGAIN" }))
}

#[catch(default)]
fn page(status: Status, request: &Request<'_>) -> RawHtml<String> {
    let error = noted(status, request);
    let (title, words) = match status.code {
        404 => ("没有这个页面", "请检查网址，或从下面的链接继续。".to_owned()),
        403 => ("这个操作没有被执行", "请求不是从本店后台的页面发出的，或您没有权限。请回到后台重试。".to_owned()),
        413 => ("内容太大", "请换一个小一些的文件再试。".to_owned()),
        _ => ("出了点问题", error.message()),
    };
    let demo = request.rocket().state::<Shop>().is_some_and(|shop| shop.demo.is_some());
    let banner =
        if demo { "<p class=\"demo-banner\">演示 · 连接的是模拟微信，不会扣真钱</p>" } else { "" };
    RawHtml(format!(
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/static/tokens.css\"><link rel=\"stylesheet\" href=\"/static/console.css\">\
         {banner}<main class=\"solo\"><h1>{title}</h1><p>{words}</p>\
         <p><a class=\"button\" href=\"/admin\">回到后台</a></p><p class=\"faint\">请求编号 {id}</p></main></html>",
        words = escape_html(&words),
        id = request_id(request),
    ))
}

/// What went wrong, written to the log once if it is ours.
fn noted(status: Status, request: &Request<'_>) -> Error {
    let error = taken(request, status);
    if status.code >= 500 {
        let words =
            format_args!("{} {} -> {} {}", request.method(), loggable_path(request), status.code, error.code.word());
        let known = [("request_id", request_id(request).into()), ("status", status.code.into())];
        say::line(Level::Warn, module_path!(), words, &known);
    }
    error
}
