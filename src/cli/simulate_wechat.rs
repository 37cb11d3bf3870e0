//! `xiaopu simulate-wechat`: the simulated WeChat alone.

use std::path::Path;

use clap::Args;

use super::{Outcome, figment, launch};
use crate::clock::Clock;
use crate::nonce::Nonces;
use crate::simulator::Simulator;
use crate::simulator::v3::Keys;
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
    /// 也说 API v3：新做的商户私钥、微信支付公钥等写到这个目录
    #[arg(long)]
    v3_keys: Option<std::path::PathBuf>,
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
        if let Some(folder) = &self.v3_keys {
            let keys = Keys::make(&Nonces::Random);
            simulator.with_v3(&keys)?;
            println!("{}", write_keys(&keys, folder).map_err(|e| format!("{} 写不进去：{e}", folder.display()))?);
        }
        launch(simulator.rocket(figment().merge(("address", "127.0.0.1")).merge(("port", self.port)))).await
    }
}

/// What a merchant would get from WeChat's console, as files; answers with what to configure.
fn write_keys(keys: &Keys, folder: &Path) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let (private, public) = (folder.join("apiclient_key.pem"), folder.join("pub_key.pem"));
    std::fs::write(&private, &keys.merchant.private)?;
    std::fs::write(&public, &keys.platform.public)?;
    Ok(format!(
        "API v3（{} 里的文件只用于测试）\n  v3_key {}\n  mch_key {}\n  mch_serial {}\n  public_key {}\n  public_key_id {}",
        folder.display(),
        keys.v3_key,
        private.display(),
        keys.serial,
        public.display(),
        keys.public_id
    ))
}
