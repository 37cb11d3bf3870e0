//! What the doctor finds in a shop behind a proxy.

use std::process::Stdio;

use xiaopu::nonce::Nonces;
use xiaopu::simulator::Fault;
use xiaopu::simulator::v3::Keys;

use super::{Program, Running, simulated, text, write};
use crate::http::v3::keys;
use crate::support::client;

/// Behind a proxy that does not say whose a request is, everybody is the proxy, and twenty wrong passwords lock out all.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_the_proxy_does_not_set_is_warned_of() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let behind = |arguments: &[&str], header: Option<&str>| {
        let mut command = program.command(arguments);
        command.env("ROCKET_SHOP", "{data_dir=\"data\",public_url=\"https://127.0.0.1\"}");
        header.map(|name| command.env("ROCKET_IP_HEADER", name));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let doctor = |header| text(&behind(&["doctor"], header).output().unwrap());
    let mut serve = behind(&["serve"], Some("X-Real-IP"));
    let _running = Running(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    program.ready().await;
    for name in ["owner", "anna", "bert"] {
        program.member(name, "owner").await;
    }
    let said = doctor(Some("X-Real-IP"));
    assert!(said.contains("代理没有设置 X-Real-IP"), "{said}");
    // The public address is asked, not believed.
    assert!(
        said.contains("✗ 对外地址  https://127.0.0.1/wechat/")
            && said.contains("连不上：那里没有程序在听（连接被拒绝）。请检查"),
        "{said}"
    );
    assert!(!said.contains("os error") && !said.contains("refused"), "an owner reads it: {said}");
    let said = doctor(None);
    assert!(said.contains("最近的登录都来自本机") && said.contains("ROCKET_IP_HEADER"), "{said}");
    // As a proxy would that does.
    let form = [("account", "anna"), ("password", "packing-table-7")];
    let login = client().post(program.at("/admin/login")).header("X-Real-IP", "203.0.113.9").form(&form);
    login.send().await.unwrap();
    let said = doctor(Some("X-Real-IP"));
    assert!(said.contains("按代理写的 X-Real-IP") && !said.contains("代理没有设置"), "{said}");
}

/// Each key of API v3 is tried on WeChat itself, and the words say which one to look at.
#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_the_new_version_are_tried_on_wechat() {
    let (simulator, wechat) = simulated().await;
    let (keys, other) = (keys(), Keys::make(&Nonces::Random));
    simulator.with_v3(&keys).unwrap();
    let program = Program::new(wechat);
    let line = || {
        let said = text(&program.run(&["doctor"]));
        said.lines().find(|line| line.contains(" API v3  ")).unwrap_or_default().to_owned()
    };
    assert_eq!(line(), "", "who has none of them need not hear of them");
    let rows = [
        ("all", keys.clone(), "✓ API v3  微信用 PUB_KEY_ID_"),
        (
            "another merchant's private key",
            Keys { merchant: other.merchant.clone(), ..keys.clone() },
            "✗ API v3  微信回答 SIGN_ERROR 错误的签名，验签失败。微信说签名错误：商户私钥和证书序列号不对应",
        ),
        ("another serial", Keys { serial: "0".repeat(40), ..keys.clone() }, "✗ API v3  "),
        (
            "another public key",
            Keys { platform: other.platform, ..keys.clone() },
            "✗ API v3  微信回答 ORDER_NOT_EXIST 订单不存在，但用填写的微信支付公钥验不过它的签名",
        ),
    ];
    for (what, entered, words) in rows {
        program.speaks("v3", &entered);
        assert!(line().starts_with(words), "{what}: {}", line());
    }
    program.speaks("v3", &Keys { public_id: keys.serial.clone(), ..keys });
    let said = text(&program.run(&["doctor"]));
    assert!(said.contains("✗") && said.contains("PUB_KEY_ID_"), "a certificate's serial is no ID: {said}");
    *program.more.lock().unwrap() = ",api=\"v3\"".into();
    assert!(line().starts_with("✗ API v3  还缺 APIv3 密钥、商户私钥"), "{}", line());
}

/// The doctor looks, and leaves nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_gives_one_judgement_and_makes_nothing() {
    let (simulator, wechat) = simulated().await;
    let keys = keys();
    simulator.with_v3(&keys).unwrap();
    let program = Program::new(wechat);
    program.speaks("v3", &keys);
    let said = text(&program.run(&["doctor"]));
    assert!(said.contains("✓ 时钟") && said.contains("✗ 数据目录  data 里没有店铺"), "{said}");
    assert!(!program.data().exists(), "there was no shop, and is none");
    simulator.fault_always("orderquery", Fault::ClockOff);
    let said = text(&program.run(&["doctor"]));
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("本机时钟快了")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("✗ 时钟") && lines[1].starts_with("✗ API v3"), "{said}");
    // A demo's folder has none of the settings: the demo brings them.
    simulator.clear_faults();
    let table = write(program.folder.path(), "goods.csv", "name,price,stock\n苹果,10,5\n");
    assert!(program.run(&["import", &table]).status.success());
    std::fs::write(program.data().join("wechat.json"), "{}").unwrap();
    let said = text(&program.command(&["doctor"]).env_remove("ROCKET_WECHAT").output().unwrap());
    assert!(said.contains("✓ 演示") && !said.contains("还没有设置"), "{said}");
}

/// A configuration that cannot be read or used is no fault of the folder, whether there is a shop in it or not.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_calls_a_bad_configuration_by_its_name() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let table = write(program.folder.path(), "goods.csv", "name,price,stock\n苹果,10,5\n");
    write(program.folder.path(), "empty.pem", "");
    write(program.folder.path(), "key.pem", &keys().merchant.private);
    for shop in [false, true] {
        for (configured, said) in [
            ("{mch_id=\"x\"}", "wechat.mch_id 不正确"),
            ("{ca_cert=\"none.pem\"}", "wechat.ca_cert 的文件 none.pem 读不出来"),
            ("{ca_cert=\"empty.pem\"}", "wechat.ca_cert 的文件是空的"),
            ("{ca_cert=\"key.pem\"}", "wechat.ca_cert 的文件里没有证书"),
            ("{pay_url=\"http://example.com\"}", "必须是 https"),
        ] {
            let doctor = program.command(&["doctor"]).env("ROCKET_WECHAT", configured).output().unwrap();
            let words = text(&doctor);
            assert!(words.contains("✗ 配置  ") && words.contains(said), "{configured}: {words}");
            assert!(!words.contains("数据目录") && !words.contains("（）"), "{configured}: {words}");
        }
        if !shop {
            assert!(program.run(&["import", &table]).status.success());
        }
    }
}

/// What the configuration says cannot be changed on a page, so nobody is sent there.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_configuration_that_do_not_fit_are_mended_where_they_stand() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let mut keys = Keys::make(&Nonces::Random);
    keys.platform.public.clone_from(&keys.merchant.public);
    program.speaks("v3", &keys);
    let said = text(&program.run(&["doctor"]));
    let line = said.lines().find(|line| line.contains("填的是自己的公钥")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains("wechat.public_key") && line.contains("Rocket.toml 或 ROCKET_WECHAT"), "{line}");
    assert!(!line.contains("后台设置页"), "{line}");
}
