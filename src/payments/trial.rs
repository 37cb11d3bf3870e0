//! Whether the keys are right: WeChat is asked about an order that there never was, and only who has them gets the right "no".

use crate::ids::OrderNo;
use crate::shop::Shop;
use crate::wechat::pay::{Trade, TradeOf};
use crate::wechat::v3::sign::BadSeal;
use crate::wechat::{Account, Api, Exchange, GatewayError, for_owner};

/// Asks, and changes nothing.
pub async fn ask(shop: &Shop, account: &Account) -> Exchange<Trade> {
    let number = OrderNo::new("20000101", &shop.nonces.base32()).attempt(1);
    shop.wechat.order_query(account, TradeOf::Number(&number), &shop.nonces).await
}

/// What the answer says about the keys; `unbelieved` is what was wrong with its signature. Errors: what is wrong with
/// the keys or on the way, and what to do.
pub fn judge(api: Api, result: &Result<Trade, GatewayError>, unbelieved: Option<&BadSeal>) -> Result<(), String> {
    let e = match result {
        Ok(Trade::Absent) => return Ok(()),
        Ok(other) => return Err(format!("微信的回答出人意料：{other:?}")),
        Err(e) => e,
    };
    let mine = for_owner(api, e);
    let unbelieved = unbelieved.filter(|_| api == Api::V3 && matches!(e, GatewayError::NotAccepted(_)));
    Err(match (mine, unbelieved) {
        (Some(words), _) if api == Api::V2 => words,
        // Such a "no" is unsigned: what it said stands beside what it means.
        (Some(words), _) => format!("{words}（{e}）"),
        (None, Some(BadSeal::Wrong)) => format!(
            "微信回答了，但用填写的微信支付公钥验不过它的签名：公钥和公钥 ID 请从商户平台 → API 安全重新复制（{e}）"
        ),
        (None, Some(BadSeal::Probe)) => "微信这次回答的是验签探测（SIGNTEST），不算数：请再测一次".into(),
        // The gateway's own refusals come so, and say what they are about.
        (None, Some(BadSeal::Missing(_))) => format!("{e}；回答没有签名，不能证明是微信说的"),
        (None, Some(bad)) => bad.of_reply(),
        (None, None) => e.to_string(),
    })
}
