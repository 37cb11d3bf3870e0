//! Whether an order's money may have gone back without anybody here knowing: then somebody looks before goods leave for it.

use rusqlite::Connection;

use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::exceptions::store as exceptions;
use crate::ids::OrderId;
use crate::ledger::{Unasked, store as ledger};
use crate::orders::{Topic, Who, store as orders};

/// Why goods wait.
#[derive(Clone, Debug)]
pub enum Doubt {
    /// WeChat says that money went back, and nobody has looked how much.
    GoneBack,
    /// The shop went back to a backup, and WeChat has not said what went back meanwhile.
    Unasked(Unasked),
}

impl Doubt {
    pub fn of(conn: &Connection, order: OrderId) -> Result<Option<Doubt>> {
        if exceptions::waits_for_gone_back(conn, order)? {
            return Ok(Some(Doubt::GoneBack));
        }
        Ok(ledger::unasked(conn, order)?.filter(|unasked| !unasked.decided).map(Doubt::Unasked))
    }

    pub fn text(&self) -> String {
        match self {
            Doubt::GoneBack => "微信说这笔付款已有退款，还没有人核对过".to_owned(),
            Doubt::Unasked(unasked) if unasked.problem.is_empty() => {
                "恢复备份之后，还没有问过微信这笔付款有没有退过".to_owned()
            }
            Doubt::Unasked(unasked) => {
                format!("恢复备份之后，还没能向微信问清这笔付款有没有退过（{}）", unasked.problem)
            }
        }
    }
}

/// Nothing leaves while there is doubt, unless somebody says so: `despite`, and the order keeps who it was.
pub fn must_be_sure(tx: &Tx, order: OrderId, despite: bool, who: &Who) -> Result<()> {
    let Some(doubt) = Doubt::of(tx, order)? else { return Ok(()) };
    if !despite {
        let words = format!("{}。到商户平台核对过、仍要发出的，请选「仍然发出」", doubt.text());
        return Err(Error::from(Code::RefundInProgress).says(words));
    }
    if let Doubt::Unasked(unasked) = &doubt {
        ledger::put_decided(tx, unasked.entry)?;
    }
    Ok(orders::note(tx, order, who, Topic::Money, &format!("{}，仍然发出", doubt.text()))?)
}
