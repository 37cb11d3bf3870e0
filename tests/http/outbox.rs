//! Told in time: robots and letters for the staff, subscribe messages for buyers, and one page of what became of them.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use xiaopu::simulator::{Fault, Paying, ROBOT_SECRET};
use xiaopu::staff::Role;

use crate::support::*;

const WECOM: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0f3c-a";
const FEISHU: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/signed";
const DINGTALK: &str = "https://oapi.dingtalk.com/robot/send?access_token=signed";

impl World {
    /// What was said to a robot.
    fn said_to(&self, robot: &str) -> Vec<String> {
        self.wechat.said().into_iter().filter(|(name, _)| name == robot).map(|(_, text)| text).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_tell_the_staff_once_a_minute_what_has_gathered() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let before = w.paid(&alice, sku, 1).await;
    let owner = w.staff("owner", Role::Owner).await;
    let robots = [
        ("shop-wecom_url", WECOM),
        ("shop-feishu_url", FEISHU),
        ("shop-feishu_secret", ROBOT_SECRET),
        ("shop-dingtalk_url", DINGTALK),
        ("shop-dingtalk_secret", ROBOT_SECRET),
    ];
    owner.post("/admin/settings", &robots).await;
    w.run_jobs().await;
    let first = w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    for robot in ["wecom", "feishu", "dingtalk"] {
        let said = w.said_to(robot);
        assert_eq!(said.len(), 1, "{robot}: {said:?}");
        assert!(said[0].starts_with("【小铺】新订单 1\n") && said[0].contains(&first.no), "{}", said[0]);
        assert!(said[0].contains("¥10.00") && said[0].ends_with("/admin"), "{}", said[0]);
        assert!(!said[0].contains(&before.no), "the past is not told");
        assert!(!said[0].contains("王小样") && !said[0].contains("1380000"), "nor who bought: {}", said[0]);
    }
    // Within the minute it gathers; then all of it goes as one.
    let second = w.paid(&alice, sku, 1).await;
    alice.ask_refund(&second.no, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    w.run_jobs().await;
    assert_eq!(w.said_to("wecom").len(), 1);
    w.advance(MINUTE);
    w.run_jobs().await;
    let said = w.said_to("wecom");
    assert!(said.len() == 2 && said[1].starts_with("【小铺】新订单 1 · 退款申请 1\n"), "{said:?}");
    // Many at once are a number.
    for _ in 0..7 {
        w.paid(&alice, sku, 1).await;
    }
    w.run_jobs().await;
    w.advance(MINUTE);
    w.run_jobs().await;
    let orders: usize = w.said_to("wecom").iter().skip(2).map(|text| text.matches("¥10.00").count()).sum();
    assert!((1..=7).contains(&orders), "{:?}", w.said_to("wecom"));
    // What is switched off says nothing more, and what is not wanted is not told.
    owner.post("/admin/settings", &[("shop-wecom", "no"), ("shop-tell_new_order", "no")]).await;
    let n = (w.said_to("wecom").len(), w.said_to("feishu").len());
    w.paid(&alice, sku, 1).await;
    w.advance(MINUTE);
    w.run_jobs().await;
    assert_eq!((w.said_to("wecom").len(), w.said_to("feishu").len()), n);
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_fits_nowhere_and_a_backup_that_failed_are_told() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("shop-wecom_url", WECOM)]).await;
    w.run_jobs().await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    let mut stray = w.notice(&placed, "alice");
    stray.set("out_trade_no", "20261008ZZZZZZZZZZ01");
    w.notify(signed(&stray)).await;
    let failed = xiaopu::backups::Backup {
        id: xiaopu::ids::BackupId(0),
        at: w.shop.now(),
        file: "xiaopu-test.db".into(),
        bytes: 0,
        orders: 0,
        last_order_at: None,
        broken: String::new(),
        took_ms: 0,
        problem: "磁盘满了".into(),
        who: "每夜".into(),
    };
    w.shop.write(move |tx| Ok(xiaopu::backups::store::insert(tx, &failed)?)).await.unwrap();
    w.run_jobs().await;
    w.advance(MINUTE);
    w.run_jobs().await;
    let said: String = w.said_to("wecom").join("\n");
    for words in ["资金异常", "20261008ZZZZZZZZZZ01", "备份失败：磁盘满了"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_robot_refuses_or_never_hears_stands_on_the_page() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("shop-wecom_url", WECOM)]).await;
    w.run_jobs().await;
    // Nobody there: the money comes in all the same, and what is to be told waits.
    w.wechat.fault_always("wecom", Fault::Http500);
    let placed = w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    assert!(owner.page("/admin/notices").await.contains("等待发送"));
    // Six hours later it is news no more.
    w.advance(7 * 60 * MINUTE);
    w.run_jobs().await;
    assert!(owner.page("/admin/notices").await.contains("过了六小时还没有发出去"));
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    for (form, told) in [
        (
            vec![("shop-wecom_url", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=gone")],
            "机器人地址不对，或机器人被移出了群",
        ),
        (vec![("shop-wecom", "no"), ("shop-feishu_url", FEISHU)], "飞书签名不对"),
        (
            vec![("shop-feishu", "no"), ("shop-dingtalk_url", DINGTALK), ("shop-dingtalk_secret", "SECother")],
            "钉钉没有通过安全设置",
        ),
        (vec![("shop-dingtalk_secret", ROBOT_SECRET)], "✓ 钉钉已发出"),
    ] {
        let mut form = form;
        form.extend([("group", "robots"), ("test", "true")]);
        owner.post("/admin/settings", &form).await;
        let said = owner.said("/admin/settings").await;
        assert!(said.contains(told), "{told}: {said}");
    }
    let page = owner.page("/admin/notices?tab=failed").await;
    assert!(page.matches("没有发出去</span>").count() == 3 && page.contains("飞书签名不对"), "{page}");
    assert!(owner.page("/admin/notices").await.contains("已发送"));
    assert_eq!(w.count("select count(*) from settings where name like 'shop.%_secret' and value is not null").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_no_robots_or_no_mailbox_is_not_kept() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    for (field, value, told) in [
        ("shop-wecom_url", "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a", "以 https://qyapi.weixin.qq.com"),
        (
            "shop-wecom_url",
            "https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=a",
            "以 https://qyapi.weixin.qq.com",
        ),
        ("shop-wecom_url", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", "以 https://qyapi.weixin.qq.com"),
        (
            "shop-wecom_url",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a@b",
            "以 https://qyapi.weixin.qq.com",
        ),
        ("shop-feishu_url", WECOM, "以 https://open.feishu.cn"),
        ("shop-dingtalk_url", "https://127.0.0.1/robot/send?access_token=a", "以 https://oapi.dingtalk.com"),
        ("shop-dingtalk_secret", "有 空格", "不能有空格和中文"),
        ("shop-mail_server", "smtp.example.com", "请写成 服务器:端口"),
        ("shop-mail_server", "smtp.example.com:0", "请写成 服务器:端口"),
        ("shop-mail_server", "http://smtp.example.com:465", "请写成 服务器:端口"),
        ("shop-mail_user", "nobody", "不像邮箱地址"),
        ("shop-mail_user", "a@b.c\r\nBcc: x@y.z", "不像邮箱地址"),
        ("shop-mail_to", "a@b.com,b", "不像邮箱地址"),
        ("shop-mail_to", "a@b.com b@b.com c@b.com d@b.com e@b.com f@b.com", "1 到 5 个邮箱"),
        ("wechat-tmpl_shipped", "nonsense", "选择模板"),
    ] {
        let page = owner.page_of("/admin/settings", &[(field, value)]).await;
        assert!(page.replace("&#x2f;", "/").contains(told), "{field} {value}");
        assert_eq!(w.shop.settings().get(&field.replacen('-', ".", 1)), None, "{field} {value}");
    }
}

/// A mail server that takes what it is given; answers with what the letters were.
async fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, letters) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let kept = letters.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let kept = kept.clone();
            tokio::spawn(async move {
                let (reader, mut writer) = socket.into_split();
                let mut lines = BufReader::new(reader).lines();
                let (mut letter, mut in_data) = (String::new(), false);
                writer.write_all(b"220 mail.test\r\n").await.unwrap();
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer = match (in_data, line.split(' ').next().unwrap_or_default()) {
                        (true, ".") => {
                            in_data = false;
                            kept.lock().unwrap().push(std::mem::take(&mut letter));
                            "250 taken\r\n"
                        }
                        (true, _) => {
                            letter.push_str(&line);
                            letter.push('\n');
                            continue;
                        }
                        (_, "EHLO") => "250-mail.test\r\n250 AUTH PLAIN\r\n",
                        // "\0shop@example.com\0right", in base64.
                        (_, "AUTH") if line.contains("AHNob3BAZXhhbXBsZS5jb20AcmlnaHQ=") => "235 welcome\r\n",
                        (_, "AUTH") => "535 wrong password\r\n",
                        (_, "DATA") => {
                            in_data = true;
                            "354 go on\r\n"
                        }
                        (_, "QUIT") => "221 bye\r\n",
                        _ => "250 ok\r\n",
                    };
                    if writer.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, letters)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_reaches_the_staff_by_their_own_mailbox() {
    let w = World::new().await;
    let (port, letters) = mail_server().await;
    let owner = w.staff("owner", Role::Owner).await;
    let server = format!("127.0.0.1:{port}");
    let form = |password: &'static str| {
        [
            ("shop-mail_server", server.clone()),
            ("shop-mail_user", "shop@example.com".into()),
            ("shop-mail_password", password.into()),
            ("shop-mail_to", "a@example.com，b@example.com".into()),
            ("group", "mail".into()),
            ("test", "true".into()),
        ]
    };
    for (password, told) in [("wrong", "请核对发信邮箱和授权码"), ("right", "✓ 邮件已发出")] {
        let form = form(password);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        owner.post("/admin/settings", &form).await;
        let said = owner.said("/admin/settings").await;
        assert!(said.contains(told), "{told}: {said}");
    }
    let letter = letters.lock().unwrap().pop().unwrap();
    for there in ["To: a@example.com, b@example.com", "shop@example.com", "Subject: "] {
        assert!(letter.contains(there), "{there}: {letter}");
    }
    let sku = w.product("苹果", 1000, 99).await;
    w.run_jobs().await;
    let alice = w.buyer("alice").await;
    w.paid(&alice, sku, 1).await;
    w.run_jobs().await;
    assert_eq!(letters.lock().unwrap().len(), 1);
    assert!(!owner.page("/admin/settings").await.contains("right\""), "what opens the mailbox is not shown again");
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_that_runs_low_is_told_once_until_there_is_enough_again() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 7).await;
    let owner = w.staff("owner", Role::Owner).await;
    owner.post("/admin/settings", &[("shop-wecom_url", WECOM), ("shop-tell_new_order", "no")]).await;
    w.run_jobs().await;
    let alice = w.buyer("alice").await;
    let told = async || {
        w.advance(MINUTE);
        w.run_jobs().await;
        w.said_to("wecom").iter().filter(|text| text.contains("库存不足")).count()
    };
    for (pieces, times) in [(1, 0), (1, 1), (1, 1)] {
        alice.buy(sku, pieces).await.ok();
        assert_eq!(told().await, times);
    }
    assert!(w.said_to("wecom")[0].contains("「苹果」可售只剩 5"), "{:?}", w.said_to("wecom"));
    for (to, times) in [("99", 1), ("4", 2)] {
        let was = w.stock(sku).await.0.to_string();
        let form = [
            ("rows[0].sku", "1"),
            ("rows[0].was", was.as_str()),
            ("rows[0].on_hand", to),
            ("reason", "盘点"),
            ("note", ""),
        ];
        owner.post("/admin/products/1/stock", &form).await;
        assert_eq!(told().await, times, "{to}");
    }
}

const SHIPPED: &str = "SimShippedTemplateIdOf43CharactersInAll0001";
const REFUNDED: &str = "SimRefundedTemplateIdOf43CharactersInAll002";
const UNPAID: &str = "SimUnpaidTemplateIdOf43CharactersInAll00003";

/// What is chosen for each field of a template.
type Fields = &'static [(&'static str, &'static str)];

async fn choose_all(owner: &Console<'_>) {
    let fields: [(&str, &str, Fields); 3] = [
        (
            "shipped",
            SHIPPED,
            &[
                ("field-character_string1", "order_no"),
                ("field-thing2", "goods"),
                ("field-thing3", "carrier"),
                ("field-character_string4", "tracking"),
            ],
        ),
        (
            "refunded",
            REFUNDED,
            &[("field-character_string1", "order_no"), ("field-amount2", "amount"), ("field-time3", "time")],
        ),
        (
            "unpaid",
            UNPAID,
            &[
                ("field-character_string1", "order_no"),
                ("field-thing2", "goods"),
                ("field-amount3", "amount"),
                ("field-time4", "time"),
            ],
        ),
    ];
    for (letter, template, fields) in fields {
        let form: Vec<_> = [("letter", letter), ("template", template)].iter().chain(fields).copied().collect();
        owner.post("/admin/notices/templates", &form).await;
        assert!(owner.said("/admin/notices/templates").await.contains("已保存"), "{letter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn buyers_are_told_of_their_order_if_they_allowed_it() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let owner = w.staff("owner", Role::Owner).await;
    assert_eq!(w.get("/shop").await.ok()["subscribeTemplates"]["shipped"], Value::Null);
    choose_all(&owner).await;
    let shop = w.get("/shop").await.ok();
    assert_eq!(shop["subscribeTemplateIds"], json!([SHIPPED, REFUNDED]), "what to ask for once it is paid");
    assert_eq!(shop["subscribeTemplates"]["unpaid"], UNPAID);
    w.run_jobs().await;
    w.wechat.ask_before_messages();
    w.wechat.allow_message("alice", SHIPPED);
    w.wechat.allow_message("alice", REFUNDED);
    let (hers, his) = (w.paid(&alice, sku, 2).await, w.paid(&bob, sku, 1).await);
    for placed in [&hers, &his] {
        owner.ship(&format!("/admin/orders/{}", placed.no)).await;
    }
    w.run_jobs().await;
    let told = w.wechat.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["touser"], w.wechat.openid("alice"));
    assert_eq!(told[0]["page"], format!("pages/order/order?id={}", hers.no));
    assert_eq!(
        told[0]["data"],
        json!({
            "character_string1": { "value": hers.no }, "thing2": { "value": "苹果 ×2" },
            "thing3": { "value": "顺丰速运" }, "character_string4": { "value": "SF1234567890123" },
        })
    );
    let page = owner.page("/admin/notices").await;
    assert!(page.contains("买家没有允许") && page.contains("已发送") && page.contains(&his.no), "{page}");
    let back = w.paid(&alice, sku, 2).await;
    alice.ask_refund(&back.no, &w.key(), json!({ "reason": "不想要了" })).await.ok();
    let agreed = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    owner.post(&format!("/admin/refunds/{}R01/approve", back.no), &agreed).await;
    w.run_jobs().await;
    for _ in 0..2 {
        w.advance(2 * MINUTE);
        w.run_jobs().await;
    }
    let told = w.wechat.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1]["data"]["amount2"]["value"], "¥20.00");
    w.must_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_paid_in_time_reminds_nobody() {
    let w = World::new().await;
    let sku = w.product("苹果", 1000, 99).await;
    let (alice, bob) = (w.buyer("alice").await, w.buyer("bob").await);
    let owner = w.staff("owner", Role::Owner).await;
    choose_all(&owner).await;
    w.run_jobs().await;
    let (late, paid) = (Placed::of(alice.buy(sku, 1).await), Placed::of(bob.buy(sku, 1).await));
    w.pay(&paid, Paying::Well);
    w.wait("the payment", || async { bob.status(&paid.no).await == "to_ship" }).await;
    w.run_jobs().await;
    assert!(w.wechat.told().is_empty());
    w.advance(21 * MINUTE);
    w.run_jobs().await;
    let told = w.wechat.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["character_string1"]["value"], late.no);
    assert_eq!(told[0]["data"]["time4"]["value"], "2026年10月08日 13:30");
    assert!(owner.page("/admin/notices").await.contains("订单已经变了"), "what was not sent says why");
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_fetched_chosen_and_shown_as_the_phone_will() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let page = owner.page("/admin/notices/templates?fetched=true").await;
    for words in ["订单发货提醒", "退款成功通知", "快递单号", "SF1234567890123", "用这个模板"] {
        assert!(page.contains(words), "{words}");
    }
    choose_all(&owner).await;
    let page = owner.page("/admin/notices/templates").await;
    assert!(page.contains("在用") && page.contains("手工曲奇 ×2") && page.contains(SHIPPED), "{page}");
    assert_eq!(w.count("select count(*) from audit_log where what like '设置「发货提醒」%'").await, 1);
    for (form, told) in [
        (vec![("letter", "nonsense")], "请选择要设置的提醒"),
        (vec![("letter", "shipped"), ("template", SHIPPED), ("field-thing1", "nonsense")], "每一栏"),
        (vec![("letter", "shipped"), ("template", "x")], "选择模板"),
        (vec![("letter", "shipped"), ("template", SHIPPED)], "选择模板"),
        (vec![("letter", "shipped"), ("template", "")], "已保存"),
        (vec![("letter", "shipped"), ("template", "")], "没有改动"),
    ] {
        owner.post("/admin/notices/templates", &form).await;
        let said = owner.said("/admin/notices/templates").await;
        assert!(said.contains(told), "{told}: {said}");
    }
    w.wechat.fault("templates", Fault::Http500);
    assert!(owner.page("/admin/notices/templates?fetched=true").await.contains("没有取到模板列表"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_to_fetch_is_told_when_it_is_ready() {
    let w = World::new().await;
    let (_, sku) = w.product_with("蛋糕", 8800, 9, |_, sku| sku.delivery = xiaopu::catalogue::Delivery::Pickup).await;
    let alice = w.buyer("alice").await;
    let owner = w.staff("owner", Role::Owner).await;
    let placed = w.paid(&alice, sku, 1).await;
    let ready = format!("/admin/orders/{}/pickup-ready", placed.no);
    let here = format!("/admin/orders/{}", placed.no);
    owner.post(&ready, &[]).await;
    assert!(owner.said(&here).await.contains("还没有选取货提醒的模板"));
    let form = [
        ("letter", "pickup"),
        ("template", "SimPickupTemplateIdOf43CharactersInAll00004"),
        ("field-character_string1", "order_no"),
        ("field-thing2", "goods"),
        ("field-phrase3", "status"),
    ];
    owner.post("/admin/notices/templates", &form).await;
    assert!(owner.page(&here).await.contains("通知来取"));
    owner.post(&ready, &[]).await;
    w.run_jobs().await;
    assert_eq!(w.wechat.told()[0]["data"]["phrase3"]["value"], "可以取货");
    let page = owner.page(&here).await;
    assert!(page.contains("通知买家来取"), "it stands on the timeline: {page}");
}

/// Whoever is told and never answers holds up nothing: buyers pay, money comes in and goes back meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_hang_hold_up_neither_money_nor_answers() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    // A mail server that greets nobody, a receiver that answers nothing, and a robot that thinks for a minute.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mail = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let knocks = Arc::new(Mutex::new(Vec::new()));
    let kept = knocks.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            kept.lock().unwrap().push(socket);
        }
    });
    let there = super::programs::receiver().await;
    *there.status.lock().unwrap() = super::programs::SILENT;
    for interface in ["wecom", "subscribe_send"] {
        w.wechat.fault_always(interface, Fault::Slow(60_000));
    }
    let settings = [
        ("shop-wecom_url", WECOM),
        ("shop-mail_server", mail.as_str()),
        ("shop-mail_user", "shop@example.com"),
        ("shop-mail_password", "right"),
        ("shop-mail_to", "a@example.com"),
    ];
    assert_eq!(owner.post("/admin/settings", &settings).await.0, 303);
    choose_all(&owner).await;
    super::programs::hook(&owner, &there.url, &["order.paid", "refund.succeeded"]).await;
    w.run_jobs().await;
    let start = std::time::Instant::now();
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(w.paid(&alice, sku, 1).await);
    }
    w.wait("somebody to be told", || async { !there.heard.lock().unwrap().is_empty() }).await;
    let (shipped, back) = (&all[0], &all[1]);
    owner.ship(&format!("/admin/orders/{}", shipped.no)).await;
    let whole = [("whole", "true"), ("reason", "协商一致退款"), ("confirmed", "true")];
    owner.post(&format!("/admin/orders/{}/refund", back.no), &whole).await;
    w.wait("the refund", || async {
        w.advance(20 * SECOND);
        alice.order(&back.no).await["refundedFen"] == 1000
    })
    .await;
    w.paid(&alice, sku, 1).await;
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    assert_eq!(w.count("select count(*) from deliveries where state = 'done'").await, 0);
    assert_eq!(w.count("select count(*) from outbox where state = 'sent'").await, 0);
    // What hangs is let go of, says why, and waits for its next time.
    w.wait("the first to be given up", || async {
        w.count("select count(*) from deliveries where problem = '5 秒内没有回答'").await > 0
    })
    .await;
    let page = owner.page("/admin/notices").await;
    assert!(page.contains("等待发送"), "{page}");
    w.must_hold().await;
}
