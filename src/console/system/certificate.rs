//! The refund certificate: uploaded as WeChat's PEM pair, checked at once, its key sealed.

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, post, routes};
use serde::Serialize;
use tokio::io::AsyncReadExt;

use crate::clock;
use crate::console::back;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::settings::certificate::Standing;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Owner, Staff};
use crate::wechat::certificate::ClientIdentity;
use crate::wechat::{Account, Api};

pub fn routes() -> Vec<Route> {
    routes![upload]
}

/// A PEM file of WeChat's is about 2 KiB.
const MAX_PEM: u64 = 64 * 1024;

/// What is wrong with the certificate, or soon will be.
pub fn warning(shop: &Shop) -> Option<String> {
    if shop.wechat.is_simulated() {
        return None;
    }
    let (settings, now) = (shop.settings(), shop.now());
    let account = shop.account()?;
    match settings.certificate(Some(account.mch_id()), now) {
        // API v3 refunds without one.
        Standing::Missing if account.api() == Api::V3 => None,
        standing => standing.problem(now),
    }
}

/// How it stands, in a word or two, for whoever only wants to know whether something must be done; `None` when it must.
pub fn word(shop: &Shop) -> Option<&'static str> {
    let (settings, now) = (shop.settings(), shop.now());
    let account = shop.account();
    match settings.certificate(account.as_ref().map(Account::mch_id), now) {
        _ if shop.wechat.is_simulated() => Some("模拟微信不需要"),
        Standing::Missing if settings.api() == Api::V3 => Some("API v3 不需要"),
        Standing::Missing if account.is_none() => Some("设好微信支付再看"),
        Standing::Good(_) => Some("有效"),
        _ => None,
    }
}

/// What the settings page and the set-up show of it.
#[derive(Serialize)]
pub struct CertificateShown {
    /// None while there is none that can be read.
    facts: Option<FactsShown>,
    warning: Option<String>,
    fixed: bool,
    simulated: bool,
    unneeded: bool,
}

#[derive(Serialize)]
struct FactsShown {
    mch_id: String,
    name: String,
    serial: String,
    from: String,
    until: String,
    /// How long it is good for.
    left: String,
}

pub fn shown(shop: &Shop) -> CertificateShown {
    let settings = shop.settings();
    let facts = settings.identity().and_then(std::result::Result::ok).map(|identity| {
        let facts = &identity.facts;
        FactsShown {
            mch_id: facts.mch_id.clone(),
            name: facts.name.clone(),
            serial: facts.serial.clone(),
            from: clock::shown(facts.not_before),
            until: clock::shown(facts.not_after),
            left: clock::span(facts.not_after - shop.now()),
        }
    });
    CertificateShown {
        facts,
        warning: warning(shop),
        fixed: settings.identity_is_fixed(),
        simulated: shop.wechat.is_simulated(),
        unneeded: settings.api() == Api::V3,
    }
}

#[cfg(test)]
impl CertificateShown {
    pub fn sample(there: bool) -> CertificateShown {
        let facts = FactsShown {
            mch_id: "1900000109".into(),
            name: "草莓园".into(),
            serial: "00FF".into(),
            from: "2026-01-01 00:00:00".into(),
            until: "2031-01-01 00:00:00".into(),
            left: "4 年".into(),
        };
        let warning = (!there).then(|| "证书快到期了".into());
        CertificateShown { facts: there.then_some(facts), warning, fixed: there, simulated: false, unneeded: !there }
    }
}

#[derive(FromForm)]
struct Pair<'r> {
    cert: TempFile<'r>,
    key: TempFile<'r>,
}

#[post("/settings/certificate?<step>", data = "<pair>")]
async fn upload(shop: &State<Shop>, owner: Owner, step: Option<u8>, pair: Form<Pair<'_>>) -> Flash<Redirect> {
    let done = keep(shop, &owner.0, &pair).await;
    back(step.map_or_else(|| super::card_of("certificate"), super::here), done)
}

async fn keep(shop: &Shop, owner: &Staff, pair: &Pair<'_>) -> Result<String> {
    if shop.settings().identity_is_fixed() {
        return Err(Error::field("cert", "证书由 Rocket.toml 或环境变量指定，请在那里修改"));
    }
    let (cert, key) = (text(&pair.cert, "证书").await?, text(&pair.key, "私钥").await?);
    let identity = ClientIdentity::read(&cert, &key).map_err(|problem| Error::field("cert", problem))?;
    let (facts, now) = (identity.facts.clone(), shop.now());
    if facts.not_after <= now {
        let words = format!("这张证书已在 {} 过期，请在商户平台更换后上传新的", clock::shown(facts.not_after));
        return Err(Error::field("cert", words));
    }
    if let Some(account) = shop.account().filter(|account| account.mch_id() != facts.mch_id) {
        let words =
            format!("证书是商户号 {} 的，设置的商户号是 {}，请上传这个商户的证书", facts.mch_id, account.mch_id());
        return Err(Error::field("cert", words));
    }
    let sealed = Settings::sealed_key(&identity, &shop.key, &shop.nonces);
    let (cert, owner) = (identity.cert_pem().to_owned(), owner.clone());
    let what = format!("上传退款证书（商户号 {}，序列号 {}）", facts.mch_id, facts.serial);
    let write = move |tx: &Tx| {
        Settings::save_identity(tx, &cert, &sealed)?;
        Ok(audit(tx, &owner, &what)?)
    };
    shop.write(write).await?;
    shop.reload_settings().await?;
    Ok(format!("证书已保存：商户号 {}，有效期至 {}，私钥匹配", facts.mch_id, clock::shown(facts.not_after)))
}

async fn text(file: &TempFile<'_>, label: &str) -> Result<String> {
    let problem = |words: &str| Error::field("cert", format!("{label}文件{words}"));
    if file.len() == 0 {
        return Err(problem("没有选择，请同时选择 apiclient_cert.pem 和 apiclient_key.pem"));
    }
    if file.len() > MAX_PEM {
        return Err(problem("太大，不像是 PEM 文件"));
    }
    let mut text = String::new();
    let mut open = file.open().await.map_err(|_| problem("没有传完整，请重试"))?;
    open.read_to_string(&mut text).await.map_err(|_| problem("不是文本：请上传 .pem，不是 .p12"))?;
    Ok(text)
}
