//! How money is asked for and confirmed: prepay, notify, settle, check, close; and what fits no order.

pub mod api;
pub mod check;
pub mod close;
pub mod invariants;
pub mod messages;
pub mod notify;
pub mod prepay;
pub mod settle;
pub mod store;

use std::str::FromStr;

use crate::ids::{AttemptId, OrderId, OutTradeNo};
use crate::money::Fen;
use crate::wechat::pay::UnifiedOrder;

/// How far a payment attempt has come at WeChat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Written down; WeChat may or may not know it.
    Created,
    /// WeChat gave a prepay_id: the buyer can pay.
    Prepaid,
    Paid,
    /// To be closed at WeChat; until that is certain it may still be paid.
    Closing,
    Closed,
    /// WeChat refused it for good.
    Failed,
}

impl AttemptState {
    const ALL: [AttemptState; 6] = [
        AttemptState::Created,
        AttemptState::Prepaid,
        AttemptState::Paid,
        AttemptState::Closing,
        AttemptState::Closed,
        AttemptState::Failed,
    ];

    pub fn word(self) -> &'static str {
        match self {
            AttemptState::Created => "created",
            AttemptState::Prepaid => "prepaid",
            AttemptState::Paid => "paid",
            AttemptState::Closing => "closing",
            AttemptState::Closed => "closed",
            AttemptState::Failed => "failed",
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            AttemptState::Created => "已创建",
            AttemptState::Prepaid => "待支付",
            AttemptState::Paid => "成功",
            AttemptState::Closing => "关闭中",
            AttemptState::Closed => "已关闭",
            AttemptState::Failed => "被微信拒绝",
        }
    }

    /// The buyer could pay it.
    pub fn is_alive(self) -> bool {
        matches!(self, AttemptState::Created | AttemptState::Prepaid)
    }
}

impl FromStr for AttemptState {
    type Err = ();
    fn from_str(text: &str) -> Result<AttemptState, ()> {
        AttemptState::ALL.into_iter().find(|s| s.word() == text).ok_or(())
    }
}

/// One unified order at WeChat. An order can have several, at most one of them alive.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: AttemptId,
    pub order_id: OrderId,
    pub n: i64,
    pub out_trade_no: OutTradeNo,
    pub state: AttemptState,
    pub total: Fen,
    pub openid: String,
    pub params: UnifiedOrder,
    pub prepay_id: Option<String>,
    pub prepaid_at: Option<i64>,
    pub transaction_id: Option<String>,
    pub paid_at: Option<i64>,
    pub queried_at: Option<i64>,
    pub created_at: i64,
}
