//! Refunds: what is given back, of which goods, and how far it has come. How it is sent is with `payments`.

pub mod store;

use serde::Serialize;

use crate::ids::{LineId, OrderId, OutRefundNo, PhotoId, RefundId, SkuId};
use crate::money::Fen;
use crate::stored_enum::stored_enum;

/// `problem_code` of a refund that WeChat gave up: its number is used up.
pub const CLOSED: &str = "REFUNDCLOSE";

/// `problem_code` of a refund whose number WeChat knows as another one's.
pub const OTHER_REFUND: &str = "OTHER_REFUND";

/// `problem_code` of a refund whose payment came in under a merchant number that is not set.
pub const OTHER_MERCHANT: &str = "OTHER_MERCHANT";

/// `problem_code` of a refund whose merchant number is back, and that a person has to look at all the same.
pub const CAME_BACK: &str = "NUMBER_IS_BACK";

/// `problem_code` of a refund that waits for somebody to look what WeChat has given back that is forgotten here; he has, once
/// it is tried again.
pub const LOOKED: &str = "FORGOTTEN";

/// `problem_code` of a refund of money of which only somebody with the key of API v2 has told, and that WeChat does not know.
pub const NEVER_CAME_IN: &str = "UNPROVEN";

/// `problem_code` of a refund of a second payment, where WeChat does not know the first as it was told.
pub const FIRST_UNPROVEN: &str = "FIRST_UNPROVEN";

stored_enum! {
    pub enum RefundState {
        /// Somebody asked for it; a person decides.
        Requested "requested" "待处理",
        /// Decided; not yet sent.
        Approved "approved" "待发送",
        /// Sent, or about to be: WeChat may know it.
        Processing "processing" "退款中",
        Succeeded "succeeded" "已退款",
        Rejected "rejected" "已拒绝",
        Cancelled "cancelled" "已取消",
        /// WeChat refused it; a person mends the cause and sends the same number again.
        Failed "failed" "退款失败",
        /// The bank sent the money back to the merchant; a person pays it out in another way.
        Abnormal "abnormal" "退款异常",
    }
}

impl RefundState {
    /// It has not come to its end: somebody or something still has to act.
    pub fn is_open(self) -> bool {
        !matches!(self, RefundState::Succeeded | RefundState::Rejected | RefundState::Cancelled)
    }

    /// It was agreed to, and is on its way.
    pub fn is_under_way(self) -> bool {
        matches!(self, RefundState::Approved | RefundState::Processing)
    }

    /// It counts against what was paid: together these never exceed it.
    pub fn takes_money(self) -> bool {
        use RefundState::*;
        matches!(self, Approved | Processing | Succeeded | Abnormal)
    }

    /// It takes nothing, and may yet: asked for, or refused by WeChat.
    pub fn may_take_money(self) -> bool {
        self.is_open() && !self.takes_money()
    }

    /// What a buyer reads. The shop's own troubles are none of theirs: the money is still coming.
    pub fn buyer_text(self) -> &'static str {
        match self {
            RefundState::Requested => "待商家处理",
            RefundState::Approved | RefundState::Processing | RefundState::Failed | RefundState::Abnormal => "退款中",
            RefundState::Succeeded => "已退款",
            RefundState::Rejected => "商家未同意",
            RefundState::Cancelled => "已取消",
        }
    }

    /// Which states may follow. WeChat's word (`Succeeded`, `Abnormal`, `Failed`) can come in any state that was sent.
    pub fn leads_to(self, next: RefundState) -> bool {
        use RefundState::*;
        match self {
            Requested => matches!(next, Approved | Rejected | Cancelled),
            Approved => matches!(next, Processing | Cancelled | Failed | Succeeded | Abnormal),
            Processing => matches!(next, Succeeded | Failed | Abnormal),
            Failed => matches!(next, Approved | Cancelled | Processing | Succeeded | Abnormal),
            Abnormal => matches!(next, Succeeded | Processing | Cancelled),
            // Only by WeChat's word, should it have paid what we had stopped.
            Cancelled => matches!(next, Succeeded),
            Succeeded | Rejected => false,
        }
    }
}

stored_enum! {
    /// Who wanted it.
    pub enum Origin {
        Buyer "buyer" "买家申请",
        Staff "staff" "商家退款",
        /// Money that came late or twice goes back by itself.
        Automatic "automatic" "自动退款",
        /// Made in WeChat's own console, and learnt of afterwards.
        Console "console" "商户平台退款",
    }
}

/// One refund of one payment.
#[derive(Clone, Debug)]
pub struct Refund {
    pub id: RefundId,
    pub out_refund_no: OutRefundNo,
    pub order_id: Option<OrderId>,
    /// It returns the order's own money, rather than money that came beside it.
    pub inside: bool,
    /// The payment it returns; none for money that was taken outside WeChat.
    pub transaction_id: Option<String>,
    /// What that payment amounts to.
    pub payment: Fen,
    pub origin: Origin,
    pub state: RefundState,
    pub amount: Fen,
    /// The part of it that is freight.
    pub freight: Fen,
    pub reason: String,
    pub description: String,
    pub requested_by: String,
    pub decided_by: String,
    /// What the buyer was told when it was refused.
    pub answer: String,
    /// It is not sent before this moment.
    pub not_before: i64,
    /// As it was first sent, in JSON.
    pub params: Option<String>,
    pub tries: i64,
    pub sent_at: Option<i64>,
    pub accepted_at: Option<i64>,
    /// WeChat's own number for it.
    pub refund_id: Option<String>,
    /// The number under which WeChat knows it, where that is another than ours.
    pub asked_as: Option<String>,
    pub account: String,
    pub problem_code: String,
    pub problem: String,
    pub created_at: i64,
    pub ended_at: Option<i64>,
}

/// What may be done with a refund as it stands; who may do it is said by `payments`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Options {
    /// Agree to it, or refuse it.
    pub decide: bool,
    /// Take it back before it is decided.
    pub withdraw: bool,
    /// Send the same number again.
    pub retry: bool,
    pub stop: bool,
    /// Ask WeChat now.
    pub query: bool,
    /// Write down that the money went back in another way.
    pub settle: bool,
}

impl Refund {
    /// Pages and actions ask this one function.
    pub fn options(&self) -> Options {
        use RefundState::*;
        let failed = self.state == Failed;
        let unsent = self.state == Approved && self.tries == 0;
        Options {
            decide: self.state == Requested,
            withdraw: self.state == Requested,
            retry: failed && self.problem_code != CLOSED,
            stop: failed || unsent || self.is_anothers(),
            query: matches!(self.state, Processing | Approved),
            // Money that was taken outside WeChat goes back outside it.
            settle: failed || self.state == Abnormal || (self.state == Approved && self.transaction_id.is_none()),
        }
    }

    /// The same where WeChat cannot be asked about it: a person looks there, and writes down what has become of it.
    pub fn options_unasked(&self) -> Options {
        let stands = self.options();
        Options { settle: stands.settle || self.state.is_under_way(), ..stands }
    }

    /// WeChat took it on, or may have: only such a one explains that money of a payment went back. One that it refused does
    /// not, however often it was sent.
    pub fn may_be_taken_on(&self) -> bool {
        let unanswered = self.tries > 0 && matches!(self.state, RefundState::Processing | RefundState::Abnormal);
        self.refund_id.is_some() || unanswered
    }

    /// WeChat knows its number as another refund's, so it never went out.
    pub fn is_anothers(&self) -> bool {
        self.state == RefundState::Abnormal && self.problem_code == OTHER_REFUND
    }

    /// Nobody here made it, and WeChat told of it then or later.
    pub fn was_told_since(&self, at: i64) -> bool {
        self.origin == Origin::Console && self.created_at >= at
    }

    /// It was sent, or WeChat told us of it.
    pub fn may_be_known_there(&self) -> bool {
        self.tries > 0 || self.refund_id.is_some()
    }
}

/// The part of a refund that is about one line of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundLine {
    pub line_id: LineId,
    pub quantity: i64,
    pub amount: Fen,
    /// Pieces that had been shipped came back and can be sold again.
    pub restock: bool,
    /// As which SKU, where its buyer has several and somebody said which.
    pub came_as: Option<SkuId>,
}

/// A refund with its lines, and with the photographs that were sent with it.
#[derive(Clone, Debug)]
pub struct FullRefund {
    pub refund: Refund,
    pub lines: Vec<RefundLine>,
    pub photos: Vec<PhotoId>,
}

#[cfg(test)]
mod tests {
    use super::RefundState::*;
    use super::*;

    /// Every move there is; anything else is none.
    #[test]
    fn a_refund_moves_along_these_lines_and_no_others() {
        let moves = [
            (Requested, vec![Approved, Rejected, Cancelled]),
            (Approved, vec![Processing, Succeeded, Cancelled, Failed, Abnormal]),
            (Processing, vec![Succeeded, Failed, Abnormal]),
            (Succeeded, vec![]),
            (Rejected, vec![]),
            (Cancelled, vec![Succeeded]),
            (Failed, vec![Approved, Processing, Succeeded, Cancelled, Abnormal]),
            (Abnormal, vec![Processing, Succeeded, Cancelled]),
        ];
        for (from, to) in moves {
            let found: Vec<_> = RefundState::ALL.iter().copied().filter(|next| from.leads_to(*next)).collect();
            assert_eq!(found, to, "{from:?}");
        }
        for state in RefundState::ALL {
            let ended = [Succeeded, Rejected, Cancelled].contains(state);
            assert_eq!(state.is_open(), !ended, "{state:?}: somebody has to act");
        }
    }
}
