//! What the simulated WeChat remembers, in memory and, if wanted, in a file beside the demo.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::faults::Faults;
use crate::clock::SECOND;
use crate::wechat::v2::message::Message;
use crate::wechat::v2::sign::SignType;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TradeState {
    NotPaid,
    Paid,
    Closed,
}

/// One out_trade_no at the simulated WeChat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trade {
    /// As it came, without `sign` and `nonce_str`.
    pub order: Message,
    pub state: TradeState,
    /// Told of it in place of `NOTPAY` while it is unpaid.
    #[serde(default)]
    pub said: Option<String>,
    pub created_at: i64,
    pub prepay_ids: Vec<(String, i64)>,
    pub transaction_id: Option<String>,
    /// What was really paid, in fen.
    pub paid_fee: Option<String>,
    pub payer: Option<String>,
    /// What coupons paid of it, in fen: 充值 (settled all the same) and 免充值 (not settled).
    #[serde(default)]
    pub coupons: Coupons,
    pub time_end: Option<String>,
    /// The answers to the notices that were delivered.
    pub notices: Vec<String>,
    /// Pay as soon as the shop has closed it.
    pub pays_late: bool,
    /// What the register was told of how its goods left.
    #[serde(default)]
    pub shipped: Vec<serde_json::Value>,
}

impl Trade {
    pub fn new(order: Message, now: i64) -> Trade {
        Trade {
            order,
            state: TradeState::NotPaid,
            said: None,
            created_at: now,
            prepay_ids: Vec::new(),
            transaction_id: None,
            paid_fee: None,
            payer: None,
            coupons: Coupons::default(),
            time_end: None,
            notices: Vec::new(),
            pays_late: false,
            shipped: Vec::new(),
        }
    }

    /// `trade_state` of one that is unpaid, with its words.
    pub fn unpaid_state(&self) -> (&str, &str) {
        self.said.as_deref().map_or(("NOTPAY", "订单未支付"), |said| (said, "支付没有完成"))
    }

    /// Sold elsewhere under the same merchant number: nobody here asked to be told of it.
    pub fn is_foreign(&self) -> bool {
        self.field("notify_url").is_empty()
    }

    pub fn field(&self, name: &str) -> &str {
        self.order.get(name).unwrap_or_default()
    }

    /// What of it reaches the merchant, in fen.
    pub fn settled_fen(&self) -> i64 {
        self.paid_fen() - self.coupons.no_cash
    }

    /// What was paid, in fen.
    pub fn paid_fen(&self) -> i64 {
        self.paid_fee.as_ref().and_then(|fee| fee.parse().ok()).unwrap_or(0)
    }
}

/// What coupons paid, in fen: of a payment, or given back with a refund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupons {
    pub cash: i64,
    pub no_cash: i64,
}

impl Coupons {
    pub fn all(self) -> i64 {
        self.cash + self.no_cash
    }

    /// Kind and amount of each coupon, by v2's word.
    pub fn each(self) -> impl Iterator<Item = (&'static str, i64)> {
        [("CASH", self.cash), ("NO_CASH", self.no_cash)].into_iter().filter(|(_, fen)| *fen > 0)
    }
}

/// The digest that a message names; MD5 when it names none, whatever the merchant likes best. Source: sign_type, API v2.
pub fn digest(message: &Message) -> Option<SignType> {
    message.filled("sign_type").map_or(Some(SignType::Md5), |name| name.parse().ok())
}

/// How a refund ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundEnd {
    #[default]
    Success,
    /// It stays in processing until somebody says otherwise.
    Processing,
    /// The bank sends the money back to the merchant.
    Change,
    /// WeChat gives it up.
    Closed,
}

/// One refund at the simulated WeChat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refund {
    pub out_refund_no: String,
    pub refund_id: String,
    pub transaction_id: String,
    pub out_trade_no: String,
    pub amount_fen: i64,
    /// What goes back to coupons instead of to the payer.
    #[serde(default)]
    pub coupons: Coupons,
    pub created_at: i64,
    /// When it leaves processing.
    pub ends_at: i64,
    pub end: RefundEnd,
    /// Made in WeChat's own console rather than through the API.
    pub by_console: bool,
    pub notify_url: String,
    /// Asked for by API v3, and told of in its way.
    #[serde(default)]
    pub v3: bool,
    /// How often the API asked for it: a shop that retries asks again, and is refunded once.
    pub asked: u64,
}

impl Refund {
    /// What leaves the merchant.
    pub fn settled_fen(&self) -> i64 {
        self.amount_fen - self.coupons.no_cash
    }

    /// WeChat's word for where it stands.
    pub fn status(&self, now: i64) -> &'static str {
        match self.end {
            _ if now < self.ends_at => "PROCESSING",
            RefundEnd::Processing => "PROCESSING",
            RefundEnd::Success => "SUCCESS",
            RefundEnd::Change => "CHANGE",
            RefundEnd::Closed => "REFUNDCLOSE",
        }
    }
}

/// How refunds go until somebody says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Ways {
    pub refund_end: RefundEnd,
    /// How long a refund is in processing.
    pub refund_takes_ms: i64,
    /// Whether refund notices are sent.
    pub refund_notices: bool,
    /// What the merchant can still refund, in fen; unlimited when absent.
    pub balance_fen: Option<i64>,
    /// The old flow of funds (老资金流): what is not settled yet and can be refunded from, in fen, beside the balance.
    pub unsettled_fen: Option<i64>,
    /// Whether a day's bill can be had only from ten o'clock of the next day on. Without it, even today's.
    pub bill_waits: bool,
    /// Whether payments wait for the register of what was shipped.
    pub trade_managed: bool,
    /// Whether the merchant has agreed to how its payments are settled.
    pub trade_confirmed: bool,
    /// An order can be closed before it is five minutes old, which the real one refuses.
    pub closes_early: bool,
    /// Goods names in bills have commas and backticks added, as nobody keeps them out at the real one.
    pub hard_names: bool,
    /// Who pays uses coupons of so much, in fen: 充值, which are settled, and 免充值, which are not.
    pub coupon_cash_fen: i64,
    pub coupon_no_cash_fen: i64,
    /// Notices of API v2 say with which digest they are signed; real ones mostly do not.
    pub names_sign_type: bool,
    /// Answers of API v2 about refunds say nothing of coupons: what is settled is optional there.
    pub refunds_untold: bool,
}

impl Default for Ways {
    fn default() -> Ways {
        Ways {
            refund_end: RefundEnd::Success,
            refund_takes_ms: 3 * SECOND,
            refund_notices: true,
            balance_fen: None,
            unsettled_fen: None,
            bill_waits: true,
            trade_managed: true,
            trade_confirmed: true,
            closes_early: false,
            hard_names: false,
            coupon_cash_fen: 0,
            coupon_no_cash_fen: 0,
            names_sign_type: false,
            refunds_untold: false,
        }
    }
}

#[derive(Default)]
pub struct State {
    pub kept: Kept,
    pub codes: HashMap<String, Code>,
    pub faults: Faults,
    /// What opens the interfaces that want one.
    pub token: Option<String>,
    /// Bills that are answered as they stand here, by day.
    pub bills: HashMap<String, Vec<u8>>,
    /// Fund flows that are answered as they stand here, by day.
    pub funds: HashMap<String, Vec<u8>>,
    /// Where an order of the order centre opens.
    pub order_path: Option<String>,
    /// Every call that reached us, by kind.
    pub calls: HashMap<String, u64>,
    /// Something was changed since the file was written.
    pub changed: bool,
    /// Buyers are told only what they have allowed: by openid and template, how many messages are left.
    pub asks_first: bool,
    pub allowed: HashMap<(String, String), u64>,
    /// The mini-program has no published version.
    pub unpublished: bool,
    /// What robots were told, each by its name.
    pub said: Vec<(String, String)>,
}

/// What outlives a restart.
#[derive(Default, Serialize, Deserialize)]
pub struct Kept {
    /// By out_trade_no.
    pub trades: BTreeMap<String, Trade>,
    pub refunds: Vec<Refund>,
    pub ways: Ways,
    pub next_number: u64,
    /// What the merchant took to his bank: when, and how much in fen.
    #[serde(default)]
    pub withdrawals: Vec<(i64, i64)>,
    /// Changes of the balance for refunds that were returned once and arrived later: when, which, by how much.
    #[serde(default)]
    pub again: Vec<(i64, String, i64)>,
    /// Further apps that are bound to the merchant number: app id and secret.
    #[serde(default)]
    pub apps: BTreeMap<String, String>,
    /// When the receipt of a payment's goods was asked for, by transaction.
    #[serde(default)]
    pub received: BTreeMap<String, i64>,
    /// The subscribe messages that were sent.
    #[serde(default)]
    pub messages: Vec<serde_json::Value>,
    /// Whose each openid is that somebody has logged in with, by app id.
    #[serde(default)]
    pub openids: BTreeMap<String, String>,
}

impl Kept {
    pub fn trade_paid_as(&self, transaction_id: &str) -> Option<&Trade> {
        self.trades.values().find(|trade| trade.transaction_id.as_deref() == Some(transaction_id))
    }

    pub fn trade_of_prepay(&mut self, prepay_id: &str) -> Option<&mut Trade> {
        self.trades.values_mut().find(|trade| trade.prepay_ids.iter().any(|(id, _)| id == prepay_id))
    }

    pub fn refunds_of<'a>(&'a self, transaction_id: &'a str) -> impl Iterator<Item = &'a Refund> {
        self.refunds.iter().filter(move |refund| refund.transaction_id == transaction_id)
    }

    /// What a refund of so much gives back to coupons: its share of what is left, and the last one all of it.
    pub fn coupons_back(&self, trade: &Trade, amount: i64, now: i64) -> Coupons {
        let transaction = trade.transaction_id.as_deref().unwrap_or_default();
        let (mut left, mut coupons) = (trade.paid_fen(), trade.coupons);
        for before in self.refunds_of(transaction).filter(|refund| refund.status(now) != "REFUNDCLOSE") {
            left -= before.amount_fen;
            coupons.cash -= before.coupons.cash;
            coupons.no_cash -= before.coupons.no_cash;
        }
        let share = |fen: i64| if left > 0 { fen * amount.min(left) / left } else { 0 };
        let no_cash = share(coupons.no_cash);
        Coupons { cash: share(coupons.all()) - no_cash, no_cash }
    }

    pub fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}

pub struct Code {
    pub app_id: String,
    pub openid: String,
    pub at: i64,
    pub used: bool,
}
