//! SQL of the parts of a day's match.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::super::store::{read_others, refunds_of};
use super::{Owed, Part};
use crate::clock::Day;
use crate::db::Tx;
use crate::reconcile::BillState;
use crate::wechat::bill::Others;

pub fn of_day(conn: &Connection, day: Day) -> Result<Vec<Part>> {
    let mut rows = conn.prepare_cached("select * from bill_parts where day = ?1 order by n")?;
    rows.query_map([day], read)?.collect()
}

pub fn of_number(conn: &Connection, day: Day, mch_id: &str) -> Result<Option<Part>> {
    conn.prepare_cached("select * from bill_parts where day = ?1 and mch_id = ?2")?
        .query_row(params![day, mch_id], read)
        .optional()
}

fn read(row: &Row<'_>) -> Result<Part> {
    Ok(Part {
        mch_id: row.get("mch_id")?,
        n: row.get("n")?,
        state: row.get("state")?,
        others: read_others(row)?,
        problem: row.get("problem")?,
        looked_by: row.get("looked_by")?,
    })
}

/// Which of a day's bills is this number's: the one that was, or the next.
pub fn nth(conn: &Connection, day: Day, mch_id: &str) -> Result<i64> {
    conn.prepare_cached(
        "select coalesce((select n from bill_parts where day = ?1 and mch_id = ?2),
                         (select max(n) + 1 from bill_parts where day = ?1), 0)",
    )?
    .query_row(params![day, mch_id], |row| row.get(0))
}

/// `whole`: each row of the bill could be read and names a payment, and nothing of it is missing, by its own sums and beside the
/// fund flow.
pub fn put(tx: &Tx, day: Day, mch_id: &str, state: BillState, others: &Others, whole: bool) -> Result<()> {
    tx.prepare_cached(
        "insert or replace into bill_parts (day, mch_id, n, state, other_payments, other_received_fen, other_refunds,
                                            other_refunded_fen, checked_at, whole)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        day,
        mch_id,
        nth(tx, day, mch_id)?,
        state,
        others.payments,
        others.received_fen,
        others.refunds,
        others.refunded_fen,
        tx.now(),
        whole
    ])?;
    Ok(())
}

/// The last of the days from this one on, none left out, whose bills of this merchant number were read whole.
pub fn whole_until(conn: &Connection, first: Day, mch_id: &str) -> Result<Option<Day>> {
    let mut rows =
        conn.prepare_cached("select day from bill_parts where day >= ?1 and mch_id = ?2 and whole = 1 order by day")?;
    let (mut last, mut next) = (None, first);
    for day in rows.query_map(params![first, mch_id], |row| row.get::<_, Day>(0))? {
        let day = day?;
        if day != next {
            break;
        }
        (last, next) = (Some(day), day.plus(1));
    }
    Ok(last)
}

pub fn put_looked(tx: &Tx, day: Day, mch_id: &str, who: &str) -> Result<()> {
    put(tx, day, mch_id, BillState::Equal, &Others::default(), false)?;
    tx.prepare_cached("update bill_parts set looked_by = ?3 where day = ?1 and mch_id = ?2")?
        .execute(params![day, mch_id, who])?;
    Ok(())
}

/// Why there is no match yet; one that was made before keeps its state.
pub fn put_problem(tx: &Tx, day: Day, mch_id: &str, state: BillState, problem: &str) -> Result<()> {
    tx.prepare_cached(
        "insert into bill_parts (day, mch_id, n, state, problem, checked_at) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (day, mch_id) do update
            set problem = excluded.problem, checked_at = excluded.checked_at,
                state = iif(state in ('waiting', 'failed'), excluded.state, state)",
    )?
    .execute(params![day, mch_id, nth(tx, day, mch_id)?, state, problem, tx.now()])?;
    Ok(())
}

/// The numbers that have something in our books on a day, or that the shop was set to then.
pub fn owed(conn: &Connection, day: Day) -> Result<Vec<Owed>> {
    let (from, until) = refunds_of(day);
    conn.prepare_cached(
        "with moved (mch_id, n) as (
             select coalesce(a.mch_id, s.mch_id), 1
               from ledger l
               left join attempts a on a.id = l.attempt_id
               left join strays s on s.transaction_id = l.wechat_id
              where l.day = ?1 and l.kind = 'payment'
              union all
             select coalesce(a.mch_id, s.mch_id), 1
               from refunds r
               left join ledger p on p.kind = 'payment' and p.wechat_id = r.transaction_id
               left join attempts a on a.id = p.attempt_id
               left join strays s on s.transaction_id = r.transaction_id
              where r.accepted_at >= ?2 and r.accepted_at < ?3 and r.refund_id is not null
              union all
             select mch_id, 0 from merchant_numbers where since < ?5 and coalesce(until, ?5) >= ?4)
         select mch_id, sum(n) as moved from moved where mch_id is not null group by mch_id order by mch_id",
    )?
    .query_map(params![day, from, until, day.start(), day.end()], |row| {
        Ok(Owed { mch_id: row.get("mch_id")?, moved: row.get("moved")? })
    })?
    .collect()
}

/// From which day on a number's bills are fetched by themselves: the first day of the books for the shop's first number, for
/// another one the day on which it was first set. None where there are no books yet.
pub fn first_day(conn: &Connection, mch_id: &str) -> Result<Option<Day>> {
    let books = crate::ledger::store::first_day(conn)?;
    let since: Option<i64> = conn
        .prepare_cached(
            "select since from merchant_numbers m
              where mch_id = ?1 and exists (select 1 from merchant_numbers o where o.since < m.since)",
        )?
        .query_row([mch_id], |row| row.get(0))
        .optional()?;
    Ok(books.map(|first| since.map_or(first, |since| first.max(Day::of(since)))))
}

/// Whether the shop was ever set to more than one number.
pub fn moved(conn: &Connection) -> Result<bool> {
    conn.prepare_cached("select count(*) > 1 from merchant_numbers")?.query_row([], |row| row.get(0))
}
