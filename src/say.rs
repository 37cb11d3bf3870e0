//! Lines for whoever runs the program: its own log, where they are less than an error, and what a command says.
//!
//! Nobody may be there to read them: the terminal is closed, the pipe broken, the disk full. Then they are lost, and nothing
//! else; the standard library's macros panic instead, which would end whatever work had something to say.
//!
//! What the macros of `log` say below an error is left out of a release, with the thousands of lines that libraries would
//! say and nobody is ever shown: a fortieth of the program. Ours are told by these.

use std::fmt::Arguments;
use std::io::{self, Write};

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

/// `println!`, that may be said to nobody.
macro_rules! tell {
    ($($words:tt)+) => { $crate::say::out(format_args!($($words)+)) };
}
pub(crate) use tell;

/// `eprintln!`, that may be said to nobody.
macro_rules! complain {
    ($($words:tt)+) => { $crate::say::problem(format_args!($($words)+)) };
}
pub(crate) use complain;

pub fn out(words: Arguments<'_>) {
    let _ = writeln!(io::stdout().lock(), "{words}");
}

pub fn problem(words: Arguments<'_>) {
    part(format_args!("{words}\n"));
}

/// What does not end its line. In one piece: many speak at once.
pub fn part(words: Arguments<'_>) {
    let _ = io::stderr().lock().write_all(words.to_string().as_bytes());
}

/// Why the system refused, for whoever has to mend it; what is rare, in its own words.
pub fn cause(e: &io::Error) -> String {
    use io::ErrorKind::*;
    let words = match e.kind() {
        NotFound => "没有这个文件或目录",
        PermissionDenied => "没有权限",
        StorageFull | QuotaExceeded => "磁盘满了",
        ReadOnlyFilesystem => "磁盘是只读的",
        NotADirectory => "路径里有一段不是目录",
        IsADirectory => "那是一个目录，不是文件",
        AlreadyExists => "已经有同名的文件",
        UnexpectedEof => "文件不完整",
        _ => return e.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_told_in_the_owners_language() {
        let nowhere = std::fs::read("/nowhere/at/all").unwrap_err();
        assert_eq!(cause(&nowhere), "没有这个文件或目录");
        let through_a_file = std::fs::read("/proc/version/x").unwrap_err();
        assert_eq!(cause(&through_a_file), "路径里有一段不是目录");
        for (code, words) in [(13, "没有权限"), (28, "磁盘满了"), (122, "磁盘满了"), (30, "磁盘是只读的")]
        {
            assert_eq!(cause(&io::Error::from_raw_os_error(code)), words);
        }
        assert!(cause(&io::Error::from_raw_os_error(5)).contains("os error 5"), "what is rare, in its own words");
    }
}
