//! Cross-site requests: a form on another site may not act in a staff member's name.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::{Data, Request, Route, get, routes, uri};

use crate::shop::Shop;

/// Turns a writing request under `/admin` that comes from another site into a refusal, before any route sees it.
pub struct OriginCheck;

#[rocket::async_trait]
impl Fairing for OriginCheck {
    fn info(&self) -> Info {
        Info { name: "origin check", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let writes = !matches!(request.method(), Method::Get | Method::Head | Method::Options);
        let guarded = request.uri().path().as_str().starts_with("/admin");
        if writes && guarded && is_foreign(request) {
            request.set_method(Method::Get);
            request.set_uri(uri!("/admin", foreign()));
        }
    }
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

#[get("/foreign")]
fn foreign() -> Status {
    Status::Forbidden
}
