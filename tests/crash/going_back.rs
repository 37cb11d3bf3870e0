//! Going back to a backup: what is believed, who may do what meanwhile, and a disk that is too small for it.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rusqlite::Connection;
use xiaopu::backups;
use xiaopu::db;

use super::{Program, simulated, text, write};
use crate::support::client;

fn program(wechat: String) -> Program {
    let program = Program::new(wechat);
    let table = write(program.folder.path(), "goods.csv", "商品名称,售价(元),库存\n苹果,10,100000\n");
    assert!(program.run(&["import", &table]).status.success());
    assert!(program.run(&["backup", "sound.backup"]).status.success());
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_with_a_foreign_schema_is_not_believed() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    let sound = program.folder.path().join("sound.backup");
    for (name, spoil, said) in [
        ("a trigger", "create trigger t after insert on staff_sessions begin update staff set role = 'owner'; end", "t"),
        ("another price", "create trigger t after insert on orders begin update orders set total_fen = 1; end", "t"),
        ("an index less", "drop index orders_status", "orders_status"),
        ("an index more", "create index o on orders (total_fen)", "o"),
        ("a table more", "create table more (x)", "more"),
        ("a table less", "drop table setup_links", "setup_links"),
        ("a column more", "alter table staff add column evil text", "staff"),
        (
            "an endless view",
            "pragma foreign_keys = off; drop table setup_links;
             create view setup_links as with recursive n(i) as (select 1 union all select i + 1 from n) select i from n",
            "setup_links",
        ),
        (
            "a rule less",
            "pragma writable_schema = on;
             update sqlite_schema set sql = replace(sql, 'check (length(name) between 1 and 32)', '') where name = 'staff'",
            "staff",
        ),
    ] {
        let spoilt = program.folder.path().join("spoilt.backup");
        std::fs::copy(&sound, &spoilt).unwrap();
        Connection::open(&spoilt).unwrap().execute_batch(spoil).unwrap();
        let words = db::check(&spoilt).expect_err(name).to_string();
        assert!(words.contains("表结构") && words.contains(&format!("（{said}）")), "{name}: {words}");
        let restored = program.run(&["restore", "spoilt.backup", "--force"]);
        assert!(!restored.status.success(), "{name}: {}", text(&restored));
    }
    // What Litestream and SQLite's statistics leave in it is no harm.
    let copy = program.folder.path().join("litestream.backup");
    std::fs::copy(&sound, &copy).unwrap();
    let tables = "create table _litestream_seq (id integer primary key, seq integer);
                  create table _litestream_lock (id integer); analyze";
    Connection::open(&copy).unwrap().execute_batch(tables).unwrap();
    assert!(db::check(&copy).is_ok());
    let restored = program.run(&["restore", "sound.backup", "--force"]);
    assert!(restored.status.success(), "{}", text(&restored));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_shut_out_stays_out_after_going_back() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    let running = program.start();
    program.ready().await;
    let cookie = program.owner().await;
    let page = async |program: &Program| {
        client().get(program.at("/admin/orders")).header("Cookie", &cookie).send().await.unwrap().status().as_u16()
    };
    assert_eq!(page(&program).await, 200);
    let invited = client().post(program.at("/admin/staff/invite")).header("Cookie", &cookie);
    invited.form(&[("account", "carol"), ("role", "clerk")]).send().await.unwrap();
    assert!(program.run(&["backup", "then.backup"]).status.success());
    drop(running);
    assert!(program.run(&["restore", "then.backup", "--force"]).status.success());
    let _running = program.start();
    program.ready().await;
    assert_eq!(page(&program).await, 303, "the old cookie opens nothing");
    let conn = Connection::open(program.data().join("xiaopu.db")).unwrap();
    let left = "select (select count(*) from staff_sessions) + (select count(*) from staff_invitations)";
    assert_eq!(conn.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// It was sound when it was put in line, and is not when the shop has closed.
#[tokio::test(flavor = "multi_thread")]
async fn going_back_that_fails_opens_the_old_shop_again() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    let running = program.start();
    program.ready().await;
    let cookie = program.owner().await;
    let page = async |path: &str| {
        let asked = client().get(program.at(path)).header("Cookie", &cookie).send();
        asked.await.unwrap().text().await.unwrap()
    };
    let file = "xiaopu-20261008-040000-000001.backup";
    std::fs::create_dir_all(program.data().join("backups")).unwrap();
    std::fs::write(program.data().join("backups").join(file), b"SQLite format 3\0 and no more").unwrap();
    std::fs::write(program.data().join("restore.next"), file).unwrap();
    // The console closes the shop in the same way.
    running.signal("-TERM");
    let next = program.data().join("restore.next");
    for _ in 0..1_200 {
        if !next.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert!(!next.exists(), "it is tried once");
    program.ready().await;
    assert!(page("/admin/products").await.contains("苹果"), "with everybody still logged in");
    assert!(page("/admin/audit").await.contains("恢复备份没有成功，店铺还是原来的"));
    assert!(!names(&program).iter().any(|name| name.starts_with("before-restore")), "nothing half is left");
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_written_is_its_owners_alone() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    assert!(program.run(&["restore", "sound.backup", "--force"]).status.success());
    let mut looked_at = 0;
    let files = |folder: std::path::PathBuf| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    for file in files(program.data()).chain(files(program.folder.path().to_owned())) {
        let (name, kind) = (file.file_name().into_string().unwrap(), file.file_type().unwrap());
        if kind.is_file() && name != "goods.csv" {
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name} {mode:o}");
            looked_at += 1;
        }
    }
    assert!(looked_at >= 5, "{looked_at}");
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_and_commands_exclude_each_other() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    // A command that has the database open and waits for its password.
    let mut command = program.command(&["staff", "add", "boss", "--role", "owner", "--password-stdin"]);
    let mut waiting = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let in_use = program.data().join("xiaopu.use");
    let held = || {
        let file = std::fs::File::options().write(true).open(&in_use).unwrap();
        file.try_lock().is_err()
    };
    for _ in 0..200 {
        if held() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    if held() {
        let refused = program.run(&["restore", "sound.backup", "--force"]);
        assert!(!refused.status.success() && text(&refused).contains("正在使用"), "{}", text(&refused));
    }
    std::io::Write::write_all(waiting.stdin.as_mut().unwrap(), b"packing-table-7\n").unwrap();
    assert!(waiting.wait().unwrap().success());
    assert!(program.run(&["restore", "sound.backup", "--force"]).status.success());
    // And the other way round: what is being replaced is not opened.
    let alone = db::Alone::take(&program.data()).unwrap();
    let refused = program.run(&["doctor"]);
    assert!(text(&refused).contains("正在恢复备份"), "{}", text(&refused));
    drop(alone);
    assert!(text(&program.run(&["doctor"])).contains("✓ 数据库"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_backup_is_looked_into_and_taken_up_by_command() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    let packed = backups::plain::pack(&program.folder.path().join("sound.backup")).unwrap();
    let looked = text(&program.run(&["log", "--database", "sound.backup.gz"]));
    assert!(looked.contains("没有符合条件的消息"), "{looked}");
    let restored = program.run(&["restore", "sound.backup.gz", "--force"]);
    assert!(restored.status.success() && packed.exists(), "{}", text(&restored));
    let whole = std::fs::read(&packed).unwrap();
    std::fs::write(&packed, &whole[..whole.len() / 2]).unwrap();
    let before = names(&program);
    let refused = program.run(&["restore", "sound.backup.gz", "--force"]);
    assert!(!refused.status.success() && text(&refused).contains("不能用来恢复"), "{}", text(&refused));
    assert_eq!(names(&program), before, "nothing half is left");
    let files = std::fs::read_dir(program.folder.path()).unwrap().map(|file| file.unwrap().file_name());
    assert!(files.into_iter().all(|name| !name.to_string_lossy().contains(".part")));
}

/// A newer program's command beside a running older one changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_upgraded_under_a_running_shop() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    let running = program.start();
    program.ready().await;
    // As a shop looks that an older program serves.
    let older = db::SCHEMA_VERSION - 1;
    let raw = Connection::open(program.data().join("xiaopu.db")).unwrap();
    raw.pragma_update(None, "user_version", older).unwrap();
    let refused = program.run(&["doctor"]);
    assert!(text(&refused).contains("不能升级"), "{}", text(&refused));
    assert_eq!(raw.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), older);
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_not_replaced_while_something_is_sealed_with_it() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    {
        let _running = program.start();
        program.ready().await;
        let cookie = program.owner().await;
        let form = [("wechat-message_token", "secretmessagetoken")];
        client().post(program.at("/admin/settings")).header("Cookie", &cookie).form(&form).send().await.unwrap();
    }
    let doctor = text(&program.run(&["doctor"]));
    assert!(doctor.contains("打开了 1 项封存的设置"), "{doctor}");
    let (key, aside) = (program.data().join("secret.key"), program.data().join("aside"));
    std::fs::rename(&key, &aside).unwrap();
    let refused = text(&program.run(&["doctor"]));
    assert!(refused.contains("secret.key") && refused.contains("new-key") && !key.exists(), "{refused}");
    // Another shop's key has the right size, and opens nothing.
    std::fs::write(&key, [7; 32]).unwrap();
    let doctor = text(&program.run(&["doctor"]));
    assert!(doctor.contains("✗ 密钥文件") && doctor.contains("打不开 1 项"), "{doctor}");
    std::fs::remove_file(&key).unwrap();
    let made = program.run(&["new-key"]);
    assert!(made.status.success() && text(&made).contains("wechat.message_token"), "{}", text(&made));
    assert!(text(&program.run(&["doctor"])).contains("✓ 密钥文件"));
    assert!(!program.run(&["new-key"]).status.success(), "only when it is lost");
}

/// What signs for another program's address is sealed too, and may be all that is: a lost key leaves it mute.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_missed_where_only_another_programs_address_is_sealed() {
    let (_simulator, wechat) = simulated().await;
    let program = program(wechat);
    drop({
        let running = program.start();
        program.ready().await;
        let cookie = program.owner().await;
        let form = [("url", "https://books.example.com/told"), ("events", "order.paid")];
        client().post(program.at("/admin/programs/hooks")).header("Cookie", &cookie).form(&form).send().await.unwrap();
        running
    });
    let doctor = text(&program.run(&["doctor"]));
    assert!(doctor.contains("打开了 1 项封存的设置"), "{doctor}");
    let key = program.data().join("secret.key");
    std::fs::remove_file(&key).unwrap();
    let refused = text(&program.run(&["doctor"]));
    assert!(refused.contains("secret.key") && refused.contains("new-key") && !key.exists(), "{refused}");
    assert!(program.run(&["new-key"]).status.success());
    assert!(text(&program.run(&["doctor"])).contains("✓ 密钥文件"));
    let shop = Connection::open(program.data().join("xiaopu.db")).unwrap();
    let off: bool = shop.query_row("select off_at is not null from hooks", [], |row| row.get(0)).unwrap();
    assert!(off, "it cannot sign any more");
}

/// Too little disk: the room is asked for first, the shop stays open, and nothing half is left.
#[tokio::test(flavor = "multi_thread")]
async fn going_back_asks_for_room_first() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let Some(disk) = super::disk::Disk::mount(program.data(), "12m") else {
        eprintln!("skipped: no right to mount a disk here");
        return;
    };
    let table = write(program.folder.path(), "goods.csv", "商品名称,售价(元),库存\n苹果,10,100000\n");
    assert!(program.run(&["import", &table]).status.success());
    assert!(program.run(&["backup", "sound.backup"]).status.success());
    let ballast = program.data().join("ballast");
    let free = backups::room::free_space(&program.data()).unwrap();
    std::fs::write(&ballast, vec![0_u8; (free - 1_500_000) as usize]).unwrap();
    let before: Vec<_> = names(&program);
    let refused = program.run(&["restore", "sound.backup", "--force"]);
    assert!(!refused.status.success() && text(&refused).contains("磁盘只剩"), "{}", text(&refused));
    assert_eq!(names(&program), before, "nothing half is left");
    // One for the road is opened first, which takes room as well: its passphrase is not what is wrong.
    let sealed = [backups::sealed::MAGIC.as_slice(), &[0; 1_500_000]].concat();
    std::fs::write(program.folder.path().join("sealed.backup"), sealed).unwrap();
    let refused = program.run(&["restore", "sealed.backup", "--force"]);
    assert!(!refused.status.success() && text(&refused).contains("磁盘只剩"), "{}", text(&refused));
    assert_eq!(names(&program), before, "nothing half is left");
    std::fs::remove_file(&ballast).unwrap();
    assert!(text(&program.run(&["doctor"])).contains("✓ 数据库"));
    assert!(program.run(&["restore", "sound.backup", "--force"]).status.success());
    drop(disk);
}

fn names(program: &Program) -> Vec<String> {
    let files = std::fs::read_dir(program.data()).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with("xiaopu.lock") && name != "xiaopu.use");
    names.sort();
    names
}
