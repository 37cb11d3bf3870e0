//! Orders: what was asked for, how far it has come, and what may happen to it next.

pub mod api;
pub mod forget;
pub mod freight;
pub mod in_hand;
pub mod margin;
pub mod moves;
pub mod pickup;
pub mod quote;
pub mod search;
pub mod slots;
pub mod store;
pub mod view;

use serde::Serialize;
use serde_json::{Value, json};

use crate::buyers::addresses::{Address, without_phones};
use crate::catalogue::Delivery;
use crate::clock::{DAY, Day};
use crate::error::{Code, Error, Result};
use crate::ids::{
    BuyerId, ImageHash, LineId, MessageId, OrderId, OrderNo, OutTradeNo, ProductId, RefundId, ShipmentId, SkuId,
};
use crate::money::{Fen, spread};
use crate::nonce::Nonces;
use crate::parcels::Parcel;
use crate::promotions::Discount;
use crate::promotions::best::Offers;
use crate::refunds::FullRefund;
use crate::returns::{CameBack, FullReturn, Resend};
use crate::settings::hours::Slot;
use crate::stored_enum::stored_enum;
use freight::Part;
use pickup::{Pickup, PickupCode};

stored_enum! {
    /// The one stored status. Part-shipped and refunding are derived, for the eye only.
    pub enum OrderStatus {
        PendingPayment "pending_payment" "待付款",
        ToShip "to_ship" "待发货",
        Shipped "shipped" "待收货",
        Completed "completed" "已完成",
        Closed "closed" "已关闭",
    }
}

impl OrderStatus {
    /// Which statuses may follow. An order that is to be shipped is closed when all of its money went back.
    pub fn leads_to(self, next: OrderStatus) -> bool {
        use OrderStatus::*;
        match self {
            PendingPayment => matches!(next, ToShip | Closed),
            ToShip => matches!(next, Shipped | Closed),
            // A parcel that did not leave after all is taken back.
            Shipped => matches!(next, Completed | ToShip),
            // Money that came late takes it up again.
            Closed => matches!(next, ToShip),
            Completed => false,
        }
    }
}

stored_enum! {
    pub enum ClosedReason {
        Timeout "timeout" "超时未付款",
        BuyerCancelled "buyer_cancelled" "买家取消",
        StaffCancelled "staff_cancelled" "商家取消",
        Refunded "refunded" "已退款",
    }
}

stored_enum! {
    /// A mark that staff put on an order; what a colour means is theirs to say.
    pub enum Flag {
        Red "red" "红旗",
        Amber "amber" "黄旗",
        Blue "blue" "蓝旗",
        Green "green" "绿旗",
    }
}

/// One SKU of a quote, at the price of the moment.
#[derive(Clone, Debug)]
pub struct QuoteLine {
    pub product_id: ProductId,
    pub sku_id: SkuId,
    pub name: String,
    pub spec_text: String,
    pub image: Option<ImageHash>,
    pub price: Fen,
    pub quantity: i64,
    pub amount: Fen,
    /// What promotions take off it.
    pub off: Fen,
    pub available: i64,
    /// How many one order, and one buyer over all orders, may have.
    pub limit: Option<i64>,
    pub limit_per_buyer: Option<i64>,
}

/// Prices of one moment, and every reason why an order would be refused now.
#[derive(Clone, Debug)]
pub struct Quote {
    pub lines: Vec<QuoteLine>,
    pub goods: Fen,
    pub freight: Fen,
    /// What freight came to before anything was off, rule by rule.
    pub freights: Vec<Part>,
    /// What can be booked, each with whether it is full; and what was chosen of it.
    pub slots: Vec<(Slot, bool)>,
    pub slot: Option<Slot>,
    pub discount: Fen,
    pub total: Fen,
    pub delivery: Delivery,
    pub address: Option<Address>,
    /// Of whoever comes to fetch it, where that is known.
    pub phone: String,
    /// Why it is cheaper.
    pub discounts: Vec<Discount>,
    /// What else could make it cheaper.
    pub offers: Offers,
    pub problems: Vec<Error>,
}

/// What a new order is known by, drawn before its transaction begins.
#[derive(Clone, Debug)]
pub struct Numbers {
    pub order_no: OrderNo,
    /// Where its code for fetching is looked for.
    pub pickup: i64,
}

impl Numbers {
    pub fn draw(now: i64, nonces: &Nonces) -> Numbers {
        let order_no = OrderNo::new(&Day::of(now).to_string(), &nonces.base32());
        Numbers { order_no, pickup: nonces.below(pickup::CODES) }
    }
}

#[derive(Clone, Debug)]
pub struct Order {
    pub id: OrderId,
    pub order_no: OrderNo,
    pub buyer_id: BuyerId,
    pub status: OrderStatus,
    pub closed_reason: Option<ClosedReason>,
    pub goods: Fen,
    pub freight: Fen,
    pub discount: Fen,
    pub total: Fen,
    pub paid: Fen,
    pub refunded: Fen,
    pub delivery: Delivery,
    pub address: Option<Address>,
    pub remark: String,
    pub memo: String,
    pub flag: Option<Flag>,
    /// When it is brought or fetched, where the buyer chose that.
    pub slot: Option<Slot>,
    /// How often a slip of it was printed.
    pub prints: i64,
    pub holds_stock: bool,
    pub created_at: i64,
    pub expires_at: i64,
    pub paid_at: Option<i64>,
    pub shipped_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub closed_at: Option<i64>,
    /// When its buyer took it off his own list.
    pub hidden_at: Option<i64>,
}

/// What staff may do with an order as it stands; who may do it is said by the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Options {
    /// Agree on another price.
    pub price: bool,
    /// Write down that the money came outside WeChat.
    pub pay_offline: bool,
    pub cancel: bool,
    pub ship: bool,
    /// Change where it goes.
    pub readdress: bool,
    /// Ask WeChat whether it was paid, if anybody tried to.
    pub query: bool,
}

impl Order {
    /// What somebody wrote of it, without what it repeats of its address.
    pub fn masked_in(&self, text: &str) -> String {
        self.address.as_ref().map_or_else(|| without_phones(text), |address| address.masked_in(text))
    }

    pub fn costs_nothing(&self) -> bool {
        self.total == Fen::ZERO
    }

    /// What was paid and has not gone back.
    pub fn net(&self) -> Fen {
        self.paid.minus(self.refunded).unwrap_or_default()
    }

    /// `已发货：顺丰速运 SF…` with what stands before the parcel, or `已交货` where somebody came for it: nothing carries that.
    pub fn leaves(&self, how: &str, by: char, parcel: &Parcel) -> String {
        match self.delivery {
            Delivery::Pickup => format!("{how}交货"),
            Delivery::Express | Delivery::Local | Delivery::None => format!("{how}发货{by}{}", parcel.text()),
        }
    }

    /// Pages and actions ask this one function. One that cost nothing may be dropped besides: see `Full`.
    pub fn options(&self) -> Options {
        let unpaid = self.status == OrderStatus::PendingPayment;
        let to_ship = self.status == OrderStatus::ToShip;
        Options {
            price: unpaid,
            pay_offline: unpaid,
            cancel: unpaid,
            ship: to_ship,
            readdress: (unpaid || to_ship) && self.address.is_some(),
            // Of one that waits to be sent: whether something went back.
            query: unpaid || to_ship || self.status == OrderStatus::Closed,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Line {
    pub id: LineId,
    pub product_id: ProductId,
    pub sku_id: SkuId,
    pub name: String,
    pub spec_text: String,
    pub image: Option<ImageHash>,
    pub price: Fen,
    pub quantity: i64,
    pub shipped: i64,
    pub refunded: i64,
    /// Given back to the shelf by a refund before they were shipped.
    pub released: i64,
    /// What promotions took off it.
    pub discount: Fen,
}

impl Line {
    /// Pieces that are still to be shipped.
    pub fn left(&self) -> i64 {
        self.quantity - self.shipped - self.released
    }

    pub fn amount(&self) -> Fen {
        self.price.times(self.quantity).unwrap_or_default()
    }

    /// `草莓蛋糕 6 寸 ×2`: all that was bought.
    pub fn text(&self) -> String {
        self.text_of(self.quantity)
    }

    /// The same of so many pieces.
    pub fn text_of(&self, pieces: i64) -> String {
        format!("{} {} ×{pieces}", self.name, self.spec_text).replace("  ", " ")
    }
}

#[derive(Clone, Debug)]
pub struct Shipment {
    pub id: ShipmentId,
    pub parcel: Parcel,
    pub shipped_at: i64,
    pub lines: Vec<(LineId, i64)>,
}

/// An order with its lines, its parcels, and what was asked for afterwards.
#[derive(Clone, Debug)]
pub struct Full {
    pub order: Order,
    pub lines: Vec<Line>,
    pub shipments: Vec<Shipment>,
    pub refunds: Vec<FullRefund>,
    pub returns: Vec<FullReturn>,
    pub resends: Vec<Resend>,
    /// What came back, and as which SKU.
    pub came_back: Vec<CameBack>,
    /// Why it is cheaper, as it was placed.
    pub discounts: Vec<Discount>,
    /// `None` for an order that nobody ever tried to pay there.
    pub at_wechat: Option<AtWechat>,
    /// Of one whose goods somebody comes to fetch.
    pub pickup: Option<Pickup>,
}

/// The numbers by which WeChat knows an order.
#[derive(Clone, Debug)]
pub struct AtWechat {
    pub out_trade_no: OutTradeNo,
    /// Once it is paid.
    pub transaction_id: Option<String>,
}

/// What a buyer may do with an order now. API, storefront and console ask this one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Actions {
    pub pay: bool,
    pub cancel: bool,
    pub confirm: bool,
    pub refund: bool,
    /// Send goods back, for their money or for others; said beside these, which programs know as four.
    #[serde(skip)]
    pub send_back: bool,
}

stored_enum! {
    /// What stands beside the status on every screen.
    pub enum Chip {
        Refunding "refunding" "退款中",
        Returning "returning" "退换中",
        PartlyRefunded "partly_refunded" "部分退款",
        FullyRefunded "fully_refunded" "全额退款",
        MoneyException "money_exception" "资金异常",
        /// Nothing was paid for it, and WeChat was not asked.
        ZeroYuan "zero_yuan" "零元订单",
    }
}

impl Chip {
    pub fn json(self) -> Value {
        json!({ "word": self, "text": self.text() })
    }
}

/// Goods that nobody has confirmed count as received this long after they left.
pub const RECEIVED_AFTER: i64 = 10 * DAY;

/// WeChat takes refunds for a year after the payment.
pub const REFUNDABLE_FOR: i64 = 365 * DAY;

impl Full {
    /// What has become of its goods and money so far, for a page that offers something of them.
    pub fn mark(&self) -> String {
        // A parcel that was taken back and sent anew, or got another number, is not the one that was looked at.
        let sent = self.shipments.iter().map(|one| (one.id.0, &one.parcel));
        let parcels = sent.chain(self.resends.iter().map(|one| (one.id.0, &one.parcel)));
        let parcels: Vec<_> =
            parcels.map(|(id, parcel)| format!("{id}:{}{}", parcel.company, parcel.tracking_no)).collect();
        let closed = self.returns.iter().filter(|one| !one.case.state.is_open()).count();
        let taking = self.refunds.iter().map(|one| &one.refund).filter(|refund| refund.state.takes_money());
        let taking: Vec<_> = taking.map(|refund| refund.id.to_string()).collect();
        let (refunds, resends, returns) = (self.refunds.len(), self.resends.len(), self.returns.len());
        let (parcels, taking) = (parcels.join("."), taking.join("."));
        format!("{refunds}-{resends}-{parcels}-{returns}-{closed}-{}-{taking}", self.came_back.len())
    }

    /// What somebody does is done to what his page showed. Errors: in words, with what to do `next`.
    pub fn must_stand(&self, seen: Option<&str>, next: &str) -> Result<()> {
        if seen.is_none_or(|seen| seen == self.mark()) {
            return Ok(());
        }
        let words = format!("打开这一页之后，这笔订单又有了退款、发货、退换或补发，或改了单号，{next}");
        Err(Error::from(Code::OrderState).says(words))
    }

    /// `refund_window` is how long after receipt a refund may be asked for.
    pub fn actions(&self, refund_window: i64, now: i64) -> Actions {
        let order = &self.order;
        let unpaid = order.status == OrderStatus::PendingPayment;
        Actions {
            pay: unpaid && now < order.expires_at,
            cancel: unpaid || self.may_be_dropped(),
            confirm: order.status == OrderStatus::Shipped,
            refund: self.refund_is_due(refund_window, now) && self.asks_nothing() && self.refundable() > Fen::ZERO,
            send_back: self.refund_is_due(refund_window, now) && self.asks_nothing() && !self.returnable().is_empty(),
        }
    }

    /// Neither a refund nor a return is under way: the next is asked for when the last has ended.
    pub fn asks_nothing(&self) -> bool {
        !self.is_refunding() && !self.is_returning()
    }

    /// Goods of this order are on their way back, or are to be.
    pub fn is_returning(&self) -> bool {
        self.returns.iter().any(|full| full.case.state.is_open())
    }

    /// The return that ended in this refund: the shop has its goods, or did not want them back.
    pub fn return_of(&self, refund: RefundId) -> Option<&FullReturn> {
        self.returns.iter().find(|full| full.case.refund == Some(refund))
    }

    /// Pieces of each line that may be sent back. While some of a line have still to leave, a refund of it is of those.
    pub fn returnable(&self) -> Vec<(&Line, i64)> {
        let waits = self.order.status == OrderStatus::ToShip;
        self.in_hand().into_iter().filter(|(line, _)| !waits || line.left() == 0).collect()
    }

    /// Pieces of each line that its buyer has: they left and did not come back, and no money went back for them.
    pub fn in_hand(&self) -> Vec<(&Line, i64)> {
        let has = |line: &Line| self.goods_of(line).iter().map(|(_, n)| n).sum();
        let held = self.paid_for().into_iter().map(|(line, n)| (line, n.min(has(line))));
        held.filter(|(_, n)| *n > 0).collect()
    }

    /// Pieces of each line that left and for which no money went back, wherever they are by now.
    pub fn paid_for(&self) -> Vec<(&Line, i64)> {
        let taking = || self.refunds.iter().filter(|r| r.refund.inside && r.refund.state.takes_money());
        let held = |line: &Line| {
            let parts = taking().flat_map(|r| &r.lines).filter(|part| part.line_id == line.id);
            let refunded: i64 = parts.map(|part| part.quantity).sum();
            (line.shipped + line.released - refunded).clamp(0, line.shipped)
        };
        let goods = self.lines.iter().filter(|_| self.order.delivery != Delivery::None);
        goods.map(|line| (line, held(line))).filter(|(_, n)| *n > 0).collect()
    }

    /// Nothing was paid for it and nothing has left: there is no money to give back, so it is simply cancelled.
    pub fn may_be_dropped(&self) -> bool {
        let left = self.lines.iter().any(|line| line.shipped > 0);
        self.order.status == OrderStatus::ToShip && self.order.costs_nothing() && !left
    }

    /// The order stands where its buyer may still ask for money back.
    pub fn refund_is_due(&self, refund_window: i64, now: i64) -> bool {
        let order = &self.order;
        let young = order.paid_at.is_some_and(|at| now - at < REFUNDABLE_FOR);
        match order.status {
            OrderStatus::ToShip | OrderStatus::Shipped => young,
            OrderStatus::Completed => young && order.completed_at.is_some_and(|at| now - at < refund_window),
            OrderStatus::PendingPayment | OrderStatus::Closed => false,
        }
    }

    /// Its buyer may take it off his own list: nothing about it is to come.
    pub fn may_be_hidden(&self) -> bool {
        matches!(self.order.status, OrderStatus::Completed | OrderStatus::Closed) && self.asks_nothing()
    }

    /// It is off its buyer's list. One that something happens to once more is on it again.
    pub fn is_hidden(&self) -> bool {
        self.order.hidden_at.is_some() && self.may_be_hidden()
    }

    /// A refund of this order has not come to its end.
    pub fn is_refunding(&self) -> bool {
        self.refunds.iter().any(|r| r.refund.state.is_open())
    }

    /// Every parcel that left for its buyer, what was sent once more too.
    pub fn parcels(&self) -> impl Iterator<Item = &Parcel> {
        self.shipments.iter().map(|sent| &sent.parcel).chain(self.resends.iter().map(|sent| &sent.parcel))
    }

    /// What is to be put into a parcel of the order's now, and how much of it: paper, form, desk and the packer's tables ask
    /// here. What goes out for an exchange is in `to_exchange`.
    pub fn to_pack(&self) -> Vec<(&Line, i64)> {
        let waits = self.order.status == OrderStatus::ToShip;
        self.lines.iter().filter(|_| waits).map(|line| (line, line.left())).filter(|(_, left)| *left > 0).collect()
    }

    /// Why nothing is to be packed, in words for whoever holds the paper; `None` while something is.
    pub fn why_nothing_to_pack(&self) -> Option<&'static str> {
        if !self.to_pack().is_empty() || !self.to_exchange().is_empty() {
            return None;
        }
        Some(match self.order.status {
            OrderStatus::PendingPayment => "还没有付款，不要发货",
            OrderStatus::Closed => "订单已关闭，不要发货",
            OrderStatus::ToShip => "商品都已退款，不要发货",
            _ if self.pickup.is_some() => "已经取走，没有要再交的商品",
            OrderStatus::Shipped | OrderStatus::Completed => "已经发货，没有要再发的商品",
        })
    }

    /// What a buyer may show at the desk: the code of goods that are paid and still wait there.
    pub fn code_to_show(&self) -> Option<&PickupCode> {
        self.pickup.as_ref().filter(|_| !self.to_pack().is_empty()).map(|pickup| &pickup.code)
    }

    /// What is left of the order's money once every refund that takes some has taken it.
    pub fn refundable(&self) -> Fen {
        let taken = self.refunds.iter().filter(|r| r.refund.inside && r.refund.state.takes_money());
        let taken = taken.fold(Fen::ZERO, |sum, r| sum.plus(r.refund.amount).unwrap_or(sum));
        self.order.paid.minus(taken).unwrap_or_default()
    }

    /// The status as people read it.
    pub fn status_text(&self) -> &'static str {
        let part = self.order.status == OrderStatus::ToShip && self.lines.iter().any(|line| line.shipped > 0);
        match (&self.pickup, self.order.status) {
            (Some(_), OrderStatus::ToShip) if part => "部分取货",
            (Some(pickup), OrderStatus::ToShip) if pickup.ready_at.is_some() => "待取货",
            (Some(_), OrderStatus::ToShip) => "待备货",
            (Some(_), OrderStatus::Shipped) => "已取货",
            _ if part => "部分发货",
            (_, status) => status.text(),
        }
    }

    /// What stands beside it. `flagged`: money about this order waits in the inbox, which is none of the buyer's.
    pub fn chips(&self, flagged: bool) -> Vec<Chip> {
        let order = &self.order;
        let refunded = match order.refunded {
            Fen::ZERO => None,
            refunded if refunded == order.paid => Some(Chip::FullyRefunded),
            _ => Some(Chip::PartlyRefunded),
        };
        let refunding = self.is_refunding().then_some(Chip::Refunding);
        let returning = self.is_returning().then_some(Chip::Returning);
        let free = order.costs_nothing().then_some(Chip::ZeroYuan);
        free.into_iter()
            .chain(returning)
            .chain(refunding)
            .chain(refunded)
            .chain(flagged.then_some(Chip::MoneyException))
            .collect()
    }

    /// What staff agreed on besides the promotions, in fen: below zero where they asked for more than those had left. What
    /// promotions took off the freight is none of it: the freight stands without that.
    pub fn agreed_fen(&self) -> i64 {
        let promoted = self.discounts.iter().map(|one| one.goods.get()).sum::<i64>();
        self.order.discount.get() - promoted
    }

    /// What promotions took off the freight, which stands there without it. A receipt that names them shows the whole
    /// freight, and this among what is off: so its rows sum.
    fn freight_off(&self) -> Fen {
        self.discounts.iter().fold(Fen::ZERO, |sum, discount| sum.plus(discount.freight).unwrap_or(sum))
    }

    /// Freight or discount of the order as such a receipt shows it.
    pub fn on_receipt(&self, fen: Fen) -> Fen {
        fen.plus(self.freight_off()).unwrap_or(fen)
    }

    /// What was really paid for each line: its price less its part of the discount, so that the lines sum exactly.
    pub fn paid_by_line(&self) -> Vec<Fen> {
        let amounts: Vec<Fen> = self.lines.iter().map(Line::amount).collect();
        let promoted: Vec<Fen> = self.lines.iter().map(|line| line.discount).collect();
        paid_for(&amounts, &promoted, self.order.discount)
    }
}

/// What was paid for lines of these amounts. What promotions took off stands with the line; what staff agreed on besides
/// is spread over what is left.
fn paid_for(amounts: &[Fen], promoted: &[Fen], discount: Fen) -> Vec<Fen> {
    let sum = |amounts: &[Fen]| amounts.iter().fold(Fen::ZERO, |sum, fen| sum.plus(*fen).unwrap_or(sum));
    let less = |amounts: &[Fen], off: &[Fen]| -> Vec<Fen> {
        amounts.iter().zip(off).map(|(amount, off)| amount.minus(*off).unwrap_or_default()).collect()
    };
    match discount.minus(sum(promoted)) {
        Some(agreed) => {
            let left = less(amounts, promoted);
            less(&left, &spread(&left, agreed))
        }
        // Staff asked for more than the promotions would have left.
        None => less(amounts, &spread(promoted, discount)),
    }
}

/// Who moves an order, for its timeline.
#[derive(Clone, Debug)]
pub struct Who {
    pub actor: &'static str,
    pub name: String,
}

impl Who {
    pub fn buyer() -> Who {
        Who { actor: "buyer", name: String::new() }
    }

    pub fn system() -> Who {
        Who { actor: "system", name: String::new() }
    }

    pub fn wechat() -> Who {
        Who { actor: "wechat", name: String::new() }
    }

    pub fn staff(name: &str) -> Who {
        Who { actor: "staff", name: name.to_owned() }
    }

    /// What this one does, told by a message.
    pub fn told_by(&self, message: impl Into<Option<MessageId>>) -> Act<'_> {
        Act { who: self, message: message.into() }
    }
}

/// Who moves an order, and which message of WeChat's told of it. When it was, the transaction knows.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    pub who: &'a Who,
    pub message: Option<MessageId>,
}

impl<'a> From<&'a Who> for Act<'a> {
    fn from(who: &'a Who) -> Act<'a> {
        Act { who, message: None }
    }
}

stored_enum! {
    /// What an event of the timeline is about.
    pub enum Topic {
        Money "money" "资金",
        Goods "goods" "物流",
        /// The order itself: what staff write on it.
        Order "order" "订单",
    }
}

#[cfg(test)]
mod tests {
    use super::OrderStatus::*;
    use super::*;

    /// Every move there is; anything else is none.
    #[test]
    fn an_order_moves_along_these_lines_and_no_others() {
        let moves = [
            (PendingPayment, ToShip, "paid, or it costs nothing"),
            (PendingPayment, Closed, "cancelled by buyer or staff, or its time to pay is over"),
            (ToShip, Shipped, "its last pieces are shipped, or what was left is given back"),
            (
                ToShip,
                Closed,
                "all of its money went back before anything was shipped, or it cost nothing and is dropped",
            ),
            (Shipped, ToShip, "a parcel is taken back within half an hour"),
            (Shipped, Completed, "received: the buyer, WeChat or ten days say so"),
            (Closed, ToShip, "paid late, or by money that staff linked to it; all lines could be held again"),
        ];
        for from in OrderStatus::ALL {
            for to in OrderStatus::ALL {
                let known = moves.iter().find(|(a, b, _)| (a, b) == (from, to));
                assert_eq!(from.leads_to(*to), known.is_some(), "{from:?} → {to:?}: {known:?}");
            }
        }
    }
}
