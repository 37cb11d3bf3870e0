//! The audit log: who did what, when and from where. It only grows.

use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::assets;
use crate::clock::{self, Day};
use crate::console::{Download, Frame, cut, download, framed, waiting};
use crate::error::Result;
use crate::ids::OrderNo;
use crate::shop::Shop;
use crate::staff::store::{self, Audit};
use crate::staff::{Owner, store as staff};
use crate::tables;

pub fn routes() -> Vec<Route> {
    routes![page, export]
}

const MOST_EXPORTED: i64 = 50_000;

/// The log from one entry on, back in time.
#[derive(Serialize)]
struct AuditPage {
    frame: Frame,
    tab: &'static str,
    people: Vec<String>,
    who: Option<String>,
    q: Option<String>,
    /// From here on it goes on.
    next: Option<i64>,
    /// There are newer ones before this page.
    later: bool,
    /// The beginning of the last entry's hash, to be written down.
    root: Option<String>,
    /// The first entry that does not join its neighbour.
    broken: Option<i64>,
    checked: i64,
    entries: Vec<EntryShown>,
}

/// What somebody did, once or several times on end.
#[derive(Serialize)]
struct EntryShown {
    day: String,
    time: String,
    who: String,
    ip: String,
    what: String,
    order: Option<String>,
    times: usize,
}

#[get("/audit?<who>&<q>&<before>")]
async fn page(
    shop: &State<Shop>,
    owner: Owner,
    flash: Option<FlashMessage<'_>>,
    who: Option<String>,
    q: Option<String>,
    before: Option<i64>,
) -> Result<Template> {
    let size = owner.0.lists.rows;
    let (by, words) = (filled(who), filled(q));
    let (wanted_by, wanted_words) = (by.clone(), words.clone());
    let read = move |conn: &rusqlite::Connection| {
        let entries = store::audit_log(conn, wanted_by.as_deref(), wanted_words.as_deref(), before, size + 1)?;
        Ok((entries, staff::all(conn)?, store::audit_break(conn)?, waiting(conn)?))
    };
    let (mut entries, people, (broken, checked), waits) = shop.read_slowly(read).await?;
    let more = cut(&mut entries, size);
    let hash = entries.first().filter(|_| before.is_none()).and_then(|entry| entry.hash.as_ref());
    let page = AuditPage {
        frame: framed(shop, &owner.0, "system", flash, waits),
        tab: "audit",
        people: people.iter().map(|m| m.staff.name.clone()).chain(["命令行".to_owned()]).collect(),
        who: by,
        q: words,
        next: entries.last().filter(|_| more).map(|entry| entry.id),
        later: before.is_some(),
        root: hash.map(|hash| hex::encode(&hash[..8])),
        broken,
        checked,
        entries: folded(&entries),
    };
    Ok(assets::page("console/audit.html", page))
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What somebody did several times on end is one line with its number.
fn folded(entries: &[Audit]) -> Vec<EntryShown> {
    let same =
        |a: &Audit, b: &Audit| (Day::of(a.at), &a.who, &a.what, &a.ip) == (Day::of(b.at), &b.who, &b.what, &b.ip);
    let line = |entries: &[Audit]| entries.first().map(|last| shown(last, entries.len()));
    entries.chunk_by(same).filter_map(line).collect()
}

/// With a link to the order that it is about, if it is about one.
fn shown(entry: &Audit, times: usize) -> EntryShown {
    let order = entry
        .what
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find_map(|word| OrderNo::read(word.get(..18).unwrap_or(word)).map(|no| no.to_string()));
    let at = clock::shown(entry.at);
    let (day, time) = at.split_once(' ').unwrap_or((&at, ""));
    EntryShown {
        day: day.to_owned(),
        time: time.to_owned(),
        who: entry.who.clone(),
        ip: entry.ip.clone(),
        what: entry.what.clone(),
        order,
        times,
    }
}

#[get("/audit/export.csv?<who>&<q>")]
async fn export(shop: &State<Shop>, _owner: Owner, who: Option<String>, q: Option<String>) -> Result<Download> {
    let (who, q) = (filled(who), filled(q));
    let read = move |conn: &rusqlite::Connection| {
        Ok(store::audit_log(conn, who.as_deref(), q.as_deref(), None, MOST_EXPORTED)?)
    };
    let entries = shop.read_slowly(read).await?;
    let row = |e: &Audit| {
        let hash = e.hash.as_ref().map(hex::encode).unwrap_or_default();
        vec![clock::shown(e.at), e.who.clone(), e.ip.clone(), e.what.clone(), hash]
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    let csv = tables::csv(&["时间", "谁", "来自", "做了什么", "校验值"], &[], &rows);
    Ok(download(ContentType::CSV, &format!("操作日志-{}.csv", Day::of(shop.now()).shown()), csv))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    fn entry(at: i64, what: &str) -> Audit {
        Audit {
            id: at,
            at: clock::DAY + at * clock::MINUTE,
            who: "小李".into(),
            ip: "127.0.0.1".into(),
            what: what.into(),
            hash: None,
        }
    }

    #[test]
    fn the_log_asks_for_nothing_that_it_is_not_given() {
        for (full, words) in [(true, "2 次"), (false, "没有这样的记录")] {
            let done = [entry(9, "打印 261008131540ABCDEFGH"), entry(8, "打印 261008131540ABCDEFGH")];
            let page = AuditPage {
                frame: Frame::sample(Role::Owner),
                tab: "audit",
                people: vec!["小李".into()],
                who: full.then(|| "小李".into()),
                q: full.then(|| "打印".into()),
                next: full.then_some(8),
                later: full,
                root: full.then(|| "00ff".into()),
                broken: (!full).then_some(3),
                checked: 9,
                entries: if full { folded(&done) } else { Vec::new() },
            };
            let html = assets::strictly("console/audit.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words) && html.contains("接不上") != full, "{words}");
        }
    }

    #[test]
    fn what_was_done_over_and_over_is_one_line() {
        let lines = folded(&[entry(9, "打印"), entry(8, "打印"), entry(7, "发货"), entry(6, "打印")]);
        let shown: Vec<_> = lines.iter().map(|line| (line.what.as_str(), line.times)).collect();
        assert_eq!(shown, [("打印", 2), ("发货", 1), ("打印", 1)]);
        assert_eq!(lines[0].time, "08:09:00");
    }
}
