//! The transaction log for staff: every message exchanged with WeChat, with each check and the raw text.

use rocket::request::FlashMessage;
use rocket::{FromForm, Route, State, get, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;
use serde_json::Value;

use super::fields::{self, Field};
use crate::assets;
use crate::clock::{self, DAY, Day, HOUR};
use crate::console::{Frame, cut, filled, framed, query_string, waiting};
use crate::error::{Code, Result};
use crate::ids::MessageId;
use crate::message_log::store::{self, Filter, LogRow};
use crate::message_log::{KINDS, Verdict, kind_text};
use crate::money::Fen;
use crate::shop::Shop;
use crate::staff::Clerk;
use crate::wechat::{v2, v3};
use rusqlite::Connection;

pub fn routes() -> Vec<Route> {
    routes![list, detail]
}

/// What the address says.
#[derive(FromForm, Clone)]
struct Query {
    #[field(default = String::new())]
    kind: String,
    #[field(default = String::new())]
    verdict: String,
    #[field(default = String::new())]
    q: String,
    #[field(default = String::new())]
    from: String,
    #[field(default = String::new())]
    to: String,
    /// In yuan.
    #[field(default = String::new())]
    amount: String,
    before: Option<i64>,
    /// `paces` while somebody looks at how quick each interface is.
    #[field(default = String::new())]
    panel: String,
}

/// An amount has no index: without a first day, so many days are looked through.
const AMOUNT_DAYS: i64 = 31;

impl Query {
    fn filter(&self, now: i64, limit: i64) -> std::result::Result<Filter, &'static str> {
        let day = |text: &str| match text.trim() {
            "" => Ok(None),
            text => Day::read(text).map(Some).ok_or("日期要写成 2026-10-08"),
        };
        let (from, to) = Day::span(day(&self.from)?, day(&self.to)?);
        let amount = match self.amount.trim() {
            "" => None,
            text => Some(Fen::from_yuan(text).ok_or("金额要写成 88 或 88.00")?),
        };
        // Numbers begin with a day or are WeChat's digits; codes are words.
        let (code, number) = match filled(&self.q) {
            Some(q) if q.starts_with(|c: char| c.is_ascii_uppercase()) => (Some(q), None),
            q => (None, q),
        };
        let last = to.unwrap_or(Day::of(now));
        let first = from.or(amount.map(|_| last.plus(1 - AMOUNT_DAYS)));
        Ok(Filter {
            kind: filled(&self.kind),
            verdict: self.verdict.parse().ok(),
            number,
            code,
            amount,
            since: first.map(Day::start),
            until: to.map(Day::end),
            before: self.before,
            limit,
        })
    }

    /// The address of this very list, without its page.
    fn address(&self) -> String {
        let pairs = [
            ("kind", self.kind.as_str()),
            ("verdict", &self.verdict),
            ("q", &self.q),
            ("from", &self.from),
            ("to", &self.to),
            ("amount", &self.amount),
        ];
        query_string(&pairs)
    }
}

/// Messages, and how the last day went.
#[derive(Serialize)]
struct MessagesPage<'a> {
    frame: Frame,
    /// From here on it goes on.
    next: Option<i64>,
    rows: Vec<MessageShown>,
    kinds: [(&'static str, &'static str); KINDS.len()],
    verdicts: Vec<(&'static str, &'static str)>,
    kind: &'a str,
    verdict: &'a str,
    q: &'a str,
    from: &'a str,
    to: &'a str,
    amount: &'a str,
    address: String,
    panel: &'a str,
    /// What is wrong with what was typed.
    problem: Option<&'static str>,
    amount_days: i64,
    /// How long ago.
    last_notice: Option<String>,
    strip: Strip,
    paces: Vec<Pace>,
    latest: i64,
}

#[derive(Serialize)]
struct MessageShown {
    /// Whether WeChat's signature was right; none where there is none to look at.
    signed: Option<bool>,
    id: MessageId,
    at: String,
    incoming: bool,
    kind: String,
    order_no: Option<String>,
    number: Option<String>,
    refund: Option<String>,
    amount: Option<String>,
    verdict: String,
    reason: String,
    took_ms: i64,
    ip: String,
    transaction: Option<String>,
}

/// How quick an interface is, in ms and beside the slowest, of a hundred.
#[derive(Serialize)]
struct Pace {
    text: &'static str,
    n: usize,
    half: i64,
    most: i64,
    half_long: i64,
    most_long: i64,
}

/// A day's messages as dots.
#[derive(Serialize)]
struct Strip {
    paths: Vec<Dots>,
    sums: Vec<Sum>,
    hours: Vec<String>,
}

#[derive(Serialize)]
struct Dots {
    verdict: Verdict,
    path: String,
}

#[derive(Serialize)]
struct Sum {
    text: &'static str,
    word: Verdict,
    n: i64,
}

#[get("/transactions?<query..>")]
async fn list(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, query: Query) -> Result<Template> {
    let (now, size) = (shop.now(), staff.0.lists.rows);
    let filter = query.filter(now, size + 1);
    let problem = filter.as_ref().err().copied();
    let begins = now - now.rem_euclid(STRETCH) - (STRETCHES - 1) * STRETCH;
    let read = move |conn: &Connection| {
        let rows = filter.map_or(Ok(Vec::new()), |filter| store::list(conn, &filter))?;
        let (last_notice, _) = store::health(conn, now - DAY)?;
        Ok((rows, last_notice, store::strip(conn, begins, STRETCH)?, paces(conn)?, waiting(conn)?))
    };
    let (mut rows, last_notice, ended, paces, waits) = shop.read(read).await?;
    let more = cut(&mut rows, size);
    let page = MessagesPage {
        frame: framed(shop, &staff.0, "transactions", flash, waits),
        next: rows.last().filter(|_| more).map(|row| row.id.0),
        rows: rows.iter().map(MessageShown::from).collect(),
        kinds: KINDS,
        verdicts: Verdict::ALL.iter().map(|verdict| (verdict.word(), verdict.text())).collect(),
        kind: &query.kind,
        verdict: &query.verdict,
        q: &query.q,
        from: &query.from,
        to: &query.to,
        amount: &query.amount,
        address: query.address(),
        panel: &query.panel,
        problem,
        amount_days: AMOUNT_DAYS,
        last_notice: last_notice.map(|at| clock::span(now - at)),
        strip: strip(&ended, begins),
        paces,
        latest: LATEST,
    };
    Ok(assets::page("console/transactions.html", page))
}

/// So many of the latest calls of an interface say how quick it is: enough for a middle, few enough for any shop.
const LATEST: i64 = 100;

/// How quick WeChat's interfaces are: what half of the calls stayed within, and nine of ten; the slowest first.
fn paces(conn: &Connection) -> Result<Vec<Pace>> {
    let mut paces = Vec::new();
    for (kind, text) in KINDS {
        let took = store::took(conn, kind, LATEST)?;
        if let (Some(half), Some(most)) = (within(&took, 50), within(&took, 90)) {
            paces.push((half, most, text, took.len()));
        }
    }
    paces.sort_unstable_by_key(|(half, most, ..)| std::cmp::Reverse((*half, *most)));
    let longest = paces.iter().map(|(_, most, ..)| *most).max().unwrap_or(0).max(1);
    let shown = paces.into_iter().map(|(half, most, text, n)| {
        let (half_long, most_long) = (half * 100 / longest, most * 100 / longest);
        Pace { text, n, half, most, half_long, most_long }
    });
    Ok(shown.collect())
}

/// What this share of the calls stayed within; they come in order. Source: the nearest-rank percentile.
fn within(took: &[i64], percent: usize) -> Option<i64> {
    took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// The strip of a day: stretches of half an hour, and how many dots stand on each other at the most.
const STRETCH: i64 = HOUR / 2;
const STRETCHES: i64 = 48;
const HIGH: i64 = 4;

/// A day's messages as dots, bad ones on top: on a field of 960 by 44, with the numbers behind it.
fn strip(ended: &[(Verdict, i64, i64)], begins: i64) -> Strip {
    let count = |verdict: Verdict, at: i64| {
        ended.iter().filter(|(v, n, _)| (*v, *n) == (verdict, at)).map(|(_, _, n)| n).sum::<i64>()
    };
    let mut paths: Vec<(Verdict, String)> = Verdict::ALL.iter().map(|verdict| (*verdict, String::new())).collect();
    for at in 0..STRETCHES {
        let mut used = 0;
        for (verdict, path) in paths.iter_mut().rev() {
            // One dot for one, two for some, three for many, as far as there is room.
            let dots = match count(*verdict, at) {
                n @ ..=2 => n,
                3..=9 => 2,
                _ => 3,
            };
            for _ in 0..dots.min(HIGH - used) {
                path.push_str(&format!("M{} {}h0", at * 20 + 10, 38 - used * 10));
                used += 1;
            }
        }
    }
    let all = |verdict: Verdict| ended.iter().filter(|(v, _, _)| *v == verdict).map(|(_, _, n)| n).sum::<i64>();
    let hour = |n: i64| clock::shown(begins + n * 8 * STRETCH).get(11..16).unwrap_or_default().to_owned();
    let drawn = paths.into_iter().filter(|(_, path)| !path.is_empty());
    let sum = |verdict: &Verdict| Sum { text: verdict.text(), word: *verdict, n: all(*verdict) };
    Strip {
        paths: drawn.map(|(verdict, path)| Dots { verdict, path }).collect(),
        sums: Verdict::ALL.iter().map(sum).collect(),
        hours: (0..6).map(hour).collect(),
    }
}

/// Calls of ours whose answers WeChat signs.
const SIGNED: [&str; 5] = ["unifiedorder", "orderquery", "closeorder", "refund", "refundquery"];

/// Whether WeChat's signature was right; `None` where there is none to look at.
fn signature(row: &LogRow) -> Option<bool> {
    let checks: Value = serde_json::from_str(&row.checks).unwrap_or_default();
    let looked = checks.as_array().into_iter().flatten().find(|check| check["what"] == "验签");
    match looked {
        Some(check) => check["ok"].as_bool(),
        None => {
            (!row.incoming && row.verdict == Verdict::Ok.word() && SIGNED.contains(&row.kind.as_str())).then_some(true)
        }
    }
}

impl From<&LogRow> for MessageShown {
    fn from(row: &LogRow) -> MessageShown {
        MessageShown {
            signed: signature(row),
            id: row.id,
            at: clock::shown(row.at),
            incoming: row.incoming,
            kind: kind_text(&row.kind).to_owned(),
            order_no: row.order_no.clone(),
            number: row.out_trade_no.clone(),
            refund: row.out_refund_no.clone(),
            amount: row.amount.map(|amount| amount.to_string()),
            verdict: row.verdict.clone(),
            reason: row.reason.clone(),
            took_ms: row.took_ms,
            ip: row.source_ip.clone(),
            transaction: row.transaction_id.clone(),
        }
    }
}

/// One message with all that was looked at in it.
#[derive(Serialize)]
struct MessagePage {
    frame: Frame,
    row: MessageShown,
    /// As they were stored with it.
    checks: Value,
    /// The fields of both sides, each with what it means.
    asked: Vec<Field>,
    answered: Vec<Field>,
    request: String,
    response: String,
    /// What a notice sealed; empty when no key of now opens it.
    content: Option<String>,
    size: usize,
    deliveries: Vec<DeliveryShown>,
}

/// The same notice as it came before and after.
#[derive(Serialize)]
struct DeliveryShown {
    id: MessageId,
    at: String,
    reason: String,
    this: bool,
}

#[get("/transactions/<id>")]
async fn detail(shop: &State<Shop>, staff: Clerk, id: &str) -> Result<Template> {
    let id: MessageId = id.parse().map_err(|_| Code::NotFound)?;
    let read = move |conn: &Connection| {
        let (row, raw) = store::one(conn, id)?.ok_or(Code::NotFound)?;
        let deliveries = match (&row.transaction_id, row.kind.as_str()) {
            (Some(transaction), "notify") => store::deliveries(conn, transaction)?,
            _ => Vec::new(),
        };
        Ok((row, raw, deliveries, waiting(conn)?))
    };
    let (row, raw, deliveries, waits) = shop.read(read).await?;
    let checks: Value = serde_json::from_str(&row.checks).unwrap_or_default();
    let (request, response) = (readable(&raw.request), readable(&raw.response));
    let text = |content: Option<String>| content.map_or_else(String::new, |text| readable(text.as_bytes()));
    let delivery = |(id, at, reason): (MessageId, i64, String)| DeliveryShown {
        id,
        at: clock::shown(at),
        reason,
        this: id == row.id,
    };
    let page = MessagePage {
        frame: framed(shop, &staff.0, "transactions", None, waits),
        row: MessageShown::from(&row),
        checks,
        asked: fields::of(&request),
        answered: fields::of(&response),
        request,
        response,
        content: content(shop, &raw.request).map(text),
        size: raw.request.len(),
        deliveries: deliveries.into_iter().map(delivery).collect(),
    };
    Ok(assets::page("console/transaction.html", page))
}

/// What a notice seals, in clear: for whoever may read notices that come in clear, and as long as its key is known.
/// `None` where nothing is sealed.
fn content(shop: &Shop, request: &[u8]) -> Option<Option<String>> {
    if let Some(recorded) = v3::sign::parted(request) {
        let sealed: Value = serde_json::from_slice(recorded.body).ok()?;
        sealed.get("resource")?;
        let facts = shop.merchant_v3().and_then(|merchant| v3::notice::content(recorded.body, &merchant));
        return Some(facts.map(|facts| format!("{facts:#}")));
    }
    if !request.windows(10).any(|part| part == b"<req_info>") {
        return None;
    }
    let hint = shop.merchant_v2().and_then(|merchant| v2::notice::read_refund_hint(request, &merchant).ok());
    Some(hint.map(|hint| hint.fields.to_xml()))
}

/// The raw text with line breaks between fields, and with what would help a thief masked.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = String::new();
    for line in text.replace("><", ">\n<").replace(">\n<![CDATA[", "><![CDATA[").replace("]]>\n</", "]]></").lines() {
        lines.push_str(&masked(line));
        lines.push('\n');
    }
    lines
}

/// Signatures and openids by their last characters only; the stored message stays as it came.
fn masked(line: &str) -> String {
    for (name, keep) in [("sign", 4), ("openid", 6), ("sub_openid", 6), ("req_info", 4)] {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        if let (Some(start), Some(end)) = (line.find(&open), line.find(&close))
            && start < end
        {
            let value = line[start + open.len()..end].replace("<![CDATA[", "").replace("]]>", "");
            return format!("{open}{}{close}", tail(&value, keep));
        }
    }
    if let Some(value) = line.strip_prefix("Wechatpay-Signature: ") {
        return format!("Wechatpay-Signature: {}", tail(value, 4));
    }
    // JSON, written in one line or in many.
    for name in ["\"openid\":\"", "\"openid\": \""] {
        if let Some((start, rest)) = line.split_once(name)
            && let Some((value, end)) = rest.split_once('"')
        {
            return format!("{start}{name}{}\"{end}", tail(value, 6));
        }
    }
    line.to_owned()
}

fn tail(value: &str, keep: usize) -> String {
    let letters: Vec<char> = value.chars().collect();
    match letters.len() {
        0 => String::new(),
        n if n <= keep * 2 => "••••".into(),
        n => format!("••••{}", letters[n - keep..].iter().collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    fn message(full: bool) -> MessageShown {
        let some = |text: &str| full.then(|| text.to_owned());
        MessageShown {
            signed: full.then_some(false),
            id: MessageId(1),
            at: "2026-10-08 13:15:40".into(),
            incoming: full,
            kind: "支付通知".into(),
            order_no: some("261008131540ABCDEFGH"),
            number: some("261008131540ABCDEFGH01"),
            refund: some("R261008131540ABCD01"),
            amount: some("57.00"),
            verdict: if full { "ok".into() } else { "failed".into() },
            reason: "paid".into(),
            took_ms: 12,
            ip: some("127.0.0.1").unwrap_or_default(),
            transaction: some("1217752501201407033233368018"),
        }
    }

    #[test]
    fn pages_of_messages_ask_for_nothing_that_they_are_not_given() {
        for full in [true, false] {
            let word = if full { "ok" } else { "" };
            let pace = Pace { text: "下单", n: 9, half: 30, most: 90, half_long: 33, most_long: 100 };
            let page = MessagesPage {
                frame: Frame::sample(Role::Clerk),
                next: full.then_some(1),
                rows: if full { vec![message(true), message(false)] } else { Vec::new() },
                kinds: KINDS,
                verdicts: Verdict::ALL.iter().map(|verdict| (verdict.word(), verdict.text())).collect(),
                kind: "",
                verdict: word,
                q: word,
                from: word,
                to: "",
                amount: "",
                address: String::new(),
                panel: if full { "paces" } else { "" },
                problem: None,
                amount_days: AMOUNT_DAYS,
                last_notice: full.then(|| "3 分钟".into()),
                strip: strip(&[(Verdict::Ok, 3, 7)], 0),
                paces: vec![pace],
                latest: LATEST,
            };
            let html = assets::strictly("console/transactions.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("微信→我"), html.contains("没有符合条件的消息")), (full, !full));
            let delivery = |this| DeliveryShown { id: MessageId(2), at: "13:15".into(), reason: "paid".into(), this };
            let page = MessagePage {
                frame: Frame::sample(Role::Clerk),
                row: message(full),
                checks: serde_json::json!([{ "what": "验签", "ok": full, "note": "" }]),
                asked: fields::of("<xml><mch_id>1900000109</mch_id></xml>"),
                answered: fields::of(""),
                request: "<xml/>".into(),
                response: String::new(),
                content: full.then(String::new),
                size: 6,
                deliveries: vec![delivery(true), delivery(false)],
            };
            let html = assets::strictly("console/transaction.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("打不开"), html.contains("第 2 次")), (full, true));
            assert!(html.contains("1900000109") && html.contains("（没有收到回答）"));
        }
    }

    #[test]
    fn half_of_the_calls_stayed_within_the_middle() {
        for (took, half, most) in [
            (&[][..], None, None),
            (&[7], Some(7), Some(7)),
            (&[1, 2, 3, 900], Some(2), Some(900)),
            (&[1, 2, 3, 4, 5], Some(3), Some(5)),
        ] {
            assert_eq!((within(took, 50), within(took, 90)), (half, most), "{took:?}");
        }
    }

    #[test]
    fn a_raw_message_is_shown_without_its_signature() {
        let raw = "<xml><sign><![CDATA[54E711AF5A08D11AE753721B3C77124C]]></sign><openid>oUpF8uMEb4qRXf22hE3X68TekukE</openid><a>1</a></xml>";
        let text = readable(raw.as_bytes());
        assert!(text.contains("<sign>••••124C</sign>\n<openid>••••TekukE</openid>\n<a>1</a>\n"), "{text}");
        assert!(!text.contains("54E711AF") && !text.contains("oUpF8uM"));
        let text =
            readable(b"{\"openid\":\"oUpF8uMEb4qRXf22hE3X68TekukE\"}\n  \"openid\": \"oUpF8uMEb4qRXf22hE3X68TekukE\",");
        assert_eq!(text, "{\"openid\":\"••••TekukE\"}\n  \"openid\": \"••••TekukE\",\n");
        let text = readable(b"Wechatpay-Serial: PUB_KEY_ID_01\nWechatpay-Signature: 54E711AF5A08D11AE753==\n\n{}");
        assert_eq!(text, "Wechatpay-Serial: PUB_KEY_ID_01\nWechatpay-Signature: ••••53==\n\n{}\n");
    }
}
