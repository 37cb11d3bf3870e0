//! Test buttons of the settings: harmless questions, and WeChat's answer in words.

use rocket::response::{Flash, Redirect};
use rocket::{Route, State, post, routes};

use super::back;
use crate::error::{Code, Error, Result};
use crate::ids::OrderNo;
use crate::shop::Shop;
use crate::staff::Owner;
use crate::transactions::Entry;
use crate::wechat::pay::{Trade, TradeOf};
use crate::wechat::reach::Reached;
use crate::wechat::{Exchange, GatewayError};

pub fn routes() -> Vec<Route> {
    routes![key, app, notify]
}

const HERE: &str = "/admin/settings";

/// The question and its answer are in the transaction log like every other.
async fn logged<T>(shop: &Shop, exchange: &Exchange<T>) -> Result<()> {
    let (entry, now) = (Entry::sent(exchange), shop.now());
    shop.db.write(move |tx| Ok::<_, Error>(entry.record(tx, now)?)).await.map(drop)
}

fn wrong(words: String) -> Error {
    Error::from(Code::WechatRejected).says(words)
}

/// Asks about an order that there never was: only who has the right key gets the right "no".
#[post("/settings/test/key")]
async fn key(shop: &State<Shop>, _owner: Owner) -> Flash<Redirect> {
    back(HERE, try_key(shop).await)
}

async fn try_key(shop: &Shop) -> Result<String> {
    let missing = || wrong("请先填好 AppID、商户号和 APIv2 密钥并保存".into());
    let merchant = shop.merchant().ok_or_else(missing)?;
    let number = OrderNo::new("20000101", &shop.nonces.base32()).attempt(1);
    let exchange = shop.wechat.order_query(&merchant, TradeOf::Number(&number), &shop.nonces).await;
    logged(shop, &exchange).await?;
    match exchange.result {
        Ok(Trade::Absent) => Ok(format!("✓ 密钥正确：微信用它签名回答了（{} 毫秒）", exchange.took_ms)),
        Ok(other) => Err(wrong(format!("微信的回答出人意料：{other:?}"))),
        Err(e) => Err(wrong(match e.code() {
            Some("SIGNERROR") => "微信说签名错误：APIv2 密钥或签名方式不对。在商户平台 → API 安全里核对".into(),
            Some("APPID_NOT_EXIST") => "微信说没有这个 AppID，请核对".into(),
            Some("MCHID_NOT_EXIST") => "微信说没有这个商户号，请核对".into(),
            Some("APPID_MCHID_NOT_MATCH") => {
                "AppID 和商户号没有绑定：在商户平台 → 产品中心 → AppID 账号管理里关联".into()
            }
            _ if matches!(e, GatewayError::Unreachable(_)) => format!("连不上微信：{e}。请检查服务器的网络"),
            _ => format!("微信没有认可：{e}"),
        })),
    }
}

/// Gives a login code that cannot be right: whoever is told so has shown the right credentials.
#[post("/settings/test/app")]
async fn app(shop: &State<Shop>, _owner: Owner) -> Flash<Redirect> {
    back(HERE, try_app(shop).await)
}

async fn try_app(shop: &Shop) -> Result<String> {
    let missing = || wrong("请先填好 AppID 和 AppSecret 并保存".into());
    let app = shop.settings().mini_program().ok_or_else(missing)?;
    let exchange = shop.wechat.code_to_openid(&app, "xiaopu-test").await;
    logged(shop, &exchange).await?;
    match exchange.result {
        Ok(_) => Err(wrong("微信的回答出人意料，请稍后再试".into())),
        Err(e) => match e.code() {
            Some("40029") => Ok(format!("✓ AppID 和 AppSecret 正确（{} 毫秒）", exchange.took_ms)),
            Some("40013") => Err(wrong("微信说没有这个 AppID，请核对".into())),
            Some("40125") => Err(wrong("AppSecret 不对。在小程序后台 → 开发管理里核对，或重置后填入".into())),
            Some("40164") => Err(wrong("服务器的 IP 不在小程序后台的白名单里，请加上或关闭白名单".into())),
            _ if matches!(e, GatewayError::Unreachable(_)) => {
                Err(wrong(format!("连不上微信：{e}。请检查服务器的网络")))
            }
            _ => Err(wrong(format!("微信没有认可：{e}"))),
        },
    }
}

/// Goes out and comes back in by the public address, as a notice does.
#[post("/settings/test/notify")]
async fn notify(shop: &State<Shop>, _owner: Owner) -> Flash<Redirect> {
    back(HERE, try_notify(shop).await)
}

async fn try_notify(shop: &Shop) -> Result<String> {
    let url = shop.settings().notify_url().ok_or_else(|| wrong("请先填对外地址并保存".into()))?;
    if url.contains('?') || url.contains('#') {
        return Err(wrong("对外地址不能带 ? 或 #：微信的通知地址不允许参数".into()));
    }
    match shop.wechat.reach(&url).await {
        Reached::Ours if url.starts_with("https://") => Ok(format!("✓ {url} 可达，没有跳转")),
        Reached::Ours => Ok(format!("{url} 可达。正式使用请换成 https，付款通知里有买家的信息")),
        Reached::Redirect(to) => Err(wrong(format!("{url} 跳转到了 {to}：微信不跟随跳转，请填跳转之后的地址"))),
        Reached::Other(404) => Err(wrong(format!("{url} 回答 404：反向代理没有把 /wechat/ 转给小铺"))),
        Reached::Other(status) => Err(wrong(format!("{url} 回答 {status}，但不像是小铺：请检查域名和反向代理"))),
        Reached::Unreachable(why) => Err(wrong(format!("{url} 连不上：{why}。请检查域名解析、端口和证书"))),
    }
}
