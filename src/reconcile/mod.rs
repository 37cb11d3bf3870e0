//! 对账: each day's bill against our ledger and orders. What WeChat has and we missed is asked about and entered.

pub mod decide;
pub mod funds;
pub mod parts;
pub mod report;
pub mod store;

use rusqlite::Connection;

use crate::clock::{DAY, Day, HOUR, MINUTE};
use crate::db::Tx;
use crate::error::Result;
use crate::exceptions::{self, Difference, Kind, MATCHED_AGAIN, NewException};
use crate::ids::AttemptId;
use crate::jobs::{self, Ran, Task};
use crate::ledger::store as ledger;
use crate::message_log::{self, Logged};
use crate::money::yuan;
use crate::payments::refund::learn;
use crate::payments::settle::{self, Source};
use crate::payments::store as payments;
use crate::shop::Shop;
use crate::stored_enum::stored_enum;
use crate::wechat::bill::{Bill, BillAnswer, Others};
use crate::wechat::pay::{Trade, TradeOf};
use crate::wechat::{Account, for_owner};
use funds::Funds;

/// WeChat asks for patience until ten in the morning. Source: download bill, API v2.
const OUT_AFTER: i64 = 10 * HOUR;
/// How often a bill that is being made is asked for again.
const CREATING_AGAIN: i64 = 30 * MINUTE;
/// How often, in its first day, a bill is asked for again that should be there and is not.
const LATE_AGAIN: i64 = 2 * HOUR;
/// WeChat keeps bills for three months.
pub const KEPT_DAYS: i64 = 89;
/// Days for which a refund is followed.
const REFUND_TAKES: i64 = 31;
/// Rows written in one go, so that no one else waits long for the writer.
const CHUNK: usize = 1_000;

stored_enum! {
    /// How a day's match stands.
    pub enum BillState {
        Waiting "waiting" "未出账",
        Equal "equal" "无差异",
        Differs "differs" "有差异",
        Empty "empty" "无交易",
        Failed "failed" "下载失败",
    }
}

impl BillState {
    /// A bill was fetched and held against the books, whatever came of it.
    pub fn is_matched(self) -> bool {
        !matches!(self, BillState::Waiting | BillState::Failed)
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
    /// One number's bill of the day was matched, whatever became of the others'.
    pub begun: bool,
}

#[cfg(test)]
impl Match {
    /// A day that differs, with something in every place.
    pub fn sample(day: Day) -> Match {
        Match {
            day,
            state: BillState::Differs,
            payments: 2,
            received_fen: 8_801,
            received_borne_fen: 100,
            refunds: 1,
            refunded_fen: 500,
            refunded_borne_fen: 1,
            fee_fen: 5,
            others: Others { payments: 1, received_fen: 3, ..Others::default() },
            problem: "微信没有回答".into(),
            checked_at: day.start(),
            begun: true,
        }
    }
}

impl Match {
    /// How it stands, in a word or two: a day that waits for another number's bill was not left undone.
    pub fn text(&self) -> &'static str {
        match self.state {
            BillState::Failed if self.begun => "部分核对",
            state => state.text(),
        }
    }

    /// What the bill says was received and given back, in fen, where there is one.
    pub fn billed(&self) -> Option<(i64, i64)> {
        self.state.is_matched().then_some((self.received_fen, self.refunded_fen))
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

/// The first day with trade whose bill should have been matched a day ago, and was not: its state and why, in words.
pub fn undone(conn: &Connection, now: i64) -> Result<Option<(Day, &'static str, String)>> {
    let today = Day::of(now);
    let until = if now < out_at(today.plus(-2)) + DAY { today.plus(-3) } else { today.plus(-2) };
    Ok(store::undone(conn, today.plus(-KEPT_DAYS), until)?)
}

/// Each morning: every day without a settled bill of today's number gets a job of its own; of one on which another number
/// waits it is said.
pub async fn schedule(shop: &Shop) -> Result<Ran> {
    let now = shop.now();
    let today = Day::of(now);
    let morning = today.start() + OUT_AFTER + 5 * MINUTE;
    let again = Ran::Again { at: if now < morning { morning } else { morning + DAY } };
    let Some(mch_id) = shop.account().map(|account| account.mch_id().to_owned()) else { return Ok(again) };
    let read = move |conn: &Connection| {
        Ok((store::late_fees(conn, today.plus(-REFUND_TAKES))?, left_since(conn, today.plus(-KEPT_DAYS), today)?))
    };
    let (late, left) = shop.read_slowly(read).await?;
    let write = move |tx: &Tx| {
        let not_out = if now < out_at(today.plus(-1)) { today.plus(-1) } else { today };
        store::forget_unlived(tx, not_out, today)?;
        let Some(first) = parts::store::first_day(tx, &mch_id)? else { return Ok(()) };
        for fee in &late {
            ledger::enter_fee(tx, &fee.wechat_id, fee.fee_fen, fee.at)?;
        }
        let fetch = |day: Day| jobs::enqueue(tx, Task::Bill(day), out_at(day).max(tx.now()));
        let mut day = first.max(today.plus(-KEPT_DAYS));
        while day < today {
            if !parts::store::of_number(tx, day, &mch_id)?
                .is_some_and(|part| part.state.is_matched() && part.looked_by.is_none())
            {
                fetch(day)?;
            }
            day = day.plus(1);
        }
        // The bill came late, or the next one has what this one lacks.
        for day in store::without_bill(tx, today.plus(-REFUND_TAKES))? {
            fetch(day)?;
        }
        for (day, numbers) in &left {
            match numbers.iter().any(|owed| owed.mch_id == mch_id && owed.moved > 0) {
                true => fetch(*day)?,
                false => parts::conclude(tx, *day, Some(&mch_id))?,
            }
        }
        Ok(())
    };
    shop.write(write).await?;
    Ok(again)
}

/// The days with numbers whose bill nobody has seen, and these; a shop that never had another number has none.
fn left_since(conn: &Connection, from: Day, until: Day) -> Result<Vec<(Day, Vec<parts::Owed>)>> {
    let mut days = Vec::new();
    let Some(first) = ledger::first_day(conn)? else { return Ok(days) };
    if !parts::store::moved(conn)? {
        return Ok(days);
    }
    let mut day = first.max(from);
    while day < until {
        days.push((day, parts::left(conn, day)?));
        day = day.plus(1);
    }
    days.retain(|(_, left)| !left.is_empty());
    Ok(days)
}

/// Downloads a day's bill and matches it; safe to repeat.
pub async fn run(shop: &Shop, day: Day) -> Result<Ran> {
    let now = shop.now();
    if day > Day::of(now) {
        // Planned by a clock that ran ahead; the day gets a job of its own when it is over.
        return Ok(Ran::Done);
    }
    let Some(account) = shop.account() else { return Ok(Ran::Failed("微信支付还没有设置".into())) };
    let (app_id, mch_id) = (account.app_id().to_owned(), account.mch_id().to_owned());
    if now < out_at(day) {
        note(shop, day, &mch_id, BillState::Waiting, "账单要到第二天 10 点后才能下载").await?;
        return Ok(Ran::Again { at: out_at(day) });
    }
    let number = mch_id.clone();
    if let Some(words) = shop.read(move |conn| foreign(conn, day, &number)).await? {
        let write = move |tx: &Tx| match store::of_day(tx, day)?.is_some_and(|found| found.state.is_matched()) {
            // It was matched under its own number, and needs none of today's.
            true => Ok(()),
            false => Ok(store::put_problem(tx, day, BillState::Failed, &words)?),
        };
        shop.write(write).await?;
        return Ok(Ran::Done);
    }
    let own = shop.read(move |conn| Ok(store::own(conn, &app_id)?)).await?;
    let exchange = shop.wechat.download_bill(&account, day, &own, &shop.nonces).await;
    let mut entry = Logged::sent(&exchange);
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
            note(shop, day, &mch_id, BillState::Waiting, "微信正在生成账单，半小时后自动再试").await?;
            Ok(Ran::Again { at: now + CREATING_AGAIN })
        }
        Ok(BillAnswer::None) => compare(shop, &account, day, Bill::default(), true).await,
        Ok(BillAnswer::Bill(bill)) => compare(shop, &account, day, bill, false).await,
        Err(e) => {
            // What only the owner can mend is said with what to do; time heals the rest.
            let why = for_owner(account.api(), &e).unwrap_or_else(|| e.to_string());
            note(shop, day, &mch_id, BillState::Failed, &why).await?;
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

/// Why a day has no business with today's number: it was first set later, and all the money of the day is another one's.
pub fn foreign(conn: &Connection, day: Day, mch_id: &str) -> Result<Option<String>> {
    let owed = parts::store::owed(conn, day)?;
    let moved = |own: bool| owed.iter().find(move |owed| owed.moved > 0 && (owed.mch_id == mch_id) == own);
    let later = parts::store::first_day(conn, mch_id)?.is_none_or(|first| day < first);
    let other = moved(false).filter(|_| later && moved(true).is_none());
    Ok(other.map(|owed| {
        let number = &owed.mch_id;
        format!("这一天的款是用商户号 {number} 收的，现在设置的是 {mch_id}：换回 {number}，才能取到那一天的账单")
    }))
}

/// Writes down why a number's bill has not been matched yet; a match that was made before stays.
async fn note(shop: &Shop, day: Day, mch_id: &str, state: BillState, problem: &str) -> Result<()> {
    let (mch_id, problem) = (mch_id.to_owned(), problem.to_owned());
    let write = move |tx: &Tx| {
        parts::store::put_problem(tx, day, &mch_id, state, &problem)?;
        parts::conclude(tx, day, Some(&mch_id))
    };
    shop.write(write).await
}

async fn compare(shop: &Shop, account: &Account, day: Day, bill: Bill, none: bool) -> Result<Ran> {
    let mch_id = account.mch_id().to_owned();
    let number = mch_id.clone();
    let n = shop.read(move |conn| Ok(parts::store::nth(conn, day, &number)?)).await?;
    let lines = store::Lines::of(n);
    keep_rows(shop, day, lines, &bill).await?;
    let unheard = enter_missed(shop, account, day, lines).await?;
    enter_fees(shop, day).await?;
    let mut funds = funds::fetch(shop, account, day, bill.moved).await?;
    let gone = std::mem::take(&mut funds.flow.gone);
    funds.flow.set_aside(shop.read(move |conn| Ok(store::paid_again(conn, day, &gone)?)).await?);
    let later = funds.later;
    let write = move |tx: &Tx| {
        store::put_funds(tx, day, &funds)?;
        // What is wrong with a bill as a whole is told once of each bill.
        let bill_id = if n == 0 { String::new() } else { mch_id.clone() };
        let (mine, mut found) = store::differences(tx, day, &mch_id)?
            .into_iter()
            .partition::<Vec<_>, _>(|one| one.mch_id.as_ref().is_some_and(|number| none && *number == mch_id));
        if !mine.is_empty() {
            let payments = mine.iter().filter(|one| one.difference == Difference::PaymentMissingThere).count();
            let refunds = mine.len() - payments;
            let what = format!("本店有 {payments} 笔付款、{refunds} 笔退款，微信说没有账单；会自动再取");
            found.push(store::Found::new(Difference::NoBill, bill_id.clone(), what));
        }
        found.extend(unreadable(&bill, &bill_id));
        // What is wrong with the bill is wrong in its summary and beside the fund flow too, and told once.
        if found.is_empty() {
            found.extend(summed_otherwise(&bill, &bill_id));
        }
        if found.is_empty() {
            found.extend(moved_otherwise(&funds, &bill_id));
        }
        // A refund that names no payment may be anybody's.
        let anybodys =
            |one: &store::Found| one.difference == Difference::RefundMissingHere && one.transaction_id.is_empty();
        let off = !bill.unreadable.is_empty() || bill.summary_off.is_some() || !funds.differs().is_empty();
        // What the flow will say of the bill is not known while it is being made.
        let whole = !off && !later && mine.is_empty() && !found.iter().any(anybodys);
        report_differences(tx, day, &found, &bill_id)?;
        for other in store::days_to_match_again(tx, day)? {
            jobs::enqueue(tx, Task::Bill(other), tx.now())?;
        }
        let state = if found.is_empty() { BillState::Equal } else { BillState::Differs };
        parts::store::put(tx, day, &mch_id, state, &bill.others, whole)?;
        parts::conclude(tx, day, Some(&mch_id))?;
        if whole {
            answer_holds(tx, &mch_id)?;
        }
        if whole && unheard == 0 {
            payments::clear_unread_until(tx, day.end())?;
        }
        Ok(!mine.is_empty())
    };
    let (is_late, now) = (shop.write(write).await?, shop.now());
    match unheard {
        0 if later => Ok(Ran::Again { at: now + CREATING_AGAIN }),
        // On the days after, each morning's round asks.
        0 if is_late && now < out_at(day) + DAY => Ok(Ran::Again { at: now + LATE_AGAIN }),
        0 => Ok(Ran::Done),
        n => Ok(Ran::Failed(format!("{} 有 {n} 笔款项还没能向微信查实", day.shown()))),
    }
}

/// What somebody is to look into has its answer where the bills of all days since the payment were read whole, as far as the last
/// one that names a refund of it: there is no other. A bill that comes late may be the one that was missing.
fn answer_holds(tx: &Tx, mch_id: &str) -> Result<()> {
    for awaited in store::refunds_awaited(tx, mch_id)? {
        if let Some(last) = parts::store::whole_until(tx, awaited.paid, mch_id)?.filter(|last| *last >= awaited.named) {
            learn::answered_by_bill(tx, last, awaited.entry)?;
        }
    }
    Ok(())
}

/// Rows that make no sense: what makes one of them wrong is in the others too, so a day tells it once.
fn unreadable(bill: &Bill, bill_id: &str) -> Option<store::Found> {
    let (line, raw, why) = bill.unreadable.first()?;
    let more = match bill.unreadable.len() {
        1 => String::new(),
        n => format!("（这样的共 {n} 行）"),
    };
    let what = format!("账单第 {line} 行读不懂：{why}{more}");
    Some(store::Found { theirs: raw.clone(), ..store::Found::new(Difference::Unreadable, bill_id.to_owned(), what) })
}

/// The bill's own summary says other sums than its rows.
fn summed_otherwise(bill: &Bill, bill_id: &str) -> Option<store::Found> {
    let (line, why) = bill.summary_off.as_ref()?;
    let what = format!("账单的汇总和它的明细不符：{why}");
    Some(store::Found { theirs: line.clone(), ..store::Found::new(Difference::Unreadable, bill_id.to_owned(), what) })
}

/// The fund flow moves another sum than the bill.
fn moved_otherwise(funds: &Funds, bill_id: &str) -> Option<store::Found> {
    let differs = funds.differs();
    let what = format!("{}：{}", Difference::Funds.text(), differs.join("；"));
    (!differs.is_empty()).then(|| store::Found::new(Difference::Funds, bill_id.to_owned(), what))
}

/// The bill's rows, a few at a time.
async fn keep_rows(shop: &Shop, day: Day, lines: store::Lines, bill: &Bill) -> Result<()> {
    shop.write(move |tx| Ok(store::forget_rows(tx, day, lines)?)).await?;
    for chunk in bill.rows.chunks(CHUNK) {
        let rows = chunk.to_vec();
        let write = move |tx: &Tx| rows.iter().try_for_each(|row| Ok(store::insert_row(tx, day, lines, row)?));
        shop.write(write).await?;
    }
    Ok(())
}

/// Payments and refunds that the bill has and we have not: WeChat's signed word on each is fetched and entered.
/// Answers with how many could not be asked about.
async fn enter_missed(shop: &Shop, account: &Account, day: Day, lines: store::Lines) -> Result<usize> {
    let mut unheard = 0;
    let read = move |conn: &Connection| {
        let with_attempt = |(transaction_id, attempt): (String, Option<AttemptId>)| {
            let attempt = attempt.map(|id| payments::attempt(conn, id)).transpose()?.flatten();
            Ok((transaction_id, attempt))
        };
        store::payments_missed(conn, day, lines)?.into_iter().map(with_attempt).collect::<Result<Vec<_>>>()
    };
    for (transaction_id, attempt) in shop.read(read).await? {
        // WeChat knows a payment by the app that it was made in.
        let made_in = attempt.and_then(|attempt| attempt.account(shop));
        let entered = enter_payment(shop, made_in.as_ref().unwrap_or(account), &transaction_id).await;
        unheard += usize::from(!without_the_others(entered, &transaction_id).unwrap_or(false));
    }
    let missed = shop.read(move |conn| Ok(store::refunds_missed(conn, day, lines)?)).await?;
    for of_one in missed.chunk_by(|a, b| a.entry == b.entry) {
        let (entry, numbers) = (of_one[0].entry, of_one.iter().map(|missed| missed.number.clone()));
        let learnt = learn::all_of(shop, entry, numbers.filter(|number| !number.is_empty()).collect()).await;
        unheard += usize::from(without_the_others(learnt, &entry) != Some(Ran::Done));
    }
    let left = shop.read(move |conn| Ok(store::refunds_missed(conn, day, lines)?)).await?;
    if left.is_empty() {
        return Ok(unheard);
    }
    let write = move |tx: &Tx| {
        left.iter().try_for_each(|missed| learn::billed(tx, missed.entry, &missed.refund_id, &missed.number))
    };
    shop.write(write).await?;
    Ok(unheard)
}

/// One row that cannot be entered is asked about again, and keeps no other from being matched.
fn without_the_others<T>(entered: Result<T>, what: &impl std::fmt::Display) -> Option<T> {
    entered.inspect_err(|e| log::error!("a bill's row about {what} was not entered: {}", e.message())).ok()
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
    let mut sent = Logged::sent(&exchange);
    sent.transaction_id = Some(transaction_id.to_owned());
    let (settings, trade) = (shop.settings(), exchange.result);
    let heard = trade.is_ok();
    let write = move |tx: &Tx| {
        let mut entry = sent.clone();
        if let Ok(Trade::Paid(payment)) = &trade {
            entry.out_trade_no = Some(payment.out_trade_no.clone());
            entry.amount = Some(payment.total);
            let message = message_log::next_id(tx)?;
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

/// Opens what is new, keeps what is still so, settles what is no longer so. What was said of another bill as a whole is left
/// as it is.
fn report_differences(tx: &Tx, day: Day, found: &[store::Found], bill_id: &str) -> Result<()> {
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
        let whole = [Difference::NoBill, Difference::Unreadable, Difference::Funds];
        let of_other = known
            .difference
            .is_some_and(|difference| whole.contains(&difference) && known.subject != subject(difference, bill_id));
        if !of_other && !found.iter().any(|one| subject(one.difference, &one.id) == known.subject) {
            exceptions::store::resolve(tx, known.id, MATCHED_AGAIN)?;
        }
    }
    Ok(())
}

/// After a person settled a difference the day may be equal, unless another number's bill is still to be seen.
pub fn refresh(tx: &Tx, day: Day) -> Result<()> {
    if exceptions::store::count_open_of_day(tx, day)? > 0 {
        return Ok(());
    }
    match parts::left(tx, day)?.is_empty() {
        true => Ok(store::set_equal(tx, day)?),
        false => parts::conclude(tx, day, None),
    }
}

/// How orders account for a day's payments: money inside orders, and money beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByOrders {
    /// How many, and their sum in fen.
    pub inside: (i64, i64),
    pub beside: (i64, i64),
}
