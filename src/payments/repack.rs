//! What an older program wrote as it was is packed a little at a time, while the shop sells.

use std::time::Duration;

use super::store;
use crate::clock::SECOND;
use crate::db::Tx;
use crate::error::Result;
use crate::jobs::Ran;
use crate::message_log;
use crate::packing;
use crate::shop::Shop;

/// Rows of one transaction: some milliseconds of the writer's time.
const STEP: i64 = 200;
/// Steps of one run of the job, which a stop of the program waits for; the others have the writer in between.
const STEPS: usize = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// Goes on where the last run came to, whatever ended it.
pub async fn go_on(shop: &Shop) -> Result<Ran> {
    for _ in 0..STEPS {
        if !shop.write_large(|tx: &Tx| step(tx, STEP)).await? {
            return Ok(Ran::Done);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Ran::Again { at: shop.now() + SECOND / 2 })
}

/// Packs so many rows; false when there are none left.
pub fn step(tx: &Tx, rows: i64) -> Result<bool> {
    let Some(left) = packing::store::left(tx)? else { return Ok(false) };
    let up_to = match left.what.as_str() {
        "messages" => message_log::store::pack_older(tx, left.done, left.last, rows)?,
        _ => store::pack_older(tx, left.done, left.last, rows)?,
    };
    packing::store::done(tx, &left, up_to)?;
    Ok(true)
}
