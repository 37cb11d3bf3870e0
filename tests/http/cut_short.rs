//! Every act of several commits goes on from any of them: the shop is cut off after the first, the second, the third …
//! commit of each act, with WeChat heard or not heard in between, opens again, and must come to rest.

#![expect(unsafe_code, reason = "SQLite asks before each commit, and the writer never gives its connection away")]

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::ffi;
use xiaopu::error::Error;
use xiaopu::ids::SkuId;
use xiaopu::payments::mend;
use xiaopu::simulator::{Fault, Paying, RefundEnd};
use xiaopu::staff::Role;

use crate::support::*;

/// How many more commits are let through, and how many were refused since: as if the process had ended there.
#[derive(Default)]
struct Count {
    left: AtomicI64,
    refused: AtomicI64,
}

const ALL: i64 = i64::MAX / 2;

impl Count {
    fn refuses(&self) -> bool {
        let refuses = self.left.fetch_sub(1, Ordering::SeqCst) <= 0;
        self.refused.fetch_add(i64::from(refuses), Ordering::SeqCst);
        refuses
    }
}

unsafe extern "C" fn before_commit(count: *mut c_void) -> c_int {
    // SAFETY: `Cut::into` gave its own count away, for as long as this process lives.
    c_int::from(unsafe { &*count.cast::<Count>() }.refuses())
}

/// A shop whose commits are counted.
struct Cut(&'static Count);

impl Cut {
    async fn into(w: &World) -> Cut {
        let count: &'static Count = Box::leak(Box::default());
        count.left.store(ALL, Ordering::SeqCst);
        let hook = move |tx: &xiaopu::db::Tx| {
            let count: *const Count = count;
            // SAFETY: the connection is open, and `count` outlives it. The safe way wants the connection to itself.
            unsafe { ffi::sqlite3_commit_hook(tx.handle(), Some(before_commit), count.cast_mut().cast()) };
            Ok::<_, Error>(())
        };
        w.shop.db.write(hook).await.unwrap();
        Cut(count)
    }

    fn after(&self, commits: i64) {
        self.0.refused.store(0, Ordering::SeqCst);
        self.0.left.store(commits, Ordering::SeqCst);
    }

    /// Opens again; answers whether anything was cut off.
    fn heal(&self) -> bool {
        self.0.left.store(ALL, Ordering::SeqCst);
        self.0.refused.load(Ordering::SeqCst) > 0
    }
}

/// What is cut short.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Buy,
    BuyerCancels,
    StaffCancels,
    /// Too young to be closed at WeChat: a job does it later.
    Follow,
    Expire,
    /// WeChat cannot be reached until the half hour is over.
    ExpireUnheard,
    Reprice,
    PaidUnheard,
    PaidLate,
    PaidLateSoldOut,
    RefundByStaff,
    RefundAsked,
    Offline,
    Ship,
    DayAndBill,
}

const ACTS: [Act; 15] = [
    Act::Buy,
    Act::BuyerCancels,
    Act::StaffCancels,
    Act::Follow,
    Act::Expire,
    Act::ExpireUnheard,
    Act::Reprice,
    Act::PaidUnheard,
    Act::PaidLate,
    Act::PaidLateSoldOut,
    Act::RefundByStaff,
    Act::RefundAsked,
    Act::Offline,
    Act::Ship,
    Act::DayAndBill,
];

/// Whether WeChat hears what the shop says between its last commit and its end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Between {
    Heard,
    Unheard,
}

const CALLS: [&str; 6] = ["unifiedorder", "orderquery", "closeorder", "refund", "refundquery", "downloadbill"];
struct Stage<'w> {
    w: &'w World,
    cut: Cut,
    sku: SkuId,
    alice: Buyer<'w>,
    boss: Console<'w>,
}

impl<'w> Stage<'w> {
    async fn set(w: &'w World) -> Stage<'w> {
        w.wechat.ways(|ways| ways.refund_takes_ms = 0);
        Stage {
            cut: Cut::into(w).await,
            sku: w.product("苹果", 1000, 100_000).await,
            alice: w.buyer("alice").await,
            boss: w.staff("boss", Role::Owner).await,
            w,
        }
    }

    /// What the act begins with.
    async fn before(&self, act: Act) -> Option<Placed> {
        let (w, alice) = (self.w, &self.alice);
        let sku = match act {
            Act::PaidLateSoldOut => w.product(&format!("孤品 {}", w.key()), 5000, 1).await,
            _ => self.sku,
        };
        Some(match act {
            Act::Buy => return None,
            Act::RefundByStaff | Act::RefundAsked | Act::Ship | Act::DayAndBill => w.paid(alice, sku, 2).await,
            Act::BuyerCancels | Act::StaffCancels => {
                let placed = Placed::of(alice.buy(sku, 2).await);
                w.advance(6 * MINUTE);
                placed
            }
            Act::Follow => {
                let placed = Placed::of(alice.buy(sku, 2).await);
                assert_eq!(alice.post(&format!("/orders/{}/cancel", placed.no), None).await.status, 200);
                placed
            }
            Act::PaidLate | Act::PaidLateSoldOut => {
                let placed = Placed::of(alice.buy(sku, 1).await);
                w.advance(6 * MINUTE);
                assert_eq!(alice.post(&format!("/orders/{}/cancel", placed.no), None).await.status, 200);
                if act == Act::PaidLateSoldOut {
                    w.paid(alice, sku, 1).await;
                }
                w.wechat.pay_unheard(&placed.prepay_id, Paying::Late).unwrap();
                placed
            }
            _ => Placed::of(alice.buy(sku, 2).await),
        })
    }

    /// The act itself: whoever does it may hear of nothing.
    async fn act(&self, act: Act, placed: Option<&Placed>) {
        let (w, alice, boss) = (self.w, &self.alice, &self.boss);
        let no = placed.map(|placed| placed.no.clone()).unwrap_or_default();
        let admin = |what: &str| format!("/admin/orders/{no}/{what}");
        let due = async || drop(xiaopu::worker::run_due(&w.shop).await);
        match act {
            Act::Buy => drop(alice.prepay(&w.key(), order(self.sku, 1)).await),
            Act::BuyerCancels => drop(alice.post(&format!("/orders/{no}/cancel"), None).await),
            Act::StaffCancels => drop(boss.post(&admin("cancel"), &[]).await),
            Act::Follow => {
                w.advance(6 * MINUTE);
                due().await;
            }
            Act::Expire => {
                w.advance(31 * MINUTE);
                due().await;
            }
            Act::ExpireUnheard => {
                w.wechat.fault_always("orderquery", Fault::Http500);
                w.advance(62 * MINUTE);
                due().await;
            }
            Act::Reprice => {
                let form = [("total", "15.00"), ("freight", "0"), ("reason", "商量好的")];
                drop(boss.post(&admin("price"), &form).await);
                w.advance(6 * MINUTE);
                due().await;
            }
            Act::PaidUnheard => {
                drop(placed.map(|placed| w.wechat.pay(&placed.prepay_id, Paying::NoNotice)));
                w.advance(MINUTE);
                due().await;
            }
            Act::PaidLate | Act::PaidLateSoldOut => {
                let number = placed.map(|placed| placed.out_trade_no.as_str()).unwrap_or_default();
                w.notify(w.wechat.notice(number).unwrap()).await;
                due().await;
                w.advance(3 * MINUTE);
                due().await;
            }
            Act::RefundByStaff => {
                drop(boss.post(&admin("refund"), &WHOLE).await);
                due().await;
                w.advance(MINUTE);
                due().await;
            }
            Act::RefundAsked => {
                let form = serde_json::json!({ "reason": "不想要了" });
                drop(alice.ask_refund(&no, &w.key(), form).await);
                drop(boss.post(&format!("/admin/refunds/{no}R01/approve"), &WHOLE).await);
                due().await;
                w.advance(MINUTE);
                due().await;
            }
            Act::Offline => drop(boss.post(&admin("offline"), &[("reason", "现金")]).await),
            Act::Ship => {
                drop(boss.post(&admin("ship"), &[("tracking_no", "SF1234567890123")]).await);
                w.advance(31 * MINUTE);
                due().await;
            }
            Act::DayAndBill => {
                w.advance(DAY);
                due().await;
                due().await;
            }
        }
    }

    /// The shop opens again, and time passes.
    async fn come_to_rest(&self) {
        let w = self.w;
        w.wechat.clear_faults();
        assert_eq!(mend::mend(&w.shop).await.unwrap(), 0, "every commit leaves a shop that needs no mending");
        xiaopu::worker::seed(&w.shop).await.unwrap();
        for wait in [0, MINUTE, 6 * MINUTE, 31 * MINUTE, 61 * MINUTE, 3 * 60 * MINUTE, DAY] {
            w.advance(wait);
            w.run_jobs().await;
            w.must_hold().await;
            for refund in w.wechat.all_refunds() {
                if refund.end == RefundEnd::Processing && refund.status(w.shop.now()) == "PROCESSING" {
                    w.wechat.end_refund(&refund.refund_id, RefundEnd::Success).unwrap();
                }
            }
        }
        for (what, sql) in [
            ("unpaid orders", "select count(*) from orders where status = 'pending_payment'"),
            ("open attempts", "select count(*) from attempts where state in ('created', 'prepaid', 'closing')"),
            ("stock of closed orders", "select count(*) from orders where status = 'closed' and holds_stock = 1"),
            ("refunds on their way", "select count(*) from refunds where state in ('approved', 'processing')"),
        ] {
            assert_eq!(w.count(sql).await, 0, "{what}");
        }
        let (paid, _) = w.wechat.all_paid();
        assert_eq!(w.count("select count(*) from ledger where kind = 'payment'").await, paid.len() as i64);
        let refunds = w.wechat.all_refunds();
        let back: i64 = refunds.iter().filter(|r| r.end == RefundEnd::Success).map(|r| r.amount_fen).sum();
        assert_eq!(w.count("select -coalesce(sum(amount_fen), 0) from ledger where kind = 'refund'").await, back);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_goes_on_from_each_of_its_commits() {
    for act in ACTS {
        let w = World::new().await;
        let stage = Stage::set(&w).await;
        let mut most = 0;
        for between in [Between::Heard, Between::Unheard] {
            // Before the first commit nothing is said to WeChat.
            for commits in i64::from(between == Between::Unheard).. {
                let placed = stage.before(act).await;
                stage.cut.after(commits);
                if between == Between::Unheard {
                    CALLS.iter().for_each(|kind| w.wechat.fault_always(kind, Fault::LoseAnswer));
                }
                stage.act(act, placed.as_ref()).await;
                let was_cut = stage.cut.heal();
                // Whoever heard nothing may do it once more; WeChat always does.
                if commits % 2 == 1 || matches!(act, Act::PaidLate | Act::PaidLateSoldOut) {
                    w.wechat.clear_faults();
                    stage.act(act, placed.as_ref()).await;
                }
                stage.come_to_rest().await;
                most = most.max(commits);
                if !was_cut {
                    break;
                }
                assert!(commits < 60, "{act:?} does not come to an end");
            }
        }
        assert!(most > 0, "{act:?} was never cut");
    }
}
