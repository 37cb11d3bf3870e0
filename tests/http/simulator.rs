//! The simulated WeChat itself: what it refuses, what it knows, and that all of it can be steered from outside.

use serde_json::{Value, json};
use xiaopu::clock::Day;
use xiaopu::simulator::Push;
use xiaopu::staff::Role;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign::{self, SignType};

use super::v3::world;
use crate::support::*;

const TOKEN: &str = "AAAAA";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// Asks by API v2, rightly signed.
async fn ask_v2(w: &World, path: &str, fields: &[(&str, &str)]) -> String {
    let mut message = Message::from([("appid", APP_ID), ("mch_id", MCH_ID), ("nonce_str", "5K8264ILTKCH16CQ")]);
    fields.iter().for_each(|(name, value)| message.set(name, *value));
    message.set("sign", sign::sign(&message, SignType::Md5, &KEY.parse().unwrap()));
    let url = format!("{}{path}", w.shop.wechat.pay_url());
    w.http().post(url).body(message.to_xml()).send().await.unwrap().text().await.unwrap()
}

async fn steer(w: &World, method: reqwest::Method, path: &str, body: Value) -> (u16, Value) {
    let request = w.http().request(method, format!("{}/simulator/{path}", w.shop.wechat.pay_url()));
    let answer = request.json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_or_a_refund_of_another_form_is_refused() {
    let w = World::new().await;
    let right = [
        ("body", "小店-草莓"),
        ("out_trade_no", "SIM20261008000001"),
        ("total_fee", "100"),
        ("spbill_create_ip", "127.0.0.1"),
        ("notify_url", "http://127.0.0.1:9/notify"),
        ("trade_type", "JSAPI"),
        ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
    ];
    let (long, notify) = ("x".repeat(128), format!("http://127.0.0.1:9/{}", "x".repeat(256)));
    for (name, value, word) in [
        ("body", "", "LACK_PARAMS"),
        ("body", long.as_str(), "LACK_PARAMS"),
        ("attach", &long, "PARAM_ERROR"),
        ("out_trade_no", "SIM 1", "PARAM_ERROR"),
        ("total_fee", "1.5", "PARAM_ERROR"),
        ("total_fee", "0", "PARAM_ERROR"),
        ("notify_url", "http://127.0.0.1:9/notify?a=1", "PARAM_ERROR"),
        ("notify_url", "https://shop.example.com/notify", "PARAM_ERROR"),
        ("notify_url", &notify, "LACK_PARAMS"),
        ("notify_url", "http://127.0.0.1:9", "PARAM_ERROR"),
        ("notify_url", "http://127.0.0.1:9/no tify", "PARAM_ERROR"),
        ("notify_url", "http://127.0.0.1.example.com/notify", "PARAM_ERROR"),
        ("out_trade_no", "SIM01", "PARAM_ERROR"),
        ("fee_type", "USD", "fee_type"),
        ("spbill_create_ip", "here", "spbill_create_ip"),
        ("limit_pay", "no_debit", "limit_pay"),
        ("sub_mch_id", "1900000109", "PARAM_ERROR"),
        ("trade_type", "NATIVE", "PARAM_ERROR"),
        ("openid", "", "PARAM_ERROR"),
        ("time_expire", "20261008130100", "PARAM_ERROR"),
        ("sign_type", "SHA1", "sign_type"),
    ] {
        let mut fields: Vec<_> = right.iter().copied().filter(|(known, _)| *known != name).collect();
        fields.push((name, value));
        let answer = ask_v2(&w, "/pay/unifiedorder", &fields).await;
        assert!(answer.contains(word) && !answer.contains("prepay_id"), "{name}={value}: {answer}");
    }
    assert!(ask_v2(&w, "/pay/unifiedorder", &right).await.contains("prepay_id"));
    for (name, value) in
        [("out_trade_no", "SIM|2026*1008-_1"), ("spbill_create_ip", "2001:db8::1"), ("fee_type", "CNY")]
    {
        let others = right.iter().copied().filter(|(known, _)| ![name, "out_trade_no"].contains(known));
        let number = ("out_trade_no", if name == "out_trade_no" { value } else { name });
        let fields: Vec<_> = others.chain([number, (name, value)]).collect();
        let answer = ask_v2(&w, "/pay/unifiedorder", &fields).await;
        assert!(answer.contains("prepay_id"), "{name}={value}: {answer}");
    }
    assert!(ask_v2(&w, "/pay/orderquery", &[]).await.contains("LACK_PARAMS"));
    for (number, desc, word) in
        [("R 1", "", "PARAM_ERROR"), ("R1", long.as_str(), "PARAM_ERROR"), ("R1", "", "ORDERNOTEXIST")]
    {
        let fields = [("out_refund_no", number), ("refund_desc", desc), ("out_trade_no", "SIM20261008000001")];
        let more = [("total_fee", "100"), ("refund_fee", "100")];
        let answer = ask_v2(&w, "/secapi/pay/refund", &[fields.as_slice(), &more].concat()).await;
        assert!(answer.contains(word), "{number} {desc}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_has_the_rows_and_the_columns_of_its_kind() {
    let w = World::new().await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    let (kept, back) = (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 2).await);
    w.wechat.refund_by_console(&w.transaction(&back), 8800).unwrap();
    let day = Day::of(w.shop.now()).to_string();
    let bill = async |kind: &str| ask_v2(&w, "/pay/downloadbill", &[("bill_date", &day), ("bill_type", kind)]).await;
    assert!(bill("ALL").await.contains("No Bill Exist"), "not before tomorrow");
    w.wechat.ways(|ways| ways.bill_waits = false);
    for (kind, columns, rows, sum) in
        [("ALL", 27, 3, "`264.00,"), ("SUCCESS", 20, 2, "`264.00,"), ("REFUND", 29, 1, "`0.00,")]
    {
        let text = bill(kind).await;
        let lines: Vec<_> = text.trim_start_matches('\u{feff}').trim_end().split("\r\n").collect();
        assert_eq!((lines[0].split(',').count(), lines.len()), (columns, rows + 3), "{kind}: {text}");
        assert!(lines[1..=rows].iter().all(|line| line[1..].split(",`").count() == columns), "{kind}: {text}");
        assert!(lines[rows + 2].contains(sum), "{kind}: {text}");
        assert_eq!(text.contains("退款成功时间"), kind == "REFUND");
        assert_eq!(text.contains(&kept.out_trade_no), kind != "REFUND");
    }
    for (date, kind, tar, word) in [
        (day.as_str(), "REVOKED", "", "invalid bill_type"),
        ("2026-10-08", "ALL", "", "data format error"),
        (&day, "ALL", "ZIP", "invalid tar_type"),
        ("20260601", "ALL", "", "No Bill Exist"),
        (&day, "RECHARGE_REFUND", "", "No Bill Exist"),
    ] {
        let fields = [("bill_date", date), ("bill_type", kind), ("tar_type", tar)];
        let answer = ask_v2(&w, "/pay/downloadbill", &fields).await;
        assert!(answer.contains(word), "{date} {kind} {tar}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_of_api_v3_is_refused_in_its_own_way() {
    let w = world("v3").await;
    w.wechat.bind_app("wx00000000000other", SECRET);
    w.wechat.login_code_at("wx00000000000other", "bob");
    let right = json!({
        "appid": APP_ID, "mchid": MCH_ID, "description": "小店-草莓", "out_trade_no": "SIM20261008000001",
        "notify_url": "http://127.0.0.1:9/notify", "amount": { "total": 100, "currency": "CNY" },
        "payer": { "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" },
    });
    let long = "x".repeat(128);
    for (pointer, value, code) in [
        ("appid", json!("wx0000000000000000"), "APPID_MCHID_NOT_MATCH"),
        ("description", json!(long), "PARAM_ERROR"),
        ("out_trade_no", json!("a"), "PARAM_ERROR"),
        ("notify_url", json!("http://127.0.0.1:9/notify?a=1"), "PARAM_ERROR"),
        ("amount", json!({ "total": "100" }), "PARAM_ERROR"),
        ("payer", json!({ "openid": w.wechat.openid_at("wx00000000000other", "bob") }), "PARAM_ERROR"),
        ("time_expire", json!("20261008140000"), "PARAM_ERROR"),
        ("time_expire", json!("2027-01-07T10:00:00+08:00"), "PARAM_ERROR"),
        ("attach", json!("x".repeat(129)), "PARAM_ERROR"),
        ("spbill_create_ip", json!("127.0.0.1"), "PARAM_ERROR"),
    ] {
        let mut body = right.clone();
        body[pointer] = value;
        let answer = ask_v3(&w, "/v3/pay/transactions/jsapi", &body).await;
        assert_eq!((answer.0 / 100, answer.1["code"].as_str()), (4, Some(code)), "{pointer}: {answer:?}");
    }
    assert_eq!(ask_v3(&w, "/v3/pay/transactions/jsapi", &right).await.0, 200);
    // At once: with v3 the five minutes are advice.
    let close = "/v3/pay/transactions/out-trade-no/SIM20261008000001/close";
    assert_eq!(ask_v3(&w, close, &json!({ "mchid": MCH_ID })).await.0, 204);
    let refund = json!({
        "transaction_id": "4200000000202610080000000001", "out_refund_no": "SIM1R1", "notify_url": "http://127.0.0.1:9/n",
        "amount": { "refund": 100, "total": 100, "currency": "CNY" },
    });
    for (name, value) in [
        ("refund_fee", json!(100)),
        ("reason", json!("x".repeat(81))),
        ("notify_url", json!("http://127.0.0.1:9/n?a=1")),
    ] {
        let mut body = refund.clone();
        body[name] = value;
        let answer = ask_v3(&w, "/v3/refund/domestic/refunds", &body).await;
        assert_eq!((answer.0, answer.1["code"].as_str()), (400, Some("PARAM_ERROR")), "{name}: {answer:?}");
    }
    let nowhere = ask_v3(&w, "/v3/pay/transactions/native", &right).await;
    assert_eq!((nowhere.0, nowhere.1["code"].as_str()), (404, Some("RESOURCE_NOT_EXISTS")));
}

/// One header wrong per row, and questions that lack what they must name: each refusal is WeChat's own, and signed.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_by_api_v3_is_looked_at_header_by_header() {
    let w = world("v3").await;
    let keys = super::v3::keys();
    let private = xiaopu::wechat::v3::keys::PrivateKey::read(&keys.merchant.private).unwrap();
    let query = format!("/v3/pay/transactions/out-trade-no/NEVERWAS01?mchid={MCH_ID}");
    let authorization = |path: &str| {
        let (serial, nonce) = (keys.serial.as_str(), "593BEC0C930BF1AF");
        let signer =
            xiaopu::wechat::v3::sign::Signer { mch_id: MCH_ID, serial, key: &private, at: w.shop.now(), nonce };
        signer.authorization("GET", path, b"")
    };
    let id = keys.public_id.as_str();
    for (path, accept, serials, authorizations, answer) in [
        (query.as_str(), "application/json", 1, 1, (404, "ORDER_NOT_EXIST")),
        (&query, "*/*", 0, 1, (404, "ORDER_NOT_EXIST")),
        (&query, "text/html", 1, 1, (400, "PARAM_ERROR")),
        (&query, "", 1, 1, (400, "PARAM_ERROR")),
        (&query, "application/json", 2, 1, (400, "INVALID_REQUEST")),
        (&query, "application/json", 1, 2, (401, "SIGN_ERROR")),
        (&query, "application/json", 1, 0, (401, "SIGN_ERROR")),
        ("/v3/pay/transactions/out-trade-no/NEVERWAS01", "*/*", 1, 1, (400, "PARAM_ERROR")),
        ("/v3/bill/tradebill?bill_type=ALL", "*/*", 1, 1, (400, "PARAM_ERROR")),
        ("/v3/billdownload/file", "*/*", 1, 1, (400, "PARAM_ERROR")),
        ("/v3/certificates", "*/*", 1, 1, (404, "RESOURCE_NOT_EXISTS")),
    ] {
        let mut request = w.http().get(format!("{}{path}", w.shop.wechat.pay_url())).header("user-agent", "a test");
        request = request.header("accept", accept);
        for _ in 0..serials {
            request = request.header("wechatpay-serial", id);
        }
        for _ in 0..authorizations {
            request = request.header("authorization", authorization(path));
        }
        let got = request.send().await.unwrap();
        assert!(got.headers().contains_key("wechatpay-signature"), "{path}");
        let status = got.status().as_u16();
        let body: Value = got.json().await.unwrap();
        let case = format!("{path} {accept} {serials} {authorizations}");
        assert_eq!((status, body["code"].as_str()), (answer.0, Some(answer.1)), "{case}: {body}");
    }
}

async fn ask_v3(w: &World, path: &str, body: &Value) -> (u16, Value) {
    let keys = super::v3::keys();
    let private = xiaopu::wechat::v3::keys::PrivateKey::read(&keys.merchant.private).unwrap();
    let text = body.to_string();
    let at = w.shop.now();
    let signer = xiaopu::wechat::v3::sign::Signer {
        mch_id: MCH_ID,
        serial: &keys.serial,
        key: &private,
        at,
        nonce: "593BEC0C930BF1AF",
    };
    let request = w.http().post(format!("{}{path}", w.shop.wechat.pay_url()));
    let request = request.header("authorization", signer.authorization("POST", path, text.as_bytes()));
    let request = request.header("content-type", "application/json").header("user-agent", "a test").body(text);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

/// An interface of the mini-program's server side.
async fn ask_api(w: &World, path: &str, body: Value) -> Value {
    let token = json!({ "grant_type": "client_credential", "appid": APP_ID, "secret": SECRET });
    let base = w.shop.wechat.pay_url();
    let answer = w.http().post(format!("{base}/cgi-bin/stable_token")).json(&token).send().await.unwrap();
    let token = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    let url = format!("{base}{path}?access_token={token}");
    w.http().post(url).json(&body).send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_shipped_received_and_written_about_as_the_register_wants_it() {
    let w = World::new().await;
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    let openid = w.wechat.openid("alice");
    let named = json!({ "merchant_id": MCH_ID, "merchant_trade_no": placed.out_trade_no });
    let get = async || ask_api(&w, "/wxa/sec/order/get_order", named.clone()).await["order"]["order_state"].clone();
    assert_eq!(get().await, 1);
    assert_eq!(ask_api(&w, "/wxa/sec/order/get_order", json!({ "mchid": MCH_ID })).await["errcode"], 268485195);
    let confirm =
        json!({ "merchant_id": MCH_ID, "merchant_trade_no": placed.out_trade_no, "received_time": 1791435600 });
    assert_eq!(ask_api(&w, "/wxa/sec/order/notify_confirm_receive", confirm.clone()).await["errcode"], 10060004);
    let upload = |company: &str, contact: Value| {
        json!({
            "order_key": { "order_number_type": 1, "mchid": MCH_ID, "out_trade_no": placed.out_trade_no },
            "logistics_type": 1, "delivery_mode": 1, "upload_time": "2026-10-08T13:29:35.120+08:00",
            "shipping_list": [{ "tracking_no": "SF1", "express_company": company, "item_desc": "苹果", "contact": contact }],
            "payer": { "openid": openid },
        })
    };
    for (company, contact, errcode) in [
        ("NOBODY", json!({}), 10060014),
        ("SF", json!({}), 10060014),
        ("SF", json!({ "receiver_contact": "13800001234" }), 10060014),
        ("SF", json!({ "receiver_contact": "138****123x" }), 10060014),
        ("SF", json!({ "consignor_contact": "138****1234" }), 0),
    ] {
        let answer = ask_api(&w, "/wxa/sec/order/upload_shipping_info", upload(company, contact)).await;
        assert_eq!(answer["errcode"], errcode, "{company}: {answer}");
    }
    let mut nothing = upload("ZTO", json!({}));
    nothing["shipping_list"] = json!([]);
    assert_eq!(ask_api(&w, "/wxa/sec/order/upload_shipping_info", nothing).await["errcode"], 10060020);
    assert_eq!(get().await, 2);
    for errcode in [0, 10060023] {
        assert_eq!(ask_api(&w, "/wxa/sec/order/notify_confirm_receive", confirm.clone()).await["errcode"], errcode);
    }
    assert_eq!(get().await, 3);
    let list = ask_api(&w, "/wxa/sec/order/get_order_list", json!({ "order_state": 3, "page_size": 1 })).await;
    assert_eq!((list["order_list"].as_array().unwrap().len(), &list["has_more"]), (1, &json!(false)));
    let wrong = ask_api(&w, "/wxa/sec/order/get_order_list", json!({ "last_index": "nobody" })).await;
    assert_eq!(wrong["errcode"], 10060011);
    for (path, errcode) in [("pages/order/order", 10060035), ("pages/order/order?no=${商品订单号}", 0)] {
        let answer = ask_api(&w, "/wxa/sec/order/update_order_detail_path", json!({ "path": path })).await;
        assert_eq!(answer["errcode"], errcode, "{path}");
    }
    let told = json!({
        "touser": openid,
        "template_id": "SimPickupTemplateIdOf43CharactersInAll00004",
        "data": { "character_string1": { "value": "X1" }, "thing2": { "value": "苹果" }, "phrase3": { "value": "可以来取" } },
    });
    let but = |at: &str, value: Value| {
        let mut told = told.clone();
        *told.pointer_mut(at).unwrap() = value;
        told
    };
    for (body, errcode) in [
        (told.clone(), 0),
        (but("/data/thing2/value", json!("果".repeat(21))), 47003),
        (but("/data/character_string1/value", json!("一号")), 47003),
        (but("/data", json!({ "thing2": { "value": "苹果" } })), 47003),
        (but("/template_id", json!("T")), 40037),
        (but("/touser", json!("oNobody")), 40003),
    ] {
        assert_eq!(ask_api(&w, "/cgi-bin/message/subscribe/send", body.clone()).await["errcode"], errcode, "{body}");
    }
    let (_, state) = steer(&w, reqwest::Method::GET, "state", Value::Null).await;
    assert_eq!(state["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_reaches_the_shop_in_clear_and_sealed_in_json_and_in_xml() {
    let settings = [("wechat.message_token", TOKEN), ("wechat.message_key", AES_KEY)];
    let w = World::with(Default::default(), &settings).await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, packer) = (w.buyer("alice").await, w.staff("packer", Role::Packer).await);
    for (sealed, xml) in [(false, false), (false, true), (true, false), (true, true)] {
        let placed = w.paid(&alice, sku, 1).await;
        packer.ship(&format!("/admin/orders/{}", placed.no)).await;
        let event = json!({
            "Event": "trade_manage_order_settlement", "transaction_id": w.transaction(&placed),
            "confirm_receive_method": 1, "confirm_receive_time": 1791435600,
        });
        let key = sealed.then(|| AES_KEY.to_owned());
        let url = w.at("/wechat/message");
        let push = Push { url, token: TOKEN.into(), encoding_aes_key: key, event, xml };
        assert_eq!(w.wechat.push(&push).await, Ok((200, "success".into())), "sealed {sealed}, xml {xml}");
        assert_eq!(alice.status(&placed.no).await, "completed", "sealed {sealed}, xml {xml}");
    }
    // From outside: by JSON, and never to another machine.
    let body =
        json!({ "url": w.at("/wechat/message"), "token": "wrong", "event": { "Event": "wxa_trade_controlled" } });
    assert_eq!(steer(&w, reqwest::Method::POST, "push", body).await.1["status"], 403);
    let body = json!({ "url": "https://shop.example.com/", "token": TOKEN, "event": {} });
    assert_eq!(steer(&w, reqwest::Method::POST, "push", body).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_and_every_way_is_on_the_page_and_in_json() {
    let w = World::new().await;
    let base = w.shop.wechat.pay_url().to_owned();
    let page = w.http().get(format!("{base}/")).send().await.unwrap().text().await.unwrap();
    let options: Vec<_> = page.split("<option value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let faults: Vec<_> = options.iter().take_while(|word| !word.starts_with(char::is_numeric)).collect();
    assert!(faults.len() >= 26, "{faults:?}");
    for word in &faults {
        let form = [("kind", "refund"), ("fault", **word), ("times", "1")];
        let answer = w.http().post(format!("{base}/control/fault")).form(&form).send().await.unwrap();
        let to = answer.headers()["location"].to_str().unwrap().to_owned();
        assert!(!to.contains("没有") && !to.contains("%E6%B2%A1"), "{word}: {to}");
    }
    let (_, state) = steer(&w, reqwest::Method::GET, "state", Value::Null).await;
    let listed = state["faults"].as_array().unwrap();
    assert_eq!(listed.len(), faults.len());
    // What is listed can be asked for again as it stands.
    for one in listed {
        let body = json!({ "kind": "notify", "fault": one["fault"], "times": 1 });
        assert_eq!(steer(&w, reqwest::Method::POST, "faults", body).await.0, 204, "{one}");
    }
    for name in state["ways"].as_object().unwrap().keys() {
        let snake = name
            .chars()
            .map(|c| if c.is_ascii_uppercase() { format!("_{}", c.to_ascii_lowercase()) } else { c.to_string() });
        let snake: String = snake.collect();
        let field = match snake.as_str() {
            "refund_end" => "end",
            "refund_takes_ms" => "takes",
            "refund_notices" => "notices",
            other => other.trim_end_matches("_fen"),
        };
        assert!(page.contains(&format!("name=\"{field}\"")), "{field} is not on the page");
    }
    for way in ["well", "notice_twice", "no_notice", "other_amount", "other_payer", "late"] {
        let body = json!({ "prepayId": "wx-nobody", "way": way });
        assert_eq!(steer(&w, reqwest::Method::POST, "pay", body).await.0, 422, "{way} is a way to pay");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_names_its_digest_where_it_shall() {
    let w = World::with(SignType::HmacSha256, &[]).await;
    w.wechat.ways(|ways| ways.names_sign_type = true);
    let sku = w.product("苹果", 8800, 99).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    assert!(w.wechat.notice(&placed.out_trade_no).unwrap().contains("HMAC-SHA256"));
    assert_eq!(alice.status(&placed.no).await, "to_ship");
}

/// The page that tells other people what they can rely on names what checks each rule, and what tries it.
#[test]
fn every_rule_on_the_page_has_its_check_and_its_test() {
    let text = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    fn all(folder: &std::path::Path, text: &dyn Fn(&std::path::Path) -> String) -> String {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files
            .map(|path| match path.is_dir() {
                true => all(&path, text),
                false if path.extension().is_some_and(|end| end == "rs") => text(&path),
                false => String::new(),
            })
            .collect()
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (checks, tests) = (all(&root.join("src/simulator"), &text), all(&root.join("tests"), &text));
    let page = text(&root.join("examples/simulated-wechat.md"));
    let rules = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix('|')?.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        matches!(cells[..], [_, check, test, ""] if !check.is_empty() && test.contains('_'))
            .then(|| (cells[1], cells[2]))
    });
    let rules: Vec<_> = rules.collect();
    assert!(rules.len() > 20, "{} rules", rules.len());
    for (check, test) in rules {
        assert!(checks.contains(&format!("fn {check}(")), "nothing in src/simulator is called {check}");
        assert!(tests.contains(&format!("fn {test}(")), "no test is called {test}");
    }
}

/// Its own interface is for other people's tests: they are told what was wrong with what they sent, in JSON.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_none_is_told_so_in_json() {
    let w = World::new().await;
    let at = w.shop.wechat.pay_url().trim_end_matches('/').to_owned();
    for (body, status, words) in [
        (r#"{"prepayId":"x"}"#, 422, "way"),
        (r#"{"prepayId":"x","way":"fast"}"#, 422, "fast"),
        (r#"{"prepayId":"x","way":"well","more":1}"#, 422, "more"),
        ("prepayId", 400, "JSON"),
        ("", 400, "JSON"),
    ] {
        let request =
            w.http().post(format!("{at}/simulator/pay")).header("Content-Type", "application/json").body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{body}");
        let said: serde_json::Value = answer.json().await.unwrap();
        assert!(said["error"].as_str().is_some(), "{body}: {said}");
        if words != "JSON" {
            assert!(said["error"].as_str().unwrap().contains(words), "{body}: {said}");
        }
    }
}
