//! The way out to WeChat: time limits, a size cap, no redirects, no proxy from the environment.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use reqwest::{Client, Response, Url, redirect};

use super::GatewayError;

/// The whole call, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_ANSWER: usize = 1024 * 1024;

/// A client for WeChat's two hosts; tests and the demo point it at a simulator on this machine.
#[derive(Clone)]
pub struct Wechat {
    http: Client,
    pay_url: String,
    api_url: String,
}

/// A base URL that money must not be sent to.
#[derive(Debug)]
pub struct BadUrl(pub String);

impl std::fmt::Display for BadUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Wechat {
    /// Plain http is for this machine alone: anything else would show keys and money to the network.
    pub fn new(pay_url: &str, api_url: &str) -> Result<Wechat, BadUrl> {
        let (pay_local, api_local) = (is_local(pay_url)?, is_local(api_url)?);
        // Already installed when several shops run in one process; the first one serves all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(30))
            .https_only(!pay_local && !api_local)
            .no_proxy();
        if pay_local && api_local {
            // No TLS will be spoken, so a host without CA certificates can still run the demo.
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .build()
            .map_err(|e| BadUrl(format!("无法建立到微信的安全连接（系统可能没有安装 ca-certificates）: {e}")))?;
        let trim = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Wechat { http, pay_url: trim(pay_url), api_url: trim(api_url) })
    }

    /// Whether payments go to a simulator on this machine rather than to WeChat.
    pub fn is_simulated(&self) -> bool {
        is_local(&self.pay_url).unwrap_or(false)
    }

    pub fn pay_url(&self) -> &str {
        &self.pay_url
    }

    pub(super) async fn post_pay(&self, path: &str, xml: String) -> (Result<Vec<u8>, GatewayError>, i64) {
        let url = format!("{}{path}", self.pay_url);
        let request = self.http.post(url).header("content-type", "text/xml; charset=utf-8").body(xml);
        timed(request).await
    }

    pub(super) async fn get_api(&self, path: &str, query: &[(&str, &str)]) -> (Result<Vec<u8>, GatewayError>, i64) {
        match Url::parse_with_params(&format!("{}{path}", self.api_url), query) {
            Ok(url) => timed(self.http.get(url)).await,
            Err(e) => (Err(GatewayError::Unreachable(e.to_string())), 0),
        }
    }
}

/// True for http on a loopback address, false for https; anything else is refused.
fn is_local(url: &str) -> Result<bool, BadUrl> {
    let parsed = Url::parse(url).map_err(|e| BadUrl(format!("微信接口地址 {url} 不是有效的网址: {e}")))?;
    let host = parsed.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match parsed.scheme() {
        "https" => Ok(false),
        "http" if loopback => Ok(true),
        _ => Err(BadUrl(format!("微信接口地址 {url} 必须是 https（http 只允许本机的模拟微信）"))),
    }
}

async fn timed(request: reqwest::RequestBuilder) -> (Result<Vec<u8>, GatewayError>, i64) {
    let start = Instant::now();
    let answer = match request.send().await {
        Ok(response) => body(response).await,
        // The URL is left out of the words: it can carry the AppSecret.
        Err(e) => Err(GatewayError::Unreachable(cause(&e.without_url()))),
    };
    (answer, start.elapsed().as_millis() as i64)
}

async fn body(mut response: Response) -> Result<Vec<u8>, GatewayError> {
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| GatewayError::Unreachable(cause(&e.without_url())))? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(GatewayError::Unreachable("ANSWER_TOO_LARGE".into()));
        }
        bytes.extend_from_slice(&chunk);
    }
    if status.is_success() { Ok(bytes) } else { Err(GatewayError::Unreachable(format!("HTTP {status}"))) }
}

fn cause(e: &reqwest::Error) -> String {
    if e.is_timeout() {
        return "超时".into();
    }
    let mut words = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(e) = source {
        words = e.to_string();
        source = e.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_sent_over_https_or_stays_on_this_machine() {
        for (url, fine) in [
            ("https://api.mch.weixin.qq.com", true),
            ("http://127.0.0.1:9000", true),
            ("http://localhost:9000", true),
            ("http://[::1]:9000", true),
            ("http://api.mch.weixin.qq.com", false),
            ("http://192.168.1.2:9000", false),
            ("ftp://127.0.0.1", false),
            ("api.mch.weixin.qq.com", false),
        ] {
            assert_eq!(is_local(url).is_ok(), fine, "{url}");
        }
    }
}
