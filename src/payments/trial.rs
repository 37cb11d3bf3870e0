//! Whether the keys are right: WeChat is asked about an order that there never was, and only who has them gets the right "no".

use crate::ids::OrderNo;
use crate::shop::Shop;
use crate::wechat::pay::{Trade, TradeOf};
use crate::wechat::v3::sign::BadSeal;
use crate::wechat::{Account, Api, Exchange, GatewayError};

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
    Err(match (api, e.code()) {
        (Api::V2, Some("SIGNERROR")) => "微信说签名错误：APIv2 密钥或签名方式不对。在商户平台 → API 安全里核对".into(),
        (Api::V2, Some("APPID_NOT_EXIST")) => "微信说没有这个 AppID，请核对".into(),
        (Api::V2, Some("MCHID_NOT_EXIST")) => "微信说没有这个商户号，请核对".into(),
        (Api::V2, Some("APPID_MCHID_NOT_MATCH")) => {
            "AppID 和商户号没有绑定：在商户平台 → 产品中心 → AppID 账号管理里关联".into()
        }
        (Api::V2, _) if matches!(e, GatewayError::Unreachable(_)) => format!("连不上微信：{e}。请检查服务器的网络"),
        (Api::V2, _) => format!("微信没有认可：{e}"),
        // Such a "no" is unsigned, so that its code is nothing but words.
        (Api::V3, _) if e.to_string().contains("SIGNERROR") => {
            format!("微信说签名错误：商户私钥和证书序列号不对应，或商户号不对。（{e}）")
        }
        (Api::V3, _) => match unbelieved.filter(|_| matches!(e, GatewayError::NotAccepted(_))) {
            Some(BadSeal::Wrong) => format!(
                "微信回答了，但用填写的微信支付公钥验不过它的签名：公钥和公钥 ID 请从商户平台 → API 安全重新复制（{e}）"
            ),
            Some(BadSeal::Probe) => "微信这次回答的是验签探测（SIGNTEST），不算数：请再测一次".into(),
            // The gateway's own refusals come so, and say what they are about.
            Some(BadSeal::Missing(_)) => format!("{e}；回答没有签名，不能证明是微信说的"),
            None => e.to_string(),
            Some(bad) => bad.of_reply(),
        },
    })
}
