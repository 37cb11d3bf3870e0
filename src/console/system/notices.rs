//! Notices: what buyers and staff were told outside the shop's pages and what failed, and the templates that buyers are
//! told in.

use std::collections::HashMap;

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use super::settings::{self, Typed};
use crate::assets;
use crate::clock::{self, DAY};
use crate::console::{Choice, Frame, back, choices, cut, frame, framed, refused, waiting};
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::OrderNo;
use crate::message_log::Logged;
use crate::orders::store as orders;
use crate::outbox::buyers::{What, preview};
use crate::outbox::{Channel, Letter, State as Outcome, Told, store};
use crate::shop::Shop;
use crate::staff::{Clerk, Owner, Role};
use crate::wechat::subscribe::{Chosen, Template as Offered};

pub fn routes() -> Vec<Route> {
    routes![page, templates, choose]
}

const HERE: &str = "/admin/notices/templates";

/// What was told outside the shop's pages.
#[derive(Serialize)]
struct NoticesPage {
    frame: Frame,
    tab: &'static str,
    /// Only what could not be told.
    failed: bool,
    rows: Vec<ToldShown>,
    /// From here on it goes on.
    next: Option<i64>,
    /// There are newer ones before this page.
    later: bool,
    failed_lately: i64,
    ways: Vec<Way>,
    may_set: bool,
}

/// A way of telling, and whether the shop has set it up.
#[derive(Serialize)]
struct Way {
    text: &'static str,
    on: bool,
}

#[derive(Serialize)]
struct ToldShown {
    at: String,
    channel: &'static str,
    topic: &'static str,
    what: String,
    order: Option<OrderNo>,
    state: Outcome,
    state_text: &'static str,
    bad: bool,
    ended: Option<String>,
    problem: String,
}

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
        let rows = all.iter().map(|told| shown(conn, told, now)).collect::<Result<Vec<ToldShown>>>()?;
        Ok((rows, next, store::failed_since(conn, now - DAY)?, waiting(conn)?))
    };
    let (rows, next, failed_lately, waits) = shop.read(read).await?;
    let settings = shop.settings();
    let page = NoticesPage {
        frame: framed(shop, &staff.0, "system", flash, waits),
        tab: "notices",
        failed,
        rows,
        next,
        later: before.is_some(),
        failed_lately,
        ways: Channel::ALL.iter().map(|way| Way { text: way.text(), on: way.is_on(&settings) }).collect(),
        may_set: staff.0.role >= Role::Owner,
    };
    Ok(assets::page("console/notices.html", page))
}

fn shown(conn: &Connection, told: &Told, now: i64) -> Result<ToldShown> {
    let order = told.order_id.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
    Ok(ToldShown {
        at: clock::shown_near(told.at, now),
        channel: told.channel.text(),
        topic: told.topic_text(),
        what: told.what.clone(),
        order: order.map(|order| order.order_no),
        state: told.state,
        state_text: told.state.text(),
        bad: told.state == Outcome::Failed,
        ended: told.ended_at.map(|at| clock::shown_near(at, now)),
        problem: told.problem.clone(),
    })
}

// ── the templates ──

#[derive(Serialize)]
struct TemplatesPage {
    frame: Frame,
    tab: &'static str,
    /// Why WeChat's list could not be fetched.
    problem: Option<String>,
    letters: Vec<LetterShown>,
    whats: Vec<Choice<What>>,
    /// The list was fetched, and may have nothing in it.
    offered: bool,
    none: bool,
}

/// A letter: what is chosen, how it looks on a phone, and what could be chosen.
#[derive(Serialize)]
struct LetterShown {
    word: Letter,
    text: &'static str,
    id: Option<String>,
    fields: Option<Vec<FieldShown>>,
    choices: Vec<TemplateShown>,
}

#[derive(Serialize)]
struct TemplateShown {
    id: String,
    title: String,
    here: bool,
    fields: Vec<FieldShown>,
}

/// A field of a template, with what stands in it.
#[derive(Serialize)]
struct FieldShown {
    key: String,
    label: String,
    what: What,
    preview: String,
}

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
    let page = TemplatesPage {
        frame: frame(shop, &owner.0, "system", flash).await?,
        tab: "notices",
        problem,
        letters: Letter::ALL.iter().map(|letter| letter_card(shop, *letter, offered.as_deref())).collect(),
        whats: choices(What::ALL, What::text),
        offered: offered.is_some(),
        none: offered.is_some_and(|offered| offered.is_empty()),
    };
    Ok(assets::page("console/notice_templates.html", page))
}

async fn offered(shop: &Shop) -> Result<Vec<Offered>> {
    let missing = || Error::from(Code::PaymentNotConfigured).says("请先在设置里填好小程序的 AppID 和 AppSecret");
    let app = shop.settings().mini_program().ok_or_else(missing)?;
    let exchange = shop.wechat.templates(&app).await;
    note(shop, Logged::sent(&exchange)).await?;
    exchange.result.map_err(|e| Error::from(Code::WechatRejected).says(format!("没有取到模板列表：{e}")))
}

/// The question and its answer are in the transaction log like every other.
async fn note(shop: &Shop, entry: Logged) -> Result<()> {
    shop.write(move |tx| Ok(entry.record(tx)?)).await.map(drop)
}

fn letter_card(shop: &Shop, letter: Letter, offered: Option<&[Offered]>) -> LetterShown {
    let (settings, now) = (shop.settings(), shop.now());
    let chosen = settings.template(&letter.setting());
    let known = |id: &str| offered.and_then(|all| all.iter().find(|template| template.id == id));
    let label = |id: &str, key: &str| {
        let fields = known(id).map(|template| template.fields.as_slice()).unwrap_or_default();
        fields.iter().find(|(other, _)| other == key).map(|(_, label)| label.clone())
    };
    let field = |id: &str, key: &str, what: What| FieldShown {
        key: key.to_owned(),
        label: label(id, key).unwrap_or_else(|| what.text().to_owned()),
        what,
        preview: preview(letter, key, what, &settings, now),
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
        TemplateShown {
            id: template.id.clone(),
            title: template.title.clone(),
            here: kept.is_some(),
            fields: template.fields.iter().map(|(key, label)| field(&template.id, key, what(key, label))).collect(),
        }
    });
    let choices = choices.collect();
    LetterShown {
        word: letter,
        text: letter.text(),
        id: chosen.as_ref().map(|chosen| chosen.id.clone()),
        fields: chosen.as_ref().map(shown),
        choices,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_notices_ask_for_nothing_that_they_are_not_given() {
        for full in [true, false] {
            let told = ToldShown {
                at: "13:15".into(),
                channel: "邮件",
                topic: "新订单",
                what: "1 笔新订单".into(),
                order: "261008131540ABCDEFGH".parse().ok(),
                state: Outcome::Failed,
                state_text: Outcome::Failed.text(),
                bad: true,
                ended: Some("13:16".into()),
                problem: "连不上".into(),
            };
            let page = NoticesPage {
                frame: Frame::sample(Role::Owner),
                tab: "notices",
                failed: full,
                rows: if full { vec![told] } else { Vec::new() },
                next: full.then_some(1),
                later: full,
                failed_lately: i64::from(full),
                ways: vec![Way { text: "邮件", on: full }],
                may_set: full,
            };
            let html = assets::strictly("console/notices.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("连不上"), html.contains("还没有发过通知")), (full, !full));
            let field = || FieldShown {
                key: "thing1".into(),
                label: "商品".into(),
                what: What::Goods,
                preview: "草莓 2 件".into(),
            };
            let template =
                TemplateShown { id: "abc".into(), title: "发货通知".into(), here: full, fields: vec![field()] };
            let letter = LetterShown {
                word: Letter::ALL[0],
                text: Letter::ALL[0].text(),
                id: full.then(|| "abc".into()),
                fields: full.then(|| vec![field()]),
                choices: if full { vec![template] } else { Vec::new() },
            };
            let page = TemplatesPage {
                frame: Frame::sample(Role::Owner),
                tab: "notices",
                problem: (!full).then(|| "没有取到模板列表".into()),
                letters: vec![letter],
                whats: choices(What::ALL, What::text),
                offered: full,
                none: !full,
            };
            let html = assets::strictly("console/notice_templates.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("草莓 2 件"), html.contains("还没有选模板")), (full, !full));
        }
    }
}
