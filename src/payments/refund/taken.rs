//! In what a payment was taken: what belongs to it goes through the same account, and is asked about in no other.

use rusqlite::Connection;

use crate::db::Tx;
use crate::error::Result;
use crate::ids::RefundId;
use crate::ledger::{Entered, store as ledger};
use crate::message_log::Logged;
use crate::refunds::store as refunds;
use crate::shop::Shop;
use crate::wechat::pay::{Trade, TradeOf};
use crate::wechat::refund::RefundOrder;
use crate::wechat::{Account, Api};

/// In what a payment was taken, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(in crate::payments) struct Taken {
    api: Option<Api>,
    app_id: Option<String>,
    mch_id: Option<String>,
    /// The payment; none for money that was taken outside WeChat.
    transaction_id: Option<String>,
}

/// Why WeChat was not heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// It did not answer this time.
    NoAnswer(String),
    /// It cannot be asked with what is set today.
    NotAsked(String),
    /// Something went back, and WeChat does not say what.
    Perhaps,
}

const PERHAPS: &str = "微信说这笔款有过退款，可是不说有哪几笔，也许就是这一笔";

impl Unheard {
    pub fn why(self) -> String {
        match self {
            Unheard::NoAnswer(why) | Unheard::NotAsked(why) => why,
            Unheard::Perhaps => PERHAPS.to_owned(),
        }
    }
}

impl Taken {
    pub(in crate::payments) fn of(entered: &Entered) -> Taken {
        Taken {
            api: entered.api,
            app_id: entered.app_id.clone(),
            mch_id: entered.mch_id.clone(),
            transaction_id: Some(entered.transaction_id.clone()),
        }
    }

    /// What a refund goes through: the version that it was first sent by, else all that took the payment.
    pub(in crate::payments) fn by_refund(conn: &Connection, id: RefundId) -> Result<Taken> {
        let Some(refund) = refunds::by_id(conn, id)? else { return Ok(Taken::default()) };
        let entered = refund.transaction_id.as_deref().map(|id| ledger::payment(conn, id)).transpose()?.flatten();
        let taken = entered.as_ref().map(Taken::of).unwrap_or_default();
        let sent = refund.params.as_deref().and_then(|params| serde_json::from_str::<RefundOrder>(params).ok());
        Ok(Taken { api: sent.map(|sent| sent.api).or(taken.api), transaction_id: refund.transaction_id, ..taken })
    }

    /// Under which number it came in was never noted.
    pub(in crate::payments) fn is_unknown(&self) -> bool {
        self.transaction_id.is_some() && self.mch_id.is_none()
    }

    /// Who we are towards WeChat about it, with the merchant number of today. Errors: in words, what is missing.
    pub(in crate::payments) fn account(&self, shop: &Shop) -> std::result::Result<Account, String> {
        let account = shop.account_of(self.api).ok_or_else(|| {
            let which = self.api.map_or("微信支付", Api::text);
            format!("{which} 还没有设置：这笔退款要用收款时的接口办理")
        })?;
        Ok(match &self.app_id {
            Some(app_id) => account.under(app_id),
            None => account,
        })
    }

    /// The same to ask WeChat. Errors: also when it came in under another merchant number. Asked under today's, WeChat
    /// knows nothing of it, and that proves nothing.
    pub(in crate::payments) fn asker(&self, shop: &Shop) -> std::result::Result<Account, String> {
        let account = self.account(shop)?;
        match &self.mch_id {
            Some(then) if then != account.mch_id() => Err(format!(
                "这笔款是用商户号 {then} 收的，现在设置的是 {}：换回原商户号才能查到退款结果",
                account.mch_id()
            )),
            _ => Ok(account),
        }
    }

    /// Under which number a payment came in for which that was never noted, WeChat tells: the one that knows it took it.
    /// Nothing is sent or asked about its refunds before that. Errors: the number of today is not the one.
    pub(in crate::payments) async fn known(self, shop: &Shop) -> Result<std::result::Result<Taken, Unheard>> {
        let Some(id) = self.transaction_id.clone().filter(|_| self.mch_id.is_none()) else { return Ok(Ok(self)) };
        let account = match self.account(shop) {
            Ok(account) => account,
            Err(why) => return Ok(Err(Unheard::NotAsked(why))),
        };
        let exchange = shop.wechat.order_query(&account, TradeOf::Transaction(&id), &shop.nonces).await;
        let mut entry = Logged::sent(&exchange);
        entry.transaction_id = Some(id.clone());
        let found = match exchange.result {
            Ok(Trade::Paid(payment)) if payment.transaction_id == id => Ok(payment),
            Ok(_) => Err(Unheard::NotAsked(format!(
                "不知道这笔款是用哪个商户号收的，现在设置的 {} 查不到它：换成收款的商户号后系统会自己继续",
                account.mch_id()
            ))),
            Err(e) => Err(Unheard::NoAnswer(format!("还没能向微信问清这笔款是用哪个商户号收的：{e}"))),
        };
        entry.reason = match &found {
            Ok(payment) => format!("这笔款是用商户号 {} 收的", payment.name.mch_id),
            Err(why) => why.clone().why(),
        };
        let write = move |tx: &Tx| {
            entry.record(tx)?;
            found.iter().try_for_each(|payment| ledger::put_stray(tx, payment))?;
            Ok(found.clone())
        };
        let found = shop.write_always(write).await?;
        Ok(found.map(|payment| Taken { mch_id: Some(payment.name.mch_id), app_id: Some(payment.name.app_id), ..self }))
    }
}
