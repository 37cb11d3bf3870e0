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
    /// Money is said to have gone back, and nobody has looked how much: what was told of it.
    GoneBack(String),
    /// The shop went back to a backup, and WeChat has not said what went back meanwhile.
    Unasked(Unasked),
}

impl Doubt {
    pub fn of(conn: &Connection, order: OrderId) -> Result<Option<Doubt>> {
        if let Some(told) = exceptions::order_waits_for(conn, order)? {
            return Ok(Some(Doubt::GoneBack(told)));
        }
        Ok(ledger::unasked(conn, order)?.filter(|unasked| !unasked.decided).map(Doubt::Unasked))
    }

    pub fn text(&self) -> String {
        match self {
            Doubt::GoneBack(told) => format!("{told}，还没有人核对过"),
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
