//! Refunds, sent: the number is on disk before WeChat hears it, and a lost answer is asked about before it is sent again.

use rusqlite::Connection;

use super::since::{self, Back};
use super::taken::{Taken, Unheard};
use super::{MOST_PARTS, STOPPABLE_FOR, desc, learn, move_to, note, retry};
use crate::clock::{self, MINUTE, SECOND};
use crate::db::{DbError, Tx};
use crate::error::Result;
use crate::exceptions::store as exceptions;
use crate::ids::RefundId;
use crate::jobs::{self, Ran, Task};
use crate::ledger::{Entered, store as ledger};
use crate::message_log::Logged;
use crate::money::yuan;
use crate::orders::{REFUNDABLE_FOR, Who};
use crate::payments::{check, prove, store as payments, word};
use crate::refunds::{
    CAME_BACK, FIRST_UNPROVEN, LOOKED, NEVER_CAME_IN, OTHER_MERCHANT, Origin, Refund, RefundState, store as refunds,
};
use crate::returns::store as returns;
use crate::shop::Shop;
use crate::wechat::pay::TradeOf;
use crate::wechat::refund::{REFUND, REFUND_QUERY, RefundOrder, balance_may_do};
use crate::wechat::{Account, Api, Exchange, GatewayError};

/// WeChat wants a minute between two refunds of one payment. Source: refund, API v2.
const APART: i64 = MINUTE;
/// `problem_code` when WeChat did not like our certificate.
const CERTIFICATE: &str = "CERT_ERROR";

/// `problem_code` of a refund whose money went back by another one.
const OVERDRAWN: &str = "OVERDRAWN";

/// `problem_code`s that ask for patience.
const TOO_MUCH: &str = "INVALID_REQ_TOO_MUCH";
const TOO_OFTEN: &str = "FREQUENCY_LIMITED";
/// What is not settled yet did not do: the same number goes out again, to be paid out of the balance.
const FROM_BALANCE: &str = "FROM_BALANCE";

/// What the refund is ready for.
enum Next {
    Rest(Ran),
    /// WeChat may know it: ask before anything is sent.
    Ask(Box<Refund>),
    Send(Box<Refund>, Box<RefundOrder>),
}

/// Brings a refund on by one step.
pub async fn advance(shop: &Shop, id: RefundId) -> Result<Ran> {
    let taken = match shop.read(move |conn| Taken::by_refund(conn, id)).await?.known(shop).await? {
        Ok(taken) => taken,
        Err(unheard) => return Ok(Ran::Failed(unheard.why())),
    };
    let account = match taken.account(shop) {
        Ok(account) => account,
        Err(why) => return Ok(Ran::Failed(why)),
    };
    if let Some(ran) = come_back(shop, &taken, &account, id).await? {
        return Ok(ran);
    }
    if let Some(ran) = is_perhaps_the_first(shop, &taken, id).await? {
        return Ok(ran);
    }
    if let Some(ran) = never_came_in(shop, &taken, id).await? {
        return Ok(ran);
    }
    if let Some(ran) = only_noticed(shop, id).await? {
        return Ok(ran);
    }
    let refund = match next(shop, &account, id, false).await? {
        Next::Rest(ran) => return Ok(ran),
        Next::Send(refund, order) => return send(shop, &account, &refund, &order).await,
        Next::Ask(refund) => refund,
    };
    match taken.asker(shop) {
        Err(why) => Ok(Ran::Failed(why)),
        Ok(_) if !shop.wechat.may_ask(REFUND_QUERY) => Ok(left_alone(shop.now())),
        Ok(account) => match ask(shop, &account, &refund).await? {
            Some(ran) => Ok(ran),
            // WeChat has never heard of it: the request got lost, not the answer.
            None => {
                if let Some(ran) = gave_back_forgotten(shop, &account, &refund).await? {
                    return Ok(ran);
                }
                match next(shop, &account, id, true).await? {
                    Next::Send(refund, order) => send(shop, &account, &refund, &order).await,
                    Next::Rest(ran) => Ok(ran),
                    Next::Ask(_) => Ok(Ran::Failed("微信说没有这笔退款，但之前受理过，稍后再查".into())),
                }
            }
        },
    }
}

/// What is called an order's second payment goes back once WeChat itself has told of the one that the order stands on: where only
/// somebody with the key of API v2 has, this may be the true one. Asked at once, also while it waits; whoever has looked at the first is
/// contradicted only where WeChat names this one. `None` where it may go.
async fn is_perhaps_the_first(shop: &Shop, taken: &Taken, id: RefundId) -> Result<Option<Ran>> {
    // Where another merchant number is set, nothing is sent either.
    if taken.asker(shop).is_err() {
        return Ok(None);
    }
    let agreed = |refund: &Refund| refund.state == RefundState::Approved && !refund.inside;
    let read = move |conn: &Connection| {
        let order = refunds::by_id(conn, id)?.filter(agreed).and_then(|refund| refund.order_id);
        let Some(order) = order else { return Ok(None) };
        if !exceptions::is_of_a_second(conn, id)? {
            return Ok(None);
        }
        let Some(first) = ledger::payment_of(conn, order)? else { return Ok(None) };
        let looked = exceptions::gone_back_settled_at(conn, &first.transaction_id)?.is_some()
            || exceptions::is_denial_settled(conn, &first.transaction_id)?;
        // What WeChat alone can have paid is no lie.
        let by_v2 = first.api == Some(Api::V2);
        Ok(Some((first.transaction_id, looked)).filter(|_| !looked || by_v2))
    };
    let Some((first, looked)) = shop.read(read).await? else { return Ok(None) };
    let asked = check::ask_noticed(shop, first.clone()).await?;
    let news = shop.read(move |conn| Ok(exceptions::denied_since(conn, &first)?.is_some())).await?;
    // Its answer may name this very one, and then that is stopped. A mere no has had its answer.
    match asked {
        Some(Ok(false)) if looked && !news => Ok(None),
        asked => unless_no(shop, id, asked, agreed, (FIRST_UNPROVEN, PERHAPS_THE_FIRST)).await,
    }
}

/// A payment was asked about that a notice of API v2 alone has told of, for a refund that is given up with these words where WeChat denies it
/// and it still `stands`. `None` where it may go.
async fn unless_no(
    shop: &Shop,
    id: RefundId,
    asked: Option<std::result::Result<bool, String>>,
    stands: impl Fn(&Refund) -> bool + Send + 'static,
    (code, words): (&'static str, &'static str),
) -> Result<Option<Ran>> {
    match asked {
        None | Some(Ok(true)) => Ok(None),
        Some(Err(why)) => Ok(Some(Ran::Failed(why))),
        Some(Ok(false)) => {
            let write = move |tx: &Tx| {
                if let Some(refund) = refunds::by_id(tx, id)?.filter(&stands) {
                    give_up(tx, &refund, code, words)?;
                }
                Ok(Some(Ran::Done))
            };
            shop.write_always(write).await
        }
    }
}

/// What is said of it.
const PERHAPS_THE_FIRST: &str = "订单账上记的付款只有 API v2 的通知说过，微信说没有收到过，或收到的金额不同：这一笔也许才是买家真付的，所以没有退。请到商户平台核对两笔：只收到这一笔的，停止退款；两笔都收到的，先把资金异常里账上那一笔标记为已处理，再重试这一笔。微信过后说账上那一笔付过了的，这一笔会自己接着退。";

/// Money of which only somebody with the key of API v2 has told goes back of a shop by API v3 once WeChat has told of it, and of
/// any shop where WeChat has said no: whatever agreed to that did so before, however often it was tried then. What would go back by
/// itself of a shop by v2 stays where WeChat has it for something else. `None` where it may go.
async fn never_came_in(shop: &Shop, taken: &Taken, id: RefundId) -> Result<Option<Ran>> {
    // Where another merchant number is set, nothing is sent either.
    if taken.asker(shop).is_err() {
        return Ok(None);
    }
    let waits = |refund: &Refund, now: i64| may_go_out(refund) && refund.not_before <= now;
    let (now, asks_first) = (shop.now(), shop.settings().api().asks_first());
    let read = move |conn: &Connection| {
        let refund = refunds::by_id(conn, id)?.filter(|refund| waits(refund, now));
        let Some((refund, transaction_id)) = refund.and_then(|refund| Some((refund.clone(), refund.transaction_id?)))
        else {
            return Ok(None);
        };
        if !ledger::is_told_alone(conn, &transaction_id)? {
            return Ok(None);
        }
        // Elsewhere nothing but another word of WeChat's stops what goes back by itself.
        let must = asks_first || exceptions::denied(conn, &transaction_id)?.is_some();
        let asked = must || refund.origin == Origin::Automatic;
        let entered = ledger::payment(conn, &transaction_id)?.filter(|_| asked);
        Ok(entered.map(|entered| (transaction_id, entered.name(), must)))
    };
    let Some((transaction_id, told_by, must)) = shop.read(read).await? else { return Ok(None) };
    let account = match word::asker(shop, told_by) {
        Ok(account) => account,
        Err(why) => return Ok(must.then_some(Ran::Failed(why))),
    };
    let exchange = shop.wechat.order_query(&account, TradeOf::Transaction(&transaction_id), &shop.nonces).await;
    let mch_id = account.mch_id().to_owned();
    let (entry, heard) = word::logged(&exchange, &transaction_id, &mch_id);
    let heard = match heard {
        Ok(heard) => heard,
        Err(e) => {
            shop.write_always(move |tx| Ok(entry.record(tx).map(drop)?)).await?;
            return Ok(must.then(|| Ran::Failed(e.to_string())));
        }
    };
    let write = move |tx: &Tx| {
        word::record(tx, &entry, &heard)?;
        if !must && word::may_turn(&heard) {
            return Ok(None);
        }
        match word::contradicts(tx, id, &heard)? {
            Some(other) => exceptions::answer_unproven(tx, &transaction_id, &other)?,
            None => {
                word::keep(tx, &transaction_id, &heard, &mch_id)?;
                if !ledger::is_told_alone(tx, &transaction_id)? {
                    return Ok(None);
                }
            }
        }
        if let Some(refund) = refunds::by_id(tx, id)?.filter(|refund| waits(refund, tx.now())) {
            let goes_on = word::may_turn(&heard) && prove::go_on(tx, &refund)?;
            give_up(tx, &refund, NEVER_CAME_IN, if goes_on { UNPROVEN_YET } else { UNPROVEN })?;
        }
        Ok(Some(Ran::Done))
    };
    shop.write_always(write).await
}

/// The same of money that an attempt of ours waited for, and that a notice of API v2 alone has told of: what goes back by itself of a shop by
/// v2 is asked about, and waits for no answer. `None` where it may go.
async fn only_noticed(shop: &Shop, id: RefundId) -> Result<Option<Ran>> {
    let now = shop.now();
    let waits = move |refund: &Refund| may_go_out(refund) && refund.not_before <= now;
    let Some(refund) = shop.read(move |conn| Ok(refunds::by_id(conn, id)?.filter(waits))).await? else {
        return Ok(None);
    };
    let Some(transaction_id) = refund.transaction_id else { return Ok(None) };
    let asked = match check::ask_noticed(shop, transaction_id.clone()).await? {
        None if refund.origin == Origin::Automatic => {
            check::ask_told(shop, transaction_id, true).await?.filter(|asked| asked.is_ok())
        }
        asked => asked,
    };
    unless_no(shop, id, asked, may_go_out, (NEVER_CAME_IN, UNPROVEN)).await
}

/// What is said of a refund of money that WeChat does not know as what was told.
const UNPROVEN: &str = "这笔款只有 API v2 的密钥签过名，微信说没有收到过，或是别的商户号、AppID、商户订单号收的，或收到的金额不同，所以没有退。请到商户平台按微信交易号核对：不是本店收的，停止这一笔，再换掉 APIv2 密钥。";
/// The same while WeChat's yes is awaited, which brings it on.
const UNPROVEN_YET: &str = "微信说没有收到过这笔款，所以没有退。微信的查单可能晚几分钟：系统会再查，微信说付过了，这一笔会自己接着退，不用再建一笔退款。等不及的，到商户平台按微信交易号核对：不是本店收的，停止这一笔，再换掉 APIv2 密钥。";

/// After going back to a backup, before a refund goes out for the first time since, however often it was tried before:
/// WeChat may have given the same back under a number that is forgotten here. Likewise before one goes out again that WeChat
/// had refused: somebody may have done the same in its console meanwhile. It is asked whether anything went back, and for
/// what; where something did that nobody here knew of, a person compares the two. `None` where it may go.
async fn gave_back_forgotten(shop: &Shop, account: &Account, refund: &Refund) -> Result<Option<Ran>> {
    let Some(transaction_id) = refund.transaction_id.clone().filter(|_| may_go_out(refund)) else { return Ok(None) };
    let (order, asked) = (refund.order_id, refund.clone());
    let again = refund.state == RefundState::Approved && refund.tries > 0;
    let named = transaction_id.clone();
    let read = move |conn: &Connection| {
        // What was sent since has been asked about before.
        let sent_since = asked.sent_at > payments::restored_at(conn)?;
        let restored = !sent_since && may_be_forgotten(conn, &named)?;
        let in_its_place = told_of_since(conn, &asked)?;
        let doubt = !was_looked_at(conn, &asked)? && (restored || again || in_its_place);
        let entered = ledger::payment(conn, &named)?.filter(|_| doubt);
        Ok((entered, refunds::others(conn, &asked)?, restored, in_its_place))
    };
    let (Some(entered), others, restored, in_its_place) = shop.read(read).await? else { return Ok(None) };
    let found = match since::ask(shop, account, &entered, order, Some(refund.id)).await? {
        Err(why) => return Ok(Some(Ran::Failed(why))),
        Ok(Back::AsKnown) if !in_its_place => return Ok(None),
        Ok(found) => found,
    };
    let id = refund.id;
    let ours = others.iter().any(Refund::may_be_taken_on);
    // Nothing was forgotten, so what is known explains it.
    if !restored && !in_its_place && ours && found == Back::Perhaps {
        return Ok(None);
    }
    let words = match restored {
        true if ours && found == Back::Perhaps => PERHAPS_FORGOTTEN.to_owned(),
        true => FORGOTTEN.to_owned(),
        false => to_compare(GONE_BACK),
    };
    let write = move |tx: &Tx| {
        let Some(refund) = refunds::by_id(tx, id)? else { return Ok(Some(Ran::Done)) };
        if !may_go_out(&refund) {
            return Ok(Some(rest(&refund, tx.now())));
        }
        give_up(tx, &refund, LOOKED, &format!("{words}{}", known_to_be_back(tx, &refund)?))?;
        Ok(Some(Ran::Done))
    };
    shop.write(write).await
}

/// What whoever looks has to compare with.
fn known_to_be_back(tx: &Tx, refund: &Refund) -> Result<String> {
    let others = refunds::others(tx, refund)?;
    let back = others.iter().filter(|other| other.state == RefundState::Succeeded);
    let sum = back.map(|other| other.amount.get()).sum::<i64>();
    Ok(if sum > 0 { format!("（这笔款本店已记着退过 ¥{}。）", yuan(sum)) } else { String::new() })
}

/// Of the same payment WeChat has told of a refund that was not made here, after this one was refused, or asked for: it
/// may have been made in its place.
fn told_of_since(conn: &Connection, refund: &Refund) -> Result<bool> {
    Ok(!told_meanwhile(conn, refund)?.is_empty())
}

/// What whoever is about to give it back in another way has to compare it with, in words, unless he has looked since.
pub fn gone_meanwhile(conn: &Connection, refund: &Refund, looked: Option<i64>) -> Result<Option<String>> {
    if let Some(at) = looked
        && last_told(conn, refund)?.is_none_or(|told| told <= at)
    {
        return Ok(None);
    }
    let others = told_meanwhile(conn, refund)?;
    let taken = others.iter().filter(|other| other.state.takes_money());
    let told = refund.transaction_id.as_deref().map(|id| learn::unseen(conn, id)).transpose()?.flatten();
    Ok(match taken.map(|other| other.amount.get()).sum() {
        0 if refund.problem_code == LOOKED => Some(told.unwrap_or_else(|| "有消息说这笔款退过".to_owned())),
        0 => told,
        sum => Some(format!("这之后有人在微信商户平台退过 ¥{}", yuan(sum))),
    })
}

fn told_meanwhile(conn: &Connection, refund: &Refund) -> Result<Vec<Refund>> {
    // Goods that come back were to be paid for long before they are.
    let asked_at = returns::asked_at(conn, refund.id)?;
    let later = |other: &Refund| match (refund.state, refund.sent_at, asked_at) {
        // What was told in the moment in which it went out was there before.
        (RefundState::Processing, Some(sent), _) => other.was_told_since(sent + 1),
        (_, Some(at), _) | (_, None, Some(at)) => other.was_told_since(at),
        (_, None, None) => other.origin == Origin::Console && other.id > refund.id,
    };
    let mut others = refunds::others(conn, refund)?;
    others.retain(later);
    Ok(others)
}

/// Agreed to, and not taken on by WeChat.
fn may_go_out(refund: &Refund) -> bool {
    matches!(refund.state, RefundState::Approved | RefundState::Processing) && refund.refund_id.is_none()
}

/// What is said of it.
const FORGOTTEN: &str = "恢复备份之后，微信那边这笔款已有本店不记得的退款，也许就是这一笔。请核对买家收到过的退款（查得到的已登记在订单里）：还要退的点重试，不用再退的停止这一笔。";
/// The same where it may be no more than what is known.
const PERHAPS_FORGOTTEN: &str = "恢复备份之后，微信说这笔款有过退款，但不说有哪几笔：除了本店记得的，也许还有不记得的，也许就是这一笔。请到微信商户平台核对这笔款的退款：还要退的点重试，不用再退的停止这一笔。";

/// One that was given up because its payment came in under another merchant number goes on by itself when that is back, with
/// all others of the payment, unless WeChat has given something back meanwhile: in its console somebody may have done what
/// waits here. `None` for any other refund.
async fn come_back(shop: &Shop, taken: &Taken, account: &Account, id: RefundId) -> Result<Option<Ran>> {
    let waits = |refund: &Refund| refund.state == RefundState::Failed && refund.problem_code == OTHER_MERCHANT;
    let read = move |conn: &Connection| {
        let refund = refunds::by_id(conn, id)?.filter(waits);
        let transaction_id = refund.as_ref().and_then(|refund| refund.transaction_id.as_deref());
        let entered = transaction_id.map(|id| ledger::payment(conn, id)).transpose()?.flatten();
        Ok(refund.zip(entered))
    };
    let Some((refund, entered)) = shop.read(read).await? else { return Ok(None) };
    let transaction_id = entered.transaction_id.clone();
    if taken.asker(shop).is_err() {
        return Ok(Some(Ran::Done));
    }
    let untouched = match since::ask(shop, account, &entered, refund.order_id, Some(id)).await? {
        Ok(back) => back == Back::AsKnown,
        Err(why) => return Ok(Some(Ran::Failed(why))),
    };
    let write = move |tx: &Tx| {
        for refund in refunds::of_transaction(tx, &transaction_id)?.iter().filter(|refund| waits(refund)) {
            let words = match untouched {
                true => match retry(tx, refund.id, &Who::system()) {
                    Ok(()) => continue,
                    Err(e) => e.message(),
                },
                false => "商户号已经换回来了，可是微信说这笔款有过退款，也许有人在商户平台退了：请到商户平台核对，没有退过的点重试，退过的登记。".to_owned(),
            };
            refunds::set_not_before(tx, refund.id, tx.now())?;
            refunds::set_problem(tx, refund.id, CAME_BACK, &words)?;
        }
        Ok(Some(Ran::Done))
    };
    shop.write_always(write).await
}

/// An interface that keeps timing out is tried with one call now and then.
fn left_alone(now: i64) -> Ran {
    Ran::Again { at: now + 10 * SECOND }
}

/// Decides in one transaction; a refund that is to be sent is marked so before WeChat hears of it.
async fn next(shop: &Shop, account: &Account, id: RefundId, unknown_there: bool) -> Result<Next> {
    let (settings, account, here) = (shop.settings(), account.clone(), shop.clone());
    let write = move |tx: &Tx| {
        let Some(refund) = refunds::by_id(tx, id)? else { return Ok(Next::Rest(Ran::Done)) };
        match refund.state {
            // One that must wait longer than any was told so by a clock that ran ahead.
            RefundState::Approved if (tx.now() + 1..=tx.now() + STOPPABLE_FOR).contains(&refund.not_before) => {
                return Ok(Next::Rest(Ran::Again { at: refund.not_before }));
            }
            RefundState::Approved | RefundState::Processing => {}
            // Nothing more is sent, but WeChat may know better.
            RefundState::Failed | RefundState::Abnormal | RefundState::Cancelled
                if refund.may_be_known_there() && !unknown_there =>
            {
                return Ok(Next::Ask(Box::new(refund)));
            }
            _ => return Ok(Next::Rest(Ran::Done)),
        }
        if refund.accepted_at.is_some() || refund.origin == Origin::Console || (refund.tries > 0 && !unknown_there) {
            return Ok(Next::Ask(Box::new(refund)));
        }
        let Some(transaction_id) = refund.transaction_id.clone() else { return Ok(Next::Rest(Ran::Done)) };
        if !unknown_there && may_be_forgotten(tx, &transaction_id)? {
            return Ok(Next::Ask(Box::new(refund)));
        }
        if let Some((code, why)) = hopeless(tx, &refund, &account, &transaction_id)? {
            give_up(tx, &refund, code, &why)?;
            return Ok(Next::Rest(Ran::Done));
        }
        if !unknown_there && told_of_since(tx, &refund)? {
            return Ok(Next::Ask(Box::new(refund)));
        }
        if let Some(told) = gone_back_unseen(tx, &refund, &transaction_id)? {
            give_up(tx, &refund, LOOKED, &to_compare(&told))?;
            return Ok(Next::Rest(Ran::Done));
        }
        if exceptions::denied_since(tx, &transaction_id)?.is_some() {
            give_up(tx, &refund, NEVER_CAME_IN, UNPROVEN)?;
            return Ok(Next::Rest(Ran::Done));
        }
        // One that WeChat never heard of may be sent again at once; one that came too often may not.
        let own =
            refund.sent_at.filter(|_| matches!(refund.problem_code.as_str(), TOO_MUCH | TOO_OFTEN | FROM_BALANCE));
        let last = refunds::last_other_sent(tx, &transaction_id, id)?.max(own);
        if let Some(at) = last.filter(|sent| *sent <= tx.now()).map(|sent| sent + APART).filter(|at| *at > tx.now()) {
            return Ok(Next::Rest(Ran::Again { at }));
        }
        if !here.wechat.may_ask(REFUND) {
            return Ok(Next::Rest(left_alone(tx.now())));
        }
        let order = match &refund.params {
            Some(params) => serde_json::from_str(params).map_err(|_| UNREADABLE)?,
            None => RefundOrder {
                api: account.api(),
                transaction_id,
                out_refund_no: refund.out_refund_no.to_string(),
                total_fee: refund.payment.get(),
                refund_fee: refund.amount.get(),
                refund_desc: desc(&refund),
                notify_url: settings.refund_notify_url(account.api()),
                from_balance: false,
            },
        };
        let params = serde_json::to_string(&order).map_err(|_| UNREADABLE)?;
        if refund.state == RefundState::Approved {
            move_to(tx, &refund, RefundState::Processing)?;
        }
        refunds::set_sent(tx, id, &params)?;
        Ok(Next::Send(Box::new(refund), Box::new(order)))
    };
    shop.write(write).await
}

/// The shop went back to a backup after this payment: WeChat may know refunds of it, and numbers, that are forgotten here.
fn may_be_forgotten(tx: &Connection, transaction_id: &str) -> Result<bool> {
    let Some(restored_at) = payments::restored_at(tx)? else { return Ok(false) };
    // By either clock: ours may be slow, and what was paid before and heard of later was not in the backup.
    let before = |paid: Entered| paid.paid_at.min(paid.entered_at) <= restored_at;
    Ok(ledger::payment(tx, transaction_id)?.is_none_or(before))
}

/// Money of the payment is said to have gone back, and nobody has looked how much: it may be what goes out now. What was told.
fn gone_back_unseen(tx: &Tx, refund: &Refund, transaction_id: &str) -> Result<Option<String>> {
    let told_at = learn::unseen_since(tx, transaction_id)?;
    // What was sent since then was looked at.
    let unseen = told_at.is_some_and(|told_at| refund.sent_at.is_none_or(|sent| sent < told_at));
    if !unseen || was_looked_at(tx, refund)? {
        return Ok(None);
    }
    learn::unseen(tx, transaction_id)
}

/// Somebody has looked what went back before this one, since the shop last went back to a backup and since WeChat last told
/// of anything: until when it was held for that stands with it.
fn was_looked_at(conn: &Connection, refund: &Refund) -> Result<bool> {
    if refund.problem_code != LOOKED {
        return Ok(false);
    }
    let since = payments::restored_at(conn)?.is_none_or(|restored_at| refund.not_before >= restored_at);
    Ok(since && last_told(conn, refund)?.is_none_or(|told_at| told_at <= refund.not_before))
}

/// Whoever agreed has looked what went back of the payment until this moment: it goes out all the same.
pub fn looked_at(tx: &Tx, id: RefundId, at: i64, who: &Who) -> Result<()> {
    let Some(refund) = refunds::by_id(tx, id)?.filter(|refund| refund.state == RefundState::Approved) else {
        return Ok(());
    };
    let told = refund.transaction_id.as_deref().map(|of| learn::unseen_since(tx, of)).transpose()?.flatten();
    if told.is_none() {
        return Ok(());
    }
    refunds::set_problem(tx, id, LOOKED, "")?;
    refunds::set_not_before(tx, id, at.min(tx.now()))?;
    note(tx, &refund, who, &format!("在商户平台核对过这笔付款的退款，{} 仍要退", refund.out_refund_no))
}

/// When WeChat last told of other money of its payment that went back by hand.
fn last_told(conn: &Connection, refund: &Refund) -> Result<Option<i64>> {
    let Some(transaction_id) = &refund.transaction_id else { return Ok(None) };
    let known = refunds::others(conn, refund)?.into_iter().filter(|other| other.origin == Origin::Console);
    Ok(known.map(|other| other.created_at).max().max(learn::unseen_since(conn, transaction_id)?))
}

/// WeChat itself says so.
const GONE_BACK: &str = "微信说这笔付款已有退款，退了多少";

/// What was told, and what whoever is asked about it has to do.
fn to_compare(told: &str) -> String {
    format!(
        "{told}，还没有人核对过，也许就是这一笔。请到微信商户平台核对这笔款的退款：还要退的点重试，不用再退的停止这一笔。"
    )
}

const UNREADABLE: DbError = DbError::Broken("a refund's parameters cannot be read or written");

/// What can be known without asking WeChat.
fn hopeless(
    tx: &Tx,
    refund: &Refund,
    account: &Account,
    transaction_id: &str,
) -> Result<Option<(&'static str, String)>> {
    let entered = ledger::payment(tx, transaction_id)?;
    let other = entered.as_ref().and_then(|e| e.mch_id.clone()).filter(|mch_id| *mch_id != account.mch_id());
    if let Some(mch_id) = other {
        let why = format!(
            "这笔款是用商户号 {mch_id} 收的，现在设置的是 {}：换回 {mch_id} 后系统会自己接着退。",
            account.mch_id()
        );
        return Ok(Some((OTHER_MERCHANT, why)));
    }
    if entered.is_some_and(|e| tx.now() - e.paid_at >= REFUNDABLE_FOR) {
        return Ok(Some(("TRADE_OVERDUE", person("TRADE_OVERDUE", ""))));
    }
    let others = refunds::others(tx, refund)?;
    let taken = others.iter().filter(|other| other.state.takes_money()).map(|other| other.amount.get()).sum::<i64>();
    if taken + refund.amount.get() > refund.payment.get() {
        let why = "这笔付款剩下的钱不够退了：有人在微信商户平台退过。请停止这一笔，需要时按余额新建退款。";
        return Ok(Some((OVERDRAWN, why.to_owned())));
    }
    if others.iter().filter(|other| other.sent_at.is_some()).count() >= MOST_PARTS {
        let why = format!("微信一笔付款最多分 {MOST_PARTS} 次退，请用其他方式退给买家后登记。");
        return Ok(Some(("TOO_MANY_PARTS", why)));
    }
    // It was sent once, WeChat broke the connection off for our certificate, and knows nothing of it.
    if refund.problem_code == CERTIFICATE {
        return Ok(Some((CERTIFICATE, person(CERTIFICATE, &refund.problem))));
    }
    Ok(None)
}

fn give_up(tx: &Tx, refund: &Refund, code: &str, why: &str) -> Result<()> {
    if code == LOOKED {
        refunds::set_not_before(tx, refund.id, tx.now())?;
    }
    let yes_is_awaited = |of: &String| exceptions::is_yes_awaited(tx, of);
    let awaited =
        code == NEVER_CAME_IN && refund.transaction_id.as_ref().map(yes_is_awaited).transpose()? == Some(true);
    let why = if awaited { UNPROVEN_YET } else { why };
    move_to(tx, refund, RefundState::Failed)?;
    refunds::set_problem(tx, refund.id, code, why)?;
    log::error!("refund {} failed: {code}", refund.out_refund_no);
    note(tx, refund, &Who::system(), &format!("退款 {} 没有成功：{why}", refund.out_refund_no))
}

fn logged<T>(exchange: &Exchange<T>, refund: &Refund) -> Logged {
    let mut entry = Logged::sent(exchange);
    entry.order_id = refund.order_id;
    entry.transaction_id = refund.transaction_id.clone();
    entry.out_refund_no = Some(refund.out_refund_no.to_string());
    entry.amount = Some(refund.amount);
    entry
}

async fn send(shop: &Shop, account: &Account, refund: &Refund, order: &RefundOrder) -> Result<Ran> {
    let settings = shop.settings();
    let exchange = match settings.identity().transpose() {
        Err(why) if account.api().needs_certificate() => {
            Exchange::unsent("refund", GatewayError::Refused { code: CERTIFICATE.into(), text: why.to_owned() })
        }
        identity => shop.wechat.refund(account, identity.unwrap_or_default(), order, &shop.nonces).await,
    };
    let sent = logged(&exchange, refund);
    let refund = Refund { state: RefundState::Processing, ..refund.clone() };
    let balance = RefundOrder { from_balance: true, ..order.clone() };
    let tried_balance = order.from_balance;
    let write = move |tx: &Tx| {
        let mut entry = sent.clone();
        let outcome = match &exchange.result {
            Ok(refund_id) => {
                entry.reason = "微信已受理，等待到账".into();
                refunds::set_accepted(tx, refund.id, refund_id, tx.now())?;
                note(tx, &refund, &Who::wechat(), &format!("微信已受理退款 {}，等待到账", refund.out_refund_no))?;
                Ran::Again { at: learn::next_look(tx.now(), tx.now()).unwrap_or(tx.now()) }
            }
            // Refused, so nothing was made under this number: it is asked for once more, out of the balance.
            Err(GatewayError::Refused { code, text }) if !tried_balance && balance_may_do(code.as_str(), text) => {
                let params = serde_json::to_string(&balance).map_err(|_| UNREADABLE)?;
                refunds::set_params(tx, refund.id, &params)?;
                refunds::set_problem(
                    tx,
                    refund.id,
                    FROM_BALANCE,
                    "未结算资金不够退，一分钟后改用商户余额退款，单号不变。",
                )?;
                Ran::Again { at: tx.now() + APART }
            }
            Err(GatewayError::Refused { code, text }) => match meaning(code.as_str(), text) {
                RefundRefusal::Later(words) => {
                    refunds::set_problem(tx, refund.id, code.as_str(), &words)?;
                    Ran::Failed(words)
                }
                RefundRefusal::Person(words) => {
                    // A notice may have overtaken the answer: what WeChat has paid out stands.
                    if refunds::by_id(tx, refund.id)?.is_some_and(|now| now.state == refund.state) {
                        give_up(tx, &refund, code.as_str(), &words)?;
                    }
                    Ran::Done
                }
            },
            Err(GatewayError::Certificate(alert)) => {
                refunds::set_problem(tx, refund.id, CERTIFICATE, alert)?;
                Ran::Again { at: tx.now() }
            }
            // Whether it arrived is unknown: the next step asks first.
            Err(e) => {
                let words = format!("{e}。系统会先向微信查询，没有受理才会用同一个单号重发。");
                refunds::set_problem(tx, refund.id, "", &words)?;
                Ran::Failed(e.to_string())
            }
        };
        entry.record(tx)?;
        Ok(outcome)
    };
    shop.write_always(write).await
}

/// Asks once more before money goes back in another way; answers why WeChat could not be heard about what it may know. Of
/// a payment that cannot be asked about it may know anything: a refund made in its own console, too.
pub async fn unheard(shop: &Shop, id: RefundId) -> Result<Option<Unheard>> {
    let (refund, taken) = shop.read(move |conn| Ok((refunds::by_id(conn, id)?, Taken::by_refund(conn, id)?))).await?;
    let Some(refund) = refund.filter(|refund| refund.transaction_id.is_some()) else { return Ok(None) };
    let account = match taken.known(shop).await? {
        Ok(taken) => taken.asker(shop).map_err(Unheard::NotAsked),
        Err(unheard) => Err(unheard),
    };
    match account {
        Err(unheard) => Ok(Some(unheard)),
        Ok(account) if refund.may_be_known_there() => match ask(shop, &account, &refund).await? {
            Some(Ran::Failed(why)) => Ok(Some(Unheard::NoAnswer(why))),
            Some(_) => Ok(None),
            None => went_back_otherwise(shop, &account, &refund).await,
        },
        Ok(account) => went_back_otherwise(shop, &account, &refund).await,
    }
}

/// The same may have been done under another number: by hand, where WeChat had refused it, or before the shop went back to a
/// backup. What WeChat lists is entered, and shown on the refund's page.
async fn went_back_otherwise(shop: &Shop, account: &Account, refund: &Refund) -> Result<Option<Unheard>> {
    let Some(transaction_id) = refund.transaction_id.clone() else { return Ok(None) };
    let asked = refund.clone();
    let read = move |conn: &Connection| {
        let restored = may_be_forgotten(conn, &transaction_id)?;
        let entered = ledger::payment(conn, &transaction_id)?.filter(|_| restored || asked.tries > 0);
        Ok((entered, refunds::others(conn, &asked)?, restored))
    };
    let (Some(entered), others, restored) = shop.read(read).await? else { return Ok(None) };
    let ours = others.iter().any(Refund::may_be_taken_on);
    Ok(match since::ask(shop, account, &entered, refund.order_id, Some(refund.id)).await? {
        Err(why) => Some(Unheard::NoAnswer(why)),
        Ok(Back::AsKnown) => None,
        Ok(Back::Perhaps) if ours && !restored => None,
        Ok(Back::Perhaps) => {
            let id = refund.id;
            let write = move |tx: &Tx| {
                refunds::set_not_before(tx, id, tx.now())?;
                Ok(refunds::set_problem(tx, id, LOOKED, &to_compare(GONE_BACK))?)
            };
            shop.write(write).await?;
            Some(Unheard::Perhaps)
        }
        Ok(Back::Forgotten) => {
            Some(Unheard::NoAnswer("微信那边这笔款有本店不记得的退款，刚刚登记了，请先核对是不是这一笔".to_owned()))
        }
    })
}

/// Why WeChat cannot be asked about a refund with what is set today, as far as that is known without asking it.
pub fn unasked(shop: &Shop, conn: &Connection, id: RefundId) -> Result<Option<String>> {
    let (taken, failing) = (Taken::by_refund(conn, id)?, jobs::store::failing(conn, Task::Refund(id))?);
    Ok(taken.asker(shop).err().or(failing.filter(|_| taken.is_unknown())))
}

/// Asks what became of it. `None` when WeChat knows no such refund.
async fn ask(shop: &Shop, account: &Account, refund: &Refund) -> Result<Option<Ran>> {
    let number = refund.asked_as.as_deref().unwrap_or(refund.out_refund_no.as_str());
    let refund_id = refund.refund_id.as_deref();
    let exchange = shop.wechat.refund_query(account, number, refund_id, &shop.nonces).await;
    let sent = logged(&exchange, refund);
    let refund = refund.clone();
    let write = move |tx: &Tx| {
        let mut entry = sent.clone();
        let ran = match &exchange.result {
            Ok(found) => match found {
                None => {
                    let code = exchange.own_code().unwrap_or_else(|| "REFUNDNOTEXIST".into());
                    entry.reason = format!("{code} 微信没有这笔退款");
                    None
                }
                Some(fact) => {
                    entry.reason = format!("{:?}", fact.status).to_uppercase();
                    let accepted_at = refund.sent_at.filter(|_| refund.accepted_at.is_none());
                    learn::learn(tx, fact, accepted_at)?;
                    Some(rest(refunds::by_id(tx, refund.id)?.as_ref().unwrap_or(&refund), tx.now()))
                }
            },
            Err(e) => Some(Ran::Failed(e.to_string())),
        };
        entry.record(tx)?;
        Ok(ran)
    };
    shop.write_always(write).await
}

/// What is left to do after an answer.
fn rest(refund: &Refund, now: i64) -> Ran {
    let followed = match refund.state {
        // WeChat knew its number as another's, so it has a new one.
        RefundState::Approved => return Ran::Again { at: now },
        RefundState::Processing => true,
        // Sent back by the bank: staff may mend it in WeChat's own console.
        RefundState::Abnormal => true,
        // Stopped here, and yet taken on there.
        RefundState::Cancelled => refund.accepted_at.is_some(),
        _ => false,
    };
    if !followed {
        return Ran::Done;
    }
    match learn::next_look(refund.accepted_at.unwrap_or(now), now) {
        Some(at) => Ran::Again { at },
        None if refund.state != RefundState::Processing => Ran::Done,
        None => Ran::Stuck(format!("退款 {}没有结果，请到微信商户平台核对", clock::span(learn::FOLLOWED_FOR))),
    }
}

/// What a refusal means for the refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundRefusal {
    /// Sent again by itself, under the same number.
    Later(String),
    /// Only a person can mend the cause; then the same number is sent again.
    Person(String),
}

/// Every err_code of the refund: what happens next, in words for the staff. Source: refund, API v2.
pub fn meaning(code: &str, text: &str) -> RefundRefusal {
    match code {
        "SYSTEMERROR" | "BIZERR_NEED_RETRY" => {
            RefundRefusal::Later("微信支付系统繁忙，系统会用同一个单号自动重试。".into())
        }
        TOO_MUCH => RefundRefusal::Later("微信认为错误请求太多，系统会放慢并自动重试。".into()),
        TOO_OFTEN => RefundRefusal::Later("退款太频繁，微信没有受理，系统会放慢并自动重试。".into()),
        _ => RefundRefusal::Person(person(code, text)),
    }
}

fn person(code: &str, text: &str) -> String {
    let words = match code {
        // Under several codes, and always in these words.
        _ if text.contains("已全额退款") => "微信说这笔款已经全部退给买家了。请到商户平台核对，再停止这一笔。",
        "NOTENOUGH" => "商户可退余额不足。请先在微信商户平台充值，再点重试；退款单号不变，不会重复退。",
        CERTIFICATE => {
            "退款证书缺失、过期或不是这个商户的。请在设置页上传 apiclient_cert.pem 和 apiclient_key.pem，再点重试。"
        }
        "TRADE_OVERDUE" => "付款已超过一年，微信不再受理退款。请用其他方式退给买家后登记。",
        "USER_ACCOUNT_ABNORMAL" => "买家的微信支付账户已注销或异常，不能原路退回。请用其他方式退给买家后登记。",
        "INVALID_TRANSACTIONID" | "ORDERNOTEXIST" | "REFUNDNOTEXIST" => {
            "微信查不到这笔付款。请核对商户号是否换过，再点重试。"
        }
        "PARAM_ERROR" => {
            "退款参数没有被微信接受。请先到商户平台核对这笔款有没有退过；没有退过的，把交易流水里的原文发给技术支持。"
        }
        "APPID_NOT_EXIST" | "MCHID_NOT_EXIST" => "AppID 或商户号不正确。请在设置页核对后点重试。",
        "SIGNERROR" => "签名不正确。请在设置页核对微信支付的密钥（收款时用的接口的那一套）后点重试。",
        "XML_FORMAT_ERROR" | "REQUIRE_POST_METHOD" => "退款请求没有被微信接受。请把交易流水里的原文发给技术支持。",
        "REQUEST_BLOCKED" => "微信拦截了这笔退款。请按微信的说明处理后点重试。",
        _ => "微信没有受理这笔退款。请按微信的说明处理后点重试。",
    };
    match text {
        "" => words.to_owned(),
        text => format!("{words}（微信：{text}）"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_refusal_says_what_happens_next() {
        for code in ["SYSTEMERROR", "BIZERR_NEED_RETRY", "INVALID_REQ_TOO_MUCH", "FREQUENCY_LIMITED"] {
            assert!(matches!(meaning(code, ""), RefundRefusal::Later(words) if words.contains("自动重试")), "{code}");
        }
        let mut said = std::collections::BTreeSet::new();
        for (code, next_step) in [
            ("TRADE_OVERDUE", "其他方式"),
            ("ERROR", "微信的说明"),
            ("USER_ACCOUNT_ABNORMAL", "其他方式"),
            ("NOTENOUGH", "充值"),
            ("INVALID_TRANSACTIONID", "商户号"),
            ("PARAM_ERROR", "技术支持"),
            ("ORDERNOTEXIST", "商户号"),
            ("REFUNDNOTEXIST", "商户号"),
            ("CERT_ERROR", "apiclient_cert.pem"),
            ("REQUEST_BLOCKED", "拦截"),
            ("APPID_NOT_EXIST", "设置页"),
            ("MCHID_NOT_EXIST", "设置页"),
            ("SIGNERROR", "密钥"),
            ("XML_FORMAT_ERROR", "技术支持"),
            ("REQUIRE_POST_METHOD", "技术支持"),
            ("SOMETHING_NEW", "微信的说明"),
        ] {
            let RefundRefusal::Person(words) = meaning(code, "原话") else { panic!("{code}") };
            assert!(words.contains(next_step) && words.contains("（微信：原话）"), "{code}: {words}");
            said.insert(words);
        }
        let RefundRefusal::Person(words) = meaning("PARAM_ERROR", "订单已全额退款") else { panic!() };
        assert!(words.contains("停止这一笔"), "{words}");
        assert!(said.len() >= 10);
    }
}
