//! The way out to WeChat: time limits, a size cap, no redirects, no proxy from the environment.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, ClientBuilder, Identity, RequestBuilder, Response, StatusCode, Url, redirect};
use rustls::AlertDescription;
use serde_json::Value;

use super::breaker::Breaker;
use super::certificate::ClientIdentity;
use super::exchange::{http_words, unusable};
use super::flaw::Flaw;
use super::hosts::Hosts;
use super::mini_program::Token;
use super::standing::Standing;
use super::v3::sign::BadSeal;
use super::{Api, GatewayError};
use crate::clock;
use crate::typed::told;

/// The whole call, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_ANSWER: usize = 1024 * 1024;
/// API v3 wants to be told who asks.
const USER_AGENT: &str = concat!("xiaopu/", env!("CARGO_PKG_VERSION"));
/// A bill is a day's trade in one answer: allowed more time and space.
const BILL_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_BILL: usize = 64 * 1024 * 1024;

/// A client for WeChat's two hosts; tests and the demo point it at a simulator on this machine.
pub struct Wechat {
    http: Client,
    pay: Hosts,
    api_url: String,
    /// Trusted instead of the system's certificate authorities, if any.
    roots: Vec<Certificate>,
    /// By how many milliseconds our clock is ahead of WeChat's, by its latest answer.
    clock_ahead: Mutex<Option<i64>>,
    /// What WeChat Pay last said of our keys.
    pub(super) standing: Standing,
    /// The client that shows our certificate, made when it is first needed and kept while the certificate stays.
    certified: Mutex<Option<(Vec<u8>, Client)>>,
    breaker: Breaker,
    /// For the mini-program's interfaces; see `mini_program`.
    pub(super) token: tokio::sync::Mutex<Option<Token>>,
}

/// An answer as it came: its status, its headers, its bytes.
pub(super) struct Raw {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Raw {
    /// Its bytes, if it is a success.
    fn success(self) -> Result<Vec<u8>, GatewayError> {
        let Raw { status, body, .. } = self;
        if status.is_success() { Ok(body) } else { Err(GatewayError::Unreachable(http_words(status.as_u16()))) }
    }
}

/// A signed request of API v3.
pub(super) struct AskedV3<'a> {
    pub method: &'static str,
    /// With the query, exactly as it was signed.
    pub path: &'a str,
    pub body: &'a str,
    /// The key that the reply shall be signed with.
    pub public_id: &'a str,
    pub authorization: String,
}

impl AskedV3<'_> {
    fn request(&self, http: &Client, host: &str) -> RequestBuilder {
        let url = format!("{host}{}", self.path);
        let request = if self.method == "GET" { http.get(url) } else { http.post(url) };
        let request = match self.body {
            "" => request,
            body => request.header("content-type", "application/json").body(body.to_owned()),
        };
        request
            .header("accept", "application/json")
            .header("user-agent", USER_AGENT)
            .header("wechatpay-serial", self.public_id)
            .header("authorization", &self.authorization)
    }
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
    /// `second` is where requests about payments go when the first host does not take them, if there is such a place.
    /// `roots` is a PEM bundle to trust instead of the system's; empty for the system's.
    pub fn new(pay_url: &str, second: Option<&str>, api_url: &str, roots: &str) -> Result<Wechat, BadUrl> {
        let (pay_local, api_local) = (is_local(pay_url)?, is_local(api_url)?);
        if let Some(second) = second
            && is_local(second)? != pay_local
        {
            return Err(BadUrl(format!(
                "微信支付的两个地址 {} 和 {} 要么都在本机，要么都不在",
                told(pay_url),
                told(second)
            )));
        }
        // Already installed when several shops run in one process; the first one serves all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots = authorities(roots)?;
        let mut builder = builder(&roots).https_only(!pay_local && !api_local);
        if pay_local && api_local {
            // No TLS will be spoken, so a host without CA certificates can still run the demo.
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .build()
            .map_err(|e| BadUrl(format!("无法建立到微信的安全连接（系统可能没有安装 ca-certificates）: {e}")))?;
        let trim = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Wechat {
            http,
            pay: Hosts::new(trim(pay_url), second.map(trim)),
            api_url: trim(api_url),
            roots,
            clock_ahead: Mutex::default(),
            standing: Standing::default(),
            certified: Mutex::default(),
            breaker: Breaker::default(),
            token: tokio::sync::Mutex::default(),
        })
    }

    /// The client for everything but refunds.
    pub(super) fn plain(&self) -> &Client {
        &self.http
    }

    /// The client that shows our certificate. `Err` says in words why there is none.
    pub(super) fn certified(&self, identity: Option<&ClientIdentity>) -> Result<Client, String> {
        if self.is_simulated() {
            // Without TLS nobody can ask for a certificate.
            return Ok(self.http.clone());
        }
        let identity = identity.ok_or("还没有上传退款证书，请在设置页上传 apiclient_cert.pem 和 apiclient_key.pem")?;
        let mut kept = self.certified.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some((fingerprint, client)) if *fingerprint == identity.fingerprint() => Ok(client.clone()),
            _ => {
                let client = Identity::from_pem(identity.pem().as_bytes())
                    .and_then(|pair| builder(&self.roots).https_only(true).identity(pair).build())
                    .map_err(|e| format!("退款证书不能使用，请在设置页重新上传: {e}"))?;
                *kept = Some((identity.fingerprint(), client.clone()));
                Ok(client)
            }
        }
    }

    /// Whether payments go to a simulator on this machine rather than to WeChat.
    pub fn is_simulated(&self) -> bool {
        is_local(self.pay.first()).unwrap_or(false)
    }

    pub fn pay_url(&self) -> &str {
        self.pay.first()
    }

    /// WeChat Pay's own hosts.
    pub(super) fn pay_hosts(&self) -> &Hosts {
        &self.pay
    }

    pub(super) async fn post_pay(
        &self,
        client: &Client,
        path: &str,
        xml: String,
    ) -> (Result<Vec<u8>, GatewayError>, i64) {
        self.timed(self.post_xml(client, path, &xml, TIMEOUT), MAX_ANSWER).await
    }

    /// Whether an interface, by WeChat's name for it, may be asked by whoever can do without the answer: one that keeps
    /// timing out is left alone for a while.
    pub fn may_ask(&self, interface: &str) -> bool {
        self.breaker.may_ask(interface, Instant::now())
    }

    /// The interfaces that are left alone now.
    pub fn paused(&self) -> Vec<&'static str> {
        self.breaker.paused()
    }

    pub(super) fn heard(&self, interface: &'static str, answered: bool, took_ms: i64) {
        let timed_out = !answered && took_ms >= CONNECT_TIMEOUT.as_millis() as i64;
        self.breaker.heard(interface, timed_out, Instant::now());
    }

    /// For the one answer that is as long as a day's trade.
    pub(super) async fn post_for_bill(&self, path: &str, xml: String) -> (Result<Vec<u8>, GatewayError>, i64) {
        self.timed(self.post_xml(&self.http, path, &xml, BILL_TIMEOUT), MAX_BILL).await
    }

    /// A file whose hash stands in a header beside it.
    pub(super) async fn post_for_funds(
        &self,
        client: &Client,
        path: &str,
        xml: String,
    ) -> (Result<(Vec<u8>, Option<String>), GatewayError>, i64) {
        let (answer, took_ms) = self.raw(self.post_xml(client, path, &xml, BILL_TIMEOUT), MAX_BILL).await;
        let read = |raw: Raw| {
            let digest = raw.headers.get("digest").and_then(|value| value.to_str().ok()).map(str::to_owned);
            Ok((raw.success()?, digest))
        };
        (answer.and_then(read), took_ms)
    }

    async fn post_xml(
        &self,
        client: &Client,
        path: &str,
        xml: &str,
        allowed: Duration,
    ) -> Result<Response, reqwest::Error> {
        let request = |host: &str| {
            let request = client.post(format!("{host}{path}"));
            request.header("content-type", "text/xml; charset=utf-8").body(xml.to_owned())
        };
        self.pay.send(allowed, request).await
    }

    /// An answer of any status, of at most so many bytes, and the milliseconds it took.
    async fn raw(
        &self,
        sent: impl Future<Output = Result<Response, reqwest::Error>>,
        most: usize,
    ) -> (Result<Raw, GatewayError>, i64) {
        let start = Instant::now();
        let answer = match sent.await {
            Ok(response) => {
                self.note_time(&response);
                whole(response, most).await
            }
            Err(e) => Err(broken(e)),
        };
        (answer, start.elapsed().as_millis() as i64)
    }

    /// The body of an answer that is a success.
    async fn timed(
        &self,
        sent: impl Future<Output = Result<Response, reqwest::Error>>,
        most: usize,
    ) -> (Result<Vec<u8>, GatewayError>, i64) {
        let (answer, took_ms) = self.raw(sent, most).await;
        (answer.and_then(Raw::success), took_ms)
    }

    fn note_time(&self, response: &Response) {
        if let Some(ahead) = clock_ahead(response) {
            *self.clock_ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
    }

    /// By how many milliseconds this machine's clock is ahead of WeChat's; `None` until WeChat has said what time it is.
    pub fn clock_ahead_ms(&self) -> Option<i64> {
        *self.clock_ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the latest reply of API v3 was not believed; `None` when it was, or before there was any.
    pub fn unbelieved(&self) -> Option<BadSeal> {
        self.standing.unbelieved()
    }

    /// Why WeChat takes on no payments in this version, in words for the owner, who alone can mend it.
    pub fn refused(&self, api: Api) -> Option<String> {
        self.standing.refused(api)
    }

    /// Other keys stand in the settings: what was said of those before counts no more.
    pub fn forget_standing(&self) {
        self.standing.forget();
    }

    /// Asks for nothing but the time.
    pub async fn ask_time(&self) {
        let _ = self.timed(self.http.get(self.pay.first()).send(), MAX_ANSWER).await;
    }

    /// A request of API v3, with the very bytes that were signed. Whatever came back comes back.
    pub(super) async fn send_v3(&self, asked: &AskedV3<'_>) -> (Result<Raw, GatewayError>, i64) {
        self.raw(self.pay.send(TIMEOUT, |host| asked.request(&self.http, host)), MAX_ANSWER).await
    }

    /// A bill at an address that WeChat gave out, on its own host.
    pub(super) async fn get_for_bill(&self, asked: &AskedV3<'_>) -> Result<Vec<u8>, GatewayError> {
        let sent = self.pay.send(BILL_TIMEOUT, |host| asked.request(&self.http, host));
        match self.raw(sent, MAX_BILL).await.0? {
            // It answered, and said no: the address is good for minutes only, and a new one is asked for next time.
            Raw { status, .. } if status.is_client_error() => {
                let status = status.as_u16();
                Err(GatewayError::NotAccepted(format!("HTTP {status} 微信没有给账单文件，下次会重新要下载地址")))
            }
            raw => raw.success(),
        }
    }

    pub(super) async fn get_api(&self, path: &str, query: &[(&str, &str)]) -> (Result<Vec<u8>, GatewayError>, i64) {
        match Url::parse_with_params(&format!("{}{path}", self.api_url), query) {
            Ok(url) => self.timed(self.http.get(url).send(), MAX_ANSWER).await,
            Err(e) => (Err(GatewayError::Unreachable(e.to_string())), 0),
        }
    }

    pub(super) async fn post_api(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> (Result<Vec<u8>, GatewayError>, i64) {
        match Url::parse_with_params(&format!("{}{path}", self.api_url), query) {
            Ok(url) => {
                let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
                self.timed(request.send(), MAX_ANSWER).await
            }
            Err(e) => (Err(GatewayError::Unreachable(e.to_string())), 0),
        }
    }
}

fn builder(roots: &[Certificate]) -> ClientBuilder {
    let builder = Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(Duration::from_secs(30))
        .no_proxy();
    if roots.is_empty() { builder } else { builder.tls_certs_only(roots.iter().cloned()) }
}

/// What to trust, out of a PEM bundle; with none in it the system's would be trusted instead.
fn authorities(pem: &str) -> Result<Vec<Certificate>, BadUrl> {
    if pem.is_empty() {
        return Ok(Vec::new());
    }
    let all = Certificate::from_pem_bundle(pem.as_bytes())
        .map_err(|e| BadUrl(format!("wechat.ca_cert 不是 PEM 格式的证书: {e}")))?;
    match all.is_empty() {
        true => Err(BadUrl("wechat.ca_cert 的文件里没有证书，请写签发它的 CA 的 PEM 文件".into())),
        false => Ok(all),
    }
}

/// True for http on a loopback address, false for https; anything else is refused.
fn is_local(url: &str) -> Result<bool, BadUrl> {
    let parsed = Url::parse(url).map_err(|_| {
        BadUrl(format!("微信接口地址 {} 不是有效的网址，应当像 https://api.mch.weixin.qq.com", told(url)))
    })?;
    let host = parsed.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match parsed.scheme() {
        "https" => Ok(false),
        "http" if loopback => Ok(true),
        _ => Err(BadUrl(format!("微信接口地址 {} 必须是 https（http 只允许本机的模拟微信）", told(url)))),
    }
}

/// What the answer's `Date` says against the machine's own clock (the shop's may have been moved by a demo). The header
/// counts whole seconds, so up to one of them means nothing.
fn clock_ahead(response: &Response) -> Option<i64> {
    let said = response.headers().get("date")?.to_str().ok()?;
    let said = clock::from_http(said)?;
    let ahead = clock::Clock::default().now() - said;
    Some(if (0..1000).contains(&ahead) { 0 } else { ahead })
}

async fn whole(mut response: Response, most: usize) -> Result<Raw, GatewayError> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > most {
            return Err(unusable(Flaw::AnswerTooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Raw { status, headers, body })
}

/// The URL is left out of the words: it can carry the AppSecret.
fn broken(e: reqwest::Error) -> GatewayError {
    let e = e.without_url();
    if e.is_timeout() {
        return GatewayError::Unreachable(TIMED_OUT.into());
    }
    let mut words = e.to_string();
    let mut meaning = None;
    let mut source = std::error::Error::source(&e);
    while let Some(cause) = source {
        words = cause.to_string();
        let io = cause.downcast_ref::<std::io::Error>();
        let tls = io.and_then(tls_in).or_else(|| cause.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::AlertReceived(alert)) = tls
            && about_our_certificate(*alert)
        {
            return GatewayError::Certificate(format!("{alert:?}"));
        }
        meaning = tls
            .map(|_| "安全连接没有建立，请检查本机时间、系统证书和中间的代理")
            .or_else(|| io.and_then(|io| of_io(io.kind())))
            .or_else(|| {
                words.contains("invalid HTTP version").then_some("回答的不是 HTTP，请核对接口地址是 http 还是 https")
            })
            .or_else(|| words.contains("dns error").then_some("域名解析不了，请检查服务器的网络和 DNS"))
            .or(meaning);
        source = cause.source();
    }
    let meaning = meaning.unwrap_or("没有连上，请检查服务器的网络");
    GatewayError::Unreachable(format!("{meaning}（{words}）"))
}

/// TLS errors travel inside of I/O errors, one in another, which do not count as their own sources.
fn tls_in(io: &std::io::Error) -> Option<&rustls::Error> {
    let inner = io.get_ref()?;
    inner.downcast_ref().or_else(|| inner.downcast_ref().and_then(tls_in))
}

const TIMED_OUT: &str = "超时，微信没有在限定时间里回答，请检查服务器的网络";

/// What a broken connection means to whoever runs the server.
fn of_io(kind: std::io::ErrorKind) -> Option<&'static str> {
    use std::io::ErrorKind::*;
    match kind {
        ConnectionRefused => Some("连接被拒绝，请检查接口地址和服务器的网络"),
        ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof => Some("连接中途断开了，请检查服务器的网络"),
        HostUnreachable | NetworkUnreachable | NetworkDown => Some("网络不通，请检查服务器的网络"),
        TimedOut => Some(TIMED_OUT),
        _ => None,
    }
}

/// What a server says that wants a certificate and got none, or one it does not like.
fn about_our_certificate(alert: AlertDescription) -> bool {
    use AlertDescription::*;
    matches!(
        alert,
        CertificateRequired
            | NoCertificate
            | BadCertificate
            | UnsupportedCertificate
            | CertificateRevoked
            | CertificateExpired
            | CertificateUnknown
            | UnknownCA
            | DecryptError
            | AccessDenied
    )
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
