//! How money is asked for, confirmed, returned and proved; and what fits no order.

pub mod api;
pub mod attempts;
pub mod check;
pub mod close;
pub mod invariants;
pub mod left;
pub mod linked;
pub mod mend;
pub mod messages;
pub mod notify;
pub mod notify_v3;
pub mod offline;
pub mod prepay;
pub mod price;
pub mod prove;
pub mod refund;
pub mod repack;
pub mod replay;
pub mod settle;
pub mod store;
pub mod trial;
pub mod word;

use crate::ids::{AttemptId, LedgerId, OrderId, OutTradeNo};
use crate::message_log::Logged;
use crate::money::Fen;
use crate::settings::Settings;
use crate::shop::Shop;
use crate::stored_enum::stored_enum;
use crate::wechat::pay::PayOrder;
use crate::wechat::{Account, Api, Exchange};

stored_enum! {
    /// How far a payment attempt has come at WeChat.
    pub enum AttemptState {
        /// Written down; WeChat may or may not know it.
        Created "created" "已创建",
        /// WeChat gave a prepay_id: the buyer can pay.
        Prepaid "prepaid" "待支付",
        Paid "paid" "成功",
        /// To be closed at WeChat; until that is certain it may still be paid.
        Closing "closing" "关闭中",
        Closed "closed" "已关闭",
        /// WeChat refused it for good.
        Failed "failed" "被微信拒绝",
    }
}

impl AttemptState {
    /// The buyer could pay it.
    pub fn is_alive(self) -> bool {
        matches!(self, AttemptState::Created | AttemptState::Prepaid)
    }

    /// Which states may follow. Money can come in any state: WeChat decides, and a payment is never refused.
    pub fn leads_to(self, next: AttemptState) -> bool {
        use AttemptState::*;
        match self {
            Created => matches!(next, Prepaid | Paid | Closing | Closed | Failed),
            Prepaid => matches!(next, Paid | Closing | Closed | Failed),
            Closing => matches!(next, Paid | Closed),
            Closed | Failed => matches!(next, Paid),
            Paid => false,
        }
    }

    /// It may still be paid at WeChat: alive, or not yet certainly closed.
    pub fn is_open(self) -> bool {
        self.is_alive() || self == AttemptState::Closing
    }
}

/// One unified order at WeChat. An order can have several, at most one of them alive.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: AttemptId,
    pub order_id: OrderId,
    pub n: i64,
    pub out_trade_no: OutTradeNo,
    pub state: AttemptState,
    pub total: Fen,
    pub openid: String,
    pub params: PayOrder,
    pub prepay_id: Option<String>,
    pub prepaid_at: Option<i64>,
    pub transaction_id: Option<String>,
    pub paid_at: Option<i64>,
    pub queried_at: Option<i64>,
    pub created_at: i64,
}

impl Attempt {
    /// Who we are towards WeChat about this attempt: the version and the app that it was made in, whatever is set today.
    /// Nobody, when it was made with another merchant number: asked under today's, WeChat knows nothing of it, and that
    /// proves nothing.
    pub fn account(&self, shop: &Shop) -> Option<Account> {
        self.account_in(&shop.settings(), shop.now())
    }

    /// The same by these settings.
    pub fn account_in(&self, settings: &Settings, now: i64) -> Option<Account> {
        self.account_by(self.params.api(), settings, now)
    }

    /// The same in another version.
    fn account_by(&self, api: Api, settings: &Settings, now: i64) -> Option<Account> {
        let account = settings.account(api, now)?.under(self.params.app_id());
        (account.mch_id() == self.params.mch_id()).then_some(account)
    }

    /// Why WeChat cannot be asked about it, where there is no account to ask in.
    pub fn why_unasked(&self, shop: &Shop) -> String {
        let (settings, then) = (shop.settings(), self.params.mch_id());
        match settings.get("wechat.mch_id") {
            Some(now) if now != then => {
                format!("它是用商户号 {then} 发起的，现在设置的是 {now}：换回去才能查询和关闭，付了仍会由通知入账")
            }
            _ => settings.unready(self.params.api()).unwrap_or_else(|| "微信支付还没有设置".to_owned()),
        }
    }

    /// From when on WeChat closes it.
    pub fn closable_at(&self) -> i64 {
        self.created_at + self.params.api().closable_after()
    }

    /// A call about this attempt, for the transaction log; packed here, so that the writer need not.
    pub fn logged<T>(&self, shop: &Shop, exchange: &Exchange<T>) -> Logged {
        let mut entry = Logged::sent(exchange);
        entry.order_id = Some(self.order_id);
        entry.attempt_id = Some(self.id);
        entry.out_trade_no = Some(self.out_trade_no.to_string());
        entry.amount = Some(self.total);
        entry.packed(shop.dictionary().as_ref())
    }
}

/// An order whose payment WeChat is to be asked about, after going back to a backup.
#[derive(Clone, Debug)]
pub struct ToAsk {
    pub order: OrderId,
    pub entry: LedgerId,
    pub transaction_id: String,
}

/// A rule that must always hold, and how many rows break it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Broken {
    pub rule: &'static str,
    pub rows: i64,
}

/// The last nightly check.
#[derive(Clone, Debug)]
pub struct Checked {
    pub at: i64,
    pub rules: i64,
    pub broken: Vec<(String, i64)>,
}

#[cfg(test)]
mod tests {
    use super::AttemptState::*;
    use super::*;

    /// Every move there is; anything else is none.
    #[test]
    fn an_attempt_moves_along_these_lines_and_no_others() {
        let moves = [
            (Created, vec![Prepaid, Paid, Closing, Closed, Failed]),
            (Prepaid, vec![Paid, Closing, Closed, Failed]),
            (Paid, vec![]),
            (Closing, vec![Paid, Closed]),
            (Closed, vec![Paid]),
            (Failed, vec![Paid]),
        ];
        for (from, to) in moves {
            let found: Vec<_> = AttemptState::ALL.iter().copied().filter(|next| from.leads_to(*next)).collect();
            assert_eq!(found, to, "{from:?}");
            assert_eq!(from.is_alive(), to.contains(&Failed), "{from:?}: only what lives can be refused");
        }
    }
}
