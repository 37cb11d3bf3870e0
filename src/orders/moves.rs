//! The moves of an order. Each is one guarded UPDATE with its stock and exactly one timeline row, or nothing at all.

use rusqlite::Result;

use super::search::{Words, store as search};
use super::store::NewPrice;
use super::{ClosedReason, Line, Order, OrderStatus, Quote, Shipment, Who, store};
use crate::buyers::addresses::Address;
use crate::catalogue::{stock, store as catalogue};
use crate::clock::Day;
use crate::db::Tx;
use crate::ids::{BuyerId, LineId, MessageId, OrderId, OrderNo};
use crate::money::Fen;
use crate::parcels::Parcel;
use crate::promotions::{Discount, give, store as promotions};
use crate::refunds::FullRefund;

/// T1: places the order and holds its stock. The quote was made in this transaction, so every line is available.
pub fn place(
    tx: &Tx,
    order_no: &OrderNo,
    buyer: BuyerId,
    quote: &Quote,
    remark: &str,
    now: i64,
    expires_at: i64,
) -> Result<OrderId> {
    let id = store::insert(tx, order_no, buyer, quote, remark, now, expires_at)?;
    for line in &quote.lines {
        let line_id = store::insert_line(tx, id, line)?;
        if !stock::reserve(tx, line.sku_id, line_id, line.quantity, now)? {
            // The quote looked at the same rows under the same writer; if this ever happens, nothing of it is kept.
            return Err(rusqlite::Error::StatementChangedRows(0));
        }
    }
    give::take(tx, id, buyer, &quote.discounts, now)?;
    let words = Words::new(quote.address.as_ref(), quote.lines.iter().map(|line| line.name.as_str()));
    search::put_words(tx, id, &words)?;
    let what = format!("提交订单，占用库存 {} 件", quote.lines.iter().map(|l| l.quantity).sum::<i64>());
    store::note_move(tx, id, &Who::buyer(), (None, OrderStatus::PendingPayment), &what, None, now)?;
    if !quote.discounts.is_empty() {
        store::note(tx, id, &Who::system(), &cheaper(&quote.discounts), None, now)?;
    }
    Ok(id)
}

/// `优惠：满减 −¥10.00，优惠券「新客」−¥5.00`
fn cheaper(discounts: &[Discount]) -> String {
    let part = |discount: &Discount| {
        let off = discount.goods.plus(discount.freight).unwrap_or_default();
        let coupon = if discount.coupon.is_some() { "优惠券" } else { "" };
        format!("{coupon}「{}」−¥{off}", discount.name)
    };
    format!("优惠：{}", discounts.iter().map(part).collect::<Vec<_>>().join("，"))
}

/// The parcel goes elsewhere, and the order is found by that.
pub fn readdress(tx: &Tx, id: OrderId, address: &Address) -> Result<()> {
    store::set_address(tx, id, address)?;
    let lines = store::lines(tx, id)?;
    search::put_words(tx, id, &Words::new(Some(address), lines.iter().map(|line| line.name.as_str())))
}

/// T3: the payment of a waiting order. Called by `settle` alone.
pub fn pay(tx: &Tx, order: &Order, paid: Fen, who: &Who, message: Option<MessageId>, now: i64) -> Result<bool> {
    if !store::set_paid(tx, order.id, paid, now)? {
        return Ok(false);
    }
    let moved = (Some(OrderStatus::PendingPayment), OrderStatus::ToShip);
    store::note_move(tx, order.id, who, moved, &format!("已付款 ¥{paid}"), message, now)?;
    count_sales(tx, order.id, now)?;
    Ok(true)
}

/// An order that costs nothing is as good as paid, and WeChat hears nothing of it.
pub fn pay_nothing(tx: &Tx, id: OrderId, now: i64) -> Result<bool> {
    if !store::set_paid(tx, id, Fen::ZERO, now)? {
        return Ok(false);
    }
    let moved = (Some(OrderStatus::PendingPayment), OrderStatus::ToShip);
    store::note_move(tx, id, &Who::system(), moved, "优惠后应付 0 元，不经过微信支付", None, now)?;
    count_sales(tx, id, now)?;
    Ok(true)
}

/// An order that cost nothing and has not left is cancelled; there is no money to give back.
pub fn drop_free(tx: &Tx, order: &Order, reason: ClosedReason, who: &Who, what: &str, now: i64) -> Result<bool> {
    if !go(tx, order.id, OrderStatus::ToShip, OrderStatus::Closed, Some(reason), who, what, None, now)? {
        return Ok(false);
    }
    release(tx, order, now).map(|()| true)
}

/// T7: a closed order that has been paid is taken up again, if every line can be held once more. Its money is the
/// caller's to add.
pub fn reopen(tx: &Tx, order: &Order, what: &str, who: &Who, message: Option<MessageId>, now: i64) -> Result<bool> {
    let lines = store::lines(tx, order.id)?;
    if !order.holds_stock {
        // Its coupon may have bought something else meanwhile.
        if !give::can_take_again(tx, order.id)? {
            return Ok(false);
        }
        for line in &lines {
            let sku = catalogue::for_sale(tx, line.sku_id)?;
            if sku.is_none_or(|s| s.sku.available() < line.quantity) {
                return Ok(false);
            }
        }
    }
    if !go(tx, order.id, OrderStatus::Closed, OrderStatus::ToShip, None, who, what, message, now)? {
        return Ok(false);
    }
    if !order.holds_stock {
        for line in &lines {
            stock::reserve(tx, line.sku_id, line.id, line.quantity, now)?;
        }
        give::take_again(tx, order.id)?;
        store::set_holds_stock(tx, order.id, true)?;
    }
    count_sales(tx, order.id, now)?;
    Ok(true)
}

fn count_sales(tx: &Tx, id: OrderId, now: i64) -> Result<()> {
    for line in store::lines(tx, id)? {
        catalogue::count_sale(tx, line.product_id, line.quantity)?;
        catalogue::count_sold_day(tx, line.sku_id, line.quantity, Day::of(now))?;
    }
    catalogue::raise_version(tx)
}

/// T4, T5, T6: an unpaid order is closed. Its stock is another question: see `release`.
pub fn close(tx: &Tx, id: OrderId, reason: ClosedReason, who: &Who, what: &str, now: i64) -> Result<bool> {
    go(tx, id, OrderStatus::PendingPayment, OrderStatus::Closed, Some(reason), who, what, None, now)
}

/// Gives back what an order still holds, stock and coupon; does nothing when it holds nothing.
pub fn release(tx: &Tx, order: &Order, now: i64) -> Result<()> {
    if !order.holds_stock {
        return Ok(());
    }
    for line in store::lines(tx, order.id)? {
        if line.left() > 0 {
            stock::release(tx, line.sku_id, line.id, line.left(), now)?;
        }
    }
    give_coupon_back(tx, order.id, now)?;
    store::set_holds_stock(tx, order.id, false)
}

fn give_coupon_back(tx: &Tx, id: OrderId, now: i64) -> Result<()> {
    if promotions::release(tx, id)? {
        store::note(tx, id, &Who::system(), "优惠券已退回买家", None, now)?;
    }
    Ok(())
}

/// T9, T10: pieces go out in a parcel: these, or everything that is left. The caller has seen that they are there.
pub fn ship(
    tx: &Tx,
    order: &Order,
    parcel: &Parcel,
    pieces: Option<&[(LineId, i64)]>,
    who: &Who,
    now: i64,
) -> Result<bool> {
    if order.status != OrderStatus::ToShip {
        return Ok(false);
    }
    let lines = store::lines(tx, order.id)?;
    let leaving = |line: &Line| match pieces {
        None => line.left(),
        Some(pieces) => pieces.iter().filter(|(id, _)| *id == line.id).map(|(_, n)| n).sum(),
    };
    let left: i64 = lines.iter().map(|line| line.left() - leaving(line)).sum();
    if left > 0 {
        let pieces: i64 = lines.iter().map(leaving).sum();
        let what = format!("部分发货：{}，{pieces} 件，还有 {left} 件", parcel.text());
        store::note(tx, order.id, who, &what, None, now)?;
    } else {
        let what = format!("已发货：{}", parcel.text());
        go(tx, order.id, OrderStatus::ToShip, OrderStatus::Shipped, None, who, &what, None, now)?;
        store::set_holds_stock(tx, order.id, false)?;
    }
    let shipment = store::insert_shipment(tx, order.id, parcel, now)?;
    for line in lines.iter().filter(|line| leaving(line) > 0) {
        store::ship_line(tx, shipment, line.id, leaving(line))?;
        stock::ship(tx, line.sku_id, line.id, leaving(line), now)?;
    }
    Ok(true)
}

/// A further parcel of an order, beside one with which all pieces were entered: nobody said which are in it.
pub fn accompany(tx: &Tx, order: &Order, parcel: &Parcel, who: &Who, now: i64) -> Result<()> {
    store::note(tx, order.id, who, &format!("又一个包裹：{}", parcel.text()), None, now)?;
    store::insert_shipment(tx, order.id, parcel, now).map(drop)
}

/// T16: a parcel did not leave after all. Its pieces wait to be shipped again.
pub fn unship(tx: &Tx, order: &Order, shipment: &Shipment, who: &Who, now: i64) -> Result<bool> {
    let what = format!("撤销发货：{}", shipment.parcel.text());
    match order.status {
        OrderStatus::ToShip => store::note(tx, order.id, who, &what, None, now)?,
        // It went beside another, which has the pieces.
        OrderStatus::Shipped if shipment.lines.is_empty() => store::note(tx, order.id, who, &what, None, now)?,
        OrderStatus::Shipped => {
            go(tx, order.id, OrderStatus::Shipped, OrderStatus::ToShip, None, who, &what, None, now)?;
            store::set_holds_stock(tx, order.id, true)?;
        }
        OrderStatus::PendingPayment | OrderStatus::Completed | OrderStatus::Closed => return Ok(false),
    }
    store::void_shipment(tx, shipment.id)?;
    for (line, quantity) in &shipment.lines {
        let line = store::line(tx, *line)?;
        store::unship_line(tx, line.id, *quantity)?;
        stock::unship(tx, line.sku_id, line.id, *quantity, now)?;
    }
    Ok(true)
}

/// T11: received.
pub fn complete(tx: &Tx, id: OrderId, who: &Who, what: &str, now: i64) -> Result<bool> {
    go(tx, id, OrderStatus::Shipped, OrderStatus::Completed, None, who, what, None, now)
}

/// A price that staff agreed on before the payment. The order number stays; its time to pay starts anew.
pub fn reprice(tx: &Tx, order: &Order, new: &NewPrice, who: &Who, what: &str, now: i64) -> Result<bool> {
    let changed = store::set_price(tx, order.id, new)?;
    if changed {
        store::note(tx, order.id, who, what, None, now)?;
    }
    Ok(changed)
}

/// Money went back: the lines remember their pieces, unshipped ones return to the shelf, and what came back and is
/// good is sold again. An order with nothing left to ship moves on; answers with where to.
/// Called when a refund *succeeded*.
pub fn refund(tx: &Tx, id: OrderId, refund: &FullRefund, who: &Who, now: i64) -> Result<Option<OrderStatus>> {
    store::add_refunded(tx, id, refund.refund.amount)?;
    let order = store::by_id(tx, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    for part in &refund.lines {
        let line = store::line(tx, part.line_id)?;
        store::add_refunded_pieces(tx, line.id, part.quantity)?;
        // What has not left yet is given back first; only the rest can have come back.
        let unshipped = if order.holds_stock { part.quantity.min(line.left()) } else { 0 };
        give_back(tx, &line, unshipped, now)?;
        if part.restock && part.quantity > unshipped {
            stock::put_back(tx, line.sku_id, line.id, part.quantity - unshipped, now)?;
        }
    }
    if order.status != OrderStatus::ToShip {
        return Ok(None);
    }
    if order.refunded == order.paid {
        // Nobody has paid for what is left.
        for line in store::lines(tx, id)? {
            give_back(tx, &line, line.left(), now)?;
        }
    }
    let lines = store::lines(tx, id)?;
    if lines.iter().any(|line| line.left() > 0) {
        return Ok(None);
    }
    let (to, reason, what) = match lines.iter().any(|line| line.shipped > 0) {
        true => (OrderStatus::Shipped, None, "其余商品已退款，没有要发的了"),
        // T14: nothing was shipped, and nothing will be.
        false => (OrderStatus::Closed, Some(ClosedReason::Refunded), "商品未发货且已退款，订单关闭"),
    };
    go(tx, id, OrderStatus::ToShip, to, reason, who, what, None, now)?;
    if to == OrderStatus::Closed {
        give_coupon_back(tx, id, now)?;
    }
    store::set_holds_stock(tx, id, false)?;
    Ok(Some(to))
}

/// Unshipped pieces of a line go back to the shelf for good.
fn give_back(tx: &Tx, line: &Line, quantity: i64, now: i64) -> Result<()> {
    if quantity > 0 {
        stock::release(tx, line.sku_id, line.id, quantity, now)?;
        store::add_released(tx, line.id, quantity)?;
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "a move is who, what, when, why, from and to")]
fn go(
    tx: &Tx,
    id: OrderId,
    from: OrderStatus,
    to: OrderStatus,
    reason: Option<ClosedReason>,
    who: &Who,
    what: &str,
    message: Option<MessageId>,
    now: i64,
) -> Result<bool> {
    let moved = store::set_status(tx, id, from, to, reason, now)?;
    if moved {
        store::note_move(tx, id, who, (Some(from), to), what, message, now)?;
    }
    Ok(moved)
}
