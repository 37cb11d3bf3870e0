//! An order as the mini-program sees it.

use serde::Serialize;
use serde_json::Value;

use super::pickup::picture::picture;
use super::pickup::{Pickup, PickupCode};
use super::quote::DiscountView;
use super::{Actions, Chip, Full, OrderStatus};
use crate::buyers::addresses::Address;
use crate::catalogue::Delivery;
use crate::catalogue::media::Widths;
use crate::clock::rfc3339;
use crate::ids::{ImageHash, LineId, OrderNo, OutRefundNo, OutTradeNo, ProductId, RefundId, ShipmentId, SkuId};
use crate::money::Fen;
use crate::photos::PhotoView;
use crate::refunds::{FullRefund, RefundLine, RefundState};
use crate::returns::view::{ResendView, ReturnView};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    order_no: OrderNo,
    out_trade_no: Option<OutTradeNo>,
    transaction_id: Option<String>,
    status: OrderStatus,
    status_text: &'static str,
    chips: Vec<Value>,
    created_at: String,
    expires_at: String,
    paid_at: Option<String>,
    shipped_at: Option<String>,
    completed_at: Option<String>,
    closed_at: Option<String>,
    closed_reason: Option<&'static str>,
    closed_reason_text: Option<&'static str>,
    goods_fen: Fen,
    freight_fen: Fen,
    discount_fen: Fen,
    total_fen: Fen,
    paid_fen: Fen,
    refunded_fen: Fen,
    /// Why it was cheaper when it was placed.
    discounts: Vec<DiscountView>,
    /// What the merchant agreed on besides: with them it makes `discount_fen`.
    agreed_fen: i64,
    remark: String,
    address: Option<Address>,
    delivery: Delivery,
    delivery_text: &'static str,
    /// When it is brought or fetched, where the buyer chose that: `10-08 周四 14:00–15:00`.
    slot_text: Option<String>,
    slot_starts_at: Option<String>,
    slot_ends_at: Option<String>,
    /// Of goods that the buyer fetches.
    pickup: Option<PickupView>,
    lines: Vec<LineView>,
    shipments: Vec<ShipmentView>,
    refunds: Vec<RefundView>,
    returns: Vec<ReturnView>,
    /// Parcels that were sent once more, for what came back or for what was lost.
    resends: Vec<ResendView>,
    actions: Actions,
    /// Goods of it may be sent back, for their money or for others.
    returnable: bool,
    /// Off this buyer's list, and whether it may be taken off it.
    hidden: bool,
    hideable: bool,
    server_time: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PickupView {
    phone: String,
    /// Once it is paid, until it was fetched.
    code: Option<String>,
    /// The same as a picture to be scanned, where the order stands by itself.
    qr_url: Option<String>,
    /// The shop has everything ready since.
    ready_at: Option<String>,
    fetched_at: Option<String>,
}

impl PickupView {
    fn new(full: &Full, pickup: &Pickup) -> PickupView {
        let code = full.code_to_show();
        PickupView {
            phone: pickup.phone.clone(),
            code: code.map(PickupCode::to_string),
            qr_url: None,
            ready_at: pickup.ready_at.map(rfc3339),
            fetched_at: full.order.shipped_at.map(rfc3339),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView {
    id: LineId,
    product_id: ProductId,
    sku_id: SkuId,
    name: String,
    spec_text: String,
    image_url: Option<String>,
    image: Option<Widths>,
    price_fen: Fen,
    quantity: i64,
    shipped_quantity: i64,
    refunded_quantity: i64,
    discount_fen: Fen,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShipmentView {
    id: ShipmentId,
    company: String,
    company_text: String,
    tracking_no: String,
    shipped_at: String,
    lines: Vec<ShipmentLineView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShipmentLineView {
    line_id: LineId,
    quantity: i64,
}

/// A refund as the mini-program sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundView {
    id: RefundId,
    refund_no: OutRefundNo,
    state: RefundState,
    state_text: &'static str,
    amount_fen: Fen,
    freight_fen: Fen,
    reason: String,
    description: String,
    /// Why the shop refused, if it did.
    answer: String,
    lines: Vec<RefundLineView>,
    photos: Vec<PhotoView>,
    created_at: String,
    ended_at: Option<String>,
    /// The buyer may still take it back.
    cancellable: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundLineView {
    line_id: LineId,
    quantity: i64,
    amount_fen: Fen,
}

impl From<&RefundLine> for RefundLineView {
    fn from(line: &RefundLine) -> RefundLineView {
        RefundLineView { line_id: line.line_id, quantity: line.quantity, amount_fen: line.amount }
    }
}

impl From<&FullRefund> for RefundView {
    fn from(FullRefund { refund, lines, photos }: &FullRefund) -> RefundView {
        RefundView {
            id: refund.id,
            refund_no: refund.out_refund_no.clone(),
            state: refund.state,
            state_text: refund.state.buyer_text(),
            amount_fen: refund.amount,
            freight_fen: refund.freight,
            reason: refund.reason.clone(),
            description: refund.description.clone(),
            answer: refund.answer.clone(),
            lines: lines.iter().map(RefundLineView::from).collect(),
            photos: photos.iter().map(PhotoView::from).collect(),
            created_at: rfc3339(refund.created_at),
            ended_at: refund.ended_at.map(rfc3339),
            cancellable: refund.state == RefundState::Requested,
        }
    }
}

/// A refund of an order; one whose goods the shop has received already is not its buyer's to take back.
fn refund_view(full: &Full, one: &FullRefund) -> RefundView {
    let view = RefundView::from(one);
    RefundView { cancellable: view.cancellable && full.return_of(one.refund.id).is_none(), ..view }
}

impl OrderView {
    /// An order by itself, with its code drawn. `refund_window` is how long after receipt a refund may be asked for.
    pub fn new(full: &Full, refund_window: i64, now: i64) -> OrderView {
        let mut view = OrderView::listed(full, refund_window, now);
        if let Some(pickup) = &mut view.pickup {
            pickup.qr_url = full.code_to_show().and_then(picture);
        }
        view
    }

    /// One of many: a list shows no code, so none is drawn.
    pub fn listed(full: &Full, refund_window: i64, now: i64) -> OrderView {
        let Full { order, lines, shipments, refunds, returns, resends, discounts, at_wechat, pickup, .. } = full;
        let actions = full.actions(refund_window, now);
        OrderView {
            order_no: order.order_no.clone(),
            out_trade_no: at_wechat.as_ref().map(|known| known.out_trade_no.clone()),
            transaction_id: at_wechat.as_ref().and_then(|known| known.transaction_id.clone()),
            status: order.status,
            status_text: full.status_text(),
            chips: full.chips(false).into_iter().map(Chip::json).collect(),
            created_at: rfc3339(order.created_at),
            expires_at: rfc3339(order.expires_at),
            paid_at: order.paid_at.map(rfc3339),
            shipped_at: order.shipped_at.map(rfc3339),
            completed_at: order.completed_at.map(rfc3339),
            closed_at: order.closed_at.map(rfc3339),
            closed_reason: order.closed_reason.map(|r| r.word()),
            closed_reason_text: order.closed_reason.map(|r| r.text()),
            goods_fen: order.goods,
            freight_fen: order.freight,
            discount_fen: order.discount,
            total_fen: order.total,
            paid_fen: order.paid,
            refunded_fen: order.refunded,
            discounts: discounts.iter().map(DiscountView::from).collect(),
            agreed_fen: full.agreed_fen(),
            remark: order.remark.clone(),
            address: order.address.clone(),
            delivery: order.delivery,
            delivery_text: order.delivery.text(),
            slot_text: order.slot.map(|slot| slot.text()),
            slot_starts_at: order.slot.map(|slot| rfc3339(slot.start)),
            slot_ends_at: order.slot.map(|slot| rfc3339(slot.end)),
            pickup: pickup.as_ref().map(|pickup| PickupView::new(full, pickup)),
            lines: lines
                .iter()
                .map(|line| LineView {
                    id: line.id,
                    product_id: line.product_id,
                    sku_id: line.sku_id,
                    name: line.name.clone(),
                    spec_text: line.spec_text.clone(),
                    image_url: line.image.as_ref().map(ImageHash::url),
                    image: line.image.as_ref().map(Widths::from),
                    price_fen: line.price,
                    quantity: line.quantity,
                    shipped_quantity: line.shipped,
                    refunded_quantity: line.refunded,
                    discount_fen: line.discount,
                })
                .collect(),
            shipments: shipments
                .iter()
                .map(|s| ShipmentView {
                    id: s.id,
                    company: s.parcel.company.clone(),
                    company_text: s.parcel.company_text().to_owned(),
                    tracking_no: s.parcel.tracking_no.clone(),
                    shipped_at: rfc3339(s.shipped_at),
                    lines: s
                        .lines
                        .iter()
                        .map(|(line_id, quantity)| ShipmentLineView { line_id: *line_id, quantity: *quantity })
                        .collect(),
                })
                .collect(),
            refunds: refunds.iter().map(|one| refund_view(full, one)).collect(),
            returns: returns.iter().map(|case| ReturnView::new(case, resends)).collect(),
            resends: resends.iter().map(ResendView::from).collect(),
            returnable: actions.send_back,
            actions,
            hidden: full.is_hidden(),
            hideable: full.may_be_hidden(),
            server_time: rfc3339(now),
        }
    }
}
