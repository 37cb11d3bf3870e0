//! Quotes: what these goods cost now, and what stands in the way of buying them.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::freight::{Carried, Part, freights};
use super::slots::{self, SlotView};
use super::{Quote, QuoteLine, store};
use crate::buyers::addresses::{self, Address, AddressForm};
use crate::buyers::{Buyer, store as buyers};
use crate::catalogue::media::Widths;
use crate::catalogue::{Delivery, store as catalogue};
use crate::clock::rfc3339;
use crate::error::{Code, Error, Result};
use crate::ids::{AddressId, ImageHash, ProductId, PromotionId, SkuId};
use crate::money::Fen;
use crate::promotions::best::{Cart, Choice, Goods, Offers};
use crate::promotions::{Coupon, CouponRef, Discount, Given, Kind, give, store as promotions};
use crate::settings::Settings;

/// Kinds of goods in one order, or one cart.
pub const MOST_LINES: usize = 50;
/// Pieces of one SKU.
pub const MOST_PIECES: i64 = 999;

/// What a client asks for. It never says a price.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuoteForm {
    pub items: Vec<ItemForm>,
    pub address_id: Option<String>,
    pub address: Option<AddressForm>,
    pub delivery: Option<String>,
    /// Of whoever comes to fetch it.
    pub pickup_phone: Option<String>,
    /// When it is brought or fetched: one of those that the quote offers.
    pub slot_id: Option<String>,
    /// Which coupon is used: its id, `none`, or the best one when nothing is said.
    pub coupon_id: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ItemForm {
    pub sku_id: String,
    pub quantity: i64,
}

/// A checked wish: SKUs with positive quantities, each once.
#[derive(Clone, Debug)]
pub struct Selection {
    items: Vec<(SkuId, i64)>,
    address_id: Option<AddressId>,
    address: Option<Address>,
    delivery: Option<Delivery>,
    phone: String,
    slot: Option<String>,
    coupon: Choice,
}

impl QuoteForm {
    pub fn check(self) -> Result<Selection> {
        if !(1..=MOST_LINES).contains(&self.items.len()) {
            return Err(Error::field("items", format!("请选择 1 到 {MOST_LINES} 种商品")));
        }
        let mut merged: BTreeMap<SkuId, i64> = BTreeMap::new();
        let mut order = Vec::new();
        for (i, item) in self.items.iter().enumerate() {
            let sku = item.sku_id.parse::<SkuId>().map_err(|_| Error::from(Code::NotFound).says("商品规格不存在"))?;
            let quantity = merged.entry(sku).or_insert_with(|| {
                order.push(sku);
                0
            });
            *quantity = quantity.saturating_add(item.quantity);
            if item.quantity < 1 || *quantity > MOST_PIECES {
                let at = format!("items[{i}].quantity");
                return Err(Error::field(at, format!("购买数量应在 1 到 {MOST_PIECES} 之间")));
            }
        }
        if self.address_id.is_some() && self.address.is_some() {
            return Err(Error::field("address", "addressId 和 address 只能给一个"));
        }
        let delivery = self.delivery.map(|word| {
            word.parse::<Delivery>()
                .map_err(|()| Error::field("delivery", "配送方式只能是 express、local、pickup 或 none"))
        });
        let address_id = self.address_id.as_deref().map(addresses::id);
        let coupon = match self.coupon_id.as_deref() {
            None => Choice::Best,
            Some("none") => Choice::None,
            Some(id) => {
                Choice::This(id.parse().map_err(|_| Error::from(Code::NotFound).says("没有这张优惠券，请重新选择"))?)
            }
        };
        Ok(Selection {
            slot: self.slot_id,
            coupon,
            items: order.into_iter().map(|sku| (sku, merged[&sku])).collect(),
            address_id: address_id.transpose()?,
            address: self.address.map(|form| form.check("address.")).transpose()?,
            delivery: delivery.transpose()?,
            phone: self
                .pickup_phone
                .map(|phone| addresses::phone(&phone, "pickupPhone"))
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

/// Prices the wish from the rows of this moment. Fails only for what cannot be priced at all.
pub fn quote(
    conn: &Connection,
    wish: &Selection,
    buyer: Option<&Buyer>,
    settings: &Settings,
    now: i64,
) -> Result<Quote> {
    let mut lines = Vec::new();
    let mut goods_on_their_way = Vec::new();
    for (sku_id, quantity) in &wish.items {
        let found = catalogue::for_sale(conn, *sku_id)?
            .ok_or_else(|| Error::from(Code::NotFound).says("商品规格不存在").details(json!({ "skuId": sku_id })))?;
        if !found.on_sale {
            let details = json!({ "skuId": sku_id, "name": found.product_name });
            return Err(Error::from(Code::ProductOffShelf)
                .says(format!("「{}」已下架，请从购物车移除", found.product_name))
                .details(details));
        }
        let amount = found.sku.price.times(*quantity).ok_or_else(too_much)?;
        goods_on_their_way.push((found.sku.delivery, Carried::of(&found, *quantity, amount)));
        lines.push(QuoteLine {
            product_id: found.sku.product_id,
            sku_id: *sku_id,
            name: found.product_name,
            spec_text: found.sku.spec_text(),
            image: found.sku.image.clone().or(found.cover),
            price: found.sku.price,
            quantity: *quantity,
            amount,
            off: Fen::ZERO,
            available: found.sku.available().max(0),
            limit: found.sku.limit_per_order.or(settings.limit_per_order()),
            limit_per_buyer: found.limit_per_buyer,
        });
    }
    let goods = lines.iter().try_fold(Fen::ZERO, |sum, line| sum.plus(line.amount)).ok_or_else(too_much)?;
    let ways: Vec<Delivery> = goods_on_their_way.iter().map(|(way, _)| *way).collect();
    let delivery = delivery(&ways, wish.delivery);
    let parted = parted(&lines, &ways, delivery);
    // Of goods that cannot go in one order, those that go another way cost nothing here.
    let carry = |(way, carried): (Delivery, Carried)| match way {
        Delivery::None => Carried::nothing(carried.amount),
        other if other != delivery && wish.delivery.is_none() => Carried::nothing(Fen::ZERO),
        _ => carried,
    };
    let carried: Vec<Carried> = goods_on_their_way.into_iter().map(carry).collect();
    let address = match (wish.address_id, buyer) {
        (Some(id), Some(buyer)) => {
            let saved = buyers::address(conn, buyer.id, id)?;
            Some(saved.ok_or_else(addresses::unknown)?.address)
        }
        (Some(_), None) => return Err(Code::Unauthenticated.into()),
        (None, _) => wish.address.clone(),
    };
    let place = address.as_ref().and_then(Address::place);
    let found = freights(conn, &carried, delivery, settings, place.as_ref())?.ok_or_else(too_much)?;
    let total = goods.plus(found.sum).ok_or_else(too_much)?;
    let (discount, discounts, offers) = Default::default();
    let mut quote = Quote {
        lines,
        goods,
        freight: found.sum,
        freights: found.parts,
        slots: Vec::new(),
        slot: None,
        discount,
        total,
        delivery,
        address,
        phone: if delivery == Delivery::Pickup { wish.phone.clone() } else { String::new() },
        discounts,
        offers,
        problems: Vec::new(),
    };
    let lost = cheapen(conn, &mut quote, wish.coupon, buyer, settings.gives_away(), found.can_go, now)?;
    let too_many = buyer.map(|buyer| too_many(conn, &quote.lines, buyer)).transpose()?.flatten();
    let slot = slots::choose(&mut quote, slots::slots(conn, delivery, settings, now)?, wish.slot.as_deref());
    quote.problems = problems(&quote, too_many, parted, !found.not_sent, settings);
    quote.problems.extend(slot);
    quote.problems.extend(lost);
    if let Some(buyer) = buyer
        && buyers::is_blocked(conn, buyer.id)?
    {
        quote.problems.insert(0, Code::BuyerBlocked.into());
    }
    Ok(quote)
}

/// Takes the best promotions off the quote. Answers with why a coupon that was asked for is not among them.
fn cheapen(
    conn: &Connection,
    quote: &mut Quote,
    choice: Choice,
    buyer: Option<&Buyer>,
    may_be_free: bool,
    freight_can_go: bool,
    now: i64,
) -> Result<Option<Error>> {
    let automatic = promotions::running(conn, Given::Everybody, now)?;
    let first_order = buyer.map_or(Ok(false), |buyer| promotions::is_new_customer(conn, buyer.id))?;
    let mut held = buyer.map_or(Ok(Vec::new()), |buyer| promotions::usable(conn, buyer.id, now))?;
    if let Some(buyer) = buyer.filter(|_| first_order) {
        held.extend(give::firsts(conn, buyer.id, now)?);
    }
    let lost =
        |why: &str| Some(Error::from(Code::CouponUnavailable).says(format!("这张优惠券现在不能用：{why}，请重新选择")));
    if automatic.is_empty() && held.is_empty() {
        return Ok(if matches!(choice, Choice::This(_)) { lost("它已经用掉或失效") } else { None });
    }
    let goods = |line: &QuoteLine| {
        let categories = promotions::categories_of(conn, line.product_id)?;
        Ok(Goods { product: line.product_id, categories, amount: line.amount })
    };
    let goods = quote.lines.iter().map(goods).collect::<Result<_>>()?;
    let cart = Cart { goods, freight: quote.freight, freight_can_go, may_be_free, first_order };
    quote.offers = Offers { cart, automatic, held, choice };
    let best = quote.offers.best();
    quote.discount = best.off_goods();
    quote.freight = quote.freight.minus(best.freight_off).unwrap_or_default();
    quote.total = quote.goods.minus(quote.discount).and_then(|left| left.plus(quote.freight)).ok_or_else(too_much)?;
    for (line, off) in quote.lines.iter_mut().zip(&best.off) {
        line.off = *off;
    }
    let used = best.discounts.iter().find_map(|discount| discount.coupon);
    quote.discounts = best.discounts;
    Ok(match choice {
        Choice::This(wanted) if used != Some(wanted) => {
            let why = quote.offers.coupons().find(|(coupon, _)| coupon.is == wanted).map(|(_, why)| why);
            let why = why.map(|why| why.unwrap_or_else(|| "它不能让这一单更便宜".to_owned()));
            lost(why.as_deref().unwrap_or("它已经用掉或失效"))
        }
        _ => None,
    })
}

fn too_much() -> Error {
    Error::field("items", "订单金额太大，请分开下单")
}

/// One way for the whole order: what the goods need, which the buyer may name but not change.
fn delivery(needed: &[Delivery], asked: Option<Delivery>) -> Delivery {
    let way = needed.iter().copied().find(|way| *way != Delivery::None);
    asked.or(way).unwrap_or(Delivery::None)
}

/// Why these goods cannot go in one order that way: which go how, for a buyer to take some of them first.
fn parted(lines: &[QuoteLine], ways: &[Delivery], delivery: Delivery) -> Option<Error> {
    let mut groups: Vec<(Delivery, Vec<&QuoteLine>)> = Vec::new();
    for (line, way) in lines.iter().zip(ways).filter(|(_, way)| **way != Delivery::None) {
        match groups.iter_mut().find(|(other, _)| other == way) {
            Some((_, group)) => group.push(line),
            None => groups.push((*way, vec![line])),
        }
    }
    let named = |(way, group): &(Delivery, Vec<&QuoteLine>)| {
        let names: Vec<String> = group.iter().take(2).map(|line| format!("「{}」", line.name)).collect();
        let more = if group.len() > 2 { "等" } else { "" };
        format!("{}{more}要{}", names.concat(), way.text())
    };
    let words = match groups.as_slice() {
        [] if delivery == Delivery::None => return None,
        [] => "这些商品无需配送，请不要选配送方式".to_owned(),
        [(way, _)] if *way == delivery => return None,
        [one] => format!("{}，不能用{}，请更换配送方式", named(one), delivery.text()),
        all => format!("{}，不能放在一单里，请分开结算", all.iter().map(named).collect::<Vec<_>>().join("，")),
    };
    let groups = groups.iter().map(|(way, group)| {
        json!({
            "delivery": way, "deliveryText": way.text(), "skuIds": group.iter().map(|line| line.sku_id).collect::<Vec<_>>(),
            "pieces": group.iter().map(|line| line.quantity).sum::<i64>(),
        })
    });
    let details = json!({ "groups": groups.collect::<Vec<_>>() });
    Some(Error::from(Code::NotDeliverable).says(words).details(details))
}

/// In the order in which a buyer should hear of them.
fn problems(
    quote: &Quote,
    too_many: Option<Error>,
    parted: Option<Error>,
    reached: bool,
    settings: &Settings,
) -> Vec<Error> {
    let mut problems = Vec::new();
    if !settings.is_open() {
        problems.push(Code::ShopClosed.into());
    }
    let short: Vec<&QuoteLine> = quote.lines.iter().filter(|line| line.quantity > line.available).collect();
    if let Some(first) = short.first() {
        let words = match first.available {
            0 => format!("「{}」已售罄", first.name),
            n => format!("「{}」只剩 {n} 件了，请减少数量", first.name),
        };
        let lines: Vec<Value> = short
            .iter()
            .map(|line| {
                json!({
                    "skuId": line.sku_id, "name": line.name, "specText": line.spec_text,
                    "quantity": line.quantity, "available": line.available,
                })
            })
            .collect();
        problems.push(Error::from(Code::OutOfStock).says(words).details(json!({ "lines": lines })));
    }
    for line in &quote.lines {
        if let Some(limit) = line.limit.filter(|limit| line.quantity > *limit) {
            let words = format!("「{}」每单限购 {limit} 件", line.name);
            let details = json!({ "skuId": line.sku_id, "limitPerOrder": limit, "quantity": line.quantity });
            problems.push(Error::from(Code::PurchaseLimit).says(words).details(details));
        }
    }
    problems.extend(too_many);
    problems.extend(parted);
    match &quote.address {
        None if quote.delivery.needs_address() => problems.push(Code::AddressRequired.into()),
        Some(address) if !reached => problems.push(not_reached(quote.delivery, address, settings)),
        _ => {}
    }
    if let Some(least) = least(quote.delivery, settings).filter(|least| quote.goods < *least) {
        let missing = least.minus(quote.goods).unwrap_or_default();
        let way = if quote.delivery == Delivery::Local { "起送" } else { "发货" };
        let words = format!("商品满 ¥{least} 才{way}，还差 ¥{missing}");
        let details = json!({ "leastFen": least, "missingFen": missing });
        problems.push(Error::from(Code::OrderMinimum).says(words).details(details));
    }
    let given_away = settings.gives_away() && !quote.discounts.is_empty();
    if quote.total == Fen::ZERO && !given_away {
        problems.push(Error::field("items", "订单金额为 0，暂不支持零元下单"));
    }
    problems
}

/// The goods do not go there that way.
pub fn not_reached(way: Delivery, address: &Address, settings: &Settings) -> Error {
    let words = match way {
        Delivery::Local if !settings.local_area().is_empty() => {
            format!("这个地址不在同城配送范围内：{}", settings.local_area())
        }
        Delivery::Local => format!("{}不在同城配送范围内，请换一个地址", address.region()),
        _ => format!("暂时不能发货到{}，请换一个地址", address.region()),
    };
    Error::from(Code::NotDeliverable).says(words)
}

/// What goods must come to so that they are sent or brought, by their own prices.
fn least(way: Delivery, settings: &Settings) -> Option<Fen> {
    match way {
        Delivery::Express => settings.express_least(),
        Delivery::Local => settings.local_least(),
        Delivery::Pickup | Delivery::None => None,
    }
}

/// The first product of which this buyer would have more than one person may, in this order and those that stand.
fn too_many(conn: &Connection, lines: &[QuoteLine], buyer: &Buyer) -> Result<Option<Error>> {
    for line in lines {
        let Some(limit) = line.limit_per_buyer else { continue };
        let quantity: i64 = lines.iter().filter(|l| l.product_id == line.product_id).map(|l| l.quantity).sum();
        let bought = store::pieces_of_buyer(conn, buyer.id, line.product_id)?;
        if bought + quantity > limit {
            let words = match (bought, limit - bought) {
                (0, _) => format!("「{}」每人限购 {limit} 件", line.name),
                (_, 1..) => {
                    format!("「{}」每人限购 {limit} 件，您已买 {bought} 件，还可以买 {} 件", line.name, limit - bought)
                }
                _ => format!("「{}」每人限购 {limit} 件，您已买 {bought} 件", line.name),
            };
            let details = json!({
                "productId": line.product_id, "limitPerBuyer": limit, "bought": bought, "quantity": quantity,
            });
            return Ok(Some(Error::from(Code::PurchaseLimit).says(words).details(details)));
        }
    }
    Ok(None)
}

/// A quote as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteView {
    lines: Vec<QuoteLineView>,
    goods_fen: Fen,
    freight_fen: Fen,
    /// How freight was reckoned, before promotions: rule by rule.
    freights: Vec<FreightView>,
    discount_fen: Fen,
    total_fen: Fen,
    delivery: Delivery,
    delivery_text: &'static str,
    /// The buyer is to leave a phone number: he comes to fetch it.
    needs_phone: bool,
    /// Times that can be booked; empty where none is to be chosen.
    slots: Vec<SlotView>,
    /// What was chosen of them.
    slot_id: Option<String>,
    /// Why it is cheaper.
    discounts: Vec<DiscountView>,
    /// What the buyer holds, and whether it helps here.
    coupons: Vec<HeldView>,
    /// What a little more would bring, in words.
    hints: Vec<String>,
    warnings: Vec<Value>,
}

/// What goods that go by one rule cost to send, and why.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FreightView {
    name: String,
    text: String,
    fee_fen: Fen,
    goods_fen: Fen,
    pieces: i64,
    weight_grams: i64,
}

impl From<&Part> for FreightView {
    fn from(part: &Part) -> FreightView {
        FreightView {
            name: part.name.clone(),
            text: part.fee.text.clone(),
            fee_fen: part.fee.fee,
            goods_fen: part.load.goods,
            pieces: part.load.pieces,
            weight_grams: part.load.grams,
        }
    }
}

/// A promotion that made an order cheaper, as the mini-program sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscountView {
    promotion_id: PromotionId,
    kind: Kind,
    name: String,
    text: String,
    coupon_id: Option<CouponRef>,
    amount_fen: Fen,
    freight_fen: Fen,
}

impl From<&Discount> for DiscountView {
    fn from(discount: &Discount) -> DiscountView {
        DiscountView {
            promotion_id: discount.promotion,
            kind: discount.kind,
            name: discount.name.clone(),
            text: discount.words.clone(),
            coupon_id: discount.coupon,
            amount_fen: discount.goods,
            freight_fen: discount.freight,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeldView {
    id: CouponRef,
    name: String,
    text: String,
    ends_at: Option<String>,
    usable: bool,
    used: bool,
    /// Why it does not help.
    reason: Option<String>,
}

impl HeldView {
    fn new(coupon: &Coupon, why: Option<&str>, discounts: &[Discount]) -> HeldView {
        let terms = &coupon.promotion.terms;
        HeldView {
            id: coupon.is,
            name: terms.name.clone(),
            text: terms.text(),
            ends_at: coupon.ends_at.map(rfc3339),
            usable: why.is_none(),
            used: discounts.iter().any(|discount| discount.coupon == Some(coupon.is)),
            reason: why.map(str::to_owned),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QuoteLineView {
    product_id: ProductId,
    sku_id: SkuId,
    name: String,
    spec_text: String,
    image_url: Option<String>,
    image: Option<Widths>,
    price_fen: Fen,
    quantity: i64,
    amount_fen: Fen,
    discount_fen: Fen,
    available: i64,
}

impl QuoteView {
    pub fn new(quote: &Quote, now: i64) -> QuoteView {
        QuoteView {
            lines: quote
                .lines
                .iter()
                .map(|line| QuoteLineView {
                    product_id: line.product_id,
                    sku_id: line.sku_id,
                    name: line.name.clone(),
                    spec_text: line.spec_text.clone(),
                    image_url: line.image.as_ref().map(ImageHash::url),
                    image: line.image.as_ref().map(Widths::from),
                    price_fen: line.price,
                    quantity: line.quantity,
                    amount_fen: line.amount,
                    discount_fen: line.off,
                    available: line.available.min(crate::catalogue::stock::SHOWN_AT_MOST),
                })
                .collect(),
            goods_fen: quote.goods,
            freight_fen: quote.freight,
            freights: quote.freights.iter().map(FreightView::from).collect(),
            discount_fen: quote.discount,
            total_fen: quote.total,
            delivery: quote.delivery,
            delivery_text: quote.delivery.text(),
            needs_phone: quote.delivery == Delivery::Pickup,
            slots: SlotView::all(&quote.slots, now),
            slot_id: quote.slot.map(|slot| slot.id()),
            discounts: quote.discounts.iter().map(DiscountView::from).collect(),
            coupons: quote
                .offers
                .coupons()
                .map(|(coupon, why)| HeldView::new(coupon, why.as_deref(), &quote.discounts))
                .collect(),
            hints: quote.offers.hints(),
            warnings: quote
                .problems
                .iter()
                .map(|p| json!({ "code": p.code.word(), "message": p.message(), "details": p.details }))
                .collect(),
        }
    }
}
