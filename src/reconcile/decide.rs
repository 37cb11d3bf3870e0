//! What a person does about money that fits no order: each button of the inbox, behind `Case::options`.

use crate::clock::MINUTE;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::exceptions::{Exception, Kind, Look, NewException, Options, UNHEARD, store};
use crate::ids::{ExceptionId, OrderId, OrderNo, RefundId};
use crate::jobs::{self, Task};
use crate::ledger::store as ledger;
use crate::money::Fen;
use crate::orders::{self, OrderStatus, Topic, Who, moves};
use crate::payments::close::start_closing;
use crate::payments::refund::{self, learn};
use crate::refunds::{Refund, RefundState, store as refunds};

/// An item that somebody decides about, as it stands now, with the refund that settles it, if any.
pub struct Case {
    exception: Exception,
    refund: Option<Refund>,
    look: Look,
}

impl Case {
    pub fn of(tx: &Tx, id: ExceptionId, look: Look) -> Result<Case> {
        let exception = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let refund = exception.refund_id.map(|id| refunds::by_id(tx, id)).transpose()?.flatten();
        Ok(Case { exception, refund, look })
    }

    pub fn exception(&self) -> &Exception {
        &self.exception
    }

    fn options(&self) -> Options {
        self.exception.options(self.refund.as_ref(), self.look)
    }

    /// What waits to be sent and can be stopped.
    fn approved(&self) -> Option<&Refund> {
        self.refund.as_ref().filter(|refund| refund.state == RefundState::Approved)
    }

    /// What somebody does is done to what his page showed. Errors: in words, how it stands by now.
    pub fn must_stand(&self, seen: Option<&str>) -> Result<()> {
        let Case { exception, refund, look } = self;
        if seen.is_none_or(|seen| seen == exception.mark(refund.as_ref())) {
            return Ok(());
        }
        let stands = match &exception.resolution {
            Some(resolution) if !exception.open => resolution.clone(),
            _ => exception.next(refund.as_ref(), *look),
        };
        Err(Error::from(Code::OrderState).says(format!("没有执行：打开这一页之后情况变了。现在：{stands}")))
    }

    fn not_now(&self) -> Error {
        let words = if self.exception.open && self.exception.is_unproven(self.look) {
            "微信还没有查实这笔款，不能关联，也不能退款"
        } else if self.exception.open {
            "现在不能这样处理，请刷新页面看看最新情况"
        } else {
            let how = self.exception.resolution.as_deref().unwrap_or_default();
            return Error::from(Code::OrderState).says(format!("这一条已经处理过了：{how}"));
        };
        Error::from(Code::OrderState).says(words)
    }
}

/// 立即退款: sends the money back now, under the number it already has or a new one.
pub fn refund_now(tx: &Tx, case: &Case, who: &Who) -> Result<RefundId> {
    let exception = &case.exception;
    if !case.options().refund {
        return Err(case.not_now());
    }
    if let Some(refund) = case.approved() {
        refund::send_now(tx, refund, who)?;
        return Ok(refund.id);
    }
    let entered = ledger::payment(tx, &exception.transaction_id)?.ok_or(Code::NotFound)?;
    let order = exception.order_id.map(|order| orders::store::by_id(tx, order)).transpose()?.flatten();
    let reason = exception.kind.text();
    let refund = refund::whole_payment(tx, &entered, order.as_ref(), reason, who, tx.now())?;
    store::set_refund(tx, exception.id, refund)?;
    Ok(refund)
}

/// 停止自动退款: the money stays until somebody decides.
pub fn stop(tx: &Tx, case: &Case, who: &Who) -> Result<()> {
    match &case.refund {
        Some(refund) if case.options().stop => refund::stop(tx, refund, who),
        _ => Err(case.not_now()),
    }
}

/// 恢复订单: the closed order is taken up again, if every line is still there. `unheard` is why WeChat did not say whether any of the
/// money went back.
pub fn restore(tx: &Tx, case: &Case, unheard: Option<&str>, who: &Who) -> Result<()> {
    let exception = &case.exception;
    if !case.options().restore {
        return Err(case.not_now());
    }
    let order = exception.order_id.map(|order| orders::store::by_id(tx, order)).transpose()?.flatten();
    let order = order.ok_or(Code::NotFound)?;
    if order.refunded > Fen::ZERO || order.paid < order.total {
        return Err(Error::from(Code::OrderState).says("订单的钱已经退过，不能恢复"));
    }
    if let Some(refund) = case.approved() {
        refund::stop(tx, refund, who)?;
    }
    if !moves::reopen(tx, &order, "店员恢复了关闭后到账的订单", who)? {
        return Err(Error::from(Code::OutOfStock).says("库存不够，不能恢复订单。可以先补库存，或立即退款"));
    }
    let tried = refunds::of_transaction(tx, &exception.transaction_id)?;
    hold_unheard(tx, unheard, order.id, &exception.transaction_id)?;
    hold_tried(tx, &tried, order.id, &exception.transaction_id)?;
    Ok(store::resolve(tx, exception.id, &format!("{}恢复了订单", who.name))?)
}

/// Nobody knows whether any of the money went back: whoever sends the goods looks there first, or WeChat is heard, which is asked again.
fn hold_unheard(tx: &Tx, unheard: Option<&str>, order: OrderId, transaction_id: &str) -> Result<()> {
    let (Some(why), Some(entered)) = (unheard, ledger::payment(tx, transaction_id)?) else { return Ok(()) };
    let what = format!("{UNHEARD}（{why}）：请先到商户平台核对，再发货");
    store::open_anew(tx, &learn::to_look(&entered, &what))?;
    if let Some(item) = store::gone_back_of(tx, transaction_id)? {
        jobs::enqueue(tx, Task::Prove(item), tx.now() + MINUTE)?;
    }
    Ok(orders::store::note(tx, order, &Who::system(), Topic::Money, &what)?)
}

/// One that WeChat refused is what its owner then does by hand in WeChat's own console: whoever sends the goods all the same
/// looks there first.
fn hold_tried(tx: &Tx, refunds: &[Refund], order: OrderId, transaction_id: &str) -> Result<()> {
    let Some(tried) = refunds.iter().find(|refund| refund.tries > 0 && !refund.may_be_taken_on()) else {
        return Ok(());
    };
    let what = format!(
        "本店给这笔款发过退款 {} ¥{}，微信没有受理：请先到商户平台核对没有人手工退过，再发货",
        tried.out_refund_no, tried.amount
    );
    let new = NewException {
        order_id: Some(order),
        transaction_id,
        amount_fen: tried.payment.get(),
        ..NewException::new(Kind::AmountMismatch, store::gone_back(transaction_id), &what)
    };
    store::open_anew(tx, &new)?;
    Ok(orders::store::note(tx, order, &Who::system(), Topic::Money, &what)?)
}

/// 关联到订单: the money becomes the payment of an order that waits for just that sum. `unheard` as above.
pub fn link(tx: &Tx, case: &Case, order_no: &OrderNo, unheard: Option<&str>, who: &Who) -> Result<OrderId> {
    let exception = &case.exception;
    if !case.options().link {
        return Err(case.not_now());
    }
    let entered = ledger::payment(tx, &exception.transaction_id)?.ok_or(Code::NotFound)?;
    let order = orders::store::by_no(tx, order_no)?
        .ok_or_else(|| Error::field("order_no", format!("没有订单 {order_no}，请核对订单号")))?;
    let unpaid = matches!(order.status, OrderStatus::PendingPayment | OrderStatus::Closed) && order.paid == Fen::ZERO;
    if !unpaid || entered.order_id.is_some() {
        let words = format!("订单 {order_no} 现在是「{}」，只有没付过款的订单可以关联", order.status.text());
        return Err(Error::field("order_no", words));
    }
    if order.total != entered.amount {
        let words = format!("订单应付 ¥{}，这笔款是 ¥{}，金额不同不能关联；可以先改价", order.total, entered.amount);
        return Err(Error::field("order_no", words));
    }
    if let Some(refund) = case.approved() {
        refund::stop(tx, refund, who)?;
    }
    if let Some(told) = store::payment_waits_for(tx, &entered.transaction_id)? {
        let words = format!("{told}，还没有人核对：请先到商户平台核对，把「金额不符」那一条处理掉，再关联");
        return Err(Error::from(Code::OrderState).says(words));
    }
    if refund::rest_of(tx, &entered)? != Some(entered.amount) {
        let words = "这笔款已经有退款（退过，或正在退），不能再当作订单的付款；还剩的可以立即退款";
        return Err(Error::from(Code::OrderState).says(words));
    }
    for attempt in start_closing(tx, order.id)? {
        jobs::enqueue(tx, Task::Close(attempt.id), tx.now())?;
    }
    ledger::link(tx, &entered, order.id)?;
    let what = format!("店员把微信交易 {} 的 ¥{} 关联到这个订单", entered.transaction_id, entered.amount);
    orders::store::note(tx, order.id, who, Topic::Money, &what)?;
    if order.status == OrderStatus::PendingPayment {
        moves::pay(tx, &order, entered.amount, who)?;
    } else {
        orders::store::add_paid(tx, order.id, entered.amount)?;
        if !moves::reopen(tx, &order, "关联款项后恢复了订单", who)? {
            return Err(Error::from(Code::OutOfStock).says("库存不够，订单不能恢复，所以没有关联。可以先补库存"));
        }
    }
    hold_unheard(tx, unheard, order.id, &entered.transaction_id)?;
    hold_tried(tx, &refunds::of_transaction(tx, &entered.transaction_id)?, order.id, &entered.transaction_id)?;
    store::resolve(tx, exception.id, &format!("{}关联到订单 {order_no}", who.name))?;
    Ok(order.id)
}

/// 再向微信查一次: for what only somebody with the key of API v2 has spoken of.
pub fn ask_again(tx: &Tx, case: &Case) -> Result<()> {
    if !case.options().ask {
        return Err(case.not_now());
    }
    Ok(jobs::enqueue(tx, Task::Prove(case.exception.id), tx.now())?)
}

/// 标记为已处理, in a person's own words.
pub fn note_handled(tx: &Tx, case: &Case, how: &str, who: &Who) -> Result<()> {
    if case.options().stop {
        return Err(Error::from(Code::OrderState).says("这笔钱正要自动退回，请先停止自动退款，或等它完成"));
    }
    if !case.exception.open {
        return Err(case.not_now());
    }
    store::resolve(tx, case.exception.id, &format!("{}：{how}", who.name))?;
    // Asking for it, left to a person, finds that nobody waits any more.
    let asking = Task::Prove(case.exception.id);
    match jobs::store::failing(tx, asking)? {
        Some(_) => Ok(jobs::enqueue(tx, asking, tx.now())?),
        None => Ok(()),
    }
}
