//! Keys that were saved are tried by themselves, and what stands in the wrong field is never shown again.

use std::time::Duration;

use xiaopu::nonce::Nonces;
use xiaopu::settings::{Group, SETTINGS};
use xiaopu::simulator::Fault;
use xiaopu::simulator::v3::Pair;
use xiaopu::staff::Role;

use super::v3::{keys, world_with};
use crate::support::*;

/// Everything of the merchant's is left to the page.
async fn open_world(more: &[(&'static str, &str)]) -> World {
    let mut left = vec![
        ("wechat.api", ""),
        ("wechat.v3_key", ""),
        ("wechat.mch_key", ""),
        ("wechat.mch_serial", ""),
        ("wechat.public_key", ""),
        ("wechat.public_key_id", ""),
        ("wechat.api_key", ""),
        ("wechat.app_secret", ""),
    ];
    left.extend_from_slice(more);
    world_with(&left).await
}

fn right() -> [(&'static str, String); 5] {
    let keys = keys();
    [
        ("wechat-v3_key", keys.v3_key),
        ("wechat-mch_key", keys.merchant.private),
        ("wechat-mch_serial", keys.serial),
        ("wechat-public_key", keys.platform.public),
        ("wechat-public_key_id", keys.public_id),
    ]
}

async fn said_of(owner: &Console<'_>, form: &[(&str, &str)]) -> String {
    assert_eq!(owner.post("/admin/settings", form).await.0, 303, "{form:?}");
    owner.said("/admin/settings").await
}

/// One thing is wrong per row; it is stored all the same, and said on the page that opens, and on the first page.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_says_of_keys_is_told_when_they_are_saved() {
    let w = open_world(&[]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let fits = right();
    let form: Vec<(&str, &str)> = fits.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // While one is missing there is nothing to ask, and nothing is said of it.
    let said = said_of(&owner, &form[..4]).await;
    assert!(said.contains("已保存 4 项设置<") && w.wechat.calls("orderquery") == 0, "{said}");
    let said = said_of(&owner, &form[4..]).await;
    assert!(said.contains("已保存 1 项设置。✓ 私钥、序列号和微信支付公钥都正确"), "{said}");
    assert!(said.contains("flash success"), "{said}");
    let other = Pair::make(&Nonces::Random);
    for (field, wrong, told) in [
        ("wechat-mch_serial", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "商户私钥和证书序列号不对应"),
        ("wechat-public_key_id", "PUB_KEY_ID_0000000000000000000000000000", "公钥 ID"),
        ("wechat-public_key", other.public.as_str(), "公钥"),
        ("wechat-mch_key", other.private.as_str(), "商户私钥和证书序列号不对应"),
        ("wechat-api_key", "ffffffffffffffffffffffffffffffff", "APIv2 密钥或签名方式不对"),
        ("wechat-app_secret", "ffffffffffffffffffffffffffffffff", "AppSecret 不对"),
    ] {
        let said = said_of(&owner, &[(field, wrong)]).await;
        assert!(said.contains("已保存 1 项设置，但测试没有通过：") && said.contains(told), "{field}: {said}");
        assert_eq!(w.shop.settings().get(&field.replace('-', ".")), Some(wrong.trim()), "{field}");
        let page = owner.page("/admin/settings").await;
        assert!(page.contains("上次测试") && page.contains(told), "{field}: {page}");
        if let Some((_, right)) = form.iter().find(|(name, _)| *name == field) {
            let said = said_of(&owner, &[(field, right)]).await;
            assert!(said.contains("已保存 1 项设置。✓"), "{field}: {said}");
        }
    }
    // The page opens at the card that was saved, and there it is said.
    let form = [("group", "pay_v2"), ("wechat-api_key", KEY), ("wechat-app_secret", SECRET)];
    assert_eq!(owner.post("/admin/settings", &form).await, (303, "/admin/settings?at=pay_v2#pay_v2".into()));
    let said = owner.said("/admin/settings?at=pay_v2").await;
    let card = said.split("id=\"pay_v2\"").nth(1).and_then(|rest| rest.split("</section>").next()).unwrap();
    assert!(card.contains("flash success") && said.matches("已保存 2 项设置").count() == 1, "{said}");
    assert!(said.contains("✓ AppID 和 AppSecret 正确") && said.contains("✓ 密钥正确"), "{said}");
    // What concerns no key asks nobody.
    let asked = w.wechat.calls("orderquery");
    said_of(&owner, &[("shop-notice", "今天有新鲜的草莓")]).await;
    assert_eq!(w.wechat.calls("orderquery"), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_fails_costs_nothing_of_what_was_typed() {
    let w = open_world(&[("wechat.app_secret", SECRET)]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let fits = right();
    let form: Vec<(&str, &str)> = fits.iter().map(|(name, value)| (*name, value.as_str())).collect();
    w.wechat.fault_always("orderquery", Fault::LoseAnswer);
    let said = said_of(&owner, &form).await;
    assert!(said.contains("已保存 5 项设置，但测试没有通过：") && said.contains("微信"), "{said}");
    assert_eq!(w.shop.settings().get("wechat.mch_serial"), Some(fits[2].1.as_str()));
    w.wechat.clear_faults();
    // One that answers late is not waited for; what it says stands on the card when it has come.
    w.wechat.fault("orderquery", Fault::Slow(20_000));
    let began = std::time::Instant::now();
    said_of(&owner, &[("wechat-api_key", KEY)]).await;
    assert!(began.elapsed() < Duration::from_secs(15));
    w.wait("the word on the card", || async { owner.page("/admin/settings").await.contains("上次测试") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_set_up_says_what_wechat_says_of_the_keys_and_lets_the_owner_go_on() {
    let w = open_world(&[("wechat.mch_id", "")]).await;
    let (owner, step) = (w.staff("owner", Role::Owner).await, "/admin/welcome/5");
    let fits = right();
    let mut form: Vec<(&str, &str)> = fits.iter().map(|(name, value)| (*name, value.as_str())).collect();
    form.extend([("wechat-api", "v3"), ("wechat-mch_id", MCH_ID)]);
    form[2].1 = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
    assert_eq!(owner.post(step, &form).await, (303, step.into()));
    let said = owner.said(step).await;
    assert!(said.contains("已保存，但测试没有通过：") && said.contains("证书序列号"), "{said}");
    // Sent once more as it is: later is soon enough.
    assert_eq!(owner.post(step, &form).await, (303, "/admin/welcome/6".into()));
    form[2].1 = fits[2].1.as_str();
    assert_eq!(owner.post(step, &form).await, (303, "/admin/welcome/6".into()));
    let said = owner.said("/admin/welcome/6").await;
    assert!(said.contains("已保存。✓ 私钥、序列号和微信支付公钥都正确"), "{said}");
}

/// Whatever is a key or may be one, in every field that is open: it is refused, and then stands nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_an_open_field_is_refused_and_stands_nowhere_after_that() {
    let w = open_world(&[
        ("shop.public_url", ""),
        ("wechat.app_id", ""),
        ("wechat.mch_id", ""),
        ("shop.unpaid_orders", ""),
        ("wechat.app_secret", ""),
    ])
    .await;
    let owner = w.staff("owner", Role::Owner).await;
    let private = keys().merchant.private;
    let body: String = private.lines().filter(|line| !line.starts_with('-')).collect();
    let half = format!("-----BEGIN PRIVATE KEY-----\n{}", &body[..body.len() / 2]);
    let line = |n: usize| private.lines().nth(n).unwrap().to_owned();
    let secrets = [
        ("a private key", private.clone(), line(3)),
        ("its first half", half, line(3)),
        ("its second half", body[body.len() / 2..].to_owned(), body[body.len() - 30..].to_owned()),
        ("one line", line(3), line(3)),
        ("a v3 key", "tfGLFWtz5d0Xv3KeyOfNobodyAtAll00".to_owned(), "v3KeyOfNobody".to_owned()),
        ("a v2 key", "0f3c5b6d7e8f90a1b2c3d4e5f6a7b8c9".to_owned(), "d4e5f6a7b8c9".to_owned()),
        ("digits alone", "12345678901234567890123456789012".to_owned(), "56789012345".to_owned()),
        (
            "a robot",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7123-4bc4-97a0-0ec2bfd3a3a8".to_owned(),
            "0ec2bfd3a3a8".to_owned(),
        ),
    ];
    let open = SETTINGS.iter().filter(|s| !s.secret && !s.picture && s.choices.is_empty());
    for setting in open.filter(|s| s.group != Group::Templates) {
        let field = setting.name.replace('.', "-");
        for (what, text, tell) in &secrets {
            for group in [setting.group.word(), "shop"] {
                let page = owner.page_of("/admin/settings", &[("group", group), (&field, text)]).await;
                assert!(!page.contains(tell.as_str()), "{field}: {what}");
                assert!(page.contains("aria-invalid"), "{field}: {what} is refused");
            }
        }
    }
    for path in ["/admin/settings", "/admin/audit", "/admin"] {
        let page = owner.page(path).await;
        for (what, _, tell) in &secrets {
            assert!(!page.contains(tell.as_str()), "{path}: {what}");
        }
    }
}

/// What is open and right comes back beside what was wrong: nobody types it twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_and_right_comes_back_with_a_refused_form() {
    let w = open_world(&[]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let keys = keys();
    let form = [
        ("group", "pay_v3"),
        ("wechat-mch_serial", keys.serial.as_str()),
        ("wechat-public_key", &keys.platform.public),
        ("wechat-public_key_id", &keys.public_id),
        ("wechat-v3_key", "short"),
        ("shop-notice", "今天有新鲜的草莓"),
    ];
    let page = owner.page_of("/admin/settings", &form).await;
    let body = keys.platform.public.lines().nth(2).unwrap();
    for kept in [&keys.serial, &keys.public_id, "今天有新鲜的草莓", body] {
        assert!(page.contains(kept), "{kept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_of_the_signs_that_wechat_makes_it_of_and_is_not_the_apps() {
    let w = open_world(&[]).await;
    let owner = w.staff("owner", Role::Owner).await;
    for wrong in [
        "小铺小铺小铺小铺小铺ab",
        "小铺小铺小铺小铺小铺小铺",
        "0123456789abcdef 0123456789abcde",
        "0123456789abcdef0123456789abcdeé",
    ] {
        let page = owner.page_of("/admin/settings", &[("group", "pay_v3"), ("wechat-v3_key", wrong)]).await;
        assert!(page.contains("APIv3 密钥应为 32 个字符"), "{wrong}");
    }
    for (one, other) in [("wechat-v3_key", "APIv3"), ("wechat-api_key", "APIv2")] {
        said_of(&owner, &[(one, SECRET), ("wechat-app_secret", SECRET)]).await;
        for path in ["/admin", "/admin/settings"] {
            let page = owner.page(path).await;
            assert!(page.contains(&format!("{other} 密钥和小程序的 AppSecret 一模一样")), "{path} {other}");
        }
        said_of(&owner, &[(one, &"f".repeat(32))]).await;
    }
}
