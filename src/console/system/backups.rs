//! Backups for the owner: what there is, what it proved, how to carry it away and how to go back to it.

use std::fs::File;
use std::io::Read;

use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use crate::assets;
use crate::backups::plain::{self, Plain};
use crate::backups::{self, Backup, sealed, store};
use crate::clock;
use crate::console::{Download, back, download, frame, refused};
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

#[get("/backups")]
async fn page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let all = shop.read(|conn| Ok(store::latest(conn, 50)?)).await?;
    let context = context! {
        frame: frame(shop, &owner.0, "system", flash).await?,
        tab: "backups",
        folder: backups::folder(shop).display().to_string(),
        second: shop.settings().get("shop.backup_dir").map(str::to_owned),
        last: all.first().map(shown),
        all: all.iter().map(shown).collect::<Vec<_>>(),
        strip: strip(&all),
        shortest: sealed::SHORTEST,
        short: backups::room_soon(shop).err(),
    };
    Ok(assets::page("console/backups.html", context))
}

/// The latest fourteen, the oldest first, each as high as it is large.
fn strip(all: &[Backup]) -> Vec<Value> {
    let latest = all.get(..14).unwrap_or(all);
    let most = latest.iter().map(|backup| backup.bytes).max().unwrap_or(0).max(1);
    let bar = |(backup, n): (&Backup, i64)| {
        let high = (backup.bytes * 40 / most).max(4);
        json!({ "at": clock::shown_short(backup.at), "size": size(backup.bytes), "fine": backup.problem.is_empty(),
                "x": n * 20, "y": 40 - high, "high": high })
    };
    latest.iter().rev().zip(0..).map(bar).collect()
}

fn shown(backup: &Backup) -> Value {
    json!({
        "id": backup.id, "at": clock::shown(backup.at), "file": backup.file, "orders": backup.orders,
        "size": size(backup.bytes), "problem": backup.problem, "broken": backup.broken, "who": backup.who, "seconds": (backup.took_ms + 999) / 1000,
        "last_order": backup.last_order_at.map(clock::shown),
    })
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
        let made = backups::make(shop, &owner.0.name).await?;
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
    let (orders, paid) = shop.read(move |conn| Ok(store::since(conn, at)?)).await?;
    let (path, today) = (backups::path(shop, &backup), shop.read(|conn| Ok(store::accounts(conn)?)).await?);
    let data_dir = shop.server.data_dir.clone();
    let read = move || {
        let plain = Plain::of(&path, &data_dir, "looked-into").ok()?;
        db::look_into(plain.path(), store::accounts).ok()
    };
    let then = tokio::task::spawn_blocking(read).await.map_err(|_| Code::Internal)?;
    let role = |word: &str| word.parse::<Role>().map_or_else(|()| word.to_owned(), |role| role.text().to_owned());
    let accounts = then.as_ref().map(|then| backups::changed_accounts(then, &today, role)).unwrap_or_default();
    let context = context! {
        frame: frame(shop, &owner.0, "system", flash).await?,
        tab: "backups", backup: shown(&backup), orders, paid, accounts, unreadable: then.is_none(),
    };
    Ok(assets::page("console/backup_restore.html", context))
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
        let room = backups::room_to_go_back(&shop.server.data_dir, &backups::path(shop, &backup), 2);
        room.map_err(|words| Error::from(Code::Internal).says(format!("{words}。没有恢复，店铺照常营业")))?;
        let now_made = backups::make(shop, &format!("{}（恢复之前）", owner.0.name)).await?;
        if !now_made.problem.is_empty() {
            return Err(Error::from(Code::Internal).says(format!("现在的店铺备份不了，没有恢复：{}", now_made.problem)));
        }
        backups::line_up(shop, &backup)?;
        say!(Warn, "restoring {} as {} asked", backup.file, owner.0.name);
        Ok(shown(&backup))
    };
    match done.await {
        Ok(backup) => {
            // The page that says so still needs its style sheet.
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                shutdown.notify();
            });
            Ok(assets::page("console/backup_restoring.html", context! { backup, demo: false }))
        }
        Err(e) => Err(refused(format!("{HERE}/{id}/restore"), e)),
    }
}
