//! Settling: the one way to "paid". A payment is a fact; it is never refused or dropped, whatever the order's state.

use rusqlite::Result;

use super::{Attempt, AttemptState, store};
use crate::clock::{self, DAY};
use crate::db::Tx;
use crate::ids::MessageId;
use crate::jobs::{self, Task};
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
    let attempt = payment.number().map(|number| store::attempt_numbered(tx, &number)).transpose()?.flatten();
    let Some(attempt) = attempt else { return orphan(tx, payment, None, "商户订单号不是本店的", now) };
    // The row is compared, not only its presence: a transaction that paid another attempt pays no second one.
    if let Some(paid) = store::attempt_paid_by(tx, &payment.transaction_id)? {
        if paid.id != attempt.id {
            return orphan(tx, payment, Some(&attempt), "微信交易号已经属于另一笔支付单", now);
        }
        let same = payment.total == attempt.total && payment.fee_type == "CNY";
        return if same { Ok(Settled::AlreadyPaid) } else { mismatch(tx, payment, &attempt, source, message, now) };
    }
    if payment.total != attempt.total || payment.fee_type != "CNY" {
        return mismatch(tx, payment, &attempt, source, message, now);
    }
    let order = orders::store::by_id(tx, attempt.order_id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    if attempt.state == AttemptState::Paid {
        return duplicate(tx, payment, &attempt, &order, source, message, now);
    }
    store::set_paid(tx, attempt.id, &payment.transaction_id, payment.paid_at)?;
    flag_other_payer(tx, payment, &attempt, now)?;
    match order.status {
        OrderStatus::PendingPayment => paid(tx, payment, &attempt, &order, source, message, now),
        OrderStatus::Closed if order.paid.get() == 0 => {
            late(tx, payment, &attempt, &order, (source, message), settings, now)
        }
        _ => duplicate(tx, payment, &attempt, &order, source, message, now),
    }
}

fn paid(
    tx: &Tx,
    payment: &Payment,
    attempt: &Attempt,
    order: &Order,
    source: Source,
    message: Option<MessageId>,
    now: i64,
) -> Result<Settled> {
    note(tx, payment, attempt, source, message, now)?;
    store::enter_payment(tx, payment, Some(order.id), Some(attempt.id), now)?;
    moves::pay(tx, order, payment.total, &source.who(), message, now)?;
    close_others(tx, attempt, now)?;
    Ok(Settled::Paid)
}

fn late(
    tx: &Tx,
    payment: &Payment,
    attempt: &Attempt,
    order: &Order,
    (source, message): (Source, Option<MessageId>),
    settings: &Settings,
    now: i64,
) -> Result<Settled> {
    note(tx, payment, attempt, source, message, now)?;
    store::enter_payment(tx, payment, Some(order.id), Some(attempt.id), now)?;
    let what = format!(
        "订单 {} 在 {} 关闭后，微信收到付款 ¥{}",
        order.order_no,
        order.closed_at.map(clock::shown).unwrap_or_default(),
        payment.total
    );
    store::open_exception(tx, "late_payment", payment, Some(attempt), &what, now)?;
    close_others(tx, attempt, now)?;
    let young = now - order.created_at < DAY;
    if settings.reopens_late() && young && moves::reopen(tx, order, payment.total, &source.who(), message, now)? {
        store::resolve_by_payment(
            tx,
            "late_payment",
            &payment.transaction_id,
            "库存充足，订单已自动恢复为待发货",
            now,
        )?;
        return Ok(Settled::Reopened);
    }
    orders::store::add_paid(tx, order.id, payment.total)?;
    // Nothing will be shipped, so nothing may stay held.
    moves::release(tx, order, now)?;
    orders::store::note(tx, order.id, &Who::system(), "订单已关闭但微信已收款，等待退款处理", message, now)?;
    Ok(Settled::Late)
}

fn duplicate(
    tx: &Tx,
    payment: &Payment,
    attempt: &Attempt,
    order: &Order,
    source: Source,
    message: Option<MessageId>,
    now: i64,
) -> Result<Settled> {
    // The money is outside the order: the order is paid once, and this sum is owed back.
    store::enter_payment(tx, payment, None, Some(attempt.id), now)?;
    let what = format!("订单 {} 已付过款，又收到一笔 ¥{}，应退还买家", order.order_no, payment.total);
    if store::open_exception(tx, "duplicate_payment", payment, Some(attempt), &what, now)? {
        orders::store::note(tx, order.id, &source.who(), &what, message, now)?;
    }
    Ok(Settled::Duplicate)
}

fn mismatch(
    tx: &Tx,
    payment: &Payment,
    attempt: &Attempt,
    source: Source,
    message: Option<MessageId>,
    now: i64,
) -> Result<Settled> {
    store::enter_payment(tx, payment, None, Some(attempt.id), now)?;
    let what = format!(
        "应付 ¥{}（CNY），微信通知的是 {} {}，订单未记为已付款",
        attempt.total, payment.total, payment.fee_type
    );
    if store::open_exception(tx, "amount_mismatch", payment, Some(attempt), &what, now)? {
        orders::store::note(tx, attempt.order_id, &source.who(), &what, message, now)?;
    }
    Ok(Settled::AmountMismatch)
}

fn orphan(tx: &Tx, payment: &Payment, attempt: Option<&Attempt>, why: &str, now: i64) -> Result<Settled> {
    store::enter_payment(tx, payment, None, attempt.map(|a| a.id), now)?;
    let what = format!("{why}：商户订单号 {}，金额 ¥{}", payment.out_trade_no, payment.total);
    store::open_exception(tx, "orphan_payment", payment, attempt, &what, now)?;
    Ok(Settled::Orphan)
}

/// Somebody else paid: the money is good, and the staff should know before they talk to the buyer.
fn flag_other_payer(tx: &Tx, payment: &Payment, attempt: &Attempt, now: i64) -> Result<()> {
    if payment.openid != attempt.openid {
        let what = "付款人和下单的买家不是同一个微信号，款项已正常入账，退款会回到付款人".to_owned();
        store::open_exception(tx, "payer_mismatch", payment, Some(attempt), &what, now)?;
    }
    Ok(())
}

fn note(
    tx: &Tx,
    payment: &Payment,
    attempt: &Attempt,
    source: Source,
    message: Option<MessageId>,
    now: i64,
) -> Result<()> {
    let what = format!("{}：支付单 #{:02} ¥{} ✓验签 ✓金额", source.text(), attempt.n, payment.total);
    orders::store::note(tx, attempt.order_id, &source.who(), &what, message, now)
}

/// The order is paid: whatever else could still be paid for it must be closed at WeChat.
fn close_others(tx: &Tx, paid: &Attempt, now: i64) -> Result<()> {
    for other in store::attempts(tx, paid.order_id)? {
        if other.id != paid.id && other.state.is_alive() {
            store::set_state(tx, other.id, &[other.state], AttemptState::Closing)?;
            jobs::enqueue(tx, Task::Close(other.id), now, now)?;
        }
    }
    Ok(())
}
