//! Backups on the disk that the list does not know.

use std::cell::LazyCell;
use std::fs;
use std::path::Path;

use super::plain::{self, Plain};
use super::rehearsal::{Rehearsal, rehearse};
use super::{BEFORE, Backup, folder, made_at, store};
use crate::db::{self, Tx};
use crate::error::{Code, Result};
use crate::ids::BackupId;
use crate::say::{cause, say};
use crate::shop::Shop;

/// Takes up files that the list does not know: whoever went back to an older moment has forgotten the backups since,
/// and must find them again.
pub async fn adopt(shop: &Shop) -> Result<()> {
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
