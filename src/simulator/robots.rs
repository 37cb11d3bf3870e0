//! Simulated robots of 企业微信, 飞书 and 钉钉: each takes text in its own form, and checks what it would.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{Route, State, post, routes};
use serde_json::{Value, json};
use sha2::Sha256;

use super::api::begin;
use super::{Fault, Simulator};
use crate::clock::{HOUR, SECOND};

/// Whose token is `signed` wants a signature made with this.
pub const SECRET: &str = "SECsimulatedrobot";

pub fn routes() -> Vec<Route> {
    routes![wecom, feishu, dingtalk]
}

type Answer = Result<Json<Value>, Status>;

/// A second program's own, on purpose: what the shop signs is not checked by what signed it.
fn signature(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key will do");
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// Takes what was said, unless something is to go wrong.
async fn hear(
    sim: &Simulator,
    robot: &'static str,
    token: &str,
    text: &Value,
) -> Result<Option<(i64, String)>, Status> {
    match begin(sim, robot).await {
        Some(Fault::Http500 | Fault::LoseAnswer) => return Err(Status::InternalServerError),
        Some(Fault::ErrCode(code, text)) => return Ok(Some((code.parse().unwrap_or(-1), text.to_string()))),
        Some(Fault::Slow(ms)) => tokio::time::sleep(std::time::Duration::from_millis(ms)).await,
        _ => {}
    }
    if token == "gone" {
        return Ok(Some((93000, "invalid webhook url".to_owned())));
    }
    match text.as_str().filter(|text| !text.is_empty() && text.len() <= 2048) {
        Some(text) => sim.lock().said.push((robot.to_owned(), text.to_owned())),
        None => return Ok(Some((40058, "content exceed max length or empty".to_owned()))),
    }
    Ok(None)
}

fn answer(refused: Option<(i64, String)>) -> Answer {
    let (code, text) = refused.unwrap_or((0, "ok".to_owned()));
    Ok(Json(json!({ "errcode": code, "errmsg": text })))
}

#[post("/cgi-bin/webhook/send?<key>", data = "<body>")]
async fn wecom(sim: &State<Simulator>, key: &str, body: Json<Value>) -> Answer {
    answer(hear(sim, "wecom", key, &body["text"]["content"]).await?)
}

#[post("/robot/send?<access_token>&<timestamp>&<sign>", data = "<body>")]
async fn dingtalk(
    sim: &State<Simulator>,
    access_token: &str,
    timestamp: Option<i64>,
    sign: Option<&str>,
    body: Json<Value>,
) -> Answer {
    let stamp = timestamp.unwrap_or_default();
    let fresh = (sim.clock.now() - stamp).abs() < HOUR;
    if access_token == "signed" && (!fresh || sign != Some(&signature(SECRET, &format!("{stamp}\n{SECRET}")))) {
        return answer(Some((310_000, "sign not match".to_owned())));
    }
    answer(hear(sim, "dingtalk", access_token, &body["text"]["content"]).await?)
}

#[post("/open-apis/bot/v2/hook/<token>", data = "<body>")]
async fn feishu(sim: &State<Simulator>, token: &str, body: Json<Value>) -> Answer {
    let stamp = body["timestamp"].as_str().unwrap_or_default();
    let fresh = stamp.parse::<i64>().is_ok_and(|at| (sim.clock.now() - at * SECOND).abs() < HOUR);
    let right = fresh && body["sign"] == signature(&format!("{stamp}\n{SECRET}"), "");
    let refused = match token == "signed" && !right {
        true => Some((19021, "sign match fail or timestamp is not within one hour from current time".to_owned())),
        false => hear(sim, "feishu", token, &body["content"]["text"]).await?,
    };
    let (code, text) = refused.unwrap_or((0, "success".to_owned()));
    Ok(Json(json!({ "code": code, "msg": text, "data": {} })))
}

impl Simulator {
    /// What robots were told, each by its name.
    pub fn said(&self) -> Vec<(String, String)> {
        self.lock().said.clone()
    }
}
