//! The transaction log: our record of every message exchanged with WeChat, with our verdict.

pub mod store;

use std::sync::Arc;

pub use store::next_id;

use crate::db::Tx;
use crate::ids::{AttemptId, MessageId, OrderId};
use crate::money::Fen;
use crate::packing::{self, Dictionary, Packed};
use crate::stored_enum::stored_enum;
use crate::wechat::{Check, Exchange, GatewayError, Signature};

stored_enum! {
    pub enum Verdict {
        Ok "ok" "成功",
        /// A call of ours that did not succeed.
        Failed "failed" "失败",
        /// A message to us that was not believed or not understood.
        Refused "refused" "已拒绝",
        /// Authentic, and yet it fits nothing we know; or an answer that is not signed as WeChat signs.
        Suspicious "suspicious" "可疑",
    }
}

/// How the reason of a trial's message begins.
pub const TRIAL: &str = "设置页测试：";

/// One message and the answer to it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// From WeChat to us, rather than from us to WeChat.
    pub incoming: bool,
    pub kind: &'static str,
    pub order_id: Option<OrderId>,
    pub attempt_id: Option<AttemptId>,
    pub out_trade_no: Option<String>,
    pub transaction_id: Option<String>,
    pub out_refund_no: Option<String>,
    pub amount: Option<Fen>,
    pub verdict: Verdict,
    /// One sentence for the list.
    pub reason: String,
    pub checks: Vec<Check>,
    pub request: Vec<u8>,
    pub response: Vec<u8>,
    pub source_ip: String,
    pub took_ms: i64,
    /// Its text as it was packed before the transaction that writes it down.
    pub ready: Option<Arc<Ready>>,
}

/// A text packed beforehand. It counts when it is what there is to write in the end.
#[derive(Debug)]
pub struct Ready {
    text: Vec<u8>,
    packed: Packed,
}

impl Logged {
    /// A call of ours, as it went.
    pub fn sent<T>(exchange: &Exchange<T>) -> Logged {
        let (verdict, reason) = match &exchange.result {
            Ok(_) => (Verdict::Ok, "成功".to_owned()),
            Err(GatewayError::Refused { code, text }) => (Verdict::Failed, format!("{code} {text}")),
            Err(e) => (Verdict::Failed, e.to_string()),
        };
        let problem = exchange.signature.problem();
        // Of what succeeded the kind tells that its signature was right.
        let told = problem.is_some() || (exchange.result.is_err() && exchange.signature == Signature::Right);
        let check = |ok| Check { what: "验签", ok, note: problem.clone().unwrap_or_default() };
        Logged {
            incoming: false,
            kind: exchange.kind,
            order_id: None,
            attempt_id: None,
            out_trade_no: None,
            transaction_id: None,
            out_refund_no: None,
            amount: None,
            verdict: if problem.is_some() { Verdict::Suspicious } else { verdict },
            reason,
            checks: told.then(|| check(problem.is_none())).into_iter().collect(),
            request: exchange.request.clone().into_bytes(),
            response: exchange.response.clone(),
            source_ip: String::new(),
            took_ms: exchange.took_ms,
            ready: None,
        }
    }

    /// Sent to see whether settings are right: a "no" to it is no trouble of the shop's.
    pub fn of_a_trial(mut self) -> Logged {
        self.reason = format!("{TRIAL}{}", self.reason);
        self
    }

    /// A message to us, and what we answered.
    pub fn received(kind: &'static str, request: Vec<u8>, source_ip: String) -> Logged {
        Logged {
            incoming: true,
            kind,
            order_id: None,
            attempt_id: None,
            out_trade_no: None,
            transaction_id: None,
            out_refund_no: None,
            amount: None,
            verdict: Verdict::Ok,
            reason: String::new(),
            checks: Vec::new(),
            request,
            response: Vec::new(),
            source_ip,
            took_ms: 0,
            ready: None,
        }
    }

    /// Packs it here and now, for the writer has better things to do; whatever changes afterwards is packed again there.
    pub fn packed(mut self, dictionary: Option<&Dictionary>) -> Logged {
        self.ready = dictionary.and_then(|dictionary| {
            let text = self.text().ok()?;
            let packed = dictionary.pack(&text).ok()?;
            Some(Arc::new(Ready { text, packed }))
        });
        self
    }

    /// Answered and checked so, which is likely; what it comes to is written over it.
    pub fn packed_as(mut self, response: &str, checks: Vec<Check>, dictionary: Option<&Dictionary>) -> Logged {
        (self.response, self.checks) = (response.into(), checks);
        self.packed(dictionary)
    }

    /// Answer, checks and request in one.
    fn text(&self) -> rusqlite::Result<Vec<u8>> {
        Ok(packing::joined([&self.response, self.checks_text()?.as_bytes(), &self.request]))
    }

    fn checks_text(&self) -> rusqlite::Result<String> {
        serde_json::to_string(&self.checks).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
    }

    /// Of what was refused only the beginning is kept: anybody can send it, and rubbish must not wash away what else is
    /// in the log.
    pub fn keep_little(&mut self) {
        const ENOUGH: usize = 1024;
        self.request.truncate(ENOUGH);
    }

    /// Writes it down, in the transaction of whatever it caused.
    pub fn record(&self, tx: &Tx) -> rusqlite::Result<MessageId> {
        let id = next_id(tx)?;
        self.record_as(id, tx)?;
        Ok(id)
    }

    /// Writes it down under the number that `next_id` gave in this transaction.
    pub fn record_as(&self, id: MessageId, tx: &Tx) -> rusqlite::Result<()> {
        debug_assert!(KINDS.iter().any(|(name, _)| *name == self.kind), "{} has no words for the console", self.kind);
        // Rubbish is like nothing else, and short.
        if self.verdict == Verdict::Refused {
            store::insert(tx, id, self, None)?;
            // Whoever floods the door with it must not fill the disk.
            return store::forget_old_refusals(tx, id);
        }
        let text = self.text()?;
        match self.ready.as_deref().filter(|ready| ready.text == text) {
            Some(ready) => store::insert(tx, id, self, Some(&ready.packed)),
            None => store::insert(tx, id, self, Some(&packing::store::newest(tx)?.pack(&text)?)),
        }
    }
}

/// Every kind of message, by WeChat's name for it, and what it is called on the console; the most asked for first.
pub const KINDS: [(&str, &str); 19] = [
    ("unifiedorder", "下单"),
    ("notify", "支付通知"),
    ("orderquery", "查单"),
    ("closeorder", "关单"),
    ("refund", "退款"),
    ("refundquery", "退款查询"),
    ("refund_notify", "退款通知"),
    ("downloadbill", "账单"),
    ("downloadfundflow", "资金账单"),
    ("login", "登录"),
    ("message", "消息推送"),
    ("upload_shipping", "上传发货信息"),
    ("trade_managed", "发货管理"),
    ("trade_confirmed", "发货管理确认"),
    ("order_path", "订单中心页面"),
    ("delivery_list", "快递公司列表"),
    ("subscribe_send", "订阅消息"),
    ("wxacode", "小程序码"),
    ("templates", "订阅消息模板"),
];

pub fn kind_text(kind: &str) -> &str {
    KINDS.iter().find(|(name, _)| *name == kind).map_or(kind, |(_, text)| text)
}
