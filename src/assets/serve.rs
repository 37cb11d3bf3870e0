//! Static files for whoever asks, as gzip where they are kept so and the visitor takes it.

use std::io::Cursor;

use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder, Response};
use rocket::{Request, Route, get, routes};

use super::STATIC;
use super::carried::File;

pub fn routes() -> Vec<Route> {
    routes![static_file]
}

struct Asset {
    file: File,
    kind: ContentType,
}

#[get("/static/<path..>")]
fn static_file(path: std::path::PathBuf) -> Option<Asset> {
    let path = path.to_str()?;
    if path.starts_with("demo/") {
        return None;
    }
    let kind = path.rsplit('.').next().and_then(ContentType::from_extension).unwrap_or(ContentType::Binary);
    STATIC.file(path).map(|file| Asset { file, kind })
}

fn takes_gzip(request: &Request<'_>) -> bool {
    let codings = request.headers().get("Accept-Encoding").flat_map(|all| all.split(','));
    codings.map(str::trim).any(|coding| coding.split(';').next() == Some("gzip") && !coding.ends_with("q=0"))
}

impl<'r> Responder<'r, 'static> for Asset {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let etag = format!("\"{:016x}\"", self.file.tag());
        let known = request.headers().get_one("If-None-Match") == Some(&etag);
        let mut response = Response::build();
        response.header(Header::new("ETag", etag)).header(Header::new("Cache-Control", "no-cache"));
        response.header(Header::new("Vary", "Accept-Encoding"));
        if known {
            return response.status(Status::NotModified).ok();
        }
        let bytes = if takes_gzip(request) && self.file.is_gzip() {
            response.header(Header::new("Content-Encoding", "gzip"));
            self.file.kept()
        } else {
            self.file.bytes().map_err(|_| Status::InternalServerError)?
        };
        response.header(self.kind).sized_body(bytes.len(), Cursor::new(bytes)).ok()
    }
}
