//! The one test program: black-box through the doors, with the simulated WeChat over real HTTP.

// Tests begin in the order of their names, and this is the longest.
mod chance;
mod crash;
mod hostile;
mod http;
mod support;
mod tidy;
