//! The real program: killed without warning, started twice, run alone from an empty folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{APP_ID, KEY, MCH_ID, SECRET, address, client, merchant};
use xiaopu::clock::Clock;
use xiaopu::nonce::Nonces;
use xiaopu::wechat::sign::SignType;
use xiaopu::wechat::simulator::Simulator;

struct Program {
    folder: tempfile::TempDir,
    port: u16,
    wechat: String,
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Program {
    fn new(wechat: String) -> Program {
        Program { folder: tempfile::tempdir().unwrap(), port: free_port(), wechat }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xiaopu"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        // Nobody listens there: whoever asked this proxy would hear nothing of WeChat.
        for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(proxy, "http://127.0.0.1:9");
        }
        command.env("ROCKET_PORT", self.port.to_string());
        command.env("ROCKET_SHOP", format!("{{data_dir=\"data\",public_url=\"http://127.0.0.1:{}\"}}", self.port));
        command.env(
            "ROCKET_WECHAT",
            format!(
                "{{app_id=\"{APP_ID}\",app_secret=\"{SECRET}\",mch_id={MCH_ID},api_key=\"{KEY}\",pay_url=\"{0}\",api_url=\"{0}\"}}",
                self.wechat
            ),
        );
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn start(&self) -> Running {
        let child = self.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Running(child)
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn ready(&self) {
        for _ in 0..1200 {
            if client().get(self.at("/readyz")).send().await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the program did not become ready");
    }
}

/// Ended when it goes out of scope, like every process a test starts.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    std::fs::write(folder.join(name), content).unwrap();
    name.to_owned()
}

async fn simulated() -> (Simulator, String) {
    let simulator = Simulator::new(merchant(SignType::Md5), SECRET, Clock::System, Nonces::Random);
    let port = free_port();
    let figment =
        xiaopu::cli::figment().merge(("address", "127.0.0.1")).merge(("port", port)).merge(("shutdown.ctrlc", false));
    tokio::spawn(simulator.rocket(figment).launch());
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (simulator, format!("http://127.0.0.1:{port}"))
}

/// What was answered before the kill is there after it; nothing is half there.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_answered_is_lost_by_a_kill() {
    let (simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let table = write(program.folder.path(), "goods.csv", "商品名称,售价(元),库存\n苹果,10,100000\n");
    let imported = program.run(&["import", &table]);
    assert!(imported.status.success(), "{}", text(&imported));
    let mut answered: Vec<String> = Vec::new();
    let mut token = String::new();
    for round in 0..4_usize {
        let mut running = program.start();
        program.ready().await;
        let http = client();
        if token.is_empty() {
            let code = json!({ "code": simulator.login_code("alice") });
            let login = http.post(program.at("/api/v1/login")).json(&code).send().await.unwrap();
            token = login.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
        }
        for no in &answered {
            let order = http.get(program.at(&format!("/api/v1/orders/{no}"))).bearer_auth(&token).send().await.unwrap();
            assert_eq!(order.status(), 200, "order {no} is lost");
        }
        // Killed in the middle: when some have been answered, and others are on their way.
        let heard = Arc::new(AtomicUsize::new(0));
        let buys = (0..24).map(|i| {
            let heard = heard.clone();
            let request = http
                .post(program.at("/api/v1/prepay"))
                .bearer_auth(&token)
                .header("Idempotency-Key", format!("crash-{round}-{i:04}"))
                .json(&json!({ "items": [{ "skuId": "1", "quantity": 1 }], "address": address() }));
            async move {
                let answer = request.send().await.ok()?.json::<Value>().await.ok();
                heard.fetch_add(1, Ordering::SeqCst);
                answer
            }
        });
        let buying = tokio::spawn(rocket::futures::future::join_all(buys.collect::<Vec<_>>()));
        for _ in 0..2_000 {
            if heard.load(Ordering::SeqCst) > round * 5 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        running.0.kill().unwrap();
        running.0.wait().unwrap();
        for answer in buying.await.unwrap().into_iter().flatten() {
            if let Some(no) = answer["order"]["orderNo"].as_str() {
                answered.push(no.to_owned());
            }
        }
        let doctor = text(&program.run(&["doctor"]));
        for line in ["✓ 数据库  ", "✓ 资金与库存  "] {
            assert!(doctor.contains(line), "{doctor}");
        }
    }
    assert!(!answered.is_empty(), "no order was answered before any kill");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_serves_one_shop_and_a_newer_one_is_left_alone() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let running = program.start();
    program.ready().await;
    let second = program.run(&["serve"]);
    assert!(!second.status.success() && text(&second).contains("另一个小铺正在使用"), "{}", text(&second));
    // The command line works beside a running shop.
    let added = program.run(&["staff", "add", "小李", "--role", "clerk"]);
    assert!(added.status.success() && text(&added).contains("密码"), "{}", text(&added));
    assert!(text(&program.run(&["staff", "list"])).contains("小李\t店员"));
    assert!(!program.run(&["staff", "add", "小李", "--role", "clerk"]).status.success());
    assert!(!program.run(&["staff", "add", "小王", "--role", "king"]).status.success());
    assert!(program.run(&["staff", "reset-password", "小李"]).status.success());
    assert!(!program.run(&["staff", "reset-password", "nobody"]).status.success());
    drop(running);
    let raw = rusqlite::Connection::open(program.data().join("xiaopu.db")).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    let newer = program.run(&["serve"]);
    assert!(!newer.status.success() && text(&newer).contains("更新版本的小铺"), "{}", text(&newer));
}

#[test]
fn wrong_settings_are_named_and_the_demo_refuses_real_ones() {
    let program = Program::new("http://127.0.0.1:9".into());
    let real = program.run(&["demo"]);
    assert!(!real.status.success() && text(&real).contains("不接受真实的微信设置"), "{}", text(&real));
    let wrong = program.command(&["serve"]).env("ROCKET_WECHAT", "{api_key=\"short\"}").output().unwrap();
    assert!(!wrong.status.success() && text(&wrong).contains("wechat.api_key"), "{}", text(&wrong));
    let plain = program.command(&["serve"]).env("ROCKET_WECHAT", "{pay_url=\"http://192.0.2.1\"}").output().unwrap();
    assert!(!plain.status.success() && text(&plain).contains("必须是 https"), "{}", text(&plain));
    let outside =
        program.command(&["demo"]).env_remove("ROCKET_WECHAT").env("ROCKET_ADDRESS", "0.0.0.0").output().unwrap();
    assert!(!outside.status.success() && text(&outside).contains("只能在本机"), "{}", text(&outside));
    let doctor = program.command(&["doctor"]).env_remove("ROCKET_WECHAT").output().unwrap();
    assert!(!doctor.status.success() && text(&doctor).contains("✗ APIv2 密钥"), "{}", text(&doctor));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_backed_up_while_it_runs_and_restored() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let table = write(program.folder.path(), "goods.csv", "name,price,stock\n苹果,10,5\n");
    assert!(program.run(&["import", &table]).status.success());
    let running = program.start();
    program.ready().await;
    let backed_up = program.run(&["backup", "shop.backup"]);
    assert!(backed_up.status.success() && text(&backed_up).contains("已备份并校验"), "{}", text(&backed_up));
    assert!(!program.run(&["backup", "shop.backup"]).status.success(), "a backup is never overwritten");
    assert!(text(&program.run(&["restore", "shop.backup", "--force"])).contains("另一个小铺正在使用"));
    drop(running);
    let more = write(program.folder.path(), "more.csv", "name,price,stock\n梨,10,5\n");
    assert!(program.run(&["import", &more]).status.success());
    assert!(text(&program.run(&["restore", "shop.backup"])).contains("--force"));
    assert!(text(&program.run(&["restore", &table, "--force"])).contains("不能用来恢复"));
    let restored = program.run(&["restore", "shop.backup", "--force"]);
    assert!(restored.status.success(), "{}", text(&restored));
    let kept = std::fs::read_dir(program.data())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("before-restore-"));
    assert_eq!(kept.count(), 1);
    let _running = program.start();
    program.ready().await;
    let products: Value = client().get(program.at("/api/v1/products")).send().await.unwrap().json().await.unwrap();
    assert_eq!(products["items"].as_array().unwrap().len(), 1, "the pear came after the backup");
}
