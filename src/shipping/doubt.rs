//! Whether an order's money may have gone back without anybody here knowing: then somebody looks before goods leave for it.

use rusqlite::Connection;

use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::exceptions::store as exceptions;
use crate::ids::{AttemptId, OrderId};
use crate::ledger::{Noticed, Unasked, store as ledger};
use crate::orders::{Topic, Who, store as orders};

/// Why goods wait.
#[derive(Clone, Debug)]
pub enum Doubt {
    /// Money is said to have gone back, and nobody has looked how much: what was told of it.
    GoneBack(String),
    /// The shop went back to a backup, and WeChat has not said what went back meanwhile.
    Unasked(Unasked),
    /// WeChat denies the payment: what was told of it, and the attempt that it is asked about again.
    Denied(String, Option<AttemptId>),
    /// A notice of API v2 alone has told of it, the shop has a better key by now, and WeChat has said nothing itself.
    Noticed(Noticed),
}

impl Doubt {
    pub fn of(conn: &Connection, order: OrderId) -> Result<Option<Doubt>> {
        if let Some(told) = exceptions::order_waits_for(conn, order)? {
            return Ok(Some(Doubt::GoneBack(told)));
        }
        if let Some((told, attempt)) = exceptions::order_is_denied(conn, order)? {
            return Ok(Some(Doubt::Denied(told, attempt)));
        }
        if let Some(noticed) = ledger::noticed_alone(conn, order)? {
            return Ok(Some(Doubt::Noticed(noticed)));
        }
        Ok(ledger::unasked(conn, order)?.filter(|unasked| !unasked.decided).map(Doubt::Unasked))
    }

    pub fn text(&self) -> String {
        match self {
            Doubt::GoneBack(told) | Doubt::Denied(told, _) => format!("{told}，还没有人核对过"),
            Doubt::Unasked(unasked) if unasked.problem.is_empty() => {
                "恢复备份之后，还没有问过微信这笔付款有没有退过".to_owned()
            }
            Doubt::Unasked(unasked) => {
                format!("恢复备份之后，还没能向微信问清这笔付款有没有退过（{}）", unasked.problem)
            }
            Doubt::Noticed(noticed) => {
                let why = match noticed.problem.as_str() {
                    "" => String::new(),
                    problem => format!("（{problem}）"),
                };
                format!("这笔付款只有 API v2 的密钥签过名，现在收款用 API v3，还没有向微信查实{why}")
            }
        }
    }

    /// What comes before its goods leave, for a slip.
    pub fn first(&self) -> &'static str {
        match self {
            Doubt::Noticed(_) | Doubt::Denied(..) => "先查实付款",
            Doubt::GoneBack(_) | Doubt::Unasked(_) => "先核对退款",
        }
    }

    /// What whoever wants to send it all the same has to do.
    fn next(&self) -> &'static str {
        match self {
            Doubt::Denied(..) => "请过几分钟再试，系统会再向微信查；到商户平台核对过、仍要发出的，请选「仍然发出」",
            Doubt::Noticed(_) => "请过一会儿再试；等不及的，到商户平台查到这笔款已收到、仍要发出的，请选「仍然发出」",
            Doubt::GoneBack(_) | Doubt::Unasked(_) => "到商户平台核对过、仍要发出的，请选「仍然发出」",
        }
    }
}

/// Nothing leaves while there is doubt, unless somebody says so: `despite`, and the order keeps who it was.
pub fn must_be_sure(tx: &Tx, order: OrderId, despite: bool, who: &Who) -> Result<()> {
    let Some(doubt) = Doubt::of(tx, order)? else { return Ok(()) };
    if !despite {
        let words = format!("{}。{}", doubt.text(), doubt.next());
        return Err(Error::from(Code::RefundInProgress).says(words));
    }
    if let Doubt::Unasked(unasked) = &doubt {
        ledger::put_decided(tx, unasked.entry)?;
    }
    Ok(orders::note(tx, order, who, Topic::Money, &format!("{}，仍然发出", doubt.text()))?)
}
