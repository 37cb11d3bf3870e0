//! Interfaces for the owner: keys of other programs, and addresses that are told what happens, with their log.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use crate::assets;
use crate::clock::{self, DAY};
use crate::console::{back, frame, query_string, refused};
use crate::door::form::Form;
use crate::error::{Error, Result};
use crate::ids::{ApiKeyId, DeliveryId, HookId};
use crate::jobs::{self, Task};
use crate::orders::store as orders;
use crate::programs::keys::{self, DAYS, Wanted};
use crate::programs::{Delivery, Event, Hook, Key, Right, State as Delivered, hooks, store};
use crate::shop::Shop;
use crate::staff::Owner;

pub fn routes() -> Vec<Route> {
    routes![page, make_key, end_key, add_hook, remove_hook, switch_hook, try_hook, change_secret, send_again]
}

const HERE: &str = "/admin/programs";
/// Tellings of each hook on the page.
const SHOWN: i64 = 30;

/// A key ends so soon that somebody should see to the next one.
const SOON: i64 = 14 * DAY;

/// What a form that was refused said.
#[derive(FromForm, Serialize, Default)]
struct Typed {
    name: Option<String>,
    days: Option<i64>,
    rights: Vec<String>,
    url: Option<String>,
    events: Vec<String>,
}

#[get("/programs?<typed..>")]
async fn page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>, typed: Typed) -> Result<Template> {
    render(shop, &owner, flash, typed, None).await
}

/// Back to the page, with what was wrong and what was typed.
fn refused_with(error: Error, typed: &[(&str, &str)]) -> Flash<Redirect> {
    refused(format!("{HERE}?{}", query_string(typed)), error)
}

/// `typed`: what stands in the forms already; `made`: what is shown this once, by what it is.
async fn render(
    shop: &Shop,
    owner: &Owner,
    flash: Option<FlashMessage<'_>>,
    typed: Typed,
    made: Option<(&str, String)>,
) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &Connection| {
        let hooks: Result<Vec<Value>> = store::hooks(conn)?.iter().map(|hook| hook_shown(conn, hook, now)).collect();
        Ok((store::keys(conn)?, hooks?))
    };
    let (keys, hooks) = shop.read(read).await?;
    let base = shop.settings().get("shop.public_url").unwrap_or_default().trim_end_matches('/').to_owned();
    let context = context! {
        frame: frame(shop, &owner.0, "system", flash).await?,
        tab: "programs", hooks, base, typed,
        made: made.map(|(what, secret)| json!({ "what": what, "secret": secret })),
        keys: keys.iter().map(|key| key_shown(key, now)).collect::<Vec<_>>(),
        rights: Right::ALL.iter().map(|right| json!({ "word": right, "text": right.text() })).collect::<Vec<_>>(),
        events: Event::all().map(|event| json!({ "word": event, "text": event.text() })).collect::<Vec<_>>(),
        days: DAYS,
    };
    Ok(assets::page("console/programs.html", context))
}

fn key_shown(key: &Key, now: i64) -> Value {
    let state = match key.ended_at {
        Some(at) => Some(format!("{} 停用", clock::shown_short(at))),
        None if now >= key.ends_at => Some("已到期".to_owned()),
        None => None,
    };
    let soon = key.is_good(now) && key.ends_at - now <= SOON;
    json!({
        "id": key.id, "name": key.name, "tail": key.tail, "over": state, "soon": soon,
        "rights": key.rights.iter().map(|right| right.text()).collect::<Vec<_>>().join("、"),
        "made": format!("{} {}", key.made_by, clock::shown_short(key.created_at)), "ends": clock::shown(key.ends_at),
        "used": key.used_at.map(|at| format!("{}，{}", clock::shown_near(at, now), key.used_ip)),
    })
}

fn hook_shown(conn: &Connection, hook: &Hook, now: i64) -> Result<Value> {
    let log = store::deliveries(conn, hook.id, SHOWN)?;
    Ok(json!({
        "id": hook.id, "url": hook.url, "off": hook.off_at.map(clock::shown_short), "why": hook.off_why,
        "events": hook.events.iter().map(|event| event.text()).collect::<Vec<_>>().join("、"),
        "failing": hook.failing_since.map(|at| clock::span(now - at)),
        "log": log.iter().map(|delivery| delivery_shown(conn, delivery, now)).collect::<Result<Vec<_>>>()?,
    }))
}

fn delivery_shown(conn: &Connection, delivery: &Delivery, now: i64) -> Result<Value> {
    let order = delivery.order_id.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
    let next =
        jobs::store::waiting_for(conn, Task::Deliver(delivery.id))?.filter(|_| delivery.state == Delivered::Waiting);
    Ok(json!({
        "id": delivery.id, "body": delivery.body, "again": delivery.event != Event::Ping,
        "next": next.filter(|_| delivery.tries > 0).map(|at| clock::shown_near(at, now)),
        "at": clock::shown_near(delivery.at, now), "event": delivery.event.text(), "word": delivery.event,
        "order": order.map(|order| order.order_no), "state": delivery.state, "state_text": delivery.state.text(),
        "tries": delivery.tries, "problem": delivery.problem, "status": delivery.status, "took": delivery.took_ms,
    }))
}

#[derive(FromForm)]
struct NewKey {
    name: String,
    rights: Vec<String>,
    days: i64,
}

/// Shows the key once: the page is the answer itself, so that no address and no cookie carries it.
#[post("/programs/keys", data = "<form>")]
async fn make_key(
    shop: &State<Shop>,
    owner: Owner,
    form: Form<NewKey>,
) -> Result<std::result::Result<Template, Flash<Redirect>>> {
    let NewKey { name, rights, days } = form.into_inner();
    let wanted =
        Wanted { name: name.clone(), rights: rights.iter().filter_map(|word| word.parse().ok()).collect(), days };
    match keys::make(shop, &owner.0, wanted).await {
        Ok(key) => Ok(Ok(render(shop, &owner, None, Typed::default(), Some(("密钥", key))).await?)),
        Err(e) => {
            let days = days.to_string();
            let typed = [("name", name.as_str()), ("days", &days)];
            let rights = rights.iter().map(|right| ("rights", right.as_str()));
            Ok(Err(refused_with(e, &typed.into_iter().chain(rights).collect::<Vec<_>>())))
        }
    }
}

#[post("/programs/keys/<id>/end")]
async fn end_key(shop: &State<Shop>, owner: Owner, id: ApiKeyId) -> Flash<Redirect> {
    back(HERE, keys::end(shop, owner.0, id).await.map(|()| "密钥已停用，用它的程序马上读不到了"))
}

#[derive(FromForm)]
struct NewHook {
    url: String,
    events: Vec<String>,
}

#[post("/programs/hooks", data = "<form>")]
async fn add_hook(
    shop: &State<Shop>,
    owner: Owner,
    form: Form<NewHook>,
) -> Result<std::result::Result<Template, Flash<Redirect>>> {
    let events = form.events.iter().filter_map(|word| word.parse().ok()).filter(|event| *event != Event::Ping);
    match hooks::add(shop, &owner.0, &form.url, events.collect()).await {
        Ok(secret) => Ok(Ok(render(shop, &owner, None, Typed::default(), Some(("签名密钥", secret))).await?)),
        Err(e) => {
            let events = form.events.iter().map(|event| ("events", event.as_str()));
            Ok(Err(refused_with(e, &std::iter::once(("url", form.url.as_str())).chain(events).collect::<Vec<_>>())))
        }
    }
}

#[post("/programs/hooks/<id>/secret")]
async fn change_secret(shop: &State<Shop>, owner: Owner, id: HookId) -> Result<Template> {
    let secret = hooks::change_secret(shop, owner.0.clone(), id).await?;
    render(shop, &owner, None, Typed::default(), Some(("签名密钥", secret))).await
}

#[post("/programs/hooks/<id>/remove")]
async fn remove_hook(shop: &State<Shop>, owner: Owner, id: HookId) -> Flash<Redirect> {
    back(HERE, hooks::change(shop, owner.0, id, hooks::remove).await.map(|()| "推送地址已删除"))
}

#[post("/programs/hooks/<id>/switch?<on>")]
async fn switch_hook(shop: &State<Shop>, owner: Owner, id: HookId, on: bool) -> Flash<Redirect> {
    let done = match on {
        true => hooks::change(shop, owner.0, id, hooks::turn_on).await.map(|()| "推送已打开"),
        false => hooks::change(shop, owner.0, id, hooks::turn_off).await.map(|()| "推送已停用"),
    };
    back(HERE, done)
}

#[post("/programs/hooks/<id>/test")]
async fn try_hook(shop: &State<Shop>, owner: Owner, id: HookId) -> Flash<Redirect> {
    back(HERE, hooks::try_out(shop, owner.0, id).await)
}

#[post("/programs/deliveries/<id>/again")]
async fn send_again(shop: &State<Shop>, owner: Owner, id: DeliveryId) -> Flash<Redirect> {
    back(HERE, hooks::again(shop, owner.0, id).await)
}
