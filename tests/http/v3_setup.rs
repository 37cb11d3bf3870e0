//! Setting a shop up for API v3: by the steps of the set-up, by the cards of the settings, and from one version to the other.

use xiaopu::nonce::Nonces;
use xiaopu::simulator::v3::Pair;
use xiaopu::simulator::{Fault, Paying, RefundEnd};
use xiaopu::staff::Role;
use xiaopu::wechat::Api;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::seal_req_info;

use super::v3::{keys, knock, world, world_with};
use crate::support::*;

/// A shop that has everything but what WeChat Pay needs.
async fn unpaid_shop() -> World {
    let nothing = [("wechat.api_key", ""), ("wechat.mch_id", ""), ("wechat.sign_type", "")];
    let w = World::with(Default::default(), &nothing).await;
    w.wechat.with_v3(&keys()).unwrap();
    w
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_merchant_is_set_up_with_api_v3_alone() {
    let (w, keys, step) = (unpaid_shop().await, keys(), "/admin/welcome/5");
    let owner = w.staff("owner", Role::Owner).await;
    let page = owner.page(step).await;
    assert!(page.contains("<option value=\"v3\" selected>"), "what new merchants are led to: {page}");
    let key = |name: &str| format!("name=\"wechat-{name}\"");
    for name in ["mch_id", "v3_key", "mch_key", "mch_serial", "public_key", "public_key_id", "api_key", "sign_type"] {
        assert!(page.contains(&key(name)), "{name}: {page}");
    }
    assert!(page.contains("API v3 也不需要"), "by API v3 money goes back without a certificate: {page}");
    // What is missing is named, and it is nothing of v2's.
    owner.post(step, &[("wechat-api", "v3"), ("wechat-mch_id", MCH_ID), ("test", "true")]).await;
    let said = owner.said(step).await;
    assert!(said.contains("API v3 还缺 APIv3 密钥、商户私钥") && said.contains("请先填好"), "{said}");
    let home = owner.page("/admin").await;
    assert!(home.contains("API v3 还缺") && !home.contains("APIv2"), "{home}");
    let form = [
        ("wechat-api", "v3"),
        ("wechat-mch_id", MCH_ID),
        ("wechat-v3_key", &keys.v3_key),
        ("wechat-mch_key", &keys.merchant.private),
        ("wechat-mch_serial", &keys.serial),
        ("wechat-public_key", &keys.platform.public),
        ("wechat-public_key_id", &keys.public_id),
        ("wechat-api_key", ""),
        ("test", "true"),
    ];
    // One field is wrong: the secrets beside it are said to be gone, and are not sent back.
    let mut wrong = form;
    wrong[6].1 = "PUB_KEY_ID";
    let page = owner.page_of(step, &wrong).await;
    assert_eq!(page.matches("这一项没有保存").count(), 2, "{page}");
    assert!(!page.contains("BEGIN PRIVATE KEY") && !page.contains(&keys.v3_key), "{page}");
    assert_eq!(owner.post(step, &form).await, (303, step.into()));
    let said = owner.said(step).await;
    assert!(said.contains("私钥、序列号和微信支付公钥都正确"), "{said}");
    let home = owner.page("/admin").await;
    assert!(!home.contains("还缺") && !home.contains("APIv2") && !home.contains("上传退款证书"), "{home}");
    let sku = w.product("苹果", 8800, 9).await;
    let alice = w.buyer("alice").await;
    assert_eq!(alice.buy(sku, 1).await.ok()["payment"]["signType"], "RSA");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_takes_money_is_not_changed_for_keys_that_it_lacks() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let page = owner.page_of("/admin/settings", &[("group", "pay"), ("wechat-api", "v3")]).await;
    assert!(page.contains("这样就收不了款了：API v3 还缺 APIv3 密钥、商户私钥"), "{page}");
    assert_eq!(w.shop.settings().api(), Api::V2);
    let w = world("").await;
    let owner = w.staff("owner", Role::Owner).await;
    assert_eq!(owner.post("/admin/settings", &[("group", "pay"), ("wechat-api", "v3")]).await.0, 303);
    assert_eq!(w.shop.settings().api(), Api::V3);
}

/// The one rule for every way in which a field can be emptied: what payments need stays, or comes with its replacement.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_payments_need_is_emptied_in_a_shop_that_takes_money() {
    let keys = keys();
    let v3 = [
        ("wechat.v3_key", keys.v3_key.as_str()),
        ("wechat.mch_key", &keys.merchant.private),
        ("wechat.mch_serial", &keys.serial),
        ("wechat.public_key", &keys.platform.public),
        ("wechat.public_key_id", &keys.public_id),
    ];
    let both = [("wechat.app_id", APP_ID), ("wechat.mch_id", MCH_ID), ("shop.public_url", "https://shop.example.com")];
    for (api, own) in [("v3", v3.as_slice()), ("v2", &[("wechat.api_key", KEY)])] {
        let fills: Vec<_> = own.iter().chain(&both).copied().collect();
        let mut left = vec![("wechat.api", api)];
        left.extend(fills.iter().map(|(name, _)| (*name, "")));
        let w = world_with(&left).await;
        let owner = w.staff("owner", Role::Owner).await;
        let able = || w.shop.account().is_some();
        // While it takes no money yet, everything can be taken back.
        assert_eq!(owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID)]).await.0, 303);
        assert_eq!(owner.post("/admin/settings", &[("wechat-mch_id", "")]).await.0, 303);
        let fields: Vec<_> = fills.iter().map(|(name, value)| (name.replace('.', "-"), *value)).collect();
        let form: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(owner.post("/admin/settings", &form).await.0, 303, "{api}");
        assert!(able(), "{api}");
        for (field, value) in &form {
            // An empty secret means that it stays; of everything else it is said at the field.
            if ["wechat-v3_key", "wechat-mch_key", "wechat-api_key"].contains(field) {
                assert_eq!(owner.post("/admin/settings", &[(field, "")]).await.0, 303, "{api} {field}");
            } else {
                let page = owner.page_of("/admin/settings", &[(field, "")]).await;
                assert!(at_field(&page, field).contains("这样就收不了款了"), "{api} {field}: {page}");
            }
            assert!(able() && w.shop.settings().get(&field.replace('-', ".")) == Some(value.trim()), "{api} {field}");
        }
    }
}

/// The version that takes no new orders is followed to its end in what it began; then it may go.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_payment_under_way_needs_is_not_emptied_whatever_new_orders_use() {
    let w = world_with(&[("wechat.api", ""), ("wechat.public_key_id", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let id = keys().public_id;
    let post = async |form: &[(&str, &str)]| assert_eq!(owner.post("/admin/settings", form).await.0, 303, "{form:?}");
    post(&[("wechat-api", "v3"), ("wechat-public_key_id", &id)]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (placed, cancelled) = (Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await));
    post(&[("wechat-api", "v2")]).await;
    let kept = async |what: &str, n: i64| {
        let page = owner.page_of("/admin/settings", &[("wechat-public_key_id", "")]).await;
        let words = format!("还有 {n} 笔用 API v3 发起的支付或退款没有办完");
        assert!(at_field(&page, "wechat-public_key_id").contains(&words), "{what}: {page}");
    };
    kept("two can be paid", 2).await;
    w.wechat.fault_always("orderquery", Fault::Http500);
    alice.post(&format!("/orders/{}/cancel", cancelled.no), None).await;
    assert_eq!(w.count("select count(*) from attempts where state = 'closing'").await, 1);
    kept("one is not closed at WeChat yet", 2).await;
    w.wechat.clear_faults();
    w.advance(MINUTE);
    w.run_jobs().await;
    w.pay(&placed, Paying::Well);
    w.wait("the notice", || async { w.count("select count(*) from orders where status = 'to_ship'").await == 1 }).await;
    let refund = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
    w.run_jobs().await;
    w.wechat.end_refund(&refund, RefundEnd::Change).unwrap();
    super::refunds::until(&w, &refund, "abnormal").await;
    kept("one came back from the bank", 1).await;
    w.wechat.end_refund(&refund, RefundEnd::Success).unwrap();
    super::refunds::until(&w, &refund, "succeeded").await;
    post(&[("wechat-public_key_id", "")]).await;
}

/// A secret in the wrong field is not sent back with what else was typed.
#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_in_another_field_is_neither_kept_nor_shown() {
    let none = [("wechat.public_key", ""), ("wechat.mch_serial", ""), ("wechat.api", "")];
    let w = world_with(&none).await;
    let owner = w.staff("owner", Role::Owner).await;
    let (keys, private) = (keys(), keys().merchant.private);
    let certificate = rcgen::generate_simple_self_signed(["1900000109".to_owned()]).unwrap().cert.pem();
    let line = private.lines().nth(1).unwrap().to_owned();
    for (field, text) in [
        ("wechat-public_key", private.clone()),
        ("wechat-public_key", format!("{}{private}", keys.platform.public)),
        ("wechat-mch_serial", private.lines().filter(|line| !line.starts_with('-')).collect()),
        ("wechat-mch_serial", private.clone()),
        ("shop-phone", private.clone()),
    ] {
        let page = owner.page_of("/admin/settings", &[(field, &text)]).await;
        assert!(!page.contains(&line) && !at_field(&page, field).is_empty(), "{field}");
    }
    owner.post("/admin/settings", &[("wechat-mch_serial", &format!("{certificate}{private}"))]).await;
    let audit = owner.page("/admin/audit").await;
    assert!(audit.contains("商户证书序列号") && !audit.contains(&line));
    assert!(!owner.page("/admin/settings").await.contains(&line));
}

/// What a page of settings says at a field.
fn at_field<'p>(page: &'p str, field: &str) -> &'p str {
    page.split(&format!("name=\"{field}\"")).nth(1).and_then(|rest| rest.split("</label>").next()).unwrap_or_default()
}

/// What does not go together is shown where it stands.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_no_pair_are_marked_both() {
    let w = shop_of_v3(&[("wechat.mch_key", &keys().merchant.private), ("wechat.mch_serial", &keys().serial)]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let other = rcgen::generate_simple_self_signed(["1900000109".to_owned()]).unwrap().cert.pem();
    let page = owner.page_of("/admin/settings", &[("group", "pay_v3"), ("wechat-mch_serial", &other)]).await;
    for (field, marked) in [("wechat-mch_key", true), ("wechat-mch_serial", true), ("wechat-public_key", false)] {
        assert_eq!(at_field(&page, field).contains("不是一对"), marked, "{field}: {page}");
    }
}

/// A test speaks of one version; what the other one's said counts for itself, and until something of it changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_of_one_version_and_ends_with_what_it_was_about() {
    let w = world_with(&[("wechat.api", ""), ("wechat.api_key", ""), ("wechat.mch_id", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID)]).await;
    let post = async |form: &[(&str, &str)]| assert_eq!(owner.post("/admin/settings", form).await.0, 303);
    post(&[("group", "pay_v2"), ("wechat-api_key", &"f".repeat(32)), ("test", "true")]).await;
    assert!(owner.page("/admin").await.contains("签名错误"), "v2 takes the orders, and its key is wrong");
    post(&[("group", "pay"), ("wechat-api", "v3"), ("test", "true")]).await;
    let said = owner.said("/admin/settings").await;
    assert!(said.contains("微信支付公钥都正确"), "the version that takes the orders is tried: {said}");
    assert!(!owner.page("/admin").await.contains("签名错误"), "it keeps nobody from paying");
    let page = owner.page("/admin/settings").await;
    assert!(page.contains("签名错误") && page.contains("微信支付公钥都正确"), "each card says its own: {page}");
    post(&[("group", "pay"), ("wechat-mch_id", "1900000110")]).await;
    let page = owner.page("/admin/settings").await;
    assert!(!page.contains("微信支付公钥都正确"), "what was said of another merchant's keys counts no more: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_text_for_two_keys_is_kept_and_doubted() {
    let w = world_with(&[("wechat.v3_key", ""), ("wechat.api_key", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let save = async |form: &[(&str, &str)]| assert_eq!(owner.post("/admin/settings", form).await.0, 303);
    save(&[("wechat-api_key", &"a".repeat(32)), ("wechat-v3_key", &"a".repeat(32))]).await;
    for path in ["/admin", "/admin/settings"] {
        assert!(owner.page(path).await.contains("和 APIv2 密钥一模一样"), "{path}");
    }
    save(&[("wechat-v3_key", &"b".repeat(32))]).await;
    // What more people read than may see a secret shows nothing of one.
    let audit = w.staff("reader", Role::Owner).await.page("/admin/audit").await;
    assert!(audit.contains("APIv3 密钥") && !audit.contains("••••a") && !audit.contains("••••b"), "{audit}");
    assert!(!owner.page("/admin/settings").await.contains("一模一样"));
}

/// A warning beside the mark that all is well: the two may be the same, and hardly ever are.
#[tokio::test(flavor = "multi_thread")]
async fn one_text_for_two_keys_is_doubted_by_the_test_too() {
    let same = keys().v3_key;
    let w = shop_of_v3(&[("wechat.v3_key", &same), ("wechat.api_key", &same)]).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings/test/key_v3", &[]).await;
    let said = owner.said("/admin/settings").await;
    assert!(said.contains("微信支付公钥都正确") && said.contains("。⚠ APIv3 密钥和 APIv2 密钥一模一样"), "{said}");
}

/// What failed when it was tried is of no account once it works; and one cause is told once.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_failed_is_overtaken_by_the_payment_after_it() {
    let w = world("v3").await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
    let said = "没有支付的权限";
    for kind in ["orderquery", "unifiedorder"] {
        w.wechat.fault(kind, Fault::refused("NO_AUTH", "商户号该产品权限未开通"));
    }
    owner.post("/admin/settings/test/key_v3", &[]).await;
    assert_eq!(alice.buy(sku, 1).await.error(), (502, "wechat_rejected"));
    let home = owner.page("/admin").await;
    assert_eq!(home.matches(said).count(), 1, "{home}");
    assert!(home.contains("买家付不了款"), "{home}");
    w.advance(MINUTE);
    Placed::of(alice.buy(sku, 1).await);
    for path in ["/admin", "/admin/settings"] {
        assert!(!owner.page(path).await.contains(said), "{path}");
    }
    // The app's card is tried by logins, and overtaken by them.
    w.wechat.fault("login", Fault::refused("40125", "invalid appsecret"));
    owner.post("/admin/settings/test/app", &[]).await;
    let wrong = async || owner.page("/admin").await.contains("AppSecret 不对");
    assert!(wrong().await);
    w.advance(MINUTE);
    w.buyer("bob").await;
    assert!(!wrong().await);
}

/// Whatever an editor or a chat did to a key on its way, and what was copied along with it.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_taken_as_they_come_and_kept_as_they_are_meant() {
    let keys = keys();
    let private = format!("\u{feff}\"{}\"", keys.merchant.private.replace('\n', "\\n"));
    let public = keys.platform.public.replace('\n', " ");
    let serial: Vec<String> =
        keys.serial.to_lowercase().as_bytes().chunks(2).map(|two| String::from_utf8_lossy(two).into_owned()).collect();
    let w = shop_of_v3(&[
        ("wechat.v3_key", &format!(" \u{201c}{}\u{201d}\r\n", keys.v3_key)),
        ("wechat.mch_key", &private),
        ("wechat.mch_serial", &serial.join(":")),
        ("wechat.public_key", &public),
        ("wechat.public_key_id", &format!("公钥ID：{}", keys.public_id.to_lowercase())),
        ("wechat.mch_id", "1900 000 109"),
    ])
    .await;
    for (name, kept) in [
        ("wechat.v3_key", keys.v3_key.as_str()),
        ("wechat.mch_key", keys.merchant.private.trim()),
        ("wechat.mch_serial", &keys.serial),
        ("wechat.public_key", keys.platform.public.trim()),
        ("wechat.public_key_id", &keys.public_id),
        ("wechat.mch_id", MCH_ID),
    ] {
        assert_eq!(w.shop.settings().get(name), Some(kept), "{name}");
    }
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings/test/key_v3", &[]).await;
    let said = owner.said("/admin/settings").await;
    assert!(said.contains("微信支付公钥都正确"), "{said}");
    let both = format!("{}{}", keys.merchant.private, keys.platform.public);
    for (field, value, words) in [
        ("wechat-v3_key", keys.serial.as_str(), "这像是证书序列号"),
        ("wechat-v3_key", &keys.merchant.private, "这像是私钥"),
        ("wechat-mch_id", "wxd930ea5d5a258f4f", "这像是 AppID"),
        ("wechat-mch_serial", "1900000109", "这像是商户号"),
        ("wechat-public_key_id", &"a1".repeat(16), "这像是 APIv3 密钥或 APIv2 密钥"),
        ("wechat-public_key_id", &keys.platform.public, "这像是公钥"),
        ("wechat-public_key", &both, "不要把它交给别人"),
        ("wechat-mch_key", "PUB_KEY_ID_0116", "这像是微信支付公钥 ID"),
    ] {
        let page = owner.page_of("/admin/settings", &[("group", "pay_v3"), (field, value)]).await;
        assert!(at_field(&page, field).contains(words), "{field} {words}: {page}");
    }
}

/// Nobody but the owner has anything to do with keys, and nobody at all sees one again.
#[tokio::test(flavor = "multi_thread")]
async fn keys_go_in_and_come_out_for_nobody() {
    let keys = keys();
    let w = shop_of_v3(&[("wechat.v3_key", &keys.v3_key), ("wechat.mch_key", &keys.merchant.private)]).await;
    let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
    w.paid(&alice, sku, 1).await;
    let body = keys.merchant.private.lines().nth(1).unwrap();
    for role in [Role::Packer, Role::Clerk, Role::Manager, Role::Owner] {
        let staff = w.staff(&format!("{role:?}").to_lowercase(), role).await;
        for path in [
            "/admin",
            "/admin/settings",
            "/admin/audit",
            "/admin/transactions",
            "/admin/diagnostics",
            "/admin/welcome/5",
        ] {
            let answer = staff.get(path).await;
            let page = answer.1;
            assert!(!page.contains(body) && !page.contains(&keys.v3_key), "{role:?} {path}");
        }
        if role != Role::Owner {
            for (path, form) in
                [("/admin/settings", ("wechat-v3_key", "x")), ("/admin/settings/test/key_v3", ("step", "5"))]
            {
                assert_eq!(staff.post(path, &[form]).await.0, 403, "{role:?} {path}");
            }
        }
    }
}

/// A shop of API v3 whose keys are left to the settings page.
async fn shop_of_v3(owner_fills: &[(&'static str, &str)]) -> World {
    let mut left = vec![("wechat.api", "v3")];
    left.extend(owner_fills.iter().map(|(name, _)| (*name, "")));
    let w = world_with(&left).await;
    let owner = w.staff("first", Role::Owner).await;
    let fields: Vec<(String, &str)> =
        owner_fills.iter().map(|(name, value)| (name.replace('.', "-"), *value)).collect();
    let form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    owner.post("/admin/settings", &form).await;
    w
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_about_a_key_ends_when_the_right_one_is_entered() {
    let w = shop_of_v3(&[("wechat.v3_key", &"x".repeat(32))]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    let notice = w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
    assert_eq!(knock(&w, &notice.headers, &notice.body).await.0, 500);
    let alarmed = async || owner.page("/admin").await.contains("APIv3 密钥打不开");
    assert!(alarmed().await);
    owner.post("/admin/settings", &[("wechat-v3_key", &"y".repeat(32))]).await;
    assert!(alarmed().await, "the notice is still shut");
    owner.post("/admin/settings", &[("wechat-v3_key", &keys().v3_key)]).await;
    assert!(!alarmed().await, "and needs not come again to show it");
}

/// Whoever mistypes a key, and mistypes it again, has not made the right one worthless.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_saved_in_a_row_take_nothing_from_the_right_one() {
    let keys = keys();
    let w = shop_of_v3(&[
        ("wechat.v3_key", &keys.v3_key),
        ("wechat.public_key", &keys.platform.public),
        ("wechat.public_key_id", &keys.public_id),
        ("wechat.api_key", KEY),
    ])
    .await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    for wrong in ["b", "c", "d"] {
        let other = Pair::make(&Nonces::Random).public;
        let form = [
            ("wechat-v3_key", wrong.repeat(32)),
            ("wechat-api_key", wrong.repeat(32)),
            ("wechat-public_key", other),
            ("wechat-public_key_id", format!("PUB_KEY_ID_{wrong}1")),
        ];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        owner.post("/admin/settings", &form).await;
        w.advance(MINUTE);
    }
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    let notice = w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
    assert_eq!(knock(&w, &notice.headers, &notice.body).await, (204, String::new()));
    let page = owner.page("/admin/settings").await;
    assert!(page.contains("更换前的 APIv3 密钥和微信支付公钥还能用到 2026-10-10"), "{page}");
    let mut hint =
        Message::from([("return_code", "SUCCESS"), ("appid", APP_ID), ("mch_id", MCH_ID), ("nonce_str", "x")]);
    let inside = b"<root><out_refund_no>x</out_refund_no></root>";
    hint.set("req_info", seal_req_info(inside, &KEY.parse().unwrap()));
    let told = w.http().post(w.at("/wechat/refund/notify")).body(hint.to_xml()).send().await.unwrap();
    assert!(told.text().await.unwrap().contains("SUCCESS"), "sealed with the first key of v2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_that_wechat_does_not_know_is_told_on_the_first_page() {
    let other = Pair::make(&Nonces::Random).private;
    let w = shop_of_v3(&[("wechat.mch_key", &other)]).await;
    let (owner, clerk) = (w.staff("owner", Role::Owner).await, w.staff("clerk", Role::Clerk).await);
    let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
    assert_eq!(alice.buy(sku, 1).await.error(), (502, "wechat_rejected"));
    let home = owner.page("/admin").await;
    assert!(home.contains("买家付不了款：微信说签名错误：商户私钥和证书序列号不对应"), "{home}");
    assert!(!clerk.page("/admin").await.contains("签名错误"), "none of a clerk's affairs");
    owner.post("/admin/settings", &[("wechat-mch_key", &keys().merchant.private)]).await;
    assert!(!owner.page("/admin").await.contains("签名错误"));
    Placed::of(alice.buy(sku, 1).await);
    assert!(!owner.page("/admin").await.contains("签名错误"));
}

/// A buyer who had the cash desk open when the owner changed the version goes on where he was.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_of_version_a_payment_that_was_begun_is_gone_on_with() {
    for (before, after, signed) in [("v2", "v3", "MD5"), ("v3", "v2", "RSA")] {
        let w = world("").await;
        let owner = w.staff("owner", Role::Owner).await;
        let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
        owner.post("/admin/settings", &[("wechat-api", before)]).await;
        let placed = Placed::of(alice.buy(sku, 1).await);
        owner.post("/admin/settings", &[("wechat-api", after)]).await;
        let payment = alice.post(&format!("/orders/{}/prepay", placed.no), None).await.ok()["payment"].clone();
        assert_eq!(payment["signType"], signed, "{before}: signed by whom it was made for");
        assert_eq!(payment["package"], format!("prepay_id={}", placed.prepay_id), "{before}: the same payment");
        assert_eq!(w.count("select count(*) from attempts").await, 1, "{before}");
        w.pay(&placed, Paying::Well);
        super::v3::wait_for(&w, &alice, &placed, "to_ship").await;
        // Whoever buys from now on does so in the new version.
        let next = alice.buy(sku, 1).await.ok();
        assert_ne!(next["payment"]["signType"], signed, "{before}");
        w.must_hold().await;
    }
}

/// Whichever field is wrong, and however WeChat says so: the owner reads where to look, on his page and by the test.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_makes_every_payment_fail_is_named_with_the_next_step() {
    let other = Pair::make(&Nonces::Random);
    for (field, value, unsigned, words) in [
        ("wechat.public_key_id", "PUB_KEY_ID_0119000001092026112800000002", false, "公钥 ID"),
        ("wechat.public_key_id", "PUB_KEY_ID_0119000001092026112800000002", true, "公钥 ID 不对"),
        ("wechat.public_key", &other.public, false, "微信支付公钥"),
        ("wechat.mch_key", &other.private, false, "商户私钥和证书序列号不对应"),
        ("wechat.mch_key", &other.private, true, "商户私钥和证书序列号不对应"),
        ("wechat.mch_serial", &"0".repeat(40), true, "商户私钥和证书序列号不对应"),
        ("wechat.mch_id", "1900000110", true, "或商户号不对"),
    ] {
        let w = shop_of_v3(&[(field, value)]).await;
        let owner = w.staff("owner", Role::Owner).await;
        let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
        if unsigned {
            // A gateway that knows no key of ours signs with none.
            w.wechat.fault_always("unifiedorder", Fault::Unsigned);
            w.wechat.fault_always("orderquery", Fault::Unsigned);
        }
        assert!(alice.buy(sku, 1).await.status >= 500, "{field}");
        let home = owner.page("/admin").await;
        assert!(home.contains("买家付不了款") && home.contains(words), "{field} {unsigned}: {home}");
        owner.post("/admin/settings/test/key_v3", &[]).await;
        let said = owner.said("/admin/settings").await;
        assert!(said.contains(words), "{field} {unsigned}: {said}");
        let log = owner.page("/admin/transactions").await;
        assert!(!log.contains("SIGNERROR"), "in WeChat's own spelling: {log}");
    }
    // What concerns payments alone is told by the next payment, and its end by the one after.
    let w = world("v3").await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    for (code, said, words) in [
        ("NO_AUTH", "商户号该产品权限未开通", "没有支付的权限"),
        ("PARAM_ERROR", "notify_url必须为https", "核对对外地址"),
        ("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配", "没有绑定"),
        ("RULE_LIMIT", "业务规则限制", "RULE_LIMIT 业务规则限制"),
    ] {
        w.wechat.fault("unifiedorder", Fault::refused(code, said));
        let key = w.key();
        assert_eq!(alice.prepay(&key, order(sku, 1)).await.error(), (502, "wechat_rejected"), "{code}");
        w.advance(MINUTE);
        w.run_jobs().await;
        assert!(owner.page("/admin").await.contains(words), "{code}");
        Placed::of(alice.prepay(&key, order(sku, 1)).await);
        assert!(!owner.page("/admin").await.contains("买家付不了款"), "{code}");
    }
}

/// A card of keys says what WeChat said as WeChat spells it, for whoever looks it up or asks there, and then what to do; the log
/// spells it so, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_the_keys_says_wechats_own_code_and_then_what_to_do() {
    const LOOK: &str = "。请核对设置里的商户号、AppID 和密钥";
    const BUSY: &str = "。微信暂时忙不过来，请过一会儿再测";
    let w = world("v3").await;
    let owner = w.staff("owner", Role::Owner).await;
    for (card, code, said, words) in [
        ("key_v3", "SIGN_ERROR", "签名错误", "。微信说签名错误：商户私钥和证书序列号不对应"),
        ("key_v3", "NO_AUTH", "商户号该产品权限未开通", "。微信说这个商户号没有支付的权限"),
        ("key_v3", "MCH_NOT_EXISTS", "商户号不存在", "。微信说没有这个商户号，请核对"),
        ("key_v3", "INVALID_REQUEST", "不符合业务规则", LOOK),
        ("key_v3", "RATELIMIT_EXCEEDED", "频率超限", BUSY),
        ("key_v3", "SYSTEM_ERROR", "系统错误", BUSY),
        ("key_v3", "SOMETHING_NEW", "不行", LOOK),
        ("key", "SIGNERROR", "签名错误", "。微信说签名错误：APIv2 密钥或签名方式不对"),
        ("key", "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配", "。AppID 和商户号没有绑定"),
        ("key", "NOAUTH", "商户无权限", "。微信说这个商户号没有支付的权限"),
        ("key", "NO_AUTH", "商户无权限", "。微信说这个商户号没有支付的权限"),
        ("key", "MCH_NOT_EXISTS", "没有它", "。微信说没有这个商户号，请核对"),
        ("key", "INVALID_REQUEST", "不符合业务规则", LOOK),
        ("key", "FREQUENCY_LIMITED", "频率限制", BUSY),
        ("key", "SYSTEMERROR", "系统错误", BUSY),
        ("key", "SOMETHING_NEW", "不行", LOOK),
    ] {
        w.wechat.fault("orderquery", Fault::refused(code, said));
        owner.post(&format!("/admin/settings/test/{card}"), &[]).await;
        let told = owner.said("/admin/settings").await;
        assert!(told.contains(&format!("微信回答 {code} {said}{words}")), "{card} {code}: {told}");
        w.wechat.clear_faults();
        // It is found by either spelling.
        for sought in [code.to_owned(), code.replace('_', "")] {
            let log = owner.page(&format!("/admin/transactions?q={sought}")).await;
            assert!(log.contains(&format!("{code} {said}")), "{card} {sought}: {log}");
        }
    }
    // What v2 refuses before it looks at it has no code.
    for (said, words) in [("签名错误", "。微信说签名错误：APIv2 密钥或签名方式不对"), ("不行", LOOK)]
    {
        w.wechat.fault("orderquery", Fault::ReturnFail(said.into()));
        owner.post("/admin/settings/test/key", &[]).await;
        let told = owner.said("/admin/settings").await;
        assert!(told.contains(&format!("微信回答 {said}{words}")), "{told}");
    }
    // That it knows nothing of an order, or of a refund, is a code too.
    let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.wechat.fault("orderquery", Fault::refused("ORDER_NOT_EXIST", "订单不存在"));
    owner.post(&format!("/admin/orders/{}/query", placed.no), &[]).await;
    assert_eq!(w.count("select count(*) from messages where reason = 'ORDER_NOT_EXIST 微信没有这笔单'").await, 1);
    // The mini-program's own interfaces.
    for (code, said, words) in [
        ("40013", "invalid appid", "。没有这个 AppID，请核对"),
        ("40125", "invalid appsecret", "。AppSecret 不对。"),
        ("40164", "invalid ip", "。服务器的 IP 不在"),
        ("50001", "something new", "。请核对 AppID 和 AppSecret"),
    ] {
        w.wechat.fault("login", Fault::refused(code, said));
        owner.post("/admin/settings/test/app", &[]).await;
        let told = owner.said("/admin/settings").await;
        assert!(told.contains(&format!("微信回答 {code} {said}{words}")), "{code}: {told}");
    }
}

/// Five minutes between an order and its closing are v2's rule alone.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_of_version_only_a_payment_of_v2_is_waited_for() {
    let w = world("").await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
    let turn = async |api: &str| assert_eq!(owner.post("/admin/settings", &[("wechat-api", api)]).await.0, 303);
    turn("v3").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let pay = format!("/orders/{}/prepay", placed.no);
    // At another price nothing that was begun can be gone on with.
    let reprice = async |yuan: &str| {
        let path = format!("/admin/orders/{}/price", placed.no);
        assert_eq!(owner.post(&path, &[("total", yuan), ("freight", "0"), ("reason", "让利")]).await.0, 303);
    };
    turn("v2").await;
    reprice("80").await;
    w.run_jobs().await;
    assert_eq!(alice.post(&pay, None).await.ok()["payment"]["signType"], "MD5", "v3's is closed at once");
    turn("v3").await;
    reprice("70").await;
    assert_eq!(alice.post(&pay, None).await.error(), (409, "payment_in_progress"), "v2's is too young to be closed");
    w.advance(5 * MINUTE);
    w.wait("v2's to be closed", || async { alice.post(&pay, None).await.status == 200 }).await;
    let open = "select count(*) from attempts where state in ('created', 'prepaid', 'closing')";
    assert_eq!(w.count(open).await, 1, "never two side by side");
    // An order that is given up gives its stock back at once.
    let path = format!("/orders/{}/cancel", placed.no);
    alice.post(&path, None).await.ok();
    assert_eq!(w.stock(sku).await, (9, 0));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_notice_seals_is_read_by_whoever_reads_notices() {
    let w = world("v3").await;
    let (manager, clerk) = (w.staff("manager", Role::Manager).await, w.staff("clerk", Role::Clerk).await);
    let (sku, alice) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await);
    let placed = w.paid(&alice, sku, 1).await;
    let message = async |kind: &str| {
        let log = clerk.page(&format!("/admin/transactions?kind={kind}")).await;
        let id = log.split("/admin/transactions/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        clerk.page(&format!("/admin/transactions/{id}")).await
    };
    let page = message("notify").await;
    let openid = w.wechat.openid("alice");
    assert!(page.contains("打开后的内容") && page.contains("trade_state&quot;: &quot;SUCCESS"), "{page}");
    assert!(!page.contains(&openid) && page.contains(&openid[openid.len() - 6..]), "as in a notice in clear: {page}");
    let signature = page.split("Wechatpay-Signature: ").nth(1).unwrap().lines().next().unwrap();
    assert!(signature.starts_with("••••") && signature.chars().count() == 8, "{signature}");
    assert!(page.contains("Wechatpay-Serial: PUB_KEY_ID_"), "{page}");
    manager.give_back(&alice, &placed, ("1", "88.00", true)).await;
    w.wait("the notice", || async { w.count("select count(*) from messages where kind = 'refund_notify'").await > 0 })
        .await;
    let page = message("refund_notify").await;
    assert!(page.contains("refund_status&quot;: &quot;SUCCESS"), "{page}");
    assert!(page.contains(&format!("/admin/orders/{}", placed.no)), "it leads to its order: {page}");
}

/// Who asks to be forgotten is named by sealed notices too.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_somebody_who_is_forgotten_seals_nothing_any_more() {
    let w = world("v3").await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice, bob) = (w.product("苹果", 8800, 9).await, w.buyer("alice").await, w.buyer("bob").await);
    let placed = w.paid(&alice, sku, 1).await;
    w.paid(&bob, sku, 1).await;
    owner.ship(&format!("/admin/orders/{}", placed.no)).await;
    alice.post(&format!("/orders/{}/confirm", placed.no), None).await.ok();
    owner.post("/admin/customers/1/erase", &[]).await;
    let log = owner.page("/admin/transactions?kind=notify").await;
    let mut pages = Vec::new();
    for part in log.split("/admin/transactions/").skip(1) {
        let id = part.split('"').next().unwrap();
        pages.push(owner.page(&format!("/admin/transactions/{id}")).await);
    }
    let (bobs, alices): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| !page.contains(&placed.no));
    assert!(bobs.iter().all(|page| page.contains("trade_state&quot;: &quot;SUCCESS")) && !bobs.is_empty());
    assert!(
        alices.iter().all(|page| page.contains("打不开") && page.contains("&quot;erased&quot;")) && !alices.is_empty()
    );
    w.must_hold().await;
}

/// Another key under the same id, mistyped or of another merchant: what the right one signed is believed for two days more,
/// the owner is told, and his trial says that the key is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_public_key_under_the_same_id_loses_no_notice() {
    let w = world_with(&[("wechat.api", "v3"), ("wechat.public_key", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("wechat-public_key", &keys().platform.public)]).await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let (noticed, asked) = (Placed::of(alice.buy(sku, 1).await), Placed::of(alice.buy(sku, 1).await));
    let other = Pair::make(&Nonces::Random);
    owner.post("/admin/settings", &[("wechat-public_key", &other.public)]).await;
    let said = owner.said("/admin/settings").await;
    assert!(said.contains("测试没有通过"), "{said}");
    w.wechat.pay_unheard(&noticed.prepay_id, Paying::Well).unwrap();
    let notice = w.wechat.notice_v3(&noticed.out_trade_no, None).unwrap();
    assert_eq!(knock(&w, &notice.headers, &notice.body).await.0, 204);
    assert!(owner.page("/admin").await.contains("微信还在用更换前的微信支付公钥"));
    w.wechat.pay_unheard(&asked.prepay_id, Paying::NoNotice).unwrap();
    assert_eq!(alice.post(&format!("/orders/{}/check", asked.no), None).await.ok()["status"], "to_ship");
    w.advance(49 * 60 * MINUTE);
    let late = w.wechat.notice_v3(&noticed.out_trade_no, None).unwrap();
    assert_eq!(knock(&w, &late.headers, &late.body).await.0, 401, "two days are over");
    w.must_hold().await;
}
