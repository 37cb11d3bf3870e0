//! WeChat's own word of money that only somebody with the key of API v2 has told of, and how it is kept.

use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::store as exceptions;
use crate::ledger::store as ledger;
use crate::wechat::pay::Trade;

/// What a query by WeChat's own number has answered, in words.
pub fn said(trade: &Trade, mch_id: &str) -> String {
    match trade {
        Trade::Paid(_) => "SUCCESS 已支付".to_owned(),
        Trade::Absent => format!("微信说商户号 {mch_id} 没有这笔款"),
        Trade::NotPaid | Trade::Closed => "微信说这笔单没有付过款".to_owned(),
        Trade::Other(state) => format!("微信说这笔单的状态是 {state}，没有说收到了多少"),
    }
}

/// Keeps it: the sum that was told confirms the money, and anything else stands with every item about it, whichever version the
/// shop sells by afterwards.
pub fn keep(tx: &Tx, transaction_id: &str, trade: &Trade, mch_id: &str) -> Result<()> {
    let answer = match trade {
        Trade::Paid(payment) => {
            ledger::confirm(tx, payment)?;
            if !ledger::is_told_alone(tx, transaction_id)? {
                return Ok(());
            }
            let Some(entered) = ledger::payment(tx, transaction_id)? else { return Ok(()) };
            format!(
                "微信说这笔款是 {} {}，通知说的是 ¥{}：账记错了，真收到的只能到商户平台退",
                payment.total, payment.fee_type, entered.amount
            )
        }
        _ => said(trade, mch_id),
    };
    Ok(exceptions::answer_unproven(tx, transaction_id, &answer)?)
}
