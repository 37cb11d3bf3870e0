//! What happened to an order, in parts that can be looked at alone, and why nothing happens just now.

use serde::Serialize;

use crate::clock::{self, DAY};
use crate::ids::MessageId;
use crate::orders::store::Event;
use crate::orders::{Full, OrderStatus, Topic};
use crate::payments::{Attempt, AttemptState};
use crate::stored_enum::stored_enum;

stored_enum! {
    /// A part of the timeline. One event can belong to several.
    pub enum Part {
        Money "money" "资金",
        Goods "goods" "物流",
        People "people" "人工",
        System "system" "系统",
    }
}

fn belongs(event: &Event, part: Part) -> bool {
    match part {
        Part::Money => event.topic == Topic::Money,
        Part::Goods => event.topic == Topic::Goods,
        Part::People => event.actor == "staff",
        Part::System => matches!(event.actor.as_str(), "system" | "wechat"),
    }
}

/// An event as the page shows it.
#[derive(Serialize)]
pub struct Shown {
    at: String,
    actor: String,
    actor_text: &'static str,
    name: String,
    what: String,
    message: Option<MessageId>,
}

/// The events of a part, or all of them; of money nothing to whoever sees no sums.
pub fn shown(events: &[Event], part: Option<Part>, sees_money: bool) -> Vec<Shown> {
    let seen = |event: &&Event| sees_money || event.topic != Topic::Money;
    events.iter().filter(seen).filter(|event| part.is_none_or(|part| belongs(event, part))).map(line).collect()
}

fn line(event: &Event) -> Shown {
    Shown {
        at: clock::shown(event.at),
        actor: event.actor.clone(),
        actor_text: match event.actor.as_str() {
            "buyer" => "买家",
            "staff" => "店员",
            "wechat" => "微信",
            _ => "系统",
        },
        name: event.actor_name.clone(),
        what: event.what.clone(),
        message: event.message_id,
    }
}

/// Why nothing happens just now, and the way to where that is changed.
#[derive(Serialize)]
pub struct Waiting {
    words: String,
    /// What is written on it, and where it leads.
    button: Option<(&'static str, String)>,
}

/// Why an attempt is not closed yet.
fn closing(last: Option<(&Attempt, Option<&str>)>, now: i64) -> String {
    match last {
        Some((attempt, _)) if now < attempt.closable_at() => {
            let at = clock::shown_short(attempt.closable_at());
            let wait = clock::span(attempt.params.api().closable_after());
            format!("微信要求支付单创建 {wait}后才能关闭，{at} 以后就去关闭")
        }
        Some((_, Some(why))) => format!("之前的支付单还没能在微信关闭（{why}）"),
        _ => "正在微信关闭之前的支付单".to_owned(),
    }
}

/// Why nothing happens just now: a sentence, and where this person may go to change it, if anywhere. `last` is the last
/// attempt, with why it could not be closed.
pub fn why_waiting(
    full: &Full,
    last: Option<(&Attempt, Option<&str>)>,
    expiring: Option<i64>,
    completing: Option<i64>,
    sees_money: bool,
    now: i64,
) -> Option<Waiting> {
    let order = &full.order;
    let state = last.map(|(attempt, _)| attempt.state);
    let here = |part: &str| format!("/admin/orders/{}{part}", order.order_no);
    let (words, button) = match order.status {
        OrderStatus::PendingPayment if now >= order.expires_at => {
            let again = expiring.map(|at| format!("，{} 再试", clock::shown_short(at.max(now)))).unwrap_or_default();
            (format!("付款时间已过，正在向微信确认没有付款{again}，确认后自动关闭"), None)
        }
        OrderStatus::PendingPayment => match state {
            Some(AttemptState::Closing) => (format!("{}，关闭之后买家可以重新支付", closing(last, now)), None),
            Some(AttemptState::Failed) => {
                let log = format!("/admin/transactions?q={}", order.order_no);
                ("微信拒绝了下单，买家可以重新发起支付".into(), Some(("看微信怎么说", log)).filter(|_| sees_money))
            }
            None => ("买家还没有发起支付".into(), None),
            Some(_) => (format!("等待买家付款，{} 到期后自动关闭", clock::shown_short(order.expires_at)), None),
        },
        OrderStatus::Closed if state == Some(AttemptState::Closing) && order.holds_stock => {
            (format!("{}；在确认关闭之前，库存暂时保留，系统会继续跟进", closing(last, now)), None)
        }
        _ if let Some(refund) = full.refunds.iter().find(|r| r.refund.state.is_open()) => {
            let (number, state) = (&refund.refund.out_refund_no, refund.refund.state.text());
            let first = match (order.status, &full.pickup) {
                (OrderStatus::ToShip, Some(_)) => "，处理完之前请先不要交货",
                (OrderStatus::ToShip, None) => "，处理完之前请先不要发货",
                _ => "",
            };
            let there = Some(("看这笔退款", format!("/admin/refunds/{number}"))).filter(|_| sees_money);
            (format!("退款 {number} {state}{first}"), there)
        }
        OrderStatus::ToShip if let Some(pickup) = &full.pickup => match (pickup.ready_at, order.paid_at) {
            (Some(at), _) => (format!("备好 {}了，等买家来取", clock::span(now - at)), None),
            (None, Some(at)) if now - at > DAY => {
                (format!("付款已经 {}，还没有备好", clock::span(now - at)), Some(("去备货", here("#ship"))))
            }
            _ => return None,
        },
        OrderStatus::ToShip => match order.paid_at {
            Some(at) if now - at > DAY => {
                (format!("付款已经 {}，还没有发货", clock::span(now - at)), Some(("去发货", here("#ship"))))
            }
            _ => return None,
        },
        OrderStatus::Shipped => {
            let at = completing.map(|at| format!("；{} 自动完成", clock::shown_short(at))).unwrap_or_default();
            let what =
                if full.pickup.is_some() { "已取走，等待买家确认" } else { "等待买家确认收货" };
            (format!("{what}{at}"), None)
        }
        OrderStatus::Closed | OrderStatus::Completed => return None,
    };
    Some(Waiting { words, button })
}

#[cfg(test)]
impl Shown {
    pub fn sample(actor: &str) -> Shown {
        let (at, what) = ("2026-10-08 13:15:40".into(), "已付款 ¥57.00".into());
        Shown {
            at, actor: actor.into(), actor_text: "微信", name: "小王".into(), what, message: Some(MessageId(1))
        }
    }
}

#[cfg(test)]
impl Waiting {
    pub fn sample() -> Waiting {
        Waiting {
            words: "付款已经 26 小时，还没有发货".into(), button: Some(("去发货", "#ship".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_found_under_what_it_is_about() {
        for (actor, topic, parts) in [
            ("buyer", Topic::Goods, &[Part::Goods][..]),
            ("buyer", Topic::Money, &[Part::Money]),
            ("wechat", Topic::Money, &[Part::Money, Part::System]),
            ("system", Topic::Goods, &[Part::Goods, Part::System]),
            ("staff", Topic::Goods, &[Part::Goods, Part::People]),
            ("staff", Topic::Money, &[Part::Money, Part::People]),
            // A memo is nobody's money, whatever it says.
            ("staff", Topic::Order, &[Part::People]),
        ] {
            let (name, what) = (String::new(), "备注改为「付款后发货」".to_owned());
            let event = Event { at: 0, actor: actor.into(), actor_name: name, topic, what, message_id: None };
            let found: Vec<Part> = Part::ALL.iter().copied().filter(|part| belongs(&event, *part)).collect();
            assert_eq!(found, parts, "{actor} {topic:?}");
        }
    }
}
