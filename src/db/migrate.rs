//! Migrations: each a file, each in one transaction together with the version it brings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::OpenError;
use super::copies::{free_name, vacuum_into};

/// "xpu" and a version of the mark itself, so that no other program's file is taken for ours.
pub const APPLICATION_ID: i64 = 0x7870_7501;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_shop.sql"),
    include_str!("migrations/0002_money.sql"),
    include_str!("migrations/0003_console.sql"),
    include_str!("migrations/0004_scale.sql"),
    include_str!("migrations/0005_setup.sql"),
    include_str!("migrations/0006_sellers.sql"),
    include_str!("migrations/0007_checks.sql"),
    include_str!("migrations/0008_register.sql"),
    include_str!("migrations/0009_shelf.sql"),
    include_str!("migrations/0010_picture_widths.sql"),
    include_str!("migrations/0011_api_v3.sql"),
    include_str!("migrations/0012_others.sql"),
    include_str!("migrations/0013_imports.sql"),
    include_str!("migrations/0014_null_is_json.sql"),
    include_str!("migrations/0015_duty.sql"),
    include_str!("migrations/0016_labels.sql"),
    include_str!("migrations/0017_customers.sql"),
    include_str!("migrations/0018_promotions.sql"),
    include_str!("migrations/0019_coupons.sql"),
    include_str!("migrations/0020_funds.sql"),
    include_str!("migrations/0021_topic.sql"),
    include_str!("migrations/0022_clock.sql"),
    include_str!("migrations/0023_drafts.sql"),
    include_str!("migrations/0024_home_and_trials.sql"),
    include_str!("migrations/0025_outbox.sql"),
    include_str!("migrations/0026_programs.sql"),
    include_str!("migrations/0027_ledger_guard.sql"),
    include_str!("migrations/0028_pickup.sql"),
    include_str!("migrations/0029_baskets.sql"),
    include_str!("migrations/0030_costs.sql"),
    include_str!("migrations/0031_lists.sql"),
    include_str!("migrations/0032_returns.sql"),
    include_str!("migrations/0033_freight.sql"),
    include_str!("migrations/0034_codes.sql"),
    include_str!("migrations/0035_invoices.sql"),
    include_str!("migrations/0036_packed.sql"),
    include_str!("migrations/0037_slots.sql"),
    include_str!("migrations/0038_payment_cards.sql"),
    include_str!("migrations/0039_former_keys.sql"),
    include_str!("migrations/0040_forgotten_words.sql"),
    include_str!("migrations/0041_due_jobs.sql"),
    include_str!("migrations/0042_undo.sql"),
    include_str!("migrations/0043_freight_order.sql"),
    include_str!("migrations/0044_hours.sql"),
    include_str!("migrations/0045_unpaid.sql"),
    include_str!("migrations/0046_open_ends.sql"),
    include_str!("migrations/0047_shown.sql"),
    include_str!("migrations/0048_numbers.sql"),
    include_str!("migrations/0049_usual_freight.sql"),
    include_str!("migrations/0050_product_lists.sql"),
    include_str!("migrations/0051_import_done.sql"),
    include_str!("migrations/0052_tail.sql"),
    include_str!("migrations/0053_bill_parts.sql"),
    include_str!("migrations/0054_clock_steps.sql"),
    include_str!("migrations/0055_came_back.sql"),
    include_str!("migrations/0056_came_as.sql"),
    include_str!("migrations/0057_resend_cost.sql"),
    include_str!("migrations/0058_asked_back.sql"),
    include_str!("migrations/0059_beside.sql"),
    include_str!("migrations/0060_export_carried.sql"),
    include_str!("migrations/0061_transaction_tail.sql"),
    include_str!("migrations/0062_parcel_tail.sql"),
    include_str!("migrations/0063_billed_refunds.sql"),
    include_str!("migrations/0064_last_ids.sql"),
    include_str!("migrations/0065_whole_bills.sql"),
    include_str!("migrations/0066_billed_before.sql"),
    include_str!("migrations/0067_whole_before.sql"),
    include_str!("migrations/0068_told_alone.sql"),
];

/// The newest schema that this program knows.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

pub fn migrate(conn: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let (found, application) = versions(conn)?;
    let fresh = found == 0 && application == 0 && table_count(conn)? == 0;
    if !fresh && application != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer { found, known: SCHEMA_VERSION });
    }
    if 0 < found && found < SCHEMA_VERSION {
        // An upgrade that disappoints must have a way back; one that is tried again must not go back to the first try.
        vacuum_into(conn, &free_name(path, &format!("before-upgrade-from-{found}")))?;
    }
    for (version, sql) in (1..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(0)) {
        apply(conn, version, sql)?;
    }
    Ok(())
}

/// Whether opening it would change tables that another program may be using.
pub fn is_upgrade(conn: &Connection) -> rusqlite::Result<bool> {
    let (found, application) = versions(conn)?;
    Ok(application == APPLICATION_ID && 0 < found && found < SCHEMA_VERSION)
}

/// The first table, view, index or trigger that is not as the migrations of the database's version make it, if any.
pub fn foreign_part(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let ((version, _), found) = (versions(conn)?, parts(conn)?);
    let digest = |parts: &Parts| -> [u8; 32] { Sha256::digest(format!("{parts:?}")).into() };
    let known = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if known().get(&version) == Some(&digest(&found)) {
        return Ok(None);
    }
    let ours = Connection::open_in_memory()?;
    for sql in MIGRATIONS.iter().take(usize::try_from(version).unwrap_or(0)) {
        ours.execute_batch(sql)?;
    }
    let ours = parts(&ours)?;
    known().insert(version, digest(&ours));
    Ok(ours.symmetric_difference(&found).next().map(|(_, name, _)| name.clone()))
}

/// A digest of what the migrations of a version make, once they have been run for it: they take a quarter of a second.
static MADE: Mutex<BTreeMap<i64, [u8; 32]>> = Mutex::new(BTreeMap::new());

type Parts = BTreeSet<(String, String, String)>;

/// Kind, name and text of everything in the schema, but for what SQLite's statistics and Litestream put beside it.
fn parts(conn: &Connection) -> rusqlite::Result<Parts> {
    let mut rows = conn.prepare(
        "select type, name, sql from sqlite_schema
          where sql is not null
            and not (type = 'table' and (name glob 'sqlite_stat[0-9]' or name in ('_litestream_seq', '_litestream_lock')))",
    )?;
    // One that was renamed by an older SQLite may be quoted otherwise.
    let plain = |sql: String| sql.replace('"', "").split_whitespace().collect::<Vec<_>>().join(" ");
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, plain(row.get(2)?))))?.collect()
}

/// The version is read again inside the lock: two programs may open a fresh folder together.
fn apply(conn: &mut Connection, version: i64, sql: &str) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let (found, _) = versions(&tx)?;
    if found < version {
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", version)?;
    }
    tx.commit()
}

fn versions(conn: &Connection) -> rusqlite::Result<(i64, i64)> {
    let version = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok((version, application))
}

fn table_count(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::super::Db;
    use super::*;
    use crate::clock::HOUR;

    /// The database of a shop as the program of an older version left it.
    fn shop_of(version: i64) -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let mut old = Connection::open(dir.path().join("xiaopu.db")).unwrap();
        for (version, sql) in (1..=version).zip(MIGRATIONS) {
            apply(&mut old, version, sql).unwrap();
        }
        (dir, old)
    }

    /// SQLite builds a table for a list of more than two words, for every row that is checked against it.
    #[test]
    fn a_row_of_a_busy_table_is_checked_without_building_a_table() {
        let dir = tempfile::tempdir().unwrap();
        drop(Db::open(dir.path()).unwrap());
        let shop = Connection::open(dir.path().join("xiaopu.db")).unwrap();
        for table in ["orders", "order_events", "order_lines", "stock_moves", "attempts", "messages", "jobs", "ledger"]
        {
            let mut plan = shop.prepare(&format!("explain insert into {table} default values")).unwrap();
            let steps: Vec<String> =
                plan.query_map([], |row| row.get("opcode")).unwrap().collect::<Result<_, _>>().unwrap();
            assert!(steps.iter().any(|step| step == "Insert"), "{table}");
            assert!(!steps.iter().any(|step| step == "OpenEphemeral"), "{table}");
        }
    }

    /// A shop of the first version, with money in it, opens with everything in its new place.
    #[test]
    fn the_first_versions_money_is_carried_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("xiaopu.db");
        let mut old = Connection::open(&path).unwrap();
        apply(&mut old, 1, MIGRATIONS[0]).unwrap();
        // 2026-10-08 23:59:59 and a second later, in Shanghai.
        let (evening, night) = (1_791_475_199_000_i64, 1_791_475_200_000_i64);
        old.execute_batch(&format!(
            "insert into buyers (id, app_id, openid, created_at) values (1, 'wx', 'o1', 0);
             insert into orders (id, order_no, buyer_id, status, goods_fen, freight_fen, total_fen, paid_fen, delivery,
                                 holds_stock, created_at, expires_at, paid_at)
               values (1, '20261008AAAAAAAAAA', 1, 'to_ship', 8800, 0, 8800, 8800, 'none', 1, 0, 0, {evening});
             insert into attempts (id, order_id, n, out_trade_no, state, total_fen, app_id, mch_id, openid, params,
                                   transaction_id, paid_at, created_at)
               values (1, 1, 1, '20261008AAAAAAAAAA01', 'paid', 8800, 'wx', '19', 'o1', '{{}}', '42-1', {evening}, 0);
             insert into ledger (kind, wechat_id, order_id, attempt_id, amount_fen, at)
               values ('payment', '42-1', 1, 1, 8800, {night}), ('payment', '42-2', null, null, 100, {night});
             insert into money_exceptions (kind, state, out_trade_no, transaction_id, amount_fen, what, opened_at)
               values ('orphan_payment', 'open', 'other', '42-2', 100, 'x', 0);"
        ))
        .unwrap();
        drop(old);
        drop(Db::open(dir.path()).unwrap());
        assert!(dir.path().join("before-upgrade-from-1.db").exists());
        let new = Connection::open(&path).unwrap();
        let row = |sql: &str| -> (String, i64, i64) {
            new.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
        };
        // What the buyer paid before midnight is that day's money, whenever the notice came.
        assert_eq!(
            row("select day, payments, received_fen from money_days order by day"),
            ("20261008".into(), 1, 8800)
        );
        assert_eq!(
            row("select day, payments, received_fen from money_days order by day desc"),
            ("20261009".into(), 1, 100)
        );
        let hours = "select count(*), sum(received_fen), sum(hour = moved_at / 3600000) from money_hours join ledger on received_fen = amount_fen";
        let sums: (i64, i64, i64) =
            new.query_row(hours, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        assert_eq!(sums, (2, 8900, 2));
        assert_eq!(
            row("select '', hour * 3600000, moves from margin_hours"),
            (String::new(), evening / HOUR * HOUR, 1)
        );
        assert_eq!(
            row("select subject, id, amount_fen from money_exceptions where state = 'open'"),
            ("42-2 other".into(), 1, 100)
        );
        assert_eq!(
            row("select day, moved_at, at from ledger where wechat_id = '42-1'"),
            ("20261008".into(), evening, night)
        );
        // What it wrote plain stays so until the shop gets round to it.
        assert_eq!(row("select what, done, last from unpacked"), ("attempts".into(), 0, 1));
        assert_eq!(row("select params, dictionary is null, 0 from attempts"), ("{}".into(), 1, 0));
        let forbidden = new.execute("delete from ledger", []).unwrap_err();
        assert!(forbidden.to_string().contains("append-only"));
        for change in ["amount_fen = 1", "borne_fen = 1", "payer = 'o2'", "day = '20261010'"] {
            let forbidden = new.execute(&format!("update ledger set {change} where id = 1"), []).unwrap_err();
            assert!(forbidden.to_string().contains("append-only"), "{change}");
        }
        let broken: i64 = new.query_row("select count(*) from pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
        assert_eq!(broken, 0);
    }

    /// Parcels from before one could hold two SKUs for one line keep what is in them, and no hour is reckoned anew for that.
    #[test]
    fn what_was_sent_again_is_carried_over() {
        let (dir, old) = shop_of(54);
        old.execute_batch(&format!(
            "insert into buyers (id, app_id, openid, created_at) values (1, 'wx', 'o1', 0);
             insert into products (id, name, created_at, updated_at) values (1, '苹果', 0, 0), (2, '雪梨', 0, 0);
             insert into skus (id, product_id, price_fen, cost_fen) values (1, 1, 100, 40), (2, 2, 100, null);
             insert into orders (id, order_no, buyer_id, status, goods_fen, freight_fen, total_fen, paid_fen, delivery,
                                 holds_stock, created_at, expires_at)
               values (7, '20261008AAAAAAAAAA', 1, 'shipped', 500, 0, 500, 500, 'none', 1, 0, 0);
             insert into order_lines (id, order_id, product_id, sku_id, name, spec_text, price_fen, quantity, cost_fen)
               values (3, 7, 1, 1, '苹果', '', 100, 4, 30), (4, 7, 2, 2, '雪梨', '', 100, 1, 5);
             insert into resends (id, order_id, reason, sent_by, sent_at)
               values (1, 7, '破损', '店主', {HOUR}), (2, 7, '错发', '店主', {HOUR} + 1);
             insert into resend_lines (resend_id, line_id, sku_id, quantity) values (1, 3, 1, 2), (1, 4, 2, 1), (2, 3, 2, 1);"
        ))
        .unwrap();
        drop(old);
        drop(Db::open(dir.path()).unwrap());
        let new = Connection::open(dir.path().join("xiaopu.db")).unwrap();
        let one = |sql: &str| -> String { new.query_row(sql, [], |row| row.get(0)).unwrap() };
        let sent = "select group_concat(resend_id || line_id || ':' || quantity || '×' || sku_id, ' ')
                      from (select * from resend_lines order by 1, 2, 3)";
        assert_eq!(one(sent), "13:2×1 14:1×2 23:1×2");
        let moves = "select group_concat(hour || ':' || moves, ' ') from margin_hours";
        assert_eq!(one(moves), "1:3");
        let cost =
            "select group_concat(coalesce(cost_fen, '-'), ' ') from (select * from resend_lines order by 1, 2, 3)";
        assert_eq!(one(cost), "30 5 -", "its like as the order has it, another as it costs now");
        new.execute("insert into resend_lines (resend_id, line_id, sku_id, quantity) values (2, 3, 1, 1)", []).unwrap();
        assert_eq!((one(sent), one(moves)), ("13:2×1 14:1×2 23:1×1 23:1×2".into(), "1:4".into()));
        let broken: i64 = new.query_row("select count(*) from pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
        assert_eq!(broken, 0);
    }

    /// What a bill named before that was kept, and nobody has settled since, is asked about as if it were named today.
    #[test]
    fn refunds_that_bills_named_before_are_told_of() {
        let (dir, old) = shop_of(62);
        let row = |line: i64, transaction: &str, refund: &str, number: &str| {
            format!(
                "insert into bill_rows (day, line, kind, transaction_id, out_trade_no, refund_id, out_refund_no, amount_fen, fee_fen,
                                        fee_fits, at, raw)
                   values ('20261008', {line}, 'refund', '{transaction}', 'a', '{refund}', '{number}', 100, 0, 1, 0, '');"
            )
        };
        let item = |transaction: &str, state: &str, difference: &str, day: &str| {
            format!(
                "insert into money_exceptions (kind, subject, state, out_trade_no, transaction_id, amount_fen, what, day, difference,
                                               opened_at, resolved_at)
                   values ('bill_difference', '{transaction} {difference}', '{state}', '', '{transaction}', 100, '', '{day}',
                           '{difference}', 5, iif('{state}' = 'open', null, 6));"
            )
        };
        for sql in [
            row(1, "42-1", "50-1", "20481"),
            row(2, "42-1", "50-2", ""),
            row(3, "42-2", "50-3", "商户退款 1"),
            row(4, "42-3", "50-4", "R4"),
            row(5, "42-4", "50-5", "R5"),
            row(6, "42-5", "50-6", "R6"),
            item("42-1", "open", "refund_missing_here", "20261008"),
            item("42-2", "open", "refund_missing_here", "20261008"),
            item("42-3", "resolved", "refund_missing_here", "20261008"),
            item("42-4", "open", "fee", "20261008"),
            item("42-5", "open", "refund_missing_here", "20261009"),
        ] {
            old.execute_batch(&sql).unwrap();
        }
        drop(old);
        drop(Db::open(dir.path()).unwrap());
        let new = Connection::open(dir.path().join("xiaopu.db")).unwrap();
        let sql = "select group_concat(transaction_id || ' ' || out_refund_no || ' ' || told_at, ', ')
                     from (select * from billed_refunds order by refund_id)";
        let told: String = new.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(told, "42-1 20481 5, 42-1 WX-50-2 5, 42-2 WX-50-3 5");
    }

    /// A day whose books agreed, and of whose bill nothing was found, was read whole before that was kept.
    #[test]
    fn bills_of_before_are_whole_where_nothing_was_found_of_them() {
        let (dir, old) = shop_of(64);
        // The day's state, who looked at it, and what was found of it and settled.
        for (day, state, looked_by, found) in [
            ("20261001", "equal", "null", ""),
            ("20261002", "differs", "null", ""),
            ("20261003", "equal", "'boss'", ""),
            ("20261004", "equal", "null", "unreadable"),
            ("20261005", "equal", "null", "funds"),
            ("20261006", "equal", "null", "fee"),
            ("20261007", "equal", "null", "refund_missing_here"),
        ] {
            let part = format!(
                "insert into bill_parts (day, mch_id, n, state, looked_by, checked_at)
                   values ('{day}', '1900000109', 0, '{state}', {looked_by}, 1)"
            );
            old.execute(&part, []).unwrap();
            if !found.is_empty() {
                let item = format!(
                    "insert into money_exceptions (kind, subject, state, amount_fen, what, day, difference, opened_at, resolved_at)
                       values ('bill_difference', '{day}', 'resolved', 1, '', '{day}', '{found}', 1, 2)"
                );
                old.execute(&item, []).unwrap();
            }
        }
        drop(old);
        drop(Db::open(dir.path()).unwrap());
        let new = Connection::open(dir.path().join("xiaopu.db")).unwrap();
        let sql = "select group_concat(day, ' ') from (select day from bill_parts where whole = 1 order by day)";
        assert_eq!(new.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap(), "20261001 20261006");
    }

    /// Money beside orders that nobody but whoever has the key of API v2 told of, as far as the log knows, is asked about; and a refund
    /// that a bill told of holds its order, unless somebody has looked since.
    #[test]
    fn money_that_v2_alone_told_of_and_refunds_that_bills_told_of_are_carried_over() {
        let (dir, old) = shop_of(67);
        old.execute_batch(
            "insert into buyers (id, app_id, openid, created_at) values (1, 'wx', 'o1', 0);
             insert into orders (id, order_no, buyer_id, status, goods_fen, freight_fen, total_fen, paid_fen, delivery, holds_stock,
                                 created_at, expires_at)
               values (7, '20261008AAAAAAAAAA', 1, 'to_ship', 100, 0, 100, 100, 'none', 1, 0, 0);",
        )
        .unwrap();
        let payment = |id: &str, order: &str| {
            let sql = format!(
                "insert into ledger (kind, wechat_id, order_id, amount_fen, at, moved_at, day)
                   values ('payment', '{id}', {order}, 100, 1, 1, '20261008')"
            );
            old.execute(&sql, []).unwrap();
        };
        // Each with what is known of it besides.
        for (id, besides) in [
            ("42-1", ""),
            ("42-2", "insert into strays (transaction_id, mch_id, api) values ('42-2', '19', 'v2')"),
            ("42-3", "insert into strays (transaction_id, mch_id, api) values ('42-3', '19', 'v3')"),
            (
                "42-4",
                "insert into ledger (kind, wechat_id, order_id, amount_fen, at, moved_at, day)
                   values ('link', '42-4', 7, 100, 1, 1, '20261008')",
            ),
            ("42-5", "orderquery 100"),
            ("42-6", "orderquery 1"),
            ("42-7", "orderquery null"),
            ("42-8", "notify 100"),
        ] {
            payment(id, "null");
            match besides.split_once(' ').filter(|(kind, _)| ["orderquery", "notify"].contains(kind)) {
                Some((kind, fen)) => old.execute(
                    &format!(
                        "insert into messages (at, direction, kind, transaction_id, amount_fen, verdict, reason, checks, request,
                                               response, source_ip, took_ms)
                           values (1, 'in', '{kind}', '{id}', {fen}, 'ok', '', '[]', x'', x'', '', 1)"
                    ),
                    [],
                ),
                None if besides.is_empty() => Ok(0),
                None => old.execute(besides, []),
            }
            .unwrap();
        }
        // When the bill told of it, when a notice did, and what became of the look into it.
        for (id, told_at, noticed_at, item) in [
            ("43-1", 5, "", ""),
            ("43-2", 5, "", "'open', 3, null"),
            ("43-3", 5, "", "'resolved', 3, 4"),
            ("43-4", 5, "", "'resolved', 3, 6"),
            ("43-5", 5, "2", "'resolved', 3, 4"),
            ("43-6", 5, "", "known"),
        ] {
            payment(id, "7");
            let billed = format!(
                "insert into billed_refunds (refund_id, out_refund_no, transaction_id, told_at)
                   values ('50-{id}', 'R{id}', '{id}', {told_at})"
            );
            old.execute(&billed, []).unwrap();
            if !noticed_at.is_empty() {
                let notice = format!(
                    "insert into messages (at, direction, kind, transaction_id, out_refund_no, verdict, reason, checks, request,
                                           response, source_ip, took_ms)
                       values ({noticed_at}, 'in', 'refund_notify', '{id}', 'R{id}', 'ok', '', '[]', x'', x'', '', 1)"
                );
                old.execute(&notice, []).unwrap();
            }
            let sql = match item {
                "" => continue,
                "known" => format!(
                    "insert into refunds (out_refund_no, inside, transaction_id, payment_fen, origin, state, amount_fen, reason,
                                          not_before, refund_id, created_at)
                       values ('R{id}', 0, '{id}', 100, 'console', 'processing', 1, '', 0, '50-{id}', 0)"
                ),
                item => format!(
                    "insert into money_exceptions (kind, subject, state, opened_at, resolved_at, transaction_id, amount_fen, what)
                       values ('amount_mismatch', '{id} gone back', {item}, '{id}', 100, 'x')"
                ),
            };
            old.execute(&sql, []).unwrap();
        }
        drop(old);
        drop(Db::open(dir.path()).unwrap());
        let new = Connection::open(dir.path().join("xiaopu.db")).unwrap();
        let all = |sql: &str| -> String { new.query_row(sql, [], |row| row.get(0)).unwrap() };
        let alone = "select group_concat(transaction_id, ' ') from (select * from told_alone order by 1)";
        assert_eq!(all(alone), "42-1 42-2 42-6 42-7 42-8");
        let held = "select group_concat(transaction_id || ' ' || opened_at || ' ' || coalesce(order_id, '-'), ', ')
                      from (select * from money_exceptions where state = 'open' order by transaction_id)";
        assert_eq!(all(held), "43-1 5 7, 43-2 3 -, 43-3 5 7");
    }

    /// Orders from before the index of words are found by it, and those of each day are counted.
    #[test]
    fn orders_of_an_older_shop_are_found_and_counted() {
        let (dir, old) = shop_of(3);
        let evening = 1_791_475_199_000_i64;
        old.execute_batch(&format!(
            r#"insert into buyers (id, app_id, openid, created_at) values (1, 'wx', 'o1', 0);
             insert into products (id, name, created_at, updated_at) values (1, '苹果', 0, 0);
             insert into products (id, name, created_at, updated_at) values (2, '雪梨', 0, 0);
             insert into skus (id, product_id, price_fen) values (1, 1, 100), (2, 2, 100);
             insert into orders (id, order_no, buyer_id, status, goods_fen, freight_fen, total_fen, paid_fen, delivery, address,
                                 holds_stock, created_at, expires_at, paid_at)
               values (7, '20261008AAAAAAAAAA', 1, 'to_ship', 200, 0, 200, 200, 'express',
                       '{{"receiver":"王小样","phone":"13800001234","province":"浙江省","city":"杭州市","district":"西湖区"}}',
                       1, {evening}, 0, {evening}),
                      (8, '20261008AAAAAAAAAB', 1, 'pending_payment', 100, 0, 100, 0, 'none', null, 1, {evening} + 1000, 0, null);
             insert into order_lines (order_id, product_id, sku_id, name, spec_text, price_fen, quantity)
               values (7, 1, 1, '高山苹果 iPhone', '', 100, 1), (7, 1, 2, '雪梨', '', 100, 1), (8, 1, 1, '苹果', '', 100, 1);
             insert into sold_days (day, sku_id, pieces) values ('2026-10-08', 1, 2), ('20261008', 1, 3), ('2026-10-07', 1, 1);"#
        ))
        .unwrap();
        drop(old);
        drop(Db::open(dir.path()).unwrap());
        let new = Connection::open(dir.path().join("xiaopu.db")).unwrap();
        let found = |phrase: &str| -> String {
            let sql = "select coalesce(group_concat(rowid), '') from (select rowid from order_words where order_words match ?1 order by 1)";
            new.query_row(sql, [phrase], |row| row.get(0)).unwrap()
        };
        for (phrase, orders) in [
            ("goods : \"苹 果\"", "7,8"),
            ("goods : \"果 苹\"", ""),
            ("goods : \"p h o n\"", "7"),
            ("goods : \"雪 梨\"", "7"),
            ("receiver : \"小 样\"", "7"),
            ("place : \"杭 州\"", "7"),
            ("phone : \"1234\"", "7"),
            ("phone : \"13800001234\"", "7"),
            ("phone : \"0000\"", ""),
        ] {
            assert_eq!(found(phrase), orders, "{phrase}");
        }
        let days: String = new
            .query_row(
                "select group_concat(day || ' ' || placed || ' ' || asked || ' ' || paid) from order_days",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(days, "20261008 1 0 1,20261009 1 0 0");
        let sold: String =
            new.query_row("select group_concat(day || ' ' || pieces) from sold_days", [], |row| row.get(0)).unwrap();
        assert_eq!(sold, "20261007 1,20261008 5");
    }
}
