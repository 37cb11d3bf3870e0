//! The real program: killed without warning, started twice, run alone from an empty folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

mod bombs;
mod disk;
mod doctor;
mod going_back;
mod memory;
mod packing;
mod ports;
mod power;
mod reconcile;
mod storm;

use crate::support::{APP_ID, KEY, MCH_ID, SECRET, address, client, cookie, merchant};
use xiaopu::clock::{Clock, Day};
use xiaopu::nonce::Nonces;
use xiaopu::simulator::v3::Keys;
use xiaopu::simulator::{Fault, Paying, Simulator};
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::{self, SignType};

struct Program {
    folder: tempfile::TempDir,
    port: u16,
    wechat: String,
    /// Further settings of WeChat's, as the environment has them.
    more: Mutex<String>,
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Program {
    fn new(wechat: String) -> Program {
        Program { folder: tempfile::tempdir().unwrap(), port: free_port(), wechat, more: Mutex::default() }
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
        command.env(
            "ROCKET_SHOP",
            format!("{{data_dir=\"data\",public_url=\"http://127.0.0.1:{}\",unpaid_orders=100000}}", self.port),
        );
        command.env(
            "ROCKET_WECHAT",
            format!(
                "{{app_id=\"{APP_ID}\",app_secret=\"{SECRET}\",mch_id={MCH_ID},api_key=\"{KEY}\",pay_url=\"{0}\",api_url=\"{0}\"{1}}}",
                self.wechat,
                self.more.lock().unwrap()
            ),
        );
        command
    }

    /// From its next start on it has the keys of both versions, and takes new orders in this one.
    fn speaks(&self, api: &str, keys: &Keys) {
        let folder = self.folder.path();
        write(folder, "apiclient_key.pem", &keys.merchant.private);
        write(folder, "pub_key.pem", &keys.platform.public);
        *self.more.lock().unwrap() = format!(
            ",api=\"{api}\",v3_key=\"{}\",mch_key=\"apiclient_key.pem\",mch_serial=\"{}\",public_key=\"pub_key.pem\",public_key_id=\"{}\"",
            keys.v3_key, keys.serial, keys.public_id
        );
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn start(&self) -> Running {
        let child = self.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Running(child)
    }

    /// With whatever it says going to this file.
    fn start_saying(&self, said: File) -> Running {
        let mut command = self.command(&["serve"]);
        command.stdout(said.try_clone().unwrap()).stderr(said);
        Running(command.spawn().unwrap())
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

impl Running {
    /// As whoever keeps the machine would send it: `-TERM`, `-STOP`.
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

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
    simulated_at(Clock::System).await
}

async fn simulated_at(clock: Clock) -> (Simulator, String) {
    let simulator = Simulator::new(merchant(SignType::Md5), SECRET, clock, Nonces::Random);
    let port = free_port();
    let figment =
        xiaopu::cli::figment().merge(("address", "127.0.0.1")).merge(("port", port)).merge(("shutdown.ctrlc", false));
    let launched = tokio::spawn(simulator.rocket(figment).launch());
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(!launched.is_finished(), "the simulated WeChat did not start");
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

impl Program {
    /// The owner's session, by way of the command line and the login page.
    async fn owner(&self) -> String {
        self.member("owner", "owner").await
    }

    /// The same of somebody with another role.
    async fn member(&self, name: &str, role: &str) -> String {
        let mut child = self.command(&["staff", "add", name, "--role", role, "--password-stdin"]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"packing-table-7\n").unwrap();
        assert!(child.wait().unwrap().success());
        let form = [("account", name), ("password", "packing-table-7")];
        let answer = client().post(self.at("/admin/login")).form(&form).send().await.unwrap();
        cookie(&answer, "xiaopu_session=").unwrap()
    }

    /// A buyer of the only product, logged in.
    async fn buyer(&self, simulator: &Simulator) -> String {
        let code = json!({ "code": simulator.login_code("alice") });
        let login = client().post(self.at("/api/v1/login")).json(&code).send().await.unwrap();
        login.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned()
    }

    /// An order that is bought and paid: its number, and WeChat's number of the payment.
    /// An order that waits to be paid: its number, and what the cash desk knows it by.
    async fn placed(&self, token: &str, key: &str) -> (String, String) {
        let request = client().post(self.at("/api/v1/prepay")).bearer_auth(token).header("Idempotency-Key", key);
        let order = json!({ "items": [{ "skuId": "1", "quantity": 2 }], "address": address() });
        let answer: Value = request.json(&order).send().await.unwrap().json().await.unwrap();
        let no = answer["order"]["orderNo"].as_str().unwrap().to_owned();
        (no, answer["payment"]["package"].as_str().unwrap().strip_prefix("prepay_id=").unwrap().to_owned())
    }

    async fn paid(&self, simulator: &Simulator, token: &str, key: &str) -> (String, String) {
        let (no, prepay_id) = self.placed(token, key).await;
        simulator.pay(&prepay_id, Paying::Well).unwrap();
        for _ in 0..1200 {
            let url = self.at(&format!("/api/v1/orders/{no}"));
            let order: Value = client().get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
            if order["status"] == "to_ship" {
                let trade = simulator.trade(&format!("{no}01")).unwrap();
                return (no, trade.transaction_id.unwrap());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the payment was not heard of");
    }
}

/// A refund that was agreed to is sent once, whenever the program dies: before the call, during it, or before the
/// answer was written down.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_commit_and_call_loses_no_refund_and_sends_none_twice() {
    let (simulator, wechat) = simulated().await;
    simulator.ways(|ways| ways.refund_takes_ms = 0);
    let program = Program::new(wechat);
    let table = write(program.folder.path(), "goods.csv", "商品名称,售价(元),库存\n苹果,10,100000\n");
    assert!(program.run(&["import", &table]).status.success());
    let mut running = program.start();
    program.ready().await;
    let (cookie, token) = (program.owner().await, program.buyer(&simulator).await);
    for (round, fault) in
        [None, Some(Fault::Slow(1_500)), Some(Fault::LoseAnswer), Some(Fault::Http500), None, Some(Fault::Slow(1_500))]
            .into_iter()
            .enumerate()
    {
        let (no, transaction) = program.paid(&simulator, &token, &format!("crash-refund-{round}")).await;
        let in_flight = matches!(fault, Some(Fault::Slow(_)));
        if let Some(fault) = fault {
            simulator.fault("refund", fault);
        }
        let calls = simulator.calls("refund");
        let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
        let url = program.at(&format!("/admin/orders/{no}/refund"));
        let answer = client().post(url).header("Cookie", &cookie).form(&form).send().await.unwrap();
        assert_eq!(answer.headers()["location"], format!("/admin/refunds/{no}R01").as_str());
        // At once after the commit, or while WeChat is working on it.
        if in_flight {
            for _ in 0..400 {
                if simulator.calls("refund") > calls {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        running.0.kill().unwrap();
        running.0.wait().unwrap();
        running = program.start();
        program.ready().await;
        let mut refunded = 0;
        for _ in 0..1200 {
            let url = program.at(&format!("/api/v1/orders/{no}"));
            let order: Value = client().get(url).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
            refunded = order["refundedFen"].as_i64().unwrap();
            if refunded > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(refunded, 2000, "round {round}: the refund of {no} is lost");
        let refunds = simulator.refunds(&transaction);
        let sent: Vec<_> = refunds.iter().map(|r| (r.out_refund_no.clone(), r.amount_fen)).collect();
        assert_eq!(sent, [(format!("{no}R01"), 2000)], "round {round}");
    }
    drop(running);
    let doctor = text(&program.run(&["doctor"]));
    assert!(doctor.contains("✓ 资金与库存  ") && doctor.contains("✓ 退款  "), "{doctor}");
}

/// Yesterday's bill, from the command line, beside the running shop.
#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_matched_and_notices_are_replayed_from_the_command_line() {
    let clock = Clock::manual(Clock::System.now() - 24 * 60 * 60 * 1000);
    let (simulator, wechat) = simulated_at(clock.clone()).await;
    simulator.ways(|ways| ways.bill_waits = false);
    let yesterday = Day::of(clock.now()).shown();
    let program = Program::new(wechat);
    let table = write(program.folder.path(), "goods.csv", "商品名称,售价(元),库存\n苹果,10,100000\n");
    assert!(program.run(&["import", &table]).status.success());
    for (day, words) in [("yesterday", "不是日期"), ("2020-01-01", "太早"), ("2999-01-01", "以后才能下载")]
    {
        let output = program.run(&["reconcile", day]);
        assert!(!output.status.success() && text(&output).contains(words), "{}", text(&output));
    }
    let running = program.start();
    program.ready().await;
    let token = program.buyer(&simulator).await;
    let (no, _) = program.paid(&simulator, &token, "one-of-yesterday").await;
    clock.advance(24 * 60 * 60 * 1000);
    // Whether today's ten o'clock has come decides what the shop says.
    let out = Clock::System.now() >= Day::of(Clock::System.now()).start() + 10 * 60 * 60 * 1000;
    let matched = program.run(&["reconcile", &yesterday]);
    if out {
        assert!(matched.status.success() && text(&matched).contains("1 笔 ¥20.00"), "{}", text(&matched));
        assert!(text(&matched).contains("✓ 无差异"), "{}", text(&matched));
    } else {
        assert!(text(&matched).contains("以后才能下载"), "{}", text(&matched));
    }
    // Today's program makes the same of every notice.
    let replayed = program.run(&["replay"]);
    assert!(replayed.status.success() && text(&replayed).contains("重放了 1 条支付通知"), "{}", text(&replayed));
    assert!(text(&replayed).contains("没有任何不同"), "{}", text(&replayed));
    // One that was refused for its key would be believed with another: named, and the shop itself is left alone.
    let other_key = "0123456789abcdef0123456789ABCDEF";
    let mut notice = Message::from([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", APP_ID),
        ("mch_id", MCH_ID),
        ("nonce_str", "x"),
        ("openid", "o1"),
        ("trade_type", "JSAPI"),
        ("bank_type", "CMB"),
        ("total_fee", "2000"),
        ("transaction_id", "42-other"),
        ("out_trade_no", "OTHER-SYSTEM-1"),
        ("time_end", "20261008131540"),
    ]);
    notice.set("sign", sign::sign(&notice, SignType::Md5, &other_key.parse().unwrap()));
    let refused = client().post(program.at("/wechat/pay/notify")).body(notice.to_xml()).send().await.unwrap();
    assert!(refused.text().await.unwrap().contains("SIGN_WRONG"));
    drop(running);
    let settings = format!(
        "{{app_id=\"{APP_ID}\",app_secret=\"{SECRET}\",mch_id={MCH_ID},api_key=\"{other_key}\",pay_url=\"{0}\",api_url=\"{0}\"}}",
        program.wechat
    );
    let replayed = program.command(&["replay"]).env("ROCKET_WECHAT", &settings).output().unwrap();
    assert!(!replayed.status.success(), "{}", text(&replayed));
    for words in ["已拒绝：SIGN_WRONG", "找不到对应的支付单", "OTHER-SYSTEM-1"] {
        assert!(text(&replayed).contains(words), "{words}: {}", text(&replayed));
    }
    let left: Vec<_> = std::fs::read_dir(program.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("replay"))
        .collect();
    assert!(left.is_empty(), "the copy is thrown away: {left:?}");
    let raw = rusqlite::Connection::open(program.data().join("xiaopu.db")).unwrap();
    let exceptions: i64 = raw.query_row("select count(*) from money_exceptions", [], |row| row.get(0)).unwrap();
    assert_eq!(exceptions, 0, "the shop itself was left alone; order {no} is its only one");
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
    assert!(
        !doctor.status.success() && text(&doctor).contains("✗ 微信支付  还没有设置密钥。新商户用 API v3"),
        "{}",
        text(&doctor)
    );
    assert!(!text(&doctor).contains("退款证书"), "a new shop has no use for it: {}", text(&doctor));
    assert!(text(&doctor).contains("✗ 数据目录  data 里没有店铺"), "{}", text(&doctor));
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

/// Nobody looks at a page before a table is carried out by command: what the page would ask is asked by refusing.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_imported_by_command_asks_before_it_adds_stock_once_more() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let import = |name: &str, content: &str, more: &[&str]| {
        let table = write(program.folder.path(), name, content);
        let done = program.run(&[&["import", table.as_str()], more].concat());
        (done.status.success(), text(&done))
    };
    assert!(import("new.csv", "商品名称,商家编码,售价,库存\n苹果,S9,10,7\n", &[]).0);
    let more = "商家编码,库存,导出时库存\nS9,9,7\n";
    let (done, said) = import("more.csv", more, &[]);
    assert!(done && said.contains("已导入 1 个商品"), "{said}");
    let (done, said) = import("more.csv", more, &["--yes"]);
    assert!(!done && said.contains("有 1 行的库存差额") && said.contains("--again"), "{said}");
    assert!(import("more.csv", more, &["--again"]).0);
    let free = "商家编码,售价\nS9,0\n";
    let (done, said) = import("free.csv", free, &["--again"]);
    assert!(!done && said.contains("售价是 0 元") && said.contains("--yes"), "{said}");
    assert!(import("free.csv", free, &["--yes"]).0);
    let _running = program.start();
    program.ready().await;
    let products: Value = client().get(program.at("/api/v1/products/1")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&products["skus"][0]["available"], &products["skus"][0]["priceFen"]), (&11.into(), &0.into()));
}

/// From the console: the shop closes, takes the backup up and opens again by itself; and from a sealed file elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_goes_back_to_a_backup_and_moves_house_with_a_sealed_one() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let table = write(program.folder.path(), "goods.csv", "name,price,stock\n苹果,10,5\n");
    assert!(program.run(&["import", &table]).status.success());
    let _running = program.start();
    program.ready().await;
    let cookie = program.owner().await;
    let post = async |path: &str, form: &[(&str, &str)]| {
        client().post(program.at(path)).header("Cookie", &cookie).form(form).send().await.unwrap()
    };
    assert_eq!(post("/admin/backups", &[]).await.status(), 303);
    let page = client().get(program.at("/admin/backups")).header("Cookie", &cookie).send().await.unwrap();
    let page = page.text().await.unwrap();
    let newest = page.split("href=\"/admin/backups/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let at = |act: &str| format!("/admin/backups/{newest}/{act}");
    let sealed = post(&at("carry"), &[("passphrase", "correct horse"), ("again", "correct horse")]).await;
    let sealed = sealed.bytes().await.unwrap();
    post("/admin/products/bulk", &[("product", "1"), ("act", "off")]).await;
    let products = async || {
        let answer = client().get(program.at("/api/v1/products")).send().await.ok()?;
        answer.json::<Value>().await.ok()?["items"].as_array().map(Vec::len)
    };
    assert_eq!(products().await, Some(0));
    let restoring = post(&at("restore"), &[("name", "小铺")]).await;
    assert!(restoring.text().await.unwrap().contains("正在恢复"));
    for _ in 0..400 {
        if products().await == Some(1) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(products().await, Some(1), "back on the shelf");

    // Elsewhere, with nothing but the file and the passphrase.
    let house = Program::new(program.wechat.clone());
    std::fs::write(house.folder.path().join("shop.sealed"), &sealed).unwrap();
    let restore = |passphrase: &'static str| {
        let mut child = house.command(&["restore", "shop.sealed"]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), passphrase.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let wrong = restore("wrong horse\n");
    assert!(!wrong.status.success() && text(&wrong).contains("口令不对"), "{}", text(&wrong));
    let right = restore("correct horse\n");
    assert!(right.status.success() && text(&right).contains("✓ 已恢复"), "{}", text(&right));
    let key = |program: &Program| std::fs::read(program.data().join("secret.key")).unwrap();
    assert_eq!(key(&house), key(&program), "so that its secrets open there");
}

/// What the program of an earlier day made its tables with.
const FIRST_FOUR: [&str; 4] = [
    include_str!("../../src/db/migrations/0001_shop.sql"),
    include_str!("../../src/db/migrations/0002_money.sql"),
    include_str!("../../src/db/migrations/0003_console.sql"),
    include_str!("../../src/db/migrations/0004_scale.sql"),
];

/// An upgrade keeps the shop as it was, each time anew; the older program goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_has_a_way_back() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    // As the version before left it: made by the migrations that it knew.
    let path = program.data().join("xiaopu.db");
    let older = |name: &str| {
        if !path.exists() {
            std::fs::create_dir_all(program.data()).unwrap();
        }
        let conn = rusqlite::Connection::open(&path).unwrap();
        let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        if version != 4 {
            for sql in FIRST_FOUR {
                conn.execute_batch(sql).unwrap();
            }
            conn.pragma_update(None, "application_id", xiaopu::db::APPLICATION_ID).unwrap();
            conn.pragma_update(None, "user_version", 4).unwrap();
            conn.execute("insert into products (name, created_at, updated_at) values ('苹果', 0, 0)", []).unwrap();
        }
        conn.execute("update products set name = ?1", [name]).unwrap();
    };
    let version = || -> (i64, String) {
        let conn = rusqlite::Connection::open(&path).unwrap();
        let version = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        (version, conn.query_row("select name from products", [], |row| row.get(0)).unwrap())
    };
    older("苹果 4");
    assert!(program.run(&["staff", "list"]).status.success());
    assert_eq!(version(), (xiaopu::db::SCHEMA_VERSION, "苹果 4".into()));
    // Back: the command that the error of an older program names, with the file that the upgrade made.
    let back = program.run(&["restore", "data/before-upgrade-from-4.db", "--force"]);
    assert!(back.status.success(), "{}", text(&back));
    assert_eq!(version(), (4, "苹果 4".into()));
    // Business went on in the old program; the next try keeps that day, and not the first one.
    older("苹果 5");
    assert!(program.run(&["staff", "list"]).status.success());
    let back = program.run(&["restore", "data/before-upgrade-from-4-2.db", "--force"]);
    assert!(back.status.success(), "{}", text(&back));
    assert_eq!(version(), (4, "苹果 5".into()));
}

/// Clients that connect and then say next to nothing take a place each, but nobody else's: there are more places than the
/// system gives at first, and a small file descriptor table is no way to shut the shop.
#[tokio::test(flavor = "multi_thread")]
async fn silent_clients_shut_nobody_out() {
    let (program, _running, silent) = beside_silent_clients("ulimit -Sn 256", 400).await;
    for _ in 0..20 {
        let asked = client().get(program.at("/api/v1/shop")).timeout(Duration::from_secs(10)).send();
        assert_eq!(asked.await.expect("an answer beside the silent ones").status(), 200);
    }
    drop(silent);
    assert_eq!(client().get(program.at("/readyz")).send().await.unwrap().status(), 200);
}

/// When they do take every place that there is, they lose it after a while.
#[tokio::test(flavor = "multi_thread")]
async fn silent_clients_who_take_every_place_lose_it() {
    let (program, _running, _silent) = beside_silent_clients("ulimit -n 128", 200).await;
    let asked = || client().get(program.at("/readyz")).timeout(Duration::from_secs(5)).send();
    assert!(asked().await.is_err(), "the places are taken");
    let open_again = async { while !asked().await.is_ok_and(|answer| answer.status() == 200) {} };
    tokio::time::timeout(Duration::from_secs(120), open_again).await.expect("the shop opens again by itself");
}

/// The shop with so many open files allowed, and connected to clients that say nothing, half a header or half a body.
async fn beside_silent_clients(limit: &str, count: usize) -> (Program, Running, Vec<tokio::net::TcpStream>) {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let mut command = Command::new("sh");
    let plain = program.command(&[]);
    command.args(["-c", &format!("{limit}; exec \"$0\" serve"), env!("CARGO_BIN_EXE_xiaopu")]);
    command.current_dir(program.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let running = Running(command.spawn().unwrap());
    program.ready().await;
    let mut silent = Vec::new();
    for n in 0..count {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", program.port)).await.unwrap();
        // Some begin to speak and stop in the middle of a header, some in a body.
        let begun: &[u8] = match n % 3 {
            0 => b"",
            1 => b"GET /api/v1/shop HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            _ => b"POST /wechat/pay/notify HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n<xml>",
        };
        tokio::io::AsyncWriteExt::write_all(&mut stream, begun).await.unwrap();
        silent.push(stream);
    }
    (program, running, silent)
}

/// Who started it may have closed his terminal since: what is said then is lost, and no payment or refund with it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_listens_stops_nothing() {
    let (simulator, wechat) = simulated().await;
    simulator.ways(|ways| ways.refund_takes_ms = 0);
    let program = Program::new(wechat);
    let table = write(program.folder.path(), "goods.csv", "商品名称,售价(元),库存\n苹果,10,100000\n");
    assert!(program.run(&["import", &table]).status.success());
    // Nothing can ever be written there.
    let _running = program.start_saying(File::options().write(true).open("/dev/full").unwrap());
    program.ready().await;
    let (cookie, token) = (program.owner().await, program.buyer(&simulator).await);
    // An answer that is lost is worth a line.
    simulator.fault("orderquery", Fault::Http500);
    let (_, prepay_id) = program.placed(&token, "whose-notice-is-lost").await;
    simulator.pay(&prepay_id, Paying::NoNotice).unwrap();
    let (no, _) = program.paid(&simulator, &token, "said-to-nobody").await;
    let come = async |what: &str, so: &dyn Fn() -> bool| {
        for _ in 0..2400 {
            if so() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{what}");
    };
    come("the lost one is asked about", &|| simulator.calls("orderquery") > 0).await;
    let form = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    let url = program.at(&format!("/admin/orders/{no}/refund"));
    client().post(url).header("Cookie", &cookie).form(&form).send().await.unwrap();
    come("and the refund is sent", &|| simulator.all_refunds().len() == 1).await;
}

/// A crowd that knocks while the shop is not looking waits at the door: whoever found the queue full would try again a
/// second later, then three.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_waits_at_the_door() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let running = program.start();
    program.ready().await;
    running.signal("-STOP");
    // A machine may be set up to let fewer wait.
    let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let crowd = most.trim().parse::<usize>().unwrap().min(600) - 10;
    let mut waiting = Vec::new();
    for nth in 0..crowd {
        let knock = tokio::net::TcpStream::connect(("127.0.0.1", program.port));
        let knock = tokio::time::timeout(Duration::from_millis(900), knock).await;
        waiting.push(knock.unwrap_or_else(|_| panic!("the door was shut after {nth}")).unwrap());
    }
    running.signal("-CONT");
    drop(waiting);
    assert_eq!(client().get(program.at("/readyz")).send().await.unwrap().status(), 200);
}
