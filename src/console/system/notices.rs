//! Notices: what buyers and staff were told outside the shop's pages and what failed, and the templates that buyers are
//! told in.

use std::collections::HashMap;

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::settings::{self, Typed};
use crate::assets;
use crate::clock::{self, DAY};
use crate::console::{back, cut, frame, refused};
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::orders::store as orders;
use crate::outbox::buyers::{What, preview};
use crate::outbox::{Channel, Letter, State as Outcome, Told, store};
use crate::shop::Shop;
use crate::staff::{Clerk, Owner, Role};
use crate::transactions::Entry;
use crate::wechat::subscribe::{Chosen, Template as Offered};

pub fn routes() -> Vec<Route> {
    routes![page, templates, choose]
}

const HERE: &str = "/admin/notices/templates";

#[get("/notices?<tab>&<before>")]
async fn page(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    tab: Option<&str>,
    before: Option<i64>,
) -> Result<Template> {
    let (failed, now, size) = (tab == Some("failed"), shop.now(), staff.0.lists.rows);
    let read = move |conn: &Connection| {
        let mut all = store::list(conn, failed, before, size + 1)?;
        let next = cut(&mut all, size).then(|| all.last().map(|told| told.id.0)).flatten();
        let rows = all.iter().map(|told| shown(conn, told, now)).collect::<Result<Vec<Value>>>()?;
        Ok((rows, next, store::failed_since(conn, now - DAY)?))
    };
    let (rows, next, failed_lately) = shop.read(read).await?;
    let settings = shop.settings();
    let context = context! {
        frame: frame(shop, &staff.0, "system", flash).await?,
        tab: "notices", failed, rows, next, later: before.is_some(), failed_lately,
        ways: Channel::ALL.iter().map(|way| json!({ "text": way.text(), "on": way.is_on(&settings) })).collect::<Vec<_>>(),
        may_set: staff.0.role >= Role::Owner,
    };
    Ok(assets::page("console/notices.html", context))
}

fn shown(conn: &Connection, told: &Told, now: i64) -> Result<Value> {
    let order = told.order_id.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
    Ok(json!({
        "at": clock::shown_near(told.at, now), "channel": told.channel.text(), "topic": told.topic_text(),
        "what": told.what, "order": order.map(|order| order.order_no), "state": told.state,
        "state_text": told.state.text(), "bad": told.state == Outcome::Failed,
        "ended": told.ended_at.map(|at| clock::shown_near(at, now)), "problem": told.problem,
    }))
}

// ── the templates ──

/// Each letter with the template that is chosen for it; with `fetched`, those that WeChat has to choose from.
#[get("/notices/templates?<fetched>")]
async fn templates(
    shop: &State<Shop>,
    owner: Owner,
    flash: Option<FlashMessage<'_>>,
    fetched: bool,
) -> Result<Template> {
    let (offered, problem) = match fetched.then_some(offered(shop)) {
        Some(asked) => match asked.await {
            Ok(offered) => (Some(offered), None),
            Err(e) => (None, Some(e.message())),
        },
        None => (None, None),
    };
    let context = context! {
        frame: frame(shop, &owner.0, "system", flash).await?,
        tab: "notices", problem,
        letters: Letter::ALL.iter().map(|letter| letter_card(shop, *letter, offered.as_deref())).collect::<Vec<_>>(),
        whats: What::ALL.iter().map(|what| json!({ "word": what, "text": what.text() })).collect::<Vec<_>>(),
        offered: offered.is_some(),
        none: offered.is_some_and(|offered| offered.is_empty()),
    };
    Ok(assets::page("console/notice_templates.html", context))
}

async fn offered(shop: &Shop) -> Result<Vec<Offered>> {
    let missing = || Error::from(Code::PaymentNotConfigured).says("请先在设置里填好小程序的 AppID 和 AppSecret");
    let app = shop.settings().mini_program().ok_or_else(missing)?;
    let exchange = shop.wechat.templates(&app).await;
    note(shop, Entry::sent(&exchange)).await?;
    exchange.result.map_err(|e| Error::from(Code::WechatRejected).says(format!("没有取到模板列表：{e}")))
}

/// The question and its answer are in the transaction log like every other.
async fn note(shop: &Shop, entry: Entry) -> Result<()> {
    shop.write(move |tx| Ok(entry.record(tx)?)).await.map(drop)
}

/// A letter's card: what is chosen, how it looks on a phone, and what could be chosen.
fn letter_card(shop: &Shop, letter: Letter, offered: Option<&[Offered]>) -> Value {
    let (settings, now) = (shop.settings(), shop.now());
    let chosen = settings.template(&letter.setting());
    let known = |id: &str| offered.and_then(|all| all.iter().find(|template| template.id == id));
    let label = |id: &str, key: &str| {
        let fields = known(id).map(|template| template.fields.as_slice()).unwrap_or_default();
        fields.iter().find(|(other, _)| other == key).map(|(_, label)| label.clone())
    };
    let field = |id: &str, key: &str, what: What| {
        json!({
            "key": key, "label": label(id, key).unwrap_or_else(|| what.text().to_owned()), "what": what,
            "preview": preview(letter, key, what, &settings, now),
        })
    };
    let shown = |chosen: &Chosen| {
        let read = |what: &str| what.parse().unwrap_or(What::Goods);
        chosen.fields.iter().map(|(key, what)| field(&chosen.id, key, read(what))).collect::<Vec<_>>()
    };
    let choices = offered.unwrap_or_default().iter().map(|template| {
        // What was chosen stays; the rest is guessed.
        let kept = chosen.as_ref().filter(|chosen| chosen.id == template.id);
        let what = |key: &str, label: &str| {
            let kept = kept.and_then(|chosen| chosen.fields.iter().find(|(other, _)| other == key));
            kept.and_then(|(_, what)| what.parse().ok()).unwrap_or_else(|| What::guess(key, label))
        };
        json!({
            "id": template.id, "title": template.title, "here": kept.is_some(),
            "fields": template.fields.iter().map(|(key, label)| field(&template.id, key, what(key, label))).collect::<Vec<_>>(),
        })
    });
    json!({
        "word": letter, "text": letter.text(), "id": chosen.as_ref().map(|chosen| chosen.id.clone()),
        "fields": chosen.as_ref().map(shown), "choices": choices.collect::<Vec<_>>(),
    })
}

/// Keeps what stands in each field of a letter's template; `template` empty: this letter is not sent.
#[post("/notices/templates", data = "<form>")]
async fn choose(shop: &State<Shop>, owner: Owner, form: Form<HashMap<String, String>>) -> Flash<Redirect> {
    let Some(letter) = form.get("letter").and_then(|word| word.parse::<Letter>().ok()) else {
        return refused(HERE, Error::field("letter", "请选择要设置的提醒"));
    };
    let id = form.get("template").map(|id| id.trim().to_owned()).unwrap_or_default();
    let mut fields: Vec<(String, String)> = Vec::new();
    for (name, what) in form.iter().filter(|_| !id.is_empty()) {
        let Some(key) = name.strip_prefix("field-") else { continue };
        match what.parse::<What>() {
            Ok(what) => fields.push((key.to_owned(), what.word().to_owned())),
            Err(()) => return refused(HERE, Error::field("field", "请为模板的每一栏选择填什么")),
        }
    }
    fields.sort();
    let value = if id.is_empty() { String::new() } else { Chosen { id, fields }.written() };
    let typed = Typed::from([(letter.setting().replace('.', "-"), value)]);
    let done = settings::store(shop, &owner.0, &typed).await;
    back(
        HERE,
        done.map(|changed| if changed.is_empty() { "没有改动".to_owned() } else { format!("{}已保存", letter.text()) }),
    )
}
