//! People: customers, logging in, one's own account, the staff, and what they did.

pub mod account;
pub mod audit;
pub mod customers;
pub mod login;
pub mod staff;

use rocket::Route;

pub fn routes() -> Vec<Route> {
    [customers::routes(), login::routes(), account::routes(), staff::routes(), audit::routes()].concat()
}
