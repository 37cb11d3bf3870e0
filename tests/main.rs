//! The one test program: black-box through the doors, with the simulated WeChat over real HTTP.

mod crash;
mod http;
mod support;
mod tidy;
