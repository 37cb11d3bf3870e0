//! Telling the staff: what waits for a robot or a mailbox is gathered, and sent at most once a minute.

use std::collections::BTreeMap;

use super::store::{self, New};
use super::{Channel, State, Told, Topic, Unsent, mail, robots};
use crate::clock::{self, HOUR, MINUTE};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::ids::OutboxId;
use crate::jobs::Ran;
use crate::shop::Shop;

/// From one message to the next.
const PAUSE: i64 = MINUTE;
/// What is older is news no more.
const STALE: i64 = 6 * HOUR;
/// So much is gathered into one message, and so many lines of it are written out.
const MOST: i64 = 500;
const LINES: usize = 15;
/// 企业微信 takes 2048 bytes.
const LONGEST: usize = 600;

/// Sends what has gathered for one way, unless it was told something within the last minute.
pub async fn gather(shop: &Shop, channel: i64) -> Result<Ran> {
    let Some(channel) = Channel::numbered(channel) else { return Ok(Ran::Done) };
    let now = shop.now();
    let read =
        move |conn: &rusqlite::Connection| Ok((store::last_told(conn, channel)?, store::waiting(conn, channel, MOST)?));
    let (last, waiting) = shop.read(read).await?;
    if let Some(last) = last.filter(|last| (last - PAUSE..last + PAUSE).contains(&now)) {
        return Ok(Ran::Again { at: last + PAUSE });
    }
    let on = channel.is_on(&shop.settings());
    let (fresh, gone): (Vec<Told>, Vec<Told>) = waiting.into_iter().partition(|told| on && now - told.at < STALE);
    end(shop, &gone, State::Dropped, if on { "过了六小时还没有发出去" } else { "已停用" }, None).await?;
    if fresh.is_empty() {
        return Ok(Ran::Done);
    }
    let sent = send(shop, channel, &subject(&fresh), &text(&fresh, shop.settings().get("shop.public_url"))).await;
    match sent {
        Ok(()) => end(shop, &fresh, State::Sent, "", Some(channel)).await?,
        Err(Unsent::Never(why)) => end(shop, &fresh, State::Failed, &why, Some(channel)).await?,
        // Whoever keeps failing is asked less and less often: his job backs off.
        Err(Unsent::Later(why)) => return Ok(Ran::Failed(why)),
    }
    Ok(Ran::Done)
}

async fn end(shop: &Shop, all: &[Told], state: State, problem: &str, told: Option<Channel>) -> Result<()> {
    let (ids, problem): (Vec<OutboxId>, _) = (all.iter().map(|told| told.id).collect(), problem.to_owned());
    if ids.is_empty() {
        return Ok(());
    }
    let write = move |tx: &Tx| {
        ids.iter().try_for_each(|id| store::end(tx, *id, state, &problem))?;
        told.iter().try_for_each(|channel| store::set_last_told(tx, *channel))?;
        Ok(())
    };
    shop.write_always(write).await
}

async fn send(shop: &Shop, channel: Channel, subject: &str, text: &str) -> std::result::Result<(), Unsent> {
    match channel {
        Channel::Mail => mail::send(shop, subject, text).await,
        robot => robots::say(shop, robot, &format!("{subject}\n{text}")).await,
    }
}

/// Sends something now, to see whether it arrives; it stands in the outbox like everything else.
pub async fn try_out(shop: &Shop, channel: Channel) -> Result<()> {
    let text = format!("这是一条测试消息，{}。收到就说明填对了。", clock::shown(shop.now()));
    let sent = send(shop, channel, "【小铺】测试", &text).await;
    let (state, problem) = match &sent {
        Ok(()) => (State::Sent, String::new()),
        Err(e) => (State::Failed, e.words().to_owned()),
    };
    let write = move |tx: &Tx| {
        let topic = Topic::Trial.word();
        let id = store::put(tx, &New { channel, topic, what: "测试消息", order_id: None, subject: 0 })?;
        Ok(store::end(tx, id, state, &problem)?)
    };
    shop.write(write).await?;
    sent.map_err(|e| {
        Error::from(crate::error::Code::WechatRejected).says(format!("{} 没有发出去：{}", channel.text(), e.words()))
    })
}

fn by_topic(all: &[Told]) -> BTreeMap<Option<Topic>, Vec<&Told>> {
    let mut groups: BTreeMap<_, Vec<&Told>> = BTreeMap::new();
    for told in all {
        groups.entry(told.topic.parse().ok()).or_default().push(told);
    }
    groups
}

/// `【小铺】新订单 3 · 退款申请 1`: 小铺 is the word that robots with keywords let through.
fn subject(all: &[Told]) -> String {
    let groups = by_topic(all);
    let counts = groups.iter().map(|(topic, all)| format!("{} {}", topic.map_or("", Topic::text), all.len()));
    format!("【小铺】{}", counts.collect::<Vec<_>>().join(" · "))
}

fn text(all: &[Told], public_url: Option<&str>) -> String {
    let mut text = String::new();
    let mut lines = 0;
    for (topic, group) in by_topic(all) {
        for told in group {
            lines += 1;
            let line = format!("{}：{}\n", topic.map_or("", Topic::text), told.what);
            if lines <= LINES && text.chars().count() + line.chars().count() <= LONGEST {
                text.push_str(&line);
            } else {
                lines = LINES + 1;
            }
        }
    }
    if lines > LINES {
        text.push_str("……其余请到后台看\n");
    }
    match public_url {
        Some(url) => text + &format!("{}/admin", url.trim_end_matches('/')),
        None => text.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(topic: Topic, what: &str) -> Told {
        Told {
            id: OutboxId(1),
            at: 0,
            channel: Channel::Wecom,
            topic: topic.word().to_owned(),
            what: what.to_owned(),
            order_id: None,
            subject: 0,
            state: State::Waiting,
            ended_at: None,
            problem: String::new(),
        }
    }

    #[test]
    fn what_gathered_is_one_message_that_a_robot_takes() {
        let some =
            [told(Topic::RefundAsked, "R01 ¥5.00"), told(Topic::NewOrder, "A ¥1.00"), told(Topic::NewOrder, "B ¥2.00")];
        assert_eq!(subject(&some), "【小铺】新订单 2 · 退款申请 1");
        assert_eq!(
            text(&some, Some("https://shop.example.com/")),
            "新订单：A ¥1.00\n新订单：B ¥2.00\n退款申请：R01 ¥5.00\nhttps://shop.example.com/admin"
        );
        let many = vec![told(Topic::NewOrder, &"很长".repeat(30)); 400];
        let text = text(&many, None);
        assert!(text.len() < 2_000 && text.ends_with("……其余请到后台看"), "{} {text}", text.len());
    }
}
