//! The inbox of money that fits no order: what happened, what the system will do and when, and what a person may decide.

pub mod store;

use crate::clock::{self, Day};
use crate::ids::{AttemptId, ExceptionId, OrderId, OrderNo, OutTradeNo, RefundId};
use crate::refunds::{NEVER_CAME_IN, Refund, RefundState};
use crate::stored_enum::stored_enum;

stored_enum! {
    pub enum Kind {
        LatePayment "late_payment" "关闭后到账",
        DuplicatePayment "duplicate_payment" "重复付款",
        AmountMismatch "amount_mismatch" "金额不符",
        OrphanPayment "orphan_payment" "无主款项",
        PayerMismatch "payer_mismatch" "他人代付",
        ConsoleRefund "console_refund" "商户平台退款",
        BillDifference "bill_difference" "账单差异",
    }
}

impl Kind {
    /// It is about money that came in for no order, or that one did not take.
    pub fn is_money_beside(self) -> bool {
        matches!(self, Kind::DuplicatePayment | Kind::AmountMismatch | Kind::OrphanPayment)
    }

    /// The money is where it belongs; somebody should know, and nothing has to be done. `store::TO_DECIDE` says the same.
    pub fn is_only_told(self) -> bool {
        matches!(self, Kind::PayerMismatch | Kind::ConsoleRefund)
    }
}

stored_enum! {
    /// How a bill and our books differ.
    pub enum Difference {
        PaymentMissingHere "payment_missing_here" "微信有付款，本店没有",
        PaymentMissingThere "payment_missing_there" "本店有付款，微信没有",
        PaymentAmount "payment_amount" "付款金额不同",
        PaymentSettled "payment_settled" "付款到账金额不同",
        RefundMissingHere "refund_missing_here" "微信有退款，本店没有",
        RefundMissingThere "refund_missing_there" "本店有退款，微信没有",
        RefundAmount "refund_amount" "退款金额不同",
        RefundSettled "refund_settled" "退款支出金额不同",
        Fee "fee" "手续费异常",
        Unreadable "unreadable" "账单行读不懂",
        Funds "funds" "资金账单与交易账单不同",
        NoBill "no_bill" "本店有交易，微信没有账单",
    }
}

/// How a difference is settled that a later match no longer finds.
pub const MATCHED_AGAIN: &str = "再次对账已一致";

/// The subject of one that tells of money of which only somebody with the key of API v2 has spoken: it is none before WeChat
/// was asked for it.
pub fn unproven(transaction_id: &str) -> String {
    format!("{transaction_id} unproven")
}

/// What WeChat has said of money that the key of API v2 alone told of, where it is another merchant's or another app's.
pub const OF_OTHERS: &str = "微信说这笔款是别的商户号或别的 AppID 收的，不是本店的";

/// How the subject of one ends that tells of a refund that did not arrive after all, …
const BOUNCED: &str = " bounced";
/// … of money that went back of a payment and that nobody here knows of, …
const GONE_BACK: &str = " gone back";
/// … and of such money that was forgotten here, by going back to a backup.
const FORGOTTEN: &str = " forgotten gone back";
/// How it ends where WeChat denies a payment that an order stands on, …
const DENIED: &str = " denied";
/// … and what is said of that begins so where it knows the attempt as not paid.
pub const NEVER_PAID: &str = "微信说这一单没有收到过付款";
/// How begins what is said of money that WeChat gives to an order's attempt, and that a notice of API v2 has given to another order before.
pub const PAID_FOR_THIS: &str = "微信说这笔款是付给这一单的";
/// How begins what is said of money that took an order up while WeChat could not be asked whether any of it went back.
pub const UNHEARD: &str = "没能向微信问清这笔款有没有退过";

/// The moment in which an item is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    pub now: i64,
    /// Money of which only somebody with the key of API v2 has told is asked about before anything is done with it.
    pub asks_first: bool,
}

/// How far the shop has come with asking WeChat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// When it asks next; none where it does not by itself any more.
    pub at: Option<i64>,
    /// Why it was not heard the last time; empty before that.
    pub why: String,
}

/// One item of the inbox.
#[derive(Clone, Debug)]
pub struct Exception {
    pub id: ExceptionId,
    pub kind: Kind,
    pub subject: String,
    pub open: bool,
    pub order_id: Option<OrderId>,
    pub order_no: Option<OrderNo>,
    /// The refund that settles it, if one was made.
    pub refund_id: Option<RefundId>,
    pub out_trade_no: String,
    pub transaction_id: String,
    pub amount_fen: i64,
    pub fee_type: String,
    /// The payment is an order's own: what goes back of it goes back by the order.
    pub inside: bool,
    /// It stands in the books, and only somebody with the key of API v2 has told of it.
    pub told_alone: bool,
    /// Where WeChat is being asked for it.
    pub asking: Option<Asking>,
    pub what: String,
    pub day: Option<Day>,
    pub difference: Option<Difference>,
    pub ours: String,
    pub theirs: String,
    pub opened_at: i64,
    pub resolved_at: Option<i64>,
    pub resolution: Option<String>,
}

/// One that is being opened. `subject` says what it is about: the same money is reported once.
#[derive(Clone, Debug)]
pub struct NewException<'a> {
    pub kind: Kind,
    pub subject: String,
    pub order_id: Option<OrderId>,
    pub attempt_id: Option<AttemptId>,
    pub refund_id: Option<RefundId>,
    pub out_trade_no: &'a str,
    pub transaction_id: &'a str,
    pub amount_fen: i64,
    pub fee_type: &'a str,
    pub what: &'a str,
    pub bill: Option<(Day, Difference)>,
    pub ours: &'a str,
    pub theirs: &'a str,
}

impl<'a> NewException<'a> {
    pub fn new(kind: Kind, subject: String, what: &'a str) -> NewException<'a> {
        NewException {
            kind,
            subject,
            order_id: None,
            attempt_id: None,
            refund_id: None,
            out_trade_no: "",
            transaction_id: "",
            amount_fen: 0,
            fee_type: "CNY",
            what,
            bill: None,
            ours: "",
            theirs: "",
        }
    }
}

/// What a person may do about an item now. Pages and actions ask this one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Send the money back, or send at once what waits to be sent.
    pub refund: bool,
    /// Take the closed order up again.
    pub restore: bool,
    /// Stop the automatic refund before it is sent.
    pub stop: bool,
    /// Make it the payment of an order.
    pub link: bool,
    /// Ask WeChat once more for what it has not confirmed.
    pub ask: bool,
    /// Its refund did not go out, and is tried again or stopped on its own page.
    pub mend: bool,
}

impl Exception {
    /// A person must decide about it.
    pub fn waits_for_a_person(&self) -> bool {
        self.open && !self.kind.is_only_told()
    }

    /// Only somebody with the key of API v2 has spoken of it, and nothing is entered.
    pub fn is_hearsay(&self) -> bool {
        self.kind == Kind::OrphanPayment && self.subject == unproven(&self.transaction_id)
    }

    /// Nobody knows whether any of the money went back that an order was taken up by.
    pub fn is_unheard(&self) -> bool {
        self.subject.ends_with(GONE_BACK) && self.what.starts_with(UNHEARD)
    }

    /// WeChat is asked for the money before anything is done with it: also in a shop by API v2 where WeChat has said no.
    pub fn is_unproven(&self, look: Look) -> bool {
        let beside = self.told_alone && !self.inside && self.kind.is_money_beside();
        self.is_hearsay() || (beside && (look.asks_first || !self.ours.is_empty()))
    }

    /// `refund` is the refund that settles it, if any.
    pub fn options(&self, refund: Option<&Refund>, look: Look) -> Options {
        use Kind::*;
        if self.is_hearsay() {
            return Options { ask: self.open, ..Options::default() };
        }
        let unproven = self.is_unproven(look);
        let state = refund.map(|refund| refund.state);
        let waits = state == Some(RefundState::Approved) && refund.is_some_and(|refund| refund.tries == 0);
        // Nothing is on its way back, so the money is still there to be decided about.
        let here = state.is_none_or(|state| state == RefundState::Cancelled || state == RefundState::Rejected);
        let free = self.open && (here || waits);
        // What an order stands on is not given back whole beside it, and pays no other.
        let settled = self.kind.is_money_beside() && (self.inside || self.subject.ends_with(BOUNCED));
        let own = self.fee_type == "CNY" && !self.transaction_id.is_empty() && !settled && !unproven;
        Options {
            refund: free && own && matches!(self.kind, LatePayment | DuplicatePayment | AmountMismatch | OrphanPayment),
            restore: free && self.kind == LatePayment,
            stop: self.open && waits,
            link: free && own && matches!(self.kind, DuplicatePayment | AmountMismatch | OrphanPayment),
            ask: self.open && unproven && (here || refund.is_some_and(is_held)),
            mend: self.open && refund.is_some_and(|refund| state == Some(RefundState::Failed) || refund.is_anothers()),
        }
    }

    /// The same of one that WeChat is asked for first.
    fn next_to_prove(&self, look: Look) -> String {
        let until = match (self.is_hearsay(), look.asks_first) {
            (true, _) => "查到才算收到，在那之前不能关联，也不能退款，不要发货。",
            (false, true) => {
                "这笔款只有 API v2 的密钥签过名，现在收款用 API v3：查到之前不能关联，也不能退款，不要发货。"
            }
            (false, false) => "这笔款只有 API v2 的密钥签过名：查到之前不能关联，也不能退款，不要发货。",
        };
        // What it has said stands until it says something else.
        let said = if self.ours.is_empty() { String::new() } else { format!("{}。", self.ours) };
        match (&self.asking, self.ours.as_str()) {
            (Some(Asking { at: Some(at), why }), _) if why.is_empty() => match *at > look.now {
                true => format!("{said}系统会在 {} 向微信查：{until}", clock::shown_short(*at)),
                false => format!("{said}系统正在向微信查：{until}"),
            },
            (Some(Asking { at: Some(at), why }), _) => {
                format!("{said}没有向微信查成：{why}。系统会在 {} 再查：{until}", clock::shown_short(*at))
            }
            (Some(Asking { at: None, why }), _) => {
                format!("{said}没有向微信查成：{why}。系统不再自己查，请处理好原因后点「再向微信查一次」：{until}")
            }
            (None, OF_OTHERS) => format!(
                "{OF_OTHERS}。不能关联，也不能退款，不要发货：有人用 APIv2 密钥造了通知，请换掉这个密钥，再标记为已处理。"
            ),
            (None, "") => format!("还没有向微信查，请点「再向微信查一次」：{until}"),
            (None, said) => {
                let not =
                    if self.is_hearsay() { "没有查到就没有入账，不能" } else { "没有查到的不能" };
                format!(
                    "{said}。{not}关联，也不能退款，不要发货：请到商户平台按微信交易号核对。那边也没有的，是有人用 APIv2 密钥造的通知，请换掉这个密钥再标记为已处理；那边有的，再向微信查一次。"
                )
            }
        }
    }

    /// How it stands, for a page that offers something about it.
    pub fn mark(&self, refund: Option<&Refund>) -> String {
        let refund = refund.map(|refund| format!("{}-{}-{}", refund.id, refund.state.word(), refund.not_before));
        format!("{}-{}", u8::from(self.open), refund.unwrap_or_default())
    }

    /// What the system will do and when, or what a person should do, in one sentence.
    pub fn next(&self, refund: Option<&Refund>, look: Look) -> String {
        let now = look.now;
        use RefundState::*;
        let unproven = self.is_unproven(look);
        if let Some(refund) = refund.filter(|refund| unproven && is_held(refund)) {
            return format!("{}{}", self.next_to_prove(look), held(refund, now));
        }
        if let Some(refund) = refund.filter(|refund| !matches!(refund.state, Cancelled | Rejected)) {
            let number = &refund.out_refund_no;
            return match refund.state {
                Approved if refund.not_before > now => {
                    format!("系统将在 {} 自动全额退回，在那之前可以停止。", clock::shown_short(refund.not_before))
                }
                Requested | Approved => format!("退款 {number} 等待发送。"),
                Processing => format!("退款 {number} 已发给微信，系统会查询到结果为止。"),
                Succeeded => format!("退款 {number} 已完成。"),
                Failed
                    if refund.problem_code == NEVER_CAME_IN && !self.told_alone && self.kind != Kind::LatePayment =>
                {
                    format!("微信已经查实这笔款，退款 {number} 还没有发出：要退的到退款页点重试，不用退的停止这一笔。")
                }
                Failed => format!("退款 {number} 没有成功：{} 请处理后点重试。", refund.problem),
                Abnormal if refund.is_anothers() => format!("退款 {number}：{}", refund.problem),
                Abnormal => format!("退款 {number} 被银行退回，请用其他方式退给买家后登记。"),
                Rejected | Cancelled => String::new(),
            };
        }
        if unproven {
            return self.next_to_prove(look);
        }
        match self.kind {
            Kind::LatePayment => "系统不会再自动处理：可以立即退款，库存够时也可以恢复订单。",
            Kind::DuplicatePayment if !self.inside => "系统不会再自动处理：订单只需要付一次，请退回这一笔。",
            Kind::AmountMismatch if self.subject.ends_with(BOUNCED) => {
                "账上记的是已退款，这里不会再退：到商户平台核对，买家真没有收到的，把钱转给买家，再标记为已处理。"
            }
            // It moves no money, and holds what is to leave.
            Kind::AmountMismatch if self.subject.ends_with(FORGOTTEN) => {
                "在那之前货不发、退款不发：核对完标记为已处理，再发货；已经停下的退款到退款页处理。"
            }
            Kind::AmountMismatch if self.subject.ends_with(GONE_BACK) => {
                "在那之前货不发、退款不发：核对完标记为已处理，再发货；已经停下的退款到退款页处理。付款以来的账单都读全了、说清了退款，这一条会自己结束。"
            }
            Kind::AmountMismatch if self.subject.ends_with(DENIED) && self.what.starts_with(NEVER_PAID) => {
                "在那之前货不发、退款不发：系统会再向微信查，微信说付过了，这一条会自己结束。等不及的，到商户平台按微信交易号核对：是这一单收到的，标记为已处理，再发货；那边没有、或是付给别的单号的，不要发货。"
            }
            Kind::AmountMismatch if self.subject.ends_with(DENIED) => {
                "在那之前货不发、退款不发：到商户平台按微信交易号核对，是这一单收到的，标记为已处理，再发货；不是的，不要发货。"
            }
            Kind::AmountMismatch if self.fee_type != "CNY" => "外币款项请在微信商户平台退款，处理后在这里登记。",
            Kind::OrphanPayment if self.inside && self.what.starts_with(PAID_FOR_THIS) => {
                "这一单还算没有付款，那一单不要发货，从本店也不退那一单的款。请到微信商户平台按微信交易号把这笔钱退给付款人：退完系统会登记，这一条和那一单的都会自己结束；买家还要的，请他重新下单，再换掉 APIv2 密钥。"
            }
            Kind::DuplicatePayment | Kind::AmountMismatch | Kind::OrphanPayment if self.inside => {
                "这笔钱记在订单里，不从这里退：要退的到订单页退给买家，核对完在这里登记。"
            }
            Kind::DuplicatePayment | Kind::AmountMismatch => {
                "系统不会自动退：请核对后立即退款，或关联到金额相同的订单。"
            }
            Kind::OrphanPayment
                if OutTradeNo::is_of_our_form(&self.out_trade_no) && !OutTradeNo::is_plain(&self.out_trade_no) =>
            {
                "单号像是本店的，本店却没有这个订单（例如恢复过旧备份）：找到买家，关联到补下的订单，或立即退款。系统不会自动退。"
            }
            Kind::OrphanPayment => "系统不会自动退，因为它可能属于共用商户号的别的系统：查明后立即退款，或关联到订单。",
            Kind::PayerMismatch => "款项已正常入账，只作提醒：如果退款，钱会回到付款人。",
            Kind::ConsoleRefund => "系统已登记这笔退款，不需要再退；核对后标记即可。",
            Kind::BillDifference => "请按两边的原始数据核对；微信多出来的可以向微信查实并入账。",
        }
        .to_owned()
    }
}

/// Agreed to, and not known to WeChat: it waits until WeChat has told of its money.
fn is_held(refund: &Refund) -> bool {
    matches!(refund.state, RefundState::Approved | RefundState::Failed) && !refund.may_be_taken_on()
}

/// What becomes of one, and what a person may do about it.
fn held(refund: &Refund, now: i64) -> String {
    let number = &refund.out_refund_no;
    let stop = if refund.options().stop { "不用退的先停止自动退款，再标记为已处理。" } else { "" };
    match refund.state {
        RefundState::Failed if refund.problem_code == NEVER_CAME_IN => {
            format!("退款 {number} 没有发出：到退款页停止这一笔，查到了要退的点重试。")
        }
        RefundState::Failed => {
            format!("退款 {number} 没有成功：{} 到退款页停止这一笔，查到了要退的点重试。", refund.problem)
        }
        _ if refund.not_before > now => {
            format!("退款 {number} 最早在 {} 发出，没有查到就不发。{stop}", clock::shown_short(refund.not_before))
        }
        _ => format!("退款 {number} 没有查到就不发。{stop}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OutRefundNo;
    use crate::money::Fen;
    use crate::refunds::Origin;

    /// Money beside the orders that nobody has decided about.
    fn item(kind: Kind) -> Exception {
        Exception {
            id: ExceptionId(1),
            kind,
            subject: "4200 X1".into(),
            open: true,
            order_id: None,
            order_no: None,
            refund_id: None,
            out_trade_no: "X1".into(),
            transaction_id: "4200".into(),
            amount_fen: 100,
            fee_type: "CNY".into(),
            inside: false,
            told_alone: false,
            asking: None,
            what: "多付了一笔".into(),
            day: None,
            difference: None,
            ours: String::new(),
            theirs: String::new(),
            opened_at: 1,
            resolved_at: None,
            resolution: None,
        }
    }

    fn refund(state: RefundState, tries: i64, problem_code: &str) -> Refund {
        Refund {
            id: RefundId(1),
            out_refund_no: OutRefundNo::of_payment("4200", 1),
            order_id: None,
            inside: false,
            transaction_id: Some("4200".into()),
            payment: Fen::new(100).unwrap(),
            origin: Origin::Automatic,
            state,
            amount: Fen::new(100).unwrap(),
            freight: Fen::ZERO,
            reason: "重复付款".into(),
            description: String::new(),
            requested_by: String::new(),
            decided_by: String::new(),
            answer: String::new(),
            not_before: 1,
            params: None,
            tries,
            sent_at: None,
            accepted_at: None,
            refund_id: None,
            asked_as: None,
            account: String::new(),
            problem_code: problem_code.into(),
            problem: "余额不足。".into(),
            created_at: 1,
            ended_at: None,
        }
    }

    fn offered(options: Options) -> String {
        let all = [
            ("refund", options.refund),
            ("restore", options.restore),
            ("stop", options.stop),
            ("link", options.link),
            ("ask", options.ask),
            ("mend", options.mend),
        ];
        all.into_iter().filter(|(_, may)| *may).map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_may_be_done_with_money_is_told_by_who_has_told_of_it_and_what_is_on_its_way_back() {
        use RefundState::*;
        let twice = || item(Kind::DuplicatePayment);
        let alone = || Exception { told_alone: true, ..twice() };
        let denied = || Exception { ours: OF_OTHERS.into(), ..alone() };
        let hearsay = || Exception { subject: unproven("4200"), ..item(Kind::OrphanPayment) };
        let bounced = || Exception { subject: format!("5000{BOUNCED}"), ..item(Kind::AmountMismatch) };
        let (waits, tried, sent) = (refund(Approved, 0, ""), refund(Approved, 1, ""), refund(Processing, 1, ""));
        let (failed, unsure) = (refund(Failed, 1, "NOTENOUGH"), refund(Failed, 0, NEVER_CAME_IN));
        let cancelled = refund(Cancelled, 0, "");
        for (name, exception, refund, asks_first, expected) in [
            ("free", twice(), None, false, "refund link"),
            ("stopped", twice(), Some(&cancelled), true, "refund link"),
            ("waits", twice(), Some(&waits), true, "refund stop link"),
            ("tried", twice(), Some(&tried), true, ""),
            ("sent", twice(), Some(&sent), true, ""),
            ("failed", twice(), Some(&failed), true, "mend"),
            ("late", item(Kind::LatePayment), None, true, "refund restore"),
            ("inside", Exception { inside: true, ..twice() }, None, true, ""),
            ("told alone, by v2", alone(), None, false, "refund link"),
            ("told alone, by v3", alone(), None, true, "ask"),
            ("told alone and waits", alone(), Some(&waits), true, "stop ask"),
            ("told alone and tried", alone(), Some(&tried), true, "ask"),
            ("told alone and sent", alone(), Some(&sent), true, ""),
            ("told alone and failed", alone(), Some(&failed), true, "ask mend"),
            ("told alone, and an order's own", Exception { inside: true, ..alone() }, None, true, ""),
            ("denied, by v2 again", denied(), None, false, "ask"),
            ("denied and failed", denied(), Some(&unsure), false, "ask mend"),
            ("hearsay", hearsay(), None, false, "ask"),
            ("came back", bounced(), None, false, ""),
        ] {
            let look = Look { now: 2, asks_first };
            assert_eq!(offered(exception.options(refund, look)), expected, "{name}");
            let over = Exception { open: false, ..exception };
            assert_eq!(offered(over.options(refund, look)), "", "{name}, settled");
        }
    }

    #[test]
    fn a_refund_that_did_not_go_out_says_whether_its_money_is_known_by_now() {
        let (failed, unsure) = (RefundState::Failed, NEVER_CAME_IN);
        let alone = || Exception { told_alone: true, ..item(Kind::DuplicatePayment) };
        for (exception, code, words) in [
            (alone(), unsure, "没有发出：到退款页停止这一笔"),
            (alone(), "NOTENOUGH", "没有成功：余额不足。 到退款页停止这一笔"),
            (item(Kind::DuplicatePayment), unsure, "微信已经查实这笔款"),
            (item(Kind::DuplicatePayment), "NOTENOUGH", "没有成功：余额不足。 请处理后点重试"),
            (item(Kind::LatePayment), unsure, "没有成功：余额不足。 请处理后点重试"),
        ] {
            let said = exception.next(Some(&refund(failed, 1, code)), Look { now: 2, asks_first: true });
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}
