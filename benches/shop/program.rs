//! The real program, started beside the load: its processor time and its memory are its own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use xiaopu::cli::{API_KEY, APP_ID, APP_SECRET, MCH_ID};
use xiaopu::simulator::v3::Keys;

use super::load::{Call, Connection};

pub const XIAOPU: &str = env!("CARGO_BIN_EXE_xiaopu");

/// A process on a port of its own, ended when it goes out of scope.
pub struct Program {
    child: Child,
    pub at: SocketAddr,
    /// From the start of the process until it takes connections.
    pub started_in: Duration,
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port is free").port()
}

/// The settings of the shop in this folder, for any of its commands.
pub fn command(data: &Path, gateway: u16, arguments: &[&str]) -> Command {
    command_with(data, gateway, arguments, "")
}

/// The same with further settings of WeChat's.
fn command_with(data: &Path, gateway: u16, arguments: &[&str], more: &str) -> Command {
    command_by(Path::new(XIAOPU), data, gateway, arguments, more)
}

fn command_by(binary: &Path, data: &Path, gateway: u16, arguments: &[&str], more: &str) -> Command {
    let mut command = Command::new(binary);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let folder = data.display();
    // An older program may have no such limit, and knows no such setting.
    let unlimited = if binary == Path::new(XIAOPU) { ",unpaid_orders=100000" } else { "" };
    command.env("ROCKET_SHOP", format!("{{data_dir=\"{folder}\",public_url=\"http://127.0.0.1:9\"{unlimited}}}"));
    command.env(
        "ROCKET_WECHAT",
        format!(
            "{{app_id=\"{APP_ID}\",app_secret=\"{APP_SECRET}\",mch_id=\"{MCH_ID}\",api_key=\"{API_KEY}\",pay_url=\"{0}\",api_url=\"{0}\"{more}}}",
            format_args!("http://127.0.0.1:{gateway}")
        ),
    );
    command
}

impl Program {
    /// The shop, taking connections. Nobody listens at WeChat's address unless a gateway was started there.
    pub fn serve(data: &Path, gateway: u16) -> Program {
        Program::serve_by(Path::new(XIAOPU), data, gateway)
    }

    /// The same by a program of another version.
    pub fn serve_by(binary: &Path, data: &Path, gateway: u16) -> Program {
        let port = free_port();
        let mut command = command_by(binary, data, gateway, &["serve"], "");
        command.env("ROCKET_PORT", port.to_string());
        Program::start(command, port)
    }

    /// The same with the keys of API v3, and with new orders in this version.
    pub fn serve_in(api: &str, keys: &Keys, data: &Path, gateway: u16) -> Program {
        let file = |name: &str, text: &str| {
            let path = data.join(name);
            std::fs::write(&path, text).expect("a key can be written");
            path.display().to_string()
        };
        let more = format!(
            ",api=\"{api}\",v3_key=\"{}\",mch_key=\"{}\",mch_serial=\"{}\",public_key=\"{}\",public_key_id=\"{}\"",
            keys.v3_key,
            file("apiclient_key.pem", &keys.merchant.private),
            keys.serial,
            file("pub_key.pem", &keys.platform.public),
            keys.public_id
        );
        let port = free_port();
        let mut command = command_with(data, gateway, &["serve"], &more);
        command.env("ROCKET_PORT", port.to_string());
        Program::start(command, port)
    }

    pub fn simulate_wechat() -> Program {
        let port = free_port();
        let mut command = Command::new(XIAOPU);
        command.args(["simulate-wechat", "--port", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        Program::start(command, port)
    }

    /// This very benchmark in another role.
    pub fn role(role: &str, argument: &Path) -> Program {
        let port = free_port();
        let myself = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(myself);
        command.arg(role).arg(port.to_string()).arg(argument).stdin(Stdio::null());
        Program::start(command, port)
    }

    fn start(mut command: Command, port: u16) -> Program {
        let begun = Instant::now();
        let child = command.spawn().expect("the program starts");
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        while TcpStream::connect(at).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the program does not listen");
            std::thread::sleep(Duration::from_millis(1));
        }
        Program { child, at, started_in: begun.elapsed() }
    }

    /// Until what it does on its first start is done: the check of every rule, the first backup.
    pub async fn settled(self) -> Program {
        let mut calm = 0;
        for _ in 0..6_000 {
            let (_, metrics) = self.get("/metrics").await;
            // Before its worker has looked around there is no job at all: that is no rest.
            let begun = !metrics.contains("xiaopu_jobs_open 0\n");
            calm = if begun && metrics.contains("xiaopu_jobs_lag_ms 0\n") { calm + 1 } else { 0 };
            if calm == 5 {
                return self;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the shop does not come to rest");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processor time so far, of all its threads.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("the process runs");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks = |n: usize| after_name.split_whitespace().nth(n).and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    /// Proportional set size in MiB: what the machine would have back without it.
    pub fn memory(&self) -> f64 {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid())).expect("the process runs");
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1024.0
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let (status, body) = Connection::new(self.at).call(&Call::get(path)).await;
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
