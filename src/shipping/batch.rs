//! A table of tracking numbers: read, judged row by row, and then carried out row by row.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{Allowed, Batch, Row, Sending, renumber, ship, store};
use crate::catalogue::Delivery;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::OrderNo;
use crate::orders::{Order, OrderStatus, Who, store as orders};
use crate::parcels::carriers::Carriers;
use crate::parcels::{Found, Parcel, store as parcels};
use crate::refunds::store as refunds;
use crate::sheet::Table;
use crate::shop::Shop;
use crate::staff::{Staff, login::audit};
use crate::words::words;

/// Every order of a batch is one transaction; so many are enough for a day.
const MOST_ROWS: usize = 2_000;

/// The rows of a table, whatever the order of its columns. `Err` is a sentence.
pub fn rows(table: &Table) -> std::result::Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (line, cells) in &table.rows {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.as_str()).filter(|cell| !cell.is_empty()).collect();
        // A first row that names the columns.
        let head = rows.is_empty() && !cells.iter().any(|cell| cell.bytes().any(|b| b.is_ascii_digit()));
        if cells.is_empty() || head {
            continue;
        }
        let at = cells.iter().position(|cell| OrderNo::read(cell).is_some()).unwrap_or(0);
        let rest = || cells.iter().enumerate().filter(move |(i, _)| *i != at).map(|(_, cell)| *cell);
        let company = rest().find(|cell| Carriers::default().named(cell).is_ok()).unwrap_or_default();
        let digits = |cell: &&str| cell.bytes().filter(u8::is_ascii_digit).count();
        let tracking_no = rest().filter(|cell| *cell != company).max_by_key(digits).unwrap_or_default();
        let own = |text: &str| text.chars().take(64).collect::<String>();
        let done = None;
        rows.push(Row {
            line: *line,
            order_no: own(cells[at]),
            company: own(company),
            tracking_no: own(tracking_no),
            done,
        });
    }
    match rows.len() {
        0 => Err("没有找到数据行。每行需要：订单号、快递单号，快递公司可以不写".into()),
        n if n > MOST_ROWS => Err(format!("一次最多 {MOST_ROWS} 行，请分几次")),
        _ => Ok(rows),
    }
}

words! {
    /// What can be done with a row.
    pub enum Verdict {
        Ready "ready" "可发货",
        /// It has left already under another number.
        Renumber "renumber" "改单号",
        /// It has left already under this number.
        Same "same" "已发货",
        Wrong "wrong" "有问题",
    }
}

/// A row, and what is to be said about it.
#[derive(Clone, Debug)]
pub struct Judged {
    pub row: Row,
    pub verdict: Verdict,
    pub parcel: Parcel,
    pub receiver: String,
    pub note: String,
}

/// Judges every row as the orders stand now.
pub fn judge(conn: &Connection, rows: &[Row], allowed: Allowed) -> Result<Vec<Judged>> {
    let mut by_order: HashMap<String, usize> = HashMap::new();
    let mut by_number: HashMap<String, usize> = HashMap::new();
    let carriers = parcels::carriers(conn)?;
    rows.iter()
        .map(|row| {
            let mut judged = alone(conn, &carriers, row, allowed)?;
            let twice = by_order.insert(row.order_no.to_uppercase(), row.line);
            let shared = by_number.insert(judged.parcel.tracking_no.clone(), row.line);
            if let Some(line) = twice {
                refuse(&mut judged, format!("第 {line} 行已经有这笔订单；一单多个包裹请在订单页分开发货"));
            } else if let Some(line) = shared.filter(|_| judged.verdict == Verdict::Ready && !allowed.merge) {
                refuse(&mut judged, format!("单号与第 {line} 行相同；几单合成一个包裹请勾选“合并发货”"));
            }
            Ok(judged)
        })
        .collect()
}

fn refuse(judged: &mut Judged, note: String) {
    (judged.verdict, judged.note) = (Verdict::Wrong, note);
}

/// One row, by itself.
fn alone(conn: &Connection, carriers: &Carriers, row: &Row, allowed: Allowed) -> Result<Judged> {
    let nothing = Judged {
        row: row.clone(),
        verdict: Verdict::Wrong,
        parcel: Parcel::default(),
        receiver: String::new(),
        note: String::new(),
    };
    let wrong = |note: String| Ok(Judged { note, ..nothing.clone() });
    let Some(order_no) = OrderNo::read(&row.order_no) else {
        return wrong("订单号不对：应为 18 位，例如 20261008ABCDEFGHJK".into());
    };
    let Some(order) = orders::by_no(conn, &order_no)? else { return wrong("没有这笔订单".into()) };
    let mut judged = nothing.clone();
    judged.receiver = order.address.as_ref().map(|a| a.masked_receiver()).unwrap_or_default();
    match Found::read(conn, carriers, &row.company, &row.tracking_no) {
        Ok(found) => judged.parcel = found.parcel,
        Err(e) => {
            let words = e.fields.values().filter_map(|words| words.as_str()).collect::<Vec<_>>().join("；");
            refuse(&mut judged, words);
            return Ok(judged);
        }
    }
    (judged.verdict, judged.note) = weigh(conn, &order, &judged.parcel, allowed)?;
    Ok(judged)
}

fn weigh(conn: &Connection, order: &Order, parcel: &Parcel, allowed: Allowed) -> Result<(Verdict, String)> {
    if order.delivery != Delivery::Express {
        return Ok((Verdict::Wrong, format!("这笔订单是「{}」，不用快递", order.delivery.text())));
    }
    let shipments = orders::shipments(conn, order.id)?;
    if shipments.iter().any(|s| s.parcel == *parcel) {
        return Ok((Verdict::Same, "已用这个单号发货，不会重复".into()));
    }
    match order.status {
        OrderStatus::ToShip => {}
        OrderStatus::Shipped if shipments.len() == 1 => {
            let was = format!("已用 {} 发货", shipments[0].parcel.text());
            return Ok(match allowed.renumber {
                true => (Verdict::Renumber, format!("{was}，将改单号")),
                false => (Verdict::Wrong, format!("{was}；要改单号请勾选“改已发货的单号”")),
            });
        }
        OrderStatus::Shipped => return Ok((Verdict::Wrong, "已分几个包裹发货，请在订单页改单号".into())),
        status => return Ok((Verdict::Wrong, format!("订单是「{}」，不能发货", status.text()))),
    }
    if refunds::of_order(conn, order.id)?.iter().any(|r| r.refund.state.is_open()) {
        return Ok((Verdict::Wrong, "有退款正在处理，请先处理退款，或在订单页单独发货".into()));
    }
    if !allowed.merge
        && let Some(other) = orders::other_with_number(conn, order.id, &parcel.tracking_no)?
    {
        return Ok((Verdict::Wrong, format!("单号已用于订单 {other}；几单合成一个包裹请勾选“合并发货”")));
    }
    let left: i64 = orders::lines(conn, order.id)?.iter().map(|line| line.left()).sum();
    let note =
        if shipments.is_empty() { String::new() } else { format!("已部分发货，这次发其余 {left} 件") };
    Ok((Verdict::Ready, note))
}

/// Carries out every row that can be, each in its own transaction; the others are left as they are. A row is judged
/// once more inside it. Answers with how many went well. Running a batch twice ships nothing twice.
pub async fn run(shop: &Shop, staff: &Staff, batch: &Batch) -> Result<usize> {
    let (mut rows, allowed, mut fine) = (batch.rows.clone(), batch.allowed, 0);
    let plan = {
        let rows = rows.clone();
        shop.db.read(move |conn| judge(conn, &rows, allowed)).await?
    };
    for (row, judged) in rows.iter_mut().zip(plan) {
        if !matches!(judged.verdict, Verdict::Ready | Verdict::Renumber) {
            continue;
        }
        let (staff, now) = (staff.clone(), shop.now());
        let outcome = shop.db.write(move |tx| carry_out(tx, &judged, allowed, &staff, now)).await;
        row.done = Some(match outcome {
            Ok(done) => {
                fine += 1;
                done
            }
            Err(e) if e.code == Code::Internal => return Err(e),
            Err(e) => format!("没有执行：{}", e.message()),
        });
    }
    let (id, now) = (batch.id, shop.now());
    shop.db.write(move |tx| Ok::<_, Error>(store::set_ran(tx, id, &rows, now)?)).await?;
    Ok(fine)
}

fn carry_out(tx: &Tx, judged: &Judged, allowed: Allowed, staff: &Staff, now: i64) -> Result<String> {
    let order_no = OrderNo::read(&judged.row.order_no).ok_or(Code::NotFound)?;
    let order = orders::by_no(tx, &order_no)?.ok_or(Code::NotFound)?;
    let who = Who::staff(&staff.name);
    let done = match weigh(tx, &order, &judged.parcel, allowed)? {
        (Verdict::Ready, _) => {
            let sending = Sending { parcel: judged.parcel.clone(), ..Sending::default() };
            ship(tx, order.id, &sending, &who, now)?;
            format!("已发货 {}", judged.parcel.text())
        }
        (Verdict::Renumber, _) => {
            let shipment = orders::shipments(tx, order.id)?.into_iter().next().ok_or(Code::NotFound)?;
            let was = renumber(tx, order.id, shipment.id, &judged.parcel, &who, now)?;
            format!("单号 {} 改为 {}", was.text(), judged.parcel.text())
        }
        (_, why) => return Err(Error::from(Code::OrderState).says(why)),
    };
    audit(tx, staff, &format!("批量发货 {order_no}：{done}"), now)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_apart_by_what_stands_in_them() {
        let row = |order: &str, company: &str, number: &str| Row {
            line: 2,
            order_no: order.into(),
            company: company.into(),
            tracking_no: number.into(),
            done: None,
        };
        let order = "20261008ABCDEFGHJK";
        for (line, read) in [
            (format!("{order}\t顺丰\tSF1234567890123"), row(order, "顺丰", "SF1234567890123")),
            (format!("SF1234567890123\t{order}\t顺丰速运"), row(order, "顺丰速运", "SF1234567890123")),
            (format!("{order} 75312345678901"), row(order, "", "75312345678901")),
            (format!("{order}\t王小明\tEMS\t7.73E+14"), row(order, "EMS", "7.73E+14")),
            ("1234 SF1234567890123".into(), row("1234", "", "SF1234567890123")),
        ] {
            let table = Table::pasted(&format!("订单号\t快递公司\t快递单号\n{line}\n\n")).unwrap();
            assert_eq!(rows(&table).unwrap(), [read], "{line}");
        }
        assert!(rows(&Table::pasted("订单号\t单号\n").unwrap()).is_err());
    }
}
