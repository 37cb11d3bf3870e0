//! `xiaopu simulate-wechat`: the simulated WeChat alone.

use clap::Args;

use super::{Outcome, figment, launch};
use crate::clock::Clock;
use crate::nonce::Nonces;
use crate::simulator::Simulator;
use crate::wechat::v2::Merchant;

#[derive(Args)]
pub struct SimulateWechat {
    /// 监听的端口（只在 127.0.0.1）
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
}

impl SimulateWechat {
    pub async fn run(self) -> Outcome {
        let key = self.api_key.parse().map_err(|()| "API 密钥应为 32 位字母和数字")?;
        let sign_type = self.sign_type.parse().map_err(|()| "签名方式只能是 MD5 或 HMAC-SHA256")?;
        let merchant = Merchant::new(&self.app_id, &self.mch_id, key, sign_type);
        println!(
            "模拟微信已启动 http://127.0.0.1:{}（打开它可以安排各种故障）\n  app_id {}\n  app_secret {}\n  mch_id {}\n  api_key {}\n  sign_type {}",
            self.port,
            merchant.app_id,
            self.app_secret,
            merchant.mch_id,
            merchant.key.expose(),
            merchant.sign_type.name()
        );
        let simulator = Simulator::new(merchant, &self.app_secret, Clock::System, Nonces::Random);
        launch(simulator.rocket(figment().merge(("address", "127.0.0.1")).merge(("port", self.port)))).await
    }
}
