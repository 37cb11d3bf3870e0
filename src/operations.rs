//! For whoever runs the machine: alive, ready, and numbers for a monitor.

use rocket::http::{ContentType, Status};
use rocket::{Route, State, get, routes};

use crate::clock::DAY;
use crate::db::{SCHEMA_VERSION, Tx};
use crate::error::Error;
use crate::shop::Shop;
use crate::{jobs, orders, payments, refunds, transactions};

pub fn routes() -> Vec<Route> {
    routes![healthz, readyz, metrics]
}

#[get("/healthz")]
fn healthz() -> &'static str {
    "ok\n"
}

/// Ready when a write reaches the disk and the schema is the one this program knows.
#[get("/readyz")]
async fn readyz(shop: &State<Shop>) -> (Status, String) {
    let write = |tx: &Tx| Ok::<i64, Error>(tx.pragma_query_value(None, "user_version", |row| row.get(0))?);
    match shop.db.write(write).await {
        Ok(version) if version == SCHEMA_VERSION => (Status::Ok, "ready\n".into()),
        Ok(version) => (Status::ServiceUnavailable, format!("schema {version}, expected {SCHEMA_VERSION}\n")),
        Err(e) => (Status::ServiceUnavailable, format!("database: {}\n", e.message())),
    }
}

/// Prometheus text. For this machine alone: it tells how business goes.
#[get("/metrics")]
async fn metrics(shop: &State<Shop>, peer: crate::door::ClientIp) -> Result<(ContentType, String), Status> {
    if !peer.0.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
        return Err(Status::NotFound);
    }
    let now = shop.now();
    let read = move |conn: &rusqlite::Connection| {
        let counts = orders::store::status_counts(conn)?;
        let refunds = refunds::store::counts(conn)?;
        let (waiting, stuck) = jobs::store::counts(conn)?;
        let lag = jobs::store::earliest(conn)?.map_or(0, |at| (now - at).max(0));
        let exceptions = payments::exceptions::store::count_open(conn)?;
        let broken = payments::store::last_self_check(conn)?.map_or(0, |check| check.broken.len() as i64);
        let (last_notice, failed) = transactions::store::health(conn, now - DAY)?;
        Ok::<_, Error>((counts, refunds, [waiting + stuck, stuck, lag, exceptions, broken], last_notice, failed))
    };
    let (counts, refunds, [open, stuck, lag, exceptions, broken], last_notice, failed) =
        shop.db.read(read).await.map_err(|_| Status::ServiceUnavailable)?;
    let (commits, writes) = shop.db.commits();
    let mut text = String::new();
    for (status, n) in counts {
        text.push_str(&format!("xiaopu_orders{{status=\"{status}\"}} {n}\n"));
    }
    for (state, n) in refunds {
        text.push_str(&format!("xiaopu_refunds{{state=\"{}\"}} {n}\n", state.word()));
    }
    for (name, value) in [
        ("xiaopu_jobs_open", open),
        ("xiaopu_jobs_need_person", stuck),
        ("xiaopu_jobs_lag_ms", lag),
        ("xiaopu_self_check_broken", broken),
        ("xiaopu_money_exceptions_open", exceptions),
        ("xiaopu_wechat_failures_24h", failed),
        ("xiaopu_last_notice_ms", last_notice.unwrap_or(0)),
        ("xiaopu_db_commits_total", commits as i64),
        ("xiaopu_db_writes_total", writes as i64),
    ] {
        text.push_str(&format!("{name} {value}\n"));
    }
    Ok((ContentType::Plain, text))
}
