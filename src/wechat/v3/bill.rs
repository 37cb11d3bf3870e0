//! API v3: a day's bill and fund flow, by way of an address that WeChat gives out, and held to the hash that came with it.

use reqwest::Url;
use serde_json::Value;
use sha1::{Digest, Sha1};

use super::super::bill::{BillAnswer, Own, read_plain, unpacked};
use super::super::client::AskedV3;
use super::super::exchange::unusable;
use super::super::flaw::Flaw;
use super::super::funds::{self, FundsAnswer};
use super::super::hosts::Hosts;
use super::super::{Exchange, GatewayError, Wechat};
use super::Merchant;
use super::exchange::Call;
use crate::clock::Day;
use crate::nonce::Nonces;

/// Where a bill lies, and what it must hash to once it is unpacked.
struct Place {
    path: String,
    sha1: String,
}

/// What came of asking for a day's file: unpacked, if there is one.
enum Fetched {
    File(Vec<u8>),
    None,
    Creating,
}

impl Wechat {
    /// Source: trade bill, API v3. The file carries no signature; the reply that names its hash does.
    pub(in crate::wechat) async fn download_bill_v3(
        &self,
        merchant: &Merchant,
        day: Day,
        own: &Own,
        nonces: &Nonces,
    ) -> Exchange<BillAnswer> {
        let path = format!("/v3/bill/tradebill?bill_date={}&bill_type=ALL&tar_type=GZIP", day.shown());
        let fetched = self.day_file(merchant, "downloadbill", path, nonces).await;
        fetched.and_then(|fetched| match fetched {
            Fetched::File(plain) => read_plain(plain, own),
            Fetched::None => Ok(BillAnswer::None),
            Fetched::Creating => Ok(BillAnswer::Creating),
        })
    }

    /// Source: fund flow bill, API v3. No client certificate is shown.
    pub(in crate::wechat) async fn download_funds_v3(
        &self,
        merchant: &Merchant,
        day: Day,
        nonces: &Nonces,
    ) -> Exchange<FundsAnswer> {
        let path = format!("/v3/bill/fundflowbill?bill_date={}&account_type=BASIC&tar_type=GZIP", day.shown());
        let fetched = self.day_file(merchant, "downloadfundflow", path, nonces).await;
        fetched.and_then(|fetched| match fetched {
            Fetched::File(plain) => funds::read(&plain).map(FundsAnswer::Flow),
            Fetched::None => Ok(FundsAnswer::None),
            Fetched::Creating => Ok(FundsAnswer::Creating),
        })
    }

    /// Asks where a file lies, fetches it, and holds it to its hash.
    async fn day_file(
        &self,
        merchant: &Merchant,
        kind: &'static str,
        path: String,
        nonces: &Nonces,
    ) -> Exchange<Fetched> {
        let place = |said: &Value| place(said, self.pay_hosts());
        let asked = self.call_v3(merchant, Call::get(kind, path), nonces, place).await;
        let mut response = asked.response;
        let result = match asked.result {
            Ok(place) => {
                let authorization = merchant.authorization("GET", &place.path, b"", nonces).await;
                let (method, path, public_id) = ("GET", place.path.as_str(), merchant.public_id());
                let file = self.get_for_bill(&AskedV3 { method, path, body: "", public_id, authorization }).await;
                if let Ok(bytes) = &file {
                    response.extend_from_slice(format!("\n（账单，{} 字节）", bytes.len()).as_bytes());
                }
                file.and_then(|bytes| checked(&bytes, &place.sha1)).map(Fetched::File)
            }
            Err(e) => match e.code() {
                Some("NO_STATEMENT_EXIST") => Ok(Fetched::None),
                Some("STATEMENT_CREATING") => Ok(Fetched::Creating),
                _ => Err(e),
            },
        };
        let (kind, request, took_ms, signature) = (asked.kind, asked.request, asked.took_ms, asked.signature);
        Exchange { kind, request, response, took_ms, signature, result }
    }
}

fn place(reply: &Value, own: &Hosts) -> Result<Place, GatewayError> {
    let text = |name: &str| reply.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    let url = text("download_url").ok_or_else(|| unusable(Flaw::DownloadUrlMissing))?;
    if text("hash_type") != Some("SHA1") {
        return Err(unusable(Flaw::HashType));
    }
    Ok(Place {
        path: path_on(url, own).ok_or_else(|| unusable(Flaw::DownloadUrlElsewhere))?,
        sha1: text("hash_value").ok_or_else(|| unusable(Flaw::HashMissing))?.to_ascii_lowercase(),
    })
}

/// Path and query exactly as given, when the address is on WeChat's own hosts: a signed request must not go elsewhere.
fn path_on(url: &str, own: &Hosts) -> Option<String> {
    let rest = own.path_of(url)?;
    // As it is signed, so it has to be sent: an address that would be written otherwise on its way is none.
    let plain = Url::parse(url).is_ok_and(|parsed| parsed.as_str() == url) && !rest.contains('#');
    (plain && !rest.starts_with("//")).then(|| rest.to_owned())
}

fn checked(bytes: &[u8], sha1: &str) -> Result<Vec<u8>, GatewayError> {
    let plain = unpacked(bytes)?;
    match hex::encode(Sha1::digest(&plain)) == sha1 {
        true => Ok(plain),
        false => Err(unusable(Flaw::BillHashWrong)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::{PAY_URL, SECOND_PAY_URL};

    #[test]
    fn a_bill_is_fetched_from_wechat_alone() {
        let own = Hosts::new(PAY_URL.into(), Some(SECOND_PAY_URL.into()));
        for (url, path) in [
            (
                "https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc%2Bd%2F",
                Some("/v3/billdownload/file?token=abc%2Bd%2F"),
            ),
            ("https://api2.mch.weixin.qq.com/v3/billdownload/file?token=a", Some("/v3/billdownload/file?token=a")),
            ("http://api.mch.weixin.qq.com/v3/billdownload/file?token=a", None),
            ("https://api.mch.weixin.qq.com.evil.example/file", None),
            ("https://api.mch.weixin.qq.com@evil.example/file", None),
            ("https://api.mch.weixin.qq.com:8443/file", None),
            ("https://evil.example/v3/billdownload/file", None),
            ("https://api.mch.weixin.qq.com//evil.example/file", None),
            ("https://api.mch.weixin.qq.com/a b", None),
            ("https://api.mch.weixin.qq.com/a/../b", None),
            ("https://api.mch.weixin.qq.com/file?token=\"", None),
            ("https://api.mch.weixin.qq.com/file#x", None),
            ("", None),
        ] {
            assert_eq!(path_on(url, &own).as_deref(), path, "{url}");
        }
    }

    #[test]
    fn a_bill_that_does_not_hash_to_what_was_said_is_no_bill() {
        let bill = b"hello";
        let right = hex::encode(Sha1::digest(bill));
        assert_eq!(checked(bill, &"0".repeat(40)), Err(unusable(Flaw::BillHashWrong)));
        assert_eq!(checked(bill, &right), Ok(bill.to_vec()));
    }
}
