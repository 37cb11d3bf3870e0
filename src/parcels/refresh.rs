//! Asking WeChat for today's list of parcel services, once a week where it lets us.

use super::carriers::{Carrier, name_of};
use super::store;
use crate::clock::DAY;
use crate::db::Tx;
use crate::error::Result;
use crate::jobs::Ran;
use crate::message_log::Logged;
use crate::shop::Shop;
use crate::wechat::GatewayError;

const EVERY: i64 = 7 * DAY;

/// The weekly job. Nobody need come when WeChat refuses: there is the list that came with the program.
pub async fn run(shop: &Shop) -> Result<Ran> {
    let asked = shop.read(|conn| Ok(store::asked(conn)?)).await?;
    // Every start of the program puts the job forward.
    if asked.is_none_or(|(at, _)| shop.now() - at >= DAY) {
        ask(shop).await?;
    }
    Ok(Ran::Again { at: shop.now() + EVERY })
}

/// Asks now, keeps what the list that came with the program has not, and what came of it in words.
pub async fn ask(shop: &Shop) -> Result<()> {
    let Some(app) = shop.settings().mini_program() else { return Ok(()) };
    let exchange = shop.wechat.delivery_list(&app).await;
    let mut entry = Logged::sent(&exchange);
    let (added, outcome) = match exchange.result {
        Ok(list) => {
            entry.response = format!("（{} 家快递公司，{} 字节）", list.len(), exchange.response.len()).into_bytes();
            let outcome = format!("微信的列表有 {} 家", list.len());
            (Some(new(list)), outcome)
        }
        Err(e) => (None, refused(&e)),
    };
    let write = move |tx: &Tx| {
        if let Some(added) = &added {
            store::put_added(tx, added)?;
        }
        store::put_asked(tx, &outcome)?;
        entry.record(tx)?;
        Ok(())
    };
    shop.write_always(write).await
}

/// Those that are not in our list, or are called otherwise there.
fn new(list: Vec<(String, String)>) -> Vec<Carrier> {
    let all = list.into_iter().map(|(code, name)| Carrier { code, name });
    all.filter(|carrier| name_of(&carrier.code) != carrier.name).collect()
}

fn refused(e: &GatewayError) -> String {
    match e.code() {
        Some("48001") => "这个小程序没有“物流服务”的接口权限（48001），用的是随程序带的列表".to_owned(),
        _ => format!("没有更新：{e}"),
    }
}
