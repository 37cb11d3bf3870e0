//! What an open page is told of while it stands there: what waits, and how many orders came since.

use rocket::response::stream::{Event, EventStream};
use rocket::serde::json::Json;
use rocket::{Route, State, get, routes};
use serde::Serialize;

use crate::clock;
use crate::console;
use crate::error::Result;
use crate::orders;
use crate::shop::Shop;
use crate::staff::Staff;

pub fn routes() -> Vec<Route> {
    routes![pulse, events]
}

/// What waits, and how many orders have come to wait since a list of them was made.
#[derive(Serialize)]
struct Told {
    counts: Counts,
    exceptions: i64,
    new: Option<i64>,
    at: String,
}

#[derive(Serialize)]
struct Counts {
    to_ship: i64,
    refunds: i64,
}

/// That all is quiet.
#[derive(Serialize)]
struct Quiet {
    at: String,
}

async fn told(shop: &Shop, since: Option<i64>) -> Result<Told> {
    let read = move |conn: &rusqlite::Connection| {
        let new = since.map(|since| orders::store::count_waiting_since(conn, since)).transpose()?;
        Ok((console::waiting(conn)?, new))
    };
    let (waiting, new) = shop.read(read).await?;
    let counts = Counts { to_ship: waiting.to_ship, refunds: waiting.refunds };
    Ok(Told { counts, exceptions: waiting.exceptions, new, at: clock::shown(shop.now()) })
}

const BEAT: std::time::Duration = std::time::Duration::from_secs(2);
/// Beats until a browser has to show again who it is: five minutes.
const LISTENED: u32 = 150;

/// Tells the browser of every change while the page is open, and now and then that all is quiet. It ends after a while,
/// so that whoever was shut out meanwhile does not listen on; the browser comes back by itself.
#[get("/events?<since>")]
fn events(shop: &State<Shop>, _staff: Staff, since: Option<i64>, mut shutdown: rocket::Shutdown) -> EventStream![] {
    let shop = shop.inner().clone();
    EventStream! {
        let mut known = None;
        for beat in 0..LISTENED {
            let commits = shop.db.commits().0;
            if known != Some(commits) {
                match told(&shop, since).await {
                    Ok(told) => yield Event::json(&told),
                    Err(_) => break,
                }
                known = Some(commits);
            } else if beat % 5 == 0 {
                yield Event::json(&Quiet { at: clock::shown(shop.now()) });
            }
            tokio::select! {
                () = tokio::time::sleep(BEAT) => {}
                () = &mut shutdown => break,
            }
        }
    }
}

/// What the browser asks now and then, to show and sound new orders.
#[get("/pulse?<since>")]
async fn pulse(shop: &State<Shop>, _staff: Staff, since: Option<i64>) -> Result<Json<Told>> {
    told(shop, since).await.map(Json)
}
