//! The fourth witness of a day: WeChat's fund flow against its bill. What trade moved must be the same in both.

use crate::clock::Day;
use crate::db::Tx;
use crate::error::Result;
use crate::message_log::Logged;
use crate::money::yuan;
use crate::shop::Shop;
use crate::wechat::Account;
use crate::wechat::bill::Moved;
use crate::wechat::funds::{Flow, FundsAnswer};

/// What a day's fund flow says, beside what the bill says of all rows, the shop's own and others'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    pub flow: Flow,
    pub billed: Moved,
    /// Why there is none, in words.
    pub problem: String,
    /// It is being made: to be asked for again.
    pub later: bool,
}

impl Funds {
    /// With the old flow of funds payments are settled in sums on later days: nothing to compare one by one.
    pub fn is_comparable(&self) -> bool {
        self.problem.is_empty() && (self.flow.payments > 0 || self.billed.arrived == 0)
    }

    /// Everything that the two tell differently, in words.
    pub fn differs(&self) -> Vec<String> {
        let (flow, bill) = (&self.flow.moved, &self.billed);
        let pairs =
            [("成交", flow.arrived, bill.arrived), ("退款", flow.left, bill.left), ("手续费", flow.fee, bill.fee)];
        let sums = pairs.into_iter().filter(|(_, ours, theirs)| self.is_comparable() && ours != theirs);
        let sums =
            sums.map(|(what, ours, theirs)| format!("{what}：资金账单 ¥{}，交易账单 ¥{}", yuan(ours), yuan(theirs)));
        sums.chain(self.flow.wrong.iter().take(3).cloned()).collect()
    }
}

/// Downloads it. A shop without it is matched all the same: the reason stands beside the match.
pub(super) async fn fetch(shop: &Shop, account: &Account, day: Day, billed: Moved) -> Result<Funds> {
    let settings = shop.settings();
    let exchange = match settings.identity().transpose() {
        Err(why) if account.api().needs_certificate() => {
            return Ok(Funds { billed, problem: why.to_owned(), ..Funds::default() });
        }
        identity => shop.wechat.download_funds(account, identity.unwrap_or_default(), day, &shop.nonces).await,
    };
    let mut entry = Logged::sent(&exchange);
    let later = matches!(exchange.result, Ok(FundsAnswer::Creating));
    let (flow, problem) = match exchange.result {
        Ok(FundsAnswer::Flow(flow)) => (flow, String::new()),
        // Refunds out of money that was not settled yet pass by the balance: where there is no flow, nothing tells.
        Ok(FundsAnswer::None) if billed != Moved::default() => (Flow::default(), "微信没有这一天的资金账单".to_owned()),
        Ok(FundsAnswer::None) => (Flow::default(), String::new()),
        Ok(FundsAnswer::Creating) => (Flow::default(), "微信正在生成资金账单".to_owned()),
        Err(e) => (Flow::default(), format!("资金账单没有下载到：{e}")),
    };
    entry.reason = format!("{} 的资金账单 {problem}", day.shown()).trim_end().to_owned();
    shop.write_always(move |tx: &Tx| Ok(entry.record(tx)?)).await?;
    Ok(Funds { flow, billed, problem, later })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One thing differs per row.
    #[test]
    fn a_fund_flow_that_moves_another_sum_is_told() {
        let billed = Moved { arrived: 8_000, left: 4_000, fee: 24 };
        let flow = Flow { payments: 1, moved: billed, ..Flow::default() };
        let with = |change: fn(&mut Funds)| {
            let mut funds = Funds { flow: flow.clone(), billed, ..Funds::default() };
            change(&mut funds);
            funds.differs().join("；")
        };
        for (change, said) in [
            ((|_| {}) as fn(&mut Funds), ""),
            (|f| f.flow.moved.arrived += 1, "成交：资金账单 ¥80.01，交易账单 ¥80.00"),
            (|f| f.flow.moved.left -= 1, "退款：资金账单 ¥39.99，交易账单 ¥40.00"),
            (|f| f.flow.moved.fee = 0, "手续费：资金账单 ¥0.00，交易账单 ¥0.24"),
            // What the merchant did with his money is no difference.
            (|f| f.flow.withdrawn = 5_000, ""),
            (|f| f.flow.returned = 5_000, ""),
            // The old flow of funds settles in sums.
            (|f| (f.flow.payments, f.flow.moved) = (0, Moved::default()), ""),
            (|f| f.problem = "没有".into(), ""),
            (|f| f.flow.wrong.push("账户结余前后接不上".into()), "账户结余前后接不上"),
            (|f| (f.flow, f.billed) = (Flow::default(), Moved::default()), ""),
            (
                |f| f.billed = Moved::default(),
                "成交：资金账单 ¥80.00，交易账单 ¥0.00；退款：资金账单 ¥40.00，交易账单 ¥0.00；手续费：资金账单 ¥0.24，交易账单 ¥0.00",
            ),
        ] {
            assert_eq!(with(change), said);
        }
    }
}
