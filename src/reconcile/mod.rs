//! 对账: each day's bill against our ledger and orders. What WeChat has and we missed is asked about and entered.

pub mod decide;
mod differences;
pub mod funds;
pub mod matching;
mod missed;
pub mod parts;
pub mod report;
pub mod round;
pub mod store;

use crate::clock::{Day, HOUR};
use crate::money::yuan;
use crate::stored_enum::stored_enum;
use crate::wechat::bill::Others;

/// WeChat asks for patience until ten in the morning. Source: download bill, API v2.
const OUT_AFTER: i64 = 10 * HOUR;
/// Rows written in one go, so that no one else waits long for the writer.
const CHUNK: usize = 1_000;
/// WeChat keeps bills for three months.
pub const KEPT_DAYS: i64 = 89;

stored_enum! {
    /// How a day's match stands.
    pub enum BillState {
        Waiting "waiting" "未出账",
        Equal "equal" "无差异",
        Differs "differs" "有差异",
        Empty "empty" "无交易",
        Failed "failed" "下载失败",
    }
}

impl BillState {
    /// A bill was fetched and held against the books, whatever came of it.
    pub fn is_matched(self) -> bool {
        !matches!(self, BillState::Waiting | BillState::Failed)
    }
}

/// A day's match, with what WeChat's bill adds up to.
#[derive(Clone, Debug)]
pub struct Match {
    pub day: Day,
    pub state: BillState,
    pub payments: i64,
    pub received_fen: i64,
    /// The part of it that never arrives; so with refunds, the part that never leaves.
    pub received_borne_fen: i64,
    pub refunds: i64,
    pub refunded_fen: i64,
    pub refunded_borne_fen: i64,
    pub fee_fen: i64,
    /// What moved under the same merchant number for other apps and tills; none of it is the shop's.
    pub others: Others,
    pub problem: String,
    pub checked_at: i64,
    /// One number's bill of the day was matched, whatever became of the others'.
    pub begun: bool,
}

#[cfg(test)]
impl Match {
    /// A day that differs, with something in every place.
    pub fn sample(day: Day) -> Match {
        Match {
            day,
            state: BillState::Differs,
            payments: 2,
            received_fen: 8_801,
            received_borne_fen: 100,
            refunds: 1,
            refunded_fen: 500,
            refunded_borne_fen: 1,
            fee_fen: 5,
            others: Others { payments: 1, received_fen: 3, ..Others::default() },
            problem: "微信没有回答".into(),
            checked_at: day.start(),
            begun: true,
        }
    }
}

impl Match {
    /// How it stands, in a word or two: a day that waits for another number's bill was not left undone.
    pub fn text(&self) -> &'static str {
        match self.state {
            BillState::Failed if self.begun => "部分核对",
            state => state.text(),
        }
    }

    /// What the bill says was received and given back, in fen, where there is one.
    pub fn billed(&self) -> Option<(i64, i64)> {
        self.state.is_matched().then_some((self.received_fen, self.refunded_fen))
    }

    /// What the bill has beside the shop's own, in one line.
    pub fn others_text(&self) -> Option<String> {
        let (paid, back) = (yuan(self.others.received_fen), yuan(self.others.refunded_fen));
        match (self.others.payments, self.others.refunds) {
            (0, 0) => None,
            (n, 0) => Some(format!("其他应用 {n} 笔 ¥{paid}")),
            (n, refunds) => Some(format!("其他应用 {n} 笔 ¥{paid}，退款 {refunds} 笔 ¥{back}")),
        }
    }
}

/// When a day's bill can be asked for.
pub fn out_at(day: Day) -> i64 {
    day.end() + OUT_AFTER
}

/// How orders account for a day's payments: money inside orders, and money beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByOrders {
    /// How many, and their sum in fen.
    pub inside: (i64, i64),
    pub beside: (i64, i64),
}
