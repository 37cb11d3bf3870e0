//! `xiaopu reconcile DATE`: downloads a day's bill and matches it, beside a running shop or without one.

use clap::Args;

use super::{Outcome, open_shop};
use crate::clock::{self, Day};
use crate::exceptions::store as exceptions;
use crate::jobs::Ran;
use crate::ledger::store as ledger;
use crate::money::yuan;
use crate::reconcile::{self, BillState, Match, store};
use crate::say::tell;

#[derive(Args)]
pub struct Reconcile {
    /// 日期，例如 2026-10-08
    day: String,
}

impl Reconcile {
    pub async fn run(self) -> Outcome {
        let day: Day = self.day.parse().map_err(|_| format!("「{}」不是日期，请写成 2026-10-08", self.day))?;
        let shop = open_shop().await?;
        let (now, today) = (shop.now(), Day::of(shop.now()));
        if now < reconcile::out_at(day) {
            let from = clock::shown(reconcile::out_at(day));
            return Err(format!("{} 的账单要到 {from} 以后才能下载", day.shown()));
        }
        if day < today.plus(-reconcile::KEPT_DAYS) {
            return Err(format!("微信只保留三个月的账单，{} 太早了", day.shown()));
        }
        let ran = reconcile::matching::by_hand(&shop, day).await.map_err(|e| e.message())?;
        let read = move |conn: &rusqlite::Connection| {
            Ok((store::of_day(conn, day)?, ledger::day_sum(conn, day)?, exceptions::of_day(conn, day)?))
        };
        let (found, ours, differences) = shop.read(read).await.map_err(|e| e.message())?;
        let found = found.ok_or("没有对成账，请稍后再试")?;
        // What was matched before stays when no bill comes now, and is no answer to today's question.
        if !found.problem.is_empty() {
            return Err(format!("{}：{}", day.shown(), unmatched(&ran, &found)));
        }
        tell!(
            "{}  微信 {} 笔 ¥{} · 本店 {} 笔 ¥{} · 退款 微信 {} 笔 ¥{} · 手续费 ¥{}",
            day.shown(),
            found.payments,
            yuan(found.received_fen),
            ours.payments,
            yuan(ours.received_fen),
            found.refunds,
            yuan(found.refunded_fen),
            yuan(found.fee_fen)
        );
        if let Some(others) = found.others_text() {
            tell!("{others}（同一商户号，不是本店的）");
        }
        for one in differences.iter().filter(|one| one.open) {
            tell!("✗ {}", one.what);
            for (side, text) in [("本店", &one.ours), ("微信", &one.theirs)] {
                if !text.is_empty() {
                    tell!("    {side}  {text}");
                }
            }
        }
        if let Ran::Failed(why) = ran {
            return Err(format!("{why}，请稍后再运行一次"));
        }
        match differences.iter().filter(|one| one.open).count() {
            0 => {
                tell!("✓ {}", found.state.text());
                Ok(())
            }
            n => Err(format!("{n} 处差异，请在后台 对账 页处理")),
        }
    }
}

/// Why there is no match now, and what to do about it.
fn unmatched(ran: &Ran, found: &Match) -> String {
    let why = match ran {
        // What was fetched says nothing of the rest.
        Ran::Done => return found.problem.clone(),
        Ran::Again { .. } => format!("账单未出（{}）", found.problem),
        _ => format!("账单没有下载到（{}）", found.problem),
    };
    match found.state {
        BillState::Waiting | BillState::Failed => format!("{why}。店铺开着会自己再试，也可以稍后再运行一次"),
        before => {
            let again = "店铺开着会自己再试，没开请稍后再试";
            format!("{why}。{again}。之前对过的结果还在：{}", before.text())
        }
    }
}
