//! A random walk over the API with the simulated WeChat; after every step everything must still hold.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use xiaopu::staff::Role;
use xiaopu::wechat::simulator::{Fault, Paying};

use crate::support::*;

#[derive(Clone, Debug)]
enum Step {
    Buy { buyer: usize, sku: usize, quantity: i64 },
    Pay { order: usize, paying: Paying },
    Again { order: usize },
    Check { order: usize },
    Cancel { order: usize },
    Ship { order: usize },
    Confirm { order: usize },
    Repeat { order: usize },
    Fault { kind: &'static str, fault: Fault },
    Wait { ms: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let order = 0..6_usize;
    let paying = prop::sample::select(vec![
        Paying::Well,
        Paying::NoticeTwice,
        Paying::NoNotice,
        Paying::OtherAmount,
        Paying::OtherPayer,
    ]);
    let kind = prop::sample::select(vec!["unifiedorder", "orderquery", "closeorder"]);
    let fault = prop::sample::select(vec![
        Fault::LoseAnswer,
        Fault::Http500,
        Fault::BadSign,
        Fault::refused("SYSTEMERROR", "busy"),
        Fault::refused("ORDERCLOSED", "closed"),
        Fault::refused("INVALID_REQUEST", "201"),
        Fault::ReturnFail("fail".into()),
    ]);
    let wait = prop::sample::select(vec![SECOND, 16 * SECOND, 2 * MINUTE, 31 * MINUTE, 70 * MINUTE, 25 * 60 * MINUTE]);
    prop_oneof![
        4 => (0..2_usize, 0..3_usize, 1..4_i64).prop_map(|(buyer, sku, quantity)| Step::Buy { buyer, sku, quantity }),
        4 => (order.clone(), paying).prop_map(|(order, paying)| Step::Pay { order, paying }),
        2 => order.clone().prop_map(|order| Step::Again { order }),
        2 => order.clone().prop_map(|order| Step::Check { order }),
        2 => order.clone().prop_map(|order| Step::Cancel { order }),
        2 => order.clone().prop_map(|order| Step::Ship { order }),
        1 => order.clone().prop_map(|order| Step::Confirm { order }),
        1 => order.prop_map(|order| Step::Repeat { order }),
        2 => (kind, fault).prop_map(|(kind, fault)| Step::Fault { kind, fault }),
        3 => wait.prop_map(|ms| Step::Wait { ms }),
    ]
}

#[test]
fn whatever_happens_money_and_stock_agree() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: 60, max_shrink_iters: 40, failure_persistence: None, ..Config::default() });
    let walks = prop::collection::vec(step(), 1..30);
    runner
        .run(&walks, |steps| {
            runtime.block_on(walk(steps));
            Ok(())
        })
        .unwrap();
}

async fn walk(steps: Vec<Step>) {
    let w = World::new().await;
    let skus = [w.product("少", 100, 3).await, w.product("多", 2500, 50).await, w.product("贵", 999_900, 5).await];
    let buyers = [w.buyer("alice").await, w.buyer("bob").await];
    let packer = w.staff("packer", Role::Packer).await;
    let mut orders: Vec<(usize, Placed)> = Vec::new();
    for step in steps {
        let known = |i: usize| (!orders.is_empty()).then(|| &orders[i % orders.len()]);
        match step {
            Step::Buy { buyer, sku, quantity } => {
                let answer = buyers[buyer].buy(skus[sku], quantity).await;
                assert!(matches!(answer.status, 201 | 409 | 502 | 503), "{}", answer.body);
                if answer.status == 201 {
                    orders.push((buyer, Placed::of(answer)));
                }
            }
            Step::Pay { order, paying } => {
                if let Some((_, placed)) = known(order) {
                    let _ = w.wechat.pay(&placed.prepay_id, paying);
                }
            }
            Step::Again { order } => {
                if let Some((buyer, placed)) = known(order) {
                    buyers[*buyer].post(&format!("/orders/{}/prepay", placed.no), None).await;
                }
            }
            Step::Check { order } => {
                if let Some((buyer, placed)) = known(order) {
                    buyers[*buyer].post(&format!("/orders/{}/check", placed.no), None).await;
                }
            }
            Step::Cancel { order } => {
                if let Some((buyer, placed)) = known(order) {
                    buyers[*buyer].post(&format!("/orders/{}/cancel", placed.no), None).await;
                }
            }
            Step::Ship { order } => {
                if let Some((_, placed)) = known(order) {
                    let form = [("company", "SF"), ("tracking_no", "SF1234567890")];
                    packer.post(&format!("/admin/orders/{}/ship", placed.no), &form).await;
                }
            }
            Step::Confirm { order } => {
                if let Some((buyer, placed)) = known(order) {
                    buyers[*buyer].post(&format!("/orders/{}/confirm", placed.no), None).await;
                }
            }
            Step::Repeat { order } => {
                if let Some((_, placed)) = known(order) {
                    assert!(w.notify(signed(&w.notice(placed, "alice"))).await.contains("SUCCESS"));
                }
            }
            Step::Fault { kind, fault } => w.wechat.fault(kind, fault),
            Step::Wait { ms } => {
                w.advance(ms);
                w.run_jobs().await;
            }
        }
        w.must_hold().await;
    }
    // In the end every order comes to rest.
    for _ in 0..40 {
        w.advance(61 * MINUTE);
        w.run_jobs().await;
    }
    w.must_hold().await;
    assert_eq!(w.count("select count(*) from orders where status = 'pending_payment'").await, 0);
    assert_eq!(w.count("select count(*) from attempts where state in ('created', 'prepaid', 'closing')").await, 0);
}
