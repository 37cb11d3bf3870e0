//! `xiaopu new-key`: the key file is lost for good. What was sealed with it is forgotten, and has to be given again.

use super::{Outcome, figment};
use crate::db::{Db, InstanceLock, Tx};
use crate::error::Error;
use crate::nonce::Nonces;
use crate::say::tell;
use crate::secrets::SecretKey;
use crate::settings::{Server, store};
use crate::staff::store as staff;

pub async fn run() -> Outcome {
    let server = Server::from_figment(&figment())?;
    let _lock = InstanceLock::take(&server.data_dir).map_err(|e| e.to_string())?;
    if server.data_dir.join("secret.key").exists() {
        return Err("secret.key 还在，没有改动".into());
    }
    let db = Db::open(&server.data_dir).map_err(|e| e.to_string())?;
    let forget = move |tx: &Tx| {
        let names = store::forget_sealed(tx)?;
        staff::insert_audit(tx, None, "命令行", "", "secret.key 丢失，换了新的；封存的密钥要重新填写")?;
        Ok(names)
    };
    let names = db.write::<_, Error>(forget).await.map_err(|e| e.message())?;
    SecretKey::load(&server.data_dir, &Nonces::Random, false).map_err(|e| format!("secret.key 写不进去：{e}"))?;
    tell!("✓ 已换新的 secret.key。请到后台设置页重新填写：{}；两步验证也要重新开启", names.join("、"));
    Ok(())
}
