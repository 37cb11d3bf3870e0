//! The command line: one file per command.

mod backup;
mod demo;
mod doctor;
mod import;
mod log;
mod messages;
mod new_key;
mod reconcile;
mod replay;
mod serve;
mod simulate_wechat;
mod staff;

use std::io::{BufRead, IsTerminal, Write};
use std::net::{IpAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
pub use demo::{API_KEY, APP_ID, APP_SECRET, MCH_ID};
use rocket::config::{Config, Ident, LogLevel, Shutdown};
use rocket::data::{Limits, ToByteUnit};
use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::{Figment, Profile};
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::runtime::Runtime;

use crate::backups;
use crate::backups::restore::TakenUp;
use crate::clock::{self, Clock};
use crate::db::Tx;
use crate::memory;
use crate::say::{self, complain, say, tell};
use crate::settings::Server;
use crate::shop::{Opening, Shop};

/// 小铺: a shop for WeChat mini-programs in one executable.
#[derive(Parser)]
#[command(name = "xiaopu", version, about = "小铺：一个文件就能开张的微信小程序店铺")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// 运行店铺（不写命令时也是它）
    Serve,
    /// 演示：示例商品、模拟微信、手机店面和后台，只在本机
    Demo(demo::Demo),
    /// 导入商品表（xlsx、xls、ods、csv），全部成功或全部不改
    Import(import::Import),
    /// 管理后台账号
    #[command(subcommand)]
    Staff(staff::Staff),
    /// 备份店铺到一个文件，运行中也可以
    Backup(backup::Backup),
    /// 从备份恢复
    Restore(backup::Restore),
    /// 自检：设置、密钥、时钟、数据库和资金不变量
    Doctor,
    /// secret.key 确实丢了：换一把新的，封存的密钥要重新填写
    NewKey,
    /// 下载某一天的账单并对账，运行中也可以
    Reconcile(reconcile::Reconcile),
    /// 用今天的程序重放保存的支付通知，只在副本上，看看结果有没有不同
    Replay,
    /// 列出和微信往来的消息，或看一条的原文，运行中也可以
    Log(messages::Log),
    /// 单独运行模拟微信，供其他程序测试
    SimulateWechat(simulate_wechat::SimulateWechat),
}

/// A command's failure: one sentence, already in words for whoever ran it.
type Outcome = Result<(), String>;

pub fn main() -> ExitCode {
    log::install();
    memory::few_arenas();
    // Buyers' names and addresses are in nearly everything that is written: databases, backups, tables.
    umask(Mode::from_raw_mode(0o077));
    let outcome = runtime().and_then(|runtime| {
        let outcome = runtime.block_on(run());
        // Who still works then has had his time.
        runtime.shutdown_timeout(Duration::from_millis(500));
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            complain!("✗ {words}");
            ExitCode::FAILURE
        }
    }
}

/// As Rocket makes its own, but a thread that reads the database ends when it has had nothing to do for a second: they
/// take turns, so that a single question now and then would keep all of them for ever, each with its memory.
fn runtime() -> Result<Runtime, String> {
    let figment = figment();
    let number = |name| figment.extract_inner::<usize>(name).map_err(|e| misread(name, &e));
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("rocket-worker-thread")
        .worker_threads(number(Config::WORKERS)?.max(1))
        .max_blocking_threads(number(Config::MAX_BLOCKING)?.max(1))
        .thread_keep_alive(Duration::from_secs(1))
        .enable_all()
        .build()
        .map_err(|e| format!("无法启动: {e}"))
}

async fn run() -> Outcome {
    match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run().await,
        Command::Demo(demo) => demo.run().await,
        Command::Import(import) => import.run().await,
        Command::Staff(staff) => staff.run().await,
        Command::Backup(backup) => backup.run().await,
        Command::Restore(restore) => restore.run().await,
        Command::Doctor => doctor::run().await,
        Command::NewKey => new_key::run().await,
        Command::Reconcile(reconcile) => reconcile.run().await,
        Command::Replay => replay::run().await,
        Command::Log(log) => log.run().await,
        Command::SimulateWechat(simulate) => simulate.run().await,
    }
}

/// Our defaults under `Rocket.toml` under `ROCKET_*`, by Rocket's own rules.
pub fn figment() -> Figment {
    let ours = Config {
        // Trusted from anyone by default; whoever stands behind a proxy says so.
        ip_header: None,
        ident: Ident::none(),
        log_level: LogLevel::Off,
        cli_colors: false,
        limits: Limits::default()
            .limit("form", 256.kibibytes())
            .limit("data-form", 100.mebibytes())
            .limit("file", crate::door::upload::MOST_MIB.mebibytes()),
        shutdown: Shutdown { grace: 5, mercy: 2, ..Shutdown::default() },
        ..Config::release_default()
    };
    Figment::from(ours)
        .merge(Toml::file(Env::var_or("ROCKET_CONFIG", "Rocket.toml")).nested())
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
        .select(Profile::from_env_or("ROCKET_PROFILE", "default"))
}

/// What is wrong with the configuration, and where: a file that cannot be read at all is no fault of what was looked for.
fn misread(name: &str, e: &rocket::figment::Error) -> String {
    match e.path.is_empty() && !e.missing() {
        true => {
            let file = Env::var_or("ROCKET_CONFIG", "Rocket.toml");
            format!("配置文件 {file} 读不懂：{e}。请对照 README 的设置一节改好，再启动")
        }
        false => format!("配置 {name} 不正确: {e}。请在 Rocket.toml 或 ROCKET_{} 里改好，再启动", name.to_uppercase()),
    }
}

/// A secret from the standard input, asked for when somebody sits there. `what` is what it is called.
fn ask_secret(what: &str) -> Result<String, String> {
    if std::io::stdin().is_terminal() {
        say::part(format_args!("{what}: "));
        let _ = std::io::stderr().flush();
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| format!("{what}读不出来: {e}"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The shop of the configured data folder, for a command that needs no doors.
async fn open_shop() -> Result<Shop, String> {
    Shop::open(Server::from_figment(&figment())?, Opening::default()).await
}

/// Keeps a shop open until it is told to stop. One that closed to go back to a backup opens again with it. `greeting` is
/// said once the doors are open.
async fn keep_open(shop: Shop, figment: Figment, opening: Opening, greeting: String) -> Outcome {
    let (mut shop, mut greeting) = (shop, greeting);
    loop {
        let server = shop.server.clone();
        let db = shop.db.clone();
        let greeting = std::mem::take(&mut greeting);
        let greet = AdHoc::on_liftoff("greeting", move |_| {
            Box::pin(async move {
                if !greeting.is_empty() {
                    tell!("{greeting}");
                }
            })
        });
        launch(crate::rocket(shop, figment.clone()).attach(greet)).await?;
        if !backups::restore::is_lined_up(&server.data_dir) {
            return Ok(());
        }
        if !db.last_one().await {
            return Err("数据库还在使用中，没有恢复。请再启动一次小铺，它会继续恢复".into());
        }
        drop(db);
        let taken = take_up(&server);
        shop = Shop::open(server, opening.clone()).await?;
        say_whether(&shop, taken).await;
    }
}

/// What became of going back, for those who look: who went back to what stands in the shop that is there now, which cannot
/// know it from before. Going back that failed leaves the shop as it was.
async fn say_whether(shop: &Shop, taken: Result<Option<TakenUp>, String>) {
    let (who, what) = match taken {
        Ok(None) => return,
        Ok(Some(TakenUp { file, who })) => {
            let at = backups::made_at(&file).map(|at| format!("（{} 的）", clock::shown(at))).unwrap_or_default();
            (who, format!("恢复到备份 {file}{at}，之后的都不在这里了；恢复之前的店铺另存着"))
        }
        Err(words) => {
            ::log::error!("restore: {words}");
            (String::new(), format!("恢复备份没有成功，店铺还是原来的：{words}"))
        }
    };
    let who = if who.is_empty() { "系统".to_owned() } else { who };
    let write = move |tx: &Tx| Ok(crate::staff::store::insert_audit(tx, None, &who, "", &what)?);
    if let Err(e) = shop.write(write).await {
        ::log::error!("the log of what staff did: {}", e.message());
    }
}

/// A backup that was put in line is taken up before the shop opens.
fn take_up(server: &Server) -> Result<Option<TakenUp>, String> {
    let taken = backups::restore::take_up(&server.data_dir, Clock::System.now())?;
    if let Some(TakenUp { file, .. }) = &taken {
        tell!("✓ 已恢复备份 {file}；原来的店铺另存在 {}", server.data_dir.display());
    }
    Ok(taken)
}

/// How whoever runs a shop names its port.
const PORT: &str = "ROCKET_PORT";

/// The port asked for, or any free one for 0: nothing is begun for a port that cannot be had. `named` is how it is given.
fn free_port(address: IpAddr, port: u16, named: &str) -> Result<u16, String> {
    let bound = TcpListener::bind((address, port)).and_then(|listener| listener.local_addr());
    bound
        .map(|at| at.port())
        .map_err(|e| format!("端口 {port} 无法使用（{address}）：{e}。请换一个 {named}，或先停掉占用它的程序"))
}

/// Launches and waits. What went wrong is said in one line, with what to do.
async fn launch(rocket: rocket::Rocket<rocket::Build>) -> Outcome {
    let address = (rocket.figment().extract_inner::<String>("address"), rocket.figment().extract_inner::<u16>("port"));
    match rocket.launch().await {
        Ok(_) => Ok(()),
        // What was begun is on disk, whoever still held a connection open.
        Err(e) if matches!(e.kind(), ErrorKind::Shutdown(..)) => {
            say!(Warn, "stopped while some connections were still open");
            Ok(())
        }
        Err(e) => {
            let place = match address {
                (Ok(address), Ok(port)) => format!("（{address}:{port}）"),
                _ => String::new(),
            };
            Err(not_launched(e.kind(), &place))
        }
    }
}

/// Rocket reads the certificate as it binds, and calls what is wrong with it by the same name.
fn not_launched(kind: &ErrorKind, place: &str) -> String {
    use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
    match kind {
        ErrorKind::Bind(e) if matches!(e.kind(), AddrInUse | AddrNotAvailable | PermissionDenied) => {
            format!("端口无法使用{place}：{e}。请换一个 ROCKET_PORT，或先停掉占用它的程序")
        }
        ErrorKind::Bind(e) | ErrorKind::Io(e) => format!(
            "无法启动{place}：HTTPS 证书或私钥不能用（{e}）。请检查配置 tls 的 certs 和 key：两个都要是 PEM 文件，小铺读得到，私钥和证书是一对"
        ),
        ErrorKind::Config(e) => misread(&e.path.join("."), e),
        kind => format!("无法启动{place}：{kind}"),
    }
}
