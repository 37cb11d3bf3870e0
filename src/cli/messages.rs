//! `xiaopu log`: the messages exchanged with WeChat as they were, from a running shop's database or from a copy of one.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Outcome, figment};
use crate::backups::plain::Plain;
use crate::clock;
use crate::db;
use crate::ids::MessageId;
use crate::message_log::kind_text;
use crate::message_log::store::{self, Filter, LogRow, Raw};
use crate::say::tell;
use crate::settings::Server;

#[derive(Args)]
pub struct Log {
    /// 消息编号：看这一条的全文；订单号、支付单号、微信交易单号、退款单号（可以只写开头）：列出它的消息；不写：最近的消息
    what: Option<String>,
    /// 只把这一条的原文一字节不差地写到标准输出
    #[arg(long, value_enum)]
    raw: Option<Side>,
    /// 列出多少条
    #[arg(long, default_value_t = 20)]
    last: u16,
    /// 别的数据库文件，例如一份备份（.gz 的也行）；不写就是店铺自己的
    #[arg(long)]
    database: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Side {
    /// 发出的或收到的
    Request,
    /// 对它的回答
    Response,
}

impl Log {
    pub async fn run(self) -> Outcome {
        let own = || Ok::<_, String>(Server::from_figment(&figment())?.data_dir.join("xiaopu.db"));
        let path = self.database.clone().map_or_else(own, Ok)?;
        if !path.is_file() {
            return Err(format!("{} 不是文件", path.display()));
        }
        let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let plain = Plain::of(&path, beside, &format!("log-{}", std::process::id()));
        let plain = plain.map_err(|e| format!("{} 读不出来：{e}", path.display()))?;
        let path = plain.path();
        // Our own numbers begin with a day and WeChat's are longer still.
        let id = self.what.as_deref().filter(|what| what.len() <= 12).and_then(|what| what.parse::<MessageId>().ok());
        match (id, self.raw) {
            (Some(id), raw) => {
                let found = look(path, move |conn| store::one(conn, id))?;
                let (logged, text) = found.ok_or_else(|| format!("没有编号是 {id} 的消息"))?;
                match raw {
                    Some(side) => print_bytes(if side == Side::Request { &text.request } else { &text.response }),
                    None => {
                        print_whole(&logged, &text);
                        Ok(())
                    }
                }
            }
            (None, Some(_)) => Err("--raw 要和消息编号一起用；先不带 --raw 列出消息，行首就是编号".into()),
            (None, None) => {
                let filter = Filter { number: self.what.clone(), limit: self.last.into(), ..Filter::default() };
                let rows = look(path, move |conn| store::list(conn, &filter))?;
                rows.iter().rev().for_each(print_line);
                if rows.is_empty() { Err("没有符合条件的消息".into()) } else { Ok(()) }
            }
        }
    }
}

fn look<T>(path: &Path, read: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>) -> Result<T, String> {
    db::look_into(path, read).map_err(|e| format!("{}：{e}", path.display()))
}

fn print_bytes(bytes: &[u8]) -> Outcome {
    std::io::stdout().write_all(bytes).map_err(|e| format!("写不出来：{e}"))
}

fn print_line(row: &LogRow) {
    let number = row.out_trade_no.as_deref().or(row.order_no.as_deref()).unwrap_or("-");
    let (at, way) = (clock::shown(row.at), if row.incoming { "←" } else { "→" });
    tell!("{:>8}  {at}  {way} {}  {}  {number}  {}", row.id, kind_text(&row.kind), row.verdict, row.reason);
}

fn print_whole(row: &LogRow, raw: &Raw) {
    print_line(row);
    for (what, number) in [("微信交易单号", &row.transaction_id), ("退款单号", &row.out_refund_no)] {
        if let Some(number) = number {
            tell!("{what}  {number}");
        }
    }
    tell!("检查  {}", row.checks);
    for (what, text) in [("原文", &raw.request), ("回答", &raw.response)] {
        tell!("── {what}，{} 字节 ──\n{}", text.len(), String::from_utf8_lossy(text));
    }
}
