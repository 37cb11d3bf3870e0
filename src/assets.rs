//! Templates and static files: from disk while developing, inside the binary when released.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use rocket::figment::Figment;
use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder, Response};
use rocket::{Request, Route, get, routes};
use rocket_dyn_templates::Template;
use rocket_dyn_templates::minijinja::{self, Environment, ErrorKind, UndefinedBehavior};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Serialize;

#[derive(RustEmbed)]
#[folder = "templates/"]
#[include = "*.html"]
struct Templates;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// The one template that the engine knows from the start: it takes the place of whatever it is told.
const PAGE: &str = "page.html";

/// Every template, by the path of its file. Each is compiled when it is first asked for: compiled, they take ten times as
/// much memory, and nobody looks at all of them.
pub fn templates() -> impl rocket::fairing::Fairing {
    Template::try_custom(|engines| Ok(prepare(&mut engines.minijinja)?))
}

fn prepare(env: &mut Environment<'static>) -> Result<(), minijinja::Error> {
    // Without this line embedded templates are not escaped at all: the engine's own callback knows only disk files.
    env.set_auto_escape_callback(minijinja::default_auto_escape_callback);
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_formatter(
        |out, state, value| {
            if value.is_none() { Ok(()) } else { minijinja::escape_formatter(out, state, value) }
        },
    );
    env.set_loader(|name| {
        let text = Templates::get(name).map(|file| String::from_utf8(file.data.into_owned()));
        text.transpose().map_err(|e| minijinja::Error::new(ErrorKind::SyntaxError, e.to_string()))
    });
    env.add_function("icon", icon);
    env.add_template(PAGE, "{% extends template %}")
}

/// A line icon of the sprite, by its name there; it is decoration, the words beside it say what it means.
fn icon(name: &str, class: Option<&str>) -> minijinja::Value {
    let class = class.unwrap_or_default();
    let gap = if class.is_empty() { "" } else { " " };
    minijinja::Value::from_safe_string(format!(
        "<svg class=\"i{gap}{class}\" aria-hidden=\"true\"><use href=\"/static/icons.svg#{name}\"/></svg>"
    ))
}

/// A page made of a template, by the path of its file, and what it is to show.
pub fn page(template: &str, context: impl Serialize) -> Template {
    #[derive(Serialize)]
    struct Page<'a, C> {
        template: &'a str,
        #[serde(flatten)]
        context: C,
    }
    Template::render(PAGE, Page { template, context })
}

/// The engine insists on a path that exists. A file is one without templates in it; a folder is watched for changes.
pub fn with_template_dir(figment: Figment) -> Figment {
    let debug = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    if cfg!(debug_assertions) && std::path::Path::new(debug).is_dir() {
        return figment.merge(("template_dir", debug));
    }
    match std::env::current_exe() {
        Ok(exe) => figment.merge(("template_dir", exe)),
        Err(_) => figment,
    }
}

/// A file of the binary by its path, for what is delivered with the shop.
pub fn file(path: &str) -> Option<Vec<u8>> {
    Static::get(path).map(|file| file.data.into_owned())
}

pub fn routes() -> Vec<Route> {
    routes![static_file]
}

struct Asset {
    file: EmbeddedFile,
    path: String,
}

/// Text from this size on is worth compressing, once for all who ask.
const WORTH_PACKING: usize = 4096;

/// Files that were asked for compressed, by their hash: a handful, each kept until the program ends.
static PACKED: Mutex<BTreeMap<[u8; 32], Arc<[u8]>>> = Mutex::new(BTreeMap::new());

fn packed(file: &EmbeddedFile) -> io::Result<Arc<[u8]>> {
    let key = file.metadata.sha256_hash();
    let mut packed = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = packed.get(&key) {
        return Ok(known.clone());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&file.data)?;
    let made: Arc<[u8]> = encoder.finish()?.into();
    packed.insert(key, made.clone());
    Ok(made)
}

fn takes_gzip(request: &Request<'_>) -> bool {
    let codings = request.headers().get("Accept-Encoding").flat_map(|all| all.split(','));
    codings.map(str::trim).any(|coding| coding.split(';').next() == Some("gzip") && !coding.ends_with("q=0"))
}

#[get("/static/<path..>")]
fn static_file(path: std::path::PathBuf) -> Option<Asset> {
    let path = path.to_str()?.to_owned();
    if path.starts_with("demo/") {
        return None;
    }
    Static::get(&path).map(|file| Asset { file, path })
}

impl<'r> Responder<'r, 'static> for Asset {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let etag = format!("\"{}\"", hex::encode(&self.file.metadata.sha256_hash()[..12]));
        let known = request.headers().get_one("If-None-Match") == Some(&etag);
        let mut response = Response::build();
        response.header(Header::new("ETag", etag)).header(Header::new("Cache-Control", "no-cache"));
        if known {
            return response.status(Status::NotModified).ok();
        }
        let kind = self.path.rsplit('.').next().and_then(ContentType::from_extension).unwrap_or(ContentType::Binary);
        let text = kind.is_javascript() || kind.is_css() || kind.is_svg();
        if text && self.file.data.len() >= WORTH_PACKING {
            response.header(Header::new("Vary", "Accept-Encoding"));
            if takes_gzip(request) {
                let data = packed(&self.file).map_err(|_| Status::InternalServerError)?;
                response.header(Header::new("Content-Encoding", "gzip"));
                return response.header(kind).sized_body(data.len(), Cursor::new(data)).ok();
            }
        }
        let data = self.file.data.into_owned();
        response.header(kind).sized_body(data.len(), Cursor::new(data)).ok()
    }
}

/// What a template makes of a page when nothing that it asks for may be missing, not even in a condition.
#[cfg(test)]
pub fn strictly(template: &str, page: impl Serialize) -> Result<String, minijinja::Error> {
    let mut env = Environment::new();
    prepare(&mut env)?;
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.get_template(template)?.render(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles() {
        let mut env = Environment::new();
        prepare(&mut env).unwrap();
        assert!(Templates::iter().count() > 50);
        for name in Templates::iter() {
            env.get_template(&name).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }

    #[test]
    fn every_icon_that_a_page_asks_for_is_in_the_sprite() {
        let sprite = String::from_utf8(file("icons.svg").unwrap()).unwrap();
        let mut asked = 0;
        for name in Templates::iter() {
            let text = String::from_utf8(Templates::get(&name).unwrap().data.into_owned()).unwrap();
            for icon in text.split("icon(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(sprite.contains(&format!("id=\"{icon}\"")), "{name}: {icon}");
                asked += 1;
            }
        }
        assert!(asked > 10);
    }
}
