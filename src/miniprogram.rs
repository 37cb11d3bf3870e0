//! The mini-program as its merchant uploads it: the files of `miniprogram/`, with the shop's AppID and address filled in.

use std::borrow::Cow;
use std::io::{Cursor, Write};

use serde::Serialize;
use zip::ZipWriter;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;

use crate::assets::MINIPROGRAM;
use crate::settings::Settings;
use crate::wechat::reach::{is_loopback, refused_by_wechat};

/// The settings that are filled in.
pub const APP_ID: &str = "wechat.app_id";
pub const PUBLIC_URL: &str = "shop.public_url";

/// What differs from shop to shop.
#[derive(Clone, Debug)]
pub struct Merchant {
    app_id: String,
    server: String,
    /// WeChat has admitted the shop to `wx.chooseAddress`; without that, code that has the call is stopped at submission.
    pub wechat_address: bool,
}

impl Merchant {
    /// Errors: what is missing, in words for whoever sets the shop up.
    pub fn of(settings: &Settings) -> Result<Merchant, String> {
        let (app_id, server) = (app_id(settings.get(APP_ID))?, server(settings.get(PUBLIC_URL))?);
        Ok(Merchant { app_id, server, wechat_address: false })
    }
}

/// `wx` and 16 hex digits, as WeChat's console shows it.
pub fn app_id(given: Option<&str>) -> Result<String, String> {
    let given = given.ok_or("还没有填小程序 AppID")?;
    let digits = given.strip_prefix("wx").unwrap_or_default();
    if digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(given.to_owned());
    }
    Err(format!("AppID“{given}”不对，应是 wx 开头、后面 16 位，在微信公众平台 → 开发管理 → 开发设置里"))
}

/// An address that `wx.request` may be pointed at: https, a name instead of an IP, as it will stand under request 合法域名.
pub fn server(given: Option<&str>) -> Result<String, String> {
    let given = given.ok_or("还没有填对外地址，小程序不知道去哪里取商品")?;
    if is_loopback(given) {
        return Err(format!("对外地址 {given} 只有本机能用，手机打不开。上线前换成 https 的域名"));
    }
    if let Some(problem) = refused_by_wechat(given) {
        return Err(format!("对外地址 {given} {problem}"));
    }
    let host = given.trim_start_matches("https://").split('/').next().unwrap_or_default();
    if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
        return Err(format!("对外地址 {given} 是 IP，小程序只能访问备案过的域名"));
    }
    if !host.contains('.') {
        return Err(format!("对外地址 {given} 不是完整的域名，例如 https://shop.example.com"));
    }
    Ok(given.trim_end_matches('/').to_owned())
}

/// One step of the way from the download to the shelf: a title, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub title: String,
    pub words: String,
}

/// The steps that `miniprogram/README.md` lists, so that page and file say the same.
pub fn steps() -> Vec<Step> {
    let text = MINIPROGRAM.file("README.md").and_then(|file| file.text().ok()).unwrap_or_default();
    let step = |line: &str| {
        let (number, rest) = line.split_once(". **")?;
        let (title, words) = rest.split_once("**")?;
        number.parse::<u8>().ok()?;
        Some(Step { title: title.to_owned(), words: words.trim().to_owned() })
    };
    text.lines().filter_map(step).collect()
}

/// All of it as a zip with one folder inside.
pub fn packed(merchant: &Merchant) -> ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for path in MINIPROGRAM.paths() {
        let Some(file) = MINIPROGRAM.file(&path) else { continue };
        zip.start_file(format!("miniprogram/{path}"), SimpleFileOptions::default())?;
        zip.write_all(&filled(&path, &file.bytes()?, merchant))?;
    }
    Ok(zip.finish()?.into_inner())
}

const DECLARED: &str = "  \"requiredPrivateInfos\": [\"chooseAddress\"],\n";
const WITHOUT_ADDRESS: &str = "// WeChat has not admitted this shop to wx.chooseAddress. Once it has, download the program anew.\n\
    module.exports = { wechatAddress: null };\n";

/// A file with what is the merchant's own in it.
fn filled<'d>(path: &str, data: &'d [u8], merchant: &Merchant) -> Cow<'d, [u8]> {
    let put = |from: &str, to: &str| Cow::Owned(String::from_utf8_lossy(data).replacen(from, to, 1).into_bytes());
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match path {
        "project.config.json" => put("\"touristappid\"", &quoted(&merchant.app_id)),
        "src/config.js" => put("\"https://shop.example.com\"", &quoted(&merchant.server)),
        "src/app.json" if !merchant.wechat_address => put(DECLARED, ""),
        "src/utils/wechat-address.js" if !merchant.wechat_address => Cow::Borrowed(WITHOUT_ADDRESS.as_bytes()),
        _ => Cow::Borrowed(data),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;

    #[test]
    fn everything_to_be_filled_in_stands_in_its_file_once() {
        for (path, mark) in [
            ("project.config.json", "\"touristappid\""),
            ("src/config.js", "\"https://shop.example.com\""),
            ("src/app.json", DECLARED),
            ("src/utils/wechat-address.js", "wx.chooseAddress"),
        ] {
            let text = MINIPROGRAM.file(path).unwrap().text().unwrap();
            assert_eq!(text.matches(mark).count(), 1, "{path}");
        }
    }

    fn unpacked(merchant: &Merchant) -> BTreeMap<String, String> {
        let mut zip = zip::ZipArchive::new(Cursor::new(packed(merchant).unwrap())).unwrap();
        let mut files = BTreeMap::new();
        for n in 0..zip.len() {
            let mut file = zip.by_index(n).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            files.insert(file.name().unwrap().into_owned(), String::from_utf8_lossy(&bytes).into_owned());
        }
        files
    }

    #[test]
    fn a_merchant_gets_every_file_with_his_own_in_it() {
        let (app_id, server) = ("wx0123456789abcdef".to_owned(), "https://shop.example.cn".to_owned());
        for wechat_address in [false, true] {
            let files = unpacked(&Merchant { app_id: app_id.clone(), server: server.clone(), wechat_address });
            assert_eq!(files.len(), MINIPROGRAM.paths().len());
            assert!(files["miniprogram/project.config.json"].contains("\"appid\": \"wx0123456789abcdef\""));
            assert!(files["miniprogram/src/config.js"].contains("server: \"https://shop.example.cn\","));
            let all: String = files.values().map(String::as_str).collect();
            assert_eq!(all.contains("wx.chooseAddress("), wechat_address);
            let app: serde_json::Value = serde_json::from_str(&files["miniprogram/src/app.json"]).unwrap();
            assert_eq!(app["requiredPrivateInfos"].is_array(), wechat_address);
            assert!(app["pages"].as_array().unwrap().iter().all(|page| {
                let file = |ending: &str| format!("miniprogram/src/{}.{ending}", page.as_str().unwrap());
                ["js", "wxml"].iter().all(|ending| files.contains_key(&file(ending)))
            }));
        }
    }

    #[test]
    fn an_address_that_no_phone_reaches_is_refused_in_words() {
        let with = |url| server(Some(url));
        assert_eq!(with("https://shop.example.cn/"), Ok("https://shop.example.cn".to_owned()));
        for (url, words) in [
            ("http://shop.example.cn", "https"),
            ("https://192.0.2.7", "IP"),
            ("https://[2001:db8::7]", "端口"),
            ("https://shop", "域名"),
            ("https://shop.example.cn:8443", "端口"),
            ("http://127.0.0.1:8000", "本机"),
        ] {
            assert!(with(url).is_err_and(|told| told.contains(words)), "{url}: {:?}", with(url));
        }
        for id in ["wx", "wx0123456789abcde", "gh_0123456789abcd", "wx0123456789ABCDEG"] {
            assert!(app_id(Some(id)).is_err(), "{id}");
        }
        assert!(app_id(None).is_err() && server(None).is_err());
    }

    #[test]
    fn the_way_has_seven_steps() {
        let steps = steps();
        assert_eq!(steps.len(), 7);
        assert!(steps.iter().all(|step| step.words.len() > 30 && step.words.ends_with('。')), "{steps:#?}");
    }
}
