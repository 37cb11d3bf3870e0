//! Making backups: copied, opened, packed, and thinned out.

use std::fs;
use std::path::{Path, PathBuf};

use super::adopt::adopt;
use super::rehearsal::{Proof, Rehearsal, rehearse};
use super::room::{room_for, size};
use super::{Backup, folder, plain, store};
use crate::clock::{self, DAY, Day, HOUR, MINUTE};
use crate::db::{self, Tx};
use crate::error::{Code, Result};
use crate::ids::BackupId;
use crate::jobs::Ran;
use crate::payments::store as payments;
use crate::say::{cause, say};
use crate::shop::Shop;

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

fn copy_there(from: &Path, to: &Path) -> std::io::Result<()> {
    let part = db::part_of(to);
    let copied = fs::copy(from, &part).and_then(|_| db::put_in_place(&part, to));
    if copied.is_err() {
        db::clear(&part);
    }
    copied
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
