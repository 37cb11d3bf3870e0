//! Goods that come back, for their money or for others, and parcels that are sent once more: nouns, below orders. What
//! happens to them is with `aftersale`.

pub mod store;
pub mod view;

use serde::Serialize;

use crate::ids::{LineId, OrderId, PhotoId, RefundId, ResendId, ReturnId, SkuId};
use crate::parcels::Parcel;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// What the buyer wants for the goods.
    pub enum Kind {
        Return "return" "退货退款",
        Exchange "exchange" "换货",
    }
}

stored_enum! {
    pub enum ReturnState {
        /// Asked for; a person decides.
        Requested "requested" "待处理",
        /// The shop said yes; the buyer sends the goods, or brings them.
        Agreed "agreed" "待买家寄回",
        SentBack "sent_back" "待收货",
        /// What was to be exchanged is here; the shop owes others.
        Received "received" "待换出",
        Done "done" "已完成",
        Rejected "rejected" "已拒绝",
        Cancelled "cancelled" "已撤回",
        /// The goods were not sent while there was time.
        Lapsed "lapsed" "超时关闭",
    }
}

impl ReturnState {
    /// It has not come to its end: somebody still has to act.
    pub fn is_open(self) -> bool {
        use ReturnState::*;
        matches!(self, Requested | Agreed | SentBack | Received)
    }

    /// The shop's turn, rather than the buyer's.
    pub fn waits_for_staff(self) -> bool {
        self.is_open() && self != ReturnState::Agreed
    }

    /// What a buyer reads.
    pub fn buyer_text(self) -> &'static str {
        use ReturnState::*;
        match self {
            Requested => "待商家处理",
            Agreed => "请寄回商品",
            SentBack => "寄回途中",
            Received => "商家已收到，准备换货",
            Done => "已完成",
            Rejected => "商家未同意",
            Cancelled => "已撤回",
            Lapsed => "没有按时寄回，已关闭",
        }
    }

    /// Which states may follow. Only an exchange stands in `Received`: money goes back the moment its goods are here.
    pub fn leads_to(self, next: ReturnState) -> bool {
        use ReturnState::*;
        match self {
            Requested => matches!(next, Agreed | Rejected | Cancelled),
            // Without a parcel: brought to the shop, or not wanted back.
            Agreed => matches!(next, SentBack | Received | Done | Rejected | Cancelled | Lapsed),
            SentBack => matches!(next, Received | Done | Rejected),
            Received => matches!(next, Done | Rejected),
            Done | Rejected | Cancelled | Lapsed => false,
        }
    }
}

/// Goods that a buyer wants to give back.
#[derive(Clone, Debug)]
pub struct Return {
    pub id: ReturnId,
    pub order_id: OrderId,
    pub kind: Kind,
    pub state: ReturnState,
    pub reason: String,
    pub description: String,
    /// What the shop told the buyer.
    pub answer: String,
    /// Where the goods are to go, as the buyer was told.
    pub address: String,
    /// The parcel in which they come back.
    pub parcel: Option<Parcel>,
    /// The refund that it ended in.
    pub refund: Option<RefundId>,
    /// When the time for the present step is over; none once it has ended.
    pub due_at: Option<i64>,
    /// It was, and staff were told.
    pub overdue: bool,
    pub created_at: i64,
    pub ended_at: Option<i64>,
}

/// What may be done with it as it stands; who may do it is said by the doors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Options {
    /// The shop agrees.
    pub agree: bool,
    /// The shop says no to the wish or to what has come, or has settled it in another way.
    pub reject: bool,
    /// The goods are here, or are not wanted back.
    pub receive: bool,
    /// Others go out for them.
    pub send_new: bool,
    /// Their money goes back, because there are no others.
    pub pay_instead: bool,
    /// The buyer takes the wish back.
    pub cancel: bool,
    /// The buyer says by which parcel they come.
    pub send: bool,
}

impl Return {
    /// Pages, API and acts ask this one function.
    pub fn options(&self) -> Options {
        use ReturnState::*;
        let on_its_way = matches!(self.state, Agreed | SentBack);
        Options {
            agree: self.state == Requested,
            reject: self.state.is_open(),
            receive: on_its_way,
            send_new: self.state == Received,
            pay_instead: self.state == Received,
            cancel: matches!(self.state, Requested | Agreed),
            send: on_its_way,
        }
    }
}

/// The part of it that is about one line of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnLine {
    pub line_id: LineId,
    pub quantity: i64,
    /// What the buyer would rather have.
    pub sku: Option<SkuId>,
    /// The pieces came back and can be sold again.
    pub restocked: bool,
}

/// Pieces of a line that came back, as the SKU that they are: with a return, or with a refund that is of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameBack {
    pub line_id: LineId,
    pub sku: SkuId,
    pub quantity: i64,
    pub with: With,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    Return(ReturnId),
    Refund(RefundId),
}

/// One thing that happened to it, for both sides.
#[derive(Clone, Debug)]
pub struct Step {
    pub at: i64,
    pub actor: String,
    /// Where it stood afterwards.
    pub state: ReturnState,
    pub note: String,
}

/// With its lines, photographs, and what happened to it.
#[derive(Clone, Debug)]
pub struct FullReturn {
    pub case: Return,
    pub lines: Vec<ReturnLine>,
    pub photos: Vec<PhotoId>,
    pub steps: Vec<Step>,
}

/// A parcel that was sent once more: for what came back, or for what was lost.
#[derive(Clone, Debug)]
pub struct Resend {
    pub id: ResendId,
    pub return_id: Option<ReturnId>,
    pub reason: String,
    pub parcel: Parcel,
    pub sent_by: String,
    pub sent_at: i64,
    /// Which pieces are in it, and instead of which line's.
    pub lines: Vec<(LineId, SkuId, i64)>,
}

#[cfg(test)]
impl Return {
    /// Asked for a moment after the beginning, and with nothing said in it.
    pub fn sample(kind: Kind, state: ReturnState) -> Return {
        Return {
            id: ReturnId(1),
            order_id: OrderId(1),
            kind,
            state,
            reason: String::new(),
            description: String::new(),
            answer: String::new(),
            address: String::new(),
            parcel: None,
            refund: None,
            due_at: None,
            overdue: false,
            created_at: 1,
            ended_at: (!state.is_open()).then_some(9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ReturnState::*;
    use super::*;

    /// Every move there is; anything else is none.
    #[test]
    fn a_return_moves_along_these_lines_and_no_others() {
        let moves = [
            (Requested, Agreed, "the shop says yes"),
            (Requested, Rejected, "the shop says no"),
            (Requested, Cancelled, "the buyer thinks better of it"),
            (Agreed, SentBack, "the buyer says by which parcel"),
            (Agreed, Received, "brought to the shop, to be exchanged"),
            (Agreed, Done, "brought to the shop, or not wanted back: the money goes"),
            (Agreed, Rejected, "the shop ends it, in words to the buyer"),
            (Agreed, Cancelled, "the buyer keeps the goods"),
            (Agreed, Lapsed, "not sent while there was time"),
            (SentBack, Received, "here, to be exchanged"),
            (SentBack, Done, "here: the money goes"),
            (SentBack, Rejected, "what came is not what was bought"),
            (Received, Done, "others went out, or the money did"),
            (Received, Rejected, "there are neither others nor money, and it was settled in another way"),
        ];
        for from in ReturnState::ALL {
            for to in ReturnState::ALL {
                let known = moves.iter().find(|(a, b, _)| (a, b) == (from, to));
                assert_eq!(from.leads_to(*to), known.is_some(), "{from:?} → {to:?}: {known:?}");
            }
            let ends = moves.iter().all(|(a, ..)| a != from);
            assert_eq!(from.is_open(), !ends, "{from:?}: somebody has to act");
        }
    }

    /// What may be done leads somewhere, and nothing may be done with what has ended.
    #[test]
    fn what_may_be_done_follows_the_moves() {
        let case = |state| Return::sample(Kind::Return, state);
        for state in ReturnState::ALL {
            let may = case(*state).options();
            for (act, allowed, to) in [
                ("agree", may.agree, Agreed),
                ("reject", may.reject, Rejected),
                ("receive", may.receive, if *state == Received { SentBack } else { Done }),
                ("send_new", may.send_new, if *state == Received { Done } else { Requested }),
                ("cancel", may.cancel, Cancelled),
            ] {
                assert_eq!(allowed, state.leads_to(to), "{act} in {state:?}");
            }
            assert_eq!(may == Options::default(), !state.is_open(), "{state:?}");
        }
    }
}
