//! The door of the simulated API v3: who asks is checked before anything else, and every answer is signed.

use rocket::data::{Data, ToByteUnit};
use rocket::http::{Header, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{self, Responder, Response};
use serde_json::{Value, json};

use super::super::{Fault, Simulator};
use super::{APART, Opened};
use crate::clock::SECOND;
use crate::wechat::v3::sign;

/// What of a request its signature covers or its checks need.
pub struct Asked {
    method: String,
    path: String,
    authorization: Vec<String>,
    serial: Vec<String>,
    accept: String,
    agent: bool,
    json: bool,
    /// As the caller knows this simulator.
    pub here: String,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Asked {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<Asked, ()> {
        let headers = request.headers();
        let one = |name: &str| headers.get_one(name).unwrap_or_default().to_owned();
        let all = |name: &str| headers.get(name).map(str::to_owned).collect();
        Outcome::Success(Asked {
            method: request.method().as_str().to_owned(),
            path: request.uri().to_string(),
            authorization: all("Authorization"),
            serial: all(sign::SERIAL),
            accept: one("Accept"),
            agent: headers.get_one("User-Agent").is_some_and(|agent| !agent.is_empty()),
            json: one("Content-Type").starts_with("application/json"),
            here: format!("http://{}", one("Host")),
        })
    }
}

/// A refusal in API v3's form.
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub text: String,
}

pub fn refused(status: u16, code: &str, text: &str) -> Refused {
    Refused { status, code: code.to_owned(), text: text.to_owned() }
}

impl Asked {
    /// The body of a request that our merchant signed a moment ago, and how its work is to go wrong, if at all.
    pub async fn body(&self, sim: &Simulator, keys: &Opened, data: Option<Data<'_>>) -> Result<String, Refused> {
        let body = match data {
            Some(data) => {
                data.open(64.kibibytes()).into_string().await.map(|text| text.into_inner()).unwrap_or_default()
            }
            None => String::new(),
        };
        if !self.agent || !(self.accept.contains("application/json") || self.accept.contains("*/*")) {
            return Err(refused(400, "PARAM_ERROR", "Http头缺少Accept或User-Agent"));
        }
        if !body.is_empty() && !self.json {
            return Err(refused(415, "PARAM_ERROR", "Content-Type应为application/json"));
        }
        if self.serial.len() > 1 {
            return Err(refused(400, "INVALID_REQUEST", "Http头Wechatpay-Serial重复"));
        }
        if self.serial.iter().any(|serial| *serial != keys.public_id) {
            return Err(refused(400, "INVALID_REQUEST", "Wechatpay-Serial与商户的微信支付公钥ID不一致"));
        }
        self.signed(sim, keys, &body)?;
        Ok(body)
    }

    fn signed(&self, sim: &Simulator, keys: &Opened, body: &str) -> Result<(), Refused> {
        let wrong = |text: &str| refused(401, "SIGN_ERROR", text);
        let [authorization] = self.authorization.as_slice() else {
            return Err(wrong("Http头Authorization应有且只有一个"));
        };
        let rest =
            authorization.strip_prefix(sign::SCHEME).ok_or_else(|| wrong("Http头Authorization认证类型不正确"))?;
        let field = |name: &str| {
            rest.split(',').find_map(|part| {
                let (key, value) = part.trim().split_once('=')?;
                (key == name).then(|| value.trim_matches('"'))
            })
        };
        let missing = || wrong("Http头Authorization缺少参数");
        if field("mchid") != Some(&sim.merchant.mch_id) {
            return Err(wrong("商户号与证书不匹配"));
        }
        if field("serial_no").is_none_or(|serial| !serial.eq_ignore_ascii_case(&keys.serial)) {
            return Err(wrong("商户证书序列号有误"));
        }
        let (timestamp, nonce) = (field("timestamp").ok_or_else(missing)?, field("nonce_str").ok_or_else(missing)?);
        let at = timestamp.parse::<i64>().ok().and_then(|s| s.checked_mul(SECOND)).ok_or_else(missing)?;
        if (sim.clock.now() - at).abs() > APART {
            return Err(wrong("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"));
        }
        let parts =
            [self.method.as_bytes(), self.path.as_bytes(), timestamp.as_bytes(), nonce.as_bytes(), body.as_bytes()];
        let signature = field("signature").ok_or_else(missing)?;
        match sign::fits(&keys.merchant, &parts, signature) {
            true => Ok(()),
            false => Err(wrong("错误的签名，验签失败")),
        }
    }
}

/// An answer with its signature, spoilt as a fault asks for.
pub struct Answer {
    status: Status,
    kind: &'static str,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response.status(self.status);
        for (name, value) in self.headers {
            response.header_adjoin(Header::new(name, value));
        }
        if !self.body.is_empty() {
            response.header(Header::new("Content-Type", self.kind));
            response.sized_body(self.body.len(), std::io::Cursor::new(self.body));
        }
        response.ok()
    }
}

/// Signs what was done or refused.
pub fn answer(sim: &Simulator, keys: &Opened, done: Result<Option<Value>, Refused>, fault: Option<&Fault>) -> Answer {
    let (status, body) = match done {
        Ok(None) => (204, Vec::new()),
        Ok(Some(value)) => (200, value.to_string().into_bytes()),
        Err(no) => (no.status, json!({ "code": no.code, "message": no.text }).to_string().into_bytes()),
    };
    let headers = signature_headers(sim, keys, &body, fault);
    Answer { status: Status::new(status), kind: "application/json; charset=utf-8", body, headers }
}

/// The bytes of a file: they carry no signature.
pub fn file(bytes: Vec<u8>) -> Answer {
    Answer { status: Status::Ok, kind: "application/octet-stream", body: bytes, headers: Vec::new() }
}

/// Source: verifying signatures, API v3. A probe is valid Base64 of the right length, and no signature.
pub fn signature_headers(
    sim: &Simulator,
    keys: &Opened,
    body: &[u8],
    fault: Option<&Fault>,
) -> Vec<(&'static str, String)> {
    if matches!(fault, Some(Fault::Unsigned)) {
        return Vec::new();
    }
    let off = if matches!(fault, Some(Fault::ClockOff)) { APART + SECOND } else { 0 };
    let (timestamp, nonce) = (((sim.clock.now() - off) / SECOND).to_string(), sim.nonces.nonce_str());
    let mut signature = sign::signed(&keys.platform, &[timestamp.as_bytes(), nonce.as_bytes(), body]);
    match fault {
        Some(Fault::SignTest) => signature = format!("WECHATPAY/SIGNTEST/{}", &signature[19..]),
        Some(Fault::BadSign) => signature = sign::signed(&keys.platform, &[b"something else"]),
        _ => {}
    }
    let serial = match fault {
        Some(Fault::OtherSerial) => "PUB_KEY_ID_0000000000000000000000000000001".to_owned(),
        Some(Fault::CertificateSerial) => "5157F09EFDC096DE15EBE81A47057A7232F1B8E1".to_owned(),
        _ => keys.public_id.clone(),
    };
    let mut headers = vec![
        (sign::TIMESTAMP, timestamp),
        (sign::NONCE, nonce),
        (sign::SERIAL, serial),
        (sign::SIGNATURE, signature.clone()),
        (sign::SIGNATURE_TYPE, sign::SCHEME.to_owned()),
    ];
    if matches!(fault, Some(Fault::DoubledHeader)) {
        headers.push((sign::SIGNATURE, signature));
    }
    headers
}
