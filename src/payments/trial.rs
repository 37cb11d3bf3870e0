//! Whether the keys are right: WeChat is asked about an order that there never was, and only who has them gets the right "no".

use crate::ids::OrderNo;
use crate::shop::Shop;
use crate::wechat::pay::{Trade, TradeOf};
use crate::wechat::v3::{refusal, sign::BadSeal};
use crate::wechat::{Account, Api, Exchange, GatewayError, Signature, for_owner};

/// Asks with the keys in force, and changes nothing.
pub async fn ask(shop: &Shop, account: &Account) -> Exchange<Trade> {
    let account = &account.clone().in_force();
    let number = OrderNo::new("20000101", &shop.nonces.base32()).attempt(1);
    shop.wechat.order_query(account, TradeOf::Number(&number), &shop.nonces).await
}

/// What the answer says about the keys, by a clock that is so far `ahead` of WeChat's. Errors: what is wrong with the keys or on the way, and what to do.
pub fn judge(api: Api, exchange: &Exchange<Trade>, ahead: Option<i64>) -> Result<(), String> {
    let e = match &exchange.result {
        Ok(Trade::Absent) => return Ok(()),
        Ok(other) => return Err(format!("微信的回答出人意料：{other:?}")),
        Err(e) => e,
    };
    let said = own_words(api, exchange, e);
    let told = said.is_some();
    let said = said.map_or_else(|| e.to_string(), |said| format!("微信回答 {said}"));
    Err(match (for_owner(api, e, ahead), &exchange.signature) {
        (Some(words), _) => format!("{said}。{words}"),
        (None, Signature::WrongV3(BadSeal::Wrong)) => {
            format!("{said}，但用填写的微信支付公钥验不过它的签名：公钥和公钥 ID 请从商户平台 → API 安全重新复制")
        }
        (None, Signature::WrongV3(BadSeal::Probe)) => "微信这次回答的是验签探测（SIGNTEST），不算数：请再测一次".into(),
        (None, Signature::WrongV3(bad)) => bad.of_reply(),
        // The gateway's own refusals come so, and say what they are about.
        (None, Signature::None) if api == Api::V3 && matches!(e, GatewayError::NotAccepted(_)) => {
            format!("{said}；回答没有签名，不能证明是微信说的：{UNSIGNED}")
        }
        (None, _) if told && (e.is_unknown() || matches!(e.code(), Some("SYSTEMERROR" | "FREQUENCY_LIMITED"))) => {
            format!("{said}。微信暂时忙不过来，请过一会儿再测")
        }
        (None, _) if told => format!("{said}。请核对设置里的商户号、AppID 和密钥"),
        (None, _) => said,
    })
}

/// What WeChat said, in its own spelling, as its documents and its support know it. API v2 says why it did not take a question on in words
/// alone.
fn own_words(api: Api, exchange: &Exchange<Trade>, e: &GatewayError) -> Option<String> {
    let said = match (api, e) {
        (Api::V3, _) => return refusal(&exchange.response),
        (Api::V2, GatewayError::Refused { code, text }) => format!("{code} {text}"),
        (Api::V2, GatewayError::NotAccepted(text)) => text.clone(),
        (Api::V2, _) => return None,
    };
    Some(said.trim().to_owned()).filter(|said| !said.is_empty())
}

/// What to do about answers that WeChat has not signed.
const UNSIGNED: &str = "多半是中间的代理、上网认证或别的网站答的，请核对接口地址，让服务器直接访问微信支付";
