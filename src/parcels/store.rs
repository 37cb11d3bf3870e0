//! SQL of what is known of carriers beyond the list that came with the program.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::carriers::{By, Carrier, Carriers, anothers, name_of, recognise};
use super::number::TrackingNo;
use crate::db::Tx;

/// The services that can be named now.
pub fn carriers(conn: &Connection) -> Result<Carriers> {
    let mut rows = conn.prepare_cached("select code, name from carriers order by code")?;
    let added = rows.query_map([], |row| Ok(Carrier { code: row.get("code")?, name: row.get("name")? }))?;
    Ok(Carriers { added: added.collect::<Result<_>>()? })
}

/// What WeChat's list has and ours has not, in the place of what was known before.
pub fn put_added(tx: &Tx, added: &[Carrier]) -> Result<()> {
    tx.execute("delete from carriers", [])?;
    let mut insert = tx.prepare_cached("insert or replace into carriers (code, name) values (?1, ?2)")?;
    added.iter().try_for_each(|carrier| insert.execute(params![carrier.code, carrier.name]).map(drop))
}

/// When WeChat was last asked for its list, and what came of it, in words.
pub fn asked(conn: &Connection) -> Result<Option<(i64, String)>> {
    conn.prepare_cached("select at, outcome from carriers_asked where id = 1")?
        .query_row([], |row| Ok((row.get("at")?, row.get("outcome")?)))
        .optional()
}

pub fn put_asked(tx: &Tx, outcome: &str) -> Result<()> {
    tx.prepare_cached(
        "insert into carriers_asked (id, at, outcome) values (1, ?1, ?2)
         on conflict (id) do update set at = excluded.at, outcome = excluded.outcome",
    )?
    .execute(params![tx.now(), outcome])?;
    Ok(())
}

/// Who carries a parcel of which nobody said it, and how that is known: as somebody last said of such a number, else as it
/// looks. Where the two are not one, the number is right and somebody has to look: one wrong choice is not to send all
/// that follow.
pub fn suggested(conn: &Connection, number: &TrackingNo) -> Result<Option<(Carrier, By)>> {
    let mut row = conn.prepare_cached("select company, company_name from carrier_marks where mark = ?1")?;
    let said = row
        .query_row([mark(number)], |row| Ok((row.get::<_, String>("company")?, row.get::<_, String>("company_name")?)))
        .optional()?;
    let said = said.map(|(code, name)| match name.is_empty() {
        true => Carrier::known(&code),
        false => Carrier { code, name },
    });
    Ok(match (said, recognise(number)) {
        (Some(said), guess) => Some(match anothers(&said, number) {
            Some(whose) => (whose, By::Guess),
            None if guess.is_some_and(|guess| guess.sure) => (said, By::Number),
            None => (said, By::Memory),
        }),
        (None, guess) => guess.map(|guess| {
            let by = if guess.sure { By::Number } else { By::Guess };
            (Carrier::known(guess.code), by)
        }),
    })
}

/// Somebody said who carries this number; the next that looks like it is taken for the same, unless it is surely another's.
pub fn put_mark(tx: &Tx, number: &TrackingNo, carrier: &Carrier) -> Result<()> {
    if anothers(carrier, number).is_some() {
        return Ok(());
    }
    let name = if carrier.name == name_of(&carrier.code) { "" } else { &carrier.name };
    tx.prepare_cached(
        "insert into carrier_marks (mark, company, company_name, at) values (?1, ?2, ?3, ?4)
         on conflict (mark) do update set company = excluded.company, company_name = excluded.company_name, at = excluded.at",
    )?
    .execute(params![mark(number), carrier.code, name, tx.now()])?;
    Ok(())
}

/// What numbers of one service have in common: their letters, or else their first three digits, and their length.
fn mark(number: &TrackingNo) -> String {
    let number = number.as_str();
    let letters = number.bytes().take_while(u8::is_ascii_alphabetic).count();
    let head = if letters > 0 { letters.min(4) } else { 3 };
    format!("{} {}", &number[..head.min(number.len())], number.len())
}
