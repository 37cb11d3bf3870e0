//! What is under way that today's settings cannot follow: somebody is told, and can settle it; what comes back goes on by itself.

use xiaopu::clock::Day;
use xiaopu::db::Tx;
use xiaopu::reconcile::{BillState, parts};
use xiaopu::simulator::{Fault, Paying};
use xiaopu::staff::Role;
use xiaopu::wechat::bill::Others;

use super::numbers::{OTHER, begun, set_to, shop, two_days};
use super::v3::{keys, knock, world_with};
use crate::support::*;

const OTHER_KEY: &str = "ffffffffffffffffffffffffffffffff";
const OTHER_ID: &str = "PUB_KEY_ID_0119000001102026112800000002";

/// A shop whose keys of API v3 all stand in the settings.
async fn movable() -> World {
    let w = World::with(Default::default(), &[("wechat.mch_id", ""), ("wechat.api", "")]).await;
    w.wechat.with_v3(&keys()).unwrap();
    let owner = w.staff("owner", Role::Owner).await;
    let keys = keys();
    let form = [
        ("wechat-mch_id", MCH_ID),
        ("wechat-api", "v3"),
        ("wechat-v3_key", keys.v3_key.as_str()),
        ("wechat-mch_key", &keys.merchant.private),
        ("wechat-mch_serial", &keys.serial),
        ("wechat-public_key", &keys.platform.public),
        ("wechat-public_key_id", &keys.public_id),
    ];
    owner.post("/admin/settings", &form).await;
    w
}

/// As a configuration without it would: the page would not let go of what is still needed.
async fn lose(w: &World, name: &'static str) {
    w.shop.write(move |tx| Ok(xiaopu::settings::store::remove(tx, name)?)).await.unwrap();
    w.shop.reload_settings().await.unwrap();
}

/// The keys of the new number are right, and what WeChat still seals for the old one says nothing of them: neither that they
/// are wrong nor that they are right again.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_the_number_before_says_nothing_of_the_keys_of_today() {
    let w = movable().await;
    let owner = w.staff("boss", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    let placed = Placed::of(alice.buy(sku, 1).await);
    w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
    let form = [("wechat-mch_id", OTHER), ("wechat-v3_key", OTHER_KEY), ("wechat-public_key_id", OTHER_ID)];
    owner.post("/admin/settings", &form).await;
    let told = async |fault: Option<Fault>| {
        let notice = w.wechat.notice_v3(&placed.out_trade_no, fault.as_ref()).unwrap();
        knock(&w, &notice.headers, &notice.body).await.0
    };
    assert_eq!(told(None).await, 204);
    assert_eq!(alice.status(&placed.no).await, "to_ship");
    let home = owner.page("/admin").await;
    assert!(!home.contains("更换前的"), "{home}");
    let log = owner.page("/admin/transactions?kind=notify").await;
    let id = log.split("/admin/transactions/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = owner.page(&format!("/admin/transactions/{id}")).await;
    assert!(page.contains(&format!("商户号 {MCH_ID} 的通知仍用它")), "{page}");
    // What cannot be opened is told, and a good notice of the old number does not take that back.
    assert_eq!(told(Some(Fault::TagChanged)).await, 500);
    assert!(owner.page("/admin").await.contains("APIv3 密钥打不开"));
    assert_eq!(told(None).await, 204);
    assert!(owner.page("/admin").await.contains("APIv3 密钥打不开"));
    // Under the number that it speaks of, a key of before is told of, and what was said of another number's is over.
    owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID)]).await;
    assert!(!owner.page("/admin").await.contains("APIv3 密钥打不开"));
    assert_eq!(told(None).await, 204);
    assert!(owner.page("/admin").await.contains("微信还在用更换前的 APIv3 密钥"));
    w.must_hold().await;
}

/// Keys that the configuration takes away while something waits for them, of the version that new orders do not use.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_gone_while_something_waits_for_them_are_told_of() {
    let w = movable().await;
    let owner = w.staff("boss", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    let paid = w.paid(&alice, sku, 1).await;
    let waits = Placed::of(alice.buy(sku, 1).await);
    super::refunds::refund_pieces(&w, &owner, &paid, 1).await;
    owner.post("/admin/settings", &[("wechat-api", "v2")]).await;
    let left = "1 笔没付完的支付单、1 笔没办完的退款是用 API v3 办的";
    assert!(!owner.page("/admin").await.contains(left));
    lose(&w, "wechat.v3_key").await;
    let home = owner.page("/admin").await;
    assert!(home.contains(left) && home.contains("API v3 还缺 APIv3 密钥"), "{home}");
    // WeChat goes on telling, and nobody here can look at it.
    let unread = "收到了 API v3 的通知，却看不了";
    assert!(!owner.page("/admin").await.contains(unread));
    w.wechat.pay_unheard(&waits.prepay_id, Paying::Well).unwrap();
    let notice = w.wechat.notice_v3(&waits.out_trade_no, None).unwrap();
    assert_eq!(knock(&w, &notice.headers, &notice.body).await.0, 503);
    let home = owner.page("/admin").await;
    assert!(home.contains(unread), "{home}");
    owner.post("/admin/settings", &[("wechat-v3_key", &keys().v3_key)]).await;
    let home = owner.page("/admin").await;
    assert!(!home.contains(unread) && !home.contains(left), "{home}");
    let notice = w.wechat.notice_v3(&waits.out_trade_no, None).unwrap();
    assert_eq!(knock(&w, &notice.headers, &notice.body).await.0, 204);
    w.must_hold().await;
}

/// Anybody can knock at the door of a version that a shop never used.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_never_used_a_version_is_not_alarmed_by_its_door() {
    let w = World::new().await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 8800, 99).await, w.buyer("alice").await);
    w.paid(&alice, sku, 1).await;
    assert_eq!(knock(&w, &[], b"{}").await.0, 503);
    let home = owner.page("/admin").await;
    assert!(!home.contains("看不了") && !home.contains("API v3"), "{home}");
}

/// An attempt of the number before that gave way to another one can still be paid, and counts. Where the number is gone for
/// good, somebody looks in its console and says so.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_of_the_number_before_counts_until_it_is_settled() {
    for again in [false, true] {
        let w = shop("v2").await;
        let (owner, alice, placed) = begun(&w).await;
        set_to(&owner, OTHER).await;
        if again {
            // Another attempt takes its place, and WeChat does not know the new number here.
            alice.post(&format!("/orders/{}/prepay", placed.no), None).await;
            assert_eq!(
                w.count("select count(*) from attempts where state = 'failed' and prepay_id is not null").await,
                1
            );
        }
        let left = format!("商户号 {MCH_ID} 名下还有 1 笔没付完的支付单");
        let home = owner.page("/admin").await;
        assert!(home.contains(&left) && home.contains(&format!("支付单在订单页登记（例如 {}）", placed.no)), "{home}");
        let here = format!("/admin/orders/{}", placed.no);
        let page = owner.page(&here).await;
        assert!(page.contains(&format!("{here}/unpaid")), "{again}: {page}");
        let clerk = w.staff("clerk", Role::Clerk).await;
        assert!(!clerk.page(&here).await.contains("/unpaid"));
        assert_eq!(clerk.post(&format!("{here}/unpaid"), &[]).await.0, 403);
        owner.post(&format!("{here}/unpaid"), &[]).await;
        assert!(!owner.page("/admin").await.contains(&left), "{again}");
        let page = owner.page(&here).await;
        assert!(page.contains("owner在商户平台查过") && !page.contains("/unpaid"), "{again}: {page}");
        assert_eq!(
            w.count("select count(*) from audit_log where what like '%本人在商户平台核对过，没有付款'").await,
            1
        );
        assert_eq!(w.count("select count(*) from jobs where kind = 'close' and state <> 'done'").await, 0, "{again}");
        owner.post(&format!("{here}/unpaid"), &[]).await;
        assert!(owner.said(&here).await.contains("没有等着登记的支付单"), "{again}");
        if again {
            two_days(&w).await;
            assert_eq!(w.count("select count(*) from jobs where state = 'needs_person'").await, 0);
            assert_eq!(w.count("select count(*) from orders where holds_stock = 1").await, 0);
        } else {
            // He was mistaken: the money is kept all the same.
            w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
            let mut notice = w.notice(&placed, "alice");
            notice.set("transaction_id", w.transaction(&placed));
            w.notify(signed(&notice)).await;
            assert_eq!(w.count("select count(*) from ledger where kind = 'payment'").await, 1);
            assert_eq!(alice.status(&placed.no).await, "to_ship");
        }
        w.must_hold().await;
    }
}

/// The commonest way over to API v3 is with a new merchant number: what was begun by v2 under the number before can be asked of nobody any
/// more, and is paid by its notice, as it was said that it would be.
#[tokio::test(flavor = "multi_thread")]
async fn what_v2_tells_of_a_number_that_was_left_is_entered_in_a_shop_by_v3() {
    for closed in [false, true] {
        let w = shop("").await;
        let owner = w.staff("owner", Role::Owner).await;
        owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID), ("wechat-api", "v2")]).await;
        let (sku, alice) = (w.product("苹果", 1000, 99).await, w.buyer("alice").await);
        let placed = Placed::of(alice.buy(sku, 1).await);
        owner.post("/admin/settings", &[("wechat-mch_id", OTHER), ("wechat-api", "v3")]).await;
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        if closed {
            w.advance(70 * MINUTE);
            w.wait("the closing", || async {
                w.run_jobs().await;
                alice.status(&placed.no).await == "closed"
            })
            .await;
        }
        let mut notice = w.notice(&placed, "alice");
        notice.set("transaction_id", w.transaction(&placed));
        w.notify(signed(&notice)).await;
        w.run_jobs().await;
        assert_eq!(alice.status(&placed.no).await, "to_ship", "{closed}");
        assert_eq!(w.count("select count(*) from ledger where kind = 'payment'").await, 1, "{closed}");
        w.must_hold().await;
    }
}

/// A notice of v2 that WeChat neither confirmed nor denied before its attempt was given up is left to somebody, and never to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_did_not_answer_about_before_an_attempt_ended_is_left_to_somebody() {
    for how in ["silent", "left", "said unpaid"] {
        let w = shop("").await;
        let owner = w.staff("owner", Role::Owner).await;
        owner.post("/admin/settings", &[("wechat-mch_id", MCH_ID), ("wechat-api", "v2")]).await;
        let (sku, alice) = (w.product("苹果", 1000, 99).await, w.buyer("alice").await);
        let placed = Placed::of(alice.buy(sku, 1).await);
        owner.post("/admin/settings", &[("wechat-api", "v3")]).await;
        w.wechat.fault_always("orderquery", Fault::Http500);
        w.wechat.pay_unheard(&placed.prepay_id, Paying::Well).unwrap();
        let mut notice = w.notice(&placed, "alice");
        notice.set("transaction_id", w.transaction(&placed));
        w.notify(signed(&notice)).await;
        w.run_jobs().await;
        if how != "silent" {
            owner.post("/admin/settings", &[("wechat-mch_id", OTHER)]).await;
        }
        let items = "select count(*) from money_exceptions where state = 'open'";
        assert_eq!(w.count(items).await, 0, "{how}");
        if how == "said unpaid" {
            owner.post(&format!("/admin/orders/{}/unpaid", placed.no), &[]).await;
        }
        let ended = "select count(*) from attempts where state = 'closed'";
        w.wait("the end", || async {
            w.advance(60 * MINUTE);
            w.run_jobs().await;
            w.count(ended).await == 1
        })
        .await;
        assert_eq!(w.count("select count(*) from ledger").await, 0, "{how}");
        assert_eq!(w.count(items).await, 1, "{how}");
        let inbox = owner.page("/admin/exceptions").await;
        assert!(inbox.contains("支付单结束之前没有向微信查成"), "{how}: {inbox}");
        let id = w.count("select max(id) from money_exceptions").await;
        w.wechat.clear_faults();
        set_to(&owner, MCH_ID).await;
        owner.post(&format!("/admin/exceptions/{id}/ask"), &[]).await;
        w.wait("WeChat's word", || async {
            w.run_jobs().await;
            w.count("select count(*) from ledger where kind = 'payment'").await == 1
        })
        .await;
        w.must_hold().await;
    }
}

/// Nobody settles what WeChat can be asked about.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_of_todays_number_is_settled_by_nobodys_word() {
    let w = shop("v2").await;
    let (owner, alice, placed) = begun(&w).await;
    let here = format!("/admin/orders/{}", placed.no);
    assert!(!owner.page(&here).await.contains("/unpaid"));
    owner.post(&format!("{here}/unpaid"), &[]).await;
    assert!(owner.said(&here).await.contains("没有等着登记的支付单"));
    w.pay(&placed, Paying::Well);
    w.wait("the payment", || async { alice.status(&placed.no).await == "to_ship" }).await;
    w.must_hold().await;
}

/// What could not be sent under another number goes out by itself when the right one is back; not where WeChat has given
/// something back meanwhile, for that may be the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_waited_for_its_number_goes_on_by_itself() {
    for (api, meanwhile) in [("v2", false), ("v3", false), ("v2", true), ("v3", true)] {
        let w = shop(api).await;
        let owner = w.staff("owner", Role::Owner).await;
        set_to(&owner, MCH_ID).await;
        let (sku, alice) = (w.product("苹果", 1000, 99).await, w.buyer("alice").await);
        let placed = w.paid(&alice, sku, 3).await;
        set_to(&owner, OTHER).await;
        let first = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
        w.run_jobs().await;
        let second = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
        w.run_jobs().await;
        let page = owner.page(&format!("/admin/refunds/{first}")).await;
        assert!(page.contains(&format!("换回 {MCH_ID} 后系统会自己接着退")), "{api}: {page}");
        two_days(&w).await;
        assert_eq!(w.count("select count(*) from refunds where state = 'failed'").await, 2, "{api}");
        if meanwhile {
            w.wechat.ways(|ways| ways.refund_notices = false);
            w.wechat.refund_by_console(&w.transaction(&placed), 1000).unwrap();
        }
        set_to(&owner, MCH_ID).await;
        if meanwhile {
            w.run_jobs().await;
            assert_eq!(w.wechat.calls("refund"), 0, "{api}");
            for number in [&first, &second] {
                let page = owner.page(&format!("/admin/refunds/{number}")).await;
                assert!(page.contains("微信说这笔款有过退款"), "{api}: {page}");
            }
            // Somebody has looked, and sends one.
            owner.post(&format!("/admin/refunds/{first}/retry"), &[]).await;
            super::refunds::until(&w, &first, "succeeded").await;
        } else {
            super::refunds::until(&w, &first, "succeeded").await;
            super::refunds::until(&w, &second, "succeeded").await;
        }
        assert_eq!(w.wechat.refunds(&w.transaction(&placed)).len(), 2, "{api}");
        w.must_hold().await;
    }
}

/// Where WeChat lists what went back, and all of that is known here, nobody has to look first.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_waited_for_its_number_goes_on_after_one_that_is_known() {
    let w = shop("v2").await;
    let owner = w.staff("owner", Role::Owner).await;
    set_to(&owner, MCH_ID).await;
    let (sku, alice) = (w.product("苹果", 1000, 99).await, w.buyer("alice").await);
    let placed = w.paid(&alice, sku, 3).await;
    let known = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
    super::refunds::until(&w, &known, "succeeded").await;
    set_to(&owner, OTHER).await;
    let waits = super::refunds::refund_pieces(&w, &owner, &placed, 1).await;
    w.run_jobs().await;
    two_days(&w).await;
    assert_eq!(w.count("select count(*) from refunds where state = 'failed'").await, 1);
    set_to(&owner, MCH_ID).await;
    super::refunds::until(&w, &waits, "succeeded").await;
    assert_eq!(w.wechat.refunds(&w.transaction(&placed)).len(), 2);
    w.must_hold().await;
}

/// A day that was matched under the number in between is read again when the first is back, whatever stood in it: nothing
/// at all, or sales; and whatever the first number's bill has: a payment that nobody had heard of, or a refund.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_another_number_has_settled_is_read_again_when_the_first_is_back() {
    for (sold, paid) in [(false, false), (true, false), (false, true), (true, true)] {
        let w = shop("v2").await;
        let owner = w.staff("owner", Role::Owner).await;
        set_to(&owner, MCH_ID).await;
        let (sku, alice) = (w.product("梨", 1000, 99).await, w.buyer("alice").await);
        let placed = w.paid(&alice, sku, 1).await;
        super::v3::next_morning(&w).await;
        set_to(&owner, OTHER).await;
        super::v3::next_morning(&w).await;
        let day = Day::of(w.shop.now());
        // The simulated WeChat has one merchant, the first: what the other number's bill came to is written down.
        let write = move |tx: &Tx| {
            if sold {
                tx.execute_batch(&format!(
                    "insert into ledger (kind, wechat_id, amount_fen, moved_at, day, at)
                     values ('payment', '42-other', 700, {0}, '{day}', {0});
                     insert into strays (transaction_id, mch_id) values ('42-other', '{OTHER}');
                     insert into bill_rows (day, line, kind, transaction_id, out_trade_no, amount_fen, fee_fen, fee_fits, at,
                                            raw, borne_fen)
                     values ('{day}', 2, 'payment', '42-other', '{day}7K2M0A1B2C02', 700, 0, 1, {0}, '', 0)",
                    day.start() + 1
                ))?;
            }
            parts::store::put(tx, day, OTHER, BillState::Equal, &Others::default(), true)?;
            parts::day::conclude(tx, day, Some(OTHER))
        };
        w.shop.write(write).await.unwrap();
        let stands =
            |state: &str| w.count(format!("select count(*) from bills where day = '{day}' and state = '{state}'"));
        assert_eq!(stands(if sold { "equal" } else { "empty" }).await, 1, "{sold} {paid}");
        w.wechat.ways(|ways| ways.refund_notices = false);
        match paid {
            true => {
                w.wechat.sell_elsewhere(&sale(APP_ID, "JSAPI", &format!("{day}7K2M0A1B2C01"), 500)).unwrap();
            }
            false => drop(w.wechat.refund_by_console(&w.transaction(&placed), 400).unwrap()),
        }
        w.advance(DAY);
        set_to(&owner, MCH_ID).await;
        for _ in 0..4 {
            w.run_jobs().await;
            w.advance(MINUTE);
        }
        assert_eq!(stands("equal").await, 1, "{sold} {paid}");
        match paid {
            true => assert_eq!(w.count("select count(*) from ledger where amount_fen = 500").await, 1, "{sold}"),
            false => assert_eq!(alice.order(&placed.no).await["refundedFen"], 400, "{sold}"),
        }
    }
}

/// What stands on a day that is done is said of what is left, and of nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_equal_day_keeps_no_words_about_another_number_and_a_half_one_was_not_left_undone() {
    let w = shop("v2").await;
    let owner = w.staff("owner", Role::Owner).await;
    set_to(&owner, MCH_ID).await;
    let (sku, alice) = (w.product("苹果", 1000, 99).await, w.buyer("alice").await);
    w.paid(&alice, sku, 1).await;
    let first = Day::of(w.shop.now());
    super::v3::next_morning(&w).await;
    w.advance(DAY);
    let half = Day::of(w.shop.now());
    w.paid(&alice, sku, 1).await;
    set_to(&owner, OTHER).await;
    owner.post(&format!("/admin/money/{}/match", first.shown()), &[]).await;
    let said = owner.said(&format!("/admin/money/{}", first.shown())).await;
    assert!(said.contains(&format!("换回 {MCH_ID}")), "{said}");
    w.shop.write(move |tx| Ok(xiaopu::jobs::enqueue(tx, xiaopu::jobs::Task::Bill(first), 0)?)).await.unwrap();
    w.run_jobs().await;
    let page = owner.page(&format!("/admin/money/{}", first.shown())).await;
    assert!(page.contains("无差异") && !page.contains("换回"), "{page}");
    // Two numbers on one day, of which one was matched.
    set_to(&owner, MCH_ID).await;
    let write = move |tx: &Tx| {
        let until = half.start() + 1;
        Ok(tx.execute_batch(&format!(
            "insert into merchant_numbers values ('{OTHER}', {}, {until})",
            first.start() - 1
        ))?)
    };
    w.shop.write(write).await.unwrap();
    super::v3::next_morning(&w).await;
    let page = owner.page(&format!("/admin/money/{}", half.shown())).await;
    assert!(page.contains("部分核对") && !page.contains("下载失败"), "{page}");
    w.must_hold().await;
}

/// A shop with the keys of both, as its owner sees it: nothing waits, nothing is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_anything_left_says_nothing_of_it() {
    let w = world_with(&[("wechat.api", "v3")]).await;
    let owner = w.staff("owner", Role::Owner).await;
    let (sku, alice) = (w.product("苹果", 1000, 99).await, w.buyer("alice").await);
    w.paid(&alice, sku, 1).await;
    let home = owner.page("/admin").await;
    assert!(!home.contains("名下还有") && !home.contains("办的，查不了"), "{home}");
}
