//! SQL of invoices.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Invoice, InvoiceState, Title};
use crate::db::{Named, Tx};
use crate::ids::{InvoiceId, OrderId};
use crate::money::Fen;

/// What arrived for an order `o`, less what went back of it. A coupon that the merchant bears was never received.
macro_rules! received_sql {
    () => {
        "max(o.paid_fen - o.refunded_fen
             - (select coalesce(sum(l.borne_fen), 0) from ledger l where l.order_id = o.id and l.kind <> 'fee'), 0)"
    };
}

const INVOICES: &str = concat!(
    "select i.*, o.order_no, ",
    received_sql!(),
    " as due_fen from invoices i join orders o on o.id = i.order_id"
);

fn read(row: &Row<'_>) -> Result<Invoice> {
    let row = Named::of(row);
    Ok(Invoice {
        id: row.get("id")?,
        order: row.get("order_id")?,
        title: Title {
            kind: row.get("kind")?,
            title: row.get("title")?,
            tax_no: row.get("tax_no")?,
            email: row.get("email")?,
        },
        state: row.get("state")?,
        asked_at: row.get("asked_at")?,
        issued: row.get("issued_fen")?,
        number: row.get("number")?,
        link: row.get("link")?,
        answer: row.get("answer")?,
        decided_at: row.get("decided_at")?,
        order_no: row.get("order_no")?,
        due: row.get("due_fen")?,
    })
}

pub fn of_order(conn: &Connection, order: OrderId) -> Result<Option<Invoice>> {
    conn.prepare_cached(&format!("{INVOICES} where i.order_id = ?1"))?.query_row([order], read).optional()
}

pub fn by_id(conn: &Connection, id: InvoiceId) -> Result<Option<Invoice>> {
    conn.prepare_cached(&format!("{INVOICES} where i.id = ?1"))?.query_row([id], read).optional()
}

/// What an invoice of this order would be written out for.
pub fn due(conn: &Connection, order: OrderId) -> Result<Fen> {
    conn.prepare_cached(concat!("select ", received_sql!(), " from orders o where o.id = ?1"))?
        .query_row([order], |row| row.get(0))
}

/// The newest first, before `before`.
pub fn list(conn: &Connection, state: InvoiceState, before: Option<i64>, limit: i64) -> Result<Vec<Invoice>> {
    let mut rows =
        conn.prepare_cached(&format!("{INVOICES} where i.state = ?1 and i.id < ?2 order by i.id desc limit ?3"))?;
    rows.query_map(params![state, before.unwrap_or(i64::MAX), limit], read)?.collect()
}

pub fn count_asked(conn: &Connection) -> Result<i64> {
    conn.prepare_cached("select count(*) from invoices where state = 'asked'")?.query_row([], |row| row.get(0))
}

/// Asked for, or asked for once more with another title.
pub fn ask(tx: &Tx, order: OrderId, title: &Title) -> Result<()> {
    tx.prepare_cached(
        "insert into invoices (id, order_id, kind, title, tax_no, email, state, asked_at)
         values (?7, ?1, ?2, ?3, ?4, ?5, 'asked', ?6)
         on conflict (order_id) do update
            set kind = excluded.kind, title = excluded.title, tax_no = excluded.tax_no, email = excluded.email,
                state = 'asked', asked_at = excluded.asked_at, decided_at = null, answer = ''",
    )?
    .execute(params![
        order,
        title.kind,
        title.title,
        title.tax_no,
        title.email,
        tx.now(),
        tx.fresh_id("invoices")?
    ])?;
    Ok(())
}

/// One that was decided stays.
pub fn withdraw(tx: &Tx, order: OrderId) -> Result<()> {
    tx.prepare_cached("delete from invoices where order_id = ?1 and state = 'asked'")?.execute([order])?;
    Ok(())
}

pub fn set_issued(tx: &Tx, id: InvoiceId, fen: Fen, number: &str, link: &str) -> Result<()> {
    tx.prepare_cached(
        "update invoices set state = 'issued', issued_fen = ?2, number = ?3, link = ?4, answer = '', decided_at = ?5
          where id = ?1",
    )?
    .execute(params![id, fen, number, link, tx.now()])?;
    Ok(())
}

pub fn set_refused(tx: &Tx, id: InvoiceId, answer: &str) -> Result<()> {
    tx.prepare_cached("update invoices set state = 'refused', answer = ?2, decided_at = ?3 where id = ?1")?
        .execute(params![id, answer, tx.now()])?;
    Ok(())
}
