//! A day's bill of API v3 that is fetched by hand, whatever WeChat answers.

use xiaopu::simulator::Fault;
use xiaopu::staff::Role;

use super::v3::{next_morning, world};
use crate::support::*;

const DAY: &str = "/admin/money/2026-10-08";

/// Presses the button, and answers with the day's page once it has been tried.
async fn fetched(w: &World, manager: &Console<'_>) -> String {
    assert_eq!(manager.post(&format!("{DAY}/match"), &[]).await.0, 303);
    w.run_jobs().await;
    let due =
        format!("select count(*) from jobs where kind = 'bill' and state = 'waiting' and run_at <= {}", w.shop.now());
    w.wait("the bill", || async { w.count(due.as_str()).await == 0 }).await;
    manager.page(DAY).await
}

/// One answer per row; what was matched before is neither lost nor taken for the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_is_fetched_by_hand_is_matched_or_says_why_not() {
    let w = world("v3").await;
    let sku = w.product("苹果", 8800, 99).await;
    let (alice, manager) = (w.buyer("alice").await, w.staff("manager", Role::Manager).await);
    w.paid(&alice, sku, 1).await;
    w.wechat.fault_always("downloadbill", Fault::refused("STATEMENT_CREATING", "账单生成中"));
    next_morning(&w).await;
    let page = fetched(&w, &manager).await;
    assert!(page.contains("微信正在生成账单，半小时后自动再试") && page.contains("未出账"), "{page}");
    w.wechat.clear_faults();
    assert!(fetched(&w, &manager).await.contains("没有差异"));
    let creating = || Fault::refused("STATEMENT_CREATING", "账单生成中");
    for (kind, fault, times, said) in [
        ("downloadbill", creating(), 1, "微信正在生成账单"),
        ("downloadbill", Fault::SignTest, 2, "验签探测"),
        ("downloadbill", Fault::Unsigned, 1, "没有签名"),
        ("downloadbill", Fault::Http500, 1, "HTTP 500"),
        ("downloadbill", Fault::BillElsewhere, 1, "DOWNLOAD_URL_ELSEWHERE"),
        ("billdownload", Fault::BillHash, 1, "BILL_HASH_WRONG"),
        ("billdownload", Fault::refused("PARAM_ERROR", "下载地址已失效"), 1, "微信没有给账单文件"),
        // What only the owner can mend is said with what to do.
        ("downloadbill", Fault::refused("SIGN_ERROR", "签名错误"), 1, "商户私钥和证书序列号不对应"),
        ("downloadbill", Fault::refused("NO_AUTH", "无权限"), 1, "核对 JSAPI 支付是否开通"),
    ] {
        (0..times).for_each(|_| w.wechat.fault(kind, fault.clone()));
        let page = fetched(&w, &manager).await;
        assert!(page.contains("flash error") && page.contains(said), "{fault:?}: {page}");
        assert!(page.contains("无差异"), "{fault:?}: what was matched before stays: {page}");
        let page = fetched(&w, &manager).await;
        assert!(!page.contains("flash error") && page.contains("没有差异"), "{fault:?}: {page}");
    }
    // WeChat tries out whether shops verify: the same question, once more.
    w.wechat.fault("downloadbill", Fault::SignTest);
    w.wechat.fault("downloadfundflow", Fault::SignTest);
    let page = fetched(&w, &manager).await;
    assert!(!page.contains("flash error") && page.contains("没有差异") && !page.contains("没有下载到"), "{page}");
    // A day with trade has a bill, so that there is none is an alarm.
    w.wechat.fault("downloadbill", Fault::refused("NO_STATEMENT_EXIST", "账单文件不存在"));
    assert!(fetched(&w, &manager).await.contains("微信说没有账单"));
    assert!(fetched(&w, &manager).await.contains("无差异"));
    w.must_hold().await;
}
