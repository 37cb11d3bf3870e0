//! Another merchant number stands in the settings while money of the one before is still on its way: it is followed under
//! its own number or not at all, and a person is told what to do.

use xiaopu::clock::Day;
use xiaopu::refunds::store::NewRefund;
use xiaopu::refunds::{Origin, RefundState, store as refunds};
use xiaopu::simulator::{Fault, Paying, RefundEnd};
use xiaopu::staff::Role;
use xiaopu::wechat::v2::message::Message;
use xiaopu::wechat::v2::sign;

use crate::support::*;

pub const OTHER: &str = "1900000110";

/// A shop in this version whose owner may change the merchant number.
pub async fn shop(api: &str) -> World {
    super::v3::world_with(&[("wechat.api", api), ("wechat.mch_id", "")]).await
}

pub async fn set_to(owner: &Console<'_>, number: &str) -> String {
    owner.post("/admin/settings", &[("wechat-mch_id", number)]).await;
    owner.said("/admin/settings").await
}

/// Set to the shop's first number, with an order that waits to be paid.
pub async fn begun(w: &World) -> (Console<'_>, Buyer<'_>, Placed) {
    let owner = w.staff("owner", Role::Owner).await;
    set_to(&owner, MCH_ID).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let placed = Placed::of(alice.buy(sku, 1).await);
    (owner, alice, placed)
}

/// Money that WeChat knows and no attempt here does; answers with its exception.
pub async fn orphan(w: &World, buyer: &Buyer<'_>, placed: &Placed) -> i64 {
    let lost =
        format!("update attempts set out_trade_no = 'lost-' || id where out_trade_no = '{}'", placed.out_trade_no);
    w.shop.write(move |tx| Ok(tx.execute_batch(&lost)?)).await.unwrap();
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    if w.shop.settings().api() == xiaopu::wechat::Api::V3 {
        let notice = w.wechat.notice_v3(&placed.out_trade_no, None).unwrap();
        assert_eq!(super::v3::knock(w, &notice.headers, &notice.body).await.0, 204);
    } else {
        let mut notice = w.notice(placed, "alice");
        notice.set("transaction_id", w.transaction(placed));
        w.notify(signed(&notice)).await;
    }
    assert_eq!(buyer.status(&placed.no).await, "pending_payment");
    w.count("select max(id) from money_exceptions where kind = 'orphan_payment'").await
}

async fn last_refund(w: &World) -> String {
    let sql = "select out_refund_no from refunds order by id desc limit 1";
    let read =
        move |conn: &rusqlite::Connection| Ok::<_, xiaopu::error::Error>(conn.query_row(sql, [], |row| row.get(0))?);
    w.shop.db.read(read).await.unwrap()
}

fn asked(w: &World) -> u64 {
    ["refund", "refundquery", "orderquery"].iter().map(|kind| w.wechat.calls(kind)).sum()
}

/// For longer than a job is tried.
pub async fn two_days(w: &World) {
    for hours in [1, 25, 24, 1] {
        w.advance(hours * 60 * MINUTE);
        w.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_an_orphan_waits_for_the_number_that_took_it() {
    for api in ["v2", "v3"] {
        let w = shop(api).await;
        let (owner, alice, placed) = begun(&w).await;
        let exception = orphan(&w, &alice, &placed).await;
        w.wechat.ways(|ways| ways.refund_notices = false);
        w.wechat.fault("refund", Fault::LoseAnswer);
        owner.post(&format!("/admin/exceptions/{exception}/refund"), &[]).await;
        w.run_jobs().await;
        let number = last_refund(&w).await;
        let processing = "select count(*) from refunds where state = 'processing'";
        assert_eq!(w.count(processing).await, 1, "{api}");
        let said = set_to(&owner, OTHER).await;
        assert!(said.contains("还有 1 笔退款没有办完"), "{api}: {said}");
        let before = asked(&w);
        two_days(&w).await;
        assert_eq!((asked(&w), w.count(processing).await), (before, 1), "{api}: nobody is asked in another name");
        assert_eq!(w.count("select count(*) from jobs where kind = 'refund' and state = 'needs_person'").await, 1);
        let page = owner.page(&format!("/admin/refunds/{number}")).await;
        assert!(page.contains(&format!("这笔款是用商户号 {MCH_ID} 收的")), "{api}: {page}");
        let left = format!("商户号 {MCH_ID} 名下还有 ");
        assert!(owner.page("/admin").await.contains(&left), "{api}");
        owner.post(&format!("/admin/refunds/{number}/other-means"), &[("words", "银行转账")]).await;
        assert_eq!((asked(&w), w.count(processing).await), (before, 1), "{api}: nobody has looked");
        // The number is back: what was left to a person is taken up by itself.
        set_to(&owner, MCH_ID).await;
        super::refunds::until(&w, &number, "succeeded").await;
        assert_eq!(w.wechat.refunds(&w.transaction(&placed)).len(), 1, "{api}");
        assert!(!owner.page("/admin").await.contains(&left), "{api}");
        w.must_hold().await;
    }
}

/// What has no attempt goes back through the version that told of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_goes_back_by_the_version_that_took_it() {
    for (api, next) in [("v2", "v3"), ("v3", "v2")] {
        let w = super::v3::world_with(&[("wechat.api", "")]).await;
        let owner = w.staff("owner", Role::Owner).await;
        owner.post("/admin/settings", &[("wechat-api", api)]).await;
        let sku = w.product("苹果", 1000, 99).await;
        let alice = w.buyer("alice").await;
        let placed = Placed::of(alice.buy(sku, 1).await);
        let exception = orphan(&w, &alice, &placed).await;
        owner.post("/admin/settings", &[("wechat-api", next)]).await;
        // What the key of v2 alone told of is asked about before it goes back.
        w.wait("WeChat's word", || async { w.count("select count(*) from told_alone").await == 0 }).await;
        owner.post(&format!("/admin/exceptions/{exception}/refund"), &[]).await;
        let number = last_refund(&w).await;
        super::refunds::until(&w, &number, "succeeded").await;
        let sent = format!("select count(*) from refunds where json_extract(params, '$.api') = '{api}'");
        assert_eq!(w.count(&sent).await, 1, "{api}");
        w.must_hold().await;
    }
}

/// Money from before it was noted where it came in: WeChat itself tells whether it is today's number's, and until then
/// nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn old_money_is_given_back_once_it_is_known_whose_it_is() {
    let absent = Fault::refused("ORDERNOTEXIST", "订单不存在");
    for (fault, words) in [
        (None, ""),
        (Some(Fault::Http500), "还没能向微信问清这笔款是用哪个商户号收的"),
        (Some(absent), "不知道这笔款是用哪个商户号收的"),
    ] {
        let w = shop("v2").await;
        let (owner, alice, placed) = begun(&w).await;
        let exception = orphan(&w, &alice, &placed).await;
        w.shop.write(|tx| Ok(tx.execute_batch("delete from strays")?)).await.unwrap();
        if let Some(fault) = fault {
            w.wechat.fault_always("orderquery", fault);
        }
        owner.post(&format!("/admin/exceptions/{exception}/refund"), &[]).await;
        w.run_jobs().await;
        w.advance(MINUTE);
        w.run_jobs().await;
        let number = last_refund(&w).await;
        let page = owner.page(&format!("/admin/refunds/{number}")).await;
        assert!(page.contains(words), "{words}: {page}");
        assert_eq!(w.wechat.calls("refund") == 0, !words.is_empty(), "{words}");
        w.wechat.clear_faults();
        super::refunds::until(&w, &number, "succeeded").await;
        assert_eq!(w.count(format!("select count(*) from strays where mch_id = '{MCH_ID}'")).await, 1, "{words}");
        w.must_hold().await;
    }
}

/// The number before may be gone for good: a person looks in WeChat's console and says so, and nobody is asked in another
/// name. One refund that was never sent, one whose answer was lost, one that the bank sent back.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_has_looked_up_is_registered_without_asking() {
    let w = shop("v2").await;
    let owner = w.staff("owner", Role::Owner).await;
    set_to(&owner, MCH_ID).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let (unsent, lost, bounced) =
        (w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await, w.paid(&alice, sku, 1).await);
    w.wechat.ways(|ways| ways.refund_notices = false);
    let bounced = super::refunds::refund_pieces(&w, &owner, &bounced, 1).await;
    w.run_jobs().await;
    w.wechat.end_refund(&bounced, RefundEnd::Change).unwrap();
    super::refunds::until(&w, &bounced, "abnormal").await;
    w.wechat.fault("refund", Fault::LoseAnswer);
    let lost = super::refunds::refund_pieces(&w, &owner, &lost, 1).await;
    w.run_jobs().await;
    set_to(&owner, OTHER).await;
    let unsent = super::refunds::refund_pieces(&w, &owner, &unsent, 1).await;
    w.run_jobs().await;
    let before = asked(&w);
    let succeeded = |number: &str| {
        w.count(format!("select count(*) from refunds where state = 'succeeded' and out_refund_no = '{number}'"))
    };
    for (number, state) in [(&unsent, "failed"), (&lost, "processing"), (&bounced, "abnormal")] {
        let here = format!("/admin/refunds/{number}");
        let sql = format!("select count(*) from refunds where state = '{state}' and out_refund_no = '{number}'");
        assert_eq!(w.count(sql).await, 1, "{state}");
        let page = owner.page(&here).await;
        assert!(page.contains("name=\"looked\""), "{state}: {page}");
        owner.post(&format!("{here}/other-means"), &[("words", "银行转账")]).await;
        let said = owner.said(&here).await;
        assert!(said.contains("确认没有退过，再勾选"), "{state}: {said}");
        assert_eq!(succeeded(number).await, 0, "{state}: nobody has looked");
        owner.post(&format!("{here}/other-means"), &[("words", "银行转账"), ("looked", "true")]).await;
        assert_eq!(succeeded(number).await, 1, "{state}: {}", owner.said(&here).await);
    }
    let audited = "select count(*) from audit_log where what like '%本人在商户平台核对过%'";
    assert_eq!(w.count(audited).await, 3);
    assert_eq!(asked(&w), before, "nobody is asked in another name");
    // Under the right number WeChat is asked, whatever anybody says he has seen.
    set_to(&owner, MCH_ID).await;
    let again = w.paid(&alice, sku, 1).await;
    w.wechat.fault("refund", Fault::refused("USER_ACCOUNT_ABNORMAL", "注销"));
    let again = super::refunds::refund_pieces(&w, &owner, &again, 1).await;
    w.run_jobs().await;
    w.wechat.fault_always("refundquery", Fault::Http500);
    owner.post(&format!("/admin/refunds/{again}/other-means"), &[("words", "现金"), ("looked", "true")]).await;
    assert_eq!(succeeded(&again).await, 0);
    w.must_hold().await;
}

/// A notice that the console has given back a payment of the number before: heard where the payment is ours, and nothing
/// is believed of it before WeChat can be asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_made_in_the_console_of_the_number_before_is_heard_of() {
    let w = shop("v2").await;
    let owner = w.staff("owner", Role::Owner).await;
    set_to(&owner, MCH_ID).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    set_to(&owner, OTHER).await;
    w.wechat.ways(|ways| ways.refund_notices = false);
    let transaction = w.transaction(&placed);
    w.wechat.refund_by_console(&transaction, 400).unwrap();
    let first = w.wechat.refunds(&transaction)[0].out_refund_no.clone();
    let told = async |mch_id: &str, transaction: &str, number: &str| {
        let inner = Message::from([
            ("out_refund_no", number),
            ("refund_status", "SUCCESS"),
            ("transaction_id", transaction),
            ("out_trade_no", &placed.out_trade_no),
        ]);
        let plain = inner.to_xml().replace("xml>", "root>");
        let mut notice = Message::from([("return_code", "SUCCESS"), ("appid", APP_ID), ("mch_id", mch_id)]);
        notice.set("req_info", sign::seal_req_info(plain.as_bytes(), &KEY.parse().unwrap()));
        let answer = w.http().post(w.at("/wechat/refund/notify")).body(notice.to_xml()).send().await.unwrap();
        answer.text().await.unwrap()
    };
    for (mch_id, transaction, word) in [
        (MCH_ID, "4200009999202610080000000001", "OTHER_MERCHANT"),
        ("1900000999", transaction.as_str(), "OTHER_MERCHANT"),
        ("", transaction.as_str(), "OTHER_MERCHANT"),
        (MCH_ID, transaction.as_str(), "SUCCESS"),
    ] {
        let answer = told(mch_id, transaction, &first).await;
        assert!(answer.contains(word), "{mch_id} {transaction}: {answer}");
    }
    let before = asked(&w);
    w.run_jobs().await;
    assert_eq!(asked(&w), before);
    let page = owner.page(&format!("/admin/orders/{}", placed.no)).await;
    assert!(page.contains(&format!("在商户号 {MCH_ID} 的商户平台退过这笔款")), "{page}");
    assert_eq!(w.count("select count(*) from refunds").await, 0, "it carries no signature");
    // Somebody looks before the goods leave.
    owner.ship(&format!("/admin/orders/{}", placed.no)).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    // Whoever has looked has looked at that one, and not at the next.
    w.advance(SECOND);
    let open = "select count(*) from money_exceptions where subject like '% gone back' and state = 'open'";
    let id = w.count("select max(id) from money_exceptions where subject like '% gone back'").await;
    let looked = [("resolution", "退了差价，照发")];
    owner.post(&format!("/admin/exceptions/{id}/resolve"), &looked).await;
    w.wechat.refund_by_console(&transaction, 100).unwrap();
    let mut both = w.wechat.refunds(&transaction).into_iter().map(|refund| refund.out_refund_no);
    let second = both.find(|number| *number != first).unwrap();
    for (number, n) in [(&first, 0), (&second, 1)] {
        told(MCH_ID, &transaction, number).await;
        assert_eq!(w.count(open).await, n);
    }
    owner.ship(&format!("/admin/orders/{}", placed.no)).await;
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    two_days(&w).await;
    set_to(&owner, MCH_ID).await;
    for _ in 0..3 {
        w.run_jobs().await;
        w.advance(MINUTE);
    }
    assert_eq!(alice.order(&placed.no).await["refundedFen"], 500);
    assert_eq!(w.count(open).await, 0);
    w.must_hold().await;
}

/// A payment of 500 fen that came in on this day under the number before, for no attempt.
async fn money_of_before(w: &World, placed: &Placed, day: Day, number: Option<&str>) -> String {
    let transaction = format!("42-before-{}", day.shown());
    let mut notice = w.notice(placed, "alice");
    for (name, value) in [("out_trade_no", "BEFORE-0001"), ("total_fee", "500"), ("cash_fee", "500")] {
        notice.set(name, value);
    }
    notice.set("transaction_id", transaction.clone());
    notice.set("time_end", format!("{}120000", day.shown().replace('-', "")));
    w.notify(signed(&notice)).await;
    let whose = match number {
        Some(number) => format!("update strays set mch_id = '{number}'"),
        None => "delete from strays".to_owned(),
    };
    w.shop.write(move |tx| Ok(tx.execute_batch(&whose)?)).await.unwrap();
    transaction
}

/// WeChat took a refund of that payment on, this day at noon.
async fn refund_of_before(w: &World, transaction: String, day: Day) {
    let write = move |tx: &xiaopu::db::Tx| {
        let new = NewRefund {
            out_refund_no: "20261007ABCDEFGHJKR01".parse().unwrap(),
            order_id: None,
            inside: false,
            transaction_id: Some(transaction.clone()),
            payment: xiaopu::money::Fen::new(500).unwrap(),
            origin: Origin::Staff,
            state: RefundState::Processing,
            amount: xiaopu::money::Fen::new(500).unwrap(),
            freight: Default::default(),
            reason: "协商一致退款".into(),
            description: String::new(),
            requested_by: String::new(),
            not_before: 0,
            asked_as: None,
        };
        let id = refunds::insert(tx, &new, &[])?;
        Ok(refunds::set_accepted(tx, id, "50300-before", day.start() + 12 * 60 * MINUTE)?)
    };
    w.shop.write(write).await.unwrap();
}

/// What a day has of the number before besides a payment of today's, and what today's bill alone makes of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_settled_when_each_number_with_money_on_it_is() {
    enum Before {
        Nothing,
        Payment,
        Refund,
        Unknown,
        InUse,
    }
    let other = format!("商户号 {OTHER}");
    for (what, before, sold, state, words) in [
        ("nothing", Before::Nothing, true, "equal", ""),
        ("a payment", Before::Payment, true, "failed", "另有 1 笔收付"),
        ("only a payment", Before::Payment, false, "failed", "另有 1 笔收付"),
        ("a refund", Before::Refund, true, "failed", "另有 1 笔收付"),
        ("only a refund", Before::Refund, false, "failed", "另有 1 笔收付"),
        ("nothing that is known of", Before::InUse, true, "failed", "这一天也用过"),
        ("a payment of nobody knows which", Before::Unknown, true, "differs", "本店有付款，微信没有"),
    ] {
        let w = shop("v2").await;
        let owner = w.staff("owner", Role::Owner).await;
        set_to(&owner, MCH_ID).await;
        let today = Day::of(w.shop.now());
        let until = if matches!(before, Before::InUse) { today.start() } else { today.start() - 1 };
        let moved = format!("insert into merchant_numbers values ('{OTHER}', {}, {until})", today.plus(-9).start());
        w.shop.write(move |tx| Ok(tx.execute_batch(&moved)?)).await.unwrap();
        let sku = w.product("苹果", 1000, 99).await;
        let alice = w.buyer("alice").await;
        let placed = Placed::of(alice.buy(sku, 1).await);
        if sold {
            w.pay(&placed, Paying::Well);
            w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
        }
        match before {
            Before::Nothing | Before::InUse => {}
            Before::Payment => drop(money_of_before(&w, &placed, today, Some(OTHER)).await),
            Before::Unknown => drop(money_of_before(&w, &placed, today, None).await),
            Before::Refund => {
                let transaction = money_of_before(&w, &placed, today.plus(-3), Some(OTHER)).await;
                refund_of_before(&w, transaction, today).await;
            }
        }
        super::v3::next_morning(&w).await;
        let day = today.shown();
        let stands = |state: &str| {
            let day = day.replace('-', "");
            w.count(format!("select count(*) from bills where day = '{day}' and state = '{state}'"))
        };
        w.wait(what, || async { stands(state).await == 1 }).await;
        let page = owner.page(&format!("/admin/money/{day}")).await;
        assert!(page.contains(words), "{what}: {page}");
        assert_eq!(page.contains(&other), state == "failed", "{what}: {page}");
        // By hand it is no other.
        owner.post(&format!("/admin/money/{day}/match"), &[]).await;
        w.run_jobs().await;
        assert_eq!(stands(state).await, 1, "{what}");
        // The number is gone for good: somebody has looked in its console. Of today's there is a bill.
        for (number, settles) in [(MCH_ID, false), ("1900000999", false), (OTHER, state == "failed")] {
            owner.post(&format!("/admin/money/{day}/looked"), &[("number", number)]).await;
            assert_eq!(stands(state).await == 0, settles, "{what} {number}");
        }
    }
}

/// The bill of the number before is fetched when that is back, also for the days in between: what somebody did in its
/// console meanwhile stands nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn the_days_that_wait_for_a_number_are_matched_when_it_is_back() {
    let w = shop("v2").await;
    let owner = w.staff("owner", Role::Owner).await;
    set_to(&owner, MCH_ID).await;
    let sku = w.product("苹果", 1000, 99).await;
    let alice = w.buyer("alice").await;
    let placed = w.paid(&alice, sku, 1).await;
    let first = Day::of(w.shop.now());
    set_to(&owner, OTHER).await;
    let day = |day: Day| day.shown().replace('-', "");
    let stands = |of: Day, state: &str| {
        w.count(format!("select count(*) from bills where day = '{}' and state = '{state}'", day(of)))
    };
    super::v3::next_morning(&w).await;
    assert_eq!(stands(first, "failed").await, 1);
    let page = owner.page(&format!("/admin/money/{}", first.shown())).await;
    assert!(page.contains(&format!("另有 1 笔收付是用商户号 {MCH_ID} 办的")), "{page}");
    w.wechat.ways(|ways| ways.refund_notices = false);
    w.wechat.refund_by_console(&w.transaction(&placed), 400).unwrap();
    let second = Day::of(w.shop.now());
    super::v3::next_morning(&w).await;
    assert_eq!(alice.order(&placed.no).await["refundedFen"], 0);
    set_to(&owner, MCH_ID).await;
    for _ in 0..4 {
        w.run_jobs().await;
        w.advance(MINUTE);
    }
    for of in [first, second] {
        assert_eq!(stands(of, "equal").await, 1, "{}", of.shown());
    }
    assert_eq!(alice.order(&placed.no).await["refundedFen"], 400);
    w.must_hold().await;
}

/// Asked under another number, WeChat knows nothing of a payment, and that proves nothing: what only the key of v2 tells of
/// waits for the number that it names.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_key_of_v2_tells_of_the_number_before_is_asked_when_that_is_back() {
    let w = shop("v3").await;
    let (owner, alice, placed) = begun(&w).await;
    let lost =
        format!("update attempts set out_trade_no = 'lost-' || id where out_trade_no = '{}'", placed.out_trade_no);
    w.shop.write(move |tx| Ok(tx.execute_batch(&lost)?)).await.unwrap();
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    let mut notice = w.notice(&placed, "alice");
    notice.set("transaction_id", w.transaction(&placed));
    set_to(&owner, OTHER).await;
    let before = w.wechat.calls("orderquery");
    w.notify(signed(&notice)).await;
    two_days(&w).await;
    assert_eq!(w.wechat.calls("orderquery"), before, "nobody is asked in another name");
    assert!(owner.page("/admin/exceptions").await.contains(&format!("通知写的商户号是 {MCH_ID}")));
    assert_eq!(w.count("select count(*) from ledger where kind = 'payment'").await, 0);
    set_to(&owner, MCH_ID).await;
    w.run_jobs().await;
    w.wait("the money", || async { w.count("select count(*) from ledger where kind = 'payment'").await == 1 }).await;
    // Its order, whose attempt nobody finds, is not paid by it.
    assert!(["pending_payment", "closed"].contains(&alice.status(&placed.no).await.as_str()));
    w.must_hold().await;
}

/// What WeChat signs for a number that the shop had is the shop's money, also where no attempt here was made for it; what
/// names an app that the shop never had is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_the_number_before_that_no_attempt_was_made_for_is_kept() {
    for api in ["v2", "v3"] {
        let w = shop(api).await;
        let (owner, alice, placed) = begun(&w).await;
        set_to(&owner, OTHER).await;
        orphan(&w, &alice, &placed).await;
        let whose = format!("select count(*) from strays where mch_id = '{MCH_ID}'");
        assert_eq!(w.count(whose.leak()).await, 1, "{api}");
        assert_eq!(w.count("select count(*) from money_exceptions where kind = 'orphan_payment'").await, 1, "{api}");
        if api == "v2" {
            let mut notice = w.notice(&placed, "alice");
            notice.set("transaction_id", "42-elsewhere");
            notice.set("appid", "wx0000000000000000");
            w.notify(signed(&notice)).await;
            assert_eq!(w.count("select count(*) from ledger where wechat_id = '42-elsewhere'").await, 0);
        }
        w.must_hold().await;
    }
}
