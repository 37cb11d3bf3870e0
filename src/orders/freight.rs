//! What bringing an order's goods costs: each rule for its own goods, and the sum of them.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::catalogue::Delivery;
use crate::catalogue::store::{self as catalogue, ForSale};
use crate::error::Result;
use crate::freight::{Fee, Load, Rate, store as templates};
use crate::ids::{FreightId, SkuId};
use crate::money::Fen;
use crate::places::Place;
use crate::settings::Settings;
use crate::settings::regions::Freight;

/// Goods of one line, as freight sees them.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    /// None for the shop's own rule.
    pub template: Option<FreightId>,
    pub amount: Fen,
    pub pieces: i64,
    /// Of one piece, in grams.
    pub weight: i64,
}

impl Carried {
    /// Goods that need no sending: their sum counts for the shop's own rule, where other goods go by it.
    pub fn nothing(amount: Fen) -> Carried {
        Carried { template: None, amount, pieces: 0, weight: 0 }
    }

    pub fn of(found: &ForSale, pieces: i64, amount: Fen) -> Carried {
        Carried { template: found.freight, amount, pieces, weight: found.sku.weight }
    }
}

/// Goods that are known by number, as freight sees them; what is no longer there is not carried.
pub fn carried(conn: &Connection, goods: &[(SkuId, i64, Fen)]) -> Result<Vec<Carried>> {
    let one = |(sku, pieces, amount): &(SkuId, i64, Fen)| {
        let sent = catalogue::for_sale(conn, *sku)?.filter(|found| found.sku.delivery != Delivery::None);
        Ok(sent.map_or(Carried::nothing(*amount), |found| Carried::of(&found, *pieces, *amount)))
    };
    goods.iter().map(one).collect()
}

/// What goods that go by one rule cost, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub load: Load,
    pub fee: Fee,
}

/// All of it. What is not sent by express costs nothing; what is not brought keeps its price, for another address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freights {
    pub parts: Vec<Part>,
    pub sum: Fen,
    /// Some of the goods do not go there.
    pub not_sent: bool,
    /// Nothing of it is for ever: a promotion may take it off.
    pub can_go: bool,
}

/// Each rule's goods together, in the order in which they come up. `None` where a sum is more than there is money.
fn loads(carried: &[Carried]) -> Option<Vec<(Option<FreightId>, Load)>> {
    let (mut order, mut loads): (Vec<Option<FreightId>>, BTreeMap<Option<FreightId>, Load>) = Default::default();
    let (sent, beside): (Vec<&Carried>, Vec<&Carried>) = carried.iter().partition(|one| one.pieces > 0);
    for one in sent {
        let load = loads.entry(one.template).or_insert_with(|| {
            order.push(one.template);
            Load::default()
        });
        load.goods = load.goods.plus(one.amount)?;
        load.pieces = load.pieces.checked_add(one.pieces)?;
        load.grams = load.grams.checked_add(one.weight.checked_mul(one.pieces)?)?;
    }
    for one in beside {
        if let Some(own) = loads.get_mut(&None) {
            own.goods = own.goods.plus(one.amount)?;
        }
    }
    Some(order.into_iter().map(|template| (template, loads[&template])).collect())
}

/// What it costs that these goods come to this place that way. `Ok(None)` where a sum is more than there is money.
pub fn freights(
    conn: &Connection,
    carried: &[Carried],
    way: Delivery,
    settings: &Settings,
    to: Option<&Place>,
) -> Result<Option<Freights>> {
    let mut all = Freights { can_go: true, ..Freights::default() };
    // What the shop does not send to at all, it neither sends nor brings to.
    let region = to.and_then(|to| settings.regions.freight_to(to));
    let never = region == Some(Freight::NotSent);
    let Some(loads) = loads(carried) else { return Ok(None) };
    match way {
        Delivery::Pickup | Delivery::None => {}
        Delivery::Local => {
            let whole = loads.iter().try_fold(Load::default(), |sum, (_, load)| plus(sum, load));
            let Some(load) = whole else { return Ok(None) };
            all.not_sent = never || !settings.regions.brings_to(to);
            let (fee, text) = settings.local_freight(load.goods);
            all.parts.push(Part { name: way.text().to_owned(), load, fee: Fee { fee, text, always: false } });
        }
        Delivery::Express => {
            for (template, load) in loads {
                let template = template.map(|id| templates::by_id(conn, id)).transpose()?.flatten();
                let (name, rate) = match &template {
                    None => (Delivery::Express.text(), Some(own(settings, load.goods, region))),
                    Some(template) => {
                        let named = to.is_some_and(|to| template.terms.names(to));
                        let rate = match template.terms.rate(to) {
                            Rate::Price(price) if named || !never => template.terms.fee(&price, &load).map(Some),
                            Rate::Price(_) | Rate::NotSent => Some(None),
                        };
                        (template.terms.name.as_str(), rate)
                    }
                };
                match rate {
                    None => return Ok(None),
                    Some(None) => all.not_sent = true,
                    Some(Some(fee)) => all.parts.push(Part { name: name.to_owned(), load, fee }),
                }
            }
        }
    }
    if all.not_sent && way == Delivery::Express {
        all.parts.clear();
    }
    all.can_go = !all.parts.iter().any(|part| part.fee.always);
    let sum = all.parts.iter().try_fold(Fen::ZERO, |sum, part| sum.plus(part.fee.fee));
    Ok(sum.map(|sum| Freights { sum, ..all }))
}

fn plus(sum: Load, load: &Load) -> Option<Load> {
    Some(Load {
        goods: sum.goods.plus(load.goods)?,
        pieces: sum.pieces.checked_add(load.pieces)?,
        grams: sum.grams.checked_add(load.grams)?,
    })
}

/// The shop's own rule: a sum per order, or the region's own, which nothing waives. `None`: not sent.
fn own(settings: &Settings, goods: Fen, region: Option<Freight>) -> Option<Fee> {
    match region {
        Some(Freight::NotSent) => None,
        Some(Freight::Fee(fee)) => Some(Fee { fee, text: format!("这个地区每单 ¥{fee}"), always: true }),
        None => {
            let (fee, text) = settings.freight(goods);
            Some(Fee { fee, text, always: false })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::regions::Regions;

    #[test]
    fn some_provinces_have_a_freight_of_their_own() {
        let (settings, regions) = (Settings::default(), Regions::read("新疆:20；西藏：25.50；台湾:不发货", ""));
        for (province, fee) in [
            ("", Some((0, false))),
            ("浙江省", Some((0, false))),
            ("新疆维吾尔自治区", Some((2000, true))),
            ("西藏自治区", Some((2550, true))),
            ("台湾省", None),
        ] {
            let region = Place::of(province, "", "", "").and_then(|place| regions.freight_to(&place));
            for goods in [100, 9_900] {
                let found = own(&settings, Fen::new(goods).unwrap(), region);
                assert_eq!(found.map(|one| (one.fee.get(), one.always)), fee, "{goods} {province}");
            }
        }
    }
}
