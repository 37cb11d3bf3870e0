//! The rest of the simulated register: how a payment stands, and receipt. Source: get_order, get_order_list,
//! notify_confirm_receive.

use rocket::serde::json::Json;
use rocket::{Route, State, post, routes};
use serde_json::{Value, json};

use super::Simulator;
use super::register::{Answer, Refused, opened, serve};
use super::state::{Kept, Trade};
use crate::clock::{self, SECOND};

pub fn routes() -> Vec<Route> {
    routes![get_order, get_order_list, notify_confirm_receive]
}

/// Most of a page of `get_order_list`.
const MOST_ON_A_PAGE: u64 = 100;

/// Here a payment is named otherwise than in the upload: `merchant_id`, `merchant_trade_no`.
fn named<'k>(sim: &Simulator, kept: &'k Kept, body: &Value) -> Result<&'k Trade, Refused> {
    let text = |name: &str| body[name].as_str().filter(|value| !value.is_empty());
    let found = match (text("transaction_id"), text("merchant_id"), text("merchant_trade_no")) {
        (Some(id), ..) => kept.trade_paid_as(id),
        (None, Some(merchant), Some(number)) if merchant == sim.merchant.mch_id => kept.trades.get(number),
        _ => return Err((268485195, "transaction_id is missing")),
    };
    found.filter(|trade| trade.transaction_id.is_some()).ok_or((10060001, "支付单不存在"))
}

/// 1 waits to be shipped, 2 shipped, 3 received, 5 given back.
fn state_of(kept: &Kept, trade: &Trade) -> u8 {
    let transaction = trade.transaction_id.as_deref().unwrap_or_default();
    let back: i64 = kept.refunds_of(transaction).map(|refund| refund.amount_fen).sum();
    match (trade.shipped.is_empty(), kept.received.contains_key(transaction)) {
        _ if back >= trade.paid_fen() => 5,
        (_, true) => 3,
        (false, false) => 2,
        (true, false) => 1,
    }
}

fn order_json(sim: &Simulator, kept: &Kept, trade: &Trade) -> Value {
    let paid_at = trade.time_end.as_deref().and_then(clock::from_compact).unwrap_or(0) / SECOND;
    let last = trade.shipped.last();
    json!({
        "transaction_id": trade.transaction_id, "merchant_id": sim.merchant.mch_id,
        "merchant_trade_no": trade.field("out_trade_no"), "description": trade.field("body"),
        "paid_amount": trade.paid_fen(), "openid": trade.payer, "trade_create_time": trade.created_at / SECOND,
        "pay_time": paid_at, "order_state": state_of(kept, trade), "in_complaint": false,
        "shipping": {
            "delivery_mode": last.map(|told| told["delivery_mode"].clone()),
            "logistics_type": last.map(|told| told["logistics_type"].clone()),
            "finish_shipping": last.is_some(), "finish_shipping_count": trade.shipped.len(),
            "goods_desc": trade.field("body"),
            "shipping_list": last.map_or(json!([]), |told| told["shipping_list"].clone()),
        },
    })
}

#[post("/wxa/sec/order/get_order?<access_token>", data = "<body>")]
async fn get_order(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        let state = sim.lock();
        let trade = named(sim, &state.kept, &body)?;
        Ok(json!({ "errcode": 0, "errmsg": "ok", "order": order_json(sim, &state.kept, trade) }))
    };
    serve(sim, "get_order", work).await
}

#[post("/wxa/sec/order/get_order_list?<access_token>", data = "<body>")]
async fn get_order_list(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Answer {
    serve(sim, "get_order_list", || {
        opened(sim, access_token)?;
        list(sim, &body)
    })
    .await
}

/// By number, a page after the order that `last_index` names.
fn list(sim: &Simulator, body: &Value) -> Result<Value, Refused> {
    let state = sim.lock();
    let size = body["page_size"].as_u64().unwrap_or(MOST_ON_A_PAGE).clamp(1, MOST_ON_A_PAGE) as usize;
    let after = body["last_index"].as_str().filter(|index| !index.is_empty());
    if after.is_some_and(|index| !state.kept.trades.contains_key(index)) {
        return Err((10060011, "last_index 非法"));
    }
    let time = |name: &str| body["pay_time_range"][name].as_i64().filter(|at| *at > 0).map(|at| at * SECOND);
    let (from, to) = (time("begin_time"), time("end_time"));
    let fits = |trade: &Trade| {
        let Some(at) = trade.time_end.as_deref().and_then(clock::from_compact) else { return false };
        let of = |name: &str, is: &str| body[name].as_str().is_none_or(|wanted| wanted.is_empty() || wanted == is);
        from.is_none_or(|from| at >= from)
            && to.is_none_or(|to| at <= to)
            && body["order_state"].as_u64().is_none_or(|wanted| wanted == u64::from(state_of(&state.kept, trade)))
            && of("openid", trade.payer.as_deref().unwrap_or_default())
    };
    let rest = state.kept.trades.iter().filter(|(number, _)| after.is_none_or(|index| number.as_str() > index));
    let mut found = rest.filter(|(_, trade)| fits(trade)).map(|(_, trade)| trade);
    let page: Vec<&Trade> = found.by_ref().take(size).collect();
    Ok(json!({
        "errcode": 0, "errmsg": "ok", "has_more": found.next().is_some(),
        "last_index": page.last().map_or("", |trade| trade.field("out_trade_no")),
        "order_list": page.iter().map(|trade| order_json(sim, &state.kept, trade)).collect::<Vec<_>>(),
    }))
}

/// Asks the buyer to confirm receipt: once, and only for what was shipped.
#[post("/wxa/sec/order/notify_confirm_receive?<access_token>", data = "<body>")]
async fn notify_confirm_receive(sim: &State<Simulator>, access_token: &str, body: Json<Value>) -> Answer {
    let work = || {
        opened(sim, access_token)?;
        let at = body["received_time"].as_i64().filter(|at| *at > 0).ok_or((10060014, "received_time"))?;
        let mut state = sim.lock();
        let trade = named(sim, &state.kept, &body)?;
        if trade.shipped.is_empty() {
            return Err((10060004, "支付单处于不可发货的状态"));
        }
        let id = trade.transaction_id.clone().unwrap_or_default();
        if state.kept.received.contains_key(&id) {
            return Err((10060023, "发货信息未更新"));
        }
        state.kept.received.insert(id, at * SECOND);
        state.changed = true;
        Ok(json!({ "errcode": 0, "errmsg": "ok" }))
    };
    serve(sim, "confirm_receive", work).await
}
