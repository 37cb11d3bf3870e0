//! Buyers: who asks, by the token of their login, and where their parcels go.

pub mod addresses;
pub mod api;
mod doors;
mod labels;
pub mod logins;
mod names;
pub mod paste;
pub mod phones;
pub mod store;
mod whose;

use logins::Logins;
use rocket::Request;
use rocket::request::{FromRequest, Outcome};

use crate::clock::{DAY, HOUR};
use crate::db::Kept;
use crate::error::{self, Code};
use crate::ids::BuyerId;
use crate::secrets::token_hash;
use crate::shop::Shop;

/// A login lasts this long after its last use.
pub const SESSION: i64 = 30 * DAY;

/// A logged-in buyer. The openid is the payer's, under the app id they logged in with.
#[derive(Clone, Debug)]
pub struct Buyer {
    pub id: BuyerId,
    pub app_id: String,
    pub openid: String,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Buyer {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<Buyer, ()> {
        match identify(request).await {
            Ok(buyer) => Outcome::Success(buyer),
            Err(error) => Outcome::Error((error::leave(request, error), ())),
        }
    }
}

/// A buyer, if one is logged in; a token that is no good is still an error.
pub struct MaybeBuyer(pub Option<Buyer>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for MaybeBuyer {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<MaybeBuyer, ()> {
        match request.headers().get_one("Authorization") {
            None => Outcome::Success(MaybeBuyer(None)),
            Some(_) => Buyer::from_request(request).await.map(|buyer| MaybeBuyer(Some(buyer))),
        }
    }
}

/// The token of `Authorization: Bearer …`.
pub fn bearer<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let (scheme, token) = request.headers().get_one("Authorization")?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (20..=100).contains(&token.len())).then_some(token)
}

async fn identify(request: &Request<'_>) -> error::Result<Buyer> {
    let shop = request.rocket().state::<Shop>().ok_or(Code::Internal)?;
    let logins = request.rocket().state::<Logins>().ok_or(Code::Internal)?;
    let hash = token_hash(bearer(request).ok_or(Code::Unauthenticated)?);
    let (now, outdated) = (shop.now(), shop.db.outdated(Kept::Logins));
    let known = logins.look(outdated, &hash, now);
    let is_new = known.is_none();
    let found = if is_new { read(shop, &hash, now).await? } else { known };
    let (buyer, expires_at) = found.ok_or(Code::Unauthenticated)?;
    // An openid is one app's alone: after a change of app, whoever comes must log in under the new one.
    if shop.settings().get("wechat.app_id").is_some_and(|app_id| app_id != buyer.app_id) {
        return Err(Code::Unauthenticated.into());
    }
    // Sliding, but written down at most once an hour: reading must not cost a commit.
    if expires_at < now + SESSION - HOUR {
        let used = hash.clone();
        shop.write(move |tx| Ok(store::extend_session(tx, &used, tx.now() + SESSION)?)).await?;
        logins.keep(outdated, hash, &buyer, now + SESSION);
    } else if is_new {
        logins.keep(outdated, hash, &buyer, expires_at);
    }
    Ok(buyer)
}

async fn read(shop: &Shop, hash: &[u8], now: i64) -> error::Result<Option<(Buyer, i64)>> {
    let hash = hash.to_owned();
    shop.read(move |conn| Ok(store::session(conn, &hash, now)?)).await
}
