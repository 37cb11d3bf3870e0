//! `xiaopu replay`: today's program over yesterday's notices, on a copy that is thrown away.

use std::fs;
use std::path::PathBuf;

use super::{Outcome, figment};
use crate::db;
use crate::payments::replay;
use crate::say::{complain, tell};
use crate::settings::Server;
use crate::shop::{Opening, Shop};

/// The copy's folder, removed when it goes out of scope.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_dir_all(&self.0) {
            complain!("副本 {} 没有删掉，请手工删除：{e}", self.0.display());
        }
    }
}

pub async fn run() -> Outcome {
    let server = Server::from_figment(&figment())?;
    let database = server.data_dir.join("xiaopu.db");
    if !database.exists() {
        return Err(format!("{} 里还没有店铺", server.data_dir.display()));
    }
    let folder = server.data_dir.join(format!("replay-{}", std::process::id()));
    fs::create_dir(&folder).map_err(|e| format!("副本建不起来：{e}"))?;
    let scratch = Scratch(folder);
    db::copy_into(&database, &scratch.0.join("xiaopu.db")).map_err(|e| format!("副本建不起来：{e}"))?;
    // The copy's secrets open with the same key.
    fs::copy(server.data_dir.join("secret.key"), scratch.0.join("secret.key"))
        .map_err(|e| format!("secret.key: {e}"))?;
    let copy = Shop::open(Server { data_dir: scratch.0.clone(), ..server }, Opening::default()).await?;
    let replayed = replay::run(&copy).await.map_err(|e| e.message())?;
    drop(copy);
    tell!("重放了 {} 条支付通知（在副本上，店铺没有改动）", replayed.notices);
    if replayed.unknown_key > 0 {
        tell!("  {} 条是用已不再保存的旧密钥签名的，无法重放", replayed.unknown_key);
    }
    for change in &replayed.changes {
        tell!("✗ 消息 {} {} {}", change.message, change.at, change.out_trade_no);
        tell!("    当时  {}", change.then);
        tell!("    {}", change.now);
    }
    match replayed.changes.len() {
        0 => {
            tell!("✓ 没有任何不同");
            Ok(())
        }
        n => Err(format!("{n} 条通知的结果会不同，请核对后再决定")),
    }
}
