//! The outbox: what buyers and staff are told outside the shop's own pages, by whom, and what became of it. It runs in a
//! lane of its own behind everything else: nothing here holds up money or an answer.

pub mod buyers;
pub mod collect;
mod mail;
mod robots;
pub mod staff;
pub mod store;

use crate::ids::{OrderId, OutboxId};
use crate::settings::Settings;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// What staff want to hear of.
    pub enum Topic {
        NewOrder "new_order" "新订单",
        RefundAsked "refund_asked" "退款申请",
        /// Goods that somebody wants to send back, and what of that waits too long.
        ReturnAsked "return_asked" "退换货",
        InvoiceAsked "invoice_asked" "发票申请",
        MoneyException "money_exception" "资金异常",
        LowStock "low_stock" "库存不足",
        BackupFailed "backup_failed" "备份失败",
        WechatDown "wechat_down" "连不上微信",
        HookOff "hook_off" "接口停用",
        /// Somebody pressed 测试.
        Trial "trial" "测试",
    }
}

impl Topic {
    /// Whether staff are to hear of it.
    pub fn is_on(self, settings: &Settings) -> bool {
        settings.is_on(&format!("shop.tell_{}", self.word()))
    }
}

stored_enum! {
    /// What a buyer may be told of his order, if he allowed it.
    pub enum Letter {
        Shipped "shipped" "发货提醒",
        Refunded "refunded" "退款提醒",
        /// What the shop says to goods that he wants to send back.
        AfterSale "aftersale" "售后提醒",
        PickupReady "pickup" "取货提醒",
        Unpaid "unpaid" "待付款提醒",
    }
}

impl Letter {
    /// The setting that keeps its template.
    pub fn setting(self) -> String {
        format!("wechat.tmpl_{}", self.word())
    }
}

stored_enum! {
    /// The way by which somebody is told.
    pub enum Channel {
        Wecom "wecom" "企业微信",
        Feishu "feishu" "飞书",
        Dingtalk "dingtalk" "钉钉",
        Mail "mail" "邮件",
        Buyers "buyers" "订阅消息",
    }
}

impl Channel {
    /// The ways to the staff.
    pub const STAFF: [Channel; 4] = [Channel::Wecom, Channel::Feishu, Channel::Dingtalk, Channel::Mail];

    /// Its place in the list of all: the subject of the job that gathers for it.
    pub fn number(self) -> i64 {
        Channel::ALL.iter().position(|other| *other == self).map_or(0, |at| at as i64)
    }

    pub fn numbered(number: i64) -> Option<Channel> {
        usize::try_from(number).ok().and_then(|at| Channel::ALL.get(at).copied())
    }

    /// Whether it is filled in and not switched off.
    pub fn is_on(self, settings: &Settings) -> bool {
        let has = |name: &str| settings.get(name).is_some();
        match self {
            Channel::Wecom | Channel::Feishu | Channel::Dingtalk => {
                settings.is_on(&format!("shop.{}", self.word())) && has(&format!("shop.{}_url", self.word()))
            }
            Channel::Mail => {
                let all = ["shop.mail_server", "shop.mail_user", "shop.mail_password", "shop.mail_to"];
                settings.is_on("shop.mail") && all.into_iter().all(has)
            }
            Channel::Buyers => Letter::ALL.iter().any(|letter| settings.template(&letter.setting()).is_some()),
        }
    }
}

stored_enum! {
    pub enum State {
        Waiting "waiting" "等待发送",
        Sent "sent" "已发送",
        /// The buyer does not want it, or takes no more.
        Refused "refused" "买家没有允许",
        Failed "failed" "没有发出去",
        /// Too old by the time it could be sent, or nobody wants it any more.
        Dropped "dropped" "不用再发",
    }
}

/// One thing that somebody is told.
#[derive(Clone, Debug)]
pub struct Told {
    pub id: OutboxId,
    pub at: i64,
    pub channel: Channel,
    /// The word of a topic or of a letter.
    pub topic: String,
    pub what: String,
    pub order_id: Option<OrderId>,
    pub subject: i64,
    pub state: State,
    pub ended_at: Option<i64>,
    pub problem: String,
}

impl Told {
    pub fn topic_text(&self) -> &'static str {
        let topic = self.topic.parse::<Topic>().map(Topic::text);
        topic.or_else(|()| self.topic.parse().map(Letter::text)).unwrap_or_default()
    }
}

/// Why something was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// Nobody answered: time may heal it.
    Later(String),
    /// It was refused: only a person can mend it.
    Never(String),
}

impl Unsent {
    pub fn words(&self) -> &str {
        match self {
            Unsent::Later(why) | Unsent::Never(why) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_is_found_by_its_number() {
        for channel in Channel::ALL {
            assert_eq!(Channel::numbered(channel.number()), Some(*channel));
        }
        assert_eq!((Channel::numbered(-1), Channel::numbered(99)), (None, None));
    }
}
