//! Headers on every answer: the request id, and what browsers are told to forbid. What passes here is counted.

use std::time::Instant;

use log::Level;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::{Data, Request, Response};

use super::traffic::Traffic;
use super::{loggable_path, request_id};
use crate::say;
use crate::shop::Shop;

/// Adds the headers; put on once, at the top, in place of Rocket's shield: what that adds to every answer concerns
/// pages only.
pub struct Headers {
    /// Of which inline script a page's policy knows: `'sha256-…'`.
    pub script: &'static str,
}

#[rocket::async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info { name: "headers", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        begun(request);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let took = begun(request).elapsed();
        let status = response.status().code;
        if let Some(traffic) = request.rocket().state::<Traffic>() {
            traffic.count(request.uri().path().as_str(), status, took);
        }
        if request.rocket().state::<Shop>().is_some_and(|shop| shop.server.log_requests) {
            // Without what is asked for behind the question mark: it may be somebody's name or number.
            let path = loggable_path(request);
            let known = [
                ("request_id", request_id(request).into()),
                ("method", request.method().as_str().into()),
                ("path", path.as_str().into()),
                ("status", status.into()),
                ("ms", (took.as_millis() as u64).into()),
            ];
            say::line(Level::Info, module_path!(), format_args!("request"), &known);
        }
        response.set_header(Header::new("X-Request-Id", request_id(request).to_owned()));
        response.set_header(Header::new("X-Content-Type-Options", "nosniff"));
        if response.headers().get_one("Content-Type").is_some_and(|given| given.starts_with("text/html")) {
            let simulator = request.rocket().state::<Shop>().and_then(|shop| shop.demo.clone());
            response.set_header(Header::new("Content-Security-Policy", policy(self.script, simulator.as_deref())));
            response.set_header(Header::new("Referrer-Policy", "same-origin"));
            if !response.headers().contains("Cache-Control") {
                response.set_header(Header::new("Cache-Control", "no-store"));
            }
        }
    }
}

/// When the request came in.
fn begun(request: &Request<'_>) -> Instant {
    *request.local_cache(Instant::now)
}

/// Nothing inline but the one script that is known, nothing from elsewhere; the demo's storefront may also talk to its simulated WeChat.
fn policy(script: &str, simulator: Option<&str>) -> String {
    let simulator = simulator.unwrap_or_default();
    format!(
        "default-src 'self'; script-src 'self' {script}; img-src 'self' data: blob:; connect-src 'self' {simulator}; frame-src {frame}; object-src 'none'; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
        frame = if simulator.is_empty() { "'none'" } else { simulator },
    )
}
