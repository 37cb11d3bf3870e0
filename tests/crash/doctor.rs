//! What the doctor finds in a shop behind a proxy.

use std::process::Stdio;

use super::{Program, Running, simulated, text};
use crate::support::client;

/// Behind a proxy that does not say whose a request is, everybody is the proxy, and twenty wrong passwords lock out all.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_the_proxy_does_not_set_is_warned_of() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    let behind = |arguments: &[&str], header: Option<&str>| {
        let mut command = program.command(arguments);
        command.env("ROCKET_SHOP", "{data_dir=\"data\",public_url=\"https://shop.example.com\"}");
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
    let said = doctor(None);
    assert!(said.contains("最近的登录都来自本机") && said.contains("ROCKET_IP_HEADER"), "{said}");
    // As a proxy would that does.
    let form = [("account", "anna"), ("password", "packing-table-7")];
    let login = client().post(program.at("/admin/login")).header("X-Real-IP", "203.0.113.9").form(&form);
    login.send().await.unwrap();
    let said = doctor(Some("X-Real-IP"));
    assert!(said.contains("按代理写的 X-Real-IP") && !said.contains("代理没有设置"), "{said}");
}
