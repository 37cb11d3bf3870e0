//! The goods on their way back: the buyer thinks better of it, names the parcel, and the shop has them.

use super::{go, standing};
use crate::catalogue::stock;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{LineId, RefundId, ReturnId};
use crate::money::Fen;
use crate::orders::{Full, Topic, Who, store as orders};
use crate::parcels::Parcel;
use crate::payments::refund::{self, Refundable, Wish};
use crate::refunds::{Origin, RefundLine};
use crate::returns::{Kind, Return, ReturnLine, ReturnState, store};
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
    store::set_parcel(tx, id, parcel)?;
    if case.state == ReturnState::Agreed {
        return go(tx, &case, ReturnState::SentBack, who, &parcel.text(), settings);
    }
    store::put_step(tx, id, who.actor, case.state, &format!("改单号：{}", parcel.text()))?;
    Ok(orders::note(tx, case.order_id, who, Topic::Goods, "买家改了寄回的单号")?)
}

/// What a return's money comes to now. Errors: its buyer does not have so many pieces any more.
pub fn worth(full: &Full, lines: &[ReturnLine]) -> Result<(Vec<RefundLine>, Fen)> {
    let returnable = full.returnable();
    let has = |line: &ReturnLine| returnable.iter().any(|(of, n)| of.id == line.line_id && line.quantity <= *n);
    if !lines.iter().all(has) {
        let words = "这几件已经单独退过款，或又撤销了发货，不能再退；请核对订单，再关闭这笔售后";
        return Err(Error::from(Code::OrderState).says(words));
    }
    let pieces: Vec<_> = lines.iter().map(|line| (line.line_id, line.quantity)).collect();
    let parts = Refundable::of(full).pieces(&pieces)?;
    let sum = parts.iter().try_fold(Fen::ZERO, |sum, part| sum.plus(part.amount)).unwrap_or_default();
    Ok((parts, sum))
}

/// The goods are here, or are not wanted back: their money goes, or others are owed for them. Pieces of the lines in
/// `restock` can be sold again; where `agrees` does not hold of the sum, somebody else agrees to it. Answers with the refund.
pub fn receive(
    tx: &Tx,
    id: ReturnId,
    restock: &[LineId],
    agrees: impl Fn(Fen) -> bool,
    who: &Who,
    settings: &Settings,
) -> Result<Option<RefundId>> {
    let case = standing(tx, id, |may| may.receive)?;
    match case.kind {
        Kind::Return => pay(tx, &case, restock, agrees, who, settings).map(Some),
        Kind::Exchange => {
            for line in store::lines(tx, id)?.iter().filter(|line| restock.contains(&line.line_id)) {
                let of = orders::line(tx, line.line_id)?;
                stock::put_back(tx, of.sku_id, of.id, line.quantity)?;
                store::set_restocked(tx, id, line)?;
            }
            go(tx, &case, ReturnState::Received, who, "", settings)?;
            Ok(None)
        }
    }
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
    let (mut lines, sum) = worth(&full, &store::lines(tx, case.id)?)?;
    let agreed = agrees(sum);
    for part in &mut lines {
        part.restock = restock.contains(&part.line_id);
    }
    // Why, stands with the return: there it can be forgotten.
    let (reason, description) = (case.kind.text().to_owned(), String::new());
    let wish = Wish { lines, freight: Fen::ZERO, reason, description };
    let refund = refund::open(tx, &full, &wish, Origin::Buyer, agreed, who)?;
    store::set_refund(tx, case.id, refund)?;
    let note = if agreed { "已安排退款" } else { "退款等店里确认金额" };
    go(tx, case, ReturnState::Done, who, note, settings)?;
    Ok(refund)
}
