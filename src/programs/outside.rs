//! The way out to addresses that others gave us: https, and nothing that stands inside this house's own network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};

use crate::typed::Length;

/// The whole call.
pub const URL: Length = Length::up_to(500);
const TIMEOUT: Duration = Duration::from_secs(5);

/// An address that may be told, in the form it is kept. `private`: the configuration allows this house's own network.
pub fn check_url(typed: &str, private: bool) -> Result<String, &'static str> {
    let url = Url::parse(typed.trim()).map_err(|_| "请填完整的网址，例如 https://erp.example.com/hook")?;
    if url.scheme() != "https" && !(private && url.scheme() == "http") {
        return Err("只能是 https 开头的网址");
    }
    if !url.username().is_empty() || url.password().is_some() || !URL.fits(url.as_str()) {
        return Err("网址不能带账号，最长 500 个字符");
    }
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let inside = host.parse::<IpAddr>().is_ok_and(|ip| !is_public(ip)) || host == "localhost";
    if inside && !private {
        return Err("不能是本机或内网的地址");
    }
    Ok(url.into())
}

/// Reached by the whole world: not this machine, not a private network, not one for special use. Source: RFC 6890.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = a == 0 || a >= 224 || (a == 198 && (b == 18 || b == 19)) || ip.octets()[..3] == [192, 0, 0];
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared || special || ip.is_documentation())
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            // Global unicast alone, without what carries an IPv4 address or documents.
            let global = a & 0xe000 == 0x2000;
            let carries = a == 0x2002 || (a == 0x2001 && b < 0x0200);
            global
                && !carries
                && !(a == 0x2001 && b == 0x0db8)
                && ip.to_ipv4().is_none_or(|ip| ip != Ipv4Addr::LOCALHOST)
        }
    }
}

/// Names are looked up here, so that what was looked at is what is connected to: a name may point elsewhere a moment later.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("这个域名指向本机或内网".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// A client that goes nowhere else, follows no redirect, and waits five seconds.
pub fn client(private: bool) -> Result<Client, reqwest::Error> {
    let builder = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).no_proxy();
    match private {
        true => builder.build(),
        false => builder.https_only(true).dns_resolver(std::sync::Arc::new(PublicOnly)).build(),
    }
}

/// What kept us from it, for whoever looks after the other program; what the system said stands behind.
pub fn why(e: &reqwest::Error) -> String {
    match deepest(e) {
        _ if e.is_timeout() => format!("{} 秒内没有回答", TIMEOUT.as_secs()),
        said if e.is_connect() => format!("连不上（{said}）"),
        said => said,
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
    fn an_address_inside_this_house_is_not_told() {
        for (url, fine) in [
            ("https://erp.example.com/hook", true),
            ("https://erp.example.com:8443/hook?a=1", true),
            ("https://93.184.216.34/hook", true),
            ("https://[2606:2800:220:1::1]/hook", true),
            ("http://erp.example.com/hook", false),
            ("ftp://erp.example.com/hook", false),
            ("erp.example.com/hook", false),
            ("https://user:word@erp.example.com/", false),
            ("https://localhost/hook", false),
            ("https://127.0.0.1/hook", false),
            ("https://2130706433/hook", false),
            ("https://0x7f.1/hook", false),
            ("https://10.0.0.7/hook", false),
            ("https://172.20.1.1/hook", false),
            ("https://192.168.1.1/hook", false),
            ("https://169.254.169.254/latest/meta-data", false),
            ("https://100.100.100.200/latest/meta-data", false),
            ("https://0.0.0.0/hook", false),
            ("https://224.0.0.1/hook", false),
            ("https://[::1]/hook", false),
            ("https://[::ffff:127.0.0.1]/hook", false),
            ("https://[fe80::1]/hook", false),
            ("https://[fd00::1]/hook", false),
            ("https://[2002:7f00:1::]/hook", false),
            ("", false),
        ] {
            assert_eq!(check_url(url, false).is_ok(), fine, "{url}");
        }
        assert!(check_url("http://127.0.0.1:9000/hook", true).is_ok());
        assert!(check_url(&format!("https://erp.example.com/{}", "x".repeat(500)), false).is_err());
    }
}
