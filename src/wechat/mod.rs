//! The only room that knows XML, MD5 and WeChat's URLs. It knows no order: it takes ids and money.

pub mod message;
pub mod sign;
