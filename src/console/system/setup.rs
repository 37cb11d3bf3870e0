//! Setting up, step by step: the owner's account first, then what a shop needs to take money. Each step can be left for
//! later; the home page reminds of it.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::certificate::{self, CertificateShown};
use super::here;
use super::settings::{self, Card, Typed};
use super::trials;
use crate::assets;
use crate::catalogue::samples;
use crate::console::people::login::{Chosen, Doorstep};
use crate::console::{back, message, refused};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::settings::store::Tried;
use crate::settings::{Group, Settings};
use crate::shop::Shop;
use crate::staff::login::{self, LINK_MINUTES, audit};
use crate::staff::password::SHORTEST;
use crate::staff::{Owner, Staff};
use crate::wechat::Api;
use crate::wechat::reach::refused_by_wechat;

pub fn routes() -> Vec<Route> {
    routes![account_page, account, page, save]
}

/// What each step is called, in the row of them as well, where a phone has room for three signs; and the settings that it asks
/// for after the account, the tested one first. The last step opens the shop.
const STEPS: [(&str, &str, &[Group]); 6] = [
    ("店主账号", "账号", &[]),
    ("店铺", "店铺", &[Group::Shop]),
    ("对外地址", "地址", &[Group::Address]),
    ("微信小程序", "小程序", &[Group::App]),
    ("微信支付", "支付", &[Group::Pay, Group::PayV3, Group::PayV2]),
    ("试运行", "试运行", &[]),
];
/// What nobody knows yet who opens a shop: it is asked for where it is used.
const LATER: [&str; 2] = ["shop-backup_dir", "shop-open"];
const LAST: u8 = STEPS.len() as u8;

/// A step after the first: what it is called, and the settings that it asks for.
fn about(step: u8) -> Result<(&'static str, &'static [Group])> {
    let index = usize::from(step).checked_sub(1).filter(|index| *index > 0);
    let (title, _, groups) = *index.and_then(|index| STEPS.get(index)).ok_or(Code::NotFound)?;
    Ok((title, groups))
}

/// How far a step is: nothing to say of one that nobody came to yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Done,
    /// Its last test said no.
    Failed,
    Skipped,
}

/// A step as the row of steps shows it.
#[derive(Serialize)]
struct StepShown {
    n: u8,
    text: &'static str,
    state: &'static str,
    words: &'static str,
    here: bool,
}

fn step_names(now: u8, stands: impl Fn(u8) -> Option<Stands>) -> Vec<StepShown> {
    let shown = |(n, (_, text, _)): (u8, (&'static str, &'static str, &[Group]))| {
        let (state, words) = match stands(n).filter(|stands| n < now || *stands != Stands::Skipped) {
            Some(Stands::Done) => ("done", "已完成"),
            Some(Stands::Failed) => ("failed", "测试没有通过"),
            Some(Stands::Skipped) => ("skipped", "跳过了"),
            None => ("", ""),
        };
        StepShown { n, text, state, words, here: n == now }
    };
    (1..).zip(STEPS).map(shown).collect()
}

/// What is there of the settings that each step asks for, and what their tests said.
fn stands(settings: &Settings, tried: &[Tried], step: u8) -> Option<Stands> {
    let (_, groups) = about(step).ok()?;
    let there = match groups.first()? {
        Group::Shop => settings.get("shop.name").is_some(),
        Group::Address => settings.notify_url(settings.api()).is_some(),
        Group::App => settings.mini_program().is_some(),
        _ => settings.unready(settings.api()).is_none(),
    };
    let failed = |tried: &Tried| !tried.fine && groups.iter().any(|group| group.word() == tried.part);
    let unreachable = groups.contains(&Group::Address) && out_of_reach(settings).is_some();
    Some(match there {
        true if unreachable || tried.iter().any(failed) => Stands::Failed,
        true => Stands::Done,
        false => Stands::Skipped,
    })
}

/// Why WeChat cannot come to the shop's address, whoever answers there.
pub fn out_of_reach(settings: &Settings) -> Option<String> {
    let url = settings.notify_url(settings.api())?;
    refused_by_wechat(&url).map(|problem| format!("{url} {problem}"))
}

// ── the first step: by the one-time link ──

#[get("/setup/<token>")]
async fn account_page(shop: &State<Shop>, token: &str) -> Result<Template> {
    let good = login::link_is_good(shop, token).await?;
    Ok(account_form(good, token, "", None))
}

#[derive(Serialize)]
struct AccountPage<'a> {
    /// The link can still be used.
    good: bool,
    token: &'a str,
    account: &'a str,
    problem: Option<String>,
    demo: bool,
    steps: Vec<StepShown>,
    /// None: whoever has no account yet goes to no other step.
    step: Option<u8>,
    shortest: usize,
    longest_account: usize,
    link_minutes: i64,
}

fn account_form(good: bool, token: &str, account: &str, problem: Option<String>) -> Template {
    let page = AccountPage {
        good,
        token,
        account,
        problem,
        demo: false,
        steps: step_names(1, |_| None),
        step: None,
        shortest: SHORTEST,
        longest_account: login::NAME.most(),
        link_minutes: LINK_MINUTES,
    };
    assets::page("console/setup.html", page)
}

#[derive(FromForm)]
struct Setup {
    account: String,
    password: String,
    again: String,
}

/// Makes the owner, who is then logged in: the rest is set up under that account.
#[post("/setup/<token>", data = "<form>")]
async fn account(
    shop: &State<Shop>,
    doorstep: Doorstep<'_>,
    token: &str,
    form: Form<Setup>,
) -> std::result::Result<Redirect, Template> {
    let Setup { account, password, again } = form.into_inner();
    let made = async {
        let password = Chosen { password, again }.agreed()?;
        login::make_owner(shop, token, &account, password.clone()).await?;
        Ok(password)
    };
    let password = made.await.map_err(|e: Error| account_form(true, token, &account, Some(message(&e))))?;
    doorstep.let_in_anew(shop, account, password).await;
    Ok(Redirect::to(here(2)))
}

// ── the steps after it ──

#[derive(Serialize)]
struct StepPage {
    title: &'static str,
    step: u8,
    steps: Vec<StepShown>,
    flash: Option<Said>,
    demo: bool,
    cards: Vec<Card>,
    problem: Option<String>,
    certificate: Option<CertificateShown>,
    notify_url: Option<String>,
    /// The last step, in a shop without goods.
    empty: bool,
}

/// What became of a form.
#[derive(Serialize)]
struct Said {
    kind: String,
    text: String,
}

#[get("/welcome/<step>")]
async fn page(shop: &State<Shop>, _owner: Owner, flash: Option<FlashMessage<'_>>, step: u8) -> Result<Template> {
    let flash = flash.map(|flash| Said { kind: flash.kind().to_owned(), text: flash.message().to_owned() });
    show(shop, step, flash, &Typed::new(), None).await
}

async fn show(shop: &Shop, step: u8, flash: Option<Said>, typed: &Typed, wrong: Option<&Error>) -> Result<Template> {
    let (title, groups) = about(step)?;
    let shop_settings = shop.settings();
    // A new shop begins as the fields' own hints advise.
    let advised = [("wechat-api", "v3"), ("wechat-sign_type", "HMAC-SHA256")];
    let advised = advised.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let untouched = typed.is_empty() && shop_settings.get("wechat.mch_id").is_none();
    let typed = if untouched { &advised } else { typed };
    // A version that the configuration has fixed is the only one to be asked for.
    let asked = |group: &&Group| match group {
        Group::PayV2 | Group::PayV3 if shop_settings.is_fixed("wechat.api") => {
            (**group == Group::PayV3) == (shop_settings.api() == Api::V3)
        }
        _ => true,
    };
    let tried = trials::told(shop).await?;
    // What has just been said overtakes what the last test said.
    let told: &[Tried] = if flash.is_some() { &[] } else { &tried };
    let cards = groups.iter().filter(asked).map(|group| {
        let mut card = settings::card(&shop_settings, *group, typed, wrong, told);
        card.fields.retain(|field| !LATER.contains(&field.name.as_str()));
        card
    });
    let far = |n: u8| if n == 1 { Some(Stands::Done) } else { stands(&shop_settings, &tried, n) };
    let page = StepPage {
        title,
        step,
        steps: step_names(step, far),
        flash,
        demo: shop.demo.is_some(),
        cards: cards.collect(),
        problem: wrong.map(message),
        certificate: groups.contains(&Group::PayV2).then(|| certificate::shown(shop)),
        notify_url: shop_settings.notify_url(shop_settings.api()),
        // Only the last step asks.
        empty: groups.is_empty() && samples::shelves_are_empty(shop).await?,
    };
    Ok(assets::page("console/welcome.html", page))
}

#[post("/welcome/<step>", data = "<form>")]
async fn save(
    shop: &State<Shop>,
    owner: Owner,
    step: u8,
    form: Form<Typed>,
) -> Result<std::result::Result<Flash<Redirect>, Template>> {
    let (typed, (_, groups)) = (form.into_inner(), about(step)?);
    if step == LAST {
        return Ok(Ok(match finish(shop, owner.0, &typed).await {
            Ok(done) => Flash::success(Redirect::to("/admin"), done),
            Err(e) => refused(here(LAST), e),
        }));
    }
    match settings::store(shop, &owner.0, &typed).await {
        Ok(_) if typed.contains_key("test") => {
            let group = groups.first().ok_or(Code::NotFound)?;
            Ok(Ok(back(here(step), trials::of_group(shop, *group).await)))
        }
        Ok(changed) => Ok(Ok(match trials::of_changed(shop, &changed).await {
            // Whoever sends the same once more goes on.
            Some(Err(e)) => Flash::error(
                Redirect::to(here(step)),
                format!("已保存，但测试没有通过：{}。请改好再保存，或再点一次“保存，下一步”先往下走", message(&e)),
            ),
            tried => {
                let said = tried.and_then(Result::ok).map(|said| format!("。{said}")).unwrap_or_default();
                let on = Redirect::to(here(step.saturating_add(1)));
                match lacks(shop, groups) {
                    // Nobody reads what is green.
                    Some(why) => Flash::new(on, "info", format!("已保存。{why}{said}")),
                    None => Flash::success(on, format!("已保存{said}")),
                }
            }
        })),
        Err(e) if !e.fields.is_empty() => Ok(Err(show(shop, step, None, &typed, Some(&e)).await?)),
        Err(e) => Ok(Ok(refused(here(step), e))),
    }
}

/// What is still missing is said, and need not be there yet.
fn lacks(shop: &Shop, groups: &[Group]) -> Option<String> {
    let settings = shop.settings();
    if let Some(why) = out_of_reach(&settings).filter(|_| groups.contains(&Group::Address)) {
        return Some(format!("但 {why}"));
    }
    let why = settings.unready(settings.api()).filter(|_| groups.contains(&Group::Pay))?;
    Some(format!("{why}，补齐之前收不了款"))
}

async fn finish(shop: &Shop, owner: Staff, typed: &Typed) -> Result<&'static str> {
    if typed.get("samples").is_none_or(|chosen| chosen != "yes") {
        return Ok("设置完成。下一步：上传商品，再用手机下一个 0.01 元的测试单，走一遍付款和退款");
    }
    let samples = samples::read().await?;
    let write = move |tx: &Tx| {
        samples.put(tx)?;
        Ok(audit(tx, &owner, "载入示例商品")?)
    };
    shop.write(write).await?;
    Ok("示例商品已载入，先用它们看看店铺的样子；正式营业前在商品页一键清除")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_asks_for_nothing_that_it_is_not_given() {
        for good in [true, false] {
            let page = AccountPage {
                good,
                token: "abc",
                account: "店主",
                problem: good.then(|| "两次输入的密码不一样".to_owned()),
                demo: false,
                steps: step_names(1, |_| None),
                step: None,
                shortest: SHORTEST,
                longest_account: login::NAME.most(),
                link_minutes: LINK_MINUTES,
            };
            let html = assets::strictly("console/setup.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("建立店主账号，下一步"), html.contains("链接已失效")), (good, !good));
        }
        for step in 2..=LAST {
            for full in [true, false] {
                let (title, groups) = about(step).unwrap();
                let some = |text: &str| full.then(|| text.to_owned());
                let page = StepPage {
                    title,
                    step,
                    steps: step_names(step, |n| {
                        [None, Some(Stands::Done), Some(Stands::Failed), Some(Stands::Skipped)][usize::from(n) % 4]
                    }),
                    flash: some("已保存").map(|text| Said { kind: "success".into(), text }),
                    demo: false,
                    cards: groups.iter().map(|group| Card::sample(*group)).collect(),
                    problem: some("填错了"),
                    certificate: full.then(|| CertificateShown::sample(false)),
                    notify_url: some("https://shop.example/wechat/notify"),
                    empty: full,
                };
                let html = assets::strictly("console/welcome.html", page).unwrap_or_else(|e| panic!("{step}: {e:#}"));
                assert!(html.contains(title));
                // Whoever is at a step can go to the ones before it, but not to the account's.
                assert_eq!(html.contains("href=\"/admin/welcome/2\""), step > 2, "{step}");
                assert!(!html.contains("href=\"/admin/welcome/1\""));
            }
        }
    }
}
