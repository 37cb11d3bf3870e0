//! Staff: accounts, roles, sessions, and who did what.

pub mod login;
pub mod password;
pub mod store;
pub mod throttle;
pub mod totp;

use rocket::Request;
use rocket::request::{FromRequest, Outcome};

use crate::clock::{DAY, HOUR};
use crate::error::{self, Code};
use crate::ids::StaffId;
use crate::secrets::token_hash;
use crate::shop::Shop;
use crate::stored_enum::stored_enum;

/// The cookie that carries a session.
pub const COOKIE: &str = "xiaopu_session";
/// A session lasts this long after its last use.
pub const SESSION: i64 = 7 * DAY;

stored_enum! {
    /// Four fixed roles; each may do all that the ones before it may.
    pub enum Role {
        /// Packs and ships.
        Packer "packer" "打包员",
        /// Answers buyers: sees payments, writes memos, cancels unpaid orders.
        Clerk "clerk" "店员",
        /// Changes products, prices and stock; decides about money that fits no order.
        Manager "manager" "经理",
        /// Settings, keys, staff.
        Owner "owner" "店主",
    }
}

/// Somebody who is logged in to the console.
#[derive(Clone, Debug)]
pub struct Staff {
    pub id: StaffId,
    pub name: String,
    pub role: Role,
    pub ip: String,
    pub lists: Lists,
}

/// How somebody likes lists.
#[derive(Clone, Debug)]
pub struct Lists {
    /// Rows on a page.
    pub rows: i64,
    /// Orders in a table rather than as cards.
    pub order_table: bool,
    /// The columns of the tables of orders and of products, by their words; nothing until somebody chooses.
    pub order_columns: Option<String>,
    pub product_columns: Option<String>,
}

/// What a page of a list may hold.
pub const PAGE_SIZES: [i64; 3] = [20, 50, 100];

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Staff {
    type Error = ();
    async fn from_request(request: &'r Request<'_>) -> Outcome<Staff, ()> {
        match identify(request).await {
            Ok(staff) => Outcome::Success(staff),
            Err(error) => Outcome::Error((error::leave(request, error), ())),
        }
    }
}

async fn identify(request: &Request<'_>) -> error::Result<Staff> {
    let shop = request.rocket().state::<Shop>().ok_or(Code::Internal)?;
    let cookie = request.cookies().get(COOKIE).ok_or(Code::Unauthenticated)?;
    let hash = token_hash(cookie.value());
    let (now, looked_up) = (shop.now(), hash.clone());
    let found = shop.read(move |conn| Ok(store::session(conn, &looked_up, now)?)).await?;
    let (mut staff, expires_at) = found.ok_or(Code::Unauthenticated)?;
    if expires_at < now + SESSION - HOUR {
        shop.write(move |tx| Ok(store::extend_session(tx, &hash, tx.now() + SESSION)?)).await?;
    }
    staff.ip = crate::door::client_ip(request);
    Ok(staff)
}

macro_rules! at_least {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        pub struct $name(pub Staff);

        #[rocket::async_trait]
        impl<'r> FromRequest<'r> for $name {
            type Error = ();
            async fn from_request(request: &'r Request<'_>) -> Outcome<$name, ()> {
                match identify(request).await {
                    Ok(staff) if staff.role >= Role::$name => Outcome::Success($name(staff)),
                    Ok(_) => Outcome::Error((rocket::http::Status::Forbidden, ())),
                    Err(error) => Outcome::Error((error::leave(request, error), ())),
                }
            }
        }
    )*};
}

at_least! {
    /// A clerk, a manager or the owner.
    Clerk
    /// A manager or the owner.
    Manager
    /// The owner alone.
    Owner
}

#[cfg(test)]
impl Staff {
    pub fn sample(id: i64, role: Role) -> Staff {
        let lists = Lists { rows: 50, order_table: false, order_columns: None, product_columns: None };
        Staff { id: StaffId(id), name: role.text().to_owned(), role, ip: "127.0.0.1".into(), lists }
    }
}
