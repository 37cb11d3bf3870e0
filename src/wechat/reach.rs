//! Whether our own public address answers as WeChat will find it.

use super::Wechat;
use super::certificate;

/// Why WeChat would not call an address, whoever answers there; an address on this machine is for a simulator.
pub fn refused_by_wechat(url: &str) -> Option<&'static str> {
    if is_loopback(url) {
        return None;
    }
    let Some(rest) = url.strip_prefix("https://") else {
        return Some("不是 https。请为域名装上证书后改成 https://");
    };
    if url.contains(['?', '#']) {
        return Some("带了 ? 或 #，微信的通知地址不允许参数");
    }
    let host = rest.split('/').next().unwrap_or_default();
    host.contains(':').then_some("带了端口，微信不接受。请用反向代理放到 443 端口")
}

pub fn is_loopback(url: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| url.starts_with(start))
}

/// What came back from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It answered as our own notice route does; over TLS, with a certificate good until then (epoch milliseconds).
    Ours {
        certified_until: Option<i64>,
    },
    /// It wants to send the caller elsewhere; WeChat does not follow.
    Redirect(String),
    /// Something answered, but not we.
    Other(u16),
    Unreachable(String),
}

impl Wechat {
    /// Posts an empty notice, which our route refuses in WeChat's own form and which changes nothing.
    pub async fn reach(&self, notify_url: &str) -> Reached {
        let request = match reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_info(true)
            .build()
        {
            Ok(client) => client.post(notify_url).header("content-type", "text/xml").body("<xml></xml>"),
            Err(e) => return Reached::Unreachable(e.to_string()),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(e) => return Reached::Unreachable(deepest(&e)),
        };
        let status = answer.status().as_u16();
        if answer.status().is_redirection() {
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            return Reached::Redirect(to.to_owned());
        }
        let shown = answer.extensions().get::<reqwest::tls::TlsInfo>().and_then(|tls| tls.peer_certificate());
        let certified_until = shown.and_then(certificate::good_until);
        match answer.text().await {
            Ok(body) if body.len() < 1_000 && body.contains("return_code") && body.contains("FAIL") => {
                Reached::Ours { certified_until }
            }
            _ => Reached::Other(status),
        }
    }
}

/// What is really wrong stands at the end of the chain of causes.
fn deepest(e: &dyn std::error::Error) -> String {
    e.source().map_or_else(|| e.to_string(), deepest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_for_what_wechat_refuses() {
        for (url, problem) in [
            ("https://shop.example.com/wechat/pay/notify", ""),
            ("https://shop.example.com/shop/wechat/pay/notify", ""),
            ("http://127.0.0.1:8000/wechat/pay/notify", ""),
            ("http://shop.example.com/wechat/pay/notify", "https"),
            ("https://shop.example.com:8443/wechat/pay/notify", "端口"),
            ("https://shop.example.com/wechat/pay/notify?a=1", "?"),
        ] {
            let found = refused_by_wechat(url);
            assert!(found.is_none() == problem.is_empty() && found.unwrap_or_default().contains(problem), "{url}");
        }
    }
}
