//! 小铺: a shop for WeChat mini-programs in one executable. The modules stand in reading order.

pub mod clock;
pub mod ids;
pub mod money;
pub mod nonce;
pub mod secrets;

pub mod db;
pub mod wechat;

pub mod error;
pub mod settings;
pub mod shop;

pub mod door;
pub mod transactions;

pub mod buyers;
pub mod catalogue;
pub mod orders;
pub mod staff;

pub mod jobs;
pub mod payments;
pub mod worker;
