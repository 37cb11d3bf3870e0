//! A disk that is full: clear words, reading goes on, and nothing has to be started again once there is room.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;
use serde_json::{Value, json};
use xiaopu::payments::invariants;

use super::{Program, simulated, write};
use crate::support::{address, client};

/// A small disk of its own, in memory; gone when it goes out of scope.
pub struct Disk(PathBuf);

impl Disk {
    /// `None` where the tests may not mount anything.
    pub fn mount(at: PathBuf, size: &str) -> Option<Disk> {
        std::fs::create_dir_all(&at).unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output().ok()?;
        mounted.status.success().then_some(Disk(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_survived() {
    let (simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let Some(_disk) = Disk::mount(program.data(), "12m") else {
        eprintln!("skipped: no right to mount a disk here");
        return;
    };
    let table = write(program.folder.path(), "goods.csv", "商品名称,售价(元),库存\n苹果,10,100000\n");
    assert!(program.run(&["import", &table]).status.success());
    // What it says goes where there is no room either.
    let said = File::create(program.data().join("said")).unwrap();
    let running = program.start_saying(said);
    program.ready().await;
    let (cookie, token) = (program.owner().await, program.buyer(&simulator).await);
    let buy = async |key: &str| {
        let request = client().post(program.at("/api/v1/prepay")).bearer_auth(&token).header("Idempotency-Key", key);
        let order = json!({ "items": [{ "skuId": "1", "quantity": 1 }], "address": address() });
        let answer = request.json(&order).send().await.unwrap();
        let (status, retry) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        (status, retry, answer.json::<Value>().await.unwrap())
    };
    assert_eq!(buy("before-it-is-full").await.0, 201);
    // Fill it: a big file first, then whatever still fits.
    let ballast = program.data().join("ballast");
    let mut filled = 0;
    for step in [1 << 20, 64 << 10, 4 << 10] {
        loop {
            let mut bytes = std::fs::OpenOptions::new().create(true).append(true).open(&ballast).unwrap();
            if std::io::Write::write_all(&mut bytes, &vec![b'x'; step]).is_err() {
                break;
            }
            filled += step;
        }
    }
    assert!(filled > 1 << 20);
    // The log may still have room in what it has reserved; in the end there is none.
    let mut refused = None;
    for n in 0..400 {
        let (status, retry, body) = buy(&format!("while-it-is-full-{n}")).await;
        if status != 201 {
            refused = Some((status, retry, body["error"]["message"].as_str().unwrap().to_owned()));
            break;
        }
    }
    let (status, retry, words) = refused.expect("a full disk refuses in the end");
    assert_eq!((status, retry), (503, true), "{words}");
    assert!(words.contains("磁盘满了") || words.contains("没有保存成功"), "{words}");
    let notice = client().post(program.at("/wechat/pay/notify")).body("<xml>x</xml>").send().await.unwrap();
    assert!(notice.text().await.unwrap().contains("FAIL"));
    assert_eq!(client().get(program.at("/readyz")).send().await.unwrap().status(), 503);
    for path in ["/api/v1/products", "/healthz", "/admin/orders", "/admin/"] {
        let answer = client().get(program.at(path)).header("Cookie", &cookie).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path} can be read");
    }
    std::fs::remove_file(&ballast).unwrap();
    let mut bought = 0;
    for _ in 0..100 {
        if buy("while-it-is-full-again").await.0 == 201 {
            bought += 1;
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(bought, 1, "with room again it goes on by itself");
    program.ready().await;
    drop(running);
    let conn = Connection::open(program.data().join("xiaopu.db")).unwrap();
    assert_eq!(invariants::broken(&conn).unwrap(), []);
}
