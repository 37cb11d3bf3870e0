//! The simulated fund flow: every change of the merchant's balance, in WeChat's own form.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Simulator;
use super::bills::fee;
use super::state::Kept;
use crate::clock::{self, Day, HOUR};
use crate::money::plain;

const HEADER: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";

/// What the merchant had before the first trade, so that no balance is below nothing.
const AT_FIRST: i64 = 10_000_000;

/// A change of the balance: when, for which business, under which name, by how much (out is negative).
type Change = (i64, String, &'static str, i64);

/// A day's file, or WeChat's code and words.
pub fn download(sim: &Simulator, day: Day, gzip: bool) -> Result<Vec<u8>, (&'static str, &'static str)> {
    let now = sim.clock.now();
    let state = sim.lock();
    let today = Day::of(now);
    // Who does not wait until the next morning may see what there is of today, as with the bill.
    if day > today || (day == today && state.kept.ways.bill_waits) {
        return Err(("NO_BILL_EXIST", "账单不存在"));
    }
    if state.kept.ways.bill_waits && now < day.end() + 10 * HOUR {
        return Err(("BILL_CREATING", "账单生成中"));
    }
    let bytes = match state.funds.get(&day.to_string()) {
        Some(bytes) => bytes.clone(),
        None => text(&state.kept, day, now).ok_or(("NO_BILL_EXIST", "账单不存在"))?.into_bytes(),
    };
    if !gzip {
        return Ok(bytes);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&bytes).and_then(|()| packed.finish()).map_err(|_| ("SYSTEMERROR", "系统错误"))
}

/// `None` for a day on which the balance did not change.
pub fn text(kept: &Kept, day: Day, now: i64) -> Option<String> {
    let mut changes = changes(kept, now);
    changes.retain(|change| change.0 < day.end() && change.3 != 0);
    changes.sort();
    let mut balance = AT_FIRST;
    let mut rows = Vec::new();
    let (mut came, mut went) = ((0, 0), (0, 0));
    for (n, (at, id, name, fen)) in changes.into_iter().enumerate() {
        balance += fen;
        if Day::of(at) != day {
            continue;
        }
        let way = if fen > 0 { "收入" } else { "支出" };
        let sum = if fen > 0 { &mut came } else { &mut went };
        *sum = (sum.0 + 1, sum.1 + fen.abs());
        rows.push(format!(
            "`{},`{id},`19{n:014},`{name},`{name},`{way},`{},`{},`system,`,`",
            clock::shown(at),
            plain(fen.abs()),
            plain(balance)
        ));
    }
    (!rows.is_empty()).then(|| {
        format!(
            "\u{feff}{HEADER}\r\n{}\r\n资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`{}.0,`{}.0,`{},`{}.0,`{}\r\n",
            rows.join("\r\n"),
            rows.len(),
            came.0,
            plain(came.1),
            went.0,
            plain(went.1)
        )
    })
}

fn changes(kept: &Kept, now: i64) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for trade in kept.trades.values() {
        let Some(at) = trade.time_end.as_deref().and_then(clock::from_compact) else { continue };
        let id = trade.transaction_id.clone().unwrap_or_default();
        changes.push((at, id.clone(), "交易", trade.settled_fen()));
        changes.push((at, id, "扣除交易手续费", -fee(trade.settled_fen())));
    }
    for refund in &kept.refunds {
        let (at, id, left) = (refund.created_at, &refund.refund_id, refund.settled_fen());
        changes.push((at, id.clone(), "退款", -left));
        changes.push((at, id.clone(), "退还手续费", fee(left)));
        if matches!(refund.status(now), "CHANGE" | "REFUNDCLOSE") {
            changes.push((refund.ends_at, id.clone(), "退款", left));
        }
    }
    // What was returned once and has arrived after all.
    changes.extend(kept.again.iter().map(|(at, id, fen)| (*at, id.clone(), "退款", *fen)));
    changes.extend(kept.withdrawals.iter().map(|(at, fen)| (*at, String::new(), "提现", -fen)));
    changes
}
