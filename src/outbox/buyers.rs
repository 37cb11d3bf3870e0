//! Telling a buyer: one subscribe message about his order, if a template is chosen and he allowed it.

use rusqlite::Connection;

use super::store;
use super::{Letter, State, Told};
use crate::buyers::store as buyers;
use crate::clock::{self, DAY};
use crate::db::Tx;
use crate::error::{Code, Result};
use crate::ids::OutboxId;
use crate::jobs::Ran;
use crate::message_log::Logged;
use crate::orders::{self, Full, OrderStatus};
use crate::refunds::{Refund, RefundState};
use crate::returns::{Kind, Return, ReturnState};
use crate::settings::Settings;
use crate::shop::Shop;
use crate::stored_enum::stored_enum;
use crate::wechat::GatewayError;
use crate::wechat::subscribe::{Message, NOT_ALLOWED, fit};

stored_enum! {
    /// What may stand in a field of a template.
    pub enum What {
        OrderNo "order_no" "订单号",
        Goods "goods" "商品",
        Amount "amount" "金额",
        Time "time" "时间",
        Carrier "carrier" "快递公司",
        Tracking "tracking" "快递单号",
        Status "status" "状态",
        Hint "hint" "一句提示",
        Shop "shop" "店铺名",
        Phone "phone" "客服电话",
    }
}

impl What {
    /// What a field is most likely for, by its key and by what the template calls it.
    pub fn guess(key: &str, label: &str) -> What {
        let says = |words: &[&str]| words.iter().any(|word| label.contains(word));
        match key.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "amount" => What::Amount,
            "time" | "date" => What::Time,
            "phrase" => What::Status,
            _ if says(&["快递单", "运单", "物流单"]) => What::Tracking,
            _ if says(&["公司", "承运", "配送方式", "物流"]) => What::Carrier,
            _ if says(&["订单", "单号", "编号"]) => What::OrderNo,
            _ if says(&["金额", "款"]) => What::Amount,
            _ if says(&["时间", "日期"]) => What::Time,
            _ if says(&["状态"]) => What::Status,
            _ if says(&["提示", "备注", "说明", "原因"]) => What::Hint,
            _ if says(&["电话"]) => What::Phone,
            _ if says(&["店", "商家", "商户"]) => What::Shop,
            _ => What::Goods,
        }
    }

    fn of(self, letter: Letter, about: &About<'_>) -> String {
        let Full { order, lines, shipments, .. } = about.full;
        let sent_again = about.full.resends.last().filter(|_| letter == Letter::AfterSale).map(|sent| &sent.parcel);
        let parcel = sent_again.or(shipments.last().map(|s| &s.parcel));
        match self {
            What::OrderNo => order.order_no.to_string(),
            What::Goods => match &lines[..] {
                [one] => format!("{} ×{}", one.name, one.quantity),
                [first, ..] => format!("{} 等 {} 种", first.name, lines.len()),
                [] => String::new(),
            },
            What::Amount => match (letter, about.refund) {
                (Letter::Refunded, Some(refund)) => format!("¥{}", refund.amount.plain()),
                _ => format!("¥{}", order.total.plain()),
            },
            What::Time => clock::written(match letter {
                Letter::Shipped => shipments.last().map_or(about.now, |s| s.shipped_at),
                Letter::Refunded => about.refund.and_then(|refund| refund.ended_at).unwrap_or(about.now),
                Letter::Unpaid => order.expires_at,
                Letter::PickupReady | Letter::AfterSale => about.now,
            }),
            What::Carrier => parcel.map(|p| p.company_text().to_owned()).unwrap_or_default(),
            What::Tracking => parcel.map(|p| p.tracking_no.clone()).unwrap_or_default(),
            What::Status => about.case.map_or(status(letter), case_status).to_owned(),
            What::Hint => about.case.map_or(hint(letter), case_hint).to_owned(),
            What::Shop => about.settings.shop_name().to_owned(),
            What::Phone => about.settings.get("shop.phone").unwrap_or_default().to_owned(),
        }
    }

    /// For the preview.
    pub fn example(self, letter: Letter, settings: &Settings, now: i64) -> String {
        match self {
            What::OrderNo => "20261008ABCDEFGHJK".to_owned(),
            What::Goods => "手工曲奇 ×2".to_owned(),
            What::Amount => "¥88.00".to_owned(),
            What::Time => clock::written(now),
            What::Carrier => "顺丰速运".to_owned(),
            What::Tracking => "SF1234567890123".to_owned(),
            What::Status => status(letter).to_owned(),
            What::Hint => hint(letter).to_owned(),
            What::Shop => settings.shop_name().to_owned(),
            What::Phone => settings.get("shop.phone").unwrap_or_default().to_owned(),
        }
    }
}

fn status(letter: Letter) -> &'static str {
    match letter {
        Letter::Shipped => "已发货",
        Letter::Refunded => "已退款",
        Letter::AfterSale => "有新进度",
        Letter::PickupReady => "可以取货",
        Letter::Unpaid => "等待付款",
    }
}

fn hint(letter: Letter) -> &'static str {
    match letter {
        Letter::Shipped => "包裹已经寄出，点击查看物流",
        Letter::Refunded => "已原路退回，到账时间以微信为准",
        Letter::AfterSale => "您的售后有新进度，点击查看",
        Letter::PickupReady => "商品已备好，请来店里取",
        Letter::Unpaid => "订单快要到时关闭，请尽快付款",
    }
}

/// What a return stands at, in the five characters that a phrase may have.
fn case_status(case: &Return) -> &'static str {
    match (case.state, case.kind) {
        (ReturnState::Agreed, _) => "商家已同意",
        (ReturnState::Rejected, _) => "商家未同意",
        (ReturnState::Lapsed, _) => "超时关闭",
        (ReturnState::Done, Kind::Exchange) => "新货已寄出",
        _ => "有新进度",
    }
}

fn case_hint(case: &Return) -> &'static str {
    match (case.state, case.kind) {
        (ReturnState::Agreed, _) => "请按地址寄回商品并填写快递单号",
        (ReturnState::Rejected, _) => "点击查看商家的说明",
        (ReturnState::Done, Kind::Exchange) => "换的商品已经寄出，点击查看",
        _ => hint(Letter::AfterSale),
    }
}

/// What a letter is about, as it stands when it is sent.
struct About<'a> {
    full: &'a Full,
    refund: Option<&'a Refund>,
    case: Option<&'a Return>,
    settings: &'a Settings,
    now: i64,
}

/// Sends a letter that waits. What is not true any more by now is not sent.
pub async fn tell(shop: &Shop, id: OutboxId) -> Result<Ran> {
    let read = move |conn: &Connection| {
        let Some(told) = store::by_id(conn, id)?.filter(|told| told.state == State::Waiting) else { return Ok(None) };
        let Some(order) = told.order_id else { return Ok(None) };
        let order = orders::store::by_id(conn, order)?.ok_or(Code::NotFound)?;
        let openid = buyers::openid(conn, order.buyer_id)?;
        let full = orders::store::full(conn, order)?;
        Ok(Some((told, full, openid)))
    };
    let Some((told, full, openid)) = shop.read(read).await? else { return Ok(Ran::Done) };
    let (settings, now) = (shop.settings(), shop.now());
    let Ok(letter) = told.topic.parse::<Letter>() else { return ended(shop, id, State::Dropped, "", None).await };
    // A backup that was taken up brings back what had been told long ago.
    if now - told.at > DAY {
        return ended(shop, id, State::Dropped, "过了一天还没有发出去", None).await;
    }
    let about = About::of(&told, letter, &full, &settings, now);
    if let Some(why) = about.no_longer(letter) {
        return ended(shop, id, State::Dropped, why, None).await;
    }
    let (template, app) = (settings.template(&letter.setting()), settings.mini_program());
    let Some((template, app)) = template.zip(app) else {
        return ended(shop, id, State::Dropped, "没有选模板了", None).await;
    };
    let value = |what: &str| what.parse::<What>().map(|what| what.of(letter, &about)).unwrap_or_default();
    let message = Message {
        openid,
        template_id: template.id,
        page: format!("pages/order/order?id={}", full.order.order_no),
        data: template.fields.iter().map(|(key, what)| (key.clone(), value(what))).collect(),
    };
    let exchange = shop.wechat.tell_buyer(&app, &message).await;
    let entry = Logged { order_id: told.order_id, ..Logged::sent(&exchange) };
    match exchange.result {
        Ok(()) => ended(shop, id, State::Sent, "", Some(entry)).await,
        Err(e) if e.code() == Some(NOT_ALLOWED) => {
            ended(shop, id, State::Refused, "买家没有点“允许”，或只允许了一次", Some(entry)).await
        }
        Err(e @ GatewayError::Refused { .. }) => ended(shop, id, State::Failed, &explain(&e), Some(entry)).await,
        Err(e) => Ok(Ran::Failed(e.to_string())),
    }
}

impl<'a> About<'a> {
    fn of(told: &Told, letter: Letter, full: &'a Full, settings: &'a Settings, now: i64) -> About<'a> {
        let refunds = full.refunds.iter().map(|r| &r.refund);
        let mut cases = full.returns.iter().map(|r| &r.case).filter(|_| letter == Letter::AfterSale);
        About {
            refund: refunds.filter(|_| letter == Letter::Refunded).find(|refund| refund.id.0 == told.subject),
            case: cases.find(|case| case.id.0 == told.subject),
            full,
            settings,
            now,
        }
    }

    /// Why there is nothing to tell any more.
    fn no_longer(&self, letter: Letter) -> Option<&'static str> {
        let status = self.full.order.status;
        let stands = match letter {
            Letter::Shipped => matches!(status, OrderStatus::Shipped | OrderStatus::Completed),
            Letter::Refunded => self.refund.is_some_and(|refund| refund.state == RefundState::Succeeded),
            Letter::AfterSale => self.case.is_some(),
            Letter::PickupReady => status == OrderStatus::ToShip,
            Letter::Unpaid => status == OrderStatus::PendingPayment,
        };
        (!stands).then_some("订单已经变了，不用再告诉")
    }
}

fn explain(e: &GatewayError) -> String {
    let next = match e.code() {
        Some("40037") => "小程序后台已经没有这个模板，请在 通知 → 订阅消息 里重新选择",
        Some("47003") => "模板的栏目和填的内容对不上，请在 通知 → 订阅消息 里重新选择",
        Some("40003") => "这位买家不是在现在的小程序里下单的",
        Some("41030") => "小程序还没有发布订单页，请先发布小程序",
        _ => "微信没有接受",
    };
    format!("{next}（{e}）")
}

async fn ended(shop: &Shop, id: OutboxId, state: State, problem: &str, entry: Option<Logged>) -> Result<Ran> {
    let problem = problem.to_owned();
    let write = move |tx: &Tx| {
        if let Some(entry) = &entry {
            entry.record(tx)?;
        }
        Ok(store::end(tx, id, state, &problem)?)
    };
    shop.write_always(write).await?;
    Ok(Ran::Done)
}

/// How a field would look on the buyer's phone.
pub fn preview(letter: Letter, key: &str, what: What, settings: &Settings, now: i64) -> String {
    fit(key, &what.example(letter, settings, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_guessed_by_its_kind_and_its_name() {
        for (key, label, what) in [
            ("character_string1", "订单编号", What::OrderNo),
            ("thing2", "商品名称", What::Goods),
            ("amount3", "订单金额", What::Amount),
            ("time4", "发货时间", What::Time),
            ("thing5", "快递公司", What::Carrier),
            ("character_string6", "快递单号", What::Tracking),
            ("phrase7", "订单状态", What::Status),
            ("thing8", "温馨提示", What::Hint),
            ("thing9", "商家名称", What::Shop),
            ("thing10", "", What::Goods),
        ] {
            assert_eq!(What::guess(key, label), what, "{key} {label}");
        }
    }
}
