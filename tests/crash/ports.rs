//! A port that another program has: it is said before anything is begun, promised or written.

use super::{Program, text};

#[test]
fn nothing_is_begun_for_a_port_that_cannot_be_had() {
    let program = Program::new("http://127.0.0.1:9".into());
    let _other = std::net::TcpListener::bind(("127.0.0.1", program.port)).unwrap();
    let port = program.port.to_string();
    for (arguments, named) in [
        (&["serve"][..], "ROCKET_PORT"),
        (&["demo"], "ROCKET_PORT"),
        (&["simulate-wechat", "--port", &port, "--v3-keys", "keys"], "--port"),
    ] {
        // The demo wants no real merchant's settings.
        let output = program.command(arguments).env_remove("ROCKET_WECHAT").output().unwrap();
        let said = text(&output);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        assert!(said.contains(&format!("端口 {port} 无法使用")) && said.contains(named), "{said}");
        assert!(!said.contains("已启动") && !said.contains("setup"), "{said}");
    }
    assert!(!program.folder.path().join("keys").exists());
    assert!(!program.data().join("xiaopu.db").exists());
}
