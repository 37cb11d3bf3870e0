//! `xiaopu backup` and `restore`: the whole shop as one file, checked before it is believed.

use std::fs::{self, File};
use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use super::{Outcome, ask_secret, figment};
use crate::backups::{self, sealed};
use crate::clock::Clock;
use crate::db::{self, InUse, InstanceLock};
use crate::say::{self, tell};
use crate::secrets;
use crate::settings::Server;

#[derive(Args)]
pub struct Backup {
    /// 备份文件；已存在时不会覆盖
    file: PathBuf,
}

#[derive(Args)]
pub struct Restore {
    /// 备份文件；压缩的（.gz）和加密的（.sealed）都行
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
        let data_dir = server()?.data_dir;
        let database = data_dir.join("xiaopu.db");
        let _in_use = database.exists().then(|| InUse::shared(&data_dir)).transpose().map_err(|e| e.to_string())?;
        if self.file.exists() {
            return Err(format!("{} 已存在，请换一个文件名", self.file.display()));
        }
        // Under another name until it is checked: half a backup must not look like one.
        let part = self.file.with_extension("unchecked");
        let copied = {
            let _shown = Progress::of(&db::part_of(&part), &database, "备份");
            db::copy_into(&database, &part).and_then(|()| db::check(&part))
        };
        let orders = match copied {
            Ok(orders) => orders,
            Err(e) => {
                db::clear(&part);
                return Err(format!("没有备份成功：{e}"));
            }
        };
        db::put_in_place(&part, &self.file).map_err(|e| format!("{} 写不进去：{e}", self.file.display()))?;
        tell!("✓ 已备份并校验：{}（{orders} 笔订单）", self.file.display());
        tell!(
            "  微信密钥在备份里是加密的，解密用的 secret.key 请另外保管：{}",
            database.with_file_name("secret.key").display()
        );
        Ok(())
    }
}

impl Restore {
    pub async fn run(self) -> Outcome {
        let server = server()?;
        let _lock = InstanceLock::take(&server.data_dir).map_err(|e| e.to_string())?;
        backups::sweep(&server.data_dir);
        let (backup, key) = self.opened(&server.data_dir)?;
        let outcome = self.put(&server.data_dir, &backup, key);
        if backup != self.file {
            let _ = fs::remove_file(&backup);
        }
        let orders = outcome?;
        tell!(
            "✓ 已恢复：{orders} 笔订单。备份之后的付款会由微信的重复通知和主动查单补上，退过的款会逐笔问微信，问清之前那些订单发货时会先问您；请运行 xiaopu doctor 检查"
        );
        Ok(())
    }
}

impl Restore {
    /// The database in the backup, and the key file when it was sealed: that one asks for its passphrase.
    fn opened(&self, data_dir: &Path) -> Result<(PathBuf, Option<Vec<u8>>), String> {
        let bad = |e: std::io::Error| format!("{} 读不出来：{e}", self.file.display());
        let mut magic = [0; sealed::MAGIC.len()];
        let mut file = File::open(&self.file).map_err(bad)?;
        if file.read_exact(&mut magic).is_err() || magic != *sealed::MAGIC {
            return Ok((self.file.clone(), None));
        }
        // Opened beside the shop before it is copied there.
        backups::room::room_to_go_back(data_dir, &self.file, 1).map_err(|words| format!("{words}。没有恢复"))?;
        let passphrase = ask_secret("备份口令")?;
        let clear = data_dir.join("restore.part");
        let file = File::open(&self.file).map_err(bad)?;
        let mut to = KeyFirst { key: Vec::new(), rest: File::create(&clear).map_err(bad)? };
        let opened = {
            let _shown = Progress::of(&clear, &self.file, "解密");
            sealed::open(&passphrase, file, &mut to)
        };
        opened.map_err(|e| {
            let _ = fs::remove_file(&clear);
            match e.kind() {
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof => "口令不对，或文件被改动过；没有恢复".to_owned(),
                _ => format!("{} 写不进去，没有恢复：{e}", clear.display()),
            }
        })?;
        Ok((clear, Some(to.key)))
    }

    fn put(&self, data_dir: &Path, backup: &Path, key: Option<Vec<u8>>) -> Result<i64, String> {
        if data_dir.join("xiaopu.db").exists() && !self.force {
            return Err(format!("{} 里已有店铺。确定要替换请加 --force（原来的会另存）", data_dir.display()));
        }
        let orders = backups::restore::replace(data_dir, backup, Clock::System.now())?;
        if let Some(key) = key {
            let (file, kept) = (data_dir.join("secret.key"), data_dir.join("secret.key.before-restore"));
            if file.exists() {
                fs::rename(&file, &kept).map_err(|e| format!("{} 存不下来：{e}", kept.display()))?;
            }
            secrets::write_key(&file, &key).map_err(|e| format!("{} 写不进去：{e}", file.display()))?;
        }
        Ok(orders)
    }
}

/// Takes the first 32 bytes for itself and passes the rest on.
struct KeyFirst {
    key: Vec<u8>,
    rest: File,
}

impl Write for KeyFirst {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let missing = secrets::KEY_LENGTH - self.key.len();
        if missing == 0 {
            return self.rest.write(bytes);
        }
        let taken = missing.min(bytes.len());
        self.key.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.rest.sync_all()
    }
}

/// Shows on a terminal how far a file has grown towards the size of another.
struct Progress {
    done: Arc<AtomicBool>,
}

impl Progress {
    fn of(growing: &Path, whole: &Path, what: &'static str) -> Progress {
        let done = Arc::new(AtomicBool::new(false));
        if std::io::stderr().is_terminal() {
            let (growing, done) = (growing.to_owned(), done.clone());
            let whole = fs::metadata(whole).map_or(1, |file| file.len().max(1));
            std::thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let percent = (fs::metadata(&growing).map_or(0, |file| file.len()) * 100 / whole).min(99);
                    let bar = "█".repeat(percent as usize / 4);
                    say::part(format_args!("\r  {what} {percent:>3}% {bar:<25}"));
                    std::thread::sleep(Duration::from_millis(200));
                }
            });
        }
        Progress { done }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if std::io::stderr().is_terminal() {
            say::part(format_args!("\r{:50}\r", ""));
        }
    }
}
