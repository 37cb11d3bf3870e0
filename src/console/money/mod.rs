//! Money: giving it back, what fits no order, bills, and each message with WeChat.

mod calendar;
mod day;
pub mod exceptions;
mod fields;
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
        calendar::routes(),
        day::routes(),
        invoices::routes(),
        messages::routes(),
    ]
    .concat()
}
