//! The simulated bills: what was paid and refunded on a day, in WeChat's own form.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Simulator;
use super::state::{Kept, Refund, Trade};
use crate::clock::{self, Day, HOUR};
use crate::money::yuan;
use crate::wechat::v2::message::Message;

const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const SUMMARY: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// `/pay/downloadbill`: the bill's bytes, or WeChat's unsigned `return_msg` and `error_code`.
pub fn download(sim: &Simulator, message: &Message) -> Result<Vec<u8>, (&'static str, &'static str)> {
    let day: Day = message.filled("bill_date").and_then(|d| d.parse().ok()).ok_or(("data format error", "20001"))?;
    if !matches!(message.filled("bill_type"), None | Some("ALL")) {
        return Err(("invalid bill_type", "20001"));
    }
    let now = sim.clock.now();
    let state = sim.lock();
    if let Some(bytes) = state.bills.get(&day.to_string()) {
        return Ok(bytes.clone());
    }
    if day >= Day::of(now) {
        return Err(("No Bill Exist", "20002"));
    }
    if state.kept.ways.bill_waits && now < day.end() + 10 * HOUR {
        return Err(("Bill Creating", "20003"));
    }
    let text = bill(sim, &state.kept, day).ok_or(("No Bill Exist", "20002"))?;
    match message.get("tar_type") {
        Some("GZIP") => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(text.as_bytes()).and_then(|()| gzip.finish()).map_err(|_| ("CompressGZip Error", "20007"))
        }
        _ => Ok(text.into_bytes()),
    }
}

/// A day's bill as it would be answered now, unpacked: to be altered and set in its place.
pub fn text(sim: &Simulator, day: Day) -> Option<String> {
    bill(sim, &sim.lock().kept, day)
}

/// `None` for a day without trade.
fn bill(sim: &Simulator, kept: &Kept, day: Day) -> Option<String> {
    let paid = kept.trades.values().filter_map(|trade| Some((clock::from_compact(trade.time_end.as_deref()?)?, trade)));
    let mut rows: Vec<(i64, String)> = Vec::new();
    let (mut received, mut arrived, mut refunded, mut left, mut funded_back, mut fees) = (0, 0, 0, 0, 0, 0);
    for (at, trade) in paid.filter(|(at, _)| Day::of(*at) == day) {
        received += trade.paid_fen();
        arrived += trade.settled_fen();
        fees += fee(trade.settled_fen());
        rows.push((at, payment(sim, trade, at, kept.ways.hard_names)));
    }
    for refund in kept.refunds.iter().filter(|refund| Day::of(refund.created_at) == day) {
        refunded += refund.amount_fen;
        left += refund.settled_fen();
        funded_back += refund.coupons.cash;
        fees -= fee(refund.settled_fen());
        let trade = kept.trades.get(&refund.out_trade_no);
        rows.push((refund.created_at, refund_row(sim, trade, refund)));
    }
    if rows.is_empty() {
        return None;
    }
    rows.sort();
    let lines: Vec<String> = rows.iter().map(|(_, row)| row.clone()).collect();
    let plain = |fen: i64| yuan(fen).replace(',', "");
    Some(format!(
        "\u{feff}{HEADER}\r\n{}\r\n{SUMMARY}\r\n`{}.0,`{arrived},`{left},`{funded_back},`{fees}000,`{received},`{refunded}\r\n",
        lines.join("\r\n"),
        rows.len(),
        received = plain(received),
        arrived = plain(arrived),
        refunded = plain(refunded),
        left = plain(left),
        funded_back = plain(funded_back),
        fees = plain(fees),
    ))
}

/// Six per mille of what is settled, to the fen.
pub fn fee(fen: i64) -> i64 {
    (fen * 6 + 500) / 1000
}

fn row(values: [&str; 27]) -> String {
    values.iter().map(|value| format!("`{value}")).collect::<Vec<_>>().join(",")
}

fn payment(sim: &Simulator, trade: &Trade, at: i64, hard_names: bool) -> String {
    let plain = |fen: i64| yuan(fen).replace(',', "");
    let fee = format!("{}000", plain(fee(trade.settled_fen())));
    row([
        &clock::shown(at),
        trade.field("appid"),
        &sim.merchant.mch_id,
        "0",
        "",
        trade.transaction_id.as_deref().unwrap_or_default(),
        trade.field("out_trade_no"),
        trade.payer.as_deref().unwrap_or_default(),
        trade.field("trade_type"),
        "SUCCESS",
        "OTHERS",
        "CNY",
        &plain(trade.settled_fen()),
        &plain(trade.coupons.all()),
        "0",
        "0",
        "0.00",
        "0.00",
        "",
        "",
        &if hard_names { format!("{},`样例", trade.field("body")) } else { trade.field("body").to_owned() },
        "",
        &fee,
        "0.60%",
        &plain(trade.paid_fen()),
        "0.00",
        "",
    ])
}

fn refund_row(sim: &Simulator, trade: Option<&Trade>, refund: &Refund) -> String {
    let plain = |fen: i64| yuan(fen).replace(',', "");
    let field = |name| trade.map(|trade| trade.field(name)).unwrap_or_default();
    let fee = match fee(refund.settled_fen()) {
        0 => "0.00000".to_owned(),
        fee => format!("-{}000", plain(fee)),
    };
    row([
        &clock::shown(refund.created_at),
        field("appid"),
        &sim.merchant.mch_id,
        "0",
        "",
        &refund.transaction_id,
        &refund.out_trade_no,
        trade.and_then(|trade| trade.payer.as_deref()).unwrap_or_default(),
        field("trade_type"),
        "REFUND",
        "OTHERS",
        "CNY",
        "0.00",
        "0.00",
        &refund.refund_id,
        &refund.out_refund_no,
        &plain(refund.settled_fen()),
        &plain(refund.coupons.cash),
        "ORIGINAL",
        "PROCESSING",
        field("body"),
        "",
        &fee,
        "0.60%",
        "0.00",
        &plain(refund.amount_fen),
        "",
    ])
}
