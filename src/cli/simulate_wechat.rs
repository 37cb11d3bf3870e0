//! `xiaopu simulate-wechat`: the simulated WeChat alone.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use clap::Args;
use rocket::fairing::AdHoc;
use rocket::figment::Figment;

use super::{Outcome, figment, free_port, launch};
use crate::clock::Clock;
use crate::nonce::Nonces;
use crate::say::tell;
use crate::simulator::Simulator;
use crate::simulator::v3::Keys;
use crate::simulator::v3::folder::{PRIVATE, PUBLIC};
use crate::wechat::v2::Merchant;

/// For whoever tests another program, or another SDK, against it.
const HELP: &str = "\
用别的程序或 SDK 测试（怎样接 wechatpy、tenpay、wechatpay-axios-plugin、wechatpayv3，见 examples/simulated-wechat.md）：
  1. 把 SDK 的 https://api.mch.weixin.qq.com（API v2；API v3 是它的 /v3/…，备用的 api2.mch.weixin.qq.com 也一样）
     和 https://api.weixin.qq.com 换成这里的地址，填上启动时显示的各项；API v3 要加 --v3-keys 目录，密钥第一次启动时做好，以后接着用
  2. notify_url 写本机地址（http://127.0.0.1:…），模拟微信只通知本机
  3. GET  /simulator/login?user=alice      得到 wx.login 的 code
     POST /simulator/pay                   {\"prepayId\":\"wx…\",\"way\":\"well\"}，买家付款；通知随即发出，15 秒后再发
     POST /simulator/faults                {\"kind\":\"refund\",\"fault\":\"lose_answer\",\"times\":1}
     PUT  /simulator/ways                  {\"closesEarly\":true,\"billWaits\":false}
     GET  /simulator/state                 它知道的一切
退款要证书时加 --tls 目录；目录用 examples/simulated-certificates 做。";

#[derive(Args)]
#[command(after_long_help = HELP)]
pub struct SimulateWechat {
    /// 监听的端口（只在 127.0.0.1），0 是任意一个空着的
    #[arg(long)]
    port: u16,
    #[arg(long, default_value = super::demo::APP_ID)]
    app_id: String,
    #[arg(long, default_value = super::demo::APP_SECRET)]
    app_secret: String,
    #[arg(long, default_value = super::demo::MCH_ID)]
    mch_id: String,
    #[arg(long, default_value = super::demo::API_KEY)]
    api_key: String,
    /// MD5 或 HMAC-SHA256
    #[arg(long, default_value = "MD5")]
    sign_type: String,
    /// 也说 API v3：商户私钥、微信支付公钥等写到这个目录，有上次做的就接着用，不覆盖别的文件
    #[arg(long)]
    v3_keys: Option<PathBuf>,
    /// 用 TLS，退款要看商户证书：目录里有 server.pem、server.key，和签发商户证书的 ca.pem（证书的 CN 是商户号）
    #[arg(long)]
    tls: Option<PathBuf>,
}

impl SimulateWechat {
    pub async fn run(self) -> Outcome {
        let key = self.api_key.parse().map_err(|()| "API 密钥应为 32 位字母和数字")?;
        let sign_type = self.sign_type.parse().map_err(|()| "签名方式只能是 MD5 或 HMAC-SHA256")?;
        let merchant = Merchant::new(&self.app_id, &self.mch_id, key, sign_type);
        // Nothing is written for a port that cannot be had.
        let port = free_port(Ipv4Addr::LOCALHOST.into(), self.port, "--port")?;
        let figment = figment().merge(("address", "127.0.0.1")).merge(("port", port));
        let (scheme, figment) = match &self.tls {
            Some(folder) => ("https", with_tls(figment, folder)?),
            None => ("http", figment),
        };
        let mut words = format!(
            "模拟微信已启动 {scheme}://127.0.0.1:{port}（打开它可以安排各种故障）\n  app_id {}\n  app_secret {}\n  mch_id {}\n  api_key {}\n  sign_type {}",
            merchant.app_id,
            self.app_secret,
            merchant.mch_id,
            merchant.key.expose(),
            merchant.sign_type.name()
        );
        let simulator = Simulator::new(merchant, &self.app_secret, Clock::System, Nonces::Random);
        if let Some(folder) = &self.v3_keys {
            let keys = Keys::kept_in(folder, &Nonces::Random)?;
            simulator.with_v3(&keys)?;
            words = format!("{words}\n{}", shown(&keys, folder));
        }
        let says = AdHoc::on_liftoff("words", |_| Box::pin(async move { tell!("{words}") }));
        launch(simulator.rocket(figment).attach(says)).await
    }
}

/// Everybody is asked for a certificate, and let in without one: refunds alone want it, as at the real one.
fn with_tls(figment: Figment, folder: &Path) -> Result<Figment, String> {
    let file = |name: &str| match folder.join(name) {
        path if path.is_file() => Ok(path.display().to_string()),
        path => Err(format!("没有 {}：用 examples/simulated-certificates 做一份", path.display())),
    };
    Ok(figment
        .merge(("tls.certs", file("server.pem")?))
        .merge(("tls.key", file("server.key")?))
        .merge(("tls.mutual.ca_certs", file("ca.pem")?))
        .merge(("tls.mutual.mandatory", false)))
}

/// What a merchant would get from WeChat's console: what to configure.
fn shown(keys: &Keys, folder: &Path) -> String {
    format!(
        "API v3（{} 里的文件只用于测试）\n  v3_key {}\n  mch_key {}\n  mch_serial {}\n  public_key {}\n  public_key_id {}",
        folder.display(),
        keys.v3_key,
        folder.join(PRIVATE).display(),
        keys.serial,
        folder.join(PUBLIC).display(),
        keys.public_id
    )
}
