//! Going back to a backup.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::plain::Plain;
use super::room::room_to_go_back;
use super::{Account, BEFORE, Backup, lies_at, path, store};
use crate::clock;
use crate::db;
use crate::error::{Code, Error, Result};
use crate::payments::store as payments;
use crate::shop::Shop;

/// Names the backup that is to be taken up when the shop opens next, how it was when it was checked, and who asked for it.
const NEXT: &str = "restore.next";

/// A backup that the shop has gone back to, and who asked for that; nobody, when a person put it in line by hand.
pub struct TakenUp {
    pub file: String,
    pub who: String,
}

/// Puts a backup in line; it is taken up when the shop has closed and opens again.
pub fn line_up(shop: &Shop, backup: &Backup, who: &str) -> Result<()> {
    let bad = |e: &dyn std::fmt::Display| Error::from(Code::NotFound).says(format!("这份备份不能用来恢复：{e}"));
    let path = path(shop, backup);
    let stamp = stamp(&path).map_err(|e| bad(&e))?;
    let plain = Plain::of(&path, &shop.server.data_dir, "lined-up").map_err(|e| bad(&e))?;
    db::check(plain.path()).map_err(|e| bad(&e))?;
    let next = shop.server.data_dir.join(NEXT);
    let part = db::part_of(&next);
    let written =
        fs::write(&part, format!("{}\n{stamp}\n{who}", backup.file)).and_then(|()| db::put_in_place(&part, &next));
    written.map_err(|e| {
        log::error!("{}: {e}", next.display());
        Error::from(Code::Internal).says("写不进数据目录，没有恢复")
    })
}

/// Another one once anybody has written to the file.
fn stamp(file: &Path) -> std::io::Result<String> {
    let found = fs::metadata(file)?;
    Ok(format!("{} {} {}.{:09}", found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

pub fn is_lined_up(data_dir: &Path) -> bool {
    data_dir.join(NEXT).exists()
}

/// Takes up the backup that is in line, if there is one; the shop as it was is kept beside it. Nothing may have the
/// database open. `Err` is a sentence, and the shop is as it was.
pub fn take_up(data_dir: &Path, now: i64) -> std::result::Result<Option<TakenUp>, String> {
    let next = data_dir.join(NEXT);
    let Ok(named) = fs::read_to_string(&next) else { return Ok(None) };
    let mut lines = named.lines().chain(std::iter::repeat(""));
    let [file, checked, who] = [(); 3].map(|()| lines.next().unwrap_or_default().trim());
    // Whatever comes of it, it is tried once.
    fs::remove_file(&next).map_err(|e| format!("{}: {e}", next.display()))?;
    let backup = lies_at(&data_dir.join("backups").join(file));
    let plain = opened(data_dir, &backup)?;
    // It was checked when it was put in line.
    if stamp(&backup).ok().as_deref() != Some(checked) {
        sound(&plain, &backup)?;
    }
    bring_back(data_dir, plain, now)?;
    Ok(Some(TakenUp { file: file.to_owned(), who: who.to_owned() }))
}

/// Checks a backup and puts it in the database's place; nobody else may be using it. All sessions and invitations in it end:
/// who was shut out since must not come in again. Wherever this stops, the folder holds one whole shop.
pub fn replace(data_dir: &Path, backup: &Path, now: i64) -> std::result::Result<i64, String> {
    let plain = opened(data_dir, backup)?;
    let orders = sound(&plain, backup)?;
    bring_back(data_dir, plain, now)?;
    Ok(orders)
}

fn opened(data_dir: &Path, backup: &Path) -> std::result::Result<Plain, String> {
    room_to_go_back(data_dir, backup, 1).map_err(|words| format!("{words}。没有恢复"))?;
    Plain::of(backup, data_dir, "unpacked").map_err(|e| format!("{} 不能用来恢复：{e}", backup.display()))
}

/// How many orders are in it.
fn sound(plain: &Plain, backup: &Path) -> std::result::Result<i64, String> {
    db::check(plain.path()).map_err(|e| format!("{} 不能用来恢复：{e}", backup.display()))
}

fn bring_back(data_dir: &Path, backup: Plain, now: i64) -> std::result::Result<(), String> {
    let _alone = db::Alone::take(data_dir).map_err(|e| e.to_string())?;
    let database = data_dir.join("xiaopu.db");
    let kept = db::free_name(&database, &format!("{BEFORE}{}", clock::compact(now)));
    if database.exists() {
        db::keep_as(&database, &kept).map_err(|e| format!("原来的店铺存不下来，没有恢复：{e}"))?;
    }
    let part = db::part_of(&database);
    let outcome = put(backup, &part, &database, now);
    if outcome.is_err() {
        db::clear(&part);
        let _ = fs::remove_file(&kept);
    }
    outcome
}

fn put(backup: Plain, part: &Path, database: &Path, now: i64) -> std::result::Result<(), String> {
    let bad = |e: &dyn std::fmt::Display| format!("{} 写不进去，没有恢复：{e}", database.display());
    backup.bring(part).map_err(|e| bad(&e))?;
    fs::set_permissions(part, fs::Permissions::from_mode(0o600)).map_err(|e| bad(&e))?;
    let change =
        |conn: &rusqlite::Connection| store::end_all_sessions(conn).and_then(|()| payments::note_restored(conn, now));
    db::change_copy(part, change).map_err(|e| bad(&e))?;
    // Of the database that is kept: it holds nothing more, and must not be found beside the other one.
    for leftover in ["xiaopu.db-wal", "xiaopu.db-shm"] {
        let _ = fs::remove_file(database.with_file_name(leftover));
    }
    db::put_in_place(part, database).map_err(|e| bad(&e))
}

/// What going back would do to the accounts, in words: whoever was shut out since would be let in again.
pub fn changed_accounts(then: &[Account], now: &[Account], role: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let mut changed = Vec::new();
    for old in then {
        let mut words = Vec::new();
        match now.iter().find(|account| account.name == old.name) {
            None => words.push(format!("现在没有这个账号，会变回{}", role(&old.role))),
            Some(today) => {
                if old.role != today.role {
                    words.push(format!("{} → {}", role(&today.role), role(&old.role)));
                }
                if old.disabled != today.disabled {
                    words.push(if old.disabled { "会停用" } else { "会重新启用" }.to_owned());
                }
                if old.password_hash != today.password_hash {
                    words.push("密码会变回当时的".to_owned());
                }
                if old.totp != today.totp {
                    words.push(if old.totp { "会有当时的两步验证" } else { "会没有两步验证" }.to_owned());
                }
            }
        }
        if !words.is_empty() {
            changed.push((old.name.clone(), words.join("，")));
        }
    }
    let gone = now.iter().filter(|today| then.iter().all(|old| old.name != today.name));
    changed.extend(gone.map(|today| (today.name.clone(), "当时还没有，会消失".to_owned())));
    changed
}
