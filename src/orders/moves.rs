//! The moves of an order. Each is one guarded UPDATE with its stock and exactly one timeline row, or an error: an order
//! that stands elsewhere is not moved, and whoever asked decides again.

use super::in_hand::{self, Goods};
use super::pickup::{PickupCode, store as pickups};
use super::search::{Words, store as search};
use super::store::NewPrice;
use super::{Act, ClosedReason, Full, Line, Numbers, Order, OrderStatus, Quote, Shipment, Topic, Who, store};
use crate::buyers::addresses::Address;
use crate::catalogue::{Delivery, stock, store as catalogue};
use crate::clock::Day;
use crate::db::{DbError, Tx};
use crate::error::{Code, Result};
use crate::ids::{BuyerId, LineId, OrderId, RefundId};
use crate::money::Fen;
use crate::parcels::Parcel;
use crate::promotions::{Discount, give, store as promotions};
use crate::refunds::{FullRefund, RefundLine};
use crate::returns::{CameBack, With, store as returns};

/// Places the order and holds its stock. The quote was made in this transaction, so every line is available.
pub fn place(
    tx: &Tx,
    numbers: &Numbers,
    buyer: BuyerId,
    quote: &Quote,
    remark: &str,
    expires_at: i64,
) -> Result<OrderId> {
    let id = store::insert(tx, &numbers.order_no, buyer, quote, remark, expires_at)?;
    for line in &quote.lines {
        let line_id = store::insert_line(tx, id, line)?;
        if !stock::reserve(tx, line.sku_id, line_id, line.quantity)? {
            // The quote looked at the same rows under the same writer; if this ever happens, nothing of it is kept.
            return Err(DbError::Broken("a line that was just found available cannot be held").into());
        }
    }
    give::take(tx, id, buyer, &quote.discounts)?;
    if quote.delivery == Delivery::Pickup {
        give_code(tx, id, &quote.phone, numbers.pickup)?;
    }
    let words = Words::new(quote.address.as_ref(), quote.lines.iter().map(|line| line.name.as_str()));
    search::put_words(tx, id, &words.with_phone(&quote.phone))?;
    let what = format!("提交订单，占用库存 {} 件", quote.lines.iter().map(|l| l.quantity).sum::<i64>());
    let placed = (None, OrderStatus::PendingPayment);
    store::note_move(tx, id, &Who::buyer(), placed, Topic::Goods, &what)?;
    if !quote.discounts.is_empty() {
        store::note(tx, id, &Who::system(), Topic::Money, &cheaper(&quote.discounts))?;
    }
    Ok(id)
}

/// The code by which whoever comes is known: the first that is free of those that this number leads to.
fn give_code(tx: &Tx, id: OrderId, phone: &str, number: i64) -> Result<()> {
    for n in 0..1_000 {
        if pickups::insert(tx, id, phone, &PickupCode::drawn(number, n))? {
            return Ok(());
        }
    }
    Err(DbError::Broken("a thousand codes for fetching in a row are taken").into())
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
    Ok(search::put_words(tx, id, &Words::new(Some(address), lines.iter().map(|line| line.name.as_str())))?)
}

/// The payment of a waiting order. Errors: `OrderState`, it waits no more.
pub fn pay<'a>(tx: &Tx, order: &Order, paid: Fen, act: impl Into<Act<'a>>) -> Result<()> {
    set_paid(tx, order.id, paid, act, &format!("已付款 ¥{paid}"))
}

/// An order that costs nothing is as good as paid, and WeChat hears nothing of it. Errors: `OrderState`, it waits no more.
pub fn pay_nothing(tx: &Tx, id: OrderId) -> Result<()> {
    set_paid(tx, id, Fen::ZERO, &Who::system(), "优惠后应付 0 元，不经过微信支付")
}

fn set_paid<'a>(tx: &Tx, id: OrderId, paid: Fen, act: impl Into<Act<'a>>, what: &str) -> Result<()> {
    if !store::set_paid(tx, id, paid)? {
        return Err(Code::OrderState.into());
    }
    store::note_move(tx, id, act, (Some(OrderStatus::PendingPayment), OrderStatus::ToShip), Topic::Money, what)?;
    count_sales(tx, id)
}

/// An order that cost nothing and has not left is cancelled; there is no money to give back. Errors: `OrderState`, it
/// is not to be shipped.
pub fn drop_free(tx: &Tx, order: &Order, reason: ClosedReason, who: &Who, what: &str) -> Result<()> {
    go(tx, order.id, Step::closing(OrderStatus::ToShip, reason), who, what)?;
    release(tx, order)
}

/// A closed order that has been paid is taken up again, if every line can be held once more; false when one cannot. Its
/// money is the caller's to add. Errors: `OrderState`, it is not closed.
pub fn reopen<'a>(tx: &Tx, order: &Order, what: &str, act: impl Into<Act<'a>>) -> Result<bool> {
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
    go(tx, order.id, Step::new(OrderStatus::Closed, OrderStatus::ToShip, Topic::Money), act, what)?;
    if !order.holds_stock {
        for line in &lines {
            if !stock::reserve(tx, line.sku_id, line.id, line.quantity)? {
                return Err(DbError::Broken("a line that was just found available cannot be held").into());
            }
        }
        give::take_again(tx, order.id)?;
        store::set_holds_stock(tx, order.id, true)?;
    }
    count_sales(tx, order.id)?;
    Ok(true)
}

/// Buyers see it a few seconds later: a sale is no reason to make every kept answer anew.
fn count_sales(tx: &Tx, id: OrderId) -> Result<()> {
    for line in store::lines(tx, id)? {
        catalogue::count_sale(tx, line.product_id, line.quantity)?;
        catalogue::count_sold_day(tx, line.sku_id, line.quantity, Day::of(tx.now()))?;
    }
    Ok(())
}

/// An unpaid order is closed: cancelled, or its time is over. Its stock is another question: see `release`. Errors:
/// `OrderState`, it waits for no payment.
pub fn close<'a>(tx: &Tx, id: OrderId, reason: ClosedReason, act: impl Into<Act<'a>>, what: &str) -> Result<()> {
    go(tx, id, Step::closing(OrderStatus::PendingPayment, reason), act, what)
}

/// Gives back what an order still holds, stock and coupon; does nothing when it holds nothing.
pub fn release(tx: &Tx, order: &Order) -> Result<()> {
    if !order.holds_stock {
        return Ok(());
    }
    for line in store::lines(tx, order.id)? {
        if line.left() > 0 {
            stock::release(tx, line.sku_id, line.id, line.left())?;
        }
    }
    give_coupon_back(tx, order.id)?;
    Ok(store::set_holds_stock(tx, order.id, false)?)
}

fn give_coupon_back(tx: &Tx, id: OrderId) -> Result<()> {
    if promotions::release(tx, id)? {
        store::note(tx, id, &Who::system(), Topic::Money, "优惠券已退回买家")?;
    }
    Ok(())
}

/// Pieces go out in a parcel: these, or everything that is left. The caller has seen that they are there. Errors:
/// `OrderState`, nothing is to be shipped.
pub fn ship(tx: &Tx, order: &Order, parcel: &Parcel, pieces: Option<&[(LineId, i64)]>, who: &Who) -> Result<()> {
    if order.status != OrderStatus::ToShip {
        return Err(Code::OrderState.into());
    }
    let lines = store::lines(tx, order.id)?;
    let leaving = |line: &Line| match pieces {
        None => line.left(),
        Some(pieces) => pieces.iter().filter(|(id, _)| *id == line.id).map(|(_, n)| n).sum(),
    };
    let left: i64 = lines.iter().map(|line| line.left() - leaving(line)).sum();
    if left > 0 {
        let pieces: i64 = lines.iter().map(leaving).sum();
        let what = format!("{}，{pieces} 件，还有 {left} 件", order.leaves("部分", '：', parcel));
        store::note(tx, order.id, who, Topic::Goods, &what)?;
    } else {
        let what = order.leaves("已", '：', parcel);
        go(tx, order.id, Step::new(OrderStatus::ToShip, OrderStatus::Shipped, Topic::Goods), who, &what)?;
        store::set_holds_stock(tx, order.id, false)?;
    }
    let shipment = store::insert_shipment(tx, order.id, parcel)?;
    for line in lines.iter().filter(|line| leaving(line) > 0) {
        store::ship_line(tx, shipment, line.id, leaving(line))?;
        stock::ship(tx, line.sku_id, line.id, leaving(line))?;
    }
    Ok(())
}

/// A further parcel of an order, beside one with which all pieces were entered: nobody said which are in it.
pub fn accompany(tx: &Tx, order: &Order, parcel: &Parcel, who: &Who) -> Result<()> {
    store::note(tx, order.id, who, Topic::Goods, &format!("又一个包裹：{}", parcel.text()))?;
    store::insert_shipment(tx, order.id, parcel)?;
    Ok(())
}

/// A parcel did not leave after all. Its pieces wait to be shipped again. Errors: `OrderState`, the order has ended.
pub fn unship(tx: &Tx, order: &Order, shipment: &Shipment, who: &Who) -> Result<()> {
    let what = order.leaves("撤销", '：', &shipment.parcel);
    match order.status {
        OrderStatus::ToShip => store::note(tx, order.id, who, Topic::Goods, &what)?,
        // It went beside another, which has the pieces.
        OrderStatus::Shipped if shipment.lines.is_empty() => store::note(tx, order.id, who, Topic::Goods, &what)?,
        OrderStatus::Shipped => {
            go(tx, order.id, Step::new(OrderStatus::Shipped, OrderStatus::ToShip, Topic::Goods), who, &what)?;
            store::set_holds_stock(tx, order.id, true)?;
        }
        OrderStatus::PendingPayment | OrderStatus::Completed | OrderStatus::Closed => {
            return Err(Code::OrderState.into());
        }
    }
    store::void_shipment(tx, shipment.id)?;
    for (line, quantity) in &shipment.lines {
        let line = store::line(tx, *line)?;
        store::unship_line(tx, line.id, *quantity)?;
        stock::unship(tx, line.sku_id, line.id, *quantity)?;
    }
    Ok(())
}

/// Received. Errors: `OrderState`, it is not on its way.
pub fn complete(tx: &Tx, id: OrderId, who: &Who, what: &str) -> Result<()> {
    go(tx, id, Step::new(OrderStatus::Shipped, OrderStatus::Completed, Topic::Goods), who, what)
}

/// A price that staff agreed on before the payment. The order number stays; its time to pay starts anew. Errors:
/// `OrderState`, it waits for no payment.
pub fn reprice(tx: &Tx, order: &Order, new: &NewPrice, who: &Who, what: &str) -> Result<()> {
    if !store::set_price(tx, order.id, new)? {
        return Err(Code::OrderState.into());
    }
    Ok(store::note(tx, order.id, who, Topic::Money, what)?)
}

/// Money went back: the lines remember their pieces, unshipped ones return to the shelf, and what came back and is
/// good is sold again. An order with nothing left to ship moves on; answers with where to.
/// Called when a refund *succeeded*.
pub fn refund(tx: &Tx, id: OrderId, refund: &FullRefund, who: &Who) -> Result<Option<OrderStatus>> {
    store::add_refunded(tx, id, refund.refund.amount)?;
    let order = store::by_id(tx, id)?.ok_or(DbError::Broken("a refund is of an order that is not there"))?;
    let full = store::full(tx, order.clone())?;
    for part in &refund.lines {
        let line = store::line(tx, part.line_id)?;
        store::add_refunded_pieces(tx, line.id, part.quantity)?;
        // What has not left yet is given back first; only the rest can have come back.
        let unshipped = if order.holds_stock { part.quantity.min(line.left()) } else { 0 };
        give_back(tx, &line, unshipped)?;
        // Money that went back for goods that stayed brings nothing.
        if part.restock {
            for (sku, pieces) in came_with(tx, &full, refund.refund.id, part, part.quantity - unshipped)? {
                stock::put_back(tx, sku, line.id, pieces)?;
            }
        }
    }
    if order.status != OrderStatus::ToShip {
        return Ok(None);
    }
    if order.refunded == order.paid {
        // Nobody has paid for what is left.
        for line in store::lines(tx, id)? {
            give_back(tx, &line, line.left())?;
        }
    }
    let lines = store::lines(tx, id)?;
    if lines.iter().any(|line| line.left() > 0) {
        return Ok(None);
    }
    let from = OrderStatus::ToShip;
    let (step, what) = match lines.iter().any(|line| line.shipped > 0) {
        true => (Step::new(from, OrderStatus::Shipped, Topic::Money), "其余商品已退款，没有要交的了"),
        // Nothing was shipped, and nothing will be.
        false => (Step::closing(from, ClosedReason::Refunded), "商品没有交出去就退了款，订单关闭"),
    };
    let to = step.to;
    go(tx, id, step, who, what)?;
    if to == OrderStatus::Closed {
        give_coupon_back(tx, id)?;
    }
    store::set_holds_stock(tx, id, false)?;
    Ok(Some(to))
}

/// As which SKUs so many pieces came back for this refund: as its return says, else as staff say, else as what was sent
/// last, which is written down. What its buyer does not have any more came before, with an exchange.
fn came_with(tx: &Tx, full: &Full, refund: RefundId, part: &RefundLine, pieces: i64) -> Result<Goods> {
    let line = full.lines.iter().find(|line| line.id == part.line_id);
    let line = line.ok_or(DbError::Broken("a refund is of a line that its order does not have"))?;
    let case = full.return_of(refund);
    if case.is_some_and(|one| full.restocked_with(line.id, one.case.id)) {
        return Ok(Goods::new());
    }
    let said = case.map(|one| full.came_with(line.id, With::Return(one.case.id))).unwrap_or_default();
    if !said.is_empty() {
        return Ok(in_hand::cut(&said, pieces, line.sku_id));
    }
    let has = full.goods_of(line);
    let some = |n: i64| pieces.min(n);
    let mut goods = match part.came_as {
        Some(sku) => vec![(sku, some(has.iter().find(|(of, _)| *of == sku).map_or(0, |(_, n)| *n)))],
        None => full.coming_back(line, some(has.iter().map(|(_, n)| n).sum())),
    };
    goods.retain(|(_, n)| *n > 0);
    for (sku, quantity) in &goods {
        let came = CameBack { line_id: line.id, sku: *sku, quantity: *quantity, with: With::Refund(refund) };
        returns::put_came_back(tx, full.order.id, &came)?;
    }
    Ok(goods)
}

/// Unshipped pieces of a line go back to the shelf for good.
fn give_back(tx: &Tx, line: &Line, quantity: i64) -> Result<()> {
    if quantity > 0 {
        stock::release(tx, line.sku_id, line.id, quantity)?;
        store::add_released(tx, line.id, quantity)?;
    }
    Ok(())
}

/// From where to where, and what that is about.
struct Step {
    from: OrderStatus,
    to: OrderStatus,
    reason: Option<ClosedReason>,
    topic: Topic,
}

impl Step {
    fn new(from: OrderStatus, to: OrderStatus, topic: Topic) -> Step {
        Step { from, to, reason: None, topic }
    }

    fn closing(from: OrderStatus, reason: ClosedReason) -> Step {
        Step { from, to: OrderStatus::Closed, reason: Some(reason), topic: Topic::Money }
    }
}

fn go<'a>(tx: &Tx, id: OrderId, step: Step, act: impl Into<Act<'a>>, what: &str) -> Result<()> {
    let Step { from, to, reason, topic } = step;
    debug_assert!(from.leads_to(to), "{from:?} does not lead to {to:?}");
    if !store::set_status(tx, id, from, to, reason)? {
        return Err(Code::OrderState.into());
    }
    Ok(store::note_move(tx, id, act, (Some(from), to), topic, what)?)
}
