//! Replay: every stored notice through today's program, on a copy that is thrown away: what would be different?

use super::settle::{self, Settled, Source};
use crate::clock;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::MessageId;
use crate::message_log::{Verdict, store as messages};
use crate::shop::Shop;
use crate::wechat::Payment;
use crate::wechat::v2::notice as v2;
use crate::wechat::v3::notice as v3;
use crate::wechat::v3::sign;

/// A notice that today's program would treat in another way.
#[derive(Clone, Debug)]
pub struct Change {
    pub message: MessageId,
    pub at: String,
    pub out_trade_no: String,
    pub then: String,
    pub now: String,
}

/// What a replay found.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    pub notices: usize,
    /// Believed then, and signed with a key that is no longer known: nothing can be said about them.
    pub unknown_key: usize,
    pub changes: Vec<Change>,
}

/// What today's program takes a stored notice for, whatever its version.
enum Read {
    Paid(Payment),
    NoPayment,
    Refused(String),
    /// Signed or sealed with a key that is not known any more.
    UnknownKey,
}

fn read(copy: &Shop, stored: &[u8]) -> Read {
    if let Some(recorded) = sign::parted(stored) {
        let Some(merchant) = copy.merchant_v3() else { return Read::UnknownKey };
        return match v3::read_again(&recorded, &merchant).verdict {
            v3::Verdict::Paid(payment) => Read::Paid(payment),
            v3::Verdict::Refunded(_) | v3::Verdict::Other(_) => Read::NoPayment,
            v3::Verdict::Sealed => Read::UnknownKey,
            v3::Verdict::Refused(word) if word.starts_with("SERIAL") || word == "SIGN_WRONG" => Read::UnknownKey,
            v3::Verdict::Refused(word) => Read::Refused(word),
        };
    }
    let Some(merchant) = copy.merchant_v2() else { return Read::UnknownKey };
    match v2::read(stored, &merchant).verdict {
        v2::Verdict::Paid(payment) => Read::Paid(payment),
        v2::Verdict::NotPaid(_) => Read::NoPayment,
        v2::Verdict::Refused(word) if word == "SIGN_WRONG" => Read::UnknownKey,
        v2::Verdict::Refused(word) => Read::Refused(word),
    }
}

/// Notices looked at in one go.
const CHUNK: i64 = 200;

/// Replays on `copy`, a shop of its own over a copied database. Whatever `settle` writes there is a difference: all
/// these payments have been entered already.
pub async fn run(copy: &Shop) -> Result<Replayed> {
    if copy.account().is_none() {
        return Err(Error::from(Code::PaymentNotConfigured).says("微信支付还没有设置，不能验签，也就不能重放"));
    }
    let mut replayed = Replayed::default();
    let mut after = MessageId(0);
    loop {
        let stored = copy.read(move |conn| Ok(messages::notices_after(conn, after, CHUNK)?)).await?;
        let Some(last) = stored.last() else { return Ok(replayed) };
        after = last.id;
        for one in stored {
            replayed.notices += 1;
            let believed = one.verdict != Verdict::Refused;
            let now = match read(copy, &one.request) {
                Read::UnknownKey if believed => {
                    replayed.unknown_key += 1;
                    continue;
                }
                Read::Refused(word) if believed => Some(format!("现在会被拒绝：{word}")),
                Read::UnknownKey | Read::Refused(_) | Read::NoPayment => None,
                Read::Paid(payment) => {
                    let (settings, at) = (copy.settings(), one.at);
                    let write = move |tx: &Tx| {
                        let before = tx.total_changes();
                        let settlement = settle::settle(&tx.at(at), &payment, Source::Notify, Some(one.id), &settings)?;
                        Ok((settlement.settled, tx.total_changes() > before))
                    };
                    let (settled, wrote) = copy.write(write).await?;
                    // What is not believed any more writes nothing, and was entered then.
                    let unbelieved = believed && settled == Settled::OtherVersion;
                    (wrote || unbelieved).then(|| format!("现在的结果：{}", settled.text()))
                }
            };
            if let Some(now) = now {
                replayed.changes.push(Change {
                    message: one.id,
                    at: clock::shown(one.at),
                    out_trade_no: one.out_trade_no.unwrap_or_default(),
                    then: one.reason,
                    now,
                });
            }
        }
    }
}
