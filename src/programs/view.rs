//! An order as other programs see it; whom it goes to in full only by a right of its own.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::catalogue::store as catalogue;
use crate::clock::rfc3339;
use crate::error::Result;
use crate::orders::Full;

pub fn shown(conn: &Connection, full: &Full, whole: bool) -> Result<Value> {
    let Full { order, lines, shipments, .. } = full;
    let receiver = order.address.as_ref().map(|a| match whole {
        true => json!({
            "masked": false, "name": a.receiver, "phone": a.phone, "province": a.province, "city": a.city,
            "district": a.district, "detail": a.detail,
        }),
        false => json!({
            "masked": true, "name": a.masked_receiver(), "phone": a.masked_phone(), "province": a.province,
            "city": a.city, "district": a.district, "detail": null,
        }),
    });
    let mut goods = Vec::new();
    for line in lines {
        goods.push(json!({
            "id": line.id, "productId": line.product_id, "skuId": line.sku_id, "name": line.name,
            "specText": line.spec_text, "skuCode": catalogue::sku_code(conn, line.sku_id)?, "priceFen": line.price,
            "quantity": line.quantity, "shippedQuantity": line.shipped, "refundedQuantity": line.refunded,
            "leftQuantity": line.left(),
        }));
    }
    Ok(json!({
        "orderNo": order.order_no, "status": order.status, "statusText": full.status_text(),
        "createdAt": rfc3339(order.created_at), "paidAt": order.paid_at.map(rfc3339),
        "shippedAt": order.shipped_at.map(rfc3339), "completedAt": order.completed_at.map(rfc3339),
        "closedAt": order.closed_at.map(rfc3339), "goodsFen": order.goods, "freightFen": order.freight,
        "discountFen": order.discount, "totalFen": order.total, "paidFen": order.paid, "refundedFen": order.refunded,
        "refunding": full.is_refunding(), "remark": order.remark, "memo": order.memo, "delivery": order.delivery,
        "deliveryText": order.delivery.text(), "receiver": receiver, "lines": goods,
        "shipments": shipments.iter().map(|s| json!({
            "id": s.id, "company": s.parcel.company, "companyText": s.parcel.company_text(),
            "trackingNo": s.parcel.tracking_no, "shippedAt": rfc3339(s.shipped_at),
        })).collect::<Vec<_>>(),
    }))
}
