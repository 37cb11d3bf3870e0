//! `xiaopu backup` and `restore`: the whole shop as one file, checked before it is believed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Outcome, figment};
use crate::clock::Clock;
use crate::clock::compact;
use crate::db::{self, InstanceLock};
use crate::settings::Server;

#[derive(Args)]
pub struct Backup {
    /// 备份文件；已存在时不会覆盖
    file: PathBuf,
}

#[derive(Args)]
pub struct Restore {
    /// 备份文件
    file: PathBuf,
    /// 数据目录里已有店铺时也恢复；原来的会另存
    #[arg(long)]
    force: bool,
}

fn server() -> Result<Server, String> {
    Server::from_figment(&figment())
}

impl Backup {
    /// Works beside a running shop: one moment of it, compact.
    pub async fn run(self) -> Outcome {
        let database = server()?.data_dir.join("xiaopu.db");
        if self.file.exists() {
            return Err(format!("{} 已存在，请换一个文件名", self.file.display()));
        }
        // Under another name until it is checked: half a backup must not look like one.
        let part = self.file.with_extension("part");
        let _ = fs::remove_file(&part);
        let copied = db::copy_into(&database, &part).and_then(|()| db::check(&part));
        let orders = match copied {
            Ok(orders) => orders,
            Err(e) => {
                let _ = fs::remove_file(&part);
                return Err(format!("没有备份成功：{e}"));
            }
        };
        put_in_place(&part, &self.file)?;
        println!("✓ 已备份并校验：{}（{orders} 笔订单）", self.file.display());
        println!(
            "  微信密钥在备份里是加密的，解密用的 secret.key 请另外保管：{}",
            database.with_file_name("secret.key").display()
        );
        Ok(())
    }
}

impl Restore {
    pub async fn run(self) -> Outcome {
        let server = server()?;
        let orders = db::check(&self.file).map_err(|e| format!("{} 不能用来恢复：{e}", self.file.display()))?;
        let _lock = InstanceLock::take(&server.data_dir).map_err(|e| e.to_string())?;
        let database = server.data_dir.join("xiaopu.db");
        if database.exists() {
            if !self.force {
                return Err(format!(
                    "{} 里已有店铺。确定要替换请加 --force（原来的会另存）",
                    server.data_dir.display()
                ));
            }
            let kept = database.with_file_name(format!("before-restore-{}.db", compact(Clock::System.now())));
            db::copy_into(&database, &kept).map_err(|e| format!("原来的店铺存不下来，没有恢复：{e}"))?;
            println!("  原来的店铺已另存为 {}", kept.display());
        }
        let part = database.with_extension("part");
        fs::copy(&self.file, &part).map_err(|e| format!("复制失败：{e}"))?;
        for leftover in ["xiaopu.db-wal", "xiaopu.db-shm"] {
            let _ = fs::remove_file(database.with_file_name(leftover));
        }
        put_in_place(&part, &database)?;
        println!(
            "✓ 已恢复：{orders} 笔订单。备份之后的付款会由微信的重复通知和主动查单补上；请运行 xiaopu doctor 检查"
        );
        Ok(())
    }
}

/// On disk before it has its name.
fn put_in_place(part: &Path, file: &Path) -> Outcome {
    let write = || {
        File::open(part)?.sync_all()?;
        fs::rename(part, file)
    };
    write().map_err(|e| format!("{} 写不进去：{e}", file.display()))
}
