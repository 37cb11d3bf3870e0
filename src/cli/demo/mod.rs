//! `xiaopu demo`: a whole shop on this machine, with made-up goods and a simulated WeChat.

mod history;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::{Outcome, PORT, figment, free_port, keep_open, launch, say_whether, take_up};
use crate::catalogue::{samples, store};
use crate::clock::Clock;
use crate::db::{InstanceLock, Tx};
use crate::nonce::Nonces;
use crate::say::tell;
use crate::settings::Server;
use crate::shop::{Opening, Shop};
use crate::simulator::v3::Keys;
use crate::simulator::{Simulator, refuse_real};
use crate::staff::{Role, password, store as staff};
use crate::wechat::Api;

pub const APP_ID: &str = "wx0000000000000demo";
pub const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const MCH_ID: &str = "1900000000";
pub const API_KEY: &str = "DemoKeyForTheSimulatedWeChatOnly";
const ACCOUNT: &str = "demo";

#[derive(Args)]
pub struct Demo {
    /// 清空上次的演示数据，重新开始
    #[arg(long)]
    fresh: bool,
    /// 演示店和模拟微信用哪个版本的微信支付接口：v2 或 v3
    #[arg(long, default_value = "v2")]
    api: String,
}

impl Demo {
    pub async fn run(self) -> Outcome {
        let figment = figment();
        let mut server = Server::from_figment(&figment)?;
        refuse_real(&server.fixed)?;
        let address: IpAddr = figment.extract_inner("address").map_err(|e| format!("配置 address 不正确: {e}"))?;
        if !address.is_loopback() {
            return Err(format!("演示只能在本机运行，不能监听 {address}。请去掉 ROCKET_ADDRESS"));
        }
        server.data_dir = server.data_dir.join("demo");
        let _lock = InstanceLock::take(&server.data_dir).map_err(|e| e.to_string())?;
        if self.fresh {
            clear(&server.data_dir)?;
        }
        let port =
            free_port(address, figment.extract_inner("port").map_err(|e| format!("配置 port 不正确: {e}"))?, PORT)?;
        let simulator_port =
            free_port(address, port.checked_add(1).unwrap_or(0), PORT).or_else(|_| free_port(address, 0, PORT))?;
        let (here, simulator_url) = (url(address, port), url(address, simulator_port));
        server.pay_url.clone_from(&simulator_url);
        server.api_url.clone_from(&simulator_url);
        server.robots_url = Some(simulator_url.clone());
        for (name, value) in [
            ("shop.public_url", here.as_str()),
            ("wechat.app_id", APP_ID),
            ("wechat.app_secret", APP_SECRET),
            ("wechat.mch_id", MCH_ID),
            ("wechat.api_key", API_KEY),
            ("wechat.sign_type", "HMAC-SHA256"),
        ] {
            server.fixed.insert(name, value.to_owned());
        }
        let api: Api = self.api.parse().map_err(|()| "--api 只能是 v2 或 v3")?;
        let keys = (api == Api::V3).then(|| Keys::make(&Nonces::Random));
        if let Some(keys) = &keys {
            server.fixed.extend(fixed_v3(keys));
        }
        let clock = Clock::movable();
        let opening = Opening { demo: Some(simulator_url.clone()), clock: clock.clone(), ..Opening::default() };
        let taken = take_up(&server)?;
        let shop = Shop::open(server, opening.clone()).await?;
        say_whether(&shop, Ok(taken)).await;
        let (password, new) = furnish(&shop).await?;
        let merchant = shop.merchant_v2().ok_or("演示设置不完整")?;
        let simulator = Simulator::new(merchant, APP_SECRET, clock.clone(), Nonces::Random)
            .kept_in(shop.server.data_dir.join("wechat.json"))?;
        if let Some(keys) = &keys {
            simulator.with_v3(keys)?;
        }
        let simulated = tokio::spawn(launch(simulator.rocket(figment.clone().merge(("port", simulator_port)))));
        if new {
            tell!("正在准备两周的演示数据…");
            listens(address, simulator_port).await?;
            history::live_through(&shop, &simulator, &clock, ACCOUNT).await.map_err(|e| e.message())?;
        }
        tell!("小铺演示已启动（只在本机，数据在 {}）", shop.server.data_dir.display());
        tell!("  手机店面  {here}/");
        tell!("  店铺后台  {here}/admin    账号 {ACCOUNT}    密码 {password}");
        tell!("  接口文档  {here}/api/docs");
        tell!("  模拟微信  {simulator_url}/    可以安排故障、改退款结果");
        tell!("按 Ctrl+C 结束；xiaopu demo --fresh 重新开始。");
        let shop = keep_open(shop, figment.merge(("port", port)), opening, String::new());
        let (simulated, shop) = tokio::join!(simulated, shop);
        simulated.map_err(|e| e.to_string())?.and(shop)
    }
}

/// The settings of a shop that speaks API v3 with a simulator that has these keys.
fn fixed_v3(keys: &Keys) -> [(&'static str, String); 6] {
    [
        ("wechat.api", Api::V3.word().to_owned()),
        ("wechat.v3_key", keys.v3_key.clone()),
        ("wechat.mch_key", keys.merchant.private.clone()),
        ("wechat.mch_serial", keys.serial.clone()),
        ("wechat.public_key", keys.platform.public.clone()),
        ("wechat.public_key_id", keys.public_id.clone()),
    ]
}

fn url(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(ip) => format!("http://{ip}:{port}"),
        IpAddr::V6(ip) => format!("http://[{ip}]:{port}"),
    }
}

/// Waits until the simulated WeChat answers.
async fn listens(address: IpAddr, port: u16) -> Outcome {
    for _ in 0..200 {
        if tokio::net::TcpStream::connect((address, port)).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Err(format!("模拟微信没有在端口 {port} 启动"))
}

/// Only what the demo itself has made; the lock stays held.
fn clear(folder: &Path) -> Result<(), String> {
    for name in ["xiaopu.db", "xiaopu.db-wal", "xiaopu.db-shm", "secret.key", "wechat.json"] {
        match std::fs::remove_file(folder.join(name)) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(format!("清不掉 {name}: {e}")),
        }
    }
    // They belong to the shop that is gone, and would be found again.
    match std::fs::remove_dir_all(folder.join("backups")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("清不掉 backups: {e}")),
        _ => Ok(()),
    }
}

/// Fills an empty demo, and gives its account a new password each time. True when it was empty.
async fn furnish(shop: &Shop) -> Result<(String, bool), String> {
    let samples = samples::read().await.map_err(|e| e.message())?;
    let password = shop.nonces.token()[..12].to_owned();
    let hash = password::hash(password.clone()).await.map_err(|e| e.message())?;
    let write = move |tx: &Tx| {
        if !staff::set_password(tx, ACCOUNT, &hash)? {
            staff::insert(tx, ACCOUNT, Role::Owner, &hash)?;
        }
        if store::any_product(tx)? {
            return Ok(false);
        }
        for (name, value) in &samples.settings {
            crate::settings::store::put(tx, name, &crate::settings::store::Stored::Plain(value.clone()))?;
        }
        samples.put_as_sold(tx)?;
        Ok(true)
    };
    let new = shop.write(write).await.map_err(|e| e.message())?;
    shop.reload_settings().await.map_err(|e| e.to_string())?;
    Ok((password, new))
}
