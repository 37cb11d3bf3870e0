//! The power is cut: at any moment, with whatever is lost that was not flushed, nothing that was answered is gone, and the
//! folder holds one whole shop.
//!
//! `POWER_CUTS=2000 cargo test --test xiaopu power_cut -- --nocapture` looks at so many folders of each kind.

mod disk;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use xiaopu::{backups, db};

use super::storm::{self, Storm};
use super::{FIRST_FOUR, Program, Running, simulated, text, write};
use crate::support::client;
use disk::{Act, Dice, Disk, Loss};

/// Folders that every run of the tests looks at, of each kind.
const CUTS: usize = 60;

fn cuts() -> usize {
    std::env::var("POWER_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(CUTS)
}

/// Whatever one run of the program does to its disk.
struct Record {
    folder: PathBuf,
    place: tempfile::TempDir,
    before: Disk,
}

impl Record {
    /// From here on, of everything below the program's folder. Nothing may be running in it.
    fn of(program: &Program) -> Record {
        let place = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crash/power/record.c");
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([place.path().join("record.so").as_os_str(), source.as_ref()])
            .args(["-ldl", "-lpthread"])
            .status();
        assert!(made.expect("a C compiler is needed to build the program, too").success());
        let folder = program.folder.path().canonicalize().unwrap();
        Record { before: Disk::of(&folder), folder, place }
    }

    fn file(&self) -> PathBuf {
        self.place.path().join("record")
    }

    fn keep(&self, mut command: Command) -> Command {
        command.env("LD_PRELOAD", self.place.path().join("record.so"));
        command.env("POWER_FOLDER", &self.folder).env("POWER_RECORD", self.file());
        command
    }

    /// Looks at so many folders as they may be found. `look` is told how far the record had come, and what it is.
    fn cut(mut self, most: usize, mut look: impl FnMut(&Path, u64, &str)) -> (usize, usize) {
        let (acts, mut dice, mut found) = (disk::read(&self.file()), Dice(seed()), 0);
        // At each act in turn when there are few, at chance ones when there are many; the end is always one.
        let each = Loss::ALL.len() * acts.len();
        for (n, act) in acts.iter().enumerate() {
            self.before.act(act);
            let last = n + 1 == acts.len();
            for loss in Loss::ALL {
                if !last && each > most && dice.below(each) >= most {
                    continue;
                }
                let folder = tempfile::tempdir_in(ram()).unwrap();
                self.before.found(loss, &mut dice, folder.path());
                look(folder.path(), act.end, &format!("act {n} of {}, lost: {loss:?}, seed {}", acts.len(), seed()));
                found += 1;
            }
        }
        (found, acts.len())
    }

    fn ends_with(&self) -> Option<Act> {
        disk::read(&self.file()).pop()
    }
}

/// `POWER_SEED` repeats a run.
fn seed() -> u64 {
    std::env::var("POWER_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Thousands of folders need not wear out a disk.
fn ram() -> PathBuf {
    let ram = PathBuf::from("/dev/shm");
    if ram.is_dir() { ram } else { std::env::temp_dir() }
}

/// Opens the shop of a folder as the program does, upgrading it and going back if that is in line. Every file that has the
/// name of a shop must be a whole one.
fn open(folder: &Path, when: &str) -> Connection {
    let data = folder.join("data");
    backups::sweep(&data);
    backups::restore::take_up(&data, 1_800_000_000_000).unwrap_or_else(|words| panic!("{when}: {words}"));
    drop(db::Db::open(&data).unwrap_or_else(|e| panic!("{when}: {e}")));
    for folder in [folder, &data, &data.join("backups")] {
        for file in std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|end| end == "db" || end == "backup") {
                db::check(&file).unwrap_or_else(|e| panic!("{when}: {}: {e}", file.display()));
            }
        }
    }
    Connection::open(data.join("xiaopu.db")).unwrap()
}

fn goods(program: &Program) {
    let goods = "商品名称,售价(元),库存\n苹果,10,1000000\n梨,8,1000000\n桃,6,1000000\n";
    let table = write(program.folder.path(), "goods.csv", goods);
    assert!(program.run(&["import", &table]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_answered() {
    let (simulator, wechat) = simulated().await;
    simulator.ways(|ways| ways.refund_takes_ms = 0);
    let program = Program::new(wechat);
    goods(&program);
    let storm = {
        let mut running = program.start();
        program.ready().await;
        let storm = Storm::of(&program, &simulator).await;
        running.signal("-TERM");
        running.0.wait().unwrap();
        storm
    };
    let record = Record::of(&program);
    let storm = storm.recorded(record.file());
    let mut serve = record.keep(program.command(&["serve"]));
    let mut running = Running(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    program.ready().await;
    let (mut load, begun, wanted) = (storm.rage(0), Instant::now(), cuts().min(600));
    let backup = || client().post(program.at("/admin/backups")).header("Cookie", storm.cookie()).send();
    // A backup is made meanwhile.
    let mut backed_up = false;
    while storm.promised.lock().unwrap().count() < wanted {
        assert!(begun.elapsed() < Duration::from_secs(240), "nothing goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
        storm.hear();
        if !backed_up && storm.promised.lock().unwrap().count() > wanted / 2 {
            backup().await.unwrap();
            backed_up = true;
        }
    }
    storm.hear();
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    load.shutdown().await;
    let promised = storm.promised.lock().unwrap();
    let (found, acts) = record.cut(cuts(), |folder, end, when| {
        storm::check(&open(folder, when), &promised, end, when);
    });
    println!("{found} folders out of {acts} acts, up to {} facts in each: none lost", promised.count());
}

/// Whatever is being done to the whole shop.
#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_leaves_one_whole_shop_while_it_goes_back_is_backed_up_or_upgraded() {
    let (simulator, wechat) = simulated().await;
    let program = Program::new(wechat.clone());
    goods(&program);
    let orders =
        |conn: &Connection| -> i64 { conn.query_row("select count(*) from orders", [], |row| row.get(0)).unwrap() };
    {
        let mut running = program.start();
        program.ready().await;
        let token = program.buyer(&simulator).await;
        program.paid(&simulator, &token, "before-the-backup").await;
        assert!(program.run(&["backup", "then.backup"]).status.success());
        program.paid(&simulator, &token, "after-the-backup").await;
        running.0.kill().unwrap();
        running.0.wait().unwrap();
    }
    // Backed up.
    let record = Record::of(&program);
    let made = record.keep(program.command(&["backup", "now.backup"])).output().unwrap();
    assert!(made.status.success(), "{}", text(&made));
    let end = record.ends_with().unwrap().end;
    let backed_up = record.cut(cuts(), |folder, at, when| {
        assert_eq!(orders(&open(folder, when)), 2, "{when}");
        assert!(at < end || folder.join("now.backup").exists(), "{when}: it was said to be there");
    });
    // Gone back, by command: either shop, and the present is kept beside the other one.
    let either = |folder: &Path, is_over: bool, when: &str| {
        let count = orders(&open(folder, when));
        assert!(count == 1 || (count == 2 && !is_over), "{when}: {count} orders");
        let kept = std::fs::read_dir(folder.join("data")).unwrap().map(|file| file.unwrap());
        let mut kept = kept.filter(|file| file.file_name().to_str().unwrap().starts_with("before-restore-"));
        let kept_whole = kept.any(|file| orders(&Connection::open(file.path()).unwrap()) == 2);
        assert!(count == 2 || kept_whole, "{when}: the present is lost");
    };
    let data = program.data();
    let present = Disk::of(&data);
    let record = Record::of(&program);
    let gone = record.keep(program.command(&["restore", "then.backup", "--force"])).output().unwrap();
    assert!(gone.status.success(), "{}", text(&gone));
    let end = record.ends_with().unwrap().end;
    let gone_back = record.cut(cuts(), |folder, at, when| either(folder, at == end, when));
    // Gone back, from the console: a backup is in line when the shop opens.
    std::fs::remove_dir_all(&data).unwrap();
    present.found(Loss::Nothing, &mut Dice(0), &data);
    std::fs::create_dir_all(data.join("backups")).unwrap();
    let then = "xiaopu-20261008-040000-000001.backup";
    std::fs::copy(program.folder.path().join("then.backup"), data.join("backups").join(then)).unwrap();
    std::fs::write(data.join("restore.next"), then).unwrap();
    let record = Record::of(&program);
    let mut serve = record.keep(program.command(&["serve"]));
    let mut running = Running(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    program.ready().await;
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    let end = record.ends_with().unwrap().end;
    let in_line = record.cut(cuts(), |folder, at, when| either(folder, at == end, when));
    // Upgraded from the fourth version to today's.
    let program = Program::new(wechat);
    std::fs::create_dir_all(program.data()).unwrap();
    let conn = Connection::open(program.data().join("xiaopu.db")).unwrap();
    FIRST_FOUR.iter().for_each(|sql| conn.execute_batch(sql).unwrap());
    conn.pragma_update(None, "application_id", db::APPLICATION_ID).unwrap();
    conn.pragma_update(None, "user_version", 4).unwrap();
    conn.execute("insert into products (name, created_at, updated_at) values ('苹果', 0, 0)", []).unwrap();
    drop(conn);
    let record = Record::of(&program);
    let upgraded = record.keep(program.command(&["staff", "list"])).output().unwrap();
    assert!(upgraded.status.success(), "{}", text(&upgraded));
    let upgraded = record.cut(cuts(), |folder, _, when| {
        let conn = open(folder, when);
        let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let goods: i64 = conn.query_row("select count(*) from products", [], |row| row.get(0)).unwrap();
        assert_eq!((version, goods), (db::SCHEMA_VERSION, 1), "{when}");
        assert!(folder.join("data").join("before-upgrade-from-4.db").exists(), "{when}: there is a way back");
    });
    let shown = |(found, acts): (usize, usize)| format!("{found} folders out of {acts} acts");
    println!("backed up: {}", shown(backed_up));
    println!("gone back: {} by command, {} from the console", shown(gone_back), shown(in_line));
    println!("upgraded: {}", shown(upgraded));
}
