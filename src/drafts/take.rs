//! Whoever opens a draft first has the order: placed at the price that was agreed on, its stock held like any other's.

use rusqlite::Connection;
use serde_json::json;

use super::{Agreed, Draft, DraftState, store, total};
use crate::buyers::Buyer;
use crate::buyers::addresses::Address;
use crate::buyers::store as buyers;
use crate::catalogue::{Delivery, store as catalogue};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::OrderId;
use crate::jobs::{self, Task};
use crate::money::Fen;
use crate::orders::freight::{carried, freights};
use crate::orders::quote::not_reached;
use crate::orders::{self, Numbers, Quote, QuoteLine, Topic, Who, moves, slots};
use crate::payments::close::SWEEP_AFTER;
use crate::settings::Settings;

/// What the buyer says of himself.
#[derive(Clone, Default)]
pub struct Said {
    pub address: Option<Address>,
    /// Of whoever comes to fetch it.
    pub phone: String,
    /// When it is brought or fetched, where that is chosen.
    pub slot: Option<String>,
    /// What he was shown that it comes to.
    pub expected: Option<i64>,
}

/// The order, and whether it was placed just now: its buyer may open the draft again.
pub fn take(
    tx: &Tx,
    draft: &Draft,
    buyer: &Buyer,
    said: Said,
    numbers: &Numbers,
    settings: &Settings,
) -> Result<(OrderId, bool)> {
    if let Some(order) = draft.order {
        return his_own(tx, order, buyer).map(|()| (order, false));
    }
    let now = tx.now();
    match draft.state(now) {
        DraftState::Open => {}
        DraftState::Withdrawn => return Err(gone("商家撤回了这张单，请联系商家")),
        _ => return Err(gone("这张单过期了，请联系商家再开一张")),
    }
    if buyers::is_blocked(tx, buyer.id)? {
        return Err(Code::BuyerBlocked.into());
    }
    // What staff wrote goes before what the buyer's phone sends.
    let address = draft.address.clone().or(said.address).filter(|_| draft.delivery.needs_address());
    if address.is_none() && draft.delivery.needs_address() {
        return Err(Code::AddressRequired.into());
    }
    let phone = if draft.delivery == Delivery::Pickup { said.phone } else { String::new() };
    let draft = &sent_to(tx, draft, address.as_ref(), settings)?;
    let mut quote = Quote { phone, ..quote(tx, draft, address)? };
    let offered = slots::slots(tx, draft.delivery, settings, now)?;
    let slot = slots::choose(&mut quote, offered, said.slot.as_deref());
    quote.problems.extend(slot);
    if let Some(problem) = quote.problems.first() {
        return Err(problem.clone());
    }
    if said.expected.is_some_and(|expected| expected != quote.total.get()) {
        let words = format!("寄到这个地址运费 ¥{}，一共 ¥{}，请确认后再下单", quote.freight, quote.total);
        let details = json!({ "freightFen": quote.freight, "totalFen": quote.total });
        return Err(Error::from(Code::PriceChanged).says(words).details(details));
    }
    let expires_at = now + settings.pay_window();
    let order = moves::place(tx, numbers, buyer.id, &quote, &draft.remark, expires_at)?;
    if !store::set_taken(tx, draft.id, order)? {
        return Err(gone("这张单刚刚被别人打开了"));
    }
    let what = format!("代客下单：{} 开的单，按谈好的 ¥{} 算", draft.staff, quote.total);
    orders::store::note(tx, order, &Who::staff(&draft.staff), Topic::Order, &what)?;
    jobs::enqueue(tx, Task::Expire(order), expires_at + SWEEP_AFTER)?;
    Ok((order, true))
}

fn his_own(tx: &Tx, order: OrderId, buyer: &Buyer) -> Result<()> {
    let order = orders::store::by_id(tx, order)?.ok_or(Code::NotFound)?;
    if order.buyer_id == buyer.id {
        Ok(())
    } else {
        Err(gone("这张单已经被别人打开了，谁先打开就是谁的"))
    }
}

fn gone(words: &str) -> Error {
    Error::from(Code::DraftUnavailable).says(words)
}

/// The draft as it goes to an address that its buyer says: where the shop does not send, it goes nowhere, and where nobody
/// agreed on a freight, it costs what it costs everybody there. What staff wrote themselves they had weighed.
pub fn sent_to(conn: &Connection, draft: &Draft, to: Option<&Address>, settings: &Settings) -> Result<Draft> {
    let Some(address) = to.filter(|_| draft.address.is_none()) else { return Ok(draft.clone()) };
    let carried = carried(conn, &Agreed::goods(&draft.lines))?;
    let found = freights(conn, &carried, draft.delivery, settings, address.place().as_ref())?;
    let found = found.filter(|found| !found.not_sent);
    let found = found.ok_or_else(|| not_reached(draft.delivery, address, settings))?;
    if !draft.usual_freight {
        return Ok(draft.clone());
    }
    let total = total(&draft.lines, found.sum).ok_or_else(|| gone("金额太大，请联系商家分开开单"))?;
    Ok(Draft { freight: found.sum, total, ..draft.clone() })
}

/// The agreed prices as an order takes them. Promotions have no part in what two people have settled between them, and
/// neither have limits nor the shelf; only stock has.
pub fn quote(conn: &Connection, draft: &Draft, address: Option<Address>) -> Result<Quote> {
    let (mut lines, mut short, mut goods) = (Vec::new(), Vec::new(), Fen::ZERO);
    for agreed in &draft.lines {
        let found = catalogue::for_sale(conn, agreed.sku)?.ok_or(Code::NotFound)?;
        let (available, quantity) = (found.sku.available().max(0), agreed.quantity);
        if quantity > available {
            short.push(json!({
                "skuId": agreed.sku, "name": found.product_name, "specText": found.sku.spec_text(),
                "quantity": quantity, "available": available,
            }));
        }
        let amount = agreed.price.times(quantity).unwrap_or_default();
        goods = goods.plus(amount).unwrap_or(goods);
        lines.push(QuoteLine {
            product_id: found.sku.product_id,
            sku_id: agreed.sku,
            name: found.product_name,
            spec_text: found.sku.spec_text(),
            image: found.sku.image.clone().or(found.cover),
            price: agreed.price,
            quantity,
            amount,
            off: Fen::ZERO,
            available,
            limit: None,
            limit_per_buyer: None,
        });
    }
    let problems = match short.first() {
        None => Vec::new(),
        Some(first) => {
            let words = format!("「{}」库存不够了，请联系商家", first["name"].as_str().unwrap_or_default());
            vec![Error::from(Code::OutOfStock).says(words).details(json!({ "lines": short }))]
        }
    };
    let (discounts, offers) = Default::default();
    Ok(Quote {
        lines,
        goods,
        freight: draft.freight,
        freights: Vec::new(),
        slots: Vec::new(),
        slot: None,
        discount: Fen::ZERO,
        total: draft.total,
        delivery: draft.delivery,
        address,
        phone: String::new(),
        discounts,
        offers,
        problems,
    })
}
