//! Static files and pages for whoever asks, as gzip where the visitor takes it.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rocket::fairing::{Fairing, Info, Kind};
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
        let tag = format!("{:016x}", self.file.tag());
        // An address that names the content never has another.
        let named = request.query_value::<&str>("v").and_then(Result::ok) == Some(&tag);
        let keep = if named { "public, max-age=31536000, immutable" } else { "no-cache" };
        let etag = format!("\"{tag}\"");
        let known = request.headers().get_one("If-None-Match") == Some(&etag);
        let mut response = Response::build();
        response.header(Header::new("ETag", etag)).header(Header::new("Cache-Control", keep));
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

/// Packs pages on their way, as quickly as can be: a list of orders is a sixth of its size then, for a quarter of a
/// millisecond. What a page is shorter by tells something to whoever can have it repeat his words and watches its length; but
/// the session's cookie comes along from another site only when that page is opened for all to see, and no page that shows a
/// secret repeats its address.
pub struct Pages;

/// What is shorter fits into one packet anyway.
const WORTH_PACKING: usize = 1_400;

#[rocket::async_trait]
impl Fairing for Pages {
    fn info(&self) -> Info {
        Info { name: "pages", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        if response.content_type().is_none_or(|kind| !kind.is_html()) {
            return;
        }
        response.set_header(Header::new("Vary", "Accept-Encoding"));
        if !takes_gzip(request) || response.body().preset_size().is_none_or(|size| size < WORTH_PACKING) {
            return;
        }
        let Ok(page) = response.body_mut().to_bytes().await else { return };
        match packed(&page) {
            Ok(bytes) => {
                response.set_header(Header::new("Content-Encoding", "gzip"));
                response.set_sized_body(bytes.len(), Cursor::new(bytes));
            }
            Err(_) => response.set_sized_body(page.len(), Cursor::new(page)),
        }
    }
}

fn packed(page: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::with_capacity(page.len() / 4), Compression::fast());
    gzip.write_all(page)?;
    gzip.finish()
}
