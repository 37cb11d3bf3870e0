//! Replay: every stored notice through today's program, on a copy that is thrown away: what would be different?

use super::settle::{self, Source};
use crate::clock;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::MessageId;
use crate::shop::Shop;
use crate::transactions::{Verdict, store as messages};
use crate::wechat::notice::{self, Verdict as Read};

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

/// Notices looked at in one go.
const CHUNK: i64 = 200;

/// Replays on `copy`, a shop of its own over a copied database. Whatever `settle` writes there is a difference: all
/// these payments have been entered already.
pub async fn run(copy: &Shop) -> Result<Replayed> {
    let merchant = copy
        .merchant()
        .ok_or_else(|| Error::from(Code::PaymentNotConfigured).says("微信支付还没有设置，不能验签，也就不能重放"))?;
    let mut replayed = Replayed::default();
    let mut after = MessageId(0);
    loop {
        let stored = copy.db.read(move |conn| Ok::<_, Error>(messages::notices_after(conn, after, CHUNK)?)).await?;
        let Some(last) = stored.last() else { return Ok(replayed) };
        after = last.id;
        for one in stored {
            replayed.notices += 1;
            let read = notice::read(&one.request, &merchant);
            let believed = one.verdict != Verdict::Refused;
            let now = match read.verdict {
                Read::Refused(word) if believed && word == "SIGN_WRONG" => {
                    replayed.unknown_key += 1;
                    continue;
                }
                Read::Refused(word) if believed => Some(format!("现在会被拒绝：{word}")),
                Read::Refused(_) => None,
                Read::NotPaid(_) => None,
                Read::Paid(payment) => {
                    let (settings, at) = (copy.settings(), one.at);
                    let write = move |tx: &Tx| {
                        let before = tx.total_changes();
                        let settlement = settle::settle(tx, &payment, Source::Notify, Some(one.id), &settings, at)?;
                        Ok::<_, Error>((settlement.settled, tx.total_changes() > before))
                    };
                    let (settled, wrote) = copy.db.write(write).await?;
                    wrote.then(|| format!("现在的结果：{}", settled.text()))
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
