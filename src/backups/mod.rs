//! Backups: made every night, proven by opening them, kept for two weeks and a year of months, and taken up again.

pub mod plain;
pub mod sealed;
pub mod store;

use std::cell::LazyCell;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::clock::{self, DAY, Day, HOUR, MINUTE};
use crate::db::{self, Tx};
use crate::error::{Code, Error, Result};
use crate::ids::BackupId;
use crate::jobs::Ran;
use crate::payments::{invariants, store as payments};
use crate::say::{cause, say};
use crate::shop::Shop;
use plain::Plain;

/// Each night at this time of day, after the self-check.
const NIGHTLY: i64 = 4 * HOUR + 20 * MINUTE;
/// On Sundays everything is asked of the copy.
const WHOLE_ON: u32 = 6;
/// The newest are kept …
const KEPT: usize = 14;
/// … and of older ones the first of each month, this many.
const KEPT_MONTHS: usize = 12;
/// So many older ones are packed after one was made: more than one only where an older program left them.
const PACKED_AT_ONCE: usize = 3;
/// What the shop that was gone back from is called, with the time behind it.
const BEFORE: &str = "before-restore-";
/// Names the backup that is to be taken up when the shop opens next, how it was when it was checked, and who asked for it.
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
    let last = shop.read(|conn| Ok(store::latest(conn, 1)?)).await?.pop();
    if now >= due && last.is_none_or(|last| last.at < due) {
        // All rules held in the shop a moment ago: the copy is opened, and they are not asked again. Whether every index
        // has each row is asked once a week, and of any backup before the shop goes back to it.
        let checked = shop.read(|conn| Ok(payments::last_self_check(conn)?)).await?;
        let hold = checked.is_some_and(|last| last.broken.is_empty() && (now - HOUR..=now).contains(&last.at));
        let hold = hold && Day::of(now).weekday() != WHOLE_ON;
        let made = make_by(shop, "每夜", if hold { Rehearsal::Opened } else { Rehearsal::Whole }).await?;
        if !made.problem.is_empty() {
            return Ok(Ran::Failed(made.problem));
        }
    }
    Ok(Ran::Again { at: if now < due { due } else { due + DAY } })
}

/// Takes up files that the list does not know: whoever went back to an older moment has forgotten the backups since,
/// and must find them again.
async fn adopt(shop: &Shop) -> Result<()> {
    let known = shop.read(|conn| Ok(store::latest(conn, 10_000)?)).await?;
    let (folder, data_dir) = (folder(shop), shop.server.data_dir.clone());
    let look = move || {
        let Ok(files) = fs::read_dir(&folder) else { return Vec::new() };
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let left = LazyCell::new(|| left_behind(&data_dir));
        let mut lost: Vec<Backup> = names.filter_map(|file| found(&folder, &file, &known)).collect();
        for backup in &mut lost {
            let made = left.iter().find(|made| made.file == backup.file);
            made.into_iter().for_each(|made| backup.who.clone_from(&made.who));
        }
        lost.sort_by_key(|backup| backup.at);
        lost
    };
    let lost = tokio::task::spawn_blocking(look).await.map_err(|_| Code::Internal)?;
    if !lost.is_empty() {
        say!(Info, "{} backups were not on the list and are again", lost.len());
        let write = move |tx: &Tx| {
            for backup in &lost {
                if !store::knows(tx, &backup.file)? {
                    store::insert(tx, backup)?;
                }
            }
            Ok(())
        };
        shop.write(write).await?;
    }
    Ok(())
}

/// The list of the shop that was last gone back from: it knows who made what the list of now has forgotten.
fn left_behind(data_dir: &Path) -> Vec<Backup> {
    let names =
        fs::read_dir(data_dir).into_iter().flatten().filter_map(|file| file.ok()?.file_name().into_string().ok());
    let newest = names.filter(|name| name.starts_with(BEFORE) && name.ends_with(".db")).max();
    let read = |name: String| db::look_into(&data_dir.join(name), |conn| store::latest(conn, 10_000)).ok();
    newest.and_then(read).unwrap_or_default()
}

/// When a backup was made, by the name of its file.
pub fn made_at(file: &str) -> Option<i64> {
    clock::from_compact(file.strip_prefix("xiaopu-")?.split('-').next()?)
}

fn found(folder: &Path, file: &str, known: &[Backup]) -> Option<Backup> {
    let at = made_at(file)?;
    let named = file.strip_suffix(plain::PACKED).unwrap_or(file);
    let is_copy = named != file && folder.join(named).exists();
    if !named.ends_with(".backup") || is_copy || known.iter().any(|backup| backup.file == named) {
        return None;
    }
    let path = folder.join(file);
    let bad = |e: std::io::Error| format!("读不出来：{}", cause(&e));
    let proof =
        Plain::of(&path, folder, "rehearsed").map_err(bad).and_then(|plain| rehearse(plain.path(), Rehearsal::Whole));
    Some(Backup {
        id: BackupId(0),
        at,
        file: named.to_owned(),
        bytes: fs::metadata(&path).map_or(0, |file| file.len() as i64),
        orders: proof.as_ref().map_or(0, |proof| proof.orders),
        last_order_at: proof.as_ref().ok().and_then(|proof| proof.last_order_at),
        took_ms: 0,
        broken: proof.as_ref().ok().and_then(|proof| proof.broken).unwrap_or_default().to_owned(),
        problem: proof.err().unwrap_or_default(),
        who: "找回".into(),
    })
}

/// What is looked at in a copy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rehearsal {
    /// Its schema and every page.
    Opened,
    /// And every index and rule.
    Whole,
}

/// Copies one moment of the shop, opens the copy, counts and checks it, and writes down what was found.
pub async fn make(shop: &Shop, who: &str) -> Result<Backup> {
    make_by(shop, who, Rehearsal::Whole).await
}

async fn make_by(shop: &Shop, who: &str, rehearsal: Rehearsal) -> Result<Backup> {
    let (folder, now, who) = (folder(shop), shop.now(), who.to_owned());
    let second = shop.settings().get("shop.backup_dir").map(PathBuf::from);
    let database = shop.db.path().to_owned();
    let number: i64 = shop.nonces.below(1_000_000);
    let work = move || {
        let started = std::time::Instant::now();
        let file = format!("xiaopu-{}-{number:06}.backup", clock::compact(now));
        let made = copy(&database, &folder, &file);
        let found = made.and_then(|path| {
            let proof = rehearse(&path, rehearsal)?;
            if let Some(second) = second {
                copy_there(&path, &second.join(&file))
                    .map_err(|e| format!("第二位置 {} 写不进去：{}", second.display(), cause(&e)))?;
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
            broken: proof.broken.unwrap_or_default().to_owned(),
            who,
        }
    };
    let mut made = tokio::task::spawn_blocking(work).await.map_err(|_| Code::Internal)?;
    let row = made.clone();
    made.id = shop.write(move |tx: &Tx| Ok(store::insert(tx, &row)?)).await?;
    match made.problem.is_empty() {
        true => say!(Debug, "backup {} ({} orders, {} bytes)", made.file, made.orders, made.bytes),
        false => log::error!("backup: {}", made.problem),
    }
    tidy(shop).await?;
    pack_older(shop).await?;
    Ok(made)
}

/// The newest that can be relied on stays as it is, to be gone back to at once; of the others a third of the size is
/// kept. One that cannot be packed stays as well.
async fn pack_older(shop: &Shop) -> Result<()> {
    let all = shop.read(|conn| Ok(store::latest(conn, 1_000)?)).await?;
    let folder = folder(shop);
    let good = all.into_iter().filter(|backup| backup.problem.is_empty());
    let older = good.skip(1).filter(|backup| folder.join(&backup.file).exists());
    for backup in older.take(PACKED_AT_ONCE) {
        let second = shop.settings().get("shop.backup_dir").map(|second| Path::new(second).join(&backup.file));
        let path = folder.join(&backup.file);
        let work = move || pack(&path, second.as_deref());
        match tokio::task::spawn_blocking(work).await.map_err(|_| Code::Internal)? {
            Ok(bytes) => shop.write(move |tx: &Tx| Ok(store::set_bytes(tx, backup.id, bytes)?)).await?,
            Err(e) => log::error!("{} was not packed: {e}", backup.file),
        }
    }
    Ok(())
}

/// Here, and in the second place where it lies there. Answers with what it takes now, in bytes.
fn pack(path: &Path, second: Option<&Path>) -> std::io::Result<i64> {
    let packed = plain::pack(path)?;
    if let Some(second) = second.filter(|second| second.exists()) {
        let copied = copy_there(&packed, &plain::packed(second)).and_then(|()| fs::remove_file(second));
        if let Err(e) = copied {
            log::error!("{} was not packed: {e}", second.display());
        }
    }
    Ok(size(&packed))
}

/// Under another name until it is whole: half a backup must not look like one.
fn copy(database: &Path, folder: &Path, file: &str) -> std::result::Result<PathBuf, String> {
    let bad = |e: std::io::Error| format!("备份写不进 {}：{}", folder.display(), cause(&e));
    fs::create_dir_all(folder).map_err(bad)?;
    let path = folder.join(file);
    // A tenth is left for the orders of the day: a disk that is full takes none.
    let needed = size(database) + size(database) / 10;
    room_for(folder, needed).map_err(|words| format!("没有备份成功：{words}"))?;
    db::copy_into(database, &path).map_err(|e| format!("没有备份成功：{e}"))?;
    Ok(path)
}

fn size(file: &Path) -> i64 {
    fs::metadata(file).map_or(0, |file| file.len() as i64)
}

/// Asked for before anything is written: a disk that is full takes no orders.
pub fn room_for(folder: &Path, bytes: i64) -> std::result::Result<(), String> {
    const SPARE: i64 = 2 << 20;
    match free_space(folder) {
        Some(free) if free < bytes + SPARE => {
            Err(format!("磁盘只剩 {} MB，这要用 {} MB。请先清理或换更大的磁盘", free >> 20, (bytes + SPARE) >> 20))
        }
        _ => Ok(()),
    }
}

/// So much room, in words.
pub fn room(bytes: i64) -> String {
    match bytes / 1_000_000 {
        mb @ ..10_000 => format!("{mb} MB"),
        mb => format!("{} GB", mb / 1000),
    }
}

/// What is left on the disk, or words where that is little beside the next backups: a shop hears of it while it still
/// makes them.
pub fn room_soon(shop: &Shop) -> std::result::Result<Option<i64>, String> {
    const LEAST: i64 = 200_000_000;
    let needed = LEAST.max(size(shop.db.path()).saturating_mul(2));
    match free_space(&shop.server.data_dir) {
        Some(free) if free < needed => Err(format!(
            "只剩 {} MB，少于接下来几天备份要用的 {} MB。磁盘写满之后不能备份，也不能下单，请清理或换更大的磁盘",
            free / 1_000_000,
            needed / 1_000_000
        )),
        free => Ok(free),
    }
}

/// What going back to a backup takes: copies of the present, and one of the backup, unpacked if it is packed.
pub fn room_to_go_back(data_dir: &Path, backup: &Path, copies_of_now: i64) -> std::result::Result<(), String> {
    /// A database is seldom packed to less than a quarter.
    const UNPACKED: i64 = 4;
    let times = if plain::is_packed(backup).unwrap_or(false) { UNPACKED } else { 1 };
    room_for(data_dir, size(&data_dir.join("xiaopu.db")) * copies_of_now + size(backup) * times)
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

fn copy_there(from: &Path, to: &Path) -> std::io::Result<()> {
    let part = db::part_of(to);
    let copied = fs::copy(from, &part).and_then(|_| db::put_in_place(&part, to));
    if copied.is_err() {
        db::clear(&part);
    }
    copied
}

/// What opening a backup showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub orders: i64,
    pub last_order_at: Option<i64>,
    /// The first rule that does not hold in it: so it was in the shop.
    pub broken: Option<&'static str>,
}

/// A backup that was never opened is a hope: this one is read whole.
fn rehearse(path: &Path, rehearsal: Rehearsal) -> std::result::Result<Proof, String> {
    let bad = |e: &dyn std::fmt::Display| format!("恢复演练没有通过：{e}");
    let checked = if rehearsal == Rehearsal::Whole { db::check(path) } else { db::check_pages(path) };
    let orders = checked.map_err(|e| bad(&e))?;
    let read = |conn: &rusqlite::Connection| {
        let last = conn.query_row("select max(created_at) from orders", [], |row| row.get(0))?;
        let broken = if rehearsal == Rehearsal::Whole { invariants::broken(conn)? } else { Vec::new() };
        Ok::<_, rusqlite::Error>((last, broken))
    };
    let (last_order_at, broken) = db::look_into(path, read).map_err(|e| bad(&e))?;
    Ok(Proof { orders, last_order_at, broken: broken.first().map(|broken| broken.rule) })
}

async fn tidy(shop: &Shop) -> Result<()> {
    let all = shop.read(|conn| Ok(store::latest(conn, 1_000)?)).await?;
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
            let path = folder(shop).join(&backup.file);
            // After a power cut both may be there.
            for file in [&plain::packed(&path), &path] {
                let _ = fs::remove_file(file);
            }
            let id = backup.id;
            shop.write(move |tx| Ok(store::delete(tx, id)?)).await?;
        }
    }
    Ok(())
}

// ── restoring ──

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

/// An account as it was in a backup, or is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub role: String,
    pub disabled: bool,
    password_hash: String,
    totp: bool,
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
