//! Staff: who comes in, who is shut out, the second factor, and the log of it all.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use xiaopu::staff::Role;

use crate::support::*;

/// Logs in and answers with the session's cookie, or with what the page said.
async fn login(w: &World, account: &str, password: &str, code: &str) -> Result<String, String> {
    let form = [("account", account), ("password", password), ("code", code)];
    let answer = w.http().post(w.at("/admin/login")).form(&form).send().await.unwrap();
    match cookie(&answer, "xiaopu_session=") {
        Some(cookie) => Ok(cookie),
        None => Err(answer.text().await.unwrap()),
    }
}

async fn status(w: &World, cookie: &str, path: &str) -> u16 {
    w.http().get(w.at(path)).header("Cookie", cookie).send().await.unwrap().status().as_u16()
}

/// The token of the invitation that a page shows.
fn token_in(page: &str) -> String {
    let page = page.replace("&#x2f;", "/");
    page.split("/admin/invite/").nth(1).unwrap().split(['<', '"']).next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_makes_one_account_once() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let page = owner.page_of("/admin/staff/invite", &[("name", "小李"), ("role", "packer")]).await;
    let token = token_in(&page);
    let link = format!("/admin/invite/{token}");
    let open = async || w.http().get(w.at(&link)).send().await.unwrap().text().await.unwrap();
    assert!(open().await.contains("邀请您任打包员"));
    let accept = async |password: &str, again: &str| {
        let form = [("password", password), ("again", again)];
        w.http().post(w.at(&link)).form(&form).send().await.unwrap().status().as_u16()
    };
    assert_eq!(accept("packing-table-8", "packing-table-9").await, 200);
    assert_eq!(accept("short", "short").await, 200);
    assert_eq!(accept("packing-table-8", "packing-table-8").await, 303);
    assert!(open().await.contains("链接已失效"));
    assert_eq!(accept("packing-table-9", "packing-table-9").await, 200, "used up");
    let packer = login(&w, "小李", "packing-table-8", "").await.unwrap();
    assert_eq!(status(&w, &packer, "/admin/orders").await, 200);
    assert_eq!(status(&w, &packer, "/admin/staff").await, 403);
    // Withdrawn, and too late.
    let page = owner.page_of("/admin/staff/invite", &[("name", "小王"), ("role", "clerk")]).await;
    let token = token_in(&page);
    w.advance(3 * DAY);
    let late = w.http().get(w.at(&format!("/admin/invite/{token}"))).send().await.unwrap().text().await.unwrap();
    assert!(late.contains("链接已失效"));
    for (name, role, problem) in
        [("小李", "clerk", "已经存在"), ("", "clerk", "1 到 32"), ("小赵", "king", "请选择角色")]
    {
        owner.post("/admin/staff/invite", &[("name", name), ("role", role)]).await;
        assert!(owner.said("/admin/staff").await.contains(problem), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_shut_out_is_out_at_once() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let of = |name: &'static str| {
        w.count(match name {
            "owner" => "select id from staff where name = 'owner'",
            _ => "select id from staff where name = 'clerk'",
        })
    };
    let (owner_id, clerk_id) = (of("owner").await, of("clerk").await);
    assert_eq!(clerk.get("/admin/transactions").await.0, 200);
    owner.post(&format!("/admin/staff/{clerk_id}/role"), &[("role", "packer")]).await;
    assert_eq!(clerk.get("/admin/transactions").await.0, 403, "a role counts from now on");
    owner.post(&format!("/admin/staff/{clerk_id}/log-out"), &[]).await;
    assert_eq!(clerk.get("/admin/orders").await.0, 303);
    let again = login(&w, "clerk", "packing-table-7", "").await.unwrap();
    owner.post(&format!("/admin/staff/{clerk_id}/disable"), &[]).await;
    assert_eq!(status(&w, &again, "/admin/orders").await, 303);
    assert!(login(&w, "clerk", "packing-table-7", "").await.unwrap_err().contains("不正确"), "like a wrong password");
    owner.post(&format!("/admin/staff/{clerk_id}/enable"), &[]).await;
    login(&w, "clerk", "packing-table-7", "").await.unwrap();
    // Even a session that was left over opens nothing.
    let left = login(&w, "clerk", "packing-table-7", "").await.unwrap();
    let shut = move |tx: &xiaopu::db::Tx| {
        Ok::<_, xiaopu::error::Error>(xiaopu::staff::store::set_disabled(tx, xiaopu::ids::StaffId(clerk_id), Some(1))?)
    };
    w.shop.db.write(shut).await.unwrap();
    assert_eq!(status(&w, &left, "/admin/orders").await, 303);
    // Nobody saws off the branch the shop sits on.
    for (act, form) in [("role", vec![("role", "manager")]), ("disable", vec![])] {
        owner.post(&format!("/admin/staff/{owner_id}/{act}"), &form).await;
        assert!(owner.said("/admin/staff").await.contains("至少要有一个能登录的店主"), "{act}");
    }
    assert!(owner.page("/admin/audit").await.contains("clerk 的角色：店员 → 打包员"));
}

/// The code of this moment, as an app reckons it. Source: RFC 6238, RFC 4226.
fn code_of(secret: &str, now: i64) -> String {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret.chars().map(|c| format!("{:05b}", letters.find(c).unwrap())).collect();
    let key: Vec<u8> = (0..bits.len() / 8).map(|n| u8::from_str_radix(&bits[n * 8..n * 8 + 8], 2).unwrap()).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&(now / 30_000).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let four = u32::from_be_bytes([hash[at] & 127, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", four % 1_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_good_once() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let page = owner.page("/admin/account/totp").await;
    let between = |start: &str, end: &str| page.split(start).nth(1).unwrap().split(end).next().unwrap().to_owned();
    let (sealed, secret) = (
        between("name=\"sealed\" value=\"", "\""),
        between("手动输入密钥：<span class=\"mono\">", "<").replace(' ', ""),
    );
    assert!(owner.page(&format!("/admin/account/totp.svg?sealed={sealed}")).await.contains("<svg"));
    let code = |now: i64| code_of(&secret, now);
    owner.post("/admin/account/totp", &[("sealed", &sealed), ("code", "000000")]).await;
    assert!(owner.said("/admin/account/totp").await.contains("动态码不正确"));
    login(&w, "owner", "packing-table-7", "").await.expect("not yet asked for");
    owner.post("/admin/account/totp", &[("sealed", &sealed), ("code", &code(w.shop.now()))]).await;
    assert!(owner.said("/admin/account").await.contains("两步验证已开启"));

    w.advance(MINUTE);
    let good = code(w.shop.now());
    for wrong in ["", "123", "000000"] {
        assert!(login(&w, "owner", "packing-table-7", wrong).await.unwrap_err().contains("账号、密码或动态码不正确"));
    }
    assert!(login(&w, "owner", "wrong-password-1", &good).await.is_err());
    login(&w, "owner", "packing-table-7", &good).await.unwrap();
    assert!(login(&w, "owner", "packing-table-7", &good).await.is_err(), "good once");
    // Whoever finds an unlocked screen does not replace it by one of his own.
    let page = owner.page("/admin/account/totp").await;
    let sealed = page.split("name=\"sealed\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let other = page.split("手动输入密钥：<span class=\"mono\">").nth(1).unwrap().split('<').next().unwrap();
    let kept = || -> String {
        let conn = rusqlite::Connection::open(w.shop.db.path()).unwrap();
        conn.query_row("select hex(totp) from staff where name = 'owner'", [], |row| row.get(0)).unwrap()
    };
    let (before, code) = (kept(), code_of(&other.replace(' ', ""), w.shop.now()));
    for (password, replaced) in [("", false), ("wrong-password-1", false), ("packing-table-7", true)] {
        owner.post("/admin/account/totp", &[("sealed", sealed), ("code", &code), ("password", password)]).await;
        assert_eq!(kept() != before, replaced, "{password}");
        if !replaced {
            assert!(owner.said("/admin/account/totp").await.contains("现在的密码不正确"), "{password}");
        }
    }
    // The way back in without the phone.
    let id = w.count("select id from staff where name = 'owner'").await;
    owner.post(&format!("/admin/staff/{id}/reset-totp"), &[]).await;
    login(&w, "owner", "packing-table-7", "").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_account_is_ones_own() {
    let w = World::new().await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let elsewhere = login(&w, "clerk", "packing-table-7", "").await.unwrap();
    for (old, new, again, problem) in [
        ("wrong-password", "packing-table-8", "packing-table-8", "现在的密码不正确"),
        ("packing-table-7", "packing-table-8", "packing-table-9", "不一样"),
        ("packing-table-7", "short", "short", "至少 10 位"),
    ] {
        clerk.post("/admin/account/password", &[("old", old), ("new", new), ("again", again)]).await;
        assert!(clerk.said("/admin/account").await.contains(problem), "{problem}");
    }
    let form = [("old", "packing-table-7"), ("new", "packing-table-8"), ("again", "packing-table-8")];
    clerk.post("/admin/account/password", &form).await;
    assert_eq!(clerk.get("/admin/account").await.0, 200, "here one stays in");
    assert_eq!(status(&w, &elsewhere, "/admin/account").await, 303, "elsewhere one does not");
    let elsewhere = login(&w, "clerk", "packing-table-8", "").await.unwrap();
    let page = clerk.page("/admin/account").await;
    let end = page.split("action=\"/admin/account/sessions/").nth(1).unwrap().split('"').next().unwrap();
    let other = w.staff("other", Role::Owner).await;
    other.post(&format!("/admin/account/sessions/{end}"), &[]).await;
    assert_eq!(status(&w, &elsewhere, "/admin/account").await, 200, "another's session is none of one's business");
    clerk.post(&format!("/admin/account/sessions/{end}"), &[]).await;
    assert_eq!(status(&w, &elsewhere, "/admin/account").await, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_shows_when_it_was_tampered_with() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    for name in ["一号店", "二号店"] {
        owner.post("/admin/settings", &[("shop-name", name)]).await;
    }
    let page = owner.page("/admin/audit").await;
    assert!(page.contains("首尾相接") && page.contains("一号店 → 二号店"), "{page}");
    assert!(!owner.page("/admin/audit?who=nobody").await.contains("一号店"));
    assert!(!owner.page("/admin/audit?q=%E7%99%BB%E5%BD%95").await.contains("一号店"));
    assert!(owner.page("/admin/audit/export.csv").await.contains("二号店"));
    let tamper = |tx: &xiaopu::db::Tx| {
        tx.execute_batch(
            "drop trigger audit_log_no_update;
             update audit_log set what = '什么也没做' where what like '%二号店%';",
        )?;
        Ok::<_, xiaopu::error::Error>(())
    };
    w.shop.db.write(tamper).await.unwrap();
    assert!(owner.page("/admin/audit").await.contains("日志被人改过或删过"));
}
