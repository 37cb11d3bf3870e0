//! WeChat's bill of a day: downloaded, unpacked and read by its header's names, every row or none silently.

use std::collections::HashSet;
use std::io::Read;

use flate2::read::GzDecoder;

use super::exchange::{unreadable, unusable};
use super::flaw::Flaw;
use super::v2::message::Message;
use super::{Account, Exchange, GatewayError, Wechat};
use crate::clock::{self, Day, MINUTE};
use crate::ids::OutTradeNo;
use crate::money::Fen;
use crate::nonce::Nonces;

/// The largest bill that is unpacked, in bytes.
const MAX_PLAIN: u64 = 512 * 1024 * 1024;

/// What WeChat has for a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillAnswer {
    Bill(Bill),
    /// "No Bill Exist": right for a day without trade.
    None,
    /// "Bill Creating": ask again later.
    Creating,
}

/// How a shop knows its own rows in the bill of a merchant number that it may share with other apps and with tills.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// The app ids that it sells or has sold under; without any, every row is its own.
    pub app_ids: Vec<String>,
    /// Transactions in its books that came for none of its attempts.
    pub transactions: HashSet<String>,
    /// Its numbers that look like anybody's.
    pub plain_numbers: HashSet<String>,
}

impl Own {
    /// By app id, trade type and the form of our own numbers. What the bill does not tell speaks against nobody.
    fn has(&self, app_id: Option<&str>, trade_type: Option<&str>, number: &str, transaction: &str) -> bool {
        if self.app_ids.is_empty() {
            return true;
        }
        let ours = OutTradeNo::is_of_our_form(number)
            && app_id.is_none_or(|id| self.app_ids.iter().any(|ours| ours == id))
            && trade_type.is_none_or(|trade_type| trade_type == "JSAPI")
            && (!OutTradeNo::is_plain(number) || self.plain_numbers.contains(number));
        ours || self.transactions.contains(transaction)
    }
}

/// What moved under the same merchant number and is not this shop's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others {
    pub payments: i64,
    pub received_fen: i64,
    pub refunds: i64,
    pub refunded_fen: i64,
}

impl Others {
    pub fn plus(self, more: &Others) -> Others {
        Others {
            payments: self.payments + more.payments,
            received_fen: self.received_fen + more.received_fen,
            refunds: self.refunds + more.refunds,
            refunded_fen: self.refunded_fen + more.refunded_fen,
        }
    }
}

/// A day's bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// The shop's own.
    pub rows: Vec<BillRow>,
    pub others: Others,
    /// What all rows together, own and others', move on the merchant's account: the fund flow must show the same.
    pub moved: Moved,
    /// Rows that could not be read, with why: shown to a person, never dropped.
    pub unreadable: Vec<(usize, String, String)>,
    /// A summary that is not what its rows add up to: its line, and what is wrong with it.
    pub summary_off: Option<(String, String)>,
}

/// What trade does to the merchant's account, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Settled payments.
    pub arrived: i64,
    /// What left for refunds.
    pub left: i64,
    /// Kept by WeChat, less what it gave back.
    pub fee: i64,
}

/// One movement of money in a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillRow {
    /// In the file, from 1 for the header.
    pub line: usize,
    pub at: i64,
    pub transaction_id: String,
    pub out_trade_no: String,
    /// For a refund: WeChat's id and ours.
    pub refund: Option<(String, String)>,
    /// What was paid or refunded.
    pub amount: Fen,
    /// The part of it that coupons of the merchant's own paid: it neither arrives nor leaves.
    pub borne: Fen,
    /// What WeChat kept, in fen; negative when it gave a fee back.
    pub fee: i64,
    /// Whether the fee is what the rate asks for, to the fen.
    pub fee_fits: bool,
    pub raw: String,
}

impl Wechat {
    /// Downloads a day's bill, of which `own` are the shop's rows. The file is no proof: TLS vouches for it, and with API v3
    /// a hash.
    pub async fn download_bill(&self, account: &Account, day: Day, own: &Own, nonces: &Nonces) -> Exchange<BillAnswer> {
        let exchange = match account {
            Account::V2(merchant) => self.download_bill_v2(merchant, day, own, nonces).await,
            Account::V3(merchant) => self.download_bill_v3(merchant, day, own, nonces).await,
        };
        let of_day = |answer| match answer {
            BillAnswer::Bill(bill) => BillAnswer::Bill(bill.of_day(day)),
            other => other,
        };
        Exchange { result: exchange.result.map(of_day), ..exchange }
    }
}

/// So far beyond midnight a payment may stand in a day's bill: two clocks tell when it was.
const MIDNIGHT: i64 = 10 * MINUTE;

impl Bill {
    /// What was paid on another day has no place in this one's bill. What a refund's moment is, is not documented.
    fn of_day(mut self, day: Day) -> Bill {
        let lived = day.start() - MIDNIGHT..day.end() + MIDNIGHT;
        let (own, other) =
            std::mem::take(&mut self.rows).into_iter().partition(|row| row.refund.is_some() || lived.contains(&row.at));
        self.rows = own;
        let told = |row: BillRow| (row.line, row.raw, format!("交易时间 {} 不在这一天", clock::shown(row.at)));
        self.unreadable.extend(Vec::into_iter(other).map(told));
        self
    }
}

pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Tells by the content what came: gzip, an error in XML, or the bill itself. Headers are not believed.
pub fn read(bytes: &[u8], own: &Own) -> Result<BillAnswer, GatewayError> {
    read_plain(unpacked(bytes)?, own)
}

/// The file as it is once nothing is packed any more.
pub(super) fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, GatewayError> {
    match bytes.starts_with(&GZIP) {
        true => unpack(bytes),
        false => Ok(bytes.to_vec()),
    }
}

pub(super) fn read_plain(plain: Vec<u8>, own: &Own) -> Result<BillAnswer, GatewayError> {
    let text = String::from_utf8(plain).map_err(|_| unusable(Flaw::BillNotUtf8))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim_start().starts_with("<xml") {
        return refusal(text.trim());
    }
    read_rows(text, own).map(BillAnswer::Bill)
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, GatewayError> {
    let mut plain = Vec::new();
    let mut limited = GzDecoder::new(bytes).take(MAX_PLAIN + 1);
    limited.read_to_end(&mut plain).map_err(|_| unusable(Flaw::BillGzipBroken))?;
    if plain.len() as u64 > MAX_PLAIN { Err(unusable(Flaw::BillTooLarge)) } else { Ok(plain) }
}

/// An error about bills has `error_code`, not `err_code`, and no signature.
fn refusal(xml: &str) -> Result<BillAnswer, GatewayError> {
    let message = Message::read(xml.as_bytes()).map_err(|e| unreadable(e.word()))?;
    let text = message.filled("return_msg").unwrap_or_default().to_owned();
    let code = message.filled("error_code").unwrap_or_default().to_owned();
    // The manual and the real answer spell the same words differently, and only one number is sure.
    let said = |words: &str| text.eq_ignore_ascii_case(words);
    match code.as_str() {
        "20002" => Ok(BillAnswer::None),
        _ if said("No Bill Exist") => Ok(BillAnswer::None),
        "20003" => Ok(BillAnswer::Creating),
        _ if said("Bill Creating") => Ok(BillAnswer::Creating),
        "" => Err(GatewayError::NotAccepted(text)),
        _ => Err(GatewayError::Refused { code: code.into(), text }),
    }
}

/// Header names, rows whose every value starts with a backtick, then a summary of two lines.
fn read_rows(text: &str, own: &Own) -> Result<Bill, GatewayError> {
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim_end_matches('\r')));
    let (_, header) = lines.next().filter(|(_, header)| !header.is_empty()).ok_or_else(|| unusable(Flaw::BillEmpty))?;
    let columns = Columns::of(header)?;
    let (mut bill, mut totals, mut known) = (Bill::default(), Totals::of(header), HashSet::new());
    let mut revoked = 0;
    let mut summary = None;
    while let Some((line, raw)) = lines.next() {
        if raw.is_empty() {
            continue;
        }
        if !raw.starts_with('`') {
            summary = Some((line, raw, lines.next().map(|(_, values)| values).unwrap_or_default()));
            break;
        }
        let values = columns.fitted(values_of(raw));
        totals.add(&columns, values.as_deref().ok());
        // The same money twice is counted once, and shown.
        let id = values.as_deref().ok().and_then(|values| columns.id(values));
        if id.is_some_and(|id| !known.insert(id)) {
            bill.unreadable.push((line, raw.to_owned(), "这一笔在账单里出现了不止一次".to_owned()));
            continue;
        }
        match values.and_then(|values| columns.row(line, raw, &values, own)) {
            Ok(Row::Own(row)) => {
                bill.moved.add(row.refund.is_none(), row.amount.get() - row.borne.get(), row.fee);
                bill.rows.push(row);
            }
            Ok(Row::Other { payment, fen, settled, fee }) => {
                bill.moved.add(payment, settled, fee);
                bill.others.add(payment, fen);
            }
            Ok(Row::Revoked) => revoked += 1,
            Err(why) => bill.unreadable.push((line, raw.to_owned(), why)),
        }
    }
    // Without its summary the file was cut off on the way.
    let (line, names, values) = summary.ok_or_else(|| unusable(Flaw::BillCutOff))?;
    let total = index_of(names, "总交易单数").and_then(|i| values_of(values).get(i).copied());
    let total = total.and_then(|n| n.trim().trim_end_matches(".0").parse::<usize>().ok());
    let others = &bill.others;
    let payments = bill.rows.iter().filter(|row| row.refund.is_none()).count() + others.payments as usize;
    let all = bill.rows.len() + (others.payments + others.refunds) as usize + bill.unreadable.len() + revoked;
    // Whether refunds count among the trades is not documented: either way is right.
    if total.is_none_or(|total| total != all && total != payments) {
        let why = format!("汇总的总交易单数与明细不符（明细 {all} 行）");
        bill.unreadable.push((line, values.to_owned(), why));
    }
    let wrong = totals.wrong(names, &values_of(values));
    bill.summary_off = (!wrong.is_empty()).then(|| (values.to_owned(), wrong.join("；")));
    Ok(bill)
}

/// A figure of the summary: its names and those of the column that it sums, newer ones first, and whether payments and
/// refunds must count in it.
type Figure = (&'static [&'static str], &'static [&'static str], [bool; 2]);

const FIGURES: [Figure; 6] = [
    (&["应结订单总金额", "总交易额"], &["应结订单金额", "总金额"], [true, false]),
    (&["退款总金额", "总退款金额"], &["退款金额"], [false, true]),
    (&["充值券退款总金额"], &["充值券退款金额"], [false, true]),
    (&["手续费总金额"], &["手续费"], [true, false]),
    (&["订单总金额"], &["订单金额"], [true, false]),
    (&["申请退款总金额"], &["申请退款金额"], [false, true]),
];

/// What the rows add up to, column by column, to be held against the summary: of payments, of refunds, and of what a till
/// took back; exact, in hundred-thousandths of a yuan.
struct Totals {
    columns: [Option<usize>; FIGURES.len()],
    /// None once a row cannot be added.
    sums: [Option<[i64; 3]>; FIGURES.len()],
}

impl Totals {
    fn of(header: &str) -> Totals {
        let column = |(_, names, _): Figure| names.iter().find_map(|name| index_of(header, name));
        Totals { columns: FIGURES.map(column), sums: [Some([0; 3]); FIGURES.len()] }
    }

    fn add(&mut self, columns: &Columns, values: Option<&[&str]>) {
        let Some(values) = values.filter(|values| columns.is_of_yuan(values)) else {
            self.sums = [None; FIGURES.len()];
            return;
        };
        let kind = match values[columns.state].trim() {
            "REFUND" => 1,
            "REVOKED" => 2,
            _ => 0,
        };
        for (column, sums) in self.columns.iter().zip(&mut self.sums) {
            let value = column.map_or("", |column| values[column].trim());
            let exact = if value.is_empty() { Some(0) } else { hundred_thousandths(value) };
            *sums = sums.zip(exact).and_then(|(mut sums, exact)| {
                sums[kind] = sums[kind].checked_add(exact)?;
                Some(sums)
            });
        }
    }

    /// The figures of a summary that are no sum of its rows, in words. Whether what else there is counts in them is not
    /// documented: either way is right. One of noughts alone tells nothing.
    fn wrong(&self, names: &str, values: &[&str]) -> Vec<String> {
        let (mut wrong, mut tells) = (Vec::new(), false);
        for ((figure, _, [payments, refunds]), (column, sums)) in
            FIGURES.into_iter().zip(self.columns.iter().zip(&self.sums))
        {
            let place = figure.iter().find_map(|name| Some((name, index_of(names, name)?)));
            let (Some((name, at)), Some(_), Some([paid, back, revoked])) = (place, column, sums) else { continue };
            let told = values.get(at).map_or("", |value| value.trim());
            let exact = hundred_thousandths(told);
            tells |= exact != Some(0);
            let of = |sum: &i64, must: bool| if must { (*sum, 0) } else { (0, *sum) };
            let ((must, may), (more, perhaps)) = (of(paid, payments), of(back, refunds));
            let right = [0, may + perhaps, *revoked, may + perhaps + revoked].map(|besides| must + more + besides);
            if exact.is_none_or(|exact| !right.contains(&exact)) {
                wrong.push(format!("{name} {told}，明细相加是 {}", plain_of(must + more)));
            }
        }
        if tells { wrong } else { Vec::new() }
    }
}

/// Yuan with as many places as fees have, less the noughts at the end.
fn plain_of(hundred_thousandths: i64) -> String {
    let sign = if hundred_thousandths < 0 { "-" } else { "" };
    let n = hundred_thousandths.abs();
    let places = format!("{:05}", n % 100_000);
    let places = places.trim_end_matches('0');
    format!("{sign}{}.{places:0<2}", n / 100_000)
}

pub(super) fn index_of(names: &str, name: &str) -> Option<usize> {
    names.split(',').position(|column| column.trim().trim_start_matches('`') == name)
}

/// The columns of a bill of all trades in WeChat's order, for people who look at one row of it.
const COLUMNS: [&str; 27] = [
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
];

/// A row with the names of its columns, those that say something; nothing for a row of another form.
pub fn named(raw: &str) -> Vec<(&'static str, String)> {
    let values = values_of(raw);
    if values.len() != COLUMNS.len() {
        return Vec::new();
    }
    let says = |value: &str| !matches!(value, "" | "0" | "0.00" | "0.00000");
    COLUMNS
        .into_iter()
        .zip(values)
        .filter(|(_, value)| says(value))
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

/// A goods name may hold commas and backticks; only the two together part one value from the next.
pub(super) fn values_of(line: &str) -> Vec<&str> {
    line.strip_prefix('`').unwrap_or(line).split(",`").collect()
}

/// Where each value stands, found once by the names in the header; older merchants' bills name some differently.
struct Columns {
    count: usize,
    /// The goods name, with the attachment right after it.
    words: Option<usize>,
    app_id: Option<usize>,
    trade_type: Option<usize>,
    at: usize,
    transaction_id: usize,
    out_trade_no: usize,
    state: usize,
    refund_id: Option<usize>,
    out_refund_no: Option<usize>,
    paid: Option<usize>,
    refunded: Option<usize>,
    /// What of a payment arrives, and what of a refund leaves.
    arrives: Option<usize>,
    leaves: Option<usize>,
    fee: Option<usize>,
    rate: Option<usize>,
    currency: Option<usize>,
}

/// What a row is about.
enum Row {
    Own(BillRow),
    /// Somebody else's under the same merchant number: its sum, what of it is settled, and its fee, in fen.
    Other {
        payment: bool,
        fen: i64,
        settled: i64,
        fee: i64,
    },
    /// A barcode payment that was revoked before any money had moved.
    Revoked,
}

impl Others {
    fn add(&mut self, payment: bool, fen: i64) {
        let (count, sum) = match payment {
            true => (&mut self.payments, &mut self.received_fen),
            false => (&mut self.refunds, &mut self.refunded_fen),
        };
        *count += 1;
        *sum = sum.saturating_add(fen);
    }
}

impl Moved {
    fn add(&mut self, payment: bool, settled: i64, fee: i64) {
        let sum = if payment { &mut self.arrived } else { &mut self.left };
        *sum = sum.saturating_add(settled);
        self.fee = self.fee.saturating_add(fee);
    }
}

impl Columns {
    fn of(header: &str) -> Result<Columns, GatewayError> {
        let first = |names: &[&str]| names.iter().find_map(|name| index_of(header, name));
        let need = |name: &str| index_of(header, name).ok_or_else(|| unusable(Flaw::BillColumnsUnknown));
        let (name, attach) = (first(&["商品名称"]), first(&["商户数据包"]));
        Ok(Columns {
            count: header.split(',').count(),
            words: name.filter(|name| attach == Some(name + 1)),
            app_id: first(&["公众账号ID"]),
            trade_type: first(&["交易类型"]),
            at: need("交易时间")?,
            transaction_id: need("微信订单号")?,
            out_trade_no: need("商户订单号")?,
            state: need("交易状态")?,
            refund_id: first(&["微信退款单号"]),
            out_refund_no: first(&["商户退款单号"]),
            paid: first(&["订单金额", "总金额", "应结订单金额"]),
            refunded: first(&["申请退款金额", "退款金额"]),
            arrives: first(&["应结订单金额"]),
            leaves: first(&["退款金额"]),
            fee: first(&["手续费"]),
            rate: first(&["费率"]),
            currency: first(&["货币种类"]),
        })
    }

    /// As many values as there are columns. Only goods name and attachment are other people's words and can hold what
    /// looks like a border between values: what is too much belongs to them, and neither is used.
    fn fitted<'v>(&self, values: Vec<&'v str>) -> Result<Vec<&'v str>, String> {
        match (values.len().checked_sub(self.count), self.words) {
            (Some(0), _) => Ok(values),
            (Some(extra), Some(name)) => Ok([&values[..name], &["", ""], &values[name + 2 + extra..]].concat()),
            _ => Err(format!("有 {} 个值，表头有 {} 列", values.len(), self.count)),
        }
    }

    /// Which money a row is about, by WeChat's number and the merchant's; none where it does not say.
    fn id<'v>(&self, values: &[&'v str]) -> Option<(bool, &'v str, &'v str)> {
        let refund = matches!(values[self.state].trim(), "REFUND" | "REVOKED");
        let id = if refund { values[self.refund_id?] } else { values[self.transaction_id] }.trim();
        (!matches!(id, "" | "0")).then_some((refund, id, values[self.out_trade_no].trim()))
    }

    /// A bill that names no currency is in yuan.
    fn is_of_yuan(&self, values: &[&str]) -> bool {
        self.currency.is_none_or(|column| matches!(values[column].trim(), "" | "CNY"))
    }

    fn row(&self, line: usize, raw: &str, values: &[&str], own: &Own) -> Result<Row, String> {
        let text = |column: usize| Some(values[column].trim()).filter(|value| !value.is_empty());
        let may = |column: Option<usize>| column.and_then(text);
        let need = |column: usize, name: &str| text(column).ok_or_else(|| format!("缺少{name}"));
        let state = need(self.state, "交易状态")?;
        // A till took a payment back: beside the payment's own row stands one of what went back, if anything had come.
        if state == "REVOKED" && may(self.refunded).and_then(fen).is_none_or(|back| back == 0) {
            return Ok(Row::Revoked);
        }
        let (number, transaction) = (text(self.out_trade_no), text(self.transaction_id));
        if !own.has(may(self.app_id), may(self.trade_type), number.unwrap_or_default(), transaction.unwrap_or_default())
        {
            let payment = !matches!(state, "REFUND" | "REVOKED");
            let (sum, settled) = if payment { (self.paid, self.arrives) } else { (self.refunded, self.leaves) };
            // What is not yuan is counted, and adds nothing.
            if !self.is_of_yuan(values) {
                return Ok(Row::Other { payment, fen: 0, settled: 0, fee: 0 });
            }
            let sum = may(sum).and_then(fen).unwrap_or(0);
            let fee = may(self.fee).and_then(hundred_thousandths).map_or(0, rounded);
            return Ok(Row::Other { payment, fen: sum, settled: may(settled).and_then(fen).unwrap_or(sum), fee });
        }
        if !self.is_of_yuan(values) {
            return Err(format!("币种是 {}，不是人民币", may(self.currency).unwrap_or_default()));
        }
        let refund = match state {
            "SUCCESS" => None,
            "REFUND" => {
                let id = |column, name| may(column).map(str::to_owned).ok_or_else(|| format!("缺少{name}"));
                Some((id(self.refund_id, "微信退款单号")?, id(self.out_refund_no, "商户退款单号")?))
            }
            other => return Err(format!("不认识的交易状态 {other}")),
        };
        let amount = may(if refund.is_some() { self.refunded } else { self.paid }).ok_or("缺少金额")?;
        let amount = fen(amount).filter(|fen| *fen > 0).and_then(Fen::new).ok_or_else(|| format!("金额 {amount}"))?;
        let borne = match may(if refund.is_some() { self.leaves } else { self.arrives }) {
            Some(text) => {
                let settled = fen(text).and_then(Fen::new).and_then(|settled| amount.minus(settled));
                settled.ok_or_else(|| format!("到账金额 {text} 与 {amount} 不合"))?
            }
            None => Fen::ZERO,
        };
        let fee = may(self.fee).unwrap_or("0");
        let exact = hundred_thousandths(fee).ok_or_else(|| format!("手续费 {fee}"))?;
        let rate = may(self.rate).and_then(|rate| hundred_thousandths(rate.strip_suffix('%')?));
        let at = need(self.at, "交易时间")?;
        Ok(Row::Own(BillRow {
            line,
            at: clock::from_spaced(at).ok_or_else(|| format!("交易时间 {at}"))?,
            transaction_id: need(self.transaction_id, "微信订单号")?.to_owned(),
            out_trade_no: need(self.out_trade_no, "商户订单号")?.to_owned(),
            refund,
            amount,
            borne,
            fee: rounded(exact),
            // A coupon that the merchant bears costs no fee. Source: cash coupons, download bill.
            fee_fits: rate.is_none_or(|rate| fits(amount.minus(borne).unwrap_or_default(), exact, rate)),
            raw: raw.to_owned(),
        }))
    }
}

/// A decimal of yuan with at most five places, as hundred-thousandths of a yuan; exact, never through a float.
fn hundred_thousandths(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || !plain(whole) || !plain(places) || places.len() > 5 {
        return None;
    }
    let places: i64 = format!("{places:0<5}").parse().ok()?;
    Some(sign * (whole.parse::<i64>().ok()? * 100_000 + places))
}

/// Whole fen of a decimal of yuan; `None` when it is not whole.
pub(super) fn fen(text: &str) -> Option<i64> {
    hundred_thousandths(text).filter(|n| n % 1_000 == 0).map(|n| n / 1_000)
}

/// To the nearest fen, halves away from zero.
fn rounded(hundred_thousandths: i64) -> i64 {
    (hundred_thousandths.abs() + 500) / 1_000 * hundred_thousandths.signum()
}

/// Whether a fee is a whole number of fen, and within one of what the rate (in percent) asks for.
fn fits(amount: Fen, fee: i64, rate_percent: i64) -> bool {
    // fen × (hundred-thousandths of a percent) = 10^-7 fen.
    let asked = amount.get() * rate_percent;
    let one_fen = 10_000_000;
    let kept = fee.abs() / 1_000 * one_fen;
    fee % 1_000 == 0 && (asked - kept).abs() <= one_fen
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
    const PAID: &str = "`2026-10-08 13:15:40,`wxd930ea5d5a258f4f,`1900000109,`0,`,`4200000000202610080000000001,`202610087K2M0A1B2C01,`oUpF8uMEb4qRXf22hE3X68TekukE,`JSAPI,`SUCCESS,`CMB_CREDIT,`CNY,`88.00,`0.00,`0,`0,`0.00,`0.00,`,`,`小店-蛋糕,大号`x1,`,`0.53000,`0.60%,`88.00,`0.00,`";
    const REFUNDED: &str = "`2026-10-08 15:00:00,`wxd930ea5d5a258f4f,`1900000109,`0,`,`4200000000202610080000000001,`202610087K2M0A1B2C01,`oUpF8uMEb4qRXf22hE3X68TekukE,`JSAPI,`REFUND,`CMB_CREDIT,`CNY,`0.00,`0.00,`50000000382026100800000000001,`202610087K2M0A1B2CR01,`70.00,`0.00,`ORIGINAL,`PROCESSING,`小店-蛋糕,大号`x1,`,`-0.42000,`0.60%,`0.00,`70.00,`";
    const SUMMARY: &str =
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

    fn bill(rows: &[&str]) -> String {
        let n = rows.len();
        format!(
            "\u{feff}{HEADER}\r\n{}\r\n{SUMMARY}\r\n`{n}.0,`88.00,`70.00,`0.00,`0.11000,`88.00,`70.00\r\n",
            rows.join("\r\n")
        )
    }

    fn opened(bytes: &[u8]) -> Bill {
        match read(bytes, &Own::default()).unwrap() {
            BillAnswer::Bill(bill) => bill,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bill_reads_the_same_plain_and_packed() {
        let text = bill(&[PAID, REFUNDED]);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        let plain = opened(text.as_bytes());
        assert_eq!(plain, opened(&gzip.finish().unwrap()));
        assert_eq!(plain, opened(text.trim_start_matches('\u{feff}').replace("\r\n", "\n").as_bytes()));
        let [paid, refunded] = plain.rows.as_slice() else { panic!("{plain:?}") };
        assert_eq!((paid.amount.get(), paid.fee, paid.fee_fits, &paid.refund), (8800, 53, true, &None));
        assert_eq!(clock::shown(paid.at), "2026-10-08 13:15:40");
        assert_eq!(paid.out_trade_no, "202610087K2M0A1B2C01");
        let ids = ("50000000382026100800000000001".to_owned(), "202610087K2M0A1B2CR01".to_owned());
        assert_eq!((refunded.amount.get(), refunded.fee, refunded.refund.as_ref()), (7000, -42, Some(&ids)));
        assert!(plain.unreadable.is_empty());
    }

    /// 100.00 with a coupon of 20.00 that the merchant bears: 80.00 arrives, and of half of it back 40.00 leaves.
    #[test]
    fn what_is_settled_is_told_from_what_was_paid_and_fees_are_on_what_is_settled() {
        let paid = PAID
            .replace("`88.00,`0.00,`0,`0,", "`80.00,`20.00,`0,`0,")
            .replace("`0.53000,`0.60%,`88.00,", "`0.48000,`0.60%,`100.00,");
        let back = REFUNDED
            .replace("`70.00,`0.00,`ORIGINAL", "`40.00,`0.00,`ORIGINAL")
            .replace("`-0.42000,`0.60%,`0.00,`70.00,", "`-0.24000,`0.60%,`0.00,`50.00,");
        let read = opened(bill(&[&paid, &back]).as_bytes());
        let told: Vec<_> =
            read.rows.iter().map(|row| (row.amount.get(), row.borne.get(), row.fee, row.fee_fits)).collect();
        assert_eq!(told, [(10_000, 2_000, 48, true), (5_000, 1_000, -24, true)]);
        assert_eq!(read.moved, Moved { arrived: 8_000, left: 4_000, fee: 24 });
        for (row, from, to, why) in [
            (&paid, "`0.48000,", "`0.60000,", None),
            (&paid, "`80.00,`20.00,", "`100.01,`20.00,", Some("到账金额")),
            (&paid, "`80.00,`20.00,", "`-80.00,`20.00,", Some("到账金额")),
            (&paid, "`80.00,`20.00,", "`八十,`20.00,", Some("到账金额")),
            (&back, "`40.00,`0.00,`ORIGINAL", "`50.01,`0.00,`ORIGINAL", Some("到账金额")),
        ] {
            let wrong = row.replace(from, to);
            assert_ne!(&wrong, row, "{from}");
            let read = opened(bill(&[&wrong]).as_bytes());
            match why {
                Some(why) => assert!(read.unreadable[0].2.contains(why), "{:?}", read.unreadable),
                None => assert!(!read.rows[0].fee_fits, "a fee on what was paid is too much"),
            }
        }
    }

    #[test]
    fn columns_are_found_by_name_wherever_they_stand() {
        let text = "交易状态,商户订单号,微信订单号,交易时间,总金额,手续费,费率\r\n\
                    `SUCCESS,`A0000001,`42,`2026-10-08 13:15:40,`0.01,`0.00000,`0.60%\r\n总交易单数\r\n`1\r\n";
        let old = opened(text.as_bytes());
        assert_eq!((old.rows[0].amount.get(), old.rows[0].transaction_id.as_str()), (1, "42"));
    }

    #[test]
    fn a_goods_name_that_looks_like_two_values_shifts_nothing() {
        let plain = opened(bill(&[PAID]).as_bytes());
        for name in ["小店,`蛋糕", "`,`,`", "小店,`SUCCESS,`88.00"] {
            let tricky = PAID.replace("小店-蛋糕,大号`x1", name);
            let read = opened(bill(&[&tricky]).as_bytes());
            assert!(read.unreadable.is_empty(), "{name}");
            let row = BillRow { raw: PAID.into(), ..read.rows[0].clone() };
            assert_eq!(row, plain.rows[0], "{name}");
        }
    }

    /// One thing differs per row: whose it is, is told by app, trade type and number together, or by our own books.
    #[test]
    fn other_peoples_money_is_summed_and_nothing_more() {
        let own = Own {
            app_ids: vec!["wxd930ea5d5a258f4f".into(), "wx00000000000000old".into()],
            transactions: HashSet::from(["4200000000202610080000000009".to_owned()]),
            plain_numbers: HashSet::from(["20261008777777777701".to_owned()]),
        };
        let other = PAID.replace("wxd930ea5d5a258f4f", "wxffffffffffffff00").replace("2C01", "2C77");
        for (row, ours) in [
            (PAID.to_owned(), true),
            (PAID.replace("wxd930ea5d5a258f4f", "wx00000000000000old"), true),
            (other.clone(), false),
            (PAID.replace("`JSAPI", "`MICROPAY"), false),
            (PAID.replace("202610087K2M0A1B2C01", "POS2026000000"), false),
            (PAID.replace("202610087K2M0A1B2C01", "20261008131540000001"), false),
            (PAID.replace("202610087K2M0A1B2C01", "20261008777777777701"), true),
            (other.replace("0000000001,", "0000000009,"), true),
            (other.replace("小店-蛋糕,大号`x1", "别家,`的`货"), false),
        ] {
            let read = match read(bill(&[&row]).as_bytes(), &own).unwrap() {
                BillAnswer::Bill(bill) => bill,
                other => panic!("{other:?}"),
            };
            let theirs =
                if ours { Others::default() } else { Others { payments: 1, received_fen: 8800, ..Others::default() } };
            assert_eq!((read.rows.len(), read.others, read.unreadable.len()), (usize::from(ours), theirs, 0), "{row}");
        }
        let refund = REFUNDED.replace("wxd930ea5d5a258f4f", "wxffffffffffffff00");
        let odd = other.replace("`88.00,`0.00,`", "`eighty,`0.00,`").replace("`SUCCESS", "`ACCEPT");
        let BillAnswer::Bill(read) = read(bill(&[&refund, &odd, PAID]).as_bytes(), &own).unwrap() else { panic!() };
        let theirs = Others { payments: 1, received_fen: 0, refunds: 1, refunded_fen: 7000 };
        assert_eq!((read.rows.len(), read.others, read.unreadable.len()), (1, theirs, 0));
    }

    #[test]
    fn a_row_that_cannot_be_read_is_kept_apart_and_named() {
        for (from, to, why) in [
            ("`88.00,`0.00,`0,`0", "`88.00,`0.00,`0", "有 26 个值"),
            ("`0.60%,`88.00,", "`0.60%,`88.001,", "金额"),
            ("`0.60%,`88.00,", "`0.60%,`-88.00,", "金额"),
            ("`0.60%,`88.00,", "`0.60%,`八十八,", "金额"),
            ("`0.53000,", "`0.530001,", "手续费"),
            ("`SUCCESS,", "`MAYBE,", "交易状态"),
            ("2026-10-08 13:15:40", "2026/10/08 13:15", "交易时间"),
            ("`4200000000202610080000000001,", "`,", "微信订单号"),
        ] {
            let wrong = PAID.replace(from, to);
            assert_ne!(wrong, PAID, "{from}");
            let read = opened(bill(&[&wrong, REFUNDED]).as_bytes());
            assert_eq!(read.rows.len(), 1, "{to}");
            assert!(read.unreadable[0].2.contains(why), "{:?}", read.unreadable);
        }
        let revoked = PAID.replace("`SUCCESS,", "`REVOKED,");
        let read = opened(bill(&[&revoked, PAID]).as_bytes());
        assert_eq!((read.rows.len(), read.unreadable.len()), (1, 0), "a revoked barcode payment moved no money");
    }

    /// The bill of an evening at the till: paid, and taken back a minute later. The fund flow has both.
    #[test]
    fn a_barcode_payment_that_a_till_takes_back_is_money_that_leaves() {
        let own = Own { app_ids: vec!["wxd930ea5d5a258f4f".into()], ..Own::default() };
        let till = PAID.replace("`JSAPI,", "`MICROPAY,").replace("202610087K2M0A1B2C01", "POS0000001");
        let back =
            REFUNDED.replace("`JSAPI,`REFUND,", "`MICROPAY,`REVOKED,").replace("202610087K2M0A1B2C01", "POS0000001");
        assert!(back.contains("REVOKED"), "{back}");
        let BillAnswer::Bill(read) = read(bill(&[&till, &back]).as_bytes(), &own).unwrap() else { panic!() };
        let others = Others { payments: 1, received_fen: 8800, refunds: 1, refunded_fen: 7000 };
        assert_eq!((read.rows.len(), read.others, read.unreadable.len()), (0, others, 0));
        assert_eq!(read.moved, Moved { arrived: 8800, left: 7000, fee: 53 - 42 });
    }

    /// The sums are of what was read once, and the second is shown.
    #[test]
    fn money_that_stands_twice_counts_once_and_is_told() {
        let read = opened(bill(&[PAID, REFUNDED, PAID, REFUNDED]).as_bytes());
        assert_eq!((read.rows.len(), read.unreadable.len()), (2, 2));
        assert!(read.unreadable.iter().all(|(_, _, why)| why.contains("不止一次")), "{:?}", read.unreadable);
        assert_eq!(read.moved, Moved { arrived: 8800, left: 7000, fee: 53 - 42 });
        let own = Own { app_ids: vec!["wx0000000000000000".into()], ..Own::default() };
        let BillAnswer::Bill(read) = super::read(bill(&[PAID, PAID]).as_bytes(), &own).unwrap() else { panic!() };
        assert_eq!((read.others.payments, read.unreadable.len()), (1, 1));
    }

    #[test]
    fn another_currency_is_no_yuan() {
        let foreign = PAID.replace("`CNY,", "`USD,");
        let read = opened(bill(&[&foreign, REFUNDED]).as_bytes());
        assert_eq!(read.rows.len(), 1);
        assert!(read.unreadable[0].2.contains("币种是 USD"), "{:?}", read.unreadable);
        let own = Own { app_ids: vec!["wx0000000000000000".into()], ..Own::default() };
        let BillAnswer::Bill(read) = super::read(bill(&[&foreign]).as_bytes(), &own).unwrap() else { panic!() };
        assert_eq!(read.others, Others { payments: 1, ..Others::default() });
        assert_eq!((read.moved, read.summary_off), (Moved::default(), None));
    }

    /// Around midnight two clocks may tell two days; what a refund's moment is, nobody says.
    #[test]
    fn a_payment_of_another_day_has_no_place_in_a_bill() {
        let day: Day = "2026-10-08".parse().unwrap();
        for (at, fits) in [
            ("2026-10-08 13:15:40", true),
            ("2026-10-07 23:50:00", true),
            ("2026-10-07 23:49:59", false),
            ("2026-10-09 00:09:59", true),
            ("2026-10-09 00:10:00", false),
            ("2025-10-08 13:15:40", false),
        ] {
            let row = PAID.replace("2026-10-08 13:15:40", at);
            let back = REFUNDED.replace("2026-10-08 15:00:00", at);
            let read = opened(bill(&[&row, &back]).as_bytes()).of_day(day);
            assert_eq!((read.rows.len(), read.unreadable.len()), if fits { (2, 0) } else { (1, 1) }, "{at}");
        }
    }

    /// One figure differs per row; of what is not documented, either way is right.
    #[test]
    fn each_figure_of_the_summary_is_held_against_the_rows() {
        let revoked = PAID.replace("`SUCCESS,", "`REVOKED,").replace("0000000001,", "0000000009,");
        let off = |values: &str| {
            let text = bill(&[PAID, REFUNDED, &revoked]);
            let at = text.rfind("\r\n`").unwrap() + 2;
            opened(format!("{}{values}\r\n", &text[..at]).as_bytes())
                .summary_off
                .map(|(_, why)| why)
                .unwrap_or_default()
        };
        for (values, why) in [
            ("`3.0,`88.00,`70.00,`0.00,`0.11000,`88.00,`70.00", ""),
            // With what the till took back, and with fees of payments alone.
            ("`3.0,`176.00,`70.00,`0.00,`0.64000,`176.00,`70.00", ""),
            ("`3.0,`88.00,`70.00,`0.00,`0.53000,`88.00,`70.00", ""),
            ("`3.0,`0.00,`0.00,`0.00,`0,`0.00,`0.00", ""),
            ("`3.0,`88.01,`70.00,`0.00,`0.11000,`88.00,`70.00", "应结订单总金额 88.01，明细相加是 88.00"),
            ("`3.0,`88.00,`70.01,`0.00,`0.11000,`88.00,`70.00", "退款总金额 70.01"),
            ("`3.0,`88.00,`70.00,`0.01,`0.11000,`88.00,`70.00", "充值券退款总金额 0.01"),
            ("`3.0,`88.00,`70.00,`0.00,`0.12000,`88.00,`70.00", "手续费总金额 0.12000，明细相加是 0.53"),
            ("`3.0,`88.00,`70.00,`0.00,`0.11000,`87.00,`70.00", "订单总金额 87.00"),
            ("`3.0,`88.00,`70.00,`0.00,`0.11000,`88.00,`69.00", "申请退款总金额 69.00"),
            ("`3.0,`88.00,`70.00,`0.00,`0.11000,`八十八,`70.00", "订单总金额 八十八"),
            ("`3.0,`0.00,`70.00,`0.00,`0.11000,`88.00,`70.00", "应结订单总金额 0.00"),
        ] {
            let found = off(values);
            assert!(found.contains(why) && found.is_empty() == why.is_empty(), "{values}: {found}");
        }
    }

    #[test]
    fn a_bill_that_was_cut_off_or_altered_is_no_bill() {
        let whole = bill(&[PAID, REFUNDED]);
        let cut = whole.split(SUMMARY).next().unwrap();
        let columns = whole.replace("交易状态", "状态");
        for (bytes, word) in [
            (cut.as_bytes(), "BILL_CUT_OFF"),
            (columns.as_bytes(), "BILL_COLUMNS_UNKNOWN"),
            (b"\x1f\x8bnot gzip at all".as_slice(), "BILL_GZIP_BROKEN"),
            (b"\xff\xfe".as_slice(), "BILL_NOT_UTF8"),
            (b"".as_slice(), "BILL_EMPTY"),
        ] {
            assert_eq!(read(bytes, &Own::default()), Err(unusable(word.parse().unwrap())), "{word}");
        }
        let one_less = bill(&[PAID, PAID, REFUNDED]).replacen(&format!("{PAID}\r\n"), "", 1);
        assert!(opened(one_less.as_bytes()).unreadable[0].2.contains("总交易单数"));
    }

    #[test]
    fn errors_come_as_xml_with_an_error_code_of_their_own() {
        let xml = |msg: &str, code: &str| {
            format!(
                "<xml><return_code>FAIL</return_code><return_msg>{msg}</return_msg><error_code>{code}</error_code></xml>"
            )
        };
        let read = |xml: String| read(xml.as_bytes(), &Own::default());
        assert_eq!(read(xml("No Bill Exist", "20002")), Ok(BillAnswer::None));
        assert_eq!(read(xml("NO Bill Exist", "")), Ok(BillAnswer::None));
        assert_eq!(read(xml("Bill Creating", "20003")), Ok(BillAnswer::Creating));
        assert_eq!(read(xml("Bill Creating", "")), Ok(BillAnswer::Creating));
        assert!(matches!(read(xml("invalid bill_type", "20001")), Err(GatewayError::Refused { .. })));
        assert!(matches!(read(xml("SIGN ERROR", "")), Err(GatewayError::NotAccepted(_))));
    }

    #[test]
    fn a_fee_fits_its_rate_to_the_fen() {
        let fen = |n| Fen::new(n).unwrap();
        for (amount, fee, fits_) in
            [(8800, "0.53", true), (8800, "0.52", true), (8800, "0.55", false), (8800, "0.528", false), (1, "0", true)]
        {
            let fee = hundred_thousandths(fee).unwrap();
            assert_eq!(fits(fen(amount), fee, hundred_thousandths("0.60").unwrap()), fits_, "{amount} {fee}");
        }
        assert_eq!((rounded(52_800), rounded(-52_850), rounded(0)), (53, -53, 0));
    }
}
