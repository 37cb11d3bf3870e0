//! The ledger: every movement of money, written once and never changed. What an order was paid is a sum over it.

pub mod store;

use crate::clock::Day;
use crate::ids::{AttemptId, EntryId, OrderId};
use crate::money::Fen;
use crate::wechat::Api;

/// A payment as it was entered.
#[derive(Clone, Debug)]
pub struct Entered {
    pub id: EntryId,
    pub transaction_id: String,
    /// The order it pays: the one it came for, or the one it was linked to later. None for money beside every order.
    pub order_id: Option<OrderId>,
    pub attempt_id: Option<AttemptId>,
    /// The merchant number that it came in under, if it came for an attempt of ours.
    pub mch_id: Option<String>,
    /// The app that it came in under, if it came for an attempt of ours.
    pub app_id: Option<String>,
    /// The version of WeChat Pay's API that took it, if it came for an attempt of ours.
    pub api: Option<Api>,
    /// Who paid: the buyer, or somebody for him.
    pub payer: Option<String>,
    pub amount: Fen,
    /// When the buyer paid, in WeChat's words.
    pub paid_at: i64,
}

/// What one day brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaySum {
    pub day: Day,
    pub payments: i64,
    pub received_fen: i64,
    pub refunds: i64,
    pub refunded_fen: i64,
    pub fee_fen: i64,
    /// Taken or given back outside WeChat.
    pub offline_fen: i64,
}

impl DaySum {
    /// Several days as one, under the name of the first.
    pub fn of(first: Day, days: &[DaySum]) -> DaySum {
        let mut total = DaySum::nothing(first);
        for day in days {
            total.payments += day.payments;
            total.received_fen += day.received_fen;
            total.refunds += day.refunds;
            total.refunded_fen += day.refunded_fen;
            total.fee_fen += day.fee_fen;
            total.offline_fen += day.offline_fen;
        }
        total
    }

    pub fn nothing(day: Day) -> DaySum {
        DaySum { day, payments: 0, received_fen: 0, refunds: 0, refunded_fen: 0, fee_fen: 0, offline_fen: 0 }
    }

    /// What stays with the merchant.
    pub fn net_fen(&self) -> i64 {
        self.received_fen - self.refunded_fen - self.fee_fen + self.offline_fen
    }
}
