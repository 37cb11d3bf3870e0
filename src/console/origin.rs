//! Cross-site requests: a form on another site may not act in a staff member's name.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::{Data, Request, Route, get, routes, uri};

use crate::shop::Shop;

/// Turns a writing request under `/admin` that comes from another site into a refusal, before any route sees it; and any request that names two hosts.
pub struct OriginCheck;

#[rocket::async_trait]
impl Fairing for OriginCheck {
    fn info(&self) -> Info {
        Info { name: "origin check", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let writes = !matches!(request.method(), Method::Get | Method::Head | Method::Options);
        if (writes && is_guarded(request) && is_foreign(request)) || has_two_hosts(request) {
            request.set_method(Method::Get);
            request.set_uri(uri!("/admin", foreign()));
        }
    }
}

/// As the router reads it: `//admin` and `/%61dmin` lead there too.
fn is_guarded(request: &Request<'_>) -> bool {
    let first = request.uri().path().raw().split('/').find(|segment| !segment.is_empty());
    first.is_some_and(|first| first.percent_decode_lossy() == "admin")
}

/// Proxies and we would each believe another one of them.
fn has_two_hosts(request: &Request<'_>) -> bool {
    request.headers().get("Host").nth(1).is_some()
}

/// Browsers say where a request comes from. One that says nothing is no browser, and carries no one's cookie unasked.
fn is_foreign(request: &Request<'_>) -> bool {
    let headers = request.headers();
    match (headers.get_one("Sec-Fetch-Site"), headers.get_one("Origin")) {
        (Some("same-origin" | "none"), _) => false,
        (Some(_), None) => true,
        (None, None) => false,
        (_, Some(origin)) => {
            let host = headers.get_one("Host").unwrap_or_default();
            let same = origin.split_once("://").is_some_and(|(_, from)| from == host && !host.is_empty());
            // Behind a proxy that rewrites Host, the public address is the other name of this shop.
            let public = request.rocket().state::<Shop>().is_some_and(|shop| {
                let settings = shop.settings();
                settings.get("shop.public_url").is_some_and(|url| {
                    let start = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
                    start == origin
                })
            });
            !(same || public)
        }
    }
}

pub fn routes() -> Vec<Route> {
    routes![foreign]
}

/// Whether this is a request that was refused for where it comes from.
pub fn is_refused(request: &Request<'_>) -> bool {
    *request.uri() == uri!("/admin", foreign())
}

#[get("/foreign")]
fn foreign() -> Status {
    Status::Forbidden
}
