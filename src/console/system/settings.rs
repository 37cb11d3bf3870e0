//! Settings: what the file does not fix can be written here, card by card; secrets go in and never come out.

use std::collections::HashMap;

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

use super::certificate::{self, CertificateShown};
use super::trials::{self, Said};
use crate::assets;
use crate::buyers::addresses::Address;
use crate::catalogue::media::Picture;
use crate::clock;
use crate::console::{Frame, back, framed, message, refused, upload, waiting};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::orders::store as orders;
use crate::payments::{mend, notify, notify_v3, store as payments};
use crate::settings::store::{self as kept, Tried};
use crate::settings::{Group, SETTINGS, Setting, Settings};
use crate::shop::Shop;
use crate::shown::mark;
use crate::staff::login::audit;
use crate::staff::{Owner, Staff};
use crate::typed::may_be_key;
use crate::wechat::Api;
use crate::wechat::v3::pasted;

pub fn routes() -> Vec<Route> {
    routes![page, save, logo]
}

fn is_card(word: &str) -> bool {
    word == "certificate" || word.parse().is_ok_and(|group: Group| group != Group::Templates)
}

/// What a form of settings brings: the fields by name, and which button was pressed.
pub type Typed = HashMap<String, String>;

/// Every setting that the file does not fix, card by card.
#[derive(Serialize)]
struct SettingsPage {
    frame: Frame,
    tab: &'static str,
    cards: Vec<Card>,
    /// Why nothing was stored.
    problem: Option<String>,
    /// The card that was sent, where it is one of this page: what is said of it stands on it.
    posted: Option<String>,
    certificate: CertificateShown,
    old_key_until: Option<String>,
    old_v3_key_until: Option<String>,
    notify_url: Option<String>,
    refund_notify_url: Option<String>,
    v3_problem: Option<&'static str>,
    pay_url: String,
    logo: Option<String>,
}

/// One group of settings as its form shows them: what is stored, or what was typed and refused.
#[derive(Serialize)]
pub struct Card {
    pub word: &'static str,
    text: &'static str,
    pub fields: Vec<Field>,
    /// There is a question to WeChat that tells whether it is right.
    tested: bool,
    /// Marks of what is shown, to be sent back with it.
    was: String,
    /// What the last test said, unless something newer is said on the same page.
    said: Option<Said>,
}

#[derive(Serialize)]
pub struct Field {
    pub name: String,
    label: &'static str,
    hint: String,
    value: String,
    secret: bool,
    lines: bool,
    choices: &'static [(&'static str, &'static str)],
    fixed: bool,
    /// What was typed is neither stored nor shown again.
    lost: bool,
    problem: Option<String>,
    /// What it was read as.
    note: Option<String>,
}

#[get("/settings?<at>")]
async fn page(shop: &State<Shop>, owner: Owner, flash: Option<FlashMessage<'_>>, at: Option<&str>) -> Result<Template> {
    let typed = at.map(|word| ("group".to_owned(), word.to_owned()));
    show(shop, &owner.0, flash, &typed.into_iter().collect(), None).await
}

async fn show(
    shop: &Shop,
    owner: &Staff,
    flash: Option<FlashMessage<'_>>,
    typed: &Typed,
    wrong: Option<&Error>,
) -> Result<Template> {
    let settings = shop.settings();
    let (tested, latest, waits) = {
        let settings = settings.clone();
        let read = move |conn: &Connection| {
            Ok((trials::standing(conn, &settings)?, orders::latest_addresses(conn, LATEST)?, waiting(conn)?))
        };
        shop.read(read).await?
    };
    let tested = if flash.is_some() { Vec::new() } else { tested };
    let notes = notes(&settings, &latest);
    let groups = Group::ALL.iter().filter(|group| **group != Group::Templates);
    let cards = groups.map(|group| {
        let mut card = card(&settings, *group, typed, wrong, &tested);
        for field in &mut card.fields {
            field.note = notes.iter().find(|(name, _)| *name == field.name).map(|(_, note)| note.clone());
        }
        card
    });
    let page = SettingsPage {
        frame: framed(shop, owner, "system", flash, waits),
        tab: "settings",
        cards: cards.collect(),
        problem: wrong.map(message),
        posted: typed.get("group").filter(|word| is_card(word)).cloned(),
        certificate: certificate::shown(shop),
        old_key_until: settings.changes.old_key_until(shop.now()).map(clock::shown),
        old_v3_key_until: settings.changes.old_v3_key_until(shop.now()).map(clock::shown),
        notify_url: settings.notify_url(settings.api()),
        refund_notify_url: settings.refund_notify_url(settings.api()),
        v3_problem: settings.v3_problem(),
        pay_url: shop.wechat.pay_url().to_owned(),
        logo: settings.logo().map(str::to_owned),
    };
    Ok(assets::page("console/settings.html", page))
}

#[derive(FromForm)]
struct Logo<'r> {
    image: Vec<TempFile<'r>>,
    #[field(default = false)]
    remove: bool,
}

/// The picture that slips are printed with.
#[post("/settings/logo", data = "<form>")]
async fn logo(shop: &State<Shop>, owner: Owner, form: Form<Logo<'_>>) -> Flash<Redirect> {
    let done = async {
        let hash = match upload::only(&form.image, "image") {
            _ if form.remove => String::new(),
            Err(e) => return Err(e),
            Ok(Some(file)) if file.len() > 0 => {
                let picture = upload::heavily(shop, file, Picture::read).await??;
                let hash = picture.hash.to_string();
                shop.write(move |tx| Ok(picture.store(tx)?)).await?;
                hash
            }
            _ => return Err(Error::field("image", "请先选一张图片")),
        };
        store(shop, &owner.0, &Typed::from([("shop-logo".to_owned(), hash)])).await
    };
    back(super::card_of("shop"), done.await.map(|_| if form.remove { "店标已去掉" } else { "店标已保存" }))
}

/// So many of the last orders with an address are looked at.
const LATEST: i64 = 100;

/// What a setting that names places was read as, and how many of the last orders it holds: by the field's name.
fn notes(settings: &Settings, latest: &[Address]) -> Vec<(&'static str, String)> {
    let all = latest.len();
    let places: Vec<_> = latest.iter().map(Address::place).collect();
    let regions = &settings.regions;
    let freight = places.iter().flatten().filter(|place| regions.freight_to(place).is_some()).count();
    let local = places.iter().filter(|place| regions.brings_to(place.as_ref())).count();
    let held = |n: usize| {
        if all == 0 { String::new() } else { format!("；最近 {all} 个有地址的订单里有 {n} 个在其中") }
    };
    let note = |read: String, n: usize| (!read.is_empty()).then(|| format!("读作 {read}{}", held(n)));
    let notes = [
        ("shop-freight_regions", note(regions.freight_text(), freight)),
        ("shop-local_area", note(regions.local_text(), local)),
    ];
    notes.into_iter().filter_map(|(name, note)| Some((name, note?))).collect()
}

pub fn card(settings: &Settings, group: Group, typed: &Typed, wrong: Option<&Error>, tested: &[Tried]) -> Card {
    let doubts: HashMap<_, _> = settings.doubts().into_iter().map(|(setting, why)| (setting.name, why)).collect();
    let was = Was::of(typed);
    let shown = SETTINGS.iter().filter(|setting| setting.group == group && !setting.picture);
    let fields = shown.clone().map(|setting| {
        let name = field(setting);
        // What is secret is not sent back to a page, and nobody must believe that it is still there.
        let lost = |typed: &String| !typed.is_empty() && !comes_back(setting, typed);
        let lost = wrong.is_some() && typed.get(&name).is_some_and(lost);
        // What somebody else has changed meanwhile is shown as it is now where he left it alone himself.
        let own = |text: &&String| comes_back(setting, text) && !was.left_alone(setting, text);
        let typed = typed.get(&name).filter(own).cloned();
        let refused = wrong.and_then(|e| e.fields.get(setting.name)).and_then(Value::as_str);
        Field {
            name,
            label: setting.label,
            hint: setting.hint(),
            value: typed.unwrap_or_else(|| settings.shown(setting)),
            secret: setting.secret,
            lines: setting.lines,
            choices: setting.choices,
            fixed: settings.is_fixed(setting.name),
            lost,
            problem: refused.map(str::to_owned).or_else(|| doubts.get(setting.name).cloned()),
            note: None,
        }
    });
    Card {
        word: group.word(),
        text: group.text(),
        fields: fields.collect(),
        tested: trials::exists(group),
        was: Was::shown(settings, shown),
        said: trials::said(tested, group.word()),
    }
}

/// What a form's page had shown of each setting, as marks: what somebody left alone is not sent back over what another has
/// changed meanwhile.
struct Was(HashMap<String, String>);

impl Was {
    fn of(typed: &Typed) -> Was {
        let pairs = form_urlencoded::parse(typed.get("was").map_or(&[], |text| text.as_bytes()));
        Was(pairs.into_owned().collect())
    }

    /// For a page that is made now. Secrets are not shown, and empty when they are left alone.
    fn shown<'s>(settings: &Settings, all: impl Iterator<Item = &'s Setting>) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for setting in all.filter(|setting| !setting.secret && !settings.is_fixed(setting.name)) {
            text.append_pair(&field(setting), &marked(value_of(settings, setting)));
        }
        text.finish()
    }

    fn left_alone(&self, setting: &Setting, text: &str) -> bool {
        self.0.get(&field(setting)).is_some_and(|was| *was == marked(&(setting.tidy)(text)))
    }

    /// Whether it is another one than the page had shown.
    fn has_moved(&self, setting: &Setting, settings: &Settings) -> bool {
        self.0.get(&field(setting)).is_some_and(|was| *was != marked(value_of(settings, setting)))
    }
}

fn marked(value: &str) -> String {
    format!("{:08x}", mark([value]) >> 32)
}

/// As it stands in a form that nobody has touched.
fn value_of<'s>(settings: &'s Settings, setting: &Setting) -> &'s str {
    settings.get(setting.name).unwrap_or(setting.choices.first().map_or("", |(word, _)| word))
}

/// Whether what was typed is sent back with a form that was refused: no secret is, and neither is what stands in the wrong
/// field and could be one.
fn comes_back(setting: &Setting, text: &str) -> bool {
    let fits = || (setting.check)(&(setting.tidy)(text)).is_ok() && !pasted::hold_private_key(&pasted::sections(text));
    !setting.secret && (!may_be_key(text) || fits())
}

/// A form field's name: Rocket would read the dot as a path.
fn field(setting: &Setting) -> String {
    setting.name.replace('.', "-")
}

#[post("/settings", data = "<form>")]
async fn save(
    shop: &State<Shop>,
    owner: Owner,
    form: Form<Typed>,
) -> Result<std::result::Result<Flash<Redirect>, Template>> {
    let typed = form.into_inner();
    let group: Option<Group> = typed.get("group").and_then(|word| word.parse().ok());
    let to = group.map_or("/admin/settings".to_owned(), |group| super::card_of(group.word()));
    let before = shop.settings();
    match store(shop, &owner.0, &typed).await {
        Ok(_) if let Some(group) = group.filter(|_| typed.contains_key("test")) => {
            Ok(Ok(back(to, trials::of_group(shop, group).await)))
        }
        Ok(changed) if changed.is_empty() => Ok(Ok(Flash::success(Redirect::to(to), "没有改动"))),
        Ok(changed) => {
            let saved = format!("已保存 {} 项设置{}", changed.len(), left_behind(shop, &before).await?);
            Ok(Ok(back(to, with_trial(saved, trials::of_changed(shop, &changed).await))))
        }
        Err(e) if !e.fields.is_empty() => Ok(Err(show(shop, &owner.0, None, &typed, Some(&e)).await?)),
        Err(e) => Ok(Ok(refused(to, e))),
    }
}

/// What is said of settings that were stored, with what their trial brought; whatever that is, they stay.
fn with_trial(saved: String, tried: Option<Result<String>>) -> Result<String> {
    match tried {
        None => Ok(saved),
        Some(Ok(said)) => Ok(format!("{saved}。{said}")),
        Some(Err(e)) => {
            // After what it says besides, a sentence of its own.
            let stop = if saved.contains('。') { '。' } else { '，' };
            Err(Error::from(Code::WechatRejected).says(format!("{saved}{stop}但测试没有通过：{}", message(&e))))
        }
    }
}

/// What the owner has to know of payments that were begun under the merchant number of before.
async fn left_behind(shop: &Shop, before: &Settings) -> Result<String> {
    let Some(number) = before.get("wechat.mch_id").map(str::to_owned) else { return Ok(String::new()) };
    if shop.settings().get("wechat.mch_id") == Some(&number) {
        return Ok(String::new());
    }
    let of = number.clone();
    let (open, refunds) = shop.read(move |conn| Ok(payments::open_under(conn, &of)?)).await?;
    let mut words = String::new();
    if open > 0 {
        words += &format!(
            "。还有 {open} 笔没付完的支付单是用商户号 {number} 发起的：付了仍会入账，但查不了也关不了，换回原来的商户号才能跟进；到了付款时限这些订单会关闭"
        );
    }
    if refunds > 0 {
        words += &format!(
            "。还有 {refunds} 笔退款没有办完，退的是用商户号 {number} 收的款：换回原来的商户号才能发出和查询，在那之前请不要另外退给买家"
        );
    }
    Ok(words)
}

/// The cards that payments rest on.
const PAYS: [Group; 4] = [Group::App, Group::Pay, Group::PayV2, Group::PayV3];

/// What is wrong with a setting, by its name; a sentence that begins with it, or with how it ends, says it once: `AppID 是…` of
/// 小程序 AppID.
fn named(label: &str, problem: &str) -> String {
    // Of one character any sentence might begin.
    let ends = label.char_indices().map(|(at, _)| &label[at..]).filter(|end| end.chars().nth(1).is_some());
    let said = ends.into_iter().any(|end| problem.starts_with(end));
    if said { problem.to_owned() } else { format!("{label}：{problem}") }
}

/// Writes what was changed, each change in the audit log; answers with the settings that are other ones now. All or nothing.
pub async fn store(shop: &Shop, owner: &Staff, typed: &Typed) -> Result<Vec<&'static Setting>> {
    let (settings, was) = (shop.settings(), Was::of(typed));
    let mut changes: Vec<(&'static Setting, String, String)> = Vec::new();
    let mut wrong = Error::from(Code::ValidationFailed);
    // What a value looks like in the log, which more people read than may see a secret: of one, nothing.
    let shown = |setting: &Setting, value: &str| match (setting.secret, value) {
        (_, "") => "（空）".to_owned(),
        // Its hash says nothing to anybody.
        _ if setting.picture => "一张图片".to_owned(),
        (true, _) => "••••".to_owned(),
        (false, value) => value.to_owned(),
    };
    for setting in SETTINGS.iter().filter(|setting| !settings.is_fixed(setting.name)) {
        let Some(value) = typed.get(&field(setting)).map(|value| (setting.tidy)(value)) else { continue };
        let now = value_of(&settings, setting);
        // An empty secret means "as it was": it is never shown, so it cannot be sent back.
        if value == now || was.left_alone(setting, &value) || (setting.secret && value.is_empty()) {
            continue;
        }
        if was.has_moved(setting, &settings) {
            let now = if now.is_empty() { "空" } else { now };
            let words = format!("{}：刚刚有人改成了「{now}」。要用您填的，请再保存一次", setting.label);
            wrong.fields.insert(setting.name.into(), words.into());
        }
        if !value.is_empty()
            && let Err(problem) = (setting.check)(&value)
        {
            wrong.fields.insert(setting.name.into(), named(setting.label, &problem).into());
        }
        let before = shown(setting, settings.get(setting.name).unwrap_or_default());
        let what = format!("设置「{}」：{before} → {}", setting.label, shown(setting, &value));
        changes.push((setting, value, what));
    }
    if !wrong.fields.is_empty() {
        return Err(wrong);
    }
    let values = changes.iter().map(|(setting, value, _)| (setting.name, value.as_str()));
    let next = settings.with(values);
    stays_able(&settings, &next)?;
    ends_what_it_began(shop, &settings, &next).await?;
    let pays = changes.iter().any(|(setting, ..)| PAYS.contains(&setting.group));
    let changed = changes.iter().map(|(setting, ..)| *setting).collect();
    let (inner, owner) = (shop.clone(), owner.clone());
    let write = move |tx: &Tx| {
        for (setting, value, what) in &changes {
            Settings::save(tx, setting, value, &inner.key, &inner.nonces)?;
            trials::outdated_by(setting).try_for_each(|group| kept::forget_trial(tx, group.word()))?;
            audit(tx, &owner, what)?;
        }
        Ok(())
    };
    shop.write(write).await?;
    shop.reload_settings().await?;
    if pays {
        // What was said of other keys counts no more.
        shop.wechat.forget_standing();
        notify::keys_seen_to(shop, true).await?;
        notify_v3::look_again(shop).await?;
        mend::try_again(shop).await?;
    }
    Ok(changed)
}

/// What was begun in the version that new orders do not use is followed in it to its end: nothing that this needs is taken
/// away before.
async fn ends_what_it_began(shop: &Shop, now: &Settings, next: &Settings) -> Result<()> {
    for api in [Api::V2, Api::V3].into_iter().filter(|api| *api != next.api() && now.hindered(*api).is_none()) {
        let Some((names, why)) = next.hindered(api) else { continue };
        let (payments, refunds) = shop.read(move |conn| Ok(payments::under_way(conn, api, None)?)).await?;
        let open = payments + refunds;
        if open > 0 {
            let text = api.text();
            let words = format!("{why}。还有 {open} 笔用 {text} 发起的支付或退款没有办完，请等它们结束再改");
            let mut wrong = Error::from(Code::ValidationFailed);
            wrong.fields.extend(names.into_iter().map(|name| (name.into(), words.clone().into())));
            return Err(wrong);
        }
    }
    Ok(())
}

/// A shop that takes money goes on doing so: nothing that it needs is taken away, its keys are not changed for others that
/// do not fit together, and its version of WeChat Pay's API not for one that lacks something.
fn stays_able(now: &Settings, next: &Settings) -> Result<()> {
    let able = now.hindered(now.api()).is_none();
    let Some((names, why)) = next.hindered(next.api()).filter(|_| able) else { return Ok(()) };
    let mut wrong = Error::from(Code::ValidationFailed);
    let turned = (next.api() != now.api()).then_some("wechat.api");
    for name in names.into_iter().chain(turned) {
        wrong.fields.insert(name.into(), format!("这样就收不了款了：{why}。请改好了一起保存").into());
    }
    Err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    impl Card {
        pub fn sample(group: Group) -> Card {
            let tried =
                Tried {
                    part: group.word().to_owned(), fine: false, words: "签名错误".into(), at: 1_791_435_600_000
                };
            let wrong = SETTINGS.iter().filter(|setting| setting.group == group).map(|setting| setting.name);
            let mut error = Error::from(Code::ValidationFailed);
            error.fields.extend(wrong.step_by(2).map(|name| (name.into(), "填错了".into())));
            card(&Settings::default(), group, &Typed::new(), Some(&error), &[tried])
        }
    }

    #[test]
    fn the_page_of_settings_asks_for_nothing_that_it_is_not_given() {
        for full in [true, false] {
            let some = |text: &str| full.then(|| text.to_owned());
            let page = SettingsPage {
                frame: Frame::sample(Role::Owner),
                tab: "settings",
                cards: Group::ALL.iter().map(|group| Card::sample(*group)).collect(),
                problem: some("AppID：填错了"),
                posted: some("app"),
                certificate: CertificateShown::sample(full),
                old_key_until: some("2026-10-10 13:00:00"),
                old_v3_key_until: some("2026-10-10 13:00:00"),
                notify_url: some("https://shop.example/wechat/notify"),
                refund_notify_url: some("https://shop.example/wechat/refund"),
                v3_problem: full.then_some("公钥读不出来"),
                pay_url: "https://api.mch.weixin.qq.com".into(),
                logo: some("abc"),
            };
            let html = assets::strictly("console/settings.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains("填错了") && html.contains("上次测试"));
            assert_eq!(html.contains("去掉店标"), full);
        }
    }
}
