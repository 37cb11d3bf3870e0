//! Taking a buyer's personal data out, as he may ask for: his orders keep number, money and goods, as the law wants.

use rusqlite::Connection;

use super::store;
use crate::buyers::store as buyers;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::BuyerId;
use crate::message_log::store as messages;
use crate::shop::Shop;

/// Why this buyer's data cannot go yet, in words; `None` when nothing stands in the way.
pub fn refused(conn: &Connection, id: BuyerId) -> Result<Option<String>> {
    let customer = store::one(conn, id)?.ok_or(Code::NotFound)?;
    if customer.erased_at.is_some() {
        return Ok(Some("这位买家的资料已经删除".to_owned()));
    }
    let [orders, refunds, returns, exceptions] = store::unfinished(conn, id)?;
    let open: Vec<String> = [
        (orders, "笔订单没有完成"),
        (refunds, "笔退款没有结束"),
        (returns, "笔退换货没有结束"),
        (exceptions, "笔资金异常没有处理"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{n} {what}"))
    .collect();
    Ok((!open.is_empty()).then(|| format!("还有 {}：处理完之后才能删除，否则货和钱都找不到人", open.join("、"))))
}

/// Takes everything personal out, in one transaction with `also`, which says who did it.
pub async fn erase(shop: &Shop, id: BuyerId, also: impl Fn(&Tx) -> Result<()> + Send + 'static) -> Result<()> {
    let look = move |conn: &Connection| {
        // Looked for outside the write: it goes through every login there ever was.
        let openid = buyers::openid(conn, id)?;
        let said = store::told_wechat(conn, id, &openid)?;
        let messages = messages::naming(conn, id, &said)?;
        Ok((openid, said, messages))
    };
    let (openid, said, messages) = shop.read_slowly(look).await?;
    let write = move |tx: &Tx| {
        if let Some(why) = refused(tx, id)? {
            return Err(Error::from(Code::OrderState).says(why));
        }
        messages::forget(tx, &messages, &said)?;
        store::forget(tx, id, &openid)?;
        also(tx)
    };
    shop.write_large(write).await
}
