//! Paying the simulated trades, in all the ways in which people pay.

use serde::{Deserialize, Serialize};

use super::Simulator;
use super::state::{Coupons, Trade, TradeState, Ways};
use crate::clock;
use crate::wechat::v2::message::Message;

/// The ways in which a buyer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paying {
    /// Paid, and the notice comes.
    Well,
    /// Paid, and the notice comes twice.
    NoticeTwice,
    /// Paid, and no notice ever comes.
    NoNotice,
    /// Paid one fen less than asked.
    OtherAmount,
    /// Paid by somebody else.
    OtherPayer,
    /// Held in the cash desk until the shop has closed the order, then paid.
    Late,
}

/// A prepay_id can be paid for two hours.
const PREPAY_ID_LIFE: i64 = 2 * clock::HOUR;

/// Makes the payment; answers with how many notices to send.
pub fn pay(sim: &Simulator, prepay_id: &str, paying: Paying) -> Result<usize, String> {
    let now = sim.clock.now();
    let stranger = sim.openid("somebody else");
    let mut guard = sim.lock();
    let state = &mut *guard;
    let number = state.kept.next_number + 1;
    let ways = state.kept.ways.clone();
    let trade = state.kept.trade_of_prepay(prepay_id).ok_or("支付单不存在，请重新下单")?;
    let born = trade.prepay_ids.iter().find(|(id, _)| id == prepay_id).map_or(0, |(_, at)| *at);
    match trade.state {
        TradeState::Paid => return Err("该订单已支付".into()),
        TradeState::Closed if paying != Paying::Late => return Err("该订单已关闭，请重新下单".into()),
        _ => {}
    }
    if now - born >= PREPAY_ID_LIFE {
        return Err("该订单已过期，请重新下单".into());
    }
    let over = clock::from_compact(trade.field("time_expire")).is_some_and(|at| now > at);
    if over && paying != Paying::Late {
        return Err("该订单已过期，请重新下单".into());
    }
    if paying == Paying::Late && trade.state == TradeState::NotPaid {
        trade.pays_late = true;
        return Ok(1);
    }
    settle(trade, paying, number, now, &stranger);
    use_coupons(trade, &ways);
    state.kept.next_number = number;
    state.changed = true;
    Ok(match paying {
        Paying::NoNotice => 0,
        Paying::NoticeTwice => 2,
        _ => 1,
    })
}

/// Money under the same merchant number that is not the shop's: another app's, or a till's. Answers with its transaction.
pub fn foreign(sim: &Simulator, sale: &Foreign) -> Result<String, String> {
    let now = sim.clock.now();
    let mut guard = sim.lock();
    let state = &mut *guard;
    if sale.total_fen < 1 || sale.out_trade_no.is_empty() || state.kept.trades.contains_key(&sale.out_trade_no) {
        return Err("金额至少 1 分，商户订单号没有用过".into());
    }
    let mut order = Message::from([
        ("appid", sale.app_id.as_str()),
        ("out_trade_no", &sale.out_trade_no),
        ("trade_type", &sale.trade_type),
        ("body", "别的应用"),
        ("openid", &sim.openid("a passer-by")),
    ]);
    order.set("total_fee", sale.total_fen.to_string());
    let mut trade = Trade::new(order, now);
    let number = state.kept.number();
    settle(&mut trade, Paying::Well, number, now, "");
    let transaction = trade.transaction_id.clone().unwrap_or_default();
    state.kept.trades.insert(sale.out_trade_no.clone(), trade);
    state.changed = true;
    Ok(transaction)
}

/// A sale of another app or of a till.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Foreign {
    pub app_id: String,
    /// `JSAPI`, `NATIVE`, `APP`, `MWEB` or `MICROPAY`.
    pub trade_type: String,
    pub out_trade_no: String,
    pub total_fen: i64,
}

/// Turns a trade into a paid one.
fn settle(trade: &mut Trade, paying: Paying, number: u64, now: i64, stranger: &str) {
    let total: i64 = trade.field("total_fee").parse().unwrap_or(1);
    let paid = if paying == Paying::OtherAmount { (total - 1).max(1).min(total) } else { total };
    let paid = if paying == Paying::OtherAmount && paid == total { total + 1 } else { paid };
    let payer = if paying == Paying::OtherPayer { stranger } else { trade.field("openid") };
    trade.payer = Some(payer.to_owned());
    trade.paid_fee = Some(paid.to_string());
    trade.transaction_id = Some(format!("4200{}{number:016}", clock::Day::of(now)));
    trade.time_end = Some(clock::compact(now));
    trade.state = TradeState::Paid;
}

/// As many coupons as there are, and no more than there is to pay.
fn use_coupons(trade: &mut Trade, ways: &Ways) {
    let no_cash = ways.coupon_no_cash_fen.clamp(0, trade.paid_fen());
    trade.coupons = Coupons { cash: ways.coupon_cash_fen.clamp(0, trade.paid_fen() - no_cash), no_cash };
}

/// A late payer's turn: true once the trade is paid.
pub fn late_turn(sim: &Simulator, prepay_id: &str) -> bool {
    let now = sim.clock.now();
    let mut guard = sim.lock();
    let state = &mut *guard;
    let number = state.kept.next_number + 1;
    let ways = state.kept.ways.clone();
    let Some(trade) = state.kept.trade_of_prepay(prepay_id) else { return false };
    if trade.pays_late && trade.state == TradeState::Closed {
        trade.pays_late = false;
        settle(trade, Paying::Well, number, now, "");
        use_coupons(trade, &ways);
        state.kept.next_number = number;
        state.changed = true;
        return true;
    }
    trade.state == TradeState::Paid
}

/// The facts of a paid trade, as a notice and a query tell them.
pub fn facts(trade: &Trade) -> Vec<(String, String)> {
    let paid = trade.paid_fee.clone().unwrap_or_default();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let by_payer = (trade.paid_fen() - trade.coupons.all()).to_string();
    let plain = [
        ("openid", text(&trade.payer)),
        ("is_subscribe", "N".into()),
        ("trade_type", trade.field("trade_type").to_owned()),
        ("bank_type", "OTHERS".into()),
        ("total_fee", paid),
        ("cash_fee", by_payer),
        ("fee_type", "CNY".into()),
        ("transaction_id", text(&trade.transaction_id)),
        ("out_trade_no", trade.field("out_trade_no").to_owned()),
        ("time_end", text(&trade.time_end)),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    plain.into_iter().chain(coupon_fields(trade)).collect()
}

/// The coupons of a trade; what is settled is told where that is another sum. Source: order query, API v2.
fn coupon_fields(trade: &Trade) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut field = |name: String, value: String| fields.push((name, value));
    for (n, (kind, fen)) in trade.coupons.each().enumerate() {
        field(format!("coupon_type_{n}"), kind.into());
        field(format!("coupon_id_{n}"), format!("1095{n}"));
        field(format!("coupon_fee_{n}"), fen.to_string());
    }
    if trade.coupons.all() > 0 {
        field("coupon_fee".into(), trade.coupons.all().to_string());
        field("coupon_count".into(), trade.coupons.each().count().to_string());
    }
    if trade.coupons.no_cash > 0 {
        field("settlement_total_fee".into(), trade.settled_fen().to_string());
    }
    fields
}
