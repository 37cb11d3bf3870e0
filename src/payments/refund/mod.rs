//! Refunds, decided: asked for, agreed to, refused, stopped, tried again; together never more than was paid.

pub mod api;
pub mod learn;
mod may;
pub mod send;
mod share;
pub mod since;
pub(super) mod taken;

pub use may::{Asker, Deed, may, may_agree, must, must_agree};
pub use taken::Unheard;

use rusqlite::Connection;

use crate::clock::MINUTE;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::exceptions::store as exceptions;
use crate::ids::{LineId, OrderId, OutRefundNo, RefundId};
use crate::jobs::{self, Task};
use crate::ledger::{Entered, store as ledger};
use crate::message_log::store as messages;
use crate::money::Fen;
use crate::orders::{self, Full, Line, Order, OrderStatus, RECEIVED_AFTER, REFUNDABLE_FOR, Topic, Who, moves};
use crate::refunds::store::{self as refunds, NewRefund};
use crate::refunds::{CAME_BACK, FullRefund, LOOKED, Origin, Refund, RefundLine, RefundState};
use crate::returns::store as returns;
use crate::typed::Length;
use crate::wechat::refund::desc_text;

/// How long staff may stop an automatic refund.
pub const STOPPABLE_FOR: i64 = 2 * MINUTE;
/// Refunds of an order are numbered with two digits.
const MOST_REFUNDS: i64 = 99;
/// WeChat refunds one payment in at most so many parts. Source: refund, API v2.
pub const MOST_PARTS: usize = 50;

/// What somebody wants back.
#[derive(Clone, Debug)]
pub struct RefundRequest {
    pub lines: Vec<RefundLine>,
    pub freight: Fen,
    pub reason: String,
    pub description: String,
}

impl RefundRequest {
    pub fn amount(&self) -> Option<Fen> {
        self.lines.iter().try_fold(self.freight, |sum, line| sum.plus(line.amount))
    }
}

/// What can still be given back of an order, besides what other refunds have taken.
#[derive(Clone, Debug)]
pub struct Refundable {
    pub total: Fen,
    pub freight: Fen,
    pub lines: Vec<RefundableLine>,
}

#[derive(Clone, Debug)]
pub struct RefundableLine {
    pub line: Line,
    /// What was paid for the whole line.
    pub paid: Fen,
    /// Pieces and money that no refund has taken yet.
    pub pieces: i64,
    pub amount: Fen,
    /// What was given back without pieces, as a compensation: whoever gives back pieces is to know.
    pub besides: Fen,
}

impl RefundableLine {
    /// What so many pieces are worth: their part of what was paid, so that all of them together are worth all of it.
    /// What was kept back of pieces that went before (worn, damaged) is not theirs; what was paid beyond, they lack.
    pub fn worth(&self, pieces: i64) -> Fen {
        let taken = self.line.quantity - self.pieces;
        let up_to = |n: i64| self.paid.get() * n / self.line.quantity;
        Fen::new(up_to(taken + pieces) - up_to(taken)).unwrap_or_default().min(self.amount)
    }
}

impl Refundable {
    pub fn of(full: &Full) -> Refundable {
        let taking = || full.refunds.iter().filter(|r| r.refund.inside && r.refund.state.takes_money());
        let less = |from: Fen, taken: Fen| from.minus(taken).unwrap_or_default();
        let sum = |amounts: &mut dyn Iterator<Item = Fen>| amounts.fold(Fen::ZERO, |a, b| a.plus(b).unwrap_or(a));
        let total = full.refundable();
        let lines = full.lines.iter().zip(full.paid_by_line()).map(|(line, paid)| {
            let parts = || taking().flat_map(|r| &r.lines).filter(|part| part.line_id == line.id);
            let amount = less(paid, sum(&mut parts().map(|part| part.amount)));
            let pieces = line.quantity - parts().map(|part| part.quantity).sum::<i64>();
            let besides = sum(&mut parts().filter(|part| part.quantity == 0).map(|part| part.amount));
            RefundableLine { line: line.clone(), paid, pieces: pieces.max(0), amount: amount.min(total), besides }
        });
        let freight = less(full.order.freight, sum(&mut taking().map(|r| r.refund.freight)));
        Refundable { total, freight: freight.min(total), lines: lines.collect() }
    }

    /// Everything that is left; freight too, as long as nothing has been shipped.
    pub fn whole(&self) -> (Vec<RefundLine>, Fen) {
        let freight = if self.lines.iter().any(|l| l.line.shipped > 0) { Fen::ZERO } else { self.freight };
        // Money that went back without naming goods is missing here too.
        let mut left = self.total.minus(freight).unwrap_or_default();
        let mut parts = Vec::new();
        for line in &self.lines {
            let amount = line.amount.min(left);
            left = left.minus(amount).unwrap_or_default();
            if line.pieces > 0 || amount > Fen::ZERO {
                parts.push(RefundLine {
                    line_id: line.line.id,
                    quantity: line.pieces,
                    amount,
                    restock: false,
                    came_as: None,
                });
            }
        }
        (parts, freight)
    }

    /// What a buyer means who names no goods: the pieces that are left, for what they are worth. Money that staff kept
    /// back of others comes only with the whole, or when there is nothing else to ask for.
    pub fn rest(&self) -> (Vec<RefundLine>, Fen) {
        let (mut parts, freight) = self.whole();
        if self.lines.iter().any(|line| line.pieces > 0) {
            parts.retain(|part| part.quantity > 0);
            for part in &mut parts {
                let line = self.lines.iter().find(|line| line.line.id == part.line_id);
                part.amount = line.map_or(part.amount, |line| line.worth(part.quantity).min(part.amount));
            }
        }
        (parts, freight)
    }

    /// The freight that is left although nothing has left and, with these pieces, nothing stays to be sent.
    pub fn freight_for_nothing(&self, parts: &[RefundLine]) -> Fen {
        let taken =
            |line: &RefundableLine| parts.iter().any(|p| p.line_id == line.line.id && p.quantity >= line.pieces);
        let nothing_left = self.lines.iter().all(|line| line.line.shipped == 0);
        let nothing_stays = self.lines.iter().all(|line| line.pieces == 0 || taken(line));
        let amount = parts.iter().fold(Fen::ZERO, |sum, part| sum.plus(part.amount).unwrap_or(sum));
        let rest = self.total.minus(amount).unwrap_or_default();
        if nothing_left && nothing_stays { self.freight.min(rest) } else { Fen::ZERO }
    }

    /// So many pieces of each line, for what they are worth.
    pub fn pieces(&self, wanted: &[(LineId, i64)]) -> Result<Vec<RefundLine>> {
        let (mut parts, mut left) = (Vec::new(), self.total);
        for (i, (id, quantity)) in wanted.iter().enumerate() {
            let line = self.lines.iter().find(|l| l.line.id == *id);
            let line = line.ok_or_else(|| Error::from(Code::NotFound).says("订单里没有这一行商品"))?;
            if !(1..=line.pieces).contains(quantity) {
                let words = format!("「{}」最多还能退 {} 件", line.line.name, line.pieces);
                return Err(exceeds(&format!("lines[{i}].quantity"), words));
            }
            if parts.iter().any(|part: &RefundLine| part.line_id == *id) {
                return Err(Error::field(format!("lines[{i}].lineId"), "同一行商品只能写一次"));
            }
            // Money that went back without naming goods is missing here too.
            let amount = line.worth(*quantity).min(left);
            left = left.minus(amount).unwrap_or_default();
            parts.push(RefundLine { line_id: *id, quantity: *quantity, amount, restock: false, came_as: None });
        }
        Ok(parts)
    }

    /// Whether all of the wish is still there to be given back; answers with its sum.
    pub fn check(&self, wish: &RefundRequest) -> Result<Fen> {
        for part in &wish.lines {
            let line = self.lines.iter().find(|l| l.line.id == part.line_id);
            let line = line.ok_or_else(|| Error::from(Code::NotFound).says("订单里没有这一行商品"))?;
            let name = &line.line.name;
            if part.quantity > line.pieces {
                return Err(exceeds("lines", format!("「{name}」最多还能退 {} 件", line.pieces)));
            }
            if part.amount > line.amount {
                return Err(exceeds("lines", format!("「{name}」最多还能退 ¥{}", line.amount)));
            }
        }
        if wish.freight > self.freight {
            return Err(exceeds("freight", format!("运费最多还能退 ¥{}", self.freight)));
        }
        let amount = wish.amount().filter(|sum| *sum <= self.total);
        let amount = amount.ok_or_else(|| exceeds("amount", format!("这笔订单最多还能退 ¥{}", self.total)))?;
        if amount == Fen::ZERO {
            return Err(exceeds("amount", "退款金额至少 0.01 元".into()));
        }
        Ok(amount)
    }
}

/// What becomes of the coupon that an order was placed with, when this much of it goes back; `None` without one.
pub fn coupon_words(conn: &Connection, full: &Full, wish: &RefundRequest, now: i64) -> Result<Option<String>> {
    let coupon = full.discounts.iter().find(|discount| discount.coupon.is_some());
    let Some(coupon) = coupon else { return Ok(None) };
    let unshipped = full.lines.iter().all(|line| line.shipped == 0);
    let taken =
        |line: &Line| wish.lines.iter().filter(|part| part.line_id == line.id).map(|part| part.quantity).sum::<i64>();
    // The order is closed then, whatever becomes of the freight.
    let none_left = full.lines.iter().all(|line| line.left() <= taken(line));
    let lost = orders::store::coupon_lost(conn, full.order.id, now)?;
    let becomes = match (unshipped && none_left, lost) {
        (true, None) => "随退款退回，没过期就还能用".to_owned(),
        (true, Some(why)) => format!("{why}，退款后也不能再用"),
        (false, _) => "不退回：只有还没发货就整单退款的，才退券".to_owned(),
    };
    Ok(Some(format!("优惠券「{}」{becomes}", coupon.name)))
}

fn exceeds(field: &str, words: String) -> Error {
    let mut error = Error::from(Code::RefundLimit).says(words.clone());
    error.fields.insert(field.to_owned(), words.into());
    error
}

const REASON: Length = Length::up_to(40);
pub const DESCRIPTION: Length = Length::up_to(200);

/// Reason and description as people may write them.
pub fn check_words(reason: &str, description: &str) -> Result<(String, String)> {
    let (reason, description) = (reason.trim().to_owned(), description.trim().to_owned());
    if reason.is_empty() || !REASON.fits_line(&reason) {
        return Err(Error::field("reason", format!("请填写退款原因，{REASON}")));
    }
    if !DESCRIPTION.fits_lines(&description) {
        return Err(Error::field("description", format!("补充说明{DESCRIPTION}")));
    }
    Ok((reason, description))
}

/// Writes a refund of an order's own money down. One that is agreed to goes on its way.
pub fn open(tx: &Tx, full: &Full, wish: &RefundRequest, origin: Origin, agreed: bool, who: &Who) -> Result<RefundId> {
    let now = tx.now();
    let order = &full.order;
    let amount = Refundable::of(full).check(wish)?;
    if order.paid_at.is_some_and(|at| now - at >= REFUNDABLE_FOR) {
        return Err(exceeds("amount", "付款已超过一年，微信不再受理退款，请用其他方式退给买家".into()));
    }
    let payment = ledger::payment_of(tx, order.id)?;
    let new = NewRefund {
        out_refund_no: next_number(tx, order)?,
        order_id: Some(order.id),
        inside: true,
        transaction_id: payment.as_ref().map(|payment| payment.transaction_id.clone()),
        payment: payment.map_or(order.paid, |payment| payment.amount),
        origin,
        state: RefundState::Requested,
        amount,
        freight: wish.freight,
        reason: wish.reason.clone(),
        description: wish.description.clone(),
        requested_by: who.name.clone(),
        not_before: now,
        asked_as: None,
    };
    let id = refunds::insert(tx, &new, &wish.lines)?;
    let what = format!("申请退款 {} ¥{amount}，原因：{}", new.out_refund_no, wish.reason);
    orders::store::note(tx, order.id, who, Topic::Money, &what)?;
    if agreed {
        approve(tx, id, None, who)?;
    }
    Ok(id)
}

fn next_number(tx: &Tx, order: &Order) -> Result<OutRefundNo> {
    let mut n = refunds::count_of_order(tx, order.id)? + 1;
    // WeChat may know one more: given out after the moment that the shop was restored to.
    while n <= MOST_REFUNDS && refunds::by_no(tx, order.order_no.refund(n).as_str())?.is_some() {
        n += 1;
    }
    if n > MOST_REFUNDS {
        return Err(exceeds("amount", "这笔订单的退款次数太多，请用其他方式退给买家".into()));
    }
    Ok(order.order_no.refund(n))
}

/// Of money that stands beside orders.
fn next_number_beside(tx: &Tx, transaction_id: &str) -> Result<OutRefundNo> {
    let mut n = refunds::of_transaction(tx, transaction_id)?.len() as i64 + 1;
    while refunds::by_no(tx, OutRefundNo::of_payment(transaction_id, n).as_str())?.is_some() {
        n += 1;
    }
    Ok(OutRefundNo::of_payment(transaction_id, n))
}

fn requested(tx: &Tx, id: RefundId) -> Result<Refund> {
    let refund = refunds::by_id(tx, id)?.ok_or(Code::NotFound)?;
    if refund.options().decide { Ok(refund) } else { Err(elsewhere(&refund)) }
}

fn elsewhere(refund: &Refund) -> Error {
    let words = format!("退款 {} 现在是「{}」，请刷新页面", refund.out_refund_no, refund.state.text());
    Error::from(Code::OrderState).says(words)
}

fn order_of(tx: &Tx, refund: &Refund) -> Result<Option<Full>> {
    let Some(id) = refund.order_id else { return Ok(None) };
    let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
    Ok(Some(orders::store::full(tx, order)?))
}

fn move_to(tx: &Tx, refund: &Refund, to: RefundState) -> Result<()> {
    if refunds::set_state(tx, refund.id, refund.state, to)? { Ok(()) } else { Err(elsewhere(refund)) }
}

fn note(tx: &Tx, refund: &Refund, who: &Who, what: &str) -> Result<()> {
    match refund.order_id {
        Some(order) => Ok(orders::store::note(tx, order, who, Topic::Money, what)?),
        None => Ok(()),
    }
}

/// 同意: as it was asked for, or as staff changed it. From here on amount and number stay as they are.
pub fn approve(tx: &Tx, id: RefundId, changed: Option<&RefundRequest>, who: &Who) -> Result<()> {
    let refund = requested(tx, id)?;
    let full = order_of(tx, &refund)?.ok_or(Code::NotFound)?;
    let FullRefund { lines, .. } = refunds::full(tx, refund.clone())?;
    let as_asked = RefundRequest { lines, freight: refund.freight, reason: String::new(), description: String::new() };
    let wish = changed.unwrap_or(&as_asked);
    let amount = Refundable::of(&full).check(wish)?;
    let parts = |refunds: &[FullRefund]| {
        refunds
            .iter()
            .filter(|r| r.refund.transaction_id == refund.transaction_id && r.refund.state.takes_money())
            .count()
    };
    if parts(&full.refunds) >= MOST_PARTS {
        return Err(exceeds("amount", format!("微信一笔付款最多分 {MOST_PARTS} 次退，请用其他方式退给买家")));
    }
    refunds::set_content(tx, id, amount, wish.freight, &wish.lines)?;
    refunds::set_decision(tx, id, &who.name, "")?;
    move_to(tx, &refund, RefundState::Approved)?;
    note(tx, &refund, who, &format!("同意退款 {} ¥{amount}", refund.out_refund_no))?;
    if refund.transaction_id.is_none() {
        // The money was taken outside WeChat, so it goes back outside WeChat, and whoever agreed hands it out.
        return by_other_means(tx, id, "线下收的款，线下退还", who);
    }
    Ok(jobs::enqueue(tx, Task::Refund(id), tx.now())?)
}

/// What a clock that ran ahead dated was by now at the latest. What WeChat told comes after what somebody did or looked at, also
/// what it told since the clock is right, so that he is asked once more rather than not at all.
pub fn pull_in(tx: &Tx) -> Result<()> {
    let before = tx.now() - MINUTE;
    refunds::pull_in(tx, before)?;
    returns::pull_in(tx, before)?;
    exceptions::pull_in(tx, before)?;
    messages::pull_in(tx)?;
    ledger::told_since(tx, before)?
        .into_iter()
        .try_for_each(|entry| Ok(jobs::enqueue(tx, Task::Refunds(entry), tx.now())?))
}

/// 拒绝, with words for the buyer.
pub fn reject(tx: &Tx, id: RefundId, answer: &str, who: &Who) -> Result<()> {
    let refund = requested(tx, id)?;
    refunds::set_decision(tx, id, &who.name, answer)?;
    move_to(tx, &refund, RefundState::Rejected)?;
    note(tx, &refund, who, &format!("拒绝退款 {}：{answer}", refund.out_refund_no))
}

/// Takes a request back: the buyer's own wish, or the staff's.
pub fn withdraw(tx: &Tx, id: RefundId, who: &Who) -> Result<()> {
    let refund = requested(tx, id)?;
    move_to(tx, &refund, RefundState::Cancelled)?;
    note(tx, &refund, who, &format!("撤回退款申请 {}", refund.out_refund_no))
}

/// Stops a refund that has been agreed to but never sent, or that has failed.
pub fn stop(tx: &Tx, refund: &Refund, who: &Who) -> Result<()> {
    if !refund.options().stop {
        return Err(elsewhere(refund));
    }
    refunds::set_decision(tx, refund.id, &who.name, "")?;
    move_to(tx, refund, RefundState::Cancelled)?;
    // What WeChat knows under its number is another one's, and is entered when it is asked.
    if refund.state == RefundState::Abnormal {
        jobs::enqueue(tx, Task::Refund(refund.id), tx.now())?;
    }
    note(tx, refund, who, &format!("停止退款 {} ¥{}", refund.out_refund_no, refund.amount))
}

/// Sends at once what was to wait.
pub fn send_now(tx: &Tx, refund: &Refund, who: &Who) -> Result<()> {
    let now = tx.now();
    refunds::set_not_before(tx, refund.id, now)?;
    refunds::set_decision(tx, refund.id, &who.name, "")?;
    jobs::enqueue(tx, Task::Refund(refund.id), now)?;
    note(tx, refund, who, &format!("立即发出退款 {}", refund.out_refund_no))
}

/// 重试: the same number and the same sum, so that it cannot be paid twice.
pub fn retry(tx: &Tx, id: RefundId, who: &Who) -> Result<()> {
    let refund = refunds::by_id(tx, id)?.ok_or(Code::NotFound)?;
    if !refund.options().retry {
        return Err(elsewhere(&refund));
    }
    must_fit(tx, &refund)?;
    // That somebody has looked is kept until it is sent.
    let looked = [LOOKED, CAME_BACK].contains(&refund.problem_code.as_str());
    let looked = if looked { LOOKED } else { "" };
    refunds::set_problem(tx, id, looked, "")?;
    move_to(tx, &refund, RefundState::Approved)?;
    jobs::enqueue(tx, Task::Refund(id), tx.now())?;
    note(tx, &refund, who, &format!("重试退款 {}（单号不变，不会重复退）", refund.out_refund_no))
}

/// Other refunds may have taken what a failed one was to give back: its money, or its goods.
fn must_fit(tx: &Tx, refund: &Refund) -> Result<()> {
    let gone = |words: &str| exceeds("amount", format!("别的退款已经用掉了这一笔（{words}），请停止这一笔"));
    if let Some(transaction) = &refund.transaction_id {
        // Made when it stood beside every order: the one that it pays now knows nothing of it.
        let paid = ledger::payment(tx, transaction)?.and_then(|entered| entered.order_id);
        if paid.is_some() && !refund.inside {
            let words = "这笔款后来关联到了订单，钱记在订单里：要退的到那个订单退给买家，这一笔请停止";
            return Err(exceeds("amount", words.into()));
        }
        let taken = refunds::of_transaction(tx, transaction)?.into_iter().filter(|r| r.state.takes_money());
        let taken = taken.fold(Fen::ZERO, |sum, r| sum.plus(r.amount).unwrap_or(sum));
        if refund.payment.minus(taken).unwrap_or_default() < refund.amount {
            return Err(gone("这笔付款剩下的钱不够了"));
        }
    }
    if let Some(full) = order_of(tx, refund)?.filter(|_| refund.inside) {
        let FullRefund { lines, .. } = refunds::full(tx, refund.clone())?;
        let wish = RefundRequest { lines, freight: refund.freight, reason: String::new(), description: String::new() };
        // A whole payment that goes back by itself names neither goods nor freight: it only has to be there.
        if wish.amount() != Some(Fen::ZERO) {
            Refundable::of(&full).check(&wish).map_err(|e| gone(&e.message()))?;
        } else if full.refundable() < refund.amount {
            return Err(gone("这笔订单剩下的钱不够了"));
        }
    }
    Ok(())
}

/// The money went back outside WeChat: what the bank bounced, what WeChat refuses for good, what was paid in cash.
pub fn by_other_means(tx: &Tx, id: RefundId, how: &str, who: &Who) -> Result<()> {
    let refund = refunds::by_id(tx, id)?.ok_or(Code::NotFound)?;
    if !refund.options().settle {
        return Err(elsewhere(&refund));
    }
    given_back(tx, &refund, how, who)
}

/// The same of a refund that WeChat cannot be asked about, however far it has come: a person has looked there.
pub fn seen_by_a_person(tx: &Tx, id: RefundId, how: &str, who: &Who) -> Result<()> {
    let refund = refunds::by_id(tx, id)?.ok_or(Code::NotFound)?;
    if !refund.options_unasked().settle {
        return Err(elsewhere(&refund));
    }
    given_back(tx, &refund, &format!("{how}（问不到微信，{}在商户平台核对过）", who.name), who)
}

fn given_back(tx: &Tx, refund: &Refund, how: &str, who: &Who) -> Result<()> {
    if refund.state == RefundState::Failed {
        must_fit(tx, refund)?;
    }
    let what = format!("退款 {} ¥{} 已用其他方式退还：{how}", refund.out_refund_no, refund.amount);
    refunds::set_decision(tx, refund.id, &who.name, how)?;
    refunds::set_problem(tx, refund.id, "", "")?;
    let order = refund.order_id.filter(|_| refund.inside);
    ledger::enter_offline(tx, refund.out_refund_no.as_str(), order, -refund.amount.get())?;
    succeeded(tx, refund, who, &what)
}

/// The end of a refund: whoever calls this has put the money into the ledger.
fn succeeded(tx: &Tx, refund: &Refund, who: &Who, what: &str) -> Result<()> {
    let now = tx.now();
    move_to(tx, refund, RefundState::Succeeded)?;
    note(tx, refund, who, what)?;
    if let Some(order) = refund.order_id.filter(|_| refund.inside) {
        let full = refunds::full(tx, refund.clone())?;
        if moves::refund(tx, order, &full, &Who::system())? == Some(OrderStatus::Shipped) {
            jobs::enqueue(tx, Task::Complete(order), now + RECEIVED_AFTER)?;
            jobs::enqueue(tx, Task::Register(order), now)?;
        }
    }
    // One that was left to a person finds that there is nothing left to do.
    if jobs::store::failing(tx, Task::Refund(refund.id))?.is_some() {
        jobs::enqueue(tx, Task::Refund(refund.id), now)?;
    }
    let resolution = format!("已退款 {} ¥{}", refund.out_refund_no, refund.amount);
    Ok(exceptions::resolve_by_refund(tx, refund.id, &resolution)?)
}

/// What of a payment is left to be given back; none while some of it is on its way.
pub fn rest_of(conn: &Connection, entered: &Entered) -> Result<Option<Fen>> {
    let before = refunds::of_transaction(conn, &entered.transaction_id)?;
    let taking = || before.iter().filter(|refund| refund.state.takes_money());
    let taken = taking().try_fold(Fen::ZERO, |sum, refund| sum.plus(refund.amount));
    let rest = taken.and_then(|taken| entered.amount.minus(taken)).filter(|rest| *rest > Fen::ZERO);
    Ok(rest.filter(|_| taking().all(|refund| refund.state == RefundState::Succeeded)))
}

/// Sends a whole payment back that fits no order, or that an order did not take, or what is left of it: not before `not_before`.
pub fn whole_payment(
    tx: &Tx,
    entered: &Entered,
    order: Option<&Order>,
    reason: &str,
    who: &Who,
    not_before: i64,
) -> Result<RefundId> {
    let inside = order.is_some_and(|order| entered.order_id == Some(order.id));
    let Some(amount) = rest_of(tx, entered)? else {
        return Err(exceeds("amount", "这笔款已经有退款在处理了，或已经全部退回".into()));
    };
    let new = NewRefund {
        out_refund_no: match order {
            Some(order) => next_number(tx, order)?,
            None => next_number_beside(tx, &entered.transaction_id)?,
        },
        order_id: order.map(|order| order.id),
        inside,
        transaction_id: Some(entered.transaction_id.clone()),
        payment: entered.amount,
        origin: if who.actor == "system" { Origin::Automatic } else { Origin::Staff },
        state: RefundState::Approved,
        amount,
        freight: Fen::ZERO,
        reason: reason.to_owned(),
        description: String::new(),
        requested_by: who.name.clone(),
        not_before,
        asked_as: None,
    };
    let id = refunds::insert(tx, &new, &[])?;
    jobs::enqueue(tx, Task::Refund(id), not_before)?;
    if let Some(order) = order {
        let part = if amount == entered.amount { "整笔付款" } else { "付款余下的" };
        let what = format!("将退回{part} ¥{amount}（退款 {}，{reason}）", new.out_refund_no);
        orders::store::note(tx, order.id, who, Topic::Money, &what)?;
    }
    Ok(id)
}

/// The words the payer reads in WeChat.
fn desc(refund: &Refund) -> String {
    let text = desc_text(&refund.reason);
    if text.is_empty() { "退款".to_owned() } else { text }
}

/// The order a buyer or a member of staff means, whole.
pub fn full_order(tx: &Tx, id: OrderId) -> Result<Full> {
    let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
    Ok(orders::store::full(tx, order)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::{ProductId, SkuId};

    fn line(quantity: i64) -> Line {
        Line {
            id: LineId(1),
            product_id: ProductId(1),
            sku_id: SkuId(1),
            name: String::new(),
            spec_text: String::new(),
            image: None,
            price: Fen::ZERO,
            quantity,
            shipped: 0,
            refunded: 0,
            released: 0,
            discount: Fen::ZERO,
        }
    }

    proptest! {
        /// However many pieces go back at a time: together they are worth what was paid, and each part its share to the fen.
        #[test]
        fn parts_of_a_line_sum_to_what_was_paid_for_it(
            paid in 0..1_000_000_000_i64, quantity in 1..=999_i64, parts in prop::collection::vec(1..200_i64, 0..40),
        ) {
            let whole = Fen::new(paid).unwrap();
            let (line, besides) = (line(quantity), Fen::ZERO);
            let mut left = RefundableLine { line, paid: whole, pieces: quantity, amount: whole, besides };
            for pieces in parts.into_iter().chain([quantity]) {
                let pieces = pieces.min(left.pieces);
                let worth = left.worth(pieces);
                prop_assert!((worth.get() * quantity - paid * pieces).abs() < quantity);
                left = RefundableLine { pieces: left.pieces - pieces, amount: left.amount.minus(worth).unwrap(), ..left };
            }
            prop_assert_eq!((left.pieces, left.amount), (0, Fen::ZERO));
        }
    }
}
