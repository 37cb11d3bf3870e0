//! Money: giving it back, what fits no order, bills, and each message with WeChat.

pub mod bills;
pub mod exceptions;
pub mod insights;
pub mod invoices;
pub mod messages;
pub mod refunds;

use rocket::Route;

pub fn routes() -> Vec<Route> {
    [
        refunds::routes(),
        exceptions::routes(),
        insights::routes(),
        bills::routes(),
        invoices::routes(),
        messages::routes(),
    ]
    .concat()
}
