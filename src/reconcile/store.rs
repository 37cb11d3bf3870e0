//! SQL of bills and of their match with our books.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::funds::Funds;
use super::{BillState, ByOrders, KEPT_DAYS, Match};
use crate::clock::{self, Day, MINUTE};
use crate::db::Tx;
use crate::exceptions::Difference;
use crate::ids::{AttemptId, LedgerId, OrderId, RefundId};
use crate::money::yuan;
use crate::wechat::bill::{BillRow, Moved, Others, Own};
use crate::wechat::funds::Flow;

/// A refund taken on around midnight may stand in either day's bill.
const MIDNIGHT: i64 = 10 * MINUTE;

/// From when until when a refund that WeChat took on is counted to a day.
pub(super) fn refunds_of(day: Day) -> (i64, i64) {
    (day.start() - MIDNIGHT, day.end() - MIDNIGHT)
}

// ── the days ──

/// Days with their match, and whether any number's bill of them was matched.
macro_rules! days {
    () => {
        "select b.*, exists (select 1 from bill_parts p
                              where p.day = b.day and p.state in ('equal', 'differs', 'empty')) as begun
           from bills b"
    };
}

pub fn of_day(conn: &Connection, day: Day) -> Result<Option<Match>> {
    conn.prepare_cached(concat!(days!(), " where b.day = ?1"))?.query_row([day], read).optional()
}

pub fn between(conn: &Connection, first: Day, last: Day) -> Result<Vec<Match>> {
    let mut rows = conn.prepare_cached(concat!(days!(), " where b.day between ?1 and ?2 order by b.day"))?;
    rows.query_map([first, last], read)?.collect()
}

/// The latest day that was matched.
pub fn latest(conn: &Connection) -> Result<Option<Match>> {
    conn.prepare_cached(concat!(
        days!(),
        " where b.state in ('equal', 'differs', 'empty') order by b.day desc limit 1"
    ))?
    .query_row([], read)
    .optional()
}

/// The first of these days with trade whose bill is not matched: how it is called, and why, as far as that is known.
pub fn undone(conn: &Connection, from: Day, until: Day) -> Result<Option<(Day, &'static str, String)>> {
    let day: Option<Day> = conn
        .prepare_cached(
            "select m.day from money_days m left join bills b on b.day = m.day
              where m.day between ?1 and ?2 and m.payments + m.refunds > 0
                and (b.state is null or b.state in ('waiting', 'failed'))
              order by m.day limit 1",
        )?
        .query_row([from, until], |row| row.get(0))
        .optional()?;
    let Some(day) = day else { return Ok(None) };
    Ok(Some(match of_day(conn, day)? {
        Some(found) => (day, found.text(), found.problem),
        None => (day, "未对账", String::new()),
    }))
}

fn read(row: &Row<'_>) -> Result<Match> {
    Ok(Match {
        day: row.get("day")?,
        state: row.get("state")?,
        payments: row.get("payments")?,
        received_fen: row.get("received_fen")?,
        received_borne_fen: row.get("received_borne_fen")?,
        refunds: row.get("refunds")?,
        refunded_fen: row.get("refunded_fen")?,
        refunded_borne_fen: row.get("refunded_borne_fen")?,
        fee_fen: row.get("fee_fen")?,
        others: read_others(row)?,
        problem: row.get("problem")?,
        checked_at: row.get("checked_at")?,
        begun: row.get("begun")?,
    })
}

/// What a bill has beside the shop's own, of a day or of a part of its match.
pub(super) fn read_others(row: &Row<'_>) -> Result<Others> {
    Ok(Others {
        payments: row.get("other_payments")?,
        received_fen: row.get("other_received_fen")?,
        refunds: row.get("other_refunds")?,
        refunded_fen: row.get("other_refunded_fen")?,
    })
}

/// What a day's bill adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub payments: i64,
    pub received_fen: i64,
    pub received_borne_fen: i64,
    pub refunds: i64,
    pub refunded_fen: i64,
    pub refunded_borne_fen: i64,
    pub fee_fen: i64,
}

pub fn sums(conn: &Connection, day: Day) -> Result<Sums> {
    conn.prepare_cached(
        "select coalesce(sum(kind = 'payment'), 0), coalesce(sum(iif(kind = 'payment', amount_fen, 0)), 0),
                coalesce(sum(kind = 'refund'), 0), coalesce(sum(iif(kind = 'refund', amount_fen, 0)), 0),
                coalesce(sum(fee_fen), 0), coalesce(sum(iif(kind = 'payment', borne_fen, 0)), 0),
                coalesce(sum(iif(kind = 'refund', borne_fen, 0)), 0)
           from bill_rows where day = ?1",
    )?
    .query_row([day], |row| {
        Ok(Sums {
            payments: row.get(0)?,
            received_fen: row.get(1)?,
            refunds: row.get(2)?,
            refunded_fen: row.get(3)?,
            fee_fen: row.get(4)?,
            received_borne_fen: row.get(5)?,
            refunded_borne_fen: row.get(6)?,
        })
    })
}

pub fn put(tx: &Tx, day: Day, state: BillState, sums: &Sums, others: &Others, problem: &str) -> Result<()> {
    tx.prepare_cached(
        "insert or replace into bills (day, state, payments, received_fen, refunds, refunded_fen, fee_fen, problem, checked_at,
                                       other_payments, other_received_fen, other_refunds, other_refunded_fen,
                                       received_borne_fen, refunded_borne_fen)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?15, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        day,
        state,
        sums.payments,
        sums.received_fen,
        sums.refunds,
        sums.refunded_fen,
        sums.fee_fen,
        tx.now(),
        others.payments,
        others.received_fen,
        others.refunds,
        others.refunded_fen,
        sums.received_borne_fen,
        sums.refunded_borne_fen,
        problem
    ])?;
    Ok(())
}

/// Why there is no match yet; a match that was made before keeps its state.
pub fn put_problem(tx: &Tx, day: Day, state: BillState, problem: &str) -> Result<()> {
    tx.prepare_cached(
        "insert into bills (day, state, problem, checked_at) values (?1, ?2, ?3, ?4)
         on conflict (day) do update
            set problem = excluded.problem, checked_at = excluded.checked_at,
                state = iif(state in ('waiting', 'failed'), excluded.state, state)",
    )?
    .execute(params![day, state, problem, tx.now()])?;
    Ok(())
}

pub fn set_equal(tx: &Tx, day: Day) -> Result<()> {
    tx.prepare_cached("update bills set state = 'equal' where day = ?1 and state = 'differs'")?.execute([day])?;
    Ok(())
}

/// Days whose bill cannot be out yet were matched by a clock that ran ahead, and will be when they are over. A clock that
/// stands years behind takes nothing away: WeChat has those bills no more.
pub fn forget_unlived(tx: &Tx, not_out: Day, today: Day) -> Result<()> {
    let until = not_out.plus(KEPT_DAYS);
    for table in ["bills", "bill_parts"] {
        tx.prepare_cached(&format!(
            "delete from {table}
              where day >= ?1 and day < ?2 and (state = 'empty' or (state in ('waiting', 'failed') and day > ?3))"
        ))?
        .execute(params![not_out, until, today])?;
        tx.prepare_cached(&format!(
            "update {table} set state = 'waiting' where day >= ?1 and day < ?2 and state in ('equal', 'differs')"
        ))?
        .execute(params![not_out, until])?;
    }
    Ok(())
}

// ── the rows ──

/// How the shop knows its own rows: by the apps it sells or has sold under, and by what its books have besides.
pub fn own(conn: &Connection, app_id: &str) -> Result<Own> {
    let column =
        |sql: &str| conn.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>>>();
    // From one app to the next by the index: there are many buyers and few apps.
    let mut app_ids = column(
        "with recursive apps (app) as (select min(app_id) from buyers
                                       union all
                                       select (select min(app_id) from buyers where app_id > app) from apps
                                        where app is not null)
         select app from apps where app is not null",
    )?;
    app_ids.push(app_id.to_owned());
    let transactions = column("select wechat_id from ledger where kind = 'payment' and attempt_id is null")?;
    let plain = column("select out_trade_no from attempts where out_trade_no not glob '*[^0-9]*'")?;
    Ok(Own { app_ids, transactions: transactions.into_iter().collect(), plain_numbers: plain.into_iter().collect() })
}

/// The lines that the rows of one bill have among those of its day.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    first: i64,
}

impl Lines {
    /// No bill has as many.
    const MOST: i64 = 10_000_000;

    /// Those of a day's nth bill.
    pub fn of(n: i64) -> Lines {
        Lines { first: n * Lines::MOST }
    }

    fn until(self) -> i64 {
        self.first + Lines::MOST
    }
}

pub fn forget_rows(tx: &Tx, day: Day, lines: Lines) -> Result<()> {
    tx.prepare_cached("delete from bill_rows where day = ?1 and line >= ?2 and line < ?3")?.execute(params![
        day,
        lines.first,
        lines.until()
    ])?;
    Ok(())
}

pub fn insert_row(tx: &Tx, day: Day, lines: Lines, row: &BillRow) -> Result<()> {
    let refund = row.refund.as_ref();
    tx.prepare_cached(
        "insert into bill_rows (day, line, kind, transaction_id, out_trade_no, refund_id, out_refund_no, amount_fen,
                                fee_fen, fee_fits, at, raw, borne_fen)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        day,
        lines.first + row.line as i64,
        if refund.is_some() { "refund" } else { "payment" },
        row.transaction_id,
        row.out_trade_no,
        refund.map(|(refund_id, _)| refund_id),
        refund.map(|(_, number)| number),
        row.amount,
        row.fee,
        row.fee_fits,
        row.at,
        row.raw,
        row.borne
    ])?;
    Ok(())
}

/// Payments of a bill that our ledger has not.
/// Each with the attempt that it was made for, where there is one.
pub fn payments_missed(conn: &Connection, day: Day, lines: Lines) -> Result<Vec<(String, Option<AttemptId>)>> {
    let mut rows = conn.prepare_cached(
        "select b.transaction_id, a.id from bill_rows b left join attempts a on a.out_trade_no = b.out_trade_no
          where day = ?1 and line >= ?2 and line < ?3 and kind = 'payment'
            and not exists (select 1 from ledger l where l.kind = 'payment' and l.wechat_id = b.transaction_id)
          order by line",
    )?;
    rows.query_map(params![day, lines.first, lines.until()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// A refund in a bill that is to be asked about: of which payment, and the number that the bill gives it.
pub struct Missed {
    pub entry: LedgerId,
    pub refund_id: String,
    pub number: String,
}

/// Refunds in a bill that we know nothing of, or whose answer was lost; or that were given back in another way, and that WeChat
/// may have paid after all.
pub fn refunds_missed(conn: &Connection, day: Day, lines: Lines) -> Result<Vec<Missed>> {
    let mut rows = conn.prepare_cached(
        "select l.id, b.refund_id, coalesce(b.out_refund_no, '') from bill_rows b join ledger l on l.kind = 'payment' and l.wechat_id = b.transaction_id
          where b.day = ?1 and b.line >= ?2 and b.line < ?3 and b.kind = 'refund'
            and not exists (select 1 from refunds r
                             where r.refund_id = b.refund_id
                               and (r.state <> 'succeeded'
                                    or exists (select 1 from ledger w where w.kind = 'refund' and w.wechat_id = b.refund_id)))
          order by l.id",
    )?;
    let missed = |row: &Row<'_>| Ok(Missed { entry: row.get(0)?, refund_id: row.get(1)?, number: row.get(2)? });
    rows.query_map(params![day, lines.first, lines.until()], missed)?.collect()
}

/// A payment of which somebody is to look what went back, and of which a bill names a refund.
pub struct Awaited {
    pub entry: LedgerId,
    pub paid: Day,
    /// The last day whose bill names a refund of it.
    pub named: Day,
}

/// Those under this merchant number.
pub fn refunds_awaited(conn: &Connection, mch_id: &str) -> Result<Vec<Awaited>> {
    let mut rows = conn.prepare_cached(
        "select l.id, l.day, max(b.day) as named from money_exceptions e
           join ledger l on l.kind = 'payment' and l.wechat_id = e.transaction_id
           left join attempts a on a.id = l.attempt_id
           left join strays s on s.transaction_id = l.wechat_id
           join bill_rows b on b.kind = 'refund' and b.transaction_id = l.wechat_id
          where e.kind = 'amount_mismatch' and e.state = 'open' and e.subject = l.wechat_id || ' gone back'
            and coalesce(a.mch_id, s.mch_id) = ?1
          group by l.id",
    )?;
    rows.query_map([mch_id], |row| {
        Ok(Awaited { entry: row.get("id")?, paid: row.get("day")?, named: row.get("named")? })
    })?
    .collect()
}

/// What WeChat kept of one payment or refund.
pub struct Fee {
    pub line: i64,
    pub wechat_id: String,
    pub fee_fen: i64,
    pub at: i64,
}

/// The fees of a bill that belong to money of ours, from a line on.
pub fn fees(conn: &Connection, day: Day, after: i64, limit: usize) -> Result<Vec<Fee>> {
    let mut rows = conn.prepare_cached(
        "select line, coalesce(refund_id, transaction_id) as wechat_id, fee_fen, at from bill_rows b
          where day = ?1 and line > ?2
            and (exists (select 1 from ledger l where l.kind = 'refund' and l.wechat_id = b.refund_id)
                 or exists (select 1 from ledger l
                             where l.kind = 'payment' and b.kind = 'payment' and l.wechat_id = b.transaction_id))
          order by line limit ?3",
    )?;
    rows.query_map(params![day, after, limit as i64], read_fee)?.collect()
}

/// The fees of refunds whose money left only after their bill was matched. A refund that WeChat gave up gives none back.
pub fn late_fees(conn: &Connection, since: Day) -> Result<Vec<Fee>> {
    let mut rows = conn.prepare_cached(
        "select b.line, b.refund_id as wechat_id, b.fee_fen, b.at
           from ledger l join bill_rows b on b.refund_id = l.wechat_id
          where l.day >= ?1 and l.kind = 'refund' and b.fee_fen <> 0
            and not exists (select 1 from ledger f where f.kind = 'fee' and f.wechat_id = b.refund_id)",
    )?;
    rows.query_map([since], read_fee)?.collect()
}

fn read_fee(row: &Row<'_>) -> Result<Fee> {
    Ok(Fee {
        line: row.get("line")?,
        wechat_id: row.get("wechat_id")?,
        fee_fen: row.get("fee_fen")?,
        at: row.get("at")?,
    })
}

/// Refunds that stand in a day's bill though no money has left for them: how many, and their sum in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpaid {
    /// WeChat is still at it.
    pub under_way: (i64, i64),
    /// WeChat gave it up, or the bank sent it back.
    pub given_up: (i64, i64),
}

/// A bill names a refund on the day it was taken on, and never changes what it said.
pub fn unpaid(conn: &Connection, day: Day) -> Result<Unpaid> {
    conn.prepare_cached(
        "select coalesce(sum(r.state = 'processing'), 0),
                coalesce(sum(iif(r.state = 'processing', b.amount_fen, 0)), 0),
                coalesce(sum(r.state <> 'processing'), 0),
                coalesce(sum(iif(r.state <> 'processing', b.amount_fen, 0)), 0)
           from bill_rows b join refunds r on r.refund_id = b.refund_id
          where b.day = ?1 and b.kind = 'refund'
            and not exists (select 1 from ledger l where l.kind = 'refund' and l.wechat_id = b.refund_id)",
    )?
    .query_row([day], |row| Ok(Unpaid { under_way: (row.get(0)?, row.get(1)?), given_up: (row.get(2)?, row.get(3)?) }))
}

/// What left in a day for refunds that bills have named already: another day's, or the same day's once before. In fen.
pub fn paid_again(conn: &Connection, day: Day, gone: &[(String, i64)]) -> Result<i64> {
    let mut named = conn.prepare_cached("select day from bill_rows where refund_id = ?1")?;
    let (mut here, mut again) = (HashSet::new(), 0);
    for (id, fen) in gone {
        let billed: Option<Day> = named.query_row([id], |row| row.get(0)).optional()?;
        if billed.is_some_and(|billed| billed != day || !here.insert(id)) {
            again += fen;
        }
    }
    Ok(again)
}

/// Refunds of a day's bill that had arrived by the end of that day as WeChat had told, with their rows.
pub fn arrived(conn: &Connection, day: Day) -> Result<Vec<(RefundId, String, String)>> {
    let mut rows = conn.prepare_cached(
        "select r.id, b.refund_id, b.raw from bill_rows b join refunds r on r.refund_id = b.refund_id
          where b.day = ?1 and b.kind = 'refund' and r.state = 'succeeded' and r.ended_at < ?2
            and (instr(b.raw, '`FAIL') > 0 or instr(b.raw, '`CHANGE') > 0)
            and exists (select 1 from ledger l where l.kind = 'refund' and l.wechat_id = b.refund_id)",
    )?;
    rows.query_map(params![day, day.end()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

pub fn put_funds(tx: &Tx, day: Day, funds: &Funds) -> Result<()> {
    let (flow, billed) = (&funds.flow, &funds.billed);
    tx.prepare_cached(
        "insert or replace into fund_flows (day, payments, arrived_fen, left_fen, fee_fen, returned_fen, withdrawn_fen,
                                            other_fen, opening_fen, closing_fen, billed_arrived_fen, billed_left_fen,
                                            billed_fee_fen, problem, at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        day,
        flow.payments,
        flow.moved.arrived,
        flow.moved.left,
        flow.moved.fee,
        flow.returned,
        flow.withdrawn,
        flow.other,
        flow.balance.map(|(opening, _)| opening),
        flow.balance.map(|(_, closing)| closing),
        billed.arrived,
        billed.left,
        billed.fee,
        funds.problem,
        tx.now()
    ])?;
    Ok(())
}

pub fn funds_of(conn: &Connection, day: Day) -> Result<Option<Funds>> {
    let moved = |row: &Row<'_>, arrived: &str, left: &str, fee: &str| {
        Ok::<_, rusqlite::Error>(Moved { arrived: row.get(arrived)?, left: row.get(left)?, fee: row.get(fee)? })
    };
    conn.prepare_cached("select * from fund_flows where day = ?1")?
        .query_row([day], |row| {
            let balance = row.get::<_, Option<i64>>("opening_fen")?.zip(row.get("closing_fen")?);
            let flow = Flow {
                payments: row.get("payments")?,
                moved: moved(row, "arrived_fen", "left_fen", "fee_fen")?,
                returned: row.get("returned_fen")?,
                withdrawn: row.get("withdrawn_fen")?,
                other: row.get("other_fen")?,
                gone: Vec::new(),
                balance,
                wrong: Vec::new(),
            };
            let billed = moved(row, "billed_arrived_fen", "billed_left_fen", "billed_fee_fen")?;
            Ok(Funds { flow, billed, problem: row.get("problem")?, later: false })
        })
        .optional()
}

/// One thing that the bill and our books tell differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub difference: Difference,
    /// What tells it from others of its kind.
    pub id: String,
    /// Of what a bill lacks: the number whose bill should have it.
    pub mch_id: Option<String>,
    pub order_id: Option<OrderId>,
    pub transaction_id: String,
    pub amount_fen: i64,
    pub what: String,
    pub ours: String,
    pub theirs: String,
}

impl Found {
    pub fn new(difference: Difference, id: String, what: String) -> Found {
        Found {
            difference,
            id,
            mch_id: None,
            order_id: None,
            transaction_id: String::new(),
            amount_fen: 0,
            what,
            ours: String::new(),
            theirs: String::new(),
        }
    }
}

/// A pair of rows about the same money: from the bill, from our books, or from both.
struct Pair {
    difference: Difference,
    id: String,
    transaction_id: String,
    order_id: Option<OrderId>,
    order_no: Option<String>,
    ours: Option<(i64, i64)>,
    theirs: Option<(i64, i64, String)>,
}

/// Everything that differs on a day, but for rows that could not be read: all bills that were fetched for it, that of
/// `mch_id` last, against what our books have of their numbers. What came in under another one cannot stand in them.
pub fn differences(conn: &Connection, day: Day, mch_id: &str) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for (difference, sql) in [
        (
            Difference::PaymentMissingHere,
            "select b.transaction_id as id, b.transaction_id, null as order_id, null as order_no,
                    null as our_fen, null as our_at, b.amount_fen as their_fen, b.at as their_at, b.raw
               from bill_rows b
              where b.day = ?1 and b.kind = 'payment'
                and not exists (select 1 from ledger l where l.kind = 'payment' and l.wechat_id = b.transaction_id)",
        ),
        (
            Difference::PaymentMissingThere,
            "select l.wechat_id as id, l.wechat_id as transaction_id, l.order_id, o.order_no,
                    l.amount_fen as our_fen, l.moved_at as our_at, null as their_fen, null as their_at, null as raw,
                    coalesce(a.mch_id, s.mch_id) as number
               from ledger l left join orders o on o.id = l.order_id
               left join attempts a on a.id = l.attempt_id
               left join strays s on s.transaction_id = l.wechat_id
              where l.day = ?1 and l.kind = 'payment'
                and not exists (select 1 from bill_rows b where b.kind = 'payment' and b.transaction_id = l.wechat_id)
                and iif(number is null or number = ?4, 1, exists (select 1 from bill_parts p
                         where p.day = ?1 and p.mch_id = number and p.looked_by is null
                           and p.state in ('equal', 'differs', 'empty')))",
        ),
        (
            Difference::PaymentAmount,
            "select b.transaction_id as id, b.transaction_id, l.order_id, o.order_no,
                    l.amount_fen as our_fen, l.moved_at as our_at, b.amount_fen as their_fen, b.at as their_at, b.raw
               from bill_rows b join ledger l on l.kind = 'payment' and l.wechat_id = b.transaction_id
               left join orders o on o.id = l.order_id
              where b.day = ?1 and b.kind = 'payment' and b.amount_fen <> l.amount_fen",
        ),
        (
            Difference::PaymentSettled,
            "select b.transaction_id as id, b.transaction_id, l.order_id, o.order_no,
                    l.amount_fen - l.borne_fen as our_fen, l.moved_at as our_at,
                    b.amount_fen - b.borne_fen as their_fen, b.at as their_at, b.raw
               from bill_rows b join ledger l on l.kind = 'payment' and l.wechat_id = b.transaction_id
               left join orders o on o.id = l.order_id
              where b.day = ?1 and b.kind = 'payment' and b.amount_fen = l.amount_fen and b.borne_fen <> l.borne_fen",
        ),
        (
            Difference::RefundMissingHere,
            "select b.refund_id as id, b.transaction_id, null as order_id, null as order_no,
                    null as our_fen, null as our_at, b.amount_fen as their_fen, b.at as their_at, b.raw
               from bill_rows b
              where b.day = ?1 and b.kind = 'refund'
                and not exists (select 1 from refunds r where r.refund_id = b.refund_id)",
        ),
        (
            Difference::RefundMissingThere,
            "select r.refund_id as id, r.transaction_id, r.order_id, o.order_no,
                    r.amount_fen as our_fen, r.accepted_at as our_at, null as their_fen, null as their_at, null as raw,
                    coalesce(a.mch_id, s.mch_id) as number
               from refunds r left join orders o on o.id = r.order_id
               left join ledger l on l.kind = 'payment' and l.wechat_id = r.transaction_id
               left join attempts a on a.id = l.attempt_id
               left join strays s on s.transaction_id = r.transaction_id
              where r.accepted_at >= ?2 and r.accepted_at < ?3 and r.refund_id is not null
                and not exists (select 1 from bill_rows b where b.refund_id = r.refund_id)
                and iif(number is null or number = ?4, 1, exists (select 1 from bill_parts p
                         where p.day = ?1 and p.mch_id = number and p.looked_by is null
                           and p.state in ('equal', 'differs', 'empty')))",
        ),
        (
            Difference::RefundAmount,
            "select b.refund_id as id, b.transaction_id, r.order_id, o.order_no,
                    r.amount_fen as our_fen, r.accepted_at as our_at, b.amount_fen as their_fen, b.at as their_at, b.raw
               from bill_rows b join refunds r on r.refund_id = b.refund_id
               left join orders o on o.id = r.order_id
              where b.day = ?1 and b.kind = 'refund' and b.amount_fen <> r.amount_fen",
        ),
        (
            Difference::RefundSettled,
            "select b.refund_id as id, b.transaction_id, l.order_id, o.order_no,
                    l.borne_fen - l.amount_fen as our_fen, l.moved_at as our_at,
                    b.amount_fen - b.borne_fen as their_fen, b.at as their_at, b.raw
               from bill_rows b join ledger l on l.kind = 'refund' and l.wechat_id = b.refund_id
               left join orders o on o.id = l.order_id
              where b.day = ?1 and b.kind = 'refund' and b.amount_fen = -l.amount_fen and b.borne_fen <> -l.borne_fen",
        ),
    ] {
        let mut rows = conn.prepare_cached(sql)?;
        let (from, until) = refunds_of(day);
        let window = params![day, from, until, mch_id];
        // Statements of fewer parameters take the first of them.
        let count = rows.parameter_count();
        let missing = matches!(difference, Difference::PaymentMissingThere | Difference::RefundMissingThere);
        let pairs = rows.query_map(&window[..count], |row| {
            // What no bill has of a number that was never noted, this one should have.
            let number = if missing { row.get::<_, Option<String>>("number")? } else { None };
            let number = missing.then(|| number.unwrap_or_else(|| mch_id.to_owned()));
            Ok(Found { mch_id: number, ..described(read_pair(difference, row)?) })
        })?;
        for one in pairs {
            found.push(one?);
        }
    }
    found.extend(fees_that_do_not_fit(conn, day)?);
    Ok(found)
}

/// A wrong rate is wrong in every row, so a day tells it once, with the first of them.
fn fees_that_do_not_fit(conn: &Connection, day: Day) -> Result<Option<Found>> {
    conn.prepare_cached(
        "select count(*), sum(fee_fen), transaction_id, raw, min(line) from bill_rows where day = ?1 and fee_fits = 0
         having count(*) > 0",
    )?
    .query_row([day], |row| {
        let (rows, fen): (i64, i64) = (row.get(0)?, row.get(1)?);
        let what = format!("{}：{rows} 行的手续费和它的费率对不上，共 ¥{}", Difference::Fee.text(), yuan(fen));
        Ok(Found {
            transaction_id: row.get(2)?,
            amount_fen: fen.abs(),
            theirs: row.get(3)?,
            ..Found::new(Difference::Fee, String::new(), what)
        })
    })
    .optional()
}

fn read_pair(difference: Difference, row: &Row<'_>) -> Result<Pair> {
    let theirs = match row.get::<_, Option<String>>("raw")? {
        Some(raw) => Some((row.get("their_fen")?, row.get("their_at")?, raw)),
        None => None,
    };
    let ours = row.get::<_, Option<i64>>("our_fen")?.zip(row.get("our_at")?);
    Ok(Pair {
        difference,
        id: row.get("id")?,
        transaction_id: row.get("transaction_id")?,
        order_id: row.get("order_id")?,
        order_no: row.get("order_no")?,
        ours,
        theirs,
    })
}

fn described(pair: Pair) -> Found {
    let order = pair.order_no.as_deref().map(|no| format!("订单 {no}，")).unwrap_or_default();
    let ours = pair.ours.map(|(fen, at)| format!("{order}¥{}，{}", yuan(fen), clock::shown(at)));
    let what = match (&pair.ours, &pair.theirs) {
        (Some((ours, _)), Some((theirs, ..))) => {
            format!("{}：本店 ¥{}，微信 ¥{}", pair.difference.text(), yuan(*ours), yuan(*theirs))
        }
        (Some((fen, _)), None) | (None, Some((fen, ..))) => format!("{} ¥{}", pair.difference.text(), yuan(*fen)),
        (None, None) => pair.difference.text().to_owned(),
    };
    let amount_fen = pair.theirs.as_ref().map(|(fen, ..)| *fen).or(pair.ours.map(|(fen, _)| fen)).unwrap_or(0);
    Found {
        order_id: pair.order_id,
        transaction_id: pair.transaction_id,
        amount_fen: amount_fen.abs(),
        ours: ours.unwrap_or_default(),
        theirs: pair.theirs.map(|(_, _, raw)| raw).unwrap_or_default(),
        ..Found::new(pair.difference, pair.id, what)
    }
}

/// Days that missed what turned out to stand in this day's bill: money that was taken on late in one day, or that we
/// heard of on another.
pub fn days_to_match_again(conn: &Connection, day: Day) -> Result<Vec<Day>> {
    let mut rows = conn.prepare_cached(
        "select distinct e.day
           from bill_rows b
           join money_exceptions e
             on e.subject = e.day || ' ' || b.kind || '_missing_there ' || coalesce(b.refund_id, b.transaction_id)
          where b.day = ?1 and e.day <> b.day and e.state = 'open'",
    )?;
    let mut days = rows.query_map([day], |row| row.get(0))?.collect::<Result<Vec<Day>>>()?;
    let mut rows = conn.prepare_cached(
        "select day from money_exceptions where difference = 'no_bill' and state = 'open' and day <> ?1",
    )?;
    for other in rows.query_map([day], |row| row.get(0))? {
        let other = other?;
        if holds_some_of(conn, day, other)? {
            days.push(other);
        }
    }
    Ok(days)
}

/// Days since then on which we have trade, and WeChat has no bill as far as anybody knows.
pub fn without_bill(conn: &Connection, since: Day) -> Result<Vec<Day>> {
    let mut rows = conn.prepare_cached(
        "select distinct day from money_exceptions where difference = 'no_bill' and state = 'open' and day >= ?1",
    )?;
    rows.query_map([since], |row| row.get(0))?.collect()
}

/// Whether a day's bill has anything that we count to another day.
fn holds_some_of(conn: &Connection, day: Day, other: Day) -> Result<bool> {
    let (from, until) = refunds_of(other);
    conn.prepare_cached(
        "select exists (select 1 from bill_rows b join ledger l on l.kind = 'payment' and l.wechat_id = b.transaction_id
                         where b.day = ?1 and b.kind = 'payment' and l.day = ?2)
             or exists (select 1 from bill_rows b join refunds r on r.refund_id = b.refund_id
                         where b.day = ?1 and r.accepted_at >= ?3 and r.accepted_at < ?4)",
    )?
    .query_row(params![day, other, from, until], |row| row.get(0))
}

/// The third side of the match: how orders account for the payments of a day.
pub fn by_orders(conn: &Connection, day: Day) -> Result<ByOrders> {
    conn.prepare_cached(
        "select coalesce(sum(o.id is not null), 0), coalesce(sum(iif(o.id is not null, l.amount_fen, 0)), 0),
                coalesce(sum(o.id is null), 0), coalesce(sum(iif(o.id is null, l.amount_fen, 0)), 0)
           from ledger l
           left join ledger k on k.kind = 'link' and k.wechat_id = l.wechat_id
           left join orders o on o.id = coalesce(k.order_id, l.order_id) and o.paid_fen >= l.amount_fen
          where l.day = ?1 and l.kind = 'payment'",
    )?
    .query_row([day], |row| Ok(ByOrders { inside: (row.get(0)?, row.get(1)?), beside: (row.get(2)?, row.get(3)?) }))
}

/// A row of the month report: one movement of money.
#[derive(Clone, Debug)]
pub struct Movement {
    pub at: i64,
    pub kind: String,
    pub order_no: Option<String>,
    pub wechat_id: String,
    pub amount_fen: i64,
    pub borne_fen: i64,
}

pub fn movements(conn: &Connection, first: Day, last: Day) -> Result<Vec<Movement>> {
    let mut rows = conn.prepare_cached(
        "select l.moved_at, l.kind, o.order_no, l.wechat_id, l.amount_fen, l.borne_fen
           from ledger l left join orders o on o.id = l.order_id
          where l.day between ?1 and ?2 order by l.moved_at, l.id",
    )?;
    rows.query_map([first, last], |row| {
        Ok(Movement {
            at: row.get(0)?,
            kind: row.get(1)?,
            order_no: row.get(2)?,
            wechat_id: row.get(3)?,
            amount_fen: row.get(4)?,
            borne_fen: row.get(5)?,
        })
    })?
    .collect()
}
