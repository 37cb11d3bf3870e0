//! Interfaces for the owner: keys of other programs, and addresses that are told what happens, with their log.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::clock::{self, DAY};
use crate::console::{Choice, Frame, back, choices, framed, query_string, refused, waiting};
use crate::door::form::Form;
use crate::error::{Error, Result};
use crate::ids::{ApiKeyId, DeliveryId, HookId, OrderNo};
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

#[derive(Serialize)]
struct ProgramsPage {
    frame: Frame,
    tab: &'static str,
    hooks: Vec<HookShown>,
    base: String,
    typed: Typed,
    made: Option<Made>,
    keys: Vec<KeyShown>,
    rights: Vec<Choice<Right>>,
    events: Vec<Choice<Event>>,
    /// How long a key may last.
    days: &'static [i64],
}

/// What was made just now, shown this once.
#[derive(Serialize)]
struct Made {
    what: &'static str,
    secret: String,
}

#[derive(Serialize)]
struct KeyShown {
    id: ApiKeyId,
    name: String,
    tail: String,
    /// Why it opens nothing any more.
    over: Option<String>,
    soon: bool,
    rights: String,
    ends: String,
    used: Option<String>,
}

#[derive(Serialize)]
struct HookShown {
    id: HookId,
    url: String,
    off: Option<String>,
    why: String,
    events: String,
    /// For how long nothing has arrived.
    failing: Option<String>,
    log: Vec<DeliveryShown>,
}

#[derive(Serialize)]
struct DeliveryShown {
    id: DeliveryId,
    body: String,
    /// It can be sent once more.
    again: bool,
    next: Option<String>,
    at: String,
    event: &'static str,
    word: Event,
    order: Option<OrderNo>,
    state: Delivered,
    state_text: &'static str,
    tries: i64,
    problem: String,
    status: Option<i64>,
    took: i64,
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
    made: Option<(&'static str, String)>,
) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &Connection| {
        let hooks: Result<Vec<HookShown>> =
            store::hooks(conn)?.iter().map(|hook| hook_shown(conn, hook, now)).collect();
        Ok((store::keys(conn)?, hooks?, waiting(conn)?))
    };
    let (keys, hooks, waits) = shop.read(read).await?;
    let base = shop.settings().get("shop.public_url").unwrap_or_default().trim_end_matches('/').to_owned();
    let page = ProgramsPage {
        frame: framed(shop, &owner.0, "system", flash, waits),
        tab: "programs",
        hooks,
        base,
        typed,
        made: made.map(|(what, secret)| Made { what, secret }),
        keys: keys.iter().map(|key| key_shown(key, now)).collect(),
        rights: choices(Right::ALL, Right::text),
        events: Event::all().map(|word| Choice { word, text: word.text() }).collect(),
        days: &DAYS,
    };
    Ok(assets::page("console/programs.html", page))
}

fn key_shown(key: &Key, now: i64) -> KeyShown {
    let over = match key.ended_at {
        Some(at) => Some(format!("{} 停用", clock::shown_short(at))),
        None if now >= key.ends_at => Some("已到期".to_owned()),
        None => None,
    };
    let soon = key.is_good(now) && key.ends_at - now <= SOON;
    KeyShown {
        id: key.id,
        name: key.name.clone(),
        tail: key.tail.clone(),
        over,
        soon,
        rights: key.rights.iter().map(|right| right.text()).collect::<Vec<_>>().join("、"),
        ends: clock::shown(key.ends_at),
        used: key.used_at.map(|at| format!("{}，{}", clock::shown_near(at, now), key.used_ip)),
    }
}

fn hook_shown(conn: &Connection, hook: &Hook, now: i64) -> Result<HookShown> {
    let log = store::deliveries(conn, hook.id, SHOWN)?;
    Ok(HookShown {
        id: hook.id,
        url: hook.url.clone(),
        off: hook.off_at.map(clock::shown_short),
        why: hook.off_why.clone(),
        events: hook.events.iter().map(|event| event.text()).collect::<Vec<_>>().join("、"),
        failing: hook.failing_since.map(|at| clock::span(now - at)),
        log: log.iter().map(|delivery| delivery_shown(conn, delivery, now)).collect::<Result<_>>()?,
    })
}

fn delivery_shown(conn: &Connection, delivery: &Delivery, now: i64) -> Result<DeliveryShown> {
    let order = delivery.order_id.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
    let next =
        jobs::store::waiting_for(conn, Task::Deliver(delivery.id))?.filter(|_| delivery.state == Delivered::Waiting);
    Ok(DeliveryShown {
        id: delivery.id,
        body: delivery.body.clone(),
        again: delivery.event != Event::Ping,
        next: next.filter(|_| delivery.tries > 0).map(|at| clock::shown_near(at, now)),
        at: clock::shown_near(delivery.at, now),
        event: delivery.event.text(),
        word: delivery.event,
        order: order.map(|order| order.order_no),
        state: delivery.state,
        state_text: delivery.state.text(),
        tries: delivery.tries,
        problem: delivery.problem.clone(),
        status: delivery.status,
        took: delivery.took_ms,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn the_page_of_programs_asks_for_nothing_that_it_is_not_given() {
        for full in [true, false] {
            let key = KeyShown {
                id: ApiKeyId(1),
                name: "ERP".into(),
                tail: "ab12".into(),
                over: None,
                soon: true,
                rights: "订单".into(),
                ends: "2026-12-01 00:00:00".into(),
                used: None,
            };
            let delivery = |state: Delivered| DeliveryShown {
                id: DeliveryId(1),
                body: "{}".into(),
                again: true,
                next: Some("13:20".into()),
                at: "13:15".into(),
                event: "付款",
                word: Event::Ping,
                order: "261008131540ABCDEFGH".parse().ok(),
                state,
                state_text: state.text(),
                tries: 1,
                problem: if state == Delivered::Done { String::new() } else { "HTTP 500".into() },
                status: Some(200),
                took: 12,
            };
            let hook = |off: bool| HookShown {
                id: HookId(1),
                url: "https://erp.example/hook".into(),
                off: off.then(|| "10-08".into()),
                why: if off { "连续失败一天".into() } else { String::new() },
                events: "付款".into(),
                failing: Some("3 小时".into()),
                log: if off { Vec::new() } else { vec![delivery(Delivered::Done), delivery(Delivered::Waiting)] },
            };
            let page = ProgramsPage {
                frame: Frame::sample(Role::Owner),
                tab: "programs",
                hooks: if full { vec![hook(true), hook(false)] } else { Vec::new() },
                base: "https://shop.example".into(),
                typed: Typed { name: full.then(|| "ERP".into()), ..Typed::default() },
                made: full.then(|| Made { what: "密钥", secret: "xk_abc".into() }),
                keys: if full { vec![key] } else { Vec::new() },
                rights: choices(Right::ALL, Right::text),
                events: Event::all().map(|word| Choice { word, text: word.text() }).collect(),
                days: &DAYS,
            };
            let html = assets::strictly("console/programs.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("xk_abc"), html.contains("还没有接别的程序")), (full, !full));
            assert_eq!(html.contains("HTTP 500"), full);
        }
    }
}
