//! Settling: the one way to "paid". A payment is a fact; it is never refused or dropped, whatever the order's state.

use super::refund::{self, STOPPABLE_FOR, learn};
use super::{Attempt, AttemptState, attempts, store, word};
use crate::clock::{self, DAY, MINUTE};
use crate::db::{DbError, Tx};
use crate::error::{Code, Result};
use crate::exceptions::{Kind, NEVER_PAID, NewException, PAID_FOR_THIS, store as exceptions, unproven};
use crate::ids::{AttemptId, ExceptionId, MessageId, OrderId, RefundId};
use crate::jobs::{self, Task};
use crate::ledger::{Entered, store as ledger};
use crate::message_log::store as messages;
use crate::money::Fen;
use crate::orders::store::NewPrice;
use crate::orders::{self, Order, OrderStatus, Topic, Who, moves};
use crate::refunds::{FIRST_UNPROVEN, NEVER_CAME_IN, Origin, Refund, RefundState, store as refunds};
use crate::settings::Settings;
use crate::wechat::{Api, Payment};

/// Where the fact came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Notify,
    Query,
    /// A bill named it, and a query confirmed it.
    Bill,
}

impl Source {
    fn who(self) -> Who {
        match self {
            Source::Notify => Who::wechat(),
            Source::Query | Source::Bill => Who::system(),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Source::Notify => "收到微信支付通知",
            Source::Query => "主动查单得知已支付",
            Source::Bill => "对账发现漏记的付款，已查单确认",
        }
    }
}

/// What became of the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Paid,
    /// The same transaction, again.
    AlreadyPaid,
    /// A late payment; the order was taken up again.
    Reopened,
    /// A late payment on an order that stays closed.
    Late,
    /// A second transaction for an order that has been paid.
    Duplicate,
    /// WeChat itself has another transaction for the number than the one that a notice told of.
    OtherTransaction,
    AmountMismatch,
    /// An out_trade_no that is not ours, or a transaction that belongs to another attempt.
    Orphan,
    /// Nothing is entered: a notice of API v2, whose key many may know, tells of an attempt that API v3 made.
    OtherVersion,
    /// Nothing is entered before WeChat has been asked: in a shop by API v3 the key of v2 alone tells of money that none of its
    /// attempts waits for, …
    Unproven,
    /// … or that one of them waits for: that is asked about at once.
    Asked,
}

impl Settled {
    /// For the transaction log.
    pub fn text(self) -> &'static str {
        match self {
            Settled::Paid => "已入账",
            Settled::AlreadyPaid => "重复通知，之前已入账",
            Settled::Reopened => "订单关闭后付款，已恢复订单",
            Settled::Late => "订单关闭后付款，将自动退回",
            Settled::Duplicate => "订单已付过款，重复付款将自动退回",
            Settled::OtherTransaction => "微信说的交易号和账上记的不是一个，转资金异常",
            Settled::AmountMismatch => "金额或币种与订单不符，转资金异常",
            Settled::Orphan => "找不到对应的支付单，转资金异常",
            Settled::OtherVersion => {
                "支付单是用 API v3 下的，API v2 的通知不算数：没有入账；还没有结束的支付单，已去向微信查"
            }
            Settled::Asked => "只有 API v2 的密钥签过名，现在收款用 API v3：还没有入账，正在向微信查",
            Settled::Unproven => "只有 API v2 的密钥签过名，也没有支付单在等这笔钱：没有入账，已去向微信查",
        }
    }

    pub fn fits_an_order(self) -> bool {
        matches!(self, Settled::Paid | Settled::AlreadyPaid | Settled::Reopened)
    }
}

/// A payment that was entered.
pub struct Settlement {
    pub settled: Settled,
    /// The attempt that its number names.
    pub attempt: Option<Attempt>,
}

/// Enters a payment. Idempotent by `transaction_id`; everything it changes is in this transaction.
pub fn settle(
    tx: &Tx,
    payment: &Payment,
    source: Source,
    message: Option<MessageId>,
    settings: &Settings,
) -> Result<Settlement> {
    Fact { tx, payment, source, message, today: settings.api() }.settle(settings)
}

/// WeChat has said of an attempt that it was not paid: where it stands as paid, its goods wait for somebody who has looked, or for WeChat's
/// yes. Its query may be behind its own notice, so it is asked again by itself.
pub fn denied(tx: &Tx, attempt: AttemptId, said: &str) -> Result<()> {
    let paid = store::attempt(tx, attempt)?.filter(|attempt| attempt.state == AttemptState::Paid);
    let Some(transaction_id) = paid.and_then(|attempt| attempt.transaction_id) else { return Ok(()) };
    match ledger::payment(tx, &transaction_id)?.filter(|entered| entered.order_id.is_some()) {
        Some(entered) => {
            let what = format!("{NEVER_PAID}（{said}），账上记着交易号 {transaction_id}：请到商户平台核对，再发货");
            match hold(tx, &entered, &what)? {
                true => Ok(jobs::enqueue(tx, Task::Poll(attempt), tx.now() + MINUTE)?),
                false => Ok(()),
            }
        }
        None => Ok(()),
    }
}

/// Nothing is sent for a payment that WeChat denies before somebody has looked. Whether that is new.
fn hold(tx: &Tx, entered: &Entered, what: &str) -> Result<bool> {
    let subject = exceptions::denial(&entered.transaction_id);
    let opened = exceptions::open(tx, &NewException { subject, ..learn::to_look(entered, what) })?.is_some();
    if let Some(order) = entered.order_id.filter(|_| opened) {
        orders::store::note(tx, order, &Who::wechat(), Topic::Money, what)?;
    }
    Ok(opened)
}

/// A payment on its way into the books.
struct Fact<'a> {
    tx: &'a Tx<'a>,
    payment: &'a Payment,
    source: Source,
    message: Option<MessageId>,
    /// The version of new attempts.
    today: Api,
}

impl Fact<'_> {
    fn settle(&self, settings: &Settings) -> Result<Settlement> {
        let attempt = store::attempt_of(self.tx, self.payment)?;
        if self.source == Source::Notify
            && attempt.as_ref().is_some_and(|attempt| !self.payment.api.tells_of(attempt.params.api()))
        {
            return Ok(Settlement { settled: Settled::OtherVersion, attempt });
        }
        let settled = self.decide(attempt.as_ref(), settings)?;
        if matches!(settled, Settled::Unproven | Settled::Asked) {
            return Ok(Settlement { settled, attempt });
        }
        let entered = match self.is_wechats_word() {
            true => {
                word::confirm(self.tx, self.payment)?;
                // A refund that was told of meanwhile is not answered by that.
                let id = &self.payment.transaction_id;
                let whole = settled != Settled::Paid && !self.payment.refund_started;
                if whole && learn::untold_since(self.tx, id)?.is_none() {
                    exceptions::take_unheard_back(self.tx, id, "微信说这笔款没有退过")?;
                }
                format!("已向微信查实：{}", settled.text())
            }
            false => format!("又收到了通知，现在收款用 {}：{}", self.today.text(), settled.text()),
        };
        exceptions::resolve_unproven(self.tx, &self.payment.transaction_id, &entered)?;
        // A refund's notice may have come before the payment's: nothing could be done about it then.
        let told = settled != Settled::AlreadyPaid
            && !messages::refunds_named(self.tx, &self.payment.transaction_id)?.is_empty();
        if (self.payment.refund_started || told)
            && let Some(entered) = ledger::payment(self.tx, &self.payment.transaction_id)?
        {
            jobs::enqueue(self.tx, Task::Refunds(entered.id), self.tx.now())?;
            learn::hold_untold(self.tx, &entered)?;
            if self.payment.refund_started {
                self.given_back_elsewhere(attempt.as_ref(), entered.order_id)?;
            }
        }
        store::clear_unread(self.tx, &self.payment.out_trade_no)?;
        Ok(Settlement { settled, attempt })
    }

    /// WeChat says that money of this payment went back, and none of our refunds can be meant: the goods do not leave before
    /// API v2 has listed it. API v3 does not tell which it was, so a person has to look.
    fn given_back_elsewhere(&self, attempt: Option<&Attempt>, order: Option<OrderId>) -> Result<()> {
        let known = refunds::of_transaction(self.tx, &self.payment.transaction_id)?;
        if known.iter().any(Refund::may_be_taken_on) {
            return Ok(());
        }
        let listed = self.payment.api.lists_refunds();
        let what = match listed {
            true => {
                "微信说这笔付款已有退款，不是本店退的，多半是有人在商户平台退的：正在向微信查退了多少，查到之前不发货"
            }
            false => learn::UNLISTED,
        };
        let new = NewException {
            order_id: order,
            attempt_id: attempt.map(|attempt| attempt.id),
            out_trade_no: &self.payment.out_trade_no,
            transaction_id: &self.payment.transaction_id,
            amount_fen: self.payment.total.get(),
            ..NewException::new(Kind::AmountMismatch, exceptions::gone_back(&self.payment.transaction_id), what)
        };
        // What one of several refunds may answer gives way to what it may not.
        let opened = match listed {
            true => exceptions::open(self.tx, &new)?.is_some(),
            false => exceptions::open_saying(self.tx, &new)?,
        };
        match order.filter(|_| opened) {
            Some(order) => self.note(order, &Who::wechat(), what),
            None => Ok(()),
        }
    }

    /// WeChat itself says so, and not only somebody who has the key of API v2.
    fn is_wechats_word(&self) -> bool {
        self.source != Source::Notify || self.payment.api != Api::V2
    }

    /// In a shop by API v3 the key of v2 serves what v2 has begun, and no more: money beside that could be linked to an order by
    /// a click, so WeChat is asked for it first. So it is of money of which WeChat has said that it did not come in.
    fn is_unproven(&self) -> Result<bool> {
        let (tx, transaction_id) = (self.tx, &self.payment.transaction_id);
        if self.is_wechats_word() || ledger::entered_for(tx, transaction_id)?.is_some() {
            return Ok(false);
        }
        Ok(self.today.asks_first() || exceptions::denied(tx, transaction_id)?.is_some())
    }

    /// Into the inbox as what somebody says: no money that could be linked or given back.
    fn ask_first(&self, attempt: Option<&Attempt>) -> Result<Settled> {
        let payment = self.payment;
        let what = format!(
            "通知说收到一笔 ¥{}（商户订单号 {}），只有 API v2 的密钥签过名，也没有支付单在等这笔钱",
            payment.total, payment.out_trade_no
        );
        let (subject, name) = (unproven(&payment.transaction_id), payment.name.written());
        let new = NewException { theirs: &name, ..self.item(Kind::OrphanPayment, attempt, subject, &what) };
        exceptions::open(self.tx, &new)?;
        Ok(Settled::Unproven)
    }

    fn decide(&self, attempt: Option<&Attempt>, settings: &Settings) -> Result<Settled> {
        let (tx, payment) = (self.tx, self.payment);
        let Some(attempt) = attempt else { return self.orphan(None, "本店没有这样的支付单") };
        let fits = payment.total == attempt.total && payment.fee_type == "CNY";
        // The row is compared, not only its presence: a transaction that came for one attempt pays no other, and one
        // that did not fit the first time is not made to fit by a second message.
        match ledger::entered_for(tx, &payment.transaction_id)? {
            None if fits => {}
            Some(known) if known != Some(attempt.id) => {
                // What WeChat has for this attempt is not what a notice has paid it with.
                if attempt.state == AttemptState::Paid
                    && let Some(told) = self.contradicted(attempt)?
                {
                    self.hold_for_another(&told)?;
                }
                if let Some(known) = known.filter(|_| self.is_wechats_word())
                    && self.pays_another(known)?
                    && attempt.state != AttemptState::Paid
                    && let Some(other) = self.other_order(attempt)?
                {
                    return self.stands_with(&other, attempt);
                }
                return self.orphan(Some(attempt), "微信交易号已经属于另一笔支付单");
            }
            Some(_) if fits && attempt.transaction_id.as_ref() == Some(&payment.transaction_id) => {
                if self.is_wechats_word() {
                    self.confirmed()?;
                }
                return Ok(Settled::AlreadyPaid);
            }
            Some(_) if fits && attempt.state == AttemptState::Paid => {
                return match self.contradicted(attempt)? {
                    Some(known) => self.other_transaction(attempt, &known),
                    None => Ok(Settled::Duplicate),
                };
            }
            _ => return self.mismatch(attempt),
        }
        let order = orders::store::by_id(tx, attempt.order_id)?
            .ok_or(DbError::Broken("an attempt is of an order that is not there"))?;
        let unpaid = match order.status {
            OrderStatus::PendingPayment => true,
            OrderStatus::Closed => order.paid == Fen::ZERO,
            _ => false,
        };
        // What was closed is no longer polled.
        let over = matches!(attempt.state, AttemptState::Closed | AttemptState::Failed) && self.today.asks_first();
        let awaited = unpaid && attempt.state != AttemptState::Paid && !over;
        // Of a number that was left nobody can be asked, and the buyer was told that his payment counts: its notice is all there will be.
        let askable = || attempt.account_in(settings, tx.now()).is_some();
        if awaited && self.today.asks_first() && !self.is_wechats_word() && askable() {
            return Ok(Settled::Asked);
        }
        if !awaited && self.is_unproven()? {
            return self.ask_first(Some(attempt));
        }
        if attempt.state == AttemptState::Paid {
            return match self.contradicted(attempt)? {
                Some(known) => self.other_transaction(attempt, &known),
                None => self.duplicate(attempt, &order),
            };
        }
        attempts::pay(tx, attempt, payment)?;
        self.flag_other_payer(attempt)?;
        match order.status {
            OrderStatus::PendingPayment => self.paid(attempt, &order),
            OrderStatus::Closed if order.paid == Fen::ZERO => self.late(attempt, &order, settings),
            _ => self.duplicate(attempt, &order),
        }
    }

    /// WeChat says yes to what stands: nothing waits for that any longer.
    fn confirmed(&self) -> Result<()> {
        let (tx, transaction_id) = (self.tx, &self.payment.transaction_id);
        let denied_at = exceptions::denied_since(tx, transaction_id)?.unwrap_or_default();
        let was_denied = exceptions::take_denial_back(tx, transaction_id, "微信说这一单付过款了")?;
        if let Some(order) = self.of_an_order()?.and_then(|entered| entered.order_id).filter(|_| was_denied) {
            self.note(order, &Who::wechat(), "微信说这一单付过款了，之前说没有的不算数了")?;
            // A second payment that was kept back because this one seemed to be a lie.
            for second in refunds::of_order(tx, order)? {
                let Refund { state, problem_code, .. } = &second.refund;
                if *state == RefundState::Failed && problem_code == FIRST_UNPROVEN {
                    self.take_up(&second.refund, denied_at)?;
                }
            }
        }
        for refund in refunds::of_transaction(tx, transaction_id)? {
            // Of money beside every order no item of its own tells that WeChat denies it.
            let by_itself = was_denied || (!refund.inside && refund.origin == Origin::Automatic);
            match refund.state {
                RefundState::Approved if was_denied => jobs::enqueue(tx, Task::Refund(refund.id), tx.now())?,
                // What went back meanwhile may be this one.
                RefundState::Failed
                    if by_itself && refund.problem_code == NEVER_CAME_IN && !self.payment.refund_started =>
                {
                    self.take_up(&refund, denied_at)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A refund that was given up for WeChat's no goes on by itself, where there is still enough for it and nobody has decided otherwise since.
    fn take_up(&self, refund: &Refund, denied_at: i64) -> Result<()> {
        if let Some(instead) = self.done_instead(refund, denied_at)? {
            let what = format!(
                "微信现在说付过款了。{instead}，所以这一笔没有自己接着退：还要退的点重试，不用再退的停止这一笔。"
            );
            refunds::set_problem(self.tx, refund.id, &refund.problem_code, &what)?;
            return match refund.order_id {
                Some(order) => {
                    let what = format!("退款 {} 没有自己接着退：{instead}", refund.out_refund_no);
                    self.note(order, &Who::system(), &what)
                }
                None => Ok(()),
            };
        }
        match refund::retry(self.tx, refund.id, &Who::system()) {
            Err(e) => Ok(refunds::set_problem(self.tx, refund.id, &refund.problem_code, &e.message())?),
            Ok(()) => Ok(()),
        }
    }

    /// What somebody has done in the place of a refund that seemed to have failed: he made another one, or sent the goods.
    fn done_instead(&self, refund: &Refund, denied_at: i64) -> Result<Option<String>> {
        let Some(order) = refund.order_id else { return Ok(None) };
        let full = refund::full_order(self.tx, order)?;
        let over = |state| matches!(state, RefundState::Cancelled | RefundState::Rejected);
        let by_hand = |other: &Refund| other.id > refund.id && other.origin != Origin::Automatic && !over(other.state);
        if let Some(other) = full.refunds.iter().map(|full| &full.refund).find(|other| by_hand(other)) {
            return Ok(Some(format!("这之后又建了退款 {}", other.out_refund_no)));
        }
        // What came beside the order is owed back whether its goods have left or not.
        let since = denied_at.max(refund.created_at);
        let sent = refund.inside && full.shipments.iter().any(|parcel| parcel.shipped_at >= since);
        Ok(sent.then(|| "这之后货已经发出".to_owned()))
    }

    /// A notice of API v2 alone has given the money to an attempt, and WeChat gives it to another one: the first was not paid by it.
    fn pays_another(&self, known: AttemptId) -> Result<bool> {
        let is_by_v2 = store::attempt(self.tx, known)?.is_some_and(|attempt| attempt.params.api() == Api::V2);
        let another = is_by_v2 && !messages::was_told_of(self.tx, &self.payment.transaction_id, known)?;
        if another {
            denied(self.tx, known, &format!("这笔款的商户订单号是 {}", self.payment.out_trade_no))?;
        }
        Ok(another)
    }

    /// The order that this payment stands with, where that is not the attempt's own.
    fn other_order(&self, attempt: &Attempt) -> Result<Option<Order>> {
        let other = self.of_an_order()?.and_then(|entered| entered.order_id).filter(|id| *id != attempt.order_id);
        Ok(other.map(|id| orders::store::by_id(self.tx, id)).transpose()?.flatten())
    }

    /// WeChat gives an unpaid attempt money that stands with another order, and the books are not rewritten. Where a notice had told of it
    /// before, its item says so from now on.
    fn stands_with(&self, other: &Order, attempt: &Attempt) -> Result<Settled> {
        let (number, total) = (&self.payment.out_trade_no, self.payment.total);
        let what = format!(
            "{PAID_FOR_THIS}（商户订单号 {number}，¥{total}），账上却被一条 API v2 的通知记在订单 {} 里：账没有改",
            other.order_no
        );
        if self.outside(Kind::OrphanPayment, Some(attempt), &what)?.is_none() {
            exceptions::open_saying(self.tx, &self.item(Kind::OrphanPayment, Some(attempt), self.subject(), &what))?;
        }
        Ok(Settled::Orphan)
    }

    fn paid(&self, attempt: &Attempt, order: &Order) -> Result<Settled> {
        self.enter(attempt, order)?;
        self.at_the_old_price(attempt, order)?;
        moves::pay(self.tx, order, self.payment.total, self.source.who().told_by(self.message))?;
        Ok(Settled::Paid)
    }

    /// The buyer paid what he was shown, while staff agreed on another price: the order costs what was paid for it.
    fn at_the_old_price(&self, attempt: &Attempt, order: &Order) -> Result<()> {
        let paid = self.payment.total;
        if paid == order.total {
            return Ok(());
        }
        let least = paid.minus(order.goods).unwrap_or_default();
        let freight = order.freight.clamp(least, paid);
        let all = order.goods.plus(freight).unwrap_or(paid);
        let discount = all.minus(paid).unwrap_or_default();
        let new = NewPrice { freight, discount, total: paid, expires_at: order.expires_at };
        if !orders::store::set_price(self.tx, order.id, &new)? {
            return Err(Code::OrderState.into());
        }
        let what = format!("买家按改价前的 ¥{paid} 付了款，改价后应付 ¥{}，订单按实付计", order.total);
        self.note(order.id, &Who::system(), &what)?;
        if paid > order.total {
            let what = format!("{what}。多付的部分可以在订单页退给买家");
            self.open(Kind::AmountMismatch, Some(attempt), &what)?;
        }
        Ok(())
    }

    fn late(&self, attempt: &Attempt, order: &Order, settings: &Settings) -> Result<Settled> {
        let (tx, payment, now) = (self.tx, self.payment, self.tx.now());
        self.enter(attempt, order)?;
        orders::store::add_paid(tx, order.id, payment.total)?;
        let closed = order.closed_at.map(clock::shown).unwrap_or_default();
        let what = format!("订单 {} 在 {closed} 关闭后，微信收到付款 ¥{}", order.order_no, payment.total);
        let exception = self.open(Kind::LatePayment, Some(attempt), &what)?;
        let young = now - order.created_at < DAY && payment.total >= order.total;
        let what = format!("订单关闭后收到付款 ¥{}，库存充足，订单已恢复", payment.total);
        if settings.reopens_late() && young && moves::reopen(tx, order, &what, self.source.who().told_by(self.message))?
        {
            if let Some(exception) = exception {
                exceptions::resolve(tx, exception, "库存充足，订单已自动恢复为待发货")?;
            }
            return Ok(Settled::Reopened);
        }
        // Nothing will be shipped, so nothing may stay held.
        moves::release(tx, order)?;
        self.send_back(exception, order, "订单已关闭")?;
        Ok(Settled::Late)
    }

    /// The money is outside the order: the order is paid once, and this sum is owed back.
    fn duplicate(&self, attempt: &Attempt, order: &Order) -> Result<Settled> {
        let what = format!("订单 {} 已付过款，又收到一笔 ¥{}", order.order_no, self.payment.total);
        let exception = self.outside(Kind::DuplicatePayment, Some(attempt), &what)?;
        // Its refund waits, and asks at once about what the order stands on.
        if let Some(refund) = self.send_back(exception, order, "重复付款")? {
            jobs::enqueue(self.tx, Task::Refund(refund), self.tx.now())?;
        }
        Ok(Settled::Duplicate)
    }

    /// WeChat has one payment for one number. Where it tells of another one itself than the notice of API v2 that paid the attempt, that
    /// notice has lied: the payment that stands in the books, as far as WeChat was never heard to tell of it.
    fn contradicted(&self, attempt: &Attempt) -> Result<Option<Entered>> {
        let Some(known) = &attempt.transaction_id else { return Ok(None) };
        if !self.is_wechats_word()
            || *known == self.payment.transaction_id
            || attempt.params.api() != Api::V2
            || messages::was_told_of(self.tx, known, attempt.id)?
        {
            return Ok(None);
        }
        Ok(ledger::payment(self.tx, known)?)
    }

    /// The true one does not go back by itself, and nothing is sent for the other before somebody has looked.
    fn other_transaction(&self, attempt: &Attempt, known: &Entered) -> Result<Settled> {
        let (payment, told) = (self.payment, &known.transaction_id);
        if let Some((item, refund)) = exceptions::second_payment(self.tx, &self.subject())? {
            word::withdraw(self.tx, item, refund, "微信说这一单付的就是这一笔，不是重复付款：看金额不符的一条")?;
        }
        let what = format!(
            "微信说商户订单号 {} 的交易号是 {}，账上记的 {told} 只有 API v2 的通知说过，多半是假的：请到商户平台核对，这一笔先不要退",
            payment.out_trade_no, payment.transaction_id
        );
        // What has gone out is too late for that.
        let gone = refunds::of_transaction(self.tx, &payment.transaction_id)?.iter().any(|r| r.state.takes_money());
        if !gone {
            self.outside(Kind::AmountMismatch, Some(attempt), &what)?;
        }
        self.hold_for_another(known)?;
        Ok(Settled::OtherTransaction)
    }

    fn hold_for_another(&self, known: &Entered) -> Result<()> {
        let what = format!(
            "微信说这一单付的是交易号 {}，账上记的 {} 只有 API v2 的通知说过：请到商户平台核对，再发货",
            self.payment.transaction_id, known.transaction_id
        );
        hold(self.tx, known, &what).map(drop)
    }

    /// Back to the payer by itself, unless staff stop it in time. Money that was reported before is on its way already.
    fn send_back(&self, exception: Option<ExceptionId>, order: &Order, reason: &str) -> Result<Option<RefundId>> {
        let Some(exception) = exception else { return Ok(None) };
        let Some(entered) = ledger::payment(self.tx, &self.payment.transaction_id)? else { return Ok(None) };
        let (who, not_before) = (Who::system(), self.tx.now() + STOPPABLE_FOR);
        match refund::whole_payment(self.tx, &entered, Some(order), reason, &who, not_before) {
            Ok(refund) => {
                exceptions::set_refund(self.tx, exception, refund)?;
                Ok(Some(refund))
            }
            // A payment is entered all the same; the inbox has it, and a person decides.
            Err(e) if e.code == Code::RefundLimit => self.note(order.id, &who, &e.message()).map(|()| None),
            Err(e) => Err(e),
        }
    }

    fn mismatch(&self, attempt: &Attempt) -> Result<Settled> {
        if self.is_unproven()? {
            return self.ask_first(Some(attempt));
        }
        if self.is_told_again()? {
            return Ok(Settled::AlreadyPaid);
        }
        let (due, payment) = (attempt.total, self.payment);
        let told = format!("{} {}", payment.total, payment.fee_type);
        let what = match self.of_an_order()? {
            Some(entered) => {
                if self.is_wechats_word() {
                    let what =
                        format!("微信说这笔付款是 {told}，账上记的是 ¥{}：请到商户平台核对，再发货", entered.amount);
                    hold(self.tx, &entered, &what)?;
                }
                format!("这笔付款已按 ¥{} 记在订单里，微信又说它是 {told}：账没有改，请到商户平台核对", entered.amount)
            }
            None => format!("应付 ¥{due}（CNY），微信收到的是 {told}，订单未记为已付款"),
        };
        self.outside(Kind::AmountMismatch, Some(attempt), &what)?;
        Ok(Settled::AmountMismatch)
    }

    fn orphan(&self, attempt: Option<&Attempt>, why: &str) -> Result<Settled> {
        if self.is_unproven()? {
            return self.ask_first(attempt);
        }
        if self.is_told_again()? {
            return Ok(Settled::AlreadyPaid);
        }
        let stands = match self.of_an_order()? {
            Some(entered) => {
                if self.is_wechats_word() {
                    let (number, total) = (&self.payment.out_trade_no, self.payment.total);
                    let what = format!(
                        "微信说这笔款是商户订单号 {number} 的 ¥{total}，不是账上记的那一笔：请到商户平台核对，再发货"
                    );
                    hold(self.tx, &entered, &what)?;
                }
                format!("。这个微信交易号的 ¥{} 已经记在一笔订单里：账没有改，请到商户平台核对", entered.amount)
            }
            None => String::new(),
        };
        let what = format!("{why}：商户订单号 {}，金额 ¥{}{stands}", self.payment.out_trade_no, self.payment.total);
        self.outside(Kind::OrphanPayment, attempt, &what)?;
        Ok(Settled::Orphan)
    }

    /// Somebody else paid: the money is good, and the staff should know before they talk to the buyer.
    fn flag_other_payer(&self, attempt: &Attempt) -> Result<()> {
        if self.payment.openid != attempt.openid {
            let what = "付款人和下单的买家不是同一个微信号，款项已正常入账，退款会回到付款人";
            self.open(Kind::PayerMismatch, Some(attempt), what)?;
        }
        Ok(())
    }

    /// Into the ledger of the order; whatever else could still be paid for it must be closed at WeChat.
    fn enter(&self, attempt: &Attempt, order: &Order) -> Result<()> {
        let what = format!("{}：支付单 #{:02} ¥{} ✓验签 ✓金额", self.source.text(), attempt.n, self.payment.total);
        self.note(order.id, &self.source.who(), &what)?;
        ledger::enter_payment(self.tx, self.payment, order.id, attempt.id)?;
        for (other, state) in store::others_alive(self.tx, order.id, attempt.id)? {
            attempts::go(self.tx, other, state, AttemptState::Closing)?;
            jobs::enqueue(self.tx, Task::Close(other), self.tx.now())?;
        }
        Ok(())
    }

    /// Into the ledger without an order, and into the inbox; the same money is noted once.
    fn outside(&self, kind: Kind, attempt: Option<&Attempt>, what: &str) -> Result<Option<ExceptionId>> {
        ledger::enter_beside(self.tx, self.payment, attempt.map(|a| a.id), !self.is_wechats_word())?;
        // What WeChat has said of it is said of each number that it is told under.
        let said = match ledger::is_told_alone(self.tx, &self.payment.transaction_id)? {
            true => exceptions::denied(self.tx, &self.payment.transaction_id)?.unwrap_or_default(),
            false => String::new(),
        };
        let new = NewException { ours: &said, ..self.item(kind, attempt, self.subject(), what) };
        let opened = exceptions::open(self.tx, &new)?;
        if let Some(attempt) = attempt.filter(|_| opened.is_some()) {
            self.note(attempt.order_id, &self.source.who(), what)?;
        }
        Ok(opened)
    }

    fn open(&self, kind: Kind, attempt: Option<&Attempt>, what: &str) -> Result<Option<ExceptionId>> {
        Ok(exceptions::open(self.tx, &self.item(kind, attempt, self.subject(), what))?)
    }

    fn subject(&self) -> String {
        format!("{} {}", self.payment.transaction_id, self.payment.out_trade_no)
    }

    /// Money that was reported in just these words, and that somebody has made an order's own since.
    fn is_told_again(&self) -> Result<bool> {
        let same = self.of_an_order()?.is_some_and(|entered| entered.amount == self.payment.total);
        Ok(same && self.payment.fee_type == "CNY" && exceptions::was_reported(self.tx, &self.subject())?)
    }

    /// An item of the inbox about this payment.
    fn item<'n>(&'n self, kind: Kind, attempt: Option<&Attempt>, subject: String, what: &'n str) -> NewException<'n> {
        let payment = self.payment;
        NewException {
            order_id: attempt.map(|a| a.order_id),
            attempt_id: attempt.map(|a| a.id),
            out_trade_no: &payment.out_trade_no,
            transaction_id: &payment.transaction_id,
            amount_fen: payment.total.get(),
            fee_type: &payment.fee_type,
            ..NewException::new(kind, subject, what)
        }
    }

    /// What of this payment stands in the books of an order.
    fn of_an_order(&self) -> Result<Option<Entered>> {
        Ok(ledger::payment(self.tx, &self.payment.transaction_id)?.filter(|entered| entered.order_id.is_some()))
    }

    fn note(&self, order: OrderId, who: &Who, what: &str) -> Result<()> {
        Ok(orders::store::note(self.tx, order, who.told_by(self.message), Topic::Money, what)?)
    }
}
