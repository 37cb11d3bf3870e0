//! Diagnostics: the jobs, with their last error and a button to run one now; and the invariants.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::json;

use super::frame;
use crate::clock;
use crate::error::{Code, Error, Result};
use crate::ids::JobId;
use crate::jobs;
use crate::payments::invariants;
use crate::shop::Shop;
use crate::staff::{Clerk, Manager};

pub fn routes() -> Vec<Route> {
    routes![page, run_now]
}

#[get("/diagnostics")]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let read = |conn: &rusqlite::Connection| Ok::<_, Error>((jobs::store::open(conn, 200)?, invariants::broken(conn)?));
    let (open, broken) = shop.db.read(read).await?;
    let (commits, writes) = shop.db.commits();
    let now = shop.now();
    let context = context! {
        frame: frame(shop, &staff.0, "diagnostics", flash).await?,
        jobs: open.iter().map(|job| json!({
            "id": job.id, "kind": jobs::kind_text(&job.kind), "subject": job.subject, "person": job.state == "needs_person",
            "run_at": clock::shown(job.run_at), "late": job.run_at < now - clock::MINUTE, "tries": job.tries,
            "error": job.last_error,
        })).collect::<Vec<_>>(),
        broken: broken.iter().map(|b| json!({ "rule": b.rule, "rows": b.rows })).collect::<Vec<_>>(),
        rules: invariants::count(),
        commits, writes,
        version: env!("CARGO_PKG_VERSION"),
        pay_url: shop.wechat.pay_url(),
        now: clock::shown(now),
    };
    Ok(Template::render("console/diagnostics.html", context))
}

#[post("/jobs/<id>/run")]
async fn run_now(shop: &State<Shop>, _staff: Manager, id: &str) -> Result<Flash<Redirect>> {
    let id: JobId = id.parse().map_err(|_| Code::NotFound)?;
    let now = shop.now();
    let found = shop.db.write(move |tx| Ok::<_, Error>(jobs::store::run_now(tx, id, now)?)).await?;
    shop.wake_worker();
    let to = Redirect::to("/admin/diagnostics");
    Ok(if found {
        Flash::success(to, "已安排立即执行")
    } else {
        Flash::error(to, "这个任务已经完成了")
    })
}
