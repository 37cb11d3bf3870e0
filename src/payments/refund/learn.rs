//! What WeChat says about refunds: the one way to "succeeded" for money that went back through it.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::share::{self, Borne};
use super::taken::Taken;
use super::{full_order, move_to, next_number, next_number_beside, note, stop, succeeded};
use crate::clock::{DAY, Day, MINUTE, SECOND};
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::{Kind, NewException, store as exceptions};
use crate::ids::{LedgerId, OrderId, OutRefundNo, RefundId};
use crate::jobs::{self, Ran, Task};
use crate::ledger::Entered;
use crate::ledger::store::{self as ledger, GoneBack};
use crate::message_log::{Logged, store as messages};
use crate::money::{Fen, yuan};
use crate::orders::{self, Topic, Who};
use crate::payments::store as payments;
use crate::refunds::store::{self as refunds, NewRefund};
use crate::refunds::{CLOSED, OTHER_REFUND, Origin, Refund, RefundState};
use crate::shop::Shop;
use crate::wechat::refund::{RefundFact, RefundStatus};

/// Enters what WeChat says about one refund. `accepted_at` is when WeChat took it on, if that is known.
/// One that we never made was made in WeChat's own console, and becomes a row too.
pub fn learn(tx: &Tx, fact: &RefundFact, accepted_at: Option<i64>) -> Result<Option<RefundId>> {
    let is_new = known(tx, fact)?.is_none();
    let learnt = enter(tx, fact, accepted_at)?;
    settle_hint(tx, &fact.transaction_id, is_new && learnt.is_some())?;
    Ok(learnt)
}

fn enter(tx: &Tx, fact: &RefundFact, accepted_at: Option<i64>) -> Result<Option<RefundId>> {
    let now = tx.now();
    let refund = match known(tx, fact)? {
        Some(refund) => refund,
        None => match made_elsewhere(tx, fact)? {
            Some(refund) => refund,
            None => return Ok(None),
        },
    };
    let other = refund.amount != fact.amount || refund.transaction_id.as_ref() != Some(&fact.transaction_id);
    // Nobody has agreed to it, so WeChat never heard of it: what it paid under that number was another, whatever the sum.
    let never_agreed = matches!(refund.state, RefundState::Requested | RefundState::Rejected);
    if other || never_agreed {
        if step_aside(tx, &refund, fact)? {
            return enter(tx, fact, accepted_at);
        }
        if other {
            other_content(tx, &refund, fact)?;
            return Ok(Some(refund.id));
        }
    }
    if refund.state == RefundState::Succeeded
        && fact.status == RefundStatus::Success
        && !ledger::has_refund(tx, &fact.refund_id)?
    {
        return match paid_twice(tx, &refund, fact)? {
            true => enter(tx, fact, accepted_at),
            false => Ok(Some(refund.id)),
        };
    }
    if refund.refund_id.is_none() {
        let at = accepted_at.or(fact.succeeded_at).unwrap_or(now);
        refunds::set_accepted(tx, refund.id, &fact.refund_id, at)?;
        if refund.state != RefundState::Processing {
            jobs::enqueue(tx, Task::Refund(refund.id), now + MINUTE)?;
        }
    }
    let to = match fact.status {
        RefundStatus::Processing => RefundState::Processing,
        RefundStatus::Success => RefundState::Succeeded,
        RefundStatus::Closed => RefundState::Failed,
        RefundStatus::Change => RefundState::Abnormal,
    };
    if matches!(to, RefundState::Failed | RefundState::Abnormal) && ledger::has_refund(tx, &fact.refund_id)? {
        bounced(tx, &refund, &fact.refund_id, fact.status)?;
        return Ok(Some(refund.id));
    }
    if refund.state == to || !refund.state.leads_to(to) {
        return Ok(Some(refund.id));
    }
    if to == RefundState::Succeeded && is_hint(tx, fact)? {
        jobs::enqueue(tx, Task::Refund(refund.id), tx.now())?;
        return Ok(Some(refund.id));
    }
    let refund = Refund { refund_id: Some(fact.refund_id.clone()), ..refund };
    arrive(tx, &refund, to, fact)?;
    Ok(Some(refund.id))
}

/// Whether a coupon of the merchant's own was part of the payment and the message does not say what leaves him: then it
/// is a hint to ask.
fn is_hint(tx: &Tx, fact: &RefundFact) -> Result<bool> {
    let paid = ledger::payment(tx, &fact.transaction_id)?;
    Ok(fact.coupons.is_none() && paid.is_some_and(|paid| paid.borne > Fen::ZERO))
}

/// What of a refund the merchant had borne himself, so that it does not leave him. Where WeChat tells what cannot be
/// beside what it told of the payment, a person hears of it.
fn borne(tx: &Tx, refund: &Refund, fact: &RefundFact) -> Result<Fen> {
    let told = fact.coupons.as_ref().filter(|coupons| coupons.told).map(|coupons| coupons.borne);
    let Some(paid) = ledger::payment(tx, &fact.transaction_id)? else { return Ok(told.unwrap_or_default()) };
    let (amount, gone) = ledger::gone_back(tx, &fact.transaction_id)?;
    let (paid, back) = (Borne { amount: paid.amount.get(), borne: paid.borne.get() }, Borne { amount, borne: gone });
    let borne = share::of_refund(paid, back, fact.amount, told);
    if let Some(told) = told.filter(|told| *told != borne) {
        let yuan = |fen: Fen| yuan(fact.amount.get() - fen.get());
        let what = format!(
            "微信说退款 {} ¥{} 从商户支出 ¥{}，和这笔付款的到账、已退对不上，本店按 ¥{} 记。请以账单为准核对",
            refund.out_refund_no,
            fact.amount,
            yuan(told),
            yuan(borne)
        );
        unexpected(tx, refund, fact, "settled", &what)?;
    }
    Ok(borne)
}

fn arrive(tx: &Tx, refund: &Refund, to: RefundState, fact: &RefundFact) -> Result<()> {
    let (number, amount) = (&refund.out_refund_no, refund.amount);
    if to == RefundState::Succeeded {
        // The money left the merchant when WeChat took the refund on; the bill of that day names it.
        let moved_at = refunds::by_id(tx, refund.id)?.and_then(|r| r.accepted_at).unwrap_or(tx.now());
        let refund = &made_to_fit(tx, refund, fact)?;
        let order = refund.order_id.filter(|_| refund.inside);
        let borne = borne(tx, refund, fact)?;
        let back = GoneBack { refund_id: &fact.refund_id, order_id: order, amount, borne, moved_at };
        ledger::enter_refund(tx, &back)?;
        refunds::set_problem(tx, refund.id, "", "")?;
        refunds::set_account(tx, refund.id, &fact.account)?;
        let account = if fact.account.is_empty() { "原路" } else { &fact.account };
        succeeded(tx, refund, &Who::wechat(), &format!("退款 {number} ¥{amount} 已退到{account}"))?;
        return nothing_left(tx, &fact.transaction_id);
    }
    move_to(tx, refund, to)?;
    let problem = match to {
        RefundState::Failed => Some((CLOSED, "微信关闭了这笔退款，钱没有退。请停止这一笔，再新建一笔退款。")),
        RefundState::Abnormal => Some((
            "CHANGE",
            "退款被银行退回（买家的卡可能已注销或冻结），钱在商户账户里。请在商户平台处理异常退款，或用其他方式退给买家后登记。",
        )),
        _ => None,
    };
    let (code, words) = problem.unwrap_or_default();
    refunds::set_problem(tx, refund.id, code, words)?;
    match problem {
        Some(_) => note(tx, refund, &Who::wechat(), &format!("退款 {number}：{words}")),
        None => note(tx, refund, &Who::wechat(), &format!("微信已受理退款 {number}，等待到账")),
    }
}

/// Where all of a payment went back, nobody has to decide about it any more.
fn nothing_left(tx: &Tx, transaction_id: &str) -> Result<()> {
    let ((back, _), paid) = (ledger::gone_back(tx, transaction_id)?, ledger::payment(tx, transaction_id)?);
    if paid.is_none_or(|paid| paid.amount.get() != back) {
        return Ok(());
    }
    // One that waits to be sent, or to be looked at, would be refused.
    let waits =
        |refund: &&Refund| matches!(refund.state, RefundState::Approved | RefundState::Failed) && refund.options().stop;
    for refund in refunds::of_transaction(tx, transaction_id)?.iter().filter(waits) {
        stop(tx, refund, &Who::system())?;
    }
    Ok(exceptions::resolve_returned(tx, transaction_id, "这笔款已全部退回买家")?)
}

/// What WeChat has paid out is entered, whatever we thought of it meanwhile. Pieces that another refund has given back
/// are left out of this one; money beyond what the order still holds stands beside it, for a person to look at.
fn made_to_fit(tx: &Tx, refund: &Refund, fact: &RefundFact) -> Result<Refund> {
    let Some(order) = refund.order_id.filter(|_| refund.inside) else { return Ok(refund.clone()) };
    let full = full_order(tx, order)?;
    if full.order.refunded.plus(refund.amount).is_none_or(|sum| sum > full.order.paid) {
        let what = format!(
            "微信退了 {} ¥{}，加上之前的退款已超过订单 {} 的实付 ¥{}",
            refund.out_refund_no, refund.amount, full.order.order_no, full.order.paid
        );
        unexpected(tx, refund, fact, "beside", &what)?;
        refunds::set_beside(tx, refund.id)?;
        return Ok(Refund { inside: false, ..refund.clone() });
    }
    let mut parts = refunds::full(tx, refund.clone())?.lines;
    for part in &mut parts {
        let line = full.lines.iter().find(|line| line.id == part.line_id);
        part.quantity = part.quantity.min(line.map_or(0, |line| line.quantity - line.refunded));
    }
    parts.retain(|part| part.quantity > 0 || part.amount > Fen::ZERO);
    refunds::put_lines(tx, refund.id, &parts)?;
    Ok(refund.clone())
}

/// WeChat has paid what staff had given back by other means: that is a refund of its own from now on, and somebody is to
/// decide what comes of it. Answers whether it has its row.
fn paid_twice(tx: &Tx, refund: &Refund, fact: &RefundFact) -> Result<bool> {
    if let Some(paid) = &refund.refund_id
        && ledger::has_refund(tx, paid)?
    {
        let number = &refund.out_refund_no;
        let what = format!(
            "微信说退款 {number} 还有另一个微信退款单号 {}，本店已按 {paid} 入账：请到商户平台核对",
            fact.refund_id
        );
        unexpected(tx, refund, fact, number.as_str(), &what)?;
        return Ok(false);
    }
    let what = format!(
        "退款 {} ¥{} 已登记用其他方式退还，微信又退了一次：买家可能收到两份，请和买家核对",
        refund.out_refund_no, refund.amount
    );
    let new = NewException {
        order_id: refund.order_id,
        // Beside an order it is not money to be given back once more.
        refund_id: refund.order_id.is_none().then_some(refund.id),
        transaction_id: &fact.transaction_id,
        amount_fen: fact.amount.get(),
        ..NewException::new(Kind::AmountMismatch, format!("{} twice", fact.refund_id), &what)
    };
    exceptions::open(tx, &new)?;
    refunds::give_up_refund_id(tx, refund.id)?;
    // Its number is taken, by the one that was given back by other means.
    let Some(made) = entered_under(tx, fact, OutRefundNo::of_console(&fact.refund_id))? else { return Ok(false) };
    // WeChat took it on when it took that one on.
    let at = refund.accepted_at.or(fact.succeeded_at).unwrap_or(tx.now());
    refunds::set_accepted(tx, made.id, &fact.refund_id, at)?;
    Ok(true)
}

/// WeChat had said that the money arrived, and says now that it did not: the books stay, and somebody looks whether its buyer has it.
pub fn bounced(tx: &Tx, refund: &Refund, refund_id: &str, status: RefundStatus) -> Result<()> {
    let how = if status == RefundStatus::Closed { "没有退成，已经关闭" } else { "被银行退回了" };
    let what = format!(
        "微信说过退款 {} ¥{} 已退给买家，又说它{how}：买家可能没有收到，请到商户平台核对这笔退款",
        refund.out_refund_no, refund.amount
    );
    let exception = NewException {
        order_id: refund.order_id,
        transaction_id: refund.transaction_id.as_deref().unwrap_or_default(),
        amount_fen: refund.amount.get(),
        ..NewException::new(Kind::AmountMismatch, exceptions::bounced(refund_id), &what)
    };
    match exceptions::open(tx, &exception)? {
        Some(_) => note(tx, refund, &Who::wechat(), &what),
        None => Ok(()),
    }
}

/// A refund at WeChat that a person must look at; each is reported once.
fn unexpected(tx: &Tx, refund: &Refund, fact: &RefundFact, about: &str, what: &str) -> Result<()> {
    let exception = NewException {
        order_id: refund.order_id,
        refund_id: Some(refund.id),
        transaction_id: &fact.transaction_id,
        amount_fen: fact.amount.get(),
        ..NewException::new(Kind::ConsoleRefund, format!("{} {about}", fact.refund_id), what)
    };
    exceptions::open(tx, &exception)?;
    Ok(())
}

fn known(tx: &Tx, fact: &RefundFact) -> Result<Option<Refund>> {
    match refunds::by_refund_id(tx, &fact.refund_id)? {
        Some(refund) => Ok(Some(refund)),
        None => Ok(refunds::meant(tx, &fact.transaction_id, &fact.out_refund_no)?),
    }
}

/// `None` when even the payment is unknown: then there is nothing here that it could belong to.
fn made_elsewhere(tx: &Tx, fact: &RefundFact) -> Result<Option<Refund>> {
    let number = match fact.out_refund_no.parse::<OutRefundNo>() {
        Ok(number) if refunds::by_no(tx, number.as_str())?.is_none() => number,
        _ => OutRefundNo::of_console(&fact.refund_id),
    };
    entered_under(tx, fact, number)
}

fn entered_under(tx: &Tx, fact: &RefundFact, out_refund_no: OutRefundNo) -> Result<Option<Refund>> {
    let now = tx.now();
    let Some(entered) = ledger::payment(tx, &fact.transaction_id)? else { return Ok(None) };
    let attempt = entered.attempt_id.map(|id| payments::attempt(tx, id)).transpose()?.flatten();
    let order_id = entered.order_id.or(attempt.map(|attempt| attempt.order_id));
    if fact.amount > entered.amount {
        more_than_paid(tx, &entered, order_id, fact)?;
        return Ok(None);
    }
    let asked_as = (out_refund_no.as_str() != fact.out_refund_no).then(|| fact.out_refund_no.clone());
    let new = NewRefund {
        out_refund_no,
        order_id,
        inside: entered.order_id.is_some(),
        transaction_id: Some(entered.transaction_id.clone()),
        payment: entered.amount,
        origin: Origin::Console,
        state: RefundState::Processing,
        amount: fact.amount,
        freight: Default::default(),
        reason: "商户平台退款".into(),
        description: String::new(),
        requested_by: String::new(),
        not_before: now,
        asked_as,
    };
    let id = refunds::insert(tx, &new, &[])?;
    let who = match new.out_refund_no.as_str() == fact.out_refund_no && payments::restored_at(tx)?.is_some() {
        true => "恢复备份之前，或有人在微信商户平台，",
        false => "有人在微信商户平台",
    };
    let what = format!("{who}退了 ¥{}（微信退款单号 {}），已登记", fact.amount, fact.refund_id);
    if let Some(order) = order_id {
        orders::store::note(tx, order, &Who::wechat(), Topic::Money, &what)?;
    }
    let exception = NewException {
        order_id,
        attempt_id: entered.attempt_id,
        refund_id: Some(id),
        transaction_id: &entered.transaction_id,
        amount_fen: fact.amount.get(),
        ..NewException::new(Kind::ConsoleRefund, fact.refund_id.clone(), &what)
    };
    exceptions::open(tx, &exception)?;
    jobs::enqueue(tx, Task::Refund(id), now + MINUTE)?;
    Ok(refunds::by_id(tx, id)?)
}

/// More of a payment went back than WeChat said was paid: one of the two is wrong, so it is entered nowhere and somebody
/// looks.
fn more_than_paid(tx: &Tx, entered: &Entered, order_id: Option<OrderId>, fact: &RefundFact) -> Result<()> {
    let by = match ledger::is_told_alone(tx, &entered.transaction_id)? {
        true => "只有 APIv2 密钥签过名的通知说过",
        false => "也是微信说的",
    };
    let what = format!(
        "微信说这笔付款退了 ¥{}（微信退款单号 {}），可是付款本店记的只有 ¥{}（{by}）：退款没有入账，请到商户平台核对",
        fact.amount, fact.refund_id, entered.amount
    );
    let exception = NewException {
        order_id,
        attempt_id: entered.attempt_id,
        transaction_id: &entered.transaction_id,
        amount_fen: fact.amount.get(),
        ..NewException::new(Kind::AmountMismatch, format!("{} more than paid", fact.refund_id), &what)
    };
    if exceptions::open(tx, &exception)?.is_some()
        && let Some(order) = order_id
    {
        orders::store::note(tx, order, &Who::wechat(), Topic::Money, &what)?;
    }
    Ok(())
}

/// A refund that never went out, or that was stopped, leaves its number to the one that WeChat knows under it: the shop went
/// back to a backup and gave it out twice. Answers whether it did.
fn step_aside(tx: &Tx, refund: &Refund, fact: &RefundFact) -> Result<bool> {
    let waits = match refund.state {
        RefundState::Requested | RefundState::Rejected | RefundState::Approved => !refund.may_be_known_there(),
        RefundState::Cancelled => refund.refund_id.is_none(),
        _ => false,
    };
    if !waits {
        return Ok(false);
    }
    let order = refund.order_id.map(|id| orders::store::by_id(tx, id)).transpose()?.flatten();
    let number = match (order, &refund.transaction_id) {
        (Some(order), _) => next_number(tx, &order)?,
        (None, Some(transaction_id)) => next_number_beside(tx, transaction_id)?,
        (None, None) => return Ok(false),
    };
    refunds::set_number(tx, refund.id, &number)?;
    let what = format!(
        "微信已有单号 {} 的退款 ¥{}（恢复备份之前退的），已登记；这一笔 ¥{} 改用单号 {number}",
        refund.out_refund_no, fact.amount, refund.amount
    );
    note(tx, refund, &Who::wechat(), &what)?;
    Ok(true)
}

/// WeChat knows our number with another sum or for another payment: a database restored from a backup gave it out
/// twice. Neither is overwritten; a person decides.
fn other_content(tx: &Tx, refund: &Refund, fact: &RefundFact) -> Result<()> {
    let what = format!(
        "退款单号 {} 在微信那边是 ¥{}（交易 {}），本店记的是 ¥{}：这个单号可能被用过两次（例如恢复过旧备份）",
        refund.out_refund_no, fact.amount, fact.transaction_id, refund.amount
    );
    unexpected(tx, refund, fact, refund.out_refund_no.as_str(), &what)?;
    if refund.state.leads_to(RefundState::Abnormal) {
        move_to(tx, refund, RefundState::Abnormal)?;
        refunds::set_problem(tx, refund.id, OTHER_REFUND, &format!("{what}。{}", next_step(fact.status)))?;
    }
    Ok(())
}

/// Who has had his money is not given it in another way.
fn next_step(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Success => "微信的那一笔已退给买家，不要再用其他方式退：请停止这一笔，还要退的按余额新建退款。",
        _ => "请核对后登记，或停止。",
    }
}

/// A notice without a signature told of a refund that nobody here knows of: WeChat is asked about the payment, and its order
/// is not sent before what was told is known, or somebody has looked.
pub async fn told(shop: &Shop, entry: LedgerId) -> Result<Ran> {
    let ran = all_of(shop, entry, Vec::new()).await?;
    let write = move |tx: &Tx| match ledger::payment_by_id(tx, entry)? {
        Some(entered) => hold_untold(tx, &entered),
        None => Ok(None),
    };
    let told_at = shop.write_always(write).await?;
    // WeChat's own query may be behind its notice.
    let again = told_at.and_then(|told_at| {
        [10 * SECOND, MINUTE, 10 * MINUTE].into_iter().map(|step| told_at + step).find(|at| *at > shop.now())
    });
    Ok(match (ran, again) {
        (Ran::Done, Some(at)) => Ran::Again { at },
        (ran, _) => ran,
    })
}

/// Where a notice told of a refund that is not known yet, and that nobody has looked at since, the order is not sent before it
/// is. Answers when it did.
pub fn hold_untold(tx: &Tx, entered: &Entered) -> Result<Option<i64>> {
    hold(tx, entered, UNTOLD)
}

fn hold(tx: &Tx, entered: &Entered, what: &str) -> Result<Option<i64>> {
    let Some(told_at) = untold_since(tx, &entered.transaction_id)? else { return Ok(None) };
    if exceptions::open_since(tx, &to_look(entered, what), told_at)?
        && let Some(order) = entered.order_id
    {
        orders::store::note(tx, order, &Who::wechat(), Topic::Money, what)?;
    }
    Ok(Some(told_at))
}

/// Money of a payment went back, and somebody is to look how much before its goods leave.
pub fn to_look<'a>(entered: &'a Entered, what: &'a str) -> NewException<'a> {
    NewException {
        order_id: entered.order_id,
        attempt_id: entered.attempt_id,
        transaction_id: &entered.transaction_id,
        amount_fen: entered.amount.get(),
        ..NewException::new(Kind::AmountMismatch, exceptions::gone_back(&entered.transaction_id), what)
    }
}

const UNTOLD: &str = "微信提示这笔款退过，可是向微信还没有查实：请到商户平台核对这笔款的退款，再发货";

/// What a notice or a bill told of, and what is known now, are the same; or one was learnt that answers what else was asked. API v3
/// lists nothing, so one of several answers nothing there: only a bill does, which has them all.
fn settle_hint(tx: &Tx, transaction_id: &str, is_new: bool) -> Result<()> {
    let told = exceptions::says(tx, transaction_id, UNTOLD)? || exceptions::says(tx, transaction_id, BILLED)?;
    let answered = told || (is_new && are_listed(tx, transaction_id)?);
    if answered && untold_since(tx, transaction_id)?.is_none() {
        exceptions::resolve_gone_back(tx, transaction_id, ANSWERED)?;
    }
    Ok(())
}

/// Whether WeChat lists the refunds of a payment: where nobody knows how it was made, no.
fn are_listed(tx: &Tx, transaction_id: &str) -> Result<bool> {
    let attempt = ledger::payment(tx, transaction_id)?.and_then(|entered| entered.attempt_id);
    let attempt = attempt.map(|id| payments::attempt(tx, id)).transpose()?.flatten();
    Ok(attempt.is_some_and(|attempt| attempt.params.api().lists_refunds()))
}

const ANSWERED: &str = "退款已查实，登记在订单里";
/// What is said of a payment whose refunds API v3 does not list.
pub const UNLISTED: &str = "微信说这笔付款已有退款，不是本店退的，多半是有人在商户平台退的；退了多少，API v3 问不到，要等第二天的账单：请先到商户平台核对再发货";

/// A day's bill names a refund of the payment that cannot be looked up: the order is not sent before it is known, or
/// somebody has looked since the bill told of it.
pub fn billed(tx: &Tx, entry: LedgerId, refund_id: &str, number: &str) -> Result<()> {
    let Some(entered) = ledger::payment_by_id(tx, entry)? else { return Ok(()) };
    let number = number.parse().unwrap_or_else(|_| OutRefundNo::of_console(refund_id));
    refunds::put_billed(tx, &entered.transaction_id, refund_id, &number)?;
    hold(tx, &entered, BILLED).map(drop)
}

/// The bills up to a day are known whole, and name refunds of the payment. Where all that was ever told of is known by now, what
/// was open about the payment before that day's end has its answer.
pub fn answered_by_bill(tx: &Tx, day: Day, entry: LedgerId) -> Result<()> {
    let Some(entered) = ledger::payment_by_id(tx, entry)? else { return Ok(()) };
    let id = &entered.transaction_id;
    if untold_since(tx, id)?.is_some() {
        return Ok(());
    }
    let until = if exceptions::says(tx, id, BILLED)? { i64::MAX } else { day.plus(1).start() };
    Ok(exceptions::resolve_gone_back_until(tx, id, ANSWERED, until)?)
}

const BILLED: &str = "微信账单里有这笔款的退款，可是向微信还没有查实：请到商户平台核对这笔款的退款，再发货";

/// What was told of money of the payment that went back, where nobody knows it or has looked since.
pub fn unseen(conn: &Connection, transaction_id: &str) -> Result<Option<String>> {
    let hint = || Ok(untold_since(conn, transaction_id)?.map(|_| exceptions::told(UNTOLD).to_owned()));
    exceptions::payment_waits_for(conn, transaction_id)?.map_or_else(hint, |told| Ok(Some(told)))
}

/// When that was told last.
pub fn unseen_since(conn: &Connection, transaction_id: &str) -> Result<Option<i64>> {
    let told = untold_since(conn, transaction_id)?;
    Ok(exceptions::gone_back_since(conn, transaction_id)?.max(told))
}

/// When a notice or a bill told last of a refund of the payment, for the first time, that is still not known and that nobody
/// has looked into since.
pub fn untold_since(conn: &Connection, transaction_id: &str) -> Result<Option<i64>> {
    let mut told = BTreeMap::new();
    for (number, told_at) in messages::refunds_named(conn, transaction_id)? {
        // One whose notice was refused has not been told; and a number that cannot be one of ours stands under WeChat's own.
        let (Ok(number), Some(told_at)) = (number.parse::<OutRefundNo>(), told_at) else { continue };
        if !refunds::meant(conn, transaction_id, number.as_str())?.is_some_and(|refund| refund.may_be_known_there()) {
            told.insert(number, told_at);
        }
    }
    for (number, told_at) in refunds::billed_unknown(conn, transaction_id)? {
        // What a notice told of is not new in a bill.
        told.entry(number).or_insert(told_at);
    }
    let settled_at = exceptions::gone_back_settled_at(conn, transaction_id)?;
    Ok(told.into_values().filter(|told_at| settled_at.is_none_or(|at| at <= *told_at)).max())
}

/// Asks WeChat for every refund of a payment, call by call, and enters them all. `named` are numbers of refunds that a
/// bill names: a version that cannot list refunds is asked about each.
pub async fn all_of(shop: &Shop, entry: LedgerId, named: Vec<String>) -> Result<Ran> {
    let read = move |conn: &Connection| {
        let Some(entered) = ledger::payment_by_id(conn, entry)? else { return Ok(None) };
        let mut numbers = named.clone();
        let known = refunds::of_transaction(conn, &entered.transaction_id)?;
        numbers.extend(known.into_iter().map(|refund| refund.asked_as.unwrap_or(refund.out_refund_no.to_string())));
        numbers.extend(messages::refunds_named(conn, &entered.transaction_id)?.into_iter().map(|(number, _)| number));
        let billed = refunds::billed_unknown(conn, &entered.transaction_id)?;
        numbers.extend(billed.into_iter().map(|(number, _)| number.to_string()));
        numbers.sort();
        numbers.dedup();
        Ok(Some((entered, numbers)))
    };
    let Some((entered, numbers)) = shop.read(read).await? else { return Ok(Ran::Done) };
    let account = match Taken::of(&entered).known(shop).await? {
        Ok(taken) => taken.asker(shop),
        Err(unheard) => Err(unheard.why()),
    };
    let account = match account {
        Ok(account) => account,
        Err(why) => return Ok(Ran::Failed(why)),
    };
    let mut turn = Some(0);
    while let Some(this) = turn {
        let asked = shop.wechat.payment_refunds(&account, &entered.transaction_id, &numbers, this, &shop.nonces).await;
        let Some(exchange) = asked else { break };
        let mut log = logged(&exchange, &entered);
        let found = match exchange.result {
            Ok(found) => found,
            Err(e) => {
                shop.write_always(move |tx| Ok(log.record(tx)?)).await?;
                return Ok(Ran::Failed(e.to_string()));
            }
        };
        log.reason = format!("{} 笔退款", found.facts.len());
        turn = found.next;
        let write = move |tx: &Tx| {
            log.record(tx)?;
            found.facts.iter().try_for_each(|fact| learn(tx, fact, None).map(|_| ()))
        };
        shop.write_always(write).await?;
    }
    Ok(Ran::Done)
}

fn logged<T>(exchange: &crate::wechat::Exchange<T>, entered: &Entered) -> Logged {
    let mut entry = Logged::sent(exchange);
    entry.order_id = entered.order_id;
    entry.attempt_id = entered.attempt_id;
    entry.transaction_id = Some(entered.transaction_id.clone());
    entry
}

/// An accepted refund is asked about for so long; then a person looks.
pub const FOLLOWED_FOR: i64 = 30 * DAY;

/// When an accepted refund is asked about next: soon at first, then a few times a day. Money to a bank card takes days.
pub fn next_look(accepted_at: i64, now: i64) -> Option<i64> {
    const EARLY: [i64; 5] = [10 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE];
    const EVERY: i64 = 360 * MINUTE;
    let early = EARLY.iter().map(|step| accepted_at + step).find(|at| *at > now);
    match early {
        Some(at) if accepted_at <= now => Some(at),
        // By a clock that ran ahead: when that was, nobody knows.
        Some(_) => Some(now + EVERY),
        None if now - accepted_at < FOLLOWED_FOR => Some(now + EVERY),
        None => None,
    }
}
