//! Settling: the one way to "paid". A payment is a fact; it is never refused or dropped, whatever the order's state.

use rusqlite::Result;

use super::{Attempt, AttemptState, store};
use crate::clock::{self, DAY};
use crate::db::Tx;
use crate::ids::{MessageId, OrderId};
use crate::jobs::{self, Task};
use crate::money::Fen;
use crate::orders::{self, Order, OrderStatus, Who, moves};
use crate::settings::Settings;
use crate::wechat::Payment;

/// Where the fact came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Notify,
    Query,
}

impl Source {
    fn who(self) -> Who {
        match self {
            Source::Notify => Who::wechat(),
            Source::Query => Who::system(),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Source::Notify => "收到微信支付通知",
            Source::Query => "主动查单得知已支付",
        }
    }
}

/// What became of the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Paid,
    /// The same transaction, again.
    AlreadyPaid,
    /// T7: a late payment; the order was taken up again.
    Reopened,
    /// T8: a late payment on an order that stays closed.
    Late,
    /// A second transaction for an order that has been paid.
    Duplicate,
    AmountMismatch,
    /// An out_trade_no that is not ours, or a transaction that belongs to another attempt.
    Orphan,
}

impl Settled {
    /// For the transaction log.
    pub fn text(self) -> &'static str {
        match self {
            Settled::Paid => "已入账",
            Settled::AlreadyPaid => "重复通知，之前已入账",
            Settled::Reopened => "订单关闭后付款，已恢复订单",
            Settled::Late => "订单关闭后付款，转资金异常",
            Settled::Duplicate => "订单已付过款，重复付款转资金异常",
            Settled::AmountMismatch => "金额或币种与订单不符，转资金异常",
            Settled::Orphan => "找不到对应的支付单，转资金异常",
        }
    }

    pub fn fits_an_order(self) -> bool {
        matches!(self, Settled::Paid | Settled::AlreadyPaid | Settled::Reopened)
    }
}

/// Enters a payment. Idempotent by `transaction_id`; everything it changes is in this transaction.
pub fn settle(
    tx: &Tx,
    payment: &Payment,
    source: Source,
    message: Option<MessageId>,
    settings: &Settings,
    now: i64,
) -> Result<Settled> {
    Fact { tx, payment, source, message, now }.settle(settings)
}

/// A payment on its way into the books.
struct Fact<'a> {
    tx: &'a Tx<'a>,
    payment: &'a Payment,
    source: Source,
    message: Option<MessageId>,
    now: i64,
}

impl Fact<'_> {
    fn settle(&self, settings: &Settings) -> Result<Settled> {
        let (tx, payment) = (self.tx, self.payment);
        let attempt = payment.number().map(|number| store::attempt_numbered(tx, &number)).transpose()?.flatten();
        let Some(attempt) = attempt else { return self.orphan(None, "商户订单号不是本店的") };
        let fits = payment.total == attempt.total && payment.fee_type == "CNY";
        // The row is compared, not only its presence: a transaction that came for one attempt pays no other, and one
        // that did not fit the first time is not made to fit by a second message.
        match store::entered_for(tx, &payment.transaction_id)? {
            None if fits => {}
            Some(known) if known != Some(attempt.id) => {
                return self.orphan(Some(&attempt), "微信交易号已经属于另一笔支付单");
            }
            Some(_) if fits && attempt.transaction_id.as_ref() == Some(&payment.transaction_id) => {
                return Ok(Settled::AlreadyPaid);
            }
            Some(_) if fits && attempt.state == AttemptState::Paid => return Ok(Settled::Duplicate),
            _ => return self.mismatch(&attempt),
        }
        let order = orders::store::by_id(tx, attempt.order_id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        if attempt.state == AttemptState::Paid {
            return self.duplicate(&attempt, &order);
        }
        store::set_paid(tx, attempt.id, &payment.transaction_id, payment.paid_at)?;
        self.flag_other_payer(&attempt)?;
        match order.status {
            OrderStatus::PendingPayment => self.paid(&attempt, &order),
            OrderStatus::Closed if order.paid == Fen::ZERO => self.late(&attempt, &order, settings),
            _ => self.duplicate(&attempt, &order),
        }
    }

    fn paid(&self, attempt: &Attempt, order: &Order) -> Result<Settled> {
        self.enter(attempt, order)?;
        moves::pay(self.tx, order, self.payment.total, &self.source.who(), self.message, self.now)?;
        Ok(Settled::Paid)
    }

    fn late(&self, attempt: &Attempt, order: &Order, settings: &Settings) -> Result<Settled> {
        let (tx, payment, now) = (self.tx, self.payment, self.now);
        self.enter(attempt, order)?;
        let closed = order.closed_at.map(clock::shown).unwrap_or_default();
        let what = format!("订单 {} 在 {closed} 关闭后，微信收到付款 ¥{}", order.order_no, payment.total);
        store::open_exception(tx, "late_payment", payment, Some(attempt), &what, now)?;
        let young = now - order.created_at < DAY;
        let who = self.source.who();
        if settings.reopens_late() && young && moves::reopen(tx, order, payment.total, &who, self.message, now)? {
            let how = "库存充足，订单已自动恢复为待发货";
            store::resolve_by_payment(tx, "late_payment", &payment.transaction_id, how, now)?;
            return Ok(Settled::Reopened);
        }
        orders::store::add_paid(tx, order.id, payment.total)?;
        // Nothing will be shipped, so nothing may stay held.
        moves::release(tx, order, now)?;
        self.note(order.id, &Who::system(), "订单已关闭但微信已收款，等待退款处理")?;
        Ok(Settled::Late)
    }

    /// The money is outside the order: the order is paid once, and this sum is owed back.
    fn duplicate(&self, attempt: &Attempt, order: &Order) -> Result<Settled> {
        let what = format!("订单 {} 已付过款，又收到一笔 ¥{}，应退还买家", order.order_no, self.payment.total);
        self.outside("duplicate_payment", Some(attempt), &what)?;
        Ok(Settled::Duplicate)
    }

    fn mismatch(&self, attempt: &Attempt) -> Result<Settled> {
        let (due, payment) = (attempt.total, self.payment);
        let what = format!("应付 ¥{due}（CNY），微信收到的是 {} {}，订单未记为已付款", payment.total, payment.fee_type);
        self.outside("amount_mismatch", Some(attempt), &what)?;
        Ok(Settled::AmountMismatch)
    }

    fn orphan(&self, attempt: Option<&Attempt>, why: &str) -> Result<Settled> {
        let what = format!("{why}：商户订单号 {}，金额 ¥{}", self.payment.out_trade_no, self.payment.total);
        self.outside("orphan_payment", attempt, &what)?;
        Ok(Settled::Orphan)
    }

    /// Somebody else paid: the money is good, and the staff should know before they talk to the buyer.
    fn flag_other_payer(&self, attempt: &Attempt) -> Result<()> {
        if self.payment.openid != attempt.openid {
            let what = "付款人和下单的买家不是同一个微信号，款项已正常入账，退款会回到付款人";
            store::open_exception(self.tx, "payer_mismatch", self.payment, Some(attempt), what, self.now)?;
        }
        Ok(())
    }

    /// Into the ledger of the order; whatever else could still be paid for it must be closed at WeChat.
    fn enter(&self, attempt: &Attempt, order: &Order) -> Result<()> {
        let what = format!("{}：支付单 #{:02} ¥{} ✓验签 ✓金额", self.source.text(), attempt.n, self.payment.total);
        self.note(order.id, &self.source.who(), &what)?;
        store::enter_payment(self.tx, self.payment, Some(order.id), Some(attempt.id), self.now)?;
        for other in store::attempts(self.tx, order.id)? {
            if other.id != attempt.id && other.state.is_alive() {
                store::set_state(self.tx, other.id, &[other.state], AttemptState::Closing)?;
                jobs::enqueue(self.tx, Task::Close(other.id), self.now, self.now)?;
            }
        }
        Ok(())
    }

    /// Into the ledger without an order, and into the inbox; the same money is noted once.
    fn outside(&self, kind: &str, attempt: Option<&Attempt>, what: &str) -> Result<()> {
        store::enter_payment(self.tx, self.payment, None, attempt.map(|a| a.id), self.now)?;
        let new = store::open_exception(self.tx, kind, self.payment, attempt, what, self.now)?;
        match attempt {
            Some(attempt) if new => self.note(attempt.order_id, &self.source.who(), what),
            _ => Ok(()),
        }
    }

    fn note(&self, order: OrderId, who: &Who, what: &str) -> Result<()> {
        orders::store::note(self.tx, order, who, what, self.message, self.now)
    }
}
