//! Money under way that cannot be followed today: another merchant number took it, the keys of its version are gone, or WeChat
//! does not answer what went back since a backup was gone back to.

use rusqlite::{Connection, Result};

use super::store::{self, LeftBehind};
use crate::settings::{Group, Settings};
use crate::wechat::Api;

/// What waits, in words for the owner, each with what to do and where in the console to begin.
pub fn all(conn: &Connection, settings: &Settings) -> Result<Vec<(String, String)>> {
    let now = settings.get("wechat.mch_id").unwrap_or_default();
    let left = store::left_behind(conn, now)?;
    let mut all: Vec<_> = left.iter().map(|left| (of_number(left, now), page(left))).collect();
    for (api, card) in [(Api::V2, Group::PayV2), (Api::V3, Group::PayV3)] {
        let Some(why) = settings.unready(api) else { continue };
        let what = match store::under_way(conn, api, Some(now))? {
            (0, 0) => continue,
            (payments, refunds) => counted(payments, refunds),
        };
        let words = format!(
            "{why}；还有 {what}是用 {} 办的，查不了也退不了。请补上（写在配置里的改配置再重启），系统会自己接着办",
            api.text()
        );
        all.push((words, format!("/admin/settings#{}", card.word())));
    }
    if let Some((n, why)) = store::unheard(conn)? {
        let words = format!(
            "恢复备份之后，还有 {n} 单待发货的没能向微信问清付款有没有退过（{why}）：系统会接着问，问清之前发货要确认"
        );
        all.push((words, "/admin/orders?tab=to_ship".to_owned()));
    }
    Ok(all)
}

fn counted(payments: i64, refunds: i64) -> String {
    let parts = [(payments, "笔没付完的支付单"), (refunds, "笔没办完的退款")];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    parts.collect::<Vec<_>>().join("、")
}

fn of_number(left: &LeftBehind, now: &str) -> String {
    let what = counted(left.payments, left.refunds);
    let order = left.order.as_ref().map(|no| format!("支付单在订单页登记（例如 {no}）"));
    let settled = order.into_iter().chain((left.refunds > 0).then(|| "退款在退款页登记".to_owned()));
    let settled = settled.collect::<Vec<_>>().join("，");
    match &left.mch_id {
        Some(then) => format!(
            "商户号 {then} 名下还有 {what}，现在设置的是 {now}：查不了也退不了，换回 {then} 后系统会自己跟进；不能换回去的，{settled}"
        ),
        None => format!("还有 {what}不知道是用哪个商户号收的：系统会用现在的 {now} 去查，查不到的请看退款页"),
    }
}

fn page(left: &LeftBehind) -> String {
    left.order.as_ref().map_or_else(|| "/admin/refunds".to_owned(), |no| format!("/admin/orders/{no}"))
}
