//! What somebody who helps from afar needs to know, in one file that shows no secret and no buyer.

use std::io::{Cursor, Write};
use std::time::Duration;

use rocket::http::ContentType;
use rocket::{Route, State, post, routes};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::backups::{self, store as backup_store};
use crate::clock::{self, DAY};
use crate::console::{Download, download};
use crate::db::{SCHEMA_VERSION, Tx};
use crate::error::{Code, Error, Result};
use crate::payments::invariants::{self, Pace};
use crate::payments::store as payments;
use crate::settings::SETTINGS;
use crate::shop::Shop;
use crate::staff::Owner;
use crate::staff::login::audit;
use crate::{catalogue, jobs, message_log, orders, refunds};

pub fn routes() -> Vec<Route> {
    routes![bundle]
}

const ABOUT: &str = "小铺的诊断信息，给帮您排查问题的人。\n\n\
    里面有：版本和运行环境、哪些设置填了（密钥只写“已设置”）、各状态的数量、自检结果、没做完的后台任务、最近一天与微信往来的次数和结果。\n\
    里面没有：密钥、证书、订单和买家的资料、与微信往来的原文。\n";

/// How long everything may be checked.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages of this time are summed up.
const LOOKED_BACK: i64 = DAY;

#[post("/diagnostics/bundle")]
async fn bundle(shop: &State<Shop>, owner: Owner) -> Result<Download> {
    let now = shop.now();
    let mut files = vec![("说明.txt", ABOUT.to_owned()), ("运行环境.json", pretty(&surroundings(shop)))];
    files.push(("设置.json", pretty(&settings(shop))));
    let read = move |conn: &rusqlite::Connection| {
        let open: Vec<_> = jobs::store::open(conn, 500)?
            .iter()
            .map(|job| {
                json!({
                    "id": job.id, "kind": job.kind.text(), "state": job.state.word(), "tries": job.tries,
                    "run_at": clock::rfc3339(job.run_at), "last_error": job.last_error,
                })
            })
            .collect();
        let shelves = catalogue::lists::store::shelf_counts(conn, 0)?;
        let refunds = refunds::store::counts(conn)?.into_iter().map(|(state, n)| (state.word().to_owned(), n.into()));
        let backup = backup_store::latest(conn, 1)?.pop();
        let counts = json!({
            "orders": orders::store::status_counts(conn)?.into_iter().map(|(word, n)| (word, n.into())).collect::<serde_json::Map<_, Value>>(),
            "refunds": refunds.collect::<serde_json::Map<_, Value>>(),
            "products": { "on": shelves.on, "off": shelves.off, "sold_out": shelves.sold_out, "bin": shelves.bin },
            "backup": backup.map(|b| json!({ "at": clock::rfc3339(b.at), "bytes": b.bytes, "problem": b.problem })),
        });
        let messages: Vec<_> = message_log::store::verdicts(conn, now - LOOKED_BACK)?
            .into_iter()
            .map(|sum| json!({ "kind": sum.kind, "verdict": sum.verdict, "reason": sum.reason, "count": sum.count, "slowest_ms": sum.slowest_ms }))
            .collect();
        Ok([
            ("数量.json", pretty(&counts)),
            ("后台任务.json", pretty(&json!(open))),
            ("最近一天的消息.json", pretty(&json!(messages))),
        ])
    };
    files.extend(shop.read_slowly(read).await?);
    files.push(("自检.json", pretty(&self_check(shop).await?)));
    let bytes = tokio::task::spawn_blocking(move || packed(&files)).await.map_err(|_| Code::Internal)?;
    let bytes = bytes.map_err(|e| {
        log::error!("diagnostics: {e}");
        Error::from(Code::Internal).says("诊断信息没有打包出来，请稍后再试")
    })?;
    shop.write(move |tx: &Tx| Ok(audit(tx, &owner.0, "打包诊断信息")?)).await?;
    Ok(download(ContentType::ZIP, &format!("小铺诊断-{}.zip", clock::compact(now)), bytes))
}

/// What is broken now; in a shop that takes too long to be looked through, what was last night.
async fn self_check(shop: &Shop) -> Result<Value> {
    let rows = |rule: &str, rows: i64| json!({ "rule": rule, "rows": rows });
    if let Some(broken) = invariants::broken_now(shop, Pace::AtMost(PATIENCE)).await? {
        let broken: Vec<_> = broken.iter().map(|b| rows(b.rule, b.rows)).collect();
        return Ok(json!({ "at": clock::rfc3339(shop.now()), "rules": invariants::count(), "broken": broken }));
    }
    let Some(last) = shop.read(|conn| Ok(payments::last_self_check(conn)?)).await? else { return Ok(Value::Null) };
    let broken: Vec<_> = last.broken.iter().map(|(rule, n)| rows(rule, *n)).collect();
    Ok(json!({ "at": clock::rfc3339(last.at), "rules": last.rules, "broken": broken }))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn packed(files: &[(&str, String)]) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, SimpleFileOptions::default())?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

fn surroundings(shop: &Shop) -> Value {
    let size =
        |extension: &str| std::fs::metadata(shop.db.path().with_extension(extension)).map_or(0, |file| file.len());
    let (commits, writes) = shop.db.commits();
    json!({
        "version": env!("CARGO_PKG_VERSION"), "schema": SCHEMA_VERSION, "system": std::env::consts::OS,
        "machine": std::env::consts::ARCH, "time": clock::rfc3339(shop.now()),
        "clock_ahead_of_wechat_ms": shop.wechat.clock_ahead_ms(), "database_bytes": size("db"), "wal_bytes": size("db-wal"),
        "disk_free_bytes": backups::room::free_space(&shop.server.data_dir), "writes": writes, "commits": commits,
        "pay_url": shop.wechat.pay_url(), "demo": shop.demo.is_some(),
    })
}

/// Which settings there are and where they come from; of secrets only that there is one.
fn settings(shop: &Shop) -> Value {
    let settings = shop.settings();
    let one = |setting: &crate::settings::Setting| {
        let value = match settings.get(setting.name) {
            None => "",
            Some(_) if setting.secret => "已设置",
            Some(value) => value,
        };
        (setting.name.to_owned(), json!({ "value": value, "fixed": settings.is_fixed(setting.name) }))
    };
    let mut all: serde_json::Map<String, Value> = SETTINGS.iter().map(one).collect();
    all.insert("certificate".into(), super::certificate::warning(shop).unwrap_or_else(|| "没有问题".into()).into());
    Value::Object(all)
}
