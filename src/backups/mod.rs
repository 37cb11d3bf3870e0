//! Backups: made every night, proven by opening them, kept for two weeks and a year of months, and taken up again.

mod adopt;
pub mod make;
pub mod plain;
mod rehearsal;
pub mod restore;
pub mod room;
pub mod sealed;
pub mod store;

use std::fs;
use std::path::{Path, PathBuf};

use crate::clock;
use crate::db;
use crate::ids::BackupId;
use crate::shop::Shop;

/// What the shop that was gone back from is called, with the time behind it.
const BEFORE: &str = "before-restore-";

/// A backup, and what opening it proved.
#[derive(Clone, Debug)]
pub struct Backup {
    pub id: BackupId,
    pub at: i64,
    pub file: String,
    pub bytes: i64,
    pub orders: i64,
    /// The moment of its last order.
    pub last_order_at: Option<i64>,
    pub took_ms: i64,
    /// Why it cannot be relied on; empty when it can.
    pub problem: String,
    /// The rule that did not hold in the shop at that moment; empty when all did. Going back to it is no worse than the shop.
    pub broken: String,
    pub who: String,
}

/// Where the backups of this shop lie.
pub fn folder(shop: &Shop) -> PathBuf {
    shop.server.data_dir.join("backups")
}

/// Where it lies now: under its own name, or packed beside that.
pub fn path(shop: &Shop, backup: &Backup) -> PathBuf {
    lies_at(&folder(shop).join(&backup.file))
}

fn lies_at(backup: &Path) -> PathBuf {
    let packed = plain::packed(backup);
    if !backup.exists() && packed.exists() { packed } else { backup.to_owned() }
}

/// When a backup was made, by the name of its file.
pub fn made_at(file: &str) -> Option<i64> {
    clock::from_compact(file.strip_prefix("xiaopu-")?.split('-').next()?)
}

/// Takes away what a process left half when it ended. Nobody else may be using the folder.
pub fn sweep(data_dir: &Path) {
    for folder in [data_dir.to_owned(), data_dir.join("backups")] {
        let Ok(files) = fs::read_dir(&folder) else { continue };
        for file in files.flatten() {
            let half = file
                .file_name()
                .to_string_lossy()
                .split_once(".part")
                .is_some_and(|(_, rest)| rest.is_empty() || ["-journal", "-wal", "-shm"].contains(&rest));
            // The second name of a database whose place no other took.
            let is_twin = file.file_name().to_string_lossy().starts_with(BEFORE)
                && db::is_same(&file.path(), &data_dir.join("xiaopu.db"));
            if half || is_twin {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// An account as it was in a backup, or is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub role: String,
    pub disabled: bool,
    password_hash: String,
    totp: bool,
}
