//! The one test program: black-box through the doors, with the simulated WeChat over real HTTP.

mod crash;
mod hostile;
mod http;
mod support;
mod tidy;
