//! For whoever runs the machine: alive, ready, and numbers for a monitor.

use rocket::http::{ContentType, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, Route, State, get, routes};

use crate::clock::{DAY, SECOND};
use crate::db::{SCHEMA_VERSION, Tx};
use crate::door::limits::Limits;
use crate::door::traffic::Traffic;
use crate::shop::Shop;
use crate::{backups, exceptions, jobs, message_log, orders, payments, refunds, secrets};

pub fn routes() -> Vec<Route> {
    routes![healthz, readyz, metrics]
}

#[get("/healthz")]
fn healthz() -> &'static str {
    "ok\n"
}

/// Less than this left on the disk, and the next orders may not be kept.
const LITTLE_SPACE: i64 = 1024 * 1024;

/// Ready when a transaction goes through, there is room for the next ones, the schema is the one this program knows, and
/// somebody follows the money up: a worker that stands still comes back with a new start.
#[get("/readyz")]
async fn readyz(shop: &State<Shop>) -> (Status, String) {
    if backups::room::free_space(&shop.server.data_dir).is_some_and(|free| free < LITTLE_SPACE) {
        return (Status::ServiceUnavailable, "the disk is full\n".into());
    }
    if let Some(stands) = shop.worker_stands() {
        return (Status::ServiceUnavailable, format!("the worker stands still, for {} s\n", stands / SECOND));
    }
    let write = |tx: &Tx| Ok(tx.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?);
    match shop.write(write).await {
        Ok(version) if version == SCHEMA_VERSION => (Status::Ok, "ready\n".into()),
        Ok(version) => (Status::ServiceUnavailable, format!("schema {version}, expected {SCHEMA_VERSION}\n")),
        Err(e) => (Status::ServiceUnavailable, format!("database: {}\n", e.message())),
    }
}

/// Prometheus text. For this machine alone, or for whoever knows the token: it tells how business goes.
#[get("/metrics")]
async fn metrics(
    shop: &State<Shop>,
    traffic: &State<Traffic>,
    limits: &State<Limits>,
    _reader: Reader,
) -> Result<(ContentType, String), Status> {
    let now = shop.now();
    let read = move |conn: &rusqlite::Connection| {
        let counts = orders::store::status_counts(conn)?;
        let refunds = refunds::store::counts(conn)?;
        let (waiting, stuck) = jobs::store::counts(conn)?;
        let lag = jobs::store::earliest(conn)?.map_or(0, |at| (now - at).max(0));
        let exceptions = exceptions::store::count_to_decide(conn)?;
        let broken = payments::store::last_self_check(conn)?.map_or(0, |check| check.broken.len() as i64);
        let backup = backups::store::latest(conn, 1)?.pop().filter(|b| b.problem.is_empty()).map_or(0, |b| b.at);
        let oldest = orders::store::waiting_since(conn)?.map_or(0, |at| now - at);
        let (last_notice, failed) = message_log::store::health(conn, now - DAY)?;
        let numbers =
            [waiting + stuck, stuck, lag, exceptions, broken, backup, oldest, failed, last_notice.unwrap_or(0)];
        Ok((counts, refunds, numbers))
    };
    let (counts, refunds, [open, stuck, lag, exceptions, broken, backup, oldest, failed, last_notice]) =
        shop.read(read).await.map_err(|_| Status::ServiceUnavailable)?;
    let (commits, writes) = shop.db.commits();
    let mut text = traffic.text();
    let mut family = |name: &str, kind: &str, help: &str, samples: &mut dyn Iterator<Item = (String, i64)>| {
        text.push_str(&format!("# HELP xiaopu_{name} {help}\n# TYPE xiaopu_{name} {kind}\n"));
        samples.for_each(|(labels, value)| text.push_str(&format!("xiaopu_{name}{labels} {value}\n")));
    };
    let version = format!("{{version=\"{}\",schema=\"{SCHEMA_VERSION}\"}}", env!("CARGO_PKG_VERSION"));
    family("build_info", "gauge", "What runs here.", &mut std::iter::once((version, 1)));
    let mut orders = counts.into_iter().map(|(status, n)| (format!("{{status=\"{status}\"}}"), n));
    family("orders", "gauge", "Orders by status.", &mut orders);
    let mut refunds = refunds.into_iter().map(|(state, n)| (format!("{{state=\"{}\"}}", state.word()), n));
    family("refunds", "gauge", "Refunds by state.", &mut refunds);
    let free = backups::room::free_space(&shop.server.data_dir).unwrap_or(0);
    for (name, kind, help, value) in [
        ("to_ship_oldest_ms", "gauge", "How long the oldest paid order has waited to be shipped.", oldest),
        ("jobs_open", "gauge", "Jobs that are not done.", open),
        ("jobs_need_person", "gauge", "Jobs that were given up and wait for staff.", stuck),
        ("jobs_lag_ms", "gauge", "How late the earliest due job is.", lag),
        ("self_check_broken", "gauge", "Rules that the last nightly check found broken.", broken),
        ("money_exceptions_open", "gauge", "Money that fits no order and waits for staff.", exceptions),
        ("wechat_failures_24h", "gauge", "Messages with WeChat that failed or were refused in a day.", failed),
        ("last_notice_ms", "gauge", "When the last believed payment notice came, in epoch milliseconds.", last_notice),
        (
            "last_backup_ms",
            "gauge",
            "When the last backup that opened was made, in epoch milliseconds; 0 for none.",
            backup,
        ),
        ("disk_free_bytes", "gauge", "What is left on the disk of the data folder.", free),
        ("db_commits_total", "counter", "Transactions on disk since the start.", commits as i64),
        (
            "notices_forgotten_total",
            "counter",
            "Messages that were not WeChat's and were not even written down, because too many came from one address.",
            limits.forgotten() as i64,
        ),
        ("db_writes_total", "counter", "Writes that they carried.", writes as i64),
    ] {
        family(name, kind, help, &mut std::iter::once((String::new(), value)));
    }
    Ok((ContentType::Plain, text))
}

/// Somebody on this machine, or with the token. To others there is no such page.
struct Reader;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Reader {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<Reader, ()> {
        let token = request.rocket().state::<Shop>().and_then(|shop| shop.server.metrics_token.clone());
        let given = request.headers().get_one("Authorization").and_then(|value| value.strip_prefix("Bearer "));
        let knows =
            given.zip(token).is_some_and(|(given, token)| secrets::token_hash(given) == secrets::token_hash(&token));
        // What a proxy on this machine passes on comes from elsewhere, even where nobody told us of the proxy.
        let passed_on =
            ["X-Forwarded-For", "X-Real-IP", "Forwarded"].iter().any(|name| request.headers().contains(name));
        let here = request.remote().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
        if knows || (here && !passed_on) { Outcome::Success(Reader) } else { Outcome::Forward(Status::NotFound) }
    }
}
