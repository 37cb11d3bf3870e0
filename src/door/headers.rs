//! Headers on every answer: the request id, and what browsers are told to forbid.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::{Request, Response};

use super::request_id;
use crate::shop::Shop;

/// Adds the headers; put on once, at the top.
pub struct Headers;

#[rocket::async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info { name: "headers", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        response.set_header(Header::new("X-Request-Id", request_id(request).to_owned()));
        response.set_header(Header::new("Referrer-Policy", "same-origin"));
        if response.content_type().is_some_and(|given| given.is_html()) {
            let simulator = request.rocket().state::<Shop>().and_then(|shop| shop.demo.clone());
            response.set_header(Header::new("Content-Security-Policy", policy(simulator.as_deref())));
            if !response.headers().contains("Cache-Control") {
                response.set_header(Header::new("Cache-Control", "no-store"));
            }
        }
    }
}

/// Nothing inline, nothing from elsewhere; the demo's storefront may also talk to its simulated WeChat.
fn policy(simulator: Option<&str>) -> String {
    let simulator = simulator.unwrap_or_default();
    format!(
        "default-src 'self'; img-src 'self' data:; connect-src 'self' {simulator}; frame-src {frame}; object-src 'none'; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
        frame = if simulator.is_empty() { "'none'" } else { simulator },
    )
}
