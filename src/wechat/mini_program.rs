//! The mini-program's server side: who a `wx.login` code belongs to, and the interfaces that want a token.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Exchange, GatewayError, Signature, Wechat};

/// The mini-program's credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct MiniProgram {
    pub app_id: String,
    pub app_secret: String,
}

/// What opens the mini-program's interfaces for two hours. It is a secret, and kept in memory alone.
pub(super) struct Token {
    app: MiniProgram,
    value: String,
    until: Instant,
}

/// A new one is fetched so long before the old one ends. Source: stable_token.
const RENEWED_BEFORE: Duration = Duration::from_secs(5 * 60);
/// The token is not good any more, whatever we thought: 不合法、过期.
const STALE: [&str; 3] = ["40001", "40014", "42001"];

impl Wechat {
    /// The openid behind a code, which is good once: never asked twice. Source: jscode2session.
    /// Refused carries WeChat's errcode. The session key is neither used nor kept.
    pub async fn code_to_openid(&self, app: &MiniProgram, code: &str) -> Exchange<String> {
        let query = [
            ("appid", app.app_id.as_str()),
            ("secret", &app.app_secret),
            ("js_code", code),
            ("grant_type", "authorization_code"),
        ];
        let (answer, took_ms) = self.get_api("/sns/jscode2session", &query).await;
        let request = format!("GET /sns/jscode2session?appid={}&grant_type=authorization_code", app.app_id);
        let result = answer.and_then(|bytes| read_openid(&bytes));
        let response = match &result {
            Ok(openid) => format!("{{\"openid\":\"{openid}\"}}").into_bytes(),
            Err(e) => e.to_string().into_bytes(),
        };
        Exchange { kind: "login", request, response, took_ms, signature: Signature::None, result }
    }

    /// Posts to an interface that wants a token; with nothing (`null`) to post, it is read. A token that turns out to be
    /// stale is replaced once.
    pub(super) async fn ask_api(&self, app: &MiniProgram, call: (&'static str, &str), body: &Value) -> Exchange<Value> {
        self.ask_api_for(app, call, body, read).await
    }

    /// The same for an answer that is read in another way.
    pub(super) async fn ask_api_for<T>(
        &self,
        app: &MiniProgram,
        (kind, path): (&'static str, &str),
        body: &Value,
        read: fn(&[u8]) -> Result<T, GatewayError>,
    ) -> Exchange<T> {
        let request = if body.is_null() { format!("GET {path}") } else { format!("POST {path}\n{body:#}") };
        let mut said = (Vec::new(), 0);
        let mut last = false;
        let result = loop {
            let token = match self.token(app).await {
                Ok(token) => token,
                Err(e) => break Err(e),
            };
            let query = [("access_token", token.as_str())];
            let (answer, took_ms) = match body {
                Value::Null => self.get_api(path, &query).await,
                body => self.post_api(path, &query, body).await,
            };
            said = (answer.clone().unwrap_or_default(), said.1 + took_ms);
            let result = answer.and_then(|bytes| read(&bytes));
            let stale = result.as_ref().is_err_and(|e| e.code().is_some_and(|code| STALE.contains(&code)));
            if last || !stale {
                break result;
            }
            last = true;
            self.token.lock().await.take_if(|kept| kept.value == token);
        };
        let (response, took_ms) = said;
        Exchange { kind, request, response, took_ms, signature: Signature::None, result }
    }

    /// The token that is in force; whoever needs a new one waits for the first who fetches it.
    async fn token(&self, app: &MiniProgram) -> Result<String, GatewayError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.app == *app && Instant::now() < token.until) {
            return Ok(token.value.clone());
        }
        let body = json!({ "grant_type": "client_credential", "appid": app.app_id, "secret": app.app_secret });
        let asked = Instant::now();
        let answer = read(&self.post_api("/cgi-bin/stable_token", &[], &body).await.0?)?;
        let value = answer["access_token"].as_str().filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| GatewayError::Unreachable("回答里没有 access_token".into()))?.to_owned();
        let life = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or_default());
        let until = asked + life.saturating_sub(RENEWED_BEFORE);
        *kept = Some(Token { app: app.clone(), value: value.clone(), until });
        Ok(value)
    }
}

/// An answer of these interfaces; an errcode is a refusal.
pub(super) fn read(bytes: &[u8]) -> Result<Value, GatewayError> {
    let answer: Value = serde_json::from_slice(bytes).map_err(|_| GatewayError::Unreachable("回答不是 JSON".into()))?;
    let text = || answer["errmsg"].as_str().unwrap_or_default().to_owned();
    match answer["errcode"].as_i64().unwrap_or(0) {
        0 => Ok(answer),
        -1 => Err(GatewayError::Unreachable(format!("微信繁忙: {}", text()))),
        code => Err(GatewayError::Refused { code: code.to_string().into(), text: text() }),
    }
}

fn read_openid(bytes: &[u8]) -> Result<String, GatewayError> {
    let answer = read(bytes)?;
    let openid = answer["openid"].as_str().unwrap_or_default();
    match (1..=128).contains(&openid.len()) && openid.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(openid.to_owned()),
        false => Err(GatewayError::Unreachable("回答里没有 openid".into())),
    }
}
