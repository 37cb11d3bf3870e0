//! What happened since the last look, for whoever wants to hear of it. Orders, refunds and stock know nothing of this: it
//! is read from their tables that only grow, so telling costs the money path nothing.

use rusqlite::Connection;

use super::store::{self, Asked, Heard, New, News};
use super::{Channel, Letter, Topic};
use crate::clock::{HOUR, MINUTE};
use crate::db::Tx;
use crate::error::Result;
use crate::ids::OrderId;
use crate::jobs::{self, Task};
use crate::money::yuan;
use crate::settings::Settings;
use crate::shop::Shop;

/// So many rows of a table are gone through at a time.
const AT_ONCE: i64 = 2_000;
/// More of a kind at once are told as a number.
const ONE_BY_ONE: usize = 5;
/// So long before its time is over a buyer is reminded of an order; one with less time than twice that is let be.
pub const REMINDED_BEFORE: i64 = 10 * MINUTE;
/// That WeChat cannot be reached is told once in this time.
const DOWN_AGAIN: i64 = HOUR;

/// Puts into the outbox what is new. Where nobody wants to hear, nothing is kept, and the past is never told later.
pub async fn collect(shop: &Shop) -> Result<()> {
    let settings = shop.settings();
    let wanted = Channel::ALL.iter().any(|channel| channel.is_on(&settings));
    let now = shop.now();
    let look = move |conn: &Connection| {
        let down = store::last_of(conn, Topic::WechatDown.word(), now - DOWN_AGAIN)?;
        Ok((store::heard(conn)?, store::present(conn)?, down))
    };
    let (heard, present, told_down) = shop.read(look).await?;
    let hear_of_it = Topic::WechatDown.is_on(&settings) && Channel::STAFF.iter().any(|way| way.is_on(&settings));
    // Once told, it is no news for a while.
    let down = match hear_of_it && told_down.is_none() {
        true => shop.wechat.paused().join("、"),
        false => String::new(),
    };
    match heard {
        None if !wanted => Ok(()),
        Some(heard) if wanted && heard == present && down.is_empty() => Ok(()),
        None => {
            let write = move |tx: &Tx| match store::heard(tx)? {
                Some(_) => Ok(()),
                None => Ok(store::set_heard(tx, Some(present))?),
            };
            shop.write(write).await
        }
        Some(_) if !wanted => shop.write(|tx| Ok(store::set_heard(tx, None)?)).await,
        Some(_) => {
            let write = move |tx: &Tx| match store::heard(tx)? {
                Some(heard) => Ear { tx, settings: &settings }.hear(heard, present, &down),
                None => Ok(()),
            };
            shop.write(write).await
        }
    }
}

/// Something that staff are told at once, by every way that is open to them.
pub fn put_news(tx: &Tx, settings: &Settings, topic: Topic, what: &str) -> Result<()> {
    Ear { tx, settings }.staff(topic, vec![(what.to_owned(), None)])
}

struct Ear<'a> {
    tx: &'a Tx<'a>,
    settings: &'a Settings,
}

impl Ear<'_> {
    fn hear(&self, from: Heard, to: Heard, down: &str) -> Result<()> {
        let to = from.towards(to, AT_ONCE);
        self.orders(from.event, to.event)?;
        self.refunds((from.refund, to.refund), (from.entry, to.entry))?;
        self.staff(Topic::MoneyException, store::exceptions(self.tx, from.exception, to.exception)?)?;
        self.stock(from.moved, to.moved)?;
        let failed = store::failed_backups(self.tx, from.backup, to.backup)?;
        self.staff(Topic::BackupFailed, failed.into_iter().map(|why| (why, None)).collect())?;
        self.wechat(down)?;
        Ok(store::set_heard(self.tx, Some(to))?)
    }

    fn orders(&self, after: i64, upto: i64) -> Result<()> {
        let mut new = Vec::new();
        for moved in store::moves(self.tx, after, upto)? {
            let id = moved.order_id;
            match (moved.from.as_deref(), moved.to.as_str()) {
                (Some("pending_payment" | "closed"), "to_ship") => {
                    let what = format!("{} ¥{} {}", moved.order_no, yuan(moved.total_fen), cut(&moved.goods));
                    new.push((what, Some(id)));
                }
                (_, "shipped") if moved.delivery == "express" || moved.delivery == "local" => {
                    self.buyer(Letter::Shipped, id, 0, self.tx.now())?;
                }
                (None, "pending_payment") if moved.expires_at - self.tx.now() > 2 * REMINDED_BEFORE => {
                    self.buyer(Letter::Unpaid, id, 0, moved.expires_at - REMINDED_BEFORE)?;
                }
                _ => {}
            }
        }
        self.staff(Topic::NewOrder, new)
    }

    fn refunds(&self, asked: (i64, i64), entered: (i64, i64)) -> Result<()> {
        let new = store::refunds_asked(self.tx, asked.0, asked.1)?;
        let words = |asked: Asked| {
            (format!("{} ¥{} {}", asked.number, yuan(asked.amount_fen), cut(&asked.reason)), asked.order_id)
        };
        self.staff(Topic::RefundAsked, new.into_iter().map(words).collect())?;
        for (order, refund) in store::refunded(self.tx, entered.0, entered.1)? {
            self.buyer(Letter::Refunded, order, refund, self.tx.now())?;
        }
        Ok(())
    }

    /// Told when it runs low, and again only after there was enough meanwhile.
    fn stock(&self, after: i64, upto: i64) -> Result<()> {
        let mut low = Vec::new();
        for (sku, name, left, told) in store::stock_moved(self.tx, after, upto)? {
            let is_low = left <= self.settings.low_stock();
            if is_low != told {
                store::set_low_told(self.tx, sku, is_low)?;
            }
            if is_low && !told {
                low.push((format!("「{}」可售只剩 {left}", cut(&name)), None));
            }
        }
        self.staff(Topic::LowStock, low)
    }

    fn wechat(&self, down: &str) -> Result<()> {
        if down.is_empty() {
            return Ok(());
        }
        let what = format!("微信的 {down} 接口接连超时；付款和退款会自动补上，请留意服务器的网络");
        self.staff(Topic::WechatDown, vec![(what, None)])
    }

    /// For each way to the staff a row, and the job that gathers them.
    fn staff(&self, topic: Topic, news: Vec<News>) -> Result<()> {
        if news.is_empty() || !topic.is_on(self.settings) {
            return Ok(());
        }
        let news = match news.len() {
            n if n > ONE_BY_ONE => {
                let first: Vec<&str> = news.iter().take(3).map(|(what, _)| what.as_str()).collect();
                vec![(format!("{n} 条：{} 等", first.join("；")), None)]
            }
            _ => news,
        };
        for channel in Channel::STAFF.into_iter().filter(|channel| channel.is_on(self.settings)) {
            for (what, order_id) in &news {
                let (topic, order_id) = (topic.word(), *order_id);
                store::put(self.tx, &New { channel, topic, what, order_id, subject: 0 })?;
            }
            jobs::enqueue(self.tx, Task::Gather(channel.number()), self.tx.now())?;
        }
        Ok(())
    }

    fn buyer(&self, letter: Letter, order: OrderId, subject: i64, at: i64) -> Result<()> {
        if self.settings.template(&letter.setting()).is_none() {
            return Ok(());
        }
        Ok(put_letter(self.tx, letter, order, subject, at)?)
    }
}

/// A letter to the buyer of an order, to be sent at `at`.
pub fn put_letter(tx: &Tx, letter: Letter, order: OrderId, subject: i64, at: i64) -> rusqlite::Result<()> {
    let (topic, what) = (letter.word(), letter.text());
    let new = New { channel: Channel::Buyers, topic, what, order_id: Some(order), subject };
    let id = store::put(tx, &new)?;
    jobs::enqueue(tx, Task::Tell(id), at)
}

/// Enough to know what it is about.
fn cut(text: &str) -> String {
    match text.chars().count() {
        n if n > 24 => text.chars().take(23).chain(['…']).collect(),
        _ => text.to_owned(),
    }
}
