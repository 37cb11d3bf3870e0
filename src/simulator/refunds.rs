//! The simulated refunds, held to WeChat's rules: one number once, a minute apart, fifty parts, within a year.

use std::time::Duration;

use super::state::{Kept, Refund, RefundEnd, Trade, TradeState, Ways};
use super::{Fields, Refused, Simulator, delivery, v3};
use crate::clock::{self, DAY, MINUTE};
use crate::wechat::v2::message::Message;
use crate::wechat::v2::sign;

const MOST_PARTS: usize = 50;
const YEAR: i64 = 365 * DAY;
/// Refunds on one page of a query.
const PAGE: usize = 10;

fn fen(message: &Message, name: &str) -> Result<i64, Refused> {
    let amount = message.get(name).and_then(crate::money::Fen::from_wire).map(|fen| fen.get());
    amount.filter(|fen| *fen >= 1).ok_or(("PARAM_ERROR", "金额参数格式错误"))
}

/// `/secapi/pay/refund`
pub fn ask(sim: &Simulator, message: &Message) -> Result<Fields, Refused> {
    let number =
        message.filled("out_refund_no").filter(|n| n.len() <= 64).ok_or(("PARAM_ERROR", "缺少out_refund_no"))?;
    if !number.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b)) {
        return Err(("PARAM_ERROR", "out_refund_no格式错误"));
    }
    if message.filled("refund_desc").is_some_and(|desc| desc.len() > 80) {
        return Err(("PARAM_ERROR", "refund_desc过长"));
    }
    if message.filled("refund_fee_type").is_some_and(|currency| currency != "CNY") {
        return Err(("PARAM_ERROR", "refund_fee_type与订单的货币不一致"));
    }
    let (total, amount) = (fen(message, "total_fee")?, fen(message, "refund_fee")?);
    let now = sim.clock.now();
    let mut guard = sim.lock();
    let state = &mut *guard;
    let trade = message
        .filled("transaction_id")
        .and_then(|id| state.kept.trade_paid_as(id))
        .or_else(|| message.filled("out_trade_no").and_then(|n| state.kept.trades.get(n)))
        .filter(|trade| trade.state == TradeState::Paid)
        .cloned()
        .ok_or(("ORDERNOTEXIST", "订单号不存在"))?;
    let transaction_id = trade.transaction_id.clone().unwrap_or_default();
    if total != trade.paid_fen() {
        return Err(("PARAM_ERROR", "订单金额或退款金额与之前请求不一致"));
    }
    if let Some(known) = state.kept.refunds.iter_mut().find(|refund| refund.out_refund_no == number) {
        if known.amount_fen != amount || known.transaction_id != transaction_id {
            return Err(("ERROR", "退款单号已存在，且参数不一致"));
        }
        known.asked += 1;
        return Ok(answer(known, total));
    }
    let before: Vec<&Refund> = state.kept.refunds_of(&transaction_id).collect();
    let refunded: i64 = before.iter().filter(|r| r.end != RefundEnd::Closed).map(|r| r.amount_fen).sum();
    let paid_at = trade.time_end.as_deref().and_then(clock::from_compact).unwrap_or(now);
    if now - paid_at > YEAR {
        return Err(("TRADE_OVERDUE", "订单已经超过退款期限"));
    }
    if before.len() >= MOST_PARTS {
        return Err(("ERROR", "超过部分退款次数上限"));
    }
    if before.iter().any(|refund| !refund.by_console && now - refund.created_at < MINUTE) {
        return Err(("FREQUENCY_LIMITED", "同一笔订单的退款间隔不到1分钟"));
    }
    if refunded + amount > trade.paid_fen() {
        return Err(("ERROR", "退款金额大于可退金额"));
    }
    let leaves = amount - state.kept.coupons_back(&trade, amount, now).no_cash;
    take_from(&mut state.kept.ways, message.filled("refund_account"), leaves)?;
    let url = message.filled("notify_url").unwrap_or_default().to_owned();
    let refund = add(&mut state.kept, number, &trade, amount, url, false, now);
    if let Some(added) = state.kept.refunds.last_mut() {
        added.v3 = message.get("api") == Some("v3");
    }
    state.changed = true;
    let fields = answer(&refund, total);
    let notices = state.kept.ways.refund_notices && !refund.notify_url.is_empty();
    drop(guard);
    if notices {
        start_notice(sim.clone(), refund.refund_id);
    }
    Ok(fields)
}

/// Where the money comes from. Source: refund, refund_account (`funds_account` in API v3).
fn take_from(ways: &mut Ways, account: Option<&str>, leaves: i64) -> Result<(), Refused> {
    let (pool, short) = match (account, &mut ways.unsettled_fen) {
        (None | Some("REFUND_SOURCE_UNSETTLED_FUNDS"), Some(unsettled)) => {
            (Some(unsettled), "交易未结算资金不足，请使用可用余额退款")
        }
        // The word that means the same as none is sent by some SDKs with every refund.
        (Some("REFUND_SOURCE_RECHARGE_FUNDS"), Some(_)) | (None | Some("REFUND_SOURCE_UNSETTLED_FUNDS"), None) => {
            (ways.balance_fen.as_mut(), "基本账户余额不足，请充值后重新发起")
        }
        _ => return Err(("PARAM_ERROR", "refund_account仅对老资金流商户使用")),
    };
    match pool {
        Some(pool) if *pool < leaves => Err(("NOTENOUGH", short)),
        Some(pool) => {
            *pool -= leaves;
            Ok(())
        }
        None => Ok(()),
    }
}

fn add(
    kept: &mut Kept,
    number: &str,
    trade: &Trade,
    amount_fen: i64,
    notify_url: String,
    by_console: bool,
    now: i64,
) -> Refund {
    let n = kept.number();
    let refund = Refund {
        out_refund_no: number.to_owned(),
        refund_id: format!("5000{}{n:017}", clock::Day::of(now)),
        transaction_id: trade.transaction_id.clone().unwrap_or_default(),
        out_trade_no: trade.field("out_trade_no").to_owned(),
        amount_fen,
        coupons: kept.coupons_back(trade, amount_fen, now),
        created_at: now,
        ends_at: now + kept.ways.refund_takes_ms,
        end: kept.ways.refund_end,
        by_console,
        notify_url,
        v3: false,
        asked: 1,
    };
    kept.refunds.push(refund.clone());
    refund
}

fn answer(refund: &Refund, total: i64) -> Fields {
    let mut fields = vec![
        ("transaction_id".into(), refund.transaction_id.clone()),
        ("out_trade_no".into(), refund.out_trade_no.clone()),
        ("out_refund_no".into(), refund.out_refund_no.clone()),
        ("refund_id".into(), refund.refund_id.clone()),
        ("refund_fee".into(), refund.amount_fen.to_string()),
        ("total_fee".into(), total.to_string()),
        ("cash_fee".into(), total.to_string()),
    ];
    fields.extend(coupon_fields(refund, ""));
    fields
}

/// What a refund gives back to coupons; `n` is its place in a query, `_0` for the first.
fn coupon_fields(refund: &Refund, n: &str) -> Fields {
    let mut fields = Fields::new();
    let mut field = |name: &str, value: String| fields.push((format!("{name}{n}"), value));
    if refund.coupons.all() > 0 {
        field("coupon_refund_fee", refund.coupons.all().to_string());
        field("coupon_refund_count", refund.coupons.each().count().to_string());
        field("settlement_refund_fee", refund.settled_fen().to_string());
    }
    for (m, (kind, fen)) in refund.coupons.each().enumerate() {
        fields.push((format!("coupon_type{n}_{m}"), kind.into()));
        fields.push((format!("coupon_refund_id{n}_{m}"), format!("1095{m}")));
        fields.push((format!("coupon_refund_fee{n}_{m}"), fen.to_string()));
    }
    fields
}

/// `/pay/refundquery`
pub fn query(sim: &Simulator, message: &Message) -> Result<Fields, Refused> {
    let now = sim.clock.now();
    let state = sim.lock();
    let kept = &state.kept;
    let by = |name: &str| message.filled(name);
    let found: Vec<&Refund> = match (by("refund_id"), by("out_refund_no"), by("transaction_id"), by("out_trade_no")) {
        (Some(id), ..) => kept.refunds.iter().filter(|r| r.refund_id == id).collect(),
        (_, Some(number), ..) => kept.refunds.iter().filter(|r| r.out_refund_no == number).collect(),
        (_, _, Some(id), _) => kept.refunds_of(id).collect(),
        (_, _, _, Some(number)) => kept.refunds.iter().filter(|r| r.out_trade_no == number).collect(),
        _ => return Err(("PARAM_ERROR", "缺少查询的单号")),
    };
    let first = found.first().ok_or(("REFUNDNOTEXIST", "退款订单查询失败，没有这笔退款"))?;
    let total = kept.trade_paid_as(&first.transaction_id).map_or(0, |trade| trade.paid_fen());
    let offset = by("offset").and_then(|n| n.parse().ok()).unwrap_or(0);
    let page: Vec<&Refund> = found.iter().copied().skip(offset).take(PAGE).collect();
    let mut fields: Fields = vec![
        ("transaction_id".into(), first.transaction_id.clone()),
        ("out_trade_no".into(), first.out_trade_no.clone()),
        ("total_fee".into(), total.to_string()),
        ("cash_fee".into(), total.to_string()),
        ("total_refund_count".into(), found.len().to_string()),
        ("refund_count".into(), page.len().to_string()),
    ];
    for (n, refund) in page.into_iter().enumerate() {
        let mut field = |name: &str, value: String| fields.push((format!("{name}_{n}"), value));
        field("out_refund_no", refund.out_refund_no.clone());
        field("refund_id", refund.refund_id.clone());
        field("refund_channel", "ORIGINAL".into());
        field("refund_fee", refund.amount_fen.to_string());
        field("refund_status", refund.status(now).into());
        field("refund_recv_accout", "支付用户零钱".into());
        if refund.status(now) == "SUCCESS" {
            field("refund_success_time", clock::shown(refund.ends_at.min(now)));
        }
        if !kept.ways.refunds_untold {
            fields.extend(coupon_fields(refund, &format!("_{n}")));
        }
    }
    Ok(fields)
}

/// Somebody refunds in WeChat's own console: the shop learns of it by notice, query or bill.
pub fn by_console(sim: &Simulator, transaction_id: &str, amount_fen: i64) -> Result<String, String> {
    let now = sim.clock.now();
    let mut guard = sim.lock();
    let state = &mut *guard;
    let trade = state.kept.trade_paid_as(transaction_id).cloned().ok_or("没有这笔交易")?;
    let refunded: i64 = state.kept.refunds_of(transaction_id).map(|refund| refund.amount_fen).sum();
    if amount_fen < 1 || refunded + amount_fen > trade.paid_fen() {
        return Err("退款金额大于可退金额".into());
    }
    let n = state.kept.next_number + 1;
    let number = format!("5030{n:024}");
    let url =
        trade.field("notify_url").replace("/pay/v3/notify", "/pay/notify").replace("/pay/notify", "/refund/notify");
    let refund = add(&mut state.kept, &number, &trade, amount_fen, url, true, now);
    state.changed = true;
    let notices = state.kept.ways.refund_notices && !refund.notify_url.is_empty();
    drop(guard);
    if notices {
        start_notice(sim.clone(), refund.refund_id.clone());
    }
    Ok(refund.refund_id)
}

/// How one refund ends, from now on.
pub fn set_end(sim: &Simulator, number: &str, end: RefundEnd) -> Result<(), String> {
    let now = sim.clock.now();
    let mut state = sim.lock();
    let known = state.kept.refunds.iter_mut().find(|r| r.out_refund_no == number || r.refund_id == number);
    let refund = known.ok_or("没有这笔退款")?;
    let returned = matches!(refund.status(now), "CHANGE" | "REFUNDCLOSE");
    let before = (refund.ends_at, refund.refund_id.clone(), refund.settled_fen());
    refund.end = end;
    refund.ends_at = now;
    let id = refund.refund_id.clone();
    if returned {
        let (at, id, left) = before;
        state.kept.again.extend([(at, id.clone(), left), (now, id, -left)]);
    }
    let notices = state.kept.ways.refund_notices;
    state.changed = true;
    drop(state);
    if notices && end != RefundEnd::Processing {
        start_notice(sim.clone(), id);
    }
    Ok(())
}

/// The notice of a refund that has come to its end: encrypted, not signed. `None` while it is still in processing.
fn notice(sim: &Simulator, refund_id: &str) -> Option<(String, String)> {
    let now = sim.clock.now();
    let state = sim.lock();
    let refund = state.kept.refunds.iter().find(|refund| refund.refund_id == refund_id)?;
    let status = refund.status(now);
    if status == "PROCESSING" {
        return None;
    }
    let trade = state.kept.trade_paid_as(&refund.transaction_id);
    let total = trade.map_or(0, Trade::paid_fen);
    let mut inner = Message::from([
        ("transaction_id", refund.transaction_id.as_str()),
        ("out_trade_no", &refund.out_trade_no),
        ("refund_id", &refund.refund_id),
        ("out_refund_no", &refund.out_refund_no),
        ("refund_status", status),
        ("refund_recv_accout", "支付用户零钱"),
        ("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS"),
        ("refund_request_source", if refund.by_console { "VENDOR_PLATFORM" } else { "API" }),
    ]);
    inner.set("total_fee", total.to_string());
    inner.set("refund_fee", refund.amount_fen.to_string());
    inner.set("settlement_refund_fee", refund.settled_fen().to_string());
    inner.set("success_time", clock::shown(refund.ends_at.min(now)));
    let plain = inner.to_xml().replace("<xml>", "<root>").replace("</xml>", "</root>");
    let mut outer = Message::from([
        ("return_code", "SUCCESS"),
        ("appid", trade.map(|trade| trade.field("appid")).unwrap_or_default()),
        ("mch_id", &sim.merchant.mch_id),
    ]);
    outer.set("nonce_str", sim.nonces.nonce_str());
    outer.set("req_info", sign::seal_req_info(plain.as_bytes(), &sim.merchant().key));
    Some((refund.notify_url.clone(), outer.to_xml()))
}

/// Tells the shop how a refund ended, once it has.
fn start_notice(sim: Simulator, refund_id: String) {
    tokio::spawn(async move {
        for _ in 0..delivery::PATIENCE * 2 {
            if let Some((url, xml)) = notice(&sim, &refund_id) {
                return match v3::notices::of_refund(&sim, &refund_id, None) {
                    Some(_) => v3::notices::repeat_refund(&sim, &refund_id).await,
                    None => delivery::repeat(&sim, &url, xml).await,
                };
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
}
