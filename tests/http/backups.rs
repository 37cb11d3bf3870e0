//! Backups: made by night, proven, thinned out, and carried away under a passphrase.

use xiaopu::backups::{self, store};
use xiaopu::error::Error;
use xiaopu::staff::Role;

use crate::support::*;

async fn all(w: &World) -> Vec<backups::Backup> {
    w.shop.db.read(|conn| Ok::<_, Error>(store::latest(conn, 1_000)?)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_night_makes_a_backup_that_was_opened() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 1).await;
    let second = tempfile::tempdir().unwrap();
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("shop-backup_dir", second.path().to_str().unwrap())]).await;
    // One at once, for a shop without any, and then one a night.
    w.wait("the first", || async { all(&w).await.len() == 1 }).await;
    w.advance(DAY);
    w.wait("the backup", || async { all(&w).await.len() == 2 }).await;
    let made = all(&w).await.remove(0);
    assert_eq!((made.orders, made.problem.as_str()), (1, ""));
    for folder in [backups::folder(&w.shop), second.path().to_owned()] {
        assert!(xiaopu::db::check(&folder.join(&made.file)).is_ok(), "{folder:?}");
    }
    let page = w.staff("owner2", Role::Owner).await.page("/admin/backups").await;
    assert!(page.contains("1 笔订单") && page.contains("✓ 通过"));
    w.run_jobs().await;
    assert_eq!(all(&w).await.len(), 2, "one a night");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_copy_of_a_shop_that_breaks_a_rule_says_so_and_can_be_gone_back_to() {
    let w = World::new().await;
    w.product("苹果", 1000, 99).await;
    w.wait("the first", || async { all(&w).await.len() == 1 }).await;
    let owner = w.staff("owner", Role::Owner).await;
    let spoil = |tx: &xiaopu::db::Tx| Ok::<_, Error>(tx.execute_batch("update skus set on_hand = on_hand + 1")?);
    w.shop.db.write(spoil).await.unwrap();
    owner.post("/admin/backups", &[]).await;
    let said = owner.said("/admin/backups").await;
    assert!(said.contains("当时店里「库存等于库存流水之和」不成立"), "{said}");
    assert_eq!(said.matches("恢复…").count(), 2, "it is no worse than the shop itself");
    assert_eq!(all(&w).await[0].problem, "");
    // The nightly one has nothing to try again for.
    w.advance(DAY);
    w.wait("the nightly backup", || async { all(&w).await.len() == 3 }).await;
    w.run_jobs().await;
    assert_eq!(w.count("select count(*) from jobs where kind = 'backup' and last_error <> ''").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_backups_make_room_but_for_one_a_month() {
    let w = World::new().await;
    for _ in 0..40 {
        backups::make::make(&w.shop, "测试").await.unwrap();
        w.advance(2 * DAY);
    }
    // From 8 October to the end of December, and those of every night beside them. One made while the nightly one is
    // being made may stay until the next.
    let months = ["12-01 13:00", "11-01 13:00", "10-08 13:00"];
    let thinned = async || {
        backups::make::make(&w.shop, "测试").await.unwrap();
        let kept = all(&w).await;
        let old: Vec<String> = kept[14..].iter().map(|b| xiaopu::clock::shown_short(b.at)).collect();
        let files = std::fs::read_dir(backups::folder(&w.shop)).unwrap().count();
        old == months && files == kept.len()
    };
    w.wait("only the first of each month before, and their files", thinned).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_travels_sealed_and_only_the_owner_sends_it() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let manager = w.staff("manager", Role::Manager).await;
    assert_eq!(manager.get("/admin/backups").await.0, 403);
    owner.post("/admin/backups", &[]).await;
    let carry = "/admin/backups/1/carry";
    for (passphrase, again, problem) in [("short", "short", "至少 10 位"), ("long enough 1", "long enough 2", "不一样")]
    {
        owner.post(carry, &[("passphrase", passphrase), ("again", again)]).await;
        assert!(owner.said("/admin/backups").await.contains(problem));
    }
    let form = [("passphrase", "correct horse"), ("again", "correct horse")];
    let answer = w.http().post(w.at(carry)).header("Cookie", &owner.cookie).form(&form).send().await.unwrap();
    let sealed = answer.bytes().await.unwrap();
    let mut clear = Vec::new();
    backups::sealed::open("correct horse", &sealed[..], &mut clear).unwrap();
    assert_eq!(clear[..32], std::fs::read(w.shop.server.data_dir.join("secret.key")).unwrap());
    assert!(clear[32..].starts_with(b"SQLite format 3"));
    assert!(owner.page("/admin/audit").await.contains("下载加密备份"));
    // Going back asks for the shop's name.
    owner.post("/admin/backups/1/restore", &[("name", "别的店")]).await;
    assert!(owner.said("/admin/backups/1/restore").await.contains("店铺名不对"));
    assert!(!backups::restore::is_lined_up(&w.shop.server.data_dir));
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_that_the_list_forgot_are_found_again() {
    let w = World::new().await;
    w.wait("the first", || async { all(&w).await.len() == 1 }).await;
    w.advance(MINUTE);
    let made = backups::make::make(&w.shop, "店主").await.unwrap();
    // As after going back to a moment before it.
    let forget = |tx: &xiaopu::db::Tx| Ok::<_, Error>(tx.execute_batch("delete from backups")?);
    w.shop.db.write(forget).await.unwrap();
    w.advance(DAY);
    w.wait("all of them", || async { all(&w).await.len() == 3 }).await;
    let found = all(&w).await.into_iter().find(|backup| backup.file == made.file).unwrap();
    assert_eq!((found.at / 1000, found.problem.as_str(), found.who.as_str()), (made.at / 1000, "", "找回"));
    // The shop that was gone back from lies beside it and knows who made it.
    let write = |tx: &xiaopu::db::Tx| Ok::<_, Error>(tx.execute_batch("update backups set who = '店主'")?);
    w.shop.db.write(write).await.unwrap();
    let left = w.shop.server.data_dir.join("before-restore-20261009000000.db");
    xiaopu::db::copy_into(w.shop.db.path(), &left).unwrap();
    w.shop.db.write(forget).await.unwrap();
    w.advance(DAY);
    w.wait("all of them", || async { all(&w).await.len() == 4 }).await;
    let found = all(&w).await.into_iter().find(|backup| backup.file == made.file).unwrap();
    assert_eq!(found.who, "店主");
}

/// A third of the room, and whatever can be done with a backup can be done with a packed one.
#[tokio::test(flavor = "multi_thread")]
async fn older_backups_are_packed_and_good_for_everything() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 1).await;
    let second = tempfile::tempdir().unwrap();
    let owner = w.staff("owner", Role::Owner).await;
    w.wait("the first", || async { all(&w).await.len() == 1 }).await;
    owner.post("/admin/settings", &[("shop-backup_dir", second.path().to_str().unwrap())]).await;
    w.advance(MINUTE);
    let older = backups::make::make(&w.shop, "店主").await.unwrap();
    w.advance(MINUTE);
    let newest = backups::make::make(&w.shop, "店主").await.unwrap();
    for folder in [backups::folder(&w.shop), second.path().to_owned()] {
        assert!(xiaopu::db::check(&folder.join(&newest.file)).is_ok(), "the newest is a database as it is");
        let packed = folder.join(format!("{}.gz", older.file));
        assert!(packed.exists() && !folder.join(&older.file).exists(), "{folder:?}");
        assert!(std::fs::metadata(packed).unwrap().len() * 3 < newest.bytes as u64);
    }
    let kept = all(&w).await.into_iter().find(|backup| backup.file == older.file).unwrap();
    assert!(kept.bytes * 3 < older.bytes, "the page says what it takes");
    let at = |end: &str| format!("/admin/backups/{}/{end}", kept.id.0);
    let page = owner.page(&at("restore")).await;
    assert!(page.contains("1") && !page.contains("读不出"), "{page}");
    let form = [("passphrase", "correct horse"), ("again", "correct horse")];
    let sealed = w.http().post(w.at(&at("carry"))).header("Cookie", &owner.cookie).form(&form).send().await.unwrap();
    let mut clear = Vec::new();
    backups::sealed::open("correct horse", &sealed.bytes().await.unwrap()[..], &mut clear).unwrap();
    assert!(clear[32..].starts_with(b"SQLite format 3") && clear.len() > older.bytes as usize);
    // Taken up as the shop does it when it opens again, and by hand.
    let elsewhere = tempfile::tempdir().unwrap();
    let packed = backups::path(&w.shop, &kept);
    assert_eq!(backups::restore::replace(elsewhere.path(), &packed, w.shop.now()), Ok(1));
    assert_eq!(xiaopu::db::check(&elsewhere.path().join("xiaopu.db")).unwrap(), 1);
    let left: Vec<_> = std::fs::read_dir(elsewhere.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".part")), "{left:?}");
    backups::restore::line_up(&w.shop, &kept, "boss").unwrap();
    assert!(backups::restore::is_lined_up(&w.shop.server.data_dir));
    // Whoever went back has forgotten them, and finds them again.
    w.shop.db.write(|tx: &xiaopu::db::Tx| Ok::<_, Error>(tx.execute_batch("delete from backups")?)).await.unwrap();
    w.advance(DAY);
    w.wait("all of them", || async { all(&w).await.len() == 4 }).await;
    let found = all(&w).await.into_iter().find(|backup| backup.file == older.file).unwrap();
    assert_eq!((found.orders, found.problem.as_str(), found.who.as_str()), (1, "", "找回"));
}
