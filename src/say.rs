//! Lines for the program's own log that are less than an error.
//!
//! What the macros of `log` say below an error is left out of a release, with the thousands of lines that libraries would
//! say and nobody is ever shown: a fortieth of the program. Ours are told by these.

use std::fmt::Arguments;

use log::kv::Value;
use log::{Level, Record};

/// `say!(Warn, "so many {things}")`
macro_rules! say {
    ($level:ident, $($words:tt)+) => {
        $crate::say::line(::log::Level::$level, module_path!(), format_args!($($words)+), &[])
    };
}
pub(crate) use say;

/// The same with what the line knows besides.
pub fn line(level: Level, target: &str, words: Arguments<'_>, known: &[(&str, Value<'_>)]) {
    let record = Record::builder().level(level).target(target).args(words).key_values(&known).build();
    log::logger().log(&record);
}
