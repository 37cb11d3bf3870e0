//! 线下收款: money that came in cash or by transfer, written down by the owner with a reason.

use super::check::ask;
use super::close::start_closing;
use super::{price, store};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::OrderId;
use crate::jobs::{self, Task};
use crate::ledger::store as ledger;
use crate::money::Fen;
use crate::orders::{self, OrderStatus, Topic, Who, moves};
use crate::shop::Shop;

/// Makes an unpaid order a paid one. Should WeChat's money come as well, it goes back by itself as a second payment.
/// `was` is what it cost when the owner looked.
pub async fn pay(shop: &Shop, id: OrderId, was: Option<Fen>, reason: String, who: Who) -> Result<()> {
    let attempts = shop.read(move |conn| Ok(store::attempts(conn, id)?)).await?;
    for attempt in attempts.iter().filter(|attempt| attempt.state.is_open()) {
        if let Some(account) = attempt.account(shop) {
            ask(shop, &account, attempt).await?;
        }
    }
    let write = move |tx: &Tx| {
        let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        if !order.options().pay_offline {
            return Err(match order.status {
                OrderStatus::Closed => Error::from(Code::OrderState).says("订单已关闭，不能登记收款"),
                _ => Error::from(Code::AlreadyPaid).says("订单已经付过款了"),
            });
        }
        price::as_looked_at(&order, was)?;
        for attempt in start_closing(tx, id)? {
            jobs::enqueue(tx, Task::Close(attempt.id), tx.now())?;
        }
        ledger::enter_offline(tx, order.order_no.as_str(), Some(id), order.total.get())?;
        let what = format!("登记线下收款 ¥{}：{reason}", order.total);
        orders::store::note(tx, id, &who, Topic::Money, &what)?;
        moves::pay(tx, &order, order.total, &who)
    };
    shop.write(write).await?;
    shop.wake_worker();
    Ok(())
}
