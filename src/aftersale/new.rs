//! Parcels that are sent once more: for what came back to be exchanged, or for one that was lost (补发).

use super::back::still_owed;
use super::{dearer, go, standing, tell, words};
use crate::catalogue::{stock, store as catalogue};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{LineId, OrderId, ResendId, ReturnId, SkuId};
use crate::money::{Fen, yuan};
use crate::orders::in_hand::{had, meant};
use crate::orders::{Full, Line, OrderStatus, Topic, Who, store as orders};
use crate::parcels::Parcel;
use crate::payments::refund;
use crate::refunds::FullRefund;
use crate::returns::{Resend, Return, ReturnState, store};
use crate::settings::Settings;
use crate::shipping;

/// Others go out for what came back: of each line the SKU that is named, else the one that is meant. Errors: `dearer`, they
/// cost more than what was bought and nobody said that the shop bears it.
pub fn exchange(
    tx: &Tx,
    id: ReturnId,
    parcel: &Parcel,
    instead: &[(LineId, SkuId)],
    bears: bool,
    who: &Who,
    settings: &Settings,
) -> Result<ResendId> {
    let case = standing(tx, id, |may| may.send_new)?;
    let full = refund::full_order(tx, case.order_id)?;
    let (mut goods, mut difference) = (Vec::new(), 0);
    let lines = store::lines(tx, id)?;
    still_owed(&full, &lines)?;
    for line in lines {
        let of = full.lines.iter().find(|of| of.id == line.line_id).ok_or(Code::NotFound)?;
        let named = instead.iter().find(|(id, _)| *id == of.id).map(|(_, sku)| *sku);
        let had = had(&full, id, &line, of);
        let sku = named.unwrap_or_else(|| meant(&line, of, &had));
        let other = catalogue::for_sale(tx, sku)?.filter(|other| other.sku.product_id == of.product_id);
        let Some(other) = other else {
            return Err(Error::field("sku", format!("「{}」只能换同一商品的规格", of.name)));
        };
        difference += dearer::difference(of, &had, (sku, other.sku.price), line.quantity);
        goods.push((of.id, sku, line.quantity));
    }
    let gone = gone_back(&full, &goods).or_else(|| given_back_since(&full, &case));
    let more = (difference > 0).then(|| format!("换出的{}，系统不向买家收差价", dearer::words(difference)));
    must_bear(bears, gone.into_iter().chain(more))?;
    let resend = leave(tx, &full, Some(&case), goods, "换货", parcel, who)?;
    if difference != 0 {
        let whose = if difference > 0 { "由店里承担" } else { "系统不自动退差价，要退请另建退款" };
        let what = format!("换出的{}，{whose}", dearer::words(difference));
        orders::note(tx, case.order_id, who, Topic::Money, &what)?;
    }
    go(tx, &case, ReturnState::Done, who, &parcel.text(), settings)?;
    tell(tx, &case, settings)?;
    Ok(resend)
}

/// What the shop loses by sending goods out, it loses on somebody's word.
fn must_bear(bears: bool, losses: impl Iterator<Item = String>) -> Result<()> {
    let words: Vec<_> = losses.collect();
    if words.is_empty() || bears {
        return Ok(());
    }
    Err(Error::field("dearer", format!("{}。要寄出请确认由店里承担", words.join("；"))))
}

/// That money of these goods went back, and of those that were sent again before. What went back in WeChat's own console may
/// be for any: what is left of the order has to cover them. What the shop itself gave back of a line without its pieces is a
/// compensation, up to half of what those cost that go out again.
fn gone_back(full: &Full, goods: &[(LineId, SkuId, i64)]) -> Option<String> {
    let before = full.resends.iter().flat_map(|resend| &resend.lines);
    let all: Vec<_> = before.chain(goods).collect();
    let worth = |line: &Line, paid: Fen| {
        let pieces: i64 = all.iter().filter(|(id, ..)| *id == line.id).map(|(.., n)| n).sum();
        paid.get() * pieces / line.quantity.max(1)
    };
    let taking = || full.refunds.iter().filter(|one| one.refund.inside && one.refund.state.takes_money());
    let lines = || full.lines.iter().zip(full.paid_by_line()).map(|(line, paid)| (line, paid, worth(line, paid)));
    let with = if full.resends.is_empty() { "" } else { "连同以前补发的，" };
    let of_line = |(line, paid, worth): (&Line, Fen, i64)| {
        let back = taking().flat_map(|one| &one.lines).filter(|of| of.line_id == line.id);
        let alone: i64 = back.clone().filter(|of| of.quantity == 0).map(|of| of.amount.get()).sum();
        let left = paid.get() - back.map(|of| of.amount.get()).sum::<i64>();
        // Whatever went out again before, without any money, makes no room for what went back since.
        let now: i64 = goods.iter().filter(|(id, ..)| *id == line.id).map(|(.., n)| n).sum();
        let most = 2 * alone > paid.get() * now / line.quantity.max(1);
        let short = left < worth && 2 * alone * line.quantity > paid.get();
        (now > 0 && (most || short)).then(|| {
            let (worth, alone, name) = (yuan(worth), yuan(alone), &line.name);
            format!("{with}「{name}」买家付了 ¥{worth}，它另外退过 ¥{alone}（没有退件），也许就是这几件的钱")
        })
    };
    let untold = taking().any(|one| one.lines.is_empty());
    let (whole, left) = (lines().map(|(.., worth)| worth).sum(), full.refundable().get());
    let short = (untold && left < whole).then(|| {
        let (whole, left) = (yuan(whole), yuan(left));
        format!("{with}这些商品买家付了 ¥{whole}，这笔订单退过款，只剩 ¥{left} 没有退")
    });
    short.or_else(|| lines().find_map(of_line))
}

/// That a refund of these goods waits, or was refused and may go out yet.
fn may_go_back(full: &Full, goods: &[(LineId, SkuId, i64)]) -> Option<String> {
    let mut waiting = full.refunds.iter().filter(|one| one.refund.inside && one.refund.state.may_take_money());
    let of_these = |one: &&FullRefund| {
        one.lines.is_empty() || one.lines.iter().any(|of| goods.iter().any(|(id, ..)| *id == of.line_id))
    };
    let refund = &waiting.find(of_these)?.refund;
    Some(format!("退款 {}（{}）还没有结束，也许就是这几件的钱", refund.out_refund_no, refund.state.text()))
}

/// That money went back in WeChat's own console after the exchange was asked for: it may be what was paid for these very goods.
fn given_back_since(full: &Full, case: &Return) -> Option<String> {
    let since = full.refunds.iter().map(|one| &one.refund).filter(|refund| refund.was_told_since(case.created_at));
    match since.filter(|refund| refund.state.takes_money()).map(|refund| refund.amount.get()).sum() {
        0 => None,
        fen => Some(format!("这笔申请之后，有人在微信商户平台退过 ¥{}，也许就是这些商品的钱", yuan(fen))),
    }
}

/// 补发: pieces that left and did not arrive, or not whole, once more. Errors: `dearer`, their money went back and nobody
/// said that the shop bears it.
pub fn lost(
    tx: &Tx,
    id: OrderId,
    pieces: &[(LineId, i64)],
    reason: &str,
    parcel: &Parcel,
    bears: bool,
    who: &Who,
) -> Result<ResendId> {
    let full = refund::full_order(tx, id)?;
    if let Some(why) = refused(&full) {
        return Err(Error::from(Code::OrderState).says(why));
    }
    // The same form, sent twice.
    if full.parcels().any(|sent| !sent.tracking_no.is_empty() && sent.tracking_no == parcel.tracking_no) {
        return Err(Error::field("tracking_no", "这个单号已经是这笔订单的包裹了，没有再补发一次；补发请填新的单号"));
    }
    let reason = words("reason", reason)?;
    let in_hand = full.in_hand();
    let mut goods = Vec::new();
    for (i, (id, n)) in pieces.iter().enumerate().filter(|(_, (_, n))| *n != 0) {
        let held = in_hand.iter().find(|(line, _)| line.id == *id);
        let (line, most) = held.ok_or_else(|| Error::field("pieces", "这一行没有发出过，或已经退款"))?;
        if pieces[..i].iter().any(|(other, _)| other == id) {
            return Err(Error::field("pieces", "同一行写了两次"));
        }
        if !(1..=*most).contains(n) {
            return Err(Error::field("pieces", format!("「{}」最多补发 {most} 件", line.name)));
        }
        goods.extend(full.coming_back(line, *n).into_iter().map(|(sku, n)| (line.id, sku, n)));
    }
    if goods.is_empty() {
        return Err(Error::field("pieces", "请填写要补发的件数"));
    }
    must_bear(bears, gone_back(&full, &goods).into_iter().chain(may_go_back(&full, &goods)))?;
    let resend = leave(tx, &full, None, goods, &reason, parcel, who)?;
    // Until it was received WeChat takes one correction, so that it looks for the parcel that will come.
    if full.order.status == OrderStatus::Shipped {
        shipping::tell_later(tx, full.order.id)?;
    }
    Ok(resend)
}

/// Why nothing of an order can be sent once more; `None` when something can.
pub fn refused(full: &Full) -> Option<&'static str> {
    match full.order.status {
        OrderStatus::PendingPayment | OrderStatus::Closed => Some("这笔订单没有发过货，不能补发"),
        _ if full.in_hand().is_empty() => Some("没有发出去还没退款的商品，不能补发"),
        _ => None,
    }
}

fn leave(
    tx: &Tx,
    full: &Full,
    case: Option<&Return>,
    lines: Vec<(LineId, SkuId, i64)>,
    reason: &str,
    parcel: &Parcel,
    who: &Who,
) -> Result<ResendId> {
    let what = if case.is_some() { "换货" } else { "补发" };
    for (line, sku, quantity) in &lines {
        let note = if case.is_some() { what.to_owned() } else { format!("{what}：{reason}") };
        if !stock::send_again(tx, *sku, *line, *quantity, &note)? {
            let name = full.lines.iter().find(|of| of.id == *line).map_or("", |of| &of.name);
            return Err(Error::from(Code::OutOfStock).says(format!("「{name}」可售不够 {quantity} 件，不能{what}")));
        }
    }
    let pieces: i64 = lines.iter().map(|(.., n)| n).sum();
    let new = Resend {
        id: ResendId(0),
        return_id: case.map(|case| case.id),
        reason: reason.to_owned(),
        parcel: parcel.clone(),
        sent_by: who.name.clone(),
        sent_at: tx.now(),
        lines,
    };
    let id = store::insert_resend(tx, full.order.id, &new)?;
    let words = if case.is_some() { String::new() } else { format!("，原因：{reason}") };
    let what = format!("{what} {pieces} 件：{}{words}", parcel.text());
    orders::note(tx, full.order.id, who, Topic::Goods, &what)?;
    Ok(id)
}

/// The same parcel under another number, where it has the one that somebody saw.
pub fn renumber(
    tx: &Tx,
    order: OrderId,
    id: ResendId,
    (was, parcel): (Option<&str>, &Parcel),
    who: &Who,
) -> Result<()> {
    let sent = store::resends_of(tx, order)?.into_iter().find(|sent| sent.id == id).ok_or(Code::NotFound)?;
    shipping::must_be_the_parcel(&sent.parcel, was)?;
    if sent.parcel != *parcel {
        store::set_resend_parcel(tx, id, parcel)?;
        let what = format!("改单号：{} → {}", sent.parcel.text(), parcel.text());
        orders::note(tx, order, who, Topic::Goods, &what)?;
        if sent.return_id.is_none() {
            shipping::tell_later(tx, order)?;
        }
    }
    Ok(())
}
