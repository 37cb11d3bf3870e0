//! What happened to an order, in parts that can be looked at alone, and why nothing happens just now.

use serde_json::{Value, json};

use crate::clock::{self, DAY};
use crate::orders::store::Event;
use crate::orders::{Full, OrderStatus};
use crate::payments::AttemptState;
use crate::words::words;

words! {
    /// A part of the timeline. One event can belong to several.
    pub enum Part {
        Money "money" "资金",
        Goods "goods" "物流",
        People "people" "人工",
        System "system" "系统",
    }
}

/// What the events about goods and about money speak of; the sentences are our own.
const GOODS: [&str; 7] = ["发货", "包裹", "单号", "收货", "库存", "快递", "补发"];
const MONEY: [&str; 5] = ["¥", "支付", "退款", "付款", "收款"];

pub fn belongs(event: &Event, part: Part) -> bool {
    let speaks_of = |words: &[&str]| words.iter().any(|word| event.what.contains(word));
    match part {
        Part::Money => event.message_id.is_some() || speaks_of(&MONEY),
        Part::Goods => speaks_of(&GOODS),
        Part::People => event.actor == "staff",
        Part::System => matches!(event.actor.as_str(), "system" | "wechat"),
    }
}

pub fn line(event: &Event) -> Value {
    json!({
        "at": clock::shown(event.at), "actor": event.actor, "name": event.actor_name, "what": event.what,
        "message": event.message_id,
        "actor_text": match event.actor.as_str() { "buyer" => "买家", "staff" => "店员", "wechat" => "微信", _ => "系统" },
    })
}

/// Why nothing happens just now: a sentence, and where this person may go to change it, if anywhere.
pub fn why_waiting(
    full: &Full,
    last: Option<AttemptState>,
    expiring: Option<i64>,
    completing: Option<i64>,
    sees_money: bool,
    now: i64,
) -> Option<Value> {
    let order = &full.order;
    let here = |part: &str| format!("/admin/orders/{}{part}", order.order_no);
    let (words, button) = match order.status {
        OrderStatus::PendingPayment if now >= order.expires_at => {
            let again = expiring.map(|at| format!("，{} 再试", clock::shown_short(at.max(now)))).unwrap_or_default();
            (format!("付款时间已过，正在向微信确认没有付款{again}，确认后自动关闭"), None)
        }
        OrderStatus::PendingPayment => match last {
            Some(AttemptState::Closing) => {
                ("正在微信关闭之前的支付单（创建 5 分钟后才能关闭），之后买家可以重新支付".into(), None)
            }
            Some(AttemptState::Failed) => {
                let log = format!("/admin/transactions?q={}", order.order_no);
                ("微信拒绝了下单，买家可以重新发起支付".into(), Some(("看微信怎么说", log)).filter(|_| sees_money))
            }
            None => ("买家还没有发起支付".into(), None),
            Some(_) => (format!("等待买家付款，{} 到期后自动关闭", clock::shown_short(order.expires_at)), None),
        },
        OrderStatus::Closed if last == Some(AttemptState::Closing) && order.holds_stock => {
            ("微信要求支付单创建 5 分钟后才能关闭；在确认关闭之前，库存暂时保留，系统会继续跟进".into(), None)
        }
        _ if let Some(refund) = full.refunds.iter().find(|r| r.refund.state.is_open()) => {
            let (number, state) = (&refund.refund.out_refund_no, refund.refund.state.text());
            let first = if order.status == OrderStatus::ToShip { "，处理完之前请先不要发货" } else { "" };
            let there = Some(("看这笔退款", format!("/admin/refunds/{number}"))).filter(|_| sees_money);
            (format!("退款 {number} {state}{first}"), there)
        }
        OrderStatus::ToShip => match order.paid_at {
            Some(at) if now - at > DAY => {
                (format!("付款已经 {}，还没有发货", clock::span(now - at)), Some(("去发货", here("#ship"))))
            }
            _ => return None,
        },
        OrderStatus::Shipped => {
            let at = completing.map(|at| format!("；{} 自动完成", clock::shown_short(at))).unwrap_or_default();
            (format!("等待买家确认收货{at}"), None)
        }
        OrderStatus::Closed | OrderStatus::Completed => return None,
    };
    Some(json!({ "words": words, "button": button }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_found_under_what_it_is_about() {
        for (actor, what, message, parts) in [
            ("buyer", "提交订单，占用库存 1 件", None, &[Part::Goods][..]),
            ("buyer", "发起支付（支付单 #01，¥57.00）", None, &[Part::Money]),
            ("wechat", "收到微信支付通知：支付单 #01 ¥57.00 ✓验签 ✓金额", Some(1), &[Part::Money, Part::System]),
            ("staff", "备注改为「放门口」", None, &[Part::People]),
            ("staff", "改价 98.00 → 88.00：支付单 #01 作废", None, &[Part::Money, Part::People]),
            ("staff", "发货 顺丰速运 SF1", None, &[Part::Goods, Part::People]),
            ("system", "付款超时，关闭订单", None, &[Part::Money, Part::System]),
        ] {
            let event = Event {
                at: 0,
                actor: actor.into(),
                actor_name: String::new(),
                what: what.into(),
                message_id: message.map(crate::ids::MessageId),
            };
            let found: Vec<Part> = Part::ALL.iter().copied().filter(|part| belongs(&event, *part)).collect();
            assert_eq!(found, parts, "{what}");
        }
    }
}
