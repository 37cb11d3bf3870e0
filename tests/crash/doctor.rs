//! What the doctor finds in a shop behind a proxy.

use std::process::Stdio;

use xiaopu::nonce::Nonces;
use xiaopu::simulator::v3::Keys;

use super::{Program, Running, simulated, text};
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
    assert!(said.contains("✗ 对外地址  https://127.0.0.1/wechat/") && said.contains("连不上"), "{said}");
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
            "✗ API v3  微信说签名错误：商户私钥和证书序列号不对应",
        ),
        ("another serial", Keys { serial: "0".repeat(40), ..keys.clone() }, "✗ API v3  "),
        (
            "another public key",
            Keys { platform: other.platform, ..keys.clone() },
            "✗ API v3  微信回答了，但用填写的微信支付公钥验不过它的签名",
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
