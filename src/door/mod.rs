//! What every visitor meets before a noun does: request ids, bodies, limits, headers, and errors dressed for the door.

pub mod body;
mod catchers;
pub mod form;
mod headers;
pub mod limits;
pub mod query;
pub mod traffic;
pub mod upload;

use rocket::Request;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::response::{self, Responder};
use rocket::serde::json::Json;
use serde::Serialize;

pub use catchers::{api_catchers, page_catchers, wechat_catchers};
pub use headers::Headers;

use crate::shop::Shop;

/// The number of this request: in the answer's `X-Request-Id`, in errors and in our log.
pub fn request_id<'r>(request: &'r Request<'_>) -> &'r str {
    struct RequestId(String);
    let id = request.local_cache(|| {
        let nonces = request.rocket().state::<Shop>().map(|shop| shop.nonces.clone()).unwrap_or_default();
        RequestId(nonces.base32())
    });
    &id.0
}

/// The path as it may stand in a log: where it carries a secret, its pattern.
pub fn loggable_path(request: &Request<'_>) -> String {
    let pattern = request.route().map(|route| route.uri.to_string());
    pattern.filter(|pattern| pattern.contains("token")).unwrap_or_else(|| request.uri().path().to_string())
}

/// An answer with a status of its own and, for a repeated request, the mark that says so.
pub struct Answer<T> {
    pub status: Status,
    pub body: T,
    pub replayed: bool,
}

impl<'r, 'o: 'r, T: Serialize> Responder<'r, 'o> for Answer<T> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'o> {
        let mut response = response::Response::build_from(Json(self.body).respond_to(request)?);
        response.status(self.status);
        if self.replayed {
            response.raw_header("Idempotency-Replayed", "true");
        }
        response.ok()
    }
}

/// Where the request comes from, as far as the deployment lets us know.
pub struct ClientIp(pub String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for ClientIp {
    type Error = std::convert::Infallible;
    async fn from_request(request: &'r Request<'_>) -> Outcome<ClientIp, Self::Error> {
        Outcome::Success(ClientIp(client_ip(request)))
    }
}

pub fn client_ip(request: &Request<'_>) -> String {
    request.client_ip().map(|ip| ip.to_canonical().to_string()).unwrap_or_else(|| "127.0.0.1".into())
}

/// Whose an address is, as far as budgets go: whoever has one address of an IPv6 network has all 2^64 of them.
pub fn network(ip: &str) -> String {
    match ip.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Err(_) => ip.to_owned(),
    }
}

/// Text for the few lines of HTML that no template makes. Plain entities only: a phone's rich text knows no others.
pub fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
