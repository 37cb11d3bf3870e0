//! SQL of the ledger.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{DaySum, Entered, Noticed, Shares, Unasked};
use crate::clock::{Day, HOUR};
use crate::db::{DbError, Tx};
use crate::ids::{AttemptId, LedgerId, OrderId};
use crate::money::Fen;
use crate::wechat::Payment;
use crate::wechat::coupons::Coupons;

// ── writing ──

/// One movement of money.
#[derive(Default)]
struct Movement<'a> {
    kind: &'a str,
    wechat_id: &'a str,
    order_id: Option<OrderId>,
    attempt_id: Option<AttemptId>,
    amount_fen: i64,
    /// What of the amount is not settled, with the same sign.
    borne_fen: i64,
    moved_at: i64,
    payer: Option<&'a str>,
}

/// False when it stands in the ledger already.
fn enter(tx: &Tx, movement: &Movement<'_>) -> Result<bool> {
    let inserted = tx
        .prepare_cached(
            "insert into ledger (kind, wechat_id, order_id, attempt_id, amount_fen, moved_at, day, payer, at, borne_fen)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) on conflict (kind, wechat_id) do nothing",
        )?
        .execute(params![
            movement.kind,
            movement.wechat_id,
            movement.order_id,
            movement.attempt_id,
            movement.amount_fen,
            movement.moved_at,
            Day::of(movement.moved_at),
            movement.payer,
            tx.now(),
            movement.borne_fen
        ])?;
    Ok(inserted == 1)
}

/// A movement that cannot stand there yet: whoever enters it changes something else along with it.
fn enter_new(tx: &Tx, movement: &Movement<'_>) -> Result<(), DbError> {
    DbError::unless(enter(tx, movement)?, "money that is new stands in the ledger already")
}

/// A payment that becomes an order's. Errors: it stands in the ledger already.
pub fn enter_payment(tx: &Tx, payment: &Payment, order: OrderId, attempt: AttemptId) -> Result<(), DbError> {
    DbError::unless(
        put_payment(tx, payment, Some(order), Some(attempt))?,
        "a payment that is new stands in the ledger already",
    )
}

/// A payment beside every order: WeChat may tell of it again, and it is entered once. `told_alone`: only somebody with the key
/// of API v2 has told of it.
pub fn enter_beside(tx: &Tx, payment: &Payment, attempt: Option<AttemptId>, told_alone: bool) -> Result<()> {
    if put_payment(tx, payment, None, attempt)? && told_alone {
        tx.prepare_cached("insert or ignore into told_alone (transaction_id) values (?1)")?
            .execute([&payment.transaction_id])?;
    }
    Ok(())
}

/// WeChat itself has told of a payment, and of the same sum as it was entered with.
pub fn confirm(tx: &Tx, payment: &Payment) -> Result<()> {
    tx.prepare_cached(
        "delete from told_alone
          where transaction_id = ?1
            and exists (select 1 from ledger l where l.kind = 'payment' and l.wechat_id = ?1 and l.amount_fen = ?2)",
    )?
    .execute(params![payment.transaction_id, payment.total])?;
    Ok(())
}

/// Whether only somebody with the key of API v2 has told of a payment that stands beside the orders.
pub fn is_told_alone(conn: &Connection, transaction_id: &str) -> Result<bool> {
    conn.prepare_cached("select 1 from told_alone where transaction_id = ?1")?.exists([transaction_id])
}

/// False when this transaction stands in the ledger already.
fn put_payment(tx: &Tx, payment: &Payment, order_id: Option<OrderId>, attempt_id: Option<AttemptId>) -> Result<bool> {
    let movement = Movement {
        kind: "payment",
        wechat_id: &payment.transaction_id,
        order_id,
        attempt_id,
        amount_fen: payment.total.get(),
        borne_fen: payment.coupons.borne.get(),
        moved_at: payment.paid_at,
        payer: Some(&payment.openid),
    };
    let entered = enter(tx, &movement)?;
    if entered && attempt_id.is_none() {
        put_stray(tx, payment)?;
    }
    if entered && !payment.coupons.is_none() {
        put_coupons(tx, &payment.transaction_id, &payment.coupons)?;
    }
    Ok(entered)
}

/// Notes in whose name a payment came in that no attempt of ours tells that of.
pub fn put_stray(tx: &Tx, payment: &Payment) -> Result<()> {
    tx.prepare_cached("insert or replace into strays (transaction_id, mch_id, app_id, api) values (?1, ?2, ?3, ?4)")?
        .execute(params![payment.transaction_id, payment.name.mch_id, payment.name.app_id, payment.api])?;
    Ok(())
}

fn put_coupons(tx: &Tx, transaction_id: &str, coupons: &Coupons) -> Result<()> {
    let each = serde_json::to_string(&coupons.each).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    tx.prepare_cached(
        "insert into payment_coupons (transaction_id, funded_fen, borne_fen, each) values (?1, ?2, ?3, ?4)",
    )?
    .execute(params![transaction_id, coupons.funded, coupons.borne, each])?;
    Ok(())
}

/// The payments of which a notice told since then that money went back.
pub fn told_since(conn: &Connection, since: i64) -> Result<Vec<LedgerId>> {
    conn.prepare_cached(
        "select distinct l.id from messages m join ledger l on l.kind = 'payment' and l.wechat_id = m.transaction_id
          where m.kind = 'refund_notify' and m.at >= ?1",
    )?
    .query_map([since], |row| row.get(0))?
    .collect()
}

/// Whether goods are still to leave for money that came in under a number of before.
pub fn waits_to_leave(conn: &Connection, mch_id: &str) -> Result<bool> {
    conn.prepare_cached(
        "select 1 from orders o join ledger l on l.order_id = o.id and l.kind = 'payment' join attempts a on a.id = l.attempt_id
          where exists (select 1 from merchant_numbers m where m.mch_id = ?1) and o.status = 'to_ship' and a.mch_id = ?1",
    )?
    .exists([mch_id])
}

/// Money that went back through WeChat; the order is named when it was the order's own.
pub struct GoneBack<'a> {
    pub refund_id: &'a str,
    pub order_id: Option<OrderId>,
    pub amount: Fen,
    /// What of it had been borne by the merchant, and so does not leave him.
    pub borne: Fen,
    pub moved_at: i64,
}

/// Errors: this refund of WeChat's stands in the ledger already.
pub fn enter_refund(tx: &Tx, back: &GoneBack<'_>) -> Result<(), DbError> {
    let movement = Movement {
        kind: "refund",
        wechat_id: back.refund_id,
        order_id: back.order_id,
        amount_fen: -back.amount.get(),
        borne_fen: -back.borne.get(),
        moved_at: back.moved_at,
        ..Movement::default()
    };
    enter_new(tx, &movement)
}

/// What has gone back of a payment through WeChat, and how much of that was borne by the merchant; in fen.
pub fn gone_back(conn: &Connection, transaction_id: &str) -> Result<(i64, i64)> {
    conn.prepare_cached(
        "select coalesce(-sum(l.amount_fen), 0), coalesce(-sum(l.borne_fen), 0)
           from refunds r join ledger l on l.kind = 'refund' and l.wechat_id = r.refund_id
          where r.transaction_id = ?1",
    )?
    .query_row([transaction_id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What WeChat kept of a payment or refund; negative when it gave a fee back. A bill that is read again enters nothing.
pub fn enter_fee(tx: &Tx, wechat_id: &str, fee_fen: i64, moved_at: i64) -> Result<()> {
    if fee_fen == 0 {
        return Ok(());
    }
    let movement = Movement { kind: "fee", wechat_id, amount_fen: -fee_fen, moved_at, ..Movement::default() };
    enter(tx, &movement).map(drop)
}

/// Money that moved outside WeChat, in (positive) or out; `number` is ours. Errors: it stands in the ledger already.
pub fn enter_offline(tx: &Tx, number: &str, order_id: Option<OrderId>, amount_fen: i64) -> Result<(), DbError> {
    let movement = Movement {
        kind: "offline",
        wechat_id: number,
        order_id,
        amount_fen,
        moved_at: tx.now(),
        ..Movement::default()
    };
    enter_new(tx, &movement)
}

/// Makes money that came beside every order an order's own: two rows, so that the sum of all stays. Errors: it is one's.
pub fn link(tx: &Tx, entered: &Entered, order_id: OrderId) -> Result<(), DbError> {
    for (kind, order_id, sign) in [("link", Some(order_id), 1), ("unlink", None, -1)] {
        let movement = Movement {
            kind,
            wechat_id: &entered.transaction_id,
            order_id,
            attempt_id: entered.attempt_id,
            amount_fen: sign * entered.amount.get(),
            borne_fen: sign * entered.borne.get(),
            moved_at: tx.now(),
            payer: None,
        };
        enter_new(tx, &movement)?;
    }
    Ok(())
}

// ── reading ──

pub fn has_refund(conn: &Connection, refund_id: &str) -> Result<bool> {
    conn.prepare_cached("select exists (select 1 from ledger where kind = 'refund' and wechat_id = ?1)")?
        .query_row([refund_id], |row| row.get(0))
}

/// The attempt that this transaction was entered for, if it was; `Some(None)` for one that came for no attempt of ours.
pub fn entered_for(conn: &Connection, transaction_id: &str) -> Result<Option<Option<AttemptId>>> {
    conn.prepare_cached("select attempt_id from ledger where kind = 'payment' and wechat_id = ?1")?
        .query_row([transaction_id], |row| row.get(0))
        .optional()
}

const ENTERED: &str =
    "select p.id, p.wechat_id, coalesce(k.order_id, p.order_id) as order_id, p.attempt_id, p.amount_fen, p.borne_fen, p.moved_at, p.at,
                              a.out_trade_no, coalesce(a.mch_id, s.mch_id) as mch_id, coalesce(a.app_id, s.app_id) as app_id,
                              coalesce(a.api, s.api) as api, coalesce(p.payer, a.openid) as payer
                         from ledger p
                         left join ledger k on k.kind = 'link' and k.wechat_id = p.wechat_id
                         left join attempts a on a.id = p.attempt_id
                         left join strays s on s.transaction_id = p.wechat_id
                        where p.kind = 'payment'";

pub fn payment(conn: &Connection, transaction_id: &str) -> Result<Option<Entered>> {
    conn.prepare_cached(&format!("{ENTERED} and p.wechat_id = ?1"))?
        .query_row([transaction_id], read_entered)
        .optional()
}

pub fn payment_by_id(conn: &Connection, id: LedgerId) -> Result<Option<Entered>> {
    conn.prepare_cached(&format!("{ENTERED} and p.id = ?1"))?.query_row([id], read_entered).optional()
}

/// The payment that an order stands on; none for one that is unpaid or was paid outside WeChat.
pub fn payment_of(conn: &Connection, order: OrderId) -> Result<Option<Entered>> {
    let transaction: Option<String> = conn
        .prepare_cached("select wechat_id from ledger where order_id = ?1 and kind in ('payment', 'link') limit 1")?
        .query_row([order], |row| row.get(0))
        .optional()?;
    transaction.map_or(Ok(None), |transaction| payment(conn, &transaction))
}

/// How the payments of an order were shared between the buyer and coupons; those without coupons are left out.
pub fn shares_of(conn: &Connection, order: OrderId) -> Result<Vec<Shares>> {
    let mut rows = conn.prepare_cached(
        "select c.transaction_id, l.amount_fen, c.funded_fen, c.borne_fen
           from ledger l join payment_coupons c on c.transaction_id = l.wechat_id
          where l.order_id = ?1 and l.kind in ('payment', 'link') order by l.id",
    )?;
    rows.query_map([order], |row| {
        Ok(Shares {
            transaction_id: row.get(0)?,
            total_fen: row.get(1)?,
            funded_fen: row.get(2)?,
            borne_fen: row.get(3)?,
        })
    })?
    .collect()
}

fn read_entered(row: &Row<'_>) -> Result<Entered> {
    Ok(Entered {
        id: row.get("id")?,
        transaction_id: row.get("wechat_id")?,
        order_id: row.get("order_id")?,
        attempt_id: row.get("attempt_id")?,
        out_trade_no: row.get("out_trade_no")?,
        mch_id: row.get("mch_id")?,
        app_id: row.get("app_id")?,
        api: row.get("api")?,
        payer: row.get("payer")?,
        amount: row.get("amount_fen")?,
        borne: row.get("borne_fen")?,
        paid_at: row.get("moved_at")?,
        entered_at: row.get("at")?,
    })
}

// ── going back to a backup ──

const RESTORED_AT: &str = "restored_at";

/// Notes in a copy, that may be of an older version, when it became the shop: never before what the copy knows of, for a
/// clock may be slow just on the machine that a shop is brought back on.
pub fn note_restored(conn: &Connection, at: i64) -> Result<()> {
    conn.execute(
        "insert or replace into settings (name, value)
         select ?1, cast(max(?2, coalesce((select max(at) from ledger), 0), coalesce((select max(sent_at) from refunds), 0),
                             coalesce((select value + 1 from settings where name = ?1), 0)) as text)",
        params![RESTORED_AT, at],
    )?;
    Ok(())
}

/// When the shop last went back to a backup: WeChat may know refunds that it has forgotten.
pub fn restored_at(conn: &Connection) -> Result<Option<i64>> {
    conn.prepare_cached("select cast(value as integer) from settings where name = ?1")?
        .query_row([RESTORED_AT], |row| row.get(0))
        .optional()
}

/// Of the payment that an order stands on, that WeChat has not said, since the shop went back to a backup, what of it went
/// back meanwhile. None where it has, or where there was nothing to ask.
pub fn unasked(conn: &Connection, order: OrderId) -> Result<Option<Unasked>> {
    let Some(restored_at) = restored_at(conn)? else { return Ok(None) };
    conn.prepare_cached(
        "select p.id, coalesce(b.problem, '') as problem, coalesce(b.decided, 0) as decided
           from ledger s
           join ledger p on p.kind = 'payment' and p.wechat_id = s.wechat_id
           left join asked_back b on b.entry_id = p.id and b.restored_at = ?2
          where s.order_id = ?1 and s.kind in ('payment', 'link')
            and (p.moved_at <= ?2 or p.at <= ?2) and coalesce(b.answered, 0) = 0
          limit 1",
    )?
    .query_row(params![order, restored_at], |row| {
        Ok(Unasked { entry: row.get("id")?, problem: row.get("problem")?, decided: row.get("decided")? })
    })
    .optional()
}

/// WeChat has said it. False when that was known.
pub fn put_answered(tx: &Tx, entry: LedgerId, restored_at: i64) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "insert into asked_back (entry_id, restored_at, answered) values (?1, ?2, 1)
             on conflict (entry_id) do update set restored_at = excluded.restored_at, answered = 1, problem = ''
              where answered = 0 or restored_at <> excluded.restored_at",
        )?
        .execute(params![entry, restored_at])?;
    Ok(changed == 1)
}

/// WeChat was not heard, and why. `again_at` is when it is asked again by itself.
pub fn put_unheard(tx: &Tx, entry: LedgerId, restored_at: i64, why: &str, again_at: Option<i64>) -> Result<()> {
    tx.prepare_cached(
        "insert into asked_back (entry_id, restored_at, answered, problem, again_at) values (?1, ?2, 0, ?3, ?4)
         on conflict (entry_id) do update set answered = answered = 1 and restored_at = excluded.restored_at,
           decided = decided = 1 and restored_at = excluded.restored_at, restored_at = excluded.restored_at,
           problem = excluded.problem, again_at = excluded.again_at",
    )?
    .execute(params![entry, restored_at, why, again_at])?;
    Ok(())
}

/// Somebody lets goods leave without it.
pub fn put_decided(tx: &Tx, entry: LedgerId) -> Result<()> {
    let Some(restored_at) = restored_at(tx)? else { return Ok(()) };
    tx.prepare_cached(
        "insert into asked_back (entry_id, restored_at, answered, decided, again_at) values (?1, ?2, 0, 1, ?3)
         on conflict (entry_id) do update set answered = answered = 1 and restored_at = excluded.restored_at,
           decided = 1, again_at = iif(restored_at = excluded.restored_at, again_at, excluded.again_at),
           restored_at = excluded.restored_at",
    )?
    .execute(params![entry, restored_at, tx.now()])?;
    Ok(())
}

/// What could not be asked with the settings of before is asked again.
pub fn ask_again(tx: &Tx) -> Result<()> {
    tx.prepare_cached("update asked_back set again_at = ?1 where answered = 0")?.execute([tx.now()])?;
    Ok(())
}

// ── what a notice of API v2 alone has paid ──

const ASKS_FIRST: &str = "asks_first";

/// Notes under which merchant number WeChat is asked about what a notice of API v2 alone has told, before goods leave for it; none in a shop
/// that has no better key.
pub fn put_asks_first(tx: &Tx, mch_id: Option<&str>) -> Result<()> {
    tx.prepare_cached("delete from settings where name = ?1 and value is not ?2")?
        .execute(params![ASKS_FIRST, mch_id])?;
    if let Some(mch_id) = mch_id {
        tx.prepare_cached("insert or ignore into settings (name, value) values (?1, ?2)")?
            .execute([ASKS_FIRST, mch_id])?;
    }
    Ok(())
}

/// Orders that wait to be sent for such money under that number, and of which WeChat has answered nothing since. Of an attempt it is asked
/// by its number: what paid it was told then, and other money under its own. An answer that names other money is none before it stands
/// with this.
macro_rules! noticed {
    ($which:literal) => {
        concat!(
            "select a.id as attempt_id, p.wechat_id, coalesce((
                select iif(m.verdict = 'ok', '', m.reason) from messages m
                 where m.order_id = a.order_id and m.attempt_id = a.id and m.kind = 'orderquery' and m.at >= p.at
                 order by m.id desc limit 1), '') as problem
               from settings f
               join orders o on o.status = 'to_ship'
               join ledger s on s.order_id = o.id and s.kind in ('payment', 'link')
               join ledger p on p.kind = 'payment' and p.wechat_id = s.wechat_id
               join attempts a on a.id = p.attempt_id and a.api = 'v2' and a.mch_id = f.value
              where f.name = ?1 ",
            $which,
            " and not exists (select 1 from told_alone t where t.transaction_id = p.wechat_id)
              and not exists (select 1 from messages m
                               where m.transaction_id = p.wechat_id and m.kind = 'orderquery' and m.amount_fen is not null
                                 and (m.attempt_id = a.id or m.attempt_id is null and a.transaction_id is not p.wechat_id))
              and not exists (select 1 from messages m
                               where m.order_id = a.order_id and m.attempt_id = a.id and m.kind = 'orderquery' and m.verdict = 'ok'
                                 and (m.transaction_id is null or m.transaction_id = p.wechat_id
                                      or exists (select 1 from money_exceptions e
                                                  where e.kind = 'amount_mismatch'
                                                    and e.subject in (p.wechat_id || ' denied', p.wechat_id || ' gone back')))
                                 and coalesce(m.id > (select min(n.id) from messages n
                                                       where n.order_id = a.order_id and n.attempt_id = a.id and n.kind = 'notify'
                                                         and n.verdict = 'ok' and n.transaction_id is null), m.at >= p.at))"
        )
    };
}

/// The money of such an order that WeChat has not been heard about.
pub fn noticed_alone(conn: &Connection, order: OrderId) -> Result<Option<Noticed>> {
    conn.prepare_cached(noticed!("and o.id = ?2"))?
        .query_row(params![ASKS_FIRST, order], |row| {
            Ok(Noticed {
                attempt: row.get("attempt_id")?,
                transaction_id: row.get("wechat_id")?,
                problem: row.get("problem")?,
            })
        })
        .optional()
}

/// The attempts of all such orders.
pub fn all_noticed_alone(conn: &Connection) -> Result<Vec<AttemptId>> {
    conn.prepare_cached(noticed!(""))?.query_map([ASKS_FIRST], |row| row.get("attempt_id"))?.collect()
}

/// What the days from `first` to `last` brought; days without any movement are left out.
pub fn day_sums(conn: &Connection, first: Day, last: Day) -> Result<Vec<DaySum>> {
    // A partial index is used only where its condition is spelled.
    let mut rows = conn.prepare_cached(
        "select m.*, coalesce(b.n, 0) as beside, coalesce(b.fen, 0) as beside_fen
           from money_days m
           left join (select p.day, count(*) as n, sum(p.amount_fen) as fen from ledger p indexed by ledger_beside
                       where p.kind = 'payment' and p.order_id is null and p.day between ?1 and ?2
                         and not exists (select 1 from ledger k where k.kind = 'link' and k.wechat_id = p.wechat_id)
                       group by p.day) b on b.day = m.day
          where m.day between ?1 and ?2 order by m.day",
    )?;
    rows.query_map([first, last], |row| {
        Ok(DaySum {
            day: row.get("day")?,
            payments: row.get("payments")?,
            received_fen: row.get("received_fen")?,
            received_borne_fen: row.get("received_borne_fen")?,
            beside: row.get("beside")?,
            beside_fen: row.get("beside_fen")?,
            refunds: row.get("refunds")?,
            refunded_fen: row.get("refunded_fen")?,
            refunded_borne_fen: row.get("refunded_borne_fen")?,
            fee_fen: row.get("fee_fen")?,
            offline_fen: row.get("offline_fen")?,
        })
    })?
    .collect()
}

/// What was paid in each hour of a day, in fen.
pub fn hour_sums(conn: &Connection, day: Day) -> Result<[i64; 24]> {
    let mut sums = [0; 24];
    let first = day.start() / HOUR;
    let mut rows =
        conn.prepare_cached("select hour - ?1, received_fen from money_hours where hour >= ?1 and hour < ?1 + 24")?;
    for row in rows.query_map([first], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))? {
        let (hour, sum) = row?;
        sums.iter_mut().zip(0..).filter(|(_, n)| *n == hour).for_each(|(place, _)| *place = sum);
    }
    Ok(sums)
}

pub fn day_sum(conn: &Connection, day: Day) -> Result<DaySum> {
    Ok(day_sums(conn, day, day)?.pop().unwrap_or_else(|| DaySum::nothing(day)))
}

/// The first day that any money moved.
pub fn first_day(conn: &Connection) -> Result<Option<Day>> {
    conn.prepare_cached("select min(day) from money_days")?.query_row([], |row| row.get(0))
}
