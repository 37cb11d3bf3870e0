//! Orders: what was asked for, how far it has come, and what may happen to it next.

pub mod api;
pub mod moves;
pub mod quote;
pub mod store;
pub mod view;

use serde::Serialize;

use crate::buyers::addresses::Address;
use crate::catalogue::Delivery;
use crate::ids::{BuyerId, ImageHash, LineId, OrderId, OrderNo, ProductId, ShipmentId, SkuId};
use crate::money::Fen;
use crate::words::words;

words! {
    /// The one stored status. Part-shipped and refunding are derived, for the eye only.
    pub enum OrderStatus {
        PendingPayment "pending_payment" "待付款",
        ToShip "to_ship" "待发货",
        Shipped "shipped" "待收货",
        Completed "completed" "已完成",
        Closed "closed" "已关闭",
    }
}

words! {
    pub enum ClosedReason {
        Timeout "timeout" "超时未付款",
        BuyerCancelled "buyer_cancelled" "买家取消",
        StaffCancelled "staff_cancelled" "商家取消",
        Refunded "refunded" "已全额退款",
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
    pub holds_stock: bool,
    pub created_at: i64,
    pub expires_at: i64,
    pub paid_at: Option<i64>,
    pub shipped_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub closed_at: Option<i64>,
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
}

#[derive(Clone, Debug)]
pub struct Shipment {
    pub id: ShipmentId,
    pub company: String,
    pub tracking_no: String,
    pub shipped_at: i64,
    pub lines: Vec<(LineId, i64)>,
}

/// An order with its lines and parcels.
#[derive(Clone, Debug)]
pub struct Full {
    pub order: Order,
    pub lines: Vec<Line>,
    pub shipments: Vec<Shipment>,
}

/// What a buyer may do with an order now. API, storefront and console ask this one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Actions {
    pub pay: bool,
    pub cancel: bool,
    pub confirm: bool,
    pub refund: bool,
}

impl Order {
    pub fn actions(&self, now: i64) -> Actions {
        Actions {
            pay: self.status == OrderStatus::PendingPayment && now < self.expires_at,
            cancel: self.status == OrderStatus::PendingPayment,
            confirm: self.status == OrderStatus::Shipped,
            // Buyers cannot ask for refunds in this version.
            refund: false,
        }
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
}

/// Parcel services by the code that WeChat's shipping interface uses.
pub const COMPANIES: &[(&str, &str)] = &[
    ("SF", "顺丰速运"),
    ("ZTO", "中通快递"),
    ("YTO", "圆通速递"),
    ("STO", "申通快递"),
    ("YD", "韵达速递"),
    ("JTSD", "极兔速递"),
    ("JD", "京东快递"),
    ("EMS", "EMS"),
    ("YZPY", "邮政快递包裹"),
    ("DBL", "德邦快递"),
];

pub fn company_text(code: &str) -> &str {
    COMPANIES.iter().find(|(known, _)| *known == code).map_or(code, |(_, text)| text)
}
