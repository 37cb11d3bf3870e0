//! Backups for the owner: what there is, what it proved, how to carry it away and how to go back to it.

use std::fs::File;
use std::io::Read;

use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::backups::plain::{self, Plain};
use crate::backups::{self, Backup, sealed, store};
use crate::clock;
use crate::console::{Download, Frame, back, download, framed, refused, waiting};
use crate::db;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::BackupId;
use crate::say::say;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Owner, Role};

pub fn routes() -> Vec<Route> {
    routes![page, make, carry, restore_page, restore]
}

const HERE: &str = "/admin/backups";

/// What there is, and how the last one went.
#[derive(Serialize)]
struct BackupsPage {
    frame: Frame,
    tab: &'static str,
    folder: String,
    /// A second place, where they are copied to.
    second: Option<String>,
    last: Option<BackupShown>,
    all: Vec<BackupShown>,
    strip: Vec<Bar>,
    /// The least that a passphrase has.
    shortest: usize,
    /// Why the disk is nearly full.
    short: Option<String>,
}

/// A backup as a bar among the latest.
#[derive(Serialize)]
struct Bar {
    at: String,
    size: String,
    fine: bool,
    x: i64,
    y: i64,
    high: i64,
}

#[derive(Serialize)]
struct BackupShown {
    id: BackupId,
    at: String,
    orders: i64,
    size: String,
    problem: String,
    broken: String,
    who: String,
    seconds: i64,
    last_order: Option<String>,
}

impl From<&Backup> for BackupShown {
    fn from(backup: &Backup) -> BackupShown {
        BackupShown {
            id: backup.id,
            at: clock::shown(backup.at),
            orders: backup.orders,
            size: size(backup.bytes),
            problem: backup.problem.clone(),
            broken: backup.broken.clone(),
            who: backup.who.clone(),
            seconds: (backup.took_ms + 999) / 1000,
            last_order: backup.last_order_at.map(clock::shown),
        }
    }
}

#[get("/backups")]
async fn page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let (all, waits) = shop.read(|conn| Ok((store::latest(conn, 50)?, waiting(conn)?))).await?;
    let page = BackupsPage {
        frame: framed(shop, &owner.0, "system", flash, waits),
        tab: "backups",
        folder: backups::folder(shop).display().to_string(),
        second: shop.settings().get("shop.backup_dir").map(str::to_owned),
        last: all.first().map(BackupShown::from),
        all: all.iter().map(BackupShown::from).collect(),
        strip: strip(&all),
        shortest: sealed::SHORTEST,
        short: backups::room::room_soon(shop).err(),
    };
    Ok(assets::page("console/backups.html", page))
}

/// The latest fourteen, the oldest first, each as high as it is large.
fn strip(all: &[Backup]) -> Vec<Bar> {
    let latest = all.get(..14).unwrap_or(all);
    let most = latest.iter().map(|backup| backup.bytes).max().unwrap_or(0).max(1);
    let bar = |(backup, n): (&Backup, i64)| {
        let high = (backup.bytes * 40 / most).max(4);
        Bar {
            at: clock::shown_short(backup.at),
            size: size(backup.bytes),
            fine: backup.problem.is_empty(),
            x: n * 20,
            y: 40 - high,
            high,
        }
    };
    latest.iter().rev().zip(0..).map(bar).collect()
}

fn size(bytes: i64) -> String {
    match bytes {
        b if b < 1024 * 1024 => format!("{} KB", (b + 1023) / 1024),
        b => format!("{}.{} MB", b / (1024 * 1024), b % (1024 * 1024) * 10 / (1024 * 1024)),
    }
}

#[post("/backups")]
async fn make(shop: &State<Shop>, owner: Owner) -> Flash<Redirect> {
    let done = async {
        let made = backups::make::make(shop, &owner.0.name).await?;
        let what = format!("手动备份 {}", made.file);
        shop.write(move |tx| Ok(audit(tx, &owner.0, &what)?)).await?;
        match made.problem.as_str() {
            "" if !made.broken.is_empty() => Ok(format!(
                "已备份并演练恢复：{} 笔订单，{}。店里「{}」不成立，备份里也一样，请到运行状态页看看",
                made.orders,
                size(made.bytes),
                made.broken
            )),
            "" => Ok(format!("已备份并演练恢复：{} 笔订单，{}", made.orders, size(made.bytes))),
            problem => Err(Error::from(Code::Internal).says(problem)),
        }
    };
    back(HERE, done.await)
}

async fn find(shop: &Shop, id: BackupId) -> Result<Backup> {
    let found = shop.read(move |conn| Ok(store::by_id(conn, id)?)).await?;
    found.ok_or_else(|| Code::NotFound.into())
}

#[derive(FromForm)]
struct Passphrase {
    passphrase: String,
    again: String,
}

/// The key file and the database in one file that only the passphrase opens.
#[post("/backups/<id>/carry", data = "<form>")]
async fn carry(
    shop: &State<Shop>,
    owner: Owner,
    id: BackupId,
    form: Form<Passphrase>,
) -> std::result::Result<Download, Flash<Redirect>> {
    let refused = |e: Error| refused(HERE, e);
    seal(shop, owner, id, form.into_inner()).await.map_err(refused)
}

async fn seal(shop: &Shop, owner: Owner, id: BackupId, form: Passphrase) -> Result<Download> {
    if form.passphrase != form.again {
        return Err(Error::field("again", "两次输入的口令不一样"));
    }
    if form.passphrase.chars().count() < sealed::SHORTEST {
        return Err(Error::field("passphrase", format!("口令至少 {} 位", sealed::SHORTEST)));
    }
    let backup = find(shop, id).await?;
    let (path, key) = (backups::path(shop, &backup), shop.server.data_dir.join("secret.key"));
    let (nonces, passphrase) = (shop.nonces.clone(), form.passphrase);
    let work = move || {
        let clear = File::open(key)?.chain(plain::read(&path)?);
        let mut to = Vec::new();
        sealed::seal(&passphrase, &nonces, clear, &mut to).map(|()| to)
    };
    let bytes = tokio::task::spawn_blocking(work).await.map_err(|_| Code::Internal)?.map_err(|e| {
        log::error!("sealing a backup: {e}");
        Error::from(Code::NotFound).says("备份文件读不出来，可能已被删除")
    })?;
    let what = format!("下载加密备份 {}", backup.file);
    shop.write(move |tx| Ok(audit(tx, &owner.0, &what)?)).await?;
    Ok(download(ContentType::Binary, &format!("{}.sealed", backup.file), bytes))
}

/// What going back to a backup takes away.
#[derive(Serialize)]
struct RestorePage {
    frame: Frame,
    tab: &'static str,
    backup: BackupShown,
    /// Orders that came since, and how many of them are paid.
    orders: i64,
    paid: i64,
    /// Accounts that will be other ones than now, each with what changes.
    accounts: Vec<(String, String)>,
    unreadable: bool,
}

#[derive(Serialize)]
struct RestoringPage {
    backup: BackupShown,
    demo: bool,
}

/// The second screen: what this moment was, and what came after it and would be gone.
#[get("/backups/<id>/restore")]
async fn restore_page(
    shop: &State<Shop>,
    owner: Owner,
    flash: Option<FlashMessage<'_>>,
    id: BackupId,
) -> Result<Template> {
    let backup = find(shop, id).await?;
    let at = backup.at;
    let read = move |conn: &Connection| Ok((store::since(conn, at)?, store::accounts(conn)?, waiting(conn)?));
    let ((orders, paid), today, waits) = shop.read(read).await?;
    let path = backups::path(shop, &backup);
    let data_dir = shop.server.data_dir.clone();
    let read = move || {
        let plain = Plain::of(&path, &data_dir, "looked-into").ok()?;
        db::look_into(plain.path(), store::accounts).ok()
    };
    let then = tokio::task::spawn_blocking(read).await.map_err(|_| Code::Internal)?;
    let role = |word: &str| word.parse::<Role>().map_or_else(|()| word.to_owned(), |role| role.text().to_owned());
    let accounts = then.as_ref().map(|then| backups::restore::changed_accounts(then, &today, role)).unwrap_or_default();
    let page = RestorePage {
        frame: framed(shop, &owner.0, "system", flash, waits),
        tab: "backups",
        backup: BackupShown::from(&backup),
        orders,
        paid,
        accounts,
        unreadable: then.is_none(),
    };
    Ok(assets::page("console/backup_restore.html", page))
}

#[derive(FromForm)]
struct Confirm {
    name: String,
}

/// The present is backed up, the backup put in line, and the shop closes to open again with it.
#[post("/backups/<id>/restore", data = "<form>")]
async fn restore(
    shop: &State<Shop>,
    owner: Owner,
    shutdown: rocket::Shutdown,
    id: BackupId,
    form: Form<Confirm>,
) -> std::result::Result<Template, Flash<Redirect>> {
    let done = async {
        let backup = find(shop, id).await?;
        if form.name.trim() != shop.settings().shop_name() {
            return Err(Error::field("name", "店铺名不对，没有恢复"));
        }
        // Once more now, once when the shop has closed, and the backup itself.
        let room = backups::room::room_to_go_back(&shop.server.data_dir, &backups::path(shop, &backup), 2);
        room.map_err(|words| Error::from(Code::Internal).says(format!("{words}。没有恢复，店铺照常营业")))?;
        let now_made = backups::make::make(shop, &format!("{}（恢复之前）", owner.0.name)).await?;
        if !now_made.problem.is_empty() {
            return Err(Error::from(Code::Internal).says(format!("现在的店铺备份不了，没有恢复：{}", now_made.problem)));
        }
        backups::restore::line_up(shop, &backup, &owner.0.name)?;
        say!(Warn, "restoring {} as {} asked", backup.file, owner.0.name);
        Ok(BackupShown::from(&backup))
    };
    match done.await {
        Ok(backup) => {
            // The page that says so still needs its style sheet.
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                shutdown.notify();
            });
            Ok(assets::page("console/backup_restoring.html", RestoringPage { backup, demo: false }))
        }
        Err(e) => Err(refused(format!("{HERE}/{id}/restore"), e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(fine: bool) -> Backup {
        Backup {
            id: BackupId(1),
            at: 1_791_435_600_000,
            file: "xiaopu-20261009.backup".into(),
            bytes: 3 << 20,
            orders: 12,
            last_order_at: fine.then_some(1_791_435_000_000),
            took_ms: 1_200,
            problem: if fine { String::new() } else { "打不开".into() },
            broken: if fine { "库存加得起来".into() } else { String::new() },
            who: "系统".into(),
        }
    }

    #[test]
    fn pages_of_backups_ask_for_nothing_that_they_are_not_given() {
        for (all, words) in [
            (vec![sample(true), sample(false)], "能恢复；当时店里「库存加得起来」不成立"),
            (vec![sample(false)], "上次备份有问题"),
            (vec![], "还没有备份"),
        ] {
            let page = BackupsPage {
                frame: Frame::sample(Role::Owner),
                tab: "backups",
                folder: "/data/backups".into(),
                second: all.first().map(|_| "/mnt/u".to_owned()),
                last: all.first().map(BackupShown::from),
                strip: strip(&all),
                all: all.iter().map(BackupShown::from).collect(),
                shortest: sealed::SHORTEST,
                short: all.first().map(|_| "只剩 100 MB".to_owned()),
            };
            let html = assets::strictly("console/backups.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
        for (unreadable, accounts, words) in
            [(true, vec![], "读不出来"), (false, vec![("小王".to_owned(), "店员 → 经理".to_owned())], "店员 → 经理")]
        {
            let backup = BackupShown::from(&sample(true));
            let (frame, tab) = (Frame::sample(Role::Owner), "backups");
            let page = RestorePage { frame, tab, backup, orders: 2, paid: 1, accounts, unreadable };
            let html = assets::strictly("console/backup_restore.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words) && html.contains("2 笔会丢失"), "{words}");
        }
        let page = RestoringPage { backup: BackupShown::from(&sample(true)), demo: false };
        assert!(assets::strictly("console/backup_restoring.html", page).unwrap().contains("正在恢复到"));
    }
}
