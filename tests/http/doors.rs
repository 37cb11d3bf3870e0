//! Those who try the doors: guesses all at once, other names for the same path, addresses that lead elsewhere.

use xiaopu::door::network;
use xiaopu::staff::Role;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_guesses_at_once_are_five() {
    let w = World::new().await;
    w.staff("boss", Role::Owner).await;
    let guess = |n: usize| {
        let form = [("account", "boss".to_owned()), ("password", format!("wrong-password-{n}"))];
        let request = w.http().post(w.at("/admin/login")).form(&form);
        async move { request.send().await.unwrap().text().await.unwrap() }
    };
    let answers = rocket::futures::future::join_all((0..200).map(guess)).await;
    let checked = answers.iter().filter(|page| page.contains("账号、密码或动态码不正确")).count();
    assert_eq!(checked, 5);
    assert!(answers.iter().filter(|page| page.contains("尝试次数过多")).count() >= 195);
    // The right one among them is locked out too, and gets in when the lock is over.
    let right = [("account", "boss"), ("password", "packing-table-7")];
    let locked = w.http().post(w.at("/admin/login")).form(&right).send().await.unwrap();
    assert_eq!(locked.status(), 200);
    w.advance(16 * MINUTE);
    assert_eq!(w.http().post(w.at("/admin/login")).form(&right).send().await.unwrap().status(), 303);
    assert_eq!(w.count("select count(*) from login_failures where account = 'boss'").await, 0, "forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_asked_inside_a_session_is_counted_too() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    let ask = |n: usize| {
        let old = format!("wrong-password-{n}");
        let boss = &boss;
        async move {
            let form = [("old", old.as_str()), ("new", "another-table-8"), ("again", "another-table-8")];
            boss.post("/admin/account/password", &form).await
        }
    };
    rocket::futures::future::join_all((0..40).map(ask)).await;
    assert_eq!(w.count("select count(*) from login_failures where account = 'boss'").await, 5);
    let form = [("old", "packing-table-7"), ("new", "another-table-8"), ("again", "another-table-8")];
    boss.post("/admin/account/password", &form).await;
    assert!(boss.said("/admin/account").await.contains("尝试次数过多"));
    // To take the second factor away, or to put another in its place, one must know it as well.
    w.advance(16 * MINUTE);
    boss.post("/admin/account/totp/off", &[("password", "wrong-password")]).await;
    assert!(boss.said("/admin/account").await.contains("密码不正确"));
}

#[test]
fn an_ipv6_network_is_one_visitor() {
    for (one, other, same) in [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1", true),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ("203.0.113.7", "203.0.113.7", true),
        ("203.0.113.7", "203.0.113.8", false),
        ("::1", "127.0.0.1", false),
    ] {
        assert_eq!(network(one) == network(other), same, "{one} {other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_form_is_refused_by_whatever_name_the_console_goes() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    let port = w.url.rsplit(':').next().unwrap().to_owned();
    let raw = |path: &str, headers: &str| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 4\r\nConnection: close\r\n\r\nname",
            boss.cookie
        );
        let port = port.clone();
        async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut stream = tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or_default().to_owned()
        }
    };
    const EVIL: &str = "Origin: https://evil.example\r\n";
    for path in [
        "/admin/backups",
        "//admin/backups",
        "///admin//backups",
        "/%61dmin/backups",
        "/ad%6Din/backups",
        "/./admin/backups",
    ] {
        let status = raw(path, EVIL).await;
        assert!(["403", "404", "400"].contains(&status.as_str()), "{path}: {status}");
    }
    assert_eq!(w.count("select count(*) from audit_log where what like '手动备份%'").await, 0);
    assert_eq!(raw("/admin/backups", "").await, "303", "one's own form goes through");
    assert_eq!(raw("/admin/backups", "Host: other.example\r\n").await, "403", "two hosts");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_stand_in_a_header_leads_to_the_first_page() {
    let w = World::new().await;
    let boss = w.staff("boss", Role::Owner).await;
    for next in [
        "/admin/\r\nSet-Cookie: a=b",
        "/admin/\u{0}",
        "/admin\\evil",
        "//evil.example/admin",
        "https://evil.example",
        "/admin/订单",
    ] {
        let form = [("account", "boss"), ("password", "packing-table-7"), ("next", next)];
        let answer = w.http().post(w.at("/admin/login")).form(&form).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()),
            (303, "/admin"),
            "{next:?}"
        );
    }
    for path in ["cancel", "ship", "memo", "query", "refund", "price", "offline"] {
        let (status, to) = boss.post(&format!("/admin/orders/%00/{path}"), &[("memo", "x")]).await;
        assert!(status < 500, "{path}: {status} {to}");
    }
    // Whoever asks again for the page behind a form is led to where the form stands.
    for path in ["orders/%0a/reveal", "refunds/%0a/approve", "refunds/%E4%BD/approve"] {
        let answer = boss.get(&format!("/admin/{path}")).await;
        assert!(answer.0 < 500, "{path}: {answer:?}");
    }
}

/// Rubbish must not wash away the evidence of earlier rubbish, nor fill the disk.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_refused_message_the_beginning_is_kept() {
    let w = World::new().await;
    let long = format!("<xml><a>{}</a></xml>", "x".repeat(60_000));
    assert!(w.notify(long).await.contains("FAIL"));
    assert_eq!(w.count("select max(length(request)) from messages where verdict = 'refused'").await, 1024);
}
