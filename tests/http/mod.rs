//! One module per behaviour, all through HTTP.

mod backups;
mod buyers;
mod buying;
mod catalogue;
mod closing;
mod console;
mod contention;
mod contract;
mod exceptions;
mod home;
mod import;
mod jobs;
mod keys;
mod notify;
mod orders;
mod patience;
mod prepay;
mod pricing;
mod products;
mod random_walk;
mod reconcile;
mod refunds;
mod roles;
mod shipping;
mod staff;
mod way_out;
