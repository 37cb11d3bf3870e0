//! The simulated bills: what was paid and refunded on a day, in WeChat's own form.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Simulator;
use super::state::{Kept, Refund, Trade};
use crate::clock::{self, Day, HOUR};
use crate::money::plain;
use crate::wechat::v2::message::Message;

const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const SUMMARY: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// Only that many days back there are bills. Source: download bill, API v2.
const KEPT_DAYS: i64 = 92;

/// Which rows a bill has, and with them which columns. Source: bill_type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Success,
    Refund,
    /// Refunds paid out of a balance that was topped up; here there are none.
    RechargeRefund,
}

impl Kind {
    fn named(word: Option<&str>) -> Option<Kind> {
        match word {
            None | Some("ALL") => Some(Kind::All),
            Some("SUCCESS") => Some(Kind::Success),
            Some("REFUND") => Some(Kind::Refund),
            Some("RECHARGE_REFUND") => Some(Kind::RechargeRefund),
            _ => None,
        }
    }

    /// A line of this kind, of all columns and of a refund's two moments.
    fn line(self, all: Vec<String>, moments: [String; 2]) -> String {
        match self {
            Kind::All => all.join(","),
            Kind::Success => {
                let kept = all.into_iter().enumerate().filter(|(n, _)| !OF_REFUNDS.contains(n) && *n != ASKED_BACK);
                kept.map(|(_, value)| value).collect::<Vec<_>>().join(",")
            }
            Kind::Refund | Kind::RechargeRefund => {
                let (before, after) = all.split_at(OF_REFUNDS.start);
                [before, &moments, after].concat().join(",")
            }
        }
    }
}

/// The columns that only speak of refunds.
const OF_REFUNDS: std::ops::Range<usize> = 14..20;
const ASKED_BACK: usize = 25;

/// `/pay/downloadbill`: the bill's bytes, or WeChat's unsigned `return_msg` and `error_code`.
pub fn download(sim: &Simulator, message: &Message) -> Result<Vec<u8>, (&'static str, &'static str)> {
    let date = message.filled("bill_date").filter(|date| date.len() == 8);
    let day: Day = date.and_then(|date| date.parse().ok()).ok_or(("data format error", "20001"))?;
    let kind = Kind::named(message.filled("bill_type")).ok_or(("invalid bill_type", "20001"))?;
    if message.filled("tar_type").is_some_and(|tar| tar != "GZIP") {
        return Err(("invalid tar_type", "20001"));
    }
    let now = sim.clock.now();
    let state = sim.lock();
    if let Some(bytes) = state.bills.get(&day.to_string()) {
        return Ok(bytes.clone());
    }
    let today = Day::of(now);
    // Who does not wait until the next morning may see what there is of today.
    if day > today || (day == today && state.kept.ways.bill_waits) || day < today.plus(-KEPT_DAYS) {
        return Err(("No Bill Exist", "20002"));
    }
    if state.kept.ways.bill_waits && now < day.end() + 10 * HOUR {
        return Err(("Bill Creating", "20003"));
    }
    let text = bill(sim, &state.kept, day, kind).ok_or(("No Bill Exist", "20002"))?;
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
    bill(sim, &sim.lock().kept, day, Kind::All)
}

/// `None` for a day without trade.
fn bill(sim: &Simulator, kept: &Kept, day: Day, kind: Kind) -> Option<String> {
    if kind == Kind::RechargeRefund {
        return None;
    }
    let paid = kept.trades.values().filter_map(|trade| Some((clock::from_compact(trade.time_end.as_deref()?)?, trade)));
    let mut rows: Vec<(i64, String)> = Vec::new();
    let (mut received, mut arrived, mut refunded, mut left, mut funded_back, mut fees) = (0, 0, 0, 0, 0, 0);
    for (at, trade) in paid.filter(|(at, _)| kind != Kind::Refund && Day::of(*at) == day) {
        received += trade.paid_fen();
        arrived += trade.settled_fen();
        fees += fee(trade.settled_fen());
        rows.push((at, kind.line(payment(sim, trade, at, kept.ways.hard_names), Default::default())));
    }
    for refund in kept.refunds.iter().filter(|one| kind != Kind::Success && Day::of(one.created_at) == day) {
        refunded += refund.amount_fen;
        left += refund.settled_fen();
        funded_back += refund.coupons.cash;
        fees -= fee(refund.settled_fen());
        let trade = kept.trades.get(&refund.out_trade_no);
        let moments = [refund.created_at, refund.ends_at].map(|at| format!("`{}", clock::shown(at)));
        rows.push((refund.created_at, kind.line(refund_row(sim, trade, refund), moments)));
    }
    if rows.is_empty() {
        return None;
    }
    rows.sort();
    let lines: Vec<String> = rows.iter().map(|(_, row)| row.clone()).collect();
    Some(format!(
        "\u{feff}{}\r\n{}\r\n{SUMMARY}\r\n`{}.0,`{arrived},`{left},`{funded_back},`{fees}000,`{received},`{refunded}\r\n",
        kind.line(HEADER.split(',').map(str::to_owned).collect(), ["退款申请时间", "退款成功时间"].map(str::to_owned)),
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

fn row(values: [&str; 27]) -> Vec<String> {
    values.iter().map(|value| format!("`{value}")).collect()
}

fn payment(sim: &Simulator, trade: &Trade, at: i64, hard_names: bool) -> Vec<String> {
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

fn refund_row(sim: &Simulator, trade: Option<&Trade>, refund: &Refund) -> Vec<String> {
    let field = |name| trade.map(|trade| trade.field(name)).unwrap_or_default();
    let fee = match fee(refund.settled_fen()) {
        0 => "0.00000".to_owned(),
        fee => format!("-{}000", plain(fee)),
    };
    let state = match refund.status(sim.clock.now()) {
        "CHANGE" => "CHANGE",
        "REFUNDCLOSE" => "FAIL",
        _ => "PROCESSING",
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
        state,
        field("body"),
        "",
        &fee,
        "0.60%",
        "0.00",
        &plain(refund.amount_fen),
        "",
    ])
}
