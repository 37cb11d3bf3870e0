//! An order as lists, slips and its own page show it.

use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

use crate::buyers::addresses::Address;
use crate::catalogue::media::thumb;
use crate::catalogue::store as catalogue;
use crate::clock::{self, DAY};
use crate::error::Result;
use crate::ids::{OrderNo, ReturnId, SkuId};
use crate::orders::{Chip, Flag, Full, Line, OrderStatus, in_hand};

/// So long after the payment an order should have left.
const PROMISED: i64 = 2 * DAY;

#[derive(Serialize)]
pub struct Card {
    pub no: OrderNo,
    /// The number in two halves; the second is what people say aloud.
    head: String,
    tail: String,
    at: String,
    paid: Option<String>,
    status: OrderStatus,
    status_text: &'static str,
    chips: Vec<Value>,
    /// Money of it is on its way back: it leaves only when somebody says so.
    refunding: bool,
    /// How long it has been paid for and has not left.
    waited: Option<String>,
    waited_ms: Option<i64>,
    late: bool,
    /// Of the promised time, in percent.
    used: Option<i64>,
    pace: Option<&'static str>,
    pieces: i64,
    /// Of the goods that are shown: what is still to go while it waits for that, else all that was bought.
    shown: i64,
    /// What of it is not shown, because it has left or its money went back.
    apart: Option<String>,
    closed: Option<&'static str>,
    total: String,
    freight: Option<String>,
    remark: String,
    memo: String,
    flag: Option<Flag>,
    flag_text: Option<&'static str>,
    prints: i64,
    receiver: Option<String>,
    phone: Option<String>,
    region: Option<String>,
    delivery: &'static str,
    delivery_text: &'static str,
    tracking: Option<String>,
    pickup: Option<Fetched>,
    /// When it is brought or fetched.
    slot: Option<String>,
    pub pack: Vec<Packed>,
    why_nothing: Option<&'static str>,
    lines: Vec<Bought>,
    /// All of it in one line.
    all_goods: String,
    /// Further orders of the same buyer that are to be shipped; only a list counts them.
    pub others: Option<i64>,
}

/// How far goods are that somebody comes to fetch.
#[derive(Serialize)]
struct Fetched {
    state: &'static str,
    phone: String,
    ready: bool,
}

impl Fetched {
    fn of(full: &Full) -> Option<Fetched> {
        let pickup = full.pickup.as_ref()?;
        let waits = full.code_to_show().is_some();
        let state = match (full.order.status, pickup.ready_at) {
            (OrderStatus::PendingPayment, _) => "付款后生成取货码",
            (OrderStatus::Closed, _) => "取货码已作废",
            (OrderStatus::Shipped | OrderStatus::Completed, _) => "已取货",
            (OrderStatus::ToShip, _) if !waits => "没有要取的",
            (OrderStatus::ToShip, Some(_)) => "备好了，等买家来取",
            (OrderStatus::ToShip, None) => "备货中，取货码已给买家",
        };
        Some(Fetched { state, phone: pickup.masked_phone(), ready: pickup.ready_at.is_some() })
    }
}

/// What of a line is to go into the parcel.
#[derive(Serialize)]
pub struct Packed {
    #[serde(skip)]
    pub sku: SkuId,
    /// What a scanner may read from it; only the packing table asks.
    pub codes: Vec<String>,
    name: String,
    spec: String,
    n: i64,
    image: Option<String>,
}

/// What is to be packed for an exchange, as whoever packs it reads it.
#[derive(Serialize)]
pub struct Owed {
    pub case: ReturnId,
    #[serde(skip)]
    pub sku: SkuId,
    pub name: String,
    pub spec: String,
    pub n: i64,
}

/// What is to be packed for the exchanges of an order.
pub fn owed(conn: &Connection, full: &Full) -> Result<Vec<Owed>> {
    let shown = |owed: in_hand::Owed<'_>| {
        let skus = catalogue::skus_of(conn, owed.line.product_id)?;
        let (name, spec) = (owed.line.name.clone(), in_hand::spec_of(owed.line, &skus, owed.sku));
        Ok(Owed { case: owed.case, sku: owed.sku, name, spec, n: owed.n })
    };
    full.to_exchange().into_iter().map(shown).collect()
}

#[derive(Serialize)]
struct Bought {
    name: String,
    spec: String,
    quantity: i64,
    image: Option<String>,
}

impl Card {
    /// `flagged`: money of it waits for somebody to decide.
    pub fn of(full: &Full, flagged: bool, now: i64) -> Card {
        let Full { order, lines, shipments, .. } = full;
        let waited = order.paid_at.filter(|_| order.status == OrderStatus::ToShip).map(|at| now - at);
        let (head, tail) = order.order_no.as_str().split_at(12);
        let image = |line: &Line| line.image.as_ref().map(thumb);
        let packed = |(line, n): (&Line, i64)| Packed {
            sku: line.sku_id,
            codes: Vec::new(),
            name: line.name.clone(),
            spec: line.spec_text.clone(),
            n,
            image: image(line),
        };
        let bought = |(line, n): (&Line, i64)| Bought {
            name: line.name.clone(),
            spec: line.spec_text.clone(),
            quantity: n,
            image: image(line),
        };
        let to_go = full.to_pack();
        let all = lines.iter().map(|line| (line, line.quantity)).collect();
        let goods: Vec<(&Line, i64)> = if to_go.is_empty() { all } else { to_go };
        let shown: i64 = goods.iter().map(|(_, n)| n).sum();
        Card {
            no: order.order_no.clone(),
            head: head.to_owned(),
            tail: tail.to_owned(),
            at: clock::shown_near(order.created_at, now),
            paid: order.paid_at.map(|at| clock::shown_near(at, now)),
            status: order.status,
            status_text: full.status_text(),
            chips: full.chips(flagged).into_iter().map(Chip::json).collect(),
            refunding: full.is_refunding(),
            waited: waited.map(clock::span),
            waited_ms: waited,
            late: waited.is_some_and(|waited| waited >= DAY),
            used: waited.map(|waited| waited.clamp(0, PROMISED) * 100 / PROMISED),
            pace: waited.map(pace),
            pieces: lines.iter().map(|line| line.quantity).sum(),
            closed: order.closed_reason.map(|reason| reason.text()),
            total: order.total.to_string(),
            freight: (order.freight.get() > 0).then(|| order.freight.plain()),
            remark: order.masked_in(&order.remark),
            memo: order.memo.clone(),
            flag: order.flag,
            flag_text: order.flag.map(Flag::text),
            prints: order.prints,
            receiver: order.address.as_ref().map(|a| a.masked_receiver()),
            phone: order.address.as_ref().map(|a| a.masked_phone()),
            region: order.address.as_ref().map(Address::region),
            delivery: order.delivery.word(),
            delivery_text: order.delivery.text(),
            tracking: shipments.first().map(|shipment| shipment.parcel.text()),
            pickup: Fetched::of(full),
            slot: order.slot.map(|slot| slot.text()),
            pack: full.to_pack().into_iter().map(packed).collect(),
            why_nothing: full.why_nothing_to_pack(),
            all_goods: lines.iter().map(Line::text).collect::<Vec<_>>().join("，"),
            apart: apart(lines, shown),
            shown,
            lines: goods.into_iter().map(bought).collect(),
            others: None,
        }
    }

    /// The same with the buyer's words as they are, for whoever sees whole addresses and for what goes to the buyer.
    pub fn with_remark(self, remark: &str) -> Card {
        Card { remark: remark.to_owned(), ..self }
    }
}

/// What of an order's pieces is not among the so many that are shown.
fn apart(lines: &[Line], shown: i64) -> Option<String> {
    let sum = |of: fn(&Line) -> i64| lines.iter().map(of).sum::<i64>();
    let (back, gone) = (sum(|line| line.released), sum(|line| line.shipped));
    let parts: Vec<String> = [("已退", back), ("已发", gone)]
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(what, n)| format!("{what} {n}"))
        .collect();
    (sum(|line| line.quantity) > shown).then(|| parts.join(" · "))
}

fn pace(waited: i64) -> &'static str {
    match waited {
        waited if waited >= DAY => "late",
        waited if waited >= DAY / 2 => "mid",
        _ => "on-time",
    }
}

#[cfg(test)]
impl Owed {
    pub fn sample() -> Owed {
        Owed { case: ReturnId(7), sku: SkuId(2), name: "草莓蛋糕".into(), spec: "8 寸".into(), n: 1 }
    }
}

#[cfg(test)]
impl Card {
    pub fn sample() -> Card {
        let (name, spec) = ("草莓蛋糕".to_owned(), "6 寸".to_owned());
        Card {
            no: "261008131540ABCDEFGH".parse().unwrap(),
            head: "261008131540".into(),
            tail: "ABCDEFGH".into(),
            at: "13:15".into(),
            paid: Some("13:16".into()),
            status: OrderStatus::ToShip,
            status_text: "待发货",
            chips: vec![Chip::Refunding.json()],
            refunding: true,
            waited: Some("26 小时".into()),
            waited_ms: Some(26 * clock::HOUR),
            late: true,
            used: Some(26),
            pace: Some("late"),
            pieces: 2,
            shown: 2,
            apart: Some("已退 1".into()),
            closed: None,
            total: "57.00".into(),
            freight: Some("8".into()),
            remark: "少糖".into(),
            memo: "老客".into(),
            flag: Some(Flag::Red),
            flag_text: Some(Flag::Red.text()),
            prints: 1,
            receiver: Some("王*".into()),
            phone: Some("138****8000".into()),
            region: Some("浙江省杭州市".into()),
            delivery: "express",
            delivery_text: "快递",
            tracking: Some("顺丰速运 SF1234567890123".into()),
            pickup: Some(Fetched { state: "备好了，等买家来取", phone: "138****8000".into(), ready: true }),
            slot: Some("10-08 周四 14:00–15:00".into()),
            pack: vec![Packed {
                sku: SkuId(1),
                codes: vec!["6901234567892".into()],
                name: name.clone(),
                spec: spec.clone(),
                n: 2,
                image: None,
            }],
            why_nothing: None,
            all_goods: "草莓蛋糕 6 寸 ×2".into(),
            lines: vec![Bought { name, spec, quantity: 2, image: Some("/images/1.webp".into()) }],
            others: Some(1),
        }
    }

    /// One that says as little as an order can.
    pub fn bare() -> Card {
        Card {
            paid: None,
            status: OrderStatus::PendingPayment,
            status_text: "待付款",
            chips: Vec::new(),
            refunding: false,
            waited: None,
            waited_ms: None,
            late: false,
            used: None,
            pace: None,
            freight: None,
            remark: String::new(),
            memo: String::new(),
            flag: None,
            flag_text: None,
            prints: 0,
            receiver: None,
            phone: None,
            region: None,
            delivery: "pickup",
            delivery_text: "到店自提",
            tracking: None,
            pickup: None,
            slot: None,
            pack: Vec::new(),
            apart: None,
            others: None,
            ..Card::sample()
        }
    }
}
