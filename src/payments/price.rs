//! 改价: another price for an unpaid order. Its number stays; what could be paid at the old price is closed first.

use super::check::ask;
use super::close::start_closing;
use super::{Attempt, AttemptState, store};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::OrderId;
use crate::jobs::{self, Task};
use crate::money::Fen;
use crate::orders::store::NewPrice;
use crate::orders::{self, Order, OrderStatus, Who, moves};
use crate::shop::Shop;

/// What staff want an order to cost.
#[derive(Clone, Debug)]
pub struct Asked {
    /// All that the buyer pays, freight included.
    pub total: Fen,
    pub freight: Fen,
    pub reason: String,
    /// What it cost when they looked, where that is known, and the freight of it.
    pub was: Option<Fen>,
    pub was_freight: Option<Fen>,
}

impl Asked {
    /// The price as the order keeps it: goods less a discount, and freight.
    fn price(&self, order: &Order, expires_at: i64) -> Result<NewPrice> {
        let (total, freight) = (self.total, self.freight);
        if total < freight || total == Fen::ZERO {
            return Err(Error::field("total", "应付至少 0.01 元，也不能低于其中的运费"));
        }
        let all = order.goods.plus(freight).unwrap_or(order.total);
        let discount = all.minus(total).ok_or_else(|| {
            Error::field("total", format!("应付不能高于商品 ¥{} 加运费 ¥{freight}；要加钱请调高运费", order.goods))
        })?;
        Ok(NewPrice { freight, discount, total, expires_at })
    }
}

/// Nobody's page of before overrules what a colleague agreed with the buyer meanwhile.
pub fn as_looked_at(order: &Order, was: Option<Fen>) -> Result<()> {
    if was.is_none_or(|was| was == order.total) {
        return Ok(());
    }
    let words = format!("打开这一页之后，应付已经改成 ¥{}：没有改动，请按现在的价格再看一次", order.total);
    Err(Error::from(Code::OrderState).says(words))
}

/// What the buyer's open cash desks can still take, at the prices that they were made for.
#[derive(Debug, PartialEq, Eq)]
pub struct StillOpen {
    /// When WeChat lets the last of them be closed.
    pub closable_at: i64,
    pub amounts: Vec<Fen>,
}

impl StillOpen {
    fn of(attempts: &[Attempt]) -> Option<StillOpen> {
        let closing: Vec<&Attempt> = attempts.iter().filter(|it| it.state == AttemptState::Closing).collect();
        let mut amounts: Vec<Fen> = closing.iter().map(|attempt| attempt.total).collect();
        amounts.sort_unstable();
        amounts.dedup();
        Some(StillOpen { closable_at: closing.iter().map(|attempt| attempt.closable_at()).max()?, amounts })
    }
}

/// Changes the price. `Err(AlreadyPaid)` when the money turns out to have come at the old one.
pub async fn change(shop: &Shop, id: OrderId, asked: Asked, who: Who) -> Result<Option<StillOpen>> {
    let attempts = shop.read(move |conn| Ok(store::attempts(conn, id)?)).await?;
    for attempt in attempts.iter().filter(|attempt| attempt.state.is_open()) {
        // Unreachable or not: if it was paid all the same, the payment is entered at the price it was made for.
        if let Some(account) = attempt.account(shop) {
            ask(shop, &account, attempt).await?;
        }
    }
    let window = shop.settings().pay_window();
    let write = move |tx: &Tx| {
        let order = orders::store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        if !order.options().price {
            return Err(match order.status {
                OrderStatus::Closed => Error::from(Code::OrderState).says("订单已关闭，不能改价"),
                _ => Error::from(Code::AlreadyPaid).says("买家已经付款，不能改价；多收的可以退款"),
            });
        }
        as_looked_at(&order, asked.was)?;
        if asked.was_freight.is_some_and(|was| was != order.freight) {
            let words = format!("打开这一页之后，运费已经改成 ¥{}：没有改动，请按现在的价格再看一次", order.freight);
            return Err(Error::from(Code::OrderState).says(words));
        }
        let new = asked.price(&order, tx.now() + window)?;
        if new.total == order.total && new.freight == order.freight {
            return Err(Error::field("total", "价格没有变化"));
        }
        for attempt in start_closing(tx, id)? {
            jobs::enqueue(tx, Task::Close(attempt.id), tx.now())?;
        }
        let open = StillOpen::of(&store::attempts(tx, id)?);
        let after = if open.is_some() { "，之前的支付单正在关闭" } else { "" };
        let what = format!(
            "改价 ¥{} → ¥{}（其中运费 ¥{}，原因：{}）{after}",
            order.total, new.total, new.freight, asked.reason
        );
        moves::reprice(tx, &order, &new, &who, &what)?;
        Ok(open)
    };
    let open = shop.write(write).await?;
    shop.wake_worker();
    Ok(open)
}
