//! The parts of a day's match: one for each merchant number. A bill speaks of its own number alone, and a day is settled when
//! each number with money on it is.

pub mod day;
pub mod store;

use super::BillState;
use crate::wechat::bill::Others;

/// What became of one number's bill of a day.
#[derive(Clone, Debug)]
pub struct Part {
    pub mch_id: String,
    /// Which of the day's bills it is, from 0.
    pub n: i64,
    pub state: BillState,
    pub others: Others,
    pub problem: String,
    /// Who looked at it in WeChat's console: no bill was fetched.
    pub looked_by: Option<String>,
}

/// A number that has something on a day, or was used then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub mch_id: String,
    /// How many payments and refunds our books have.
    pub moved: i64,
}

impl Owed {
    /// What is said of a number whose bill nobody has seen.
    pub fn words(&self) -> String {
        let number = &self.mch_id;
        match self.moved {
            0 => format!("这一天也用过商户号 {number}，它的账单还没有核对：换回 {number} 后会自动下载"),
            n => format!("另有 {n} 笔收付是用商户号 {number} 办的，还没有核对：换回 {number} 后会自动下载它的账单"),
        }
    }
}
