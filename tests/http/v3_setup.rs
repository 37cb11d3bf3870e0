//! Setting a shop up for API v3: by the steps of the set-up, by the cards of the settings, and from one version to the other.

use xiaopu::staff::Role;
use xiaopu::wechat::Api;

use super::v3::{keys, world, world_with};
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
    assert!(!page.contains("上次测试"), "another merchant's keys were never tried: {page}");
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
    assert!(!owner.page("/admin/settings").await.contains("一模一样"));
}
