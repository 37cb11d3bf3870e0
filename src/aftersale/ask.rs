//! A buyer asks to send goods back: which, why, and what for.

use super::back::worth;
use super::due;
use crate::catalogue::store as catalogue;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{BuyerId, LineId, PhotoId, ReturnId, SkuId};
use crate::jobs::{self, Task};
use crate::money::Fen;
use crate::orders::{Full, Topic, Who, store as orders};
use crate::outbox::{Topic as News, collect};
use crate::photos::{self, With};
use crate::returns::store::{self, NewReturn};
use crate::returns::{Kind, ReturnLine, ReturnState};
use crate::settings::Settings;

/// What somebody wants.
#[derive(Clone, Debug)]
pub struct ReturnRequest {
    pub kind: Kind,
    /// So many pieces of these lines, each with what is wanted instead of it.
    pub lines: Vec<(LineId, i64, Option<SkuId>)>,
    pub reason: String,
    pub description: String,
    pub photos: Vec<PhotoId>,
}

/// What may be sent back for what: money only where some is left.
pub fn kinds(full: &Full) -> Vec<Kind> {
    let paid = full.refundable() > Fen::ZERO;
    Kind::ALL.iter().copied().filter(|kind| paid || *kind == Kind::Exchange).collect()
}

/// Writes the wish down. The caller has seen that this order's goods may be sent back now.
pub fn ask(tx: &Tx, full: &Full, wish: &ReturnRequest, buyer: BuyerId, settings: &Settings) -> Result<ReturnId> {
    let lines = checked(tx, full, wish)?;
    let due_at = due(tx, ReturnState::Requested, settings).unwrap_or(tx.now());
    let (order_id, kind, who) = (full.order.id, wish.kind, Who::buyer());
    let new = NewReturn { order_id, kind, reason: &wish.reason, description: &wish.description, due_at };
    let id = store::insert(tx, &new, &lines)?;
    photos::send_with(tx, buyer, &wish.photos, With::Return(id))?;
    store::put_step(tx, id, who.actor, ReturnState::Requested, "")?;
    let pieces: i64 = lines.iter().map(|line| line.quantity).sum();
    orders::note(tx, order_id, &who, Topic::Goods, &format!("申请{}，{pieces} 件", kind.text()))?;
    jobs::enqueue(tx, Task::Return(id), due_at)?;
    let what = format!("{} {} {pieces} 件", kind.text(), full.order.order_no);
    collect::put_news(tx, settings, News::ReturnAsked, &what)?;
    Ok(id)
}

fn checked(tx: &Tx, full: &Full, wish: &ReturnRequest) -> Result<Vec<ReturnLine>> {
    if !kinds(full).contains(&wish.kind) {
        return Err(Error::field("kind", "这笔订单没有可退的钱了，可以申请换货"));
    }
    let returnable = full.returnable();
    let mut lines: Vec<ReturnLine> = Vec::new();
    for (i, (id, quantity, sku)) in wish.lines.iter().enumerate() {
        let at = |field: &str| format!("lines[{i}].{field}");
        let line = full.lines.iter().find(|line| line.id == *id);
        let line = line.ok_or_else(|| Error::from(Code::NotFound).says("订单里没有这一行商品"))?;
        if lines.iter().any(|known| known.line_id == *id) {
            return Err(Error::field(at("lineId"), "同一行商品只能写一次"));
        }
        let most = returnable.iter().find(|(held, _)| held.id == *id).map_or(0, |(_, n)| *n);
        if !(1..=most).contains(quantity) {
            let words = format!("「{}」最多能退换 {most} 件", line.name);
            let mut error = Error::from(Code::RefundLimit).says(words.clone());
            error.fields.insert(at("quantity"), words.into());
            return Err(error);
        }
        if let Some(sku) = sku {
            let other = catalogue::for_sale(tx, *sku)?.filter(|other| other.sku.product_id == line.product_id);
            if wish.kind != Kind::Exchange || other.is_none_or(|other| !other.sku.enabled) {
                return Err(Error::field(at("skuId"), "只能换同一商品的其他规格"));
            }
        }
        lines.push(ReturnLine { line_id: *id, quantity: *quantity, sku: *sku, restocked: false });
    }
    if wish.kind == Kind::Return && worth(full, ReturnState::Requested, &lines)?.1 == Fen::ZERO {
        return Err(Error::field("kind", "这几件没有可退的钱，可以申请换货"));
    }
    Ok(lines)
}
