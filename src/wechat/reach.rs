//! Whether our own public address answers as WeChat will find it.

use std::net::Ipv4Addr;

use super::Wechat;
use super::certificate;
use crate::clock;

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
    if host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_private() || ip.is_link_local()) {
        return Some("是内网地址，微信到不了。请填公网的域名");
    }
    host.contains(':').then_some("带了端口，微信不接受。请用反向代理放到 443 端口")
}

pub fn is_loopback(url: &str) -> bool {
    let rest =
        ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().find_map(|start| url.strip_prefix(start));
    // What goes on after it is another host's name, and an @ makes a password of it.
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([':', '/', '?', '#']);
    rest.is_some_and(|rest| ends(rest) && !rest.split('/').next().unwrap_or_default().contains('@'))
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
    Unreachable(Why),
}

/// What kept us from an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// In the words of whoever has to mend it, where it is one that is known.
    cause: Option<&'static str>,
    /// In the system's own, which are English.
    said: String,
}

/// Why WeChat will not find us.
pub struct NotFound {
    /// The cause and the cure.
    pub words: String,
    /// What the system said, in its own language: for whoever runs the program, not for a page.
    pub said: Option<String>,
    /// The cause has no words here but the system's own.
    pub strange: bool,
}

impl From<String> for NotFound {
    fn from(words: String) -> NotFound {
        NotFound { words, said: None, strange: false }
    }
}

impl Wechat {
    /// Whether WeChat will find us at our notify address, in words: what is well, or a cause and a cure. `now`: epoch
    /// milliseconds.
    pub async fn try_address(&self, notify_url: &str, now: i64) -> Result<String, NotFound> {
        if let Some(problem) = refused_by_wechat(notify_url) {
            return Err(format!("{notify_url} {problem}").into());
        }
        match self.reach(notify_url).await {
            Reached::Ours { certified_until: Some(until) } => {
                Ok(format!("{notify_url} 可达 · 没有跳转 · 证书有效，还有 {}", clock::span(until - now)))
            }
            Reached::Ours { certified_until: None } => Ok(format!("{notify_url} 可达 · 在本机，只能用模拟微信")),
            Reached::Redirect(to) => {
                Err(format!("{notify_url} 跳转到了 {to}：微信不跟随跳转，请填跳转之后的地址").into())
            }
            Reached::Other(404) => Err(format!("{notify_url} 回答 404：反向代理没有把 /wechat/ 转给小铺").into()),
            Reached::Other(status) => {
                Err(format!("{notify_url} 回答 {status}，但不像是小铺：请检查域名和反向代理").into())
            }
            Reached::Unreachable(Why { cause, said }) => {
                let strange = cause.is_none();
                let cause = cause.map_or_else(String::new, |cause| format!("：{cause}"));
                let words = format!("{notify_url} 连不上{cause}。请检查域名解析、端口和证书");
                Err(NotFound { words, said: Some(said), strange })
            }
        }
    }

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
            Err(e) => return Reached::Unreachable(Why { cause: None, said: e.to_string() }),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(e) => return Reached::Unreachable(why(&e)),
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

fn why(e: &reqwest::Error) -> Why {
    let said = deepest(e);
    let lower = said.to_ascii_lowercase();
    let speaks_of = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let cause = match () {
        () if e.is_timeout() => Some("5 秒内没有回答"),
        () if speaks_of(&["lookup", "resolve", "dns"]) => Some("域名没有解析到任何地址"),
        () if speaks_of(&["refused"]) => Some("那里没有程序在听（连接被拒绝）"),
        () if speaks_of(&["certificate", "tls", "handshake"]) => Some("证书不对或不被信任"),
        () => None,
    };
    Why { cause, said }
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
            ("http://127.0.0.1.example.com/wechat/pay/notify", "https"),
            ("http://localhost.example.com/wechat/pay/notify", "https"),
            ("http://127.0.0.1:80@shop.example.com/wechat/pay/notify", "https"),
            ("https://shop.example.com:8443/wechat/pay/notify", "端口"),
            ("https://shop.example.com/wechat/pay/notify?a=1", "?"),
            ("https://192.168.1.5/wechat/pay/notify", "内网"),
            ("https://10.0.0.8/wechat/pay/notify", "内网"),
            ("https://8.8.8.8/wechat/pay/notify", ""),
        ] {
            let found = refused_by_wechat(url);
            assert!(found.is_none() == problem.is_empty() && found.unwrap_or_default().contains(problem), "{url}");
        }
    }
}
