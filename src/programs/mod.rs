//! Other programs: keys with rights and an end, by which they read orders and stock and ship; and addresses of theirs that
//! are told what happens.

pub mod api;
pub mod hooks;
pub mod keys;
mod outside;
pub mod store;
mod view;

use crate::ids::{ApiKeyId, DeliveryId, HookId, OrderId};
use crate::stored_enum::stored_enum;

pub use outside::{URL, check_url};

stored_enum! {
    /// What a key opens.
    pub enum Right {
        Orders "orders" "读订单（收货信息隐去）",
        Addresses "addresses" "读完整的收货信息",
        Ship "ship" "发货",
        Stock "stock" "读库存",
    }
}

/// A key as the owner sees it: never the key itself.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: ApiKeyId,
    pub name: String,
    pub tail: String,
    pub rights: Vec<Right>,
    pub made_by: String,
    pub created_at: i64,
    pub ends_at: i64,
    pub used_at: Option<i64>,
    pub used_ip: String,
    pub read_at: i64,
    pub ended_at: Option<i64>,
}

impl Key {
    /// Neither ended by the owner nor by its time.
    pub fn is_good(&self, now: i64) -> bool {
        self.ended_at.is_none() && now < self.ends_at
    }
}

stored_enum! {
    /// What a hook may be told.
    pub enum Event {
        OrderCreated "order.created" "提交订单",
        OrderPaid "order.paid" "付款",
        OrderShipped "order.shipped" "全部发货",
        OrderCompleted "order.completed" "完成",
        OrderClosed "order.closed" "关闭",
        RefundRequested "refund.requested" "买家申请退款",
        RefundSucceeded "refund.succeeded" "退款成功",
        /// Somebody pressed 测试.
        Ping "ping" "测试",
    }
}

impl Event {
    /// What can be asked for.
    pub fn all() -> impl Iterator<Item = Event> {
        Event::ALL.iter().copied().filter(|event| *event != Event::Ping)
    }
}

/// An address that is told.
#[derive(Clone, Debug)]
pub struct Hook {
    pub id: HookId,
    pub url: String,
    /// Sealed.
    pub secret: Vec<u8>,
    pub events: Vec<Event>,
    pub made_by: String,
    pub created_at: i64,
    pub failing_since: Option<i64>,
    pub off_at: Option<i64>,
    pub off_why: String,
}

stored_enum! {
    pub enum State {
        Waiting "waiting" "等待送达",
        Done "done" "已送达",
        Failed "failed" "没有送达",
        Dropped "dropped" "不再送",
    }
}

/// One telling of one hook.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: DeliveryId,
    pub hook_id: HookId,
    pub event: Event,
    pub order_id: Option<OrderId>,
    pub body: String,
    pub at: i64,
    pub state: State,
    pub tries: i64,
    pub status: Option<i64>,
    pub problem: String,
    pub took_ms: i64,
    pub ended_at: Option<i64>,
}

/// What came of telling a hook once.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    pub status: Option<i64>,
    /// Empty when it was taken.
    pub problem: String,
    pub took_ms: i64,
}
