//! 对账: each day's bill against our ledger and orders. What WeChat has and we missed is asked about and entered.

pub mod decide;
pub mod funds;
pub mod report;
pub mod store;

use rusqlite::Connection;

use crate::clock::{Day, HOUR, MINUTE};
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::{self, Difference, Kind, MATCHED_AGAIN, NewException};
use crate::ids::AttemptId;
use crate::jobs::{self, Ran, Task};
use crate::ledger::store as ledger;
use crate::money::yuan;
use crate::payments::refund::learn;
use crate::payments::settle::{self, Source};
use crate::payments::store as payments;
use crate::shop::Shop;
use crate::transactions::{self, Entry};
use crate::wechat::bill::{Bill, BillAnswer, Others};
use crate::wechat::pay::{Trade, TradeOf};
use crate::wechat::{Account, for_owner};
use crate::words::words;
use funds::Funds;

/// WeChat asks for patience until ten in the morning. Source: download bill, API v2.
const OUT_AFTER: i64 = 10 * HOUR;
/// How often a bill that is being made is asked for again.
const CREATING_AGAIN: i64 = 30 * MINUTE;
/// WeChat keeps bills for three months.
pub const KEPT_DAYS: i64 = 89;
/// Days for which a refund is followed.
const REFUND_TAKES: i64 = 31;
/// Rows written in one go, so that no one else waits long for the writer.
const CHUNK: usize = 1_000;

words! {
    /// How a day's match stands.
    pub enum BillState {
        Waiting "waiting" "未出账",
        Equal "equal" "无差异",
        Differs "differs" "有差异",
        Empty "empty" "无交易",
        Failed "failed" "下载失败",
    }
}

/// A day's match, with what WeChat's bill adds up to.
#[derive(Clone, Debug)]
pub struct Match {
    pub day: Day,
    pub state: BillState,
    pub payments: i64,
    pub received_fen: i64,
    /// The part of it that never arrives; so with refunds, the part that never leaves.
    pub received_borne_fen: i64,
    pub refunds: i64,
    pub refunded_fen: i64,
    pub refunded_borne_fen: i64,
    pub fee_fen: i64,
    /// What moved under the same merchant number for other apps and tills; none of it is the shop's.
    pub others: Others,
    pub problem: String,
    pub checked_at: i64,
}

impl Match {
    /// What the bill says was received and given back, in fen, where there is one.
    pub fn billed(&self) -> Option<(i64, i64)> {
        let there = !matches!(self.state, BillState::Waiting | BillState::Failed);
        there.then_some((self.received_fen, self.refunded_fen))
    }

    /// What the bill has beside the shop's own, in one line.
    pub fn others_text(&self) -> Option<String> {
        let (paid, back) = (yuan(self.others.received_fen), yuan(self.others.refunded_fen));
        match (self.others.payments, self.others.refunds) {
            (0, 0) => None,
            (n, 0) => Some(format!("其他应用 {n} 笔 ¥{paid}")),
            (n, refunds) => Some(format!("其他应用 {n} 笔 ¥{paid}，退款 {refunds} 笔 ¥{back}")),
        }
    }
}

/// When a day's bill can be asked for.
pub fn out_at(day: Day) -> i64 {
    day.end() + OUT_AFTER
}

/// Each morning: every day without a settled bill gets a job of its own.
pub async fn schedule(shop: &Shop) -> Result<Ran> {
    let now = shop.now();
    let today = Day::of(now);
    let morning = today.start() + OUT_AFTER + 5 * MINUTE;
    let again = Ran::Again { at: if now < morning { morning } else { morning + 24 * HOUR } };
    if shop.account().is_none() {
        return Ok(again);
    }
    let late = shop.read_slowly(move |conn| Ok(store::late_fees(conn, today.plus(-REFUND_TAKES))?)).await?;
    let write = move |tx: &Tx| {
        let Some(first) = ledger::first_day(tx)? else { return Ok(()) };
        for fee in &late {
            ledger::enter_fee(tx, &fee.wechat_id, fee.fee_fen, fee.at)?;
        }
        let mut day = first.max(today.plus(-KEPT_DAYS));
        while day < today {
            let state = store::of_day(tx, day)?.map(|found| found.state);
            if matches!(state, None | Some(BillState::Waiting | BillState::Failed)) {
                jobs::enqueue(tx, Task::Bill(day), out_at(day).max(tx.now()))?;
            }
            day = day.plus(1);
        }
        Ok(())
    };
    shop.write(write).await?;
    Ok(again)
}

/// Downloads a day's bill and matches it; safe to repeat.
pub async fn run(shop: &Shop, day: Day) -> Result<Ran> {
    let now = shop.now();
    if now < out_at(day) {
        note(shop, day, BillState::Waiting, "账单要到第二天 10 点后才能下载").await?;
        return Ok(Ran::Again { at: out_at(day) });
    }
    let Some(account) = shop.account() else { return Ok(Ran::Failed("微信支付还没有设置".into())) };
    let (app_id, mch_id) = (account.app_id().to_owned(), account.mch_id().to_owned());
    let read = move |conn: &rusqlite::Connection| {
        Ok((store::taken_under(conn, day, &mch_id)?, exceptions::store::count_open_of_day(conn, day)?))
    };
    let ((here, elsewhere), open) = shop.read(read).await?;
    if let Some((_, number)) = elsewhere.filter(|_| here == 0 || open > 0) {
        // A bill of today's number would take back what that of the other one told.
        let words = format!(
            "这一天的款是用商户号 {number} 收的，现在设置的是 {}：换回原商户号，才能取到那一天的账单",
            account.mch_id()
        );
        note(shop, day, BillState::Failed, &words).await?;
        return Ok(Ran::Done);
    }
    let own = shop.read(move |conn| Ok(store::own(conn, &app_id)?)).await?;
    let exchange = shop.wechat.download_bill(&account, day, &own, &shop.nonces).await;
    let mut entry = Entry::sent(&exchange);
    entry.reason = match &exchange.result {
        Ok(BillAnswer::Bill(bill)) => {
            let (own, others) = (bill.rows.len() + bill.unreadable.len(), bill.others.payments + bill.others.refunds);
            format!("{} 的账单，本店 {own} 行，其他应用 {others} 行", day.shown())
        }
        Ok(BillAnswer::None) => format!("{}：微信没有账单", day.shown()),
        Ok(BillAnswer::Creating) => format!("{}：微信正在生成账单", day.shown()),
        Err(_) => format!("{}：{}", day.shown(), entry.reason),
    };
    shop.write_always(move |tx| Ok(entry.record(tx)?)).await?;
    match exchange.result {
        Ok(BillAnswer::Creating) => {
            note(shop, day, BillState::Waiting, "微信正在生成账单，半小时后自动再试").await?;
            Ok(Ran::Again { at: now + CREATING_AGAIN })
        }
        Ok(BillAnswer::None) => compare(shop, &account, day, Bill::default(), true).await,
        Ok(BillAnswer::Bill(bill)) => compare(shop, &account, day, bill, false).await,
        Err(e) => {
            // What only the owner can mend is said with what to do; time heals the rest.
            let why = for_owner(account.api(), &e).unwrap_or_else(|| e.to_string());
            note(shop, day, BillState::Failed, &why).await?;
            Ok(Ran::Failed(why))
        }
    }
}

/// The same by somebody's hand, with no job behind it: what did not come this time is asked for again by whoever keeps the
/// shop open, as if the job had asked.
pub async fn by_hand(shop: &Shop, day: Day) -> Result<Ran> {
    let ran = run(shop, day).await?;
    let again = match &ran {
        Ran::Again { at } => Some(*at),
        Ran::Failed(_) => Some(shop.now() + CREATING_AGAIN),
        Ran::Done | Ran::Stuck(_) => None,
    };
    if let Some(at) = again {
        shop.write(move |tx| jobs::enqueue(tx, Task::Bill(day), at).map_err(Into::into)).await?;
    }
    Ok(ran)
}

/// Writes down why there is no match yet; one that was made before stays.
async fn note(shop: &Shop, day: Day, state: BillState, problem: &str) -> Result<()> {
    let problem = problem.to_owned();
    shop.write(move |tx| Ok(store::put_problem(tx, day, state, &problem)?)).await
}

async fn compare(shop: &Shop, account: &Account, day: Day, bill: Bill, none: bool) -> Result<Ran> {
    keep_rows(shop, day, &bill).await?;
    let unheard = enter_missed(shop, account, day).await?;
    enter_fees(shop, day).await?;
    let mut funds = funds::fetch(shop, account, day, bill.moved).await?;
    let gone = std::mem::take(&mut funds.flow.gone);
    funds.flow.set_aside(shop.read(move |conn| Ok(store::paid_again(conn, day, &gone)?)).await?);
    let (later, mch_id) = (funds.later, account.mch_id().to_owned());
    let write = move |tx: &Tx| {
        store::put_funds(tx, day, &funds)?;
        let sums = store::sums(tx, day)?;
        let mut found = store::differences(tx, day, &mch_id)?;
        found.extend(unreadable(&bill));
        if none && !found.is_empty() {
            let payments = found.iter().filter(|one| one.difference == Difference::PaymentMissingThere).count();
            let refunds = found.len() - payments;
            let what = format!("本店有 {payments} 笔付款、{refunds} 笔退款，微信说没有账单");
            found = vec![store::Found::new(Difference::NoBill, String::new(), what)];
        }
        // What is wrong with the bill is wrong beside the fund flow too, and told once.
        if found.is_empty() {
            found.extend(moved_otherwise(&funds));
        }
        report_differences(tx, day, &found)?;
        for other in store::days_to_match_again(tx, day)? {
            jobs::enqueue(tx, Task::Bill(other), tx.now())?;
        }
        let open = exceptions::store::count_open_of_day(tx, day)?;
        let (_, elsewhere) = store::taken_under(tx, day, &mch_id)?;
        let ours = ledger::day_sum(tx, day)?;
        let state = match open {
            1.. => BillState::Differs,
            _ if elsewhere.is_some() => BillState::Failed,
            _ if sums == store::Sums::default() && ours.payments + ours.refunds == 0 => BillState::Empty,
            _ => BillState::Equal,
        };
        store::put(tx, day, state, &sums, &bill.others)?;
        if let Some((rows, number)) = elsewhere {
            let words = format!("另有 {rows} 笔收付是用商户号 {number} 办的，不在这份账单里，没有核对");
            store::put_problem(tx, day, state, &words)?;
        }
        Ok(())
    };
    shop.write(write).await?;
    match unheard {
        0 if later => Ok(Ran::Again { at: shop.now() + CREATING_AGAIN }),
        0 => Ok(Ran::Done),
        n => Ok(Ran::Failed(format!("{} 有 {n} 笔款项还没能向微信查实", day.shown()))),
    }
}

/// Rows that make no sense: what makes one of them wrong is in the others too, so a day tells it once.
fn unreadable(bill: &Bill) -> Option<store::Found> {
    let (line, raw, why) = bill.unreadable.first()?;
    let more = match bill.unreadable.len() {
        1 => String::new(),
        n => format!("（这样的共 {n} 行）"),
    };
    let what = format!("账单第 {line} 行读不懂：{why}{more}");
    Some(store::Found { theirs: raw.clone(), ..store::Found::new(Difference::Unreadable, String::new(), what) })
}

/// The fund flow moves another sum than the bill.
fn moved_otherwise(funds: &Funds) -> Option<store::Found> {
    let differs = funds.differs();
    let what = format!("{}：{}", Difference::Funds.text(), differs.join("；"));
    (!differs.is_empty()).then(|| store::Found::new(Difference::Funds, String::new(), what))
}

/// The bill's rows, a few at a time.
async fn keep_rows(shop: &Shop, day: Day, bill: &Bill) -> Result<()> {
    shop.write(move |tx| Ok(store::forget_rows(tx, day)?)).await?;
    for chunk in bill.rows.chunks(CHUNK) {
        let rows = chunk.to_vec();
        let write = move |tx: &Tx| rows.iter().try_for_each(|row| Ok(store::insert_row(tx, day, row)?));
        shop.write(write).await?;
    }
    Ok(())
}

/// Payments and refunds that the bill has and we have not: WeChat's signed word on each is fetched and entered.
/// Answers with how many could not be asked about.
async fn enter_missed(shop: &Shop, account: &Account, day: Day) -> Result<usize> {
    let mut unheard = 0;
    let read = move |conn: &Connection| {
        let with_attempt = |(transaction_id, attempt): (String, Option<AttemptId>)| {
            let attempt = attempt.map(|id| payments::attempt(conn, id)).transpose()?.flatten();
            Ok((transaction_id, attempt))
        };
        store::payments_missed(conn, day)?.into_iter().map(with_attempt).collect::<Result<Vec<_>>>()
    };
    for (transaction_id, attempt) in shop.read(read).await? {
        // WeChat knows a payment by the app that it was made in.
        let made_in = attempt.and_then(|attempt| attempt.account(shop));
        unheard += usize::from(!enter_payment(shop, made_in.as_ref().unwrap_or(account), &transaction_id).await?);
    }
    let missed = shop.read(move |conn| Ok(store::refunds_missed(conn, day)?)).await?;
    for entry in missed.chunk_by(|a, b| a.0 == b.0) {
        let named = entry.iter().map(|(_, number)| number.clone()).filter(|number| !number.is_empty()).collect();
        unheard += usize::from(learn::all_of(shop, entry[0].0, named).await? != Ran::Done);
    }
    Ok(unheard)
}

/// What WeChat kept of each payment and refund that is ours, a few at a time.
async fn enter_fees(shop: &Shop, day: Day) -> Result<()> {
    let mut after = 0;
    loop {
        let fees = shop.read(move |conn| Ok(store::fees(conn, day, after, CHUNK)?)).await?;
        let Some(last) = fees.last() else { return Ok(()) };
        after = last.line;
        let write = move |tx: &Tx| {
            for fee in &fees {
                ledger::enter_fee(tx, &fee.wechat_id, fee.fee_fen, fee.at)?;
            }
            Ok(())
        };
        shop.write(write).await?;
    }
}

/// Asks WeChat about a payment and enters it. False when WeChat could not be heard.
async fn enter_payment(shop: &Shop, account: &Account, transaction_id: &str) -> Result<bool> {
    let exchange = shop.wechat.order_query(account, TradeOf::Transaction(transaction_id), &shop.nonces).await;
    let mut sent = Entry::sent(&exchange);
    sent.transaction_id = Some(transaction_id.to_owned());
    let (settings, trade) = (shop.settings(), exchange.result);
    let heard = trade.is_ok();
    let write = move |tx: &Tx| {
        let mut entry = sent.clone();
        if let Ok(Trade::Paid(payment)) = &trade {
            entry.out_trade_no = Some(payment.out_trade_no.clone());
            entry.amount = Some(payment.total);
            let message = transactions::next_id(tx)?;
            let settlement = settle::settle(tx, payment, Source::Bill, Some(message), &settings)?;
            entry.reason = format!("账单里有、本店漏记的付款：{}", settlement.settled.text());
            return Ok(entry.record_as(message, tx)?);
        }
        Ok(entry.record(tx).map(|_| ())?)
    };
    shop.write_always(write).await?;
    shop.wake_worker();
    Ok(heard)
}

/// Opens what is new, keeps what is still so, settles what is no longer so.
fn report_differences(tx: &Tx, day: Day, found: &[store::Found]) -> Result<()> {
    let subject = |difference: Difference, id: &str| format!("{day} {} {id}", difference.word());
    for one in found {
        let new = NewException {
            order_id: one.order_id,
            transaction_id: &one.transaction_id,
            amount_fen: one.amount_fen,
            bill: Some((day, one.difference)),
            ours: &one.ours,
            theirs: &one.theirs,
            ..NewException::new(Kind::BillDifference, subject(one.difference, &one.id), &one.what)
        };
        if exceptions::store::open(tx, &new)?.is_none() {
            exceptions::store::still_differs(tx, &new)?;
        }
    }
    for known in exceptions::store::of_day(tx, day)?.into_iter().filter(|known| known.open) {
        if !found.iter().any(|one| subject(one.difference, &one.id) == known.subject) {
            exceptions::store::resolve(tx, known.id, MATCHED_AGAIN)?;
        }
    }
    Ok(())
}

/// After a person settled a difference the day may be equal.
pub fn refresh(tx: &Tx, day: Day) -> Result<()> {
    if exceptions::store::count_open_of_day(tx, day)? == 0 {
        store::set_equal(tx, day)?;
    }
    Ok(())
}

/// How orders account for a day's payments: money inside orders, and money beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByOrders {
    /// How many, and their sum in fen.
    pub inside: (i64, i64),
    pub beside: (i64, i64),
}
