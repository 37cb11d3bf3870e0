//! The ledger: every movement of money, written once and never changed. What an order was paid is a sum over it.

pub mod store;

use crate::clock::Day;
use crate::ids::{AttemptId, LedgerId, OrderId};
use crate::money::Fen;
use crate::wechat::{Api, Identity};

/// A payment as it was entered.
#[derive(Clone, Debug)]
pub struct Entered {
    pub id: LedgerId,
    pub transaction_id: String,
    /// The order it pays: the one it came for, or the one it was linked to later. None for money beside every order.
    pub order_id: Option<OrderId>,
    pub attempt_id: Option<AttemptId>,
    /// The number of that attempt.
    pub out_trade_no: Option<String>,
    /// The merchant number that it came in under. None where that was never noted.
    pub mch_id: Option<String>,
    /// The same of the app.
    pub app_id: Option<String>,
    /// The same of the version of WeChat Pay's API.
    pub api: Option<Api>,
    /// Who paid: the buyer, or somebody for him.
    pub payer: Option<String>,
    pub amount: Fen,
    /// The part of it that a coupon of the merchant's own paid (免充值): it never arrives.
    pub borne: Fen,
    /// When the buyer paid, in WeChat's words.
    pub paid_at: i64,
    /// When it was entered, by our own clock.
    pub entered_at: i64,
}

impl Entered {
    /// In whose name it came in, where that was noted.
    pub fn name(&self) -> Option<Identity> {
        let (app_id, mch_id) = self.app_id.clone().zip(self.mch_id.clone())?;
        Some(Identity { app_id, mch_id })
    }
}

/// A payment from before the shop went back to a backup, of which WeChat has not said what went back meanwhile.
#[derive(Clone, Debug)]
pub struct Unasked {
    pub entry: LedgerId,
    /// Why it was not heard when it was last asked; empty before that.
    pub problem: String,
    /// Somebody let goods leave without an answer.
    pub decided: bool,
}

/// What an order that waits to be sent stands on, where a notice of API v2 alone has told of it to a shop that has a better key by now.
#[derive(Clone, Debug)]
pub struct Noticed {
    pub attempt: AttemptId,
    pub transaction_id: String,
    /// Why WeChat was not heard when it was last asked; empty before that.
    pub problem: String,
}

/// What the buyer paid himself of a payment, and who stood in for the rest; in fen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    pub transaction_id: String,
    pub total_fen: i64,
    /// 充值券: paid for the buyer by somebody else, and settled.
    pub funded_fen: i64,
    /// 免充值券: borne by the merchant, and not settled.
    pub borne_fen: i64,
}

impl Shares {
    pub fn by_buyer_fen(&self) -> i64 {
        self.total_fen - self.funded_fen - self.borne_fen
    }

    pub fn settled_fen(&self) -> i64 {
        self.total_fen - self.borne_fen
    }
}

/// What one day brought: 成交 as orders count it, and how much of it a coupon of the merchant's own paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaySum {
    pub day: Day,
    pub payments: i64,
    pub received_fen: i64,
    pub received_borne_fen: i64,
    /// What of it came beside every order and belongs to none until today.
    pub beside: i64,
    pub beside_fen: i64,
    pub refunds: i64,
    pub refunded_fen: i64,
    pub refunded_borne_fen: i64,
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
            total.received_borne_fen += day.received_borne_fen;
            total.beside += day.beside;
            total.beside_fen += day.beside_fen;
            total.refunds += day.refunds;
            total.refunded_fen += day.refunded_fen;
            total.refunded_borne_fen += day.refunded_borne_fen;
            total.fee_fen += day.fee_fen;
            total.offline_fen += day.offline_fen;
        }
        total
    }

    pub fn nothing(day: Day) -> DaySum {
        DaySum {
            day,
            payments: 0,
            received_fen: 0,
            received_borne_fen: 0,
            beside: 0,
            beside_fen: 0,
            refunds: 0,
            refunded_fen: 0,
            refunded_borne_fen: 0,
            fee_fen: 0,
            offline_fen: 0,
        }
    }

    /// Orders that were paid for: each payment but those that belong to none.
    pub fn orders(&self) -> i64 {
        self.payments - self.beside
    }

    /// 客单价: what an order comes to, on average.
    pub fn average_fen(&self) -> i64 {
        (self.received_fen - self.beside_fen).checked_div(self.orders()).unwrap_or(0)
    }

    /// 到账: what arrives of what was paid.
    pub fn arrived_fen(&self) -> i64 {
        self.received_fen - self.received_borne_fen
    }

    /// What leaves for what was refunded.
    pub fn left_fen(&self) -> i64 {
        self.refunded_fen - self.refunded_borne_fen
    }

    /// What stays with the merchant.
    pub fn net_fen(&self) -> i64 {
        self.arrived_fen() - self.left_fen() - self.fee_fen + self.offline_fen
    }
}
