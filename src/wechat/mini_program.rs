//! The mini-program's server side: who a `wx.login` code belongs to.

use serde::Deserialize;

use super::{Exchange, GatewayError, Wechat};

/// The mini-program's credentials.
#[derive(Clone)]
pub struct MiniProgram {
    pub app_id: String,
    pub app_secret: String,
}

#[derive(Deserialize)]
struct Answer {
    openid: Option<String>,
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

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
        Exchange { kind: "login", request, response, took_ms, result }
    }
}

fn read_openid(bytes: &[u8]) -> Result<String, GatewayError> {
    let answer: Answer =
        serde_json::from_slice(bytes).map_err(|_| GatewayError::Unreachable("回答不是 JSON".into()))?;
    if answer.errcode == -1 {
        return Err(GatewayError::Unreachable(format!("微信繁忙: {}", answer.errmsg)));
    }
    if answer.errcode != 0 {
        return Err(GatewayError::Refused { code: answer.errcode.to_string(), text: answer.errmsg });
    }
    answer
        .openid
        .filter(|openid| (1..=128).contains(&openid.len()) && openid.bytes().all(|b| b.is_ascii_graphic()))
        .ok_or_else(|| GatewayError::Unreachable("回答里没有 openid".into()))
}
