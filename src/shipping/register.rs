//! Telling WeChat how an order left, so that it settles the payment: once, when everything has left and nothing can be
//! taken back any more; and once more when a tracking number was corrected.

use rusqlite::Connection;

use super::{Told, UNDO_WITHIN, store};
use crate::catalogue::Delivery;
use crate::clock;
use crate::db::Tx;
use crate::error::Result;
use crate::ids::{LineId, OrderId};
use crate::jobs::Ran;
use crate::ledger::{Entered, store as ledger};
use crate::message_log::{Logged, Verdict};
use crate::orders::{Line, Order, OrderStatus, Shipment, Topic, Who, store as orders};
use crate::returns::{Resend, store as returns};
use crate::shop::Shop;
use crate::wechat::GatewayError;
use crate::wechat::mini_program::MiniProgram;
use crate::wechat::register::{Dispatch, MOST_PARCELS, OrderKey, ShippingItem, Way};

/// WeChat does not find the payment: not yet, or not by this number.
const UNKNOWN: &str = "10060001";
/// WeChat takes one upload and one correction of each payment.
const MOST_TIMES: i64 = 2;

/// What there is to tell.
struct Tale {
    order: OrderId,
    /// Until then a parcel may be taken back.
    final_at: i64,
    dispatch: Dispatch,
    payment: Entered,
    /// The same for the same parcels.
    content: String,
    told: Option<Told>,
}

pub async fn tell(shop: &Shop, order: OrderId) -> Result<Ran> {
    let Some(app) = shop.settings().mini_program() else { return Ok(Ran::Done) };
    let at = clock::rfc3339_ms(shop.now());
    let Some(tale) = shop.read(move |conn| read(conn, order, at)).await? else { return Ok(Ran::Done) };
    // A parcel of a clock that ran ahead has left by now.
    if (tale.final_at - UNDO_WITHIN..tale.final_at).contains(&shop.now()) {
        return Ok(Ran::Again { at: tale.final_at });
    }
    if tale.dispatch.parcels.len() > MOST_PARCELS {
        return Ok(by_hand(&format!("包裹超过 {MOST_PARCELS} 个，接口收不下")));
    }
    match &tale.told {
        Some(told) if told.content == tale.content => return Ok(Ran::Done),
        Some(told) if told.times >= MOST_TIMES => return Ok(by_hand("微信只收一次更正，已经用过了")),
        _ => {}
    }
    if tale.payment.app_id.as_ref().is_some_and(|app_id| *app_id != app.app_id) {
        return Ok(by_hand("这笔款是在原来的小程序里付的，要用它的接口上传"));
    }
    let wanted = shop.wechat.wants_register(&app).await;
    if let Ok(wanted) = wanted.result
        && shop.read(|conn| Ok(super::duty::wanted(conn)?)).await? != Some(wanted)
    {
        shop.write(move |tx| Ok(super::duty::note_wanted(tx, wanted)?)).await?;
    }
    match &wanted.result {
        Ok(true) => {}
        Ok(false) => return Ok(Ran::Done),
        Err(e) => {
            let (ran, entry) = (refused(e), Logged::sent(&wanted));
            return record(shop, entry, &tale, None).await.map(|()| ran);
        }
    }
    note_agreed(shop, &app).await?;
    let mut exchange = shop.wechat.register(&app, &tale.dispatch).await;
    // A payment that WeChat does not find by its own number may be there by ours.
    if let (Some(UNKNOWN), Some(payment)) = (exchange.result.as_ref().err().and_then(|e| e.code()), tale.by_number()) {
        record(shop, Logged::sent(&exchange), &tale, None).await?;
        exchange = shop.wechat.register(&app, &Dispatch { payment, ..tale.dispatch.clone() }).await;
    }
    let mut entry = Logged::sent(&exchange);
    let (ran, known) = match &exchange.result {
        Ok(()) => (Ran::Done, Some("发货信息已上传微信")),
        Err(e) => match e.code().and_then(known_already) {
            None => (refused(e), None),
            known => {
                entry.verdict = Verdict::Ok;
                (Ran::Done, known)
            }
        },
    };
    record(shop, entry, &tale, known).await.map(|()| ran)
}

/// Nothing is settled before the owner has agreed to it at WeChat's console: asked until he has.
async fn note_agreed(shop: &Shop, app: &MiniProgram) -> Result<()> {
    if shop.read(|conn| Ok(super::duty::is_agreed(conn)?)).await? {
        return Ok(());
    }
    let exchange = shop.wechat.settlement_agreed(app).await;
    let (agreed, entry) = (exchange.result.as_ref().is_ok_and(|agreed| *agreed), Logged::sent(&exchange));
    let write = move |tx: &Tx| {
        entry.record(tx)?;
        if entry.verdict == Verdict::Ok {
            super::duty::note_agreed(tx, agreed)?;
        }
        Ok(())
    };
    shop.write(write).await
}

impl Tale {
    /// The payment by our own number, if it came for an attempt of ours.
    fn by_number(&self) -> Option<OrderKey> {
        let (mch_id, out_trade_no) = (self.payment.mch_id.clone()?, self.payment.out_trade_no.clone()?);
        Some(OrderKey::Number { mch_id, out_trade_no })
    }
}

/// The message, and that WeChat knows the parcels now, in words for the timeline.
async fn record(shop: &Shop, mut entry: Logged, tale: &Tale, known: Option<&'static str>) -> Result<()> {
    let (order, content) = (tale.order, tale.content.clone());
    entry.order_id = Some(order);
    entry.attempt_id = tale.payment.attempt_id;
    entry.transaction_id = Some(tale.payment.transaction_id.clone());
    let write = move |tx: &Tx| {
        let message = entry.record(tx)?;
        if let Some(note) = known {
            store::put_told(tx, order, &content)?;
            orders::note(tx, order, Who::system().told_by(message), Topic::Goods, note)?;
        }
        Ok(())
    };
    shop.write_always(write).await
}

fn read(conn: &Connection, id: OrderId, at: String) -> Result<Option<Tale>> {
    let Some(order) = orders::by_id(conn, id)? else { return Ok(None) };
    let has_left = matches!(order.status, OrderStatus::Shipped | OrderStatus::Completed);
    // When all of its money went back there is nothing to settle.
    if !has_left || order.refunded == order.paid {
        return Ok(None);
    }
    // What was paid otherwise does not concern WeChat.
    let Some(payment) = ledger::payment_of(conn, id)? else { return Ok(None) };
    let (shipments, lines) = (orders::shipments(conn, id)?, orders::lines(conn, id)?);
    if shipments.is_empty() {
        return Ok(None);
    }
    // One that was lost never arrives: what was sent instead does. An exchange is between buyer and shop alone.
    let lost = returns::resends_of(conn, id)?.into_iter().filter(|sent| sent.return_id.is_none());
    let sent: Vec<Sent> = shipments.into_iter().map(Sent::from).chain(lost.map(Sent::from)).collect();
    let Some(last) = sent.iter().map(|sent| sent.at).max() else { return Ok(None) };
    let (way, parcels) = parcels(&order, &sent, &lines);
    let content = parcels.iter().map(|p| format!("{} {}", p.company, p.tracking_no)).collect::<Vec<_>>().join(",");
    let (key, openid) = (payment.transaction_id.clone(), payment.payer.clone().unwrap_or_default());
    let dispatch = Dispatch { payment: OrderKey::Transaction(key), openid, way, parcels, at };
    let told = store::told(conn, id)?;
    Ok(Some(Tale { order: id, final_at: last + UNDO_WITHIN, dispatch, payment, content, told }))
}

/// A parcel that left, the first time or once more.
struct Sent {
    parcel: crate::parcels::Parcel,
    lines: Vec<(LineId, i64)>,
    at: i64,
}

impl From<Shipment> for Sent {
    fn from(Shipment { parcel, lines, shipped_at, .. }: Shipment) -> Sent {
        Sent { parcel, lines, at: shipped_at }
    }
}

impl From<Resend> for Sent {
    fn from(Resend { parcel, lines, sent_at, .. }: Resend) -> Sent {
        Sent { parcel, lines: lines.into_iter().map(|(line, _, n)| (line, n)).collect(), at: sent_at }
    }
}

fn parcels(order: &Order, sent: &[Sent], lines: &[Line]) -> (Way, Vec<ShippingItem>) {
    let phone = order.address.as_ref().map(|address| address.masked_phone()).unwrap_or_default();
    let goods = |pieces: &mut dyn Iterator<Item = (&Line, i64)>| {
        pieces.map(|(line, n)| format!("{} ×{n}", line.name)).collect::<Vec<_>>().join("；")
    };
    let all = || goods(&mut lines.iter().filter(|line| line.shipped > 0).map(|line| (line, line.shipped)));
    if sent.iter().all(|sent| !sent.parcel.company.is_empty()) {
        let parcel = |sent: &Sent| {
            let line = |id| lines.iter().find(|line| line.id == id);
            let mut pieces = sent.lines.iter().filter_map(|(id, n)| Some((line(*id)?, *n)));
            let (company, tracking_no) = (sent.parcel.company.clone(), sent.parcel.tracking_no.clone());
            // Of a parcel that went beside another nobody said what is in it.
            let goods = if sent.lines.is_empty() { all() } else { goods(&mut pieces) };
            ShippingItem { company, tracking_no, goods, phone: phone.clone() }
        };
        return (Way::Express, sent.iter().map(parcel).collect());
    }
    let way = match order.delivery {
        Delivery::None => Way::Virtual,
        Delivery::Pickup => Way::Pickup,
        // Brought by somebody of the shop's own.
        Delivery::Local | Delivery::Express => Way::Local,
    };
    (way, vec![ShippingItem { company: String::new(), tracking_no: String::new(), goods: all(), phone }])
}

/// A refusal that says that WeChat knows it already.
fn known_already(code: &str) -> Option<&'static str> {
    match code {
        "10060002" => Some("发货信息：微信那边已经是全部发货"),
        "10060023" => Some("发货信息：微信那边已经有了，没有变化"),
        _ => None,
    }
}

/// What a refusal means for the job, and what staff should do. Source: upload_shipping_info, stable_token.
fn refused(e: &GatewayError) -> Ran {
    let GatewayError::Refused { code, text } = e else { return Ran::Failed(e.to_string()) };
    match code.as_str() {
        // Not indexed yet, or busy: time heals it.
        "10060001" | "10060012" | "10060019" | "44990" | "45009" | "45011" => Ran::Failed(e.to_string()),
        "10060003" => by_hand("微信只收一次更正，已经用过了"),
        "10060004" => by_hand("微信说这笔付款现在不能发货（可能已经退款）"),
        "10060031" => by_hand("微信说付款人不是这位买家"),
        "48001" | "61003" | "61004" => by_hand("小程序没有“发货信息管理”的接口权限，请先在微信公众平台开通"),
        "40013" | "40125" | "41002" | "41004" => by_hand("AppID 或 AppSecret 不对，请到设置页改好，再点重试"),
        "40164" => by_hand("微信公众平台设置了 IP 白名单，请加上这台服务器，再点重试"),
        _ => by_hand(&format!("微信不接受：{code} {text}")),
    }
}

fn by_hand(why: &str) -> Ran {
    Ran::Stuck(format!("{why}。也可以在微信公众平台“订单与发货管理”里手工录入"))
}
