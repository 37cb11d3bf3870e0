//! Settings: what the file does not fix can be written here; secrets go in and never come out.

use std::collections::HashMap;

use rocket::form::Form;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::json;

use super::{frame, words};
use crate::clock;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::settings::{SETTINGS, Setting, Settings};
use crate::shop::Shop;
use crate::staff::Owner;
use crate::staff::login::audit;

pub fn routes() -> Vec<Route> {
    routes![page, save]
}

#[get("/settings")]
async fn page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let settings = shop.settings();
    let group = |table: &str| {
        SETTINGS
            .iter()
            .filter(|setting| setting.name.starts_with(table))
            .map(|setting| {
                json!({
                    "name": field(setting), "label": setting.label, "hint": setting.hint, "secret": setting.secret, "choices": setting.choices,
                    "value": settings.shown(setting), "fixed": settings.is_fixed(setting.name),
                })
            })
            .collect::<Vec<_>>()
    };
    let context = context! {
        frame: frame(shop, &owner.0, "system", flash).await?,
        tab: "settings",
        shop: group("shop."),
        wechat: group("wechat."),
        certificate: super::certificate::shown(shop),
        old_key_until: settings.changes.old_key_until(shop.now()).map(clock::shown),
        notify_url: settings.notify_url(),
        refund_notify_url: settings.refund_notify_url(),
        pay_url: shop.wechat.pay_url(),
    };
    Ok(Template::render("console/settings.html", context))
}

/// A form field's name: Rocket would read the dot as a path.
fn field(setting: &Setting) -> String {
    setting.name.replace('.', "-")
}

#[post("/settings", data = "<form>")]
async fn save(shop: &State<Shop>, owner: Owner, form: Form<HashMap<String, String>>) -> Flash<Redirect> {
    let to = Redirect::to("/admin/settings");
    match store(shop, owner, form.into_inner()).await {
        Ok(0) => Flash::success(to, "没有改动"),
        Ok(n) => Flash::success(to, format!("已保存 {n} 项设置")),
        Err(e) => Flash::error(to, words(&e)),
    }
}

async fn store(shop: &Shop, owner: Owner, form: HashMap<String, String>) -> Result<usize> {
    let settings = shop.settings();
    let mut changes: Vec<(&'static Setting, String, String)> = Vec::new();
    let mut wrong = Error::from(Code::ValidationFailed);
    // What a value looks like in the log: of a secret the tail alone.
    let shown = |setting: &Setting, value: &str| match (setting.secret, value) {
        (_, "") => "（空）".to_owned(),
        (true, value) => format!("••••{}", value.get(value.len().saturating_sub(4)..).unwrap_or_default()),
        (false, value) => value.to_owned(),
    };
    for setting in SETTINGS.iter().filter(|setting| !settings.is_fixed(setting.name)) {
        let Some(value) = form.get(&field(setting)).map(|value| value.trim().to_owned()) else { continue };
        let default = setting.choices.first().map_or("", |(word, _)| word);
        let unchanged = value == settings.get(setting.name).unwrap_or(default);
        // An empty secret means "as it was": it is never shown, so it cannot be sent back.
        if unchanged || (setting.secret && value.is_empty()) {
            continue;
        }
        if !value.is_empty()
            && let Err(problem) = (setting.check)(&value)
        {
            wrong.fields.insert(setting.name.into(), format!("{}：{problem}", setting.label).into());
        }
        let before = shown(setting, settings.get(setting.name).unwrap_or_default());
        let what = format!("设置「{}」：{before} → {}", setting.label, shown(setting, &value));
        changes.push((setting, value, what));
    }
    if !wrong.fields.is_empty() {
        return Err(wrong);
    }
    let (count, now, inner) = (changes.len(), shop.now(), shop.clone());
    let write = move |tx: &Tx| {
        for (setting, value, what) in &changes {
            Settings::save(tx, setting, value, &inner.key, &inner.nonces)?;
            audit(tx, &owner.0, what, now)?;
        }
        Ok::<_, Error>(())
    };
    shop.db.write(write).await?;
    shop.reload_settings().await?;
    Ok(count)
}
