//! The console: who gets in, who may do what, and what a page never shows.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::multipart::{Form, Part};
use sha2::{Digest, Sha256};
use xiaopu::error::Error;
use xiaopu::message_log::store;
use xiaopu::simulator::Paying;
use xiaopu::staff::Role;
use xiaopu::staff::login;
use xiaopu::wechat::v2::sign::SignType;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_login() {
    let w = World::new().await;
    for path in [
        "/admin",
        "/admin/orders",
        "/admin/transactions",
        "/admin/products",
        "/admin/settings",
        "/admin/exceptions",
        "/admin/diagnostics",
        "/admin/orders/20261008ABCDEFGHJK",
    ] {
        let answer = w.http().get(w.at(path)).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path}");
        let to = answer.headers()["location"].to_str().unwrap();
        assert!(to.starts_with("/admin/login?next="), "{path} -> {to}");
    }
    let pulse = w.http().get(w.at("/admin/pulse")).header("Cookie", "xiaopu_session=forged").send().await.unwrap();
    assert_eq!(pulse.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_and_tells_nothing() {
    let w = World::new().await;
    w.staff("owner", Role::Owner).await;
    let tries = |account: &'static str, password: &'static str| {
        let form = [("account", account), ("password", password)];
        let request = w.http().post(w.at("/admin/login")).form(&form);
        async move { request.send().await.unwrap().text().await.unwrap() }
    };
    assert!(tries("owner", "wrong").await.contains("账号、密码或动态码不正确"));
    assert!(tries("nobody", "wrong").await.contains("账号、密码或动态码不正确"));
    for _ in 0..4 {
        tries("owner", "wrong").await;
    }
    assert!(tries("owner", "packing-table-7").await.contains("尝试次数过多"), "the right password waits too");
    w.advance(15 * MINUTE + SECOND);
    assert!(!tries("owner", "packing-table-7").await.contains("尝试次数过多"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_on_another_site_is_refused() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let post = |headers: &[(&'static str, &str)]| {
        let mut request =
            w.http().post(w.at("/admin/settings")).header("Cookie", &owner.cookie).form(&[("shop-name", "被改了")]);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        async move { request.send().await.unwrap().status().as_u16() }
    };
    for headers in [
        &[("Origin", "https://evil.example")][..],
        &[("Origin", "null")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
        &[("Sec-Fetch-Site", "same-site")],
    ] {
        assert_eq!(post(headers).await, 403, "{headers:?}");
    }
    assert_eq!(w.shop.settings().shop_name(), "小铺");
    assert_eq!(post(&[("Sec-Fetch-Site", "same-origin"), ("Origin", &w.url)]).await, 303);
    assert_eq!(w.shop.settings().shop_name(), "被改了");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_do_its_own_and_no_more() {
    let w = World::new().await;
    let (product, _) = w.product_with("苹果", 1000, 9, |_, _| {}).await;
    for (role, [transactions, new_product, settings]) in [
        (Role::Owner, [200, 200, 200]),
        (Role::Manager, [200, 200, 403]),
        (Role::Clerk, [200, 403, 403]),
        (Role::Packer, [403, 403, 403]),
    ] {
        let staff = w.staff(role.word(), role).await;
        assert_eq!(staff.get("/admin/orders").await.0, 200);
        assert_eq!(staff.get("/admin/transactions").await.0, transactions, "{role:?}");
        assert_eq!(staff.get("/admin/products/new").await.0, new_product, "{role:?}");
        assert_eq!(staff.get("/admin/settings").await.0, settings, "{role:?}");
        let saved = staff.post("/admin/settings", &[("shop-name", role.text())]).await.0;
        assert_eq!(saved, if role == Role::Owner { 303 } else { 403 }, "{role:?}");
        let shelved = staff.post(&format!("/admin/products/{product}/shelf"), &[("on", "true")]).await.0;
        assert_eq!(shelved, if role >= Role::Manager { 303 } else { 403 }, "{role:?}");
    }
    assert_eq!(w.shop.settings().shop_name(), "店主");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setup_link_makes_one_owner_once() {
    let w = World::new().await;
    let token = login::setup_link(&w.shop).await.unwrap().unwrap();
    let newer = login::setup_link(&w.shop).await.unwrap().unwrap();
    let get = |token: &str| w.http().get(w.at(&format!("/admin/setup/{token}"))).send();
    assert!(get(&token).await.unwrap().text().await.unwrap().contains("链接已失效"), "an older link dies");
    assert!(get(&newer).await.unwrap().text().await.unwrap().contains("建立店主账号"));
    let post = |token: &str, password: &'static str| {
        let form = [("account", "老板"), ("password", password), ("again", password)];
        w.http().post(w.at(&format!("/admin/setup/{token}"))).form(&form).send()
    };
    assert!(post(&newer, "short").await.unwrap().text().await.unwrap().contains("至少 10 位"));
    let made = post(&newer, "packing-table-7").await.unwrap();
    assert_eq!((made.status().as_u16(), made.headers()["location"].to_str().unwrap()), (303, "/admin/welcome/2"));
    let session = made.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let next = w.http().get(w.at("/admin/welcome/2")).header("Cookie", session).send().await.unwrap();
    assert_eq!(next.status(), 200, "the new owner is logged in");
    assert!(post(&newer, "packing-table-8").await.unwrap().text().await.unwrap().contains("已经用过或过期"));
    assert_eq!(login::setup_link(&w.shop).await.unwrap(), None);
    let form = [("account", "老板"), ("password", "packing-table-7"), ("next", "https://evil.example")];
    let entered = w.http().post(w.at("/admin/login")).form(&form).send().await.unwrap();
    assert_eq!(entered.headers()["location"], "/admin", "a login leads nowhere else");
    let mut cookies = entered.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let cookie = cookies.find(|cookie| cookie.starts_with("xiaopu_session=")).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/admin"));
    // A link that nobody used dies after half an hour.
    let w = World::new().await;
    let token = login::setup_link(&w.shop).await.unwrap().unwrap();
    w.advance(31 * MINUTE);
    assert!(!login::link_is_good(&w.shop, &token).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_shows_its_messages_and_hides_what_is_personal() {
    let w = World::new().await;
    let sku = w.product("<i>苹果</i>", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let mut form = order(sku, 1);
    form["remark"] = "<script>alert(1)</script>".into();
    let placed = Placed::of(alice.prepay(&w.key(), form).await);
    w.pay(&placed, Paying::Well);
    w.wait("the notice", || async { alice.status(&placed.no).await == "to_ship" }).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let list = clerk.page("/admin/orders?tab=to_ship").await;
    assert!(list.contains(&placed.no) && list.contains("138****1234") && !list.contains("13800001234"));
    let detail = clerk.page(&format!("/admin/orders/{}", placed.no)).await;
    assert!(detail.contains("&lt;i&gt;苹果&lt;&#x2f;i&gt;") && !detail.contains("<i>苹果"), "names are escaped");
    assert!(!detail.contains("<script>alert") && !detail.contains("13800001234") && !detail.contains("演示路"));
    for words in ["收到微信支付通知", "已付款 ¥10.00", "发起支付", "提交订单", "4200"] {
        assert!(detail.contains(words), "{words}");
    }
    let (_, revealed) = {
        let request =
            w.http().post(w.at(&format!("/admin/orders/{}/reveal", placed.no))).header("Cookie", &clerk.cookie);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    assert!(revealed.contains("13800001234") && revealed.contains("演示路"));
    assert_eq!(w.count("select count(*) from audit_log where what like '查看订单%'").await, 1);
    // Whoever goes through a list stays in it.
    let came = [("list", "tab=to_ship"), ("n", "1"), ("of", "1")];
    let revealed = clerk.page_of(&format!("/admin/orders/{}/reveal", placed.no), &came).await;
    assert!(
        revealed.contains("第 1 / 1 单") && revealed.contains("name=\"came.list\" value=\"tab=to_ship\""),
        "{revealed}"
    );
    // Every message exchanged, each with its raw text and without a signature.
    let log = clerk.page(&format!("/admin/transactions?q={}", placed.no)).await;
    assert!(log.contains("各接口快慢") && log.contains("最慢的是"), "how quick WeChat is: {log}");
    assert!(log.contains("支付通知") && log.contains("下单") && log.contains("已入账"), "{log}");
    // By day, by amount, by error code; what is no day or no amount is said.
    let today = xiaopu::clock::Day::of(w.shop.now());
    let total = alice.order(&placed.no).await["totalFen"].as_i64().unwrap();
    let (total, other) = (xiaopu::money::yuan(total), xiaopu::money::yuan(total + 1));
    let [before, today, after] = [-1, 0, 1].map(|days| today.plus(days).shown());
    for (query, found, words) in [
        (format!("from={today}&to={today}"), true, ""),
        (format!("to={before}"), false, "没有符合条件"),
        (format!("from={after}"), false, "没有符合条件"),
        (format!("from={after}&to={today}"), true, ""),
        (format!("amount={total}"), true, ""),
        (format!("amount={total}&to={before}"), false, "31 天"),
        (format!("amount={other}"), false, "31 天"),
        ("amount=abc".into(), false, "金额要写成"),
        ("from=someday".into(), false, "日期要写成"),
        ("q=SIGN".into(), false, "没有符合条件"),
        ("q=NOTIFY_OF_NOTHING".into(), false, "没有符合条件"),
    ] {
        let page = clerk.page(&format!("/admin/transactions?{query}")).await;
        assert_eq!(page.contains(&placed.no), found, "{query}: {page}");
        assert!(page.contains(words), "{query}: {page}");
    }
    for id in 1..=w.count("select max(id) from messages").await {
        let page = clerk.page(&format!("/admin/transactions/{id}")).await;
        let openid = w.wechat.openid("alice");
        for secret in [KEY, SECRET, openid.as_str(), "session_key"] {
            assert!(!page.contains(secret), "message {id} shows a secret");
        }
    }
    let signed = |conn: &rusqlite::Connection| {
        let all = store::list(conn, &store::Filter { limit: 1_000, ..Default::default() })?;
        let sent = all.into_iter().filter(|row| !row.incoming).map(|row| store::one(conn, row.id));
        let sent = sent.collect::<Result<Vec<_>, _>>()?;
        let signed = |raw: &store::Raw| String::from_utf8_lossy(&raw.request).contains("<sign>");
        Ok::<_, Error>((sent.len(), sent.iter().flatten().filter(|(_, raw)| signed(raw)).count()))
    };
    let (sent, signed) = w.shop.db.read(signed).await.unwrap();
    assert!(sent > 1 && signed == 0, "our own requests are kept without their signature");
    assert_eq!(clerk.get("/admin/orders/20261008ABCDEFGHJK").await.0, 404);
    // Search by the tail of the phone, by the receiver, by the number's beginning.
    for q in ["1234", "王小样", &placed.no[..12], "苹果"] {
        assert!(clerk.page(&format!("/admin/orders?q={q}")).await.contains(&placed.no), "{q}");
    }
    assert!(!clerk.page("/admin/orders?q=9999").await.contains(&placed.no));
}

fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    image::DynamicImage::new_rgb8(40, 40)
        .write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png)
        .unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_edits_a_product_with_pictures() {
    let w = World::new().await;
    let manager = w.staff("manager", Role::Manager).await;
    let send =
        |path: &str, form: Form| w.http().post(w.at(path)).header("Cookie", &manager.cookie).multipart(form).send();
    let form = |version: &'static str, price: &'static str, on_hand: &'static str, was: &'static str| {
        Form::new()
            .text("version", version)
            .text("name", "手工蛋糕")
            .text("new_category", "烘焙")
            .text("on_shelf", "true")
            .text("skus[0].specs", "尺寸:6寸")
            .text("skus[0].price", price)
            .text("skus[0].on_hand", on_hand)
            .text("skus[0].was", was)
            .text("skus[0].enabled", "true")
    };
    let picture = Part::bytes(png()).file_name("evil.php").mime_str("text/html").unwrap();
    let made = send("/admin/products", form("0", "88.50", "5", "0").part("images", picture)).await.unwrap();
    let path = made.headers()["location"].to_str().unwrap().to_owned();
    let product = w.get("/products/1").await.ok();
    assert_eq!((&product["skus"][0]["priceFen"], &product["skus"][0]["available"]), (&8850.into(), &5.into()));
    let image = w.http().get(w.at(product["images"][0].as_str().unwrap())).send().await.unwrap();
    assert_eq!(image.headers()["content-type"], "image/jpeg");
    assert!(image.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(w.get("/categories").await.ok()["items"][0]["productCount"], 1);
    // The stock field means a difference: orders placed meanwhile are not undone.
    let alice = w.buyer("alice").await;
    alice.prepay(&w.key(), order("1".parse().unwrap(), 2)).await.ok();
    send(&path, form("1", "88.50", "8", "5")).await.unwrap();
    assert_eq!(w.stock("1".parse().unwrap()).await, (8, 2));
    // A colleague's change is not overwritten, and a bad form changes nothing.
    send(&path, form("1", "1", "8", "8")).await.unwrap();
    send(&path, form("2", "abc", "8", "8")).await.unwrap();
    send(&path, form("2", "88.50", "1", "8")).await.unwrap();
    assert_eq!(w.get("/products/1").await.ok()["skus"][0]["priceFen"], 8850);
    assert_eq!(w.stock("1".parse().unwrap()).await, (8, 2));
    send(&path, form("2", "90", "8", "8")).await.unwrap();
    assert_eq!(w.get("/products/1").await.ok()["skus"][0]["priceFen"], 9000);
    let bad = Part::bytes(b"<svg/>".to_vec()).file_name("a.png");
    send(&path, form("3", "1", "8", "8").part("images", bad)).await.unwrap();
    assert_eq!(w.get("/products/1").await.ok()["skus"][0]["priceFen"], 9000);
    assert!(w.count("select count(*) from stock_moves where reason = 'adjust' and staff_id is not null").await >= 2);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_kept_sealed_and_never_shown_again() {
    let w = World::with(Default::default(), &[("wechat.mch_id", MCH_ID)]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let page = owner.page("/admin/settings").await;
    assert!(page.contains("由 Rocket.toml 或环境变量固定") && !page.contains(KEY) && !page.contains(SECRET));
    owner
        .post(
            "/admin/settings",
            &[("wechat-message_token", "tokentokentoken"), ("shop-phone", "400-1"), ("wechat-mch_id", "999999999")],
        )
        .await;
    let settings = w.shop.settings();
    assert_eq!(
        (settings.get("wechat.message_token"), settings.get("shop.phone")),
        (Some("tokentokentoken"), Some("400-1"))
    );
    assert_eq!(settings.get("wechat.mch_id"), Some(MCH_ID), "a fixed value stays");
    assert_eq!(w.count("select count(*) from settings where name = 'wechat.message_token' and value is null").await, 1);
    assert!(!owner.page("/admin/settings").await.contains("tokentokentoken"));
    owner.post("/admin/settings", &[("shop-pay_minutes", "4"), ("shop-phone", "400-2")]).await;
    assert_eq!(w.shop.settings().get("shop.phone"), Some("400-1"), "one bad value saves none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_settings_that_is_old_takes_nothing_back() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let was = |page: &str| {
        let field = page.split("name=\"was\" value=\"").find(|part| part.contains("shop-freight=")).unwrap();
        field.split('"').next().unwrap().replace("&amp;", "&")
    };
    owner.post("/admin/settings", &[("shop-freight", "15")]).await;
    // Both were opened before either was saved.
    let was = was(&owner.page("/admin/settings").await);
    let save = async |freight: &str, free_over: &str| {
        let form =
            [("group", "freight"), ("was", &was), ("shop-freight", freight), ("shop-free_freight_from", free_over)];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = w.http().post(w.at("/admin/settings")).header("Cookie", &owner.cookie).body(body);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        request.send().await.unwrap().text().await.unwrap()
    };
    let get = |name: &str| w.shop.settings().get(name).map(str::to_owned);
    save("20", "").await;
    save("15", "199").await;
    assert_eq!((get("shop.freight").as_deref(), get("shop.free_freight_from").as_deref()), (Some("20"), Some("199")));
    // Who changes the same one is told, and says it again.
    let page = save("18", "199").await;
    assert!(page.contains("刚刚有人改成了「20」") && page.contains("value=\"18\""), "{page}");
    assert_eq!(get("shop.freight").as_deref(), Some("20"));
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_forbid_what_they_do_not_need() {
    let w = World::new().await;
    let answer = w.http().get(w.at("/admin/login")).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers()["referrer-policy"], "same-origin");
    // The one script that stands in a page is known by what it says.
    let known = policy.split('\'').find_map(|source| source.strip_prefix("sha256-")).expect("a hash").to_owned();
    let page = w.staff("clerk", Role::Clerk).await.page("/admin/shipping/scan").await;
    let scripts: Vec<&str> = page.split("<script>").skip(1).filter_map(|rest| rest.split("</script>").next()).collect();
    let hash = |text: &&str| BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    assert_eq!(scripts.iter().map(hash).collect::<Vec<_>>(), [known]);
    for (path, status) in [("/api/v1/products", 200), ("/static/console.css", 200), ("/api/v1/nothing", 404)] {
        let answer = w.http().get(w.at(path)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
    }
    assert_eq!(w.http().get(w.at("/static/demo/shop.json")).send().await.unwrap().status(), 404);
    for path in ["/static/../Cargo.toml", "/static/%2e%2e/Cargo.toml", "/media/..%2fxiaopu.db", "/media/x.jpg"] {
        assert!(w.http().get(w.at(path)).send().await.unwrap().status().is_client_error(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_travels_as_gzip_to_whoever_takes_it() {
    let w = World::new().await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let get = async |takes: Option<&str>, path: &str| {
        let mut request = w.http().get(w.at(path)).header("Cookie", &clerk.cookie);
        if let Some(takes) = takes {
            request = request.header("Accept-Encoding", takes);
        }
        let answer = request.send().await.unwrap();
        let packed = answer.headers().get("content-encoding").is_some_and(|coding| coding == "gzip");
        assert_eq!(answer.headers()["vary"], "Accept-Encoding", "{path} {takes:?}");
        (packed, answer.bytes().await.unwrap().to_vec())
    };
    for path in ["/admin/orders", "/admin/nothing-like-it"] {
        let (packed, plain) = get(None, path).await;
        assert!(!packed && String::from_utf8_lossy(&plain).contains("</html>"), "{path}");
        assert!(!get(Some("br, gzip;q=0"), path).await.0, "{path}");
        let (packed, bytes) = get(Some("br, gzip"), path).await;
        assert!(packed && bytes.len() * 2 < plain.len(), "{path}: {} of {}", bytes.len(), plain.len());
        let mut page = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut page).unwrap();
        assert!(page.ends_with("</html>") && page.contains("主导航"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_which_of_its_causes_it_has() {
    let w = World::new().await;
    let packer = w.staff("packer", Role::Packer).await;
    let (status, page) = packer.get("/admin/settings").await;
    assert_eq!(status, 403);
    assert!(page.contains("您的角色是「打包员」") && !page.contains("不是从本店后台"), "{page}");
    let foreign = w.http().post(w.at("/admin/orders/bulk")).header("Cookie", &packer.cookie);
    let answer = foreign.header("Origin", "https://elsewhere.example").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let page = answer.text().await.unwrap();
    assert!(page.contains("不是从本店后台的页面发出的") && !page.contains("您的角色"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_set_up_step_by_step() {
    let w = World::with(SignType::Md5, &[("wechat.api_key", ""), ("shop.public_url", "")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let step = |n: u8| format!("/admin/welcome/{n}");
    for (n, field) in [(2, "shop-phone"), (3, "shop-public_url"), (4, "wechat-message_token"), (5, "wechat-api_key")] {
        let page = owner.page(&step(n)).await;
        assert!(page.contains(&format!("name=\"{field}\"")) && page.contains("以后再说"), "{n}: {page}");
    }
    for n in [0, 1, 7] {
        assert_eq!(owner.get(&step(n)).await.0, 404, "{n}");
    }
    // What is refused comes back as it was typed, and nothing of the form is stored.
    let page = owner.page_of(&step(2), &[("shop-name", &"长".repeat(21)), ("shop-phone", "400")]).await;
    assert!(page.contains(&"长".repeat(21)) && page.contains("店铺名：太长"), "{page}");
    assert_eq!(w.shop.settings().get("shop.phone"), None);
    assert_eq!(owner.post(&step(2), &[("shop-name", "小店"), ("shop-phone", "400")]).await, (303, step(3)));
    assert_eq!(w.shop.settings().shop_name(), "小店");
    // A field that is named by its own sentence is named once.
    let page = owner.page_of(&step(4), &[("wechat-message_token", "x")]).await;
    assert!(page.contains("没有保存：Token 是 3 到 32 位") && !page.contains("消息推送 Token："), "{page}");
    // What is stored and does not do yet is no good news.
    assert_eq!(owner.post(&step(3), &[("shop-public_url", "http://shop.example.com/")]).await, (303, step(4)));
    let said = owner.said(&step(4)).await;
    assert!(said.contains("flash info") && said.contains("已保存。但 "), "{said}");
    // Stored, tried out, and still on the step; then on.
    let tried = async |n: u8, name: &str, value: &str| {
        assert_eq!(owner.post(&step(n), &[(name, value), ("test", "true")]).await, (303, step(n)));
        owner.said(&step(n)).await
    };
    let said = tried(3, "shop-public_url", &w.url).await;
    assert!(said.contains("可达"), "{said}");
    // What a test said stands there, and on the first page, until what was tested is changed.
    let refused = tried(5, "wechat-api_key", &"f".repeat(32)).await;
    assert!(refused.contains("签名错误"), "{refused}");
    for path in [&step(5), "/admin", "/admin/settings"] {
        let page = owner.page(path).await;
        assert!(page.contains("签名错误"), "{path}: {page}");
    }
    let said = tried(5, "wechat-api_key", KEY).await;
    assert!(!owner.page("/admin").await.contains("签名错误"));
    assert!(owner.page(&step(5)).await.contains("上次测试"));
    assert!(said.contains("✓ 密钥正确") && said.contains("与微信的时间一致"), "{said}");
    assert_eq!(owner.post("/admin/settings/test/app?step=4", &[]).await, (303, step(4)));
    assert!(owner.said(&step(4)).await.contains("✓ AppID 和 AppSecret 正确"));
    // What was tried and went wrong was told there; it is no trouble of the shop's.
    const TRIED: &str = "verdict in ('failed', 'refused') and reason like '设置页测试：%'";
    assert!(w.count(&format!("select count(*) from messages where {TRIED}")).await > 1);
    let others =
        "select count(*) from messages where verdict in ('failed', 'refused') and instr(reason, 'SIGNTEST') = 0
                    and reason not like '设置页测试：%'";
    let told = format!(">{}</b>失败的消息", w.count(others).await);
    assert!(owner.page("/admin").await.contains(&told), "{told}");
    // Goods to look at, and all of them gone with one press; an order of one keeps what it points at.
    assert_eq!(owner.post(&step(6), &[("samples", "yes")]).await, (303, "/admin".into()));
    let goods = w.get("/products").await.ok()["items"].as_array().unwrap().clone();
    assert!(goods.len() > 5 && goods.iter().all(|p| p["soldCount"] == 0), "made up, but not sold");
    assert!(owner.page("/admin/products").await.contains("个示例商品，正式营业前请清除"));
    owner.post("/admin/categories", &[("name", "我的")]).await;
    let mine = w.get("/categories").await.ok()["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["name"] == "我的")
        .unwrap()["id"]
        .to_string();
    owner.post("/admin/products/bulk", &[("product", "1"), ("act", "category"), ("category", &mine)]).await;
    let asked = owner.page("/admin/products/samples/clear").await;
    assert!(asked.contains("会移到回收站") && asked.contains("一起删除"), "{asked}");
    owner.post("/admin/products/samples/clear", &[]).await;
    assert_eq!(w.get("/products").await.ok()["items"].as_array().unwrap().len(), 0);
    assert_eq!(
        w.get(&format!("/products/{}", goods[0]["id"].as_str().unwrap())).await.error(),
        (404, "product_off_shelf")
    );
    assert!(!owner.page("/admin/products").await.contains("示例商品，正式营业前"));
    let left = w.get("/categories").await.ok()["items"].clone();
    assert_eq!(
        (left.as_array().unwrap().len(), &left[0]["name"]),
        (1, &serde_json::json!("我的")),
        "nor what they stood in"
    );
    let id = goods.last().unwrap()["id"].as_str().unwrap();
    assert!(owner.page("/admin/products?tab=bin").await.contains(&format!("/admin/products/{id}/restore")));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_is_headed_by_its_own_name() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    for (path, name) in [
        ("/orders", "订单"),
        ("/products", "商品"),
        ("/products/held", "谁占着库存"),
        ("/showcase", "首页陈列"),
        ("/categories", "分类"),
        ("/refunds", "售后"),
        ("/transactions", "交易流水"),
        ("/settings", "设置"),
        ("/staff", "员工"),
        ("/audit", "操作日志"),
        ("/miniprogram", "小程序"),
        ("/backups", "备份"),
        ("/jobs", "后台任务"),
        ("/diagnostics", "诊断"),
    ] {
        let page = owner.page(&format!("/admin{path}")).await;
        assert!(page.contains(&format!("<h1>{name}</h1>")) && page.contains(&format!("<title>{name} · ")), "{path}");
    }
    let empty = owner.page("/admin").await;
    assert!(empty.contains("还没有订单") && !empty.contains("最高") && !empty.contains("¥0.01<"), "{empty}");
    let (status, lost) = owner.get("/admin/nothing").await;
    assert!(status == 404 && lost.contains("href=\"/admin\""), "the way back: {lost}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_on_a_page_are_as_each_person_likes() {
    let w = World::new().await;
    for n in 0..21 {
        w.product(&format!("苹果 {n}"), 100, 1).await;
    }
    let (one, other) = (w.staff("one", Role::Packer).await, w.staff("other", Role::Clerk).await);
    let rows = async |staff: &Console<'_>| staff.page("/admin/products").await.matches("<tr tabindex=\"-1\">").count();
    let manager = w.staff("manager", Role::Manager).await;
    assert_eq!(rows(&manager).await, 20);
    let choose = [("rows", "50"), ("back", "/admin/products?tab=on")];
    assert_eq!(manager.post("/admin/account/lists", &choose).await, (303, "/admin/products?tab=on".into()));
    assert_eq!((rows(&manager).await, rows(&other).await), (21, 20), "each their own");
    let as_table =
        async |staff: &Console<'_>| staff.page("/admin/orders").await.contains("value=\"true\" aria-current");
    manager.post("/admin/account/lists", &[("order_table", "true"), ("back", "/admin/orders")]).await;
    assert_eq!((as_table(&manager).await, as_table(&other).await), (true, false));
    assert_eq!(rows(&manager).await, 21, "what was not chosen stayed");
    let away = [("rows", "50"), ("back", "https://evil.example")];
    assert_eq!(one.post("/admin/account/lists", &away).await, (303, "/admin".into()), "a form leads nowhere else");
    assert_eq!(one.post("/admin/account/lists", &[("rows", "5000"), ("back", "/admin")]).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_shows_the_part_that_is_asked_for() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    let clerk = w.staff("clerk", Role::Clerk).await;
    let here = format!("/admin/orders/{}", placed.no);
    clerk.post(&format!("{here}/memo"), &[("memo", "放门口")]).await;
    for (show, there, not) in [
        ("", "备注改为", "这一部分还没有记录"),
        ("?show=money", "收到微信支付通知", "备注改为"),
        ("?show=goods", "占用库存", "备注改为"),
        ("?show=people", "备注改为", "收到微信支付通知"),
        ("?show=system", "收到微信支付通知", "备注改为"),
    ] {
        let page = clerk.page(&format!("{here}{show}")).await;
        let timeline = page.split("class=\"timeline\"").nth(1).unwrap().split("</ol>").next().unwrap();
        assert!(timeline.contains(there) && !timeline.contains(not), "{show}: {timeline}");
    }
    // Why nothing moves: at first nothing is amiss, after a day somebody should have packed it.
    assert!(!clerk.page(&here).await.contains("为什么停在这里"));
    w.advance(25 * 60 * MINUTE);
    let page = clerk.page(&here).await;
    assert!(page.contains("付款已经 25 小时，还没有发货") && page.contains("#ship\">去发货"), "{page}");
    clerk.ship(&here).await;
    assert!(clerk.page(&here).await.contains("等待买家确认收货；10-19"), "with the day on which it ends by itself");
    // A refund that is asked for holds things up; a packer is told so, without a link that would not open.
    let other = w.paid(&alice, sku, 1).await;
    let form = serde_json::json!({ "reason": "不想要了" });
    assert_eq!(alice.ask_refund(&other.no, &w.key(), form).await.status, 201);
    let (here, packer) = (format!("/admin/orders/{}", other.no), w.staff("packer", Role::Packer).await);
    for (staff, linked) in [(&clerk, true), (&packer, false)] {
        let page = staff.page(&here).await;
        assert!(page.contains("处理完之前请先不要发货") && page.contains("看这笔退款") == linked, "{linked}");
    }
}

/// Whoever helps gets what is needed and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn the_diagnosis_shows_no_secret_and_no_buyer() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 9).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    let owner = w.staff("owner", Role::Owner).await;
    let page = owner.page("/admin/diagnostics").await;
    for words in ["磁盘剩余", "MB", "与微信的时间一致", "打包诊断信息"] {
        assert!(page.contains(words), "{words}");
    }
    let request = w.http().post(w.at("/admin/diagnostics/bundle")).header("Cookie", &owner.cookie);
    let answer = request.send().await.unwrap();
    assert!(answer.headers()["content-disposition"].to_str().unwrap().contains(".zip"));
    let bytes = answer.bytes().await.unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes.as_ref())).unwrap();
    let mut all = String::new();
    for n in 0..zip.len() {
        std::io::Read::read_to_string(&mut zip.by_index(n).unwrap(), &mut all).unwrap();
    }
    for there in ["\"clock_ahead_of_wechat_ms\"", "\"to_ship\": 1", "\"unifiedorder\"", "每夜自检", "wechat.mch_id"]
    {
        assert!(all.contains(there), "{there}: {all}");
    }
    let openid = w.wechat.openid("alice");
    let transaction = w.transaction(&placed);
    for secret in [KEY, SECRET, &openid, "13800001234", "王小样", "演示路", &placed.no, &transaction, &alice.token]
    {
        assert!(!all.contains(secret), "{secret}");
    }
    assert_eq!(w.count("select count(*) from audit_log where what = '打包诊断信息'").await, 1);
}

/// The way to the buyers' phones: what is missing is said, and nothing half filled in is handed out.
#[tokio::test(flavor = "multi_thread")]
async fn the_mini_program_waits_for_an_address_that_phones_reach() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let page = owner.page("/admin/miniprogram").await;
    for words in ["下载小程序", "七步上线", "request 合法域名", "订单中心", "只有本机能用", "先去设置里填好"]
    {
        assert!(page.contains(words), "{words}");
    }
    let (status, page) = owner.get("/admin/miniprogram/zip").await;
    assert_eq!(status, 422);
    assert!(page.contains("AppID") || page.contains("只有本机能用"), "{page}");
}

/// What a page's address names the content of is kept by browsers for good; under every other address it is asked about again.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_kept_for_good_only_under_the_address_that_names_its_content() {
    let w = World::new().await;
    let page = w.staff("clerk", Role::Clerk).await.page("/admin/orders").await;
    let named = |name: &str| {
        let (_, rest) = page.split_once(&format!("\"/static/{name}?v=")).expect("an address");
        format!("/static/{name}?v={}", rest.split('"').next().unwrap())
    };
    for name in ["console.js", "tokens.css", "console.css", "orders.css"] {
        let (good, plain) = (named(name), format!("/static/{name}"));
        for (path, kept) in [(good, true), (format!("{plain}?v=0000000000000000"), false), (plain, false)] {
            let answer = w.http().get(w.at(&path)).send().await.unwrap();
            let said = answer.headers()["cache-control"].to_str().unwrap();
            assert_eq!((answer.status().as_u16(), said.contains("immutable")), (200, kept), "{path}: {said}");
        }
    }
}
