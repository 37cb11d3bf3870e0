//! What backups take on the disk, and what is left there.

use std::fs;
use std::path::Path;

use super::plain;
use crate::shop::Shop;

/// What is left on the disk of this folder, in bytes.
pub fn free_space(folder: &Path) -> Option<i64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)?.try_into().ok()
}

pub fn size(file: &Path) -> i64 {
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
