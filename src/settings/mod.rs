//! Settings: what the file and the environment fix, and what the console's settings page stored.

pub mod certificate;
pub mod changes;
pub mod hours;
mod list;
mod number;
pub mod regions;
pub mod store;
mod terms;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rocket::figment::Figment;
use rocket::figment::value::{Dict, Num, Value};
use rusqlite::Connection;

use crate::clock::{DAY, MINUTE};
use crate::db::Tx;
use crate::money::Fen;
use crate::nonce::Nonces;
use crate::packing::Constants;
use crate::say::cause;
use crate::secrets::SecretKey;
use crate::typed::may_be_key;
use crate::wechat::certificate::ClientIdentity;
use crate::wechat::mini_program::MiniProgram;
use crate::wechat::reach::is_loopback;
use crate::wechat::subscribe::Chosen;
use crate::wechat::v2::sign::SignType;
use crate::wechat::{API_URL, Account, Api, PAY_URL, SECOND_PAY_URL, v2, v3};
use changes::Changes;
use hours::Hours;
pub use list::{Group, SETTINGS, Setting, addresses, mail_server, reasons, setting_named};
use regions::Regions;
use store::Stored;
use terms::Terms;

/// What the server was started with; it does not change while the shop runs.
#[derive(Clone, Debug)]
pub struct Server {
    pub data_dir: PathBuf,
    pub pay_url: String,
    /// Where the same requests go when `pay_url` cannot be reached; WeChat's own second host belongs to its first.
    pub second_pay_url: Option<String>,
    pub api_url: String,
    /// PEM files of the refund certificate, when the file or the environment names them.
    pub client_cert: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    /// A PEM bundle to trust instead of the system's certificate authorities: for a simulated WeChat with TLS.
    pub ca_cert: Option<PathBuf>,
    /// The program's log as one JSON object a line.
    pub log_json: bool,
    /// A line in the log for every request.
    pub log_requests: bool,
    /// Where robots are spoken to instead of at their makers': a simulator on this machine.
    pub robots_url: Option<String>,
    /// Other programs may be told at addresses inside this house's own network, without TLS.
    pub hooks_private: bool,
    /// Whoever knows it may read the numbers for the monitor from elsewhere.
    pub metrics_token: Option<String>,
    /// Settings that the file or the environment fixed, by name.
    pub fixed: BTreeMap<&'static str, String>,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            data_dir: PathBuf::from("data"),
            pay_url: PAY_URL.into(),
            second_pay_url: None,
            api_url: API_URL.into(),
            client_cert: None,
            client_key: None,
            ca_cert: None,
            log_json: false,
            log_requests: false,
            robots_url: None,
            hooks_private: false,
            metrics_token: None,
            fixed: BTreeMap::new(),
        }
    }
}

impl Server {
    /// Reads the tables `shop` and `wechat` of Rocket's configuration. `Err` is a sentence for whoever starts the shop.
    pub fn from_figment(figment: &Figment) -> Result<Server, String> {
        let (shop, wechat) = (table(figment, "shop")?, table(figment, "wechat")?);
        let mut server = Server::default();
        for (table, values) in [("shop", shop), ("wechat", wechat)] {
            for (key, value) in values {
                let name = format!("{table}.{key}");
                let value = text(&name, &value)?;
                match name.as_str() {
                    "shop.data_dir" => server.data_dir = value.into(),
                    "shop.log" => server.log_json = one_of(&name, &value, ["text", "json"])? == "json",
                    "shop.log_requests" => server.log_requests = one_of(&name, &value, ["no", "yes"])? == "yes",
                    "shop.hooks_private" => server.hooks_private = one_of(&name, &value, ["no", "yes"])? == "yes",
                    "shop.robots_url" if !is_loopback(&value) => {
                        return Err(format!("配置 {name} 只能是本机的模拟机器人，http://127.0.0.1:端口"));
                    }
                    "shop.robots_url" => server.robots_url = Some(value.trim_end_matches('/').to_owned()),
                    "shop.metrics_token" if value.len() < 16 => {
                        return Err(format!("配置 {name} 太短：至少 16 个字符，别人猜不到才行"));
                    }
                    "shop.metrics_token" => server.metrics_token = Some(value),
                    "wechat.pay_url" => server.pay_url = value,
                    "wechat.second_pay_url" => server.second_pay_url = Some(value),
                    "wechat.api_url" => server.api_url = value,
                    "wechat.client_cert" => server.client_cert = Some(value.into()),
                    "wechat.client_key" => server.client_key = Some(value.into()),
                    "wechat.ca_cert" => server.ca_cert = Some(value.into()),
                    _ => {
                        let setting = setting_named(&name)
                            .ok_or_else(|| format!("配置里有不认识的项 {name}，请对照 README 的设置一节"))?;
                        let value = match setting.lines {
                            true => lines(&name, value.trim())?,
                            false => value,
                        };
                        let value = (setting.tidy)(&value);
                        (setting.check)(&value).map_err(|problem| format!("配置 {name} 不正确: {problem}"))?;
                        server.fixed.insert(setting.name, value);
                    }
                }
            }
        }
        if server.client_cert.is_some() != server.client_key.is_some() {
            return Err("配置 wechat.client_cert 和 wechat.client_key 要一起写".into());
        }
        Ok(server)
    }

    /// Where payments go when the first host cannot be reached, if anywhere.
    pub fn second_pay_url(&self) -> Option<&str> {
        let own = (self.pay_url.trim_end_matches('/') == PAY_URL).then_some(SECOND_PAY_URL);
        self.second_pay_url.as_deref().or(own)
    }

    /// What to trust instead of the system's authorities, as PEM text; empty for the system's.
    pub fn roots(&self) -> Result<String, String> {
        match &self.ca_cert {
            Some(path) => match read_pem("wechat.ca_cert", path)? {
                // An empty text stands for the system's.
                pem if pem.is_empty() => Err("配置 wechat.ca_cert 的文件是空的".into()),
                pem => Ok(pem),
            },
            None => Ok(String::new()),
        }
    }
}

fn one_of<'v>(name: &str, value: &'v str, words: [&str; 2]) -> Result<&'v str, String> {
    if words.contains(&value) { Ok(value) } else { Err(format!("配置 {name} 只能是 {}", words.join(" 或 "))) }
}

/// A serial is written as it is, and so is the content of a file; else the file is named.
fn lines(name: &str, value: &str) -> Result<String, String> {
    if value.contains("-BEGIN ") {
        return Ok(value.to_owned());
    }
    let serial = v3::pasted::serial(value);
    // Whatever is no file's name is meant for one, and is told what it should be.
    let plain = name == "wechat.mch_serial" && !value.contains(['.', '/']);
    if plain { Ok(serial) } else { read_pem(name, Path::new(value)) }
}

fn read_pem(name: &str, path: &Path) -> Result<String, String> {
    // A key in the place of a name must not get into the log.
    let shown = path.display().to_string();
    let is_name = shown.len() < 256 && shown.contains(['.', '/']) && !shown.split('/').any(may_be_key);
    let shown = if is_name { shown } else { "（写的不像文件名）".to_owned() };
    std::fs::read_to_string(path).map_err(|e| format!("配置 {name} 的文件 {shown} 读不出来：{}", cause(&e)))
}

/// The settings in force at one moment.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, String>,
    terms: Terms,
    fixed: BTreeSet<&'static str>,
    /// The refund certificate, or why it cannot be used.
    identity: Option<Result<ClientIdentity, String>>,
    identity_fixed: bool,
    /// The keys of API v3, or what is wrong with them; none while one is missing.
    v3: Option<Result<Arc<v3::Keys>, v3::Unfit>>,
    pub changes: Changes,
    pub regions: Regions,
    pub hours: Hours,
}

/// Where the shop names none.
const REASONS: &str = "不想要了、大小或规格不合适、和图片不一样、质量有问题、碎了或坏了、发错了";

/// Where the uploaded certificate is kept; its key is sealed.
const CLIENT_CERT: &str = "wechat.client_cert";
const CLIENT_KEY: &str = "wechat.client_key";

impl Settings {
    /// Stored values under fixed ones. A secret that does not open (another key file) counts as missing, and is logged.
    pub fn load(conn: &Connection, server: &Server, key: &SecretKey) -> rusqlite::Result<Settings> {
        let mut values = BTreeMap::new();
        let (mut cert, mut cert_key) = (None, None);
        for (name, stored) in store::all(conn)? {
            let value = match stored {
                Stored::Plain(value) => Some(value),
                Stored::Sealed(sealed) => key.open(&name, &sealed),
            };
            match (value, setting_named(&name)) {
                (Some(value), Some(setting)) => drop(values.insert(setting.name, value)),
                (Some(value), None) if name == CLIENT_CERT => cert = Some(value),
                (Some(value), None) if name == CLIENT_KEY => cert_key = Some(value),
                (Some(_), None) => {}
                (None, _) => log::error!("设置 {name} 打不开：secret.key 不是封存它的那一个，请在设置页重新填写"),
            }
        }
        values.extend(server.fixed.clone());
        let identity = match (&server.client_cert, &server.client_key) {
            (Some(cert), Some(key)) => {
                Some(read_pem(CLIENT_CERT, cert).and_then(|cert| Ok((cert, read_pem(CLIENT_KEY, key)?))))
            }
            _ => cert.zip(cert_key).map(Ok),
        };
        let value = |name: &str| values.get(name).map_or("", String::as_str);
        let regions = Regions::read(value("shop.freight_regions"), value("shop.local_area"));
        let hours = Hours::read(|name| Some(value(name)).filter(|value| !value.is_empty()));
        let mut settings = Settings {
            terms: terms_of(&values),
            values,
            regions,
            hours,
            fixed: server.fixed.keys().copied().collect(),
            identity: identity.map(|pair| pair.and_then(|(c, k)| ClientIdentity::read(&c, &k).map_err(str::to_owned))),
            identity_fixed: server.client_cert.is_some(),
            v3: None,
            changes: Changes::load(conn, key)?,
        };
        settings.v3 = settings.read_v3_keys();
        Ok(settings)
    }

    fn read_v3_keys(&self) -> Option<Result<Arc<v3::Keys>, v3::Unfit>> {
        let (v3_key, private, serial) =
            (self.get("wechat.v3_key")?, self.get("wechat.mch_key")?, self.get("wechat.mch_serial")?);
        let (public, public_id) = (self.get("wechat.public_key")?, self.get("wechat.public_key_id")?);
        let keys = v3::Keys::read(v3_key, private, serial, (public_id, public));
        Some(keys.map(|keys| Arc::new(self.changes.with_v3_before(keys))))
    }

    /// Stores a refund certificate that was uploaded.
    pub fn save_identity(tx: &Tx, cert_pem: &str, sealed_key: &[u8]) -> rusqlite::Result<()> {
        store::put(tx, CLIENT_CERT, &Stored::Plain(cert_pem.to_owned()))?;
        store::put(tx, CLIENT_KEY, &Stored::Sealed(sealed_key.to_owned()))
    }

    /// The certificate's key as it is stored.
    pub fn sealed_key(identity: &ClientIdentity, key: &SecretKey, nonces: &Nonces) -> Vec<u8> {
        key.seal(CLIENT_KEY, identity.expose_key(), nonces)
    }

    /// Stores one value; an empty one removes it. The caller has checked it.
    pub fn save(tx: &Tx, setting: &Setting, value: &str, key: &SecretKey, nonces: &Nonces) -> rusqlite::Result<()> {
        if value.is_empty() {
            return store::remove(tx, setting.name);
        }
        let stored = match setting.secret {
            true => Stored::Sealed(key.seal(setting.name, value, nonces)),
            false => Stored::Plain(value.to_owned()),
        };
        store::put(tx, setting.name, &stored)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn is_fixed(&self, name: &str) -> bool {
        self.fixed.contains(name)
    }

    /// How a value looks on a page: secrets by their last four characters.
    pub fn shown(&self, setting: &Setting) -> String {
        let value = self.get(setting.name).unwrap_or_default();
        if setting.secret && setting.lines {
            return if value.is_empty() { String::new() } else { "已填写".to_owned() };
        }
        match (setting.secret, value.len()) {
            (false, _) => value.to_owned(),
            (true, 0) => String::new(),
            (true, n) => format!("••••{}", value.get(n.saturating_sub(4)..).unwrap_or_default()),
        }
    }

    pub fn shop_name(&self) -> &str {
        self.get("shop.name").unwrap_or("小铺")
    }

    pub fn is_open(&self) -> bool {
        self.terms.open
    }

    pub fn reopens_late(&self) -> bool {
        self.terms.reopens_late
    }

    pub fn pay_minutes(&self) -> i64 {
        self.terms.pay_minutes
    }

    /// A SKU with this many left is running low.
    pub fn low_stock(&self) -> i64 {
        self.terms.low_stock
    }

    /// So many orders may wait for one buyer's money: each holds stock, and costs nothing.
    pub fn unpaid_orders(&self) -> i64 {
        self.terms.unpaid_orders
    }

    /// Pieces of a SKU in one order, where the product itself says nothing.
    pub fn limit_per_order(&self) -> Option<i64> {
        self.terms.limit_per_order
    }

    pub fn pay_window(&self) -> i64 {
        self.pay_minutes() * MINUTE
    }

    /// Freight for express goods of this sum where their region has none of its own, and why it is that much.
    pub fn freight(&self, goods: Fen) -> (Fen, String) {
        (self.unless_free(goods, self.terms.freight), self.fee_text(goods, self.terms.freight))
    }

    /// An order whose promotions take off everything is placed all the same, without WeChat.
    pub fn gives_away(&self) -> bool {
        self.get("shop.zero_orders") == Some("yes")
    }

    /// What bringing goods of this sum to somebody nearby costs, and why.
    pub fn local_freight(&self, goods: Fen) -> (Fen, String) {
        (self.unless_free(goods, self.terms.local_freight), self.fee_text(goods, self.terms.local_freight))
    }

    fn fee_text(&self, goods: Fen, fee: Fen) -> String {
        match self.terms.free_freight_from.filter(|_| fee > Fen::ZERO) {
            Some(from) if goods >= from => format!("满 ¥{from} 包邮"),
            Some(from) => format!("每单 ¥{fee}，满 ¥{from} 包邮"),
            None if fee == Fen::ZERO => "包邮".to_owned(),
            None => format!("每单 ¥{fee}"),
        }
    }

    /// This fee, or nothing for goods of a sum that goes free.
    fn unless_free(&self, goods: Fen, fee: Fen) -> Fen {
        match self.terms.free_freight_from {
            Some(from) if goods >= from => Fen::ZERO,
            _ => fee,
        }
    }

    /// Goods of less than this are not sent, where the shop says so.
    pub fn express_least(&self) -> Option<Fen> {
        self.least("shop.express_least")
    }

    /// The same for bringing them.
    pub fn local_least(&self) -> Option<Fen> {
        self.least("shop.local_least")
    }

    fn least(&self, name: &str) -> Option<Fen> {
        self.get(name).and_then(Fen::from_yuan).filter(|least| *least > Fen::ZERO)
    }

    /// Where buyers come to fetch.
    pub fn pickup_address(&self) -> &str {
        self.get("shop.pickup_address").unwrap_or_default()
    }

    /// The shop's hours, where it says any.
    pub fn hours_text(&self) -> String {
        self.get("shop.hours").map(|_| self.hours.text()).unwrap_or_default()
    }

    /// The hash of the shop's own picture.
    pub fn logo(&self) -> Option<&str> {
        self.get("shop.logo")
    }

    /// Where the shop brings goods itself, as the settings page has it; empty is everywhere.
    pub fn local_area(&self) -> &str {
        self.get("shop.local_area").unwrap_or_default()
    }

    /// What stands in each setting and is not right: how a rule was before it was made stricter. Its label, and why.
    pub fn doubts(&self) -> Vec<(&'static Setting, String)> {
        let doubt = |setting: &'static Setting| {
            let value = self.get(setting.name).filter(|_| !setting.secret)?;
            (setting.check)(value).err().map(|problem| (setting, problem))
        };
        SETTINGS.iter().filter_map(doubt).chain(self.one_key_for_two()).collect()
    }

    /// Three keys of 32 signs, each made in a place of its own; the same text for two of them is one in the wrong field, most
    /// likely. The key to look at, and why.
    pub fn one_key_for_two(&self) -> Vec<(&'static Setting, String)> {
        const PAIRS: [(&str, &str, &str); 3] = [
            (
                "wechat.v3_key",
                "wechat.api_key",
                "APIv3 密钥和 APIv2 密钥一模一样：它们在商户平台上是分开设置的两个密钥",
            ),
            (
                "wechat.v3_key",
                "wechat.app_secret",
                "APIv3 密钥和小程序的 AppSecret 一模一样：一个在商户平台，一个在小程序后台",
            ),
            (
                "wechat.api_key",
                "wechat.app_secret",
                "APIv2 密钥和小程序的 AppSecret 一模一样：一个在商户平台，一个在小程序后台",
            ),
        ];
        let same = |one: &str, other: &str| self.get(one).is_some_and(|key| self.get(other) == Some(key));
        let found = PAIRS.into_iter().filter(|(one, other, _)| same(one, other));
        found
            .filter_map(|(one, _, words)| Some((setting_named(one)?, format!("{words}，请核对哪一个填错了"))))
            .collect()
    }

    pub fn freight_text(&self) -> String {
        match (self.unless_free(Fen::ZERO, self.terms.freight), self.terms.free_freight_from) {
            (Fen::ZERO, _) if self.get("shop.freight_regions").is_some() => "包邮，偏远地区除外".to_owned(),
            (Fen::ZERO, _) => "全场包邮".to_owned(),
            (fee, Some(from)) => format!("运费 ¥{fee}，满 ¥{from} 包邮"),
            (fee, None) => format!("运费 ¥{fee}"),
        }
    }

    /// Where WeChat reports payments; `None` until the shop has a public address.
    pub fn notify_url(&self, api: Api) -> Option<String> {
        self.public(match api {
            Api::V2 => "/wechat/pay/notify",
            Api::V3 => "/wechat/pay/v3/notify",
        })
    }

    /// Where WeChat reports refunds.
    pub fn refund_notify_url(&self, api: Api) -> Option<String> {
        self.public(match api {
            Api::V2 => "/wechat/refund/notify",
            Api::V3 => "/wechat/pay/v3/notify",
        })
    }

    fn public(&self, path: &str) -> Option<String> {
        self.get("shop.public_url").map(|url| format!("{}{path}", url.trim_end_matches('/')))
    }

    pub fn sign_type(&self) -> SignType {
        self.terms.sign_type
    }

    /// The version that new attempts use.
    pub fn api(&self) -> Api {
        self.terms.api
    }

    /// What this shop's messages have in common.
    pub fn constants(&self) -> Constants<'_> {
        let value = |name: &str| self.get(name).unwrap_or_default();
        Constants {
            v3: self.api() == Api::V3,
            app_id: value("wechat.app_id"),
            mch_id: value("wechat.mch_id"),
            sign_type: self.sign_type().name(),
            public_url: value("shop.public_url"),
            public_key_id: value("wechat.public_key_id"),
        }
    }

    /// Who we are at WeChat Pay at this moment; `None` until everything that this version needs is there.
    pub fn account(&self, api: Api, now: i64) -> Option<Account> {
        match api {
            Api::V2 => self.merchant_v2(now).map(Account::V2),
            Api::V3 => self.merchant_v3(now).map(Account::V3),
        }
    }

    pub fn merchant_v2(&self, now: i64) -> Option<v2::Merchant> {
        let key = self.get("wechat.api_key")?.parse().ok()?;
        let (app_id, mch_id) = (self.get("wechat.app_id")?, self.get("wechat.mch_id")?);
        Some(v2::Merchant {
            before: self.changes.before(now),
            ..v2::Merchant::new(app_id, mch_id, key, self.sign_type())
        })
    }

    pub fn merchant_v3(&self, now: i64) -> Option<v3::Merchant> {
        let keys = self.v3.as_ref()?.as_ref().ok()?;
        Some(v3::Merchant::new(self.get("wechat.app_id")?, self.get("wechat.mch_id")?, keys.clone(), now))
    }

    /// What this version still needs to be filled in.
    pub fn missing(&self, api: Api) -> impl Iterator<Item = &'static Setting> {
        let keys = match api {
            Api::V2 => Group::PayV2,
            Api::V3 => Group::PayV3,
        };
        let needed = move |setting: &&Setting| {
            setting.choices.is_empty()
                && (setting.group == keys || ["wechat.app_id", "wechat.mch_id"].contains(&setting.name))
        };
        SETTINGS.iter().filter(needed).filter(|setting| self.get(setting.name).is_none())
    }

    /// What this version still lacks, in words for a place that names the version itself.
    pub fn lacks(&self, api: Api) -> Option<String> {
        let missing: Vec<&str> = self.missing(api).map(|setting| setting.label).collect();
        (!missing.is_empty()).then(|| format!("还缺 {}", missing.join("、")))
    }

    /// Why no money can be taken by this version, in words; `None` when everything is there and fits together.
    pub fn unready(&self, api: Api) -> Option<String> {
        let lacks = self.lacks(api).map(|lacks| format!("{} {lacks}", api.text()));
        lacks.or_else(|| self.v3_problem().filter(|_| api == Api::V3).map(str::to_owned))
    }

    /// The same with these values instead: to be looked at before they are stored.
    pub fn with<'v>(&self, values: impl Iterator<Item = (&'static str, &'v str)>) -> Settings {
        let mut next = self.clone();
        next.values.extend(values.map(|(name, value)| (name, value.to_owned())));
        next.terms = terms_of(&next.values);
        next.v3 = next.read_v3_keys();
        next
    }

    /// What is wrong with the keys of API v3, when all of them are there and do not fit together.
    pub fn v3_problem(&self) -> Option<&'static str> {
        self.v3_unfit().map(|unfit| unfit.words)
    }

    fn v3_unfit(&self) -> Option<v3::Unfit> {
        self.v3.as_ref().and_then(|keys| keys.as_ref().err().copied())
    }

    /// What keeps new payments in this version from being asked for: the settings to look at, and why.
    pub fn hindered(&self, api: Api) -> Option<(Vec<&'static str>, String)> {
        let mut names: Vec<&'static str> = self.missing(api).map(|setting| setting.name).collect();
        if let Some(why) = self.unready(api) {
            names.extend(self.v3_unfit().filter(|_| names.is_empty()).into_iter().flat_map(|unfit| unfit.parts).map(
                |part| match part {
                    v3::Part::V3Key => "wechat.v3_key",
                    v3::Part::Private => "wechat.mch_key",
                    v3::Part::Serial => "wechat.mch_serial",
                    v3::Part::Public => "wechat.public_key",
                },
            ));
            return Some((names, why));
        }
        let nowhere = || (vec!["shop.public_url"], "没有对外地址，微信无处通知付款结果".to_owned());
        self.notify_url(api).is_none().then(nowhere)
    }

    /// The refund certificate, or why it cannot be used; `None` while there is none.
    pub fn identity(&self) -> Option<Result<&ClientIdentity, &str>> {
        self.identity.as_ref().map(|read| read.as_ref().map_err(String::as_str))
    }

    /// Whether the certificate comes from files that the configuration names.
    pub fn identity_is_fixed(&self) -> bool {
        self.identity_fixed
    }

    /// How long after receipt buyers may ask for a refund.
    pub fn refund_window(&self) -> i64 {
        self.terms.refund_days * DAY
    }

    /// How long the shop may take to answer who wants to send something back, and to send others for what came.
    pub fn answer_window(&self) -> i64 {
        self.terms.answer_days * DAY
    }

    /// How long a buyer may take to send it, once the shop has agreed.
    pub fn send_back_window(&self) -> i64 {
        self.terms.send_days * DAY
    }

    /// How long it may be on its way until the shop has looked at it.
    pub fn receive_window(&self) -> i64 {
        self.terms.receive_days * DAY
    }

    /// Why things are sent back, for buyers to choose from.
    pub fn return_reasons(&self) -> Vec<&str> {
        reasons(self.get("shop.return_reasons").unwrap_or(REASONS)).collect()
    }

    /// Up to what sum a clerk may refund alone; `None` when a manager must always agree.
    pub fn clerk_refund_limit(&self) -> Option<Fen> {
        self.terms.clerk_refund_limit
    }

    /// The template of a subscribe message, by its setting.
    pub fn template(&self, name: &str) -> Option<Chosen> {
        self.get(name).and_then(Chosen::read)
    }

    /// Whether something that can be switched off is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name) != Some("no")
    }

    pub fn mini_program(&self) -> Option<MiniProgram> {
        Some(MiniProgram {
            app_id: self.get("wechat.app_id")?.to_owned(),
            app_secret: self.get("wechat.app_secret")?.to_owned(),
        })
    }
}

/// An empty value is none.
fn terms_of(values: &BTreeMap<&'static str, String>) -> Terms {
    Terms::read(|name| values.get(name).map(String::as_str).filter(|value| !value.is_empty()))
}

fn table(figment: &Figment, name: &str) -> Result<Dict, String> {
    match figment.find_value(name) {
        Ok(Value::Dict(_, dict)) => Ok(dict),
        Ok(_) => Err(format!("配置 {name} 应该是一张表，例如 ROCKET_{}={{key=\"…\"}}", name.to_uppercase())),
        Err(e) if e.missing() => Ok(Dict::new()),
        Err(e) => Err(format!("配置 {name} 读不出来: {e}")),
    }
}

/// figment reads `1900000109` as a number and `yes` as text: all of them are text to us.
fn text(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(_, text) => Ok(text.clone()),
        Value::Char(_, c) => Ok(c.to_string()),
        Value::Bool(_, yes) => Ok(if *yes { "yes" } else { "no" }.to_owned()),
        Value::Num(_, n) if !matches!(n, Num::F32(_) | Num::F64(_)) => {
            let signed = n.to_i128().map(|n| n.to_string());
            signed.or_else(|| n.to_u128().map(|n| n.to_string())).ok_or_else(|| format!("配置 {name} 请加上引号"))
        }
        // A key of digits alone would lose digits as a floating-point number.
        _ => Err(format!("配置 {name} 请加上引号，写成文本")),
    }
}

#[cfg(test)]
mod tests {
    use rocket::figment::providers::Serialized;

    use super::*;

    fn read(toml: &str) -> Result<Server, String> {
        let mut figment = Figment::new();
        for pair in toml.split(';').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap();
            let value: Value = value.parse().unwrap();
            figment = figment.merge(Serialized::default(key, value));
        }
        Server::from_figment(&figment)
    }

    #[test]
    fn numbers_and_text_are_both_taken_as_text() {
        let server = read("wechat={mch_id=1900000109, app_id=wxd930ea5d5a258f4f};shop={data_dir=x}").unwrap();
        assert_eq!(server.fixed["wechat.mch_id"], "1900000109");
        assert_eq!(server.data_dir, PathBuf::from("x"));
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (toml, named) in [
            ("wechat={api_key=\"short\"}", "wechat.api_key"),
            ("wechat={api_key=12345678901234567890123456789012345678901}", "wechat.api_key"),
            ("wechat={sign_type=\"RSA\"}", "wechat.sign_type"),
            ("wechat={mch_serial=\"zz\"}", "wechat.mch_serial 不正确"),
            ("wechat={mch_serial=\"5157F09EFDC096DE15EBE81A47057A7232F1B8E\"}", "wechat.mch_serial 不正确"),
            ("wechat={mch_serial=\"no/such.pem\"}", "文件 no/such.pem 读不出来"),
            ("wechat={app_idd=\"x\"}", "wechat.app_idd"),
            ("shop={pay_minutes=4}", "shop.pay_minutes"),
            ("shop={public_url=\"shop.example.com\"}", "shop.public_url"),
            ("shop={public_url=\"https://shop.example.com/?x\"}", "shop.public_url"),
        ] {
            let problem = read(toml).unwrap_err();
            assert!(problem.contains(named), "{toml}: {problem}");
        }
    }

    #[test]
    fn a_key_in_the_place_of_a_files_name_is_taken_or_refused_and_never_told() {
        let all: serde_json::Value = serde_json::from_str(include_str!("../../tests/vectors/wechat-v3.json")).unwrap();
        let key = all["merchant_private_key_pkcs8"].as_str().unwrap();
        assert_eq!(lines("wechat.mch_key", key).as_deref(), Ok(key));
        for (given, told) in [
            (&key.replace("-----", "")[..200], "不像文件名"),
            ("0123456789abcdef0123456789abcdef", "不像文件名"),
            ("keys/apiclient_key.pem", "keys/apiclient_key.pem"),
            ("apiclient_key.pem", "apiclient_key.pem"),
        ] {
            assert!(lines("wechat.mch_key", given).unwrap_err().contains(told), "{given}");
        }
    }

    #[test]
    fn bringing_goods_costs_its_own_fee() {
        let values = BTreeMap::from([("shop.local_freight", "5".into()), ("shop.free_freight_from", "99".into())]);
        let settings = Settings { terms: terms_of(&values), values, ..Settings::default() };
        let fen = |n| Fen::new(n).unwrap();
        assert_eq!((settings.local_freight(fen(9899)).0, settings.local_freight(fen(9900)).0), (fen(500), Fen::ZERO));
    }

    #[test]
    fn a_phone_of_the_shop_can_be_dialled() {
        let phone = setting_named("shop.phone").unwrap();
        for (value, fine) in
            [("400-000-0000", true), ("12345", true), ("139 0000 0000（微信同号）", true), ("abc", false)]
        {
            assert_eq!((phone.check)(value).is_ok(), fine, "{value}");
        }
    }

    #[test]
    fn a_setting_from_before_its_rule_is_kept_and_doubted() {
        let values = BTreeMap::from([
            ("shop.freight_regions", "偏远地区:20;新疆:25".into()),
            ("shop.phone", "400-000-0000".into()),
        ]);
        let settings = Settings { terms: terms_of(&values), values, ..Settings::default() };
        let doubts: Vec<_> = settings.doubts().into_iter().map(|(setting, why)| (setting.name, why)).collect();
        assert!(matches!(&doubts[..], [("shop.freight_regions", why)] if why.contains("偏远地区")), "{doubts:?}");
    }

    #[test]
    fn freight_is_free_from_a_sum_on() {
        let values = BTreeMap::from([("shop.freight", "8".into()), ("shop.free_freight_from", "99".into())]);
        let settings = Settings { terms: terms_of(&values), values, ..Settings::default() };
        let fen = |n| Fen::new(n).unwrap();
        for (goods, fee) in [(9899, fen(800)), (9900, Fen::ZERO)] {
            assert_eq!(settings.freight(fen(goods)).0, fee, "{goods}");
        }
        assert_eq!(settings.freight_text(), "运费 ¥8.00，满 ¥99.00 包邮");
    }
}
