//! Simulated mini-program codes: of pages that are published, in the form that WeChat insists on. A refusal is JSON with
//! status 200. Source: getUnlimitedQRCode.

use std::sync::LazyLock;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, GrayImage, Luma, imageops};
use qrcode::{Color, QrCode};
use rocket::http::{ContentType, Status};
use rocket::response::Responder;
use rocket::serde::json::Json;
use rocket::{Route, State, post, routes};
use serde_json::{Value, json};

use super::Simulator;
use super::register::{Refused, opened, serve};

pub fn routes() -> Vec<Route> {
    routes![get_unlimited]
}

/// What a scene may consist of besides letters and digits.
const MARKS: &str = "!#$&'()*+,/:;=?@-._~";

#[derive(Responder)]
enum Code {
    Picture((ContentType, Vec<u8>)),
    Said(Json<Value>),
}

#[post("/wxa/getwxacodeunlimit?<access_token>", data = "<body>")]
async fn get_unlimited(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Result<Code, Status> {
    let work = || {
        opened(sim, access_token)?;
        let published = if sim.lock().unpublished { &[][..] } else { &PAGES[..] };
        let asked = check(&body, published)?;
        Ok(json!({ "errcode": 0, "scanned": asked.0, "width": asked.1 }))
    };
    let answer = serve(sim, "wxacode", work).await?;
    let Some(scanned) = answer["scanned"].as_str() else { return Ok(Code::Said(answer)) };
    let width = answer["width"].as_u64().and_then(|width| u32::try_from(width).ok()).unwrap_or(430);
    draw(scanned, width).map(|picture| Code::Picture((ContentType::JPEG, picture))).ok_or(Status::InternalServerError)
}

/// What a phone would open, and how wide the picture is to be.
fn check(body: &Value, published: &[String]) -> Result<(String, u64), Refused> {
    const INVALID: Refused = (40097, "invalid args");
    let text = |name: &str| match &body[name] {
        Value::Null => Ok(""),
        Value::String(text) => Ok(text.as_str()),
        _ => Err((47001, "data format error")),
    };
    let scene = text("scene")?;
    if !(1..=32).contains(&scene.chars().count()) {
        return Err((40169, "invalid length for scene, or the data is not json string"));
    }
    if !scene.chars().all(|c| c.is_ascii_alphanumeric() || MARKS.contains(c)) {
        return Err((40129, "invalid scene"));
    }
    let page = text("page")?;
    if page.starts_with('/') || page.contains('?') {
        return Err((41030, "invalid page"));
    }
    let looked_for = body["check_path"].as_bool().unwrap_or(true) && body["check_path"] != "false";
    if looked_for && (published.is_empty() || !(page.is_empty() || published.iter().any(|known| known == page))) {
        return Err((41030, "invalid page"));
    }
    if !["", "release", "trial", "develop"].contains(&text("env_version")?) {
        return Err(INVALID);
    }
    let width = if body["width"].is_null() { 430 } else { body["width"].as_u64().ok_or(INVALID)? };
    if !(280..=1280).contains(&width) {
        return Err(INVALID);
    }
    Ok((format!("{page}?scene={scene}"), width))
}

/// Squares instead of WeChat's rays; what it says can be read back.
fn draw(words: &str, width: u32) -> Option<Vec<u8>> {
    let code = QrCode::new(words).ok()?;
    let side = u32::try_from(code.width()).ok()?;
    let small = GrayImage::from_fn(side + 4, side + 4, |x, y| {
        let inside = (2..side + 2).contains(&x) && (2..side + 2).contains(&y);
        let dark = inside && code[((x - 2) as usize, (y - 2) as usize)] == Color::Dark;
        Luma([if dark { 0 } else { 255 }])
    });
    let drawn = imageops::resize(&small, width, width, imageops::FilterType::Nearest);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85).encode(&drawn, width, width, ExtendedColorType::L8).ok()?;
    Some(bytes)
}

/// The pages of the program that this shop comes with: as if it had been published.
static PAGES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let app: Value = serde_json::from_str(include_str!("../../miniprogram/src/app.json")).unwrap_or_default();
    let pages = app["pages"].as_array().into_iter().flatten();
    pages.filter_map(|page| page.as_str().map(str::to_owned)).collect()
});

impl Simulator {
    /// Whether the mini-program is published from now on; at first it is.
    pub fn publish(&self, is: bool) {
        self.lock().unpublished = !is;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A right question, one thing wrong in each row.
    #[test]
    fn a_question_is_answered_as_wechat_would() {
        let published = ["pages/product/product".to_owned()];
        let asked = |change: fn(&mut Value)| {
            let mut body = json!({ "scene": "id=12", "page": "pages/product/product", "width": 430 });
            change(&mut body);
            check(&body, &published).map(|(scanned, _)| scanned).map_err(|(code, _)| code)
        };
        let opened = || Ok("pages/product/product?scene=id=12".to_owned());
        type Row = (fn(&mut Value), Result<String, i64>);
        let rows: [Row; 17] = [
            (|_| {}, opened()),
            (|body| body["check_path"] = true.into(), opened()),
            (|body| body["env_version"] = "trial".into(), opened()),
            (|body| body["page"] = Value::Null, Ok("?scene=id=12".into())),
            (|body| body["scene"] = "".into(), Err(40169)),
            (|body| body["scene"] = Value::Null, Err(40169)),
            (|body| body["scene"] = "x".repeat(33).into(), Err(40169)),
            (|body| body["scene"] = "id=12%20".into(), Err(40129)),
            (|body| body["scene"] = "商品".into(), Err(40129)),
            (|body| body["scene"] = "id 12".into(), Err(40129)),
            (|body| body["scene"] = 12.into(), Err(47001)),
            (|body| body["page"] = "/pages/product/product".into(), Err(41030)),
            (|body| body["page"] = "pages/product/product?id=1".into(), Err(41030)),
            (|body| body["page"] = "pages/nowhere/nowhere".into(), Err(41030)),
            (|body| body["env_version"] = "beta".into(), Err(40097)),
            (|body| body["width"] = 279.into(), Err(40097)),
            (|body| body["width"] = 1281.into(), Err(40097)),
        ];
        for (n, (change, answer)) in rows.into_iter().enumerate() {
            assert_eq!(asked(change), answer, "row {n}");
        }
        let unchecked = json!({ "scene": "id=12", "page": "pages/nowhere/nowhere", "check_path": false });
        assert!(check(&unchecked, &published).is_ok());
        assert!(draw("pages/product/product?scene=id=12", 430).unwrap().starts_with(b"\xff\xd8\xff"));
    }
}
