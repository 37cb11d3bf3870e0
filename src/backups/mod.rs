//! Backups: made every night, proven by opening them, kept for two weeks and a year of months, and taken up again.

pub mod sealed;
pub mod store;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::clock::{self, DAY, Day, HOUR, MINUTE};
use crate::db::{self, Tx};
use crate::error::{Code, Error, Result};
use crate::ids::BackupId;
use crate::jobs::Ran;
use crate::payments::invariants;
use crate::shop::Shop;

/// Each night at this time of day, after the self-check.
const NIGHTLY: i64 = 4 * HOUR + 20 * MINUTE;
/// The newest are kept …
const KEPT: usize = 14;
/// … and of older ones the first of each month, this many.
const KEPT_MONTHS: usize = 12;
/// Names the backup that is to be taken up when the shop opens next.
const NEXT: &str = "restore.next";

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
    pub who: String,
}

/// Where the backups of this shop lie.
pub fn folder(shop: &Shop) -> PathBuf {
    shop.server.data_dir.join("backups")
}

pub fn path(shop: &Shop, backup: &Backup) -> PathBuf {
    folder(shop).join(&backup.file)
}

/// What is left on the disk of this folder, in bytes.
pub fn free_space(folder: &Path) -> Option<i64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)?.try_into().ok()
}

/// The nightly backup; a failure is tried again, and a person hears of it on every page that looks at backups.
pub async fn nightly(shop: &Shop) -> Result<Ran> {
    adopt(shop).await?;
    let now = shop.now();
    let due = Day::of(now).start() + NIGHTLY;
    let last = shop.db.read(|conn| Ok::<_, Error>(store::latest(conn, 1)?)).await?.pop();
    if now >= due && last.is_none_or(|last| last.at < due) {
        let made = make(shop, "每夜").await?;
        if !made.problem.is_empty() {
            return Ok(Ran::Failed(made.problem));
        }
    }
    Ok(Ran::Again { at: if now < due { due } else { due + DAY } })
}

/// Takes up files that the list does not know: whoever went back to an older moment has forgotten the backups since,
/// and must find them again.
async fn adopt(shop: &Shop) -> Result<()> {
    let known = shop.db.read(|conn| Ok::<_, Error>(store::latest(conn, 10_000)?)).await?;
    let folder = folder(shop);
    let look = move || {
        let Ok(files) = fs::read_dir(&folder) else { return Vec::new() };
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let mut lost: Vec<Backup> = names.filter_map(|file| found(&folder, &file, &known)).collect();
        lost.sort_by_key(|backup| backup.at);
        lost
    };
    let lost = tokio::task::spawn_blocking(look).await.map_err(|_| Code::Internal)?;
    if !lost.is_empty() {
        log::info!("{} backups were not on the list and are again", lost.len());
        let write = move |tx: &Tx| {
            for backup in &lost {
                if !store::knows(tx, &backup.file)? {
                    store::insert(tx, backup)?;
                }
            }
            Ok::<_, Error>(())
        };
        shop.db.write(write).await?;
    }
    Ok(())
}

fn found(folder: &Path, file: &str, known: &[Backup]) -> Option<Backup> {
    let at = clock::from_compact(file.strip_prefix("xiaopu-")?.split('-').next()?)?;
    if !file.ends_with(".backup") || known.iter().any(|backup| backup.file == file) {
        return None;
    }
    let path = folder.join(file);
    let proof = rehearse(&path);
    Some(Backup {
        id: BackupId(0),
        at,
        file: file.to_owned(),
        bytes: fs::metadata(&path).map_or(0, |file| file.len() as i64),
        orders: proof.as_ref().map_or(0, |proof| proof.orders),
        last_order_at: proof.as_ref().ok().and_then(|proof| proof.last_order_at),
        took_ms: 0,
        problem: proof.err().unwrap_or_default(),
        who: "找回".into(),
    })
}

/// Copies one moment of the shop, opens the copy, counts and checks it, and writes down what was found.
pub async fn make(shop: &Shop, who: &str) -> Result<Backup> {
    let (folder, now, who) = (folder(shop), shop.now(), who.to_owned());
    let second = shop.settings().get("shop.backup_dir").map(PathBuf::from);
    let database = shop.db.path().to_owned();
    let number: i64 = shop.nonces.below(1_000_000);
    let work = move || {
        let started = std::time::Instant::now();
        let file = format!("xiaopu-{}-{number:06}.backup", clock::compact(now));
        let made = copy(&database, &folder, &file);
        let found = made.and_then(|path| {
            let proof = rehearse(&path)?;
            if let Some(second) = second {
                copy_there(&path, &second.join(&file))
                    .map_err(|e| format!("第二位置 {} 写不进去：{e}", second.display()))?;
            }
            Ok(proof)
        });
        let bytes = fs::metadata(folder.join(&file)).map_or(0, |file| file.len() as i64);
        let took_ms = started.elapsed().as_millis() as i64;
        let (proof, problem) = match found {
            Ok(proof) => (proof, String::new()),
            Err(problem) => (Proof::default(), problem),
        };
        Backup {
            id: BackupId(0),
            at: now,
            file,
            bytes,
            orders: proof.orders,
            last_order_at: proof.last_order_at,
            took_ms,
            problem,
            who,
        }
    };
    let mut made = tokio::task::spawn_blocking(work).await.map_err(|_| Code::Internal)?;
    let row = made.clone();
    made.id = shop.db.write(move |tx: &Tx| Ok::<_, Error>(store::insert(tx, &row)?)).await?;
    match made.problem.is_empty() {
        true => log::debug!("backup {} ({} orders, {} bytes)", made.file, made.orders, made.bytes),
        false => log::error!("backup: {}", made.problem),
    }
    tidy(shop).await?;
    Ok(made)
}

/// Under another name until it is whole: half a backup must not look like one.
fn copy(database: &Path, folder: &Path, file: &str) -> std::result::Result<PathBuf, String> {
    let bad = |e: std::io::Error| format!("备份写不进 {}：{e}", folder.display());
    fs::create_dir_all(folder).map_err(bad)?;
    let (part, path) = (folder.join(format!("{file}.part")), folder.join(file));
    let _ = fs::remove_file(&part);
    if let Err(e) = db::copy_into(database, &part) {
        let _ = fs::remove_file(&part);
        return Err(format!("没有备份成功：{e}"));
    }
    put_in_place(&part, &path).map_err(bad)?;
    Ok(path)
}

/// On disk before it has its name.
pub fn put_in_place(part: &Path, file: &Path) -> std::io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, file)
}

fn copy_there(from: &Path, to: &Path) -> std::io::Result<()> {
    let part = to.with_extension("part");
    fs::copy(from, &part)?;
    put_in_place(&part, to)
}

/// What opening a backup showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub orders: i64,
    pub last_order_at: Option<i64>,
}

/// A backup that was never opened is a hope: this one is read whole, and every rule is checked in it.
fn rehearse(path: &Path) -> std::result::Result<Proof, String> {
    let bad = |e: &dyn std::fmt::Display| format!("恢复演练没有通过：{e}");
    let orders = db::check(path).map_err(|e| bad(&e))?;
    let read = |conn: &rusqlite::Connection| {
        let last = conn.query_row("select max(created_at) from orders", [], |row| row.get(0))?;
        Ok::<_, rusqlite::Error>((last, invariants::broken(conn)?))
    };
    let (last_order_at, broken) = db::look_into(path, read).map_err(|e| bad(&e))?;
    match broken.first() {
        None => Ok(Proof { orders, last_order_at }),
        Some(rule) => Err(bad(&format!("「{}」不成立", rule.rule))),
    }
}

async fn tidy(shop: &Shop) -> Result<()> {
    let all = shop.db.read(|conn| Ok::<_, Error>(store::latest(conn, 1_000)?)).await?;
    let mut months: Vec<String> = Vec::new();
    for (i, backup) in all.iter().enumerate() {
        let month = Day::of(backup.at).month();
        // Newest first: the last one seen of a month is its first.
        let first_of_month = all[i + 1..].iter().all(|older| Day::of(older.at).month() != month);
        let kept = i < KEPT || (first_of_month && months.len() < KEPT_MONTHS);
        if first_of_month && i >= KEPT {
            months.push(month);
        }
        if !kept {
            let _ = fs::remove_file(path(shop, backup));
            let id = backup.id;
            shop.db.write(move |tx| Ok::<_, Error>(store::delete(tx, id)?)).await?;
        }
    }
    Ok(())
}

// ── restoring ──

/// Puts a backup in line; it is taken up when the shop has closed and opens again.
pub fn line_up(shop: &Shop, backup: &Backup) -> Result<()> {
    let path = path(shop, backup);
    db::check(&path).map_err(|e| Error::from(Code::NotFound).says(format!("这份备份不能用来恢复：{e}")))?;
    let next = shop.server.data_dir.join(NEXT);
    fs::write(&next, backup.file.as_bytes()).map_err(|e| {
        log::error!("{}: {e}", next.display());
        Error::from(Code::Internal).says("写不进数据目录，没有恢复")
    })
}

pub fn is_lined_up(data_dir: &Path) -> bool {
    data_dir.join(NEXT).exists()
}

/// Takes up the backup that is in line, if there is one; the shop as it was is kept beside it. Nothing may have the
/// database open. `Err` is a sentence, and the shop is as it was.
pub fn take_up(data_dir: &Path, now: i64) -> std::result::Result<Option<String>, String> {
    let next = data_dir.join(NEXT);
    let Ok(file) = fs::read_to_string(&next) else { return Ok(None) };
    // Whatever comes of it, it is tried once.
    fs::remove_file(&next).map_err(|e| format!("{}: {e}", next.display()))?;
    let backup = data_dir.join("backups").join(file.trim());
    replace(data_dir, &backup, now)?;
    Ok(Some(file))
}

/// Puts a checked backup in the database's place.
pub fn replace(data_dir: &Path, backup: &Path, now: i64) -> std::result::Result<i64, String> {
    let orders = db::check(backup).map_err(|e| format!("{} 不能用来恢复：{e}", backup.display()))?;
    let database = data_dir.join("xiaopu.db");
    if database.exists() {
        let kept = db::free_name(&database, &format!("before-restore-{}", clock::compact(now)));
        db::copy_into(&database, &kept).map_err(|e| format!("原来的店铺存不下来，没有恢复：{e}"))?;
    }
    let part = database.with_extension("part");
    fs::copy(backup, &part).map_err(|e| format!("复制失败：{e}"))?;
    for leftover in ["xiaopu.db-wal", "xiaopu.db-shm"] {
        let _ = fs::remove_file(database.with_file_name(leftover));
    }
    put_in_place(&part, &database).map_err(|e| format!("{} 写不进去：{e}", database.display()))?;
    Ok(orders)
}
