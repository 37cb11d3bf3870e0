//! The goods on their way back: the buyer thinks better of it, names the parcel, and the shop has them.

use super::{go, standing};
use crate::catalogue::stock;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{LineId, RefundId, ReturnId, SkuId};
use crate::money::Fen;
use crate::orders::in_hand::Goods;
use crate::orders::{Full, Line, Topic, Who, store as orders};
use crate::parcels::Parcel;
use crate::payments::refund::{self, RefundRequest, Refundable};
use crate::refunds::{Origin, RefundLine};
use crate::returns::{CameBack, Kind, Return, ReturnLine, ReturnState, With, store};
use crate::settings::Settings;

/// The buyer keeps the goods after all.
pub fn cancel(tx: &Tx, id: ReturnId, who: &Who, settings: &Settings) -> Result<()> {
    let case = standing(tx, id, |may| may.cancel)?;
    go(tx, &case, ReturnState::Cancelled, who, "", settings)
}

/// By which parcel they come; a number that was wrong is put right in the same way.
pub fn send(tx: &Tx, id: ReturnId, parcel: &Parcel, who: &Who, settings: &Settings) -> Result<()> {
    let case = standing(tx, id, |may| may.send)?;
    if case.parcel.as_ref() == Some(parcel) {
        return Ok(());
    }
    must_come_back(tx, &refund::full_order(tx, case.order_id)?, parcel)?;
    store::set_parcel(tx, id, parcel)?;
    if case.state == ReturnState::Agreed {
        return go(tx, &case, ReturnState::SentBack, who, &parcel.text(), settings);
    }
    store::put_step(tx, id, who.actor, case.state, &format!("改单号：{}", parcel.text()))?;
    Ok(orders::note(tx, case.order_id, who, Topic::Goods, "买家改了寄回的单号")?)
}

/// Errors: it is the parcel that the buyer got, or another that the shop has sent.
fn must_come_back(tx: &Tx, full: &Full, parcel: &Parcel) -> Result<()> {
    let number = &parcel.tracking_no;
    let words = if full.parcels().any(|sent| sent.tracking_no == *number) {
        "这是商家寄给您的那个包裹的单号：请填您寄回时拿到的新单号；拒收的不用填，商家收到退件会处理"
    } else if !orders::others_with_number(tx, full.order.id, number)?.is_empty() {
        "这是商家寄出的另一个包裹的单号：请填您寄回时拿到的新单号"
    } else {
        return Ok(());
    };
    Err(Error::field("tracking_no", words))
}

/// The pieces of a return are still its buyer's to give back. Errors: their money went back already, or they never left.
fn still_there(full: &Full, state: ReturnState, lines: &[ReturnLine]) -> Result<()> {
    // What the shop has received is not in its buyer's hand any more.
    let returnable = if state == ReturnState::Received { full.paid_for() } else { full.returnable() };
    let has = |line: &ReturnLine| returnable.iter().any(|(of, n)| of.id == line.line_id && line.quantity <= *n);
    if lines.iter().all(has) {
        return Ok(());
    }
    let words = "这几件已经单独退过款，或又撤销了发货，不能再退换；请核对订单，再关闭这笔售后";
    Err(Error::from(Code::OrderState).says(words))
}

/// Others may go out for them: neither has their money gone back, nor may it yet. Errors: which of the two.
pub fn still_owed(full: &Full, lines: &[ReturnLine]) -> Result<()> {
    still_there(full, ReturnState::Received, lines)?;
    let asked = full.refunds.iter().filter(|one| one.refund.inside && one.refund.state.may_take_money());
    let mut parts = asked.flat_map(|one| one.lines.iter().map(move |part| (&one.refund, part)));
    match parts.find(|(_, part)| part.quantity > 0 && lines.iter().any(|line| line.line_id == part.line_id)) {
        None => Ok(()),
        Some((refund, _)) => {
            let words = format!("这几件有一笔退款 {} 还没有结束，先去处理它，再寄换的", refund.out_refund_no);
            Err(Error::from(Code::OrderState).says(words))
        }
    }
}

/// What a return's money comes to now. Errors: its buyer does not have so many pieces any more.
pub fn worth(full: &Full, state: ReturnState, lines: &[ReturnLine]) -> Result<(Vec<RefundLine>, Fen)> {
    still_there(full, state, lines)?;
    let pieces: Vec<_> = lines.iter().map(|line| (line.line_id, line.quantity)).collect();
    let parts = Refundable::of(full).pieces(&pieces)?;
    let sum = parts.iter().try_fold(Fen::ZERO, |sum, part| sum.plus(part.amount)).unwrap_or_default();
    Ok((parts, sum))
}

/// What came, as whoever looks at it says.
#[derive(Clone, Debug, Default)]
pub struct LookedOver {
    /// Lines whose pieces can be sold again.
    pub restock: Vec<LineId>,
    /// How many pieces are which SKU; asked for where a line may be several.
    pub came: Vec<(LineId, SkuId, i64)>,
}

/// The goods are here, or are not wanted back: their money goes, or others are owed for them; where `agrees` does not hold of the sum, somebody else agrees to it. Answers with the refund.
pub fn receive(
    tx: &Tx,
    id: ReturnId,
    over: &LookedOver,
    agrees: impl Fn(Fen) -> bool,
    who: &Who,
    settings: &Settings,
) -> Result<Option<RefundId>> {
    let case = standing(tx, id, |may| may.receive)?;
    let (full, restock) = (refund::full_order(tx, case.order_id)?, &over.restock);
    let lines = store::lines(tx, id)?;
    still_there(&full, case.state, &lines)?;
    for line in lines {
        let of = full.lines.iter().find(|of| of.id == line.line_id).ok_or(Code::NotFound)?;
        for (sku, quantity) in said(&full, of, line.quantity, &over.came)? {
            let came = CameBack { line_id: of.id, sku, quantity, with: With::Return(id) };
            store::put_came_back(tx, case.order_id, &came)?;
            if case.kind == Kind::Exchange && restock.contains(&of.id) {
                stock::put_back(tx, sku, of.id, quantity)?;
            }
        }
        if case.kind == Kind::Exchange && restock.contains(&of.id) {
            store::set_restocked(tx, id, &line)?;
        }
    }
    match case.kind {
        Kind::Return => pay(tx, &case, restock, agrees, who, settings).map(Some),
        Kind::Exchange => {
            go(tx, &case, ReturnState::Received, who, "", settings)?;
            Ok(None)
        }
    }
}

/// As which SKUs the pieces of a line came, if somebody says; else as what was sent last. Errors: that is not what its
/// buyer has.
fn said(full: &Full, line: &Line, pieces: i64, came: &[(LineId, SkuId, i64)]) -> Result<Goods> {
    let said: Goods =
        came.iter().filter(|(of, _, n)| *of == line.id && *n != 0).map(|(_, sku, n)| (*sku, *n)).collect();
    if said.is_empty() {
        return Ok(full.coming_back(line, pieces));
    }
    let has = full.goods_of(line);
    let one_each = said.iter().enumerate().all(|(i, (sku, _))| said[..i].iter().all(|(before, _)| before != sku));
    let is_there = |(sku, n): &(SkuId, i64)| has.iter().any(|(of, most)| of == sku && (1..=*most).contains(n));
    if !one_each || !said.iter().all(is_there) || said.iter().map(|(_, n)| n).sum::<i64>() != pieces {
        let words = format!("「{}」一共收回 {pieces} 件，请按规格写对各几件，不超过买家手里有的", line.name);
        return Err(Error::field("came", words));
    }
    Ok(said)
}

/// There are no others to send for what came: its money goes back instead.
pub fn pay_instead(
    tx: &Tx,
    id: ReturnId,
    agrees: impl Fn(Fen) -> bool,
    who: &Who,
    settings: &Settings,
) -> Result<RefundId> {
    let case = standing(tx, id, |may| may.pay_instead)?;
    // What can be sold again was put back when it came.
    pay(tx, &case, &[], agrees, who, settings)
}

/// Opens the refund that it ends in; one that is agreed to goes on its way.
fn pay(
    tx: &Tx,
    case: &Return,
    restock: &[LineId],
    agrees: impl Fn(Fen) -> bool,
    who: &Who,
    settings: &Settings,
) -> Result<RefundId> {
    let full = refund::full_order(tx, case.order_id)?;
    let (mut lines, sum) = worth(&full, case.state, &store::lines(tx, case.id)?)?;
    let agreed = agrees(sum);
    for part in &mut lines {
        part.restock = restock.contains(&part.line_id);
    }
    // Why, stands with the return: there it can be forgotten.
    let (reason, description) = (case.kind.text().to_owned(), String::new());
    let wish = RefundRequest { lines, freight: Fen::ZERO, reason, description };
    let refund = refund::open(tx, &full, &wish, Origin::Buyer, agreed, who)?;
    store::set_refund(tx, case.id, refund)?;
    let note = if agreed { "已安排退款" } else { "退款等店里确认金额" };
    go(tx, case, ReturnState::Done, who, note, settings)?;
    Ok(refund)
}
