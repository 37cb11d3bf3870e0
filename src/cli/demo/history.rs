//! The demo's past: two weeks of trade, lived through before the doors open, on a clock that is set back. Orders,
//! payments, refunds and bills take the same ways as they do later; nothing is written past the rules.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use crate::buyers::{Buyer, store as buyers};
use crate::catalogue::Delivery;
use crate::catalogue::lists::{self, Listing};
use crate::catalogue::store as catalogue;
use crate::clock::{Clock, DAY, HOUR, MINUTE};
use crate::db::Tx;
use crate::door::ClientIp;
use crate::door::limits::Limits;
use crate::error::{Code, Error, Result};
use crate::ids::{OrderId, RefundId, SkuId};
use crate::money::Fen;
use crate::orders::{self, ClosedReason, Who};
use crate::parcels::Parcel;
use crate::payments::prepay::{self, Cashier, Payer, PrepayForm};
use crate::payments::refund::{self, RefundRequest, Refundable};
use crate::payments::{close, notify, notify_v3};
use crate::refunds::Origin;
use crate::shipping::{self, Sending};
use crate::shop::Shop;
use crate::simulator::{Paying, Simulator, TradeState, Ways};
use crate::worker;

/// How far back it begins.
pub const LONG: i64 = 14 * DAY;
/// An order comes about this often.
const EVERY: i64 = 7 * HOUR + 20 * MINUTE;
const RECEIVERS: [&str; 6] = ["王小样", "李示例", "陈样品", "赵演示", "周试用", "吴举例"];

/// What becomes of an order.
#[derive(Clone, Copy)]
enum Fate {
    Kept,
    /// Paid, and asked back before it is sent.
    Returned,
    /// One piece comes back after it was received.
    Partly,
    /// Never paid.
    Forgotten,
    Cancelled,
    /// Paid after it was cancelled.
    Late,
    /// Paid by somebody else.
    Stranger,
    /// Partly refunded in WeChat's own console.
    Console,
}

/// In the order in which they come, over and over.
const FATES: [Fate; 23] = {
    use Fate::*;
    [
        Kept, Kept, Forgotten, Kept, Partly, Kept, Cancelled, Kept, Kept, Returned, Kept, Kept, Late, Kept, Forgotten,
        Kept, Stranger, Kept, Kept, Console, Kept, Returned, Kept,
    ]
};

enum Act {
    Place(usize),
    Ship(OrderId),
    Pay(String, Paying),
    Ask(OrderId),
    Approve(RefundId),
    TakeBack(OrderId),
    ConsoleRefund(OrderId),
}

struct Past<'a> {
    shop: &'a Shop,
    /// Who does what staff do.
    account: &'a str,
    wechat: &'a Simulator,
    skus: Vec<SkuId>,
    buyers: Vec<Buyer>,
    /// What is still to happen, by time.
    acts: BTreeMap<(i64, usize), Act>,
    counted: usize,
}

/// Lives through it; `clock` ends at the present.
pub async fn live_through(shop: &Shop, wechat: &Simulator, clock: &Clock, account: &str) -> Result<()> {
    let (began, end) = (Instant::now(), clock.now());
    clock.advance(-LONG);
    // The doors are shut: what WeChat would call out is handed over, or asked for.
    wechat.ways(|ways| ways.refund_notices = false);
    let mut past =
        Past { shop, account, wechat, skus: skus(shop).await?, buyers: Vec::new(), acts: BTreeMap::new(), counted: 0 };
    for name in RECEIVERS {
        past.buyers.push(buyer(shop, wechat, name).await?);
    }
    worker::seed(shop).await?;
    let start = shop.now();
    for n in 0..(LONG / EVERY) as usize {
        past.later(start + EVERY * n as i64, Act::Place(n));
    }
    while let Some(((at, _), act)) = past.acts.pop_first() {
        if at > end {
            break;
        }
        past.pass(clock, at).await?;
        past.live(act).await?;
    }
    past.pass(clock, end).await?;
    // The clock has gone on meanwhile: the present is where it would be.
    let present = end + began.elapsed().as_millis() as i64;
    clock.advance(present - clock.now());
    wechat.ways(|ways| *ways = Ways::default());
    Ok(())
}

async fn skus(shop: &Shop) -> Result<Vec<SkuId>> {
    let read = |conn: &rusqlite::Connection| {
        let mut skus = Vec::new();
        let listing = Listing { limit: 100, ..Listing::default() };
        for item in lists::store::list(conn, &listing)? {
            let product = catalogue::product(conn, item.id)?;
            skus.extend(
                product
                    .iter()
                    .flat_map(|product| &product.skus)
                    .filter(|sku| sku.delivery != Delivery::Local)
                    .take(2)
                    .map(|sku| sku.id),
            );
        }
        Ok(skus)
    };
    shop.read(read).await
}

async fn buyer(shop: &Shop, wechat: &Simulator, name: &str) -> Result<Buyer> {
    let app_id = shop.account().ok_or_else(|| told("no merchant"))?.app_id().to_owned();
    let openid = wechat.openid(name);
    let write = move |tx: &Tx| {
        let (id, _) = buyers::buyer_with(tx, &app_id, &openid)?;
        Ok(Buyer { id, app_id: app_id.clone(), openid: openid.clone() })
    };
    shop.write(write).await
}

impl Past<'_> {
    fn later(&mut self, at: i64, act: Act) {
        self.counted += 1;
        self.acts.insert((at, self.counted), act);
    }

    /// Time passes, and the jobs that fall due are done.
    async fn pass(&self, clock: &Clock, until: i64) -> Result<()> {
        while clock.now() < until {
            clock.advance((until - clock.now()).min(HOUR));
            for _ in 0..10 {
                if worker::run_due(self.shop).await? == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn live(&mut self, act: Act) -> Result<()> {
        let (shop, now) = (self.shop, self.shop.now());
        let staff = Who::staff(self.account);
        match act {
            Act::Place(n) => self.place(n).await,
            Act::Pay(out_trade_no, paying) => self.pay(&out_trade_no, paying).await,
            Act::Ship(id) => {
                let tracking_no = format!("SF{:013}", 1_000_000_007 * id.0);
                let sending = Sending { parcel: Parcel::read("SF", &tracking_no)?, ..Sending::default() };
                shop.write(move |tx| shipping::ship(tx, id, &sending, &staff)).await.map(drop)
            }
            Act::Ask(id) => {
                let write = move |tx: &Tx| {
                    let full = refund::full_order(tx, id)?;
                    let (lines, freight) = Refundable::of(&full).whole();
                    let wish =
                        RefundRequest { lines, freight, reason: "不想要了".into(), description: String::new() };
                    refund::open(tx, &full, &wish, Origin::Buyer, false, &Who::buyer())
                };
                let refund = shop.write(write).await?;
                self.later(now + 20 * HOUR, Act::Approve(refund));
                Ok(())
            }
            Act::Approve(id) => shop.write(move |tx| refund::approve(tx, id, None, &staff)).await,
            Act::TakeBack(id) => {
                let write = move |tx: &Tx| {
                    let full = refund::full_order(tx, id)?;
                    let Some(line) = full.lines.first() else { return Ok(()) };
                    let mut lines = Refundable::of(&full).pieces(&[(line.id, 1)])?;
                    lines.iter_mut().for_each(|part| part.restock = true);
                    let (reason, description) = ("质量问题".into(), "包装破损，已寄回".into());
                    let wish = RefundRequest { lines, freight: Fen::ZERO, reason, description };
                    refund::open(tx, &full, &wish, Origin::Staff, true, &staff).map(drop)
                };
                shop.write(write).await
            }
            Act::ConsoleRefund(id) => {
                let full = shop.write(move |tx| refund::full_order(tx, id)).await?;
                let trade = self.wechat.trade(&format!("{}01", full.order.order_no));
                if let Some(transaction_id) = trade.and_then(|trade| trade.transaction_id) {
                    self.wechat.refund_by_console(&transaction_id, 500).map_err(told)?;
                }
                Ok(())
            }
        }
    }

    async fn place(&mut self, n: usize) -> Result<()> {
        let (shop, now) = (self.shop, self.shop.now());
        let fate = FATES[n % FATES.len()];
        let buyer = self.buyers[n * 5 % self.buyers.len()].clone();
        let first = self.skus[n * 17 % self.skus.len()];
        let mut items = vec![json!({ "skuId": first.to_string(), "quantity": 1 + usize::from(n.is_multiple_of(3)) })];
        if n % 4 == 1 {
            let second = self.skus[(n * 17 + 5) % self.skus.len()];
            items.push(json!({ "skuId": second.to_string(), "quantity": 1 }));
        }
        let address = json!({
            "receiver": RECEIVERS[n * 5 % RECEIVERS.len()], "phone": format!("1380000{:04}", n * 5 % RECEIVERS.len()),
            "province": "浙江省", "city": "杭州市", "district": "西湖区", "detail": format!("演示路 {} 号", n % 30 + 1),
        });
        let form = json!({ "items": items, "address": address });
        let form: PrepayForm = serde_json::from_value(form).map_err(|e| told(e.to_string()))?;
        let cashier = Cashier::of(shop)?;
        let key = shop.nonces.nonce_str().parse().map_err(|_| told("no key"))?;
        let payer = Payer { buyer: &buyer, ip: "127.0.0.1" };
        let placed = match prepay::place(shop, &cashier, payer, key, Vec::new(), form.check()?).await {
            // Sold out: the buyer goes away.
            Err(e) if e.code == Code::OutOfStock => return Ok(()),
            placed => placed?,
        };
        let id = placed.order;
        prepay::pay(shop, &cashier, payer, placed).await?;
        let read =
            move |conn: &rusqlite::Connection| Ok(orders::store::by_id(conn, id)?.ok_or(Code::NotFound)?.order_no);
        let number = format!("{}01", shop.read(read).await?);
        let soon = now + MINUTE;
        match fate {
            Fate::Forgotten => return Ok(()),
            Fate::Cancelled | Fate::Late => {
                close::cancel(shop, id, ClosedReason::BuyerCancelled, Who::buyer()).await?;
                if matches!(fate, Fate::Late) {
                    self.later(soon, Act::Pay(number, Paying::NoNotice));
                    self.later(now + 30 * HOUR, Act::Ship(id));
                }
                return Ok(());
            }
            Fate::Stranger => self.later(soon, Act::Pay(number, Paying::OtherPayer)),
            _ => self.later(soon, Act::Pay(number, Paying::NoNotice)),
        }
        match fate {
            Fate::Returned => self.later(now + 2 * HOUR, Act::Ask(id)),
            Fate::Partly => self.later(now + 4 * DAY, Act::TakeBack(id)),
            Fate::Console => self.later(now + 30 * HOUR, Act::ConsoleRefund(id)),
            _ => {}
        }
        if !matches!(fate, Fate::Returned) {
            self.later(now + 30 * HOUR, Act::Ship(id));
        }
        Ok(())
    }

    /// Paid at WeChat; the notice is heard.
    async fn pay(&self, out_trade_no: &str, paying: Paying) -> Result<()> {
        let trade = self.wechat.trade(out_trade_no).ok_or_else(|| told("no trade"))?;
        let (prepay_id, _) = trade.prepay_ids.last().ok_or_else(|| told("no prepay_id"))?;
        // By API v3 a cancelled order is closed at once; somebody at the PIN pad pays all the same.
        let paying = if trade.state == TradeState::Closed { Paying::Late } else { paying };
        self.wechat.pay_unheard(prepay_id, paying).map_err(told)?;
        let (limits, ip) = (Limits::default(), ClientIp("127.0.0.1".into()));
        if let Some(notice) = self.wechat.notice_v3(out_trade_no, None) {
            // One that is not taken in is asked about, as in a shop of today.
            let _ = notify_v3::take_in(self.shop, &limits, ip, &notice.headers.into(), notice.body).await;
        } else if let Some(xml) = self.wechat.notice(out_trade_no) {
            notify::hear(self.shop, &limits, xml.into_bytes(), ip).await;
        }
        Ok(())
    }
}

fn told(words: impl Into<String>) -> Error {
    Error::from(Code::Internal).says(words.into())
}
