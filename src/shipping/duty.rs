//! The duty to tell WeChat how goods left: what WeChat last said about it, and the money that waits for it.

use rusqlite::{Connection, Result};

use super::store;
use crate::clock::{self, DAY};
use crate::db::Tx;
use crate::money::yuan;
use crate::wechat::push::Duty;

/// A reminder comes every day until it is heeded.
const REMINDED: i64 = 2 * DAY;
/// How long a restraint is shown that nobody has lifted.
const RESTRAINED: i64 = 30 * DAY;

/// WeChat reminds or restrains us.
pub fn note(tx: &Tx, duty: Duty) -> Result<()> {
    store::put_duty(tx, duty.word())
}

/// WeChat was asked whether it wants to be told at all.
pub fn note_wanted(tx: &Tx, wanted: bool) -> Result<()> {
    store::forget_duty(tx, if wanted { "unwanted" } else { "wanted" })?;
    store::put_duty(tx, if wanted { "wanted" } else { "unwanted" })
}

/// What it answered last.
pub fn wanted(conn: &Connection) -> Result<Option<bool>> {
    let said = |word| store::duty(conn, word).map(|at| at.is_some());
    Ok(if said("wanted")? { Some(true) } else { said("unwanted")?.then_some(false) })
}

/// WeChat was asked whether the settlement of payments was agreed to at its console.
pub fn note_agreed(tx: &Tx, agreed: bool) -> Result<()> {
    store::forget_duty(tx, if agreed { "not_agreed" } else { "agreed" })?;
    store::put_duty(tx, if agreed { "agreed" } else { "not_agreed" })
}

pub fn is_agreed(conn: &Connection) -> Result<bool> {
    Ok(store::duty(conn, "agreed")?.is_some())
}

/// What the first page shows of it.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Where the duty stands, in words.
    pub text: &'static str,
    /// What WeChat complains of, in words.
    pub alarm: Option<String>,
    /// Money that WeChat holds back, in words.
    pub frozen: Option<String>,
}

/// `waiting` is how many orders are to be shipped.
pub fn state(conn: &Connection, waiting: i64, now: i64) -> Result<State> {
    let said = |word: &str| store::duty(conn, word);
    let within = |at: Option<i64>, span: i64| at.filter(|at| now - at < span);
    let (wanted, unwanted) = (said("wanted")?, said("unwanted")?);
    let alarm = if let Some(at) = within(said(Duty::Controlled.word())?, RESTRAINED) {
        let day = clock::shown_short(at);
        Some(format!("微信 {day} 通知：小程序的支付被管控，请到微信公众平台查看原因并处理"))
    } else if within(said(Duty::Shipping.word())?, REMINDED).is_some() && waiting > 0 {
        Some("微信提醒：有订单付款超过 48 小时还没有发货".to_owned())
    } else if within(said(Duty::Access.word())?, REMINDED).is_some() {
        Some("微信提醒：小程序还没有接入发货信息管理，请先在微信公众平台开通".to_owned())
    } else if said("not_agreed")?.is_some() {
        Some("“交易结算管理确认”还没有完成，在那之前微信不结算：请到微信公众平台的订单与发货管理里确认".to_owned())
    } else {
        None
    };
    let text = match (wanted, unwanted) {
        (Some(_), _) => "发货后自动上传",
        (_, Some(_)) => "微信不要求",
        _ => "第一次发货时向微信查询",
    };
    Ok(State { text, alarm, frozen: frozen(conn)? })
}

/// 冻结: paid, shipped, and not settled yet, as WeChat has told of each.
fn frozen(conn: &Connection) -> Result<Option<String>> {
    let (fen, first, last) = store::unsettled(conn)?;
    let day = |at: i64| clock::shown(at)[5..10].to_owned();
    let when = match first.zip(last).map(|(first, last)| (day(first), day(last))) {
        Some((first, last)) if first == last => format!("，预计 {first} 到账"),
        Some((first, last)) => format!("，预计 {first} 至 {last} 到账"),
        None => String::new(),
    };
    Ok((fen > 0).then(|| format!("冻结 ¥{}{when}", yuan(fen))))
}
